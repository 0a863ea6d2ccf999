"""SGD on the loss of a network, from near its minimum."""

from __future__ import annotations

import math

import numpy as np

from experiments.engine.records import Row
from experiments.sgd_threshold.config import Config
from experiments.sgd_threshold.minima import Minimum, weights_of
from experiments.sgd_threshold.report import LEFT
from experiments.sgd_threshold.simulation import Case
from numerics.stability import mean_square_threshold
from theory.checks import Array

DIVERGED = 1e10
"""A loss above this counts as diverged."""


ENDS = 8
"""Of the runs that leave and end below their first loss, so many are asked for the threshold where they end."""


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
