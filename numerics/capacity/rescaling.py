"""Node-wise rescaling: a unit's incoming weights times a number above 0, its outgoing ones divided by it (section 2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import fx, nn

from numerics.capacity.folding import restored, shape_of
from numerics.capacity.log_paths import (
    ADAPTIVE_POOLS,
    AVERAGE_POOLS,
    MAX_POOLS,
    RESHAPES,
    RESHAPING,
    SUPPORTED,
    UNIT_FUNCTIONS,
    UNIT_SLOPES,
    is_linear,
    multiple,
    on_axis,
    rearranged,
)
from numerics.geometric_complexity.batch_norm import BatchNorm
from numerics.geometric_complexity.graph import JOINS, Traced, UnsupportedLayerError, traced
from numerics.geometric_complexity.modules import checked_module
from numerics.geometric_complexity.norms import Convolution
from numerics.stability.models import copied
from theory.checks import Reals, real_array

Scales = dict[fx.Node, torch.Tensor]
"""What each unit that a node passes on is multiplied by."""


def rescaled(model: Any, input_shape: Any, factors: Mapping[str, Reals]) -> nn.Module:
    """Return a copy of a model in eval mode whose units are rescaled; its function is the same but for rounding.

    The incoming weights and the bias of a unit are multiplied by its factor, and the weights of all that it goes into are
    divided by it, through positively homogeneous activations, pooling, reshaping, sums and concatenations. The units of a
    convolution that is shared over places are its channels.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.
        factors: for names of linear layers and convolutions a number above 0 for each unit, [units]; others stay.

    Raises:
        TypeError: if `model` is no module, `input_shape` does not hold integers, `factors` is no mapping, or a factor is no
            real number.
        ValueError: if batch norm or dropout is in training mode, a weight is not finite, the model cannot be copied or traced,
            fails on such an input, or uses a parameter more than once; if a name is none of a layer, a factor is not above
            0, or their number is another; if units that are added have different factors, or outputs have some.
        UnsupportedLayerError: if a rescaled unit goes into a layer that is not positively homogeneous, or into batch norm that
            is not folded.

    Example:
        >>> import torch
        >>> from numerics.capacity import rescaled
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1)).double()
        >>> other = rescaled(model, (1,), {"0": [2.0, 0.5]})
        >>> bool(torch.allclose(model(torch.ones(3, 1).double()), other(torch.ones(3, 1).double())))
        True
    """
    checked_module(model)
    shape = shape_of(input_shape)
    mine = copied(model)
    graph = traced(mine, torch.zeros(1, *shape, dtype=torch.float64))
    shared = graph.shared()
    if shared:
        raise ValueError(f"model must use each parameter once for its units to be rescaled one by one, got {shared}")
    wanted = _checked(graph, factors)
    scales: Scales = {graph.input: torch.ones(graph.shapes[graph.input], dtype=torch.float64)}
    for node in graph:
        if node is not graph.input:
            scales[node] = _of_node(graph, node, scales, wanted)
    if bool((scales[graph.output] != 1).any()):
        last = next(node for node in reversed(list(graph)) if str(node.target) in wanted)
        raise ValueError(
            f"factors must leave the outputs as they are, got some for {str(last.target)!r}, which reach them"
        )
    return restored(mine, model)


def _checked(graph: Traced, factors: Any) -> dict[str, torch.Tensor]:
    """Return the factors of layers by their names.

    Raises:
        TypeError: if they are no mapping, or one is no real number.
        ValueError: if a name is none of a layer, a factor is not above 0 or not finite, or their number is another.
    """
    if not isinstance(factors, Mapping):
        raise TypeError(f"factors must map names of layers to numbers, got {type(factors).__name__}")
    layers = {str(node.target): graph.layer(node) for node in graph if is_linear(graph.layer(node))}
    found = {}
    for name, values in factors.items():
        if name not in layers:
            raise ValueError(f"factors must be for layers among {', '.join(map(repr, layers))}, got {name!r}")
        numbers = torch.from_numpy(real_array(f"factors[{name!r}]", values).astype(float))
        count = len(cast(nn.Linear, layers[name]).weight)
        if len(numbers) != count:
            raise ValueError(f"factors[{name!r}] must hold one number for each of {count} units, got {len(numbers)}")
        if not bool((numbers > 0).all()):
            raise ValueError(f"factors[{name!r}] must hold numbers above 0, got {float(numbers.min())}")
        found[name] = numbers
    return found


def _of_node(graph: Traced, node: fx.Node, scales: Scales, wanted: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the scales of what a node passes on, after rescaling its layer.

    Raises:
        ValueError: if units that are added have different ones.
        UnsupportedLayerError: if they cannot go through.
    """
    given = graph.tensors(node)
    layer, shape = graph.called(node), graph.shapes[node]
    if all(bool((scales[one] == 1).all()) for one in given) and not (is_linear(layer) and node.target in wanted):
        return torch.ones(shape, dtype=torch.float64)
    if graph.adds(node):
        first = scales[given[0]]
        if not all(torch.equal(first, scales[one]) for one in given):
            raise ValueError(
                f"factors must be the same for units that are added, got different ones at {graph.name(node)}"
            )
        return first
    if graph.function(node) in JOINS | RESHAPING:
        return rearranged(graph, node, scales)
    scale = scales[given[0]]
    if is_linear(layer):
        own = wanted.get(str(node.target))
        return _rescale(graph, node, cast(nn.Linear | Convolution, layer), scale, own).expand(shape)
    if isinstance(layer, RESHAPES):
        reshaped: torch.Tensor = layer(scale)
        return reshaped
    if isinstance(layer, (*UNIT_SLOPES, nn.LeakyReLU, nn.PReLU)) or graph.function(node) in UNIT_FUNCTIONS:
        return scale
    if type(layer) in {*MAX_POOLS, *AVERAGE_POOLS, *ADAPTIVE_POOLS}:
        return on_axis(of_channels(graph, node, scale, 1), 1, len(shape)).expand(shape)
    if multiple(node, given[0]) is not None:
        return scale
    advice = ": fold it first (fold_batch_norm)" if isinstance(layer, BatchNorm) else ""
    raise UnsupportedLayerError(
        f"model must be made of {SUPPORTED} for its units to be rescaled, got {graph.name(node)} after rescaled ones{advice}"
    )


