"""Small networks, drawn, and their paths one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import nn

Edges = dict[Hashable, list[tuple[Hashable, float]]]
"""For each unit what it goes into, with the weight."""


def drawn(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Return a network in float64 and eval mode with normal parameters and statistics that are not those of new ones."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make().double().eval()
        for parameter in model.parameters():
            parameter.data.normal_()
        for layer in model.modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm):
                layer.running_mean = torch.randn(layer.num_features).double()
                layer.running_var = torch.rand(layer.num_features).double() + 0.5
    return model


def dense(*widths: int, bias: bool = True) -> nn.Sequential:
    """Return a ReLU network."""
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Residual(nn.Module):
    """A block with a convolution on the skip, then a plain skip, then a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 2, bias=False)
        self.second = nn.Conv2d(2, 2, 1)
        self.skip = nn.Conv2d(1, 2, 2)
        self.third = nn.Conv2d(2, 2, 1)
        self.last = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        inner = self.second(torch.relu(self.first(x))) + self.skip(x)
        inner = inner + self.third(nn.functional.relu(inner))
        result: torch.Tensor = self.last(torch.flatten(inner, 1))
        return result


class Paths:
    """The graph of all units of a network, made by hand; a unit is (name of the layer, place)."""

    def __init__(self) -> None:
        self.edges: Edges = defaultdict(list)

    def join(self, start: Hashable, end: Hashable, weight: float) -> None:
        """Add an edge, but for weight 0."""
        if weight:
            self.edges[start].append((end, weight))

    def dense(self, layer: nn.Linear, start: list[Hashable], end: str) -> list[Hashable]:
        """Add a linear layer, and return its units."""
        units: list[Hashable] = [(end, j) for j in range(layer.out_features)]
        for j, unit in enumerate(units):
            for i, given in enumerate(start):
                self.join(given, unit, float(layer.weight.detach()[j, i]))
            if layer.bias is not None:
                self.join("bias", unit, float(layer.bias.detach()[j]))
        return units

    def convolution(self, layer: nn.Conv2d, start: Any, end: str) -> Any:
        """Add a convolution with zero padding of stride 1; units are nested lists [channel][row][column]."""
        pad = layer.padding[0]
        assert isinstance(pad, int)
        size, kernel = len(start[0]), layer.kernel_size[0]
        places = size + 2 * pad - kernel + 1
        made = [[[(end, c, i, j) for j in range(places)] for i in range(places)] for c in range(layer.out_channels)]
        for c, channel in enumerate(made):
            for i, row in enumerate(channel):
                for j, unit in enumerate(row):
                    for b in range(layer.in_channels):
                        for k in range(kernel):
                            for m in range(kernel):
                                y, x = i + k - pad, j + m - pad
                                if 0 <= y < size and 0 <= x < size:
                                    self.join(start[b][y][x], unit, float(layer.weight.detach()[c, b, k, m]))
                    if layer.bias is not None:
                        self.join("bias", unit, float(layer.bias.detach()[c]))
        return made

    def pooling(self, size: int, weight: float, start: Any, end: str) -> Any:
        """Add a pooling with windows side by side, all of whose edges have one weight."""
        places = len(start[0]) // size
        made = [[[(end, c, i, j) for j in range(places)] for i in range(places)] for c in range(len(start))]
        for c, channel in enumerate(start):
            for y, row in enumerate(channel[: places * size]):
                for x, unit in enumerate(row[: places * size]):
                    self.join(unit, made[c][y // size][x // size], weight)
        return made

    def products(self, start: Hashable, ends: list[Hashable]) -> Iterator[float]:
        """Yield the product of the weights along each path from a unit to any of some."""
        if start in ends:
            yield 1.0
        for unit, weight in self.edges[start]:
            for product in self.products(unit, ends):
                yield weight * product

    def norm(self, starts: list[Hashable], ends: list[Hashable], p: float) -> float:
        """Return the l_p norm of the products along all paths."""
        total = sum(abs(product) ** p for start in starts for product in self.products(start, ends))
        return float(total ** (1 / p))


def image(size: int) -> Any:
    """Return the units of an image with one channel."""
    return [[[("input", i, j) for j in range(size)] for i in range(size)]]


def flat(units: Any) -> list[Hashable]:
    """Return the units of images in one list."""
    return [unit for channel in units for row in channel for unit in row]
