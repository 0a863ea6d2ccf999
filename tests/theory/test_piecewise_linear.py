"""Piecewise-linear functions against networks evaluated in rationals, dense partitions and brute-force searches."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.checks import Array
from theory.piecewise_linear import MOST_KNOTS_SEARCHED, PiecewiseLinear
from theory.two_layer import Weights

EPS = Fraction(2) ** -52
TINY = Fraction(2) ** -1074

rationals = st.builds(Fraction, st.integers(-6, 6), st.integers(1, 3))
exact_units = st.lists(st.tuples(rationals, rationals, rationals), max_size=7)
scaled = st.one_of(
    st.just(0.0),
    st.builds(
        lambda sign, size, power: sign * size * 2.0**power,
        st.sampled_from((-1, 1)),
        st.floats(1, 2),
        st.integers(-100, 100),
    ),
)
float_units = st.lists(st.tuples(scaled, scaled, scaled), max_size=8)


@st.composite
def exact_networks(draw: st.DrawFn) -> Weights:
    """Networks with coincident knots, dead units, zero weights, and pairs of units whose jumps cancel."""
    units = draw(exact_units)
    for w1, b1, w2 in draw(st.lists(st.sampled_from(units), max_size=3)) if units else []:
        scale = draw(st.sampled_from((Fraction(2), Fraction(-1), Fraction(1, 3))))
        units.append((scale * w1, scale * b1, -w2 / abs(scale)))
    columns = [np.array([unit[i] for unit in units], dtype=object) for i in range(3)]
    return Weights(columns[0], columns[1], columns[2], draw(rationals))


@st.composite
def exact_functions(draw: st.DrawFn, most_knots: int = 6) -> PiecewiseLinear:
    """Functions with rational entries, at times with a slope that some of the jumps add up to."""
    pieces = draw(st.lists(st.tuples(rationals, rationals), max_size=most_knots))
    slope = draw(
        st.one_of(rationals, st.sampled_from(pieces or [(Fraction(0), Fraction(1))]).map(lambda piece: -piece[1]))
    )
    knots, jumps = [knot for knot, _ in pieces], [jump for _, jump in pieces]
    return PiecewiseLinear(knots, jumps, slope, draw(rationals), draw(rationals))


def network_at(weights: Weights, t: Fraction | float) -> Fraction:
    """The network's output at t, in rationals whatever the weights are."""
    total = Fraction(weights.b2)
    for w1, b1, w2 in zip(weights.w1, weights.b1, weights.w2, strict=True):
        total += Fraction(w2) * max(Fraction(w1) * Fraction(t) + Fraction(b1), Fraction(0))
    return total


def dense_points(weights: Weights) -> list[Fraction]:
    """All breakpoints of the network, points between and beyond them, and 0."""
    breaks = {-Fraction(b) / Fraction(w) for w, b in zip(weights.w1, weights.b1, strict=True) if w} | {Fraction(0)}
    ordered = sorted(breaks)
    between = [(left + right) / 2 for left, right in pairwise(ordered)]
    return sorted([*ordered, *between, ordered[0] - 3, ordered[0] - 1, ordered[-1] + 1, ordered[-1] + 7])


def spline_at(knots: Array, jumps: Array, slope: Fraction, value: Fraction, anchor: Fraction, t: Fraction) -> Fraction:
    """f(t) from the integral of f' = slope + sum of the jumps passed; any order, coincident knots welcome."""
    hinges = [
        Fraction(j) * (max(t - Fraction(c), Fraction(0)) - max(anchor - Fraction(c), Fraction(0)))
        for c, j in zip(knots, jumps, strict=True)
    ]
    return value + slope * (t - anchor) + sum(hinges, Fraction(0))


def message(text: str) -> str:
    """The pattern that matches exactly this error message."""
    return f"^{re.escape(text)}$"


@given(exact_networks())
def test_a_network_and_its_function_agree_everywhere(weights: Weights) -> None:
    f = PiecewiseLinear.from_weights(weights)
    points = dense_points(weights)
    assert f.exact
    assert list(f(points)) == [network_at(weights, t) for t in points]


