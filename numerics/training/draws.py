"""How batches are drawn, the same for every way to train."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from numerics.kernels import Plan
from theory.checks import Array, batch_size, count, positive
from theory.symbols import Sampling

DRAWN: tuple[Sampling, ...] = ("without_replacement", "reshuffling")
"""What training can draw; batches with replacement have a threshold (`numerics.stability`), but no loops."""


def batches(n: int, size: int, *, sampling: Sampling = "without_replacement", seed: int = 0) -> Iterator[Array]:
    """Yield for ever the batches that training with this seed sees: indices of data points, [size].

    "without_replacement" draws `size` distinct points uniformly at every step, independently of all other steps.
    "reshuffling" permutes the points afresh each epoch and takes consecutive blocks; the last may be shorter.

    Args:
        n: how many data points there are, at least 1.
        size: points in a batch, 1 to n.
        sampling: one of the two above.
        seed: for `numpy.random.default_rng`, at least 0.

    Raises:
        TypeError: if `n`, `size` or `seed` is no integer.
        ValueError: if `size` is not between 1 and n, `sampling` is neither of these, or `n` or `seed` is too small.

    Example:
        >>> from itertools import islice
        >>> from numerics.training import batches
        >>> [sorted(batch.tolist()) for batch in islice(batches(4, 3, sampling="reshuffling", seed=0), 4)]
        [[0, 1, 2], [3], [1, 2, 3], [0]]
    """
    plan = plan_of(count("n", n), size, sampling, 1.0, 1, 0)
    generator = np.random.default_rng(count("seed", seed, fewest=0))
    return batch_stream(generator, plan, sampling)


def batch_stream(generator: np.random.Generator, plan: Plan, sampling: Sampling) -> Iterator[Array]:
    """Yield for ever the batches that a generator draws for a plan: see `batches`."""
    for order in epoch_stream(generator, plan, sampling):
        for first in range(0, len(order), plan.batch):
            yield order[first : first + plan.batch]


def epoch_stream(generator: np.random.Generator, plan: Plan, sampling: Sampling) -> Iterator[Array]:
    """Yield for ever the batches of an epoch that a generator draws for a plan, one after the other in one array."""
    while True:
        yield draw(generator, plan, sampling, plan.per_epoch)


def draw(generator: np.random.Generator, plan: Plan, sampling: Sampling, steps: int) -> Array:
    """Return the points of the next `steps` batches, whole epochs if reshuffled, one batch after the other."""
    rows = steps // plan.per_epoch if sampling == "reshuffling" else steps
    order = generator.permuted(np.tile(np.arange(plan.points), (rows, 1)), axis=1)
    return (order if sampling == "reshuffling" else order[:, : plan.batch]).ravel()


def plan_of(n: int, batch: int | None, sampling: Sampling, step_size: float, scale: float, record_every: int) -> Plan:
    """Return the numbers of a run on n points, after checking them.

    Raises:
        TypeError: if the batch size is no integer, or the step size no real number.
        ValueError: if the batch size is not between 1 and n, the step size not above 0, or training cannot draw so.
    """
    if sampling not in DRAWN:
        raise ValueError(f"sampling must be one of {', '.join(map(repr, DRAWN))}, got {sampling!r}")
    size = n if batch is None else batch_size(batch, n)
    per_epoch = -(-n // size)
    last = n - size * (per_epoch - 1) if sampling == "reshuffling" else size
    return Plan(n, size, per_epoch, last, float(positive("step_size", step_size)), float(scale), record_every)
