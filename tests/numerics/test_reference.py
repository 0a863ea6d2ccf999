import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from numerics.networks import TwoLayerReLU
from numerics.reference import (
    dense_hessian,
    dense_tangent_features,
    linear_spline,
    network_outputs,
    parameter_vector,
    stability_weight_by_masks,
    total_variation_by_partition,
    train_by_autograd,
    weighted_curvature_by_quadrature,
)
from theory.checks import Array
from theory.symbols import Loss
from theory.two_layer import Weights

EPS = float(np.finfo(np.float64).eps)


def draws(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def random_weights(seed: int, width: int) -> Weights:
    w1, b1, w2, b2 = np.split(draws(seed, 3 * width + 1), [width, 2 * width, 3 * width])
    return Weights(w1, b1, w2, b2[0])


@given(st.integers(0, 1000), st.integers(1, 5), st.integers(1, 6))
def test_dense_features_are_those_of_the_formula(seed: int, width: int, n: int) -> None:
    net, x = random_weights(seed, width), draws(seed + 1, n)
    np.testing.assert_allclose(dense_tangent_features(net, x), net.tangent_features(x), rtol=8 * EPS, atol=8 * EPS)


def test_outputs_are_those_of_the_module() -> None:
    torch.manual_seed(0)
    net, x = TwoLayerReLU(4, 3), torch.from_numpy(draws(1, 5, 3))
    expected = net(x).detach().reshape(-1)
    np.testing.assert_allclose(network_outputs(parameter_vector(net), x), expected, rtol=64 * EPS, atol=64 * EPS)


@pytest.mark.parametrize(("loss", "divisor"), [("half_mean", 6), ("mean", 3)])
def test_dense_hessian_matches_second_differences(loss: Loss, divisor: int) -> None:
    net, x, y = random_weights(2, 2), draws(3, 3), draws(4, 3)
    theta, step = net.vector, 1e-3

    def value(shift: Array) -> float:
        w1, b1, w2, b2 = np.split(theta + shift, [2, 4, 6])
        return float(np.sum((Weights(w1, b1, w2, b2[0])(x) - y) ** 2)) / divisor

    shifts = step * np.eye(len(theta))
    # The loss is a polynomial of degree 4 near theta, so the central difference is off by O(step^2).
    differences = [
        [(value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * step**2) for b in shifts] for a in shifts
    ]
    assert net.toggle_margin(x) > 0.01
    np.testing.assert_allclose(dense_hessian(net, x, y, loss=loss), differences, rtol=0, atol=1e-4)


def test_dense_hessian_of_a_module_is_that_of_its_weights() -> None:
    net, x, y = random_weights(5, 3), draws(6, 4), draws(7, 4)
    module = TwoLayerReLU.from_weights(net)
    np.testing.assert_array_equal(dense_hessian(module, x[:, None], y), dense_hessian(net, x, y))


def test_stability_weight_of_two_points() -> None:
    # Between -1 and 3: g- = (1/2)^2 (t + 1) sqrt(2), g+ = (1/2)^2 (3 - t) sqrt(10).
    t = np.array([-2.0, -1.0, 0.0, 2.0, 2.9, 3.0, 4.0])
    expected = [0, 0, math.sqrt(2) / 4, math.sqrt(10) / 4, math.sqrt(10) * 0.1 / 4, 0, 0]
    np.testing.assert_allclose(stability_weight_by_masks(t, np.array([3.0, -1.0])), expected, rtol=16 * EPS)


def test_stability_weight_leaves_out_the_point_itself() -> None:
    # At the middle point of -1, 0, 1: one point on either side, at distance 1 with |mean| 1: (1/3)^2 sqrt(2).
    assert stability_weight_by_masks(np.array([0.0]), np.array([-1.0, 0.0, 1.0])) == pytest.approx([math.sqrt(2) / 9])


def test_total_variation_of_a_sine_period_is_approached_from_below() -> None:
    coarse, fine = (total_variation_by_partition(np.sin, 0.0, 2 * math.pi, pieces=pieces) for pieces in (7, 10_001))
    assert coarse < fine <= 4
    # Two turning points, each missed by at most half a step, where the sine is flat to second order.
    assert fine == pytest.approx(4, abs=4 * (math.pi / 10_001) ** 2)


def test_total_variation_of_a_step_is_its_height() -> None:
    assert total_variation_by_partition(lambda t: 3.0 * (t > 0.3), -1.0, 1.0, pieces=5) == 3.0


def test_weighted_curvature_is_jumps_times_weight() -> None:
    def hat(t: Array) -> Array:
        return np.abs(t) - np.maximum(t - 1, 0)

    # Jumps 2 at 0 and -1 at 1; the weight is 1 + t there 1 and 2, with Lipschitz constant 1.
    found = weighted_curvature_by_quadrature(hat, lambda t: 1 + t, -1.0, 2.0, radius=0.01, pieces=300_000)
    assert found == pytest.approx(4, abs=0.01 * 3)


@pytest.mark.parametrize(("loss", "scale"), [("half_mean", 1), ("mean", 2)])
def test_training_takes_the_steps_of_the_formula(loss: Loss, scale: int) -> None:
    weights, x, y = random_weights(8, 3), draws(9, 4), draws(10, 4)
    net = TwoLayerReLU.from_weights(weights)
    batches = [np.array([0, 1, 2, 3]), np.array([2]), np.array([3, 0])]
    losses = train_by_autograd(net, x, y, step_size=0.05, batches=batches, loss=loss)
    theta, expected = weights.vector, []
    for batch in batches:
        w1, b1, w2, b2 = np.split(theta, [3, 6, 9])
        current = Weights(w1, b1, w2, b2[0])
        residuals = current(x[batch]) - y[batch]
        expected.append(scale * np.mean(residuals**2) / 2)
        theta = theta - 0.05 * scale * current.tangent_features(x[batch]).T @ residuals / len(batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-13)
    np.testing.assert_allclose(parameter_vector(net), theta, rtol=1e-13)


def test_linear_spline_interpolates_in_any_order() -> None:
    x, y = np.array([2.0, 0.0, 1.0]), np.array([5.0, 1.0, 2.0])
    np.testing.assert_array_equal(linear_spline(np.array([0.0, 0.5, 1.0, 1.5, 2.0]), x, y), [1.0, 1.5, 2.0, 3.5, 5.0])
