"""Columns of numbers from a user's file: CSV in whatever way it is written, Parquet, or arrays of NumPy."""

from __future__ import annotations

import csv
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow

from theory.checks import Array

SEPARATORS = (";", "\t", "|", ",")
"""What may stand between columns; of equally many the first. Blanks, too, where none of these is in the header."""

DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        separator: what stands between columns; " " for any number of blanks.
        decimal: "." or ",".
        names: of the columns.
        first: the number of lines before the rows.
    """

    separator: str
    decimal: str
    names: tuple[str, ...]
    first: int

    def __str__(self) -> str:
        """Return what is not as in most files, "" if nothing is."""
        shown = {"\t": "tabs", " ": "blanks"}.get(self.separator, repr(self.separator))
        parts = [f"{shown} between columns"] if self.separator != "," else []
        parts += ["decimal commas"] if self.decimal == "," else []
        return " and ".join(parts)


def read_columns(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    *,
    fewest: int = 1,
    separator: str | None = None,
    decimal: str | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> tuple[Array, list[int]]:
    """Return columns of a file side by side, [n, columns], and the line of each row: see `read_parts`.

    Raises:
        ValueError: see there.
    """
    parts, lines = read_parts(path, columns, fewest=fewest, separator=separator, decimal=decimal, say=say)
    return np.hstack(parts), lines


def read_parts(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    *,
    fewest: int = 1,
    separator: str | None = None,
    decimal: str | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> tuple[list[Array], list[int]]:
    """Return for each option its columns, [n, columns], and the line of each row; of other files than CSV its number from 1.

    CSV files begin with a line of column names; lines that begin with # are passed over, but for one before the rows that has
    as many names as these have numbers. `.parquet` files have named columns, `.npz` files arrays by name: [n], or [n, k] for k
    columns at once.

    Args:
        path: the file.
        columns: the names of columns by the option that gave them.
        fewest: how many rows there must be.
        separator: what stands between the columns of a CSV file; seen in the header if not given.
        decimal: "." or ",": what its numbers have; seen in them if not given.
        say: is told what was seen, where it is not commas between columns and decimal points.

    Raises:
        ValueError: if the file is missing, empty or too short, has not these columns, or holds anything but finite
            numbers in them; with line and value. If `separator` or `decimal` is none, or the file is no CSV file.
    """
    if not path.is_file():
        raise ValueError(f"--data: there is no file {path}")
    if decimal not in (None, ".", ","):
        raise ValueError(f"--decimal must be . or , got {decimal!r}")
    if separator is not None and (len(separator) != 1 or separator in "\"'#.\r\n"):
        raise ValueError(f"--sep must be one character between columns, got {separator!r}")
    kind = path.suffix.lower()
    if kind in (".parquet", ".npz"):
        if separator is not None or decimal is not None:
            raise ValueError(f"--sep and --decimal are for CSV files, got {path}")
        found = (_parquet if kind == ".parquet" else _arrays)(path, columns)
        lines = list(range(1, len(found[0]) + 1))
    else:
        found, lines = _csv(path, columns, separator, decimal, say)
    if len(lines) < fewest:
        raise ValueError(
            f"{path} must hold at least {fewest} {'row' if fewest == 1 else 'rows'} of data, got {len(lines)}"
        )
    each = iter(found)
    return [np.hstack([next(each) for _ in chosen]) for chosen in columns.values()], lines


def _chosen(path: Path, names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the columns that are wanted.

    Raises:
        ValueError: if one is not there, or twice.
    """
    for option, chosen in columns.items():
        if not chosen or not all(chosen):
            raise ValueError(f"{option} must name a column of {path}: its columns are {', '.join(names)}")
        missing = [column for column in chosen if column not in names]
        if missing:
            raise ValueError(f"{path} has no column {missing[0]!r}: its columns are {', '.join(names)}")
        twice = [column for column in chosen if list(names).count(column) > 1]
        if twice:
            raise ValueError(f"{path} has more than one column {twice[0]!r}: its columns are {', '.join(names)}")
    return [column for part in columns.values() for column in part]


def _csv(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    separator: str | None,
    decimal: str | None,
    say: Callable[[str], object],
) -> tuple[list[Array], list[int]]:
    """Return columns of a CSV file, [n, 1] each, and the line of each row.

    Raises:
        ValueError: as `read_parts`.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            text = file.readlines()
        dialect = _dialect(path, text, separator, decimal)
        chosen = _chosen(path, dialect.names, columns)
        if str(dialect):
            say(f"{path}: read with {dialect}")
        places = [dialect.names.index(column) for column in chosen]
        lines, rows = [], []
        for line, row in _rows(text, dialect.separator, dialect.first):
            if len(row) > len(dialect.names):
                raise ValueError(f"{path}, line {line}: expected {len(dialect.names)} values, got more")
            lines.append(line)
            cells = [
                (column, row[place] if place < len(row) else "") for place, column in zip(places, chosen, strict=True)
            ]
            rows.append([_number(path, line, column, cell, dialect.decimal) for column, cell in cells])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file in UTF-8: {error}") from error
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(chosen))
    return list(values.T[..., None]), lines


def _rows(text: Sequence[str], separator: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of the rows from a line on, with the number of the line each ends in; no empty ones, no comments."""
    kept = ["\n" if line.lstrip().startswith("#") else line for line in text[first:]]
    if separator == " ":
        kept = [" ".join(line.split()) + "\n" for line in kept]
    reader = csv.reader(kept, delimiter=separator, skipinitialspace=True)
    for row in reader:
        if any(cell.strip() for cell in row) or len(row) > 1:
            yield first + reader.line_num, row


