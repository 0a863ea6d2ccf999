import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from numerics.stability import sharpness, strong_stability_threshold
from theory.checks import Array, rationals
from theory.general_position import lengthening, step_in_mode
from theory.switching import mode_features, modes
from theory.two_layer import Weights


def toggling(seed: int, n: int, units: int, *, opposed: bool = False) -> tuple[Weights, Array]:
    """Draw units with knots on the data; opposed ones on one point with output weights of both signs."""
    rng = np.random.default_rng(seed)
    x = rationals(np.sort(rng.choice(np.arange(-30, 31), n, replace=False))) / 8
    w1, size = rationals(rng.choice([-3, -2, -1, 1, 2, 3], units)), rationals(rng.choice([1, 2, 3, 8, 20], units))
    places = np.full(units, rng.integers(0, n)) if opposed else rng.integers(0, n, units)
    signs = rationals([(-1) ** i for i in range(units)]) if opposed else rationals(rng.choice([-1, 1], units))
    return Weights(w1, -w1 * x[places], signs * size, Fraction(0)), x


def step(weights: Weights, x: Array, v: Array, step_size: float) -> Array:
    """Take a step of gradient descent on the linearised loss, in the mode that theta + v lies in."""
    k = weights.width
    shifts = np.multiply.outer(x.astype(float), v[:k]) + v[k : 2 * k]
    z = weights.pre_activations(x)
    features = mode_features(weights, x, (z > 0) | ((z == 0) & (shifts > 0))).astype(float)
    return np.asarray(v - step_size / len(x) * features.T @ (features @ v))


@pytest.mark.parametrize("seed", range(30))
def test_no_step_is_longer_below_and_one_is_above(seed: int) -> None:
    n = 1 + seed % 8
    weights, x = toggling(seed, n, 1 + seed % 3, opposed=seed % 2 == 0)
    found = strong_stability_threshold(weights, x)
    assert 0 < found.lower <= found.value <= found.upper <= found.value * (1 + 1e-7)
    rng = np.random.default_rng(seed)
    for v in [found.direction, *rng.standard_normal((200, 3 * weights.width + 1))]:
        near = v if v is found.direction else found.direction + rng.choice([0.01, 0.3, 10]) * v
        assert np.linalg.norm(step(weights, x, near, found.value * (1 - 1e-6))) <= np.linalg.norm(near)
    longer = step(weights, x, found.direction, found.upper * (1 + 1e-9))
    assert np.linalg.norm(longer) > np.linalg.norm(found.direction) * (1 - 1e-12)
    assert 2 / lengthening(weights, x, rationals(found.direction)) <= found.upper


@pytest.mark.parametrize("seed", range(30))
def test_in_general_position_it_is_the_stability_of_all_modes(seed: int) -> None:
    weights, x = toggling(seed, 1 + seed % 4, 2 + seed % 2)
    ones = rationals([1] * len(x))
    general = all(step_in_mode(weights, x, mode, ones) is not None for mode in modes(weights, x))
    found = strong_stability_threshold(weights, x)
    assert not general or found.value == pytest.approx(found.lower, rel=1e-9)


def test_outside_general_position_a_minimum_can_be_strongly_stable_beyond_its_sharpest_mode() -> None:
    gains = []
    for seed in range(40):
        found = strong_stability_threshold(*toggling(seed, 10, 2, opposed=True))
        gains.append(found.value / found.lower)
        assert found.upper / found.value < 1 + 1e-7
    assert max(gains) > 1 + 1e-4


def test_without_toggling_units_it_is_the_edge_of_stability() -> None:
    weights = Weights([1.0, -2.0], [0.25, 0.5], [1.5, -1.0], 0.0)
    x = np.array([-1.0, 0.0, 1.0, 2.0])
    found = strong_stability_threshold(weights, x)
    assert found.value == pytest.approx(2 / sharpness(weights, x), rel=1e-12)
    assert found.mode.shape == (4, 2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((Weights([0.0], [0.0], [1.0], 0.0), [1.0]), ValueError, "no unit with w1 = b1 = 0, got 1"),
        ((Weights([1.0] * 7, [-1.0] * 7, [1.0] * 7, 0.0), [1.0]), ValueError, "at most 6 ways, got 7"),
        ((Weights([1.0], [0.0], [1.0], 0.0), [1.0, 1.0]), ValueError, "distinct points"),
        (("weights", [1.0]), TypeError, "must be Weights"),
    ],
)
def test_arguments_that_cannot_be_meant(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        strong_stability_threshold(*arguments)
