import copy
import math
from collections.abc import Callable
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from numerics.perturbation import ExpectedSharpness, expected_sharpness, losses, weight_scaled_std
from numerics.perturbation.losses import ErrorOrLoss, perturbed_loss
from numerics.training import batches
from tests.numerics.capacity.networks import dense, drawn
from tests.numerics.perturbation.test_maximum import Branching, Tied, classified, linear
from theory.beyond import linear_expected_sharpness


def chain(*widths: int, bias: bool = False) -> nn.Module:
    """Return a linear network, with a bias in its first layer or with none."""
    return nn.Sequential(*(nn.Linear(a, b, bias=bias and i == 0) for i, (a, b) in enumerate(pairwise(widths))))


def per_layer(model: nn.Module, *sizes: float) -> dict[str, float]:
    return {name: sizes[int(name.split(".")[0])] for name, _ in model.named_parameters()}


def row_losses(model: nn.Module, weights: Any, x: torch.Tensor, y: torch.Tensor, loss: str) -> torch.Tensor:
    with torch.no_grad():
        outputs = functional_call(model, weights, (x,))
    if loss == "cross_entropy":
        return functional.cross_entropy(outputs, y, reduction="none")
    if loss == "zero_one":
        return (outputs.argmax(1) != y).double()
    return (outputs - functional.one_hot(y, 3)).square().sum(1)


def loop(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    loss: str,
    std: Any,
    draws: int,
    seed: int,
    rows: int | None = None,
) -> list[float]:
    """Return the rises, one draw after the other."""
    own = {name: p.detach() for name, p in model.named_parameters()}
    here, found = row_losses(model, own, x, y, loss), []
    generator, order = torch.Generator().manual_seed(seed), batches(len(x), rows or len(x), seed=seed)
    for chosen in islice(order, draws):
        noise = torch.randn(sum(w.numel() for w in own.values()), generator=generator, dtype=torch.float64)
        parts = noise.split([w.numel() for w in own.values()])
        at = {name: w + std[name] * part.reshape(w.shape) for part, (name, w) in zip(parts, own.items(), strict=True)}
        kept = slice(None) if rows is None else torch.from_numpy(chosen)
        found.append(float((row_losses(model, at, x[kept], y[kept], loss) - here[kept]).mean()))
    return found


@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 2), (3, 4, 3, 1)], ids=["one layer", "two layers", "three layers"])
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
def test_draws_agree_with_the_closed_form(widths: tuple[int, ...], bias: bool) -> None:
    model = drawn(lambda: chain(*widths, bias=bias), 0)
    generator = np.random.default_rng(0)
    x = torch.from_numpy(generator.standard_normal((6, 3)))
    y = model(x).detach() + 0.1  # with residuals this small the rises vary little
    std = per_layer(model, 0.3, 0.1, 0.2)
    exact = expected_sharpness(model, x, y, "mean", std, exact=True)
    found = expected_sharpness(model, x, y, "mean", std, draws=2000)
    assert exact.exact
    assert exact.standard_error == 0
    assert not found.exact
    assert found.standard_error < exact.value / 20
    assert abs(found.value - exact.value) < 4.5 * found.standard_error


@pytest.mark.parametrize("n", [2, 9])
def test_the_closed_form_is_the_mean_of_b18_over_the_data(n: int) -> None:
    model = drawn(lambda: chain(3, 4, 2), 1)
    x = np.random.default_rng(n).standard_normal((n, 3))
    matrices = [p.detach().numpy() for p in model.parameters()]
    wanted = np.mean([linear_expected_sharpness(matrices, [0.2, 0.5], row) for row in x])
    y = np.random.default_rng(0).standard_normal((n, 2))
    std = per_layer(model, 0.2, 0.5)
    assert expected_sharpness(model, x, y, "mean", std, exact=True).value == pytest.approx(wanted, rel=1e-12)
    assert expected_sharpness(model, x, y, "half_mean", std, exact=True).value == pytest.approx(wanted / 2, rel=1e-12)


