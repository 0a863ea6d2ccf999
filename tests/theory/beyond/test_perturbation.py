"""B17 on networks that are small enough to be worked out by hand."""

import numpy as np
import pytest

from theory.beyond import perturbation_bound


def test_two_layers_of_one_unit() -> None:
    # a_1^2 = 1 * 3^2 = 9; a_2^2 = 1 * 9 + (6 + 3)^2
    assert perturbation_bound([[[2]], [[1]]], [3], [1, 1]) == 90


def test_without_noise_nothing_moves() -> None:
    assert perturbation_bound([[[2, 1], [0, 1]], [[1, 1]]], [3, 1], [0, 0]) == 0


def test_it_is_above_what_normal_noise_does_where_units_switch() -> None:
    generator = np.random.default_rng(0)
    layers, x = [np.array([[1.0], [-0.1], [0.1]]), np.array([[1.0, 2.0, -1.0]])], np.array([1.0])
    plain, squares = layers[1] @ np.maximum(layers[0] @ x, 0), []
    for _ in range(4000):
        first, second = (m + generator.normal(0, 0.5, m.shape) for m in layers)
        squares.append(np.sum((second @ np.maximum(first @ x, 0) - plain) ** 2))
    assert perturbation_bound(layers, x, [0.5, 0.5]) >= np.mean(squares)


def test_a_negative_deviation_is_named() -> None:
    with pytest.raises(ValueError, match="standard_deviations must be finite and at least 0, got -1"):
        perturbation_bound([[[1]]], [1], [-1])
