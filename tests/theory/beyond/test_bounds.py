import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy.polys.matrices import DomainMatrix

from proofs_check.trials.common import data_points, interpolants
from theory.beyond import (
    critical_step_size,
    curvature_bound_with_loss,
    loss_term,
    lowest_weight,
    sharp_loss_term,
    smallest_curvature,
)
from theory.beyond.critical_step import lowest_weight_enclosure
from theory.checks import Array, rationals
from theory.claim import AssumptionError, Instance
from theory.curvature import weighted_curvature
from theory.enclosure import EPS
from theory.mulayoff2021.smooth_bounds import curvature_bound
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import Side, stability_weight, weight_enclosure

INF, NAN = float("inf"), float("nan")
TEXT: Any = [1.0, "2"]
SIDES: tuple[Side, ...] = ("left", "at", "right")
data_sets = st.lists(
    st.tuples(st.integers(-40, 40), st.integers(-9, 9)), min_size=2, max_size=6, unique_by=lambda pair: pair[0]
).map(lambda pairs: tuple(rationals(column) for column in zip(*sorted(pairs), strict=True)))


def exact_infimum(x: Array, y: Array) -> Fraction:
    spline = PiecewiseLinear.interpolate(x, y)
    return Fraction(sum(np.abs(spline.jumps) * lowest_weight_enclosure(x, spline.knots)[0], Fraction(0)))


def moved_spline(x: Array, y: Array, moves: list[Fraction]) -> PiecewiseLinear:
    """The function that interpolates the data and bends at the interior points moved by so much, solved exactly."""
    knots = [v + move for v, move in zip(x[1:-1], moves, strict=True)]
    rows = [[1, p - x[0], *(max(p - c, Fraction(0)) for c in knots)] for p in x]
    matrix, right = (
        DomainMatrix([[sp.QQ(v.numerator, v.denominator) for v in row] for row in m], (len(m), len(m[0])), sp.QQ)
        for m in (rows, [[v] for v in y])
    )
    solved = matrix.lu_solve(right).to_list_flat()
    value, slope, *jumps = [Fraction(int(v.numerator), int(v.denominator)) for v in solved]
    return PiecewiseLinear(rationals(knots), rationals(jumps), slope, value, x[0])


def exact_curvature(f: PiecewiseLinear, x: Array) -> Fraction:
    return Fraction(sum(np.abs(f.jumps) * weight_enclosure(f.knots, x)[0], Fraction(0)))


@pytest.mark.parametrize("x", [[0.0, 1.0], [-3.0, 5.0, 6.0, 100.0]])
@pytest.mark.parametrize("slope", [0.0, 2.0])
def test_data_on_a_line_are_critical_at_2(x: list[float], slope: float) -> None:
    y = [slope * v + 1 for v in x]
    assert smallest_curvature(x, y) == 0.0
    assert critical_step_size(x, y) == 2.0


def test_a_hat_by_hand() -> None:
    # The change of slope is -2, and g_*(0) = g-(0) = 1 sqrt(1 + 1)/9.
    expected = 1 / (0.5 + 2 * math.sqrt(2) / 9)
    assert critical_step_size([0.0, -1.0, 1.0], [1.0, 0.0, 0.0]) == pytest.approx(expected, rel=8 * EPS)


def test_where_it_is_cheaper_to_bend_beside_a_point() -> None:
    x, y = [-3.0, 3.0, 6.0], [0.0, 0.0, 1.0]
    # g(3) = g+(3) = 3 sqrt(1 + 36)/9, but g(3+) = g-(3+) = 6 sqrt(4 + 0)/9.
    spline = PiecewiseLinear.interpolate(x, y)
    assert weighted_curvature(spline, x) == pytest.approx(math.sqrt(37) / 9, rel=8 * EPS)
    assert smallest_curvature(x, y) == pytest.approx(4 / 9, rel=8 * EPS)
    assert critical_step_size(x, y) == pytest.approx(18 / 17, rel=8 * EPS)


def test_an_infimum_that_the_spline_does_not_attain_may_be_attained_elsewhere() -> None:
    x, y = [-3.0, 3.0, 4.0, 100.0], [0.0, 0.0, 1.0, 193.0]
    one_bend = PiecewiseLinear([3.5], [2.0], 0.0, 0.0, -3.0)
    np.testing.assert_array_equal(one_bend(x), y)
    assert weighted_curvature(PiecewiseLinear.interpolate(x, y), x) > 2
    assert smallest_curvature(x, y) == pytest.approx(1.75, rel=8 * EPS)
    assert weighted_curvature(one_bend, x) == pytest.approx(1.75, rel=8 * EPS)


