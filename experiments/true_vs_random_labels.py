"""True against random labels (neyshabur2017, Figs 1 and 2): `python -m experiments.true_vs_random_labels`.

Networks trained on the first images of a data set, with their labels or with random ones, which are drawn once for each seed
and kept: a larger set has the labels of a smaller one. Fig 1: norms of the network with its batch norm folded, over the square
of the margin. Fig 2: max sharpness, and expected sharpness against divergence. Only networks without training error that have
reached the stopping loss are compared; one setting is trained to a second stopping loss, to see what that changes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from torch import nn

from experiments.engine.records import Row
from experiments.engine.settings import above_zero
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import capacity, classifiers, sharpness
from experiments.kit.capacity import MEASURES
from experiments.kit.plotting import BLUE, ORANGE, axes_grid, draw_medians, legend_below
from experiments.kit.sharpness import (
    LEVEL,
    RandomLabelSettings,
    at_both_stops,
    differences,
    draw_curves,
    fitting,
    lost,
    of_stop,
    stopped,
)
from experiments.kit.trends import Trend, tally, trend, trends_table

LABELS = ("true", "random")

PRONOUNCED = ("l2", "l2_path")
"""The measures of which the paper says that random labels add most."""


@dataclass(frozen=True)
class Config(RandomLabelSettings):
    """What is trained.

    Attributes:
        size: images to take the training sets from, the first ones; all if not given.
        sizes: of the training sets: each holds the first images.
        second_stop: another stopping loss, for one of the sizes; 0 for none.
        second_size: number of images that the second stop is for.
        seeds: networks of each setting; those of one seed start alike.
    """

    sizes: tuple[int, ...] = (256, 400, 800, 1600)
    second_size: int = 400


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    sharpness.check(config)
    most = config.size or len(classifiers.loaded(config.data, config.data_dir).x_train)
    if len(config.sizes) < 2 or sorted(set(config.sizes)) != list(config.sizes):
        raise ValueError(f"--sizes must hold at least two numbers in increasing order, got {config.sizes}")
    if config.sizes[0] < 2 or config.sizes[-1] > most:
        raise ValueError(f"--sizes must be between 2 and the number of images, {most}, got {config.sizes}")
    above_zero(config, "stop_loss")
    cells = [(size, config.stop_loss) for size in config.sizes]
    if config.second_stop:
        above_zero(config, "second_stop")
        if config.second_stop == config.stop_loss or config.second_size not in config.sizes:
            raise ValueError(
                "--second-stop must be another number than --stop-loss, and --second-size one of --sizes, got "
                f"{config.second_stop} and {config.second_size}"
            )
        cells.append((config.second_size, config.second_stop))
    return {
        key: partial(trained, size, stop, kind, key, index, config)
        for index in range(config.seeds)
        for size, stop in cells
        for kind in LABELS
        for key in [f"{index:03d}-{size:05d}-{kind}-{stop:g}".replace(".", "p")]
    }


def trained(size: int, stop: float, kind: str, key: str, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    seed = seed_of(STUDY.id, config.seed, index)
    given: Row = {"labels": kind, "random": LABELS.index(kind), "stop_loss": stop, "seed_index": index}
    task = classifiers.Task(
        key,
        seed,
        config.step_size,
        config.batch_size,
        hidden=config.hidden,
        width=config.width,
        dropout=config.dropout,
        images=size,
        random_from=0 if kind == "random" else None,
        at_end=partial(measured, config=config, seed=seed),
    )
    row = classifiers.trained(task, replace(config, size=config.sizes[-1], stop_loss=stop))
    return [{**given, **capacity.DIVERGED, **sharpness.DIVERGED, **row}]


def measured(model: nn.Module, x: torch.Tensor, y: torch.Tensor, config: Config, seed: int) -> Row:
    """Return the columns on capacity and sharpness of a trained network."""
    return {**capacity.capacity_columns(model, x, y), **sharpness.sharpness_columns(model, x, y, config, seed)}


def growths(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each seed and measure: by how much its ratio grows from the smallest to the largest size of the seed."""
    found = []
    for index, group in pairs.groupby("seed_index"):
        ordered = group.sort_values("images")
        for name in MEASURES:
            values = ordered[f"ratio_{name}"].to_numpy(np.float64)
            row = {"seed_index": index, "l2s": int(name in PRONOUNCED), "growth": values[-1] - values[0]}
            found += [row] if len(values) > 1 else []
    return pd.DataFrame(found, columns=["seed_index", "l2s", "growth"])


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states of Figs 1 and 2."""
    fits = fitting(of_stop(rows))
    fits = fits.assign(pair=[f"{size}-{index}" for size, index in zip(fits["images"], fits["seed_index"], strict=True)])
    pairs = differences(fits, "random", (0, 1), ["images", "seed_index"])
    sizes = sorted(of_stop(rows)["images"].unique())
    half = len(sizes) // 2
    small, large = fits[fits["images"].isin(sizes[:half])], fits[fits["images"].isin(sizes[-half:])]
    of_labels = partial(trend, setting="random", by="pair")
    found = [
        of_labels(fits, f"{shown} over margin: random above true", value=f"log_{name}", direction="rises")
        for name, shown in MEASURES.items()
    ]
    found += [
        trend(pairs, f"{shown}: random less true grows", setting="images", value=f"gap_{name}", direction="rises")
        for name, shown in MEASURES.items()
    ]
    says = "random over true grows most for l2 and l2-path"
    found.append(trend(growths(pairs), says, setting="l2s", value="growth", direction="rises"))
    says = "max sharpness: random below true, smaller half of sizes"
    found.append(of_labels(small, says, value="max_sharpness", direction="falls"))
    says = "max sharpness: random above true, larger half of sizes"
    found.append(of_labels(large, says, value="max_sharpness", direction="rises"))
    says = "max sharpness: random less true grows"
    found.append(trend(pairs, says, setting="images", value="sharpness", direction="rises"))
    says = f"divergence at expected sharpness {LEVEL}: random above true"
    found.append(of_labels(fits, says, value="divergence_at_level", direction="rises"))
    says = f"divergence at {LEVEL}: random over true grows"
    found.append(trend(pairs, says, setting="images", value="divergence", direction="rises"))
    return found


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each size and kind of labels: how many fit, and medians of these; measures as powers of ten."""
    found = []
    for (size, kind), group in rows.groupby(["images", "labels"], sort=True):
        fits = fitting(group)
        found.append(
            {
                "images": size,
                "labels": kind,
                "fit": f"{len(fits)}/{len(group)}",
                "epochs": fits["epochs"].median(),
                "test accuracy": fits["test_accuracy"].median(),
                "margin": fits["margin"].astype(float).median(),
                **{shown: fits[f"log_{name}"].median() / math.log(10) for name, shown in MEASURES.items()},
                "sharpness": fits["max_sharpness"].median(),
                "divergence": math.log10(value) if (value := fits["divergence_at_level"].median()) > 0 else math.nan,
            }
        )
    return pd.DataFrame(found)


