"""The curvature of a stable minimum, and the sharpness of every network that computes a function (M5, M6)."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from theory.checks import Reals, data_points, dot, rationals
from theory.conditions import Condition
from theory.curvature import check_function
from theory.enclosure import EPS, rounded_down
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import weight_enclosure
from theory.symbols import Loss, half_mean_step_size

LINEARLY_STABLE = Condition("linear stability: eta lambda_max <= 2", lambda product: product <= 2)
"""What gradient descent asks of a smooth minimum (M1)."""


def curvature_bound(step_size: float, *, loss: Loss = "half_mean") -> float:
    """Return 1/eta - 1/2, the largest int |f''| g of a twice-differentiable minimum that SGD is stable at (eq 21; M6).

    For eta > 2 no minimum is stable, since lambda_max >= 1 always: there is no bound to return.

    Args:
        step_size: eta > 0.
        loss: the loss that `step_size` belongs to; for the mean squared error ("mean"), eta is twice the step size.

    Raises:
        TypeError: if `step_size` is no real number.
        ValueError: if `step_size` is not finite and above 0, or `loss` is unknown.
        AssumptionError: if eta > 2.

    Example:
        >>> from theory.mulayoff2021 import curvature_bound
        >>> curvature_bound(step_size=0.25)
        3.5
        >>> curvature_bound(step_size=0.25, loss="mean")
        1.5
    """
    eta = half_mean_step_size(step_size, loss)
    LINEARLY_STABLE.require("M6", eta, f"{eta:g} or more: lambda_max is at least 1")
    return 1 / eta - 0.5


def sharpness_lower_bound(f: PiecewiseLinear, x: Reals) -> float:
    """Return 1 + 2 int |f''| g, below which no implementation of f has its sharpness (Lemma 4, eq 30; M5).

    The sharpness is lambda_max of Phi Phi^T / n, the Hessian of (1/2n) sum (f-y)^2 at interpolation; for the mean
    squared error double it. The value is rounded down by its rounding error, so it is a lower bound as it stands.
    O((n + m) log n) for n data points and m knots.

    Args:
        f: the function.
        x: distinct data points, [n].

    Raises:
        TypeError: if f is no PiecewiseLinear or an entry of x no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice, or the bound is beyond the range of
            floats.

    Example:
        >>> from theory import PiecewiseLinear
        >>> from theory.mulayoff2021 import sharpness_lower_bound
        >>> x = [-1.5, -0.5, 0.5, 1.5]
        >>> round(sharpness_lower_bound(PiecewiseLinear.interpolate(x, [1, 0, 0, 1]), x), 4)
        1.4507
    """
    check_function(f)
    points = data_points("x", x)
    if f.exact or points.dtype == object:
        lower, _ = weight_enclosure(rationals(f.knots), rationals(points))
        return rounded_down(1 + 2 * Fraction(dot(np.abs(rationals(f.jumps)), lower)))
    lower, _ = weight_enclosure(f.knots, points)
    with np.errstate(over="ignore"):
        # The sum of m products is off by m eps/2 of itself; what underflows is far below the last step down.
        total = float(np.abs(f.jumps) @ lower) * (1 - EPS * (len(f.jumps) + 4))
        bound = float(np.nextafter(1 + 2 * total, 0)) if total < math.inf else total
    if total == math.inf:
        raise ValueError("the bound must be within the range of floats, got one beyond it")
    return bound
