"""The coherence of gradients, of examples and of batches (W8, W9, W11)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import (
    Matrix,
    Reals,
    count,
    distribution,
    dot,
    share,
    vectors_array,
)
from theory.conditions import Condition

NOT_ALL_ZERO = Condition("E[v.v] > 0", lambda size: size > 0)


def coherence(vectors: Matrix, probabilities: Reals | None = None) -> Any:
    """Return alpha = E[g.g'] / E[g.g] for independent g, g' (W8): 0 if the mean is 0, 1 if all are equal; O(m d).

    Exact for rationals.

    Args:
        vectors: g, one a row, [m, d].
        probabilities: of the rows, [m]; all equal if not given.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a shape is wrong, or the probabilities are none.
        AssumptionError: if all vectors of positive probability are 0, where alpha is 0/0.

    Example:
        >>> from theory.walker2023 import coherence
        >>> round(float(coherence([[1, 0], [0, 1], [1, 1], [1, 0]])), 4)
        0.65
    """
    rows = vectors_array("vectors", vectors)
    if probabilities is None:
        p = np.full(len(rows), Fraction(1, len(rows)) if rows.dtype == object else 1 / len(rows))
    else:
        p = distribution("probabilities", probabilities, len(rows))
    mean, size = p @ rows, p @ (rows * rows).sum(axis=1)
    NOT_ALL_ZERO.require("W8.e", size)
    return dot(mean, mean) / size


def orthogonal_limit(sample_size: int) -> Fraction:
    """Return 1/m, the coherence of m pairwise orthogonal gradients, whatever their lengths (W9).

    Raises:
        TypeError: if `sample_size` is no integer.
        ValueError: if it is below 1.

    Example:
        >>> from theory.walker2023 import orthogonal_limit
        >>> orthogonal_limit(sample_size=50)
        Fraction(1, 50)
    """
    return Fraction(1, count("sample_size", sample_size))


def batch_coherence(alpha: Any, batch: int) -> Any:
    """Return k alpha / (1 + (k - 1) alpha), the coherence of means of k independent gradients (W11); exact for rationals.

    Args:
        alpha: the coherence of the gradients, 0 to 1.
        batch: k, at least 1.

    Raises:
        TypeError: if a value is no real number, or k no integer.
        ValueError: if alpha is not in [0, 1], or k is below 1.

    Example:
        >>> from fractions import Fraction
        >>> from theory.walker2023 import batch_coherence
        >>> batch_coherence(Fraction(1, 10), batch=10)
        Fraction(10, 19)
    """
    k = count("batch", batch)
    return k * share("alpha", alpha) / (1 + (k - 1) * alpha)


def example_coherence(alpha: Any, batch: int) -> Any:
    """Return alpha / (k - (k - 1) alpha), the coherence of gradients whose means of k have coherence alpha (W11.d).

    Exact for rationals. It holds for means of independent draws; for the batches that partition one sample it is an
    approximation (W11.e).

    Args:
        alpha: the coherence of the means, 0 to 1.
        batch: k, at least 1.

    Raises:
        TypeError: if a value is no real number, or k no integer.
        ValueError: if alpha is not in [0, 1], or k is below 1.

    Example:
        >>> from fractions import Fraction
        >>> from theory.walker2023 import example_coherence
        >>> example_coherence(Fraction(10, 19), batch=10)
        Fraction(1, 10)
    """
    k = count("batch", batch)
    return share("alpha", alpha) / (k - (k - 1) * alpha)
