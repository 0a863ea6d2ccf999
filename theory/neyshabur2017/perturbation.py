"""Neyshabur et al. 2017 on noise in the weights: conditions C1-C3, Lemmas 1-3 and Theorem 1 (N8, N15-N19), and N21."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, count, exact_vector, exact_vectors, nonnegative, positive, rationals, share
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, exponential, length, logarithm, square_root
from theory.layer_noise import centred, noisy_networks, second_moments, variances
from theory.neyshabur2017 import perturbation_proofs as proofs
from theory.neyshabur2017.perturbation_bounds import (
    NO_KINK,
    NOT_ZERO,
    activation_constant,
    activations,
    deviations,
    expected_sharpness_bound,
    fixed_pattern_bound,
    least_activation_constant,
    least_size,
    masked,
    part,
    patterns,
    pre_activations,
    product,
    squared_effects,
    squared_gammas,
    squared_interaction,
    squared_peak_constant,
)
from theory.relu_network import exact_layers, square
from theory.sources import NEYSHABUR2017, Source
from theory.symbols import LAYER_NOISES, LAYERS, NETWORK_INPUTS, POINT, Symbol, exact_stack

LEFT = Symbol("A", "A", "a matrix of rationals, [p, q]", exact_vectors)
RIGHT = Symbol("B", "B", "a matrix of rationals, [r, c]", exact_vectors)
NOISES = Symbol("noises", r"\nu", "equally likely noises, [m, q, r]", exact_stack)
SIGMA = Symbol("sigma", r"(\sigma_i)", "standard deviations of the noise on each layer's weights, [l]", deviations)


def _positive(name: str, value: Any) -> Fraction:
    return Fraction(positive(name, exact_vector(name, [value])[0]))


def _sharpness(name: str, value: Any) -> Fraction:
    return Fraction(nonnegative(name, exact_vector(name, [value])[0]))


def _confidence(name: str, value: Any) -> Fraction:
    """Return a probability above 0.

    Raises:
        ValueError: if it is not above 0 and at most 1.
    """
    return Fraction(share(name, positive(name, exact_vector(name, [value])[0])))


SIZE_LIMIT = Symbol("threshold", "t", "a size of pre-activations, above 0", _positive)
HIDDEN_LEVEL = Symbol("level", "k", "a hidden level, from 1 on", count)
SHIFT = Symbol("noise", r"(\nu_i)", "what is added to each weight matrix, rationals", exact_layers)
DATA_TARGETS = Symbol("targets", "(y_j)", "targets, one a row, [n, k]", exact_vectors)
LIPSCHITZ = Symbol("lipschitz", "C_L", "the Lipschitz constant of the loss, above 0", _positive)
RISK = Symbol("delta", r"\delta", "a probability, above 0 and at most 1", _confidence)
CONSTANT = Symbol("constant", "K", "the constant that O(.) stands for, above 0", _positive)
FIRST_WEIGHT = Symbol("steepness", "R", "a weight of the second layer, above 0", _positive)
WEIGHT = Symbol("weight", "w", "the weight of the one unit, above 0", _positive)
DEVIATION = Symbol("deviation", r"\sigma", "standard deviation of the noise on all weights, above 0", _positive)
DEPTH = Symbol("depth", "d", "number of layers", count)
LAYER_WIDTH = Symbol("width", "h", "units in each layer", count)
INTERACTION = Symbol("mu", r"\mu", "of C1, above 0 and at most 1", _confidence)
SCALE = Symbol("scale", r"\sigma", "C_delta d times each gamma_i, above 0", _positive)
TRAINING_COUNT = Symbol("samples", "m", "number of training examples", count)
TIMES_DEEPER = Symbol("times", "k", "how many times deeper", count)
FIRST_TERM = Symbol("sharpness", "S", "the first term of the bound, at least 0", _sharpness)
PERCEPTRON_LAYERS = Symbol("hidden_layers", "L", "number of hidden layers", count)


def _bit(name: str, value: Any) -> int:
    """Return 0 or 1.

    Raises:
        ValueError: if it is neither.
    """
    if value not in (0, 1):
        raise ValueError(f"{name} must be 0 or 1, got {value}")
    return int(value)


BIASED = Symbol("biases", "b", "1 for a network with biases, 0 for one without", _bit)
PERTURBED = (LAYERS, POINT, SIGMA)
"""A ReLU network without biases, a point, and the noise on its weights."""

HALF_NORMAL = Enclosure(
    Fraction(square_root(Fraction(2 * 113, 355)).lower), Fraction(square_root(Fraction(2 * 106, 333)).upper)
)
"""E|xi| = sqrt(2/pi) of a standard normal xi; pi is between 333/106 and 355/113."""


def squared_lengths(given: Instance) -> list[Fraction]:
    """Return ||A nu B||_F^2 of each noise."""
    return [square(given["A"] @ noise @ given["B"]) for noise in given["noises"]]


def _moment_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    squares, (_, moment) = squared_lengths(given), second_moments(given["noises"])
    return Enclosure.exactly(sum(squares, Fraction(0)) / len(squares)), Enclosure.exactly(
        moment * square(given["A"]) * square(given["B"])
    )


def _reads_moment(given: Instance) -> dict[str, Any]:
    first, second, noises = given["A"], given["B"], given["noises"]
    (rows, left), (right, columns) = first.shape, second.shape
    sizes = {"m": len(noises), "p": rows, "q": left, "r": right, "c": columns}
    return {**sizes, "A": first, "n": noises, "B": second, "s": second_moments(noises)[1]}


def _norm_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    squares, (_, moment) = squared_lengths(given), second_moments(given["noises"])
    mean = sum((square_root(value) for value in squares), Enclosure.exactly(Fraction(0)))
    return mean.times(Fraction(1, len(squares))), square_root(moment * square(given["A"]) * square(given["B"]))


def root(value: Fraction) -> sp.Expr:
    """Return the square root of a rational."""
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _reads_norm(given: Instance) -> dict[str, Any]:
    squares, (_, moment) = squared_lengths(given), second_moments(given["noises"])
    return {
        "m": len(squares),
        "y": [root(value) for value in squares],
        "s": root(moment),
        "a": root(square(given["A"])),
        "b": root(square(given["B"])),
    }


UNCORRELATED = Assumption(
    "E nu_kl nu_k'l' is sigma^2 for the same entry, else 0", lambda given: second_moments(given["noises"])[0], bool
)


def moments_of(given: Instance) -> list[Array]:
    """Return E f~^k f~^k^T for k = 0, .., d: f~ has normal noise on all weights and the patterns of f at the point."""
    found = [np.outer(given["point"], given["point"])]
    for on, matrix, s in zip(patterns(given["layers"], given["point"]), given["layers"], given["sigma"], strict=True):
        moved = matrix @ found[-1] @ matrix.T + s * s * np.trace(found[-1]) * np.eye(len(matrix), dtype=int)
        found.append(rationals(on[:, None] * moved * on[None, :]))
    return found


def outputs(given: Instance) -> Array:
    """Return f_w(x)."""
    return activations(given["layers"], given["point"])[-1]


def mean_square_change(given: Instance) -> Fraction:
    """Return E||f~ - f||^2, no unit switching: the mean of f~ is f."""
    return Fraction(np.trace(moments_of(given)[-1])) - square(outputs(given))


def mean_change(given: Instance) -> Enclosure:
    """Return E||f~ - f||, no unit switching, between sqrt(2/pi) times the largest effect of one layer and the root mean square.

    E||Z|| >= E||E(Z | nu_k)||, and a normal vector has E||Y|| >= sqrt(2/pi) (E||Y||^2)^(1/2), with equality in one dimension.
    """
    factors, before = (
        [given["point"], *masked(given["layers"], given["point"])],
        activations(given["layers"], given["point"]),
    )
    kept = [rationals(np.diag(on)) for on in patterns(given["layers"], given["point"])]
    effects = [
        s * s * square(part(factors, k + 1, len(factors) - 1) @ on) * square(h)
        for k, (s, on, h) in enumerate(zip(given["sigma"], kept, before, strict=False), 1)
    ]
    most = square_root(max(effects, default=Fraction(0)))
    lower = Fraction(HALF_NORMAL.lower) * Fraction(most.lower)
    return Enclosure(lower, Fraction(square_root(mean_square_change(given)).upper))


def gammas(given: Instance, *, single: bool = True, capped: bool = True, whole: bool = False) -> list[Fraction]:
    """Return the gamma_i^2, with the largest mu that C1 allows; see `squared_interaction` and `squared_gammas`."""
    layers, x = given["layers"], given["point"]
    return squared_gammas(
        layers, x, given["sigma"], squared_interaction(layers, x, single=single, capped=capped), whole=whole
    )


def growth(numbers: Sequence[Enclosure]) -> Enclosure:
    """Return prod (1 + g_i) - 1."""
    whole = product([number + Enclosure.exactly(Fraction(1)) for number in numbers])
    return whole + Enclosure.exactly(Fraction(-1))


def linear_bound(given: Instance, squares: Sequence[Fraction]) -> Enclosure:
    """Return (prod (1 + gamma_i) - 1) |f(x)|."""
    return product([growth([square_root(g) for g in squares]), square_root(square(outputs(given)))])


def squared_bound(given: Instance, squares: Sequence[Fraction]) -> Fraction:
    """Return (prod (1 + gamma_i^2) - 1) |f(x)|^2."""
    return (math.prod((1 + g for g in squares), start=Fraction(1)) - 1) * square(outputs(given))


def _lemma_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return mean_change(given), linear_bound(given, gammas(given, single=False))


def _linear_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    bound = linear_bound(given, gammas(given))
    return Enclosure.exactly(mean_square_change(given)), product([bound, bound])


def _squared_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(mean_square_change(given)), Enclosure.exactly(squared_bound(given, gammas(given)))


def _reads_growth(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of N15.a and N15.b are; see `perturbation_proofs._growth`."""
    layers, x, moments = given["layers"], given["point"], moments_of(given)
    factors, sizes = [x, *masked(layers, x)], [square(h) for h in activations(layers, x)]
    ratios, reached, old, added = [Fraction(1)], [], [], []

    def seen(k: int, b: int) -> Fraction:
        above = part(factors, k + 1, b) if b > k else rationals(np.eye(len(moments[k]), dtype=int))
        return Fraction(np.trace(above @ moments[k] @ above.T))

    for k in range(1, len(factors)):
        found = {b: seen(k, b) / sizes[b] for b in range(k, len(factors))}
        best = max(found, key=lambda b: found[b])
        ratios.append(found[best])
        reached.append(sizes[best])
        old.append(seen(k - 1, best))
        added.append(seen(k, best) - old[-1])
    squares = gammas(given)
    return {
        "m": len(layers),
        "c": squares,
        "g": [root(value) for value in squares],
        "r": ratios,
        "F": reached,
        "o": old,
        "y": added,
        "E": mean_square_change(given),
        "f": sizes[-1],
    }


