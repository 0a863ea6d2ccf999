import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.trials.common import data_points, exact_weights, networks_on_data, small
from theory.checks import Array, rationals
from theory.claim import AssumptionError, Instance
from theory.curvature import curvature_enclosure, weighted_curvature
from theory.enclosure import EPS, Enclosure
from theory.mulayoff2021.smooth_bounds import curvature_bound, sharpness_lower_bound
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import stability_weight, weight_enclosure
from theory.two_layer import Weights

HUGE = 10**400


def exact_curvature(f: PiecewiseLinear, x: Array) -> Enclosure:
    """Sum up int |f''| g knot by knot; floats count as the rationals they are."""
    lower, upper = weight_enclosure(rationals(f.knots), rationals(x))
    sizes = [abs(Fraction(jump)) for jump in f.jumps]
    return Enclosure(
        sum((s * w for s, w in zip(sizes, lower, strict=True)), Fraction(0)),
        sum((s * w for s, w in zip(sizes, upper, strict=True)), Fraction(0)),
    )


@st.composite
def functions_on_data(draw: st.DrawFn) -> tuple[PiecewiseLinear, Array]:
    x = draw(data_points())
    span = x[-1] - x[0]
    knots = [
        draw(st.one_of(st.sampled_from(x.tolist()), st.floats(-0.1, 1.1).map(lambda s: float(x[0] + s * span))))
        for _ in range(draw(st.integers(0, 5)))
    ]
    jumps = [draw(st.floats(-1e3, 1e3, allow_subnormal=False)) for _ in knots]
    return PiecewiseLinear(knots, jumps, 0.0, 0.0), x


@pytest.mark.parametrize("step_size", [0.01, 0.5, 1, Fraction(1, 3), 2.0])
def test_the_curvature_bound_for_both_losses(step_size: Any) -> None:
    assert curvature_bound(step_size) == 1 / float(step_size) - 0.5
    assert curvature_bound(float(step_size) / 2, loss="mean") == 1 / float(step_size) - 0.5


def test_beyond_a_step_size_of_two_there_is_no_minimum_to_bound() -> None:
    message = (
        "M6 does not apply: it assumes linear stability: eta lambda_max <= 2, got 3 or more: lambda_max is at least 1"
    )
    with pytest.raises(AssumptionError, match=f"^{re.escape(message)}$"):
        curvature_bound(3.0)
    with pytest.raises(AssumptionError, match="got 3 or more"):
        curvature_bound(1.5, loss="mean")
    with pytest.raises(AssumptionError, match=r"got 2.001"):
        curvature_bound(2.001)


