import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from numerics.capacity import fold_batch_norm
from numerics.pac_bayes import (
    PRIOR_DEVIATIONS,
    AssumptionError,
    divergence_as_printed,
    divergence_from_prior,
)
from numerics.perturbation import weight_scaled_std
from theory.neyshabur2017 import gaussian_divergence
from theory.neyshabur2017.pac_bayes import half_squares


def network(seed: int) -> nn.Sequential:
    """Return a small network in float64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double().eval()


def flat(model: nn.Module) -> Any:
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().numpy()


def drawn_deviations(model: nn.Module, seed: int, scale: float = 1.0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: scale * torch.exp(torch.randn(p.shape, generator=generator, dtype=torch.float64))
        for name, p in model.named_parameters()
    }


def end_to_end(deviations: dict[str, torch.Tensor]) -> Any:
    return torch.cat([one.reshape(-1) for one in deviations.values()]).numpy()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("prior", [0.01, 0.3, 4.0])
def test_it_is_the_divergence_weight_by_weight_rounded_up(seed: int, prior: float) -> None:
    model, start = network(seed), network(seed + 100)
    deviations = drawn_deviations(model, seed)
    found = divergence_from_prior(model, deviations, prior, start=start)
    exact = gaussian_divergence(flat(model) - flat(start), end_to_end(deviations), prior)
    assert exact * (1 - 1e-15) <= found.value <= exact * (1 + 1e-12)
    assert (found.prior_deviation, found.priors, found.failing) == (prior, 1, "")


@pytest.mark.parametrize("deviation", [0.01, 0.5, 2.0])
def test_with_one_deviation_around_0_it_is_the_term_of_eq_8(deviation: float) -> None:
    model = network(0)
    expected = float((flat(model) ** 2).sum()) / (2 * deviation**2)
    assert divergence_from_prior(model, deviation, deviation).value == pytest.approx(expected, rel=1e-12)


def test_it_is_0_at_the_prior() -> None:
    model = network(0)
    assert 0 <= divergence_from_prior(model, 0.5, 0.5, start=model).value < 1e-12


@pytest.mark.parametrize("scale", [1e-3, 0.1, 1.0, 30.0])
def test_the_nearest_of_a_list_of_priors_is_found(scale: float) -> None:
    model = network(1)
    choices = [0.001, 0.01, 0.05, 0.2, 0.7, 3.0, 20.0]
    deviations = drawn_deviations(model, 0, scale)
    found = divergence_from_prior(model, deviations, choices)
    one_by_one = [divergence_from_prior(model, deviations, p).value for p in choices]
    assert found.value == min(one_by_one)
    assert found.prior_deviation == choices[int(np.argmin(one_by_one))]
    assert found.priors == len(choices)


def test_the_priors_are_401_unless_told() -> None:
    assert divergence_from_prior(network(0), 0.1).priors == len(PRIOR_DEVIATIONS) == 401


@pytest.mark.parametrize("seed", range(3))
def test_as_printed_it_is_that_from_the_deviations_of_the_perturbation(seed: int) -> None:
    model = network(seed)
    deviations = weight_scaled_std(model, 0.3)
    exact = float(half_squares(flat(model), end_to_end(deviations)))
    halved, whole = (divergence_as_printed(model, deviations, half=half) for half in (True, False))
    assert halved.value == pytest.approx(exact, rel=1e-12)
    assert whole.value == 2 * halved.value


def test_with_the_deviations_of_the_perturbation_it_says_that_the_prior_depends_on_the_weights() -> None:
    model = network(0)
    assert "those of the perturbation" in divergence_as_printed(model, weight_scaled_std(model, 0.3)).failing
    assert divergence_as_printed(model, 0.3).failing == ""
    assert divergence_as_printed(model, drawn_deviations(model, 0), fixed=True).failing == ""
    assert "twice a divergence" in divergence_as_printed(model, 0.3, half=False).failing


def test_shared_weights_count_once() -> None:
    layer = nn.Linear(2, 2, bias=False, dtype=torch.float64)
    twice = nn.Sequential(layer, nn.ReLU(), layer).eval()
    once = divergence_from_prior(layer, 0.1, 0.1)
    assert divergence_from_prior(twice, 0.1, 0.1) == once


def test_statistics_of_batch_norm_are_refused_by_name_and_folded_ones_are_not() -> None:
    start = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)).double().eval()
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)).double().eval()
    model.get_buffer("1.running_mean").fill_(0.5)
    with pytest.raises(
        AssumptionError, match=r"the prior does not depend on the training set, got a buffer '1.running_"
    ):
        divergence_from_prior(model, 0.1, start=start)
    assert divergence_from_prior(fold_batch_norm(model), 0.1, start=fold_batch_norm(start)).value > 0


ONES = dict.fromkeys(("0.weight", "0.bias", "2.weight", "2.bias"), 1.0)


@pytest.mark.parametrize(
    ("std", "priors", "error", "message"),
    [
        (0.0, 1.0, ValueError, "std must be finite and above 0, got 0.0"),
        (-1.0, 1.0, ValueError, "std must be finite and above 0, got -1.0"),
        (math.nan, 1.0, ValueError, "std must be finite"),
        ("1", 1.0, TypeError, "std must be a real number"),
        ([1.0, 2.0], 1.0, TypeError, "std must be a real number"),
        ({"0.weight": 1.0}, 1.0, ValueError, "std must have an entry for each parameter that requires a gradient"),
        ({**ONES, "0.bias": [1.0, 0.0, 1.0, 1.0]}, 1.0, ValueError, r"std\['0.bias'\] must be above 0, got 0.0"),
        (1.0, 0.0, ValueError, "prior_deviations must be finite and above 0, got 0.0"),
        (1.0, [], ValueError, "prior_deviations must hold at least 1 number, got 0"),
        (1.0, [0.1, 0.1], ValueError, "prior_deviations must be different numbers"),
        (1.0, None, TypeError, "prior_deviations"),
    ],
    ids=["zero", "negative", "nan", "text", "list", "one name", "one zero", "prior of 0", "no prior", "a prior twice", "none"],
)  # fmt: skip
def test_deviations_that_are_none_are_refused(std: Any, priors: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        divergence_from_prior(network(0), std, priors)


def test_a_start_of_another_shape_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"start must have the parameters of model, got \(4, 2\) for 0.weight, \(4, 3\)"
    ):
        divergence_from_prior(network(0), 0.1, start=nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)))


def test_frozen_parameters_count_for_nothing_where_they_are_those_of_the_start() -> None:
    model, start = network(0), network(0)
    last, first = model.get_parameter("2.weight"), start.get_parameter("0.weight")
    last.data += 1
    for one in (model, start):
        one[0].requires_grad_(False)
    assert divergence_from_prior(model, 0.5, 0.5, start=start).value == pytest.approx(8 / (2 * 0.25))
    first.data += 1
    with pytest.raises(
        AssumptionError, match=r"the prior does not depend on the training set, got a parameter '0\.weight'"
    ):
        divergence_from_prior(model, 0.5, 0.5, start=start)


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="model must have parameters"):
        divergence_from_prior(nn.ReLU(), 0.1)
