"""The claims of Mulayoff, Michaeli and Soudry 2021 about minima at which units toggle on data points: M7-M9; and B4."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from theory import general_position, switching
from theory.checks import Array, dot, exact_vector, positive, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.curvature import curvature_enclosure
from theory.enclosure import Enclosure, square_root, top_eigenvalue
from theory.mulayoff2021 import smooth_bounds, switching_bounds
from theory.mulayoff2021 import switching_proofs as proofs
from theory.mulayoff2021.smooth import padded, reads_units
from theory.sharpness import balanced_pair
from theory.sources import HOUSE, MULAYOFF2021, Source
from theory.symbols import STEP_SIZE, WEIGHTS, Symbol, X
from theory.two_layer import Weights


def _mode(name: str, value: Any) -> Array:
    """Return which units are active at which data points as truth values [n, k].

    Raises:
        TypeError: if an entry is no truth value, nor 0 or 1.
        ValueError: if there are not two axes.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "bi" or not np.all((array == 0) | (array == 1)):
        raise TypeError(f"{name} must hold truth values or 0 and 1, got {value!r}")
    if array.ndim != 2:
        raise ValueError(f"{name} must have two axes, data points and units, got shape {array.shape}")
    return array.astype(bool)


MODE = Symbol("mode", "m", "a mode: which of k units are active at which of n points, [n, k]", _mode)
OTHER = Symbol("other_mode", r"\tilde m", "another mode, likewise, [n, k]", _mode)
DIRECTION = Symbol(
    "direction",
    "q",
    "a direction in the weights, [3k+1], not 0; strong stability speaks of all, and lambda_up is the largest q^T H_m q",
    real_array,
)


def _exact(given: Instance) -> tuple[Weights, Array]:
    return given["weights"].rational(), rationals(given["x"])


def _are_modes() -> Assumption:
    return Assumption(
        "both are modes around the weights",
        lambda given: [switching.is_mode(given["weights"], given["x"], given[name]) for name in ("mode", "other_mode")],
        all,
    )


def _no_idle_unit() -> Assumption:
    return Assumption(
        "no unit has w1 = b1 = 0", lambda given: switching.idle_units(given["weights"]), lambda count: count == 0
    )


def share(given: Instance) -> Fraction:
    """Return C^2 p_max/n, with the smallest C that bounds the gradients of f(x_j) in every mode."""
    bound = switching.gradient_bound(given["weights"], given["x"])
    return bound**2 * switching.most_toggling(given["weights"], given["x"]) / len(given["x"])


def _times(first: Enclosure, second: Enclosure) -> Enclosure:
    """Return the product of two numbers that are not negative."""
    return Enclosure(Fraction(first.lower) * Fraction(second.lower), Fraction(first.upper) * Fraction(second.upper))


def _root(square: Enclosure) -> Enclosure:
    ends = (max(Fraction(end), Fraction(0)) for end in (square.lower, square.upper))
    lower, upper = (square_root(end) for end in ends)
    return Enclosure(lower.lower, upper.upper)


def gram_top(features: Array) -> Enclosure:
    """Return an interval around the top eigenvalue of F F^T / n, F [n, d]."""
    return top_eigenvalue(features @ features.T / Fraction(len(features)))


def _residual(features: Array, others: Array) -> Enclosure:
    """Return rationals around ||H' q - lambda q||, (lambda, q) the top eigenpair of H = F^T F / n, H' likewise, F [n, d].

    For a vector v near q, the part of v that is orthogonal to q is at most ||H v - mu v|| over the gap to the next
    eigenvalue, which is at most the top one of H less a multiple of v v^T.
    """
    n = len(features)
    gram = features @ features.T / Fraction(n)
    _, vectors = np.linalg.eigh(gram.astype(np.float64))
    y = rationals(np.round(vectors[:, -1] * 2.0**50))
    image, size = gram @ y, Fraction(dot(y, gram @ y))
    mu = Fraction(dot(image, image)) / size
    off = image - mu * y
    rest = gram - mu * np.multiply.outer(y, y) / Fraction(dot(y, y))
    gap = mu - Fraction(top_eigenvalue(rest).upper) if n > 1 else mu
    turned = Fraction(square_root(2 * Fraction(dot(off, gram @ off)) / size).upper) / gap if gap > 0 else Fraction(2)
    v = features.T @ y
    moved = others.T @ (others @ v) / Fraction(n) - mu * v
    value = square_root(Fraction(dot(moved, moved)) / (n * size))
    top = Fraction(top_eigenvalue(gram).upper)
    reach = min(turned, Fraction(2)) * (top + Fraction(gram_top(others).upper)) + top - mu
    return Enclosure(max(Fraction(value.lower) - reach, Fraction(0)), Fraction(value.upper) + reach)


def _residual_parts(given: Instance) -> tuple[Enclosure, Enclosure, Enclosure]:
    """Return ||H~ q - lambda q||, sqrt(lambda) + sqrt(lambda~), and C sqrt(p_max/n)."""
    weights, x = _exact(given)
    features, others = (switching.mode_features(weights, x, given[name]) for name in ("mode", "other_mode"))
    roots = _root(gram_top(features)) + _root(gram_top(others))
    return _residual(features, others), roots, square_root(share(given))


