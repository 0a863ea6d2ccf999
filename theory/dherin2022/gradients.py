"""Dherin et al. 2022 on the implicit gradient regulariser: D9 (eqs 6 to 8), D19 on label noise, D20 and D21."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.batch_gradients import (
    batch_alignment,
    expected_square,
    label_alignment,
    label_parts,
    own_squares,
    squared_length,
)
from theory.batches import batch_means, mean_of
from theory.checks import Array, batch_size, count, exact_sequence, exact_vectors, positive, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dense_network import least_transfer, mean_gradient, mean_jacobian, parameter_gradients, quotient
from theory.dherin2022 import gradients_proofs as proofs
from theory.dherin2022 import transfer
from theory.enclosure import Enclosure, exponential
from theory.linear_stability import noise_share
from theory.sources import DHERIN2022, HOUSE, RESTATED, Source
from theory.symbols import (
    BATCH,
    DATA_ROWS,
    DENSE_LAYERS,
    LABEL_NOISE,
    LEAK,
    LOSS_GRADIENTS,
    OTHER_BATCH,
    OUTPUT_GRADIENTS,
    RESIDUALS,
    STEP_SIZE_ON_MEAN,
    Symbol,
    exact_stack,
)


def _odds(name: str, value: object) -> Array:
    """Return positive rationals, [n, k].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another, or an entry is not finite and above 0.
    """
    rows = exact_vectors(name, value)
    for entry in rows.ravel():
        positive(name, entry)
    return rows


ODDS = Symbol("odds", "e^{f^i(x)}", "exponentials of the logits, rationals above 0, [n, k]", _odds)
CLASS_TARGETS = Symbol(
    "class_targets", "y^i", "probabilities of the classes, one-hot for labels, [n, k]", exact_vectors
)
OUTPUTS = Symbol("outputs", "f^i(x)", "outputs, rationals, [n, k]", exact_vectors)
OUTPUT_TARGETS = Symbol("values", "y^i", "targets, rationals, [n, k]", exact_vectors)
CLEAN = Symbol(
    "clean_residuals",
    r"f_\xi(x) - y",
    "outputs minus noiseless targets, for each of the noises, [m, n, k]",
    exact_stack,
)
CURVATURES = Symbol("curvatures", r"\lambda_j", "eigenvalues of the Hessian of a quadratic loss, [d]", exact_sequence)
START_WEIGHTS = Symbol(
    "start", r"\theta_j", "weights along its eigenvectors, from the stationary point, [d]", exact_sequence
)
STEP_MULTIPLE = Symbol("times", "c", "a whole factor of step size and batch size, at least 1", count)
OTHER_STEP_SIZE = Symbol("other_step_size", "h'", "another step size, above 0", positive)


def exactly(value: Fraction) -> Enclosure:
    """Return a rational as a side."""
    return Enclosure.exactly(value)


def step_of(given: Instance) -> Fraction:
    """Return the step size, exactly."""
    return Fraction(given["step_size"])


def regulariser(parts: Array, step_size: Fraction) -> Fraction:
    """Return what eq 6 has beside L_B, of eps_x^i grad f^i(x), [n, k, p]."""
    n = len(parts)
    losses = parts.sum(axis=1)
    first = step_size / (4 * n) * own_squares(parts)
    return first + step_size / 4 * label_alignment(parts) + step_size / 4 * batch_alignment(losses)


def of_loss_gradients(gradients: Array, step_size: Fraction) -> Fraction:
    """Return (h/4) |grad L_B|^2 of the gradients of the losses of a batch, [n, p]."""
    return step_size / 4 * squared_length(mean_of(gradients))


def softmax(odds: Array) -> Array:
    """Return the probabilities of the classes, [n, k]."""
    shares: Array = odds / odds.sum(axis=1)[:, None]
    return shares


def cross_entropy_gradients(given: Instance) -> Array:
    """Return the gradients of -sum_i y^i log softmax^i, [n, p], by the chain rule from the logarithms of the softmax."""
    slopes, shares = given["output_gradients"], softmax(given["odds"])
    centre = np.einsum("nk,nkp->np", shares, slopes)
    gradients: Array = np.einsum("nk,nkp->np", given["class_targets"], centre[:, None, :] - slopes)
    return gradients


def _softmax_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    residuals = softmax(given["odds"]) - given["class_targets"]
    printed = regulariser(label_parts(residuals, given["output_gradients"]), step_of(given))
    return exactly(of_loss_gradients(cross_entropy_gradients(given), step_of(given))), exactly(printed)


def parts_of(given: Instance) -> Array:
    """Return eps_x^i grad f^i(x), [n, k, p]."""
    return label_parts(given["residuals"], given["output_gradients"])


def _identity_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parts = parts_of(given)
    return exactly(of_loss_gradients(parts.sum(axis=1), step_of(given))), exactly(regulariser(parts, step_of(given)))


def _squared_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parts = label_parts(given["outputs"] - given["values"], given["output_gradients"])
    gradients = 2 * parts.sum(axis=1)
    return exactly(of_loss_gradients(gradients, step_of(given))), exactly(regulariser(parts, step_of(given)))


def _reads_gradients(given: Instance) -> dict[str, Any]:
    gradients = given["output_gradients"]
    n, k, p = gradients.shape
    return {"n": n, "B": n, "k": k, "p": p, "g": gradients}


def _reads_softmax(given: Instance) -> dict[str, Any]:
    shares = {"s": softmax(given["odds"]), "t": given["class_targets"]}
    return {**_reads_gradients(given), **shares, "h": step_of(given)}


def _reads_identity(given: Instance) -> dict[str, Any]:
    return {**_reads_gradients(given), "r": given["residuals"], "h": step_of(given)}


def white(noise: Array) -> bool:
    """Return whether equally likely noises [m, n, k] have mean 0 and covariance s^2 I over all labels of the batch."""
    rows = noise.reshape(len(noise), -1)
    second = rows.T @ rows / Fraction(len(rows))
    scale = np.trace(second) / Fraction(len(second))
    return bool(np.all(rows.sum(axis=0) == 0) and np.all(second == scale * np.eye(len(second), dtype=int)))


def noise_variance(noise: Array) -> Fraction:
    """Return s^2, the mean square of the noise of one label."""
    return Fraction((noise * noise).sum()) / noise.size


def batch_square(residuals: Array, output_gradients: Array) -> Fraction:
    """Return |grad L_B|^2 of L_B = (1/2B) sum |f - y|^2."""
    return squared_length(mean_of(label_parts(residuals, output_gradients).sum(axis=1)))


def _noise_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    noise, clean, slopes = given["noise"], given["clean_residuals"], given["output_gradients"]
    draws = range(len(noise))
    noisy = sum((batch_square(clean[t] - noise[t], slopes) for t in draws), Fraction(0)) / len(noise)
    plain = sum((batch_square(clean[t], slopes) for t in draws), Fraction(0)) / len(noise)
    added = noise_variance(noise) / Fraction(len(slopes)) * Fraction((slopes * slopes).sum()) / len(slopes)
    return exactly(noisy), exactly(plain + added)


def _pair_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    points = [transfer.on_the_data(given, name) for name in ("dense_layers", "other_layers")]
    sizes = [mean_gradient(given[name], at) for name, at in zip(("dense_layers", "other_layers"), points, strict=True)]
    smaller, smoother = sizes[0] <= sizes[1], mean_jacobian(points[0]) <= mean_jacobian(points[1])
    return Enclosure.exactly(smaller), Enclosure.exactly(smoother)


def _signs(count_of: int) -> Array:
    """Return all vectors of signs as rows, [2^c, c]."""
    bits = np.arange(2**count_of)[:, None] >> np.arange(count_of) & 1
    return rationals(1 - 2 * bits)


def _added(given: Instance) -> tuple[Fraction, Fraction]:
    """Return |grad L|^2 with signs for label noise on average, and without, on all data."""
    points = transfer.on_the_data(given)
    slopes = np.array([parameter_gradients(given["dense_layers"], at) for at in points], dtype=object)
    residuals = rationals(np.array([at.output for at in points], dtype=object)) - given["targets"]
    noises = _signs(residuals.size).reshape(-1, *residuals.shape)
    noisy = sum((batch_square(residuals - noise, slopes) for noise in noises), Fraction(0)) / len(noises)
    return noisy, batch_square(residuals, slopes)


def _noise_bound_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    points = transfer.on_the_data(given)
    noisy, plain = _added(given)
    least = least_transfer(given["dense_layers"], points)
    return exactly(mean_jacobian(points)), quotient(len(points) * (noisy - plain), least)


def _reads_noise_bound(given: Instance) -> dict[str, Any]:
    noisy, plain = _added(given)
    return {**transfer.reads_data(given), "N": noisy, "P": plain, "s": Fraction(1)}


def modified_loss(curvatures: Array, weights: Array, step_size: Fraction) -> Fraction:
    """Return L + (h/4) |grad L|^2 of L = (1/2) sum lambda_j theta_j^2."""
    slopes = curvatures * weights
    loss = sum(slopes * weights, Fraction(0)) / 2
    return Fraction(loss + step_size / 4 * sum(slopes * slopes, Fraction(0)))


def _descent_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    curvatures, start, h = given["curvatures"], given["start"], step_of(given)
    after = start - h * curvatures * start
    return exactly(modified_loss(curvatures, after, h)), exactly(modified_loss(curvatures, start, h))


def ratios(given: Instance) -> list[Fraction]:
    """Return z_j = h lambda_j."""
    return [step_of(given) * Fraction(v) for v in given["curvatures"]]


def distance(given: Instance, rates: Sequence[Fraction]) -> Enclosure:
    """Return the squared distance of a step from a flow that shrinks theta_j by e^-rate."""
    total = Enclosure.exactly(Fraction(0))
    for weight, ratio, rate in zip(given["start"], ratios(given), rates, strict=True):
        flow = exponential(-rate)
        ends = sorted(Fraction(end) - (1 - ratio) for end in (flow.lower, flow.upper))
        low = Fraction(0) if ends[0] <= 0 <= ends[1] else min(end**2 for end in ends)
        total = total + Enclosure(low, max(end**2 for end in ends)).times(Fraction(weight) ** 2)
    return total


def _flow_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    each = ratios(given)
    return distance(given, [z + z**2 / 2 for z in each]), distance(given, each)


def _reads_descent(given: Instance) -> dict[str, Any]:
    return {"m": len(given["start"]), "h": step_of(given), "lambda": given["curvatures"], "w": given["start"]}


def _reads_flow(given: Instance) -> dict[str, Any]:
    """Return what D20.b's proof speaks of; the exponentials to many digits."""
    each = ratios(given)
    exponentials = {
        name: [Fraction(exponential(-rate, bits=_BITS).midpoint) for rate in rates]
        for name, rates in (("E", each), ("F", [z + z**2 / 2 for z in each]))
    }
    return {"m": len(each), "z": each, "w": given["start"], **exponentials}


