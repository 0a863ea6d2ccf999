from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.networks import TwoLayerReLU, glorot_network, initialise
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights
from theory.volhejn2020 import initialization_limit

EPS = float(np.finfo(np.float64).eps)


def output_size(weights: Weights, x: np.ndarray) -> float:
    """Return sum_i |w2_i| (|w1_i x| + |b1_i|) + |b2| at its largest: rounding errors are a few eps k of it."""
    units = np.abs(np.multiply.outer(x, weights.w1)) + np.abs(weights.b1)
    return float(np.max(units @ np.abs(weights.w2))) + abs(float(weights.b2))


@settings(deadline=None, max_examples=50)
@given(width=st.integers(1, 40), seed=st.integers(0, 10_000))
def test_forward_is_the_function_of_the_weights(width: int, seed: int) -> None:
    weights = initialise(width, seed=seed)
    x = np.linspace(-2, 2, 9)
    outputs = TwoLayerReLU.from_weights(weights)(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(outputs, weights(x), rtol=0, atol=4 * (width + 2) * EPS * output_size(weights, x))


def test_scalars_and_columns_give_the_same_outputs() -> None:
    network = TwoLayerReLU(5)
    x = torch.linspace(-1, 1, 7, dtype=torch.float64)
    assert network(x).shape == (7,)
    assert network(x[:, None]).shape == (7, 1)
    assert torch.equal(network(x), network(x[:, None])[:, 0])


def test_forward_of_several_inputs_matches_the_formula() -> None:
    network = TwoLayerReLU(6, 3)
    x = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(4, 3)
    w1, b1, w2, b2 = (parameter.detach().numpy() for parameter in network.parameters())
    expected = [sum(w2[0, i] * max(w1[i] @ row + b1[i], 0.0) for i in range(6)) + b2[0] for row in x.numpy()]
    assert network(x).shape == (4, 1)
    np.testing.assert_allclose(network(x).detach().numpy()[:, 0], expected, rtol=0, atol=100 * EPS)


@settings(deadline=None, max_examples=50)
@given(width=st.integers(0, 20), seed=st.integers(0, 10_000))
def test_weights_survive_the_way_there_and_back(width: int, seed: int) -> None:
    drawn = np.random.default_rng(seed).normal(size=3 * width + 1)
    weights = Weights(drawn[:width], drawn[width : 2 * width], drawn[2 * width : -1], drawn[-1])
    np.testing.assert_array_equal(TwoLayerReLU.from_weights(weights).weights().vector, weights.vector)


def test_weights_are_a_copy() -> None:
    network = TwoLayerReLU(3)
    weights = network.weights()
    before = weights.vector.copy()
    with torch.no_grad():
        network.hidden.weight.add_(1.0)
    np.testing.assert_array_equal(weights.vector, before)


def test_exact_weights_are_rounded_to_the_nearest_floats() -> None:
    third = Fraction(1, 3)
    weights = TwoLayerReLU.from_weights(
        Weights(np.array([third]), np.array([-third]), np.array([third]), third)
    ).weights()
    assert weights.vector.tolist() == [1 / 3, -1 / 3, 1 / 3, 1 / 3]


def test_single_precision_network_keeps_its_dtype() -> None:
    network = TwoLayerReLU.from_weights(initialise(4, seed=0), torch.float32)
    assert network(torch.zeros(2, dtype=torch.float32)).dtype == torch.float32
    assert network.weights().vector.dtype == np.float64


def test_piecewise_linear_is_the_function_of_the_network() -> None:
    network = TwoLayerReLU.from_weights(initialise(10, seed=3))
    x = np.linspace(-3, 3, 50)
    size = output_size(network.weights(), x)
    outputs = network(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(network.piecewise_linear()(x), outputs, rtol=0, atol=200 * EPS * size)


@pytest.mark.parametrize(
    "f",
    [
        PiecewiseLinear.from_weights(Weights(np.zeros(0), np.zeros(0), np.zeros(0), 2.0)),
        PiecewiseLinear.from_weights(Weights(np.array([2.0]), np.array([1.0]), np.array([3.0]), -1.0)),
        PiecewiseLinear.from_weights(Weights(np.array([1.0, -1.0]), np.array([0.5, 0.25]), np.array([2.0, -4.0]), 0.0)),
    ],
    ids=["constant", "one knot", "two knots"],
)
def test_network_of_a_piecewise_linear_function_computes_it(f: PiecewiseLinear) -> None:
    x = np.linspace(-2, 2, 17)
    network = TwoLayerReLU.from_piecewise_linear(f)
    assert network.hidden.out_features == f.to_weights().width
    np.testing.assert_allclose(network(torch.from_numpy(x)).detach().numpy(), f(x), rtol=0, atol=100 * EPS)


MODULES: dict[str, Callable[[], torch.nn.Module]] = {
    "plain": lambda: torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)),
    "float64, no biases": lambda: torch.nn.Sequential(
        torch.nn.Linear(2, 5, bias=False), torch.nn.ReLU(), torch.nn.Linear(5, 1, bias=False)
    ).double(),
    "nested, with what changes nothing": lambda: torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(inplace=True)),
        torch.nn.Identity(),
        torch.nn.Linear(5, 1),
    ),
    "ours": lambda: TwoLayerReLU(5, 2),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_these_layers_is_the_network(name: str) -> None:
    torch.manual_seed(0)
    module = MODULES[name]()
    network = TwoLayerReLU.from_module(module)
    x = torch.randn(7, 2, dtype=network.hidden.weight.dtype)
    with torch.no_grad():
        torch.testing.assert_close(network(x), module(x))
        kept = network.hidden.weight.clone()
        for parameter in module.parameters():
            parameter.mul_(2)
        assert torch.equal(network.hidden.weight, kept)


