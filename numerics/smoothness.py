"""The smoothness measures of Volhejn 2020: sampled for any module, exact for two-layer ReLU networks, as penalties.

GN is the mean norm of the gradient over points, PL0 the mean variation of f along the segment between two points, PL1
that of its gradient, WP the sum of |w2_i| ||w1_i||. The derivative of the ReLU at 0 is postulated to be 1 (after eqs 3.1
and 3.7), where torch takes 0; what is sampled can be had with any value between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from numerics.networks import TwoLayerReLU
from numerics.segments import ENTRIES, function_variations, gradient_variations, sampled_function_variations
from numerics.tangent import Layers, Network, layers
from theory import path_lengths as volhejn2020
from theory.checks import Array
from theory.checks import count as integer
from theory.piecewise_linear import PiecewiseLinear, Real
from theory.two_layer import Weights

Points = torch.Tensor | Array
"""Points or pairs of points: a tensor on any device, or a numpy array, of floats or integers."""

ROWS = 1024
"""At most so many points go through a module at once."""

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
    """
    data = _tensor("points", points, "(n, d)")
    size = (integer("count", count), 2)
    indices = np.random.default_rng(integer("seed", seed, fewest=0)).integers(len(data), size=size)
    return data[torch.from_numpy(indices).to(data.device)]


def gradient_norm(
    model: nn.Module, points: Points, *, squared: bool = False, relu_slope_at_zero: float = 1.0
) -> Estimate:
    """Return GN, the mean norm of the gradient of f in its input (volhejn2020, eq 3.1).

    For a vector-valued f it is the Frobenius norm of the Jacobian. The module is evaluated in evaluation mode, and left
    in the mode it was in; it must treat the rows of its input one by one.

    Args:
        model: maps [n, d] to [n], [n, 1] or [n, c]; points are moved to the dtype and device of its parameters.
        points: where to take the gradient, [n, d].
        squared: return the mean of the squared norm instead.
        relu_slope_at_zero: the derivative of the ReLU at 0, from 0 to 1. It holds for calls of torch's functions
            `relu` and the modules made of them, but for none in a scripted or compiled module, where it stays 0.

    Raises:
        TypeError: if an argument is of the wrong type, or `model` returns no tensor.
        ValueError: if `points` are empty, of a shape that `model` does not take or not finite, the outputs of `model`
            or their gradients are of a wrong shape, not finite or cut off from its inputs, or the slope is out of range.
    """
    data = _tensor("points", points, "(n, d)").to("cpu", torch.float64)
    with _measuring(model, "points", data, _slope(relu_slope_at_zero)) as (jacobians, rows):
        norms = torch.empty(len(data), dtype=torch.float64)
        for part, norm in zip(data.split(rows), norms.split(rows), strict=True):
            torch.linalg.vector_norm(jacobians(part), dim=1, out=norm)
    return _estimate((norms**2 if squared else norms).numpy())


def function_path_length(model: nn.Module, pairs: Points, *, points_per_segment: int = 100) -> Estimate:
    """Return PL0 along pairs, the variation of f between equidistant points (volhejn2020, eqs 3.5 and 3.6).

    For a vector-valued f differences are taken in the Euclidean norm. Never above the variation of f, rounding errors
    aside. The module is evaluated as in `gradient_norm`, a bounded number of points at a time; a `TwoLayerReLU` only at
    the ends, in float64.

    Args:
        model: maps [n, d] to [n], [n, 1] or [n, c]; points are moved to the dtype and device of its parameters.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.
        points_per_segment: n of eq 3.6, at least 2, both ends among them.

    Raises:
        TypeError: if an argument is of the wrong type, or `model` returns no tensor.
        ValueError: if `pairs` are empty, of a shape that `model` does not take or not finite, the outputs of `model`
            are of a wrong shape or not finite, or `points_per_segment` is below 2.
    """
    cells = integer("points_per_segment", points_per_segment, fewest=2) - 1
    if isinstance(model, TwoLayerReLU):
        return _along_segments(model, pairs, partial(sampled_function_variations, cells=cells))
    return _path_length(model, pairs, cells, None)


