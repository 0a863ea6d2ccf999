"""Gram matrices of features and their spectra, with bounds on every rounding error made in them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.linalg import eigh

from numerics.tensors import plain_tensor
from theory.checks import Array, floats, real_array, unmasked
from theory.enclosure import EPS

CHUNK = 512
"""The Gram matrix is summed over so many features at a time, which keeps both memory and rounding small."""

BLOCK = 32
"""Other products of matrices are summed over so many indices at a time where their rounding matters."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """K = Q diag(h) Q^T + E up to a power of 4: ||E|| <= epsilon, Q orthogonal, ||Q - vectors|| <= omega; h >= 0."""

    vectors: Array
    values: Array
    epsilon: float
    omega: float
    exponent: int  # K of the features is this K times 4^exponent

    @property
    def loosened(self) -> Spectrum:
        """The same with room for the rounding of another machine."""
        return replace(self, epsilon=2 * self.epsilon, omega=2 * self.omega)

    @property
    def rank(self) -> int:
        """How many eigenvalues are more than rounding errors."""
        return int(np.sum(self.values > 32 * len(self.values) * EPS * self.values[-1]))


def spectrum_of(features: object) -> Spectrum:
    """Return the spectrum of K = Phi Phi^T / n, Phi [n, d] the features as rows, as float64 gives them.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if `features` is not [n, d] with n, d >= 1, or holds nan or inf.
    """
    return _decomposed(*_gram(_rows(features)))


def _rows(features: object) -> Array | torch.Tensor:
    """Return features as an array or tensor of real numbers, [n, d], n, d >= 1, whose entries may yet be nan or inf.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is not [n, d] with n, d >= 1.
    """
    if isinstance(features, torch.Tensor):
        rows: Array | torch.Tensor = plain_tensor("features", features)
    elif isinstance(features := unmasked("features", features), np.ndarray) and features.dtype.kind in "fiu":
        rows = np.asarray(features)
    else:
        rows = floats("features", real_array("features", features, ndim=2))
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"features must have shape [n, d] with n, d >= 1, got {tuple(rows.shape)}")
    return rows


def _chunks(rows: Array | torch.Tensor) -> Iterator[Array]:
    """Yield the columns of [n, d] in float64, `CHUNK` at a time."""
    for start in range(0, rows.shape[1], CHUNK):
        part = rows[:, start : start + CHUNK]
        yield part.cpu().to(torch.float64).numpy() if isinstance(part, torch.Tensor) else part.astype(np.float64)


def _gram(rows: Array | torch.Tensor) -> tuple[Array, float, int]:
    """Return Phi Phi^T / n over a power of 4, the Frobenius norm of its error, and that power.

    Raises:
        ValueError: if an entry is nan or inf.
    """
    n, largest = len(rows), 0.0
    for index, part in enumerate(_chunks(rows)):
        if not np.all(np.isfinite(part)):
            row, column = np.argwhere(~np.isfinite(part))[0]
            place = (int(row), index * CHUNK + int(column))
            raise ValueError(f"features must hold finite numbers, got {part[row, column]} at index {place}")
        largest = max(largest, float(np.max(np.abs(part))))
    exponent = math.frexp(largest)[1] if largest else 0
    matrix = np.zeros((n, n))
    for part in _chunks(rows):
        scaled = np.ldexp(part, -exponent)
        matrix += scaled @ scaled.T
    matrix /= n
    terms = min(CHUNK, rows.shape[1]) + math.ceil(rows.shape[1] / CHUNK) + 4
    return (matrix + matrix.T) / 2, 1.01 * EPS * terms * float(np.trace(matrix)), exponent


def _decomposed(matrix: Array, error: float, exponent: int) -> Spectrum:
    """Return an eigendecomposition of a symmetric matrix [n, n] within `error` of K >= 0, with bounds on its errors.

    U is within ||U^T U - I|| of its orthogonal polar factor Q, since |s - 1| <= |s^2 - 1| for s >= 0.
    """
    n = len(matrix)
    values, vectors = eigh(matrix)
    values = np.maximum(values, 0.0)
    omega = _departure(vectors)
    residual = float(np.linalg.norm(matrix - product(vectors * values, vectors.T)))
    residual += EPS * (rounded_terms(n) + 4) * float(np.sum(values))
    epsilon = 1.01 * (residual + error + 2 * omega * (1 + omega) * float(values[-1]))
    return Spectrum(vectors, values, epsilon, omega, exponent)


def _departure(vectors: Array) -> float:
    """Return a bound on ||U^T U - I|| for U [n, n] with entries in [-1, 1].

    The leading 20 bits of U are multiplied exactly: the sums are multiples of 2^-40 below 2.
    """
    n = len(vectors)
    high = np.round(vectors * 2.0**20) / 2.0**20
    low = vectors - high
    small = high.T @ low
    gram = (high.T @ high - np.eye(n)) + (small + small.T + low.T @ low)
    low_norm = float(np.linalg.norm(low))
    rounding = EPS * (n + 4) * low_norm * (2 * math.sqrt(n) + low_norm) * 1.01 + 4 * EPS * float(np.linalg.norm(gram))
    return 1.01 * (float(np.linalg.norm(gram)) + rounding)


def rounded_terms(n: int) -> int:
    """Return how often a term of a sum over n indices is rounded in `_product`, at most."""
    return min(n, BLOCK) + math.ceil(n / BLOCK) + 1


def product(first: Array, second: Array) -> Array:
    """Return the product of matrices [k, n] and [n, m], summed in blocks."""
    total = np.zeros((len(first), second.shape[1]))
    for start in range(0, len(second), BLOCK):
        total += first[:, start : start + BLOCK] @ second[start : start + BLOCK]
    return total