@given(exact_networks())
def test_knots_are_where_the_network_bends(weights: Weights) -> None:
    f = PiecewiseLinear.from_weights(weights)
    points = dense_points(weights)
    gap = min(right - left for left, right in pairwise(points)) / 4
    bends = {
        t: network_at(weights, t - gap) - 2 * network_at(weights, t) + network_at(weights, t + gap) for t in points
    }
    assert dict(zip(f.knots, f.jumps, strict=True)) == {t: bend / gap for t, bend in bends.items() if bend}


@given(exact_networks())
def test_the_anchor_has_the_smallest_terms_to_sum_up(weights: Weights) -> None:
    units = [unit for unit in zip(weights.w1, weights.b1, weights.w2, strict=True) if unit[0] and unit[2]]
    sizes = {-b / w: sum(abs(v * (u * (-b / w) + c)) for u, c, v in units) for w, b, _ in units}
    f = PiecewiseLinear.from_weights(weights)
    assert not units or sizes[f.anchor] == min(sizes.values())


@given(exact_networks())
def test_slopes_are_difference_quotients_of_the_network(weights: Weights) -> None:
    f = PiecewiseLinear.from_weights(weights)
    knots: list[Fraction] = f.knots.tolist()
    inner = [(left + right) / 2 for left, right in pairwise(knots)]
    middles = [knots[0] - 1, *inner, knots[-1] + 1] if knots else [Fraction(0)]
    gap = min([Fraction(1), *(right - left for left, right in pairwise(knots))]) / 4
    quotients = [(network_at(weights, t + gap) - network_at(weights, t - gap)) / (2 * gap) for t in middles]
    assert list(f.slopes) == quotients


@given(st.lists(st.tuples(rationals, rationals), max_size=6), rationals, rationals, rationals, rationals)
def test_constructor_normalises_without_changing_the_function(
    pieces: list[tuple[Fraction, Fraction]], slope: Fraction, value: Fraction, anchor: Fraction, t: Fraction
) -> None:
    knots, jumps = [knot for knot, _ in pieces], [jump for _, jump in pieces]
    f = PiecewiseLinear(knots, jumps, slope, value, anchor)
    assert all(left < right for left, right in pairwise(f.knots))
    assert all(f.jumps != 0)
    oracle = spline_at(np.array(knots, dtype=object), np.array(jumps, dtype=object), slope, value, anchor, t)
    assert f(t) == oracle
    assert f(anchor) == value


def test_constructor_merges_sorts_and_drops() -> None:
    f = PiecewiseLinear([3, 1, 3, 2, 0, 2, -0.0], [1, 5, 2, 1e16, 0, -1e16, 0], 1, 2)
    assert f.knots.tolist() == [1, 3]
    assert f.jumps.tolist() == [5, 3]
    assert (f.slope, f.value, f.anchor, f.exact) == (1, 2, 0, False)


def test_a_knot_at_zero_has_no_sign() -> None:
    weights = Weights(np.array([1.0]), np.array([0.0]), np.array([1.0]), 0.0)
    assert not np.signbit(PiecewiseLinear.from_weights(weights).knots[0])


def test_a_huge_jump_that_is_undone_leaves_the_slope_it_found() -> None:
    f = PiecewiseLinear([1.0, 2.0, 3.0], [1e20, -1e20, 2.0], 1.0, 0.0)
    assert f.slopes.tolist() == [1, 1e20, 1, 3]


def test_float_jumps_at_one_knot_cancel_whatever_their_order() -> None:
    assert len(PiecewiseLinear([2.0] * 4, [1e16, 1.0, -1e16, -1.0], 0.0, 0.0).knots) == 0


