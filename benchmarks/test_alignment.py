"""What stiffness and coherence of a network of 10^6 parameters cost, beside gradients that are stored."""

import statistics

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from benchmarks.measuring import Work, in_a_process
from numerics.alignment import class_stiffness, coherence, coherence_from_batches, gradient_gram, random_batches
from numerics.models import mlp

CLASSES = 10


def million() -> nn.Module:
    """Return a network of 1,001,445 parameters on images of 28 x 28."""
    return mlp([784, 763, 520, CLASSES], seed=0)


def convolutional() -> nn.Module:
    """Return a network of convolutions on images of 28 x 28, 93,962 parameters."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Unflatten(1, (1, 28)), nn.Conv2d(1, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(64, 128, 3, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, CLASSES), nn.Flatten(),
    )  # fmt: skip


def images(m: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(m, 28, 28, generator=generator), torch.arange(m) % CLASSES


def one_by_one(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the Gram matrix by one backward pass an example, whose gradients are stored."""
    owned = list(model.parameters())
    stored = torch.empty(len(x), sum(p.numel() for p in owned))
    for place, (row, label) in enumerate(zip(x.split(1), y.split(1), strict=True)):
        found = torch.autograd.grad(functional.cross_entropy(model(row), label), owned)
        torch.cat([g.reshape(-1) for g in found], out=stored[place])
    return stored @ stored.T


def by_vmap(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return it by vmap(grad), whose gradients are stored."""

    def loss(parameters: dict[str, torch.Tensor], row: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(functional_call(model, parameters, (row[None],)), label[None])

    held = {name: p.detach() for name, p in model.named_parameters()}
    found = vmap(grad(loss), (None, 0, 0))(held, x, y)
    total = torch.zeros(len(x), len(x))
    for gradients in found.values():
        total += gradients.flatten(1) @ gradients.flatten(1).T
    return total


def beside(benchmark: BenchmarkFixture, ours: Work, others: dict[str, Work], rounds: int) -> None:
    """Measure the ways in turn, each in a process of its own, and record medians, ratios and memory."""
    ways = {"": ours, **{f", {name}": work for name, work in others.items()}}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}

    def one_round() -> None:
        for name, work in ways.items():
            found[name].append(in_a_process(work))

    benchmark.pedantic(one_round, rounds=rounds)
    medians = {
        name: [statistics.median(values) for values in zip(*pairs, strict=True)] for name, pairs in found.items()
    }
    for name, (time, megabytes) in medians.items():
        benchmark.extra_info[f"CPU milliseconds{name}"] = 1e3 * time
        benchmark.extra_info[f"peak MB{name}"] = megabytes
        if name:
            benchmark.extra_info[f"ratio{name}"] = time / medians[""][0]
            benchmark.extra_info[f"ratio of memory{name}"] = megabytes / medians[""][1]


@pytest.mark.parametrize(
    ("make", "m", "rounds"),
    [(million, 100, 3), (million, 1000, 1), (convolutional, 300, 1)],
    ids=["few images", "many images", "convolutions"],
)
def test_class_stiffness(benchmark: BenchmarkFixture, make: type[nn.Module], m: int, rounds: int) -> None:
    model, (x, y) = make(), images(m)
    found = gradient_gram(model, x[:100], y[:100], "cross_entropy")
    expected = by_vmap(
        model, x[:100], y[:100]
    ).numpy()  # also: what is imported at the first call is so before it is timed
    assert abs(found - expected).max() < 1e-4 * expected.max()
    beside(
        benchmark,
        lambda: class_stiffness(gradient_gram(model, x, y, "cross_entropy"), y),
        {
            "one backward pass an example": lambda: class_stiffness(one_by_one(model, x, y).numpy(), y),
            "vmap(grad)": lambda: class_stiffness(by_vmap(model, x, y).numpy(), y),
        },
        rounds,
    )


def test_coherence_from_batches(benchmark: BenchmarkFixture) -> None:
    model, (x, y) = million(), images(1000)
    batches = random_batches(x, y, 20, seed=0)
    beside(
        benchmark,
        lambda: coherence_from_batches(model, batches, "cross_entropy"),
        {
            "of all examples": lambda: coherence(gradient_gram(model, x, y, "cross_entropy")),
            "one backward pass an example": lambda: coherence(one_by_one(model, x, y).numpy()),
        },
        1,
    )
