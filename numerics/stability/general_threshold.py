"""SGD's mean-square threshold at an interpolating minimum for any positive semidefinite H_i in few dimensions, certified.

`numerics.stability.secular` has it for H_i = phi_i phi_i^T in any dimension; here the maps of
`theory.beyond.mean_square_bounds`,

    C(X) = (H X + X H)/2,   D(X) = (1 - p) H X H + p mean_i H_i X H_i,

are matrices on the d (d + 1)/2-dimensional space of symmetric X, and eta* = 2/lam, lam the largest lam with D X = lam C X
(mulayoff2024; B3). A positive definite P with 2 C(P) - eta D(P) >= 0 has T(P) <= P, which proves that SGD is stable at eta
(Collatz and Wielandt); any X bounds lam from below by tr(X D(X))/tr(X C(X)).
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import torch
from scipy.linalg import LinAlgError, eigh

from numerics.stability.threshold import Certificate, Threshold
from numerics.tensors import plain_tensor
from theory.checks import Array, floats
from theory.checks import batch_size as checked_batch
from theory.enclosure import EPS
from theory.linear_stability import hessians_array, noise_share
from theory.symbols import Sampling

LARGEST = 40
"""Hessians of up to so many dimensions are taken: the eigenproblem is of 820 dimensions then."""

FRESH: tuple[Sampling, ...] = ("without_replacement", "with_replacement")
"""How batches are drawn anew each step; reshuffling is not offered here."""


def threshold_of_hessians(hessians: object, batch_size: int, sampling: Sampling) -> Threshold:
    """Return the threshold of Hessians [n, d, d]: see `numerics.stability.mean_square_threshold`.

    Raises:
        TypeError: if an entry is no real number, or `batch_size` no integer.
        ValueError: if the Hessians are malformed, not semidefinite, of too many dimensions or so large or small that the
            threshold is no float; if `batch_size` is not between 1 and n; or if batches are not drawn anew.
        RuntimeError: if no certificate is found, since directions differ too much in curvature.
    """
    points, share, exponent = problem_of_hessians(hessians, batch_size, sampling)
    r = points.shape[1]
    if r == 0:
        return Threshold(math.inf, math.inf, math.inf, "zero", Certificate(np.empty((0, 0)), np.empty((0, 0))))
    c, d, basis = _maps(points, share)
    try:
        values, vectors = eigh(d, c, subset_by_index=[len(c) - 1, len(c) - 1])
    except LinAlgError as error:
        raise RuntimeError("the eigenproblem was not solved: directions differ too much in curvature") from error
    lam, unstable = float(values[0]), _matrix(basis, vectors[:, 0], r)
    upper = _upper(points, share, unstable)
    gap = 64 * EPS
    while gap < 1e-2:
        lower = 2 / lam * (1 - gap)
        stable = _matrix(basis, np.linalg.solve(2 * c - lower * d, basis.T @ np.eye(r).ravel()), r)
        if np.all(np.isfinite(stable)) and _shrinks(points, share, lower, stable, margin=2.0):
            break
        gap *= 4
    else:
        raise RuntimeError("no lower bound was found: directions differ too much in curvature")
    value = min(max(2 / lam, lower), upper)
    value, lower, upper = (scaled_by(end, -exponent) for end in (value, lower, upper))
    return Threshold(value, lower, upper, "eigenproblem", Certificate(stable, unstable))


def proves_for_hessians(threshold: Threshold, hessians: object, batch_size: int, sampling: Sampling) -> bool:
    """Return whether the certificate proves the bounds for these Hessians: see `numerics.stability.verify`.

    Raises:
        TypeError: as `threshold_of_hessians`.
        ValueError: as there, but for the range of the threshold.
    """
    points, share, exponent = problem_of_hessians(hessians, batch_size, sampling)
    r, certificate = points.shape[1], threshold.certificate
    if r == 0:
        return threshold.lower == threshold.value == threshold.upper == math.inf
    if not 0 < threshold.lower <= threshold.value <= threshold.upper < math.inf:
        return False
    if any(m.shape != (r, r) or not np.all(np.isfinite(m)) for m in (certificate.stable, certificate.unstable)):
        return False
    try:
        lower, upper = (scaled_by(end, exponent) for end in (threshold.lower, threshold.upper))
    except ValueError:
        return False
    return _shrinks(points, share, lower, certificate.stable) and _upper(points, share, certificate.unstable) <= upper


def scaled_by(value: float, exponent: int) -> float:
    """Return value 2^exponent, exactly.

    Raises:
        ValueError: if that is no normal float.
    """
    try:
        scaled = math.ldexp(value, exponent)
    except OverflowError:
        scaled = math.inf
    if not np.finfo(np.float64).tiny <= scaled < math.inf:
        raise ValueError("hessians must be of a size for which the threshold is a float, got ones beyond it")
    return scaled


def problem_of_hessians(hessians: object, batch: int, sampling: Sampling) -> tuple[Array, float, int]:
    """Return the Hessians over a power of 2, [n, r, r], on the range of H, with p and that power.

    Raises:
        ValueError: if an argument is out of range.
    """
    if sampling not in FRESH:
        raise ValueError(f"sampling must be one of {', '.join(map(repr, FRESH))} for Hessians, got {sampling!r}")
    if isinstance(hessians, torch.Tensor):
        hessians = plain_tensor("hessians", hessians).cpu().double().numpy()
    points = floats("hessians", hessians_array("hessians", hessians))
    n, d = points.shape[:2]
    if d > LARGEST:
        raise ValueError(
            f"hessians must be of at most {LARGEST} dimensions, got {d}; for H_i = phi_i phi_i^T give the phi_i, of any "
            "dimension"
        )
    b = checked_batch(batch, n)
    share = Fraction(1, b) if sampling == "with_replacement" else noise_share(n, b)
    largest = float(np.max(np.abs(points)))
    if largest == 0:
        return points[:, :0, :0], float(share), 0
    exponent = math.frexp(largest)[1]
    points = np.ldexp(points, -exponent)
    spectra = np.linalg.eigvalsh(points)
    for index in np.flatnonzero(spectra[:, 0] < -32 * d * EPS * spectra[:, -1]):
        raise ValueError(
            f"hessians must be positive semidefinite, got the eigenvalue {math.ldexp(spectra[index, 0], exponent)} "
            f"at index {index}"
        )
    values, vectors = np.linalg.eigh(np.mean(points, axis=0))
    kept = values > 32 * d * EPS * values[-1]
    if not np.all(kept):
        points = vectors[:, kept].T @ points @ vectors[:, kept]
        points = (points + points.transpose(0, 2, 1)) / 2
    return points, float(share), exponent


def _maps(points: Array, share: float) -> tuple[Array, Array, Array]:
    """Return C and D on symmetric matrices, both [s, s], and the orthonormal basis of these, [r^2, s]."""
    n, r = points.shape[:2]
    pairs = list(combinations_with_replacement(range(r), 2))
    basis = np.zeros((r * r, len(pairs)))
    for index, (a, b) in enumerate(pairs):
        basis[[a * r + b, b * r + a], index] = 1.0 if a == b else math.sqrt(0.5)
    mean = np.mean(points, axis=0)
    flat = points.reshape(n, r * r)
    squares = (1 - share) * np.multiply.outer(mean, mean) + share / n * (flat.T @ flat).reshape(r, r, r, r)
    c = (np.kron(mean, np.eye(r)) + np.kron(np.eye(r), mean)) / 2
    d = squares.transpose(0, 2, 1, 3).reshape(r * r, r * r)
    c, d = basis.T @ c @ basis, basis.T @ d @ basis
    return (c + c.T) / 2, (d + d.T) / 2, basis


def _matrix(basis: Array, coordinates: Array, r: int) -> Array:
    """Return the symmetric matrix with these coordinates, [r, r], of norm 1."""
    matrix = (basis @ coordinates).reshape(r, r)
    whole: Array = (matrix + matrix.T) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return whole / float(np.linalg.norm(whole))


def _shrinks(points: Array, share: float, step_size: float, matrix: Array, *, margin: float = 1.0) -> bool:
    """Return whether P > 0 and 2 C(P) - eta D(P) >= 0, by more than all rounding: T(P) <= P."""
    n, r = points.shape[:2]
    p = (matrix + matrix.T) / 2
    mean, size = np.mean(points, axis=0), float(np.linalg.norm(p))
    spread = np.mean(points @ p @ points, axis=0)
    across = mean @ p
    left = across + across.T - step_size * ((1 - share) * (across @ mean) + share * spread)
    left = (left + left.T) / 2
    norms = np.linalg.norm(points, axis=(1, 2))
    reach, square = float(np.mean(norms)), float(np.mean(norms**2))
    # A term of a product is rounded r times, one of a mean n times; Frobenius norms multiply.
    error = EPS * (3 * r + 2 * n + 16) * size * (2 * reach + step_size * (reach**2 + square))
    error += EPS * r * float(np.linalg.norm(left))
    definite = bool(np.linalg.eigvalsh(p)[0] > margin * EPS * (r + 4) * size)
    return definite and bool(np.linalg.eigvalsh(left)[0] > margin * error)


def _upper(points: Array, share: float, matrix: Array) -> float:
    """Return 2 tr(X C(X))/tr(X D(X)), which no threshold exceeds, rounded up; inf where rounding hides it."""
    n, r = points.shape[:2]
    x = (matrix + matrix.T) / 2
    mean = np.mean(points, axis=0)
    along = points @ x
    whole = mean @ x
    size = (1 - share) * float(np.sum(whole * whole.T))
    size += share * float(np.mean(np.sum(along * along.transpose(0, 2, 1), axis=(1, 2))))
    cost = float(np.sum(whole * x))
    norms = np.linalg.norm(points, axis=(1, 2))
    reach, square, length = float(np.mean(norms)), float(np.mean(norms**2)), float(np.linalg.norm(x))
    rounded = EPS * (r * r + 3 * r + 3 * n + 16) * length**2
    least, most = size - rounded * (reach**2 + square), cost + rounded * reach
    return 2 * most / least * (1 + 4 * EPS) if least > 0 else math.inf
