"""A step size raised near the minimum (mulayoff2021, Fig 1; M12): `python -m experiments.step_size_jump`.

Gradient descent runs until its loss is small; from there it goes on with the same step size, and with a larger one. By
M1 it can stay near the minimum only if the sharpness there is at most 2 over the step size. The paper gives neither
width, data nor step size; those of the presets are chosen here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit.datasets import DataSet, chosen
from experiments.kit.measures import check_device, describe, scaled_initialisation
from experiments.kit.plotting import BLACK, GREEN, axes_row, draw_curvature, draw_functions, legend_below, literal
from experiments.kit.verdicts import evaluated, not_evaluated, tally
from numerics.training import Outcome, Run, train
from theory.beyond import critical_step_size
from theory.checks import Array, positive

LEFT = 2.0
"""Gradient descent counts as leaving the minimum if its loss rises to so many times that of the switch."""


COLUMNS: Mapping[str, Mapping[str, str]] = {
    "M12": {name: name for name in ("factor", "rise", "raised_curvature", "constant_curvature")},
    "M12.a": {"sharpness": "switch_sharpness", "stable_sharpness": "raised_stable_sharpness", "rise": "rise"},
    "M12.b": {name: name for name in ("rise", "raised_sharpness", "constant_sharpness")},
}
"""For each claim that a row is evaluated for, the columns of its symbols."""


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        data_sets: built-in data sets: sine, hat, step, parabola, gaussian_process, clusters, forbes1857.
        seeds: initialisations for each data set.
        step_sizes: step sizes before the switch, in units of the data set's critical step size (B1).
        factors: by how much the step size is raised; 3 in the paper.
        near: loss (1/2n) sum (f - y)^2 at which the step size is raised, in squared units of y.
        width: hidden units of the network.
        initial_scale: factor on all of torch's default initial weights.
        max_steps: steps of gradient descent in each part after which it is given up.
        stop_loss: loss at which a run ends, in squared units of y.
        patience: steps without 0.1 % of progress after which a run counts as stalled.
        seed: changes all initialisations; any integer.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0 (slower for networks this small).
    """

    data_sets: tuple[str, ...] = ("sine", "hat", "step", "gaussian_process", "clusters")
    seeds: int = 4
    step_sizes: tuple[float, ...] = (0.05, 0.1, 0.15, 0.2, 0.3)
    factors: tuple[float, ...] = (2.0, 3.0, 4.0)
    near: float = 1e-6
    width: int = 100
    initial_scale: float = 0.5
    max_steps: int = 500_000
    stop_loss: float = 1e-12
    patience: int = 100_000
    seed: int = 0
    device: str = "cpu"


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each start and step size; it raises the step size by every factor.

    Raises:
        ValueError: if a setting is out of its range.
    """
    at_least_one(config, "seeds", "width", "max_steps", "patience")
    above_zero(config, "near", "initial_scale", "stop_loss")
    above_zero(config, "step_sizes")
    for factor in config.factors:
        if positive("--factors", factor) <= 1:
            raise ValueError(f"--factors must be above 1, got {factor}")
    check_device(config.device)
    return {
        f"{data.name}-{index:03d}-{place:03d}": partial(switch, data, index, fraction, config)
        for data in chosen(config.data_sets, None, "", "", standardise=True)
        for index in range(config.seeds)
        for place, fraction in enumerate(config.step_sizes)
    }


def switch(data: DataSet, index: int, fraction: float, config: Config) -> list[Row]:
    """Train to the switch, then on with the same step size and with each raised one; return a row for each factor."""
    critical = critical_step_size(data.x, data.y)
    step_size = fraction * critical
    seed = seed_of(STUDY.id, config.seed, data.name, index)
    initial = scaled_initialisation(config.width, config.initial_scale, seed)
    go = partial(
        train,
        x=data.x,
        y=data.y,
        max_steps=config.max_steps,
        patience=config.patience,
        record_every=1,
        device=config.device,
    )
    before = go(initial, step_size=step_size, stop_loss=config.near, dwell=0)
    arrived = before.outcome == Outcome.INTERPOLATED
    constant = go(before.weights, step_size=step_size, stop_loss=config.stop_loss) if arrived else before
    rows: list[Row] = []
    for factor in config.factors:
        raised = go(before.weights, step_size=factor * step_size, stop_loss=config.stop_loss) if arrived else before
        row: Row = {
            "data": data.name,
            "n": len(data.x),
            "seed_index": index,
            "seed": seed,
            "step_size": step_size,
            "relative_step_size": fraction,
            "factor": factor,
            "critical_step_size": critical,
            "raised_beyond_critical": factor * step_size > critical,
            "arrived": arrived,
            **prefixed("switch", describe(before, data, step_size)),
            **prefixed("constant", describe(constant, data, step_size)),
            **prefixed("raised", describe(raised, data, factor * step_size)),
            **reaction(before, raised, factor * step_size, data),
            **curves(before, constant, raised),
            "x": data.x.tolist(),
            "y": data.y.tolist(),
        }
        rows.append({**row, **judged(row)})
    return rows


def judged(row: Row) -> Row:
    """Return the columns on what a row says of M12 and its repairs."""
    columns: Row = {}
    for id, names in COLUMNS.items():
        given = {symbol: row[column] for symbol, column in names.items()}
        columns |= not_evaluated(id) if None in given.values() or not row["arrived"] else evaluated(id, given)
    return columns


def prefixed(part: str, row: Row) -> Row:
    """Return the row with the name of the part before each column."""
    return {f"{part}_{name}": value for name, value in row.items()}


def reaction(before: Run, raised: Run, step_size: float, data: DataSet) -> Row:
    """Return whether the raised step size makes the minimum unstable, and whether the loss rose after the switch."""
    if before.outcome != Outcome.INTERPOLATED:
        return {"unstable": None, "rise": None, "left": None}
    sharp = describe(before, data, step_size)["sharpness"]
    rise = float(np.max(raised.losses) / before.loss)
    return {"unstable": sharp * step_size > 2, "rise": rise, "left": rise > LEFT}


def curves(before: Run, constant: Run, raised: Run) -> Row:
    """Return the losses of the three parts at a few hundred steps each, for the figure."""
    row: Row = {}
    for name, run, offset in (
        ("switch", before, 0),
        ("constant", constant, before.steps),
        ("raised", raised, before.steps),
    ):
        at = thinned(len(run.losses))
        row |= {f"{name}_loss_steps": (at + offset).tolist(), f"{name}_losses": run.losses[at].tolist()}
    return row


def thinned(length: int, points: int = 300) -> Array:
    """Return up to about `points` increasing indices below `length`, dense at the start and even over the rest."""
    if length <= points:
        return np.arange(length)
    early, even = np.geomspace(1, length, points // 2) - 1, np.linspace(0, length - 1, points // 2)
    return np.unique(np.concatenate([early, even]).astype(np.int64))


def counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return by factor, and by whether the raised step size makes the minimum unstable, what came of the runs."""
    arrived = rows[rows["arrived"]]
    summary = []
    for (factor, unstable), group in arrived.groupby(["factor", arrived["unstable"].astype(bool)]):
        left = group[group["left"].astype(bool)]
        again = left[left["raised_interpolates"]]
        ratio = again["raised_curvature"].astype(float) / again["constant_curvature"].astype(float)
        sharp = again["raised_sharpness"].astype(float) / again["constant_sharpness"].astype(float)
        summary.append(
            {
                "factor": factor,
                "unstable": "yes" if unstable else "no",
                "runs": len(group),
                "left": len(left),
                "interpolate again": len(again),
                "less curvature": int((ratio < 1).sum()),
                "median ratio": float(ratio.median()),
                "less sharp": int((sharp < 1).sum()),
                "median ratio ": float(sharp.median()),
                "diverged": int((group["raised_outcome"] == Outcome.DIVERGED).sum()),
                "beyond B1": int(group["raised_beyond_critical"].sum()),
            }
        )
    return pd.DataFrame(summary)


