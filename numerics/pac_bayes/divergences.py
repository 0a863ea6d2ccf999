"""How far noise on the weights of a network is from a prior: the divergence in a PAC-Bayes bound, and the printed one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from numerics.geometric_complexity.modules import checked_module
from numerics.perturbation.expected import deviations
from theory.checks import Array, positive, sequence
from theory.conditions import AssumptionError
from theory.enclosure import EPS
from theory.neyshabur2017 import gaussian_divergence

PRIOR_DEVIATIONS: tuple[float, ...] = tuple(float(p) for p in np.geomspace(1e-4, 10.0, 401))
"""Standard deviations that a prior may have, fixed without looking at any data; the logarithm of their number is 6."""

DATA_FREE = "the prior does not depend on the training set"
"""The assumption of every PAC-Bayes bound that the paper's choice of prior fails (N7.b)."""


@dataclass(frozen=True)
class Divergence:
    """KL(N(w, diag s_i^2) || P), in nats.

    Attributes:
        value: the divergence, rounded up.
        prior_deviation: p of the prior P = N(w_0, p^2 I); None where P has the standard deviations of the perturbation.
        priors: G, how many priors were fixed beforehand, of which this is the nearest.
        failing: what keeps it out of a bound: why `DATA_FREE` does not hold; "" if nothing that can be seen.
    """

    value: float
    prior_deviation: float | None
    priors: int
    failing: str = ""


def divergence_from_prior(
    model: Any,
    std: float | Mapping[str, Any],
    prior_deviations: Any = PRIOR_DEVIATIONS,
    *,
    start: Any = None,
) -> Divergence:
    """Return the least KL(N(w, diag s_i^2) || N(w_0, p^2 I)) over the p of a list that was fixed beforehand (N7.c, B19).

    A bound needs w_0 and the list to be chosen without the training set: w_0 the weights at initialisation, say. That they
    were is taken from the caller. With one p, no start and s_i = p it is |w|^2/(2 p^2), the term of eq (8).

    Args:
        model: in eval mode. Its weights are the parameters that require a gradient.
        std: s_i, one number for all weights, or by name of the parameter a number or an array of its shape; above 0. They
            may depend on the weights (`numerics.perturbation.weight_scaled_std`).
        prior_deviations: p, a number, or a sequence of G different ones; above 0.
        start: the module at the mean w_0 of the prior, with the parameters that the model has; None for 0.

    Raises:
        TypeError: if `model` or `start` is no module, or a number is none.
        ValueError: if sizes do not fit, a number is out of its range, or a parameter is not finite.
        AssumptionError: if the model has running statistics, other buffers of floats or frozen parameters that are not those
            of the start: no noise is on them, so that the prior, a law over functions, would depend on the training set.
            Fold batch norm first, `numerics.capacity.fold_batch_norm`, in both.

    Example:
        >>> import torch
        >>> from numerics.pac_bayes import divergence_from_prior
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> _ = model.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
        >>> round(divergence_from_prior(model, 0.5, 0.5).value, 9)
        50.0
    """
    given = [prior_deviations] if isinstance(prior_deviations, (int, float, np.number)) else prior_deviations
    choices = sorted(float(positive("prior_deviations", p)) for p in sequence("prior_deviations", given, fewest=1))
    if len(set(choices)) < len(choices):
        raise ValueError(f"prior_deviations must be different numbers, got {choices}")
    weights, spread = weights_of(model), deviations_of(model, std)
    from_start = weights if start is None else weights - _start_of(model, start)
    _require_same_rest(model, start)
    # It falls in p up to the root of the mean of m_i^2 + s_i^2, and rises from there.
    turn = math.sqrt(float((from_start.square() + spread.square()).mean()))
    place = int(np.searchsorted(choices, turn))
    near = choices[max(place - 1, 0) : place + 1]
    least, p = min((_divergence(from_start, spread, p), p) for p in near)
    return Divergence(least, p, len(choices))


def divergence_as_printed(
    model: Any, std: float | Mapping[str, Any], *, half: bool = True, fixed: bool = False
) -> Divergence:
    """Return sum_i w_i^2/(2 s_i^2), the divergence after eq (8); without the half that of appendix A and Figure 2 (N20).

    That of the perturbed weights from N(0, diag s_i^2). With s_i that depend on the weights this is no prior (N7.b): unless
    they are `fixed`, the result says so, and the bounds refuse it.

    Args:
        model: in eval mode. Its weights are the parameters that require a gradient.
        std: s_i, as in `divergence_from_prior`. One number counts as fixed beforehand.
        half: whether the factor 1/2 is there, as it has to be for a divergence.
        fixed: whether the s_i were fixed without looking at the training set, so that they may be the prior's.

    Raises:
        TypeError: if `model` is no module, or a number is none.
        ValueError: if sizes do not fit, a number is out of its range, or a parameter is not finite.

    Example:
        >>> import torch
        >>> from numerics.pac_bayes import divergence_as_printed
        >>> from numerics.perturbation import weight_scaled_std
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> _ = model.weight.data.fill_(1.0)
        >>> s = weight_scaled_std(model, 1.0)
        >>> found = divergence_as_printed(model, s), divergence_as_printed(model, s, half=False)
        >>> [round(one.value * 121, 6) for one in found]
        [0.5, 1.0]
    """
    spread = deviations_of(model, std)
    one = torch.ones(1, dtype=torch.float64)
    value = _divergence(weights_of(model) / spread, one.expand(len(spread)), 1.0)
    alike = float(spread.min()) == float(spread.max())
    why = "" if alike or fixed else "its standard deviations are those of the perturbation, not fixed beforehand"
    if not half:
        return Divergence(2 * value, None, 1, "the number is twice a divergence" + (f", and {why}" if why else ""))
    return Divergence(value, float(spread[0]) if alike else None, 1, why)


