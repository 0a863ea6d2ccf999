"""SGD's mean-square threshold at an interpolating minimum for any positive semidefinite H_i in few dimensions, certified.

`numerics.stability.mean_square` has it for H_i = phi_i phi_i^T in any dimension; here the maps of
`theory.beyond.mean_square_bounds`,

    C(X) = (H X + X H)/2,   D(X) = (1 - p) H X H + p mean_i H_i X H_i,

are matrices on the d (d + 1)/2-dimensional space of symmetric X, and eta* = 2/lam, lam the largest lam with D X = lam C X
(mulayoff2024; B3). A positive definite P with 2 C(P) - eta D(P) >= 0 has T(P) <= P, which proves that SGD is stable at eta
(Collatz and Wielandt); any X bounds lam from below by tr(X D(X))/tr(X C(X)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Literal, get_args

import numpy as np
from scipy.linalg import LinAlgError, eigh

from theory.checks import Array, floats
from theory.checks import batch_size as checked_batch
from theory.enclosure import EPS
from theory.linear_stability import hessians_array, noise_share

LARGEST = 40
"""Hessians of up to so many dimensions are taken: the eigenproblem is of 820 dimensions then."""

FreshSampling = Literal["without_replacement", "with_replacement"]
"""How batches are drawn anew each step."""


@dataclass(frozen=True, eq=False)
class GeneralThreshold:
    """The largest step size up to which E ||w||^2 stays bounded, between two certified bounds.

    Attributes:
        value: the threshold on the loss whose Hessians were given, > 0; inf where all vanish.
        lower: a certified lower bound.
        upper: a certified upper bound.
        stable: P, [r, r], positive definite, with 2 C(P) - eta D(P) >= 0 at eta = `lower`.
        unstable: X, [r, r], with 2 tr(X C(X)) <= eta tr(X D(X)) at eta = `upper`.
    """

    value: float
    lower: float
    upper: float
    stable: Array
    unstable: Array


def general_mean_square_threshold(
    hessians: object, batch_size: int, *, sampling: FreshSampling = "without_replacement"
) -> GeneralThreshold:
    """Return the largest step size for which E ||w||^2 stays bounded near an interpolating minimum (B3; mulayoff2024).

    SGD is stable up to the threshold, inclusive, and not beyond. Random reshuffling is not offered here. Costs an eigenproblem
    of d (d + 1)/2 dimensions and the sum of n matrices of d^2 x d^2 entries.

    Args:
        hessians: per-sample Hessians H_i of the loss that the step size belongs to, symmetric, positive semidefinite up to
            rounding, [n, d, d], d <= `LARGEST`.
        batch_size: B, from 1 to n.
        sampling: whether a batch is drawn without or with replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch_size` no integer.
        ValueError: if the Hessians are malformed, not semidefinite, of too many dimensions or so large or small that the
            threshold is no float; if `batch_size` is not between 1 and n; or if `sampling` is unknown.
        RuntimeError: if no certificate is found, since directions differ too much in curvature.
    """
    points, share, exponent = _problem(hessians, batch_size, sampling)
    r = points.shape[1]
    if r == 0:
        return GeneralThreshold(math.inf, math.inf, math.inf, np.empty((0, 0)), np.empty((0, 0)))
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
    value, lower, upper = (_scaled(end, -exponent) for end in (value, lower, upper))
    return GeneralThreshold(value, lower, upper, stable, unstable)


def verify_general(
    threshold: GeneralThreshold, hessians: object, batch_size: int, *, sampling: FreshSampling = "without_replacement"
) -> bool:
    """Return whether the certificate proves lower <= threshold <= upper for these Hessians, without solving for it.

    Rounding is bounded a priori, and the least eigenvalue of a symmetric matrix [r, r] is taken to be within r eps of its
    Frobenius norm. Where H is not singular, `True` speaks of the Hessians as given, else of their projections on the
    eigenvectors of H above its rounding errors.

    Args:
        threshold: what `general_mean_square_threshold` returned.
        hessians: as there, [n, d, d].
        batch_size: as there.
        sampling: as there.

    Raises:
        TypeError: as there.
        ValueError: as there, but for the range of the threshold.
    """
    points, share, exponent = _problem(hessians, batch_size, sampling)
    r = points.shape[1]
    if r == 0:
        return threshold.lower == threshold.value == threshold.upper == math.inf
    if not 0 < threshold.lower <= threshold.value <= threshold.upper < math.inf:
        return False
    if any(m.shape != (r, r) or not np.all(np.isfinite(m)) for m in (threshold.stable, threshold.unstable)):
        return False
    try:
        lower, upper = (_scaled(end, exponent) for end in (threshold.lower, threshold.upper))
    except ValueError:
        return False
    return _shrinks(points, share, lower, threshold.stable) and _upper(points, share, threshold.unstable) <= upper


def _scaled(value: float, exponent: int) -> float:
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


def _problem(hessians: object, batch: int, sampling: str) -> tuple[Array, float, int]:
    """Return the Hessians over a power of 2, [n, r, r], on the range of H, with p and that power.

    Raises:
        ValueError: if an argument is out of range.
    """
    if sampling not in get_args(FreshSampling):
        raise ValueError(f"sampling must be one of {', '.join(map(repr, get_args(FreshSampling)))}, got {sampling!r}")
    points = floats("hessians", hessians_array("hessians", hessians))
    n, d = points.shape[:2]
    if d > LARGEST:
        raise ValueError(
            f"hessians must be of at most {LARGEST} dimensions, got {d}; for H_i = phi_i phi_i^T mean_square_threshold "
            "takes the phi_i, of any dimension"
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
