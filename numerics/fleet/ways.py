"""Training a fleet: many independent two-layer ReLU networks, each on its own data until its own rule says stop.

Every way agrees with a plain PyTorch loop up to rounding; they differ in what they are fast at:

- "compiled": the loops of `numerics.training`, for networks on one input.
- "gram": on few points the weights never leave the span of the data, w1 = w1(0) + X^T Lambda; a step then costs a
  product with rows of the n x n Gram matrix instead of two with the inputs.
- "explicit": hand-written gradients and updates in place, one network at a time, so that its weights stay in the cache.
- "stacked": the same for many networks at once, by batched products; for GPUs.
- "loop": automatic differentiation and `torch.optim.SGD`, what the others are held against.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, get_args

import numpy as np
import torch

from numerics import kernels
from numerics.kernels import Plan, StopRule, Watch, observe
from numerics.networks import TwoLayerReLU, count
from numerics.penalties import Penalty
from numerics.steps import Descent, Explicit, Gram, Loop, Parameters, outputs, parameters_of, step_in_place
from numerics.training import (
    OUTCOMES,
    Outcome,
    Sampling,
    Task,
    batch_stream,
    checked_device,
    epoch_stream,
    plan_of,
    stop_rule,
    train_many,
)
from theory.checks import Array, real_array
from theory.symbols import Loss, loss_scale

Way = Literal["auto", "compiled", "gram", "explicit", "stacked", "loop"]
"""How a fleet is trained: see this module's text; "auto" takes what is fastest."""

Watched = Literal["all points", "epoch mean"]
"""The loss that the stop rule is asked about, once an epoch: see `train_fleet`."""

GRAM_POINTS = 768
"""The most points for which "auto" takes the Gram form; measured in `benchmarks/`."""

SHARE = 0.8
"""The share of the free memory of a device that the networks stacked together may take."""


@dataclass(frozen=True, eq=False)
class Member:
    """One network of a fleet, and what it is trained on.

    Attributes:
        network: the network at the start; it is left as it is.
        x: inputs, [n, d], or [n] for a network on one input.
        y: targets, [n].
        step_size: step size on the loss that training is asked to use.
        max_steps: the most steps to make, at least 1.
        stop_loss: the loss below which the network counts as interpolating, at least 0.
        batch_size: points in a batch; None for gradient descent on all points.
        seed: of the batches, at least 0.
        penalty: what is added to the loss in every step, None for nothing; the stop rule does not see it.
    """

    network: TwoLayerReLU
    x: Array | torch.Tensor
    y: Array | torch.Tensor
    step_size: float
    max_steps: int
    stop_loss: float = 1e-12
    batch_size: int | None = None
    seed: int = 0
    penalty: Penalty | None = None


@dataclass(frozen=True, eq=False)
class FleetRun:
    """What came of a member of a fleet.

    Attributes:
        network: the trained network, with finite weights.
        loss: the loss on all points at the end, without the penalty.
        steps: how many steps led to `network`.
        outcome: why the run ended.
        losses: the loss on all points after 0, r, 2 r, ... steps with r = `record_every`, [m]; empty if r is 0.
        seconds: wall time; with the stacked way that of all networks stepped together.
    """

    network: TwoLayerReLU
    loss: float
    steps: int
    outcome: Outcome
    losses: Array
    seconds: float


