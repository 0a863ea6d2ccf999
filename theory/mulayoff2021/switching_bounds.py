"""Bounds for minima at which units toggle on data points (M7 to M9, B4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory.checks import nonnegative, positive


def _shared(gradient_bound: Any, toggling: Any, n: Any) -> float:
    """Return C^2 p/n as a float, its parts checked.

    Raises:
        ValueError: if C or p is negative, or n is not above 0.
    """
    bound, units = nonnegative("gradient_bound", gradient_bound), nonnegative("toggling", toggling)
    return float(bound) ** 2 * float(units) / float(positive("n", n))


def feature_change_bound(gradient_bound: float, toggling: int) -> float:
    """Return C sqrt(2 p), above ||Phi_m - Phi_m'|| for any two modes m and m' around weights without idle units (B4).

    Args:
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        toggling: p, the most units that toggle on one data point.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if one is negative or not finite.

    Example:
        >>> from theory.mulayoff2021 import feature_change_bound
        >>> round(feature_change_bound(gradient_bound=2, toggling=1), 4)
        2.8284
    """
    return float(np.sqrt(2 * _shared(gradient_bound, toggling, 1)))


def eigenvector_residual_bound(top: float, other_top: float, gradient_bound: float, toggling: int, n: int) -> float:
    """Return sqrt(2) C (sqrt(lambda) + sqrt(lambda')) sqrt(p/n), above ||H' q - lambda q|| for two modes (M7.a).

    q is a top eigenvector of the one Hessian H, lambda its eigenvalue, lambda' that of the other.

    Args:
        top: lambda_max(H) >= 0.
        other_top: lambda_max(H') >= 0.
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        toggling: p, the most units that toggle on one data point; none has w1 = b1 = 0.
        n: number of data points.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if one is negative or not finite, or n is 0.

    Example:
        >>> from theory.mulayoff2021 import eigenvector_residual_bound
        >>> round(eigenvector_residual_bound(top=8, other_top=7.9, gradient_bound=2, toggling=1, n=50), 4)
        2.2556
    """
    roots = np.sqrt(float(nonnegative("top", top))) + np.sqrt(float(nonnegative("other_top", other_top)))
    return float(np.sqrt(2 * _shared(gradient_bound, toggling, n)) * roots)


def sharpness_bound(step_size: float, gradient_bound: float, toggling: int, n: int) -> float:
    """Return (sqrt(2/eta) + C sqrt(p/(2n)))^2, above lambda_max(H_m) for every mode of a strongly stable minimum (M8.a).

    Args:
        step_size: eta > 0.
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        toggling: p, the most units that toggle on one data point; none has w1 = b1 = 0.
        n: number of data points.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if eta or n is not above 0, or another argument negative or not finite.

    Example:
        >>> from theory.mulayoff2021 import sharpness_bound
        >>> round(sharpness_bound(step_size=0.25, gradient_bound=2, toggling=1, n=50), 4)
        9.1714
    """
    shared = _shared(gradient_bound, toggling, n)
    return float((np.sqrt(2 / float(positive("step_size", step_size))) + np.sqrt(shared / 2)) ** 2)


def sharpness_bound_as_printed(step_size: float, gradient_bound: float, toggling: int, n: int) -> float:
    """Return 2/eta + 3 C^2 p/n + C sqrt(3 (p/n) (3 C^2 p/n + 2/eta)) (mulayoff2021, eq 35; M8): true, and loose.

    It does not follow from what the paper says it follows from; `deduced_sharpness_bound` does.

    Args:
        step_size: eta > 0.
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        toggling: p, the most units that toggle on one data point; none has w1 = b1 = 0.
        n: number of data points.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if eta or n is not above 0, or another argument negative or not finite.

    Example:
        >>> from theory.mulayoff2021 import sharpness_bound_as_printed
        >>> round(sharpness_bound_as_printed(step_size=0.25, gradient_bound=2, toggling=1, n=50), 4)
        9.6463
    """
    thrice, edge = 3 * _shared(gradient_bound, toggling, n), 2 / float(positive("step_size", step_size))
    return float(edge + thrice + np.sqrt(thrice * (thrice + edge)))


def deduced_sharpness_bound(step_size: float, gradient_bound: float, toggling: int, n: int) -> float:
    """Return the largest lambda with lambda <= 2/eta + 2 sqrt(3) C sqrt(lambda p/n): what eq 34 and Lemma 2 allow (M8.c).

    2/eta + 6 C^2 p/n + 2 C sqrt(3 (p/n) (3 C^2 p/n + 2/eta)).

    Args:
        step_size: eta > 0.
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        toggling: p, the most units that toggle on one data point; none has w1 = b1 = 0.
        n: number of data points.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if eta or n is not above 0, or another argument negative or not finite.

    Example:
        >>> from theory.mulayoff2021 import deduced_sharpness_bound
        >>> round(deduced_sharpness_bound(step_size=0.25, gradient_bound=2, toggling=1, n=50), 4)
        11.2925
    """
    thrice, edge = 3 * _shared(gradient_bound, toggling, n), 2 / float(positive("step_size", step_size))
    return float(edge + 2 * thrice + 2 * np.sqrt(thrice * (thrice + edge)))


def curvature_excess(step_size: float, gradient_bound: float, spare: int, n: int) -> float:
    """Return Delta = C sqrt(P/(n eta)) + C^2 P/(4n): int |f''| g <= 1/eta - 1/2 + Delta if strongly stable (M9.a).

    Args:
        step_size: eta > 0.
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        spare: P, at least the most units that toggle on one data point: 1 + k - L for k units and L knots.
        n: number of data points.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if eta or n is not above 0, or another argument negative or not finite.

    Example:
        >>> from theory.mulayoff2021 import curvature_bound, curvature_excess
        >>> excess = curvature_excess(step_size=0.25, gradient_bound=2, spare=1, n=50)
        >>> curvature_bound(0.25), round(excess, 4)
        (3.5, 0.5857)
    """
    shared = _shared(gradient_bound, spare, n)
    return float(np.sqrt(shared / float(positive("step_size", step_size))) + shared / 4)


def curvature_excess_as_printed(step_size: float, gradient_bound: float, spare: int, n: int) -> float:
    """Return Delta of mulayoff2021, eq 25 (M9): true, and 1.2 to 12 times what M9.a needs.

    (3/2) C^2 P/n + C sqrt((3/4) (P/n) (3 C^2 P/n + 2/eta)).

    Args:
        step_size: eta > 0.
        gradient_bound: C >= 0, above every |d f(x_j) / d theta_i| in every mode.
        spare: P, at least the most units that toggle on one data point: 1 + k - L for k units and L knots.
        n: number of data points.

    Raises:
        TypeError: if an argument is no real number.
        ValueError: if eta or n is not above 0, or another argument negative or not finite.

    Example:
        >>> from theory.mulayoff2021 import curvature_excess_as_printed
        >>> round(curvature_excess_as_printed(step_size=0.25, gradient_bound=2, spare=1, n=50), 4)
        0.8231
    """
    thrice, edge = 3 * _shared(gradient_bound, spare, n), 2 / float(positive("step_size", step_size))
    return float(thrice / 2 + np.sqrt(thrice / 4 * (thrice + edge)))
