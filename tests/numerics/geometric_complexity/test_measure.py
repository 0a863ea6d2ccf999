import copy
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.geometric_complexity import geometric_complexity
from numerics.kinks import Kinks
from numerics.networks import glorot_network
from numerics.smoothness import gradient_norm
from theory.checks import Array

STEP = 1e-5


class Residual(nn.Module):
    """Two convolutions with batch norm beside a skip, as in a ResNet."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner: torch.Tensor = self.second(self.relu(self.norm(self.first(x))))
        result: torch.Tensor = self.relu(x + inner)
        return result


class Wrapped(nn.Module):
    """A model whose structure nobody knows."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.inner = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.inner(x)
        return result


def mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inside, outside in itertools.pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 2), nn.ReLU(), nn.Flatten(),
        nn.Linear(12, 3),
    )  # fmt: skip


def resnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1), Residual(3), Residual(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4)
    )


def drawn(make: Any, seed: int = 0) -> nn.Module:
    """Return a model in float64 and eval mode, the statistics of batch norm drawn too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: nn.Module = make().double().eval()
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2.0)
    return model


def inputs(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def pattern(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Return the sign of what goes into every ReLU, and which entry wins in every max-pooling."""
    found: list[torch.Tensor] = []

    def look(layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if isinstance(layer, nn.ReLU):
            found.append(given[0].detach().sign().clone())
        elif isinstance(layer, nn.MaxPool2d):
            found.append(nn.functional.max_pool2d(given[0], 2, return_indices=True)[1])

    hooks = [layer.register_forward_pre_hook(look) for layer in model.modules()]
    with torch.no_grad():
        model(x.clone())
    for hook in hooks:
        hook.remove()
    return found


def slow(model: nn.Module, x: torch.Tensor) -> tuple[Array, list[bool]]:
    """Return ||J||_F^2 at each input by central differences, entry by entry, and whether its pattern stays on the way."""
    norms, stays = np.zeros(len(x)), []
    for i, row in enumerate(x):
        here, same = pattern(model, row[None]), True
        for j in range(row.numel()):
            shift = torch.zeros_like(row).reshape(-1)
            shift[j] = STEP
            up, down = (row[None] + sign * shift.reshape(row.shape) for sign in (1, -1))
            with torch.no_grad():
                change = (model(up.clone()) - model(down.clone())).reshape(-1) / (2 * STEP)
            norms[i] += float((change**2).sum())
            for side in (up, down):
                same = same and all(torch.equal(a, b) for a, b in zip(here, pattern(model, side), strict=True))
        stays.append(same)
    return norms, stays


@pytest.mark.parametrize(
    ("make", "shape", "method"),
    [
        (lambda: mlp(4, 9, 3), (4,), "two layers in closed form"),
        (lambda: mlp(3, 9, 7, 5), (3,), "forward products"),
        (lambda: mlp(6, 9, 7, 2), (6,), "backward products"),
        (cnn, (2, 6, 6), "backward products"),
        (resnet, (2, 5, 5), "backward products"),
    ],
    ids=["two-layer", "tall", "wide", "cnn", "resnet"],
)
def test_it_is_what_finite_differences_say(
    make: Any, shape: tuple[int, ...], method: str, record_property: Any
) -> None:
    model, x = drawn(make), inputs(20, *shape)
    found = geometric_complexity(model, x, megabytes=0.01)
    expected, stays = slow(model, x)
    record_property("points left out, their pattern changing within the step", stays.count(False))
    assert found.method == method
    assert sum(stays) >= 15
    assert found.squared_norms[stays] == pytest.approx(expected[stays], rel=1e-6)
    kept = geometric_complexity(model, x[torch.tensor(stays)])
    assert kept.value == pytest.approx(float(np.mean(expected[stays])), rel=1e-6)
    assert (found.standard_error, found.kinks, found.inputs) == (0.0, 0, 20)


@pytest.mark.parametrize(("d", "h", "k"), [(2, 30, 1), (5, 7, 3), (1, 4, 2), (3, 1, 1)])
def test_two_layers_in_closed_form_and_by_autograd_agree(d: int, h: int, k: int) -> None:
    model, x = drawn(lambda: mlp(d, h, k)), inputs(40, d)
    closed, other = geometric_complexity(model, x, megabytes=0.001), geometric_complexity(Wrapped(model), x)
    assert closed.method == "two layers in closed form"
    assert other.method in {"backward products", "forward products"}
    assert closed.value == pytest.approx(other.value, rel=1e-12)
    assert closed.squared_norms == pytest.approx(other.squared_norms, rel=1e-12)


@pytest.mark.parametrize(("d", "h", "k"), [(2, 30, 1), (5, 7, 3)])
def test_two_layers_are_the_sum_over_pairs_of_units(d: int, h: int, k: int) -> None:
    model, x = drawn(lambda: mlp(d, h, k)), inputs(40, d)
    w, b, v = (parameter.detach().numpy() for parameter in list(model.parameters())[:3])
    active = x.numpy() @ w.T + b > 0
    total = math.fsum(
        float(v[:, i] @ v[:, j]) * float(w[i] @ w[j]) * float(np.mean(active[:, i] & active[:, j]))
        for i in range(h)
        for j in range(h)
    )
    assert geometric_complexity(model, x).value == pytest.approx(total, rel=1e-12)


def test_its_root_is_the_gradient_norm_of_one_output() -> None:
    model, x = glorot_network(20, in_features=2, seed=0).double(), inputs(30, 2)
    found = geometric_complexity(model, x)
    assert np.mean(np.sqrt(found.squared_norms)) == pytest.approx(gradient_norm(model, x).value, rel=1e-12)
    assert found.value == pytest.approx(gradient_norm(model, x, squared=True).value, rel=1e-12)


def test_the_memory_asked_for_changes_nothing_but_rounding() -> None:
    model, x = drawn(resnet), inputs(11, 2, 5, 5)
    values = [geometric_complexity(model, x, megabytes=size).squared_norms for size in (1e-6, 0.1, 100.0)]
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    assert values[0] == pytest.approx(values[2], rel=1e-12)


def test_random_projections_are_unbiased_within_their_standard_error() -> None:
    model, x = drawn(lambda: mlp(60, 20, 20, 50)), inputs(30, 60)
    exact = geometric_complexity(model, x).value
    found = [geometric_complexity(model, x, exact_up_to=10, projections=3, seed=seed) for seed in range(200)]
    deviations = np.array([(one.value - exact) / one.standard_error for one in found])
    assert {one.method for one in found} == {"random projections"}
    # Each is near a standard normal: the mean beyond 5/sqrt(200) once in two million, the spread a fifth off likewise.
    assert abs(deviations.mean()) < 5 / math.sqrt(200)
    assert 0.75 < deviations.std() < 1.3


def test_it_is_exact_where_projections_would_cost_more() -> None:
    model, x = drawn(lambda: mlp(60, 20, 20, 5)), inputs(10, 60)
    found = geometric_complexity(model, x, exact_up_to=1, projections=5)
    assert (found.method, found.standard_error) == ("backward products", 0.0)
    assert geometric_complexity(model, x, exact_up_to=5, projections=2).standard_error == 0
    assert geometric_complexity(model, x, exact_up_to=4, projections=2).standard_error > 0


def test_the_same_seed_draws_the_same_projections() -> None:
    model, x = drawn(lambda: mlp(20, 9, 9, 20)), inputs(10, 20)
    first, again, other = (geometric_complexity(model, x, exact_up_to=2, seed=seed).value for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("wrap", [lambda model: model, Wrapped], ids=["closed form", "autograd"])
@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
def test_inputs_on_kinks_are_counted_and_take_the_slope_asked_for(wrap: Any, slope: float) -> None:
    model = mlp(1, 2, 1).double()
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), ([1, 1], [0, -1], [3, 1], [0]), strict=True):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
    found = geometric_complexity(wrap(model), np.array([-1.0, 0.0, 0.5, 1.0]), relu_slope_at_zero=slope)
    assert found.kinks == 2
    assert found.squared_norms == pytest.approx([0, 9 * slope**2, 9, (3 + slope) ** 2])