def network(*matrices: Any, point: Any, sigma: Any) -> Instance:
    """Return a network, a point and standard deviations."""
    layers = tuple(rationals(matrix) for matrix in matrices)
    return Instance({"layers": layers, "point": rationals(point), "sigma": rationals(sigma)}, "named")


SIGNALS = Assumption.that(NOT_ZERO, outputs)

N15 = Claim(
    id="N15",
    source=Source(NEYSHABUR2017, "Lemma 1"),
    statement=r"\mathbb E\big\|(W + \nu)_d \prod_{i=1}^{d-1} D_i (W + \nu)_i\, x - W_d \prod_{i=1}^{d-1} D_i W_i\, x\big\|_F "
    r"\le "
    r"\Big(\prod_{i=1}^d \Big(1 + \frac{\sigma_i \sqrt{h_i h_{i-1}}}{\mu^2 \|D_i W_i\|_F}\Big) - 1\Big) \|f_w(x)\|_F",
    form=Form.AT_MOST,
    symbols=PERTURBED,
    assumptions=(SIGNALS,),
    sides=_lemma_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="For noise in the first layer the proof needs ||D_1 W_1 x|| against ||D_1 W_1||_F |x|, of which C1 with a < c says "
    "nothing: x may be all but orthogonal to W_1. Figure 6 has a <= c <= b - 1, and with that, and mu at most 1, the lemma "
    "holds (N15.a). C1 itself allows a mu up to the root of the least width, for aligned layers of rank one, and there the "
    "lemma fails too. The induction step applies C1 to products with noise in them, of which it says nothing: N15.b has "
    "another proof.",
    quote="for all 0 <= a < c < b <= d",
    reading="C1 with these indices and the largest mu that it allows, 1 if that is more; D_i is the pattern at x, D_d the "
    "identity. The left side is known between two bounds.",
    witness=network([[1, 7]], [[10]], point=[1, 0], sigma=[1, 1]),
    no_extremal="refuted",
)

