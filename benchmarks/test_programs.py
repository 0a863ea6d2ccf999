"""What the flattest implementation of a function and its certificate cost, and networks of least path length through data.

The other way states the same program to cvxpy, which passes it to Clarabel with an n x n cone and a cone for each unit;
of data, the linear function of least slope.
"""

import cvxpy as cp
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measuring import timed
from numerics.programs.certificates import check_certificate
from numerics.programs.flattest_implementation import Solver, flattest_implementation
from numerics.programs.least_path_length import least_path_length
from numerics.programs.path_length_bounds import Measure
from theory.checks import Array
from theory.mulayoff2021 import sharpness_lower_bound
from theory.piecewise_linear import PiecewiseLinear


def random_function(knots: int, n: int) -> tuple[PiecewiseLinear, Array]:
    rng = np.random.default_rng(0)
    jumps = rng.standard_normal(knots) / np.sqrt(knots)
    return PiecewiseLinear(rng.uniform(-1.5, 1.5, knots), jumps, rng.standard_normal(), 0.0), rng.uniform(-1.5, 1.5, n)


def solved(benchmark: BenchmarkFixture, knots: int, n: int, solver: Solver, rounds: int) -> None:
    f, x = random_function(knots, n)
    result = benchmark.pedantic(
        flattest_implementation, args=(f, x), kwargs={"solver": solver}, rounds=rounds, warmup_rounds=int(rounds > 1)
    )
    benchmark.extra_info["programs"] = result.rounds
    benchmark.extra_info["relative gap"] = result.gap / result.primal
    benchmark.extra_info["over M5"] = result.value / sharpness_lower_bound(f, x)
    assert result.status == "optimal"


@pytest.mark.parametrize("n", [10, 30, 100])
@pytest.mark.parametrize("knots", [10, 30, 100, 300])
def test_flattest_implementation(benchmark: BenchmarkFixture, knots: int, n: int) -> None:
    solved(benchmark, knots, n, "structured", rounds=3)


def test_flattest_implementation_of_many_data(benchmark: BenchmarkFixture) -> None:
    solved(benchmark, 1000, 300, "structured", rounds=1)


@pytest.mark.parametrize("n", [10, 30])
@pytest.mark.parametrize("knots", [10, 30, 100, 300])
def test_flattest_implementation_by_clarabel(benchmark: BenchmarkFixture, knots: int, n: int) -> None:
    solved(benchmark, knots, n, "clarabel", rounds=3)


def test_flattest_implementation_by_clarabel_at_its_largest(benchmark: BenchmarkFixture) -> None:
    solved(benchmark, 300, 100, "clarabel", rounds=1)


@pytest.mark.parametrize(("knots", "n"), [(30, 30), (100, 30), (300, 100)])
def test_check_certificate(benchmark: BenchmarkFixture, knots: int, n: int) -> None:
    f, x = random_function(knots, n)
    certificate = flattest_implementation(f, x).certificate
    assert benchmark.pedantic(check_certificate, args=(f, x, certificate), rounds=3) == certificate.value


@pytest.mark.parametrize("measure", ["PL0", "PL1", "WP"])
@pytest.mark.parametrize("n", [64, 128, 256])
def test_least_path_length(benchmark: BenchmarkFixture, n: int, measure: Measure) -> None:
    """Points of 784 inputs whose variances fall as those of images do, beside the smallest linear function by Clarabel."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 784)) * 5 / np.arange(1, 785)
    y = np.sign(x[:, :8].sum(axis=1) + 3 * rng.standard_normal(n))

    def by_clarabel() -> None:
        slope, offset = cp.Variable(784), cp.Variable()
        cp.Problem(cp.Minimize(cp.norm(slope)), [x @ slope + offset == y]).solve(solver=cp.CLARABEL)

    least = least_path_length(x, y, measure)
    benchmark.extra_info["bound"], benchmark.extra_info["network"] = least.value, least.primal
    timed(benchmark, lambda: least_path_length(x, y, measure), by_clarabel, "Clarabel", rounds=1)
