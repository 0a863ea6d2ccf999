from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from proofs_check.trials.volhejn2020.ideals import measured
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.registry import CLAIMS
from theory.two_layer import Weights
from theory.volhejn2020.ideals import MEASURES, measure_of, measure_terms

LINE = Weights([Fraction(1), Fraction(-1)], [0, 0], [Fraction(1), Fraction(-1)], 0)
TOOTH = Weights([Fraction(2)], [Fraction(-10)], [Fraction(1)], 0)
UNIFORM = rationals(range(11))


def values(weights: Weights, x: Any) -> list[Fraction]:
    return [
        measure_of(Instance({"weights": weights, "x": x, "which": which}, "named")) for which in range(len(MEASURES))
    ]


@given(measured())
def test_a_measure_is_the_sum_of_its_terms(instance: Instance) -> None:
    shares, terms = measure_terms(instance)
    assert all(share > 0 for share in shares)
    assert sum((p * abs(a) for p, a in zip(shares, terms, strict=True)), Fraction(0)) == measure_of(instance)


@given(measured())
def test_the_measures_are_those_of_their_definitions_on_a_fine_grid(instance: Instance) -> None:
    weights, x = instance["weights"].rational(), instance["x"]
    t = rationals([Fraction(i, 12) for i in range(13)])
    pairs = [a + (b - a) * t for a, b in product(x, repeat=2)]
    of_f = sum((np.abs(np.diff(weights(points))).sum() for points in pairs), Fraction(0)) / len(pairs)
    gradients, path, _, product_of_weights = values(weights, x)
    assert of_f <= path  # no grid sees all of it
    active = np.multiply.outer(x, weights.w1) + weights.b1 >= 0
    assert gradients == np.abs((active * weights.w1) @ weights.w2).mean()
    assert product_of_weights == sum(abs(a * b) for a, b in zip(weights.w1, weights.w2, strict=True))


def test_of_four_measures_only_pl1_is_zero_for_a_line() -> None:
    assert values(LINE, rationals([1, 2])) == [1, Fraction(1, 2), 0, 2]
    assert values(Weights([Fraction(1)], [Fraction(1)], [Fraction(1)], 0), rationals([0, 1])) == [
        1,
        Fraction(1, 2),
        0,
        1,
    ]


def test_gn_of_a_constant_is_what_the_postulate_makes_of_a_knot_on_the_data() -> None:
    # x less x: [x]_+ - [-x]_+ - [x + 1]_+ + [-x - 1]_+ + 1 is 0, and f' is postulated to be 1 at 0 and -1 at -1.
    nothing = Weights([Fraction(1), Fraction(-1), 1, -1], [0, 0, 1, -1], [1, -1, -1, 1], 1)
    assert values(nothing, rationals([0, -1]))[:3] == [1, 0, 0]
    assert values(nothing, rationals([1, 2]))[:3] == [0, 0, 0]


def test_what_is_smooth_on_the_data_need_not_be_so_elsewhere() -> None:
    beyond = Weights([Fraction(1)], [Fraction(-2)], [Fraction(1)], 0)
    assert values(beyond, rationals([0, 1])) == [0, 0, 0, 1]
    step = Weights([Fraction(1), Fraction(1)], [Fraction(-1, 3), Fraction(-2, 3)], [Fraction(3), Fraction(-3)], 0)
    assert values(step, rationals([0, 1]))[0] == 0
    assert values(step, rationals([0, 1]))[1] == Fraction(1, 2)


def test_gn_tells_the_tooth_from_the_line_unless_half_of_the_data_are_above_it() -> None:
    gradient_norms = [values(TOOTH, rationals(x))[0] for x in ([1, 9], [1, 2, 9], [6, 7])]
    assert gradient_norms == [1, Fraction(2, 3), 2]


def test_pl0_of_the_tooth_is_that_of_the_line_by_symmetry_alone() -> None:
    # The same by counting, on a grid of the interval.
    on_grid = [float(values(weights, UNIFORM)[1]) for weights in (LINE, TOOTH)]
    assert on_grid[0] == pytest.approx(on_grid[1], rel=1e-12)
    early = Weights([Fraction(4, 3)], [Fraction(-10, 3)], [Fraction(1)], 0)  # from 0 at 2.5 to 10 at 10
    fine = rationals([Fraction(i, 40) for i in range(401)])
    ratio = float(values(early, fine)[1] / values(LINE, fine)[1])
    assert ratio == pytest.approx(float((1 - Fraction(1, 4)) * (1 + Fraction(1, 2))), rel=1e-3)


@pytest.mark.parametrize(
    ("id", "changes", "message"),
    [
        ("V23", {"which": 4}, "which must be below 4, one of GN, PL_0, PL_1, WP, got 4"),
        ("V23", {"which": -1}, "which must be at least 0, got -1"),
        ("V27.b", {"start": 1}, "start must be at least 0 and below 1, got 1"),
    ],
    ids=["fifth", "negative", "no-tooth"],
)
def test_values_out_of_range_are_named(id: str, changes: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CLAIMS[id].evaluate({"weights": LINE, "x": [0, 1], "which": 0, "start": 0, **changes})


def test_a_constant_may_have_any_wp() -> None:
    for size in (1, 5):
        weights = Weights([Fraction(1), Fraction(1)], [0, 0], [Fraction(size), Fraction(-size)], 0)
        given = {"weights": weights, "x": [0, 1], "which": 3}
        assert CLAIMS["V23"].evaluate(given).ruling is Ruling.VIOLATED
        assert measure_of(Instance(given, "named")) == 2 * size