def gradient_path_length(
    model: nn.Module, pairs: Points, *, points_per_segment: int = 100, relu_slope_at_zero: float = 1.0
) -> Estimate:
    """Return PL1 along pairs, the variation of the gradient between equidistant points (volhejn2020, eqs 3.6 and 3.7).

    For a vector-valued f differences of the Jacobian are taken in the Frobenius norm. The module is evaluated as in
    `gradient_norm`, a bounded number of points at a time; a `TwoLayerReLU` with slope 1 only at the ends, in float64.
    Never above the variation of the gradient, but well below it where many units switch between two neighbouring
    points: their jumps then partly cancel.

    Args:
        model: maps [n, d] to [n], [n, 1] or [n, c]; points are moved to the dtype and device of its parameters.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.
        points_per_segment: n of eq 3.6, at least 2, both ends among them.
        relu_slope_at_zero: the derivative of the ReLU at 0, as in `gradient_norm`.

    Raises:
        TypeError: if an argument is of the wrong type, or `model` returns no tensor.
        ValueError: if `pairs` are empty, of a shape that `model` does not take or not finite, the outputs of `model`
            or their gradients are of a wrong shape, not finite or cut off from its inputs, or `points_per_segment` or
            the slope is out of range.
    """
    cells, slope = integer("points_per_segment", points_per_segment, fewest=2) - 1, _slope(relu_slope_at_zero)
    if isinstance(model, TwoLayerReLU) and slope == 1:
        return _along_segments(model, pairs, partial(gradient_variations, cells=cells))
    return _path_length(model, pairs, cells, slope)


def weights_product(network: Network) -> float:
    """Return WP = sum_i |w2_i| ||w1_i|| (volhejn2020, eq 3.8); see `theory.path_lengths.weights_product`.

    Raises:
        TypeError: if `network` is neither a `TwoLayerReLU` nor `Weights`.
        ValueError: if a weight is not finite.
    """
    weights = _layers(network)
    return volhejn2020.weights_product(weights.w1.cpu().numpy(), weights.w2.cpu().numpy())


def exact_function_path_length(network: Network, pairs: Points) -> Estimate:
    """Return PL0 along pairs without sampling segments: f is linear between the places where a unit switches.

    In float64, with rounding errors of some (k + d) eps sum_i |w2_i| (||w1_i|| ||x|| + |b1_i|). O(k d + k log k) a pair.

    Args:
        network: k units, d inputs.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `pairs` are empty, of a wrong shape or not finite, or a weight or a pre-activation is not finite.
    """
    return _along_segments(network, pairs, function_variations)


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
    """
    return _along_segments(network, pairs, gradient_variations)


def gradient_path_length_all_pairs(network: Network, points: Points) -> float:
    """Return PL1 over all n^2 pairs of the data in closed form (B6); see `theory.path_lengths.network_path_length`.

    Exact if no two units switch at one place of a segment, an upper bound otherwise. O(k n d).

    Args:
        network: k units, d inputs.
        points: the data, [n, d]; points may coincide.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `points` are empty, of a wrong shape or not finite, or a weight is not finite.
    """
    weights = _layers(network)
    data = _tensor("points", points, "(n, d)", weights.w1.shape[1]).to("cpu", torch.float64)
    w1, b1, w2 = (part.cpu().numpy() for part in (weights.w1, weights.b1, weights.w2))
    return volhejn2020.network_path_length(w1, b1, w2, data.numpy())


def function_path_length_all_pairs(network: Network, points: Points) -> float:
    """Return PL0 over all n^2 pairs of the data in closed form (B6.c); see `theory.path_lengths.function_path_length`.

    Args:
        network: a network on one input.
        points: the data, [n, 1]; points may coincide.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if `network` has more than one input, `points` are empty, of a wrong shape or not finite, or a
            weight is not finite or too large.
    """
    f = _on_line(
        network,
        ": for more no closed form of PL0 over all pairs is known, see exact_function_path_length for sampled ones",
    )
    data = _tensor("points", points, "(n, d)", 1).to("cpu", torch.float64)
    return float(volhejn2020.function_path_length(f, data[:, 0].numpy()))


def total_variation(network: Network | PiecewiseLinear, a: Real, b: Real) -> Real:
    """Return the total variation of f on [a, b] (volhejn2020, eq 1.10); see `PiecewiseLinear.total_variation`.

    Args:
        network: a function on one input; the result is exact if it is given by rationals.
        a: where the interval begins.
        b: where it ends, above a.

    Raises:
        TypeError: if `network` is no network or function, or a or b no real number.
        ValueError: if `network` has more than one input, a weight is not finite or too large, or a and b are no interval.
    """
    return _on_line(network).total_variation(a, b)


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
    """
    return _on_line(network).derivative_variation(a, b)


