"""Geometric complexity of two layers in closed form, and its bounds by norms of the weights."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofs_check.trials.common import relu_networks
from theory.beyond import frobenius_complexity_bound, gaussian_overlap, two_layer_complexity, unit_complexity_bound
from theory.beyond.norms import shared_half, squared_singular_values
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import root_of
from theory.relu_network import ReLUNetwork, complexity

DRAWN = settings(max_examples=60, deadline=None, derandomize=True, database=None)

SPREAD = 4e-3
"""Four standard errors of a share near 1/3 of a quarter of a million draws, a little more: a false alarm in 15,000 runs."""


def by_loops(w: Any, b: Any, v: Any, x: Any) -> float:
    """Return the mean squared norm of the Jacobians, entry by entry."""
    total = 0.0
    for datum in x:
        for i in range(len(v)):
            for c in range(w.shape[1]):
                total += sum(v[i, j] * w[j, c] for j in range(len(w)) if w[j] @ datum + b[j] > 0) ** 2
    return total / len(x)


def test_two_layers_against_loops() -> None:
    generator = np.random.default_rng(3)
    w, b, v, x = (generator.normal(size=shape) for shape in ((7, 3), (7,), (2, 7), (11, 3)))
    exact = by_loops(w, b, v, x)
    assert two_layer_complexity(w, b, v, x) == pytest.approx(exact, rel=1e-12)
    assert unit_complexity_bound(w, b, v, x) >= math.sqrt(exact)


def test_the_overlap_of_two_units_on_gaussian_inputs() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(250_000, 3))
    first, second = np.array([1.0, 0.0, 0.0]), np.array([math.cos(1), math.sin(1), 0.0])
    both = np.mean((x @ first > 0) & (x @ second > 0))
    assert gaussian_overlap(1 / math.pi) == pytest.approx(both, abs=SPREAD)


@pytest.mark.parametrize(
    ("turn", "expected"), [(0, "1/2"), (1, "0"), ("1/2", "1/4")], ids=["equal", "opposite", "right"]
)
def test_overlaps_by_hand(turn: Any, expected: str) -> None:
    assert shared_half(Fraction(turn)) == Fraction(expected)
    assert gaussian_overlap(Fraction(turn)) == float(Fraction(expected))


@DRAWN
@given(relu_networks())
def test_the_product_of_norms_is_not_below_the_complexity(instance: Instance) -> None:
    network = ReLUNetwork(instance["layers"], instance["layer_biases"])
    assert Fraction(frobenius_complexity_bound(instance["layers"])) >= complexity(network, instance["inputs"])


@DRAWN
@given(st.fractions(0, 10**6, max_denominator=10**4), st.integers(1, 5))
def test_roots_lie_between_their_ends(value: Fraction, degree: int) -> None:
    root = root_of(value, degree)
    assert Fraction(root.lower) ** degree <= value <= Fraction(root.upper) ** degree
    assert root.upper - root.lower <= Fraction(root.upper) / 2**100
    assert root_of(value**degree, degree).lower == root_of(value**degree, degree).upper == value


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (2, 4), (3, 2)], ids=str)
def test_singular_values_against_lapack(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(1).integers(-5, 6, size=shape)
    found = [float(value.upper) ** 0.5 for value in squared_singular_values(rationals(matrix))]
    assert found == pytest.approx(np.linalg.svd(matrix.astype(float), compute_uv=False), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: two_layer_complexity([[1]], [0, 0], [[1]], [[1]]),
            "hidden_biases must have an entry a unit, 1, got 2",
        ),
        (
            lambda: two_layer_complexity([[1]], [0], [[1, 2]], [[1]]),
            "output_weights must have a column a unit, 1, got shape",
        ),
        (lambda: two_layer_complexity([[1]], [0], [[1]], [[1, 2]]), "inputs must have 1 coordinates each, got shape"),
        (lambda: gaussian_overlap(1.5), "turn must be at most 1, got 1.5"),
        (lambda: frobenius_complexity_bound("W"), "layers must be a sequence of arrays, one a layer, got str"),
        (
            lambda: squared_singular_values(rationals(np.eye(3, dtype=int))),
            "layers must have at most two inputs or two",
        ),
        (lambda: root_of(Fraction(-1), 2), "value must be at least 0 and degree at least 1, got -1 and 2"),
    ],
    ids=["biases", "outputs", "inputs", "angle", "text", "three", "negative"],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()
