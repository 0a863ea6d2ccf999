"""How far training moves a network in its tangent features (walker2023, Remark 4.6, Theorem 5.4): `... tangent_complexity`.

Networks of several widths trained on images with their labels or with random ones. sum_t ||dw_t|| ||Phi_t||_F accumulated
through training, the complexity that the report proposes, and the right side of Theorem 5.4 with what was seen of its
constants, beside the loss on images that were not trained on.
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
from experiments.kit.plotting import BLUE, ORANGE, axes_grid, draw_medians, label_log, legend_below
from experiments.kit.trends import Trend, tally, trend, trends_table
from numerics.alignment import TangentTrace, coherence, gradient_gram
from numerics.stability import top_eigenvalues
from numerics.training.modules import train_module
from theory.walker2023 import coherence_gap_bound

LABELS = {0.0: "true", 1.0: "random"}


@dataclass(frozen=True)
class Config(ClassifierSettings):
    """What is trained: each network with true and with random labels.

    Attributes:
        size: training images, the first ones.
        widths: units of the hidden layer, in increasing order.
        features_every: steps from one computation of the tangent features' norm to the next, between which it is held.
        looks: how often coherence, gradients and sharpness are measured, evenly in the logarithm of the step.
        seeds: networks of each setting; those of one seed start alike.
    """

    data: classifiers.Data = "mnist"
    size: int = 100
    widths: tuple[int, ...] = (8, 32, 128)
    features_every: int = 20
    batch_size: int = 20
    max_epochs: int = 400
    stop_loss: float = 0.05
    looks: int = 8
    gc_images: int = 0
    seeds: int = 7


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each network.

    Raises:
        ValueError: if a setting is out of its range, or the data cannot be had.
    """
    classifiers.check(config)
    at_least_one(config, "features_every")
    above_zero(config, "stop_loss")
    if len(config.widths) < 2 or sorted(set(config.widths)) != list(config.widths) or config.widths[0] < 1:
        raise ValueError(f"--widths must hold at least two numbers above 0 in increasing order, got {config.widths}")
    if config.network != "mlp" or config.optimiser != "sgd":
        raise ValueError(f"--network must be mlp, and --optimiser sgd, got {config.network} and {config.optimiser}")
    return {
        f"{index:03d}-{width:04d}-{words}": partial(trained, width, share, index, config)
        for index in range(config.seeds)
        for width in config.widths
        for share, words in LABELS.items()
    }


def trained(width: int, share: float, index: int, config: Config) -> list[Row]:
    """Train a network, and return its row."""
    seed = seed_of(STUDY.id, config.seed, index)
    data, labels = classifiers.classes(config), classifiers.label_count(config)
    y = classifiers.with_random_labels(data.y_train, 0, labels, seed) if share else data.y_train
    x, m = data.x_train, len(y)
    task = classifiers.Task("", seed, config.step_size, config.batch_size, hidden=(width,))
    model = classifiers.network(task, config, x, labels)
    start = [p.detach().clone() for p in model.parameters()]
    trace = TangentTrace(model, x, every=config.features_every)

    def watched(weights: list[nn.Parameter], lr: float) -> torch.optim.Optimizer:
        optimiser = torch.optim.SGD(weights, lr=lr, momentum=config.momentum)
        trace.watch(optimiser)
        return optimiser

    per_epoch = math.ceil(m / min(config.batch_size, m))
    most = config.max_epochs * per_epoch
    run = train_module(
        model,
        x,
        y,
        step_size=config.step_size,
        max_steps=most,
        batch_size=min(config.batch_size, m),
        optimiser=watched,
        stop_loss=config.stop_loss,
        seed=seed,
        measure=partial(looked, x=x, y=y),
        measure_at=sorted({0, *(int(step) for step in np.geomspace(1, most, config.looks).round())}),
    )
    model.eval()
    row: Row = {
        "labels": LABELS[share], "random": share, "width": width, "seed_index": index, "seed": seed, "images": m,
        "parameters": sum(p.numel() for p in model.parameters()), "steps": run.steps, "outcome": str(run.outcome),
        "train_seconds": run.seconds,
    }  # fmt: skip
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return [row]
    train_loss, train_accuracy = classifiers.on(model, x, y)
    test_loss, test_accuracy = classifiers.on(model, data.x_test, data.y_test)
    moved = math.sqrt(
        sum(float((p.detach() - at).square().sum()) for p, at in zip(model.parameters(), start, strict=True))
    )
    return [
        {
            **row,
            "train_loss": train_loss,
            "train_accuracy": train_accuracy,
            "test_loss": test_loss,
            "test_accuracy": test_accuracy,
            "gap": test_loss - train_loss,
            "complexity": trace.complexity,
            "complexity_per_image": trace.complexity / m,
            "path": math.fsum(trace.update_norms),
            "moved": moved,
            "features_at_start": trace.feature_norms[0],
            "features_at_end": trace.feature_norms[-1],
            **gap_bound(run.records, run.steps, config.step_size, m),
        }
    ]


