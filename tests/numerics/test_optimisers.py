"""SGD by robust means: per-example gradients against autograd, steps against theory's formula, what is refused."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from numerics.optimisers import Gradients, LinearGradients, MedianOfMeansSGD, WinsorizedSGD, per_example_gradients
from numerics.optimisers.descent import COPIES
from theory.walker2023 import median_of_means, winsorised_mean

M = 6


class Attention(nn.Module):
    """A small transformer, one of whose layers is used twice, and another's weights past the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.norm = nn.Embedding(7, 6), nn.LayerNorm(6)
        self.attention, self.twice = nn.MultiheadAttention(6, 2, batch_first=True), nn.Linear(6, 6)
        self.beside, self.last = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.norm(self.words(x))
        h = h + self.attention(h, h, h)[0]
        h = self.twice(torch.tanh(self.twice(h)))
        h = self.beside(h) + h @ self.beside.weight
        outputs: torch.Tensor = self.last(h.mean(1))
        return outputs


class PlacesFirst(nn.Module):
    """A network that moves the axis of the examples, of the same length as that of the places."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.last(torch.tanh(self.first(x.transpose(0, 1)))).mean(0)
        return outputs


class PastTheLayer(nn.Module):
    """A network whose layer passes no derivative on, and whose weights are used once besides."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.layer(x).detach() + x.square() @ self.layer.weight.T
        return outputs


class WritesOver(nn.Module):
    """A network that writes over what its layer was called on."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        copied = x.clone()
        outputs: torch.Tensor = self.layer(copied)
        return outputs * copied.mul_(2).sum(1, keepdim=True)


def mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(8, 16), nn.ReLU(inplace=True), nn.Linear(16, 3))


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, stride=2), nn.BatchNorm2d(4).eval(), nn.ReLU(inplace=True),
        nn.Conv2d(4, 4, 3, groups=2), nn.Flatten(), nn.Linear(36, 3),
    )  # fmt: skip


def of_signals() -> nn.Module:
    return nn.Sequential(nn.Conv1d(2, 4, 3, dilation=2), nn.Tanh(), nn.Flatten(), nn.Linear(20, 3, bias=False))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "MLP": (mlp, (2, 4)),
    "convolutions of images": (convolutional, (2, 9, 9)),
    "convolution of signals": (of_signals, (2, 9)),
    "attention, a layer used twice, weights used elsewhere": (Attention, (5,)),
    "places before examples": (PlacesFirst, (M, 4)),
    "weights used past a layer alone": (PastTheLayer, (4,)),
}


def drawn(name: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    make, shape = NETWORKS[name]
    x = torch.randint(0, 7, (M, *shape)) if make is Attention else torch.randn(M, *shape, dtype=torch.float64)
    return make().double(), x, torch.randint(0, 3, (M,))


def whole(gradients: Gradients) -> torch.Tensor:
    if isinstance(gradients, torch.Tensor):
        return gradients
    return gradients.means(len(gradients.outputs)).reshape(gradients.shape)


def by_hand(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradients by one backward pass an example, [m, ...]."""
    weights = [p for p in model.parameters() if p.requires_grad]
    losses = [functional.cross_entropy(model(x[i : i + 1]), y[i : i + 1]) for i in range(len(x))]
    return [
        torch.stack(parts) for parts in zip(*(torch.autograd.grad(value, weights) for value in losses), strict=True)
    ]


