"""Claims on the step sizes that SGD stays at in mean square: the exact one (B3), bounds on it, and reshuffling (B9)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import sympy as sp

from theory.beyond import mean_square_bounds as bounds
from theory.beyond import mean_square_proofs as proofs
from theory.checks import Array, batch_size, dot, exact_matrix, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, positive_semidefinite, top_eigenvalue
from theory.extremes import leading, lowest, nearly
from theory.linear_stability import mean_square_growth, noise_share, outer_products
from theory.sources import HOUSE, MULAYOFF2024, Source
from theory.symbols import BATCH, HESSIANS, OTHER_BATCH, SHARE, STEP_SIZE_ON_MEAN, SYSTEM, Symbol

GRADIENTS = Symbol(
    "features", r"(\phi_i)", "gradients of f(x_i) in the weights as rows, [n, d]; H_i = phi_i phi_i^T", exact_matrix
)
VECTOR = Symbol("direction", "v", "a direction, [d]", exact_vector)


def exact_hessians(given: Instance) -> Array:
    """Return H_i as rationals, [n, d, d]: those given, or phi_i phi_i^T."""
    if "hessians" in given.given:
        return rationals(given["hessians"])
    return np.array([np.outer(phi, phi) for phi in given["features"]], dtype=object)


def share_of(given: Instance) -> Fraction:
    """Return p = (n - B)/(B (n - 1))."""
    return noise_share(len(exact_hessians(given)), given["batch_size"])


def stable(given: Instance, *, times: Fraction = Fraction(1), batch: int | None = None) -> bool:
    """Return whether 2 C - eta D >= 0, with eta times a factor, or with another batch size."""
    chosen = given["batch_size"] if batch is None else batch
    return bounds.is_stable(exact_hessians(given), times * Fraction(given["step_size"]), chosen)


def growth(given: Instance, *, batch: int | None = None) -> Enclosure:
    """Return the mean-square growth of a step, in rationals."""
    chosen = given["batch_size"] if batch is None else batch
    return mean_square_growth(exact_hessians(given), Fraction(given["step_size"]), chosen)


def form_is_semidefinite(given: Instance, share: Fraction, *, first: Fraction = Fraction(2)) -> bool:
    """Return whether first C - eta D >= 0 with a share p of the noise."""
    c, d = bounds.moment_forms(exact_hessians(given), share)
    return positive_semidefinite(first * c - Fraction(given["step_size"]) * d)


def _steps(given: Instance) -> list[Array]:
    """Return A = I - eta H_batch of each batch."""
    hessians, eta = exact_hessians(given), Fraction(given["step_size"])
    batch, identity = batch_size(given["batch_size"], len(hessians)), np.eye(hessians.shape[1], dtype=int)
    parts = [list(part) for part in combinations(range(len(hessians)), batch)]
    return [identity - eta * hessians[part].sum(axis=0) / Fraction(batch) for part in parts]


def bounded(given: Instance) -> bool:
    """Return whether X -> E[A X A] keeps everything bounded: -1 <= T <= 1, T averaged over all batches."""
    steps = _steps(given)
    operator: Array = np.array([np.kron(a, a) for a in steps]).sum(axis=0) / Fraction(len(steps))
    whole = np.eye(len(operator), dtype=int)
    return positive_semidefinite(whole - operator) and positive_semidefinite(whole + operator)


def forms_at(given: Instance, x: Array) -> dict[str, Any]:
    """Return what the proofs call the forms of C and D at a symmetric X: h_i = tr(X H_i X) and q_ij = tr(X H_i X H_j)."""
    hessians = exact_hessians(given)
    along = [x @ h for h in hessians]
    return {
        "m": len(hessians),
        "h": rationals([np.sum(a * x) for a in along]),
        "q": rationals([[np.sum(a * b.T) for b in along] for a in along]),
        "p": share_of(given),
        "B": given["batch_size"],
    }


def symmetric(entries: Array) -> Array:
    """Return the symmetric matrix that has these entries in the basis `symmetric_units`."""
    d = int((2 * len(entries)) ** 0.5)
    matrix: Array = sum((e * unit for e, unit in zip(entries, bounds.symmetric_units(d), strict=True)), rationals([0]))
    return matrix


def unstable_at(given: Instance, step_size: Fraction) -> Array:
    """Return a symmetric X at which 2 C - eta D is negative, if it is at any."""
    c, d = bounds.moment_forms(exact_hessians(given), share_of(given))
    return symmetric(lowest(2 * c - step_size * d))


def top_of_step(given: Instance, step_size: Fraction, batch: int) -> Array:
    """Return an eigenvector X >= 0 to the growth of the second moments in a step, up to many digits."""
    hessians, units = exact_hessians(given), bounds.symmetric_units(exact_hessians(given).shape[1])
    c, d = bounds.moment_forms(hessians, noise_share(len(hessians), batch))
    sizes = rationals(np.diag([int(np.sum(unit)) for unit in units]))
    start = rationals([int(np.trace(unit)) for unit in units])
    return symmetric(leading(sizes - 2 * step_size * c + step_size**2 * d, sizes, sizes @ start))


def _cone_at(given: Instance, step_size: Fraction) -> Array:
    """Return X >= 0 at which 2 C - eta D is negative, if it is anywhere."""
    return top_of_step(given, step_size, given["batch_size"])


def _reads_bounded(given: Instance) -> dict[str, Any]:
    """Return what B3's proof speaks of: X and Y that decide, and what they become in each of the N batches."""
    hessians, eta = exact_hessians(given), Fraction(given["step_size"])
    d, x = hessians.shape[1], unstable_at(given, eta)
    steps = _steps(given)
    operator: Array = np.array([np.kron(a, a) for a in steps]).sum(axis=0) / Fraction(len(steps))
    y = lowest(np.eye(d * d, dtype=int) + operator).reshape(d, d)
    after, below = (rationals([np.sum((a @ z @ a) * z) for a in steps]) for z in (x, y))
    return {
        **forms_at(given, x),
        "eta": eta,
        "x": Fraction(np.sum(x * x)),
        "r": Fraction(np.sum(y * y)),
        "N": len(steps),
        "t": after,
        "s": below,
    }


