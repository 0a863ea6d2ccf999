"""The rows that are kept say what is printed beside them: tables and sentences are made from them again."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments.__main__ import STUDIES
from experiments.engine.records import read_rows
from experiments.engine.study import Study
from theory.claim import Ruling
from theory.registry import CLAIMS

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


def strangers(study: Study[Any], rows: pd.DataFrame) -> list[str]:
    """Return a sentence for every claim of a study that is in no registry, and every ruling that is no claim's."""
    named = [*study.claims, *(printed.claim for printed in study.printed if printed.claim)]
    found = [f"{study.id} names {id}, which is no claim" for id in named if id not in CLAIMS]
    words = {str(ruling) for ruling in Ruling}
    for column in (str(name) for name in rows.columns if str(name).endswith((" ruling", " slack", " failed"))):
        id = column.rsplit(" ", 1)[0].rsplit("_", 1)[-1]
        if id not in study.claims:
            found.append(f"{study.id} has the column {column!r}, of no claim that it names")
        if column.endswith(" ruling"):
            found += [f"{column!r} holds {word!r}" for word in sorted(set(rows[column].dropna()) - words)]
    return found


@pytest.mark.parametrize("folder", KEPT, ids=str)
def test_rulings_are_those_of_registered_claims(folder: Path) -> None:
    rows = read_rows(RESULTS / folder)
    (study,) = [study for study in STUDIES if study.id == rows["study"].iloc[0]]
    assert strangers(study, rows) == []


RULED = {
    "stability_sweep": {"B7.b", "B7.c", "B25", "D10.b", "M11", "M11.a"},
    "step_size_jump": {"M12", "M12.a", "M12.b"},
    "weight_function": {"M10"},
    "sgd_threshold": {"B3.l", "B25"},
    "momentum_threshold": {"B11.e"},
    "interpolant_example": {"V7", "V8", "V8.a"},
}
"""The claims that a study puts to the test on its rows; the others hold means against a printed table."""


@pytest.mark.parametrize("name", RULED)
def test_rows_keep_the_ruling_on_every_claim_that_their_study_tests(name: str) -> None:
    columns = [str(column) for column in read_rows(RESULTS / name).columns]
    ruled = {column.removesuffix(" ruling").rsplit("_", 1)[-1] for column in columns if column.endswith(" ruling")}
    assert ruled >= RULED[name]


def test_a_ruling_in_other_words_or_of_no_claim_is_seen() -> None:
    study = next(study for study in STUDIES if study.id == "stability_sweep")
    rows = pd.DataFrame({"B7.b ruling": ["holds", "HOLDS", None], "M99 ruling": ["violated"] * 3})
    assert strangers(study, rows) == [
        "'B7.b ruling' holds 'HOLDS'",
        "stability_sweep has the column 'M99 ruling', of no claim that it names",
    ]
