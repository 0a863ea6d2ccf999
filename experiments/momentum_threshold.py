"""SGD with momentum just below and just above its exact thresholds (B11): `python -m experiments.momentum_threshold`.

Near a minimum with zero loss SGD with momentum is a' = (1 + b - eta H_B) a - b a_-, H_B the mean of phi_i phi_i^T over a batch,
phi_i the gradient of f(x_i), and `numerics.stability.mean_square_threshold` says up to which step size E ||a||^2 goes to 0.
Here the batches are drawn:

- growth: the mean of z z^T, z = (a, a_-), is carried through many steps, each time the average over fresh batches, and its
  growth is held against 1 (B11.e).
- network: SGD with momentum on the loss of a trained network, from a small distance of its minimum: which runs leave?
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binom, norm

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one, option
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.datasets import BUILT_IN
from experiments.kit.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, axes_row, legend_below
from experiments.kit.verdicts import evaluated, ruled, tally
from experiments.sgd_threshold.minima import (
    GAUSSIAN,
    Minimum,
    gaussian_features,
    interpolating_minimum,
    on_the_span,
    sizes_of,
)
from experiments.sgd_threshold.networks import losses, network_step
from experiments.sgd_threshold.report import BY_CHANCE, LEFT
from experiments.sgd_threshold.simulation import normalised
from numerics.stability import mean_square_threshold
from theory.checks import Array
from theory.claim import Ruling
from theory.linear_stability import noise_share

ID = "momentum_threshold"


@dataclass(frozen=True)
class Config:
    """What is simulated.

    Attributes:
        problems: gaussian (6 points, 3 features), gaussian_wide (8, 20), gaussian_many (20, 8), or built-in data sets that a
            network is trained on: sine, hat, step, parabola, gaussian_process, clusters.
        momenta: what is left of the velocity each step, from 0 to below 1.
        batch_sizes: batch sizes, drawn without replacement; 0 stands for all from 1 to the number of points.
        factors: step sizes in units of the threshold, none of them 1.
        level: chance, at most, with which a growth of exactly 1 is called above 1, and that it is called below 1.
        steps: steps that the mean of z z^T is carried through; its growth is measured over the second half.
        draws: batches drawn afresh for each of these steps.
        networks: runs of SGD on the loss of a network for each step size.
        network_steps: steps of each of these runs.
        perturbation: distance of their start from the minimum, in root mean square over draws.
        width: hidden units of the networks.
        seed: changes all that is drawn; any integer.
    """

    problems: tuple[str, ...] = ("gaussian", "gaussian_wide", "parabola", "sine")
    momenta: tuple[float, ...] = (0.0, 0.5, 0.9)
    batch_sizes: tuple[int, ...] = (0,)
    factors: tuple[float, ...] = (0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.5, 2.0)
    level: float = 1e-3
    steps: int = 400
    draws: int = 256
    networks: int = 32
    network_steps: int = 3000
    perturbation: float = 1e-6
    width: int = 20
    seed: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each problem, momentum and batch size.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "networks", "network_steps", "width")
    above_zero(config, "factors", "perturbation")
    for name, fewest in (("steps", 4), ("draws", 2)):
        if getattr(config, name) < fewest:
            raise ValueError(f"{option(name)} must be at least {fewest}, got {getattr(config, name)}")
    if not 0 < config.level < 0.5:
        raise ValueError(f"--level must be above 0 and below 0.5, got {config.level}")
    if not config.factors or 1 in config.factors:
        raise ValueError(f"--factors must be some numbers other than 1, got {config.factors}")
    if (
        not config.momenta
        or not all(0 <= b < 1 for b in config.momenta)
        or len(set(config.momenta)) < len(config.momenta)
    ):
        raise ValueError(f"--momenta must be some numbers from 0 to below 1, each once, got {config.momenta}")
    among = (*GAUSSIAN, *BUILT_IN)
    if (
        not config.problems
        or not set(config.problems) <= set(among)
        or len(set(config.problems)) < len(config.problems)
    ):
        raise ValueError(f"--problems must name some of {', '.join(among)}, each once, got {config.problems}")
    if not config.batch_sizes:
        raise ValueError("--batch-sizes must hold at least one number, got none")
    jobs: dict[str, Task] = {}
    for problem in config.problems:
        sizes = sizes_of(problem, config.batch_sizes)
        if problem not in GAUSSIAN:
            interpolating_minimum(problem, config.width, config.seed)
        for b in config.momenta:
            for size in sizes:
                jobs[f"{problem}-{str(float(b)).replace('.', '_')}-{size:03d}"] = partial(
                    simulate, problem, b, size, config
                )
    return jobs


def simulate(problem: str, b: float, batch: int, config: Config) -> list[Row]:
    """Return the rows of a problem, a momentum and a batch size: one or two for each step size."""
    minimum = None if problem in GAUSSIAN else interpolating_minimum(problem, config.width, config.seed)
    features = gaussian_features(problem, config.seed) if minimum is None else minimum.features
    points = on_the_span(features)
    threshold = mean_square_threshold(features, batch, momentum=b).value
    seed = seed_of(ID, config.seed, problem, str(b), batch)
    rng = np.random.default_rng(seed)
    common = {
        "problem": problem,
        "n": len(points),
        "rank": points.shape[1],
        "momentum": b,
        "batch": batch,
        "seed": seed,
        "threshold": threshold,
        "gd_threshold": 2 / (float(np.linalg.norm(points, 2)) ** 2 / len(points)),
        "level": config.level,
    }
    rows: list[Row] = []
    for factor in config.factors:
        at = {**common, "factor": factor, "step_size": factor * threshold}
        seen = growth(points, batch, b, factor * threshold, rng, config)
        held = evaluated("B11.e", {**at, **seen, "growth": seen["value"], "growth_error": seen["error"]})
        rows.append({**at, "kind": "growth", **seen, **held})
    if minimum is not None:
        left = network_runs(minimum, batch, b, threshold, rng, config)
        rows += [
            {**common, "kind": "network", "factor": factor, "step_size": factor * threshold, **part}
            for factor, part in zip(config.factors, left, strict=True)
        ]
    return rows


def drawn(rng: np.random.Generator, n: int, batch: int, count: int) -> Array:
    """Return `count` batches, drawn without replacement, [count, B]."""
    order: Array = np.argsort(rng.random((count, n)), axis=1)[:, :batch]
    return order


def moved(points: Array, batch: Array, b: float, step_size: float, z: Array, *, adjoint: bool = False) -> Array:
    """Return A z for each of R batches, A = [[(1 + b) I - eta H_B, -b I], [I, 0]], or A^T z; z [R, 2r, m]."""
    r = z.shape[1] // 2
    first, second = z[:, :r], z[:, r:]
    rows = points[batch]
    pulled = (1 + b) * first - step_size / batch.shape[1] * (rows.transpose(0, 2, 1) @ (rows @ first))
    parts = (pulled + second, -b * first) if adjoint else (pulled - b * second, first)
    return np.concatenate(parts, axis=1)


def second_moments(
    points: Array, batch: Array, b: float, step_size: float, x: Array, *, adjoint: bool = False
) -> Array:
    """Return A X A^T for each of R batches, or A^T X A, [R, 2r, 2r], X symmetric."""
    carried = moved(points, batch, b, step_size, np.tile(x, (len(batch), 1, 1)), adjoint=adjoint)
    return moved(points, batch, b, step_size, carried.transpose(0, 2, 1), adjoint=adjoint)


def second_moment_map(points: Array, batch: int, b: float, step_size: float) -> Array:
    """Return the matrix [4r^2, 4r^2] that takes E[z z^T] to what it is a step later."""
    n, r = points.shape
    hessian = points.T @ points / n
    one, none = np.eye(r), np.zeros((r, r))
    mean = np.block([[(1 + b) * one - step_size * hessian, -b * one], [one, none]])
    squares = np.einsum("ni,nj->nij", points, points)
    noise = np.einsum("nij,nkl->ikjl", squares, squares) / n - np.einsum("ij,kl->ikjl", hessian, hessian)
    whole = np.kron(mean, mean).reshape((2 * r,) * 4)
    whole[:r, :r, :r, :r] += step_size**2 * float(noise_share(n, batch)) * noise
    exact: Array = whole.reshape(4 * r * r, 4 * r * r)
    return exact


def growth(points: Array, batch: int, b: float, step_size: float, rng: np.random.Generator, config: Config) -> Row:
    """Return how the mean of z z^T grows, by simulation alone, and how far that is from its exact value.

    X is carried from I, each time to the average of A X A^T over fresh draws of A, and Y likewise by A^T: the growth is the
    mean of tr(Y A X A^T)/tr(Y X) over all draws of the second half, unbiased for tr(Y T(X))/tr(Y X) given X and Y, and its
    error is that of the draws. `quotient` is the mean of tr(Y T(X))/tr(Y X) by the exact map.
    """
    n, r = points.shape
    exact = second_moment_map(points, batch, b, step_size)
    x = y = np.eye(2 * r)
    seen, expected = [], []
    for index in range(config.steps):
        image = second_moments(points, drawn(rng, n, batch, config.draws), b, step_size, x)
        if index >= config.steps // 2:
            size = float(np.sum(x * y))
            seen.append(np.einsum("kab,ab->k", image, y) / size)
            expected.append(float(y.ravel() @ exact @ x.ravel()) / size)
        back = second_moments(points, drawn(rng, n, batch, config.draws), b, step_size, y, adjoint=True)
        x, y = (normalised(images) for images in (image, back))
    values = np.stack(seen)
    mean, quotient = float(np.mean(values)), float(np.mean(expected))
    spread = float(np.mean((values - np.array(expected)[:, None]) ** 2))
    # Where every draw gives the same, as for the whole data set, what is left is rounding.
    error = max(math.sqrt(spread / values.size), 1e-13)
    bar = float(norm.isf(config.level))
    return {
        "value": mean,
        "error": error,
        "quotient": quotient,
        "exact_growth": float(np.max(np.abs(np.linalg.eigvals(exact)))),
        "off": (mean - quotient) / error if spread / values.size > 1e-24 else None,
        "standard_errors": bar,
        # The chances of a call above and below 1 if `value` is normal around its exact value.
        "chance_unstable": float(norm.sf(bar + (1 - quotient) / error)),
        "chance_stable": float(norm.sf(bar + (quotient - 1) / error)),
    }


def network_runs(
    minimum: Minimum, batch: int, b: float, threshold: float, rng: np.random.Generator, config: Config
) -> list[Row]:
    """Run SGD with momentum from near the minimum with each step size; return how many runs leave it.

    The loss on all points is looked at once an epoch (every n/B steps, rounded up).
    """
    n, runs = len(minimum.x), config.networks
    step_size = np.repeat(np.array(config.factors) * threshold, runs)
    vector, k = minimum.weights.vector, minimum.weights.width
    away = rng.standard_normal((len(step_size), len(vector))) * (config.perturbation / math.sqrt(len(vector)))
    start = vector + away
    weights = [start[:, :k], start[:, k : 2 * k], start[:, 2 * k : 3 * k], start[:, -1]]
    velocities = [np.zeros_like(part) for part in weights]
    first = top = losses(weights, minimum)
    per_epoch, steps = -(-n // batch), 0
    with np.errstate(over="ignore", invalid="ignore"):
        while steps < config.network_steps:
            for _ in range(per_epoch):
                part = drawn(rng, n, batch, len(step_size))
                after = network_step(weights, minimum.x[part], minimum.y[part], step_size)
                velocities = [b * u + (w - moved) for u, w, moved in zip(velocities, weights, after, strict=True)]
                weights = [w - u for w, u in zip(weights, velocities, strict=True)]
            steps += per_epoch
            top = np.maximum(top, losses(weights, minimum))
    left = (top > LEFT * first).reshape(-1, runs)
    return [{"rounds": steps, "runs": runs, "left": int(np.sum(part))} for part in left]


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on growth with the chance that B11.e is violated if it is true."""
    calls = rows[rows["kind"] == "growth"].copy()
    calls["violated_chance"] = np.where(calls["factor"] < 1, calls["chance_unstable"], calls["chance_stable"])
    return calls


