"""The variance of geometric complexity on a batch, against all batches."""

import math
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.beyond import batch_complexity_variance

DRAWN = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@DRAWN
@given(st.lists(st.floats(0, 10), min_size=2, max_size=6), st.integers(1, 6))
def test_it_is_the_variance_over_all_batches(norms: list[float], size: int) -> None:
    batch = min(size, len(norms))
    means = [math.fsum(one) / batch for one in combinations(norms, batch)]
    centre = math.fsum(means) / len(means)
    spread = math.fsum((mean - centre) ** 2 for mean in means) / len(means)
    assert batch_complexity_variance(norms, batch) == pytest.approx(spread, rel=1e-9, abs=1e-12)


def test_the_whole_data_set_has_no_variance() -> None:
    assert batch_complexity_variance([1, 2, 4], 3) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: batch_complexity_variance([1], 1), "squared_norms must hold at least 2 numbers, got 1"),
        (lambda: batch_complexity_variance([1, -1], 1), "squared_norms must be finite and at least 0, got -1"),
        (
            lambda: batch_complexity_variance([1, 2], 3),
            "batch_size must be between 1 and the number of data points, 2, got 3",
        ),
    ],
    ids=["one datum", "negative", "too large a batch"],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        call()
