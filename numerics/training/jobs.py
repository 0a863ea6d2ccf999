"""A network on one input after its checks, as the loops take it, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from numerics.kernels import Plan, StopRule
from numerics.networks import Network, TwoLayerReLU, require_network
from numerics.tensors import plain_tensor
from numerics.training.draws import plan_of
from numerics.training.members import Member, stop_rule
from theory.checks import Array, Reals, count, data_set, real_array
from theory.symbols import Sampling
from theory.two_layer import Weights

Precision = Literal["float64", "float32"]
"""What the weights and the steps are computed in; the float32 loops are about twice as fast."""


@dataclass(frozen=True, eq=False)
class Job:
    """A `Member` on one input after its checks: floats of one precision, the numbers of its run, the rule that ends it."""

    network: Network
    w1: Array
    b1: Array
    w2: Array
    b2: float
    x: Array
    y: Array
    plan: Plan
    rule: StopRule
    seed: int

    @classmethod
    def prepare(
        cls,
        member: Member,
        sampling: Sampling,
        scale: int,
        record_every: int,
        patience: int | None,
        dwell: int,
        precision: Precision,
    ) -> Job:
        """Return the job of a member.

        Raises:
            TypeError: if a part of it is of a wrong type.
            ValueError: if one is out of its range, or the member has a penalty.
        """
        network = require_network("network", member.network)
        initial = network if isinstance(network, Weights) else network.weights()
        if member.penalty is not None:
            raise ValueError(f"penalty must be None for the loops on one input, got {member.penalty}")
        x, y = (_floats(name, values) for name, values in (("x", member.x), ("y", member.y)))
        data_set(x, y, fewest=1)
        plan = plan_of(len(x), member.batch_size, sampling, member.step_size, scale, record_every)
        rule = stop_rule(member.max_steps, member.stop_loss, patience, dwell)
        columns = (initial.w1, initial.b1, initial.w2, x, y)
        w1, b1, w2, x, y = (column.astype(np.float64).astype(precision) for column in columns)
        seed = count("seed", member.seed, fewest=0)
        return cls(network, w1, b1, w2, float(initial.b2), x, y, plan, rule, seed)

    def ended(self, weights: Weights) -> Network:
        """Return weights as a network of the kind that was given."""
        if isinstance(self.network, Weights):
            return weights
        like = self.network.hidden.weight
        return TwoLayerReLU.from_weights(weights, like.dtype).to(like.device)


def _floats(name: str, values: Reals | torch.Tensor) -> Array:
    """Return numbers [n] as float64, from [n] or [n, 1].

    Raises:
        TypeError: if one is no real number.
        ValueError: if the shape is another, or one is nan or inf.
    """
    if isinstance(values, torch.Tensor):
        values = plain_tensor(name, values).cpu().double().numpy()
    if name == "x" and isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return real_array(name, values).astype(np.float64)
