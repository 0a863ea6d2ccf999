"""How the rows of a study are kept: whole or not at all, so that a run killed at any moment resumes where it was.

A folder holds `config.json` (study, configuration, versions), one Parquet file per task in `shards/` while a study runs,
and all rows in `rows.parquet` at the end. Every file is written aside, synced and renamed. `rows.parquet` is written
before the shards are removed, and shards beside a `rows.parquet` are removed on opening: no row is lost or doubled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from numerics.files import ASIDE, write_whole
from numerics.provenance import versions

Row = dict[str, Any]
"""Column name to value: text, numbers, truth values, lists of numbers, or None where there is nothing to report."""


class RecordsError(ValueError):
    """An output folder that cannot be used, in one sentence that says what was found and what to do."""


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise RecordsError(
            f"{path} is not a whole Parquet file: remove it and start again to compute its rows"
        ) from error


@dataclass(frozen=True)
class Folder:
    """An output folder of one study with one configuration, held by this process alone.

    Attributes:
        path: the folder.
    """

    path: Path

    @property
    def rows_file(self) -> Path:
        """Where all rows are once the study has ended."""
        return self.path / "rows.parquet"

    def _shard(self, key: str) -> Path:
        return self.path / "shards" / f"{key}.parquet"

    def keys(self) -> set[str]:
        """Return the keys of the tasks whose rows are there.

        Raises:
            RecordsError: if `rows.parquet` is not a whole Parquet file, or not one of a study.
        """
        if self.rows_file.exists():
            if "key" not in pq.read_schema(self.rows_file).names:
                raise RecordsError(f"{self.rows_file} has no column 'key': it is no study's; choose another --out")
            return set(_read(self.rows_file, ["key"])["key"].to_pylist())
        return {path.stem for path in (self.path / "shards").glob("*.parquet")}

    def add(self, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the rows of one task, whole or not at all, each with its key.

        Args:
            key: names the task; letters, digits, '.', '_' and '-'.
            rows: the rows, at least one.

        Raises:
            ValueError: if there are no rows.
        """
        if not rows:
            raise ValueError(f"rows must hold at least one row for the task {key!r}, got none")
        # pyarrow takes its columns from the first row, and would drop what only later ones have.
        columns = dict.fromkeys(name for row in rows for name in row)
        table = pa.Table.from_pylist([{"key": key, **columns, **row} for row in rows])
        self._shard(key).parent.mkdir(exist_ok=True)
        write_whole(self._shard(key), lambda aside: pq.write_table(table, aside))

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys of those tasks whose rows are still to be computed, in this order.

        Raises:
            RecordsError: if `rows.parquet` is there, which is written when all rows are, and lacks some.
        """
        there = self.keys()
        lacking = [key for key in keys if key not in there]
        if lacking and self.rows_file.exists():
            raise RecordsError(
                f"{self.rows_file} lacks the rows of {len(lacking)} of {len(keys)} tasks, the first of them {lacking[0]}: "
                "remove it and start again to compute them"
            )
        return lacking

    def gather(self, keys: Iterable[str]) -> pd.DataFrame:
        """Return the rows of these tasks in this order, as far as they are there.

        Raises:
            RecordsError: if a file is not a whole Parquet file, or the tasks' rows do not fit together.
        """
        if self.rows_file.exists():
            return _frame(_read(self.rows_file))
        shards = [_read(self._shard(key)) for key in keys if self._shard(key).exists()]
        return _frame(_together(shards)) if shards else pd.DataFrame()

    def finish(self, keys: Sequence[str]) -> pd.DataFrame:
        """Gather the shards of these tasks into `rows.parquet`, in this order, then remove them; return the rows.

        Raises:
            RecordsError: if the rows of a task are missing, a shard is not a whole Parquet file, or they do not fit together.
        """
        if not self.rows_file.exists():
            missing = [key for key in keys if key not in self.keys()]
            if missing:
                raise RecordsError(
                    f"{self.path} lacks the rows of {len(missing)} tasks, the first of them {missing[0]}"
                )
            table = _together([_read(self._shard(key)) for key in keys])
            write_whole(self.rows_file, lambda aside: pq.write_table(table, aside))
        self._remove_shards()
        return _frame(_read(self.rows_file))

    def _remove_shards(self) -> None:
        if (self.path / "shards").exists():
            for path in (self.path / "shards").glob("*.parquet"):
                path.unlink()
            (self.path / "shards").rmdir()

    def tidy(self) -> None:
        """Remove what a killed run left: files half written, and shards whose rows are in `rows.parquet`.

        Raises:
            RecordsError: if a file of rows is not a whole Parquet file.
        """
        for leftover in [*self.path.glob(f"{ASIDE}*"), *self.path.glob(f"shards/{ASIDE}*")]:
            leftover.unlink()
        if self.rows_file.exists():
            _read(self.rows_file)
            self._remove_shards()
        for shard in sorted(self.path.glob("shards/*.parquet")):
            _read(shard)


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the rows of several tasks as one table.

    Raises:
        RecordsError: if a column holds things of different kinds, or integers that would lose digits among floats.
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise RecordsError(f"the rows of the tasks do not fit together: {str(error).splitlines()[0]}") from error


def _beyond_floats(column: pa.ChunkedArray) -> bool:
    """Return whether integers have more digits than a float."""
    ends = pc.min_max(column).as_py()
    return any(value is not None and abs(value) > 2**53 for value in ends.values())


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame; integers with gaps become floats there, or, beyond the digits of these, nullable integers."""
    frame: pd.DataFrame = table.to_pandas()
    for name in (field.name for field in table.schema if pa.types.is_integer(field.type)):
        if table[name].null_count and _beyond_floats(table[name]):
            frame[name] = table[name].to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def read_rows(path: Path) -> pd.DataFrame:
    """Return the rows of a finished study from its folder.

    Raises:
        RecordsError: if there is no `rows.parquet` in the folder, or it is not a whole Parquet file.
    """
    if not (path / "rows.parquet").exists():
        raise RecordsError(f"{path} holds no rows.parquet: the study has not ended, start it again to resume")
    return _frame(_read(path / "rows.parquet"))


