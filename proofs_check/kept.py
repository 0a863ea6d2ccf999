"""Rows that studies kept under `results`, as instances of the claims about what was observed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from theory.claim import Instance

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Reading:
    """How the rows of a study become instances of a claim.

    Attributes:
        study: the folder under `results`.
        columns: symbol of the claim to the column that holds its value.
        among: columns that must be true for a row to be read.
    """

    study: str
    columns: Mapping[str, str]
    among: tuple[str, ...] = ()


_SWEEP = ("sharpness", "stable_sharpness", "interpolates")
_RAISED = "raised_stable_sharpness"
READINGS: Mapping[str, Reading] = MappingProxyType(
    {
        "M10": Reading("weight_function", {"distance": "distance", "n": "n"}),
        "M11": Reading("stability_sweep", {name: name for name in _SWEEP}),
        "M11.a": Reading(
            "stability_sweep", {name: name for name in (*_SWEEP, "sharpness_lower_bound", "units_within_a_step")}
        ),
        "M12": Reading(
            "step_size_jump",
            {name: name for name in ("factor", "rise", "raised_curvature", "constant_curvature")},
            ("arrived",),
        ),
        "M12.a": Reading(
            "step_size_jump",
            {"sharpness": "switch_sharpness", "stable_sharpness": _RAISED, "rise": "rise"},
            ("arrived",),
        ),
        "M12.b": Reading(
            "step_size_jump",
            {
                "rise": "rise",
                "raised_sharpness": "raised_sharpness",
                "constant_sharpness": "constant_sharpness",
            },
            ("arrived",),
        ),
    }
)
"""Which columns of which study each claim is evaluated on, by the claim's id."""


@cache
def _rows(file: Path, changed: int) -> pd.DataFrame:
    """Return the rows of a file; `changed` is when it was last written, so that a new one is read anew.

    Raises:
        ValueError: if the file cannot be read as rows.
    """
    try:
        rows: pd.DataFrame = pd.read_parquet(file)
    except (OSError, ValueError) as error:  # pyarrow's errors are one or the other
        raise ValueError(f"{file} is not a whole Parquet file: run its study again to compute its rows") from error
    return rows


def read(reading: Reading, results: Path = RESULTS) -> list[Instance]:
    """Return an instance for each row of a study that has a value in every column asked for.

    Runs that diverged have none for what was to be measured at their end; they are left out.

    Args:
        reading: which study, and which columns.
        results: the folder that holds one folder a study.

    Returns:
        The instances; none if the study has not been run.

    Raises:
        ValueError: if its rows cannot be read, or lack a column.
    """
    file = results / reading.study / "rows.parquet"
    if not file.exists():
        return []
    rows = _rows(file, file.stat().st_mtime_ns)
    wanted = ("key", *reading.columns.values(), *reading.among)
    missing = [column for column in wanted if column not in rows.columns]
    if missing:
        raise ValueError(f"{file} has no column {', '.join(missing)}: run its study again")
    for column in reading.among:
        rows = rows[rows[column].astype(bool)]
    rows = rows.dropna(subset=list(reading.columns.values()))
    parallel = zip(*(rows[column] for column in reading.columns.values()), strict=True)
    doubled = rows["key"].duplicated(keep=False)
    names = [
        f"{key} ({index})" if more else key for key, index, more in zip(rows["key"], rows.index, doubled, strict=True)
    ]
    return [
        Instance(
            dict(zip(reading.columns, map(_plain, values), strict=True)),
            f"trained: row {name} of results/{reading.study}",
        )
        for name, values in zip(names, parallel, strict=True)
    ]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


KEPT: Mapping[str, Callable[[], list[Instance]]] = MappingProxyType(
    {id: partial(read, reading) for id, reading in READINGS.items()}
)
"""The rows kept for each claim on what was observed, by id; read when they are asked for."""
