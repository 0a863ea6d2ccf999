"""Batches drawn without replacement, all of them: their means, and the variance of these."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from theory.checks import Array, batch_size


def mean_of(values: Array) -> Any:
    """Return the mean over the first axis, exactly: a rational, of rationals [n]; a vector [d], of vectors [n, d]."""
    return values.sum(axis=0) / Fraction(len(values))


def batch_means(values: Array, batch: int) -> list[Any]:
    """Return the mean of every batch that can be drawn without replacement, as `mean_of` does.

    Args:
        values: one example a row, [n] or [n, d].
        batch: B from 1 to n.

    Raises:
        TypeError: if `batch` is no integer.
        ValueError: if it is not between 1 and n.
    """
    size = batch_size(batch, len(values))
    return [mean_of(values[list(part)]) for part in combinations(range(len(values)), size)]


def sample_variance(numbers: Array) -> Fraction:
    """Return S^2 = (1/(n - 1)) sum (s_i - mean)^2; 0 for one number, where that is 0/0."""
    centre = mean_of(numbers)
    return Fraction(sum((s - centre) ** 2 for s in numbers), max(len(numbers) - 1, 1))


def variance_of_means(numbers: Array, size: int) -> Fraction:
    """Return (1 - B/n) S^2 / B, the variance of the mean over a batch of B."""
    return (1 - Fraction(size, len(numbers))) * sample_variance(numbers) / size


def moments_of_batches(numbers: Array, size: int) -> dict[str, Any]:
    """Return what the symbols of the proofs on batches are: all their means, and the sums over the data."""
    means = batch_means(numbers, size)
    return {
        "m": len(means),
        "x": means,
        "y": [size * one for one in means],
        "k": len(numbers) - 1,
        "B": size,
        "S_1": Fraction(sum(numbers)),
        "S_2": Fraction(sum(s * s for s in numbers)),
    }
