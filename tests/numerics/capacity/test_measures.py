import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import (
    UnsupportedLayerError,
    capacity_measures,
    frobenius_product,
    group_norm,
    margin,
    path_norm,
    spectral_product,
)
from tests.numerics.capacity.networks import Residual, dense, drawn
from theory.checks import Array


def weights_of(model: nn.Module) -> list[Array]:
    return [layer.weight.detach().numpy() for layer in model.modules() if isinstance(layer, nn.Linear)]


def test_products_of_dense_networks() -> None:
    model = drawn(lambda: dense(3, 5, 4, 2), 0)
    weights = weights_of(model)
    frobenius = [float(np.linalg.norm(weight)) for weight in weights]
    spectral = [float(np.linalg.norm(weight, 2)) for weight in weights]
    assert frobenius_product(model, (3,)).value == pytest.approx(math.prod(frobenius), rel=1e-12)
    assert frobenius_product(model, (3,), factors=True).value == pytest.approx(8 * math.prod(frobenius), rel=1e-12)
    found = spectral_product(model, (3,))
    assert math.exp(found.log_lower) <= math.prod(spectral) * (1 + 1e-12)
    assert found.value == pytest.approx(math.prod(spectral), rel=1e-9)
    assert [norm for _, norm in found.layers] == pytest.approx(spectral, rel=1e-9)
    wide = spectral_product(model, (3,), factors=True)
    assert wide.value == pytest.approx(math.sqrt(5 * 4 * 2) * math.prod(spectral), rel=1e-9)


def test_a_spectral_product_is_not_below_the_product_of_singular_values() -> None:
    for seed in range(5):
        model = drawn(lambda: dense(2, 3, 2), seed)
        logs = [math.log(np.linalg.svd(weight, compute_uv=False)[0]) for weight in weights_of(model)]
        found = spectral_product(model, (2,))
        assert found.log_lower <= sum(logs) + 1e-14
        assert sum(logs) - 1e-14 <= found.log


def test_a_convolution_has_its_kernel_and_the_norm_of_its_map() -> None:
    model: Any = drawn(
        lambda: nn.Sequential(nn.Conv1d(1, 2, 2, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(6, 1)), 1
    )
    units = torch.eye(4, dtype=torch.float64)[:, None]
    matrix = model[0](units).reshape(4, -1).detach().numpy()
    [first, last] = [name for name, _ in spectral_product(model, (1, 4)).layers]
    assert (first, last) == ("0", "3")
    assert spectral_product(model, (1, 4)).layers[0][1] == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-9)
    assert frobenius_product(model, (1, 4)).layers[0][1] == pytest.approx(
        float(model[0].weight.detach().norm()), rel=1e-12
    )
    times = spectral_product(model, (1, 4), factors=True).log - spectral_product(model, (1, 4)).log
    assert times == pytest.approx(math.log(6 * 1) / 2, rel=1e-9)  # two channels of three places, one output


def test_products_do_not_overflow() -> None:
    chain = nn.Sequential(*(nn.Linear(1, 1, bias=False, dtype=torch.float64) for _ in range(120)))
    for layer in chain:
        nn.init.constant_(layer.weight, 1e3)  # type: ignore[arg-type]
    for found in (frobenius_product(chain, (1,)), spectral_product(chain, (1,))):
        assert found.log == pytest.approx(120 * math.log(1e3), rel=1e-12)
        assert found.value == math.inf


def test_batch_norm_counts_as_folded_and_is_refused_where_it_is_not() -> None:
    model: Any = drawn(lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), 2)
    scale = model[1].weight / torch.sqrt(model[1].running_var + model[1].eps)
    weight = (model[0].weight * scale[:, None]).detach().numpy()
    assert frobenius_product(model, (2,)).value == pytest.approx(float(np.linalg.norm(weight)), rel=1e-12)
    apart = drawn(lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1)), 2)
    with pytest.raises(UnsupportedLayerError, match=r"batch norm that can be folded, .*, got BatchNorm1d '2'"):
        frobenius_product(apart, (2,))


def test_other_weights_are_refused() -> None:
    with pytest.raises(UnsupportedLayerError, match="nothing else with weights, got LayerNorm '1'"):
        spectral_product(nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)), (2,))


def test_shared_weights_are_refused() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="each parameter once, got those of Linear '0'"):
        frobenius_product(nn.Sequential(layer, layer), (2,))


def paths_of(weights: list[Array], p: float) -> float:
    """Return the sum over paths of prod |w|^p."""
    sums = np.ones(weights[0].shape[1])
    for weight in weights:
        sums = np.abs(weight) ** p @ sums
    return float(sums.sum())


@pytest.mark.parametrize("gamma", [0.5, 3.0])
def test_the_four_measures_as_printed(gamma: float) -> None:
    model = drawn(lambda: dense(3, 5, 4, 2, bias=False), 3)
    weights = weights_of(model)
    heights = [len(weight) for weight in weights]
    found = capacity_measures(model, (3,), gamma).values
    assert found["l2"] == pytest.approx(math.prod(4 * np.linalg.norm(w) ** 2 for w in weights) / gamma**2, rel=1e-12)
    assert found["l1_path"] == pytest.approx(paths_of([2 * w for w in weights], 1) ** 2 / gamma**2, rel=1e-12)
    scaled = [2 * math.sqrt(h) * w for h, w in zip(heights, weights, strict=True)]
    assert found["l2_path"] == pytest.approx(paths_of(scaled, 2) / gamma**2, rel=1e-12)
    spectral = math.prod(h * np.linalg.norm(w, 2) ** 2 for h, w in zip(heights, weights, strict=True))
    assert found["spectral"] == pytest.approx(spectral / gamma**2, rel=1e-9)


