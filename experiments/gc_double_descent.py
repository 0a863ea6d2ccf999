"""Width against geometric complexity and test loss (dherin2022, Fig 5): `python -m experiments.gc_double_descent`.

Networks of growing width on training images with wrong labels among them, each for the same number of epochs. Whether GC
and test loss peak where a network first fits its labels is asked on both sides of that width; whether test loss is a U of
GC on both sides of the GC that is best for the other seeds, so that no seed chooses its own split.
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
from experiments.engine.settings import at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import BLACK, BLUE, GREY, ORANGE, axes_row, draw_medians, label_log, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table
from theory.checks import share

FITS = 0.99
"""The training accuracy, wrong labels included, from which a network counts as fitting its labels."""

DEGREE = 6
"""Of the polynomial that the paper fits to test loss against GC."""


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained.

    Attributes:
        network: mlp, with one hidden layer, resnet18, or vgg.
        widths: hidden units of the MLP, channels of the stem of the ResNet-18, or of the first stack of the VGG.
        noise: share of the training labels that are wrong, others at random, drawn once for each seed.
        seeds: networks of each width.
        seed: changes all initialisations, batches and wrong labels; any integer.
    """

    size: int | None = 500
    widths: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 24, 64, 256)
    noise: float = 0.2
    max_epochs: int = 300
    looks: int = 10
    gc_images: int = 500


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    share("--noise", config.noise)
    at_least_one(config, "gc_images")
    if len(set(config.widths)) < max(2, len(config.widths)) or min(config.widths) < 1:
        raise ValueError(f"--widths must hold at least two numbers above 0, each once, got {config.widths}")
    classifiers.check(config)
    return {
        f"{width:05d}-{index:03d}": partial(trained, width, index, config)
        for width in config.widths
        for index in range(config.seeds)
    }


