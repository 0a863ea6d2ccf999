"""The four measures of capacity of neyshabur2017 (section 2.2): norms over the square of the margin, in logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.capacity.folding import exp, prepared
from numerics.capacity.log_paths import is_linear, log_sums
from numerics.capacity.margins import Margin
from numerics.capacity.path_norms import MaxPooling, checked_pooling, of_logs
from numerics.capacity.products import frobenius_product, spectral_product, units


@dataclass(frozen=True)
class CapacityMeasures:
    """Logarithms of the four measures.

    Attributes:
        l2: of prod 4 ||W_i||_F^2 / gamma^2.
        l1_path: of (sum over paths of prod |2 W_i|)^2 / gamma^2.
        l2_path: of sum over paths of prod 4 h_i W_i^2 / gamma^2.
        spectral: of prod h_i ||W_i||_2^2 / gamma^2, an upper bound.
        gamma: the margin.
        factors: whether 4, 2, 4 h_i and h_i are there.
    """

    l2: float
    l1_path: float
    l2_path: float
    spectral: float
    gamma: float
    factors: bool

    @property
    def values(self) -> dict[str, float]:
        """The measures themselves; inf or 0 where they are beyond the range of floats."""
        return {name: exp(getattr(self, name)) for name in ("l2", "l1_path", "l2_path", "spectral")}


def capacity_measures(
    model: Any,
    input_shape: Any,
    gamma: float | Margin,
    *,
    factors: bool = True,
    biases: bool = True,
    max_pooling: MaxPooling = "sum",
) -> CapacityMeasures:
    """Return the four measures of neyshabur2017, section 2.2, over gamma^2, in logarithms.

    Batch norm is folded first. h_i is the number of units of layer i, its outputs: channels times places. In a chain of d
    layers the factors are 4^d, 4^d, prod 4 h_i and prod h_i; over skips each path has those of the layers that it goes
    through. Sums over paths are over all outputs.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.
        gamma: the margin, above 0; of a `Margin` the order statistic.
        factors: whether the factors that depend on depth and width alone are there; the paper's figures leave them out.
        biases: whether paths also start at biases, as in `path_norm`; l2 and spectral are of weights alone.
        max_pooling: as in `path_norm`.

    Raises:
        TypeError: if `model` is no module, gamma no real number, or `input_shape` does not hold integers.
        ValueError: if gamma is not above 0; if batch norm or dropout is in training mode, a weight is not finite, the model
            cannot be traced or fails on such an input, or a layer has no units or is used twice.
        UnsupportedLayerError: if no rule is known for a layer, or batch norm cannot be folded.

    Example:
        >>> import torch
        >>> from numerics.capacity import capacity_measures
        >>> model = torch.nn.Linear(2, 2, bias=False)
        >>> _ = model.weight.data.copy_(torch.eye(2))
        >>> found = capacity_measures(model, (2,), gamma=1.0)
        >>> {name: round(value, 6) for name, value in found.values.items()}
        {'l2': 8.0, 'l1_path': 16.0, 'l2_path': 16.0, 'spectral': 2.0}
    """
    margin = _above_zero(gamma)
    largest = checked_pooling(max_pooling)
    l2 = frobenius_product(model, input_shape, factors=factors)
    spectral = spectral_product(model, input_shape, factors=factors)
    graph = prepared(model, input_shape)

    def paths(p: float) -> float:
        def factor(node: Any) -> float:
            if not factors or not is_linear(graph.layer(node)):
                return 1.0
            return 2.0 if p == 1 else 2 * math.sqrt(units(graph, node))

        sums = log_sums(graph, p, biases=biases, largest_of_pool=largest, factor=factor)
        return of_logs(sums[graph.output], p).log

    logs = [2 * (log - math.log(margin)) for log in (l2.log, paths(1.0), paths(2.0), spectral.log)]
    return CapacityMeasures(logs[0], logs[1], logs[2], logs[3], margin, factors)


def _above_zero(gamma: object) -> float:
    """Return a margin.

    Raises:
        TypeError: if it is no real number and no `Margin`.
        ValueError: if it is not above 0.
    """
    value = gamma.value if isinstance(gamma, Margin) else gamma
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"gamma must be a real number or a Margin, got {value!r} of type {type(value).__name__}")
    if not 0 < value < math.inf:
        why = f": {gamma.meaning}" if isinstance(gamma, Margin) else ""
        raise ValueError(f"gamma must be above 0 and finite, got {value}{why}")
    return float(value)