def test_one_fraction_makes_everything_exact() -> None:
    f = PiecewiseLinear([0.5], [2], 1, 0, Fraction(1, 3))
    assert [type(v) for v in (*f.knots, *f.jumps, f.slope, f.value, f.anchor, *f.slopes, *f.knot_values)] == [
        Fraction
    ] * 8
    assert f(0.5) == Fraction(1, 6)


def test_arrays_cannot_be_changed_under_the_function() -> None:
    f = PiecewiseLinear.interpolate([0, 1, 2], [0, 1, 0])
    assert not any(array.flags.writeable for array in (f.knots, f.jumps, f.slopes, f.knot_values))
    g = PiecewiseLinear([1.0], [1.0], 0.0, 0.0)
    assert not any(array.flags.writeable for array in (g.knots, g.jumps, g.slopes, g.knot_values))


def test_the_callers_arrays_are_neither_kept_nor_locked() -> None:
    knots, jumps = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    f = PiecewiseLinear(knots, jumps, 0.0, 0.0)
    knots[0] = jumps[0] = 7.0
    assert f.knots.tolist() == [1, 2]
    assert f.jumps.tolist() == [1, 1]


def test_numbers_in_numbers_out() -> None:
    f, g = PiecewiseLinear([1], [2], 0, 5), PiecewiseLinear([Fraction(1)], [2], 0, 5)
    assert [(h(3), type(h(3)), type(h(np.float64(3)))) for h in (f, g)] == [(9, float, float), (9, Fraction, Fraction)]
    assert f([]).shape == g([]).shape == (0,)
    assert f([Fraction(3), Fraction(0)]).tolist() == g([3.0, 0.0]).tolist() == [9, 5]


@given(exact_networks(), rationals, rationals)
def test_total_variation_is_that_of_the_partition_by_all_breakpoints(
    weights: Weights, a: Fraction, b: Fraction
) -> None:
    a, b = min(a, b), max(a, b) + 1
    partition = sorted({a, b, *(t for t in dense_points(weights) if a < t < b)})
    outputs = [network_at(weights, t) for t in partition]
    oracle = sum((abs(right - left) for left, right in pairwise(outputs)), Fraction(0))
    assert PiecewiseLinear.from_weights(weights).total_variation(a, b) == oracle


@given(exact_networks(), rationals, rationals)
def test_derivative_variation_sums_the_changes_of_slope_inside(weights: Weights, a: Fraction, b: Fraction) -> None:
    a, b = min(a, b), max(a, b) + 1
    breaks = sorted({a, b, *(t for t in dense_points(weights) if a < t < b)})
    slopes = [
        (network_at(weights, right) - network_at(weights, left)) / (right - left) for left, right in pairwise(breaks)
    ]
    oracle = sum((abs(right - left) for left, right in pairwise(slopes)), Fraction(0))
    assert PiecewiseLinear.from_weights(weights).derivative_variation(a, b) == oracle


def test_derivative_variation_leaves_out_knots_at_the_ends() -> None:
    f = PiecewiseLinear([0, 1, 2], [1, -2, 4], 0, 0)
    assert f.derivative_variation() == 7
    assert f.derivative_variation(0, 2) == 2
    assert f.derivative_variation(a=0) == 6
    assert f.derivative_variation(b=2) == 3
    assert f.derivative_variation(Fraction(-1, 10**30), 2) == 3
    assert f.derivative_variation(0, 1) == 0


@given(exact_functions(), rationals)
def test_weighted_curvature_sums_the_weights_at_the_knots(f: PiecewiseLinear, centre: Fraction) -> None:
    oracle = sum((abs(j) * (c - centre) ** 2 for c, j in zip(f.knots, f.jumps, strict=True)), Fraction(0))
    assert f.weighted_curvature(lambda points: (points - centre) ** 2) == oracle
    assert f.weighted_curvature(lambda points: np.ones(len(points))) == f.derivative_variation()


@given(exact_functions())
def test_a_function_survives_its_network(f: PiecewiseLinear) -> None:
    weights = f.to_weights()
    assert weights.exact
    assert set(map(abs, weights.w1)) <= {1}
    assert PiecewiseLinear.from_weights(weights).same_function(f)