def residual_sides(given: Instance, squared: Fraction = Fraction(2)) -> tuple[Enclosure, Enclosure]:
    """Return ||H~ q - lambda q||, and sqrt(squared) C (sqrt(lambda) + sqrt(lambda~)) sqrt(p_max/n)."""
    residual, roots, shared = _residual_parts(given)
    return residual, _times(_times(square_root(squared), roots), shared)


def _residual_bound_on(given: Instance) -> float:
    weights, x = _exact(given)
    tops = [
        float(gram_top(switching.mode_features(weights, x, given[name])).midpoint) for name in ("mode", "other_mode")
    ]
    bound, units = switching.gradient_bound(weights, x), switching.most_toggling(weights, x)
    return switching_bounds.eigenvector_residual_bound(tops[0], tops[1], float(bound), units, len(x))


def _active_and_not(weights: Weights, x: Array) -> dict[str, Any]:
    z = weights.pre_activations(x)
    return {"weights": weights, "x": x, "mode": (z >= 0).astype(int), "other_mode": (z > 0).astype(int)}


def _idle_unit() -> Instance:
    """Return a network of one unit with w1 = b1 = 0 on two neighbouring points: active on both, and on neither."""
    weights = Weights([Fraction(0)], [Fraction(0)], [Fraction(5)], Fraction(0))
    return Instance(_active_and_not(weights, rationals([Fraction(49, 50), 1])), "named")


def _opposite_units() -> Instance:
    """Return one point on which two units toggle, of opposite output weights, and the direction of neither and both."""
    one = Fraction(1)
    weights = Weights([one, one], [-one, -one], [one, -one], Fraction(0))
    return Instance({"weights": weights, "x": rationals([1])}, "named")


def change_sides(given: Instance, squared: Fraction = Fraction(2)) -> tuple[Enclosure, Enclosure]:
    """Return ||Phi_m~ - Phi_m||^2, and squared C^2 p_max."""
    weights, x = _exact(given)
    first, second = (switching.mode_features(weights, x, given[name]) for name in ("mode", "other_mode"))
    change = second - first
    return top_eigenvalue(change @ change.T), Enclosure.exactly(squared * len(x) * share(given))


def _reads_longest(given: Instance) -> dict[str, Any]:
    """Return what B4's proof speaks of: C, p_max, and at the data point where most changes x, w2 and which units change."""
    weights, x = _exact(given)
    changed = np.array(given["mode"], dtype=int) ^ np.array(given["other_mode"], dtype=int)
    outputs = weights.w2 if weights.width else rationals([0])
    rows = rationals(changed if weights.width else np.zeros((len(x), 1), dtype=int))
    j = int(
        np.argmax(rationals([(1 + p**2) * sum(row * outputs**2, Fraction(0)) for p, row in zip(x, rows, strict=True)]))
    )
    return {
        "m": len(outputs),
        "C": switching.gradient_bound(weights, x),
        "p": switching.most_toggling(weights, x),
        "w": outputs,
        "x": x[j],
        "d": rows[j],
    }


B4 = Claim(
    id="B4",
    source=Source(HOUSE, "B4"),
    statement=r"\|\Phi_{\tilde m} - \Phi_m\|^2 \le 2 C^2 p_{\max}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, MODE, OTHER),
    assumptions=(_are_modes(), _no_idle_unit()),
    sides=change_sides,
    bound=switching_bounds.feature_change_bound,
    bound_on=lambda given: (
        switching_bounds.feature_change_bound(
            float(switching.gradient_bound(given["weights"], given["x"])),
            switching.most_toggling(given["weights"], given["x"]),
        )
        ** 2
    ),
    proof=proofs.b4,
    reads=_reads_longest,
    finding=Finding.OURS,
    note="Where a unit toggles on x_j, only d f(x_j)/d w1 and d f(x_j)/d b1 differ between the modes: d f(x_j)/d w2 is its "
    "pre-activation, 0. So 2 stands where the printed lemmas have 3 (M7.a, M8.a, M9.a). A unit with w1 = b1 = 0 toggles on "
    "all data points at once, and is excluded.",
    extremal=_opposite_units().but(mode=np.ones((1, 2), dtype=np.int64), other_mode=np.zeros((1, 2), dtype=np.int64)),
)

M7 = Claim(
    id="M7",
    source=Source(MULAYOFF2021, "Lemma 5, eq 33"),
    statement=r"\|\tilde H q - \lambda_{\max}(H) q\| \le \sqrt3\, C "
    r"\big(\sqrt{\lambda_{\max}(H)} + \sqrt{\lambda_{\max}(\tilde H)}\big) \sqrt{\tfrac{p_{\max}}{n}}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, MODE, OTHER),
    assumptions=(_are_modes(),),
    sides=lambda given: residual_sides(given, Fraction(3)),
    finding=Finding.NEEDS_ASSUMPTION,
    note="A unit with w1 = b1 = 0 toggles on every data point, so what changes between two modes is up to sqrt(n) times as "
    "large: two points and one such unit suffice (w2 = 5, x = 0.98 and 1: 50.5 against 49.6). Nor are there 2^p modes "
    "then, but 2n for one unit. Without such units it holds with sqrt(2) for sqrt(3): M7.a.",
    quote="Then for all other H~ in H, ||H~ q - lambda_max(H) q|| <= sqrt(3) C (sqrt(lambda_max(H)) + "
    "sqrt(lambda_max(H~))) sqrt(p_max / n)",
    reading="Of all units, also those with w1 = b1 = 0, which toggle on every data point; if each toggling unit has a "
    "knot, as section 4.2 describes them, the words are right.",
    witness=_idle_unit(),
    no_extremal="see M7.a",
)