@pytest.mark.parametrize("name", list(NETWORKS))
def test_gradients_are_those_of_one_backward_pass_an_example(name: str) -> None:
    model, x, y = drawn(name)
    found, expected = per_example_gradients(model, x, y, functional.cross_entropy), by_hand(model, x, y)
    for ours, theirs in zip(found, expected, strict=True):
        assert tuple(ours.shape) == tuple(theirs.shape)
        torch.testing.assert_close(whole(ours), theirs, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", ["MLP", "convolutions of images"])
def test_parts_and_means_of_groups_are_those_of_the_stored_gradients(name: str) -> None:
    model, x, y = drawn(name)
    found, expected = per_example_gradients(model, x, y, functional.cross_entropy)[0], by_hand(model, x, y)[0]
    assert not isinstance(found, torch.Tensor)
    matrix = expected.flatten(2)
    for groups in (1, 2, 3, 6):
        means = matrix.reshape(groups, M // groups, *matrix.shape[1:]).mean(1)
        torch.testing.assert_close(found.means(groups), means, rtol=1e-10, atol=1e-13)
        part = found.means(groups, slice(1, 3), slice(2, 5))
        torch.testing.assert_close(part, means[:, 1:3, 2:5], rtol=1e-10, atol=1e-13)


def test_gradients_of_linear_layers_are_not_stored_and_the_model_is_left_alone() -> None:
    model, x, y = drawn("MLP")
    model[3].bias.requires_grad_(False)  # type: ignore[index]
    before = copy.deepcopy(model.state_dict())
    found = per_example_gradients(model, x, y, functional.cross_entropy)
    assert [type(part) for part in found] == [LinearGradients, torch.Tensor, LinearGradients]
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_dropout_draws_one_mask_an_example_for_all_layers() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(40, 1, bias=False), nn.LayerNorm(1, bias=False)).double()
    x, y = torch.ones(4, 40, dtype=torch.float64), torch.zeros(4, 1, dtype=torch.float64)
    model[2].requires_grad_(False)  # a norm of one number is 0: only the masks matter
    first = per_example_gradients(model[:2], x, y, functional.mse_loss)[0]
    assert isinstance(first, LinearGradients)
    masks = first.inputs.flatten(1)
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    assert len({tuple(mask.tolist()) for mask in masks}) == 4
    torch.testing.assert_close(first.outputs.flatten(), 2 * masks @ model[1].weight[0])  # type: ignore[index]


# Steps


VALUES = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3, allow_subnormal=False))


@st.composite
def batches(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    m, d = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    return np.array(draw(st.lists(VALUES, min_size=m * d, max_size=m * d))).reshape(m, d)


def stepped(make: Callable[..., torch.optim.Optimizer], gradients: np.ndarray[Any, Any], **given_: Any) -> Any:
    """Return where a step of size 1 leads from 0, with the sign turned."""
    weight = nn.Parameter(torch.zeros(gradients.shape[1], dtype=torch.float64))
    step: Any = make([weight], lr=1, **given_).step
    step([torch.from_numpy(gradients.copy())])
    return -weight.detach().numpy()


def close(found: Any, expected: Any, gradients: np.ndarray[Any, Any]) -> None:
    size = np.abs(gradients).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * size + 1e-300)


@given(batches(), st.one_of(st.sampled_from([0, 10, 25, 50]), st.floats(0, 50)))
@settings(max_examples=50, deadline=None)
def test_a_winsorised_step_is_that_of_the_report(gradients: np.ndarray[Any, Any], level: float) -> None:
    close(stepped(WinsorizedSGD, gradients, level=level), winsorised_mean(gradients, level), gradients)


@given(batches(), st.data())
@settings(max_examples=40, deadline=None)
def test_a_median_of_means_is_that_of_the_report(gradients: np.ndarray[Any, Any], data: st.DataObject) -> None:
    divisors = [k for k in range(2, len(gradients) + 1) if len(gradients) % k == 0]
    if divisors:
        k = data.draw(st.sampled_from(divisors))
        close(stepped(MedianOfMeansSGD, gradients, groups=k), median_of_means(gradients, k), gradients)


@given(batches())
@settings(max_examples=25, deadline=None)
def test_no_clipping_is_sgd_and_all_of_it_the_median(gradients: np.ndarray[Any, Any]) -> None:
    close(stepped(WinsorizedSGD, gradients, level=0), gradients.mean(0), gradients)
    close(stepped(WinsorizedSGD, gradients, level=50), np.median(gradients, axis=0), gradients)
    if len(gradients) > 1:
        close(stepped(MedianOfMeansSGD, gradients, groups=len(gradients)), np.median(gradients, axis=0), gradients)


