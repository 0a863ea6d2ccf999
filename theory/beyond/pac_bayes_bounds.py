"""PAC-Bayes bounds that hold, in the kl form (B19), and the expected sharpness of linear networks in closed form (B18)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, Matrix, chance, count, floats, nonnegative, real_array, vectors_array
from theory.conditions import Condition
from theory.enclosure import Enclosure, logarithm, rounded
from theory.relu_network import chain

LOSS_IN_UNIT_INTERVAL = Condition("the loss is in [0, 1]", lambda loss: 0 <= loss <= 1)


def log_of(value: Fraction) -> Enclosure:
    """Return rationals around the natural logarithm of a rational above 0."""
    return logarithm(value) if value >= 1 else -logarithm(1 / value)


def kl(first: Fraction, second: Fraction) -> Enclosure:
    """Return q ln(q/p) + (1 - q) ln((1 - q)/(1 - p)) of two rationals from 0 to 1, infinite where it is."""
    total = Enclosure.exactly(Fraction(0))
    for one, other in ((first, second), (1 - first, 1 - second)):
        if one > 0 and other == 0:
            return Enclosure.exactly(math.inf)
        if one > 0:
            total = total + log_of(one / other).times(one)
    return total


def kl_inverse(loss: Fraction, limit: Enclosure) -> Enclosure:
    """Return rationals around the largest p with kl(q || p) <= C, for q from 0 to 1 and C >= 0 known to lie in an interval.

    By bisection in floats, and then by steps away from what it finds until kl is below C, and above it, for certain.
    """
    if loss == 1:
        return Enclosure.exactly(Fraction(1))
    q, target, low, high = float(loss), float(limit.midpoint), float(loss), 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _kl_in_floats(q, middle) <= target else (low, middle)
    start, step = Fraction(low).limit_denominator(1 << 50), Fraction(1, 1 << 44)
    least, most = start - step, start + step
    while least > loss and kl(loss, least).upper > limit.lower:
        least, step = least - step, 2 * step
    step = Fraction(1, 1 << 44)
    while most < 1 and kl(loss, most).lower < limit.upper:
        most, step = most + step, 2 * step
    return Enclosure(max(least, loss), min(max(most, loss), Fraction(1)))


def _kl_in_floats(first: float, second: float) -> float:
    """Return kl(q || p), roughly, for q <= p < 1."""
    below = first * math.log(first / second) if first > 0 else 0.0
    return below + (1 - first) * (math.log1p(-first) - math.log1p(-second)) if second < 1 else math.inf


def kl_limit(divergence: Fraction, samples: int, delta: Fraction, priors: int) -> Enclosure:
    """Return (KL + ln(2 sqrt(m)/delta) + ln G)/m."""
    logs = log_of(4 * samples * (priors / delta) ** 2).times(Fraction(1, 2))
    return (Enclosure.exactly(divergence) + logs).times(Fraction(1, samples))


def kl_bound(expected_training_loss: Any, divergence: Any, samples: int, delta: Any, *, priors: int = 1) -> float:
    """Return the largest p with kl(E L^ || p) <= (KL + ln(2 sqrt(m)/delta) + ln G)/m, rounded up (B19).

    With probability 1 - delta over m independent training data it bounds the expected loss of every randomised predictor, if
    the divergence is from one of G priors that do not depend on the training set; which one may be chosen afterwards.

    Args:
        expected_training_loss: E L^ of the randomised predictor, of a loss in [0, 1].
        divergence: KL of its distribution from the prior, at least 0: see `theory.neyshabur2017.gaussian_divergence`.
        samples: the number m of training data.
        delta: the probability that the bound may fail, between 0 and 1.
        priors: G, how many priors were fixed beforehand.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range.
        AssumptionError: if the loss is not in [0, 1].

    Example:
        >>> from theory.beyond import kl_bound
        >>> round(kl_bound(0.05, 500.0, 60_000, 0.05, priors=100), 3)
        0.084
    """
    loss = nonnegative("expected_training_loss", expected_training_loss)
    limit = kl_limit(
        Fraction(nonnegative("divergence", divergence)),
        count("samples", samples),
        Fraction(chance("delta", delta)),
        count("priors", priors),
    )
    LOSS_IN_UNIT_INTERVAL.require("B19", loss)
    return rounded(Fraction(kl_inverse(Fraction(loss), limit).upper), math.inf)


def linear_expected_sharpness(
    layers: Sequence[Matrix], deviations: Any, x: Any, patterns: Sequence[Any] | None = None
) -> float:
    """Return E |f_{w+nu}(x) - y|^2 - |f_w(x) - y|^2 for noise of mean 0 and variance s_i^2 on the weights of layer i (B18).

    tr S_l - |f_w(x)|^2 with S_0 = x x^T, S_i = D_i (W_i S_{i-1} W_i^T + s_i^2 tr(S_{i-1}) I) D_i, whatever y; the mean of it
    over data is the expected sharpness of the squared loss. Exact for linear networks, and for ReLU ones whose patterns the
    noise keeps.

    Args:
        layers: weight matrices W_1 to W_l, each [its outputs, its inputs].
        deviations: s_1 to s_l, at least 0, [l].
        x: the input, [d].
        patterns: the diagonal of D_i for each hidden layer, 1 for active and 0 for inactive units; all active if None.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the sizes do not fit, or an entry is not finite, or a deviation is negative.

    Example:
        >>> from theory.beyond import linear_expected_sharpness
        >>> linear_expected_sharpness([[[1.0], [1.0]], [[1.0, 2.0]]], [0.5, 0.5], [1.0])
        1.875
    """
    matrices = chain(tuple(floats(f"layers[{i}]", vectors_array(f"layers[{i}]", w)) for i, w in enumerate(layers)))
    sizes = floats("deviations", real_array("deviations", deviations))
    point = floats("x", real_array("x", x))
    if len(sizes) != len(matrices):
        raise ValueError(f"deviations must be one a layer, {len(matrices)}, got {len(sizes)}")
    for size in sizes:
        nonnegative("deviations", float(size))
    if len(point) != matrices[0].shape[1]:
        raise ValueError(f"x must have an entry for each of the {matrices[0].shape[1]} inputs, got {len(point)}")
    hidden = masks(matrices, patterns)
    return float(expected_change(matrices, sizes, point, hidden))


def masks(matrices: Sequence[Array], patterns: Sequence[Any] | None) -> list[Array]:
    """Return the diagonals of the D_i, the output's among them; all ones where none are given.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if they do not fit the hidden layers.
    """
    if patterns is None:
        return [np.ones(len(matrix)) for matrix in matrices]
    if len(patterns) != len(matrices) - 1:
        raise ValueError(f"patterns must be one a hidden layer, {len(matrices) - 1}, got {len(patterns)}")
    found = [floats("patterns", real_array(f"patterns[{i}]", pattern)) for i, pattern in enumerate(patterns)]
    for number, (pattern, matrix) in enumerate(zip(found, matrices, strict=False)):
        if len(pattern) != len(matrix):
            raise ValueError(f"patterns[{number}] must have an entry a unit, {len(matrix)}, got {len(pattern)}")
        if np.any((pattern != 0) & (pattern != 1)):
            raise ValueError(f"patterns[{number}] must be 0 or 1, got {pattern[(pattern != 0) & (pattern != 1)][0]}")
    return [*found, np.ones(len(matrices[-1]))]


def expected_change(matrices: Sequence[Array], deviations: Array, x: Array, hidden: Sequence[Array]) -> Any:
    """Return tr S_l - |f_w(x)|^2, in the numbers that are given.

    Args:
        matrices: W_1 to W_l.
        deviations: s_1 to s_l.
        x: the input.
        hidden: the diagonals of the D_i, the last of ones.
    """
    second, output = np.multiply.outer(x, x), x
    for matrix, deviation, mask in zip(matrices, deviations, hidden, strict=True):
        spread = deviation**2 * second.trace() * np.eye(len(matrix), dtype=int)
        second = mask[:, None] * (matrix @ second @ matrix.T + spread) * mask
        output = mask * (matrix @ output)
    return second.trace() - output @ output
