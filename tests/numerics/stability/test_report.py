"""What `report` says of a model, against Hessians that are written out, and the sentences with which it refuses one."""

from __future__ import annotations

import copy
import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrizations

from numerics.networks import TwoLayerReLU
from numerics.stability import (
    hessian_sharpness,
    mean_square_threshold,
    module_loss,
    report,
    report_claims,
    report_object,
    report_spectra,
    residual_curvature,
    sharpness,
)
from theory.beyond import critical_step_size
from theory.checks import Array
from theory.linear_stability import mean_square_growth
from theory.mulayoff2021.smooth_bounds import sharpness_lower_bound
from theory.symbols import ModelLoss
from theory.two_layer import Weights

EPS = float(np.finfo(np.float64).eps)


def draws(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


class Tied(nn.Module):
    """One layer under two names, used twice, whose weight is an output weight too; another that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        self.alias = self.layer
        self.unused = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.alias(torch.tanh(self.layer(x)))) @ self.layer.weight.T


class Deceptive(nn.Module):
    """A layer that is called once, whose weight comes in again behind its back."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(torch.tanh(self.layer(x)), self.layer.weight)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Embedding(5, 4)
        self.block = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.3, batch_first=True)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.head(self.block(self.tokens(x)).mean(dim=1))
        return outputs


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTM(2, 3, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.cell(x)[0][:, -1]
        return outputs


def frozen() -> nn.Module:
    first, last = nn.Linear(3, 4), nn.Linear(4, 2)
    first.weight.requires_grad_(False)
    last.bias.requires_grad_(False)
    return nn.Sequential(first, nn.Tanh(), last)


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
    )


def mlp(*widths: int, activation: type[nn.Module] = nn.Tanh) -> nn.Module:
    layers: list[nn.Module] = []
    for inside, outside in itertools.pairwise(widths):
        layers += [nn.Linear(inside, outside), activation()]
    return nn.Sequential(*layers[:-1])


CASES: dict[str, tuple[Callable[[], nn.Module], torch.Tensor]] = {
    "two layers": (lambda: TwoLayerReLU(5, 2), draws(0, 7, 2)),
    "scalar": (lambda: mlp(2, 6, 5, 1, activation=nn.ReLU), draws(1, 9, 2)),
    "vector": (lambda: mlp(2, 6, 3), draws(2, 8, 2)),
    "fewer parameters than outputs": (lambda: nn.Linear(1, 2, bias=False), draws(3, 11, 1)),
    "in place": (lambda: nn.Sequential(nn.Linear(2, 6), nn.ReLU(inplace=True), nn.Linear(6, 2)), draws(4, 8, 2)),
    "convolutions": (convolutional, draws(5, 6, 1, 4, 4)),
    "sequences": (lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(12, 2)), draws(6, 5, 4, 2)),
    "shared": (Tied, draws(7, 6, 3)),
    "deceptive": (Deceptive, draws(8, 6, 3)),
    "frozen": (frozen, draws(9, 6, 3)),
    "attention": (Attention, torch.from_numpy(np.random.default_rng(10).integers(0, 5, (6, 4)))),
    "recurrent": (Recurrent, draws(12, 5, 3, 2)),
}


def made(name: str) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    make, x = CASES[name]
    return make().double(), x


