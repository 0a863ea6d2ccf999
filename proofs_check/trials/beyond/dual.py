"""How the claims of `theory.beyond.dual` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.trial import Trial
from proofs_check.trials.operators import LESS, MORE, Kind, bounds, left, moved, negated, right, without
from theory.assumptions import off_the_data
from theory.beyond import dual
from theory.beyond.dual import B2, B2A, B2B, B2C, B2D, B2E, unit_knots
from theory.beyond.dual_bounds import constant_part, dual_weight, unit_costs
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

THREE, EARNED = Fraction(3, 4), Fraction(5, 4)
"""A data point x, and sqrt(1 + x^2)."""


ROUNDED = 2**20
"""Denominator of what is rounded down so as to stay feasible."""


@st.composite
def points(draw: st.DrawFn, *, fewest: int = 1) -> Array:
    """Draw up to four distinct data points with small denominators, increasing."""
    halves = st.integers(-6, 6).map(lambda v: Fraction(v, 2))
    return rationals(sorted(draw(st.sets(halves, min_size=fewest, max_size=4))))


@st.composite
def dual_matrices(draw: st.DrawFn, n: int) -> Array:
    """Draw a unit-trace matrix L L^T: flat, of one rank, or any."""
    kind = draw(st.sampled_from(["flat", "flat", "one", "nearly flat", "any"]))
    entry = st.integers(-2, 3)
    if kind == "flat":
        root = np.ones((n, 1), dtype=int)
    elif kind == "nearly flat":
        root = 10 * np.ones((n, 1), dtype=int) + np.array(draw(st.lists(entry, min_size=n, max_size=n))).reshape(n, 1)
    else:
        ranks = 1 if kind == "one" else n
        root = np.array(draw(st.lists(entry, min_size=n * ranks, max_size=n * ranks))).reshape(n, ranks)
        root[0, 0] += not np.any(root)
    product = rationals(root @ root.T)
    matrix: Array = product / sum(np.diag(product), Fraction(0))
    return matrix


@st.composite
def networks(draw: st.DrawFn, x: Array) -> Weights:
    """Draw up to four units with knots off the data, between, beside and beyond; some on the same knot, some idle."""
    knots: list[Fraction] = []
    w1, w2 = list[Fraction](), list[Fraction]()
    low, high = x[0] - 1, x[-1] + 1
    for _ in range(draw(st.integers(0, 4))):
        again: bool = draw(st.booleans())
        if again and knots:
            knot = Fraction(draw(st.sampled_from(knots)))
        else:
            knot = low + (high - low) * Fraction(draw(st.integers(1, 30)), 31)
        if knot in x:
            continue
        knots.append(knot)
        w1.append(draw(st.sampled_from([Fraction(v, 2) for v in (-3, -2, -1, 1, 2, 3)])))
        w2.append(draw(st.sampled_from([Fraction(v, 2) for v in (-3, -2, -1, 0, 1, 2, 3)])))
    biases = [-a * t for a, t in zip(w1, knots, strict=True)]
    if draw(st.sampled_from([False, False, True])):
        w1, biases, w2 = [*w1, Fraction(0)], [*biases, Fraction(1)], [*w2, Fraction(1, 2)]
    return Weights(rationals(w1), rationals(biases), rationals(w2), Fraction(draw(st.integers(-1, 1))))


def _floor(value: Enclosure) -> Fraction:
    return Fraction(int(Fraction(value.lower) * ROUNDED), ROUNDED)


@st.composite
def tilted(draw: st.DrawFn) -> Instance:
    """Draw a network, a dual matrix and a tilt: none, or as large as the knots of all units allow, or nearly, or too large."""
    x = draw(points())
    weights, Z = draw(networks(x)), draw(dual_matrices(len(x)))
    right, left = unit_costs(Z, x, unit_knots(weights)[0])
    most = min((_floor(r + h) for r, h in zip(right, left, strict=True)), default=Fraction(1))
    share = draw(st.sampled_from([Fraction(v, 4) for v in (0, 0, -4, -2, 2, 4, 4, 5)]))
    return Instance({"weights": weights, "x": x, "dual_matrix": Z, "tilt": share * most}, "drawn")


@st.composite
def one_balanced_unit(draw: st.DrawFn) -> Instance:
    """Draw one balanced unit on one point, facing either way, for which the bound with the largest tilt is attained."""
    x, w2, cost = draw(st.sampled_from([(Fraction(0), Fraction(1), Fraction(1)), (THREE, Fraction(4, 5), EARNED)]))
    w1, scale = draw(st.sampled_from([-1, 1])), draw(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3)]))
    sign = draw(st.sampled_from([-1, 1]))
    weights = Weights([w1 * scale], [scale * (1 - w1 * x)], [sign * scale * w2], Fraction(0))
    return Instance(
        {
            "weights": weights,
            "x": rationals([x]),
            "dual_matrix": rationals([[1]]),
            "tilt": -w1 * sign * cost * draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2)])),
        },
        "drawn: one balanced unit",
    )


@st.composite
def steep_line(draw: st.DrawFn) -> Instance:
    """Draw a line of two units with one knot, on the one point 3/4 or 0, and a tilt: the largest, or one too large."""
    x, w2, cost = draw(st.sampled_from([(Fraction(0), Fraction(1), Fraction(1)), (THREE, Fraction(4, 5), EARNED)]))
    scale = draw(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3)]))
    bias = scale * (1 - x)
    weights = Weights([scale, -scale], [bias, -bias], [scale * w2, -scale * w2], Fraction(0))
    share = draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(5, 4), Fraction(3, 2)]))
    return Instance(
        {"weights": weights, "x": rationals([x]), "dual_matrix": rationals([[1]]), "tilt": -share * cost},
        "drawn: a steep line",
    )


@st.composite
def sharp_at_one_point(draw: st.DrawFn) -> Instance:
    """Draw two points, a steep balanced unit active on one, the dual matrix of that point, and what the unit earns."""
    x, knot = rationals([0, THREE]), Fraction(1, 4)
    w1 = Fraction(draw(st.integers(1, 6)))
    weights = Weights([w1], [-w1 * knot], [w1 * Fraction(2, 5)], Fraction(0))
    return Instance(
        {
            "weights": weights,
            "x": x,
            "dual_matrix": rationals([[0, 0], [0, 1]]),
            "multipliers": rationals([-EARNED, EARNED]),
        },
        "drawn: sharp at one point",
    )


@st.composite
def on_two_points(draw: st.DrawFn) -> Instance:
    """Draw two points -a and a, a balanced unit active on each, and the multipliers that these earn, or nearly."""
    half, cost = draw(st.sampled_from([(Fraction(3, 4), Fraction(5, 4)), (Fraction(4, 3), Fraction(5, 3))]))
    share = draw(st.sampled_from([Fraction(1, 3), Fraction(1, 2), Fraction(1)]))
    distance = half * share  # the knots lie so far inside the points
    sign = draw(st.sampled_from([-1, 1]))
    w2 = distance / cost
    bias = distance - half
    weights = Weights([Fraction(1), Fraction(-1)], [bias, bias], [sign * w2, -sign * w2], Fraction(0))
    earned = sign * cost / 2 * draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(9, 10), Fraction(11, 10)]))
    flat = rationals([[Fraction(1, 2)] * 2] * 2)
    return Instance(
        {
            "weights": weights,
            "x": rationals([-half, half]),
            "dual_matrix": flat,
            "multipliers": rationals([-earned, earned]),
            "tilt": Fraction(0),
        },
        "drawn: on two points",
    )


@st.composite
def with_multipliers(draw: st.DrawFn) -> Instance:
    """Draw a network, a dual matrix, and multipliers, scaled so that they are feasible or hardly not."""
    x = draw(points())
    weights, Z, n = draw(networks(x)), draw(dual_matrices(len(x))), len(x)
    p = rationals(draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n)))
    if draw(st.sampled_from([True, True, True, False])):
        p[-1] -= sum(p, Fraction(0))
    knots, sides, _ = unit_knots(weights)
    costs = unit_costs(Z, x, knots)
    scale = Fraction(3)
    for place, (knot, side) in enumerate(zip(knots, sides, strict=True)):
        gained = abs(
            sum((q * max(side * (point - knot), Fraction(0)) for q, point in zip(p, x, strict=True)), Fraction(0))
        )
        if gained:
            scale = min(scale, 2 * _floor(costs[0 if side > 0 else 1][place]) / gained)
    scale *= draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2), Fraction(11, 10)]))
    return Instance({"weights": weights, "x": x, "dual_matrix": Z, "multipliers": scale * p}, "drawn")


@st.composite
def along_directions(draw: st.DrawFn) -> Instance:
    """Draw a network with units that share knots, and a direction among the samples."""
    x = draw(points())
    n = len(x)
    u = rationals(draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n)))
    return Instance({"weights": draw(networks(x)), "x": x, "sample_direction": u}, "drawn")


@st.composite
def near_the_left_end(draw: st.DrawFn) -> Instance:
    """Draw data, a dual matrix and a place between the first two points, or the second, or beyond."""
    first = draw(st.sampled_from([Fraction(-3, 4), Fraction(0), Fraction(-4, 3), Fraction(-1)]))
    gaps = draw(st.lists(st.sampled_from([Fraction(1, 2), Fraction(3, 4), Fraction(2)]), min_size=1, max_size=3))
    x = [first]
    for gap in gaps:
        x.append(x[-1] + gap)
    share = draw(st.sampled_from([Fraction(v, 4) for v in (-1, 1, 2, 4, 4, 6)]))
    return Instance(
        {"x": rationals(x), "dual_matrix": draw(dual_matrices(len(x))), "place": x[0] + share * gaps[0]}, "drawn"
    )


@st.composite
def only_dual(draw: st.DrawFn) -> Instance:
    """Draw a dual matrix alone."""
    return Instance({"dual_matrix": draw(dual_matrices(draw(st.integers(1, 4))))}, "drawn")


BOUND: SearchStrategy[Instance] = st.one_of(tilted(), tilted(), one_balanced_unit(), steep_line(), on_two_points())


FEASIBLE = "|nu| <= h_+(t) + h_-(t) at the knots of all units"


SUM_ZERO = "sum p = 0"


WITHIN = "|sum_j p_j [s (x_j - t)]_+| <= 2 h_s(t) for all units"


Weigh = Callable[[Array, Array, PiecewiseLinear, Fraction], list[Enclosure]]


def _bound(
    weigh: Weigh, *, slope: Fraction = Fraction(1), constant: Fraction = Fraction(1)
) -> Callable[[Instance], Enclosure]:
    """Return the right side of B2 with other weights at the knots, and multiples of its slope and constant terms."""

    def side(given: Instance) -> Enclosure:
        weights, x, Z = given["weights"].rational(), rationals(given["x"]), given["dual_matrix"]
        f = PiecewiseLinear.from_weights(weights)
        found = weigh(Z, x, f, given["tilt"])
        rest = constant * constant_part(Z) - 2 * slope * given["tilt"] * Fraction(f.slope)
        lower, upper = (
            sum((2 * abs(j) * Fraction(getattr(w, end)) for j, w in zip(f.jumps, found, strict=True)), rest)
            for end in ("lower", "upper")
        )
        return Enclosure(lower, upper)

    return side


def _own(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    return dual_weight(Z, x, f.knots, np.sign(f.jumps), tilt)


def _heavier(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    """The weights where nothing tilts, one per cent too heavy."""
    found = _own(Z, x, f, tilt)
    return found if tilt else [weight.times(MORE) for weight in found]


def _other_sign(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    return dual_weight(Z, x, f.knots, -np.sign(f.jumps), tilt)


def _no_sign(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    return dual_weight(Z, x, f.knots, np.sign(f.jumps) ** 2, tilt)


def _larger(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    costs = zip(*unit_costs(Z, x, f.knots), np.sign(f.jumps), strict=True)
    return [
        Enclosure(
            max(r.lower, Fraction(h.lower) - int(b) * tilt),
            max(r.upper, Fraction(h.upper) - int(b) * tilt),
        )
        for r, h, b in costs
    ]


def _right_alone(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    del tilt
    return unit_costs(Z, x, f.knots)[0]


def _merged(part: Callable[[Array, Array], tuple[Fraction, Fraction]]) -> Callable[[Instance], Fraction]:
    """Return u^T G u / n after units of one knot and orientation became one with other a and b; units with w1 = 0 left out."""

    def side(given: Instance) -> Fraction:
        weights, x, u = given["weights"].rational(), rationals(given["x"]), given["sample_direction"]
        knots, sides, sizes = dual.unit_knots(weights)
        outer = weights.w2[weights.w1 != 0] ** 2
        total = Fraction(sum(u, Fraction(0))) ** 2
        for knot, facing in sorted(set(zip(knots, sides, strict=True))):
            same = (knots == knot) & (sides == facing)
            a, b = part(outer[same], sizes[same])
            distances = facing * (x - knot)
            active = distances > 0
            slopes = sum(u[active] * x[active], Fraction(0)) ** 2 + sum(u[active], Fraction(0)) ** 2
            total += a * slopes + b * sum(u[active] * distances[active], Fraction(0)) ** 2
        return total / len(x)

    return side


def _ratio(v: Fraction, a: Fraction) -> Fraction:
    return v**2 / a if a else Fraction(0)


def _sizes_first(outer: Array, sizes: Array) -> tuple[Fraction, Fraction]:
    """B from the sum of |v|^2 over the largest a alone."""
    a = max(outer)
    return sum(outer, Fraction(0)), _ratio(sum(abs(sizes), Fraction(0)), a)


def _a_bit_more(outer: Array, sizes: Array) -> tuple[Fraction, Fraction]:
    a = sum(outer, Fraction(0))
    return MORE * a, _ratio(sum(sizes, Fraction(0)), a)


def _b_bit_more(outer: Array, sizes: Array) -> tuple[Fraction, Fraction]:
    a = sum(outer, Fraction(0))
    return a, MORE * _ratio(sum(sizes, Fraction(0)), a)


def _end(factor: Callable[[Array], Fraction]) -> Callable[[Instance], Enclosure]:
    return lambda given: dual.g_at(given, factor(given["dual_matrix"]))


def _says(limit: Fraction) -> Callable[[Instance], bool]:
    return lambda given: constant_part(given["dual_matrix"]) >= limit


def _flat_diagonal(given: Instance) -> bool:
    Z = given["dual_matrix"]
    return bool(np.all(np.diag(Z) == Fraction(1, len(Z))))


def _rank_one(given: Instance) -> bool:
    Z = given["dual_matrix"]
    return bool(np.all(np.multiply.outer(Z[0], Z[0]) == Z[0, 0] * Z)) and Z[0, 0] > 0


def _more_of_the_values(given: Instance) -> Fraction:
    constant = constant_part(given["dual_matrix"])
    return constant + MORE * (dual.interpolant_side(given) - constant)


CONSTANT_DROPS = "true: tr(Z G) has 1^T Z 1 / n, and leaving a term that is not negative out weakens the bound"


TOGGLES = "true: a unit that toggles on a data point counts as inactive there, for which the proof holds as well"


TRIALS = (
    Trial(
        B2,
        instances=BOUND,
        mutants=(
            *bounds(B2),
            right(B2, "weights x 1.01", Kind.CONSTANT, _bound(_heavier)),
            right(B2, "max for min", Kind.MIN_MAX, _bound(_larger)),
            right(B2, "h_+ alone", Kind.DROPPED, _bound(_right_alone)),
            right(B2, "h_- + sign nu", Kind.REVERSED, _bound(_other_sign)),
            right(B2, "the sign of the jump dropped", Kind.DROPPED, _bound(_no_sign)),
            right(B2, "without the slope", Kind.DROPPED, _bound(_own, slope=Fraction(0))),
            right(B2, "twice the slope term", Kind.CONSTANT, _bound(_own, slope=Fraction(2))),
            right(B2, "constant x 1.01", Kind.CONSTANT, _bound(_own, constant=MORE)),
            replace(
                right(B2, "without the constant", Kind.DROPPED, _bound(_own, constant=Fraction(0))),
                equivalent=CONSTANT_DROPS,
            ),
            moved(B2, FEASIBLE, lambda room: room is None or room >= -1, "|nu| <= h_+ + h_- + 1"),
            without(B2, FEASIBLE),
            replace(without(B2, off_the_data().name), equivalent=TOGGLES),
        ),
    ),
    Trial(
        B2A,
        instances=along_directions(),
        mutants=(
            *bounds(B2A),
            left(B2A, "a' x 1.01", Kind.CONSTANT, _merged(_a_bit_more)),
            left(B2A, "b' x 1.01", Kind.CONSTANT, _merged(_b_bit_more)),
            left(B2A, "|v| summed, over the largest a", Kind.MIN_MAX, _merged(_sizes_first)),
        ),
    ),
    Trial(B2B, instances=BOUND),
    Trial(
        B2C,
        instances=near_the_left_end(),
        mutants=(
            *bounds(B2C),
            right(B2C, "Z_nn for Z_11", Kind.OFF_BY_ONE, _end(lambda Z: len(Z) * Z[-1, -1])),
            right(B2C, "n - 1 for n", Kind.OFF_BY_ONE, _end(lambda Z: (len(Z) - 1) * Z[0, 0])),
            right(B2C, "1 for n Z_11", Kind.DROPPED, _end(lambda _: Fraction(1))),
            without(B2C, "x_1 < t <= x_2 and g_-(t) <= g_+(t)"),
        ),
    ),
    Trial(
        B2D,
        instances=only_dual(),
        mutants=(
            negated(B2D),
            left(B2D, "1^T Z 1 / n >= 0.99", Kind.CONSTANT, _says(LESS)),
            left(B2D, "1^T Z 1 / n >= 1.01", Kind.CONSTANT, _says(MORE)),
            right(B2D, "the diagonal is flat", Kind.DROPPED, _flat_diagonal),
            right(B2D, "Z is of rank one", Kind.DROPPED, _rank_one),
        ),
    ),
    Trial(
        B2E,
        instances=st.one_of(with_multipliers(), with_multipliers(), sharp_at_one_point(), on_two_points()),
        mutants=(
            *bounds(B2E),
            right(B2E, "sum p f x 1.01", Kind.CONSTANT, _more_of_the_values),
            right(
                B2E,
                "1 for 1^T Z 1 / n",
                Kind.DROPPED,
                lambda given: 1 - constant_part(given["dual_matrix"]) + dual.interpolant_side(given),
            ),
            without(B2E, SUM_ZERO),
            without(B2E, WITHIN),
            replace(without(B2E, off_the_data().name), equivalent=TOGGLES),
        ),
    ),
)
