"""What the flattest network through data and the sharpest weight of a data set cost, with their exact checks."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measuring import seconds
from numerics.programs.flattest_interpolant import flattest_interpolant
from numerics.programs.sharpest_weight import sharpest_weight
from numerics.programs.worst_knots import check_interpolant_certificate
from theory.beyond import smallest_curvature
from theory.checks import Array


def random_data(n: int) -> tuple[Array, Array]:
    """Draw targets on a grid whose points are moved by up to a third of their distance."""
    rng = np.random.default_rng(0)
    return np.linspace(-1.5, 1.5, n) + rng.uniform(-1, 1, n) / n, rng.standard_normal(n)


@pytest.mark.parametrize("n", [10, 30, 50])
def test_flattest_interpolant(benchmark: BenchmarkFixture, n: int) -> None:
    x, y = random_data(n)
    found = benchmark.pedantic(flattest_interpolant, args=(x, y), rounds=3, warmup_rounds=1)
    benchmark.extra_info["rounds"] = found.rounds
    benchmark.extra_info["relative gap"] = found.gap / found.primal
    benchmark.extra_info["over B1"] = found.value / (1 + 2 * smallest_curvature(x, y))
    benchmark.extra_info["seconds to check"] = seconds(lambda: check_interpolant_certificate(x, y, found.certificate))
    assert found.value <= found.primal


@pytest.mark.parametrize("n", [10, 30, 50])
def test_sharpest_weight(benchmark: BenchmarkFixture, n: int) -> None:
    x, _ = random_data(n)
    found = benchmark.pedantic(lambda: sharpest_weight(x, curvature=1.0), rounds=3, warmup_rounds=1)
    benchmark.extra_info["relative gap"] = found.gap / found.primal
    benchmark.extra_info["over M5"] = found.value / 3
    assert found.value <= found.primal
