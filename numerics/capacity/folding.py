"""Batch norm folded into the layers beside it, and a model prepared for its paths and layers to be measured."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import fx, nn
from torch.nn.utils import parametrize

from numerics.capacity.log_paths import is_linear
from numerics.geometric_complexity.batch_norm import BatchNorm, folds, scales, shifts
from numerics.geometric_complexity.graph import Traced, UnsupportedLayerError, traced
from numerics.geometric_complexity.modules import checked_module
from numerics.geometric_complexity.norms import Convolution
from numerics.stability.models import copied
from theory.checks import count as integer

PASSING = (nn.Identity, nn.modules.dropout._DropoutNd, nn.Flatten)
"""Layers that a batch norm may be moved through; a flattening of channels repeats their factors."""


def fold_batch_norm(model: Any, input_shape: tuple[int, ...] | list[int] | None = None) -> nn.Module:
    """Return a copy of a model in eval mode with every batch norm folded into a layer beside it; the function is the same.

    With g = weight/sqrt(running_var + eps) and s = bias - g running_mean of a channel, a batch norm after a linear layer or
    convolution that serves nothing else makes W, b into g W, g b + s; else one right before a linear layer, or before a
    convolution that pads nothing or pads with values of the input, makes them W g, b + W s (neyshabur2017, appendix A). A
    layer without a bias gets one, so folding makes biases: measures of weights alone do not see s.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch. Only needed where a linear layer beside a batch norm has
            inputs of more than one axis, whose channels are then others than its units: without it none is taken to be so.

    Returns:
        A copy in which each batch norm is an `Identity`; of the same class, dtype and device. Weights are folded in float64
        and rounded once.

    Raises:
        TypeError: if `model` is no module.
        ValueError: if batch norm or dropout is in training mode, a batch norm stores no statistics, a weight is not finite,
            the model cannot be copied or traced, or it uses a parameter more than once.
        UnsupportedLayerError: if a batch norm cannot be folded: after a sum or an activation and not before a linear layer, or
            before a convolution with zero padding, which pads what the batch norm makes and not what it is given.

    Example:
        >>> import torch
        >>> from numerics.capacity import fold_batch_norm
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.ReLU()).eval()
        >>> fold_batch_norm(model)[1]
        Identity()
    """
    checked_module(model)
    mine = copied(model)
    row = None if input_shape is None else torch.zeros(1, *shape_of(input_shape), dtype=torch.float64)
    graph = traced(mine, row)
    for name in folded(graph, strict=True):
        holder, _, last = name.rpartition(".")
        setattr(mine.get_submodule(holder), last, nn.Identity())
    return restored(mine, model)


def restored(mine: nn.Module, model: nn.Module) -> nn.Module:
    """Return a copy of a model with the dtypes and devices of the original; parameters that this lacks have its first's."""
    there = dict(model.named_parameters())
    for name, parameter in mine.named_parameters():
        parameter.data = parameter.data.to(there.get(name, next(iter(there.values()))))
    buffers = dict(model.named_buffers())
    for name, buffer in mine.named_buffers():
        buffer.data = buffer.data.to(buffers[name])
    return mine


def shape_of(input_shape: Any) -> tuple[int, ...]:
    """Return the shape of one input.

    Raises:
        TypeError: if it does not hold integers.
        ValueError: if one is below 1.
    """
    if not isinstance(input_shape, (tuple, list, torch.Size)):
        raise TypeError(
            f"input_shape must be a tuple of integers, got {input_shape!r} of type {type(input_shape).__name__}"
        )
    return tuple(integer("input_shape", size) for size in input_shape)


def prepared(model: Any, input_shape: Any) -> Traced:
    """Return the graph of a model in which batch norm is folded where it can be, and stays a layer where not.

    Raises:
        TypeError: if `model` is no module, or `input_shape` does not hold integers.
        ValueError: if batch norm or dropout is in training mode, a weight is not finite, the model cannot be traced or fails
            on such an input, a layer has no units, or there is batch norm and a parameter is used more than once.
    """
    checked_module(model)
    shape = shape_of(input_shape)
    normed = any(isinstance(layer, BatchNorm) for layer in model.modules())
    mine = copied(model) if normed else model
    like = next((p for p in mine.parameters() if p.is_floating_point()), torch.zeros((), dtype=torch.float64))
    graph = traced(mine, torch.zeros(1, *shape, dtype=like.dtype, device=like.device))
    for node in graph:
        layer = graph.layer(node)
        if is_linear(layer) and not cast(nn.Linear | Convolution, layer).weight.numel():
            sizes = tuple(cast(nn.Linear | Convolution, layer).weight.shape)
            raise ValueError(f"model must have units in every layer, got {graph.name(node)} with weights {sizes}")
    if normed:
        folded(graph, strict=False)
    return graph


