"""Explicit penalties on a two-layer ReLU network, with hand-written gradients (volhejn2020, eq 4.5; dherin2022, section 4).

What they estimate is defined in `numerics.smoothness` and `numerics.geometric_complexity.penalties`, in a form that automatic
differentiation understands; here are the gradients alone, for one network or, with a leading axis, for many at once.
Activation patterns count as constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch

from theory.checks import positive

Measure = Literal["GN", "PL0", "PL1", "WP", "GC", "L2", "spectral", "flatness"]
"""What can be penalised.

Gradient norm, function path length, gradient path length, weights product (volhejn2020, eqs 3.1, 3.4, 3.7, 3.8); geometric
complexity of the batch, ||theta||^2 with the biases, (1/2) sum_l sigma_max(W_l)^2, and ||grad_theta L_B||^2 of the loss of
the batch that training is asked to use (dherin2022, section 4).
"""


@dataclass(frozen=True)
class Penalty:
    """The term `coefficient` x `measure` in the loss, estimated on each batch (volhejn2020, eqs 4.5-4.7; dherin2022).

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


class Place(NamedTuple):
    """Where a gradient is asked for: the weights of networks, and what they make of their batches.

    Attributes:
        w1: input weights, [..., h, d].
        b1: hidden biases, [..., h].
        w2: output weights, [..., h].
        b2: output biases, [...].
        x: inputs of the batch, [..., B, d].
        z: pre-activations of the batch, [..., B, h].
        errors: f - y, [..., B].
        scale: 1 for the loss (1/2B) sum (f - y)^2, 2 for its double.
    """

    w1: torch.Tensor
    b1: torch.Tensor
    w2: torch.Tensor
    b2: torch.Tensor
    x: torch.Tensor
    z: torch.Tensor
    errors: torch.Tensor
    scale: float


class Gradient(NamedTuple):
    """The gradient of a measure in its parts; None stands for zero.

    In w1 it is z^T x + left^T right + rows w1, in b1 the sum of z over the batch + b1.

    Attributes:
        z: in the pre-activations of the batch, or of its first points, [..., B, h].
        w2: in the output weights, [..., h].
        left: one factor of the part of low rank, [..., m, h].
        right: the other, [..., m, d].
        rows: a factor for each row of w1, [..., h].
        b1: in the hidden biases, beside what z has, [..., h].
        b2: in the output biases, [...].
    """

    z: torch.Tensor | None = None
    w2: torch.Tensor | None = None
    left: torch.Tensor | None = None
    right: torch.Tensor | None = None
    rows: torch.Tensor | None = None
    b1: torch.Tensor | None = None
    b2: torch.Tensor | None = None


def gradient(penalty: Penalty, at: Place) -> Gradient:
    """Return the gradient of the penalty's measure on a batch, without its coefficient.

    Args:
        penalty: which measure.
        at: the weights and the batch.
    """
    w1, w2, z = at.w1, at.w2, at.z
    if penalty.measure == "WP":
        return _weights_product(w1, w2)
    if penalty.measure == "L2":
        return Gradient(w2=2 * w2, rows=torch.full_like(w2, 2.0), b1=2 * at.b1, b2=2 * at.b2)
    if penalty.measure == "spectral":
        return _spectral(w1, w2)
    if penalty.measure == "flatness":
        return _flatness(at)
    if penalty.measure in ("GN", "GC"):
        return _gradients(w1, w2, z, squared=penalty.measure == "GC")
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


def _gradients(w1: torch.Tensor, w2: torch.Tensor, z: torch.Tensor, *, squared: bool) -> Gradient:
    """Return the gradient of the mean of |grad_x f|, or of its square."""
    active = (z > 0).to(z.dtype)
    parts = active * w2[..., None, :]
    inputs = parts @ w1
    direction = (2 * inputs if squared else _unit(inputs)) / z.shape[-2]
    return Gradient(w2=(active * (direction @ w1.mT)).sum(-2), left=parts, right=direction)


def _spectral(w1: torch.Tensor, w2: torch.Tensor) -> Gradient:
    """Return sigma u v^T for each layer, from the top eigenvector of the smaller of W W^T and W^T W."""
    wide = w1.shape[-2] <= w1.shape[-1]
    top = torch.linalg.eigh(w1 @ w1.mT if wide else w1.mT @ w1).eigenvectors[..., -1:]
    left, right = (top.mT, top.mT @ w1) if wide else ((w1 @ top).mT, top.mT)
    return Gradient(w2=w2, left=left, right=right)


def _flatness(at: Place) -> Gradient:
    """Return 2 H g, the gradient of |g|^2, for g = grad_theta L_B and H its derivative, which moves along g (Pearlmutter)."""
    active, values, rate = (at.z > 0).to(at.z.dtype), at.z.clamp(min=0.0), at.scale / at.errors.shape[-1]
    slopes = rate * at.errors  # of L_B in the outputs
    back = active * slopes[..., None] * at.w2[..., None, :]  # of L_B in the pre-activations
    in_w1, in_b1 = back.mT @ at.x, back.sum(-2)
    in_w2, in_b2 = (slopes[..., None, :] @ values)[..., 0, :], slopes.sum(-1)
    values_move = active * (at.x @ in_w1.mT + in_b1[..., None, :])
    outputs_move = (values_move @ at.w2[..., :, None] + values @ in_w2[..., :, None])[..., 0] + in_b2[..., None]
    slopes_move = rate * outputs_move
    back_moves = active * (slopes_move[..., None] * at.w2[..., None, :] + slopes[..., None] * in_w2[..., None, :])
    w2 = (slopes_move[..., None, :] @ values + slopes[..., None, :] @ values_move)[..., 0, :]
    return Gradient(z=2 * back_moves, w2=2 * w2, b2=2 * slopes_move.sum(-1))


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