def _reads_two_steps(given: Instance) -> dict[str, Any]:
    """Return what B3.a's proof speaks of: X >= 0 that decides the one of the two steps that is not stable, if one is."""
    eta, s = Fraction(given["step_size"]), Fraction(given["share"])
    cone = [_cone_at(given, step) for step in (s * eta, eta)]
    x = cone[1] if stable(given, times=s) else cone[0]
    values = {**forms_at(given, x), "eta": eta, "s": s}
    for name, step in (("1", eta), ("2", s * eta)):
        own = forms_at(given, unstable_at(given, step))
        values |= {f"h_{name}": own["h"], f"q_{name}": own["q"]}
    return values


def _unit(x: Array, values: dict[str, Any]) -> dict[str, Any]:
    """Return the forms at X as those at X of length 1, known to many digits; rounded up: h_i most, then q_ii."""
    size = Fraction(np.sum(x * x))
    h = [nearly(v / size, 3) for v in values["h"]]
    q = [[nearly(v / size, int(i == j)) for j, v in enumerate(row)] for i, row in enumerate(values["q"])]
    return {**values, "h": h, "q": q}


def _reads_growth(given: Instance) -> dict[str, Any]:
    """Return what B3.b's proof speaks of: X, where the larger batch grows most, and where the smaller does."""
    eta, batches = Fraction(given["step_size"]), (given["other_batch_size"], given["batch_size"])
    tops = [top_of_step(given, eta, batch) for batch in batches]
    larger, own = (_unit(x, forms_at(given, x)) for x in tops)
    return {
        **larger,
        "eta": eta,
        "p_2": noise_share(len(given["hessians"]), batches[0]),
        "h_1": own["h"],
        "q_1": own["q"],
    }


