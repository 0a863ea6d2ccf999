"""What Mulayoff, Michaeli and Soudry 2021 say of a function and of the weights that implement it: M14, M16 and M18."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory import switching
from theory.checks import Array, dot, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.curvature import curvature_enclosure
from theory.enclosure import Enclosure, square_root
from theory.mulayoff2021 import implementations_proofs as proofs
from theory.mulayoff2021 import smooth_bounds
from theory.mulayoff2021.smooth import padded, reads_gradients, reads_units
from theory.mulayoff2021.switching import (
    BOUND,
    SAMPLES,
    SIZE,
    does_not_lengthen,
    gram_top,
    printed_excess,
    printed_excess_sides,
    reads_resting,
    sample_direction,
)
from theory.piecewise_linear import PiecewiseLinear
from theory.sharpness import balanced_pair, gram, sharpness
from theory.sources import MULAYOFF2021, Source
from theory.symbols import STEP_SIZE, WEIGHTS, Symbol, X
from theory.two_layer import Weights, check_weights


def _exact(given: Instance) -> tuple[Weights, Array]:
    return given["weights"].rational(), rationals(given["x"])


def mode_tops(given: Instance) -> list[Enclosure]:
    """Return an interval around lambda_max(H_m) of each mode.

    Raises:
        ValueError: if there are more than 4096.
    """
    weights, x = _exact(given)
    return [gram_top(switching.mode_features(weights, x, mode)) for mode in switching.modes(weights, x)]


def sharpest_mode(given: Instance) -> Enclosure:
    """Return an interval around lambda_up, the largest lambda_max(H_m) of all modes (eq 16)."""
    tops = mode_tops(given)
    return Enclosure(max(top.lower for top in tops), max(top.upper for top in tops))


def _around_curvature(curvature: Enclosure) -> Enclosure:
    return Enclosure(1 + 2 * curvature.lower, 1 + 2 * curvature.upper)


def _curvature_bound(given: Instance) -> Enclosure:
    return _around_curvature(curvature_enclosure(given["weights"], given["x"]))


def _reads_sharpest_mode(given: Instance) -> dict[str, Any]:
    """Return what M5's proof speaks of, toggling units inactive, with the top eigenvalue of the sharpest mode."""
    return reads_gradients(given) | {"lambda_max": Fraction(sharpest_mode(given).upper)}


M14 = Claim(
    id="M14",
    source=Source(MULAYOFF2021, "section 4.2, eq 37"),
    statement=r"\min_{\theta \in \Omega(f)} \lambda^{upper}_{\max}(\theta) \ge 1 + 2 \int |f''| g,\quad "
    r"\lambda^{upper}_{\max} = \max_m \lambda_{\max}(H_m)",
    form=Form.AT_LEAST,
    symbols=(WEIGHTS, X),
    sides=lambda given: (sharpest_mode(given), _curvature_bound(given)),
    bound=smooth_bounds.sharpness_lower_bound,
    bound_on=lambda given: smooth_bounds.sharpness_lower_bound(
        PiecewiseLinear.from_weights(given["weights"]), given["x"]
    ),
    proof=proofs.m14,
    reads=_reads_sharpest_mode,
    finding=Finding.AS_PRINTED,
    note="The paper's appendix, which was not read here, is not needed: the mode in which every toggling unit is inactive "
    "is always among the modes, and g counts the points strictly beyond a knot, so Lemma 4's proof (M5) speaks of that "
    "mode. Units with w1 = b1 = 0 are no exception. Of the flattest mode it is false: at data points t with "
    "t E[X | X > t] below -1 a unit that is active on t is flatter, which is where g exceeds the weight of M9.b.",
    extremal=Instance(balanced_pair(), "named"),
)


def counted_weight_enclosure(t: Array, x: Array) -> tuple[Array, Array]:
    """Return rationals below and above the weight that counts a knot's own data point where that is more, [m] each.

    Of m points beyond t with sum S, at distances that add up to A, either side holds A sqrt(m^2 + S^2) / n^2, and at a data
    point the larger of this and A sqrt((m + 1)^2 + (S + t)^2) / n^2; the weight is that of the lesser side.

    Args:
        t: points, rationals [m].
        x: distinct data points, rationals [n].
    """
    lower, upper = [], []
    for place in t:
        ends = []
        for side in (switching.side_of(place, x, above=above) for above in (False, True)):
            root = square_root(side["A"] ** 2 * _counted(place, x, side)["size"])
            ends.append((Fraction(root.lower) / len(x) ** 2, Fraction(root.upper) / len(x) ** 2))
        lower.append(min(end[0] for end in ends))
        upper.append(min(end[1] for end in ends))
    return rationals(lower), rationals(upper)


