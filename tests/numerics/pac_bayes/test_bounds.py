import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from numerics.pac_bayes import (
    AssumptionError,
    Divergence,
    ExpectedLoss,
    PacBayesBound,
    divergence_as_printed,
    divergence_from_prior,
    expected_loss,
    kl_bound,
    mcallester_bound,
)
from numerics.perturbation import weight_scaled_std
from theory.beyond import kl_bound as exact_kl
from theory.neyshabur2017 import mcallester_bound as exact_mcallester

Bound = Callable[..., PacBayesBound]


def fifth(*args: Any, **kwargs: Any) -> PacBayesBound:
    return mcallester_bound(*args, equation=5, **kwargs)


BOUNDS = [kl_bound, mcallester_bound, fifth]

losses = st.floats(0, 1)
divergences = st.floats(0, 1e5)
sizes = st.integers(2, 10**6)
deltas = st.floats(1e-6, 0.999)
priors_of = st.integers(1, 1000)


def estimate(n: int = 500, share: float = 0.1, samples: int = 10_000, **changes: Any) -> ExpectedLoss:
    return ExpectedLoss(
        np.full(n, share), 0.05, samples, **{"loss": "zero_one", "smallest": 0.0, "largest": 1.0, **changes}
    )


def test_on_numbers_they_are_those_of_the_theory() -> None:
    assert kl_bound(0.05, 500.0, 60_000, 0.05, priors=100).value == exact_kl(0.05, 500.0, 60_000, 0.05, priors=100)
    assert mcallester_bound(0.05, 500.0, 60_000, 0.05).value == exact_mcallester(0.05, 500.0, 60_000, 0.05)


def test_eq_5_by_hand() -> None:
    k = 2 * (500 + math.log(2 * 60_000 / 0.05)) / 59_999
    assert fifth(0.05, 500.0, 60_000, 0.05).value == pytest.approx(0.05 + math.sqrt(0.05 * k) + k, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(losses, divergences, sizes, deltas, priors_of)
def test_the_kl_form_is_at_most_eq_5_and_that_at_most_eq_6_where_it_says_something(
    loss: float, divergence: float, m: int, delta: float, priors: int
) -> None:
    by_kl, by_5, by_6 = (bound(loss, divergence, m, delta, priors=priors).value for bound in BOUNDS[:1] + BOUNDS[:0:-1])
    assert by_kl <= min(by_5, by_6)
    k = 2 * (divergence + math.log(2 * m * priors / delta)) / (m - 1)
    assert k > 0.999 or by_5 <= by_6


@pytest.mark.parametrize("bound", BOUNDS, ids=["kl", "eq 6", "eq 5"])
@settings(max_examples=8, deadline=None)
@given(losses, divergences, sizes, deltas, priors_of)
def test_they_rise_with_loss_divergence_and_priors_and_fall_with_samples_and_delta(
    bound: Bound, loss: float, divergence: float, m: int, delta: float, priors: int
) -> None:
    value = bound(loss, divergence, m, delta, priors=priors).value
    more = min(1.0, loss * 1.1 + 0.01)
    assert value >= loss
    assert bound(more, divergence, m, delta, priors=priors).value >= value
    assert bound(loss, 1.1 * divergence + 1, m, delta, priors=priors).value >= value
    assert bound(loss, divergence, m, delta, priors=2 * priors).value >= value
    assert bound(loss, divergence, m, delta / 2, priors=priors).value >= value
    assert bound(loss, divergence, 2 * m + 10, delta, priors=priors).value <= value


@pytest.mark.parametrize("bound", BOUNDS, ids=["kl", "eq 6", "eq 5"])
def test_draws_cost_their_share_of_delta_and_an_upper_bound_of_the_mean(bound: Bound) -> None:
    expected = estimate()
    found = bound(expected, 50.0, delta=0.05, draws_share=0.2)
    assert found.expected_training_loss == pytest.approx(expected.upper(0.01), rel=1e-12)
    by_hand = bound(found.expected_training_loss, 50.0, 10_000, 0.04)
    assert found.value == pytest.approx(by_hand.value, rel=1e-12)
    assert found.value > bound(expected.value, 50.0, 10_000, 0.05).value
    assert found.delta == 0.05


def test_a_divergence_brings_its_priors() -> None:
    nearest = Divergence(50.0, 0.1, 30)
    assert kl_bound(0.1, nearest, 1000).value == kl_bound(0.1, 50.0, 1000, priors=30).value
    with pytest.raises(ValueError, match="priors must be the number of those of divergence, 30, got 1"):
        kl_bound(0.1, nearest, 1000, priors=1)


def test_what_it_rests_on_is_listed() -> None:
    found = kl_bound(estimate(choices=3), Divergence(50.0, 0.1, 30))
    assert [(one.name, one.basis) for one in found.assumptions] == [
        ("the loss is in [0, 1]", "holds"),
        ("the draws of the noise are independent, 500 of them", "holds"),
        ("the perturbation is chosen among 3, fixed before the draws", "taken from the caller"),
        (
            "the prior does not depend on the training set: one of 30 priors, fixed beforehand",
            "taken from the caller",
        ),
        (
            "the training data are independent draws of what the new data are drawn of",
            "taken from the caller",
        ),
    ]
    assert found.bounds == "the expected zero_one loss of f_(w+nu) on new data, not that of f_w"
    assert (found.claim, found.samples, found.priors, found.divergence) == ("B19", 10_000, 30, 50.0)
    assert kl_bound(estimate(loss="mine"), 50.0).assumptions[0].basis == "as far as seen"


def test_a_bound_of_1_or_more_is_vacuous() -> None:
    assert kl_bound(0.5, 1e6, 100).vacuous
    assert mcallester_bound(0.5, 1e6, 100).value > 1
    assert not kl_bound(0.1, 1.0, 1000).vacuous


@pytest.mark.parametrize("bound", BOUNDS, ids=["kl", "eq 6", "eq 5"])
@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        (1.5, "1.5"),
        (-0.1, "-0.1"),
        (estimate(loss="cross_entropy"), "cross-entropy"),
        (estimate(loss="mine", largest=2.5), "2.5"),
        (estimate(loss="mine", smallest=-0.5), "-0.5"),
        (estimate(share=1.25), "1.25"),
    ],
    ids=["above", "below", "cross-entropy", "seen above", "seen below", "draws above"],
)
def test_a_loss_outside_the_unit_interval_is_refused_by_name(bound: Bound, loss: Any, shown: str) -> None:
    samples = None if isinstance(loss, ExpectedLoss) else 100
    with pytest.raises(AssumptionError, match=rf"it assumes the loss is in \[0, 1\], got {shown}"):
        bound(loss, 1.0, samples)