def looked(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    """Return coherence, the longest gradient of an example, and the Hessian's top eigenvalue."""
    if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
        return {}
    gram = gradient_gram(model, x, y, "cross_entropy")
    top = top_eigenvalues(model, x, y, 1, "cross_entropy", tolerance=1e-4)
    longest = math.sqrt(float(np.max(np.diagonal(gram))))
    return {"alpha": coherence(gram).value, "longest": longest, "sharpness": float(top.values[0])}


def gap_bound(records: object, steps: int, step_size: float, m: int) -> Row:
    """Return the right side of Theorem 5.4, as W10.a has it, with constants that are seen: no more than the theorem's own.

    L and beta are suprema over all weights; here the longest gradient and the largest curvature of the looks stand for them,
    coherence is that of the sample, interpolated between the looks, and steps are taken for those of gradient descent.
    """
    looks = [look for look in records if "alpha" in look]  # type: ignore[attr-defined]
    at = np.array([look["step"] for look in looks], dtype=np.float64)
    alphas = np.interp(np.arange(steps), at, [look["alpha"] for look in looks])
    longest, sharpest = (max(look[name] for look in looks) for name in ("longest", "sharpness"))
    with np.errstate(over="ignore"):
        bound = coherence_gap_bound([alphas], np.full(steps, step_size), longest, max(sharpest, 0.0), m)
    return {
        "longest_gradient": longest,
        "largest_sharpness": sharpest,
        "gap_bound_log10": math.log10(bound) if math.isfinite(bound) else None,
    }


def trends(rows: pd.DataFrame) -> list[Trend]:
    """Return what the report states, and what its words lead one to expect."""
    fits = rows[rows["complexity"].notna()]
    by_labels = partial(trend, fits, setting="random", within="width", direction="rises")
    by_width = partial(trend, fits, setting="width", within="random", direction="falls")
    return [
        by_labels("complexity with random labels above true", value="complexity"),
        by_labels("length of the path with random labels above true", value="path"),
        by_labels("Theorem 5.4's right side with random labels above true", value="gap_bound_log10"),
        by_width("complexity falls with the width", value="complexity"),
        by_width("gap falls with the width", value="gap"),
        trend(
            fits[fits["random"] == 0],
            "true labels: gap rises with complexity, over widths",
            setting="complexity",
            value="gap",
            direction="rises",
        ),
        trend(
            fits,
            "gap rises with complexity, over widths and labels",
            setting="complexity",
            value="gap",
            direction="rises",
        ),
    ]


SHOWN = {
    "steps": "steps", "train_loss": "train loss", "test_accuracy": "test acc", "gap": "gap", "path": "path", "moved": "moved",
    "features_at_start": "|Phi| start", "features_at_end": "|Phi| end", "complexity": "complexity",
    "complexity_per_image": "per image", "gap_bound_log10": "5.4 log10",
}  # fmt: skip
"""What the table shows of a setting, and how it calls it."""


def table(rows: pd.DataFrame) -> str:
    """Return trends and medians as text."""
    parts = []
    for (width, _), group in rows.groupby(["width", "random"], sort=True):
        values = group[list(SHOWN)].astype(float).median()
        fitted = f"{int((group['outcome'] == 'interpolated').sum())}/{len(group)}"
        parts.append(
            {
                "width": width,
                "labels": group["labels"].iloc[0],
                "fit": fitted,
                **{SHOWN[key]: values[key] for key in SHOWN},
            }
        )
    shown = rows[rows["complexity"].notna()]
    vacuous = int((shown["complexity_per_image"].astype(float) > shown["gap"].astype(float)).sum())
    return "\n".join(
        [
            trends_table(trends(rows)),
            "",
            pd.DataFrame(parts).to_string(index=False, float_format="{:.3g}".format, na_rep="-"),
            "",
            "Medians over seeds. fit: networks that reached the stopping loss. path: the sum of the steps' lengths; moved: the",
            "distance from the start. complexity: sum_t |dw_t| |Phi_t|_F, per image: over m, which bounds the Rademacher",
            "complexity of fixed feature maps (W7.a) and is larger than the gap in",
            f"{vacuous} of {len(shown)} networks. 5.4: log10 of Theorem 5.4's right side with constants seen in training,",
            "which are no more than its own; - where it is beyond floats.",
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return which trends hold."""
    return f"{tally(trends(rows))}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw complexity, path and gap by width, and the gap against complexity."""
    drawing, axes = axes_grid(4, 4, 3.9)
    panels = (
        ("complexity", r"(a) $\sum_t \|\delta w_t\| \|\Phi_t\|_F$"),
        ("gap_bound_log10", "(b) Theorem 5.4's right side, log10"),
        ("gap", "(c) Test less training loss"),
    )
    for axis, (column, title) in zip(axes, panels, strict=False):
        for share, colour in ((0.0, BLUE), (1.0, ORANGE)):
            chosen = rows[rows["random"] == share]
            draw_medians(axis, chosen["width"], chosen[column], colour, f"{LABELS[share]} labels")
        axis.set(title=title, xlabel="hidden units", xscale="log")
        legend_below(axis)
    axes[0].set_yscale("log")
    for share, colour in ((0.0, BLUE), (1.0, ORANGE)):
        chosen = rows[rows["random"] == share]
        axes[3].plot(
            chosen["complexity"],
            chosen["gap"],
            "o",
            color=colour,
            markersize=4,
            alpha=0.7,
            label=f"{LABELS[share]} labels",
        )
    axes[3].set(title="(d) Gap against complexity", xlabel="complexity", ylabel="test less training loss", xscale="log")
    label_log(axes[3].xaxis)
    legend_below(axes[3])
    first = rows.iloc[0]
    drawing.suptitle(f"{first['images']} images, one hidden layer (points: networks, lines: medians)", fontsize=11)
    return drawing


CPU = Config()

STUDY: Study[Config] = Study(
    id="tangent_complexity",
    title="The length of training in tangent features, and Theorem 5.4's bound (walker2023, sections 4 and 5).",
    claims=(),
    printed=(
        Printed(None, "Remark 4.6", "sum_t ||dw_t|| ||Phi_t||_F is proposed as a measure of complexity."),
        Printed(None, "Remark 5.5", "the bound of Theorem 5.4 is loose."),
    ),
    presets={
        "default": CPU,
        "cpu": CPU,
        "smoke": Config(
            shrink=4, size=20, test_size=40, widths=(4, 8), batch_size=5, max_epochs=10, looks=3, features_every=5, seeds=1
        ),
        "paper": Config(size=1000, widths=(8, 32, 128, 512), batch_size=50, features_every=100, stop_loss=0.01, seeds=10),
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
