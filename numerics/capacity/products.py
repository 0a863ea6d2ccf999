"""Products over layers of Frobenius and of operator norms, in logarithms (neyshabur2017, section 2.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from torch import fx, nn

from numerics.capacity.folding import exp, prepared
from numerics.capacity.group_norms import group_norm
from numerics.capacity.log_paths import is_linear, unsupported
from numerics.geometric_complexity.batch_norm import BatchNorm
from numerics.geometric_complexity.graph import Traced, UnsupportedLayerError
from numerics.geometric_complexity.norms import Convolution, operator_norm
from theory.enclosure import EPS

LAYERS = "linear layers, convolutions, batch norm that can be folded, and nothing else with weights"


@dataclass(frozen=True)
class NormProduct:
    """A product over layers.

    Attributes:
        log: its logarithm; of operator norms an upper bound of it, rounding included. -inf if a layer is 0.
        log_lower: a lower bound of it; the same where each norm is a sum.
        layers: the norm of each layer, by name, in the order of the calls, without factors.
    """

    log: float
    log_lower: float
    layers: tuple[tuple[str, float], ...]

    @property
    def value(self) -> float:
        """The product; inf or 0 where it is beyond the range of floats."""
        return exp(self.log)


def frobenius_product(model: Any, input_shape: Any, *, factors: bool = False) -> NormProduct:
    """Return prod_i ||W_i||_F, or prod_i 2 ||W_i||_F, over the linear layers and convolutions of a model.

    Batch norm is folded first. Of a convolution the kernel counts, each weight once. Biases do not count. The layers of a
    model with skips are multiplied likewise, as the formula has it: what is known of chains of layers does not follow.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.
        factors: whether each norm is doubled, so that the square is prod_i 4 ||W_i||_F^2.

    Raises:
        TypeError: if `model` is no module, or `input_shape` does not hold integers.
        ValueError: if batch norm or dropout is in training mode, a weight is not finite, the model cannot be traced or fails
            on such an input, a layer has no units or is used twice, or the model has none.
        UnsupportedLayerError: if batch norm cannot be folded, or another layer has parameters.

    Example:
        >>> import torch
        >>> from numerics.capacity import frobenius_product
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
        >>> for layer in (model[0], model[2]):
        ...     _ = layer.weight.data.fill_(1.0)
        >>> round(frobenius_product(model, (4,)).value, 6)  # 4 x 2
        8.0
    """
    graph = prepared(model, input_shape)
    norms = [(str(node.target), group_norm(layer.weight, 2, 2)) for node, layer in weighted_layers(graph)]
    log = math.fsum(_log(norm) for _, norm in norms) + (len(norms) * math.log(2) if factors else 0.0)
    return NormProduct(log, log, tuple(norms))


def spectral_product(model: Any, input_shape: Any, *, factors: bool = False) -> NormProduct:
    """Return prod_i ||W_i||_2, or prod_i sqrt(h_i) ||W_i||_2, over the linear layers and convolutions of a model.

    Norms are operator norms as in `numerics.geometric_complexity.operator_norm`, a convolution's that of the map on inputs
    of its size, with bounds that hold in floats. Batch norm is folded first; for skips and biases see `frobenius_product`.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.
        factors: whether each norm is multiplied by sqrt(h_i), so that the square is prod_i h_i ||W_i||_2^2. h_i is the number
            of units that the layer has; of a convolution channels times places.

    Raises:
        TypeError: if `model` is no module, or `input_shape` does not hold integers.
        ValueError: if batch norm or dropout is in training mode, a weight is not finite, the model cannot be traced or fails
            on such an input, a layer has no units or is used twice, or the model has none.
        UnsupportedLayerError: if batch norm cannot be folded, or another layer has parameters.

    Example:
        >>> import torch
        >>> from numerics.capacity import spectral_product
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
        >>> for layer in (model[0], model[2]):
        ...     _ = layer.weight.data.fill_(1.0)
        >>> found = spectral_product(model, (4,), factors=True)
        >>> round(found.value, 6)  # 2 x 4, then 1 x 2
        16.0
    """
    graph = prepared(model, input_shape)
    norms, added = [], 0.0
    for node, layer in weighted_layers(graph):
        [given] = graph.tensors(node)
        norms.append((str(node.target), operator_norm(layer, graph.shapes[given][1:])))
        added += math.log(units(graph, node)) / 2 if factors else 0.0
    uppers, lowers = [_log(norm.upper) for _, norm in norms], [_log(norm.lower) for _, norm in norms]
    lost = 4 * EPS * (added + sum(abs(log) for log in uppers if math.isfinite(log)))  # by logarithms and their sum
    return NormProduct(
        math.fsum(uppers) + added + lost,
        math.fsum(lowers) + added - lost if min(lowers) > -math.inf else -math.inf,
        tuple((name, norm.upper) for name, norm in norms),
    )


def weighted_layers(graph: Traced) -> Iterator[tuple[fx.Node, nn.Linear | Convolution]]:
    """Yield the linear layers and convolutions in the order of the calls.

    Raises:
        ValueError: if a parameter is used more than once, or there is no such layer.
        UnsupportedLayerError: if another layer has parameters, or batch norm is left.
    """
    shared = graph.shared()
    if shared:
        raise ValueError(f"model must use each parameter once, got {shared}")
    found = []
    for node in graph:
        layer = graph.layer(node)
        if is_linear(layer):
            found.append((node, cast(nn.Linear | Convolution, layer)))
        elif layer is not None and (isinstance(layer, BatchNorm) or list(layer.parameters())):
            raise UnsupportedLayerError(unsupported(graph, node, LAYERS))
    if not found:
        raise ValueError("model must have a linear layer or a convolution, got none")
    yield from found


def units(graph: Traced, node: fx.Node) -> int:
    """Return how many units a layer has."""
    return math.prod(graph.shapes[node][1:])


def _log(norm: float) -> float:
    return math.log(norm) if norm > 0 else -math.inf
