import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from theory.checks import Array, rationals
from theory.claim import AssumptionError, Ruling
from theory.dherin2022 import geometric_complexity_bound, transfer_bound
from theory.dherin2022.transfer import D10, D10A, D22

NETWORKS = 750
"""Of each architecture, four of them."""

Activation = tuple[Callable[[Array], Array], Callable[[Array], Array]]

RELU: Activation = (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float))
TANH: Activation = (np.tanh, lambda z: 1 - np.tanh(z) ** 2)
LINEAR: Activation = (lambda z: z, np.ones_like)
LEAKY: Activation = (lambda z: np.where(z > 0, z, z / 10), lambda z: np.where(z > 0, 1.0, 0.1))

ARCHITECTURES: dict[str, tuple[Activation, Callable[[Any], list[int]]]] = {
    "deep ReLU": (RELU, lambda rng: [*rng.integers(2, 7, size=5)]),
    "wide tanh": (TANH, lambda rng: [int(rng.integers(1, 5)), 40, int(rng.integers(1, 5))]),
    "linear bottleneck": (LINEAR, lambda rng: [6, 1, int(rng.integers(1, 6))]),
    "one unit a layer": (LEAKY, lambda rng: [1] * int(rng.integers(2, 6))),
}


def both_sides(
    activation: Activation, weights: list[Array], biases: list[Array], x: Array
) -> tuple[float, float, list[list[float]]]:
    """Return ||grad_x f||_F^2, ||grad_theta f||_F^2 and what the transfer functions are made of, in floats."""
    phi, slope = activation
    inputs, befores, slopes = [x], [np.eye(len(x))], []
    for w, b in zip(weights[:-1], biases[:-1], strict=True):
        z = w @ inputs[-1] + b
        slopes.append(slope(z))
        inputs.append(phi(z))
        befores.append(slopes[-1][:, None] * (w @ befores[-1]))
    jacobian = weights[-1] @ befores[-1]
    after, gradient = np.eye(len(weights[-1])), 0.0
    for index in range(len(weights) - 1, -1, -1):
        for row in after:  # of the weights an outer product, of the biases the row itself
            gradient += float(np.sum(np.outer(row, inputs[index]) ** 2) + np.sum(row**2))
        if index:
            after = (after @ weights[index]) * slopes[index - 1]
    parts = [
        [float(h @ h) for h in inputs],
        [float(np.linalg.norm(w, 2) ** 2) for w in weights],
        [float(np.linalg.norm(before, 2) ** 2) for before in befores],
    ]
    return float(np.sum(jacobian**2)), gradient, parts


def drawn(name: str, seed: int) -> tuple[Activation, list[Array], list[Array], Array]:
    activation, sizes = ARCHITECTURES[name]
    rng = np.random.default_rng([seed, *map(ord, name)])
    widths = sizes(rng)
    weights = [rng.normal(size=(m, n)) for n, m in pairwise(widths)]
    return activation, weights, [rng.normal(size=len(w)) for w in weights], rng.normal(size=widths[0])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_theorem_5_1_on_random_networks(name: str) -> None:
    # 3,000 networks in all; a unit that is off everywhere leaves h' = 0, of which the theorem does not speak.
    ratios = []
    for seed in range(NETWORKS):
        activation, weights, biases, x = drawn(name, seed)
        jacobian, gradient, parts = both_sides(activation, weights, biases, x)
        if min(parts[2]) == 0:
            continue
        sharp = transfer_bound(gradient, *parts)
        printed = transfer_bound(gradient, *parts, smaller_side=min(len(x), len(weights[-1])))
        assert jacobian <= sharp * (1 + 1e-9), seed
        assert sharp <= printed, seed
        ratios.append(jacobian / sharp)
    assert len(ratios) > NETWORKS / 2
    if name == "one unit a layer":  # which attains it, whatever the weights
        assert min(ratios) > 1 - 1e-9


def test_shared_weights_defeat_the_theorem() -> None:
    # f(x) = w (w x + b) + b at w = -1, b = 2 x, x = 1: f' = 1, and both derivatives in the weights are 0.
    layer = (rationals([[-1]]), rationals([2]))
    given = {"dense_layers": (layer, layer), "leak": Fraction(0), "x": rationals([1]), "tied": True}
    verdict = D10.evaluate(given)
    assert verdict.ruling is Ruling.VIOLATED
    assert verdict.lhs is not None
    assert verdict.rhs is not None
    assert (verdict.lhs.upper, verdict.rhs.upper) == (1, 0)
    assert D10A.evaluate(given).failed == "each layer has weights of its own"
    assert D10A.evaluate({**given, "tied": False}).ruling is Ruling.HOLDS


def test_a_steep_interpolant_has_no_loss_gradient() -> None:
    assert D22.witness is not None
    for slope in (1, 100):
        steep = ((rationals([[slope]]), rationals([0])),)
        given = D22.witness.but(layers=steep, targets=D22.witness["inputs"] * slope)
        assert D22.evaluate(given).ruling is Ruling.VIOLATED


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (
        lambda: transfer_bound(1.0, [], [], []),
        ValueError,
        "squared_inputs must hold one number for each layer, got none",
    ),
    (
        lambda: transfer_bound(1.0, [1.0], [1.0, 1.0], [1.0]),
        ValueError,
        "squared_weights must hold one number for each of 1 layers, got 2",
    ),
    (
        lambda: transfer_bound(-1.0, [1.0], [1.0], [1.0]),
        ValueError,
        "squared_gradient must be finite and at least 0, got -1",
    ),
    (lambda: transfer_bound(1.0, [-1.0], [1.0], [1.0]), ValueError, "squared_inputs must be at least 0, got -1.0"),
    (
        lambda: transfer_bound(1.0, [1.0], [1.0], [0.0]),
        AssumptionError,
        "D10.a does not apply: it assumes sigma_max(W_i) > 0",
    ),
    (lambda: transfer_bound(1.0, [1.0], [1.0], [1.0], 0), ValueError, "smaller_side must be at least 1, got 0"),
    (
        lambda: geometric_complexity_bound([], []),
        ValueError,
        "squared_gradients must hold one number for each point, got none",
    ),
    (lambda: geometric_complexity_bound([-1.0], [1.0]), ValueError, "squared_gradients must be at least 0, got -1.0"),
    (
        lambda: geometric_complexity_bound([1.0], [1.0, 1.0]),
        ValueError,
        "transfers must hold one number for each of 1 points, got 2",
    ),
    (
        lambda: geometric_complexity_bound([1.0], [0.0]),
        AssumptionError,
        "D10.b does not apply: it assumes sum_i T_i^2 > 0 at each point, got 0.0",
    ),
]


@pytest.mark.parametrize(("call", "error", "words"), ERRORS, ids=[words for *_, words in ERRORS])
def test_bad_input_is_named(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        call()
