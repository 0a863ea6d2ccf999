"""Energy and arc length piece by piece, against fine sums; and the minimisers at a training error that D5 is decided by."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.checks import rationals
from theory.claim import Instance, Ruling
from theory.dherin2022.arc_length import D5, D6, D14, D23
from theory.graphs import (
    arc_length,
    chord_energy,
    chord_length,
    energy,
    equally_cut,
    excess_energy,
    gaps,
    steepest,
    straight,
)
from theory.piecewise_linear import PiecewiseLinear
from theory.random_networks import forward, generic, layer_matrices, rows_of, variance


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_pieces_against_sums_on_a_fine_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.choice(np.arange(-8, 9), 4, replace=False)) / 4
    knots, jumps = rng.integers(-8, 9, 3) / 8, rng.integers(-4, 5, 3) / 2
    f = PiecewiseLinear(rationals(knots), rationals(jumps), Fraction(1, 2), Fraction(1))
    found = gaps(f, rationals(x))
    t = np.linspace(x[0], x[-1], int((x[-1] - x[0]) * 8 * 50) + 1)
    values, line = np.array([float(v) for v in f(rationals(t))]), PiecewiseLinear.interpolate(x, f(rationals(x)))
    off = values - np.array([float(v) for v in line(t)])

    def summed(z: np.ndarray) -> float:
        return float(np.sum(np.diff(z) ** 2 / np.diff(t)) / 2)

    assert float(energy(found)) == pytest.approx(summed(values), rel=1e-9)
    assert float(excess_energy(found)) == pytest.approx(summed(off), rel=1e-9, abs=1e-12)
    assert float(chord_energy(found)) == pytest.approx(summed(values - off), rel=1e-9, abs=1e-12)
    assert float(arc_length(found).midpoint) == pytest.approx(float(np.sum(np.hypot(np.diff(t), np.diff(values)))))
    assert float(steepest(found)) == pytest.approx(float(np.max(np.abs(np.diff(values) / np.diff(t)))), rel=1e-9)
    assert straight(found) == (excess_energy(found) == 0)
    cut = equally_cut(found)
    assert len({len(gap.widths) for gap in cut}) == 1
    assert energy(cut) == energy(found)
    assert chord_length(found).lower <= arc_length(found).upper


def test_the_shortest_function_at_its_error_is_not_the_one_of_least_energy() -> None:
    given_ = {"x": rationals([0, 4, 7]), "y": rationals([-3, 2, 11]), "z": rationals([0, 3, 7])}
    assert [side.lower for side in D5.sides(D5.checked(given_))] == [1, 0]
    # Targets on the side of the slopes: the least energy, and not the shortest.
    other = {**given_, "y": given_["z"] - rationals([9, 7, -16])}
    assert [side.lower for side in D5.sides(D5.checked(other))] == [0, 1]
    # Residuals the wrong way round: neither is least.
    away = {**given_, "y": rationals([3, 4, 3])}
    assert [side.lower for side in D5.sides(D5.checked(away))] == [0, 0]
    assert D5.evaluate({**given_, "y": given_["z"]}).ruling is Ruling.HOLDS


@pytest.mark.parametrize("claim", [D6, D14, D23], ids=lambda claim: claim.id)
def test_what_fails_as_printed_holds_where_the_data_are_on_a_line(claim: object) -> None:
    line = PiecewiseLinear([], [], Fraction(0), Fraction(2))
    values = {"f": line, "x": rationals([0, 1, 3]), "y": rationals([2, 2, 2])}
    values |= {"edges": rationals([0, 1, 2, 3]), "heights": rationals([1, 2, 3])}
    assert claim.evaluate(Instance(values, "named")).ruling is Ruling.HOLDS  # type: ignore[attr-defined]


def test_networks_without_biases_by_hand() -> None:
    layers = layer_matrices("layers", [rationals([[1, -2], [3, 1]]), rationals([[2, -1]])])
    outputs, jacobian = forward(layers, rationals([1, 1]))
    assert outputs.tolist() == [-4]
    assert jacobian.tolist() == [[-3, -1]]
    with pytest.raises(ValueError, match=r"layers\[1\] must have 2 columns, as layers\[0\] has rows, got 1"):
        layer_matrices("layers", [rationals([[1, -2], [3, 1]]), rationals([[2]])])


def test_all_networks_of_a_support_are_gone_through_and_no_more_than_many() -> None:
    networks = list(rows_of([generic(1), generic(2)], [2, 1]))
    assert len(networks) == 2**2 * 4
    assert variance(generic(2)) == 58**2 // 2
    assert variance(rationals([[1, 0], [0, 2]])) is None
    with pytest.raises(ValueError, match="must leave at most"):
        next(rows_of([generic(3)], [9]))
