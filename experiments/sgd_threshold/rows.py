"""SGD just below and just above its exact thresholds (mulayoff2024; B3, B9): the rows of `experiments.sgd_threshold`.

Near a minimum with zero loss SGD is a <- (I - eta mean_{i in batch} phi_i phi_i^T) a, phi_i the gradient of f(x_i), and
`numerics.stability.mean_square_threshold` says up to which step size E ||a||^2 stays bounded. Here the batches are drawn:

- growth: the mean of a a^T is carried through many steps, each time the average over fresh batches, and its growth is
  held against 1. A plain average of ||a||^2 would not do: near the threshold it is made by paths too rare to be drawn.
- ensemble: such plain averages, over few steps against their exact values, and over many to show how they fail.
- exponent: the step size beyond which single paths grow, where the mean of log ||a|| over long paths ceases to fall.
- network: SGD on the loss of a trained network, from a small distance of its minimum: which runs leave?
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import get_args

import numpy as np
from scipy.stats import norm

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one, option
from experiments.engine.study import Task, seed_of
from experiments.kit.datasets import BUILT_IN, named
from experiments.kit.measures import scaled_initialisation
from experiments.sgd_threshold.report import LEFT, STABLE, UNDECIDED, UNSTABLE
from numerics.stability import mean_square_threshold
from numerics.stability.reshuffling import RESHUFFLED_POINTS
from numerics.training import Outcome, train
from theory.beyond import critical_step_size
from theory.checks import Array
from theory.linear_stability import noise_share
from theory.symbols import Sampling
from theory.two_layer import Weights

GAUSSIAN = {"gaussian": (6, 3), "gaussian_wide": (8, 20), "gaussian_many": (20, 8)}
"""Problems of independent standard Gaussian features, by name: points and features."""

KNOT_MARGIN = 1e-3
"""A network is used if none of its pre-activations on the data is smaller: at a knot the loss is not smooth."""

STARTS = 200
"""So many initialisations are tried for a network that interpolates and keeps its knots off the data."""

DIVERGED = 1e10
"""A loss above this counts as diverged."""

ENDS = 8
"""Of the runs that leave and end below their first loss, so many are asked for the threshold where they end."""


ID = "sgd_threshold"
"""The study: the name of its folder, and what its seeds begin with."""


@dataclass(frozen=True)
class Config:
    """What is simulated.

    Attributes:
        problems: gaussian (6 points, 3 features), gaussian_wide (8, 20), gaussian_many (20, 8), or built-in data sets that a
            network is trained on: sine, hat, step, parabola, gaussian_process, clusters.
        samplings: how batches are drawn: without_replacement, with_replacement, reshuffling (up to 8 points).
        batch_sizes: batch sizes; 0 stands for all from 1 to the number of points.
        factors: step sizes in units of the threshold, none of them 1.
        level: chance, at most, with which a growth of exactly 1 is called above 1, and that it is called below 1.
        steps: steps that the mean of a a^T is carried through; its growth is measured over the second half.
        draws: batches (or orders of the points) drawn afresh for each of these steps (or epochs).
        paths: paths of an ensemble; a tenth of them goes on to the long horizon.
        horizons: steps after which the mean of ||a||^2 over an ensemble is looked at, a few and many; for reshuffling about as
            many, in whole epochs.
        exponent_steps: steps of each path that an exponent is averaged over, after a sixth as many that are not.
        exponent_paths: number of these paths.
        networks: runs of SGD on the loss of a network for each step size.
        network_steps: steps of each of these runs.
        perturbation: distance of their start from the minimum, in root mean square over draws.
        width: hidden units of the networks.
        seed: changes all that is drawn; any integer.
    """

    problems: tuple[str, ...] = ("gaussian", "parabola", "sine")
    samplings: tuple[Sampling, ...] = get_args(Sampling)
    batch_sizes: tuple[int, ...] = (0,)
    factors: tuple[float, ...] = (0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.15, 1.25, 1.5)
    level: float = 1e-3
    steps: int = 400
    draws: int = 256
    paths: int = 20_000
    horizons: tuple[int, int] = (2, 300)
    exponent_steps: int = 3000
    exponent_paths: int = 32
    networks: int = 32
    network_steps: int = 3000
    perturbation: float = 1e-6
    width: int = 20
    seed: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each problem, sampling and batch size.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "exponent_steps", "networks", "network_steps", "width")
    above_zero(config, "factors", "perturbation")
    for name, fewest in (("steps", 4), ("draws", 2), ("paths", 20), ("exponent_paths", 2)):
        if getattr(config, name) < fewest:
            raise ValueError(f"{option(name)} must be at least {fewest}, got {getattr(config, name)}")
    if not 0 < config.level < 0.5:
        raise ValueError(f"--level must be above 0 and below 0.5, got {config.level}")
    if not 1 <= config.horizons[0] <= config.horizons[1]:
        raise ValueError(f"--horizons must be at least 1 and in this order, got {config.horizons}")
    if not config.factors or 1 in config.factors:
        raise ValueError(f"--factors must be some numbers other than 1, got {config.factors}")
    known: dict[str, tuple[str, ...]] = {"problems": (*GAUSSIAN, *BUILT_IN), "samplings": get_args(Sampling)}
    for name, among in known.items():
        values = getattr(config, name)
        if not values or not set(values) <= set(among) or len(set(values)) < len(values):
            raise ValueError(f"{option(name)} must name some of {', '.join(among)}, each once, got {values}")
    if not config.batch_sizes:
        raise ValueError("--batch-sizes must hold at least one number, got none")
    jobs: dict[str, Task] = {}
    for problem in config.problems:
        n = GAUSSIAN[problem][0] if problem in GAUSSIAN else len(named(problem).x)
        sizes = range(1, n + 1) if config.batch_sizes == (0,) else config.batch_sizes
        for size in sizes:
            if not 1 <= size <= n:
                raise ValueError(f"--batch-sizes must be from 1 to {n} for {problem}, or 0 alone, got {size}")
        if problem not in GAUSSIAN:
            interpolating_minimum(problem, config.width, config.seed)
        for sampling in config.samplings:
            if sampling == "reshuffling" and n > RESHUFFLED_POINTS:
                continue  # its threshold is not known exactly
            for size in sizes:
                jobs[f"{problem}-{sampling}-{size:03d}"] = partial(simulate, problem, sampling, size, config)
    if not jobs:
        raise ValueError(f"--samplings must not be reshuffling alone for more than {RESHUFFLED_POINTS} points")
    return jobs


def simulate(problem: str, sampling: Sampling, batch: int, config: Config) -> list[Row]:
    """Return the rows of a problem, a sampling and a batch size: three or four for each step size, one for the exponent."""
    minimum = None if problem in GAUSSIAN else interpolating_minimum(problem, config.width, config.seed)
    features = gaussian_features(problem, config.seed) if minimum is None else minimum.features
    points = on_the_span(features)
    threshold = mean_square_threshold(features, batch, sampling=sampling).value
    seed = seed_of(ID, config.seed, problem, sampling, batch)
    case = Case(points, batch, sampling, np.random.default_rng(seed))
    common = {
        "problem": problem,
        "n": len(points),
        "rank": points.shape[1],
        "sampling": sampling,
        "batch": batch,
        "seed": seed,
        "threshold": threshold,
        "gd_threshold": 2 / (float(np.linalg.norm(points, 2)) ** 2 / len(points)),
        "level": config.level,
    }
    rows: list[Row] = []
    for factor in config.factors:
        at = {**common, "factor": factor, "step_size": factor * threshold}
        exact = second_moment_map(case, factor * threshold)
        at["exact_growth"] = float(np.max(np.abs(np.linalg.eigvals(exact))))
        rows += [
            {**at, "kind": "growth", **growth(case, factor * threshold, exact, config)},
            {**at, "kind": "ensemble", **ensemble(case, factor * threshold, exact, config)},
        ]
    rows.append({**common, "kind": "exponent", **vanishing_exponent(case, threshold, config)})
    if minimum is not None:
        left = network_runs(minimum, case, threshold, config)
        rows += [
            {**common, "kind": "network", "factor": factor, "step_size": factor * threshold, **part}
            for factor, part in zip(config.factors, left, strict=True)
        ]
    return rows


# The problems.


@dataclass(frozen=True, eq=False)
class Minimum:
    """A network that interpolates its data, its knots off the data.

    Attributes:
        weights: the weights.
        x: inputs, [n].
        y: targets, [n].
    """

    weights: Weights
    x: Array
    y: Array

    @property
    def features(self) -> Array:
        """The gradients of f(x_j) in the weights as rows, [n, 3k + 1]."""
        return self.weights.tangent_features(self.x)


def gaussian_features(problem: str, seed: int) -> Array:
    """Return the features of a Gaussian problem, [n, d]."""
    rng = np.random.default_rng(seed_of(problem, seed))
    return rng.standard_normal(GAUSSIAN[problem])


@cache
def interpolating_minimum(problem: str, width: int, seed: int) -> Minimum:
    """Return a network that gradient descent and a few Gauss-Newton steps lead to, the first one that can be used.

    Raises:
        ValueError: if none of `STARTS` initialisations leads to one.
    """
    data = named(problem)
    for index in range(STARTS):
        run = train(
            scaled_initialisation(width, 1.0, seed_of(problem, seed, index)),
            data.x,
            data.y,
            step_size=0.1 * critical_step_size(data.x, data.y),
            max_steps=300_000,
            stop_loss=1e-14,
            patience=50_000,
        )
        if run.outcome != Outcome.INTERPOLATED:
            continue
        weights = run.weights
        for _ in range(5):
            residuals = weights(data.x) - data.y
            step = np.linalg.lstsq(weights.tangent_features(data.x), residuals, rcond=1e-12)[0]
            weights = weights_of(weights.vector - step)
        margin = float(np.min(np.abs(weights.pre_activations(data.x))))
        if margin >= KNOT_MARGIN and float(np.mean((weights(data.x) - data.y) ** 2)) < 1e-28:
            return Minimum(weights, data.x, data.y)
    raise ValueError(
        f"--width must let a network interpolate {problem} with its knots off the data: of {STARTS} of {width} units none does"
    )


def weights_of(vector: Array) -> Weights:
    """Return the weights with this parameter vector, [3k + 1]."""
    w1, b1, w2 = vector[:-1].reshape(3, -1)
    return Weights(w1, b1, w2, float(vector[-1]))


def on_the_span(features: Array) -> Array:
    """Return features [n, d] in an orthonormal basis of their span, [n, r]."""
    left, sizes, _ = np.linalg.svd(features, full_matrices=False)
    kept = sizes > 1e-12 * sizes[0]
    points: Array = left[:, kept] * sizes[kept]
    return points


# SGD near the minimum.


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


# What is measured of it.


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


# SGD on the loss of a network.


def network_step(weights: list[Array], x: Array, y: Array, step_size: Array) -> list[Array]:
    """Return the weights of R networks after a step of SGD on (1/2B) sum (f - y)^2.

    Args:
        weights: w1, b1, w2, [R, k] each, and b2, [R].
        x: the inputs of each batch, [R, B].
        y: its targets, [R, B].
        step_size: [R].
    """
    w1, b1, w2, b2 = weights
    z = w1[:, None, :] * x[:, :, None] + b1[:, None, :]
    active, outputs = z > 0, np.maximum(z, 0)
    rates = (np.einsum("rbk,rk->rb", outputs, w2) + b2[:, None] - y) * (step_size / x.shape[1])[:, None]
    ones, inputs = np.einsum("rb,rbk->rk", rates, active), np.einsum("rb,rbk->rk", rates * x, active)
    return [
        w1 - w2 * inputs,
        b1 - w2 * ones,
        w2 - np.einsum("rb,rbk->rk", rates, outputs),
        b2 - np.sum(rates, axis=1),
    ]


def losses(weights: list[Array], minimum: Minimum) -> Array:
    """Return the losses (1/2n) sum (f - y)^2 of R networks on all points, [R]; inf where they are not finite."""
    w1, b1, w2, b2 = weights
    outputs = np.maximum(w1[:, None, :] * minimum.x[:, None] + b1[:, None, :], 0)
    loss = np.mean((np.einsum("rnk,rk->rn", outputs, w2) + b2[:, None] - minimum.y) ** 2, axis=1) / 2
    finite: Array = np.where(np.isfinite(loss), loss, np.inf)
    return finite


def network_runs(minimum: Minimum, case: Case, threshold: float, config: Config) -> list[Row]:
    """Run SGD from near the minimum with each step size; return for each what came of the runs.

    The loss on all points is looked at once an epoch (every n/B steps, rounded up).
    """
    n, runs = len(minimum.x), config.networks
    step_size = np.repeat(np.array(config.factors) * threshold, runs)
    vector, k = minimum.weights.vector, minimum.weights.width
    away = case.rng.standard_normal((len(step_size), len(vector))) * (config.perturbation / math.sqrt(len(vector)))
    start = vector + away
    weights = [start[:, :k], start[:, k : 2 * k], start[:, 2 * k : 3 * k], start[:, -1]]
    first = top = losses(weights, minimum)
    per_epoch, steps = -(-n // case.batch), 0
    with np.errstate(over="ignore", invalid="ignore"):
        while steps < config.network_steps:
            batches: list[Array] = []
            while len(batches) < per_epoch:
                batches += case.drawn(len(step_size))
            for part in batches:
                weights = network_step(weights, minimum.x[part], minimum.y[part], step_size)
            steps += per_epoch
            last = losses(weights, minimum)
            top = np.maximum(top, last)
    left = (top > LEFT * first).reshape(-1, runs)
    diverged = (last > DIVERGED).reshape(-1, runs)
    back = left & (last < first).reshape(-1, runs)
    ratio = (last / first).reshape(-1, runs)
    ends = np.concatenate([*weights[:3], weights[3][:, None]], axis=1).reshape(-1, runs, len(vector))
    rows = []
    for index in range(len(config.factors)):
        stayed = ratio[index][~left[index]]
        rows.append(
            {
                "rounds": steps,
                "runs": runs,
                "left": int(np.sum(left[index])),
                "diverged": int(np.sum(diverged[index])),
                "back": int(np.sum(back[index])),
                "stayed_loss": float(np.median(stayed)) if len(stayed) else None,
                "new_factors": new_factors(
                    ends[index][back[index]][:ENDS], minimum.x, case, config.factors[index] * threshold
                ),
            }
        )
    return rows


def new_factors(ends: Array, x: Array, case: Case, step_size: float) -> list[float]:
    """Return the step size in units of the threshold at each of the weights [m, 3k + 1]; none for reshuffling, too slow."""
    if case.sampling == "reshuffling":
        return []
    features = [weights_of(end).tangent_features(x) for end in ends]
    return [step_size / mean_square_threshold(rows, case.batch, sampling=case.sampling).value for rows in features]