def test_a_unit_that_is_always_at_zero_is_no_kink() -> None:
    model = mlp(1, 2, 1).double()
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), ([1, 0], [3, 0], [3, 1], [0]), strict=True):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
    x = np.array([-1.0, 0.5])
    assert geometric_complexity(model, x).kinks == geometric_complexity(Wrapped(model), x).kinks == 0
    twice = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.ReLU(), nn.Linear(3, 1)).double()
    assert geometric_complexity(twice, inputs(20, 1)).kinks == 0


@pytest.mark.parametrize(
    ("layer", "x", "kinks"),
    [
        (nn.ReLU6(), [[6.0], [0.0], [3.0]], 2),
        (nn.Hardtanh(-2.0, 5.0), [[-2.0], [5.0], [-1.0], [1.0]], 2),
        (nn.LeakyReLU(), [[0.0], [1.0]], 1),
        (nn.Tanh(), [[0.0], [1.0]], 0),
    ],
    ids=["relu6", "hardtanh", "leaky", "tanh"],
)
def test_kinks_of_other_activations(layer: nn.Module, x: list[list[float]], kinks: int) -> None:
    assert geometric_complexity(nn.Sequential(layer, nn.Identity()), x).kinks == kinks


def test_ties_of_max_pooling_are_kinks_unless_all_are_off() -> None:
    x = (
        torch.tensor([[1.0, 1.0, 0.0, -1.0], [1.0, 2.0, 0.5, 0.0], [-1.0, -1.0, -2.0, -3.0]])
        .double()
        .reshape(3, 1, 2, 2)
    )
    plain, behind = nn.MaxPool2d(2), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2))
    assert geometric_complexity(plain, x).kinks == 2
    assert geometric_complexity(behind, x[1:] - 0.25).kinks == 0
    assert geometric_complexity(nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.Flatten()), x).kinks == 2


