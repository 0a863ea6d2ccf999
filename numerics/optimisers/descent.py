"""SGD by the winsorised mean, and by the median of means, of the gradients of a batch's examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch.optim.optimizer import Optimizer, ParamsT

from numerics.optimisers.gradients import ConvolutionGradients, Gradients, LinearGradients, StoredGradients
from theory.checks import count, nonnegative, positive
from theory.walker2023.descent_bounds import level_of

MEMORY = 2**24
"""Bytes that the sorting takes, unless told otherwise: about what caches hold."""

COPIES = 4
"""How often a part of the gradients is held while it is sorted: as it is, transposed, sorted, and on GPUs its places."""


class WinsorizedSGD(Optimizer):
    """Plain SGD along the winsorised mean of the gradients of a batch's examples (walker2023, section 5.5.1; W12).

    In each coordinate the m gradients of the batch are clipped to their c-th and (100 - c)-th percentile, interpolated
    linearly, before they are averaged. c = 0 is SGD, c = 50 goes along the median. If at most
    c (m - 1) / 100 examples are outliers, no coordinate of the mean lies beyond what the others span (W12.b). The report has
    neither momentum nor weight decay.

    Args:
        params: as for `torch.optim.SGD`; groups may have an lr, level and memory of their own.
        lr: the step size, above 0.
        level: c, from 0 to 50.
        memory: bytes that sorting may take beside the gradients; a coordinate at least is sorted at once.

    Raises:
        TypeError: if a number has the wrong type.
        ValueError: if a number is out of its range.

    Example:
        >>> import torch
        >>> from numerics.optimisers import WinsorizedSGD, per_example_gradients
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> torch.nn.init.zeros_(model.weight).requires_grad
        True
        >>> optimiser = WinsorizedSGD(model.parameters(), lr=0.5, level=25)
        >>> x, y = torch.ones(5, 1), torch.tensor([[1.0], [1.0], [1.0], [1.0], [-100.0]])
        >>> optimiser.step(per_example_gradients(model, x, y, torch.nn.functional.mse_loss))
        >>> model.weight.item()
        1.0
    """

    def __init__(self, params: ParamsT, lr: float = 1e-3, level: float = 10, *, memory: int = MEMORY) -> None:
        """Take parameters and settings."""
        super().__init__(params, {"lr": positive("lr", lr), "level": level, "memory": memory})
        for group in self.param_groups:
            _level(group)

    @torch.no_grad()
    def step(self, gradients: Iterable[Gradients] | None = None) -> None:  # type: ignore[override]
        """Make a step.

        Args:
            gradients: of the m examples of a batch, [m, *shape], one for each parameter that requires a gradient, in their
                order: what `per_example_gradients` returns, or tensors. nan or inf among the gradients of a coordinate
                makes it nan.

        Raises:
            TypeError: if gradients is a closure or missing, or holds what is no tensor of floats.
            ValueError: if one is missing, sparse, of another shape or device, or their m differ. Nothing has moved then.
        """
        pairs = _paired(self.param_groups, gradients)
        levels = [_level(group) for group, _, _ in pairs]
        for (group, parameter, found), level in zip(pairs, levels, strict=True):
            _descend(parameter, found, group, found.shape[0] if level else 1, level)


class MedianOfMeansSGD(Optimizer):
    """Plain SGD along the median of the means of k groups of a batch's gradients (walker2023, section 5.5.1; W12.c).

    The groups are of consecutive examples, and the median is taken in each coordinate; for even k it is the mean of the
    middle two. If fewer than k / 2 groups have outliers, it lies between the means of the other groups. k = m is the median
    of the examples.

    Args:
        params: as for `torch.optim.SGD`; groups may have an lr, groups and memory of their own.
        lr: the step size, above 0.
        groups: k, at least 2; divides the number of examples in every batch.
        memory: bytes that sorting may take beside the gradients; a coordinate at least is sorted at once.

    Raises:
        TypeError: if a number has the wrong type.
        ValueError: if a number is out of its range.

    Example:
        >>> import torch
        >>> from numerics.optimisers import MedianOfMeansSGD
        >>> weight = torch.nn.Parameter(torch.zeros(1))
        >>> optimiser = MedianOfMeansSGD([weight], lr=1, groups=3)
        >>> optimiser.step([torch.tensor([[0.0], [2.0], [1.0], [3.0], [4.0], [100.0]])])
        >>> weight.item()
        -2.0
    """

    def __init__(self, params: ParamsT, lr: float = 1e-3, groups: int = 5, *, memory: int = MEMORY) -> None:
        """Take parameters and settings."""
        super().__init__(params, {"lr": positive("lr", lr), "groups": groups, "memory": memory})
        for group in self.param_groups:
            _groups(group)

    @torch.no_grad()
    def step(self, gradients: Iterable[Gradients] | None = None) -> None:  # type: ignore[override]
        """Make a step.

        Args:
            gradients: of the m examples of a batch, [m, *shape], one for each parameter that requires a gradient, in their
                order: what `per_example_gradients` returns, or tensors. nan or inf among the means of a coordinate makes it
                nan.

        Raises:
            TypeError: if gradients is a closure or missing, or holds what is no tensor of floats.
            ValueError: if one is missing, sparse, of another shape or device, their m differ, or k does not divide m.
                Nothing has moved then.
        """
        pairs = _paired(self.param_groups, gradients)
        counts = [_groups(group, found.shape[0]) for group, _, found in pairs]
        for (group, parameter, found), groups in zip(pairs, counts, strict=True):
            _descend(parameter, found, group, groups, 50)


def _level(group: dict[str, Any]) -> float:
    """Return the level of winsorisation of a group of parameters.

    Raises:
        TypeError: if a setting has the wrong type.
        ValueError: if a setting is missing or out of its range.
    """
    _check_settings(group, "level")
    return float(level_of("level", group["level"]))


def _groups(group: dict[str, Any], m: int | None = None) -> int:
    """Return into how many groups the m examples are put.

    Raises:
        TypeError: if a setting has the wrong type.
        ValueError: if a setting is missing or out of its range, or does not divide m.
    """
    _check_settings(group, "groups")
    k = count("groups", group["groups"])
    if k == 1:
        raise ValueError("groups must be at least 2, got 1, the mean of which is SGD: use torch.optim.SGD")
    if m is not None and k > m:
        raise ValueError(f"groups must be at most the number of examples in the batch, {m}, got {k}")
    if m is not None and m % k:
        raise ValueError(
            f"groups must divide the number of examples in the batch, {m}, got {k}: drop a short last batch"
        )
    return k


def _check_settings(group: dict[str, Any], name: str) -> None:
    """Check what both optimisers have.

    Raises:
        TypeError: if a setting has the wrong type.
        ValueError: if a setting is missing, as after loading another optimiser's state, or out of its range.
    """
    for setting in ("lr", name, "memory"):
        if setting not in group:
            raise ValueError(f"parameter groups must have {setting!r}, got {sorted(set(group) - {'params'})}")
    nonnegative("lr", group["lr"])  # schedules may end in 0
    count("memory", group["memory"])


def _paired(
    settings: list[dict[str, Any]], gradients: Iterable[Gradients] | None
) -> list[tuple[dict[str, Any], torch.Tensor, Gradients]]:
    """Return the parameters that require a gradient, with their settings and gradients.

    Raises:
        TypeError: if gradients is a closure or missing, or holds what is no tensor of floats.
        ValueError: if one is missing, sparse, or of another shape or device, or the numbers of examples differ.
    """
    wanted = "must be the gradients of the examples, one tensor [m, ...] a parameter, see per_example_gradients"
    if gradients is None or callable(gradients):
        got = "none: p.grad holds but their mean" if gradients is None else "a closure, which finds but their mean"
        raise TypeError(f"gradients {wanted}, got {got}")
    if isinstance(gradients, torch.Tensor) or not isinstance(gradients, Iterable):
        raise TypeError(f"gradients {wanted}, got one {type(gradients).__name__}")
    parameters = [(group, p) for group in settings for p in group["params"] if p.requires_grad]
    given = list(gradients)
    if len(given) != len(parameters):
        raise ValueError(
            f"gradients must hold one tensor for each of the {len(parameters)} parameters that require a gradient, "
            f"got {len(given)}"
        )
    pairs = [(group, p, found) for (group, p), found in zip(parameters, given, strict=True)]
    for index, (_, parameter, found) in enumerate(pairs):
        name = f"gradients[{index}]"
        if found is None:
            raise ValueError(f"{name} must be a tensor, got None: freeze a parameter that is not trained")
        if not isinstance(found, (torch.Tensor, LinearGradients, ConvolutionGradients)):
            raise TypeError(f"{name} must be a tensor, got {type(found).__name__}")
        if isinstance(found, torch.Tensor) and found.layout != torch.strided:
            raise ValueError(f"{name} must be dense, got {found.layout}")
        if not found.dtype.is_floating_point:
            raise TypeError(f"{name} must hold floats, got {found.dtype}")
        m = given[0].shape[0] if len(given[0].shape) else 0
        if m < 1 or tuple(found.shape) != (m, *parameter.shape):
            expected = f"[{max(m, 1)}, {', '.join(map(str, parameter.shape))}]".replace(", ]", "]")
            raise ValueError(f"{name} must have shape {expected}, one row an example, got {tuple(found.shape)}")
        if found.device != parameter.device:
            raise ValueError(f"{name} must be on {parameter.device}, the device of its parameter, got {found.device}")
    return pairs


def _descend(
    parameter: torch.Tensor, gradients: Gradients, settings: dict[str, Any], groups: int, level: float
) -> None:
    """Go a step along the winsorised mean of the means of groups of gradients."""
    rows, columns = (parameter.shape[0], parameter.shape[1:].numel()) if parameter.ndim > 1 else (parameter.numel(), 1)
    known: StoredGradients | LinearGradients | ConvolutionGradients
    if isinstance(gradients, torch.Tensor):
        known = StoredGradients(gradients.detach().reshape(len(gradients), rows, columns))
    else:
        known = gradients
    most = int(settings["memory"]) // (COPIES * max(known.dtype.itemsize, 4) * groups)
    direction = torch.empty(rows, columns, dtype=known.dtype, device=parameter.device)
    for part in _parts(rows, columns, max(most, 1)):
        means = known.means(groups, *part)
        direction[part] = winsorised(means.flatten(1), level).reshape(means.shape[1:]).to(direction)
    parameter.sub_(direction.reshape(parameter.shape).to(parameter), alpha=float(settings["lr"]))


def _parts(rows: int, columns: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Yield parts of a matrix of at most so many entries: whole rows, or pieces of one."""
    high, wide = max(1, most // max(columns, 1)), min(most, columns)
    for row in range(0, rows, high):
        for column in range(0, columns, wide):
            yield slice(row, min(row + high, rows)), slice(column, min(column + wide, columns))


def winsorised(values: torch.Tensor, level: float) -> torch.Tensor:
    """Return the mean of values clipped, column by column, to the c-th and (100 - c)-th percentile of theirs.

    Args:
        values: [m, n], of floats; those of half precision are summed in float32.
        level: c, from 0 to 50.

    Returns:
        [n]; nan where a value is nan or inf, unless c = 0.
    """
    values = values if values.dtype.itemsize >= 4 else values.float()
    m = len(values)
    if level == 0 or m == 1:
        return values.mean(0)
    # numpy's sort is ten times as fast as that of torch on CPUs.
    on_cpu = values.device.type == "cpu"
    ordered = torch.from_numpy(np.sort(values.numpy(), axis=0)) if on_cpu else values.sort(0).values
    weights = torch.from_numpy(order_weights(m, level)).to(ordered)
    # nan and inf are first or last, and may have weight 0.
    spoilt = 0 * (ordered[0] + ordered[-1])
    return weights @ ordered + spoilt


def order_weights(m: int, level: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights [m] of sorted values in their winsorised mean.

    What lies at place i is put at place min(max(i, p), m - 1 - p), p = c (m - 1) / 100, between two of the sorted values.

    Args:
        m: how many values, at least 1.
        level: c, from 0 to 50.
    """
    place = level * (m - 1) / 100
    places = np.clip(np.arange(m), place, m - 1 - place)
    below = places.astype(int)
    above, share = np.minimum(below + 1, m - 1), places - below
    return (np.bincount(below, 1 - share, m) + np.bincount(above, share, m)) / m