def _toggling_units(
    weights: Weights, x: Array, signs: Array, direction: Array, counted: Array | None = None
) -> dict[str, Any]:
    """Return of the units that toggle on each sample w2, a sign, dw1 and db1, filled up with 0, and the samples.

    Args:
        weights: theta in rationals, k units.
        x: distinct data points, rationals [n].
        signs: of all units at all samples, [n, k].
        direction: dw1, db1 and the rest, rationals [3k + 1].
        counted: which units count, truth values [k]; all by default.
    """
    k, n = weights.width, len(x)
    toggles = switching.toggling(weights, x) & (np.full(k, True) if counted is None else counted)
    most = int(np.max(toggles.sum(axis=1), initial=0))
    found = {name: np.full((n, most), Fraction(0), dtype=object) for name in ("w", "s", "u", "v")}
    for j in range(n):
        for place, i in enumerate(np.flatnonzero(toggles[j])):
            parts = {"w": weights.w2[i], "s": int(signs[j, i]), "u": direction[i], "v": direction[k + i]}
            for name, part in parts.items():
                found[name][j, place] = Fraction(part)
    return found | {"x": x, "m": n, "n": n, "p": most}


def _reads_change(given: Instance) -> dict[str, Any]:
    """Return the change of modes along the top eigenvector of one, rounded, and what both Hessians make of it."""
    weights, x = _exact(given)
    features, others = (switching.mode_features(weights, x, given[name]) for name in ("mode", "other_mode"))
    gram = features @ features.T / Fraction(len(x))
    y = rationals(np.round(np.linalg.eigh(gram.astype(np.float64))[1][:, -1] * 2.0**50))
    q = features.T @ y
    signs = given["other_mode"].astype(int) - given["mode"].astype(int)
    along, change = features @ q, (others - features) @ q
    return _toggling_units(weights, x, signs, q) | {
        "o": along,
        "e": change,
        "f": others.T @ change,
        "g": (others - features).T @ along,
        "d": len(q),
        "N": Fraction(dot(q, q)),
        "C": switching.gradient_bound(weights, x),
        "lambda": Fraction(top_eigenvalue(gram).upper),
        "mu": Fraction(gram_top(others).upper),
    }


M7A = Claim(
    id="M7.a",
    amends="M7",
    source=Source(MULAYOFF2021, "Lemma 5, repaired and sharpened"),
    statement=r"\text{no unit with } w^{(1)} = b^{(1)} = 0 \;\Rightarrow\; \|\tilde H q - \lambda_{\max}(H) q\| \le "
    r"\sqrt2\, C \big(\sqrt{\lambda_{\max}(H)} + \sqrt{\lambda_{\max}(\tilde H)}\big) \sqrt{\tfrac{p_{\max}}{n}}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, MODE, OTHER),
    assumptions=(_are_modes(), _no_idle_unit()),
    sides=residual_sides,
    bound=switching_bounds.eigenvector_residual_bound,
    bound_on=_residual_bound_on,
    proof=proofs.m7a,
    reads=_reads_change,
    finding=Finding.OURS,
    note="The constant cannot be smaller: one unit toggling on the one point x = 1, its output weight growing, makes the "
    "ratio of the sides go to 1.",
    no_extremal="approached as C grows (99.93 % at C = 1000), never attained: the output's bias adds 1 to either eigenvalue",
)


def _reads_modes(weights: Weights, x: Array, v: Array, outputs: Callable[[Array], Array]) -> dict[str, Any]:
    """Return Phi^T v in the mode of v, of -v and in another, with what this one differs by from the opposite one.

    Args:
        weights: theta in rationals, k units.
        x: distinct data points, rationals [n].
        v: a direction, rationals [3k + 1].
        outputs: what gives the mode from w2 (x_j dw1 + db1) of all units at all samples, truth values [n, k].
    """
    k, z = weights.width, weights.pre_activations(x)
    shifts = np.multiply.outer(x, v[:k]) + v[k : 2 * k]
    mode = outputs(shifts * weights.w2)
    signs = np.where(mode, 1, -1)
    along, against, out = (
        switching.mode_features(weights, x, (z > 0) | ((z == 0) & active)) @ v
        for active in (shifts > 0, shifts < 0, mode)
    )
    change = np.where(z == 0, signs * shifts * weights.w2, 0 * z).sum(axis=1) if k else 0 * along
    knots = np.array((weights.w1 != 0) | (weights.b1 != 0), dtype=bool)
    read = _toggling_units(weights, x, signs, v, knots)
    return read | {"a": along, "b": against, "o": out, "e": change, "N": Fraction(dot(v, v))}


