"""Functions of one input at a given training error: what the least Dirichlet energy and the least arc length share (B23).

Only the values z_i at the data points matter: between them straight pieces have both the least energy and the least length,
and beyond them constants. For any numbers q_i, one for each piece, with d_i = z_{i+1} - z_i,

    sum q_i d_i = sum q_i (y_{i+1} - y_i) + sum p_i (z_i - y_i) >= sum q_i (y_{i+1} - y_i) - |p| sqrt(n e),

p_i = q_{i-1} - q_i, if the mean squared error is at most e. A certificate is q, and a bound a few sums of rationals and one
square root.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.linalg import solveh_banded
from scipy.optimize import brentq

from theory.checks import Array, Reals, data_set, floats, nonnegative, rationals, real_array
from theory.enclosure import square_root
from theory.piecewise_linear import PiecewiseLinear

LARGEST_LOGARITHM = 600
"""Multipliers are sought up to about this power of e, near the range of floats."""


@dataclass(frozen=True, eq=False)
class ErrorProblem:
    """Data, and how far a function may be from them.

    Attributes:
        x: data points, increasing floats, [n].
        y: targets, floats, [n].
        training_error: the largest mean squared error, >= 0.
        widths: of each piece between neighbouring data points, exact, [n - 1]: its length, or for a density the integral
            of 1 / density over it, `inf` where the density is 0 on a part of it.
    """

    x: Array
    y: Array
    training_error: float
    widths: Array


@dataclass(frozen=True, eq=False)
class DifferenceCertificate:
    """A dual point: a multiplier of the change of f over each piece between data points, [n - 1]."""

    multipliers: Array


def error_problem(x: Reals, y: Reals, training_error: float) -> ErrorProblem:
    """Return the problem of data, in order and in floats, and a training error.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (fewer than two points, equal ones, different lengths, nan or inf), or the
            training error is negative or not finite.
    """
    error = nonnegative("training_error", training_error)
    points, targets = data_set(*(floats(name, part) for name, part in zip(("x", "y"), data_set(x, y), strict=True)))
    gaps = np.diff(rationals(points))
    return ErrorProblem(points, targets, float(floats("training_error", rationals([error]))[0]), gaps)


def checked_multipliers(problem: ErrorProblem, certificate: DifferenceCertificate) -> list[Fraction]:
    """Return the multipliers of a certificate, exactly.

    Raises:
        TypeError: if one is no real number.
        ValueError: if there is not one for each piece, or one is nan or inf.
    """
    q = real_array("multipliers", certificate.multipliers)
    if len(q) != len(problem.x) - 1:
        raise ValueError(f"a certificate must hold {len(problem.x) - 1} multipliers, one for each piece, got {len(q)}")
    return list(rationals(q))


def reachable(problem: ErrorProblem, q: list[Fraction]) -> Fraction:
    """Return a lower bound on sum q_i d_i over all functions of the training error, exact but for one root rounded up."""
    y = rationals(problem.y)
    padded = [Fraction(0), *q, Fraction(0)]
    p = [before - after for before, after in pairwise(padded)]
    size = sum((number * number for number in p), Fraction(0)) * len(y) * Fraction(problem.training_error)
    rise = sum((number * change for number, change in zip(q, np.diff(y), strict=True)), Fraction(0))
    return rise - Fraction(square_root(size).upper)


def within_error(problem: ErrorProblem, values: Array) -> Array:
    """Return values at the data points, [n], moved towards the targets until their exact training error is allowed."""
    y, most = rationals(problem.y), Fraction(problem.training_error) * len(problem.y)
    step, values = 2.0**-53, np.asarray(values, dtype=np.float64)
    residual = values - problem.y
    with np.errstate(over="ignore"):
        norm = float(np.linalg.norm(residual))
    share = min(1.0, math.sqrt(float(most)) / norm) if norm > 0 else 1.0
    while share > 0:
        moved = problem.y + share * residual
        if sum(((z - target) ** 2 for z, target in zip(rationals(moved), y, strict=True)), Fraction(0)) <= most:
            return moved
        share, step = share * (1 - step), 4 * step
        share = share if step < 1 else 0.0
    return problem.y.copy()


def spline(x: Array, values: Array) -> PiecewiseLinear:
    """Return the function that is linear between points x, increasing, [n], and constant beyond, with values there, [n]."""
    beyond = x[-1] - x[0]
    points = np.concatenate([[x[0] - beyond], x, [x[-1] + beyond]])
    return PiecewiseLinear.interpolate(points, np.concatenate([values[:1], values, values[-1:]]))


def quadratic_optimum(problem: ErrorProblem, widths: Array) -> tuple[Array, Array]:
    """Return the values at the data points, [n], with the least sum of d_i^2 / widths_i, and multipliers d_i / widths_i.

    Args:
        problem: data and training error.
        widths: above 0, perhaps inf, floats, [n - 1].
    """
    y, n = problem.y, len(problem.y)
    middle, reach = float(y[0]), float(np.max(np.abs(y - y[0]))) or 1.0
    targets, most = (y - middle) / reach, n * (problem.training_error / reach / reach)
    span = float(np.max(widths[np.isfinite(widths)], initial=0.0)) or 1.0
    weights = span / widths
    drops = weights * np.diff(targets)
    if most == 0:
        return y, drops * reach / span
    flat = _block_means(targets, weights)
    if float(np.sum((targets - flat) ** 2)) <= most:
        return flat * reach + middle, np.zeros(n - 1)
    pull, bands = np.append(0.0, drops) - np.append(drops, 0.0), np.zeros((2, n))
    bands[0, 1:] = -weights

    def residual(log_mu: float) -> Array:
        bands[1] = np.append(0.0, weights) + np.append(weights, 0.0) + math.exp(log_mu)
        solved: Array = solveh_banded(bands, pull)
        return solved

    def excess(log_mu: float) -> float:
        r = residual(log_mu)
        return math.log(max(float(r @ r), 1e-300) / most)

    low, high = -1.0, 1.0
    while excess(low) < 0 and low > -LARGEST_LOGARITHM:
        low *= 2
    while excess(high) > 0 and high < LARGEST_LOGARITHM:
        high *= 2
    log_mu = brentq(excess, low, high, xtol=1e-15, rtol=1e-15) if excess(low) > 0 > excess(high) else low
    r = residual(log_mu)
    # Multipliers as sums of residuals keep their digits on narrow pieces, where the d_i lose theirs.
    forward, backward = np.cumsum(r)[:-1], np.cumsum(r[::-1])[::-1][1:]
    sums = np.where(np.arange(1, n) <= n // 2, forward, -backward)
    multipliers: Array = np.where(weights > 0, -math.exp(log_mu) * sums, 0.0) * reach / span
    return (targets - r) * reach + middle, multipliers


def _block_means(targets: Array, weights: Array) -> Array:
    """Return the means over runs of data points that no weight of 0 separates, [n]."""
    block = np.append(0, np.cumsum(weights == 0))
    means: Array = (np.bincount(block, weights=targets) / np.bincount(block))[block]
    return means
