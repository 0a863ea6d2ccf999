"""Mulayoff, Michaeli and Soudry 2021: minima stability and the curvature of one-dimensional ReLU networks.

The loss is (1/2n) sum (f(x_j) - y_j)^2, f'' is a sum of point masses at the knots, X is uniform on the data.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from theory.checks import Array, Reals, data_points, dot, floats, rationals
from theory.enclosure import EPS, SMALLEST, Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import stability_weight, weight_enclosure
from theory.two_layer import Weights


def weighted_curvature(f: PiecewiseLinear, x: Reals) -> float:
    """Return int |f''| g = sum_knots |jump of f'| g(knot), g the stability weight of the data x [n] (eq 21).

    Raises:
        TypeError: if f is no PiecewiseLinear or an entry of x no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice, or the result is beyond the range
            of floats.

    Example:
        >>> from theory import PiecewiseLinear
        >>> from theory.mulayoff2021 import weighted_curvature
        >>> x = [-1.5, -0.5, 0.5, 1.5]
        >>> f = PiecewiseLinear.interpolate(x, [1, 0, 0, 1])
        >>> round(weighted_curvature(f, x), 4)
        0.2253
    """
    check_function(f)
    with np.errstate(over="ignore"):
        curvature = float(np.abs(floats("the jumps", f.jumps)) @ stability_weight(f.knots, x))
    if curvature == math.inf:
        raise ValueError("the weighted curvature must be within the range of floats, got a sum beyond it")
    return curvature


def curvature_with_error(f: PiecewiseLinear, x: Reals) -> tuple[float, float]:
    """Return int |f''| g, and by how much rounding may put it off, inf if that is no float, for f and data [n] in floats.

    Raises:
        TypeError: if f is no PiecewiseLinear or an entry of x no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    value, jumps = weighted_curvature(f, x), np.abs(floats("the jumps", f.jumps))
    knots, points = floats("the knots", f.knots), floats("x", data_points("x", x))
    with np.errstate(over="ignore", invalid="ignore"):
        lower, upper = (float(jumps @ end) for end in weight_enclosure(knots, points))
    if not math.isfinite(upper):
        return value, math.inf
    # A sum of m products is off by m eps/2 of itself (Higham, (3.5)), and underflows by the smallest float a product.
    rounding = EPS * (len(jumps) + 4) * upper + len(jumps) * SMALLEST
    return value, max(upper - value, value - lower) + 2 * rounding


def check_function(f: object) -> None:
    """Raise unless f is a piecewise-linear function.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}: see PiecewiseLinear.interpolate")


def curvature_enclosure(weights: Weights, x: Array) -> Enclosure:
    """Return rationals around int |f''| g of the function that the weights implement, x [n] distinct.

    Floats count as the rationals they are: which knots coincide, and on which side of a data point they lie, is exact.

    Example:
        >>> import numpy as np
        >>> from theory import Weights
        >>> from theory.mulayoff2021 import curvature_enclosure
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> found = curvature_enclosure(weights, np.array([-1.5, -0.5, 0.5, 1.5]))
        >>> round(float(found.lower), 4), float(found.upper - found.lower) < 1e-30
        (0.2121, True)
    """
    f = PiecewiseLinear.from_weights(weights.rational())
    lower, upper = weight_enclosure(f.knots, rationals(x))
    return Enclosure(Fraction(dot(np.abs(f.jumps), lower)), Fraction(dot(np.abs(f.jumps), upper)))
