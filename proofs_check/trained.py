"""Instances from networks that gradient descent ended in: what the claims are about in the end."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from numerics.networks import initialise
from numerics.training import Member, Outcome, train_many
from theory.checks import rationals
from theory.claim import Instance
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

STOP_LOSS = 1e-13
"""The loss (1/2n) sum (f - y)^2 below which a network counts as interpolating."""


GRID = 64
"""What the gradients that make up the Hessians are rounded to multiples of: 1 over it."""


def networks(count: int, *, seed: int = 0, device: str = "cpu") -> list[Instance]:
    """Train small networks on small data sets, half by gradient descent and half by SGD, and describe what they end in.

    Widths are 2 to 12, and 2 to 5 data points. Step sizes run from small ones to ones near the largest that work; runs
    that diverge are left out, those that stall are kept.

    Args:
        count: networks to train.
        seed: of data, initialisations and batches.
        device: "cpu", or a CUDA device of torch.

    Returns:
        Instances with a value for every symbol that a trained network can give one to: see `_described`.

    Raises:
        ValueError: if the device is not there.
    """
    generator = np.random.default_rng([seed, 20211209])
    members = []
    for index in range(count):
        n, width = int(generator.integers(2, 6)), int(generator.integers(2, 13))
        x = np.sort(generator.uniform(-1.5, 1.5, size=n) + np.arange(n) * 0.2)
        y = generator.normal(size=n) * 0.5
        step_size = float(generator.choice([0.05, 0.2, 0.4, 0.8]))
        batch_size = None if index % 2 == 0 else int(generator.integers(1, n + 1))
        start = initialise(width, seed=int(generator.integers(2**31)))
        drawn = int(generator.integers(2**31))
        members.append(Member(start, x, y, step_size, 100_000, STOP_LOSS, batch_size, drawn))
    runs = train_many(members, patience=20_000, device=device, threads=None)
    pairs = zip(members, runs, strict=True)
    return [
        _described(member, run.weights, run.outcome, index, generator)
        for index, (member, run) in enumerate(pairs)
        if run.outcome is not Outcome.DIVERGED
    ]


def _described(
    member: Member, weights: Weights, outcome: Outcome, index: int, generator: np.random.Generator
) -> Instance:
    x = np.asarray(member.x)
    exact = weights.rational()
    f = PiecewiseLinear.from_weights(exact)
    knots = [-b / w for w, b in zip(exact.w1, exact.b1, strict=True) if w != 0]
    # The Hessians act in the span of the gradients only: its dimension is n at most.
    _, triangle = np.linalg.qr(weights.tangent_features(x).T)
    values: Mapping[str, Any] = {
        "weights": weights,
        "x": x,
        "y": np.asarray(member.y),
        "step_size": member.step_size,
        "batch_size": member.batch_size or len(x),
        "f": f,
        "order": index % 2,
        "interval": (min([*knots, Fraction(-1)]) - 1, max([*knots, Fraction(1)]) + 1),
        "points": int(generator.integers(2, 9)),
        "direction": rationals(generator.integers(-3, 4, size=3 * weights.width + 1)),
        # Exact and of rank one: outer products of floats need not be positive semidefinite.
        "hessians": np.array([np.outer(column, column) for column in rationals(np.round(GRID * triangle.T)) / GRID]),
        "curve": rationals([[v] for v in f(rationals(x))]),
    }
    return Instance(values, f"trained: network {index}, {outcome.value}")
