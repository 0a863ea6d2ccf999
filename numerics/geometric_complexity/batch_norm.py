"""Batch norm with stored statistics, as the affine map of each channel that it is."""

from __future__ import annotations

from typing import cast

import torch
from torch import fx, nn

from numerics.geometric_complexity.graph import Traced
from numerics.geometric_complexity.norms import CONVOLUTIONS, Convolution

BatchNorm = nn.modules.batchnorm._BatchNorm


def scales(norm: BatchNorm) -> torch.Tensor:
    """Return what batch norm multiplies each channel by, in float64, [c]."""
    variance = cast(torch.Tensor, norm.running_var)
    spread = (variance.double() + norm.eps).sqrt()
    return torch.ones_like(spread) / spread if norm.weight is None else norm.weight.detach().double() / spread


def shifts(norm: BatchNorm) -> torch.Tensor:
    """Return what batch norm then adds to each channel, in float64, [c]."""
    mean = cast(torch.Tensor, norm.running_mean).double()
    shift = -mean * scales(norm)
    return shift if norm.bias is None else shift + norm.bias.detach().double()


def folds(graph: Traced, node: fx.Node) -> nn.Linear | Convolution | None:
    """Return the layer that a batch norm is folded into, if the one before it is linear and serves nothing else."""
    [given] = node.all_input_nodes
    before = graph.layer(given)
    linear = isinstance(before, (nn.Linear, *CONVOLUTIONS)) and len(given.users) == 1
    flat = not (isinstance(before, nn.Linear) and len(graph.shapes.get(given, (1, 1))) != 2)
    return cast(nn.Linear | Convolution, before) if linear and flat else None
