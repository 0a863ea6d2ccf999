import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from numerics.stability import Threshold, mean_square_threshold, verify
from numerics.stability.general_threshold import FRESH, LARGEST
from theory.beyond.mean_square_bounds import moment_forms, stability_threshold
from theory.checks import Array, rationals
from theory.enclosure import positive_semidefinite
from theory.linear_stability import noise_share
from theory.symbols import Sampling


def whole(seed: int) -> tuple[Array, int]:
    """Draw semidefinite Hessians of small whole entries, of any rank, on fewer dimensions at times, and a batch size."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    roots = rng.integers(-2, 3, (n, d, int(rng.integers(1, d + 1)))).astype(np.float64)
    roots[0, 0, 0] += 3
    hessians = roots @ roots.transpose(0, 2, 1)
    if seed % 4 == 0:
        padded = np.zeros((n, d + 1, d + 1))
        padded[:, :d, :d] = hessians
        hessians = padded
    return hessians, int(rng.integers(1, n + 1))


def random(seed: int, n: int, d: int, rank: int) -> Array:
    roots = np.random.default_rng(seed).standard_normal((n, d, rank))
    product = roots @ roots.transpose(0, 2, 1)
    return (product + product.transpose(0, 2, 1)) / 2


def growth_of_a_step(hessians: Array, batch: int, step_size: float, sampling: Sampling) -> float:
    """Return the spectral radius of the mean of A (x) A over all batches that may be drawn."""
    n, d = hessians.shape[:2]
    every = itertools.combinations if sampling == "without_replacement" else None
    parts = list(every(range(n), batch)) if every else list(itertools.product(range(n), repeat=batch))
    steps = [np.eye(d) - step_size * np.mean(hessians[list(part)], axis=0) for part in parts]
    return float(np.max(np.abs(np.linalg.eigvals(np.mean([np.kron(a, a) for a in steps], axis=0)))))


@pytest.mark.parametrize("seed", range(60))
def test_bounds_hold_in_exact_arithmetic(seed: int) -> None:
    hessians, batch = whole(seed)
    found, exact = mean_square_threshold(hessians, batch), stability_threshold(hessians, batch)
    assert found.lower <= exact.upper
    assert exact.lower <= found.upper
    assert found.upper / found.lower - 1 < 1e-9
    assert found.value == pytest.approx(float(exact.midpoint), rel=1e-10)
    assert verify(found, hessians, batch)
    if np.linalg.matrix_rank(np.mean(hessians, axis=0)) == hessians.shape[1]:
        # Nothing is projected: the bounds are proved, and exact arithmetic must agree to the last digit.
        c, d = moment_forms(rationals(hessians), noise_share(len(hessians), batch))
        assert positive_semidefinite(2 * c - Fraction(found.lower) * d)
        assert not positive_semidefinite(2 * c - Fraction(math.nextafter(found.upper, math.inf)) * d)


@pytest.mark.parametrize("sampling", FRESH)
@pytest.mark.parametrize("seed", range(40))
def test_growth_over_all_batches_is_one_at_the_threshold(seed: int, sampling: Sampling) -> None:
    n, d = 2 + seed % 3, 1 + seed % 4
    hessians = random(seed, n, d, 1 + seed % max(d, 1))
    batch = 1 + seed % n
    found = mean_square_threshold(hessians, batch, sampling=sampling)
    assert verify(found, hessians, batch, sampling=sampling)
    assert growth_of_a_step(hessians, batch, found.value, sampling) == pytest.approx(1, abs=1e-9)
    assert growth_of_a_step(hessians, batch, found.value * (1 + 1e-3), sampling) > 1
    assert growth_of_a_step(hessians, batch, found.value * (1 - 1e-3), sampling) < 1 + 1e-13


@pytest.mark.parametrize("sampling", FRESH)
@pytest.mark.parametrize(("n", "d", "batch"), [(1, 1, 1), (4, 3, 2), (6, 9, 1), (30, 5, 8), (7, 7, 7), (50, 20, 4)])
def test_rank_one_agrees_with_the_gram_matrix(n: int, d: int, batch: int, sampling: Sampling) -> None:
    features = np.random.default_rng(n + d).standard_normal((n, d))
    hessians = np.einsum("ia,ib->iab", features, features)
    found = mean_square_threshold(hessians, batch, sampling=sampling)
    other = mean_square_threshold(features, batch, sampling=sampling)
    assert found.value == pytest.approx(other.value, rel=1e-9)
    assert verify(found, hessians, batch, sampling=sampling)


def test_as_many_dimensions_as_are_taken() -> None:
    hessians = random(1, 60, LARGEST, 3)
    found = mean_square_threshold(hessians, 4)
    assert found.upper / found.lower - 1 < 1e-8
    assert verify(found, hessians, 4)


@pytest.mark.parametrize("seed", range(5))
def test_larger_batches_bear_larger_steps_up_to_gradient_descents_edge(seed: int) -> None:
    hessians = random(seed, 6, 3, 2)
    found = [mean_square_threshold(hessians, batch) for batch in range(1, 7)]
    assert all(a.upper < b.lower for a, b in itertools.pairwise(found))
    assert found[-1].value == pytest.approx(2 / float(np.linalg.norm(np.mean(hessians, axis=0), 2)), rel=1e-12)


def test_sizes_are_no_matter() -> None:
    hessians = random(0, 4, 3, 2)
    plain = mean_square_threshold(hessians, 2)
    for exponent in (-900, 900):
        scaled = mean_square_threshold(np.ldexp(hessians, exponent), 2)
        assert math.ldexp(scaled.value, exponent) == plain.value
        assert verify(scaled, np.ldexp(hessians, exponent), 2)
    with pytest.raises(ValueError, match="hessians must be of a size for which the threshold is a float"):
        mean_square_threshold(np.ldexp(np.ones((1, 1, 1)), -1040), 1)


@pytest.mark.parametrize("sizes", [(-12, 0, 3, 0), (-8, -8, 0, 0), (-10, 0, -10, -10)])
def test_curvatures_of_many_sizes_are_certified(sizes: tuple[int, ...]) -> None:
    hessians = random(3, 4, 3, 1) * 10.0 ** np.array(sizes)[:, None, None]
    found = mean_square_threshold(hessians, 1)
    assert verify(found, hessians, 1)
    assert found.upper / found.lower - 1 < 1e-9


def test_hessians_that_vanish_bear_any_step() -> None:
    zero = np.zeros((3, 2, 2))
    found = mean_square_threshold(zero, 1)
    assert (found.lower, found.value, found.upper) == (math.inf, math.inf, math.inf)
    assert verify(found, zero, 1)
    assert not verify(found, np.ones((3, 2, 2)), 1)


def certified(found: Threshold, **changes: Array) -> Threshold:
    return replace(found, certificate=replace(found.certificate, **changes))


def spoilt(found: Threshold) -> list[tuple[str, Threshold]]:
    proof = found.certificate
    return [
        (
            "lower too large",
            replace(found, lower=found.upper * 1.0001, value=found.upper * 1.001, upper=found.upper * 2),
        ),
        (
            "upper too small",
            replace(found, upper=found.lower * 0.9999, value=found.lower * 0.999, lower=found.lower / 2),
        ),
        ("another stable", certified(found, stable=np.eye(len(proof.stable)))),
        ("negative stable", certified(found, stable=-proof.stable)),
        ("another unstable", certified(found, unstable=np.diag(np.arange(len(proof.unstable)) + 1.0))),
        ("no unstable", certified(found, unstable=0 * proof.unstable)),
        ("nan", certified(found, stable=proof.stable * math.nan)),
        ("shape", certified(found, stable=proof.stable[:-1])),
        ("out of order", replace(found, lower=found.upper, upper=found.lower)),
    ]


@pytest.mark.parametrize("sampling", FRESH)
def test_a_certificate_that_was_tampered_with_is_rejected(sampling: Sampling) -> None:
    hessians = random(7, 6, 4, 2)
    found = mean_square_threshold(hessians, 2, sampling=sampling)
    assert verify(found, hessians, 2, sampling=sampling)
    for what, wrong in spoilt(found):
        assert not verify(wrong, hessians, 2, sampling=sampling), what
    assert not verify(found, hessians, 1, sampling=sampling)
    assert not verify(found, hessians, 3, sampling=sampling)
    assert not verify(found, hessians * 1.0001, 2, sampling=sampling)
    assert not verify(found, hessians / 1.0001, 2, sampling=sampling)


BAD = [
    (([[[[1.0]]]], 1), {}, ValueError, "features must have 2 axes, got shape"),
    (([[[1.0]]], 1), {"loss": "mean"}, ValueError, "loss must be left alone for Hessians"),
    (([[[1.0, 2.0], [0.0, 1.0]]], 1), {}, ValueError, "hessians must be symmetric"),
    (([[[math.nan]]], 1), {}, ValueError, "hessians must hold finite numbers"),
    (([[["a"]]], 1), {}, TypeError, "hessians must hold real numbers"),
    (
        ([[[1.0]], [[-1.0]]], 1),
        {},
        ValueError,
        "hessians must be positive semidefinite, got the eigenvalue -1.0 at index 1",
    ),
    (([[[1.0]]], 2), {}, ValueError, "batch_size must be between 1 and the number of data points, 1, got 2"),
    (([[[1.0]]], 1.0), {}, TypeError, "batch_size must be an integer"),
    (([[[1.0]]], 1), {"sampling": "reshuffling"}, ValueError, "sampling must be one of 'without_replacement'"),
    ((np.zeros((1, LARGEST + 1, LARGEST + 1)), 1), {}, ValueError, "hessians must be of at most 40 dimensions, got 41"),
]


@pytest.mark.parametrize(("arguments", "options", "error", "message"), BAD)
def test_arguments_that_cannot_be_meant(
    arguments: tuple[object, int], options: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        mean_square_threshold(*arguments, **options)  # type: ignore[arg-type]
