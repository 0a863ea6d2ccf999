import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proofs_check import __main__ as command
from proofs_check import kept
from proofs_check.expected import Expected, recorded
from proofs_check.ledger import effort_of, row_of
from proofs_check.registry import TRIALS
from proofs_check.row import Row
from theory.claim import Status
from theory.registry import CLAIMS

ROOT = Path(__file__).parents[2]
QUICKLY = ["--budget", "10", "--jobs", "1"]


def test_one_line_a_claim_and_the_files_that_were_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--json", str(tmp_path / "rows.json"), "--html", str(tmp_path / "page.html")]
    assert command.main(["V8", "V2", *QUICKLY, "--seed", "3", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["V2", "V8"]
    assert any(line.startswith("2 claims: 2 proved. ") for line in lines)
    assert lines[-2:] == [f"wrote {tmp_path / name}" for name in ("rows.json", "page.html")]
    rows = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    keys = "id source finding status instances inapplicable slack witness mutants_caught mutants_total budget seed"
    assert all(set(keys.split()) <= set(row) for row in rows)
    assert [row["seed"] for row in rows] == [3, 3]
    assert "</html>" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["M99"], "error: there is no claim 'M99'; the nearest are M9"),
        (["M5", "m6"], "error: there is no claim 'm6'; the nearest are M6"),
        (["--budget", "-3"], "error: --budget must be quick, full, or a whole number of instances above 0, got '-3'"),
        (["--seed", "-1"], "error: --seed must be at least 0, got -1"),
        (["--jobs", "-1"], "error: --jobs must be at least 0, got -1"),
        (["V8", "--record"], "error: --record is for all claims together, got V8"),
        (["V8", "--json", "/nowhere/rows.json"], "error: --json: there is no folder /nowhere"),
        (["V8", "--html", "/"], "error: --html must be a file, got the folder /"),
        (["V8", "--device", "cuda:99", *QUICKLY], "error: device"),
    ],
)
def test_what_cannot_run_is_said_before_anything_is_computed(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(argv) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(message)


def test_what_fell_is_named_and_the_exit_status_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = row_of(CLAIMS["V8"], [], effort_of("5"))
    better = {"V8": replace(recorded(row), status=Status.MACHINE_CHECKED)}
    monkeypatch.setattr(command, "read_expected", lambda: Expected(better))
    assert command.main(["V8", *QUICKLY]) == 1
    assert "\nV8: its status fell from machine-checked to proved.\n" in capsys.readouterr().out


def test_rows_that_are_not_installed_are_said_to_be_missing_and_nothing_fell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    files = ["--json", str(tmp_path / "rows.json"), "--html", str(tmp_path / "page.html")]
    tried = [id for id, trial in TRIALS.items() if trial.rows_missing]
    assert {"M10", "M11", "M12.b"} <= set(tried)
    assert command.main(["V8", *tried, *QUICKLY, *files]) == 0
    said = capsys.readouterr().out
    assert "fell" not in said
    assert "a mutant was missed" not in said
    (row,) = (line for line in said.splitlines() if line.startswith("M12.b "))
    assert " rows not here " in row
    for id in tried:
        missing = TRIALS[id].rows_missing
        assert missing.startswith(str(tmp_path))
        assert any(f"{id}" in line and f"would be in {missing}." in line for line in said.splitlines())
        assert f"they would be in <code>{missing}</code>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    rows = {row["id"]: row for row in json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))}
    assert rows["M12.b"]["rows_missing"] == TRIALS["M12.b"].rows_missing
    assert "rows_missing" not in rows["V8"]


def test_nothing_is_recorded_where_kept_rows_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    monkeypatch.setattr(command, "coq_version", lambda: "8.16.1")
    assert command.main(["--record"]) == 2
    assert "error: --record needs the rows that studies keep, and there are none at " in capsys.readouterr().err


def test_an_interrupted_run_keeps_the_rows_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = row_of(CLAIMS["V8"], [], effort_of("5"))

    def interrupted(*_: Any, **__: Any) -> Iterator[Row]:
        yield row
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "examined", interrupted)
    file = tmp_path / "rows.json"
    assert command.main(["V2", "V8", "--json", str(file)]) == 130
    assert [one["id"] for one in json.loads(file.read_text(encoding="utf-8"))] == ["V8"]
    assert f"Interrupted after 1 claims; their rows are in {file}." in capsys.readouterr().err


def test_it_runs_as_a_module_in_several_processes() -> None:
    words = ["-m", "proofs_check", "V6", "V10", "V12", "--budget", "5", "--jobs", "2"]  # quick to look at
    run = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "3 claims: 3 refuted." in run.stdout
