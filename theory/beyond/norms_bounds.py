"""Geometric complexity of two layers in closed form, and bounds by norms of the weights (B12, B13)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, Matrix, Reals, floats, real_array, share, vectors_array
from theory.enclosure import rounded
from theory.relu_network import exact_layers, square


def _active_grams(hidden: Matrix, biases: Reals, outputs: Matrix, inputs: Matrix) -> Array:
    """Return <v_j, v_k> <w_j, w_k> q_jk, [m, m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, or an entry is not finite.
    """
    matrices = {"hidden_weights": hidden, "output_weights": outputs, "inputs": inputs}
    w, v, x = (floats(name, vectors_array(name, value)) for name, value in matrices.items())
    b = floats("hidden_biases", real_array("hidden_biases", biases))
    if len(b) != len(w):
        raise ValueError(f"hidden_biases must have an entry a unit, {len(w)}, got {len(b)}")
    if v.shape[1] != len(w):
        raise ValueError(f"output_weights must have a column a unit, {len(w)}, got shape {v.shape}")
    if x.shape[1] != w.shape[1]:
        raise ValueError(f"inputs must have {w.shape[1]} coordinates each, got shape {x.shape}")
    active = (x @ w.T + b > 0).astype(np.float64)
    grams: Array = (v.T @ v) * (w @ w.T) * (active.T @ active / len(x))
    return grams


def two_layer_complexity(hidden_weights: Matrix, hidden_biases: Reals, output_weights: Matrix, inputs: Matrix) -> float:
    """Return sum_jk <v_j, v_k> <w_j, w_k> q_jk, the geometric complexity of a two-layer ReLU network (B12).

    In floats, at the cost of matrix products: no Jacobian is formed.

    Args:
        hidden_weights: w_j, one unit a row, [m, d].
        hidden_biases: b_j, [m].
        output_weights: v_j, one unit a column, [k, m].
        inputs: the data, one a row, [n, d]; a unit at its kink counts as inactive.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, or an entry is not finite.

    Example:
        >>> from theory.beyond import two_layer_complexity
        >>> two_layer_complexity([[1, 0], [0, 1]], [0, 0], [[1, 1]], inputs=[[1, 1], [-1, 1]])
        1.5
    """
    return float(_active_grams(hidden_weights, hidden_biases, output_weights, inputs).sum())


def unit_complexity_bound(
    hidden_weights: Matrix, hidden_biases: Reals, output_weights: Matrix, inputs: Matrix
) -> float:
    """Return sum_j sqrt(q_j) |v_j| |w_j|, a bound on the root of the geometric complexity of two layers (B12.a).

    Args:
        hidden_weights: w_j, one unit a row, [m, d].
        hidden_biases: b_j, [m].
        output_weights: v_j, one unit a column, [k, m].
        inputs: the data, one a row, [n, d]; a unit at its kink counts as inactive.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, or an entry is not finite.

    Example:
        >>> from theory.beyond import unit_complexity_bound
        >>> round(unit_complexity_bound([[1, 0], [0, 1]], [0, 0], [[1, 1]], inputs=[[1, 1], [-1, 1]]), 4)
        1.7071
    """
    return math.fsum(np.sqrt(np.diag(_active_grams(hidden_weights, hidden_biases, output_weights, inputs))))


def gaussian_overlap(turn: Any) -> float:
    """Return (pi - angle) / (2 pi), the probability that two units without biases are both active on x ~ N(0, I) (B12.d).

    Args:
        turn: the angle between their weights over pi, from 0 to 1.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is out of its range.

    Example:
        >>> from theory.beyond import gaussian_overlap
        >>> gaussian_overlap(turn=0.5)
        0.25
    """
    return float((1 - Fraction(share("turn", turn))) / 2)


def frobenius_complexity_bound(layers: Any) -> float:
    """Return prod ||W_i||_F^2, a bound on the geometric complexity of a ReLU network on any data (B13.a).

    Args:
        layers: weight matrices of layers that follow one another, first to last, each [its outputs, its inputs].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.

    Example:
        >>> from theory.beyond import frobenius_complexity_bound
        >>> frobenius_complexity_bound([[[3, 0], [0, 4]], [[1, 0]]])
        25.0
    """
    norms = (square(matrix) for matrix in exact_layers("layers", layers))
    return rounded(math.prod(norms, start=Fraction(1)), math.inf)