def outputs_of(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the outputs in float64 and eval mode, [n, c]."""
    with torch.no_grad():
        outputs: torch.Tensor = copy.deepcopy(model).double().eval()(x)
    return outputs.reshape(len(x), -1)


def targets(model: nn.Module, x: torch.Tensor, convention: ModelLoss) -> torch.Tensor:
    n, c = outputs_of(model, x).shape
    labels = torch.from_numpy(np.random.default_rng(99).integers(0, c, n))
    return labels if convention == "cross_entropy" else draws(99, n, c)


class Dense:
    """A loss with its gradient and Hessians as the definitions have them: by autograd, written out.

    `each` are the generalised Gauss-Newton matrices of the examples, [n, p, p], `features` the Jacobian, [n c, p].
    """

    def __init__(self, model: nn.Module, x: torch.Tensor, y: torch.Tensor, convention: ModelLoss) -> None:
        model = copy.deepcopy(model).double().eval()
        named = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}
        sizes = [p.numel() for p in named.values()]

        def outputs(theta: torch.Tensor) -> torch.Tensor:
            parts = torch.split(theta, sizes)
            given = {name: part.reshape(p.shape) for (name, p), part in zip(named.items(), parts, strict=True)}
            flat: torch.Tensor = functional_call(model, given, (x,)).reshape(len(x), -1)
            return flat

        def of_one(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            if convention == "cross_entropy":
                return torch.logsumexp(output, 0) - torch.sum(output * target)
            return (0.5 if convention == "half_mean" else 1.0) * torch.sum((output - target) ** 2)

        if convention == "cross_entropy":
            y = functional.one_hot(y, outputs_of(model, x).shape[1]).double()
        theta = torch.cat([p.reshape(-1) for p in named.values()])
        with sdpa_kernel(SDPBackend.MATH):

            def loss(theta: torch.Tensor) -> torch.Tensor:
                return torch.stack([of_one(*pair) for pair in zip(outputs(theta), y, strict=True)]).mean()

            self.loss = float(loss(theta))
            self.gradient: Array = torch.autograd.functional.jacobian(loss, theta).numpy()
            self.hessian: Array = torch.autograd.functional.hessian(loss, theta).numpy()
            jacobian = torch.autograd.functional.jacobian(outputs, theta)
        curvature = torch.stack(
            [
                torch.autograd.functional.hessian(lambda output, target=target: of_one(output, target), output)
                for output, target in zip(outputs(theta).detach(), y, strict=True)
            ]
        )
        self.each: Array = torch.einsum("jap,jab,jbq->jpq", jacobian, curvature, jacobian).numpy()
        self.features: Array = jacobian.reshape(-1, len(theta)).numpy()
        # Some passes over sums of p terms.
        sizes_of_sums = np.trace(self.each.mean(axis=0)) + np.linalg.norm(self.hessian)
        self.rounding = 16 * (len(theta) + 16) * EPS * float(sizes_of_sums)

    @property
    def sharpness(self) -> float:
        return float(np.linalg.eigvalsh(self.each.mean(axis=0))[-1])

    def reduced(self) -> Array:
        """Return the Gauss-Newton matrices of the examples in coordinates of their span, [n, r, r], symmetric."""
        values, vectors = np.linalg.eigh(self.each.mean(axis=0))
        span = vectors[:, values > 1e-10 * values[-1]]
        matrices: Array = span.T @ self.each @ span
        return (matrices + matrices.transpose(0, 2, 1)) / 2


CONVENTIONS: list[ModelLoss] = ["half_mean", "mean", "cross_entropy"]


def check(found: report_object.Report, dense: Dense) -> None:
    rounding = dense.rounding
    assert found.parameters == len(dense.gradient)
    assert abs(found.training_loss - dense.loss) <= 64 * EPS * dense.loss + rounding
    assert abs(found.gradient_norm - np.linalg.norm(dense.gradient)) <= rounding
    assert abs(found.sharpness.value - dense.sharpness) <= found.sharpness.error + rounding
    assert abs(found.hessian_top.value - np.linalg.eigvalsh(dense.hessian)[-1]) <= found.hessian_top.error + rounding
    assert found.sharpness.error <= 1e-6 * found.sharpness.value
    assert found.hessian_top.error <= 1e-6 * max(abs(found.hessian_top.value), found.sharpness.value)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_matrices_that_are_written_out(name: str, convention: ModelLoss) -> None:
    model, x = made(name)
    if convention == "cross_entropy" and outputs_of(model, x).shape[1] == 1:
        pytest.skip("one output")
    y = targets(model, x, convention)
    check(report(model, x, y, 0.1, 2, convention), Dense(model, x, y, convention))


@pytest.mark.parametrize("name", CASES)
def test_large_models_are_measured_as_small_ones_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanczos iteration on both matrices, and a graph that is made again for every product and chunk."""
    monkeypatch.setattr(report_spectra, "DENSE_PARAMETERS", 0)
    monkeypatch.setattr(module_loss, "GRAM_ROWS", 0)
    monkeypatch.setattr(module_loss, "CHUNK", 4)
    model, x = made(name)
    y = targets(model, x, "half_mean")
    check(report(model, x, y, 0.1, 2), Dense(model, x, y, "half_mean"))


@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    n=st.integers(1, 6),
    activation=st.sampled_from([nn.Tanh, nn.ReLU, nn.GELU]),
    convention=st.sampled_from(CONVENTIONS),
    seed=st.integers(0, 1000),
    matrix_free=st.booleans(),
)
@settings(max_examples=40)
def test_random_networks(
    widths: list[int], n: int, activation: type[nn.Module], convention: ModelLoss, seed: int, matrix_free: bool
) -> None:
    if convention == "cross_entropy":
        widths = [*widths[:-1], widths[-1] + 1]
    torch.manual_seed(seed)
    model, x = mlp(*widths, activation=activation).double(), draws(seed, n, widths[0])
    y = targets(model, x, convention)
    with pytest.MonkeyPatch.context() as patch:
        if matrix_free:
            patch.setattr(report_spectra, "DENSE_PARAMETERS", 0)
            patch.setattr(module_loss, "GRAM_ROWS", 0)
        found = report(model, x, y, 0.1, 1 + seed % n, convention)
    check(found, Dense(model, x, y, convention))


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-4])
def test_errors_cover_what_a_coarse_iteration_leaves(tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """The residuals are those of matrices that are written out, and eigenvalues lie within them."""
    monkeypatch.setattr(report_spectra, "DENSE_PARAMETERS", 0)
    monkeypatch.setattr(module_loss, "GRAM_ROWS", 0)
    torch.manual_seed(1)
    model, x = mlp(4, 30, 3).double(), draws(0, 60, 4)
    y = targets(model, x, "half_mean")
    dense, problem = Dense(model, x, y, "half_mean"), module_loss.module_loss(model, x, y, "half_mean")
    top = report_spectra.top_of_features(problem, None, tolerance)
    start = draws(3, problem.dimension).numpy()
    direction = report_spectra.lanczos(problem.dimension, problem.hessian_product, tolerance, start)
    second = report_spectra.eigenvalue_at(problem.hessian_product, direction)
    for found, vector, matrix in (
        (top.eigenvalue, top.direction, dense.each.mean(axis=0)),
        (second, direction, dense.hessian),
    ):
        residual = np.linalg.norm(matrix @ vector - found.value * vector)
        assert residual - dense.rounding <= found.error <= residual + dense.rounding
        assert np.min(np.abs(np.linalg.eigvalsh(matrix) - found.value)) <= found.error + dense.rounding


@pytest.mark.parametrize("name", ["scalar", "vector", "in place", "convolutions", "shared", "deceptive", "frozen"])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_gram_matrix_is_that_of_the_features(name: str, convention: ModelLoss) -> None:
    model, x = made(name)
    if convention == "cross_entropy" and name == "scalar":
        pytest.skip("one output")
    y = targets(model, x, convention)
    problem = module_loss.module_loss(model, x, y, convention)
    kernel = problem.gram()
    assert kernel is not None
    features = np.column_stack([problem.product(unit) for unit in np.eye(problem.dimension)])
    scale = float(np.trace(kernel))
    np.testing.assert_allclose(kernel, features @ features.T, rtol=0, atol=1e-13 * scale)
    np.testing.assert_allclose(
        features.T @ features / len(x),
        Dense(model, x, y, convention).each.mean(axis=0),
        rtol=0,
        atol=1e-13 * scale,
    )
    n, c = problem.outputs.shape
    for block, j in zip(problem.blocks(), range(n), strict=True):
        part = slice(j * c, (j + 1) * c)
        np.testing.assert_allclose(block, kernel[part, part], rtol=0, atol=1e-13 * scale)


def test_a_layer_that_deceives_has_its_features_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = made("deceptive")
    problem = module_loss.module_loss(model, x, targets(model, x, "mean"), "mean")
    monkeypatch.setattr(module_loss, "ROW_ENTRIES", 0)
    assert problem.gram() is None  # what is read off the layers is not taken
    for name in ("scalar", "in place"):
        plain, x = made(name)
        assert module_loss.module_loss(plain, x, targets(plain, x, "mean"), "mean").gram() is not None


def state(model: nn.Module) -> list[Any]:
    """Return what a user can see of a module."""
    tensors = [*model.parameters(), *model.buffers()]
    return [
        [m.training for m in model.modules()],
        [(id(t), t.dtype, t.requires_grad, t._version, t.clone().tolist()) for t in tensors],
        [None if p.grad is None else (id(p.grad), p.grad.tolist()) for p in model.parameters()],
        [len(m._forward_hooks) for m in model.modules()],
    ]


@pytest.mark.parametrize("name", CASES)
def test_the_model_is_left_as_it_is(name: str) -> None:
    torch.manual_seed(0)
    make, x = CASES[name]
    model = make()  # in float32 and training mode, but for two layers
    y = targets(model, x, "half_mean")
    first = next(p for p in model.parameters() if p.requires_grad)
    first.grad = torch.ones_like(first)
    before, generator = state(model), torch.get_rng_state()
    numbers = np.random.default_rng(5).bit_generator.state
    report(model, x.float() if x.is_floating_point() else x, y, 0.1, 2)
    assert state(model) == before
    assert torch.equal(torch.get_rng_state(), generator)
    assert numbers == np.random.default_rng(5).bit_generator.state
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_off(mode: Callable[[], Any]) -> None:
    model, x = made("vector")
    y = targets(model, x, "mean")
    expected = report(model, x, y, 0.1, 2)
    with mode():
        assert report(model, x, y, 0.1, 2).table() == expected.table()


def test_a_float32_model_is_measured_in_float64() -> None:
    model, x = made("scalar")
    single, y = copy.deepcopy(model).float(), targets(model, x, "mean")
    double = copy.deepcopy(single).double()
    found = report(single, x.float(), y.float(), 0.1, 2)
    assert found.sharpness == report(double, x.float().double(), y.float().double(), 0.1, 2).sharpness


def test_arrays_lists_and_tensors_are_the_same_data() -> None:
    model = TwoLayerReLU.from_weights(Weights([1.0, -1.0], [-0.4, -0.4], [0.5, 0.5], 0.1))
    x, y = [-1.5, -0.5, 0.5, 1.5], [1.0, 0.0, 0.25, 1.0]
    tables = {
        report(net, points, desired, 0.5, 2).table()
        for net in (model, model.weights())
        for points in (x, np.array(x), np.array(x)[:, None], torch.tensor(x), torch.tensor(x).double()[:, None])
        for desired in (y, np.array(y), torch.tensor(y)[:, None])
    }
    assert len(tables) == 1


def test_losses_differ_by_their_factors() -> None:
    model, x = made("vector")
    y = targets(model, x, "mean")
    half, mean = report(model, x, y, 0.1, 3, "half_mean"), report(model, x, y, 0.1, 3, "mean")
    assert mean.training_loss == pytest.approx(2 * half.training_loss, rel=1e-14)
    assert mean.hessian_top.value == pytest.approx(2 * half.hessian_top.value, rel=1e-12)
    assert mean.sgd_step_sizes.lower == pytest.approx(half.sgd_step_sizes.lower / 2, rel=1e-9)
    torch_loss = nn.MSELoss()(outputs_of(model, x), y)  # averages over the outputs too
    assert mean.training_loss == pytest.approx(3 * float(torch_loss), rel=1e-14)


# Step sizes


def interpolating(name: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model, x = made(name)
    return model, x, outputs_of(model, x)


@pytest.mark.parametrize("convention", ["half_mean", "mean"])
@pytest.mark.parametrize("batch", [1, 3, 9])
def test_with_one_output_the_threshold_is_exact(convention: ModelLoss, batch: int) -> None:
    model, x, y = interpolating("scalar")
    found = report(model, x, y, 0.01, batch, convention)
    features = Dense(model, x, y, convention).features
    expected = mean_square_threshold(features, batch, loss=convention)  # type: ignore[arg-type]
    assert found.sgd_step_sizes.exact
    assert found.position == "an interpolating minimum"
    assert found.sgd_step_sizes.lower <= expected.value * (1 + 1e-9)
    assert found.sgd_step_sizes.upper >= expected.value * (1 - 1e-9)
    assert found.sgd_step_sizes.upper - found.sgd_step_sizes.lower <= 1e-6 * expected.value


def growth(hessians: Array, step_size: float, batch: int) -> tuple[float, float]:
    found = mean_square_growth(hessians, step_size, batch)
    return float(found.lower), float(found.upper)


@given(
    c=st.integers(1, 3),
    n=st.integers(2, 4),
    batch=st.integers(1, 3),
    seed=st.integers(0, 1000),
    matrix_free=st.booleans(),
)
@settings(max_examples=25)
def test_the_threshold_lies_between_its_bounds(c: int, n: int, batch: int, seed: int, matrix_free: bool) -> None:
    batch = min(batch, n)
    torch.manual_seed(seed)
    model, x = nn.Linear(2, c, bias=False).double(), draws(seed, n, 2)
    scales = torch.from_numpy(np.random.default_rng(seed).uniform(0.2, 3, (n, 1)))
    x = x * scales
    y = outputs_of(model, x)
    with pytest.MonkeyPatch.context() as patch:
        if matrix_free:
            patch.setattr(module_loss, "GRAM_ROWS", 0)
        found = report(model, x, y, 0.01, batch)
        if matrix_free and seed % 2:
            patch.setattr(report_spectra, "BLOCK_ENTRIES", 0)
            found = report(model, x, y, 0.01, batch)
    sizes, hessians = found.sgd_step_sizes, Dense(model, x, y, "half_mean").reduced()
    assert sizes.lower <= sizes.upper <= found.gd_step_size * (1 + 1e-9)
    assert growth(hessians, sizes.lower * (1 - 1e-7), batch)[0] <= 1
    assert growth(hessians, sizes.upper * (1 + 1e-7), batch)[1] >= 1


def test_without_gram_matrices_the_bounds_meet_on_orthogonal_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """No example helps another: each direction is stable up to 2, while the sharpness is 1/n."""
    monkeypatch.setattr(module_loss, "GRAM_ROWS", 0)
    monkeypatch.setattr(report_spectra, "BLOCK_ENTRIES", 0)
    model, x = nn.Linear(5, 1, bias=False).double(), torch.eye(5).double()
    found = report(model, x, outputs_of(model, x), 0.1, 1)
    assert found.sgd_step_sizes.lower == pytest.approx(2, rel=1e-7)
    assert found.sgd_step_sizes.lower <= 2 * (1 + 1e-12)
    assert found.gd_step_size == pytest.approx(10, rel=1e-7)


def test_bounds_for_many_outputs_say_more_than_the_sharpness() -> None:
    model, x, y = interpolating("vector")
    found = report(model, x, y, 0.01, 2)
    sizes = found.sgd_step_sizes
    assert not sizes.exact
    assert 2 / len(x) * found.gd_step_size < sizes.lower < sizes.upper < found.gd_step_size


@pytest.mark.parametrize(("factor", "answer"), [(0.97, "stable"), (1.03, "unstable")])
@pytest.mark.parametrize("name", ["scalar", "vector", "convolutions"])
def test_gradient_descent_does_what_the_report_says(name: str, factor: float, answer: str) -> None:
    """From 1e-6 beside the minimum, a thousand steps: the sharpest direction dies out, or grows to nonlinear size."""
    model, x, y = interpolating(name)
    model.eval()
    step_size = factor * report(model, x, y, 0.01, len(x)).gd_step_size
    found = report(model, x, y, step_size, len(x))
    assert (found.gd, found.sgd, found.stable) == (answer,) * 3
    optimiser = torch.optim.SGD(model.parameters(), lr=step_size)
    start = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            parameter += 1e-6 * draws(index, *parameter.shape)
    furthest = 0.0
    for _ in range(1000):
        optimiser.zero_grad()
        (torch.sum((model(x).reshape(len(x), -1) - y) ** 2) / (2 * len(x))).backward()
        optimiser.step()
        here = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
        furthest = max(furthest, float(torch.linalg.norm(here - start)))
    assert (furthest < 1e-4) == (answer == "stable")


# Where the weights are


def test_a_line_of_best_fit_is_a_critical_point_that_does_not_interpolate() -> None:
    x, y = draws(0, 20), draws(1, 20)
    slope, intercept = np.polyfit(x.numpy(), y.numpy(), 1)
    model = nn.Linear(1, 1).double()
    with torch.no_grad():
        model.weight.fill_(float(slope))
        model.bias.fill_(float(intercept))
    found = report(model, x, y, 0.1, 4)
    assert found.position == "a critical point that does not interpolate"
    assert not found.interpolates
    assert found.hessian_bottom is not None
    assert found.hessian_bottom.value > 0
    assert (found.gd, found.sgd) == ("stable", "undecided")
    assert any("does not come to rest" in note for note in found.notes)
    beyond = report(model, x, y, 1.01 * found.gd_step_size, 4)
    assert (beyond.gd, beyond.sgd) == ("unstable", "unstable")
    with torch.no_grad():
        model.bias += 0.1
    found = report(model, x, y, 0.1, 4)
    assert (found.position, found.gd, found.sgd) == ("no critical point", "no minimum", "no minimum")


@pytest.mark.parametrize("dense_parameters", [512, 0])
def test_a_saddle_is_unstable(dense_parameters: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_spectra, "DENSE_PARAMETERS", dense_parameters)
    x = torch.tensor([-1.0, 0.5, 0.5]).double()
    model = nn.Sequential(nn.Linear(1, 3, bias=False), nn.Tanh(), nn.Linear(3, 1, bias=False)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    found = report(model, x, x, 0.1, 1)
    assert found.position == "a critical point that does not interpolate"
    # d^2 L / dv dw = -mean x y for each pair
    assert found.hessian_bottom is not None
    assert found.hessian_bottom.value == pytest.approx(-0.5, abs=1e-9)
    assert found.hessian_top.value == pytest.approx(0.5, abs=1e-9)
    assert (found.gd, found.sgd) == ("unstable", "unstable")
    assert (found.leaves, found.gd_step_size, found.sgd_step_sizes.upper) == ("a saddle", 0.0, 0.0)
    assert "no step size: a saddle" in str(found)


def test_cross_entropy_says_that_interpolation_is_at_infinity() -> None:
    labels = [0, 1, 1, 0, 1, 1]
    model, x = nn.Linear(1, 2).double(), torch.ones(6).double()
    with torch.no_grad():  # one input: the shares of the classes are the best guess
        model.weight.zero_()
        model.bias.copy_(torch.tensor([1 / 3, 2 / 3]).double().log())
    found = report(model, x, labels, 0.5, 2, "cross_entropy")
    assert found.training_loss == pytest.approx(-math.log(1 / 3) / 3 - 2 * math.log(2 / 3) / 3, rel=1e-14)
    assert found.position == "a critical point that does not interpolate"
    assert (found.gd, found.sgd) == ("stable", "undecided")
    # q (1 - q) (1, -1) (1, -1)^T for the classes, and (1, 1) (1, 1)^T for weight and bias
    assert found.sharpness.value == pytest.approx(2 / 9 * 2 * 2, rel=1e-12)
    assert found.hessian_top.value == pytest.approx(found.sharpness.value, rel=1e-12)
    assert any("only at infinity" in note for note in found.notes)


def test_curvature_that_has_nearly_vanished_keeps_its_digits() -> None:
    model, x = nn.Linear(1, 2).double(), torch.ones(3).double()
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.tensor([0.0, 30.0]))
    share = 1 / (1 + math.exp(30))
    found = report(model, x, [1, 1, 1], 0.5, 2, "cross_entropy")
    assert found.sharpness.value == pytest.approx(4 * share * (1 - share), rel=1e-12)


# Two-layer networks on the line


def on_line() -> tuple[Weights, Array, Array]:
    weights, x = Weights([1.0, -1.0], [-0.4, -0.4], [0.5, 0.5], 0.1), np.array([-1.5, -0.5, 0.5, 1.5])
    return weights, x, weights(x)


def test_claims_are_evaluated_for_networks_on_the_line() -> None:
    weights, x, y = on_line()
    found = report(weights, x, y, 0.5, 1)
    assert {v.claim: str(v.ruling) for v in found.verdicts} == dict.fromkeys(
        ["M1", "M5", "M6", "M6.a", "B7", "B7.a"], "holds"
    )
    net = TwoLayerReLU.from_weights(weights)
    assert found.flattest == sharpness_lower_bound(net.piecewise_linear(), x)
    assert found.critical_step_size == critical_step_size(x, y)
    mean = report(net, x, y, 0.25, 1, "mean")
    assert mean.flattest == 2 * found.flattest
    assert mean.critical_step_size == found.critical_step_size / 2
    assert [(v.claim, v.ruling) for v in mean.verdicts] == [(v.claim, v.ruling) for v in found.verdicts]
    for ours, theirs in zip(mean.verdicts, found.verdicts, strict=True):
        assert ours.slack == pytest.approx(theirs.slack, rel=1e-9)
    beyond = report(net, x, y, 1.5, 1)
    assert {v.claim: v.failed for v in beyond.verdicts}["M6.a"] == "linear stability: eta lambda_max <= 2"
    assert (beyond.gd, beyond.sgd) == ("unstable", "unstable")
    assert report(net, x, y, 1.0, 1).gd == "stable"
    assert report(net, x, y, 1.0, 1).sgd == "unstable"
    shifted = report(net, x, y + 0.1, 0.5, 1)
    assert "M1" not in {v.claim for v in shifted.verdicts}  # it is about the Hessians of an interpolating minimum
    assert {v.claim: str(v.ruling) for v in shifted.verdicts}["B7"] == "holds"


@given(seed=st.integers(0, 1000), width=st.integers(1, 6), n=st.integers(2, 8))
@settings(max_examples=20)
def test_it_agrees_with_the_functions_for_two_layer_networks(seed: int, width: int, n: int) -> None:
    w1, b1, w2 = draws(seed, 3, width).numpy()
    net, x, y = Weights(w1, b1, w2, 0.3), draws(seed + 1, n).numpy(), draws(seed + 2, n).numpy()
    found = report(net, x, y, 0.1, n)
    assert found.sharpness.value == pytest.approx(sharpness(net, x), rel=1e-12)
    assert found.hessian_top.value == pytest.approx(hessian_sharpness(net, x, y), rel=1e-11)
    difference = abs(found.hessian_top.value - found.sharpness.value)
    assert difference <= residual_curvature(net, x, y) + found.sharpness.error + found.hessian_top.error


def test_claims_are_left_out_where_they_do_not_speak_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, x, y = on_line()
    twice = report(weights, [*x, x[0]], [*y, y[0]], 0.5, 1)
    assert (twice.verdicts, twice.flattest) == ((), None)
    assert any("Two inputs are equal" in note for note in twice.notes)
    net = TwoLayerReLU.from_weights(weights)
    net.output.bias.requires_grad_(False)
    part = report(net, x, y, 0.5, 1)
    assert (part.verdicts, part.parameters) == ((), 6)
    assert part.sharpness.value < report(weights, x, y, 0.5, 1).sharpness.value
    assert any("1 parameters" in note for note in part.notes)
    monkeypatch.setattr(report_claims, "CLAIM_PARAMETERS", 6)
    large = report(weights, x, y, 0.5, 1)
    assert large.verdicts == ()
    assert large.flattest is not None


def test_a_unit_that_toggles_on_a_data_point_decides_nothing() -> None:
    weights, x, _ = on_line()
    on_data = Weights(weights.w1, [-0.5, -0.4], weights.w2, weights.b2)
    found = report(on_data, x, on_data(x), 0.5, 1)
    assert found.toggling == 1
    assert (found.gd, found.sgd) == ("undecided", "undecided")
    assert any("one side" in note for note in found.notes)
    assert report(weights, x, weights(x), 0.5, 1).toggling == 0


def test_zeros_that_stay_zeros_are_no_kinks() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.ReLU(), nn.Linear(6, 1)).double()
    x = draws(0, 8, 2)
    assert report(model, x, outputs_of(model, x), 0.1, 1).toggling == 0
    no_bias = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(8, 1)).double()
    images = torch.zeros(3, 1, 4, 4).double()
    images[:, :, 3:, 3:] = 1.0
    assert report(no_bias, images, outputs_of(no_bias, images), 0.1, 1).toggling == 0
    nowhere = Weights([0.0], [0.0], [1.0], 0.0)
    assert report(nowhere, [1.0, 2.0], [0.0, 0.0], 0.1, 1).toggling == 2


