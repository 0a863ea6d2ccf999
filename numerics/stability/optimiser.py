"""Sharpness as an optimiser sees it: through the preconditioner of its state, or along the gradients of its batches.

Adam at a preconditioner P that no longer moves is gradient descent with momentum on P^(-1/2) H P^(-1/2) (Cohen et al. 2022),
so its thresholds are those of B11.c: v' = b v + h w, w' = a w - eta v' goes to 0 iff -(1 - a)(1 - b) < eta h < (1 + a)(1 + b).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import nn, optim

from numerics.stability.curvature import Curvature, check_matrix, curvature_product, top_pairs
from numerics.stability.module_loss import ModuleLoss, module_loss
from numerics.stability.report_spectra import eigenvalue_at
from theory.beyond.momentum_bounds import heavy_ball_threshold, nesterov_threshold
from theory.checks import Array, count, positive
from theory.checks import batch_size as checked_batch
from theory.symbols import ModelLoss

KNOWN = "torch.optim.SGD, Adam, AdamW or RMSprop"


@dataclass(frozen=True, eq=False)
class PreconditionedSharpness:
    """The top eigenvalue of P^(-1/2) H P^(-1/2), and the one up to which the optimiser stays.

    Attributes:
        value: the eigenvalue.
        error: the norm of its residual.
        limit: full-batch steps of this optimiser, P and its step size held, leave along the eigenvector if `value` is above
            it; inf at a step size of 0.
        vector: the eigenvector in the coordinates P^(1/2) w, of length 1, [p].
        parameters: the names of those that the optimiser moves, in the order of the module: what the vector holds.
    """

    value: float
    error: float
    limit: float
    vector: Array
    parameters: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """`value` over `limit`: about 1 at the edge of stability."""
        return self.value / self.limit


def preconditioned_sharpness(
    model: nn.Module,
    x: object,
    y: object,
    optimizer: optim.Optimizer,
    loss: ModelLoss = "half_mean",
    *,
    matrix: Curvature = "hessian",
    tolerance: float = 1e-8,
) -> PreconditionedSharpness:
    """Return the sharpness that an optimiser has to do with, preconditioned by its state, beside its threshold (B11.c, B11.d).

    P is what divides the step: for Adam and AdamW (1 - b_1^t)(sqrt(v/(1 - b_2^t)) + eps) entry by entry, v its second moments
    (or their largest, for amsgrad) after t steps; for RMSprop sqrt(v) + eps; for SGD 1. Weight decay that goes into the
    gradient is part of H; decoupled, as in AdamW, it is in the limit. Step sizes of parameter groups may differ: those of
    others are taken as part of P, relative to the first group's, which the limit is for. It is about full-batch steps near a
    minimum, P held; along a training P moves, and Adam has been seen to hover around the limit (Cohen et al. 2022).

    Args:
        model: see `report`; its parameters that the optimiser does not hold are held fixed.
        x: see `report`.
        y: see `report`.
        optimizer: of the model's parameters: torch.optim.SGD, with or without momentum, Adam, AdamW or RMSprop.
        loss: see `report`.
        matrix: see `curvature`.
        tolerance: see `top_eigenvalues`.

    Raises:
        TypeError: see `report`; or if `optimizer` is another.
        ValueError: see `report`; or if `optimizer` holds no parameter of the model or one that it does not have, has taken no
            step and has therefore no P, maximises, or its groups differ in momentum or decoupled weight decay.
        RuntimeError: if the iteration does not reach `tolerance`.

    Example:
        >>> import torch
        >>> from numerics.stability import preconditioned_sharpness
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> x, y = torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.zeros(2, 1)
        >>> sgd = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> found = preconditioned_sharpness(model, x, y, sgd)
        >>> round(found.value, 4), round(found.limit, 4)
        (1.309, 38.0)
    """
    check_matrix(matrix)
    positive("tolerance", tolerance)
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}")
    seen = preconditioner(model, optimizer)
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        problem = module_loss(model, x, y, loss, only=seen.names)
    operate = seen.applied_to(curvature_product(problem, matrix))
    vector = top_pairs(operate, problem.dimension, 1, tolerance)[:, 0]
    found = eigenvalue_at(operate, vector)
    return PreconditionedSharpness(found.value, found.error, seen.limit, vector, seen.names)


@dataclass(frozen=True, eq=False)
class Preconditioner:
    """What an optimiser makes of a Hessian.

    Attributes:
        names: of the parameters that it moves.
        roots: of P, [p].
        added: the weight decay in their gradients, [p].
        limit: the eigenvalue up to which its steps stay.
    """

    names: tuple[str, ...]
    roots: Array
    added: Array
    limit: float

    def applied_to(self, product: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Return products with P^(-1/2) (H + weight decay) P^(-1/2) from products with H."""

        def operate(direction: Array) -> Array:
            v = direction / self.roots
            moved: Array = (product(v) + self.added * v) / self.roots
            return moved

        return operate


