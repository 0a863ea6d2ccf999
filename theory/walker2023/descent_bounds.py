"""Coherence and the generalisation gap, robust means, and the motivating example (W10, W12, W13)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import (
    Array,
    Matrix,
    Reals,
    count,
    floats,
    nonnegative,
    positive,
    real_array,
    vectors_array,
)


def coherence_gap_bound(
    coherences: Matrix, step_sizes: Reals, lipschitz: Any, smoothness: Any, sample_size: int
) -> float:
    """Return a bound on the expected generalisation gap of T steps on m examples (W10.a, Theorem 5.4 repaired).

    (L^2 / m) sum_t prod_{k > t} (1 + (1 + 1/m) eta_k beta) eta_t E sqrt(2 (1 - alpha(w_{t-1}))), the mean over runs on
    samples of their own. The theorem has no expectation, and 1 + eta_k beta.

    Args:
        coherences: alpha of the distribution at the weights before each step, one run a row, [runs, T], in [0, 1]; 1
            where all gradients are 0.
        step_sizes: eta_t, above 0, [T].
        lipschitz: L, of every loss, at least 0.
        smoothness: beta, the Lipschitz constant of every gradient, at least 0.
        sample_size: m, at least 1.

    Raises:
        TypeError: if a value is no real number, or m no integer.
        ValueError: if shapes do not fit, or a value is out of its range.

    Example:
        >>> from theory.walker2023 import coherence_gap_bound
        >>> gap = coherence_gap_bound([[1.0, 0.5]], step_sizes=[0.1, 0.1], lipschitz=1, smoothness=2, sample_size=10)
        >>> round(gap, 4)
        0.01
    """
    runs, steps = floats("coherences", vectors_array("coherences", coherences)), real_array("step_sizes", step_sizes)
    if runs.shape[1] != len(steps):
        raise ValueError(f"coherences must have one column for each of {len(steps)} steps, got shape {runs.shape}")
    if np.any((runs < 0) | (runs > 1)):
        raise ValueError(f"coherences must be from 0 to 1, got {runs[(runs < 0) | (runs > 1)][0]}")
    m, beta = count("sample_size", sample_size), float(nonnegative("smoothness", smoothness))
    spread = np.sqrt(2 * (1 - runs)).mean(axis=0)
    total = 0.0
    for eta, at in zip(steps, spread, strict=True):
        eta = float(positive("step_sizes", eta))
        total = total * (1 + (1 + 1 / m) * eta * beta) + eta * float(at)
    return float(nonnegative("lipschitz", lipschitz)) ** 2 / m * total


def level_of(name: str, value: Any) -> Any:
    """Return a level of winsorization if it is a number of per cent, from 0 to 50.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is below 0 or above 50.
    """
    if nonnegative(name, value) > 50:
        raise ValueError(f"{name} must be a level of winsorization from 0 to 50, got {value}")
    return value


def winsorised_mean(vectors: Matrix, level: Any) -> Array:
    """Return the mean of gradients clipped, coordinate by coordinate, to the c-th and (100 - c)-th percentile (W12).

    Of gradients [m, d] it is [d]; c = 0 is the mean, c = 50 the median. Percentiles are interpolated linearly between the
    sorted values; the paper does not say how. Exact if vectors and c are rationals.

    Args:
        vectors: one gradient a row, [m, d].
        level: c, from 0 to 50.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a shape is wrong, an entry is not finite, or c is not from 0 to 50.

    Example:
        >>> from theory.walker2023 import winsorised_mean
        >>> winsorised_mean([[0.0], [1.0], [2.0], [3.0], [100.0]], level=25)
        array([2.])
    """
    rows, c = vectors_array("vectors", vectors), level_of("level", level)
    c = Fraction(c) if rows.dtype == object else float(c)
    ordered = np.sort(rows, axis=0)
    clipped = np.minimum(np.maximum(rows, _percentile(ordered, c)), _percentile(ordered, 100 - c))
    return _mean(clipped)


def _percentile(ordered: Array, c: Any) -> Array:
    """Return the c-th percentile of each column of sorted rows, [d]."""
    place = c * (len(ordered) - 1) / 100
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    value: Array = ordered[below] + (ordered[above] - ordered[below]) * (place - below)
    return value


def _mean(rows: Array) -> Array:
    total: Array = rows.sum(axis=0)
    return total / (Fraction(len(rows)) if rows.dtype == object else float(len(rows)))


def median_of_means(vectors: Matrix, groups: int) -> Array:
    """Return the median, coordinate by coordinate, of the means of k consecutive groups of gradients (section 5.5.1).

    Of gradients [m, d] it is [d]. Sizes of groups differ by one at most; for even k the median is the mean of the middle
    two. Exact for rationals.

    Args:
        vectors: one gradient a row, [m, d].
        groups: k, 1 to m; 1 is the mean, m the median.

    Raises:
        TypeError: if an entry is no real number, or k no integer.
        ValueError: if a shape is wrong, an entry is not finite, or k is not from 1 to m.

    Example:
        >>> from theory.walker2023 import median_of_means
        >>> median_of_means([[0.0], [2.0], [1.0], [3.0], [4.0], [100.0]], groups=3)
        array([2.])
    """
    rows, k = vectors_array("vectors", vectors), count("groups", groups)
    if k > len(rows):
        raise ValueError(f"groups must be at most the number of vectors, {len(rows)}, got {k}")
    means = np.sort(np.array([_mean(group) for group in np.array_split(rows, k)], dtype=rows.dtype), axis=0)
    middle: Array = (means[(k - 1) // 2] + means[k // 2]) / 2
    return middle


def shared_weight(sample_size: int, strength: Any, step_size: Any, steps: int) -> Any:
    """Return the weight of a feature that m examples share, after t steps of gradient descent from 0 (W13.b).

    Each example has an entry of its own, y_i, and the shared one, s y_i; the loss is (1/2m) sum (w.x_i - y_i)^2. The
    weight is m s / (1 + m s^2) (1 - (1 - eta (1 + m s^2) / m)^t). Exact for rationals.

    Args:
        sample_size: m, at least 1.
        strength: s, at least 0; 1 is the "real" and 0 the "random" data of section 5.1.
        step_size: eta, above 0.
        steps: t, at least 0.

    Raises:
        TypeError: if a value is no real number, or m or t no integer.
        ValueError: if a value is out of its range.

    Example:
        >>> from fractions import Fraction
        >>> from theory.walker2023 import shared_weight
        >>> shared_weight(sample_size=4, strength=Fraction(1), step_size=Fraction(1, 5), steps=2)
        Fraction(7, 20)
    """
    m, t = count("sample_size", sample_size), count("steps", steps, fewest=0)
    s, eta = nonnegative("strength", strength), positive("step_size", step_size)
    curvature = 1 + m * s * s
    try:
        weight = m * s / curvature * (1 - (1 - eta * curvature / m) ** t)
    except OverflowError:
        weight = math.nan
    if isinstance(weight, float) and math.isnan(weight):
        raise ValueError(f"strength and step_size must be small enough for the weight to be a float, got {s} and {eta}")
    return weight