def _alarms(calls: pd.DataFrame) -> str:
    """Return the false-alarm rate: of growths below the threshold, how many are called above 1."""
    below = calls[calls["factor"] < 1]
    alarms = int(ruled(below, "B11.e", Ruling.VIOLATED).sum())
    return f"false alarms {alarms} of {len(below)} (expected {below['violated_chance'].sum():.2g})"


def table(rows: pd.DataFrame) -> str:
    """Return the calls, the thresholds, and how many runs leave a network's minimum, as text."""
    calls, level = judged(rows), float(rows["level"].iloc[0])
    text = [
        "Growth of E[z z^T] by simulation, called above or below 1 where it is off 1 by "
        f"{norm.isf(level):.2f} standard errors (level {level:g}).",
        "A call is a verdict of B11.e, that it is at most 1 iff eta <= eta*: violated where it lies on the wrong side.",
        f"{'problem':<14} {'b':>4} {'calls':>5} {'holds':>5} {'violated':>8} {'expected':>8} {'inconclusive':>12} "
        f"{'|z| > 1.96':>12}",
    ]
    for (problem, b), group in calls.groupby(["problem", "momentum"], sort=False):
        off = group["off"].dropna().astype(float)
        counts = {ruling: int(ruled(group, "B11.e", ruling).sum()) for ruling in Ruling}
        text.append(
            f"{problem:<14} {b:>4.2g} {len(group):>5} {counts[Ruling.HOLDS]:>5} {counts[Ruling.VIOLATED]:>8} "
            f"{group['violated_chance'].sum():>8.2g} {counts[Ruling.INCONCLUSIVE]:>12} "
            f"{f'{int((off.abs() > 1.96).sum())} of {len(off)}':>12}"
        )
    across = int(((calls["exact_growth"] - 1) * (calls["factor"] - 1) < 0).sum())
    text += [
        f"Of step sizes below the threshold: {_alarms(calls)}.",
        f"The exact growth lies on the other side of 1 than the threshold says in {across} of {len(calls)}.",
        "",
        "Thresholds eta* in units of gradient descent's without momentum, and the share of runs that leave a network's minimum",
        f"(loss {LEFT:g} times the first), by eta/eta*:",
    ]
    factors = sorted(calls["factor"].unique())
    text.append(f"{'problem':<14} {'b':>4} {'B':>2} {'eta*':>7} " + " ".join(f"{f:>5.2f}" for f in factors))
    runs = rows[rows["kind"] == "network"]
    for (problem, b, batch), group in calls.groupby(["problem", "momentum", "batch"], sort=False):
        same = runs[(runs["problem"] == problem) & (runs["momentum"] == b) & (runs["batch"] == batch)].sort_values(
            "factor"
        )
        shares = [f"{part['left'] / part['runs']:>5.2f}" for _, part in same.iterrows()]
        units = float(group["threshold"].iloc[0] / group["gd_threshold"].iloc[0])
        text.append(f"{problem:<14} {b:>4.2g} {batch:>2} {units:>7.4f} {' '.join(shares)}".rstrip())
    return "\n".join(text)


