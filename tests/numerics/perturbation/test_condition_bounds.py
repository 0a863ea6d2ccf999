import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.perturbation import NoiseEffect, Undefined, conditions, noise_effects
from tests.numerics.capacity.networks import dense, drawn
from tests.numerics.perturbation.test_conditions import dead_network, matrices, with_biases_as_weights
from theory.beyond import perturbation_bound
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.neyshabur2017 import fixed_pattern_bound
from theory.neyshabur2017.perturbation import (
    gammas,
    linear_bound,
    mean_square_change,
    theorem_bound,
)

ERRORS = 5
"""So many standard errors two means may be apart: by chance one in 10^6 tests."""

SIGMA = [0.3, 0.1, 0.2]


def at(model: nn.Module, x: Array, sigma: Any = SIGMA, **settings: Any) -> NoiseEffect:
    [found] = noise_effects(model, x[None], sigma, **({"input_norm": None} | settings))
    assert isinstance(found, NoiseEffect)
    return found


def example(seed: int, *, bias: bool = False) -> tuple[nn.Module, Array]:
    return drawn(lambda: dense(3, 5, 4, 2, bias=bias), seed), np.random.default_rng(seed).standard_normal(3)


def instance(model: nn.Module, x: Array, **more: Any) -> Instance:
    layers = tuple(rationals(weight) for weight in matrices(model))
    return Instance({"layers": layers, "point": rationals(x), "sigma": rationals(np.array(SIGMA)), **more}, "named")


def by_weights(layers: list[Array], x: Array, sigma: list[float], draws: int, *, added: bool) -> dict[str, Array]:
    """Return for each draw what noise on every single weight does, one forward pass at a time."""
    generator = np.random.default_rng(0)
    patterns, h = [], x
    for weight in layers:
        patterns.append(weight @ h > 0)
        h = np.maximum(weight @ h, 0)
    f = layers[-1] @ (x if len(layers) == 1 else _hidden(layers, x))
    found: dict[str, list[Any]] = {"fixed": [], "whole": [], "errors": [], "switches": []}
    for _ in range(draws):
        moving = still = x
        errors, switches = [], []
        for i, (weight, s) in enumerate(zip(layers, sigma, strict=True)):
            noise, last = s * generator.standard_normal(weight.shape), i == len(layers) - 1
            if added and not last:
                noise[-1] = 0
            z, fixed = (weight + noise) @ moving, (weight + noise) @ still
            if not last:
                switches.append(int(np.sum((z > 0) != patterns[i])))
            moving, still = (z, fixed) if last else (np.maximum(z, 0), fixed * patterns[i])
            errors.append(np.linalg.norm(moving - still))
        found["fixed"].append(np.linalg.norm(still - f))
        found["whole"].append(np.linalg.norm(moving - f))
        found["errors"].append(errors)
        found["switches"].append(switches)
    return {name: np.array(values) for name, values in found.items()}


def _hidden(layers: list[Array], x: Array) -> Array:
    for weight in layers[:-1]:
        x = np.maximum(weight @ x, 0)
    return x


@pytest.mark.parametrize("bias", [False, True], ids=["without biases", "with biases"])
def test_noise_drawn_for_units_is_as_noise_drawn_for_weights(bias: bool) -> None:
    model, x = example(1, bias=bias)
    layers = with_biases_as_weights(model) if bias else matrices(model)
    slow = by_weights(layers, np.append(x, 1.0) if bias else x, SIGMA, 1500, added=bias)
    found = at(model, x, draws=1500)
    for name, sides in (("fixed", found.lemma_1), ("whole", found.theorem_1), ("errors", found.lemma_2_error)):
        mean, error = slow[name].mean(axis=0), slow[name].std(axis=0, ddof=1) / math.sqrt(1500)
        assert (np.abs(sides.left - mean) <= ERRORS * np.hypot(error, sides.error)).all(), name
    # The quantile lies between those of the slow draws at five standard errors of a share to either side.
    apart = ERRORS * math.sqrt(2 * 0.1 * 0.9 / 1500)
    low, high = (np.quantile(slow["switches"], 0.9 + side * apart, axis=0, method="nearest") for side in (-1, 1))
    assert ((low <= found.lemma_2_switches.left) & (found.lemma_2_switches.left <= high)).all()