def eigenvalues(matrix: Array) -> list[sp.Expr]:
    """Return the eigenvalues of a symmetric matrix of rationals, exactly, from the lowest to the largest."""
    polynomial = sp.Matrix([[sp.Rational(v.numerator, v.denominator) for v in row] for row in rationals(matrix)])
    roots: list[sp.Expr] = sp.Poly(polynomial.charpoly().as_expr()).real_roots()
    return roots


def _mean_hessian(given: Instance) -> Array:
    return bounds.mean_of(exact_hessians(given))


def _reads_edge(given: Instance) -> dict[str, Any]:
    """Return what B3.c's proof speaks of: the eigenvalues of H, and X = v v^T for the top eigenvector v."""
    values = eigenvalues(_mean_hessian(given))
    pairs = [(f, g) for f in values for g in values]
    return {
        "eta": Fraction(given["step_size"]),
        "h": values[-1],
        "m": len(pairs),
        "f": [f for f, _ in pairs],
        "g": [g for _, g in pairs],
        "x": [0] * (len(pairs) - 1) + [1],
    }


def _reads_gram(given: Instance) -> dict[str, Any]:
    """Return what B3.d's proof speaks of: X on the span of the features, and Y with X = Phi^T Y Phi."""
    phi, eta = rationals(given["features"]), Fraction(given["step_size"])
    gram = phi @ phi.T
    inverse = _pseudo_inverse(gram)
    onto = phi.T @ inverse @ phi
    x = onto @ unstable_at(given, eta) @ onto
    y = inverse @ phi @ x @ phi.T @ inverse
    squared = gram @ gram @ y
    inner = gram @ y @ gram @ y @ gram
    whole = [Fraction(np.sum(row * row)) for row in phi @ x]
    return {
        "m": len(phi),
        "eta": eta,
        "p": share_of(given),
        "z": phi @ x @ phi.T,
        "W": Fraction(np.trace(squared @ squared)),
        "C": Fraction(np.trace(gram @ y @ gram @ gram @ y)),
        "a": rationals(np.diag(inner)),
        "b": rationals(whole) - np.diag(inner),
    }


def _pseudo_inverse(matrix: Array) -> Array:
    """Return the pseudo-inverse of a symmetric matrix of rationals."""
    exact = sp.Matrix([[sp.Rational(v.numerator, v.denominator) for v in row] for row in rationals(matrix)]).pinv()
    return rationals([[Fraction(int(v.p), int(v.q)) for v in row] for row in exact.tolist()])


def _reads_traces(given: Instance) -> dict[str, Any]:
    """Return what the proofs at X = I speak of."""
    hessians, mean = exact_hessians(given), _mean_hessian(given)
    squares = [Fraction(np.sum(h * h)) for h in hessians]
    return {
        "m": mean.size,
        "eta": Fraction(given["step_size"]),
        "p": share_of(given),
        "t": Fraction(np.trace(mean)),
        "d": len(mean),
        "f": mean.ravel(),
        "s": sum(squares, Fraction(0)) / len(hessians),
    }


def _reads_features(given: Instance) -> dict[str, Any]:
    """Return what the proofs at X = I speak of where H_i = phi_i phi_i^T."""
    mean = _mean_hessian(given)
    return {
        **_reads_traces(given),
        "m": len(given["features"]),
        "k": mean.size,
        "F": Fraction(np.sum(mean * mean)),
        "s": [Fraction(dot(phi, phi)) for phi in rationals(given["features"])],
    }


def _reads_threshold(given: Instance) -> dict[str, Any]:
    """Return what the proofs speak of that hold at the X where 2 c/d is least, and the eigenvalues of H and of the H_i."""
    c, d = bounds.moment_forms(exact_hessians(given), share_of(given))
    x = symmetric(leading(d, c))
    return {
        **_unit(x, forms_at(given, x)),
        "l": eigenvalues(_mean_hessian(given))[-1],
        "L": sp.Max(*(eigenvalues(h)[-1] for h in exact_hessians(given))),
    }


