"""What autograd says of a module: products with its Jacobian and its second derivatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from theory.checks import Array

Parts = tuple[torch.Tensor | None, ...]
"""One tensor for each parameter; None for zeros."""


class Graph:
    """The outputs [m, c] of a module on some examples, and J^T r for their residuals r, as what autograd differentiates."""

    def __init__(self, parameters: tuple[nn.Parameter, ...], outputs: torch.Tensor, residuals: torch.Tensor) -> None:
        self.parameters, self.outputs = parameters, outputs
        self.residuals = residuals.clone().requires_grad_()

    def pull_back(self, cotangent: torch.Tensor) -> Parts:
        """Return J^T u for u [m, c]."""
        return derivatives(self.outputs, self.parameters, cotangent)

    def push_forward(self, pieces: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return J v, [m, c], as the derivative of v^T J^T r in r."""
        return self._of_backward(pieces, ())[0]

    def second_derivatives(self, pieces: Sequence[torch.Tensor]) -> tuple[torch.Tensor, Parts]:
        """Return J v, [m, c], and the derivative of v^T J^T r in the parameters."""
        return self._of_backward(pieces, self.parameters)

    def _of_backward(
        self, pieces: Sequence[torch.Tensor], parameters: tuple[nn.Parameter, ...]
    ) -> tuple[torch.Tensor, Parts]:
        used = [
            (end, v) for end, v in zip(self._backward, pieces, strict=True) if end is not None and end.requires_grad
        ]
        if not used:
            return torch.zeros_like(self.outputs), (None,) * len(parameters)
        ends, directions = zip(*used, strict=True)
        image, *terms = derivatives(ends, (self.residuals, *parameters), directions)
        return torch.zeros_like(self.outputs) if image is None else image, tuple(terms)

    @cached_property
    def _backward(self) -> Parts:
        """J^T r, to be differentiated again."""
        return derivatives(self.outputs, self.parameters, self.residuals, again=True)


def derivatives(
    ends: torch.Tensor | Sequence[torch.Tensor],
    starts: Sequence[torch.Tensor],
    weights: torch.Tensor | Sequence[torch.Tensor] | None = None,
    *,
    again: bool = False,
) -> Parts:
    """Return the gradient of the weighted sum of `ends` in each of `starts`, which can be differentiated `again`.

    Raises:
        ValueError: if autograd cannot.
    """
    try:
        return torch.autograd.grad(ends, starts, weights, retain_graph=True, create_graph=again, allow_unused=True)
    except RuntimeError as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"model must be one that autograd differentiates twice, got {reason}") from None


def leaves_of(outputs: torch.Tensor) -> list[torch.Tensor]:
    """Return the tensors that autograd would differentiate the outputs in."""
    waiting, seen, found = [outputs.grad_fn], set(), []
    while waiting:
        function: Any = waiting.pop()
        if function is None or function in seen:
            continue
        seen.add(function)
        if hasattr(function, "variable"):
            found.append(function.variable)
        waiting += [following for following, _ in function.next_functions]
    return found


def inner_product(first: Parts, second: Parts) -> float:
    """Return the inner product of two vectors of parameters."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    return sum(float(a.reshape(-1) @ b.reshape(-1)) for a, b in pairs)


def finite(values: Array) -> Array:
    """Return the values.

    Raises:
        ValueError: if one is nan or inf.
    """
    if np.any(np.isnan(values)):
        raise ValueError(
            "model must have finite derivatives, got nan: a square root or a norm at 0, a function without a derivative there "
            "in a branch that torch.where does not take, or inf less inf"
        )
    if not np.all(np.isfinite(values)):
        raise ValueError(
            "x, y and model must be small enough for the Hessian to be finite in float64, but it overflows"
        )
    return values


def joined(parts: Iterable[torch.Tensor | None], parameters: Iterable[nn.Parameter]) -> Array:
    """Return one tensor a parameter as a vector."""
    pairs = zip(parts, parameters, strict=True)
    vector: Array = (
        torch.cat([(torch.zeros_like(p) if part is None else part.detach()).reshape(-1) for part, p in pairs])
        .cpu()
        .numpy()
    )
    return vector
