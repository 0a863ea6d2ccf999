"""Bounds on the Jacobian in the input by the gradient in the weights (D10)."""

from __future__ import annotations

import math

import numpy as np

from theory.checks import Reals, count, nonnegative, real_array
from theory.conditions import Condition

POSITIVE_NORMS = Condition("sigma_max(W_i) > 0 and sigma_max(h_i'(x)) > 0", bool)
POSITIVE_TRANSFER = Condition("sum_i T_i^2 > 0 at each point", lambda value: bool(value > 0))


def _norms(name: str, value: Reals, layers: int) -> list[float]:
    """Return squared norms, one a layer, above 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is not one a layer, or one is negative or not finite.
    """
    array = real_array(name, value)
    if len(array) != layers:
        raise ValueError(f"{name} must hold one number for each of {layers} layers, got {len(array)}")
    if np.any(array < 0):
        raise ValueError(f"{name} must be at least 0, got {min(array)}")
    return [float(v) for v in array]


def transfer_bound(
    squared_gradient: float,
    squared_inputs: Reals,
    squared_weights: Reals,
    squared_jacobians: Reals,
    smaller_side: int = 1,
) -> float:
    """Return what ||grad_x f(x)||_F^2 does not exceed, for dense layers that each have weights and biases of their own (D10.a).

    ||grad_theta f||_F^2 / (T_1^2 + .. + T_l^2) (dherin2022, Theorem 5.1). Without a `smaller_side` it is the sharper bound
    of B5, which holds as well.

    Args:
        squared_gradient: ||grad_theta f(x)||_F^2, at least 0.
        squared_inputs: ||h_i(x)||^2 of what each layer is given, at least 0, [l].
        squared_weights: sigma_max(W_i)^2, above 0, [l].
        squared_jacobians: sigma_max(h_i'(x))^2, above 0, [l]; 1 for the first layer.
        smaller_side: min(d, k) of the printed bound, at least 1.

    Raises:
        TypeError: if an entry is no real number, or `smaller_side` no integer.
        ValueError: if a number is negative or not finite, or the lists are not of one length of at least 1.
        AssumptionError: if a sigma_max is 0, where T_i has no value.

    Example:
        >>> from theory.dherin2022 import transfer_bound
        >>> round(transfer_bound(6, squared_inputs=[5], squared_weights=[25], squared_jacobians=[1]), 4)
        25.0
    """
    gradient, inputs = (
        float(nonnegative("squared_gradient", squared_gradient)),
        real_array("squared_inputs", squared_inputs),
    )
    if not len(inputs):
        raise ValueError("squared_inputs must hold one number for each layer, got none")
    h = _norms("squared_inputs", squared_inputs, len(inputs))
    w, j = _norms("squared_weights", squared_weights, len(h)), _norms("squared_jacobians", squared_jacobians, len(h))
    POSITIVE_NORMS.require("D10.a", min(*w, *j) > 0, 0.0)
    total = math.fsum((1 + a) / (b * c) for a, b, c in zip(h, w, j, strict=True))
    return gradient * count("smaller_side", smaller_side) / total


def geometric_complexity_bound(squared_gradients: Reals, transfers: Reals) -> float:
    """Return what the geometric complexity of a data set does not exceed, for dense layers with weights of their own (D10.b).

    The mean of ||grad_theta f(x_j)||_F^2 over the least of the sums of squared transfer functions.

    Args:
        squared_gradients: ||grad_theta f(x_j)||_F^2, at least 0, [n].
        transfers: sum_i T_i^2(x_j), without the factor 1/min(d, k), above 0, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is no point, the lengths differ, or an entry is not finite, or a gradient negative.
        AssumptionError: if a sum of squared transfer functions is not above 0.

    Example:
        >>> from theory.dherin2022 import geometric_complexity_bound
        >>> geometric_complexity_bound(squared_gradients=[6.0, 2.0], transfers=[0.5, 2.0])
        8.0
    """
    gradients = real_array("squared_gradients", squared_gradients)
    if not len(gradients):
        raise ValueError("squared_gradients must hold one number for each point, got none")
    if np.any(gradients < 0):
        raise ValueError(f"squared_gradients must be at least 0, got {min(gradients)}")
    sums = real_array("transfers", transfers)
    if len(sums) != len(gradients):
        raise ValueError(f"transfers must hold one number for each of {len(gradients)} points, got {len(sums)}")
    POSITIVE_TRANSFER.require("D10.b", min(sums))
    return math.fsum(float(v) for v in gradients) / len(gradients) / float(min(sums))
