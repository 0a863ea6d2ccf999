"""The Hessian and the Gauss-Newton matrix of any module as operators, against matrices that are written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.stability import curvature, report, sharpness, spectral_density, top_eigenvalues, trace
from numerics.stability.curvature import Curvature
from theory.checks import Array
from theory.symbols import ModelLoss


def classifier(seed: int = 0) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 20), nn.GELU(), nn.Linear(20, 3)
    ).double()
    return model, torch.randn(12, 1, 4, 4).double(), torch.arange(12) % 3


def dense(model: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: ModelLoss, matrix: Curvature) -> Array:
    """Return the matrix by torch.func on all parameters, written out."""
    names = [name for name, p in model.named_parameters() if p.requires_grad]
    given = {name: p.detach() for name, p in model.named_parameters()}
    start = torch.cat([given[name].reshape(-1) for name in names])

    def outputs(vector: torch.Tensor) -> torch.Tensor:
        pieces = torch.split(vector, [given[name].numel() for name in names])
        changed = {name: piece.reshape(given[name].shape) for name, piece in zip(names, pieces, strict=True)}
        result: torch.Tensor = torch.func.functional_call(model, {**given, **changed}, (x,))
        return result

    def of(f: torch.Tensor) -> torch.Tensor:
        if loss == "cross_entropy":
            return nn.functional.cross_entropy(f, y)
        squares = ((f - y) ** 2).sum() / len(x)
        return squares * {"half_mean": 0.5, "mean": 1.0, "mse_loss": 1 / f.shape[1]}[loss]

    if matrix == "hessian":
        return torch.func.jacrev(torch.func.jacrev(lambda w: of(outputs(w))))(start).detach().numpy()
    jacobian = torch.func.jacrev(outputs)(start).reshape(-1, len(start))
    inner = torch.func.jacrev(torch.func.jacrev(of))(outputs(start).detach()).reshape(len(jacobian), len(jacobian))
    return (jacobian.T @ inner @ jacobian).detach().numpy()


LOSSES: list[ModelLoss] = ["half_mean", "mean", "mse_loss", "cross_entropy"]


@pytest.mark.parametrize("matrix", ["hessian", "gauss_newton"])
@pytest.mark.parametrize("loss", LOSSES)
def test_they_are_those_of_the_matrix_written_out(loss: ModelLoss, matrix: Curvature) -> None:
    model, x, labels = classifier()
    y = labels if loss == "cross_entropy" else torch.randn(12, 3).double()
    whole = dense(model, x, y, loss, matrix)
    values, vectors = np.linalg.eigh(whole)
    found = top_eigenvalues(model, x, y, 5, loss, matrix=matrix)
    assert found.values == pytest.approx(values[::-1][:5], rel=1e-8)
    assert np.all(np.abs(found.values - values[::-1][:5]) <= found.errors + 1e-13)
    assert abs(found.vectors[:, 0] @ vectors[:, -1]) == pytest.approx(1, abs=1e-8)
    v = np.random.default_rng(0).standard_normal(len(whole))
    assert curvature(model, x, y, loss, matrix=matrix).matvec(v) == pytest.approx(whole @ v, rel=1e-9, abs=1e-12)
    assert trace(model, x, y, loss, matrix=matrix, products=400).value == pytest.approx(np.trace(whole), rel=1e-10)


def test_a_trace_that_is_estimated_is_within_its_error() -> None:
    model, x, labels = classifier()
    right = float(np.trace(dense(model, x, labels, "cross_entropy", "hessian")))
    off = []
    for seed in range(40):
        found = trace(model, x, labels, "cross_entropy", products=60, seed=seed)
        off.append((found.value - right) / found.standard_error)
    # Student's t with 19 degrees of freedom: beyond 3 in 0.7 %, of 40 three or more in 0.3 %
    assert sum(abs(t) > 3 for t in off) <= 2
    assert abs(np.mean(off)) < 4 * np.std(off) / np.sqrt(40)


def test_the_spectral_density_has_the_moments_of_the_matrix() -> None:
    model, x, labels = classifier()
    whole = dense(model, x, labels, "cross_entropy", "hessian")
    density = spectral_density(model, x, labels, "cross_entropy", steps=20, starts=30)
    assert density.moment(0).value == pytest.approx(1, rel=1e-12)
    power = whole
    for order in (1, 2, 3):
        found = density.moment(order)
        assert abs(found.value - np.trace(power) / len(whole)) <= 4 * found.standard_error
        power = power @ whole
    t = np.linspace(-2, 4, 4001)
    values, errors = density.at(t, 0.05)
    assert np.trapezoid(values, t) == pytest.approx(1, rel=1e-6)
    eigenvalues = np.linalg.eigvalsh(whole)
    exact = np.exp(-(((t[:, None] - eigenvalues) / 0.05) ** 2) / 2).sum(1) / (0.05 * np.sqrt(2 * np.pi)) / len(whole)
    assert np.mean(np.abs(values - exact) <= 4 * errors + 0.02 * exact.max()) > 0.99


def test_all_steps_find_a_small_spectrum_whole() -> None:
    model = nn.Linear(4, 1, bias=False).double()
    x = torch.eye(4).double() * torch.tensor([1.0, 2.0, 3.0, 4.0]).double()
    density = spectral_density(model, x, torch.zeros(4), steps=9)
    assert density.nodes == pytest.approx(np.tile(np.array([1, 4, 9, 16]) / 4, (8, 1)), rel=1e-10)
    twice = spectral_density(nn.Linear(4, 1, bias=False).double(), torch.eye(4).double(), torch.zeros(4))
    assert twice.nodes == pytest.approx(0.25, rel=1e-10)


def test_parameters_are_restricted_by_name() -> None:
    model, x, labels = classifier()
    whole = dense(model, x, labels, "cross_entropy", "hessian")
    names = [name for name, _ in model.named_parameters()]
    sizes = [p.numel() for p in model.parameters()]
    ends = np.cumsum([0, *sizes])
    for chosen, inside in ((["3"], ["3.weight", "3.bias"]), (["0.bias", "5"], ["0.bias", "5.weight", "5.bias"])):
        places = np.concatenate([np.arange(ends[names.index(n)], ends[names.index(n) + 1]) for n in inside])
        part = whole[np.ix_(places, places)]
        found = top_eigenvalues(model, x, labels, 3, "cross_entropy", parameters=chosen)
        assert found.values == pytest.approx(np.linalg.eigvalsh(part)[::-1][:3], rel=1e-8)
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 0}, ValueError, "k must be at least 1, got 0"),
        ({"k": 1.0}, TypeError, "k must be an integer, got 1.0"),
        ({"k": 10**6}, ValueError, "k must be at most the number of parameters, 353, got 1000000"),
        ({"matrix": "fisher"}, ValueError, "matrix must be one of 'hessian', 'gauss_newton', got 'fisher'"),
        ({"tolerance": 0.0}, ValueError, "tolerance must be finite and above 0, got 0.0"),
        ({"parameters": ["head"]}, ValueError, "parameters must name some that require a gradient, of 0.weight"),
        ({"parameters": "5"}, TypeError, "parameters must be a sequence of names, got '5'"),
        ({"parameters": []}, ValueError, "parameters must name at least one, got none"),
        ({"loss": "hinge"}, ValueError, "loss must be one of"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_input_is_named(options: dict[str, Any], error: type[Exception], message: str) -> None:
    model, x, labels = classifier()
    with pytest.raises(error, match=f"^{message}"):
        top_eigenvalues(model, x, labels, **{"loss": "cross_entropy", **options})


@pytest.mark.parametrize("loss", LOSSES)
def test_sharpness_is_that_of_a_report(loss: ModelLoss) -> None:
    model, x, labels = classifier()
    y = labels if loss == "cross_entropy" else torch.randn(12, 3).double()
    assert sharpness(model, x, y, loss=loss) == pytest.approx(
        report(model, x, y, 0.1, 3, loss).sharpness.value, rel=1e-9
    )
    with pytest.raises(TypeError, match=r"^model must be a torch.nn.Module or Weights, got 0.5 of type float"):
        sharpness(0.5, x, y)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^y must be given for Sequential"):
        sharpness(model, x, loss=loss)
    with pytest.raises(ValueError, match=r"^method must be 'auto' for Sequential"):
        sharpness(model, x, y, loss=loss, method="gram")


def test_counts_out_of_range_are_named() -> None:
    model, x, labels = classifier()
    with pytest.raises(ValueError, match=r"^products must be at least 6, got 5"):
        trace(model, x, labels, "cross_entropy", products=5)
    with pytest.raises(ValueError, match=r"^steps must be at least 2, got 1"):
        spectral_density(model, x, labels, "cross_entropy", steps=1)
    with pytest.raises(ValueError, match=r"^starts must be at least 2, got 1"):
        spectral_density(model, x, labels, "cross_entropy", starts=1)
    with pytest.raises(ValueError, match=r"^width must be finite and above 0, got 0"):
        spectral_density(model, x, labels, "cross_entropy", steps=2, starts=2).at(np.zeros(1), 0)
    assert curvature(model, x, labels, "cross_entropy").shape == (353, 353)
