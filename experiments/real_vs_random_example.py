"""The motivating example of section 5.1 (walker2023; W13), exactly: `python -m experiments.real_vs_random_example`.

A linear model of six weights, four training examples and one for the test, "real" data with an entry that all examples share
and "random" data without it. Gradient descent from 0 in rational numbers: the gradients of the examples, their coherence, the
weights and the losses, step by step.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.engine.records import Row
from experiments.engine.study import Printed, Study, Task, main
from experiments.kit.plotting import BLUE, GREY, ORANGE, axes_grid, legend_below
from experiments.kit.verdicts import evaluated, tally
from theory.checks import Array
from theory.walker2023 import coherence
from theory.walker2023.descent import RANDOM, REAL, REAL_LABELS, descend

DATA: Mapping[str, Array] = {"real": REAL, "random": RANDOM}
STRENGTHS = {"real": 1, "random": 0}

TRAINED = 4
"""The first four rows are for training, the last for the test."""


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        step_size: of gradient descent, a number or a fraction such as 1/2; above 0.
        steps: how many are made.
    """

    step_size: str = "1/2"
    steps: int = 12


def tasks(config: Config) -> Mapping[str, Task]:
    """Return one task for each data set.

    Raises:
        ValueError: if the step size is no number above 0, or there is no step.
    """
    try:
        step = Fraction(config.step_size)
    except (ValueError, ZeroDivisionError):
        step = Fraction(0)
    if step <= 0:
        raise ValueError(f"--step-size must be a number or a fraction above 0, got {config.step_size!r}")
    if config.steps < 1:
        raise ValueError(f"--steps must be at least 1, got {config.steps}")
    return {name: partial(descended, name, step, config.steps) for name in DATA}


def descended(name: str, step_size: Fraction, steps: int) -> list[Row]:
    """Return a row for each step: what the weights, the gradients and the losses are before it."""
    inputs, labels = DATA[name][:TRAINED], REAL_LABELS[:TRAINED]
    rows = []
    for step in range(steps + 1):
        weights = descend(inputs, labels, step_size, step)
        residuals = inputs @ weights - labels
        gradients = residuals[:, None] * inputs
        alpha = coherence(gradients) if any(residuals) else None
        test = DATA[name][-1] @ weights - REAL_LABELS[-1]
        given = {"examples": TRAINED, "strength": STRENGTHS[name], "step_size": step_size, "steps": step}
        rows.append(
            {
                "data": name,
                "seed": 0, "step": step, "exact_alpha": None if alpha is None else str(alpha),
                "alpha": None if alpha is None else float(alpha), "shared_weight": float(weights[-1]),
                "own_weight": float(abs(weights[0])), "exact_shared_weight": str(weights[-1]),
                "train_loss": float(sum(residuals**2)) / (2 * TRAINED), "test_loss": float(test**2) / 2,
                "weights": [float(w) for w in weights], "gradients": [float(g) for g in gradients.ravel()],
                **evaluated("W13.a", {"examples": TRAINED, "strength": STRENGTHS[name]}),
                **evaluated("W13.b", given),
            }
        )  # fmt: skip
    return rows


def table(rows: pd.DataFrame) -> str:
    """Return the descent on both data sets as text."""
    shown = rows[["data", "step", "exact_alpha", "shared_weight", "own_weight", "train_loss", "test_loss"]]
    return "\n".join(
        [
            shown.to_string(index=False, float_format="{:.4g}".format, na_rep="-"),
            "",
            "exact_alpha: coherence of the four gradients; 1/4 is that of orthogonal ones. shared_weight: the sixth;",
            "own_weight: the first, in size. "
            f" {tally(rows, 'W13.a')}, coherence at 0; {tally(rows, 'W13.b')}, the shared weight.",
        ]
    )


def conclusion(rows: pd.DataFrame) -> str:
    """Return what the example comes to."""
    parts = []
    for name, group in rows.groupby("data", sort=False):
        first, last = group.iloc[0], group.iloc[-1]
        parts.append(
            f"{name}: coherence {first['exact_alpha']} at the start, test loss {first['test_loss']:.3g} to "
            f"{last['test_loss']:.3g}, "
            f"training loss to {last['train_loss']:.2g}, sixth weight {last['shared_weight']:.3g}"
        )
    return f"{'; '.join(parts)}."


def figure(rows: pd.DataFrame) -> Figure:
    """Draw the gradients at the start as arrows of each example's entries, and weights and losses through descent."""
    drawing, axes = axes_grid(4, 4, 3.8)
    limit = max(float(np.max(np.abs(np.asarray(entry)))) for entry in rows["gradients"])
    for axis, (name, group) in zip(axes[:2], rows.groupby("data", sort=False), strict=True):
        gradients = -np.asarray(group["gradients"].iloc[0], dtype=np.float64).reshape(TRAINED, -1)
        image = axis.imshow(np.vstack([gradients, gradients.mean(axis=0)]), cmap="RdBu", vmin=-limit, vmax=limit)
        axis.axhline(TRAINED - 0.5, color=GREY, linewidth=1.5)
        axis.set(title=f'"{name}": descent directions at the start', xlabel="weight")
        axis.set_xticks(range(gradients.shape[1]), [str(j + 1) for j in range(gradients.shape[1])])
        axis.set_yticks(range(TRAINED + 1), [*(f"example {i + 1}" for i in range(TRAINED)), "their mean"])
        axis.grid(visible=False)
        drawing.colorbar(image, ax=axis, shrink=0.6)
    for name, colour in (("real", BLUE), ("random", ORANGE)):
        group = rows[rows["data"] == name]
        axes[2].plot(group["step"], group["shared_weight"], "o-", color=colour, markersize=4, label=f"sixth, {name}")
        axes[2].plot(group["step"], group["own_weight"], "s:", color=colour, markersize=3, label=f"first, {name}")
        axes[3].plot(group["step"], group["test_loss"], "o-", color=colour, markersize=4, label=f"test, {name}")
        axes[3].plot(group["step"], group["train_loss"], "s:", color=colour, markersize=3, label=f"training, {name}")
    axes[2].set(title="Weights", xlabel="step", ylabel="size")
    axes[3].set(title="Losses", xlabel="step")
    for axis in axes[2:]:
        legend_below(axis)
    return drawing


STUDY: Study[Config] = Study(
    id="real_vs_random_example",
    title='The motivating example: "real" and "random" data of six entries (walker2023, section 5.1; W13).',
    claims=("W13.a", "W13.b"),
    printed=(
        Printed(
            "W13.b", "section 5.1", "the real dataset causes a greater change in the 6th component of the parameter."
        ),
    ),
    presets={"default": Config(), "cpu": Config(), "smoke": Config(steps=3), "paper": Config(steps=30)},
    tasks=tasks,
    table=table,
    conclusion=conclusion,
    figure=figure,
)

if __name__ == "__main__":
    sys.exit(main(STUDY))