@given(exact_networks())
def test_the_network_of_a_networks_function_agrees_with_it_and_is_no_wider(weights: Weights) -> None:
    narrow = PiecewiseLinear.from_weights(weights).to_weights()
    points = dense_points(weights)
    assert [network_at(narrow, t) for t in points] == [network_at(weights, t) for t in points]
    assert narrow.width <= weights.width


@given(exact_functions())
def test_the_network_has_the_fewest_units(f: PiecewiseLinear) -> None:
    m = len(f.knots)
    subsets = [subset for size in range(m + 1) for subset in combinations(f.jumps, size)]
    if any(sum(subset) == -f.slope for subset in subsets):
        assert f.to_weights().width == m
    else:
        assert f.to_weights().width == max(m + 1, 2)


@pytest.mark.parametrize("chosen", [0b101, 0b111111000000111111000101, 0b100000000000000000000001])
def test_the_largest_search_finds_the_one_subset(chosen: int) -> None:
    jumps = [Fraction(2**i + 1, 3**i) for i in range(MOST_KNOTS_SEARCHED)]
    left = [bool(chosen >> i & 1) for i in range(MOST_KNOTS_SEARCHED)]
    slope = -sum((jump for jump, is_left in zip(jumps, left, strict=True) if is_left), Fraction(0))
    f = PiecewiseLinear([Fraction(i) for i in range(MOST_KNOTS_SEARCHED)], jumps, slope, Fraction(0))
    weights = f.to_weights()
    assert weights.width == MOST_KNOTS_SEARCHED
    assert PiecewiseLinear.from_weights(weights).same_function(f)


@pytest.mark.parametrize(("slope", "width"), [(0, 30), (-465, 30), (-7, 30), (-31, 31), (1, 31)])
def test_beyond_the_search_only_cheap_subsets_are_tried(slope: int, width: int) -> None:
    f = PiecewiseLinear([Fraction(i) for i in range(30)], list(range(1, 31)), slope, 2, 4)
    weights = f.to_weights()
    assert weights.width == width
    assert PiecewiseLinear.from_weights(weights).same_function(f)


@given(st.lists(rationals, min_size=2, max_size=8, unique=True), st.data())
def test_the_exact_spline_meets_its_data_and_bends_only_there(x: list[Fraction], data: st.DataObject) -> None:
    y = data.draw(st.lists(rationals, min_size=len(x), max_size=len(x)))
    f = PiecewiseLinear.interpolate(x, y)
    ordered = sorted(zip(x, y, strict=True))
    assert list(f(x)) == y
    slopes = [(top - bottom) / (right - left) for (left, bottom), (right, top) in pairwise(ordered)]
    assert [f(left + gap) - f(left) for left, gap in ((ordered[0][0] - 5, 2), (ordered[-1][0] + 1, 2))] == [
        2 * slopes[0],
        2 * slopes[-1],
    ]
    changes = {ordered[i + 1][0]: right - left for i, (left, right) in enumerate(pairwise(slopes)) if left != right}
    assert dict(zip(f.knots, f.jumps, strict=True)) == changes
    assert f.anchor == ordered[0][0]
    assert PiecewiseLinear(f.knots, f.jumps, f.slope, f.value, f.anchor).slopes.tolist() == f.slopes.tolist()


@given(st.lists(scaled, min_size=2, max_size=12, unique=True), st.data())
def test_the_float_spline_is_within_rounding_of_its_data(x: list[float], data: st.DataObject) -> None:
    """Six eps of max|y|: a slope is off by 3 roundings u = eps/2, its product with a gap by 2 more, the sum by one.

    The spline rises by at most 2 max|y| between points: 5u * 2 + u. What rounds to a denormal adds TINY * gap.
    """
    y = data.draw(st.lists(scaled, min_size=len(x), max_size=len(x)))
    f = PiecewiseLinear.interpolate(x, y)
    bound = 6 * EPS * Fraction(max(map(abs, y))) + TINY * (1 + Fraction(max(x)) - Fraction(min(x)))
    assert np.array_equal(f(f.knots), f.knot_values)
    errors = [abs(Fraction(output) - Fraction(target)) for output, target in zip(f(x), y, strict=True)]
    assert max(errors) <= bound


