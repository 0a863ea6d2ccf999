"""What the mean-square threshold costs at full size, and against the dense eigenproblem at a size that can bear it."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.linalg import eigh

from benchmarks.measuring import compare, peak_megabytes, seconds
from numerics.stability import Threshold, mean_square_threshold, verify
from theory.checks import Array
from theory.linear_stability import noise_share


def random_features(n: int, d: int) -> Array:
    return np.random.default_rng(0).standard_normal((n, d))


def dense_threshold(features: Array, batch: int) -> float:
    """Return 2/lambda_max(C^-1 D) from matrices of d^2 x d^2 entries; d <= n."""
    n, d = features.shape
    p, hessian, one = float(noise_share(n, batch)), features.T @ features / n, np.eye(d)
    c = (np.kron(hessian, one) + np.kron(one, hessian)) / 2
    pairs = np.einsum("ia,ib->iab", features, features).reshape(n, d * d)
    dense = (1 - p) * np.kron(hessian, hessian) + p / n * pairs.T @ pairs
    return 2 / float(eigh(dense, c, eigvals_only=True, subset_by_index=[d * d - 1, d * d - 1])[0])


@pytest.mark.parametrize("size", [20, 40])
def test_threshold_against_the_dense_eigenproblem(benchmark: BenchmarkFixture, size: int) -> None:
    features = random_features(size, size)
    compare(benchmark, lambda: mean_square_threshold(features, 8), lambda: dense_threshold(features, 8), rounds=3)
    assert mean_square_threshold(features, 8).value == pytest.approx(dense_threshold(features, 8), rel=1e-9)


@pytest.mark.parametrize("n", [125, 250, 500, 1000])
def test_threshold_as_points_grow(benchmark: BenchmarkFixture, n: int) -> None:
    features = random_features(n, 4 * n)
    found: Threshold = benchmark.pedantic(lambda: mean_square_threshold(features, 8), rounds=3 if n < 1000 else 1)
    benchmark.extra_info["seconds to verify"] = seconds(lambda: verify(found, features, 8))
    benchmark.extra_info["peak MB"] = peak_megabytes(lambda: mean_square_threshold(features, 8))
    benchmark.extra_info["relative width"] = found.upper / found.lower - 1
    assert verify(found, features, 8)
    assert found.upper / found.lower - 1 < 1e-7


def test_threshold_of_a_million_weights(benchmark: BenchmarkFixture) -> None:
    features = np.random.default_rng(0).standard_normal((50, 10**6), dtype=np.float32)
    found: Threshold = benchmark.pedantic(lambda: mean_square_threshold(features, 8), rounds=3)
    benchmark.extra_info["peak MB"] = peak_megabytes(lambda: mean_square_threshold(features, 8))
    benchmark.extra_info["MB of the features"] = features.nbytes / 1e6
    benchmark.extra_info["relative width"] = found.upper / found.lower - 1
    assert verify(found, features, 8)


@pytest.mark.parametrize("n", [5, 6, 7, 8])
def test_threshold_of_reshuffling_as_points_grow(benchmark: BenchmarkFixture, n: int) -> None:
    features = random_features(n, n)
    found: Threshold = benchmark.pedantic(lambda: mean_square_threshold(features, 1, sampling="reshuffling"), rounds=3)
    benchmark.extra_info["over that of batches drawn anew"] = found.value / mean_square_threshold(features, 1).value
    assert verify(found, features, 1, sampling="reshuffling")
