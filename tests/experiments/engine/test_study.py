"""Running a study: resumed, interrupted, read again, and refused in a sentence."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
import types
from collections.abc import Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

from experiments.engine.executors import Processes, loss
from experiments.engine.records import Row, read_rows
from experiments.engine.study import Printed, Study, Task, main, seed_of

CALLS: list[int] = []


@dataclass(frozen=True)
class Config:
    """What is run.

    Attributes:
        count: number of tasks.
        fails_at: the task that fails.
        interrupts_at: the task during which the user interrupts.
    """

    count: int = 4
    fails_at: int = -1
    interrupts_at: int = -1


def compute(number: int, config: Config) -> list[Row]:
    CALLS.append(number)
    if number == config.fails_at and CALLS.count(number) == 1:
        raise ArithmeticError("task failed")
    if number > config.interrupts_at >= 0:
        time.sleep(0.05)
    if number == config.interrupts_at and CALLS.count(number) == 1:
        signal.raise_signal(signal.SIGINT)
    return [{"number": number, "seed": seed_of("toy", number)}]


def tasks(config: Config) -> Mapping[str, Task]:
    if config.count < 1:
        raise ValueError(f"--count must be at least 1, got {config.count}")
    return {f"task-{number}": partial(compute, number, config) for number in range(config.count)}


def figure(rows: pd.DataFrame) -> Figure:
    drawing = Figure()
    drawing.add_subplot().plot(rows["number"])
    return drawing


STUDY: Study[Config] = Study(
    id="toy",
    title="A toy.",
    claims=("M1",),
    printed=(Printed("M1", "Lemma 1", "nothing"),),
    presets={"default": Config(), "smoke": Config(count=2)},
    tasks=tasks,
    table=lambda rows: f"sum {rows['number'].sum()}",
    conclusion=lambda rows: f"{len(rows)} rows.",
    figure=figure,
)


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


def test_a_study_writes_rows_table_and_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(STUDY, ["--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("A toy. Preset default: 4 tasks, 4 rows.\n\nsum 6\n\n4 rows.\n")
    names = ("rows.parquet", "config.json", "summary.txt", "figure.png", "figure.pdf")
    assert [line for line in printed.splitlines() if line.startswith("wrote")] == [
        f"wrote {tmp_path / n}" for n in names
    ]
    assert (tmp_path / "summary.txt").read_text() == "A toy. Preset default: 4 tasks, 4 rows.\n\nsum 6\n\n4 rows.\n"
    assert all((tmp_path / name).stat().st_size > 0 for name in names)
    rows = read_rows(tmp_path)
    assert rows["number"].tolist() == [0, 1, 2, 3]
    assert set(rows["study"]) == {"toy"}
    assert set(rows["preset"]) == {"default"}
    assert (rows["seconds"] >= 0).all()
    assert rows["seed"].is_unique


def test_a_finished_folder_is_read_again_and_not_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(STUDY, ["--out", str(tmp_path)]) == 0
    first = capsys.readouterr().out
    CALLS.clear()
    assert main(STUDY, ["--out", str(tmp_path), "--workers", "3"]) == 0
    assert CALLS == []
    assert capsys.readouterr().out == first


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_keeps_what_has_begun_and_says_how_to_resume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--out", str(tmp_path), "--count", "9", "--interrupts-at", "3", "--workers", "1"]
    assert main(STUDY, command) == 130
    kept = len(list((tmp_path / "shards").glob("*.parquet")))
    assert 4 <= kept <= 9, "the interrupted task ended, and its rows were kept"
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"Interrupted: the rows of {kept} of 9 tasks are kept in {tmp_path}; start the same command again to resume."
    )
    done = list(CALLS)
    assert main(STUDY, command) == 0
    assert CALLS[len(done) :] == list(range(len(done), 9)), "only what was missing is computed"
    assert read_rows(tmp_path)["number"].tolist() == list(range(9))


def test_a_task_that_fails_is_shown_and_the_others_are_kept(tmp_path: Path) -> None:
    command = ["--out", str(tmp_path), "--fails-at", "2", "--workers", "1"]
    with pytest.raises(ArithmeticError, match=r"^task failed$"):
        main(STUDY, command)
    assert {"task-0", "task-1"} <= {path.stem for path in (tmp_path / "shards").glob("*.parquet")}
    assert main(STUDY, command) == 0
    assert read_rows(tmp_path)["number"].tolist() == [0, 1, 2, 3]


def test_rows_say_when_a_preset_was_changed(tmp_path: Path) -> None:
    assert main(STUDY, ["--preset=smoke", "--count", "3", "--out", str(tmp_path)]) == 0
    assert set(read_rows(tmp_path)["preset"]) == {"smoke, changed"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--preset", "huge"], "error: --preset must be one of default, smoke, got 'huge'\n"),
        (["--preset"], "error: --preset must be one of default, smoke, got ''\n"),
        (["--workers", "0"], "error: --workers must be at least 1, got 0\n"),
        (["--count", "0"], "error: --count must be at least 1, got 0\n"),
    ],
)
def test_a_command_that_cannot_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(STUDY, ["--out", str(tmp_path / "out"), *words]) == 2
    assert capsys.readouterr().err == sentence
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_settings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(STUDY, ["--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert main(STUDY, ["--out", str(tmp_path), "--preset", "smoke"]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path} holds rows with count = 4, this run has count = 2: "
        "choose another --out, or remove the folder\n"
    )


@pytest.mark.parametrize(
    "words", [["--preset", "default", "--preset", "smoke"], ["--preset=default", "--preset=smoke"]]
)
def test_of_presets_the_last_one_counts(tmp_path: Path, words: list[str]) -> None:
    assert main(STUDY, [*words, "--out", str(tmp_path)]) == 0
    rows = read_rows(tmp_path)
    assert set(rows["preset"]) == {"smoke"}
    assert len(rows) == len(STUDY.tasks(STUDY.presets["smoke"]))


def test_a_script_without_a_guard_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "script.py"
    for text, words in (("main(STUDY)\n", "must stand under"), ("if __name__ == '__main__':\n    main()\n", "memory")):
        script.write_text(text)
        program = types.ModuleType("__main__")
        program.__file__, program.__spec__ = str(script), None
        monkeypatch.setitem(sys.modules, "__main__", program)
        assert words in loss(BrokenProcessPool())


def test_help_shows_the_defaults_of_the_preset(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(STUDY, ["--preset", "smoke", "--help"])
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--count INT number of tasks. (default: 2)" in text


def test_seeds_are_hashes_of_names() -> None:
    digest = hashlib.sha256(b"study/3/x").hexdigest()
    assert seed_of("study", 3, "x") == seed_of("study", "3", "x") == int(digest[:16], 16) // 2
    assert seed_of("study", 3, "x") != seed_of("study", 4, "x")
    assert 0 <= seed_of("a") < 2**63


def test_a_process_computes_with_one_thread_and_leaves_the_environment_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    with Processes(1) as executor:
        assert executor.submit(torch.get_num_threads).result() == 1
    assert dict(os.environ) == before
