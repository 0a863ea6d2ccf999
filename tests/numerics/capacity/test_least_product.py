import math
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError, group_norm, least_product, path_norm, rescaled
from numerics.capacity.folding import prepared
from numerics.capacity.log_paths import log_sums
from tests.numerics.capacity.networks import dense, drawn
from theory.checks import Array


def weights_of(model: nn.Module) -> list[Array]:
    return [layer.weight.detach().numpy() for layer in model.modules() if isinstance(layer, nn.Linear)]


def product(model: nn.Module, p: float) -> float:
    return math.prod(group_norm(weight, p, math.inf) for weight in weights_of(model))


def program(weights: list[Array], p: float) -> float:
    """Return the least product as a geometric program in the factors of the hidden units and the norms of the layers."""
    ones = [1.0] * weights[0].shape[1], [1.0] * len(weights[-1])
    factors: list[Any] = [ones[0], *(cp.Variable(len(weight), pos=True) for weight in weights[:-1]), ones[1]]
    norms = cp.Variable(len(weights), pos=True)
    constraints = []
    for layer, weight in enumerate(weights):
        before, after = factors[layer], factors[layer + 1]
        for j, row in enumerate(weight):
            terms = [abs(w) ** p * (after[j] / before[i]) ** p for i, w in enumerate(row) if w]
            if terms:
                constraints.append(cp.sum(cp.hstack(terms)) <= norms[layer] ** p)
    problem = cp.Problem(cp.Minimize(cp.prod(norms)), constraints)
    return float(problem.solve(gp=True, solver=cp.CLARABEL))


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("widths", [(2, 3, 1), (2, 3, 3), (2, 2, 3, 2)], ids=["one output", "three", "deep"])
def test_the_closed_form_is_what_the_geometric_program_finds(widths: tuple[int, ...], p: float) -> None:
    model = drawn(lambda: dense(*widths), 0)
    found = least_product(model, p, (2,))
    assert found.value == pytest.approx(program(weights_of(model), p), rel=1e-6)
    assert found.attained


@pytest.mark.parametrize("p", [1, 2, 3])
def test_one_output_has_the_path_norm_and_several_the_largest(p: float) -> None:
    one, many = drawn(lambda: dense(3, 4, 3, 1), 1), drawn(lambda: dense(3, 4, 3, 5), 1)
    assert least_product(one, p, (3,)).log == pytest.approx(path_norm(one, (3,), p, biases=False).log, rel=1e-12)
    paths, least = path_norm(many, (3,), p, biases=False), least_product(many, p, (3,))
    assert least.log == pytest.approx(paths.largest_log, rel=1e-12)
    assert least.value < paths.value < 5 ** (1 / p) * least.value


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("seed", range(2))
def test_its_factors_attain_it_and_no_others_are_below(seed: int, p: float) -> None:
    model = drawn(lambda: dense(3, 4, 5, 2), seed)
    least = least_product(model, p, (3,))
    best = rescaled(model, (3,), least.factors)
    assert product(best, p) == pytest.approx(least.value, rel=1e-12)
    generator = np.random.default_rng(seed)
    for _ in range(8):
        other = rescaled(best, (3,), {"0": np.exp(generator.normal(size=4)), "2": np.exp(generator.normal(size=5))})
        assert product(other, p) > least.value


def with_dead_unit(outputs: int) -> Any:
    model: Any = drawn(lambda: dense(2, 3, outputs, bias=False), 2)
    with torch.no_grad():
        model[0].weight[1] = 0
    return model


@pytest.mark.parametrize("p", [1, 2])
def test_a_dead_unit_keeps_the_infimum_from_being_attained(p: float) -> None:
    model = with_dead_unit(1)
    found = least_product(model, p, (2,))
    assert (found.attained, found.dead) == (False, (("0", 1),))
    assert found.value == pytest.approx(path_norm(model, (2,), p).value, rel=1e-12)
    near = rescaled(model, (2,), found.factors | {"0": np.where([False, True, False], 1e3, found.factors["0"])})
    nearer = rescaled(model, (2,), found.factors | {"0": np.where([False, True, False], 1e6, found.factors["0"])})
    assert found.value < product(nearer, p) < product(near, p)
    assert product(rescaled(model, (2,), found.factors), p) == pytest.approx(found.value, rel=1e-12)


def test_a_dead_unit_that_leads_to_no_largest_output_does_no_harm() -> None:
    model = with_dead_unit(2)
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[5.0, 0.0, 5.0], [1.0, 100.0, 1.0]]))
    found = least_product(model, 1, (2,))
    assert (found.attained, found.dead) == (True, ())
    assert product(rescaled(model, (2,), found.factors), 1) == pytest.approx(found.value, rel=1e-12)


def test_a_network_that_is_0_has_infimum_0() -> None:
    model = with_dead_unit(1)
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[0.0, 1.0, 0.0]]))
    found = least_product(model, 1, (2,))
    assert (found.value, found.attained) == (0.0, False)
    with torch.no_grad():
        model[2].weight.zero_()
    found = least_product(model, 1, (2,))
    assert (found.value, found.attained) == (0.0, True)


def test_the_units_of_a_convolution_have_factors_of_their_own() -> None:
    """Written out as matrices, it is the least product of a dense network."""
    model: Any = drawn(lambda: nn.Sequential(nn.Conv1d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)), 3)
    written: Any = dense(3, 4, 2, bias=False).double()
    with torch.no_grad():
        columns = [
            nn.functional.conv1d(unit[None, None], model[0].weight).reshape(-1) for unit in torch.eye(3).double()
        ]
        written[0].weight.copy_(torch.stack(columns, dim=1))
        written[2].weight.copy_(model[3].weight)
    found = least_product(model, 1, (1, 3))
    assert found.log == pytest.approx(least_product(written, 1, (3,)).log, rel=1e-12)
    assert found.factors == {}
    with torch.no_grad():
        model[0].weight[0] = 0  # its two places
    assert least_product(model, 1, (1, 3)).dead == (("0", 0), ("0", 1))


def test_sums_over_layers_as_one_are_the_product_of_norms() -> None:
    model = drawn(lambda: dense(3, 4, 2), 4)
    graph = prepared(model, (3,))
    log = float(log_sums(graph, 2.0, biases=False, collapsed=True)[graph.output].max()) / 2
    assert math.exp(log) == pytest.approx(product(model, 2), rel=1e-12)


class Skip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layer(x)  # type: ignore[no-any-return]


def twice() -> nn.Module:
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.ReLU(), layer)


def tied() -> nn.Module:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    second.weight = first.weight
    return nn.Sequential(first, nn.ReLU(), second)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (Skip(), UnsupportedLayerError, "no skips, got the function"),
        (nn.Sequential(nn.Conv1d(1, 1, 1), nn.AvgPool1d(2)), UnsupportedLayerError, "in a chain, .* got AvgPool1d '1'"),
        (twice(), ValueError, "each parameter once, got those of Linear '0', that is used again"),
        (tied(), ValueError, "each parameter once, got one that '0' and '2' share"),
        (nn.Sequential(nn.ReLU()), ValueError, "a linear layer or a convolution, got none"),
    ],
    ids=["skip", "pooling", "twice", "tied", "nothing"],
)
def test_models_without_a_product_of_layers_are_refused(model: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        least_product(model, 1, (1, 2))


def test_an_exponent_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="p must be at least 1 and finite"):
        least_product(dense(2, 1), math.inf, (2,))
