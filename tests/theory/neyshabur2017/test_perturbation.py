"""Noise in the weights of networks that are small enough to be worked out by hand."""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from theory.checks import rationals
from theory.claim import AssumptionError, Instance, Ruling
from theory.enclosure import Enclosure
from theory.neyshabur2017 import (
    activation_constant,
    expected_sharpness_bound,
    fixed_pattern_bound,
    interaction_constant,
)
from theory.neyshabur2017.perturbation import (
    HALF_NORMAL,
    N15,
    N15B,
    N16,
    N16B,
    N18,
    N18B,
    half_mean,
    least_change,
    mean_change,
    mean_square_change,
    network,
    parameters,
    quiet_unit,
)
from theory.neyshabur2017.perturbation_bounds import squared_interaction


def test_mu_is_the_worst_split_of_the_product() -> None:
    # ||W_1 x|| = 3 against ||W_1|| |x| = 5, h_0 = 2; the second layer is a number.
    assert interaction_constant([[[3, 4]], [[2]]], [1, 0]) == pytest.approx(np.sqrt(2) * 3 / 5)


def test_mu_is_not_above_one() -> None:
    assert interaction_constant([[[1, 1], [1, 1]], [[1, 1]]], [1, 1]) == 1


def test_without_a_single_matrix_on_the_right_mu_says_nothing_of_the_first_layer() -> None:
    layers = (rationals([[1, 7]]), rationals([[10]]))
    assert squared_interaction(layers, rationals([1, 0]), single=False) == 1
    assert squared_interaction(layers, rationals([1, 0])) == Fraction(2, 50)


def test_the_activation_constant_is_that_of_the_worst_level() -> None:
    # shares 1/2 up to 2 and 1 up to 4 at the first level; 1 up to 8 at the second
    assert activation_constant([[[4], [-2]], [[2, 1]], [[1]]], [1]) == 1 / 4


def test_the_mean_square_change_is_that_of_all_signs() -> None:
    # Noises of mean 0 and variance 1 that are independent give the second moments of normal noise.
    layers, x = [np.array([[2, 1], [-1, 1]]), np.array([[1, 3]])], np.array([1, 2])
    kept = np.diag((layers[0] @ x > 0).astype(int))
    plain = layers[1] @ kept @ layers[0] @ x
    changes = [
        (layers[1] + np.array([s[4:]])) @ kept @ (layers[0] + np.reshape(s[:4], (2, 2))) @ x - plain
        for s in product((1, -1), repeat=6)
    ]
    given = network(*layers, point=x, sigma=[1, 1])
    assert mean_square_change(given) == Fraction(int(sum(c @ c for c in changes)), len(changes))


def test_one_unit_moves_by_the_mean_of_a_half_normal() -> None:
    given = network([[2]], point=[3], sigma=[1])
    assert float(mean_change(given).lower) == pytest.approx(3 * np.sqrt(2 / np.pi), rel=1e-4)
    assert float(HALF_NORMAL.lower) < np.sqrt(2 / np.pi) < float(HALF_NORMAL.upper)


@pytest.mark.parametrize("ratio", ["0", "1/10", "1/2", "2"])
def test_the_mean_above_a_threshold_lies_between_its_bounds(ratio: str) -> None:
    grid = np.linspace(float(Fraction(ratio)), 12, 200_001)
    values = (grid - grid[0]) * np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    mean = float(np.sum((values[1:] + values[:-1]) / 2) * (grid[1] - grid[0]))
    ends = half_mean(Enclosure.exactly(Fraction(ratio)))
    assert float(ends.lower) <= mean <= float(ends.upper)


def test_what_one_hidden_layer_moves_by_is_at_least_its_bound() -> None:
    given = N18.witness
    assert given is not None
    generator = np.random.default_rng(0)
    layers = [np.array(matrix, dtype=float) for matrix in given["layers"]]
    x, changes = np.array(given["point"], dtype=float), []
    for _ in range(4000):
        first, second = (m + generator.normal(0, 0.01, m.shape) for m in layers)
        changes.append(abs((second @ np.maximum(first @ x, 0))[0] - 100))
    assert float(least_change(given).lower) <= np.mean(changes)