def _counted(place: Fraction, x: Array, side: dict[str, Fraction]) -> dict[str, Fraction]:
    """Return M and S of a side, the knot's own data point among them if that makes M^2 + S^2 larger, and this `size`."""
    choices = [(side["M"], side["S"])]
    if np.any(x == place):
        choices.append((side["M"] + 1, side["S"] + place))
    size, (count, total) = max((Fraction(m**2 + s**2), (m, s)) for m, s in choices)
    return {"M": count, "S": total, "size": size}


def counted_curvature(given: Instance) -> Enclosure:
    """Return rationals around int |f''| times the weight that counts a knot's own data point where that is more."""
    weights, x = _exact(given)
    f = PiecewiseLinear.from_weights(weights)
    lower, upper = counted_weight_enclosure(f.knots, x)
    return Enclosure(Fraction(dot(np.abs(f.jumps), lower)), Fraction(dot(np.abs(f.jumps), upper)))


def _reads_counted(given: Instance) -> dict[str, Any]:
    """Return the gradients in the mode in which each toggling unit is active if that makes its M^2 + S^2 larger."""
    weights, x = _exact(given)
    n, mode = len(x), np.asarray(weights.pre_activations(x) > 0, dtype=bool)
    units, ends = reads_units(weights, x), []
    for row, knot in enumerate(switching.units_by_knots(weights, x)):
        sides = [switching.side_of(knot, x, above=above) for above in (False, True)]
        counted = [_counted(knot, x, side) for side in sides]
        for column, w1 in enumerate(units["w1"][row]):
            for name in ("M", "S") if w1 != 0 else ():
                units[name][row, column] = counted[int(w1 > 0)][name]
        for i in np.flatnonzero((weights.w1 != 0) & (weights.b1 == -weights.w1 * knot)):
            above = int(weights.w1[i] > 0)
            mode[x == knot, i] = counted[above]["M"] != sides[above]["M"]
        ends.append(
            [sp.Rational(s["A"]) * sp.sqrt(sp.Rational(c["size"])) / n**2 for s, c in zip(sides, counted, strict=True)]
        )
    features, wide = switching.mode_features(weights, x, mode), max(units["k"], n)
    read = units | {"phi": features.T, "l": features.shape[1], "lambda_max": Fraction(sharpest_mode(given).upper)}
    read |= {name: padded(read[name], wide) for name in ("w1", "w2", "M", "S", "A", "phi")}
    return read | {"g": [sp.Min(*pair) for pair in ends], "k": wide}


M14A = Claim(
    id="M14.a",
    amends="M14",
    source=Source(MULAYOFF2021, "eq 37, sharpened"),
    statement=r"\min_{\theta \in \Omega(f)} \lambda^{upper}_{\max}(\theta) \ge 1 + 2 \int |f''| \hat g,\quad "
    r"\hat g = g \text{ off the data},\ \hat g(x_j) = \min_\pm \max\{g^\pm(x_j),\ "
    r"g^\pm(x_j) \text{ with } x_j \text{ counted}\}",
    form=Form.AT_LEAST,
    symbols=(WEIGHTS, X),
    sides=lambda given: (sharpest_mode(given), _around_curvature(counted_curvature(given))),
    proof=proofs.m14a,
    reads=_reads_counted,
    finding=Finding.OURS,
    note="Each toggling unit chooses its mode for itself, and so may count its own data point where that adds to its share "
    "of the mean gradient: either side of a knot on the data takes the larger of both values. So the weight is at least g "
    "and both its one-sided limits.",
    extremal=Instance(balanced_pair(), "named"),
)


OUTER_KNOTS = Symbol("outer_knots", "(t_i)", "places outside the data, exact, [m]", exact_vector)
OUTER_JUMPS = Symbol("outer_jumps", "(c_i)", "changes of slope there, exact, [m]", exact_vector)


