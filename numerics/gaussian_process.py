"""Sample paths of a Gaussian process, and the orders in which their points are added to a training set."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.checks import Array, Reals, data_points, floats, positive, real_array

GRID: Array = np.linspace(-1.0, 1.0, 100)
"""The points on which volhejn2020, section 4.3.1, samples functions."""
GRID.setflags(write=False)


def gaussian_process(
    seed: int,
    *,
    grid: Reals = GRID,
    length_scale: float = 0.5,
    variance: float = 1.0,
    at_zero: float | None = 0.0,
) -> Array:
    """Return a sample path of a Gaussian process with mean 0 and an RBF kernel (volhejn2020, section 4.3.1), [m].

    The kernel is variance exp(-(s - t)^2 / (2 length_scale^2)), without noise. The path is the symmetric root of the
    covariance times standard normal numbers, so that it does not hang on the signs that a library gives eigenvectors.
    Eigenvalues below m eps times the largest are rounding errors and count as 0.

    Args:
        seed: seed of the normal numbers, at least 0; the same seed gives the same path.
        grid: where to sample, [m], m >= 1, in any order.
        length_scale: in units of the grid, above 0.
        variance: of f(t), unconditioned, above 0.
        at_zero: the process is conditioned on f(0) being this, whether 0 is on the grid or not; None leaves it free.

    Raises:
        TypeError: if an argument is no real number, or `seed` no integer.
        ValueError: if `grid` is empty or malformed, or a number is not finite or out of range.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an integer, got {seed!r} of type {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    points = floats("grid", real_array("grid", grid))
    if not len(points):
        raise ValueError("grid must hold at least 1 point, got none")
    spread = float(np.sqrt(float(positive("variance", variance))))
    pinned = None if at_zero is None else float(real_array("at_zero", at_zero, ndim=0)[()])
    with np.errstate(over="ignore"):  # far points are independent
        scaled = points / float(positive("length_scale", length_scale))
        if not np.all(np.isfinite(scaled)):
            raise ValueError(f"grid must be finite in units of length_scale, but it overflows at {length_scale}")
        s, t = scaled[:, None], scaled
        covariance = np.exp(-((s - t) ** 2) / 2)
        if pinned is not None:  # k(s, t) - k(s, 0) k(0, t), without cancellation where s or t is near 0
            product = s * t
            below = np.exp(-(s**2 + t**2) / 2) * np.expm1(np.minimum(product, 0.0))
            covariance = np.where(product < 0, below, -covariance * np.expm1(-np.maximum(product, 0.0)))
        mean = 0.0 if pinned is None else pinned * np.exp(-(scaled**2) / 2)
    values, vectors = np.linalg.eigh(covariance)
    values[values < len(points) * np.finfo(np.float64).eps * values[-1]] = 0.0
    normal = np.random.default_rng(seed).standard_normal(len(points))
    path: Array = mean + spread * (vectors @ (np.sqrt(np.maximum(values, 0.0)) * (vectors.T @ normal)))
    if pinned is not None:
        path[points == 0] = pinned
    return path


def longest_gap_order(x: Reals, count: int) -> Array:
    """Return the order in which points are added by bisecting the longest gap: indices into x, [count].

    First come both ends. Then, of all gaps between neighbouring used points a < b (as indices) with an unused point in
    between, the longest, x[b] - x[a], gets the point half-way by index, (a + b) // 2, rounded down. Of gaps equally
    long, up to 16 eps max |x|, the lowest is bisected first, whichever was made first. On `GRID` this is the order of
    the released code of volhejn2020: 0, 99, 49, 74, 24, 36, 61, 86, 12, 42, ...; its text describes
    `farthest_point_order`, which differs from the sixth point on. The order for a smaller `count` is its beginning.

    Args:
        x: points, [m], increasing.
        count: how many of them to order, from 2 to m.

    Raises:
        TypeError: if an entry of x is no real number, or `count` no integer.
        ValueError: if x is malformed or not increasing, or `count` is out of range.
    """
    points, rounding = _ordered(x, count)
    order = [0, len(points) - 1]
    while len(order) < count:
        used = np.sort(order)
        lengths = np.where(np.diff(used) > 1, np.diff(points[used]), -np.inf)
        lowest = int(np.argmax(lengths >= np.max(lengths) - rounding))
        order.append(int(used[lowest] + used[lowest + 1]) // 2)
    return np.array(order)


def farthest_point_order(x: Reals, count: int) -> Array:
    """Return the order in which each point added is the farthest from those before it: indices into x, [count].

    First come both ends, then always the point with the largest distance to the nearest used point, of points equally
    far, up to 16 eps max |x|, the lowest (volhejn2020, section 4.3.1, as its text has it; the numbers that it prints
    come from `longest_gap_order`). The order for a smaller `count` is its beginning.

    Args:
        x: points, [m], increasing.
        count: how many of them to order, from 2 to m.

    Raises:
        TypeError: if an entry of x is no real number, or `count` no integer.
        ValueError: if x is malformed or not increasing, or `count` is out of range.
    """
    points, rounding = _ordered(x, count)
    order = [0, len(points) - 1]
    distance = np.minimum(points - points[0], points[-1] - points)
    distance[order] = -np.inf  # a point closer to a used one than rounding errors is not used twice
    while len(order) < count:
        order.append(int(np.argmax(distance >= np.max(distance) - rounding)))
        distance = np.minimum(distance, np.abs(points - points[order[-1]]))
        distance[order[-1]] = -np.inf
    return np.array(order)


def _ordered(x: Reals, count: Any) -> tuple[Array, float]:
    """Return x as floats [m], and up to what difference two distances between its points count as equal.

    Raises:
        TypeError: if an entry of x is no real number, or `count` no integer.
        ValueError: if x is malformed or not increasing, or `count` is not between 2 and m.
    """
    points = floats("x", data_points("x", x, fewest=2))
    falls = np.flatnonzero(np.diff(points) <= 0)
    if len(falls):
        a, b = points[falls[0] : falls[0] + 2]
        raise ValueError(f"x must be increasing, got {a} before {b} at index {falls[0]}")
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
        raise TypeError(f"count must be an integer, got {count!r} of type {type(count).__name__}")
    if not 2 <= count <= len(points):
        raise ValueError(f"count must be between 2 and the number of points, {len(points)}, got {count}")
    return points, float(16 * np.finfo(np.float64).eps * np.max(np.abs(points)))
