import dataclasses
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from numerics import mean_square_threshold
from numerics.stability import Certificate, Threshold, verify
from theory.beyond import momentum_threshold
from theory.checks import Array


def growth(hessians: Array, batch: int, b: float, step_size: float) -> float:
    """Return the spectral radius of the average over all batches of A (x) A."""
    one, total = np.eye(hessians.shape[1]), 0.0
    parts = list(combinations(range(len(hessians)), batch))
    for part in parts:
        a = np.block([[(1 + b) * one - step_size * hessians[list(part)].mean(axis=0), -b * one], [one, 0 * one]])
        total = total + np.kron(a, a) / len(parts)
    return float(np.abs(np.linalg.eigvals(total)).max())


def features(seed: int, n: int, d: int) -> Array:
    generator = np.random.default_rng(seed)
    rows: Array = generator.normal(size=(n, d)) * np.exp(generator.normal(size=(n, 1)))
    return rows


def outer(rows: Array) -> Array:
    return np.einsum("ij,ik->ijk", rows, rows)


@pytest.mark.parametrize("b", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("batch", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_second_moments_shrink_below_it_and_grow_beyond(seed: int, batch: int, b: float) -> None:
    rows = features(seed, 4, 3)
    found = mean_square_threshold(rows, batch, momentum=b)
    assert growth(outer(rows), batch, b, 0.999 * found.value) < 1 < growth(outer(rows), batch, b, 1.001 * found.value)
    assert found.lower <= found.value <= found.upper <= found.lower * (1 + 1e-9)
    assert verify(found, rows, batch, momentum=b)


@pytest.mark.parametrize("b", [0.25, 0.75])
@pytest.mark.parametrize("batch", [1, 3])
def test_it_is_the_exact_threshold(batch: int, b: float) -> None:
    rows = np.round(4 * features(0, 3, 2)) / 4
    exact = momentum_threshold(outer(rows), batch, b)
    found = mean_square_threshold(rows, batch, momentum=b)
    assert found.value == pytest.approx(float(exact.lower), rel=1e-10)
    assert mean_square_threshold(outer(rows), batch, momentum=b).value == pytest.approx(found.value, rel=1e-10)


def test_of_hessians_of_full_rank_it_is_exact_too() -> None:
    roots = np.random.default_rng(1).integers(-3, 4, size=(3, 2, 2)).astype(float)
    hessians = roots @ roots.transpose(0, 2, 1)
    found = mean_square_threshold(hessians, 2, momentum=0.5)
    assert found.value == pytest.approx(float(momentum_threshold(hessians, 2, 0.5).lower), rel=1e-10)
    assert verify(found, hessians, 2, momentum=0.5)


def test_in_one_dimension_it_is_the_law() -> None:
    """B11.a, h_i = 1, 4, 9; the two plateaus are its ends."""
    h, variance, b = Fraction(14, 3), Fraction(98, 3) - Fraction(14, 3) ** 2, Fraction(9, 10)
    for batch, share in ((1, Fraction(1)), (2, Fraction(1, 4)), (3, Fraction(0))):
        law = 2 * h / (h**2 / (1 + b) + share * variance / (1 - b))
        found = mean_square_threshold([[1.0], [2.0], [3.0]], batch, momentum=0.9)
        assert found.value == pytest.approx(float(law), rel=1e-12)


@pytest.mark.parametrize("batch", [1, 7, 30])
def test_next_to_no_momentum_it_is_that_without(batch: int) -> None:
    rows = features(2, 30, 50)
    found = mean_square_threshold(rows, batch, momentum=1e-9)
    assert found.value == pytest.approx(mean_square_threshold(rows, batch).value, rel=1e-6)


def test_more_points_than_are_written_out() -> None:
    rows = features(3, 60, 200)
    found = mean_square_threshold(rows, 8, momentum=0.9)
    assert found.upper <= found.lower * (1 + 1e-9)
    assert verify(found, rows, 8, momentum=0.9)
    assert mean_square_threshold(rows, 60, momentum=0.9).value == pytest.approx(
        1.9 * mean_square_threshold(rows, 60).value, rel=1e-9
    )


@pytest.mark.parametrize("scale", [1e-120, 1e120], ids=["small", "large"])
def test_features_may_be_small_or_large(scale: float) -> None:
    rows = features(4, 5, 3)
    found, other = (mean_square_threshold(s * rows, 2, momentum=0.5) for s in (1.0, scale))
    assert other.value * scale * scale == pytest.approx(found.value, rel=1e-10)
    assert verify(other, scale * rows, 2, momentum=0.5)


def test_the_loss_and_the_sampling_are_taken_into_account() -> None:
    rows = features(5, 5, 3)
    half = mean_square_threshold(rows, 2, momentum=0.5)
    assert mean_square_threshold(rows, 2, momentum=0.5, loss="mean").value == pytest.approx(half.value / 2, rel=1e-12)
    assert mean_square_threshold(rows, 2, momentum=0.5, sampling="with_replacement").value < half.value
    assert mean_square_threshold(np.zeros((2, 2)), 1, momentum=0.5).value == np.inf


def tampered(found: Threshold, **changes: Any) -> Threshold:
    return dataclasses.replace(found, **changes)


def test_what_is_not_proved_is_refused() -> None:
    rows = features(6, 4, 3)
    found = mean_square_threshold(rows, 1, momentum=0.5)
    other = mean_square_threshold(features(7, 4, 3), 1, momentum=0.5).certificate
    assert not verify(tampered(found, lower=found.lower * 1.01, value=found.lower * 1.01, upper=found.upper * 1.02), rows, 1,
                      momentum=0.5)  # fmt: skip
    assert not verify(tampered(found, upper=found.lower * 0.99, lower=found.lower / 2, value=found.lower / 2), rows, 1,
                      momentum=0.5)  # fmt: skip
    assert not verify(tampered(found, certificate=other), rows, 1, momentum=0.5)
    assert not verify(tampered(found, certificate=Certificate(np.eye(2), np.eye(2))), rows, 1, momentum=0.5)
    assert not verify(found, rows, 1, momentum=0.6)


@pytest.mark.parametrize(
    ("momentum", "error", "message"),
    [(1.0, ValueError, "momentum must be at least 0 and below 1"), (-0.1, ValueError, "momentum must be finite and at least"),
     (float("nan"), ValueError, "momentum must be finite"), ("0.9", TypeError, "momentum must be a real number")],
    ids=["1", "negative", "nan", "a word"],
)  # fmt: skip
def test_momentum_that_is_none_is_refused(momentum: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mean_square_threshold([[1.0]], 1, momentum=momentum)


def test_reshuffling_with_momentum_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be 'reshuffling' with momentum"):
        mean_square_threshold([[1.0], [2.0]], 1, momentum=0.5, sampling="reshuffling")
