"""The least product of l_{p,inf} norms over node-wise rescalings (neyshabur2017, section 2.2), in closed form.

Let W_1, ..., W_d be a chain of layers without biases, N_i = ||W_i||_{p,inf} the largest l_p norm of a unit's incoming
weights, and s_j the l_p norm of the products along the paths that end in unit j. Then s_j^p = sum_i |w_ji|^p s_i^p over the
units i of the layer before, so that s_j <= N_1 ... N_i for each unit of layer i, by induction. No rescaling of hidden units
changes the s_k of an output k, so

    prod_i N_i >= max_k s_k    for all rescalings.

If all s_j > 0, the rescaling with factors 1/s_j makes the l_p norm of every hidden unit's incoming weights 1 and that of an
output's s_k, so the least is max_k s_k. With one output that is the path norm, as printed. With c outputs it is the largest
of the path norms of the outputs, and the path norm, (sum_k s_k^p)^(1/p), is up to c^(1/p) times as much.

A unit is dead if s_j = 0: no path of weights other than 0 ends in it. Its factor may be anything, and the larger it is, the
smaller are its outgoing weights: max_k s_k is the infimum still. It is attained unless a dead unit has a path to an output k
with the largest s_k: with equality s_j = N_1 ... N_i > 0 would have to hold, going back from k, at every unit that has a path
to k. If all s_k are 0 it is attained only if a layer is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import torch
from torch import fx, nn

from numerics.capacity.folding import exp, prepared
from numerics.capacity.group_norms import exponent
from numerics.capacity.log_paths import (
    RESHAPES,
    RESHAPING,
    UNIT_FUNCTIONS,
    UNIT_SLOPES,
    is_linear,
    log_sums,
    rearranged,
    unsupported,
)
from numerics.capacity.products import weighted_layers
from numerics.geometric_complexity.graph import Traced, UnsupportedLayerError
from numerics.geometric_complexity.norms import Convolution, weight_of, with_weight
from theory.checks import Array
from theory.enclosure import EPS

CHAINS = "linear layers and convolutions in a chain, with ReLUs, LeakyReLUs or reshaping between them"

FAR = 40.0
"""The outgoing weights of dead units are made e^40 times smaller than what they are added to: nothing, in floats."""


@dataclass(frozen=True, eq=False)
class LeastProduct:
    """The least product over layers of ||W_i||_{p,inf} over node-wise rescalings.

    Attributes:
        p: of the norm.
        log: the logarithm of the infimum.
        attained: whether a rescaling has it.
        dead: units that keep it from being attained, (layer, index in its outputs).
        factors: for each hidden layer those of its units, [units], for `rescaled`: with them the product is the infimum, but
            for rounding. Empty if there is a convolution, whose units share weights over places, or a hidden layer whose
            units have more than one axis.
    """

    p: float
    log: float
    attained: bool
    dead: tuple[tuple[str, int], ...]
    factors: dict[str, Array]

    @property
    def value(self) -> float:
        """The infimum; inf or 0 where it is beyond the range of floats."""
        return exp(self.log)


def least_product(model: Any, p: float, input_shape: Any) -> LeastProduct:
    """Return the infimum over node-wise rescalings of prod_i ||W_i||_{p,inf}, and whether it is attained.

    It is the largest, over the outputs, of the l_p norms of the products of weights along the paths to one output: for one
    output the path norm, for several less. The head of this module has the proof. Biases are no weights here: rescaling
    takes them along. Batch norm is folded first. The units of a convolution are its outputs at every place, each with a
    factor of its own; if they are to keep sharing their weights, the least product is at least this.

    Args:
        model: a chain of layers, in eval mode, traceable by torch.fx.
        p: at least 1, finite.
        input_shape: of one input, without the axis of the batch.

    Raises:
        TypeError: if `model` is no module, p is no real number, or `input_shape` does not hold integers.
        ValueError: if p is below 1 or inf, batch norm or dropout is in training mode, a weight is not finite, the model cannot
            be traced or fails on such an input, or a layer has no units or is used twice.
        UnsupportedLayerError: if there is a skip, a pooling or another layer whose weights are not the model's.

    Example:
        >>> import torch
        >>> from numerics.capacity import least_product, path_norm
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU(), torch.nn.Linear(1, 2))
        >>> for layer in (model[0], model[2]):
        ...     _ = layer.weight.data.fill_(2.0)
        >>> round(least_product(model, 1, (1,)).value, 6), round(path_norm(model, (1,), 1, biases=False).value, 6)
        (4.0, 8.0)
    """
    p = exponent("p", p, finite=True)
    graph = prepared(model, input_shape)
    layers = list(weighted_layers(graph))
    check_chain(graph)
    sums = log_sums(graph, p, biases=False)
    last = sums[graph.output]
    log = float(last.max()) / p
    if log == -math.inf:
        dead: tuple[tuple[str, int], ...] = ()
        attained = any(not bool(layer.weight.any()) for _, layer in layers)
    else:
        # Outputs whose sums differ by rounding are all taken for the largest.
        near = 64 * EPS * (len(layers) + float(last[torch.isfinite(last)].abs().max()))
        dead = tuple(_dead(graph, sums, last >= last.max() - near))
        attained = not dead
    return LeastProduct(p, log, attained, dead, _factors(graph, layers, sums, p, log))


def check_chain(graph: Traced) -> None:
    """Do nothing if a model is a chain of layers with weights of its own.

    Raises:
        UnsupportedLayerError: if not.
    """
    slopes = (*UNIT_SLOPES, nn.LeakyReLU, nn.PReLU, *RESHAPES)
    for node in graph:
        layer = graph.called(node)
        passes = (
            isinstance(layer, slopes) or graph.function(node) in UNIT_FUNCTIONS or graph.function(node) in RESHAPING
        )
        if len([one for one in node.users if one in graph.moving]) > 1:
            raise UnsupportedLayerError(unsupported(graph, node, f"{CHAINS}, and no skips"))
        if node is not graph.input and not (is_linear(layer) or passes):
            raise UnsupportedLayerError(unsupported(graph, node, CHAINS))


def _dead(graph: Traced, sums: dict[fx.Node, torch.Tensor], ends: torch.Tensor) -> list[tuple[str, int]]:
    """Return the hidden units that no path ends in and from which one leads to an output among `ends`."""
    found: list[tuple[str, int]] = []
    reaching = ends
    for node in reversed(list(graph)):
        if node is graph.input:
            break
        layer = graph.layer(node)
        if is_linear(layer) and node is not graph.output:
            dead = (reaching & torch.isinf(sums[node])).reshape(-1)
            found = [(str(node.target), int(index)) for index in torch.nonzero(dead)] + found
        [given] = graph.tensors(node)
        before = torch.zeros(graph.shapes[given], dtype=torch.float64, requires_grad=True)
        with torch.inference_mode(False), torch.enable_grad():
            if is_linear(layer):
                linear = cast(nn.Linear | Convolution, layer)
                after = with_weight(linear, (weight_of(linear) != 0).to(torch.float64))(before)
            elif graph.function(node) in RESHAPING:
                after = rearranged(graph, node, {given: before})
            else:
                after = before.reshape(graph.shapes[node])
            [counted] = torch.autograd.grad(after, before, reaching.to(torch.float64))
        reaching = counted > 0
    return found


def _factors(
    graph: Traced, layers: list[tuple[fx.Node, Any]], sums: dict[fx.Node, torch.Tensor], p: float, log: float
) -> dict[str, Array]:
    """Return factors of the hidden units of linear layers that attain the infimum, or come as close as floats can tell."""
    if not all(isinstance(layer, nn.Linear) and len(graph.shapes[node]) == 2 for node, layer in layers):
        return {}
    found: dict[str, Array] = {}
    after, bound = torch.zeros(layers[-1][1].out_features, dtype=torch.float64), log
    if log == -math.inf:
        bound = 0.0
    for (node, _), (_, above) in reversed(list(pairwise(layers))):
        logs = -sums[node][0] / p
        outgoing = (weight_of(above).abs().log() + after[:, None]).amax(dim=0) - bound + FAR
        outgoing = torch.where(torch.isinf(outgoing), 0.0, outgoing)
        after, bound = torch.where(torch.isinf(logs), outgoing, logs), 0.0
        found[str(node.target)] = torch.exp(after).numpy()
    return found