def preconditioner(model: nn.Module, optimizer: Any) -> Preconditioner:
    """Return what an optimiser makes of the Hessian of a model.

    Raises:
        TypeError: if it is none that is known.
        ValueError: if it does not go with the model, or has no P.
    """
    if not isinstance(optimizer, optim.SGD | optim.Adam | optim.AdamW | optim.RMSprop):
        raise TypeError(f"optimizer must be {KNOWN}, got {type(optimizer).__name__}")
    held = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    own = {name: p for name, p in model.named_parameters() if p.requires_grad and id(p) in held}
    strange = set(held) - {id(p) for p in model.parameters()}
    if not own or strange:
        what = "one that is none of them" if strange else "none of those that require a gradient"
        raise ValueError(f"optimizer must hold parameters of the model, got {what}")
    if any(group["maximize"] for group in optimizer.param_groups):
        raise ValueError("optimizer must minimise, got maximize=True")
    groups = [held[id(p)] for p in own.values()]
    first = groups[0]
    limits = {_limit(optimizer, group)[1] for group in groups}
    if len(limits) > 1:
        raise ValueError("optimizer must have one momentum and one decoupled weight decay for all groups, got several")
    scale = float(first["lr"])
    divisors, added = [], []
    for (name, p), group in zip(own.items(), groups, strict=True):
        step = float(group["lr"])
        if step == 0 and scale != 0:
            raise ValueError(f"optimizer must have a step size above 0 for {name!r}, or leave it out, got 0")
        ratio = scale / step if step else 1.0
        divisors.append(ratio * _divisor(optimizer, group, name, p))
        decay = 0.0 if _decoupled(optimizer, group) else float(group["weight_decay"])
        added.append(np.full(p.numel(), decay))
    return Preconditioner(
        tuple(own), np.sqrt(np.concatenate(divisors)), np.concatenate(added), _limit(optimizer, first)[0]
    )


def _decoupled(optimizer: Any, group: Mapping[str, Any]) -> bool:
    return bool(group.get("decoupled_weight_decay", isinstance(optimizer, optim.AdamW)))


def _limit(optimizer: Any, group: Mapping[str, Any]) -> tuple[float, tuple[float, ...]]:
    """Return the eigenvalue up to which a group's steps stay, and what of the group it depends on beside the step size.

    Raises:
        ValueError: if decoupled weight decay or dampening is so large that weights or velocities change sign.
    """
    step = float(group["lr"])
    if isinstance(optimizer, optim.SGD):
        b, weight = float(group["momentum"]), 1 - float(group["dampening"]) if group["momentum"] else 1.0
        if weight <= 0:
            raise ValueError(f"optimizer must have dampening below 1, got {float(group['dampening'])}")
        kept = (b, weight, float(group["nesterov"]))
        if not step:
            return math.inf, kept
        if group["nesterov"]:
            return float(nesterov_threshold(step, b)), kept
        return float(heavy_ball_threshold(step, b)) / weight, kept
    if isinstance(optimizer, optim.RMSprop):
        b = float(group["momentum"])
        return (float(heavy_ball_threshold(step, b)) if step else math.inf), (b,)
    b = float(group["betas"][0])
    left = 1 - step * float(group["weight_decay"]) if _decoupled(optimizer, group) else 1.0
    if not 0 <= left <= 1:
        raise ValueError(f"optimizer must have a step size times weight decay from 0 to 1, got {1 - left}")
    return (float(heavy_ball_threshold(step, b, left)) / (1 - b) if step else math.inf), (b, left)