def test_the_float_spline_keeps_a_gentle_slope_next_to_a_steep_one() -> None:
    x, y = [1e6, 1e6 + 1e-9, 1e6 + 1, 1e6 + 2, 1e6 + 4], [0.0, 1.0, 0.7, 0.9, 0.3]
    f = PiecewiseLinear.interpolate(x, y)
    assert f(x[:-1]).tolist() == y[:-1]
    assert f.slopes[-1] == (0.3 - 0.9) / 2


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=8, unique=True), st.integers(-9, 9), st.integers(-9, 9))
def test_data_on_a_line_give_a_line(x: list[int], slope: int, shift: int) -> None:
    f = PiecewiseLinear.interpolate(x, [slope * point + shift for point in x])
    assert len(f.knots) == 0
    assert f.slope == slope
    assert f(1000) == 1000 * slope + shift


@given(float_units, scaled, scaled)
def test_a_float_network_and_its_function_agree_to_rounding(
    units: list[tuple[float, float, float]], b2: float, t: float
) -> None:
    """Twenty-one roundings u = eps/2, of terms whose sizes add up to `size`.

    In units of u and of sum |w1 w2| |t - a|, a the anchor: 4 for slope and jumps (a product and a sum each), 1 for the
    slopes, 2 for gap and product, 2 for the running and the last sum, 1 for the value there, so 10. In units of
    |w1 w2 a| + |w2 b1| summed up: 4 for f(a), 1 for the knots, 2 for running and last sum. So at most 17 u, plus u for
    second-order terms, is 9 eps. Nothing is near the ends of the range of floats: powers add up to 2^400 at most.
    """
    w1, b1, w2 = (np.array([unit[i] for unit in units]) for i in range(3))
    weights = Weights(w1, b1, w2, b2)
    f = PiecewiseLinear.from_weights(weights)
    reach = abs(Fraction(t)) + abs(Fraction(f.anchor))
    size = abs(Fraction(b2)) + sum(
        (abs(Fraction(w2)) * (abs(Fraction(w1)) * reach + abs(Fraction(b1))) for w1, b1, w2 in units), Fraction(0)
    )
    assert abs(Fraction(f(t)) - network_at(weights, t)) <= 9 * EPS * size


@given(
    st.lists(st.tuples(scaled, scaled), max_size=10), scaled, scaled, scaled, st.lists(scaled, min_size=1, max_size=5)
)
def test_float_evaluation_is_within_rounding_of_the_exact_value(
    pieces: list[tuple[float, float]], slope: float, value: float, anchor: float, points: list[float]
) -> None:
    """Each slope, gap, product and sum is one rounding of what is met on the way from the anchor: 3 eps of its size.

    Running sums lose n^2 eps^2 of the sizes of their own terms, n <= 11, hence the second term.
    """
    knots, jumps = np.array([knot for knot, _ in pieces]), np.array([jump for _, jump in pieces])
    f = PiecewiseLinear(knots, jumps, slope, value, anchor)
    steep = abs(Fraction(slope)) + sum((abs(Fraction(jump)) for jump in jumps), Fraction(0))
    for t, output in zip(points, f(points), strict=True):
        start, end = sorted((Fraction(anchor), Fraction(t)))
        met = [start, *sorted(Fraction(c) for c in knots if start < Fraction(c) < end), end]
        exact = [spline_at(knots, jumps, Fraction(slope), Fraction(value), Fraction(anchor), p) for p in met]
        size = abs(Fraction(value)) + sum((abs(right - left) for left, right in pairwise(exact)), Fraction(0))
        truth = spline_at(knots, jumps, Fraction(slope), Fraction(value), Fraction(anchor), Fraction(t))
        assert abs(Fraction(output) - truth) <= 3 * EPS * size + 500 * EPS**2 * (size + steep * (end - start))


