import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from numerics.alignment import gradient_gram
from numerics.alignment import gram as module
from tests.numerics.alignment.models import CASES, data, dense, drawn, gradients, used_elsewhere
from theory.checks import Array


def apart(found: Array, stored: Array) -> float:
    """Return how far a Gram matrix is from that of stored gradients, relative to the largest entry."""
    expected = stored @ stored.T
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("case", CASES)
def test_it_is_that_of_stored_gradients(case: str) -> None:
    make, shape = CASES[case]
    model, (x, y) = drawn(make), data(shape, 7)
    assert apart(gradient_gram(model, x, y, "cross_entropy"), gradients(model, x, y)) < 1e-10


@pytest.mark.parametrize("case", ["dense", "convolutions", "attention of dense layers", "attention of torch"])
def test_little_memory_gives_the_same(case: str) -> None:
    make, shape = CASES[case]
    model, (x, y) = drawn(make), data(shape, 4)
    assert apart(gradient_gram(model, x, y, "cross_entropy", megabytes=1e-5), gradients(model, x, y)) < 1e-10


def test_gradients_a_few_columns_at_a_time_are_the_same() -> None:
    model = drawn(lambda: nn.Sequential(nn.Conv2d(1, 5, 2), nn.Tanh(), nn.Flatten(), nn.Linear(5 * 49, 3)))
    x, y = data((1, 8, 8), 6)
    assert apart(gradient_gram(model, x, y, "cross_entropy", megabytes=0.05), gradients(model, x, y)) < 1e-10


@pytest.mark.parametrize(("loss", "factor"), [("mean", 1.0), ("half_mean", 0.5)])
def test_squared_losses_by_name(loss: str, factor: float) -> None:
    model, (x, _) = drawn(dense), data((4,), 5)
    y = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = gradients(model, x, y, lambda f, t: factor * (f - t).square().sum())
    assert apart(gradient_gram(model, x, y, loss), expected) < 1e-10


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_loss_of_a_batch_is_asked_for_one_example_at_a_time(reduction: str) -> None:
    model, (x, y) = drawn(dense), data((4,), 5)

    def smoothed(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(outputs, targets, reduction=reduction, label_smoothing=0.1)

    assert apart(gradient_gram(model, x, y, smoothed), gradients(model, x, y, smoothed)) < 1e-10


def test_it_works_in_the_dtype_of_the_parameters_and_leaves_the_model_as_it_is() -> None:
    model, (x, y) = drawn(dense), data((4,), 5)
    stored = gradients(model, x, y)
    single = model.float()
    before = [p.clone() for p in single.parameters()]
    found = gradient_gram(single, x, y, "cross_entropy")
    assert found.dtype == np.float64
    assert 1e-10 < apart(found, stored) < 1e-5
    assert all(torch.equal(a, b) for a, b in zip(before, single.parameters(), strict=True))
    assert all(p.grad is None for p in single.parameters())
    assert not any(layer._forward_hooks for layer in single.modules())


def test_integers_go_to_an_embedding_as_they_are() -> None:
    model = drawn(lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 4), nn.Flatten(), nn.Linear(12, 3)))
    x = torch.randint(0, 9, (6, 3), generator=torch.Generator().manual_seed(0))
    y = data((1,), 6)[1]
    assert apart(gradient_gram(model, x, y, "cross_entropy"), gradients(model, x, y)) < 1e-10


def test_a_rule_that_does_not_fit_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    model, (x, y) = drawn(used_elsewhere), data((4,), 5)
    monkeypatch.setattr(module.torch, "finfo", lambda dtype: type("Lax", (), {"eps": math.inf}))
    assert apart(gradient_gram(model, x, y, "cross_entropy"), gradients(model, x, y)) > 1e-3


def test_what_vmap_cannot_do_goes_row_by_row() -> None:
    class Looks(nn.Module):
        """Looks at its numbers, which vmap has none of."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ self.weight if float(x.detach().sum()) > -math.inf else x

    model, (x, y) = drawn(Looks), data((4,), 5)
    assert apart(gradient_gram(model, x, y, "cross_entropy"), gradients(model, x, y)) < 1e-10


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))}, ValueError, "BatchNorm1d '1' in training mode, .*"
         "call model.eval.., or measure whole batches by coherence_from_batches"),
        ({"model": nn.Sequential(nn.Linear(4, 3), nn.Dropout())}, ValueError, "model must be in eval mode, got Dropout"),
        ({"model": nn.Flatten()}, ValueError, "model must have a parameter that requires a gradient, got none"),
        ({"model": print}, TypeError, "model must be"),
        ({"loss": "hinge"}, ValueError, "loss must be one of 'half_mean', 'mean', 'mse_loss', 'cross_entropy', or a function"),
        ({"loss": lambda f, t: f}, ValueError, r"loss must return one number for a batch, got shape \(1, 3\)"),
        ({"loss": lambda f, t: f @ f}, ValueError, "loss must work on outputs"),
        ({"y": [0, 1]}, ValueError, r"y must have shape \[5\]"),
        ({"y": [0, 1, 2, 3, 0]}, ValueError, "y must hold labels from 0 to 2, .* got 3 at index 3"),
        ({"x": torch.full((5, 4), math.nan)}, ValueError, "x must hold finite numbers, got nan at index 0"),
        ({"x": torch.ones(5, 3)}, ValueError, "x must hold inputs of model, which fails on shape"),
        ({"megabytes": 0}, ValueError, "megabytes must be finite and above 0, got 0"),
    ],
    ids=["batch norm", "dropout", "nothing trained", "no module", "unknown loss", "vector", "failing loss", "few labels",
         "label", "nan", "shape", "memory"],
)  # fmt: skip
def test_bad_input_is_named(change: dict[str, Any], error: type[Exception], message: str) -> None:
    x, y = data((4,), 5)
    given = {"model": nn.Linear(4, 3).double(), "x": x, "y": y, "loss": "cross_entropy", **change}
    with pytest.raises(error, match=message):
        gradient_gram(**given)
