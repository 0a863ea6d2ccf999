import ast
import dataclasses
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from numerics.programs import certificates, interior_point
from numerics.programs.certificates import (
    SharpnessCertificate,
    certify,
    check_certificate,
    knot_costs,
    least_linear_cost,
    psd_margin,
)
from numerics.programs.flattest_implementation import FlattestImplementation, Solver, flattest_implementation
from numerics.programs.minimum_curvature import (
    CurvatureCertificate,
    check_curvature_certificate,
    curvature_problem,
    minimum_curvature,
)
from numerics.stability import sharpness, sharpness_with_error
from theory.beyond import smallest_curvature
from theory.checks import Array
from theory.mulayoff2021 import stability_weight, weighted_curvature
from theory.mulayoff2021.smooth_bounds import sharpness_lower_bound
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

FILE = sys.modules[flattest_implementation.__module__]
"""The module, whose name in its package is the function's."""

ROUNDING = 1e-12
"""Relative room for the rounding that certificates and sharpness allow for."""


def drawn(seed: int, *, most_units: int = 5, most_points: int = 7) -> tuple[Weights, Array]:
    """Draw a network and data of a random size and scale, some with pairs of units that supply a slope alone."""
    rng = np.random.default_rng(seed)
    k, n, scale = rng.integers(1, most_units + 1), rng.integers(1, most_points + 1), 10.0 ** rng.integers(-1, 2)
    w1, b1, w2 = rng.standard_normal((3, k)) * [[1.0], [scale], [1.0]]
    if rng.random() < 0.5:
        # -c relu(-(w x + b)) is c (w x + b) less c relu(w x + b): together a line, with a knot that f does not have.
        w1, b1, w2 = np.append(w1, -w1[0]), np.append(b1, -b1[0]), np.append(w2, -w2[0])
    return Weights(w1, b1, w2, rng.standard_normal()), scale * rng.standard_normal(n)


def semidefinite(seed: int, n: int, rank: int) -> Array:
    """Draw a dual matrix: of trace 1 and with the margin that makes it pass as positive semidefinite."""
    factor = np.random.default_rng(seed).standard_normal((n, rank))
    Z = factor @ factor.T
    Z = Z / np.trace(Z) + 4 * psd_margin(n) * np.eye(n)
    Z = (Z + Z.T) / 2
    return np.asarray(Z / np.trace(Z))


def own_class_by_brute_force(f: PiecewiseLinear, x: Array, starts: int) -> float:
    """Return the smallest sharpness that a simplex search finds over networks with knots at f's own."""
    m = len(f.knots)

    def sharpness_of(free: Array) -> float:
        left = np.append(free[: m - 1], -f.slope - np.sum(free[: m - 1]))
        v, ratio = np.append(f.jumps - left, left), np.exp(free[m - 1 :])
        signs, knots = np.repeat([1.0, -1.0], m), np.tile(f.knots, 2)
        w1 = signs * np.sqrt(np.abs(v) * ratio)
        w2 = np.sign(v) * np.sqrt(np.abs(v) / ratio)
        features = Weights(w1, -w1 * knots, w2, 0.0).tangent_features(x)
        return float(np.linalg.eigvalsh(features @ features.T / len(x))[-1])

    rng = np.random.default_rng(0)
    options = {"maxiter": 20000, "maxfev": 20000, "xatol": 1e-10, "fatol": 1e-12, "adaptive": True}
    found: list[Any] = [
        minimize(sharpness_of, rng.standard_normal(3 * m - 1), method="Nelder-Mead", options=options)
        for _ in range(starts)
    ]
    return min(float(minimize(sharpness_of, result.x, method="Nelder-Mead", options=options).fun) for result in found)


# --- what a dual matrix certifies


@given(st.integers(0, 10**6))
def test_no_network_is_flatter_than_any_dual_matrix_says(seed: int) -> None:
    net, x = drawn(seed)
    f = PiecewiseLinear.from_weights(net)
    Z = semidefinite(seed, len(x), 1 + seed % 3)
    found = sharpness_with_error(net, x)
    assert certify(f, x, Z).value <= found.value + found.error


