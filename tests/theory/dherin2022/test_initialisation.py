"""Geometric complexity at initialisation: by hand, against sampled networks, and bad input."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theory.dherin2022 import dead_probability, entry_variances, expected_geometric_complexity


def test_by_hand() -> None:
    # One layer: |W|_F^2 has the mean n_0 n_1 v.
    assert expected_geometric_complexity([3, 2], [Fraction(1, 5)]) == Fraction(6, 5)
    # A hidden unit is active with probability 1/2.
    assert expected_geometric_complexity([1, 1, 1], [Fraction(1), Fraction(1)]) == Fraction(1, 2)
    assert expected_geometric_complexity([3, 2], [0.2]) == pytest.approx(1.2)
    assert expected_geometric_complexity([784, 0 + 100, 10], [0, 1]) == 0


@pytest.mark.parametrize(("scheme", "expected"), [("lecun", Fraction(10, 2**4)), ("he", Fraction(20))])
def test_what_the_schemes_come_to_does_not_depend_on_inputs_and_widths(scheme: Any, expected: Fraction) -> None:
    for widths in ([784, 500, 500, 500, 500, 10], [3, 7, 2, 9, 4, 10]):
        assert expected_geometric_complexity(widths, entry_variances(scheme, widths)) == expected


def test_glorot_by_hand() -> None:
    widths = [6, 4, 4, 2]
    value = expected_geometric_complexity(widths, entry_variances("glorot", widths))
    assert value == 6 * Fraction(1, 5) * 2 * Fraction(1, 4) * 2 * Fraction(1, 3) * 2


@pytest.mark.parametrize("kind", ["normal", "uniform", "truncated"])
def test_the_mean_over_sampled_networks(kind: str) -> None:
    """20,000 networks; a false alarm at six standard errors has a probability below 1e-8 each."""
    rng, widths, many = np.random.default_rng(11), [3, 4, 2, 2], 20_000
    variances = [0.3, 0.5, 0.7]
    x = np.array([1.0, -2.0, 0.0])

    def draw(shape: tuple[int, ...]) -> Any:
        if kind == "normal":
            return rng.standard_normal(shape)
        if kind == "uniform":
            return rng.uniform(-math.sqrt(3), math.sqrt(3), shape)
        sizes = np.clip(rng.standard_normal((*shape, 16)), -5, 5)
        inside = np.abs(sizes) < 2
        picked = np.take_along_axis(sizes, np.argmax(inside, axis=-1)[..., None], axis=-1)[..., 0]
        return picked / math.sqrt(0.7737413035405232)

    h, jacobian = np.broadcast_to(x, (many, 3)), np.broadcast_to(np.eye(3), (many, 3, 3))
    for i, (m, n, v) in enumerate(zip(widths, widths[1:], variances, strict=False)):
        layer = math.sqrt(v) * draw((many, n, m))
        z, jacobian = np.einsum("bnm,bm->bn", layer, h), layer @ jacobian
        active = (z > 0) | (i == len(variances) - 1)
        h, jacobian = z * active, jacobian * active[:, :, None]
    for values, expected in (
        (np.sum(jacobian**2, axis=(1, 2)), expected_geometric_complexity(widths, variances)),
        (np.sum(h**2, axis=1), expected_geometric_complexity(widths, variances) * 5 / 3),
    ):
        assert abs(np.mean(values) - expected) <= 6 * np.std(values) / math.sqrt(many)


def test_dead_networks_against_signs() -> None:
    assert dead_probability([]) == 0
    assert dead_probability([1]) == Fraction(1, 2)
    rng = np.random.default_rng(2)
    h = np.broadcast_to(np.ones(2), (20_000, 2))
    for n in (2, 3):
        h = np.maximum(np.einsum("bnm,bm->bn", rng.standard_normal((20_000, n, h.shape[1])), h), 0)
    p = float(dead_probability([2, 3]))
    assert abs(np.mean(np.all(h == 0, axis=1)) - p) <= 6 * math.sqrt(p * (1 - p) / 20_000)


def test_deep_networks_neither_under_nor_overflow_on_the_way() -> None:
    deep = [2] * 3001
    assert expected_geometric_complexity(deep, [1.0] * 3000) == 4.0
    with pytest.raises(ValueError, match="within the range of floats"):
        expected_geometric_complexity(deep, [4.0] * 3000)


@pytest.mark.parametrize(
    ("widths", "variances", "error", "reason"),
    [
        ([3], [], ValueError, "at least one layer"),
        ([3, 2], [], ValueError, "one for each of the 1 layers, got 0"),
        ([3, 0], [1], ValueError, r"widths\[1\] must be at least 1, got 0"),
        ([3, 2.0], [1], TypeError, r"widths\[1\] must be an integer"),
        ([3, 2], [-1], ValueError, r"variances\[0\] must be finite and at least 0, got -1"),
        ([3, 2], [math.nan], ValueError, r"variances\[0\] must be finite"),
        ([3, 2], ["he"], TypeError, r"variances\[0\] must be a real number"),
    ],
)
def test_bad_input_is_named(widths: Any, variances: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        expected_geometric_complexity(widths, variances)


def test_bad_schemes_and_widths_are_named() -> None:
    with pytest.raises(ValueError, match="scheme must be one of 'lecun', 'glorot', 'he', got 'xavier'"):
        entry_variances("xavier", [1, 1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"hidden_widths\[1\] must be at least 1, got 0"):
        dead_probability([1, 0])
