"""Coherence of the gradients in training (walker2023, section 5): `python -m experiments.coherence`.

Networks trained on images of which a share has random labels, drawn once. At a few moments: the coherence of the gradients,
from all examples and from batches at fixed weights (Theorem 5.6), of the half of the images that is learned first and of the
other; the gradient noise scale; and the loss on images that were not trained on.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import alignment, classifiers
from experiments.kit.alignment import AlignmentSettings, above, medians, over_training
from experiments.kit.plotting import BLUE, GREEN, ORANGE, PURPLE, axes_grid, draw_medians, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table

COLOURS = (BLUE, GREEN, PURPLE, ORANGE)


@dataclass(frozen=True)
class Config(AlignmentSettings):
    """What is trained.

    Attributes:
        shares: of the training images, that have random labels; 0 and others in increasing order.
    """

    shares: tuple[float, ...] = (0.0, 0.5, 1.0)


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    alignment.check(config)
    if (
        len(config.shares) < 2
        or sorted(set(config.shares)) != list(config.shares)
        or not all(0 <= s <= 1 for s in config.shares)
    ):
        raise ValueError(
            f"--shares must hold at least two numbers from 0 to 1 in increasing order, got {config.shares}"
        )
    return {
        f"{index:03d}-{share:g}".replace(".", "p"): partial(trained, share, index, config)
        for index in range(config.seeds)
        for share in config.shares
    }


def trained(share: float, index: int, config: Config) -> list[Row]:
    """Train a network, and return a row for each moment."""
    seed = seed_of(STUDY.id, config.seed, index)
    found = alignment.through_training(config, share, seed, thresholds=False)
    return [{"seed_index": index, **row} for row in found]


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the report states, and what its words lead one to expect."""
    begun, fitted = rows[rows["epoch"] > 0], rows[rows["last"]]
    early = early_and_late(rows)
    of_shares = partial(trend, early, setting="random", direction="falls")
    each = [(f"{share:.0%} random", begun[begun["random"] == share]) for share in sorted(rows["random"].unique())]
    return [
        of_shares("coherence after the first epoch falls with the share of random labels", value="early"),
        of_shares("coherence at the end falls with the share of random labels", value="late"),
        *(over_training(part, f"{share}: coherence falls through training", "alpha", "falls") for share, part in each),
        *(
            above(part, f"{share}: easy examples are more coherent than hard ones", "alpha_easy", "alpha_hard")
            for share, part in each
        ),
        trend(fitted, "gap grows with the share of random labels", setting="random", value="gap", direction="rises"),
        trend(early, "gap falls with coherence after the first epoch", setting="early", value="gap", direction="falls"),
        trend(early, "gap falls with coherence at the end", setting="late", value="gap", direction="falls"),
        trend(
            early,
            "at one share: gap falls with coherence after the first epoch",
            setting="early",
            value="gap",
            direction="falls",
            by="random",
        ),
    ]


