"""Volhejn 2020, sections 4.4 and 4.5: are there smoother networks that fit the same images as those that training finds?

Beside networks trained on pairs of digits, networks through the same labels with a small PL1 or WP, as a program finds them
(`numerics.programs.least_path_length`), and how small these measures can be at all.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.settings import at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import images
from experiments.kit.images import SizesSettings, check_sizes
from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, axes_grid, draw_medians, legend_below
from experiments.kit.trends import Trend, sign_test, tally, trends_table
from numerics.data import DigitPair
from numerics.programs import least_path_length
from numerics.programs.path_length_bounds import Measure

SECOND: tuple[Measure, ...] = ("PL1", "WP")
"""The second-order measures, which the thesis does not exclude."""

COLUMN: Mapping[str, str] = {"PL1": "PL1 all training pairs", "WP": "WP"}
"""The column of the measure that a program makes small: PL1 over the pairs of the training points."""

TRAINED, FOUND = "trained", "found"

TENTH = 0.1
"""How much smoother a network has to be to count as such; the thesis counts what a penalty lowers by less as kept low."""


@dataclass(frozen=True)
class Config(SizesSettings):
    """What to train and what to look for.

    Attributes:
        rounds: how often the program adds units to those in use.
    """

    sizes: tuple[int, ...] = (64, 128, 256)
    repeats: int = 1
    rounds: int = 3


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each pair and size.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    check_sizes(config, balanced=False)
    at_least_one(config, "rounds")
    return {
        f"{pair}-{size}": partial(compared, pair, size, config)
        for size in sorted(config.sizes)
        for pair in config.pairs
    }


def compared(pair: str, size: int, config: Config) -> list[Row]:
    """Train networks on images of a pair, look for smoother ones through their labels, and return a row for each."""
    data = images.pair_of(pair, config.data_dir, False)
    given = {"pair": pair, "size": size}
    runs = [
        images.Run(
            data, size, alpha, config.step_size, config.max_epochs,
            seed_of(STUDY.id, config.seed, alpha, pair, size, repeat), None,
            {**given, "network": TRAINED, "alpha": alpha, "repeat": repeat, "least": None, "bound": None},
        )
        for alpha in config.alphas
        for repeat in range(config.repeats)
    ]  # fmt: skip
    return images.trained(runs, config) + [{**given, **found(data, size, measure, config)} for measure in SECOND]


def found(data: DigitPair, size: int, measure: Measure, config: Config) -> Row:
    """Return the columns of a network through the labels whose measure is small, measured in float32 as the others are."""
    x, y = data.x_train[:size], data.y_train[:size]
    seed = seed_of(STUDY.id, config.seed, measure, data.name, size) % 2**32
    least = least_path_length(x.astype(float), y.astype(float), measure, rounds=config.rounds, seed=seed)
    network = least.network.float()
    with torch.no_grad():
        loss = float(torch.mean((network(torch.from_numpy(x))[:, 0] - torch.from_numpy(y)) ** 2))
    return {
        "network": FOUND, "alpha": None, "repeat": 0, "least": measure, "bound": least.value, "seed": seed,
        "loss": loss, "outcome": "interpolated" if loss < config.stop_loss else "budget spent",
        "units": len(least.network.output.weight[0]), "linear": least.linear,
        **images.measures_of(network, data, size),
    }  # fmt: skip


def fits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks whose training loss is below the thesis's stop."""
    return rows[rows["outcome"] == "interpolated"]


