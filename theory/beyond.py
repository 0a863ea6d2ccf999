"""Bounds of our own and of later papers: the critical step size of a data set, and M6 away from interpolation."""

from __future__ import annotations

from typing import Literal

import numpy as np

from theory.checks import Array, Reals, data_points, data_set
from theory.mulayoff2021 import curvature_bound
from theory.stability_weight import stability_weight
from theory.symbols import Loss, loss_scale

Knots = Literal["anywhere", "off the data"]
"""Which solutions are meant: all, or those with no knot on a data point, to which Theorem 1 of mulayoff2021 applies."""


def lowest_weight(x: Array, *, knots: Knots = "anywhere") -> Array:
    """Return the lowest value that g takes at each data point or, in the limit, beside it; [n], for sorted x [n].

    g jumps at data points, in either direction: min(g-, g+) drops to its value there where both sides do, but g- falls
    just right of a point whose inclusion brings the mean of the points below nearer to zero.

    Raises:
        ValueError: if `knots` is neither "anywhere" nor "off the data".
    """
    if knots not in ("anywhere", "off the data"):
        raise ValueError(f"knots must be 'anywhere' or 'off the data', got {knots!r}")
    beside = np.minimum(stability_weight(x, x, side="left"), stability_weight(x, x, side="right"))
    return np.minimum(beside, stability_weight(x, x)) if knots == "anywhere" else beside


def smallest_curvature(x: Reals, y: Reals, *, knots: Knots = "anywhere") -> float:
    """Return the infimum of int |f''| g over all functions that interpolate the data (B1.a).

    sum_j |slope_{j+1} - slope_j| g_*(x_j) over the interior data points, with the slopes of the linear spline and g_*
    the `lowest_weight`. The spline attains it unless g_*(x_j) < g(x_j) at one of its knots; then nothing does.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].
        knots: over which functions.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: fewer than two points, equal ones, nan or inf, different lengths.
    """
    points, targets = (values.astype(np.float64) for values in data_set(x, y))
    changes = np.abs(np.diff(np.diff(targets) / np.diff(points)))
    return float(changes @ lowest_weight(points, knots=knots)[1:-1])


def critical_step_size(x: Reals, y: Reals, *, loss: Loss = "half_mean", knots: Knots = "anywhere") -> float:
    """Return the step size beyond which no function that interpolates the data satisfies M6's inequality (B1.a).

    1 / (1/2 + inf int |f''| g): at larger step sizes int |f''| g > 1/eta - 1/2 for every interpolating function. So no
    interpolating minimum at which no unit toggles on a data point is linearly stable there; for those,
    `knots="off the data"` gives the same or a smaller step size, which is the sharper statement.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].
        loss: the loss that the returned step size belongs to: (1/2n) sum (f-y)^2, or "mean", where it is half as large.
        knots: over which functions.

    Returns:
        The critical step size, above 0, at most 2 for `half_mean`; 2 for data on a line.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: fewer than two points, equal ones, nan or inf, different lengths.
    """
    return 1 / (0.5 + smallest_curvature(x, y, knots=knots)) / loss_scale(loss)


def loss_term(x: Reals, training_loss: float) -> float:
    """Return (R + 1) sqrt(2 L), R = max |x_j|: by how much M6's bound grows at a loss L (liang2025, Thm 3.2; B7).

    Args:
        x: distinct data points, [n].
        training_loss: L = (1/2n) sum (f-y)^2 >= 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x is malformed, or the loss is negative or not finite.
    """
    if not (np.isfinite(training_loss) and training_loss >= 0):
        raise ValueError(f"training_loss must be finite and at least 0, got {training_loss}")
    radius = float(np.max(np.abs(data_points("x", x).astype(np.float64))))
    return (radius + 1) * float(np.sqrt(2 * training_loss))


def sharp_loss_term(x: Reals, training_loss: float) -> float:
    """Return sqrt(1 + R^2) sqrt(2 L) / 2, which suffices in place of `loss_term` (B7.a); same arguments and errors."""
    loose = loss_term(x, training_loss)
    radius = float(np.max(np.abs(np.asarray(x, dtype=np.float64))))
    return loose * float(np.hypot(1, radius)) / (2 * (radius + 1))


def curvature_bound_with_loss(step_size: float, x: Reals, training_loss: float, *, loss: Loss = "half_mean") -> float:
    """Return 1/eta - 1/2 + (R + 1) sqrt(2 L), M6's bound at a loss L that is not zero (B7 with lambda_max <= 2/eta).

    Args:
        step_size: eta > 0 on `loss`.
        x: distinct data points, [n].
        training_loss: the value of `loss`, >= 0.
        loss: the loss that `step_size` and `training_loss` belong to.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the step size is not above 0, x is malformed, or the loss is negative, not finite or unknown.
    """
    return curvature_bound(step_size, loss=loss) + loss_term(x, training_loss / loss_scale(loss))
