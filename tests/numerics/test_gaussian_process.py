from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.stats import chi2

from numerics.gaussian_process import GRID, farthest_point_order, gaussian_process, longest_gap_order
from theory.checks import Array

POINTS = np.array([-1.0, -0.4, 0.1, 0.35, 0.9])
SAMPLES = 10_000
FALSE_ALARM = 1e-6


def covariance(length_scale: float, variance: float, *, at_zero: bool) -> Array:
    """The covariance at POINTS by the textbook."""

    def kernel(s: Array, t: Array) -> Array:
        return variance * np.exp(-((s[:, None] - t) ** 2) / (2 * length_scale**2))

    zero = np.zeros(1)
    explained = kernel(POINTS, zero) @ kernel(zero, POINTS) / variance if at_zero else 0.0
    return kernel(POINTS, POINTS) - explained


def refuted(paths: Array, expected: Array) -> bool:
    """Whether paths [SAMPLES, 5] are refuted as independent draws of mean 0 and this covariance.

    For each of 25 directions u, which determine a covariance, the sum of (u f)^2 / (u K u) is chi squared with SAMPLES
    degrees of freedom, exactly; and for the 5 points the square of the sum of f over SAMPLES K is so with one. The
    chance that one of the 55 sides is beyond its quantile is at most FALSE_ALARM.
    """
    unit = np.eye(len(POINTS))
    pairs = list(combinations(range(len(POINTS)), 2))
    directions = np.array([*unit, *(unit[i] + unit[j] for i, j in pairs), *(unit[i] - unit[j] for i, j in pairs)])
    variances = np.einsum("ui,ij,uj->u", directions, expected, directions)
    sums = np.sum((paths @ directions.T) ** 2, axis=0) / variances
    side = FALSE_ALARM / 55
    inside = (sums > chi2.ppf(side, SAMPLES)) & (sums < chi2.isf(side, SAMPLES))
    centred = np.sum(paths, axis=0) ** 2 / (SAMPLES * np.diag(expected)) < chi2.isf(side, 1)
    return not (np.all(inside) and np.all(centred))


def test_gaussian_process_has_the_covariance_it_should() -> None:
    conditioned = np.array([gaussian_process(seed, grid=POINTS) for seed in range(SAMPLES)])
    assert not refuted(conditioned, covariance(0.5, 1.0, at_zero=True))
    assert refuted(conditioned, covariance(0.5, 1.0, at_zero=False))  # the check has power
    assert refuted(conditioned, covariance(0.5, 1.1, at_zero=True))
    assert refuted(conditioned, covariance(0.55, 1.0, at_zero=True))
    assert refuted(conditioned + 0.1, covariance(0.5, 1.0, at_zero=True))


def test_the_free_gaussian_process_has_the_covariance_it_should() -> None:
    free = np.array(
        [gaussian_process(s, grid=POINTS, length_scale=1.5, variance=4.0, at_zero=None) for s in range(SAMPLES)]
    )
    assert not refuted(free, covariance(1.5, 4.0, at_zero=False))
    assert refuted(free, covariance(1.5, 4.0, at_zero=True))


def test_a_pinned_path_differs_from_one_pinned_at_zero_by_its_mean() -> None:
    low, high = (gaussian_process(3, grid=POINTS, variance=2.0, at_zero=value) for value in (0.0, 3.0))
    np.testing.assert_allclose(high - low, 3.0 * np.exp(-(POINTS**2) / (2 * 0.5**2)), rtol=0, atol=1e-14)


@given(
    seed=st.integers(0, 2**64),
    at_zero=st.floats(-10, 10),
    length_scale=st.floats(1e-3, 1e3),
    grid=st.lists(st.floats(-5, 5), max_size=20),
)
def test_a_path_goes_exactly_through_what_it_is_pinned_to(
    seed: int, at_zero: float, length_scale: float, grid: list[float]
) -> None:
    path = gaussian_process(seed, grid=[*grid, 0.0, -0.0], at_zero=at_zero, length_scale=length_scale)
    assert np.all(np.isfinite(path))
    assert path[-1] == at_zero == path[-2]


