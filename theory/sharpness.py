"""The sharpness of a two-layer network at interpolation, its Hessian away from it, and the errors of both."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, rationals
from theory.enclosure import EPS, Enclosure, top_eigenvalue
from theory.two_layer import TOGGLE_MARGIN, Weights


def gram(weights: Weights, x: Array) -> Array:
    """Return Phi^T Phi / n, [n, n], whose top eigenvalue is that of the Hessian at interpolation (eq 28; M4)."""
    features = weights.tangent_features(x)
    product: Array = features @ features.T
    return product / (Fraction(len(x)) if product.dtype == object else float(len(x)))


def needs_rationals(weights: Weights, x: Array) -> bool:
    """Return whether the weights or the data are exact, or floats do not tell which units are active."""
    return weights.exact or x.dtype == object or weights.toggle_margin(x) <= TOGGLE_MARGIN


def gram_rounding(weights: Weights, x: Array) -> float:
    """Return a bound on the spectral norm of what rounding adds to Phi^T Phi / n, or to Phi Phi^T / n, in floats."""
    outputs = np.abs(np.multiply.outer(x, weights.w1)) + np.abs(weights.b1)
    slopes = np.multiply.outer(1 + x**2, weights.w2**2)
    # The norm of what the features are sums of, before anything cancels, and of the features.
    terms = float(np.sqrt(np.sum(outputs**2) + np.sum(slopes) + len(x)))
    norm = float(np.linalg.norm(weights.tangent_features(x)))
    features = 2 * EPS * terms
    return ((2 * norm + features) * features + (3 * weights.width + len(x) + 8) * EPS * norm**2) / len(x)


def sharpness(weights: Weights, x: Array) -> Enclosure:
    """Return an interval around lambda_max of Phi Phi^T / n, the rounding of the features included."""
    if needs_rationals(weights, x):
        return top_eigenvalue(gram(weights.rational(), rationals(x)))
    top, error = top_eigenvalue(gram(weights, x)), gram_rounding(weights, x)
    return top.widened(error)


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
    features = weights.tangent_features(x)
    n = Fraction(len(x)) if features.dtype == object else float(len(x))
    matrix: Array = features.T @ features / n + weights.residual_hessian(x, weights(x) - y)
    return matrix


def hessian_top(weights: Weights, x: Array, y: Array) -> Enclosure:
    """Return an interval around lambda_max of the Hessian, the rounding of its entries included."""
    if y.dtype == object or needs_rationals(weights, x):
        return top_eigenvalue(hessian(weights.rational(), rationals(x), rationals(y)))
    top = top_eigenvalue(hessian(weights, x, y))
    outputs = (np.abs(np.multiply.outer(x, weights.w1)) + np.abs(weights.b1)) @ np.abs(weights.w2)
    residuals = outputs + abs(weights.b2) + np.abs(y)  # what they are sums of, before anything cancels
    share = EPS * (weights.width + len(x) + 8)
    error = gram_rounding(weights, x) + share * float(np.mean((np.abs(x) + 1) * residuals))
    return top.widened(error)


def balanced_pair() -> dict[str, Any]:
    """Return weights and x [2] whose sharpness is 1 + 2 int |f''| g, the least that any network has with its function.

    Two points, a unit active on each, balanced: the all-ones vector is the top eigenvector of Phi^T Phi.
    """
    quarter = Fraction(1, 4)
    weights = Weights([1, -1], [-quarter, -quarter], [Fraction(2, 5), Fraction(2, 5)], Fraction(0))
    return {"weights": weights, "x": rationals([Fraction(-3, 4), Fraction(3, 4)])}
