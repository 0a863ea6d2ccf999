"""Lipschitz constants of two-layer networks (B20), and the fat-shattering dimension of Lipschitz functions (B21)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, exact_vector, exact_vectors, positive
from theory.enclosure import Enclosure, rounded, square_root
from theory.finite_metric import largest_separated, metric
from theory.relu_network import ReLUNetwork, chain, largest_singular_value, lipschitz_constant, square

MOST_UNITS = 16
"""Of an exact Lipschitz constant: every pattern of the hidden units may be tried."""


def exact_lipschitz_constant(first_layer: Any, biases: Any, last_layer: Any) -> float:
    """Return the l_2 Lipschitz constant of a two-layer ReLU network on all of R^d, rounded up (B20).

    The largest spectral norm of a linear piece, over the pieces that an open set of inputs has. Every pattern of the hidden
    units is tried, so few are wanted; for more, see `two_layer_lipschitz_bound`.

    Args:
        first_layer: weights of the hidden units, [m, d], at most 16 units.
        biases: their biases, [m].
        last_layer: weights of the outputs, [k, m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the sizes do not fit, an entry is not finite, or there are more units.

    Example:
        >>> from theory.beyond import exact_lipschitz_constant
        >>> exact_lipschitz_constant([[1], [-1]], [0, 0], [[3, 4]])
        4.0
    """
    network = two_layers(first_layer, biases, last_layer)
    if len(network.layers[0]) > MOST_UNITS:
        raise ValueError(f"first_layer must have at most {MOST_UNITS} units, got {len(network.layers[0])}")
    return rounded(Fraction(lipschitz_constant(network).upper), math.inf)


def two_layer_lipschitz_bound(first_layer: Any, last_layer: Any) -> float:
    """Return (||V W|| + min(||V|| ||W||, sum_j |v_j| |w_j|))/2 in spectral norms, rounded up (B20.a).

    A bound on the l_2 Lipschitz constant of x -> V relu(W x + b) for all biases, and at most either member of the minimum.

    Args:
        first_layer: W, weights of the hidden units, [m, d].
        last_layer: V, weights of the outputs, [k, m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the sizes do not fit, or an entry is not finite.

    Example:
        >>> from theory.beyond import two_layer_lipschitz_bound
        >>> two_layer_lipschitz_bound([[1], [-1]], [[3, 4]])
        4.0
    """
    w, v = chain((exact_vectors("first_layer", first_layer), exact_vectors("last_layer", last_layer)))
    return rounded(Fraction(averaged_norm(w, v).upper), math.inf)


def fat_shattering_dimension(distances: Any, lipschitz_constant: Any, margin: Any) -> int:
    """Return the fat-shattering dimension at a margin of the functions of a Lipschitz constant on a finite space (B21).

    The size of the largest subset whose points are 2 margin / constant or more from one another; a set of points is shattered
    at a margin if for some levels r_i and every choice of signs some function is margin or more above r_i, or below.

    Args:
        distances: of the points, a metric, [n, n]; some dozens of points, as a largest subset is searched for.
        lipschitz_constant: C, above 0.
        margin: gamma, above 0.

    Raises:
        TypeError: if a value is no real number.
        ValueError: if the distances are no metric, or a number is not above 0.

    Example:
        >>> from theory.beyond import fat_shattering_dimension
        >>> fat_shattering_dimension([[0, 1, 2], [1, 0, 1], [2, 1, 0]], 1, 1)
        2
    """
    space = metric("distances", distances)
    numbers = (positive("lipschitz_constant", lipschitz_constant), positive("margin", margin))
    constant, gamma = map(Fraction, exact_vector("lipschitz_constant and margin", numbers))
    return len(largest_separated(space, 2 * gamma / constant))


def two_layers(first_layer: Any, biases: Any, last_layer: Any) -> ReLUNetwork:
    """Return a network of two layers, of rationals.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the sizes do not fit, or an entry is not finite.
    """
    layers = (exact_vectors("first_layer", first_layer), exact_vectors("last_layer", last_layer))
    return ReLUNetwork(layers, (exact_vector("biases", biases),))


def weight_path_norm(w: Array, v: Array) -> Enclosure:
    """Return sum_j |v_j| |w_j| over the units, of the l_2 norms of what comes in and goes out."""
    parts = [square_root(square(row) * square(column)) for row, column in zip(w, v.T, strict=True)]
    return sum(parts, Enclosure.exactly(Fraction(0)))


def spectral_product(w: Array, v: Array) -> Enclosure:
    """Return ||V|| ||W||, of spectral norms."""
    first, second = largest_singular_value(w), largest_singular_value(v)
    return Enclosure(Fraction(first.lower) * Fraction(second.lower), Fraction(first.upper) * Fraction(second.upper))


def smaller(first: Enclosure, second: Enclosure) -> Enclosure:
    """Return the smaller of two numbers."""
    return Enclosure(min(first.lower, second.lower), min(first.upper, second.upper))


def averaged_norm(w: Array, v: Array) -> Enclosure:
    """Return (||V W|| + min(||V|| ||W||, sum_j |v_j| |w_j|))/2."""
    least = smaller(spectral_product(w, v), weight_path_norm(w, v))
    return (largest_singular_value(np.asarray(v @ w)) + least).times(Fraction(1, 2))