def with_outer_units(weights: Weights, x: Array, knots: Array, jumps: Array) -> Weights:
    """Return the network with one unit more for each outer knot, which looks away from the data.

    Args:
        weights: theta in rationals.
        x: data points, rationals [n].
        knots: places below or above all data points, [m]; what lies between looks up.
        jumps: the change of slope at each, [m].
    """
    signs = rationals([-1 if knot < min(x) else 1 for knot in knots])
    return Weights(
        np.concatenate([weights.w1, signs]),
        np.concatenate([weights.b1, -signs * knots]),
        np.concatenate([weights.w2, jumps]),
        weights.b2,
    )


def quotient(weights: Weights, x: Array, u: Array) -> Fraction:
    """Return u^T K u / u^T u, K = Phi^T Phi / n, for a direction u among the samples, not 0."""
    return Fraction(dot(u, gram(weights, x) @ u)) / Fraction(dot(u, u))


def _outer_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    weights, x = _exact(given)
    extended = with_outer_units(weights, x, given["outer_knots"], given["outer_jumps"])
    u = sample_direction(given)
    return Enclosure.exactly(quotient(extended, x, u)), Enclosure.exactly(quotient(weights, x, u))


def _outside() -> Assumption:
    return Assumption(
        "each t_i is below or above all data points",
        lambda given: [t for t in given["outer_knots"] if min(given["x"]) <= t <= max(given["x"])],
        lambda inside: not inside,
    )


def _reads_outer(given: Instance) -> dict[str, Any]:
    """Return the gradients in the outer units' weights, and what the others come to."""
    weights, x = _exact(given)
    knots, jumps, u = given["outer_knots"], given["outer_jumps"], given["sample_direction"]
    extended, m, n = with_outer_units(weights, x, knots, jumps), len(knots), len(x)
    features, k = extended.tangent_features(x), extended.width
    outer = features[:, [block * k + weights.width + i for block in range(3) for i in range(m)]]
    size = Fraction(dot(u, u))
    return {
        "b": outer.T,
        "u": u,
        "r": 3 * m,
        "k": n,
        "n": n,
        "U": size,
        "Q": quotient(weights, x, u) * n * size,
    }


M16 = Claim(
    id="M16",
    source=Source(MULAYOFF2021, "section 3, after Theorem 1; section 5"),
    statement=r"t_i \notin [x_{\min}, x_{\max}]:\quad \exists\, \theta' \text{ of } f + h,\ h'' = \sum_i c_i \delta_{t_i},\ "
    r"h = 0 \text{ on the data}:\quad \frac{u^\top K(\theta') u}{u^\top u} \le \frac{u^\top K(\theta) u}{u^\top u}\ \forall u",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, OUTER_KNOTS, OUTER_JUMPS, SAMPLES),
    assumptions=(_outside(),),
    sides=_outer_sides,
    proof=proofs.m16,
    reads=_reads_outer,
    finding=Finding.AS_PRINTED,
    note="A unit whose knot is beyond the data and that looks away from them is inactive on all: it adds any change of "
    "slope there, and nothing to the gradients, so f + h is stable at the same step sizes, under gradient descent by M4 and "
    "M1.a; of SGD too the Hessians of all samples are what they were. It takes one more unit for each knot. A unit that "
    "looks back is active on all data, and stability does restrict it, the more the further its knot is (M16.a): at a "
    "width that leaves none to spare, not every such function is stable.",
    reading="Read as: to a stable solution any curvature outside can be added, by a network with units to spare; as the "
    "sentences follow the weight g, which vanishes there.",
    extremal=Instance(
        balanced_pair()
        | {"outer_knots": rationals([2]), "outer_jumps": rationals([9]), "sample_direction": rationals([1, 1])},
        "named",
    ),
)


def _share(w1: Fraction, w2: Fraction, side: dict[str, Fraction], n: int) -> tuple[Fraction, Fraction]:
    root = square_root((w1 * w2 * side["A"]) ** 2 * (side["M"] ** 2 + side["S"] ** 2))
    return Fraction(root.lower) / n**2, Fraction(root.upper) / n**2


def unit_shares(given: Instance) -> Enclosure:
    """Return 1 + 2 sum_i |w1_i w2_i| A_i sqrt(M_i^2 + S_i^2) / n^2 over the units with a knot."""
    weights, x = _exact(given)
    shares = [
        _share(unit["w1"], unit["w2"], unit, len(x))
        for units in switching.units_by_knots(weights, x).values()
        for unit in units
    ]
    return _around_curvature(Enclosure(*(sum((share[end] for share in shares), Fraction(0)) for end in (0, 1))))


