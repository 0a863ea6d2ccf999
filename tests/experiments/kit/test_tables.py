from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments.kit.tables import read_columns

ROWS = [[1.5, -2.0], [3.0, 4e-3]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("t,v\n1.5,-2\n3,4e-3\n", ""),
        ("t, v\n 1.5 , -2\n3,4e-3\n", ""),
        ("t;v\n1.5;-2\n3;4e-3\n", "';' between columns"),
        ("t;v\n1,5;-2\n3;4e-3\n", "';' between columns and decimal commas"),
        ("t\tv\n1.5\t-2\n3\t4e-3\n", "tabs between columns"),
        ("t\tv\n1,5\t-2\n3\t4e-3\n", "tabs between columns and decimal commas"),
        ("t|v\n1.5|-2\n3|4e-3\n", "'|' between columns"),
        ("t v\n1.5 -2\n3 4e-3\n", "blanks between columns"),
        ("  t   v\n 1.5   -2\n 3   4e-3 \n", "blanks between columns"),
        ("# made today\n\nt,v\n1.5,-2\n# a pause\n3,4e-3\n", ""),
        ("# t v\n1.5 -2\n3 4e-3\n", "blanks between columns"),
        ("# t,v\n1.5,-2\n3,4e-3\n", ""),
        ('"t","v"\n"1.5","-2"\n"3","4e-3"\n', ""),
        ("t,v,name\n1.5,-2,a;b\n3,4e-3,c\n", ""),
        ("\ufefft,v\r\n1.5,-2\r\n3,4e-3\r\n", ""),
    ],
    ids=["commas", "blanks around", "semicolons", "decimal commas", "tabs", "tabs and commas", "bars", "blanks",
         "many blanks", "comments", "names in a comment", "names in a comment, commas", "quotes", "other columns",
         "Windows"],
)  # fmt: skip
def test_a_csv_file_is_read_however_it_is_written(tmp_path: Path, text: str, told: str) -> None:
    file, heard = tmp_path / "data.csv", []
    file.write_text(text, encoding="utf-8", newline="")
    values, _ = read_columns(file, {"--x": ("t",), "--y": ("v",)}, say=heard.append)
    assert values.tolist() == ROWS
    assert heard == ([f"{file}: read with {told}"] if told else [])


def test_what_is_said_of_a_file_is_not_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("t;v\n1,5;2\n", encoding="utf-8")
    assert read_columns(file, {"--x": ("t",)}, separator=";", decimal=",")[0].tolist() == [[1.5]]
    with pytest.raises(ValueError, match="line 2, column 't': expected a number, got '1,5'"):
        read_columns(file, {"--x": ("t",)}, decimal=".")
    with pytest.raises(ValueError, match="has no column 't': its columns are t;v"):
        read_columns(file, {"--x": ("t",)}, separator=",")


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("# one\n\nt,v\n1,2\n\n# six\n3,x\n", encoding="utf-8")
    assert read_columns(file, {"--x": ("t",)})[1] == [4, 7]
    with pytest.raises(ValueError, match="line 7, column 'v': expected a number, got 'x'"):
        read_columns(file, {"--x": ("v",)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty: expected a line of column names"),
        ("# t,v\n", "is empty: expected a line of column names"),
        ("1,2\n3,4\n", "must begin with a line of column names, got the numbers 1, 2"),
        ("# a\n1,2\n3,4\n", "must begin with a line of column names, got the numbers 1, 2"),
        ("1,5;2\n3;4\n", "must begin with a line of column names, got the numbers 1,5, 2"),
        ("t,v\n1_0,2\n", "line 2, column 't': expected a number, got '1_0'"),
        ("t;v\n1.234,5;2\n", "line 2, column 't': expected a number, got '1.234,5'"),
    ],
    ids=["nothing", "a comment", "numbers", "numbers and a comment", "decimal commas", "underscore", "thousands"],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "data.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_columns(file, {"--x": ("t",)})


def test_parquet_files_and_arrays_have_columns_too(tmp_path: Path) -> None:
    frame, arrays = tmp_path / "data.parquet", tmp_path / "data.npz"
    pd.DataFrame({"t": [1.5, 3.0], "n": [1, 2], "word": ["a", "b"]}).to_parquet(frame)
    np.savez(arrays, x=np.arange(6.0).reshape(3, 2), y=np.arange(3), z=np.arange(2.0))
    assert read_columns(frame, {"--x": ("n", "t")})[0].tolist() == [[1, 1.5], [2, 3]]
    assert read_columns(arrays, {"--x": ("x",), "--y": ("y",)})[0].tolist() == [[0, 1, 0], [2, 3, 1], [4, 5, 2]]
    with pytest.raises(ValueError, match="column 'word': expected numbers"):
        read_columns(frame, {"--x": ("word",)})
    with pytest.raises(ValueError, match="must have columns of one length, got 2, 3"):
        read_columns(arrays, {"--x": ("x",), "--y": ("z",)})
    with pytest.raises(ValueError, match="has no column 'w': its columns are x, y, z"):
        read_columns(arrays, {"--x": ("w",)})
    with pytest.raises(ValueError, match="--sep and --decimal are for CSV files"):
        read_columns(arrays, {"--x": ("x",)}, separator=";")


@pytest.mark.parametrize(
    ("name", "message"), [("a.parquet", "is not a Parquet file"), ("a.npz", "is not a file of arrays")]
)
def test_half_a_file_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"PAR1 or PK, and no more")
    with pytest.raises(ValueError, match=message):
        read_columns(tmp_path / name, {"--x": ("x",)})


def test_what_is_not_finite_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([0.0, np.nan]), o=np.array([[[1.0]]]))
    with pytest.raises(ValueError, match="row 2, column 'x': expected a finite number, got nan"):
        read_columns(tmp_path / "a.npz", {"--x": ("x",)})
    with pytest.raises(ValueError, match=r"array 'o': expected shape \[n\] or \[n, k\]"):
        read_columns(tmp_path / "a.npz", {"--x": ("o",)})


@pytest.mark.parametrize(
    ("options", "message"),
    [({"separator": ";;"}, "--sep must be one character"), ({"decimal": ";"}, "--decimal must be")],
    ids=["separator", "decimal"],
)
def test_options_that_are_none_are_refused(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    (tmp_path / "a.csv").write_text("t\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_columns(tmp_path / "a.csv", {"--x": ("t",)}, **options)
