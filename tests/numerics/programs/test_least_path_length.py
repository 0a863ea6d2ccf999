"""Bounds on path lengths and weight products of networks through data, against networks that go through them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from numerics.networks import TwoLayerReLU
from numerics.programs import least_path_length
from numerics.programs.least_path_length import weight_product_bound
from numerics.smoothness import exact_function_path_length, gradient_path_length_all_pairs, weights_product
from theory.checks import Array


def draws(seed: int, n: int, d: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    return generator.standard_normal((n, d)), generator.standard_normal(n)


def all_pairs(x: Array) -> Array:
    return np.array([[a, b] for a in x for b in x])


def through(network: TwoLayerReLU, x: Array) -> Array:
    with torch.no_grad():
        return network(torch.from_numpy(x))[:, 0].numpy()


@pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 2), (5, 4), (8, 20), (30, 60)])
def test_up_to_d_plus_1_points_an_affine_function_has_the_least(n: int, d: int) -> None:
    x, y = draws(n, n, d)
    found = least_path_length(x, y)
    assert found.affine
    assert found.pl1 == (0.0, 0.0)
    assert found.pl0[0] == found.pl0[1] == pytest.approx(np.mean(np.abs(y[:, None] - y)))
    np.testing.assert_allclose(through(found.network, x), y, atol=1e-9)
    assert exact_function_path_length(found.network, all_pairs(x)).value == pytest.approx(found.pl0[0], rel=1e-9)
    assert gradient_path_length_all_pairs(found.network, x) == pytest.approx(0.0, abs=1e-12)
    assert found.wp[1] == pytest.approx(weights_product(found.network))


@pytest.mark.parametrize(("n", "d"), [(4, 2), (8, 2), (12, 3), (5, 1)])
def test_beyond_that_ends_hold_a_network_through_the_data(n: int, d: int) -> None:
    x, y = draws(10 + n, n, d)
    found = least_path_length(x, y)
    assert not found.affine
    assert found.violation < 1e-8
    np.testing.assert_allclose(through(found.network, x), y, atol=1e-8)
    measured = exact_function_path_length(found.network, all_pairs(x)).value
    assert found.pl0[0] <= measured <= found.pl0[1] * (1 + 1e-9)
    assert gradient_path_length_all_pairs(found.network, x) == pytest.approx(found.pl1[1])
    assert found.wp[0] <= found.wp[1]


@pytest.mark.parametrize("seed", range(40))
def test_no_network_through_the_data_has_a_smaller_weight_product(seed: int) -> None:
    generator = np.random.default_rng(seed)
    n, d, k = int(generator.integers(2, 9)), int(generator.integers(1, 5)), int(generator.integers(1, 6))
    network = TwoLayerReLU(k, d)
    x = generator.standard_normal((n, d))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.from_numpy(generator.standard_normal(tuple(parameter.shape))))
    y, product = through(network, x), weights_product(network)
    assert least_path_length(x, y).wp[0] <= product * (1 + 1e-9)
    for _ in range(20):
        assert weight_product_bound(x, y, generator.standard_normal(n)) <= product * (1 + 1e-9)


def test_two_points_are_bounded_by_their_slope_and_it_is_attained() -> None:
    x, y = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([1.0, 3.0])
    found = least_path_length(x, y)
    assert found.wp[0] == pytest.approx(0.4, rel=1e-9)
    assert found.wp[1] == pytest.approx(0.4, rel=1e-9)
    assert found.wp[0] <= found.wp[1]


def test_equal_targets_need_nothing() -> None:
    found = least_path_length([[0.0], [1.0], [5.0]], [2.0, 2.0, 2.0])
    assert (found.affine, found.pl0, found.pl1) == (True, (0.0, 0.0), (0.0, 0.0))
    assert found.wp == (0.0, pytest.approx(0.0, abs=1e-12))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[0.0]], [1.0]), ValueError, "x and y must hold at least two points, and a target for each, got 1 and 1"),
        (
            ([[0.0], [1.0]], [1.0]),
            ValueError,
            "x and y must hold at least two points, and a target for each, got 2 and 1",
        ),
        (([[0.0], [0.0]], [1.0, 2.0]), ValueError, "x must hold distinct points, got one twice"),
        (([0.0, 1.0], [1.0, 2.0]), ValueError, "x must have 2 axes"),
        (([[0.0], [np.nan]], [1.0, 2.0]), ValueError, "x must hold finite numbers"),
        (([[0.0], [1.0]], ["a", 2.0]), TypeError, "y must hold real numbers"),
    ],
)
def test_bad_input_is_named(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        least_path_length(*arguments)
    with pytest.raises(ValueError, match=r"^tolerance must be finite and above 0, got 0"):
        least_path_length([[0.0], [1.0]], [0.0, 1.0], tolerance=0)
    with pytest.raises(ValueError, match=r"^x, y and multipliers must be of one length, got 2, 2 and 1"):
        weight_product_bound([[0.0], [1.0]], [0.0, 1.0], [1.0])