def _reads_each_unit(given: Instance) -> dict[str, Any]:
    weights, x = _exact(given)
    found = [unit for units in switching.units_by_knots(weights, x).values() for unit in units]
    features = weights.tangent_features(x)
    read = {name: [unit[name] for unit in found] for name in ("w1", "w2", "M", "S", "A")}
    return read | {
        "phi": features.T,
        "l": features.shape[1],
        "lambda_max": Fraction(sharpness(weights, x).upper),
        "r": len(found),
        "k": len(x),
        "n": len(x),
    }


def _looking_back() -> Instance:
    """Return one datum and a balanced unit whose knot lies below it and that is active on it."""
    at = Fraction(3, 4)
    weights = Weights([Fraction(1)], [Fraction(1, 2)], [Fraction(1)], Fraction(0))
    return Instance({"weights": weights, "x": rationals([at])}, "named")


M16A = Claim(
    id="M16.a",
    amends="M16",
    source=Source(MULAYOFF2021, "section 5, of the units that look back at the data"),
    statement=r"\lambda_{\max} \ge 1 + 2 \sum_i |w^{(1)}_i w^{(2)}_i|\, P_i^2\, \mathbb E[|X - t_i| \mid i]\, "
    r"\sqrt{1 + \mathbb E[X \mid i]^2},\quad P_i = P(\text{unit } i \text{ is active}),\ t_i = -b^{(1)}_i / w^{(1)}_i",
    form=Form.AT_LEAST,
    symbols=(WEIGHTS, X),
    sides=lambda given: (sharpness(given["weights"], given["x"]), unit_shares(given)),
    proof=proofs.m16a,
    reads=_reads_each_unit,
    finding=Finding.OURS,
    note="Unit by unit, before units at one knot cancel: of lambda_max(Phi Phi^T / n), toggling units inactive. A unit "
    "whose knot t lies outside and that looks back has P = 1, and so |w1 w2| at most "
    "(2/eta - 1) / (2 |E X - t| sqrt(1 + (E X)^2)) at a stable minimum; one that looks away has P = 0.",
    extremal=_looking_back(),
)


BOUNDED = Symbol(
    "bounded_weights",
    r"\theta^*",
    "weights, largest rho, of a network of as many units with the function of theta, [k]",
    check_weights,
)


def _one_function() -> Assumption:
    def same(given: Instance) -> bool:
        first, second = (
            PiecewiseLinear.from_weights(given[name].rational()) for name in ("weights", "bounded_weights")
        )
        return first.same_function(second)

    return Assumption("both networks have one function", same, bool)


def _strongly_stable() -> Assumption:
    return does_not_lengthen(
        "strong stability of theta, from two mean gradients and their opposites: eta q^T H q <= 2 in the mode of each",
        lambda given: (
            switching.mean_gradient(given["weights"], given["x"]),
            switching.resting_gradient(given["weights"], given["x"]),
        ),
    )


def two_implementations_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and 1/eta - 1/2 + Delta, with the C of the bounded implementation."""
    return printed_excess_sides(given.but(weights=given["bounded_weights"]))


def _scaled_at_rest() -> Instance:
    """Return f = 0 by a unit with w1 = 10 that toggles on a data point, stable, and by one whose weights are all 0."""
    zero = Fraction(0)
    return Instance(
        {
            "weights": Weights([Fraction(10)], [zero], [zero], zero),
            "bounded_weights": Weights([zero], [zero], [zero], zero),
            "x": rationals([-1, 0, 1]),
            "step_size": Fraction(1, 25),
            "gradient_bound": 1,
            "spare_units": 2,
            "n": 3,
        },
        "named",
    )


M18 = Claim(
    id="M18",
    source=Source(MULAYOFF2021, "Theorem 2, its hypothesis"),
    statement=r"\theta, \theta^* \in \Omega(f),\ \theta \text{ strongly stable},\ \|\theta^*\|_\infty \le \rho \;\Rightarrow\; "
    r"\int |f''| g \le \tfrac1\eta - \tfrac12 + \Delta,\quad C = \max\{1, \rho(1+M)\}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, BOUNDED, X, STEP_SIZE),
    assumptions=(_one_function(), _strongly_stable()),
    sides=two_implementations_sides,
    finding=Finding.PROOF_GAP,
    note="'f has an implementation' within rho, and f is stable if some implementation is (Definition 4): as printed these "
    "may be two. Lemma 5 and the proof speak of one, whose gradients C must bound: at the witness they are up to 10 where C "
    "= 1. No counterexample is known, and by M9.b there can be one only with knots on data points x_j where x_j x_l < -1 "
    "for some l (M18.a). With one implementation it is M9, which is true.",
    quote="Assume that f has an implementation theta* such that ||theta*||_inf <= rho.",
    reading="Strained: of two implementations; theta* is the letter of Definition 4 and of the proof, where it is the "
    "stable one, and then the words are those of M9.",
    witness=_scaled_at_rest(),
    no_extremal="loose; see M18.a",
)


def _no_opposite_points() -> Assumption:
    def most_opposite(given: Instance) -> Fraction:
        x = rationals(given["x"])
        return Fraction(min(x)) * Fraction(max(x)) if min(x) < 0 < max(x) else Fraction(0)

    return Assumption("x_j x_l >= -1 for all data points", most_opposite, lambda product: product >= -1)


def _reads_two(given: Instance) -> dict[str, Any]:
    """Return what M9.b's proof speaks of, of the stable implementation, and the numbers of Delta of the bounded one."""
    bounded = given["bounded_weights"]
    return reads_resting(given) | {
        "C": switching.parameter_gradient_bound(bounded, given["x"]),
        "P": switching.spare_units(bounded),
    }