def _reads_expansion(given: Instance) -> dict[str, Any]:
    """Return what B3.j's proof speaks of: such an X, K there, and the vector that decides on W1's condition."""
    first, second = bounds.expansion_forms(exact_hessians(given), share_of(given))
    c, d = bounds.moment_forms(exact_hessians(given), share_of(given))
    x, v = symmetric(leading(d, c)), leading(second, first)
    size = Fraction(np.sum(x * x))
    return {
        **_unit(x, forms_at(given, x)),
        "K": nearly(Fraction(np.sum((x @ second) * x)) / size, 2),
        "a": nearly(Fraction(dot(v, first @ v)) / dot(v, v)),
        "k": nearly(Fraction(dot(v, second @ v)) / dot(v, v)),
    }


def truth(value: bool) -> Enclosure:
    """Return a truth value as a side."""
    return Enclosure.exactly(value)


def _stability() -> Assumption:
    return Assumption("stability (B3): 2 C - eta D >= 0", stable, bool)


def positive_hessians() -> Assumption:
    """Return the assumption that no H_i has a negative eigenvalue, decided exactly."""
    return Assumption.that(
        bounds.SEMIDEFINITE, lambda given: all(positive_semidefinite(h) for h in exact_hessians(given))
    )


def trace(given: Instance) -> Fraction:
    """Return tr H."""
    hessians = exact_hessians(given)
    return Fraction(sum(np.trace(h) for h in hessians)) / len(hessians)


def _not_flat() -> Assumption:
    return Assumption.that(bounds.NOT_FLAT, trace)


def squares(given: Instance) -> tuple[Fraction, Fraction]:
    """Return tr H^2 and mean tr H_i^2."""
    hessians = exact_hessians(given)
    mean = hessians.sum(axis=0) / Fraction(len(hessians))
    return Fraction(np.sum(mean * mean)), Fraction(np.sum(hessians * hessians)) / len(hessians)


B3 = Claim(
    id="B3",
    source=Source(MULAYOFF2024, "the exact threshold, in our words"),
    statement=r"\mathbb E\|w_t\|^2 \text{ bounded} \iff \eta D \preceq 2C,\quad C(X) = \tfrac12(HX + XH),\ "
    r"D(X) = (1-p) HXH + p\,\tfrac1n\sum_i H_i X H_i,\ p = \tfrac{n-B}{B(n-1)}",
    form=Form.EQUIVALENCE,
    symbols=SYSTEM,
    sides=lambda given: (truth(form_is_semidefinite(given, share_of(given))), truth(bounded(given))),
    proof=proofs.b3,
    reads=_reads_bounded,
    finding=Finding.OURS,
    note="As quadratic forms on symmetric matrices, hence for H_i >= 0 up to eta* = 2/lambda_max(C^+ D), included. Whether "
    "E ||w||^2 is bounded is decided here by a map averaged over all batches, which knows nothing of C and D. The H_i need "
    "not be semidefinite. The paper's abstract says that its condition is explicit, necessary and sufficient, and that of a "
    "mixture of full and single-sample steps with weights 1 - p and p, which D is; only the abstract was read. For n = 1, "
    "p = 0.",
    no_extremal="an equivalence",
)

B3A = Claim(
    id="B3.a",
    amends="B3",
    source=Source(HOUSE, "B3, one threshold"),
    statement=r"\text{stable at } \eta \;\Rightarrow\; \text{stable at } s\eta,\quad 0 < s \le 1",
    form=Form.IMPLICATION,
    symbols=(*SYSTEM, SHARE),
    sides=lambda given: (truth(stable(given)), truth(stable(given, times=given["share"]))),
    proof=proofs.b3a,
    reads=_reads_two_steps,
    finding=Finding.OURS,
    note="With batches drawn anew the stable step sizes are an interval from 0, for any symmetric H_i; with reshuffling they "
    "need not be (B9).",
    no_extremal="an implication",
)


def _larger_batch() -> Assumption:
    return Assumption(
        "B' >= B",
        lambda given: batch_size(given["other_batch_size"], len(given["hessians"])) - given["batch_size"],
        lambda more: more >= 0,
    )


