import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from numerics.alignment import BatchCoherence, coherence, coherence_from_batches, coherence_of_batches, random_batches
from numerics.alignment.batches import variance_over_partitions
from tests.numerics.alignment.models import data, dense, drawn, gradients
from theory import AssumptionError
from theory.checks import Array
from theory.walker2023 import coherence as of_vectors

M, K, PARTITIONS = 30, 5, 1000


def means(g: Array, k: int, order: Array) -> Array:
    """Return the Gram matrix of the mean gradients of batches."""
    w = g[order].reshape(-1, k, g.shape[1]).mean(axis=1)
    gram: Array = w @ w.T
    return gram


def skewed() -> Array:
    """Return gradients of very different lengths."""
    generator = np.random.default_rng(1)
    rows: Array = generator.standard_normal((M, 4)) * generator.exponential(1, (M, 1)) + 0.5
    return rows


@pytest.fixture(scope="module")
def grams() -> list[Array]:
    generator, g = np.random.default_rng(0), skewed()
    return [means(g, K, generator.permutation(M)) for _ in range(PARTITIONS)]


def within_its_error(g: Array, found: list[BatchCoherence]) -> bool:
    """Return whether over partitions 1/value has the mean 1/alpha, and value its alpha with the bias and error it states."""
    alpha = float(of_vectors(g))
    value, inverse = np.array([f.value for f in found]), np.array([1 / f.value for f in found])
    root = math.sqrt(len(found))
    unbiased = abs(inverse.mean() - 1 / alpha) < 5 * inverse.std() / root  # false alarm of each: 6e-7
    bias = np.mean([f.bias for f in found])
    corrected = abs(value.mean() - alpha - bias) < 5 * value.std() / root + 0.5 * bias
    stated = math.sqrt(np.mean([f.standard_error**2 for f in found]))
    return bool(unbiased and corrected and abs(stated / value.std() - 1) < 0.25)


def test_over_partitions_it_is_within_its_stated_error(grams: list[Array]) -> None:
    found = [coherence_of_batches(gram, K) for gram in grams]
    assert within_its_error(skewed(), found)
    printed = np.array([f.printed for f in found])
    too_large = printed.mean() - float(of_vectors(skewed()))
    assert too_large > 5 * printed.std() / math.sqrt(PARTITIONS)  # W11.e


def test_the_number_of_batches_for_their_size_is_caught(grams: list[Array]) -> None:
    assert not within_its_error(skewed(), [coherence_of_batches(gram, len(gram)) for gram in grams])


def test_the_variance_is_that_over_all_partitions() -> None:
    """All partitions of eight examples into four pairs: the estimate's mean over them is the variance itself."""
    g = np.random.default_rng(0).standard_normal((8, 2)) * np.arange(1, 9)[:, None]

    def pairings(left: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not left:
            yield ()
        for other in left[1:]:
            rest = tuple(i for i in left[1:] if i != other)
            for more in pairings(rest):
                yield (left[0], other, *more)

    grams = [means(g, 2, np.array(order)) for order in pairings(tuple(range(8)))]
    assert len(grams) == 105
    between = [np.trace(gram) / 4 - gram.mean() for gram in grams]
    assert np.mean([variance_over_partitions(gram, 2) for gram in grams]) == pytest.approx(np.var(between), rel=1e-9)


@pytest.mark.parametrize("megabytes", [256.0, 1e-5], ids=["at once", "one at a time"])
def test_of_a_network_it_is_that_of_its_gradients(megabytes: float) -> None:
    model, (x, y) = drawn(dense), data((4,), 12)
    batches = random_batches(x, y, 3, seed=0)
    found = coherence_from_batches(model, batches, functional.cross_entropy, megabytes=megabytes)
    w = np.array([gradients(model, a, b).mean(axis=0) for a, b in batches])
    expected = coherence_of_batches(w @ w.T, 3)
    assert found.value == pytest.approx(expected.value, rel=1e-10)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-8)
    assert (found.examples, found.batches, found.batch_size) == (12, 4, 3)
    assert found.ratio == pytest.approx(12 * found.value)
    assert found.of_examples
    assert all(p.grad is None for p in model.parameters())


def test_batches_of_one_example_have_the_coherence_of_the_sample() -> None:
    model, (x, y) = drawn(dense), data((4,), 6)
    found = coherence_from_batches(model, random_batches(x, y, 1, seed=0), "cross_entropy")
    g = gradients(model, x, y)
    assert found.value == pytest.approx(coherence(g @ g.T).value, rel=1e-10)
    assert (found.standard_error, found.bias) == (0.0, 0.0)


def test_equal_examples_have_coherence_1() -> None:
    found = coherence_of_batches(np.ones((5, 5)), 7)
    assert (found.value, found.ratio, found.standard_error) == (1.0, 35, 0.0)


def test_three_batches_do_not_show_their_error() -> None:
    found = coherence_of_batches(np.eye(3) + 1, 2)
    assert (found.standard_error, found.bias) == (math.inf, math.inf)


