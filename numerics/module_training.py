"""Training of a `TwoLayerReLU` on any number of inputs, by the same rule as `numerics.training`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch

from numerics import kernels
from numerics.kernels import Watch
from numerics.networks import TwoLayerReLU, count
from numerics.training import OUTCOMES, Outcome, Sampling, batch_stream, plan_of, stop_rule
from theory.checks import Array, real_array
from theory.symbols import Loss, loss_scale


@dataclass(frozen=True, eq=False)
class ModuleRun:
    """What came of `train_module`: as `Run`, with the trained network in place of its weights."""

    network: TwoLayerReLU
    loss: float
    steps: int
    outcome: Outcome
    losses: Array
    seconds: float


def train_module(
    network: TwoLayerReLU,
    x: Array | torch.Tensor,
    y: Array | torch.Tensor,
    *,
    step_size: float,
    loss: Loss = "half_mean",
    batch_size: int | None = None,
    sampling: Sampling = "without_replacement",
    max_steps: int,
    stop_loss: float = 1e-12,
    patience: int = 100_000,
    dwell: int = 100,
    record_every: int = 0,
    seed: int = 0,
) -> ModuleRun:
    """Train a copy of a network on any number of inputs, on its own device and in its own dtype, as `train` does.

    Args:
        network: the network at the start; it is left as it is.
        x: inputs, [n, d], or [n] for a network on one input.
        y: targets, [n].
        step_size: see `train`, as all that follow.
        loss: "half_mean" or "mean".
        batch_size: points in a batch, None for all.
        sampling: how batches are drawn.
        max_steps: the most steps to make.
        stop_loss: the loss below which the network counts as interpolating.
        patience: steps without progress after which to give up.
        dwell: steps for which the loss must stay below `stop_loss`.
        record_every: steps between the losses in `ModuleRun.losses`.
        seed: of the batches.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range, or x or y has a wrong shape or holds nan or inf.
    """
    began, rule = time.perf_counter(), stop_rule(max_steps, stop_loss, patience, dwell)
    if not isinstance(network, TwoLayerReLU):
        raise TypeError(f"network must be a TwoLayerReLU, got {type(network).__name__}")
    trained = deepcopy(network)
    inputs, targets = _tensors(trained, x, y)
    record_every, scale = count("record_every", record_every, 0), loss_scale(loss)
    plan = plan_of(len(inputs), batch_size, sampling, step_size, scale, record_every)
    drawn = batch_stream(np.random.default_rng(count("seed", seed, 0)), plan, sampling)
    weights = [parameter.detach() for parameter in trained.parameters()]  # shares memory with the network
    step, watch, losses = 0, Watch(), []
    with torch.no_grad():
        while True:
            looking = step % plan.per_epoch == 0 or step == rule.max_steps
            recording = record_every > 0 and step % record_every == 0
            if looking or recording:
                value = _mean_square(weights, inputs, targets) * scale / 2
                if recording:
                    losses.append(value)
                if looking:
                    code, watch = kernels.observe(rule, watch, step, value)
                    if code != kernels.RUNNING:
                        break
            chosen = slice(None) if plan.batch == plan.points else torch.from_numpy(next(drawn))
            gradient = _gradient(weights, inputs[chosen], targets[chosen])
            new = [w - plan.step_size * scale * g for w, g in zip(weights, gradient, strict=True)]
            if not all(bool(torch.isfinite(w).all()) for w in new):
                code, value = kernels.DIVERGED, _mean_square(weights, inputs, targets) * scale / 2
                break
            for old, moved in zip(weights, new, strict=True):
                old.copy_(moved)
            step += 1
    return ModuleRun(trained, value, step, OUTCOMES[code], np.array(losses), time.perf_counter() - began)


def _tensors(
    network: TwoLayerReLU, x: Array | torch.Tensor, y: Array | torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x [n, d] and y [n] as tensors like the weights of the network, after checking them.

    Raises:
        TypeError: if one is neither an array nor a tensor.
        ValueError: if one has a wrong shape or holds nan or inf.
    """
    weight = network.hidden.weight
    features = weight.shape[1]
    tensors = []
    for name, values in (("x", x), ("y", y)):
        if not isinstance(values, (np.ndarray, torch.Tensor)):
            raise TypeError(f"{name} must be a numpy array or a torch tensor, got {type(values).__name__}")
        shape = tuple(values.shape)
        if name == "x" and (not len(values) or shape[1:] != (features,)) and not (features == 1 and len(shape) == 1):
            raise ValueError(f"x must have shape (n, {features}) with n at least 1, got {shape}")
        if name == "y" and shape != (len(x),):
            raise ValueError(f"y must have shape ({len(x)},), one target for each row of x, got {shape}")
        if isinstance(values, np.ndarray):
            values = torch.from_numpy(real_array(name, values, ndim=values.ndim).astype(np.float64))
        tensors.append(values.detach().to(weight))
        if not bool(torch.isfinite(tensors[-1]).all()):
            raise ValueError(f"{name} must hold finite numbers in {weight.dtype}, got nan or inf")
    inputs, targets = tensors
    return inputs.reshape(-1, features), targets


def _mean_square(weights: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> float:
    w1, b1, w2, b2 = weights
    return float(torch.mean((torch.relu(torch.addmm(b1, x, w1.T)) @ w2[0] + b2 - y) ** 2))


def _gradient(weights: Sequence[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradient of (1/2n) sum (f - y)^2 in W1 [k, d], b1 [k], w2 [1, k] and b2 [1]."""
    w1, b1, w2, b2 = weights
    z = torch.addmm(b1, x, w1.T)
    a = torch.relu(z)
    r = (a @ w2[0] + b2 - y) / len(y)
    back = torch.where(z > 0, r[:, None] * w2, 0.0)
    return [back.T @ x, back.sum(0), (r @ a)[None], r.sum()[None]]
