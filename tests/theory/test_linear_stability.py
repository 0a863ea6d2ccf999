import itertools
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from theory.checks import Array, rationals
from theory.enclosure import EPS
from theory.linear_stability import (
    hessians_array,
    mean_growth,
    mean_square_condition,
    mean_square_growth,
    moments,
    noise_share,
    second_moment_step,
)

NAN = float("nan")


@st.composite
def systems(draw: st.DrawFn, *, most: int = 5, dimensions: tuple[int, int] = (1, 3)) -> tuple[Array, Fraction, int]:
    """Symmetric Hessians [n, d, d] of small integers, as rationals, a step size and a batch size."""
    n, d = draw(st.integers(1, most)), draw(st.integers(*dimensions))
    roots = np.array([[[draw(st.integers(-3, 3)) for _ in range(d)] for _ in range(d)] for _ in range(n)])
    step_size = draw(st.fractions(Fraction(1, 20), 2, max_denominator=20))
    return rationals(roots + roots.transpose(0, 2, 1)), step_size, draw(st.integers(1, n))


def contractions(hessians: Array, step_size: Fraction, batch: int) -> list[Array]:
    """I - eta mean_{i in batch} H_i of every batch without replacement, all equally likely."""
    identity = rationals(np.eye(hessians.shape[1], dtype=int))
    batches = itertools.combinations(range(len(hessians)), batch)
    return [identity - step_size * sum(hessians[i] for i in chosen) / Fraction(batch) for chosen in batches]


@pytest.mark.parametrize("n", range(1, 8))
def test_the_noise_share_of_all_batch_sizes(n: int) -> None:
    shares = [noise_share(n, batch) for batch in range(1, n + 1)]
    assert shares[-1] == 0
    assert n == 1 or shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    for batch, share in enumerate(shares, start=1):  # the variance of the batch mean of 0, .., n - 1 over theirs
        means = [Fraction(sum(chosen), batch) for chosen in itertools.combinations(range(n), batch)]
        spread = sum((m - Fraction(n - 1, 2)) ** 2 for m in means) / len(means)
        assert spread == share * Fraction(n * n - 1, 12)


@given(systems())
def test_moments_are_means(system: tuple[Array, Fraction, int]) -> None:
    hessians, _, _ = system
    mean, sigma = moments(hessians)
    n = Fraction(len(hessians))
    np.testing.assert_array_equal(mean, sum(hessians) / n)
    np.testing.assert_array_equal(sigma, sum((h - mean) @ (h - mean) for h in hessians) / n)


@given(systems(), st.data())
def test_a_step_of_the_second_moments_averages_over_all_batches(
    system: tuple[Array, Fraction, int], data: st.DataObject
) -> None:
    hessians, step_size, batch = system
    d = hessians.shape[1]
    x = rationals(data.draw(st.lists(st.lists(st.integers(-3, 3), min_size=d, max_size=d), min_size=d, max_size=d)))
    steps = contractions(hessians, step_size, batch)
    expected = sum(a @ x @ a for a in steps) / Fraction(len(steps))
    np.testing.assert_array_equal(second_moment_step(x, hessians, step_size, batch), expected)


@given(systems())
def test_walkers_matrix_is_the_expected_squared_length(system: tuple[Array, Fraction, int]) -> None:
    hessians, step_size, batch = system
    steps = contractions(hessians, step_size, batch)
    expected = sum(a @ a for a in steps) / Fraction(len(steps))
    np.testing.assert_array_equal(mean_square_condition(hessians, step_size, batch), expected)


@given(systems(most=4, dimensions=(1, 1)))
def test_growth_in_one_dimension_is_the_mean_of_the_squares(system: tuple[Array, Fraction, int]) -> None:
    hessians, step_size, batch = system
    steps = contractions(hessians, step_size, batch)
    expected = sum(a[0, 0] ** 2 for a in steps) / len(steps)
    growth = mean_square_growth(hessians, step_size, batch)
    assert growth.lower <= expected <= growth.upper
    assert growth.upper - growth.lower <= 8 * EPS * float(expected)


@given(
    st.lists(st.floats(-9, 9), min_size=1, max_size=4),
    st.floats(0.01, 3),
    st.integers(1, 4),
    st.sampled_from([1.0, 1e9, 1e-320]),
)
@example([2.225073858507e-311], 0.99999, 1, 1.0)  # eta H is no float, and its error underflows
@example([5e-324, 5e-324, 5e-324], 0.01, 1, 1.0)
@example([-5e-324], 0.01, 1, 1.0)
@example([5e-324, 0.0], 3.0, 1, 1.0)  # the mean underflows
@example([0.0], 0.5, 1, 1.0)
def test_growth_of_floats_is_enclosed(values: list[float], step_size: float, batch: int, scale: float) -> None:
    assume(batch <= len(values))
    hessians = np.array([[[scale * v]] for v in values])
    steps = contractions(rationals(hessians), Fraction(step_size), batch)
    exact, growth = sum(a[0, 0] ** 2 for a in steps) / len(steps), mean_square_growth(hessians, step_size, batch)
    assert growth.lower <= exact <= growth.upper
    mean, reach = sum(Fraction(scale * v) for v in values) / len(values), mean_growth(hessians, step_size)
    assert reach.lower <= Fraction(step_size) * mean <= reach.upper


