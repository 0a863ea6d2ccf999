"""B2: the flattest network that computes a function, or passes through data, and what a dual matrix says of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import off_the_data
from theory.beyond import dual_bounds as bounds
from theory.beyond import dual_proofs as proofs
from theory.checks import Array, dot, exact_vector, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.curvature import curvature_enclosure
from theory.enclosure import Enclosure
from theory.extremes import leading, nearly
from theory.piecewise_linear import PiecewiseLinear
from theory.sharpness import gram, sharpness
from theory.sources import HOUSE, Source
from theory.stability_weight import weight_enclosure
from theory.symbols import POINTS, WEIGHTS, Symbol, X
from theory.two_layer import Weights


def _number(name: str, value: object) -> Fraction:
    """Return a real number, exactly.

    Raises:
        TypeError: if it is none.
        ValueError: if it is not finite.
    """
    return Fraction(rationals(real_array(name, [value]))[0])


DUAL = Symbol(
    "dual_matrix",
    "Z",
    "a symmetric positive semidefinite matrix of trace 1, exact, [n, n]; in the order of the data",
    bounds.check_dual_matrix,
)
TILT = Symbol("tilt", r"\nu", "half the multiplier of the slope left of all knots, any number", _number)
MULTIPLIERS = Symbol("multipliers", "p", "multipliers of the data, exact, [n]", exact_vector)
PLACE = Symbol("place", "t", "a number, exact", _number)
SAMPLE_DIRECTION = Symbol("sample_direction", "u", "a direction among the samples, exact, [n]", exact_vector)


def _exact(given: Instance) -> tuple[Weights, Array, Array]:
    """Return weights, data and dual matrix in rationals.

    Raises:
        ValueError: if the dual matrix has not one row for each data point.
    """
    x, Z = rationals(given["x"]), given["dual_matrix"]
    if len(Z) != len(x):
        raise ValueError(f"dual_matrix must have a row for each of the {len(x)} data points, got {len(Z)}")
    return given["weights"].rational(), x, Z


def unit_knots(weights: Weights) -> tuple[Array, Array, Array]:
    """Return knots, orientations and v = w2 |w1| of the units with w1 != 0, in rationals, [k'] each."""
    kept = weights.w1 != 0
    w1, b1, w2 = weights.w1[kept], weights.b1[kept], weights.w2[kept]
    return -b1 / w1, np.sign(w1).astype(int), w2 * np.abs(w1)


def tilt_room(given: Instance) -> Fraction | None:
    """Return the least of h_+(t) + h_-(t) - |nu| over the knots of all units, rounded down; None without knots."""
    weights, x, Z = _exact(given)
    right, left = bounds.unit_costs(Z, x, unit_knots(weights)[0])
    rooms = [Fraction(r.lower) + Fraction(h.lower) - abs(given["tilt"]) for r, h in zip(right, left, strict=True)]
    return min(rooms, default=None)


def _feasible_tilt() -> Assumption:
    return Assumption.that(bounds.FEASIBLE_TILT, tilt_room)


def dual_side(given: Instance) -> Enclosure:
    """Return 1^T Z 1 / n + 2 sum_i |jump_i| min(h_+, h_- - sign(jump_i) nu)(t_i) - 2 nu slope."""
    weights, x, Z = _exact(given)
    return bounds.dual_bound(PiecewiseLinear.from_weights(weights), x, Z, given["tilt"])


def _dual_bound_on(given: Instance) -> float:
    weights, x, Z = _exact(given)
    return bounds.dual_sharpness_bound(PiecewiseLinear.from_weights(weights), x, Z, tilt=given["tilt"])


def _dual_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return sharpness(given["weights"], given["x"]), dual_side(given)


def _one_point(w1: int) -> Instance:
    """Return one balanced unit on the one point x = 3/4, at distance 1, that faces right (w1 = 1) or left (-1)."""
    x, w2 = Fraction(3, 4), Fraction(4, 5)
    weights = Weights([Fraction(w1)], [1 - w1 * x], [w2], Fraction(0))
    cost = Fraction(5, 4)  # sqrt(1 + x^2)
    return Instance(
        {"weights": weights, "x": rationals([x]), "dual_matrix": rationals([[1]]), "tilt": w1 * -cost}, "named"
    )


def _at_least_one(values: dict[str, Any]) -> dict[str, Any]:
    """Return what is read of m units, or of one that is 0 where there are none."""
    if values["m"]:
        return values
    nothing = {name: v if np.ndim(v) == 0 else [0] for name, v in values.items()}
    return nothing | {"m": 1} | ({"sigma": [1]} if "sigma" in values else {})


def _units_at(given: Instance) -> dict[str, Any]:
    """Return what the proofs call w1, w2, P and R of the units with w1 != 0, and c, o, n and lambda."""
    weights, x, Z = _exact(given)
    active = (weights.pre_activations(x) > 0).astype(int).T
    outputs = (weights.pre_activations(x) * active.T).T
    kept = weights.w1 != 0
    slopes = rationals([dot(x * on, Z @ (x * on)) + dot(on, Z @ on) for on in active])
    own = rationals([dot(z, Z @ z) for z in outputs])
    idle = (weights.w2**2 * slopes + own)[~kept]
    matrix = gram(weights, x)
    top = leading(matrix, rationals(np.eye(len(x), dtype=int)))
    return {
        "n": len(x),
        "lambda": nearly(Fraction(dot(top, matrix @ top)) / dot(top, top)),
        "c": Fraction(np.sum(Z)),
        "o": sum(idle, Fraction(0)),
        "m": int(np.sum(kept)),
        "w1": weights.w1[kept],
        "w2": weights.w2[kept],
        "P": slopes[kept],
        "R": own[kept] / weights.w1[kept] ** 2,
    }


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


def _reads_tilted(given: Instance) -> dict[str, Any]:
    """Return what B2's proof speaks of: the units, the cost on their other side, and the sign of f's jump at their knots."""
    weights, x, Z = _exact(given)
    knots, sides, sizes = unit_knots(weights)
    other = []
    for knot, side in zip(knots, sides, strict=True):
        distances = rationals([max(side * (knot - point), Fraction(0)) for point in x])
        on = rationals((distances > 0).astype(int))
        squared = (dot(x * on, Z @ (x * on)) + dot(on, Z @ on)) * dot(distances, Z @ distances)
        other.append(sp.sqrt(_rational(Fraction(squared))) / len(x))
    jumps = {knot: sum(sizes[knots == knot], Fraction(0)) for knot in knots}
    return _at_least_one(
        {
            **_units_at(given),
            "O": other,
            "sigma": [1 if jumps[knot] >= 0 else -1 for knot in knots],
            "e": [int(side < 0) for side in sides],
            "nu": Fraction(given["tilt"]),
        }
    )


B2 = Claim(
    id="B2",
    source=Source(HOUSE, "B2, the dual bound"),
    statement=r"Z \succeq 0,\ \operatorname{tr} Z = 1,\ "
    r"|\nu| \le h_+ + h_- \text{ at the knots of all units} \;\Rightarrow\; "
    r"\lambda_{\max} \ge \tfrac1n \mathbf 1^T Z \mathbf 1 + 2\sum_i |\Delta_i| "
    r"\min\{h_+(t_i), h_-(t_i) - \operatorname{sign}(\Delta_i)\nu\} - 2\nu f'(-\infty)",
    form=Form.AT_LEAST,
    symbols=(WEIGHTS, X, DUAL, TILT),
    assumptions=(off_the_data(), _feasible_tilt()),
    sides=_dual_sides,
    bound=bounds.dual_sharpness_bound,
    bound_on=_dual_bound_on,
    proof=proofs.b2,
    reads=_reads_tilted,
    finding=Finding.OURS,
    note="h_s(t) = sqrt(x_A^T Z x_A + 1_A^T Z 1_A) sqrt(r^T Z r)/n, A the points strictly on side s of t, r their "
    "distances to it. The weight of |f''| that Z induces depends on the sign of the jump unless nu = 0; at Z = 1 "
    "1^T/n, nu = 0 this is M5. The best Z and nu give the flattest implementation itself (numerics.programs).",
    extremal=_one_point(1),
)


def merged_gram(weights: Weights, x: Array) -> Array:
    """Return Phi^T Phi, [n, n], after units of the same knot and orientation are made one, w1 = 0 left as they are.

    Of such units a = sum w2^2 is kept, and b = (sum v)^2 / a is what the one unit needs to compute the same function.
    """
    idle = weights.w1 == 0
    rest = Weights(weights.w1[idle], weights.b1[idle], weights.w2[idle], weights.b2).tangent_features(x)
    gram: Array = rest @ rest.T
    knots, sides, sizes = unit_knots(weights)
    outer = weights.w2[~idle] ** 2
    for knot, side in sorted(set(zip(knots, sides, strict=True))):
        same = (knots == knot) & (sides == side)
        a, v = sum(outer[same], Fraction(0)), sum(sizes[same], Fraction(0))
        distances = side * (x - knot)
        active = (distances > 0).astype(int)
        r = distances * active
        slopes = np.multiply.outer(x * active, x * active) + np.multiply.outer(active, active)
        gram = gram + a * slopes + (v**2 / a if a else Fraction(0)) * np.multiply.outer(r, r)
    return gram


def along(given: Instance, matrix: Callable[[Weights, Array], Array]) -> Fraction:
    """Return u^T G u / n for a matrix G of weights and data.

    Raises:
        ValueError: if the direction has not one entry for each data point.
    """
    weights, x, u = given["weights"].rational(), rationals(given["x"]), given["sample_direction"]
    if len(u) != len(x):
        raise ValueError(f"sample_direction must have {len(x)} entries, one a data point, got {len(u)}")
    return Fraction(dot(u, matrix(weights, x) @ u)) / len(x)


def own_gram(weights: Weights, x: Array) -> Array:
    """Return Phi^T Phi, [n, n]."""
    features = weights.tangent_features(x)
    product: Array = features @ features.T
    return product


def _reads_merged(given: Instance) -> dict[str, Any]:
    """Return what B2.a's proof speaks of: the units along u, and v/a of those of the same knot and orientation."""
    weights, x, u = given["weights"].rational(), rationals(given["x"]), given["sample_direction"]
    kept = weights.w1 != 0
    idle = Weights(weights.w1[~kept], weights.b1[~kept], weights.w2[~kept], weights.b2).tangent_features(x)
    knots, sides, sizes = unit_knots(weights)
    squares, distances, slopes = [], [], []
    for knot, side in zip(knots, sides, strict=True):
        on = rationals((side * (x - knot) > 0).astype(int))
        squares.append(Fraction(dot(x * on, u)) ** 2 + Fraction(dot(on, u)) ** 2)
        distances.append(Fraction(dot((x - knot) * on, u)) ** 2)
        same = (knots == knot) & (sides == side)
        outer = sum(weights.w2[kept][same] ** 2, Fraction(0))
        slopes.append(sum(sizes[same], Fraction(0)) / outer if outer else Fraction(0))
    return _at_least_one(
        {
            "n": len(x),
            "c": Fraction(np.sum((u @ idle) ** 2)),
            "m": len(knots),
            "w1": weights.w1[kept],
            "w2": weights.w2[kept],
            "q": squares,
            "r": distances,
            "k": slopes,
        }
    )


B2A = Claim(
    id="B2.a",
    amends="B2",
    source=Source(HOUSE, "B2, one unit a knot and orientation is enough"),
    statement=r"G' \preceq \Phi^T\Phi,\quad G' \text{ after units of one knot and orientation became one: } "
    r"a' = \sum w_2^2,\ b' = \big(\sum w_2 |w_1|\big)^2 / a',\ 0 \text{ if } a' = 0",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, SAMPLE_DIRECTION),
    sides=lambda given: (
        Enclosure.exactly(along(given, merged_gram)),
        Enclosure.exactly(along(given, own_gram)),
    ),
    proof=proofs.b2a,
    reads=_reads_merged,
    finding=Finding.OURS,
    note="Compared along every direction u among the samples, a unit inactive where its knot is. So the flattest "
    "implementation has at most two units a knot, and finding it is convex: minimise lambda_max of a sum that is linear in "
    "a = w2^2 and b = w1^2, with a b >= v^2.",
    extremal=Instance(
        {
            "weights": Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0)),
            "x": rationals([1, 2]),
            "sample_direction": rationals([1, 1]),
        },
        "named",
    ),
)


