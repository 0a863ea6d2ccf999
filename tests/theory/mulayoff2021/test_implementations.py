"""What is said of a function and of the weights that implement it, by hand and by exact examples."""

from fractions import Fraction

import numpy as np
import pytest

from theory import switching
from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.curvature import curvature_enclosure
from theory.enclosure import top_eigenvalue
from theory.mulayoff2021.implementations import (
    counted_weight_enclosure,
    excess,
    mode_tops,
    sharpest_mode,
    with_outer_units,
)
from theory.mulayoff2021.switching import printed_excess_sides
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS
from theory.stability_weight import stability_weight
from theory.two_layer import Weights

ONE, ZERO, HALF = Fraction(1), Fraction(0), Fraction(1, 2)
X = rationals([-1, 0, 2])
ON_A_POINT = Weights([ONE], [ZERO], [ONE], ZERO)


def test_the_sharpest_mode_is_that_of_the_four_hessians() -> None:
    pair = Weights([ONE, ONE], [ZERO, -2 * ONE], [ONE, ONE], ZERO)
    found = []
    for first in (0, 1):
        for second in (0, 1):
            rows = rationals([[0, 0, 0, 0, 0, 0, 1], [0, 0, first, 0, 0, 0, 1], [2, 2 * second, 1, second, 2, 0, 1]])
            found.append(float(top_eigenvalue(rows @ rows.T / 3).midpoint))
    tops = [float(top.midpoint) for top in mode_tops(Instance({"weights": pair, "x": X}, "named"))]
    assert sorted(tops) == pytest.approx(sorted(found), rel=1e-12)
    assert float(sharpest_mode(Instance({"weights": pair, "x": X}, "named")).upper) == pytest.approx(max(found))


def test_lemma_4_fails_in_a_flatter_mode_where_g_exceeds_the_resting_weight() -> None:
    x = rationals([-8, -4, 4])
    weights = Weights([Fraction(1, 20)], [Fraction(1, 5)], [Fraction(3, 10)], ZERO)
    given = Instance({"weights": weights, "x": x}, "named")
    assert CLAIMS["M14"].evaluate(given).ruling is Ruling.HOLDS
    assert min(top.upper for top in mode_tops(given)) < 1 + 2 * curvature_enclosure(weights, x).lower
    assert switching.resting_weight([-4], x)[0] < stability_weight([-4.0], [-8.0, -4.0, 4.0])[0]


def test_the_counted_weight_is_g_off_the_data_and_no_less_than_its_three_values_on_them() -> None:
    x = rationals([-3, -1, HALF, 2, 4])
    places = rationals([-2, 0, 3, 5])
    lower, upper = counted_weight_enclosure(places, x)
    assert np.all(upper - lower < Fraction(1, 10**20))
    assert lower.astype(float) == pytest.approx(stability_weight(places, x))
    _, on_data = counted_weight_enclosure(x, x)
    for side in ("at", "left", "right"):
        assert np.all(on_data.astype(float) >= stability_weight(x, x, side=side) * (1 - 1e-12))
    assert np.any(on_data.astype(float) > stability_weight(x, x))


def test_outer_units_bend_f_outside_and_nowhere_else() -> None:
    knots, jumps = rationals([-2, 3]), rationals([7, -5])
    extended = with_outer_units(ON_A_POINT, X, knots, jumps)
    assert list(extended(X)) == list(ON_A_POINT(X))
    f = PiecewiseLinear.from_weights(extended)
    assert dict(zip(f.knots, f.jumps, strict=True)) == {-2: 7, 0: 1, 3: -5}
    assert np.all(extended.tangent_features(X)[:, [1, 2, 4, 5, 7, 8]] == 0)


def test_a_unit_that_looks_back_is_the_sharper_the_further_its_knot_is() -> None:
    claim = CLAIMS["M16.a"]
    sharp = []
    for knot in (-2, -4, -8):
        back = Weights([ONE], [-knot * ONE], [ONE], ZERO)
        verdict = claim.evaluate({"weights": back, "x": X})
        assert verdict.ruling is Ruling.HOLDS
        assert verdict.rhs is not None
        # |w1 w2| |E X - t| sqrt(1 + (E X)^2) for a unit that is active on all data
        mean = float(sum(X)) / 3
        assert float(verdict.rhs.midpoint) == pytest.approx(1 + 2 * abs(mean - knot) * np.hypot(1, mean))
        sharp.append(verdict.rhs.lower)
    assert sharp == sorted(sharp)


def test_lemma_5_does_not_hold_with_the_other_implementation_s_bound_at_the_witness() -> None:
    witness = CLAIMS["M18"].witness
    assert witness is not None
    bound = switching.parameter_gradient_bound(witness["bounded_weights"], witness["x"])
    assert switching.gradient_bound(witness["weights"], witness["x"]) == 10
    assert bound == 1
    assert switching.most_toggling(witness["weights"], witness["x"]) == 1


def test_delta_is_that_of_theorem_2() -> None:
    given = Instance({"weights": ON_A_POINT, "x": X, "step_size": HALF}, "named")
    printed = float(printed_excess_sides(given)[1].midpoint) - 1.5
    numbers = {"step_size": HALF, "gradient_bound": Fraction(3), "spare_units": 1, "n": 3}
    assert float(excess(Instance(numbers, "named")).midpoint) == pytest.approx(printed)


def test_two_networks_with_two_functions_are_refused() -> None:
    verdict = CLAIMS["M18"].evaluate(
        {"weights": ON_A_POINT, "bounded_weights": Weights([ONE], [ZERO], [HALF], ZERO), "x": X, "step_size": ONE}
    )
    assert verdict.ruling is Ruling.INAPPLICABLE
    assert verdict.failed == "both networks have one function"


def test_a_direction_among_the_samples_is_checked() -> None:
    given = {"weights": ON_A_POINT, "x": X, "outer_knots": rationals([3]), "outer_jumps": rationals([1])}
    with pytest.raises(ValueError, match=r"^sample_direction must have 3 entries, one a data point, not all 0, got "):
        CLAIMS["M16"].evaluate(given | {"sample_direction": rationals([0, 0, 0])})
