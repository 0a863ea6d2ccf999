"""The flattest network through data, and the sharpest weight of a data set: programs over all networks at once."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from numerics.programs.flattest_implementation import flattest_implementation
from numerics.programs.flattest_interpolant import flattest_interpolant
from numerics.programs.sharpest_weight import largest_curvature, sharpest_weight
from numerics.programs.worst_knots import (
    InterpolantCertificate,
    WeightCertificate,
    check_interpolant_certificate,
    check_weight_certificate,
    weight_ratio,
)
from numerics.stability import sharpness, sharpness_with_error
from theory.beyond import critical_step_size, smallest_curvature
from theory.beyond.dual_bounds import unit_costs
from theory.checks import Array, rationals
from theory.claim import AssumptionError
from theory.mulayoff2021 import weighted_curvature
from theory.mulayoff2021.smooth_bounds import curvature_bound
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import stability_weight
from theory.two_layer import Weights


def data(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    x = np.sort(rng.uniform(-2, 2, n)) + (0.0, 0.0, 5.0)[seed % 3]
    return x, rng.standard_normal(n) * 10.0 ** rng.integers(-1, 2)


def unit_trace(seed: int, n: int) -> Array:
    root = np.random.default_rng(seed).standard_normal((n, n))
    return np.asarray(root @ root.T / np.sum(root**2))


@pytest.mark.parametrize("seed", range(20))
def test_the_flattest_interpolant_attains_its_bound(seed: int) -> None:
    x, y = data(seed)
    found = flattest_interpolant(x, y)
    assert found.status == "optimal"
    assert found.violation <= 1e-10 * max(1.0, float(np.max(np.abs(y))))
    weights = found.network.weights()
    assert not set(-weights.b1 / weights.w1) & set(x)
    measured = sharpness_with_error(found.network, x)
    assert measured.value - measured.error <= found.primal <= found.value * (1 + 1e-5)
    assert check_interpolant_certificate(x, y, found.certificate) == found.value
    assert found.largest_step_size() >= 2 / found.value > 2 / found.primal * (1 - 1e-12)
    assert found.largest_step_size(loss="mean") == found.largest_step_size() / 2


@pytest.mark.parametrize("seed", range(20))
def test_no_interpolant_is_flatter(seed: int) -> None:
    x, y = data(seed)
    found, rng = flattest_interpolant(x, y), np.random.default_rng(seed)
    # B1.a's bound comes from one dual point.
    assert 1 + 2 * smallest_curvature(x, y) <= found.value * (1 + 1e-9)
    assert found.largest_step_size() <= critical_step_size(x, y) * (1 + 1e-9)
    # Any other function through the data, with knots of its own off the data.
    knots = np.concatenate([x[:-1] + np.diff(x) * rng.uniform(0.01, 0.99, len(x) - 1), x[1:] - 1e-3 * np.diff(x)])
    other = PiecewiseLinear(knots, rng.standard_normal(len(knots)), rng.standard_normal(), 0.0)
    least = flattest_interpolant(x, other(x))
    assert flattest_implementation(other, x).primal >= least.value * (1 - 1e-9)


def test_the_flattest_interpolant_of_two_points_in_closed_form() -> None:
    # x = -a, a and y = -c, c: by symmetry a unit on each side; <Z, .> at Z = 1 1^T/2 says 1 + c sqrt(1 + a^2).
    a, c = 0.75, 2.0
    found = flattest_interpolant([-a, a], [-c, c])
    assert found.value == pytest.approx(1 + c * math.hypot(1, a), rel=1e-5)


def test_data_on_a_constant_are_met_by_the_flattest_network_of_all() -> None:
    found = flattest_interpolant([0.0, 1.0, 3.0], [2.0, 2.0, 2.0])
    assert found.value == 1.0
    assert found.primal == pytest.approx(1.0)
    assert found.largest_step_size() == pytest.approx(2.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_ratio_of_weights_is_that_on_a_fine_grid(seed: int) -> None:
    x, _ = data(seed)
    Z = unit_trace(seed, len(x))
    found = weight_ratio(x, Z)
    inside = np.concatenate([np.linspace(low, high, 41)[1:-1] for low, high in itertools.pairwise(x)])
    right, left = unit_costs(rationals(Z), rationals(x), rationals(inside))
    least = np.array([min(float(r.upper), float(h.upper)) for r, h in zip(right, left, strict=True)])
    grid = float(np.min(least / stability_weight(inside, x)))
    assert 0 < found <= grid * (1 + 1e-12)
    assert found >= grid * 0.8  # the least ratio is often at a data point, beside the grid
    assert found <= len(x) * min(Z[0, 0], Z[-1, -1]) * (1 + 1e-12)  # B2.c


@pytest.mark.parametrize("curvature", [0.0, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("seed", range(6))
def test_the_sharpest_weight_attains_its_bound(seed: int, curvature: float) -> None:
    x, _ = data(seed)
    found = sharpest_weight(x, curvature=curvature)
    assert found.status == "optimal"
    assert found.value >= (1 + 2 * curvature) * (1 - 1e-12)  # M5's matrix is one of those it could have taken
    assert check_weight_certificate(x, curvature, found.certificate) == found.value
    f = PiecewiseLinear.from_weights(found.network.weights())
    assert weighted_curvature(f, x) == pytest.approx(curvature, rel=1e-9, abs=1e-12)
    assert sharpness(found.network, x) <= found.primal <= found.value * (1 + 1e-5)
    # At the step size at which that network is on the edge, it is what the sharpened Theorem 1 allows.
    assert found.curvature_bound(2 / found.primal) == pytest.approx(curvature, rel=1e-4, abs=1e-5)
    assert found.curvature_bound(2 / found.primal) <= curvature_bound(2 / found.primal) * (1 + 1e-9) + 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_no_network_is_flatter_than_the_sharpest_weight_says(seed: int) -> None:
    x, _ = data(seed)
    rng = np.random.default_rng(seed + 100)
    k = int(rng.integers(1, 6))
    w1, knots = rng.standard_normal(k), rng.uniform(x[0], x[-1], k)
    network = Weights(w1, -w1 * knots, rng.standard_normal(k), 0.0)
    K = weighted_curvature(PiecewiseLinear.from_weights(network), x)
    assert sharpest_weight(x, curvature=K).value <= sharpness(network, x) * (1 + 1e-9)


@pytest.mark.parametrize("step_size", [0.05, 0.5, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_the_largest_curvature_is_where_the_flattest_network_is_on_the_edge(seed: int, step_size: float) -> None:
    x, _ = data(seed)
    K = largest_curvature(x, step_size=step_size)
    assert 0 < K <= curvature_bound(step_size)
    assert sharpest_weight(x, curvature=K).primal == pytest.approx(2 / step_size, rel=3e-5)
    assert largest_curvature(x, step_size=step_size / 2, loss="mean") == pytest.approx(K, rel=1e-9)
    for other in (0.1, 1.0, 10.0):  # no other dual matrix says more
        assert sharpest_weight(x, curvature=other).curvature_bound(step_size) >= K * (1 - 1e-5)


def test_beyond_two_no_minimum_is_stable() -> None:
    with pytest.raises(AssumptionError, match=r"got 2\.5 or more: lambda_max is at least 1"):
        largest_curvature([-1.0, 0.0, 1.0], step_size=2.5)


def test_three_points_reach_the_most_that_any_weight_can() -> None:
    # B2.c: no weight is more than n/2 times g; (1, 0, 1)/sqrt(2) on -1, 0, 1 is. On two points none is more than g.
    assert weight_ratio([-1.0, 0.0, 1.0], [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]) == 1.5
    assert sharpest_weight([-1.0, 0.0, 1.0], curvature=1e4).ratio == pytest.approx(1.5, rel=1e-5)
    assert sharpest_weight([-1.0, 1.0], curvature=10.0).ratio == 1.0


@pytest.mark.parametrize("seed", range(6))
def test_a_certificate_that_was_tampered_with_proves_no_more_than_is_true(seed: int) -> None:
    x, y = data(seed)
    found, rng = flattest_interpolant(x, y), np.random.default_rng(seed)
    Z, p = found.certificate.dual_matrix, found.certificate.multipliers
    for factor in (2.0, 1e3, -1.0):
        assert check_interpolant_certificate(x, y, InterpolantCertificate(Z, factor * p)) <= found.primal
    for noise in (1e-6, 1e-2):
        moved = InterpolantCertificate(Z, p * (1 + noise * rng.standard_normal(len(p))))
        assert check_interpolant_certificate(x, y, moved) <= found.primal
    negative = Z + np.diag([-Z[0, 0] - 0.1, *np.ones(len(Z) - 1)])
    for matrix, message in ((negative, "positive semidefinite"), (Z + np.triu(np.ones_like(Z), 1), "symmetric")):
        with pytest.raises(ValueError, match=message):
            check_interpolant_certificate(x, y, InterpolantCertificate(matrix, p))
        with pytest.raises(ValueError, match=message):
            check_weight_certificate(x, 1.0, WeightCertificate(matrix))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: flattest_interpolant([0.0, 0.0], [1.0, 2.0]), ValueError, "distinct points"),
        (lambda: flattest_interpolant([0.0, 1.0], [1.0]), ValueError, "y must hold one target"),
        (lambda: flattest_interpolant([0.0, 1.0], [1.0, math.nan]), ValueError, "y must hold finite numbers"),
        (lambda: flattest_interpolant([0.0], [1.0]), ValueError, "at least 2"),
        (lambda: flattest_interpolant([0.0, 1.0], [1.0, 0.0], tolerance=0), ValueError, "tolerance must be finite"),
        (lambda: sharpest_weight([0.0, 1.0], curvature=-1), ValueError, "curvature must be finite and at least 0"),
        (lambda: sharpest_weight([0.0, 1.0], curvature=math.inf), ValueError, "curvature must be finite"),
        (lambda: sharpest_weight([0.0], curvature=1), ValueError, "at least 2"),
        (lambda: sharpest_weight(["a", "b"], curvature=1), TypeError, "real numbers"),  # type: ignore[list-item]
        (lambda: largest_curvature([0.0, 1.0], step_size=-1.0), ValueError, "step_size must be finite and above 0"),
        (lambda: weight_ratio([0.0, 1.0], [[1.0]]), ValueError, r"must have shape \(2, 2\)"),
        (lambda: weight_ratio([0.0, 1.0], [[0.0, 0.0], [0.0, 0.0]]), ValueError, "trace above 0"),
    ],
)
def test_arguments_that_cannot_be_meant(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