_BITS = 256
"""Binary digits of an exponential that is read in a proof."""


def alignments(given: Instance) -> tuple[Fraction, Fraction]:
    """Return A_B and C_B."""
    parts = parts_of(given)
    return label_alignment(parts), batch_alignment(parts.sum(axis=1))


def _pressure_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    left_alone = squared_length(mean_of(parts_of(given).sum(axis=1))) == 0
    return Enclosure.exactly(left_alone), Enclosure.exactly(not np.any(given["output_gradients"] != 0))


def smallest_residual(given: Instance) -> Fraction:
    """Return the smallest of the residuals' squares."""
    return Fraction(min((given["residuals"] ** 2).ravel()))


def _least_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    slopes = given["output_gradients"]
    least = smallest_residual(given) * Fraction((slopes * slopes).sum()) / len(slopes) ** 2
    return exactly(least), exactly(squared_length(mean_of(parts_of(given).sum(axis=1))))


def _reads_least(given: Instance) -> dict[str, Any]:
    residuals = given["residuals"]
    return {**_reads_gradients(given), "r": residuals, "e": Fraction(min(abs(residuals).ravel()))}


def mean_regulariser(given: Instance, step_size: Fraction, batch: int) -> Fraction:
    """Return (h/4) E_B |grad L_B|^2 over all batches."""
    return step_size / 4 * expected_square(given["gradients"], batch)