M18A = Claim(
    id="M18.a",
    amends="M18",
    source=Source(MULAYOFF2021, "Theorem 2, of any two implementations"),
    statement=r"x_j x_l \ge -1\ \forall j, l,\ \theta, \theta^* \in \Omega(f),\ \theta \text{ strongly stable},\ "
    r"\|\theta^*\|_\infty \le \rho \;\Rightarrow\; \int |f''| g \le \tfrac1\eta - \tfrac12 + \Delta",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, BOUNDED, X, STEP_SIZE),
    assumptions=(_one_function(), _no_opposite_points(), _strongly_stable()),
    sides=two_implementations_sides,
    proof=proofs.m18a,
    reads=_reads_two,
    finding=Finding.OURS,
    note="Data within [-1, 1] among others. There the weight of M9.b is g, and Theorem 1's bound needs neither Delta nor "
    "rho: whichever implementation is stable, and whatever its size.",
    no_extremal="loose: Delta is above 0 and not needed",
)

SPARE = Symbol("spare_units", "s", "1 + k - L, above 0", BOUND.check)


def _excess_share(given: Instance) -> Fraction:
    return Fraction(given["gradient_bound"]) ** 2 * Fraction(given["spare_units"]) / Fraction(given["n"])


def excess(given: Instance) -> Enclosure:
    """Return Delta (eq 25), U = C^2 (1 + k - L)/n."""
    return printed_excess(_excess_share(given), Fraction(given["step_size"]))


def excess_limit(given: Instance, first: Fraction = Fraction(3), second: Fraction = Fraction(3, 2)) -> Enclosure:
    """Return first U + sqrt(second U / eta)."""
    shared = _excess_share(given)
    root = square_root(second * shared / Fraction(given["step_size"]))
    return Enclosure(first * shared + Fraction(root.lower), first * shared + Fraction(root.upper))


M18B = Claim(
    id="M18.b",
    amends="M18",
    source=Source(MULAYOFF2021, "section 3, after Theorem 2"),
    statement=r"\Delta \le 3U + \sqrt{\tfrac{3U}{2\eta}},\quad U = C^2\tfrac{1+k-L}{n}:\quad "
    r"\Delta \to 0 \text{ as } n \to \infty,\ \tfrac{k-L}n \to 0,\ C \text{ bounded}",
    form=Form.AT_MOST,
    symbols=(STEP_SIZE, BOUND, SPARE, SIZE),
    sides=lambda given: (excess(given), excess_limit(given)),
    proof=proofs.m18b,
    reads=lambda given: {"eta": Fraction(given["step_size"]), "U": _excess_share(given)},
    finding=Finding.AS_PRINTED,
    note="Delta goes with the root of (1 + k - L)/(n eta). If eta falls as 1/n with the data, as it must where the solutions "
    "bend more and more, the bound does not go to 0.",
    reading="With the step size fixed while n and k grow; here with a rate.",
    no_extremal="approached as U / eta goes to infinity or U eta does; U is above 0",
)

CLAIMS = (M14, M14A, M16, M16A, M18, M18A, M18B)
