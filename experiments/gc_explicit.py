"""Explicit regularisation against geometric complexity (dherin2022, Fig 3, SM C.4): `python -m experiments.gc_explicit`.

Classifiers trained with five regularisers, each at several strengths: lambda |theta|^2 (biases included), (lambda/2) sum
sigma_max(W)^2, lambda |grad L_B|^2, lambda GC on the batch, and wrong labels, a share of them drawn once, or anew in every
step with that chance. GC is measured where the test accuracy is best, as in the paper, and at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch.nn import functional

from experiments.engine.records import Row
from experiments.engine.settings import at_least_one
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import BLUE, ORANGE, axes_grid, label_log, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table
from numerics.geometric_complexity.penalties import (
    flatness_penalty,
    geometric_complexity_penalty,
    spectral_penalty,
    squared_norm_penalty,
)
from numerics.training.modules import Term
from theory.checks import positive

Regulariser = Literal["l2", "spectral", "flatness", "gc", "noise_fixed", "noise_fresh"]

NAMES: Mapping[str, str] = {
    "l2": "L2",
    "spectral": "spectral",
    "flatness": "flatness",
    "gc": "explicit GC",
    "noise_fixed": "wrong labels, fixed",
    "noise_fresh": "wrong labels, fresh",
}

STRENGTHS: Mapping[str, tuple[float, ...]] = {
    "l2": (1e-4, 3e-4, 1e-3, 3e-3),
    "spectral": (1e-3, 3e-3, 1e-2, 3e-2),
    "flatness": (1e-3, 1e-2, 3e-2, 1e-1),
    "gc": (1e-5, 1e-4, 1e-3, 1e-2),
    "noise_fixed": (0.05, 0.1, 0.2, 0.4),
    "noise_fresh": (0.05, 0.1, 0.2, 0.4),
}
"""What is tried beside no regularisation: lambda, or the share of wrong labels. The paper prints no values."""

PENALTIES: Mapping[str, Callable[..., Term]] = {
    "l2": lambda strength: lambda model, x, y: strength * squared_norm_penalty(model),
    "spectral": lambda strength: lambda model, x, y: strength * spectral_penalty(model),
    "flatness": lambda strength: lambda model, x, y: strength * flatness_penalty(model, x, y, functional.cross_entropy),
    "gc": lambda strength: (
        lambda model, x, y: strength * geometric_complexity_penalty(model, x, stored_statistics=True)
    ),
}


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained.

    Attributes:
        network: mlp, with the hidden layers below, or resnet18 or vgg, of the width below.
        hidden: units of each hidden layer of an MLP.
        width: channels of the stem of a ResNet-18, or of the first stack of a VGG, 64 in the standard ones.
        regularisers: which are tried: l2, spectral, flatness, gc, noise_fixed, noise_fresh.
        strengths: how many strengths of each, the largest ones, beside none at all; at most 4.
    """

    hidden: tuple[int, ...] = (64, 64)
    width: int = 64
    regularisers: tuple[Regulariser, ...] = get_args(Regulariser)
    strengths: int = 4


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    at_least_one(config, "width", "strengths", "gc_images")
    chosen = config.regularisers
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(NAMES):
        raise ValueError(
            f"--regularisers must name some of {', '.join(NAMES)}, each once, got {' '.join(chosen) or 'none'}"
        )
    if config.strengths > 4:
        raise ValueError(f"--strengths must be at most 4, got {config.strengths}")
    classifiers.check(config)
    cells = [("none", 0.0), *((kind, value) for kind in chosen for value in STRENGTHS[kind][-config.strengths :])]
    return {
        key: partial(trained, kind, strength, key, index, config)
        for kind, strength in cells
        for index in range(config.seeds)
        for key in [f"{kind}-{strength:g}-{index:03d}".replace(".", "p")]
    }


