"""The PAC-Bayes bound of Neyshabur et al. 2017, divergences of Gaussians, and a learner that no honest prior lets pass."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theory.claim import AssumptionError, Ruling
from theory.neyshabur2017 import gaussian_divergence, mcallester_bound
from theory.neyshabur2017.pac_bayes import N7, N7B, N20, N20A, N20B
from theory.registry import CLAIMS


@pytest.mark.parametrize(
    ("loss", "divergence", "m", "delta"), [(0.0, 0.0, 2, 0.5), (0.25, 37.5, 1000, 0.05), (1.0, 1e6, 10, 0.9)]
)
def test_the_bound_is_eq_6_rounded_up(loss: float, divergence: float, m: int, delta: float) -> None:
    plain = loss + 4 * math.sqrt((divergence + math.log(2 * m / delta)) / m)
    assert mcallester_bound(loss, divergence, m, delta) == pytest.approx(plain, rel=1e-12)
    assert mcallester_bound(loss, divergence, m, delta) >= plain * (1 - 1e-15)


def test_a_loss_beyond_1_is_named() -> None:
    with pytest.raises(AssumptionError, match=r"^N7 does not apply: it assumes the loss is in \[0, 1\], got 1.5$"):
        mcallester_bound(1.5, 1.0, 100, 0.05)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"expected_training_loss": -0.1}, "expected_training_loss must be finite and at least 0, got -0.1"),
        ({"divergence": math.inf}, "divergence must be finite and at least 0, got inf"),
        ({"samples": 1}, "samples must be at least 2, got 1"),
        ({"delta": 1}, "delta must be between 0 and 1, got 1"),
    ],
    ids=["loss", "divergence", "samples", "delta"],
)
def test_what_is_out_of_range_is_named(changed: dict[str, Any], sentence: str) -> None:
    given = {"expected_training_loss": 0.1, "divergence": 1.0, "samples": 100, "delta": 0.05, **changed}
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        mcallester_bound(**given)


def test_the_divergence_against_a_sample_mean_of_the_densities_ratio() -> None:
    generator = np.random.default_rng(0)
    mean, sigma, prior = np.array([1.0, -0.5]), np.array([0.5, 2.0]), 1.5
    theta = mean + sigma * generator.normal(size=(400_000, 2))
    ratio = np.sum(np.log(prior / sigma) + theta**2 / (2 * prior**2) - (theta - mean) ** 2 / (2 * sigma**2), axis=1)
    spread = float(np.std(ratio)) / math.sqrt(len(ratio))
    assert gaussian_divergence(mean, sigma, prior) == pytest.approx(float(np.mean(ratio)), abs=5 * spread)


def test_the_divergence_with_one_variance_is_that_of_eq_8() -> None:
    assert gaussian_divergence([3, 4], [2, 2], 2) == 25 / 8


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (([1.0], [1.0, 2.0], 1.0), "standard_deviations must be one an entry of mean, 1, got 2"),
        (([1.0], [0.0], 1.0), "standard_deviations must be finite and above 0, got 0"),
        (([1.0], [1.0], 0.0), "prior_standard_deviation must be finite and above 0, got 0.0"),
    ],
    ids=["sizes", "no noise", "no prior"],
)
def test_what_is_no_gaussian_is_named(given: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        gaussian_divergence(*given)


def test_eq_6_needs_its_4_to_be_no_less_than_the_print_derives() -> None:
    # K = 1/2 of 10,000 data and no training loss: (5) allows an expected loss of 1/2.
    m, delta = 10_000, Fraction(1, 2)
    divergence = Fraction(m - 1, 4) - 11
    given = {
        "samples": m,
        "delta": delta,
        "divergence": divergence,
        "training_loss": Fraction(0),
        "expected_training_loss": Fraction(0),
        "expected_loss": Fraction(499, 1000),
    }
    verdict = N7.evaluate(given)
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.rhs is not None
    assert float(verdict.rhs.lower) == pytest.approx(2, rel=1e-3)
    assert N7.failing({**given, "expected_loss": Fraction(501, 1000)}) is not None


def test_the_learner_that_names_its_training_set() -> None:
    assert N7B.witness is not None
    loss, bound = N7B.sides(N7B.witness)
    assert float(loss.lower) > 0.85
    plain = 4 * math.sqrt((1 / (2 * 0.1**2) + math.log(2 * 10**4 / 0.5)) / 10**4)
    tail = 2 * math.exp(-(2.9**2) / 2)
    assert float(bound.upper) == pytest.approx(plain + tail, rel=1e-9)


def test_the_printed_divergence_of_the_figure_is_twice_the_right_one() -> None:
    given = {"weights": [1, -3], "alpha": Fraction(1, 10)}
    printed, right = N20.evaluate(given), N20A.evaluate(given)
    assert printed.lhs == right.lhs == right.rhs
    assert printed.rhs is not None
    assert right.rhs is not None
    assert printed.rhs.lower == 2 * right.rhs.lower == 100 * (Fraction(1, 121) + Fraction(9, 961))


def test_the_divergence_of_the_figure_forgets_the_scale() -> None:
    sides = [N20B.evaluate({"weights": [scale, scale], "alpha": 1}) for scale in (10**3, 10**9)]
    assert sides[0].lhs is not None
    assert sides[1].lhs is not None
    assert sides[1].lhs.lower - sides[0].lhs.lower < Fraction(1, 10**5)


def test_the_claims_are_registered() -> None:
    assert [id for id in CLAIMS if id.startswith(("N7", "N20"))] == [
        "N7", "N7.a", "N7.b", "N7.c", "N20", "N20.a", "N20.b",
    ]  # fmt: skip
