import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import (
    UnsupportedLayerError,
    group_norm,
    lipschitz_bounds,
    path_norm,
    rescaled,
    steepest_piece,
    two_layer_lipschitz,
)
from numerics.networks import TwoLayerReLU
from tests.numerics.capacity.networks import Residual, dense, drawn
from theory.checks import Array


def pooled() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 2, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2, 1), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(3, 2),
    )  # fmt: skip


CASES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "dense": (lambda: dense(3, 5, 4, 2), (3,)),
    "residual": (Residual, (1, 3, 3)),
    "pooled": (pooled, (1, 4, 4)),
}


def jacobians(model: nn.Module, shape: tuple[int, ...], seed: int) -> list[Array]:
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((20, *shape)))
    found = []
    for row in x:
        jacobian = torch.autograd.functional.jacobian(lambda t: model(t).reshape(-1), row[None].clone())
        found.append(jacobian.reshape(jacobian.shape[0], -1).numpy())
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", CASES)
def test_no_jacobian_is_larger(name: str, seed: int) -> None:
    make, shape = CASES[name]
    model = drawn(make, seed)
    bounds = lipschitz_bounds(model, shape)
    for jacobian in jacobians(model, shape, seed):
        assert float(np.linalg.norm(jacobian, np.inf)) <= bounds.l_inf
        assert float(np.linalg.norm(jacobian, 2)) <= bounds.l_2
    assert bounds.l_inf <= bounds.l_inf_product * (1 + 1e-12)
    assert bounds.l_inf == pytest.approx(
        math.exp(path_norm(model, shape, 1, biases=False, max_pooling="largest").largest_log), rel=1e-9
    )


def test_of_a_chain_they_are_the_products() -> None:
    model = drawn(lambda: dense(3, 5, 4, 2), 0)
    weights = [layer.weight for layer in model.modules() if isinstance(layer, nn.Linear)]
    bounds = lipschitz_bounds(model, (3,))
    assert bounds.l_inf_product == pytest.approx(math.prod(group_norm(w, 1, math.inf) for w in weights), rel=1e-9)
    assert bounds.l_2 == pytest.approx(
        math.prod(float(np.linalg.norm(w.detach().numpy(), 2)) for w in weights), rel=1e-9
    )


