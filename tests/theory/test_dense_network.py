import re
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from theory.checks import Array, rationals
from theory.dense_network import (
    Layers,
    check_layers,
    derivatives,
    finite_transfer,
    parameter_gradients,
    squared_transfer,
)

SMALL = Fraction(1, 10**6)
"""A move that no unit of the network below turns at."""

NETWORK: Layers = (
    (rationals([[1, -2], [3, 1], [-1, 1]]), rationals([1, 0, 2])),
    (rationals([[2, 1, -1], [1, 0, 1]]), rationals([])),
    (rationals([[1, -1], [2, 3]]), rationals([0, 1])),
)
LEAK = Fraction(1, 3)
X = rationals([2, Fraction(1, 2)])


def output(layers: Layers, x: Array) -> Array:
    """Go through the network, one unit after another."""
    value = x
    for index, (weights, biases) in enumerate(layers):
        z = [sum((w * v for w, v in zip(row, value, strict=True)), Fraction(0)) for row in weights]
        z = [a + (biases[r] if len(biases) else 0) for r, a in enumerate(z)]
        value = rationals([a if a > 0 or index == len(layers) - 1 else LEAK * a for a in z])
    return value


def moved(layers: Layers, place: tuple[int, int, tuple[int, ...]], by: Fraction) -> Layers:
    """Return the network with one weight (part 0) or bias (part 1) moved."""
    layer, part, entry = place
    copied = [[array.copy() for array in pair] for pair in layers]
    copied[layer][part][entry] += by
    return tuple((weights, biases) for weights, biases in copied)


def places(layers: Layers) -> list[tuple[int, int, tuple[int, ...]]]:
    """Return all parameters, layer by layer, weights before biases."""
    return [
        (layer, part, entry)
        for layer, pair in enumerate(layers)
        for part, array in enumerate(pair)
        for entry in product(*map(range, array.shape))
    ]


def test_the_gradients_are_those_of_moved_parameters() -> None:
    # One parameter enters a layer once, so that f is affine in it as long as no unit turns: differences are exact.
    found = parameter_gradients(NETWORK, derivatives(NETWORK, LEAK, X))
    assert found.shape == (2, len(places(NETWORK)))
    for column, place in enumerate(places(NETWORK)):
        slope = (output(moved(NETWORK, place, SMALL), X) - output(NETWORK, X)) / SMALL
        assert list(found[:, column]) == list(slope), place


def test_the_jacobian_is_that_of_moved_inputs() -> None:
    at = derivatives(NETWORK, LEAK, X)
    assert list(at.output) == list(output(NETWORK, X))
    for index in range(len(X)):
        step = rationals([SMALL * (index == i) for i in range(len(X))])
        assert list(at.jacobian[:, index]) == list((output(NETWORK, X + step) - output(NETWORK, X)) / SMALL)


def test_each_layer_gives_the_jacobian_by_the_chain_rule() -> None:
    at = derivatives(NETWORK, LEAK, X)
    for (weights, _), before, after in zip(NETWORK, at.before, at.after, strict=True):
        assert np.all(after @ weights @ before == at.jacobian)


def test_the_gradients_of_tied_layers_add() -> None:
    layer = (rationals([[-1]]), rationals([2]))
    at = derivatives((layer, layer), Fraction(0), rationals([1]))
    # w (w x + b) + b: 2 w x + b and w + 1, both 0 at w = -1, b = 2 x
    assert parameter_gradients((layer, layer), at, tied=True).tolist() == [[0, 0]]
    assert at.jacobian.tolist() == [[1]]


def test_tied_layers_that_differ_are_refused() -> None:
    layers = ((rationals([[1]]), rationals([0])), (rationals([[2]]), rationals([0])))
    with pytest.raises(ValueError, match="layers that are tied must be equal"):
        parameter_gradients(layers, derivatives(layers, Fraction(0), rationals([1])), tied=True)


def test_transfer_functions_by_hand() -> None:
    layers = ((rationals([[3, 4]]), rationals([1])), (rationals([[2]]), rationals([])))
    at = derivatives(layers, Fraction(0), rationals([1, 0]))
    # (1 + 1)/25, and 4^2/(2^2 25) without biases
    assert [part.lower for part in squared_transfer(layers, at)] == [Fraction(2, 25), Fraction(16, 100)]
    assert [part.lower for part in squared_transfer(layers, at, biases=True)] == [Fraction(2, 25), Fraction(17, 100)]


def test_a_transfer_function_that_divides_by_nothing_has_no_value() -> None:
    layers = ((rationals([[0]]), rationals([1])),)
    at = derivatives(layers, Fraction(0), rationals([1]))
    assert not finite_transfer(layers, at)
    with pytest.raises(ZeroDivisionError, match="divides by sigma_max"):
        squared_transfer(layers, at)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (3, TypeError, "layers must be a sequence of pairs of weights and biases, got int"),
        ([], ValueError, "layers must be at least one layer, got none"),
        ([([[1.0]], [1.0, 2.0])], ValueError, "layers must have 1 biases or none at index 0, got 2"),
        ([([[1.0]], []), ([[1.0, 1.0]], [])], ValueError, "layers must take 1 inputs at index 1, got 2"),
        ([([[]], [])], ValueError, r"layers must have units in each layer, got weights (1, 0) at index 0"),
    ],
    ids=["no sequence", "no layer", "biases", "sizes", "no unit"],
)
def test_layers_that_are_none_are_refused(value: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        check_layers("layers", value)


def test_a_point_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="x must have 2 entries, got 1"):
        derivatives(NETWORK, LEAK, rationals([1]))
