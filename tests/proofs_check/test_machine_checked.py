"""What is wrong with a theorem in Coq, a file or the manifest is named; without Coq nothing fails that need not."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proofs_check import __main__ as command
from proofs_check.coq_sources import read_sources, without_comments
from proofs_check.coqc import AXIOMS, axioms_of, coq_version, statement_of
from proofs_check.expected import Expected, fallen, recorded
from proofs_check.falsify import Effort
from proofs_check.ledger import row_of
from proofs_check.machine_checked import Evidence, check, main, prove_all
from proofs_check.manifest import FOLDER, MANIFEST, read_manifest
from proofs_check.page import markdown, page, table_line
from proofs_check.row import Head, TheoremRow
from theory.claim import Status
from theory.registry import CLAIMS

needs_coq = pytest.mark.skipif(not coq_version(), reason="Coq is not installed")

# Of natural numbers, which Coq has at once: the real numbers take ten times as long to load as these files to compile.
BASE = """Definition twice (x : nat) : nat := x + x.
Lemma twice_nonneg x : 0 <= x -> 0 <= twice x.
Proof. induction (twice x); auto. Qed.
"""
TOP = """From ImplicitSmoothness Require Import base.
Theorem four_times : forall x : nat, 0 <= x -> 0 <= twice (twice x).
Proof. intros. now do 2 apply twice_nonneg. Qed.
"""
REAL_BASE = """From Coq Require Import Reals Lra.
Open Scope R_scope.
Definition twice (x : R) : R := x + x.
Lemma twice_nonneg x : 0 <= x -> 0 <= twice x.
Proof. unfold twice. lra. Qed.
"""
REAL_TOP = """From Coq Require Import Reals.
From ImplicitSmoothness Require Import base.
Open Scope R_scope.
Theorem four_times : forall x : R, 0 <= x -> 0 <= twice (twice x).
Proof. intros. now do 2 apply twice_nonneg. Qed.
"""
ENTRY = {"claim": "V8", "file": "top.v", "name": "four_times", "covers": "Four times.", "leaves_out": ""}
LITTLE = Effort(drawn=5, coincident=0, varied=0, trained=0, shrink=0)


def write(folder: Path, *entries: dict[str, Any], **files: str) -> Path:
    """Write a folder of Coq files with a manifest, and return it."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        file = folder / f"{name}.v"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    tables = ("\n".join(f"{key} = {json.dumps(value)}" for key, value in entry.items()) for entry in entries)
    (folder / MANIFEST).write_text("".join(f"[[theorem]]\n{table}\n" for table in tables), encoding="utf-8")
    return folder


