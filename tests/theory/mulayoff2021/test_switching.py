"""Modes of two-layer networks whose units toggle on data points, and bounds at stable minima there."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from theory import mulayoff2021, switching
from theory.checks import Array, dot, rationals
from theory.claim import Ruling
from theory.enclosure import top_eigenvalue
from theory.registry import CLAIMS
from theory.stability_weight import stability_weight
from theory.two_layer import Weights

ONE, ZERO = Fraction(1), Fraction(0)
OPPOSED = Weights([ONE, ONE], [-ONE, -ONE], [ONE, -ONE], ZERO)
X = rationals([-1, 1, 3])


def curvature(weights: Weights, x: Array, mode: Array, direction: Array) -> Fraction:
    outputs = switching.mode_features(weights, x, mode) @ direction
    return Fraction(dot(outputs, outputs)) / (len(outputs) * Fraction(dot(direction, direction)))


def test_units_toggle_where_their_pre_activation_vanishes() -> None:
    assert switching.toggling(OPPOSED, X).tolist() == [[False, False], [True, True], [False, False]]
    assert switching.most_toggling(OPPOSED, X) == 2
    assert switching.idle_units(OPPOSED) == 0
    assert switching.spare_units(OPPOSED) == 3  # the two jumps cancel


def test_every_unit_that_toggles_doubles_the_modes() -> None:
    around = list(switching.modes(OPPOSED, X))
    assert len({mode.tobytes() for mode in around}) == 4
    assert all(switching.is_mode(OPPOSED, X, mode) for mode in around)
    assert not switching.is_mode(OPPOSED, X, ~around[0])


def test_an_idle_unit_is_active_on_either_side_of_any_place() -> None:
    idle = Weights([ZERO], [ZERO], [ONE], ZERO)
    assert switching.idle_units(idle) == 1
    around = {tuple(mode[:, 0]) for mode in switching.modes(idle, X)}
    expected = set()
    for w1, b1 in product((-2, -1, 0, 1, 2), (-5, -3, -1, 0, 1, 3, 5)):
        z = w1 * X + b1
        if not np.any(z == 0):
            expected.add(tuple(z > 0))
    assert around == expected
    assert len(around) == 2 * len(X)
    with pytest.raises(ValueError, match=r"^weights must have no unit with w1 = b1 = 0, got 1 of them$"):
        switching.largest_curvature(idle, X, rationals([0, 0, 0, 1]))


def test_too_many_modes_are_refused() -> None:
    many = Weights([1.0] * 13, [-1.0] * 13, [1.0] * 13, 0.0)
    with pytest.raises(ValueError, match=r"^weights must have at most 4096 modes around them, got 8192$"):
        next(switching.modes(many, X))


def test_curvatures_are_those_of_the_modes() -> None:
    direction = rationals([1, -1, 1, -1, 0, Fraction(1, 2), 1])
    every = [curvature(OPPOSED, X, mode, direction) for mode in switching.modes(OPPOSED, X)]
    assert switching.largest_curvature(OPPOSED, X, direction) == max(every)
    for sign in (1, -1):
        moved = OPPOSED.vector + sign * direction / 1000
        beside = Weights(moved[:2], moved[2:4], moved[4:6], moved[6])
        mode = beside.pre_activations(X) > 0
        assert switching.curvature_of_step(OPPOSED, X, sign * direction) == curvature(OPPOSED, X, mode, direction)


@pytest.mark.parametrize(
    ("direction", "message"),
    [([0] * 7, "direction must not be zero"), ([1], "direction must have 7 entries, one a weight, got 1")],
)
def test_directions_are_checked(direction: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        switching.curvature_of_step(OPPOSED, X, rationals(direction))


def test_the_gradient_bound_holds_in_every_mode_and_is_attained() -> None:
    bound = switching.gradient_bound(OPPOSED, X)
    sizes = [np.max(np.abs(switching.mode_features(OPPOSED, X, mode))) for mode in switching.modes(OPPOSED, X)]
    assert bound == max(sizes)
    assert bound <= switching.parameter_gradient_bound(OPPOSED, X) == 4


def test_the_sharpness_of_no_mode_exceeds_the_bound_where_the_steps_are_known() -> None:
    # One toggling unit: lambda_up is 2/eta at the edge, and the bound allows more.
    weights, x = Weights([ONE], [-ONE], [ONE], ZERO), rationals([1])
    tops = [
        top_eigenvalue(f @ f.T).upper
        for f in (switching.mode_features(weights, x, m) for m in switching.modes(weights, x))
    ]
    assert max(tops) == 3
    assert mulayoff2021.sharpness_bound(2 / 3, 1, 1, 1) > 3


def test_what_is_printed_is_weaker_than_what_is_proved_and_stronger_than_what_it_follows_from() -> None:
    for eta, bound, units, n in product((0.1, 1.0, 9.0), (1.0, 5.0), (1, 3), (1, 20)):
        printed = mulayoff2021.sharpness_bound_as_printed(eta, bound, units, n)
        assert mulayoff2021.sharpness_bound(eta, bound, units, n) < printed
        deduced = mulayoff2021.deduced_sharpness_bound(eta, bound, units, n)
        assert math.isclose(deduced - 2 / eta, 2 * (printed - 2 / eta))
        root = 2 / eta + 2 * math.sqrt(3) * bound * math.sqrt(deduced * units / n)
        assert math.isclose(deduced, root)
        excess = mulayoff2021.curvature_excess(eta, bound, units, n)
        assert 1.2 < mulayoff2021.curvature_excess_as_printed(eta, bound, units, n) / excess < 12


@pytest.mark.parametrize(
    ("arguments", "name"), [((0.0, 1.0, 1, 1), "step_size"), ((1.0, -1.0, 1, 1), "gradient_bound")]
)
def test_bounds_name_what_cannot_be_meant(arguments: tuple[float, float, int, int], name: str) -> None:
    for bound in (
        mulayoff2021.sharpness_bound,
        mulayoff2021.curvature_excess,
        mulayoff2021.curvature_excess_as_printed,
    ):
        with pytest.raises(ValueError, match=name):
            bound(*arguments)


def test_the_resting_weight_is_the_stability_weight_off_the_data_and_near_zero() -> None:
    x = np.array([-1.0, -0.25, 0.5, 1.0])
    t = np.array([-2.0, *x, 0.1, 0.7, 3.0])
    assert np.allclose(switching.resting_weight(t, x), stability_weight(t, x), rtol=1e-12, atol=0)


def test_the_resting_weight_is_smaller_where_the_active_side_pulls_the_unit() -> None:
    x = rationals([-4, Fraction(-7, 2), -3, Fraction(-5, 2), Fraction(7, 4)])
    at = [Fraction(-5, 2)]
    # One point above, at a distance of 17/4; (1, 7/4) + tau (1, -5/2) is nearest to 0 at tau = 27/58.
    tau = Fraction(27, 58)
    expected = 4.25 * math.hypot(1 + tau, 1.75 - 2.5 * tau) / 25
    assert math.isclose(switching.resting_weight(at, x)[0], expected)
    assert switching.resting_weight(at, x)[0] < stability_weight(at, x)[0]


def test_the_resting_gradient_lets_no_unit_move_that_has_come_to_rest() -> None:
    x = rationals([-4, Fraction(-7, 2), -3, Fraction(-5, 2), Fraction(7, 4)])
    weights = Weights([ONE], [Fraction(5, 2)], [ONE], ZERO)
    slope, offset, *_ = switching.resting_gradient(weights, x)
    assert slope * Fraction(-5, 2) + offset == 0
    slope, offset, *_ = switching.mean_gradient(weights, x)
    assert slope * Fraction(-5, 2) + offset < 0


def test_theorem_2_needs_its_excess_for_the_printed_weight() -> None:
    # Two units of opposite sign on one point: 1 + 2 int |f''| g is above what both steps see of the curvature.
    x = rationals([-4, Fraction(-7, 2), -3, Fraction(-5, 2), Fraction(7, 4)])
    w1, w2 = [Fraction(47, 500), Fraction(1, 1000)], [Fraction(1, 5), Fraction(-1, 5)]
    weights = Weights(w1, [Fraction(5, 2) * w for w in w1], w2, ZERO)
    mean = switching.mean_gradient(weights, x)
    edge = max(switching.curvature_of_step(weights, x, sign * mean) for sign in (1, -1))
    instance = {"weights": weights, "x": x, "step_size": 2 / edge}
    for id in ("M9", "M9.a"):
        verdict = CLAIMS[id].evaluate(instance)
        assert verdict.ruling is Ruling.HOLDS
        assert verdict.lhs is not None
        assert verdict.lhs.lower > edge / 2 - Fraction(1, 2)
    assert CLAIMS["M9.b"].evaluate(instance).ruling is not Ruling.VIOLATED
