"""One bad thing is one bad row: whatever is damaged is named, the exit status is 1, and all other claims are looked at."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
import sympy as sp
from hypothesis import strategies as st

from proofs_check import __main__ as command
from proofs_check import arena, counterexamples, ledger, workers
from proofs_check.coqc import coq_version
from proofs_check.counterexamples import MOST_BYTES, damaged, stored_sha256
from proofs_check.expected import EXPECTED, Expected, fallen, read_expected, recorded
from proofs_check.kept import Reading
from proofs_check.machine_checked import Evidence, check
from proofs_check.manifest import MANIFEST
from proofs_check.pins import canonical, step_pins
from proofs_check.registry import TRIALS
from proofs_check.row import Row, TheoremRow
from proofs_check.trials.operators import MORE, scaled
from theory.claim import Assumption, Claim, Instance
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS

needs_coq = pytest.mark.skipif(not coq_version(), reason="Coq is not installed")

BAD, GOOD = "V10", "V12"
"""The claim to which it happens, and one to which nothing does; both are refuted, and quick to look at."""

Damage = Callable[[Path], object]


class Run:
    """The command on two claims, without networks and without Coq."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.patch, self.capsys = monkeypatch, capsys
        monkeypatch.setattr(workers, "networks", lambda count, *, seed, device: [])
        self.coq(lambda ids, **_: Evidence({}, [], "", 0, 0.0))

    def coq(self, check: Callable[..., Evidence]) -> None:
        self.patch.setattr(command, "check", check)

    def problems(self, *ids: str, status: int = 1) -> list[str]:
        """Return the lines on what is wrong, after a run that names something and looks at all claims."""
        asked = ids or (BAD, GOOD)
        assert command.main([*asked, "--budget", "1", "--jobs", "1"]) == status
        out = self.capsys.readouterr().out
        lines, summary = (part.splitlines() for part in out.split("\n\n", 1))
        assert {line.split()[0] for line in lines[1:]} == set(asked)
        assert summary[0].startswith(f"{len(asked)} claim")
        return summary[1:]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(monkeypatch, capsys)


def test_where_nothing_is_damaged_nothing_is_named(run: Run) -> None:
    run.patch.setattr(command, "read_expected", lambda: without_theorems(BAD, GOOD))
    assert run.problems(status=0) == []


def without_theorems(*ids: str) -> Expected:
    """Return what is recorded of claims, but for their theorems in Coq."""
    whole = read_expected()
    kept = {
        id: replace(record, pins={name: pin for name, pin in record.pins.items() if "theorem " not in name})
        for id, record in whole.records.items()
    }
    return replace(whole, records={id: kept[id] for id in ids} | {id: kept[id] for id in kept if id not in ids})


# --- stored counterexamples -------------------------------------------------------------------------------------------


def text(content: str) -> Damage:
    return lambda file: file.write_text(content, encoding="utf-8")


def value(code: Any) -> Damage:
    """Put another value in the place of one."""
    return given(lambda values: values | {"scale": code})


