"""Training by gradient descent and SGD on the squared loss, one network or many, until a stated rule says stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_args

import numpy as np
import torch

from numerics import kernels, persistent
from numerics.batched import Batch, advance_torch
from numerics.kernels import Plan, State, StopRule, Watch
from numerics.networks import count, require_weights
from theory.checks import Array, Reals, batch_size, data_set, positive, real_array
from theory.symbols import Loss, loss_scale
from theory.two_layer import Weights

Sampling = Literal["without_replacement", "reshuffling"]
"""How batches are drawn: see `batches`."""

Precision = Literal["float64", "float32"]
"""What the weights and the steps are computed in; the float32 loops are about twice as fast."""

Backend = Literal["auto", "numba", "numpy", "torch", "triton"]
"""What does the steps; "auto" is numba on the CPU, without it numpy for few networks and torch for many, triton on a GPU.

The persistent kernel of triton makes gradient descent on all points, without recording losses; torch does the rest."""

SLICE_WORK = 100_000_000
"""Units x points x steps done between two looks at the clock and at Ctrl-C: some hundredths of a second compiled."""

TOGETHER = 256
"""Networks that the torch backend steps at once."""

FEW = 8
"""Networks up to which stepping one after the other in numpy is about as fast as stepping them at once in torch."""


class Outcome(StrEnum):
    """Why a run ended: see `train`."""

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
class Task:
    """One network to train: from `initial`, on targets y [n] at distinct points x [n], in the order given.

    Attributes:
        initial: the weights at the start; exact ones are rounded to floats.
        x: inputs, [n].
        y: targets, [n].
        step_size: step size on the loss that training is asked to use.
        batch_size: points in a batch; None for gradient descent on all points.
        seed: of the batches, at least 0.
        max_steps: the most steps that this network makes; None for what training is asked to use.
        stop_loss: the loss below which this network counts as interpolating; None likewise.
    """

    initial: Weights
    x: Reals
    y: Reals
    step_size: float
    batch_size: int | None = None
    seed: int = 0
    max_steps: int | None = None
    stop_loss: float | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """What came of training a network.

    Attributes:
        weights: the weights at the end, always finite.
        loss: the loss on all points at `weights`; may be inf if the run diverged.
        steps: how many steps led to `weights`.
        outcome: why the run ended.
        losses: the loss on all points after 0, r, 2 r, ... steps with r = `record_every`, [m]; empty if r is 0.
        seconds: wall time; with the torch backend that of all networks stepped together.
    """

    weights: Weights
    loss: float
    steps: int
    outcome: Outcome
    losses: Array
    seconds: float


def batches(n: int, size: int, *, sampling: Sampling = "without_replacement", seed: int = 0) -> Iterator[Array]:
    """Yield for ever the batches that training with this seed sees: indices of data points, [size].

    "without_replacement" draws `size` distinct points uniformly at every step, independently of all other steps.
    "reshuffling" permutes the points afresh each epoch and takes consecutive blocks; the last may be shorter.

    Raises:
        TypeError: if `n`, `size` or `seed` is no integer.
        ValueError: if `size` is not between 1 and n, `sampling` is unknown, or `n` or `seed` is too small.
    """
    plan = plan_of(count("n", n, 1), size, sampling, 1.0, 1, 0)
    generator = np.random.default_rng(count("seed", seed, 0))
    return batch_stream(generator, plan, sampling)


def batch_stream(generator: np.random.Generator, plan: Plan, sampling: Sampling) -> Iterator[Array]:
    """Yield for ever the batches that a generator draws for a plan: see `batches`."""
    for order in epoch_stream(generator, plan, sampling):
        for first in range(0, len(order), plan.batch):
            yield order[first : first + plan.batch]


def epoch_stream(generator: np.random.Generator, plan: Plan, sampling: Sampling) -> Iterator[Array]:
    """Yield for ever the batches of an epoch that a generator draws for a plan, one after the other in one array."""
    while True:
        yield _draw(generator, plan, sampling, plan.per_epoch)


def _draw(generator: np.random.Generator, plan: Plan, sampling: Sampling, steps: int) -> Array:
    """Return the points of the next `steps` batches, whole epochs if reshuffled, one batch after the other."""
    rows = steps // plan.per_epoch if sampling == "reshuffling" else steps
    order = generator.permuted(np.tile(np.arange(plan.points), (rows, 1)), axis=1)
    return (order if sampling == "reshuffling" else order[:, : plan.batch]).ravel()


def plan_of(n: int, batch: int | None, sampling: Sampling, step_size: float, scale: float, record_every: int) -> Plan:
    """Return the numbers of a run on n points, after checking them.

    Raises:
        TypeError: if the batch size is no integer, or the step size no real number.
        ValueError: if the batch size is not between 1 and n, the step size not above 0, or the sampling unknown.
    """
    if sampling not in get_args(Sampling):
        raise ValueError(f"sampling must be one of {', '.join(map(repr, get_args(Sampling)))}, got {sampling!r}")
    size = n if batch is None else batch_size(batch, n)
    per_epoch = -(-n // size)
    last = n - size * (per_epoch - 1) if sampling == "reshuffling" else size
    return Plan(n, size, per_epoch, last, float(positive("step_size", step_size)), float(scale), record_every)


def train(
    initial: Weights,
    x: Reals,
    y: Reals,
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
    precision: Precision = "float64",
    device: str = "cpu",
    backend: Backend = "auto",
) -> Run:
    """Train a network on one input by gradient descent, or by SGD.

    The loss on all points is looked at before each step, under SGD only once an epoch (every n / batch_size steps,
    rounded up), and at the end. The run then ends with the first outcome that applies:

    - diverged: the loss is not finite or above 1e10 (initial loss + 1). It also ends so, without taking the step, when
      a step would make a weight infinite or nan.
    - interpolated: the loss fell below `stop_loss` and has stayed there for `dwell` further steps.
    - stalled: the loss is not below `stop_loss`, and for `patience` steps has not fallen 0.1 % below its lowest value.
    - budget spent: `max_steps` steps were made.

    Args:
        initial: the weights at the start; exact ones are rounded to floats.
        x: inputs, [n], distinct, in any order.
        y: targets, [n].
        step_size: step size on the loss that `loss` names, above 0.
        loss: "half_mean", (1/2n) sum (f - y)^2, or "mean", twice that.
        batch_size: points in a batch, 1 to n; None for gradient descent on all points.
        sampling: how batches are drawn, see `batches`.
        max_steps: the most steps to make, at least 1.
        stop_loss: the loss below which the network counts as interpolating, at least 0.
        patience: steps without progress after which to give up, at least 1.
        dwell: steps for which the loss must stay below `stop_loss`, at least 0.
        record_every: steps between the losses in `Run.losses`; 0 for none.
        seed: of the batches, at least 0.
        precision: of the weights and of every step.
        device: "cpu", or a CUDA device of torch such as "cuda" or "cuda:0".
        backend: what does the steps; they agree up to rounding. Only "torch" and "triton" run on a GPU.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range, x has equal points, x and y differ in length, the device is not
            there or the backend not available.
    """
    (run,) = train_many(
        [Task(initial, x, y, step_size, batch_size, seed)],
        loss=loss,
        sampling=sampling,
        max_steps=max_steps,
        stop_loss=stop_loss,
        patience=patience,
        dwell=dwell,
        record_every=record_every,
        precision=precision,
        device=device,
        backend=backend,
        threads=1,
    )
    return run


def train_many(
    tasks: Sequence[Task],
    *,
    loss: Loss = "half_mean",
    sampling: Sampling = "without_replacement",
    max_steps: int,
    stop_loss: float = 1e-12,
    patience: int = 100_000,
    dwell: int = 100,
    record_every: int = 0,
    precision: Precision = "float64",
    device: str = "cpu",
    backend: Backend = "auto",
    threads: int | None = None,
) -> list[Run]:
    """Train many independent networks, each as `train` would alone; the options mean what they mean there.

    The numba backend gives every network to one of `threads` threads (None for one a core) and the next network to the
    first that is free; its results do not depend on `threads`. Ctrl-C stops all of them within a fraction of a second.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range (see `train`).
    """
    rule = stop_rule(max_steps, stop_loss, patience, dwell)
    engine, scale = _engine(backend, device, len(tasks)), loss_scale(loss)
    if precision not in get_args(Precision):
        raise ValueError(f"precision must be one of {', '.join(map(repr, get_args(Precision)))}, got {precision!r}")
    count("record_every", record_every, 0)
    workers = (os.cpu_count() or 1) if threads is None else count("threads", threads, 1)
    jobs = [_Job.prepare(task, sampling, scale, record_every, rule, precision) for task in tasks]
    if engine in ("torch", "triton"):
        return _train_on(torch.device(device), jobs, sampling, engine, strict=backend == "triton")
    stop = threading.Event()
    if engine == "numpy":
        return [_train_alone(job, sampling, kernels.advance_numpy, stop) for job in jobs]
    # Not even one network is trained in the main thread: see `advance_numba`.
    with ThreadPoolExecutor(workers) as pool:
        try:
            futures = [pool.submit(_train_alone, job, sampling, kernels.advance_numba, stop) for job in jobs]
            return [future.result() for future in futures]
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, eq=False)
class _Job:
    """A `Task` after its checks: floats of one precision, the numbers of its run and the rule that ends it."""

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
        cls, task: Task, sampling: Sampling, scale: int, record_every: int, rule: StopRule, precision: Precision
    ) -> _Job:
        initial = require_weights("initial", task.initial)
        x, y = (real_array(name, values).astype(np.float64) for name, values in (("x", task.x), ("y", task.y)))
        data_set(x, y, fewest=1)
        plan = plan_of(len(x), task.batch_size, sampling, task.step_size, scale, record_every)
        max_steps = rule.max_steps if task.max_steps is None else task.max_steps
        stop_loss = rule.stop_loss if task.stop_loss is None else task.stop_loss
        own = stop_rule(max_steps, stop_loss, rule.patience, rule.dwell)
        columns = (initial.w1, initial.b1, initial.w2, x, y)
        w1, b1, w2, x, y = (column.astype(np.float64).astype(precision) for column in columns)
        return cls(w1, b1, w2, float(initial.b2), x, y, plan, own, count("seed", task.seed, 0))


def stop_rule(max_steps: int, stop_loss: float, patience: int, dwell: int) -> StopRule:
    """Return the rule by which a run ends (see `train`), after checking its numbers.

    Raises:
        TypeError: if a number of steps is no integer, or the loss no real number.
        ValueError: if one is out of its range.
    """
    if stop_loss != 0:
        positive("stop_loss", stop_loss)
    return StopRule(
        count("max_steps", max_steps, 1), float(stop_loss), count("patience", patience, 1), count("dwell", dwell, 0)
    )


def checked_device(device: str) -> torch.device:
    """Return the device of this name.

    Raises:
        ValueError: if it is neither the CPU nor a CUDA device that is there.
    """
    kind, _, index = str(device).partition(":")
    if kind not in ("cpu", "cuda") or not (index.isdecimal() or str(device) == kind):
        raise ValueError(f"device must be 'cpu' or a CUDA device such as 'cuda' or 'cuda:0', got {device!r}")
    there = torch.cuda.device_count()
    if kind == "cuda" and int(index or 0) >= there:
        raise ValueError(f"device must be one that is there, got {device!r} with {there} CUDA devices")
    return torch.device(device)


def _engine(backend: Backend, device: str, networks: int) -> Backend:
    """Return the backend to use on `device` for so many networks, after checking both.

    Raises:
        ValueError: if one is unknown, not there, or does not go with the other.
    """
    if backend not in get_args(Backend):
        raise ValueError(f"backend must be one of {', '.join(map(repr, get_args(Backend)))}, got {backend!r}")
    kind = checked_device(device).type
    if backend == "auto":
        on_gpu: Backend = "triton" if persistent.HAS_TRITON else "torch"
        without_numba: Backend = "torch" if networks > FEW else "numpy"
        return on_gpu if kind == "cuda" else "numba" if kernels.HAS_NUMBA else without_numba
    if backend not in ("torch", "triton") and kind == "cuda":
        raise ValueError(f"backend must be 'torch', 'triton' or 'auto' on device {device!r}, got {backend!r}")
    if backend == "triton" and not persistent.HAS_TRITON:
        raise ValueError("backend must not be 'triton' where triton is not installed")
    if backend == "triton" and kind == "cpu" and not persistent.INTERPRETED:
        raise ValueError(f"backend 'triton' needs a CUDA device, got device {device!r}")
    if backend == "numba" and not kernels.HAS_NUMBA:
        raise ValueError("backend must be 'numpy' or 'torch' where numba is not installed, got 'numba'")
    return backend


def _slice_steps(plan: Plan, width: int) -> int:
    """Return how many steps to make at once: whole epochs, about `SLICE_WORK` in all, not too many draws to keep."""
    work = 100 + max(width * plan.batch, 0 if plan.batch == plan.points else 50 * plan.points)
    return max(1, SLICE_WORK // (work * plan.per_epoch)) * plan.per_epoch


CACHE_LINE = 64


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return zeros that start on a cache line, which makes the compiled loops about a tenth faster."""
    size, line = int(np.prod(shape)), CACHE_LINE // dtype.itemsize
    raw = np.zeros(size + line, dtype)
    start = -raw.ctypes.data // dtype.itemsize % line
    return raw[start : start + size].reshape(shape)