def table(rows: pd.DataFrame) -> str:
    """Return the counts as text."""
    heading = (
        "unstable: sharpness at the switch above 2/(factor eta); left: the loss rose above twice that of the switch;\n"
        "less curvature, less sharp: int |f''| g and sharpness below those of the run with the constant step size.\n"
    )
    never = rows[~rows["arrived"]].drop_duplicates(["data", "seed_index", "step_size"])
    missing = f"\n{len(never)} starts did not come near a minimum and were not switched." if len(never) else ""
    summary = counts(rows)
    if summary.empty:
        return heading + missing.strip()
    return heading + summary.to_string(index=False, float_format="{:.2f}".format, na_rep="-") + missing


def conclusion(rows: pd.DataFrame) -> str:
    """Return in a sentence when gradient descent leaves the minimum, and what it ends in."""
    arrived = rows[rows["arrived"]]
    unstable, left = arrived["unstable"].astype(bool), arrived["left"].astype(bool)
    again = arrived[left & arrived["raised_interpolates"]]
    smoother = int((again["raised_curvature"].astype(float) < again["constant_curvature"].astype(float)).sum())
    flatter = int((again["raised_sharpness"].astype(float) < again["constant_sharpness"].astype(float)).sum())
    leaving = f"{int((unstable & left).sum())} of these and in {int((~unstable & left).sum())} of the other"
    rulings = [said for said in (tally(rows, id) for id in COLUMNS) if said]
    return (
        f"Of {len(arrived)} switches the raised step size makes the minimum unstable in {int(unstable.sum())}, and "
        f"gradient descent leaves it in {leaving} {int((~unstable).sum())}; of the {int(left.sum())} that leave "
        f"{len(again)} interpolate again, {smoother} of them with a smaller int |f''| g and {flatter} with a smaller "
        f"sharpness than at the constant step size. {'; '.join(rulings) or 'No claim applies'}."
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the three panels of the paper's Fig 1 for the switch (by 3, if any) after which int |f''| g falls most."""
    arrived = rows[rows["arrived"]]
    good = arrived[arrived["left"].astype(bool) & arrived["raised_interpolates"] & arrived["constant_interpolates"]]
    pool = next(frame for frame in (good[good["factor"] == 3], good, arrived, rows) if len(frame))
    ratio = pool["raised_curvature"].astype(float) / pool["constant_curvature"].astype(float)
    row = pool.iloc[int(np.argmin(ratio.fillna(np.inf)))]
    parts = [
        (rf"$\eta = {row['step_size']:.3f}$, constant", part_of(row, "constant"), BLACK),
        (rf"raised to ${row['factor']:g}\,\eta$", part_of(row, "raised"), GREEN),
    ]
    drawing, axes = axes_row(3, 4.4)
    draw_losses(axes[0], row)
    drawn = [part for part in parts if part[1]["knots"] is not None]
    draw_functions(axes[1], drawn)
    axes[1].set(title="(b) Functions")
    draw_curvature(axes[2], drawn)
    axes[2].set(title="(c) Smoothed $|f''|$ and the weight $g$")
    drawing.suptitle(
        rf"{literal(row['data'])} (n = {row['n']}), the switch after which $\int |f''|\,g$ falls most", fontsize=11
    )
    return drawing


def part_of(row: pd.Series, part: str) -> Row:
    """Return the columns of one part of a row under their own names, with the data."""
    length = len(part) + 1
    columns = {str(name)[length:]: value for name, value in row.items() if str(name).startswith(f"{part}_")}
    return {**columns, "x": row["x"], "y": row["y"]}


def draw_losses(axis: Axes, row: pd.Series) -> None:
    """Draw the losses of a row before and after the switch (Fig 1a)."""
    raised = rf"raised to ${row['factor']:g}\,\eta$"
    axis.loglog(row["constant_loss_steps"], row["constant_losses"], color=BLACK, label=r"step size $\eta$")
    axis.loglog(row["raised_loss_steps"], row["raised_losses"], color=GREEN, label=raised)
    axis.loglog(row["switch_loss_steps"], row["switch_losses"], color=BLACK)
    axis.axvline(row["switch_steps"], color=BLACK, linewidth=1, linestyle=":", label="switch")
    axis.set(title="(a) Loss", xlabel="iteration", ylabel=r"$\frac{1}{2n}\sum_j (f(x_j) - y_j)^2$")
    legend_below(axis)


STUDY: Study[Config] = Study(
    id="step_size_jump",
    title="A step size that is raised near the minimum (mulayoff2021, Fig 1).",
    claims=("M1", "M11", "M11.a", "M12", "M12.a", "M12.b", "B7.b", "B7.c"),
    printed=(
        Printed("M12", "Fig 1a", "with the step size raised by 3 near the minimum, the loss rises abruptly."),
        Printed(
            "M12",
            "Fig 1b-c",
            "gradient descent ends in another minimum, a smoother function, above all where g is large.",
        ),
    ),
    presets={
        "default": Config(),
        "smoke": Config(data_sets=("sine", "hat"), seeds=1, step_sizes=(0.1, 0.2), max_steps=100_000, patience=20_000),
        "paper": Config(
            seeds=20, step_sizes=(0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4), factors=(1.5, 2.0, 3.0, 4.0, 6.0)
        ),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
