"""The geometric complexity of the networks at whose minima SGD is looked at, and what the step size allows it (B25)."""

from __future__ import annotations

from experiments.engine.records import Row
from experiments.kit.verdicts import columns_of, not_evaluated
from experiments.sgd_threshold.minima import Minimum
from numerics.geometric_complexity import complexity_at_minimum
from theory.beyond import trace_limit
from theory.symbols import Sampling

COMPLEXITY = ("gc", "gc_limit", "gc_limit_points")


def complexity_rows(minimum: Minimum, batch: int, sampling: Sampling, step_sizes: list[float]) -> list[Row]:
    """Return for each step size the columns on geometric complexity and the verdict of B25.

    `gc_limit` is what B25 says that SGD's stability allows GC to be, and `gc_limit_points` the same with n for the number of
    weights, which B3.h and D22.a give; both only where B25 applies. It speaks of batches drawn without replacement.
    """
    if sampling != "without_replacement":
        return [{**dict.fromkeys(COMPLEXITY), **not_evaluated("B25")} for _ in step_sizes]
    found, n, rows = complexity_at_minimum(minimum.weights, minimum.x), len(minimum.x), []
    for step_size, verdict in zip(step_sizes, found.stable_verdicts(step_sizes, batch), strict=True):
        row: Row = {**dict.fromkeys(COMPLEXITY), "gc": float(found.complexity), **columns_of(verdict)}
        if verdict.rhs is not None and found.least_transfer is not None:
            row["gc_limit"] = float(verdict.rhs.midpoint)
            row["gc_limit_points"] = trace_limit(step_size, n, batch, n) / float(found.least_transfer)
        rows.append(row)
    return rows
