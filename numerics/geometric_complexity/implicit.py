"""The implicit gradient regulariser of a batch, term by term (dherin2022, eqs 6-8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from numerics.geometric_complexity.modules import checked_module
from numerics.stability.derivatives import derivatives, joined
from numerics.stability.models import outputs_of
from numerics.stability.module_loss import module_loss
from theory.checks import Array, nonnegative
from theory.enclosure import EPS
from theory.symbols import ModelLoss


@dataclass(frozen=True)
class ImplicitRegulariser:
    """The terms of ||grad L_B||^2 on a batch of B examples (dherin2022, eqs 6-8).

    With g_x^i = eps_x^i grad_theta f^i(x), eps the derivative of an example's loss in its logits:

    Attributes:
        loss: L_B, the mean of the losses.
        gradients: (1/B^2) sum_{x,i} ||g_x^i||^2.
        label_alignment: A_B = (1/B^2) sum_x sum_{i != j} <g_x^i, g_x^j>.
        batch_alignment: C_B = (1/B^2) sum_{x != x'} <g_x, g_x'>, g_x = sum_i g_x^i.
        squared_gradient: ||grad L_B||^2, from one backward pass of the loss.
        allowance: by how much rounding may move the sum of the three from it.
        batch: B.
    """

    loss: float
    gradients: float
    label_alignment: float
    batch_alignment: float
    squared_gradient: float
    allowance: float
    batch: int

    @property
    def residual(self) -> float:
        """The sum of the three terms less ||grad L_B||^2: 0 but for rounding."""
        return self.gradients + self.label_alignment + self.batch_alignment - self.squared_gradient

    @property
    def adds_up(self) -> bool:
        """Whether the identity of eq 6 holds on this batch, to the allowance."""
        return abs(self.residual) <= self.allowance

    def modified_loss(self, step_size: float) -> float:
        """Return L_B + (h/4) ||grad L_B||^2 for a step size h, by its terms.

        Raises:
            TypeError: if `step_size` is no real number.
            ValueError: if it is negative or not finite.
        """
        h = float(nonnegative("step_size", step_size))
        return self.loss + h / 4 * (self.gradients + self.label_alignment + self.batch_alignment)


def implicit_regulariser(model: Any, x: Any, y: Any, loss: ModelLoss = "cross_entropy") -> ImplicitRegulariser:
    """Return the terms of the implicit gradient regulariser of a batch (dherin2022, eqs 6-8), in float64.

    The alignments are summed up as inner products, one example and one output after the other, and the square of the
    gradient comes from the loss: that they agree is no tautology. It takes B k backward passes.

    Args:
        model: gives each row of x its logits; in eval mode.
        x: the inputs of the batch, [B, ...].
        y: labels [B] for "cross_entropy", targets [B, k] otherwise.
        loss: of an example, -log softmax(f)_y, (1/2) ||f - y||^2 for "half_mean", or ||f - y||^2 for "mean".

    Raises:
        TypeError: if `model` is no module or does not return real numbers, or an entry of x or y is no real number.
        ValueError: if `loss` is unknown; if batch norm or dropout is in training mode; if x or y is malformed; or if
            `model` cannot be copied or differentiated, fails on x, or returns nan or an output that depends on other rows.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity import implicit_regulariser
        >>> found = implicit_regulariser(torch.nn.Linear(2, 3), torch.eye(2), torch.tensor([0, 2]))
        >>> found.adds_up
        True
    """
    checked_module(model)
    with torch.inference_mode(False), torch.enable_grad():
        problem = module_loss(model, x, y, loss)
        residuals, parameters = problem.residuals, problem.parameters
        b, k = problem.outputs.shape
        gradients = labels = batch = size = 0.0
        total: Array = np.zeros(problem.dimension)
        for index in range(b):
            outputs = outputs_of(problem.model, problem.x[index : index + 1])
            example: Array = np.zeros(problem.dimension)
            for i in range(k):
                unit = torch.zeros_like(outputs)
                unit[0, i] = residuals[index, i]
                part = joined(derivatives(outputs, parameters, unit), parameters)
                square = float(part @ part)
                gradients += square
                size += square
                labels += 2 * float(example @ part)
                example += part
            batch += 2 * float(total @ example)
            size += float(np.linalg.norm(total) * np.linalg.norm(example)) * 2
            total += example
        direct = problem.gradient()
    allowance = 64 * (b * k + 64) * EPS * size / b**2
    return ImplicitRegulariser(
        problem.value, gradients / b**2, labels / b**2, batch / b**2, float(direct @ direct), allowance, b
    )
