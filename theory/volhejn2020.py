"""Volhejn 2020: path lengths over all pairs of the data, without sampling, and what the experiments rest on.

PL0 is the mean total variation of f along the segment between two points, PL1 that of its gradient; the mean is over
all n^2 ordered pairs of the data, a point with itself included (eqs 3.5 and 3.7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, Reals, data_set, floats, nonnegative, positive, rationals, real_array
from theory.piecewise_linear import PiecewiseLinear, Real

__all__ = [
    "PairCounts",
    "function_path_length",
    "gradient_path_length",
    "initialization_limit",
    "kendall_tau_b",
    "label_path_length",
    "network_path_length",
    "pair_counts",
    "path_length_bound",
    "sampling_error_bound",
    "spline_path_length",
    "tau_b_ceiling",
    "weights_product",
]


def count(name: str, value: Any, *, fewest: int = 1) -> int:
    """Return `value` if it is an integer, at least `fewest`.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is below `fewest`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r} of type {type(value).__name__}")
    if value < fewest:
        raise ValueError(f"{name} must be at least {fewest}, got {value}")
    return int(value)


def sequence(name: str, value: object, *, fewest: int = 2) -> Array:
    """Return a sequence of at least `fewest` real numbers, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer, nan or inf, or a wrong shape.
    """
    numbers = real_array(name, value)
    if len(numbers) < fewest:
        plural = "number" if fewest == 1 else "numbers"
        raise ValueError(f"{name} must hold at least {fewest} {plural}, got {len(numbers)}")
    return numbers


def sampling_error_bound(derivative_variation: Any, a: Any, b: Any, n: int) -> Any:
    """Return (b - a) TV(f') / (2 (n - 1)), by which eq 3.6 falls short of TV(f) at most (V4.a).

    Exact for rationals. With the n = 100 of the thesis it is (b - a) TV(f') / 198.

    Args:
        derivative_variation: the total variation of f' on (a, b), at least 0.
        a: where the segment begins.
        b: where it ends, above a.
        n: the number of equidistant points, both ends among them, at least 2.

    Raises:
        TypeError: if a value is no real number, or n no integer.
        ValueError: if the variation is negative, a is not below b, one is not finite, or n is below 2.
    """
    variation, cells = nonnegative("derivative_variation", derivative_variation), count("n", n, fewest=2) - 1
    start, end = (real_array(name, [value])[0] for name, value in (("a", a), ("b", b)))
    if start >= end:
        raise ValueError(f"a must be below b, got a = {a} and b = {b}")
    return variation * (b - a) / (2 * cells)


def initialization_limit(fan_in: int, fan_out: int, scale: Any = 1) -> float:
    """Return l = sqrt(6 alpha / (fan_in + fan_out)): weights uniform on [-l, l] (V10.a; eq 4.1 prints 3 for 6).

    The variance is 2 alpha / (fan_in + fan_out), which at alpha = 1 is Glorot's. It is what the experiments ran:
    Keras' VarianceScaling(alpha, "fan_avg", "uniform").

    Args:
        fan_in: units that feed the layer, at least 1.
        fan_out: units of the layer, at least 1.
        scale: alpha, above 0.

    Raises:
        TypeError: if a value is no real number, or a fan no integer.
        ValueError: if a fan is below 1, or alpha not finite and above 0.
    """
    fans = count("fan_in", fan_in) + count("fan_out", fan_out)
    return math.sqrt(6 * positive("scale", scale) / fans)


@dataclass(frozen=True)
class PairCounts:
    """The unordered pairs {i, j} of two sequences of equal length, counted.

    Attributes:
        pairs: n_p, all of them.
        first_ties: n_x, those with x_i = x_j.
        second_ties: n_y, those with y_i = y_j.
        both_ties: those with both.
        balance: pairs that the sequences order the same way, less those that they order oppositely.
    """

    pairs: int
    first_ties: int
    second_ties: int
    both_ties: int
    balance: int


def pair_counts(x: Reals, y: Reals) -> PairCounts:
    """Return the counts that Kendall's coefficients are made of (eq 4.3 and after eq 4.4); O(n^2).

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the lengths differ or are below 2, or an entry is not finite.
    """
    first, second = sequence("x", x), sequence("y", y)
    if len(first) != len(second):
        raise ValueError(f"y must hold one number for each of the {len(first)} of x, got {len(second)}")
    above = np.triu_indices(len(first), 1)
    signs = []
    for values in (first, second):
        # Ranks keep the order and the ties, and their differences neither overflow nor underflow.
        ranks = np.unique(values, return_inverse=True)[1]
        signs.append(np.sign(np.subtract.outer(ranks, ranks)[above]))
    s, t = signs
    return PairCounts(len(s), int(np.sum(s == 0)), int(np.sum(t == 0)), int(np.sum((s == 0) & (t == 0))), int(s @ t))


def kendall_tau_b(x: Reals, y: Reals) -> float:
    """Return tau_b: the balance of pairs over sqrt((n_p - n_x) (n_p - n_y)) (after eq 4.4).

    Args:
        x: a sequence, [n], n >= 2, not all equal.
        y: another of the same length, not all equal.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the lengths differ or are below 2, an entry is not finite, or a sequence is constant.
    """
    counts = pair_counts(x, y)
    for name, ties in (("x", counts.first_ties), ("y", counts.second_ties)):
        if ties == counts.pairs:
            raise ValueError(f"{name} must hold two different numbers, got a constant sequence")
    return counts.balance / math.sqrt((counts.pairs - counts.first_ties) * (counts.pairs - counts.second_ties))


