"""The test of a tendency: its interval against binomial chances, and what the rulings are made of."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from theory.checks import rationals
from theory.claim import Claim, Finding, Form, Instance, Ruling
from theory.sources import HOUSE, Source
from theory.tendency import LEVEL, TAU, TESTS, UNDEFINED, against, effects_of, fewest, median_interval, rank

EFFECT = effects_of("effect", "e", "an effect")
LIMIT = Fraction(1, 2)


def claim_of(form: Form) -> Claim:
    return Claim(
        id="T1",
        source=Source(HOUSE, "T1"),
        statement="t",
        form=form,
        symbols=(EFFECT, UNDEFINED, TESTS),
        sides=against(EFFECT, LIMIT),
        finding=Finding.OURS,
        note="A test.",
        no_extremal="a test",
    )


def ruling(effects: list[float], *, undefined: int = 0, tests: int = 1, form: Form = Form.AT_LEAST) -> Ruling:
    instance = {"effect": effects, "undefined": undefined, "tests": tests}
    return claim_of(form).evaluate(instance).ruling


def test_an_effect_that_cannot_be_is_refused() -> None:
    bounded = effects_of("effect", "e", "an effect", within=TAU)
    assert "rationals from -1 to 1, [m]" in bounded.meaning
    assert bounded.check is not None
    assert bounded.check("effect", [-1, 1]).tolist() == [-1, 1]
    for outside in (Fraction(1001, 1000), -2):
        with pytest.raises(ValueError, match=r"^effect must be from -1 to 1, got "):
            bounded.check("effect", [0, outside])


@given(cases=st.integers(1, 60), tests=st.integers(1, 40))
def test_an_end_is_beyond_the_median_as_rarely_as_it_must(cases: int, tests: int) -> None:
    k, level = rank(cases, tests), float(LEVEL) / tests
    assert k == 0 or binom.cdf(k - 1, cases, 0.5) <= level * (1 + 1e-12)
    assert binom.cdf(k, cases, 0.5) > level * (1 - 1e-12)


@pytest.mark.parametrize(("tests", "cases"), [(1, 6), (2, 7), (8, 9), (34, 11)])
def test_fewer_cases_decide_nothing_even_if_they_agree(tests: int, cases: int) -> None:
    assert fewest(tests) == cases
    assert ruling([1.0] * (cases - 1), tests=tests) is Ruling.INCONCLUSIVE
    assert ruling([1.0] * cases, tests=tests) is Ruling.HOLDS


def test_no_case_decides_nothing() -> None:
    assert ruling([]) is Ruling.INCONCLUSIVE


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.integers(0, 5))
def test_the_interval_holds_the_median_of_the_sample_whatever_is_undefined(
    effects: list[float], undefined: int
) -> None:
    instance = Instance({"effect": rationals(effects), "undefined": undefined, "tests": 1}, "drawn")
    interval = median_interval(instance, EFFECT)
    for filler in (-11.0, 11.0):
        assert interval.lower <= np.median([*effects, *[filler] * undefined]) <= interval.upper


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    draws, missed = 2000, 0
    for sample in generator.standard_cauchy((draws, 15)):
        given_ = Instance({"effect": rationals(sample), "undefined": 0, "tests": 1}, "drawn")
        interval = median_interval(given_, EFFECT)
        missed += not interval.lower <= 0 <= interval.upper
    chance = 2 * binom.cdf(rank(15) - 1, 15, 0.5)
    assert missed <= binom.ppf(1 - 1e-6, draws, chance)
    assert missed >= binom.ppf(1e-6, draws, chance)


@pytest.mark.parametrize(
    ("effects", "undefined", "at_least"),
    [
        ([1.0] * 8, 0, Ruling.HOLDS),
        ([0.0] * 8, 0, Ruling.VIOLATED),
        ([0.0, 1.0] * 4, 0, Ruling.INCONCLUSIVE),
        ([0.5] * 8, 0, Ruling.INCONCLUSIVE),
        ([1.0] * 8, 8, Ruling.INCONCLUSIVE),
        ([1.0] * 4 + [0.5] * 4, 0, Ruling.INCONCLUSIVE),
    ],
    ids=["above", "below", "split", "tied with the limit", "half undefined", "half tied"],
)
def test_what_lies_on_both_sides_or_at_the_limit_decides_nothing(
    effects: list[float], undefined: int, at_least: Ruling
) -> None:
    turned = {Ruling.HOLDS: Ruling.VIOLATED, Ruling.VIOLATED: Ruling.HOLDS}
    assert ruling(effects, undefined=undefined) is at_least
    assert ruling(effects, undefined=undefined, form=Form.AT_MOST) is turned.get(at_least, at_least)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"effect": [math.nan]}, "effect"),
        ({"undefined": -1}, "undefined must be a whole number from 0 on, got -1"),
        ({"undefined": True}, "undefined must be a whole number from 0 on, got True"),
        ({"tests": 0}, "tests must be at least 1, got 0"),
    ],
)
def test_values_that_are_none_are_named(changes: dict[str, object], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        claim_of(Form.AT_LEAST).evaluate({"effect": [1.0], "undefined": 0, "tests": 1, **changes})