# What it says


def test_the_table_says_what_was_found() -> None:
    weights, x, y = on_line()
    found = report(weights, x, y, 0.5, 1)
    text = str(found)
    assert text == found.table()
    assert text.startswith("TwoLayerReLU: 7 parameters, 4 points, 1 output; loss (1/2n) sum_j |f(x_j) - y_j|^2\n")
    for part in (
        f"{found.sharpness.value:.6g}",
        f"{found.sgd_step_sizes.upper:.6g}",
        "GD stable, SGD stable",
        "M6.a holds",
    ):
        assert part in text


def test_modes_of_layers_are_mentioned() -> None:
    model, x = made("attention")
    assert any("Dropout" in note for note in report(model, x, targets(model, x, "mean"), 0.1, 1).notes)
    model, x = made("convolutions")
    assert any("Batch norm" in note for note in report(model, x, targets(model, x, "mean"), 0.1, 1).notes)


def test_features_that_all_vanish_limit_nothing() -> None:
    model = nn.Linear(2, 1, bias=False).double()
    for gram_rows in (2048, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module_loss, "GRAM_ROWS", gram_rows)
            found = report(model, torch.zeros(3, 2), torch.zeros(3), 5.0, 1)
        assert (found.sharpness.value, found.gd_step_size, found.sgd_step_sizes.lower) == (0, math.inf, math.inf)
        assert (found.gd, found.sgd) == ("stable", "stable")


