"""How small the gradient path length of interpolants can be (V21)."""

from __future__ import annotations

import numpy as np

from theory.checks import Reals, data_set
from theory.path_lengths import shares_of_pairs, total
from theory.piecewise_linear import Real


def spline_gradient_path_length(x: Reals, y: Reals) -> Real:
    """Return the least PL1 of all functions through the data: sum_j |s_{j+1} - s_j| 2 (j/n) (1 - (j+1)/n) (V21.a).

    PL1 of the linear spline with slopes s_1, .., s_{n-1}, over all n^2 pairs, each an open segment; exact for rationals,
    O(n log n).

    Args:
        x: distinct data points, [n], n >= 1.
        y: targets, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed: none, equal points, nan or inf, different lengths.

    Example:
        >>> from theory.volhejn2020 import spline_gradient_path_length
        >>> spline_gradient_path_length(x=[-1.5, -0.5, 0.5, 1.5], y=[1, 0, 0, 1])
        0.5
    """
    points, targets = data_set(x, y, fewest=1)
    n, changes = len(points), np.abs(np.diff(np.diff(targets) / np.diff(points)))
    j = np.arange(1, max(2, n - 1))[: len(changes)]
    return total(changes * shares_of_pairs(2 * j * (n - 1 - j), n, exact=changes.dtype == object))
