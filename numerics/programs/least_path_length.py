"""The least path lengths and weight product of networks through data in any dimension (volhejn2020, eqs 3.8, 3.12, 3.17).

Where an affine function fits the data, no program is needed: it is monotone along every segment and its gradient does not
jump, so that it has the least PL0, the mean of |y_i - y_j|, and the least PL1, 0, of all functions, and one ReLU that is
active on all of the data computes it there. n points in general position have such a function if n <= d + 1. Else a function
of one direction is an upper bound.

The weight product WP = sum_k |v_k| ||w_k|| of a network through the data is at least

    p.y / (||X^T p||/2 + sqrt(sum |p_i| lambda_max(sum |p_i| (x_i - c)(x_i - c)^T))/2)   for all p with sum p_i = 0, and all c:

with [z]_+ = (z + |z|)/2, a unit of norm 1 has |sum p_i [s.x_i + b]_+| at most that denominator, since
| |s.x_i + b| - |s.c + b| | <= |s.(x_i - c)|, and by Cauchy and Schwarz. For two points it is |y_i - y_j| / ||x_i - x_j||.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch

from numerics.networks import TwoLayerReLU
from numerics.smoothness.exact import exact_function_path_length, gradient_path_length_all_pairs, weights_product
from theory.checks import Array, Matrix, Reals, floats, positive, real_array, vectors_array
from theory.piecewise_linear import PiecewiseLinear

PAIRS_AT_ONCE = 2**16
"""So many segments between data points are measured at a time."""

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Mixtures of two kinds of multipliers that are tried for the bound on the weight product."""

DIRECTIONS = 20
"""So many directions are tried for a function of one direction."""


@dataclass(frozen=True, eq=False)
class LeastPathLength:
    """What networks through data can have at least, and one that comes near.

    Attributes:
        affine: whether an affine function fits the data; then both ends of `pl0` and of `pl1` are equal but for rounding.
        pl0: between these lies the least mean, over all n^2 pairs of data points, of the variation of f along the segment.
        pl1: likewise for the variation of the gradient.
        wp: likewise for the weight product, of networks without a linear part.
        multipliers: p, [n], with sum 0, which show the lower end of `wp`: see `weight_product_bound`.
        network: has at most the upper ends.
        violation: by how much it misses a target, at most.
    """

    affine: bool
    pl0: tuple[float, float]
    pl1: tuple[float, float]
    wp: tuple[float, float]
    multipliers: Array
    network: TwoLayerReLU
    violation: float


def least_path_length(x: Matrix, y: Reals, *, tolerance: float = 1e-9) -> LeastPathLength:
    """Return bounds on the least PL0, PL1 and WP of two-layer ReLU networks through data, and a network.

    Args:
        x: distinct data points, [n, d], n >= 2.
        y: targets, [n].
        tolerance: how far, relative to the largest of them, an affine function may miss the targets and count as fitting them;
            above 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: fewer than two points, equal ones or ones that floats do not tell apart
            along any direction that is tried, different lengths, nan or inf; or if `tolerance` is not above 0.

    Example:
        >>> from numerics.programs import least_path_length
        >>> found = least_path_length([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [0.0, 1.0, 4.0])
        >>> found.affine, [round(v, 4) for v in (*found.pl0, *found.pl1)], [round(v, 4) for v in found.wp]
        (True, [1.7778, 1.7778, 0.0, 0.0], [2.0, 2.2361])
    """
    positive("tolerance", tolerance)
    points, targets = floats("x", vectors_array("x", x)), floats("y", real_array("y", y))
    n = len(points)
    if n < 2 or len(targets) != n:
        raise ValueError(f"x and y must hold at least two points, and a target for each, got {n} and {len(targets)}")
    if len(np.unique(points, axis=0)) < n:
        raise ValueError("x must hold distinct points, got one twice")
    centred = points - points.mean(axis=0)
    slope, *_ = np.linalg.lstsq(centred, targets - targets.mean(), rcond=None)
    missed = float(np.max(np.abs(centred @ slope - (targets - targets.mean()))))
    affine = missed <= tolerance * float(np.max(np.abs(targets)) or 1.0)
    network = _affine(points, targets, slope) if affine else _ridge(points, targets, slope)
    with torch.no_grad():
        outputs = network(torch.from_numpy(points))[:, 0].numpy()
    rises = float(np.mean(np.abs(targets[:, None] - targets)))
    pl0 = rises if affine else _path_length(network, points)
    pl1 = 0.0 if affine else gradient_path_length_all_pairs(network, points)
    lower, multipliers = _best_bound(points, targets, slope)
    return LeastPathLength(
        affine,
        (rises, max(rises, pl0)),
        (0.0, pl1),
        (lower, weights_product(network)),
        multipliers,
        network,
        float(np.max(np.abs(outputs - targets))),
    )


def weight_product_bound(x: Matrix, y: Reals, multipliers: Reals) -> float:
    """Return what multipliers say of the weight product of every two-layer ReLU network through data: at least this much.

    The formula at the top of the module, with c the mean of the points under |p|; rounded down by a bound on its rounding.

    Args:
        x: data points, [n, d].
        y: targets, [n].
        multipliers: p, [n]; their mean is taken off.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the lengths differ, or there is nan or inf.

    Example:
        >>> from numerics.programs.least_path_length import weight_product_bound
        >>> round(weight_product_bound([[0.0, 0.0], [3.0, 4.0]], [0.0, 1.0], [-1.0, 1.0]), 6)
        0.2
    """
    points, targets = floats("x", vectors_array("x", x)), floats("y", real_array("y", y))
    p = floats("multipliers", real_array("multipliers", multipliers))
    if not len(points) == len(targets) == len(p):
        raise ValueError(f"x, y and multipliers must be of one length, got {len(points)}, {len(targets)} and {len(p)}")
    p = p - p.mean()
    gain, cost = _gain_and_cost(points, targets, p)
    rounding = 64 * float(np.finfo(np.float64).eps) * len(p)
    room = rounding * float(np.sum(np.abs(p)) * np.max(np.abs(points), initial=0.0))
    least = gain - rounding * float(np.sum(np.abs(p * targets)))
    return max(float(least / (cost * (1 + rounding) + room)), 0.0) if cost > 0 else 0.0


