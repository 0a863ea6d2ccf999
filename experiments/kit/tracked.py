"""What a `numerics.stability.StabilityTracker` kept, drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from experiments.kit.plotting import BLACK, BLUE, GREEN, ORANGE, axes_row, legend_below
from numerics.stability import TrackedStep


def stability_figure(rows: Sequence[TrackedStep]) -> Figure:
    """Return a figure of the sharpness against what the optimiser stays below, and of the loss, along a training.

    Args:
        rows: `StabilityTracker.rows`.

    Raises:
        ValueError: if there are none.
    """
    if not rows:
        raise ValueError("rows must hold at least one step, got none: call the tracker after steps of the optimiser")
    drawing, (above, beside) = axes_row(2)
    steps = [row.step for row in rows]
    above.plot(steps, [row.sharpness for row in rows], color=BLUE, label="sharpness")
    above.plot(steps, [row.gauss_newton for row in rows], color=GREEN, linewidth=1, label="Gauss-Newton")
    if any(row.batch_sharpness is not None for row in rows):
        batch = [math.nan if row.batch_sharpness is None else row.batch_sharpness for row in rows]
        above.plot(steps, batch, color=ORANGE, linewidth=1, label="batch sharpness")
    above.plot(steps, [row.limit for row in rows], color=BLACK, linestyle="--", label="limit")
    above.set(xlabel="step", ylabel="eigenvalue")
    beside.plot(steps, [row.loss for row in rows], color=BLUE)
    beside.set(xlabel="step", ylabel="loss", yscale="log" if all(row.loss > 0 for row in rows) else "linear")
    legend_below(above)
    return drawing