B3B = Claim(
    id="B3.b",
    amends="B3",
    source=Source(HOUSE, "B3, monotone in B; after mulayoff2024, abstract"),
    statement=r"B' \ge B \;\Rightarrow\; \rho(T_{B'}) \le \rho(T_B), \text{ hence } \eta^*_{B'} \ge \eta^*_B",
    form=Form.AT_MOST,
    symbols=(*SYSTEM, OTHER_BATCH),
    assumptions=(_larger_batch(),),
    sides=lambda given: (growth(given, batch=given["other_batch_size"]), growth(given)),
    proof=proofs.b3b,
    reads=_reads_growth,
    finding=Finding.OURS,
    note="The paper's abstract says that the threshold does not fall with B; the growth of a step does not rise, at any step "
    "size and for any symmetric H_i. As forms on all symmetric X the D of two batch sizes are not ordered, on X >= 0 they are.",
    extremal=Instance(
        {"hessians": outer_products((1,), (1,)), "step_size": Fraction(3), "batch_size": 1, "other_batch_size": 2},
        "named",
    ),
)


def edge(given: Instance, limit: Fraction = Fraction(2)) -> bool:
    """Return whether eta H <= limit."""
    mean = exact_hessians(given).sum(axis=0) / Fraction(len(given["hessians"]))
    return positive_semidefinite(limit * np.eye(len(mean), dtype=int) - Fraction(given["step_size"]) * mean)


B3C = Claim(
    id="B3.c",
    amends="B3",
    source=Source(HOUSE, "B3 at B = n"),
    statement=r"B = n,\ H_i \succeq 0:\quad \text{stable} \iff \eta \le 2/\lambda_{\max}(H)",
    form=Form.EQUIVALENCE,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN),
    assumptions=(positive_hessians(),),
    sides=lambda given: (truth(edge(given)), truth(stable(given, batch=len(given["hessians"])))),
    proof=proofs.b3c,
    reads=_reads_edge,
    finding=Finding.OURS,
    note="Gradient descent's edge; by B3.b and M1 no batch size is stable beyond it.",
    no_extremal="an equivalence",
)


def gram_condition(given: Instance, share: Fraction, *, first: Fraction = Fraction(2)) -> bool:
    """Return whether first C - eta D >= 0 in terms of the Gram matrix, with a share p of the noise."""
    c, d = bounds.gram_forms(given["features"] @ given["features"].T, share)
    return positive_semidefinite(first * c - Fraction(given["step_size"]) * d)


B3D = Claim(
    id="B3.d",
    amends="B3",
    source=Source(HOUSE, "B3, by the Gram matrix"),
    statement=r"H_i = \phi_i\phi_i^T,\ G = \Phi\Phi^T:\quad \text{stable} \iff "
    r"\eta\big[\tfrac{1-p}{n}\operatorname{tr}\big((G^2Y)^2\big) + p\sum_i (GYG)_{ii}^2\big] \le 2\operatorname{tr}(GYG^2Y)"
    r"\ \forall\, Y = Y^T",
    form=Form.EQUIVALENCE,
    symbols=(GRADIENTS, STEP_SIZE_ON_MEAN, BATCH),
    sides=lambda given: (truth(gram_condition(given, share_of(given))), truth(stable(given))),
    proof=proofs.b3d,
    reads=_reads_gram,
    finding=Finding.OURS,
    note="Only the n x n Gram matrix of the gradients matters, whatever the number of weights.",
    no_extremal="an equivalence",
)


def along(given: Instance) -> tuple[Fraction, Fraction, Fraction]:
    """Return |v|^2, v^T H v and mean (v^T H_i v)^2.

    Raises:
        ValueError: if the sizes of v and of the Hessians differ.
    """
    hessians, v = exact_hessians(given), given["direction"]
    if len(v) != hessians.shape[1]:
        raise ValueError(f"direction must have {hessians.shape[1]} entries, got {len(v)}")
    quotients = [Fraction(dot(v, h @ v)) for h in hessians]
    n = len(quotients)
    return Fraction(dot(v, v)), sum(quotients, Fraction(0)) / n, sum((q * q for q in quotients), Fraction(0)) / n


