"""Which unit gains most for what it costs: dual points for all networks at once, checked in rational arithmetic (B2.e, B2.c).

Between neighbouring data points the points that a unit is active on stay the same, so that with a dual matrix Z the square
of its cost is h_s(t)^2 = c q(t), q a quadratic and c a number, and what it gains is linear in t. The largest gain^2 / h^2
over a gap is at an end of it or where one derivative vanishes, at a rational t: nothing is left to a grid, or to a solver.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.beyond.dual_bounds import check_dual_matrix, constant_part
from theory.checks import Array, Reals, data_points, data_set, nonnegative, rationals, real_array
from theory.enclosure import rounded_down, square_root

Number = Any
"""A float, or a rational."""


@dataclass(frozen=True)
class Gap:
    """The knots between neighbouring data points for units of one orientation, in the direction that these face.

    Attributes:
        index: the number of data points before the gap in ascending order, 0 to n.
        side: 1 for units that face right, -1 for left; then positions are mirrored, t -> -t.
        ends: of the gap, mirrored for -1; the first is None where it has none.
        cost: (c, q0, q1, q2): h(t)^2 = c (q0 + q1 t + q2 t^2).
        active: the data points that the units are active on, ascending after mirroring, and which these are.
        places: the indices of the active points in ascending order of the data, in the order of `active`.
    """

    index: int
    side: int
    ends: tuple[Number | None, Number]
    cost: tuple[Number, Number, Number, Number]
    active: Array
    places: Array


def gaps(Z: Array, x: Array) -> Iterator[Gap]:
    """Yield the gaps of ascending data x [n] in which units are active on some data point, for both orientations; 2 n.

    Args:
        Z: symmetric, [n, n], floats or rationals as x is.
        x: ascending, [n].
    """
    n = len(x)
    for side in (1, -1):
        order = np.arange(n)[::side]
        points, matrix = side * x[order], Z[np.ix_(order, order)]
        one = mixed = square = 0 * points[0]
        for first in range(n - 1, -1, -1):
            row, tail = matrix[first, first:].copy(), points[first:]
            row[1:] = 2 * row[1:]
            # What the point `first` adds to the sums over all pairs of active points.
            one, square = one + np.sum(row), square + points[first] * (row @ tail)
            mixed = mixed + (points[first] * np.sum(row) + row @ tail) / 2
            ends = (None if first == 0 else points[first - 1], points[first])
            cost = ((square + one) / n**2, square, -2 * mixed, one)
            yield Gap(first if side > 0 else n - first, side, ends, cost, tail, order[first:])


def largest_ratio(gap: Gap, gain: tuple[Number, Number], low: Number | None, high: Number) -> tuple[Number, Number]:
    """Return the largest (gain[0] + gain[1] t)^2 / h(t)^2 for low <= t <= high, and a t where it is; inf where h vanishes.

    Args:
        gap: the gap that low and high lie in.
        gain: the coefficients of a linear function.
        low: None for no bound: the gain is then constant, and h grows.
        high: at least low.
    """
    (a, b), (c, q0, q1, q2) = gain, gap.cost
    candidates = [high] if low is None else [low, high, (low + high) / 2]
    slope = 2 * a * q2 - b * q1
    if slope != 0:
        candidates.append((2 * b * q0 - a * q1) / slope)
    best, place = 0 * high, high
    for t in candidates:
        if t > high or (low is not None and t < low):
            continue
        gained, cost = (a + b * t) ** 2, c * (q0 + t * (q1 + t * q2))
        if gained == 0:
            continue
        if cost <= 0:
            return math.inf, t
        if gained / cost > best:
            best, place = gained / cost, t
    return best, place


def gain_of_multipliers(gap: Gap, p: Array) -> tuple[Number, Number]:
    """Return the coefficients of sum_j p_j [x_j - t]_+ over the active points, p [n] in ascending order of the data."""
    share = p[gap.places]
    return share @ gap.active, -np.sum(share)


def gains_of_weight(gap: Gap, x: Array, middle: Number) -> list[tuple[tuple[Number, Number], Number, Number, Number]]:
    """Return where g is at most which of g- and g+: the coefficients of A, the factor k, and the ends; g^2 <= k A^2.

    With m points on a side, their sum S and A their summed distances to t, g of that side is A sqrt(m^2 + S^2) / n^2.

    Args:
        gap: a gap between two data points.
        x: ascending, [n].
        middle: a place in the gap, where g- and g+ are about the same, mirrored as the gap is.
    """
    n, side = len(x), gap.side
    low, high = gap.ends
    pieces = []
    before = (side * x)[np.setdiff1d(np.arange(n), gap.places)]
    for points, sign, ends in ((before, 1, (low, middle)), (gap.active, -1, (middle, high))):
        m, total = len(points), np.sum(points)
        factor = (m**2 + total**2) / (n**4 if isinstance(total, float) else Fraction(n**4))
        if ends[0] < ends[1]:
            pieces.append(((-sign * total, sign * m + 0 * total), factor, *ends))
    return pieces


@dataclass(frozen=True, eq=False)
class InterpolantCertificate:
    """A dual point for all networks through data: Z, [n, n], of any positive trace, and p, [n]; in ascending order of x."""

    dual_matrix: Array
    multipliers: Array


def check_interpolant_certificate(x: Reals, y: Reals, certificate: InterpolantCertificate) -> float:
    """Return a lower bound on the sharpness of every network through the data, in rational arithmetic, rounded down (B2.e).

    Any Z and p make one: Z is scaled to trace 1, p shifted to sum 0 and scaled down until no unit gains more than it costs.

    Args:
        x: distinct data points, [n], n >= 1.
        y: targets, [n].
        certificate: what is checked; in ascending order of x.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data or the certificate is malformed, or Z is not symmetric and positive semidefinite.

    Example:
        >>> from numerics.programs import check_interpolant_certificate, flattest_interpolant
        >>> x, y = [-1.5, -0.5, 0.5, 1.5], [1, 0, 0, 1]
        >>> round(check_interpolant_certificate(x, y, flattest_interpolant(x, y).certificate), 3)
        1.624
    """
    points, targets = (rationals(part) for part in data_set(x, y, fewest=1))
    Z, p = (
        _unit_trace(certificate.dual_matrix, len(points)),
        rationals(real_array("multipliers", certificate.multipliers)),
    )
    if len(p) != len(points):
        raise ValueError(f"multipliers must have one entry for each of the {len(points)} data points, got {len(p)}")
    p = p - sum(p, Fraction(0)) / len(p)
    most = Fraction(0)
    for gap in gaps(Z, points):
        ratio, _ = largest_ratio(gap, gain_of_multipliers(gap, p), *gap.ends)
        if ratio == math.inf:
            return rounded_down(constant_part(Z))
        most = max(most, ratio / 4)
    gained = Fraction(p @ targets)
    if gained <= 0:
        return rounded_down(constant_part(Z))
    scale = Fraction(1) if most <= 1 else 1 / Fraction(square_root(most).upper)
    return rounded_down(constant_part(Z) + scale * gained)


def _unit_trace(value: object, n: int) -> Array:
    """Return a symmetric positive semidefinite matrix, exactly, scaled to trace 1.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is none, or not [n, n].
    """
    matrix = rationals(real_array("dual_matrix", value, ndim=2))
    if matrix.shape != (n, n):
        raise ValueError(f"dual_matrix must have shape {(n, n)}, got {matrix.shape}")
    trace = sum(np.diag(matrix), Fraction(0))
    if trace <= 0:
        raise ValueError(f"dual_matrix must have a trace above 0, got {float(trace)}")
    return check_dual_matrix("dual_matrix", matrix / trace)


def weight_ratio(x: Reals, dual_matrix: object) -> float:
    """Return a lower bound on inf_t min(h_+(t), h_-(t)) / g(t) over all t where g > 0, in rational arithmetic (B2.c).

    So the weight that Z induces is at least this many times g everywhere; at most n/2.

    Args:
        x: distinct data points, [n], n >= 2.
        dual_matrix: symmetric, positive semidefinite, scaled to trace 1 here; in ascending order of x.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x or the matrix is malformed.

    Example:
        >>> import numpy as np
        >>> from numerics.programs import weight_ratio
        >>> round(weight_ratio([-1.5, -0.5, 0.5, 1.5], np.full((4, 4), 0.25)), 4)
        1.0
    """
    points = rationals(np.sort(data_points("x", x, fewest=2)))
    return _least_ratio(_unit_trace(dual_matrix, len(points)), points)


def _least_ratio(Z: Array, points: Array) -> float:
    """Return `weight_ratio` of a dual matrix that was checked and ascending data, in rationals."""
    most = Fraction(0)
    for gap in gaps(Z, points):
        if gap.ends[0] is None:
            continue
        for gain, factor, low, high in gains_of_weight(gap, points, crossing(gap, points)):
            ratio, _ = largest_ratio(gap, gain, low, high)
            if ratio == math.inf:
                return 0.0
            most = max(most, factor * ratio)
    return rounded_down(1 / Fraction(square_root(most).upper)) if most else 0.0


def crossing(gap: Gap, x: Array) -> Number:
    """Return about where g- and g+ are equal in a gap between data points, mirrored as it is; an end if nowhere."""
    low, high = gap.ends
    low = high if low is None else low
    (first, one, _, _), (second, other, _, _) = gains_of_weight(gap, x, (low + high) / 2)
    a, b = (math.sqrt(float(factor)) for factor in (one, other))
    steep = a * float(first[1]) - b * float(second[1])
    t = (b * float(second[0]) - a * float(first[0])) / steep if steep else float(high)
    t = t if math.isfinite(t) else float(high)
    place = Fraction(t) if isinstance(high, Fraction) else t
    moved: Number = min(max(place, low), high)
    return moved


@dataclass(frozen=True, eq=False)
class WeightCertificate:
    """A dual matrix, [n, n], of any positive trace, in ascending order of x."""

    dual_matrix: Array


def check_weight_certificate(x: Reals, curvature: float, certificate: WeightCertificate) -> float:
    """Return 1^T Z 1 / n + 2 K rho, rho from `weight_ratio`: a lower bound on the sharpness of networks with int |f''| g >= K.

    Args:
        x: distinct data points, [n], n >= 2.
        curvature: K >= 0.
        certificate: what is checked; in ascending order of x.

    Raises:
        TypeError: if an entry or K is no real number.
        ValueError: if x or the matrix is malformed, or K is negative or not finite.

    Example:
        >>> from numerics.programs import check_weight_certificate, sharpest_weight
        >>> x = [-1.5, -0.5, 0.5, 1.5]
        >>> round(check_weight_certificate(x, 1.0, sharpest_weight(x, curvature=1.0).certificate), 3)
        3.195
    """
    points = rationals(np.sort(data_points("x", x, fewest=2)))
    K = Fraction(nonnegative("curvature", curvature))
    Z = _unit_trace(certificate.dual_matrix, len(points))
    return rounded_down(constant_part(Z) + 2 * K * Fraction(_least_ratio(Z, points)))