def tau_b_ceiling(y: Reals) -> float:
    """Return sqrt(1 - n_y / n_p): no x reaches a higher tau_b(x, y) unless a pair is tied in both (V12.d).

    For r runs at each of s sizes it is sqrt(r (s - 1) / (s r - 1)): 0.9555 for the 3 runs at 8 sizes of Table 4.2.

    Args:
        y: a sequence, [n], n >= 2; the training set sizes, say.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than 2, or one is not finite.
    """
    groups = sequence("y", y)
    counts = pair_counts(groups, groups)
    return math.sqrt(1 - counts.second_ties / counts.pairs)


def _points(x: object) -> Array:
    """Return inputs [n], n >= 1, in order; points may coincide."""
    return np.sort(sequence("x", x, fewest=1), kind="stable")


def _function(f: object) -> PiecewiseLinear:
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}: see PiecewiseLinear.from_weights")
    return f


def _total(terms: Array) -> Real:
    return sum(terms, Fraction(0)) if terms.dtype == object else math.fsum(terms)


def _in_arithmetic(f: PiecewiseLinear, x: Array) -> Array:
    return rationals(x) if f.exact else floats("x", x)


def function_path_length(f: PiecewiseLinear, x: Reals) -> Real:
    """Return PL0 over all n^2 pairs of the data: the integral of |f'| 2 F (1 - F) (B6.c); exact if f is.

    F is the empirical distribution of x. O((n + m) log (n + m)) for n points and m knots; points may coincide.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of x no real number.
        ValueError: if x is empty, of a wrong shape or not finite.
    """
    points = _in_arithmetic(_function(f), _points(x))
    inside = f.knots[(f.knots > points[0]) & (f.knots < points[-1])]
    ends = np.unique(np.concatenate([points, inside]))
    slopes = np.abs(f.slopes[np.searchsorted(f.knots, ends[:-1], side="right")])
    return _total(slopes * np.diff(ends) * _separated(points, ends[:-1], exact=f.exact))


def gradient_path_length(f: PiecewiseLinear, x: Reals) -> Real:
    """Return PL1 over all n^2 pairs of the data: the sum of |jump| 2 P(X < knot) P(X > knot) (B6.d); exact if f is.

    Segments are open: a knot on a data point counts for the pairs that it separates strictly. O((n + m) log n).

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of x no real number.
        ValueError: if x is empty, of a wrong shape or not finite.
    """
    points = _in_arithmetic(_function(f), _points(x))
    below = np.searchsorted(points, f.knots, side="left")
    above = len(points) - np.searchsorted(points, f.knots, side="right")
    return _total(np.abs(f.jumps) * _shares(2 * below * above, len(points), exact=f.exact))


def _separated(points: Array, where: Array, *, exact: bool) -> Array:
    """Return 2 F (1 - F), the share of ordered pairs that a place right of each of `where` lies between, [m]."""
    below = np.searchsorted(points, where, side="right")
    return _shares(2 * below * (len(points) - below), len(points), exact=exact)


def _shares(counts: Array, n: int, *, exact: bool) -> Array:
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


def label_path_length(y: Reals) -> Real:
    """Return (1/n^2) sum_ij |y_i - y_j|, the lower bound of eq 4.8 on PL0 (V14); exact for rationals, O(n log n).

    1 for labels -1 and 1, half of each.

    Args:
        y: the labels, [n], n >= 1.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if y is empty, of a wrong shape or not finite.
    """
    labels = np.sort(sequence("y", y, fewest=1))
    return _over_gaps(np.diff(labels), len(labels))


def spline_path_length(x: Reals, y: Reals) -> Real:
    """Return the least PL0 of all functions through the data: sum_j |y_{j+1} - y_j| 2 (j/n) (1 - j/n) (V14.c).

    PL0 of the linear spline, over all n^2 pairs; exact for rationals, O(n log n).

    Args:
        x: distinct data points, [n], n >= 1.
        y: targets, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: none, equal points, nan or inf, different lengths.
    """
    _, targets = data_set(x, y, fewest=1)
    return _over_gaps(np.abs(np.diff(targets)), len(targets))


def _over_gaps(changes: Array, n: int) -> Real:
    """Return the sum over gaps j = 1..n-1 of changes_j 2 (j/n) (1 - j/n): 2 j (n - j) ordered pairs span gap j."""
    j = np.arange(1, n)
    return _total(changes * _shares(2 * j * (n - j), n, exact=changes.dtype == object))


def path_length_bound(y: Reals, loss: float = 0.0) -> float:
    """Return (1/n^2) sum_ij |y_i - y_j| - 2 (1 - 1/n) sqrt(L), below which no PL0 lies (V14.d; eq 4.8 for L = 0).

    PL0 is over the n^2 pairs of the training data. At the thesis' threshold L = 1e-5 the second term is 0.0063.

    Args:
        y: the labels, [n], n >= 1.
        loss: L = (1/n) sum (f(x_i) - y_i)^2, at least 0.

    Raises:
        TypeError: if a value is no real number.
        ValueError: if y is empty, of a wrong shape or not finite, or L not finite and at least 0.
    """
    labels = sequence("y", y, fewest=1)
    n = len(labels)
    return float(label_path_length(labels)) - 2 * (n - 1) / n * math.sqrt(nonnegative("loss", loss))