@pytest.mark.parametrize("bound", BOUNDS, ids=["kl", "eq 6", "eq 5"])
def test_a_prior_with_the_deviations_of_the_perturbation_is_refused_by_name(bound: Bound) -> None:
    model = nn.Linear(2, 2, dtype=torch.float64)
    printed = divergence_as_printed(model, weight_scaled_std(model, 0.1))
    with pytest.raises(
        AssumptionError, match="it assumes the prior does not depend on the training set, got its stand"
    ):
        bound(0.1, printed, 100)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"samples": None}, ValueError, "samples must be given where the expected loss is a number"),
        ({"samples": 0}, ValueError, "samples must be at least"),
        ({"samples": 10.0}, TypeError, "samples must be an integer"),
        ({"delta": 0.0}, ValueError, "delta must be finite and above 0"),
        ({"delta": 1.0}, ValueError, "delta must be between 0 and 1, got 1.0"),
        ({"divergence": -1.0}, ValueError, "divergence must be finite and at least 0, got -1.0"),
        ({"divergence": math.inf}, ValueError, "divergence must be finite"),
        ({"priors": 0}, ValueError, "priors must be at least 1, got 0"),
        ({"draws_share": 1.0}, ValueError, "draws_share must be between 0 and 1, got 1.0"),
        ({"expected_training_loss": "0.1"}, TypeError, "expected_training_loss must be a real number"),
        ({"expected_training_loss": math.nan}, ValueError, "the loss is in"),
        ({"expected_training_loss": estimate(), "samples": 5}, ValueError, "samples must be the number of data of the exp"),
    ],
    ids=["no m", "m 0", "m", "delta 0", "delta 1", "divergence", "inf", "priors", "share", "text", "nan", "other m"],
)  # fmt: skip
@pytest.mark.parametrize("bound", BOUNDS, ids=["kl", "eq 6", "eq 5"])
def test_bad_input_is_named(bound: Bound, change: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"expected_training_loss": 0.1, "divergence": 1.0, "samples": 100, "delta": 0.05}
    with pytest.raises(error, match=message):
        bound(**{**given, **change})


def test_mcallesters_needs_two_data() -> None:
    with pytest.raises(ValueError, match="samples must be at least 2, got 1"):
        mcallester_bound(0.1, 1.0, 1)
    assert kl_bound(0.1, 1.0, 1).value <= 1


def test_another_equation_is_refused() -> None:
    with pytest.raises(ValueError, match="equation must be 5 or 6, got 7"):
        mcallester_bound(0.1, 1.0, 10, equation=7)  # type: ignore[arg-type]


def test_rationals_are_taken() -> None:
    exact = kl_bound(Fraction(1, 20), Fraction(500), 60_000, Fraction(1, 20))
    assert exact.value == pytest.approx(kl_bound(0.05, 500.0, 60_000, 0.05).value, rel=1e-12)


def test_they_hold_where_every_predictor_has_an_expected_loss_of_a_half() -> None:
    # Labels are fair coins, whatever the inputs: a linear classifier in 30 dimensions learns 40 of them by heart.
    m, d, delta, sigma, repeats = 40, 30, 0.2, 0.3, 20
    failures = {"kl": 0, "eq 6": 0, "without divergence": 0}
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((m, d)), rng.integers(0, 2, m)
        w = np.linalg.lstsq(x, 2.0 * y - 1, rcond=None)[0]
        model = nn.Linear(d, 2, bias=False, dtype=torch.float64).eval()
        model.weight.data.copy_(torch.from_numpy(np.stack([-w, w]) * 6))
        expected = expected_loss(model, x, y, sigma, draws=50, seed=seed)
        nearest = divergence_from_prior(model, sigma, [0.1, 0.3, 1.0])
        failures["kl"] += kl_bound(expected, nearest, delta=delta).value < 0.5
        failures["eq 6"] += mcallester_bound(expected, nearest, delta=delta).value < 0.5
        failures["without divergence"] += kl_bound(expected, 0.0, delta=delta).value < 0.5
    assert failures["kl"] <= delta * repeats
    assert failures["eq 6"] <= delta * repeats
    assert failures["without divergence"] > 0.5 * repeats
