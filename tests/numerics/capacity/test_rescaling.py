from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError, path_norm, rescaled
from tests.numerics.capacity.networks import Residual, dense, drawn


def convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.LeakyReLU(3.0), nn.MaxPool2d(2, padding=1), nn.Conv2d(4, 4, 2, groups=2),
        nn.ReLU(), nn.AvgPool2d(2, padding=1), nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip


CASES: dict[str, tuple[Any, tuple[int, ...], dict[str, int]]] = {
    "dense": (lambda: dense(3, 5, 4, 2), (3,), {"0": 5, "2": 4}),
    "convolutions": (convolutions, (2, 5, 5), {"0": 4, "3": 4}),
    "residual": (Residual, (1, 3, 3), {"first": 2}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_function_stays_and_the_weights_do_not(name: str) -> None:
    make, shape, units = CASES[name]
    model, generator = drawn(make, 0), np.random.default_rng(0)
    x = torch.from_numpy(generator.standard_normal((10, *shape)))
    other = rescaled(model, shape, {layer: np.exp(generator.normal(size=n)) for layer, n in units.items()})
    assert torch.allclose(model(x), other(x), rtol=1e-12, atol=1e-12)
    assert type(other) is type(model)
    first, second = (dict(one.named_parameters()) for one in (model, other))
    assert all(not torch.allclose(first[f"{layer}.weight"], second[f"{layer}.weight"]) for layer in units)
    if name != "convolutions":  # whose slopes are above 1
        assert path_norm(other, shape, 2).log == pytest.approx(path_norm(model, shape, 2).log, rel=1e-12)


def test_units_that_are_added_are_rescaled_together() -> None:
    model, x = drawn(Residual, 1), torch.randn(4, 1, 3, 3, dtype=torch.float64)
    same = {name: [2.0, 0.25] for name in ("second", "skip", "third")}
    assert torch.allclose(rescaled(model, (1, 3, 3), same)(x), model(x), rtol=1e-12)
    with pytest.raises(ValueError, match="must be the same for units that are added, got different ones"):
        rescaled(model, (1, 3, 3), {"skip": [2.0, 0.25]})


def test_powers_of_two_change_no_bit() -> None:
    model = drawn(lambda: dense(3, 4, 2), 2)
    other = rescaled(rescaled(model, (3,), {"0": [2.0, 4.0, 0.5, 1.0]}), (3,), {"0": [0.5, 0.25, 2.0, 1.0]})
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))


def test_a_layer_that_is_not_homogeneous_may_stand_where_nothing_is_rescaled() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(2, 2), nn.Tanh(), *dense(2, 3, 1)), 3)
    x = torch.randn(4, 2, dtype=torch.float64)
    assert torch.allclose(rescaled(model, (2,), {"2": [2.0, 3.0, 4.0]})(x), model(x), rtol=1e-12)
    with pytest.raises(UnsupportedLayerError, match="got Tanh '1' after rescaled ones"):
        rescaled(model, (2,), {"0": [2.0, 1.0]})


def test_the_dtype_is_kept() -> None:
    other = rescaled(dense(2, 2, 1), (2,), {"0": [2.0, 1.0]})
    assert {parameter.dtype for parameter in other.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        ([2.0], TypeError, "factors must map names of layers to numbers, got list"),
        ({"1": [2.0, 2.0]}, ValueError, "for layers among '0', '2', got '1'"),
        ({"0": [2.0]}, ValueError, r"factors\['0'\] must hold one number for each of 2 units, got 1"),
        ({"0": [2.0, 0.0]}, ValueError, r"factors\['0'\] must hold numbers above 0, got 0.0"),
        ({"2": [2.0]}, ValueError, "must leave the outputs as they are, got some for '2'"),
        ({"0": ["2", 1.0]}, TypeError, "must hold real numbers"),
    ],
    ids=["list", "name", "number", "zero", "outputs", "text"],
)
def test_factors_that_are_none_are_refused(factors: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rescaled(dense(2, 2, 1), (2,), factors)


def test_batch_norm_is_to_be_folded_first() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.ReLU(), nn.Linear(2, 1)), 0)
    with pytest.raises(UnsupportedLayerError, match="BatchNorm1d '1' after rescaled ones: fold it first"):
        rescaled(model, (2,), {"0": [2.0, 1.0]})


def test_shared_weights_are_refused() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="each parameter once"):
        rescaled(nn.Sequential(layer, nn.ReLU(), layer), (2,), {"0": [2.0, 1.0]})
