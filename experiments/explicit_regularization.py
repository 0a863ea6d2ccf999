"""Volhejn 2020, Table 4.4 and Figures 4.2-4.5: can an explicit penalty make networks smoother that fit as well?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import images
from experiments.kit.agreement import RULE, PrintedValue, Spread, agreement, spread
from experiments.kit.images import ALL_PAIRS, MEASURES, check_pairs
from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, PURPLE, YELLOW, axes_row
from numerics.penalties import Penalty
from numerics.training import checked_device
from theory.checks import positive

Measure = Literal["GN", "PL0", "PL1", "WP"]
"""What the thesis penalises."""

PATHS: tuple[Measure, ...] = ("PL0", "PL1")
"""The measures whose penalty is a mean over pairs."""

STEP_SIZES: dict[Measure, float] = {"GN": 0.01, "PL0": 0.1, "PL1": 0.1, "WP": 0.01}
"""The thesis's step size for each measure: ten times larger for the path lengths, which are slow to penalise."""

LAMBDAS: dict[Measure, tuple[float, ...]] = {
    "GN": (1e-5, 1e-4, 1e-3),
    "PL0": (1e-4,),
    "PL1": (1e-5,),
    "WP": (1e-5, 3e-5),
}
"""The thesis's coefficients, as printed, without 0."""

EPOCHS: dict[Measure, int] = {"GN": 15_000, "PL0": 25_000, "PL1": 25_000, "WP": 25_000}
"""The thesis's epochs after which a network is given up."""

LOWER = {"GN": 0.0, "PL0": 1.0, "PL1": 0.0, "WP": 0.0}
"""What is subtracted before a value is divided by that of the unregularised network: V14's bound for PL0."""

PRINTED = {
    "GN": (PrintedValue(0.93), PrintedValue(0.29), PrintedValue(0.31, 0.13)),
    "PL0": (PrintedValue(1.17), PrintedValue(1.05), PrintedValue(0.33, 0.27)),
    "PL1": (PrintedValue(2.62), PrintedValue(2.35), PrintedValue(0.89, 0.06)),
    "WP": (PrintedValue(12.84), PrintedValue(11.57), PrintedValue(0.90, 0.03)),
}
"""Means without and with the penalty, and the normalised value (Table 4.4)."""

PAPER_SIZE = 10_000

ENOUGH = 0.75
"""The share of pairs that must converge for a coefficient to count: the thesis's largest leave out up to 10 of 45."""


@dataclass(frozen=True)
class Config:
    """What to train.

    Attributes:
        pairs: pairs of digits, each two digits in increasing order, such as 38.
        size: number of training images, the first ones of the pair.
        measures: what to penalise: GN, PL0, PL1, WP, each with the thesis's coefficients and step size.
        largest_only: whether only the largest coefficient of each measure is tried, the one of Table 4.4.
        multiples: factors on that coefficient that are tried as well: fewer images take fewer steps to fit, in which a
            penalty of the same size does less.
        alpha: initialisation scale; the variance of the weights is 2 alpha / (fan in + fan out).
        width: hidden units of the network.
        batch_size: images in a batch; reshuffled every epoch, the last batch may be shorter.
        stop_loss: mean of the batch losses of an epoch, without the penalty, below which a network has converged.
        epoch_factor: factor on the thesis's epochs after which a network is given up.
        sum_over_pairs: whether a path length penalty adds up over the pairs of a batch, as the thesis's code did, so
            that the coefficient counts once a pair; if not, it is a mean over pairs, as its eq 4.7 says.
        data_dir: folder with the files of MNIST; if not given, that of IMPLICIT_SMOOTHNESS_DATA, or a download.
        seed: changes all initialisations and batches; any integer.
        device: where the networks are trained: cpu, or a CUDA device such as cuda:0, where all pairs are stacked.
    """

    pairs: tuple[str, ...] = ("23", "25", "38", "49", "67")
    size: int = 256
    measures: tuple[Measure, ...] = ("GN", "PL0", "PL1", "WP")
    largest_only: bool = False
    multiples: tuple[float, ...] = ()
    alpha: float = 0.01
    width: int = 256
    batch_size: int = 64
    stop_loss: float = 1e-5
    epoch_factor: float = 1.0
    sum_over_pairs: bool = True
    data_dir: Path | None = None
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Cell:
    """Which penalty; measure "none" is the network without one that those with the same step size are compared with."""

    measure: str
    coefficient: float
    step_size: float
    max_epochs: int

    @property
    def key(self) -> str:
        """Its part of the names of tasks."""
        if self.measure == "none":
            return f"none-{self.step_size:g}".replace(".", "p")
        return f"{self.measure.lower()}-{self.coefficient:g}".replace(".", "p")


