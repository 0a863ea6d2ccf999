"""A network through training on ten points of a parabola (dherin2022, Fig 1; D5, D6, B23).

`python -m experiments.gc_through_training`: full-batch gradient descent on the mean squared error; at some sixty steps the
function, its arc length and Dirichlet energy on [-1, 1], exactly, and its GC at the points, each beside the least that
any function with that training error has. The paper prints no setting but ten points, a parabola, [-1, 1], a large ReLU
MLP, truncated normal weights of variance 1/fan_in and zero biases; those of the presets are chosen here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import torch
from matplotlib.animation import PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch.nn import functional

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, axes_row, legend_below
from experiments.kit.trends import Trend, sign_test, tally, trends_table
from numerics.geometric_complexity import arc_length, dirichlet_energy, geometric_complexity
from numerics.geometric_complexity.line import pieces_of
from numerics.models import Initialiser, mlp
from numerics.programs import least_arc_length, least_dirichlet_energy
from numerics.training.modules import train_module
from theory.checks import Array
from theory.volhejn2020 import kendall_tau_b

LEFT, RIGHT = -1.0, 1.0
"""The interval of the paper."""

CLOSE = 0.05
"""An arc length counts as least for its training error if it exceeds the least by at most so much, relative to it."""

GRID = np.linspace(LEFT, RIGHT, 161)
"""Where rows keep the function, for the figure."""


@dataclass(frozen=True)
class Config:
    """What is trained.

    Attributes:
        points: number of points of y = x^2, evenly on [-1, 1].
        width: units of each hidden layer.
        layers: number of hidden layers of each network.
        scheme: initialiser: lecun, lecun_uncorrected (truncated normals), glorot, he.
        step_size: of gradient descent on the mean squared error.
        max_steps: number of steps.
        snapshots: at how many steps, about, the function is looked at, evenly in the logarithm.
        seeds: number of networks.
        seed: changes all initialisations; any integer.
    """

    points: int = 10
    width: int = 300
    layers: int = 3
    scheme: Initialiser = "lecun"
    step_size: float = 0.01
    max_steps: int = 10_000
    snapshots: int = 60
    seeds: int = 7
    seed: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "width", "layers", "max_steps", "snapshots", "seeds")
    above_zero(config, "step_size")
    if config.points < 2:
        raise ValueError(f"--points must be at least 2, got {config.points}")
    if config.scheme not in get_args(Initialiser):
        raise ValueError(f"--scheme must be one of {', '.join(get_args(Initialiser))}, got {config.scheme!r}")
    return {f"network-{index:03d}": partial(trained, index, config) for index in range(config.seeds)}


def moments(config: Config) -> list[int]:
    """Return the steps at which the function is looked at, 0 and the last among them."""
    later = np.geomspace(1, config.max_steps, max(config.snapshots - 1, 1)).round().astype(int)
    return [0, *sorted({int(step) for step in later} | {config.max_steps})]


def trained(index: int, config: Config) -> list[Row]:
    """Train a network and return a row for each look at it."""
    seed = seed_of(STUDY.id, config.seed, index)
    x = np.linspace(LEFT, RIGHT, config.points)
    y = x**2
    inputs, targets = torch.from_numpy(x)[:, None], torch.from_numpy(y)[:, None]
    widths = [1, *[config.width] * config.layers, 1]
    model = mlp(widths, seed=seed, scheme=config.scheme, dtype=torch.float64)

    def look(network: torch.nn.Module) -> dict[str, float | list[float]]:
        line = model[1:]  # without the layer that flattens inputs
        with torch.no_grad():
            outputs, values = network(inputs), network(torch.from_numpy(GRID)[:, None])
        found = geometric_complexity(network, inputs)
        return {
            "training_error": float(functional.mse_loss(outputs, targets)),
            "arc_length": arc_length(line, LEFT, RIGHT),
            "energy": float(dirichlet_energy(line, LEFT, RIGHT)),
            "gc": found.value,
            "points_on_kinks": float(found.kinks or 0),
            "pieces": float(len(pieces_of(line, LEFT, RIGHT).slopes)),
            "values": values[:, 0].tolist(),
        }

    run = train_module(
        model,
        inputs,
        targets,
        loss=functional.mse_loss,
        step_size=config.step_size,
        max_steps=config.max_steps,
        seed=seed,
        measure=look,
        measure_at=moments(config),
    )
    common = {
        "seed_index": index,
        "seed": seed,
        "step_size": config.step_size,
        "outcome": str(run.outcome),
        "x": x.tolist(),
        "y": y.tolist(),
    }
    return [{**common, **record, **least(x, y, record["training_error"])} for record in run.records]


def least(x: Array, y: Array, training_error: float) -> Row:
    """Return the columns on the shortest function with a training error, and on that of least energy (B23)."""
    if not np.isfinite(training_error):
        return {"least_arc_length": None, "least_energy": None, "least_gap": None, "shortest": None}
    shortest, energy = least_arc_length(x, y, training_error), least_dirichlet_energy(x, y, training_error)
    return {
        "least_arc_length": shortest.value,
        "least_energy": energy.value,
        "least_gap": shortest.gap,
        "shortest": np.asarray(shortest.function(x), dtype=np.float64).tolist(),
    }


def ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Return for each network the largest arc length over the least, when it occurs, and both quantities at the end.

    The energy is compared from the first look on at which the least of it is a tenth of that of the last look; before,
    it is 0 or next to it.
    """
    found = []
    for index, group in rows.groupby("seed_index"):
        arc = (group["arc_length"] / group["least_arc_length"].astype(float)).to_numpy(np.float64)
        energies = group["least_energy"].to_numpy(np.float64)
        grown = energies >= 0.1 * energies[-1]
        energy = group["energy"].to_numpy(np.float64)[grown] / energies[grown]
        found.append(
            {
                "network": index,
                "steps": int(group["step"].max()),
                "training error": float(group["training_error"].iloc[-1]),
                "arc/least, largest": float(np.max(arc)),
                "at step": int(group["step"].iloc[int(np.argmax(arc))]),
                "at the end": float(arc[-1]),
                "energy/least, largest": float(np.max(energy)),
                "at the end ": float(energy[-1]),
                "GC at the end": float(group["gc"].iloc[-1]),
            }
        )
    return pd.DataFrame(found)


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states of the way: complexity grows."""
    found = []
    for column, name in (("gc", "GC"), ("arc_length", "arc length"), ("energy", "Dirichlet energy")):
        taus = [
            kendall_tau_b(group["step"].to_numpy(np.float64), group[column].to_numpy(np.float64))
            for _, group in rows.groupby("seed_index")
        ]
        found.append(sign_test(f"{name} grows in training", "rises", taus, len(rows)))
    return found


def minimal(rows: pd.DataFrame) -> tuple[int, int]:
    """Return in how many networks the arc length is the least for its training error at every look, and of how many."""
    found = ratios(rows)
    return int((found["arc/least, largest"] <= 1 + CLOSE).sum()), len(found)


def table(rows: pd.DataFrame) -> str:
    """Return trends and, for each network, how far arc length and energy are above the least, as text."""
    count, runs = minimal(rows)
    below = int((rows["arc_length"] < rows["least_arc_length"].astype(float) * (1 - 1e-9)).sum())
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            ratios(rows).to_string(index=False, float_format="{:.4g}".format),
            "",
            "The least is over all functions with the same training error (B23); the energy is compared from where the least",
            "of it is a tenth of its last. Arc length counts as minimal within "
            f"{CLOSE:.0%} of the least: at every look in {count} of {runs} networks.",
            f"Below the least, which no function can be, are {below} of {len(rows)} looks.",
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return in a sentence whether complexity grows, and whether arc length is minimal on the way."""
    count, runs = minimal(rows)
    found = ratios(rows)
    verdict = "holds" if count == runs else "does not hold"
    return (
        f"{tally(trends(rows))}. That arc length is minimal for the training error, within {CLOSE:.0%}, {verdict}: so in "
        f"{count} of {runs} networks throughout, at most {found['arc/least, largest'].max():.3f} times the least; the energy "
        f"at most {found['energy/least, largest'].max():.2f} times, and {found['at the end '].median():.3f} times at the end "
        "(median)."
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the first network's function at some steps, and arc length and GC of all through training."""
    drawing, axes = axes_row(4, 4.4)
    first = rows[rows["seed_index"] == rows["seed_index"].min()]
    _draw_functions(axes[0], first)
    _draw_paths(axes[1], rows, "arc_length", "least_arc_length", "(b) Arc length on $[-1, 1]$")
    _draw_paths(axes[2], rows, "gc", None, "(c) GC at the points")
    _draw_against_error(axes[3], rows)
    drawing.suptitle(
        f"Gradient descent on {len(first['x'].iloc[0])} points of a parabola, {rows['seed_index'].nunique()} networks",
        fontsize=11,
    )
    return drawing


def _looks(first: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return some rows of a network, evenly in arc length, the first and the last among them."""
    arcs = first["arc_length"].to_numpy(np.float64)
    chosen = [int(np.argmin(np.abs(arcs - level))) for level in np.linspace(arcs[0], arcs[-1], count)]
    return first.iloc[sorted({0, *chosen, len(first) - 1})]


def _draw_functions(axis: Axes, first: pd.DataFrame) -> None:
    looks = _looks(first, 5)
    for place, (_, row) in enumerate(looks.iterrows()):
        shade = 0.85 - 0.85 * place / max(len(looks) - 1, 1)
        axis.plot(GRID, row["values"], color=(shade, shade, shade), linewidth=1.6, label=f"step {row['step']}")
    axis.plot(first["x"].iloc[0], first["y"].iloc[0], "x", color=ORANGE, markersize=8, markeredgewidth=2, label="data")
    axis.set(title="(a) Function of the first network", xlabel="$x$", ylabel="$f(x)$")
    legend_below(axis, 3)


def _draw_paths(axis: Axes, rows: pd.DataFrame, column: str, least_column: str | None, title: str) -> None:
    """Draw a quantity of each network against the steps, and the least one for the training error."""
    for place, (_, group) in enumerate(rows.groupby("seed_index")):
        step = np.maximum(group["step"], 0.5)
        axis.semilogx(step, group[column], color=BLUE, linewidth=1, label=None if place else "network")
        if least_column:
            label = None if place else "least at its training error"
            axis.semilogx(step, group[least_column].astype(float), "--", color=BLACK, linewidth=1, label=label)
    axis.set(title=title, xlabel="step (the start at 0.5)")
    legend_below(axis, 2)


def _draw_against_error(axis: Axes, rows: pd.DataFrame) -> None:
    """Draw arc length and energy over the least against the training error."""
    for place, (_, group) in enumerate(rows.groupby("seed_index")):
        error = group["training_error"]
        excess = group["arc_length"] / group["least_arc_length"].astype(float)
        energies = group["least_energy"].astype(float)
        grown = energies >= 0.1 * energies.iloc[-1]
        axis.semilogx(error, excess, color=BLUE, linewidth=1, label=None if place else "arc length")
        axis.semilogx(
            error[grown],
            (group["energy"] / energies)[grown],
            color=GREEN,
            linewidth=1,
            label=None if place else "energy",
        )
    axis.axhline(1 + CLOSE, color=GREY, linestyle=":", linewidth=1)
    axis.invert_xaxis()
    axis.set(title="(d) Over the least at that training error", xlabel="training error (falls to the right)")
    legend_below(axis, 2)


def animation(rows: pd.DataFrame, path: Path) -> None:
    """Write a GIF of the first network's function through training, beside the shortest one with its training error."""
    first = rows[rows["seed_index"] == rows["seed_index"].min()]
    writer = PillowWriter(fps=8)
    drawing = Figure(figsize=(4.6, 3.6), layout="constrained")
    axis = drawing.add_subplot()
    with writer.saving(drawing, str(path), dpi=70):
        for _, row in first.iterrows():
            axis.clear()
            axis.plot(row["x"], row["shortest"], "--", color=BLACK, linewidth=1, label="shortest with this error")
            axis.plot(GRID, row["values"], color=BLUE, label="network")
            axis.plot(row["x"], row["y"], "x", color=ORANGE, markeredgewidth=2, label="data")
            axis.set(xlim=(LEFT, RIGHT), ylim=(-0.6, 1.25), xlabel="$x$")
            axis.set_title(
                f"step {row['step']}: length {row['arc_length']:.3f}, least {row['least_arc_length']:.3f}", fontsize=10
            )
            axis.legend(loc="lower center", ncols=3, fontsize=7, frameon=False)
            writer.grab_frame()


FULL = Config()

STUDY: Study[Config] = Study(
    id="gc_through_training",
    title="Function, arc length and geometric complexity through training (dherin2022, Fig 1).",
    claims=("D5", "D5.d", "D6", "B23", "B23.a"),
    printed=(
        Printed("D5", "Fig 1", "the complexity of the function grows gradually in training."),
        Printed(
            "D6",
            "Fig 1, section 2",
            "throughout training the function attains minimal arc length for its training error.",
        ),
    ),
    presets={
        "default": FULL,
        "cpu": FULL,
        "smoke": Config(width=30, max_steps=200, snapshots=8, seeds=2),
        "paper": FULL,
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    animation=animation,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
