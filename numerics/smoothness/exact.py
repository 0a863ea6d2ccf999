"""The measures of two-layer ReLU networks, exactly: along segments, over all pairs, on the line."""

from __future__ import annotations

import torch

from numerics.networks import Network
from numerics.segments import function_variations, gradient_variations
from numerics.smoothness.points import Estimate, Points, along_segments, layers_of, on_line, tensor_of
from theory import path_lengths
from theory.piecewise_linear import PiecewiseLinear, Real


def weights_product(network: Network) -> float:
    """Return WP = sum_i |w2_i| ||w1_i|| (volhejn2020, eq 3.8); see `theory.path_lengths.weights_product`.

    Raises:
        TypeError: if `network` is neither a `TwoLayerReLU` nor `Weights`.
        ValueError: if a weight is not finite.

    Example:
        >>> from numerics import weights_product
        >>> from theory import Weights
        >>> round(weights_product(Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)), 4)
        1.0
    """
    weights = layers_of(network)
    return path_lengths.weights_product(weights.w1.cpu().numpy(), weights.w2.cpu().numpy())


def exact_function_path_length(network: Network, pairs: Points) -> Estimate:
    """Return PL0 along pairs without sampling segments: f is linear between the places where a unit switches.

    In float64, with rounding errors of some (k + d) eps sum_i |w2_i| (||w1_i|| ||x|| + |b1_i|). O(k d + k log k) a pair.

    Args:
        network: k units, d inputs.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `pairs` are empty, of a wrong shape or not finite, or a weight or a pre-activation is not finite.

    Example:
        >>> import torch
        >>> from numerics import glorot_network, sample_pairs
        >>> from numerics.smoothness import exact_function_path_length
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> round(exact_function_path_length(network, sample_pairs(points, 100, seed=0)).value, 3)
        0.44
    """
    return along_segments(network, pairs, function_variations)


def exact_gradient_path_length(network: Network, pairs: Points) -> Estimate:
    """Return PL1 along pairs without sampling segments: the sum of the norms of the jumps of the gradient.

    The ends belong to a segment, and a unit whose pre-activation is 0 there is active, as the derivative of the ReLU at
    0 is postulated to be 1; so the mean over all n^2 pairs is `gradient_path_length_all_pairs`, unless units switch
    together. Units that switch at one place make one jump, the norm of the sum of theirs: the value of the gradient on a
    kink inside the segment is left aside, as the function does not determine it. With that value, as in claims B6 and
    B6.a and in samples that hit the kink, the jumps of units that face each other add up instead: along a segment over 0
    the function [x]_+ - [-x]_+ = x varies by 0 here, and by 2 there.

    Places t = s / (s - e), from pre-activations s and e at the ends, are computed in float64, and neighbours that lie
    within their rounding errors, (d + 3) eps (|w1_i| . |x| + |b1_i|) / |s - e| each, count as one. O(k d + k log k) a
    pair, and O(d) for each unit that switches together with another.

    Args:
        network: k units, d inputs.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `pairs` are empty, of a wrong shape or not finite, or a weight or a pre-activation is not finite.

    Example:
        >>> import torch
        >>> from numerics import glorot_network, sample_pairs
        >>> from numerics.smoothness import exact_gradient_path_length
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> round(exact_gradient_path_length(network, sample_pairs(points, 100, seed=0)).value, 3)
        0.356
    """
    return along_segments(network, pairs, gradient_variations)


def gradient_path_length_all_pairs(network: Network, points: Points) -> float:
    """Return PL1 over all n^2 pairs of the data in closed form (B6); see `theory.path_lengths.network_path_length`.

    Exact if no two units switch at one place of a segment, an upper bound otherwise. O(k n d).

    Args:
        network: k units, d inputs.
        points: the data, [n, d]; points may coincide.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `points` are empty, of a wrong shape or not finite, or a weight is not finite.

    Example:
        >>> import torch
        >>> from numerics import glorot_network
        >>> from numerics.smoothness import gradient_path_length_all_pairs
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> round(gradient_path_length_all_pairs(network, points), 3)
        0.648
    """
    weights = layers_of(network)
    data = tensor_of("points", points, "(n, d)", weights.w1.shape[1]).to("cpu", torch.float64)
    w1, b1, w2 = (part.cpu().numpy() for part in (weights.w1, weights.b1, weights.w2))
    return path_lengths.network_path_length(w1, b1, w2, data.numpy())


def function_path_length_all_pairs(network: Network, points: Points) -> float:
    """Return PL0 over all n^2 pairs of the data in closed form (B6.c); see `theory.path_lengths.function_path_length`.

    Args:
        network: a network on one input.
        points: the data, [n, 1]; points may coincide.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `network` has more than one input, `points` are empty, of a wrong shape or not finite, or a
            weight is not finite or too large.

    Example:
        >>> import numpy as np
        >>> from numerics.smoothness import function_path_length_all_pairs
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> round(function_path_length_all_pairs(weights, x[:, None]), 4)
        0.425
    """
    f = on_line(
        network,
        ": for more no closed form of PL0 over all pairs is known, see exact_function_path_length for sampled ones",
    )
    data = tensor_of("points", points, "(n, d)", 1).to("cpu", torch.float64)
    return float(path_lengths.function_path_length(f, data[:, 0].numpy()))


def total_variation(network: Network | PiecewiseLinear, a: Real, b: Real) -> Real:
    """Return the total variation of f on [a, b] (volhejn2020, eq 1.10); see `PiecewiseLinear.total_variation`.

    Args:
        network: a function on one input; the result is exact if it is given by rationals.
        a: where the interval begins.
        b: where it ends, above a.

    Raises:
        TypeError: if `network` is no network or function, or a or b no real number.
        ValueError: if `network` has more than one input, a weight is not finite or too large, or a and b are no interval.

    Example:
        >>> from numerics import total_variation
        >>> from theory import PiecewiseLinear
        >>> total_variation(PiecewiseLinear.interpolate([-1, 0, 1], [1, 0, 1]), -1, 1)
        2.0
    """
    return on_line(network).total_variation(a, b)


def derivative_variation(network: Network | PiecewiseLinear, a: Real, b: Real) -> Real:
    """Return the total variation of f' on the open interval (a, b); see `PiecewiseLinear.derivative_variation`.

    Over the whole line, a = -inf and b = inf, it is PL1 of volhejn2020, eq 3.17.

    Args:
        network: a function on one input; the result is exact if it is given by rationals.
        a: where the interval begins, -inf allowed.
        b: where it ends, above a, inf allowed.

    Raises:
        TypeError: if `network` is no network or function, or a or b no real number.
        ValueError: if `network` has more than one input, a weight is not finite or too large, or a and b are no interval.

    Example:
        >>> from numerics import derivative_variation
        >>> from theory import PiecewiseLinear
        >>> derivative_variation(PiecewiseLinear.interpolate([-1, 0, 1], [1, 0, 1]), -1, 1)
        2.0
    """
    return on_line(network).derivative_variation(a, b)
