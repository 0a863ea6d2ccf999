import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.geometric_complexity import implicit_regulariser


def example(seed: int = 0) -> tuple[nn.Module, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 4)).double(), torch.randn(5, 3).double()


def gradients(model: nn.Module, output: torch.Tensor) -> torch.Tensor:
    parts = torch.autograd.grad(output, list(model.parameters()), retain_graph=True)
    return torch.cat([part.reshape(-1) for part in parts])


@pytest.mark.parametrize("loss", ["cross_entropy", "half_mean", "mean"])
def test_terms_are_the_sums_over_pairs(loss: Any) -> None:
    model, x = example()
    y = torch.tensor([0, 3, 1, 1, 2]) if loss == "cross_entropy" else torch.linspace(-1, 1, 20).reshape(5, 4).double()
    outputs = model(x)
    if loss == "cross_entropy":
        residuals = torch.softmax(outputs, 1) - nn.functional.one_hot(y, 4)
        value = nn.functional.cross_entropy(outputs, y)
    else:
        residuals = (outputs - y) * (2 if loss == "mean" else 1)
        value = ((outputs - y) ** 2).sum(1).mean() / (1 if loss == "mean" else 2)
    rows = [[residuals[j, i].detach() * gradients(model, outputs[j, i]) for i in range(4)] for j in range(5)]
    squares = sum(float(row @ row) for part in rows for row in part) / 25
    labels = sum(2 * float(a @ b) for part in rows for a, b in combinations(part, 2)) / 25
    sums = [torch.stack(part).sum(0) for part in rows]
    batch = sum(2 * float(a @ b) for a, b in combinations(sums, 2)) / 25
    total = gradients(model, value)
    found = implicit_regulariser(model, x, y, loss)
    assert (found.gradients, found.label_alignment, found.batch_alignment) == pytest.approx((squares, labels, batch))
    assert found.squared_gradient == pytest.approx(float(total @ total))
    assert found.loss == pytest.approx(float(value.detach()))
    assert found.adds_up
    assert found.modified_loss(0.1) == pytest.approx(found.loss + 0.1 / 4 * found.squared_gradient)
    assert found.batch == 5


def test_one_example_with_one_output_has_no_alignment() -> None:
    model = nn.Linear(2, 1)
    found = implicit_regulariser(model, torch.ones(1, 2), torch.zeros(1), "half_mean")
    assert found.label_alignment == found.batch_alignment == 0
    assert found.gradients == pytest.approx(found.squared_gradient)


def test_the_identity_can_fail() -> None:
    model, x = example()
    found = implicit_regulariser(model, x, np.zeros((5, 4)), "half_mean")
    assert 0 < found.allowance < 1e-9 * found.gradients
    assert not type(found)(**{**vars(found), "label_alignment": found.label_alignment * (1 + 1e-6)}).adds_up


@pytest.mark.parametrize(
    ("model", "y", "loss", "message"),
    [
        (
            nn.Sequential(nn.Linear(3, 4), nn.Dropout()),
            torch.zeros(5, dtype=torch.int64),
            "cross_entropy",
            "Dropout '1'",
        ),
        (nn.Linear(3, 4), torch.zeros(5, 3), "half_mean", "y must have shape"),
        (nn.Linear(3, 4), torch.zeros(5, 4), "hinge", "loss must be one of"),
        (nn.Linear(3, 4), torch.full((5, 4), math.nan), "mean", "y must hold finite numbers"),
    ],
    ids=["dropout", "shape", "loss", "nan"],
)
def test_bad_input_is_named(model: nn.Module, y: Any, loss: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        implicit_regulariser(model, torch.ones(5, 3), y, loss)


def test_a_negative_step_size_is_named() -> None:
    found = implicit_regulariser(nn.Linear(2, 1), torch.ones(1, 2), torch.zeros(1), "half_mean")
    with pytest.raises(ValueError, match="step_size"):
        found.modified_loss(-1.0)
