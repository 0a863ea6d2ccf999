"""Step size and batch size against geometric complexity (dherin2022, Fig 4): `python -m experiments.gc_implicit`.

Classifiers trained by SGD until the loss of an epoch is below a level, with several step sizes and batch sizes, the same
ratios h/B in both sweeps. The paper's prediction is that the pressure on GC goes with h/B; by B15 only a part of the
implicit regulariser (h/4) E|grad L_B|^2 does, the other part, (h/4)|grad L|^2, goes with h alone: rows keep both, averaged
over training.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from experiments.engine.records import Row
from experiments.engine.settings import at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, axes_row, label_log, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table
from theory.checks import positive

SWEEPS = {"step_size": "step size h", "batch_size": "batch size B"}


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained.

    Attributes:
        network: mlp, with the hidden layers below, or resnet18 or vgg, of the width below.
        hidden: units of each hidden layer of an MLP.
        width: channels of the stem of a ResNet-18, or of the first stack of a VGG, 64 in the standard ones.
        step_size: that of the sweep over batch sizes.
        batch_size: that of the sweep over step sizes.
        factors: the step size times, and the batch size over, each of them: the same ratios in both sweeps.
        max_epochs: epochs after which a network is given up.
        stop_loss: mean batch loss of an epoch below which a network has converged.
        gc_images: on how many training images GC and the gradients of single images are measured.
        seeds: networks for each setting; those of one seed start alike.
    """

    hidden: tuple[int, ...] = (64, 64)
    width: int = 64
    batch_size: int = 32
    factors: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    max_epochs: int = 1000
    stop_loss: float = 0.01
    looks: int = 30


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    at_least_one(config, "batch_size", "width", "gc_images")
    for factor in config.factors:
        if round(config.batch_size / positive("--factors", factor)) < 1:
            raise ValueError(f"--factors must be at most --batch-size, {config.batch_size}, got {factor}")
    if len(set(config.factors)) < 2:
        raise ValueError(f"--factors must hold at least two numbers, got {config.factors}")
    classifiers.check(config)
    return {
        f"{sweep}-{place:02d}-{index:03d}": partial(
            trained, sweep, factor, f"{sweep}-{place:02d}-{index:03d}", index, config
        )
        for place, factor in enumerate(config.factors)
        for sweep in SWEEPS
        for index in range(config.seeds)
    }