def _dialect(path: Path, text: Sequence[str], separator: str | None, decimal: str | None) -> Dialect:
    """Return how a CSV file is written.

    Raises:
        ValueError: if it has no line of column names.
    """
    comment, header = "", -1
    for number, line in enumerate(text):
        if line.lstrip().startswith("#"):
            comment = line.lstrip().lstrip("#")
        elif line.strip():
            header = number
            break
    if header < 0:
        raise ValueError(f"{path} is empty: expected a line of column names and rows of numbers")
    mark = separator or _separator(text[header], text[header + 1 :])
    names = _names(text[header], mark)
    first = header + 1
    point = decimal or _decimal(text, mark, header)
    if all(_is_number(name, point) for name in names):
        said = _names(comment, separator or _separator(comment, text[header:])) if comment.strip() else ()
        if len(said) != len(names) or any(_is_number(name, point) for name in said):
            raise ValueError(f"{path} must begin with a line of column names, got the numbers {', '.join(names)}")
        names, first = said, header
    return Dialect(mark, point, names, first)


def _names(line: str, separator: str) -> tuple[str, ...]:
    if separator == " ":
        return tuple(line.split())
    return tuple(name.strip() for row in csv.reader([line], delimiter=separator, skipinitialspace=True) for name in row)


def _separator(header: str, after: Sequence[str]) -> str:
    """Return what stands between the names in a header: the most frequent sign, or blanks if rows have as many numbers."""
    bare = re.sub(r'"[^"]*"', "", header)
    most = max(SEPARATORS, key=bare.count)
    if most in bare:
        return most
    row = next((line.split() for line in after if line.strip() and not line.lstrip().startswith("#")), [])
    blanks = len(row) == len(header.split()) > 1 and all(_is_number(cell, ".") for cell in row)
    return " " if blanks else ","


def _decimal(text: Sequence[str], separator: str, first: int) -> str:
    """Return "," if numbers have decimal commas, and none a decimal point."""
    if separator == ",":
        return "."
    cells = [cell.strip() for _, row in _rows(text, separator, first) for cell in row]
    commas = any(DECIMAL_COMMA.fullmatch(cell) for cell in cells)
    return "," if commas and not any("." in cell and _is_number(cell, ".") for cell in cells) else "."


def _pointed(text: str, decimal: str) -> str:
    """Return a number with a decimal point."""
    return text.replace(",", ".") if decimal == "," else text


def _is_number(text: str, decimal: str) -> bool:
    try:
        float(_pointed(text, decimal))
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, column: str, text: str, decimal: str) -> float:
    try:
        value = float("" if "_" in text else _pointed(text, decimal))
    except ValueError as error:
        raise ValueError(f"{path}, line {line}, column {column!r}: expected a number, got {text!r}") from error
    if not math.isfinite(value):
        raise ValueError(f"{path}, line {line}, column {column!r}: expected a finite number, got {text!r}")
    return value


def _parquet(path: Path, columns: Mapping[str, Sequence[str]]) -> list[Array]:
    """Return columns of a Parquet file, [n, 1] each.

    Raises:
        ValueError: if it is none, or has not these columns, or others than finite numbers in them.
    """
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise ValueError(f"{path} is not a Parquet file: {str(error).splitlines()[0]}") from error
    table.columns = [str(name) for name in table.columns]
    return _finite(path, [(name, table[name].to_numpy()) for name in _chosen(path, list(table.columns), columns)])


def _arrays(path: Path, columns: Mapping[str, Sequence[str]]) -> list[Array]:
    """Return the arrays of an npz file as columns, [n, k] each.

    Raises:
        ValueError: if it is none, or has not these arrays, or they do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a file of arrays as numpy.savez writes it: {error}") from error
    parts = []
    for name in _chosen(path, list(found), columns):
        array = found[name]
        if array.ndim not in (1, 2):
            raise ValueError(f"{path}, array {name!r}: expected shape [n] or [n, k], got {list(array.shape)}")
        parts.append((name, array))
    return _finite(path, parts)


def _finite(path: Path, parts: Sequence[tuple[str, Array]]) -> list[Array]:
    """Return arrays [n] or [n, k] as columns of float64, [n, k] each.

    Raises:
        ValueError: if they are not equally long, or one holds others than finite numbers.
    """
    lengths = {len(column) for _, column in parts}
    if len(lengths) > 1:
        raise ValueError(f"{path} must have columns of one length, got {', '.join(map(str, sorted(lengths)))}")
    found = []
    for name, column in parts:
        if column.dtype.kind not in "fiu":
            raise ValueError(f"{path}, column {name!r}: expected numbers, got {column.dtype}")
        numbers = column.astype(np.float64)
        numbers = numbers.reshape(len(numbers), -1)
        for row, place in np.argwhere(~np.isfinite(numbers))[:1]:
            raise ValueError(
                f"{path}, row {row + 1}, column {name!r}: expected a finite number, got {numbers[row, place]}"
            )
        found.append(numbers)
    return found
