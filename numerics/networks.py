"""Two-layer ReLU networks as torch modules, their way to and from `Weights`, and seeded initial weights."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn

from theory.checks import count, positive
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights
from theory.volhejn2020 import initialization_limit

Scheme = Literal["uniform_fan_in", "glorot_uniform"]
"""How initial weights are drawn: see `initialise`."""


class TwoLayerReLU(nn.Module):
    """The network f(x) = w2 . relu(W1 x + b1) + b2 (mulayoff2021, eq 18), with the default initialisation of torch.

    Attributes:
        hidden: the linear map to the hidden units: `weight` [width, in_features], `bias` [width].
        output: the linear map to the output: `weight` [1, width], `bias` [1].
    """

    def __init__(self, width: int, in_features: int = 1, *, dtype: torch.dtype = torch.float64) -> None:
        """Make a network of `width` >= 0 hidden units on `in_features` >= 1 inputs.

        Raises:
            TypeError: if `width` or `in_features` is no integer.
            ValueError: if `width` is below 0 or `in_features` below 1, or `dtype` is no floating-point type.
        """
        super().__init__()
        width, in_features = count("width", width, fewest=0), count("in_features", in_features)
        if not dtype.is_floating_point:
            raise ValueError(f"dtype must be a floating-point type, got {dtype}")
        self.hidden = _linear(in_features, width, dtype)
        self.output = _linear(width, 1, dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return f at each row of x: [n, in_features] to [n, 1]. With one input also [n] to [n].

        Raises:
            TypeError: if x is no tensor or not of the dtype of the network.
            ValueError: if x has a wrong shape or is on another device than the network.
        """
        weight = self.hidden.weight
        if not isinstance(x, torch.Tensor):
            raise TypeError(f"x must be a torch.Tensor, got {type(x).__name__}")
        if x.dtype != weight.dtype:
            raise TypeError(f"x must be of dtype {weight.dtype} like the network, got {x.dtype}")
        if x.device != weight.device:
            raise ValueError(f"x must be on device {weight.device} like the network, got {x.device}")
        features = weight.shape[1]
        scalars = features == 1 and x.ndim == 1
        if not scalars and (x.ndim != 2 or x.shape[1] != features):
            shape = "(n, 1) or (n,)" if features == 1 else f"(n, {features})"
            raise ValueError(f"x must have shape {shape}, got {tuple(x.shape)}")
        outputs: torch.Tensor = self.output(torch.relu(self.hidden(x[:, None] if scalars else x)))
        return outputs[:, 0] if scalars else outputs

    def weights(self) -> Weights:
        """Return the weights in float64 numpy arrays, [width] each; for one input only.

        Raises:
            ValueError: if the network has more than one input, or a weight is not finite.
        """
        if self.hidden.in_features != 1:
            raise ValueError(f"weights() needs a network on one input, got in_features={self.hidden.in_features}")
        columns = (self.hidden.weight, self.hidden.bias, self.output.weight, self.output.bias)
        w1, b1, w2, b2 = (column.detach().to("cpu", torch.float64).reshape(-1).numpy().copy() for column in columns)
        return Weights(w1, b1, w2, float(b2[0]))

    def piecewise_linear(self) -> PiecewiseLinear:
        """Return the function that the network computes; for one input only.

        Raises:
            ValueError: if the network has more than one input, or a weight is not finite.
        """
        if self.hidden.in_features != 1:
            raise ValueError(
                f"piecewise_linear() needs a network on one input, got in_features={self.hidden.in_features}"
            )
        return PiecewiseLinear.from_weights(self.weights())

    @classmethod
    def from_weights(cls, weights: Weights, dtype: torch.dtype = torch.float64) -> TwoLayerReLU:
        """Return the network with these weights, rounded to `dtype`.

        Raises:
            TypeError: if `weights` are no `Weights`.
            ValueError: if `dtype` is no floating-point type.
        """
        network = cls(require_weights("weights", weights).width, dtype=dtype)
        with torch.no_grad():
            for parameter, value in (
                (network.hidden.weight, weights.w1),
                (network.hidden.bias, weights.b1),
                (network.output.weight, weights.w2),
                (network.output.bias, np.array([weights.b2])),
            ):
                parameter.copy_(torch.from_numpy(value.astype(np.float64)).reshape(parameter.shape))
        return network

    @classmethod
    def from_piecewise_linear(cls, f: PiecewiseLinear) -> TwoLayerReLU:
        """Return a float64 network with the fewest hidden units that computes f (see `PiecewiseLinear.to_weights`).

        Raises:
            TypeError: if f is no `PiecewiseLinear`.
        """
        if not isinstance(f, PiecewiseLinear):
            raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}")
        return cls.from_weights(f.to_weights())

    @classmethod
    def from_module(cls, module: nn.Module) -> TwoLayerReLU:
        """Return the network that `nn.Sequential(nn.Linear(d, m), nn.ReLU(), nn.Linear(m, 1))` is, its weights copied.

        Sequentials may be nested; `nn.Identity`, and `nn.Flatten` in front, change nothing; without a bias it is zero.

        Raises:
            TypeError: if `module` is no torch module.
            ValueError: if its layers are others, which are named, or it computes something else than they say, as hooks can
                make it.

        Example:
            >>> import torch
            >>> from numerics.networks import TwoLayerReLU
            >>> module = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
            >>> TwoLayerReLU.from_module(module).weights().width
            3
        """
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be a torch module, got {type(module).__name__}")
        layers: list[Any] = _layers(module)
        if layers and type(layers[0]) is nn.Flatten and layers[0].start_dim == 1:
            layers = layers[1:]
        if [type(layer) for layer in layers] != [nn.Linear, nn.ReLU, nn.Linear] or layers[2].out_features != 1:
            shown = ", ".join(
                f"Linear({layer.in_features}, {layer.out_features})"
                if type(layer) is nn.Linear
                else type(layer).__name__
                for layer in layers
            )
            raise ValueError(
                f"module must be an nn.Sequential of Linear, ReLU and Linear with one output, got {shown or 'no layer'}"
            )
        hidden, _, output = layers
        weight = hidden.weight
        network = cls(hidden.out_features, hidden.in_features, dtype=weight.dtype).to(weight.device)
        with torch.no_grad():
            for mine, theirs in ((network.hidden, hidden), (network.output, output)):
                mine.weight.copy_(theirs.weight)
                mine.bias.copy_(torch.zeros_like(mine.bias) if theirs.bias is None else theirs.bias)
            inputs = torch.randn(8, hidden.in_features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
            points = inputs.to(weight.device, weight.dtype)
            here, there = network(points), module(points)
        allowed = 1e3 * torch.finfo(weight.dtype).eps * (float(torch.linalg.vector_norm(here)) or 1.0)
        if here.shape != there.shape or not torch.linalg.vector_norm(here - there) <= allowed:
            raise ValueError("module must compute what its layers say, and does not: has it hooks?")
        return network


def _layers(module: nn.Module) -> list[Any]:
    """Return the layers of a module in order, those of nested Sequentials in their place, without `nn.Identity`."""
    if type(module) is nn.Sequential:
        return [layer for part in module for layer in _layers(part)]
    if type(module) is TwoLayerReLU:
        return [module.hidden, nn.ReLU(), module.output]
    return [] if type(module) is nn.Identity else [module]


Network = TwoLayerReLU | Weights
"""A two-layer ReLU network: a module with any number of inputs, or the weights of one on the line."""


def initialise(width: int, *, seed: int, scheme: Scheme = "uniform_fan_in", scale: float = 1.0) -> Weights:
    """Return random initial weights of a network on one input, drawn by numpy in the order w1, b1, w2, b2.

    "uniform_fan_in" is what `torch.nn.Linear` does: weights and biases uniform within 1/sqrt(fan in) of 0, the fan in
    being 1 in the first layer and `width` in the second. "glorot_uniform" is what the prose of volhejn2020
    names: weights uniform within sqrt(3 scale / mean of fan in and fan out) of 0, and zero biases, which put every knot
    at 0. (Its eq 4.1 prints the sum of the fans for their mean.)

    Args:
        width: the number of hidden units, at least 1.
        seed: for `numpy.random.default_rng`, at least 0.
        scheme: one of the two above.
        scale: alpha in volhejn2020, above 0; must be 1 for "uniform_fan_in".

    Raises:
        TypeError: if `width` or `seed` is no integer, or `scale` no real number.
        ValueError: if an argument is out of its range.

    Example:
        >>> from numerics import initialise
        >>> weights = initialise(100, seed=0)
        >>> weights.width, bool(abs(weights.w1).max() < 1), bool(abs(weights.w2).max() < 0.1)
        (100, True, True)
    """
    width, seed, scale = count("width", width), count("seed", seed, fewest=0), positive("scale", scale)
    if scheme not in get_args(Scheme):
        raise ValueError(f"scheme must be one of {', '.join(map(repr, get_args(Scheme)))}, got {scheme!r}")
    if scheme == "uniform_fan_in" and scale != 1:
        raise ValueError(f"scale must be 1 with scheme 'uniform_fan_in', got {scale}")
    generator = np.random.default_rng(seed)
    if scheme == "glorot_uniform":
        limit = initialization_limit(1, width, scale)
        w1 = generator.uniform(-limit, limit, width)
        return Weights(w1, np.zeros(width), generator.uniform(-limit, limit, width), 0.0)
    w1, b1 = generator.uniform(-1, 1, width), generator.uniform(-1, 1, width)
    limit = 1 / math.sqrt(width)
    return Weights(w1, b1, generator.uniform(-limit, limit, width), float(generator.uniform(-limit, limit)))


def glorot_network(
    width: int, in_features: int, *, seed: int, scale: float = 1.0, dtype: torch.dtype = torch.float32
) -> TwoLayerReLU:
    """Return a network with zero biases and weights as "glorot_uniform" in `initialise` has them, for any inputs.

    Args:
        width: the number of hidden units, at least 1.
        in_features: the number of inputs, at least 1.
        seed: for `numpy.random.default_rng`, at least 0.
        scale: alpha in volhejn2020, above 0; half of it gives its eq 4.1 as printed.
        dtype: of the weights.

    Raises:
        TypeError: if `width`, `in_features` or `seed` is no integer, or `scale` no real number.
        ValueError: if an argument is out of its range.

    Example:
        >>> from numerics import glorot_network
        >>> glorot_network(100, in_features=2, seed=0, scale=0.01)
        TwoLayerReLU(
          (hidden): Linear(in_features=2, out_features=100, bias=True)
          (output): Linear(in_features=100, out_features=1, bias=True)
        )
    """
    width, in_features, seed = count("width", width), count("in_features", in_features), count("seed", seed, fewest=0)
    network, generator = TwoLayerReLU(width, in_features, dtype=dtype), np.random.default_rng(seed)
    with torch.no_grad():
        for layer in (network.hidden, network.output):
            fan_out, fan_in = layer.weight.shape
            limit = initialization_limit(fan_in, fan_out, scale)
            layer.weight.copy_(torch.from_numpy(generator.uniform(-limit, limit, (fan_out, fan_in))))
            layer.bias.zero_()
    return network


def _linear(in_features: int, out_features: int, dtype: torch.dtype) -> nn.Linear:
    """Return `nn.Linear`; without inputs or outputs, where that warns, one with a bias of 0."""
    layer = nn.Linear(max(in_features, 1), max(out_features, 1), dtype=dtype)
    if in_features == 0 or out_features == 0:
        layer.in_features, layer.out_features = in_features, out_features
        layer.weight = nn.Parameter(torch.zeros(out_features, in_features, dtype=dtype))
        layer.bias = nn.Parameter(torch.zeros(out_features, dtype=dtype))
    return layer


def require_weights(name: str, value: object) -> Weights:
    """Return `value` if it is a `Weights`.

    Raises:
        TypeError: if it is not.
    """
    if not isinstance(value, Weights):
        raise TypeError(f"{name} must be a theory.two_layer.Weights, got {type(value).__name__}")
    return value


def require_network(name: str, value: object) -> Network:
    """Return `value` if it is a two-layer network, as a module or as weights.

    Raises:
        TypeError: if it is neither.
    """
    if not isinstance(value, (TwoLayerReLU, Weights)):
        raise TypeError(f"{name} must be a TwoLayerReLU or Weights, got {type(value).__name__}")
    return value
