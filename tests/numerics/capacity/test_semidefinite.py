import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import (
    check_lipschitz_certificate,
    rescaled,
    semidefinite_lipschitz,
    spectral_product,
    two_layer_lipschitz,
)
from numerics.capacity.semidefinite import SemidefiniteLipschitz
from tests.numerics.capacity.networks import dense, drawn


@pytest.mark.parametrize("seed", range(4))
def test_it_is_between_the_constant_and_the_product_of_norms(seed: int) -> None:
    model = drawn(lambda: dense(2, 6, 1), seed)
    found = semidefinite_lipschitz(model, (2,)).l_2
    assert two_layer_lipschitz(model, (2,)).l_2 <= found <= spectral_product(model, (2,)).value * (1 + 1e-4)


@pytest.mark.parametrize("widths", [(3, 5, 4, 2), (2, 4, 4, 4, 1), (6, 3, 3)], ids=str)
def test_no_gradient_is_larger(widths: tuple[int, ...]) -> None:
    model = drawn(lambda: dense(*widths), 1)
    found = semidefinite_lipschitz(model, (widths[0],))
    x = 3 * torch.randn(200, widths[0], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    jacobians: Any = torch.func.vmap(torch.func.jacrev(model))(x).detach()
    assert float(torch.linalg.matrix_norm(jacobians, 2).max()) <= found.l_2
    assert found.l_2 < spectral_product(model, (widths[0],)).value
    assert check_lipschitz_certificate(model, (widths[0],), found.multipliers) == found.l_2


def test_of_the_size_of_a_number_it_is_exact() -> None:
    """|x| = [x]_+ + [-x]_+ has constant 1, where the product of norms is 2."""
    model: Any = drawn(lambda: dense(1, 2, 1, bias=False), 0)
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0], [-1.0]]))
        model[2].weight.fill_(1.0)
    assert semidefinite_lipschitz(model, (1,)).l_2 == pytest.approx(1, rel=1e-4)
    assert check_lipschitz_certificate(model, (1,), [[1.5, 1.5]]) == pytest.approx(math.sqrt(1.5), rel=1e-6)


def test_it_does_not_change_under_rescaling() -> None:
    model = drawn(lambda: dense(2, 4, 3, 1), 3)
    generator = np.random.default_rng(0)
    other = rescaled(model, (2,), {"0": np.exp(generator.normal(size=4)), "2": np.exp(generator.normal(size=3))})
    assert semidefinite_lipschitz(other, (2,)).l_2 == pytest.approx(semidefinite_lipschitz(model, (2,)).l_2, rel=1e-3)


@pytest.mark.parametrize("scale", [1e-6, 1e6], ids=str)
def test_it_goes_with_the_weights(scale: float) -> None:
    model, other = (drawn(lambda: dense(2, 4, 1), 3) for _ in range(2))
    with torch.no_grad():
        other.get_parameter("0.weight").mul_(scale)
    one, two = semidefinite_lipschitz(model, (2,)).l_2, semidefinite_lipschitz(other, (2,)).l_2
    assert two == pytest.approx(scale * one, rel=1e-4)


def test_one_layer_has_its_norm_and_a_layer_of_0_nothing() -> None:
    model: Any = drawn(lambda: dense(3, 2), 0)
    norm = float(torch.linalg.matrix_norm(model[0].weight.detach(), 2))
    found = semidefinite_lipschitz(model, (3,))
    assert norm <= found.l_2 <= norm * (1 + 1e-12)
    assert found.multipliers == ()
    with torch.no_grad():
        model[0].weight.zero_()
    assert semidefinite_lipschitz(model, (3,)).l_2 == 0


def found_of(model: nn.Module) -> SemidefiniteLipschitz:
    return semidefinite_lipschitz(model, (2,))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda t: [t[0] / 2, t[1]], "must prove a bound"),
        (lambda t: [0 * t[0], 0 * t[1]], "must prove a bound"),
        (lambda t: [t[0]], "must be for 2 hidden layers, got 1"),
        (lambda t: [t[0][1:], t[1]], r"multipliers\[0\] must hold 4 numbers, got 3"),
        (lambda t: [-t[0], t[1]], r"multipliers\[0\] must be at least 0"),
        (lambda t: [t[0], math.inf * t[1]], r"multipliers\[1\] must hold finite numbers"),
    ],
    ids=["halved", "nothing", "a layer short", "a unit short", "negative", "infinite"],
)
def test_multipliers_that_prove_nothing_are_refused(wrong: Any, message: str) -> None:
    model = drawn(lambda: dense(2, 4, 3, 1), 3)
    with pytest.raises(ValueError, match=message):
        check_lipschitz_certificate(model, (2,), wrong(found_of(model).multipliers))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)), "got Tanh '1' in the place of a ReLU"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "ends in a ReLU"),
        (dense(2, 300, 1), "at most 256 units .* got 302: raise most_units"),
    ],
    ids=["tanh", "ends in a ReLU", "large"],
)
def test_other_models_are_refused(model: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        found_of(model)