def _reads_sharpest(given: Instance) -> dict[str, Any]:
    """Return the direction in the mode in which it is sharpest, sample by sample, and in those of q and -q."""
    weights, x = _exact(given)
    v = rationals(given["direction"])
    still = switching.mode_features(weights, x, weights.pre_activations(x) > 0) @ v

    def sharpest(parts: Array) -> Array:
        toggling = np.where(weights.pre_activations(x) == 0, parts, 0 * parts)
        most, least = (still + np.where(s * toggling > 0, toggling, 0 * toggling).sum(axis=1) for s in (1, -1))
        return np.where((np.abs(most) >= np.abs(least))[:, None], parts > 0, parts < 0)

    return _reads_modes(weights, x, v, sharpest) | {
        "C": switching.gradient_bound(weights, x),
        "eta": Fraction(given["step_size"]),
    }


def does_not_lengthen(name: str, directions: Callable[[Instance], tuple[Array, ...]]) -> Assumption:
    """Return the assumption that no first step from some directions, or against them, ends further away."""
    return Assumption(
        name,
        lambda given: (
            Fraction(given["step_size"])
            * max(
                curvature
                for direction in directions(given)
                for curvature in switching.curvatures_of_steps(given["weights"], given["x"], direction)
            )
        ),
        lambda product: product <= 2,
    )


def _strongly_stable_along() -> Assumption:
    return does_not_lengthen(
        "strong stability, from q and from -q: eta q^T H q <= 2 in the mode of either",
        lambda given: (rationals(given["direction"]),),
    )


def _sharpness_limit(edge: Fraction, root: Enclosure, thrice: Fraction, times: int) -> Enclosure:
    """Return edge + times (thrice + root)."""
    return Enclosure(edge + times * (thrice + Fraction(root.lower)), edge + times * (thrice + Fraction(root.upper)))


def _quadratic_limit(given: Instance, shared: Fraction, times: int) -> Enclosure:
    """Return 2/eta + times (3 U + sqrt(3 U (3 U + 2/eta))), U = C^2 p/n: once in print, twice as it follows."""
    edge, thrice = 2 / Fraction(given["step_size"]), 3 * shared
    return _sharpness_limit(edge, square_root(thrice * (thrice + edge)), thrice, times)


def largest_curvature(given: Instance) -> Enclosure:
    """Return max_m q^T H_m q of the direction."""
    return Enclosure.exactly(switching.largest_curvature(given["weights"], given["x"], given["direction"]))


def sharpness_sides(given: Instance, half: Fraction = Fraction(1, 2)) -> tuple[Enclosure, Enclosure]:
    """Return max_m q^T H_m q, and (sqrt(2/eta) + sqrt(half U))^2, U = C^2 p_max/n."""
    root = square_root(2 / Fraction(given["step_size"])) + square_root(half * share(given))
    return largest_curvature(given), _times(root, root)


def _numbers(given: Instance) -> tuple[float, float, int, int]:
    weights, x = _exact(given)
    bound, units = switching.gradient_bound(weights, x), switching.most_toggling(weights, x)
    return float(given["step_size"]), float(bound), units, len(x)


def _opposite_directions() -> Instance:
    return _opposite_units().but(direction=rationals([1, -1, 1, -1, 0, 0, 0]), step_size=Fraction(2))


M8 = Claim(
    id="M8",
    source=Source(MULAYOFF2021, "section 4.2, eqs 34-36"),
    statement=r"\theta^* \text{ strongly stable} \;\Rightarrow\; \lambda^{upper}_{\max} \le \tfrac2\eta + "
    r"3C^2\tfrac{p_{\max}}n + C\sqrt{3\tfrac{p_{\max}}n\big(3C^2\tfrac{p_{\max}}n + \tfrac2\eta\big)}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE, DIRECTION),
    assumptions=(_no_idle_unit(), _strongly_stable_along()),
    sides=lambda given: (largest_curvature(given), _quadratic_limit(given, share(given), 1)),
    bound=switching_bounds.sharpness_bound_as_printed,
    bound_on=lambda given: switching_bounds.sharpness_bound_as_printed(*_numbers(given)),
    proof=proofs.m8,
    reads=_reads_sharpest,
    finding=Finding.PROOF_GAP,
    note="Eq 34 and Lemma 2 give twice what is added to 2/eta (M8.b, M8.c): at the witness 27.5 where 14.6 is printed. "
    "The printed bound is true all the same, because q and -q lie in complementary modes: M8.a, which is sharper. Only a "
    "step from q and one from -q are asked not to lengthen. As in M7.a every toggling unit has a knot; with units that have "
    "w1 = b1 = 0 the question is open.",
    quote="Thus, using Lemma 2 with gamma = 0, [..] we get that if theta* is strongly stable then (see Appendix IX)",
    reading="As a derivation from Lemma 2 and eq 34; what the appendix says is not looked at here.",
    witness=_opposite_directions().but(
        step_size=Fraction(10, 9),
        direction=rationals([1, -1, 1, -1, 0, 0, 1]),
        top_sharpness=Fraction(5),
        gradient_bound=1,
        toggling=2,
        n=1,
        mode=np.array([[1, 0]]),
        sample_direction=rationals([1]),
    ),
    no_extremal="loose; see M8.a",
)

