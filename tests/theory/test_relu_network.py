"""ReLU networks as exact objects: their derivatives, pieces and Lipschitz constants, against obvious ways to find them."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from proofs_check.trials.common import relu_networks
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import length
from theory.relu_network import (
    ReLUNetwork,
    complexity,
    exact_biases,
    exact_layers,
    lipschitz_constant,
    square,
)

DRAWN = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def network(layers: Any, biases: Any) -> ReLUNetwork:
    return ReLUNetwork(tuple(map(rationals, layers)), tuple(map(rationals, biases)))


ABSOLUTE = network([[[1], [-1]], [[1, 1]]], [[0, 0]])
HAT = network([[[1], [1], [1]], [[1, -2, 1]]], [[0, -1, -2]])


def test_values_by_hand() -> None:
    assert [HAT(rationals([x]))[0] for x in (-1, 0, Fraction(1, 2), 1, Fraction(3, 2), 2, 3)] == [
        0,
        0,
        Fraction(1, 2),
        1,
        Fraction(1, 2),
        0,
        0,
    ]


@DRAWN
@given(relu_networks())
def test_off_the_kinks_the_jacobian_is_made_of_difference_quotients(instance: Instance) -> None:
    f = ReLUNetwork(instance["layers"], instance["layer_biases"])
    for x in instance["inputs"]:
        if f.is_at_a_kink(x):
            continue
        for place, axis in enumerate(np.eye(f.inputs, dtype=int)):
            step = f.step_within(x, axis)
            assert list((f(x + step * axis) - f(x)) / step) == list(f.jacobian(x)[:, place])


@DRAWN
@given(relu_networks())
def test_one_sided_derivatives_are_those_of_a_small_step(instance: Instance) -> None:
    f = ReLUNetwork(instance["layers"], instance["layer_biases"])
    x, axis = instance["inputs"][0], rationals([1] + [0] * (f.inputs - 1))
    steps = [Fraction(1, 10**9), Fraction(1, 10**10)]
    quotients = [list((f(x + h * axis) - f(x)) / h) for h in steps]
    assert quotients == [list(f.derivative(x, axis))] * 2


def test_at_a_kink_backpropagation_returns_no_slope() -> None:
    zero = rationals([0])
    assert ABSOLUTE.is_at_a_kink(zero)
    assert ABSOLUTE.jacobian(zero)[0, 0] == 0
    assert [ABSOLUTE.derivative(zero, rationals([v]))[0] for v in (1, -1)] == [1, 1]


def test_the_pieces_of_a_hat() -> None:
    assert sorted(piece[0, 0] for piece in HAT.pieces()) == [-1, 0, 1]


def test_a_pattern_without_an_open_set_is_no_piece() -> None:
    # two units with the same kink: both active, or none
    twice = network([[[1], [2]], [[1, 10]]], [[0, 0]])
    assert sorted(piece[0, 0] for piece in twice.pieces()) == [0, 21]


@DRAWN
@given(relu_networks(widest=2))
def test_every_jacobian_off_the_kinks_is_that_of_a_piece(instance: Instance) -> None:
    f = ReLUNetwork(instance["layers"], instance["layer_biases"])
    pieces = {tuple(piece.ravel()) for piece in f.pieces()}
    generator = np.random.default_rng(0)
    for x in rationals(generator.integers(-60, 60, size=(40, f.inputs))) / 7:
        assert f.is_at_a_kink(x) or tuple(f.jacobian(x).ravel()) in pieces


@DRAWN
@given(relu_networks(widest=2))
def test_every_piece_has_points(instance: Instance) -> None:
    f = ReLUNetwork(instance["layers"], instance["layer_biases"])
    # far and near: the kinks of these small networks lie within a few units, and their cones are wide
    steps = rationals([-900, -90, -20, -5, -2, -1, 0, 1, 2, 5, 20, 90, 900])
    grid = [
        rationals(p) + Fraction(1, 17)
        for p in np.stack(np.meshgrid(*[steps] * f.inputs), axis=-1).reshape(-1, f.inputs)
    ]
    if f.inputs == 1:
        fine = rationals(range(-400, 401)) / 40 + Fraction(1, 997)
        grid += [rationals([v]) for v in fine]
        seen = {tuple(f.jacobian(x).ravel()) for x in grid}
        assert seen == {tuple(piece.ravel()) for piece in f.pieces()}
    else:
        assert {tuple(f.jacobian(x).ravel()) for x in grid if not f.is_at_a_kink(x)} <= {
            tuple(piece.ravel()) for piece in f.pieces()
        }


@pytest.mark.parametrize(
    ("f", "expected"), [(ABSOLUTE, 1), (HAT, 1), (network([[[3, 4]]], []), 5)], ids=["abs", "hat", "linear"]
)
def test_lipschitz_constants_by_hand(f: ReLUNetwork, expected: int) -> None:
    constant = lipschitz_constant(f)
    assert constant.lower <= expected <= constant.upper
    assert constant.upper - constant.lower < Fraction(1, 2**60)


@DRAWN
@given(relu_networks(widest=2, most_data=3))
def test_no_two_points_are_moved_apart_faster(instance: Instance) -> None:
    f = ReLUNetwork(instance["layers"], instance["layer_biases"])
    constant = Fraction(lipschitz_constant(f).upper)
    for x in instance["inputs"]:
        for y in instance["inputs"]:
            assert square(f(y) - f(x)) <= constant**2 * square(y - x)


def test_complexity_by_hand() -> None:
    assert complexity(HAT, rationals([[Fraction(1, 2)], [5], [Fraction(3, 2)], [-4]])) == Fraction(1, 2)
    assert length(rationals([3, 4])).lower == 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exact_layers("layers", []), "layers must be at least one weight matrix, got none"),
        (lambda: exact_layers("layers", 3), "layers must be a sequence of arrays, one a layer, got int"),
        (lambda: exact_layers("layers", [[[1]], [[1, 2]]]), "layer 2 must have a column for each of the 1 outputs"),
        (lambda: exact_layers("layers", [[[float("nan")]]]), r"layers\[0\] must hold finite numbers"),
        (lambda: exact_biases("biases", [["a"]]), r"biases\[0\] must hold real numbers"),
        (lambda: network([[[1]], [[1]]], []), "biases must be one a hidden layer, 1, got 0"),
        (lambda: network([[[1]], [[1]]], [[0, 0]]), "bias 1 must have an entry a unit, 1, got 2"),
    ],
    ids=["none", "a number", "a gap", "nan", "text", "no biases", "too many biases"],
)
def test_bad_input_is_named(make: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_a_step_within_a_piece_needs_a_piece() -> None:
    with pytest.raises(ValueError, match="x must be at no kink of the network"):
        ABSOLUTE.step_within(rationals([0]), rationals([1]))
