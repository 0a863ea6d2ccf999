"""The critical step size of a data set (B1)."""

from __future__ import annotations

import math

import numpy as np

from theory.checks import Array, Reals, data_set, floats
from theory.stability_weight import stability_weight
from theory.symbols import Loss, loss_scale


def lowest_weight(x: Array) -> Array:
    """Return g_*, the lower of the limits of g from the left and the right at each data point; [n], for sorted x [n].

    g jumps at data points: with m points below x and S their sum, g- falls just right of x if (m + 1)^2 + (S + x)^2 <
    m^2 + S^2 and rises otherwise, and so does g+ just left of it. g at the point itself is never below both limits, since
    g- is continuous from the left and g+ from the right: a knot on a data point costs at least as much as one beside it.

    Example:
        >>> import numpy as np
        >>> from theory.beyond import lowest_weight
        >>> lowest_weight(np.array([-1.5, -0.5, 0.5, 1.5])).round(4)
        array([0.    , 0.1127, 0.1127, 0.    ])
    """
    lowest: Array = np.minimum(stability_weight(x, x, side="left"), stability_weight(x, x, side="right"))
    return lowest


def smallest_curvature(x: Reals, y: Reals) -> float:
    """Return the infimum of int |f''| g over all functions that interpolate the data (B1.a).

    sum_j |slope_{j+1} - slope_j| g_*(x_j) over the interior data points, with the slopes of the linear spline and g_*
    the `lowest_weight`. The spline attains it unless g_*(x_j) < g(x_j) at one of its knots; then splines with knots moved
    to the side where g is lower come as close as one likes.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: fewer than two points, equal ones, nan or inf, different lengths; or if
            their slopes are beyond the range of floats.

    Example:
        >>> from theory.beyond import smallest_curvature
        >>> round(smallest_curvature(x=[-1.5, -0.5, 0.5, 1.5], y=[1, 0, 0, 1]), 4)
        0.2253
    """
    exact = zip(("x", "y"), data_set(x, y), strict=True)
    points, targets = data_set(*(floats(name, values) for name, values in exact))
    with np.errstate(over="ignore", invalid="ignore"):
        changes = np.abs(np.diff(np.diff(targets) / np.diff(points)))
        curvature = float(changes @ lowest_weight(points)[1:-1])
    if not math.isfinite(curvature):
        raise ValueError(f"the slopes of the data must be within the range of floats, got int |f''| g = {curvature}")
    return curvature


def critical_step_size(x: Reals, y: Reals, *, loss: Loss = "half_mean") -> float:
    """Return the step size beyond which no function that interpolates the data satisfies M6's inequality (B1.a).

    1 / (1/2 + inf int |f''| g): at larger step sizes int |f''| g > 1/eta - 1/2 for every interpolating function. So no
    interpolating minimum at which no unit toggles on a data point is linearly stable there.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].
        loss: the loss that the returned step size belongs to: (1/2n) sum (f-y)^2, or "mean", where it is half as large.

    Returns:
        The critical step size, above 0, at most 2 for `half_mean`; 2 for data on a line.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: fewer than two points, equal ones, nan or inf, different lengths.

    Example:
        >>> from theory.beyond import critical_step_size
        >>> x, y = [-1.5, -0.5, 0.5, 1.5], [1, 0, 0, 1]
        >>> round(critical_step_size(x, y), 4), round(critical_step_size(x, y, loss="mean"), 4)
        (1.3787, 0.6893)
    """
    return 1 / (0.5 + smallest_curvature(x, y)) / loss_scale(loss)