def _ratio_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    times, h, batch = given["times"], step_of(given), given["batch_size"]
    return exactly(mean_regulariser(given, h, batch)), exactly(mean_regulariser(given, times * h, times * batch))


def _both(given: Instance) -> tuple[Enclosure, Enclosure]:
    weaker = mean_regulariser(given, step_of(given), given["batch_size"])
    stronger = mean_regulariser(given, Fraction(given["other_step_size"]), given["other_batch_size"])
    return exactly(weaker), exactly(stronger)


def _reads_both(given: Instance) -> dict[str, Any]:
    gradients = given["gradients"]
    sizes = given["batch_size"], given["other_batch_size"]
    mine, yours = (batch_means(gradients, size) for size in sizes)
    shares = [noise_share(len(gradients), size) for size in sizes]
    return {
        "n": len(gradients),
        "p": gradients.shape[1],
        "g": gradients,
        "h": step_of(given),
        "H": Fraction(given["other_step_size"]),
        "B": sizes[0],
        "b": sizes[1],
        "q": shares[0],
        "Q": shares[1],
        "m": len(mine),
        "M": len(yours),
        "u": np.array(mine),
        "v": np.array(yours),
    }


def _white() -> Assumption:
    return Assumption("the noise has mean 0 and covariance s^2 I", lambda given: white(given["noise"]), bool)


