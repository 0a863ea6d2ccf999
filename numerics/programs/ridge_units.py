"""Hidden units with |w1| = 1 and what they are worth to multipliers of the data; the cheapest weights of given units.

A unit costs 1 for WP (volhejn2020, eq 3.8), 2 q (1 - q) for PL1 (B6), q the share of the data that it is active on; linear
functions are free for PL1. To multipliers m of the values a unit is worth |sum_j m_j [w1 x_j + b1]_+|; at the best weights no
unit is worth more than it costs. The search for one that is goes uphill from many directions, and may miss some.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from theory.checks import Array
from theory.enclosure import TINY

STARTS = 64
"""The search starts from so many directions between points, and some more."""

ASCENT = 30
"""Steps of the search."""

WORTH = 1 + 1e-3
"""A unit is worth adding if it is worth so many times what it costs."""

MISSED = 1e-6
"""A unit's threshold lies by this share of the gap between two neighbouring points above the lower one."""


@dataclass(frozen=True, eq=False)
class Units:
    """Hidden units.

    Attributes:
        w1: [k, d].
        b1: [k].
    """

    w1: Array
    b1: Array

    def outputs(self, points: Array) -> Array:
        """Return [w1 x + b1]_+ at points [n, d], [n, k]."""
        values: Array = np.maximum(points @ self.w1.T + self.b1, 0.0)
        return values

    def joined(self, other: Units) -> Units:
        """Return the units of both."""
        return Units(np.concatenate([self.w1, other.w1]), np.concatenate([self.b1, other.b1]))

    def costs(self, points: Array, *, by_pairs: bool) -> Array:
        """Return what the units cost, [k]: 1, or 2 q (1 - q) by pairs of points."""
        if not by_pairs:
            return np.ones(len(self.w1))
        q = np.mean(points @ self.w1.T + self.b1 >= 0, axis=0)
        shares: Array = 2 * q * (1 - q)
        return shares


@dataclass(frozen=True, eq=False)
class Fit:
    """f(x) = sum_i v_i [w1_i x + b1_i]_+ + slope x + offset, through the data but for rounding.

    Attributes:
        units: k of them.
        v: their output weights, [k].
        slope: [d]; 0 where linear functions are not free.
        offset: a number.
        multipliers: of the values, [n].
    """

    units: Units
    v: Array
    slope: Array
    offset: float
    multipliers: Array


def along(points: Array, direction: Array) -> Units:
    """Return units in one direction, [d], that all values can be had with if no two points [n, d] lie at one place along it."""
    places = points @ direction
    order = np.sort(places)
    thresholds = np.concatenate([[order[0] - 1], order[:-1] + MISSED * np.diff(order)])
    return Units(np.tile(direction, (len(places), 1)), -thresholds)


def cheapest(points: Array, values: Array, units: Units, *, by_pairs: bool) -> Fit:
    """Return the cheapest weights of given units with |w1| = 1 through the data, by a linear program.

    Raises:
        RuntimeError: if the linear program is not solved.
    """
    outputs, costs = units.outputs(points), units.costs(points, by_pairs=by_pairs)
    scale = np.maximum(np.linalg.norm(outputs, axis=0), TINY)
    free = np.column_stack([np.ones(len(points)), points]) if by_pairs else np.ones((len(points), 1))
    matrix, k = outputs / scale, len(scale)
    found = linprog(
        np.concatenate([costs / scale, costs / scale, np.zeros(free.shape[1])]),
        A_eq=np.concatenate([matrix, -matrix, free], axis=1),
        b_eq=values,
        bounds=[(0, None)] * (2 * k) + [(None, None)] * free.shape[1],
    )
    if found.status != 0:
        raise RuntimeError(f"the linear program of {k} units was not solved: {found.message}")
    v, rest = found.x[:k] - found.x[k : 2 * k], found.x[2 * k :]
    used = np.flatnonzero(v)
    # The solver's tolerance is taken off by least squares with the units that it uses.
    columns = np.concatenate([matrix[:, used], free], axis=1)
    weights = np.concatenate([v[used], rest])
    weights = weights + np.linalg.lstsq(columns, values - columns @ weights, rcond=None)[0]
    v, rest = weights[: len(used)] / scale[used], weights[len(used) :]
    slope = rest[1:] if by_pairs else np.zeros(points.shape[1])
    return Fit(Units(units.w1[used], units.b1[used]), v, slope, float(rest[0]), np.asarray(found.eqlin.marginals))


def worthwhile(
    points: Array, multipliers: Array, used: Array, generator: np.random.Generator, *, by_pairs: bool
) -> Units:
    """Return units that are worth more than they cost, found uphill from the directions in use, [k, d], and random ones.

    Args:
        points: [n, d].
        multipliers: of the values, [n].
        used: directions, [k, d].
        generator: draws directions between points of large multipliers.
        by_pairs: which cost.
    """
    weight = np.abs(multipliers) + TINY
    i, j = generator.choice(len(points), size=(2, STARTS), p=weight / weight.sum())
    mixed = (generator.standard_normal((STARTS // 4, len(points))) * weight) @ points
    starts = np.concatenate([used, points[i] - points[j], mixed, (multipliers @ points)[None]])
    starts = starts[np.any(starts, axis=1)]
    w = _normalised(np.concatenate([starts, -starts]))
    step = np.ones(len(w))
    worth, b, towards = _best_thresholds(points, multipliers, w, by_pairs=by_pairs)
    for _ in range(ASCENT):
        moved = _normalised(w + step[:, None] * towards)
        there = _best_thresholds(points, multipliers, moved, by_pairs=by_pairs)
        better = there[0] > worth
        w, step = np.where(better[:, None], moved, w), np.where(better, 2 * step, step / 4)
        worth, b = np.where(better, there[0], worth), np.where(better, there[1], b)
        towards = np.where(better[:, None], there[2], towards)
    chosen = worth > WORTH
    return Units(w[chosen], b[chosen])


def _normalised(rows: Array) -> Array:
    """Return rows [m, d] over their lengths."""
    unit: Array = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY)
    return unit


def _best_thresholds(points: Array, multipliers: Array, w: Array, *, by_pairs: bool) -> tuple[Array, Array, Array]:
    """Return for directions [m, d] what their best unit is worth over its cost, its bias, and where to turn to, [m, d]."""
    n, here = len(points), np.arange(len(w))
    places = points @ w.T
    order = np.argsort(-places, axis=0)
    z, counted = np.take_along_axis(places, order, axis=0), multipliers[order]
    below = np.concatenate([z[1:], z[-1:] - 1])
    thresholds = below + MISSED * (z - below)
    sums = np.cumsum(counted, axis=0)
    worth = np.cumsum(counted * z, axis=0) - thresholds * sums
    q = np.arange(1, n + 1)[:, None] / n
    costs = 2 * q * (1 - q) if by_pairs else np.ones((n, 1))
    # Of units that cost nothing the multipliers make nothing.
    over = np.divide(np.abs(worth), costs, out=np.zeros_like(worth), where=costs > 0)
    best = np.argmax(over, axis=0)
    t = thresholds[best, here]
    turn = np.where(places > t, multipliers[:, None], 0.0).T @ points
    turn -= sums[best, here][:, None] * points[order[np.minimum(best + 1, n - 1), here]]
    return over[best, here], -t, _normalised(turn * np.sign(worth[best, here])[:, None])
