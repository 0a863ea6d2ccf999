import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.trials.beyond.pair_variation import functions_on_points, networks_on_points, shared_knots
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.enclosure import Enclosure
from theory.path_lengths import (
    function_path_length,
    gradient_path_length,
    gradient_variation,
    network_path_length,
    weights_product,
)
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.two_layer import Weights
from theory.volhejn2020 import (
    initialization_limit,
    kendall_tau_b,
    label_path_length,
    pair_counts,
    path_length_bound,
    sampling_error_bound,
    spline_path_length,
    tau_b_ceiling,
)
from theory.volhejn2020.rank_correlation import DESIGN

TENT = PiecewiseLinear([Fraction(0)], [Fraction(2)], Fraction(-1), Fraction(0))
RAMP = Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0))
GRID = np.linspace(-6, 6, 1921)


def verdict(id: str, **given: Any) -> tuple[Ruling, Any, Any]:
    result = CLAIMS[id].evaluate(Instance(given, "named"))
    return result.ruling, result.lhs, result.rhs


def exactly(value: object) -> Enclosure:
    return Enclosure.exactly(Fraction(str(value)))


@given(st.one_of(functions_on_points(), shared_knots()))
def test_path_lengths_of_floats_are_those_of_the_rationals(instance: Instance) -> None:
    weights, x = instance["weights"], instance["x"]
    f = PiecewiseLinear.from_weights(weights)
    floats = PiecewiseLinear(
        f.knots.astype(float), f.jumps.astype(float), float(f.slope), float(f.value), float(f.anchor)
    )
    for measure in (function_path_length, gradient_path_length):
        assert isinstance(measure(f, x), Fraction)
        # Coarse enough that rounding moves no knot across a point.
        if measure is function_path_length or not set(f.knots) & set(x):
            assert measure(floats, x.astype(float)) == pytest.approx(float(measure(f, x)), rel=1e-12, abs=1e-12)


@given(functions_on_points())
def test_the_integral_is_that_of_the_slope_against_twice_f_times_one_minus_f(instance: Instance) -> None:
    f, x = PiecewiseLinear.from_weights(instance["weights"]), np.sort(instance["x"].astype(float))
    ends = np.unique(np.concatenate([f.knots.astype(float), x, [-10.0, 10.0]]))
    middles = (ends[1:] + ends[:-1]) / 2
    share = np.searchsorted(x, middles) / len(x)
    slopes = f.slopes.astype(float)[np.searchsorted(f.knots.astype(float), middles)]
    expected = float(np.sum(np.abs(slopes) * 2 * share * (1 - share) * np.diff(ends)))
    assert float(function_path_length(f, instance["x"])) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(networks_on_points())
def test_the_closed_form_bounds_what_gradients_on_a_fine_grid_vary_by(instance: Instance) -> None:
    w1, b1, w2, points = (instance[name].astype(float) for name in ("hidden", "biases", "outputs", "inputs"))
    t = np.linspace(0, 1, 241)[:, None]
    total = 0.0
    for a, b in product(points, repeat=2):
        gradients = ((a + t * (b - a)) @ w1.T + b1 >= 0) * w2 @ w1
        total += float(np.linalg.norm(np.diff(gradients, axis=0), axis=1).sum())
    closed = network_path_length(w1, b1, w2, points)
    assert total / len(points) ** 2 <= closed * (1 + 1e-12)
    assert closed <= weights_product(w1, w2) / 2 * (1 + 1e-12)


def test_jumps_that_meet_cancel_and_b6_says_so() -> None:
    twice = {"hidden": [[1], [1]], "biases": [0, 0], "inputs": [[-1], [1]]}
    assert CLAIMS["B6"].evaluate({**twice, "outputs": [1, -1]}).ruling is Ruling.INAPPLICABLE
    zero, one = gradient_variation(*map(rationals, ([[1], [1]], [0, 0], [1, -1])), *map(rationals, ([-1], [1]))), 1.0
    assert zero == exactly(0)
    assert network_path_length([[1], [1]], [0, 0], [1, -1], [[-1], [1]]) == one


def test_a_point_on_the_hyperplane_counts_as_active() -> None:
    on = {"hidden": [[1]], "biases": [0], "outputs": [1]}
    assert verdict("B6", **on, inputs=[[0], [1]]) == (Ruling.HOLDS, exactly(0), exactly(0))
    assert verdict("B6", **on, inputs=[[0], [-1]]) == (Ruling.HOLDS, exactly("1/2"), exactly("1/2"))
    assert gradient_path_length(PiecewiseLinear.from_weights(RAMP), [0, -1]) == 0


