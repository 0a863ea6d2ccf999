"""The interpolants whose derivative varies least: which functions they are, and how far apart (hanin2021; aziznejad2021)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from theory.checks import Array, Reals, data_points, data_set, rationals, real_array
from theory.piecewise_linear import PiecewiseLinear

SHARES = 2**16
"""Random shares are drawn as multiples of one over this."""


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

    Example:
        >>> from theory import PiecewiseLinear
        >>> from theory.beyond import varies_least
        >>> hat = PiecewiseLinear.interpolate([0, 1, 2], [0, 1, 0])
        >>> varies_least(hat, [0, 1, 2]), varies_least(hat, [0, 0.5, 2])
        (True, False)
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

    Example:
        >>> from theory.beyond import flattest_range
        >>> lower, upper = flattest_range(x=[0, 1, 2, 3], y=[1, 0, 0, 1], t=[0.5, 1.5])
        >>> print(lower, upper)
        [ 0.5 -0.5] [0.5 0. ]
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


def sample_flattest(x: Reals, y: Reals, *, seed: int, knots: int = 3) -> PiecewiseLinear:
    """Return a random one of the interpolants whose derivative varies least, exactly (B10.a).

    They are described by slopes. At an interior data point, where the spline's slope goes from s to s', the slopes l and r
    left and right of it lie between s and s', in this order; next to an interval in which f must be linear they are the
    spline's. In an interval whose ends bend to the same side the slopes go monotonically from r at its left end to l at its
    right end, and their mean is the chord's slope. Drawn are these slopes, and knots in such intervals.

    Args:
        x: distinct data points, [n], n >= 2; floats are taken as the rationals they are.
        y: targets, [n].
        seed: of all drawing, >= 0.
        knots: how many f has, at most, inside an interval where it may bend, >= 1.

    Raises:
        TypeError: if an entry is no real number, or a count no integer.
        ValueError: if the data are malformed (fewer than two points, equal ones, different lengths, nan or inf), or
            `seed` < 0 or `knots` < 1.

    Example:
        >>> from theory.beyond import sample_flattest, varies_least
        >>> x = [0, 1, 2, 3]
        >>> f = sample_flattest(x, [1, 0, 0, 1], seed=0)
        >>> varies_least(f, x), [int(value) for value in f(x)]
        (True, [1, 0, 0, 1])
    """
    for name, count, least in (("seed", seed, 0), ("knots", knots, 1)):
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
            raise TypeError(f"{name} must be an integer, got {count!r} of type {type(count).__name__}")
        if count < least:
            raise ValueError(f"{name} must be at least {least}, got {count}")
    points, targets = (rationals(part) for part in data_set(x, y))
    rng = np.random.default_rng(seed)
    slopes = np.diff(targets) / np.diff(points)
    signs = np.sign(changes_of_slope(points, targets)).astype(int)
    bends = (signs[:-1] == signs[1:]) & (signs[:-1] != 0)
    # The slopes just right of the left end of each interval, and just left of its right end.
    start, end = slopes.copy(), slopes.copy()
    for j in range(1, len(points) - 1):
        shares = sorted(_share(rng) for _ in range(2))
        if bends[j] and not bends[j - 1]:
            shares[1] = _share(rng)
        left, right = (slopes[j - 1] + (slopes[j] - slopes[j - 1]) * share for share in shares)
        end[j - 1] = left if bends[j - 1] else slopes[j - 1]
        start[j] = right if bends[j] else slopes[j]
    places, values = list(points), list(targets)
    for j in (int(place) for place in np.flatnonzero(bends)):
        inside, height = _monotone(rng, int(knots), start[j], slopes[j], end[j])
        width = points[j + 1] - points[j]
        places += [points[j] + width * share for share in inside]
        values += [targets[j] + width * rise for rise in height]
    order = np.argsort(rationals(places), kind="stable")
    return PiecewiseLinear.interpolate(rationals(places)[order], rationals(values)[order])


def _share(rng: np.random.Generator) -> Fraction:
    """Return a number from 0 to 1; one in four is 0 and one in four is 1, so that edges and corners are reached."""
    return Fraction(min(max(int(rng.integers(-SHARES // 2, SHARES + SHARES // 2)), 0), SHARES), SHARES)


def _monotone(
    rng: np.random.Generator, knots: int, first: Fraction, mean: Fraction, last: Fraction
) -> tuple[list[Fraction], list[Fraction]]:
    """Return knots in (0, 1) and the heights there of a function from 0 to `mean` whose slopes go from `first` to `last`.

    One in four bends once only; else the slopes between are drawn between the two and moved towards the end that brings
    their mean to `mean`.
    """
    if first < mean < last or last < mean < first:
        meeting = (last - mean) / (last - first)  # of the lines with the end slopes: as far from the chord as can be
        if rng.integers(4) == 0:
            return [meeting], [first * meeting]
    inner = np.unique(rng.integers(1, SHARES, knots))
    edges = [Fraction(0), *(Fraction(int(v), SHARES) for v in inner), Fraction(1)]
    widths = [b - a for a, b in pairwise(edges)]
    shares = sorted(_share(rng) for _ in widths)
    slopes = [first + (last - first) * share for share in shares]
    drawn = sum((w * s for w, s in zip(widths, slopes, strict=True)), Fraction(0))
    towards = first if abs(drawn - first) > abs(mean - first) else last
    kept = (mean - towards) / (drawn - towards) if drawn != towards else Fraction(1)
    slopes = [towards + kept * (slope - towards) for slope in slopes]
    heights = [Fraction(0)]
    for width, slope in zip(widths, slopes, strict=True):
        heights.append(heights[-1] + width * slope)
    return edges[1:-1], heights[1:-1]
