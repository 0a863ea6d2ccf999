"""Columns on the capacity of a trained classifier: its margin, and the measures of neyshabur2017 over it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

from experiments.engine.records import Row
from numerics.capacity import capacity_measures, margin

MEASURES: Mapping[str, str] = {"l2": "l2", "l1_path": "l1-path", "l2_path": "l2-path", "spectral": "spectral"}
"""The four measures, and how the paper calls them."""

LOGS = tuple(f"log_{name}{end}" for name in MEASURES for end in ("", "_factors"))
"""Columns: natural logarithms of the measures, as the paper draws them, and with their factors in depth and width."""

COLUMNS = ("margin", "margin_percentile", "smallest_margin", "violations", *LOGS)
"""Columns that are numbers, or None where `capacity` says why not."""

MEASURED = "measured"
"""What `capacity` says where there are numbers."""

DIVERGED: Row = {**dict.fromkeys(COLUMNS), "capacity": "diverged"}
"""The columns of a network whose training diverged."""


def capacity_columns(model: nn.Module, x: torch.Tensor, y: torch.Tensor, epsilon: float = 0.05) -> Row:
    """Return `COLUMNS`, and `capacity`: "measured", or that the margin is no number above 0, which leaves the logs None.

    The measures are those of section 2.2 over the square of `margin`, the order statistic at epsilon; paths also start at
    biases, batch norm is folded. `margin_percentile` interpolates between order statistics, as appendix A's "percentile".

    Args:
        model: in evaluation mode.
        x: training images, [m, ...].
        y: their labels, as trained on, [m].
        epsilon: the share of points that may violate the margin.

    Raises:
        ValueError: if the outputs are not finite, or an argument is out of its range.
        UnsupportedLayerError: if a layer has no rule.
    """
    found = margin(model, x, y, epsilon)
    row: Row = {
        **dict.fromkeys(LOGS),
        "margin": found.value,
        "margin_percentile": found.percentile,
        "smallest_margin": found.smallest,
        "violations": found.violations,
    }
    if not 0 < found.value < math.inf:
        return {**row, "capacity": f"no margin: {found.meaning}"}
    shape = tuple(x.shape[1:])
    for end, factors in (("", False), ("_factors", True)):
        measures = capacity_measures(model, shape, found, factors=factors)
        row |= {f"log_{name}{end}": getattr(measures, name) for name in MEASURES}
    return {**row, "capacity": MEASURED}
