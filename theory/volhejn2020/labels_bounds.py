"""What the labels alone say of path lengths (V11, V14)."""

from __future__ import annotations

import math

import numpy as np

from theory.checks import Array, Reals, data_set, nonnegative, sequence
from theory.path_lengths import shares_of_pairs, total
from theory.piecewise_linear import Real


def label_path_length(y: Reals) -> Real:
    """Return (1/n^2) sum_ij |y_i - y_j|, the lower bound of eq 4.8 on PL0 (V14); exact for rationals, O(n log n).

    1 for labels -1 and 1, half of each.

    Args:
        y: the labels, [n], n >= 1.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if y is empty, of a wrong shape or not finite.

    Example:
        >>> from theory.volhejn2020 import label_path_length
        >>> label_path_length([-1, -1, 1, 1])
        1.0
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

    Example:
        >>> from theory.volhejn2020 import spline_path_length
        >>> spline_path_length(x=[-1.5, -0.5, 0.5, 1.5], y=[1, 0, 0, 1])
        0.75
    """
    _, targets = data_set(x, y, fewest=1)
    return _over_gaps(np.abs(np.diff(targets)), len(targets))


def _over_gaps(changes: Array, n: int) -> Real:
    """Return the sum over gaps j = 1..n-1 of changes_j 2 (j/n) (1 - j/n): 2 j (n - j) ordered pairs span gap j."""
    j = np.arange(1, n)
    return total(changes * shares_of_pairs(2 * j * (n - j), n, exact=changes.dtype == object))


def path_length_bound(y: Reals, loss: float = 0.0) -> float:
    """Return (1/n^2) sum_ij |y_i - y_j| - 2 (1 - 1/n) sqrt(L), below which no PL0 lies (V14.d; eq 4.8 for L = 0).

    PL0 is over the n^2 pairs of the training data. At the thesis' threshold L = 1e-5 the second term is 0.0063.

    Args:
        y: the labels, [n], n >= 1.
        loss: L = (1/n) sum (f(x_i) - y_i)^2, at least 0.

    Raises:
        TypeError: if a value is no real number.
        ValueError: if y is empty, of a wrong shape or not finite, or L not finite and at least 0.

    Example:
        >>> from theory.volhejn2020 import path_length_bound
        >>> round(path_length_bound([-1, -1, 1, 1], loss=1e-5), 4)
        0.9953
    """
    labels = sequence("y", y, fewest=1)
    n = len(labels)
    return float(label_path_length(labels)) - 2 * (n - 1) / n * math.sqrt(nonnegative("loss", loss))
