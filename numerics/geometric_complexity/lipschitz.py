"""An upper bound of the Lipschitz constant of a module: norms of its layers, multiplied along paths and added over skips."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import fx, nn
from torch.nn import functional

from numerics.geometric_complexity.batch_norm import folds, scales
from numerics.geometric_complexity.certified import OUTWARD
from numerics.geometric_complexity.graph import JOINS, Traced, UnsupportedLayerError, times, traced
from numerics.geometric_complexity.modules import checked_module
from numerics.geometric_complexity.norms import CONVOLUTIONS, Convolution, operator_norm, with_weight
from theory.checks import count as integer

CONTRACTIONS = (
    nn.Identity, nn.Flatten, nn.Unflatten, nn.ReLU, nn.ReLU6, nn.Tanh, nn.Softplus, nn.Hardtanh, nn.Hardsigmoid,
    nn.LogSigmoid, nn.Softsign, nn.Softshrink, nn.Tanhshrink, nn.Softmax,
)  # fmt: skip
"""Layers whose Lipschitz constant is at most 1."""

SLOPES = {nn.Sigmoid: 0.25, nn.GELU: 1.13, nn.SiLU: 1.1, nn.Mish: 1.09, nn.Hardswish: 1.5}
"""The largest slopes of other activations, rounded up; GELU with either formula."""

FUNCTIONS: dict[Any, float] = {
    torch.relu: 1.0, functional.relu: 1.0, torch.tanh: 1.0, functional.tanh: 1.0, torch.sigmoid: 0.25,
    functional.relu6: 1.0, functional.softplus: 1.0, functional.gelu: 1.13, functional.silu: 1.1, torch.flatten: 1.0,
    torch.reshape: 1.0, torch.permute: 1.0, torch.transpose: 1.0, torch.squeeze: 1.0, torch.unsqueeze: 1.0, torch.abs: 1.0,
    "relu": 1.0, "relu_": 1.0, "tanh": 1.0, "sigmoid": 0.25, "flatten": 1.0, "reshape": 1.0, "view": 1.0, "permute": 1.0,
    "transpose": 1.0, "squeeze": 1.0, "unsqueeze": 1.0, "contiguous": 1.0, "clone": 1.0, "abs": 1.0,
}  # fmt: skip
"""Functions and methods of one tensor, with their Lipschitz constants."""


@dataclass(frozen=True)
class Lipschitz:
    """An upper bound of a model's Lipschitz constant, Euclidean norms on both sides.

    Attributes:
        upper: at least the Lipschitz constant; norms of layers are rounded up.
        layers: what each layer that is not at most 1 counts, by name, in the order of the calls; batch norm that is folded
            into the convolution or linear layer before it is counted there.
    """

    upper: float
    layers: tuple[tuple[str, float], ...]


def lipschitz_bound(model: Any, input_shape: tuple[int, ...] | list[int]) -> Lipschitz:
    """Return an upper bound of the Lipschitz constant of a model, as dherin2022 (section 4) has it for a chain of layers.

    Operator norms of the layers are multiplied along a path; where paths meet in a sum their bounds are added, where
    they are joined end to end they are added in squares. Batch norm with stored statistics is folded into a layer before
    it that nothing else uses. A max-pooling counts the square root of the number of windows that an entry is in.

    Args:
        model: traceable by torch.fx, in eval mode.
        input_shape: of one input, without the axis of the batch.

    Raises:
        TypeError: if `model` is no module, or `input_shape` does not hold integers.
        ValueError: if batch norm or dropout is in training mode, a weight is not finite, torch.fx cannot trace the model, or
            it fails on such an input.
        UnsupportedLayerError: if it has a layer that no rule is known for: it is named, with the bound up to there.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity import lipschitz_bound
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> for layer in (model[0], model[2]):
        ...     _ = layer.weight.data.fill_(1.0)
        >>> round(lipschitz_bound(model, (2,)).upper, 6)  # 2 sqrt(2)
        2.828427
    """
    checked_module(model)
    shape = tuple(integer("input_shape", size) for size in input_shape)
    like = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
    graph = traced(model, torch.zeros(1, *shape, dtype=like.dtype, device=like.device))
    bounds: dict[fx.Node, float] = {graph.input: 1.0}
    counted: list[tuple[str, float]] = []
    for node in graph:
        if node is graph.input:
            continue
        given = graph.tensors(node)
        if graph.adds(node):
            bounds[node] = math.fsum(bounds[one] * times(node.args, one) for one in given) * OUTWARD
        elif graph.function(node) in JOINS:
            parts = [bounds[one] * math.sqrt(times(node.args[0], one)) for one in given]
            bounds[node] = math.hypot(*parts) * OUTWARD
        else:
            factor = _factor(graph, node, given)
            if factor is None:
                raise UnsupportedLayerError(
                    f"model must have layers whose norms are known, got {graph.name(node)}; up to there the Lipschitz "
                    f"constant is at most {max(bounds[one] for one in given):.6g}"
                )
            if factor != 1:
                counted.append((str(node.target) if node.op == "call_module" else node.name, factor))
            bounds[node] = bounds[given[0]] * factor * (OUTWARD if factor != 1 else 1.0)
    return Lipschitz(bounds[graph.output], tuple(counted))


def _factor(graph: Traced, node: fx.Node, given: list[fx.Node]) -> float | None:
    """Return a bound of the Lipschitz constant of one node, None if no rule is known."""
    if len(given) != 1:
        return None
    layer, before = graph.called(node), graph.shapes[given[0]]
    if layer is not None:
        return _of_layer(graph, node, layer, before[1:])
    if node.target in FUNCTIONS:
        return FUNCTIONS[node.target]
    if node.target in (torch.mean, "mean"):
        return math.sqrt(math.prod(graph.shapes[node]) / math.prod(before)) * OUTWARD
    if node.target in (operator.mul, "mul", operator.truediv, "div") and len(node.args) == 2:
        number = next((float(value) for value in node.args if isinstance(value, (int, float))), None)
        if number is not None and node.target in (operator.mul, "mul"):
            return abs(number)
        if number and node.args[0] is given[0]:
            return abs(1 / number) * OUTWARD
    return None


def _of_layer(graph: Traced, node: fx.Node, layer: nn.Module, shape: tuple[int, ...]) -> float | None:
    kind = type(layer)
    if isinstance(layer, (*CONTRACTIONS, nn.modules.dropout._DropoutNd)):
        return 1.0
    if kind in SLOPES:
        return SLOPES[kind]
    if isinstance(layer, (nn.LeakyReLU, nn.ELU, nn.CELU, nn.PReLU)):
        slope = layer.weight.abs().max().item() if isinstance(layer, nn.PReLU) else _slope(layer)
        return max(1.0, slope)
    if isinstance(layer, nn.Linear) or kind in CONVOLUTIONS:
        return _folded(graph, node, cast(nn.Linear | Convolution, layer), shape)
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        return 1.0 if folds(graph, node) is not None else float(scales(layer).abs().max()) * OUTWARD
    rule = POOLS.get(kind)
    return None if rule is None else rule(layer, shape)


def _slope(layer: nn.LeakyReLU | nn.ELU | nn.CELU) -> float:
    return (
        abs(layer.negative_slope)
        if isinstance(layer, nn.LeakyReLU)
        else abs(layer.alpha)
        if type(layer) is nn.ELU
        else 1.0
    )


def _folded(graph: Traced, node: fx.Node, layer: nn.Linear | Convolution, shape: tuple[int, ...]) -> float:
    """Return the norm of a linear layer or a convolution, together with the batch norm that alone uses it."""
    users = list(node.users)
    norm = graph.layer(users[0]) if len(users) == 1 else None
    if not isinstance(norm, nn.modules.batchnorm._BatchNorm) or folds(graph, users[0]) is not layer:
        return operator_norm(layer, shape).upper
    factors = scales(norm)
    weight: torch.Tensor = layer.weight.detach().double()
    weight = weight * factors.reshape(-1, *[1] * (weight.ndim - 1))
    lost = 8 * torch.finfo(torch.float64).eps  # of a weight, in folding
    return operator_norm(with_weight(layer, weight), shape).upper * (1 + lost * math.sqrt(weight.numel()))


def _pair(value: Any, axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)


def _max_pool(layer: Any, shape: tuple[int, ...]) -> float:
    axes = len(shape) - 1
    sizes = zip(_pair(layer.kernel_size, axes), _pair(layer.stride, axes), strict=True)
    windows = math.prod(k if layer.dilation not in (1, (1,) * axes) else -(-k // s) for k, s in sizes)
    return 1.0 if windows == 1 else math.sqrt(windows) * OUTWARD


def _average_pool(layer: Any, shape: tuple[int, ...]) -> float | None:
    axes = len(shape) - 1
    size, stride, padding = (_pair(value, axes) for value in (layer.kernel_size, layer.stride, layer.padding))
    plain = not layer.ceil_mode and getattr(layer, "divisor_override", None) is None
    if not plain or (any(padding) and not layer.count_include_pad):
        return None
    return _mean_over(size, stride, padding, shape)


def _mean_over(
    size: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], shape: tuple[int, ...]
) -> float:
    kind: Any = CONVOLUTIONS[len(size) - 1]
    ones = kind(1, 1, size, stride=stride, padding=padding, bias=False, dtype=torch.float64)
    ones.weight = nn.Parameter(torch.ones_like(ones.weight), requires_grad=False)
    return operator_norm(ones, (1, *shape[1:])).upper / math.prod(size) * OUTWARD


def _adaptive_average(layer: Any, shape: tuple[int, ...]) -> float | None:
    wanted = layer.output_size if isinstance(layer.output_size, tuple) else (layer.output_size,) * (len(shape) - 1)
    sizes = [n if out is None else out for n, out in zip(shape[1:], wanted, strict=True)]
    if any(n % out for n, out in zip(shape[1:], sizes, strict=True)):
        return None
    return math.sqrt(math.prod(sizes) / math.prod(shape[1:])) * OUTWARD


POOLS: dict[type, Callable[[Any, tuple[int, ...]], float | None]] = {
    nn.MaxPool1d: _max_pool, nn.MaxPool2d: _max_pool, nn.MaxPool3d: _max_pool,
    nn.AvgPool1d: _average_pool, nn.AvgPool2d: _average_pool, nn.AvgPool3d: _average_pool,
    nn.AdaptiveAvgPool1d: _adaptive_average, nn.AdaptiveAvgPool2d: _adaptive_average,
    nn.AdaptiveAvgPool3d: _adaptive_average,
}  # fmt: skip
"""Rules for pooling, by the kind of layer: its norm on inputs of a shape, or None."""
