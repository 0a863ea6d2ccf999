import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from theory.beyond import stability_threshold, stable_complexity_limit
from theory.beyond.transfer import B25, hessians
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.dense_network import at_points, least_transfer, mean_jacobian

LINE = Instance(
    {
        "dense_layers": ((rationals([[3]]), rationals([0])),),
        "leak": Fraction(0),
        "inputs": rationals([[1], [-1]]),
        "step_size": Fraction(1),
        "batch_size": 1,
    },
    "named",
)
"""f(x) = 3 x + b through two points on both sides: at B = 1 stable up to a step size of 1."""


def test_a_line_at_the_edge_attains_the_limit() -> None:
    threshold = stability_threshold(hessians(LINE), 1)
    assert float(threshold.lower) == pytest.approx(1)
    verdict = B25.evaluate(LINE)
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.slack == 0


def test_beyond_the_edge_nothing_is_said() -> None:
    assert B25.evaluate(LINE.but(step_size=Fraction(101, 100))).failed == "stability (B3): 2 C - eta D >= 0"


def test_the_limit_is_what_the_claim_says() -> None:
    points = at_points(LINE["dense_layers"], LINE["leak"], LINE["inputs"])
    least = float(least_transfer(LINE["dense_layers"], points).lower)
    limit = stable_complexity_limit(step_size=1.0, n=2, batch=1, parameters=2, least_transfer=least)
    assert limit == pytest.approx(float(mean_jacobian(points)))


ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: stable_complexity_limit(0.0, 2, 1, 2, 1.0), "step_size must be finite and above 0, got 0.0"),
    (lambda: stable_complexity_limit(1.0, 2, 1, 2, 0.0), "least_transfer must be finite and above 0, got 0.0"),
    (lambda: stable_complexity_limit(1.0, 2, 1, 0, 1.0), "parameters must be at least 1, got 0"),
    (lambda: stable_complexity_limit(1.0, 0, 1, 1, 1.0), "n must be at least 1, got 0"),
    (lambda: stable_complexity_limit(1.0, 2, 1, 2, 1.0, outputs=0), "outputs must be at least 1, got 0"),
]


@pytest.mark.parametrize(("call", "words"), ERRORS, ids=[words for _, words in ERRORS])
def test_bad_input_is_named(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        call()
