"""The loss of a module as a function of its weights, of many networks at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal, cast, get_args

import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from numerics.geometric_complexity.modules import logits, subject
from numerics.smoothness.modules import ROWS
from numerics.stability.models import FAILURES, labels_of, targets_of
from theory.symbols import ModelLoss, output_scale

Weights = dict[str, torch.Tensor]
"""The parameters of a network by name; those of R networks with an axis for these before the others."""

ErrorOrLoss = Literal[ModelLoss, "zero_one"]
"""`ModelLoss`, or the share of rows that are misclassified or tied."""

ENTRIES = {"cpu": 2**22, "other": 2**28}
"""So many entries of weights and activations are held at once on a device, unless one network and one row need more."""

FEWEST = 16
"""Where fewer networks fit, each has enough to do that putting them through together is slower than one by one."""

SHAPELESS = (nn.Flatten, nn.Identity, nn.Dropout)
"""Layers that in eval mode keep the numbers of an input as they are."""


@dataclass(frozen=True, eq=False)
class PerturbedLoss:
    """A module and its data after their checks, and the loss as a function of the weights.

    Attributes:
        model: the user's module, never changed.
        x: the inputs, [n, ...], of the dtype and on the device of its parameters.
        y: labels, [n], or targets, [n, c].
        loss: which loss it is, a mean over rows; taken in float64.
        weights: the parameters that require a gradient, each once, however many layers share it.
        batched: whether `torch.func.vmap` can put many networks through the module at once; else they go one by one.
    """

    model: nn.Module
    x: torch.Tensor
    y: torch.Tensor
    loss: ErrorOrLoss
    weights: Weights
    batched: bool

    @cached_property
    def dimension(self) -> int:
        """The number of weights."""
        return sum(weight.numel() for weight in self.weights.values())

    @cached_property
    def row_entries(self) -> int:
        """How many entries a row of x takes, with what is kept of it for a gradient."""
        leaves = {name: weight.clone().requires_grad_() for name, weight in self.weights.items()}
        totals = [0, 0]
        for index in range(2):

            def count(saved: torch.Tensor, index: int = index) -> torch.Tensor:
                totals[index] += saved.numel()
                return saved

            rows = [0] * (index + 1)
            with torch.autograd.graph.saved_tensors_hooks(count, lambda saved: saved):
                self._total(leaves, self.x[rows], self.y[rows])
        return max(0, totals[1] - totals[0]) + self.x[0].numel()

    @cached_property
    def rows(self) -> int:
        """So many rows go through a network at once, whatever the number of networks."""
        return max(1, min(ROWS, self._entries // self.row_entries))

    @property
    def _entries(self) -> int:
        return ENTRIES["cpu" if self.x.device.type == "cpu" else "other"]

    def networks(self, rows: int) -> int:
        """Return how many networks, on so many rows each, go through the module at once."""
        return max(1, self._entries // (2 * self.dimension + min(rows, self.rows) * self.row_entries))

    def on(self, rows: int) -> PerturbedLoss:
        """Return what goes through networks on so many rows each in the faster way."""
        return replace(self, batched=self.batched and self.networks(rows) >= FEWEST)

    @cached_property
    def of_rows(self) -> torch.Tensor:
        """The loss of each row at the weights themselves, [n], float64."""
        with torch.no_grad():
            parts = zip(self.x.split(self.rows), self.y.split(self.rows), strict=True)
            return torch.cat([self._each(logits(self.model, x), y) for x, y in parts])

    @cached_property
    def value(self) -> float:
        """The loss at the weights themselves."""
        return float(self.of_rows.mean())

    def means(self, stack: Weights, x: torch.Tensor, y: torch.Tensor, *, shared: bool = True) -> torch.Tensor:
        """Return the losses of R networks, [R], float64, however many fit at once.

        Args:
            stack: their weights.
            x: the inputs of all of them, [m, ...], or of each its own, [R, m, ...].
            y: the targets, likewise.
            shared: which of the two.
        """
        count, axis = len(next(iter(stack.values()))), 0 if shared else 1
        step, parts = self.networks(x.shape[axis]), []
        for first in range(0, count, step):
            some = slice(first, first + step)
            own = (x, y) if shared else (x[some], y[some])
            parts.append(self._means({name: weight[some] for name, weight in stack.items()}, *own, shared))
        return torch.cat(parts)

    def _means(self, stack: Weights, x: torch.Tensor, y: torch.Tensor, shared: bool) -> torch.Tensor:
        axis = 0 if shared else 1
        total = torch.zeros(len(next(iter(stack.values()))), dtype=torch.float64, device=x.device)
        with torch.no_grad():
            for some, theirs in zip(x.split(self.rows, axis), y.split(self.rows, axis), strict=True):
                total += self._of_each(self._total, stack, some, theirs, shared)
        return total / x.shape[axis]

    def gradients(self, stack: Weights, x: torch.Tensor, y: torch.Tensor) -> Weights:
        """Return the gradients of the losses of R networks on rows x [m, ...] of all of them."""
        total = {name: torch.zeros_like(weight) for name, weight in stack.items()}
        for some, theirs in zip(x.split(self.rows), y.split(self.rows), strict=True):
            for name, part in self._of_each(grad(self._total), stack, some, theirs, True).items():
                total[name] += part / len(x)
        return total

    def _of_each(
        self, function: Callable[..., Any], stack: Weights, x: torch.Tensor, y: torch.Tensor, shared: bool
    ) -> Any:
        """Return a function of weights, inputs and targets for each network, one tensor or one for each name."""
        if self.batched:
            data = None if shared else 0
            return vmap(function, in_dims=(0, data, data))(stack, x, y)
        found = []
        for i in range(len(next(iter(stack.values())))):
            own = (x, y) if shared else (x[i], y[i])
            found.append(function({name: weight[i] for name, weight in stack.items()}, *own))
        if isinstance(found[0], torch.Tensor):
            return torch.stack(found)
        return {name: torch.stack([one[name] for one in found]) for name in stack}

    def _total(self, weights: Weights, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the sum of the losses of rows."""
        outputs = functional_call(self.model, weights, (x.clone(),))  # a first layer may work in place
        return self._each(outputs.reshape(len(x), -1), y).sum()

    def _each(self, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss of each row, [m], of outputs [m, c]."""
        outputs = outputs.double()
        if self.loss == "cross_entropy":
            return functional.cross_entropy(outputs, y, reduction="none")
        if self.loss == "zero_one":
            right = outputs.gather(1, y[:, None])
            return (outputs.scatter(1, y[:, None], -math.inf).amax(1) >= right[:, 0]).double()
        return ((outputs - y) ** 2).sum(1) * output_scale(self.loss, outputs.shape[1])


def perturbed_loss(model: Any, x: Any, y: Any, loss: ErrorOrLoss, losses: Any) -> PerturbedLoss:
    """Return the loss of a module on data as a function of its weights, after all checks.

    Args:
        model: gives each row of x its output; in eval mode.
        x: the inputs, [n, ...], floats.
        y: labels, [n], or targets of the shape of the outputs, or [n] for one output.
        loss: which loss it is.
        losses: the `Literal` of those that may be asked for.

    Raises:
        TypeError: if `model` is no module, x holds no floats or y the wrong numbers.
        ValueError: if `loss` is unknown; if x is empty or not finite; if the model is not in eval mode, has no parameter that
            requires a gradient, fails on x, or returns nan, an output that depends on other rows, or probabilities for
            cross_entropy; if y is out of range or of a wrong shape; or if the loss is not finite.
    """
    known = get_args(losses)
    if loss not in known:
        raise ValueError(f"loss must be one of {', '.join(map(repr, known))}, got {loss!r}")
    given = subject(model, x, probabilities=loss != "cross_entropy")
    labelled = loss in ("cross_entropy", "zero_one")
    targets = (labels_of if labelled else targets_of)(y, len(given.x), given.outputs)
    weights = {name: p.detach() for name, p in given.model.named_parameters() if p.requires_grad and p.numel()}
    if not weights:
        raise ValueError("model must have a parameter that requires a gradient, got none")
    problem = PerturbedLoss(given.model, given.x, targets.to(given.x.device), loss, weights, batched=True)
    if not math.isfinite(problem.value):
        row = int(torch.nonzero(~torch.isfinite(problem.of_rows))[0])
        raise ValueError(f"the loss of model must be finite, got {float(problem.of_rows[row])} at row {row} of x")
    return replace(problem, batched=_can_be_batched(problem))


def _can_be_batched(problem: PerturbedLoss) -> bool:
    """Return whether vmap can put several networks through the module, and through its gradient."""
    twice = {name: torch.stack([weight, weight]) for name, weight in problem.weights.items()}
    x, y = problem.x[:1], problem.y[:1]
    try:
        problem.means(twice, torch.stack([x, x]), torch.stack([y, y]), shared=False)
        if problem.loss != "zero_one":
            problem.gradients(twice, x, y)
    except FAILURES:
        return False
    return True


def stacked(points: Iterator[Weights], together: int) -> Iterator[Weights]:
    """Yield the weights of at most so many networks as one stack, until all have come."""
    while some := list(islice(points, together)):
        yield {name: torch.stack([one[name] for one in some]) for name in some[0]}


def _hooked(layer: nn.Module) -> bool:
    return bool(layer._forward_hooks or layer._forward_pre_hooks)


def _in_sequence(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of a model, in their order: of a `Sequential` without hooks those in it."""
    if type(model) is nn.Sequential and not _hooked(model):
        for layer in model:
            yield from _in_sequence(layer)
    else:
        yield model


def two_relu_layers(model: nn.Module) -> tuple[nn.Linear, nn.Linear] | None:
    """Return the layers of a linear layer, a ReLU and a linear layer in sequence, without hooks; None of any other model."""
    flat = [layer for layer in _in_sequence(model) if type(layer) not in SHAPELESS or _hooked(layer)]
    if [type(layer) for layer in flat] != [nn.Linear, nn.ReLU, nn.Linear]:
        return None
    first, second = cast(nn.Linear, flat[0]), cast(nn.Linear, flat[2])
    return None if any(map(_hooked, flat)) or first.weight is second.weight else (first, second)


def linear_layers(model: nn.Module) -> list[nn.Linear]:
    """Return the layers of a linear network, first to last.

    Raises:
        ValueError: if there is another layer among them, or one that is used twice or has hooks.
    """
    found: list[nn.Linear] = []
    for layer in _in_sequence(model):
        if _hooked(layer):
            raise ValueError(f"exact=True needs linear layers alone, got {type(layer).__name__} with forward hooks")
        if type(layer) is nn.Linear:
            found.append(layer)
        elif type(layer) not in SHAPELESS:
            raise ValueError(f"exact=True needs linear layers alone, in sequence, got {type(layer).__name__}")
    if len({id(layer.weight) for layer in found}) < len(found):
        raise ValueError("exact=True needs a weight of its own for each layer, got one that layers share")
    return found