def write_tables(folder: Path, entry: dict[str, Any]) -> None:
    """Write a manifest of one theorem, whose values may be tables of texts."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items() if not isinstance(value, dict)]
    for key, table in entry.items():
        if isinstance(table, dict):
            lines += [
                f"[theorem.{key}]",
                *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in table.items()),
            ]
    (folder / MANIFEST).write_text("\n".join(["[[theorem]]", *lines]) + "\n", encoding="utf-8")


def checked(folder: Path, said: list[str] | None = None) -> Evidence:
    say = (lambda line: None) if said is None else said.append
    return check(jobs=2, folder=folder, build=folder.parent / "build", say=say)


def why(evidence: Evidence) -> str:
    """Return what is wrong with the only theorem."""
    (rows,) = evidence.theorems.values()
    (row,) = rows
    assert row.outcome == ("failed" if row.why else "checked")
    return str(row.why)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "coq", ENTRY, base=BASE, top=TOP)


@needs_coq
def test_a_theorem_is_shown_with_its_statement_and_its_axioms(tmp_path: Path) -> None:
    folder = write(tmp_path / "coq", ENTRY, base=REAL_BASE, top=REAL_TOP)
    evidence = checked(folder)
    assert not evidence.problems
    (row,) = evidence.theorems["V8"]
    assert row.statement == "forall x : R, 0 <= x -> 0 <= twice (twice x)"
    assert row.outcome == "checked"
    assert set(row.axioms) <= set(AXIOMS)
    assert row.axioms
    assert prove_all([row])
    assert re.match(r"Coq \S+ accepts 1 of 1 theorem in Coq, on no axioms but", evidence.summary())


def test_a_hypothesis_that_the_manifest_does_not_list_is_named_with_or_without_coq(folder: Path) -> None:
    listed = ENTRY | {"typing": {"0 <= x": "by definition: x is a length"}}
    write_tables(folder, listed)
    assert [row.why for row in checked(folder).theorems["V8"]] == [""]
    (folder / "top.v").write_text(TOP.replace("0 <= x ->", "0 <= x -> x = 0 ->"), encoding="utf-8")
    (row,) = checked(folder).theorems["V8"]
    assert row.outcome == "failed"
    assert row.why == "four_times (top.v): it assumes 'x = 0', which the manifest does not list"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"typing": "x"}, "typing must be a table, got 'x'"),
        ({"typing": {"0 <= x": ""}}, "typing: what is said of '0 <= x' must be a text, got ''"),
        ({"assumes": {"d = 1": []}}, r"assumes: what is said of 'd = 1' must be a text, got \[\]"),
        ({"further": {"0 <= x": ["a"]}}, r"further: what is said of '0 <= x' must be a text, got \['a'\]"),
    ],
)
def test_a_map_that_is_none_is_named(folder: Path, table: dict[str, Any], message: str) -> None:
    write_tables(folder, ENTRY | table)
    theorems, problems = read_manifest(folder)
    assert not theorems
    assert re.fullmatch(rf"manifest\.toml, theorem 1: {message}", problems[0])


@needs_coq
def test_files_are_compiled_anew_by_content_and_not_by_date(folder: Path) -> None:
    write(folder, ENTRY, ENTRY | {"file": "other.v", "name": "twice_nonneg"}, other=BASE)
    said: list[str] = []
    checked(folder, said)
    assert sorted(line.split(":")[0] for line in said) == ["coqc base.v", "coqc other.v", "coqc top.v"]
    os.utime(folder / "base.v", (2**31, 2**31))
    assert checked(folder).compiled == 0
    (folder / "base.v").write_text(BASE.replace("x + x", "2 * x"), encoding="utf-8")
    os.utime(folder / "base.v", (0, 0))
    said.clear()
    checked(folder, said)
    assert sorted(line.split(":")[0] for line in said) == ["coqc base.v", "coqc top.v"]


@needs_coq
def test_what_was_compiled_does_not_hide_a_proof_that_broke(folder: Path) -> None:
    assert not why(checked(folder))
    (folder / "base.v").write_text(BASE.replace("0 <= twice x", "1 <= twice x"), encoding="utf-8")
    os.utime(folder / "base.v", (0, 0))
    assert (
        why(checked(folder)) == "four_times (top.v): its file does not compile: requires base.v, which does not compile"
    )
    assert not list((folder.parent / "build").glob("**/.making-*"))


@needs_coq
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("now do 2 apply", "now do 3 apply", r"its file does not compile: line 3: \S"),
        ("0 <= twice (twice x)", "1 <= twice (twice x)", r"its file does not compile: line 3: \S"),
        (" Qed.", "", r"its file does not compile: There are pending proofs.*four_times"),
        ("Qed.", "Admitted.", "top.v leaves a proof open: Admitted in line 3"),
        ("Theorem four_times :", "Axiom four_times :", "top.v leaves a proof open: Axiom in line 2"),
        ("Theorem four_times", "Theorem four_fold", "there is no such theorem; the nearest is four_fold"),
        ("four_times", "other. Module M. Theorem four_times", r"its file does not compile: line \d+: Syntax error"),
        ("Import base", "Import absent", "its file does not compile: requires absent.v, which is not there"),
        ("Import base", "Import top", "its file was not compiled"),
    ],
)
def test_a_proof_that_is_none_is_named(folder: Path, old: str, new: str, message: str) -> None:
    assert old in TOP
    write(folder, ENTRY, base=BASE, top=TOP.replace(old, new))
    assert re.match(rf"four_times \(top\.v\): {message}", why(checked(folder)))


@needs_coq
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Variable lie : False.", "lie"),
        ("Module Type T. Hypothesis lie : False. End T. Declare Module I : T.", "I.lie"),
    ],
)
def test_an_axiom_that_the_words_of_the_file_do_not_tell_is_named_by_coq(folder: Path, text: str, name: str) -> None:
    """Outside a section, variables and hypotheses are axioms."""
    top = f"From ImplicitSmoothness Require base.\n{text}\nTheorem four_times : 0 = 1. Proof. destruct {name}. Qed.\n"
    write(folder, ENTRY, base=BASE, top=top)
    assert f"it rests on top.{name}, which is no axiom of the standard library's real numbers" in why(checked(folder))


@needs_coq
def test_an_axiom_does_not_pass_by_the_name_of_one_that_is_allowed(folder: Path) -> None:
    text = """Require Import ImplicitSmoothness.base.
    Module ClassicalDedekindReals. Module Type T. Hypothesis sig_forall_dec : False. End T. End ClassicalDedekindReals.
    Declare Module D : ClassicalDedekindReals.T.
    Module Export M. Module ClassicalDedekindReals. Include D. End ClassicalDedekindReals. End M.
    Theorem four_times : 0 = 1. Proof. destruct M.ClassicalDedekindReals.sig_forall_dec. Qed.
    """
    write(folder, ENTRY, base=BASE, top=text)
    assert "sig_forall_dec, which is no axiom" in why(checked(folder))


@needs_coq
def test_a_definition_is_no_theorem(folder: Path) -> None:
    write(folder, ENTRY, base=BASE, top=TOP + "Module M. Example number : nat := 3. End M.\n")
    write(folder, ENTRY, ENTRY | {"name": "M.number"})
    good, bad = checked(folder).theorems["V8"]
    assert good.outcome == "checked"
    assert bad.why.startswith("M.number (top.v): Coq does not accept it as a theorem: The term")


@needs_coq
def test_files_that_require_each_other_are_named(folder: Path) -> None:
    write(folder, ENTRY, base="From ImplicitSmoothness Require top.\n" + BASE)
    assert checked(folder).problems == ["these files require each other: base, top, base"]


@needs_coq
def test_a_stale_vo_is_named_and_not_used(folder: Path) -> None:
    checked(folder)
    (made,) = (folder.parent / "build").glob("base-*/base.vo")
    (other,) = (folder.parent / "build").glob("top-*/top.vo")
    made.write_bytes(other.read_bytes())
    evidence = checked(folder)
    assert evidence.problems == [f"{made} is stale: it is not what coqc made of base.v; it was compiled anew"]
    assert evidence.compiled == 1
    assert not checked(folder).problems
    (made.parent / "made.json").unlink()
    assert checked(folder).problems == [f"{made} is not whole; it was compiled anew"]


@needs_coq
def test_a_stale_vo_beside_the_sources_is_named(folder: Path) -> None:
    checked(folder)
    (made,) = (folder.parent / "build").glob("base-*/base.vo")
    beside = folder / "base.vo"
    beside.write_bytes(made.read_bytes())
    assert not checked(folder).problems
    (folder / "base.v").write_text(
        BASE + "(* changed, and compiled to something else *) Lemma more : True. easy. Qed.\n"
    )
    beside.touch()
    assert checked(folder).problems == [f"{beside} is stale: it is not what coqc makes of base.v; remove it"]
    beside.rename(folder / "gone.vo")
    assert checked(folder).problems == [f"{folder / 'gone.vo'} is stale: there is no gone.v; remove it"]


@needs_coq
def test_a_file_in_a_folder_of_its_paper_is_named_by_its_path(tmp_path: Path) -> None:
    """Two papers have a chapter of one name; each is required, compiled and named by its paper."""
    chapter = TOP.replace("Import base", "Import base one.chapter").replace("four_times", "four_times_again")
    entries = ({"file": "one/chapter.v"}, {"file": "two/chapter.v", "name": "four_times_again"})
    given = [ENTRY | entry for entry in entries]
    folder = write(tmp_path / "coq", *given, base=BASE, **{"one/chapter": TOP, "two/chapter": chapter})
    said: list[str] = []
    evidence = checked(folder, said)
    assert evidence.problems == []
    assert [row.why for row in evidence.theorems["V8"]] == ["", ""]
    assert sorted(line.split(":")[0] for line in said) == ["coqc base.v", "coqc one/chapter.v", "coqc two/chapter.v"]

    (made,) = (folder.parent / "build").glob("one.chapter-*/chapter.vo")
    (folder / "two" / "chapter.vo").write_bytes(made.read_bytes())
    (folder / "one" / "chapter.vo").write_bytes(made.read_bytes())
    (folder / "two" / "spare.vo").write_bytes(made.read_bytes())
    (folder / "two" / "spare_part.v").write_text(BASE, encoding="utf-8")
    assert checked(folder).problems == [
        f"two/spare_part.v: {MANIFEST} names no theorem of it, and no file of such a theorem requires it",
        f"{folder / 'two' / 'chapter.vo'} is stale: it is not what coqc makes of two/chapter.v; remove it",
        f"{folder / 'two' / 'spare.vo'} is stale: there is no two/spare.v; remove it",
    ]
    made.write_bytes(b"")
    assert f"{made} is stale: it is not what coqc made of one/chapter.v; it was compiled anew" in (
        checked(folder).problems
    )

    write(
        folder, given[0] | {"name": "four"}, given[1], **{"two/chapter": chapter.replace("one.chapter", "one.absent")}
    )
    assert [row.why for row in checked(folder).theorems["V8"]] == [
        "four (one/chapter.v): there is no such theorem; the nearest is four_times",
        "four_times_again (two/chapter.v): its file does not compile: requires one/absent.v, which is not there",
    ]
    write(
        folder, *given, **{"one/chapter": TOP.replace("Import base", "Import base two.chapter"), "two/chapter": chapter}
    )
    assert "these files require each other: one.chapter, two.chapter, one.chapter" in checked(folder).problems


def test_a_file_that_nothing_names_is_named(folder: Path) -> None:
    (folder / "spare.v").write_text(BASE, encoding="utf-8")
    assert check([], folder=folder).problems == [
        f"spare.v: {MANIFEST} names no theorem of it, and no file of such a theorem requires it"
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claim": "V99"}, "there is no claim 'V99', which four_times (top.v) is said to prove"),
        ({"name": ""}, "name must not be empty"),
        ({"name": None}, "name must be a text, got None"),
        ({"covers": " "}, "covers must not be empty"),
        ({"leaves_out": None}, "leaves_out must be a text, got None"),
        ({"leaves_out": False}, "leaves_out must be a text, got False"),
        ({"refutes": "yes"}, "refutes must be true or false, got 'yes'"),
        (
            {"file": "../top.v"},
            "file must be a .v file in the manifest's folder, such as paper/chapter.v, got '../top.v'",
        ),
        ({"file": "/top.v"}, "file must be a .v file in the manifest's folder, such as paper/chapter.v, got '/top.v'"),
        ({"file": "top"}, "file must be a .v file in the manifest's folder, such as paper/chapter.v, got 'top'"),
        (
            {"theorem": "x"},
            "there is no 'theorem', only claim, file, name, covers, leaves_out, refutes, assumes, typing, further",
        ),
        ({}, "four_times (top.v) stands twice for V8"),
    ],
)
def test_an_entry_of_the_manifest_that_is_none_is_named(folder: Path, change: dict[str, Any], message: str) -> None:
    entry = {key: value for key, value in (ENTRY | change).items() if value is not None}
    theorems, problems = read_manifest(write(folder, ENTRY, entry))
    assert problems == [f"{MANIFEST}, theorem 2: {message}"]
    assert len(theorems) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[theorem]", "manifest.toml cannot be read: "),
        ("[theorem]\nname = 'x'", "manifest.toml: its tables must be [[theorem]], got [theorem]"),
        ("[[theorems]]\nname = 'x'", "manifest.toml: its tables must be [[theorem]], got 'theorems'"),
        ("theorem = [3]", "manifest.toml, theorem 1: must be a table, got 3"),
    ],
)
def test_a_manifest_that_is_none_is_named(folder: Path, text: str, message: str) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    theorems, problems = read_manifest(folder)
    assert not theorems
    assert problems[0].startswith(message)


def test_a_theorem_or_a_file_that_is_not_there_is_named_without_coq(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    write(folder, ENTRY | {"name": "four"}, ENTRY | {"file": "absent.v"})
    renamed, absent = check(folder=folder).theorems["V8"]
    assert renamed.why == "four (top.v): there is no such theorem; the nearest is four_times"
    assert absent.why == "four_times (absent.v): there is no file absent.v"
    assert {renamed.outcome, absent.outcome} == {"failed"}


def test_where_coq_is_not_installed_the_line_says_so_and_nothing_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    evidence = check(folder=folder)
    assert not evidence.problems
    assert [row.outcome for row in evidence.theorems["V8"]] == ["not run"]
    assert evidence.summary().startswith("Coq is not installed, so 1 theorem in Coq was not checked.")
    monkeypatch.setattr(command, "check", lambda ids, jobs, say: evidence)
    without = recorded(
        row_of(CLAIMS["V8"], [], replace(LITTLE, rewritten=1, shown=2), theorems=evidence.theorems["V8"])
    )
    with_coq = {"V8": replace(without, status=Status.MACHINE_CHECKED)}
    monkeypatch.setattr(command, "read_expected", lambda: Expected(with_coq))
    assert command.main(["V8", "--budget", "5", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "  proved (no Coq)  " in said
    assert "\nCoq is not installed, so 1 theorem in Coq was not checked. `make prove` installs it." in said
    with_coq["V8"] = replace(without, status=Status.MACHINE_CHECKED, without_coq=Status.MACHINE_CHECKED)
    assert command.main(["V8", "--budget", "5", "--jobs", "1"]) == 1
    assert main([]) == 2


def test_nothing_is_recorded_without_coq(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    assert command.main(["--record"]) == 2
    assert "error: --record needs Coq, which is not installed. Debian" in capsys.readouterr().err


@pytest.mark.parametrize("at_fault", ["a theorem", "the manifest"])
def test_what_is_wrong_is_printed_and_the_exit_status_is_1(
    at_fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = theorem(outcome="failed", why="t (t.v): broken") if at_fault == "a theorem" else theorem()
    problems = ["manifest.toml: broken"] if at_fault == "the manifest" else []
    monkeypatch.setattr(command, "check", lambda ids, jobs, say: Evidence({"V8": [row]}, problems, "8.16.1", 0, 0.0))
    assert command.main(["V8", "--budget", "5", "--jobs", "1"]) == 1
    assert f"\n{'V8: t (t.v)' if row.why else 'Coq: manifest.toml'}: broken.\n" in capsys.readouterr().out


def theorem(**changes: Any) -> TheoremRow:
    """Return the row of a theorem that Coq accepts."""
    row = TheoremRow(
        "t", "t.v", "All.", "", refutes=False, outcome="checked", why="", statement="1 = 1", axioms=AXIOMS[:1]
    )
    return replace(row, **changes)


@pytest.mark.parametrize(
    ("id", "changes", "status", "problem", "shown"),
    [
        ("V8", [{}], "machine-checked", "", "machine-checked"),
        ("V8", [{}, {"leaves_out": "Width 2."}], "proved", "", "proved (Coq part)"),
        ("V8", [{"outcome": "not run"}], "proved", "", "proved (no Coq)"),
        ("V8", [{}, {"outcome": "failed", "why": "t: broken"}], "proved", "t: broken", "proved (Coq fails)"),
        ("V8", [{"refutes": True}], "proved", "t in Coq is said to refute it, but its status is 'proved'", None),
        ("V6", [{"refutes": True}], "refuted", "", "refuted (in Coq)"),
        ("V6", [{}], "refuted", "it is refuted, but its theorems in Coq are said to prove all of it", None),
        ("V6", [{"leaves_out": "The case d = 1."}], "refuted", "", "refuted (Coq part)"),
    ],
)
def test_the_status_is_machine_checked_where_the_theorems_leave_out_nothing(
    id: str, changes: list[dict[str, Any]], status: str, problem: str, shown: str | None
) -> None:
    row = row_of(CLAIMS[id], [], replace(LITTLE, drawn=40), theorems=[theorem(**change) for change in changes])
    assert row.status.value == status
    assert row.problems == ((problem,) if problem else ())
    assert shown is None or f"  {shown}" in table_line(row)
    assert len(table_line(row)) <= 130


def test_without_coq_a_claim_is_held_to_what_was_recorded_of_it_without_coq() -> None:
    row = row_of(CLAIMS["V8"], [], LITTLE, theorems=[theorem()])
    expected = {"V8": recorded(row)}
    assert expected["V8"].status is Status.MACHINE_CHECKED
    assert expected["V8"].without_coq is Status.PROVED
    assert fallen(row_of(CLAIMS["V8"], [], LITTLE, theorems=[theorem(outcome="not run")]), expected) == []
    assert fallen(row_of(CLAIMS["V8"], [], LITTLE), expected)[0] == "its status fell from machine-checked to proved"
    unproved = row_of(replace(CLAIMS["V8"], proof=None), [], LITTLE, theorems=[theorem(outcome="not run")])
    assert fallen(unproved, expected) == [
        "its status fell from proved to tested",
        "recorded, but gone: what its proof covers, what its proof comes to, step 0 of its proof",
    ]


def test_the_statement_in_coq_stands_beside_the_printed_one() -> None:
    hostile = "<script>```\n# x = 1"
    given = [theorem(statement=hostile, leaves_out="Width <2>."), theorem(refutes=True), theorem(outcome="not run")]
    row = replace(row_of(CLAIMS["V8"], [], LITTLE), theorems=tuple(given))
    text = markdown([row])
    section = text[text.index("## V8") :].splitlines()
    assert "    <script>```" in section
    assert "    # x = 1" in section
    assert (
        "Machine-checked in part: t in proofs\\_check/coq/t.v. Covers: All. Leaves out: Width \\<2\\>. Axioms:" in text
    )
    assert "\nRefuted in Coq: t in" in text
    assert "\nIn Coq (not run): t in" in text
    html = page([row], Head(0, "5", 1.0, date="", versions={}, machine=""))
    assert "<pre><code>&lt;script&gt;```\n# x = 1</code></pre>" in html
    assert html.index("Machine-checked in part") > html.index('class="statement"')


def test_what_coq_prints_is_read() -> None:
    assert statement_of("t\n     : forall x : R,\n       x = x\n") == "forall x : R,\n       x = x".replace(
        "       ", ""
    )
    assert statement_of("t : 1 = 1\n") == "1 = 1"
    assert axioms_of("Closed under the global context\n", {}) == ()
    said = "Axioms:\nR.dec : forall x,\n  x\nlong.name\n  : False\nfix is assumed to be guarded.\n"
    assert axioms_of(said, {"R.dec": "Coq.R.dec"}) == ("Coq.R.dec", "long.name", "fix is assumed to be guarded.")
    assert axioms_of("Section Variables:\nx : R\n", {})[0] == "Section Variables:"


def test_comments_and_strings_are_no_text_of_a_proof(tmp_path: Path) -> None:
    text = '(* Admitted. (* "*)" *) Require Import x. *)\n"Axiom"\nLemma l : True. (**) easy. Qed.\n'
    assert without_comments(text).split() == ["Lemma", "l", ":", "True.", "easy.", "Qed."]
    assert without_comments(text).count("\n") == text.count("\n")
    (tmp_path / "t.v").write_text(
        text + "From ImplicitSmoothness Require Export a\n b.\nRequire ImplicitSmoothness.c.\nAdmitted."
    )
    source = read_sources(tmp_path)["t"]
    assert source.declares == ("l",)
    assert source.requires == ("a", "b", "c")
    assert source.open == ("Admitted in line 7",)


def test_the_manifest_names_theorems_that_are_there_and_every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    evidence = check()
    assert evidence.problems == []
    assert [row.why for rows in evidence.theorems.values() for row in rows if row.why] == []
    assert len(read_manifest(FOLDER)[0]) >= 7
