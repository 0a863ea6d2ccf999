import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn, optim

from numerics.stability import batch_sharpness, preconditioned_sharpness
from tests.numerics.capacity.networks import drawn
from theory.checks import Array


def network(seed: int = 0) -> Any:
    return drawn(lambda: nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)), seed)


def data(n: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(n, k, generator=generator, dtype=torch.float64) for k in (2, 1))  # type: ignore[return-value]


def half_mean(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((model(x) - y) ** 2).sum() / (2 * len(x))


def hessian(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Array:
    weights = dict(model.named_parameters())
    shapes = [p.shape for p in weights.values()]
    flat = torch.cat([p.detach().flatten() for p in weights.values()])

    def loss(vector: torch.Tensor) -> torch.Tensor:
        parts = torch.split(vector, [s.numel() for s in shapes])
        given = {name: part.reshape(s) for name, part, s in zip(weights, parts, shapes, strict=True)}
        return ((torch.func.functional_call(model, given, (x,)) - y) ** 2).sum() / (2 * len(x))

    matrix: Any = torch.autograd.functional.hessian(loss, flat)
    return np.asarray(matrix.numpy())


def stepped(make: Callable[[Any], optim.Optimizer], steps: int = 3) -> tuple[Any, optim.Optimizer]:
    model, (x, y) = network(), data()
    optimizer = make(model.parameters())
    for _ in range(steps):
        optimizer.zero_grad()
        half_mean(model, x, y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return model, optimizer


OPTIMISERS: dict[str, tuple[Callable[[Any], optim.Optimizer], Callable[[Any, float], Any], float]] = {
    "SGD": (lambda p: optim.SGD(p, lr=0.1), lambda state, t: 1.0, 20.0),
    "momentum": (lambda p: optim.SGD(p, lr=0.1, momentum=0.5), lambda state, t: 1.0, 30.0),
    "dampening": (lambda p: optim.SGD(p, lr=0.1, momentum=0.5, dampening=0.5), lambda state, t: 1.0, 60.0),
    "Nesterov": (lambda p: optim.SGD(p, lr=0.1, momentum=0.5, nesterov=True), lambda state, t: 1.0, 15.0),
    "Adam": (
        lambda p: optim.Adam(p, lr=0.01, betas=(0.9, 0.99), eps=1e-3),
        lambda s, t: (1 - 0.9**t) * ((s["exp_avg_sq"] / (1 - 0.99**t)).sqrt() + 1e-3),
        2 * 1.9 / (0.1 * 0.01),
    ),
    "amsgrad": (
        lambda p: optim.Adam(p, lr=0.01, betas=(0.5, 0.99), eps=1e-3, amsgrad=True),
        lambda s, t: (1 - 0.5**t) * ((s["max_exp_avg_sq"] / (1 - 0.99**t)).sqrt() + 1e-3),
        2 * 1.5 / (0.5 * 0.01),
    ),
    "AdamW": (
        lambda p: optim.AdamW(p, lr=0.01, betas=(0.9, 0.99), eps=1e-3, weight_decay=10.0),
        lambda s, t: (1 - 0.9**t) * ((s["exp_avg_sq"] / (1 - 0.99**t)).sqrt() + 1e-3),
        1.9 * 1.9 / (0.1 * 0.01),
    ),
    "RMSprop": (
        lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, momentum=0.5),
        lambda s, t: s["square_avg"].sqrt() + 1e-3,
        300.0,
    ),
    "centred": (
        lambda p: optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, centered=True),
        lambda s, t: (s["square_avg"] - s["grad_avg"] ** 2).sqrt() + 1e-3,
        200.0,
    ),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_it_is_the_top_eigenvalue_of_the_preconditioned_hessian(name: str) -> None:
    make, divisor, limit = OPTIMISERS[name]
    model, optimizer = stepped(make)
    x, y = data()
    p = np.concatenate(
        [np.broadcast_to(np.asarray(divisor(optimizer.state[w], 3)), w.shape).ravel() for w in model.parameters()]
    )
    matrix = hessian(model, x, y) / np.sqrt(np.outer(p, p))
    found = preconditioned_sharpness(model, x, y, optimizer)
    assert found.value == pytest.approx(float(np.linalg.eigvalsh(matrix)[-1]), rel=1e-9)
    assert found.limit == pytest.approx(limit, rel=1e-12)
    assert np.linalg.norm(matrix @ found.vector - found.value * found.vector) <= 1e-9 * found.value
    assert found.parameters == tuple(name for name, _ in model.named_parameters())
    assert found.ratio == found.value / found.limit


@pytest.mark.parametrize("name", ["momentum", "dampening", "Nesterov", "RMSprop"])
def test_steps_of_the_optimiser_shrink_below_the_limit_and_grow_beyond(name: str) -> None:
    """On a quadratic, an optimiser's own code, its second moments held where they are."""
    for factor, grows in ((0.98, False), (1.02, True)):
        w = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
        model = nn.Linear(1, 1, bias=False).double()
        optimizer = OPTIMISERS[name][0]([w])
        limit = OPTIMISERS[name][2]
        h = factor * limit
        if name == "RMSprop":
            optimizer.param_groups[0]["alpha"] = 1.0  # square_avg stays 0: what it is divided by is eps
            h *= 1e-3
        del model
        sizes = []
        for _ in range(600):
            w.grad = h * w.detach()
            optimizer.step()
            sizes.append(abs(w.item()))
        assert (max(sizes[-20:]) > 1) is grows


@pytest.mark.parametrize("b1", [0.0, 0.9])
def test_adam_on_a_quadratic_comes_to_its_limit(b1: float) -> None:
    """Its second moments fall with the gradient until the preconditioned sharpness is the largest that stays."""
    model = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, -1.0]]))
    x, y = torch.tensor([[1.0, 0.0], [1.0, 1.0]], dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    optimizer = optim.Adam(model.parameters(), lr=0.01, betas=(b1, 0.99), eps=1e-12)
    ratios = []
    for step in range(2000):
        optimizer.zero_grad()
        half_mean(model, x, y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step >= 1500 and step % 50 == 0:
            ratios.append(preconditioned_sharpness(model, x, y, optimizer).ratio)
    assert 0.8 < float(np.median(ratios)) < 1.3


def test_weight_decay_in_the_gradient_is_part_of_the_matrix() -> None:
    model, optimizer = stepped(lambda p: optim.SGD(p, lr=0.1, weight_decay=0.25), steps=0)
    x, y = data()
    plain = preconditioned_sharpness(model, x, y, optim.SGD(model.parameters(), lr=0.1)).value
    assert preconditioned_sharpness(model, x, y, optimizer).value == pytest.approx(plain + 0.25, rel=1e-9)


def test_step_sizes_of_groups_are_relative_to_the_first() -> None:
    model, (x, y) = network(), data()
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[2].parameters(), "lr": 0.4}]
    found = preconditioned_sharpness(model, x, y, optim.SGD(groups))
    p = np.repeat([1.0, 0.25], [12, 5])
    top = float(np.linalg.eigvalsh(hessian(model, x, y) / np.sqrt(np.outer(p, p)))[-1])
    assert (found.value, found.limit) == (pytest.approx(top, rel=1e-9), pytest.approx(20.0))  # type: ignore[comparison-overlap]


