"""A member of a fleet after its checks, and the way to train it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from numerics.kernels import Plan, StopRule
from numerics.networks import Network, TwoLayerReLU, require_network
from numerics.penalties import Penalty
from numerics.steps import Descent, Parameters, outputs
from numerics.tensors import plain_tensor
from numerics.training.draws import batch_stream, epoch_stream, plan_of
from numerics.training.members import OUTCOMES, Member, Run, stop_rule
from theory.checks import Array, Reals, count, real_array, unmasked
from theory.symbols import Sampling
from theory.two_layer import Weights

Way = Literal["auto", "compiled", "gram", "explicit", "stacked", "loop"]
"""How a fleet is trained: see this module's text; "auto" takes what is fastest."""

Watched = Literal["all points", "epoch mean"]
"""The loss that the stop rule is asked about, once an epoch: see `train_fleet`."""

GRAM_POINTS = 768
"""The most points for which "auto" takes the Gram form; measured in `benchmarks/`."""


@dataclass(frozen=True, eq=False)
class Job:
    """A `Member` after its checks: tensors of the network's dtype, the numbers of its run and the rule that ends it."""

    given: Network
    network: TwoLayerReLU
    x: torch.Tensor
    y: torch.Tensor
    plan: Plan
    rule: StopRule
    sampling: Sampling
    watched: Watched
    seed: int
    penalty: Penalty | None

    @classmethod
    def prepare(
        cls,
        member: Member,
        sampling: Sampling,
        scale: int,
        watched: Watched,
        patience: int | None,
        dwell: int,
        record_every: int,
    ) -> Job:
        """Return the job of a member.

        Raises:
            TypeError: if a part of it is of a wrong type.
            ValueError: if one is out of its range.
        """
        given = require_network("network", member.network)
        network = given if isinstance(given, TwoLayerReLU) else TwoLayerReLU.from_weights(given)
        if member.penalty is not None and not isinstance(member.penalty, Penalty):
            raise TypeError(f"penalty must be a Penalty or None, got {type(member.penalty).__name__}")
        if not all(bool(torch.isfinite(p).all()) for p in network.parameters()):
            raise ValueError("network must have finite weights at the start, got nan or inf")
        x, y = _tensors(network, member.x, member.y)
        plan = plan_of(len(x), member.batch_size, sampling, member.step_size, scale, record_every)
        rule = stop_rule(member.max_steps, member.stop_loss, patience, dwell)
        seed = count("seed", member.seed, fewest=0)
        return cls(given, network, x, y, plan, rule, sampling, watched, seed, member.penalty)

    def descent(self, device: torch.device) -> Descent:
        """Return what the steps of this run need to know, with its points on a device."""
        x, y = self.x.to(device), self.y.to(device)
        return Descent(self.network, x, y, self.plan.step_size, self.plan.scale, self.penalty)

    def loss_at(self, weights: Parameters) -> float:
        """Return the loss on all points, added up in float64."""
        w1, b1, w2, b2 = (weight.to(self.x.device) for weight in weights)
        errors = outputs(w1, b1, w2, b2, self.x).double() - self.y.double()
        return self.plan.scale / 2 * float(errors.square().mean())

    def ended(self, weights: Parameters, step: int, code: int, losses: Sequence[float], began: float) -> Run:
        """Return the run that ended at these weights, which are finite, after so many steps."""
        seconds, network = time.perf_counter() - began, deepcopy(self.network)
        with torch.no_grad():
            for parameter, value in zip(network.parameters(), weights, strict=True):
                parameter.copy_(value.reshape(parameter.shape))
        end = network.weights() if isinstance(self.given, Weights) else network
        return Run(end, self.loss_at(weights), step, OUTCOMES[code], np.array(losses), seconds)

    def batches(self) -> Iterator[Array]:
        """Yield for ever the batches of this run."""
        return batch_stream(np.random.default_rng(self.seed), self.plan, self.sampling)

    def epochs(self) -> Iterator[Array]:
        """Yield for ever the same batches, all those of an epoch at once, one after the other."""
        return epoch_stream(np.random.default_rng(self.seed), self.plan, self.sampling)


def _tensors(
    network: TwoLayerReLU, x: Reals | torch.Tensor, y: Reals | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x [n, d] and y [n] as tensors like the weights of the network, after checking them.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if one has a wrong shape or holds nan or inf.
    """
    weight = network.hidden.weight
    features = weight.shape[1]
    tensors = []
    for name, values in (("x", x), ("y", y)):
        if isinstance(values, torch.Tensor):
            values = plain_tensor(name, values)
        else:
            values = unmasked(name, values)
            array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
            # numpy's float32 is taken as it is, and looked at below
            single = array.dtype == np.float32
            values = torch.from_numpy(array if single else real_array(name, array, ndim=array.ndim).astype(np.float64))
        shape = tuple(values.shape)
        if name == "x" and (not len(values) or shape[1:] != (features,)) and not (features == 1 and len(shape) == 1):
            raise ValueError(f"x must have shape (n, {features}) with n at least 1, got {shape}")
        if name == "y" and shape != (len(x),):
            raise ValueError(f"y must have shape ({len(x)},), one target for each row of x, got {shape}")
        tensors.append(values.detach().to(weight))
        if not bool(torch.isfinite(tensors[-1]).all()):
            raise ValueError(f"{name} must hold finite numbers in {weight.dtype}, got nan or inf")
    inputs, targets = tensors
    return inputs.reshape(-1, features), targets


def way_of(job: Job, way: Way, device: torch.device) -> Way:
    """Return how to train this member.

    Raises:
        ValueError: if the way asked for cannot.
    """
    one_input = job.x.shape[1] == 1
    if way == "auto":
        # The compiled loops look at the loss on all points; under gradient descent the two are the same.
        same_look = job.watched == "all points" or job.plan.batch == job.plan.points
        if one_input and job.penalty is None and same_look and len(torch.unique(job.x)) == len(job.x):
            return "compiled"
        if device.type == "cuda":
            return "stacked"
        return "gram" if job.penalty is None and len(job.x) <= min(GRAM_POINTS, job.x.shape[1]) else "explicit"
    if way == "compiled" and not one_input:
        raise ValueError(f"way 'compiled' is for networks on one input, got one on {job.x.shape[1]}")
    if way in ("compiled", "gram") and job.penalty is not None:
        raise ValueError(f"way {way!r} knows no penalty, got {job.penalty}")
    if way == "compiled" and job.watched == "epoch mean" and job.plan.batch < job.plan.points:
        raise ValueError("way 'compiled' watches 'all points' under SGD, got watched='epoch mean'")
    return way
