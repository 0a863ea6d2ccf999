from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from proofs_check.trials.volhejn2020.interpolants import TRIALS, turning_once
from theory.checks import Array, rationals
from theory.claim import Instance, Ruling
from theory.path_lengths import gradient_path_length
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.volhejn2020 import spline_gradient_path_length
from theory.volhejn2020.interpolants import slopes_between, spline_slopes

EXAMPLES = TRIALS[-1].drawn
assert EXAMPLES is not None

data = st.lists(
    st.tuples(st.integers(-6, 6), st.integers(-4, 4)), min_size=1, max_size=6, unique_by=lambda pair: pair[0]
)


def columns(pairs: list[tuple[int, int]]) -> tuple[Array, Array]:
    x, y = zip(*sorted(pairs), strict=True)
    return rationals(x), rationals(y)


@given(data)
def test_the_least_gradient_path_length_is_that_of_the_spline(pairs: list[tuple[int, int]]) -> None:
    x, y = columns(pairs)
    least = spline_gradient_path_length(x, y)
    assert isinstance(least, Fraction)
    assert spline_gradient_path_length(x[::-1], y[::-1]) == least
    assert spline_gradient_path_length(x.astype(float), y.astype(float)) == pytest.approx(float(least), abs=1e-12)
    if len(x) > 1:
        assert gradient_path_length(PiecewiseLinear.interpolate(x, y), x) == least


def least_over_knots(x: Array, y: Array, knots: Array) -> float:
    """The least PL1 of functions through the data with these knots, by a linear program in slope, value and jumps."""
    weights = np.array([2 * np.sum(x < c) * np.sum(x > c) for c in knots]) / len(x) ** 2
    ramps = np.maximum(0, x[:, None] - knots)
    straight = np.stack([np.ones_like(x), x], axis=1)
    found = linprog(
        np.concatenate([weights, weights, [0, 0]]),
        A_eq=np.concatenate([ramps, -ramps, straight], axis=1),
        b_eq=y,
        bounds=[(0, None)] * (2 * len(knots)) + [(None, None)] * 2,
    )
    assert found.success
    return float(found.fun)


@pytest.mark.parametrize("seed", range(6))
def test_a_linear_program_finds_no_less(seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = np.sort(random.uniform(-1, 1, 6)), random.normal(size=6)
    between = np.concatenate([a + (b - a) * np.linspace(0, 1, 6)[1:-1] for a, b in pairwise(x)])
    least = spline_gradient_path_length(x, y)
    assert least_over_knots(x, y, np.concatenate([x[1:-1], between])) == pytest.approx(least, rel=1e-7)
    assert least_over_knots(x, y, between) >= least * (1 - 1e-9)


def test_no_bound_is_left_where_the_data_lie_on_a_line() -> None:
    assert spline_gradient_path_length([0, 1, 3], [1, 2, 4]) == 0
    assert spline_gradient_path_length([0], [1]) == spline_gradient_path_length([0, 1], [1, 5]) == 0


@given(EXAMPLES)
def test_what_turns_least_does_not_overshoot(instance: Instance) -> None:
    verdict = CLAIMS["V25.b"].evaluate(instance)
    if verdict.lhs is None or not verdict.lhs.lower:
        return
    spline = spline_slopes(instance).tolist()
    for j, (slopes, _) in enumerate(slopes_between(instance)):
        beside = spline[max(0, j - 1) : j + 2]
        assert min(beside) <= min(slopes) <= max(slopes) <= max(beside)


def through(slopes: list[int]) -> Instance:
    """F from (0, 0) with these slopes on intervals of length 1, and data at every second joint."""
    values = rationals([0, *np.cumsum(slopes)])
    f = PiecewiseLinear.interpolate(rationals(range(len(values))), values)
    return Instance({"f": f, "x": rationals(range(0, len(values), 2))}, "named")


@pytest.mark.parametrize(
    ("slopes", "least"),
    [
        ([0, 0, 0, 2, 2, 2], True),  # spline 0, 1, 2
        ([0, 0, 2, 0, 2, 2], False),  # monotone in each interval, and no slope beyond 0 or 2
        ([0, 0, -1, 3, 2, 2], False),  # overshoots
        ([-1, 1, 1, 1, 2, 2], False),  # turns before the second point
        ([0, 0, 1, 1, 1, 1], True),
    ],
    ids=["rising", "falling-back", "overshooting", "bent-at-the-end", "spline"],
)
def test_what_turns_least(slopes: list[int], least: bool) -> None:
    verdict = CLAIMS["V25.b"].evaluate(through(slopes))
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.lhs is not None
    assert bool(verdict.lhs.lower) == least


def test_some_that_turn_least_are_drawn_beside_the_spline() -> None:
    drawn: list[bool] = []

    @given(turning_once())
    def draw(instance: Instance) -> None:
        lhs = CLAIMS["V25.b"].evaluate(instance).lhs
        bent = any(len(slopes) > 1 for slopes, _ in slopes_between(instance))
        drawn.append(bent and lhs is not None and bool(lhs.lower))

    draw()
    assert any(drawn)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([0, 0], [1, 2], "x must hold distinct points"),
        ([0, 1], [1], "y must"),
        ([], [], "x must"),
        ([0, float("nan")], [0, 1], "x must hold finite numbers"),
    ],
    ids=["equal", "short", "none", "nan"],
)
def test_data_that_are_none_are_named(x: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spline_gradient_path_length(x, y)


@pytest.mark.parametrize(
    "inputs", [[[-1], [0], [1]], [[0, 0], [1, 0], [0, 1], [1, 1]], [[0, 0], [2, 1], [4, 2]]], ids=str
)
def test_labels_that_are_affine_in_the_inputs_leave_no_bound_and_others_do(inputs: list[list[int]]) -> None:
    dependence = [1, -2, 1] if len(inputs) == 3 else [1, -1, -1, 1]
    d = len(inputs[0])
    # One unit that is active on all data computes an affine function there, one with its hyperplane among them does not.
    for bias, kinked in ((Fraction(5), False), (Fraction(-1, 2), True)):
        network = {"hidden": [[1] * d], "biases": [bias], "outputs": [1]}
        verdict = CLAIMS["V21.b"].evaluate({**network, "inputs": inputs, "dependence": dependence})
        assert verdict.ruling is Ruling.HOLDS
        assert verdict.rhs is not None
        assert (verdict.rhs.lower > 0) == kinked


def test_no_dependence_no_bound() -> None:
    given = {"hidden": [[1]], "biases": [0], "outputs": [1], "inputs": [[-1], [0], [1]], "dependence": [1, -1, 0]}
    failing = CLAIMS["V21.b"].failing(given)
    assert failing is not None
    assert failing[1] == [0, -1]
