"""Winsorised gradient descent on noisy labels (walker2023, section 5.5): `python -m experiments.winsorized`.

Networks trained on images of which a share has wrong labels, drawn once, by SGD along the winsorised mean of the gradients of
each batch, and along the median of means. A winsorised mean is shorter than a mean, so each level has the step size, of a few,
whose network is best on validation images; what it ends in is measured on test images.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import BLUE, GREEN, ORANGE, PURPLE, axes_grid, draw_medians, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table
from numerics.optimisers import MedianOfMeansSGD, WinsorizedSGD
from numerics.training.modules import Stepper, train_module

COLOURS = (BLUE, GREEN, PURPLE, ORANGE)

MEDIAN = "median of means"


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained.

    Attributes:
        size: training images, the first ones.
        test_size: images beside them, the first half for validation, the second for the test.
        hidden: units of each hidden layer of an MLP.
        noises: shares of the training images that have wrong labels; 0 and others in increasing order.
        levels: of winsorisation, c, from 0, which is SGD, in increasing order up to 50, the median.
        groups: of the median of means; divides the images of a batch.
        step_sizes: the step sizes of which each network takes the one that is best on validation images.
        seeds: networks of each setting; those of one seed start alike.
    """

    data: classifiers.Data = "mnist"
    size: int = 500
    test_size: int = 4000
    hidden: tuple[int, ...] = (16,)
    noises: tuple[float, ...] = (0.0, 0.4)
    levels: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0, 40.0)
    groups: int = 5
    step_sizes: tuple[float, ...] = (0.1, 0.5, 2.0)
    batch_size: int = 50
    max_epochs: int = 40
    looks: int = 6
    seeds: int = 6


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network and level, which tries all step sizes.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    classifiers.check(config)
    at_least_one(config, "groups")
    for option, values, most in (("--noises", config.noises, 1.0), ("--levels", config.levels, 50.0)):
        if len(values) < 2 or sorted(set(values)) != list(values) or values[0] != 0 or not values[-1] <= most:
            raise ValueError(f"{option} must hold 0 and others in increasing order up to {most:g}, got {values}")
    if not config.step_sizes or not all(0 < step < math.inf for step in config.step_sizes):
        raise ValueError(f"--step-sizes must hold numbers above 0, got {config.step_sizes}")
    if config.size % config.batch_size or config.batch_size % config.groups or config.groups < 2:
        raise ValueError(
            "--batch-size must divide --size, and --groups, at least 2, divide --batch-size, got "
            f"{config.batch_size}, {config.size} and {config.groups}"
        )
    if config.test_size is None or config.test_size < 2:
        raise ValueError(f"--test-size must be at least 2, for validation and test, got {config.test_size}")
    above_zero(config, "step_size")
    ways = [*(f"{level:g}" for level in config.levels), MEDIAN]
    return {
        f"{index:03d}-{noise:g}-{way}".replace(".", "p").replace(" ", "-"): partial(best, way, noise, index, config)
        for index in range(config.seeds)
        for noise in config.noises
        for way in ways
    }


def stepper_of(way: str, config: Config) -> Stepper:
    """Return what makes the optimiser of a way: a level, or the median of means."""
    if way == MEDIAN:
        return partial(MedianOfMeansSGD, groups=config.groups)
    return partial(WinsorizedSGD, level=float(way))


def best(way: str, noise: float, index: int, config: Config) -> list[Row]:
    """Train a network with each step size, and return a row for each; "chosen" is the best one on validation images.

    The best network of a run is that of its best look on validation images; its accuracy on test images is "best_test".
    """
    seed = seed_of(STUDY.id, config.seed, index)
    rows = [trained(way, noise, step, seed, config) for step in config.step_sizes]
    last = max(range(len(rows)), key=lambda place: (rows[place]["validation_accuracy"] or 0.0, -place))
    return [
        {
            "way": way,
            "level": 50.0 if way == MEDIAN else float(way),
            "winsorised": way != MEDIAN,
            "noise": noise,
            "seed_index": index,
            "seed": seed,
            "chosen": place == last,
            **row,
        }
        for place, row in enumerate(rows)
    ]