@given(batches(), st.floats(0.5, 50), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_examples_does_not_matter(gradients: np.ndarray[Any, Any], level: float, order: Any) -> None:
    rows = list(range(len(gradients)))
    order.shuffle(rows)
    assert np.array_equal(
        stepped(WinsorizedSGD, gradients, level=level), stepped(WinsorizedSGD, gradients[rows], level=level)
    )


@pytest.mark.parametrize("level", [0, 7.5, 50])
def test_a_step_on_a_network_is_that_on_its_stored_gradients(level: float) -> None:
    model, x, y = drawn("MLP")
    expected = [winsorised_mean(g.flatten(1).numpy(), level) for g in by_hand(model, x, y)]
    before = [p.detach().clone() for p in model.parameters()]
    optimiser = WinsorizedSGD(model.parameters(), lr=0.5, level=level, memory=1)
    optimiser.step(per_example_gradients(model, x, y, functional.cross_entropy))
    for parameter, start, direction in zip(model.parameters(), before, expected, strict=True):
        moved = (start - parameter.detach()).flatten().numpy() / 0.5
        np.testing.assert_allclose(moved, direction, rtol=0, atol=1e-13)


def test_steps_without_clipping_are_those_of_sgd() -> None:
    (model, x, y), (other, _, _) = drawn("convolutions of images"), drawn("convolutions of images")
    ours, theirs = WinsorizedSGD(model.parameters(), lr=0.1, level=0), torch.optim.SGD(other.parameters(), lr=0.1)
    for _ in range(5):
        ours.step(per_example_gradients(model, x, y, functional.cross_entropy))
        theirs.zero_grad()
        functional.cross_entropy(other(x), y).backward()
        theirs.step()
    for first, second in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-10, atol=1e-13)


def test_few_outliers_move_nothing_beyond_the_others() -> None:
    gradients = np.random.default_rng(0).standard_normal((21, 50))
    gradients[:4] = 1e12
    kept = gradients[4:]
    for found in (stepped(WinsorizedSGD, gradients, level=20), stepped(MedianOfMeansSGD, gradients, groups=21)):
        assert (found >= kept.min(0)).all()
        assert (found <= kept.max(0)).all()
    assert (stepped(WinsorizedSGD, gradients, level=14.9) > kept.max(0)).all()  # 4 outliers are too many for 2.98


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("level", [10, 50])
def test_an_infinite_gradient_is_not_hidden_by_clipping(bad: float, level: float) -> None:
    gradients = np.random.default_rng(0).standard_normal((30, 2))
    gradients[7, 1] = bad
    found = stepped(WinsorizedSGD, gradients, level=level)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


class Watched(LinearGradients):
    """Gradients that remember how many numbers were asked for at once."""

    most = 0

    def means(self, groups: int, rows: slice = slice(None), columns: slice = slice(None)) -> torch.Tensor:
        found = super().means(groups, rows, columns)
        Watched.most = max(Watched.most, found.numel())
        return found


@pytest.mark.parametrize("memory", [2**10, 2**14, 2**20])
def test_what_is_sorted_at_once_fits_the_memory(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watched, "most", 0)
    torch.manual_seed(0)
    outputs, inputs = torch.randn(8, 1, 30, dtype=torch.float64), torch.randn(8, 1, 40, dtype=torch.float64)
    weight = nn.Parameter(torch.zeros(30, 40, dtype=torch.float64))
    WinsorizedSGD([weight], level=10, memory=memory).step([Watched(outputs, inputs)])
    assert Watched.most * 8 * COPIES <= memory
    assert 2 * Watched.most * 8 * COPIES > min(memory, 8 * COPIES * 8 * 30 * 40)
    expected = winsorised_mean((outputs.mT * inputs).flatten(1).numpy(), 10).reshape(30, 40)
    np.testing.assert_allclose(-weight.detach().numpy() / 1e-3, expected, rtol=0, atol=1e-12)


