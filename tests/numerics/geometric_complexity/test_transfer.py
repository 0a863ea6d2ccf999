from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.geometric_complexity import geometric_complexity, operator_norm, transfer_bound
from numerics.networks import TwoLayerReLU
from theory.checks import Array


class Skip(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x + self.inner(x)
        return result


def dense(*widths: int, bias: bool = True, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside, bias=bias), activation()]
    return nn.Sequential(*layers[:-1])


def convolutional(bias: bool = True, **options: Any) -> nn.Sequential:
    first = nn.Conv2d(2, 3, 3, bias=bias, **options)
    with torch.no_grad():
        size = first(torch.zeros(1, 2, 4, 4)).numel()
    return nn.Sequential(first, nn.ReLU(), nn.Flatten(), nn.Linear(size, 3, bias=bias))


def residual() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 5), Skip(nn.Sequential(nn.Linear(5, 5), nn.ReLU())), nn.Linear(5, 3))


ARCHITECTURES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "dense": (lambda: dense(4, 6, 5, 3), (4,)),
    "dense, no biases": (lambda: dense(4, 6, 5, 3, bias=False), (4,)),
    "tanh": (lambda: dense(3, 6, 2, activation=nn.Tanh), (3,)),
    "convolution": (convolutional, (2, 4, 4)),
    "convolution in groups": (lambda: nn.Sequential(nn.Conv2d(2, 4, 3, groups=2), nn.Flatten()), (2, 4, 4)),
    "circular convolution": (lambda: convolutional(padding=1, padding_mode="circular", stride=2), (2, 4, 4)),
    "on a line": (
        lambda: nn.Sequential(nn.Conv1d(2, 3, 3, dilation=2), nn.ReLU(), nn.Flatten(), nn.Linear(9, 2)),
        (2, 7),
    ),
    "residual": (residual, (4,)),
    "over places": (lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6, 2)), (2, 4)),
}


def drawn(name: str, seed: int) -> tuple[nn.Module, torch.Tensor]:
    make, shape = ARCHITECTURES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().double(), torch.randn(3, *shape).double()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_left_side_is_at_most_the_right_side(name: str) -> None:
    for seed in range(20):
        model, x = drawn(name, seed)
        found = transfer_bound(model, x)
        assert found.holds
        assert np.all(found.allowance <= 1e-9 * (found.left + found.right))
        assert np.all(np.isfinite(found.right))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_each_layer_alone_is_a_bound_too(name: str) -> None:
    for seed in range(10):
        model, x = drawn(name, seed)
        found = transfer_bound(model, x)
        named = dict(model.named_parameters())
        for column, layer in enumerate(found.layers):
            own = [parameter for key, parameter in named.items() if key.rpartition(".")[0] == layer]
            for row, left, transfer in zip(x, found.left, found.squared_transfers[:, column], strict=True):
                outputs = model(row[None]).reshape(-1)
                parts = [torch.autograd.grad(one, own, retain_graph=True) for one in outputs]
                gradients = sum(float((part**2).sum()) for group in parts for part in group)
                # Where nothing of x comes through to the layer the left side is 0.
                assert left == 0 if np.isinf(transfer) else left * transfer <= gradients * (1 + 1e-9)