def trained(way: str, noise: float, step_size: float, seed: int, config: Config) -> Row:
    """Train a network, and return what it ends in."""
    data, labels = classifiers.classes(config), classifiers.label_count(config)
    clean = data.y_train
    y = classifiers.with_wrong_labels(clean, noise, labels, seed) if noise else clean
    wrong, half = y != clean, len(data.y_test) // 2
    task = classifiers.Task("", seed, step_size, config.batch_size, hidden=config.hidden, width=64)
    model = classifiers.network(task, config, data.x_train, labels)
    per_epoch = len(y) // config.batch_size

    def measure(net: nn.Module) -> dict[str, float]:
        if not all(bool(torch.isfinite(p).all()) for p in net.parameters()):
            return {"validation_accuracy": 0.0, "test_accuracy": 0.0}
        return {
            "validation_accuracy": classifiers.on(net, data.x_test[:half], data.y_test[:half])[1],
            "test_accuracy": classifiers.on(net, data.x_test[half:], data.y_test[half:])[1],
        }

    epochs = sorted({int(epoch) for epoch in np.geomspace(1, config.max_epochs, config.looks).round()})
    run = train_module(
        model,
        data.x_train,
        y,
        step_size=step_size,
        max_steps=config.max_epochs * per_epoch,
        batch_size=config.batch_size,
        optimiser=stepper_of(way, config),
        seed=seed,
        measure=measure,
        measure_at=[epoch * per_epoch for epoch in epochs],
    )
    model.eval()
    last = measure(model)
    finite = all(bool(torch.isfinite(p).all()) for p in model.parameters())
    looks = [*run.records, {"step": run.steps, **last}]
    look = max(looks, key=lambda entry: (entry["validation_accuracy"], -entry["step"]))
    given: Row = {
        "step_size": step_size, "epochs": run.steps / per_epoch, "outcome": str(run.outcome), "train_seconds": run.seconds,
        "images": len(y), "parameters": sum(p.numel() for p in model.parameters()),
        "best_validation": look["validation_accuracy"], "best_test": look["test_accuracy"],
        "best_epoch": look["step"] / per_epoch,
        **dict.fromkeys(("train_loss", "train_accuracy", "clean_accuracy", "fitted_noise")),
        **dict.fromkeys(("validation_accuracy", "test_accuracy")),
    }  # fmt: skip
    if not finite:
        return given
    loss, accuracy = classifiers.on(model, data.x_train, y)
    noisy = classifiers.on(model, data.x_train[wrong], y[wrong])[1] if bool(wrong.any()) else None
    right = classifiers.on(model, data.x_train[~wrong], y[~wrong])[1]
    return {
        **given,
        "train_loss": loss,
        "train_accuracy": accuracy,
        "clean_accuracy": right,
        "fitted_noise": noisy,
        **last,
    }


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the report states, and what its words lead one to expect, of networks with their best step size."""
    chosen = rows[rows["chosen"]]
    chosen = chosen.assign(median=(chosen["way"] == MEDIAN).astype(float))
    levels, medians = chosen[chosen["winsorised"]], chosen[(chosen["way"] == MEDIAN) | (chosen["level"] == 0)]
    noisy, mixed = levels[levels["noise"] > 0], medians[medians["noise"] > 0]
    by_level, by_median = (partial(trend, setting=setting, within="noise") for setting in ("level", "median"))
    test = partial(by_level, value="test_accuracy", direction="rises")
    training = partial(by_level, value="train_accuracy", direction="falls")
    return [
        by_level(noisy, "fewer wrong labels are fitted the higher the level", value="fitted_noise", direction="falls"),
        test(noisy, "wrong labels: test accuracy rises with the level"),
        test(noisy[noisy["level"] <= 10], "wrong labels: test accuracy rises up to level 10"),
        by_level(noisy, "wrong labels: so does that of the best look", value="best_test", direction="rises"),
        test(levels[levels["noise"] == 0], "right labels: test accuracy rises with the level"),
        training(levels, "training accuracy falls with the level"),
        training(levels[levels["level"] >= 10], "training accuracy falls beyond level 10"),
        by_median(mixed, "median of means: fits fewer wrong labels than SGD", value="fitted_noise", direction="falls"),
        by_median(mixed, "median of means: more test accuracy, wrong labels", value="test_accuracy", direction="rises"),
    ]


SHOWN = {
    "step_size": "step size", "train_accuracy": "train acc", "clean_accuracy": "right labels", "fitted_noise": "wrong labels",
    "test_accuracy": "test acc", "best_test": "at best look", "best_epoch": "epoch of it",
}  # fmt: skip
"""What the table shows of a setting, and how it calls it."""


def medians(rows: pd.DataFrame) -> str:
    """Return medians over seeds by noise and way as text."""
    parts = []
    for (noise, _, way), group in rows[rows["chosen"]].groupby(["noise", "level", "way"], sort=True):
        values = group[list(SHOWN)].astype(float).median()
        name = f"c = {way}" if way != MEDIAN else way
        parts.append({"wrong": f"{noise:.0%}", "way": name, **{SHOWN[key]: values[key] for key in SHOWN}})
    return pd.DataFrame(parts).to_string(index=False, float_format="{:.3g}".format, na_rep="-")


def table(rows: pd.DataFrame) -> str:
    """Return trends and medians as text."""
    lost = int((rows["outcome"] == "diverged").sum())
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            medians(rows),
            "",
            "Medians over seeds, of the step size that is best on validation images at the end, of "
            f"{rows['step_size'].nunique()}; "
            f"{lost} of {len(rows)} runs diverged.",
            "wrong: the share of training images with a wrong label. right, wrong labels: accuracy on training images whose",
            "labels are right, and share of the wrong labels that are fitted. at best look: test accuracy where validation",
            "accuracy is best in training.",
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw what networks fit, and how well they do on test images, by level of winsorisation."""
    drawing, axes = axes_grid(4, 4, 4.0)
    chosen = rows[rows["chosen"]]
    noises = sorted(chosen["noise"].unique())
    panels = (
        ("train_accuracy", "(a) Accuracy on training labels"),
        ("fitted_noise", "(b) Share of wrong labels that are fitted"),
        ("test_accuracy", "(c) Test accuracy at the end"),
        ("best_test", "(d) Test accuracy at the best look"),
    )
    for axis, (column, title) in zip(axes, panels, strict=True):
        for noise, colour in zip(noises, COLOURS, strict=False):
            if column == "fitted_noise" and noise == 0:
                continue
            group = chosen[chosen["noise"] == noise]
            group, median = group[group["winsorised"]], group[group["way"] == MEDIAN]
            draw_medians(axis, group["level"], group[column], colour, f"{noise:.0%} wrong labels")
            axis.plot([55] * len(median), median[column].astype(float), "D", color=colour, markersize=4, alpha=0.6)
        axis.set(title=title, xlabel="level c (diamonds: median of means)", ylim=(None, 1.02))
        legend_below(axis)
    first = rows.iloc[0]
    drawing.suptitle(
        f"{first['images']} images, {first['parameters']:,} parameters, best of {rows['step_size'].nunique()} step sizes on "
        "validation images (points: networks, lines: medians)",
        fontsize=11,
    )
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="winsorized",
    title="Winsorised gradient descent and the median of means on wrong labels (walker2023, section 5.5).",
    claims=(),
    printed=(
        Printed(None, "section 5.5", "suppressing weak directions should lead to less over-fitting and better generalization."),
        Printed(None, "section 5.5.1", "at higher levels training accuracy is observed to fall after a certain point."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            shrink=4, size=20, test_size=40, hidden=(8,), batch_size=10, max_epochs=4, looks=2, noises=(0.0, 0.4),
            levels=(0.0, 10.0, 40.0), step_sizes=(0.1, 0.5), seeds=1,
        ),
        "paper": Config(size=5000, test_size=10_000, hidden=(512,), noises=(0.0, 0.1, 0.2, 0.4, 0.6), max_epochs=100, seeds=10),
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