def test_of_a_linear_predictor_nothing_but_the_inputs_counts() -> None:
    x = np.random.default_rng(0).standard_normal((5, 3))
    for weights in ([1.0, 2.0, 3.0], [0.0, 0.0, -7.0]):
        value = expected_sharpness(linear([weights]), x, np.ones(5), "mean", 0.3, exact=True).value
        assert value == pytest.approx(0.09 * (x**2).sum() / 5, rel=1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "mean", "zero_one"])
@pytest.mark.parametrize("batch", [None, 4], ids=["all rows", "batches"])
def test_the_plain_loop_has_the_same_rises(loss: ErrorOrLoss, batch: int | None) -> None:
    x, y = classified(0)
    model = drawn(lambda: dense(3, 5, 3), 0)
    std = weight_scaled_std(model, 0.02)
    desired = functional.one_hot(y, 3).double() if loss == "mean" else y
    found = expected_sharpness(model, x, desired, loss, std, draws=30, batch=batch, seed=4)
    assert found.rises == pytest.approx(loop(model, x, y, loss, std, 30, 4, batch), rel=1e-9, abs=1e-14)
    assert found.value == found.rises.mean()
    assert found.standard_error == pytest.approx(found.rises.std(ddof=1) / math.sqrt(30), rel=1e-14)


def few(
    at_once: int | None = None, seed: int = 0, batch: int | None = None, model: nn.Module | None = None
) -> ExpectedSharpness:
    x, y = classified(3)
    chosen = drawn(lambda: dense(3, 5, 3), 3) if model is None else model
    return expected_sharpness(chosen, x, y, std=0.1, draws=11, batch=batch, seed=seed, at_once=at_once)


@pytest.mark.parametrize("at_once", [1, 2, 4])
@pytest.mark.parametrize("batch", [None, 5], ids=["all rows", "batches"])
def test_how_many_go_together_changes_no_bit(at_once: int, batch: int | None) -> None:
    assert np.array_equal(few(at_once, batch=batch).rises, few(batch=batch).rises)


def test_of_convolutions_neither() -> None:
    model = drawn(lambda: nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)), 0)
    x, y = torch.from_numpy(np.random.default_rng(0).standard_normal((6, 1, 3, 3))), [0, 1, 2, 0, 1, 2]
    one, all_together = (expected_sharpness(model, x, y, std=0.1, draws=5, at_once=k).rises for k in (1, 5))
    assert np.array_equal(one, all_together)


def test_the_seed_alone_decides() -> None:
    assert np.array_equal(few(seed=1).rises, few(seed=1).rises)
    assert not np.array_equal(few(seed=1).rises, few(seed=2).rises)


def test_more_draws_begin_with_the_same_ones() -> None:
    x, y = classified(0)
    model = drawn(lambda: dense(3, 5, 3), 0)
    some, more = (expected_sharpness(model, x, y, std=0.1, draws=k).rises for k in (5, 9))
    assert np.array_equal(some, more[:5])


def test_networks_that_cannot_go_together_go_one_by_one() -> None:
    found = few(model=Branching(drawn(lambda: dense(3, 5, 3), 3)).eval())
    assert found.rises == pytest.approx(few().rises, rel=1e-9)


def test_with_less_memory_rows_come_in_parts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = classified(3)
    plenty = few()
    monkeypatch.setitem(losses.ENTRIES, "cpu", 100)
    problem = perturbed_loss(drawn(lambda: dense(3, 5, 3), 3), x, y, "cross_entropy", ErrorOrLoss)
    assert 1 < problem.rows < len(x)
    assert problem.networks(len(x)) == 1
    assert few().rises == pytest.approx(plenty.rises, rel=1e-9)


def test_so_many_go_together_that_the_limit_is_kept() -> None:
    x, y = classified(3)
    problem = perturbed_loss(drawn(lambda: dense(3, 5, 3), 3), x, y, "cross_entropy", ErrorOrLoss)
    held = 2 * problem.dimension + len(x) * problem.row_entries
    assert problem.row_entries >= 3 + 5 + 3  # inputs, hidden units, outputs
    assert problem.networks(len(x)) == losses.ENTRIES["cpu"] // held > 1