def test_batches_can_take_the_place_of_examples_under_batch_norm() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    x, y = torch.randn(5, 8, 3, dtype=torch.float64), torch.randint(0, 2, (5, 8))
    weights = list(model.parameters())
    parts = [torch.autograd.grad(functional.cross_entropy(model(a), b), weights) for a, b in zip(x, y, strict=True)]
    rows = [torch.stack(part) for part in zip(*parts, strict=True)]
    before = [p.detach().clone() for p in weights]
    MedianOfMeansSGD(weights, lr=1, groups=5).step(rows)
    for parameter, start, row in zip(weights, before, rows, strict=True):
        torch.testing.assert_close(start - parameter, row.median(0).values, rtol=0, atol=1e-14)


@pytest.mark.parametrize("make", [WinsorizedSGD, MedianOfMeansSGD])
def test_the_state_is_kept_and_read_without_code(make: Any) -> None:
    weights = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    first = make([weights], 0.25, 3, memory=2**12)
    buffer = io.BytesIO()
    torch.save(first.state_dict(), buffer)
    buffer.seek(0)
    second = make([weights])
    second.load_state_dict(torch.load(buffer, weights_only=True))
    assert second.state_dict() == first.state_dict()
    second.step([torch.ones(3, 3, dtype=torch.float64)])
    copy.deepcopy(second).step([torch.ones(3, 3, dtype=torch.float64)])
    assert weights.tolist() == [-0.25] * 3


def test_schedules_and_settings_of_groups_are_heeded() -> None:
    first, second, frozen = (nn.Parameter(torch.zeros(1, dtype=torch.float64)) for _ in range(3))
    frozen.requires_grad_(False)
    of_parameters: list[dict[str, Any]] = [{"params": [frozen, first]}, {"params": [second], "level": 0}]
    optimiser = WinsorizedSGD(of_parameters, lr=1, level=50)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 1 - epoch)
    gradients = [torch.tensor([[0.0], [0.0], [3.0]], dtype=torch.float64)] * 2
    for _ in range(2):
        optimiser.step(gradients)
        schedule.step()
    assert (first.item(), second.item(), frozen.item()) == (0, -1, 0)


# What is refused


