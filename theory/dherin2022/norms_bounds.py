"""Bounds on Lipschitz constants and on geometric complexity by norms of the weight matrices (D8, D17, D18)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from theory.checks import Array, exact_vector
from theory.conditions import Condition
from theory.enclosure import rounded
from theory.relu_network import exact_layers, largest_singular_value, square

ONE_LIPSCHITZ = Condition("the activation is 1-Lipschitz: |a| <= 1", lambda slope: abs(slope) <= 1)
"""Of the slope below 0 of an activation whose slope above 0 is 1."""


def norm_product(layers: Any, slope: Any = 0) -> float:
    """Return sigma_max(W_1) .. sigma_max(W_l), rounded up: a bound on the Lipschitz constant of a network (D8).

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].
        slope: the activation's slope below 0, from -1 to 1, 0 for ReLU; its slope above 0 is 1.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.
        AssumptionError: if the activation is not 1-Lipschitz.

    Example:
        >>> from theory.dherin2022 import norm_product
        >>> norm_product([[[3, 0], [0, 4]], [[1, 0]]])
        4.0
    """
    matrices = exact_layers("layers", layers)
    (exact_slope,) = exact_vector("slope", [slope])
    ONE_LIPSCHITZ.require("D8", exact_slope, slope)
    return rounded(math.prod((_norm(matrix) for matrix in matrices), start=Fraction(1)), math.inf)


def spectral_complexity_bound(layers: Any) -> float:
    """Return min(k, d) prod sigma_max(W_i)^2, a bound on the geometric complexity of a ReLU network on any data (D18).

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.dherin2022 import spectral_complexity_bound
        >>> spectral_complexity_bound([[[3, 0], [0, 4]], [[1, 0]]])
        16.0
    """
    matrices = exact_layers("layers", layers)
    whole = math.prod((_norm(matrix) ** 2 for matrix in matrices), start=Fraction(1))
    return rounded(_least(matrices) * whole, math.inf)


def spectral_penalty_complexity_bound(layers: Any) -> float:
    """Return min(k, d) (R/l)^l, R = sum sigma_max(W_i)^2, the same by the spectral penalty alone (D18.a).

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.dherin2022 import spectral_penalty_complexity_bound
        >>> spectral_penalty_complexity_bound([[[3, 0], [0, 4]], [[2, 0]]])
        100.0
    """
    matrices = exact_layers("layers", layers)
    mean = sum((_norm(matrix) ** 2 for matrix in matrices), Fraction(0)) / len(matrices)
    return rounded(_least(matrices) * mean ** len(matrices), math.inf)


def penalty_complexity_bound(layers: Any) -> float:
    """Return ((1/l) sum ||W_i||_F^2)^l, a bound on the geometric complexity of a ReLU network on any data (D17.a).

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.dherin2022 import penalty_complexity_bound
        >>> penalty_complexity_bound([[[3, 0], [0, 4]], [[1, 0]]])
        169.0
    """
    matrices = exact_layers("layers", layers)
    mean = sum((square(matrix) for matrix in matrices), Fraction(0)) / len(matrices)
    return rounded(mean ** len(matrices), math.inf)


def _norm(matrix: Array) -> Fraction:
    return Fraction(largest_singular_value(matrix).upper)


def _least(matrices: tuple[Array, ...]) -> int:
    """Return min(k, d)."""
    return int(min(matrices[-1].shape[0], matrices[0].shape[1]))