N15A = Claim(
    id="N15.a",
    amends="N15",
    source=Source(NEYSHABUR2017, "Lemma 1, repaired"),
    statement=r"\mathbb E\|\cdot\|_F^2 \le \Big(\prod_{i=1}^d (1 + \gamma_i) - 1\Big)^2 \|f_w(x)\|^2,\ "
    r"\gamma_i = \frac{\sigma_i \sqrt{h_i h_{i-1}}}{\mu^2 \|D_i W_i\|_F},\ \mu \le 1,\ 0 \le a \le c < b \le d \text{ in C1}",
    form=Form.AT_MOST,
    symbols=PERTURBED,
    assumptions=(SIGNALS,),
    sides=_linear_sides,
    proof=proofs.n15a,
    reads=_reads_growth,
    finding=Finding.OURS,
    note="Of the second moment, which is at least the square of the first that Lemma 1 is about. Noise on the weights "
    "alone, the pattern that of f at x. A smaller mu than the largest makes the right side larger.",
    extremal=network([[2]], point=[3], sigma=[1]),
)

N15B = Claim(
    id="N15.b",
    amends="N15",
    source=Source(NEYSHABUR2017, "Lemma 1, sharpened"),
    statement=r"\mathbb E\|\cdot\|_F^2 \le \Big(\prod_{i=1}^d (1 + \gamma_i^2) - 1\Big) \|f_w(x)\|^2",
    form=Form.AT_MOST,
    symbols=PERTURBED,
    assumptions=(SIGNALS,),
    sides=_squared_sides,
    bound=fixed_pattern_bound,
    bound_on=lambda given: fixed_pattern_bound(given["layers"], given["point"], given["sigma"]),
    proof=proofs.n15b,
    reads=_reads_growth,
    finding=Finding.OURS,
    note="gamma_i and mu as in N15.a. The terms of the printed expansion are uncorrelated, so that their squares add and "
    "not their norms: for equal small gamma_i the first moment grows as the root of the depth.",
    extremal=network([[2]], [[3]], point=[1], sigma=[1, 2]),
)

N17 = Claim(
    id="N17",
    source=Source(NEYSHABUR2017, "Lemma 3"),
    statement=r"\mathbb E\|A \nu B\|_F \le \sigma \|A\|_F \|B\|_F",
    form=Form.AT_MOST,
    symbols=(LEFT, RIGHT, NOISES),
    assumptions=(UNCORRELATED,),
    sides=_norm_sides,
    proof=proofs.n17,
    reads=_reads_norm,
    finding=Finding.AS_PRINTED,
    note="Of normal noise the proof uses the second moments alone, so any others with these will do. The printed line that "
    "squares a sum over k and l and adds over i and j is right: the cross terms have mean 0.",
    reading="sigma in N(0, sigma) is the standard deviation, as the proof has it; for the variance the lemma would fail. "
    "The sides are of finitely many equally likely noises, the proof of any noise with these second moments.",
    extremal=Instance({"A": rationals([[2]]), "B": rationals([[3]]), "noises": rationals([[[1]], [[-1]]])}, "named"),
)

N17A = Claim(
    id="N17.a",
    amends="N17",
    source=Source(NEYSHABUR2017, "Lemma 3, second moment"),
    statement=r"\mathbb E\|A \nu B\|_F^2 = \sigma^2 \|A\|_F^2 \|B\|_F^2",
    form=Form.IDENTITY,
    symbols=(LEFT, RIGHT, NOISES),
    assumptions=(UNCORRELATED,),
    sides=_moment_sides,
    proof=proofs.n17a,
    reads=_reads_moment,
    finding=Finding.OURS,
    note="What the proof of Lemma 3 shows before Jensen's inequality.",
    extremal=Instance(
        {
            "A": rationals([[1, 2]]),
            "B": rationals([[1]]),
            "noises": rationals([[[1], [1]], [[1], [-1]]]),
        },
        "named",
    ),
)


def _smallest(given: Instance) -> Fraction:
    return least_size(pre_activations(given["layers"], given["point"]))


KINKS = Assumption.that(NO_KINK, _smallest)


def _printed_condition_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    hidden = pre_activations(given["layers"], given["point"])
    return Enclosure.exactly(True), Enclosure.exactly(all(value > 0 for z in hidden for value in z))


def small_shares(given: Instance) -> list[tuple[int, int, Fraction]]:
    """Return of each hidden level how many units have sizes up to the threshold, of how many, and the largest such."""
    found = []
    for z in pre_activations(given["layers"], given["point"]):
        below = [abs(value) for value in z if abs(value) <= given["threshold"]]
        found.append((len(below), len(z), max(below, default=Fraction(0))))
    return found


def largest_share(given: Instance) -> tuple[int, int, Fraction]:
    """Return the same of the level where the share is largest; of no hidden level, one unit and none of them."""
    return max(small_shares(given), key=lambda found: Fraction(found[0], found[1]), default=(0, 1, Fraction(0)))


def condition_constant(given: Instance) -> Fraction:
    """Return the least C_2, of absolute values."""
    return least_activation_constant(given["layers"], given["point"])


def _condition_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    below, width, _ = largest_share(given)
    return Enclosure.exactly(Fraction(below, width)), Enclosure.exactly(condition_constant(given) * given["threshold"])


def _reads_condition(given: Instance) -> dict[str, Any]:
    below, width, size = largest_share(given)
    return {"j": below, "h": width, "y": size, "c": condition_constant(given), "t": given["threshold"]}


N8 = Claim(
    id="N8",
    source=Source(NEYSHABUR2017, "Section 4, condition C2"),
    statement=r"\exists C_2\ \forall k, \delta > 0:\quad \tfrac1{h_k} \sum_{i \in [h_k]} "
    r"1_{W_{k,i} \prod_{j=1}^{k-1} D_j W_j x \le \delta} \le C_2\, \delta",
    form=Form.IMPLICATION,
    symbols=(LAYERS, POINT),
    assumptions=(KINKS,),
    sides=_printed_condition_sides,
    finding=Finding.FALSE,
    note="An inactive unit is given a number below 0, which is below every delta: without an absolute value no network with "
    "one meets C2. That is a slip: the proof of Lemma 2 bounds |<w, x>|, and Figures 5 and 7 are of units that flip; with "
    "sizes a constant exists where no unit is given 0 exactly, and N8.a has the least. delta is also the probability of "
    "Theorem 1, which it cannot be here. C1 is in N15, and the bounds that rest on the conditions are N15 to N18.",
    quote="Given x, for any level k, 1/h_k sum_i 1(W_k,i Pi D_j W_j x <= delta) <= C_2 delta",
    reading="Of each hidden level, and of every delta > 0 with one C_2; the left side of the implication is true, the right "
    "side whether there is a C_2.",
    witness=Instance(
        {"layers": (rationals([[-1]]), rationals([[1]])), "point": rationals([1]), "threshold": 1}, "named"
    ),
    no_extremal="refuted",
)