def _rescale(
    graph: Traced, node: fx.Node, layer: nn.Linear | Convolution, scale: torch.Tensor, own: torch.Tensor | None
) -> torch.Tensor:
    """Rescale a layer's weights and bias, and return the scales of its units, on their axis."""
    axis = scale.ndim - 1 if isinstance(layer, nn.Linear) else 1
    inside = of_channels(graph, node, scale, axis)
    weight, outputs = layer.weight.detach(), len(layer.weight)
    own = torch.ones(outputs, dtype=torch.float64) if own is None else own
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    divisors = inside.reshape(groups, 1, -1).expand(groups, outputs // groups, -1).reshape(outputs, -1)
    ratios = own[:, None] / divisors
    weight = weight * ratios.reshape(*ratios.shape, *[1] * (weight.ndim - 2)).to(weight.device)
    layer.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)
    if layer.bias is not None:
        bias = layer.bias.detach() * own.to(layer.bias.device)
        layer.bias = nn.Parameter(bias, requires_grad=layer.bias.requires_grad)
    return on_axis(own, axis, scale.ndim)


def of_channels(graph: Traced, node: fx.Node, scale: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the scales of channels, [c].

    Raises:
        ValueError: if units of one channel have different ones.
    """
    rows = scale.movedim(axis, 0).flatten(1)
    if not torch.equal(rows, rows[:, :1].expand(rows.shape)):
        raise ValueError(
            f"factors must be the same for units that share weights, got different ones at {graph.name(node)}"
        )
    return rows[:, 0]