def test_without_noise_nothing_rises() -> None:
    x, y = classified(0)
    found = expected_sharpness(drawn(lambda: dense(3, 5, 3), 0), x, y, std=0, draws=2)
    assert found.rises == pytest.approx([0, 0], abs=1e-14)


def test_only_weights_with_noise_move() -> None:
    x, y = classified(0)
    model = drawn(lambda: dense(3, 5, 3), 0)
    names = [name for name, _ in model.named_parameters()]
    std = {name: torch.zeros(p.shape) for name, p in model.named_parameters()}
    std[names[-1]] = torch.tensor([0.0, 9.0, 0.0])
    found = expected_sharpness(model, x, y, "zero_one", std, draws=20).rises
    assert found == pytest.approx(loop(model, x, y, "zero_one", std, 20, 0), abs=1e-14)
    assert np.any(found != 0)
    frozen = copy.deepcopy(model)
    for name, p in frozen.named_parameters():
        p.requires_grad_(name == names[-1])
    alone = expected_sharpness(frozen, x, y, std={names[-1]: 0.5}, draws=500)
    held = expected_sharpness(model, x, y, std=dict.fromkeys(names[:-1], 0.0) | {names[-1]: 0.5}, draws=500)
    assert abs(alone.value - held.value) < 4.5 * math.hypot(alone.standard_error, held.standard_error)


def test_the_standard_deviations_of_the_paper() -> None:
    std = weight_scaled_std(linear([[1.0, -2.0]], [0.0]), 0.1)
    assert std["weight"].numpy() == pytest.approx(np.array([[1.1, 2.1]]))
    assert std["bias"].numpy() == pytest.approx([0.1])


def test_a_tie_is_an_error() -> None:
    model = linear([[1.0], [1.0]])
    assert expected_sharpness(model, np.ones((2, 1)), [0, 1], "zero_one", 0.0, draws=2).loss == 1


def test_shared_weights_have_one_noise() -> None:
    model = drawn(Tied, 0)
    x, y = classified(0)
    found = expected_sharpness(model, x, y, std=0.1, draws=5)
    assert found.rises == pytest.approx(loop(model, x, y, "cross_entropy", {"first.weight": 0.1}, 5, 0), rel=1e-9)


def test_the_model_stays_as_it_is() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 3)), 0)
    before = copy.deepcopy(model.state_dict())
    x, y = classified(0)
    kept = x.clone()
    expected_sharpness(model, x, y, std=0.1, draws=3)
    assert torch.equal(x, kept)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_network_in_float32_stays_in_it() -> None:
    x, y = classified(0)
    model = drawn(lambda: dense(3, 5, 3), 0)
    double, single = (expected_sharpness(m, x, y, std=0.1) for m in (model, copy.deepcopy(model).float()))
    assert single.loss == pytest.approx(double.loss, rel=1e-5)
    assert abs(single.value - double.value) < 4.5 * math.hypot(single.standard_error, double.standard_error)
    assert np.array_equal(single.rises, expected_sharpness(copy.deepcopy(model).float(), x, y, std=0.1).rises)


