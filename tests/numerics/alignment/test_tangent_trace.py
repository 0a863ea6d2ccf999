"""What is kept of training in tangent features, against gradients that are written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from numerics.alignment import TangentTrace
from theory.walker2023 import tangent_complexity


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 2)).double()


def features(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Return the gradients of all outputs in evaluation mode, one a row."""
    training = model.training
    model.eval()
    rows = []
    for output in model(x).reshape(-1):
        grads = torch.autograd.grad(output, list(model.parameters()), retain_graph=True)
        rows.append(torch.cat([g.reshape(-1) for g in grads]))
    model.train(training)
    return torch.stack(rows)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_is_the_sum_over_steps(momentum: float) -> None:
    model, x, y = network(), torch.randn(4, 3).double(), torch.randn(4, 2).double()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=momentum)
    trace = TangentTrace(model, x)
    handles = trace.watch(optimiser)
    updates, maps = [], []
    model.train()
    for _ in range(5):
        maps.append(features(model, x))
        before = torch.cat([p.detach().reshape(-1).clone() for p in model.parameters()])
        optimiser.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimiser.step()
        updates.append(torch.cat([p.detach().reshape(-1) for p in model.parameters()]) - before)
    expected = tangent_complexity(torch.stack(updates).numpy(), torch.stack(maps).numpy())
    assert trace.complexity == pytest.approx(expected, rel=1e-10)
    assert model.training
    for handle in handles:
        handle.remove()
    optimiser.step()
    assert len(trace.update_norms) == len(trace.feature_norms) == 5


def test_features_are_held_between_looks() -> None:
    model, x = network().eval(), torch.randn(4, 3).double()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    trace = TangentTrace(model, x, every=3)
    trace.watch(optimiser)
    for _ in range(7):
        optimiser.zero_grad()
        model(x).square().sum().backward()
        optimiser.step()
    norms = trace.feature_norms
    assert norms[0] == norms[1] == norms[2] != norms[3]
    assert norms[3] == norms[4] == norms[5] != norms[6]


def test_nothing_has_happened_at_first_and_bad_input_is_named() -> None:
    assert TangentTrace(network(), torch.zeros(1, 3)).complexity == 0
    with pytest.raises(TypeError, match=r"^model must be a torch.nn.Module, got 3 of type int"):
        TangentTrace(3, torch.zeros(1, 3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^every must be at least 1, got 0"):
        TangentTrace(network(), torch.zeros(1, 3), every=0)
