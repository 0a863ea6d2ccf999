"""Training one network of a fleet by itself."""

from __future__ import annotations

import time

import torch

from numerics import kernels
from numerics.fleet.jobs import Job
from numerics.kernels import Watch, observe
from numerics.steps import Explicit, Gram, Loop, Parameters
from numerics.training.members import Run


def finite(weights: Parameters) -> bool:
    """Return whether all weights are."""
    return all(bool(torch.isfinite(w).all()) for w in weights)


@torch.no_grad()
def train_alone(job: Job, way: type[Explicit | Gram | Loop], device: torch.device, *, careful: bool = False) -> Run:
    """Train one network, its weights updated in place.

    A step that makes a weight infinite or nan is only noticed afterwards. The run is then made once more, looking at
    every step (`careful`), to return the last finite weights.
    """
    began, plan, rule = time.perf_counter(), job.plan, job.rule
    steps, drawn, full = way(job.descent(device)), job.batches(), plan.batch == plan.points
    half, watch, step = plan.scale / 2, Watch(), 0
    losses: list[float] = []
    code, before = kernels.RUNNING, steps.weights()
    squares = torch.zeros((), dtype=torch.float64, device=device)  # of the errors of the running epoch

    def mean_square() -> float:
        return half * float((steps.errors().double() ** 2).mean())

    while True:
        looking = step % plan.per_epoch == 0 or step == rule.max_steps
        if plan.record_every and step % plan.record_every == 0:
            losses.append(mean_square())
        if looking:
            running = job.watched == "epoch mean" and step > 0
            value = half * float(squares) / plan.points if running else mean_square()
            squares.zero_()
            code, watch = observe(rule, watch, step, value)
            if code != kernels.RUNNING:
                break
        if careful:
            before = copied(steps.weights())
        errors = steps.step(None if full else torch.from_numpy(next(drawn)).to(device))
        if job.watched == "epoch mean":
            squares += errors.double().square().sum()
        if careful and not finite(steps.weights()):
            code = kernels.DIVERGED
            break
        step += 1
    weights = steps.weights()
    if not finite(weights):
        if not careful:
            return train_alone(job, way, device, careful=True)
        weights = before
    return job.ended(weights, step, code, losses, began)


def copied(weights: Parameters) -> Parameters:
    """Return a copy."""
    w1, b1, w2, b2 = (weight.clone() for weight in weights)
    return w1, b1, w2, b2