@given(data_sets)
def test_the_float_value_is_the_exact_sum(data: tuple[Array, Array]) -> None:
    x, y = data
    exact = exact_infimum(x, y)
    size = np.abs(np.diff(y.astype(np.float64)) / np.diff(x.astype(np.float64))).sum()
    # Slopes carry a rounding each, which their changes inherit; g is at most 1.6e4 n here.
    weights = lowest_weight(x.astype(np.float64))
    error = 16 * len(x) * EPS * float((size + 1) * weights.sum())
    assert abs(smallest_curvature(x, y) - float(exact)) <= error


@given(data_sets)
def test_bending_beside_the_data_comes_as_close_as_one_likes(data: tuple[Array, Array]) -> None:
    x, y = data
    left, at, right = (weight_enclosure(x[1:-1], x, side=side)[0] for side in SIDES)
    moves = [Fraction(min((a, 0), (b, -1), (c, 1))[1]) for a, b, c in zip(at, left, right, strict=True)]
    infimum = exact_infimum(x, y)
    gaps = [
        exact_curvature(moved_spline(x, y, [m * delta for m in moves]), x) - infimum
        for delta in (Fraction(1, 10**4), Fraction(1, 10**8), Fraction(1, 10**16))
    ]
    rounding = (1 + infimum) / 2**100
    assert all(gap >= -rounding for gap in gaps)
    assert gaps[1] <= gaps[0] / 10**3 + rounding
    assert gaps[2] <= gaps[1] / 10**7 + rounding


@given(interpolants())
def test_no_interpolant_has_less_curvature(instance: Instance) -> None:
    f, x = instance["f"], instance["x"]
    infimum, curvature = smallest_curvature(x, f(x)), float(exact_curvature(f, x))
    slopes = np.abs(np.diff(f(x).astype(np.float64)) / np.diff(x.astype(np.float64))).sum()
    rounding = 64 * len(x) * EPS * float((1 + slopes) * (1 + lowest_weight(x.astype(np.float64)).sum()))
    assert infimum <= curvature + rounding


@given(data_points(fewest=2))
def test_g_is_never_below_both_its_limits(x: Array) -> None:
    assert np.all(lowest_weight(x) <= stability_weight(x, x))


@given(data_sets)
def test_the_mean_loss_halves_the_critical_step_size(data: tuple[Array, Array]) -> None:
    x, y = data
    assert critical_step_size(x, y, loss="mean") == critical_step_size(x, y) / 2


@given(data_sets, st.sampled_from([0.25, 0.5, 2.0, 8.0]), st.sampled_from([-2.0, 0.5, 4.0]))
def test_curvature_scales_with_the_targets(data: tuple[Array, Array], factor: float, line: float) -> None:
    x, y = (column.astype(np.float64) for column in data)
    curvature = smallest_curvature(x, y)
    assert smallest_curvature(x, factor * y) == factor * curvature
    assert smallest_curvature(x, -y) == curvature
    # Targets are rounded, and slopes over gaps of at least 1.
    size = (np.abs(y).max() + abs(line) * np.abs(x).max() + 1) * lowest_weight(x).sum()
    assert abs(smallest_curvature(x, y + line * x + 1) - curvature) <= 16 * EPS * float(size)


@given(data_sets, st.integers(1, 6))
def test_curvature_under_a_scaling_of_the_inputs(data: tuple[Array, Array], power: int) -> None:
    # A scales with x, changes of slope with 1/x, and sqrt(m^2 + S^2) by between 1 and the factor.
    x, y = (column.astype(np.float64) for column in data)
    factor, curvature = 2.0**power, smallest_curvature(x, y)
    scaled = smallest_curvature(factor * x, y)
    assert curvature * (1 - 1e-12) <= scaled <= factor * curvature * (1 + 1e-12)


@given(data_sets)
def test_the_critical_step_size_is_where_the_bound_meets_the_infimum(data: tuple[Array, Array]) -> None:
    x, y = data
    critical, infimum = critical_step_size(x, y), smallest_curvature(x, y)
    assert 0 < critical <= 2
    assert curvature_bound(critical) == pytest.approx(infimum, rel=8 * EPS, abs=8 * EPS)


