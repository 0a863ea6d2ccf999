"""Stiffness in training (walker2023, section 3): `python -m experiments.stiffness`.

Networks of one hidden layer and of several, trained on images with their labels, or with random ones that are drawn once. At a
few moments, in one table: sign and cosine stiffness of training and validation images, within and between classes and by
distance; coherence; sharpness against the step sizes that training bears (M1, B3); GC; and what a small step down one example's
loss does to the others (W4, W5).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.study import Printed, Study, Task, main, seed_of
from experiments.kit import alignment, classifiers
from experiments.kit.alignment import KINDS, AlignmentSettings, above, medians, of_runs, over_training
from experiments.kit.plotting import BLUE, GREEN, ORANGE, PURPLE, axes_grid, draw_medians, legend_below
from experiments.kit.trends import Trend, sign_test, tally, trend, trends_table

LABELS = {0.0: "true", 1.0: "random"}


@dataclass(frozen=True)
class Config(AlignmentSettings):
    """What is trained: each network with true and with random labels.

    Attributes:
        deep: units of each hidden layer of the MLPs that are looked at beside those of --hidden; more layers than these.
    """

    deep: tuple[int, ...] = (64,) * 6


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    alignment.check(config)
    deep = replace(config, hidden=config.deep)
    if config.network == "mlp":
        alignment.check(deep)
        if len(config.deep) <= len(config.hidden):
            raise ValueError(
                f"--deep must have more layers than --hidden, {len(config.hidden)}, got {len(config.deep)}"
            )
    depths = {"shallow": config} | ({"deep": deep} if config.network == "mlp" else {})
    return {
        f"{index:03d}-{words}-{depth}": partial(trained, share, index, settings)
        for index in range(config.seeds)
        for share, words in LABELS.items()
        for depth, settings in depths.items()
    }


def trained(share: float, index: int, config: Config) -> list[Row]:
    """Train a network, and return a row for each moment."""
    seed = seed_of(STUDY.id, config.seed, index)
    found = alignment.through_training(config, share, seed, thresholds=True)
    return [{"labels": LABELS[share], "seed_index": index, **row} for row in found]


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the report states, and what its words lead one to expect."""
    layers = sorted(rows["hidden_layers"].unique())
    found = of_depth(rows[rows["hidden_layers"] == layers[0]])
    for depth in layers:
        for share, words in LABELS.items():
            chosen = rows[(rows["hidden_layers"] == depth) & (rows["random"] == share)]
            says = f"{depth} hidden, {words} labels: gap grows as sign within classes falls"
            found.append(over_training(chosen, says, "gap", "falls", along="sign_within_across"))
    return found


def of_depth(rows: pd.DataFrame) -> list[Trend]:
    """Return the trends of networks of one depth."""
    true, fitted = rows[rows["random"] == 0], rows[rows["last"]]
    found = []
    for kind in KINDS:
        found += [
            above(true, f"{kind}: within classes above between them, true labels", f"{kind}_within", f"{kind}_between"),
            over_training(
                true, f"{kind}: within-class stiffness falls, true labels", f"{kind}_within", "falls", since=1
            ),
            above(
                true[true["epoch"] > 0],
                f"{kind}: training pairs above training with validation",
                f"{kind}_train",
                f"{kind}_across",
            ),
        ]
        says = f"{kind}: stiffness with random labels below true"
        found.append(
            trend(of_runs(rows, f"{kind}_train"), says, setting="random", value=f"{kind}_train", direction="falls")
        )
    found += [
        above(
            true,
            "sign tells pairs of classes apart better than cosine",
            "sign_resolves_between",
            "cosine_resolves_between",
        ),
        above(
            true, "cosine tells apart within classes better than sign", "cosine_resolves_within", "sign_resolves_within"
        ),
        over_training(true, "test loss less training loss grows, true labels", "gap", "rises"),
        closer(true[true["last"]], "stiffness falls with distance, at the end"),
        over_training(true, "sharpness rises, true labels", "hessian_top", "rises"),
        trend(fitted, "GC with random labels above true, at the end", setting="random", value="gc", direction="rises"),
    ]
    return found