@pytest.mark.gpu
def test_a_model_on_a_cuda_device_is_measured_as_on_the_host() -> None:
    for name in ("scalar", "vector", "convolutions"):
        model, x = made(name)
        y = targets(model, x, "mean")
        here, there = report(model, x, y, 0.1, 2), report(copy.deepcopy(model).cuda(), x, y, 0.1, 2)
        assert there.sharpness.value == pytest.approx(here.sharpness.value, rel=1e-10)
        assert there.hessian_top.value == pytest.approx(here.hessian_top.value, rel=1e-10)
        assert there.sgd_step_sizes.upper == pytest.approx(here.sgd_step_sizes.upper, rel=1e-8)


# Bad input


class Returns(nn.Module):
    """A module that returns what a function makes of its output."""

    def __init__(self, change: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.change = nn.Linear(2, 1), change

    def forward(self, x: torch.Tensor) -> Any:
        return self.change(self.layer(x))


GOOD = nn.Linear(2, 3)
X, Y, LABELS = np.ones((4, 2)), np.ones((4, 3)), [0, 1, 2, 0]
BROKEN = nn.Linear(2, 3)
with torch.no_grad():
    BROKEN.bias[1] = math.nan
FIXED = nn.Linear(2, 3).requires_grad_(False)
BATCH = nn.BatchNorm1d(2, track_running_stats=False)

BAD_INPUTS: list[tuple[tuple[Any, ...], type[Exception], str]] = [
    ((0.5, X, Y, 0.1, 1), TypeError, "model must be a torch.nn.Module, got 0.5 of type float"),
    ((BROKEN, X, Y, 0.1, 1), ValueError, "model must have finite parameters, got nan or inf in bias"),
    ((FIXED, X, Y, 0.1, 1), ValueError, "model must have a parameter that requires a gradient, got none"),
    (
        (nn.Linear(2, 3, dtype=torch.complex128), X, Y, 0.1, 1),
        TypeError,
        "model must have real parameters, got torch.complex128 in weight",
    ),
    (
        (nn.Linear(2, 3, device="meta"), X, Y, 0.1, 1),
        ValueError,
        "model must have finite parameters, got one without data in weight",
    ),
    (
        (nn.LazyLinear(3), X, Y, 0.1, 1),
        ValueError,
        "model must have initialised parameters, got a lazy one in weight: call it on data once",
    ),
    (
        (GOOD, np.ones((4, 5)), Y, 0.1, 1),
        ValueError,
        "model must work in float64 on x of shape (4, 5) and dtype torch.float64, got mat1 and mat2 shapes cannot be "
        "multiplied (4x5 and 2x3)",
    ),
    (
        (Returns(lambda out: (out, out)), X, Y, 0.1, 1),
        TypeError,
        "model must return a tensor of torch.float64 once it is in float64, got tuple",
    ),
    (
        (Returns(lambda out: out.float()), X, Y, 0.1, 1),
        TypeError,
        "model must return a tensor of torch.float64 once it is in float64, got a tensor of torch.float32",
    ),
    (
        (Returns(lambda out: out + 1j), X, Y, 0.1, 1),
        TypeError,
        "model must return a tensor of torch.float64 once it is in float64, got a tensor of torch.complex128",
    ),
    (
        (Returns(lambda out: out.sum()), X, Y, 0.1, 1),
        ValueError,
        "model must return [n] or [n, ...], one output for each of the 4 rows of x, got shape ()",
    ),
    (
        (Returns(lambda out: out / 0 * 0), X, Y, 0.1, 1),
        ValueError,
        "model must return finite numbers, got nan for row 0 of x",
    ),
    (
        (Returns(lambda out: out.detach()), X, Y, 0.1, 1),
        ValueError,
        "model must return outputs that depend on its parameters, got outputs without a gradient",
    ),
    ((GOOD, [[1.0, math.nan]], Y, 0.1, 1), ValueError, "x must hold finite numbers, got nan at index 1"),
    ((GOOD, torch.tensor([[1.0, math.inf]]), Y, 0.1, 1), ValueError, "x must hold finite numbers, got inf at index 1"),
    ((GOOD, [["a", "b"]], Y, 0.1, 1), TypeError, "x must hold real numbers, got 'a' of type str"),
    (
        (GOOD, torch.ones(4, 2, dtype=torch.complex64), Y, 0.1, 1),
        TypeError,
        "x must hold real numbers, got a tensor of torch.complex64",
    ),
    ((GOOD, torch.ones(0, 2), Y, 0.1, 1), ValueError, "x must have shape [n, ...] with n >= 1, got shape (0, 2)"),
    ((GOOD, 1.0, Y, 0.1, 1), ValueError, "x must have shape [n, ...] with n >= 1, got shape ()"),
    (
        (GOOD, X, Y[:3], 0.1, 1),
        ValueError,
        "y must have shape [4, 3], the outputs of model on the 4 rows of x, got shape (3, 3)",
    ),
    (
        (GOOD, X, np.ones(12), 0.1, 1),
        ValueError,
        "y must have shape [4, 3], the outputs of model on the 4 rows of x, got shape (12,)",
    ),
    (
        (nn.Linear(2, 1), X, np.ones((1, 4)), 0.1, 1),
        ValueError,
        "y must have shape [4] or [4, 1], the outputs of model on the 4 rows of x, got shape (1, 4)",
    ),
    ((GOOD, X, np.full((4, 3), math.inf), 0.1, 1), ValueError, "y must hold finite numbers, got inf at index 0"),
    ((GOOD, X, Y, 0.0, 1), ValueError, "step_size must be finite and above 0, got 0.0"),
    ((GOOD, X, Y, math.nan, 1), ValueError, "step_size must be finite and above 0, got nan"),
    ((GOOD, X, Y, "1", 1), TypeError, "step_size must be a real number, got '1' of type str"),
    ((GOOD, X, Y, 0.1, 0), ValueError, "batch_size must be between 1 and the number of data points, 4, got 0"),
    ((GOOD, X, Y, 0.1, 5), ValueError, "batch_size must be between 1 and the number of data points, 4, got 5"),
    ((GOOD, X, Y, 0.1, 2.0), TypeError, "batch_size must be an integer, got 2.0 of type float"),
    (
        (GOOD, X, Y, 0.1, 1, "sum"),
        ValueError,
        "loss must be one of 'half_mean', 'mean', 'mse_loss', 'cross_entropy', got 'sum'",
    ),
    (
        (GOOD, X, [0, 1, 3, 0], 0.1, 1, "cross_entropy"),
        ValueError,
        "y must hold labels from 0 to 2, the outputs of model less one, got 3 at index 2",
    ),
    (
        (GOOD, X, [0, -1, 2, 0], 0.1, 1, "cross_entropy"),
        ValueError,
        "y must hold labels from 0 to 2, the outputs of model less one, got -1 at index 1",
    ),
    (
        (GOOD, X, [0.0, 1.0, 2.0, 0.0], 0.1, 1, "cross_entropy"),
        TypeError,
        "y must hold integers, got 0.0 of type float",
    ),
    (
        (GOOD, X, torch.ones(4), 0.1, 1, "cross_entropy"),
        TypeError,
        "y must hold integers, got a tensor of torch.float32",
    ),
    (
        (GOOD, X, LABELS[:3], 0.1, 1, "cross_entropy"),
        ValueError,
        "y must have shape [4], one label for each row of x, got shape (3,)",
    ),
    (
        (nn.Linear(2, 1), X, LABELS, 0.1, 1, "cross_entropy"),
        ValueError,
        "model must return [n, c] with c >= 2 for cross_entropy, one output a class, got c = 1",
    ),
    (
        (GOOD, 1e200 * X, Y, 0.1, 1),
        ValueError,
        "x, y and model must be small enough for the Hessian to be finite in float64, but it overflows",
    ),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), BAD_INPUTS)
