"""The page of what is not claimed: everything in a row that it must tell, whatever stands in it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from proofs_check import trusted
from proofs_check.ledger import crashed_row
from proofs_check.not_claimed import FINDINGS, RULES, STATUSES, not_claimed
from proofs_check.row import CAUGHT, EQUIVALENT, MISSED, SPARED, VOID, MutantRow, ProofRow, Row, StepRow
from theory.claim import Finding, Status
from theory.proof import Rule
from theory.registry import CLAIMS


def row_of(id: str, **changes: object) -> Row:
    return replace(crashed_row(CLAIMS[id], ""), **changes)  # type: ignore[arg-type]


def step(rule: Rule, because: str = "", sizes: str = "") -> StepRow:
    return StepRow(rule.value, "", "", "", because, rule is not Rule.CITED, rule is Rule.CITED, sizes)


def part(page: str, heading: str) -> str:
    found = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", page, flags=re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def line_of(page: str, heading: str, first: str) -> list[str]:
    """Return the cells of the line of a table that begins with a cell."""
    (line,) = (line for line in part(page, heading).splitlines() if line.startswith(f"| {first} |"))
    return line.strip("| ").split(" | ")[1:]


def test_every_status_finding_and_rule_says_what_it_does_not_show() -> None:
    assert set(STATUSES) == set(Status)
    assert set(FINDINGS) == set(Finding)
    assert set(RULES) == set(Rule)


def test_claims_are_counted_by_status_and_by_finding() -> None:
    page = not_claimed([row_of("V1", status=Status.PROVED), row_of("V2", status=Status.TESTED), row_of("M6")])
    counts = {status: line_of(page, "What a status does not show", status.value)[0] for status in Status}
    assert {status.value: count for status, count in counts.items() if count != "0"} == {
        "proved": "1",
        "tested": "1",
        "conjectured": "1",
    }
    assert line_of(page, "What a finding does not show", "as printed")[0] == "2"
    assert line_of(page, "What a finding does not show", "proof gap")[0] == "1"


def test_a_cited_theorem_stands_once_with_all_that_cite_it() -> None:
    cites, more = (
        ProofRow("", (step(Rule.CITED, "Jensen"), step(Rule.POLYNOMIAL))),
        ProofRow("", (step(Rule.CITED, "x | y"),)),
    )
    page = not_claimed([row_of("V1", proof=cites), row_of("V2", proof=cites, small=more)])
    assert line_of(page, "Cited theorems", "Jensen") == ["[V1](ledger.md#v1), [V2](ledger.md#v2)"]
    assert line_of(page, "Cited theorems", r"x \| y") == ["[V2](ledger.md#v2)"]
    assert "3 of 5 steps are not decided" in page
    assert line_of(page, "Cited theorems", "polynomial")[0] == "2"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"proof": ProofRow("c", (step(Rule.POLYNOMIAL, sizes="d = 2"),))}, "d = 2"),
        ({"proof": ProofRow("c", (step(Rule.POLYNOMIAL),), covered=1, uncovered=1)}, "instances have others"),
        ({"small": ProofRow("c", (step(Rule.POLYNOMIAL),))}, "those of its words"),
    ],
    ids=["says so", "instances have others", "of small sizes"],
)
def test_a_proof_of_some_sizes_only_is_listed(changes: dict[str, ProofRow], said: str) -> None:
    assert said in line_of(not_claimed([row_of("V1", **changes)]), "Small sizes only", "[V1](ledger.md#v1)")[1]


def test_a_proof_of_all_sizes_is_not_among_the_small_ones() -> None:
    whole = ProofRow("c", (step(Rule.POLYNOMIAL),), covered=3)
    assert "None." in part(not_claimed([row_of("V1", proof=whole)]), "Small sizes only")


def test_mutants_that_say_nothing_are_told_with_the_reason_and_others_are_not() -> None:
    mutants = [
        MutantRow(f"is {outcome}", "kind", "because", "", outcome)
        for outcome in (CAUGHT, MISSED, EQUIVALENT, VOID, SPARED)
    ]
    told = part(not_claimed([row_of("V1", mutants=tuple(mutants))]), "Mutants that say nothing")
    assert [f"is {outcome} |" in told for outcome in (CAUGHT, MISSED, EQUIVALENT, VOID, SPARED)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert told.count("| because |") == 3


def test_what_is_refuted_by_one_piece_of_code_is_named() -> None:
    refuted = {"status": Status.REFUTED}
    page = part(not_claimed([row_of("V4", **refuted), row_of("W2", **refuted)]), "Without a second implementation")
    assert "no theorem in Coq beside it: [V4](ledger.md#v4). " in page


def test_text_is_shown_as_it_is() -> None:
    page = not_claimed([row_of("M6", quote="a | b <i> `c`", reading="x_1 *y*")])
    assert r"a \| b \<i\> \`c\` | x\_1 \*y\*" in page


def test_every_file_is_in_one_part_of_what_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trusted.misplaced() == []
    stray = trusted.ROOT / "theory" / "paper2030" / "stray.v"
    monkeypatch.setattr(trusted, "sources", lambda: [stray])
    assert trusted.misplaced() == ["theory/paper2030/stray.v is in no part of what is trusted"]
    twice = replace(trusted.PARTS[0], paths=r"theory/paper2030/stray\.v")
    monkeypatch.setattr(trusted, "PARTS", (twice, replace(twice, name="another")))
    assert "is in statements" in trusted.misplaced()[0]
    assert trusted.misplaced()[0].endswith("and in another")


def test_lines_that_are_blank_or_within_a_proof_are_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "x.v"
    file.write_text(
        "Lemma one : True.\nProof.\n  easy.\nQed.\n\nLemma two : True.\nProof. easy. Qed.\n", encoding="utf-8"
    )
    assert trusted.lines([file]) == 6
    assert trusted.lines_outside_proofs([file]) == 2


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0"), (7, "7"), (99, "99"), (984, "980"), (1250, "1,200"), (1351, "1,400"), (99500, "100,000")],
)
def test_sizes_have_two_digits(count: int, said: str) -> None:
    assert trusted.roughly(count) == said


def test_versions_are_those_of_the_constraints() -> None:
    assert trusted.pinned("numpy", "# numpy==1\nnumpy-x==3\nnumpy==2.4\n") == "2.4"
    assert trusted.pinned("numpy", "scipy==1\n") == ""
    assert trusted.size_of("no-such-package") == "not installed"