@given(st.integers(0, 10**6))
def test_the_cost_of_a_unit_is_the_least_of_its_gram_over_scales(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, (knot, v) = rng.standard_normal(5), rng.standard_normal(2)
    Z = semidefinite(seed, 5, 2)
    for sign, (lower, upper) in zip((1.0, -1.0), knot_costs(Z, x, np.array([knot])), strict=True):
        w1 = np.geomspace(1e-3, 1e3, 400)  # the unit at each scale, all in one network: each has columns of its own
        features = Weights(sign * w1, -sign * w1 * knot, v / w1, 0.0).tangent_features(x)[:, :-1].reshape(5, 3, 400)
        traces = np.einsum("ij,jcu,icu->u", Z, features, features) / 5
        assert lower[0] <= upper[0] <= lower[0] * (1 + 1e-9) + 1e-6
        assert 2 * abs(v) * lower[0] * (1 - ROUNDING) <= min(traces) <= 2 * abs(v) * upper[0] * 1.001 + 1e-9


@given(st.integers(0, 10**6))
def test_the_dual_point_of_ones_gives_m5_and_its_weight(seed: int) -> None:
    net, x = drawn(seed)
    f, n = PiecewiseLinear.from_weights(net), len(x)
    certificate = certify(f, x, np.full((n, n), 1 / n))
    assert certificate.value >= sharpness_lower_bound(f, x)
    t = np.linspace(min(x) - 1, max(x) + 1, 50)
    flat = dataclasses.replace(certificate, tilt=0.0)
    np.testing.assert_allclose(flat.weight(t), stability_weight(t, x), rtol=1e-9, atol=1e-6 * np.max(np.abs(x)))
    np.testing.assert_array_equal(flat.weight(t), flat.weight(t, bend=-1))


@given(st.integers(0, 10**6))
def test_the_bound_is_the_curvature_under_the_weights_that_it_induces(seed: int) -> None:
    net, x = drawn(seed)
    f = PiecewiseLinear.from_weights(net)
    certificate = certify(f, x, semidefinite(seed, len(x), 2))
    terms = [abs(j) * certificate.weight([t], bend=int(np.sign(j)))[0] for t, j in zip(f.knots, f.jumps, strict=True)]
    total = certificate.constant + 2 * math.fsum(terms) - 2 * certificate.tilt * f.slope
    assert certificate.value == pytest.approx(max(total, sharpness_lower_bound(f, x)), rel=3e-9)


@given(st.integers(0, 10**6))
def test_the_least_cost_of_a_slope_bounds_every_knot_and_is_attained(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    x, Z = rng.standard_normal(n), semidefinite(seed, n, 1 + seed % 3)
    lowest, places, values = least_linear_cost(Z, x)
    t = np.concatenate([np.linspace(min(x) - 3, max(x) + 3, 500), places, np.nextafter(x, np.inf)])
    t = t[~np.isin(t, x)]
    costs = sum(upper for _, upper in knot_costs(Z, x, t))
    assert lowest <= np.min(costs)
    # Where a factor of Z has a zero the cost has a kink, of which rounding leaves the square root of eps.
    assert lowest >= np.min(values) * (1 - 1e-6) - 1e-6
    assert least_linear_cost(Z, x, enough=lowest / 2)[0] == lowest / 2


def test_a_dual_matrix_that_is_none_is_rejected() -> None:
    f, x = PiecewiseLinear([0.5], [1.0], 0.0, 0.0), np.array([0.0, 1.0, 2.0])
    good = semidefinite(0, 3, 2)
    skew = good.copy()
    skew[0, 1] += 1e-3
    for bad, reason in (
        (good - 0.1 * np.eye(3), "trace 1"),
        (1.3 * good - 0.1 * np.eye(3), "positive semidefinite"),
        (skew, "symmetric"),
        (good[:2], "shape"),
        (good * math.nan, "finite"),
    ):
        with pytest.raises(ValueError, match=reason):
            certify(f, x, bad)


def test_an_eigenvalue_just_below_zero_is_caught() -> None:
    n = 6
    Q = np.linalg.qr(np.random.default_rng(1).standard_normal((n, n)))[0]
    values = np.array([-1e-13, 0.1, 0.2, 0.2, 0.2, 0.3])
    Z = (Q * values) @ Q.T
    f = PiecewiseLinear([0.5], [1.0], 0.0, 0.0)
    with pytest.raises(ValueError, match="positive semidefinite"):
        certify(f, np.arange(n), (Z + Z.T) / 2)


def test_the_check_of_certificates_imports_no_solver() -> None:
    tree = ast.parse(Path(certificates.__file__).read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    assert imported == {"__future__", "dataclasses", "fractions", "math", "numpy", "theory"}


@pytest.fixture(scope="module")
def solved() -> tuple[PiecewiseLinear, Array, FlattestImplementation]:
    rng = np.random.default_rng(5)
    f = PiecewiseLinear(rng.standard_normal(4), rng.standard_normal(4), 0.8, -0.3)
    x = rng.standard_normal(6)
    return f, x, flattest_implementation(f, x)


def test_a_certificate_that_claims_more_is_rejected(
    solved: tuple[PiecewiseLinear, Array, FlattestImplementation],
) -> None:
    f, x, result = solved
    certificate = result.certificate
    assert check_certificate(f, x, certificate) == result.value
    n = len(x)
    tampered: list[SharpnessCertificate] = [
        dataclasses.replace(certificate, value=certificate.value * 1.0001),
        dataclasses.replace(certificate, value=math.nan),
        dataclasses.replace(certificate, dual_matrix=np.eye(n) / n),
        dataclasses.replace(certificate, dual_matrix=1.01 * certificate.dual_matrix),
        dataclasses.replace(certificate, dual_matrix=certificate.dual_matrix + np.diag([0.1, -0.1, *[0] * (n - 2)])),
    ]
    for wrong in tampered:
        with pytest.raises(ValueError, match=r"certificate claims|trace|semidefinite"):
            check_certificate(f, x, wrong)
    # It belongs to this function: one with less curvature does not have it.
    with pytest.raises(ValueError, match="certificate claims"):
        check_certificate(PiecewiseLinear(f.knots, f.jumps / 2, f.slope / 2, 0.0), x, certificate)


# --- the flattest implementation


@pytest.mark.parametrize("seed", range(12))
def test_the_flattest_network_lies_between_m5_and_every_network(seed: int) -> None:
    net, x = drawn(seed)
    f = PiecewiseLinear.from_weights(net)
    result = flattest_implementation(f, x)
    assert sharpness_lower_bound(f, x) <= result.value <= result.primal * (1 + ROUNDING)
    assert result.primal <= max(sharpness(net, x), result.value * (1 + 1e-5)) * (1 + 1e-5)
    if len(x) > 1:
        assert result.status == "optimal"
    assert check_certificate(f, x, result.certificate) == result.value
    t = np.concatenate([np.linspace(min(x) - 3, max(x) + 3, 201), f.knots])
    np.testing.assert_allclose(result.network.weights()(t), f(t), rtol=0, atol=1e-9 * max(1, np.max(np.abs(f(t)))))
    assert result.primal == pytest.approx(sharpness(result.network, x), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_no_search_over_networks_with_knots_of_the_function_finds_a_flatter_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = 1 + seed % 2
    f = PiecewiseLinear(rng.uniform(-0.9, 0.9, m), rng.standard_normal(m), rng.standard_normal(), 0.0)
    x = np.append([-1.0, 1.0], rng.uniform(-1, 1, 2))
    result = flattest_implementation(f, x, extra_knots=())
    brute = own_class_by_brute_force(f, x, starts=4)
    assert result.value <= brute * (1 + 1e-9)
    assert result.primal <= brute * (1 + 1e-5)
    assert brute == pytest.approx(result.value, rel=1e-3)


def test_a_line_costs_more_than_m5_says() -> None:
    # M5 knows only f'': for a line it says 1.
    x, slope = np.array([-1.0, 1.0]), 3.0
    f = PiecewiseLinear([], [], slope, 0.0)
    result = flattest_implementation(f, x)
    assert result.status == "optimal"
    assert sharpness_lower_bound(f, x) == pytest.approx(1)
    assert result.value > 2
    for net in (Weights([1.0, -1.0], [0.0, 0.0], [slope, -slope], 0.0), Weights([1.0], [1.5], [slope], 0.0)):
        assert result.value <= sharpness(net, x)


def test_fewer_knots_to_choose_from_make_no_network_flatter() -> None:
    f, x = PiecewiseLinear([0.1], [1.0], 2.0, 0.0), np.array([-1.0, 0.0, 0.5, 2.0])
    own = flattest_implementation(f, x, extra_knots=())
    more = flattest_implementation(f, x, extra_knots=[-1.1, 2.1])
    every = flattest_implementation(f, x)
    assert {own.status, more.status, every.status} == {"optimal"}
    assert every.value <= more.value * (1 + 1e-5)
    assert more.value <= own.value * (1 + 1e-5)
    assert every.primal < own.value  # so its dual matrix is no bound on the larger class, and the check must see that
    with pytest.raises(ValueError, match="certificate claims"):
        check_certificate(f, x, dataclasses.replace(own.certificate, extra_knots=None))
    assert set(np.round(-own.network.weights().b1 / own.network.weights().w1, 12)) == {0.1}


def test_a_constant_is_computed_by_no_unit() -> None:
    result = flattest_implementation(PiecewiseLinear([], [], 0.0, 2.5), [0.0, 1.0, 4.0])
    assert (result.status, result.network.weights().width) == ("optimal", 0)
    assert result.primal == pytest.approx(1)
    assert result.network.weights().b2 == 2.5


def test_knots_outside_the_data_cost_nothing_but_the_slope_inside() -> None:
    x = np.array([0.0, 1.0, 3.0])
    bent = PiecewiseLinear([-1.0, 5.0], [2.0, -4.0], -1.5, 0.0)
    line = PiecewiseLinear([], [], 0.5, 0.0)
    first, second = flattest_implementation(bent, x), flattest_implementation(line, x)
    assert first.value == pytest.approx(second.value, rel=2e-5)


def test_scaling_targets_and_rational_functions_change_nothing_else() -> None:
    knots, jumps = [Fraction(1, 3), Fraction(7, 5)], [Fraction(2, 7), Fraction(-1)]
    exact = PiecewiseLinear(knots, jumps, Fraction(1, 9), Fraction(0))
    rounded = PiecewiseLinear([float(k) for k in knots], [float(j) for j in jumps], 1 / 9, 0.0)
    x = [Fraction(0), Fraction(1), Fraction(2)]
    assert flattest_implementation(exact, x).value == pytest.approx(
        flattest_implementation(rounded, [0.0, 1.0, 2.0]).value, rel=1e-6
    )


def test_a_knot_on_a_data_point_or_a_slope_without_knots_is_refused() -> None:
    x = [0.0, 1.0]
    with pytest.raises(ValueError, match="data points"):
        flattest_implementation(PiecewiseLinear([1.0], [1.0], 0.0, 0.0), x)
    with pytest.raises(ValueError, match="data points"):
        flattest_implementation(PiecewiseLinear([0.5], [1.0], 0.0, 0.0), x, extra_knots=[1.0])
    with pytest.raises(ValueError, match="must hold a knot"):
        flattest_implementation(PiecewiseLinear([], [], 1.0, 0.0), x, extra_knots=())
    with pytest.raises(TypeError, match="PiecewiseLinear"):
        flattest_implementation([1.0], x)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tolerance"):
        flattest_implementation(PiecewiseLinear([0.5], [1.0], 0.0, 0.0), x, tolerance=0.0)
    with pytest.raises(ValueError, match="solver must be one of 'structured', 'clarabel', got 'simplex'"):
        flattest_implementation(PiecewiseLinear([0.5], [1.0], 0.0, 0.0), x, solver="simplex")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_both_solvers_find_the_same_minimum(seed: int) -> None:
    net, x = drawn(seed, most_units=30, most_points=12)
    f = PiecewiseLinear.from_weights(net)
    # Clarabel is asked for more than it gives; what it gives is held against what its bound and its network are worth.
    mine, other = flattest_implementation(f, x), flattest_implementation(f, x, solver="clarabel")
    assert mine.status == "optimal"
    assert mine.value <= other.primal * (1 + ROUNDING)
    assert other.value <= mine.primal * (1 + ROUNDING)
    assert mine.primal <= other.primal * (1 + 1e-5)
    assert mine.value >= other.value * (1 - 1e-5)


@pytest.mark.parametrize("distance", [1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("seed", range(4))
def test_knots_may_be_as_close_to_data_points_as_training_leaves_them(seed: int, distance: float) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.standard_normal(7))
    knots = np.concatenate([x - distance * rng.random(7), x + distance * rng.random(7), rng.standard_normal(10)])
    f = PiecewiseLinear(knots, rng.standard_normal(len(knots)) / 5, 0.3, 0.0)
    result = flattest_implementation(f, x)
    assert result.status == "optimal"
    assert check_certificate(f, x, result.certificate) == result.value
    t = np.append(x, f.knots)
    np.testing.assert_allclose(result.network.weights()(t), f(t), atol=1e-9)


def test_hundreds_of_knots_and_data_points_are_within_reach() -> None:
    rng = np.random.default_rng(0)
    f = PiecewiseLinear(rng.uniform(-1.5, 1.5, 200), rng.standard_normal(200) / 14, 0.3, 0.0)
    result = flattest_implementation(f, rng.uniform(-1.5, 1.5, 60))
    assert result.status == "optimal"
    assert result.value > sharpness_lower_bound(f, result.certificate.points)


@pytest.mark.parametrize("solver", ["structured", "clarabel"])
def test_a_solver_that_fails_leaves_bounds_that_hold(
    monkeypatch: pytest.MonkeyPatch,
    solved: tuple[PiecewiseLinear, Array, FlattestImplementation],
    solver: Solver,
) -> None:
    f, x, best = solved

    def fail(*_: object, **__: object) -> None:
        raise cp.SolverError("no")

    monkeypatch.setattr(cp.Problem, "solve", fail)
    monkeypatch.setattr(FILE, "solve", lambda *_, **__: None)
    result = flattest_implementation(f, x, solver=solver)
    assert (result.status, result.rounds) == ("inaccurate", 0)
    assert sharpness_lower_bound(f, x) <= result.value <= best.primal <= result.primal
    t = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(result.network.weights()(t), f(t), atol=1e-9)


@pytest.mark.parametrize("steps", [0, 3])
def test_a_method_that_breaks_off_leaves_bounds_that_hold(
    monkeypatch: pytest.MonkeyPatch, solved: tuple[PiecewiseLinear, Array, FlattestImplementation], steps: int
) -> None:
    f, x, best = solved
    step, taken = interior_point._step, []

    def breaks_off(*arguments: Any) -> Any:
        taken.append(1)
        if len(taken) > steps:
            raise np.linalg.LinAlgError("singular")
        return step(*arguments)

    monkeypatch.setattr(interior_point, "_step", breaks_off)
    result = flattest_implementation(f, x)
    assert result.status == "inaccurate"
    assert sharpness_lower_bound(f, x) <= result.value <= best.primal <= result.primal
    t = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(result.network.weights()(t), f(t), atol=1e-9)


def test_a_solver_that_errs_is_found_out(
    monkeypatch: pytest.MonkeyPatch, solved: tuple[PiecewiseLinear, Array, FlattestImplementation]
) -> None:
    f, x, best = solved
    solve = interior_point.solve

    def wrong(*arguments: Any, **options: Any) -> Any:
        solution = solve(*arguments, **options)
        assert solution is not None
        return solution._replace(dual=np.eye(len(x)) - 0.3, left=solution.left + 1.0)

    monkeypatch.setattr(FILE, "solve", wrong)
    result = flattest_implementation(f, x)
    assert result.status == "inaccurate"
    assert result.value <= best.primal <= result.primal * (1 + 1e-6)


# --- minimum curvature

DATA = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(-40, 40), min_size=n, max_size=n, unique=True),
        st.lists(st.integers(-20, 20), min_size=n, max_size=n),
    )
)


def fractions(values: list[int], over: int) -> list[Fraction]:
    return [Fraction(value, over) for value in values]


@given(DATA)
@settings(max_examples=40)
def test_the_linear_spline_varies_least_exactly(data: tuple[list[int], list[int]]) -> None:
    x, y = fractions(data[0], 7), fractions(data[1], 3)
    spline = PiecewiseLinear.interpolate(x, y)
    result = minimum_curvature(x, y, knots=np.linspace(-6, 6, 9))
    expected = spline.derivative_variation()
    assert result.value <= expected
    assert result.value == pytest.approx(float(expected), rel=1e-9)
    assert result.primal == pytest.approx(float(expected), rel=1e-7, abs=1e-7)
    assert result.everywhere


@given(DATA)
@settings(max_examples=40)
def test_the_stability_weight_gives_the_smallest_curvature_of_b1(data: tuple[list[int], list[int]]) -> None:
    x, y = np.array(data[0]) / 8, np.array(data[1]) / 4
    result = minimum_curvature(x, y, weight="stability", knots=np.linspace(-5, 5, 7))
    expected = smallest_curvature(x, y)
    assert result.value <= expected * (1 + ROUNDING)
    assert result.value == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert weighted_curvature(PiecewiseLinear.interpolate(x, y), x) >= result.value * (1 - ROUNDING)


def test_the_example_of_volhejn_has_curvature_two() -> None:
    result = minimum_curvature([-2, -1, 1, 2], [1, 0, 0, 1])  # V8
    assert (result.value, result.primal) == (2.0, 2.0)
    assert result.function.same_function(PiecewiseLinear.interpolate([-2, -1, 1, 2], [1, 0, 0, 1]))


@given(DATA, st.integers(0, 10**6))
@settings(max_examples=60)
def test_no_function_in_the_tubes_bends_less_and_the_one_returned_does_it(
    data: tuple[list[int], list[int]], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.sort(np.array(data[0]) / 8), np.array(data[1]) / 4
    spline = PiecewiseLinear.interpolate(x, y)
    bound = 1.1 * float(np.max(np.abs(spline.slopes))) + 0.1
    tube, weight = rng.choice([0.0, 0.5]), rng.choice(["unit", "stability"])
    result = minimum_curvature(x, y, weight=weight, tube=tube, slopes=(-bound, bound), knots=rng.uniform(-5, 5, 6))
    size = 1 + np.max(np.abs(y))
    assert 0 <= result.value <= result.primal + 1e-9 * size
    assert result.gap <= 1e-6 * (size + result.primal)
    assert result.violation <= 1e-8 * size
    assert np.max(np.abs(result.function(x) - y)) <= tube + 1e-8 * size
    # A rival: any function in the tubes with these slopes, its knots anywhere.
    middles = (x[1:] + x[:-1]) / 2
    rival = PiecewiseLinear.interpolate(np.append(x, middles), np.append(y, spline(middles)))
    assert result.value <= minimum_curvature(x, rival(x), weight=weight).primal + 1e-9 * size


def test_tubes_slopes_and_bends_by_hand() -> None:
    x, y = [0.0, 1.0, 2.0], [0.0, 1.0, 0.0]
    assert minimum_curvature(x, y).value == pytest.approx(2)
    # Each end raised and the peak lowered by e: the slopes are 1 - 2e and -(1 - 2e).
    assert minimum_curvature(x, y, tube=0.25).value == pytest.approx(1, rel=1e-9)
    assert minimum_curvature(x, y, tube=[0.25, 0.0, 0.0]).value == pytest.approx(1.75, rel=1e-9)
    assert minimum_curvature(x[::-1], y[::-1], tube=[0.0, 0.0, 0.25]).value == pytest.approx(1.75, rel=1e-9)
    # Where bending beside the data point costs a tenth: a slope s through (1, 1), taken up at 1/2 and given up at 3/2,
    # takes jumps of |2 - 2s| and |2 + 2s|, 4 in all at best.
    cheap = minimum_curvature(x, y, weight=lambda t: np.where(t == 1.0, 1.0, 0.1), knots=[0.5, 1.5])
    assert not cheap.everywhere
    assert cheap.value == pytest.approx(0.4, rel=1e-9)
    rising = minimum_curvature([0, 1, 2], [0, 0.25, 1], slopes=(0, math.inf))
    assert rising.value == pytest.approx(0.5, rel=1e-9)
    concave = minimum_curvature([0, 1, 2, 3], [0, 1, 1, 2], tube=0.5, bend="concave")
    assert concave.value == pytest.approx(0, abs=1e-9)
    convex = minimum_curvature([0, 1, 2], [0, 0, 1], tube=0.1, bend="convex")
    assert convex.value == pytest.approx(0.6, rel=1e-9)
    assert np.all(convex.function.jumps > 0)


def test_slopes_that_bind_raise_the_bound() -> None:
    x, y = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0]
    free = minimum_curvature(x, y, tube=0.2)
    bound = minimum_curvature(x, y, tube=0.2, slopes=(-0.6, 1.0))
    assert bound.value >= free.value * (1 - 1e-9)
    assert bound.gap <= 1e-8
    lipschitz = minimum_curvature([0, 1, 3], [0, 1, 1], slopes=(-1, 1), weight=lambda t: 1 + t, knots=[0.5, 2, 2.5])
    assert lipschitz.value == pytest.approx(2, rel=1e-9)
    steeper = minimum_curvature([0, 1, 3], [0, 1, 1], weight=lambda t: 1 + t, knots=[0.5, 2, 2.5])
    assert steeper.value <= lipschitz.value * (1 + 1e-9)
    assert max(np.abs(np.asarray(lipschitz.function.slopes))) <= 1 + 1e-8


def test_problems_without_a_solution_say_so() -> None:
    for arguments, reason in (
        ({"x": [0, 0, 1], "y": [0, 1, 2]}, "distinct"),
        ({"x": [0, 1], "y": [0, 1], "tube": -0.1}, "tube"),
        ({"x": [0, 1], "y": [0, 1], "tube": [0.1]}, "tube"),
        ({"x": [0, 1, 2], "y": [0, 5, 0], "slopes": (-1, 1)}, "up to x = 1.0"),
        ({"x": [0, 1, 2], "y": [0, 1, 0], "slopes": (0, math.inf)}, "up to x = 2.0"),
        ({"x": [0, 1, 2], "y": [0, 1, 0], "bend": "convex"}, "convex function"),
        ({"x": [0, 1, 2], "y": [0, 1, 0], "bend": "round"}, "bend must be"),
        ({"x": [0, 1], "y": [0, 1], "slopes": (1, 0)}, "slopes must be"),
        ({"x": [0, 1], "y": [0, 1], "weight": "heavy"}, "weight must be"),
        ({"x": [0, 1], "y": [0, 1], "weight": lambda t: t - 5}, "weight must return"),
        ({"x": [0], "y": [0]}, "at least 2"),
    ):
        with pytest.raises(ValueError, match=reason):
            minimum_curvature(**arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="weight must be"):
        minimum_curvature([0, 1], [0, 1], weight=3)  # type: ignore[arg-type]


@given(DATA, st.integers(0, 10**6))
@settings(max_examples=60)
def test_any_numbers_are_a_valid_dual_point(data: tuple[list[int], list[int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = np.array(data[0]) / 8, np.array(data[1]) / 4
    bound = float(np.max(np.abs(PiecewiseLinear.interpolate(x, y).slopes))) + 1
    slopes = [(-math.inf, math.inf), (-bound, bound), (-bound, math.inf)][seed % 3]
    arguments: Any = {"weight": ["unit", "stability"][seed % 2], "tube": 0.25, "knots": [-1.3, 0.7], "slopes": slopes}
    problem = curvature_problem(x, y, **arguments)
    m = len(problem.breakpoints)
    point = CurvatureCertificate(rng.standard_normal(len(x)), 0.3 * rng.standard_normal(m - 1))
    best = minimum_curvature(x, y, **arguments)
    assert check_curvature_certificate(problem, point) <= best.primal + 1e-9
    assert check_curvature_certificate(problem, best.certificate) == best.value
    with pytest.raises(ValueError, match="must hold"):
        check_curvature_certificate(problem, CurvatureCertificate(point.bends[1:], point.slopes))


def test_a_dual_point_too_large_between_data_points_is_scaled_down() -> None:
    problem = curvature_problem([0, 1, 2], [0, 1, 0], weight=lambda t: np.where(t == 1.0, 1.0, 0.125), knots=[0.5, 1.5])
    # P is -1 at the peak, as the weight allows there, but -1/2 at 1/2 and 3/2, four times the weight.
    point = CurvatureCertificate(np.array([0.0, -1.0, 0.0]), np.zeros(4))
    assert check_curvature_certificate(problem, point) == 0.5
