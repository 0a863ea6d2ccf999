"""Steps of gradient descent on many tiny two-layer ReLU networks at once, by batched torch: for GPUs.

They agree with those of `numerics.kernels` up to rounding, network by network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from numerics.kernels import BUDGET_SPENT, DIVERGED, INTERPOLATED, RUNNING, STALLED, Plan, StopRule, Watch
from theory.checks import Array


def observe_all(rule: StopRule, watch: Watch, step: int, loss: torch.Tensor) -> tuple[torch.Tensor, Watch]:
    """Do what `observe` does for R runs at once: losses [R] to codes [R]."""
    limit, best, best_step, below_since = watch
    if step == 0:
        limit, best, best_step = 1e10 * (loss + 1.0), loss, torch.zeros_like(loss, dtype=torch.int64)
        below_since = torch.full_like(best_step, -1)
    else:
        gained = loss < 0.999 * best
        best, best_step = torch.where(gained, loss, best), torch.where(gained, step, best_step)
    below = loss < rule.stop_loss
    below_since = torch.where(below, torch.where(below_since < 0, step, below_since), -1)
    code = torch.full_like(best_step, BUDGET_SPENT if step >= rule.max_steps else RUNNING)
    code = torch.where(~below & (step - best_step >= rule.patience), STALLED, code)
    code = torch.where(below & (step - below_since >= rule.dwell), INTERPOLATED, code)
    code = torch.where(~torch.isfinite(loss) | (loss > limit), DIVERGED, code)
    return code, Watch(limit, best, best_step, below_since)


@dataclass
class Batch:
    """R networks of one width on n points each, as tensors of one dtype, trained step by step together.

    Attributes:
        weights: w1, b1, w2, [3, R, k].
        b2: output biases, [R].
        x: inputs, [R, n].
        y: targets, [R, n].
        step_size: [R].
        code: why each network ended, or `RUNNING`, [R].
        steps: how many steps each has made, [R].
        watch: the stop rule's memory, tensors [R].
    """

    weights: torch.Tensor
    b2: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    step_size: torch.Tensor
    code: torch.Tensor
    steps: torch.Tensor
    watch: Watch

    def keep(self, rows: torch.Tensor) -> Batch:
        """Return the networks whose indices are in `rows`."""
        rowwise = ("b2", "x", "y", "step_size", "code", "steps")
        kept = {name: getattr(self, name)[rows] for name in rowwise}
        watch = Watch(*(memory[rows] for memory in self.watch))
        return replace(self, weights=self.weights[:, rows], watch=watch, **kept)

    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """Return f(x_j), [R, n], for inputs x [R, n]: a loop over points, which beats a third axis on a CPU."""
        w1, b1, w2 = self.weights
        columns = [torch.addcmul(b1, w1, column[:, None]).clamp_(min=0.0).mul_(w2).sum(1) for column in x.T]
        return torch.stack(columns, 1) + self.b2[:, None]

    def loss(self, scale: float) -> torch.Tensor:
        """Return the full-batch losses, [R]."""
        return scale / 2 * torch.mean((self.outputs(self.x) - self.y) ** 2, 1)


def advance_torch(batch: Batch, order: Array, plan: Plan, rule: StopRule, step: int, until: int) -> list[torch.Tensor]:
    """Do what `numerics.kernels.advance_numba` does for the networks of `batch`, in place, all from `step` to `until`.

    `order` is [R, ...] with a row of points for each network; `plan.step_size` is not used. A network that has ended is
    left as it is. Returns the losses recorded, each [R]; those of a network past its own last step mean nothing.
    """
    chosen = torch.as_tensor(order, device=batch.x.device)
    place, recorded = 0, []
    full = plan.batch == plan.points
    for now in range(step, until):
        x, y = batch.x, batch.y
        looking = now % plan.per_epoch == 0 or now == rule.max_steps
        if looking or (plan.record_every > 0 and now % plan.record_every == 0):
            errors = batch.outputs(x) - y
            loss = plan.scale / 2 * torch.mean(errors**2, 1)
            if plan.record_every > 0 and now % plan.record_every == 0:
                recorded.append(loss)
            if looking:
                code, batch.watch = observe_all(rule, batch.watch, now, loss)
                batch.code = torch.where(batch.code == RUNNING, code, batch.code)
        if not full:
            size = plan.last_batch if now % plan.per_epoch == plan.per_epoch - 1 else plan.batch
            points = chosen[:, place : place + size]
            x, y = x.gather(1, points), y.gather(1, points)
            place += size
            errors = batch.outputs(x) - y
        r = errors * (plan.scale / x.shape[1])
        w1, b1, w2 = batch.weights
        s1, sx = torch.zeros_like(w1), torch.zeros_like(w1)
        for column, residual in zip(x.T, r.T, strict=True):
            active = torch.addcmul(b1, w1, column[:, None]).gt_(0.0)  # 0 or 1
            s1.addcmul_(active, residual[:, None])
            sx.addcmul_(active, (residual * column)[:, None])
        new = batch.weights - batch.step_size[:, None] * torch.stack([w2 * sx, w2 * s1, w1 * sx + b1 * s1])
        c2 = batch.b2 - batch.step_size * r.sum(1)
        finite = torch.isfinite(new).all(2).all(0) & torch.isfinite(c2)
        batch.code = torch.where((batch.code == RUNNING) & ~finite, DIVERGED, batch.code)
        moves = batch.code == RUNNING
        batch.weights = torch.where(moves[:, None], new, batch.weights)
        batch.b2 = torch.where(moves, c2, batch.b2)
        batch.steps = batch.steps + moves
    return recorded
