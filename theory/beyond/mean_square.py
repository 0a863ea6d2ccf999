"""Claims on the step sizes that SGD stays at in mean square: the exact one (B3), bounds on it, and reshuffling (B9)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from theory.beyond import mean_square_bounds as bounds
from theory.beyond import mean_square_proofs as proofs
from theory.checks import Array, batch_size, dot, exact_matrix, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, positive_semidefinite, top_eigenvalue
from theory.linear_stability import mean_square_growth, noise_share, outer_products
from theory.sources import HOUSE, MULAYOFF2024, Source
from theory.symbols import BATCH, HESSIANS, SHARE, STEP_SIZE_ON_MEAN, SYSTEM, Symbol

GRADIENTS = Symbol(
    "features", r"(\phi_i)", "gradients of f(x_i) in the weights as rows, [n, d]; H_i = phi_i phi_i^T", exact_matrix
)
OTHER_BATCH = Symbol("other_batch_size", "B'", "another batch size, 1 to n")
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


def bounded(given: Instance) -> bool:
    """Return whether X -> E[A X A] keeps everything bounded: -1 <= T <= 1, T averaged over all batches."""
    hessians, eta = exact_hessians(given), Fraction(given["step_size"])
    batch, identity = batch_size(given["batch_size"], len(hessians)), np.eye(hessians.shape[1], dtype=int)
    parts = [list(part) for part in combinations(range(len(hessians)), batch)]
    steps = [identity - eta * hessians[part].sum(axis=0) / Fraction(batch) for part in parts]
    operator: Array = np.array([np.kron(a, a) for a in steps]).sum(axis=0) / Fraction(len(parts))
    whole = np.eye(len(operator), dtype=int)
    return positive_semidefinite(whole - operator) and positive_semidefinite(whole + operator)


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


def _reads_direction(given: Instance) -> dict[str, Fraction]:
    """Return what the symbols of B3.e's proof are: |v|^2, the mean of v^T H_i v, and the denominator."""
    length, mean, square = along(given)
    share = share_of(given)
    quotient = (1 - share) * mean**2 + share * square
    return {"eta": Fraction(given["step_size"]), "v": length, "a": mean, "q": quotient}


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
    finding=Finding.OURS,
    note="With M1: SGD's threshold is between B/n of gradient descent's edge and all of it. Attained where one point has all "
    "the curvature.",
    extremal=Instance({"hessians": rationals([[[2]], [[0]]]), "batch_size": 1}, "named"),
)

CLAIMS = (B3, B3A, B3B, B3C, B3D, B3E, B3F, B3G, B3H, B3I, B3J, B3K)