def test_a_path_is_close_to_its_pin_near_it() -> None:
    near = np.array([-1e-5, 1e-5])
    paths = np.array([gaussian_process(seed, grid=near, at_zero=2.0) for seed in range(100)])
    # The slope at 0 is normal with deviation 1 / length_scale = 2; eight of them, in 100 paths, once in 1e13.
    assert np.max(np.abs(paths - 2.0)) < 8 * 2 * 1e-5
    assert np.min(np.std(paths, axis=0)) > 1e-5


def test_paths_are_smooth_down_to_rounding_errors() -> None:
    # In units of the length scale the eighth derivative has deviation sqrt(15!!) = 1424. Its finite differences were up
    # to 29,390 in 100 paths; where eigenvalues that are rounding errors were kept, they were at least 630,943 in each.
    for seed in range(20):
        eighth = np.diff(gaussian_process(seed, at_zero=None), 8) / ((GRID[1] - GRID[0]) / 0.5) ** 8
        assert np.max(np.abs(eighth)) < 150_000


@pytest.mark.parametrize("at_zero", [None, 1.5])
def test_a_path_is_the_symmetric_root_of_the_covariance_times_normal_numbers(at_zero: float | None) -> None:
    root = np.real(sqrtm(covariance(0.5, 2.0, at_zero=at_zero is not None)))
    mean = (at_zero or 0.0) * np.exp(-(POINTS**2) / (2 * 0.5**2))
    expected = mean + root @ np.random.default_rng(5).standard_normal(len(POINTS))
    found = gaussian_process(5, grid=POINTS, variance=2.0, at_zero=at_zero)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_gaussian_process_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert gaussian_process(7).shape == (100,)
    np.testing.assert_array_equal(gaussian_process(7), gaussian_process(np.int64(7)))  # type: ignore[arg-type]
    assert np.max(np.abs(gaussian_process(7) - gaussian_process(8))) > 0.1