def _flat(n: int) -> Array:
    return rationals([[Fraction(1, n)] * n] * n)


def _printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    curvature = curvature_enclosure(given["weights"], given["x"])
    return dual_side(given), Enclosure(1 + 2 * curvature.lower, 1 + 2 * curvature.upper)


def _bent_beside_the_middle() -> Instance:
    """Return x = -1, 0, 1, two units whose knots lie beside 0, and the dual matrix of (1, 0, 1)/sqrt(2)."""
    near = Fraction(1, 10)
    weights = Weights(
        [Fraction(1), Fraction(-1)], [-near, -near], [Fraction(2), Fraction(2)], Fraction(0)
    )  # f = 2 [x - 1/10]_+ + 2 [-x - 1/10]_+
    half = Fraction(1, 2)
    Z = rationals([[half, 0, half], [0, 0, 0], [half, 0, half]])
    return Instance({"weights": weights, "x": rationals([-1, 0, 1]), "dual_matrix": Z, "tilt": Fraction(0)}, "named")


B2B = Claim(
    id="B2.b",
    amends="B2",
    source=Source(HOUSE, "B2, M5 as the best of these bounds"),
    statement=r"\tfrac1n \mathbf 1^T Z \mathbf 1 + 2\sum_i |\Delta_i| "
    r"\min\{h_+(t_i), h_-(t_i) - \operatorname{sign}(\Delta_i)\nu\} - 2\nu f'(-\infty) \le 1 + 2\int |f''| g",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, DUAL, TILT),
    assumptions=(off_the_data(), _feasible_tilt()),
    sides=_printed_sides,
    finding=Finding.CONJECTURE,
    note="Other dual matrices say more of some functions. On x = (-1, 0, 1), Z = u u^T with u = (1, 0, 1)/sqrt(2) weighs all "
    "curvature between the data 3/2 times as much as g, with 2/3 for the constant 1: more in all where int |f''| g > 1/3. "
    "And M5 misses the slope: of a line it says 1, whatever its slope, where a tilt says more even at Z = 1 1^T/n.",
    reading="Nobody says it: put up here to ask whether M5 is the best bound of its kind.",
    witness=_bent_beside_the_middle(),
    no_extremal="refuted; B2.c and B2.d say how far other dual matrices can go",
)