M8A = Claim(
    id="M8.a",
    amends="M8",
    source=Source(MULAYOFF2021, "eq 35, proved otherwise and sharpened"),
    statement=r"\theta^* \text{ strongly stable, no unit with } w^{(1)} = b^{(1)} = 0 \;\Rightarrow\; "
    r"\sqrt{\lambda^{upper}_{\max}} \le \sqrt{\tfrac2\eta} + C\sqrt{\tfrac{p_{\max}}{2n}}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE, DIRECTION),
    assumptions=(_no_idle_unit(), _strongly_stable_along()),
    sides=sharpness_sides,
    bound=switching_bounds.sharpness_bound,
    bound_on=lambda given: switching_bounds.sharpness_bound(*_numbers(given)),
    proof=proofs.m8a,
    reads=_reads_sharpest,
    finding=Finding.OURS,
    note="With one toggling unit, or if all have output weights of one sign at a point, q or -q lies in the mode at hand and "
    "lambda_up <= 2/eta. Only a step from q and one from -q are asked not to lengthen; for that the constant is best possible.",
    extremal=_opposite_directions(),
)

TOP = Symbol("top_sharpness", r"\lambda", "a number, above 0", positive)
BOUND = Symbol("gradient_bound", "C", "a number, above 0", positive)
COUNT = Symbol("toggling", "p", "number of units that toggle on a data point, above 0", positive)
SIZE = Symbol("n", "n", "number of data points, above 0", positive)


def _shared_numbers(given: Instance) -> Fraction:
    return Fraction(given["gradient_bound"]) ** 2 * Fraction(given["toggling"]) / Fraction(given["n"])


def eigenvector_margin(given: Instance) -> Enclosure:
    """Return 2/eta + 2 sqrt(3 U lambda) - lambda, U = C^2 p/n."""
    top, edge = Fraction(given["top_sharpness"]), 2 / Fraction(given["step_size"])
    root = square_root(3 * _shared_numbers(given) * top)
    return Enclosure(edge + 2 * Fraction(root.lower) - top, edge + 2 * Fraction(root.upper) - top)


def _what_lemma_2_leaves() -> Assumption:
    return Assumption(
        "lambda <= 2/eta + delta, delta = 2 sqrt(3) C sqrt(lambda p/n)", eigenvector_margin, lambda v: v.lower >= 0
    )


def _deduced_on(given: Instance) -> float:
    return switching_bounds.deduced_sharpness_bound(
        float(given["step_size"]), float(given["gradient_bound"]), given["toggling"], given["n"]
    )


def deduction_sides(given: Instance, times: int = 2) -> tuple[Enclosure, Enclosure]:
    """Return lambda, and 2/eta + times (3 U + sqrt(3 U (3 U + 2/eta)))."""
    return Enclosure.exactly(Fraction(given["top_sharpness"])), _quadratic_limit(given, _shared_numbers(given), times)


def _reads_numbers(given: Instance) -> dict[str, Any]:
    return {
        "lambda": Fraction(given["top_sharpness"]),
        "eta": Fraction(given["step_size"]),
        "U": _shared_numbers(given),
    }


_NUMBERS = {"top_sharpness": Fraction(64), "step_size": Fraction(1, 8), "gradient_bound": 1, "toggling": 3, "n": 1}

M8B = Claim(
    id="M8.b",
    amends="M8",
    source=Source(MULAYOFF2021, "eq 35, its derivation"),
    statement=r"\lambda \le \tfrac2\eta + 2\sqrt3\, C\sqrt\lambda\sqrt{\tfrac pn} \;\Rightarrow\; "
    r"\lambda \le \tfrac2\eta + 3C^2\tfrac pn + C\sqrt{3\tfrac pn\big(3C^2\tfrac pn + \tfrac2\eta\big)}",
    form=Form.AT_MOST,
    symbols=(TOP, STEP_SIZE, BOUND, COUNT, SIZE),
    assumptions=(_what_lemma_2_leaves(),),
    sides=lambda given: deduction_sides(given, 1),
    finding=Finding.FALSE,
    note="'Using Lemma 2 with gamma = 0 and this delta' leaves the first inequality; solving it doubles both terms beside "
    "2/eta. With eta = 1/8, C = 1, p = 3, n = 1 it allows lambda = 64, where 40 is printed.",
    quote="Thus, using Lemma 2 with gamma = 0, delta = 2 sqrt(3) C sqrt(lambda_max^upper) sqrt(p_max / n)",
    reading="As the one step, in numbers, from what Lemma 2 says with this delta to eq 35; what the appendix adds is not "
    "looked at here, and eq 35 itself is M8.",
    witness=Instance(_NUMBERS, "named"),
    no_extremal="refuted; see M8.c",
)

M8C = Claim(
    id="M8.c",
    amends="M8",
    source=Source(MULAYOFF2021, "eq 35, derived"),
    statement=r"\lambda \le \tfrac2\eta + 2\sqrt3\, C\sqrt\lambda\sqrt{\tfrac pn} \;\Rightarrow\; "
    r"\lambda \le \tfrac2\eta + 6C^2\tfrac pn + 2C\sqrt{3\tfrac pn\big(3C^2\tfrac pn + \tfrac2\eta\big)}",
    form=Form.AT_MOST,
    symbols=(TOP, STEP_SIZE, BOUND, COUNT, SIZE),
    assumptions=(_what_lemma_2_leaves(),),
    sides=deduction_sides,
    bound=switching_bounds.deduced_sharpness_bound,
    bound_on=_deduced_on,
    proof=proofs.m8c,
    reads=_reads_numbers,
    finding=Finding.OURS,
    note="What eq 34 and Lemma 2 give. M8.a is sharper, and so is the printed bound, by another argument.",
    extremal=Instance(_NUMBERS, "named"),
)


