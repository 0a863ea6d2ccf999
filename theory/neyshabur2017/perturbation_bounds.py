"""Conditions C1 and C2 of Neyshabur et al. 2017, section 4, on ReLU networks without biases, and bounds on what noise does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, exact_vector, exact_vectors, nonnegative, rationals
from theory.conditions import Condition
from theory.enclosure import Enclosure, rounded, square_root
from theory.relu_network import exact_layers, square, squared_spectral_norm

Layers = tuple[Array, ...]

NOT_ZERO = Condition("f_w(x) is not 0", lambda outputs: any(value != 0 for value in outputs))
"""Of the outputs: then no D_i W_i is 0 and C1 holds for some mu > 0; else the gamma_i are not defined, or C1 fails."""

NO_KINK = Condition("no hidden unit is given 0", lambda least: least > 0)
"""Of the least |pre-activation| of the hidden units."""


def activations(layers: Layers, x: Array) -> list[Array]:
    """Return f^0 = x, f^1, .., f^d, the last without a ReLU.

    Raises:
        ValueError: if x has not an entry for each column of the first layer.
    """
    if len(x) != layers[0].shape[1]:
        raise ValueError(f"the point must have {layers[0].shape[1]} coordinates, got {len(x)}")
    found = [x]
    for number, matrix in enumerate(layers, 1):
        z = matrix @ found[-1]
        found.append(z if number == len(layers) else np.where(z > 0, z, 0 * z))
    return found


def pre_activations(layers: Layers, x: Array) -> list[Array]:
    """Return what the units of each hidden layer are given."""
    return [matrix @ h for matrix, h in zip(layers[:-1], activations(layers, x), strict=False)]


def patterns(layers: Layers, x: Array) -> list[Array]:
    """Return the diagonals of D_1, .., D_d: 1 for a unit that is active at x, else 0; D_d is the identity."""
    hidden = [rationals((z > 0).astype(int)) for z in pre_activations(layers, x)]
    return [*hidden, rationals([1] * len(layers[-1]))]


def masked(layers: Layers, x: Array) -> list[Array]:
    """Return D_1 W_1, .., D_d W_d."""
    return [on[:, None] * matrix for on, matrix in zip(patterns(layers, x), layers, strict=True)]


def part(factors: Sequence[Array], first: int, last: int) -> Array:
    """Return the product of factors first to last, the last of them on the left; the identity if there is none."""
    whole: Array = rationals(np.eye(len(factors[first - 1]) if first else factors[0].shape[1], dtype=int))
    for factor in factors[first : last + 1]:
        whole = factor @ whole
    return whole


def squared_interaction(layers: Layers, x: Array, *, single: bool = True, capped: bool = True) -> Fraction:
    """Return the square of the largest mu with which C1 holds at x, at most 1.

    Args:
        layers: the network.
        x: the point, [d]; C1 writes W_0 for it.
        single: whether the product on the right may be one matrix, a <= c, and not a < c alone.
        capped: whether mu is at most 1.
    """
    factors = [x[:, None], *masked(layers, x)]
    squares = {(a, b): square(part(factors, a, b)) for a in range(len(factors)) for b in range(a, len(factors))}
    found = [Fraction(1)] if capped else []
    for a in range(len(factors)):
        for b in range(a + 1, len(factors)):
            for c in range(a if single else a + 1, b):
                parts = squares[c + 1, b] * squares[a, c]
                if parts:
                    found.append(len(factors[c]) * squares[a, b] / parts)
    return min(found, default=Fraction(1))


def squared_gammas(
    layers: Layers, x: Array, sigma: Array, squared_mu: Fraction, *, whole: bool = False
) -> list[Fraction]:
    """Return gamma_i^2 = sigma_i^2 h_i h_{i-1} / (mu^4 ||D_i W_i||_F^2).

    Args:
        layers: the network.
        x: the point, [d].
        sigma: a standard deviation for each layer, [l].
        squared_mu: mu^2.
        whole: whether with ||W_i||_F, as Theorem 1 prints it, for ||D_i W_i||_F.

    Raises:
        ZeroDivisionError: if mu or a D_i W_i is 0.
        ValueError: if there are not as many standard deviations as layers.
    """
    if len(sigma) != len(layers):
        raise ValueError(f"sigma must have an entry for each of the {len(layers)} layers, got {len(sigma)}")
    factors = layers if whole else masked(layers, x)
    return [
        Fraction(s * s * matrix.size) / (squared_mu**2 * square(matrix))
        for s, matrix in zip(sigma, factors, strict=True)
    ]


def squared_effects(layers: Layers, x: Array, variances: Sequence[Fraction]) -> list[Enclosure]:
    """Return a_0^2 .. a_d^2: a_i^2 = ||W_i||_2^2 a_{i-1}^2 + s_i^2 h_i (|f^{i-1}| + a_{i-1})^2, a_0 = 0.

    Args:
        layers: the network.
        x: the point, [d].
        variances: s_i^2, one a layer, [l].

    Raises:
        ValueError: if there are not as many variances as layers.
    """
    if len(variances) != len(layers):
        raise ValueError(f"the noise must have a variance for each of the {len(layers)} layers, got {len(variances)}")
    found = [Enclosure.exactly(Fraction(0))]
    for matrix, variance, h in zip(layers, variances, activations(layers, x), strict=False):
        reach = square_root(square(h)) + found[-1].root()
        carried = product([squared_spectral_norm(matrix), found[-1]])
        found.append(carried + product([reach, reach]).times(Fraction(variance * len(matrix))))
    return found


def least_activation_constant(layers: Layers, x: Array) -> Fraction:
    """Return the least C_2 with (1/h_k) #{i: |z_i| <= t} <= C_2 t at each hidden level and every t > 0; 0 if there is none.

    Raises:
        ZeroDivisionError: if a hidden unit is given 0.
    """
    found = [Fraction(0)]
    for z in pre_activations(layers, x):
        sizes = sorted(abs(value) for value in z)
        found += [Fraction(place) / (len(z) * size) for place, size in enumerate(sizes, 1)]
    return max(found)


def squared_peak_constant(layers: Layers, x: Array) -> Fraction:
    """Return the least C_3^2 with ||W_i||_{2,inf}^2 h_i <= C_3^2 ||D_i W_i||_F^2 at every layer.

    Raises:
        ZeroDivisionError: if a D_i W_i is 0.
    """
    return max(
        max(square(row) for row in matrix) * len(matrix) / square(kept)
        for matrix, kept in zip(layers, masked(layers, x), strict=True)
    )


def interaction_constant(layers: Any, x: Any) -> float:
    """Return the largest mu <= 1 with which C1 holds at a point, rounded down (N15.a).

    C1 is read with a <= c, as in Figure 6: ||prod_a^b D_i W_i||_F >= (mu/sqrt(h_c)) ||prod_{c+1}^b|| ||prod_a^c||, W_0 = x.

    Args:
        layers: weight matrices of a ReLU network without biases, first to last, each [its outputs, its inputs].
        x: the point, [d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.
        AssumptionError: if the network's outputs at x are all 0.

    Example:
        >>> from theory.neyshabur2017 import interaction_constant
        >>> interaction_constant([[[3, 4]], [[2]]], [1, 0])
        0.848528137423857
    """
    matrices, point = exact_layers("layers", layers), exact_vector("x", x)
    outputs = activations(matrices, point)[-1]
    NOT_ZERO.require("N15.a", outputs, outputs)
    return rounded(Fraction(square_root(squared_interaction(matrices, point)).lower), -math.inf)


def activation_constant(layers: Any, x: Any) -> float:
    """Return the least C_2 with which condition C2, of absolute values, holds at a point, rounded up (N8.a).

    Args:
        layers: weight matrices of a ReLU network without biases, first to last, each [its outputs, its inputs].
        x: the point, [d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a layer does not take what the one before gives, or an entry is not finite.
        AssumptionError: if a hidden unit is given 0.

    Example:
        >>> from theory.neyshabur2017 import activation_constant
        >>> activation_constant([[[4], [-2]], [[1, 1]]], [1])
        0.25
    """
    matrices, point = exact_layers("layers", layers), exact_vector("x", x)
    least = least_size(pre_activations(matrices, point))
    NO_KINK.require("N8.a", least, least)
    return rounded(least_activation_constant(matrices, point), math.inf)


def least_size(numbers: Sequence[Array]) -> Fraction:
    """Return the least size of all entries of vectors, 1 if there are none."""
    return min((abs(Fraction(value)) for z in numbers for value in z), default=Fraction(1))


def fixed_pattern_bound(layers: Any, x: Any, standard_deviations: Any) -> float:
    """Return (prod (1 + gamma_i^2) - 1) |f(x)|^2, a bound on E|f~(x) - f(x)|^2 where no unit switches (N15.b), rounded up.

    f~ has normal noise on all weights, but the activation pattern of f at x. gamma_i = sigma_i sqrt(h_i h_{i-1}) /
    (mu^2 ||D_i W_i||_F), mu as `interaction_constant` has it.

    Args:
        layers: weight matrices of a ReLU network without biases, first to last, each [its outputs, its inputs].
        x: the point, [d].
        standard_deviations: of the noise on the weights of each layer, at least 0, [l].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if sizes do not fit, an entry is not finite, or a standard deviation is negative.
        AssumptionError: if the network's outputs at x are all 0.

    Example:
        >>> from theory.neyshabur2017 import fixed_pattern_bound
        >>> fixed_pattern_bound([[[2]], [[1]]], [1], [1, 1])
        6.0
    """
    matrices, point = exact_layers("layers", layers), exact_vector("x", x)
    sigma = deviations("standard_deviations", standard_deviations)
    outputs = activations(matrices, point)[-1]
    NOT_ZERO.require("N15.b", outputs, outputs)
    gammas = squared_gammas(matrices, point, sigma, squared_interaction(matrices, point))
    return rounded((math.prod((1 + g for g in gammas), start=Fraction(1)) - 1) * square(outputs), math.inf)


def expected_sharpness_bound(layers: Any, inputs: Any, standard_deviations: Any, lipschitz: Any = 1) -> float:
    """Return C_L times the mean of a_d over the data, a bound on E|L(f_{w+nu}) - L(f_w)|, rounded up (N18.a).

    a_0 = 0, a_i^2 = ||W_i||_2^2 a_{i-1}^2 + s_i^2 h_i (|f^{i-1}(x)| + a_{i-1})^2: no condition on the network, and units may
    switch.

    Args:
        layers: weight matrices of a ReLU network without biases, first to last, each [its outputs, its inputs].
        inputs: the data, one a row, [n, d].
        standard_deviations: of the noise on the weights of each layer, at least 0, [l].
        lipschitz: C_L, the Lipschitz constant of the loss in the outputs, at least 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if sizes do not fit, an entry is not finite, or a number is negative that may not be.

    Example:
        >>> from theory.neyshabur2017 import expected_sharpness_bound
        >>> expected_sharpness_bound([[[2]]], [[3], [5]], [1])
        4.0
    """
    matrices, data = exact_layers("layers", layers), exact_vectors("inputs", inputs)
    sigma = deviations("standard_deviations", standard_deviations)
    (factor,) = exact_vector("lipschitz", [nonnegative("lipschitz", lipschitz)])
    ends = [squared_effects(matrices, x, list(sigma * sigma))[-1].root() for x in data]
    return rounded(factor * sum((Fraction(end.upper) for end in ends), Fraction(0)) / len(data), math.inf)


def deviations(name: str, value: Any) -> Array:
    """Return standard deviations as rationals, [l].

    Raises:
        TypeError: if one is no real number.
        ValueError: if one is negative or not finite.
    """
    numbers = exact_vector(name, value)
    for number in numbers:
        nonnegative(name, number)
    return numbers


def product(parts: Sequence[Enclosure]) -> Enclosure:
    """Return the product of numbers that are not negative."""
    lower = math.prod((Fraction(p.lower) for p in parts), start=Fraction(1))
    return Enclosure(lower, math.prod((Fraction(p.upper) for p in parts), start=Fraction(1)))