def test_of_positive_weights_the_bound_is_attained_and_rounded_up() -> None:
    for seed in range(5):
        model = drawn(lambda: dense(2, 3, 1), seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.abs_()
        weights = [layer.weight.detach().numpy() for layer in model.modules() if isinstance(layer, nn.Linear)]
        slope = float((weights[1] @ weights[0]).sum())
        bound = lipschitz_bounds(model, (2,)).l_inf
        assert slope * (1 - 1e-15) <= bound <= slope * (1 + 1e-11)


def test_rescaling_moves_the_products_alone() -> None:
    model = drawn(lambda: dense(2, 3, 2), 1)
    other = rescaled(model, (2,), {"0": [10.0, 1.0, 0.1]})
    one, two = lipschitz_bounds(model, (2,)), lipschitz_bounds(other, (2,))
    assert two.l_inf == pytest.approx(one.l_inf, rel=1e-9)
    assert two.l_inf_product > 1.01 * one.l_inf_product
    assert two.l_2 > 1.01 * one.l_2


def test_a_constant_has_bound_0() -> None:
    model: Any = dense(2, 2, 1)
    nn.init.zeros_(model[0].weight)
    assert lipschitz_bounds(model, (2,)).l_inf == 0.0


def test_a_layer_without_a_rule_is_named() -> None:
    with pytest.raises(UnsupportedLayerError, match="got GELU '1'"):
        lipschitz_bounds(nn.Sequential(nn.Linear(2, 2), nn.GELU()), (2,))


def patterns_met(model: Any, d: int) -> set[tuple[bool, ...]]:
    """Return the patterns of activity at very many points, far and near."""
    generator = np.random.default_rng(0)
    x = torch.from_numpy(generator.standard_normal((200_000, d)) * 10.0 ** generator.uniform(-1, 3, (200_000, 1)))
    active: Array = (model[0](x) > 0).numpy()
    codes = np.unique(active @ 2 ** np.arange(active.shape[1]))
    return {tuple(bool(code >> unit & 1) for unit in range(active.shape[1])) for code in codes}


@pytest.mark.parametrize(("d", "units"), [(1, 5), (2, 4), (3, 5)], ids=["line", "plane", "space"])
def test_two_layers_by_the_pieces_that_points_meet(d: int, units: int) -> None:
    model: Any = drawn(lambda: dense(d, units, 1), d)
    found = two_layer_lipschitz(model, (d,))
    weight, out = model[0].weight.detach().numpy(), model[2].weight.detach().numpy()[0]
    gradients = [(out * np.array(pattern)) @ weight for pattern in patterns_met(model, d)]
    assert found.cells == len(gradients) == sum(math.comb(units, i) for i in range(d + 1))
    assert found.l_2 == pytest.approx(max(float(np.linalg.norm(g)) for g in gradients), rel=1e-12)
    assert found.l_inf == pytest.approx(max(float(np.abs(g).sum()) for g in gradients), rel=1e-12)
    bounds = lipschitz_bounds(model, (d,))
    assert found.l_2 <= bounds.l_2
    assert found.l_inf <= bounds.l_inf


def test_units_without_biases_meet_in_a_point() -> None:
    model: Any = drawn(lambda: dense(2, 5, 1, bias=False), 0)
    assert two_layer_lipschitz(model, (2,)).cells == 10  # of the 32 patterns


def test_units_that_switch_together_and_units_without_weights() -> None:
    net = TwoLayerReLU(3, 1)
    with torch.no_grad():
        net.hidden.weight.copy_(torch.tensor([[1.0], [-2.0], [0.0]]))
        net.hidden.bias.copy_(torch.tensor([1.0, -2.0, 5.0]))
        net.output.weight.copy_(torch.tensor([[3.0, 2.0, 7.0]]))
    found = two_layer_lipschitz(net, (1,))
    assert (found.l_2, found.cells) == (4.0, 2)


@pytest.mark.parametrize(
    "model",
    [
        dense(2, 3, 2),
        dense(2, 3, 3, 1),
        nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(), nn.Linear(2, 1)),
        nn.Linear(2, 1),
    ],
    ids=["two outputs", "three layers", "leaky", "linear"],
)
def test_other_models_are_refused(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="a linear layer, a ReLU and a linear layer with one output, got Linear '0'"):
        two_layer_lipschitz(model, (2,))


def test_too_many_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 5 linear pieces to be enumerated, got more"):
        two_layer_lipschitz(drawn(lambda: dense(2, 4, 1), 0), (2,), most_cells=5)


@pytest.mark.parametrize("bias", [True, False], ids=["biases", "none"])
@pytest.mark.parametrize("widths", [(1, 6, 1), (3, 7, 1)], ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_the_steepest_piece_is_the_steepest_of_all(seed: int, widths: tuple[int, ...], bias: bool) -> None:
    model = drawn(lambda: dense(*widths, bias=bias), seed)
    found, exact = steepest_piece(model, (widths[0],)), two_layer_lipschitz(model, (widths[0],))
    assert found.l_inf == pytest.approx(exact.l_inf, rel=1e-9)
    assert found.l_inf <= found.upper <= found.l_inf * (1 + 1e-8)
    x = torch.from_numpy(found.point).requires_grad_()
    [gradient] = torch.autograd.grad(model(x).sum(), x)
    assert float(gradient.abs().sum()) == pytest.approx(found.l_inf, rel=1e-9)


def test_a_search_that_ends_early_says_between_what_the_constant_is() -> None:
    model = drawn(lambda: dense(10, 50, 1), 0)
    found = steepest_piece(model, (10,), seconds=3)
    assert 0 < found.l_inf < found.upper <= lipschitz_bounds(model, (10,)).l_inf


def test_a_constant_function_is_nowhere_steep() -> None:
    model: Any = drawn(lambda: dense(2, 3, 1), 0)
    with torch.no_grad():
        model[0].weight.zero_()
    assert steepest_piece(model, (2,)).l_inf == 0


def test_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="seconds must be"):
        steepest_piece(dense(2, 3, 1), (2,), seconds=0)
