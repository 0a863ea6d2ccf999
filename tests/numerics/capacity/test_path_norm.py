import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError, fold_batch_norm, path_norm
from numerics.capacity.folding import prepared
from numerics.capacity.log_paths import log_sums
from numerics.capacity.path_norms import of_logs
from numerics.networks import TwoLayerReLU
from tests.numerics.capacity.networks import Paths, Residual, dense, drawn, flat, image

EXPONENTS = [1, 2, 3.5]


def of_dense(model: nn.Module, d: int) -> tuple[Paths, Any, Any]:
    paths = Paths()
    units: Any = [("input", i) for i in range(d)]
    start = units
    for index, layer in enumerate(model.children()):
        if isinstance(layer, nn.Linear):
            units = paths.dense(layer, units, f"layer {index}")
    return paths, start, units


def of_residual(model: Residual, size: int) -> tuple[Paths, Any, Any]:
    paths, start = Paths(), image(size)
    first = paths.convolution(model.first, start, "first")
    inner = paths.convolution(model.second, first, "sum")
    paths.convolution(model.skip, start, "sum")  # into the same units
    third = paths.convolution(model.third, inner, "third")
    for one, other in zip(flat(inner), flat(third), strict=True):
        paths.join(one, other, 1.0)
    return paths, flat(start), paths.dense(model.last, flat(third), "last")


def pooled(pool: nn.Module) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 2, 2, padding=1), nn.ReLU(), pool, nn.Conv2d(2, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2)
    )


def of_pooled(model: Any, size: int, weight: float) -> tuple[Paths, Any, Any]:
    paths, start = Paths(), image(size)
    first = paths.convolution(model[0], start, "first")
    second = paths.convolution(model[3], paths.pooling(2, weight, first, "pool"), "second")
    return paths, flat(start), paths.dense(model[6], flat(second), "last")


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("widths", [(2, 3, 1), (3, 2, 4, 2), (1, 3, 2, 2, 3)], ids=["shallow", "wide", "deep"])
def test_dense_networks_by_their_paths(widths: tuple[int, ...], p: float) -> None:
    model = drawn(lambda: dense(*widths), len(widths))
    paths, starts, ends = of_dense(model, widths[0])
    found = path_norm(model, (widths[0],), p)
    assert found.value == pytest.approx(paths.norm([*starts, "bias"], ends, p), rel=1e-12)
    without = path_norm(model, (widths[0],), p, biases=False)
    assert without.value == pytest.approx(paths.norm(starts, ends, p), rel=1e-12)
    assert np.exp(without.output_logs) == pytest.approx([paths.norm(starts, [end], p) for end in ends], rel=1e-12)


@pytest.mark.parametrize("p", EXPONENTS)
def test_a_residual_network_by_its_paths(p: float) -> None:
    model = drawn(Residual, 0)
    assert isinstance(model, Residual)
    paths, starts, ends = of_residual(model, 3)
    assert path_norm(model, (1, 3, 3), p).value == pytest.approx(paths.norm([*starts, "bias"], ends, p), rel=1e-12)


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize(
    ("pool", "weight"), [(nn.AvgPool2d(2), 0.25), (nn.AdaptiveAvgPool2d(2), 0.25), (nn.MaxPool2d(2), 1.0)],
    ids=["average", "adaptive", "max"],
)  # fmt: skip
def test_convolutions_and_pooling_by_their_paths(pool: nn.Module, weight: float, p: float) -> None:
    model = drawn(lambda: pooled(pool), 1)
    paths, starts, ends = of_pooled(model, 3, weight)
    assert path_norm(model, (1, 3, 3), p).value == pytest.approx(paths.norm([*starts, "bias"], ends, p), rel=1e-12)


