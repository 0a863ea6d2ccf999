"""A bound on what noise in the weights does to a ReLU network, without conditions (B17)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from theory.checks import exact_vector
from theory.enclosure import rounded
from theory.neyshabur2017.perturbation_bounds import deviations, squared_effects
from theory.relu_network import exact_layers


def perturbation_bound(layers: Any, x: Any, standard_deviations: Any) -> float:
    """Return a_d^2, a bound on E|f_(w+nu)(x) - f_w(x)|^2 whatever units switch, rounded up (B17).

    a_0 = 0, a_i^2 = ||W_i||_2^2 a_{i-1}^2 + s_i^2 h_i (|f^{i-1}(x)| + a_{i-1})^2, h_i the units of layer i.

    Args:
        layers: weight matrices of a ReLU network without biases, first to last, each [its outputs, its inputs].
        x: the point, [d].
        standard_deviations: of the noise on the weights of each layer, at least 0, [l].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if sizes do not fit, an entry is not finite, or a standard deviation is negative.

    Example:
        >>> from theory.beyond import perturbation_bound
        >>> perturbation_bound([[[2]], [[1]]], [3], [1, 1])
        90.0
    """
    matrices, point = exact_layers("layers", layers), exact_vector("x", x)
    sigma = deviations("standard_deviations", standard_deviations)
    return rounded(Fraction(squared_effects(matrices, point, list(sigma * sigma))[-1].upper), math.inf)
