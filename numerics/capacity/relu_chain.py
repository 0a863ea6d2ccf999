"""The linear layers of a ReLU network that is a chain of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn

from numerics.capacity.log_paths import RELUS
from numerics.geometric_complexity.graph import Traced, UnsupportedLayerError

PASSING = (nn.Identity, nn.Flatten, nn.modules.dropout._DropoutNd)
"""Layers that pass on the numbers that they are given."""

RESHAPING = {torch.flatten, "flatten", "view", "reshape"}


def relu_chain(graph: Traced) -> list[nn.Linear]:
    """Return the linear layers of a chain of them with a ReLU between any two.

    Raises:
        ValueError: if a parameter is used twice.
        UnsupportedLayerError: if the model is no such chain.
    """
    shared = graph.shared()
    if shared:
        raise ValueError(f"model must use each parameter once, got {shared}")
    linear: list[nn.Linear] = []
    nodes, wanted = list(graph), "a linear layer"
    for before, node in pairwise(nodes):
        layer, flat = graph.layer(node), len(graph.shapes[node]) == 2
        if graph.tensors(node) != [before]:
            raise UnsupportedLayerError(_unsupported(graph, node, "what gives each result to the next layer alone"))
        passes = isinstance(layer, PASSING) or graph.function(node) in RESHAPING
        if passes and (not linear or graph.shapes[node] == graph.shapes[before]):
            continue
        if isinstance(layer, nn.Linear) and flat and wanted == "a linear layer":
            linear.append(layer)
            wanted = "a ReLU"
        elif (isinstance(layer, nn.ReLU) or graph.function(node) in RELUS) and wanted == "a ReLU":
            wanted = "a linear layer"
        else:
            raise UnsupportedLayerError(_unsupported(graph, node, wanted))
    if wanted == "a linear layer":
        end = "one that ends in a ReLU" if linear else "none"
        raise UnsupportedLayerError(f"model must have linear layers with a ReLU between and end in one, got {end}")
    return linear


def _unsupported(graph: Traced, node: Any, wanted: str) -> str:
    return f"model must have linear layers with a ReLU between, got {graph.name(node)} in the place of {wanted}"
