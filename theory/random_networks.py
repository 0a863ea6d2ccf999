"""ReLU networks without biases whose weights are random with few values: means over all of them, exactly.

Each row of layer i is one of the vectors of a support or its opposite, all equally likely and independent of all others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np

from theory.checks import Array, count, exact_vector, exact_vectors, rationals

MOST_NETWORKS = 20_000
"""So many networks are gone through at most."""


def layer_matrices(name: str, value: Any) -> tuple[Array, ...]:
    """Return the matrices of at least two layers, exact, each with as many columns as the one before has rows.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than two, or their shapes do not fit.
    """
    layers = tuple(exact_vectors(f"{name}[{i}]", layer) for i, layer in enumerate(value))
    if len(layers) < 2:
        raise ValueError(f"{name} must hold at least two layers, got {len(layers)}")
    for i, (first, second) in enumerate(pairwise(layers)):
        if second.shape[1] != len(first):
            raise ValueError(
                f"{name}[{i + 1}] must have {len(first)} columns, as {name}[{i}] has rows, got {second.shape[1]}"
            )
    return layers


def layer_supports(name: str, value: Any) -> tuple[Array, ...]:
    """Return the vectors that rows are drawn from, layer by layer, exact, [s_i, n_{i-1}], at least two layers.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than two layers, or one has no vectors.
    """
    supports = tuple(exact_vectors(f"{name}[{i}]", layer) for i, layer in enumerate(value))
    if len(supports) < 2:
        raise ValueError(f"{name} must hold at least two layers, got {len(supports)}")
    return supports


def forward(weights: Sequence[Array], x: Array) -> tuple[Array, Array]:
    """Return f(x), [k], and the Jacobian there, [k, d], with 0 for the slope of the ReLU at 0."""
    h, jacobian = x, None
    for i, layer in enumerate(weights):
        z = layer @ h
        jacobian = layer if jacobian is None else layer @ jacobian
        if i < len(weights) - 1:
            active = (z > 0).astype(int)
            z, jacobian = z * active, jacobian * active[:, None]
        h = z
    assert jacobian is not None
    return h, jacobian


def rows_of(supports: Sequence[Array], widths: Sequence[int]) -> Iterator[list[Array]]:
    """Yield every network, each as likely as the others, as its matrices [n_i, n_{i-1}].

    Raises:
        ValueError: if there are too many.
    """
    many = math.prod((2 * len(s)) ** n for s, n in zip(supports, widths, strict=True))
    if many > MOST_NETWORKS:
        raise ValueError(f"supports must leave at most {MOST_NETWORKS} networks, got {many}")
    layers = []
    for support, width in zip(supports, widths, strict=True):
        rows = [*support, *(-support)]
        layers.append([np.array(chosen, dtype=object) for chosen in product(rows, repeat=width)])
    for network in product(*layers):
        yield list(network)


def variance(support: Array) -> Fraction | None:
    """Return v where the mean of w w^T over a support is v I, or None where it is no multiple of I."""
    mean = support.T @ support / Fraction(len(support))
    v = Fraction(mean[0, 0])
    return v if np.all(mean == v * rationals(np.eye(len(mean), dtype=int))) else None


def exact_input(name: str, value: Any) -> Array:
    """Return an input that is not 0, exact, [d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is 0, has not one axis or is not finite.
    """
    x = exact_vector(name, value)
    if not np.any(x != 0):
        raise ValueError(f"{name} must not be 0")
    return x


def row_counts(name: str, value: Any) -> tuple[int, ...]:
    """Return numbers of rows, one a layer.

    Raises:
        TypeError: if one is no integer.
        ValueError: if one is below 1.
    """
    return tuple(count(f"{name}[{i}]", rows) for i, rows in enumerate(value))


def layers_fit(supports: Sequence[Array], rows: Sequence[int], x: Array) -> bool:
    """Return whether supports and numbers of rows are those of layers on top of each other, over an input x [d]."""
    sizes = [len(x), *rows]
    return len(supports) == len(rows) and all(s.shape[1] == n for s, n in zip(supports, sizes, strict=False))


def unit_on_a_plane(supports: Sequence[Array], rows: Sequence[int], x: Array) -> tuple[Any, ...]:
    """Return the weights and the input, not 0, of a hidden unit that is 0 there in some network; nothing if there is none."""
    for network in rows_of(supports[:-1], rows[:-1]):
        h = x
        for layer in network:
            z = layer @ h
            if np.any(h != 0) and np.any(z == 0):
                return (*layer[int(np.flatnonzero(z == 0)[0])], *h)
            h = z * (z > 0).astype(int)
    return ()


def generic(dimension: int) -> Array:
    """Return scaled orthogonal vectors, one a row, that few points of few digits are orthogonal to, [n, n]."""
    if dimension == 1:
        return rationals([[2]])
    blocks = rationals(np.eye(dimension, dtype=int))
    u: Sequence[int] = [3, 7, 19, 41][:dimension]
    length = sum(v * v for v in u)
    turned: Array = blocks * length - 2 * rationals(np.outer(u, u))
    return turned