def weight_at(given: Instance) -> Enclosure:
    """Return min(h_+(t), h_-(t)) of the dual matrix.

    Raises:
        ValueError: if it has not one row for each data point.
    """
    x, Z = given["x"], given["dual_matrix"]
    if len(Z) != len(x):
        raise ValueError(f"dual_matrix must have a row for each of the {len(x)} data points, got {len(Z)}")
    return bounds.dual_weight(Z, x, rationals([given["place"]]), rationals([0]), Fraction(0))[0]


def g_at(given: Instance, factor: Fraction) -> Enclosure:
    """Return g(t) times a factor."""
    lower, upper = weight_enclosure(rationals([given["place"]]), given["x"])
    return Enclosure(factor * lower[0], factor * upper[0])


def _end_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return weight_at(given), g_at(given, len(given["x"]) * Fraction(given["dual_matrix"][0, 0]))


def left_of_the_crossing(given: Instance) -> bool:
    """Return whether x_1 < t <= x_2 and g_-(t) <= g_+(t), so that g(t) is g_-(t)."""
    x, t = given["x"], given["place"]
    if not x[0] < t <= x[1]:
        return False
    above = x[x > t]
    gaps, total = sum(above - t, Fraction(0)), sum(above, Fraction(0))
    return bool((t - x[0]) ** 2 * (1 + x[0] ** 2) <= gaps**2 * (len(above) ** 2 + total**2))