def train_fleet(
    members: Sequence[Member],
    *,
    loss: Loss = "mean",
    sampling: Sampling = "reshuffling",
    watched: Watched = "all points",
    patience: int | None = None,
    dwell: int = 0,
    record_every: int = 0,
    way: Way = "auto",
    device: str = "cpu",
    threads: int = 1,
    together: int | None = None,
) -> list[FleetRun]:
    """Train every member until the first outcome that applies to it (see `numerics.training.train`), in its own dtype.

    Args:
        members: the networks and their data; they may differ in everything.
        loss: "mean", (1/n) sum (f - y)^2 (volhejn2020, eq 1.1), or "half_mean", half of that.
        sampling: how batches are drawn, see `numerics.training.batches`.
        watched: the loss that the stop rule looks at before the first step of each epoch: "all points", the loss there,
            or "epoch mean", the mean of the batch losses of the epoch that ended, each taken before its step, which
            costs nothing and is what Keras reports and stops on.
        patience: steps without 0.1 % of progress after which to give up; None for never.
        dwell: steps for which the loss must stay below `stop_loss`.
        record_every: steps between the losses in `FleetRun.losses`; 0 for none.
        way: how to train; the results agree up to rounding.
        device: "cpu", or a CUDA device of torch; the networks come back on the device they were given on.
        threads: networks trained at the same time, on the CPU; the results do not depend on it.
        together: networks stacked at the same time; None for as many as fit into the memory that is free.

    Raises:
        TypeError: if an argument is of the wrong type.
        ValueError: if an argument is out of its range, x or y has a wrong shape or holds nan or inf, a network is too
            big for the device, or a way cannot train a member.
    """
    for name, value, allowed in (("way", way, get_args(Way)), ("watched", watched, get_args(Watched))):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    scale, target = loss_scale(loss), checked_device(device)
    count("record_every", record_every, 0), count("threads", threads, 1)
    if together is not None:
        count("together", together, 1)
    jobs = [_Job.prepare(member, sampling, scale, watched, patience, dwell, record_every) for member in members]
    ways = [_way_of(job, way, target) for job in jobs]
    runs: dict[int, FleetRun] = {}
    compiled = [index for index, chosen in enumerate(ways) if chosen == "compiled"]
    runs.update(zip(compiled, _compiled([jobs[i] for i in compiled], loss, device, threads), strict=True))
    stacked = [index for index, chosen in enumerate(ways) if chosen == "stacked"]
    for chunk in _chunks([jobs[i] for i in stacked], target, together):
        indices = [stacked[place] for place in chunk]
        runs.update(zip(indices, _stacked([jobs[i] for i in indices], target), strict=True))
    alone = [index for index in range(len(jobs)) if ways[index] not in ("compiled", "stacked")]
    steps: dict[Way, type[Explicit | Gram | Loop]] = {"gram": Gram, "explicit": Explicit, "loop": Loop}
    calls = [partial(_alone, jobs[i], steps[ways[i]], target) for i in alone]
    runs.update(zip(alone, _in_threads(calls, threads), strict=True))
    return [runs[index] for index in range(len(jobs))]


@dataclass(frozen=True, eq=False)
class _Job:
    """A `Member` after its checks: tensors of the network's dtype, the numbers of its run and the rule that ends it."""

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
    ) -> _Job:
        if not isinstance(member.network, TwoLayerReLU):
            raise TypeError(f"network must be a TwoLayerReLU, got {type(member.network).__name__}")
        if member.penalty is not None and not isinstance(member.penalty, Penalty):
            raise TypeError(f"penalty must be a Penalty or None, got {type(member.penalty).__name__}")
        if not all(bool(torch.isfinite(p).all()) for p in member.network.parameters()):
            raise ValueError("network must have finite weights at the start, got nan or inf")
        x, y = _tensors(member.network, member.x, member.y)
        plan = plan_of(len(x), member.batch_size, sampling, member.step_size, scale, record_every)
        rule = stop_rule(member.max_steps, member.stop_loss, member.max_steps if patience is None else patience, dwell)
        return cls(member.network, x, y, plan, rule, sampling, watched, count("seed", member.seed, 0), member.penalty)

    def descent(self, device: torch.device) -> Descent:
        """Return what the steps of this run need to know, with its points on a device."""
        x, y = self.x.to(device), self.y.to(device)
        return Descent(self.network, x, y, self.plan.step_size, self.plan.scale, self.penalty)

    def loss_at(self, weights: Parameters) -> float:
        """Return the loss on all points, added up in float64."""
        w1, b1, w2, b2 = (weight.to(self.x.device) for weight in weights)
        errors = outputs(w1, b1, w2, b2, self.x).double() - self.y.double()
        return self.plan.scale / 2 * float(errors.square().mean())

    def batches(self) -> Iterator[Array]:
        """Yield for ever the batches of this run."""
        return batch_stream(np.random.default_rng(self.seed), self.plan, self.sampling)

    def epochs(self) -> Iterator[Array]:
        """Yield for ever the same batches, all those of an epoch at once, one after the other."""
        return epoch_stream(np.random.default_rng(self.seed), self.plan, self.sampling)


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
        if isinstance(values, np.ndarray) and values.dtype != np.float32:
            values = real_array(name, values, ndim=values.ndim).astype(np.float64)
        tensors.append(torch.as_tensor(values).detach().to(weight))
        if not bool(torch.isfinite(tensors[-1]).all()):
            raise ValueError(f"{name} must hold finite numbers in {weight.dtype}, got nan or inf")
    inputs, targets = tensors
    return inputs.reshape(-1, features), targets


