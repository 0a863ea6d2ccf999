import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from proofs_check.expected import Recorded, expected_text, fallen, read_expected, recorded
from proofs_check.falsify import Effort
from proofs_check.ledger import BUDGETS, chosen, effort_of, row_of
from proofs_check.row import MutantRow, Row, row_json
from proofs_check.trials.operators import MORE, scaled, stronger
from theory.claim import Claim, Finding, Status
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS

LITTLE = Effort(drawn=60, coincident=40, varied=20, trained=0, shrink=40)


def row(claim: Claim) -> Row:
    return row_of(claim, [], LITTLE)


def test_a_claim_that_stands_has_nothing_against_it() -> None:
    found = row(CLAIMS["M6.a"])
    assert found.status is Status.PROVED
    assert found.problems == ()
    assert found.violated == 0
    assert found.instances == sum(found.origins.values()) >= 60
    assert found.holds + found.inconclusive + found.inapplicable == found.instances
    assert found.import_line == "from theory.mulayoff2021 import curvature_bound"
    assert found.mutants_caught == found.mutants_total == len(found.mutants) - found.mutants_equivalent > 0


def test_a_row_is_json() -> None:
    code = row_json(row(CLAIMS["V8"]))
    assert json.loads(json.dumps(code)).keys() == code.keys()
    assert code["status"] == "proved"
    assert code["import"] == ""
    assert code["instances"] == code["holds"] > 0
    assert {"rule", "decided", "why"} < code["proof"]["steps"][0].keys()
    assert {"name", "outcome"} < code["mutants"][0].keys()


def test_a_claim_that_is_refuted_shows_its_witness_and_what_the_search_found() -> None:
    found = row(CLAIMS["V6"])
    assert found.status is Status.REFUTED
    assert found.problems == ()
    assert found.confirmed
    assert found.witness_slack < 0
    assert found.found_by == "drawn"
    assert found.counterexample is not None


@pytest.mark.parametrize("id", ["V3", "V9.b", "M5", "B1.a", "W2.a"])
def test_a_constant_one_per_cent_too_strong_is_refuted_and_named(id: str) -> None:
    offset = 1 if id == "M5" else 0
    found = row(stronger(CLAIMS[id], offset=offset).claim)
    assert found.status is Status.REFUTED
    assert found.counterexample is not None
    assert any("it is refuted" in problem for problem in found.problems)


def test_a_constant_too_weak_no_longer_meets_the_extremal_instance() -> None:
    found = row(scaled(CLAIMS["V9.b"], MORE).claim)
    assert any("its sides do not meet on its extremal instance: holds" in problem for problem in found.problems)


def test_a_step_that_does_not_follow_costs_the_proof() -> None:
    x = sp.Symbol("x", real=True)
    wrong = Proof((Step((x + 1) ** 2, x**2 + 2 * x + sp.Rational(101, 100), Rule.IDENTITY, "a slip"),), "all x")
    found = row(replace(CLAIMS["V3"], proof=lambda: wrong))
    assert found.status is Status.TESTED
    assert any(problem.startswith("step 0 of its proof does not follow: identity") for problem in found.problems)


def test_a_claim_without_proof_may_be_certified_at_small_sizes() -> None:
    small = CLAIMS["V3"].proof
    found = row(replace(CLAIMS["V3"], proof=None, small=small))
    assert found.status is Status.CERTIFIED


def test_a_finding_without_a_counterexample_is_no_finding() -> None:
    found = row(replace(CLAIMS["V3"], finding=Finding.FALSE))
    assert found.problems == ("its finding is 'false', but nothing refutes it",)


def test_a_conjecture_of_ours_may_be_refuted_and_a_claim_of_ours_that_stands_may_not() -> None:
    fell = replace(LITTLE, drawn=1, varied=0)
    assert row_of(CLAIMS["B1"], [], fell).problems == ()
    pretending = row_of(replace(CLAIMS["B1"], finding=Finding.OURS), [], fell)
    assert any("it is refuted" in problem and "'ours'" in problem for problem in pretending.problems)
    standing = row(replace(CLAIMS["V3"], finding=Finding.CONJECTURE))
    assert standing.problems == ("its finding is 'our conjecture', but nothing refutes it",)


def test_an_importable_bound_that_says_otherwise_is_named() -> None:
    found = row(replace(CLAIMS["V9.b"], bound_on=lambda given: 1e9))
    assert any(problem.startswith("the importable bound gives 1000000000 where") for problem in found.problems)


def test_a_second_implementation_that_says_otherwise_is_named() -> None:
    found = row(scaled(CLAIMS["B7"], MORE).claim)  # true, since B7 is loose, but not what is printed
    assert any("its right side is" in problem and "second implementation" in problem for problem in found.problems)


def test_two_claims_that_contradict_each_other_do_not_both_stand() -> None:
    # The witness against B1 is an instance of every claim on (f, x).
    pretending = replace(CLAIMS["B1"], id="B1.a", witness=None, finding=Finding.OURS)
    found = row_of(pretending, [], replace(LITTLE, drawn=1, varied=0))
    assert found.status is Status.REFUTED
    assert found.found_by == "named"


