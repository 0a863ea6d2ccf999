import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn, optim

from numerics.stability import StabilityTracker, batch_sharpness, preconditioned_sharpness, top_eigenvalues
from tests.numerics.capacity.networks import drawn


def network() -> Any:
    return drawn(lambda: nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1)), 0)


def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return tuple(torch.randn(8, k, generator=generator, dtype=torch.float64) for k in (2, 1))  # type: ignore[return-value]


def train(model: nn.Module, optimizer: optim.Optimizer, after: Any, steps: int) -> None:
    x, y = data()
    for _ in range(steps):
        optimizer.zero_grad()
        (((model(x) - y) ** 2).sum() / (2 * len(x))).backward()
        optimizer.step()
        after()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_its_rows_are_what_the_functions_say_at_each_step(name: str) -> None:
    model, (x, y) = network(), data()
    optimizer = optim.SGD(model.parameters(), lr=0.1) if name == "SGD" else optim.Adam(model.parameters(), lr=0.01)
    tracker = StabilityTracker(
        model, x, y, optimizer, every=3, batch_size=7, tolerance=1e-9,
        measures={"size": lambda model: float(sum((p**2).sum() for p in model.parameters()).detach())},
    )  # fmt: skip
    wanted = []

    def after() -> None:
        row = tracker()
        if row is None:
            return
        before = [p.detach().clone() for p in model.parameters()]
        seen = preconditioned_sharpness(model, x, y, optimizer)
        gauss = preconditioned_sharpness(model, x, y, optimizer, matrix="gauss_newton")
        batch = batch_sharpness(model, x, y, 7)
        wanted.append((seen.value, seen.limit, gauss.value, batch.value, float(sum((p**2).sum() for p in before))))
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))

    train(model, optimizer, after, 8)
    found = [(r.sharpness, r.limit, r.gauss_newton, r.batch_sharpness, r.measures["size"]) for r in tracker.rows]
    assert [row.step for row in tracker.rows] == [0, 3, 6]
    np.testing.assert_allclose(np.array(found, dtype=float), np.array(wanted), rtol=1e-6)
    losses = [row.loss for row in tracker.rows]
    assert losses[0] > losses[1] > losses[2]
    assert (
        tracker.to_dicts()[1] | {"step": 3, "ratio": tracker.rows[1].ratio, "size": found[1][4]}
        == tracker.to_dicts()[1]
    )


def test_gradient_descent_comes_to_the_edge() -> None:
    model, (x, y) = network(), data()
    step = 2 / (0.8 * float(top_eigenvalues(model, x, y).values[0]))
    optimizer = optim.SGD(model.parameters(), lr=step)
    tracker = StabilityTracker(model, x, y, optimizer, every=100)
    train(model, optimizer, tracker, 1500)
    assert tracker.rows[-1].ratio < 1.02
    assert all(row.limit == pytest.approx(2 / step) for row in tracker.rows)


def test_it_is_what_a_trainer_calls() -> None:
    """Lightning calls every hook of a callback that there is, by name, and asks for its state."""
    model, (x, y) = network(), data()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    tracker = StabilityTracker(model, x, y, optimizer)
    callback = tracker.callback()
    for hook in ("setup", "on_fit_start", "on_train_epoch_start", "teardown", "on_exception"):
        getattr(callback, hook)(None, None, stage="fit")
    callback.on_train_batch_end(None, None, None, None, 0)
    assert (len(tracker.rows), callback.state_dict(), callback.state_key) == (1, {}, "TrackerCallback")
    with pytest.raises(AttributeError, match="has no attribute 'elsewhere'"):
        callback.elsewhere  # noqa: B018
    assert copy.copy(callback).tracker is tracker


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"model": "net"}, TypeError, "model must be a torch.nn.Module"),
        ({"loss": "mae"}, ValueError, "loss must be one of"),
        ({"every": 0}, ValueError, "every must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be"),
        ({"measures": {"a": 1.0}}, TypeError, "measures must map names to functions, got float for 'a'"),
        ({"measures": {"loss": float}}, ValueError, "measures must have names of their own, got 'loss'"),
        ({"tolerance": 0.0}, ValueError, "tolerance must be"),
    ],
    ids=["model", "loss", "every", "batch size", "measure", "its name", "tolerance"],
)
def test_bad_input_is_named_at_once(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    model, (x, y) = network(), data()
    given: dict[str, Any] = {
        "model": model,
        "x": x,
        "y": y,
        "optimizer": optim.SGD(model.parameters(), lr=0.1),
    } | changes
    with pytest.raises(error, match=message):
        StabilityTracker(**given)
