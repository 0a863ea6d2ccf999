"""Gradient descent on many tiny two-layer ReLU networks on a GPU, whole runs inside one kernel, one network to a warp.

A step of such a network is less work than the start of a GPU kernel. So the loop over the steps is in the kernel, written
in Triton: each program keeps one network's weights in registers until the run ends, and asks the stop rule before every
step. The steps are those of `numerics.kernels` up to rounding, and the rule is `numerics.kernels.observe`.

Triton can also interpret the kernel on the CPU, at some milliseconds a step and network: for tests. That takes the
environment variable TRITON_INTERPRET=1 before this module is imported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from numerics.kernels import BUDGET_SPENT, DIVERGED, INTERPOLATED, RUNNING, STALLED, Watch

try:
    import triton
    import triton.language as tl

    HAS_TRITON = True
except ImportError:
    HAS_TRITON = False

FEWEST_UNITS = 32
"""Units that a network is padded to at least: one for each lane of a warp."""

WARP_BYTES = 2048
"""Bytes of w1 that one warp keeps: 512 float32 units or 256 float64 units, with all else, just fit its registers."""

MOST_WARPS = 32
"""Warps that a program can have."""


def _jit(function: Callable[..., Any], **options: Any) -> Any:
    """Have Triton compile a function when it is first called, if Triton is there."""
    return triton.jit(function, **options) if HAS_TRITON else function


def _kernel(function: Callable[..., Any]) -> Any:
    """Do so for a function that is launched; compile it once, not anew for numbers that are 1 or multiples of 16."""
    return _jit(function, do_not_specialize=["width", "points", "patience", "dwell", "slice_steps"])


# Numbers in the code below take the type of the tensor beside them. Every variable that a loop or branch changes keeps its
# type: weights, losses and step sizes are of one float type, steps and codes are int64.


@_jit
def _observe(
    step: tl.tensor,
    loss: tl.tensor,
    limit: tl.tensor,
    best: tl.tensor,
    best_step: tl.tensor,
    below_since: tl.tensor,
    max_steps: tl.tensor,
    stop_loss: tl.tensor,
    patience: tl.tensor,
    dwell: tl.tensor,
    RUNNING: tl.constexpr,
    INTERPOLATED: tl.constexpr,
    STALLED: tl.constexpr,
    DIVERGED: tl.constexpr,
    BUDGET_SPENT: tl.constexpr,
) -> Any:
    """Do what `numerics.kernels.observe` does."""
    first = step == 0
    limit = tl.where(first, 1e10 * (loss + 1.0), limit)
    gained = first | (loss < 0.999 * best)
    best = tl.where(gained, loss, best)
    best_step = tl.where(gained, step, best_step)
    below = loss < stop_loss
    below_since = tl.where(below, tl.where(below_since < 0, step, below_since), -1)
    # From the weakest reason to the strongest.
    code = tl.where(step >= max_steps, BUDGET_SPENT, tl.full((), RUNNING, tl.int64))
    code = tl.where(~below & (step - best_step >= patience), STALLED, code)
    code = tl.where(below & (step - below_since >= dwell), INTERPOLATED, code)
    code = tl.where(~(loss < float("inf")) | (loss > limit), DIVERGED, code)  # nan is not below inf
    return code, limit, best, best_step, below_since


@_kernel
def _descend(
    rows: tl.tensor,
    w1s: tl.tensor,
    b1s: tl.tensor,
    w2s: tl.tensor,
    b2s: tl.tensor,
    xs: tl.tensor,
    ys: tl.tensor,
    step_sizes: tl.tensor,
    shares: tl.tensor,
    steps_allowed: tl.tensor,
    stop_losses: tl.tensor,
    losses: tl.tensor,
    steps: tl.tensor,
    codes: tl.tensor,
    limits: tl.tensor,
    bests: tl.tensor,
    best_steps: tl.tensor,
    below_sinces: tl.tensor,
    width: tl.tensor,
    points: tl.tensor,
    patience: tl.tensor,
    dwell: tl.tensor,
    slice_steps: tl.tensor,
    UNITS: tl.constexpr,
    RUNNING: tl.constexpr,
    INTERPOLATED: tl.constexpr,
    STALLED: tl.constexpr,
    DIVERGED: tl.constexpr,
    BUDGET_SPENT: tl.constexpr,
) -> None:
    """Run the network whose row this program finds in `rows` for `slice_steps` steps or to its end, in place.

    `shares` holds one number, scale / points. UNITS is `width` rounded up to a power of two: the units added have zero
    weights, are never active and keep zero weights.
    """
    row = tl.load(rows + tl.program_id(0))
    units = tl.arange(0, UNITS)
    there = units < width
    own = row * width + units
    w1 = tl.load(w1s + own, mask=there, other=0.0)
    b1 = tl.load(b1s + own, mask=there, other=0.0)
    w2 = tl.load(w2s + own, mask=there, other=0.0)
    b2 = tl.load(b2s + row)
    x = xs + row * points
    y = ys + row * points
    max_steps = tl.load(steps_allowed + row)
    stop_loss = tl.load(stop_losses + row)
    loss = tl.load(losses + row)
    step = tl.load(steps + row)
    code = tl.load(codes + row)
    limit = tl.load(limits + row)
    best = tl.load(bests + row)
    best_step = tl.load(best_steps + row)
    below_since = tl.load(below_sinces + row)

    share = tl.load(shares)
    rate = tl.load(step_sizes + row) * share  # the residuals' scale with the step size in it: one product a unit less
    zero = share * 0.0
    until = step + slice_steps
    while (code == RUNNING) & (step < until):
        s1 = tl.full((UNITS,), 0.0, w1.dtype)
        sx = tl.full((UNITS,), 0.0, w1.dtype)
        slope = zero
        squares = zero
        for j in range(0, points - 1, 2):  # two points at a time, so that their sums over the warp overlap
            x0 = tl.load(x + j)
            x1 = tl.load(x + j + 1)
            y0 = tl.load(y + j)
            y1 = tl.load(y + j + 1)
            z0 = w1 * x0 + b1
            z1 = w1 * x1 + b1
            f0 = tl.sum(w2 * tl.where(z0 <= 0.0, 0.0, z0), 0) + b2  # so that nan stays nan
            f1 = tl.sum(w2 * tl.where(z1 <= 0.0, 0.0, z1), 0) + b2
            e0 = f0 - y0
            e1 = f1 - y1
            r0 = e0 * rate
            r1 = e1 * rate
            # Not s1 + where(z > 0, r, 0): choosing between sums compiles to one conditional addition.
            s1 = tl.where(z0 > 0.0, s1 + r0, s1)
            s1 = tl.where(z1 > 0.0, s1 + r1, s1)
            sx = tl.where(z0 > 0.0, sx + r0 * x0, sx)
            sx = tl.where(z1 > 0.0, sx + r1 * x1, sx)
            slope += r0 + r1
            squares += e0 * e0 + e1 * e1
        if points % 2 == 1:
            x0 = tl.load(x + points - 1)
            y0 = tl.load(y + points - 1)
            z0 = w1 * x0 + b1
            f0 = tl.sum(w2 * tl.where(z0 <= 0.0, 0.0, z0), 0) + b2
            e0 = f0 - y0
            r0 = e0 * rate
            s1 = tl.where(z0 > 0.0, s1 + r0, s1)
            sx = tl.where(z0 > 0.0, sx + r0 * x0, sx)
            slope += r0
            squares += e0 * e0
        loss = 0.5 * share * squares
        code, limit, best, best_step, below_since = _observe(
            step,
            loss,
            limit,
            best,
            best_step,
            below_since,
            max_steps,
            stop_loss,
            patience,
            dwell,
            RUNNING,
            INTERPOLATED,
            STALLED,
            DIVERGED,
            BUDGET_SPENT,
        )
        if code == RUNNING:
            n1 = w1 - w2 * sx
            c1 = b1 - w2 * s1
            n2 = w2 - w1 * sx - b1 * s1
            c2 = b2 - slope
            # 0 if all of them are finite, else nan: one sum over the warp asks them all.
            spoiled = tl.sum(n1 * 0.0 + c1 * 0.0 + n2 * 0.0, 0) + c2 * 0.0
            code = tl.where(spoiled == 0.0, code, DIVERGED)
            if code == RUNNING:
                w1 = n1
                b1 = c1
                w2 = n2
                b2 = c2
                step += 1

    tl.store(w1s + own, w1, mask=there)
    tl.store(b1s + own, b1, mask=there)
    tl.store(w2s + own, w2, mask=there)
    tl.store(b2s + row, b2)
    tl.store(losses + row, loss)
    tl.store(steps + row, step)
    tl.store(codes + row, code)
    tl.store(limits + row, limit)
    tl.store(bests + row, best)
    tl.store(best_steps + row, best_step)
    tl.store(below_sinces + row, below_since)


INTERPRETED = HAS_TRITON and not isinstance(_descend, triton.runtime.JITFunction)
"""Whether Triton interprets the kernel, on the CPU, rather than compiles it."""


@dataclass(frozen=True, eq=False)
class Persistent:
    """What came of training R networks of k units: tensors on the device that they were trained on.

    Attributes:
        weights: w1, b1, w2 at the end, always finite, [3, R, k].
        b2: output biases, [R].
        loss: the losses at these weights, [R]; may be inf or nan where a run diverged.
        steps: how many steps led to the weights, [R], int64.
        code: why each run ended, one of the codes in `numerics.kernels`, [R], int64.
    """

    weights: torch.Tensor
    b2: torch.Tensor
    loss: torch.Tensor
    steps: torch.Tensor
    code: torch.Tensor


def train_persistent(
    weights: torch.Tensor,
    b2: torch.Tensor,
    x: torch.Tensor,
    y: torch.Tensor,
    step_size: torch.Tensor,
    *,
    scale: int,
    max_steps: torch.Tensor,
    stop_loss: torch.Tensor,
    patience: int,
    dwell: int,
    slice_steps: int = 100_000,
) -> Persistent:
    """Train R networks of k units, each on its own n points, by gradient descent on all of them, until each run ends.

    The stop rule is that of `numerics.training.train`. Everything is computed in the float type of `weights`, the losses
    and the rule too. Ctrl-C is answered between launches of the kernel, after `slice_steps` steps. The arguments are not
    checked, and the tensors given not changed.

    Args:
        weights: w1, b1, w2 at the start, float32 or float64, [3, R, k]. Up to 512 units in float32, or 256 in float64, a
            network is one warp's work; wider ones take more warps.
        b2: output biases at the start, [R].
        x: inputs, [R, n].
        y: targets, [R, n].
        step_size: step sizes, [R].
        scale: 1 for the loss (1/2n) sum r^2, 2 for (1/n) sum r^2.
        max_steps: the most steps of each network, [R].
        stop_loss: the loss below which each network counts as interpolating, [R].
        patience: steps without progress after which to give up.
        dwell: steps for which the loss must stay below `stop_loss`.
        slice_steps: the most steps of one launch.

    Raises:
        ValueError: if Triton is not installed, or the tensors are on the CPU and Triton does not interpret.
    """
    device, dtype = weights.device, weights.dtype
    if not HAS_TRITON:
        raise ValueError("the persistent kernel needs triton, which is not installed")
    if device.type == "cpu" and not INTERPRETED:
        raise ValueError(
            "the persistent kernel runs on a GPU, got tensors on the CPU; to have Triton interpret it there, set the "
            "environment variable TRITON_INTERPRET=1 before numerics.persistent is imported"
        )
    _, networks, width = weights.shape
    points = x.shape[1]
    final, biases = (each.detach().clone(memory_format=torch.contiguous_format) for each in (weights, b2.to(dtype)))
    x, y, step_size, stop_loss = (each.detach().to(dtype).contiguous() for each in (x, y, step_size, stop_loss))
    max_steps = max_steps.to(torch.int64).contiguous()
    share = torch.full((1,), scale / points, dtype=dtype, device=device)
    steps = torch.zeros(networks, dtype=torch.int64, device=device)
    code = torch.full_like(steps, RUNNING)
    loss = torch.zeros_like(biases)
    watch = Watch(loss.clone(), loss.clone(), steps.clone(), torch.full_like(steps, -1))
    units = max(FEWEST_UNITS, triton.next_power_of_2(width))
    warps = min(max(1, units * dtype.itemsize // WARP_BYTES), MOST_WARPS)
    going = torch.arange(networks, device=device)
    with torch.cuda.device(device) if device.type == "cuda" else contextlib.nullcontext():
        while len(going):
            _descend[(len(going),)](
                going,
                *final,
                biases,
                x,
                y,
                step_size,
                share,
                max_steps,
                stop_loss,
                loss,
                steps,
                code,
                *watch,
                width,
                points,
                patience,
                dwell,
                slice_steps,
                UNITS=units,
                RUNNING=RUNNING,
                INTERPOLATED=INTERPOLATED,
                STALLED=STALLED,
                DIVERGED=DIVERGED,
                BUDGET_SPENT=BUDGET_SPENT,
                num_warps=warps,
                num_stages=1,
            )
            going = going[code[going] == RUNNING]  # waits for the kernel
    return Persistent(final, biases, loss, steps, code)