@given(float_units, scaled)
def test_a_float_functions_network_is_no_wider_than_its_own(units: list[tuple[float, float, float]], b2: float) -> None:
    w1, b1, w2 = (np.array([unit[i] for unit in units]) for i in range(3))
    ratios = [Fraction(b) / Fraction(w) for w, b in zip(w1, b1, strict=True) if w]
    f = PiecewiseLinear.from_weights(Weights(w1, b1, w2, b2))
    bent = int(np.count_nonzero((w1 != 0) & (w2 != 0)))
    if len(set(ratios)) == len(ratios) and len(f.knots) == bent:
        assert f.to_weights().width == bent
    else:
        assert f.to_weights().width <= max(len(f.knots) + 1, 2)


@given(st.lists(st.tuples(scaled, scaled), max_size=8), scaled, scaled, scaled, scaled)
def test_a_float_functions_network_agrees_with_it_to_rounding(
    pieces: list[tuple[float, float]], slope: float, value: float, anchor: float, t: float
) -> None:
    """The left-facing jumps miss -slope by half an ulp, a split jump and each term of b2 by as little, b2 by one more.

    The gap anchor - knot and its product with a jump take two roundings, the rest one each: under 4 eps of the terms.
    """
    f = PiecewiseLinear([knot for knot, _ in pieces], [jump for _, jump in pieces], slope, value, anchor)
    knots = [*map(Fraction, f.knots), Fraction(anchor)]
    reach = max(abs(Fraction(t) - knot) for knot in knots) + max(abs(Fraction(anchor) - knot) for knot in knots)
    steep = 2 * abs(Fraction(slope)) + sum((abs(Fraction(jump)) for jump in f.jumps), Fraction(0))
    truth = spline_at(f.knots, f.jumps, Fraction(slope), Fraction(value), Fraction(anchor), Fraction(t))
    bound = 4 * EPS * (abs(Fraction(value)) + steep * reach)
    assert abs(network_at(f.to_weights(), t) - truth) <= bound


@pytest.mark.parametrize("scale", [2.0**-300, 2.0**300], ids=["tiny", "huge"])
def test_scale_changes_nothing_but_the_scale(scale: float) -> None:
    rng = np.random.default_rng(3)
    w1, b1, w2 = rng.normal(size=(3, 50))
    f = PiecewiseLinear.from_weights(Weights(w1, b1, w2, 0.5))
    g = PiecewiseLinear.from_weights(Weights(w1, b1 * scale, w2, 0.5 * scale))
    t = np.linspace(-5, 5, 101)
    assert np.array_equal(g.knots, f.knots * scale)
    assert np.array_equal(g.jumps, f.jumps)
    assert np.array_equal(g(t * scale), f(t) * scale)
    assert g.total_variation(-scale, scale) == scale * f.total_variation(-1.0, 1.0)


@pytest.mark.parametrize("w1", [1e-300, -1e-300])
@pytest.mark.parametrize("b1", [1e10, -1e10])
def test_a_unit_with_its_knot_beyond_the_floats_is_linear_or_dead(w1: float, b1: float) -> None:
    weights = Weights(np.array([w1]), np.array([b1]), np.array([2.0]), 1.0)
    f = PiecewiseLinear.from_weights(weights)
    assert len(f.knots) == 0
    assert f.slope == (2 * w1 if b1 > 0 else 0)
    assert f([-1e300, 0.0, 1e300]).tolist() == [float(network_at(weights, t)) for t in (-1e300, 0.0, 1e300)]


def test_far_units_leave_near_ones_alone() -> None:
    weights = Weights(
        np.array([-1e-300, 1.0, 0.0, 2.0]), np.array([1e10, -3.0, 4.0, 1.0]), np.array([1.0, 2.0, 3.0, 0.0]), 5.0
    )
    f = PiecewiseLinear.from_weights(weights)
    assert f.knots.tolist() == [3]
    assert f.jumps.tolist() == [2]
    assert f.slope == -1e-300
    assert f([0.0, 4.0]).tolist() == [1e10 + 17, 1e10 + 19]


