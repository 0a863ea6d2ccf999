"""What the sharpness and the stability weight cost at full size, and against the dense way at a size it can bear."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measuring import compare, peak_megabytes
from numerics.reference import stability_weight_by_masks
from numerics.stability import Sharpness, sharpness_with_error
from theory.checks import Array
from theory.mulayoff2021 import sharpness_lower_bound, stability_weight
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

EPS = float(np.finfo(np.float64).eps)


def random_weights(width: int) -> Weights:
    """Draw a network whose knots are spread over the data and whose outputs stay of order 1."""
    rng = np.random.default_rng(0)
    w1 = rng.standard_normal(width)
    return Weights(w1, -w1 * rng.uniform(-1, 1, width), rng.standard_normal(width) / np.sqrt(width), 0.0)


def random_points(n: int) -> Array:
    return np.random.default_rng(1).uniform(-1, 1, n)


def test_sharpness_of_a_hundred_thousand_units_on_as_many_points(benchmark: BenchmarkFixture) -> None:
    net, x = random_weights(10**5), random_points(10**5)
    found: Sharpness = benchmark.pedantic(lambda: sharpness_with_error(net, x), rounds=5, warmup_rounds=1)
    peak = peak_megabytes(lambda: sharpness_with_error(net, x))
    benchmark.extra_info["peak MB"] = peak
    benchmark.extra_info["MB of the features alone"] = 8 * len(x) * (3 * net.width + 1) / 1e6
    benchmark.extra_info["relative error"] = found.error / found.value
    assert found.error < 1e-6 * found.value
    assert peak < 100 * 8 * (len(x) + net.width) / 1e6, "memory is not linear in n + k"


@pytest.mark.parametrize("size", [300, 1000])
def test_sharpness_against_the_dense_way(benchmark: BenchmarkFixture, size: int) -> None:
    net, x = random_weights(size), random_points(size)

    def dense() -> float:
        features = net.tangent_features(x)
        return float(np.linalg.eigvalsh(features @ features.T / size)[-1])

    compare(benchmark, lambda: sharpness_with_error(net, x), dense)
    found = sharpness_with_error(net, x)
    assert abs(found.value - dense()) <= 2 * found.error


def test_stability_weight_at_a_million_points(benchmark: BenchmarkFixture) -> None:
    t, x = np.linspace(-1, 1, 10**6), random_points(10**5)
    found: Array = benchmark.pedantic(lambda: stability_weight(t, x), rounds=5, warmup_rounds=1)
    benchmark.extra_info["peak MB"] = peak_megabytes(lambda: stability_weight(t, x))
    # At the middle of the data, nearly that of the uniform distribution on [-1, 1]: (1/2)^2 (1/2) sqrt(1 + 1/4).
    assert found[len(t) // 2] == pytest.approx(np.sqrt(5) / 16, abs=0.01)


def test_stability_weight_against_masks(benchmark: BenchmarkFixture) -> None:
    t, x = np.linspace(-1, 1, 2000), random_points(2000)
    compare(benchmark, lambda: stability_weight(t, x), lambda: stability_weight_by_masks(t, x))
    np.testing.assert_allclose(
        stability_weight(t, x), stability_weight_by_masks(t, x), rtol=8 * len(x) * EPS, atol=8 * len(x) * EPS
    )


def test_sharpness_lower_bound_of_a_million_units(benchmark: BenchmarkFixture) -> None:
    f, x = PiecewiseLinear.from_weights(random_weights(10**6)), random_points(10**5)
    bound: float = benchmark.pedantic(lambda: sharpness_lower_bound(f, x), rounds=5, warmup_rounds=1)
    benchmark.extra_info["peak MB"] = peak_megabytes(lambda: sharpness_lower_bound(f, x))
    assert 1 < bound <= sharpness_with_error(random_weights(10**6), x).value


def test_sharpness_lower_bound_against_masks(benchmark: BenchmarkFixture) -> None:
    net, x = random_weights(2000), random_points(2000)
    f = PiecewiseLinear.from_weights(net)

    def dense() -> float:
        return 1 + 2 * float(np.abs(f.jumps) @ stability_weight_by_masks(f.knots, x))

    compare(benchmark, lambda: sharpness_lower_bound(f, x), dense)
    assert sharpness_lower_bound(f, x) == pytest.approx(dense(), rel=64 * len(x) * EPS)
