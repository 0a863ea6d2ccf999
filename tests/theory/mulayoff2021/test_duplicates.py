"""Samples that occur twice, against losses that are written out."""

from fractions import Fraction

import numpy as np
import pytest

from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.registry import CLAIMS
from theory.sharpness import second_derivative, sharpness
from theory.two_layer import Weights

ONE, ZERO = Fraction(1), Fraction(0)
WEIGHTS = Weights([ONE, -ONE], [Fraction(1, 2), Fraction(3, 2)], [ONE, Fraction(2)], ZERO)
X = rationals([-2, 0, 1])


def test_a_copy_changes_the_sharpness_and_never_the_fit() -> None:
    witness = CLAIMS["M20.a"].witness
    assert witness is not None
    assert CLAIMS["M20.a"].evaluate(witness).ruling is Ruling.VIOLATED
    for copied in (0, 1):
        for errors in ([0, 0], [0, 1], [1, 0]):
            verdict = CLAIMS["M20"].evaluate({"errors": rationals(errors), "copied": copied})
            assert verdict.ruling is Ruling.HOLDS


def test_one_sample_may_be_copied() -> None:
    one = Instance({"weights": WEIGHTS, "x": rationals([1]), "copied": 0}, "named")
    assert CLAIMS["M20.a"].evaluate(one).ruling is Ruling.HOLDS


@pytest.mark.parametrize("copied", [0, 1, 2])
def test_the_hessian_with_a_copy_is_that_of_the_loss_with_it(copied: int) -> None:
    direction = rationals([1, -1, 2, 0, 1, 1, 3])
    points = np.append(X, X[copied])
    with_it = second_derivative(WEIGHTS, points, WEIGHTS(points), direction)
    without_it = second_derivative(WEIGHTS, X, WEIGHTS(X), direction)
    verdict = CLAIMS["M20.b"].evaluate({"weights": WEIGHTS, "x": X, "copied": copied, "direction": direction})
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.lhs is not None
    assert verdict.lhs.lower == abs(with_it - Fraction(9, 8) * without_it)
    without, copies = sharpness(WEIGHTS, X), sharpness(WEIGHTS, points)
    assert Fraction(3, 4) * without.lower <= copies.upper
    assert copies.lower <= Fraction(3, 2) * without.upper


def test_a_number_of_no_sample_is_outside_the_claim() -> None:
    verdict = CLAIMS["M20"].evaluate({"errors": rationals([0, 1]), "copied": 2})
    assert verdict.failed == "i is the number of a sample"


def test_a_direction_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"direction must be \[3k\+1\]|direction must have 7 entries"):
        CLAIMS["M20.b"].evaluate({"weights": WEIGHTS, "x": X, "copied": 0, "direction": rationals([1])})