def doubled(module: torch.nn.Module) -> torch.nn.Module:
    module.register_forward_hook(lambda module, inputs, outputs: 2 * outputs)
    return module


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (torch.nn.Linear(2, 1), r"got Linear\(2, 1\)$"),
        (torch.nn.Sequential(), "got no layer$"),
        (
            torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)),
            r"got Linear\(2, 3\), Tanh, Linear\(3, 1\)$",
        ),
        (
            torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 4)),
            r"Linear with one output, got Linear\(2, 3\), ReLU, Linear\(3, 4\)$",
        ),
        (
            torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(3, 1)),
            "ReLU, Dropout, Linear",
        ),
        (
            doubled(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))),
            r"compute what its layers say, and does not: has it hooks\?$",
        ),
    ],
)
def test_a_module_that_is_no_such_network_is_refused(module: torch.nn.Module, said: str) -> None:
    with pytest.raises(ValueError, match=f"^module must .*{said}"):
        TwoLayerReLU.from_module(module)
    with pytest.raises(TypeError, match=r"^module must be a torch module, got list$"):
        TwoLayerReLU.from_module([module])  # type: ignore[arg-type]


def test_default_initialisation_lies_in_the_bounds_of_torch() -> None:
    network, width = TwoLayerReLU(400), 400
    drawn = initialise(width, seed=0)
    for weights in (network.weights(), drawn):
        for column, limit in ((weights.w1, 1.0), (weights.b1, 1.0), (weights.w2, 1 / 20)):
            largest = np.max(np.abs(column))
            assert 0.95 * limit < largest <= limit  # fails by chance with probability 0.95**400 < 2e-9
        assert 0 < abs(float(weights.b2)) <= 1 / 20


@pytest.mark.parametrize("scale", [0.01, 1.0])
def test_glorot_initialisation_lies_in_its_bounds(scale: float) -> None:
    weights = initialise(400, seed=1, scheme="glorot_uniform", scale=scale)
    limit = np.sqrt(6 * scale / 401)
    for column in (weights.w1, weights.w2):
        assert 0.95 * limit < np.max(np.abs(column)) <= limit
    assert not weights.b1.any()
    assert weights.b2 == 0.0