@pytest.mark.parametrize(("bias", "form"), [(True, "dense layers with biases"), (False, "dense layers without biases")])
def test_dense_transfers_are_those_of_the_theorem_without_its_factor(bias: bool, form: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model, x = dense(4, 16, 12, 3, bias=bias).double(), torch.randn(3, 4).double()
    found = transfer_bound(model, x)
    assert (found.form, found.layers, found.left_out, found.factor) == (form, ("0", "2", "4"), (), 3)
    weights = [layer.weight.detach().numpy() for layer in model if isinstance(layer, nn.Linear)]
    for index, row in enumerate(x):
        jacobian: Array = np.eye(4)
        h, expected = row.numpy(), []
        for layer, weight in zip(model[::2], weights, strict=True):
            norms = np.linalg.norm(weight, 2) * np.linalg.norm(jacobian, 2)
            expected.append((bias + h @ h) / norms**2)
            z = layer(torch.from_numpy(h)).detach().numpy()
            h, jacobian = np.maximum(z, 0), (z > 0)[:, None] * (weight @ jacobian)
        assert found.squared_transfers[index] == pytest.approx(expected, rel=1e-9)
        total = 0.0
        for output in model(row[None])[0]:
            model.zero_grad()
            output.backward(retain_graph=True)
            total += sum(float((p.grad**2).sum()) for p in model.parameters() if p.grad is not None)
        assert found.parameter_gradients[index] == pytest.approx(total, rel=1e-12)
        assert found.right[index] == pytest.approx(total / sum(expected), rel=1e-9)
    assert found.left == pytest.approx(geometric_complexity(model, x).squared_norms)


def test_it_is_an_equality_for_one_layer_that_stretches_all_alike() -> None:
    model = nn.Linear(3, 3, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(2 * torch.eye(3))
    found = transfer_bound(model, torch.ones(1, 3).double())
    # ||grad_x f||^2 = 12, ||grad_W f||^2 = 3 |x|^2 = 9, T^2 = |x|^2 / 4 = 3/4: both sides are 12.
    assert found.left == pytest.approx([12.0])
    assert found.right == pytest.approx([12.0], rel=1e-10)


def test_layers_beside_a_skip_are_left_out_by_name() -> None:
    model, x = drawn("residual", 0)
    found = transfer_bound(model, x)
    assert (found.layers, found.left_out) == (("0", "2"), ("1.inner.0",))
    assert found.form == "dense layers with biases; left out: 1.inner.0"


def test_shared_weights_count_by_the_least_eigenvalue_of_their_patches() -> None:
    model = nn.Sequential(nn.Conv1d(1, 1, 2, bias=False), nn.Flatten()).double()
    x = torch.tensor([[[3.0, 0.0, 1.0]]]).double()
    norm = operator_norm(model[0], (1, 3)).upper
    patches = np.array([[3.0, 0.0], [0.0, 1.0]])
    found = transfer_bound(model, x)
    assert found.squared_transfers == pytest.approx(np.array([[np.linalg.eigvalsh(patches @ patches.T)[0] / norm**2]]))
    many = transfer_bound(model, torch.ones(1, 1, 5).double())
    assert many.squared_transfers == pytest.approx(np.zeros((1, 1)))  # four places for two weights
    assert np.isinf(many.right).all()
    assert many.holds


def test_a_two_layer_network_has_two_layers() -> None:
    found = transfer_bound(TwoLayerReLU(6, 2), torch.ones(2, 2))
    assert found.holds
    assert len(found.layers) == 2


class Untraceable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layer(x) if float(x.detach().sum()) > 0 else x
        return result


def tied() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    model[2].weight = model[0].weight
    return model


def twice() -> nn.Sequential:
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.ReLU(), layer)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (tied(), "must use each parameter once, got one that '0' and '2' share"),
        (twice(), "got those of Linear '0', that is used again"),
        (nn.Sequential(nn.ReLU()), "must have a linear layer or a convolution that all of f goes through"),
        (nn.Sequential(Skip(nn.Linear(2, 2))), r"goes through, got none \(\['0.inner'\]\)"),
        (Untraceable(), "torch.fx can trace"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), "BatchNorm1d '1' in training mode"),
        (nn.Sequential(nn.Linear(2, 2), nn.Softmax(1)), "must return logits"),
    ],
    ids=["tied", "twice", "no layer", "skip", "untraceable", "training", "probabilities"],
)
def test_models_that_the_theorem_does_not_speak_of_are_refused(model: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        transfer_bound(model, torch.ones(2, 2))
