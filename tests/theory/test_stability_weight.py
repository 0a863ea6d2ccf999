import itertools
import re
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs_check.trials.common import data_points
from theory.checks import Array, rationals
from theory.enclosure import EPS, Enclosure, square_root
from theory.stability_weight import Distribution, Side, population_weight, stability_weight, weight_enclosure

SIDES: tuple[Side, ...] = ("at", "left", "right")
POPULATIONS: tuple[Distribution, ...] = get_args(Distribution)
FINE = np.linspace(-20.0, 20.0, 400_001)
INF, NAN = float("inf"), float("nan")


def one_sided(t: Fraction, x: list[Fraction], selected: list[Fraction]) -> Enclosure:
    """P^2 E[|t - X| | ..] sqrt(1 + E[X | ..]^2) over the selected points, as eq 22 prints it."""
    if not selected:
        return Enclosure.exactly(Fraction(0))
    p = Fraction(len(selected), len(x))
    distance = sum(abs(t - v) for v in selected) / len(selected)
    mean = sum(selected, Fraction(0)) / len(selected)
    root = square_root(1 + mean**2)
    return Enclosure(p**2 * distance * root.lower, p**2 * distance * root.upper)


def weight(t: Fraction, x: Array, side: Side = "at") -> Enclosure:
    """Eq 22 by masks and means; a limit counts the points at t as one comes from that side."""
    points = [Fraction(v) for v in x]
    if not min(points) <= t <= max(points):
        return Enclosure.exactly(Fraction(0))
    below = [v for v in points if v < t or (side == "right" and v == t)]
    above = [v for v in points if v > t or (side == "left" and v == t)]
    if (side, t) in (("left", min(points)), ("right", max(points))):
        return Enclosure.exactly(Fraction(0))  # the limit from outside the data
    minus, plus = one_sided(t, points, below), one_sided(t, points, above)
    return Enclosure(min(minus.lower, plus.lower), min(minus.upper, plus.upper))


@st.composite
def places(draw: st.DrawFn) -> tuple[Array, Array]:
    """Data at any scale and offset, and points on, between, beside and outside them."""
    x = draw(data_points())
    kind = st.one_of(
        st.sampled_from(x.tolist()),
        st.floats(0, 1).map(lambda s: float(x[0] + s * (x[-1] - x[0]))),
        st.sampled_from([float(np.nextafter(x[0], -INF)), float(np.nextafter(x[-1], INF)), -1e300, 1e300]),
    )
    return np.array(draw(st.lists(kind, min_size=1, max_size=5))), x


def relative_error(x: Array) -> float:
    """The stated error n eps (1 + n eps sum |x_j|), with its constant."""
    n = len(x)
    return 4 * (n + 8) * EPS * (1 + n * EPS * float(np.abs(x).sum()))


@given(places(), st.sampled_from(SIDES), st.randoms(use_true_random=False))
def test_the_weight_is_eq_22(case: tuple[Array, Array], side: Side, random: Any) -> None:
    t, x = case
    shuffled = x.tolist()
    random.shuffle(shuffled)
    for place, value in zip(t, stability_weight(t, shuffled, side=side), strict=True):
        exact = weight(Fraction(place), x, side)
        assert abs(Fraction(value) - Fraction(exact.lower)) <= Fraction(relative_error(x)) * Fraction(exact.upper), (
            place,
            x,
        )


@pytest.mark.parametrize(
    "x",
    [
        1e6 + 1e-6 * np.arange(8),
        -1e6 - 1e-6 * np.arange(8),
        np.array([-1e12, 0.25, 1e12, 2e12]),
        np.array([-1e12 - 0.5, 1e-3, 1e12, 1e12 + 1]),
        1e-150 * np.arange(-3, 4),
        1e70 * np.arange(-3, 4),
        np.array([1.0, np.nextafter(1.0, 2.0), np.nextafter(np.nextafter(1.0, 2.0), 3.0)]),
    ],
)
@pytest.mark.parametrize("side", SIDES)
def test_offset_close_huge_and_tiny_data_lose_no_digits(x: Array, side: Side) -> None:
    t = np.concatenate([x, (x[1:] + x[:-1]) / 2, (3 * x[1:] + x[:-1]) / 4])
    for place, value in zip(t, stability_weight(t, x, side=side), strict=True):
        exact = weight(Fraction(place), x, side)
        assert abs(Fraction(value) - Fraction(exact.lower)) <= Fraction(relative_error(x)) * Fraction(exact.upper), (
            place
        )


