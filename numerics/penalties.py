"""Explicit penalties on the smoothness of a two-layer ReLU network, with hand-written gradients (volhejn2020, eq 4.5).

What they estimate is defined in `numerics.smoothness`, in a form that automatic differentiation understands; here are
the gradients alone, for one network or, with a leading axis, for many at once. Activation patterns count as constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch

from theory.checks import positive

Measure = Literal["GN", "PL0", "PL1", "WP"]
"""Gradient norm, function path length, gradient path length, weights product (volhejn2020, eqs 3.1, 3.4, 3.7, 3.8)."""


@dataclass(frozen=True)
class Penalty:
    """The term `coefficient` x `measure` in the loss, estimated on each batch (volhejn2020, eqs 4.5-4.7).

    The path lengths are means over the pairs (i, i + k // 2) of a batch of k points.

    Attributes:
        measure: what is penalised.
        coefficient: lambda, above 0; on the scale of the loss that training is asked to use.
        points_per_segment: points on each segment for the path lengths, at least 2.
    """

    measure: Measure
    coefficient: float
    points_per_segment: int = 10

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            TypeError: if `coefficient` is no real number or `points_per_segment` no integer.
            ValueError: if the measure is unknown, or a number out of its range.
        """
        if self.measure not in get_args(Measure):
            raise ValueError(f"measure must be one of {', '.join(map(repr, get_args(Measure)))}, got {self.measure!r}")
        positive("coefficient", self.coefficient)
        if isinstance(self.points_per_segment, bool) or not isinstance(self.points_per_segment, int):
            raise TypeError(f"points_per_segment must be an integer, got {self.points_per_segment!r}")
        if self.points_per_segment < 2:
            raise ValueError(f"points_per_segment must be at least 2, got {self.points_per_segment}")


class Gradient(NamedTuple):
    """The gradient of a measure in z and w2, and in w1 by its parts: left^T right + rows w1. None stands for zero.

    Attributes:
        z: in the pre-activations of the batch, or of its first points, [..., B, h].
        w2: in the output weights, [..., h].
        left: one factor of the part of low rank, [..., m, h].
        right: the other, [..., m, d].
        rows: a factor for each row of w1, [..., h].
    """

    z: torch.Tensor | None = None
    w2: torch.Tensor | None = None
    left: torch.Tensor | None = None
    right: torch.Tensor | None = None
    rows: torch.Tensor | None = None


def gradient(penalty: Penalty, w1: torch.Tensor, w2: torch.Tensor, z: torch.Tensor) -> Gradient:
    """Return the gradient of the penalty's measure on a batch, without its coefficient.

    Args:
        penalty: which measure.
        w1: input weights, [..., h, d].
        w2: output weights, [..., h].
        z: pre-activations of the batch, [..., B, h].
    """
    if penalty.measure == "WP":
        return _weights_product(w1, w2)
    if penalty.measure == "GN":
        return _gradient_norm(w1, w2, z)
    half = z.shape[-2] // 2
    if half == 0:
        return Gradient()
    t = torch.linspace(0, 1, penalty.points_per_segment, dtype=z.dtype, device=z.device)[:, None, None]
    # Pre-activations are affine along a segment, so its points need no product with the inputs: [..., P, B/2, h].
    first, second = z[..., None, :half, :], z[..., None, half : 2 * half, :]
    along = torch.lerp(first, second, t)
    return _function_path(w2, along, t) if penalty.measure == "PL0" else _gradient_path(w1, w2, along)


def where_active(z: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Return values where the pre-activations z, of the same shape, are above 0, and 0 elsewhere, in one pass."""
    masked: torch.Tensor = torch.ops.aten.threshold_backward(values, z, 0.0)
    return masked


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    """Return vectors [..., d] divided by their norms, and 0 for 0."""
    norms = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return torch.where(norms > 0, vectors / norms, 0.0)


def _weights_product(w1: torch.Tensor, w2: torch.Tensor) -> Gradient:
    norms = torch.linalg.vector_norm(w1, dim=-1)
    return Gradient(w2=w2.sign() * norms, rows=torch.where(norms > 0, w2.abs() / norms, 0.0))


def _gradient_norm(w1: torch.Tensor, w2: torch.Tensor, z: torch.Tensor) -> Gradient:
    active = (z > 0).to(z.dtype)
    parts = active * w2[..., None, :]
    direction = _unit(parts @ w1) / z.shape[-2]
    return Gradient(w2=(active * (direction @ w1.mT)).sum(-2), left=parts, right=direction)


def _function_path(w2: torch.Tensor, along: torch.Tensor, t: torch.Tensor) -> Gradient:
    values = along.clamp(min=0.0)
    f = (values @ w2[..., None, :, None])[..., 0]  # [..., P, B/2]
    signs = (f[..., 1:, :] - f[..., :-1, :]).sign() / f.shape[-1]
    zero = torch.zeros_like(f[..., :1, :])
    weight = torch.cat([zero, signs], -2) - torch.cat([signs, zero], -2)
    back = where_active(along, weight[..., None] * w2[..., None, None, :])
    z = torch.cat([((1 - t) * back).sum(-3), (t * back).sum(-3)], -2)
    return Gradient(z=z, w2=(weight[..., None] * values).sum((-3, -2)))


def _gradient_path(w1: torch.Tensor, w2: torch.Tensor, along: torch.Tensor) -> Gradient:
    active = (along > 0).to(along.dtype)
    switches = (active[..., 1:, :, :] - active[..., :-1, :, :]).flatten(-3, -2)  # [..., (P - 1) B/2, h]
    parts = switches * w2[..., None, :]
    direction = _unit(parts @ w1) / along.shape[-2]
    return Gradient(w2=(switches * (direction @ w1.mT)).sum(-2), left=parts, right=direction)
