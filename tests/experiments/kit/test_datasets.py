"""The data sets, and the sentences with which a user's file is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.kit.datasets import BUILT_IN, FORBES, chosen, from_file, named, read_csv, standardised
from experiments.kit.plotting import literal
from theory.checks import data_set


@pytest.mark.parametrize("name", [*BUILT_IN, "forbes1857"])
def test_built_in_data_are_standardised_and_sorted(name: str) -> None:
    data = named(name)
    x, y = data_set(data.x, data.y)
    np.testing.assert_array_equal(data.x, x)
    np.testing.assert_array_equal(data.y, y)
    assert abs(np.mean(x)) < 1e-14
    assert abs(np.mean(x**2) - 1) < 1e-14
    assert 0.01 < np.std(y) < 3


def test_data_sets_differ_and_do_not_change() -> None:
    digests = [named(name).digest for name in [*BUILT_IN, "forbes1857"]]
    assert len(set(digests)) == len(digests)
    assert digests == [named(name).digest for name in [*BUILT_IN, "forbes1857"]]


def test_forbes_has_his_seventeen_measurements() -> None:
    x, y = read_csv(FORBES, "boiling_point_F", "pressure_inHg")
    # Weisberg, Applied Linear Regression: the means, and the least-squares slope of pressure on temperature
    assert len(x) == 17
    assert round(float(np.mean(x)), 4) == 202.9529
    assert round(float(np.mean(y)), 5) == 25.05882
    assert round(float(np.polyfit(x, y, 1)[0]), 4) == 0.5229


def test_equal_values_are_shifted_and_not_scaled() -> None:
    np.testing.assert_array_equal(standardised(np.array([3.0, 3.0])), [0.0, 0.0])


def test_a_file_is_read_sorted_and_standardised_or_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("\ufeffname,t,v\na,3,10\nb,1,20\nc,2,60\n", encoding="utf-8")
    raw = from_file(file, "t", "v", standardise=False)
    assert (raw.name, raw.x.tolist(), raw.y.tolist()) == ("mine", [1.0, 2.0, 3.0], [20.0, 60.0, 10.0])
    data = from_file(file, "t", "v", standardise=True)
    np.testing.assert_allclose(data.x, np.sqrt(1.5) * np.array([-1, 0, 1]), rtol=1e-15)
    np.testing.assert_allclose([np.mean(data.y), np.mean(data.y**2)], [0, 1], atol=1e-15)


@pytest.mark.parametrize(
    ("text", "columns", "sentence"),
    [
        ("", ("a", "b"), "{} is empty: expected a line of column names and rows of numbers"),
        ("a,b\n1,2\n3,4\n", ("a", "c"), "{} has no column 'c': its columns are a, b"),
        ("a,b\n1,2\n3,4\n", ("a", ""), "--y must name a column of {}: its columns are a, b"),
        ("a,b\n1,2\n3,4\n", ("", ""), "--x must name a column of {}: its columns are a, b"),
        ("a,b\n1,2\n3,high\n", ("a", "b"), "{}, line 3, column 'b': expected a number, got 'high'"),
        ("a,b\n1,2\n3\n", ("a", "b"), "{}, line 3, column 'b': expected a number, got ''"),
        ("a,b\n1,2\n3,nan\n", ("a", "b"), "{}, line 3, column 'b': expected a finite number, got 'nan'"),
        ("a,b\n-inf,2\n3,4\n", ("a", "b"), "{}, line 2, column 'a': expected a finite number, got '-inf'"),
        ("a,b\n1,2,3\n4,5\n", ("a", "b"), "{}, line 2: expected 2 values, got more"),
        ("a,b\n", ("a", "b"), "{} must hold at least 2 rows of data, got 0"),
        ("a,b\n1,2\n", ("a", "b"), "{} must hold at least 2 rows of data, got 1"),
        ("a,b,a\n1,2,3\n4,5,6\n", ("a", "b"), "{} has more than one column 'a': its columns are a, b, a"),
        ("a,b\n1_000,2\n3,4\n", ("a", "b"), "{}, line 2, column 'a': expected a number, got '1_000'"),
        ("1,2\n3,4\n5,6\n", ("1", "2"), "{} must begin with a line of column names, got the numbers 1, 2"),
        (
            "a,b\n1,2\n2,3\n9e18,4\n",
            ("a", "b"),
            "{}, column 'a': expected values that differ once they are standardised, got -0.7071067811865475 twice",
        ),
        ("a,b\n1,2\n3,4\n1.0,5\n", ("a", "b"), "{}, column 'a': expected distinct values, got 1.0 in lines 2 and 4"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, columns: tuple[str, str], sentence: str
) -> None:
    file = tmp_path / "data.csv"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"^.") as caught:
        from_file(file, *columns, standardise=True)
    assert str(caught.value) == sentence.format(file)


def refusal(names: tuple[str, ...], path: Path | None = None, x: str = "", y: str = "") -> str:
    """Return the sentence with which a choice of data is refused."""
    with pytest.raises(ValueError, match=r"^.") as caught:
        chosen(names, path, x, y, standardise=True)
    return str(caught.value)


def test_a_choice_that_is_none_is_refused(tmp_path: Path) -> None:
    known = "sine, hat, step, parabola, gaussian_process, clusters, forbes1857"
    assert refusal(("sine", "cosine")) == f"--data-sets must name some of {known}, got 'cosine'"
    assert refusal(("sine", "sine")) == "--data-sets must name at least one data set, each once, got sine sine"
    assert refusal(()) == "--data-sets must name at least one data set, each once, got none"
    assert refusal(("sine",), x="a") == (
        "--x and --y name columns of a file: give --data too, got --x 'a' --y '' alone"
    )
    assert refusal(("sine",), tmp_path / "no.csv", "a", "b") == f"--data: there is no file {tmp_path / 'no.csv'}"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_bytes(b"a,b\n1,\xff\n")
    assert refusal((), tmp_path / "b.csv", "a", "b").startswith(f"{tmp_path / 'b.csv'} is not a CSV file in UTF-8: ")


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-170, 1e-101, 1e-5, 1.0, 1e5, 1e101, 1e160, 1e200, 1.5e308])
def test_standardising_does_not_depend_on_the_unit(scale: float) -> None:
    values = np.array([1.0, -1.0, 0.5])
    np.testing.assert_allclose(standardised(scale * values), standardised(values), rtol=1e-14)


def test_blanks_around_column_names_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a , b\n1,2\n3,4\n")
    assert from_file(tmp_path / "a.csv", "a", "b", standardise=False).y.tolist() == [2.0, 4.0]


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on posix alone")
def test_a_name_that_is_no_text_is_told_as_text(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.csv")
    file.write_text("a,b\n1,2\n3,4\n")
    assert from_file(file, "a", "b", standardise=False).name == "caf\\xe9"


def test_a_name_with_dollars_is_drawn_as_it_is() -> None:
    drawing = Figure()
    for name in ("cost_$_in_$", "a$$b", "plain"):
        text = drawing.text(0, 0, literal(name))
        drawing.draw_without_rendering()
        assert text.get_text().replace("\\$", "$") == name