NAMED = {"0.weight": 0.1, "0.bias": 0.1, "2.weight": 0.1, "2.bias": 0.1}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"std": -0.1}, ValueError, "std must be"),
        ({"std": math.inf}, ValueError, "std must be"),
        ({"std": "a"}, TypeError, "std must be"),
        ({"std": NAMED | {"0.weight": np.ones((3, 4))}}, ValueError,
         r"std\['0.weight'\] must be a number or of the shape of the parameter, \(4, 3\), got shape \(3, 4\)"),
        ({"std": NAMED | {"2.bias": [0.1, -0.2, 0.1]}}, ValueError, r"std\['2.bias'\] must be at least 0 and finite, got -0.2"),
        ({"std": NAMED | {"2.bias": math.nan}}, ValueError, r"std\['2.bias'\] must be at least 0 and finite, got nan"),
        ({"std": NAMED | {"2.bias": ["a"] * 3}}, TypeError, r"std\['2.bias'\] must hold real numbers"),
        ({"std": {"0.weight": 0.1}}, ValueError, "std must have an entry for each parameter .* got no '0.bias'"),
        ({"std": NAMED | {"4.bias": 0.1}}, ValueError, "std must have an entry for each .* got '4.bias', which is none"),
        ({"draws": 1}, ValueError, "draws must be at least 2, got 1"),
        ({"batch": 0}, ValueError, "batch must be at least 1, got 0"),
        ({"at_once": 0}, ValueError, "at_once must be at least 1, got 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"loss": "hinge"}, ValueError, "loss must be one of .*'zero_one', got 'hinge'"),
        ({"y": [0, 3]}, ValueError, "y must hold labels from 0 to 2, .* got 3 at index 1"),
        ({"x": np.zeros((0, 3)), "y": []}, ValueError, r"x must have shape \[n, ...\] with n >= 1"),
        ({"loss": "mean", "y": [0.0, 1.0]}, ValueError, r"y must have shape \[2, 3\]"),
    ],
    ids=[
        "negative", "infinite", "text", "transposed", "one negative", "nan", "texts", "one missing", "one too many",
        "one draw", "empty batch", "none together", "negative seed", "unknown loss", "label too high", "no data", "few targets",
    ],
)  # fmt: skip
def test_bad_input_is_named(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"x": np.ones((2, 3)), "y": [0, 1], "draws": 2} | changes
    with pytest.raises(error, match=message):
        expected_sharpness(drawn(lambda: dense(3, 4, 3), 0), **given)


@pytest.mark.parametrize("alpha", [0, -1.0])
def test_a_size_of_noise_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must be finite and above 0"):
        weight_scaled_std(linear([[1.0]]), alpha)


def test_dropout_in_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="model must be in eval mode, got Dropout '0' in training"):
        expected_sharpness(nn.Sequential(nn.Dropout(), nn.Linear(3, 3)), np.ones((2, 3)), [0, 1], draws=2)


def test_a_loss_that_overflows_under_the_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="the loss of model must be finite under the noise, got inf more in draw 0"):
        expected_sharpness(linear([[1.0]]), np.ones((1, 1)), [0.0], "mean", 1e200, draws=2)


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (lambda: dense(3, 2, 2, 3), {}, "exact=True needs linear layers alone, in sequence, got ReLU"),
        (lambda: chain(3, 3), {"loss": "cross_entropy", "y": [0, 1]}, "exact=True needs a squared loss, .* 'cross_entropy'"),
        (lambda: chain(3, 3), {"std": {"0.weight": np.eye(3)}}, "exact=True needs one standard deviation for all weights of"),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 3)), {}, "exact=True needs biases in the first layer alone"),
        (lambda: chain(3, 3, bias=True), {"std": {"0.weight": 0.1, "0.bias": 0.2}}, "exact=True needs one standard deviation"),
        (lambda: nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Linear(3, 3)), {}, "exact=True needs linear .* got Unflatten"),
    ],
    ids=["ReLU", "cross-entropy", "several deviations", "deep bias", "bias of its own", "another layer"],
)  # fmt: skip
def test_the_closed_form_is_refused_where_it_says_nothing(
    make: Callable[[], nn.Module], changes: dict[str, Any], message: str
) -> None:
    given = {"x": np.ones((2, 3)), "y": np.zeros((2, 3)), "loss": "mean", "std": 0.1} | changes
    with pytest.raises(ValueError, match=message):
        expected_sharpness(drawn(make, 0), exact=True, **given)


def test_the_closed_form_is_refused_for_shared_weights() -> None:
    model = drawn(lambda: chain(3, 3, 3), 0)
    model[1].weight = model[0].weight  # type: ignore[index]
    with pytest.raises(ValueError, match="exact=True needs a weight of its own for each layer"):
        expected_sharpness(model, np.ones((2, 3)), np.zeros((2, 3)), "mean", 0.1, exact=True)


