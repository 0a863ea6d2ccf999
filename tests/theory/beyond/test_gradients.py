import re
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from theory.beyond import expected_squared_gradient, label_noise_pressure

RNG = np.random.default_rng(15)


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_the_mean_over_batches_by_all_batches(batch: int) -> None:
    gradients = RNG.normal(size=(5, 3))
    every = [np.sum(gradients[list(chosen)].mean(axis=0) ** 2) for chosen in combinations(range(5), batch)]
    assert expected_squared_gradient(gradients, batch) == pytest.approx(np.mean(every), rel=1e-12)


def test_what_fresh_label_noise_adds_by_all_signs() -> None:
    slopes, residuals, scale = RNG.normal(size=(2, 2, 4)), RNG.normal(size=(2, 2)), 0.7
    signs = np.array([[1 if bits >> i & 1 else -1 for i in range(4)] for bits in range(16)]).reshape(-1, 2, 2)

    def size(noise: Any) -> float:
        return float(np.sum(np.einsum("nk,nkp->p", residuals - noise, slopes) ** 2)) / 4

    noisy = np.mean([size(scale * sign) for sign in signs])
    assert noisy - size(0 * signs[0]) == pytest.approx(label_noise_pressure(slopes, scale**2), rel=1e-12)


ERRORS: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: expected_squared_gradient([[1.0]], 2),
        "batch_size must be between 1 and the number of data points, 1, got 2",
    ),
    (lambda: expected_squared_gradient([], 1), "gradients must have 2 axes"),
    (lambda: label_noise_pressure([[[1.0]]], -1.0), "variance must be finite and at least 0, got -1.0"),
    (
        lambda: label_noise_pressure([[[]]], 1.0),
        "output_gradients must have entries on all three axes, got shape (1, 1, 0)",
    ),
]


@pytest.mark.parametrize(("call", "words"), ERRORS, ids=[words for _, words in ERRORS])
def test_bad_input_is_named(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        call()
