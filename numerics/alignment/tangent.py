"""The tangent kernel of a module, its eigenmodes, and what they say of a step of gradient descent (walker2023, section 4.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from numerics.alignment.examples import Examples, examples, per_example, trained
from numerics.alignment.gram import gram_of
from numerics.alignment.stiffness import gram_matrix
from numerics.stability.derivatives import Graph, joined
from numerics.stability.models import copied
from theory.checks import Array, positive


def tangent_kernel(model: Any, x: Any, *, megabytes: float = 256.0) -> Array:
    """Return the tangent kernel, the inner products of the gradients of outputs in all trained parameters (Definition 4.1).

    The definition is of a scalar function. A model of c outputs is read as one of an input and the number of an output, so
    there is a row for each output of each example; for c = 1 that is [m, m]. It is computed as `gradient_gram` is.

    Args:
        model: gives each row of x its c outputs, whatever else is in the batch; left as it is.
        x: the inputs, [m, ...].
        megabytes: the memory to aim at beside the result.

    Returns:
        The kernel, [m c, m c]: the outputs of the first example come first.

    Raises:
        TypeError: if `model` is no module or returns no floats, or x holds no real numbers.
        ValueError: if batch norm or dropout is in training mode, nothing is trained, x is malformed, or the model fails on x,
            returns nan or outputs that depend on other rows.

    Example:
        >>> import torch
        >>> from numerics.alignment import tangent_kernel
        >>> tangent_kernel(torch.nn.Linear(1, 1, dtype=torch.float64), [[0.0], [2.0]]).tolist()
        [[1.0, 1.0], [1.0, 5.0]]
    """
    budget = int(1e6 * positive("megabytes", megabytes))
    checked, rows, outputs = per_example(model, x)
    c = outputs[0].numel()

    def unit(outputs: torch.Tensor, part: slice) -> torch.Tensor:
        """Return the derivative of the one output that each row is about."""
        which = torch.arange(part.start, part.stop, device=outputs.device) % c
        return torch.nn.functional.one_hot(which, c).to(outputs).reshape(outputs.shape)

    return gram_of(Examples(checked, rows.repeat_interleave(c, 0), unit, trained(checked)), budget)


@dataclass(frozen=True, eq=False)
class Eigenmodes:
    """The eigenvalues lambda_j > 0 of the covariance of tangent features over a sample, and its eigenfunctions there.

    Attributes:
        values: lambda_j, from the largest down, [r].
        modes: u_j at the rows of the kernel, [r, n]; the mean of u_j u_k is 1 for j = k, else 0.
    """

    values: Array
    modes: Array = field(repr=False)

    def update(self, gradient: Any, step_size: float) -> tuple[Array, Array]:
        """Return what a gradient step changes to first order, by eigenmode [r] and at the rows of the kernel [n] (Lemma 4.2).

        Args:
            gradient: of the loss in the outputs, [n], in the order of the kernel's rows.
            step_size: eta, above 0.

        Raises:
            TypeError: if `step_size` is no real number.
            ValueError: if it is not above 0, or the gradient has another shape.
        """
        eta, pull = float(positive("step_size", step_size)), np.asarray(gradient, dtype=np.float64)
        if pull.shape != (self.modes.shape[1],):
            raise ValueError(
                f"gradient must have shape [{self.modes.shape[1]}], one a row of the kernel, got {pull.shape}"
            )
        parts: Array = -eta * self.values * (self.modes @ pull)
        return parts, parts @ self.modes


def eigenmodes(kernel: Any) -> Eigenmodes:
    """Return the eigenmodes of a tangent kernel (walker2023, section 4.1): those whose eigenvalue is not 0 to rounding.

    lambda_j is an eigenvalue of the mean of Phi Phi^T over the n rows, which is one of kernel / n, and
    u_j = <v_j, Phi> / sqrt(lambda_j) is sqrt(n) times the unit eigenvector there, up to its sign.

    Args:
        kernel: the tangent kernel of n rows, [n, n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is no Gram matrix.

    Example:
        >>> from numerics.alignment import eigenmodes
        >>> eigenmodes([[2, 0, 0], [0, 8, 0], [0, 0, 4]]).values.round(4).tolist()
        [2.6667, 1.3333, 0.6667]
    """
    matrix = gram_matrix(kernel, "kernel")
    n = len(matrix)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > n * np.finfo(np.float64).eps * max(float(values[0]), 0.0)
    return Eigenmodes(values[kept] / n, np.sqrt(n) * vectors[:, kept].T)


@dataclass(frozen=True, eq=False)
class FunctionUpdate:
    """What a real step of gradient descent did to the outputs, and what Lemma 4.2 says of it.

    Attributes:
        change: of the outputs on the sample by the step, [m c].
        linear: to first order, <dw, Phi>, [m c].
        by_mode: -eta lambda_j u_j^T grad l, [r] (Lemma 4.2), whose sum with the u_j should be `linear`.
        eigenmodes: those of the tangent kernel.
        decomposition_error: how far it is from `linear`, relative to its norm; rounding, if the lemma holds.
        linear_error: how far `change` is from `linear`, relative to its norm; about in proportion to the step size.
        linear_error_at_half: the same for half the step size: half as much for a smooth model and a small step.
        parameters: how many the stepped model trains.
    """

    change: Array = field(repr=False)
    linear: Array = field(repr=False)
    by_mode: Array = field(repr=False)
    eigenmodes: Eigenmodes = field(repr=False)
    decomposition_error: float
    linear_error: float
    linear_error_at_half: float
    parameters: int


def function_update(model: Any, x: Any, y: Any, loss: Any, step_size: float) -> FunctionUpdate:
    """Make a step of gradient descent on a copy of a model, in float64, and compare it with Lemma 4.2.

    The step is along the gradient of the mean loss of the m examples, as in training on all of them.

    Args:
        model: gives each row of x its c outputs, whatever else is in the batch; left as it is.
        x: the inputs, [m, ...].
        y: the targets, as for `gradient_gram`.
        loss: likewise.
        step_size: eta, above 0.

    Raises:
        TypeError: if `model` is no module or returns no floats, or numbers are no numbers.
        ValueError: if the loss is unknown or fails, batch norm or dropout is in training mode, nothing is trained, x or y is
            malformed, the model fails on x, returns nan or outputs that depend on other rows, the gradient is 0, or
            `step_size` is not above 0.

    Example:
        >>> import torch
        >>> from numerics.alignment import function_update
        >>> affine = torch.nn.Linear(2, 1, dtype=torch.float64)
        >>> found = function_update(affine, torch.eye(2), [1.0, 2.0], "half_mean", step_size=0.1)
        >>> max(found.decomposition_error, found.linear_error) < 1e-12, found.parameters
        (True, 3)
    """
    eta = float(positive("step_size", step_size))
    per_example(model, x)  # of the user's own, before it is put into eval mode
    mine = copied(model)
    given = examples(mine, x, y, loss)
    everything, owned = slice(0, len(given.x)), tuple(given.parameters.values())
    with torch.inference_mode(False), torch.enable_grad():
        outputs = given.outputs(everything)
        pull = given.cotangents(outputs, everything) / len(given.x)
        graph = Graph(owned, outputs, pull)
        step = [
            torch.zeros_like(p) if s is None else -eta * s for s, p in zip(graph.pull_back(pull), owned, strict=True)
        ]
        linear = _flat(graph.push_forward(step))
    if not np.any(joined(step, owned)):
        raise ValueError("loss must have a gradient that is not 0, for a step to be made, got 0")
    kernel = tangent_kernel(mine, given.x)
    modes = eigenmodes(kernel)
    by_mode, composed = modes.update(_flat(pull), eta)
    before, changes = _flat(outputs), []
    for share in (0.5, 0.5):  # half of the step, and then all of it
        with torch.no_grad():
            for parameter, part in zip(owned, step, strict=True):
                parameter.add_(share * part)
            changes.append(_flat(mine(given.x.clone())) - before)
    half, whole = changes
    size = float(np.linalg.norm(linear)) or 1.0
    return FunctionUpdate(
        whole,
        linear,
        by_mode,
        modes,
        float(np.linalg.norm(composed - linear)) / size,
        float(np.linalg.norm(whole - linear)) / size,
        float(np.linalg.norm(half - linear / 2)) / (size / 2),
        sum(p.numel() for p in owned),
    )


def _flat(outputs: torch.Tensor) -> Array:
    numbers: Array = outputs.detach().reshape(-1).cpu().numpy()
    return numbers