def conclusion(rows: pd.DataFrame) -> str:
    """Return whether simulation and thresholds agree, and where networks leave."""
    calls, level = judged(rows), float(rows["level"].iloc[0])
    violated = int(ruled(calls, "B11.e", Ruling.VIOLATED).sum())
    chance = float(binom.sf(violated - 1, len(calls), level))
    parts = [
        f"Of {len(calls)} calls: {tally(calls, 'B11.e')}; {_alarms(calls)}. The {violated} violated are "
        f"{'no ' if chance >= BY_CHANCE else ''}more than chance makes."
    ]
    runs = rows[rows["kind"] == "network"]
    if not runs.empty:
        below, above = runs[runs["factor"] < 1], runs[runs["factor"] > 1]
        parts.append(
            f"Networks: {int(below['left'].sum())} of {int(below['runs'].sum())} runs below the threshold leave their minimum, "
            f"{int(above['left'].sum())} of {int(above['runs'].sum())} above it."
        )
    singles = calls[(calls["batch"] == 1)].drop_duplicates(["problem", "momentum"])
    plain = singles[singles["momentum"] == 0].set_index("problem")["threshold"]
    most = singles[singles["momentum"] == singles["momentum"].max()].set_index("problem")["threshold"]
    if not plain.empty and singles["momentum"].max() > 0:
        ratios = (most / plain).dropna()
        parts.append(
            f"At b = {singles['momentum'].max():g} single examples have {ratios.min():.2g} to {ratios.max():.2g} of the "
            "threshold without momentum."
        )
    return " ".join(parts)