def _train_alone(
    job: _Job, sampling: Sampling, advance: Callable[..., tuple[State, int]], stop: threading.Event
) -> Run:
    began, plan, rule, width = time.perf_counter(), job.plan, job.rule, len(job.w1)
    line = CACHE_LINE // job.w1.itemsize
    buffers = _aligned((2, 4, -(-width // line) * line), job.w1.dtype)  # added units have zero weights, and keep them
    buffers[0, :3, :width] = job.w1, job.b1, job.w2
    x, y = (np.append(values, np.zeros(len(values) % 2, values.dtype)) for values in (job.x, job.y))
    generator = np.random.default_rng(job.seed)
    state = State(0, kernels.RUNNING, 0.0, job.b2, 0, Watch())
    stride = _slice_steps(plan, width)
    recorded = []
    while state.code == kernels.RUNNING:
        if stop.is_set():
            raise CancelledError
        until = min(state.step + stride, rule.max_steps + 1)
        order = np.zeros(0, dtype=np.int64)
        if plan.batch < plan.points:
            order = _draw(generator, plan, sampling, stride)
        losses = np.empty((until - state.step) // plan.record_every + 1 if plan.record_every else 0)
        state, filled = advance(buffers, x, y, order, plan, rule, state, until, losses)
        recorded.append(losses[:filled])
    w1, b1, w2 = buffers[state.current, :3, :width].copy()
    weights = Weights(w1, b1, w2, state.b2)
    seconds = time.perf_counter() - began
    return Run(weights, state.loss, state.step, OUTCOMES[state.code], np.concatenate(recorded), seconds)


def _train_on(
    device: torch.device, jobs: Sequence[_Job], sampling: Sampling, engine: Backend, *, strict: bool
) -> list[Run]:
    """Train networks on a device: by the persistent kernel those that it can train, the others by batched torch.

    Raises:
        ValueError: if `strict` and the kernel cannot train one.
    """
    fitting = [job.plan.batch == job.plan.points and not job.plan.record_every for job in jobs]
    if strict and not all(fitting):
        raise ValueError("backend 'triton' makes gradient descent on all points without recording losses: try 'auto'")
    if engine == "torch":
        fitting = [False] * len(jobs)
    kinds = {
        True: [i for i, fits in enumerate(fitting) if fits],
        False: [i for i, fits in enumerate(fitting) if not fits],
    }
    runs = dict(zip(kinds[True], _train_persistent([jobs[i] for i in kinds[True]], device), strict=True))
    runs |= dict(zip(kinds[False], _train_together([jobs[i] for i in kinds[False]], sampling, device), strict=True))
    return [runs[index] for index in range(len(jobs))]


def _train_persistent(jobs: Sequence[_Job], device: torch.device) -> list[Run]:
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
            runs[index] = Run(Weights(w1, b1, w2, bias), loss, steps, outcome, np.zeros(0), seconds)
    return [runs[index] for index in range(len(jobs))]


def _train_together(jobs: Sequence[_Job], sampling: Sampling, device: torch.device) -> list[Run]:
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


def _train_batch(jobs: Sequence[_Job], sampling: Sampling, device: torch.device) -> list[Run]:
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
            order = np.stack([_draw(generators[row], plan, sampling, stride) for row in rows])
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
            runs[row] = Run(final, losses[place], steps[place], outcome, np.array(recorded[row]), seconds)
        if ended:
            going = np.delete(np.arange(len(rows)), ended)
            rows, batch = rows[going], batch.keep(torch.as_tensor(going, device=device))
        step = until
    return [runs[row] for row in range(len(jobs))]
