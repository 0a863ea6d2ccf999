"""Bounds on the Lipschitz constant of a ReLU network in the l_inf norm (N5)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, rationals
from theory.enclosure import rounded
from theory.relu_network import exact_layers


def largest_row_norm(matrix: Array) -> Fraction:
    """Return ||W||_{1,inf}, the largest l_1 norm of a row: of what comes into a unit; the l_inf operator norm of W."""
    return max(Fraction(abs(row).sum()) for row in matrix)


def path_sums(layers: tuple[Array, ...]) -> list[Array]:
    """Return for each layer, one unit an entry, the sum over the paths from the inputs to it of their |weights| multiplied.

    Args:
        layers: weight matrices of layers that follow one another.
    """
    sums, found = rationals(np.ones(layers[0].shape[1], dtype=int)), []
    for matrix in layers:
        sums = abs(matrix) @ sums
        found.append(sums)
    return found


def l1_inf_norm_product(layers: Any) -> float:
    """Return ||W_1||_{1,inf} .. ||W_d||_{1,inf}, rounded up: a bound on the l_inf Lipschitz constant of a ReLU network (N5).

    No output moves by more than this times the largest move of an input. Biases do not matter; layers must follow one another.

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.neyshabur2017 import l1_inf_norm_product
        >>> l1_inf_norm_product([[[1, -2], [0, 1]], [[1, -1]]])
        6.0
    """
    matrices = exact_layers("layers", layers)
    return rounded(math.prod(map(largest_row_norm, matrices), start=Fraction(1)), math.inf)


def l1_path_lipschitz_bound(layers: Any) -> float:
    """Return the l_1 path norm, rounded up, as a bound on the l_inf Lipschitz constant of a ReLU network (N5.a).

    The sum over all paths from an input to an output of the product of the |weights|, over the paths to all outputs.

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.neyshabur2017 import l1_path_lipschitz_bound
        >>> l1_path_lipschitz_bound([[[1, -2], [0, 1]], [[1, -1], [1, 0]]])
        7.0
    """
    return rounded(Fraction(path_sums(exact_layers("layers", layers))[-1].sum()), math.inf)


def output_path_lipschitz_bound(layers: Any) -> float:
    """Return the largest l_1 path norm of one output, rounded up: the least of these bounds on the l_inf constant (N5.c).

    The sum over all paths from an input to one output of the product of the |weights|, and of these the largest.

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.neyshabur2017 import output_path_lipschitz_bound
        >>> output_path_lipschitz_bound([[[1, -2], [0, 1]], [[1, -1], [1, 0]]])
        4.0
    """
    return rounded(Fraction(max(path_sums(exact_layers("layers", layers))[-1])), math.inf)