def test_the_measures_without_factors() -> None:
    model = drawn(lambda: dense(3, 5, 4, 2), 4)
    found = capacity_measures(model, (3,), 2.0, factors=False)
    assert found.l2 == pytest.approx(2 * (frobenius_product(model, (3,)).log - math.log(2)), rel=1e-12)
    assert found.spectral == pytest.approx(2 * (spectral_product(model, (3,)).log - math.log(2)), rel=1e-12)
    for p, log in ((1, found.l1_path), (2, found.l2_path)):
        assert log == pytest.approx(2 * (path_norm(model, (3,), p).log - math.log(2)), rel=1e-12)
    without = capacity_measures(model, (3,), 2.0, factors=False, biases=False)
    assert without.l1_path == pytest.approx(2 * (path_norm(model, (3,), 1, biases=False).log - math.log(2)), rel=1e-12)


def test_over_a_skip_each_path_has_the_factors_of_its_layers() -> None:
    model = drawn(Residual, 5)
    found = capacity_measures(model, (1, 3, 3), 1.0)
    units = {"first": 8, "second": 8, "skip": 8, "third": 8, "last": 2}
    with torch.no_grad():
        for name, h in units.items():
            for parameter in model.get_submodule(name).parameters():
                parameter.mul_(2 * math.sqrt(h))
    assert found.l2_path == pytest.approx(2 * path_norm(model, (1, 3, 3), 2).log, rel=1e-12)


def test_a_margin_may_be_handed_on() -> None:
    model = drawn(lambda: dense(1, 2), 6)
    x = np.linspace(-1, 1, 11)
    with torch.no_grad():
        best = model(torch.from_numpy(x)[:, None]).argmax(dim=1)
    found = margin(model, x, best)
    assert capacity_measures(model, (1,), found) == capacity_measures(model, (1,), found.value)
    wrong = margin(model, x, 1 - best)
    with pytest.raises(
        ValueError, match=r"gamma must be above 0 and finite, got -.*: 11 of 11 points, at least 1, have a margin"
    ):
        capacity_measures(model, (1,), wrong)


@pytest.mark.parametrize(
    ("gamma", "error"), [(0, ValueError), (-1.0, ValueError), (math.nan, ValueError), (math.inf, ValueError), ("1", TypeError)],
    ids=["zero", "negative", "nan", "infinite", "text"],
)  # fmt: skip
def test_a_gamma_that_is_none_is_refused(gamma: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="gamma must be"):
        capacity_measures(dense(1, 2), (1,), gamma)


def by_definition(weight: Array, p: float, q: float) -> float:
    def norm(values: list[float], power: float) -> float:
        return max(values) if math.isinf(power) else sum(value**power for value in values) ** (1 / power)

    return norm([norm([abs(float(w)) for w in row.ravel()], p) for row in weight], q)


@pytest.mark.parametrize("p", [1, 2, 3.5, math.inf])
@pytest.mark.parametrize("q", [1, 2, 3.5, math.inf])
def test_group_norms_by_the_definition(p: float, q: float) -> None:
    generator = np.random.default_rng(0)
    for shape in ((3, 4), (1, 1), (2, 3, 2, 2)):
        weight = generator.standard_normal(shape)
        assert group_norm(weight, p, q) == pytest.approx(by_definition(weight, p, q), rel=1e-12)
        assert group_norm(torch.from_numpy(weight), p, q) == pytest.approx(by_definition(weight, p, q), rel=1e-12)


def test_known_group_norms() -> None:
    weight = np.random.default_rng(1).standard_normal((4, 3))
    assert group_norm(weight, 2, 2) == pytest.approx(float(np.linalg.norm(weight)), rel=1e-12)
    assert group_norm(weight, 1, math.inf) == pytest.approx(float(np.linalg.norm(weight, np.inf)), rel=1e-12)
    assert group_norm([[0.0, 0.0]], 2, 1) == 0.0
    assert group_norm([[1, 2], [3, 4]], 1, 1) == 10.0


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_group_norms_neither_overflow_nor_underflow(size: float) -> None:
    assert group_norm([[3 * size, 4 * size]], 2, 2) == pytest.approx(5 * size, rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0]], 0.5, 1), ValueError, "p must be at least 1, got 0.5"),
        (([[1.0]], 1, math.nan), ValueError, "q must be at least 1, got nan"),
        (([[1.0]], None, 1), TypeError, "p must be a real number"),
        (([[math.inf]], 1, 1), ValueError, "weight must hold finite numbers"),
        ((np.zeros((2, 0)), 1, 1), ValueError, r"at least one unit and one input, got shape \(2, 0\)"),
        ((np.ones(3), 1, 1), ValueError, "weight must have 2 axes"),
        (([["a"]], 1, 1), TypeError, "weight must hold real numbers"),
        ((torch.ones(1, 1, dtype=torch.complex64), 1, 1), TypeError, "weight must hold real numbers, got a tensor of"),
    ],
    ids=["p", "q", "none", "infinite", "empty", "one axis", "text", "complex"],
)
def test_group_norms_of_what_is_none_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        group_norm(*arguments)
