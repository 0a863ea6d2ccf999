"""The rows that are kept say what is printed beside them: tables and sentences are made from them again."""

from pathlib import Path
from typing import Any

import pytest

from experiments.__main__ import STUDIES
from experiments.records import read_rows
from experiments.study import Study

RESULTS = Path(__file__).parents[2] / "results"


@pytest.mark.parametrize("study", STUDIES, ids=[study.id for study in STUDIES])
def test_the_summary_is_that_of_the_rows(study: Study[Any]) -> None:
    rows = read_rows(RESULTS / study.id)
    summary = (RESULTS / study.id / "summary.txt").read_text(encoding="utf-8")
    heading = f"{study.title} Preset {rows['preset'].iloc[0]}: {rows['key'].nunique()} tasks, {len(rows)} rows."
    assert summary == f"{heading}\n\n{study.table(rows)}\n\n{study.conclusion(rows)}\n"
    assert (RESULTS / study.id / "figure.png").stat().st_size > 0
