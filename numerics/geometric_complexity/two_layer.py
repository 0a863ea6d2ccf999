"""The Jacobians of a two-layer ReLU network in closed form (B12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn

from numerics.kinks import AT_KINK
from numerics.networks import TwoLayerReLU
from theory.checks import Array


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """The weights of f(x) = V relu(W x + b) + c in float64, but for c.

    Attributes:
        w: W, [h, d].
        b: the biases of the hidden units, [h].
        v: V, [k, h].
    """

    w: torch.Tensor
    b: torch.Tensor
    v: torch.Tensor


def two_layers(model: nn.Module) -> TwoLayers | None:
    """Return the weights of a two-layer ReLU network, or None if the model is not plainly one."""
    if type(model) is TwoLayerReLU:
        first, last = model.hidden, model.output
        parts: list[nn.Module] = [model, first, last]
    elif type(model) is nn.Sequential and [type(part) for part in model] == [nn.Linear, nn.ReLU, nn.Linear]:
        first, last = cast(nn.Linear, model[0]), cast(nn.Linear, model[2])
        parts = [model, *model]
    else:
        return None
    if any(part._forward_hooks or part._forward_pre_hooks or "forward" in vars(part) for part in parts):
        return None
    w = first.weight.detach().to(torch.float64)
    b = torch.zeros(len(w), dtype=torch.float64, device=w.device) if first.bias is None else first.bias.detach()
    return TwoLayers(w, b.to(torch.float64), last.weight.detach().to(torch.float64))


def closed_form(layers: TwoLayers, x: torch.Tensor, slope: float, budget: int) -> tuple[Array, int]:
    """Return ||V D W||_F^2 at each input, [n], and how many inputs put a unit with w_j != 0 on its kink.

    D is the diagonal of the units' slopes a_j(x). With row j of Q [h, k d] the outer product of v_j and w_j the Jacobians
    are the rows of A Q for A [n, h] the slopes, and their squared norms the diagonal of A Q Q^T A^T, where
    (Q Q^T)_jk = <v_j, v_k> <w_j, w_k>; whichever of the two has fewer columns is multiplied.

    Args:
        layers: the network.
        x: the inputs, [n, d].
        slope: a_j where the pre-activation is 0.
        budget: how many bytes to take, at most, beyond those of Q or Q Q^T.
    """
    h, d = layers.w.shape
    k = len(layers.v)
    if k * d <= h:
        jacobians = torch.einsum("kj,jd->jkd", layers.v, layers.w).reshape(h, k * d)
    else:
        gram = (layers.v.T @ layers.v) * (layers.w @ layers.w.T)
    moves = (layers.w != 0).any(dim=1)
    norms, kinks = np.empty(len(x)), 0
    together = max(1, budget // (8 * (4 * h + min(k * d, h) + 1)))
    for start in range(0, len(x), together):
        z = x[start : start + together].to(torch.float64) @ layers.w.T + layers.b
        size = float(z.abs().max()) if z.numel() else 0.0
        kinks += int(((z.abs() <= AT_KINK * size) & moves).any(dim=1).sum())
        active = (z > 0).to(torch.float64)
        if slope:
            active += slope * (z == 0)
        squares = (active @ jacobians).square().sum(1) if k * d <= h else (active @ gram * active).sum(1)
        norms[start : start + together] = squares.clamp(min=0).cpu().numpy()
    return norms, kinks