@pytest.mark.parametrize("mean", [-3.0, -0.5, 0.0, 0.5, 3.0, 40.0])
@pytest.mark.parametrize("std", [0.1, 1.0])
def test_the_closed_form_of_a_rectified_unit_is_an_integral(mean: float, std: float) -> None:
    model: Any = drawn(lambda: dense(1, 1, 1), 0)
    v, c = model[2].weight.item(), model[2].bias.item()
    with torch.no_grad():
        model[0].bias.fill_(mean)
    sizes = {"0.weight": 0.0, "0.bias": std, "2.weight": 0.5, "2.bias": 0.25}
    found = expected_sharpness(model, torch.zeros(1, 1).double(), [0.75], "mean", sizes, exact=True)

    def risen(z: float) -> float:
        hidden = max(z, 0.0)
        outer = (v * hidden + c - 0.75) ** 2 + 0.25 * hidden**2 + 0.0625 - (v * max(mean, 0.0) + c - 0.75) ** 2
        return outer * math.exp(-(((z - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))

    points = sorted({*np.linspace(mean - 12 * std, mean + 12 * std, 25), 0.0})
    total = math.fsum(quad(risen, a, b, epsabs=1e-14)[0] for a, b in pairwise(points))
    assert found.value == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert found.exact


@pytest.mark.parametrize("loss", ["mean", "half_mean", "mse_loss"])
@pytest.mark.parametrize("seed", range(3))
def test_draws_of_two_relu_layers_are_around_the_closed_form(seed: int, loss: Any) -> None:
    model = drawn(lambda: dense(3, 5, 2), seed)
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(4, k, generator=generator, dtype=torch.float64) for k in (3, 2))
    sizes = {name: 0.3 * torch.rand(p.shape, generator=generator).double() for name, p in model.named_parameters()}
    exact = expected_sharpness(model, x, y, loss, sizes, exact=True)
    near = expected_sharpness(model, x, y, loss, sizes, draws=4000)
    assert abs(exact.value - near.value) < 5 * near.standard_error
    assert exact.loss == near.loss


def test_of_units_that_no_noise_switches_it_is_that_of_a_linear_network() -> None:
    model: Any = drawn(lambda: dense(2, 3, 2), 1)
    with torch.no_grad():
        model[0].bias.fill_(1e3)
        model[2].bias.zero_()
    x, y = torch.tensor([[0.5, -1.0]], dtype=torch.float64), torch.zeros(1, 2).double()
    sizes = {"0.weight": 0.1, "0.bias": 0.1, "2.weight": 0.2, "2.bias": 0.0}
    linear_model = nn.Sequential(model[0], nn.Linear(3, 2, bias=False))
    linear_model[1].weight = model[2].weight
    plain = expected_sharpness(
        linear_model, x, y, "mean", {"0.weight": 0.1, "0.bias": 0.1, "1.weight": 0.2}, exact=True
    )
    assert expected_sharpness(model, x, y, "mean", sizes, exact=True).value == pytest.approx(plain.value, rel=1e-9)


def test_its_second_order_is_half_the_trace_of_the_hessian() -> None:
    model: Any = drawn(lambda: dense(2, 4, 2), 2)
    x, y = torch.tensor([[0.5, -1.0], [2.0, 1.0]], dtype=torch.float64), torch.zeros(2, 2).double()
    weights = {name: p.detach() for name, p in model.named_parameters()}

    def loss(*given: torch.Tensor) -> torch.Tensor:
        outputs = functional_call(model, dict(zip(weights, given, strict=True)), (x,))
        return (outputs - y).square().sum(1).mean()

    blocks: Any = torch.autograd.functional.hessian(loss, tuple(weights.values()))
    trace = sum(float(blocks[i][i].reshape(w.numel(), -1).trace()) for i, w in enumerate(weights.values()))
    found = expected_sharpness(model, x, y, "mean", 1e-4, exact=True)
    assert found.value == pytest.approx(1e-8 / 2 * trace, rel=1e-6)
