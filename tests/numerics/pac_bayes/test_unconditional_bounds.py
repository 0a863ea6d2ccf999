from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import UnsupportedLayerError
from numerics.pac_bayes import perturbation_bound
from theory.beyond import perturbation_bound as exact_bound
from theory.neyshabur2017 import expected_sharpness_bound


def relu_network(seed: int, *widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for inside, outside in pairwise(widths):
            linear = nn.Linear(inside, outside, bias=False, dtype=torch.float64)
            linear.weight.data.normal_()
            layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def matrices(model: nn.Sequential) -> list[Any]:
    return [layer.weight.detach().numpy() for layer in model if isinstance(layer, nn.Linear)]


@pytest.mark.parametrize("widths", [(2, 3), (2, 3, 1), (3, 4, 2, 2)])
def test_it_is_that_of_the_theory_to_rounding(widths: tuple[int, ...]) -> None:
    model, x = relu_network(len(widths), *widths), np.random.default_rng(0).standard_normal((2, widths[0]))
    sizes = [0.1 * (i + 1) for i in range(len(widths) - 1)]
    found = perturbation_bound(model, x, sizes)
    assert found.squares == pytest.approx([exact_bound(matrices(model), row, sizes) for row in x], rel=1e-9)
    assert found.mean == pytest.approx(expected_sharpness_bound(matrices(model), x, sizes), rel=1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_at_least_what_draws_of_the_noise_give(seed: int, sigma: float) -> None:
    model = relu_network(seed, 3, 6, 5, 2)
    x = torch.from_numpy(np.random.default_rng(seed).standard_normal((5, 3)))
    layers = [torch.from_numpy(matrix) for matrix in matrices(model)]
    generator = torch.Generator().manual_seed(seed)
    n, h = 4000, x.expand(4000, *x.shape)
    for place, matrix in enumerate(layers):
        noisy = matrix + sigma * torch.randn((n, *matrix.shape), generator=generator, dtype=torch.float64)
        h = h @ noisy.transpose(1, 2)
        h = h if place == len(layers) - 1 else torch.relu(h)
    squares = ((h - model(x)) ** 2).sum(dim=2).detach()
    error = squares.std(dim=0) / np.sqrt(n)
    bound = perturbation_bound(model, x, sigma).squares
    assert np.all((squares.mean(dim=0) - 4 * error).numpy() <= bound)
    assert np.all(bound > 0)


def test_one_layer_has_it_exactly() -> None:
    # E|U x|^2 = s^2 h |x|^2
    found = perturbation_bound(relu_network(0, 2, 3), [[3.0, 4.0]], 0.5)
    assert found.squares == pytest.approx([0.25 * 3 * 25])


def test_functions_and_flattening_are_taken() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(4, 3, bias=False), nn.Linear(3, 2, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = torch.relu(self.first(torch.flatten(x, 1)))
            outputs: torch.Tensor = self.last(hidden)
            return outputs

    model = Flat().double().eval()
    plain = nn.Sequential(model.first, nn.ReLU(), model.last)
    x = torch.ones(2, 1, 2, 2, dtype=torch.float64)
    assert perturbation_bound(model, x, 0.1).squares == pytest.approx(
        perturbation_bound(plain, x.flatten(1), 0.1).squares
    )


LINEAR = nn.Linear(2, 2, bias=False)


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ([nn.Linear(2, 2)], "Linear '0' with a bias"),
        ([LINEAR, nn.Tanh(), nn.Linear(2, 2, bias=False)], "Tanh '1'"),
        ([LINEAR, nn.Linear(2, 2, bias=False)], "Linear '1'"),
        ([nn.ReLU(), LINEAR], "ReLU '0'"),
        ([LINEAR, nn.ReLU()], "another end"),
        ([nn.Conv1d(2, 2, 1, bias=False), nn.ReLU()], "Conv1d '0'"),
    ],
    ids=["bias", "tanh", "two linear", "relu first", "relu last", "convolution"],
)  # fmt: skip
def test_other_networks_are_named(layers: list[nn.Module], named: str) -> None:
    x = torch.ones(2, 2, 1) if isinstance(layers[0], nn.Conv1d) else torch.ones(2, 2)
    with pytest.raises(UnsupportedLayerError, match=f"for B17 to say anything, got {named}"):
        perturbation_bound(nn.Sequential(*layers).eval(), x, 0.1)


def test_a_skip_is_refused() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(2, 2, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.first(x) + x
            return outputs

    with pytest.raises(UnsupportedLayerError, match="for B17 to say anything, got the function add"):
        perturbation_bound(Skip().eval(), torch.ones(2, 2), 0.1)


def test_a_weight_that_is_used_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="model must use each weight once"):
        perturbation_bound(nn.Sequential(LINEAR, nn.ReLU(), LINEAR).eval(), torch.ones(2, 2), 0.1)


@pytest.mark.parametrize(
    ("std", "message"),
    [(-0.1, "std must be finite and at least 0, got -0.1"), ([0.1], "std must be one a layer, 2, got 1")],
    ids=["negative", "one"],
)
def test_deviations_that_are_none_are_refused(std: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        perturbation_bound(relu_network(0, 2, 3, 1), np.ones((1, 2)), std)
