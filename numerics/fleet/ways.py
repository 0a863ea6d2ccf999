"""A fleet, each of its members trained in the way that is fastest for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import get_args

import torch

from numerics.fleet.alone import train_alone
from numerics.fleet.jobs import Job, Watched, Way, way_of
from numerics.fleet.stacked import chunks, train_stacked
from numerics.steps import Explicit, Gram, Loop
from numerics.training.compiled import train_many
from numerics.training.members import DWELL, PATIENCE, Member, Run, checked_device
from theory.checks import count
from theory.symbols import Loss, Sampling, loss_scale


def train_fleet(
    members: Sequence[Member],
    *,
    loss: Loss = "half_mean",
    sampling: Sampling = "without_replacement",
    watched: Watched = "all points",
    patience: int | None = PATIENCE,
    dwell: int = DWELL,
    record_every: int = 0,
    way: Way = "auto",
    device: str = "cpu",
    threads: int | None = 1,
    together: int | None = None,
) -> list[Run]:
    """Train every member until the first outcome that applies to it (see `numerics.training.train`), in its own dtype.

    Args:
        members: the networks and their data; they may differ in everything.
        loss: "half_mean", (1/2n) sum (f - y)^2, or "mean", twice that (volhejn2020, eq 1.1).
        sampling: how batches are drawn, see `numerics.training.batches`.
        watched: the loss that the stop rule looks at before the first step of each epoch: "all points", the loss there,
            or "epoch mean", the mean of the batch losses of the epoch that ended, each taken before its step, which
            costs nothing and is what Keras reports and stops on.
        patience: steps without 0.1 % of progress after which to give up; None for never.
        dwell: steps for which the loss must stay below `stop_loss`.
        record_every: steps between the losses in `Run.losses`; 0 for none.
        way: how to train; the results agree up to rounding.
        device: "cpu", or a CUDA device of torch; the networks come back on the device they were given on.
        threads: networks trained at the same time, on the CPU; None for one a core. The results do not depend on it.
        together: networks stacked at the same time; None for as many as fit into the memory that is free.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range, x or y has a wrong shape or holds nan or inf, a network is too
            big for the device, or a way cannot train a member.

    Example:
        >>> from numerics import Member, glorot_network, train_fleet
        >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
        >>> members = [Member(glorot_network(50, 2, seed=seed), x, y, 0.1, 50_000, 1e-5) for seed in range(3)]
        >>> [str(run.outcome) for run in train_fleet(members)]
        ['interpolated', 'interpolated', 'interpolated']
    """
    for name, value, allowed in (("way", way, get_args(Way)), ("watched", watched, get_args(Watched))):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    scale, target = loss_scale(loss), checked_device(device)
    count("record_every", record_every, fewest=0)
    workers = (os.cpu_count() or 1) if threads is None else count("threads", threads)
    if together is not None:
        count("together", together)
    jobs = [Job.prepare(member, sampling, scale, watched, patience, dwell, record_every) for member in members]
    ways = [way_of(job, way, target) for job in jobs]
    runs: dict[int, Run] = {}
    compiled = [index for index, chosen in enumerate(ways) if chosen == "compiled"]
    given = [(members[i], jobs[i]) for i in compiled]
    runs.update(zip(compiled, _compiled(given, loss, device, workers), strict=True))
    stacked = [index for index, chosen in enumerate(ways) if chosen == "stacked"]
    for chunk in chunks([jobs[i] for i in stacked], target, together):
        indices = [stacked[place] for place in chunk]
        runs.update(zip(indices, train_stacked([jobs[i] for i in indices], target), strict=True))
    alone = [index for index in range(len(jobs)) if ways[index] not in ("compiled", "stacked")]
    steps: dict[Way, type[Explicit | Gram | Loop]] = {"gram": Gram, "explicit": Explicit, "loop": Loop}
    calls = [partial(train_alone, jobs[i], steps[ways[i]], target) for i in alone]
    runs.update(zip(alone, _in_threads(calls, workers), strict=True))
    return [runs[index] for index in range(len(jobs))]


def _in_threads(calls: Sequence[Callable[[], Run]], threads: int) -> list[Run]:
    """Call all, `threads` at a time, each with one thread of torch's own if there are more than one."""
    if threads == 1:
        return [call() for call in calls]
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool:
            return list(pool.map(lambda call: call(), calls))
    finally:
        torch.set_num_threads(before)


def _compiled(given: Sequence[tuple[Member, Job]], loss: Loss, device: str, threads: int) -> list[Run]:
    """Train networks on one input by the loops of `numerics.training`."""
    results: dict[int, Run] = {}
    alike: dict[tuple[torch.dtype, Sampling, int, int, int], list[int]] = {}
    for index, (_, job) in enumerate(given):
        key = (job.x.dtype, job.sampling, job.rule.patience, job.rule.dwell, job.plan.record_every)
        alike.setdefault(key, []).append(index)
    for (dtype, sampling, patience, dwell, record_every), indices in alike.items():
        runs = train_many(
            [replace(member, x=job.x[:, 0], y=job.y) for member, job in (given[index] for index in indices)],
            loss=loss,
            sampling=sampling,
            patience=patience,
            dwell=dwell,
            record_every=record_every,
            precision="float32" if dtype == torch.float32 else "float64",
            device=device,
            threads=threads,
        )
        results.update(zip(indices, runs, strict=True))
    return [results[index] for index in range(len(given))]
