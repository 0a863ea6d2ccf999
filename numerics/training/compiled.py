"""Training on one input: `train` for one network, `train_many` for many, in compiled loops or by torch."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any, Literal, get_args

import numpy as np
import torch

from numerics import kernels, persistent
from numerics.kernels import Plan, State, Watch
from numerics.networks import Network
from numerics.training.draws import draw
from numerics.training.jobs import Job, Precision
from numerics.training.members import DWELL, OUTCOMES, PATIENCE, Member, Run, checked_device
from numerics.training.together import train_on
from theory.checks import Array, Reals, count
from theory.symbols import Loss, Sampling, loss_scale
from theory.two_layer import Weights

Backend = Literal["auto", "numba", "numpy", "torch", "triton"]
"""What does the steps; "auto" is numba on the CPU, without it numpy for few networks and torch for many, triton on a GPU.

The persistent kernel of triton makes gradient descent on all points, without recording losses; torch does the rest."""

SLICE_WORK = 100_000_000
"""Units x points x steps done between two looks at the clock and at Ctrl-C: some hundredths of a second compiled."""

FEW = 8
"""Networks up to which stepping one after the other in numpy is about as fast as stepping them at once in torch."""


def train(
    network: Network,
    x: Reals | torch.Tensor,
    y: Reals | torch.Tensor,
    *,
    step_size: float,
    loss: Loss = "half_mean",
    batch_size: int | None = None,
    sampling: Sampling = "without_replacement",
    max_steps: int,
    stop_loss: float = 1e-12,
    patience: int | None = PATIENCE,
    dwell: int = DWELL,
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
        network: the network at the start: weights, exact ones being rounded to floats, or a module on one input.
        x: inputs, [n], distinct, in any order.
        y: targets, [n].
        step_size: step size on the loss that `loss` names, above 0.
        loss: "half_mean", (1/2n) sum (f - y)^2, or "mean", twice that.
        batch_size: points in a batch, 1 to n; None for gradient descent on all points.
        sampling: how batches are drawn, see `batches`.
        max_steps: the most steps to make, at least 1.
        stop_loss: the loss below which the network counts as interpolating, at least 0.
        patience: steps without progress after which to give up, at least 1; None for never.
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

    Example:
        >>> from numerics import initialise, train
        >>> run = train(initialise(50, seed=0), [-1, 0, 1], [1, 0, 1], step_size=0.2, max_steps=100_000, stop_loss=1e-8)
        >>> str(run.outcome), run.loss < 1e-8
        ('interpolated', True)
    """
    (run,) = train_many(
        [Member(network, x, y, step_size, max_steps, stop_loss, batch_size, seed)],
        loss=loss,
        sampling=sampling,
        patience=patience,
        dwell=dwell,
        record_every=record_every,
        precision=precision,
        device=device,
        backend=backend,
    )
    return run


def train_many(
    members: Sequence[Member],
    *,
    loss: Loss = "half_mean",
    sampling: Sampling = "without_replacement",
    patience: int | None = PATIENCE,
    dwell: int = DWELL,
    record_every: int = 0,
    precision: Precision = "float64",
    device: str = "cpu",
    backend: Backend = "auto",
    threads: int | None = 1,
) -> list[Run]:
    """Train many independent networks on one input, each as `train` would alone; the options mean what they mean there.

    The numba backend gives every network to one of `threads` threads (None for one a core) and the next network to the
    first that is free; its results do not depend on `threads`. Ctrl-C stops all of them within a fraction of a second.

    Args:
        members: the networks, each with its data and its own numbers.
        loss: the loss that step sizes belong to.
        sampling: how batches are drawn.
        patience: steps without progress after which to give up; None for never.
        dwell: steps for which the loss must stay below `stop_loss`.
        record_every: steps between the losses in `Run.losses`; 0 for none.
        precision: of the weights and of every step.
        device: "cpu", or a CUDA device of torch.
        backend: what does the steps.
        threads: networks trained at the same time by the numba backend.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range (see `train`).

    Example:
        >>> from numerics import Member, initialise, train_many
        >>> x, y = [-1, 0, 1], [1, 0, 1]
        >>> members = [Member(initialise(50, seed=seed), x, y, 0.2, 100_000, 1e-8) for seed in range(3)]
        >>> [str(run.outcome) for run in train_many(members)]
        ['interpolated', 'interpolated', 'interpolated']
    """
    engine, scale = _engine(backend, device, len(members)), loss_scale(loss)
    if precision not in get_args(Precision):
        raise ValueError(f"precision must be one of {', '.join(map(repr, get_args(Precision)))}, got {precision!r}")
    count("record_every", record_every, fewest=0)
    workers = (os.cpu_count() or 1) if threads is None else count("threads", threads)
    jobs = [Job.prepare(member, sampling, scale, record_every, patience, dwell, precision) for member in members]
    if engine in ("torch", "triton"):
        return train_on(torch.device(device), jobs, sampling, by_kernel=engine == "triton", strict=backend == "triton")
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


def _train_alone(job: Job, sampling: Sampling, advance: Callable[..., tuple[State, int]], stop: threading.Event) -> Run:
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
            order = draw(generator, plan, sampling, stride)
        losses = np.empty((until - state.step) // plan.record_every + 1 if plan.record_every else 0)
        state, filled = advance(buffers, x, y, order, plan, rule, state, until, losses)
        recorded.append(losses[:filled])
    w1, b1, w2 = buffers[state.current, :3, :width].copy()
    weights = Weights(w1, b1, w2, state.b2)
    seconds = time.perf_counter() - began
    return Run(job.ended(weights), state.loss, state.step, OUTCOMES[state.code], np.concatenate(recorded), seconds)
