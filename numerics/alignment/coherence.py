"""The coherence of the gradients of a sample (walker2023, section 5.2), from their Gram matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from numerics.alignment.stiffness import gram_matrix
from theory.checks import Array
from theory.walker2023 import orthogonal_limit
from theory.walker2023.coherent_gradients_bounds import NOT_ALL_ZERO


@dataclass(frozen=True, eq=False)
class Coherence:
    """How far the gradients of m examples agree.

    Attributes:
        value: alpha_m = |g|^2 / mean |g_i|^2 for the mean g of the gradients, from 0 to 1 (Theorem 5.1).
        per_example: g_i.g / mean |g_i|^2, [m], whose mean is alpha_m: what each example has in common with all, itself among
            them. Below 0, a small step down the mean gradient raises its loss.
        examples: the number m.
        zero_gradients: how many of them are 0; they count.
    """

    value: float
    per_example: Array = field(repr=False)
    examples: int
    zero_gradients: int

    @property
    def ratio(self) -> float:
        """alpha_m / alpha_m^perp, from 0 to m; for copies of orthogonal gradients, how many there are of each (W9.a, W9.c)."""
        return float(Fraction(self.value) / orthogonal_limit(self.examples))

    @property
    def without_diagonal(self) -> float:
        """The mean of g_i.g_j over pairs of different examples, over mean |g_i|^2, from -1/(m - 1) to 1.

        For m independent examples its numerator is without bias for that of the coherence of their distribution; that of
        alpha_m is not, and alpha_m is about (1 - alpha)/m too large.

        Raises:
            ValueError: if there is one example, and no pair.
        """
        m = self.examples
        if m < 2:
            raise ValueError(f"gram must be of at least two gradients, to have a pair of different ones, got {m}")
        return (m * self.value - 1) / (m - 1)

    @property
    def noise_scale(self) -> float:
        """(1 - alpha_m)/alpha_m, the trace of the covariance of the gradients over |g|^2: the "simple" gradient noise scale.

        At this batch size the noise of a mean of independent draws of the sample is as large as the gradient; inf where the
        mean is 0.
        """
        return (1 - self.value) / self.value if self.value else math.inf


def coherence(gram: Any) -> Coherence:
    """Return the coherence of the gradients of a sample (Theorem 5.1, Remark 5.2), from their Gram matrix.

    Args:
        gram: inner products of gradients, [m, m], m >= 1.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is no Gram matrix.
        AssumptionError: if all gradients are 0, where alpha is 0/0.

    Example:
        >>> from numerics.alignment import coherence
        >>> found = coherence([[1, 0], [0, 4]])
        >>> found.value, found.ratio, found.per_example.tolist(), found.noise_scale
        (0.5, 1.0, [0.2, 0.8], 1.0)
    """
    matrix = gram_matrix(gram)
    m, diagonal = len(matrix), matrix.diagonal()
    NOT_ALL_ZERO.require("W8.e", diagonal.max())
    scaled = matrix / diagonal.max()  # equal gradients are all 1, and sums of them exact
    size = scaled.diagonal().sum() / m
    each: Array = scaled.sum(axis=1) / m / size
    value = min(max(float(scaled.sum()) / m**2 / float(size), 0.0), 1.0)
    return Coherence(value, each, m, int((diagonal == 0).sum()))
