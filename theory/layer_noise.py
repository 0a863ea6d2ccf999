"""Noise on the weights of a network: finitely many equally likely noises a layer, independent of those of other layers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, over_one_denominator, rationals, real_array


def noise_lists(name: str, value: Any) -> tuple[Array, ...]:
    """Return equally likely noises of each layer, rationals, [m, rows, columns] each.

    Raises:
        TypeError: if it is no sequence, or an entry is no real number.
        ValueError: if a layer has none, or an entry is not finite.
    """
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{name} must be a sequence of noises, one array a layer, got {type(value).__name__}")
    found = tuple(rationals(real_array(f"{name}[{i}]", noises, ndim=3)) for i, noises in enumerate(value))
    for i, noises in enumerate(found):
        if 0 in noises.shape:
            raise ValueError(f"{name}[{i}] must have entries on all three axes, got shape {noises.shape}")
    return found


def second_moments(noises: Array) -> tuple[bool, Fraction]:
    """Return whether the entries of noises [m, rows, columns] are uncorrelated and of one second moment, and that moment."""
    integers, denominator = over_one_denominator(noises)
    rows = integers.reshape(len(noises), -1)
    moments = rows.T @ rows
    trace, size = int(np.trace(moments)), len(moments)
    alone = bool(np.all(size * moments == trace * np.eye(size, dtype=object)))
    return alone, Fraction(trace, size * len(rows) * denominator**2)


def centred(layer_noises: Sequence[Array]) -> bool:
    """Return whether the noise of each layer has mean 0, and uncorrelated entries of one variance."""
    return all(second_moments(noises)[0] and bool(np.all(noises.sum(axis=0) == 0)) for noises in layer_noises)


def variances(layer_noises: Sequence[Array]) -> list[Fraction]:
    """Return the second moment of the entries of each layer's noise."""
    return [second_moments(noises)[1] for noises in layer_noises]


def noisy_networks(layers: Sequence[Array], layer_noises: Sequence[Array]) -> list[tuple[Array, ...]]:
    """Return a network with every combination of the layers' noises, all equally likely.

    Raises:
        ValueError: if the noises do not have the shapes of the layers.
    """
    if [matrix.shape for matrix in layers] != [noises.shape[1:] for noises in layer_noises]:
        raise ValueError("layer_noises must have the shapes of the layers")
    every = itertools.product(*(list(noises) for noises in layer_noises))
    return [tuple(matrix + noise for matrix, noise in zip(layers, drawn, strict=True)) for drawn in every]
