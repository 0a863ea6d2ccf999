"""Papers and chapters have one name in every room, and what belongs to a claim stands where the house says."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from proofs_check.counterexamples import witness_of
from proofs_check.registry import TRIALS
from proofs_check.trial import Trial
from theory.claim import Claim, Instance, Ruling
from theory.registry import CLAIMS, ById

ROOT = Path(__file__).parents[2]

PAPERS = tuple(
    name.lower()
    for name in re.findall(r"^    \*(\w+),$", (ROOT / "theory" / "registry.py").read_text(encoding="utf-8"), flags=re.M)
)
"""In reading order: each may use the bounds and the proofs of those before it."""

VOCABULARY = {
    "assumptions",
    "checks",
    "claim",
    "conditions",
    "enclosure",
    "lemmas",
    "proof",
    "sources",
    "summation",
    "symbols",
}
"""Modules of `theory` that say what a claim is; the others directly under `theory` are exact objects."""

BESIDE = ("_proofs", "_bounds")
"""What a chapter may have beside it, as endings of its stem."""

KEPT_NAMES = {"__init__", "claims", "common"}
"""Stems that are no chapters."""

MOST_DIGITS = 3
"""Significant digits of a number that is written down and not computed; powers of two may have more."""


def folders(room: Path) -> list[Path]:
    """Return the folders of papers in a room."""
    return (
        sorted(path for path in room.iterdir() if path.is_dir() and path.name != "__pycache__") if room.is_dir() else []
    )


def without_ending(stem: str) -> str:
    """Return the stem of the chapter that a module of `theory` belongs to."""
    return next((stem.removesuffix(ending) for ending in BESIDE if stem.endswith(ending)), stem)


def chapters(root: Path, paper: str) -> set[str]:
    """Return the stems of a paper's chapters."""
    stems = {file.stem for file in (root / "theory" / paper).glob("*.py")} - KEPT_NAMES
    return {stem for stem in stems if without_ending(stem) == stem}


def stray_stems(root: Path) -> list[str]:
    """Return a sentence for every module whose stem is no chapter of its paper, and for every chapter without trials."""
    found = []
    for room, ending in (("theory", "py"), ("proofs_check/trials", "py"), ("proofs_check/coq", "v")):
        for folder in folders(root / room):
            known = chapters(root, folder.name)
            if not (root / "theory" / folder.name).is_dir():
                found.append(f"{room}/{folder.name} is no paper of theory")
                continue
            stems = {file.stem for file in folder.glob(f"*.{ending}")} - KEPT_NAMES
            of = {
                stem: without_ending(stem)
                if room == "theory"
                else next((name for name in known if ending == "v" and stem.startswith(f"{name}_")), stem)
                for stem in stems
            }
            found += [
                f"{room}/{folder.name}/{stem}.{ending} belongs to no chapter of {folder.name}: {', '.join(sorted(known))}"
                for stem in sorted(stems)
                if of[stem] not in known
            ]
            if room == "proofs_check/trials":
                found += [f"{room}/{folder.name}/{stem}.py is missing" for stem in sorted(known - stems)]
    papers = {folder.name for folder in folders(root / "theory")}
    tried = {folder.name for folder in folders(root / "proofs_check/trials")}
    return found + [f"proofs_check/trials/{paper} is missing" for paper in sorted(papers - tried)]


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a module binds to a name of its own, with the name."""
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield target.id, node.value


def shadowed(root: Path) -> list[str]:
    """Return a sentence for every chapter whose stem its paper's package exports as something else."""
    found = []
    for folder in folders(root / "theory"):
        exported = next(
            (ast.literal_eval(value) for name, value in assigned(parsed(folder / "__init__.py")) if name == "__all__"),
            [],
        )
        stems = chapters(root, folder.name)
        found += [
            f"theory.{folder.name} exports {stem}, which is a chapter of it" for stem in sorted(stems & set(exported))
        ]
    return found


def imported(tree: ast.Module, *, root: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name of every import of `theory`; the name is empty where a module itself is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names if alias.name.split(".")[0] == "theory")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "theory":
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                is_module = (root / f"{inside.replace('.', '/')}.py").is_file()
                yield (node.lineno, inside, "") if is_module else (node.lineno, node.module or "", alias.name)


