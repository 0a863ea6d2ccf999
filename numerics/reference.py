"""Slow, obvious oracles: what the rest of this package computes quickly, computed by the definition."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch

from numerics.networks import TwoLayerReLU
from theory.checks import Array
from theory.symbols import Loss, loss_scale
from theory.two_layer import Weights


def parameter_vector(net: TwoLayerReLU | Weights) -> torch.Tensor:
    """Return theta = (w1 row by row, b1, w2, b2) in float64, [(d + 2) k + 1] (mulayoff2021, eq 20)."""
    if isinstance(net, Weights):
        return torch.from_numpy(net.vector.astype(np.float64))
    parts = [net.hidden.weight, net.hidden.bias, net.output.weight, net.output.bias]
    return torch.cat([part.detach().to("cpu", torch.float64).ravel() for part in parts])


def network_outputs(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return f(x_j), [n], of the two-layer network with parameters theta [(d + 2) k + 1] at points x [n, d]."""
    d = x.shape[1]
    k = (len(theta) - 1) // (d + 2)
    w1, b1, w2, b2 = torch.split(theta, [k * d, k, k, 1])
    return torch.relu(x @ w1.reshape(k, d).T + b1) @ w2 + b2


def dense_tangent_features(net: TwoLayerReLU | Weights, x: Array) -> Array:
    """Return the gradients of f(x_j) in theta as rows, [n, (d + 2) k + 1], by automatic differentiation.

    x is [n, d], or [n] for a network of one input.
    """
    points = torch.from_numpy(np.asarray(x, dtype=np.float64).reshape(len(x), -1))
    rows: Array = torch.autograd.functional.jacobian(
        lambda theta: network_outputs(theta, points), parameter_vector(net)
    ).numpy()
    return rows


def dense_hessian(net: TwoLayerReLU | Weights, x: Array, y: Array, *, loss: Loss = "half_mean") -> Array:
    """Return the Hessian of the squared loss in theta, [(d + 2) k + 1, (d + 2) k + 1], by automatic differentiation.

    x is [n, d], or [n] for a network of one input; y is [n].

    Raises:
        ValueError: if `loss` is unknown.
    """
    scale = loss_scale(loss) / 2
    points = torch.from_numpy(np.asarray(x, dtype=np.float64).reshape(len(x), -1))
    desired = torch.from_numpy(np.asarray(y, dtype=np.float64))

    def value(theta: torch.Tensor) -> torch.Tensor:
        return scale * torch.mean((network_outputs(theta, points) - desired) ** 2)

    hessian: Array = torch.autograd.functional.hessian(value, parameter_vector(net)).numpy()
    return hessian


def stability_weight_by_masks(t: Array, x: Array) -> Array:
    """Return g(t), [m], for t [m] and data x [n], literally (mulayoff2021, eq 22, X uniform on the data).

    g-(t) = P(X < t)^2 E[t - X | X < t] sqrt(1 + E[X | X < t]^2), g+ with X > t and X - t, both 0 where the condition
    never holds; g = min(g-, g+) on [min x, max x] and 0 outside.
    """

    def one_sided(point: float, side: Array) -> float:
        if len(side) == 0:
            return 0.0
        share = len(side) / len(x)
        return float(share**2 * np.mean(np.abs(point - side)) * np.sqrt(1 + np.mean(side) ** 2))

    inside = [np.min(x) <= point <= np.max(x) for point in t]
    weights = [min(one_sided(point, x[x < point]), one_sided(point, x[x > point])) for point in t]
    return np.where(inside, weights, 0.0)


def total_variation_by_partition(f: Callable[[Array], Array], a: float, b: float, *, pieces: int) -> float:
    """Return sum |f(t_(i+1)) - f(t_i)| over the partition of [a, b] into `pieces` equal parts.

    It never exceeds the total variation of f, and tends to it where f is continuous or has jumps inside the interval.
    """
    return float(np.sum(np.abs(np.diff(f(np.linspace(a, b, pieces + 1))))))


def weighted_curvature_by_quadrature(
    f: Callable[[Array], Array], weight: Callable[[Array], Array], a: float, b: float, *, radius: float, pieces: int
) -> float:
    """Return the integral over [a, b] of |f_r''| weight, f_r the mollification of f by a triangle of radius r.

    f_r''(t) = (f(t + r) - 2 f(t) + f(t - r)) / r^2 exactly, and is integrated by the midpoint rule with `pieces` parts.
    For piecewise linear f with knots 2 r apart, and a weight of Lipschitz constant L, the result is within
    L r sum |jumps| of the integral of |f''| weight, up to the error of the rule; knots closer than r to a or b count in
    part.
    """
    step = (b - a) / pieces
    t = a + step * (np.arange(pieces) + 0.5)
    curvature = (f(t + radius) - 2 * f(t) + f(t - radius)) / radius**2
    return float(step * np.sum(np.abs(curvature) * weight(t)))


def train_by_autograd(
    net: TwoLayerReLU, x: Array, y: Array, *, step_size: float, batches: Iterable[Array], loss: Loss = "half_mean"
) -> list[float]:
    """Train `net` in place, one gradient step a batch, and return the batch loss before each step.

    x is [n, d], y is [n]; a batch is an array of indices into them, so `[np.arange(n)] * steps` is gradient descent.

    Raises:
        ValueError: if `loss` is unknown.
    """
    scale = loss_scale(loss) / 2
    dtype = net.hidden.weight.dtype
    points, desired = torch.tensor(np.reshape(x, (len(x), -1)), dtype=dtype), torch.tensor(y, dtype=dtype)
    optimiser = torch.optim.SGD(net.parameters(), lr=step_size)
    losses = []
    for batch in batches:
        optimiser.zero_grad()
        value = scale * torch.mean((net(points[batch]).reshape(-1) - desired[batch]) ** 2)
        value.backward()
        optimiser.step()
        losses.append(value.item())
    return losses


def linear_spline(t: Array, x: Array, y: Array) -> Array:
    """Return the piecewise linear function through (x_j, y_j) at t [m], constant outside [min x, max x]; [m]."""
    order = np.argsort(x)
    return np.interp(t, x[order], y[order])
