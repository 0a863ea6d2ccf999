"""The trainer of modules: steps by hand, a run resumed bit for bit, what a checkpoint refuses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from numerics.models import ResNet18, mlp
from numerics.training import batches
from numerics.training.members import Outcome
from numerics.training.modules import CheckpointError, TrainedModule, train_module


def data(n: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.linspace(-1, 1, n, dtype=torch.float64)[:, None]
    return x, x.square()


def network() -> nn.Module:
    """Return a network with batch norm and dropout: state beside its weights, and draws of its own."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1)).double()


def flat(model: nn.Module) -> torch.Tensor:
    return torch.cat([value.detach().flatten().double() for value in model.state_dict().values()])


def noisy(targets: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return targets + 0.1 * torch.randn(targets.shape, generator=generator, dtype=targets.dtype)


def squared_weights(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return 1e-3 * torch.stack([p.square().sum() for p in model.parameters()]).sum()


def size(model: nn.Module) -> Mapping[str, float]:
    assert not model.training
    return {"norm": float(flat(model).norm())}


def run(model: nn.Module, max_steps: int, **settings: Any) -> TrainedModule:
    x, y = data()
    given: dict[str, Any] = {
        "loss": functional.mse_loss,
        "penalties": [squared_weights],
        "relabel": noisy,
        "step_size": 0.05,
        "batch_size": 5,
        "seed": 3,
        "measure": size,
        "measure_at": range(0, 100, 7),
    }
    return train_module(model, x, y, max_steps=max_steps, **(given | settings))


def test_a_step_is_that_of_gradient_descent_by_hand() -> None:
    x, y = data()
    model, by_hand = (mlp([1, 4, 1], seed=0, dtype=torch.float64) for _ in range(2))
    run(model, 3, relabel=None)
    for chosen in islice(batches(12, 5, sampling="reshuffling", seed=3), 3):
        total = functional.mse_loss(by_hand(x[chosen]), y[chosen]) + squared_weights(by_hand, x, y)
        gradients = torch.autograd.grad(total, list(by_hand.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(by_hand.parameters(), gradients, strict=True):
                parameter -= 0.05 * gradient
    torch.testing.assert_close(flat(model), flat(by_hand), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("settings", [{}, {"momentum": 0.9}, {"optimiser": "adam"}], ids=["plain", "momentum", "adam"])
def test_a_run_that_is_resumed_is_the_same_to_the_last_bit(tmp_path: Path, settings: dict[str, Any]) -> None:
    whole, parted = network(), network()
    expected = run(whole, 40, **settings)
    for until in (11, 26, 40):
        ended = run(parted, until, checkpoint=tmp_path / "state", checkpoint_every=4, **settings)
        if until < 40:
            parted = network()
    assert torch.equal(flat(whole), flat(parted))
    assert (ended.steps, ended.loss, ended.records) == (expected.steps, expected.loss, expected.records)
    assert [record["step"] for record in ended.records] == [0, 7, 14, 21, 28, 35]


def test_the_generators_of_torch_are_left_alone() -> None:
    before = torch.get_rng_state()
    run(mlp([1, 4, 1], seed=0, dtype=torch.float64), 3)
    assert torch.equal(before, torch.get_rng_state())


def test_a_small_resnet_learns_two_images() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(2, 3, 32, 32, generator=generator), torch.tensor([0, 1])
    ended = train_module(ResNet18(2, width=2), x, y, step_size=0.1, max_steps=200, stop_loss=0.05)
    assert ended.outcome == Outcome.INTERPOLATED
    assert ended.loss < 0.05


def test_a_run_ends_below_the_loss_asked_for_or_where_it_diverges() -> None:
    fits = run(
        mlp([1, 64, 1], seed=0, dtype=torch.float64), 100_000, relabel=None, penalties=(), step_size=0.2, stop_loss=0.02
    )
    assert fits.outcome == Outcome.INTERPOLATED
    assert fits.loss < 0.02
    assert fits.steps % 3 == 0
    lost = run(mlp([1, 64, 1], seed=0, dtype=torch.float64), 100_000, step_size=1e6)
    assert lost.outcome == Outcome.DIVERGED
    assert lost.steps < 1000
    spent = run(mlp([1, 64, 1], seed=0, dtype=torch.float64), 2)
    assert spent.outcome == Outcome.BUDGET_SPENT
    assert math.isnan(spent.loss)


def test_progress_is_told_after_every_epoch() -> None:
    told: list[tuple[int, int]] = []
    run(mlp([1, 4, 1], seed=0, dtype=torch.float64), 7, progress=lambda step, most, loss: told.append((step, most)))
    assert told == [(3, 7), (6, 7)]


def test_a_checkpoint_that_is_cut_or_changed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state"
    run(network(), 5, checkpoint=file)
    content = file.read_bytes()
    for spoiled in (content[:-1], content[:100] + bytes([content[100] ^ 1]) + content[101:], b""):
        file.write_bytes(spoiled)
        with pytest.raises(CheckpointError, match="is not a whole checkpoint: remove it to start again"):
            run(network(), 9, checkpoint=file)


@pytest.mark.parametrize(
    "settings", [{"seed": 4}, {"step_size": 0.06}, {"name": "another"}, {"momentum": 0.5}], ids=str
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    run(network(), 5, checkpoint=tmp_path / "state")
    with pytest.raises(CheckpointError, match="is of another network, data, settings or name"):
        run(network(), 9, checkpoint=tmp_path / "state", **settings)


def test_a_checkpoint_of_other_initial_weights_is_refused(tmp_path: Path) -> None:
    run(network(), 5, checkpoint=tmp_path / "state")
    other = network()
    with torch.no_grad():
        next(other.parameters()).add_(1)
    with pytest.raises(CheckpointError, match="is of another network"):
        run(other, 9, checkpoint=tmp_path / "state")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"momentum": 1.0}, "momentum must be from 0 to below 1, got 1.0"),
        ({"optimiser": "sam"}, "optimiser must be 'sgd', 'adam' or what makes an optimiser, got 'sam'"),
        ({"optimiser": "adam", "momentum": 0.5}, "momentum must be 0 with optimiser 'adam', got 0.5"),
        ({"stop_loss": math.nan}, "stop_loss must be at least 0, got nan"),
        ({"step_size": 0.0}, "step_size must be finite and above 0, got 0.0"),
        ({"batch_size": 13}, "batch_size must be between 1 and the number of data points, 12, got 13"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        run(network(), 2, **settings)
    assert str(raised.value) == message


def test_data_that_do_not_fit_are_refused() -> None:
    x, y = data()
    with pytest.raises(ValueError, match=r"x and y must hold one row a data point, at least one, got 12 and 11"):
        train_module(network(), x, y[:-1], step_size=0.1, max_steps=1)
    with pytest.raises(TypeError, match=r"y must be a torch.Tensor, got list"):
        train_module(network(), x, [0.0] * 12, step_size=0.1, max_steps=1)  # type: ignore[arg-type]