def gradient_norm_penalty(network: TwoLayerReLU, batch: torch.Tensor) -> torch.Tensor:
    """Return GN over a batch as a scalar that autograd can differentiate (volhejn2020, eq 4.6).

    Derivatives are those in w1 and w2: which units are active, those with pre-activation 0 among them, is locally
    constant. Where a gradient is 0, its norm has derivative 0. So it is in the other penalties.

    Args:
        network: the network, in training.
        batch: points, [k, d], k >= 1, in its dtype and on its device.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, or `batch` no tensor of its dtype.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device.
    """
    points = _batch(network, batch)
    gradients = (_active(network, points) * network.output.weight[0]) @ network.hidden.weight
    norms: torch.Tensor = torch.linalg.vector_norm(gradients, dim=1)
    return norms.mean()


def function_path_length_penalty(
    network: TwoLayerReLU, batch: torch.Tensor, *, points_per_segment: int = 10
) -> torch.Tensor:
    """Return PL0 over half as many pairs as a batch has points, differentiable (volhejn2020, eq 4.7, repaired in V13.b).

    The mean over the pairs (x_i, x_{i + h}), i = 1..h, h = floor(k/2); 0 for a batch of one point.

    Args:
        network: the network, in training.
        batch: points, [k, d], k >= 1, in its dtype and on its device; of an odd number the last is left out.
        points_per_segment: as in `function_path_length`.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, `batch` no tensor of its dtype, or the number no integer.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device, or the number below 2.
    """
    points = _batch_segments(network, batch, points_per_segment)
    outputs: torch.Tensor = network(points.flatten(0, 1)).reshape(points.shape[:2])
    return outputs.diff(dim=1).abs().sum() / max(len(points), 1)


def gradient_path_length_penalty(
    network: TwoLayerReLU, batch: torch.Tensor, *, points_per_segment: int = 10
) -> torch.Tensor:
    """Return PL1 over the pairs of `function_path_length_penalty`, differentiable (volhejn2020, section 4.4.3).

    Derivatives are those in w1 and w2, as in `gradient_norm_penalty`.

    Args:
        network: the network, in training.
        batch: points, [k, d], k >= 1, in its dtype and on its device; of an odd number the last is left out.
        points_per_segment: as in `gradient_path_length`.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, `batch` no tensor of its dtype, or the number no integer.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device, or the number below 2.
    """
    points = _batch_segments(network, batch, points_per_segment)
    # Differences of activity, not of gradients: these would round to small numbers, whose norms have derivatives of size 1.
    switches = _active(network, points).diff(dim=1)
    jumps = (switches * network.output.weight[0]) @ network.hidden.weight
    norms: torch.Tensor = torch.linalg.vector_norm(jumps, dim=2)
    return norms.sum() / max(len(points), 1)


def weights_product_penalty(network: TwoLayerReLU) -> torch.Tensor:
    """Return WP (volhejn2020, eq 3.8) as a scalar that autograd can differentiate; a norm of 0 has derivative 0.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`.
    """
    _require("network", network, TwoLayerReLU)
    sizes: torch.Tensor = network.output.weight[0].abs() * torch.linalg.vector_norm(network.hidden.weight, dim=1)
    return sizes.sum()


def _slope(value: object) -> float:
    """Return a derivative of the ReLU at 0.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"relu_slope_at_zero must be a real number, got {value!r} of type {type(value).__name__}")
    if not 0 <= value <= 1:
        raise ValueError(f"relu_slope_at_zero must be from 0 to 1, got {value}")
    return float(value)


def _tensor(name: str, value: Any, shape: str, features: int | None = None) -> torch.Tensor:
    """Return points as a tensor of a shape, "(n, d)" or "(m, 2, d)", with d = `features` if given.

    Raises:
        TypeError: if they are no tensor or array of real numbers.
        ValueError: if they are empty, of another shape or not finite.
    """
    value = _require(name, value, torch.Tensor, np.ndarray)
    real = value.dtype.kind in "fiu" if isinstance(value, np.ndarray) else value.dtype not in NOT_REAL
    if not real:
        raise TypeError(f"{name} must hold real numbers, got dtype {value.dtype}")
    tensor = value.detach() if isinstance(value, torch.Tensor) else torch.from_numpy(value.astype(np.float64))
    axes = shape.count(",") + 1
    if tensor.ndim != axes or (axes == 3 and tensor.shape[1] != 2) or features not in (None, tensor.shape[-1]):
        wanted = shape if features is None else f"{shape.replace('d', str(features))} for this network"
        raise ValueError(f"{name} must have shape {wanted}, got {tuple(tensor.shape)}")
    if not tensor.numel():
        raise ValueError(f"{name} must not be empty, got shape {tuple(tensor.shape)}")
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} must hold finite numbers, got nan or inf")
    return tensor


def _require(name: str, value: Any, *kinds: type) -> Any:
    """Return `value` if it is of one of these types.

    Raises:
        TypeError: if it is not.
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(f"{kind.__module__}.{kind.__name__}" for kind in kinds)
        raise TypeError(f"{name} must be a {wanted}, got {type(value).__name__}")
    return value


