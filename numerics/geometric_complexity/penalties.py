"""What keeps geometric complexity low as scalars that autograd can differentiate, for a trainer's loss (dherin2022)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from numerics.geometric_complexity.norms import CONVOLUTIONS
from numerics.smoothness.points import require
from theory.checks import count as integer

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A mean loss of outputs and targets, such as `torch.nn.functional.cross_entropy`."""


def geometric_complexity_penalty(
    model: nn.Module, x: torch.Tensor, *, projections: int | None = None, stored_statistics: bool = False
) -> torch.Tensor:
    """Return the geometric complexity over a batch, (1/B) sum_x ||grad_x f(x)||_F^2 (dherin2022, section 4).

    Its gradient is taken through the k backward passes, or through those of random projections, an unbiased estimate
    drawn anew at each call from torch's generator (Hoffman et al. 2019). Activation patterns are locally constant.

    Args:
        model: gives each row of x its logits, [B, ...] to [B], [B, k] or [B, ...].
        x: the batch, [B, ...], floats.
        projections: how many random projections to take, at least 1; None for all k outputs.
        stored_statistics: let batch norm in training mode use its stored statistics meanwhile.

    Raises:
        TypeError: if `model` is no module, x no tensor of floats, or `projections` no integer.
        ValueError: if x is empty, `projections` is below 1, batch norm is in training mode and `stored_statistics` is
            not asked for, or the outputs do not depend on x.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity.penalties import geometric_complexity_penalty
        >>> model = torch.nn.Linear(3, 2)
        >>> penalty = geometric_complexity_penalty(model, torch.ones(4, 3))
        >>> penalty.backward()
        >>> torch.allclose(model.weight.grad, 2 * model.weight)
        True
    """
    if projections is not None:
        integer("projections", projections)
    leaf = _batch(model, x).detach().clone().requires_grad_()
    with torch.enable_grad(), _per_example(model, stored_statistics=stored_statistics):
        outputs = model(leaf.clone()).reshape(len(leaf), -1)
        if not outputs.requires_grad:
            raise ValueError("model must be differentiable by autograd, got outputs that need no gradient")
        draws = range(outputs.shape[1] if projections is None else projections)
        total, found = torch.zeros((), dtype=outputs.dtype, device=outputs.device), False
        for index in draws:
            if projections is None:
                v = torch.zeros_like(outputs)
                v[:, index] = 1
            else:
                v = (torch.randint_like(outputs, 2) * 2 - 1) / projections**0.5
            [part] = torch.autograd.grad(outputs, leaf, v, create_graph=True, allow_unused=True)
            if part is not None:
                total, found = total + part.square().sum(), True
        if not found:
            raise ValueError("model must return outputs that depend on x, got ones that do not")
        return total / len(leaf)


def squared_norm_penalty(model: nn.Module, *, biases: bool = True) -> torch.Tensor:
    """Return ||theta||^2 over the parameters that require a gradient, each once (dherin2022, section 4).

    Args:
        model: the model.
        biases: whether parameters with one axis, biases and those of normalisation, count too.

    Raises:
        TypeError: if `model` is no module.
        ValueError: if no parameter counts.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity.penalties import squared_norm_penalty
        >>> model = torch.nn.Linear(3, 2)
        >>> torch.isclose(squared_norm_penalty(model, biases=False), model.weight.square().sum()).item()
        True
    """
    require("model", model, nn.Module)
    counted = [p for p in model.parameters() if p.requires_grad and (biases or p.ndim > 1)]
    return _sum([parameter.square().sum() for parameter in counted], "a parameter that counts")


def spectral_penalty(model: nn.Module) -> torch.Tensor:
    """Return (1/2) sum_l sigma_max(W_l)^2 over linear layers and convolutions (dherin2022, section 4).

    sigma_max is that of the weight as a matrix [outputs, the rest], from LAPACK: for convolutions a convention, which is
    not the norm of the map (`operator_norm`). Where it is not simple, one of several gradients is taken.

    Raises:
        TypeError: if `model` is no module.
        ValueError: if it has no such layer.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity.penalties import spectral_penalty
        >>> model = torch.nn.Linear(2, 2)
        >>> _ = model.weight.data.copy_(torch.diag(torch.tensor([3.0, 1.0])))
        >>> round(spectral_penalty(model).item(), 6)
        4.5
    """
    require("model", model, nn.Module)
    layers = (layer for layer in model.modules() if isinstance(layer, (nn.Linear, *CONVOLUTIONS)))
    weights = {id(layer.weight): layer.weight.flatten(1) for layer in layers}
    return _sum([torch.linalg.matrix_norm(weight, 2).square() / 2 for weight in weights.values()], "a linear layer")


def flatness_penalty(model: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Loss) -> torch.Tensor:
    """Return ||grad_theta L_B||^2 for the loss of a batch (dherin2022, section 4), through a double backward pass.

    Args:
        model: the model, in the mode that it is trained in.
        x: the batch, [B, ...].
        y: what `loss` takes beside the outputs.
        loss: returns a scalar.

    Raises:
        TypeError: if `model` is no module, or x no tensor of floats.
        ValueError: if x is empty, `loss` returns no scalar, or no parameter requires a gradient.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity.penalties import flatness_penalty
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> x = torch.ones(1, 1)
        >>> penalty = flatness_penalty(model, x, x, torch.nn.functional.mse_loss)  # (2 (w - 1))^2
        >>> torch.isclose(penalty, 4 * (model.weight - 1).square().sum()).item()
        True
    """
    batch = _batch(model, x)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError("model must have a parameter that requires a gradient, got none")
    with torch.enable_grad():
        value = loss(model(batch), y)
        if not isinstance(value, torch.Tensor) or value.ndim:
            kind = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ValueError(f"loss must return a scalar tensor, got {kind}")
        parts = torch.autograd.grad(value, parameters, create_graph=True, allow_unused=True)
        return _sum([part.square().sum() for part in parts if part is not None], "a parameter that the loss depends on")


def _batch(model: Any, x: Any) -> torch.Tensor:
    """Return the batch.

    Raises:
        TypeError: if `model` is no module, or x no tensor of floats.
        ValueError: if x is empty.
    """
    require("model", model, nn.Module)
    batch: torch.Tensor = require("x", x, torch.Tensor)
    if not batch.is_floating_point():
        raise TypeError(f"x must hold floats, for derivatives to be taken in, got {batch.dtype}")
    if batch.ndim == 0 or not batch.numel():
        raise ValueError(f"x must have shape [B, ...] with B >= 1, got shape {tuple(batch.shape)}")
    return batch


@contextmanager
def _per_example(model: nn.Module, *, stored_statistics: bool) -> Iterator[None]:
    """Let batch norm that is in training mode use its stored statistics within.

    Raises:
        ValueError: if there is such a layer and this is not asked for.
    """
    named = model.named_modules()
    training = [(n, m) for n, m in named if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training]
    if training and not stored_statistics:
        name, layer = training[0]
        raise ValueError(
            f"model must not mix examples, got {type(layer).__name__} {name!r} in training mode: pass "
            "stored_statistics=True for it to use its stored statistics in this penalty"
        )
    try:
        for _, layer in training:
            layer.training = False
        yield
    finally:
        for _, layer in training:
            layer.training = True


def _sum(terms: list[torch.Tensor], wanted: str) -> torch.Tensor:
    """Return the sum of some terms.

    Raises:
        ValueError: if there are none.
    """
    if not terms:
        raise ValueError(f"model must have {wanted}, got none")
    return torch.stack(terms).sum()
