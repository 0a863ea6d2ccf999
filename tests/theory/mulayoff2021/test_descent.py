"""What is said of step sizes and of where descent can go, against runs of it."""

from fractions import Fraction

import numpy as np
import pytest

from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.mulayoff2021.descent import all_land, chances, converges, ends, mean_distance, slope_at
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS

ONE = Fraction(1)
TURN = rationals([[3, 4], [4, -3]]) / 5


def quadratic(values: list[int], parts: list[int]) -> Instance:
    """Return a quadratic loss with two curvatures, a start with parts along their directions, and eta = 1."""
    hessian = TURN @ np.diag(rationals(values)) @ TURN
    return Instance({"hessian": hessian, "step_size": ONE, "start": TURN @ rationals(parts)}, "named")


@pytest.mark.parametrize(
    ("values", "parts", "goes"),
    [
        ([3, 1], [0, 0], True),
        ([3, 1], [0, 1], True),
        ([3, 1], [1, 0], False),
        ([3, 1], [1, 1], False),
        ([2, 1], [1, 0], False),  # it keeps its distance
        ([0, 1], [1, 1], False),  # nothing moves it along the first
        ([1, 1], [1, -2], True),
    ],
)
def test_descent_converges_where_it_is_run(values: list[int], parts: list[int], goes: bool) -> None:
    given = quadratic(values, parts)
    assert converges(given) is goes
    at, step = given["start"], rationals(np.eye(2, dtype=int)) - given["hessian"]
    for _ in range(60):
        at = step @ at
    assert (max(abs(v) for v in at) < Fraction(1, 10**9)) is goes


def test_the_smallest_counterexample_is_a_start_on_the_minimum() -> None:
    claim = CLAIMS["M19"]
    on_it = Instance({"hessian": rationals([[3]]), "step_size": ONE, "start": rationals([0])}, "named")
    assert claim.evaluate(on_it).ruling is Ruling.VIOLATED
    assert claim.evaluate(on_it.but(start=rationals([1]))).ruling is Ruling.HOLDS
    assert claim.evaluate(quadratic([3, 1], [0, 1])).ruling is Ruling.VIOLATED


def test_a_convex_loss_lets_an_interval_of_starts_land_on_a_sharp_minimum() -> None:
    witness = CLAIMS["M19.b"].witness
    assert witness is not None
    curvature = witness["second_derivative"]
    assert min(curvature(t) for t in curvature.knots) == 0
    for start in (Fraction(1), Fraction(7, 5), Fraction(3), Fraction(-2)):
        assert start - slope_at(curvature, start) == 0
    assert not all_land(witness.but(starts=rationals([Fraction(1, 2), 2])))
    assert not all_land(witness.but(step_size=Fraction(1, 2)))


def test_slopes_are_the_integral_of_the_curvature() -> None:
    curvature = PiecewiseLinear(rationals([-1, Fraction(1, 2), 2]), rationals([2, -3, 1]), Fraction(1, 3), Fraction(1))
    for weight in (Fraction(-3), Fraction(-1, 2), Fraction(0), Fraction(5, 2)):
        grid = [weight * j / 300 for j in range(301)]
        values = [float(curvature(place)) for place in grid]
        trapezoid = sum(values[:-1]) / 2 + sum(values[1:]) / 2
        assert float(slope_at(curvature, weight)) == pytest.approx(trapezoid * float(weight) / 300, abs=1e-3)


def test_a_smaller_step_is_a_mixture_on_average() -> None:
    given = Instance(
        {
            "hessians": rationals([[[1, 0], [0, 0]], [[2, 1], [1, 1]]]),
            "gradients": rationals([[1, 0], [-1, 0]]),
            "step_size": Fraction(3, 2),
            "batch_size": 1,
            "share": Fraction(1, 3),
            "start": rationals([1, -2]),
            "moves": 2,
        },
        "named",
    )
    mixture = []
    steps = given.but(batch_size=1)
    for first in (0, 1):
        for second in (0, 1):
            at = given["start"].astype(float)
            for i in (first, second):
                slope = steps["gradients"][i].astype(float) + steps["hessians"][i].astype(float) @ at
                at = at - 0.5 * slope
            mixture.append(float(np.linalg.norm(at)))
    assert float(mean_distance(ends(given, 2, given["share"])).midpoint) == pytest.approx(np.mean(mixture))
    assert sum(chances(5, Fraction(1, 3))) == 1
    assert CLAIMS["M17"].evaluate(given).ruling is Ruling.HOLDS


def test_sizes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^start must be \[d\], d = 2 as in hessian, got shape \(1,\)$"):
        CLAIMS["M19"].evaluate(quadratic([1, 1], [1, 1]).but(start=rationals([1])))