N8A = Claim(
    id="N8.a",
    amends="N8",
    source=Source(NEYSHABUR2017, "Section 4, condition C2, repaired"),
    statement=r"C_2 = \max_{k, j} \frac{j}{h_k |z_k|_{(j)}}:\quad \max_k \tfrac1{h_k} \#\{i: |z_{k,i}| \le t\} \le C_2\, t",
    form=Form.AT_MOST,
    symbols=(LAYERS, POINT, SIZE_LIMIT),
    assumptions=(KINKS,),
    sides=_condition_sides,
    bound=activation_constant,
    bound_on=lambda given: activation_constant(given["layers"], given["point"]) * float(given["threshold"]),
    proof=proofs.n8a,
    reads=_reads_condition,
    finding=Finding.OURS,
    note="z_k are the pre-activations of level k, |z_k|_(j) the j-th smallest of their sizes. Equality at the threshold "
    "where the maximum is taken, so that no smaller constant will do. It is of one point: a constant for all data is the "
    "largest. Weights c times as large in one layer change it, and the function's pattern not.",
    extremal=Instance(
        {"layers": (rationals([[2]]), rationals([[1]])), "point": rationals([1]), "threshold": Fraction(2)}, "named"
    ),
)


def shifted_levels(given: Instance) -> tuple[Array, Array, Array, Array]:
    """Return what the units of the level are given, and are after the shift, and the sizes of both parts of the difference.

    Raises:
        ValueError: if there is no such hidden level, or the shift does not fit.
    """
    layers, noise, level = given["layers"], given["noise"], given["level"]
    if [m.shape for m in layers] != [m.shape for m in noise]:
        raise ValueError("noise must have the shapes of the layers")
    if level >= len(layers):
        raise ValueError(f"level must be a hidden level, at most {len(layers) - 1}, got {level}")
    moved = activations(tuple(m + n for m, n in zip(layers, noise, strict=True)), given["point"])[level - 1]
    still = activations(layers, given["point"])[level - 1]
    matrix, own = layers[level - 1], noise[level - 1] @ moved
    return matrix @ still, matrix @ moved + own, abs(own), abs(matrix @ (moved - still))


def switched(given: Instance) -> list[int]:
    """Return of each unit of the level whether it switches, 0 or 1."""
    before, after, _, _ = shifted_levels(given)
    return [int((z > 0) != (moved > 0)) for z, moved in zip(before, after, strict=True)]


def _switching_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    before, _, own, other = shifted_levels(given)
    return Enclosure.exactly(Fraction(sum(switched(given)))), Enclosure.exactly(
        condition_constant(given) * len(before) * max(own + other)
    )


def _reads_switching(given: Instance) -> dict[str, Any]:
    before, _, own, other = shifted_levels(given)
    most = max(own + other)
    small = [int(abs(z) <= most) for z in before]
    return {
        "m": len(before),
        "Q": switched(given),
        "J": small,
        "z": list(before),
        "t": most,
        "c": condition_constant(given),
        "h": len(before),
        "y": max((abs(z) for z, flag in zip(before, small, strict=True) if flag), default=Fraction(0)),
    }


def confidence_root(sizes: int, delta: Fraction) -> Enclosure:
    """Return C_delta = 2 sqrt(ln(d h/delta))."""
    return logarithm(sizes / delta).root().times(Fraction(2))


def half_mean(ratio: Enclosure) -> Enclosure:
    """Return E(xi - t)_+ of a standard normal xi and t >= 0: convex, of slope -1/2 at 0, and at most the density at t."""
    lower = Fraction(HALF_NORMAL.lower) / 2 - Fraction(ratio.upper) / 2
    upper = Fraction(HALF_NORMAL.upper) / 2 * Fraction(exponential(-(Fraction(ratio.lower) ** 2) / 2).upper)
    return Enclosure(max(lower, Fraction(0)), upper)


def steep_network(given: Instance) -> tuple[tuple[Array, ...], Array]:
    """Return W_1 = (1, 1)^T, W_2 = (R, 1 - R), W_3 = 1, and x = 1: all pre-activations are 1."""
    steepness = given["steepness"]
    return (rationals([[1], [1]]), rationals([[steepness, 1 - steepness]]), rationals([[1]])), rationals([1])


def _steep_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    layers, x = steep_network(given)
    deviation, steepness = given["deviation"], given["steepness"]
    reach = product([confidence_root(3 * 2, given["delta"]), square_root(square(activations(layers, x)[1]))])
    limit = reach.times(given["constant"] * least_activation_constant(layers, x) * deviation)
    whole = squared_effects(layers[:2], x, [deviation**2] * 2)[-1]
    ratio = square_root(1 / (deviation**2 * (steepness**2 + (1 - steepness) ** 2)))
    least = (Fraction(1, 2) - Fraction(HALF_NORMAL.upper) / 2 * Fraction(ratio.upper)) / 2
    lower = max(least, Fraction(0)) if limit.upper < 1 else Fraction(0)
    upper = min(Fraction(whole.upper), Fraction(1)) if limit.lower < 1 else Fraction(0)
    return Enclosure(lower, upper), Enclosure.exactly(given["delta"])


def _error_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    weight, deviation = given["weight"], given["deviation"]
    one = Fraction(1)
    gamma, spread = deviation / weight, confidence_root(2, given["delta"])
    bound = spread.times(given["constant"] * (one + gamma / weight) * gamma)
    return half_mean(Enclosure.exactly(weight / deviation)).times(deviation), bound