def test_bad_input_is_named(arguments: tuple[Any, ...], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$") as raised:
        report(*arguments)
    assert raised.value.__cause__ is None or raised.value.__suppress_context__


@pytest.mark.parametrize("option", ["interpolation_tolerance", "gradient_tolerance", "tolerance"])
def test_tolerances_are_checked(option: str) -> None:
    with pytest.raises(ValueError, match=f"^{option} must be finite and "):
        report(GOOD, X, Y, 0.1, 1, **{option: -1.0})


@pytest.mark.parametrize(
    "model",
    [
        Returns(lambda out: functional.dropout(out, 0.5, training=True)),
        nn.Sequential(nn.Linear(2, 2), BATCH, nn.Linear(2, 1)),
    ],
)
def test_outputs_that_depend_on_the_batch_are_refused(model: nn.Module) -> None:
    with pytest.raises(
        ValueError, match=r"^model must give a row of x the same output every time and whatever the other"
    ):
        report(model, draws(0, 60, 2), draws(1, 60), 0.1, 1)  # of 6 dropout may drop the same twice


class OnceOnly(torch.autograd.Function):
    """A square whose gradient cannot be differentiated."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


def test_a_model_that_is_differentiable_once_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^model must be one that autograd differentiates twice, got "):
        report(Returns(OnceOnly.apply), draws(0, 6, 2), draws(1, 6), 0.1, 1)


def test_a_hessian_that_torch_gets_wrong_is_refused() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(parametrizations.weight_norm(nn.Linear(2, 4)), nn.Tanh(), nn.Linear(4, 2)).double()
    with pytest.raises(
        ValueError, match=r"^model must be one that autograd differentiates twice, got derivatives of its gradients"
    ):
        report(model, draws(0, 6, 2), draws(1, 6, 2), 0.1, 1)


def test_a_model_that_cannot_be_copied_is_refused() -> None:
    model = nn.Linear(2, 1)
    model.cache = model.weight * 2  # type: ignore[assignment]
    with pytest.raises(ValueError, match=r"^model must be one that copy.deepcopy can copy, got Only Tensors created"):
        report(model, draws(0, 6, 2), draws(1, 6), 0.1, 1)


def test_the_claims_are_those_of_the_registry_on_stable_smooth_minima() -> None:
    ids = [claim.id for claim in report_claims.claims_about("weights", ("weights", "x", "y", "step_size"))]
    assert ids == ["M5", "M6", "M6.a", "B7", "B7.a"]
    assert [claim.id for claim in report_claims.claims_about("weights", ("weights", "x"))] == ["M5"]
    assert [c.id for c in report_claims.claims_about("hessians", ("hessians", "step_size", "batch_size"))] == ["M1"]


def test_a_report_is_a_row_of_a_data_frame() -> None:
    model = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 2.0]]))
    x = np.array([[1.0, 0.0], [1.0, 1.0]])
    found = report(model, x, x @ np.array([1.0, 2.0]), 0.5, 1)
    row = found.to_dict()
    assert row["sharpness"] == found.sharpness.value
    assert row["sharpness_error"] == found.sharpness.error
    assert row["sgd_step_size_upper"] == found.sgd_step_sizes.upper
    assert (row["stable"], row["edge"]) == (found.stable, found.edge.value)
    assert (row["hessian_bottom"], row["hessian_bottom_error"]) == (None, None)
    assert row["notes"] == list(found.notes)
    assert all(isinstance(value, (str, bool, int, float, list, type(None))) for value in row.values())
    assert "verdicts" not in row
