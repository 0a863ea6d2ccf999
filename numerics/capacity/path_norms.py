"""The l_p path norm of a model (neyshabur2017, section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch

from numerics.capacity.folding import exp, prepared
from numerics.capacity.group_norms import exponent
from numerics.capacity.log_paths import log_sums
from theory.checks import Array

MaxPooling = Literal["sum", "largest"]
"""What a max-pooling does to sums over paths: it adds those in its window, for each is a path; or it takes the largest."""


@dataclass(frozen=True, eq=False)
class PathNorm:
    """The l_p norm of the products of weights along the paths to the outputs of a model.

    Attributes:
        p: of the norm.
        log: its logarithm; -inf if no path has weights that are all other than 0.
        output_logs: those of the paths to each output alone, [k]: log = log sum_j exp(p output_logs_j) / p.
    """

    p: float
    log: float
    output_logs: Array

    @property
    def value(self) -> float:
        """The norm; inf or 0 where it is beyond the range of floats."""
        return exp(self.log)

    @property
    def largest_log(self) -> float:
        """The logarithm of the largest norm of the paths to one output, which `least_product` gives; log, if there is one."""
        return float(self.output_logs.max())


def path_norm(
    model: Any, input_shape: Any, p: float, *, biases: bool = True, max_pooling: MaxPooling = "sum"
) -> PathNorm:
    """Return (sum over paths from inputs to outputs of prod |w|^p)^(1/p), by two forward passes of one input.

    A path has a weight for each layer that it goes through; those of an average pooling are 1 over its divisor, of all else
    1. A convolution's weight is on as many paths as it has places. Over a skip, paths are shorter. Batch norm is folded
    first (`fold_batch_norm`); where it cannot be, as before a ReLU, it is a layer with one weight and one bias a channel.
    Activations are positively homogeneous, so node-wise rescaling leaves all products as they are. One pass finds the
    shapes, the other has |w|^p for weights, in logarithms, so that nothing overflows: see `numerics.capacity.log_paths`.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.
        p: at least 1, finite.
        biases: whether paths also start at biases, which are weights from a unit that is always 1. The paper's networks have
            none. Rescaling leaves the norm as it is either way; `least_product` is of the norm without them.
        max_pooling: "sum", as the definition has it: each input of a window is on a path. "largest" is what a pass of |w|^p
            through the model itself does, at most the other; it, too, bounds the Lipschitz constant (p = 1). (Such a pass
            also leaves 1/k for the weights of an average over k, where the definition has 1/k^p.)

    Raises:
        TypeError: if `model` is no module, p is no real number, or `input_shape` does not hold integers.
        ValueError: if p is below 1 or inf, batch norm or dropout is in training mode, a weight is not finite, the model cannot
            be traced or fails on such an input, a layer has no units, or there is batch norm and shared weights.
        UnsupportedLayerError: if no rule is known for a layer.

    Example:
        >>> import torch
        >>> from numerics.capacity import path_norm
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
        >>> for parameter in model.parameters():
        ...     _ = parameter.data.fill_(2.0)
        >>> round(path_norm(model, (2,), 1, biases=False).value, 6)  # 6 paths of 4
        24.0
        >>> round(path_norm(model, (2,), 1).value, 6)  # and 3 of 4 and one of 2 from biases
        38.0
    """
    p = exponent("p", p, finite=True)
    largest = checked_pooling(max_pooling)
    graph = prepared(model, input_shape)
    return of_logs(log_sums(graph, p, biases=biases, largest_of_pool=largest)[graph.output], p)


def checked_pooling(max_pooling: object) -> bool:
    """Return whether the largest sum of a window is taken.

    Raises:
        ValueError: if it is neither of the two.
    """
    if max_pooling not in get_args(MaxPooling):
        raise ValueError(f"max_pooling must be 'sum' or 'largest', got {max_pooling!r}")
    return max_pooling == "largest"


def of_logs(logs: torch.Tensor, p: float) -> PathNorm:
    """Return the norm for the logarithms of the sums at the outputs."""
    flat = logs.reshape(-1)
    outputs: Array = (flat / p).numpy()
    return PathNorm(p, float(torch.logsumexp(flat, 0)) / p, outputs)
