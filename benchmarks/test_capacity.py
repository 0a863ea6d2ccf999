"""What path norms and products of spectral norms of a VGG-like network cost, beside what one would do otherwise."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn

from benchmarks.measuring import timed
from numerics.capacity import fold_batch_norm, path_norm, spectral_product

SHAPE = (3, 32, 32)

POWER_ITERATIONS = 100


def vgg(width: int) -> nn.Module:
    """Return stacks of two convolutions with batch norm, ReLU and max-pooling, and two dense layers (neyshabur2017, app A)."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inside, outside in pairwise([3, width, 2 * width, 4 * width, 8 * width]):
        for channels in (inside, outside):
            layers += [nn.Conv2d(channels, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU()]
        layers.append(nn.MaxPool2d(2))
    dense = [nn.Flatten(), nn.Linear(32 * width, 8 * width), nn.ReLU(), nn.Linear(8 * width, 10)]
    return nn.Sequential(*layers, *dense).eval()


def powers(model: nn.Module, p: float) -> float:
    """Return what a pass of ones through a folded copy in float64 with |w|^p for weights gives."""
    other = copy.deepcopy(model).double()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.copy_(parameter.abs() ** p)
        total = other(torch.ones(1, *SHAPE, dtype=torch.float64)).sum()
    return float(total ** (1 / p))


def power_iterations(model: nn.Module) -> float:
    """Return the logarithm of the product of norms of layers by power iteration in float32, from below."""
    log, x = 0.0, torch.randn(1, *SHAPE)
    for layer in model.children():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            linear = copy.deepcopy(layer)
            linear.bias = None
            vector = torch.randn_like(x, requires_grad=True)
            for _ in range(POWER_ITERATIONS):
                image = linear(vector)
                [back] = torch.autograd.grad(image, vector, image.detach())
                vector = (back / back.norm()).detach().requires_grad_()
            log += math.log(float(linear(vector).detach().norm()))
        with torch.no_grad():
            x = layer(x)
    return log


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("width", [16, 64])
def test_path_norm(benchmark: BenchmarkFixture, width: int, p: int) -> None:
    model = fold_batch_norm(vgg(width))
    timed(
        benchmark,
        lambda: path_norm(model, SHAPE, p, max_pooling="largest"),
        lambda: powers(model, p),
        "a copy with |w|^p, which overflows",
    )
    assert path_norm(model, SHAPE, p, max_pooling="largest").value == pytest.approx(powers(model, p), rel=1e-9)


@pytest.mark.parametrize("width", [16, 64])
def test_spectral_product(benchmark: BenchmarkFixture, width: int) -> None:
    model = fold_batch_norm(vgg(width))
    timed(
        benchmark,
        lambda: spectral_product(model, SHAPE),
        lambda: power_iterations(model),
        f"{POWER_ITERATIONS} power iterations, from below",
        rounds=1,
    )
    found = spectral_product(model, SHAPE)
    benchmark.extra_info["upper over lower, less 1, per layer"] = math.expm1((found.log - found.log_lower) / 10)
    assert power_iterations(model) <= found.log + 1e-4
