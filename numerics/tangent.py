"""The gradient of a two-layer ReLU network's output in its weights, as a linear map that is never written out.

On the line each unit is active on one side of its knot, so sums over the active units, or over the points that a unit
is active on, are prefix sums of sorted data. In more dimensions activation patterns are worked out a chunk of points at
a time, on the device of the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator

from numerics.networks import Network, TwoLayerReLU
from numerics.tensors import plain_tensor
from theory.checks import Array, real_array
from theory.two_layer import Weights

CHUNK_ENTRIES = 2**22
"""How many pre-activations are held at once, at most, unless one point has more units than that."""


@dataclass(frozen=True, eq=False)
class Layers:
    """The weights of f(x) = sum_i w2_i [w1_i . x + b1_i]_+ + b2 in float64, on the device of the network.

    Attributes:
        w1: input weights, [k, d].
        b1: biases of the hidden units, [k].
        w2: output weights, [k].
        b2: bias of the output.
        dtype: what the network stores its weights in; inputs that are tensors must have it too.
    """

    w1: torch.Tensor
    b1: torch.Tensor
    w2: torch.Tensor
    b2: float
    dtype: torch.dtype

    @property
    def parameters(self) -> int:
        """The number (d + 2) k + 1 of parameters."""
        return self.w1.numel() + 2 * len(self.b1) + 1

    @property
    def affine(self) -> Array:
        """The hidden units as rows (w1_i, b1_i), [k, d + 1]."""
        return np.column_stack([self.w1.cpu().numpy(), self.b1.cpu().numpy()])

    def pre_activations(self, points: torch.Tensor) -> torch.Tensor:
        """Return w1_i . x_j + b1_i, [n, k], for points [n, d]; on the line it is rounded twice, as in `Weights`."""
        products = points * self.w1.T if self.w1.shape[1] == 1 else points @ self.w1.T
        return products + self.b1

    def units(self, start: int, stop: int) -> Layers:
        """Return the network that has only the hidden units start..stop-1."""
        return Layers(self.w1[start:stop], self.b1[start:stop], self.w2[start:stop], self.b2, self.dtype)


def layers(net: Network) -> Layers:
    """Return the weights of `net` in float64; exact weights are rounded, float32 ones are taken as they are.

    Raises:
        TypeError: if `net` is neither a `TwoLayerReLU` nor `Weights`, or has complex weights.
        ValueError: if a weight is nan or inf.
    """
    if isinstance(net, Weights):
        w1, b1, w2 = (torch.from_numpy(np.array(part, dtype=np.float64)) for part in (net.w1, net.b1, net.w2))
        return Layers(w1[:, None], b1, w2, float(net.b2), torch.float64)
    if not isinstance(net, TwoLayerReLU):
        raise TypeError(f"net must be a TwoLayerReLU or Weights, got {net!r} of type {type(net).__name__}")
    for name, parameter in net.named_parameters():
        if parameter.is_complex():
            raise TypeError(f"net must have real weights, got {parameter.dtype} in {name}")
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"net must have finite weights, got nan or inf in {name}")
    w1, b1, w2, b2 = (
        part.detach().to(torch.float64)
        for part in (net.hidden.weight, net.hidden.bias, net.output.weight[0], net.output.bias)
    )
    return Layers(w1, b1, w2, float(b2), net.hidden.weight.dtype)


def inputs(weights: Layers, x: object) -> torch.Tensor:
    """Return the inputs x as a float64 tensor [n, d] on the device of `weights`, n >= 1.

    A tensor must have the dtype and the device of the network already; arrays and lists of numbers are moved there.

    Raises:
        TypeError: if an entry is no real number, or x is a tensor of another dtype than the network.
        ValueError: if x is not [n, d] (or [n] where d = 1), is empty, holds nan or inf, or is on another device.
    """
    points = _values("x", x, weights)
    features = weights.w1.shape[1]
    if not (points.ndim == 2 and points.shape[1] == features) and not (points.ndim == 1 and features == 1):
        shapes = "[n] or [n, 1]" if features == 1 else f"[n, {features}]"
        plural = "input" if features == 1 else "inputs"
        raise ValueError(
            f"x must have shape {shapes} for a network of {features} {plural}, got shape {tuple(points.shape)}"
        )
    if len(points) == 0:
        raise ValueError("x must hold at least one data point, got 0")
    return points.reshape(-1, features)


def targets(weights: Layers, y: object, n: int) -> Array:
    """Return the targets y as an array [n].

    Raises:
        TypeError: if an entry is no real number, or y is a tensor of another dtype than the network.
        ValueError: if y has not shape [n], holds nan or inf, or is on another device than the network.
    """
    values = _values("y", y, weights)
    if tuple(values.shape) != (n,):
        raise ValueError(
            f"y must have shape [{n}], one target for each data point of x, got shape {tuple(values.shape)}"
        )
    array: Array = values.cpu().numpy()
    return array


def _values(name: str, value: object, weights: Layers) -> torch.Tensor:
    """Return `value` as a finite float64 tensor where the network is, of any shape.

    Raises:
        TypeError: if an entry is no real number, or `value` is a tensor of another dtype than the network.
        ValueError: if an entry is nan or inf, or `value` is a tensor on another device than the network.
    """
    device = weights.w1.device
    if not isinstance(value, torch.Tensor):
        array = value if isinstance(value, np.ndarray) else np.asarray(value, dtype=object)
        checked = real_array(name, array, ndim=array.ndim).astype(np.float64)
        return torch.from_numpy(checked).to(device)
    if value.dtype != weights.dtype:
        raise TypeError(f"{name} must have the dtype of net, {weights.dtype}, got {value.dtype}")
    if value.device != device:
        raise ValueError(f"{name} must be on the device of net, {device}, got {value.device}")
    value = plain_tensor(name, value)
    finite = torch.isfinite(value).ravel()
    if not bool(finite.all()):
        first = int(torch.argmin(finite.to(torch.int8)))
        raise ValueError(f"{name} must hold finite numbers, got {value.ravel()[first].item()} at index {first}")
    return value.to(torch.float64)


def activation(weights: Layers, points: torch.Tensor) -> LinearOperator:
    """Return the 0/1 matrix of which units are active (w1_i . x_j + b1_i > 0 in floats) on which points, [n, k].

    On the line a product with it, or with its transpose, takes O(n + k); otherwise O(n k d).
    """
    return _activation_on_line(weights, points) if weights.w1.shape[1] == 1 else _activation_in_chunks(weights, points)


def _activation_on_line(weights: Layers, points: torch.Tensor) -> LinearOperator:
    x, w1, b1 = points[:, 0].cpu().numpy(), weights.w1[:, 0].cpu().numpy(), weights.b1.cpu().numpy()
    n, k = len(x), len(w1)
    order = np.argsort(x, kind="stable")
    sorted_x = x[order]
    rising = w1 > 0
    # Rounded pre-activations are monotone in x as exact ones are, so bisecting on them, rather than on -b1/w1, finds
    # the very pattern that evaluating every one of them would. `low` ends as the number of inactive points.
    low, high = np.zeros(k, dtype=np.int64), np.full(k, n, dtype=np.int64)
    while np.any(low < high):
        middle = (low + high) // 2
        index = np.minimum(middle, n - 1)
        with np.errstate(over="ignore"):
            active = w1 * sorted_x[np.where(rising, index, n - 1 - index)] + b1 > 0
        low, high = np.where(active | (low == high), low, middle + 1), np.where(active, middle, high)
    # A rising unit is active on sorted points edge..n-1, any other on 0..edge-1; each kind has n + 1 buckets.
    edge = np.where(rising, low, n - low)
    bucket = edge + (n + 1) * rising

    def sum_over_units(columns: Array) -> Array:
        sums = np.empty((n, columns.shape[1]))
        for column, summands in enumerate(columns.T):
            falling_sums, rising_sums = np.bincount(bucket, summands, 2 * (n + 1)).reshape(2, n + 1)
            sums[order, column] = np.cumsum(rising_sums)[:-1] + np.cumsum(falling_sums[::-1])[-2::-1]
        return sums

    def sum_over_points(columns: Array) -> Array:
        sums = np.empty((k, columns.shape[1]))
        for column, summands in enumerate(columns[order].T):
            before, after = np.cumsum(summands), np.cumsum(summands[::-1])[::-1]
            sums[:, column] = np.concatenate([[0.0], before, after, [0.0]])[bucket]
        return sums

    return LinearOperator(
        (n, k),
        dtype=np.float64,
        matvec=lambda v: sum_over_units(v.reshape(-1, 1))[:, 0],
        rmatvec=lambda v: sum_over_points(v.reshape(-1, 1))[:, 0],
        matmat=sum_over_units,
        rmatmat=sum_over_points,
    )


def _activation_in_chunks(weights: Layers, points: torch.Tensor) -> LinearOperator:
    n, k = len(points), len(weights.b1)
    rows = max(1, CHUNK_ENTRIES // max(1, k))

    def sum_over_units(columns: Array) -> Array:
        summands = torch.from_numpy(columns).to(points)
        parts = [(weights.pre_activations(chunk) > 0).to(points) @ summands for chunk in points.split(rows)]
        sums: Array = torch.cat(parts).cpu().numpy()
        return sums

    def sum_over_points(columns: Array) -> Array:
        total = torch.zeros(k, columns.shape[1]).to(points)
        for chunk, summands in zip(points.split(rows), torch.from_numpy(columns).split(rows), strict=True):
            total += (weights.pre_activations(chunk) > 0).to(points).T @ summands.to(points)
        sums: Array = total.cpu().numpy()
        return sums

    return LinearOperator(
        (n, k),
        dtype=np.float64,
        matvec=lambda v: sum_over_units(v.reshape(-1, 1))[:, 0],
        rmatvec=lambda v: sum_over_points(v.reshape(-1, 1))[:, 0],
        matmat=sum_over_units,
        rmatmat=sum_over_points,
    )


def tangent_map(weights: Layers, points: torch.Tensor, active: LinearOperator) -> LinearOperator:
    """Return the derivative of (f(x_1), ..., f(x_n)) in the weights, [n, (d + 2) k + 1]: Phi, as `theory.symbols` has it.

    Parameters are ordered as in eq 20: w1 (row by row), b1, w2, b2. `active` is `activation(weights, points)`.
    """
    units, w2 = weights.affine, weights.w2.cpu().numpy()
    homogeneous = np.column_stack([points.cpu().numpy(), np.ones(len(points))])
    k, d = weights.w1.shape

    def change_of_outputs(direction: Array) -> Array:
        w1, b1, v2, b2 = np.split(direction.ravel(), [k * d, k * d + k, k * d + 2 * k])
        slopes = w2[:, None] * np.column_stack([w1.reshape(k, d), b1]) + v2[:, None] * units
        outputs: Array = np.sum(active.matmat(slopes) * homogeneous, axis=1) + b2
        return outputs

    def gradient(cotangent: Array) -> Array:
        u = cotangent.ravel()
        sums = active.rmatmat(u[:, None] * homogeneous)
        scaled = w2[:, None] * sums
        return np.concatenate([scaled[:, :d].ravel(), scaled[:, d], np.sum(units * sums, axis=1), [np.sum(u)]])

    return LinearOperator(
        (len(points), weights.parameters), dtype=np.float64, matvec=change_of_outputs, rmatvec=gradient
    )


def gram(weights: Layers, points: torch.Tensor) -> Array:
    """Return the tangent kernel Phi Phi^T, [n, n], from the activations, a chunk of units at a time."""
    n, k = len(points), len(weights.b1)
    values, slopes = torch.zeros(n, n).to(points), torch.zeros(n, n).to(points)
    step = max(1, CHUNK_ENTRIES // n)
    for start in range(0, k, step):
        chunk = weights.units(start, start + step)
        z = chunk.pre_activations(points)
        slope = (z > 0) * chunk.w2
        values += torch.relu(z) @ torch.relu(z).T
        slopes += slope @ slope.T
    kernel: Array = (1 + values + (1 + points @ points.T) * slopes).cpu().numpy()
    return kernel