def figure(rows: pd.DataFrame) -> Figure:
    """Draw thresholds against batch size, simulated growths against the step size, and the share of networks that leave."""
    drawing, axes = axes_row(3)
    calls = judged(rows)
    colours = dict(zip(sorted(calls["momentum"].unique()), (BLUE, ORANGE, GREEN, PURPLE, GREY, BLACK), strict=False))
    styles = dict(zip(calls["problem"].unique(), ("-", "--", ":", "-.") * 3, strict=False))
    for (problem, b), group in calls.groupby(["problem", "momentum"], sort=False):
        once = group.drop_duplicates("batch").sort_values("batch")
        units = once["threshold"] / once["gd_threshold"]
        axes[0].plot(once["batch"] / once["n"], units, styles[problem], color=colours[b], marker="o", markersize=3)
    for b, group in calls.groupby("momentum"):
        axes[1].plot(
            group["factor"], group["value"] - 1, "o", color=colours[b], markersize=4, alpha=0.5, label=f"b = {b!s}"
        )
    axes[0].set(
        xlabel="batch size over n", ylabel="threshold over gradient descent's", yscale="log",
        title=f"Thresholds ({', '.join(f'{problem} {style}' for problem, style in styles.items())})",
    )  # fmt: skip
    axes[0].title.set_fontsize(8)
    axes[1].axhline(0, color=BLACK, linewidth=0.8)
    axes[1].axvline(1, color=BLACK, linewidth=0.8)
    axes[1].set(xlabel="step size over threshold", ylabel="growth in a step, less 1", title="Simulated growth")
    axes[1].set_yscale("symlog", linthresh=1e-3)
    runs = rows[rows["kind"] == "network"]
    for b, group in runs.groupby("momentum"):
        sums = group.groupby("factor")[["left", "runs"]].sum()
        axes[2].plot(sums.index, sums["left"] / sums["runs"], "o-", color=colours[b], label=f"b = {b!s}")
    axes[2].axvline(1, color=BLACK, linewidth=0.8)
    axes[2].set(
        xlabel="step size over threshold", ylabel="share of runs", title="Networks: runs that leave the minimum"
    )
    for axis in axes[1:]:
        if axis.get_legend_handles_labels()[0]:
            legend_below(axis, 3)
    return drawing


STUDY: Study[Config] = Study(
    id=ID,
    title="SGD with momentum just below and just above its exact thresholds (B11).",
    claims=("B11", "B11.e"),
    printed=(
        Printed(
            "B11", "house", "E ||a||^2 goes to 0 iff eta D_b < 2 C, for SGD with momentum b on batches drawn anew."
        ),
    ),
    presets={
        "default": Config(),
        "cpu": Config(),
        "smoke": Config(
            problems=("gaussian", "parabola"),
            momenta=(0.0, 0.9),
            batch_sizes=(1, 2),
            factors=(0.8, 1.25),
            steps=80,
            draws=64,
            networks=8,
            network_steps=200,
        ),
        "paper": Config(
            problems=("gaussian", "gaussian_wide", "gaussian_many", "parabola", "hat", "sine"),
            momenta=(0.0, 0.3, 0.5, 0.9, 0.97),
            draws=512,
            networks=64,
        ),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