def early_and_late(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each run: its coherence after the first epoch and at the end, and its gap."""
    found = []
    for (share, index), run in rows.groupby(["random", "seed_index"]):
        ordered = run.sort_values("epoch")
        begun = ordered[ordered["epoch"] > 0]
        end = ordered.iloc[-1]
        found.append(
            {
                "random": share,
                "seed_index": index,
                "early": begun["alpha"].iloc[0],
                "late": end["alpha"],
                "gap": end["gap"],
            }
        )
    return pd.DataFrame(found, columns=["random", "seed_index", "early", "late", "gap"])


def of_batches(rows: pd.DataFrame) -> list[str]:
    """Return how the estimate from batches compares with the coherence of all examples."""
    finite = rows[np.isfinite(rows["batch_alpha_error"].astype(float)) & (rows["batch_alpha_error"].astype(float) > 0)]
    off = (finite["batch_alpha"].astype(float) - finite["alpha"].astype(float)) / finite["batch_alpha_error"].astype(
        float
    )
    printed = finite["batch_alpha_printed"].astype(float) / finite["alpha"].astype(float)
    if not len(finite):
        return ["Coherence from batches: no estimate has an error."]
    return [
        f"Coherence from batches of one partition (Theorem 5.6, W11.f) against that of all examples: {len(finite)} moments;",
        f"the difference is {off.mean():+.2f} of its stated standard error in the mean ({off.std():.2f} its deviation);",
        f"within two of them in {(off.abs() <= 2).mean():.0%}. As printed, without W11.e's correction, it is "
        f"{printed.median():.2f} times",
        f"too large (median; {printed.min():.2f} to {printed.max():.2f}).",
    ]


SHOWN = {
    "train_accuracy": "train acc", "test_accuracy": "test acc", "gap": "gap", "alpha": "alpha", "alpha_ratio": "alpha m",
    "batch_alpha": "of batches", "alpha_easy": "easy", "alpha_hard": "hard", "alpha_validation": "validation",
    "noise_scale": "noise scale",
}  # fmt: skip
"""What the table shows of a moment, and how it calls it."""


def table(rows: pd.DataFrame) -> str:
    """Return trends, and medians of all measures by epoch, as text."""
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            medians(rows.assign(random=rows["random"].map("{:g}".format)), SHOWN, "random"),
            "",
            "Medians over seeds. random: the share of random labels. gap: loss on images not trained on, less that on those",
            "trained on. alpha m: coherence over that of orthogonal gradients. easy: the half of the images with the lower",
            "losses after the first epoch. noise scale: the trace of the gradients' covariance over the square of their mean,",
            "which is 1/alpha - 1 and has no trend of its own.",
            *of_batches(rows),
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw coherence through training, from batches, of easy and hard examples, and against the gap."""
    drawing, axes = axes_grid(4, 4, 4.0)
    shares = sorted(rows["random"].unique())
    for share, colour in zip(shares, COLOURS, strict=False):
        chosen = rows[rows["random"] == share].assign(at=lambda part: part["epoch"].clip(lower=0.5))
        label = f"{share:.0%} random labels"
        draw_medians(axes[0], chosen["at"], chosen["alpha"], colour, label)
        runs = early_and_late(rows[rows["random"] == share])
        axes[3].plot(runs["early"], runs["gap"], "o", color=colour, markersize=4, label=label)
    axes[0].set(title=r"(a) Coherence $\alpha_m$", xscale="log", yscale="log", xlabel="epoch (0 drawn at 1/2)")
    exact, estimate = rows["alpha"].astype(float), rows["batch_alpha"].astype(float)
    axes[1].errorbar(
        exact,
        estimate,
        yerr=rows["batch_alpha_error"].astype(float).replace(np.inf, np.nan),
        fmt=".",
        color=BLUE,
        linewidth=0.7,
    )
    ends = [float(exact.min()), float(exact.max())]
    axes[1].plot(ends, ends, color="#777777", linewidth=1)
    axes[1].set(
        title="(b) From batches, at fixed weights",
        xscale="log",
        yscale="log",
        xlabel="of all examples",
        ylabel="estimate",
    )
    true = rows[(rows["random"] == shares[0]) & (rows["epoch"] > 0)]
    for column, label, colour in (("alpha_easy", "easy half", GREEN), ("alpha_hard", "hard half", PURPLE)):
        draw_medians(axes[2], true["epoch"], true[column], colour, label)
    axes[2].set(title=f"(c) Easy and hard examples, {shares[0]:.0%} random", xscale="log", yscale="log", xlabel="epoch")
    axes[3].set(
        title="(d) The gap at the end", xlabel="coherence after the first epoch", ylabel="test less training loss"
    )
    axes[3].locator_params(axis="x", nbins=4)
    for axis in (axes[0], axes[2], axes[3]):
        legend_below(axis)
    first = rows.iloc[0]
    drawing.suptitle(
        f"{first['images']} images, {first['parameters']:,} parameters, batches of {first['batch_size']} "
        "(points: networks, lines: medians)",
        fontsize=11,
    )
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="coherence",
    title="Coherence of the gradients in training, and the gap (walker2023, section 5).",
    claims=(),
    printed=(
        Printed(None, "section 5.3", "high coherence early on in training is better than high coherence later on."),
        Printed(None, "section 5.4", "coherence is estimated from gradients of batches by Theorem 5.6."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            shrink=4, size=20, test_size=20, hidden=(8,), batch_size=5, batches_of=5, max_epochs=20, looks=3, gc_images=5,
            seeds=1, shares=(0.0, 1.0),
        ),
        "paper": Config(
            size=1000, test_size=1000, hidden=(512,), batch_size=50, looks=20, seeds=10, shares=(0.0, 0.25, 0.5, 0.75, 1.0),
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
