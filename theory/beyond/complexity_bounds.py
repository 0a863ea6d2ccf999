"""The variance of the geometric complexity on a batch (B14)."""

from __future__ import annotations

import math

from theory.checks import Reals, batch_size, floats, nonnegative, sequence


def batch_complexity_variance(squared_norms: Reals, batch: int) -> float:
    """Return (1 - B/N) S^2 / B, the variance of the geometric complexity on a batch of B of N data (B14).

    Batches are drawn without replacement; S^2 is the sample variance of the squared norms. Its root is the standard error of
    the batch's value as an estimate of that of the data set.

    Args:
        squared_norms: ||grad f(x)||_F^2 at each of the data, at least two of them, each at least 0, [N].
        batch: B, 1 to N.

    Raises:
        TypeError: if an entry is no real number, or B no integer.
        ValueError: if there are fewer than two, one is negative or not finite, or B is out of its range.

    Example:
        >>> from theory.beyond import batch_complexity_variance
        >>> round(batch_complexity_variance(squared_norms=[0, 1, 5], batch=2), 4)
        1.1667
    """
    numbers = sequence("squared_norms", squared_norms, fewest=2)
    for number in numbers:
        nonnegative("squared_norms", number)
    size, n = batch_size(batch, len(numbers)), len(numbers)
    values = floats("squared_norms", numbers)
    centre = math.fsum(values) / n
    spread = math.fsum((value - centre) ** 2 for value in values) / (n - 1)
    return (1 - size / n) * spread / size