def _strongly_stable_at_mean() -> Assumption:
    return does_not_lengthen(
        "strong stability, from the mean gradient and its opposite: eta q^T H q <= 2 in the mode of either",
        lambda given: (switching.mean_gradient(given["weights"], given["x"]),),
    )


def excess_share(given: Instance) -> Fraction:
    """Return C^2 (1 + k - L)/n with C = max{1, rho (1 + M)}."""
    bound = switching.parameter_gradient_bound(given["weights"], given["x"])
    return bound**2 * switching.spare_units(given["weights"]) / len(given["x"])


def excess_sides(given: Instance, quarter: Fraction = Fraction(1, 4)) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and 1/eta - 1/2 + sqrt(U/eta) + U quarter, U = C^2 (1 + k - L)/n."""
    shared, eta = excess_share(given), Fraction(given["step_size"])
    root, rest = square_root(shared / eta), 1 / eta - Fraction(1, 2) + quarter * shared
    return curvature_enclosure(given["weights"], given["x"]), Enclosure(rest, rest) + root


def printed_excess(shared: Fraction, eta: Fraction) -> Enclosure:
    """Return Delta = (3/2) U + sqrt((3/4) U (3 U + 2/eta)) (eq 25), U = C^2 (1 + k - L)/n."""
    thrice = 3 * shared
    return Enclosure.exactly(thrice / 2) + square_root(thrice * (thrice + 2 / eta) / 4)


def printed_excess_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and 1/eta - 1/2 + Delta, as printed."""
    eta = Fraction(given["step_size"])
    edge = Enclosure.exactly(1 / eta - Fraction(1, 2))
    return curvature_enclosure(given["weights"], given["x"]), edge + printed_excess(excess_share(given), eta)


def _excess_on(given: Instance, excess: Callable[..., float]) -> float:
    bound = switching.parameter_gradient_bound(given["weights"], given["x"])
    units, eta = switching.spare_units(given["weights"]), float(given["step_size"])
    return 1 / eta - 0.5 + excess(eta, float(bound), units, len(given["x"]))


def _idle_and_stable() -> Instance:
    """Return M7's witness, a constant function, with a step size at which it is strongly stable."""
    idle = _idle_unit()
    return Instance({"weights": idle["weights"], "x": idle["x"], "step_size": Fraction(1, 26)}, "named")


def _reads_mean(given: Instance) -> dict[str, Any]:
    """Return the mean gradient with toggling units inactive, in the modes, and what the units hold of it."""
    weights, x = _exact(given)
    modes = _reads_modes(
        weights, x, switching.mean_gradient(weights, x), lambda parts: np.zeros(parts.shape, dtype=bool)
    )
    return (
        reads_units(weights, x)
        | modes
        | {
            "C": switching.parameter_gradient_bound(weights, x),
            "P": switching.spare_units(weights),
            "eta": Fraction(given["step_size"]),
        }
    )


M9 = Claim(
    id="M9",
    source=Source(MULAYOFF2021, "Theorem 2, eqs 24-25"),
    statement=r"f \text{ strongly stable, } L \text{ knots}, \|\theta^*\|_\infty \le \rho \;\Rightarrow\; "
    r"\int |f''| g \le \tfrac1\eta - \tfrac12 + \tfrac32 C^2\tfrac{1+k-L}n + "
    r"C\sqrt{\tfrac34\tfrac{1+k-L}n\big(3C^2\tfrac{1+k-L}n + \tfrac2\eta\big)},\quad C = \max\{1, \rho(1+M)\}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE),
    assumptions=(_strongly_stable_at_mean(),),
    sides=printed_excess_sides,
    bound=switching_bounds.curvature_excess_as_printed,
    bound_on=lambda given: _excess_on(given, switching_bounds.curvature_excess_as_printed),
    proof=proofs.m9,
    reads=_reads_mean,
    finding=Finding.PROOF_GAP,
    note="The printed proof rests on eq 36, which does not follow from what precedes it (M8.b), and on Lemma 5, which units "
    "with w1 = b1 = 0 refute: at the witness eq 34 fails. Looking along the mean gradient instead gives a smaller Delta "
    "(M9.a), for such units too, and no Delta at all with a smaller weight at data points (M9.b).",
    quote="Combining (37) and (36), shows that any strongly stable solution that meets the assumptions must satisfy (24).",
    reading="As the proof of Theorem 2 that section 4.2 outlines; the theorem itself is true, and the appendices are not "
    "looked at here.",
    witness=_idle_and_stable(),
    no_extremal="loose; see M9.a and M9.b",
)