def kind_of(stem: str) -> str:
    """Return what a module of a paper is: its face, its claims, a chapter, or what a chapter has beside it."""
    if stem in {"__init__", "claims"}:
        return stem
    return next((ending for ending in BESIDE if stem.endswith(ending)), "chapter")


def may_import(paper: str, kind: str, module: str) -> bool:
    """Return whether a module of a kind, in a paper or directly under theory (""), may import a module of theory."""
    parts = module.split(".")[1:]
    if not parts or parts[0] == "registry":
        return False
    if parts[0] not in PAPERS:
        return kind != "_proofs" or parts[0] in VOCABULARY
    if not paper:
        return False
    other = kind_of(parts[1] if len(parts) > 1 else "__init__")
    if parts[0] == paper:
        allowed = {
            "__init__": {"_bounds"},
            "claims": {"chapter"},
            "chapter": {"chapter", *BESIDE},
            "_bounds": {"_bounds"},
            "_proofs": {"_proofs"},
        }[kind]
        return other in allowed
    earlier = PAPERS.index(parts[0]) < PAPERS.index(paper)
    return earlier and other in ({"_proofs"} if kind == "_proofs" else {"__init__", "_bounds"})


def wrong_imports(root: Path) -> list[str]:
    """Return a sentence for every import inside `theory` that its order forbids.

    Vocabulary and exact objects know no paper. A chapter uses these, the modules of its own paper, and the bounds of earlier
    papers; its bounds use bounds, and its proofs use vocabulary and the proofs of its own and earlier papers.
    """
    found = []
    for file in sorted((root / "theory").rglob("*.py")):
        parts = file.relative_to(root / "theory").parts
        if parts in {("registry.py",), ("__init__.py",)}:  # which show all claims
            continue
        paper = parts[0] if len(parts) > 1 else ""
        kind = kind_of(file.stem) if paper else "object"
        where = file.relative_to(root).as_posix()
        found += [
            f"{where}:{line}: a {kind.strip('_')} module of {paper or 'theory'} may not import {module}"
            for line, module, _ in imported(parsed(file), root=root)
            if not may_import(paper, kind, module)
        ]
    return found


def symbols_of(tree: ast.Module) -> dict[str, str]:
    """Return the symbols that a module defines: name to definition."""
    return {
        name: ast.unparse(value)
        for name, value in assigned(tree)
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "Symbol"
    }


def stray_symbols(root: Path) -> list[str]:
    """Return a sentence for every name of a symbol with two definitions, and for each that a chapter beyond lends another."""
    files = sorted((root / "theory").rglob("*.py"))
    places: dict[str, list[str]] = {}
    for file in files:
        for name in symbols_of(parsed(file)):
            places.setdefault(name, []).append(file.relative_to(root).as_posix())
    found = [f"{name} is a symbol of {' and of '.join(where)}" for name, where in places.items() if len(where) > 1]
    for file in files:
        for line, module, name in imported(parsed(file), root=root):
            lent = (
                name in places and f"{module.replace('.', '/')}.py" in places[name] and module.split(".")[1] == "beyond"
            )
            if lent:
                found.append(
                    f"{file.relative_to(root).as_posix()}:{line}: {name} is shared, and belongs in theory.symbols"
                )
    return found


def left_out(modules: Mapping[str, ModuleType], registered: Iterable[Claim]) -> list[str]:
    """Return a sentence for every Claim of a module that is in no `CLAIMS`."""
    known = {id(claim) for claim in registered}
    return [
        f"{module}.{name} is a claim, and is not in CLAIMS"
        for module, loaded in modules.items()
        for name, value in vars(loaded).items()
        for claim in (value if isinstance(value, (tuple, list)) else [value])
        if isinstance(claim, Claim) and id(claim) not in known
    ]


def untried(claims: Iterable[Claim], trials: Iterable[Trial], refuted: set[str]) -> list[str]:
    """Return a sentence for every claim that has not one trial, or stands and has no mutants."""
    tried, found = list(trials), []
    for claim in claims:
        own = [trial for trial in tried if trial.claim is claim]
        if len(own) != 1:
            found.append(f"{claim.id} has {len(own)} trials")
        found += [
            f"{claim.id} stands, and its trial has no mutants" for t in own if not t.mutants and claim.id not in refuted
        ]
    return found


