"""How far training moves a network in its tangent features, step by step (walker2023, Remark 4.6 and Theorem 5.4)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from numerics.alignment.tangent import tangent_kernel
from theory.checks import count
from theory.walker2023 import tangent_complexity


class TangentTrace:
    """What the steps of an optimiser come to in the tangent features of a sample: ||dw_t|| and ||Phi_t||_F.

    Phi_t are the gradients of all outputs on the sample before step t, one a row; their norm takes the tangent kernel, and is
    computed at every k-th step and held until the next. Steps are those of all parameters of the model that require a
    gradient, whatever the optimiser does to them.

    Args:
        model: gives each row of x its outputs, whatever else is in the batch.
        x: the sample, [m, ...].
        every: k, at least 1.

    Raises:
        TypeError: if `model` is no module, or k no integer.
        ValueError: if k is below 1.

    Example:
        >>> import torch
        >>> from numerics.alignment import TangentTrace
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> _ = model.weight.data.zero_()
        >>> optimiser = torch.optim.SGD(model.parameters(), lr=1.0)
        >>> trace = TangentTrace(model, torch.tensor([[3.0, 4.0]]))
        >>> handles = trace.watch(optimiser)
        >>> model.weight.grad = torch.tensor([[0.0, 2.0]])
        >>> optimiser.step()
        >>> trace.update_norms, trace.feature_norms, trace.complexity
        ([2.0], [5.0], 10.0)
    """

    def __init__(self, model: nn.Module, x: Any, *, every: int = 1) -> None:
        """Take the model and the sample.

        Raises:
            TypeError: if `model` is no module, or `every` no integer.
            ValueError: if `every` is below 1.
        """
        if not isinstance(model, nn.Module):
            raise TypeError(f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}")
        self.model, self.x, self.every = model, x, count("every", every)
        self.update_norms: list[float] = []
        self.feature_norms: list[float] = []
        self._before: list[torch.Tensor] = []

    def watch(self, optimiser: torch.optim.Optimizer) -> tuple[RemovableHandle, RemovableHandle]:
        """Look at each step of an optimiser from now on; the handles that are returned end it."""
        return optimiser.register_step_pre_hook(self._look), optimiser.register_step_post_hook(self._measure)

    @property
    def complexity(self) -> float:
        """sum_t ||dw_t|| ||Phi_t||_F (W7.a); 0 before the first step."""
        if not self.update_norms:
            return 0.0
        return tangent_complexity([[u] for u in self.update_norms], [[[norm]] for norm in self.feature_norms])

    def _trained(self) -> list[torch.Tensor]:
        return [p.detach() for p in self.model.parameters() if p.requires_grad]

    def _look(self, *_: Any) -> None:
        self._before = [p.clone() for p in self._trained()]
        if len(self.update_norms) % self.every:
            self.feature_norms.append(self.feature_norms[-1])
            return
        modes = [module.training for module in self.model.modules()]
        self.model.eval()
        try:
            kernel = tangent_kernel(self.model, self.x)
        finally:
            for module, mode in zip(self.model.modules(), modes, strict=True):
                module.training = mode
        self.feature_norms.append(math.sqrt(float(np.trace(kernel))))

    def _measure(self, *_: Any) -> None:
        squares = [
            float((after - before).double().square().sum())
            for after, before in zip(self._trained(), self._before, strict=True)
        ]
        self.update_norms.append(math.sqrt(math.fsum(squares)))