def cells(config: Config) -> list[Cell]:
    """Return the penalties to try, those without first."""
    found: dict[float, Cell] = {}
    penalised = []
    for measure in config.measures:
        step_size, epochs = STEP_SIZES[measure], max(1, round(config.epoch_factor * EPOCHS[measure]))
        found.setdefault(step_size, Cell("none", 0.0, step_size, epochs))
        largest = LAMBDAS[measure][-1]
        tried = [largest] if config.largest_only else list(LAMBDAS[measure])
        tried += [float(f"{factor * largest:.6g}") for factor in config.multiples]
        penalised += [Cell(measure, coefficient, step_size, epochs) for coefficient in tried]
    return [*found.values(), *penalised]


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network, or on a GPU for each penalty.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    check_pairs(config.pairs)
    at_least_one(config, "width", "batch_size")
    above_zero(config, "alpha", "stop_loss", "epoch_factor")
    for factor in config.multiples:
        if positive("--multiples", factor) <= 1:
            raise ValueError(f"--multiples must be above 1, got {factor}")
    if not config.measures or len(set(config.measures)) < len(config.measures):
        raise ValueError(f"--measures must name some of {', '.join(MEASURES)}, each once")
    there = len(images.pair_of(config.pairs[0], config.data_dir, False).x_train)
    if not 2 <= config.size <= there:
        raise ValueError(f"--size must be between 2 and the number of training images, {there}, got {config.size}")
    if config.batch_size > config.size:
        raise ValueError(f"--batch-size must not exceed --size, {config.size}, got {config.batch_size}")
    if checked_device(config.device).type == "cpu":
        return {
            f"{cell.key}-{pair}": partial(trained, cell, (pair,), config)
            for cell in cells(config)
            for pair in config.pairs
        }
    return {cell.key: partial(trained, cell, config.pairs, config) for cell in cells(config)}


def penalty_of(cell: Cell, config: Config) -> Penalty | None:
    """Return the penalty on the mean over pairs that has the effect asked for, None for none."""
    if cell.measure == "none":
        return None
    measure: Measure = cell.measure  # type: ignore[assignment]
    pairs = config.batch_size // 2 if config.sum_over_pairs and measure in PATHS else 1
    return Penalty(measure, cell.coefficient * pairs)


def trained(cell: Cell, pairs: tuple[str, ...], config: Config) -> list[Row]:
    """Train a network for each of these pairs with one penalty, and measure them."""
    penalty = penalty_of(cell, config)
    given = {
        "size": config.size,
        "penalty": cell.measure,
        "lambda": cell.coefficient,
        "effective_lambda": penalty.coefficient if penalty else 0.0,
        "step_size": cell.step_size,
    }
    return images.trained(
        [
            images.Run(
                images.pair_of(pair, config.data_dir, False),
                config.size,
                config.alpha,
                cell.step_size,
                cell.max_epochs,
                # Not of the penalty: networks of a pair start alike and see the same batches.
                seed_of(STUDY.id, config.seed, pair),
                penalty,
                {"pair": pair, **given},
            )
            for pair in pairs
        ],
        config,
    )


def usable(rows: pd.DataFrame, measure: str) -> list[float]:
    """Return the coefficients on a measure with which enough pairs converge, increasing."""
    chosen = rows[rows["penalty"] == measure]
    levels = sorted(float(value) for value in chosen["lambda"].unique())
    return [
        level
        for level in levels
        if (chosen.loc[chosen["lambda"] == level, "outcome"] == "interpolated").mean() >= ENOUGH
    ]


