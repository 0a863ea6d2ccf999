"""Lipschitz constants for the l_inf and the l_2 norm: upper bounds by paths and products, exact for small networks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from torch import fx, nn

from numerics.capacity.folding import exp, prepared
from numerics.capacity.log_paths import RELUS, is_linear, log_sums
from numerics.geometric_complexity.batch_norm import BatchNorm, scales
from numerics.geometric_complexity.graph import Traced
from numerics.geometric_complexity.lipschitz import lipschitz_bound
from numerics.geometric_complexity.norms import weight_of
from theory.checks import Array, positive
from theory.checks import count as integer
from theory.enclosure import EPS

THIN = 1e-9
"""A cell that holds no ball of so large a radius is left out."""

NARROW = 1e-4
"""The mixed-integer program leaves out cells that are narrower than this beside their distance from the origin, or 1."""


@dataclass(frozen=True)
class LipschitzBounds:
    """Upper bounds of |f(x) - f(x')| over |x - x'|, rounding included, for the same norm on both sides.

    Attributes:
        l_inf: for the l_inf norm: the largest sum over paths to one output of prod |w|, without biases, a max-pooling taking
            the largest sum of its window.
        l_inf_product: for the l_inf norm: prod ||W_i||_{1,inf}, at least the other; over skips the bounds are added.
        l_2: for the l_2 norm: `numerics.geometric_complexity.lipschitz_bound`, of a chain prod ||W_i||_2.
    """

    l_inf: float
    l_inf_product: float
    l_2: float


def lipschitz_bounds(model: Any, input_shape: Any) -> LipschitzBounds:
    """Return upper bounds of the Lipschitz constants of a model for the l_inf and l_2 norms (neyshabur2017, section 2.3).

    The paper bounds these by prod ||W_i||_{1,inf}, "hence l1-path norm", and by prod ||W_i||_2. The first bound is invariant
    under node-wise rescaling, the others are not. Batch norm is folded first.

    Args:
        model: in eval mode, traceable by torch.fx.
        input_shape: of one input, without the axis of the batch.

    Raises:
        TypeError: if `model` is no module, or `input_shape` does not hold integers.
        ValueError: if batch norm or dropout is in training mode, a weight is not finite, the model cannot be traced or fails
            on such an input, a layer has no units, or there is batch norm and shared weights.
        UnsupportedLayerError: if no rule is known for a layer.

    Example:
        >>> import torch
        >>> from numerics.capacity import lipschitz_bounds
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 1.0], [0.0, 1.0]]))
        >>> _ = model[2].weight.data.fill_(1.0)
        >>> found = lipschitz_bounds(model, (2,))
        >>> round(found.l_inf, 6), round(found.l_inf_product, 6)
        (3.0, 4.0)
    """
    graph = prepared(model, input_shape)
    bounds = []
    for collapsed in (False, True):
        sums = log_sums(graph, 1.0, biases=False, largest_of_pool=True, collapsed=collapsed)
        log = float(sums[graph.output].max())
        bounds.append(
            math.nextafter(exp(log + _lost(graph, sums)) * (1 + 8 * EPS), math.inf) if log > -math.inf else 0.0
        )
    return LipschitzBounds(bounds[0], bounds[1], lipschitz_bound(model, input_shape).upper)


def _lost(graph: Traced, sums: dict[fx.Node, torch.Tensor]) -> float:
    """Return by how much rounding may have made a logarithm of the sums smaller.

    At each node a logarithm is rounded a few times, and as many roundings as there are terms go into a sum.
    """
    total = 0.0
    for node, logs in sums.items():
        layer, size = graph.called(node), _size(logs)
        terms = max((sums[given].numel() for given in graph.tensors(node)), default=1)  # of a pooling or a mean
        if is_linear(layer):
            weight = cast(nn.Linear, layer).weight.detach().double()
            terms, size = weight[0].numel(), size + _size(weight.abs().log())
        elif isinstance(layer, BatchNorm):
            size += _size(scales(layer).abs().log())
        before = max((_size(sums[given]) for given in graph.tensors(node)), default=0.0)
        total += EPS * (terms + 64 + 16 * (size + before))
    return total


def _size(logs: torch.Tensor) -> float:
    """Return the largest logarithm in absolute value that is finite."""
    return float(torch.where(torch.isinf(logs), 0.0, logs).abs().max())


@dataclass(frozen=True)
class TwoLayerLipschitz:
    """Lipschitz constants of a two-layer ReLU network with one output, on all of the input space.

    Attributes:
        l_inf: for the l_inf norm of inputs: the largest l_1 norm of a gradient.
        l_2: for the l_2 norm of inputs: the largest l_2 norm of a gradient.
        cells: the number of linear pieces that were found, each with a ball of radius 1e-9 in it.
    """

    l_inf: float
    l_2: float
    cells: int


def two_layer_lipschitz(model: Any, input_shape: Any, *, most_cells: int = 4096) -> TwoLayerLipschitz:
    """Return the Lipschitz constants of a small two-layer network: the largest gradient over all its linear pieces.

    The cells of the arrangement of hyperplanes where a unit switches are enumerated, unit by unit, a linear program telling
    whether a cell has an inside. A linear program's tolerance apart the constants are exact; a cell that is thinner than 1e-9
    (where units' weights have length 1) may be missed.

    Args:
        model: a linear layer, a ReLU and a linear layer with one output; or a `TwoLayerReLU`.
        input_shape: (d,).
        most_cells: so many cells at most, at least 1. There are at most sum_{i <= d} binom(k, i) for k units.

    Raises:
        TypeError: if `model` is no module, or `input_shape` or `most_cells` is of another type.
        ValueError: if a weight is not finite, the model is another, or has more cells.

    Example:
        >>> import torch
        >>> from numerics.capacity import two_layer_lipschitz
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> _ = model[2].weight.data.copy_(torch.tensor([[2.0, 3.0]]))
        >>> _ = model[0].bias.data.fill_(-1.0)
        >>> two_layer_lipschitz(model, (1,))
        TwoLayerLipschitz(l_inf=3.0, l_2=3.0, cells=3)
    """
    limit = integer("most_cells", most_cells)
    planes, products = _planes(prepared(model, input_shape))
    planes = planes / np.linalg.norm(planes[:, :-1], axis=1, keepdims=True)
    l_inf = l_2 = 0.0
    count = 0
    for active in _cells(planes):
        count += 1
        if count > limit:
            raise ValueError(
                f"model must have at most {limit} linear pieces to be enumerated, got more: raise most_cells"
            )
        gradient = products[active].sum(axis=0)
        l_inf, l_2 = max(l_inf, float(np.abs(gradient).sum())), max(l_2, float(np.linalg.norm(gradient)))
    return TwoLayerLipschitz(l_inf, l_2, count)


@dataclass(frozen=True, eq=False)
class SteepestPiece:
    """The l_inf Lipschitz constant of a two-layer ReLU network with one output, as a mixed-integer program finds it.

    Attributes:
        l_inf: the l_1 norm of the gradient at `point`: no l_inf Lipschitz constant is smaller.
        upper: no gradient has a larger l_1 norm, to the solver's tolerance and but for narrow cells; `l_inf` if the search
            came to an end.
        point: an input where the gradient is so large, [d].
    """

    l_inf: float
    upper: float
    point: Array


def steepest_piece(model: Any, input_shape: Any, *, seconds: float = 60.0) -> SteepestPiece:
    """Return where a two-layer network is steepest in the l_inf norm of inputs, by a mixed-integer linear program.

    For networks with more pieces than `two_layer_lipschitz` can go through. Inputs are scaled together with 1, what biases
    are multiplied by, so that a box holds a point of every cell; a unit within 1e-4 of where it switches there, the length
    of its weights and bias being 1, is taken for neither side, so cells that are narrower everywhere are not looked into.

    Args:
        model: a linear layer, a ReLU and a linear layer with one output; or a `TwoLayerReLU`.
        input_shape: (d,).
        seconds: after which the best so far is returned, above 0.

    Raises:
        TypeError: if `model` is no module, or `input_shape` or `seconds` is of another type.
        ValueError: if a weight is not finite, the model is another, or `seconds` is not above 0.
        RuntimeError: if no point is found in that time.

    Example:
        >>> import torch
        >>> from numerics.capacity import steepest_piece
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> _ = model[2].weight.data.copy_(torch.tensor([[2.0, 3.0]]))
        >>> _ = model[0].bias.data.fill_(-1.0)
        >>> steepest_piece(model, (1,)).l_inf
        3.0
    """
    limit = float(positive("seconds", seconds))
    planes, products = _planes(prepared(model, input_shape))
    k, d = products.shape
    if k == 0:
        return SteepestPiece(0.0, 0.0, np.zeros(d))
    planes = planes / np.linalg.norm(planes, axis=1, keepdims=True)
    most = np.abs(products).sum(axis=0)  # of a gradient's entries
    reach = np.abs(planes).sum(axis=1) + NARROW
    # variables: y [d], t, z [k] active units, s [d] signs of the gradient, g [d] sizes of its entries
    size = 3 * d + k + 1
    z, s, g = d + 1, d + 1 + k, 2 * d + 1 + k
    sided = np.zeros((k, size))
    sided[:, : d + 1] = planes
    sided[np.arange(k), z + np.arange(k)] = -reach
    entries = np.zeros((2 * d, size))
    for place, sign in ((0, 1.0), (d, -1.0)):
        rows = slice(place, place + d)
        entries[rows, z : z + k] = -sign * products.T
        entries[np.arange(place, place + d), g + np.arange(d)] = 1.0
        entries[np.arange(place, place + d), s + np.arange(d)] = sign * 2 * most
    constraints = [
        LinearConstraint(sided, NARROW - reach, -NARROW),
        LinearConstraint(entries, -np.inf, np.concatenate([2 * most, np.zeros(d)])),
    ]
    low = np.concatenate([-np.ones(d), [NARROW], np.zeros(k + 2 * d)])
    high = np.concatenate([np.ones(d + 1), np.ones(k + d), most])
    whole = np.concatenate([np.zeros(d + 1), np.ones(k + d), np.zeros(d)])
    found = milp(
        -np.concatenate([np.zeros(g), np.ones(d)]),
        constraints=constraints,
        bounds=Bounds(low, high),
        integrality=whole,
        options={"time_limit": limit, "mip_rel_gap": 1e-9},
    )
    if found.x is None:
        raise RuntimeError(f"no point was found in {limit:g} seconds: {found.message}")
    point = found.x[:d] / found.x[d]
    active = planes @ np.append(point, 1.0) > 0
    lower = float(np.abs(products[active].sum(axis=0)).sum())
    return SteepestPiece(lower, max(lower, -float(found.mip_dual_bound)), point)


def _planes(graph: Traced) -> tuple[Array, Array]:
    """Return (w, b) [k, d + 1] and v w [k, d] of the units with weights other than 0; the others' outputs are constant.

    Raises:
        ValueError: if the model is no two-layer ReLU network with one output.
    """
    first, second = _two_layers(graph)
    weight, out = weight_of(first).numpy(), weight_of(second).numpy()[0]
    bias = np.zeros(len(weight)) if first.bias is None else first.bias.detach().to("cpu", torch.float64).numpy()
    live = np.linalg.norm(weight, axis=1) > 0
    return np.column_stack([weight, bias])[live], out[live, None] * weight[live]


def _two_layers(graph: Traced) -> tuple[nn.Linear, nn.Linear]:
    """Return the layers of a two-layer ReLU network.

    Raises:
        ValueError: if the model is another.
    """
    nodes = list(graph)[1:]
    layers = [graph.layer(node) for node in nodes]
    shapes = [graph.shapes[node] for node in graph]
    chain = len(nodes) == 3 and isinstance(layers[0], nn.Linear) and isinstance(layers[2], nn.Linear)
    active = chain and (isinstance(layers[1], nn.ReLU) or graph.function(nodes[1]) in RELUS)
    if not active or any(len(shape) != 2 for shape in shapes) or shapes[-1] != (1, 1):
        names = ", ".join(graph.name(node) for node in nodes)
        raise ValueError(f"model must be a linear layer, a ReLU and a linear layer with one output, got {names}")
    return cast(nn.Linear, layers[0]), cast(nn.Linear, layers[2])


def _cells(planes: Array) -> Iterator[Array]:
    """Yield which units are active in each cell with an inside, [k] booleans; planes [k, d + 1] are (w, b), |w| = 1."""
    waiting: list[list[float]] = [[]]
    while waiting:
        signs = waiting.pop()
        if len(signs) == len(planes):
            yield np.array(signs, dtype=float) > 0
            continue
        waiting += [[*signs, sign] for sign in (1.0, -1.0) if _has_inside(planes[: len(signs) + 1], [*signs, sign])]


def _has_inside(planes: Array, signs: list[float]) -> bool:
    """Return whether there is an x with sign (w x + b) >= THIN for all planes: the largest such number up to 1 decides."""
    sided = np.array(signs)[:, None] * planes
    d = planes.shape[1] - 1
    constraints = np.column_stack([-sided[:, :d], np.ones(len(sided))])
    found = linprog(
        np.append(np.zeros(d), -1.0), A_ub=constraints, b_ub=sided[:, d], bounds=[(None, None)] * d + [(None, 1.0)]
    )
    return bool(found.status == 0 and -found.fun > THIN)
