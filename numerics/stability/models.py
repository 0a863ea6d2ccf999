"""A user's module and data after their checks: a copy in float64, and tensors that fit it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from numerics.kinks import Kinks
from numerics.tensors import plain_tensor
from theory.checks import real_array

FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a module raises that cannot work on its input."""


def outputs_of(model: nn.Module, x: torch.Tensor, passed: Kinks | None = None) -> torch.Tensor:
    """Return the outputs of a module on x [m, ...] as [m, c], c = 1 where it returns [m], and note the kinks it goes by.

    Raises:
        TypeError: if it returns no tensor of float64.
        ValueError: if it fails on x, or returns another shape, or nan or inf.
    """
    if len(x) == 1:  # a model may squeeze the axis of a batch of one
        return outputs_of(model, torch.cat([x, x]), passed)[:1]
    try:
        # the other kernels of attention cannot be differentiated twice
        with sdpa_kernel(SDPBackend.MATH), passed or nullcontext():
            outputs = model(x)
    except FAILURES as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ValueError(
            f"model must work in float64 on x of shape {tuple(x.shape)} and dtype {x.dtype}, got {reason}"
        ) from None
    if not isinstance(outputs, torch.Tensor) or outputs.dtype != torch.float64:
        kind = f"a tensor of {outputs.dtype}" if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise TypeError(f"model must return a tensor of torch.float64 once it is in float64, got {kind}")
    if outputs.ndim == 0 or outputs.shape[0] != len(x) or outputs.numel() == 0:
        raise ValueError(
            f"model must return [n] or [n, ...], one output for each of the {len(x)} rows of x, got shape "
            f"{tuple(outputs.shape)}"
        )
    flat = outputs.reshape(len(x), -1)
    finite = torch.isfinite(flat)
    if not bool(finite.all()):
        row, column = (int(v) for v in torch.nonzero(~finite)[0])
        raise ValueError(f"model must return finite numbers, got {flat[row, column].item()} for row {row} of x")
    return flat


