"""The mean-square threshold of SGD with momentum at an interpolating minimum (B11), for features or Hessians.

In an eigenbasis of H, l_i its eigenvalues above 0, the maps of `theory.beyond.momentum_bounds` on symmetric X are

    C(X) = (l_i + l_j)/2 o X,   D_b(X) = (l_i l_j/(1 + b) - b (l_i - l_j)^2/((1 - b)^2 (1 + b))) o X + p Cov(X)/(1 - b),

o entry by entry, and eta* = 2/lam with lam the top eigenvalue of C^(-1/2) o D_b(C^(-1/2) o X), a self-adjoint map. Any X bounds
lam from below. The map of (3) there, X -> eta^2 p g o Cov(X), keeps the positive semidefinite matrices, so that a P > 0 that is
not smaller than its image proves that SGD is stable at eta (Collatz and Wielandt).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from numerics.stability.general_threshold import problem_of_hessians
from numerics.stability.spectrum import Spectrum
from numerics.stability.threshold import Certificate, Threshold
from theory.beyond.momentum_bounds import momentum
from theory.checks import Array
from theory.enclosure import EPS
from theory.symbols import Sampling

DENSE = 32
"""Up to so many dimensions the map is written out."""

Spread = Callable[[Array], Array]
"""X to the mean of the H_i X H_i."""


def threshold_with_momentum(levels: Array, spread: Spread, share: float, b: float) -> Threshold:
    """Return the threshold, of Hessians whose mean is the diagonal of `levels`, all above 0 and none much above 1.

    Raises:
        RuntimeError: if the iteration does not converge, or no lower bound is found.
    """
    r = len(levels)
    if r == 0:
        return Threshold(math.inf, math.inf, math.inf, "zero", Certificate(np.empty((0, 0)), np.empty((0, 0))))
    cost = (levels[:, None] + levels) / 2
    inverse = 1 / np.sqrt(cost)

    def operate(x: Array) -> Array:
        square = inverse * x.reshape(r, r)
        moved = inverse * _moved(levels, spread, share, b, (square + square.T) / 2)
        flat: Array = moved.ravel()
        return flat

    top = _top(r, operate)
    unstable = inverse * top
    unstable = unstable if np.trace(unstable) >= 0 else -unstable
    unstable = unstable / float(np.linalg.norm(unstable))
    upper = ceiling(levels, spread, share, b, unstable)
    for slack in (1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-3, 1e-2):
        lower = upper * (1 - slack)
        raised = unstable + slack * float(np.trace(unstable)) / r * np.eye(r)
        for stable in (raised, _summed(levels, spread, share, b, lower)):
            if stable is not None and keeps(levels, spread, share, b, lower, stable):
                return Threshold(upper, lower, upper, "momentum", Certificate(stable, unstable))
    raise RuntimeError("no lower bound was found: directions differ too much in curvature")


def _top(r: int, operate: Callable[[Array], Array]) -> Array:
    """Return the top eigenvector of a self-adjoint map of symmetric matrices, [r, r].

    Raises:
        RuntimeError: if Lanczos does not converge.
    """
    if r <= DENSE:
        written = np.column_stack([operate(unit) for unit in np.eye(r * r)])
        _, vectors = np.linalg.eigh((written + written.T) / 2)
        vector = vectors[:, -1]
    else:
        operator = LinearOperator((r * r, r * r), matvec=operate, dtype=np.float64)
        start = np.eye(r).ravel() + np.random.default_rng(0).standard_normal(r * r) / r
        try:
            _, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=1e-13)
        except ArpackNoConvergence as error:
            raise RuntimeError("Lanczos iteration did not converge: directions differ too much in curvature") from error
        vector = vectors[:, 0]
    matrix: Array = vector.reshape(r, r)
    return (matrix + matrix.T) / 2


def _moved(levels: Array, spread: Spread, share: float, b: float, x: Array) -> Array:
    """Return D_b(X)."""
    product, gap = levels[:, None] * levels, levels[:, None] - levels
    moved: Array = (product / (1 + b) - b * gap**2 / ((1 - b) ** 2 * (1 + b))) * x
    if share:
        moved = moved + share / (1 - b) * _covariance(levels, spread, x)
    return moved


def _covariance(levels: Array, spread: Spread, x: Array) -> Array:
    """Return Cov(X), the mean of the H_i X H_i less H X H."""
    covariance: Array = spread(x) - levels[:, None] * levels * x
    return covariance


def ceiling(levels: Array, spread: Spread, share: float, b: float, x: Array) -> float:
    """Return 2 tr X C(X)/tr X D_b(X), which no threshold exceeds; inf if that is not above 0."""
    cost = float(np.sum((levels[:, None] + levels) / 2 * x * x))
    gain = float(np.sum(x * _moved(levels, spread, share, b, x)))
    return 2 * cost / gain if gain > 0 else math.inf


def keeps(levels: Array, spread: Spread, share: float, b: float, step_size: float, matrix: Array) -> bool:
    """Return whether P > 0 is no smaller than eta^2 p g o Cov(P), and the noiseless map is stable: SGD is stable there."""
    gains = _gains(levels, b, step_size)
    if gains is None:
        return False
    p = (matrix + matrix.T) / 2
    image = gains * share * _covariance(levels, spread, p)
    left = p - (image + image.T) / 2
    size = float(np.linalg.norm(p))
    definite = float(np.linalg.eigvalsh(p)[0]) > EPS * len(p) * size
    return definite and float(np.linalg.eigvalsh(left)[0]) >= -4 * EPS * len(p) * size


def _gains(levels: Array, b: float, step_size: float) -> Array | None:
    """Return eta^2 g, [r, r]; None if the noiseless map is not stable."""
    if step_size * levels.max() >= 2 * (1 + b):
        return None
    product, sums = levels[:, None] * levels, levels[:, None] + levels
    rest = (1 + b) * (1 - b) ** 2 * sums
    rest -= step_size * ((1 + b**2) * product - b * (levels[:, None] ** 2 + levels**2))
    gains: Array = step_size * (1 - b**2) / rest
    return gains


def _summed(levels: Array, spread: Spread, share: float, b: float, step_size: float) -> Array | None:
    """Return P with P - eta^2 p g o Cov(P) = I in few dimensions, None in more or if there is none."""
    r = len(levels)
    gains = _gains(levels, b, step_size)
    if r > DENSE or gains is None:
        return None
    columns = []
    for unit in np.eye(r * r):
        x = unit.reshape(r, r)
        columns.append((x - gains * share * _covariance(levels, spread, (x + x.T) / 2)).ravel())
    try:
        found = np.linalg.solve(np.column_stack(columns), np.eye(r).ravel()).reshape(r, r)
    except np.linalg.LinAlgError:
        return None
    matrix: Array = (found + found.T) / 2
    return matrix / float(np.linalg.norm(matrix))


def of_features(spectrum: Spectrum) -> tuple[Array, Spread]:
    """Return the eigenvalues of H on the span of features, and the mean of phi_i phi_i^T X phi_i phi_i^T in its basis."""
    kept = slice(len(spectrum.values) - spectrum.rank, None)
    levels, n = spectrum.values[kept], len(spectrum.values)
    rows = math.sqrt(n) * spectrum.vectors[:, kept] * np.sqrt(levels)

    def spread(x: Array) -> Array:
        sizes = np.einsum("ij,ij->i", rows @ x, rows)
        matrix: Array = (rows * sizes[:, None]).T @ rows / n
        return matrix

    return levels, spread


def of_hessians(hessians: object, batch: int, sampling: Sampling) -> tuple[Array, Spread, float, int]:
    """Return the eigenvalues of the mean of Hessians, the mean of the H_i X H_i in its basis, p, and a power of 2.

    Raises:
        TypeError: as `numerics.stability.general_threshold.threshold_of_hessians`.
        ValueError: as there.
    """
    points, share, exponent = problem_of_hessians(hessians, batch, sampling)
    levels, basis = np.linalg.eigh(np.mean(points, axis=0)) if points.shape[1] else (np.empty(0), np.empty((0, 0)))
    turned = basis.T @ points @ basis

    def spread(x: Array) -> Array:
        matrix: Array = np.mean(turned @ x @ turned, axis=0)
        return matrix

    return levels, spread, share, exponent


def momentum_of(value: object) -> float:
    """Return momentum as a float.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not from 0 to below 1.
    """
    return float(momentum("momentum", value))
