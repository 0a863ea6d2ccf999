from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.trials.volhejn2020.ideals import measured
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.registry import CLAIMS
from theory.volhejn2020 import regularized_loss_bound
from theory.volhejn2020.ideals import measure_of
from theory.volhejn2020.regularization import scaled, shrunk_loss, targets


def ray(strength: Fraction, chosen: int, steps: int = 40) -> Instance:
    """Theta x through (1, 1) with S = |theta|, for theta = 0, 1/steps, .., 1."""
    theta = [Fraction(i, steps) for i in range(steps + 1)]
    return Instance(
        {
            "values": rationals(theta)[:, None],
            "y": rationals([1]),
            "measure": rationals(theta),
            "strength": strength,
            "chosen": chosen,
            "other": chosen,
        },
        "named",
    )


@pytest.mark.parametrize("strength", [Fraction(1, 10), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(5)], ids=str)
def test_on_the_ray_the_least_regularised_loss_is_at_one_less_half_of_lambda(strength: Fraction) -> None:
    best = max(Fraction(0), 1 - strength / 2)
    for chosen in range(41):
        instance = ray(strength, chosen)
        minimises = CLAIMS["V18.a"].evaluate(instance).ruling is Ruling.HOLDS
        assert minimises == (Fraction(chosen, 40) == best)
    verdict = CLAIMS["V18.b"].evaluate(ray(strength, int(40 * best)))
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.lhs is not None
    assert verdict.lhs.lower == (1 - best) ** 2
    assert (1 - best) ** 2 <= regularized_loss_bound(strength, 1, best) <= regularized_loss_bound(strength, 1)


def test_a_small_lambda_selects_what_interpolates_among_finitely_many_and_not_on_the_ray() -> None:
    three = ray(Fraction(1, 10), 2, steps=2)
    assert CLAIMS["V18"].evaluate(three).ruling is Ruling.HOLDS
    assert CLAIMS["V18"].evaluate(ray(Fraction(1, 10), 38)).ruling is Ruling.VIOLATED


@given(measured(), st.sampled_from([Fraction(1, 100), Fraction(1), Fraction(100)]))
def test_what_interpolates_never_has_the_least_regularised_loss(instance: Instance, strength: Fraction) -> None:
    given = instance.but(strength=strength)
    own = strength * measure_of(given)
    assert shrunk_loss(given, Fraction(0)) == own
    losses = [shrunk_loss(given, Fraction(1, 2**i)) for i in (1, 4, 8, 16, 24)]
    assert (min(losses) < own) == (own > 0)


@given(measured(), st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(3)]))
def test_the_measures_scale_with_the_outputs(instance: Instance, factor: Fraction) -> None:
    multiple = instance.but(weights=scaled(instance["weights"], factor))
    assert measure_of(multiple) == factor * measure_of(instance)
    assert np.all(targets(multiple) == factor * targets(instance))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"strength": 0.0, "least": 1.0}, ValueError, "strength must be"),
        ({"strength": 1.0, "least": -1.0}, ValueError, "reached must be at most least = -1.0, .* got 0.0"),
        ({"strength": 1.0, "least": float("inf")}, ValueError, "least must "),
        (
            {"strength": 1.0, "least": 1.0, "reached": 2.0},
            ValueError,
            "reached must be at most least = 1.0, .* got 2.0",
        ),
        ({"strength": "1", "least": 1.0}, TypeError, "strength must be"),
    ],
    ids=["no-penalty", "negative", "infinite", "rougher", "text"],
)
def test_arguments_out_of_range_are_named(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        regularized_loss_bound(**arguments)


@pytest.mark.parametrize("name", ["chosen", "other"])
def test_a_candidate_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be below 3, the number of candidates, got 7"):
        CLAIMS["V18.a"].evaluate(ray(Fraction(1), 1, steps=2).but(**{name: 7}))
