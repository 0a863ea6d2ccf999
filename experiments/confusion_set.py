"""True labels beside a confusion set of random ones (neyshabur2017, Fig 3): `python -m experiments.confusion_set`.

Networks trained on the first images of a data set with their labels, and on more images with random labels, which are drawn
once for each seed and kept: all are without error on the same training set, and the more random labels there are, the less
they generalise. Margin and sharpness are those of the training set, whose labels are true; the margin over both sets is kept
too. Only networks without error on the training set that have reached the stopping loss are compared; without a confusion set
and with one of them networks are trained to a second stopping loss, to see what that changes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn

from experiments.engine.records import Row
from experiments.engine.settings import above_zero
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import capacity, classifiers, sharpness
from experiments.kit.capacity import MEASURES
from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, PURPLE, axes_grid, draw_medians, legend_below
from experiments.kit.sharpness import (
    LEVEL,
    RandomLabelSettings,
    at_both_stops,
    draw_curves,
    fitting,
    lost,
    of_stop,
    stopped,
)
from experiments.kit.trends import Trend, shown, tally, trend, trends_table
from numerics.capacity import margin


@dataclass(frozen=True)
class Config(RandomLabelSettings):
    """What is trained.

    Attributes:
        size: images to take both sets from, the first ones; all if not given.
        true_images: of the training set, with their labels; 10,000 in the paper.
        confusion: sizes of the confusion sets, whose labels are random.
        second_stop: another stopping loss, without a confusion set and with one of them; 0 for none.
        second_confusion: size of the confusion set that the second stop is for.
        seeds: networks of each setting; those of one seed start alike.
    """

    true_images: int = 400
    confusion: tuple[int, ...] = (0, 200, 400, 800, 1200)
    second_confusion: int = 400


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    sharpness.check(config)
    most = config.size or len(classifiers.loaded(config.data, config.data_dir).x_train)
    if len(config.confusion) < 2 or sorted(set(config.confusion)) != list(config.confusion) or config.confusion[0] < 0:
        raise ValueError(
            f"--confusion must hold at least two numbers from 0 on in increasing order, got {config.confusion}"
        )
    if config.true_images < 2 or config.true_images + config.confusion[-1] > most:
        raise ValueError(
            f"--true-images must be at least 2, and with the largest of --confusion at most the number of images, {most}, got "
            f"{config.true_images} and {config.confusion[-1]}"
        )
    above_zero(config, "stop_loss")
    cells = [(count, config.stop_loss) for count in config.confusion]
    if config.second_stop:
        above_zero(config, "second_stop")
        pair = (0, config.second_confusion)
        if config.second_stop == config.stop_loss or pair[1] == 0 or not set(pair) <= set(config.confusion):
            raise ValueError(
                "--second-stop must be another number than --stop-loss, and 0 and --second-confusion two of --confusion, got "
                f"{config.second_stop} and {config.second_confusion}"
            )
        cells += [(count, config.second_stop) for count in pair]
    return {
        key: partial(trained, count, stop, key, index, config)
        for index in range(config.seeds)
        for count, stop in cells
        for key in [f"{index:03d}-{count:05d}-{stop:g}".replace(".", "p")]
    }


def trained(count: int, stop: float, key: str, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    seed, true = seed_of(STUDY.id, config.seed, index), config.true_images
    given: Row = {
        "confusion": count,
        "true_images": true,
        "stop_loss": stop,
        "seed_index": index,
        "margin_of_both": None,
    }
    task = classifiers.Task(
        key,
        seed,
        config.step_size,
        config.batch_size,
        hidden=config.hidden,
        width=config.width,
        dropout=config.dropout,
        images=true + count,
        random_from=true,
        at_end=partial(measured, config=config, seed=seed),
    )
    row = classifiers.trained(task, replace(config, size=true + config.confusion[-1], stop_loss=stop))
    return [{**given, **capacity.DIVERGED, **sharpness.DIVERGED, **row}]


def measured(model: nn.Module, x: torch.Tensor, y: torch.Tensor, config: Config, seed: int) -> Row:
    """Return the columns on capacity and sharpness of a trained network, on the images with true labels."""
    own = x[: config.true_images], y[: config.true_images]
    return {
        **capacity.capacity_columns(model, *own),
        **sharpness.sharpness_columns(model, *own, config, seed),
        "margin_of_both": margin(model, x, y).value,
    }


def over_both(fits: pd.DataFrame) -> pd.DataFrame:
    """Return networks that fit, with the logarithms of their measures over the square of the margin of both sets too."""
    both = fits["margin_of_both"].astype(float)
    logs = 2 * (fits["margin"].astype(float) / both.where(both > 0)).map(math.log, na_action="ignore")
    return fits.assign(
        test_error=1 - fits["test_accuracy"], **{f"both_{name}": fits[f"log_{name}"] + logs for name in MEASURES}
    )


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states of Fig 3: error, norms, and the divergence at an expected sharpness grow."""
    fits = over_both(fitting(of_stop(rows)))
    grows = partial(trend, fits, setting="confusion", direction="rises")
    found = [grows("test error grows", value="test_error")]
    found += [grows(f"{name} over the margin grows", value=f"log_{key}") for key, name in MEASURES.items()]
    found += [
        grows(f"{name} over the margin of both sets grows", value=f"both_{key}") for key, name in MEASURES.items()
    ]
    says = f"divergence at expected sharpness {LEVEL} grows"
    found.append(grows(says, value="divergence_at_level"))
    says = f"divergence at {LEVEL} rises with the test error"
    found.append(trend(fits, says, setting="test_error", value="divergence_at_level", direction="rises"))
    return found