def _way_of(job: _Job, way: Way, device: torch.device) -> Way:
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


def _in_threads(calls: Sequence[Callable[[], FleetRun]], threads: int) -> list[FleetRun]:
    """Call all, `threads` at a time, each with one thread of torch's own if there are more than one."""
    if threads == 1:
        return [call() for call in calls]
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool:
            return list(pool.map(lambda call: call(), calls))
    finally:
        torch.set_num_threads(before)


def _compiled(jobs: Sequence[_Job], loss: Loss, device: str, threads: int) -> list[FleetRun]:
    """Train networks on one input by the loops of `numerics.training`."""
    results: dict[int, FleetRun] = {}
    alike: dict[tuple[torch.dtype, Sampling, int, int, int], list[int]] = {}
    for index, job in enumerate(jobs):
        key = (job.x.dtype, job.sampling, job.rule.patience, job.rule.dwell, job.plan.record_every)
        alike.setdefault(key, []).append(index)
    for (dtype, sampling, patience, dwell, record_every), indices in alike.items():
        tasks = []
        for job in (jobs[index] for index in indices):
            x, y = job.x[:, 0].cpu().double().numpy(), job.y.cpu().double().numpy()
            plan, rule = job.plan, job.rule
            start = job.network.weights()
            tasks.append(Task(start, x, y, plan.step_size, plan.batch, job.seed, rule.max_steps, rule.stop_loss))
        runs = train_many(
            tasks,
            loss=loss,
            sampling=sampling,
            max_steps=1,
            patience=patience,
            dwell=dwell,
            record_every=record_every,
            precision="float32" if dtype == torch.float32 else "float64",
            device=device,
            threads=threads,
        )
        for index, run in zip(indices, runs, strict=True):
            network = TwoLayerReLU.from_weights(run.weights, dtype).to(jobs[index].network.hidden.weight.device)
            results[index] = FleetRun(network, run.loss, run.steps, run.outcome, run.losses, run.seconds)
    return [results[index] for index in range(len(jobs))]


def _network_of(job: _Job, weights: Parameters) -> TwoLayerReLU:
    network = deepcopy(job.network)
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), weights, strict=True):
            parameter.copy_(value.reshape(parameter.shape))
    return network


def _finite(weights: Parameters) -> bool:
    return all(bool(torch.isfinite(w).all()) for w in weights)


@torch.no_grad()
def _alone(job: _Job, way: type[Explicit | Gram | Loop], device: torch.device, *, careful: bool = False) -> FleetRun:
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
            before = _copy(steps.weights())
        errors = steps.step(None if full else torch.from_numpy(next(drawn)).to(device))
        if job.watched == "epoch mean":
            squares += errors.double().square().sum()
        if careful and not _finite(steps.weights()):
            code = kernels.DIVERGED
            break
        step += 1
    weights = steps.weights()
    if not _finite(weights):
        if not careful:
            return _alone(job, way, device, careful=True)
        weights = before
    seconds = time.perf_counter() - began
    return FleetRun(_network_of(job, weights), job.loss_at(weights), step, OUTCOMES[code], np.array(losses), seconds)


def _copy(weights: Parameters) -> Parameters:
    w1, b1, w2, b2 = (weight.clone() for weight in weights)
    return w1, b1, w2, b2