M9A = Claim(
    id="M9.a",
    amends="M9",
    source=Source(MULAYOFF2021, "Theorem 2, sharpened"),
    statement=r"f \text{ strongly stable, } L \text{ knots}, \|\theta^*\|_\infty \le \rho \;\Rightarrow\; "
    r"\int |f''| g \le \tfrac1\eta - \tfrac12 + C\sqrt{\tfrac{1+k-L}{n\eta}} + C^2\tfrac{1+k-L}{4n}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE),
    assumptions=(_strongly_stable_at_mean(),),
    sides=excess_sides,
    bound=switching_bounds.curvature_excess,
    bound_on=lambda given: _excess_on(given, switching_bounds.curvature_excess),
    proof=proofs.m9a,
    reads=_reads_mean,
    finding=Finding.OURS,
    note="Delta is at most 5/6 of the printed one, and for large C^2 (1 + k - L)/n a twelfth. Only a step along the mean "
    "gradient of f at the data and one against it are asked not to lengthen; for these alone Delta cannot be dropped: two "
    "units on five points exceed 1/eta - 1/2.",
    no_extremal="C bounds every gradient by the largest weight and the largest input, which no network attains at all units",
)


def reads_resting(given: Instance) -> dict[str, Any]:
    """Return what f changes by along the resting mean gradient and against it, each in its mode, and what is left over."""
    weights, x = _exact(given)
    k, v = weights.width, switching.resting_gradient(weights, x)
    shifts = np.multiply.outer(x, v[:k]) + v[k : 2 * k]
    z = weights.pre_activations(x)
    outputs = [switching.mode_features(weights, x, (z > 0) | ((z == 0) & (sign * shifts > 0))) @ v for sign in (1, -1)]
    left = [
        (1 - 2 * switching.share_at_rest(weights, x, j, i)) * weights.w2[i] * shifts[j, i]
        for j, i in np.argwhere(z == 0).tolist()
    ]
    found = reads_units(weights, x, resting=True)
    wide = max(found["k"], len(x))
    read = found | {name: padded(found[name], wide) for name in ("w1", "w2", "M", "S", "A")}
    spare = [Fraction(0)] * (wide - len(x))
    return read | {
        "a": [*outputs[0], *spare],
        "b": [*outputs[1], *spare],
        "z": [*left, Fraction(0)],
        "m": len(left) + 1,
        "k": wide,
        "N": Fraction(dot(v, v)),
        "eta": Fraction(given["step_size"]),
    }


M9B = Claim(
    id="M9.b",
    amends="M9",
    source=Source(MULAYOFF2021, "Theorem 2, without Delta"),
    statement=r"f \text{ strongly stable} \;\Rightarrow\; \int |f''| g_\circ \le \tfrac1\eta - \tfrac12,\quad "
    r"g_\circ = g \text{ off the data and where } x_j x_l \ge -1\ \forall l",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE),
    assumptions=(
        does_not_lengthen(
            "strong stability, from the resting mean gradient and its opposite: eta q^T H q <= 2 in the mode of either",
            lambda given: (switching.resting_gradient(given["weights"], given["x"]),),
        ),
    ),
    sides=lambda given: (
        switching.resting_curvature(given["weights"], given["x"]),
        Enclosure.exactly(1 / Fraction(given["step_size"]) - Fraction(1, 2)),
    ),
    bound=smooth_bounds.curvature_bound,
    bound_on=lambda given: smooth_bounds.curvature_bound(float(given["step_size"])),
    proof=proofs.m9b,
    reads=reads_resting,
    finding=Finding.OURS,
    note="Theorem 1's bound for strongly stable minima at which any units toggle. The resting weight (theory.switching) "
    "differs from g only at data points t with t E[X | X > t] or t E[X | X < t] below -1: on data within [-1, 1] it is g.",
    extremal=Instance(balanced_pair(), "named").but(step_size=Fraction(8, 5)),
)

SAMPLES = Symbol("sample_direction", "u", "a direction among the samples, exact, [n], not 0", exact_vector)


def _is_a_mode() -> Assumption:
    return Assumption(
        "m is a mode around the weights",
        lambda given: switching.is_mode(given["weights"], given["x"], given["mode"]),
        bool,
    )


def _step(given: Instance, mode: Array, outputs: Array) -> Array | None:
    weights, x = _exact(given)
    return general_position.step_in_mode(weights, x, mode, outputs)


def _in_general_position(mode: Callable[[Instance], Array]) -> Assumption:
    return Assumption(
        "general position: the rows of Phi_m^T and of all x_j dw1_i + db1_i that may change sign are independent",
        lambda given: _step(given, mode(given), rationals([1] * len(given["x"]))) is not None,
        bool,
    )


def _strongly_stable_in(mode: Callable[[Instance], Array], outputs: Callable[[Instance], Array]) -> Assumption:
    def measure(given: Instance) -> Fraction:
        step = _step(given, mode(given), outputs(given))
        if step is None:
            return Fraction(0)
        return Fraction(given["step_size"]) * general_position.lengthening(*_exact(given), step)

    return Assumption(
        "strong stability, from a v of mode m with Phi_m^T v = u: no step from v is longer", measure, lambda v: v <= 2
    )


def sample_direction(given: Instance) -> Array:
    """Return u, a direction among the samples.

    Raises:
        ValueError: if it is 0, or has not one entry for each data point.
    """
    u: Array = given["sample_direction"]
    n = len(given["x"])
    if len(u) != n or not np.any(u != 0):
        raise ValueError(f"sample_direction must have {n} entries, one a data point, not all 0, got {u}")
    return u


