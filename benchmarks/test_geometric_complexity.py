"""What geometric complexity and operator norms cost, beside what one would do otherwise, in the same run."""

import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn

from benchmarks.measuring import Work, seconds
from numerics.geometric_complexity import geometric_complexity, operator_norm
from numerics.geometric_complexity.penalties import geometric_complexity_penalty
from theory.checks import Array

IMAGES = 1000
SLOW_IMAGES = 10
"""So many are put through the other ways, whose time is proportional to them."""


class Block(nn.Module):
    """A basic block of a ResNet."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outside)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.last = nn.BatchNorm2d(outside)
        self.relu = nn.ReLU()
        projected = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))
        self.skip = projected if stride > 1 or inside != outside else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the images of a batch."""
        inner = self.last(self.second(self.relu(self.norm(self.first(x)))))
        result: torch.Tensor = self.relu(inner + self.skip(x))
        return result


def resnet18(width: int) -> nn.Module:
    """Return a ResNet-18 for images of 32 x 32 with 10 logits, in eval mode."""
    torch.manual_seed(0)
    channels = [width, width, 2 * width, 4 * width, 8 * width]
    blocks: list[nn.Module] = []
    for stage, (inside, outside) in enumerate(pairwise(channels)):
        blocks += [Block(inside, outside, 2 if stage else 1), Block(outside, outside, 1)]
    stem = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, 10)).eval()


