"""What C1 costs at ten layers of weights and 1000 units, beside products that are made anew, and its memory."""

import math
import statistics

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measuring import seconds
from numerics.models import mlp
from numerics.perturbation import conditions
from numerics.perturbation.relu_layers import relu_layers


def factors_of(model: torch.nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Return x and D_1 W_1 to D_d W_d in float64."""
    network = relu_layers(model, x, 1.0)
    given = network.pre_activations()
    hidden = [(z[0] > 0)[:, None] * weight for z, weight in zip(given[:-1], network.weights, strict=False)]
    return [network.points[0][:, None], *hidden, network.weights[-1]]


def product(factors: list[torch.Tensor]) -> torch.Tensor:
    whole = factors[0]
    for factor in factors[1:]:
        whole = factor @ whole
    return whole


def by_pairs(factors: list[torch.Tensor]) -> float:
    """Return mu, the product of each first and last factor made by itself."""
    d = len(factors) - 1
    norms = {(a, b): float(product(factors[a : b + 1]).norm()) for a in range(d + 1) for b in range(a, d + 1)}
    return min(
        math.sqrt(len(factors[c])) * norms[a, b] / (norms[c + 1, b] * norms[a, c])
        for a in range(d + 1)
        for b in range(a + 1, d + 1)
        for c in range(a, b)
    )


def by_triples(factors: list[torch.Tensor]) -> float:
    """Return mu, the three products of each triple made by themselves."""
    d = len(factors) - 1
    ratios = []
    for a in range(d + 1):
        for b in range(a + 1, d + 1):
            for c in range(a, b):
                whole, right, left = (
                    product(factors[a : b + 1]),
                    product(factors[a : c + 1]),
                    product(factors[c + 1 : b + 1]),
                )
                ratios.append(math.sqrt(len(factors[c])) * float(whole.norm() / (left.norm() * right.norm())))
    return min(ratios)


@pytest.mark.parametrize("naive", [by_pairs, by_triples], ids=["each product anew", "each triple anew"])
def test_conditions(benchmark: BenchmarkFixture, naive: object) -> None:
    width = 1000 if naive is by_pairs else 300
    model = mlp([784, *[width] * 9, 10], seed=0, scheme="he", bias=False)
    x = torch.rand(1, 784, generator=torch.Generator().manual_seed(0))
    ours, theirs = [], []

    def one_round() -> None:
        ours.append(seconds(lambda: conditions(model, x)))
        theirs.append(seconds(lambda: naive(factors_of(model, x))))  # type: ignore[operator]

    benchmark.pedantic(one_round, rounds=1 if naive is by_pairs else 3)
    benchmark.extra_info["milliseconds"] = 1e3 * statistics.median(ours)
    benchmark.extra_info[f"milliseconds, {naive.__name__}"] = 1e3 * statistics.median(theirs)  # type: ignore[attr-defined]
    benchmark.extra_info["ratio"] = statistics.median(theirs) / statistics.median(ours)
    active = [int((z > 0).sum()) for z in relu_layers(model, x, 1.0).pre_activations()]
    benchmark.extra_info["MB of the active part"] = (
        sum(8 * a * b for a, b in zip(active, [784, *active], strict=False)) / 1e6
    )
    found = conditions(model, x)
    assert found.mu == pytest.approx(naive(factors_of(model, x)), rel=1e-9)  # type: ignore[operator]