def bytes_of(job: _Job) -> int:
    """Return the memory that one stacked network takes: its weights, its data, and its temporaries in a step."""
    (n, d), h, batch = job.x.shape, job.network.hidden.out_features, job.plan.batch
    numbers = 3 * h * d + n * (d + 1) + batch * (d + 6 * h) + n * h
    if job.penalty is not None:
        numbers += 4 * job.penalty.points_per_segment * (batch // 2 + 1) * (h + d)
    return numbers * job.x.element_size()


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _chunks(jobs: Sequence[_Job], device: torch.device, together: int | None) -> list[list[int]]:
    """Return which networks are stacked together: those alike, no more at a time than fit into memory.

    Raises:
        ValueError: if not even one fits.
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    for index, job in enumerate(jobs):
        shape = (*job.x.shape, job.network.hidden.out_features, job.x.dtype)
        plan = job.plan._replace(step_size=1.0)
        alike.setdefault((*shape, plan, job.rule, job.sampling, job.watched, job.penalty), []).append(index)
    chunks = []
    for indices in alike.values():
        need, room = bytes_of(jobs[indices[0]]), int(SHARE * free_memory(device))
        most = room // need
        if most == 0:
            raise ValueError(
                f"members must fit into the memory of {device}: one network on {jobs[indices[0]].plan.points} points "
                f"needs about {need / 1e6:.0f} MB, {room / 1e6:.0f} MB may be used"
            )
        size = min(most, together or most)
        chunks += [indices[first : first + size] for first in range(0, len(indices), size)]
    return chunks


@torch.no_grad()
def _stacked(jobs: Sequence[_Job], device: torch.device) -> list[FleetRun]:
    """Train networks alike in shape, plan and rule at once, each leaving the stack when it ends."""
    began, plan, rule, job = time.perf_counter(), jobs[0].plan, jobs[0].rule, jobs[0]
    rows, full, half = list(range(len(jobs))), plan.batch == plan.points, plan.scale / 2
    columns = zip(*(parameters_of(each.network) for each in jobs), strict=True)
    w1, b1, w2, b2 = (torch.stack([weight.to(device) for weight in column]) for column in columns)
    x, y = torch.stack([each.x.to(device) for each in jobs]), torch.stack([each.y.to(device) for each in jobs])
    eta = torch.tensor([each.plan.step_size for each in jobs], dtype=x.dtype, device=device)
    drawn, watches = [each.epochs() for each in jobs], [Watch()] * len(jobs)
    order = torch.zeros(
        (len(jobs), 0), dtype=torch.int64, device=device
    )  # of the batches of the running epoch, [R, ...]
    losses: list[list[float]] = [[] for _ in jobs]
    squares = torch.zeros(len(jobs), dtype=torch.float64, device=device)
    runs: dict[int, FleetRun] = {}

    def mean_squares() -> list[float]:
        errors = outputs(w1, b1, w2, b2, x) - y
        return [half * value for value in (errors.double() ** 2).mean(-1).tolist()]

    step = 0
    while rows:
        if plan.record_every and step % plan.record_every == 0:
            for row, value in zip(rows, mean_squares(), strict=True):
                losses[row].append(value)
        if step % plan.per_epoch == 0 or step == rule.max_steps:
            running = job.watched == "epoch mean" and step > 0
            values = [half * s / plan.points for s in squares.tolist()] if running else mean_squares()
            squares.zero_()
            going = []
            for place, (row, value) in enumerate(zip(rows, values, strict=True)):
                code, watches[row] = observe(rule, watches[row], step, value)
                if code == kernels.RUNNING:
                    going.append(place)
                else:
                    ended = _copy((w1[place], b1[place], w2[place], b2[place]))
                    runs[row] = _ended(jobs[row], ended, step, code, losses[row], began)
            if len(going) < len(rows):
                rows = [rows[place] for place in going]
                if not rows:
                    break
                keep = torch.tensor(going, device=device)
                w1, b1, w2, b2, x, y, eta, squares = (t[keep] for t in (w1, b1, w2, b2, x, y, eta, squares))
        bx, by, now = x, y, step % plan.per_epoch
        if not full:
            if now == 0:
                order = torch.from_numpy(np.stack([next(drawn[row]) for row in rows])).to(device)
            chosen = order[:, now * plan.batch : (now + 1) * plan.batch]
            bx, by = x.gather(1, chosen[..., None].expand(-1, -1, x.shape[2])), y.gather(1, chosen)
        z = torch.baddbmm(b1[:, None, :], bx, w1.mT)
        errors = step_in_place(w1, b1, w2, b2, bx, by, z, eta, plan.scale, job.penalty)
        if job.watched == "epoch mean":
            squares += errors.double().square().sum(-1)
        step += 1
    return [runs[row] for row in range(len(jobs))]


def _ended(job: _Job, weights: Parameters, step: int, code: int, losses: Sequence[float], began: float) -> FleetRun:
    """Return what came of a network that leaves the stack; one that is not finite is trained again by itself."""
    if not _finite(weights):
        again = _alone(job, Explicit, weights[0].device, careful=True)
        return replace(again, seconds=time.perf_counter() - began)
    seconds = time.perf_counter() - began
    return FleetRun(_network_of(job, weights), job.loss_at(weights), step, OUTCOMES[code], np.array(losses), seconds)
