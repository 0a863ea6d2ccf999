"""Rows that studies kept under `results`, as instances of the claims about what was observed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from theory.claim import Claim, Instance, Ruling

RESULTS = Path(__file__).parents[1] / "results"
"""The folder of the studies' results, one folder a study: beside the code, in a checkout."""


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

    def missing(self) -> str:
        """Return where the rows would be, if they are not there: an installation may be without the results."""
        file = _file(self, RESULTS)
        return "" if file.exists() else str(file)

    def read(self, results: Path | None = None) -> list[Instance]:
        """Return an instance for each row of the study that has a value in every column asked for; see `read`.

        Raises:
            ValueError: if the rows cannot be read, or lack a column.
        """
        return read(self, RESULTS if results is None else results)


def _file(reading: Reading, results: Path) -> Path:
    return results / reading.study / "rows.parquet"


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


def rows_of(file: Path) -> pd.DataFrame:
    """Return the rows of a file that is there, read once for as long as it is not written anew.

    Raises:
        ValueError: if the file cannot be read as rows.
    """
    return _rows(file, file.stat().st_mtime_ns)


def read(reading: Reading, results: Path) -> list[Instance]:
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
    file = _file(reading, results)
    if not file.exists():
        return []
    rows = rows_of(file)
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


_SAID = {
    Ruling.HOLDS: "{} agree",
    Ruling.VIOLATED: "{} violate it",
    Ruling.INCONCLUSIVE: "{} decide nothing",
    Ruling.INAPPLICABLE: "{} lie outside its assumptions",
}


def kept_in_words(claim: Claim, rows: Sequence[Instance], noun: str = "kept rows") -> list[str]:
    """Return a sentence with what the kept rows say of a claim, which no note of `theory` says in numbers; none for none."""
    if not rows:
        return []
    counts = Counter(claim.evaluate(row).ruling for row in rows)
    parts = [said.format(counts[ruling]) for ruling, said in _SAID.items() if counts[ruling]]
    return [f"Of {len(rows)} {noun} {', '.join(parts)}."]