N16 = Claim(
    id="N16",
    source=Source(NEYSHABUR2017, "Lemma 2, first line"),
    statement=r"\Pr\big(\|\hat D_k - D_k\|_1 > K\, C_2 h_k C_\delta \sigma_k \|f_w^{k-1}\|\big) \le \delta",
    form=Form.AT_MOST,
    symbols=(FIRST_WEIGHT, DEVIATION, RISK, CONSTANT),
    sides=_steep_sides,
    finding=Finding.FALSE,
    note="Noise of the layers below moves f^(k-1), and a unit with large weights follows: its share is ||W_k,i|| |f~ - f|, "
    "of first order in sigma as the share of its own noise is. The proof has this term, calls it O(sigma^2), and drops it. "
    "For every K it fails, at sigma = 1/(6 K) and R = 20 K, so no constant in O(.) helps; read for one network and sigma to "
    "0 it says nothing, as then no unit switches. C1 to C3 hold there, with mu of the order 1/R and C_2 = C_3 = 1; mu, "
    "which the second line has, is not in this one. Plainer still, without noise in layer k itself the right side is 0, and "
    "units of the layer switch all the same. N16.a keeps the term.",
    quote="Now we will show that the last two terms in the above expression scale as O(sigma^2)",
    reading="O(.) as a constant K for all networks, C2 with absolute values. The sides are of k = 2 and the network x = 1, "
    "W_1 = (1, 1)^T, W_2 = (R, 1 - R), W_3 = 1, all pre-activations of which are 1.",
    witness=Instance(
        {
            "steepness": Fraction(20),
            "deviation": Fraction(1, 6),
            "delta": Fraction(1, 10),
            "constant": Fraction(1),
            "weight": Fraction(1),
            "layers": (rationals([[1], [1]]), rationals([[20, -19]]), rationals([[1]])),
            "point": rationals([1]),
            "noise": (rationals([["-1/6"], ["1/6"]]), rationals([[0, 0]]), rationals([[0]])),
            "level": 2,
        },
        "named",
    ),
    no_extremal="refuted",
)

N16A = Claim(
    id="N16.a",
    amends="N16",
    source=Source(NEYSHABUR2017, "Lemma 2, first line, repaired"),
    statement=r"\|\hat D_k - D_k\|_1 \le C_2 h_k \max_i \big(|\langle \nu_{k,i}, f_{w+\nu}^{k-1}\rangle| + "
    r"|\langle W_{k,i}, f_{w+\nu}^{k-1} - f_w^{k-1}\rangle|\big)",
    form=Form.AT_MOST,
    symbols=(LAYERS, POINT, SHIFT, HIDDEN_LEVEL),
    assumptions=(KINKS,),
    sides=_switching_sides,
    proof=proofs.n16a,
    reads=_reads_switching,
    finding=Finding.OURS,
    note="For every perturbation, random or not. With probability 1 - delta no first part is above sigma_k C_delta "
    "|f_(w+nu)^(k-1)|, by a union over the d h units; sqrt(2 ln(d h/delta)) for C_delta would do.",
    extremal=Instance(
        {
            "layers": (rationals([[2]]), rationals([[1]])),
            "point": rationals([1]),
            "noise": (rationals([[-2]]), rationals([[0]])),
            "level": 1,
        },
        "named",
    ),
)

N16B = Claim(
    id="N16.b",
    amends="N16",
    source=Source(NEYSHABUR2017, "Lemma 2, second line"),
    statement=r"\mathbb E\|\mathrm{Err}_k\|_F \le K \prod_{i=1}^k (1 + \gamma_i C_2 C_3) "
    r"\Big(\prod_{i=1}^k (1 + \gamma_i C_\delta C_2) - 1\Big) \|f_w^k\|_F",
    form=Form.AT_MOST,
    symbols=(WEIGHT, DEVIATION, RISK, CONSTANT),
    sides=_error_sides,
    finding=Finding.FALSE,
    note="Weights and noise of the first layer c times as large make the left side c times as large; the gamma_i stay, and "
    "C_2 becomes c times smaller, so that the right side stays bounded: no K will do. In the base case of the proof a "
    "factor C_delta is lost besides: a unit that switches is within sigma_1 C_delta of 0, not sigma_1. The left side is an "
    "expectation over the noise, of which 'with probability' over the noise says nothing. What holds without conditions is "
    "B17.",
    quote="with probability >= 1 - delta, for all 1 <= k <= d",
    reading="O(.) as a constant K for all networks, C2 with absolute values. The sides are of k = 1, x = 1 and one unit of "
    "weight w, with another layer behind it.",
    witness=Instance(
        {"weight": Fraction(20), "deviation": Fraction(80), "delta": Fraction(1, 10), "constant": Fraction(1)}, "named"
    ),
    no_extremal="refuted",
)


def least_change(given: Instance) -> Enclosure:
    """Return E|f_(w+nu)(x) - f_w(x)| of a network with one hidden layer, from below; of others 0.

    Only the noise of the first layer counts, E|Z| >= E|E(Z | nu_1)|, and then X = sum_j v_j delta_j of independent delta_j.
    Either |E X|: a unit that is given z moves on average by s E(xi - |z|/s)_+ = s m. Or E|X - E X|/2, which is at least
    |v_j| E|delta_j - s m|/2 = |v_j| E(delta_j - s m)_+ for each unit, and delta_j >= s xi for an active one.
    """
    layers, x, sigma = given["layers"], given["point"], given["sigma"]
    zero = Enclosure.exactly(Fraction(0))
    deviation = square_root(sigma[0] ** 2 * square(x))
    if len(layers) != 2 or not deviation.lower:
        return zero
    before = layers[0] @ x
    ratios = [Enclosure(abs(z) / Fraction(deviation.upper), abs(z) / Fraction(deviation.lower)) for z in before]
    means = [half_mean(ratio) for ratio in ratios]
    found = [
        Fraction(square_root(square(column)).lower) * Fraction(half_mean(mean).lower)
        for z, mean, column in zip(before, means, layers[1].T, strict=True)
        if z > 0
    ]
    total = Fraction(0)
    for row in layers[1]:
        parts = [mean.times(abs(v)) if v >= 0 else -mean.times(abs(v)) for v, mean in zip(row, means, strict=True)]
        whole = sum(parts, zero)
        total += max(Fraction(whole.lower), -Fraction(whole.upper), Fraction(0)) ** 2
    most = max([*found, Fraction(square_root(total).lower)])
    return Enclosure.exactly(most * Fraction(deviation.lower))


def theorem_bound(given: Instance, *, whole: bool = True) -> Enclosure:
    """Return K times the first term of Theorem 1 at one datum, C_L = 1, with the least C_2 and C_3 and the largest mu.

    Args:
        given: the network, the point, the standard deviations, delta and K.
        whole: whether gamma_i has ||W_i||_F, as the theorem prints it, or ||D_i W_i||_F.
    """
    layers, x = given["layers"], given["point"]
    gamma = [square_root(g) for g in gammas(given, whole=whole)]
    switching, peak = least_activation_constant(layers, x), square_root(squared_peak_constant(layers, x))
    spread = confidence_root(len(layers) * max(len(matrix) for matrix in layers), given["delta"])
    one = Enclosure.exactly(Fraction(1))
    grown = product([product([g, peak]).times(switching) + one for g in gamma])
    both = growth(gamma) + product([grown, growth([product([g, spread]).times(switching) for g in gamma])])
    return product([both, square_root(square(outputs(given)))]).times(given["constant"])


