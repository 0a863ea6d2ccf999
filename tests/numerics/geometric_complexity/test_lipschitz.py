import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from numerics.geometric_complexity import geometric_complexity, lipschitz_bound
from theory.checks import Array


class Block(nn.Module):
    """A residual block with batch norm, a strided convolution on the skip, and functions of torch."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outside)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.skip = nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.second(functional.relu(self.norm(self.first(x))))
        inner += self.skip(x)
        return functional.relu(inner)


class Head(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer = nn.Linear(2 * channels, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = functional.avg_pool2d(x, x.shape[-1]).reshape(x.size(0), -1)
        result: torch.Tensor = self.layer(torch.cat([flat, x.mean((2, 3)) / 2], dim=1))
        return result


def residual() -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.MaxPool2d(3, 2, 1), Block(3, 4, 2), Head(4))


def pooled() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.LeakyReLU(2.0), nn.AvgPool2d(2, 1, 1), nn.GELU(), nn.BatchNorm2d(3),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Sigmoid(), nn.Linear(2, 2),
    )  # fmt: skip


def drawn(make: Any, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: nn.Module = make().double().eval()
        for parameter in model.parameters():
            parameter.data.normal_()
        for layer in model.modules():
            if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
                layer.running_mean = torch.randn(layer.num_features).double()
                layer.running_var = torch.rand(layer.num_features).double() + 0.1
    return model


def steepest(model: nn.Module, shape: tuple[int, ...], seed: int) -> float:
    """Return the largest norm of a Jacobian at some inputs."""
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((20, *shape)))
    found = 0.0
    for row in x:
        jacobian = torch.autograd.functional.jacobian(lambda t: model(t).reshape(-1), row[None].clone())
        matrix: Array = jacobian.reshape(jacobian.shape[0], -1).numpy()
        found = max(found, float(np.linalg.norm(matrix, 2)))
    return found


@pytest.mark.parametrize("make", [residual, pooled], ids=["residual", "pooled"])
@pytest.mark.parametrize("seed", range(5))
def test_no_jacobian_is_longer(make: Any, seed: int) -> None:
    model, shape = drawn(make, seed), (2, 8, 8)
    bound = lipschitz_bound(model, shape).upper
    assert steepest(model, shape, seed) <= bound
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((20, *shape)))
    assert geometric_complexity(model, x).value <= 3 * bound**2


def test_a_chain_is_the_product_of_its_norms() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)), 0)
    tops = [float(np.linalg.norm(layer.weight.detach().numpy(), 2)) for layer in model if isinstance(layer, nn.Linear)]  # type: ignore[union-attr]
    found = lipschitz_bound(model, (3,))
    assert found.upper == pytest.approx(math.prod(tops), rel=1e-10)
    assert found.upper >= math.prod(tops) * (1 - 1e-14)
    assert [name for name, _ in found.layers] == ["0", "2", "4"]


def test_a_linear_chain_with_a_skip_is_exact() -> None:
    class Doubled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + x

    class Beside(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x, x], dim=1)

    assert lipschitz_bound(nn.Sequential(Doubled()), (3,)).upper == pytest.approx(2.0)
    assert lipschitz_bound(nn.Sequential(Beside()), (3,)).upper == pytest.approx(math.sqrt(2))
    assert lipschitz_bound(nn.Sequential(Beside(), Doubled()), (3,)).upper == pytest.approx(2 * math.sqrt(2))


def test_a_layer_may_have_the_name_of_a_function() -> None:
    named = nn.Sequential()
    named.add_module("add", nn.Linear(1, 1, bias=False))
    nn.init.constant_(named[0].weight, 3.0)  # type: ignore[arg-type]
    assert lipschitz_bound(named, (1,)).upper == pytest.approx(3.0)


def test_batch_norm_is_folded_into_the_layer_before_it() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(2, 2, bias=False), nn.BatchNorm1d(2)), 0)
    linear, norm = model[0], model[1]  # type: ignore[index]
    with torch.no_grad():
        linear.weight.copy_(torch.diag(torch.tensor([1.0, 4.0])))
        norm.running_var = torch.tensor([1.0, 1.0]).double() - norm.eps
        norm.weight.copy_(torch.tensor([4.0, 1.0]))
    assert lipschitz_bound(model, (2,)).upper == pytest.approx(4.0, rel=1e-9)  # not 4 x 4
    assert lipschitz_bound(nn.Sequential(linear, nn.ReLU(), norm), (2,)).upper == pytest.approx(16.0, rel=1e-9)


@pytest.mark.parametrize(
    ("layer", "shape", "upper"),
    [
        (nn.MaxPool2d(2), (1, 4, 4), 1.0),
        (nn.MaxPool2d(3, 2), (1, 7, 7), 2.0),
        (nn.AvgPool2d(2), (1, 4, 4), 0.5),
        (nn.AdaptiveAvgPool2d(2), (1, 6, 6), 1 / 3),
        (nn.LeakyReLU(3.0), (2,), 3.0),
        (nn.Sigmoid(), (2,), 0.25),
    ],
    ids=["max", "overlapping max", "average", "adaptive", "leaky", "sigmoid"],
)
def test_rules_of_single_layers(layer: nn.Module, shape: tuple[int, ...], upper: float) -> None:
    assert lipschitz_bound(nn.Sequential(layer), shape).upper == pytest.approx(upper, rel=1e-9)


def test_a_layer_that_no_rule_knows_is_named_with_what_is_known() -> None:
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.LayerNorm(2))
    with torch.no_grad():
        model[0].weight.copy_(3 * torch.eye(2))
    with pytest.raises(ValueError, match=r"got LayerNorm '2'; up to there the Lipschitz constant is at most 3$"):
        lipschitz_bound(model, (2,))


class Squared(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x


class Spread(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + x.mean((2, 3), keepdim=True)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Squared(), "got the function mul"),
        (Spread(), "got the function add"),
        (nn.AvgPool2d(3, 2, ceil_mode=True), "got AvgPool2d"),
        (nn.AdaptiveAvgPool2d(3), "got AdaptiveAvgPool2d"),
        (nn.BatchNorm2d(1), "in training mode"),
    ],
    ids=["product", "broadcast", "ceil mode", "uneven", "training"],
)
def test_what_is_not_known_is_refused(model: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lipschitz_bound(model, (1, 8, 8))


@pytest.mark.parametrize(
    ("shape", "error"), [((3,), ValueError), ((2.0,), TypeError), ((0,), ValueError)], ids=["wrong", "float", "empty"]
)
def test_a_bad_shape_is_refused(shape: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        lipschitz_bound(nn.Linear(2, 2), shape)
