"""The greatest sharpness in a box around the weights (neyshabur2017, eq 4, after Keskar et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
import torch

from numerics.perturbation.losses import PerturbedLoss, Weights, linear_layers, perturbed_loss, stacked
from numerics.training import batches
from theory.checks import Array, nonnegative, positive
from theory.checks import count as integer
from theory.symbols import ModelLoss

Ascent = Literal["sign", "gradient"]

MOST_WEIGHTS = 16
"""Up to so many weights all vertices of the box are gone through."""


@dataclass(frozen=True, eq=False)
class MaxSharpness:
    """zeta_alpha = (max L(w + nu) - L(w)) / (1 + L(w)) over |nu_i| <= alpha (|w_i| + 1), or a lower bound on it.

    Attributes:
        value: (`largest_loss` - `loss`) / (1 + `loss`), at least 0.
        exact: whether it is the maximum, to rounding; else it is a lower bound: the value at the weights that were found.
        loss: L(w), on all data.
        largest_loss: the loss on all data at the weights that were found.
        weights: those, by name of the parameter: in the box, its ends rounded to the dtype of the parameters.
        reached: the values where the ascents ended, [restarts]; they may be below 0. Of all vertices if exact.
    """

    value: float
    exact: bool
    loss: float
    largest_loss: float
    weights: Weights
    reached: Array

    @property
    def meaning(self) -> str:
        """What the value is, in a sentence."""
        if self.exact:
            return f"the maximum is {self.value:.6g}, by all {len(self.reached)} vertices"
        return f"the maximum is at least {self.value:.6g}, the value at weights that were found; it may be larger"


def max_sharpness(
    model: Any,
    x: Any,
    y: Any,
    loss: ModelLoss = "cross_entropy",
    alpha: float = 5e-4,
    *,
    steps: int = 2000,
    restarts: int = 4,
    batch: int | None = 64,
    step_size: float = 0.01,
    momentum: float = 0.9,
    ascent: Ascent = "sign",
    exact: bool = False,
    seed: int = 0,
    at_once: int | None = None,
) -> MaxSharpness:
    """Return a lower bound on the sharpness of eq (4) of neyshabur2017 by projected ascent, or the sharpness itself.

    The first ascent starts at the weights, the others at points drawn uniformly from the box: where a network fits all its
    targets the gradient at the weights is 0. A step adds to the velocity, `momentum` times what it was, the gradient of the
    loss on a batch, and moves the weights, which are then put back into the box. The defaults of `steps`, `batch`,
    `step_size` and `momentum` are appendix A's, with ascent="gradient" and restarts=1; how it keeps to the box it does not
    say. Weights are all parameters that require a gradient, biases and scales of batch norm among them, each once
    however many layers share it.

    Args:
        model: in eval mode: batch norm takes its stored statistics. To perturb a network without batch norm, as the paper's
            norms are taken, fold it first (`numerics.capacity.fold_batch_norm`).
        x: the inputs, [n, ...], floats.
        y: labels, [n], from 0; for the squared losses targets of the shape of the outputs, or [n] for one output.
        loss: "cross_entropy", "mean" or "half_mean".
        alpha: size of the box, above 0.
        steps: of each ascent, at least 1.
        restarts: number of ascents, at least 1.
        batch: rows in a batch, reshuffled every epoch, at most n are taken; None for all rows.
        step_size: above 0: what the velocity is multiplied by; with ascent="sign" a share of alpha (|w_i| + 1).
        momentum: from 0 to below 1.
        ascent: "gradient", as printed; or "sign", along the signs of the velocity alone, which does not slow down where the
            loss is small.
        exact: whether to go through all vertices of the box instead. For one linear layer, on which these losses are convex,
            the maximum is at a vertex; for at most 16 weights.
        seed: of batches and starts, at least 0.
        at_once: so many ascents go together; what fits in memory if None. It changes nothing but rounding.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if `loss` or `ascent` is unknown; a number is out of its range; x is empty or not finite; the model is not
            in eval mode, has no parameter that requires a gradient, or returns nan, an output that depends on other
            rows, or probabilities for cross_entropy; y is out of range or of a wrong shape; the loss is not finite at
            the weights or in the box; or `exact` is asked for and the model is no linear layer of at most 16 weights.

    Example:
        >>> import torch
        >>> from numerics.perturbation import max_sharpness
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> _ = model.weight.data.fill_(1.0)
        >>> found = max_sharpness(model, torch.tensor([[1.0]]), [1.0], loss="mean", alpha=0.5, exact=True)
        >>> found.value, found.meaning
        (1.0, 'the maximum is 1, by all 2 vertices')
    """
    rise = Ascending(
        integer("steps", steps), float(positive("step_size", step_size)), _momentum(momentum), _ascent(ascent)
    )
    size, runs, chosen = float(positive("alpha", alpha)), integer("restarts", restarts), integer("seed", seed, fewest=0)
    together = None if at_once is None else integer("at_once", at_once)
    rows = None if batch is None else integer("batch", batch)
    problem = perturbed_loss(model, x, y, loss, ModelLoss)
    n = len(problem.x)
    rows = n if rows is None else min(rows, n)
    problem = problem.on(rows)
    box = Box.around(problem.weights, size)
    if exact:
        _check_vertices(problem)
    together = together or problem.networks(n if exact else rows)
    stacks = box.vertices(together) if exact else stacked(box.starts(problem.weights, runs, chosen), together)
    losses: list[float] = []
    most, found = problem.value, problem.weights  # nu = 0 is in the box
    for stack in stacks:
        if not exact:
            stack = rise.ended(problem, box, stack, batches(n, rows, sampling="reshuffling", seed=chosen))
        for index, value in enumerate(problem.means(stack, problem.x, problem.y).tolist()):
            if not math.isfinite(value):
                place = f"vertex {len(losses)}" if exact else f"the end of ascent {len(losses)}"
                raise ValueError(f"the loss of model must be finite in the box, got {value} at {place}")
            losses.append(value)
            if value > most:
                most, found = value, {name: weight[index].clone() for name, weight in stack.items()}
    here = problem.value
    reached: Array = (np.array(losses) - here) / (1 + here)
    return MaxSharpness((most - here) / (1 + here), exact, here, most, found, reached)


@dataclass(frozen=True, eq=False)
class Box:
    """The weights with |nu_i| <= alpha (|w_i| + 1), its ends rounded.

    Attributes:
        low: w - alpha (|w| + 1), by name of the parameter.
        high: w + alpha (|w| + 1).
        side: alpha (|w| + 1).
    """

    low: Weights
    high: Weights
    side: Weights

    @classmethod
    def around(cls, weights: Weights, alpha: float) -> Box:
        """Return the box around weights."""
        side = {name: alpha * (weight.abs() + 1) for name, weight in weights.items()}
        low, high = ({name: w + sign * side[name] for name, w in weights.items()} for sign in (-1, 1))
        return cls(low, high, side)

    def clamped(self, stack: Weights) -> Weights:
        """Return the nearest weights in the box, of each network."""
        return {name: weight.clamp(self.low[name], self.high[name]) for name, weight in stack.items()}

    def starts(self, weights: Weights, count: int, seed: int) -> Iterator[Weights]:
        """Yield the weights, and then points drawn uniformly, one after the other."""
        yield weights
        generator = torch.Generator().manual_seed(seed)
        for _ in range(count - 1):
            found = {}
            for name, low in self.low.items():
                share = torch.rand(low.shape, generator=generator, dtype=torch.float64).to(low.device, low.dtype)
                found[name] = low + share * (self.high[name] - low)
            yield self.clamped(found)

    def vertices(self, together: int) -> Iterator[Weights]:
        """Yield all vertices in stacks of at most so many."""
        sizes = [low.numel() for low in self.low.values()]
        for first in range(0, 2 ** sum(sizes), together):
            numbers = torch.arange(first, min(first + together, 2 ** sum(sizes)))
            digits = (numbers[:, None] >> torch.arange(sum(sizes))) % 2 == 1
            parts = zip(digits.split(sizes, dim=1), self.low.items(), strict=True)
            yield {
                name: torch.where(part.reshape(-1, *low.shape).to(low.device), self.high[name], low)
                for part, (name, low) in parts
            }


@dataclass(frozen=True)
class Ascending:
    """How weights climb: see `max_sharpness`."""

    steps: int
    step_size: float
    momentum: float
    ascent: Ascent

    def ended(self, problem: PerturbedLoss, box: Box, stack: Weights, order: Iterator[Array]) -> Weights:
        """Return where networks end that start at `stack` and all see the batches of `order`."""
        velocity = {name: torch.zeros_like(weight) for name, weight in stack.items()}
        for rows in islice(order, self.steps):
            chosen = torch.from_numpy(rows).to(problem.x.device)
            gradients = problem.gradients(stack, problem.x[chosen], problem.y[chosen])
            for name, gradient in gradients.items():
                velocity[name] = self.momentum * velocity[name] + gradient
            moves = velocity
            if self.ascent == "sign":
                moves = {name: box.side[name] * v.sign() for name, v in velocity.items()}
            stack = box.clamped({name: weight + self.step_size * moves[name] for name, weight in stack.items()})
        return stack


def _check_vertices(problem: PerturbedLoss) -> None:
    """Check that the greatest loss in a box is at a vertex, and that these can be gone through.

    Raises:
        ValueError: if it is not, or there are too many.
    """
    if len(layers := linear_layers(problem.model)) != 1:
        raise ValueError(f"exact=True needs one linear layer, got {len(layers)}: the loss is not convex in the weights")
    if problem.dimension > MOST_WEIGHTS:
        raise ValueError(f"exact=True needs at most {MOST_WEIGHTS} weights, got {problem.dimension}")


def _momentum(value: Any) -> float:
    """Return a momentum.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not from 0 to below 1.
    """
    number = float(nonnegative("momentum", value))
    if number >= 1:
        raise ValueError(f"momentum must be from 0 to below 1, got {value}")
    return number


def _ascent(value: Any) -> Ascent:
    """Return a way to climb.

    Raises:
        ValueError: if it is unknown.
    """
    if value not in get_args(Ascent):
        raise ValueError(f"ascent must be one of {', '.join(map(repr, get_args(Ascent)))}, got {value!r}")
    known: Ascent = value
    return known