def _theorem_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    most = squared_effects(given["layers"], given["point"], list(given["sigma"] ** 2))[-1].root()
    return Enclosure(Fraction(least_change(given).lower), Fraction(most.upper)), theorem_bound(given)


def quiet_unit(given: Instance) -> Instance:
    """Return W_1 = (1, 1)^T, W_2 of the rows (1/2, 1/2) and (R, -R - 1), W_3 = (1, 1), x = 1, and noise on all weights.

    The pre-activations are 1, 1 and 1, -1: the unit of large weights is inactive, and the output is 1.
    """
    steepness, half = given["steepness"], Fraction(1, 2)
    layers = (rationals([[1], [1]]), rationals([[half, half], [steepness, -steepness - 1]]), rationals([[1, 1]]))
    return given.but(layers=layers, point=rationals([1]), sigma=rationals([given["deviation"]] * 3))


def _proof_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return both sides of N18.b.

    E|f~ - f| >= E f~ - 1, where the noise of W_3 has mean 0. By Jensen the active unit of the second layer gives 1 on average
    or more, and the other E[R h_1 - (R + 1) h_2]_+ or more, h = [1 + nu_1]_+. With 1 + nu_1 for h that is
    s E(xi - 1/s)_+, s = sigma |(R, R + 1)|, and the ReLU adds (R + 1) sigma E(xi - 1/sigma)_+ to (R + 1) h_2 at most.
    """
    of, deviation, steepness = quiet_unit(given), given["deviation"], given["steepness"]
    spread = square_root(deviation**2 * (steepness**2 + (steepness + 1) ** 2))
    gained = half_mean(Enclosure(1 / Fraction(spread.upper), 1 / Fraction(spread.lower)))
    lost = half_mean(Enclosure.exactly(1 / deviation))
    lower = Fraction(spread.lower) * Fraction(gained.lower) - (steepness + 1) * deviation * Fraction(lost.upper)
    upper = squared_effects(of["layers"], of["point"], [deviation**2] * 3)[-1].root()
    return Enclosure(max(lower, Fraction(0)), Fraction(upper.upper)), theorem_bound(of, whole=False)


CENTRED = Assumption(
    "the noise has mean 0 and uncorrelated entries of variance s_i^2",
    lambda given: centred(given["layer_noises"]),
    bool,
)


def _loss(layers: tuple[Array, ...], given: Instance) -> Enclosure:
    """Return the mean over the data of C_L |f(x) - y|.

    Raises:
        ValueError: if the targets do not fit.
    """
    if given["targets"].shape != (len(given["inputs"]), len(layers[-1])):
        raise ValueError(f"targets must be [n, {len(layers[-1])}], got shape {given['targets'].shape}")
    total = Enclosure.exactly(Fraction(0))
    for x, y in zip(given["inputs"], given["targets"], strict=True):
        total = total + length(activations(layers, x)[-1] - y)
    return total.times(given["lipschitz"] / len(given["inputs"]))


def change_of_loss(given: Instance) -> Enclosure:
    """Return E|L(f_(w+nu)) - L(f_w)|."""
    plain, total = _loss(given["layers"], given), Enclosure.exactly(Fraction(0))
    networks = noisy_networks(given["layers"], given["layer_noises"])
    for layers in networks:
        change = _loss(layers, given) + -plain
        sizes = sorted((abs(Fraction(change.lower)), abs(Fraction(change.upper))))
        total = total + Enclosure(sizes[0] if change.lower * change.upper > 0 else Fraction(0), sizes[1])
    return total.times(Fraction(1, len(networks)))


def mean_effect(given: Instance) -> Enclosure:
    """Return the mean of a_d over the data."""
    moments, total = variances(given["layer_noises"]), Enclosure.exactly(Fraction(0))
    for x in given["inputs"]:
        total = total + squared_effects(given["layers"], x, moments)[-1].root()
    return total.times(Fraction(1, len(given["inputs"])))


def _sharpness_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return change_of_loss(given), mean_effect(given).times(given["lipschitz"])


def _reads_sharpness(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N18.a's proof are, those of one datum at the first."""
    networks, inputs = noisy_networks(given["layers"], given["layer_noises"]), given["inputs"]
    changes = [
        [root(square(activations(layers, x)[-1] - activations(given["layers"], x)[-1])) for layers in networks]
        for x in inputs
    ]
    moments = variances(given["layer_noises"])
    return {
        "N": len(inputs),
        "C": given["lipschitz"],
        "Y": Fraction(change_of_loss(given).lower),
        "e": [sum(row, sp.Integer(0)) / len(row) for row in changes],
        "A": [Fraction(squared_effects(given["layers"], x, moments)[-1].root().upper) for x in inputs],
    }


def _std(given: Instance) -> list[Fraction]:
    return [Fraction(square_root(variance).upper) for variance in variances(given["layer_noises"])]


N18 = Claim(
    id="N18",
    source=Source(NEYSHABUR2017, "Theorem 1"),
    statement=r"\mathbb E\|f_{w+\nu}(x) - f_w(x)\| \le K \Big[\prod_i (1 + \gamma_i) - 1 + \prod_i (1 + \gamma_i C_2 C_3) "
    r"\Big(\prod_i (1 + \gamma_i C_\delta C_2) - 1\Big)\Big] \|f_w(x)\|,\ "
    r"\gamma_i = \frac{\sigma_i \sqrt{h_i h_{i-1}}}{\mu^2 \|W_i\|_F}",
    form=Form.AT_MOST,
    symbols=(*PERTURBED, RISK, CONSTANT),
    assumptions=(SIGNALS, KINKS),
    sides=_theorem_sides,
    finding=Finding.FALSE,
    note="Lemmas 1 and 2, and the end of the theorem's proof, have ||D_i W_i||_F in gamma_i, the theorem ||W_i||_F, which is "
    "larger: large weights into inactive units make the bound small, and what noise does to the active ones stays. So it "
    "fails for small noise, with no unit switching, and for every K: with 100 K for 100 and 1000 K for 1000 in the witness. "
    "C3 gives ||W_i||_F <= C_3 ||D_i W_i||_F, a factor that the first product has not. With ||D_i W_i||_F it fails too "
    "(N18.b), as Lemma 2 does (N16, N16.b). The last term, with ||W_i||^2/sigma_i^2 for KL, has lost the factor 4 of (8); for "
    "a loss in [0, 1] and sigma_i that are fixed beforehand it is right all the same, by B19.a. What holds of sharpness "
    "without conditions is N18.a.",
    quote="Then, under the conditions C1, C2, C3, with probability >= 1 - delta",
    reading="Of its first term: data at one point, the loss |f - f_w(x)| (clipped high up, if it must be bounded), so that "
    "C_L = 1, and m so large that the other term is 0. O(.) is a constant K for all networks; C1 as in N15.a, C2 with "
    "absolute values.",
    witness=network([[1, 0], [-1, 1000]], [[100, 0]], point=[1, 0], sigma=[Fraction(1, 100), Fraction(1, 100)]).but(
        delta=Fraction(1, 10),
        constant=Fraction(1),
        inputs=rationals([[1, 0]]),
        targets=rationals([[100]]),
        lipschitz=Fraction(1),
        layer_noises=(rationals([[[1, 1], [1, 1]]]) * 0, rationals([[[1, 1]], [[1, -1]], [[-1, 1]], [[-1, -1]]]) / 100),
        steepness=Fraction(1),
        deviation=Fraction(1, 10),
    ),
    no_extremal="refuted",
)