def ratio(first: Fraction, whole: Fraction, parts: Fraction, share: Fraction) -> Fraction:
    """Return 2 first/((1 - p) whole + p parts)."""
    return 2 * first / ((1 - share) * whole + share * parts)


def step(given: Instance) -> Enclosure:
    """Return the step size as a side."""
    return Enclosure.exactly(Fraction(given["step_size"]))


def _direction_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    length, mean, square = along(given)
    return step(given), Enclosure.exactly(ratio(length * mean, mean**2, square, share_of(given)))


def _reads_direction(given: Instance) -> dict[str, Any]:
    """Return what B3.e's proof speaks of: |v|^2 and y_i = v^T H_i v."""
    hessians, v = exact_hessians(given), rationals(given["direction"])
    return {
        "m": len(hessians),
        "eta": Fraction(given["step_size"]),
        "p": share_of(given),
        "l": Fraction(dot(v, v)),
        "y": [Fraction(dot(v, h @ v)) for h in hessians],
    }


B3E = Claim(
    id="B3.e",
    amends="B3",
    source=Source(HOUSE, "B3 along one direction"),
    statement=r"\text{stable} \;\Rightarrow\; \eta \le \frac{2\|v\|^2\, v^T H v}{(1-p)(v^T H v)^2 + "
    r"p\,\frac1n\sum_i (v^T H_i v)^2}",
    form=Form.AT_MOST,
    symbols=(*SYSTEM, VECTOR),
    assumptions=(_stability(), Assumption.that(bounds.CURVED, lambda given: along(given)[1])),
    sides=_direction_sides,
    bound=bounds.direction_bound,
    bound_on=lambda given: bounds.direction_bound(given["hessians"], given["direction"], given["batch_size"]),
    proof=proofs.b3e,
    reads=_reads_direction,
    finding=Finding.OURS,
    note="B3 at X = v v^T: never below the exact threshold, exact for d = 1. With v the top eigenvector of H it is at most "
    "2/lambda_max(H).",
    extremal=Instance(
        {
            "hessians": rationals([[[0]], [[2]]]),
            "step_size": Fraction(1),
            "batch_size": 1,
            "direction": rationals([1]),
        },
        "named",
    ),
)


def _trace_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return step(given), Enclosure.exactly(ratio(trace(given), *squares(given), share_of(given)))


AXES = outer_products((1, 0), (0, 1))

B3F = Claim(
    id="B3.f",
    amends="B3",
    source=Source(HOUSE, "B3 by traces"),
    statement=r"\text{stable} \;\Rightarrow\; \eta \le \frac{2\operatorname{tr} H}{(1-p)\operatorname{tr} H^2 + "
    r"p\,\frac1n\sum_i \operatorname{tr} H_i^2}",
    form=Form.AT_MOST,
    symbols=SYSTEM,
    assumptions=(_stability(), _not_flat()),
    sides=_trace_sides,
    bound=bounds.trace_bound,
    bound_on=lambda given: bounds.trace_bound(given["hessians"], given["batch_size"]),
    proof=proofs.b3f,
    reads=_reads_traces,
    finding=Finding.OURS,
    note="B3 at X = I: the trace of T(I) <= I, which is W1's condition. So W1 <= exact <= trace bound, and all three agree "
    "where I is an eigenvector of T, as for orthonormal features.",
    extremal=Instance({"hessians": AXES, "step_size": Fraction(2), "batch_size": 1}, "named"),
)


def _noisy() -> Assumption:
    return Assumption.that(bounds.NOISY, lambda given: len(given["features"]) - given["batch_size"])


def frobenius_sides(given: Instance, share: Fraction) -> tuple[Enclosure, Enclosure]:
    """Return ||H||_F^2 and the square of its limit for a share p of the noise, > 0."""
    half = Fraction(1, 2)
    limit = Fraction(4) if share >= half else 1 / (share * (1 - share))
    return Enclosure.exactly(squares(given)[0]), Enclosure.exactly(limit / Fraction(given["step_size"]) ** 2)