def table(rows: pd.DataFrame) -> str:
    """Return trends, medians, and what the second stop changes as text."""
    first = of_stop(rows)
    text = [
        trends_table(trends(rows)),
        "",
        medians(first).to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
        "",
        f"{stopped(first)} {lost(first)}.",
        "Medians of networks that fit. Norms over margin squared, without factors in depth and width, and divergence, at",
        f"expected sharpness {LEVEL}, as powers of ten. Max sharpness is a lower bound on the maximum. seeds: for random",
        "against true, pairs of networks of one size and start. grows: with the size of the training set.",
    ]
    others = of_stop(rows, second=True)
    if len(others):
        text += [
            "",
            f"What the stopping loss changes, {others['images'].iloc[0]} images: random over true, of sharpness random less",
            "true (medians over seeds):",
            at_both_stops(rows, "random", (0, 1), ["images", "seed_index"]),
        ]
    return "\n".join(text)


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}. {lost(rows)}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw Fig 1, four measures against the size, and Fig 2, max sharpness, and expected sharpness against divergence."""
    drawing, axes = axes_grid(7, 4, 3.7)
    fits, sizes = fitting(of_stop(rows)), sorted(rows["images"].unique())
    drawn = [
        (f"log_{name}", f"{shown} over margin$^2$, $\\log_{{10}}$", math.log(10)) for name, shown in MEASURES.items()
    ]
    for axis, (column, title, unit) in zip(axes, [*drawn, ("max_sharpness", "max sharpness", 1.0)], strict=False):
        for kind, colour in zip(LABELS, (BLUE, ORANGE), strict=True):
            chosen = fits[fits["labels"] == kind]
            draw_medians(axis, chosen["images"], chosen[column] / unit, colour, f"{kind} labels")
        axis.set(title=title, xlabel="training images", xscale="log")
        axis.set_xticks(sizes, [f"{size}" for size in sizes])
        axis.xaxis.set_minor_locator(NullLocator())
        legend_below(axis)
    axes[6].sharex(axes[5])
    axes[6].sharey(axes[5])
    for axis, kind in zip(axes[5:], LABELS, strict=True):
        draw_curves(axis, fits[fits["labels"] == kind], "images", f"{kind} labels")
    first = of_stop(rows).iloc[0]
    drawing.suptitle(
        f"{first['network']} ({first['parameters']:,} parameters), trained to a loss of {first['stop_loss']:g} "
        "(points: networks, lines: medians)",
        fontsize=11,
    )
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="true_vs_random_labels",
    title="Capacity and sharpness with true and with random labels (neyshabur2017, Figs 1 and 2).",
    claims=(),
    printed=(
        Printed(None, "section 2.2, Fig 1", "the complexity with random labels is always higher than with true labels."),
        Printed(None, "section 2.2, Fig 1", "the gap increases with the size of the training set, most for l2 and l2-path."),
        Printed(None, "section 2.4, Fig 2, left", "for smaller sets random labels have less sharpness, for bigger ones more."),
        Printed(None, "section 2.4, Fig 2", "at an expected sharpness of 0.05 random labels require higher norm."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            data="mnist", shrink=4, network="mlp", hidden=(16,), sizes=(16, 32), second_size=16, test_size=50, batch_size=8,
            max_epochs=60, step_size=0.1, stop_loss=0.15, second_stop=0.5, ascent_steps=5, draws=3, seeds=1,
        ),
        "paper": Config(
            test_size=None, shrink=1, width=64, sizes=(1000, 5000, 10_000, 20_000, 30_000, 40_000, 50_000), max_epochs=500,
            stop_loss=1e-4, second_stop=1e-2, second_size=10_000, ascent_steps=2000, draws=1000,
        ),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    identity=classifiers.identity,
    workers_are="processes",
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(STUDY))
