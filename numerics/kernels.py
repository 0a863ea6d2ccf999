"""Steps of gradient descent on tiny two-layer ReLU networks, one at a time, in two ways that agree: numba and numpy.

These and those of `numerics.batched` have hand-written gradients, in the precision of the weights: with r_j the scaled
residuals, S1 the sum of r_j and Sx the sum of r_j x_j over the points on which a unit is active, the gradients are
w2 Sx in w1, w2 S1 in b1 and w1 Sx + b1 S1 in w2. A unit whose pre-activation is exactly 0 is inactive, as in torch.
`observe` is the one statement of when a run stops.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from theory.checks import Array

try:
    import numba

    HAS_NUMBA = True
except ImportError:
    HAS_NUMBA = False

LARGEST = float(np.finfo(np.float64).max)
LARGEST_SINGLE = float(np.finfo(np.float32).max)
RUNNING, INTERPOLATED, STALLED, DIVERGED, BUDGET_SPENT = range(5)
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _jit(function: _Function, **options: Any) -> _Function:
    """Compile a function, kept on disk for the next process where numba finds a folder that it may write to."""
    try:
        return cast(_Function, numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function))
    except RuntimeError:  # "no locator available": no such folder
        return cast(_Function, numba.njit(nogil=True, error_model="numpy", **options)(function))


def _compiled(function: _Function) -> _Function:
    """Compile `function` if numba is there, as written: a search for inf and nan must not be rearranged."""
    if not HAS_NUMBA:
        return function
    return _jit(function)


def _compiled_for_speed(function: _Function) -> _Function:
    """Compile `function` if numba is there, free to rearrange sums but, unlike all of fast-math, not to forget nan."""
    if not HAS_NUMBA:
        return function
    flags = {"reassoc", "contract", "nsz", "arcp"}
    return _jit(function, fastmath=flags)


class StopRule(NamedTuple):
    """When a run ends: see `observe`."""

    max_steps: int
    stop_loss: float
    patience: int
    dwell: int


class Watch(NamedTuple):
    """What the stop rule remembers of a run: numbers, or tensors [R] for R runs at once.

    Attributes:
        limit: the loss above which the run has diverged.
        best: the lowest loss so far, moved only by a gain of 0.1 %.
        best_step: the step at which `best` was found.
        below_since: the step since which the loss has been below the stop loss, -1 if it is not.
    """

    limit: Any = math.inf
    best: Any = math.inf
    best_step: Any = 0
    below_since: Any = -1


class Plan(NamedTuple):
    """The numbers of one run that the loops need.

    Attributes:
        points: number n of data points.
        batch: points in a batch; n means full batch.
        per_epoch: steps in an epoch, n / batch rounded up; the stop rule is asked once an epoch.
        last_batch: points in the last batch of an epoch.
        step_size: on the loss that `scale` says.
        scale: 1 for the loss (1/2n) sum r^2, 2 for (1/n) sum r^2.
        record_every: steps between recorded losses, 0 for none.
    """

    points: int
    batch: int
    per_epoch: int
    last_batch: int
    step_size: float
    scale: float
    record_every: int


class State(NamedTuple):
    """Where a run is: its step, why it ended (or `RUNNING`), its loss, output bias, weight buffer and stop watch."""

    step: int
    code: int
    loss: float
    b2: float
    current: int
    watch: Watch


def observe(rule: StopRule, watch: Watch, step: int, loss: float) -> tuple[int, Watch]:
    """Return whether and why a run stops that has this full-batch loss after `step` steps, and the new watch.

    The first of these that applies: DIVERGED if the loss is not finite or above 1e10 (initial loss + 1); INTERPOLATED
    if it has been below `stop_loss` at every look for at least `dwell` steps; STALLED if it is not below `stop_loss`
    and has not fallen 0.1 % below the lowest one for `patience` steps; BUDGET_SPENT after `max_steps` steps.
    """
    limit, best, best_step, below_since = watch.limit, watch.best, watch.best_step, watch.below_since
    if step == 0:
        limit, best, best_step, below_since = 1e10 * (loss + 1.0), loss, 0, -1
    elif loss < 0.999 * best:
        best, best_step = loss, step
    below = loss < rule.stop_loss
    if not below:
        below_since = -1
    elif below_since < 0:
        below_since = step
    code = 0
    if not math.isfinite(loss) or loss > limit:
        code = 3
    elif below and step - below_since >= rule.dwell:
        code = 1
    elif not below and step - best_step >= rule.patience:
        code = 2
    elif step >= rule.max_steps:
        code = 4
    return code, Watch(limit, best, best_step, below_since)


_observe = _compiled(observe)


@_compiled_for_speed
def _outputs(w1: Array, b1: Array, w2: Array, b2: float, x: Array, f: Array) -> None:
    """Write f(x_j) to f [n] for x [n], n even: four points at a time, and the last two, share a pass over the units."""
    zero = x.dtype.type(0.0)  # a float64 constant among float32 numbers would make them all float64
    blocks = len(x) // 4 * 4
    for j in range(0, blocks, 4):
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        f0 = f1 = f2 = f3 = zero
        for i in range(len(w1)):
            u, v, w = w1[i], b1[i], w2[i]
            z0, z1, z2, z3 = u * x0 + v, u * x1 + v, u * x2 + v, u * x3 + v
            f0 += w * (zero if z0 <= zero else z0)  # so that nan stays nan
            f1 += w * (zero if z1 <= zero else z1)
            f2 += w * (zero if z2 <= zero else z2)
            f3 += w * (zero if z3 <= zero else z3)
        f[j], f[j + 1], f[j + 2], f[j + 3] = f0 + b2, f1 + b2, f2 + b2, f3 + b2
    for j in range(blocks, len(x), 2):
        x0, x1 = x[j], x[j + 1]
        f0 = f1 = zero
        for i in range(len(w1)):
            u, v, w = w1[i], b1[i], w2[i]
            z0, z1 = u * x0 + v, u * x1 + v
            f0 += w * (zero if z0 <= zero else z0)
            f1 += w * (zero if z1 <= zero else z1)
        f[j], f[j + 1] = f0 + b2, f1 + b2


@_compiled_for_speed
def _mean_square(w1: Array, b1: Array, w2: Array, b2: float, x: Array, y: Array, points: int, f: Array) -> float:
    """Return the mean of (f(x_j) - y_j)^2 over the first `points` points, and leave the f(x_j) in f."""
    _outputs(w1, b1, w2, b2, x, f)
    total = 0.0
    for j in range(points):
        total += (f[j] - y[j]) ** 2
    return total / points


@_compiled_for_speed
def _active_sums(w1: Array, b1: Array, x: Array, r: Array, s1: Array, sx: Array) -> None:
    """Write S1 and Sx, [k], of residuals r [n] at x [n], n even."""
    zero = x.dtype.type(0.0)
    blocks = len(x) // 4 * 4
    s1[:] = zero
    sx[:] = zero
    for j in range(0, blocks, 4):
        x0, x1, x2, x3 = x[j], x[j + 1], x[j + 2], x[j + 3]
        r0, r1, r2, r3 = r[j], r[j + 1], r[j + 2], r[j + 3]
        q0, q1, q2, q3 = r0 * x0, r1 * x1, r2 * x2, r3 * x3
        for i in range(len(w1)):
            u, v = w1[i], b1[i]
            a0, a1, a2, a3 = u * x0 + v > zero, u * x1 + v > zero, u * x2 + v > zero, u * x3 + v > zero
            s1[i] += ((r0 if a0 else zero) + (r1 if a1 else zero)) + ((r2 if a2 else zero) + (r3 if a3 else zero))
            sx[i] += ((q0 if a0 else zero) + (q1 if a1 else zero)) + ((q2 if a2 else zero) + (q3 if a3 else zero))
    for j in range(blocks, len(x), 2):
        x0, x1, r0, r1 = x[j], x[j + 1], r[j], r[j + 1]
        q0, q1 = r0 * x0, r1 * x1
        for i in range(len(w1)):
            a0, a1 = w1[i] * x0 + b1[i] > zero, w1[i] * x1 + b1[i] > zero
            s1[i] += (r0 if a0 else zero) + (r1 if a1 else zero)
            sx[i] += (q0 if a0 else zero) + (q1 if a1 else zero)


@_compiled
def _infinite(w1: Array, b1: Array, w2: Array, largest: float) -> bool:
    """Return whether a weight is infinite or nan."""
    found = False
    for i in range(len(w1)):
        found = found or not (abs(w1[i]) <= largest and abs(b1[i]) <= largest and abs(w2[i]) <= largest)
    return found


@_compiled_for_speed
def advance_numba(
    buffers: Array,
    x: Array,
    y: Array,
    order: Array,
    plan: Plan,
    rule: StopRule,
    state: State,
    until: int,
    losses: Array,
) -> tuple[State, int]:
    """Run one network from `state` on, up to step `until` or its end, in compiled code that holds no lock.

    Not to be called from the main thread of a program that may be interrupted: Ctrl-C kills the process if its
    exception is raised while numba hands over the arguments or results.

    A step that would make a weight infinite or nan is not taken: the run ends there as diverged.

    Args:
        buffers: w1, b1, w2 and a row for sums, twice, [2, 4, k]: the weights of `state.current`, and room for the next
            ones. (Rounding depends on how far apart the rows lie, so they come in one piece.)
        x: inputs, [n] padded with anything finite to an even number.
        y: targets, padded likewise.
        order: the points of the batches to come, one batch after the other; unused for full batches.
        plan: the run's numbers.
        rule: when to stop.
        state: where the run is.
        until: the step at which to return at the latest.
        losses: room for the losses recorded meanwhile.

    Returns:
        The new state and how many losses were recorded. The loss of the state is that of its weights if it has ended.
    """
    step, code, loss, bias, current, watch = state
    points, batch, per_epoch, last_batch, eta, scale, record_every = plan
    full = batch == points
    padded = len(x) if full else (batch + 1) // 2 * 2
    bx, by = (x, y) if full else (np.zeros(padded, x.dtype), np.zeros(padded, x.dtype))
    everything, f, r = np.empty(len(x), x.dtype), np.empty(padded, x.dtype), np.zeros(padded, x.dtype)
    b2, step_size = x.dtype.type(bias), x.dtype.type(eta)
    largest = x.dtype.type(LARGEST_SINGLE if x.itemsize == 4 else LARGEST)
    units = buffers.shape[2]
    s1, sx = buffers[0, 3], buffers[1, 3]
    place, recorded = 0, 0
    while step < until:
        w1, b1, w2 = buffers[current, 0], buffers[current, 1], buffers[current, 2]
        looking = full or step % per_epoch == 0 or step == rule.max_steps
        recording = record_every > 0 and step % record_every == 0
        known = looking or recording
        if known:
            loss = scale / 2 * _mean_square(w1, b1, w2, b2, x, y, points, everything)
            if recording:
                losses[recorded] = loss
                recorded += 1
            if looking:
                code, watch = _observe(rule, watch, step, loss)
                if code != 0:
                    break
        size = points
        if full:
            f[:] = everything
        else:
            size = last_batch if step % per_epoch == per_epoch - 1 else batch
            for j in range(size):
                bx[j], by[j] = x[order[place + j]], y[order[place + j]]
            place += size
            _outputs(w1, b1, w2, b2, bx, f)
        weight = x.dtype.type(scale / size)
        for j in range(size):
            r[j] = (f[j] - by[j]) * weight
        r[size:] = 0.0
        slope = x.dtype.type(0.0)
        for j in range(padded):
            slope += r[j]
        _active_sums(w1, b1, bx, r, s1, sx)
        n1, c1, n2 = buffers[1 - current, 0], buffers[1 - current, 1], buffers[1 - current, 2]
        zero = x.dtype.type(0.0)
        tainted = zero  # becomes nan if a new weight is not finite
        # One loop an output: a compiler that has to prove more pointers apart at run time gives up on vectors.
        for i in range(units):
            u = w1[i] - step_size * (w2[i] * sx[i])
            n1[i] = u
            tainted += zero * u
        for i in range(units):
            v = b1[i] - step_size * (w2[i] * s1[i])
            c1[i] = v
            tainted += zero * v
        for i in range(units):
            w = w2[i] - step_size * (w1[i] * sx[i] + b1[i] * s1[i])
            n2[i] = w
            tainted += zero * w
        c2 = b2 - step_size * slope
        if (tainted != zero and _infinite(n1, c1, n2, largest)) or not abs(c2) <= largest:
            code = 3
            if not known:
                loss = scale / 2 * _mean_square(w1, b1, w2, b2, x, y, points, everything)
            break
        b2 = c2
        current = 1 - current
        step += 1
    return State(step, code, loss, float(b2), current, watch), recorded


def advance_numpy(
    buffers: Array,
    x: Array,
    y: Array,
    order: Array,
    plan: Plan,
    rule: StopRule,
    state: State,
    until: int,
    losses: Array,
) -> tuple[State, int]:
    """Do what `advance_numba` does, about fifty times slower, without a compiler."""
    step, code, loss, b2, current, watch = state
    x, y = x[: plan.points], y[: plan.points]
    place, recorded = 0, 0

    def forward(inputs: Array) -> tuple[Array, Array]:
        w1, b1, w2 = buffers[current, :3]
        z = np.multiply.outer(inputs, w1) + b1
        return z, np.maximum(z, 0.0) @ w2 + b2

    with np.errstate(over="ignore", invalid="ignore"):
        while step < until:
            w1, b1, w2 = buffers[current, :3]
            looking = step % plan.per_epoch == 0 or step == rule.max_steps
            recording = plan.record_every > 0 and step % plan.record_every == 0
            known = looking or recording
            if known:
                loss = plan.scale / 2 * float(np.mean((forward(x)[1] - y) ** 2))
                if recording:
                    losses[recorded] = loss
                    recorded += 1
                if looking:
                    code, watch = observe(rule, watch, step, loss)
                    if code != RUNNING:
                        break
            chosen: Array | slice = slice(None)
            if plan.batch < plan.points:
                size = plan.last_batch if step % plan.per_epoch == plan.per_epoch - 1 else plan.batch
                chosen = order[place : place + size]
                place += size
            z, outputs = forward(x[chosen])
            r = (outputs - y[chosen]) * (plan.scale / len(outputs))
            active = z > 0
            s1, sx = r @ active, (r * x[chosen]) @ active
            new = np.stack(
                [
                    w1 - plan.step_size * (w2 * sx),
                    b1 - plan.step_size * (w2 * s1),
                    w2 - plan.step_size * (w1 * sx + b1 * s1),
                ]
            )
            c2 = b2 - plan.step_size * float(r.sum())
            if not (np.isfinite(new).all() and math.isfinite(c2)):
                code = DIVERGED
                if not known:
                    loss = plan.scale / 2 * float(np.mean((forward(x)[1] - y) ** 2))
                break
            buffers[1 - current, :3], b2, current, step = new, c2, 1 - current, step + 1
    return State(step, code, loss, b2, current, watch), recorded
