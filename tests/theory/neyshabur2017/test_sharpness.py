"""Sharpness by eq (4) of Neyshabur et al. 2017, exactly, against grids of perturbations."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from theory.checks import rationals
from theory.claim import Instance
from theory.neyshabur2017.sharpness import (
    N6,
    N14,
    N14B,
    box_sharpness,
    floor,
    linear_sharpness,
    relative_box,
    rescaled,
    slopes_within,
)


def on_a_grid(u: list[float], v: list[float], x: list[float], y: list[float], alpha: float) -> float:
    """Return eq (4) over a grid of perturbations of two weights that has the corners of the box."""
    ways = np.linspace(-1, 1, 41)

    def loss(one: float, other: float) -> float:
        outputs = other * np.maximum(one * np.array(x), 0)
        return float(np.mean((outputs - np.array(y)) ** 2))

    here = loss(u[0], v[0])
    worst = max(
        loss(u[0] + a * alpha * (abs(u[0]) + 1), v[0] + b * alpha * (abs(v[0]) + 1)) for a, b in product(ways, ways)
    )
    return (worst - here) / (1 + here)


@pytest.mark.parametrize("u", [1.5, -0.2, -3.0, 0.0], ids=str)
@pytest.mark.parametrize("v", [2.0, -1.0], ids=str)
def test_one_unit_against_a_grid(u: float, v: float) -> None:
    given = Instance({"inputs": rationals([1, 2]), "targets": rationals([1, -1]), "alpha": Fraction(1, 4)}, "named")
    exact = box_sharpness(given, rationals([u]), rationals([v]))
    assert float(exact) == pytest.approx(on_a_grid([u], [v], [1, 2], [1, -1], 0.25), rel=1e-12)


def test_one_unit_by_hand() -> None:
    # u = v = 1 and alpha = 1/2: both weights from 0 to 2.
    assert slopes_within(rationals([1]), rationals([1]), Fraction(1, 2)) == (0, 4)


def test_rescaling_a_unit_moves_the_printed_sharpness_and_not_the_relative_one() -> None:
    given = Instance(
        {
            "incoming": rationals([1, 2]),
            "outgoing": rationals([1, -1]),
            "inputs": rationals([1]),
            "targets": rationals([0]),
            "alpha": Fraction(1, 10),
            "scale": Fraction(100),
        },
        "named",
    )
    before = (given["incoming"], given["outgoing"])
    assert box_sharpness(given, *rescaled(given)) > 20 * box_sharpness(given, *before)
    assert box_sharpness(given, *rescaled(given), relative_box) == box_sharpness(given, *before, relative_box)
    back = given.but(incoming=rescaled(given)[0], outgoing=rescaled(given)[1], scale=Fraction(1, 100))
    assert box_sharpness(back, *rescaled(back)) == box_sharpness(given, *before)
    assert box_sharpness(given, *before) >= floor(given) > 0


def test_the_sharpness_of_a_linear_predictor_by_hand() -> None:
    given = Instance({"inputs": rationals([[2, 1]]), "targets": rationals([1]), "alpha": Fraction(1)}, "named")
    assert linear_sharpness(given, rationals([0, 1])) == 16  # (1 x 2 + 2 x 1)^2
    assert linear_sharpness(given, rationals([Fraction(4, 5), Fraction(-3, 5)])) == Fraction(26, 5) ** 2


def test_the_two_predictors_of_the_witness_fit_the_datum_and_have_one_norm() -> None:
    assert N14.witness is not None
    x, y = N14.witness["inputs"], N14.witness["targets"]
    both = [N14.witness[name] for name in ("predictor", "other_predictor")]
    assert [list(x @ w - y) for w in both] == [[0], [0]]
    assert [w @ w for w in both] == [1, 1]


def test_layers_that_interact_strongly_are_the_sharper_ones_of_the_witness() -> None:
    # Slopes from 0 up to 2 in the one, from 1 up to 17/4 in the other.
    assert N14B.witness is not None
    assert [side.lower for side in N14B.sides(N14B.witness)] == [4, Fraction(13, 4) ** 2]


@pytest.mark.parametrize("name", ["inputs", "alpha", "scale"])
def test_what_must_be_above_0_is_named(name: str) -> None:
    given = {
        "incoming": [1],
        "outgoing": [1],
        "inputs": [1],
        "targets": [1],
        "alpha": 1,
        "scale": 1,
        name: [0] if name == "inputs" else 0,
    }
    with pytest.raises(ValueError, match=f"^{name} must be finite and above 0, got 0"):
        N6.evaluate(given)
