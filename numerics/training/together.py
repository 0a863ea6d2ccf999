"""Training many networks on one input at once on a device: by the persistent kernel of triton, or by batched torch."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from numerics import kernels, persistent
from numerics.batched import Batch, advance_torch
from numerics.kernels import StopRule, Watch
from numerics.training.draws import draw
from numerics.training.jobs import Job
from numerics.training.members import OUTCOMES, Run
from theory.symbols import Sampling
from theory.two_layer import Weights

TOGETHER = 256
"""Networks that the torch backend steps at once."""


def train_on(
    device: torch.device, jobs: Sequence[Job], sampling: Sampling, *, by_kernel: bool, strict: bool
) -> list[Run]:
    """Train networks on a device by batched torch, or `by_kernel` those that the persistent kernel can train.

    Raises:
        ValueError: if `strict` and the kernel cannot train one.
    """
    fitting = [job.plan.batch == job.plan.points and not job.plan.record_every for job in jobs]
    if strict and not all(fitting):
        raise ValueError("backend 'triton' makes gradient descent on all points without recording losses: try 'auto'")
    if not by_kernel:
        fitting = [False] * len(jobs)
    kinds = {
        True: [i for i, fits in enumerate(fitting) if fits],
        False: [i for i, fits in enumerate(fitting) if not fits],
    }
    runs = dict(zip(kinds[True], _train_persistent([jobs[i] for i in kinds[True]], device), strict=True))
    runs |= dict(zip(kinds[False], _train_together([jobs[i] for i in kinds[False]], sampling, device), strict=True))
    return [runs[index] for index in range(len(jobs))]


def _train_persistent(jobs: Sequence[Job], device: torch.device) -> list[Run]:
    """Train networks by the persistent kernel, those on equally many points in one launch."""
    alike: dict[tuple[int, float, int, int], list[int]] = {}
    for index, job in enumerate(jobs):
        alike.setdefault((job.plan.points, job.plan.scale, job.rule.patience, job.rule.dwell), []).append(index)
    runs: dict[int, Run] = {}
    for (_, scale, patience, dwell), indices in alike.items():
        began, chosen = time.perf_counter(), [jobs[index] for index in indices]
        dtype, width = chosen[0].w1.dtype, max(len(job.w1) for job in chosen)
        weights = np.zeros((3, len(chosen), width), dtype)
        for row, job in enumerate(chosen):
            weights[:, row, : len(job.w1)] = job.w1, job.b1, job.w2
        columns = zip(*((j.b2, j.x, j.y, j.plan.step_size, j.rule.stop_loss) for j in chosen), strict=True)
        b2, x, y, step_size, stop_loss = (torch.tensor(np.array(c, dtype), device=device) for c in columns)
        ended = persistent.train_persistent(
            torch.tensor(weights, device=device),
            b2,
            x,
            y,
            step_size,
            scale=int(scale),
            max_steps=torch.tensor([job.rule.max_steps for job in chosen], device=device),
            stop_loss=stop_loss,
            patience=patience,
            dwell=dwell,
        )
        final, seconds = ended.weights.cpu().numpy(), time.perf_counter() - began
        numbers = zip(*(part.tolist() for part in (ended.b2, ended.loss, ended.steps, ended.code)), strict=True)
        for place, (index, (bias, loss, steps, code)) in enumerate(zip(indices, numbers, strict=True)):
            w1, b1, w2 = (row[: len(jobs[index].w1)].astype(np.float64) for row in final[:, place])
            outcome = OUTCOMES[code]
            runs[index] = Run(jobs[index].ended(Weights(w1, b1, w2, bias)), loss, steps, outcome, np.zeros(0), seconds)
    return [runs[index] for index in range(len(jobs))]


def _train_together(jobs: Sequence[Job], sampling: Sampling, device: torch.device) -> list[Run]:
    """Train networks by batched torch, those on equally many points with equal batches and rules together."""
    alike: dict[tuple[int, int, StopRule], list[int]] = {}
    for index, job in enumerate(jobs):
        alike.setdefault((job.plan.points, job.plan.batch, job.rule), []).append(index)
    runs: dict[int, Run] = {}
    for indices in alike.values():
        for first in range(0, len(indices), TOGETHER):
            chunk = indices[first : first + TOGETHER]
            runs.update(zip(chunk, _train_batch([jobs[i] for i in chunk], sampling, device), strict=True))
    return [runs[index] for index in range(len(jobs))]


def _train_batch(jobs: Sequence[Job], sampling: Sampling, device: torch.device) -> list[Run]:
    began, plan, rule, width = time.perf_counter(), jobs[0].plan, jobs[0].rule, max(len(job.w1) for job in jobs)
    dtype = jobs[0].w1.dtype
    weights = np.zeros((3, len(jobs), width), dtype)
    for row, job in enumerate(jobs):
        weights[:, row, : len(job.w1)] = job.w1, job.b1, job.w2
    columns = ([job.b2 for job in jobs], [job.x for job in jobs], [job.y for job in jobs])
    b2, x, y, step_sizes = (
        torch.tensor(np.array(c, dtype), device=device) for c in (*columns, [j.plan.step_size for j in jobs])
    )
    zero = torch.zeros(len(jobs), dtype=torch.int64, device=device)
    batch = Batch(torch.tensor(weights, device=device), b2, x, y, step_sizes, zero, zero, Watch(b2, b2, zero, zero))
    generators, rows = [np.random.default_rng(job.seed) for job in jobs], np.arange(len(jobs))
    recorded: list[list[float]] = [[] for _ in jobs]
    runs: dict[int, Run] = {}
    step, stride = 0, -(-64 // plan.per_epoch) * plan.per_epoch
    while len(rows):
        until = min(step + stride, rule.max_steps + 1)
        order = np.zeros((len(rows), 0), dtype=np.int64)
        if plan.batch < plan.points:
            order = np.stack([draw(generators[row], plan, sampling, stride) for row in rows])
        sampled = advance_torch(batch, order, plan, rule, step, until)
        steps, codes, losses = (each.tolist() for each in (batch.steps, batch.code, batch.loss(plan.scale)))
        if sampled:
            first = -(-step // plan.record_every)
            for place, values in enumerate(torch.stack(sampled, 1).tolist()):
                recorded[rows[place]] += values[: steps[place] // plan.record_every - first + 1]
        ended = [place for place, code in enumerate(codes) if code != kernels.RUNNING]
        for place in ended:
            row = int(rows[place])
            w1, b1, w2 = batch.weights[:, place, : len(jobs[row].w1)].cpu().numpy().copy()
            final, outcome = Weights(w1, b1, w2, float(batch.b2[place])), OUTCOMES[codes[place]]
            seconds = time.perf_counter() - began
            runs[row] = Run(
                jobs[row].ended(final), losses[place], steps[place], outcome, np.array(recorded[row]), seconds
            )
        if ended:
            going = np.delete(np.arange(len(rows)), ended)
            rows, batch = rows[going], batch.keep(torch.as_tensor(going, device=device))
        step = until
    return [runs[row] for row in range(len(jobs))]
