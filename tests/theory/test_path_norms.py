"""Path norms and rescalings, against paths and matrices by hand."""

from fractions import Fraction
from typing import Any

import pytest

from theory.checks import rationals
from theory.path_norms import (
    all_path_weights,
    dead_units,
    lifted_sums,
    path_sums,
    path_weights,
    rescaled,
    row_product,
    widths,
)


def layers(*matrices: Any) -> Any:
    return tuple(rationals(matrix) for matrix in matrices)


NETWORK = layers([[1, -2], [3, 0]], [[2, -1], [0, 5]])


def test_paths_by_hand() -> None:
    # to the first output through the first unit, then the second; from the first input, then the second
    assert sorted(path_weights(NETWORK, 0)) == sorted([2 * 1, 2 * -2, -1 * 3, 0])
    assert sorted(path_weights(NETWORK, 1)) == sorted([0, 0, 5 * 3, 0])
    assert len(all_path_weights(NETWORK)) == 2 * 2 * 2
    assert widths(NETWORK) == [2, 2, 2]


@pytest.mark.parametrize("p", [1, 2, 3])
def test_the_closed_form_is_the_sum_over_the_paths(p: int) -> None:
    for output in range(2):
        by_paths = sum(abs(weight) ** p for weight in path_weights(NETWORK, output))
        assert path_sums(NETWORK, p)[-1][output] == by_paths


def test_a_rescaling_by_hand() -> None:
    moved = rescaled(NETWORK, (rationals([2, Fraction(1, 3)]),))
    assert [matrix.tolist() for matrix in moved] == [[[2, -4], [1, 0]], [[1, -3], [0, 15]]]
    assert sorted(all_path_weights(moved)) == sorted(all_path_weights(NETWORK))


def test_a_factor_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match=r"factors must be one for each of \[2\] hidden units, got \[1\]"):
        rescaled(NETWORK, (rationals([2]),))


def test_the_product_of_group_norms_by_hand() -> None:
    assert row_product(NETWORK) == 3 * 5
    assert row_product(NETWORK, 2) == 9 * 25


def test_dead_units_are_those_that_no_path_reaches() -> None:
    assert dead_units(NETWORK) == []
    behind_a_dead_one = layers([[1], [0]], [[0, 3], [1, 0]], [[1, 1]])
    assert dead_units(behind_a_dead_one) == [(0, 1), (1, 0)]


def test_lifted_sums_by_hand() -> None:
    sums = lifted_sums(layers([[1], [0]], [[2, 3]]), 1, Fraction(1, 10))
    assert [vector.tolist() for vector in sums] == [[1], [Fraction(11, 10), Fraction(1, 10)], [Fraction(25, 10)]]