@given(data_sets)
def test_the_order_of_the_data_does_not_matter(data: tuple[Array, Array]) -> None:
    x, y = data
    assert critical_step_size(x[::-1], y[::-1]) == critical_step_size(x, y)


losses = st.floats(0, 1e6)


@given(data_points(), losses)
def test_the_loss_terms(x: Array, loss: float) -> None:
    radius = max(abs(v) for v in x)
    assert loss_term(x, loss) == pytest.approx((radius + 1) * math.sqrt(2 * loss), rel=8 * EPS)
    design = np.stack([x.astype(np.float64), np.ones(len(x))], axis=1)
    top = np.linalg.norm(design, 2) ** 2 / len(x)
    assert sharp_loss_term(x, loss) == pytest.approx(math.sqrt(top * loss / 2), rel=64 * EPS)
    assert sharp_loss_term(x, loss) <= loss_term(x, loss) / 2 * (1 + 8 * EPS)


def test_rational_losses_are_taken() -> None:
    half: Any = Fraction(1, 2)
    assert loss_term([Fraction(1)], half) == 2.0
    assert sharp_loss_term([Fraction(0)], half) == 0.5


@given(data_points(), losses, st.floats(0.01, 4))
def test_the_bound_with_a_loss(x: Array, loss: float, step_size: float) -> None:
    term = loss_term(x, loss)
    assume(abs(step_size * (1 - 2 * term) - 2) > 1e-9)
    if step_size * (1 - 2 * term) > 2:
        with pytest.raises(AssumptionError, match=r"^B7 does not apply: it assumes linear stability"):
            curvature_bound_with_loss(step_size, x, loss)
        return
    expected = 1 / step_size - 0.5 + term
    assert curvature_bound_with_loss(step_size, x, loss) == expected
    # The mean loss is twice the half-mean loss, and half its step size makes the same steps.
    assert curvature_bound_with_loss(step_size / 2, x, 2 * loss, loss="mean") == expected


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: critical_step_size([1.0], [1.0]), ValueError, "x must hold at least 2 data points, got 1"),
        (
            lambda: critical_step_size([1.0, 1.0], [1.0, 2.0]),
            ValueError,
            "x must hold distinct points, got 1.0 at index 0 and again at 1",
        ),
        (
            lambda: critical_step_size([Fraction(1), 1 + Fraction(1, 10**30)], [1, 2]),
            ValueError,
            "x must hold distinct points, got 1.0 at index 0 and again at 1",
        ),
        (
            lambda: critical_step_size([1.0, 2.0], [1.0]),
            ValueError,
            "y must hold one target for each of the 2 points of x, got 1",
        ),
        (
            lambda: critical_step_size([1.0, INF], [1.0, 2.0]),
            ValueError,
            "x must hold finite numbers, got inf at index 1",
        ),
        (
            lambda: critical_step_size([1.0, 2.0], TEXT),
            TypeError,
            "y must hold real numbers, got '2' of type str",
        ),
        (lambda: loss_term([1.0], -1.0), ValueError, "training_loss must be finite and at least 0, got -1.0"),
        (lambda: loss_term([1.0], NAN), ValueError, "training_loss must be finite and at least 0, got nan"),
        (lambda: loss_term([1.0], True), TypeError, "training_loss must be a real number, got True of type bool"),
        (lambda: sharp_loss_term([1.0], INF), ValueError, "training_loss must be finite and at least 0, got inf"),
        (lambda: sharp_loss_term([], 1.0), ValueError, "x must hold at least 1 data point, got 0"),
        (
            lambda: curvature_bound_with_loss(0.1, [1.0], -0.5, loss="mean"),
            ValueError,
            "training_loss must be finite and at least 0, got -0.5",
        ),
        (
            lambda: curvature_bound_with_loss(0.0, [1.0], 0.5),
            ValueError,
            "step_size must be finite and above 0, got 0.0",
        ),
    ],
)
def test_malformed_queries_are_refused(call: Callable[[], float], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()


def test_unknown_conventions_are_refused() -> None:
    unknown: Any = "elsewhere"
    with pytest.raises(ValueError, match=r"^loss must be one of 'half_mean', 'mean', got 'elsewhere'$"):
        critical_step_size([0.0, 1.0], [0.0, 1.0], loss=unknown)