@given(st.sets(st.fractions(-9, 9, max_denominator=9), min_size=2, max_size=6), st.sampled_from(SIDES))
def test_sides_are_limits(points: set[Fraction], side: Side) -> None:
    x, delta = rationals(sorted(points)), Fraction(1, 10**30)
    move = {"at": Fraction(0), "left": -delta, "right": delta}[side]
    lower, upper = weight_enclosure(x, x, side=side)
    near_lower, near_upper = weight_enclosure(x + move, x)
    slope = 40 * delta  # g- is A sqrt(m^2 + S^2)/n^2: its slope is at most sqrt(1 + 9^2), as A gains at most m delta
    assert np.all(lower <= near_upper + slope)
    assert np.all(near_lower <= upper + slope)


@given(places(), st.sampled_from(SIDES))
def test_enclosures_of_floats_contain_the_exact_weight(case: tuple[Array, Array], side: Side) -> None:
    t, x = case
    lower, upper = weight_enclosure(t, x, side=side)
    for place, low, high in zip(t, lower, upper, strict=True):
        exact = weight(Fraction(place), x, side)
        assert Fraction(low) <= exact.lower, (place, x)
        assert exact.upper <= Fraction(high), (place, x)
        assert high - low <= 4 * relative_error(x) * high


@given(places(), st.sampled_from(SIDES), st.booleans())
def test_enclosures_of_rationals_contain_the_exact_weight(case: tuple[Array, Array], side: Side, mixed: bool) -> None:
    t, x = case
    lower, upper = weight_enclosure(rationals(t), x if mixed else rationals(x), side=side)
    for place, low, high in zip(t, lower, upper, strict=True):
        exact = weight(Fraction(place), x, side)
        assert low <= exact.upper
        assert exact.lower <= high
        assert high - low <= high / Fraction(2**110)


@given(places())
def test_between_data_points_the_weight_is_concave(case: tuple[Array, Array]) -> None:
    _, x = case
    assume(len(x) > 1)
    for a, b in itertools.pairwise(rationals(x)):
        lower, upper = weight_enclosure(rationals([a + (b - a) * Fraction(i, 6) for i in range(1, 6)]), x)
        assert all(2 * upper[i] >= lower[i - 1] + lower[i + 1] for i in range(1, 4))


@given(data_points(), st.floats(-2, 2))
def test_the_weight_is_mirrored_with_the_data(x: Array, share: float) -> None:
    t = np.array([x[0] + share * (x[-1] - x[0])])
    np.testing.assert_array_equal(stability_weight(t, x), stability_weight(-t, -x))
    np.testing.assert_array_equal(stability_weight(t, x, side="left"), stability_weight(-t, -x, side="right"))


@pytest.mark.parametrize("side", SIDES)
def test_one_point_has_no_weight(side: Side) -> None:
    assert stability_weight([1.0, 2.0, 3.0], [2.0], side=side).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("side", SIDES)
def test_the_weight_vanishes_outside_the_data_and_at_infinity(side: Side) -> None:
    t = [-INF, -1e308, -1.0, 2.0, 1e308, INF]
    assert stability_weight(t, [-1.0, 0.5, 2.0], side=side).tolist() == [0.0] * 6


def test_two_points_by_hand() -> None:
    # g-(1/2) = (1/2)^2 (1/2 - 0) sqrt(1 + 0), g+(1/2) = (1/2)^2 (1 - 1/2) sqrt(1 + 1)
    assert stability_weight([0.5], [0.0, 1.0]).tolist() == [0.125]


def test_rationals_are_rounded() -> None:
    assert stability_weight([Fraction(1, 2)], [Fraction(0), Fraction(1)]).tolist() == [0.125]


def test_no_points_give_no_weights() -> None:
    assert stability_weight([], [0.0, 1.0]).shape == (0,)


@pytest.mark.parametrize(
    ("t", "x", "error", "message"),
    [
        ([0.0, NAN], [0.0, 1.0], ValueError, "t must hold finite numbers, got nan at index 1"),
        ([INF, NAN], [0.0, 1.0], ValueError, "t must hold finite numbers, got nan at index 1"),
        (0.5, [0.0, 1.0], ValueError, "t must have one axis, got a single number 0.5: write [0.5]"),
        ([[0.5]], [0.0, 1.0], ValueError, "t must have one axis, got shape (1, 1)"),
        (["a"], [0.0, 1.0], TypeError, "t must hold real numbers, got 'a' of type str"),
        ([0.5], [], ValueError, "x must hold at least 1 data point, got 0"),
        ([0.5], [0.0, INF], ValueError, "x must hold finite numbers, got inf at index 1"),
        ([0.5], [0.0, 0.0], ValueError, "x must hold distinct points, got 0.0 at index 0 and again at 1"),
        (
            [0.5],
            [Fraction(1), 1 + Fraction(1, 10**30)],
            ValueError,
            "x must hold distinct points, got 1.0 at index 0 and again at 1",
        ),
        (
            [0.5],
            [Fraction(10**400)],
            ValueError,
            "x must hold numbers in the range of floats, got one beyond it",
        ),
        ([0.0], [-1e308, 1e308], ValueError, "g(t) must be within the range of floats, got inf"),
    ],
)
def test_what_has_no_weight_is_refused(t: Any, x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        stability_weight(t, x)


def test_an_unknown_side_is_refused() -> None:
    side: Any = "above"
    with pytest.raises(ValueError, match=r"^side must be 'at', 'left' or 'right', got 'above'$"):
        stability_weight([0.5], [0.0, 1.0], side=side)


def density(distribution: Distribution, t: Array) -> Array:
    if distribution == "uniform":
        return np.where(np.abs(t) <= np.sqrt(3), 1 / (2 * np.sqrt(3)), 0.0)
    if distribution == "gaussian":
        return np.asarray(np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi))
    return np.asarray(np.exp(-np.abs(t) * np.sqrt(2)) / np.sqrt(2))


