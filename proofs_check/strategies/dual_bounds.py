"""Instances for B2: networks whose knots avoid the data, and dual matrices from the plain to the nearly best."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from theory.checks import Array, rationals
from theory.claim import Instance
from theory.claims.dual_bounds import unit_knots
from theory.dual_bounds import unit_costs
from theory.enclosure import Enclosure
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

INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "B2": BOUND,
    "B2.a": along_directions(),
    "B2.b": BOUND,
    "B2.c": near_the_left_end(),
    "B2.d": only_dual(),
    "B2.e": st.one_of(with_multipliers(), with_multipliers(), sharp_at_one_point(), on_two_points()),
}