def compared(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the runs with and without a usable penalty on a measure, of the pairs where all of them converge.

    The columns are `pair`, `lambda`, `value`, `base` (without the penalty, same step size), and `normalised`.
    """
    step_size = STEP_SIZES[measure]  # type: ignore[index]
    chosen = rows[(rows["step_size"] == step_size) & rows["penalty"].isin([measure, "none"])]
    kept = [0.0, *usable(rows, measure)]
    fits = chosen[(chosen["outcome"] == "interpolated") & chosen["lambda"].isin(kept)]
    whole = [pair for pair, group in fits.groupby("pair") if group["lambda"].nunique() == len(kept)]
    fits = fits[fits["pair"].isin(whole)]
    base = fits[fits["lambda"] == 0].set_index("pair")[measure]
    found = fits[["pair", "lambda"]].assign(
        value=fits[measure].astype(float), base=[float(base[pair]) for pair in fits["pair"]]
    )
    low = LOWER[measure]
    return found.assign(normalised=(found["value"] - low) / (found["base"] - low))


def summary(rows: pd.DataFrame, measure: str) -> tuple[Spread, Spread, Spread, float] | None:
    """Return the spreads without and with the largest usable penalty, normalised, and its lambda. None if there is none."""
    if not usable(rows, measure):
        return None
    found, largest = compared(rows, measure), usable(rows, measure)[-1]
    top = found[found["lambda"] == largest]
    return spread(top["base"]), spread(top["value"]), spread(top["normalised"]), largest


def table(rows: pd.DataFrame) -> str:
    """Return Table 4.4 as measured and as printed, then every penalty, and the discussion."""
    text = [
        f"{'measure':<7} {'lambda':>7} {'pairs':>5}  {'unregularised':<24} {'regularised':<24} {'normalised':<30} agreement"
    ]
    for measure in MEASURES:
        found = summary(rows, measure)
        if found is None:
            continue
        *columns, largest = found
        shown = [f"{value!s} ({printed})" for value, printed in zip(columns, PRINTED[measure], strict=True)]
        text.append(
            f"{measure:<7} {largest:>7g} {columns[0].count:>5}  {shown[0]:<24} {shown[1]:<24} {shown[2]:<30} "
            f"{agreement(columns[2], PRINTED[measure][2])}"
        )
    sizes = sorted(rows["size"].unique())
    text += [
        "",
        f"The largest lambda with which at least {ENOUGH:.0%} of the pairs converge; mean +- std over the pairs on which all",
        "networks up to it do, printed values in brackets. Normalised: divided by the unregularised network's value, of PL0",
        f"less 1. {RULE}, of the normalised value.",
    ]
    if sizes != [PAPER_SIZE]:
        text.append(
            f"These rows are for {', '.join(map(str, sizes))} training images, the paper's for {PAPER_SIZE}: values that are "
            "not normalised do not compare, nor do equal lambdas."
        )
    return "\n".join([*text, "", every_penalty(rows), "", *discussion(rows)])


def every_penalty(rows: pd.DataFrame) -> str:
    """Return the medians for each penalty, of all networks that converge."""
    text = [
        f"{'penalty':<7} {'lambda':>7} {'step size':>9} {'fit':>9} "
        + " ".join(f"{name:>9}" for name in (*MEASURES, "PL1 exact", "epochs", "seconds"))
    ]
    for (measure, step_size, coefficient), group in rows.groupby(["penalty", "step_size", "lambda"], sort=False):
        fits = group[group["outcome"] == "interpolated"]
        values = [fits[name].astype(float).median() for name in (*MEASURES, "PL1 exact", "epochs", "train_seconds")]
        text.append(
            f"{measure:<7} {coefficient:>7g} {step_size:>9g} {f'{len(fits)} of {len(group)}':>9} "
            + " ".join(f"{value:>9.4g}" for value in values)
        )
    return "\n".join(text)


def discussion(rows: pd.DataFrame) -> list[str]:
    """Return whether the thesis's conclusion agrees with the rows, and what the larger step size does to PL1 and WP."""
    found = {measure: entry for measure in MEASURES if (entry := summary(rows, measure)) and entry[2].count}
    text = []
    first = [found[name][2].mean for name in ("GN", "PL0") if name in found]
    second = [found[name][2].mean for name in ("PL1", "WP") if name in found]
    if first and second:
        verb = "agree" if max(first) < min(second) else "do not agree"
        text.append(
            f"These rows {verb} with the printed 'First-order measures were reduced by explicit regularisation, second-order "
            f"measures were not': to "
            f"{', '.join(f'{value:.2f}' for value in first)} against {', '.join(f'{value:.2f}' for value in second)}."
        )
    none = rows[(rows["penalty"] == "none") & (rows["outcome"] == "interpolated")]
    steps = sorted(none["step_size"].unique())
    if len(steps) == 2:
        small, large = (none[none["step_size"] == step].set_index("pair") for step in steps)
        both = small.index.intersection(large.index)
        for name in ("PL1", "PL1 exact", "WP"):
            ratio = large.loc[both, name] / small.loc[both, name]
            text.append(
                f"Without a penalty, step size {steps[1]:g} instead of {steps[0]:g} multiplies {name} by {ratio.median():.2f} "
                f"at the median ({ratio.min():.2f} to {ratio.max():.2f} over {len(both)} pairs)."
            )
    fits = rows[rows["outcome"] == "interpolated"]
    share = fits["PL1 all pairs"] / fits["WP"]
    text.append(
        f"B6: PL1 over all pairs is at most WP/2; PL1/WP is between {share.min():.3f} and {share.max():.3f} here."
    )
    for measure in ("GN", "WP"):
        if measure in found and "PL1" in found:
            chosen = rows[
                (rows["penalty"] == measure) & np.isclose(rows["lambda"], found[measure][3], rtol=1e-9, atol=0)
            ]
            top = chosen[chosen["outcome"] == "interpolated"].set_index("pair")
            base = none[none["step_size"] == STEP_SIZES[measure]].set_index("pair")
            both = top.index.intersection(base.index)
            ratio = (top.loc[both, "PL1"] / base.loc[both, "PL1"]).astype(float)
            if len(both):
                text.append(
                    f"Penalising {measure} multiplies PL1, which it does not see, by {ratio.median():.2f} at the median "
                    f"({len(both)} pairs)."
                )
    return text


def conclusion(rows: pd.DataFrame) -> str:
    """Return how many networks converge, and how many normalised values are met."""
    found = {measure: entry for measure in MEASURES if (entry := summary(rows, measure))}
    met = sum(agreement(entry[2], PRINTED[measure][2]).startswith("inside") for measure, entry in found.items())
    fits = int((rows["outcome"] == "interpolated").sum())
    return (
        f"{fits} of {len(rows)} networks converge, on {rows['pair'].nunique()} of the paper's {len(ALL_PAIRS)} pairs with "
        f"{rows['size'].iloc[0]} of {PAPER_SIZE} images; {met} of {len(found)} normalised values lie inside the printed spread."
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw Figures 4.2-4.5: for each measure the values, and the normalised ones, against lambda."""
    tried = [measure for measure in MEASURES if measure in set(rows["penalty"])]
    drawing, axes = axes_row(len(tried), 4.2)
    for axis, measure in zip(axes, tried, strict=True):
        _draw(axis, compared(rows, measure), measure)
    drawing.suptitle(
        "Explicit regularisation, on the pairs where every network converges (box: quartiles; dashed: printed mean of the "
        "largest)",
        fontsize=11,
    )
    return drawing


def _draw(axis: Axes, found: pd.DataFrame, measure: str) -> None:
    """Draw the normalised values of a measure as boxes, one a coefficient, with the single pairs as lines."""
    levels = sorted(found["lambda"].unique())
    values = [found.loc[found["lambda"] == level, "normalised"].to_numpy(np.float64) for level in levels]
    if found.empty:
        axis.text(0.5, 0.5, "no pair converges", ha="center", transform=axis.transAxes)
    else:
        axis.boxplot(values, positions=range(len(levels)), widths=0.45, medianprops={"color": ORANGE}, showfliers=False)
    colours = (BLUE, GREEN, PURPLE, YELLOW, BLACK)
    for index, (_, group) in enumerate(found.groupby("pair")):
        ordered = group.sort_values("lambda")
        places = [levels.index(level) for level in ordered["lambda"]]
        axis.plot(places, ordered["normalised"], "o-", color=colours[index % len(colours)], markersize=3, linewidth=0.7)
    axis.axhline(PRINTED[measure][2].mean, color=BLACK, linestyle="--", linewidth=1)
    axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    label = f"({measure} - 1) / unregularised" if LOWER[measure] else f"{measure} / unregularised"
    axis.set(title=measure, xlabel=r"$\lambda$", ylabel=label, ylim=(0, None))


CPU = Config(multiples=(10.0,), epoch_factor=0.5)

STUDY: Study[Config] = Study(
    id="explicit_regularization",
    title="Networks trained with a penalty on their smoothness (volhejn2020, Table 4.4 and Figures 4.2-4.5).",
    claims=("V13", "V14", "B6"),
    printed=tuple(
        Printed(claim, "Table 4.4", f"{measure}: {base} falls to {value}, normalised {ratio}.")
        for (measure, (base, value, ratio)), claim in zip(PRINTED.items(), ("V13", "V14", "B6", "B6"), strict=True)
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(pairs=("01", "49"), size=32, batch_size=16, stop_loss=2e-2, largest_only=True, alpha=1.0),
        "paper": Config(pairs=ALL_PAIRS, size=PAPER_SIZE),
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