@pytest.mark.parametrize("distribution", POPULATIONS)
def test_populations_have_mean_0_and_variance_1(distribution: Distribution) -> None:
    p = density(distribution, FINE)
    # The trapezium rule; the uniform density jumps within one cell, where the integrand is at most 3 * 0.3.
    for power, expected in ((0, 1.0), (1, 0.0), (2, 1.0)):
        assert np.trapezoid(p * FINE**power, FINE) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("distribution", POPULATIONS)
@pytest.mark.parametrize("t", [-2.5, -1.7, -1.0, -0.3, 0.0, 0.4, 1.2, 1.7, 3.0])
def test_population_weights_are_eq_22_integrated(distribution: Distribution, t: float) -> None:
    p = density(distribution, FINE)

    def one_side(beyond: Array) -> float:
        mask = beyond > 0
        mass = np.trapezoid(np.where(mask, p, 0.0), FINE)
        if mass == 0:
            return 0.0
        distance = np.trapezoid(np.where(mask, p * np.abs(t - FINE), 0.0), FINE) / mass
        mean = np.trapezoid(np.where(mask, p * FINE, 0.0), FINE) / mass
        return float(mass**2 * distance * np.sqrt(1 + mean**2))

    expected = min(one_side(t - FINE), one_side(FINE - t))
    # A cell is 1e-4 wide and a mask moves each integral by at most half a cell's worth: 5e-5 max p (1 + |t|).
    assert population_weight([t], distribution)[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("distribution", POPULATIONS)
def test_large_samples_have_the_population_weight(distribution: Distribution) -> None:
    n = 20_000
    ranks = (np.arange(n) + 0.5) / n
    cumulated = np.cumsum(density(distribution, FINE)) * (FINE[1] - FINE[0])
    keep = np.append([True], np.diff(cumulated) > 0)
    x = np.interp(ranks, cumulated[keep], FINE[keep])  # the quantiles of the population
    t = np.linspace(-2.5, 2.5, 41)
    # Quantiles are off by at most one part in n of the mass, whose E|X| and E X^2 are of order log(n)^2.
    np.testing.assert_allclose(stability_weight(t, x), population_weight(t, distribution), atol=2e-3)


def test_population_weights_at_the_centre() -> None:
    # F(0) = 1/2 and A(0) = E|X|/2: sqrt(3)/2, sqrt(2/pi) and 1/sqrt(2) halved.
    for distribution, spread in zip(POPULATIONS, (np.sqrt(3) / 2, np.sqrt(2 / np.pi), np.sqrt(0.5)), strict=True):
        expected = spread / 2 * np.hypot(0.5, spread / 2)
        assert population_weight([0.0], distribution)[0] == pytest.approx(expected, rel=8 * EPS)


@given(st.sampled_from(POPULATIONS), st.floats(-50, 50))
def test_population_weights_are_symmetric_and_not_negative(distribution: Distribution, t: float) -> None:
    left, right = population_weight([t, -t], distribution)
    assert left == right
    assert 0 <= left <= 1


def test_the_uniform_population_ends_at_root_three() -> None:
    assert population_weight([-1.8, -3.0, 1e308, 1.8], "uniform").tolist() == [0.0] * 4
    assert population_weight([1.7], "uniform")[0] > 0


@pytest.mark.parametrize(
    ("t", "distribution", "message"),
    [
        ([INF], "gaussian", "t must hold finite numbers, got inf at index 0"),
        ([[0.0]], "gaussian", "t must have one axis, got shape (1, 1)"),
        ([0.0], "cauchy", "distribution must be one of 'uniform', 'gaussian', 'laplace', got 'cauchy'"),
    ],
)
def test_malformed_population_queries_are_refused(t: Any, distribution: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        population_weight(t, distribution)
