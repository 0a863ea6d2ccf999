"""Rows of studies as instances."""

from pathlib import Path

import pandas as pd
import pytest

from proofs_check.counterexamples import witness_of
from proofs_check.kept import Reading, read
from proofs_check.registry import TRIALS
from theory.claim import Ruling
from theory.registry import CLAIMS

ON_ROWS = {id: trial for id, trial in TRIALS.items() if isinstance(trial.instances, Reading)}
READING = Reading("a_study", {"x": "left", "y": "right"}, ("counts",))


def write(results: Path, **columns: list[object]) -> Path:
    file = results / "a_study" / "rows.parquet"
    file.parent.mkdir(exist_ok=True)
    pd.DataFrame(columns).to_parquet(file)
    return file


def test_rows_become_instances(tmp_path: Path) -> None:
    write(tmp_path, key=["a", "b", "c"], left=[1.0, 2.0, None], right=[3, 4, 5], counts=[True, False, True])
    (instance,) = read(READING, tmp_path)
    assert dict(instance.given) == {"x": 1.0, "y": 3}
    assert type(instance["y"]) is int
    assert instance.origin == "trained: row a of results/a_study"


def test_rows_of_one_key_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, key=["a", "a"], left=[1.0, 2.0], right=[3, 4], counts=[True, True])
    assert [instance.origin for instance in read(READING, tmp_path)] == [
        f"trained: row a ({index}) of results/a_study" for index in range(2)
    ]


def test_a_study_that_was_not_run_has_no_rows(tmp_path: Path) -> None:
    assert read(READING, tmp_path) == []


def test_rows_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = write(tmp_path, key=["a"], left=[1.0], counts=[True])
    with pytest.raises(ValueError, match=r"rows\.parquet has no column right: run its study again$"):
        read(READING, tmp_path)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"rows\.parquet is not a whole Parquet file: run its study again"):
        read(READING, tmp_path)


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        file = write(tmp_path, key=["a"], left=[value], right=[0], counts=[True])
        changed = file.stat().st_mtime_ns
        assert [instance["x"] for instance in read(READING, tmp_path)] == [value], changed


@pytest.mark.parametrize("id", ON_ROWS)
def test_every_observation_is_decided_by_the_rows(id: str) -> None:
    claim = CLAIMS[id]
    assert set(TRIALS[id].instances.columns) == {symbol.name for symbol in claim.symbols}
    rulings = {claim.evaluate(instance).ruling for instance in TRIALS[id].kept()}
    assert (Ruling.VIOLATED in rulings) == (claim.finding.refutable)
    assert Ruling.HOLDS in rulings
    assert Ruling.INCONCLUSIVE not in rulings


@pytest.mark.parametrize("id", [id for id in ON_ROWS if witness_of(CLAIMS[id]) is not None])
def test_the_witness_is_the_row_that_it_names(id: str) -> None:
    witness = witness_of(CLAIMS[id])
    assert witness is not None
    (row,) = (row for row in TRIALS[id].kept() if row.origin == witness.origin.removeprefix("stored: "))
    assert row.given.items() <= witness.given.items()
