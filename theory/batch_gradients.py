"""Gradients of a loss on batches: their squared norm, its parts, and its mean over all batches, exactly."""

from __future__ import annotations

from fractions import Fraction

from theory.batches import batch_means, mean_of
from theory.checks import Array, dot


def squared_length(vector: Array) -> Fraction:
    """Return |v|^2 of a vector of rationals, [d]."""
    return Fraction(dot(vector, vector))


def expected_square(gradients: Array, batch: int) -> Fraction:
    """Return the mean of |grad L_B|^2 over all batches of B, one by one.

    Raises:
        TypeError: if `batch` is no integer.
        ValueError: if it is not between 1 and n.
    """
    means = batch_means(gradients, batch)
    return sum((squared_length(mean) for mean in means), Fraction(0)) / len(means)


def covariance_trace(gradients: Array) -> Fraction:
    """Return tr Cov, the mean squared distance of the gradients [n, d] from their mean."""
    apart = gradients - mean_of(gradients)
    return Fraction((apart * apart).sum()) / len(gradients)


def label_parts(residuals: Array, output_gradients: Array) -> Array:
    """Return eps_x^i grad f^i(x), [n, k, p], for residuals [n, k] and gradients of the outputs [n, k, p]."""
    parts: Array = residuals[:, :, None] * output_gradients
    return parts


def own_squares(parts: Array) -> Fraction:
    """Return (1/B) sum over x and i of |eps_x^i grad f^i(x)|^2."""
    return Fraction((parts * parts).sum()) / len(parts)


def label_alignment(parts: Array) -> Fraction:
    """Return A_B (dherin2022, eq 8): (1/B^2) sum over x and i != j of <eps^i grad f^i, eps^j grad f^j>."""
    n, k = parts.shape[:2]
    pairs = (Fraction(dot(parts[x, i], parts[x, j])) for x in range(n) for i in range(k) for j in range(k) if i != j)
    return sum(pairs, Fraction(0)) / Fraction(n) ** 2


def batch_alignment(gradients: Array) -> Fraction:
    """Return C_B (dherin2022, eq 7): (1/B^2) sum of <grad L(x), grad L(x')> over ordered pairs of two places of the batch."""
    n = len(gradients)
    pairs = (Fraction(dot(gradients[a], gradients[b])) for a in range(n) for b in range(n) if a != b)
    return sum(pairs, Fraction(0)) / Fraction(n) ** 2
