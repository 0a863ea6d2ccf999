"""The least product of Frobenius norms over node-wise rescalings: a geometric program, solved layer by layer, with a bound.

With s_j > 0 the squares of the factors of the units and P_i the squares of the weights of layer i, the program is to minimise

    prod_i ||W_i||_F^2 = prod_i sum_{k, j} s_k P_kj / s_j,

s = 1 at inputs and outputs, convex in log s. For one hidden layer, all else fixed, it has a closed form: s_j = b_j/a_j, the
norms of what leaves a unit and of what enters it, and the layers then have the norms that sum_j a_j b_j allows (B22.a). Layer
after layer that goes down to the least (B22.b: weights whose hidden units are balanced have it).

From below, by the inequality of the arithmetic and geometric means, for shares q_e of the weights of a layer, sum 1,

    log sum_e x_e >= sum_e q_e log(x_e / q_e),

and the factors drop out of the sum over layers if the shares are a flow: what enters a unit is what leaves it. Shares
s_k P_kj/s_j made into one, from the first layer on, bound the least from below, the better the nearer they are to balance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import fx, nn

from numerics.capacity.folding import exp, prepared
from numerics.capacity.least import check_chain
from numerics.capacity.log_paths import RESHAPES, RESHAPING, is_linear, on_axis, rearranged
from numerics.capacity.products import weighted_layers
from numerics.capacity.rescaling import of_channels
from numerics.geometric_complexity.graph import Traced
from numerics.geometric_complexity.norms import Convolution, weight_of
from theory.checks import Array, positive

SWEEPS = 10_000
"""So many times at most through the layers."""

FAR = 40.0
"""Weights on no path from an input to an output are made e^40 times smaller a layer: nothing, in floats."""


@dataclass(frozen=True, eq=False)
class LeastFrobeniusProduct:
    """The least product over layers of ||W_i||_F over node-wise rescalings.

    Attributes:
        log: the logarithm of the product that `factors` lead to; -inf where the infimum is 0.
        log_lower: no rescaling has a product whose logarithm is below this, to rounding.
        attained: whether a rescaling has the infimum: a unit that weights other than 0 enter on no path from an input, or
            leave on none to an output, keeps it from that.
        factors: for each hidden layer those of its units, [units], for `rescaled`; a convolution's units are its channels.
    """

    log: float
    log_lower: float
    attained: bool
    factors: dict[str, Array]

    @property
    def value(self) -> float:
        """The product that was found; inf or 0 where it is beyond the range of floats."""
        return exp(self.log)


def least_frobenius_product(model: Any, input_shape: Any, *, tolerance: float = 1e-10) -> LeastFrobeniusProduct:
    """Return the least of prod_i ||W_i||_F over node-wise rescalings, which leave the function as it is, and a lower bound.

    `frobenius_product` depends on how a function is written down; this does not. With one hidden layer and one output it is
    sum_j |v_j| |w_j|_2. Biases are no weights here: rescaling takes them along. Batch norm is folded first.

    Args:
        model: a chain of layers, in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.
        tolerance: by so much at most, in the logarithm, the product shall exceed the lower bound, above 0; after 10,000 times
            through the layers the bound is as it is.

    Raises:
        TypeError: if `model` is no module, `input_shape` does not hold integers, or `tolerance` is no real number.
        ValueError: if `tolerance` is not above 0, batch norm or dropout is in training mode, a weight is not finite, the
            model cannot be traced or fails on such an input, a layer has no units or is used twice, or units that share
            weights are reshaped so that they share others.
        UnsupportedLayerError: if there is a skip, a pooling or another layer whose weights are not the model's.

    Example:
        >>> import torch
        >>> from numerics.capacity import frobenius_product, least_frobenius_product
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[8.0], [1.0]]))
        >>> _ = model[2].weight.data.copy_(torch.tensor([[1.0, 2.0]]))
        >>> found = least_frobenius_product(model, (1,))
        >>> round(found.value, 6), round(frobenius_product(model, (1,)).value, 6)
        (10.0, 18.027756)
    """
    close = float(positive("tolerance", tolerance))
    graph = prepared(model, input_shape)
    layers = list(weighted_layers(graph))
    check_chain(graph)
    scaled, shifts, added = _evened(_squares(graph))
    fed, heard = _reached(scaled), _reached([square.T for square in reversed(scaled)])[::-1]
    alive = [a & b for a, b in zip(fed, heard, strict=True)]
    live = [square * after[:, None] * before for square, before, after in zip(scaled, alive, alive[1:], strict=False)]
    names = [str(node.target) for node, _ in layers[:-1]]
    wasted = any(bool((square != kept).any()) for square, kept in zip(scaled, live, strict=True))
    if not alive[-1].any():
        none = any(not square.any() for square in scaled)
        factors = dict(zip(names, _factors(alive, fed, shifts), strict=True))
        return LeastFrobeniusProduct(-math.inf, -math.inf, none, factors)
    logs = [np.zeros(len(units)) for units in alive]
    upper, lower = _value(live, logs), -math.inf
    for sweep in range(SWEEPS):
        lower = min(upper, max(lower, _bound(live, logs))) if sweep % 8 == 0 else lower
        if upper - lower <= 2 * close:
            break
        for place in range(1, len(logs) - 1):
            _balance(live, logs, alive, place)
        upper = _value(live, logs)
    moved = [log + shift for log, shift in zip(logs, shifts, strict=True)]
    factors = dict(zip(names, _factors(alive, fed, moved), strict=True))
    return LeastFrobeniusProduct((upper + added) / 2, (lower + added) / 2, not wasted, factors)


def _squares(graph: Traced) -> list[Array]:
    """Return for each layer the logarithm of the sum of squares of the weights from a unit of the layer before to one.

    Raises:
        ValueError: if units that share weights are reshaped so that they share others.
    """
    found: list[Array] = []
    ids: dict[fx.Node, torch.Tensor] = {}
    for node in graph:
        if node is graph.input:
            ids[node] = torch.zeros(graph.shapes[node], dtype=torch.float64)
            continue
        [given] = graph.tensors(node)
        layer, shape = graph.called(node), graph.shapes[node]
        if is_linear(layer):
            linear = cast(nn.Linear | Convolution, layer)
            axis = len(graph.shapes[given]) - 1 if isinstance(linear, nn.Linear) else 1
            channels = ids[given] if not found else of_channels(graph, node, ids[given], axis)
            columns = np.zeros(0, dtype=int) if not found else channels.numpy().astype(int)
            found.append(_square(linear, columns, len(found[-1]) if found else 0))
            axis = len(shape) - 1 if isinstance(linear, nn.Linear) else 1
            units = torch.arange(len(linear.weight), dtype=torch.float64)
            ids[node] = on_axis(units, axis, len(shape)).expand(shape)
        elif isinstance(layer, RESHAPES):
            ids[node] = layer(ids[given])
        elif graph.function(node) in RESHAPING:
            ids[node] = rearranged(graph, node, ids)
        else:
            ids[node] = ids[given]
    return found


def _square(layer: nn.Linear | Convolution, columns: Array, units: int) -> Array:
    """Return logarithms of the squares of a layer's weights, summed over the places that it has for a unit, [out, units].

    Those of the first layer are summed over all inputs.
    """
    weight = 2 * weight_of(layer).to("cpu", torch.float64).abs().log()
    if units == 0:
        whole: Array = torch.logsumexp(weight.flatten(1), dim=1, keepdim=True).numpy()
        return whole
    logs = torch.logsumexp(weight.reshape(*weight.shape[:2], -1), dim=2).numpy()
    groups = 1 if isinstance(layer, nn.Linear) else layer.groups
    if groups == 1 and np.array_equal(columns, np.arange(units)):
        each: Array = logs
        return each
    total = np.full((len(logs), units), -np.inf)
    inside, outside = logs.shape[1], len(logs) // groups
    for group in range(groups):
        rows = slice(group * outside, (group + 1) * outside)
        np.logaddexp.at(total[rows].T, columns[group * inside : (group + 1) * inside], logs[rows].T)
    return total


def _evened(logs: list[Array]) -> tuple[list[Array], list[Array], float]:
    """Return squares after a rescaling that makes the largest entering each unit 1, its logarithms, and what is left over.

    Squares of weights of any size are then in the range of floats.
    """
    squares, shifts = [], [np.zeros(logs[0].shape[1])]
    for number, layer in enumerate(logs):
        moved = layer - shifts[-1]
        largest = moved.max(axis=1)
        if number == len(logs) - 1:
            largest = np.full(len(moved), moved.max())
        shifts.append(-np.where(np.isneginf(largest), 0.0, largest))
        squares.append(np.exp(moved + shifts[-1][:, None]))
    left_over = -float(shifts[-1][0])
    shifts[-1] = np.zeros(len(shifts[-1]))
    return squares, shifts, left_over


def _reached(squares: list[Array]) -> list[Array]:
    """Return which units a path from an input ends in, from the inputs on."""
    found: list[Array] = [np.ones(squares[0].shape[1], dtype=bool)]
    for square in squares:
        found.append(np.any(square[:, found[-1]] > 0, axis=1))
    return found


def _sums(live: list[Array], logs: list[Array], place: int) -> tuple[Array, Array]:
    """Return what enters the units at a place and what leaves them, as sums of squares without their own factors, in logs."""
    before, after = logs[place - 1], logs[place + 1]
    top, bottom = after.max(), before.min()
    with np.errstate(divide="ignore"):
        into = np.log(live[place - 1] @ np.exp(bottom - before)) - bottom
        out = np.log(live[place].T @ np.exp(after - top)) + top
    return into, out


def _balance(live: list[Array], logs: list[Array], alive: list[Array], place: int) -> None:
    """Give the units at a place the factors that are best with the others as they are; logs are of their squares."""
    into, out = _sums(live, logs, place)
    units = alive[place]
    logs[place] = np.where(units, (np.where(units, out, 0) - np.where(units, into, 0)) / 2, 0.0)


def _value(live: list[Array], logs: list[Array]) -> float:
    """Return the logarithm of the product of the squares."""
    total = 0.0
    for place, square in enumerate(live):
        before, after = logs[place], logs[place + 1]
        top, bottom = after.max(), before.min()
        total += math.log(float(np.exp(after - top) @ (square @ np.exp(bottom - before)))) + float(top - bottom)
    return total


def _bound(live: list[Array], logs: list[Array]) -> float:
    """Return the lower bound from the flow that the shares of the weights are made into."""
    flow: Array | None = None
    total = 0.0
    for place, square in enumerate(live):
        shares = np.exp(logs[place + 1] - logs[place + 1].max())[:, None] * square
        shares = shares * np.exp(logs[place].min() - logs[place])
        if flow is None:
            shares = shares / shares.sum()
        else:
            columns = shares.sum(axis=0)
            shares = shares * np.divide(flow, columns, out=np.zeros_like(flow), where=columns > 0)
        flow = shares.sum(axis=1)
        used = shares > 0
        total += float((shares[used] * np.log(square[used] / shares[used])).sum())
    return total


def _factors(alive: list[Array], fed: list[Array], logs: list[Array]) -> list[Array]:
    """Return the factors of the hidden units: those on no path from input to output get such as make their weights small."""
    depth = len(alive) - 1
    far = min(FAR, 600.0 / depth)
    found = []
    for place in range(1, depth):
        grown = np.where(fed[place], -far * place, far * (depth - place))
        found.append(np.exp(np.where(alive[place], logs[place] / 2, grown)))
    return found
