"""Least Dirichlet energy and least arc length at a training error, against scipy's solver, by hand, and with densities."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from numerics.programs import (
    DifferenceCertificate,
    check_energy_certificate,
    check_length_certificate,
    least_arc_length,
    least_dirichlet_energy,
)
from theory.step_density import StepDensity

DATA = st.integers(2, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-20, 20), min_size=n, max_size=n, unique=True),
        st.lists(st.integers(-12, 12), min_size=n, max_size=n),
        st.sampled_from([0.0, 1e-6, 0.01, 0.3, 0.9, 0.999, 1.5]),
    )
)
PROGRAMS: list[tuple[Any, Any]] = [
    (least_dirichlet_energy, check_energy_certificate),
    (least_arc_length, check_length_certificate),
]


def energy(x: Any, z: Any) -> float:
    return float(np.sum(np.diff(z) ** 2 / np.diff(x)) / 2)


def arc_length(x: Any, z: Any) -> float:
    return float(np.sum(np.hypot(np.diff(x), np.diff(z))))


def scaled(data: tuple[list[int], list[int], float]) -> tuple[Any, Any, float]:
    x, y = np.sort(np.array(data[0]) / 8), np.array(data[1]) / 4
    return x, y, data[2] * float(np.var(y))


@pytest.mark.parametrize("which", [0, 1], ids=["energy", "length"])
@given(data=DATA)
@settings(max_examples=40)
def test_the_least_is_what_a_general_solver_finds_and_the_function_has_it(which: int, data: Any) -> None:
    x, y, error = scaled(data)
    program, check = PROGRAMS[which]
    least = program(x, y, error)
    cost = (energy, arc_length)[which]
    z = np.asarray(least.function(x), dtype=np.float64)
    size = 1 + cost(x, y)
    assert np.mean((z - y) ** 2) <= error * (1 + 1e-12) + 1e-25
    assert least.value <= least.primal
    assert least.gap <= 1e-9 * size
    assert cost(x, z) == pytest.approx(least.primal, rel=1e-9, abs=1e-12)
    assert check(least.problem, least.certificate) == least.value
    if 1e-3 < data[2] < 1 and error:
        found = minimize(
            lambda v: cost(x, v),
            np.full(len(x), np.mean(y)) + (y - np.mean(y)) / 10,
            constraints={"type": "ineq", "fun": lambda v: error - np.mean((v - y) ** 2)},
            method="SLSQP",
            options={"maxiter": 300, "ftol": 1e-12},
        )
        inside = y + (found.x - y) * min(1.0, math.sqrt(error / float(np.mean((found.x - y) ** 2))))
        assert least.value <= cost(x, inside) + 1e-9 * size
        assert not found.success or least.value == pytest.approx(cost(x, inside), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("which", [0, 1], ids=["energy", "length"])
@given(data=DATA, seed=st.integers(0, 10**6))
@settings(max_examples=40)
def test_no_function_of_the_training_error_has_less(which: int, data: Any, seed: int) -> None:
    x, y, error = scaled(data)
    rng = np.random.default_rng(seed)
    program, check = PROGRAMS[which]
    least, cost = program(x, y, error), (energy, arc_length)[which]
    direction = rng.standard_normal(len(x))
    near = np.asarray(least.function(x), dtype=np.float64) + 10.0 ** rng.integers(-4, 1) * direction
    rival = y + (near - y) * min(1.0, math.sqrt(error / float(np.mean((near - y) ** 2))))
    size = 1 + cost(x, y)
    assert least.value <= cost(x, rival) + 1e-12 * size
    # Any numbers are a valid dual point, so none gives more than a function has.
    other = DifferenceCertificate(least.certificate.multipliers + rng.standard_normal(len(x) - 1))
    assert check(least.problem, other) <= least.primal


def test_three_points_by_hand() -> None:
    # (0, 3, 0) moved to (a, b, a) at error 1/2: 2 a^2 + (3 - b)^2 = 3/2 with a = 1/2, b = 2; E = (3/2)^2.
    least = least_dirichlet_energy([0, 1, 2], [0, 3, 0], 0.5)
    assert least.value == pytest.approx(2.25, rel=1e-12)
    assert least.function([0.0, 1.0, 2.0]) == pytest.approx([0.5, 2.0, 0.5], rel=1e-9)
    # The chords (4, 3) and (3, 4) have lengths 5, and the residuals (3, 1, -4) go with the changes of their sines.
    short = least_arc_length([0, 4, 7], [-3, 2, 11], Fraction(26, 3))  # type: ignore[arg-type]
    assert short.value == pytest.approx(10, rel=1e-12)
    assert short.function([0.0, 4.0, 7.0]) == pytest.approx([0.0, 3.0, 7.0], abs=1e-6)
    # The function of least energy at that error is another: it is longer, and the shortest one has more energy.
    gentle = least_dirichlet_energy([0, 4, 7], [-3, 2, 11], 26 / 3)
    x = np.array([0.0, 4.0, 7.0])
    assert arc_length(x, gentle.function(x)) > 10.0001
    assert gentle.primal < energy(x, [0, 3, 7]) - 0.001


@pytest.mark.parametrize(("program", "check"), PROGRAMS, ids=["energy", "length"])
def test_at_error_zero_the_data_are_interpolated_and_at_their_variance_a_constant_is_least(
    program: Any, check: Any
) -> None:
    x, y = [3.0, 0.0, 1.0], [2.0, 0.0, 5.0]
    through = program(x, y, 0)
    assert through.function(np.array(x)).tolist() == y
    expected = energy([0, 1, 3], [0, 5, 2]) if program is least_dirichlet_energy else arc_length([0, 1, 3], [0, 5, 2])
    assert through.value == pytest.approx(expected, rel=1e-14)
    flat = program(x, y, 5.0)
    assert flat.value == flat.primal == (0 if program is least_dirichlet_energy else 3)
    assert len(flat.function.knots) == 0


def test_the_function_is_constant_beyond_the_data() -> None:
    for least in (least_dirichlet_energy([0, 1, 2], [0, 3, 1], 0.1), least_arc_length([0, 1, 2], [0, 3, 1], 0.1)):
        f = least.function
        assert f(-100.0) == f(0.0)
        assert f(100.0) == pytest.approx(f(2.0), abs=1e-12)


def test_gentle_and_steep_data_are_solved_to_the_last_digits() -> None:
    rng = np.random.default_rng(5)
    for scale in (1e-6, 1.0, 1e6):
        x, y = rng.standard_normal(40), scale * rng.standard_normal(40)
        for program, _ in PROGRAMS:
            least = program(x, y, float(np.var(y)) / 20)
            assert least.gap <= 1e-9 * least.primal
    # 10 points of a parabola, as in Fig 1 of dherin2022.
    x = np.linspace(-1, 1, 10)
    least = least_arc_length(x, x**2, 1e-3)
    assert least.gap <= 1e-12


def test_with_a_density_f_changes_where_it_is_low() -> None:
    p = StepDensity([Fraction(0), Fraction(1, 2), Fraction(1)], [Fraction(1, 2), Fraction(3, 2)])
    least = least_dirichlet_energy([0, 1], [0, 1], 0, density=p)
    # int 1/p = 1 + 1/3, so half of the least int f'^2 p is 3/8; the straight line has 1/2.
    assert least.value == pytest.approx(3 / 8, rel=1e-14)
    assert least.primal == pytest.approx(3 / 8, rel=1e-14)
    assert least.function(0.5) == pytest.approx(3 / 4, rel=1e-14)
    # Where it is 0, a change costs nothing.
    hole = StepDensity([0, 1, 2, 3], [1, 0, 1])
    free = least_dirichlet_energy([0, 3, 5], [0, 1, 7], 0, density=hole)
    assert (free.value, free.primal) == (0, 0)
    assert free.function([1.0, 2.0, 3.0, 5.0]).tolist() == [0, 1, 1, 7]
    # With an error, the points on either side of a hole have a mean each.
    parts = least_dirichlet_energy([0, 1, 4, 5], [0, 2, 7, 9], 1.0, density=StepDensity([0, 2, 3, 6], [1, 0, 1]))
    assert (parts.value, parts.primal) == (0, 0)
    assert parts.function([0.0, 1.0, 4.0, 5.0]).tolist() == [1, 1, 8, 8]


@given(data=DATA, seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_a_density_that_is_one_changes_nothing_and_a_larger_one_only_upwards(data: Any, seed: int) -> None:
    x, y, error = scaled(data)
    rng = np.random.default_rng(seed)
    plain = least_dirichlet_energy(x, y, error)
    one = least_dirichlet_energy(x, y, error, density=StepDensity([-3, 3], [1]))
    assert one.value == pytest.approx(plain.value, rel=1e-9, abs=1e-12)
    edges = np.unique(np.append(rng.integers(-24, 24, 4) / 8, [-3.0, 3.0]))
    heights = rng.integers(1, 5, len(edges) - 1).astype(float)
    low, high = (least_dirichlet_energy(x, y, error, density=StepDensity(edges, h)) for h in (heights, heights + 1))
    assert low.value <= high.primal
    assert low.value <= low.primal
    assert low.gap <= 1e-9 * (1 + low.primal)
    # A density is at least its least height.
    assert plain.value * float(np.min(heights)) <= low.primal * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("program", [least_dirichlet_energy, least_arc_length])
def test_bad_input_is_named(program: Any) -> None:
    for arguments, error, reason in (
        (([0, 0, 1], [0, 1, 2], 0.1), ValueError, "distinct"),
        (([0, 1], [0, 1], -0.1), ValueError, "training_error must be finite and at least 0"),
        (([0, 1], [0, 1], math.nan), ValueError, "training_error must be finite"),
        (([0, 1], [0, 1], "0"), TypeError, "training_error must be a real number"),
        (([0], [0], 0), ValueError, "at least 2"),
        (([0, 1], [0, 1, 2], 0), ValueError, "y must hold one target"),
        (([0, 1], [0, math.inf], 0), ValueError, "y must hold finite numbers"),
    ):
        with pytest.raises(error, match=reason):
            program(*arguments)


def test_bad_certificates_and_densities_are_named() -> None:
    least = least_dirichlet_energy([0, 1, 2], [0, 3, 0], 0.5)
    for check in (check_energy_certificate, check_length_certificate):
        with pytest.raises(ValueError, match="must hold 2 multipliers, one for each piece, got 1"):
            check(least.problem, DifferenceCertificate(np.array([1.0])))
        with pytest.raises(ValueError, match="finite"):
            check(least.problem, DifferenceCertificate(np.array([1.0, math.nan])))
    with pytest.raises(TypeError, match="density must be a StepDensity, got float"):
        least_dirichlet_energy([0, 1], [0, 1], 0, density=1.0)  # type: ignore[arg-type]
