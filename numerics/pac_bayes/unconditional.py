"""A bound on what noise in the weights does to a ReLU network, whatever units switch (B17), for networks of any size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from numerics.capacity.folding import prepared
from numerics.capacity.log_paths import RELUS
from numerics.geometric_complexity import operator_norm
from numerics.geometric_complexity.graph import Traced, UnsupportedLayerError
from numerics.geometric_complexity.modules import subject
from theory.checks import Array, nonnegative, sequence

PASSING = (nn.Identity, nn.Flatten, nn.modules.dropout._DropoutNd)
"""Layers that pass on what they are given, dropout in eval mode."""


@dataclass(frozen=True, eq=False)
class PerturbationBound:
    """Upper bounds of E|f_{w+nu}(x) - f_w(x)|^2 at some points.

    Attributes:
        squares: a_d^2 at each point, [m].
        mean: of a_d over the points: times the Lipschitz constant of a loss in the outputs it bounds the expected change of
            the loss, and the expected sharpness (N18.a).
    """

    squares: Array
    mean: float


def perturbation_bound(model: Any, x: Any, std: Any) -> PerturbationBound:
    """Return a_d^2 at each point, a bound on E|f_{w+nu}(x) - f_w(x)|^2 with patterns free to change (B17).

    a_0 = 0, a_i^2 = ||W_i||_2^2 a_{i-1}^2 + s_i^2 h_i (|f^{i-1}(x)| + a_{i-1})^2, h_i the units of layer i, for independent
    noise of mean 0 and variance s_i^2 on the weights of layer i. Norms are upper bounds, the rest is in floats and not rounded
    up: `theory.beyond.perturbation_bound` is exact, for small networks.

    Args:
        model: linear layers without biases, one output after another through a ReLU; a flattening may come first.
        x: the points, [m, ...].
        std: s_i of each layer, [d], or one number for all; at least 0.

    Raises:
        TypeError: if `model` is no module, or x or a standard deviation is of another type.
        ValueError: if a number is out of range or not finite, or there are not as many standard deviations as layers; if the
            model is not in eval mode, cannot be traced or fails on x, or uses a weight more than once.
        UnsupportedLayerError: if a layer is another, or has a bias.

    Example:
        >>> import torch
        >>> from numerics.pac_bayes import perturbation_bound
        >>> linear = [torch.nn.Linear(1, 1, bias=False, dtype=torch.float64) for _ in range(2)]
        >>> _ = linear[0].weight.data.fill_(2.0), linear[1].weight.data.fill_(1.0)
        >>> model = torch.nn.Sequential(linear[0], torch.nn.ReLU(), linear[1])
        >>> perturbation_bound(model, [[3.0]], 1.0).squares.round(6)
        array([90.])
    """
    given = subject(model, x)
    layers = _layers(prepared(model, tuple(given.x.shape[1:])))
    if isinstance(std, (int, float, np.number)):
        sizes = [float(nonnegative("std", std))] * len(layers)
    else:
        sizes = [float(nonnegative("std", float(s))) for s in sequence("std", std, fewest=1)]
    if len(sizes) != len(layers):
        raise ValueError(f"std must be one a layer, {len(layers)}, got {len(sizes)}")
    h = given.x.detach().to(torch.float64).reshape(len(given.x), -1)
    squares = torch.zeros(len(h), dtype=torch.float64, device=h.device)
    for layer, size in zip(layers, sizes, strict=True):
        norm = operator_norm(layer, (layer.in_features,)).upper
        squares = norm**2 * squares + size**2 * layer.out_features * (h.norm(dim=1) + squares.sqrt()) ** 2
        h = torch.relu(h @ layer.weight.detach().to(torch.float64).T)
    values: Array = squares.cpu().numpy()
    return PerturbationBound(values, math.fsum(np.sqrt(values)) / len(values))


def _layers(graph: Traced) -> list[nn.Linear]:
    """Return the linear layers of a chain.

    Raises:
        ValueError: if a weight is used more than once.
        UnsupportedLayerError: if a layer is another or out of turn, or has a bias.
    """
    found: list[nn.Linear] = []
    active, before = True, graph.input  # the input counts as what a ReLU passes on
    for node in list(graph)[1:]:
        layer, chained = graph.layer(node), graph.tensors(node) == [before]
        linear = isinstance(layer, nn.Linear) and layer.bias is None and len(graph.shapes[node]) == 2
        relu = isinstance(layer, nn.ReLU) or graph.function(node) in RELUS
        flat = graph.function(node) is torch.flatten or graph.function(node) == "flatten"
        passing = isinstance(layer, PASSING) or (flat and len(graph.shapes[node]) == 2)
        fits = passing or (linear and active) or (relu and bool(found) and not active)
        if not (chained and fits):
            bias = " with a bias" if isinstance(layer, nn.Linear) and layer.bias is not None else ""
            raise UnsupportedLayerError(
                "model must be linear layers without biases with a ReLU between each two, for B17 to say anything, got "
                f"{graph.name(node)}{bias}"
            )
        if linear:
            found.append(cast(nn.Linear, layer))
        active, before = (active if passing else relu), node
    if active or graph.output is not before:
        raise UnsupportedLayerError("model must end in a linear layer, for B17 to say anything, got another end")
    if graph.shared():
        raise ValueError(f"model must use each weight once, got {graph.shared()}")
    return found