@pytest.mark.parametrize("seed", range(1, 5))
def test_bounds_are_those_of_exact_arithmetic(seed: int) -> None:
    model, x = example(seed)
    found, given = at(model, x, draws=2), instance(model, x)
    assert found.root_mean_square**2 == pytest.approx(float(mean_square_change(given)), rel=1e-9)
    assert (found.gammas**2).tolist() == pytest.approx([float(g) for g in gammas(given)], rel=1e-9)
    assert found.lemma_1.right == pytest.approx(float(linear_bound(given, gammas(given)).upper), rel=1e-9)
    assert found.fixed_pattern_bound**2 == pytest.approx(fixed_pattern_bound(matrices(model), x, SIGMA), rel=1e-9)
    exact = theorem_bound(given.but(delta=rationals([0.1])[0], constant=rationals([1])[0]))
    assert found.theorem_1.right == pytest.approx(float(exact.upper), rel=1e-9)
    assert found.unconditional**2 == pytest.approx(perturbation_bound(matrices(model), x, SIGMA), rel=1e-9)


@pytest.mark.parametrize("bias", [False, True], ids=["without biases", "with biases"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_what_is_proved_holds(seed: int, bias: bool) -> None:
    model, x = example(seed, bias=bias)
    found = at(model, x)
    assert found.lemma_1.left - ERRORS * found.lemma_1.error <= found.root_mean_square
    assert found.root_mean_square <= found.fixed_pattern_bound * (1 + 1e-12)
    assert found.root_mean_square <= found.lemma_1.right * (1 + 1e-12)
    assert found.theorem_1.left - ERRORS * found.theorem_1.error <= found.unconditional
    assert (found.lemma_3.left - ERRORS * found.lemma_3.error <= found.lemma_3.right).all()


def test_lemma_3_is_of_each_layer_alone() -> None:
    model, x = example(1)
    for layer in range(3):
        sigma = [s if i == layer else 0.0 for i, s in enumerate(SIGMA)]
        alone, together = at(model, x, sigma, draws=1500), at(model, x, draws=1500)
        # alone, what lemma 1 is about is A nu B, whose second moment is the square of lemma 3's right side
        assert alone.root_mean_square == pytest.approx(together.lemma_3.right[layer], rel=1e-9)
        apart = abs(float(alone.lemma_1.left) - together.lemma_3.left[layer])
        assert apart <= ERRORS * math.hypot(float(alone.lemma_1.error), together.lemma_3.error[layer])


def test_one_unit_and_one_weight_a_layer_is_known() -> None:
    model = dense(1, 1, 1, bias=False).double()
    model[0].weight.data.fill_(2.0)
    model[2].weight.data.fill_(3.0)
    found = at(model, np.array([1.0]), [0.2, 0.3])
    assert (found.mu, found.c2, found.c3) == pytest.approx((1.0, 0.5, 1.0))
    assert [*found.gammas, *found.gammas_of_theorem] == pytest.approx([0.1] * 4)
    assert found.lemma_1.right == pytest.approx(6 * (1.1**2 - 1))
    assert found.root_mean_square == pytest.approx(6 * math.sqrt(1.01**2 - 1))
    spread = 2 * math.sqrt(math.log(2 * 1 / 0.1))
    assert found.lemma_2_switches.right.tolist() == pytest.approx([0.5 * spread * 0.2])
    first, second = 0.1 * 0.5, 0.1 * spread * 0.5
    by_layer = [2 * (1 + first) * second, 6 * (1 + first) ** 2 * ((1 + second) ** 2 - 1)]
    assert found.lemma_2_error.right.tolist() == pytest.approx(by_layer)
    assert found.theorem_1.right == pytest.approx(6 * (1.1**2 - 1) + by_layer[1])
    # a_1 = 0.2, a_2^2 = 9 x 0.04 + 0.09 (2 + 0.2)^2
    assert found.unconditional == pytest.approx(math.sqrt(0.36 + 0.09 * 2.2**2))
    assert found.lemma_2_switches.left.tolist() == [0.0]  # at ten standard deviations no unit switches


def test_without_noise_nothing_moves() -> None:
    model, x = example(1)
    found = at(model, x, 0.0)
    for sides in (found.lemma_1, found.lemma_2_switches, found.lemma_2_error, found.lemma_3, found.theorem_1):
        assert not sides.left.any()
        assert not np.asarray(sides.right).any()
    assert found.root_mean_square == found.fixed_pattern_bound == found.unconditional == 0.0


def test_a_hidden_unit_that_is_given_0_makes_the_bounds_with_c2_infinite() -> None:
    model = dense(2, 2, 1, bias=False).double()
    model[0].weight.data = torch.eye(2, dtype=torch.float64)
    model[2].weight.data.fill_(1.0)
    found = at(model, np.array([1.0, 0.0]), [0.1, 0.0])
    assert found.c2 == math.inf
    assert found.theorem_1.right == math.inf
    assert found.lemma_2_switches.right.tolist() == [math.inf]
    assert found.lemma_2_failures == 0.0
    assert math.isfinite(found.lemma_1.right)
    still = at(model, np.array([1.0, 0.0]), [0.0, 0.1])
    assert math.isfinite(still.lemma_2_error.right[0])


def test_theorem_1_is_seen_to_fail_where_weights_into_inactive_units_are_large() -> None:
    # The witness of N18.
    model = dense(2, 2, 1, bias=False).double()
    model[0].weight.data = torch.tensor([[1.0, 0.0], [-1.0, 1000.0]], dtype=torch.float64)
    model[2].weight.data = torch.tensor([[100.0, 0.0]], dtype=torch.float64)
    found = at(model, np.array([1.0, 0.0]), 0.01)
    assert found.theorem_1.left - ERRORS * found.theorem_1.error > found.theorem_1.right
    assert found.root_mean_square <= found.lemma_1.right


def test_points_whose_outputs_are_0_have_no_bounds() -> None:
    x = np.array([[1.0], [-1.0]])
    first, second = noise_effects(dead_network(), x, 0.1)
    assert isinstance(first, Undefined)
    assert first.reason.startswith("the outputs at the point are all 0")
    assert isinstance(second, Undefined)


def test_draws_depend_on_the_seed_alone() -> None:
    model, x = example(1)
    first, again, other = (at(model, x, draws=50, seed=seed) for seed in (1, 1, 2))
    assert first.theorem_1.left == again.theorem_1.left
    assert first.theorem_1.left != other.theorem_1.left


def test_constants_are_those_of_the_conditions() -> None:
    model, x = example(2)
    found, expected = at(model, x, draws=2, input_norm=2.0), conditions(model, x[None], input_norm=2.0)
    assert isinstance(expected.mu, float)
    assert (found.mu, found.c2, found.c3) == (min(1.0, expected.mu), expected.least_c2, expected.c3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"sigma": [0.1, 0.1]},
            "standard_deviations must be one number or one for each of the 3 layers, got 2 of them",
        ),
        ({"sigma": -0.1}, "standard_deviations must be"),
        ({"delta": 0.0}, "delta must be finite and above 0, got 0.0"),
        ({"delta": 1.5}, "delta must be at most 1, got 1.5"),
        ({"draws": 1}, "draws must be at least 2, got 1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
    ids=["too few deviations", "a negative one", "delta 0", "delta above 1", "one draw", "a negative seed"],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    model, x = example(1)
    with pytest.raises(ValueError, match=f"^{message}"):
        at(model, x, **settings)
