"""Lower bounds on PL0, PL1 and WP of all networks through given data, in any dimension, by multipliers of the data.

PL0 (volhejn2020, eq 3.5): f changes by y_j - y_i from x_i to x_j, whatever f is; the bound is eq 4.8 (V14), on a line V14.c.

PL1 (eq 3.7), segments closed, f any network whose gradient, as postulated at kinks, integrates to f along them: with g the
gradient at x_i, |y_j - y_i - g (x_j - x_i)| is at most ||x_j - x_i|| times the integral over t of the variation of the
gradient up to t. The same from x_j's side, and the two integrals sum to the variation along the segment, so that

    PL1 >= (2/n^2) sum_i min_g sum_j |y_j - y_i - g (x_j - x_i)| / ||x_j - x_i||.

Multipliers c with sum c_j = 0 and sum c_j x_j = 0 bound each minimum by |sum c_j y_j| / max_j |c_j| ||x_j - x_i||. Floats
meet the two equations but for rounding; what that may take is bounded by the size of a g that could make the sum small.

WP (eq 3.8), two-layer ReLU networks: let p be a mean of some points with weights a, q one of others with weights b. For
z(x) = w x + b1 with ||w|| = 1, [z]_+ = (z + |z|)/2, and sum b_l |z(x_l)| >= |z(q)|, so a unit's mean over the first less that
over the others is at most

    (||p - q|| + sqrt(sum_k a_k (w (x_k - q))^2)) / 2 <= (||p - q|| + s_q) / 2,

s_q^2 the largest eigenvalue of the second moment of the first points about q; and at least -(||p - q|| + s_p)/2, s_p that of
the others about p. So

    WP >= 2 (sum a_k y_k - sum b_l y_l) / (||p - q|| + max(s_p, s_q)).

With one point on each side it is the change of f over the distance.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import linprog

from numerics.geometric_complexity.certified import norm_of
from theory.checks import Array, Reals, floats, rationals, real_array
from theory.enclosure import EPS, TINY, rounded_down
from theory.volhejn2020 import label_path_length, spline_path_length

Measure = Literal["PL0", "PL1", "WP"]
"""What is to be small: function path length, gradient path length, weights product."""

STEPS = 300
"""Steps of the search for weights of the points."""


def data(points: object, values: object) -> tuple[Array, Array]:
    """Return data as floats, points [n, d] and values [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, an entry is not finite, there are fewer than two points or two coincide.
    """
    x = floats("points", real_array("points", points, ndim=2))
    y = floats("values", real_array("values", values))
    if len(x) < 2 or not x.shape[1]:
        raise ValueError(f"points must be at least two rows of at least one input, got shape {x.shape}")
    if len(y) != len(x):
        raise ValueError(f"values must hold one number for each of the {len(x)} points, got {len(y)}")
    if len(np.unique(x, axis=0)) < len(x):
        order = np.lexsort(x.T)
        [first, *_] = np.flatnonzero(np.all(x[order[1:]] == x[order[:-1]], axis=1))
        raise ValueError(f"points must be distinct, but rows {order[first]} and {order[first + 1]} are equal")
    return x, y


def check_path_certificate(points: Reals, values: Reals, measure: Measure, certificate: Reals) -> float:
    """Return the lower bound that multipliers give, rounding included, without a solver; the module's head has the proofs.

    Args:
        points: distinct, [n, d].
        values: what networks take there, [n].
        measure: what is bounded.
        certificate: multipliers of the values, [n]: for "PL1" an affine dependence of the points, but for rounding; for "WP"
            weights of the points on one side, and those on the other with a minus. Any numbers give a bound. None are needed
            for "PL0".

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (`least_path_length`), the measure is another, or there is not a finite
            multiplier for each value.

    Example:
        >>> from numerics.programs import check_path_certificate
        >>> points, values = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
        >>> round(check_path_certificate(points, values, "PL0", []), 4)
        0.375
        >>> round(check_path_certificate(points, values, "PL1", [1, -1, -1, 1]), 4)
        0.3536
        >>> round(check_path_certificate(points, values, "WP", [0, 0, -1, 1]), 4)
        1.0
    """
    x, y = data(points, values)
    check_measure(measure)
    if measure == "PL0":
        exact = rationals(y)
        line = x.shape[1] == 1
        return rounded_down(
            Fraction(spline_path_length(rationals(x[:, 0]), exact) if line else label_path_length(exact))
        )
    multipliers = floats("certificate", real_array("certificate", certificate))
    if len(multipliers) != len(y):
        raise ValueError(f"certificate must hold a multiplier for each of the {len(y)} values, got {len(multipliers)}")
    largest = float(np.max(np.abs(multipliers)))
    if largest == 0:
        return 0.0
    return (_gradient_bound if measure == "PL1" else _weight_bound)(x, y, multipliers / largest)


def check_measure(measure: object) -> None:
    """Do nothing if a measure is one of the three.

    Raises:
        ValueError: if not.
    """
    if measure not in get_args(Measure):
        raise ValueError(f"measure must be one of {', '.join(map(repr, get_args(Measure)))}, got {measure!r}")


def distances(x: Array) -> Array:
    """Return the distances between all points, [n, n], each known to a relative error of (d + 4) EPS."""
    return np.array([np.linalg.norm(x - point, axis=1) for point in x])


def _gradient_bound(x: Array, y: Array, c: Array) -> float:
    """Return the bound on PL1 that multipliers of size at most 1 give, rounded down."""
    n, d = x.shape
    apart = distances(x)
    total, weight = math.fsum(c * y), math.fsum(c)
    moment = c @ x
    lost = 4 * (n + d + 8) * EPS
    rest = np.linalg.norm(moment - weight * x, axis=1) + lost * (np.abs(c).sum() * np.linalg.norm(x, axis=1).max())
    gained = np.abs(total - weight * y) - lost * (np.abs(c) @ np.abs(y) + abs(weight) * np.abs(y))
    largest = np.max(np.abs(c) * apart, axis=1) * (1 + lost)
    # Where no other point has a multiplier there is no bound.
    largest[largest == 0] = math.inf
    at_most = np.maximum(gained, 0.0) / largest
    # A gradient g that makes the sum less than that is at most so long: the sum is at least its l_2 norm.
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = np.abs(y - y[:, None]) / apart
    np.fill_diagonal(changes, 0.0)
    spread = _least_spread(x)
    if spread <= 0:
        return 0.0
    longest = (at_most + changes.sum(axis=1)) * apart.max(axis=1) / spread * (1 + lost)
    terms = np.maximum(gained - rest * longest * (1 + lost), 0.0) / largest
    return max(0.0, float(2 * math.fsum(terms) / n**2 * (1 - lost)))


def _least_spread(x: Array) -> float:
    """Return a lower bound of the least sqrt(sum_j ((x_j - mean) v)^2) over unit vectors v, 0 if it cannot be told from 0.

    Inputs that are the same at all points, or equal to another input, are left out: no gradient along them counts.
    """
    varying = np.unique(x[:, np.any(x != x[0], axis=0)], axis=1)
    n, d = varying.shape
    if d >= n:
        return 0.0
    centred = varying - np.mean(varying, axis=0)
    least = float(np.linalg.svd(centred, compute_uv=False)[-1])
    size = float(np.linalg.norm(varying))
    found = least - 16 * (n + d) * EPS * size
    return found if least > 1e-9 * size else 0.0


def _weight_bound(x: Array, y: Array, multipliers: Array) -> float:
    """Return the bound on WP that weights on two sides give, rounded down; 0 where one side has none."""
    sides = [np.flatnonzero(sign * multipliers > 0) for sign in (1, -1)]
    if not all(len(side) for side in sides):
        return 0.0
    n, d = x.shape
    weights = [np.abs(multipliers[side]) / np.abs(multipliers[side]).sum() for side in sides]
    means = [weight @ x[side] for weight, side in zip(weights, sides, strict=True)]
    lost = 8 * (n + d + 8) * EPS * float(np.linalg.norm(x, axis=1).max())
    apart = float(np.linalg.norm(means[0] - means[1])) * (1 + (d + 8) * EPS) + lost
    spreads = [
        float(norm_of(np.sqrt(weight)[:, None] * (x[side] - other), 2 * lost).upper)
        for weight, side, other in zip(weights, sides, means[::-1], strict=True)
    ]
    gains = [
        sum((Fraction(abs(m)) * Fraction(v) for m, v in zip(multipliers[side], y[side], strict=True)), Fraction(0))
        / sum((Fraction(abs(m)) for m in multipliers[side]), Fraction(0))
        for side in sides
    ]
    bound = 2 * (gains[0] - gains[1]) / (Fraction(apart) + Fraction(max(spreads)))
    return rounded_down(max(bound, Fraction(0)))


def best_multipliers(x: Array, y: Array, measure: Measure) -> Array:
    """Return multipliers [n] whose bound is large; empty for PL0."""
    if measure == "PL0":
        return np.zeros(0)
    if measure == "PL1":
        return _dependence(x, y)
    candidates = [_steepest(x, y), _two_sides(x, y)]
    return max(candidates, key=lambda found: _weight_bound(x, y, found))


def _dependence(x: Array, y: Array) -> Array:
    """Return an affine dependence c of the points with |c_j| <= 1/max_i ||x_j - x_i|| and the largest sum c_j y_j, [n].

    Raises:
        RuntimeError: if the linear program is not solved.
    """
    centred = x - np.mean(x, axis=0)
    _, sizes, right = np.linalg.svd(centred, full_matrices=False)
    basis = centred @ right[sizes > 1e-12 * sizes[0]].T
    limits = 1 / np.max(distances(x), axis=1)
    spread = float(np.ptp(y)) or 1.0
    rows = np.column_stack([np.ones(len(y)), basis / np.abs(basis).max()]).T * limits
    found = linprog(
        -limits * (y - np.mean(y)) / spread / limits.max(), A_eq=rows, b_eq=np.zeros(len(rows)), bounds=(-1, 1)
    )
    if found.status != 0:
        raise RuntimeError(f"the linear program of {len(y)} multipliers was not solved: {found.message}")
    c: Array = found.x * limits
    # The solver's tolerance is taken off; bounds on the multipliers are not needed to the last digit.
    equations = np.column_stack([np.ones(len(y)), basis])
    for _ in range(2):
        c = c - equations @ np.linalg.lstsq(equations.T @ equations, equations.T @ c, rcond=None)[0]
    return c


def _steepest(x: Array, y: Array) -> Array:
    """Return weight 1 at the upper and -1 at the lower end of the segment on which f changes most over its length, [n]."""
    apart = distances(x)
    np.fill_diagonal(apart, np.inf)
    upper, lower = np.unravel_index(np.argmax((y[:, None] - y) / apart), apart.shape)
    found = np.zeros(len(y))
    found[upper], found[lower] = 1.0, -1.0
    return found


def _two_sides(x: Array, y: Array) -> Array:
    """Return weights of the points with values above the mean, and minus weights of the others, whose bound is large, [n].

    Exponentiated gradient steps on the logarithm of the bound, from equal weights; the bound is not concave, so what is found
    need not be the best.
    """
    above = y > np.mean(y)
    if not np.any(above):
        return np.zeros(len(y))
    signs = np.where(above, 1.0, -1.0)
    gram = x @ x.T if x.shape[1] > len(x) else None
    products = (x - np.mean(x, axis=0)) @ (x - np.mean(x, axis=0)).T if gram is None else _centred(gram)
    weights = np.where(above, 1 / np.sum(above), 1 / np.sum(~above))
    best, found = 0.0, signs * weights
    for step in range(STEPS):
        bound, uphill = _logarithmic(products, y, weights, above)
        if bound > best:
            best, found = bound, signs * weights
        for side in (above, ~above):
            uphill[side] -= uphill[side] @ weights[side]
        largest = float(np.max(np.abs(uphill)))
        if largest == 0:
            break
        weights = weights * np.exp(1.5 / math.sqrt(step + 1) * uphill / largest)
        for side in (above, ~above):
            weights[side] /= np.sum(weights[side])
    return found


def _centred(gram: Array) -> Array:
    """Return the products of points less their mean, [n, n], from those of the points."""
    means = np.mean(gram, axis=0)
    products: Array = gram - means - means[:, None] + np.mean(means)
    return products


def _logarithmic(products: Array, y: Array, weights: Array, above: Array) -> tuple[float, Array]:
    """Return the bound of weights [n] that sum to 1 on each side, and the gradient of its logarithm, [n]."""
    signs = np.where(above, 1.0, -1.0)
    gain = float(signs * weights @ y)
    between = products @ (signs * weights)  # x_j (p - q)
    apart = math.sqrt(max(float(signs * weights @ between), TINY))
    spreads = []
    for side in (above, ~above):
        own, other = weights * side, weights * ~side
        # (x_j - m) (x_k - m) for the points of one side, m the mean of the other.
        to_mean = products @ other
        inner = (products - to_mean[:, None] - to_mean + float(other @ to_mean))[np.ix_(side, side)]
        roots = np.sqrt(own[side])
        top, vector = eigh(roots[:, None] * inner * roots, subset_by_index=[int(side.sum()) - 1] * 2)
        spread = math.sqrt(max(float(top[0]), TINY))
        spreads.append((spread, side, own, other, roots * vector[:, 0] / spread))
    spread, side, own, other, along = max(spreads, key=lambda each: each[0])
    # v = sum_k along_k (x_k - m) has length 1: places along it of all points, less that of m.
    combined = np.zeros(len(y))
    combined[side] = along
    combined -= along.sum() * other
    places = products @ combined
    places -= float(other @ places)
    slope = np.where(side, places**2, -2 * float(own @ places) * places) / (2 * spread)
    size = (apart + spread) / 2
    return gain / size, signs * y / gain - (signs * between / apart + slope) / (2 * size)
