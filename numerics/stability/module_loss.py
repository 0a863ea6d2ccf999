"""The loss of a torch module near its parameters: products with its Jacobian, Gauss-Newton matrix and Hessian.

With l the loss of an example as a function of the outputs, Lambda_j its Hessian at f(x_j) and S_j S_j^T = Lambda_j, the
Gauss-Newton matrix of (1/n) sum_j l(f(x_j), y_j) is

    (1/n) sum_j J_j^T Lambda_j J_j = Phi^T Phi / n,   Phi_j = S_j^T J_j,   J_j [c, p] the Jacobian of f(x_j) in the parameters.

Phi [n c, p], the features, is never written out whole: products with it go backwards through the module, and products with
its transpose through that backward pass once more.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

import numpy as np
import torch
from torch import nn

from numerics.kinks import ABOVE_NOISE, AT_KINK, MOVE, Kinks, crossed, only_here, stand_out
from numerics.stability.derivatives import Graph, Parts, derivatives, finite, inner_product, joined, leaves_of
from numerics.stability.models import copied, hold_others_fixed, inputs_of, labels_of, outputs_of, targets_of
from numerics.tensors import norm
from theory.checks import Array
from theory.symbols import ModelLoss, output_scale

CHUNK = 2048
"""The graph of so many examples is kept; for more, it is made again at each product, for so many at a time."""

GRAM_ROWS = 2048
"""The Gram matrix of the features is written out up to so many rows, n c."""

ROW_ENTRIES = 2**26
"""Features that have to be written out for it hold at most so many numbers, 512 MB."""

AGREEMENT = 1e-9
"""How far, relative to their sizes, two computations of the same outputs or of the same product may be apart."""


SEEN = 1e-3
"""How far, relative to their sizes, derivatives may be from differences of values, which are much less exact."""


@dataclass(frozen=True, eq=False)
class Nearby:
    """What a loss comes to at five points of a line, of which the middle one is where it is looked at.

    Attributes:
        problem: of the examples that are looked at.
        move: from one point to the next, [p].
        outputs: of the module, [5, m, c].
        gradients: of the loss, [5, p].
    """

    problem: ModuleLoss
    move: Array
    outputs: Array
    gradients: Array


@dataclass(frozen=True, eq=False)
class ModuleLoss:
    """A module at its parameters, and the loss of its outputs on data.

    Attributes:
        model: a copy of the user's module, in float64 and eval mode.
        x: the inputs, [n, ...].
        y: the targets: [n, c], or labels [n] for cross-entropy.
        loss: which loss it is.
        parameters: those that require a gradient, each once, however many modules share it.
    """

    model: nn.Module
    x: torch.Tensor
    y: torch.Tensor
    loss: ModelLoss
    parameters: tuple[nn.Parameter, ...]

    @cached_property
    def outputs(self) -> torch.Tensor:
        """f(x_j), [n, c]."""
        return torch.cat([outputs_of(self.model, part).detach() for part in self.x.split(CHUNK)])

    @property
    def dimension(self) -> int:
        """The number p of parameters."""
        return sum(parameter.numel() for parameter in self.parameters)

    @cached_property
    def value(self) -> float:
        """The loss."""
        return float(self._sum(self.outputs, self.y)) / len(self.x)

    def _sum(self, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return sum_j l(f(x_j), y_j)."""
        if self.loss == "cross_entropy":
            return nn.functional.cross_entropy(outputs, y, reduction="sum")
        return torch.sum((outputs - y) ** 2) * output_scale(self.loss, outputs.shape[1])

    @cached_property
    def _shares(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The softmax q [n, c], 1 - q [n, c] without cancellation, and the matrix [c, c] that sums the others."""
        shares = torch.softmax(self.outputs, dim=1)
        others = 1 - torch.eye(shares.shape[1], dtype=torch.float64, device=self.x.device)
        return shares, shares @ others, others

    def weighted(self, u: torch.Tensor, part: slice = slice(None)) -> torch.Tensor:
        """Return S_j u_j, [m, c], for u [m, c] and the examples of a part.

        S = diag(sqrt q) - q sqrt(q)^T for cross-entropy and the softmax q: S S^T = diag(q) - q q^T. Else it is a number.
        """
        if self.loss != "cross_entropy":
            return u * math.sqrt(2 * output_scale(self.loss, u.shape[1]))
        (q, rest), others = (values[part] for values in self._shares[:2]), self._shares[2]
        return q.sqrt() * rest * u - q * ((q.sqrt() * u) @ others)

    def weighted_back(self, v: torch.Tensor, part: slice = slice(None)) -> torch.Tensor:
        """Return S_j^T v_j, [m, c], for v [m, c] and the examples of a part."""
        if self.loss != "cross_entropy":
            return self.weighted(v)
        (q, rest), others = (values[part] for values in self._shares[:2]), self._shares[2]
        return q.sqrt() * (rest * v - (q * v) @ others)

    def _weights(self, a: int, part: slice = slice(None)) -> torch.Tensor:
        """Return column a of S_j, [m, c]: row a of Phi_j is J_j^T times it."""
        unit = torch.zeros_like(self.outputs[part])
        unit[:, a] = 1.0
        return self.weighted(unit, part)

    @cached_property
    def residuals(self) -> torch.Tensor:
        """The gradients of l in the outputs, [n, c]: f - y times a number, or q less 1 at the label for the softmax q."""
        if self.loss != "cross_entropy":
            return (self.outputs - self.y) * (2 * output_scale(self.loss, self.outputs.shape[1]))
        shares, rest, _ = self._shares
        at_label = nn.functional.one_hot(self.y, shares.shape[1]).to(torch.bool)
        return torch.where(at_label, -rest, shares)

    def gradient(self) -> Array:
        """Return the gradient of the loss, [p]."""
        return self._total(lambda graph, part: graph.pull_back(self.residuals[part])) / len(self.x)

    def hessian_product(self, direction: Array) -> Array:
        """Return the Hessian of the loss times a direction v [p], [p].

        That is (1/n) sum_j (J_j^T Lambda_j J_j + sum_a r_ja Hessian f_a(x_j)) v with the residuals r_j: at a small loss
        the two do not lose digits to one another.
        """
        pieces = self.pieces(direction)

        def work(graph: Graph, part: slice) -> Parts:
            changes, terms = graph.second_derivatives(pieces)
            back = graph.pull_back(self.weighted(self.weighted_back(changes, part), part))
            return tuple(a if b is None else b if a is None else a + b for a, b in zip(back, terms, strict=True))

        return self._total(work) / len(self.x)

    def transposed_product(self, cotangent: Array) -> Array:
        """Return Phi^T u, [p], for u [n c]."""
        weighted = self.weighted(self._tensor(cotangent).reshape(self.outputs.shape))
        return self._total(lambda graph, part: graph.pull_back(weighted[part]))

    def product(self, direction: Array) -> Array:
        """Return Phi v, [n c], for v [p]."""
        return finite(self.weighted_back(self._changes(direction)).reshape(-1).cpu().numpy())

    def image(self, direction: Array) -> Array:
        """Return J v, [n c], for v [p], the change of the outputs."""
        return finite(self._changes(direction).reshape(-1).cpu().numpy())

    def _changes(self, direction: Array) -> torch.Tensor:
        pieces = self.pieces(direction)
        return torch.cat([graph.push_forward(pieces) for graph, _ in self._graphs()])

    def gram(self) -> Array | None:
        """Return Phi Phi^T, [n c, n c], rows in the order of the examples; None where it would be too large.

        The gradients of a fully connected layer that is used once are products of its inputs and of the gradients in its
        outputs, so its share takes O((n c)^2 (inputs + outputs)); other parameters need their part of Phi. What the
        layers are is read off from one forward pass, which may deceive (a weight that is used elsewhere too), so a
        product with a random vector has to agree with `product`; else all of Phi is written out.
        """
        rows = self.outputs.numel()
        if rows > GRAM_ROWS:
            return None
        probe = np.random.default_rng(0).standard_normal(rows)
        expected = self.product(self.transposed_product(probe))
        for layers in (self._connected_layers(), {}):
            inside = {id(parameter) for layer in layers for parameter in layer.parameters(recurse=False)}
            rest = [parameter for parameter in self.parameters if id(parameter) not in inside]
            if rows * sum(parameter.numel() for parameter in rest) > ROW_ENTRIES:
                continue
            kernel = self._gram_of_layers(layers)
            if rest:
                parts = (part for index in range(len(self.x)) for part in self._gradients(index, rest))
                features = np.array([joined(part, rest) for part in parts])
                kernel = np.add(kernel, features @ features.T)
            if norm(kernel @ probe - expected) <= AGREEMENT * norm(expected):
                return (kernel + kernel.T) / 2
        return None

    def blocks(self) -> Array:
        """Return Phi_j Phi_j^T for each example, [n, c, c]."""
        return np.array([self._block(index) for index in range(len(self.x))])

    def _block(self, index: int) -> Array:
        rows = self._gradients(index, self.parameters)
        return np.array([[inner_product(first, second) for second in rows] for first in rows])

    @cached_property
    def toggling(self) -> int:
        """How many inputs of ReLUs and the like are at a kink to rounding, and are not if the parameters move a little.

        Where the values of the model have a kink that no function known to have one explains, as in a function of the user's
        own or a sort, the number of examples that show it; these are looked for among the first `CHUNK`.
        """
        nearby, count, apart = self.nearby, 0, False
        there = [_moved(self, place) for place in (nearby.move, -nearby.move)]
        for part in self.x.split(CHUNK):
            here, *sides = (Kinks(twice=True) for _ in range(3))
            for kinks, problem in zip((here, *sides), (self, *there), strict=True):
                outputs_of(problem.model, part, kinks)
            masks = only_here(here, sides[0], sides[1])
            twice = 2 if len(part) == 1 else 1  # a single row is put through the model twice
            count += sum(int(mask.sum()) // twice for mask in masks or ())
            apart |= crossed(sides[0], sides[1])
        if count or apart:
            return count
        rows = stand_out(nearby.outputs.reshape(5, -1)).reshape(nearby.outputs.shape[1:]).any(axis=1)
        gradients = nearby.gradients / (np.max(np.abs(nearby.gradients)) or 1.0)
        before, middle, after = np.linalg.norm(np.diff(gradients, n=2, axis=0), axis=1)
        bent = middle > ABOVE_NOISE * max(before, after) + SEEN * float(np.linalg.norm(gradients[3] - gradients[1]))
        return max(int(rows.sum()), int(bent))

    @cached_property
    def nearby(self) -> Nearby:
        """Values on a line through the parameters, whose direction is drawn at random, for the first `CHUNK` examples."""
        draw = np.random.default_rng(0).standard_normal
        sizes = [norm(p) / math.sqrt(max(p.numel(), 1)) or 1.0 for p in self.parameters]
        move: Array = np.concatenate(
            [MOVE * size * draw(p.numel()) for size, p in zip(sizes, self.parameters, strict=True)]
        )
        part = self if len(self.x) <= CHUNK else replace(self, x=self.x[:CHUNK], y=self.y[:CHUNK])
        places = [part if not t else _moved(part, t * move) for t in (-2, -1, 0, 1, 2)]
        outputs = np.array([place.outputs.cpu().numpy() for place in places])
        return Nearby(part, move, outputs, np.array([place.gradient() for place in places]))

    def _connected_layers(self) -> dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]:
        """Return fully connected layers that are used once, with their inputs [n, a] and gradients [n c, b].

        The gradients are those of the weighted outputs S_j^T f(x_j) in the outputs of the layer.
        """
        uses = Counter(id(p) for module in self.model.modules() for p in module.parameters(recurse=False))
        calls: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []

        def record(module: nn.Module, given: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
            calls.append((module, given[0], output))
            return output.clone()  # so that what follows may work in place

        candidates = [module for module in self.model.modules() if type(module) is nn.Linear]
        hooks = [module.register_forward_hook(record) for module in candidates]
        try:
            outputs = outputs_of(self.model, self.x)
        finally:
            for hook in hooks:
                hook.remove()
        n, c = outputs.shape
        often = Counter(id(module) for module, _, _ in calls)
        used = [
            (module, given, output)
            for module, given, output in calls
            if often[id(module)] == 1
            and given.ndim == 2
            and len(given) == n
            and output.requires_grad
            and all(uses[id(p)] == 1 for p in module.parameters(recurse=False))
        ]
        ends = [output for _, _, output in used]
        if not ends:
            return {}
        columns = [derivatives(outputs, ends, self._weights(a)) for a in range(c)]
        found = {}
        for place, (module, given, output) in enumerate(used):
            parts = [torch.zeros_like(output) if (g := column[place]) is None else g for column in columns]
            found[module] = (given.detach(), torch.stack(parts, dim=1).reshape(n * c, -1))
        return found

    def _gram_of_layers(self, layers: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]) -> Array:
        n, c = self.outputs.shape
        total = torch.zeros(n * c, n * c, dtype=torch.float64, device=self.x.device)
        for module, (given, gradients) in layers.items():
            inner = torch.zeros(n, n, dtype=torch.float64, device=self.x.device)
            if any(p is module.weight for p in self.parameters):
                inner += given @ given.T
            if any(p is module.bias for p in self.parameters):
                inner += 1
            total += (gradients @ gradients.T) * inner.repeat_interleave(c, 0).repeat_interleave(c, 1)
        kernel: Array = total.cpu().numpy()
        return kernel

    def _gradients(self, index: int, parameters: Sequence[nn.Parameter]) -> list[Parts]:
        """Return the rows of Phi_j in parts, [c]."""
        outputs = outputs_of(self.model, self.x[index : index + 1])
        here = slice(index, index + 1)
        return [derivatives(outputs, parameters, self._weights(a, here)) for a in range(outputs.shape[1])]

    def _graphs(self) -> Iterator[tuple[Graph, slice]]:
        """Yield the graph of each chunk of examples, with their indices; a single one is kept for the next time."""
        if len(self.x) <= CHUNK:
            yield self._graph, slice(0, len(self.x))
            return
        for start in range(0, len(self.x), CHUNK):
            part = slice(start, start + CHUNK)
            yield self._graph_of(part), part

    @cached_property
    def _graph(self) -> Graph:
        return self._graph_of(slice(0, len(self.x)))

    def _graph_of(self, part: slice) -> Graph:
        return Graph(self.parameters, outputs_of(self.model, self.x[part]), self.residuals[part])

    def _total(self, work: Callable[[Graph, slice], Parts]) -> Array:
        """Return the sum over chunks of what has one tensor a parameter, as a vector [p]."""
        total: Array = np.zeros(self.dimension)
        for graph, part in self._graphs():
            total += joined(work(graph, part), self.parameters)
        return finite(total)

    def _tensor(self, values: Array) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.x.device)

    def pieces(self, direction: Array) -> list[torch.Tensor]:
        """Return a direction [p] as one tensor a parameter."""
        pieces = torch.split(self._tensor(direction.ravel()), [p.numel() for p in self.parameters])
        return [piece.reshape(p.shape) for piece, p in zip(pieces, self.parameters, strict=True)]


def module_loss(
    model: nn.Module, x: object, y: object, loss: ModelLoss, *, only: Sequence[str] | None = None
) -> ModuleLoss:
    """Return the loss of a copy of `model`, in float64 and eval mode, on data; `model` itself is left as it is.

    Args:
        model: gives each row of x its output whatever else is in the batch, [n] or [n, ...].
        x: the inputs, [n, ...]; [n] are passed on as [n, 1]. Tensors of integers are passed on as they are, other numbers
            in float64.
        y: the targets, of the shape of the outputs, or [n] for one output; for cross-entropy labels [n] from 0 to c - 1.
        loss: which loss it is.
        only: names of parameters, or of modules for theirs, that count as parameters; the others are held fixed.

    Raises:
        TypeError: if `model` is no module or does not return real numbers, or an entry of x or y is no real number.
        ValueError: if `loss` is unknown; if a name in `only` is that of no parameter that requires a gradient; if a weight is
            not finite, or none requires a gradient; if x or y is malformed; or if `model` cannot be copied, fails on x,
            returns nan, or an output that depends on the batch, or has derivatives that are not those of its values.
    """
    check_loss(loss)
    mine = copied(model)
    if only is not None:
        hold_others_fixed(mine, only)
    parameters = tuple(p for p in mine.parameters() if p.requires_grad)
    if not any(p.numel() for p in parameters):
        raise ValueError("model must have a parameter that requires a gradient, got none")
    device = parameters[0].device
    points = inputs_of(x).to(device)
    outputs = outputs_of(mine, points[:CHUNK])
    if not outputs.requires_grad:
        raise ValueError("model must return outputs that depend on its parameters, got outputs without a gradient")
    own = {id(parameter) for parameter in mine.parameters()}
    strange = [leaf for leaf in leaves_of(outputs) if id(leaf) not in own]
    if strange and not isinstance(mine, torch.jit.ScriptModule):  # these hold what they use, and make its tensors anew
        raise ValueError(
            f"model must hold the parameters that it uses, got outputs that depend on one of shape {tuple(strange[0].shape)} "
            "that is none of them: of a module in a closure or a list?"
        )
    half = (len(outputs) + 1) // 2
    alone = torch.cat([outputs_of(mine, part) for part in points[:CHUNK].split(half)])
    apart = (outputs - alone).detach().abs().max()
    if float(apart) > AGREEMENT * float(outputs.detach().abs().max()):
        raise ValueError(
            "model must give a row of x the same output every time and whatever the other rows are, got outputs that "
            f"differ by {float(apart):.3g} (noise, or statistics of the batch)"
        )
    c = outputs.shape[1]
    desired = labels_of(y, len(points), c) if loss == "cross_entropy" else targets_of(y, len(points), c)
    problem = ModuleLoss(mine, points, desired.to(device), loss, parameters)
    _check_derivatives(problem)
    return problem


def check_loss(loss: object) -> None:
    """Do nothing if this is the name of a loss.

    Raises:
        ValueError: if not.
    """
    if loss not in get_args(ModelLoss):
        options = ", ".join(map(repr, get_args(ModelLoss)))
        raise ValueError(f"loss must be one of {options}, got {loss!r}")


def _moved(problem: ModuleLoss, move: Array) -> ModuleLoss:
    """Return the same loss of a copy of the model whose parameters are moved by a vector [p]."""
    model = copy.deepcopy(problem.model)
    parameters = tuple(p for p in model.parameters() if p.requires_grad)
    with torch.no_grad():
        for parameter, piece in zip(parameters, problem.pieces(move), strict=True):
            parameter.add_(piece)
    return replace(problem, model=model, parameters=parameters)


def _check_derivatives(problem: ModuleLoss) -> None:
    """Hold what autograd says of first and second derivatives against differences, and against itself in another order.

    Autograd does not see what is cut from its graph, leaves out functions that are marked as differentiable once, without a
    word, and not all second derivatives of torch are right: those of its weight norm are not.

    Raises:
        ValueError: if they differ.
    """
    nearby = problem.nearby
    part, move = nearby.problem, nearby.move
    pairs = (
        ("outputs", nearby.outputs.reshape(5, -1), part.image(move)),
        ("gradients", nearby.gradients, part.hessian_product(move)),
    )
    for what, values, known in pairs:
        seen = (values[3] - values[1]) / 2
        bends = np.diff(values, n=2, axis=0)
        allowed = SEEN * max(norm(seen), norm(known)) + ABOVE_NOISE * max(norm(bend) for bend in bends)
        if norm(seen - known) > allowed + AT_KINK * norm(values[2]):
            raise ValueError(
                f"model must be one that autograd differentiates twice, got derivatives of its {what} that differences of "
                f"their values do not have, by {norm(seen - known) / max(norm(seen), norm(known)):.1%}: is part of its "
                "graph cut (detach, a straight-through estimator, checkpoints with use_reentrant=True)?"
            )
    draw = np.random.default_rng(0).standard_normal
    outside, first, second = draw(problem.outputs.numel()), draw(problem.dimension), draw(problem.dimension)
    for u, v, image, transposed in (
        (outside, first, problem.product(first), problem.transposed_product(outside)),
        (first, second, problem.hessian_product(second), problem.hessian_product(first)),
    ):
        size = norm(u) * norm(image) + norm(v) * norm(transposed)
        if abs(u @ image - v @ transposed) > AGREEMENT * size and not problem.toggling:
            raise ValueError(
                "model must be one that autograd differentiates twice, got second derivatives that depend on their order"
            )
