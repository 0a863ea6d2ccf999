"""Values and bounds of geometric complexity that need no data (D2, D4)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from theory.checks import Matrix, count, floats, nonnegative, rationals, vectors_array
from theory.enclosure import rounded


def linear_complexity(matrix: Matrix) -> float:
    """Return ||A||_F^2, the geometric complexity of x -> A x + b on any data (D2).

    Args:
        matrix: A, [k, d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it has not two axes, or an entry is not finite.

    Example:
        >>> from theory.dherin2022 import linear_complexity
        >>> linear_complexity([[1, 2], [0, -1]])
        6.0
    """
    entries = rationals(floats("matrix", vectors_array("matrix", matrix)))
    return rounded(Fraction((entries * entries).sum()), math.inf)


def lipschitz_complexity_bound(lipschitz_constant: Any, inputs: int, outputs: int) -> float:
    """Return min(k, d) L^2, a bound on the geometric complexity of an L-Lipschitz function on any data (D4, eq 3).

    Args:
        lipschitz_constant: L on all of R^d in the Euclidean norms, at least 0.
        inputs: d, at least 1.
        outputs: k, at least 1.

    Raises:
        TypeError: if L is no real number, or d or k no integer.
        ValueError: if one is out of its range.

    Example:
        >>> from theory.dherin2022 import lipschitz_complexity_bound
        >>> lipschitz_complexity_bound(lipschitz_constant=2, inputs=784, outputs=10)
        40.0
    """
    constant = Fraction(nonnegative("lipschitz_constant", lipschitz_constant))
    least = min(count("inputs", inputs), count("outputs", outputs))
    return rounded(least * constant**2, math.inf)