def computing_reports(root: Path) -> list[str]:
    """Return a sentence for every report of a study that imports what computes."""
    found = []
    for file in sorted((root / "experiments").rglob("*report.py")):
        for node in ast.walk(parsed(file)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [
                f"{file.relative_to(root).as_posix()}:{node.lineno}: a report reads rows, and imports {name}"
                for name in names
                if name.split(".")[0] in {"numerics", "torch"}
            ]
    return found


def long_number(value: Any) -> bool:
    """Return whether a number has so many digits that somebody has measured it."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or (isinstance(value, int) and value & (value - 1) == 0)
    ):
        return False
    digits = re.sub(r"e.*|[.\-]", "", repr(value)).strip("0")
    return len(digits) > MOST_DIGITS


def typed_numbers(root: Path) -> list[str]:
    """Return a sentence for every number in `theory` that is too long to be part of a statement; years of papers are not."""
    return [
        f"{file.relative_to(root).as_posix()}:{node.lineno}: {node.value} comes out of a run, or is computed where it is needed"
        for file in sorted((root / "theory").rglob("*.py"))
        if file.name != "sources.py"
        for node in sorted((n for n in ast.walk(parsed(file)) if isinstance(n, ast.Constant)), key=lambda n: n.lineno)
        if long_number(node.value)
    ]


COUNTED = re.compile(
    r"\b\d+ of (?:the )?\d+\b|\b(?:of|in|all) (?:the )?\d+ (?:runs|rows|networks|switches|samples)\b|most seen"
)
"""How notes say what was counted in a run."""


def typed_findings(claims: Iterable[Claim]) -> list[str]:
    """Return a sentence for every claim that says what came out of a run: in its note, or as the witness of an observation."""
    found = []
    for claim in claims:
        found += [f"the note of {claim.id} counts: {said}" for said in COUNTED.findall(claim.note)]
        if claim.study:
            if claim.witness is not None or claim.extremal is not None:
                found.append(
                    f"{claim.id} is observed: its witness is a kept row, and belongs under proofs_check/stored"
                )
            words = re.sub(r"\b[A-Z]\d+(\.[a-z])?\b", "", claim.note)
            numbers = [n for n in re.findall(r"\d+(?:\.\d+)?", words) if len(n) > 1 and n not in claim.statement]
            found += [f"the note of {claim.id} has {number} in it" for number in numbers]
    return found


CHAPTERS = {
    name: module
    for paper in PAPERS
    for stem in sorted(chapters(ROOT, paper))
    if (module := sys.modules.get(name := f"theory.{paper}.{stem}")) is not None
}
REFUTED = {
    id
    for id, claim in CLAIMS.items()
    if (shows := witness_of(claim)) and claim.evaluate(shows).ruling is Ruling.VIOLATED
}


def test_every_paper_is_in_the_registry() -> None:
    assert {folder.name for folder in folders(ROOT / "theory")} == set(PAPERS)


def test_every_chapter_is_reached_from_the_registry() -> None:
    assert set(CHAPTERS) == {f"theory.{paper}.{stem}" for paper in PAPERS for stem in chapters(ROOT, paper)}


@pytest.mark.parametrize(
    "rule", [stray_stems, shadowed, wrong_imports, stray_symbols, computing_reports, typed_numbers]
)
def test_the_house_keeps(rule: Any) -> None:
    assert rule(ROOT) == []


def test_every_claim_is_in_the_registry() -> None:
    assert left_out(CHAPTERS, CLAIMS.values()) == []


def test_every_claim_has_one_trial_and_wrong_versions() -> None:
    assert untried(CLAIMS.values(), TRIALS.values(), REFUTED) == []


def test_theory_says_nothing_that_came_out_of_a_run() -> None:
    assert typed_findings(CLAIMS.values()) == []


def tree(root: Path, files: Mapping[str, str]) -> Path:
    """Return a small house with one paper that has one chapter, and some files more."""
    house = {
        "theory/mulayoff2021/__init__.py": '__all__ = ["bound"]\n',
        "theory/mulayoff2021/claims.py": "",
        "theory/mulayoff2021/smooth.py": "",
        "proofs_check/trials/mulayoff2021/__init__.py": "",
        "proofs_check/trials/mulayoff2021/smooth.py": "",
    }
    for name, text in {**house, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


STRAY = "belongs to no chapter of mulayoff2021: smooth"


@pytest.mark.parametrize(
    ("rule", "files", "expected"),
    [
        (stray_stems, {}, []),
        (
            stray_stems,
            {"theory/mulayoff2021/smooth_bounds.py": "", "proofs_check/coq/mulayoff2021/smooth_top.v": ""},
            [],
        ),
        (stray_stems, {"proofs_check/coq/vectors.v": "", "proofs_check/trials/mulayoff2021/common.py": ""}, []),
        (stray_stems, {"theory/mulayoff2021/smoth_proofs.py": ""}, [f"theory/mulayoff2021/smoth_proofs.py {STRAY}"]),
        (
            stray_stems,
            {"proofs_check/trials/mulayoff2021/smoth.py": ""},
            [f"proofs_check/trials/mulayoff2021/smoth.py {STRAY}"],
        ),
        (
            stray_stems,
            {"theory/mulayoff2021/odd.py": ""},
            ["proofs_check/trials/mulayoff2021/odd.py is missing"],
        ),
        (
            stray_stems,
            {"proofs_check/coq/mulayoff2021/smoth.v": ""},
            [f"proofs_check/coq/mulayoff2021/smoth.v {STRAY}"],
        ),
        (
            stray_stems,
            {"proofs_check/coq/mulayof2021/smooth.v": ""},
            ["proofs_check/coq/mulayof2021 is no paper of theory"],
        ),
        (stray_stems, {"theory/walker2023/__init__.py": ""}, ["proofs_check/trials/walker2023 is missing"]),
        (shadowed, {}, []),
        (
            shadowed,
            {"theory/mulayoff2021/__init__.py": '__all__ = ["smooth"]\n'},
            ["theory.mulayoff2021 exports smooth, which is a chapter of it"],
        ),
        (stray_symbols, {"theory/symbols.py": 'X = Symbol("x")\n'}, []),
        (
            stray_symbols,
            {"theory/symbols.py": 'X = Symbol("x")\n', "theory/mulayoff2021/smooth.py": 'X = Symbol("x", "points")\n'},
            ["X is a symbol of theory/mulayoff2021/smooth.py and of theory/symbols.py"],
        ),
        (
            stray_symbols,
            {"theory/beyond/a.py": 'T = Symbol("t")\n', "theory/beyond/b.py": "from theory.beyond.a import T\n"},
            ["theory/beyond/b.py:1: T is shared, and belongs in theory.symbols"],
        ),
        (computing_reports, {"experiments/a/report.py": "import pandas\n"}, []),
        (
            computing_reports,
            {"experiments/a/report.py": "import torch\nfrom numerics.networks import Net\n"},
            [
                "experiments/a/report.py:1: a report reads rows, and imports torch",
                "experiments/a/report.py:2: a report reads rows, and imports numerics.networks",
            ],
        ),
        (typed_numbers, {"theory/switching.py": "MOST = 4096\n", "theory/sources.py": "YEAR = 2021\n"}, []),
        (
            typed_numbers,
            {"theory/mulayoff2021/smooth.py": "A = 0.95\nB = Fraction(8131, 10000)\nC = 20.196588000962276\n"},
            [
                f"theory/mulayoff2021/smooth.py:{line}: {n} comes out of a run, or is computed where it is needed"
                for line, n in ((2, 8131), (3, 20.196588000962276))
            ],
        ),
    ],
)
def test_a_fault_in_a_tree_is_named(tmp_path: Path, rule: Any, files: Mapping[str, str], expected: list[str]) -> None:
    assert rule(tree(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("mulayoff2021/smooth.py", "from theory.symbols import X\nfrom theory.sharpness import gram\n", ""),
        (
            "mulayoff2021/smooth.py",
            "from theory.mulayoff2021.stability import M1\nfrom theory.volhejn2020 import f\n",
            "",
        ),
        ("mulayoff2021/smooth.py", "from theory.volhejn2020.labels_bounds import f\n", ""),
        ("mulayoff2021/smooth.py", "from theory.volhejn2020.labels import V14\n", "theory.volhejn2020.labels"),
        ("mulayoff2021/smooth.py", "from theory.beyond import critical_step_size\n", "theory.beyond"),
        (
            "mulayoff2021/smooth.py",
            "from theory.walker2023.tangent_bounds import f\n",
            "theory.walker2023.tangent_bounds",
        ),
        ("mulayoff2021/smooth.py", "from theory.registry import CLAIMS\n", "theory.registry"),
        ("mulayoff2021/smooth_bounds.py", "from theory.mulayoff2021.smooth import M4\n", "theory.mulayoff2021.smooth"),
        ("mulayoff2021/smooth_proofs.py", "from theory.volhejn2020.spline_proofs import v7\n", ""),
        ("mulayoff2021/smooth_proofs.py", "from theory.sharpness import gram\n", "theory.sharpness"),
        ("mulayoff2021/claims.py", "from theory.mulayoff2021.smooth import CLAIMS\n", ""),
        ("sharpness.py", "from theory.two_layer import Weights\n", ""),
        ("sharpness.py", "from theory.mulayoff2021 import curvature_bound\n", "theory.mulayoff2021"),
        ("symbols.py", "import theory.walker2023.tangent\n", "theory.walker2023.tangent"),
    ],
)
def test_an_import_against_the_order_is_named(tmp_path: Path, file: str, source: str, wrong: str) -> None:
    found = wrong_imports(tree(tmp_path, {f"theory/{file}": source}))
    assert [sentence.split(" may not import ")[1] for sentence in found] == ([wrong] if wrong else [])
    assert all(sentence.startswith(f"theory/{file}:1: ") for sentence in found)


def test_a_claim_that_is_left_out_is_named() -> None:
    claim = CLAIMS["M6"]
    module = ModuleType("theory.mulayoff2021.smooth")
    vars(module).update(M6=claim, M6B=replace(claim, id="M6.b"), MORE=(replace(claim, id="M6.c"),), CLAIMS=(claim,))
    assert left_out({"smooth": module}, CLAIMS.values()) == [
        f"smooth.{name} is a claim, and is not in CLAIMS" for name in ("M6B", "MORE")
    ]


def test_a_claim_without_a_trial_or_with_two_is_named() -> None:
    claim, trial = CLAIMS["M6"], TRIALS["M6"]
    assert untried([claim], [], REFUTED) == ["M6 has 0 trials"]
    assert untried([claim], [trial, trial], REFUTED) == ["M6 has 2 trials"]
    assert untried([claim], [replace(trial, mutants=())], REFUTED) == ["M6 stands, and its trial has no mutants"]
    assert untried([CLAIMS["B1"]], [replace(TRIALS["B1"], mutants=())], REFUTED) == []


@pytest.mark.parametrize(
    ("id", "changes", "expected"),
    [
        ("M6", {"note": "It fails in 172 of 1852 runs."}, ["the note of M6 counts: 172 of 1852"]),
        ("M6", {"note": "Open (most seen: two thirds)."}, ["the note of M6 counts: most seen"]),
        (
            "M12.b",
            {"note": "In all 207 runs."},
            ["the note of M12.b counts: all 207 runs", "the note of M12.b has 207 in it"],
        ),
        ("M11", {"note": "It ends at 20.2, see M11.a."}, ["the note of M11 has 20.2 in it"]),
        ("M10", {"note": "At n = 20 it may be larger."}, []),
        (
            "M11",
            {"witness": Instance({"sharpness": Fraction(20)}, "trained")},
            ["M11 is observed: its witness is a kept row, and belongs under proofs_check/stored"],
        ),
    ],
)
def test_what_came_out_of_a_run_is_named(id: str, changes: dict[str, Any], expected: list[str]) -> None:
    assert typed_findings([replace(CLAIMS[id], **changes)]) == expected


def test_an_id_that_comes_twice_is_named() -> None:
    claim = CLAIMS["M6"]
    with pytest.raises(ValueError, match=r"^the id of a claim must be unique, got M6 twice$"):
        ById((c.id, c) for c in (claim, CLAIMS["M5"], claim))
    with pytest.raises(ValueError, match=r"^the id of a trial must be unique, got M6 twice$"):
        ById([("M6", TRIALS["M6"])] * 2, "trial")


def test_an_id_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(KeyError, match=r"there is no claim 'M99'; the nearest are M9, M19, M9\.c"):
        CLAIMS["M99"]
    with pytest.raises(KeyError, match=r"there is no trial 'm6'; the nearest are M6, M16, M6\.a"):
        TRIALS["m6"]
    assert "M99" not in CLAIMS
    assert CLAIMS.get("M99") is None
    assert next(iter(CLAIMS)) == "V1"
    assert len(CLAIMS) == len(TRIALS)
