"""Training networks of a fleet that are alike at once, by batched products."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from numerics import kernels
from numerics.fleet.alone import copied, finite, train_alone
from numerics.fleet.jobs import Job
from numerics.kernels import Plan, Watch, observe
from numerics.steps import Explicit, Parameters, outputs, parameters_of, step_in_place
from numerics.training.members import Run

SHARE = 0.8
"""The share of the free memory of a device that the networks stacked together may take."""


def bytes_of(job: Job) -> int:
    """Return the memory that one stacked network takes: its weights, its data, and its temporaries in a step."""
    (n, d), h, batch = job.x.shape, job.network.hidden.out_features, job.plan.batch
    numbers = 3 * h * d + n * (d + 1) + batch * (d + 6 * h) + n * h
    if job.penalty is not None:
        numbers += 4 * job.penalty.points_per_segment * (batch // 2 + 1) * (h + d) + 4 * h * d
    return numbers * job.x.element_size()


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def chunks(jobs: Sequence[Job], device: torch.device, together: int | None) -> list[list[int]]:
    """Return which networks are stacked together: those alike, no more at a time than fit into memory.

    Raises:
        ValueError: if not even one fits.
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    for index, job in enumerate(jobs):
        shape = (*job.x.shape, job.network.hidden.out_features, job.x.dtype)
        plan = job.plan._replace(step_size=1.0)
        alike.setdefault((*shape, plan, job.rule, job.sampling, job.watched, job.penalty), []).append(index)
    cut = []
    for indices in alike.values():
        need, room = bytes_of(jobs[indices[0]]), int(SHARE * free_memory(device))
        most = room // need
        if most == 0:
            raise ValueError(
                f"members must fit into the memory of {device}: one network on {jobs[indices[0]].plan.points} points "
                f"needs about {need / 1e6:.0f} MB, {room / 1e6:.0f} MB may be used"
            )
        size = min(most, together or most)
        cut += [indices[first : first + size] for first in range(0, len(indices), size)]
    return cut


@dataclass
class Stack:
    """R networks alike in shape and plan, on a device.

    Attributes:
        weights: w1 [R, h, d], b1 [R, h], w2 [R, h], b2 [R], as `parameters_of` has them for one.
        x: inputs, [R, n, d].
        y: targets, [R, n].
        step_size: [R].
        squares: of the errors of the running epoch, added up, [R].
        order: the points of the batches of the running epoch, [R, ...]; empty under gradient descent.
    """

    weights: Parameters
    x: torch.Tensor
    y: torch.Tensor
    step_size: torch.Tensor
    squares: torch.Tensor
    order: torch.Tensor

    @classmethod
    def of(cls, jobs: Sequence[Job], device: torch.device) -> Stack:
        """Return the networks of jobs as they begin."""
        columns = zip(*(parameters_of(job.network) for job in jobs), strict=True)
        w1, b1, w2, b2 = (torch.stack([weight.to(device) for weight in column]) for column in columns)
        x, y = torch.stack([job.x.to(device) for job in jobs]), torch.stack([job.y.to(device) for job in jobs])
        step_size = torch.tensor([job.plan.step_size for job in jobs], dtype=x.dtype, device=device)
        squares = torch.zeros(len(jobs), dtype=torch.float64, device=device)
        order = torch.zeros((len(jobs), 0), dtype=torch.int64, device=device)
        return cls((w1, b1, w2, b2), x, y, step_size, squares, order)

    def keep(self, places: Sequence[int]) -> Stack:
        """Return the networks in these places; they are at the beginning of an epoch."""
        kept = torch.tensor(places, device=self.x.device)
        w1, b1, w2, b2 = (weight[kept] for weight in self.weights)
        rows = (self.x, self.y, self.step_size, self.squares, self.order)
        x, y, step_size, squares, order = (values[kept] for values in rows)
        return Stack((w1, b1, w2, b2), x, y, step_size, squares, order)

    def at(self, place: int) -> Parameters:
        """Return the weights of a network, copied."""
        w1, b1, w2, b2 = (weight[place] for weight in self.weights)
        return copied((w1, b1, w2, b2))

    def mean_squares(self) -> list[float]:
        """Return the mean of the squared errors on all points of each network."""
        means: list[float] = ((outputs(*self.weights, self.x) - self.y).double() ** 2).mean(-1).tolist()
        return means

    def batch(self, plan: Plan, now: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the points and targets of the step `now` of an epoch, [R, B, d] and [R, B]."""
        if plan.batch == plan.points:
            return self.x, self.y
        chosen = self.order[:, now * plan.batch : (now + 1) * plan.batch]
        return self.x.gather(1, chosen[..., None].expand(-1, -1, self.x.shape[2])), self.y.gather(1, chosen)


@torch.no_grad()
def train_stacked(jobs: Sequence[Job], device: torch.device) -> list[Run]:
    """Train networks alike in shape, plan and rule at once, each leaving the stack when it ends."""
    began, plan, rule, job = time.perf_counter(), jobs[0].plan, jobs[0].rule, jobs[0]
    stack, rows, half = Stack.of(jobs, device), list(range(len(jobs))), plan.scale / 2
    drawn, watches = [each.epochs() for each in jobs], [Watch()] * len(jobs)
    losses: list[list[float]] = [[] for _ in jobs]
    runs: dict[int, Run] = {}
    step = 0
    while True:
        now = step % plan.per_epoch
        if plan.record_every and step % plan.record_every == 0:
            for row, value in zip(rows, stack.mean_squares(), strict=True):
                losses[row].append(half * value)
        if now == 0 or step == rule.max_steps:
            running = job.watched == "epoch mean" and step > 0
            values = [s / plan.points for s in stack.squares.tolist()] if running else stack.mean_squares()
            stack.squares.zero_()
            going = []
            for place, (row, value) in enumerate(zip(rows, values, strict=True)):
                code, watches[row] = observe(rule, watches[row], step, half * value)
                if code == kernels.RUNNING:
                    going.append(place)
                else:
                    runs[row] = _ended(jobs[row], stack.at(place), step, code, losses[row], began)
            if not going:
                return [runs[row] for row in range(len(jobs))]
            if len(going) < len(rows):
                rows, stack = [rows[place] for place in going], stack.keep(going)
        if now == 0 and plan.batch < plan.points:
            stack.order = torch.from_numpy(np.stack([next(drawn[row]) for row in rows])).to(device)
        x, y = stack.batch(plan, now)
        w1, b1, w2, b2 = stack.weights
        z = torch.baddbmm(b1[:, None, :], x, w1.mT)
        errors = step_in_place(w1, b1, w2, b2, x, y, z, stack.step_size, plan.scale, job.penalty)
        if job.watched == "epoch mean":
            stack.squares += errors.double().square().sum(-1)
        step += 1


def _ended(job: Job, weights: Parameters, step: int, code: int, losses: Sequence[float], began: float) -> Run:
    """Return what came of a network that leaves the stack; one that is not finite is trained again by itself."""
    if not finite(weights):
        again = train_alone(job, Explicit, weights[0].device, careful=True)
        return replace(again, seconds=time.perf_counter() - began)
    return job.ended(weights, step, code, losses, began)