N18A = Claim(
    id="N18.a",
    amends="N18",
    source=Source(NEYSHABUR2017, "Theorem 1, its expected sharpness without conditions"),
    statement=r"a_0 = 0,\ a_i^2 = \|W_i\|_2^2 a_{i-1}^2 + s_i^2 h_i (|f^{i-1}(x)| + a_{i-1})^2:\quad "
    r"\mathbb E|\hat L(f_{w+\nu}) - \hat L(f_w)| \le \tfrac{C_L}{n} \sum_x a_d(x)",
    form=Form.AT_MOST,
    symbols=(LAYERS, NETWORK_INPUTS, DATA_TARGETS, LAYER_NOISES, LIPSCHITZ),
    assumptions=(CENTRED,),
    sides=_sharpness_sides,
    bound=expected_sharpness_bound,
    bound_on=lambda given: expected_sharpness_bound(given["layers"], given["inputs"], _std(given), given["lipschitz"]),
    proof=proofs.n18a,
    reads=_reads_sharpness,
    finding=Finding.OURS,
    note="No condition on the network, units may switch, and it grows with the depth as prod ||W_i||_2. In the place of the "
    "first term of Theorem 1 it leaves the PAC-Bayes theorem to show the other. The sides are of the loss C_L |f - y| and "
    "of finitely many equally likely noises; normal noise is among what the proof is about.",
    extremal=Instance(
        {
            "layers": (rationals([[2]]),),
            "inputs": rationals([[3]]),
            "targets": rationals([[6]]),
            "layer_noises": (rationals([[[1]], [[-1]]]),),
            "lipschitz": Fraction(1),
        },
        "named",
    ),
)

N18B = Claim(
    id="N18.b",
    amends="N18",
    source=Source(NEYSHABUR2017, "Theorem 1, with the gamma_i of its proof"),
    statement=r"\mathbb E\|f_{w+\nu}(x) - f_w(x)\| \le K \Big[\prod_i (1 + \gamma_i) - 1 + \prod_i (1 + \gamma_i C_2 C_3) "
    r"\Big(\prod_i (1 + \gamma_i C_\delta C_2) - 1\Big)\Big] \|f_w(x)\|,\ "
    r"\gamma_i = \frac{\sigma_i \sqrt{h_i h_{i-1}}}{\mu^2 \|D_i W_i\|_F}",
    form=Form.AT_MOST,
    symbols=(FIRST_WEIGHT, DEVIATION, RISK, CONSTANT),
    sides=_proof_sides,
    finding=Finding.FALSE,
    note="The inactive unit of the network is given R nu_1 - (R + 1) nu_2 more, of the size R sigma; where that is about 2 it "
    "switches, and adds to the output what does not go to 0 with sigma. C_3 is of the order R, and so gamma_i C_2 C_3 stays "
    "as it is, but the factor beside it goes as sigma. mu and C_2 are 1. So for every K it fails: at sigma = 1/(100000 K) and "
    "R = 200000 K.",
    quote="Here gamma_i = sigma_i sqrt(h_i) sqrt(h_(i-1)) / (mu^2 ||D_i W_i||_F)",
    reading="As N18, with the gamma_i of both lemmas and of the last line of the proof. The sides are of the network x = 1, "
    "W_1 = (1, 1)^T, W_2 = (1/2, 1/2; R, -R - 1), W_3 = (1, 1), noise of one sigma on all weights.",
    witness=Instance(
        {
            "steepness": Fraction(200_000),
            "deviation": Fraction(1, 100_000),
            "delta": Fraction(1, 10),
            "constant": Fraction(1),
        },
        "named",
    ),
    no_extremal="refuted",
)

GROWTH = (DEPTH, LAYER_WIDTH, INTERACTION, SCALE, TRAINING_COUNT, RISK, TIMES_DEEPER, FIRST_TERM)
"""What the second bound of section 4 depends on, widths being equal, and how many times deeper another network is."""


def second_term(given: Instance, depth: int) -> Enclosure:
    """Return m times the square of the second term of the simplified bound."""
    whole = Fraction(depth) ** 3 * given["width"] ** 2 / (given["mu"] ** 4 * given["scale"] ** 2)
    return Enclosure.exactly(whole) + logarithm(2 * given["samples"] / given["delta"])


def simplified(given: Instance, depth: int) -> Enclosure:
    """Return the simplified bound on the generalization error, whose first term does not depend on the depth."""
    root_of = second_term(given, depth).times(Fraction(1, given["samples"])).root()
    return root_of + Enclosure.exactly(given["sharpness"])


def _deeper(given: Instance, factor: Enclosure) -> tuple[Enclosure, Enclosure]:
    deep, shallow = (simplified(given, given["depth"] * k) for k in (given["times"], 1))
    return deep, product([factor, shallow])


def _depth_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return _deeper(given, Enclosure.exactly(Fraction(given["times"])))


def depth_power(given: Instance, power: int) -> Enclosure:
    """Return k^(power/2)."""
    return square_root(Fraction(given["times"]) ** power)


def _power_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return _deeper(given, depth_power(given, 3))


def _reads_depth(given: Instance) -> dict[str, Any]:
    rest = Fraction(logarithm(2 * given["samples"] / given["delta"]).midpoint) / given["samples"]
    whole = (
        Fraction(given["depth"]) ** 3
        * given["width"] ** 2
        / (given["mu"] ** 4 * given["scale"] ** 2 * given["samples"])
    )
    return {
        "k": given["times"],
        "q": root(Fraction(given["times"]) ** 3),
        "T": root(whole + rest),
        "U": root(given["times"] ** 3 * whole + rest),
        "a": whole,
        "l": rest,
        "S": given["sharpness"],
    }