def peak_kilobytes() -> int:
    """Return the most memory that this process had; getrusage says what its parent had, if that is more."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def images(n: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((n, 3, 32, 32))).float()


def looped(model: nn.Module, x: torch.Tensor) -> float:
    """Return the same by torch.autograd.functional.jacobian, one image after the other."""
    total = 0.0
    for row in x:
        total += float(torch.autograd.functional.jacobian(model, row[None]).square().sum())
    return total / len(x)


def unchunked(model: nn.Module, x: torch.Tensor) -> float:
    """Return the same by torch.func, all images and outputs at once."""
    jacobians = torch.func.vmap(torch.func.jacrev(lambda row: model(row[None])[0]))(x)
    return float(jacobians.detach().square().sum()) / len(x)


def hutchinson(model: nn.Module, x: torch.Tensor, projections: int) -> float:
    """Return an estimate by random signs, drawn for each image."""
    leaf = x.clone().requires_grad_()
    outputs = model(leaf)
    total = 0.0
    for _ in range(projections):
        signs = torch.randint_like(outputs, 2) * 2 - 1
        [part] = torch.autograd.grad(outputs, leaf, signs, retain_graph=True)
        total += float(part.square().sum())
    return total / projections / len(x)


def timed(benchmark: BenchmarkFixture, fast: Work, slow: Work, other: str, scale: float = 1.0, rounds: int = 3) -> None:
    """Time both in turn; `scale` is how many times more work the fast way was given. Memory of torch is not traced."""
    fast_seconds, slow_seconds = [], []

    def one_round() -> None:
        fast_seconds.append(seconds(fast))
        slow_seconds.append(scale * seconds(slow))

    benchmark.pedantic(one_round, rounds=rounds)
    benchmark.extra_info["milliseconds"] = 1e3 * statistics.median(fast_seconds)
    benchmark.extra_info[f"milliseconds, {other}"] = 1e3 * statistics.median(slow_seconds)
    benchmark.extra_info["ratio"] = statistics.median(slow_seconds) / statistics.median(fast_seconds)


@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize("other", [looped, unchunked])
def test_resnet_18_on_a_thousand_images(
    benchmark: BenchmarkFixture, width: int, other: Callable[[nn.Module, torch.Tensor], float]
) -> None:
    model, x = resnet18(width), images(IMAGES)
    few = x[:SLOW_IMAGES]
    timed(
        benchmark,
        lambda: geometric_complexity(model, x[:100]),
        lambda: other(model, few),
        other.__name__,
        scale=100 / SLOW_IMAGES,
    )
    assert other(model, few) == pytest.approx(geometric_complexity(model, few).value, rel=1e-4)


@pytest.mark.parametrize("way", ["chunked", "looped", "unchunked"])
def test_peak_memory_for_a_thousand_images(benchmark: BenchmarkFixture, way: str) -> None:
    calls = {
        "chunked": "geometric_complexity(model, images(1000))",
        "looped": "looped(model, images(5))",
        "unchunked": "unchunked(model, images(50))",  # a thousand take twenty times as much
    }
    program = (
        "from benchmarks.test_geometric_complexity import *; model = resnet18(8); looped(model, images(1)); "
        f"before = peak_kilobytes(); {calls[way]}; print(peak_kilobytes() - before)"
    )

    def run() -> str:
        return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    rise = int(benchmark.pedantic(run, rounds=1).split()[-1])
    benchmark.extra_info["peak MB of the process, rise"] = rise / 1e3
    assert rise >= 0


def test_against_hutchinson_at_equal_error(benchmark: BenchmarkFixture) -> None:
    model, x = resnet18(8), images(100)
    exact = geometric_complexity(model, x).value
    timed(benchmark, lambda: geometric_complexity(model, x), lambda: hutchinson(model, x, 10), "ten projections")
    torch.manual_seed(0)
    errors = [hutchinson(model, x, 10) / exact - 1 for _ in range(10)]
    benchmark.extra_info["relative error of ten projections"] = math.sqrt(sum(error**2 for error in errors) / 10)


def test_a_step_with_the_penalty(benchmark: BenchmarkFixture) -> None:
    model, x, y = resnet18(8).train(), images(32), torch.arange(32) % 10

    def step(*, penalised: bool, projections: int | None = None) -> None:
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        if penalised:
            loss = loss + geometric_complexity_penalty(model, x, projections=projections, stored_statistics=True)
        loss.backward()

    timed(benchmark, lambda: step(penalised=True), lambda: step(penalised=False), "without it")
    benchmark.extra_info["times a plain step"] = 1 / benchmark.extra_info["ratio"]
    benchmark.extra_info["milliseconds, one projection"] = 1e3 * seconds(lambda: step(penalised=True, projections=1))


def gram_iteration(weight: torch.Tensor, size: int, products: int) -> float:
    """Return the bound of Delattre et al. (ICML 2023) on a torus, in the floats that it is computed in."""
    matrices = torch.fft.rfft2(weight, s=(size, size)).permute(2, 3, 0, 1).reshape(-1, *weight.shape[:2])
    logarithms = torch.zeros(len(matrices))
    for _ in range(products):
        sizes = matrices.flatten(1).norm(dim=1)
        logarithms = 2 * (logarithms + sizes.log())
        matrices = matrices / sizes[:, None, None]
        matrices = matrices.mH @ matrices
    bounds = (matrices.flatten(1).norm(dim=1).log() + logarithms) / 2**products
    return float(torch.exp(bounds).max())


@pytest.mark.parametrize("mode", ["zeros", "circular"])
@pytest.mark.parametrize(("channels", "kernel", "size"), [(64, 5, 32), (64, 3, 32), (128, 3, 16)])
def test_operator_norm_of_a_convolution(
    benchmark: BenchmarkFixture, channels: int, kernel: int, size: int, mode: str
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, padding_mode=mode)
    products = 6  # n^(1/256) too large at most, 1.6 % for 64 channels
    timed(
        benchmark,
        lambda: operator_norm(layer, (channels, size, size)),
        lambda: gram_iteration(layer.weight.detach(), size, products),
        "Gram iteration",
        rounds=5,
    )
    found = operator_norm(layer, (channels, size, size))
    benchmark.extra_info["upper over lower, less 1"] = found.upper / found.lower - 1
    assert found.lower <= found.upper


@pytest.mark.parametrize(("inputs", "outputs"), [(10, 1), (784, 10)])
def test_two_layers_in_closed_form(benchmark: BenchmarkFixture, inputs: int, outputs: int) -> None:
    torch.manual_seed(0)
    units = points = 10_000 if inputs < 100 else 3_000
    model = nn.Sequential(nn.Linear(inputs, units), nn.ReLU(), nn.Linear(units, outputs)).double()
    x: Array = np.random.default_rng(0).standard_normal((points, inputs))

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.inner(x)
            return result

    timed(
        benchmark,
        lambda: geometric_complexity(model, x),
        lambda: geometric_complexity(Wrapped(), x),
        "autograd",
        rounds=1,
    )
    few = x[:100]
    assert geometric_complexity(model, few).value == pytest.approx(
        geometric_complexity(Wrapped(), few).value, rel=1e-12
    )
