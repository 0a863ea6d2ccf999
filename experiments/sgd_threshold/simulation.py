"""SGD near a minimum, linearised, and what is measured of it: growth, ensembles and the exponent of single paths."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import norm

from experiments.engine.records import Row
from experiments.sgd_threshold.config import Config
from experiments.sgd_threshold.report import STABLE, UNDECIDED, UNSTABLE
from theory.checks import Array
from theory.linear_stability import noise_share
from theory.symbols import Sampling


@dataclass(frozen=True, eq=False)
class Case:
    """What SGD runs on.

    Attributes:
        points: the features in an orthonormal basis of their span, [n, r].
        batch: the batch size B; the last batch of an epoch is smaller if B does not divide n.
        sampling: how batches are drawn.
        rng: what draws them.
    """

    points: Array
    batch: int
    sampling: Sampling
    rng: np.random.Generator

    def drawn(self, count: int, *, backwards: bool = False) -> list[Array]:
        """Return `count` independent draws of a step's batch, or of an epoch's batches in their order: indices [count, B] each.

        Args:
            count: number of draws.
            backwards: whether the batches of an epoch come last first.
        """
        n = len(self.points)
        if self.sampling == "with_replacement":
            return [self.rng.integers(0, n, (count, self.batch))]
        order = np.argsort(self.rng.random((count, n)), axis=1)
        if self.sampling == "without_replacement":
            return [order[:, : self.batch]]
        epoch = [order[:, first : first + self.batch] for first in range(0, n, self.batch)]
        return epoch[::-1] if backwards else epoch

    def rounds(self, steps: int) -> int:
        """Return how many draws of `drawn` make about so many steps, at least one."""
        return max(1, round(steps / -(-len(self.points) // self.batch))) if self.sampling == "reshuffling" else steps


def moved(points: Array, batches: list[Array], step_size: float | Array, a: Array) -> Array:
    """Return a after the batches, one after the other: a <- (I - eta mean_{i in batch} phi_i phi_i^T) a, [R, r, m].

    Args:
        points: the features, [n, r].
        batches: for each step the points of the R batches, [R, B].
        step_size: eta, one or one for each column of `a`.
        a: R times m vectors, [R, r, m].
    """
    for batch in batches:
        rows = points[batch]
        a = a - step_size / batch.shape[1] * (rows.transpose(0, 2, 1) @ (rows @ a))
    return a


@cache
def orders(n: int, batch: int) -> Array:
    """Return all orders of n points that differ in their batches, [m, n]."""
    every = np.array(list(itertools.permutations(range(n))))
    keep = np.ones(len(every), dtype=bool)
    for first in range(0, n, batch):
        keep &= np.all(np.diff(every[:, first : first + batch], axis=1) > 0, axis=1)
    kept: Array = every[keep]
    return kept


def second_moment_map(case: Case, step_size: float) -> Array:
    """Return the matrix [r^2, r^2] that takes E[a a^T] to what it is a step later, or for reshuffling an epoch later.

    For batches drawn anew it is (I - eta H) (x) (I - eta H) + eta^2 p (mean H_i (x) H_i - H (x) H), p = (n - B)/(B (n - 1))
    without replacement and 1/B with; for reshuffling the average of A (x) A over all orders, A the product of an epoch.
    """
    points, batch = case.points, case.batch
    n, r = points.shape
    if case.sampling == "reshuffling":
        every = orders(n, batch)
        parts = [every[:, first : first + batch] for first in range(0, n, batch)]
        epochs = moved(points, parts, step_size, np.tile(np.eye(r), (len(every), 1, 1))).reshape(len(every), -1)
        pairs = (epochs.T @ epochs / len(every)).reshape(r, r, r, r)  # the mean of A_ij A_kl
        average: Array = pairs.transpose(0, 2, 1, 3).reshape(r * r, r * r)
        return average
    hessian = points.T @ points / n
    contraction = np.eye(r) - step_size * hessian
    squares = np.einsum("ni,nj->nij", points, points).reshape(n, -1)
    share = float(noise_share(n, batch)) if case.sampling == "without_replacement" else 1 / batch
    fourth = (squares.T @ squares / n).reshape(r, r, r, r).transpose(0, 2, 1, 3).reshape(r * r, r * r)
    exact: Array = np.kron(contraction, contraction) + step_size**2 * share * (fourth - np.kron(hessian, hessian))
    return exact


def growth(case: Case, step_size: float, exact: Array, config: Config) -> Row:
    """Return how the mean of a a^T grows, by simulation alone, and how far that is from its exact value.

    X is carried from I, each time to the average of A X A^T over fresh draws of A. The growth is the mean of
    tr(Y A X A^T) / tr(Y X) over all draws of the second half: given X and Y it is unbiased for tr(Y T(X)) / tr(Y X), and the
    draws are a martingale's, so their spread gives its error. T is self-adjoint, and Y is X, but for epochs with a smaller
    last batch; there Y is carried likewise by epochs that run backwards, the adjoint of T. `quotient` is the mean of
    tr(Y T(X)) / tr(Y X) by the exact map; for Y = X it is never above T's spectral radius, so that below the threshold the
    chance of a wrong call is at most the level whatever X is, and above it if X has come near enough to T's top eigenvector.
    """
    n, r = case.points.shape
    symmetric = case.sampling != "reshuffling" or n % case.batch == 0
    rounds = max(20, case.rounds(config.steps))
    x = y = np.eye(r)
    seen, expected = [], []
    for index in range(rounds):
        image = second_moments(case.points, case.drawn(config.draws), step_size, x)
        if index >= rounds // 2:
            size = float(np.sum(x * y))
            seen.append(np.einsum("kab,ab->k", image, y) / size)
            expected.append(float(y.ravel() @ exact @ x.ravel()) / size)
        x = normalised(image)
        y = (
            x
            if symmetric
            else normalised(second_moments(case.points, case.drawn(config.draws, backwards=True), step_size, y))
        )
    values = np.stack(seen)
    mean, quotient = float(np.mean(values)), float(np.mean(expected))
    spread = float(np.mean((values - np.array(expected)[:, None]) ** 2))
    # Where every draw gives the same, as for the whole data set, what is left is rounding.
    error = max(math.sqrt(spread / values.size), 1e-14)
    bar = float(norm.isf(config.level))
    call = UNSTABLE if mean - 1 > bar * error else STABLE if 1 - mean > bar * error else UNDECIDED
    # The chances of each call if `mean` is normal around its exact value.
    above, below = float(norm.sf(bar + (1 - quotient) / error)), float(norm.sf(bar + (quotient - 1) / error))
    return {
        "rounds": rounds,
        "value": mean,
        "error": error,
        "quotient": quotient,
        "off": (mean - quotient) / error if spread / values.size > 1e-28 else None,
        "standard_errors": bar,
        "call": call,
        "chance_unstable": above,
        "chance_stable": below,
    }


def second_moments(points: Array, batches: list[Array], step_size: float, x: Array) -> Array:
    """Return A X A^T for each of R draws, [R, r, r], X symmetric."""
    carried = moved(points, batches, step_size, np.tile(x, (len(batches[0]), 1, 1)))
    return moved(points, batches, step_size, carried.transpose(0, 2, 1))


def normalised(images: Array) -> Array:
    """Return the mean of matrices [R, r, r] over R, symmetric and of norm 1."""
    mean = np.mean(images, axis=0)
    size: Array = (mean + mean.T) / 2 / np.linalg.norm(mean)
    return size


def ensemble(case: Case, step_size: float, exact: Array, config: Config) -> Row:
    """Return the mean of ||a||^2 over paths from Gaussian starts, relative to that of the starts, after the two horizons."""
    r = case.points.shape[1]
    short, long = (case.rounds(steps) for steps in config.horizons)
    a = case.rng.standard_normal((config.paths, r, 1))
    start = np.sum(a**2, axis=(1, 2))
    for _ in range(short):
        a = moved(case.points, case.drawn(len(a)), step_size, a)
    sizes = np.sum(a**2, axis=(1, 2)) / r
    mean, error = float(np.mean(sizes)), float(np.std(sizes, ddof=1)) / math.sqrt(len(sizes))
    known = after(exact, short)
    kept = config.paths // 10
    a, start = a[:kept], start[:kept]
    for _ in range(long - short):
        a = moved(case.points, case.drawn(len(a)), step_size, a)
    far = np.sum(a**2, axis=(1, 2))
    return {
        "rounds": short,
        "value": mean,
        "error": error,
        "quotient": known,
        "off": (mean - known) / error,
        "long_rounds": long,
        "long_value": float(np.mean(far)) / r,
        "long_quotient": after(exact, long),
        "shrunk": float(np.mean(far < start)),
    }


def after(exact: Array, rounds: int) -> float:
    """Return E ||a||^2 after so many steps (or epochs) from a standard Gaussian start, relative to that of the start."""
    r = math.isqrt(len(exact))
    moment = np.eye(r).ravel()
    for _ in range(rounds):
        moment = exact @ moment
    return float(np.trace(moment.reshape(r, r))) / r


def vanishing_exponent(case: Case, threshold: float, config: Config) -> Row:
    """Return the step size at which the top Lyapunov exponent crosses 0, in units of the threshold.

    The exponent, lim (1/t) log ||a_t||, is a mean over paths; all step sizes see the same batches. It is looked at on a
    coarse grid, then on a fine one around where it first becomes positive. The error is that of the mean over the slope,
    plus the step of the grid; both are None if the exponent is not seen to cross.
    """

    def exponents(factors: Array) -> tuple[Array, Array]:
        rounds = case.rounds(config.exponent_steps)
        a = case.rng.standard_normal((config.exponent_paths, case.points.shape[1], len(factors)))
        total = np.zeros((config.exponent_paths, len(factors)))
        for index in range(-(rounds // 6), rounds):
            a = moved(case.points, case.drawn(len(a)), factors * threshold, a)
            size = np.linalg.norm(a, axis=1)
            a = a / np.maximum(size, np.finfo(np.float64).tiny)[:, None, :]
            if index >= 0:
                total += np.log(np.maximum(size, np.finfo(np.float64).tiny))
        return np.mean(total, axis=0), np.std(total, axis=0, ddof=1) / math.sqrt(config.exponent_paths)

    factors = np.geomspace(0.9, 6, 24)
    for finer in (True, False):
        means, errors = exponents(factors)
        first = int(np.argmax(means > 0))
        if first == 0:  # all above 0, or none
            return {"factor": None, "error": None, "step_size": None}
        if finer:
            margin = (factors[first] - factors[first - 1]) / 4
            factors = np.linspace(factors[first - 1] - margin, factors[first] + margin, 31)
    step = float(factors[first] - factors[first - 1])
    slope = float(means[first] - means[first - 1]) / step
    crossing = float(factors[first]) - float(means[first]) / slope
    error = float(max(errors[first - 1], errors[first])) / slope + step
    return {"factor": crossing, "error": error, "step_size": crossing * threshold}
