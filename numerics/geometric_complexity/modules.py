"""Any torch module as what is measured: its checks, its logits, and the inputs that lie on its kinks."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from numerics.kinks import MOVE, Kinks, only_here
from numerics.smoothness.points import require
from numerics.stability.models import FAILURES, inputs_of

PROBED = 8
"""So many rows are put through a module alone and together, to see that it treats them one by one."""

SQUASHING = ("SoftmaxBackward", "LogSoftmaxBackward", "SigmoidBackward", "LogSigmoidBackward")
"""What autograd calls the functions that make probabilities."""

RESHAPING = ("ViewBackward", "UnsafeViewBackward", "ReshapeAliasBackward", "AliasBackward", "SqueezeBackward")
"""What it calls those that keep the numbers as they are."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A module and its inputs after their checks.

    Attributes:
        model: the user's module.
        x: the inputs, [n, ...], of the dtype and on the device of its parameters.
        outputs: the number k of logits.
    """

    model: nn.Module
    x: torch.Tensor
    outputs: int

    @property
    def entries(self) -> int:
        """The number d of entries of one input."""
        return self.x[0].numel()


def subject(model: Any, x: Any, *, probabilities: bool = False) -> Subject:
    """Return a module and its inputs after their checks.

    Raises:
        TypeError: if `model` is no module, x holds no floats, or the model does not return them.
        ValueError: if x is empty or not finite; if batch norm or dropout is in training mode; or if the model fails on
            x, returns nan or inf, an output that depends on other rows, or probabilities where those are not asked for.
    """
    checked_module(model)
    rows = floats_of(x)
    tensors = (t for part in (model.parameters(), model.buffers()) for t in part if t.is_floating_point())
    like = next(tensors, rows)
    rows = rows.to(like.device, like.dtype)
    with torch.inference_mode(False), torch.enable_grad():
        first = rows[:PROBED].clone().requires_grad_()
        outputs = logits(model, first)
        made = _last_function(outputs)
        outputs = outputs.detach()
        check_rows(model, rows, outputs)
    if not probabilities and (made.startswith(SQUASHING) or _are_probabilities(outputs)):
        raise ValueError(
            "model must return logits, what comes before the last activation, got outputs that are probabilities or "
            "their logarithms"
        )
    return Subject(model, rows, outputs.shape[1])


def checked_module(model: Any, *, statistics_of_batch: bool = False) -> nn.Module:
    """Return a module whose output at a row of its input does not depend on the other rows.

    Args:
        model: any.
        statistics_of_batch: whether batch norm may take them all the same.

    Raises:
        TypeError: if it is no module.
        ValueError: if a parameter is not finite, or if batch norm or dropout is in training mode.
    """
    require("model", model, nn.Module)
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(f"model must have initialised parameters, got a lazy one in {name}: call it on data once")
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"model must have finite parameters, got nan or inf in {name}")
    for name, layer in model.named_modules():
        where = f"{type(layer).__name__} {name!r}" if name else type(layer).__name__
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and not statistics_of_batch:
            if layer.training:
                raise ValueError(
                    f"model must be in eval mode, got {where} in training mode, where an output depends on its batch"
                )
            if layer.running_mean is None:
                raise ValueError(f"model must have stored statistics, got {where}, which takes those of its batch")
        if isinstance(layer, nn.modules.dropout._DropoutNd) and layer.training and layer.p > 0:
            raise ValueError(f"model must be in eval mode, got {where} in training mode, where outputs are random")
    checked: nn.Module = model
    return checked


def floats_of(x: Any) -> torch.Tensor:
    """Return inputs as a tensor [n, ...] of float64, [n] as [n, 1].

    Raises:
        TypeError: if they are no floats.
        ValueError: if there are none, or one is not finite.
    """
    if isinstance(x, torch.Tensor):
        kind, whole = str(x.dtype), not (x.is_floating_point() or x.is_complex())
    else:
        array = np.asarray(x)
        kind, whole = str(array.dtype), array.dtype.kind in "iub" and array.size > 0
    if whole:
        raise TypeError(f"x must hold floats, for derivatives to be taken in, got {kind}")
    return inputs_of(x)


def logits(model: nn.Module, rows: torch.Tensor, passed: Kinks | None = None) -> torch.Tensor:
    """Return the outputs of a module at rows [m, ...], [m, k], and note the kinks that it went by.

    Raises:
        TypeError: if it returns no tensor of floats.
        ValueError: if it fails on the rows, or returns another shape, or nan or inf.
    """
    try:
        with passed or nullcontext():
            outputs = model(rows.clone())  # a first layer that works in place cannot on a leaf
    except FAILURES as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ValueError(f"x must hold inputs of model, which fails on shape {tuple(rows.shape)}: {reason}") from None
    if not isinstance(outputs, torch.Tensor) or not outputs.is_floating_point():
        kind = f"a tensor of {outputs.dtype}" if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise TypeError(f"model must return a tensor of floats, got {kind}")
    fits = outputs.ndim > 0 and len(outputs) == len(rows) and outputs.numel() > 0
    if len(rows) == 1 and outputs.ndim < 2 and not fits:  # it squeezes the axis of a batch of one
        return logits(model, torch.cat([rows, rows]))[:1]
    if not fits:
        n = len(rows)
        raise ValueError(f"model must return one output for each of the {n} rows of x, got {tuple(outputs.shape)}")
    if not bool(torch.isfinite(outputs).all()):
        raise ValueError(f"model must return finite numbers, got nan or inf{_where_not_finite(model, rows)}")
    return outputs.reshape(len(rows), -1)


def _where_not_finite(model: nn.Module, rows: torch.Tensor) -> str:
    """Return which module first makes nan or inf, as the end of a sentence."""
    found: list[str] = []

    def watch(name: str, layer: nn.Module) -> RemovableHandle:
        def look(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and not bool(torch.isfinite(output).all()):
                found.append(f"{type(layer).__name__} {name!r}")

        return layer.register_forward_hook(look)

    hooks = [watch(name, layer) for name, layer in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(rows.clone())
    finally:
        for hook in hooks:
            hook.remove()
    return f", first from {found[0]}" if found else ""


def check_rows(model: nn.Module, rows: torch.Tensor, outputs: torch.Tensor) -> None:
    """Compare the outputs at some rows with those at fewer of them, and at more where there is one row.

    Raises:
        ValueError: if they differ by more than rounding.
    """
    with torch.no_grad():
        if len(outputs) > 1:
            half = (len(outputs) + 1) // 2
            apart = logits(model, rows[:half]) - outputs[:half]
        else:
            other = rows[:1] / 2 if rows.is_floating_point() else rows[:1]
            apart = logits(model, torch.cat([rows[:1], other]))[:1] - outputs
    size, far = float(outputs.abs().max()), float(apart.abs().max())
    if far > torch.finfo(outputs.dtype).eps ** 0.5 * size:
        raise ValueError(
            "model must give a row of x the same output every time and whatever the other rows are, got outputs that "
            f"differ by {far:.3g}"
        )


def bytes_of_row(model: nn.Module, row: torch.Tensor) -> int:
    """Return how much autograd keeps of a pass of one row [1, ...], parameters aside, and at least row, gradient and output."""
    own = {t.untyped_storage().data_ptr() for part in (model.parameters(), model.buffers()) for t in part}
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = logits(model, row.clone().requires_grad_() if row.is_floating_point() else row)
    return max(sum(kept.values()), 1) + row.numel() * row.element_size() + outputs.numel() * outputs.element_size()


def _last_function(outputs: torch.Tensor) -> str:
    """Return what autograd calls the function that made the outputs, reshaping aside; "" for none."""
    function = outputs.grad_fn
    while function is not None and function.name().startswith(RESHAPING):
        function = function.next_functions[0][0]
    return "" if function is None else function.name()


def _are_probabilities(outputs: torch.Tensor) -> bool:
    """Return whether rows [m, k] are distributions, or logarithms of them, to rounding."""
    if outputs.shape[1] == 1:
        return False
    near = 64 * torch.finfo(outputs.dtype).eps * outputs.shape[1]
    shares = bool((outputs >= 0).all()) and bool(((outputs.sum(dim=1) - 1).abs() <= near).all())
    logarithms = bool((outputs <= 0).all()) and bool((torch.logsumexp(outputs, dim=1).abs() <= near).all())
    return shares or logarithms


def on_kinks(subject: Subject, rows: torch.Tensor, here: Kinks) -> int | None:
    """Return how many of the rows [m, ...] put a function on its kink; None where a batch axis is lost on the way.

    The rows are moved a little, both ways, see `only_here`.

    Args:
        subject: the model.
        rows: some of its inputs, [m, ...].
        here: what a pass of these rows went by.
    """
    if not any(bool(near.any()) for near in here.near):
        return 0
    noise = torch.randn(rows.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    relative = MOVE if rows.dtype == torch.float64 else 64 * torch.finfo(rows.dtype).eps
    step = relative * float(rows.abs().max() or 1.0) * noise.to(rows.device, rows.dtype)
    sides = Kinks(), Kinks()
    with torch.no_grad():
        for side, moved in zip(sides, (rows + step, rows - step), strict=True):
            logits(subject.model, moved, side)
    found = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    masks = only_here(here, *sides)
    if masks is None:
        return None
    for kinked in masks:
        if kinked.ndim and len(kinked) == len(rows):
            found |= kinked.reshape(len(rows), -1).any(dim=1)
        elif bool(kinked.any()):
            return None
    return int(found.sum())