def _simplified_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    depth, width = given["depth"], given["width"]
    printed = Fraction(depth) ** 3 * width**2 / (given["mu"] ** 4 * given["scale"] ** 2)
    spread = confidence_root(depth * width, given["delta"])
    return product([spread, spread]).times(printed), Enclosure.exactly(printed)


N19 = Claim(
    id="N19",
    source=Source(NEYSHABUR2017, "Section 4, after Theorem 1"),
    statement=r"G(d) = S + \sqrt{\tfrac1m \Big(\tfrac{d^2}{\mu^4} \sum_{i=1}^d \tfrac{h_i h_{i-1}}{\sigma^2} + "
    r"\ln\tfrac{2m}{\delta}\Big)}:\quad G(k d) \le k\, G(d)",
    form=Form.AT_MOST,
    symbols=GROWTH,
    sides=_depth_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The sum has d terms, so that the root is of d^3: the bound grows as d^(3/2), and with the C_delta^2 that the "
    "simplification drops (N19.b) as d^(3/2) sqrt(ln d). Linear it is in d for a given number of parameters, sum h_i "
    "h_{i-1}. At the sigma that makes the sum of both terms least, while S goes as sigma, it grows as d^(3/4) only. That it "
    "is not exponential in depth is right where mu, C_2 and C_3 are the same at every depth.",
    quote="For any reasonable choice of sigma, the generalization error above, depends only linearly on depth",
    reading="Of the bound, with equal widths; the choice sigma, and all else that it is made of, stay as the depth is k "
    "times as large.",
    witness=Instance(
        {
            "depth": 1,
            "width": 1,
            "mu": Fraction(1),
            "scale": Fraction(1),
            "samples": 1,
            "delta": Fraction(1),
            "times": 2,
            "sharpness": Fraction(0),
        },
        "named",
    ),
    no_extremal="refuted",
)

N19A = Claim(
    id="N19.a",
    amends="N19",
    source=Source(NEYSHABUR2017, "Section 4, after Theorem 1, repaired"),
    statement=r"G(k d) \le k^{3/2}\, G(d)",
    form=Form.AT_MOST,
    symbols=GROWTH,
    sides=_power_sides,
    proof=proofs.n19a,
    reads=_reads_depth,
    finding=Finding.OURS,
    note="G as in N19, as printed. No smaller power will do, for large depths.",
    no_extremal="equal for k = 1 alone, where both sides are one irrational number",
)

N19B = Claim(
    id="N19.b",
    amends="N19",
    source=Source(NEYSHABUR2017, "Section 4, the simplified bound"),
    statement=r"\gamma_i = \frac{\sigma}{C_\delta d}:\quad \sum_{i=1}^d \frac{\|W_i\|_F^2}{\sigma_i^2} \le "
    r"\frac{d^2}{\mu^4} \sum_{i=1}^d \frac{h_i h_{i-1}}{\sigma^2}",
    form=Form.AT_MOST,
    symbols=(DEPTH, LAYER_WIDTH, INTERACTION, SCALE, RISK),
    sides=_simplified_sides,
    finding=Finding.FALSE,
    note="||W_i||/sigma_i = C_delta d sqrt(h_i h_{i-1})/(mu^2 sigma): the left side is C_delta^2 = 4 ln(d h/delta) times "
    "the right one. The root is outside O(.), which could hide a constant, and this one grows with depth and width. Besides, "
    "such a sigma_i is chosen by ||W_i||_F and mu, which depend on the training data, and (8) has it in its prior as well: "
    "N7.b says why no such divergence is in a PAC-Bayes bound, and B19 what choosing among G values costs.",
    quote="consider choosing gamma_i = sigma/(C_delta d), and we get a bound that simplifies as follows",
    reading="Of the second term, with equal widths.",
    witness=Instance(
        {"depth": 1, "width": 1, "mu": Fraction(1), "scale": Fraction(1), "delta": Fraction(1, 2)}, "named"
    ),
    no_extremal="refuted",
)


def parameters(given: Instance) -> int:
    """Return the number of parameters of a perceptron with 784 inputs, hidden layers of 1000 units and 10 outputs."""
    sizes = [784, *[1000] * given["hidden_layers"], 10]
    return sum(n * m + given["biases"] * n for m, n in itertools.pairwise(sizes))


N21 = Claim(
    id="N21",
    source=Source(NEYSHABUR2017, "Figure 5"),
    statement=r"\#\text{parameters} \ge 10^7",
    form=Form.AT_LEAST,
    symbols=(PERCEPTRON_LAYERS, BIASED),
    assumptions=(
        Assumption("ten layers, hidden or in all", lambda given: given["hidden_layers"], lambda n: n in (9, 10)),
    ),
    sides=lambda given: (Enclosure.exactly(Fraction(parameters(given))), Enclosure.exactly(Fraction(10**7))),
    finding=Finding.FALSE,
    note="Nine matrices between ten hidden layers have nine millions of entries, and those at the ends less than one "
    "million more, biases among them. Eleven hidden layers have more than ten millions (N21.a). Nothing in the paper "
    "depends on it; what Figure 5 shows of mu, C_2 and C_3 is not in this claim.",
    quote="a 10 layer perceptron with 1000 hidden units in each layer, i.e. more than 10,000,000 parameters on MNIST",
    reading="Ten hidden layers, or ten layers of weights, of 1000 hidden units, 784 inputs and 10 outputs, with biases or "
    "without.",
    witness=Instance({"hidden_layers": 10, "biases": 1}, "named"),
    no_extremal="refuted",
)

N21A = Claim(
    id="N21.a",
    amends="N21",
    source=Source(NEYSHABUR2017, "Figure 5, repaired"),
    statement=r"\#\text{parameters} > 10^7 \iff L \ge 11",
    form=Form.EQUIVALENCE,
    symbols=(PERCEPTRON_LAYERS, BIASED),
    sides=lambda given: (
        Enclosure.exactly(parameters(given) > 10**7),
        Enclosure.exactly(given["hidden_layers"] >= 11),
    ),
    proof=proofs.n21a,
    reads=lambda given: {"L": given["hidden_layers"], "b": given["biases"]},
    finding=Finding.OURS,
    note="Of perceptrons with 784 inputs, L hidden layers of 1000 units, and 10 outputs.",
    extremal=Instance({"hidden_layers": 11, "biases": 0}, "named"),
)

CLAIMS = (
    N8,
    N8A,
    N15,
    N15A,
    N15B,
    N16,
    N16A,
    N16B,
    N17,
    N17A,
    N18,
    N18A,
    N18B,
    N19,
    N19A,
    N19B,
    N21,
    N21A,
)
