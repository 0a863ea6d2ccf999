"""A ReLU network as its weight matrices, and inputs on the scale that they are wanted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from numerics.capacity.folding import prepared
from numerics.capacity.relu_chain import relu_chain
from numerics.geometric_complexity.modules import floats_of, subject
from theory.checks import positive


@dataclass(frozen=True, eq=False)
class ReLULayers:
    """A network x -> W_d relu(W_{d-1} .. relu(W_1 x)) without biases, and points.

    Attributes:
        weights: W_1 to W_d, float64, [h_i, h_{i-1}].
        points: [m, h_0], float64.
        added: whether the last entry of each point, and the last unit of each hidden layer, is one that is always 1, whose
            outgoing weights are the biases.
    """

    weights: tuple[torch.Tensor, ...]
    points: torch.Tensor
    added: bool

    @property
    def widths(self) -> tuple[int, ...]:
        """h_0 to h_d."""
        return (self.points.shape[1], *(len(weight) for weight in self.weights))

    def noisy(self, layer: int) -> slice:
        """Return the units of layer 1 to d whose incoming weights are weights or biases of the model."""
        return slice(0, self.widths[layer] - int(self.added and layer < len(self.weights)))

    def pre_activations(self) -> list[torch.Tensor]:
        """Return what the units of layers 1 to d are given, [m, h_i]; the last are the outputs."""
        found, h = [], self.points
        for weight in self.weights:
            found.append(h @ weight.T)
            h = found[-1].clamp(min=0)
        return found


def relu_layers(model: Any, x: Any, input_norm: float | None) -> ReLULayers:
    """Return the layers of a ReLU network and points after their checks.

    Args:
        model: linear layers with a ReLU between, in eval mode.
        x: the points, [m, ...], floats.
        input_norm: the Euclidean norm that each point is scaled to; None leaves them as they are.

    Raises:
        TypeError: if `model` is no module, x holds no floats, or `input_norm` is no real number.
        ValueError: if x is empty or not finite, a point that is to be scaled is 0, or the model has a layer without units,
            uses a parameter twice, is not in eval mode, or fails on x.
        UnsupportedLayerError: if the model has another layer, or others in their place.
    """
    rows = floats_of(x)
    if input_norm is not None:
        rows = _scaled(rows, float(positive("input_norm", input_norm)))
    graph = prepared(model, rows.shape[1:])
    layers = relu_chain(graph)
    given = subject(model, rows, probabilities=True)
    points = given.x.to(torch.float64).flatten(1)
    added = any(layer.bias is not None for layer in layers)
    weights = [layer.weight.detach().to(torch.float64) for layer in layers]
    if added:
        points = torch.cat([points, torch.ones_like(points[:, :1])], dim=1)
        weights = [_with_bias(layer, last=layer is layers[-1]) for layer in layers]
    return ReLULayers(tuple(weights), points, added)


def _scaled(rows: torch.Tensor, norm: float) -> torch.Tensor:
    """Return points of one Euclidean norm.

    Raises:
        ValueError: if a point is 0.
    """
    sizes = rows.flatten(1).norm(dim=1)
    zero = torch.nonzero(sizes == 0).flatten()
    if len(zero):
        raise ValueError(
            f"x must hold points other than 0 for them to be scaled to norm {norm:g}, got row {int(zero[0])}: "
            "input_norm=None leaves points as they are"
        )
    result: torch.Tensor = rows * (norm / sizes).reshape(-1, *[1] * (rows.ndim - 1))
    return result


def _with_bias(layer: nn.Linear, *, last: bool) -> torch.Tensor:
    """Return (W b), and for a hidden layer the row (0 1) under it."""
    weight = layer.weight.detach().to(torch.float64)
    bias = weight.new_zeros(len(weight)) if layer.bias is None else cast(torch.Tensor, layer.bias).detach()
    whole = torch.cat([weight, bias.to(torch.float64)[:, None]], dim=1)
    unit = torch.zeros_like(whole[:1])
    unit[0, -1] = 1
    return whole if last else torch.cat([whole, unit])