def folded(graph: Traced, *, strict: bool) -> list[str]:
    """Fold each batch norm into a layer beside it, take it out of the graph, and return the names of those.

    Args:
        graph: of a model of one's own, in float64, which is changed.
        strict: whether one that cannot be folded is an error; else it stays.

    Raises:
        ValueError: if a parameter is used more than once.
        UnsupportedLayerError: if a batch norm cannot be folded.
    """
    norms = [node for node in graph.nodes if isinstance(graph.layer(node), BatchNorm)]
    shared = graph.shared() if norms else ""
    if shared:
        raise ValueError(f"model must use each parameter once for batch norm to be folded, got {shared}")
    names = []
    for node in norms:
        norm = cast(BatchNorm, graph.layer(node))
        before = folds(graph, node)
        after, padded = (None, "") if before is not None else _following(graph, node)
        layer = before if before is not None else after
        if layer is None:
            if strict:
                raise UnsupportedLayerError(
                    "model must have batch norm after a linear layer or convolution that serves nothing else, or before one "
                    f"that pads with no zeros, for it to be folded, got {graph.name(node)}{padded}"
                )
            continue
        if parametrize.is_parametrized(layer):
            raise UnsupportedLayerError(
                f"model must have layers without parametrizations beside batch norm, got {type(layer).__name__}"
            )
        if before is not None:
            _fold_back(before, norm)
        else:
            _fold_forward(layer, norm)
        [given] = node.all_input_nodes
        node.replace_all_uses_with(given)
        graph.module.graph.erase_node(node)
        names.append(str(node.target))
    return names


def _following(graph: Traced, node: fx.Node) -> tuple[nn.Linear | Convolution | None, str]:
    """Return the linear layer or convolution that alone uses what a batch norm makes; and what is wrong with it."""
    here, flat = node, False
    while len(here.users) == 1:
        [here] = here.users
        layer = graph.layer(here)
        if is_linear(layer):
            linear = cast(nn.Linear | Convolution, layer)
            return (linear, "") if _takes(graph, node, here, linear, flat) else (None, _why(graph, here, linear))
        if not isinstance(layer, PASSING):
            break
        if isinstance(layer, nn.Flatten):
            if (layer.start_dim, layer.end_dim) != (1, -1):
                break
            flat = True
    return None, ""


def _takes(graph: Traced, node: fx.Node, here: fx.Node, layer: nn.Linear | Convolution, flat: bool) -> bool:
    """Return whether a layer's inputs are the channels of the batch norm, or these repeated, and are not padded with 0."""
    channels = cast(BatchNorm, graph.layer(node)).num_features
    if isinstance(layer, nn.Linear):
        plain = len(graph.shapes.get(here, (1, 1))) == 2
        return plain and (layer.in_features % channels == 0 if flat else layer.in_features == channels)
    return not flat and not (layer.padding_mode == "zeros" and any(layer._reversed_padding_repeated_twice))


def _why(graph: Traced, here: fx.Node, layer: nn.Linear | Convolution) -> str:
    if isinstance(layer, nn.Linear):
        return ""
    return f" before {graph.name(here)} with zero padding: its zeros would be those of the input of the batch norm"


def _fold_back(layer: nn.Linear | Convolution, norm: BatchNorm) -> None:
    factors, shift = scales(norm), shifts(norm)
    weight = layer.weight.detach() * factors.reshape(-1, *[1] * (layer.weight.ndim - 1))
    bias = torch.zeros_like(shift) if layer.bias is None else layer.bias.detach()
    _set(layer, weight, factors * bias + shift)


def _fold_forward(layer: nn.Linear | Convolution, norm: BatchNorm) -> None:
    weight = layer.weight.detach()
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    repeats = weight.shape[1] * groups // norm.num_features  # of each channel, where it is flattened
    factors, shift = (one.repeat_interleave(repeats) for one in (scales(norm), shifts(norm)))
    shape = (groups, 1, weight.shape[1], *[1] * (weight.ndim - 2))
    parts = weight.reshape(groups, -1, *weight.shape[1:])
    added = (parts * shift.reshape(shape)).reshape(len(weight), -1).sum(dim=1)
    bias = added if layer.bias is None else layer.bias.detach() + added
    _set(layer, (parts * factors.reshape(shape)).reshape(weight.shape), bias)


def _set(layer: nn.Linear | Convolution, weight: torch.Tensor, bias: torch.Tensor) -> None:
    layer.weight = nn.Parameter(weight, requires_grad=layer.weight.requires_grad)
    layer.bias = nn.Parameter(bias, requires_grad=layer.weight.requires_grad)


def exp(log: float) -> float:
    """Return e^log, inf beyond the range of floats."""
    try:
        return math.exp(log)
    except OverflowError:
        return math.inf