def _layers(network: Any, *others: type) -> Layers:
    """Return the weights of a network in float64.

    Raises:
        ValueError: if a weight is not finite.
    """
    network = _require("network", network, TwoLayerReLU, Weights, *others)
    for name, parameter in network.named_parameters() if isinstance(network, TwoLayerReLU) else ():
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"network must have finite weights, got nan or inf in {name}")
    return layers(network)


def _on_line(network: Network | PiecewiseLinear, otherwise: str = "") -> PiecewiseLinear:
    """Return the function of a network on one input.

    Raises:
        ValueError: if it has more than one input, or a weight is not finite or too large.
    """
    if isinstance(network, PiecewiseLinear):
        return network
    features = _layers(network, PiecewiseLinear).w1.shape[1]
    if features != 1:
        raise ValueError(f"network must have one input, got {features}{otherwise}")
    return network.piecewise_linear() if isinstance(network, TwoLayerReLU) else PiecewiseLinear.from_weights(network)


def _estimate(values: Array) -> Estimate:
    samples = len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(samples) if samples > 1 else math.inf
    return Estimate(float(np.mean(values)), error, samples)


class _ReluSlope(TorchFunctionMode):
    """Within this context every ReLU that torch is asked for has the derivative `slope` at 0."""

    IN_PLACE = (torch.relu_, torch.Tensor.relu_)
    CALLS = (torch.relu, torch.Tensor.relu, functional.relu, *IN_PLACE)

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in self.CALLS:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        y = torch.where(x < 0, torch.zeros_like(x), torch.where(x == 0, self.slope * x, x))  # x for nan
        return x.copy_(y) if func in self.IN_PLACE or kwargs.get("inplace") else y