def _near_the_end() -> Assumption:
    return Assumption("x_1 < t <= x_2 and g_-(t) <= g_+(t)", left_of_the_crossing, bool)


_THREE = rationals([Fraction(-3, 4), 0, Fraction(3, 4)])


def _reads_end(given: Instance) -> dict[str, Any]:
    """Return what B2.c's proof speaks of: x_1, Z_11 and d = t - x_1, and h_+ and g_+ from their definitions."""
    x, Z, t = rationals(given["x"]), given["dual_matrix"], Fraction(given["place"])
    on = rationals((x > t).astype(int))
    distances = (x - t) * on
    cost = (dot(x * on, Z @ (x * on)) + dot(on, Z @ on)) * dot(distances, Z @ distances)
    count, total, gaps = (Fraction(np.sum(part)) for part in (on, x * on, distances))
    return {
        "n": len(x),
        "x_1": x[0],
        "Z_11": Z[0, 0],
        "d": t - x[0],
        "h": sp.sqrt(_rational(Fraction(cost))) / len(x),
        "g": _rational(gaps) * sp.sqrt(_rational(count**2 + total**2)) / len(x) ** 2,
    }


B2C = Claim(
    id="B2.c",
    amends="B2",
    source=Source(HOUSE, "B2, how heavy a weight can be"),
    statement=r"x_1 < t \le x_2,\ g_-(t) \le g_+(t) \;\Rightarrow\; "
    r"\min\{h_+(t), h_-(t)\} \le n Z_{11}\, g(t)",
    form=Form.AT_MOST,
    symbols=(POINTS, DUAL, PLACE),
    assumptions=(_near_the_end(),),
    sides=_end_sides,
    proof=proofs.b2c,
    reads=_reads_end,
    finding=Finding.OURS,
    note="And the same at the other end with Z_nn; Z_11 + Z_nn <= 1, so no dual matrix induces a weight of more than (n/2) g "
    "everywhere. For n = 2 none of more than g: there M5 is the best bound that holds for all f with a given int |f''| g. "
    "(1, 0, 1)/sqrt(2) reaches n/2 on x = (-1, 0, 1). numerics.programs finds the best for any data (sharpest_weight).",
    extremal=Instance({"x": _THREE, "dual_matrix": _flat(3), "place": Fraction(-1, 4)}, "named"),
)


