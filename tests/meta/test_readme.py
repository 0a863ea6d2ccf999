"""The README says what the code does: its examples run, its tables are those of the registry and of the kept rows."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from experiments import study
from experiments.engine import study as engine
from theory.claim import Finding
from theory.registry import CLAIMS, fallen_conjectures, findings_table

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, flags=re.DOTALL)


def test_examples_print_what_the_readme_says() -> None:
    variables: dict[str, Any] = {}
    shown = 0
    for (language, code), (_, expected) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, "README.md", "exec"), variables)
            assert printed.getvalue() == expected
            shown += 1
    assert shown >= 4


OURS = sorted(
    set(re.findall(r"^(from (?:theory|numerics|experiments|proofs_check)\b.* import \w.*)$", README, re.MULTILINE))
)


@pytest.mark.parametrize("line", OURS)
def test_import_paths_shown_lead_somewhere(line: str) -> None:
    # Also those of scripts that are shown and not run: the one for Slurm needs a cluster.
    names: dict[str, Any] = {}
    exec(line, names)
    assert len(names) > 1


def test_a_script_finds_study_and_main_where_it_is_shown() -> None:
    assert "from experiments.study import main" in OURS
    assert (study.Study, study.main) == (engine.Study, engine.main)


def between(name: str) -> str:
    """Return what stands in the README between two marks of a name."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", README, flags=re.DOTALL)
    assert found, f"README.md has no part between <!-- {name} --> and <!-- end of {name} -->"
    return found[1]


def test_findings_are_those_of_the_registry() -> None:
    assert between("findings") == findings_table()


def test_conjectures_that_fell_are_those_of_the_registry() -> None:
    assert between("conjectures") == f"{fallen_conjectures()}."


def test_every_claim_that_does_not_stand_as_printed_has_a_line() -> None:
    assert re.findall(r"^\| (\w[\w.]*) \|", findings_table(), re.MULTILINE)[1:] == [
        claim.id for claim in CLAIMS.values() if claim.finding.on_print
    ]


def test_the_findings_are_about_papers_and_not_about_this_library() -> None:
    listed = findings_table()
    assert "| house" not in listed
    fell = re.findall(r"([A-Z]\d+(?:\.[a-z])?) \(", fallen_conjectures())
    assert fell == [claim.id for claim in CLAIMS.values() if claim.finding is Finding.CONJECTURE]
    assert not any(f"| {id} |" in listed for id in fell)


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:theory|numerics|proofs_check|experiments)/[\w./]*)`", README)))
)
def test_paths_named_are_there(path: str) -> None:
    assert (ROOT / path).exists()


SHOWN = {name: name for name in re.findall(r"<!-- end of (\w+) -->", README)} | {"sweep": "stability_sweep"}


@pytest.mark.parametrize("mark", sorted(set(SHOWN) - {"findings", "conjectures", "stability_sweep"}))
def test_output_of_studies_is_that_of_the_kept_rows(mark: str) -> None:
    summary = (ROOT / "results" / SHOWN[mark] / "summary.txt").read_text(encoding="utf-8")
    shown = between(mark).strip().removeprefix("```\n").removesuffix("\n```")
    for part in re.split(r"\n?\.\.\.\n?", shown):
        assert part in summary


def test_studies_are_shown() -> None:
    assert len(SHOWN) >= 4
