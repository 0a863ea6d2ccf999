"""Densities that are constant between edges: resistance and energy by hand, and against quadrature."""

from fractions import Fraction

import numpy as np
import pytest

from theory.piecewise_linear import PiecewiseLinear
from theory.step_density import StepDensity


def test_resistance_and_energy_by_hand() -> None:
    p = StepDensity([0, 1, 3], [2, Fraction(1, 2)])
    assert p.resistance(Fraction(1, 2), 2) == Fraction(1, 4) + 2
    assert p.resistance(-1, 1) == float("inf")
    assert StepDensity([0, 1, 2], [1, 0]).resistance(0, 2) == float("inf")
    f = PiecewiseLinear([Fraction(1, 2)], [Fraction(2)], Fraction(1), Fraction(0))
    # Slopes 1 and 3: (1/2) (1 * 2 * 1/2 + 9 * 2 * 1/2 + 9 * 1/2 * 2).
    assert p.energy(f, 0, 5) == Fraction(19, 2)


def test_the_energy_is_a_riemann_sum_in_the_limit() -> None:
    rng = np.random.default_rng(3)
    edges, heights = np.sort(rng.uniform(-1, 1, 5)), rng.uniform(0, 2, 4)
    f = PiecewiseLinear(rng.uniform(-1, 1, 4), rng.standard_normal(4), 0.3, 0.0)
    t = np.linspace(-1.5, 1.5, 300001)
    middle = (t[1:] + t[:-1]) / 2
    place = np.searchsorted(edges, middle)
    p = np.where((place > 0) & (place < 5), heights[np.clip(place - 1, 0, 3)], 0)
    sums = np.sum(np.diff(f(t)) ** 2 / np.diff(t) * p) / 2
    assert float(StepDensity(edges, heights).energy(f, -1.5, 1.5)) == pytest.approx(sums, rel=1e-3)


@pytest.mark.parametrize(
    ("edges", "heights", "reason"),
    [
        ([0], [], "edges must be at least two increasing"),
        ([0, 0], [1], "edges must be at least two increasing"),
        ([0, 1, 2], [1], "one for each of the 2 steps, got 1"),
        ([0, 1], [-1], "heights must be at least 0, got -1.0"),
        ([0, float("nan")], [1], "finite"),
    ],
)
def test_bad_input_is_named(edges: list[float], heights: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        StepDensity(edges, heights)