def copied(model: object) -> nn.Module:
    """Return a copy of a module in float64 and eval mode.

    Raises:
        TypeError: if it is no module, or has complex parameters.
        ValueError: if it cannot be copied, or a parameter is not initialised or not finite.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}")
    scripted = isinstance(model, torch.jit.ScriptModule)
    if scripted and any(p.is_floating_point() and p.dtype != torch.float64 for p in model.parameters()):
        raise ValueError(
            "model must be scripted in float64, torch.jit.script(model.double()): its code keeps its dtype"
        )
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise ValueError(f"model must have initialised parameters, got a lazy one in {name}: call it on data once")
        if parameter.is_complex():
            raise TypeError(f"model must have real parameters, got {parameter.dtype} in {name}")
        if parameter.is_meta or not bool(torch.isfinite(parameter).all()):
            kind = "one without data" if parameter.is_meta else "nan or inf"
            raise ValueError(f"model must have finite parameters, got {kind} in {name}")
    try:
        mine = copy.deepcopy(model)
    except FAILURES as error:
        raise ValueError(f"model must be one that copy.deepcopy can copy, got {str(error).splitlines()[0]}") from None
    mine.zero_grad(set_to_none=True)
    # A device of Apple's knows no float64.
    if any(p.device.type == "mps" for p in mine.parameters()):
        mine = mine.cpu()
    return mine.eval().double()


def hold_others_fixed(model: nn.Module, names: Sequence[str]) -> None:
    """Let only the parameters of these names, or of the modules of these names, require a gradient.

    Raises:
        TypeError: if the names are no sequence of texts.
        ValueError: if one is that of no parameter that requires a gradient, or there is none.
    """
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"parameters must be a sequence of names, got {names!r}")
    trained = {name: p for name, p in model.named_parameters(remove_duplicate=False) if p.requires_grad}
    kept: set[int] = set()
    for name in names:
        found = [p for key, p in trained.items() if key == name or key.startswith(f"{name}.")]
        if not found:
            known = ", ".join(list(trained)[:8]) + (", .." if len(trained) > 8 else "")
            raise ValueError(f"parameters must name some that require a gradient, of {known}; got {name!r}")
        kept |= {id(p) for p in found}
    if not kept:
        raise ValueError("parameters must name at least one, got none")
    for p in trained.values():
        p.requires_grad_(id(p) in kept)


def inputs_of(x: object) -> torch.Tensor:
    """Return inputs as a tensor [n, ...], of float64 unless it is one of integers.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is no axis or no row, or an entry is nan or inf.
    """
    points = _numbers("x", x)
    if points.ndim == 0 or points.numel() == 0:
        raise ValueError(f"x must have shape [n, ...] with n >= 1, got shape {tuple(points.shape)}")
    if points.is_floating_point():
        points = points.to(torch.float64)
        return points[:, None] if points.ndim == 1 else points
    return points


def targets_of(y: object, n: int, c: int) -> torch.Tensor:
    """Return targets as a tensor [n, c] of float64.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another, or an entry is nan or inf.
    """
    desired = _numbers("y", y).to(torch.float64)
    fits = desired.ndim >= 1 and len(desired) == n and desired.numel() == n * c and (c == 1 or desired.ndim > 1)
    if not fits:
        shapes = f"[{n}] or [{n}, 1]" if c == 1 else f"[{n}, {c}]"
        raise ValueError(
            f"y must have shape {shapes}, the outputs of model on the {n} rows of x, got shape {tuple(desired.shape)}"
        )
    return desired.reshape(n, c)


def labels_of(y: object, n: int, c: int) -> torch.Tensor:
    """Return labels as a tensor [n] of integers.

    Raises:
        TypeError: if an entry is no integer.
        ValueError: if the shape is another, a label is out of range, or the model has one output.
    """
    if c < 2:
        raise ValueError(f"model must return [n, c] with c >= 2 for cross_entropy, one output a class, got c = {c}")
    labels = _numbers("y", y, whole=True)
    if tuple(labels.shape) != (n,):
        raise ValueError(f"y must have shape [{n}], one label for each row of x, got shape {tuple(labels.shape)}")
    outside = torch.nonzero((labels < 0) | (labels >= c)).reshape(-1)
    if len(outside):
        first = int(outside[0])
        raise ValueError(
            f"y must hold labels from 0 to {c - 1}, the outputs of model less one, got {labels[first].item()} at index {first}"
        )
    return labels.to(torch.int64)


def _numbers(name: str, value: object, *, whole: bool = False) -> torch.Tensor:
    """Return real numbers as a tensor: a tensor as it is, others in float64, or as integers.

    Raises:
        TypeError: if an entry is no real number, or no integer where `whole`.
        ValueError: if an entry is nan or inf.
    """
    if isinstance(value, torch.Tensor):
        numbers = plain_tensor(name, value)
        finite = torch.isfinite(numbers).reshape(-1)
        if not bool(finite.all()):
            first = int(torch.argmin(finite.to(torch.int8)))
            raise ValueError(
                f"{name} must hold finite numbers, got {numbers.reshape(-1)[first].item()} at index {first}"
            )
    else:
        array = value if isinstance(value, np.ndarray) else np.asarray(value, dtype=object)
        if whole and array.dtype.kind not in "iu":
            strange = [v for v in array.ravel() if isinstance(v, bool) or not isinstance(v, (int, np.integer))]
            if strange:
                raise TypeError(f"{name} must hold integers, got {strange[0]!r} of type {type(strange[0]).__name__}")
        numbers = torch.from_numpy(real_array(name, array, ndim=array.ndim).astype(np.int64 if whole else np.float64))
    if whole and numbers.is_floating_point():
        raise TypeError(f"{name} must hold integers, got a tensor of {numbers.dtype}")
    return numbers
