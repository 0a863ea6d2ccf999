"""The pages under docs say what is recorded, and what the code does: all that needs no search and no Coq to be made."""

import contextlib
import io
import re
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from proofs_check.cases import Tendencies
from proofs_check.coqc import AXIOMS
from proofs_check.expected import read_expected
from proofs_check.ledger import NO_SIDES, crashed_row, mutants_of
from proofs_check.manifest import read_manifest
from proofs_check.not_claimed import not_claimed
from proofs_check.page import plain
from proofs_check.registry import TRIALS
from proofs_check.row import EQUIVALENT, SPARED, MutantRow, ProofRow, Row, StepRow, TheoremRow
from proofs_check.smoothness import PAGE as SMOOTHNESS
from proofs_check.smoothness import WORDS
from proofs_check.smoothness import page as smoothness_page
from proofs_check.trial import Trial
from proofs_check.trials.operators import Mutant
from theory.claim import Claim, Finding
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "not_claimed.md").read_text(encoding="utf-8")
LEDGER = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
RECORDS = read_expected().records

OF_A_RUN = ("Small sizes only", "Changes of the source", "Axioms", "The trusted base")
"""Parts that a run of the ledger decides, or sizes: they are looked at on their own."""

VOID = re.compile(r"^\| \[(?P<id>[^\]]+)\]\([^)]*\) \| (?P<name>.*?) \| void \| (?P<why>.*) \|$")


def proof_row(build: Callable[[], Proof] | None) -> ProofRow | None:
    """Return a proof as a row, every step that is not cited taken as decided."""
    if build is None:
        return None
    proof = build()
    steps = (
        StepRow(
            step.rule.value, "", "", "", step.because, step.rule is not Rule.CITED, step.rule is Rule.CITED, step.sizes
        )
        for step in proof.steps
    )
    return ProofRow(proof.covers, tuple(steps))


def mutant_rows(claim: Claim) -> tuple[MutantRow, ...]:
    """Return the mutants of which it is known without a search that they say nothing."""
    spared = TRIALS[claim.id].spared
    found = []
    for mutant in mutants_of(claim):
        if mutant.equivalent:
            found.append(MutantRow(mutant.name, mutant.kind.value, mutant.equivalent, "", EQUIVALENT))
        elif mutant.name in spared:
            found.append(MutantRow(mutant.name, mutant.kind.value, spared[mutant.name], "", SPARED))
    return tuple(found)


def recorded_row(claim: Claim) -> Row:
    """Return what is known of a claim's row without a search: its statement, its proof, its theorems, the status recorded."""
    theorems = tuple(
        TheoremRow(t.name, t.file, t.covers, t.leaves_out, t.refutes, "checked", "", "", ())
        for t in read_manifest()[0]
        if t.claim == claim.id
    )
    record = RECORDS[claim.id]
    return replace(
        crashed_row(claim, "", theorems),
        status=record.status,
        mutants=() if claim.finding.refutable else mutant_rows(claim),
        proof=proof_row(claim.proof),
        small=proof_row(claim.small),
        quote=claim.quote,
        reading=claim.reading,
    )