def test_many_knots_are_evaluated_as_the_exact_function_does() -> None:
    rng = np.random.default_rng(5)
    knots, jumps = np.sort(rng.normal(size=2000)), rng.normal(size=2000)
    f = PiecewiseLinear(knots, jumps, -3.0, 0.25, 0.1)
    exact = PiecewiseLinear(knots, jumps, Fraction(-3), Fraction(0.25), Fraction(0.1))
    t = rng.normal(size=50)
    size = 0.25 + f.total_variation(-10.0, 10.0)
    errors = [abs(Fraction(rounded) - truth) for rounded, truth in zip(f(t), exact(t), strict=True)]
    assert max(errors) <= 3 * EPS * Fraction(size)


@given(exact_functions(), rationals, rationals)
def test_a_function_is_the_same_wherever_it_is_anchored(f: PiecewiseLinear, anchor: Fraction, bit: Fraction) -> None:
    assert f.same_function(PiecewiseLinear(f.knots, f.jumps, f.slope, f(anchor), anchor))
    assert f.same_function(PiecewiseLinear(f.knots, f.jumps, f.slope, f(anchor) + bit, anchor)) == (bit == 0)
    assert f.same_function(PiecewiseLinear(f.knots, f.jumps, f.slope + bit, f.value, f.anchor)) == (bit == 0)
    assert f.same_function(PiecewiseLinear([*f.knots, anchor], [*f.jumps, bit], f.slope, f.value, f.anchor)) == (
        bit == 0
    )


def test_floats_and_rationals_may_be_the_same_function() -> None:
    f = PiecewiseLinear([0.5], [1.5], -1.0, 2.0)
    assert f.same_function(
        PiecewiseLinear([Fraction(1, 2)], [Fraction(3, 2)], Fraction(-1), Fraction(3, 2), Fraction(1, 2))
    )
    assert not f.same_function(PiecewiseLinear([0.1 + 0.2], [1.5], -1.0, 2.0))