def test_pl1_is_half_of_what_eq_3_18_says() -> None:
    assert verdict("V9.c", weights=RAMP, interval=(-1, 1)) == (Ruling.VIOLATED, exactly("1/2"), exactly(1))
    # The same by counting: the mean over pairs of a fine uniform grid.
    assert gradient_path_length(TENT, GRID) == pytest.approx(weights_product([[1], [-1]], [1, 1]) / 2, rel=2e-3)


def test_the_knots_of_zero_biases_coincide() -> None:
    start = Weights([1, -2], [0, 0], [Fraction(1), Fraction(3)], Fraction(0))
    assert CLAIMS["V9"].evaluate({"weights": start, "interval": (-1, 1)}).ruling is Ruling.INAPPLICABLE


@pytest.mark.parametrize(("fan_in", "fan_out"), [(1, 2), (784, 256), (256, 1)])
def test_the_limit_is_that_of_glorot_uniform(fan_in: int, fan_out: int) -> None:
    limit = initialization_limit(fan_in, fan_out)
    assert limit**2 / 3 == pytest.approx(2 / (fan_in + fan_out))
    assert initialization_limit(fan_in, fan_out, Fraction(1, 100)) == pytest.approx(limit / 10)


def test_eq_4_1_as_printed_is_glorot_uniform_at_scale_two() -> None:
    assert verdict("V10", fan_in=1, fan_out=5, scale=Fraction(1))[0] is Ruling.VIOLATED
    assert verdict("V10.b", fan_in=1, fan_out=5, scale=Fraction(2)) == (Ruling.HOLDS, exactly(1), exactly(1))


@pytest.mark.parametrize("groups", [(0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1), (0, 0, 1, 1, 2), (0, 1, 2, 3)])
def test_the_ceiling_of_tau_b_is_attained_and_not_passed_by_any_ranking_without_ties(groups: tuple[int, ...]) -> None:
    best = max(kendall_tau_b(order, groups) for order in permutations(range(len(groups))))
    assert best == pytest.approx(tau_b_ceiling(groups), rel=1e-12)


def test_the_ceiling_is_passed_only_where_a_pair_is_tied_in_both() -> None:
    groups = (0, 0, 1, 1)
    rankings = [values for values in product(range(4), repeat=4) if len(set(values)) > 1]
    over = [
        pair_counts(values, groups).both_ties
        for values in rankings
        if kendall_tau_b(values, groups) > tau_b_ceiling(groups) + 1e-12
    ]
    assert over
    assert min(over) >= 1
    assert kendall_tau_b(groups, groups) == 1


def test_the_ceiling_of_the_printed_design() -> None:
    assert tau_b_ceiling(DESIGN["groups"]) == pytest.approx(math.sqrt(252 / 276))
    assert kendall_tau_b(DESIGN["measured"], DESIGN["groups"]) == pytest.approx(math.sqrt(21 / 23))
    assert tau_b_ceiling(np.repeat(np.arange(9), 10)) == pytest.approx(math.sqrt(80 / 89))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=6))
def test_pairs_are_counted_once(rows: list[tuple[int, int]]) -> None:
    x, y = zip(*rows, strict=True)
    counts = pair_counts(x, y)
    pairs = [(i, j) for i in range(len(rows)) for j in range(i)]
    assert counts.pairs == len(pairs)
    assert counts.first_ties == sum(x[i] == x[j] for i, j in pairs)
    assert counts.second_ties == sum(y[i] == y[j] for i, j in pairs)
    assert counts.both_ties == sum(x[i] == x[j] and y[i] == y[j] for i, j in pairs)
    assert counts.balance == sum(np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i, j in pairs)


def test_ranks_do_not_overflow() -> None:
    assert kendall_tau_b([-1e308, 1e308], [0, 1]) == 1
    assert pair_counts([0.0, 5e-324], [0, 1]).balance == 1


@given(st.lists(st.fractions(-3, 3, max_denominator=4), min_size=1, max_size=6))
def test_the_mean_difference_of_labels(y: list[Fraction]) -> None:
    expected = sum((abs(a - b) for a in y for b in y), Fraction(0)) / len(y) ** 2
    assert label_path_length(y) == expected
    assert label_path_length(rationals(y).astype(float)) == pytest.approx(float(expected), abs=1e-12)
    assert path_length_bound(y) == pytest.approx(float(expected), abs=1e-15)


def test_balanced_labels_bound_pl0_by_one_or_more() -> None:
    labels = [Fraction(v) for v in (-1, 1, 1, -1)]
    assert label_path_length(labels) == 1
    assert spline_path_length([0, 1, 2, 3], labels) == Fraction(3, 2)
    assert spline_path_length([0, 3, 2, 1], sorted(labels)) > spline_path_length([0, 1, 2, 3], sorted(labels)) == 1


