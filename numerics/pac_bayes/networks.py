"""A network's PAC-Bayes bounds beside the measure that the paper prints, and its bi-criteria curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numerics.pac_bayes.bounds import PacBayesBound, kl_bound, mcallester_bound
from numerics.pac_bayes.divergences import (
    DATA_FREE,
    PRIOR_DEVIATIONS,
    Divergence,
    divergence_as_printed,
    divergence_from_prior,
)
from numerics.pac_bayes.losses import ExpectedLoss, Loss, expected_loss
from numerics.perturbation import expected_sharpness, weight_scaled_std
from numerics.perturbation.losses import ErrorOrLoss
from theory import neyshabur2017
from theory.checks import chance, positive, sequence


@dataclass(frozen=True)
class PrintedMeasure:
    """The right side of eq (8) as the paper uses it; a number that is no bound.

    Attributes:
        value: the mean of the draws and 4 sqrt((sum_i w_i^2/(2 s_i^2) + ln(2m/delta))/m).
        divergence: sum_i w_i^2/(2 s_i^2).
        failing: why it is no bound, an assumption of eq (8) a sentence; never empty.
    """

    value: float
    divergence: float
    failing: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class PerturbedNetwork:
    """What is known of a network under one noise.

    Attributes:
        expected: the expected training loss, by draws.
        divergence: from the nearest of the priors around the start.
        kl: the valid bound by B19.
        mcallester: the valid bound by eq (6), with the same divergence.
        printed: the measure as the paper has it, with the same noise.
    """

    expected: ExpectedLoss
    divergence: Divergence
    kl: PacBayesBound
    mcallester: PacBayesBound
    printed: PrintedMeasure


@dataclass(frozen=True, eq=False)
class NetworkBounds:
    """The bounds of a network under several noises; those that are valid hold all at once, with probability 1 - delta.

    Attributes:
        noises: for each, in the order given.
    """

    noises: tuple[PerturbedNetwork, ...]

    @property
    def best(self) -> PerturbedNetwork:
        """Of the least valid bound."""
        return min(self.noises, key=lambda one: one.kl.value)

    @property
    def least_printed(self) -> PerturbedNetwork:
        """Of the least printed measure."""
        return min(self.noises, key=lambda one: one.printed.value)


def network_bounds(
    model: Any,
    x: Any,
    y: Any,
    std: Sequence[float | Mapping[str, Any]],
    *,
    start: Any,
    prior_deviations: Any = PRIOR_DEVIATIONS,
    loss: Loss = "zero_one",
    delta: Any = 0.05,
    draws: int = 1000,
    batch_size: int | None = None,
    seed: int = 0,
) -> NetworkBounds:
    """Return valid bounds on the expected loss of a network with noise on its weights, beside the printed measure.

    Of each noise the draws get their share of delta/H for H noises, so that the least bound may be taken (see
    `ExpectedLoss.upper`); the training set needs none, since B19 is about all perturbations at once.

    Args:
        model: gives each row of x its k >= 2 outputs; in eval mode.
        x: the training data, [m, ...], floats.
        y: their labels, [m].
        std: the noises, a sequence: each as in `expected_loss`. They may depend on the weights
            (`numerics.perturbation.weight_scaled_std`), not on what the draws gave.
        start: the module at initialisation, or another that does not depend on the training data; None for weights 0.
        prior_deviations: standard deviations of the priors around it, fixed beforehand.
        loss: in [0, 1]; as in `expected_loss`.
        delta: the probability that a valid bound may fail, between 0 and 1.
        draws: of each noise.
        batch_size: as in `expected_loss`.
        seed: of the draws.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if sizes do not fit, a number is out of its range, or the model fails on x.
        AssumptionError: if the loss is not in [0, 1], or buffers depend on the training data.

    Example:
        >>> import torch
        >>> from numerics.pac_bayes import network_bounds
        >>> x = torch.linspace(-1, 1, 500)[:, None].double()
        >>> model = torch.nn.Linear(1, 2, bias=False, dtype=torch.float64)
        >>> _ = model.weight.data.copy_(torch.tensor([[2.0], [-2.0]]))
        >>> found = network_bounds(model, x, (x[:, 0] < 0).long(), [0.5, 1.0], start=None, draws=200)
        >>> found.best.kl.value < found.best.mcallester.value < found.best.printed.value
        True
    """
    if not isinstance(std, Sequence) or not std:
        raise ValueError(f"std must be a sequence of at least one noise, got {std!r}")
    noises = list(std)
    chance("delta", delta)
    divergences = [divergence_from_prior(model, one, prior_deviations, start=start) for one in noises]
    found = []
    for one, divergence in zip(noises, divergences, strict=True):
        expected = expected_loss(
            model, x, y, one, loss=loss, draws=draws, batch_size=batch_size, seed=seed, choices=len(noises)
        )
        bounds = [bound(expected, divergence, delta=delta) for bound in (kl_bound, mcallester_bound)]
        printed = printed_measure(expected, divergence_as_printed(model, one), delta)
        found.append(PerturbedNetwork(expected, divergence, bounds[0], bounds[1], printed))
    return NetworkBounds(tuple(found))


def printed_measure(expected: ExpectedLoss, divergence: Divergence, delta: Any = 0.05) -> PrintedMeasure:
    """Return the right side of eq (8) with a mean of draws for the expectation, and why it is no bound.

    Args:
        expected: by draws, of a loss in [0, 1].
        divergence: by `divergence_as_printed`.
        delta: the delta in the formula, between 0 and 1.

    Raises:
        TypeError: if delta is no number.
        ValueError: if it is not between 0 and 1, or there are fewer than two training data.
        AssumptionError: if the loss is not in [0, 1].

    Example:
        >>> import numpy as np
        >>> from numerics.pac_bayes import Divergence, ExpectedLoss, printed_measure
        >>> expected = ExpectedLoss(np.full(100, 0.02), 0.01, 60_000, "zero_one", 0.0, 1.0)
        >>> found = printed_measure(expected, Divergence(2000.0, None, 1, "its standard deviations are the perturbation's"))
        >>> round(found.value, 3), len(found.failing)
        (0.753, 2)
    """
    expected.require_unit_interval("N7")
    value = neyshabur2017.mcallester_bound(expected.value, divergence.value, expected.samples, delta)
    failing = [
        f"the expected training loss is known: it is the mean of {len(expected.draws)} draws, with no term for chance"
    ]
    if expected.choices > 1:
        failing.insert(0, f"sigma is fixed beforehand: it is one of {expected.choices}, with no term for the choice")
    if divergence.failing:
        failing.insert(0, f"{DATA_FREE}: {divergence.failing}")
    return PrintedMeasure(value, divergence.value, tuple(failing))


@dataclass(frozen=True)
class CurvePoint:
    """A point of the bi-criteria curve.

    Attributes:
        alpha: the size of the perturbation.
        divergence: sum_i w_i^2/(2 s_i^2), with the factor 1/2 (N20.a).
        sharpness: the expected sharpness, the mean over the draws less the loss of f_w.
        standard_error: of the sharpness.
    """

    alpha: float
    divergence: float
    sharpness: float
    standard_error: float


def bicriteria_curve(
    model: Any,
    x: Any,
    y: Any,
    alphas: Any,
    *,
    loss: ErrorOrLoss = "cross_entropy",
    draws: int = 1000,
    batch: int | None = None,
    seed: int = 0,
) -> tuple[CurvePoint, ...]:
    """Return the expected sharpness against the divergence over alpha, for noise alpha (10 |w_i| + 1) (Figure 2).

    Figure 2 plots twice this divergence: appendix A lacks the factor 1/2 (N20). It is from N(0, diag s_i^2), which depends
    on the weights, so no bound holds with it (N7.b). All points have the same standard normals and batches.

    Args:
        model: in eval mode.
        x: the data, [m, ...], floats.
        y: their labels or targets, as in `numerics.perturbation.expected_sharpness`.
        alphas: the sizes of the perturbation, each above 0.
        loss: as there; it need not be bounded.
        draws: at least 2; the paper has 1000.
        batch: data in the batch of a draw, all if None; the paper has 64.
        seed: of the draws.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if sizes do not fit, a number is out of its range, or the model fails on x, or the loss under the noise.

    Example:
        >>> import torch
        >>> from numerics.pac_bayes import bicriteria_curve
        >>> x = torch.linspace(-1, 1, 50)[:, None].double()
        >>> model = torch.nn.Linear(1, 2, bias=False, dtype=torch.float64)
        >>> _ = model.weight.data.copy_(torch.tensor([[2.0], [-2.0]]))
        >>> small, large = bicriteria_curve(model, x, (x[:, 0] < 0).long(), [0.01, 0.1], draws=100)
        >>> small.sharpness < large.sharpness, small.divergence > large.divergence
        (True, True)
    """
    sizes = [float(positive("alphas", float(alpha))) for alpha in sequence("alphas", alphas, fewest=1)]
    found = []
    for alpha in sizes:
        std = weight_scaled_std(model, alpha)
        rise = expected_sharpness(model, x, y, loss, std, draws, batch=batch, seed=seed)
        found.append(CurvePoint(alpha, divergence_as_printed(model, std).value, rise.value, rise.standard_error))
    return tuple(found)
