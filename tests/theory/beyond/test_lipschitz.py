import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from theory.beyond import exact_lipschitz_constant, fat_shattering_dimension, two_layer_lipschitz_bound
from theory.checks import Array


def drawn(seed: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    d, m, k = rng.integers(1, 4), rng.integers(1, 5), rng.integers(1, 4)
    return rng.integers(-3, 4, (m, d)), rng.integers(-2, 3, m), rng.integers(-3, 4, (k, m))


def outputs(w: Array, b: Array, v: Array, x: Array) -> Array:
    moved: Array = v @ np.maximum(w @ x + b, 0)
    return moved


@pytest.mark.parametrize("seed", range(20))
def test_the_exact_constant_is_the_largest_jacobian_that_is_seen(seed: int) -> None:
    w, b, v = drawn(seed)
    rng = np.random.default_rng(seed)
    # Patterns are cones at infinity and cells near 0: points at all scales meet those that are open.
    points = rng.normal(size=(4000, w.shape[1])) * 10 ** rng.uniform(-2, 2, size=(4000, 1))
    norms = [np.linalg.norm(v @ (w * (w @ x + b > 0)[:, None]), 2) for x in points]
    assert exact_lipschitz_constant(w, b, v) == pytest.approx(max(norms), rel=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_lies_between_the_constant_and_both_norms(seed: int) -> None:
    w, b, v = drawn(seed)
    bound = two_layer_lipschitz_bound(w, v)
    path = sum(np.linalg.norm(row) * np.linalg.norm(column) for row, column in zip(w, v.T, strict=True))
    assert exact_lipschitz_constant(w, b, v) <= bound
    assert bound <= min(np.linalg.norm(w, 2) * np.linalg.norm(v, 2), path) * (1 + 1e-9)


def test_no_step_is_longer_and_one_is_as_long() -> None:
    w, b, v = np.array([[1, 0], [0, 1], [1, 1]]), np.array([0, 0, -1]), np.array([[1, 2, -1]])
    constant = exact_lipschitz_constant(w, b, v)
    assert constant == pytest.approx(math.sqrt(5))
    step = np.array([1, 2]) / math.sqrt(5) / 100
    start = np.array([0.1, 0.1])
    assert abs(outputs(w, b, v, start + step) - outputs(w, b, v, start))[0] == pytest.approx(constant / 100)


def test_a_pattern_that_no_open_set_has_does_not_count() -> None:
    # x as two units that are never both active, with which the slope would be 2.
    assert exact_lipschitz_constant([[1], [-1]], [0, 0], [[1, -1]]) == 1
    assert two_layer_lipschitz_bound([[1], [-1]], [[1, -1]]) == 2


def test_biases_may_open_patterns() -> None:
    assert exact_lipschitz_constant([[1], [-1]], [1, 1], [[1, -1]]) == 2


@pytest.mark.parametrize("norms", [([[1, 0], [0, 1]], [[1, 0], [0, 1]]), ([[2], [1]], [[1, 2]])])
def test_either_norm_may_be_the_smaller(norms: tuple[Any, Any]) -> None:
    w, v = map(np.array, norms)
    product = np.linalg.norm(w, 2) * np.linalg.norm(v, 2)
    path = sum(np.linalg.norm(row) * np.linalg.norm(column) for row, column in zip(w, v.T, strict=True))
    expected = (np.linalg.norm(v @ w, 2) + min(product, path)) / 2
    assert two_layer_lipschitz_bound(w, v) == pytest.approx(expected)
    assert (product < path) == (len(w[0]) == 2)


def test_the_dimension_falls_at_twice_the_margin() -> None:
    pair = [[0, 2], [2, 0]]
    assert fat_shattering_dimension(pair, 1, 1) == 2
    assert fat_shattering_dimension(pair, 1, Fraction(101, 100)) == 1
    assert fat_shattering_dimension(pair, 2, 2) == 2
    assert fat_shattering_dimension([[0]], 1, 1) == 1


def test_the_dimension_of_a_grid() -> None:
    points = np.array([(i, j) for i in range(6) for j in range(6)])
    distances = np.abs(points[:, None] - points[None]).max(axis=-1)
    assert [fat_shattering_dimension(distances, 2, margin) for margin in (1, 2, 3, 6)] == [36, 9, 4, 1]


TOO_MANY: Callable[[], Any] = lambda: exact_lipschitz_constant([[1]] * 17, [0] * 17, [[1] * 17])  # noqa: E731


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (TOO_MANY, "first_layer must have at most 16 units, got 17"),
        (lambda: exact_lipschitz_constant([[1]], [0, 0], [[1]]), "bias 1 must have an entry a unit, 1, got 2"),
        (lambda: two_layer_lipschitz_bound([[1]], [[1, 1]]), "layer 2 must have a column for each of the 1 outputs"),
        (lambda: fat_shattering_dimension([[0, 1], [2, 0]], 1, 1), "distances must be symmetric"),
        (lambda: fat_shattering_dimension([[0]], 0, 1), "lipschitz_constant must be finite and above 0, got 0"),
        (lambda: fat_shattering_dimension([[0]], 1, math.inf), "margin must be finite and above 0, got inf"),
    ],
)
def test_bad_input_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        call()