def weights_of(model: Any) -> torch.Tensor:
    """Return the parameters of a module that require a gradient, in float64 on the CPU, end to end, [n]; shared ones once.

    Raises:
        TypeError: if it is no module.
        ValueError: if there is none, one is not finite, or batch norm or dropout is in training mode.
    """
    parts = [p.reshape(-1).to("cpu", torch.float64) for p in named_weights(checked_module(model)).values()]
    if not sum(len(part) for part in parts):
        raise ValueError("model must have parameters that require a gradient, got none")
    return torch.cat(parts)


def named_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the parameters of a module that require a gradient, by name, each once."""
    return {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}


def deviations_of(model: nn.Module, std: float | Mapping[str, Any]) -> torch.Tensor:
    """Return a standard deviation for each weight of a module, end to end, float64 [n].

    Raises:
        TypeError: if one is no real number.
        ValueError: if they do not fit the parameters, or one is not finite or not above 0.
    """
    if not isinstance(std, Mapping):
        positive("std", std)
    found = deviations(named_weights(model), std)
    for name, sizes in found.items():
        if not bool((sizes > 0).all()):
            raise ValueError(f"std[{name!r}] must be above 0, got {float(sizes.min())}")
    return torch.cat([sizes.reshape(-1) for sizes in found.values()])


def _start_of(model: nn.Module, start: Any) -> torch.Tensor:
    """Return the weights of the start.

    Raises:
        TypeError: if it is no module.
        ValueError: if its parameters are not those of the model in name and shape, or one is not finite.
    """
    checked_module(start)
    mine, other = ({name: tuple(p.shape) for name, p in one.named_parameters()} for one in (model, start))
    if list(mine.items()) != list(other.items()):
        odd = sorted(name for name in {*mine, *other} if mine.get(name) != other.get(name)) or sorted(mine)
        name = odd[0]
        raise ValueError(
            f"start must have the parameters of model, got {other.get(name, 'none')} for {name}, {mine.get(name, 'none')}"
        )
    there = dict(start.named_parameters())
    return torch.cat([there[name].detach().reshape(-1).to("cpu", torch.float64) for name in named_weights(model)])


def _require_same_rest(model: nn.Module, start: nn.Module | None) -> None:
    """Do nothing if the buffers of floats and the frozen parameters of the model are those of the start.

    Raises:
        AssumptionError: if not.
    """
    others = {} if start is None else {**dict(start.named_buffers()), **dict(start.named_parameters())}
    frozen = {name: p for name, p in model.named_parameters() if not p.requires_grad}
    for name, value in {**dict(model.named_buffers()), **frozen}.items():
        if not value.is_floating_point():
            continue
        other = others.get(name)
        if other is None or other.shape != value.shape or not bool((other.to(value) == value).all()):
            kind, hint = ("parameter", "") if name in frozen else ("buffer", ": fold batch norm")
            raise AssumptionError("B19", DATA_FREE, f"a {kind} {name!r} without noise that start has not{hint}")


def _divergence(means: torch.Tensor, deviations: torch.Tensor, prior: float) -> float:
    """Return KL(N(means, diag deviations^2) || N(0, prior^2 I)), rounded up.

    The formula of `gaussian_divergence` is linear in m_i^2 + s_i^2 and ln s_i: it is n times that of one weight with their
    averages, whose standard deviation is the geometric mean g of all, and m^2 the mean of m_i^2 + s_i^2 less g^2.
    """
    n, up = len(means), 1 + 8 * EPS
    squares, spread = _mean(means.square().numpy()) * up, deviations.numpy()
    middle = float(spread[0])
    if not np.all(spread == middle):
        logs = np.log(spread)
        middle = math.exp(_mean(logs) - 8 * EPS * (1 + _mean(np.abs(logs)))) * (1 - 4 * EPS)
        squares = max(math.nextafter((squares + _mean(spread**2)) * up - middle**2 * (1 - EPS), math.inf), 0.0)
    mean = math.nextafter(math.sqrt(squares), math.inf) if squares else 0.0
    return (
        math.nextafter(n * gaussian_divergence([mean], [middle], prior), math.inf) if mean or middle != prior else 0.0
    )


def _mean(values: Array | Sequence[float]) -> float:
    """Return the mean of floats, rounded but for their own errors a few times only."""
    return math.fsum(values) / len(values)
