"""Batches drawn without replacement from numbers, all of them, and the variance of their means."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from theory.checks import Array, batch_size


def mean(numbers: Array) -> Fraction:
    """Return the mean of rationals, at least one."""
    return Fraction(sum(numbers), len(numbers))


def batch_means(numbers: Array, size: int) -> list[Fraction]:
    """Return the means over all batches of a size.

    Raises:
        ValueError: if there are not so many numbers.
    """
    batch = batch_size(size, len(numbers))
    return [Fraction(sum(one), batch) for one in combinations(numbers, batch)]


def sample_variance(numbers: Array) -> Fraction:
    """Return S^2 = (1/(n - 1)) sum (s_i - mean)^2; 0 for one number, where that is 0/0."""
    centre = mean(numbers)
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
