"""Width against test error and measures of capacity (neyshabur2017, Fig 4): `python -m experiments.network_size`.

Two-layer networks of growing width on MNIST, each until its training loss is small. Test error falls with the width; which
measures of capacity do is what the paper asks. Some networks of two widths are trained to a second loss, to see what
stopping there changes.
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
from torch import nn

from experiments.engine.records import Row
from experiments.engine.settings import above_zero
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import capacity, classifiers, sharpness
from experiments.kit.capacity import MEASURES
from experiments.kit.plotting import BLUE, GREEN, GREY, ORANGE, PURPLE, axes_row, draw_medians, legend_below
from experiments.kit.sharpness import LEVEL, CapacitySettings
from experiments.kit.trends import Direction, Trend, tally, trend, trends_table
from numerics.training.members import Outcome

FITS, TURNS, SPECTRAL_TURNS = 32, 128, 512
"""Widths that the paper names: the least that fits, up to where all measures fall, beyond where the spectral norm rises."""

FIRST, SECOND = "first", "second"
"""What a network is trained to: `stop_loss`, or `second_stop`."""

ENDS = (("", ""), ("_factors", "*"))
"""Of the columns of measures without and with their factors, and of how the tables call them."""

COLOURS = {"l2": BLUE, "l1_path": ORANGE, "l2_path": GREEN, "spectral": PURPLE}


@dataclass(frozen=True)
class Config(CapacitySettings):
    """What is trained.

    Attributes:
        network: mlp, with one hidden layer of each of `widths`; `width`, `hidden` and `dropout` say nothing here.
        widths: hidden units.
        momentum: of SGD, from 0 to below 1; 0.9 in the paper.
        second_stop: another `stop_loss` for the networks of `second_widths`; 0 for none.
        second_widths: of these the measures are compared at both.
        epsilon: the share of training images that may violate the margin.
        seeds: networks of each width.
        seed: changes all initialisations, batches and noise; any integer.
    """

    size: int | None = 2000
    test_size: int | None = None
    widths: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
    step_size: float = 0.01
    batch_size: int = 64
    momentum: float = 0.9
    max_epochs: int = 1000
    stop_loss: float = 0.01
    second_stop: float = 0.001
    second_widths: tuple[int, ...] = (128, 512)
    epsilon: float = 0.05
    alphas: tuple[float, ...] = (4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2)
    draws: int = 30
    looks: int = 1
    gc_images: int = 0


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    if len(set(config.widths)) < max(2, len(config.widths)) or min(config.widths) < 1:
        raise ValueError(f"--widths must hold at least two numbers above 0, each once, got {config.widths}")
    if config.network != "mlp":
        raise ValueError(f"--network must be mlp: the networks have one hidden layer, got {config.network!r}")
    if config.optimiser != "sgd":
        raise ValueError(f"--optimiser must be sgd, got {config.optimiser!r}")
    if not 0 < config.epsilon < 1:
        raise ValueError(f"--epsilon must be above 0 and below 1, got {config.epsilon}")
    if config.second_stop:
        above_zero(config, "second_stop")
        if not set(config.second_widths) <= set(config.widths) or not config.second_widths:
            raise ValueError(f"--second-widths must be some of --widths, {config.widths}, got {config.second_widths}")
    sharpness.check(config)
    stops = [(FIRST, width) for width in config.widths]
    if config.second_stop:
        stops += [(SECOND, width) for width in config.second_widths]
    return {
        f"{stop}-{width:05d}-{index:03d}": partial(trained, stop, width, index, config)
        for index in range(config.seeds)
        for stop, width in stops
    }


def trained(stop: str, width: int, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    seed = seed_of(STUDY.id, config.seed, index)
    task = classifiers.Task(
        f"{stop}-{width:05d}-{index:03d}",
        seed,
        config.step_size,
        config.batch_size,
        hidden=(width,),
        at_end=partial(measured, seed=seed, config=config),
    )
    stop_loss = config.stop_loss if stop == FIRST else config.second_stop
    row = {
        "stop": stop,
        "width": width,
        "seed_index": index,
        "stop_loss": stop_loss,
        "epsilon": config.epsilon,
        "ascent_steps": config.ascent_steps,
        "draws": config.draws,
        "scheme": "lecun",
    }
    return [
        row | capacity.DIVERGED | sharpness.DIVERGED | classifiers.trained(task, replace(config, stop_loss=stop_loss))
    ]


def measured(model: nn.Module, x: torch.Tensor, y: torch.Tensor, *, seed: int, config: Config) -> Row:
    """Return the columns on capacity and sharpness."""
    found = capacity.capacity_columns(model, x, y, config.epsilon)
    return found | sharpness.sharpness_columns(model, x, y, config, seed)


def told(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with errors instead of accuracies, the logarithm of the divergence at `LEVEL`, and numbers as floats."""
    names = ["train_loss", "train_accuracy", "test_loss", "test_accuracy", "max_sharpness", "margin", *capacity.LOGS]
    found = rows.astype(dict.fromkeys([*names, "divergence_at_level"], float))
    return found.assign(
        train_error=1 - found["train_accuracy"],
        test_error=1 - found["test_accuracy"],
        log_divergence=np.log(found["divergence_at_level"]),
    )


