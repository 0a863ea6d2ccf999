"""What the figures share: colours that colour-blind readers can tell apart (Okabe, Ito), and the panels on functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from experiments.engine.records import Row
from experiments.kit.measures import function_of, smoothed_curvature
from theory.mulayoff2021 import stability_weight

BLACK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
PURPLE, YELLOW, GREY = "#CC79A7", "#E69F00", "#777777"

Drawn = Sequence[tuple[str, Row, str]]
"""Functions to draw: what the legend says, the row that describes the function and its data, and the colour."""

WIDTHS = (3.2, 2.0, 1.2)
"""Line widths, so that curves that coincide can be seen under each other."""


def literal(text: object) -> str:
    """Return a text for a figure that shows it as it is: a name of the user's may hold dollars, which begin formulas."""
    return str(text).replace("$", r"\$")


def axes_row(count: int, height: float = 3.9) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` axes side by side, with light frames, `height` inches high."""
    return axes_grid(count, count, height)


def axes_grid(count: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with `count` axes, so many in a row, with light frames, each row `height` inches high."""
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    drawing = Figure(figsize=(4.7 * columns, height * rows), layout="constrained")
    axes = [drawing.add_subplot(rows, columns, place + 1) for place in range(count)]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(True, color="#e6e6e6", linewidth=0.6)
        axis.set_axisbelow(True)
    return drawing, axes


def label_log(axis: Axis) -> None:
    """Label 1, 2 and 5 times the powers of ten on a logarithmic axis, as plain numbers that do not run into each other."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def legend_below(axis: Axes, columns: int = 2) -> None:
    """Put the legend under the axes, where it hides nothing."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=columns, fontsize=9, frameon=False)


def draw_medians(
    axis: Axes, x: pd.Series[float], y: pd.Series[float], colour: str, label: str | None = None, style: str = "-"
) -> None:
    """Draw networks as points, and their medians at each x as a line; where few of them are, as after most ended, no line."""
    places, values = x.astype(float), y.astype(float)
    axis.plot(places, values, "o", color=colour, markersize=3.5, alpha=0.5)
    groups = values.groupby(places)
    middle = groups.median()[2 * groups.count() >= groups.count().max()].dropna()
    axis.plot(middle.index, middle, style, color=colour, label=label)


def draw_functions(axis: Axes, drawn: Drawn) -> None:
    """Draw functions and the data of the first of them."""
    axis.set(xlabel="$x$", ylabel="$f(x)$")
    for (label, row, colour), width in zip(drawn, WIDTHS, strict=False):
        t = _around(row)
        axis.plot(t, np.asarray(function_of(row)(t)), color=colour, linewidth=width, label=label)
    if drawn:
        row = drawn[0][1]
        axis.plot(row["x"], row["y"], "x", color=ORANGE, markersize=8, markeredgewidth=2, label="data")
    legend_below(axis)


def draw_curvature(axis: Axes, drawn: Drawn) -> None:
    """Draw the smoothed |f''| of functions over the weight g of the data of the first of them."""
    axis.set(xlabel="$x$", ylabel="smoothed $|f''(x)|$")
    for (label, row, colour), width in zip(drawn, WIDTHS, strict=False):
        t = _around(row)
        axis.plot(t, smoothed_curvature(row, t, (t[-1] - t[0]) / 60), color=colour, linewidth=width, label=label)
    if drawn:
        t = _around(drawn[0][1])
        weight = stability_weight(t, np.asarray(drawn[0][1]["x"]))
        right = axis.twinx()
        right.fill_between(t, weight, color=GREY, alpha=0.25, linewidth=0)
        right.set(ylabel="$g(x)$ (shaded)", ylim=(0, 1.5 * float(np.max(weight))))
        right.spines["top"].set_visible(False)
        axis.set_zorder(right.get_zorder() + 1)
        axis.patch.set_visible(False)
        axis.set_ylim(bottom=0)
    legend_below(axis)


def _around(row: Row) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a grid over the data of a row and a sixth of their range on either side."""
    x = np.asarray(row["x"], dtype=np.float64)
    margin = (x[-1] - x[0]) / 6
    return np.linspace(x[0] - margin, x[-1] + margin, 2401)
