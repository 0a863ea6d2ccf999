"""Volhejn 2020: path lengths over all pairs of the data, without sampling, and what the experiments rest on.

PL0 is the mean total variation of f along the segment between two points, PL1 that of its gradient; the mean is over
all n^2 ordered pairs of the data, a point with itself included (eqs 3.5 and 3.7).
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from theory.checks import Array, Reals, floats, rationals, real_array, sequence
from theory.enclosure import Enclosure, length
from theory.piecewise_linear import PiecewiseLinear, Real


def _points(x: object) -> Array:
    """Return inputs [n], n >= 1, in order; points may coincide."""
    return np.sort(sequence("x", x, fewest=1), kind="stable")


def _function(f: object) -> PiecewiseLinear:
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}: see PiecewiseLinear.from_weights")
    return f


def total(terms: Array) -> Real:
    """Return the sum of the terms, exact for rationals and correctly rounded for floats."""
    return sum(terms, Fraction(0)) if terms.dtype == object else math.fsum(terms)


def _in_arithmetic(f: PiecewiseLinear, x: Array) -> Array:
    return rationals(x) if f.exact else floats("x", x)


def function_path_length(f: PiecewiseLinear, x: Reals) -> Real:
    """Return PL0 over all n^2 pairs of the data: the integral of |f'| 2 F (1 - F) (B6.c); exact if f is.

    F is the empirical distribution of x. O((n + m) log (n + m)) for n points and m knots.

    Args:
        f: the function, exact or in floats.
        x: the data, [n], n >= 1, in any order; points may coincide.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of x no real number.
        ValueError: if x is empty, of a wrong shape or not finite.

    Example:
        >>> from theory import PiecewiseLinear
        >>> from theory.volhejn2020 import function_path_length
        >>> x = [-1.5, -0.5, 0.5, 1.5]
        >>> function_path_length(PiecewiseLinear.interpolate(x, [1, 0, 0, 1]), x)
        0.75
    """
    points = _in_arithmetic(_function(f), _points(x))
    inside = f.knots[(f.knots > points[0]) & (f.knots < points[-1])]
    ends = np.unique(np.concatenate([points, inside]))
    slopes = np.abs(f.slopes[np.searchsorted(f.knots, ends[:-1], side="right")])
    return total(slopes * np.diff(ends) * _separated(points, ends[:-1], exact=f.exact))


def gradient_path_length(f: PiecewiseLinear, x: Reals) -> Real:
    """Return PL1 over all n^2 pairs of the data: the sum of |jump| 2 P(X < knot) P(X > knot) (B6.d); exact if f is.

    Segments are open: a knot on a data point counts for the pairs that it separates strictly. O((n + m) log n).

    Args:
        f: the function, exact or in floats.
        x: the data, [n], n >= 1, in any order; points may coincide.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of x no real number.
        ValueError: if x is empty, of a wrong shape or not finite.

    Example:
        >>> from theory import PiecewiseLinear
        >>> from theory.volhejn2020 import gradient_path_length
        >>> f = PiecewiseLinear.interpolate([-1, 0, 1], [1, 0, 1])
        >>> gradient_path_length(f, [-1.5, -0.5, 0.5, 1.5])
        1.0
    """
    points = _in_arithmetic(_function(f), _points(x))
    below = np.searchsorted(points, f.knots, side="left")
    above = len(points) - np.searchsorted(points, f.knots, side="right")
    return total(np.abs(f.jumps) * shares_of_pairs(2 * below * above, len(points), exact=f.exact))


def _separated(points: Array, where: Array, *, exact: bool) -> Array:
    """Return 2 F (1 - F), the share of ordered pairs that a place right of each of `where` lies between, [m]."""
    below = np.searchsorted(points, where, side="right")
    return shares_of_pairs(2 * below * (len(points) - below), len(points), exact=exact)


def shares_of_pairs(counts: Array, n: int, *, exact: bool) -> Array:
    """Return counts / n^2, as rationals if asked for."""
    if exact:
        return rationals([Fraction(int(c), n**2) for c in counts])
    shares: Array = counts / n**2
    return shares


def network_path_length(hidden: Reals, biases: Reals, outputs: Reals, points: Reals) -> float:
    """Return PL1 of a two-layer ReLU network over all n^2 pairs: sum_i |w2_i| ||w1_i|| 2 q_i (1 - q_i) (B6).

    q_i is the share of the data on the active side of unit i, its hyperplane included, where the derivative of the ReLU
    is postulated to be 1. Exact if no two units switch at one point of a segment, an upper bound otherwise (B6.a).
    O(h n d).

    Args:
        hidden: input weights, [h, d].
        biases: of the hidden units, [h].
        outputs: output weights, [h].
        points: the data, [n, d], n >= 1; points may coincide.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, an entry is not finite, or there is no point.

    Example:
        >>> from theory.volhejn2020 import network_path_length
        >>> points = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> round(network_path_length(hidden=[[3, 4]], biases=[-3.5], outputs=[2], points=points), 4)
        5.0
    """
    w1, b1, w2 = _units(hidden, biases, outputs)
    data = real_array("points", points, ndim=2)
    if not len(data) or data.shape[1] != w1.shape[1]:
        raise ValueError(f"points must be at least one row of {w1.shape[1]} inputs, got shape {data.shape}")
    q = np.mean(data @ w1.T + b1 >= 0, axis=0)
    return math.fsum(_sizes(w1, w2) * (2 * q * (1 - q)))


def weights_product(hidden: Reals, outputs: Reals) -> float:
    """Return WP = sum_i |w2_i| ||w1_i|| (eq 3.8).

    Args:
        hidden: input weights, [h, d].
        outputs: output weights, [h].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit or an entry is not finite.

    Example:
        >>> from theory.volhejn2020 import weights_product
        >>> round(weights_product(hidden=[[3, 4], [0, 1]], outputs=[2, -1]), 4)
        11.0
    """
    rows = real_array("hidden", hidden, ndim=2)
    w1, _, w2 = _units(rows, np.zeros(len(rows)), outputs)
    return math.fsum(_sizes(w1, w2))


def _units(hidden: object, biases: object, outputs: object) -> tuple[Array, Array, Array]:
    w1 = real_array("hidden", hidden, ndim=2)
    b1, w2 = real_array("biases", biases), real_array("outputs", outputs)
    for name, values in (("biases", b1), ("outputs", w2)):
        if len(values) != len(w1):
            raise ValueError(f"{name} must hold one number for each of the {len(w1)} hidden units, got {len(values)}")
    return w1, b1, w2


def _sizes(w1: Array, w2: Array) -> Array:
    """Return |w2_i| ||w1_i||, [h], as floats."""
    sizes: Array = np.abs(floats("outputs", w2)) * np.linalg.norm(floats("hidden", w1), axis=1)
    return sizes


def mean_over_pairs(x: Array, variation: Any) -> Fraction:
    """Return the mean of variation(a, b) over all ordered pairs of points [n], for a < b and alike for b < a, exactly."""
    total = sum((variation(a, b) for i, b in enumerate(x) for a in x[:i] if a < b), Fraction(0))
    total += sum((variation(b, a) for i, b in enumerate(x) for a in x[:i] if b < a), Fraction(0))
    return Fraction(2 * total, len(x) ** 2)


def gradient_jumps(w1: Array, b1: Array, w2: Array, a: Array, b: Array) -> list[Array]:
    """Return the changes of the gradient along the closed segment from a to b, [d], each [d], one after the other.

    The derivative of the ReLU at 0 is postulated to be 1 (after eq 3.7), so the gradient is read off at both ends, at
    every place where a unit switches, and between these.
    """
    start, end = w1 @ a + b1, w1 @ b + b1
    places = {Fraction(0), Fraction(1)}
    places |= {Fraction(s / (s - e)) for s, e in zip(start, end, strict=True) if s != e and 0 <= s / (s - e) <= 1}
    stops = sorted(places)
    middles = [(t + u) / 2 for t, u in pairwise(stops)]
    gradients = [((start + (end - start) * t >= 0) * w2) @ w1 for t in sorted([*stops, *middles])]
    return [after - before for before, after in pairwise(gradients) if np.any(before != after)]


def gradient_variation(w1: Array, b1: Array, w2: Array, a: Array, b: Array) -> Enclosure:
    """Return the variation of the gradient along the closed segment from a to b, [d], each."""
    total = Enclosure.exactly(Fraction(0))
    for jump in gradient_jumps(w1, b1, w2, a, b):
        total = total + length(jump)
    return total
