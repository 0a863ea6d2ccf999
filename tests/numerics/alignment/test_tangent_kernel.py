import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.alignment import eigenmodes, function_update, tangent_kernel
from numerics.models import mlp
from numerics.stability.module_loss import module_loss
from tests.numerics.alignment.models import CASES, data, drawn
from theory.checks import Array


def features(model: nn.Module, x: torch.Tensor) -> Array:
    """Return the gradient of each output of each example, one backward pass each, [m c, p]."""
    rows = [
        torch.cat([g.reshape(-1) for g in torch.autograd.grad(output, list(model.parameters()), retain_graph=True)])
        for output in model(x).reshape(-1)
    ]
    found: Array = torch.stack(rows).numpy()
    return found


@pytest.mark.parametrize("case", ["dense", "convolutions", "attention of dense layers"])
def test_it_is_that_of_all_features(case: str) -> None:
    make, shape = CASES[case]
    model, (x, _) = drawn(make), data(shape, 5)
    phi = features(model, x)
    assert np.abs(tangent_kernel(model, x) - phi @ phi.T).max() < 1e-10 * np.abs(phi @ phi.T).max()


def test_it_is_that_which_reports_on_stability_have() -> None:
    model, (x, _) = drawn(CASES["dense"][0]), data((4,), 6)
    expected = module_loss(model, x, torch.zeros(6, 3), "half_mean").gram()
    assert tangent_kernel(model, x) == pytest.approx(expected, rel=1e-10)


def sorted_orthonormal_and_whole(values: Array, modes: Array, kernel: Array) -> bool:
    """Return whether eigenvalues fall, modes are orthonormal over the sample, and both make the kernel."""
    n = len(kernel)
    return bool(
        np.all(np.diff(values) <= 0)
        and np.allclose(modes @ modes.T / n, np.eye(len(values)), atol=1e-10)
        and np.allclose(modes.T * values @ modes, kernel, atol=1e-10 * np.abs(kernel).max())
    )


def test_eigenmodes_are_sorted_orthonormal_and_make_the_kernel() -> None:
    phi = np.random.default_rng(0).standard_normal((9, 4))
    kernel = phi @ phi.T
    found = eigenmodes(kernel)
    assert found.values.shape == (4,)  # the other five are 0
    assert sorted_orthonormal_and_whole(found.values, found.modes, kernel)
    covariance = np.linalg.eigvalsh(phi.T @ phi / 9)[::-1]
    assert found.values == pytest.approx(covariance, rel=1e-10)


def test_an_unsorted_decomposition_is_caught() -> None:
    phi = np.random.default_rng(0).standard_normal((5, 7))
    kernel = phi @ phi.T
    values, vectors = np.linalg.eig(kernel)
    order = np.array([2, 0, 1, 4, 3])[np.argsort(np.argsort(-values))]
    for places, good in ((np.argsort(-values), True), (order, False)):
        found = sorted_orthonormal_and_whole(values[places] / 5, np.sqrt(5) * vectors[:, places].T, kernel)
        assert found is good


@pytest.mark.parametrize("loss", ["cross_entropy", "half_mean"])
def test_lemma_4_2_on_a_real_step(loss: str) -> None:
    model = mlp([3, 12, 2], seed=0, activation="tanh", dtype=torch.float64)
    x, y = data((3,), 7)
    targets: Any = y % 2 if loss == "cross_entropy" else x[:, :2]
    before = copy.deepcopy(model.state_dict())
    found = function_update(model, x, targets, loss, step_size=1e-3)
    assert found.decomposition_error < 1e-10
    assert 0 < found.linear_error < 1e-2
    assert found.linear_error / found.linear_error_at_half == pytest.approx(2, abs=0.05)
    assert found.by_mode @ found.eigenmodes.modes == pytest.approx(found.linear, rel=1e-8, abs=1e-12)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_the_change_is_that_of_training_by_one_step() -> None:
    model, (x, y) = drawn(CASES["dense"][0]), data((4,), 6)
    found = function_update(model, x, y, nn.functional.cross_entropy, step_size=0.1)
    before = model(x).detach()
    nn.functional.cross_entropy(model(x), y).backward()
    with torch.no_grad():
        for p in model.parameters():
            assert p.grad is not None
            p -= 0.1 * p.grad
        assert found.change == pytest.approx((model(x) - before).reshape(-1).numpy(), rel=1e-9, abs=1e-14)


def test_a_decomposition_by_other_features_is_caught() -> None:
    """The features of a network of one width say nothing of the step of another."""
    x, _ = data((3,), 7)
    one, other = (mlp([3, width, 1], seed=0, activation="tanh", dtype=torch.float64) for width in (4, 9))
    found = function_update(one, x, x[:, 0], "half_mean", step_size=1e-3)
    pull = np.linalg.lstsq(tangent_kernel(one, x), -found.linear / 1e-3, rcond=None)[0]
    mine, others = (eigenmodes(tangent_kernel(model, x)).update(pull, 1e-3)[1] for model in (one, other))
    size = np.linalg.norm(found.linear)
    assert np.linalg.norm(mine - found.linear) < 1e-8 * size
    assert np.linalg.norm(others - found.linear) > 1e-2 * size


@pytest.mark.parametrize("width", [4, 9])
def test_the_parameters_counted_are_those_of_the_width_that_is_stepped(width: int) -> None:
    model, (x, _) = mlp([3, width, 1], seed=0, dtype=torch.float64), data((3,), 5)
    found = function_update(model, x, x[:, 0], "half_mean", step_size=1e-3)
    assert found.parameters == 5 * width + 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda model, x: function_update(model, x, x[:, 0], "half_mean", 0.0),
            "step_size must be finite and above 0, got 0",
        ),
        (
            lambda model, x: function_update(model, x, model(x), "half_mean", 0.1),
            "loss must have a gradient that is not 0",
        ),
        (lambda model, x: tangent_kernel(nn.BatchNorm1d(3), x), "BatchNorm1d '' in training mode"),
        (lambda model, x: function_update(nn.BatchNorm1d(3), x, x, "mean", 0.1), "BatchNorm1d '' in training mode"),
        (lambda model, x: eigenmodes([[1, 2], [0, 1]]), "kernel must be symmetric"),
        (lambda model, x: eigenmodes([[1]]).update([1, 2], 0.1), "gradient must have shape"),
    ],
    ids=["step size", "gradient 0", "batch norm", "batch norm of a step", "not symmetric", "gradient"],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    model = mlp([3, 4, 1], seed=0, dtype=torch.float64)
    with pytest.raises(ValueError, match=message):
        call(model, data((3,), 5)[0])
