"""Bounds on the Rademacher complexity of linear models of tangent features (W5 to W7)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theory.checks import (
    Matrix,
    floats,
    real_array,
    vectors_array,
)
from theory.conditions import Condition

INVERTIBLE = Condition("A is invertible", bool)
ALL_INVERTIBLE = Condition("each A_t is invertible", bool)


def rademacher_bound(features: Matrix, matrix: Matrix, radius: Any) -> float:
    """Return (M_A / n) ||A^-1 Phi^T||_F, a bound on the empirical Rademacher complexity of linear models (W6).

    Of x -> <w, Phi(x)> with sqrt(w^T A A^T w) <= M_A, on a sample of n.

    Args:
        features: Phi, one example a row, [n, d].
        matrix: A, invertible, [d, d].
        radius: M_A, at least 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, or an entry is not finite or negative where it must not be.
        AssumptionError: if A is singular, for all that floats tell.

    Example:
        >>> from theory.walker2023 import rademacher_bound
        >>> round(rademacher_bound(features=[[3, 4], [0, 0]], matrix=[[1, 0], [0, 1]], radius=2), 4)
        5.0
    """
    return _path_bound(features, [matrix], [radius], "W6", INVERTIBLE)


def path_rademacher_bound(features: Matrix, matrices: Any, radii: Any) -> float:
    """Return sum_t (m_t / m) ||A_t^-1 Phi^T||_F, the same for w = sum_t dw_t with each dw_t bounded on its own (W7).

    Args:
        features: Phi, one example a row, [m, d].
        matrices: A_t, invertible, [T, d, d].
        radii: m_t, at least 0, [T].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, or an entry is not finite or negative.
        AssumptionError: if an A_t is singular, for all that floats tell.

    Example:
        >>> from theory.walker2023 import path_rademacher_bound
        >>> matrices = [[[1, 0], [0, 1]], [[2, 0], [0, 2]]]
        >>> round(path_rademacher_bound(features=[[3, 4], [0, 0]], matrices=matrices, radii=[1, 1]), 4)
        3.75
    """
    return _path_bound(features, matrices, radii, "W7", ALL_INVERTIBLE)


def _path_bound(features: Matrix, matrices: Any, radii: Any, claim: str, invertible: Condition) -> float:
    rows = floats("features", vectors_array("features", features))
    stack, sizes = floats("matrices", real_array("matrices", matrices, ndim=3)), real_array("radii", radii)
    if stack.shape != (len(sizes), rows.shape[1], rows.shape[1]):
        raise ValueError(f"matrices must be one [d, d] for each radius, d = {rows.shape[1]}, got shape {stack.shape}")
    if np.any(sizes < 0):
        raise ValueError(f"radii must be at least 0, got {min(sizes)}")
    norms = []
    for a in stack:
        try:
            norms.append(float(np.linalg.norm(np.linalg.solve(a, rows.T))))
        except np.linalg.LinAlgError:
            invertible.require(claim, False, "a singular one")
    return math.fsum(float(size) * norm for size, norm in zip(sizes, norms, strict=True)) / len(rows)


def tangent_complexity(updates: Matrix, features: Any) -> float:
    """Return C = sum_t ||dw_t|| ||Phi_t||_F; C / m bounds the Rademacher complexity for fixed feature maps (W7.a).

    Args:
        updates: dw_t, one step of training a row, [T, d].
        features: Phi_t, the tangent features of the sample at each step, [T, m, d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit or an entry is not finite.

    Example:
        >>> from theory.walker2023 import tangent_complexity
        >>> round(tangent_complexity(updates=[[3, 4]], features=[[[2, 0], [0, 0]]]), 4)
        10.0
    """
    steps, maps = vectors_array("updates", updates), real_array("features", features, ndim=3)
    if (len(maps), maps.shape[2]) != steps.shape or not maps.shape[1]:
        raise ValueError(f"features must be one [m, d] for each of the updates {steps.shape}, got shape {maps.shape}")
    sizes = np.linalg.norm(floats("updates", steps), axis=1) * np.linalg.norm(floats("features", maps), axis=(1, 2))
    return math.fsum(sizes)
