"""Any torch module as what is measured: its outputs and Jacobians at rows of points, a bounded number at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from numerics.segments import ENTRIES
from numerics.smoothness.points import require

ROWS = 1024
"""At most so many points go through a module at once."""


def checked_slope(value: object) -> float:
    """Return a derivative of the ReLU at 0.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not from 0 to 1.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"relu_slope_at_zero must be a real number, got {value!r} of type {type(value).__name__}")
    if not 0 <= value <= 1:
        raise ValueError(f"relu_slope_at_zero must be from 0 to 1, got {value}")
    return float(value)


class ReluSlope(TorchFunctionMode):
    """Within this context every ReLU that torch is asked for has the derivative `slope` at 0."""

    IN_PLACE = (torch.relu_, torch.Tensor.relu_)
    CALLS = (torch.relu, torch.Tensor.relu, functional.relu, *IN_PLACE)

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in self.CALLS:
            return func(*args, **kwargs)
        x = args[0] if args else kwargs["input"]
        y = torch.where(x < 0, torch.zeros_like(x), torch.where(x == 0, self.slope * x, x))  # x for nan
        return x.copy_(y) if func in self.IN_PLACE or kwargs.get("inplace") else y


def outputs_at(model: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Return f at the rows [n, d], [n, c].

    Raises:
        TypeError: if the model returns no tensor of floats.
        ValueError: if it returns a wrong shape, or nan or inf.
    """
    outputs = model(rows)
    if not isinstance(outputs, torch.Tensor) or not outputs.is_floating_point():
        kind = f"a tensor of {outputs.dtype}" if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise TypeError(f"model must return a tensor of floats, got {kind}")
    fits = outputs.ndim in (1, 2) and len(outputs) == len(rows) and outputs.numel() > 0
    if len(rows) == 1 and outputs.numel() == 1 and not fits:  # it squeezes the axis of a batch of one
        return outputs_at(model, torch.cat([rows, rows]))[:1]
    if not fits:
        n = len(rows)
        raise ValueError(f"model must return shape ({n},) or ({n}, c) for {n} points, got {tuple(outputs.shape)}")
    if not bool(torch.isfinite(outputs).all()):
        raise ValueError("model must return finite numbers, got nan or inf")
    return outputs.reshape(len(rows), -1)


def jacobians_at(model: nn.Module, rows: torch.Tensor, slope: float) -> torch.Tensor:
    """Return the Jacobians of f at the rows [n, d], [n, c d].

    Raises:
        ValueError: if the model cuts its outputs off from its inputs, or a derivative is not finite.
    """
    leaf = rows.requires_grad_()
    with torch.enable_grad(), ReluSlope(slope):
        outputs = outputs_at(model, leaf.clone())  # a first layer that works in place cannot on a leaf
        if not outputs.requires_grad:
            raise ValueError("model must be differentiable by autograd, got outputs that need no gradient")
        totals = outputs.sum(dim=0).unbind()
    parts = [torch.autograd.grad(total, leaf, retain_graph=True, allow_unused=True)[0] for total in totals]
    jacobians = torch.cat([torch.zeros_like(leaf) if part is None else part for part in parts], dim=1)
    if not bool(torch.isfinite(jacobians).all()):
        raise ValueError("model must have finite derivatives, got nan or inf")
    return jacobians


@contextmanager
def measuring(
    model: nn.Module, name: str, points: torch.Tensor, slope: float | None
) -> Iterator[tuple[Callable[[torch.Tensor], torch.Tensor], int]]:
    """Yield a function from rows [n, d] to f, or to its Jacobian if a slope is given, and for how many rows at once.

    What it takes and returns is in float64 on the CPU. The model is in evaluation mode meanwhile.

    Raises:
        ValueError: if it does not take such rows.
    """
    require("model", model, nn.Module)
    tensors = (t for part in (model.parameters(), model.buffers()) for t in part if t.is_floating_point())
    like = next(tensors, points)
    training = [module for module in model.modules() if module.training]

    def measured(rows: torch.Tensor) -> torch.Tensor:
        placed = rows.to(like.device, like.dtype, copy=True)
        if slope is None:
            with torch.no_grad():
                return outputs_at(model, placed).to("cpu", torch.float64)
        return jacobians_at(model, placed, slope).detach().to("cpu", torch.float64)

    try:
        model.eval()
        first = points.reshape(-1, points.shape[-1])[:1].to(like.device, like.dtype)
        try:
            with torch.no_grad():
                model(first.clone())
        except (RuntimeError, ValueError) as error:
            columns = first.shape[1]
            raise ValueError(f"{name} must hold inputs of model, which fails on {columns} columns: {error}") from error
        yield measured, max(1, min(ROWS, ENTRIES // measured(first).numel(), ENTRIES // first.numel()))
    finally:
        for module in training:
            module.training = True
