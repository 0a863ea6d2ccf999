"""Independent cases of a study's kept rows, as instances of the claims about tendencies (`theory.tendency`)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from proofs_check.kept import RESULTS, rows_of
from theory.checks import rationals
from theory.claim import Instance
from theory.volhejn2020 import kendall_tau_b

Effects = Mapping[Hashable, float | None]
"""The effect in each independent case, by its name; None where it is not defined."""


@dataclass(frozen=True, eq=False)
class Cases:
    """One test of a tendency: which rows of a study it is about, and what is measured in each independent case of them.

    Attributes:
        name: what is tested, in a few words.
        study: the folder under `results`.
        case: what an independent case is, a noun, with what it shares with the others.
        effects: the effect in each case, from the rows that are asked for.
        columns: the columns that it reads.
        preset: the preset of the study that makes such rows.
        among: column to the value that a row must have in it to be read.
        sizes: column to how many different values the rows must have in it, if they are to be compared at all.
        folders: further folders under that of the study, whose rows are read too; which it is stands in the column
            `folder`, empty for those of the study itself.
        label, measures: what the effect relates: tests shuffle the one, and put noise in place of the others.
    """

    name: str
    study: str
    case: str
    effects: Callable[[pd.DataFrame], Effects]
    columns: tuple[str, ...]
    preset: str
    among: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    label: str = ""
    measures: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Where an instance says that it came from."""
        return f"trained: {self.name}, of results/{self.study}"

    def files(self, results: Path) -> list[Path]:
        """Return the files of rows that are read."""
        return [results / self.study / folder / "rows.parquet" for folder in ("", *self.folders)]

    def rows(self, results: Path = RESULTS) -> pd.DataFrame:
        """Return the rows of the study with the columns asked for.

        Raises:
            ValueError: if a file cannot be read, or lacks a column.
        """
        parts = []
        for folder, file in zip(("", *self.folders), self.files(results), strict=True):
            rows = rows_of(file).assign(folder=folder)
            self._complete(rows, str(file))
            parts.append(rows[list(dict.fromkeys((*self.among, *self.columns, *self.sizes)))])
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)

    def on(self, rows: pd.DataFrame, effect: str, tests: int = 1, where: str = "the rows") -> Instance:
        """Return the instance that these rows make.

        Args:
            rows: rows of the study, of those asked for and of others.
            effect: the name of the symbol that the effects are of.
            tests: how many tests the claim is put to.
            where: what an error calls them.

        Raises:
            ValueError: if they lack a column, a value asked for, or sizes to compare: says which preset has them.
        """
        self._complete(rows, where)
        for column, value in self.among.items():
            rows = rows[rows[column] == value]
            if rows.empty:
                raise ValueError(
                    f"{where} hold none with {column} = {value}, which {self.name} is about: {self._again}"
                )
        for column, fewest in self.sizes.items():
            there = sorted(rows[column].unique())
            if len(there) < fewest:
                shown = ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in there)
                raise ValueError(
                    f"{where} hold {column} = {shown} only, and {self.name} compares at least {fewest}: {self._again}"
                )
        found = self.effects(rows)
        told = [float(f"{value:.12g}") for value in found.values() if value is not None and np.isfinite(value)]
        return Instance({effect: rationals(told), "undefined": len(found) - len(told), "tests": tests}, self.origin)

    def _complete(self, rows: pd.DataFrame, where: str) -> None:
        lacking = [column for column in (*self.among, *self.columns, *self.sizes) if column not in rows.columns]
        if lacking:
            raise ValueError(f"{where} has no column {', '.join(dict.fromkeys(lacking))}: {self._again}")

    @property
    def _again(self) -> str:
        return f"run `python -m experiments.{self.study} --preset {self.preset}` for such rows"


@dataclass(frozen=True)
class Tendencies:
    """The tests of a claim about a tendency, on kept rows.

    Attributes:
        effect: the name of the claim's symbol of the effects.
        cases: one entry a test.
    """

    effect: str
    cases: tuple[Cases, ...]

    def missing(self) -> str:
        """Return where rows would be, if some are not there: an installation may be without the results."""
        files = (file for cases in self.cases for file in cases.files(RESULTS))
        return next((str(file) for file in files if not file.exists()), "")

    def read(self, results: Path | None = None) -> list[Instance]:
        """Return an instance for each test.

        Raises:
            ValueError: if rows cannot be read, or lack a column, a value or sizes; see `Cases.on`.
        """
        where = RESULTS if results is None else results
        found = []
        for cases in self.cases:
            files = cases.files(where)
            if all(file.exists() for file in files):
                changed = tuple(file.stat().st_mtime_ns for file in files)
                found.append(_measured(cases, self.effect, len(self.cases), where, changed))
        return found


@cache
def _measured(cases: Cases, effect: str, tests: int, results: Path, changed: tuple[int, ...]) -> Instance:
    """Return the instance of a test; `changed` is when its files were last written, so that new ones are read anew."""
    return cases.on(cases.rows(results), effect, tests, str(cases.files(results)[0]))


def tau(x: Iterable[Any], y: Iterable[Any]) -> float | None:
    """Return Kendall's tau_b of two columns, values to 12 significant digits; None where one is constant or too short."""
    first, second = (np.array([float(f"{value:.12g}") for value in column]) for column in (x, y))
    if len(first) < 2 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return kendall_tau_b(first, second)


def taus(
    rows: pd.DataFrame, x: str, y: str, *, by: str | list[str], within: list[str] | None = None
) -> dict[Hashable, float | None]:
    """Return the tau_b of two columns for each case: over all its rows, or the mean over parts of them.

    Args:
        rows: rows with a value in both columns are looked at.
        x: one column.
        y: the other.
        by: the columns that name a case.
        within: columns that are held fixed: tau_b is taken among rows that agree in them, and averaged over these parts.
    """
    whole = rows.dropna(subset=[x, y])
    found: dict[Hashable, float | None] = {}
    for name, case in whole.groupby(by):
        parts = [part for _, part in case.groupby(within)] if within else [case]
        values = [value for part in parts if (value := tau(part[x], part[y])) is not None]
        found[name] = round(float(np.mean(values)), 12) if values else None
    return found


def apart(ratio: float) -> float:
    """Return how far apart two positive numbers are, the larger divided by the smaller, from their ratio."""
    return max(ratio, 1 / ratio)


def middle(values: Iterable[float]) -> float | None:
    """Return the median of the finite values, None if there is none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.median(finite)) if finite else None
