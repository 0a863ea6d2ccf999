"""What the measures are taken on, after its checks: points, pairs, networks; and means over them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from numerics.networks import Network, TwoLayerReLU
from numerics.segments import ENTRIES
from numerics.tangent import Layers, layers
from numerics.tensors import plain_tensor
from theory.checks import Array, unmasked
from theory.checks import count as integer
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

Points = torch.Tensor | Array
"""Points or pairs of points: a tensor on any device, or a numpy array, of floats or integers."""

NOT_REAL = (torch.bool, torch.complex32, torch.complex64, torch.complex128)


@dataclass(frozen=True)
class Estimate:
    """The mean of a measure over independent points or pairs.

    Attributes:
        value: the mean; at least 0.
        standard_error: the sample standard deviation over sqrt(samples); inf for one sample, which tells nothing of it.
        samples: how many points or pairs the mean is over.
    """

    value: float
    standard_error: float
    samples: int


def sample_pairs(points: Points, count: int = 1000, *, seed: int) -> torch.Tensor:
    """Return pairs drawn uniformly, with replacement, from all n^2 ordered pairs (volhejn2020, eq 3.5).

    A point may be paired with itself, as in eq 3.5. The same seed draws the same indices.

    Args:
        points: the data, [n, d].
        count: the number of pairs, at least 1.
        seed: for `numpy.random.default_rng`, at least 0.

    Returns:
        The pairs, [count, 2, d], in the dtype and on the device of `points`.

    Raises:
        TypeError: if `points` are no tensor or array of real numbers, or `count` or `seed` is no integer.
        ValueError: if `points` are empty, of a wrong shape or not finite, or `count` or `seed` is out of range.

    Example:
        >>> import numpy as np
        >>> from numerics import sample_pairs
        >>> sample_pairs(np.array([[0.0], [1.0], [2.0]]), 5, seed=0).shape
        torch.Size([5, 2, 1])
    """
    data = tensor_of("points", points, "(n, d)")
    size = (integer("count", count), 2)
    indices = np.random.default_rng(integer("seed", seed, fewest=0)).integers(len(data), size=size)
    return data[torch.from_numpy(indices).to(data.device)]


def tensor_of(name: str, value: Any, shape: str, features: int | None = None) -> torch.Tensor:
    """Return points as a tensor of a shape, "(n, d)" or "(m, 2, d)", with d = `features` if given.

    Raises:
        TypeError: if they are no tensor or array of real numbers.
        ValueError: if they are empty, of another shape or not finite.
    """
    value = unmasked(name, require(name, value, torch.Tensor, np.ndarray))
    real = value.dtype.kind in "fiu" if isinstance(value, np.ndarray) else value.dtype not in NOT_REAL
    if not real:
        raise TypeError(f"{name} must hold real numbers, got dtype {value.dtype}")
    plain = isinstance(value, np.ndarray)
    tensor = torch.from_numpy(np.array(value, dtype=np.float64)) if plain else plain_tensor(name, value)
    axes = shape.count(",") + 1
    if tensor.ndim != axes or (axes == 3 and tensor.shape[1] != 2) or features not in (None, tensor.shape[-1]):
        wanted = shape if features is None else f"{shape.replace('d', str(features))} for this network"
        raise ValueError(f"{name} must have shape {wanted}, got {tuple(tensor.shape)}")
    if not tensor.numel():
        raise ValueError(f"{name} must not be empty, got shape {tuple(tensor.shape)}")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} must hold finite numbers, got nan or inf")
    return tensor


def require(name: str, value: Any, *kinds: type) -> Any:
    """Return `value` if it is of one of these types.

    Raises:
        TypeError: if it is not.
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(f"{kind.__module__}.{kind.__name__}" for kind in kinds)
        raise TypeError(f"{name} must be a {wanted}, got {type(value).__name__}")
    return value


def layers_of(network: Any, *others: type) -> Layers:
    """Return the weights of a network in float64.

    Raises:
        TypeError: if it is no network, or a weight is complex.
        ValueError: if a weight is not finite.
    """
    network = require("network", network, TwoLayerReLU, Weights, *others)
    for name, parameter in network.named_parameters() if isinstance(network, TwoLayerReLU) else ():
        if parameter.is_complex():
            raise TypeError(f"network must have real weights, got {parameter.dtype} in {name}")
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"network must have finite weights, got nan or inf in {name}")
    return layers(network)


def on_line(network: Network | PiecewiseLinear, otherwise: str = "") -> PiecewiseLinear:
    """Return the function of a network on one input.

    Raises:
        ValueError: if it has more than one input, or a weight is not finite or too large.
    """
    if isinstance(network, PiecewiseLinear):
        return network
    features = layers_of(network, PiecewiseLinear).w1.shape[1]
    if features != 1:
        raise ValueError(f"network must have one input, got {features}{otherwise}")
    return network.piecewise_linear() if isinstance(network, TwoLayerReLU) else PiecewiseLinear.from_weights(network)


def estimate_of(values: Array) -> Estimate:
    """Return the mean of values [m] with its standard error."""
    samples = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(samples) if samples > 1 else math.inf
    return Estimate(float(np.mean(values)), error, samples)


def along(start: torch.Tensor, end: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return (1 - t) start + t end, [m, n, d], for start and end [m, d] and t [n]; equal to the ends at t = 0 and 1."""
    return torch.lerp(start[:, None], end[:, None], t[None, :, None])


def along_segments(network: Network, pairs: object, variations: Callable[[Layers, torch.Tensor], Array]) -> Estimate:
    """Return the mean over pairs of what `variations` makes of blocks of segments [m, 2, d], [m]."""
    weights = layers_of(network)
    k, d = weights.w1.shape
    segments = tensor_of("pairs", pairs, "(m, 2, d)", d).to(weights.w1.device, torch.float64)
    together = max(1, ENTRIES // (8 * (k + d)))  # of each array there are some
    values = np.empty(len(segments))
    for first in range(0, len(segments), together):
        values[first : first + together] = variations(weights, segments[first : first + together])
    return estimate_of(values)
