"""The expected loss of a network with noise on its weights, by draws, with what it takes to be sure of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

from numerics.geometric_complexity.modules import Subject, subject
from numerics.pac_bayes.divergences import deviations_of, named_weights
from numerics.perturbation.losses import Weights
from numerics.smoothness.modules import ROWS
from numerics.stability.models import labels_of
from theory.beyond.pac_bayes_bounds import LOSS_IN_UNIT_INTERVAL, kl_inverse, log_of
from theory.checks import Array, chance, count
from theory.conditions import AssumptionError
from theory.enclosure import rounded

NamedLoss = Literal["zero_one", "cross_entropy"]

Loss = NamedLoss | Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""zero_one: 1 unless the output of the label is larger than all others; or what makes outputs [b, k] and y [b] losses [b]."""


@dataclass(frozen=True, eq=False)
class ExpectedLoss:
    """An estimate of E L^(f_{w+nu}), the mean training loss under noise on the weights.

    Attributes:
        draws: the loss of each draw of the noise, its mean over the training data, or over a batch of them, [n].
        unperturbed: L^(f_w), without noise.
        samples: the number m of training data.
        loss: its name.
        smallest: of all losses of single data that were seen.
        largest: likewise.
        choices: among how many such estimates this one may be chosen after they are seen.
    """

    draws: Array
    unperturbed: float
    samples: int
    loss: str
    smallest: float
    largest: float
    choices: int = 1

    @property
    def value(self) -> float:
        """The mean over the draws: an estimate, and no bound."""
        return math.fsum(self.draws) / len(self.draws)

    @property
    def standard_error(self) -> float:
        """The sample standard deviation over the root of the number of draws; inf for one draw."""
        return float(np.std(self.draws, ddof=1)) / math.sqrt(len(self.draws)) if len(self.draws) > 1 else math.inf

    @property
    def sharpness(self) -> float:
        """The expected sharpness, E L^(f_{w+nu}) - L^(f_w), of eq (7); of either sign, with the same standard error."""
        return self.value - self.unperturbed

    def require_unit_interval(self, claim: str) -> None:
        """Do nothing if the loss is in [0, 1]: by its definition, or for a function of the user as far as was seen.

        Raises:
            AssumptionError: if it is not.
        """
        if self.loss == "cross_entropy":
            raise AssumptionError(claim, LOSS_IN_UNIT_INTERVAL.name, "cross-entropy, which has no largest value")
        for seen in (self.smallest, self.largest, float(self.draws.min()), float(self.draws.max())):
            LOSS_IN_UNIT_INTERVAL.require(claim, seen)

    def upper(self, delta: Any) -> float:
        """Return the largest p with kl(mean of the draws || p) <= ln(2 c/delta)/n, rounded up; c the number of choices.

        The draws are independent of one another given the training set, and from 0 to 1: with probability 1 - delta over them
        E L^(f_{w+nu}) is at most this, for all c estimates at once. It is the sample convergence bound of Langford and Caruana
        2001, (Not) Bounding the True Error, and of Dziugaite and Roy 2017, section 3: kl(mean || E) <= ln(2/delta)/n.

        Args:
            delta: the probability that it may fail, between 0 and 1.

        Raises:
            TypeError: if delta is no number.
            ValueError: if it is not between 0 and 1.
            AssumptionError: if the loss is not in [0, 1].

        Example:
            >>> import numpy as np
            >>> from numerics.pac_bayes import ExpectedLoss
            >>> found = ExpectedLoss(np.full(1000, 0.02), 0.01, 60_000, "zero_one", 0.0, 1.0)
            >>> round(found.upper(0.01), 4)
            0.0379
        """
        allowed = Fraction(chance("delta", delta))
        self.require_unit_interval("B19")
        n = len(self.draws)
        mean = min(sum((Fraction(draw) for draw in self.draws.tolist()), Fraction(0)) / n, Fraction(1))
        limit = log_of(2 * self.choices / allowed).times(Fraction(1, n))
        return rounded(Fraction(kl_inverse(mean, limit).upper), math.inf)