def trained(width: int, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    task = classifiers.Task(
        f"{width:05d}-{index:03d}",
        seed_of(STUDY.id, config.seed, index),
        config.step_size,
        config.batch_size,
        hidden=(width,),
        width=width,
        noise=config.noise,
    )
    return [{"width": width, "noise": config.noise, "seed_index": index, **classifiers.trained(task, config)}]


def measured(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the networks that did not diverge, their measures as floats."""
    found = rows[rows["gc"].notna()]
    return found.astype(dict.fromkeys(("gc", "test_loss", "test_accuracy", "train_accuracy"), float))


def threshold(rows: pd.DataFrame) -> int | None:
    """Return the smallest width whose networks fit their labels in the median, None if none does."""
    fits = measured(rows).groupby("width")["train_accuracy"].median()
    widths = fits.index[fits >= FITS]
    return int(widths[0]) if len(widths) else None


def beside_best(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the networks of less and of more GC than the network of the other seeds with the least test loss."""
    less, more = [], []
    for index, group in rows.groupby("seed_index"):
        others = rows[rows["seed_index"] != index]
        if others.empty:
            continue
        best = float(others["gc"].to_numpy()[int(np.argmin(others["test_loss"]))])
        less.append(group[group["gc"] <= best])
        more.append(group[group["gc"] >= best])
    empty = rows.iloc[:0]
    return pd.concat([empty, *less]), pd.concat([empty, *more])


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states: GC and test loss peak at the threshold, and test loss is a U of GC."""
    found, at, good = [], threshold(rows), measured(rows)
    if at is not None:
        before, beyond = good[good["width"] <= at], good[good["width"] >= at]
        found += [
            trend(before, f"GC rises with the width up to {at}", setting="width", value="gc", direction="rises"),
            trend(beyond, f"GC falls with the width from {at} on", setting="width", value="gc", direction="falls"),
            trend(before, f"test loss rises up to {at}", setting="width", value="test_loss", direction="rises"),
            trend(beyond, f"test loss falls from {at} on", setting="width", value="test_loss", direction="falls"),
        ]
    less, more = beside_best(good)
    found += [
        trend(less, "test loss falls with GC below the best GC", setting="gc", value="test_loss", direction="falls"),
        trend(more, "test loss rises with GC above the best GC", setting="gc", value="test_loss", direction="rises"),
    ]
    return found


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the medians over seeds for each width."""
    columns = ["parameters", "train_accuracy", "train_loss", "test_loss", "test_accuracy", "gc"]
    return rows.astype(dict.fromkeys(columns, float)).groupby("width")[columns].median().reset_index()


def peak(rows: pd.DataFrame, column: str) -> int:
    """Return the width at which the median over seeds of a column is largest."""
    found = measured(rows).groupby("width")[column].median()
    return int(found.index[int(np.argmax(found))])


def table(rows: pd.DataFrame) -> str:
    """Return trends and medians as text."""
    at = threshold(rows)
    said = (
        f"The labels are fitted (median training accuracy of at least {FITS:.0%}) from width {at} on, which is on both sides."
        if at is not None
        else f"No width fits its labels (median training accuracy of at least {FITS:.0%}): no peak can be looked for."
    )
    return "\n".join(
        [trends_table(trends(rows)), "", medians(rows).to_string(index=False, float_format="{:.4g}".format), "", said]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold, and where GC and test loss are largest."""
    at = threshold(rows)
    lost = int(rows["gc"].isna().sum())
    fitted = f"the labels are fitted from width {at} on" if at is not None else "no width fits the labels"
    return (
        f"{tally(trends(rows))}. GC is largest at width {peak(rows, 'gc')}, test loss at width {peak(rows, 'test_loss')} "
        f"(medians); {fitted}. {lost} of {len(rows)} networks diverge."
    )


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the paper's Fig 5: GC and test loss against width, and test loss against GC, of all and averaged over seeds."""
    drawing, axes = axes_row(3, 4.4)
    good, at = measured(rows), threshold(rows)
    right = axes[0].twinx()
    right.spines["top"].set_visible(False)
    for axis, column, colour in ((axes[0], "gc", BLUE), (right, "test_loss", ORANGE)):
        draw_medians(axis, good["width"], good[column], colour)
    if at is not None:
        axes[0].axvline(at, color=GREY, linestyle=":")
    axes[0].set(title="By width (dotted: labels fitted)", xlabel="width", xscale="log")
    label_log(axes[0].xaxis)
    axes[0].set_ylabel("GC", color=BLUE)
    right.set_ylabel("test loss", color=ORANGE)
    _draw_against(axes[1], good, "Test loss against GC, all networks")
    _draw_against(axes[2], good.groupby("width")[["gc", "test_loss"]].mean(), "Averaged over seeds", "a width")
    first = rows.iloc[0]
    drawing.suptitle(
        f"{first['network']} on {first['images']} images, {first['noise']:.0%} of the labels wrong "
        "(left: points are networks, lines medians)",
        fontsize=11,
    )
    return drawing


def _draw_against(axis: Axes, points: pd.DataFrame, title: str, each: str = "a network") -> None:
    """Draw test loss against GC, with a polynomial of the paper's degree in log GC where there are points enough.

    Networks that have become constant on the training images, of GC 0, have no place on the axis.
    """
    constant = int((points["gc"] == 0).sum())
    points = points[points["gc"] > 0]
    label = f"{each} ({constant} of GC 0 not drawn)" if constant else each
    axis.semilogx(points["gc"], points["test_loss"], "o", color=BLUE, markersize=4, label=label)
    label_log(axis.xaxis)
    logs = np.log(points["gc"].to_numpy(np.float64))
    if len(points) > DEGREE + 1:
        fitted = np.polynomial.Polynomial.fit(logs, points["test_loss"].to_numpy(np.float64), DEGREE)
        t = np.linspace(logs.min(), logs.max(), 200)
        axis.plot(np.exp(t), fitted(t), color=BLACK, linewidth=1, label=f"degree {DEGREE} in log GC")
    axis.set(title=title, xlabel="GC", ylabel="test loss")
    legend_below(axis)


CPU = Config()

STUDY: Study[Config] = Study(
    id="gc_double_descent",
    title="Width, geometric complexity and test loss with wrong labels (dherin2022, Fig 5).",
    claims=(),
    printed=(
        Printed(None, "section 6, Fig 5, left", "like the test loss, GC follows a double descent curve as width increases."),
        Printed(None, "section 6, Fig 5, right", "test loss against GC is U-shaped, by a polynomial of degree 6."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            size=80, test_size=100, widths=(1, 4, 32), max_epochs=40, batch_size=20, looks=2, gc_images=20, seeds=2
        ),
        "paper": Config(
            data="cifar10", size=None, test_size=None, network="resnet18",
            widths=(1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64), step_size=0.05, batch_size=128, max_epochs=500,
            looks=50, gc_images=1000,
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