def test_far_points_and_odd_grids_are_fine() -> None:
    assert gaussian_process(0, grid=[0.0]) == [0.0]
    assert np.all(np.isfinite(gaussian_process(0, grid=[1e200, -1e200, 1e-200, 5.0, 5.0])))
    assert gaussian_process(0, grid=[Fraction(1, 2), Fraction(1)]).dtype == np.float64
    twice = gaussian_process(0, grid=[5.0, 5.0])
    assert twice[0] == pytest.approx(twice[1], rel=1e-7)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": 1.0}, TypeError, "seed must be an integer"),
        ({"seed": True}, TypeError, "seed must be an integer"),
        ({"seed": -1}, ValueError, "seed must be at least 0"),
        ({"grid": []}, ValueError, "at least 1 point"),
        ({"grid": [[0.0]]}, ValueError, "grid must have one axis"),
        ({"grid": [np.nan]}, ValueError, "grid must hold finite"),
        ({"grid": [1e300], "length_scale": 1e-300}, ValueError, "grid must be finite in units of length_scale"),
        ({"length_scale": 0.0}, ValueError, "length_scale must be finite and above 0"),
        ({"variance": -1.0}, ValueError, "variance must be finite and above 0"),
        ({"at_zero": np.inf}, ValueError, "at_zero must hold finite"),
        ({"at_zero": "0"}, TypeError, "at_zero must hold real numbers"),
    ],
)
def test_gaussian_process_says_what_is_wrong(
    arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        gaussian_process(**{"seed": 0, **arguments})  # type: ignore[arg-type]


# The orders in which points are added.

Order = Callable[[object, int], Array]
ORDERS = [longest_gap_order, farthest_point_order]
INCREASING = st.lists(st.integers(-500, 500), min_size=2, max_size=25, unique=True).map(sorted)


def brute_force_gaps(x: list[int], count: int) -> list[int]:
    order = [0, len(x) - 1]
    while len(order) < count:
        used = sorted(order)
        gaps = [(x[b] - x[a], -a, b) for a, b in pairwise(used) if b - a > 1]
        _, minus_a, b = max(gaps)
        order.append((b - minus_a) // 2)
    return order


def brute_force_farthest(x: list[int], count: int) -> list[int]:
    order = [0, len(x) - 1]
    while len(order) < count:
        order.append(max(set(range(len(x))) - set(order), key=lambda i: (min(abs(x[i] - x[j]) for j in order), -i)))
    return order


def test_the_longest_gap_order_is_that_of_the_released_code() -> None:
    assert longest_gap_order(GRID, 10).tolist() == [0, 99, 49, 74, 24, 36, 61, 86, 12, 42]
    assert longest_gap_order(range(10), 10).tolist() == [0, 9, 4, 6, 2, 7, 1, 3, 5, 8]  # from its documentation


def test_the_farthest_point_order_is_that_of_the_text() -> None:
    # "If we imagine D to be the entire interval [-1, 1], we would begin by adding 0, -0.5, 0.5, -0.75, -0.25, 0.25"
    interval = np.linspace(-1, 1, 1025)
    expected = [-1, 1, 0, -0.5, 0.5, -0.75, -0.25, 0.25]
    assert interval[farthest_point_order(interval, 8)].tolist() == expected
    assert interval[longest_gap_order(interval, 8)].tolist() == expected
    assert farthest_point_order(GRID, 9).tolist() == [0, 99, 49, 74, 24, 12, 36, 61, 86]


@given(INCREASING)
def test_the_orders_are_those_of_brute_force(x: list[int]) -> None:
    assert longest_gap_order(x, len(x)).tolist() == brute_force_gaps(x, len(x))
    assert farthest_point_order(x, len(x)).tolist() == brute_force_farthest(x, len(x))


@pytest.mark.parametrize("order", ORDERS)
@given(x=INCREASING, share=st.floats(0, 1))
def test_orders_are_nested_and_use_every_point_once(order: Order, x: list[int], share: float) -> None:
    whole = order(x, len(x))
    assert sorted(whole) == list(range(len(x)))
    count = 2 + int(share * (len(x) - 2))
    np.testing.assert_array_equal(order(x, count), whole[:count])


@pytest.mark.parametrize("order", ORDERS)
@given(start=st.floats(-10, 10), span=st.floats(0.1, 10), m=st.integers(2, 60))
def test_rounding_errors_of_a_grid_do_not_break_ties(order: Order, start: float, span: float, m: int) -> None:
    np.testing.assert_array_equal(order(np.linspace(start, start + span, m), m), order(range(m), m))


@pytest.mark.parametrize("order", ORDERS)
def test_points_within_rounding_errors_are_used_once_each(order: Order) -> None:
    x = np.array([1.0, 1.0 + 2**-52, 1.0 + 2**-51, 1.0 + 2**-50, 2.0])
    assert sorted(order(x, 5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("x", "count", "error", "message"),
    [
        ([0.0, 1.0], 3, ValueError, "count must be between 2 and the number of points, 2, got 3"),
        ([0.0, 1.0], 1, ValueError, "count must be between 2"),
        ([0.0, 1.0], 2.0, TypeError, "count must be an integer"),
        ([0.0], 2, ValueError, "x must hold at least 2"),
        ([0.0, 2.0, 1.0], 2, ValueError, "x must be increasing, got 2.0 before 1.0 at index 1"),
        ([0.0, 0.0, 1.0], 2, ValueError, "x must hold distinct points"),
        ([0.0, np.inf], 2, ValueError, "x must hold finite"),
        (["a", "b"], 2, TypeError, "x must hold real numbers"),
    ],
)
def test_orders_say_what_is_wrong(
    order: Order, x: list[float], count: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        order(x, count)


# The IDX format.
