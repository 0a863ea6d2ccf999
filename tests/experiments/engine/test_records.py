"""Rows land whole or not at all, whenever a run is killed, and a folder that cannot be used is refused in a sentence."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.engine.records import RecordsError, opened, read_rows
from numerics.provenance import provenance, versions

CONFIG = {"seeds": 2, "names": ["a", "b"]}
TASKS: dict[str, list[dict[str, Any]]] = {
    "b-1": [{"loss": 1.5, "knots": [0.5, 1.0], "text": "one", "good": True}, {"loss": 2.5, "knots": [], "text": "two"}],
    "a-2": [{"loss": None, "knots": None, "text": "none", "good": None}],
    "c.3": [{"loss": 1, "knots": [], "text": "", "good": False, "more": 7}],
}


class Killed(BaseException):
    """Stands for a process that ends at once."""


def complete(path: Path) -> pd.DataFrame:
    """Do what a study does: add the rows of the tasks that are missing, then finish."""
    with opened(path, "study", CONFIG) as folder:
        there = folder.keys()
        for key in [key for key in TASKS if key not in there]:
            folder.add(key, TASKS[key])
        return folder.finish(list(TASKS))


def test_a_column_of_later_rows_only_is_kept(tmp_path: Path) -> None:
    with opened(tmp_path / "out", "study", CONFIG) as folder:
        folder.add("one", [{"a": 1}, {"a": 2, "b": 3}])
        assert folder.finish(["one"])["b"].tolist()[1] == 3


def contents(path: Path) -> set[str]:
    return {str(entry.relative_to(path)) for entry in path.rglob("*")} - {".lock"}


def test_rows_come_back_as_they_were_in_the_order_of_the_tasks(tmp_path: Path) -> None:
    table = complete(tmp_path / "out")
    assert table["key"].tolist() == ["b-1", "b-1", "a-2", "c.3"]
    assert table["text"].tolist() == ["one", "two", "none", ""]
    assert table["loss"].tolist()[:2] == [1.5, 2.5]
    assert pd.isna(table["loss"][2])
    assert table["loss"][3] == 1
    assert table["knots"][0].tolist() == [0.5, 1.0]
    assert [None if knots is None else len(knots) for knots in table["knots"]] == [2, 0, None, 0]
    assert table["more"].tolist()[3] == 7
    pd.testing.assert_frame_equal(table, read_rows(tmp_path / "out"))


def test_a_finished_folder_holds_the_rows_and_the_configuration_alone(tmp_path: Path) -> None:
    complete(tmp_path)
    assert contents(tmp_path) == {"config.json", "rows.parquet"}
    kept = json.loads((tmp_path / "config.json").read_text())
    assert kept == {"study": "study", "config": CONFIG, "versions": versions()}


def test_a_run_killed_at_any_moment_resumes_to_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = complete(tmp_path / "whole")
    moments, survived = 0, False
    while not survived:
        path = tmp_path / f"killed-{moments}"
        with monkeypatch.context() as patch:
            left = iter(range(moments))
            for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "rmdir"), (Path, "mkdir")):
                patch.setattr(owner, name, killing(getattr(owner, name), left))
            try:
                complete(path)
                survived = True
            except Killed:
                moments += 1
        pd.testing.assert_frame_equal(complete(path), expected)
        assert contents(path) == {"config.json", "rows.parquet"}, f"killed at moment {moments}"
    assert moments > 15, "every file is synced and renamed, and every shard removed"


def killing(function: Callable[..., Any], left: Any) -> Callable[..., Any]:
    """Return the function, which kills the process instead of acting once nothing is left of `left`."""

    def act(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise Killed
        return function(*arguments, **options)

    return act


def test_what_a_killed_run_left_half_written_is_removed(tmp_path: Path) -> None:
    with opened(tmp_path, "study", CONFIG) as folder:
        folder.add("b-1", TASKS["b-1"])
    for leftover in (".writing-rows.parquet", "shards/.writing-a-2.parquet"):
        (tmp_path / leftover).write_bytes(b"PAR1 half")
    with opened(tmp_path, "study", CONFIG) as folder:
        assert folder.keys() == {"b-1"}
    assert contents(tmp_path) == {"config.json", "shards", "shards/b-1.parquet"}


def test_rows_that_are_there_can_be_looked_at_before_the_end(tmp_path: Path) -> None:
    with opened(tmp_path, "study", CONFIG) as folder:
        assert folder.gather(list(TASKS)).empty
        folder.add("c.3", TASKS["c.3"])
        assert folder.gather(list(TASKS))["key"].tolist() == ["c.3"]


def refusal(path: Path, study: str = "study", config: dict[str, Any] = CONFIG) -> str:
    """Return the sentence with which a folder is refused."""
    with pytest.raises(RecordsError) as caught, opened(path, study, config):
        pass
    return str(caught.value)


def test_a_folder_of_another_study_is_refused(tmp_path: Path) -> None:
    complete(tmp_path)
    assert refusal(tmp_path, "other") == f"{tmp_path} holds rows of the study study, not other: choose another --out"


def test_a_folder_of_another_configuration_is_refused(tmp_path: Path) -> None:
    complete(tmp_path)
    assert refusal(tmp_path, config={**CONFIG, "seeds": 3}) == (
        f"{tmp_path} holds rows with seeds = 2, this run has seeds = 3: choose another --out, or remove the folder"
    )
    assert refusal(tmp_path, config={"names": ["a", "b"]}) == (
        f"{tmp_path} holds rows with seeds = 2, this run has seeds = nothing: choose another --out, or remove the folder"
    )


@pytest.mark.parametrize(
    "text", ["", '{"study": "study", "conf', '{"study": "study"}', "[1, 2]", '{"study": 1, "config": 2}']
)
def test_a_half_written_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert refusal(tmp_path) == (
        f"{tmp_path / 'config.json'} is not a whole record of a study: choose another --out or remove the folder"
    )


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear to me")
    assert refusal(tmp_path) == f"{tmp_path} holds thesis.tex but no config.json of a study: choose another --out"
    assert contents(tmp_path) == {"thesis.tex"}


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert refusal(tmp_path / "out") == f"{tmp_path / 'out'} is not a folder: choose another --out"
    assert refusal(tmp_path / "out" / "in") == f"{tmp_path / 'out' / 'in'} is not a folder: choose another --out"


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_truncated_file_of_rows_is_refused(tmp_path: Path, finished: bool, kept: float) -> None:
    with opened(tmp_path, "study", CONFIG) as folder:
        for key, rows in TASKS.items():
            folder.add(key, rows)
        if finished:
            folder.finish(list(TASKS))
    file = tmp_path / ("rows.parquet" if finished else "shards/a-2.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept * len(whole))])
    assert refusal(tmp_path) == (f"{file} is not a whole Parquet file: remove it and start again to compute its rows")


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, "study", CONFIG):
        assert refusal(tmp_path) == (
            f"{tmp_path} is in use by another run: wait for it to end, or choose another --out"
        )
    with opened(tmp_path, "study", CONFIG) as folder:
        assert folder.keys() == set()


def test_finishing_without_all_rows_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, "study", CONFIG) as folder:
        folder.add("b-1", TASKS["b-1"])
        with pytest.raises(
            RecordsError, match=re.escape(f"{tmp_path} lacks the rows of 2 tasks, the first of them a-2")
        ):
            folder.finish(list(TASKS))
        with pytest.raises(ValueError, match=r"^rows must hold at least one row for the task 'a-2', got none$"):
            folder.add("a-2", [])


def test_reading_an_unfinished_folder_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, "study", CONFIG):
        pass
    with pytest.raises(RecordsError) as caught:
        read_rows(tmp_path)
    assert str(caught.value) == f"{tmp_path} holds no rows.parquet: the study has not ended, start it again to resume"


def test_every_row_can_say_where_it_comes_from() -> None:
    columns = provenance()
    numbers = {"version_python", "version_numpy", "version_torch", "version_numba", "version_implicit_smoothness"}
    assert set(columns) == numbers | {"machine", "processor", "cpus"}
    assert all(columns.values())


def test_a_rows_file_that_lacks_rows_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "out", "study", {}) as folder:
        folder.add("a", [{"value": 1}])
        folder.finish(["a"])
        with pytest.raises(RecordsError) as caught:
            folder.missing(["a", "b", "c"])
    assert str(caught.value) == (
        f"{tmp_path / 'out' / 'rows.parquet'} lacks the rows of 2 of 3 tasks, the first of them b: "
        "remove it and start again to compute them"
    )


def test_a_parquet_file_of_nobody_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "out", "study", {}) as folder:
        pd.DataFrame({"value": [1]}).to_parquet(folder.rows_file)
        with pytest.raises(RecordsError) as caught:
            folder.keys()
    file = tmp_path / "out" / "rows.parquet"
    assert str(caught.value) == f"{file} has no column 'key': it is no study's; choose another --out"


def test_a_folder_that_cannot_be_made_is_named() -> None:
    path = Path("/proc/no-such-folder")
    with pytest.raises(RecordsError, match=r"^/proc/no-such-folder cannot be made \(.+\): choose another --out$"):
        opened(path, "study", {}).__enter__()


@pytest.mark.parametrize(
    ("first", "second"), [("x", 1.0), (True, 1.0), (2**62 + 1, 1.5), ([1.0], 1.0), (True, "yes")],
    ids=["text and number", "truth value and number", "long integer and float", "list and number", "truth value and text"],
)  # fmt: skip
def test_rows_that_do_not_fit_together_are_named(tmp_path: Path, first: object, second: object) -> None:
    with opened(tmp_path / "out", "study", CONFIG) as folder:
        for key, value in (("a", first), ("b", second)):
            folder.add(key, [{"v": value}])
        for ask in (folder.finish, folder.gather):
            with pytest.raises(RecordsError, match=r"^the rows of the tasks do not fit together: "):
                ask(["a", "b"])


@pytest.mark.parametrize("value", [2**53 + 1, 2**62 + 1, -(2**60) - 3], ids=["just", "far", "below 0"])
def test_long_integers_with_gaps_keep_their_digits(tmp_path: Path, value: int) -> None:
    with opened(tmp_path / "out", "study", CONFIG) as folder:
        folder.add("a", [{"v": value}])
        folder.add("b", [{"v": None}])
        found = folder.finish(["a", "b"])["v"]
    assert found[0] == value
    assert pd.isna(found[1])
