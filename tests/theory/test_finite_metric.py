from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from theory.checks import Array, rationals
from theory.finite_metric import (
    feasible,
    fewest_sets,
    largest_separated,
    largest_shattered,
    metric,
    shattered,
    smallest_cover,
    smallest_distance,
)

LINE = rationals([[abs(i - j) for j in range(5)] for i in range(5)])
"""Five points of a line, 1 apart."""


def drawn(rng: np.random.Generator, most: int) -> tuple[Array, Fraction]:
    points = rng.integers(0, 5, (int(rng.integers(1, most)), 2))
    return rationals(np.abs(points[:, None] - points[None]).max(axis=-1)), Fraction(int(rng.integers(1, 5)))


def test_as_many_points_are_taken_as_some_subset_has() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        distances, apart = drawn(rng, 8)
        subsets = [set_ for size in range(len(distances) + 1) for set_ in combinations(range(len(distances)), size)]
        most = max(len(s) for s in subsets if all(distances[pair] >= apart for pair in combinations(s, 2)))
        taken = largest_separated(distances, apart)
        assert len(taken) == most
        assert all(distances[pair] >= apart for pair in combinations(taken, 2))


def test_a_partition_has_as_few_sets_as_some_choice_of_numbers() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        distances, diameter = drawn(rng, 6)
        n = len(distances)

        def allowed(sets: tuple[int, ...], distances: Array = distances, diameter: Fraction = diameter) -> bool:
            pairs = combinations(range(len(sets)), 2)
            return all(distances[i, j] <= diameter for i, j in pairs if sets[i] == sets[j])

        fewest = min(len(set(sets)) for sets in product(range(n), repeat=n) if allowed(sets))
        found = fewest_sets(distances, diameter)
        assert len(set(found)) == fewest
        assert allowed(tuple(found))


@pytest.mark.parametrize(("radius", "balls"), [(0, 5), (1, 2), (2, 1), (Fraction(1, 2), 5)])
def test_a_line_is_covered(radius: Fraction | int, balls: int) -> None:
    assert len(smallest_cover(LINE, Fraction(radius))) == balls


def test_one_point_is_covered_by_itself() -> None:
    assert smallest_cover(LINE[:1, :1], Fraction(0)) == [0]
    assert fewest_sets(LINE[:1, :1], Fraction(0)) == [0]


def test_two_points_are_shattered_exactly_from_twice_the_margin_on() -> None:
    pair = rationals([[0, 2], [2, 0]])
    assert shattered(pair, [0, 1], Fraction(1), Fraction(1))
    assert not shattered(pair, [0, 1], Fraction(1), Fraction(101, 100))
    assert shattered(pair, [0, 1], Fraction(2), Fraction(2))


def test_the_middle_of_three_points_is_left_out() -> None:
    distances = LINE[:3, :3]
    assert largest_shattered(distances, Fraction(1), Fraction(1)) == [0, 2]
    assert smallest_distance(distances, [0, 2]) == 2
    assert smallest_distance(distances, [1]) is None


def test_differences_are_feasible_exactly_without_a_negative_cycle() -> None:
    assert feasible(2, [(0, 1, Fraction(-1)), (1, 0, Fraction(1))])
    assert not feasible(2, [(0, 1, Fraction(-1)), (1, 0, Fraction(1, 2))])
    assert not feasible(3, [(0, 1, Fraction(-1)), (1, 2, Fraction(-1)), (2, 0, Fraction(1))])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[0, 1]], r"distances must be \[n, n\] with n at least 1, got shape \(1, 2\)"),
        ([[0, 1], [2, 0]], "distances must be symmetric, 0 on the diagonal and above 0 elsewhere, got 1.0 at 0, 1"),
        ([[1]], "distances must be symmetric, 0 on the diagonal and above 0 elsewhere, got 1.0 at 0, 0"),
        ([[0, 0], [0, 0]], "distances must be symmetric, 0 on the diagonal and above 0 elsewhere, got 0.0 at 0, 1"),
        (
            [[0, 1, 3], [1, 0, 1], [3, 1, 0]],
            "distances must satisfy the triangle inequality, got a way from 0 by 1 to 2 that is shorter",
        ),
    ],
)
def test_what_is_no_metric_is_refused(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        metric("distances", value)
