"""How much faster the compiled training steps are than a plain PyTorch loop, measured side by side."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from numerics.networks import TwoLayerReLU, initialise
from numerics.training import Member, Run, train, train_many

TORCH_STEPS = 500
STEPS = 100_000


def seconds_per_torch_step(network: TwoLayerReLU, x: torch.Tensor, y: torch.Tensor, step_size: float) -> float:
    optimiser = torch.optim.SGD(network.parameters(), step_size)
    began = time.process_time()
    for _ in range(TORCH_STEPS):
        optimiser.zero_grad()
        loss = 0.5 * torch.mean((network(x) - y) ** 2)
        loss.backward()
        optimiser.step()
    return (time.process_time() - began) / TORCH_STEPS


@pytest.mark.parametrize("n", [6, 10, 17])
@pytest.mark.parametrize("width", [100, 300])
def test_compiled_steps_against_a_torch_loop(benchmark: BenchmarkFixture, width: int, n: int) -> None:
    torch.set_num_threads(1)
    x = np.linspace(-1, 1, n)
    y, initial = np.sin(5 * x), initialise(width, seed=1)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    ours, theirs = [], []

    def one_round() -> None:
        began = time.process_time()
        train(initial, x, y, step_size=0.01, max_steps=STEPS, stop_loss=0.0, patience=STEPS + 1, backend="numba")
        ours.append((time.process_time() - began) / STEPS)
        theirs.append(seconds_per_torch_step(TwoLayerReLU.from_weights(initial), inputs, targets, 0.01))

    pedantic: Callable[..., None] = benchmark.pedantic
    pedantic(one_round, rounds=7, warmup_rounds=1)
    benchmark.extra_info["microseconds per step, compiled"] = 1e6 * statistics.median(ours)
    benchmark.extra_info["microseconds per step, torch"] = 1e6 * statistics.median(theirs)
    benchmark.extra_info["ratio"] = statistics.median(theirs) / statistics.median(ours)
    assert statistics.median(ours) < statistics.median(theirs)


@pytest.mark.parametrize("threads", [1, 2])
def test_hundreds_of_runs(benchmark: BenchmarkFixture, threads: int) -> None:
    x = np.linspace(-1, 1, 10)
    members = [Member(initialise(100, seed=seed), x, np.sin(5 * x), 0.1, 10_000, stop_loss=0.0) for seed in range(200)]
    pedantic: Callable[..., list[Run]] = benchmark.pedantic
    runs = pedantic(
        lambda: train_many(members, patience=20_000, threads=threads),
        rounds=3,
        warmup_rounds=1,
    )
    benchmark.extra_info["threads"] = threads
    assert sum(run.steps for run in runs) == 200 * 10_000
