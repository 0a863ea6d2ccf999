"""How far a sampled path length may lie below the true one (V4)."""

from __future__ import annotations

from typing import Any

from theory.checks import count, nonnegative, real_array


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

    Example:
        >>> from theory.volhejn2020 import sampling_error_bound
        >>> sampling_error_bound(derivative_variation=2, a=0, b=1, n=101)
        0.01
    """
    variation, cells = nonnegative("derivative_variation", derivative_variation), count("n", n, fewest=2) - 1
    start, end = (real_array(name, [value])[0] for name, value in (("a", a), ("b", b)))
    if start >= end:
        raise ValueError(f"a must be below b, got a = {a} and b = {b}")
    return variation * (b - a) / (2 * cells)