def trained(sweep: str, factor: float, key: str, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    task = classifiers.Task(
        key,
        seed_of(STUDY.id, config.seed, index),
        config.step_size * (factor if sweep == "step_size" else 1.0),
        round(config.batch_size / (factor if sweep == "batch_size" else 1.0)),
        hidden=config.hidden,
        width=config.width,
        noise_of_gradients=True,
    )
    row = classifiers.trained(task, config)
    return [{"sweep": sweep, "factor": factor, "seed_index": index, **row, **regulariser(row)}]


def regulariser(row: Row) -> Row:
    """Return the two parts of (h/4) E|grad L_B|^2, means over training, by B15; what goes with h/B is the second."""
    h, b, n, square = row["step_size"], row["batch_size"], row["images"], row["gradient_square"]
    ratio = {"ratio": h / b}
    if square is None:
        return {**ratio, "regulariser_of_h": None, "regulariser_of_h_over_b": None}
    finite = (n - b) / (b * (n - 1)) if n > 1 else 0.0
    return {
        **ratio,
        "regulariser_of_h": h / 4 * square,
        "regulariser_of_h_over_b": h / 4 * finite * row["gradient_trace"],
    }


def fitting(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the networks that converged."""
    return rows[rows["outcome"] == "interpolated"]


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states of both sweeps, and its prediction on h/B, for the networks that converged."""
    fits, found = fitting(rows), []
    for sweep, (gc, accuracy) in {"step_size": ("falls", "rises"), "batch_size": ("rises", "falls")}.items():
        chosen, name = fits[fits["sweep"] == sweep], SWEEPS[sweep]
        found += [
            trend(chosen, f"GC {gc} with the {name}", setting=sweep, value="gc", direction=gc),  # type: ignore[arg-type]
            trend(
                chosen,
                f"test accuracy {accuracy} with the {name}",
                setting=sweep,
                value="test_accuracy",
                direction=accuracy,  # type: ignore[arg-type]
            ),
        ]
    both = fits.drop_duplicates(["step_size", "batch_size", "seed_index"])
    found.append(trend(both, "GC falls with h/B, both sweeps", setting="ratio", value="gc", direction="falls"))
    return found


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each setting: how many converge, and medians of these."""
    found = []
    for (sweep, _), group in rows.groupby(["sweep", "factor"], sort=True):
        fits = fitting(group)
        columns = ["epochs", "train_loss", "test_accuracy", "gc", "best_gc"]
        found.append(
            {
                "sweep": sweep,
                "h": group["step_size"].iloc[0],
                "B": group["batch_size"].iloc[0],
                "fit": f"{len(fits)}/{len(group)}",
                **fits[columns].astype(float).median().to_dict(),
                "part of h/B": part_of_ratio(fits).median(),
            }
        )
    return pd.DataFrame(found)


def part_of_ratio(fits: pd.DataFrame) -> pd.Series[float]:
    """Return for each network that converged the share of the regulariser that goes with h/B (B15)."""
    of_h, of_ratio = fits["regulariser_of_h"].astype(float), fits["regulariser_of_h_over_b"].astype(float)
    return of_ratio / (of_h + of_ratio)


def at_equal_ratio(rows: pd.DataFrame) -> pd.Series[float]:
    """Return GC with another step size over GC with another batch size, at equal h/B and seed, networks that converged."""
    fits = fitting(rows)
    fits = fits[fits["factor"] != 1].astype({"gc": float})
    # Equal to six digits: both are rounded, and a batch size also to a whole number, which may be too far.
    fits = fits.assign(ratio=[float(f"{ratio:.6g}") for ratio in fits["ratio"]])
    wide = fits.pivot_table(index=["ratio", "seed_index"], columns="sweep", values="gc").dropna()
    return wide["step_size"] / wide["batch_size"] if {*SWEEPS} <= set(wide.columns) else pd.Series(dtype=float)


def table(rows: pd.DataFrame) -> str:
    """Return trends, medians, and GC at equal h/B as text."""
    text = [
        trends_table(trends(rows)),
        "",
        medians(rows).to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
        "",
        "Networks that converged only. part of h/B: the share of (h/4) E|grad L_B|^2 that goes with h/B, which is",
        "(h/4) (N - B)/(B (N - 1)) tr Cov; the rest, (h/4)|grad L|^2, goes with h (B15). Means over looks, which are",
        "most frequent at the start of training.",
    ]
    ratio = at_equal_ratio(rows)
    if len(ratio):
        equal = ratio.groupby("ratio").agg(["median", "min", "max", "count"]).rename_axis("h/B").reset_index()
        text += [
            "",
            "GC with another step size over GC with another batch size, at equal h/B and seed; 1 if h/B alone decided:",
            equal.to_string(index=False, float_format="{:.4g}".format),
        ]
    return "\n".join(text)


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold, what part of the regulariser goes with h/B, and whether h/B alone says what GC is."""
    fits, ratio = fitting(rows), at_equal_ratio(rows)
    share = part_of_ratio(fits)
    parts = f" What goes with h/B is {share.min():.0%} to {share.max():.0%} of the regulariser." if len(fits) else ""
    equal = (
        f" At equal h/B the GC with another step size is {ratio.median():.2f} times that with another batch size (median of "
        f"{len(ratio)}, {ratio.min():.2f} to {ratio.max():.2f})."
        if len(ratio)
        else ""
    )
    return f"{len(fits)} of {len(rows)} networks converge. {tally(trends(rows))}.{parts}{equal}"


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the paper's Fig 4, GC and test accuracy against step size and batch size, and GC against h/B."""
    drawing, axes = axes_row(3, 4.4)
    fits = fitting(rows)
    for axis, sweep in zip(axes, SWEEPS, strict=False):
        chosen = fits[fits["sweep"] == sweep].astype({"gc": float, "test_accuracy": float})
        right = axis.twinx()
        right.spines["top"].set_visible(False)
        for side, column, colour in ((axis, "gc", BLUE), (right, "test_accuracy", ORANGE)):
            side.plot(chosen[sweep], chosen[column], "o", color=colour, markersize=3)
            middle = chosen.groupby(sweep)[column].median()
            side.plot(middle.index, middle, color=colour)
        axis.set(title=f"GC and test accuracy by {SWEEPS[sweep]}", xlabel=SWEEPS[sweep], xscale="log")
        levels = sorted(chosen[sweep].unique())
        axis.set_xticks(levels, [f"{level:g}" for level in levels])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_ylabel("GC", color=BLUE)
        right.set_ylabel("test accuracy", color=ORANGE)
    for sweep, colour in zip(SWEEPS, (GREEN, BLACK), strict=True):
        chosen = fits[fits["sweep"] == sweep]
        axes[2].semilogx(
            chosen["ratio"], chosen["gc"].astype(float), "o", color=colour, markersize=4, label=f"by {SWEEPS[sweep]}"
        )
    axes[2].set(title="GC against $h/B$", xlabel="$h/B$", ylabel="GC")
    label_log(axes[2].xaxis)
    legend_below(axes[2])
    first = rows.iloc[0]
    losses = fits["train_loss"].astype(float)
    ended = f", trained to losses of {losses.min():.2g} to {losses.max():.2g}" if len(fits) else ""
    drawing.suptitle(
        f"{first['network']} on {first['images']} images{ended} (points: networks, lines: medians)", fontsize=11
    )
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="gc_implicit",
    title="Geometric complexity against step size and batch size (dherin2022, Fig 4).",
    claims=("D21.b", "D21.c", "B15"),
    printed=(
        Printed("D21.c", "Fig 4, top", "the higher the learning rate, the higher the test accuracy and the lower the GC."),
        Printed("D21.c", "Fig 4, bottom", "the lower the batch size, the lower the GC and the higher the test accuracy."),
        Printed("D21.b", "section 5", "the pressure on GC depends on the implicit regularization rate h/B."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            size=100, test_size=100, hidden=(16,), batch_size=16, step_size=0.2, factors=(0.5, 1.0, 2.0), max_epochs=60,
            stop_loss=0.5, looks=3, gc_images=20, seeds=2,
        ),
        "paper": Config(
            data="cifar10", size=None, test_size=None, network="resnet18", step_size=0.05, batch_size=128, max_epochs=200,
            looks=40, gc_images=1000,
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