def first(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the networks that were trained to the first stop."""
    return told(rows[rows["stop"] == FIRST])


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states of networks that fit, of its measures as drawn and with their factors."""
    good = first(rows)
    fit, more, wide = (good[good["width"] >= width] for width in (FITS, TURNS, SPECTRAL_TURNS))
    few = fit[fit["width"] <= TURNS]

    def of(part: pd.DataFrame, says: str, value: str, direction: Direction) -> Trend:
        return trend(part, says, setting="width", value=value, direction=direction)

    return [
        of(fit, f"test error falls from {FITS} units on", "test_error", "falls"),
        *(
            of(few, f"{name} falls from {FITS} to {TURNS}", f"log_{measure}", "falls")
            for measure, name in MEASURES.items()
        ),
        of(more, f"l2 rises from {TURNS} on", "log_l2", "rises"),
        of(more, f"l1-path rises from {TURNS} on", "log_l1_path", "rises"),
        of(more, f"l2-path falls from {TURNS} on", "log_l2_path", "falls"),
        of(wide, f"spectral rises from {SPECTRAL_TURNS} on", "log_spectral", "rises"),
        of(more, f"l2-path with its factors rises from {TURNS} on", "log_l2_path_factors", "rises"),
        of(more, f"spectral with its factors rises from {TURNS} on", "log_spectral_factors", "rises"),
        of(few, f"divergence at expected sharpness {LEVEL:g} falls from {FITS} to {TURNS}", "log_divergence", "falls"),
        of(more, f"divergence at expected sharpness {LEVEL:g} rises from {TURNS} on", "log_divergence", "rises"),
    ]


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the medians over seeds for each width: errors, epochs, and base-10 logarithms of the measures."""
    good = first(rows)
    logs = {f"log_{name}{end}": f"{said}{mark}" for name, said in MEASURES.items() for end, mark in ENDS}
    columns = ["train_error", "test_error", "train_loss", "epochs", "margin", "max_sharpness", *logs, "log_divergence"]
    found = good.groupby("width")[columns].median()
    found[[*logs, "log_divergence"]] /= math.log(10)
    names = {"train_error": "train err", "test_error": "test err", "train_loss": "loss", "max_sharpness": "max sharp."}
    return found.rename(columns={**names, **logs, "log_divergence": "KL"}).reset_index()


def stops(rows: pd.DataFrame) -> pd.DataFrame:
    """Return at both stops the medians of the networks that were trained to both; base-10 logarithms of the measures."""
    both = told(rows[rows["width"].isin(rows.loc[rows["stop"] == SECOND, "width"])])
    columns = ["train_loss", "epochs", "test_error", "margin", "max_sharpness"]
    logs = {f"log_{name}": said for name, said in MEASURES.items()}
    found = (
        both.groupby(["width", "stop_loss"])[[*columns, *logs, "log_divergence"]]
        .median()
        .sort_index(ascending=[True, False])
    )
    found[[*logs, "log_divergence"]] /= math.log(10)
    return found.rename(columns={**logs, "log_divergence": "KL", "max_sharpness": "max sharp."}).reset_index()


def left_out(rows: pd.DataFrame) -> list[str]:
    """Return sentences on networks without measures, without an end at their stop, and on which widths fit."""
    good, said = first(rows), []
    without = rows[rows["capacity"] != capacity.MEASURED]
    for width, group in without.groupby("width"):
        said.append(f"{len(group)} of {width} units have no measure; the first: {group['capacity'].iloc[0]}.")
    late = rows[rows["outcome"] == str(Outcome.BUDGET_SPENT)]
    if len(late):
        at = ", ".join(f"{loss:.2g} at {width}" for width, loss in late.groupby("width")["last_loss"].median().items())
        said.append(
            f"{len(late)} of {len(rows)} networks spend their epochs before their stop; losses: {at} (medians)."
        )
    fits = good.groupby("width")["train_accuracy"].min() == 1
    widths = ", ".join(str(width) for width in fits.index[fits])
    said.append(f"Every network has training error 0 at widths {widths or 'none'}.")
    return said


def table(rows: pd.DataFrame) -> str:
    """Return trends, medians, what the second stop changes, and what was left out, as text."""
    one = rows.iloc[0]
    parts = [
        trends_table(trends(rows)),
        "",
        "Medians over seeds at the first stop. Base-10 logarithms of the measures, over the square of the margin, * with their",
        f"factors in depth and width, and of KL, the divergence at expected sharpness {LEVEL:g}; max sharp. is a lower bound.",
        medians(rows).to_string(index=False, float_format="{:.4g}".format),
        "",
        *left_out(rows),
    ]
    second = rows[rows["stop"] == SECOND]
    if len(second):
        parts += [
            "",
            "What the second stop changes (medians):",
            stops(rows).to_string(index=False, float_format="{:.4g}".format),
        ]
    parts += [
        "",
        f"Training ends after the first epoch whose mean batch loss is below {_stops(rows)}, or with its epochs; the paper's",
        "stop is 1e-4. Not printed, and chosen here: pixels from 0 to 1; initial weights truncated normal of variance",
        f"1/inputs, biases 0; the margin is the order statistic at {one['epsilon']:g}; paths start at biases too; the ascent",
        f"has {one['ascent_steps']} steps; {one['draws']} draws of noise for each alpha.",
    ]
    return "\n".join(parts)


def _stops(rows: pd.DataFrame) -> str:
    return " or ".join(f"{stop:g}" for stop in sorted(set(rows["stop_loss"]), reverse=True))


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold, and at which widths test error and measures are least."""
    good = first(rows)
    values = {"test error": "test_error", **{name: f"log_{measure}" for measure, name in MEASURES.items()}}
    least = {name: good.groupby("width")[column].median().dropna() for name, column in values.items()}
    at = ", ".join(
        f"{name} at {int(found.index[int(np.argmin(found))])}" for name, found in least.items() if len(found)
    )
    lost = int(rows["train_loss"].isna().sum())
    return f"{tally(trends(rows))}. Least in the median: {at or 'nothing measured'}. {lost} of {len(rows)} networks diverge."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw Fig 4: errors and measures against width, and KL against expected sharpness."""
    drawing, axes = axes_row(4, 4.6)
    good = first(rows)
    for column, name, colour in (("train_error", "training", ORANGE), ("test_error", "test", BLUE)):
        draw_medians(axes[0], good["width"], 100 * good[column], colour, name)
    axes[0].set(title="Errors", ylabel="per cent")
    for axis, end, title in ((axes[1], "", "Measures as drawn"), (axes[2], "_factors", "with their factors")):
        for measure, name in MEASURES.items():
            draw_medians(axis, good["width"], _relative(good, f"log_{measure}{end}"), COLOURS[measure], name)
        axis.set(title=f"{title} (at {_reference(good)} units: 1)", yscale="log")
    for axis in axes[:3]:
        axis.set_xscale("log", base=2)
        axis.set_xlabel("hidden units")
        axis.axvline(TURNS, color=GREY, linestyle=":")
        legend_below(axis)
    fits = good[(good["width"] >= FITS) & good["divergence"].notna()]
    sharpness.draw_curves(axes[3], fits, "width", "by hidden units")
    one = rows.iloc[0]
    drawing.suptitle(
        f"Two layers on {one['images']} images, to a loss of {good['stop_loss'].iloc[0]:g} "
        f"(points are networks, lines medians; dotted: {TURNS} units)",
        fontsize=11,
    )
    return drawing


def _reference(good: pd.DataFrame) -> int:
    """Return the width nearest to `TURNS` in ratio among those with measures, of all if there are none."""
    there = good[good["capacity"] == capacity.MEASURED]
    widths = sorted(set((there if len(there) else good)["width"]))
    return int(min(widths, key=lambda width: abs(math.log(width / TURNS))))


def _relative(good: pd.DataFrame, column: str) -> pd.Series[float]:
    """Return a measure over its median at the width of reference."""
    found: pd.Series[float] = good[column] - good.loc[good["width"] == _reference(good), column].median()
    return found.map(lambda log: math.exp(min(log, 700.0)))


CPU = Config()

STUDY: Study[Config] = Study(
    id="network_size",
    title="Width, test error and measures of capacity (neyshabur2017, Fig 4).",
    claims=(),
    printed=(
        Printed(None, "section 3, Increasing Network Size", "While 32 hidden units are enough to fit the training data, we "
            "observe that networks with more hidden units generalize better."),
        Printed(None, "section 3, of Fig 4, middle", "all margin/norm based complexity measures decrease for larger networks "
            "up to 128 hidden units. For networks with more hidden units, l2 norm and l1-path norm increase."),
        Printed(None, "section 3, of Fig 4, middle", "l2-path norm can provide some explanation; with the number of hidden "
            "units taken into account it cannot, and this is also the case for the spectral norm."),
        Printed(None, "section 3, of Fig 4, middle", "some increase in spectral norm beyond 512 hidden units."),
        Printed(None, "section 3, of Fig 4, right", "the joint PAC-Bayes measure decrease for larger networks up to size 128 "
            "but fails to explain this generalization behavior for larger networks."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            size=100, test_size=200, widths=(8, 32, 64), batch_size=20, step_size=0.05, max_epochs=20, stop_loss=0.1,
            second_stop=0.05, second_widths=(32,), ascent_steps=3, alphas=(1e-3, 1e-2), draws=4, seeds=2,
        ),
        "paper": Config(
            size=None, max_epochs=5000, stop_loss=1e-4, second_stop=1e-2, ascent_steps=2000,
            draws=1000, seeds=5,
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
