"""The rows that are kept say what is printed beside them: tables and sentences are made from them again."""

from pathlib import Path

import pytest

from experiments.__main__ import STUDIES
from experiments.engine.records import read_rows

RESULTS = Path(__file__).parents[2] / "results"
KEPT = sorted(file.parent.relative_to(RESULTS) for file in RESULTS.rglob("rows.parquet"))


def test_every_study_has_rows() -> None:
    assert {study.id for study in STUDIES} <= {str(folder) for folder in KEPT}


@pytest.mark.parametrize("folder", KEPT, ids=str)
def test_the_summary_is_that_of_the_rows(folder: Path) -> None:
    rows = read_rows(RESULTS / folder)
    (study,) = [study for study in STUDIES if study.id == rows["study"].iloc[0]]
    summary = (RESULTS / folder / "summary.txt").read_text(encoding="utf-8")
    heading = f"{study.title} Preset {rows['preset'].iloc[0]}: {rows['key'].nunique()} tasks, {len(rows)} rows."
    assert summary == f"{heading}\n\n{study.table(rows)}\n\n{study.conclusion(rows)}\n"
    assert (RESULTS / folder / "figure.png").stat().st_size > 0
