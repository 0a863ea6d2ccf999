"""The minima that SGD starts near: Gaussian features, and networks that interpolate their data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from experiments.engine.study import seed_of
from experiments.kit.datasets import named
from experiments.kit.measures import scaled_initialisation
from numerics.training import Outcome, train
from theory.beyond import critical_step_size
from theory.checks import Array
from theory.two_layer import Weights

GAUSSIAN = {"gaussian": (6, 3), "gaussian_wide": (8, 20), "gaussian_many": (20, 8)}
"""Problems of independent standard Gaussian features, by name: points and features."""


KNOT_MARGIN = 1e-3
"""A network is used if none of its pre-activations on the data is smaller: at a knot the loss is not smooth."""


STARTS = 200
"""So many initialisations are tried for a network that interpolates and keeps its knots off the data."""


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


def points_of(problem: str) -> int:
    """Return the number of points of a problem."""
    return GAUSSIAN[problem][0] if problem in GAUSSIAN else len(named(problem).x)


def sizes_of(problem: str, asked: tuple[int, ...]) -> Sequence[int]:
    """Return the batch sizes that are asked for, (0,) standing for all.

    Raises:
        ValueError: if one is none of a problem.
    """
    n = points_of(problem)
    sizes = range(1, n + 1) if asked == (0,) else asked
    for size in sizes:
        if not 1 <= size <= n:
            raise ValueError(f"--batch-sizes must be from 1 to {n} for {problem}, or 0 alone, got {size}")
    return sizes


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