def _fits() -> Assumption:
    return Assumption(
        "c B <= n", lambda given: len(given["gradients"]) - given["times"] * given["batch_size"], lambda rest: rest >= 0
    )


D9 = Claim(
    id="D9",
    source=Source(DHERIN2022, "eqs 6 to 8"),
    statement=r"L_B + \tfrac h4 \|\nabla L_B\|^2 = L_B + \tfrac{h}{4B}\Big(\tfrac1B \sum_{x,i} \epsilon_x^i(\theta)^2 "
    r"\|\nabla_\theta f^i_\theta(x)\|^2\Big) + \tfrac h4 A_B + \tfrac h4 C_B,\quad "
    r"\epsilon_x^i = \operatorname{softmax}(f_\theta(x))^i - y^i",
    form=Form.IDENTITY,
    symbols=(ODDS, CLASS_TARGETS, OUTPUT_GRADIENTS, STEP_SIZE_ON_MEAN),
    assumptions=(
        Assumption(
            "the targets of each example sum to 1",
            lambda given: given["class_targets"].sum(axis=1),
            lambda sums: all(total == 1 for total in sums),
        ),
    ),
    sides=_softmax_sides,
    proof=proofs.d9,
    reads=_reads_softmax,
    finding=Finding.AS_PRINTED,
    note="All factors are right. L_B stands on both sides and is left out. The loss of other outputs has other residuals "
    "(D9.a, "
    "D9.b). With batch norm f(x) depends on the batch; the identity is then of gradients within it.",
    reading="For the cross-entropy of a softmax. (x, y) != (x', y') is read as two places of the batch, each pair in both "
    "orders: an example that the batch holds twice is aligned with itself.",
    extremal=Instance(
        {
            "odds": rationals([[1, 1], [1, 3]]),
            "class_targets": rationals([[1, 0], [0, 1]]),
            "output_gradients": rationals([[[1, 2], [0, 1]], [[1, 0], [1, 1]]]),
            "step_size": Fraction(1, 2),
        },
        "named",
    ),
)