@given(systems(most=4, dimensions=(2, 2)))
def test_both_ends_of_the_growth_are_growth_factors(system: tuple[Array, Fraction, int]) -> None:
    hessians, step_size, batch = system
    growth = mean_square_growth(hessians, step_size, batch)
    steps = contractions(hessians, step_size, batch)
    # No second moment grows by more in one step in the Frobenius norm, for the map is self-adjoint ..
    moment: Any = rationals(np.eye(2, dtype=int))
    squared = [Fraction(2)]
    for _ in range(12):
        moment = sum(a @ moment @ a for a in steps) / Fraction(len(steps))
        squared.append(Fraction((moment * moment).sum()))
        assert squared[-1] <= growth.upper**2 * squared[-2]
    # .. and the identity exceeds the eigenvector, a semidefinite matrix of norm 1, so t steps reach the t-th power.
    assert squared[-1] >= growth.lower**24


@given(systems(most=4, dimensions=(2, 3)))
def test_floats_agree_with_rationals(system: tuple[Array, Fraction, int]) -> None:
    hessians, step_size, batch = system
    exact = mean_square_growth(hessians, step_size, batch)
    floats = mean_square_growth(hessians.astype(np.float64), float(step_size), batch)
    assert floats.lower <= exact.upper
    assert exact.lower <= floats.upper
    size = 1 + float(step_size) * float(np.linalg.norm(hessians.astype(np.float64), axis=(1, 2)).max())
    assert floats.upper - floats.lower <= 800 * EPS * size**2


@pytest.mark.parametrize(
    ("hessians", "step_size", "exact"),
    [
        ([[[Fraction(1, 3)]], [[2]]], 0.3, True),
        ([[[1 / 3]], [[2.0]]], Fraction(3, 10), False),
    ],
)
def test_the_hessians_decide_the_arithmetic(hessians: Any, step_size: Any, exact: bool) -> None:
    growth = mean_square_growth(hessians, step_size, 1)
    eta, values = Fraction(step_size), [Fraction(h[0][0]) for h in hessians]
    expected = sum((1 - eta * h) ** 2 for h in values) / 2
    assert isinstance(growth.lower, Fraction) is exact
    assert growth.lower <= expected <= growth.upper


def test_gradient_descent_grows_by_the_squared_top_factor() -> None:
    hessians = rationals([[[3, 0], [0, 1]], [[1, 0], [0, 1]]])
    assert mean_square_growth(hessians, Fraction(1, 2), 2).lower == Fraction(1, 4)
    assert mean_square_growth(hessians, Fraction(3, 2), 2).upper == 4
    assert mean_growth(hessians, Fraction(3, 2)).lower == 3


@given(systems())
def test_the_mean_grows_with_the_top_of_the_mean_hessian(system: tuple[Array, Fraction, int]) -> None:
    hessians, step_size, _ = system
    assume(hessians.shape[1] > 1)
    growth = mean_growth(hessians, float(step_size))
    top = np.linalg.eigvalsh(hessians.astype(np.float64).mean(axis=0))[-1]
    assert isinstance(growth.lower, Fraction)
    assert float(growth.lower) == pytest.approx(float(step_size) * top, abs=1e-12)  # entries of size 6, to 1e3 eps


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: hessians_array("hessians", [1.0]), ValueError, "hessians must have 3 axes, got shape (1,)"),
        (
            lambda: hessians_array("hessians", [[[1.0, 2.0]]]),
            ValueError,
            "hessians must have shape [n, d, d] with n, d >= 1, got (1, 1, 2)",
        ),
        (
            lambda: hessians_array("hessians", np.zeros((0, 2, 2))),
            ValueError,
            "hessians must have shape [n, d, d] with n, d >= 1, got (0, 2, 2)",
        ),
        (
            lambda: hessians_array("hessians", [[[1.0, 2.0], [3.0, 1.0]]]),
            ValueError,
            "hessians must be symmetric matrices",
        ),
        (
            lambda: hessians_array("hessians", [[[NAN]]]),
            ValueError,
            "hessians must hold finite numbers, got nan at index 0",
        ),
        (
            lambda: hessians_array("hessians", [[["1"]]]),
            TypeError,
            "hessians must hold real numbers, got '1' of type str",
        ),
        (
            lambda: mean_square_growth([[[1.0]]], 0.0, 1),
            ValueError,
            "step_size must be finite and above 0, got 0.0",
        ),
        (
            lambda: mean_square_growth([[[1.0]]], 1.0, 2),
            ValueError,
            "batch_size must be between 1 and the number of data points, 1, got 2",
        ),
        (
            lambda: noise_share(3, 0),
            ValueError,
            "batch_size must be between 1 and the number of data points, 3, got 0",
        ),
    ],
)
def test_malformed_systems_are_refused(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        call()