def test_batch_norm_that_takes_statistics_of_its_batch_is_said_and_put_back() -> None:
    model = drawn(lambda: nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))).train()
    before = [b.clone() for b in model.buffers()]
    found = coherence_from_batches(model, random_batches(*data((4,), 20), 5, seed=0), "cross_entropy")
    assert not found.of_examples
    assert 0 < found.batch_coherence < 1
    assert all(torch.equal(a, b) for a, b in zip(before, model.buffers(), strict=True))
    assert coherence_from_batches(model.eval(), random_batches(*data((4,), 20), 5, seed=0), "cross_entropy").of_examples


class Drawn(torch.utils.data.Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Images whose random labels, or noise, are drawn at every access."""

    def __init__(self, what: str) -> None:
        self.what, self.generator, (self.x, self.y) = what, torch.Generator().manual_seed(0), data((4,), 12)

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = self.x[index], self.y[index]
        if self.what == "labels":
            y = torch.randint(0, 3, (), generator=self.generator)
        if self.what == "noise":
            x = x + torch.randn(4, generator=self.generator, dtype=torch.float64)
        return x, y


@pytest.mark.parametrize(
    ("what", "shuffle", "message"),
    [
        ("labels", False, "got other targets in batch 0 at a later pass: are labels drawn anew at every access"),
        ("noise", False, "got other inputs in batch 0 at a later pass: shuffle and augment once"),
        ("nothing", True, "got other inputs in batch 0 at a later pass"),
    ],
)
def test_batches_that_change_between_passes_are_named(what: str, shuffle: bool, message: str) -> None:
    loader = torch.utils.data.DataLoader(
        Drawn(what), batch_size=3, shuffle=shuffle, generator=torch.Generator().manual_seed(0)
    )
    with pytest.raises(ValueError, match=message):
        coherence_from_batches(drawn(dense), loader, "cross_entropy")


def test_batches_that_stay_are_taken() -> None:
    loader = torch.utils.data.DataLoader(Drawn("nothing"), batch_size=3)
    kept = list(torch.utils.data.DataLoader(Drawn("labels"), batch_size=3))
    assert coherence_from_batches(drawn(dense), loader, "cross_entropy").batches == 4
    assert coherence_from_batches(drawn(dense), kept, "cross_entropy").batches == 4


def test_weights_that_move_between_batches_are_named() -> None:
    model, batches = drawn(dense), random_batches(*data((4,), 12), 3, seed=0)

    class Training:
        """Makes a step of training before each batch but the first."""

        def __iter__(self) -> Iterator[Any]:
            for place, (x, y) in enumerate(batches):
                if place:
                    weights = list(model.parameters())
                    steps = torch.autograd.grad(functional.cross_entropy(model(x), y), weights)
                    for weight, step in zip(weights, steps, strict=True):
                        weight.data -= 0.1 * step
                yield x, y

    with pytest.raises(
        ValueError, match=r"model must keep its weights while batches are gone through, got another 1\.weight"
    ):
        coherence_from_batches(model, Training(), "cross_entropy")


def test_batches_that_vanish_are_named() -> None:
    batches, passes = random_batches(*data((4,), 12), 3, seed=0), itertools.count()

    class Fewer:
        def __iter__(self) -> Iterator[Any]:
            return iter(batches[: 4 - next(passes)])

    with pytest.raises(ValueError, match="batches must be the same at every pass, got"):
        coherence_from_batches(drawn(dense), Fewer(), "cross_entropy")


X, Y = data((4,), 12)
SUM = nn.CrossEntropyLoss(reduction="sum")


def of(batches: Any, loss: Any = "cross_entropy") -> Any:
    return coherence_from_batches(drawn(dense), batches, loss)


def fives() -> Any:
    return zip(X.split(5), Y.split(5), strict=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: random_batches(X, Y, 5, seed=0), ValueError, "batch_size must divide the number of examples, 12, got 5"),
        (lambda: random_batches(X, Y, 13, seed=0), ValueError, "batch_size must be between 1 and .*, 12, got 13"),
        (lambda: random_batches(X, Y, 0, seed=0), ValueError, "batch_size must be between 1 and .*, 12, got 0"),
        (lambda: random_batches(X, Y[:3], 3, seed=0), ValueError, "x and y must hold one row an example"),
        (lambda: of([(X, Y)]), ValueError, "batches must be at least two"),
        (lambda: of([]), ValueError, "batches must be at least two, got none"),
        (lambda: of(fives()), TypeError, "batches must be something that can be gone through repeatedly, .* got zip"),
        (lambda: of(list(fives())), ValueError, "batches must all be of one size, .* got 5 and, in batch 2, 2"),
        (lambda: of([X, X]), TypeError, "batches must hold pairs of inputs and targets, got Tensor"),
        (lambda: of(random_batches(X, Y, 3, seed=0), SUM), ValueError, "loss must be a mean over its batch"),
        (lambda: coherence_of_batches(np.zeros((3, 3)), 2), AssumptionError, "E"),
        (lambda: coherence_of_batches(np.eye(3), 0), ValueError, "batch_size must be at least 1, got 0"),
    ],
    ids=["no divisor", "too large", "0", "lengths", "one batch", "none", "once only", "sizes", "no pairs", "sum", "all 0",
         "size 0"],
)  # fmt: skip
def test_bad_input_is_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
