import math

import numpy as np
import pytest
import torch

from numerics.alignment import coherence, gradient_gram
from tests.numerics.alignment.models import data, dense, drawn, gradients
from theory import AssumptionError
from theory.walker2023 import coherence as of_vectors


@pytest.mark.parametrize("seed", range(5))
def test_it_is_that_of_the_papers_definition(seed: int) -> None:
    g = np.random.default_rng(seed).standard_normal((8, 3)) + 0.5
    found = coherence(g @ g.T)
    assert found.value == pytest.approx(float(of_vectors(g)), rel=1e-12)
    assert found.per_example == pytest.approx(g @ g.mean(axis=0) / (g * g).sum(axis=1).mean(), rel=1e-12)
    assert found.per_example.mean() == pytest.approx(found.value, rel=1e-12)
    assert found.ratio == pytest.approx(8 * found.value, rel=1e-12)


def test_of_a_network_it_is_that_of_its_gradients() -> None:
    model, (x, y) = drawn(dense), data((4,), 8)
    expected = float(of_vectors(gradients(model, x, y)))
    assert coherence(gradient_gram(model, x, y, "cross_entropy")).value == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("m", [1, 2, 7, 49, 1000])
def test_equal_gradients_help_to_fit_all_examples_exactly(m: int) -> None:
    found = coherence(np.full((m, m), 0.1 + 0.2))
    assert (found.value, found.ratio) == (1.0, m)
    assert found.noise_scale == 0.0


def test_equal_examples_of_a_network_have_coherence_1() -> None:
    model, (x, y) = drawn(dense), data((4,), 1)
    gram = gradient_gram(model, x.repeat(20, 1), y.repeat(20), "cross_entropy")
    assert coherence(gram).ratio == pytest.approx(20, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_orthogonal_gradients_of_any_length_help_to_fit_themselves(scale: float) -> None:
    found = coherence(np.diag([scale, 4 * scale, 9 * scale]))
    assert found.ratio == pytest.approx(1.0, rel=1e-15)
    assert found.without_diagonal == pytest.approx(0.0, abs=1e-15)


def test_opposite_gradients_have_coherence_0_and_no_end_of_noise() -> None:
    found = coherence([[1, -1], [-1, 1]])
    assert (found.value, found.noise_scale, found.without_diagonal) == (0.0, math.inf, -1.0)


def test_the_noise_scale_is_the_trace_of_the_covariance_over_the_square_of_the_mean() -> None:
    g = np.random.default_rng(0).standard_normal((9, 4)) + 1
    mean = g.mean(axis=0)
    expected = np.trace(np.cov(g.T, bias=True)) / (mean @ mean)
    assert coherence(g @ g.T).noise_scale == pytest.approx(expected, rel=1e-12)


def test_without_the_diagonal_the_mean_over_samples_is_that_of_the_distribution() -> None:
    generator = np.random.default_rng(0)
    samples = generator.standard_normal((20000, 5, 2)) + np.array([0.5, 0.0])
    grams = samples @ samples.transpose(0, 2, 1)
    size = grams.trace(axis1=1, axis2=2) / 5
    found = np.array([coherence(gram).without_diagonal for gram in grams[:500]]) * size[:500]
    every = (grams.sum((1, 2)) - 5 * size) / 20
    assert found == pytest.approx(every[:500], rel=1e-9, abs=1e-12)
    assert abs(every.mean() - 0.25) < 5 * every.std() / math.sqrt(20000)  # false alarm: 6e-7


def test_gradients_of_0_count_and_are_counted() -> None:
    found = coherence([[0, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert found.zero_gradients == 1
    assert found.value == pytest.approx(1 / 3)


def test_gradients_that_are_all_0_have_no_coherence() -> None:
    with pytest.raises(AssumptionError, match=r"E\[v\.v\] > 0"):
        coherence(torch.zeros(3, 3).numpy())


def test_one_example_has_no_pair() -> None:
    with pytest.raises(ValueError, match=r"gram must be of at least two gradients, .* got 1"):
        _ = coherence([[1.0]]).without_diagonal