LINE = PiecewiseLinear([], [], 1.0, 0.0)
TENT = PiecewiseLinear([0.0, 1.0], [-2.0, 2.0], 1.0, 0.0)
STEEP = PiecewiseLinear([0.0], [1e308], 1e308, 0.0)
TALL = PiecewiseLinear([], [], 1e308, 0.0)
HEAVY = Weights(np.array([1e200]), np.array([1.0]), np.array([1e200]), 0.0)
BIASED = Weights(np.zeros(2), np.array([1e308, 1e308]), np.ones(2), 0.0)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: PiecewiseLinear([1.0], [], 0, 0),
            ValueError,
            "jumps must hold one jump for each of the 1 knots, got 0",
        ),
        (
            lambda: PiecewiseLinear([math.nan], [1], 0, 0),
            ValueError,
            "knots must hold finite numbers, got nan at index 0",
        ),
        (
            lambda: PiecewiseLinear([1], [math.inf], 0, 0),
            ValueError,
            "jumps must hold finite numbers, got inf at index 0",
        ),
        (
            lambda: PiecewiseLinear([], [], math.nan, 0),
            ValueError,
            "slope must hold finite numbers, got nan at index 0",
        ),
        (
            lambda: PiecewiseLinear([], [], 0, math.inf),
            ValueError,
            "value must hold finite numbers, got inf at index 0",
        ),
        (
            lambda: PiecewiseLinear([], [], 0, 0, math.nan),
            ValueError,
            "anchor must hold finite numbers, got nan at index 0",
        ),
        (
            lambda: PiecewiseLinear([1, 1], [1e308, 1e308], 0, 0),
            ValueError,
            "the jumps of coincident knots must be within the range of floats, got a sum beyond it",
        ),
        (lambda: TALL(10.0), ValueError, "f(t) must be within the range of floats, got inf"),
        (lambda: LINE([0.0, math.inf]), ValueError, "t must hold finite numbers, got inf at index 1"),
        (lambda: LINE(True), TypeError, "t must hold real numbers, got True of type bool"),
        (lambda: TENT.total_variation(1.0, 1.0), ValueError, "a must be below b, got a = 1.0 and b = 1.0"),
        (lambda: TENT.total_variation(2, 1), ValueError, "a must be below b, got a = 2.0 and b = 1.0"),
        (lambda: TENT.total_variation(math.nan, 1), ValueError, "a must hold finite numbers, got nan at index 0"),
        (lambda: TENT.total_variation(0, math.inf), ValueError, "b must hold finite numbers, got inf at index 0"),
        (
            lambda: TENT.total_variation(-1e308, 1e308),
            ValueError,
            "the total variation must be within the range of floats, got a sum beyond it",
        ),
        (lambda: TENT.derivative_variation(3, 1), ValueError, "a must be below b, got a = 3 and b = 1"),
        (lambda: TENT.derivative_variation(b=-math.inf), ValueError, "a must be below b, got a = -inf and b = -inf"),
        (lambda: TENT.derivative_variation(math.nan), ValueError, "a must hold finite numbers, got nan at index 0"),
        (
            lambda: TENT.weighted_curvature(lambda points: points[:1]),
            ValueError,
            "weight must return one number for each of the 2 knots, got 1",
        ),
        (
            lambda: TENT.weighted_curvature(lambda points: np.ones((2, 1))),
            ValueError,
            "weight(knots) must have one axis, got shape (2, 1)",
        ),
        (
            lambda: TENT.weighted_curvature(lambda points: points - 0.5),
            ValueError,
            "weight must be at least 0, got -0.5 at the knot 0.0",
        ),
        (
            lambda: TENT.weighted_curvature(lambda points: points * math.nan),
            ValueError,
            "weight(knots) must hold finite numbers, got nan at index 0",
        ),
        (lambda: PiecewiseLinear.interpolate([1.0], [1.0]), ValueError, "x must hold at least 2 data points, got 1"),
        (
            lambda: PiecewiseLinear.interpolate([1.0, 2.0, 1.0], [0.0, 0.0, 0.0]),
            ValueError,
            "x must hold distinct points, got 1.0 at index 0 and again at 2",
        ),
        (
            lambda: PiecewiseLinear.interpolate([1.0, 2.0], [0.0]),
            ValueError,
            "y must hold one target for each of the 2 points of x, got 1",
        ),
        (
            lambda: PiecewiseLinear.interpolate([0.0, 1e-300], [0.0, 1e300]),
            ValueError,
            "the slopes of the spline must be within the range of floats, got inf",
        ),
        (
            lambda: PiecewiseLinear.interpolate([-1e308, 1e308], [0.0, 1.0]),
            ValueError,
            "the gaps of x must be within the range of floats, got inf",
        ),
        (
            lambda: PiecewiseLinear.interpolate([0.0, 1.0, 2.0], [0.0, 1e308, 0.0]),
            ValueError,
            "the jumps of the spline must be within the range of floats, got -inf",
        ),
        (
            lambda: PiecewiseLinear.from_weights(HEAVY),
            ValueError,
            "the products w1 w2 must be within the range of floats, got inf",
        ),
        (
            lambda: PiecewiseLinear.from_weights(BIASED),
            ValueError,
            "f(anchor) must be within the range of floats, got a sum beyond it",
        ),
        (
            lambda: PiecewiseLinear([-1e200], [1e150], 0.0, 0.0, 1e200).to_weights(),
            ValueError,
            "the outputs of the units must be within the range of floats, got inf",
        ),
        (lambda: STEEP.slopes, ValueError, "the slopes must be within the range of floats, got inf"),
    ],
)
def test_bad_input_is_told_in_one_sentence(call: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=message(text)):
        call()