def _divisor(optimizer: Any, group: Mapping[str, Any], name: str, p: nn.Parameter) -> Array:
    """Return what a parameter's steps are divided by, [size].

    Raises:
        ValueError: if the optimiser has no state of it, or one that is no P.
    """
    if isinstance(optimizer, optim.SGD):
        return np.ones(p.numel())
    state = optimizer.state.get(p, {})
    key = "square_avg" if isinstance(optimizer, optim.RMSprop) else "exp_avg_sq"
    if key not in state:
        raise ValueError(f"optimizer must have taken a step, for it to have a preconditioner, got none for {name!r}")
    if isinstance(optimizer, optim.RMSprop):
        moments = _flat(state[key])
        if group["centered"]:
            moments = np.maximum(moments - _flat(state["grad_avg"]) ** 2, 0.0)
        found = np.sqrt(moments) + float(group["eps"])
    else:
        moments = _flat(state["max_exp_avg_sq"] if group["amsgrad"] else state[key])
        taken = float(state["step"])
        first, second = (1 - float(beta) ** taken for beta in group["betas"])
        found = first * (np.sqrt(moments / second) + float(group["eps"]))
    if not np.all(np.isfinite(found) & (found > 0)):
        raise ValueError(
            f"optimizer must have second moments that are finite, and eps above 0, got others for {name!r}"
        )
    result: Array = found
    return result


def _flat(values: torch.Tensor) -> Array:
    flat: Array = values.detach().to("cpu", torch.float64).reshape(-1).numpy()
    return flat


@dataclass(frozen=True)
class BatchSharpness:
    """The mean over batches of g^T H g/|g|^2, of the gradient g and the Hessian H of a batch's own loss.

    Attributes:
        value: the mean over the batches that were taken.
        standard_error: of it; 0 if these were all that there are.
        batches: how many were taken.
        flat: how many of these were left out, as their gradient is 0.
    """

    value: float
    standard_error: float
    batches: int
    flat: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the mean over all batches lies in 95 of 100 such draws, by the normal distribution."""
        reach = 1.959963984540054 * self.standard_error
        return self.value - reach, self.value + reach


def batch_sharpness(
    model: nn.Module,
    x: object,
    y: object,
    batch_size: int,
    loss: ModelLoss = "half_mean",
    *,
    draws: int = 100,
    seed: int = 0,
) -> BatchSharpness:
    """Return the batch sharpness, which SGD has been seen to keep around 2/eta (Andreyev and Beneventano 2024).

    Args:
        model: see `report`.
        x: see `report`.
        y: see `report`.
        batch_size: B, drawn without replacement, from 1 to n.
        loss: see `report`; of a batch it is the mean over the batch.
        draws: so many batches; all of them, if there are no more. At least 2.
        seed: of the draws, at least 0.

    Raises:
        TypeError: see `report`, or if a count is no integer.
        ValueError: see `report`; or if `batch_size`, `draws` or `seed` is out of range, or all batches have gradient 0.

    Example:
        >>> import torch
        >>> from numerics.stability import batch_sharpness
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> _ = model.weight.data.fill_(1.0)
        >>> batch_sharpness(model, [[1.0], [2.0]], [0.0, 0.0], 1).value
        2.5
    """
    number, chosen = count("draws", draws, fewest=2), count("seed", seed, fewest=0)
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        problem = module_loss(model, x, y, loss)
        return batch_sharpness_of(problem, batch_size, number, chosen)


def batch_sharpness_of(problem: ModuleLoss, batch_size: int, draws: int, seed: int) -> BatchSharpness:
    """Return the batch sharpness of a loss: see `batch_sharpness`.

    Raises:
        TypeError: if `batch_size` is no integer.
        ValueError: if it is not from 1 to n, or all batches have gradient 0.
    """
    n = len(problem.x)
    size = checked_batch(batch_size, n)
    whole = math.comb(n, size) <= draws
    generator = np.random.default_rng(seed)
    parts = combinations(range(n), size) if whole else (generator.permutation(n)[:size] for _ in range(draws))
    values, taken = [], 0
    for part in parts:
        rows = torch.as_tensor(np.array(part), device=problem.x.device)
        batch = replace(problem, x=problem.x[rows], y=problem.y[rows])
        gradient = batch.gradient()
        length = float(np.linalg.norm(gradient))
        taken += 1
        if length:
            values.append(float(gradient / length @ batch.hessian_product(gradient / length)))
    if not values:
        raise ValueError("model must have a batch whose gradient is not 0 for its sharpness along it, got none")
    error = 0.0 if whole or len(values) < 2 else float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return BatchSharpness(float(np.mean(values)), error, taken, taken - len(values))
