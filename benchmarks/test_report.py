"""What a report on a model costs at a million parameters, and its sharpness against the dense way at a size it can bear."""

import resource
import time
from itertools import pairwise

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import nn
from torch.func import functional_call, grad, vmap

from benchmarks.measuring import Work, compare
from numerics.stability import Report, module_loss, report, report_spectra
from theory.checks import Array

BATCH = 10


def interpolating(*widths: int, points: int) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a fully connected ReLU network, inputs, and the targets that it interpolates."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).double()
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((points, widths[0])))
    with torch.no_grad():
        return model, x, model(x)


def choose(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sharpness come from the Gram matrix of fully connected layers, or as that of other large models does."""
    if way == "matrix-free":
        monkeypatch.setattr(module_loss, "GRAM_ROWS", 0)


def sharpness(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the sharpness, with what a report does for it and no more."""
    problem = module_loss.module_loss(model, x, y, "half_mean")
    kernel = problem.gram()
    root = None if kernel is None else report_spectra.root_of(kernel)
    return report_spectra.top_of_features(problem, root, 1e-8).eigenvalue.value


def dense_sharpness(model: nn.Module, x: torch.Tensor) -> float:
    """Return the same from all features, by one vectorised backward pass, and LAPACK."""
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def output(given: dict[str, torch.Tensor], point: torch.Tensor) -> torch.Tensor:
        value: torch.Tensor = functional_call(model, given, (point[None],))[0, 0]
        return value

    parts = vmap(grad(output), (None, 0))(parameters, x).values()
    features: Array = torch.cat([part.reshape(len(x), -1) for part in parts], dim=1).numpy()
    return float(np.linalg.eigvalsh(features @ features.T / len(x))[-1])


def compare_times(benchmark: BenchmarkFixture, fast: Work, slow: Work) -> None:
    """Compare, but for memory: most of it is torch's, which is not traced."""
    compare(benchmark, fast, slow, rounds=3)
    for name in [name for name in benchmark.extra_info if name.startswith("peak MB")]:
        del benchmark.extra_info[name]


@pytest.mark.parametrize("way", ["layers", "matrix-free"])
@pytest.mark.parametrize("batch", [BATCH, 1000])
def test_report_on_a_million_parameters_and_a_thousand_points(
    benchmark: BenchmarkFixture, way: str, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(way, monkeypatch)
    model, x, y = interpolating(100, 1000, 900, 1, points=1000)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found: Report = benchmark.pedantic(lambda: report(model, x, y, 0.01, batch), rounds=1)
    benchmark.extra_info["CPU seconds"] = time.process_time() - began
    benchmark.extra_info["peak MB of the process, rise"] = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    ) / 1e3
    benchmark.extra_info["MB of the features alone"] = 8 * len(x) * found.parameters / 1e6
    benchmark.extra_info["relative error"] = found.sharpness.error / found.sharpness.value
    assert found.parameters > 10**6
    assert found.sharpness.error < 1e-6 * found.sharpness.value
    assert found.hessian_top.value == pytest.approx(found.sharpness.value, rel=1e-6)


@pytest.mark.parametrize("way", ["layers", "matrix-free"])
def test_sharpness_of_a_million_parameters_on_a_thousand_points(
    benchmark: BenchmarkFixture, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(way, monkeypatch)
    model, x, y = interpolating(100, 1000, 900, 1, points=1000)
    began = time.process_time()
    found: float = benchmark.pedantic(lambda: sharpness(model, x, y), rounds=1)
    benchmark.extra_info["CPU seconds"] = time.process_time() - began
    assert found > 0


@pytest.mark.parametrize("way", ["layers", "matrix-free"])
@pytest.mark.parametrize(("widths", "points"), [((20, 100, 90, 1), 300), ((50, 500, 400, 1), 300)])
def test_sharpness_against_all_features(
    benchmark: BenchmarkFixture, way: str, widths: tuple[int, ...], points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(way, monkeypatch)
    model, x, y = interpolating(*widths, points=points)
    compare_times(benchmark, lambda: sharpness(model, x, y), lambda: dense_sharpness(model, x))
    benchmark.extra_info["MB of the features alone"] = 8 * points * sum(p.numel() for p in model.parameters()) / 1e6
    assert sharpness(model, x, y) == pytest.approx(dense_sharpness(model, x), rel=1e-9)


def test_report_against_a_hessian_that_is_written_out(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x, y = interpolating(10, 40, 30, 1, points=200)
    monkeypatch.setattr(report_spectra, "DENSE_PARAMETERS", 0)
    named = dict(model.named_parameters())
    theta = torch.cat([p.detach().reshape(-1) for p in named.values()])

    def loss(theta: torch.Tensor) -> torch.Tensor:
        pieces = torch.split(theta, [p.numel() for p in named.values()])
        given = {name: piece.reshape(p.shape) for (name, p), piece in zip(named.items(), pieces, strict=True)}
        return torch.mean((functional_call(model, given, (x,)) - y) ** 2) / 2

    def dense() -> float:
        return float(np.linalg.eigvalsh(torch.autograd.functional.hessian(loss, theta).numpy())[-1])

    compare_times(benchmark, lambda: report(model, x, y, 0.01, len(x)), dense)
    benchmark.extra_info["parameters"] = len(theta)
    assert report(model, x, y, 0.01, len(x)).hessian_top.value == pytest.approx(dense(), rel=1e-8)