D9A = Claim(
    id="D9.a",
    amends="D9",
    source=Source(HOUSE, "D9 for any loss of the outputs"),
    statement=r"\nabla L(x, y) = \sum_i \epsilon_x^i \nabla f^i(x),\ \epsilon_x^i = \frac{\partial L}{\partial f^i}:\quad "
    r"\tfrac h4 \|\nabla L_B\|^2 = \tfrac{h}{4B}\Big(\tfrac1B \sum_{x,i} (\epsilon_x^i)^2 \|\nabla f^i(x)\|^2\Big) + "
    r"\tfrac h4 A_B + \tfrac h4 C_B",
    form=Form.IDENTITY,
    symbols=(RESIDUALS, OUTPUT_GRADIENTS, STEP_SIZE_ON_MEAN),
    sides=_identity_sides,
    proof=proofs.d9a,
    reads=_reads_identity,
    finding=Finding.OURS,
    note="eps is the derivative of the loss in the output: f - y for (1/2)|f - y|^2, 2 (f - y) for |f - y|^2, and a'(f) times "
    "that for a squared loss behind an activation a.",
    extremal=Instance(
        {
            "residuals": rationals([[1, -1], [2, 0]]),
            "output_gradients": rationals([[[1], [2]], [[1], [1]]]),
            "step_size": Fraction(1),
        },
        "named",
    ),
)

D9B = Claim(
    id="D9.b",
    amends="D9",
    source=Source(DHERIN2022, "section 5, step 2"),
    statement=r"L(x, y) = |f(x) - y|^2,\ \epsilon_x^i = f^i(x) - y^i:\quad \tfrac h4 \|\nabla L_B\|^2 = "
    r"\tfrac{h}{4B}\Big(\tfrac1B \sum_{x,i} (\epsilon_x^i)^2 \|\nabla f^i(x)\|^2\Big) + \tfrac h4 A_B + \tfrac h4 C_B",
    form=Form.IDENTITY,
    symbols=(OUTPUTS, OUTPUT_TARGETS, OUTPUT_GRADIENTS, STEP_SIZE_ON_MEAN),
    sides=_squared_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The squared loss must be halved: else eps is 2 (f - y), and all of the regulariser is four times what eq 6 says. "
    "(1/2)|f - y|^2, the log-likelihood of unit variance, is a case of D9.a.",
    quote="This development also extends to other widely used loss functions such as the cross entropy and least-square loss.",
    reading="Strained: of |f - y|^2 without a half, with eps = f - y as eq 8 defines it, the activation being the identity; "
    "section 8 speaks of log-likelihoods, and then it stands.",
    witness=Instance(
        {
            "outputs": rationals([[1]]),
            "values": rationals([[0]]),
            "output_gradients": rationals([[[1]]]),
            "step_size": Fraction(1),
        },
        "named",
    ),
    no_extremal="refuted",
)

D19 = Claim(
    id="D19",
    source=Source(DHERIN2022, "section 4, noise regularization"),
    again=RESTATED,
    statement=r"L_B = \tfrac1{2B} \sum_x |f(x) - y - \xi_x|^2:\quad \mathbb E_\xi \|\nabla L_B\|^2 \ge "
    r"\mathbb E_\xi \|\nabla L_B|_{\xi = 0}\|^2 + \tfrac{s^2}{B} \cdot \tfrac1B \sum_x \|\nabla_\theta f(x)\|_F^2",
    form=Form.AT_LEAST,
    symbols=(LABEL_NOISE, CLEAN, OUTPUT_GRADIENTS),
    assumptions=(_white(),),
    sides=_noise_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="True, with equality, if the labels are drawn afresh at each step, after the weights (B16). Of labels that were drawn "
    "once it is not: the weights come to depend on them, and a network that fits the noisy labels has loss gradient 0 on them, "
    "with no pressure on grad_theta f. What this does to GC is D19.a and D19.b.",
    quote="we demonstrate empirically that the GC .. reduces as the proportion of label noise increases .. we provide a "
    "theoretical argument which justifies these experiments",
    reading="Of a squared loss, as in the work cited, and of a share of labels replaced before training, as 'proportion' "
    "suggests: the paper does not say when they are drawn. The pressure is what noise adds to the regulariser (h/4)|grad "
    "L_B|^2.",
    witness=Instance(
        {
            "noise": rationals([[[1]], [[-1]]]),
            "clean_residuals": rationals([[[1]], [[-1]]]),
            "output_gradients": rationals([[[1]]]),
            "dense_layers": transfer.dense(([[1]], [0])),
            "other_layers": transfer.dense(([[1]], [0])),
            "leak": Fraction(0),
            "inputs": rationals([[1]]),
            "targets": rationals([[1]]),
        },
        "named",
    ),
    no_extremal="refuted",
)