def test_outputs_at_zero_are_no_kink() -> None:
    assert geometric_complexity(nn.Linear(2, 3, bias=False), torch.zeros(4, 2)).kinks == 0


def test_a_batch_axis_that_is_lost_leaves_the_kinks_unknown() -> None:
    class Folded(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = torch.relu(x.reshape(-1)).reshape(x.shape)
            return result

    assert geometric_complexity(Folded(), torch.tensor([[0.0, 3.0]])).kinks is None
    assert geometric_complexity(Folded(), torch.tensor([[2.0, 1.0]])).kinks == 0


def test_the_model_is_left_as_it_is() -> None:
    model, x = drawn(resnet), inputs(3, 2, 5, 5).requires_grad_()
    before = copy.deepcopy(model.state_dict())
    geometric_complexity(model, x)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert x.grad is None
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(3), nn.Dropout(0.5), nn.BatchNorm1d(3, track_running_stats=False)])
def test_layers_whose_output_is_of_the_batch_or_random_are_refused_by_name(layer: nn.Module) -> None:
    model = nn.Sequential(nn.Linear(3, 3), layer)
    with pytest.raises(ValueError, match=f"got {type(layer).__name__} '1'"):
        geometric_complexity(model, torch.ones(2, 3))
    if getattr(layer, "track_running_stats", True):
        assert geometric_complexity(model.eval(), torch.ones(2, 3)).value > 0


@pytest.mark.parametrize(
    "last",
    [
        nn.Softmax(dim=1),
        nn.LogSoftmax(dim=1),
        nn.Sigmoid(),
        nn.Sequential(nn.Softmax(dim=1), nn.Identity(), nn.Hardtanh()),
    ],
    ids=["softmax", "log softmax", "sigmoid", "softmax, then others"],
)
def test_probabilities_are_refused_unless_asked_for(last: nn.Module) -> None:
    model, x = nn.Sequential(nn.Linear(3, 4), last), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="must return logits"):
        geometric_complexity(model, x)
    assert geometric_complexity(model, x, probabilities=True).value > 0


class Coupled(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.mean(dim=0)


class Cut(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.detach()


@pytest.mark.parametrize(
    ("model", "x", "error", "message"),
    [
        (nn.Linear(2, 1), torch.ones(3, 2, dtype=torch.int64), TypeError, "x must hold floats"),
        (nn.Linear(2, 1), np.ones((3, 2), dtype=np.int32), TypeError, "x must hold floats"),
        (nn.Linear(2, 1), torch.ones(0, 2), ValueError, "x must have shape"),
        (nn.Linear(2, 1), [], ValueError, "x must have shape"),
        (nn.Linear(2, 1), torch.tensor([[1.0, math.nan]]), ValueError, "x must hold finite numbers, got nan"),
        (nn.Linear(2, 1), torch.ones(3, 4), ValueError, r"fails on shape \(3, 4\)"),
        (lambda x: x, torch.ones(3, 4), TypeError, "model must be a torch.nn"),
        (Coupled(), torch.tensor([[1.0], [2.0]]), ValueError, "whatever the other rows are"),
        (Coupled(), torch.tensor([[1.0]]), ValueError, "whatever the other rows are"),
        (Cut(), torch.ones(3, 4), ValueError, "differentiable by autograd"),
        (nn.Sequential(nn.Linear(2, 2), nn.Flatten(0)), torch.ones(3, 2), ValueError, "one output for each of the 3 rows"),
    ],
    ids=["integers", "integer array", "empty", "empty list", "nan", "shape", "no module", "coupled", "coupled, one row",
         "cut", "flattened"],
)  # fmt: skip
def test_bad_input_is_named(model: Any, x: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        geometric_complexity(model, x)


def test_an_activation_that_is_nan_is_named() -> None:
    class Root(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sqrt(x)

    model = nn.Sequential(nn.Identity(), Root(), nn.Linear(2, 1))
    with pytest.raises(ValueError, match="got nan or inf, first from Root '1'"):
        geometric_complexity(model, -torch.ones(3, 2))
    with pytest.raises(ValueError, match="finite derivatives"):
        geometric_complexity(nn.Sequential(Root(), nn.Identity()), torch.zeros(3, 2))


def test_parameters_that_are_nan_are_named() -> None:
    model = nn.Sequential(nn.Linear(2, 1))
    with torch.no_grad():
        model[0].bias.fill_(math.nan)
    with pytest.raises(ValueError, match=r"nan or inf in 0\.bias"):
        geometric_complexity(model, torch.ones(3, 2))


@pytest.mark.parametrize(
    "options",
    [{"exact_up_to": -1}, {"projections": 1}, {"seed": -1}, {"megabytes": 0}, {"relu_slope_at_zero": 2.0}],
    ids=lambda options: next(iter(options)),
)
def test_options_out_of_range_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        geometric_complexity(nn.Linear(2, 1), torch.ones(3, 2), **options)


def test_kinks_are_looked_for_below_autograd() -> None:
    with Kinks() as kinks:
        torch.relu(torch.tensor([0.0, 1.0]))
    assert [near.tolist() for near in kinks.near] == [[True, False]]