def says_one(given: Instance) -> bool:
    """Return whether 1^T Z 1 / n >= 1."""
    return bounds.constant_part(given["dual_matrix"]) >= 1


def is_flat(given: Instance) -> bool:
    """Return whether Z = 1 1^T / n."""
    Z = given["dual_matrix"]
    return bool(np.all(Fraction(1, len(Z)) == Z))


def _reads_entries(given: Instance) -> dict[str, Any]:
    """Return the entries of Z."""
    Z = given["dual_matrix"]
    return {"n": len(Z), "m": Z.size, "z": Z.ravel()}


B2D = Claim(
    id="B2.d",
    amends="B2",
    source=Source(HOUSE, "B2, none beats M5 on all functions"),
    statement=r"\tfrac1n \mathbf 1^T Z \mathbf 1 \ge 1 \iff Z = \tfrac1n \mathbf 1 \mathbf 1^T",
    form=Form.EQUIVALENCE,
    symbols=(DUAL,),
    sides=lambda given: (Enclosure.exactly(says_one(given)), Enclosure.exactly(is_flat(given))),
    proof=proofs.b2d,
    reads=_reads_entries,
    finding=Finding.OURS,
    note="Of a constant function Z says 1^T Z 1 / n, and every other Z than M5's says less than 1 there: no dual matrix beats "
    "M5 on all functions. What can be gained is for functions with enough curvature, or a slope.",
    extremal=Instance({"dual_matrix": _flat(3)}, "named"),
)