def powers(model: nn.Module, p: float, shape: tuple[int, ...]) -> float:
    """Return what a pass of ones through the model with |w|^p for weights gives."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.abs() ** p)
        total = model(torch.ones(1, *shape, dtype=torch.float64)).sum()
        return float(total ** (1 / p))


@pytest.mark.parametrize("p", EXPONENTS)
def test_the_largest_of_a_window_is_what_the_model_itself_takes(p: float) -> None:
    def make() -> nn.Module:
        return pooled(nn.MaxPool2d(3, stride=3, padding=1))

    found = path_norm(drawn(make, 2), (1, 3, 3), p, max_pooling="largest").value
    assert found == pytest.approx(powers(drawn(make, 2), p, (1, 3, 3)), rel=1e-12)
    assert found < path_norm(drawn(make, 2), (1, 3, 3), p).value


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), nn.Conv2d(2, 3, 3, dilation=2, padding="same"),
        nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), nn.Conv2d(2, 3, 3, padding=2, padding_mode="reflect"),
    ],
    ids=["grouped", "dilated", "circular", "reflecting"],
)  # fmt: skip
def test_other_convolutions_by_a_pass_of_powers(layer: nn.Module) -> None:
    model = drawn(lambda: nn.Sequential(layer, nn.ReLU()), 3)
    found = path_norm(model, (2, 5, 5), 2).value
    assert found == pytest.approx(powers(model, 2, (2, 5, 5)), rel=1e-12)


def test_functions_and_layers_are_the_same() -> None:
    class Functions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(1, 2, 2), nn.Linear(6, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            inner = self.first(x).relu()
            means = [inner.mean((2, 3)), 0.5 * nn.functional.avg_pool2d(inner, 2).view(x.size(0), -1)]
            return self.last(torch.cat([*means, inner.mean(dim=3).mean(2) / 2], dim=1))  # type: ignore[no-any-return]

    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(1, 2, 2), nn.Linear(6, 2)
            self.mean, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mean = self.flatten(self.mean(torch.relu(self.first(x))))
            return self.last(torch.cat([mean, mean * 0.5, 0.5 * mean], dim=1))  # type: ignore[no-any-return]

    one, other = drawn(Functions, 4), drawn(Layers, 4)
    assert path_norm(one, (1, 3, 3), 2).log == pytest.approx(path_norm(other, (1, 3, 3), 2).log, rel=1e-12)


def test_parallel_edges_are_paths_of_their_own() -> None:
    class Doubled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + x

    assert path_norm(nn.Sequential(Doubled()), (1,), 2).value == pytest.approx(math.sqrt(2))


def test_rescaling_leaves_it_as_it_is() -> None:
    """A thousand rescalings, some beyond what the powers of weights may be in floats."""
    generator = np.random.default_rng(0)
    model: Any = drawn(lambda: dense(3, 4, 5, 2), 5)
    graph = prepared(model, (3,))
    originals = [parameter.detach().clone() for parameter in model.parameters()]
    expected = {p: path_norm(model, (3,), p).log for p in (1.0, 2.0)}
    for draw in range(1000):
        widest = 100 if draw % 2 else 1
        first, second = (torch.from_numpy(10.0 ** generator.uniform(-widest, widest, size)) for size in (4, 5))
        ends = torch.ones(2, dtype=torch.float64)
        for index, (into, out) in enumerate([(torch.ones(3).double(), first), (first, second), (second, ends)]):
            layer = model[2 * index]
            layer.weight.data = originals[2 * index] * out[:, None] / into
            layer.bias.data = originals[2 * index + 1] * out
        p = 1.0 + draw // 2 % 2
        found = of_logs(log_sums(graph, p, biases=True)[graph.output], p).log
        assert found == pytest.approx(expected[p], abs=1e-10)


def test_batch_norm_counts_as_if_it_were_folded() -> None:
    def make() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, 2, 2, bias=False),
            nn.BatchNorm2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8, 3),
            nn.BatchNorm1d(3),
        )

    model = drawn(make, 6)
    folded = path_norm(fold_batch_norm(model), (1, 3, 3), 2)
    assert path_norm(model, (1, 3, 3), 2).log == pytest.approx(folded.log, rel=1e-12)


def test_batch_norm_that_cannot_be_folded_is_a_layer_with_one_weight_a_channel() -> None:
    model: Any = drawn(lambda: nn.Sequential(nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(2, 1)), 7)
    norm, last = model[0], model[2]
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - scale * norm.running_mean
    expected = ((scale.abs() + shift.abs()) * last.weight[0].abs()).sum() + last.bias.abs().sum()
    assert path_norm(model, (2,), 1).value == pytest.approx(float(expected.detach()), rel=1e-12)


def test_networks_that_are_deep_do_not_overflow() -> None:
    chain = nn.Sequential(*(nn.Linear(1, 1, bias=False, dtype=torch.float64) for _ in range(152)))
    logs = np.random.default_rng(0).uniform(0, 20, 152)
    for layer, log in zip(chain, logs, strict=True):
        nn.init.constant_(layer.weight, math.exp(log))  # type: ignore[arg-type]
    found = path_norm(chain, (1,), 2)
    assert found.log == pytest.approx(logs.sum(), rel=1e-13)
    assert found.value == math.inf
    with torch.no_grad():
        for layer in chain:
            layer.weight.reciprocal_()  # type: ignore[union-attr, operator]
    assert path_norm(chain, (1,), 2).log == pytest.approx(-logs.sum(), rel=1e-13)


def test_a_residual_network_as_deep_as_resnet_152_does_not_overflow() -> None:
    """Blocks of one channel, f(x) = x + b a x, have path norm prod (1 + |a b|) for p = 1."""

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = (nn.Conv2d(1, 1, 1, bias=False, dtype=torch.float64) for _ in range(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.last(torch.relu(self.first(x)))  # type: ignore[no-any-return]

    model = drawn(lambda: nn.Sequential(*(Block() for _ in range(75))), 8)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1e3)
    weights = [float(parameter.detach().reshape(-1)) for parameter in model.parameters()]
    expected = sum(math.log1p(abs(a * b)) for a, b in zip(weights[::2], weights[1::2], strict=True))
    found = path_norm(model, (1, 1, 1), 1)
    assert found.log == pytest.approx(expected, rel=1e-12)
    assert found.log > math.log(1e195)


def test_it_takes_at_most_three_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original: Callable[..., torch.Tensor] = nn.Conv2d.forward

    def counted(self: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        calls.append("pass")
        return original(self, x)

    monkeypatch.setattr(nn.Conv2d, "forward", counted)
    path_norm(drawn(lambda: nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)), 0), (1, 2, 2), 1)
    assert len(calls) <= 3


def test_a_model_is_left_as_it_was() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), 0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    path_norm(model, (2,), 1)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_no_path_has_norm_0() -> None:
    model: Any = dense(2, 2, 2, bias=False)
    nn.init.zeros_(model[0].weight)
    found = path_norm(model, (2,), 1)
    assert (found.value, found.log) == (0.0, -math.inf)


def test_a_two_layer_network_is_known() -> None:
    net = TwoLayerReLU(3, 2)
    total = (net.output.weight.abs() @ (net.hidden.weight.abs().sum(1) + net.hidden.bias.abs())).sum().detach()
    assert path_norm(net, (2,), 1).value == pytest.approx(
        float(total + net.output.bias.detach().abs().sum()), rel=1e-12
    )


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh()), "Tanh '1'"),
        (nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(2.0)), "LeakyReLU '1'"),
        (nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)), "LayerNorm '1'"),
    ],
    ids=["tanh", "steep", "layer norm"],
)
def test_a_layer_without_a_rule_is_named_with_what_is_supported(model: nn.Module, name: str) -> None:
    with pytest.raises(UnsupportedLayerError, match=f"made of linear layers, convolutions, .*, got {name}"):
        path_norm(model, (2,), 1)


def test_a_product_of_activations_has_no_rule() -> None:
    class Gate(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * torch.relu(x)

    with pytest.raises(UnsupportedLayerError, match="got the function mul"):
        path_norm(nn.Sequential(Gate()), (2,), 1)


def test_a_layer_without_units_is_refused() -> None:
    with pytest.warns(UserWarning, match="zero-element"):
        model = dense(2, 0, 1)
    with pytest.raises(ValueError, match=r"units in every layer, got Linear '0' with weights \(0, 2\)"):
        path_norm(model, (2,), 1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((2,), 0.5), ValueError, "p must be at least 1 and finite, got 0.5"),
        (((2,), math.inf), ValueError, "p must be at least 1 and finite, got inf"),
        (((2,), "1"), TypeError, "p must be a real number, got '1'"),
        ((2, 1), TypeError, "input_shape must be a tuple of integers, got 2"),
        (((2.0,), 1), TypeError, "input_shape"),
    ],
    ids=["low", "infinite", "text", "no tuple", "floats"],
)
def test_arguments_that_are_none_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        path_norm(dense(2, 2), *arguments)


def test_a_choice_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="max_pooling must be 'sum' or 'largest', got 'mean'"):
        path_norm(dense(2, 2), (2,), 1, max_pooling="mean")  # type: ignore[arg-type]


def test_batch_norm_in_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="must be in eval mode"):
        path_norm(nn.Sequential(nn.BatchNorm1d(2)), (2,), 1)