def closer(rows: pd.DataFrame, says: str) -> Trend:
    """Return what runs say of stiffness that is said to fall with the distance of inputs."""
    return sign_test(says, "falls", rows["distance_tau"].astype(float).tolist(), len(rows))


SHOWN = {
    "train_accuracy": "train acc", "test_accuracy": "test acc", "gap": "gap", "sign_within": "sign in",
    "sign_within_true": "true in", "sign_within_across": "in across", "sign_between": "sign btw",
    "cosine_within": "cos in", "cosine_between": "cos btw", "cosine_train": "cos train", "cosine_across": "cos across",
    "alpha_ratio": "alpha m", "gc": "GC", "hessian_top": "sharpness", "edge": "edge", "sgd_step_size_upper": "SGD eta",
}  # fmt: skip
"""What the table shows of a moment, and how it calls it."""


def table(rows: pd.DataFrame) -> str:
    """Return trends, and medians of all measures by epoch, as text."""
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            medians(of_networks(rows), SHOWN, "network"),
            "",
            "Trends that name no number of hidden layers are of the fewest. Medians over seeds. in, btw: within classes of the",
            "labels that are trained on, and between them, of training images; true in: within the images' own classes;",
            "across: training with validation images. alpha m: coherence over that of orthogonal gradients, 1 for these. edge:",
            "step size times sharpness over 2, 1 at the edge of stability (M1). SGD eta: no step size beyond it is stable in",
            "mean square at this batch size, for the Gauss-Newton matrices alone (B3). How well a kind of stiffness tells",
            "pairs of classes apart is the variance between pairs over that within, and 0 where all values are equal.",
            *effects(rows),
        ]
    )