def test_an_inactive_unit_of_large_weights_moves_the_output_by_what_its_bounds_say() -> None:
    numbers = {"steepness": Fraction(20), "deviation": Fraction(1, 10), "delta": Fraction(1), "constant": Fraction(1)}
    given = Instance(numbers, "named")
    generator, layers = np.random.default_rng(0), [np.array(m, dtype=float) for m in quiet_unit(given)["layers"]]
    h = np.ones((20_000, 1))
    for number, matrix in enumerate(layers, 1):
        noisy = matrix + generator.normal(0, 0.1, (len(h), *matrix.shape))
        h = np.einsum("nij,nj->ni", noisy, h)
        h = h if number == len(layers) else np.maximum(h, 0)
    left = N18B.sides(given)[0]
    assert float(left.lower) <= np.mean(abs(h - 1)) <= float(left.upper)
    assert float(left.lower) > 0.5


def test_effects_of_one_layer_are_those_of_lemma_3() -> None:
    assert expected_sharpness_bound([[[1, 0], [0, 1]]], [[3, 4]], [1]) == pytest.approx(np.sqrt(2) * 5)


def test_a_lipschitz_constant_is_a_factor() -> None:
    one, three = (expected_sharpness_bound([[[2]], [[1]]], [[3], [5]], [1, 2], factor) for factor in (1, 3))
    assert three == pytest.approx(3 * one)


@pytest.mark.parametrize("factor", [3, 10, 1000])
@pytest.mark.parametrize("claim", [N16, N16B, N18, N18B], ids=lambda claim: claim.id)
def test_no_constant_in_the_o_helps(claim: Any, factor: int) -> None:
    first = claim.witness
    changes: dict[str, dict[str, Any]] = {
        "N16": {"steepness": 20 * factor, "deviation": Fraction(1, 6 * factor)},
        "N16.b": {"weight": 20 * factor, "deviation": 80 * factor},
        "N18": {"layers": (rationals([[1, 0], [-1, 1000 * factor]]), rationals([[100 * factor, 0]]))},
        "N18.b": {"steepness": 200_000 * factor, "deviation": Fraction(1, 100_000 * factor)},
    }
    given = first.but(constant=Fraction(factor), **changes[claim.id])
    assert claim.evaluate(given).ruling is Ruling.VIOLATED


def test_a_mu_above_one_would_break_lemma_1() -> None:
    # ||W x|| = 2 and mu^2 = 2 for W = (1, 1) and x = (1, 1): gamma |f| = 1, but noise moves f by sqrt(2).
    layers, x = (rationals([[1, 1]]),), rationals([1, 1])
    assert squared_interaction(layers, x, capped=False) == 2
    given = Instance({"layers": layers, "point": x, "sigma": rationals([1])}, "named")
    assert mean_square_change(given) == 2
    assert N15B.evaluate(given).ruling is Ruling.HOLDS
    assert N15.evaluate(given).ruling is Ruling.HOLDS


@pytest.mark.parametrize(
    ("hidden_layers", "biases", "count"),
    [(9, 0, 8_794_000), (9, 1, 8_803_010), (10, 0, 9_794_000), (10, 1, 9_804_010), (11, 0, 10_794_000)],
)
def test_parameters_are_counted(hidden_layers: int, biases: int, count: int) -> None:
    assert parameters(Instance({"hidden_layers": hidden_layers, "biases": biases}, "named")) == count


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interaction_constant([[[1]], [[1]]], [-1]), "f_w.x. is not 0"),
        (lambda: fixed_pattern_bound([[[1]], [[1]]], [-1], [1, 1]), "f_w.x. is not 0"),
        (lambda: activation_constant([[[0]], [[1]]], [1]), "no hidden unit is given 0"),
    ],
)
def test_outside_its_assumption_a_bound_says_so(call: Any, message: str) -> None:
    with pytest.raises(AssumptionError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: interaction_constant([[[1]]], [1, 2]), "the point must have 1 coordinates, got 2"),
        (lambda: fixed_pattern_bound([[[1]]], [1], [1, 1]), "sigma must have an entry for each of the 1 layers, got 2"),
        (lambda: fixed_pattern_bound([[[1]]], [1], [-1]), "standard_deviations must be finite and at least 0, got -1"),
        (lambda: expected_sharpness_bound([[[1]]], [[1]], [1], -1), "lipschitz must be finite and at least 0, got -1"),
        (lambda: expected_sharpness_bound([[[1]]], [[1]], [1, 1]), "a variance for each of the 1 layers, got 2"),
        (lambda: activation_constant([], [1]), "layers must be at least one weight matrix, got none"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