D19A = Claim(
    id="D19.a",
    amends="D19",
    source=Source(DHERIN2022, "section 4, noise regularization, last sentence"),
    statement=r"\tfrac1n \sum_x \|\nabla_\theta f_\theta(x)\|_F^2 \le \tfrac1n \sum_x \|\nabla_\theta f_{\theta'}(x)\|_F^2 "
    r"\;\Rightarrow\; \mathrm{GC}(\theta) \le \mathrm{GC}(\theta')",
    form=Form.IMPLICATION,
    symbols=(DENSE_LAYERS, transfer.OTHER_LAYERS, LEAK, DATA_ROWS),
    sides=_pair_sides,
    finding=Finding.FALSE,
    note="With one layer, grad_theta f has the norm k (1 + |x|^2) whatever the weights: label noise presses on nothing, and GC "
    "= ||W||_F^2 is free. With more layers the two are not ordered either: of a b x, a = b = 1 has the smaller gradient and "
    "a = 2, b = 0 the smaller GC. D19.b says what holds.",
    quote="Thus, label noise in SGD in turn translates into a regularizing pressure on the GC in the case of neural networks.",
    reading="As: where the mean of |grad_theta f|^2 is no larger, GC is not; section 5 asks for transfer functions that fall "
    "slower than the gradient, this sentence does not.",
    witness=Instance(
        {
            "dense_layers": transfer.dense(([[1]], [0])),
            "other_layers": transfer.dense(([[0]], [0])),
            "leak": Fraction(0),
            "inputs": rationals([[0]]),
        },
        "named",
    ),
    no_extremal="refuted",
)

D19B = Claim(
    id="D19.b",
    amends="D19",
    source=Source(HOUSE, "D19 with B16 and D10.b"),
    statement=r"\text{label noise drawn afresh, covariance } s^2 I:\quad \mathrm{GC} \le "
    r"\frac{n}{s^2} \cdot \frac{\mathbb E_\xi \|\nabla L\|^2 - \|\nabla L|_{\xi = 0}\|^2}{\min_j \sum_i T_i^2(x_j)}",
    form=Form.AT_MOST,
    symbols=(DENSE_LAYERS, LEAK, DATA_ROWS, transfer.TARGET_ROWS),
    assumptions=(transfer.norms_on_the_data(), transfer.some_transfer()),
    sides=_noise_bound_sides,
    proof=proofs.d19b,
    reads=_reads_noise_bound,
    finding=Finding.OURS,
    note="What label noise adds to the regulariser bounds GC as far as the transfer functions (D10.b's) are bounded below. "
    "Tried with signs for noise, s = 1, all draws enumerated, and all data as the batch; dense layers with weights of their "
    "own.",
    extremal=Instance(
        {
            "dense_layers": transfer.dense(([[3, 4]], [1])),
            "leak": Fraction(0),
            "inputs": rationals([[1, 2]]),
            "targets": rationals([[0]]),
        },
        "named",
    ),
)

TOO_LONG = Instance({"curvatures": rationals([1]), "start": rationals([1]), "step_size": Fraction(3)}, "named")
"""A step of three on a parabola of curvature 1: from 1 to -2."""

D20 = Claim(
    id="D20",
    source=Source(DHERIN2022, "section 5, step 1"),
    statement=r"\theta' = \theta - h \nabla L_B(\theta):\quad \tilde L_B(\theta') \le \tilde L_B(\theta),\quad "
    r"\tilde L_B = L_B + \tfrac h4 \|\nabla L_B\|^2",
    form=Form.AT_MOST,
    symbols=(CURVATURES, START_WEIGHTS, STEP_SIZE_ON_MEAN),
    sides=_descent_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The modified loss comes from an expansion in h, and a step lowers it on quadratic losses where |h lambda| <= 2 for "
    "all "
    "eigenvalues of the Hessian (D20.a); beyond, as at h = 3 on a parabola, it grows with every step. Of SGD it is said of "
    "each "
    "batch's own modified loss; the modified loss of another batch may grow.",
    quote="a discrete gradient update theta' = theta - h grad L_B(theta) over a batch of data implicitly minimizes a "
    "modified loss",
    reading="As: a step does not raise the modified loss of its batch. On quadratic losses, of any curvature.",
    witness=TOO_LONG,
    no_extremal="refuted",
)

