import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.programs.minimum_variation import (
    VariationCertificate,
    check_variation_certificate,
    minimum_variation,
)
from theory.piecewise_linear import PiecewiseLinear

DATA = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-40, 40), min_size=n, max_size=n, unique=True),
        st.lists(st.integers(-20, 20), min_size=n, max_size=n),
    )
)


@given(DATA)
@settings(max_examples=40)
def test_without_constraints_the_targets_vary_least(data: tuple[list[int], list[int]]) -> None:
    x, y = ([Fraction(number, over) for number in part] for part, over in zip(data, (7, 3), strict=True))
    result = minimum_variation(x, y)
    expected = sum(abs(step) for step in np.diff([target for _, target in sorted(zip(x, y, strict=True))]))
    assert result.value <= expected
    assert result.value == pytest.approx(float(expected), rel=1e-12)
    assert result.primal == pytest.approx(float(expected), rel=1e-12)


def test_tubes_slopes_and_bends_by_hand() -> None:
    x, y = [0.0, 1.0, 2.0], [0.0, 1.0, 0.0]
    assert minimum_variation(x, y).value == pytest.approx(2)
    assert minimum_variation(x, y, tube=0.25).value == pytest.approx(1, rel=1e-9)
    assert minimum_variation(x[::-1], y[::-1], tube=[0.0, 0.0, 0.25]).value == pytest.approx(1.75, rel=1e-9)
    assert minimum_variation(x, y, tube=0.5).value == 0
    # A rising function takes the difference of its ends, the last value at least 0.75, the first at most 0.25.
    rising = minimum_variation(x, [0.0, 2.0, 1.0], tube=0.5, slopes=(0, math.inf))
    assert rising.value == pytest.approx(1, rel=1e-9)
    # With a least slope of 1 there is no way but 2 upwards.
    steep = minimum_variation(x, [0.0, 0.0, 0.0], tube=1.0, slopes=(1, math.inf))
    assert steep.value == pytest.approx(2, rel=1e-9)
    # Convex from 1 to 1, in the middle at most 1/2: down by 1/2 and up again by as much.
    convex = minimum_variation(x, [1.0, 0.0, 1.0], tube=[0.0, 0.5, 0.0], bend="convex")
    assert convex.value == pytest.approx(1, rel=1e-9)
    # Concave through (0, 0) and (1, 1), at least 2 at 4: up by 2, which a concave function can do without turning.
    concave = minimum_variation([0, 1, 3, 4], [0, 1, 1, 3], tube=[0, 0, 1, 1], bend="concave")
    assert concave.value == pytest.approx(2, rel=1e-9)
    # From 0 over 1 to at most 1/2 again: concave functions must fall on from there.
    falling = minimum_variation([0, 1, 2, 3], [0, 1, 0, 0], tube=[0, 0, 0.5, 1], bend="concave")
    assert falling.value == pytest.approx(1 + 0.5 + 0.5, rel=1e-9)
    assert concave.violation <= 1e-9


@given(DATA, st.integers(0, 10**6))
@settings(max_examples=60)
def test_no_function_of_the_class_varies_less_and_the_one_returned_is_of_it(
    data: tuple[list[int], list[int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(np.array(data[0]) / 8)
    tube, bend = 0.5, [None, "convex", "concave"][seed % 3]
    # A function of the class: the data are made from it.
    target = {None: np.array(data[1]) / 4, "convex": x**2 / 5, "concave": -(x**2) / 5}[bend]
    rival = PiecewiseLinear.interpolate(x, target)
    y = target + tube * rng.uniform(-1, 1, len(x))
    slopes = np.asarray(rival.slopes, dtype=np.float64)
    bounds = [(-math.inf, math.inf), (float(np.min(slopes)) - 0.1, float(np.max(slopes)) + 0.1)][seed % 2]
    arguments: Any = {"tube": tube, "slopes": bounds, "bend": bend}
    result = minimum_variation(x, y, **arguments)
    size = 1 + float(np.max(np.abs(y)))
    assert result.value <= math.fsum(np.abs(np.diff(target))) + 1e-12 * size
    assert -1e-9 * size <= result.gap <= 1e-7 * size
    assert result.violation <= 1e-7 * size
    assert np.max(np.abs(result.function(x) - y)) <= tube + 1e-9 * size
    assert check_variation_certificate(result.problem, result.certificate) == result.value
    # Any numbers are a valid dual point, so no others give more.
    n = len(x)
    for scale in (0.3, 3.0):
        other = VariationCertificate(*(scale * rng.standard_normal(count) for count in (n - 1, n - 1, n - 2)))
        assert check_variation_certificate(result.problem, other) <= result.primal + 1e-9 * size


def test_a_certificate_that_was_tampered_with_gives_no_more() -> None:
    x, y = [0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 0.0, 2.0]
    result = minimum_variation(x, y, tube=0.1, slopes=(-0.9, 0.9))
    good = result.certificate
    larger = VariationCertificate(2 * good.directions, good.slopes, good.bends)
    assert check_variation_certificate(result.problem, larger) <= result.primal
    with pytest.raises(ValueError, match="must hold 3 directions, 3 slopes and 2 bends, got 2, 3, 2"):
        check_variation_certificate(result.problem, VariationCertificate(good.directions[1:], good.slopes, good.bends))
    with pytest.raises(ValueError, match="finite"):
        check_variation_certificate(
            result.problem, VariationCertificate(math.nan * good.directions, good.slopes, good.bends)
        )


def test_problems_without_a_solution_say_so() -> None:
    for arguments, reason in (
        ({"x": [0, 0, 1], "y": [0, 1, 2]}, "distinct"),
        ({"x": [0, 1], "y": [0, 1], "tube": -0.1}, "tube"),
        ({"x": [0, 1, 2], "y": [0, 5, 0], "slopes": (-1, 1)}, "up to x = 1.0"),
        ({"x": [0, 1, 2], "y": [0, 1, 0], "bend": "convex"}, "convex function"),
        ({"x": [0, 1, 2], "y": [0, 1, 0], "bend": "round"}, "bend must be"),
        ({"x": [0], "y": [0]}, "at least 2"),
    ):
        with pytest.raises(ValueError, match=reason):
            minimum_variation(**arguments)  # type: ignore[arg-type]