def expected_loss(
    model: Any,
    x: Any,
    y: Any,
    std: float | Mapping[str, Any],
    *,
    loss: Loss = "zero_one",
    draws: int = 1000,
    batch_size: int | None = None,
    seed: int = 0,
    choices: int = 1,
) -> ExpectedLoss:
    """Return an estimate of E L^(f_{w+nu}), nu normal with standard deviations s_i, by independent draws of nu.

    Each draw is measured on all data, or on a batch of its own that is drawn from them, with replacement and uniformly: its
    mean is the same, so that `ExpectedLoss.upper` holds as well. The same seed draws the same standard normals and batches
    whatever the s_i. Noise is drawn in the dtype of the parameters, and counts as normal. For the rise of a loss
    `numerics.perturbation.expected_sharpness` needs fewer draws; its batches are not independent, which `upper` asks for.

    Args:
        model: gives each row of x its k >= 2 outputs; in eval mode. It is left as it is.
        x: the training data, [m, ...], floats.
        y: their labels, [m], integers from 0 to k - 1; what a loss of yours takes, with one entry a row.
        std: s_i, one number for all parameters that require a gradient, or by name a number or an array of its shape; above 0.
        loss: zero_one, cross_entropy, or a function of outputs [b, k] and y [b] that returns losses [b]. A bound wants one in
            [0, 1], which cross-entropy is not.
        draws: how many, at least 1.
        batch_size: data in the batch of a draw; all of them if None.
        seed: of the draws, at least 0.
        choices: among how many estimates one is to be chosen after they are seen, such as for several standard deviations.

    Raises:
        TypeError: if `model` is no module, x holds no floats, labels are no integers, or a number is none.
        ValueError: if x is empty or not finite; if the model is not in eval mode or fails on x; if a label or a number is out
            of range; if `loss` is unknown, or returns another shape, or nan or inf.

    Example:
        >>> import torch
        >>> from numerics.pac_bayes import expected_loss
        >>> model = torch.nn.Linear(1, 2, bias=False, dtype=torch.float64)
        >>> _ = model.weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> found = expected_loss(model, torch.tensor([[1.0], [2.0]]), [0, 0], 1.0, draws=400, seed=1)
        >>> found.unperturbed, 0.05 < found.value < 0.11  # the chance that a normal number is above sqrt 2 is 0.079
        (0.0, True)
    """
    if not callable(loss) and loss not in get_args(NamedLoss):
        raise ValueError(f"loss must be {' or '.join(map(repr, get_args(NamedLoss)))} or a function, got {loss!r}")
    repeats, start = count("draws", draws), count("seed", seed, fewest=0)
    batch = None if batch_size is None else count("batch_size", batch_size)
    many = count("choices", choices)
    given = subject(model, x, probabilities=loss != "cross_entropy")
    targets = _targets(y, given, loss)
    spread = deviations_of(given.model, std)
    measure = _Measure(loss)
    weights = named_weights(given.model)
    with torch.no_grad():
        unperturbed = measure.mean(given.model, weights, given.x, targets)
        found = []
        rows = torch.Generator().manual_seed(start + 1)
        for noisy in _noisy(weights, spread, repeats, start):
            if batch is None:
                found.append(measure.mean(given.model, noisy, given.x, targets))
            else:
                chosen = torch.randint(len(given.x), (batch,), generator=rows).to(given.x.device)
                found.append(measure.mean(given.model, noisy, given.x[chosen], targets[chosen]))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return ExpectedLoss(
        np.array(found), unperturbed, len(given.x), name, measure.smallest, measure.largest, choices=many
    )


def _noisy(weights: Weights, spread: torch.Tensor, draws: int, seed: int) -> Iterator[Weights]:
    """Yield parameters with noise."""
    single = all(p.dtype != torch.float64 for p in weights.values())
    dtype = torch.float32 if single else torch.float64
    generator = torch.Generator().manual_seed(seed)
    scale, sizes = spread.to(dtype), [p.numel() for p in weights.values()]
    for _ in range(draws):
        parts = (torch.randn(len(scale), generator=generator, dtype=dtype) * scale).split(sizes)
        yield {
            name: p + part.reshape(p.shape).to(p.device, p.dtype)
            for (name, p), part in zip(weights.items(), parts, strict=True)
        }


class _Measure:
    """A loss, and the range of what was seen of it."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.smallest, self.largest = math.inf, -math.inf

    def mean(self, model: nn.Module, weights: Weights, x: torch.Tensor, y: torch.Tensor) -> float:
        """Return the mean loss at some parameters."""
        total = 0.0
        for inputs, targets in zip(x.split(ROWS), y.split(ROWS), strict=True):
            outputs = functional_call(model, weights, (inputs.clone(),))
            losses = self._losses(outputs.reshape(len(inputs), -1), targets)
            self.smallest = min(self.smallest, float(losses.min()))
            self.largest = max(self.largest, float(losses.max()))
            total += float(losses.sum())
        return total / len(x)

    def _losses(self, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if self.loss == "zero_one":
            right = outputs.gather(1, y[:, None])
            others = outputs.scatter(1, y[:, None], -math.inf)
            return (~(right[:, 0] > others.amax(dim=1))).to(torch.float64)
        if self.loss == "cross_entropy":
            losses = nn.functional.cross_entropy(outputs.to(torch.float64), y, reduction="none")
        else:
            losses = self.loss(outputs, y)
            if not isinstance(losses, torch.Tensor) or tuple(losses.shape) != (len(y),):
                shape = tuple(losses.shape) if isinstance(losses, torch.Tensor) else type(losses).__name__
                raise ValueError(f"loss must return one number for each of {len(y)} rows, [{len(y)}], got {shape}")
            losses = losses.to(torch.float64)
        if not bool(torch.isfinite(losses).all()):
            raise ValueError("loss must be finite under the noise, got nan or inf: std is too large for it")
        return losses


def _targets(y: Any, given: Subject, loss: Loss) -> torch.Tensor:
    """Return the targets on the device of the inputs.

    Raises:
        TypeError: if labels are no integers.
        ValueError: if there is not one a row, or a label is out of range.
    """
    if not callable(loss):
        if given.outputs < 2:
            raise ValueError(f"model must return [m, k] with k >= 2, an output for each label, got k = {given.outputs}")
        return labels_of(y, len(given.x), given.outputs).to(given.x.device)
    targets = torch.as_tensor(y, device=given.x.device)
    if targets.ndim == 0 or len(targets) != len(given.x):
        raise ValueError(f"y must have one entry for each of the {len(given.x)} rows of x, got {tuple(targets.shape)}")
    return targets
