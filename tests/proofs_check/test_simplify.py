from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.simplify import rounder, simplest, variable
from proofs_check.values import numbers
from theory.claim import Assumption, Instance, Ruling
from theory.registry import CLAIMS
from theory.two_layer import Weights


def wild() -> Instance:
    weights = Weights([0.7310, -1.1, 0.4], [0.2034, 0.5, -0.1], [0.9173, 0.3, 0.61], 0.133)
    return Instance({"weights": weights, "interval": (-1.234, 0.977), "points": 2}, "trained")


def test_a_counterexample_becomes_short_and_round_and_stays_one() -> None:
    claim = CLAIMS["V4"]
    verdict, instance = simplest(claim, (claim.evaluate(wild()), wild()), 400)
    assert verdict.ruling is Ruling.VIOLATED
    assert claim.evaluate(instance) == verdict
    assert instance["weights"].width == 2  # with one unit f is monotone, and two points see all of its variation
    assert all(Fraction(number).denominator <= 8 for number in numbers(instance["weights"]))


def test_it_stays_inside_the_assumptions() -> None:
    steep = Assumption("steep", lambda given: abs(given["weights"].w1[0]), lambda slope: slope > Fraction(1, 2))
    claim = replace(CLAIMS["V4"], assumptions=(steep,))
    verdict, instance = simplest(claim, (claim.evaluate(wild()), wild()), 400)
    assert verdict.ruling is Ruling.VIOLATED
    assert abs(instance["weights"].w1[0]) > Fraction(1, 2)


def test_points_are_dropped_from_inputs_and_targets_alike() -> None:
    impossible = replace(CLAIMS["B7"], form=CLAIMS["B1"].form)
    weights, x = Weights([1.0], [-0.3], [1.0], 0.0), np.array([-1.0, 0.2, 0.9, 1.7])
    start = Instance({"weights": weights, "x": x, "y": np.array([3.0, -2.0, 5.0, 1.0])}, "drawn")
    found = simplest(impossible, (impossible.evaluate(start), start), 300)[1]
    assert len(found["x"]) == len(found["y"]) < 4


def test_no_evaluation_no_change() -> None:
    claim = CLAIMS["V4"]
    found = (claim.evaluate(wild()), wild())
    assert simplest(claim, found, 0) == found


@given(st.fractions())
def test_rounder_numbers_are_rounder(number: Fraction) -> None:
    candidates = rounder(number)
    sizes = [Fraction(c).denominator.bit_length() + abs(Fraction(c).numerator).bit_length() for c in candidates]
    assert number not in candidates
    assert len(set(candidates)) == len(candidates)
    assert all(size <= number.denominator.bit_length() + abs(number.numerator).bit_length() for size in sizes)


def test_examples_of_a_paper_stand_as_they_are() -> None:
    assert variable(CLAIMS["V2"]) == []
    assert variable(CLAIMS["M6"]) == ["step_size", "weights", "x"]
