"""The data sets of the studies: a few functions of one variable, real data, and the user's own file."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.kit.tables import read_columns
from theory.checks import Array

FORBES = Path(__file__).parents[1] / "data" / "forbes1857.csv"


@dataclass(frozen=True, eq=False)
class DataSet:
    """Data on the line.

    Attributes:
        name: what rows and figures call it.
        x: distinct inputs, [n], increasing.
        y: targets, [n].
    """

    name: str
    x: Array
    y: Array

    @property
    def digest(self) -> str:
        """SHA-256 of the numbers."""
        return hashlib.sha256(self.x.tobytes() + self.y.tobytes()).hexdigest()


def standardised(values: Array) -> Array:
    """Return the values [n] shifted and scaled to mean 0 and variance 1, of any size; equal values become 0."""
    largest = float(np.max(np.abs(values)))
    moderate = values if 1e-100 < largest < 1e100 or largest == 0 else values / largest
    centred: Array = moderate - np.mean(moderate)
    spread = float(np.sqrt(np.mean(centred**2)))
    return centred / spread if spread > 0 else centred


def _sine() -> tuple[Array, Array]:
    x = np.linspace(-1.0, 1.0, 8)
    return x, np.sin(np.pi * x)


def _hat() -> tuple[Array, Array]:
    x = np.array([-1.0, -0.75, -0.5, -0.2, 0.15, 0.45, 0.7, 1.0])
    return x, np.abs(x)


def _parabola() -> tuple[Array, Array]:
    x = np.linspace(-1.0, 1.0, 5)
    return x, 0.6 * x**2


def _step() -> tuple[Array, Array]:
    x = np.array([-1.0, -0.7, -0.45, -0.2, 0.2, 0.45, 0.7, 1.0])
    return x, np.sign(x) / 2


def _gaussian_process() -> tuple[Array, Array]:
    """Return 10 values of a Gaussian process, RBF kernel of length 0.5 and variance 1 (volhejn2020, Table 4.1)."""
    generator = np.random.default_rng(int.from_bytes(hashlib.sha256(b"gaussian_process").digest()[:8], "big"))
    x = np.linspace(-1.0, 1.0, 10)
    values, vectors = np.linalg.eigh(np.exp(-((x[:, None] - x) ** 2) / (2 * 0.5**2)))
    return x, vectors @ (np.sqrt(np.maximum(values, 0.0)) * generator.standard_normal(10))


def _clusters() -> tuple[Array, Array]:
    x = np.concatenate([centre + np.array([-0.22, 0.0, 0.25]) for centre in (-1.0, 0.1, 1.0)])
    return x, np.cos(2 * x)


BUILT_IN: dict[str, Callable[[], tuple[Array, Array]]] = {
    "sine": _sine,
    "hat": _hat,
    "step": _step,
    "parabola": _parabola,
    "gaussian_process": _gaussian_process,
    "clusters": _clusters,
}


def named(name: str) -> DataSet:
    """Return a built-in data set, standardised: mean 0 and variance 1 in x, and for "forbes1857" in y too.

    Raises:
        ValueError: if there is none of this name.
    """
    if name == "forbes1857":
        return DataSet(name, *_sorted(*read_csv(FORBES, "boiling_point_F", "pressure_inHg"), standardise=True))
    if name not in BUILT_IN:
        raise ValueError(f"--data-sets must name some of {', '.join([*BUILT_IN, 'forbes1857'])}, got {name!r}")
    x, y = BUILT_IN[name]()
    return DataSet(name, standardised(x), y)


def from_file(path: Path, x: str, y: str, *, standardise: bool) -> DataSet:
    """Return two columns of a CSV file as a data set, both standardised or as they are.

    Raises:
        ValueError: if the file is missing, empty, has not these columns, holds anything but finite numbers in them,
            fewer than two rows, or one x twice; with line and value.
    """
    name = os.fsencode(path.stem).decode("utf-8", "backslashreplace")  # a name is text, whatever a file's is
    points, targets = _sorted(*read_csv(path, x, y), standardise=standardise)
    equal = np.flatnonzero(np.diff(points) == 0)
    if len(equal):
        raise ValueError(
            f"{path}, column {x!r}: expected values that differ once they are standardised, got {points[equal[0]]} twice"
        )
    return DataSet(name, points, targets)


def chosen(names: tuple[str, ...], path: Path | None, x: str, y: str, *, standardise: bool) -> list[DataSet]:
    """Return the built-in data sets of these names, or in their place two columns of a CSV file.

    Raises:
        ValueError: if a name is unknown or given twice, a column is given without a file, or the file cannot be used.
    """
    if path is not None:
        return [from_file(path, x, y, standardise=standardise)]
    if x or y:
        raise ValueError(f"--x and --y name columns of a file: give --data too, got --x {x!r} --y {y!r} alone")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"--data-sets must name at least one data set, each once, got {' '.join(names) or 'none'}")
    return [named(name) for name in names]


def _sorted(x: Array, y: Array, *, standardise: bool) -> tuple[Array, Array]:
    order = np.argsort(x)
    return (standardised(x[order]), standardised(y[order])) if standardise else (x[order], y[order])


def read_csv(path: Path, x: str, y: str) -> tuple[Array, Array]:
    """Return two columns of a CSV file that begins with a line of column names: [n] and [n], in the file's order.

    Raises:
        ValueError: see `from_file`.
    """
    wanted = {"--x": (x,), "--y": (y,)}
    columns, lines = read_columns(path, wanted, fewest=2, say=lambda text: print(text, file=sys.stderr))
    if columns.shape[1] != 2:
        raise ValueError(f"{path} must have one number a row for --x and one for --y, got {columns.shape[1]} in all")
    first: dict[float, int] = {}
    for line, value in zip(lines, columns[:, 0].tolist(), strict=True):
        if value in first:
            raise ValueError(
                f"{path}, column {x!r}: expected distinct values, got {value} in lines {first[value]} and {line}"
            )
        first[value] = line
    return columns[:, 0], columns[:, 1]
