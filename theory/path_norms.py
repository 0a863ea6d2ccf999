"""Path norms, group norms and node-wise rescalings of networks without biases, exactly.

A path leads from an input to an output through one unit of each layer; its weight is the product of the weights on it.
Multiplying what enters a hidden unit by a factor above 0, and dividing what leaves it, changes no path's weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import prod

import numpy as np

from theory.checks import Array, rationals

Layers = tuple[Array, ...]
"""Weight matrices W_1 to W_d of rationals, each [width of its outputs, width of its inputs]."""


def widths(layers: Layers) -> list[int]:
    """Return h_0, the number of inputs, to h_d, that of outputs."""
    return [layers[0].shape[1], *(len(matrix) for matrix in layers)]


def path_weights(layers: Layers, output: int) -> list[Fraction]:
    """Return the weights of all paths that end in an output, one by one.

    Args:
        layers: the network; the number of its paths is the product of its widths, so few units are wanted.
        output: the number of the output, from 0.
    """
    units = [range(width) for width in widths(layers)[:-1]]
    return [
        Fraction(prod((matrix[after, before] for matrix, (before, after) in zip(layers, pairwise(path), strict=True))))
        for path in product(*units, (output,))
    ]


def all_path_weights(layers: Layers) -> list[Fraction]:
    """Return the weights of all paths to all outputs, one by one."""
    return [weight for output in range(len(layers[-1])) for weight in path_weights(layers, output)]


def raised(layers: Layers, p: int) -> Layers:
    """Return the layers with |w|^p for each weight w."""
    return tuple(rationals([[abs(w) ** p for w in row] for row in matrix]) for matrix in layers)


def path_sums(layers: Layers, p: int = 1) -> list[Array]:
    """Return the sums of |weight|^p over the paths that end in each unit, layer by layer from the inputs on, where it is 1.

    The closed form |W_i|^p .. |W_1|^p 1: no path is looked at on its own.
    """
    sums = [rationals([1] * layers[0].shape[1])]
    for matrix in raised(layers, p):
        sums.append(matrix @ sums[-1])
    return sums


def largest_row(matrix: Array) -> Fraction:
    """Return the largest sum of a row of numbers >= 0: ||W||_{p, inf}^p for the matrix of the |w|^p."""
    return Fraction(max(matrix.sum(axis=1)))


def row_product(layers: Layers, p: int = 1) -> Fraction:
    """Return the p-th power of the product of the group norms ||W_i||_{p, inf}."""
    return prod((largest_row(matrix) for matrix in raised(layers, p)), start=Fraction(1))


def rescaled(layers: Layers, factors: Sequence[Array]) -> Layers:
    """Return the layers after a node-wise rescaling: what enters a hidden unit is multiplied, what leaves it divided.

    Args:
        layers: the network.
        factors: a vector for each hidden layer, of numbers other than 0.

    Raises:
        ValueError: if there is not one factor for each hidden unit.
    """
    hidden = widths(layers)[1:-1]
    if [len(vector) for vector in factors] != hidden:
        raise ValueError(f"factors must be one for each of {hidden} hidden units, got {[len(f) for f in factors]}")
    scales = [rationals([1] * layers[0].shape[1]), *factors, rationals([1] * len(layers[-1]))]
    return tuple(
        after[:, None] * matrix / before for matrix, (before, after) in zip(layers, pairwise(scales), strict=True)
    )


def lifted_sums(layers: Layers, p: int, lift: Fraction) -> list[Array]:
    """Return T_0 = 1, T_i = |W_i|^p T_{i-1} + t for hidden layers and T_d = |W_d|^p T_{d-1}; the `path_sums` for t = 0."""
    sums = [rationals([1] * layers[0].shape[1])]
    for number, matrix in enumerate(raised(layers, p), 1):
        sums.append(matrix @ sums[-1] + (lift if number < len(layers) else 0))
    return sums


def dead_units(layers: Layers) -> list[tuple[int, int]]:
    """Return the hidden units that no path of weight other than 0 reaches, as (layer, unit), both from 0."""
    reached = path_sums(layers)[1:-1]
    return [(layer, int(unit)) for layer, sums in enumerate(reached) for unit in np.flatnonzero(sums == 0)]
