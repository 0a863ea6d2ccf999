import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from numerics.programs.certificates import certify
from theory.beyond.dual import B2B
from theory.beyond.dual_bounds import check_dual_matrix, dual_sharpness_bound
from theory.claim import AssumptionError
from theory.mulayoff2021.smooth_bounds import sharpness_lower_bound
from theory.piecewise_linear import PiecewiseLinear

X = [-1.0, -0.25, 0.5, 2.0]


def function(seed: int) -> PiecewiseLinear:
    rng = np.random.default_rng(seed)
    return PiecewiseLinear(rng.uniform(-1.5, 2.5, 5), rng.standard_normal(5), rng.standard_normal(), 0.0)


def matrix(seed: int) -> np.ndarray[Any, Any]:
    """Draw a unit-trace matrix whose entries are exact in floats."""
    root = np.random.default_rng(seed).integers(-3, 4, (4, 4)).astype(float)
    root[0, 0] += 5
    product = root @ root.T
    product[0, 0] += 2.0 ** math.ceil(math.log2(np.trace(product))) - np.trace(product)
    return np.asarray(product / np.trace(product))


@pytest.mark.parametrize("seed", range(20))
def test_the_flat_matrix_says_what_lemma_4_says(seed: int) -> None:
    f, flat = function(seed), np.full((4, 4), 0.25)
    bound = dual_sharpness_bound(f, X, flat)
    assert sharpness_lower_bound(f, X) <= bound <= sharpness_lower_bound(f, X) * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_exact_and_rounded_bounds_agree(seed: int) -> None:
    # The other implementation chooses the best tilt for networks with knots anywhere; it falls back on Lemma 4.
    f, Z = function(seed), matrix(seed)
    found = certify(f, X, Z)
    exact = max(dual_sharpness_bound(f, X, Z, tilt=found.tilt), sharpness_lower_bound(f, X))
    assert found.value <= exact
    assert found.value == pytest.approx(exact, rel=1e-8)


def test_two_units_one_knot_and_a_slope() -> None:
    # One point 3/4, knot at -1/4: h_+ = sqrt(1 + 9/16) = 5/4, h_- = 0. A line of slope 4/5 has no knot and no jump.
    line = PiecewiseLinear([], [], Fraction(4, 5), Fraction(0))
    assert dual_sharpness_bound(line, [Fraction(3, 4)], [[1]]) == 1
    assert dual_sharpness_bound(line, [Fraction(3, 4)], [[1]], tilt=Fraction(-5, 4)) == 3


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[0.5, 0.0], [0.1, 0.5]], ValueError, "must be symmetric"),
        ([[0.5, 0.0], [0.0, 0.25]], ValueError, "must have trace 1, got 3/4"),
        ([[1.5, 0.0], [0.0, -0.5]], ValueError, "positive semidefinite"),
        ([[1.0, 0.0]], ValueError, r"must be square.*\(1, 2\)"),
        ([[math.nan]], ValueError, "must hold finite numbers, got nan"),
        ([["1"]], TypeError, "must hold real numbers"),
    ],
)
def test_what_is_no_dual_matrix(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_dual_matrix("dual_matrix", value)


def test_arguments_that_cannot_be_meant() -> None:
    f = PiecewiseLinear([0.0], [1.0], 0.0, 0.0)
    with pytest.raises(ValueError, match="a row for each of the 2 data points, got 1"):
        dual_sharpness_bound(f, [-1.0, 1.0], [[1.0]])
    with pytest.raises(AssumptionError, match=r"B2 does not apply: it assumes \|nu\| <= h_\+"):
        dual_sharpness_bound(f, [-1.0, 1.0], np.full((2, 2), 0.5), tilt=10.0)
    with pytest.raises(TypeError, match="must be a PiecewiseLinear"):
        dual_sharpness_bound(np.abs, [-1.0, 1.0], np.full((2, 2), 0.5))  # type: ignore[arg-type]


def test_another_matrix_says_more_than_lemma_4_on_three_points() -> None:
    assert B2B.witness is not None
    given = B2B.witness
    f = PiecewiseLinear.from_weights(given["weights"])
    said, printed = dual_sharpness_bound(f, given["x"], given["dual_matrix"]), sharpness_lower_bound(f, given["x"])
    assert (said, printed) == (pytest.approx(2 / 3 + 1.2 * math.sqrt(2)), pytest.approx(1 + 0.8 * math.sqrt(2)))
