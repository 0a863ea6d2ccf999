"""A module and examples with a loss of their own each, after their checks, and what the losses ask of the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast, get_args

import torch
from torch import nn
from torch.nn import functional

from numerics.geometric_complexity.modules import PROBED, check_rows, checked_module, logits
from numerics.stability.models import FAILURES, inputs_of, labels_of, targets_of
from theory.symbols import ModelLoss, output_scale

Loss = ModelLoss | Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A loss by name, or as a function of the outputs and targets of a batch; that of an example is what a batch of one has."""

Cotangents = Callable[[torch.Tensor, slice], torch.Tensor]
"""Of the outputs of some examples, as the module returns them, and which examples these are: the gradient of each one's own
loss in its own outputs, of their shape."""


@dataclass(frozen=True, eq=False)
class Examples:
    """A module, and inputs with a function of the outputs each, whose gradients in the parameters are looked at.

    Attributes:
        model: the user's module.
        x: the inputs, [m, ...], on the device of its parameters, and of their dtype if they are floats.
        cotangents: the gradient of each function in the outputs.
        parameters: those that require a gradient, by name, each once.
    """

    model: nn.Module
    x: torch.Tensor
    cotangents: Cotangents
    parameters: dict[str, nn.Parameter]

    def outputs(self, part: slice) -> torch.Tensor:
        """Return what the module returns at some of the inputs, as something that autograd differentiates.

        Raises:
            ValueError: if it is cut off from the parameters.
        """
        outputs: torch.Tensor = self.model(self.x[part].clone())  # a first layer may work in place
        if not outputs.requires_grad:
            raise ValueError("model must return outputs that depend on its parameters, got outputs without a gradient")
        return outputs


def checked_loss(loss: Any) -> Loss:
    """Return a loss.

    Raises:
        ValueError: if it is neither the name of one nor a function.
    """
    if callable(loss) or (isinstance(loss, str) and loss in get_args(ModelLoss)):
        known: Loss = loss
        return known
    names = ", ".join(map(repr, get_args(ModelLoss)))
    raise ValueError(f"loss must be one of {names}, or a function of outputs and targets, got {loss!r}")


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that require a gradient, by name, each once.

    Raises:
        ValueError: if there are none.
    """
    found = {name: p for name, p in model.named_parameters() if p.requires_grad and p.numel()}
    if not found:
        raise ValueError("model must have a parameter that requires a gradient, got none")
    return found


def inputs_for(model: nn.Module, x: Any) -> torch.Tensor:
    """Return inputs [m, ...] where the parameters are, and of their dtype if they are floats.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, or an entry is not finite.
    """
    rows = inputs_of(x)
    like = next(p for p in model.parameters() if p.is_floating_point())
    return rows.to(like.device, like.dtype if rows.is_floating_point() else rows.dtype)


def per_example(model: Any, x: Any) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a module, its inputs and some of its outputs, as it returns them, where each example has outputs of its own.

    Raises:
        TypeError: if `model` is no module or returns no floats, or x holds no real numbers.
        ValueError: if batch norm or dropout is in training mode, nothing is trained, x is malformed, or the model fails on
            it, returns nan or outputs that depend on other rows.
    """
    for name, layer in model.named_modules() if isinstance(model, nn.Module) else ():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training:
            raise ValueError(
                f"model must be in eval mode, got {type(layer).__name__} {name!r} in training mode, where the loss of an "
                "example depends on its batch and has no gradient of its own: call model.eval(), or measure whole batches "
                "by coherence_from_batches"
            )
    checked = checked_module(model)
    trained(checked)
    rows = inputs_for(checked, x)
    with torch.no_grad():
        check_rows(checked, rows, logits(checked, rows[:PROBED]))
        return checked, rows, checked(rows[:PROBED].clone())


def examples(model: Any, x: Any, y: Any, loss: Any) -> Examples:
    """Return a module and examples after their checks.

    Args:
        model: gives each row of x its outputs, whatever else is in the batch.
        x: the inputs, [m, ...].
        y: the targets, [m, ...]: labels for cross-entropy, else of the shape of the outputs, or what `loss` takes.
        loss: see `Loss`.

    Raises:
        TypeError: if `model` is no module or returns no floats, or x or y holds no real numbers.
        ValueError: if the loss is unknown, batch norm or dropout is in training mode, nothing is trained, x or y is
            malformed, or the model fails on x, returns nan or outputs that depend on other rows.
    """
    known = checked_loss(loss)
    checked, rows, outputs = per_example(model, x)
    m, k = len(rows), outputs[0].numel()
    targets = targets_for(known, y, m, k, outputs)
    result = Examples(checked, rows, _of_loss(known, targets), trained(checked))
    result.cotangents(outputs, slice(0, len(outputs)))  # a loss that fails does so before any work
    return result


def targets_for(loss: Loss, y: Any, m: int, k: int, outputs: torch.Tensor) -> torch.Tensor:
    """Return the targets of m examples for k outputs each, where the outputs are and in their dtype if they are floats.

    Raises:
        TypeError: if an entry is no real number, or no integer where it is a label.
        ValueError: if there are not m, or they do not fit the outputs.
    """
    if loss == "cross_entropy":
        return labels_of(y, m, k).to(outputs.device)
    if isinstance(loss, str):
        return targets_of(y, m, k).to(outputs.device, outputs.dtype)
    targets = (
        y.detach().to(outputs.device) if isinstance(y, torch.Tensor) else torch.as_tensor(y, device=outputs.device)
    )
    if targets.ndim == 0 or len(targets) != m:
        raise ValueError(f"y must hold one target for each of the {m} rows of x, got shape {tuple(targets.shape)}")
    return targets


def _of_loss(loss: Loss, targets: torch.Tensor) -> Cotangents:
    """Return what gives the gradient of each example's loss in its outputs."""

    def named(outputs: torch.Tensor, part: slice) -> torch.Tensor:
        return loss_sum(cast("ModelLoss", loss), outputs, targets[part])

    def given(outputs: torch.Tensor, part: slice) -> torch.Tensor:
        pairs = zip(outputs.split(1), targets[part].split(1), strict=True)
        return torch.stack([loss_of(loss, row, target) for row, target in pairs]).sum()

    def cotangents(outputs: torch.Tensor, part: slice) -> torch.Tensor:
        with torch.enable_grad():
            leaf = outputs.detach().requires_grad_()
            total = named(leaf, part) if isinstance(loss, str) else given(leaf, part)
            if not total.requires_grad:
                raise ValueError("loss must depend on the outputs, got a loss without a gradient")
            [gradient] = torch.autograd.grad(total, leaf)
        if not bool(torch.isfinite(gradient).all()):
            raise ValueError("loss must have finite gradients in the outputs, got nan or inf")
        return gradient

    return cotangents


def loss_sum(loss: ModelLoss, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the sum of losses of some examples, by name."""
    flat = outputs.reshape(len(outputs), -1)
    if loss == "cross_entropy":
        return functional.cross_entropy(flat, targets, reduction="sum")
    return (flat - targets.reshape(flat.shape)).square().sum() * output_scale(loss, flat.shape[1])


def loss_of(loss: Any, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return what a function says is the loss of a batch.

    Raises:
        ValueError: if it fails, or returns more than one number.
    """
    try:
        value = loss(outputs, targets)
    except FAILURES as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ValueError(
            f"loss must work on outputs {tuple(outputs.shape)} and targets {tuple(targets.shape)}: {reason}"
        ) from None
    if not isinstance(value, torch.Tensor) or value.numel() != 1:
        shape = f"shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise ValueError(f"loss must return one number for a batch, got {shape}")
    return value.reshape(())
