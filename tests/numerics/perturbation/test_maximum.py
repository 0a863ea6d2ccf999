import copy
import math
from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from numerics.perturbation import MaxSharpness, max_sharpness
from numerics.training import batches
from tests.numerics.capacity.networks import dense, drawn
from theory.checks import rationals
from theory.claim import Instance
from theory.neyshabur2017.sharpness import box_sharpness, linear_sharpness


def linear(weights: Any, bias: Any = None) -> nn.Linear:
    matrix = torch.as_tensor(np.array(weights))
    layer = nn.Linear(matrix.shape[1], matrix.shape[0], bias=bias is not None, dtype=torch.float64)
    layer.weight.data.copy_(matrix)
    if bias is not None:
        layer.bias.data.copy_(torch.tensor(bias, dtype=torch.float64))
    return layer.eval()


def classified(seed: int, n: int = 12, d: int = 3, k: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    return torch.from_numpy(generator.standard_normal((n, d))), torch.from_numpy(generator.integers(0, k, n))


def loss_at(model: nn.Module, weights: Any, x: torch.Tensor, y: torch.Tensor) -> float:
    with torch.no_grad():
        return float(functional.cross_entropy(functional_call(model, weights, (x,)), y))


def zeta(here: float, there: float) -> float:
    return (there - here) / (1 + here)


class Peak(nn.Module):
    """A loss that is greatest at the weight 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(-self.weight.square()) * x


class Branching(nn.Module):
    """A two-layer network that looks at its weights: no two such can go through it at once."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> Any:
        return self.inner(x) if float(next(self.inner.parameters()).detach().sum()) < math.inf else x


class Tied(nn.Module):
    """x -> W^T relu(W x)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3, bias=False)
        self.second = nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(torch.relu(self.first(x)))


@pytest.mark.parametrize("seed", range(3))
def test_vertices_give_what_the_claims_have_for_linear_predictors(seed: int) -> None:
    generator = np.random.default_rng(seed)
    x, y, w = (generator.integers(-8, 9, shape) / 8 for shape in ((4, 3), 4, 3))
    given = Instance({"inputs": rationals(x), "targets": rationals(y), "alpha": Fraction(1, 4)}, "drawn")
    found = max_sharpness(linear([w]), x, y, "mean", 0.25, exact=True)
    assert found.exact
    assert found.value == pytest.approx(float(linear_sharpness(given, rationals(w))), rel=1e-12)
    assert len(found.reached) == 8


@pytest.mark.parametrize("seed", range(3))
def test_nothing_in_the_box_is_above_the_vertices(seed: int) -> None:
    x, y = classified(seed)
    model = drawn(lambda: nn.Linear(3, 3), seed)
    alpha = 0.3
    found = max_sharpness(model, x, y, alpha=alpha, exact=True)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(50):
        moved = {
            name: p.detach() + alpha * (p.detach().abs() + 1) * (2 * torch.rand(p.shape, generator=generator) - 1)
            for name, p in model.named_parameters()
        }
        assert loss_at(model, moved, x, y) <= found.largest_loss
    assert max_sharpness(model, x, y, alpha=alpha, steps=15, step_size=0.1, batch=None).value <= found.value * (
        1 + 1e-12
    )


def test_ascent_reaches_the_best_vertex_of_a_linear_layer() -> None:
    x, y = classified(0)
    model = drawn(lambda: nn.Linear(3, 3), 0)
    best = max_sharpness(model, x, y, alpha=0.01, exact=True)
    found = max_sharpness(model, x, y, alpha=0.01, steps=30, restarts=2, step_size=0.1, batch=None)
    assert not found.exact
    assert found.value == pytest.approx(best.value, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_ascent_is_a_lower_bound_on_what_n6_has_for_relu_units(seed: int) -> None:
    generator = np.random.default_rng(seed)
    u, v, x, y = (generator.integers(-8, 9, 3) / 8 for _ in range(4))
    x = np.abs(x) + 1
    model = nn.Sequential(linear(u[:, None]), nn.ReLU(), linear(v[None]))
    given = Instance({"inputs": rationals(x), "targets": rationals(y), "alpha": Fraction(1, 4)}, "drawn")
    most = float(box_sharpness(given, rationals(u), rationals(v)))
    found = max_sharpness(model, x[:, None], y, "mean", 0.25, steps=40, restarts=8, step_size=0.1, batch=None)
    assert 0.9 * most < found.value <= most * (1 + 1e-12)


@pytest.mark.parametrize("ascent", ["sign", "gradient"])
def test_the_value_is_that_of_the_weights_found_and_these_are_in_the_box(ascent: Any) -> None:
    x, y = classified(1)
    model = drawn(lambda: dense(3, 5, 3), 1)
    before = copy.deepcopy(model.state_dict())
    alpha = 0.05
    found = max_sharpness(model, x, y, alpha=alpha, steps=40, batch=5, step_size=0.1, ascent=ascent)
    there = loss_at(model, found.weights, x, y)
    assert found.largest_loss == pytest.approx(there, rel=1e-14)
    assert found.value == pytest.approx(zeta(loss_at(model, before, x, y), there), rel=1e-12)
    assert found.value == found.reached.max() > 0
    for name, weight in found.weights.items():
        assert bool(((weight - before[name]).abs() <= alpha * (before[name].abs() + 1) * (1 + 1e-12)).all()), name
        assert torch.equal(model.state_dict()[name], before[name]), name


@pytest.mark.parametrize("ascent", ["sign", "gradient"])
def test_the_plain_loop_ends_where_the_batched_one_does(ascent: str) -> None:
    x, y = classified(2)
    model = drawn(lambda: dense(3, 5, 3), 2)
    own = {name: p.detach() for name, p in model.named_parameters()}
    sides = {name: 0.1 * (w.abs() + 1) for name, w in own.items()}
    generator, ends = torch.Generator().manual_seed(3), []
    for restart in range(3):
        at = dict(own)
        if restart:
            drawn_at = {n: torch.rand(w.shape, generator=generator, dtype=torch.float64) for n, w in own.items()}
            at = {name: w - sides[name] + 2 * sides[name] * drawn_at[name] for name, w in own.items()}
        velocity = {name: torch.zeros_like(w) for name, w in own.items()}
        for rows in islice(batches(12, 5, sampling="reshuffling", seed=3), 25):
            leaves = {name: w.clone().requires_grad_() for name, w in at.items()}
            value = functional.cross_entropy(functional_call(model, leaves, (x[rows],)), y[rows])
            for name, g in zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True):
                velocity[name] = 0.9 * velocity[name] + g
                move = sides[name] * velocity[name].sign() if ascent == "sign" else velocity[name]
                at[name] = torch.clamp(at[name] + 0.05 * move, own[name] - sides[name], own[name] + sides[name])
        ends.append(zeta(loss_at(model, own, x, y), loss_at(model, at, x, y)))
    settings: dict[str, Any] = {"steps": 25, "restarts": 3, "batch": 5, "step_size": 0.05, "seed": 3, "ascent": ascent}
    assert max_sharpness(model, x, y, alpha=0.1, **settings).reached == pytest.approx(ends, rel=1e-9)


def few(at_once: int | None = None, seed: int = 0, model: nn.Module | None = None) -> MaxSharpness:
    x, y = classified(3)
    chosen = drawn(lambda: dense(3, 5, 3), 3) if model is None else model
    return max_sharpness(chosen, x, y, alpha=0.1, steps=15, restarts=5, batch=4, seed=seed, at_once=at_once)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_how_many_go_together_changes_no_bit(at_once: int) -> None:
    assert np.array_equal(few(at_once).reached, few().reached)


def test_the_seed_alone_decides() -> None:
    assert np.array_equal(few(seed=1).reached, few(seed=1).reached)
    assert not np.array_equal(few(seed=1).reached, few(seed=2).reached)


def test_networks_that_cannot_go_together_go_one_by_one() -> None:
    found = few(model=Branching(drawn(lambda: dense(3, 5, 3), 3)).eval())
    assert found.reached == pytest.approx(few().reached, rel=1e-9)


def test_where_all_targets_are_fitted_only_other_starts_climb() -> None:
    model = drawn(lambda: dense(3, 4, 1), 0)
    x, _ = classified(0)
    found = max_sharpness(model, x, model(x).detach(), "mean", 0.1, steps=10, restarts=2)
    assert found.reached[0] == pytest.approx(0, abs=1e-25)
    assert found.reached[1] > 1e-3


def test_the_weights_themselves_are_in_the_box() -> None:
    found = max_sharpness(Peak().eval(), torch.ones(1, 1, dtype=torch.float64), [0.0], "mean", 0.5, steps=3)
    assert bool((found.reached[1:] < 0).all())
    assert found.value == 0
    assert found.largest_loss == found.loss == 1
    assert found.weights["weight"].item() == 0


def test_a_larger_box_has_no_less() -> None:
    x, y = classified(5)
    model = drawn(lambda: nn.Linear(3, 3), 5)
    values = [max_sharpness(model, x, y, alpha=alpha, exact=True).value for alpha in (1e-3, 1e-2, 1e-1, 1)]
    assert 0 < values[0] < values[1] < values[2] < values[3]


def test_what_it_says_of_itself() -> None:
    model, x = linear([[1.0]]), torch.ones(1, 1, dtype=torch.float64)
    exact = max_sharpness(model, x, [1.0], "mean", 0.5, exact=True)
    assert exact.meaning == "the maximum is 1, by all 2 vertices"
    below = max_sharpness(model, x, [1.0], "mean", 0.5, steps=1)
    assert below.meaning.startswith("the maximum is at least ")


def test_shared_weights_move_together() -> None:
    model = drawn(Tied, 0)
    x, y = classified(0)
    found = max_sharpness(model, x, y, alpha=0.1, steps=10)
    assert list(found.weights) == ["first.weight"]
    moved = copy.deepcopy(model)
    next(moved.parameters()).data.copy_(found.weights["first.weight"])
    assert found.largest_loss == pytest.approx(float(functional.cross_entropy(moved(x), y).detach()), rel=1e-12)


def test_frozen_parameters_and_statistics_stay() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3)), 0)
    for parameter in next(model.children()).parameters():
        parameter.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    x, y = classified(0)
    found = max_sharpness(model, x, y, alpha=0.1, steps=5)
    assert list(found.weights) == ["1.weight", "1.bias", "3.weight", "3.bias"]
    assert found.value > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_network_in_float32_stays_in_it() -> None:
    x, y = classified(0)
    model = drawn(lambda: nn.Linear(3, 3), 0)
    single = max_sharpness(copy.deepcopy(model).float(), x, y, alpha=0.1, exact=True)
    assert single.weights["weight"].dtype == torch.float32
    assert single.value == pytest.approx(max_sharpness(model, x, y, alpha=0.1, exact=True).value, rel=1e-5)


GOOD: dict[str, Any] = {"steps": 1, "restarts": 1}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"alpha": 0}, ValueError, "alpha must be finite and above 0, got 0"),
        ({"alpha": -1e-3}, ValueError, "alpha must be finite and above 0, got -0.001"),
        ({"alpha": math.nan}, ValueError, "alpha must be"),
        ({"alpha": "a"}, TypeError, "alpha must be"),
        ({"steps": 0}, ValueError, "steps must be at least 1, got 0"),
        ({"restarts": 0}, ValueError, "restarts must be at least 1, got 0"),
        ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
        ({"at_once": 0}, ValueError, "at_once must be at least 1, got 0"),
        ({"step_size": 0}, ValueError, "step_size must be finite and above 0"),
        ({"momentum": 1}, ValueError, "momentum must be from 0 to below 1, got 1"),
        ({"momentum": -0.5}, ValueError, "momentum must be"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"ascent": "newton"}, ValueError, "ascent must be one of 'sign', 'gradient', got 'newton'"),
        ({"loss": "zero_one"}, ValueError, "loss must be one of .*'mse_loss', 'cross_entropy', got 'zero_one'"),
        ({"y": [0, 3]}, ValueError, "y must hold labels from 0 to 2, .* got 3 at index 1"),
        ({"y": [0, -1]}, ValueError, "y must hold labels from 0 to 2, .* got -1 at index 1"),
        ({"x": np.zeros((0, 3)), "y": []}, ValueError, r"x must have shape \[n, ...\] with n >= 1"),
        ({"x": np.full((2, 3), math.nan)}, ValueError, "x must hold finite numbers"),
    ],
    ids=[
        "alpha of 0", "negative alpha", "alpha nan", "alpha text", "no steps", "no restarts", "empty batch", "none together",
        "no step size", "momentum of 1", "negative momentum", "negative seed", "unknown ascent", "loss without a gradient",
        "label too high", "negative label", "no data", "data nan",
    ],
)  # fmt: skip
def test_bad_input_is_named(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"x": np.ones((2, 3)), "y": [0, 1]} | GOOD | changes
    with pytest.raises(error, match=message):
        max_sharpness(drawn(lambda: dense(3, 4, 3), 0), **given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)),
            "model must be in eval mode, got BatchNorm1d '1' in",
        ),
        (
            lambda: nn.Sequential(nn.Dropout(), nn.Linear(3, 3)),
            "model must be in eval mode, got Dropout '0' in training",
        ),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.Softmax(dim=1)), "model must return logits"),
        (
            lambda: nn.Linear(3, 3).requires_grad_(False),
            "model must have a parameter that requires a gradient, got none",
        ),
    ],
    ids=["batch norm in training", "dropout in training", "probabilities", "all frozen"],
)
def test_models_that_cannot_be_measured_are_refused(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        max_sharpness(make(), np.ones((2, 3)), [0, 1], **GOOD)


def test_a_loss_that_overflows_is_refused() -> None:
    x = np.ones((2, 1))
    with pytest.raises(ValueError, match="the loss of model must be finite, got inf at row 0 of x"):
        max_sharpness(linear([[1e200]]), x, [0.0, 0.0], "mean", **GOOD)
    with pytest.raises(ValueError, match="the loss of model must be finite in the box, got inf at vertex 0"):
        max_sharpness(linear([[1e150]]), x, [0.0, 0.0], "mean", 1e10, exact=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dense(3, 2, 3), "exact=True needs linear layers alone, in sequence, got ReLU"),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3)), "exact=True needs one linear layer, got 2"),
        (lambda: nn.Linear(3, 6), "exact=True needs at most 16 weights, got 24"),
        (
            lambda: nn.Sequential(nn.Linear(3, 3), nn.Tanh()),
            "exact=True needs linear layers alone, in sequence, got Tanh",
        ),
    ],
    ids=["ReLU", "two layers", "many weights", "another layer"],
)
def test_vertices_are_refused_where_the_maximum_may_be_elsewhere(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        max_sharpness(drawn(make, 0), np.ones((2, 3)), [0, 1], exact=True)