def quotient_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return u^T K_m u / u^T u, K_m = Phi_m^T Phi_m / n, and 2/eta.

    Raises:
        ValueError: if u is 0, or has not one entry for each data point.
    """
    weights, x = _exact(given)
    u = sample_direction(given)
    image = switching.mode_features(weights, x, given["mode"]).T @ u
    quotient = Fraction(dot(image, image)) / (len(x) * Fraction(dot(u, u)))
    return Enclosure.exactly(quotient), Enclosure.exactly(2 / Fraction(given["step_size"]))


def _mode_of(given: Instance) -> Array:
    mode: Array = given["mode"]
    return mode


def _resting_mode(given: Instance) -> Array:
    weights, x = _exact(given)
    return np.asarray(weights.pre_activations(x) > 0, dtype=bool)


def _reads_step(given: Instance, mode: Array, outputs: Array) -> dict[str, Any] | None:
    """Return the gradients in a mode, u, and the v with Phi_m^T v = u that lies in it."""
    weights, x = _exact(given)
    features = switching.mode_features(weights, x, mode)
    step = _step(given, mode, outputs)
    if step is None:
        return None
    return {
        "phi": features.T,
        "u": outputs,
        "v": step,
        "n": len(x),
        "eta": Fraction(given["step_size"]),
        "r": len(step),
        "k": len(x),
    }


M8D = Claim(
    id="M8.d",
    amends="M8",
    source=Source(MULAYOFF2021, "eq 35, in general position"),
    statement=r"\theta^* \text{ strongly stable, the rows of } \Phi_m^T \text{ and } x_j\, dw^{(1)}_i + db^{(1)}_i "
    r"\text{ (unit } i \text{ toggling on } x_j) \text{ independent} \;\Rightarrow\; \lambda_{\max}(H_m) \le \tfrac2\eta",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE, MODE, SAMPLES),
    assumptions=(
        _is_a_mode(),
        _no_idle_unit(),
        _in_general_position(_mode_of),
        _strongly_stable_in(_mode_of, lambda given: given["sample_direction"]),
    ),
    sides=quotient_sides,
    proof=proofs.m8d,
    reads=lambda given: _reads_step(given, _mode_of(given), given["sample_direction"]),
    finding=Finding.OURS,
    note="No excess over 2/eta at all, with M3.a an equivalence: in general position strong stability is the stability "
    "of every mode. It needs 3k + 1 >= n + p, and no three data points between which no unit switches, whose rows "
    "are dependent. M8 and M8.a look along the one eigenvector q, which need not lie in its own mode; but a v may, "
    "whose image Phi_m^T v is the same up to a factor. Decided along every u among the samples.",
    extremal=_opposite_units().but(step_size=Fraction(2, 3), mode=np.array([[1, 0]]), sample_direction=rationals([1])),
)


def _reads_stable(given: Instance) -> dict[str, Any] | None:
    """Return what `_reads_step` does for u = (1, .., 1), with the units by knots."""
    weights, x = _exact(given)
    step = _reads_step(given, _resting_mode(given), rationals([1] * len(x)))
    if step is None:
        return None
    units = reads_units(weights, x)
    wide, tall = max(units["k"], len(x)), max(units["r"], step["r"])  # both sums run over as many rows and columns
    read = step | units | {"r": tall, "k": wide}
    for name in ("w1", "w2", "M", "S", "A", "phi"):
        read[name] = padded(padded(read[name], wide).T, tall).T
    for name, size in (("g", tall), ("v", tall), ("u", wide)):
        read[name] = [*read[name], *[Fraction(0)] * (size - len(read[name]))]
    return read


M9C = Claim(
    id="M9.c",
    amends="M9",
    source=Source(MULAYOFF2021, "Theorem 2, in general position"),
    statement=r"f \text{ strongly stable, in general position} \;\Rightarrow\; \int |f''| g \le \tfrac1\eta - \tfrac12",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, STEP_SIZE),
    assumptions=(
        _no_idle_unit(),
        _in_general_position(_resting_mode),
        _strongly_stable_in(_resting_mode, lambda given: rationals([1] * len(given["x"]))),
    ),
    sides=lambda given: (
        curvature_enclosure(given["weights"], given["x"]),
        Enclosure.exactly(1 / Fraction(given["step_size"]) - Fraction(1, 2)),
    ),
    bound=smooth_bounds.curvature_bound,
    bound_on=lambda given: smooth_bounds.curvature_bound(float(given["step_size"])),
    proof=proofs.m9c,
    reads=_reads_stable,
    finding=Finding.OURS,
    note="Theorem 1's bound, with g itself and no Delta, at minima at which units toggle: general position as in M8.d, in the "
    "mode in which toggling units are inactive. Only one step is asked not to lengthen, from a v with Phi_m^T v = (1, .., 1).",
    extremal=Instance(balanced_pair(), "named").but(step_size=Fraction(8, 5)),
)

CLAIMS = (M7, M7A, M8, M8A, M8B, M8C, M8D, M9, M9A, M9B, M9C, B4)