D20A = Claim(
    id="D20.a",
    amends="D20",
    source=Source(HOUSE, "D20 below the edge"),
    statement=r"L = \tfrac12 \theta^T H \theta,\ |h \lambda_j| \le 2\ \forall j:\quad \tilde L(\theta - h \nabla L) \le "
    r"\tilde L(\theta)",
    form=Form.AT_MOST,
    symbols=(CURVATURES, START_WEIGHTS, STEP_SIZE_ON_MEAN),
    assumptions=(Assumption("|h lambda_j| <= 2", lambda given: max(map(abs, ratios(given))), lambda most: most <= 2),),
    sides=_descent_sides,
    proof=proofs.d20a,
    reads=_reads_descent,
    finding=Finding.OURS,
    note="The change is sum_j theta_j^2 z_j^2 (z_j^2 - 4)/(4 h), z_j = h lambda_j: the edge of stability is where it turns. "
    "Negative curvature counts alike.",
    extremal=Instance({"curvatures": rationals([2]), "start": rationals([1]), "step_size": Fraction(1)}, "named"),
)

D20B = Claim(
    id="D20.b",
    amends="D20",
    source=Source(DHERIN2022, "section 5, step 1, next sentence"),
    statement=r"|\theta' - \tilde\theta(h)| \le |\theta' - \theta(h)|,\quad \dot{\tilde\theta} = -\nabla \tilde "
    r"L(\tilde\theta),\ "
    r"\dot\theta = -\nabla L(\theta),\ \theta' = \theta_0 - h \nabla L(\theta_0)",
    form=Form.AT_MOST,
    symbols=(CURVATURES, START_WEIGHTS, STEP_SIZE_ON_MEAN),
    sides=_flow_sides,
    proof=proofs.d20b,
    reads=_reads_flow,
    finding=Finding.AS_PRINTED,
    note="Along an eigenvector the step is 1 - z, the flows e^(-z - z^2/2) and e^-z, z = h lambda: errors of order z^3 and "
    "z^2, "
    "and the first is never the larger, at any step size and curvature. The sides are the squares of the distances.",
    reading="Of one step, and of quadratic losses.",
    extremal=Instance({"curvatures": rationals([0]), "start": rationals([1]), "step_size": Fraction(1)}, "named"),
)

D21 = Claim(
    id="D21",
    source=Source(DHERIN2022, "section 5, step 3"),
    statement=r"A_B \ge 0,\ C_B \ge 0:\quad \nabla L_B = 0 \;\Rightarrow\; \nabla_\theta f^i(x) = 0\ \forall x, i",
    form=Form.IMPLICATION,
    symbols=(RESIDUALS, OUTPUT_GRADIENTS),
    assumptions=(Assumption("A_B >= 0 and C_B >= 0", lambda given: min(alignments(given)), lambda least: least >= 0),),
    sides=_pressure_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The norms come with the weights eps^2: where the residuals are 0, as at the zero training loss that figure 4's "
    "models "
    "have, both alignments are 0, the regulariser is at its least, and grad_theta f is free. With residuals of size e at "
    "least, "
    "the regulariser bounds e^2 times the norms (D21.a).",
    quote="SGD puts an implicit pressure on the gradient norms ..: the .. alignment terms must be small relative to the "
    "gradient norms, or positive valued",
    reading="Of the gradient norms themselves, as written, with alignments that are not negative: where there is a gradient, "
    "the regulariser is not at its least.",
    witness=Instance(
        {
            "residuals": rationals([[0]]),
            "output_gradients": rationals([[[1]]]),
            "gradients": rationals([[0]]),
            "step_size": Fraction(1),
            "batch_size": 1,
            "times": 1,
            "other_step_size": Fraction(1),
            "other_batch_size": 1,
        },
        "named",
    ),
    no_extremal="refuted",
)

