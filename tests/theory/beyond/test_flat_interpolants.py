from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theory.beyond.flat_interpolants import APEX, B10, B10A, is_flattest, through
from theory.beyond.flat_interpolants_bounds import changes_of_slope, flattest_range, sample_flattest, varies_least
from theory.checks import rationals
from theory.claim import Ruling
from theory.piecewise_linear import PiecewiseLinear

HALF = Fraction(1, 2)
VALLEY = [(0, 1), (1, 0), (2, 0), (3, 1)]
X = [0, 1, 2, 3]


def test_the_spline_varies_least_and_so_does_the_apex() -> None:
    assert varies_least(through(VALLEY, X)["f"], X)
    assert varies_least(APEX["f"], APEX["x"])
    assert varies_least(through([*VALLEY[:2], (1 + HALF, -HALF), *VALLEY[2:]], X)["f"], X)


@pytest.mark.parametrize(
    "extra",
    [
        [(1 + HALF, HALF)],  # outside the triangle
        [(HALF, 0)],  # on the first interval
        [(1 + HALF / 2, -HALF / 4), (1 + HALF, 0)],  # a zigzag inside the triangle
        [(-1, 3)],  # before the data
        [(4, 3)],  # after them
    ],
)
def test_what_varies_more(extra: list[tuple[Fraction, Fraction]]) -> None:
    instance = through(sorted([*VALLEY, *extra]), X)
    assert not varies_least(instance["f"], X)
    assert not is_flattest(instance)
    assert B10A.evaluate(instance).ruling is Ruling.HOLDS


def test_convex_in_each_triangle_is_not_enough() -> None:
    # Slopes of the data -1, 0, 1, 2; f has 1 before and 0 after x = 2, where the spline bends up.
    x, y = [0, 1, 2, 3, 4], [1, 0, 0, 1, 3]
    corners = [(1 + HALF, -HALF), (2 + HALF, 0)]
    instance = through(sorted([*zip(x, y, strict=True), *corners]), x)
    assert not is_flattest(instance)
    assert not varies_least(instance["f"], x)
    assert B10.evaluate(instance).ruling is Ruling.VIOLATED


@pytest.mark.parametrize(("x", "y"), [([0, 1], [0, 3]), ([0, 1, 3], [1, 0, 5]), ([0, 1, 2, 3], [0, 1, 0, 1])])
def test_where_the_spline_is_alone_the_range_is_a_point(x: list[int], y: list[int]) -> None:
    t = np.linspace(x[0], x[-1], 13)
    lower, upper = flattest_range(x, y, t)
    assert lower.tolist() == upper.tolist() == pytest.approx(np.interp(t, x, y))


def test_a_bend_of_zero_leaves_no_freedom() -> None:
    x, y = rationals([0, 1, 2, 3, 4]), rationals([0, 0, 0, 1, 3])
    assert changes_of_slope(x, y).tolist() == [0, 0, 1, 1, 0]
    lower, upper = flattest_range(x, y, rationals([Fraction(3, 2), Fraction(5, 2)]))
    assert lower.tolist() == [0, Fraction(0)]
    assert upper.tolist() == [0, HALF]


def test_brute_force_over_a_grid_of_functions() -> None:
    least = Fraction(2)
    places, values = [1 + HALF / 2, 1 + HALF, 2 - HALF / 2], [Fraction(v, 8) for v in range(-5, 3)]
    seen = set()
    for a in values:
        for b in values:
            for c in values:
                f = through(sorted([*VALLEY, *zip(places, (a, b, c), strict=True)]), X)["f"]
                assert f.derivative_variation() >= least
                assert varies_least(f, X) == (f.derivative_variation() == least)
                seen.add(varies_least(f, X))
    assert seen == {True, False}


def test_errors_name_what_is_wrong() -> None:
    number: Any = 3
    line = PiecewiseLinear([], [], Fraction(1), Fraction(0))
    with pytest.raises(TypeError, match=r"^f must be a PiecewiseLinear, got int"):
        varies_least(number, X)
    with pytest.raises(ValueError, match=r"^x must hold at least 2 data points, got 1$"):
        varies_least(line, [1.0])
    with pytest.raises(ValueError, match=r"^y must hold one target for each of the 2 points of x, got 1$"):
        flattest_range([0.0, 1.0], [1.0], [0.5])


@pytest.mark.parametrize("seed", range(40))
def test_samples_pass_through_the_data_and_vary_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    x, y = rationals(np.sort(rng.choice(np.arange(-20, 20), n, replace=False))) / 4, rationals(rng.integers(-3, 4, n))
    f = sample_flattest(x, y, seed=seed)
    assert np.all(f(x) == y)
    assert varies_least(f, x)
    spline = PiecewiseLinear.interpolate(x, y)
    assert f.derivative_variation() == spline.derivative_variation()
    lower, upper = flattest_range(x, y, f.knots)
    assert np.all(lower <= f(f.knots))
    assert np.all(f(f.knots) <= upper)


def test_samples_fill_the_triangle() -> None:
    # Slopes -2, 0, 2: between 1 and 3 the functions lie in the triangle with its apex at (2, -2).
    x, y = [0.0, 1.0, 3.0, 4.0], [2.0, 0.0, 0.0, 2.0]
    middle = np.array([float(sample_flattest(x, y, seed=seed, knots=1)(2.0)) for seed in range(300)])
    assert np.min(middle) < -1.5
    assert np.max(middle) > -0.3
    assert len(set(middle)) > 50


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"seed": 0, "knots": 0}, ValueError, "knots must be at least 1, got 0"),
        ({"seed": 0.5}, TypeError, "seed must be an integer"),
    ],
)
def test_samples_that_cannot_be_meant(options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        sample_flattest([0.0, 1.0], [0.0, 1.0], **options)
