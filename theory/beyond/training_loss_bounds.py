"""M6 away from interpolation (B7)."""

from __future__ import annotations

import math

import numpy as np

from theory.checks import Reals, data_points, floats, nonnegative
from theory.mulayoff2021.smooth_bounds import LINEARLY_STABLE
from theory.symbols import Loss, half_mean_step_size, loss_scale


def loss_term(x: Reals, training_loss: float) -> float:
    """Return (R + 1) sqrt(2 L), R = max |x_j|: by how much M6's bound grows at a loss L (liang2025, Thm 3.2; B7).

    Args:
        x: distinct data points, [n].
        training_loss: L = (1/2n) sum (f-y)^2 >= 0.

    Raises:
        TypeError: if an entry or the loss is no real number.
        ValueError: if x is malformed, or the loss is negative or not finite.

    Example:
        >>> from theory.beyond import loss_term
        >>> round(loss_term(x=[-1.5, -0.5, 0.5, 1.5], training_loss=0.01), 4)
        0.3536
    """
    loss = float(nonnegative("training_loss", training_loss))
    return (_radius(x) + 1) * math.sqrt(2 * loss)


def _radius(x: Reals) -> float:
    return float(np.max(np.abs(floats("x", data_points("x", x)))))


def sharp_loss_term(x: Reals, training_loss: float) -> float:
    """Return sqrt(M) sqrt(2 L) / 2, which suffices in place of `loss_term` (B7.a).

    M is the top eigenvalue of the second moments of (X, 1), at most 1 + R^2, and 1 for standardised data.

    Args:
        x: distinct data points, [n].
        training_loss: L = (1/2n) sum (f-y)^2 >= 0.

    Raises:
        TypeError: if an entry or the loss is no real number.
        ValueError: if x is malformed, or the loss is negative or not finite.

    Example:
        >>> from theory.beyond import sharp_loss_term
        >>> round(sharp_loss_term(x=[-1.5, -0.5, 0.5, 1.5], training_loss=0.01), 4)
        0.0791
    """
    points = floats("x", data_points("x", x))
    mean, square = float(np.mean(points)), float(np.mean(points**2))
    top = (1 + square + math.hypot(1 - square, 2 * mean)) / 2
    return math.sqrt(top) * math.sqrt(2 * float(nonnegative("training_loss", training_loss))) / 2


def curvature_bound_with_loss(step_size: float, x: Reals, training_loss: float, *, loss: Loss = "half_mean") -> float:
    """Return 1/eta - 1/2 + (R + 1) sqrt(2 L), M6's bound at a loss L that is not zero (B7 with lambda_max <= 2/eta).

    Where it would be negative no such minimum is stable: B7 says that lambda_max >= 1 - 2 (R + 1) sqrt(2 L).

    Args:
        step_size: eta > 0 on `loss`.
        x: distinct data points, [n].
        training_loss: the value of `loss`, >= 0.
        loss: the loss that `step_size` and `training_loss` belong to.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the step size is not above 0, x is malformed, or the loss is negative, not finite or unknown.
        AssumptionError: if no minimum with this loss is stable at this step size.

    Example:
        >>> from theory.beyond import curvature_bound_with_loss
        >>> round(curvature_bound_with_loss(step_size=0.25, x=[-1.5, -0.5, 0.5, 1.5], training_loss=0.01), 4)
        3.8536
    """
    eta = half_mean_step_size(step_size, loss)
    term = loss_term(x, nonnegative("training_loss", training_loss) / loss_scale(loss))
    least = 1 - 2 * term
    LINEARLY_STABLE.require(
        "B7", eta * least, f"{eta * least:g} or more: lambda_max is at least {least:g} at this loss"
    )
    return 1 / eta - 0.5 + term
