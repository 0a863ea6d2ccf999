"""Linearised SGD near a minimum: its mean, its second moments, and when they stay bounded.

Near an interpolating minimum with per-sample Hessians H_i, SGD is w' = (I - eta mean_{i in batch} H_i) w. Its mean obeys
I - eta H, and its second moment E[w w^T] the linear map

    X -> (I - eta H) X (I - eta H) + eta^2 p (mean H_i X H_i - H X H),   p = (n - B) / (B (n - 1)),

for batches of B drawn without replacement (walker2023, Theorem 2.4; Mulayoff and Michaeli, COLT 2024).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from theory.checks import Array, batch_size, over, over_one_denominator, positive, rationals, real_array
from theory.enclosure import Enclosure, top_eigenvalue, top_in_floats


def noise_share(n: int, batch: int) -> Fraction:
    """Return p = (n - B)/(B (n - 1)), the share of the per-sample covariance that a batch of B of n points keeps.

    0 for n = 1, where the printed factor is 0/0 and the only batch is the data set.

    Raises:
        TypeError: if `batch` is no integer.
        ValueError: if `batch` is not between 1 and n.
    """
    b = batch_size(batch, n)
    return Fraction(0) if n == 1 else Fraction(n - b, b * (n - 1))


def hessians_array(name: str, value: object) -> Array:
    """Return per-sample Hessians as an array [n, d, d] of symmetric matrices, exact if they hold a `Fraction`.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is not [n, d, d] with n, d >= 1, an entry is not finite, or a matrix is not symmetric.
    """
    hessians = real_array(name, value, ndim=3)
    if hessians.shape[1] != hessians.shape[2] or 0 in hessians.shape:
        raise ValueError(f"{name} must have shape [n, d, d] with n, d >= 1, got {hessians.shape}")
    if np.any(hessians != hessians.transpose(0, 2, 1)):
        raise ValueError(f"{name} must be symmetric matrices")
    return hessians


def _mean(hessians: Array) -> Array:
    total: Array = hessians.sum(axis=0)
    return total / (Fraction(len(hessians)) if hessians.dtype == object else float(len(hessians)))


def moments(hessians: Array) -> tuple[Array, Array]:
    """Return H = mean H_i and Sigma = mean H_i^2 - H^2, both [d, d], of Hessians [n, d, d] (walker2023, Def 2.3)."""
    mean = _mean(hessians)
    return mean, _mean(np.array([h @ h for h in hessians])) - mean @ mean


def mean_square_condition(hessians: Array, step_size: float | Fraction, batch: int) -> Array:
    """Return (1 - eta H)^2 + eta^2 p Sigma, [d, d], which is E[w'^T w'] as a quadratic form (walker2023, Thm 2.4)."""
    mean, sigma = moments(hessians)
    step_size = _as(hessians, step_size)
    contraction = np.eye(len(mean), dtype=int) - step_size * mean
    matrix: Array = contraction @ contraction + step_size**2 * _as(hessians, noise_share(len(hessians), batch)) * sigma
    return matrix


def _as(hessians: Array, value: float | Fraction) -> float | Fraction:
    """Return the value in the arithmetic of the Hessians."""
    return Fraction(value) if hessians.dtype == object else float(value)


def second_moment_step(matrix: Array, hessians: Array, step_size: Fraction, batch: int) -> Array:
    """Return E[A X A], [d, d], for X = `matrix`: the second moment of linearised SGD after one more step, exactly.

    Args:
        matrix: X, rationals [d, d].
        hessians: H_i, symmetric, rationals [n, d, d].
        step_size: eta.
        batch: B from 1 to n, drawn without replacement.
    """
    (x, below), (h, denominator) = over_one_denominator(rationals(matrix)), over_one_denominator(hessians)
    share, total = noise_share(len(h), batch), h.sum(axis=0)
    # In integers: n q times I - eta H, q the denominators of eta and of the H_i, and the covariance likewise.
    whole = len(h) * denominator * step_size.denominator
    contraction = whole * np.eye(len(total), dtype=object) - step_size.numerator * total
    spread = len(h) * (h @ x @ h).sum(axis=0) - total @ x @ total
    stepped = share.denominator * (contraction @ x @ contraction)
    stepped = stepped + share.numerator * step_size.numerator**2 * spread
    return over(stepped, share.denominator * whole**2 * below)


def mean_square_growth(hessians: object, step_size: float | Fraction, batch: int) -> Enclosure:
    """Return an interval around the factor by which the second moments of linearised SGD grow per step.

    The spectral radius of T(X) = E[A X A]: below 1 the expected squared distance to the minimum goes to 0, above 1 it
    grows without bound. Floats count as the rationals they are, of which T is built. For rational Hessians the interval
    is narrow and the time grows fast with d; for those in floats its ends are floats (`enclosure.top_in_floats`).

    Args:
        hessians: symmetric per-sample Hessians, [n, d, d]; the map is built densely, [d^2, d^2], so d is small.
        step_size: eta > 0 on the loss mean_i l_i.
        batch: the batch size B, drawn without replacement.

    Returns:
        The interval.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, step_size <= 0, or B is not between 1 and n.
    """
    given, eta = hessians_array("hessians", hessians), positive("step_size", step_size)
    batch_size(batch, len(given))
    h, d = rationals(given), given.shape[1]
    units = np.eye(d * d, dtype=int).reshape(d * d, d, d)
    # T is self-adjoint for <X, Y> = tr(X Y), and by Perron and Frobenius its spectral radius is its top eigenvalue.
    operator = np.array([second_moment_step(unit, h, Fraction(eta), batch).ravel() for unit in units])
    return top_like(operator, given)


def mean_growth(hessians: Array, step_size: float | Fraction) -> Enclosure:
    """Return an interval around eta lambda_max(H), which must not exceed 2 for the mean of linearised SGD to stay."""
    return top_like(_mean(rationals(hessians)) * Fraction(step_size), hessians)


def top_like(matrix: Array, given: Array) -> Enclosure:
    """Return an interval around the largest eigenvalue of rationals [n, n], its ends floats if what is `given` is in floats."""
    return top_eigenvalue(matrix) if given.dtype == object else top_in_floats(*over_one_denominator(matrix))


def outer_products(*features: tuple[int, ...]) -> Array:
    """Return the Hessians phi phi^T, [n, d, d], of squared losses that are linear in the features, exactly."""
    return np.array([[[Fraction(a * b) for b in phi] for a in phi] for phi in features], dtype=object)
