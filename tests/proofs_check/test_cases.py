"""Tests of tendencies on kept rows: what they read, what they refuse, and that planted rows are not seen."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from proofs_check.cases import Cases, Tendencies, tau, taus
from proofs_check.registry import TRIALS
from proofs_check.trials.mulayoff2021.tendencies import regions, share_on_data
from theory.claim import Claim, Form, Ruling, Verdict
from theory.registry import CLAIMS

ON_TESTS = {id: trial.instances for id, trial in TRIALS.items() if isinstance(trial.instances, Tendencies)}
"""The claims about tendencies, with their tests."""

RISES = Cases(
    "a measure",
    "a_study",
    "data set",
    partial(taus, x="size", y="measure", by="data"),
    ("data", "measure"),
    "paper",
    among={"kind": "network"},
    sizes={"size": 2},
)
READING = Tendencies("effect", (RISES, replace(RISES, name="another", among={"kind": "spline"})))


def rows_of(**changes: Any) -> pd.DataFrame:
    """Return rows of eight data sets at three sizes, on which the measure rises in all but one."""
    rows = pd.DataFrame([(data, size) for data in range(8) for size in (1, 2, 3)], columns=["data", "size"])
    rows["measure"] = np.where(rows["data"] == 7, -1.0, 1.0) * rows["size"]
    given: dict[str, Any] = {"kind": "network", **changes}
    return rows.assign(**given)


def write(results: Path, rows: pd.DataFrame) -> Path:
    file = results / "a_study" / "rows.parquet"
    file.parent.mkdir(exist_ok=True)
    rows.to_parquet(file)
    return file


@pytest.mark.parametrize("id", ON_TESTS)
def test_a_wrong_version_is_refuted_by_rows_and_not_by_its_limit(id: str) -> None:
    """Some effects that can be measured satisfy it."""
    effects = CLAIMS[id].symbols[0].name

    def verdict(claim: Claim, effect: Fraction | int) -> Verdict:
        return claim.evaluate({effects: [effect] * 60, "undefined": 0, "tests": 1})

    for mutant in TRIALS[id].mutants:
        way = 1 if mutant.claim.form is Form.AT_LEAST else -1
        limit = Fraction(verdict(mutant.claim, 1).rhs.lower)
        assert verdict(mutant.claim, limit + way * Fraction(1, 1000)).ruling is Ruling.HOLDS, mutant.name


def test_rows_become_an_instance_a_test(tmp_path: Path) -> None:
    write(tmp_path, pd.concat([rows_of(), rows_of().assign(kind="spline", measure=1.0)]))
    first, second = READING.read(tmp_path)
    assert first["effect"].tolist() == [1] * 7 + [-1]
    assert (first["undefined"], first["tests"]) == (0, 2)
    assert first.origin == "trained: a measure, of results/a_study"
    assert (len(second["effect"]), second["undefined"]) == (0, 8)


def test_a_study_that_was_not_run_has_no_tests(tmp_path: Path) -> None:
    assert READING.read(tmp_path) == []


def test_rows_that_were_written_anew_are_read_anew(tmp_path: Path) -> None:
    reading = replace(READING, cases=(RISES,))
    for sign in (1.0, -1.0):
        file = write(tmp_path, rows_of(measure=sign * rows_of()["size"]))
        assert {float(effect) for effect in reading.read(tmp_path)[0]["effect"]} == {sign}, file.stat().st_mtime_ns


AGAIN = r"run `python -m experiments\.a_study --preset paper` for such rows"


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        (rows_of().drop(columns="measure"), rf"has no column measure: {AGAIN}"),
        (rows_of().drop(columns=["kind", "size"]), rf"has no column kind, size: {AGAIN}"),
        (rows_of(kind="spline"), rf"hold none with kind = network, which a measure is about: {AGAIN}"),
        (rows_of(size=4), rf"hold size = 4 only, and a measure compares at least 2: {AGAIN}"),
    ],
    ids=["a column", "two columns", "a value", "a size"],
)
def test_what_rows_lack_is_named_with_the_preset_that_makes_it(tmp_path: Path, rows: pd.DataFrame, error: str) -> None:
    write(tmp_path, rows)
    with pytest.raises(ValueError, match=rf"rows\.parquet {error}$"):
        READING.read(tmp_path)


def test_a_correlation_that_is_not_defined_is_none() -> None:
    assert tau([1, 2, 3], [3, 2, 1]) == -1
    assert tau([1, 2], [1.0, 1.0 + 1e-15]) is None
    assert tau([1], [1]) is None


def test_a_part_that_is_held_fixed_is_left_out_of_the_correlation() -> None:
    rows = pd.DataFrame({"case": "a", "part": [0, 0, 1, 1], "x": [1, 2, 11, 12], "y": [2, 1, 12, 11]})
    overall, within = (taus(rows, "x", "y", by="case", within=parts)["a"] for parts in (None, ["part"]))
    assert overall == pytest.approx(1 / 3)
    assert within == -1


def test_curvature_is_told_apart_by_region() -> None:
    knots, jumps, x = [-3.0, -1.95, 0.2, 2.0, 5.0], [1.0, -2.0, 4.0, 8.0, -16.0], [-2.0, -1.0, 0.0, 1.0, 2.0]
    assert regions(knots, jumps, x) == {"centre": 4.0, "edges": 10.0, "inside": 14.0, "outside": 17.0}
    assert share_on_data(knots, jumps, x) == pytest.approx(10 / 14)
    assert np.isnan(share_on_data([7.0], [1.0], x))


@cache
def rows_for(cases: Cases) -> pd.DataFrame:
    """Return the rows that a test is on, and no others."""
    rows = cases.rows()
    for column, value in cases.among.items():
        rows = rows[rows[column] == value]
    return rows


def noise_like(column: pd.Series, generator: np.random.Generator) -> list[object]:
    """Return noise in place of a measure: positive, over orders of magnitude; knots anywhere, jumps of any size."""
    if not isinstance(column.iloc[0], np.ndarray):
        return list(np.exp(3 * generator.standard_normal(len(column))))
    if column.name == "knots":
        return [generator.uniform(-2.5, 2.5, size=len(knots)) for knots in column]
    return [generator.standard_normal(len(jumps)) for jumps in column]


def shuffled(cases: Cases, rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    return rows.assign(**{cases.label: generator.permutation(rows[cases.label].to_numpy())})


def replaced(cases: Cases, rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    noise: dict[str, Any] = {name: noise_like(rows[name], generator) for name in cases.measures}
    return rows.assign(**noise)


def seen(id: str, plant: Callable[[Cases, pd.DataFrame, np.random.Generator], pd.DataFrame], seed: int) -> list[str]:
    """Return the tests of a claim that hold on the rows, and hold still if something is planted in them."""
    tests, generator = ON_TESTS[id], np.random.default_rng(seed)
    found = []
    for cases, instance in zip(tests.cases, tests.read(), strict=True):
        if CLAIMS[id].evaluate(instance).ruling is Ruling.HOLDS:
            planted = cases.on(plant(cases, rows_for(cases), generator), tests.effect, len(tests.cases))
            if CLAIMS[id].evaluate(planted).ruling is Ruling.HOLDS:
                found.append(cases.name)
    return found


LABELLED = [id for id, tests in ON_TESTS.items() if all(cases.label for cases in tests.cases)]
"""The claims that relate a measure to a step size, a scale, a training set size or a test loss."""


@pytest.mark.parametrize("id", LABELLED)
def test_shuffled_labels_are_not_seen(id: str) -> None:
    assert seen(id, shuffled, seed=1) == []


EXCEPT = {"V20.b": "noise is far from any least value, and that is what it claims"}
"""What noise satisfies, and why."""


@pytest.mark.parametrize("id", [id for id in ON_TESTS if id not in EXCEPT])
def test_noise_in_place_of_a_measure_is_not_seen(id: str) -> None:
    assert seen(id, replaced, seed=1) == []


@pytest.mark.parametrize("id", ON_TESTS)
def test_the_rows_say_what_the_finding_says(id: str) -> None:
    rulings = {CLAIMS[id].evaluate(instance).ruling for instance in ON_TESTS[id].read()}
    assert (Ruling.VIOLATED in rulings) == CLAIMS[id].finding.refutable
    assert CLAIMS[id].form in (Form.AT_MOST, Form.AT_LEAST)


@pytest.mark.parametrize("id", ON_TESTS)
def test_every_test_says_what_it_relates(id: str) -> None:
    for cases in ON_TESTS[id].cases:
        assert cases.measures
        assert {*cases.measures, *([cases.label] if cases.label else [])} <= {
            *cases.columns,
            *cases.sizes,
            *cases.among,
        }
    names = [cases.name for cases in ON_TESTS[id].cases]
    assert len(set(names)) == len(names)