@pytest.fixture(scope="module")
def standing() -> Row:
    """The row of a claim that is proved, with four mutants caught."""
    return row(CLAIMS["V2"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"status": Status.MACHINE_CHECKED}, ["its status rose from proved to machine-checked"]),
        ({"status": Status.TESTED}, ["its status fell from proved to tested"]),
        ({"finding": Finding.LOOSE}, ["its finding was 'as printed' and is 'loose'"]),
        ({"mutants": ()}, ["its search catches 0 mutants and caught 4"]),
        ({"statement": "t"}, ["its statement or source is not the recorded one"]),
        ({"id": "T2"}, ["nothing is recorded of it: run with --record"]),
        ({"status": Status.CONJECTURED, "mutants": (), "rows_missing": "results/a/rows.parquet"}, []),
        ({"status": Status.REFUTED, "rows_missing": "r"}, ["its status fell from proved to refuted"]),
    ],
)
def test_what_is_not_as_recorded_is_named(change: dict[str, object], expected: list[str], standing: Row) -> None:
    assert standing.mutants_caught == 4
    assert fallen(replace(standing, **change), {"V2": recorded(standing)}) == expected


@pytest.mark.parametrize(
    ("lowered", "said"),
    [
        ({"status": Status.TESTED}, "its status rose from tested to proved"),
        ({"mutants_caught": 3}, "its search catches 4 mutants and caught 3"),
        ({"without_coq": Status.TESTED}, "its status without Coq was 'tested' and is 'proved'"),
    ],
)
def test_a_record_that_was_made_worse_hides_no_fall(lowered: dict[str, Any], said: str, standing: Row) -> None:
    assert fallen(standing, {"V2": replace(recorded(standing), **lowered)}) == [said]


def with_changes(standing: Row, *outcomes: str, seed: int = 0) -> Row:
    changes = tuple(MutantRow(f"change {i}", "k", "", "", outcome) for i, outcome in enumerate(outcomes))
    return replace(standing, rewritings=changes, seed=seed)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (["caught", "survives"], ["caught", "survives"], []),
        (
            ["caught", "survives"],
            ["caught", "caught"],
            ["its search refutes 2 of 2 changes of its source, and refuted 1"],
        ),
        (
            ["caught", "survives"],
            ["survives", "survives"],
            ["its search does not refute a change of its source that says more: change 0"],
        ),
        (["caught"], ["equal"], ["its search refutes 0 of 1 changes of its source, and refuted 1"]),
        (["caught"], ["survives", "survives"], []),
        ([], ["caught"], ["nothing is recorded of the changes of its source: run with --record"]),
    ],
    ids=["the same", "better", "a new survivor", "not seen any more", "another budget", "not recorded"],
)
def test_a_change_of_the_source_that_is_no_longer_refuted_is_named(
    before: list[str], now: list[str], expected: list[str], standing: Row
) -> None:
    kept = {"V2": recorded(with_changes(standing, *before))}
    assert fallen(with_changes(standing, *now), kept) == expected
    assert fallen(with_changes(standing, *now, seed=1), kept)[1:] == []


def test_a_row_has_the_changes_of_its_source() -> None:
    found = row_of(CLAIMS["V1.a"], [], replace(LITTLE, rewritten=6, shown=20))
    assert len(found.rewritings) == 6
    assert found.rewritings_left > 0
    assert 0 < found.rewritings_caught <= found.rewritings_total
    assert row_json(found)["survivors"] == found.survivors


def test_what_is_recorded_is_read_as_it_was_written(standing: Row, tmp_path: Path) -> None:
    whole = replace(with_changes(standing, "caught", "survives", seed=3), id="T", status=Status.MACHINE_CHECKED)
    file = tmp_path / "expected.json"
    file.write_text(expected_text([standing, whole]), encoding="utf-8")
    assert read_expected(file).records == {"V2": recorded(standing), "T": recorded(whole)}
    assert list(json.loads(file.read_text(encoding="utf-8"))["T"]) == [
        "finding",
        "status",
        "status_without_coq",
        "mutants_caught",
        "statement_sha256",
        "pins",
        "rewritten",
    ]


def test_every_claim_is_recorded_and_nothing_else() -> None:
    expected = read_expected()
    assert not expected.problems
    assert list(expected.records) == list(CLAIMS)
    for id, entry in expected.records.items():
        assert isinstance(entry, Recorded)
        assert entry.finding is CLAIMS[id].finding
        assert entry.status is not Status.CONJECTURED or CLAIMS[id].study, "what rows leave open is of studies alone"


@pytest.mark.parametrize(
    ("id", "near"), [("m6", "M6"), ("M6.A", "M6.a"), ("B1x", "B1"), ("Theorem 1", "M1"), ("V99", "V9")]
)
def test_an_unknown_id_is_answered_with_the_nearest(id: str, near: str) -> None:
    with pytest.raises(ValueError, match=rf"^there is no claim '{id}'; the nearest are ") as caught:
        chosen([id])
    assert near in str(caught.value) or id == "Theorem 1"


def test_claims_come_in_reading_order_whatever_the_order_asked_for() -> None:
    assert [claim.id for claim in chosen(["M6", "V1", "M6"])] == ["V1", "M6"]
    assert len(chosen([])) == len(CLAIMS)


@pytest.mark.parametrize("budget", ["-3", "0", "fast", "2.5", ""])
def test_a_budget_that_is_none_is_refused(budget: str) -> None:
    with pytest.raises(ValueError, match=r"^--budget must be quick, full, or a whole number of instances above 0, got"):
        effort_of(budget)


def test_budgets_grow() -> None:
    quick, full = (BUDGETS[name] for name in ("quick", "full"))
    assert effort_of("quick") is quick
    assert quick.drawn < full.drawn
    assert effort_of("7").drawn == 7
    assert effort_of("7").varied > 0