D21A = Claim(
    id="D21.a",
    amends="D21",
    source=Source(HOUSE, "D21 with residuals"),
    statement=r"A_B + C_B \ge 0,\ e = \min_{x,i} |\epsilon_x^i|:\quad \frac{e^2}{B^2} \sum_{x,i} \|\nabla_\theta f^i(x)\|^2 "
    r"\le "
    r"\|\nabla L_B\|^2",
    form=Form.AT_MOST,
    symbols=(RESIDUALS, OUTPUT_GRADIENTS),
    assumptions=(Assumption("A_B + C_B >= 0", lambda given: sum(alignments(given)), lambda whole: whole >= 0),),
    sides=_least_sides,
    proof=proofs.d21a,
    reads=_reads_least,
    finding=Finding.OURS,
    note="The sum of the alignments is enough. Equality for one example and one output.",
    extremal=Instance({"residuals": rationals([[2]]), "output_gradients": rationals([[[3]]])}, "named"),
)

D21B = Claim(
    id="D21.b",
    amends="D21",
    source=Source(DHERIN2022, "section 5, after Theorem 5.1"),
    statement=r"\tfrac h4 \mathbb E_B \|\nabla L_B\|^2 = \tfrac{c h}4 \mathbb E_{cB} \|\nabla L_{cB}\|^2",
    form=Form.IDENTITY,
    symbols=(LOSS_GRADIENTS, STEP_SIZE_ON_MEAN, BATCH, STEP_MULTIPLE),
    assumptions=(_fits(),),
    sides=_ratio_sides,
    finding=Finding.FALSE,
    note="(h/4) E|grad L_B|^2 = (h/4)|grad L|^2 + (h/4)(n - B)/(B (n - 1)) tr Cov (B15): the first part goes as h, whatever B, "
    "and the second as h/B for small batches only; at B = n it is 0. Of eq 6 the first two terms go as h/B on average, and "
    "C_B's mean as h (1 - 1/B) (B15.a).",
    quote="the size of the regularization pressure on geometric complexity will depend on the implicit regularization rate h/B "
    "in Eqn. (6)",
    reading="Strained: of the whole regulariser, averaged over batches, and of h and B by h/B alone. That larger h or "
    "smaller B "
    "make it larger is D21.c, and stands.",
    witness=Instance(
        {"gradients": rationals([[1], [-1]]), "step_size": Fraction(1), "batch_size": 1, "times": 2}, "named"
    ),
    no_extremal="refuted",
)


def _orders() -> tuple[Assumption, Assumption]:
    return (
        Assumption(
            "h <= h'",
            lambda given: Fraction(given["other_step_size"]) - step_of(given),
            lambda more: more >= 0,
        ),
        Assumption(
            "B >= B'",
            lambda given: batch_size(given["batch_size"], len(given["gradients"])) - given["other_batch_size"],
            lambda more: more >= 0,
        ),
    )


D21C = Claim(
    id="D21.c",
    amends="D21",
    source=Source(DHERIN2022, "section 5, after Theorem 5.1, next sentence"),
    statement=r"h \le h',\ B \ge B':\quad \tfrac h4 \mathbb E_B \|\nabla L_B\|^2 \le \tfrac{h'}4 \mathbb E_{B'} \|\nabla "
    r"L_{B'}\|^2",
    form=Form.AT_MOST,
    symbols=(LOSS_GRADIENTS, STEP_SIZE_ON_MEAN, BATCH, OTHER_STEP_SIZE, OTHER_BATCH),
    assumptions=_orders(),
    sides=_both,
    proof=proofs.d21c,
    reads=_reads_both,
    finding=Finding.AS_PRINTED,
    note="On average over batches drawn without replacement, and at the same weights; what training does with it is Fig. 4.",
    reading="'Networks trained with larger learning rates or smaller batch sizes, or both', of the regulariser averaged over "
    "batches, at given weights.",
    extremal=Instance(
        {
            "gradients": rationals([[1], [-1]]),
            "step_size": Fraction(1),
            "batch_size": 1,
            "other_step_size": Fraction(1),
            "other_batch_size": 1,
        },
        "named",
    ),
)

CLAIMS = (D9, D9A, D9B, D19, D19A, D19B, D20, D20A, D20B, D21, D21A, D21B, D21C)