def test_what_the_optimiser_does_not_hold_is_fixed() -> None:
    model, (x, y) = network(), data()
    found = preconditioned_sharpness(model, x, y, optim.SGD(model[2].parameters(), lr=0.1))
    assert found.parameters == ("2.weight", "2.bias")
    assert found.value == pytest.approx(float(np.linalg.eigvalsh(hessian(model, x, y)[12:, 12:])[-1]), rel=1e-9)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda m: optim.Adagrad(m.parameters()), TypeError, "optimizer must be torch.optim.SGD, Adam, .* got Adagrad"),
        (lambda m: "Adam", TypeError, "optimizer must be .* got str"),
        (lambda m: optim.Adam(m.parameters()), ValueError, "must have taken a step, .* got none for '0.weight'"),
        (lambda m: optim.SGD(copy.deepcopy(m).parameters(), lr=1.0), ValueError, "must hold parameters of the model"),
        (lambda m: optim.SGD(m.parameters(), lr=1.0, maximize=True), ValueError, "must minimise"),
        (lambda m: optim.SGD([{"params": m[0].parameters()}, {"params": m[2].parameters(), "momentum": 0.5}], lr=1.0),
         ValueError, "one momentum"),
        (lambda m: optim.SGD(m.parameters(), lr=1.0, momentum=0.5, dampening=1.0), ValueError, "dampening below 1"),
    ],
    ids=["another", "a word", "no state", "another model's", "maximises", "two momenta", "all dampened"],
)  # fmt: skip
def test_other_optimisers_are_refused(make: Any, error: type[Exception], message: str) -> None:
    model, (x, y) = network(), data()
    with pytest.raises(error, match=message):
        preconditioned_sharpness(model, x, y, make(model))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_batch_sharpness_is_the_mean_over_all_batches(batch: int) -> None:
    model, (x, y) = network(), data(5)
    values = []
    for part in itertools.combinations(range(5), batch):
        rows = list(part)
        g = torch.autograd.grad(half_mean(model, x[rows], y[rows]), list(model.parameters()))
        vector = torch.cat([one.flatten() for one in g]).numpy()
        values.append(vector @ hessian(model, x[rows], y[rows]) @ vector / (vector @ vector))
    found = batch_sharpness(model, x, y, batch)
    assert found.value == pytest.approx(float(np.mean(values)), rel=1e-9)
    assert (found.standard_error, found.batches, found.flat) == (0.0, len(values), 0)


def test_draws_of_batches_are_around_the_mean_over_all() -> None:
    model, (x, y) = network(), data(12)
    exact = batch_sharpness(model, x, y, 3, draws=1000)
    near = batch_sharpness(model, x, y, 3, draws=60)
    assert (exact.batches, near.batches) == (220, 60)
    low, high = near.interval
    assert high - low == pytest.approx(2 * 1.959963984540054 * near.standard_error)
    assert abs(near.value - exact.value) < 4 * near.standard_error
    assert batch_sharpness(model, x, y, 3, draws=60, seed=1).value != near.value


def test_batches_without_a_gradient_are_counted_and_left_out() -> None:
    model = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        model.weight.fill_(1.0)
    found = batch_sharpness(model, [[1.0], [2.0]], [1.0, 0.0], 1)
    assert (found.value, found.batches, found.flat) == (pytest.approx(4.0), 2, 1)  # type: ignore[comparison-overlap]
    with pytest.raises(ValueError, match="must have a batch whose gradient is not 0"):
        batch_sharpness(model, [[1.0], [2.0]], [1.0, 2.0], 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"batch_size": 7}, "batch_size must be"), ({"draws": 1}, "draws must be"), ({"seed": -1}, "seed must be")],
    ids=["batch", "draws", "seed"],
)
def test_numbers_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    x, y = data()
    with pytest.raises(ValueError, match=message):
        batch_sharpness(network(), x, y, **({"batch_size": 2} | changes))
