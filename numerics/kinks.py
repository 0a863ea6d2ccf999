"""Where a module is not smooth: the functions that are known to have kinks, and what differences of values say of others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from theory.checks import Array

AT_KINK = 64 * float(np.finfo(np.float64).eps)
"""A pre-activation in float64 so near to a kink, relative to the largest of its layer, counts as at it."""

MOVE = 1e-8
"""How far numbers are moved, relative to their size, to see what is at a kink only as they are."""

ABOVE_NOISE = 30.0
"""A second difference is a kink's if it is so many times those beside it."""

Distances = Callable[..., list[torch.Tensor]]


def _from(*places: float) -> Distances:
    """Return a function to the distances from fixed kinks."""
    return lambda z, *_, **__: [z - place for place in places]


def _from_given(most: int, *places: float) -> Distances:
    """Return a function to the distances from up to `most` kinks that are arguments, `places` if none is; None is none."""

    def distances(z: torch.Tensor, *args: Any, **kwargs: Any) -> list[torch.Tensor]:
        stated = [*args, *(kwargs[name] for name in ("min_val", "max_val", "min", "max") if name in kwargs)][:most]
        return [z - place for place in (*stated, *places[len(stated) :]) if place is not None]

    return distances


def _shrinking(z: torch.Tensor, place: float = 0.5) -> list[torch.Tensor]:
    return [z - place, z + place]


_NAMES: Mapping[Distances, tuple[str, ...]] = {
    _from(0.0): (
        "relu",
        "relu_",
        "leaky_relu",
        "leaky_relu_",
        "rrelu_with_noise",
        "_prelu_kernel",
        "abs",
        "abs_",
        "sign",
    ),
    _from(-3.0, 3.0): ("hardsigmoid", "hardsigmoid_", "hardswish", "hardswish_"),
    _shrinking: ("hardshrink", "softshrink"),
    _from_given(2, -1.0, 1.0): ("hardtanh", "hardtanh_"),
    _from_given(2): ("clamp", "clamp_", "clamp.Tensor"),
    _from_given(1): (
        *("clamp_min", "clamp_min_", "clamp_max", "clamp_max_", "clamp_min.Tensor", "clamp_max.Tensor"),
        *("threshold", "threshold_", "maximum", "minimum", "fmax", "fmin"),
        # what branches is not seen, only what is compared
        *(f"{name}.{kind}" for name in ("gt", "ge", "lt", "le") for kind in ("Scalar", "Tensor")),
    ),
}


def _overloads(names: Iterable[str]) -> list[Any]:
    pairs = (name.partition(".") for name in names)
    return [getattr(getattr(torch.ops.aten, name), overload or "default") for name, _, overload in pairs]


KINKED: Mapping[Any, Distances] = {
    function: distances for distances, names in _NAMES.items() for function in _overloads(names)
}
"""Functions of a number with kinks, or that others may branch on, and how far their inputs are from each."""

BENT: Mapping[Any, Distances] = {function: _from(0.0) for function in _overloads(("elu", "elu_", "celu", "celu_"))}
"""Those whose first derivative has the kink."""

POOLED = torch.ops.aten.max_pool2d_with_indices.default
"""It has a kink where the two largest numbers of a window are equal."""


class Kinks(TorchDispatchMode):
    """Keeps for each function with a kink where its inputs are on it, to rounding in float64 and exactly otherwise.

    `near` has a mask for each kink that was gone by, `above` says on which side of it the inputs were.

    Args:
        twice: whether kinks of the first derivative count.
    """

    def __init__(self, *, twice: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.near: list[torch.Tensor] = []
        self.above: list[torch.Tensor] = []
        self._known = {**KINKED, **BENT} if twice else KINKED

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the function."""
        if func is POOLED:
            self.near.append(_tied(*args))
        elif func in self._known and args[0].is_floating_point():
            first, *others = (a.detach() if isinstance(a, torch.Tensor) else a for a in args)
            for distance in self._known[func](first, *others, **(kwargs or {})):
                self.near.append(_zero(distance, first))
                self.above.append(distance > 0)
        return func(*args, **(kwargs or {}))


def _zero(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if values.dtype != torch.float64 or not like.numel():
        return values == 0
    return values.abs() <= AT_KINK * like.abs().max()


def _tied(
    values: torch.Tensor, size: list[int], stride: Iterable[int] = (), padding: Any = 0, dilation: Any = 1, *_: Any
) -> torch.Tensor:
    """Return for each window of a max-pooling whether its two largest numbers are equal, [n, c, windows]."""
    both = [padding] * 2 if isinstance(padding, int) else list(padding) * (2 // len(padding))
    padded = nn.functional.pad(values, (both[1], both[1], both[0], both[0]), value=torch.finfo(values.dtype).min)
    maps, steps = padded.reshape(-1, 1, *padded.shape[-2:]), tuple(stride) or tuple(size)
    windows = nn.functional.unfold(maps, tuple(size), dilation, 0, steps)
    if windows.shape[1] < 2:
        return torch.zeros(len(values), 1, dtype=torch.bool, device=values.device)
    top = torch.topk(windows, 2, dim=1).values
    return _zero(top[:, 0] - top[:, 1], top[:, 0]).reshape(*values.shape[:-2], -1)


def only_here(here: Kinks, one: Kinks, other: Kinks) -> list[torch.Tensor] | None:
    """Return where inputs are on a kink that are not if things are moved a little, one way and the other, a mask each.

    What stays exactly where it was either way does so on a neighbourhood, or at least on one side of a kink that is counted
    elsewhere, as where ReLUs that are off tie in a max-pooling. None where the three did not go by the same functions.
    """
    lists = here.near, one.near, other.near
    shapes = {tuple(tuple(near.shape) for near in found) for found in lists}
    if len(shapes) > 1:
        return None
    return [near & ~first & ~second for near, first, second in zip(*lists, strict=True)]


def crossed(one: Kinks, other: Kinks) -> bool:
    """Return whether a kink lies between the two, that of a known function, or they did not go by the same functions."""
    pairs = list(zip(one.above, other.above, strict=False))
    if len(one.above) != len(other.above) or any(first.shape != second.shape for first, second in pairs):
        return True
    return any(bool((first != second).any()) for first, second in pairs)


def stand_out(values: Array) -> Array:
    """Return which of m functions have a kink in the middle of five equidistant values, [5, m], as far as these can tell.

    Second differences of a smooth function are alike in the middle and beside it, or noise. A kink in the middle stands out,
    one beside it does not.
    """
    size = np.max(np.abs(values))
    if not 0 < size < np.inf:
        return np.zeros(values.shape[1], dtype=bool)
    before, middle, after = np.abs(np.diff(values / size, n=2, axis=0))
    beside = np.maximum(before, after)
    found: Array = middle > ABOVE_NOISE * np.maximum(beside, np.median(beside)) + AT_KINK
    return found
