from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.pac_bayes import (
    AssumptionError,
    bicriteria_curve,
    divergence_as_printed,
    divergence_from_prior,
    expected_loss,
    kl_bound,
    network_bounds,
)
from numerics.perturbation import expected_sharpness, weight_scaled_std
from theory.neyshabur2017 import mcallester_bound as exact_mcallester


def classifier() -> tuple[nn.Module, nn.Module, torch.Tensor, torch.Tensor]:
    """Return a linear classifier before and after it has learned, and its data: the larger coordinate is the label."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2000, 2)))
    start, model = (nn.Linear(2, 2, dtype=torch.float64).eval() for _ in range(2))
    for one, size in ((start, 0.01), (model, 3.0)):
        one.weight.data.copy_(size * torch.eye(2))
        one.bias.data.zero_()
    return start, model, x, x.argmax(dim=1)


def test_bounds_are_those_of_its_parts() -> None:
    start, model, x, y = classifier()
    noises: list[Any] = [0.1, weight_scaled_std(model, 0.02)]
    found = network_bounds(model, x, y, noises, start=start, draws=60, seed=5, delta=0.1)
    for noise, one in zip(noises, found.noises, strict=True):
        expected = expected_loss(model, x, y, noise, draws=60, seed=5, choices=2)
        nearest = divergence_from_prior(model, noise, start=start)
        assert np.array_equal(one.expected.draws, expected.draws)
        assert one.divergence == nearest
        assert one.kl == kl_bound(expected, nearest, delta=0.1)
        printed = divergence_as_printed(model, noise).value
        assert one.printed.value == exact_mcallester(expected.value, printed, len(x), 0.1)


def test_the_best_is_the_least_valid_bound_and_says_something() -> None:
    start, model, x, y = classifier()
    found = network_bounds(model, x, y, [0.1, 10.0], start=start, draws=200)
    assert found.best is found.noises[0]
    assert found.best.kl.value < 0.15
    assert found.best.kl.value < found.best.mcallester.value
    assert found.least_printed.printed.value == min(one.printed.value for one in found.noises)


def test_the_printed_measure_says_why_it_is_no_bound() -> None:
    start, model, x, y = classifier()
    found = network_bounds(model, x, y, [0.3, weight_scaled_std(model, 0.05)], start=start, draws=50)
    drawn = "the expected training loss is known: it is the mean of 50 draws, with no term for chance"
    chosen = "sigma is fixed beforehand: it is one of 2, with no term for the choice"
    assert found.noises[0].printed.failing == (chosen, drawn)
    assert (
        found.noises[1].printed.failing[0].startswith("the prior does not depend on the training set: its standard dev")
    )
    [alone] = network_bounds(model, x, y, [0.3], start=start, draws=50).noises
    assert alone.printed.failing == (drawn,)


def test_a_loss_outside_the_unit_interval_is_refused_by_name() -> None:
    start, model, x, y = classifier()
    with pytest.raises(AssumptionError, match=r"the loss is in \[0, 1\], got cross-entropy"):
        network_bounds(model, x, y, [0.3], start=start, draws=2, loss="cross_entropy")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"std": []}, ValueError, r"std must be a sequence of at least one noise, got \[\]"),
        ({"std": [-1.0]}, ValueError, "std must be finite and above 0, got -1.0"),
        ({"delta": 2.0}, ValueError, "delta must be between 0 and 1, got 2.0"),
        ({"start": nn.Linear(3, 2)}, ValueError, "start must have the parameters of model"),
    ],
    ids=["no noise", "negative", "delta", "start"],
)
def test_bad_input_is_named(change: dict[str, Any], error: type[Exception], message: str) -> None:
    start, model, x, y = classifier()
    given: dict[str, Any] = {"std": [0.1], "start": start, "draws": 2}
    with pytest.raises(error, match=message):
        network_bounds(model, x, y, **{**given, **change})


def test_the_curve_has_the_divergence_of_n20_a_and_the_sharpness_of_the_draws() -> None:
    _, model, x, y = classifier()
    points = bicriteria_curve(model, x, y, [0.01, 0.05, 0.2], draws=40, seed=2)
    for point in points:
        rise = expected_sharpness(model, x, y, std=weight_scaled_std(model, point.alpha), draws=40, seed=2)
        assert (point.sharpness, point.standard_error) == (rise.value, rise.standard_error)
        weights = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        by_hand = float(((weights / (10 * weights.abs() + 1)) ** 2).sum()) / (2 * point.alpha**2)
        assert point.divergence == pytest.approx(by_hand, rel=1e-12)
    assert [p.alpha for p in points] == [0.01, 0.05, 0.2]
    assert sorted(p.sharpness for p in points) == [p.sharpness for p in points]


@pytest.mark.parametrize("alphas", [[], [0.0], [-0.1]], ids=["none", "zero", "negative"])
def test_alphas_that_are_none_are_refused(alphas: list[float]) -> None:
    _, model, x, y = classifier()
    with pytest.raises(ValueError, match="alphas must"):
        bicriteria_curve(model, x, y, alphas, draws=2)
