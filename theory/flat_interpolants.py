"""The interpolants whose derivative varies least: which functions they are, and how far apart (hanin2021; aziznejad2021)."""

from __future__ import annotations

import numpy as np

from theory.checks import Array, Reals, data_points, data_set, rationals, real_array
from theory.piecewise_linear import PiecewiseLinear


def changes_of_slope(x: Array, y: Array) -> Array:
    """Return by how much the slope of the linear spline changes at each data point, 0 at the first and the last; [n].

    Args:
        x: data points, increasing, [n], n >= 2.
        y: targets, [n].
    """
    inner: Array = np.diff(np.diff(y) / np.diff(x))
    return np.concatenate([0 * y[:1], inner, 0 * y[:1]])


def varies_least(f: PiecewiseLinear, x: Reals) -> bool:
    """Return whether f' varies least among the derivatives of all functions through the data (x, f(x)) (B10.a).

    It does if f is linear left of the second data point and right of the last but one, and between each interior data
    point's neighbours convex, concave or linear as the spline bends there. O((n + m) log n) for n points and m knots.

    Args:
        f: a function; floats are taken as the rationals they are.
        x: distinct data points, [n], n >= 2.

    Raises:
        TypeError: if f is no PiecewiseLinear or an entry of x no real number.
        ValueError: if x holds fewer than two points, equal ones, nan or inf.
    """
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}: see PiecewiseLinear.interpolate")
    points = rationals(np.sort(data_points("x", x, fewest=2)))
    knots, bends = rationals(f.knots), np.sign(f.jumps).astype(int)
    signs = np.sign(changes_of_slope(points, _exact(f)(points))).astype(int)
    # Both data points beside a knot must bend as it does; on a data point they are one and the same.
    before = np.searchsorted(points, knots, side="right") - 1
    after = np.searchsorted(points, knots, side="left")
    outside = (before < 0) | (after >= len(points))
    fits = (signs[np.where(outside, 0, before)] == bends) & (signs[np.where(outside, 0, after)] == bends)
    return bool(np.all(fits & ~outside))


def _exact(f: PiecewiseLinear) -> PiecewiseLinear:
    return PiecewiseLinear(rationals(f.knots), rationals(f.jumps), *rationals([f.slope, f.value, f.anchor]))


def flattest_range(x: Reals, y: Reals, t: Reals) -> tuple[Array, Array]:
    """Return the smallest and the largest value at each t among the interpolants whose derivative varies least (B10.b).

    Between data points at which the spline bends to the same side these are its chord and the lines through the
    neighbouring intervals, extended to where they meet: a triangle, every point of which one of them passes through.
    Everywhere else both are the spline's.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].
        t: where, [m].

    Returns:
        lower and upper, each [m]; exact if x, y or t are.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (fewer than two points, equal ones, different lengths), an entry is not
            finite, or a slope is beyond the range of floats.
    """
    points, targets = data_set(x, y)
    places = real_array("t", t)
    if object in (points.dtype, targets.dtype, places.dtype):
        points, targets, places = rationals(points), rationals(targets), rationals(places)
    chord = PiecewiseLinear.interpolate(points, targets)(places)
    slopes = np.diff(targets) / np.diff(points)
    signs = np.sign(changes_of_slope(points, targets))
    last = len(points) - 2
    j = np.clip(np.searchsorted(points, places, side="right") - 1, 0, last)
    agree = (signs[j] == signs[j + 1]) & (signs[j] != 0)
    left = targets[j] + slopes[np.maximum(j - 1, 0)] * (places - points[j])
    right = targets[j + 1] + slopes[np.minimum(j + 1, last)] * (places - points[j + 1])
    beyond = np.where(signs[j] > 0, np.maximum(left, right), np.minimum(left, right))
    other = np.where(agree, beyond, chord)
    return np.minimum(chord, other), np.maximum(chord, other)