def shares(rows: pd.DataFrame, measure: str, alpha: float) -> pd.Series[float]:
    """Return what a measure of the network found for it is over that of those trained, medians of each pair and size."""
    there = fits(rows)
    by = ["pair", "size"]
    smallest = there[there["least"] == measure].set_index(by)[COLUMN[measure]]
    return (smallest / there[there["alpha"] == alpha].groupby(by)[COLUMN[measure]].median()).dropna()


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return whether smoother networks are found, and whether they are better ones, pair by pair."""
    told = []
    for alpha in sorted(rows["alpha"].dropna().unique()):
        for measure in SECOND:
            left = shares(rows, measure, alpha).groupby("pair").median()
            says = f"{measure}, alpha = {alpha:g}: a network that fits as well is smoother by a tenth"
            told.append(sign_test(says, "rises", np.sign(1 - TENTH - left).tolist(), len(left)))
            better = gains(rows, measure, alpha)
            says = f"{measure}, alpha = {alpha:g}: and has the smaller test loss"
            told.append(sign_test(says, "rises", np.sign(better).tolist(), len(better)))
    return told


def gains(rows: pd.DataFrame, measure: str, alpha: float) -> pd.Series[float]:
    """Return the test loss of trained networks less that of the network found for a measure, medians of each pair."""
    there = fits(rows)
    by = ["pair", "size"]
    smooth = there[there["least"] == measure].set_index(by)["test_loss"].astype(float)
    trained = there[there["alpha"] == alpha].groupby(by)["test_loss"].median()
    return (trained - smooth).dropna().groupby("pair").median()


def medians(rows: pd.DataFrame) -> str:
    """Return the medians over pairs of what networks have, by size."""
    parts = []
    for (size, name), group in named(rows).groupby(["size", "name"], sort=True):
        there = fits(group)
        parts.append({
            "size": size, "network": name, "fit": f"{len(there)}/{len(group)}",
            **{
                column: there[column].astype(float).median()
                for column in ("PL0 exact", "PL1 exact", *COLUMN.values(), "bound", "units", "test_loss", "test_error")
            },
        })  # fmt: skip
    return pd.DataFrame(parts).to_string(index=False, float_format="{:.3g}".format, na_rep="-")


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with what a network is called."""
    names = [
        f"found, small {row['least']}" if row["network"] == FOUND else f"trained, alpha = {row['alpha']:g}"
        for _, row in rows.iterrows()
    ]
    return rows.assign(name=names)


def table(rows: pd.DataFrame) -> str:
    """Return whether smoother networks are found, and the medians, as text."""
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            medians(rows),
            "",
            "A trend's seeds are pairs of digits, each with one sign. Medians over pairs. fit: networks with a training loss",
            "below the stop, which alone count. PL0, PL1 exact: on a sample of pairs of test images, as in the thesis but with",
            "exact integrals; WP needs no points. bound: of the measure that the network was found for, on pairs of training",
            "points, no network through these labels has less: of any depth for PL1, of two layers for WP. The least lies",
            "between it and what is found.",
            *(
                f"{measure}, alpha = {alpha:g}: what is found has {shares(rows, measure, alpha).median():.3g} of what training "
                f"ends in (median; {shares(rows, measure, alpha).min():.3g} to {shares(rows, measure, alpha).max():.3g})."
                for alpha in sorted(rows["alpha"].dropna().unique())
                for measure in SECOND
            ),
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw both measures and the test loss against the number of images."""
    drawing, axes = axes_grid(3, 3, 4.2)
    there = named(fits(rows))
    panels = ((COLUMN["PL1"], "(a) PL1, pairs of training images"), ("WP", "(b) WP"), ("test_loss", "(c) Test loss"))
    for axis, (column, title) in zip(axes, panels, strict=True):
        for name, colour in zip(sorted(there["name"].unique()), (BLUE, GREEN, ORANGE, BLACK), strict=False):
            chosen = there[there["name"] == name]
            draw_medians(axis, chosen["size"], chosen[column].astype(float).clip(lower=1e-3), colour, name)
        if column == "WP":
            bounds = there[there["least"] == "WP"]
            draw_medians(axis, bounds["size"], bounds["bound"], "#777777", "no network has less", ":")
        sizes = sorted(rows["size"].unique())
        axis.set(title=title, xlabel="training images", xscale="log", yscale="log")
        axis.set_xticks(sizes, [str(size) for size in sizes])
        axis.minorticks_off()
        legend_below(axis)
    drawing.suptitle(
        "Networks through the same labels (points: pairs of digits, lines: medians; PL1 below 0.001 is drawn there)",
        fontsize=11,
    )
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="smoothest_on_digits",
    title="Smoother networks than training finds, through the same labels of two digits (volhejn2020, sections 4.4 and 4.5).",
    claims=("V6", "V15", "V19", "V21.b"),
    printed=(
        Printed(
            "V19",
            "section 4.4",
            "a measure is not implicitly regularised if models are found that fit the training set as well and are simpler.",
        ),
        Printed("V15", "section 4.5", "a second-order measure could be."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(pairs=("01",), sizes=(16, 24), alphas=(1.0,), batch_size=16, stop_loss=1e-2, rounds=1),
        "paper": Config(pairs=images.ALL_PAIRS, sizes=(64, 128, 256, 512), repeats=3),
    },
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
    identity=images.identity,
    workers_are="processes",
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