def trained(kind: str, strength: float, key: str, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    task = classifiers.Task(
        key,
        seed_of(STUDY.id, config.seed, index),
        config.step_size,
        config.batch_size,
        hidden=config.hidden,
        width=config.width,
        penalties=[PENALTIES[kind](positive("strength", strength))] if kind in PENALTIES else [],
        relabel=classifiers.freshly_wrong(strength, classifiers.label_count(config)) if kind == "noise_fresh" else None,
        noise=strength if kind == "noise_fixed" else 0.0,
    )
    return [{"regulariser": kind, "strength": strength, "seed_index": index, **classifiers.trained(task, config)}]


def of(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the networks of a regulariser that did not diverge, those without any among them."""
    found = rows[rows["regulariser"].isin([kind, "none"]) & rows["gc"].notna()]
    return found.astype(dict.fromkeys(("gc", "best_gc", "test_accuracy", "best_test_accuracy", "train_loss"), float))


def kinds(rows: pd.DataFrame) -> list[str]:
    """Return the regularisers in rows."""
    return [kind for kind in NAMES if (rows["regulariser"] == kind).any()]


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the paper states: GC falls with each strength, and with explicit GC test accuracy rises (SM C.4)."""
    found = []
    for kind in kinds(rows):
        for column, when in (("best_gc", "at best accuracy"), ("gc", "at the end")):
            says = f"GC {when} falls with {NAMES[kind]}"
            found.append(trend(of(rows, kind), says, setting="strength", value=column, direction="falls"))
    if "gc" in kinds(rows):
        says = "best test accuracy rises with explicit GC"
        found.append(trend(of(rows, "gc"), says, setting="strength", value="best_test_accuracy", direction="rises"))
    return found


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each regulariser and strength, medians over the networks that did not diverge."""
    found = []
    for (kind, strength), group in rows.groupby(["regulariser", "strength"], sort=False):
        good = group[group["gc"].notna()]
        columns = ["best_gc", "gc", "best_test_accuracy", "test_accuracy", "best_epoch", "train_loss"]
        values = good[columns].astype(float).median().to_dict()
        found.append({"regulariser": kind, "strength": f"{strength:g}", "runs": f"{len(good)}/{len(group)}", **values})
    return pd.DataFrame(found)


def table(rows: pd.DataFrame) -> str:
    """Return trends and medians as text."""
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            medians(rows).to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
            "",
            "best: at the look with the best test accuracy, the first of equal ones; where best_epoch falls with the strength,",
            "GC there is that of a shorter training, too. runs: those that did not diverge.",
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    lost = int(rows["gc"].isna().sum())
    return f"{tally(trends(rows))}. {lost} of {len(rows)} networks diverge."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the paper's Fig 3: GC against the strength of each regulariser, at best test accuracy and at the end."""
    tried = kinds(rows)
    drawing, axes = axes_grid(len(tried), 3, 3.6)
    for axis, kind in zip(axes, tried, strict=True):
        axis.sharey(axes[0])
        _draw(axis, of(rows, kind), kind)
    first = rows.iloc[0]
    drawing.suptitle(f"{first['network']} on {first['images']} images (points: networks, lines: medians)", fontsize=11)
    return drawing


def _draw(axis: Axes, found: pd.DataFrame, kind: str) -> None:
    """Draw GC against the strengths, one place each."""
    levels = sorted(found["strength"].unique())
    places = np.array([levels.index(strength) for strength in found["strength"]])
    for column, label, colour in (("best_gc", "at best test accuracy", BLUE), ("gc", "at the end", ORANGE)):
        axis.semilogy(places, found[column], "o", color=colour, markersize=4, alpha=0.6)
        middle = found.groupby("strength")[column].median()
        axis.semilogy(range(len(levels)), middle.loc[levels], color=colour, label=label)
    axis.set_xticks(range(len(levels)), [f"{level:g}" for level in levels])
    axis.set(title=NAMES[kind], xlabel="$\\lambda$" if kind in PENALTIES else "share of wrong labels", ylabel="GC")
    label_log(axis.yaxis)
    legend_below(axis)


CPU = Config()

STUDY: Study[Config] = Study(
    id="gc_explicit",
    title="Geometric complexity against explicit regularisation (dherin2022, Fig 3).",
    claims=("D17", "D17.a", "D18", "D18.a", "D19", "D10"),
    printed=(
        Printed("D17", "Fig 3, left", "strengthening L2 regularization coincides with a decrease in GC."),
        Printed("D18", "Fig 3, left", "GC decreases as the strength of spectral regularization increases."),
        Printed("D10", "Fig 3, left", "GC decreases as the strength of flatness regularization increases."),
        Printed("D19", "Fig 3, middle and right", "GC falls as the proportion of label noise increases."),
        Printed(None, "section 4, SM C.4", "with explicit GC regularisation test accuracy increases and GC decreases."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            size=60, test_size=60, hidden=(12,), strengths=1, max_epochs=6, batch_size=20, looks=2, gc_images=20, seeds=2
        ),
        "paper": Config(
            data="cifar10", size=None, test_size=None, network="resnet18", step_size=0.05, batch_size=128, max_epochs=100,
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
