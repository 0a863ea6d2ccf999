"""Margins of the bounds that rest on Rademacher complexity (W3)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from theory.checks import (
    chance,
    count,
)


def rademacher_margin(sample_size: int, delta: Any, *, printed: bool = False) -> float:
    """Return sqrt(log(1/delta) / (2m)): with probability 1 - delta, E f <= mean f + 2 R(F) + it for all f (W3.a).

    Args:
        sample_size: m, at least 1.
        delta: in (0, 1).
        printed: return sqrt(log(1/delta) / m), as Theorem 2.8 has it, which is sqrt(2) times larger than need be (W3).

    Raises:
        TypeError: if a value is no real number, or m no integer.
        ValueError: if m is below 1, or delta not in (0, 1).

    Example:
        >>> from theory.walker2023 import rademacher_margin
        >>> round(rademacher_margin(1000, delta=0.05), 4), round(rademacher_margin(1000, delta=0.05, printed=True), 4)
        (0.0387, 0.0547)
    """
    m = count("sample_size", sample_size)
    return math.sqrt(_log_inverse(chance("delta", delta)) / (m if printed else 2 * m))


def empirical_rademacher_margin(sample_size: int, delta: Any, *, printed: bool = False) -> float:
    """Return 2 sqrt(log(1/delta) / (2m)), the margin beside twice the empirical Rademacher complexity (W3.c).

    Args:
        sample_size: m, at least 1.
        delta: in (0, 1).
        printed: return 3 sqrt(log(2/delta) / m), as Theorem 2.8 has it (W3.b).

    Raises:
        TypeError: if a value is no real number, or m no integer.
        ValueError: if m is below 1, or delta not in (0, 1).

    Example:
        >>> from theory.walker2023 import empirical_rademacher_margin
        >>> round(empirical_rademacher_margin(1000, delta=0.05), 4)
        0.0774
    """
    m = count("sample_size", sample_size)
    logarithm = _log_inverse(chance("delta", delta))
    return 3 * math.sqrt((math.log(2) + logarithm) / m) if printed else 2 * math.sqrt(logarithm / (2 * m))


def _log_inverse(delta: Any) -> float:
    """Return log(1/delta); the integers of a rational may be beyond the range of floats."""
    exact = Fraction(delta)
    return math.log(exact.denominator) - math.log(exact.numerator)
