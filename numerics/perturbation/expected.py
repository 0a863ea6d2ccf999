"""The expected sharpness under normal noise in the weights (neyshabur2017, section 2.4): by draws, or in closed form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from scipy.special import ndtr
from torch import nn

from numerics.geometric_complexity.modules import checked_module
from numerics.perturbation.losses import (
    ErrorOrLoss,
    PerturbedLoss,
    Weights,
    linear_layers,
    perturbed_loss,
    two_relu_layers,
)
from numerics.training import batches
from theory.beyond import linear_expected_sharpness
from theory.checks import Array, nonnegative, positive
from theory.checks import count as integer
from theory.symbols import ModelLoss, output_scale


@dataclass(frozen=True, eq=False)
class ExpectedSharpness:
    """E L(w + nu) - L(w) for normal noise nu of mean 0 and independent entries.

    Attributes:
        value: the mean of `rises`; or, if exact, the expectation.
        standard_error: the sample standard deviation of `rises` over the square root of their number; 0 if exact.
        exact: whether it is the expectation in closed form, to rounding.
        loss: L(w), on all data.
        rises: L(w + nu) - L(w) for each draw, [draws]: both on the batch of the draw; empty if exact.
    """

    value: float
    standard_error: float
    exact: bool
    loss: float
    rises: Array


def expected_sharpness(
    model: Any,
    x: Any,
    y: Any,
    loss: ErrorOrLoss = "cross_entropy",
    std: float | Mapping[str, Any] = 1e-3,
    draws: int = 1000,
    *,
    batch: int | None = None,
    exact: bool = False,
    seed: int = 0,
    at_once: int | None = None,
) -> ExpectedSharpness:
    """Return the expected sharpness of a network under normal noise in its weights, with its standard error.

    Weights are all parameters that require a gradient, biases and scales of batch norm among them, each once however many
    layers share it.

    Args:
        model: in eval mode: batch norm takes its stored statistics. To perturb a network without batch norm fold it first
            (`numerics.capacity.fold_batch_norm`).
        x: the inputs, [n, ...], floats.
        y: labels, [n], from 0; for the squared losses targets of the shape of the outputs, or [n] for one output.
        loss: "cross_entropy", "mean", "half_mean", or "zero_one", the share of rows that are misclassified or tied.
        std: the standard deviation of the noise, at least 0; or for each weight, by name of the parameter, a number or
            an array of its shape: see `weight_scaled_std`.
        draws: of the noise, at least 2.
        batch: so many rows, or all if there are fewer, drawn without replacement for each draw, 64 in appendix A; the rise
            is between losses on these, so its mean is still over all of them. None for all rows each time.
        exact: whether to take a closed form instead of draws, under a squared loss: of linear layers in sequence, biases in
            the first alone, the noise of one standard deviation in each layer (B18), to rounding relative to the squared
            outputs; or of a linear layer, a ReLU and a linear layer, with any biases and deviations, from the first two
            moments of a rectified normal variable, units that the noise switches among them.
        seed: of noise and batches, at least 0. Noise is drawn on the CPU, in float32 unless parameters are in float64: it
            is the same on all devices, and whatever `at_once` is.
        at_once: so many draws go together; what fits in memory if None. It changes nothing but rounding.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if `loss` is unknown; a number is out of its range; `std` is negative, not finite, or not for each weight
            and of its shape; x is empty or not finite; the model is not in eval mode, has no parameter that requires a
            gradient, or returns nan, an output that depends on other rows, or probabilities for cross_entropy; y is out
            of range or of a wrong shape; a loss is not finite; or `exact` is asked for where no closed form is known.

    Example:
        >>> import torch
        >>> from numerics.perturbation import expected_sharpness
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> x = torch.tensor([[3.0, 4.0]])
        >>> round(expected_sharpness(model, x, [0.0], loss="mean", std=0.1, exact=True).value, 6)
        0.25
        >>> found = expected_sharpness(model, x, [0.0], loss="mean", std=0.1, draws=400)
        >>> abs(found.value - 0.25) < 4 * found.standard_error
        True
    """
    number, chosen = integer("draws", draws, fewest=2), integer("seed", seed, fewest=0)
    together = None if at_once is None else integer("at_once", at_once)
    size = None if batch is None else integer("batch", batch)
    problem = perturbed_loss(model, x, y, loss, ErrorOrLoss)
    noise = deviations(problem.weights, std)
    if exact:
        return ExpectedSharpness(_closed_form(problem, noise), 0.0, True, problem.value, np.zeros(0))
    n = len(problem.x)
    rows = n if size is None else min(size, n)
    problem = problem.on(rows)
    order = None if rows == n else batches(n, rows, seed=chosen)
    rises: list[float] = []
    for stack in _noisy(problem.weights, noise, number, chosen, together or problem.networks(rows)):
        found = _rises(problem, stack, order)
        for value in found.tolist():
            if not math.isfinite(value):
                raise ValueError(
                    f"the loss of model must be finite under the noise, got {value} more in draw {len(rises)}"
                )
            rises.append(value)
    all_rises: Array = np.array(rises)
    error = float(all_rises.std(ddof=1)) / math.sqrt(number)
    return ExpectedSharpness(float(all_rises.mean()), error, False, problem.value, all_rises)


def weight_scaled_std(model: Any, alpha: float) -> Weights:
    """Return alpha (10 |w| + 1) for each weight, the standard deviations of appendix A of neyshabur2017.

    Args:
        model: whose weights, the parameters that require a gradient; in eval mode.
        alpha: above 0.

    Returns:
        By name of the parameter, each of its shape.

    Raises:
        TypeError: if `model` is no module, or alpha no real number.
        ValueError: if alpha is not above 0, a parameter is not finite, or batch norm or dropout is in training mode.

    Example:
        >>> import torch
        >>> from numerics.perturbation import weight_scaled_std
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> _ = model.weight.data.fill_(-2.0)
        >>> weight_scaled_std(model, 0.1)["weight"].item()
        2.1
    """
    factor = float(positive("alpha", alpha))
    parameters = checked_module(model).named_parameters()
    return {name: factor * (10 * p.detach().double().abs() + 1) for name, p in parameters if p.requires_grad}


def deviations(weights: Weights, std: Any) -> Weights:
    """Return standard deviations of the shapes of weights, float64 on the CPU.

    Raises:
        TypeError: if one is no real number.
        ValueError: if one is negative or not finite, or they are not for each weight and of its shape.
    """
    if not isinstance(std, Mapping):
        number = float(nonnegative("std", std))
        return {name: torch.full(weight.shape, number, dtype=torch.float64) for name, weight in weights.items()}
    strange, missing = sorted(set(std) - set(weights), key=str), sorted(set(weights) - set(std))
    if strange or missing:
        problem = f"no {missing[0]!r}" if missing else f"{strange[0]!r}, which is none of them"
        raise ValueError(f"std must have an entry for each parameter that requires a gradient, got {problem}")
    found = {}
    for name, weight in weights.items():
        sizes = _numbers(f"std[{name!r}]", std[name])
        if sizes.ndim and sizes.shape != weight.shape:
            raise ValueError(
                f"std[{name!r}] must be a number or of the shape of the parameter, {tuple(weight.shape)}, got shape "
                f"{tuple(sizes.shape)}"
            )
        wrong = sizes[~((sizes >= 0) & (sizes < math.inf))]
        if len(wrong):
            raise ValueError(f"std[{name!r}] must be at least 0 and finite, got {float(wrong[0])}")
        found[name] = sizes.expand(weight.shape)
    return found


def _numbers(name: str, value: Any) -> torch.Tensor:
    """Return real numbers as a tensor of float64 on the CPU.

    Raises:
        TypeError: if one is no real number.
    """
    if not isinstance(value, torch.Tensor):
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} must hold real numbers, got {value!r} of type {type(value).__name__}")
        return torch.from_numpy(array.astype(np.float64))
    if value.is_complex() or value.dtype == torch.bool:
        raise TypeError(f"{name} must hold real numbers, got a tensor of {value.dtype}")
    return value.detach().to("cpu", torch.float64)


def _noisy(weights: Weights, noise: Weights, draws: int, seed: int, together: int) -> Iterator[Weights]:
    """Yield weights with noise, draw by draw, in stacks of at most so many."""
    single = all(weight.dtype != torch.float64 for weight in weights.values())
    dtype, device = torch.float32 if single else torch.float64, next(iter(weights.values())).device
    sizes = torch.cat([noise[name].flatten() for name in weights]).to(device, dtype)
    centre = torch.cat([weight.flatten().to(dtype) for weight in weights.values()])
    generator = torch.Generator().manual_seed(seed)
    for first in range(0, draws, together):
        # One after the other, as what a generator draws for several at once depends on how many they are.
        drawn = torch.stack(
            [torch.randn(len(sizes), generator=generator, dtype=dtype) for _ in range(min(together, draws - first))]
        )
        moved = drawn.to(device).mul_(sizes).add_(centre).split([weight.numel() for weight in weights.values()], dim=1)
        yield {
            name: part.reshape(-1, *weight.shape).to(weight.dtype)
            for part, (name, weight) in zip(moved, weights.items(), strict=True)
        }


def _rises(problem: PerturbedLoss, stack: Weights, order: Iterator[Array] | None) -> torch.Tensor:
    """Return by how much the loss rises for networks, [R]: on all rows, or for each on the next batch."""
    if order is None:
        return problem.means(stack, problem.x, problem.y) - problem.value
    networks = len(next(iter(stack.values())))
    rows = torch.from_numpy(np.array(list(islice(order, networks)))).to(problem.x.device)
    after = problem.means(stack, problem.x[rows], problem.y[rows], shared=False)
    return after - problem.of_rows[rows].mean(1)


def _closed_form(problem: PerturbedLoss, noise: Weights) -> float:
    """Return the expected sharpness in closed form.

    Raises:
        ValueError: if none is known.
    """
    if problem.loss == "cross_entropy" or problem.loss == "zero_one":
        raise ValueError(f"exact=True needs a squared loss, 'half_mean', 'mean' or 'mse_loss', got {problem.loss!r}")
    pair = two_relu_layers(problem.model)
    if pair is not None:
        return _of_two_relu_layers(problem, noise, *pair, problem.loss)
    layers = linear_layers(problem.model)
    names = {id(p): name for name, p in problem.model.named_parameters()}
    points = problem.x.detach().to("cpu", torch.float64).flatten(1).numpy()
    if not layers or points.shape[1] != layers[0].in_features:
        raise ValueError("exact=True needs linear layers on whole inputs, got one that is put to parts of them")
    matrices: list[Array] = []
    sizes: list[float] = []
    for number, layer in enumerate(layers):
        matrix = layer.weight.detach().to("cpu", torch.float64).numpy()
        used = [layer.weight]
        if layer.bias is not None:
            if number:
                raise ValueError("exact=True needs biases in the first layer alone, got one in another")
            used.append(layer.bias)
            matrix = np.column_stack([matrix, layer.bias.detach().to("cpu", torch.float64).numpy()])
            points = np.column_stack([points, np.ones(len(points))])
        found = [noise.get(names[id(p)], torch.zeros(1, dtype=torch.float64)) for p in used]  # frozen: without noise
        alike = torch.cat([part.flatten() for part in found])
        if bool((alike != alike[0]).any()):
            raise ValueError("exact=True needs one standard deviation for all weights of a layer, got several")
        matrices.append(matrix)
        sizes.append(float(alike[0]))
    # A quadratic form in x: its sum over the data is that over the rows of R, X = QR.
    few = np.linalg.qr(points, mode="r")
    total = math.fsum(linear_expected_sharpness(matrices, sizes, row) for row in few)
    return total / len(points) * output_scale(problem.loss, len(matrices[-1]))


def _of_two_relu_layers(
    problem: PerturbedLoss, noise: Weights, first: nn.Linear, second: nn.Linear, loss: ModelLoss
) -> float:
    """Return the expected sharpness of V [W x + b]_+ + c: what enters the hidden units is normal and independent.

    With m and s the mean and the standard deviation of z, t = m/s and r = phi(t) - |t| Phi(-|t|),

        E[z]_+ = [m]_+ + s r,    E[z]_+^2 = (m^2 + s^2) Phi(t) + m s phi(t),

    the latter less the square of the former being, for t >= 0, s^2 (1 + (t^2 - 1) Phi(-t) - t phi(t) - r^2).

    Raises:
        ValueError: if the first layer is put to parts of the inputs.
    """
    names = {id(p): name for name, p in problem.model.named_parameters()}
    x = problem.x.detach().to("cpu", torch.float64).flatten(1).numpy()
    if x.shape[1] != first.in_features:
        raise ValueError("exact=True needs linear layers on whole inputs, got one that is put to parts of them")

    def of(parameter: torch.Tensor | None, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Return values and variances of the noise, 0 where nothing is or what is frozen."""
        if parameter is None:
            return np.zeros(shape), np.zeros(shape)
        values: Array = parameter.detach().to("cpu", torch.float64).numpy()
        found = noise.get(names[id(parameter)])
        return values, np.zeros(shape) if found is None else found.numpy() ** 2

    W, W_noise = of(first.weight, first.weight.shape)
    b, b_noise = of(first.bias, (first.out_features,))
    V, V_noise = of(second.weight, second.weight.shape)
    c, c_noise = of(second.bias, (second.out_features,))
    m = x @ W.T + b
    s = np.sqrt(x**2 @ W_noise.T + b_noise)
    t = np.divide(m, s, out=np.where(m >= 0, np.inf, -np.inf), where=s > 0)
    size = np.minimum(np.abs(t), 1e3)  # beyond it the normal density is 0 in floats
    density, tail = np.exp(-(size**2) / 2) / math.sqrt(2 * math.pi), ndtr(-size)
    r = density - size * tail
    hidden, risen = np.maximum(m, 0.0), s * r
    above = 1 + (size**2 - 1) * tail - size * density - r**2
    below = (size**2 + 1) * tail - size * density - r**2
    variance = s**2 * np.maximum(np.where(m >= 0, above, below), 0.0)
    f = hidden @ V.T + c
    moved = risen @ V.T  # E f - f
    spread = variance @ (V**2).T + (variance + (hidden + risen) ** 2) @ V_noise.T + c_noise
    y = problem.y.detach().to("cpu", torch.float64).numpy().reshape(f.shape)
    total = math.fsum((moved * (moved + 2 * (f - y)) + spread).ravel())
    return total / len(x) * output_scale(loss, len(c))
