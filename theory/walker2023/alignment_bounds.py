"""The stiffness of a set of gradients (W4)."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from theory.checks import (
    Matrix,
    floats,
    vectors_array,
)

Stiffness = Literal["sign", "cosine"]
"""What is averaged over pairs of gradients: the sign of their inner product, or the cosine of their angle."""


def stiffness(vectors: Matrix, kind: Stiffness = "cosine") -> float:
    """Return the mean over pairs of different examples of sign(g.g'), or of the cosine (Definitions 3.1 and 3.2).

    Args:
        vectors: g, one a row, [m, d], m >= 2.
        kind: "sign", or "cosine", which has no value where a gradient is 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than two vectors, `kind` is unknown, or a cosine has no value.

    Example:
        >>> from theory.walker2023 import stiffness
        >>> round(stiffness([[1, 0], [0, 1], [1, 1]]), 4)
        0.4714
        >>> round(stiffness([[1, 0], [0, 1], [1, 1]], "sign"), 4)
        0.6667
    """
    rows = vectors_array("vectors", vectors)
    if kind not in get_args(Stiffness):
        raise ValueError(f"kind must be one of {', '.join(map(repr, get_args(Stiffness)))}, got {kind!r}")
    if len(rows) < 2:
        raise ValueError(f"vectors must be at least two, to have a pair of different ones, got {len(rows)}")
    above = np.triu_indices(len(rows), 1)
    if kind == "sign":
        return float(np.mean(np.sign(floats("the inner products", rows @ rows.T)[above])))
    plain = floats("vectors", rows)
    lengths = np.linalg.norm(plain, axis=1)
    if np.any(lengths == 0):
        raise ValueError(f"vectors must not be 0 for a cosine, got 0 at index {int(np.flatnonzero(lengths == 0)[0])}")
    return float(np.mean((plain @ plain.T / np.outer(lengths, lengths))[above]))
