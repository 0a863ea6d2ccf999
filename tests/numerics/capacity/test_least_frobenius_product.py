import math
from collections.abc import Callable
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError, frobenius_product, least_frobenius_product, rescaled
from tests.numerics.capacity.networks import Residual, dense, drawn
from theory.checks import Array


def weights_of(model: nn.Module) -> list[Array]:
    return [layer.weight.detach().numpy() for layer in model.modules() if isinstance(layer, nn.Linear)]


def program(weights: list[Array]) -> float:
    """Return the least product as a geometric program in the factors of the hidden units."""
    factors: list[Any] = [
        np.ones(weights[0].shape[1]),
        *(cp.Variable(len(weight), pos=True) for weight in weights[:-1]),
        np.ones(len(weights[-1])),
    ]
    squares = [
        cp.sum(
            cp.hstack([w**2 * (factors[i + 1][k] / factors[i][j]) ** 2 for (k, j), w in np.ndenumerate(weight) if w])
        )
        for i, weight in enumerate(weights)
    ]
    problem = cp.Problem(cp.Minimize(cp.prod(cp.hstack(squares))))
    return math.sqrt(float(problem.solve(gp=True, solver=cp.CLARABEL)))


@pytest.mark.parametrize("widths", [(2, 3, 1), (2, 3, 3), (2, 3, 3, 2), (1, 2, 2, 2, 2, 1)], ids=str)
def test_it_is_what_the_geometric_program_finds(widths: tuple[int, ...]) -> None:
    model: Any = drawn(lambda: dense(*widths), 0)
    with torch.no_grad():
        if widths[-1] > 1 or len(widths) > 3:
            model[2].weight[0, 0] = 0
    found = least_frobenius_product(model, (widths[0],))
    assert found.value == pytest.approx(program(weights_of(model)), rel=1e-6)
    assert found.attained


@pytest.mark.parametrize("outputs", [1, 4])
def test_of_two_layers_it_is_the_sum_over_units(outputs: int) -> None:
    """B22 with p = q = 2, where r = 1."""
    model = drawn(lambda: dense(3, 6, outputs), 1)
    first, second = weights_of(model)
    paths = float(np.linalg.norm(first, axis=1) @ np.linalg.norm(second, axis=0))
    assert least_frobenius_product(model, (3,)).value == pytest.approx(paths, rel=1e-12)


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, groups=2), nn.ReLU(), nn.Conv2d(4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)
    )


@pytest.mark.parametrize(
    ("make", "shape"),
    [(lambda: dense(3, 4, 5, 4, 2), (3,)), (lambda: dense(2, 30, 30, 1, bias=False), (2,)), (convolutions, (2, 5, 5))],
    ids=["dense", "wide", "convolutions"],
)
def test_its_factors_have_it_and_its_bound_is_close_below(
    make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    model = drawn(make, 2)
    found = least_frobenius_product(model, shape)
    best = rescaled(model, shape, found.factors)
    assert frobenius_product(best, shape).log == pytest.approx(found.log, abs=1e-12)
    assert found.log - 1e-10 <= found.log_lower <= found.log < frobenius_product(model, shape).log
    x = torch.linspace(-1, 1, math.prod(shape), dtype=torch.float64).reshape(1, *shape)
    assert torch.allclose(best(x), model(x), rtol=1e-10)
    generator = np.random.default_rng(3)
    for _ in range(8):
        drawn_factors = {name: np.exp(generator.normal(size=len(units))) for name, units in found.factors.items()}
        assert frobenius_product(rescaled(best, shape, drawn_factors), shape).log > found.log_lower


@pytest.mark.parametrize("seed", range(3))
def test_it_does_not_depend_on_how_the_function_is_written(seed: int) -> None:
    model = drawn(lambda: dense(3, 4, 5, 2), seed)
    generator = np.random.default_rng(seed)
    other = rescaled(
        model, (3,), {"0": np.exp(9 * generator.normal(size=4)), "2": np.exp(9 * generator.normal(size=5))}
    )
    one, two = least_frobenius_product(model, (3,)), least_frobenius_product(other, (3,))
    assert one.log == pytest.approx(two.log, abs=1e-9)


@pytest.mark.parametrize("far", [1e-200, 1e-5, 1e200], ids=str)
def test_units_may_be_as_far_apart_as_floats_go(far: float) -> None:
    model: Any = drawn(lambda: dense(1, 2, 1, bias=False), 0)
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[far], [1.0]], dtype=torch.float64))
        model[2].weight.copy_(torch.tensor([[1 / far, 1.0]], dtype=torch.float64))
    found = least_frobenius_product(model, (1,))
    assert found.value == pytest.approx(2, rel=1e-12)
    assert found.attained
    assert frobenius_product(rescaled(model, (1,), found.factors), (1,)).value == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("dead", ["not fed", "not heard", "in a row", "apart"])
def test_a_unit_on_no_path_from_input_to_output_keeps_it_from_being_attained(dead: str) -> None:
    model: Any = drawn(lambda: dense(2, 3, 3, 1, bias=False), 4)
    with torch.no_grad():
        if dead in ("not fed", "in a row", "apart"):
            model[0].weight[1] = 0
        if dead in ("not heard", "apart"):
            model[2].weight[:, 1 if dead == "apart" else 2] = 0
        if dead == "in a row":
            model[2].weight[1] = torch.tensor([0.0, 2.0, 0.0])
    found = least_frobenius_product(model, (2,))
    assert found.attained is (dead == "apart")
    kept: Any = drawn(lambda: dense(2, 3, 3, 1, bias=False), 4)
    with torch.no_grad():
        for ours, theirs in zip((kept[0], kept[2], kept[4]), (model[0], model[2], model[4]), strict=True):
            ours.weight.copy_(theirs.weight)
        if dead == "not heard":
            kept[0].weight[2] = 0
        else:
            kept[2].weight[:, 1] = 0
        if dead == "in a row":
            kept[2].weight[1] = 0
            kept[4].weight[:, 1] = 0
    without = least_frobenius_product(kept, (2,))
    assert without.attained
    assert found.value == pytest.approx(without.value, rel=1e-9)
    assert frobenius_product(rescaled(model, (2,), found.factors), (2,)).value == pytest.approx(found.value, rel=1e-9)


def test_a_network_that_is_0_has_infimum_0() -> None:
    model: Any = drawn(lambda: dense(1, 1, 1, bias=False), 0)
    with torch.no_grad():
        model[0].weight.zero_()
    assert least_frobenius_product(model, (1,)).attained  # a layer is 0
    model = drawn(lambda: dense(1, 2, 1, bias=False), 0)
    with torch.no_grad():
        model[0].weight[0] = 0
        model[2].weight[0, 1] = 0
    found = least_frobenius_product(model, (1,))
    assert (found.value, found.log_lower, found.attained) == (0.0, -math.inf, False)
    assert frobenius_product(rescaled(model, (1,), found.factors), (1,)).value < 1e-15


def test_a_skip_is_refused() -> None:
    with pytest.raises(UnsupportedLayerError, match="no skips"):
        least_frobenius_product(drawn(Residual, 0), (1, 3, 3))


@pytest.mark.parametrize("tolerance", [0.0, -1.0])
def test_a_tolerance_that_is_none_is_refused(tolerance: float) -> None:
    with pytest.raises(ValueError, match="tolerance must be"):
        least_frobenius_product(dense(2, 1), (2,), tolerance=tolerance)