@pytest.mark.parametrize(
    ("step_size", "error", "message"),
    [
        (0, ValueError, "step_size must be finite and above 0, got 0"),
        (-0.1, ValueError, "step_size must be finite and above 0, got -0.1"),
        (float("nan"), ValueError, "step_size must be finite and above 0, got nan"),
        (Fraction(1, HUGE), ValueError, "step_size must be finite and above 0, got 0.0"),
        ("0.1", TypeError, "step_size must be a real number, got '0.1' of type str"),
        (True, TypeError, "step_size must be a real number, got True of type bool"),
    ],
)
def test_a_step_size_that_is_none_is_refused(step_size: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        curvature_bound(step_size)


@given(functions_on_data())
def test_the_weighted_curvature_is_the_sum_over_knots(case: tuple[PiecewiseLinear, Array]) -> None:
    f, x = case
    exact = exact_curvature(f, x)
    error = Fraction(8 * (len(x) + len(f.knots) + 8) * EPS)  # |x_j| <= 1e7 here, so S adds nothing to it
    assert abs(Fraction(weighted_curvature(f, x)) - Fraction(exact.lower)) <= error * Fraction(exact.upper)


def test_the_weighted_curvature_by_hand() -> None:
    f = PiecewiseLinear([0.0, 0.5, 9.0], [-2.0, 3.0, 100.0], 1.0, 0.0)
    weights = stability_weight([0.0, 0.5], [-1.0, 0.0, 1.0])
    assert weighted_curvature(f, [-1.0, 0.0, 1.0]) == pytest.approx(2 * weights[0] + 3 * weights[1], rel=4 * EPS)
    assert weights[0] == pytest.approx(np.sqrt(2) / 9, rel=4 * EPS)


def test_a_line_has_no_curvature() -> None:
    line = PiecewiseLinear([], [], 2.0, 1.0)
    assert weighted_curvature(line, [0.0, 1.0]) == 0.0
    assert sharpness_lower_bound(line, [0.0, 1.0]) == np.nextafter(1.0, 0.0)


@given(functions_on_data())
def test_the_sharpness_bound_lies_just_below_the_exact_value(case: tuple[PiecewiseLinear, Array]) -> None:
    f, x = case
    exact = exact_curvature(f, x)
    bound = Fraction(sharpness_lower_bound(f, x))
    assert bound <= 1 + 2 * exact.lower
    assert 1 + 2 * exact.upper - bound <= Fraction(1, 10**12) * (1 + 2 * exact.upper)


@given(
    st.sets(st.fractions(-5, 5, max_denominator=7), min_size=2, max_size=6),
    st.sampled_from([0, 10**6, Fraction(1, 3)]),
    st.sampled_from([1, Fraction(1, 3 * 10**6), Fraction(1, 10**30)]),
    st.data(),
)
def test_the_sharpness_bound_of_rationals_is_the_exact_value_rounded_down(
    points: set[Fraction], offset: Fraction, scale: Fraction, data: st.DataObject
) -> None:
    x = rationals([offset + scale * v for v in sorted(points)])
    f = PiecewiseLinear.interpolate(x, rationals([data.draw(small) for _ in x]))
    exact, bound = exact_curvature(f, x), sharpness_lower_bound(f, x)
    assert Fraction(bound) <= 1 + 2 * exact.upper
    assert Fraction(float(np.nextafter(bound, np.inf))) > 1 + 2 * exact.lower


@given(networks_on_data())
def test_the_curvature_of_float_weights_is_that_of_the_rationals_they_are(instance: Instance) -> None:
    weights, x = instance["weights"], instance["x"]
    found, exact = curvature_enclosure(weights, x), curvature_enclosure(weights.rational(), rationals(x))
    assert found == exact
    assert exact.upper - exact.lower <= exact.upper / 2**100


@given(exact_weights(), st.sets(small, min_size=1, max_size=5))
def test_the_curvature_of_exact_weights_merges_knots(weights: Weights, points: set[Fraction]) -> None:
    x, jumps = rationals(sorted(points)), dict[Fraction, Fraction]()
    for w1, b1, w2 in zip(weights.w1, weights.b1, weights.w2, strict=True):
        if w1 != 0:
            jumps[-b1 / w1] = jumps.get(-b1 / w1, Fraction(0)) + abs(w1) * w2
    f = PiecewiseLinear(rationals(list(jumps)), rationals(list(jumps.values())), Fraction(0), Fraction(0))
    assert curvature_enclosure(weights, x) == exact_curvature(f, x)


def test_knots_that_only_rounding_merges_do_not_cancel() -> None:
    # -b1/w1 is the same float for both units, but not the same number: the jumps 3 and -3 stay apart.
    c = next(c for c in np.linspace(0.05, 0.6, 500) if Fraction(3 * c) != 3 * Fraction(c) and 3 * c / 3 == c)
    weights, x = Weights([1.0, 3.0], [-c, -3 * c], [3.0, -1.0], 0.0), np.array([-1.0, 0.0, 1.0])
    expected = 6 * stability_weight([c], x)[0]
    assert float(curvature_enclosure(weights, x).lower) == pytest.approx(expected, rel=1e-12)


F = PiecewiseLinear([0.0], [1.0], 0.0, 0.0)


@pytest.mark.parametrize("function", [weighted_curvature, sharpness_lower_bound])
@pytest.mark.parametrize(
    ("f", "x", "error", "message"),
    [
        (
            abs,
            [0.0],
            TypeError,
            "f must be a PiecewiseLinear, got builtin_function_or_method: see PiecewiseLinear.interpolate",
        ),
        (F, [], ValueError, "x must hold at least 1 data point, got 0"),
        (F, [0.0, float("nan")], ValueError, "x must hold finite numbers, got nan at index 1"),
        (F, [[0.0, 1.0]], ValueError, "x must have one axis, got shape (1, 2)"),
        (F, [0.0, 1.0, 0.0], ValueError, "x must hold distinct points, got 0.0 at index 0 and again at 2"),
        (F, "data", TypeError, "x must hold real numbers, got 'data' of type str"),
    ],
)
def test_what_has_no_curvature_is_refused(function: Any, f: Any, x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        function(f, x)