@contextmanager
def opened(path: Path, study: str, config: Mapping[str, Any]) -> Iterator[Folder]:
    """Hold an output folder for this process: made if it is not there, checked, and tidied.

    Args:
        path: the folder.
        study: the study's id.
        config: its configuration, as JSON types; a folder of another configuration is refused.

    Yields:
        The folder.

    Raises:
        RecordsError: if the folder belongs to another study or configuration or to no study, is in use by another
            process, cannot be written, or holds a file that is not whole.
    """
    wanted = {"study": study, "config": json.loads(json.dumps(config))}
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise RecordsError(f"{path} is not a folder: choose another --out") from error
    except OSError as error:
        raise RecordsError(f"{path} cannot be made ({error.strerror}): choose another --out") from error
    if not (path / "config.json").exists():
        strangers = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith((ASIDE, ".lock")))
        if strangers:
            raise RecordsError(f"{path} holds {strangers[0]} but no config.json of a study: choose another --out")
    lock = FileLock(path / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RecordsError(f"{path} is in use by another run: wait for it to end, or choose another --out") from error
    except OSError as error:
        raise RecordsError(f"{path} cannot be written ({error.strerror}): choose another --out") from error
    try:
        if (path / "config.json").exists():
            _check_same(path / "config.json", wanted)
        else:
            text = json.dumps({**wanted, "versions": versions()}, indent=2) + "\n"
            write_whole(path / "config.json", lambda aside: aside.write_text(text))
        folder = Folder(path)
        folder.tidy()
        yield folder
    finally:
        lock.release()


def _check_same(file: Path, wanted: Mapping[str, Any]) -> None:
    try:
        kept = json.loads(file.read_text())
        study, config = kept["study"], dict(kept["config"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecordsError(
            f"{file} is not a whole record of a study: choose another --out or remove the folder"
        ) from error
    if study != wanted["study"]:
        raise RecordsError(
            f"{file.parent} holds rows of the study {study}, not {wanted['study']}: choose another --out"
        )
    for name in sorted({*config, *wanted["config"]}):
        old, new = config.get(name, "nothing"), wanted["config"].get(name, "nothing")
        if old != new:
            raise RecordsError(
                f"{file.parent} holds rows with {name} = {old}, this run has {name} = {new}: "
                "choose another --out, or remove the folder"
            )
