import math
from typing import Any

import numpy as np
import pytest

from numerics.alignment import (
    class_stiffness,
    cosine_stiffness,
    gradient_gram,
    sign_stiffness,
    stiffness_by_distance,
)
from tests.numerics.alignment.models import data, dense, drawn, gradients
from theory.checks import Array
from theory.walker2023 import stiffness


def vectors(seed: int, m: int, zeros: int = 0) -> Array:
    rows = np.random.default_rng(seed).standard_normal((m, 4))
    rows[:zeros] = 0
    return rows


def pair_value(first: Array, second: Array, kind: str) -> float | None:
    product = float(first @ second)
    if kind == "sign":
        return float(np.sign(product))
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    return product / size if size else None


def by_pairs(g: Array, labels: Array, kind: str, split: int | None = None) -> dict[tuple[int, int], list[float]]:
    """Return the stiffness of all ordered pairs of different examples, by their classes, pair by pair."""
    found: dict[tuple[int, int], list[float]] = {}
    for i in range(len(g)):
        for j in range(len(g)):
            value = pair_value(g[i], g[j], kind)
            paired = i != j if split is None else i < split <= j
            if paired and value is not None:
                found.setdefault((int(labels[i]), int(labels[j])), []).append(value)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_is_that_of_the_papers_definitions(seed: int) -> None:
    g = vectors(seed, 9)
    assert sign_stiffness(g @ g.T).value == pytest.approx(stiffness(g, "sign"), abs=1e-12)
    assert cosine_stiffness(g @ g.T).value == pytest.approx(stiffness(g, "cosine"), abs=1e-12)


def test_of_a_network_it_is_that_of_its_gradients() -> None:
    model, (x, y) = drawn(dense), data((4,), 8)
    gram = gradient_gram(model, x, y, "cross_entropy")
    g = gradients(model, x, y)
    assert cosine_stiffness(gram).value == pytest.approx(stiffness(g), rel=1e-10)
    assert sign_stiffness(gram).value == pytest.approx(stiffness(g, "sign"), rel=1e-10)


@pytest.mark.parametrize("split", [None, 5])
@pytest.mark.parametrize("kind", ["sign", "cosine"])
def test_the_class_matrix_is_that_of_all_pairs(kind: Any, split: int | None) -> None:
    g, labels = vectors(0, 14, zeros=2), np.random.default_rng(1).integers(3, 6, 14)
    found = class_stiffness(g @ g.T, labels, kind, split=split)
    pairs = by_pairs(g, labels, kind, split)
    assert found.classes.tolist() == [3, 4, 5]
    assert found.zero_gradients == 2
    means = {key: np.mean(values) for key, values in pairs.items()}
    for i in range(3):
        for j in range(3):
            key = (i + 3, j + 3)
            assert found.pairs[i, j] == len(pairs.get(key, []))
            if key in means:
                assert found.matrix[i, j] == pytest.approx(means[key], abs=1e-12)
            else:
                assert key in found.without_value
    within = [v for (i, j), v in means.items() if i == j]
    between = [v for (i, j), v in means.items() if i != j]
    assert found.within == pytest.approx(np.mean(within), abs=1e-12)
    assert found.between == pytest.approx(np.mean(between), abs=1e-12)


def test_training_and_validation_data_give_three_kinds_of_pairs() -> None:
    g = vectors(3, 7)
    gram = g @ g.T
    expected = np.mean([pair_value(g[i], g[j], "cosine") for i in range(4) for j in range(4, 7)])
    across = cosine_stiffness(gram, split=4)
    assert across.value == pytest.approx(expected, abs=1e-12)
    assert across.pairs == 12
    assert cosine_stiffness(gram[:4, :4]).value == pytest.approx(stiffness(g[:4]), abs=1e-12)
    assert cosine_stiffness(gram[4:, 4:]).value == pytest.approx(stiffness(g[4:]), abs=1e-12)


def test_a_gradient_of_0_is_counted_and_left_out_of_cosines() -> None:
    g = vectors(0, 6, zeros=2)
    cosine, sign = cosine_stiffness(g @ g.T), sign_stiffness(g @ g.T)
    assert (cosine.zero_gradients, cosine.pairs) == (2, 6)
    assert cosine.value == pytest.approx(stiffness(g[2:]), abs=1e-12)
    assert (sign.zero_gradients, sign.pairs) == (2, 15)
    assert sign.value == pytest.approx(stiffness(g, "sign"), abs=1e-12)


def test_an_entry_of_the_class_matrix_without_a_pair_is_no_number() -> None:
    g = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    found = class_stiffness(g @ g.T, [0, 0, 1, 2], "sign")
    assert found.without_value == [(1, 1), (2, 2)]
    assert found.within == 1.0
    assert np.isfinite(found.between)
    assert not np.isnan(found.matrix.filled(0)).any()


