"""The sharpness of a two-layer network at interpolation, its Hessian away from it, and the tops of both."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, over_one_denominator, rationals
from theory.enclosure import Enclosure, top_eigenvalue, top_in_floats
from theory.two_layer import Weights


def gram(weights: Weights, x: Array) -> Array:
    """Return Phi^T Phi / n, [n, n], whose top eigenvalue is that of the Hessian at interpolation (eq 28; M4)."""
    features = weights.tangent_features(x)
    if features.dtype == object:
        return _fractions(*_squared(features.T, len(x)))
    product: Array = features @ features.T / len(x)
    return product


def _squared(factor: Array, n: int) -> tuple[Array, int]:
    """Return F^T F / n for rationals F [m, k], as integers [k, k] over a denominator."""
    integers, denominator = over_one_denominator(factor)
    return integers.T @ integers, n * denominator**2


def _fractions(integers: Array, denominator: int) -> Array:
    matrix: Array = integers * Fraction(1, denominator)
    return matrix


def sharpness(weights: Weights, x: Array) -> Enclosure:
    """Return an interval around lambda_max of Phi Phi^T / n.

    Floats count as the rationals they are: Phi Phi^T / n is theirs, exactly, and its entries are rounded once.
    """
    squared = _squared(weights.rational().tangent_features(rationals(x)).T, len(x))
    return top_eigenvalue(_fractions(*squared)) if weights.exact or x.dtype == object else top_in_floats(*squared)


def second_derivative(weights: Weights, x: Array, y: Array, direction: Array) -> Any:
    """Return d^2/ds^2 of (1/2n) sum (f - y)^2 at theta + s v, exactly, for rational weights and a direction [3k + 1].

    The loss is a polynomial of degree 4 in s while no unit toggles, so the five-point formula is exact. An oracle for
    eq 27 that knows nothing of Phi.
    """
    k = weights.width
    step = Fraction(1)
    size = max((abs(v) for v in direction), default=Fraction(0))
    for gap in np.abs(weights.pre_activations(x)).ravel():
        reach = 2 * size * (1 + max(abs(v) for v in x))
        step = min(step, Fraction(gap) / (2 * reach)) if reach else step

    def loss(s: Fraction) -> Fraction:
        moved = weights.vector + s * direction
        at = Weights(moved[:k], moved[k : 2 * k], moved[2 * k : 3 * k], moved[3 * k])
        residuals = at(x) - y
        return Fraction(residuals @ residuals) / (2 * len(x))

    values = [loss(s * step) for s in (-2, -1, 0, 1, 2)]
    return (-values[0] + 16 * values[1] - 30 * values[2] + 16 * values[3] - values[4]) / (12 * step**2)


def hessian(weights: Weights, x: Array, y: Array) -> Array:
    """Return the Hessian of (1/2n) sum (f - y)^2 in the weights, [3k + 1, 3k + 1] (mulayoff2021, eq 27)."""
    features, rest = weights.tangent_features(x), weights.residual_hessian(x, weights(x) - y)
    if features.dtype == object:
        return _fractions(*_squared(features, len(x))) + rest
    matrix: Array = features.T @ features / len(x) + rest
    return matrix


def hessian_top(weights: Weights, x: Array, y: Array) -> Enclosure:
    """Return an interval around lambda_max of the Hessian; floats count as the rationals they are, as for `sharpness`."""
    theta, points, targets = weights.rational(), rationals(x), rationals(y)
    if weights.exact or object in (x.dtype, y.dtype):
        return top_eigenvalue(hessian(theta, points, targets))
    squared, first = _squared(theta.tangent_features(points), len(x))
    rest, second = over_one_denominator(theta.residual_hessian(points, theta(points) - targets))
    return top_in_floats(squared * second + rest * first, first * second)


def balanced_pair() -> dict[str, Any]:
    """Return weights and x [2] whose sharpness is 1 + 2 int |f''| g, the least that any network has with its function.

    Two points, a unit active on each, balanced: the all-ones vector is the top eigenvector of Phi^T Phi.
    """
    quarter = Fraction(1, 4)
    weights = Weights([1, -1], [-quarter, -quarter], [Fraction(2, 5), Fraction(2, 5)], Fraction(0))
    return {"weights": weights, "x": rationals([Fraction(-3, 4), Fraction(3, 4)])}
