import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from numerics.geometric_complexity import arc_length, dirichlet_energy, theoretical_geometric_complexity
from numerics.networks import TwoLayerReLU, glorot_network
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

number = st.builds(Fraction, st.integers(-8, 8), st.just(2))


def deep(*widths: int, seed: int = 0) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).double()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.from_numpy(np.asarray(rng.standard_normal(tuple(parameter.shape)))))
    return model


@given(
    knots=st.lists(number, max_size=5, unique=True), jumps=st.lists(number, min_size=5, max_size=5), slope=number, a=number,
    width=st.integers(1, 9),
)  # fmt: skip
@settings(deadline=None)
def test_the_energy_is_the_sum_over_cells_exactly(
    knots: list[Fraction], jumps: list[Fraction], slope: Fraction, a: Fraction, width: int
) -> None:
    f, b = PiecewiseLinear(knots, jumps[: len(knots)], slope, Fraction(1)), a + width
    stops = sorted({a, b, *(knot for knot in knots if a < knot < b)})
    rises = [(q - p, (f(q) - f(p)) / (q - p)) for p, q in pairwise(stops)]
    assert dirichlet_energy(f, a, b) == sum(n * s**2 for n, s in rises) / 2
    length = math.fsum(float(n) * math.sqrt(1 + s**2) for n, s in rises)
    assert arc_length(f, a, b) == pytest.approx(length, rel=1e-14)


def test_the_arc_length_of_a_right_triangle_is_exact() -> None:
    assert arc_length(PiecewiseLinear([Fraction(3)], [Fraction(-8, 3)], Fraction(4, 3), 0), 0, 6) == 10


@pytest.mark.parametrize("widths", [(1, 7, 1), (1, 6, 5, 1), (1, 5, 5, 5, 3), (1, 2)])
def test_a_network_is_as_its_function_at_many_points(widths: tuple[int, ...]) -> None:
    model = deep(*widths)
    t = np.linspace(-1, 2, 300_001)
    with torch.no_grad():
        rises = np.diff(model(torch.from_numpy(t)[:, None]).numpy(), axis=0)
    step = t[1] - t[0]
    squares = (rises**2).sum(axis=1) / step**2
    assert dirichlet_energy(model, -1, 2) == pytest.approx(squares.sum() * step / 2, rel=1e-4)
    assert arc_length(model, -1, 2) == pytest.approx(np.sqrt(1 + squares).sum() * step, rel=1e-4)


def test_all_ways_to_give_a_network_agree() -> None:
    network = glorot_network(9, in_features=1, seed=0).double()
    with torch.no_grad():
        network.hidden.bias.copy_(torch.linspace(-1, 1, 9))
    layers = nn.Sequential(network.hidden, nn.ReLU(), network.output)
    weights = network.weights()
    energies = [dirichlet_energy(f, -1, 1) for f in (network, layers, weights, PiecewiseLinear.from_weights(weights))]
    assert energies == pytest.approx([energies[0]] * 4, rel=1e-12)


def test_the_energy_is_twice_the_complexity_of_a_uniform_density() -> None:
    model = deep(1, 6, 5, 1)
    uniform = theoretical_geometric_complexity(model, lambda t: (t + 1) / 3, -1, 2)
    assert uniform == pytest.approx(2 * float(dirichlet_energy(model, -1, 2)) / 3, rel=1e-12)


def test_the_complexity_for_a_density_on_the_line() -> None:
    bent = PiecewiseLinear([0.0, 1.0], [3.0, -1.0], slope=-1.0, value=0.0)
    found = theoretical_geometric_complexity(bent, lambda t: 0.5 * (1 + math.erf(t / math.sqrt(2))))
    above = 0.5 * (1 - math.erf(1 / math.sqrt(2)))
    assert found == pytest.approx(0.5 * 1 + (0.5 - above) * 4 + above * 1, rel=1e-14)


@pytest.mark.parametrize(
    ("f", "a", "b", "error", "message"),
    [
        (lambda t: t, 0, 1, TypeError, "f must be a PiecewiseLinear"),
        (TwoLayerReLU(3, 2), 0, 1, ValueError, "must have one input, got 2"),
        (nn.Sequential(nn.Linear(2, 1)), 0, 1, ValueError, "f must have one input, got 2 into Linear '0'"),
        (nn.Sequential(nn.Linear(1, 1), nn.Tanh()), 0, 1, ValueError, "got Tanh '1'"),
        (Weights([1.0], [0.0], [1.0], 0.0), 1, 1, ValueError, "a must be below b"),
        (Weights([1.0], [0.0], [1.0], 0.0), -math.inf, 1, ValueError, "a must hold finite numbers"),
        (Weights([1.0], [0.0], [1.0], 0.0), 0, "1", TypeError, "b must hold real numbers"),
    ],
    ids=["function", "two inputs", "two inputs to layers", "tanh", "no interval", "infinite", "no number"],
)
@pytest.mark.parametrize("measure", [dirichlet_energy, arc_length])
def test_bad_input_is_named(measure: Any, f: Any, a: Any, b: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        measure(f, a, b)


def test_what_is_no_distribution_function_is_named() -> None:
    f = PiecewiseLinear([0.0], [1.0], 0.0, 0.0)
    for wrong in (lambda t: 0.5, lambda t: float(t < 0), lambda t: 0.0):
        with pytest.raises(ValueError, match="cumulative must grow from 0"):
            theoretical_geometric_complexity(f, wrong)
    with pytest.raises(ValueError, match="must be finite for a Sequential"):
        theoretical_geometric_complexity(deep(1, 2, 1), lambda t: 0.5)