def test_initialisation_depends_on_the_seed_alone() -> None:
    assert np.array_equal(initialise(8, seed=5).vector, initialise(8, seed=5).vector)
    assert not np.array_equal(initialise(8, seed=5).vector, initialise(8, seed=6).vector)


NETWORK, PLANE = TwoLayerReLU(3), TwoLayerReLU(3, 2)
HALF: Any = 1.5
HE: Any = "he"
NO_WEIGHTS: Any = NETWORK
NO_FUNCTION: Any = 3


@pytest.mark.parametrize("scale", [0.01, 1.0])
def test_glorot_networks_of_any_inputs_lie_in_their_bounds(scale: float) -> None:
    network = glorot_network(300, 50, seed=2, scale=scale)
    for layer, fans in ((network.hidden, (50, 300)), (network.output, (300, 1))):
        limit = initialization_limit(*fans, scale)
        largest = float(layer.weight.detach().abs().max())
        assert 0.95 * limit < largest <= limit * (1 + 1e-6)
        assert bool((layer.bias == 0).all())
    assert network.hidden.weight.dtype == torch.float32
    same, other = (glorot_network(300, 50, seed=seed, scale=scale) for seed in (2, 3))
    assert torch.equal(network.hidden.weight, same.hidden.weight)
    assert not torch.equal(network.hidden.weight, other.hidden.weight)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: TwoLayerReLU(-1), ValueError, "width must be at least 0, got -1"),
        (lambda: TwoLayerReLU(HALF), TypeError, "width must be an integer, got 1.5 of type float"),
        (lambda: TwoLayerReLU(3, 0), ValueError, "in_features must be at least 1, got 0"),
        (
            lambda: TwoLayerReLU(3, dtype=torch.int64),
            ValueError,
            "dtype must be a floating-point type, got torch.int64",
        ),
        (lambda: NETWORK(np.zeros(3)), TypeError, "x must be a torch.Tensor, got ndarray"),
        (
            lambda: NETWORK(torch.zeros(3, dtype=torch.float32)),
            TypeError,
            "x must be of dtype torch.float64 like the network, got torch.float32",
        ),
        (
            lambda: NETWORK(torch.zeros(3, dtype=torch.float64, device="meta")),
            ValueError,
            "x must be on device cpu like the network, got meta",
        ),
        (
            lambda: NETWORK(torch.zeros(3, 2, dtype=torch.float64)),
            ValueError,
            "x must have shape (n, 1) or (n,), got (3, 2)",
        ),
        (lambda: PLANE(torch.zeros(3, dtype=torch.float64)), ValueError, "x must have shape (n, 2), got (3,)"),
        (PLANE.weights, ValueError, "weights() needs a network on one input, got in_features=2"),
        (PLANE.piecewise_linear, ValueError, "piecewise_linear() needs a network on one input, got in_features=2"),
        (
            lambda: TwoLayerReLU.from_weights(NO_WEIGHTS),
            TypeError,
            "weights must be a theory.two_layer.Weights, got TwoLayerReLU",
        ),
        (lambda: TwoLayerReLU.from_piecewise_linear(NO_FUNCTION), TypeError, "f must be a PiecewiseLinear, got int"),
        (lambda: initialise(0, seed=0), ValueError, "width must be at least 1, got 0"),
        (lambda: initialise(3, seed=-1), ValueError, "seed must be at least 0, got -1"),
        (
            lambda: initialise(3, seed=0, scheme=HE),
            ValueError,
            "scheme must be one of 'uniform_fan_in', 'glorot_uniform', got 'he'",
        ),
        (
            lambda: initialise(3, seed=0, scheme="glorot_uniform", scale=0.0),
            ValueError,
            "scale must be finite and above 0, got 0.0",
        ),
        (
            lambda: initialise(3, seed=0, scale=0.5),
            ValueError,
            "scale must be 1 with scheme 'uniform_fan_in', got 0.5",
        ),
    ],
)
def test_wrong_input_is_named(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message
