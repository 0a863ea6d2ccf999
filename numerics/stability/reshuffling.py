"""SGD by random reshuffling near an interpolating minimum: the expected map of an epoch, and where it starts to grow (B9).

Each epoch runs through a new uniformly random order of the n points in batches of B, the last one smaller if B does not
divide n. M, the expected map of an epoch on second moments E[a a^T], is averaged over the sets of points that the batches
up to a place make up: given such a set, the last of its batches is a uniformly random part of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from numerics.stability.spectrum import Spectrum, spectrum_of
from theory.checks import Array, count
from theory.checks import batch_size as checked_batch
from theory.enclosure import EPS
from theory.symbols import Loss, half_mean_step_size

RESHUFFLED_POINTS = 8
"""The expected map of an epoch of reshuffling is worked out, over all sets of points, up to so many points."""

SCAN_RATIO = 1 + 1 / 64
"""Step sizes at which the growth over an epoch is looked at have this ratio."""


@dataclass(frozen=True)
class Estimate:
    """An average of independent draws and its standard error."""

    value: float
    standard_error: float


def reshuffling_growth(
    features: object,
    batch_size: int,
    step_size: float,
    *,
    epochs: int = 20,
    repeats: int = 200,
    seed: int = 0,
    loss: Loss = "half_mean",
) -> Estimate:
    """Return an estimate of the factor by which E[a a^T] grows over an epoch of SGD by random reshuffling (B9).

    A positive matrix X on the range of K is carried through `epochs` epochs, each the average over `repeats` fresh orders
    of the points; then tr(X A X A^T) / tr(X^2) is averaged over as many more, A the product of an epoch. Given X, its
    expectation is at most the spectral radius where B divides n, for then the expected map of an epoch is self-adjoint,
    and the more epochs the nearer. Where a few orders make most of the mean, the error is larger than it seems.

    Args:
        features: the gradients phi_i as rows, [n, d]; any n.
        batch_size: B, from 1 to n; the last batch of an epoch is smaller if B does not divide n.
        step_size: eta > 0 on `loss`.
        epochs: how many epochs X is carried through, >= 0.
        repeats: how many orders are drawn for each, >= 2.
        seed: of the orders.
        loss: the loss that `step_size` belongs to.

    Raises:
        TypeError: if an entry of `features` or the step size is no real number, or a count no integer.
        ValueError: if `features`, `batch_size`, `step_size` or `loss` is out of range, all features vanish, `epochs` < 0,
            `repeats` < 2, or the growth overflows.

    Example:
        >>> from numerics import reshuffling_growth
        >>> found = reshuffling_growth([[1.0, 0.0], [0.0, 2.0]], batch_size=1, step_size=0.6)
        >>> round(found.value, 4), round(found.standard_error, 4)
        (1.96, 0.0)
    """
    eta = half_mean_step_size(step_size, loss)
    count("epochs", epochs, fewest=0), count("repeats", repeats, fewest=2)
    spectrum = spectrum_of(features)
    checked_batch(batch_size, len(spectrum.values))
    if spectrum.values[-1] == 0:
        raise ValueError("features must not all vanish, for then there is nothing to grow")
    points = _coordinates(spectrum)
    eta = math.ldexp(eta, 2 * spectrum.exponent)
    rng = np.random.default_rng(count("seed", seed, fewest=0))
    n, r = points.shape
    moment = np.eye(r) / math.sqrt(r)
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(epochs + 1):
            orders = rng.permuted(np.tile(np.arange(n), (repeats, 1)), axis=1)
            carried = np.tile(moment, (repeats, 1, 1))
            for start in range(0, n, batch_size):
                batch = points[orders[:, start : start + batch_size]]
                rate = eta / batch.shape[1]
                carried = carried - rate * batch.transpose(0, 2, 1) @ (batch @ carried)
                carried = carried - rate * (carried @ batch.transpose(0, 2, 1)) @ batch
            if not np.all(np.isfinite(carried)):
                raise ValueError(f"step_size must be small enough for the growth to be a float, got {step_size}")
            if epoch < epochs:
                mean = np.mean(carried, axis=0)
                moment = (mean + mean.T) / 2 / max(float(np.linalg.norm(mean)), np.finfo(np.float64).tiny)
    draws = np.einsum("kab,ab->k", carried, moment) / float(np.sum(moment**2))
    return Estimate(float(np.mean(draws)), float(np.std(draws, ddof=1)) / math.sqrt(repeats))


def _coordinates(spectrum: Spectrum) -> Array:
    """Return the features in an orthonormal basis of their span, [n, r]: U diag(n h)^(1/2), up to a power of 2."""
    n, kept = len(spectrum.values), len(spectrum.values) - spectrum.rank
    points: Array = spectrum.vectors[:, kept:] * np.sqrt(n * spectrum.values[kept:])
    return points


Batch = tuple[int, ...]


def _orders(n: int, batch: int) -> Iterator[tuple[Batch, list[tuple[Batch, Batch]]]]:
    """Yield the sets of points that an epoch may have seen after a batch, with the last batch and what came before it."""
    stages = [batch * stage for stage in range(1, n // batch + 1)]
    for size in stages if n % batch == 0 else [*stages, n]:
        last = min(batch, size - (size - 1) // batch * batch)
        for seen in itertools.combinations(range(n), size):
            parts = itertools.combinations(seen, last)
            yield seen, [(part, tuple(i for i in seen if i not in part)) for part in parts]


def _epoch(points: Array, batch: int, step_size: float) -> tuple[Array, Array]:
    """Return the expected map of an epoch on symmetric matrices, [s, s], and the basis of these, [r^2, s].

    Given the set that the first batches made up, the last of them is a uniformly random part of it.
    """
    r = points.shape[1]
    pairs = list(itertools.combinations_with_replacement(range(r), 2))
    basis = np.zeros((r * r, len(pairs)))
    for index, (a, b) in enumerate(pairs):
        basis[[a * r + b, b * r + a], index] = 1.0 if a == b else math.sqrt(0.5)
    steps: dict[Batch, Array] = {}
    maps: dict[Batch, Array] = {(): np.eye(len(pairs))}
    for seen, ways in _orders(len(points), batch):
        total = np.zeros((len(pairs), len(pairs)))
        for part, before in ways:
            if part not in steps:
                step = _step(points, part, step_size)
                steps[part] = basis.T @ (np.kron(step, step) @ basis)
            total += steps[part] @ maps[before]
        maps[seen] = total / len(ways)
    return maps[tuple(range(len(points)))], basis


def _step(points: Array, part: Batch, step_size: float) -> Array:
    """Return I - eta mean_{i in part} phi_i phi_i^T, [r, r]."""
    rows = points[list(part)]
    step: Array = np.eye(points.shape[1]) - step_size / len(part) * (rows.T @ rows)
    return step


def _radius(points: Array, batch: int, step_size: float) -> float:
    """Return the spectral radius of the expected map of an epoch."""
    return float(np.max(np.abs(np.linalg.eigvals(_epoch(points, batch, step_size)[0]))))


def first_unstable(spectrum: Spectrum, batch: int) -> tuple[float, float, float, tuple[Array, Array]]:
    """Return the first step size at which the growth over an epoch exceeds 1, bounds on it, and their certificate.

    Raises:
        RuntimeError: if none is found, or no certificate.
    """
    points = _coordinates(spectrum)
    n = len(points)
    parts = [part for _, ways in _orders(n, batch) for part, _ in ways]
    sharpest = max(float(np.linalg.norm(points[list(part)], 2)) ** 2 / len(part) for part in parts)
    lower = 2 / sharpest / SCAN_RATIO
    for _ in range(10_000):
        upper = lower * SCAN_RATIO
        if _radius(points, batch, upper) > 1:
            break
        lower = upper
    else:
        raise RuntimeError(f"the growth over an epoch is at most 1 at all step sizes up to {lower} times the scale")
    if _radius(points, batch, lower) < 1:
        value = float(brentq(lambda eta: _radius(points, batch, eta) - 1, lower, upper, xtol=EPS * lower, rtol=4 * EPS))
    else:
        value = lower
    ends, proofs = [], []
    for sign, wanted in ((-1, "stable"), (1, "unstable")):
        gap = 64 * EPS
        while gap < 1e-2:
            end = value * (1 + sign * gap)
            matrix = _lyapunov(spectrum, batch, end)
            if np.all(np.isfinite(matrix)) and proves(spectrum, batch, end, matrix, margin=2.0) == wanted:
                break
            gap *= 4
        else:
            raise RuntimeError(
                f"no certificate was found that SGD is {wanted} near {value} times the scale: the features are too nearly "
                "dependent, or the growth over an epoch stays close to 1"
            )
        ends.append(end)
        proofs.append(matrix)
    return value, ends[0], ends[1], (proofs[0], proofs[1])


def _lyapunov(spectrum: Spectrum, batch: int, step_size: float) -> Array:
    """Return U P U^T, [n, n], for the P with P - M(P) = I, scaled to norm 1; nan if there is none."""
    points = _coordinates(spectrum)
    epoch, basis = _epoch(points, batch, step_size)
    r, kept = points.shape[1], len(points) - spectrum.rank
    try:
        solution = basis @ np.linalg.solve(np.eye(len(epoch)) - epoch, basis.T @ np.eye(r).ravel())
    except np.linalg.LinAlgError:
        solution = np.full(r * r, math.nan)
    vectors = spectrum.vectors[:, kept:]
    matrix: Array = vectors @ (solution.reshape(r, r) / np.linalg.norm(solution)) @ vectors.T
    return (matrix + matrix.T) / 2


def proves(spectrum: Spectrum, batch: int, step_size: float, matrix: Array, *, margin: float = 1.0) -> str:
    """Return what U P U^T proves of the expected map M of an epoch: "stable", "unstable" or "nothing".

    M(P) is averaged over sets of points, one matrix for each, with a running bound on rounding.
    """
    points = _coordinates(spectrum)
    r, kept = points.shape[1], len(points) - spectrum.rank
    vectors = spectrum.vectors[:, kept:]
    start = vectors.T @ matrix @ vectors
    start = (start + start.T) / 2
    moments: dict[Batch, tuple[Array, float]] = {(): (start, 0.0)}
    for seen, ways in _orders(len(points), batch):
        total, error = np.zeros((r, r)), 0.0
        for part, before in ways:
            moment, was = moments[before]
            step, rows = _step(points, part, step_size), points[list(part)]
            size, reach = float(np.linalg.norm(moment)), float(np.linalg.norm(step, 2)) * (1 + 1e-12)
            slip = EPS * (len(part) + 4) * (1 + step_size / len(part) * float(np.sum(rows**2)))
            total += step @ moment @ step
            error += (reach + slip) ** 2 * was + 2 * (reach + slip) * slip * size
            error += EPS * (2 * r + len(ways) + 6) * reach**2 * size
        moments[seen] = (total / len(ways), 1.01 * error / len(ways))
    image, error = moments[tuple(range(len(points)))]
    image = (image + image.T) / 2
    difference = start - image
    error += EPS * (r + 4) * (float(np.linalg.norm(start)) + float(np.linalg.norm(image)))
    if not float(np.linalg.eigvalsh(difference)[0]) > margin * error:
        return "nothing"
    least, rounding = float(np.linalg.eigvalsh(start)[0]), margin * EPS * (r + 4) * float(np.linalg.norm(start))
    return "stable" if least > rounding else "unstable" if least < -rounding else "nothing"
