"""What is trained and what comes of it: one network on its data, when its training ends, and where it ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch

from numerics import kernels
from numerics.kernels import StopRule
from numerics.networks import Network, TwoLayerReLU
from numerics.penalties import Penalty
from theory.checks import Array, Reals, count, positive
from theory.two_layer import Weights

PATIENCE, DWELL = 100_000, 100
"""The steps of `stop_rule` where none are given."""


class Outcome(StrEnum):
    """Why a run ended: see `numerics.training.train`."""

    INTERPOLATED = "interpolated"
    STALLED = "stalled"
    DIVERGED = "diverged"
    BUDGET_SPENT = "budget spent"


OUTCOMES = {
    kernels.INTERPOLATED: Outcome.INTERPOLATED,
    kernels.STALLED: Outcome.STALLED,
    kernels.DIVERGED: Outcome.DIVERGED,
    kernels.BUDGET_SPENT: Outcome.BUDGET_SPENT,
}


@dataclass(frozen=True, eq=False)
class Member:
    """One network, and what it is trained on.

    Attributes:
        network: the network at the start, which is left as it is; a module, or the weights of a network on one input.
        x: inputs, [n, d], or [n] for a network on one input, in any order.
        y: targets, [n].
        step_size: step size on the loss that training is asked to use.
        max_steps: the most steps to make, at least 1.
        stop_loss: the loss below which the network counts as interpolating, at least 0.
        batch_size: points in a batch, 1 to n; None for gradient descent on all points.
        seed: of the batches, at least 0.
        penalty: what is added to the loss in every step, None for nothing; the stop rule does not see it.
    """

    network: Network
    x: Reals | torch.Tensor
    y: Reals | torch.Tensor
    step_size: float
    max_steps: int
    stop_loss: float = 1e-12
    batch_size: int | None = None
    seed: int = 0
    penalty: Penalty | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """What came of training a network.

    Attributes:
        network: the network at the end, with finite weights, of the kind that was given; see `weights` and `module`.
        loss: the loss on all points there, without the penalty; may be inf if the run diverged.
        steps: how many steps led there.
        outcome: why the run ended.
        losses: the loss on all points after 0, r, 2 r, ... steps with r = `record_every`, [m]; empty if r is 0.
        seconds: wall time; that of all networks together where they are stepped together.
    """

    network: Network
    loss: float
    steps: int
    outcome: Outcome
    losses: Array
    seconds: float

    @property
    def weights(self) -> Weights:
        """The weights at the end, of a network on one input."""
        return self.network if isinstance(self.network, Weights) else self.network.weights()

    @property
    def module(self) -> TwoLayerReLU:
        """The network at the end as a module."""
        return self.network if isinstance(self.network, TwoLayerReLU) else TwoLayerReLU.from_weights(self.network)


def stop_rule(max_steps: int, stop_loss: float, patience: int | None, dwell: int) -> StopRule:
    """Return the rule by which a run ends (see `numerics.training.train`), after checking its numbers.

    Raises:
        TypeError: if a number of steps is no integer, or the loss no real number.
        ValueError: if one is out of its range.
    """
    if stop_loss != 0:
        positive("stop_loss", stop_loss)
    most = count("max_steps", max_steps)
    limit = most if patience is None else count("patience", patience)
    return StopRule(most, float(stop_loss), limit, count("dwell", dwell, fewest=0))


def checked_device(device: str) -> torch.device:
    """Return the device of this name.

    Raises:
        ValueError: if it is neither the CPU nor a CUDA device that is there.

    Example:
        >>> from numerics.training import checked_device
        >>> checked_device("cpu")
        device(type='cpu')
    """
    kind, _, index = str(device).partition(":")
    if kind not in ("cpu", "cuda") or not (index.isdecimal() or str(device) == kind):
        raise ValueError(f"device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got {device!r}")
    there = torch.cuda.device_count()
    if kind == "cuda" and int(index or 0) >= there:
        raise ValueError(f"device must be one that is there, got {device!r} with {there} CUDA devices")
    return torch.device(device)