@pytest.mark.parametrize(
    ("make", "given_", "error", "says"),
    [
        (WinsorizedSGD, {"level": -1}, ValueError, "level must be finite and at least 0, got -1"),
        (WinsorizedSGD, {"level": 50.5}, ValueError, "level must be a level of winsorization from 0 to 50, got 50.5"),
        (WinsorizedSGD, {"level": "10"}, TypeError, "level must be a real number, got '10'"),
        (WinsorizedSGD, {"lr": 0}, ValueError, "lr must be finite and above 0, got 0"),
        (WinsorizedSGD, {"memory": 0}, ValueError, "memory must be at least 1, got 0"),
        (MedianOfMeansSGD, {"groups": 1}, ValueError, "groups must be at least 2, got 1, the mean of which is SGD"),
        (MedianOfMeansSGD, {"groups": 2.0}, TypeError, "groups must be an integer, got 2.0"),
    ],
)
def test_settings_out_of_range_are_refused(make: Any, given_: dict[str, Any], error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        make([nn.Parameter(torch.zeros(2))], **given_)


def rows(*shape: int) -> torch.Tensor:
    return torch.ones(*shape, dtype=torch.float64)


@pytest.mark.parametrize(
    ("gradients", "error", "says"),
    [
        (None, TypeError, "got none: p.grad holds but their mean"),
        (lambda: rows(1), TypeError, "got a closure, which finds but their mean"),
        (rows(4, 2), TypeError, "got one Tensor"),
        ([rows(4, 2)], ValueError, "one tensor for each of the 2 parameters that require a gradient, got 1"),
        ([rows(4, 2), None], ValueError, r"gradients\[1\] must be a tensor, got None"),
        ([rows(4, 2), "x"], TypeError, r"gradients\[1\] must be a tensor, got str"),
        ([rows(4, 2), rows(4, 3).to_sparse()], ValueError, r"gradients\[1\] must be dense, got torch.sparse_coo"),
        ([rows(4, 2).long(), rows(4, 3)], TypeError, r"gradients\[0\] must hold floats, got torch.int64"),
        ([rows(4, 2), rows(3)], ValueError, r"gradients\[1\] must have shape \[4, 3\], one row an example, got \(3,\)"),
        ([rows(4, 2), rows(5, 3)], ValueError, r"gradients\[1\] must have shape \[4, 3\].* got \(5, 3\)"),
        ([rows(0, 2), rows(0, 3)], ValueError, r"gradients\[0\] must have shape \[1, 2\].* got \(0, 2\)"),
        ([rows(4, 2), rows(4, 3).to("meta")], ValueError, r"gradients\[1\] must be on cpu.* got meta"),
    ],
)
@pytest.mark.parametrize("make", [WinsorizedSGD, MedianOfMeansSGD])
def test_gradients_that_are_no_examples_are_refused_before_anything_moves(
    make: Any, gradients: Any, error: Any, says: str
) -> None:
    weights = [nn.Parameter(torch.zeros(size, dtype=torch.float64)) for size in (2, 3)]
    optimiser = make(weights, 0.1, 2)
    with pytest.raises(error, match=says):
        optimiser.step(gradients)
    assert all(bool((weight == 0).all()) for weight in weights)


@pytest.mark.parametrize(
    ("m", "says"),
    [
        (3, "groups must be at most the number of examples in the batch, 3, got 4"),
        (10, "groups must divide the number of examples in the batch, 10, got 4: drop a short last batch"),
    ],
)
def test_groups_that_do_not_fit_the_batch_are_refused(m: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MedianOfMeansSGD([nn.Parameter(torch.zeros(2))], groups=4).step([torch.zeros(m, 2)])


def test_the_state_of_another_optimiser_is_refused_at_the_step() -> None:
    weight = nn.Parameter(torch.zeros(2))
    optimiser = WinsorizedSGD([weight])
    optimiser.load_state_dict(torch.optim.SGD([weight], lr=0.1).state_dict())
    with pytest.raises(ValueError, match="parameter groups must have 'level', got"):
        optimiser.step([torch.zeros(3, 2)])


LINEAR = nn.Linear(4, 3).double()
X, Y = torch.zeros(M, 4, dtype=torch.float64), torch.zeros(M, dtype=torch.int64)


def penalised(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(outputs, y) + LINEAR.weight.square().sum()


@pytest.mark.parametrize(
    ("model", "x", "loss", "error", "says"),
    [
        (abs, X, functional.cross_entropy, TypeError, "model must be a torch.nn.Module, got builtin_function"),
        (LINEAR, [0.0], functional.cross_entropy, TypeError, "x must be a torch.Tensor, got list"),
        (LINEAR, X[:5], functional.cross_entropy, ValueError, r"x and y must hold one row an example.* \(5, 4\) and \(6,\)"),
        (nn.Sequential(LINEAR, nn.BatchNorm1d(3).double()), X, functional.cross_entropy, ValueError,
         r"got batch norm in training mode \(1\).* call eval\(\) on it, or give step the gradients of whole batches"),
        (nn.ReLU(), X, functional.cross_entropy, ValueError, "model must have a parameter that requires a gradient"),
        (LINEAR, X, nn.CrossEntropyLoss(reduction="none"), ValueError, r"loss must return one number.* got shape \(1,\)"),
        (LINEAR, X, penalised, ValueError, "loss must depend on the parameters of model through its outputs alone"),
        (nn.Sequential(LINEAR, nn.Flatten(0)), X, functional.cross_entropy, ValueError, r"one row.* got shape \(3,\)"),
        (WritesOver().double(), X, functional.cross_entropy, ValueError, "must run under torch.func.vmap, got"),
    ],
    ids=["no module", "no tensor", "lengths", "batch norm", "nothing to train", "losses", "penalty", "no rows", "in place"],
)  # fmt: skip
def test_what_has_no_per_example_gradients_is_refused(model: Any, x: Any, loss: Any, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        per_example_gradients(model, x, Y, loss)
