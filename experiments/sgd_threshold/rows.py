"""SGD just below and just above its exact thresholds (mulayoff2024; B3, B9): the rows of `experiments.sgd_threshold`.

Near a minimum with zero loss SGD is a <- (I - eta mean_{i in batch} phi_i phi_i^T) a, phi_i the gradient of f(x_i), and
`numerics.stability.mean_square_threshold` says up to which step size E ||a||^2 stays bounded. Here the batches are drawn:

- growth: the mean of a a^T is carried through many steps, each time the average over fresh batches, and its growth is
  held against 1 (B3.l). A plain average of ||a||^2 would not do: near the threshold it is made by paths too rare to be drawn.
- ensemble: such plain averages, over few steps against their exact values, and over many to show how they fail.
- exponent: the step size beyond which single paths grow, where the mean of log ||a|| over long paths ceases to fall.
- network: SGD on the loss of a trained network, from a small distance of its minimum: which runs leave? The network's
  geometric complexity is held against what the step size allows it there (B25).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import get_args

import numpy as np

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one, option
from experiments.engine.study import Task, seed_of
from experiments.kit.datasets import BUILT_IN
from experiments.kit.verdicts import evaluated
from experiments.sgd_threshold.complexity import complexity_rows
from experiments.sgd_threshold.config import ID, Config
from experiments.sgd_threshold.minima import (
    GAUSSIAN,
    gaussian_features,
    interpolating_minimum,
    on_the_span,
    points_of,
    sizes_of,
)
from experiments.sgd_threshold.networks import network_runs
from experiments.sgd_threshold.simulation import Case, ensemble, growth, second_moment_map, vanishing_exponent
from numerics.stability import mean_square_threshold
from numerics.stability.reshuffling import RESHUFFLED_POINTS
from theory.symbols import Sampling


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
        sizes = sizes_of(problem, config.batch_sizes)
        if problem not in GAUSSIAN:
            interpolating_minimum(problem, config.width, config.seed)
        for sampling in config.samplings:
            if sampling == "reshuffling" and points_of(problem) > RESHUFFLED_POINTS:
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
            held(at | {"kind": "growth", **growth(case, factor * threshold, exact, config)}),
            {**at, "kind": "ensemble", **ensemble(case, factor * threshold, exact, config)},
        ]
    rows.append({**common, "kind": "exponent", **vanishing_exponent(case, threshold, config)})
    if minimum is not None:
        left = network_runs(minimum, case, threshold, config)
        step_sizes = [factor * threshold for factor in config.factors]
        complexity = complexity_rows(minimum, batch, sampling, step_sizes)
        rows += [
            {**common, "kind": "network", "factor": factor, "step_size": step_size, **part, **allowed}
            for factor, step_size, part, allowed in zip(config.factors, step_sizes, left, complexity, strict=True)
        ]
    return rows


def held(row: Row) -> Row:
    """Return a row on growth with the columns on the verdict of B3.l: is it at most 1 where the threshold says so?"""
    return {**row, **evaluated("B3.l", {**row, "growth": row["value"], "growth_error": row["error"]})}
