"""Norms and margins of Neyshabur et al. 2017, on networks and data that can be done by hand."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.neyshabur2017.capacity import (
    N1,
    N3,
    N3A,
    N4B,
    N10,
    N12,
    interpolated,
    l1_path_measure,
    l2_measure,
    l2_path_measure,
    least_row_product,
    margins_of,
    measure_of,
    order_statistic,
    spectral_measure,
)
from theory.path_norms import rescaled, row_product

DRAWN = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def layers(*matrices: Any) -> Any:
    return tuple(rationals(matrix) for matrix in matrices)


TWO_OUTPUTS = layers([[2, 1]], [[1], [3]])


def test_measures_by_hand() -> None:
    # h = (2, 1, 2); paths 2, 1, 6, 3
    assert l2_measure(TWO_OUTPUTS) == 4 * 5 * 4 * 10
    assert l1_path_measure(TWO_OUTPUTS) == (4 * (2 + 1 + 6 + 3)) ** 2
    assert l2_path_measure(TWO_OUTPUTS) == 4 * 1 * 4 * 2 * (4 + 1 + 36 + 9)
    assert spectral_measure(TWO_OUTPUTS).upper == 1 * 5 * 2 * 10
    assert measure_of("l1-path", TWO_OUTPUTS).lower == l1_path_measure(TWO_OUTPUTS)


def test_the_least_product_of_several_outputs_is_that_of_the_largest() -> None:
    least = least_row_product(TWO_OUTPUTS, 1)
    assert least.lower == 9
    assert float(least.upper) == 9
    verdict = N3.evaluate({"layers": TWO_OUTPUTS, "p": 1})
    assert verdict.ruling is Ruling.VIOLATED
    assert verdict.rhs is not None
    assert verdict.rhs.lower == 12


@DRAWN
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=2), st.integers(1, 3))
def test_with_a_dead_unit_no_rescaling_attains_the_infimum(numbers: list[int], p: int) -> None:
    network = layers([[1], [0]], [[1, 1]])
    factors = (rationals([Fraction(numbers[0], 500), Fraction(numbers[1], 500)]),)
    assert row_product(rescaled(network, factors), p) > least_row_product(network, p).lower == 1
    assert float(least_row_product(network, p).upper) == 1


def test_a_factor_of_0_is_refused() -> None:
    verdict = N3A.evaluate({"layers": layers([[1]], [[1]]), "p": 1, "factors": ([0],)})
    assert verdict.failed == "alpha is not 0 for any hidden unit"


def test_the_l1_path_measure_exceeds_the_printed_l2_path_one_by_the_number_of_inputs() -> None:
    for n in (1, 2, 5):
        verdict = N10.evaluate({"layers": layers([[1] * n])})
        assert verdict.lhs is not None
        assert verdict.rhs is not None
        assert verdict.lhs.lower == n * Fraction(verdict.rhs.lower)


def test_margins_by_hand() -> None:
    scores = rationals([[3, 1, 2], [0, 5, 5], [1, 0, 4]])
    assert margins_of(scores, np.array([0, 1, 0])).tolist() == [1, 0, -3]
    with pytest.raises(ValueError, match=r"labels must be one for each of 3 data, below 3, got \[0, 1, 3\]"):
        margins_of(scores, np.array([0, 1, 3]))


@pytest.mark.parametrize(("m", "place"), [(1, 1), (20, 1), (21, 2), (40, 2), (41, 3)])
def test_the_margin_is_an_order_statistic(m: int, place: int) -> None:
    assert order_statistic(rationals(range(1, m + 1)), Fraction(1, 20)) == place


@DRAWN
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.integers(2, 20))
def test_interpolated_percentiles_are_those_of_numpy(margins: list[int], parts: int) -> None:
    exact = interpolated(rationals(margins), Fraction(1, parts))
    assert float(exact) == pytest.approx(float(np.percentile(margins, 100 / parts)), abs=1e-12)
    assert exact >= order_statistic(rationals(margins), Fraction(1, parts))


def test_for_other_shares_the_interpolated_percentile_may_be_smaller() -> None:
    margins, share = rationals(range(1, 8)), Fraction(3, 10)
    assert interpolated(margins, share) == Fraction(14, 5) < order_statistic(margins, share) == 3


def test_the_lowest_level_that_so_many_margins_do_not_exceed_is_one_of_them() -> None:
    margins = {"margins": [1, 2, 2], "epsilon": Fraction(1, 2)}
    for level, holds in ((Fraction(199, 100), 0), (2, 1), (3, 1)):
        verdict = N12.evaluate({**margins, "level": level})
        assert verdict.ruling is Ruling.HOLDS
        assert verdict.lhs is not None
        assert verdict.lhs.lower == holds


@pytest.mark.parametrize(
    ("claim", "changes", "sentence"),
    [
        (N1, {"scores": [[1]], "labels": [0]}, "scores must be of at least two classes, got 1"),
        (N1, {"scores": [[1, 0]], "labels": [-1]}, r"labels must be whole numbers from 0 on, got \[-1.0\]"),
        (N12, {"margins": [], "epsilon": Fraction(1, 2), "level": 1}, "margins must hold at least 1 number, got 0"),
        (N12, {"margins": [1], "epsilon": 1, "level": 1}, "epsilon must be between 0 and 1, got 1"),
        (N3, {"layers": layers([[1]]), "p": 0}, "p must be at least 1, got 0"),
    ],
)
def test_what_is_no_instance_is_refused(claim: Any, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        claim.evaluate(changes)


def test_a_spread_of_0_is_refused() -> None:
    assert N4B.extremal is not None
    with pytest.raises(ValueError, match="spread must be finite and above 0, got 0"):
        N4B.evaluate(Instance({**N4B.extremal.given, "spread": 0}, "named"))