def _gain_and_cost(points: Array, targets: Array, p: Array) -> tuple[float, float]:
    total = float(np.sum(np.abs(p)))
    if total == 0:
        return 0.0, 0.0
    centre = np.abs(p) @ points / total
    scaled = np.sqrt(np.abs(p))[:, None] * (points - centre)
    square = scaled @ scaled.T if len(points) < points.shape[1] else scaled.T @ scaled
    spread = max(float(np.linalg.eigvalsh(square)[-1]), 0.0)
    return float(p @ targets), (float(np.linalg.norm(points.T @ p)) + np.sqrt(total * spread)) / 2


def _best_bound(points: Array, targets: Array, slope: Array) -> tuple[float, Array]:
    """Return the best bound found, from the steepest pair and from the multipliers of the affine function of least norm."""
    n = len(points)
    gram = np.sum(points**2, axis=1)
    lengths = np.sqrt(np.maximum(gram[:, None] + gram - 2 * points @ points.T, 0.0))
    np.fill_diagonal(lengths, np.inf)
    i, j = np.unravel_index(
        np.argmax(np.abs(targets[:, None] - targets) / np.where(lengths > 0, lengths, np.inf)), (n, n)
    )
    pair = np.zeros(n)
    pair[i], pair[j] = np.sign(targets[i] - targets[j]), np.sign(targets[j] - targets[i])
    dual, *_ = np.linalg.lstsq((points - points.mean(axis=0)).T, slope, rcond=None)
    starts = [pair, dual, targets - targets.mean()]
    found = [(weight_product_bound(points, targets, p), p) for p in starts]
    for first, second in combinations([p / (float(np.linalg.norm(p)) or 1.0) for p in starts], 2):
        for share in SHARES:
            p = (1 - share) * first + share * second
            found.append((weight_product_bound(points, targets, p), p))
    value, best = max(found, key=lambda entry: entry[0])
    return value, best - best.mean()


def _affine(points: Array, targets: Array, slope: Array) -> TwoLayerReLU:
    """Return one unit that is active on all data, above its kink by the range of its pre-activations."""
    size = float(np.linalg.norm(slope))
    along = points @ slope / size if size else np.zeros(len(points))
    lift = float(np.ptp(along)) + 1.0 - float(np.min(along))
    network = TwoLayerReLU(1, points.shape[1])
    offset = float(np.mean(targets - size * along))
    with torch.no_grad():
        network.hidden.weight[0] = torch.from_numpy(slope / size if size else np.zeros(points.shape[1]))
        network.hidden.bias[0], network.output.weight[0, 0] = lift, size
        network.output.bias[0] = offset - size * lift
    return network


def _ridge(points: Array, targets: Array, slope: Array) -> TwoLayerReLU:
    """Return a linear spline of the targets along a direction, of some that are tried the one with the least weight product.

    Raises:
        ValueError: if on each of them two points fall together.
    """
    generator, d = np.random.default_rng(0), points.shape[1]
    tried = [slope, *np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][: DIRECTIONS // 2]]
    tried += list(generator.standard_normal((DIRECTIONS // 2, d)))
    best: tuple[float, Array, Array, PiecewiseLinear] | None = None
    for direction in tried:
        size = float(np.linalg.norm(direction))
        along = points @ (direction / size) if size else np.zeros(len(points))
        if len(np.unique(along)) < len(points):
            continue
        order = np.argsort(along)
        spline = PiecewiseLinear.interpolate(along[order], targets[order])
        product = float(np.sum(np.abs(spline.jumps))) + abs(float(spline.slopes[0]))
        if best is None or product < best[0]:
            best = product, direction / size, along, spline
    if best is None:
        raise ValueError("x must hold points that differ along some direction in floats, got ones that do not")
    _, direction, along, spline = best
    order = np.argsort(along)
    knots, jumps = (np.asarray(part, dtype=np.float64) for part in (spline.knots, spline.jumps))
    start = float(along[order[0]]) - 1.0
    first = float(spline.slopes[0])
    network = TwoLayerReLU(len(knots) + 1, points.shape[1])
    with torch.no_grad():
        network.hidden.weight[:] = torch.from_numpy(direction)
        network.hidden.bias[:] = -torch.from_numpy(np.append(start, knots))
        network.output.weight[0] = torch.from_numpy(np.append(first, jumps))
        network.output.bias[0] = float(targets[order[0]]) - first
    return network


def _path_length(network: TwoLayerReLU, points: Array) -> float:
    """Return PL0 over all n^2 pairs."""
    n = len(points)
    first, second = np.triu_indices(n, 1)
    total = 0.0
    for start in range(0, len(first), PAIRS_AT_ONCE):
        part = slice(start, start + PAIRS_AT_ONCE)
        pairs = np.stack([points[first[part]], points[second[part]]], axis=1)
        total += exact_function_path_length(network, pairs).value * len(pairs)
    return 2 * total / n**2