B3G = Claim(
    id="B3.g",
    amends="B3",
    source=Source(HOUSE, "B3 by the Frobenius norm; after Wu, Wang and Su, NeurIPS 2022"),
    statement=r"H_i = \phi_i\phi_i^T,\ B < n,\ \text{stable} \;\Rightarrow\; \|H\|_F^2 \le \frac{1}{\eta^2 p(1-p)} "
    r"\text{ for } p \le \tfrac12,\quad \|H\|_F^2 \le \frac4{\eta^2} \text{ for } p \ge \tfrac12",
    form=Form.AT_MOST,
    symbols=(GRADIENTS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(_noisy(), _stability()),
    sides=lambda given: frobenius_sides(given, share_of(given)),
    bound=bounds.frobenius_limit,
    bound_on=lambda given: bounds.frobenius_limit(given["step_size"], len(given["features"]), given["batch_size"]) ** 2,
    proof=proofs.b3g,
    reads=_reads_features,
    finding=Finding.OURS,
    note="Their abstract prints ||H||_F <= O(sqrt(B)/eta); this has the constant, and asks nothing of the alignment of the "
    "noise: p is about 1/B. Attained by tight frames of 1/p - 1 dimensions.",
    extremal=Instance(
        {"features": rationals([[1, 0], [0, 1], [1, 0], [0, 1]]), "step_size": Fraction(3), "batch_size": 2}, "named"
    ),
)


def trace_sides(given: Instance, share: Fraction, d: int) -> tuple[Enclosure, Enclosure]:
    """Return tr H and its limit for a share p of the noise and d dimensions."""
    limit = 2 / (Fraction(given["step_size"]) * (share + (1 - share) / d))
    return Enclosure.exactly(trace(given)), Enclosure.exactly(limit)


B3H = Claim(
    id="B3.h",
    amends="B3",
    source=Source(HOUSE, "B3, a limit on tr H"),
    statement=r"H_i = \phi_i\phi_i^T \in \mathbb R^{d\times d},\ \text{stable} \;\Rightarrow\; "
    r"\operatorname{tr} H \le \frac{2}{\eta\,(p + (1-p)/d)}",
    form=Form.AT_MOST,
    symbols=(GRADIENTS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(_stability(),),
    sides=lambda given: trace_sides(given, share_of(given), given["features"].shape[1]),
    bound=bounds.trace_limit,
    bound_on=lambda given: bounds.trace_limit(
        given["step_size"], len(given["features"]), given["batch_size"], given["features"].shape[1]
    ),
    proof=proofs.b3h,
    reads=_reads_features,
    finding=Finding.OURS,
    note="At most 2/(eta p), about 2 B/eta, in any dimension; at B = 1 the trace of H obeys what its top eigenvalue does for "
    "gradient descent. Attained by tight frames.",
    extremal=Instance({"features": rationals([[1, 0], [0, 1]]), "step_size": Fraction(2), "batch_size": 1}, "named"),
)


def threshold(given: Instance) -> Enclosure:
    """Return the exact threshold."""
    return bounds.stability_threshold(given["hessians"], given["batch_size"])


def weighted_norm(given: Instance, share: Fraction, norms: Sequence[Enclosure], pick: Any = max) -> Enclosure:
    """Return 2/((1 - p) lambda_max(H) + p (the largest of the norms, or what is picked))."""
    hessians = exact_hessians(given)
    top = top_eigenvalue(hessians.sum(axis=0) / Fraction(len(hessians)))
    ends = []
    for end in ("upper", "lower"):
        most = pick(Fraction(getattr(norm, end)) for norm in norms)
        ends.append(2 / ((1 - share) * Fraction(getattr(top, end)) + share * most))
    return Enclosure(*ends)


def norms(given: Instance) -> list[Enclosure]:
    """Return lambda_max(H_i) of each."""
    return [top_eigenvalue(h) for h in exact_hessians(given)]


B3I = Claim(
    id="B3.i",
    amends="B3",
    source=Source(HOUSE, "B3 by norms"),
    statement=r"H_i \succeq 0 \;\Rightarrow\; \eta^* \ge \frac{2}{(1-p)\lambda_{\max}(H) + p \max_i \lambda_{\max}(H_i)}",
    form=Form.AT_LEAST,
    symbols=(HESSIANS, BATCH),
    assumptions=(positive_hessians(), _not_flat()),
    sides=lambda given: (threshold(given), weighted_norm(given, share_of(given), norms(given))),
    bound=bounds.norm_bound,
    bound_on=lambda given: bounds.norm_bound(given["hessians"], given["batch_size"]),
    proof=proofs.b3i,
    reads=_reads_threshold,
    finding=Finding.OURS,
    note="It implies W1's condition. Exact for orthonormal features, where both are 2 B.",
    extremal=Instance({"hessians": AXES, "batch_size": 1}, "named"),
)


def _expansion_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return threshold(given), bounds.largest_step(*bounds.expansion_forms(exact_hessians(given), share_of(given)))


B3J = Claim(
    id="B3.j",
    amends="B3",
    source=Source(HOUSE, "B3 against W1"),
    statement=r"H_i \succeq 0 \;\Rightarrow\; \eta^* \ge \max\{\eta : \eta\,((1-p) H^2 + p\,\tfrac1n\textstyle\sum_i H_i^2) "
    r"\preceq 2H\}",
    form=Form.AT_LEAST,
    symbols=(HESSIANS, BATCH),
    assumptions=(positive_hessians(), _not_flat()),
    sides=_expansion_sides,
    bound=bounds.expansion_bound,
    bound_on=lambda given: bounds.expansion_bound(given["hessians"], given["batch_size"]),
    proof=proofs.b3j,
    reads=_reads_expansion,
    finding=Finding.OURS,
    note="W1's condition as a step size. Below the exact one for d >= 2 in general: 1 against 1.101 for linear regression on "
    "x = -1, 0, 1 and B = 1; nearly parallel features bring the ratio to (1 + sqrt(n))/2 in what we tried.",
    extremal=Instance({"hessians": AXES, "batch_size": 1}, "named"),
)


def scaled_edge(given: Instance, factor: Fraction) -> Enclosure:
    """Return 2/lambda_max(H) times a factor."""
    hessians = exact_hessians(given)
    top = top_eigenvalue(hessians.sum(axis=0) / Fraction(len(hessians)))
    return Enclosure(2 * factor / Fraction(top.upper), 2 * factor / Fraction(top.lower))


def share_of_data(given: Instance) -> Fraction:
    """Return B/n."""
    return Fraction(given["batch_size"], len(given["hessians"]))


B3K = Claim(
    id="B3.k",
    amends="B3",
    source=Source(HOUSE, "B3 against gradient descent's edge"),
    statement=r"H_i \succeq 0 \;\Rightarrow\; \eta^* \ge \frac Bn \cdot \frac{2}{\lambda_{\max}(H)}",
    form=Form.AT_LEAST,
    symbols=(HESSIANS, BATCH),
    assumptions=(positive_hessians(), _not_flat()),
    sides=lambda given: (threshold(given), scaled_edge(given, share_of_data(given))),
    bound=bounds.batch_share_bound,
    bound_on=lambda given: bounds.batch_share_bound(given["hessians"], given["batch_size"]),
    proof=proofs.b3k,
    reads=_reads_threshold,
    finding=Finding.OURS,
    note="With M1: SGD's threshold is between B/n of gradient descent's edge and all of it. Attained where one point has all "
    "the curvature.",
    extremal=Instance({"hessians": rationals([[[2]], [[0]]]), "batch_size": 1}, "named"),
)

CLAIMS = (B3, B3A, B3B, B3C, B3D, B3E, B3F, B3G, B3H, B3I, B3J, B3K)