def test_the_loss_lowers_the_bound_by_what_it_can_cost() -> None:
    y = [-1.0] * 5000 + [1.0] * 5000
    assert path_length_bound(y, 1e-5) == pytest.approx(1 - 0.0063, abs=1e-4)
    assert path_length_bound([0, 1], 1 / 16) == pytest.approx(1 / 4)


def test_eq_4_7_as_printed_is_twice_a_mean_of_distinct_pairs() -> None:
    table = [[0, 1, 2], [1, 0, 4], [2, 4, 0]]
    assert verdict("V13", variations=table, batch_size=1) == (Ruling.VIOLATED, exactly("14/3"), exactly("14/9"))
    assert verdict("V13.b", variations=table, batch_size=2) == (Ruling.HOLDS, exactly("7/3"), exactly("7/3"))
    assert verdict("V13.c", variations=table, batch_size=2) == (Ruling.HOLDS, exactly("14/9"), exactly("14/9"))


def test_a_third_point_on_the_line_makes_pl0_over_the_training_set_smaller() -> None:
    x, y = [Fraction(v, 2) for v in (0, 2, 1)], [Fraction(v, 2) for v in (0, 2, 1)]
    assert [spline_path_length(x[:n], y[:n]) for n in (2, 3)] == [Fraction(1, 2), Fraction(4, 9)]


def test_a_hundred_points_miss_at_most_a_hundred_and_ninety_eighth() -> None:
    assert sampling_error_bound(Fraction(2), 0, 1, 100) == Fraction(1, 99)
    assert sampling_error_bound(2.0, -1, 1, 2) == 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sampling_error_bound(1, 0, 1, 1), ValueError, "n must be at least 2, got 1"),
        (lambda: sampling_error_bound(-1, 0, 1, 2), ValueError, "derivative_variation must be finite and at least 0"),
        (lambda: sampling_error_bound(1, 1, 1, 2), ValueError, "a must be below b, got a = 1 and b = 1"),
        (lambda: initialization_limit(0, 3), ValueError, "fan_in must be at least 1, got 0"),
        (lambda: initialization_limit(3, 2.5), TypeError, "fan_out must be an integer, got 2.5 of type float"),
        (lambda: initialization_limit(3, 2, 0), ValueError, "scale must be finite and above 0, got 0"),
        (lambda: pair_counts([1], [1]), ValueError, "x must hold at least 2 numbers, got 1"),
        (lambda: pair_counts([1, 2], [1, 2, 3]), ValueError, "y must hold one number for each of the 2 of x, got 3"),
        (
            lambda: kendall_tau_b([1, 1], [1, 2]),
            ValueError,
            "x must hold two different numbers, got a constant sequence",
        ),
        (lambda: tau_b_ceiling([math.nan, 1]), ValueError, "y must hold finite numbers, got nan at index 0"),
        (lambda: function_path_length(TENT, []), ValueError, "x must hold at least 1 number, got 0"),
        (lambda: gradient_path_length(lambda t: t, [0]), TypeError, "f must be a PiecewiseLinear, got function"),
        (
            lambda: network_path_length([[1]], [0], [1], [[0, 1]]),
            ValueError,
            "points must be at least one row of 1 inputs",
        ),
        (
            lambda: network_path_length([[1]], [0, 1], [1], [[0]]),
            ValueError,
            "biases must hold one number for each of the 1",
        ),
        (
            lambda: weights_product([[1], [2]], [1]),
            ValueError,
            "outputs must hold one number for each of the 2 hidden units",
        ),
        (lambda: spline_path_length([0, 0], [1, 2]), ValueError, "x must hold distinct points"),
        (lambda: path_length_bound([0, 1], -1), ValueError, "loss must be finite and at least 0, got -1"),
    ],
)
def test_bad_input_is_named(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        call()


@pytest.mark.parametrize(
    ("id", "given", "message"),
    [
        ("V1", {"curve": [[0]]}, "curve must be at least two points, one a row, got shape"),
        ("V4", {"weights": RAMP, "interval": (0, 1), "points": 1}, "points must be at least 2, got 1"),
        ("V11", {"values": [[0]], "y": [0], "measure": [0], "sizes": (1,)}, "sizes must be two numbers of points"),
        ("V13.b", {"variations": [[0, 1], [2, 0]], "batch_size": 2}, "variations must be symmetric, at least 0"),
        ("V13.b", {"variations": [[0, 1]], "batch_size": 2}, "variations must have a row and a column for every point"),
    ],
)
def test_claims_name_what_cannot_be_meant(id: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        CLAIMS[id].evaluate(given)