def test_stiffness_by_distance_is_that_of_the_pairs_in_each_group() -> None:
    g, x = vectors(0, 12), np.random.default_rng(2).standard_normal((12, 2, 3))
    found = stiffness_by_distance(g @ g.T, x, bins=4)
    pairs = sorted(
        (float(np.linalg.norm(x[i] - x[j])), pair_value(g[i], g[j], "cosine")) for i in range(12) for j in range(i)
    )
    assert found.pairs.sum() == 2 * len(pairs)
    start = 0
    for distance, value, size in zip(found.distances, found.stiffness, found.pairs // 2, strict=True):
        group = np.array(pairs[start : start + size], dtype=float)
        assert (distance, value) == pytest.approx(tuple(group.mean(axis=0)), abs=1e-9)
        start += size
    assert np.all(np.diff(found.distances) > 0)


def test_only_pairs_of_one_class_are_looked_at_where_labels_are_given() -> None:
    g, x = vectors(0, 6), np.arange(6.0)[:, None]
    labels = [0, 1, 0, 1, 0, 1]
    found = stiffness_by_distance(g @ g.T, x, bins=1, labels=labels)
    pairs = by_pairs(g, np.array(labels), "cosine")
    assert found.stiffness[0] == pytest.approx(np.mean(pairs[0, 0] + pairs[1, 1]), abs=1e-12)


@pytest.mark.parametrize(
    ("values", "length"),
    [([0.5, 0.2, -0.2], 2.5), ([0.5, 0.2, 0.1], math.inf), ([-0.1, 0.2, 0.1], 0.0), ([0.5, 0.0, 0.5], 2.0)],
    ids=["between two", "nowhere", "from the start", "at a group"],
)  # fmt: skip
def test_the_critical_length_is_where_the_mean_first_falls_to_0(values: list[float], length: float) -> None:
    x = np.array([[0.0], [1.0], [3.0]])  # distances 1, 2 and 3
    gram = np.eye(3)
    for (i, j), value in zip([(0, 1), (1, 2), (0, 2)], values, strict=True):
        gram[i, j] = gram[j, i] = value
    assert stiffness_by_distance(gram, x, bins=3).critical_length == pytest.approx(length)


def test_cosine_distances_of_inputs() -> None:
    gram, x = np.eye(3), np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
    found = stiffness_by_distance(gram, x, distance="cosine", bins=3)
    assert found.distances.tolist() == pytest.approx([0.0, 1.0])
    assert found.pairs.tolist() == [2, 4]


FOUR: list[Any] = np.eye(4).tolist()
STRANGE: Any = "strange"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: class_stiffness(FOUR, [2, 2, 2, 2]), ValueError, "labels must hold at least two classes, .* got 2 alone"),
        (lambda: class_stiffness(FOUR, [0, 1, 2, 3]), ValueError, "gram must have a pair of examples of one class"),
        (lambda: class_stiffness(FOUR, [0, 1]), ValueError, r"labels must have shape \[4\]"),
        (lambda: class_stiffness(FOUR, [0.0, 1.0, 1.0, 0.0]), TypeError, "labels must hold integers, got float64"),
        (lambda: class_stiffness(FOUR, [0, 1, 1, 0], STRANGE), ValueError, "kind must be one of .*, got 'strange'"),
        (lambda: cosine_stiffness(np.zeros((3, 3))), ValueError, "gradients that are not 0, for a cosine, got 3 that are 0"),
        (lambda: cosine_stiffness([[1.0]]), ValueError, "gram must be of at least two gradients, .* got 1"),
        (lambda: cosine_stiffness(np.ones((3, 4))), ValueError, r"gram must be square, .* got shape \(3, 4\)"),
        (lambda: cosine_stiffness([[1, 0], [0.5, 1]]), ValueError, r"gram must be symmetric, got 0.0 at \(0, 1\)"),
        (lambda: cosine_stiffness([[1, 2], [2, 1]]), ValueError, "gram must hold inner products, no larger than"),
        (lambda: cosine_stiffness([[-1, 0], [0, 1]]), ValueError, "squares of lengths on its diagonal, got -1.0 at index 0"),
        (lambda: cosine_stiffness(FOUR, split=4), ValueError, "split must be below the number of rows, 4, got 4"),
        (lambda: stiffness_by_distance(FOUR, np.ones((3, 2))), ValueError, "one input for each of the 4 rows of gram, got 3"),
        (lambda: stiffness_by_distance(FOUR, np.zeros((4, 2)), distance="cosine"), ValueError, "x must hold no input 0"),
        (lambda: stiffness_by_distance(FOUR, FOUR, distance=STRANGE), ValueError, "distance must be one of"),
        (lambda: stiffness_by_distance(FOUR, FOUR, bins=0), ValueError, "bins must be at least 1, got 0"),
    ],
    ids=["one class", "no pair", "few labels", "float labels", "kind", "all 0", "one", "not square", "not symmetric",
         "too large", "negative", "split", "inputs", "input 0", "distance", "bins"],
)  # fmt: skip
def test_bad_input_is_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
