"""The geometric complexity of any torch module on its inputs: exact, by structure, or estimated."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch.autograd import forward_ad

from numerics.geometric_complexity.modules import Subject, bytes_of_row, logits, on_kinks, subject
from numerics.geometric_complexity.two_layer import TwoLayers, closed_form, two_layers
from numerics.kinks import Kinks
from numerics.smoothness.modules import ReluSlope, checked_slope
from theory.checks import Array, positive
from theory.checks import count as integer

Method = Literal["two layers in closed form", "backward products", "forward products", "random projections"]
"""How it was computed: k vector-Jacobian products, d Jacobian-vector products, or fewer random ones."""

GRAPH_COPIES = 3
"""A pass holds the stored graph of its rows, and about twice as much of what is being worked on."""


@dataclass(frozen=True)
class GeometricComplexity:
    """The mean over inputs of ||J_f(x)||_F^2, J_f [k, d] the Jacobian of the logits (dherin2022, eq 1).

    Attributes:
        value: the mean, or its estimate; at least 0.
        standard_error: of the estimate over random projections, the inputs held fixed; 0 where all of J was computed.
        inputs: the number n of inputs.
        outputs: the number k of logits.
        kinks: on how many inputs a function of the network is at a kink (see `geometric_complexity`), where the Jacobian is
            one of several: what autograd takes. None where that cannot be known.
        method: how it was computed.
        squared_norms: ||J_f(x)||_F^2 at each input, or its estimate, [n].
    """

    value: float
    standard_error: float
    inputs: int
    outputs: int
    kinks: int | None
    method: Method
    squared_norms: Array = field(repr=False, compare=False)


def geometric_complexity(
    model: Any,
    x: Any,
    *,
    exact_up_to: int | None = None,
    projections: int = 8,
    seed: int = 0,
    megabytes: float = 256.0,
    relu_slope_at_zero: float = 0.0,
    probabilities: bool = False,
) -> GeometricComplexity:
    """Return the geometric complexity of a model on inputs, the mean of ||J_f(x)||_F^2 (dherin2022, eq 1).

    With k logits and d numbers an input it takes k backward or d forward products, whichever are fewer. A
    `TwoLayerReLU`, and a `Sequential` of Linear, ReLU and Linear, is done in closed form (B12), in float64; any other
    model in the dtype of its parameters, sums in float64. The model is left as it is and must be in eval mode.

    If both k and d are more than `exact_up_to`, ||J||_F^2 = E||J^T v||^2 is estimated over random signs v, drawn anew
    for each input. That is unbiased, and the standard error is that of this mean, the inputs held fixed.

    An input is on a kink if an argument of a ReLU (or a leaky or parametric one, abs, hardtanh, ReLU6) is at its kink,
    or two largest ones of a max-pooling over planes are equal, and a small step away it is so no more. In float64 numbers
    count as equal within 64 eps of the largest of their layer, in other dtypes if they are.

    Args:
        model: gives each row of x its logits, [n, ...] to [n], [n, k] or [n, ...].
        x: the inputs, [n, ...], floats; [n] are passed on as [n, 1]. Moved to the dtype and device of the parameters.
        exact_up_to: how many products are taken at most before it is estimated; None for any number.
        projections: how many random projections an input, at least 2, for an estimate.
        seed: of the random projections, at least 0.
        megabytes: the memory to aim at; inputs go through the model so many at a time, one at least.
        relu_slope_at_zero: the derivative of the ReLU at 0, from 0 to 1, as in `numerics.gradient_norm`.
        probabilities: measure what the model returns even if it is no logits.

    Raises:
        TypeError: if `model` is no module, x holds no floats, the model does not return them, or another argument is of
            a wrong type.
        ValueError: if x is empty or not finite; if batch norm or dropout is in training mode; if the model fails on x,
            returns nan, inf, probabilities or an output that depends on other rows of x, or is cut off from x; or if
            another argument is out of range.

    Example:
        >>> import torch
        >>> from numerics.geometric_complexity import geometric_complexity
        >>> affine = torch.nn.Linear(3, 2)
        >>> found = geometric_complexity(affine, torch.zeros(5, 3))
        >>> abs(found.value - affine.weight.detach().square().sum().item()) < 1e-6, found.standard_error, found.kinks
        (True, 0.0, 0)
    """
    if exact_up_to is not None:
        integer("exact_up_to", exact_up_to, fewest=0)
    integer("projections", projections, fewest=2)
    integer("seed", seed, fewest=0)
    slope, budget = checked_slope(relu_slope_at_zero), int(1e6 * positive("megabytes", megabytes))
    given = subject(model, x, probabilities=probabilities)
    layers = two_layers(given.model)
    if layers is not None:
        return _of_two_layers(layers, given, slope, budget)
    fewest = min(given.outputs, given.entries)
    estimated = exact_up_to is not None and fewest > max(exact_up_to, projections)
    backward = estimated or given.outputs <= given.entries
    norms = np.empty((len(given.x), projections if estimated else 1))
    kinks: int | None = 0
    signs = np.random.default_rng(seed) if estimated else None
    with torch.inference_mode(False), torch.enable_grad():
        together = max(1, budget // (GRAPH_COPIES * bytes_of_row(given.model, given.x[:1])))
        for start in range(0, len(given.x), together):
            rows, part, passed = given.x[start : start + together], norms[start : start + together], Kinks()
            with torch.no_grad():
                logits(given.model, rows, passed)
            here = on_kinks(given, rows, passed)
            kinks = None if kinks is None or here is None else kinks + here
            with ReluSlope(slope) if slope else nullcontext():
                backward = backward or not _push_forward(given, rows, part)
                if backward:
                    _pull_back(given, rows, signs, part)
    if not np.all(np.isfinite(norms)):
        raise ValueError("model must have finite derivatives, got nan or inf")
    error = float(np.sqrt(np.sum(np.var(norms, axis=1, ddof=1)) / projections)) / len(norms) if estimated else 0.0
    method: Method = "random projections" if estimated else "backward products" if backward else "forward products"
    each = norms.mean(axis=1)
    return GeometricComplexity(
        math.fsum(each) / len(each), error, len(each), given.outputs, kinks, method, squared_norms=each
    )


def _of_two_layers(layers: TwoLayers, given: Subject, slope: float, budget: int) -> GeometricComplexity:
    norms, kinks = closed_form(layers, given.x, slope, budget)
    value = math.fsum(norms) / len(norms)
    return GeometricComplexity(
        value, 0.0, len(norms), given.outputs, kinks, "two layers in closed form", squared_norms=norms
    )


def _pull_back(given: Subject, rows: torch.Tensor, signs: np.random.Generator | None, norms: Array) -> None:
    """Write ||J^T v||^2 into norms [m, p]: for p draws of random signs v, or summed over all unit vectors v for p = 1.

    Raises:
        ValueError: if the outputs are cut off from the inputs.
    """
    leaf = rows.clone().requires_grad_()
    outputs = logits(given.model, leaf)
    if not outputs.requires_grad:
        raise ValueError("model must be differentiable by autograd, got outputs that need no gradient")
    norms[:] = 0
    for column, v in enumerate(_cotangents(outputs, signs, norms.shape[1])):
        [part] = torch.autograd.grad(outputs, leaf, v, retain_graph=True, allow_unused=True)
        if part is not None:
            squares = part.reshape(len(rows), -1).square().sum(dim=1, dtype=torch.float64).cpu().numpy()
            norms[:, 0 if signs is None else column] += squares


def _cotangents(outputs: torch.Tensor, signs: np.random.Generator | None, projections: int) -> Iterator[torch.Tensor]:
    m, k = outputs.shape
    if signs is None:
        for index in range(k):
            unit = torch.zeros_like(outputs)
            unit[:, index] = 1
            yield unit
    else:
        for draw in 2 * signs.integers(0, 2, size=(m, projections, k)).swapaxes(0, 1) - 1:
            yield torch.from_numpy(draw).to(outputs)


def _push_forward(given: Subject, rows: torch.Tensor, norms: Array) -> bool:
    """Write the sum of ||J v||^2 over all unit vectors v into norms [m, 1]; False where torch cannot go forward."""
    norms[:] = 0
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, of how it goes forward
            for index in range(given.entries):
                direction = torch.zeros_like(rows).reshape(len(rows), -1)
                direction[:, index] = 1
                with forward_ad.dual_level():
                    dual = forward_ad.make_dual(rows, direction.reshape(rows.shape))
                    tangent = forward_ad.unpack_dual(given.model(dual)).tangent
                if tangent is not None:
                    norms[:, 0] += tangent.reshape(len(rows), -1).square().sum(dim=1, dtype=torch.float64).cpu().numpy()
    except (NotImplementedError, RuntimeError):
        return False
    return True