def given(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """Change the values of the symbols."""
    return changed(lambda code: code | {"given": change(code["given"])})


def changed(change: Callable[[Any], Any]) -> Damage:
    """Change what is in a JSON file."""
    return lambda file: file.write_text(
        json.dumps(change(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8"
    )


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda code: {key: part for key, part in code.items() if key != name}


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


READ = "cannot be read: "
STORED_DAMAGE: dict[str, tuple[Damage, str]] = {
    "empty": (text(""), READ + "it is not JSON: Expecting value"),
    "cut": (lambda file: file.write_bytes(file.read_bytes()[:60]), READ + "it is not JSON: "),
    "not UTF-8": (lambda file: file.write_bytes(b"\xff\xfe{}"), READ + "byte 0 of it is not UTF-8"),
    "a null byte": (text("\0"), READ + "it is not JSON"),
    "words": (text("a counterexample"), READ + "it is not JSON"),
    "a list": (text("[]"), READ + "an instance must be an object with `origin` and `given`"),
    "a number": (text("3"), READ + "an instance must be an object"),
    "nan": (changed(lambda code: code | {"given": float("nan")}), READ + "it holds NaN, which is no number"),
    "no values": (changed(without("given")), READ + "an instance must be an object"),
    "no origin": (changed(without("origin")), READ + "an instance must be an object"),
    "a key too many": (changed(lambda code: code | {"note": "x"}), "and not 'note'"),
    "an origin of two lines": (changed(lambda code: code | {"origin": "a\nb"}), "its origin must be one line"),
    "an origin that is no text": (changed(lambda code: code | {"origin": 3}), "its origin must be one line"),
    "a key twice": (text('{"origin": "x", "origin": "y", "given": {}}'), "the key 'origin' stands twice in one object"),
    "a symbol missing": (given(without("scale")), "its stored counterexample lacks a value for scale"),
    "a symbol too many": (given(lambda v: v | {"rate": {"int": 1}}), "has a value too many, for rate"),
    "a symbol that cannot be printed": (
        given(lambda v: v | {"\ud800": {"int": 1}}),
        r"has a value too many, for \ud800",
    ),
    "another claim's": (lambda file: text((file.parent / "V12.json").read_text())(file), "lacks a value for fan_in"),
    "a value without a kind": (value(3), "scale: a value must be an object with one key, got 3"),
    "an unknown kind": (value({"pickle": "gASV"}), "scale: unknown kind of value 'pickle'"),
    "two kinds": (value({"int": 1, "float": "0x1p0"}), "scale: a value must be an object with one key"),
    "a huge exponent": (
        value({"rational": "1e999999999"}),
        'the rational 1e999999999 cannot be read: it must be "p/q"',
    ),
    "a division by zero": (value({"rational": "1/0"}), "the rational 1/0 cannot be read: Fraction(1, 0)"),
    "too many digits": (value({"rational": "9" * 2000}), "it must have at most 1000 digits above and below the line"),
    "a rational that is a number": (
        value({"rational": 0.5}),
        "the rational 0.5 cannot be read: expected str, got float",
    ),
    "a float out of range": (
        value({"float": "0x1p99999"}),
        "the float 0x1p99999 cannot be read: hexadecimal value too large",
    ),
    "a float that is a word": (value({"float": "nought"}), "the float nought cannot be read: invalid hexadecimal"),
    "an infinite float": (value({"float": "inf"}), "the float inf cannot be read: it must be finite, got inf"),
    "a float that is no number": (value({"float": "nan"}), "the float nan cannot be read: it must be finite, got nan"),
    "a decimal float": (value({"float": "10.5"}), "it must be in hexadecimal as Python writes it"),
    "an integer that is a text": (value({"int": "3"}), "the int 3 cannot be read: expected int, got str"),
    "an integer that is a truth value": (value({"int": True}), "the int True cannot be read: expected int, got bool"),
    "an integer of 65 bits": (value({"int": 2**64}), "cannot be read: it must have 64 bits at most"),
    "an integer of 5000 digits": (
        lambda file: file.write_text(file.read_text().replace("1", "1" * 5000, 1)),
        "it holds a whole number of more than 1000 digits",
    ),
    "a text for a tuple": (value({"tuple": "abc"}), "the tuple abc cannot be read: expected list, got str"),
    "rows of unequal lengths": (value({"array": [[{"int": 1}], []]}), "its rows have unequal lengths"),
    "weights without a part": (value({"weights": {"w1": {"array": []}}}), "the weights"),
    "deep nesting": (text("[" * 50_000), READ + "it is nested more than 32 deep"),
    "deep values": (value(json.loads('{"tuple": [' * 40 + "]}" * 40)), READ + "it is nested more than 32 deep"),
    "too large": (text(" " * (MOST_BYTES + 1)), READ + f"it has more than {MOST_BYTES} bytes"),
    "another value": (value({"rational": "2"}), "its stored counterexample is not the recorded one"),
    "a value that takes for ever": (value({"int": 2**62}), "its stored counterexample is not the recorded one"),
    "gone": (lambda file: file.unlink(), "V10.json is gone"),
    "a folder in its place": (folder_instead, READ + "it is no file"),
    "one of no claim": (
        lambda file: file.rename(file.with_stem("V99")),
        "V99.json is of no claim; the nearest are V9",
    ),
    "one that is new": (lambda file: text(file.read_text())(file.with_stem("V1")), "V1: its stored counterexample"),
    "a file that is none": (lambda file: file.with_suffix(".bak").touch(), "V10.bak is no stored counterexample"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the stored counterexamples."""
    copy = tmp_path / "stored"
    copy.mkdir()
    for file in counterexamples.STORED.glob("*.json"):
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


@pytest.mark.parametrize("damage", STORED_DAMAGE)
def test_a_stored_counterexample_that_is_damaged_is_named(damage: str, folder: Path, run: Run) -> None:
    do, said = STORED_DAMAGE[damage]
    do(folder / f"{BAD}.json")
    run.patch.setattr(command, "read_expected", lambda: without_theorems(BAD, GOOD))
    run.patch.setattr(command, "damaged", partial(damaged, folder=folder))
    problems = run.problems()
    assert any(said in problem for problem in problems), problems
    assert not any(problem.startswith(f"{GOOD}:") for problem in problems)


def test_a_damaged_counterexample_is_left_out_of_every_search() -> None:
    whole, left = arena.named(), arena.named(frozenset({BAD}))
    origin = next(instance.origin for id, instance in whole if id == BAD and instance.origin.startswith("stored"))
    assert len(whole) == len(left) + 1
    assert origin not in [instance.origin for id, instance in left if id == BAD]


def test_what_is_stored_is_whole_and_recorded() -> None:
    expected = read_expected()
    assert damaged(expected.stored_sha256()) == {}
    assert {id: pin for id, pin in expected.stored_sha256().items() if pin} == stored_sha256()


# --- expected.json ----------------------------------------------------------------------------------------------------


def entry(**changes: Any) -> Damage:
    """Change what is recorded of the claim, or drop what is None."""

    def change(codes: dict[str, Any]) -> dict[str, Any]:
        merged = codes[BAD] | changes
        return codes | {BAD: {name: part for name, part in merged.items() if part is not None}}

    return changed(change)


def pin(name: str, sha256: str | None) -> Damage:
    def change(codes: dict[str, Any]) -> dict[str, Any]:
        pins = {key: part for key, part in (codes[BAD]["pins"] | {name: sha256}).items() if part is not None}
        return codes | {BAD: codes[BAD] | {"pins": pins}}

    return changed(change)


ONCE = "expected.json cannot be read: "
OF_IT = f"{BAD}: what is recorded of it cannot be read: "
EXPECTED_DAMAGE: dict[str, tuple[Damage, str]] = {
    "empty": (text(""), ONCE + "it is not JSON"),
    "cut": (lambda file: file.write_bytes(file.read_bytes()[:999]), ONCE + "it is not JSON"),
    "a list": (text("[]"), ONCE + "it must be an object with a claim's record under each id, got []"),
    "not UTF-8": (lambda file: file.write_bytes(b"\xff"), ONCE + "byte 0 of it is not UTF-8"),
    "deep nesting": (text('{"V10":' * 50_000), ONCE + "it is nested more than 32 deep"),
    "gone": (lambda file: file.unlink(), ONCE + "it is not there"),
    "a folder in its place": (folder_instead, ONCE + "it is no file"),
    "a claim twice": (
        lambda file: file.write_text('{"V10": 1, "V10": 2}'),
        ONCE + "the key 'V10' stands twice in one object",
    ),
    "a number for a record": (changed(lambda codes: codes | {BAD: 3}), OF_IT + "it must be an object, got 3"),
    "no finding": (entry(finding=None), OF_IT + "it lacks finding"),
    "no status": (entry(status=None), OF_IT + "it lacks status"),
    "no mutants": (entry(mutants_caught=None), OF_IT + "it lacks mutants_caught"),
    "no statement": (entry(statement_sha256=None), OF_IT + "it lacks statement_sha256"),
    "no pins": (entry(pins=None), OF_IT + "it lacks pins"),
    "a field too many": (entry(sure=True), OF_IT + "there is no 'sure', only finding, status"),
    "an unknown finding": (entry(finding="wrong"), OF_IT + "finding must be one of as printed, needs an assumption"),
    "an unknown status": (entry(status="certain"), OF_IT + "status must be one of refuted, conjectured, tested"),
    "a status that is a list": (entry(status=["proved"]), OF_IT + "status must be one of"),
    "an unknown status without Coq": (entry(status_without_coq="?"), OF_IT + "status_without_coq must be one of"),
    "mutants in words": (entry(mutants_caught="four"), OF_IT + "mutants_caught must be a whole number from 0"),
    "mutants below zero": (entry(mutants_caught=-1), OF_IT + "mutants_caught must be a whole number from 0, got -1"),
    "a truth value for mutants": (entry(mutants_caught=True), OF_IT + "mutants_caught must be a whole number"),
    "a hash that is cut": (entry(statement_sha256="ab"), OF_IT + "statement_sha256 must be a SHA-256 in hexadecimal"),
    "a list of pins": (entry(pins=[]), OF_IT + "pins must be an object, got []"),
    "a pin that is no hash": (pin("its form", "x"), OF_IT + "pins: its form must be a SHA-256"),
    "a number for the changes": (
        entry(rewritten=3),
        OF_IT + "rewritten must be an object with seed, tried, caught, surv",
    ),
    "changes without a seed": (
        entry(rewritten={"tried": 1, "caught": 1, "survivors": []}),
        OF_IT + "rewritten must be",
    ),
    "changes below zero": (
        entry(rewritten={"seed": 0, "tried": -1, "caught": 1, "survivors": []}),
        OF_IT + "rewritten: tried must be a whole number from 0, got -1",
    ),
    "survivors in one word": (
        entry(rewritten={"seed": 0, "tried": 1, "caught": 1, "survivors": "all"}),
        OF_IT + "rewritten: survivors must be a list of names, got 'all'",
    ),
    "another statement": (entry(statement_sha256="0" * 64), f"{BAD}: its statement or source is not the recorded one"),
    "another form": (pin("its form", "0" * 64), f"{BAD}: changed since it was recorded: its form"),
    "no assumptions": (pin("its assumptions", None), f"{BAD}: there, but not recorded: its assumptions"),
    "a step that is not there": (
        pin("step 7 of its proof", "0" * 64),
        f"{BAD}: recorded, but gone: step 7 of its proof",
    ),
    "another finding": (entry(finding="loose"), f"{BAD}: its finding was 'loose' and is "),
    "a higher status": (entry(status="proved"), f"{BAD}: its status fell from proved to refuted"),
    "no stored counterexample": (entry(stored_sha256=None), f"{BAD}: its stored counterexample is new"),
    "another stored counterexample": (entry(stored_sha256="0" * 64), f"{BAD}: its stored counterexample is not the"),
    "a claim missing": (changed(without(BAD)), f"{BAD}: nothing is recorded of it: run with --record"),
    "a claim that is none": (changed(lambda codes: codes | {"V99": codes[BAD]}), "there is no claim 'V99', of which"),
}


@pytest.mark.parametrize("damage", EXPECTED_DAMAGE)
def test_a_record_that_is_damaged_is_named(damage: str, tmp_path: Path, run: Run) -> None:
    do, said = EXPECTED_DAMAGE[damage]
    file = tmp_path / "expected.json"
    codes = json.loads(EXPECTED.read_text(encoding="utf-8"))
    for code in codes.values():
        code["pins"] = {name: value for name, value in code["pins"].items() if "theorem " not in name}
    file.write_text(json.dumps(codes), encoding="utf-8")
    do(file)
    run.patch.setattr(command, "read_expected", partial(read_expected, file))
    problems = run.problems()
    assert [said in problem for problem in problems] == [True], problems


# --- the manifest of theorems, and Coq files --------------------------------------------------------------------------

V_FILE = """From Coq Require Import ZArith.
(* What is doubled. *)
Definition double (n : nat) : nat := n + n.
Theorem even : forall n : nat, double n = n + n.
Proof. reflexivity. Qed.
"""
TOML = """[[theorem]]
claim = "V10"
file = "a/top.v"
name = "even"
covers = "Doubling."
leaves_out = "All else."
"""


def manifest(old: str, new: str) -> Damage:
    assert old in TOML
    return lambda folder: (folder / MANIFEST).write_text(TOML.replace(old, new), encoding="utf-8")


def proof(old: str, new: str) -> Damage:
    assert old in V_FILE
    return lambda folder: (folder / "a" / "top.v").write_text(V_FILE.replace(old, new), encoding="utf-8")


T = "theorem even (a/top.v)"
TEXT = f"V10: changed since it was recorded: the text of {T} and of the definitions under it"
COQ_DAMAGE: dict[str, tuple[Damage, str]] = {
    "the manifest is gone": (lambda folder: (folder / MANIFEST).unlink(), f"{MANIFEST}, which names the theorems"),
    "the manifest is empty": (manifest(TOML, ""), f"{MANIFEST} names no theorem"),
    "the manifest is cut": (manifest('"\ncovers', "\ncovers"), f"{MANIFEST} cannot be read: "),
    "the manifest is not UTF-8": (lambda f: (f / MANIFEST).write_bytes(b"\xff"), f"{MANIFEST} cannot be read: "),
    "the manifest is nested deep": (manifest(TOML, "x = " + "[" * 50_000), f"{MANIFEST} cannot be read: "),
    "the manifest holds a huge number": (manifest(TOML, "x = " + "9" * 5000), f"{MANIFEST} cannot be read: "),
    "another table": (manifest("[[theorem]]", "[[theorems]]"), "its tables must be [[theorem]], got 'theorems'"),
    "a key missing": (manifest('covers = "Doubling."\n', ""), "covers must be a text, got None"),
    "a key too many": (manifest("covers", 'proves = "all"\ncovers'), "there is no 'proves', only claim, file"),
    "a key of the wrong type": (manifest('"even"', "3"), "name must be a text, got 3"),
    "a claim that is none": (
        manifest('"V10"', '"V99"'),
        "there is no claim 'V99', which even (a/top.v) is said to prove",
    ),
    "a name that says more": (
        manifest('"even"', '"even. Axiom even"'),
        "name must be a name in Coq, got 'even. Axiom even'",
    ),
    "a theorem that is not there": (manifest('"even"', '"odd"'), "V10: odd (a/top.v): there is no such theorem"),
    "a file that is not there": (manifest("a/top", "a/end"), "V10: even (a/end.v): there is no file a/end.v"),
    "a theorem credited to another claim": (manifest('"V10"', '"V12"'), f"V10: recorded, but gone: {T}"),
    "and that claim has it": (manifest('"V10"', '"V12"'), f"V12: there, but not recorded: {T}"),
    "what it covers": (manifest("Doubling.", "All."), f"V10: changed since it was recorded: {T}"),
    "what it leaves out": (manifest("All else.", ""), f"V10: changed since it was recorded: {T}"),
    "what it refutes": (manifest("covers", "refutes = true\ncovers"), f"V10: changed since it was recorded: {T}"),
    "the file is gone": (
        lambda folder: (folder / "a" / "top.v").unlink(),
        "V10: even (a/top.v): there is no file a/top.v",
    ),
    "the file is empty": (proof(V_FILE, ""), "V10: even (a/top.v): there is no such theorem"),
    "the file is cut": (proof(V_FILE[60:], ""), "V10: even (a/top.v): there is no such theorem"),
    "the file is not UTF-8": (
        lambda folder: (folder / "a" / "top.v").write_bytes(V_FILE.encode().replace(b"What", b"\xff")),
        "V10: even (a/top.v): a/top.v: byte 35 of it is not UTF-8",
    ),
    "a folder is in its place": (
        lambda f: folder_instead(f / "a" / "top.v"),
        "a/top.v: it is no file",
    ),
    "the proof is left open": (
        proof("Qed", "Admitted"),
        "V10: even (a/top.v): a/top.v leaves a proof open: Admitted in line",
    ),
    "the theorem is in a comment": (proof("What is doubled. *)", "What is doubled."), "there is no such theorem"),
    "the statement says nothing": (proof("forall n : nat, double n = n + n", "True"), TEXT),
    "a definition says another thing": (proof("n + n.\nTheorem", "2 * n.\nTheorem"), TEXT),
    "a notation says another thing": (proof("Theorem", 'Notation "x = y" := (x <= y).\nTheorem'), TEXT),
    "a file that nothing names": (lambda f: (f / "b.v").write_text(V_FILE), f"b.v: {MANIFEST} names no theorem of it"),
}


@pytest.fixture
def coq(tmp_path: Path) -> Path:
    """A folder with a Coq file and a manifest."""
    folder = tmp_path / "coq"
    (folder / "a").mkdir(parents=True)
    manifest("V10", "V10")(folder)
    proof("even", "even")(folder)
    return folder


def recorded_with(theorems: list[TheoremRow]) -> Expected:
    """Return what is recorded of the two claims, with theorems of the first."""
    plain = without_theorems(BAD, GOOD)
    pinned = recorded(replace(row(), theorems=tuple(theorems)))
    both = plain.records[BAD].pins | {name: pin for name, pin in pinned.pins.items() if "theorem " in name}
    return replace(plain, records=dict(plain.records) | {BAD: replace(plain.records[BAD], pins=both)})


def row() -> Row:
    return ledger.crashed_row(CLAIMS[BAD], "")


@pytest.mark.parametrize("damage", COQ_DAMAGE)
def test_a_manifest_or_a_coq_file_that_is_damaged_is_named_without_coq(damage: str, coq: Path, run: Run) -> None:
    do, said = COQ_DAMAGE[damage]
    run.patch.setenv("PATH", "")
    expected = recorded_with(list(check(folder=coq).theorems[BAD]))
    run.patch.setattr(command, "read_expected", lambda: expected)
    run.coq(partial(check, folder=coq))
    do(coq)
    problems = run.problems()
    assert any(said in problem for problem in problems), problems


def test_a_file_whose_proofs_alone_change_is_the_same(coq: Path, run: Run) -> None:
    run.patch.setenv("PATH", "")
    expected = recorded_with(list(check(folder=coq).theorems[BAD]))
    run.patch.setattr(command, "read_expected", lambda: expected)
    run.coq(partial(check, folder=coq))
    proof("reflexivity.", "now  unfold double. (* as before *)")(coq)
    (first, *more) = run.problems(status=0)
    assert first.startswith("Coq is not installed, so 1 theorem in Coq was not checked.")
    assert more == []


@needs_coq
def test_a_statement_as_coq_prints_it_is_pinned_and_without_coq_has_not_changed(
    coq: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = coq.parent / "build"
    (printed,) = check(folder=coq, build=build).theorems[BAD]
    assert printed.statement == "forall n : nat, double n = (n + n)%nat"
    before = {BAD: recorded(replace(row(), theorems=(printed,)))}
    proof("forall n : nat, double n = n + n.\nProof. reflexivity", "True.\nProof. easy")(coq)
    (gutted,) = check(folder=coq, build=build).theorems[BAD]
    assert gutted.outcome == "checked"
    standing = replace(row(), theorems=(gutted,))
    (said,) = fallen(standing, before)
    assert f"the statement of {T}" in said
    monkeypatch.setenv("PATH", "")
    proof("even", "even")(coq)
    (unasked,) = check(folder=coq, build=build).theorems[BAD]
    assert fallen(replace(standing, theorems=(unasked,)), before) == []


# --- what crashes -----------------------------------------------------------------------------------------------------


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("no such thing")


def leaves(*_: Any, **__: Any) -> Any:
    sys.exit(0)


def recursive(*_: Any, **__: Any) -> Any:
    return recursive()


def claim(id: str, **changes: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(CLAIMS._entries, id, replace(CLAIMS[id], **changes))


def trial(id: str, **changes: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(TRIALS._entries, id, replace(TRIALS[id], **changes))


def late(sides: Callable[..., Any], after: int) -> Callable[..., Any]:
    """Return sides that crash once they were asked for some times."""
    asked = 0

    def crash(instance: Instance) -> Any:
        nonlocal asked
        asked += 1
        return sides(instance) if asked <= after else broken()

    return crash


class Damaged(Reading):
    """Kept rows that cannot be read."""

    def missing(self) -> str:
        return ""

    def read(self, results: Path | None = None) -> list[Instance]:
        raise ValueError("rows.parquet is not a whole Parquet file")


def not_written(*_: Any, **__: Any) -> Any:
    """Raise what is no word on the values: without a value on an instance a mutant decides nothing there."""
    raise NotImplementedError("not written yet")


MUTANT, PROOF = scaled(CLAIMS["V2"], MORE), CLAIMS["V2"].proof
BROKEN = "crashes with ZeroDivisionError: no such thing"
CRASHES: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None], str]] = {
    "evaluation": ("V10", claim("V10", sides=broken), f"its evaluation on its witness {BROKEN}"),
    "evaluation of what is drawn": (
        "V2",
        claim("V2", sides=broken, extremal=None, witness=None),
        f"its evaluation on a drawn instance {BROKEN}",
    ),
    "evaluation, later": ("V2", claim("V2", sides=late(CLAIMS["V2"].sides, 1)), f" instance {BROKEN}"),
    "an evaluation that leaves": (
        "V10",
        claim("V10", sides=leaves),
        "its evaluation on its witness crashes with SystemExit",
    ),
    "an evaluation without end": (
        "V10",
        claim("V10", sides=recursive),
        "crashes with RecursionError: maximum recursion",
    ),
    "strategy": ("V2", trial("V2", instances=st.builds(broken)), f"its strategy {BROKEN}"),
    "a strategy of something else": (
        "V2",
        trial("V2", instances=st.just(3)),
        "crashes with TypeError: instance must be",
    ),
    "proof": ("V2", claim("V2", proof=broken), f"its proof {BROKEN}"),
    "a proof that is none": ("V2", claim("V2", proof=lambda: "by magic"), "its proof crashes with AttributeError: "),
    "proof of small sizes": ("V2", claim("V2", small=broken), f"its proof of small sizes {BROKEN}"),
    "mutant": (
        "V2",
        trial("V2", mutants=(replace(MUTANT, name="halved", claim=replace(MUTANT.claim, sides=not_written)),)),
        "its mutant 'halved': its evaluation on a ",
    ),
    "oracle": ("B7", trial("B7", oracle=broken), f"its oracle {BROKEN}"),
    "kept rows": (
        "V2",
        trial("V2", instances=Damaged("a_study", {})),
        "the reading of its kept rows crashes with ValueError: rows.parquet is not a whole Parquet file",
    ),
    "comparison with what was recorded": (
        "V2",
        claim("V2", proof=lambda: replace(cast("Callable[[], Proof]", PROOF)(), covers=cast("str", object()))),
        "its comparison with what was recorded crashes with TypeError: no part of a proof is a object",
    ),
    "bound": ("B7", claim("B7", bound_on=broken), f"its importable bound {BROKEN}"),
}


@pytest.mark.parametrize("crash", CRASHES)
def test_a_claim_that_crashes_has_a_row_that_says_what_crashed(crash: str, run: Run, tmp_path: Path) -> None:
    id, do, said = CRASHES[crash]
    do(run.patch)
    run.patch.setattr(command, "read_expected", lambda: without_theorems(id, GOOD))
    problems = run.problems(id, GOOD)
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{id}: ")
    assert said in problems[0]
    assert problems[0].count("\n") == 0


def test_a_row_that_crashed_is_shown_and_not_recorded(run: Run, tmp_path: Path) -> None:
    run.patch.setitem(CLAIMS._entries, BAD, replace(CLAIMS[BAD], sides=broken))
    files = {name: tmp_path / name for name in ("rows.json", "page.html", "expected.json")}
    asked = ["--budget", "1", "--jobs", "1", "--json", str(files["rows.json"]), "--html", str(files["page.html"])]
    run.patch.setattr(command, "checked", lambda options: [BAD, GOOD])
    run.patch.setattr(command, "EXPECTED", files["expected.json"])
    run.patch.setattr(command, "LEDGER", tmp_path / "ledger.md")
    run.coq(lambda ids, **_: Evidence({}, [], "8.16.1", 0, 0.0))
    assert command.main(["--record", *asked]) == 1
    out = run.capsys.readouterr().out
    assert "\nnothing is recorded: V10 crashed.\n" in out
    assert not files["expected.json"].exists()
    assert not (tmp_path / "ledger.md").exists()
    assert "  crashed" in next(line for line in out.splitlines() if line.startswith(f"{BAD} "))
    bad, good = json.loads(files["rows.json"].read_text(encoding="utf-8"))
    assert bad["crashed"] == f"its evaluation on its witness {BROKEN}"
    assert "crashed" not in good
    assert f'<p class="problem">{bad["crashed"]}</p>' in files["page.html"].read_text(encoding="utf-8")


def test_coq_that_crashes_is_named_and_the_claims_are_looked_at(run: Run) -> None:
    run.patch.setattr(command, "read_expected", lambda: without_theorems(BAD, GOOD))
    run.coq(broken)
    assert run.problems() == ["Coq: the theorems could not be checked, ZeroDivisionError: no such thing."]


def test_a_process_that_dies_is_named_and_the_other_claims_run_in_another(run: Run) -> None:
    dies = iter(partial(os._exit, 3), None)  # in the process that looks at a claim's theorems
    rows = list(workers.examined([BAD, GOOD], budget="1", seed=0, device="cpu", jobs=2, theorems={BAD: dies}))
    assert [one.id for one in rows] == [BAD, GOOD]
    assert rows[0].crashed == "its process died while it was looked at, killed or out of memory"
    assert rows[1].problems == ()


# --- what is pinned ---------------------------------------------------------------------------------------------------


def gutted(proof: Proof | None) -> Proof:
    x = sp.Symbol("x", real=True)
    return Proof((Step((x + 1) ** 2, x**2 + 2 * x + 1, Rule.IDENTITY, "squares"),), proof.covers if proof else "")


SYMBOL = sp.Symbol("x", real=True)
ASSUMPTION = Assumption("one is one", lambda given: 1, bool)
STEP = Step(SYMBOL**2 + 1, SYMBOL, Rule.POLYNOMIAL, "why", (SYMBOL**2,), conditions=(SYMBOL > 0, SYMBOL < 3))


@pytest.mark.parametrize(
    "change",
    [
        {"before": SYMBOL**2 + 2},
        {"after": sp.Symbol("x", positive=True)},
        {"rule": Rule.NONNEGATIVE},
        {"certificate": ()},
        {"term": 0},
        {"conditions": (SYMBOL > 0,)},
        {"variable": SYMBOL},
        {"base": 1},
        {"factor": sp.Integer(2)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_part_of_a_step_is_pinned(change: dict[str, Any]) -> None:
    assert step_pins(Proof((replace(STEP, **change),), "")) != step_pins(Proof((STEP,), ""))


def test_words_and_orders_are_not_pinned_but_for_the_theorem_that_is_cited() -> None:
    same = replace(STEP, because="other words", conditions=STEP.conditions[::-1])
    assert step_pins(Proof((same,), "")) == step_pins(Proof((STEP,), ""))
    cited = (replace(STEP, rule=Rule.CITED, because=name) for name in ("Jensen", "Hölder"))
    assert len({step_pins(Proof((step,), "")) for step in cited}) == 2


def test_a_text_of_an_expression_has_no_order_that_it_does_not_mean() -> None:
    a, b = sp.symbols("a b", positive=True)
    declared = sp.Symbol("a", positive=True, real=True)
    assert canonical(sp.Add(b, a, evaluate=False)) == canonical(sp.Add(declared, b, evaluate=False))
    assert canonical(sp.Max(a, b)) == canonical(sp.Max(b, a))
    assert canonical(a / b) != canonical(b / a)
    assert canonical(sp.Symbol("a")) != canonical(a)
    with pytest.raises(TypeError, match="no part of a proof is a object"):
        canonical(object())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda claim: {"proof": lambda: gutted(claim.proof())}, "step 0 of its proof"),
        (lambda claim: {"proof": lambda: replace(claim.proof(), covers="All.")}, "what its proof covers"),
        (lambda claim: {"assumptions": (*claim.assumptions, ASSUMPTION)}, "its assumptions"),
        (lambda claim: {"symbols": (replace(claim.symbols[0], meaning="x"), *claim.symbols[1:])}, "its symbols"),
    ],
    ids=["another proof", "what it covers", "an assumption", "a symbol"],
)
def test_what_a_claim_rests_on_is_held_against_what_was_recorded(
    change: Callable[[Claim], dict[str, Any]], said: str, run: Run
) -> None:
    id = "V2"
    run.patch.setattr(command, "read_expected", lambda: without_theorems(id, GOOD))
    run.patch.setitem(CLAIMS._entries, id, replace(CLAIMS[id], **change(CLAIMS[id])))
    problems = run.problems(id, GOOD)
    changed = [problem for problem in problems if problem.startswith(f"{id}: changed since it was recorded: ")]
    assert len(changed) == 1
    assert said in changed[0]


@pytest.mark.parametrize("part", ["measure", "holds"])
def test_an_assumption_that_is_decided_otherwise_under_its_old_name_is_told(part: str, run: Run) -> None:
    id = "M6"
    run.patch.setattr(command, "read_expected", lambda: without_theorems(id, GOOD))
    first, last = CLAIMS[id].assumptions
    other = replace(last, **{part: lambda value: bool(value) and False})
    run.patch.setitem(CLAIMS._entries, id, replace(CLAIMS[id], assumptions=(first, other)))
    changed = [one for one in run.problems(id, GOOD) if one.startswith(f"{id}: changed since it was recorded: ")]
    assert len(changed) == 1
    assert f"how it is decided that {last.name}" in changed[0]
    assert f"how it is decided that {first.name}" not in changed[0]


def test_pins_are_the_same_in_every_process() -> None:
    """The recorded ones were made in other processes, with other hash seeds."""
    for id in ("V2", "M6.a", "B3.d", "W2.a", "V9.a"):
        proof, pins = CLAIMS[id].proof, read_expected().records[id].pins
        assert proof is not None
        assert [pins[f"step {number} of its proof"] for number, _ in enumerate(proof().steps)] == list(
            step_pins(proof())
        )