def _outputs(model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Return f at the rows [n, d], [n, c].

    Raises:
        TypeError: if the model returns no tensor of floats.
        ValueError: if it returns a wrong shape, or nan or inf.
    """
    outputs = model(rows)
    if not isinstance(outputs, torch.Tensor) or not outputs.is_floating_point():
        kind = f"a tensor of {outputs.dtype}" if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise TypeError(f"model must return a tensor of floats, got {kind}")
    if outputs.ndim not in (1, 2) or len(outputs) != len(rows) or not outputs.numel():
        n = len(rows)
        raise ValueError(f"model must return shape ({n},) or ({n}, c) for {n} points, got {tuple(outputs.shape)}")
    if not bool(torch.isfinite(outputs).all()):
        raise ValueError("model must return finite numbers, got nan or inf")
    return outputs.reshape(len(rows), -1)


def _jacobians(model: nn.Module, rows: torch.Tensor, slope: float) -> torch.Tensor:
    """Return the Jacobians of f at the rows [n, d], [n, c d].

    Raises:
        ValueError: if the model cuts its outputs off from its inputs, or a derivative is not finite.
    """
    leaf = rows.requires_grad_()
    with torch.enable_grad(), _ReluSlope(slope):
        outputs = _outputs(model, leaf.clone())  # a first layer that works in place cannot on a leaf
        if not outputs.requires_grad:
            raise ValueError("model must be differentiable by autograd, got outputs that need no gradient")
        totals = outputs.sum(dim=0).unbind()
    parts = [torch.autograd.grad(total, leaf, retain_graph=True, allow_unused=True)[0] for total in totals]
    jacobians = torch.cat([torch.zeros_like(leaf) if part is None else part for part in parts], dim=1)
    if not bool(torch.isfinite(jacobians).all()):
        raise ValueError("model must have finite derivatives, got nan or inf")
    return jacobians


@contextmanager
def _measuring(
    model: nn.Module, name: str, points: torch.Tensor, slope: float | None
) -> Iterator[tuple[Callable[[torch.Tensor], torch.Tensor], int]]:
    """Yield a function from rows [n, d] to f, or to its Jacobian if a slope is given, and for how many rows at once.

    What it takes and returns is in float64 on the CPU. The model is in evaluation mode meanwhile.

    Raises:
        ValueError: if it does not take such rows.
    """
    _require("model", model, nn.Module)
    tensors = (t for part in (model.parameters(), model.buffers()) for t in part if t.is_floating_point())
    like = next(tensors, points)
    training = [module for module in model.modules() if module.training]

    def measured(rows: torch.Tensor) -> torch.Tensor:
        placed = rows.to(like.device, like.dtype, copy=True)
        if slope is None:
            with torch.no_grad():
                return _outputs(model, placed).to("cpu", torch.float64)
        return _jacobians(model, placed, slope).detach().to("cpu", torch.float64)

    try:
        model.eval()
        first = points.reshape(-1, points.shape[-1])[:1].to(like.device, like.dtype)
        try:
            with torch.no_grad():
                model(first.clone())
        except (RuntimeError, ValueError) as error:
            columns = first.shape[1]
            raise ValueError(f"{name} must hold inputs of model, which fails on {columns} columns: {error}") from error
        yield measured, max(1, min(ROWS, ENTRIES // measured(first).numel(), ENTRIES // first.numel()))
    finally:
        for module in training:
            module.training = True


def _path_length(model: nn.Module, pairs: object, steps: int, slope: float | None) -> Estimate:
    """Return the mean variation of f, or of its gradient if a slope is given, between equidistant points of segments."""
    segments = _tensor("pairs", pairs, "(m, 2, d)").to("cpu", torch.float64)
    totals = torch.zeros(len(segments), dtype=torch.float64)  # small tensors kept one by one would fragment memory
    with _measuring(model, "pairs", segments, slope) as (measured, rows):
        together = max(1, rows // (steps + 1))
        for block, total in zip(segments.split(together), totals.split(together), strict=True):
            for start in range(0, steps, rows):
                t = torch.arange(start, min(start + rows, steps) + 1, dtype=torch.float64) / steps
                points = _along(block[:, 0], block[:, 1], t)
                values = measured(points.flatten(0, 1)).reshape(*points.shape[:2], -1)
                total += torch.linalg.vector_norm(values.diff(dim=1), dim=2).sum(dim=1)
    totals[(segments[:, 0] == segments[:, 1]).all(dim=1)] = 0  # where rounding may tell equal rows of a product apart
    return _estimate(totals.numpy())


def _along(start: torch.Tensor, end: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return (1 - t) start + t end, [m, n, d], for start and end [m, d] and t [n]; equal to the ends at t = 0 and 1."""
    return torch.lerp(start[:, None], end[:, None], t[None, :, None])


def _along_segments(network: Network, pairs: object, variations: Callable[[Layers, torch.Tensor], Array]) -> Estimate:
    """Return the mean over pairs of what `variations` makes of blocks of segments [m, 2, d], [m]."""
    weights = _layers(network)
    k, d = weights.w1.shape
    segments = _tensor("pairs", pairs, "(m, 2, d)", d).to(weights.w1.device, torch.float64)
    together = max(1, ENTRIES // (8 * (k + d)))  # of each array there are some
    values = np.empty(len(segments))
    for first in range(0, len(segments), together):
        values[first : first + together] = variations(weights, segments[first : first + together])
    return _estimate(values)


def _batch(network: Any, batch: Any) -> torch.Tensor:
    """Return a batch for a network.

    Raises:
        TypeError: if `network` is no `TwoLayerReLU`, or `batch` no tensor of its dtype.
        ValueError: if `batch` is empty, of a wrong shape, not finite or on another device.
    """
    weight = _require("network", network, TwoLayerReLU).hidden.weight
    batch = _require("batch", batch, torch.Tensor)
    if batch.dtype != weight.dtype:
        raise TypeError(f"batch must be of dtype {weight.dtype} like network, got {batch.dtype}")
    if batch.device != weight.device:
        raise ValueError(f"batch must be on device {weight.device} like network, got {batch.device}")
    return _tensor("batch", batch, "(n, d)", weight.shape[1])


def _batch_segments(network: Any, batch: Any, points_per_segment: Any) -> torch.Tensor:
    """Return equidistant points on the segments between halves of a batch, [floor(k/2), n, d]."""
    points, n = _batch(network, batch), integer("points_per_segment", points_per_segment, fewest=2)
    half = len(points) // 2
    t = torch.arange(n, dtype=points.dtype, device=points.device) / (n - 1)
    return _along(points[:half], points[half : 2 * half], t)


def _active(network: TwoLayerReLU, points: torch.Tensor) -> torch.Tensor:
    """Return 1 for active units and 0 for others, [..., k]; without a gradient, as it is locally constant."""
    with torch.no_grad():
        active: torch.Tensor = network.hidden(points) >= 0
    return active.to(points.dtype)
