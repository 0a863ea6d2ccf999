"""The dictionary of symbols: where two papers disagree, this file says what a name means here.

Features, Phi: the gradients of f(x_j) in the weights, one example a row, [n, d], as arrays are everywhere, and as Phi is in
walker2023 and in `numerics`: K = Phi Phi^T / n is the kernel, [n, n], and Phi^T Phi / n the Gauss-Newton matrix, [d, d]. In
mulayoff2021 the examples are the columns of Phi (eq 28); statements and proofs of that paper, and of claims of ours that
carry it on (B2, B4, B7), keep its letter, so that there Phi Phi^T / n is the Hessian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from theory.checks import floats, positive

Loss = Literal["half_mean", "mean"]
"""How the squared loss is normalised.

`half_mean` is (1/2n) sum (f(x_j) - y_j)^2 (mulayoff2021, eq 19); `mean` is (1/n) sum (f(x_j) - y_j)^2
(volhejn2020, eq 1.1; `torch.nn.MSELoss`). A step size means nothing without it: gradients and Hessians of `mean` are
twice those of `half_mean`, so gradient descent with step size s on `mean` is gradient descent with 2 s on `half_mean`.
An argument `loss` names one of these everywhere; the number that a loss has is a `training_loss`, or an attribute `loss`
of what was trained.
"""

ModelLoss = Literal[Loss, "cross_entropy"]
"""The losses of models with any outputs: these with |f(x_j) - y_j|^2, or (1/n) sum_j -log softmax(f(x_j))[y_j]."""

Sampling = Literal["without_replacement", "with_replacement", "reshuffling"]
"""How batches are drawn: anew each step, without or with replacement, or from a new random order each epoch."""


@dataclass(frozen=True)
class Symbol:
    """A symbol of a claim.

    Attributes:
        name: its name in code.
        latex: its name in LaTeX.
        meaning: what it stands for, with shape and unit or range.
        check: name and value to the value as claims use it; raises TypeError or ValueError for one that cannot be meant.
    """

    name: str
    latex: str
    meaning: str
    check: Callable[[str, Any], Any] | None = None


def loss_scale(loss: Loss) -> int:
    """Return the factor that takes `half_mean` losses, gradients and Hessians to those of `loss`: 1 or 2.

    Raises:
        ValueError: if `loss` is neither "half_mean" nor "mean".
    """
    if loss not in get_args(Loss):
        raise ValueError(f"loss must be one of {', '.join(map(repr, get_args(Loss)))}, got {loss!r}")
    return 1 if loss == "half_mean" else 2


def half_mean_step_size(step_size: float, loss: Loss) -> float:
    """Return the step size on (1/2n) sum (f-y)^2 that makes the same steps as `step_size` does on `loss`.

    Raises:
        TypeError: if `step_size` is no real number.
        ValueError: if `step_size` is not finite and above 0 as a float, or `loss` is unknown.
    """
    (eta,) = floats("step_size", np.array([positive("step_size", step_size)], dtype=object))
    return float(positive("step_size", eta)) * loss_scale(loss)
