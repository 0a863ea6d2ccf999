"""What a winsorised step costs beside one of SGD, and beside one that stores the gradients of all examples."""

import statistics

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from benchmarks.measuring import seconds
from numerics.models import mlp
from numerics.optimisers import MedianOfMeansSGD, WinsorizedSGD, per_example_gradients

LEVEL = 10


def stored(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the winsorised means of gradients stored by vmap(grad), by `torch.quantile`."""

    def loss(at: dict[str, torch.Tensor], row: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(functional_call(model, at, (row[None],)), target[None])

    weights = {name: p.detach() for name, p in model.named_parameters()}
    ends = torch.tensor([LEVEL / 100, 1 - LEVEL / 100])
    found = []
    for gradients in vmap(grad(loss), in_dims=(None, 0, 0))(weights, x, y).values():
        low, high = torch.quantile(gradients, ends, dim=0)
        found.append(gradients.clamp(low, high).mean(0))
    return found


@pytest.mark.parametrize("hidden", [64, 512])
def test_a_step_against_sgd_and_stored_gradients(benchmark: BenchmarkFixture, hidden: int) -> None:
    torch.manual_seed(0)
    model, x, y = mlp([784, hidden, 10], seed=0), torch.rand(64, 784), torch.randint(0, 10, (64,))
    # So small a step that the weights stay what they are.
    sgd = torch.optim.SGD(model.parameters(), lr=1e-12)
    robust = {
        "winsorised": WinsorizedSGD(model.parameters(), 1e-12, LEVEL),
        "median of 8 means": MedianOfMeansSGD(model.parameters(), 1e-12, 8),
        "no clipping": WinsorizedSGD(model.parameters(), 1e-12, 0),
    }

    def plain() -> None:
        sgd.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        sgd.step()

    taken: dict[str, list[float]] = {name: [] for name in (*robust, "SGD", "stored")}

    def one_round() -> None:
        for name, optimiser in robust.items():
            taken[name].append(
                seconds(lambda step=optimiser.step: step(per_example_gradients(model, x, y, functional.cross_entropy)))
            )
        taken["SGD"].append(seconds(plain))
        taken["stored"].append(seconds(lambda: stored(model, x, y)))

    benchmark.pedantic(one_round, rounds=3, warmup_rounds=1)
    middle = {name: statistics.median(times) for name, times in taken.items()}
    for name in ("SGD", *robust, "stored"):
        benchmark.extra_info[f"milliseconds, {name}"] = 1e3 * middle[name]
        benchmark.extra_info[f"{name} over SGD"] = middle[name] / middle["SGD"]
    benchmark.extra_info["stored over winsorised"] = middle["stored"] / middle["winsorised"]

    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    direction = stored(model, x, y)
    WinsorizedSGD(model.parameters(), 1, LEVEL).step(per_example_gradients(model, x, y, functional.cross_entropy))
    for parameter, expected in zip(model.parameters(), direction, strict=True):
        torch.testing.assert_close(-parameter.detach(), expected, rtol=1e-4, atol=1e-7)
