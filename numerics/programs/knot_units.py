"""Networks as units on chosen knots: the semidefinite program for the flattest of them under linear constraints on f (B2)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

from numerics.programs.worst_knots import Gap, gaps
from theory.checks import Array
from theory.two_layer import Weights

CLOSEST = 1e-8
"""Knots of the networks keep this distance from data points, relative to the size of the data, or a quarter of the gap."""

LARGEST = 1e75
"""Data points are at most so large and at least the inverse apart: products of four of them are floats."""

NEGLIGIBLE = 1e-9
"""Units with a smaller share of the sum of |v|, as solvers leave them in place of 0, are dropped."""


def scales_of(slopes: Array, outputs: Array) -> tuple[Array, Array]:
    """Return the square roots of trace K1 / n and of trace K2 / n, [m], of m units.

    Args:
        slopes: x and 1 on the points that a unit is active on, else 0, [m, 2, n].
        outputs: what the units put out there, [m, n].
    """
    n = outputs.shape[1]
    return np.sqrt(np.sum(slopes**2, axis=(1, 2)) / n), np.sqrt(np.sum(outputs**2, axis=1) / n)


@dataclass(frozen=True, eq=False)
class KnotUnits:
    """Units of given knots and orientations, none on a data point and each active on one.

    Attributes:
        knots: [m].
        sides: 1 for units that face right, -1 for left, [m].
        slopes: x and 1 on the points that a unit is active on, else 0, [m, 2, n].
        outputs: [s (x_j - t)]_+, [m, n].
    """

    knots: Array
    sides: Array
    slopes: Array
    outputs: Array

    @classmethod
    def at(cls, places: list[tuple[Gap, float]], x: Array) -> KnotUnits:
        """Return the units of gaps and places in them, moved off the data; x ascending, [n]."""
        knots, seen = [], set()
        for gap, mirrored in places:
            knot = _inside(gap, mirrored, float(np.max(np.abs(x))))
            if (gap.side, knot) not in seen:
                seen.add((gap.side, knot))
                knots.append((gap.side, knot))
        sides, t = (np.array(part, dtype=np.float64) for part in zip(*knots, strict=True))
        outputs = np.maximum(sides[:, None] * (x - t[:, None]), 0.0)
        active = outputs > 0
        return cls(t, sides, np.stack([active * x, active], axis=1), outputs)

    @property
    def scales(self) -> tuple[Array, Array]:
        """The square roots of trace K1 / n and of trace K2 / n, [m]; above 0."""
        return scales_of(self.slopes, self.outputs)


@dataclass(frozen=True, eq=False)
class Solution:
    """What the solver returned: v and |w2 / w1| of each unit, [m], the dual matrix, [n, n], and the multipliers, [k]."""

    v: Array
    ratios: Array
    dual: Array
    multipliers: Array


def check_size(name: str, points: Array) -> None:
    """Do nothing if data points, ascending, are of a size whose products are floats.

    Raises:
        ValueError: if one is too large, or two are too near.
    """
    largest, nearest = float(np.max(np.abs(points))), float(np.min(np.diff(points), initial=np.inf))
    if largest > LARGEST:
        raise ValueError(f"{name} must hold numbers of at most {LARGEST:g}, got {largest:g}: give it in another unit")
    if nearest < 1 / LARGEST:
        raise ValueError(
            f"{name} must hold points that are at least {1 / LARGEST:g} apart, got two at {nearest:g}: give it in another unit"
        )


def first_places(x: Array) -> list[tuple[Gap, float]]:
    """Return both ends and the middle of every gap, and beyond the data what is as far away as they are wide; x ascending."""
    span = float(x[-1] - x[0]) or max(1.0, abs(float(x[0])))
    places = []
    for gap in gaps(np.full((len(x), len(x)), 1 / len(x)), x):
        low, high = gap.ends
        low = high - span if low is None else low
        middle = (low + high) / 2
        # Of the units that are active on one point alone, all gain the same for what they cost.
        places += [(gap, float(t)) for t in ((middle,) if len(gap.active) == 1 else (low, middle, high))]
    return places


def _inside(gap: Gap, mirrored: float, size: float) -> float:
    low, high = gap.ends
    width = abs(high) if low is None else high - low
    margin = min(CLOSEST * max(size, 10 * width), width / 4) if low is not None else CLOSEST * max(size, 1e-300)
    least = -np.inf if low is None else low + margin
    return float(gap.side * min(max(mirrored, least), high - margin))


def flattest(
    units: KnotUnits, rows: Array, targets: Array, scale: float, *, free: Array | None = None, positive: bool = False
) -> Solution | None:
    """Solve for the least top eigenvalue of 11^T/n + sum (a K1 + b K2)/n with a b >= v^2 and rows v + free c = targets.

    Args:
        units: m of them.
        rows: [k, m].
        targets: [k].
        scale: about the size of the minimum.
        free: the column of a variable c that costs nothing, [k], or None for none.
        positive: whether v >= 0.

    Returns:
        the solution, or None if the solver fails. Multipliers p are such that the minimum is the part of the dual matrix
        that is constant, plus p^T targets.
    """
    m, n = units.outputs.shape
    alpha, beta = units.scales
    slopes, outputs = units.slopes / alpha[:, None, None], units.outputs / beta[:, None]
    grams = np.concatenate([np.einsum("kci,kcj->kij", slopes, slopes), np.einsum("ki,kj->kij", outputs, outputs)]) / n
    # In units of `scale` for the eigenvalue, and such that K1 and K2 have trace n: w = alpha beta v / scale.
    a, b, w, top = cp.Variable(m), cp.Variable(m), cp.Variable(m), cp.Variable()
    whole = cp.reshape(grams.reshape(2 * m, n * n).T @ cp.hstack([a, b]), (n, n), order="C")
    bounded = top * np.eye(n) - whole - np.full((n, n), 1 / (n * scale)) >> 0
    cones = cp.SOC(a + b, cp.vstack([2 * w, a - b]), axis=0)
    left = (rows * (scale / (alpha * beta))) @ w
    size = float(np.max(np.abs(targets))) or 1.0
    if free is not None:
        left = left + free * size * cp.Variable()
    fits = left / size == targets / size
    problem: Any = cp.Problem(cp.Minimize(top), [bounded, cones, fits, *([w >= 0] if positive else [])])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of inaccurate solutions: what they are worth is worked out from them
            problem.solve(solver=cp.CLARABEL)
    except cp.SolverError:
        return None
    parts = [a.value, b.value, w.value, bounded.dual_value, fits.dual_value]
    if any(part is None or not np.all(np.isfinite(part)) for part in parts):
        return None
    rises, falls = (np.maximum(part.value, 1e-12 * np.max(np.abs(part.value))) for part in (a, b))
    ratios = np.sqrt(rises / falls) * beta / alpha
    multipliers = -np.atleast_1d(fits.dual_value) * scale / size
    return Solution(scale * w.value / (alpha * beta), ratios, bounded.dual_value, multipliers)


def semidefinite(dual: Array) -> Array:
    """Return the matrix made symmetric and positive semidefinite, by a margin that exact elimination confirms."""
    values, vectors = np.linalg.eigh((dual + dual.T) / 2)
    values = np.maximum(values, 1e-13 * values[-1])
    Z = (vectors * values) @ vectors.T
    return np.asarray((Z + Z.T) / 2 / np.trace(Z))


def network_of(units: KnotUnits, v: Array, ratios: Array, bias: float) -> Weights:
    """Return the network of the units with v != 0, |w2 / w1| as given."""
    kept = v != 0
    w1 = units.sides[kept] * np.sqrt(np.abs(v[kept]) / ratios[kept])
    return Weights(w1, -w1 * units.knots[kept], v[kept] / np.abs(w1), bias)