def parts(page: str) -> dict[str, str]:
    """Return what stands under each heading of a page."""
    pieces = re.split(r"^#{1,3} (.+)$", page, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def without_void(part: str) -> str:
    return "\n".join(line for line in part.splitlines() if not VOID.match(line))


def differences(page: str, code: str) -> list[str]:
    """Return a sentence for each line of a page that the code does not give, and the other way round."""
    page_parts, code_parts = parts(page), parts(code)
    found = [f"only one has a part '{name}'" for name in {*page_parts} ^ {*code_parts}]
    for name in (name for name in page_parts if name in code_parts and name not in OF_A_RUN):
        old, new = (without_void(part[name]).splitlines() for part in (page_parts, code_parts))
        found += [f"{name}: the page says '{line}', the code does not" for line in old if line not in new]
        found += [f"{name}: the code says '{line}', the page does not" for line in new if line not in old]
    return found


def small_ones(page: str) -> list[str]:
    """Return the claims of which a page says that their proof does not cover all sizes."""
    return re.findall(r"^\| \[([^\]]+)\]", parts(page)["Small sizes only"], flags=re.MULTILINE)


@pytest.mark.slow
def test_what_is_not_claimed_is_what_the_code_says() -> None:
    made = not_claimed([recorded_row(claim) for claim in CLAIMS.values()])
    assert differences(PAGE, made) == []
    assert set(small_ones(made)) <= set(small_ones(PAGE)) <= set(CLAIMS)


@pytest.mark.parametrize(
    "part",
    [
        "What a status does not show",
        "What a finding does not show",
        "Conventions",
        "Cited theorems",
        "Without a proof",
        "Without a second implementation",
        "Mutants that say nothing",
        "What Coq leaves out",
    ],
)
def test_a_line_that_is_gone_or_changed_is_named(part: str) -> None:
    line = [line for line in without_void(parts(PAGE)[part]).splitlines() if line][-1]
    for changed in ("", f"{line} And more."):
        assert f"{part}: the code says '{line}', the page does not" in differences(PAGE.replace(line, changed), PAGE)


def test_a_mutant_that_is_void_is_one_that_is_tried() -> None:
    found = [match for line in parts(PAGE)["Mutants that say nothing"].splitlines() if (match := VOID.match(line))]
    for match in found:
        assert match["name"] in [plain(mutant.name) for mutant in mutants_of(CLAIMS[match["id"]])]
        assert match["why"] == plain(NO_SIDES)


def test_the_axioms_are_those_that_are_allowed() -> None:
    found = re.findall(r"^\| `([\w.]+)` \| \d+ \|$", parts(PAGE)["Axioms"], flags=re.MULTILINE)
    assert found
    assert set(found) <= set(AXIOMS)


def cells(part: str) -> dict[str, list[str]]:
    """Return the cells of each line of the tables of a part, by the first of them."""
    rows = ([cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line[:2] == "| ")
    return {name: rest for name, *rest in rows}


def test_the_page_on_what_papers_conclude_is_what_the_rows_say() -> None:
    assert SMOOTHNESS.read_text(encoding="utf-8") == smoothness_page()


def test_the_page_on_what_papers_conclude_has_every_tendency() -> None:
    text = SMOOTHNESS.read_text(encoding="utf-8")
    for id, trial in TRIALS.items():
        if isinstance(trial.instances, Tendencies):
            lines = re.findall(rf"^\| \[{re.escape(id)}\]\(ledger\.md#\w+\) \|", text, flags=re.MULTILINE)
            assert len(lines) >= 2 + len(trial.instances.cases), id
    assert set(WORDS) <= set(CLAIMS)


SIZE = re.compile(r"[\d,]+(?= lines|;|$)")


def sizes(text: str) -> list[int]:
    return [int(number.replace(",", "")) for number in SIZE.findall(text)]


def far_off(page: str, code: str) -> list[str]:
    """Return a sentence for every size on a page that is off by more than a quarter, and for all else that differs.

    How large a package or a version of Coq is differs between machines.
    """
    on_page, by_code = (cells(parts(text)["The trusted base"]) for text in (page, code))
    found = [f"only one says how large '{name}' is" for name in {*on_page} ^ {*by_code}]
    for name in on_page.keys() & by_code.keys() - {"Coq"}:
        (number, size, *said), (number_now, size_now, *now) = on_page[name], by_code[name]
        if said != now:
            found.append(f"'{name}': the page says {said}, the code {now}")
        if number.isdigit():
            pairs = zip(sizes(f"{number}; {size}"), sizes(f"{number_now}; {size_now}"), strict=True)
            found += [f"'{name}': the page says {old}, it is {new}" for old, new in pairs if abs(old - new) > new / 4]
        elif number != number_now:
            found.append(f"'{name}': the page says {number}, it is {number_now}")
    return found


def test_the_trusted_base_is_about_as_large_as_the_page_says() -> None:
    assert far_off(PAGE, not_claimed([])) == []


@pytest.mark.parametrize(
    ("name", "cell", "planted"),
    [("replay of steps", 1, "3"), ("replay of steps", 2, "nothing"), ("numpy", 0, "0.1"), ("names", 0, "")],
)
def test_a_size_a_version_or_words_that_are_wrong_are_named(name: str, cell: int, planted: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name}"))
    told = row.strip("|").split(" | ")
    told[1 + cell] = planted
    wrong = PAGE.replace(row, f"|{' | '.join(told)}|" if planted else "")
    assert any(f"'{name}" in said for said in far_off(wrong, PAGE))


def test_tests_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", PAGE))
    assert named
    assert all((ROOT / path).exists() for path in named)


def test_the_page_leads_to_the_claims_of_the_ledger() -> None:
    anchors = {f"#{id.lower().replace('.', '')}" for id in CLAIMS}
    assert set(re.findall(r"\]\(ledger\.md(#[^)]*)\)", PAGE)) <= anchors


@pytest.mark.parametrize("id", CLAIMS)
def test_the_ledger_says_what_is_recorded(id: str) -> None:
    (section,) = re.findall(rf"^## {re.escape(id)}\n\n(.*?)(?=^## |\Z)", LEDGER, flags=re.MULTILINE | re.DOTALL)
    first = section.splitlines()[0]
    record = RECORDS[id]
    assert f"({record.finding.value}, {record.status.value}" in first
    assert Finding(record.finding) is CLAIMS[id].finding


BLOCKS = re.findall(r"```(\w*)\n(.*?)```", (ROOT / "docs" / "adding_a_claim.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_how_to_add_a_claim_print_what_the_page_says() -> None:
    variables: dict[str, Any] = {}
    shown = 0
    for (language, code), (_, expected) in pairwise(BLOCKS):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, "docs/adding_a_claim.md", "exec"), variables)
            assert printed.getvalue() == expected
            shown += 1
    assert shown == 3


def test_what_the_page_on_adding_a_claim_names_is_there() -> None:
    text = (ROOT / "docs" / "adding_a_claim.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"`((?:theory|proofs_check)/[\w/]+\.\w+)`", text))
    assert "proofs_check/oracles.py" in paths
    assert all((ROOT / path).exists() for path in paths)
    for noun, kind in (("Proof", Proof), ("Claim", Claim), ("Step", Step), ("Trial", Trial), ("Mutant", Mutant)):
        for name in re.findall(rf"`{noun}\.(\w+)`", text):
            assert name in {field.name for field in fields(kind)}
