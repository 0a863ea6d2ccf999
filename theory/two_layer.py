"""Two-layer ReLU networks on the line: their weights, their knots, and the gradient of their output in the weights."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from theory.checks import Array, Reals, rationals, real_array
from theory.conditions import Condition

TOGGLE_MARGIN = 8 * float(np.finfo(np.float64).eps)
"""The `Weights.toggle_margin` below which rounding hides on which side of a knot a data point lies."""

OFF_THE_DATA = Condition("no unit toggles on a data point", lambda margin: margin > TOGGLE_MARGIN)
"""Of the `Weights.toggle_margin`: then the loss is smooth in the weights."""


@dataclass(frozen=True, eq=False, init=False)
class Weights:
    """The weights theta of f(x) = sum_i w2_i [w1_i x + b1_i]_+ + b2 (mulayoff2021, eqs 18 and 20), one input.

    Attributes:
        w1: input weights, [k].
        b1: biases of the hidden units, [k].
        w2: output weights, [k].
        b2: bias of the output.

    Entries are floats, or exact if any of them is a `fractions.Fraction`.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes differ or an entry is not finite.
    """

    w1: Array
    b1: Array
    w2: Array
    b2: float | Fraction

    def __init__(self, w1: Reals, b1: Reals, w2: Reals, b2: float | Fraction) -> None:
        """Check the entries; one rational among them makes all exact.

        Raises:
            ValueError: if the shapes differ or an entry is not finite.
        """
        columns = {name: real_array(name, value) for name, value in (("w1", w1), ("b1", b1), ("w2", w2))}
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"w1, b1 and w2 must have one entry for each hidden unit, got {lengths}")
        bias = real_array("b2", [b2])
        exact = any(column.dtype == object for column in (*columns.values(), bias))
        for name, column in columns.items():
            object.__setattr__(self, name, rationals(column) if exact else column.copy())
        object.__setattr__(self, "b2", Fraction(bias[0]) if exact else float(bias[0]))

    @property
    def width(self) -> int:
        """The number k of hidden units."""
        return len(self.w1)

    @property
    def shape(self) -> tuple[int]:
        """The number of hidden units as the size that a symbol's meaning names, [k]."""
        return (self.width,)

    @property
    def exact(self) -> bool:
        """Whether the weights are rationals rather than floats."""
        return isinstance(self.b2, Fraction)

    def rational(self) -> Weights:
        """Return the same weights as exact rationals: every float is one."""
        return self if self.exact else self._rational

    @cached_property
    def _rational(self) -> Weights:
        return Weights(rationals(self.w1), rationals(self.b1), rationals(self.w2), Fraction(self.b2))

    @cached_property
    def vector(self) -> Array:
        """The parameter vector theta, [3k + 1], in the order of mulayoff2021, eq 20: w1, b1, w2, b2."""
        return np.concatenate([self.w1, self.b1, self.w2, np.array([self.b2], dtype=self.w1.dtype)])

    def pre_activations(self, x: Array) -> Array:
        """Return w1_i x_j + b1_i, [n, k], for inputs x [n]."""
        products: Array = np.multiply.outer(_numbers(x), self.w1) + self.b1
        return products

    def __call__(self, x: Array) -> Array:
        """Return f(x), [n], for inputs x [n]."""
        z = self.pre_activations(x)
        outputs: Array = np.where(z > 0, z, 0 * z) @ self.w2 + self.b2
        return outputs

    def tangent_features(self, x: Array) -> Array:
        """Return the gradients of f(x_j) in theta as rows, [n, 3k + 1]: the transpose of Phi in mulayoff2021, eq 28.

        A unit whose pre-activation is exactly 0 counts as inactive.
        """
        x = _numbers(x)
        z = self.pre_activations(x)
        active = z > 0
        zero: Any = Fraction(0) if self.exact else 0.0
        slope, last = np.where(active, self.w2, zero), np.full((len(x), 1), 1 + zero, dtype=self.w1.dtype)
        return np.concatenate([slope * x[:, None], slope, np.where(active, z, zero), last], axis=1)

    def residual_hessian(self, x: Array, residuals: Array) -> Array:
        """Return (1/n) sum_j r_j grad^2 f(x_j), [3k + 1, 3k + 1]: what the Hessian has besides Phi Phi^T / n (eq 27).

        Each unit couples its own w2 with its w1 by the mean of r_j x_j over the points where it is active, and with its
        b1 by the mean of r_j.

        Args:
            x: inputs, [n].
            residuals: r_j = f(x_j) - y_j, [n].
        """
        k = self.width
        share = np.where(self.pre_activations(x) > 0, residuals[:, None], 0 * residuals[:, None])
        blocks = np.concatenate([(share * x[:, None]).sum(axis=0), share.sum(axis=0)]) / len(x)
        hessian = np.zeros((3 * k + 1, 3 * k + 1), dtype=self.w1.dtype)
        rows, columns = np.arange(2 * k), 2 * k + np.arange(2 * k) % max(k, 1)
        hessian[rows, columns] = hessian[columns, rows] = blocks
        return hessian

    def toggle_margin(self, x: Array) -> float:
        """Return how far the weights are from a kink of the loss at inputs x [n], relative to rounding; >= 0.

        The smallest |w1_i x_j + b1_i| / (|w1_i x_j| + |b1_i|) over units and points: 0 if a unit toggles exactly on a
        data point (a pre-activation of 0 from w1_i = b1_i = 0 included), inf without units or points. Below a few
        machine epsilons float weights do not tell on which side the knot lies.
        """
        product = np.multiply.outer(x, self.w1)
        size = np.abs(product) + np.abs(self.b1)
        gap = np.abs(product + self.b1)
        if size.size == 0:
            return np.inf
        return (
            float(min(g / s if s else 0.0 for g, s in zip(gap.ravel(), size.ravel(), strict=True)))
            if (self.exact)
            else float(np.min(np.divide(gap, size, out=np.zeros_like(gap), where=size > 0)))
        )


def _numbers(x: Any) -> Array:
    """Return inputs as an array of real numbers; rationals as they are, which are many in a search.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if one is nan or inf.
    """
    if isinstance(x, np.ndarray) and x.dtype == object:
        return x
    array = x if isinstance(x, np.ndarray) else np.asarray(x, dtype=object)
    return real_array("x", array, ndim=array.ndim)


def check_weights(name: str, value: Any) -> Weights:
    """Return `value` if it is `Weights`.

    Raises:
        TypeError: if it is not.
    """
    if not isinstance(value, Weights):
        raise TypeError(f"{name} must be Weights (of a TwoLayerReLU: its weights()), got {type(value).__name__}")
    return value