def of_sharpness(rows: pd.DataFrame) -> str:
    """Return in a sentence whether max sharpness grows, which the paper does not state."""
    says = "max sharpness grows"
    one = trend(fitting(of_stop(rows)), says, setting="confusion", value="max_sharpness", direction="rises")
    return (
        f"Of max sharpness the paper says that it 'has a poor behavior'; that it grows: {one.verdict} (tau_b {shown(one.tau)}, "
        f"p {one.p:.2g})."
    )


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each size of the confusion set: how many fit, and medians of these; measures as powers of ten."""
    found = []
    for count, group in rows.groupby("confusion", sort=True):
        fits = over_both(fitting(group))
        value = fits["divergence_at_level"].median()
        found.append(
            {
                "confusion": count,
                "fit": f"{len(fits)}/{len(group)}",
                "epochs": fits["epochs"].median(),
                "test error": fits["test_error"].median(),
                "margin": fits["margin"].astype(float).median(),
                "of both": fits["margin_of_both"].astype(float).median(),
                **{name: fits[f"log_{key}"].median() / math.log(10) for key, name in MEASURES.items()},
                "sharpness": fits["max_sharpness"].median(),
                "divergence": math.log10(value) if value > 0 else math.nan,
            }
        )
    return pd.DataFrame(found)


def table(rows: pd.DataFrame) -> str:
    """Return trends, medians, and what the second stop changes as text."""
    first, others = of_stop(rows), of_stop(rows, second=True)
    text = [
        trends_table(trends(rows)),
        "",
        of_sharpness(rows),
        "",
        medians(first).to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
        "",
        f"{stopped(first)} {lost(first)}.",
        f"All have the same {first['true_images'].iloc[0]} images with true labels; grows: with the confusion set. Medians of",
        "networks that fit the training set. Norms over margin squared, without factors in depth and width, and divergence, at",
        f"expected sharpness {LEVEL}, as powers of ten. Max sharpness is a lower bound on the maximum.",
    ]
    if len(others):
        values = (0, int(others["confusion"].max()))
        text += [
            "",
            f"What the stopping loss changes: with a confusion set of {values[1]} over without one, of sharpness the",
            "difference (medians over seeds):",
            at_both_stops(rows, "confusion", values, ["seed_index"]),
        ]
    return "\n".join(text)


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}. {of_sharpness(rows)} {lost(rows)}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw Fig 3: errors, measures over those without a confusion set, and expected sharpness against divergence."""
    drawing, axes = axes_grid(3, 3, 4.4)
    first = of_stop(rows)
    fits = over_both(fitting(first))
    train = first.assign(error=1 - first["train_accuracy"].astype(float))
    for found, column, label, colour in (
        (train, "error", "training (both sets)", BLUE),
        (fits, "test_error", "test", ORANGE),
    ):
        draw_medians(axes[0], found["confusion"], found[column], colour, label)
    axes[0].set(title="Error", xlabel="confusion set", ylim=(-0.03, 1))
    legend_below(axes[0])
    start = fits[fits["confusion"] == fits["confusion"].min()].set_index("seed_index")
    logs = {**{f"log_{key}": name for key, name in MEASURES.items()}, "max_sharpness": "max sharpness"}
    for (column, name), colour in zip(logs.items(), (BLUE, GREEN, PURPLE, BLACK, ORANGE), strict=True):
        relative = [
            math.exp(value - start[column].get(index, math.nan))
            if column != "max_sharpness"
            else value / start[column].get(index, math.nan)
            for value, index in zip(fits[column], fits["seed_index"], strict=True)
        ]
        draw_medians(axes[1], fits["confusion"], pd.Series(relative, index=fits.index), colour, name)
    axes[1].set(title="Measures, over those without a confusion set", xlabel="confusion set", yscale="log")
    legend_below(axes[1], 3)
    draw_curves(axes[2], fits, "confusion", "by confusion set")
    one = first.iloc[0]
    drawing.suptitle(
        f"{one['network']} ({one['parameters']:,} parameters), {one['true_images']} true labels, trained to a loss of "
        f"{one['stop_loss']:g} (points: networks, lines: medians)",
        fontsize=11,
    )
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="confusion_set",
    title="Capacity and sharpness with a confusion set of random labels (neyshabur2017, Fig 3).",
    claims=(),
    printed=(
        Printed(None, "section 3, Fig 3, left", "zero training error; the test error increases with the confusion set."),
        Printed(None, "section 3, Fig 3, middle", "the norms can be predictive of generalization; sharpness is not."),
        Printed(None, "section 3, Fig 3, right", "for a fixed expected sharpness, higher test error has higher norm."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            data="mnist", shrink=4, network="mlp", hidden=(16,), true_images=16, confusion=(0, 8, 16), second_confusion=8,
            test_size=50, batch_size=8, max_epochs=60, step_size=0.1, stop_loss=0.15, second_stop=0.5, ascent_steps=5, draws=3,
            seeds=1,
        ),
        "paper": Config(
            test_size=None, shrink=1, width=64, true_images=10_000, confusion=(0, 1000, 2000, 5000, 10_000, 20_000),
            max_epochs=500, stop_loss=1e-4, second_stop=1e-2, second_confusion=10_000, ascent_steps=2000, draws=1000,
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
