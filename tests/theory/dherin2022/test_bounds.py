"""What users import of dherin2022, against networks whose complexity is known."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from proofs_check.trials.common import relu_networks
from theory.claim import AssumptionError, Instance
from theory.dherin2022 import (
    linear_complexity,
    lipschitz_complexity_bound,
    norm_product,
    penalty_complexity_bound,
    spectral_complexity_bound,
    spectral_penalty_complexity_bound,
)
from theory.relu_network import ReLUNetwork, complexity, lipschitz_constant

DRAWN = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@DRAWN
@given(relu_networks())
def test_no_bound_is_below_the_complexity(instance: Instance) -> None:
    layers = instance["layers"]
    exact = complexity(ReLUNetwork(layers, instance["layer_biases"]), instance["inputs"])
    assert Fraction(spectral_complexity_bound(layers)) >= exact
    assert Fraction(spectral_penalty_complexity_bound(layers)) >= exact
    assert Fraction(penalty_complexity_bound(layers)) >= exact


@DRAWN
@given(relu_networks(widest=2))
def test_the_product_of_norms_is_not_below_the_lipschitz_constant(instance: Instance) -> None:
    network = ReLUNetwork(instance["layers"], instance["layer_biases"])
    assert Fraction(norm_product(instance["layers"])) >= lipschitz_constant(network).lower


def test_linear_complexity_is_the_square_of_the_norm() -> None:
    assert linear_complexity([[2]]) == 4
    assert linear_complexity([[0.0, 0.0]]) == 0


def test_the_bound_by_the_lipschitz_constant_takes_the_smaller_dimension() -> None:
    assert lipschitz_complexity_bound(3, inputs=2, outputs=5) == 18
    assert lipschitz_complexity_bound(3, inputs=5, outputs=2) == 18


def test_bounds_meet_the_complexity_of_an_isometry() -> None:
    layers = [np.eye(2), np.eye(2)[::-1]]
    assert spectral_complexity_bound(layers) == 2
    assert spectral_penalty_complexity_bound(layers) == 2


@pytest.mark.parametrize("slope", [Fraction(3, 2), -1.01, 2])
def test_an_activation_that_is_too_steep_is_refused(slope: Any) -> None:
    with pytest.raises(AssumptionError, match=r"D8 does not apply: it assumes the activation is 1-Lipschitz"):
        norm_product([[[1]]], slope)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear_complexity([1, 2]), "matrix must have 2 axes, got shape"),
        (lambda: lipschitz_complexity_bound(-1, 1, 1), "lipschitz_constant must be finite and at least 0, got -1"),
        (lambda: lipschitz_complexity_bound(1, 0, 1), "inputs must be at least 1, got 0"),
        (lambda: lipschitz_complexity_bound(1, 1, 1.5), "outputs must be an integer, got 1.5"),
        (lambda: spectral_complexity_bound([]), "layers must be at least one weight matrix, got none"),
        (
            lambda: penalty_complexity_bound([[[1, 2]], [[1, 2]]]),
            "layer 2 must have a column for each of the 1 outputs",
        ),
        (lambda: norm_product([[[1]]], "steep"), "slope must hold real numbers, got 'steep'"),
    ],
    ids=["a vector", "negative", "no inputs", "half an output", "no layers", "a gap", "text"],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()