def slack_of_multipliers(given: Instance) -> Fraction | None:
    """Return the least of 2 h_s(t) - |sum_j p_j [s (x_j - t)]_+| over all units, rounded down; None without units."""
    weights, x, Z = _exact(given)
    p = _multipliers(given)
    knots, sides, _ = unit_knots(weights)
    costs = bounds.unit_costs(Z, x, knots)
    slacks = []
    for place, (knot, side) in enumerate(zip(knots, sides, strict=True)):
        gained = abs(
            sum((q * max(side * (point - knot), Fraction(0)) for q, point in zip(p, x, strict=True)), Fraction(0))
        )
        slacks.append(2 * Fraction(costs[0 if side > 0 else 1][place].lower) - gained)
    return min(slacks, default=None)


def _multipliers(given: Instance) -> Array:
    """Return p.

    Raises:
        ValueError: if it has not one entry for each data point.
    """
    p: Array = given["multipliers"]
    if len(p) != len(given["x"]):
        raise ValueError(f"multipliers must have {len(given['x'])} entries, one a data point, got {len(p)}")
    return p


def interpolant_side(given: Instance) -> Fraction:
    """Return 1^T Z 1 / n + sum_j p_j f(x_j)."""
    weights, x, Z = _exact(given)
    return bounds.constant_part(Z) + Fraction(dot(_multipliers(given), weights(x)))


def _reads_multipliers(given: Instance) -> dict[str, Any]:
    """Return what B2.e's proof speaks of: the units, and sum_j p_j [s (x_j - t)]_+ of each."""
    weights, x, _ = _exact(given)
    p = _multipliers(given)
    knots, sides, _ = unit_knots(weights)
    gains = [
        sum((q * max(side * (point - knot), Fraction(0)) for q, point in zip(p, x, strict=True)), Fraction(0))
        for knot, side in zip(knots, sides, strict=True)
    ]
    return _at_least_one({**_units_at(given), "l": gains})


def _facing_both_ways() -> Instance:
    """Return two points, a balanced unit active on each, and the multipliers that these earn exactly."""
    quarter, third = Fraction(1, 4), Fraction(3, 4)
    w2 = Fraction(2, 5)
    weights = Weights([1, -1], [-quarter, -quarter], [w2, -w2], Fraction(0))
    earned = Fraction(5, 8)  # 2 h_+(t) / (x_2 - t): sqrt(1 + 9/16) / 2
    return Instance(
        {
            "weights": weights,
            "x": rationals([-third, third]),
            "dual_matrix": _flat(2),
            "multipliers": rationals([-earned, earned]),
        },
        "named",
    )


B2E = Claim(
    id="B2.e",
    amends="B2",
    source=Source(HOUSE, "B2, for all networks through data"),
    statement=r"\textstyle\sum_j p_j = 0,\ |\sum_j p_j [s(x_j - t)]_+| \le 2 h_s(t) \text{ for all units} \;\Rightarrow\; "
    r"\lambda_{\max} \ge \tfrac1n \mathbf 1^T Z \mathbf 1 + \sum_j p_j f(x_j)",
    form=Form.AT_LEAST,
    symbols=(WEIGHTS, X, DUAL, MULTIPLIERS),
    assumptions=(
        off_the_data(),
        Assumption("sum p = 0", lambda given: sum(_multipliers(given), Fraction(0)), lambda total: total == 0),
        Assumption(
            "|sum_j p_j [s (x_j - t)]_+| <= 2 h_s(t) for all units",
            slack_of_multipliers,
            lambda slack: slack is None or slack >= 0,
        ),
    ),
    sides=lambda given: (sharpness(given["weights"], given["x"]), Enclosure.exactly(interpolant_side(given))),
    proof=proofs.b2e,
    reads=_reads_multipliers,
    finding=Finding.OURS,
    note="Where the condition holds for all t and both s, it bounds the sharpness of all networks through the data (x, "
    "y), and 2 over it is a step size beyond which none of them is stable, if no unit toggles on a data point: "
    "never above B1.a's critical step size at the best Z and p. numerics.programs finds these and checks the "
    "condition for all t in rational arithmetic (flattest_interpolant).",
    extremal=_facing_both_ways(),
)

CLAIMS = (B2, B2A, B2B, B2C, B2D, B2E)
