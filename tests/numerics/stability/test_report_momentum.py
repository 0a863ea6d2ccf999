"""What the report says of descent with momentum."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.stability import mean_square_threshold, report
from tests.numerics.capacity.networks import drawn
from theory import Weights
from theory.checks import Array

WEIGHTS = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
X = np.array([-1.5, -0.5, 0.5, 1.5])


def interpolating(outputs: int) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    model = drawn(lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, outputs)), 0)
    x = torch.randn(4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return model, x, model(x).detach()


def features(model: nn.Module, x: torch.Tensor) -> list[Array]:
    """Return the Jacobian of each example, [c, p]."""
    found = []
    for row in x:
        outputs: Any = model(row[None])[0]
        rows = [torch.autograd.grad(one, list(model.parameters()), retain_graph=True) for one in outputs]
        found.append(np.array([np.concatenate([part.numpy().ravel() for part in parts]) for parts in rows]))
    return found


def growth(jacobians: list[Array], batch: int, b: float, step_size: float) -> float:
    """Return the spectral radius of the second moments' map on the span of the features."""
    _, sizes, basis = np.linalg.svd(np.concatenate(jacobians), full_matrices=False)
    basis = basis[sizes > 1e-9 * sizes[0]]
    hessians = [(j @ basis.T).T @ (j @ basis.T) for j in jacobians]
    one, parts = np.eye(len(basis)), list(combinations(range(len(hessians)), batch))
    steps = []
    for part in parts:
        mean = sum(hessians[i] for i in part) / batch
        steps.append(np.block([[(1 + b) * one - step_size * mean, -b * one], [one, 0 * one]]))
    s = np.eye(2 * len(one))
    rate = 0.0
    for _ in range(4000):
        image = sum(a @ s @ a.T for a in steps) / len(steps)
        rate = float(np.linalg.norm(image) / np.linalg.norm(s))
        s = image / np.linalg.norm(image)
    return rate


@pytest.mark.parametrize("b", [0.5, 0.9])
def test_gradient_descent_may_step_further(b: float) -> None:
    plain, found = (report(WEIGHTS, X, WEIGHTS(X), 1.0, 4, momentum=m) for m in (0.0, b))
    assert found.gd_step_size == pytest.approx((1 + b) * plain.gd_step_size, rel=1e-12)
    assert found.edge.value == pytest.approx(plain.edge.value / (1 + b), rel=1e-12)
    assert report(WEIGHTS, X, WEIGHTS(X), 0.99 * found.gd_step_size, 4, momentum=b).stable == "stable"
    assert report(WEIGHTS, X, WEIGHTS(X), 1.01 * found.gd_step_size, 4, momentum=b).stable == "unstable"


@pytest.mark.parametrize("batch", [1, 2])
def test_of_one_output_sgd_has_its_exact_threshold(batch: int) -> None:
    limit = mean_square_threshold(WEIGHTS.tangent_features(X), batch, momentum=0.9).value
    for factor, answer in ((0.999, "stable"), (1.001, "unstable")):
        found = report(WEIGHTS, X, WEIGHTS(X), factor * limit, batch, momentum=0.9)
        assert found.sgd == answer
        assert found.sgd_step_sizes.exact
        assert found.sgd_step_sizes.upper == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize("b", [0.3, 0.9])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_of_several_outputs_the_threshold_is_between_the_two_conditions(batch: int, b: float) -> None:
    model, x, y = interpolating(2)
    sizes = report(model, x, y, 0.1, batch, momentum=b).sgd_step_sizes
    jacobians = features(model, x)
    assert sizes.lower < sizes.upper
    assert growth(jacobians, batch, b, 0.999 * sizes.lower) < 1
    assert growth(jacobians, batch, b, 1.01 * sizes.upper) > 1


def test_it_says_what_momentum_changes() -> None:
    found = report(WEIGHTS, X, WEIGHTS(X), 1.0, 1, momentum=0.9)
    text = str(found)
    assert "momentum             0.9\n" in text
    assert "eta lambda / 3.8" in text
    assert "speak of descent without momentum: they are left out" in text
    assert (found.verdicts, found.momentum, found.to_dict()["momentum"]) == ((), 0.9, 0.9)
    assert "momentum" not in str(report(WEIGHTS, X, WEIGHTS(X), 1.0, 1))


def test_in_the_middle_of_training_the_edge_is_that_of_momentum() -> None:
    model, x, y = interpolating(1)
    found = report(model, x, y + 1, 0.1, 2, momentum=0.5)
    assert found.stable == "no minimum"
    assert any("eta lambda / 3 says how far" in note for note in found.notes)


@pytest.mark.parametrize("momentum", [1.0, -0.5])
def test_momentum_out_of_range_is_refused(momentum: float) -> None:
    with pytest.raises(ValueError, match="momentum must be"):
        report(WEIGHTS, X, WEIGHTS(X), 1.0, 1, momentum=momentum)
