"""The least product of norms of two layers, against a search over the factors; balance of deep networks, by hand."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

from theory.beyond.capacity import B22, B22B, imbalance, least_product, squared_product
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.path_norms import rescaled

A, B = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0])


@pytest.mark.parametrize(("p", "q"), [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3)])
def test_no_factors_lead_below_the_closed_form(p: int, q: int) -> None:
    def product(logs: Any) -> float:
        c = np.exp(logs)
        return float(np.sum((c * A) ** q) ** (1 / q) * np.sum((B / c) ** p) ** (1 / p))

    given = Instance({"incoming": rationals(A), "outgoing": rationals(B), "within": p, "across": q}, "named")
    r = p * q / (p + q)
    least = minimize(product, np.zeros(3), method="BFGS", options={"gtol": 1e-9}).fun
    assert float(least_product(given).midpoint) ** (1 / r) == pytest.approx(least, rel=1e-9)


def test_frobenius_norms_have_the_sum_of_the_products() -> None:
    given = Instance({"incoming": rationals(A), "outgoing": rationals(B), "within": 2, "across": 2}, "named")
    assert least_product(given).lower == 2 + 2 + 3


def test_imbalance_by_hand() -> None:
    layers = (rationals([[1], [2]]), rationals([[3, 1]]))
    assert imbalance(layers) == [Fraction(1, 5) - Fraction(9, 10), Fraction(4, 5) - Fraction(1, 10)]
    assert B22B.evaluate({"layers": layers, "hidden_factors": ([1, 1],)}).ruling is Ruling.INAPPLICABLE


def test_balanced_weights_have_the_least_product() -> None:
    # two units of a_j b_j = 1 and 4: the least squared product is (1 + 4)^2
    layers = (rationals([[1], [2]]), rationals([[1, 2]]))
    assert imbalance(layers) == [0, 0]
    assert squared_product(layers) == 25
    assert squared_product(rescaled(layers, (rationals([2, 1]),))) > 25


@pytest.mark.parametrize(
    ("claim", "given", "sentence"),
    [
        (B22, {"incoming": [0, 0]}, r"incoming must be at least 0 and not all 0, got \[0.0, 0.0\]"),
        (B22, {"outgoing": [-1, 1]}, r"outgoing must be at least 0 and not all 0, got \[-1.0, 1.0\]"),
        (B22B, {"layers": ([[1]], [[0]])}, r"layers\[1\] must not be 0 throughout"),
    ],
)
def test_what_is_no_instance_is_refused(claim: Any, given: dict[str, Any], sentence: str) -> None:
    whole = {
        "incoming": [1, 1],
        "outgoing": [1, 1],
        "unit_factors": [1, 1],
        "within": 1,
        "across": 1,
        "layers": ([[1]], [[1]]),
        "hidden_factors": ([1],),
    }
    with pytest.raises(ValueError, match=sentence):
        claim.evaluate({**whole, **given})
