"""Networks of dense layers: f(x) = W_l h_l + b_l, h_1 = x, h_{i+1} = phi(W_i h_i + b_i), with their derivatives at a point.

phi(z) = z for z > 0 and a z elsewhere: ReLU for the leak a = 0, a linear network for a = 1. At a kink the slope is a, as in
automatic differentiation; what is said of the derivatives holds for it, but there f has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, exact_matrix, exact_vector, rationals
from theory.enclosure import Enclosure
from theory.relu_network import square, squared_spectral_norm

Layers = tuple[tuple[Array, Array], ...]
"""Weights [m, n] and biases [m] of each layer; the biases are [0] where a layer has none."""


def check_layers(name: str, value: Any) -> Layers:
    """Return the layers of a dense network, exactly: at least one, each of at least one unit, that fit one another.

    Raises:
        TypeError: if it is no sequence of pairs of weights and biases.
        ValueError: if the sizes do not fit, or an entry is not finite.
    """
    if not isinstance(value, Sequence) or any(not isinstance(part, Sequence) or len(part) != 2 for part in value):
        raise TypeError(f"{name} must be a sequence of pairs of weights and biases, got {type(value).__name__}")
    if not len(value):
        raise ValueError(f"{name} must be at least one layer, got none")
    layers = tuple((exact_matrix(name, weights), exact_vector(name, biases)) for weights, biases in value)
    for index, (weights, biases) in enumerate(layers):
        if 0 in weights.shape:
            raise ValueError(f"{name} must have units in each layer, got weights {weights.shape} at index {index}")
        if len(biases) not in (0, len(weights)):
            raise ValueError(f"{name} must have {len(weights)} biases or none at index {index}, got {len(biases)}")
        if index and weights.shape[1] != len(layers[index - 1][0]):
            raise ValueError(
                f"{name} must take {len(layers[index - 1][0])} inputs at index {index}, got {weights.shape[1]}"
            )
    return layers


@dataclass(frozen=True)
class Derivatives:
    """What a dense network does to a point x, [d].

    Attributes:
        output: f(x), [k].
        jacobian: grad_x f, [k, d].
        inputs: h_i, what layer i is given, [m_i], one a layer.
        before: the Jacobian of h_i in x, [m_i, d].
        after: the Jacobian of f in what layer i puts out, [k, m_{i+1}].
    """

    output: Array
    jacobian: Array
    inputs: tuple[Array, ...]
    before: tuple[Array, ...]
    after: tuple[Array, ...]


def derivatives(layers: Layers, leak: Fraction, x: Array) -> Derivatives:
    """Return a dense network's output and Jacobians at a point, exactly.

    Args:
        layers: the network.
        leak: a, the slope of phi below 0.
        x: the point, [d].

    Raises:
        ValueError: if the first layer does not take d inputs.
    """
    if layers[0][0].shape[1] != len(x):
        raise ValueError(f"x must have {layers[0][0].shape[1]} entries, got {len(x)}")
    h, before = rationals(x), rationals(np.eye(len(x), dtype=int))
    inputs, befores, slopes = [], [], []
    for weights, biases in layers:
        inputs.append(h)
        befores.append(before)
        z = weights @ h + (biases if len(biases) else 0)
        slopes.append(rationals([1 if value > 0 else leak for value in z]))
        h, before = z * slopes[-1], slopes[-1][:, None] * (weights @ before)
    after = rationals(np.eye(len(layers[-1][0]), dtype=int))
    afters = [after]
    for (weights, _), slope in zip(layers[:0:-1], slopes[-2::-1], strict=True):
        after = (after @ weights) * slope
        afters.append(after)
    jacobian = afters[-1] @ layers[0][0]
    return Derivatives(z, jacobian, tuple(inputs), tuple(befores), tuple(afters[::-1]))


def parameter_gradients(layers: Layers, at: Derivatives, *, tied: bool = False) -> Array:
    """Return the gradients of the outputs in the parameters as rows, [k, number of parameters], exactly.

    Args:
        layers: the network.
        at: its derivatives at the point.
        tied: whether all layers are one, used again and again, so that its gradients add.

    Raises:
        ValueError: if the layers are tied and differ.
    """
    parts = []
    for (_, biases), h, after in zip(layers, at.inputs, at.after, strict=True):
        of_weights = np.einsum("ra,b->rab", after, h).reshape(len(after), -1)
        parts.append(np.concatenate([of_weights, after], axis=1) if len(biases) else of_weights)
    if not tied:
        return np.concatenate(parts, axis=1)
    first = layers[0]
    for weights, biases in layers:
        if weights.shape != first[0].shape or len(biases) != len(first[1]):
            raise ValueError("layers that are tied must be equal")
        if np.any(weights != first[0]) or np.any(biases != first[1]):
            raise ValueError("layers that are tied must be equal")
    total: Array = sum(parts[1:], parts[0])
    return total


def finite_transfer(layers: Layers, at: Derivatives) -> bool:
    """Return whether sigma_max(W_i) and sigma_max(h_i') are above 0 in all layers, which the T_i divide by."""
    return all(np.any(weights != 0) for weights, _ in layers) and all(np.any(before != 0) for before in at.before)


def squared_transfer(layers: Layers, at: Derivatives, *, biases: bool | None = None) -> list[Enclosure]:
    """Return (c_i + |h_i|^2) / (sigma_max(W_i)^2 sigma_max(h_i')^2) of each layer, c_i = 1 where it has biases, else 0.

    Args:
        layers: the network.
        at: its derivatives at the point; see `finite_transfer`.
        biases: whether the layers count as having biases; None for as it is.

    Raises:
        ZeroDivisionError: if a sigma_max is 0.
    """
    found = []
    for (weights, own), h, before in zip(layers, at.inputs, at.before, strict=True):
        if not np.any(weights != 0) or not np.any(before != 0):
            raise ZeroDivisionError("a transfer function divides by sigma_max(W_i) sigma_max(h_i'), which is 0")
        counted = bool(len(own)) if biases is None else biases
        size = int(counted) + square(h)
        first, second = squared_spectral_norm(weights), squared_spectral_norm(before)
        low, high = (Fraction(getattr(first, e)) * Fraction(getattr(second, e)) for e in ("lower", "upper"))
        found.append(Enclosure(size / high, size / low))
    return found


def sum_of(parts: Sequence[Enclosure]) -> Enclosure:
    """Return the sum of intervals."""
    return sum(parts, Enclosure.exactly(Fraction(0)))


def quotient(value: Fraction, divisor: Enclosure) -> Enclosure:
    """Return a number >= 0 over one known to be above 0.

    Raises:
        ZeroDivisionError: if the divisor may be 0.
    """
    return Enclosure(value / Fraction(divisor.upper), value / Fraction(divisor.lower))


def at_points(layers: Layers, leak: Fraction, inputs: Array) -> list[Derivatives]:
    """Return what a dense network does to each of several points, the rows of [n, d].

    Raises:
        ValueError: if the first layer does not take d inputs.
    """
    return [derivatives(layers, leak, x) for x in inputs]


def mean_jacobian(points: Sequence[Derivatives]) -> Fraction:
    """Return the geometric complexity, the mean of ||grad_x f||_F^2 over the data (dherin2022, eq 1)."""
    return sum((square(at.jacobian) for at in points), Fraction(0)) / len(points)


def mean_gradient(layers: Layers, points: Sequence[Derivatives]) -> Fraction:
    """Return the mean of ||grad_theta f||_F^2 over the data."""
    return sum((square(parameter_gradients(layers, at)) for at in points), Fraction(0)) / len(points)


def least_transfer(layers: Layers, points: Sequence[Derivatives]) -> Enclosure:
    """Return the least over the data of the sum of `squared_transfer`.

    Raises:
        ZeroDivisionError: if a sigma_max is 0.
    """
    sums = [sum_of(squared_transfer(layers, at)) for at in points]
    return Enclosure(min(s.lower for s in sums), min(s.upper for s in sums))


def least_size(layers: Layers, points: Sequence[Derivatives]) -> Fraction:
    """Return the least over the data of sum_i c_i + |h_i|^2: above 0 exactly where the sum of `squared_transfer` is."""
    return min(
        sum((int(bool(len(b))) + square(h) for (_, b), h in zip(layers, at.inputs, strict=True)), Fraction(0))
        for at in points
    )


def layer_norms(layers: Layers, points: Sequence[Derivatives]) -> dict[str, Any]:
    """Return what the proofs on transfer functions speak of, of each point and layer, [m, L], sigma_max to many digits.

    Returns:
        "y", ||J||_F^2 of the Jacobian of f in what the layer puts out; "w", c + |h|^2; "p" and "q", sigma_max^2 of W and of h';
        "g", ||grad_x f||_F^2 of each point; "L", the number of layers; "m" and "n", the number of points.
    """
    norms = [Fraction(squared_spectral_norm(weights).upper) for weights, _ in layers]
    return {
        "L": len(layers),
        "m": len(points),
        "n": len(points),
        "g": [square(at.jacobian) for at in points],
        "y": [[square(after) for after in at.after] for at in points],
        "w": [[int(bool(len(b))) + square(h) for (_, b), h in zip(layers, at.inputs, strict=True)] for at in points],
        "p": [norms for _ in points],
        "q": [[Fraction(squared_spectral_norm(before).upper) for before in at.before] for at in points],
    }


def at_one_point(norms: dict[str, Any]) -> dict[str, Any]:
    """Return the same of the first point alone, each [L]."""
    return {"L": norms["L"], **{name: norms[name][0] for name in "gywpq"}}


def least_sum(norms: dict[str, Any]) -> Fraction:
    """Return the least over the points of sum_i w_i/(p_i q_i)."""
    return min(
        sum((w / (p * q) for w, p, q in zip(*rows, strict=True)), Fraction(0))
        for rows in zip(norms["w"], norms["p"], norms["q"], strict=True)
    )
