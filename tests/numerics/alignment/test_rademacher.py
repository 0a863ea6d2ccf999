"""The Rademacher complexity of linear classes, against loops over signs and vertices."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numerics.alignment import rademacher_complexity
from theory.checks import Array

SAMPLES = arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.floats(-5, 5, width=32))


def by_hand(rows: Array, radius: float, ball: str) -> float:
    """Return the mean over signs of the supremum: along the sum for l2, at a vertex for l1."""
    total = 0.0
    for signs in product((-1, 1), repeat=len(rows)):
        combined = sum(s * row for s, row in zip(signs, rows, strict=True))
        if ball == "l2":
            total += radius * float(np.sqrt(combined @ combined))
        else:
            total += max(radius * side * float(entry) for entry in combined for side in (-1, 1))
    return total / 2 ** len(rows) / len(rows)


@settings(max_examples=60, deadline=None)
@given(SAMPLES, st.floats(0, 3), st.sampled_from(["l2", "l1"]))
def test_it_is_the_mean_over_all_signs(rows: Array, radius: float, ball: Any) -> None:
    found = rademacher_complexity(rows, radius, ball)
    assert found.value == pytest.approx(by_hand(rows, radius, ball), rel=1e-9, abs=1e-12)
    assert (found.exact, found.standard_error) == (True, 0.0)
    assert found.bound is None or found.value <= found.bound * (1 + 1e-12)


def test_drawn_signs_are_within_their_error() -> None:
    rows = np.random.default_rng(0).standard_normal((20, 3))
    right = rademacher_complexity(rows, 1.0)
    padded = np.vstack([rows, np.zeros((1, 3))])  # one example more that changes nothing but m
    off = []
    for seed in range(30):
        found = rademacher_complexity(padded, 1.0, draws=2000, seed=seed)
        assert not found.exact
        off.append((found.value * 21 / 20 - right.value) / (found.standard_error * 21 / 20))
    assert max(map(abs, off)) < 4
    assert abs(np.mean(off)) < 4 / np.sqrt(30)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([[1.0]], -1.0), ValueError, "radius must be finite and at least 0, got -1.0"),
        (([[1.0]], 1.0, "linf"), ValueError, "ball must be one of 'l2', 'l1', got 'linf'"),
        (([1.0], 1.0), ValueError, "features must have 2 axes"),
        (([["a"]], 1.0), TypeError, "features must hold real numbers"),
    ],
)
def test_bad_input_is_named(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{message}"):
        rademacher_complexity(*arguments)
    with pytest.raises(ValueError, match=r"^draws must be at least 2, got 1"):
        rademacher_complexity([[1.0]], 1.0, draws=1)
