"""Sums over paths of products of |w|^p, as logarithms, by one pass through the graph of a module.

Each unit carries log s, where s is the sum over the paths that end in it: from any input, and from any bias if biases count
(a bias is the weight of an edge from a unit that is always 1). A layer makes s' = |W|^p s + |b|^p; before it is multiplied
out the units of a channel are divided by the largest of them, and each row of |W|^p takes up these factors and is divided
by its own largest entry, so that nothing overflows, and nothing is lost but what is smaller than the rest of its sum by
the range of floats.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import fx, nn
from torch.nn import functional

from numerics.geometric_complexity.batch_norm import BatchNorm, scales, shifts
from numerics.geometric_complexity.graph import JOINS, Traced, UnsupportedLayerError
from numerics.geometric_complexity.norms import CONVOLUTIONS, Convolution, weight_of, with_weight

SUPPORTED = (
    "linear layers, convolutions, batch norm in eval mode, ReLU, LeakyReLU and PReLU with slopes from -1 to 1, average and max "
    "pooling, dropout in eval mode, reshaping, means, multiples by a number, sums and concatenations"
)

UNIT_SLOPES = (nn.Identity, nn.ReLU, nn.modules.dropout._DropoutNd)
RESHAPES = (nn.Flatten, nn.Unflatten)
MAX_POOLS = {nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d}
AVERAGE_POOLS: dict[type, int] = {nn.AvgPool1d: 1, nn.AvgPool2d: 2, nn.AvgPool3d: 3}
ADAPTIVE_POOLS: dict[type, type] = {
    nn.AdaptiveAvgPool1d: nn.AvgPool1d, nn.AdaptiveAvgPool2d: nn.AvgPool2d, nn.AdaptiveAvgPool3d: nn.AvgPool3d,
}  # fmt: skip

RELUS = {torch.relu, functional.relu, "relu", "relu_"}
UNIT_FUNCTIONS = RELUS | {"contiguous", "clone"}
RESHAPING = {
    torch.flatten, torch.reshape, torch.permute, torch.transpose, torch.squeeze, torch.unsqueeze,
    "flatten", "reshape", "view", "permute", "transpose", "squeeze", "unsqueeze",
}  # fmt: skip

LARGEST_LOG = 708.0
"""Of a float."""

Factor = Callable[[fx.Node], float]
"""What the weights and biases of the layer of a node are multiplied by."""


def unsupported(graph: Traced, node: fx.Node, what: str = SUPPORTED) -> str:
    """Return the sentence that names a layer that no rule is known for, and those that are."""
    return f"model must be made of {what}, got {graph.name(node)}"


def is_linear(layer: nn.Module | None) -> bool:
    """Return whether a layer is a linear one or a convolution."""
    return isinstance(layer, (nn.Linear, *CONVOLUTIONS))


def log_sums(
    graph: Traced,
    p: float,
    *,
    biases: bool,
    largest_of_pool: bool = False,
    collapsed: bool = False,
    factor: Factor = lambda node: 1.0,
) -> dict[fx.Node, torch.Tensor]:
    """Return log sum over paths of prod |w|^p for all units that a node passes on, for all nodes.

    Args:
        graph: of a model.
        p: finite, above 0.
        biases: whether paths from biases count.
        largest_of_pool: whether a max-pooling takes the largest of the sums in its window, rather than their sum.
        collapsed: whether every unit of a layer counts as the largest of them, so that the result of a chain of layers is
            sum log ||W_i||_{p,inf}^p.
        factor: of the parameters of each layer.

    Raises:
        UnsupportedLayerError: if no rule is known for a layer.
    """
    found: dict[fx.Node, torch.Tensor] = {graph.input: torch.zeros(graph.shapes[graph.input], dtype=torch.float64)}
    for node in graph:
        if node is not graph.input:
            logs = _of_node(graph, node, found, p, biases, largest_of_pool, math.log(factor(node)))
            found[node] = logs.amax().expand(logs.shape) if collapsed and logs.numel() else logs
    return found


def _of_node(
    graph: Traced,
    node: fx.Node,
    found: dict[fx.Node, torch.Tensor],
    p: float,
    biases: bool,
    largest_of_pool: bool,
    log_factor: float,
) -> torch.Tensor:
    """Return the logarithms that one node passes on.

    Raises:
        UnsupportedLayerError: if no rule is known for it.
    """
    given = graph.tensors(node)
    if graph.adds(node):
        total = found[cast(fx.Node, node.args[0])]
        for one in node.args[1:]:
            total = torch.logaddexp(total, found[cast(fx.Node, one)])
        return total
    if graph.function(node) in JOINS | RESHAPING:
        return rearranged(graph, node, found)
    if len(given) != 1:
        raise UnsupportedLayerError(unsupported(graph, node))
    logs, layer = found[given[0]], graph.called(node)
    if layer is not None:
        result = _of_layer(layer, logs, p, biases, largest_of_pool, log_factor)
        if result is None:
            raise UnsupportedLayerError(unsupported(graph, node))
        return result
    if graph.function(node) in UNIT_FUNCTIONS:
        return logs
    if graph.function(node) in (torch.mean, "mean"):
        count = math.prod(graph.shapes[given[0]]) / math.prod(graph.shapes[node])
        arguments, named = arguments_of(graph, node, {})
        return torch.logsumexp(logs, *axes_of(arguments[1:], named, logs.ndim)) - p * math.log(count)
    number = multiple(node, given[0])
    if number is None:
        raise UnsupportedLayerError(unsupported(graph, node))
    return logs + p * math.log(number) if number else torch.full_like(logs, -math.inf)


def arguments_of(graph: Traced, node: fx.Node, found: dict[fx.Node, torch.Tensor]) -> Any:
    """Return what a node is called with: logarithms for tensors that depend on the input, other values as they were."""
    return fx.node.map_arg((node.args, node.kwargs), lambda one: found.get(one, graph.values.get(one, one)))


def rearranged(graph: Traced, node: fx.Node, found: dict[fx.Node, torch.Tensor]) -> torch.Tensor:
    """Return logarithms where a node puts its units.

    Raises:
        UnsupportedLayerError: if a tensor that does not depend on the input is among them.
    """
    if any(one in graph.shapes and one not in found for one in node.all_input_nodes):
        raise UnsupportedLayerError(unsupported(graph, node))
    arguments, named = arguments_of(graph, node, found)
    if isinstance(node.target, str):
        moved: torch.Tensor = getattr(arguments[0], node.target)(*arguments[1:], **named)
    else:
        moved = cast(Callable[..., torch.Tensor], node.target)(*arguments, **named)
    return moved


def axes_of(arguments: Any, named: dict[str, Any], axes: int) -> tuple[Any, bool]:
    """Return the axes that a mean is over, and whether they are kept."""
    dim = arguments[0] if arguments else named.get("dim")
    kept = arguments[1] if len(arguments) > 1 else named.get("keepdim", False)
    return (tuple(range(axes)) if dim is None else dim), bool(kept)


def multiple(node: fx.Node, given: fx.Node) -> float | None:
    """Return the number >= 0 that a node multiplies a tensor by in absolute value, None if it does another thing."""
    if node.target not in (operator.mul, "mul", "mul_", torch.mul, operator.truediv, "div", "div_", torch.div):
        return None
    numbers = [float(one) for one in node.args if isinstance(one, (int, float))]
    if len(node.args) != 2 or node.kwargs or len(numbers) != 1:
        return None
    if node.target in (operator.mul, "mul", "mul_", torch.mul):
        return abs(numbers[0])
    return abs(1 / numbers[0]) if node.args[0] is given and numbers[0] else None


def _of_layer(
    layer: nn.Module, logs: torch.Tensor, p: float, biases: bool, largest_of_pool: bool, log_factor: float
) -> torch.Tensor | None:
    """Return the logarithms that a layer passes on, None if no rule is known for it."""
    if isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
        made = multiplied(layer, logs, p, log_factor)
        bias = layer.bias if biases else None
        if bias is None:
            return made
        axis = -1 if isinstance(layer, nn.Linear) else 1
        return torch.logaddexp(made, on_axis(_log_powers(bias, p) + p * log_factor, axis, made.ndim))
    if isinstance(layer, BatchNorm):
        made = logs + on_axis(_log_powers(scales(layer), p) + p * log_factor, 1, logs.ndim)
        shift = on_axis(_log_powers(shifts(layer), p) + p * log_factor, 1, logs.ndim)
        return torch.logaddexp(made, shift) if biases else made
    if isinstance(layer, UNIT_SLOPES):
        return logs
    if isinstance(layer, (nn.LeakyReLU, nn.PReLU)):
        slopes = layer.weight.detach() if isinstance(layer, nn.PReLU) else torch.tensor(layer.negative_slope)
        return logs if float(slopes.abs().max()) <= 1 else None
    if isinstance(layer, RESHAPES):
        reshaped: torch.Tensor = layer(logs)
        return reshaped
    return _pooled(layer, logs, p, largest_of_pool)


def multiplied(layer: nn.Linear | Convolution, logs: torch.Tensor, p: float, log_factor: float = 0.0) -> torch.Tensor:
    """Return log(|W|^p s) of a linear layer or a convolution for log s."""
    weight, axis = weight_of(layer), (logs.ndim - 1 if isinstance(layer, nn.Linear) else 1)
    others = [one for one in range(logs.ndim) if one != axis]
    largest = _finite(logs.amax(dim=others)) if others else _finite(logs)  # of each channel
    sums = torch.exp(logs - on_axis(largest, axis, logs.ndim))
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    inside = largest.reshape(groups, 1, -1).expand(groups, len(weight) // groups, -1).reshape(len(weight), -1)
    sizes = weight.abs()
    peaks = sizes.flatten(2).amax(dim=2) if weight.ndim > 2 else sizes  # [outputs, inputs]
    top = _finite((peaks.log() * p + inside).amax(dim=1))  # of each row
    # At most 1 over the largest weight between two units, but where all are 0.
    factors = torch.exp(((inside - top[:, None]) / p).clamp_(max=LARGEST_LOG))
    powers = sizes * factors.reshape(*factors.shape, *[1] * (weight.ndim - 2))
    powers = powers if p == 1 else powers.square_() if p == 2 else powers.pow_(p)
    made: torch.Tensor
    made = functional.linear(sums, powers) if isinstance(layer, nn.Linear) else with_weight(layer, powers)(sums)
    return made.log() + on_axis(top + p * log_factor, axis, made.ndim)


def _finite(logs: torch.Tensor) -> torch.Tensor:
    """Return logarithms with 0 for that of 0, to divide by."""
    return torch.where(torch.isinf(logs), 0.0, logs)


def _log_powers(values: torch.Tensor, p: float) -> torch.Tensor:
    return p * values.detach().to("cpu", torch.float64).abs().log()


def on_axis(values: torch.Tensor, axis: int, axes: int) -> torch.Tensor:
    """Return numbers [c] as a tensor with so many axes, along one of them."""
    shape = [1] * axes
    shape[axis] = -1
    return values.reshape(shape)


def _pooled(layer: Any, logs: torch.Tensor, p: float, largest: bool) -> torch.Tensor | None:
    """Return the logarithms after a pooling, whose weights are 1 over the divisor or, of a max-pooling, 1."""
    kind = type(layer)
    if kind in MAX_POOLS:
        if layer.return_indices:
            return None
        if largest:
            pooled: torch.Tensor = layer(logs)
            return pooled
        if layer.ceil_mode:
            return None
        return _window_sums(logs, layer.kernel_size, layer.stride, layer.padding, layer.dilation)
    if kind in ADAPTIVE_POOLS:
        wanted = layer.output_size if isinstance(layer.output_size, tuple) else (layer.output_size,) * (logs.ndim - 2)
        sizes = list(zip(logs.shape[2:], wanted, strict=True))
        if any(out is not None and n % out for n, out in sizes):
            return None
        layer = ADAPTIVE_POOLS[kind](tuple(n // (out or n) if out is not None else 1 for n, out in sizes))
    if type(layer) not in AVERAGE_POOLS or layer.ceil_mode:
        return None
    ones = torch.ones(1, 1, *logs.shape[2:], dtype=torch.float64)
    counted = _window_sums(torch.zeros_like(ones), layer.kernel_size, layer.stride, layer.padding, 1)
    divisors = counted - layer(ones).log()
    sums: torch.Tensor = _window_sums(logs, layer.kernel_size, layer.stride, layer.padding, 1) - p * divisors
    return sums


def _window_sums(logs: torch.Tensor, size: Any, stride: Any, padding: Any, dilation: Any) -> torch.Tensor:
    """Return log of the sums in the windows of a pooling; padding adds nothing."""
    axes, channels = logs.ndim - 2, logs.shape[1]
    kind: Any = CONVOLUTIONS[axes - 1]
    sizes = (size,) * axes if isinstance(size, int) else tuple(size)
    layer = kind(
        channels, channels, sizes, stride=stride, padding=padding, dilation=dilation, groups=channels, bias=False,
        device="meta",
    )  # fmt: skip
    layer.weight = nn.Parameter(torch.ones(channels, 1, *sizes, dtype=torch.float64), requires_grad=False)
    return multiplied(layer, logs, 1.0)