def of_networks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the network and its labels in words, fewest layers first."""
    words = [f"{depth} hidden, {labels}" for depth, labels in zip(rows["hidden_layers"], rows["labels"], strict=True)]
    return rows.assign(network=words).sort_values("hidden_layers", kind="stable")


def effects(rows: pd.DataFrame) -> list[str]:
    """Return how exact W4 and W5 are on these networks."""
    large, small = (rows[name].astype(float) for name in ("w4_error", "w4_error_at_tenth"))
    off, half = rows["w5_error"].astype(float), rows["w5_error_at_half"].astype(float)
    return [
        f"A step of {alignment.SMALL_STEP:g} down one example's loss changes the others' by -eps g.g' (W4) to",
        f"{large.max():.1e} of eps |g||g'| (median {large.median():.1e}), one of a tenth of it to {small.max():.1e} "
        f"({(large / small).median():.1f} times less, median).",
        f"Outputs change as Lemma 4.2 says (W5) to {off.max():.1e} (median {off.median():.1e}), for half the step "
        f"{(off / half).median():.2f} times less.",
    ]


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw stiffness through training, by distance, and the class matrix, beside it sharpness and GC, and deeper networks."""
    drawing, axes = axes_grid(9, 3, 3.8)
    every = rows
    rows = rows[rows["hidden_layers"] == rows["hidden_layers"].min()]
    for axis, (kind, words) in zip(
        axes[:2], (("sign", "(a) Sign stiffness"), ("cosine", "(b) Cosine stiffness")), strict=True
    ):
        parts = (("within", "within classes", BLUE), ("between", "between classes", ORANGE))
        for part, label, colour in parts:
            for share, style in ((0.0, "-"), (1.0, ":")):
                _line(
                    axis,
                    rows[rows["random"] == share],
                    f"{kind}_{part}",
                    colour,
                    style,
                    f"{label}, {LABELS[share]} labels",
                )
        axis.set(title=words)
    for part, label, colour in (
        ("train", "training", BLUE),
        ("across", "across", GREEN),
        ("validation", "validation", PURPLE),
    ):
        _line(axes[2], rows[rows["random"] == 0], f"cosine_{part}", colour, "-", f"{label} pairs")
    axes[2].set(title="(c) Cosine stiffness, true labels")
    for share, colour in ((0.0, BLUE), (1.0, ORANGE)):
        label = f"{LABELS[share]} labels"
        chosen = rows[rows["random"] == share]
        _line(axes[4], chosen, "alpha_ratio", colour, "-", label)
        _line(axes[5], chosen, "hessian_top", colour, "-", label)
        _line(axes[6], chosen, "gc", colour, "-", label)
        end = chosen[chosen["last"]]
        if len(end):
            first = end.iloc[0]
            axes[3].plot(first["distances"], first["distance_stiffness"], "o-", color=colour, markersize=3, label=label)
    axes[3].axhline(0, color="#777777", linewidth=0.8)
    axes[3].set(
        title="(d) By distance, at the end of the first seed", xlabel="distance of images", ylabel="cosine stiffness"
    )
    axes[4].set(title=r"(e) Coherence $\alpha_m / \alpha_m^\perp$")
    axes[5].axhline(float(rows["stable_sharpness"].iloc[0]), color="#777777", linestyle="--", label=r"$2/\eta$ (M1)")
    axes[5].set(title="(f) Sharpness", yscale="log")
    axes[6].set(title="(g) Geometric complexity", yscale="log")
    end = rows[rows["last"] & (rows["random"] == 0)]
    entries = np.array([np.asarray(entry, dtype=np.float64) for entry in end["cosine_matrix"]])
    matrix = np.ma.masked_invalid(entries).mean(axis=0).filled(np.nan)
    labels = round(len(matrix) ** 0.5)
    limit = float(np.nanmax(np.abs(matrix)))
    image = axes[7].imshow(matrix.reshape(labels, labels), cmap="RdBu", vmin=-limit, vmax=limit)
    axes[7].grid(visible=False)
    axes[7].set(title="(h) Classes (cosine), at the end", xlabel="class", ylabel="class")
    drawing.colorbar(image, ax=axes[7], shrink=0.8)
    for depth, style in zip(sorted(every["hidden_layers"].unique()), ("-", ":"), strict=False):
        for share, colour in ((0.0, BLUE), (1.0, ORANGE)):
            chosen = every[(every["hidden_layers"] == depth) & (every["random"] == share)]
            _line(axes[8], chosen, "sign_within_across", colour, style, f"{depth} hidden, {LABELS[share]} labels")
    axes[8].set(title="(i) Sign stiffness within classes, across")
    for axis in (*axes[:7], axes[8]):
        legend_below(axis, 1 if axis in (axes[0], axes[1], axes[8]) else 2)
    first = rows.iloc[0]
    layers = f"{first['hidden_layers']} hidden layer{'s' if first['hidden_layers'] > 1 else ''}"
    drawing.suptitle(
        f"{first['images']} images, {layers}, {first['parameters']:,} parameters, batches of "
        f"{first['batch_size']} (points: networks, lines: medians over seeds)",
        fontsize=11,
    )
    return drawing


def _line(axis: Axes, rows: pd.DataFrame, column: str, colour: str, style: str, label: str) -> None:
    """Draw a column by epoch; epoch 0 is drawn at 1/2."""
    draw_medians(axis, rows["epoch"].clip(lower=0.5), rows[column], colour, label, style)
    axis.set(xscale="log", xlabel="epoch (0 drawn at 1/2)")


CPU = Config()

STUDY: Study[Config] = Study(
    id="stiffness",
    title="Stiffness of the gradients in training, beside coherence, sharpness and GC (walker2023, section 3).",
    claims=(),
    printed=(
        Printed(None, "section 3.3", "sign stiffness is more suitable between classes, cosine stiffness within them."),
        Printed(None, "section 3.3", "within-class stiffness that drops below 1 suggests overfitting."),
        Printed(None, "section 3.4", "data that support each other strongly through SGD are close."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            shrink=4, size=20, test_size=20, hidden=(8,), batch_size=5, batches_of=5, max_epochs=20, looks=3, gc_images=5,
            seeds=1, deep=(8, 8),
        ),
        "paper": Config(
            size=1000, test_size=1000, hidden=(512,), deep=(256,) * 6, batch_size=50, looks=20, seeds=10,
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
