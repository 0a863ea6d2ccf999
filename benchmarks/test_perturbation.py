"""What 1,000 draws of noise and restarts of an ascent cost, many networks at once, beside one network at a time."""

from itertools import islice, pairwise
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from benchmarks.measuring import timed
from numerics.perturbation import expected_sharpness, max_sharpness
from numerics.training import batches

Data = tuple[nn.Module, torch.Tensor, torch.Tensor]


def mlp(*widths: int) -> Data:
    """Return a ReLU network in float32, 64 inputs and labels."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval(), torch.randn(64, widths[0]), torch.randint(0, widths[-1], (64,))


def cnn() -> Data:
    """Return two convolutions with batch norm and pooling and a dense layer, 64 inputs and labels."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inside, outside in ((3, 8), (8, 16)):
        layers += [nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * 64, 10)).eval()
    return model, torch.randn(64, 3, 32, 32), torch.randint(0, 10, (64,))


NETWORKS = {"20-50-3": (20, 50, 3), "784-32-10": (784, 32, 10), "784-512-10": (784, 512, 10), "cnn": ()}


def network(name: str) -> Data:
    return mlp(*NETWORKS[name]) if NETWORKS[name] else cnn()


@torch.no_grad()
def draw_by_draw(model: nn.Module, x: torch.Tensor, y: torch.Tensor, std: float, draws: int) -> float:
    """Return the expected sharpness by putting noise on the parameters of the module, and taking it off."""
    own = [p.detach().clone() for p in model.parameters()]
    here, total = functional.cross_entropy(model(x), y), 0.0
    generator = torch.Generator().manual_seed(0)
    for _ in range(draws):
        for p, w in zip(model.parameters(), own, strict=True):
            p.copy_(w + std * torch.randn(w.shape, generator=generator))
        total += float(functional.cross_entropy(model(x), y) - here)
    for p, w in zip(model.parameters(), own, strict=True):
        p.copy_(w)
    return total / draws


def restart_by_restart(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, alpha: float, steps: int, restarts: int
) -> float:
    """Return the largest loss of ascents by autograd, one after the other."""
    own = {name: p.detach() for name, p in model.named_parameters()}
    side = {name: alpha * (w.abs() + 1) for name, w in own.items()}
    low, high = ({name: w + sign * side[name] for name, w in own.items()} for sign in (-1, 1))
    generator, most = torch.Generator().manual_seed(0), 0.0
    for restart in range(restarts):
        at = dict(own)
        if restart:
            for name, w in own.items():
                share = torch.rand(w.shape, generator=generator, dtype=torch.float64).to(w.dtype)
                at[name] = low[name] + share * (high[name] - low[name])
        velocity = {name: torch.zeros_like(w) for name, w in own.items()}
        for rows in islice(batches(len(x), 32, sampling="reshuffling", seed=0), steps):
            leaves: dict[str, Any] = {name: w.requires_grad_() for name, w in at.items()}
            value = functional.cross_entropy(functional_call(model, leaves, (x[rows],)), y[rows])
            for name, g in zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True):
                velocity[name] = 0.9 * velocity[name] + g
                moved = at[name].detach() + 0.01 * side[name] * velocity[name].sign()
                at[name] = moved.clamp(low[name], high[name])
        with torch.no_grad():
            most = max(most, float(functional.cross_entropy(functional_call(model, at, (x,)), y)))
    return most


@pytest.mark.parametrize("name", NETWORKS)
def test_expected_sharpness(benchmark: BenchmarkFixture, name: str) -> None:
    model, x, y = network(name)
    found = expected_sharpness(model, x, y, std=0.01, draws=1000)
    timed(
        benchmark,
        lambda: expected_sharpness(model, x, y, std=0.01, draws=1000),
        lambda: draw_by_draw(model, x, y, 0.01, 1000),
        "draw by draw",
    )
    assert abs(found.value - draw_by_draw(model, x, y, 0.01, 1000)) < 6 * found.standard_error  # other draws


@pytest.mark.parametrize("name", NETWORKS)
def test_max_sharpness(benchmark: BenchmarkFixture, name: str) -> None:
    model, x, y = network(name)

    def ours() -> float:
        return max_sharpness(model, x, y, alpha=0.01, steps=100, restarts=16, batch=32).largest_loss

    def theirs() -> float:
        return restart_by_restart(model, x, y, 0.01, 100, 16)

    timed(benchmark, ours, theirs, "restart by restart", rounds=1 if name == "cnn" else 3)
    assert ours() == pytest.approx(theirs(), rel=1e-2)
