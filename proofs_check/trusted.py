"""What the ledger's verdicts rest on: files of this library and packages, with their sizes, and what checks each."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from math import floor, log10
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The clone that this page is written in."""


@dataclass(frozen=True)
class Part:
    """A part of this library.

    Attributes:
        name: what it is.
        paths: its files, a regular expression of their paths in the clone.
        rests: what is wrong if it is.
        checked: what would notice.
    """

    name: str
    paths: str
    rests: str
    checked: str

    def has(self, path: Path) -> bool:
        """Return whether a file is one of its."""
        return re.fullmatch(self.paths, _within(path)) is not None

    def files(self) -> list[Path]:
        """Return its files."""
        return list(filter(self.has, sources()))


@dataclass(frozen=True)
class Package:
    """A package that verdicts rest on.

    Attributes:
        name: its name in the package registry.
        rests: what is wrong if it is.
        checked: what would notice.
    """

    name: str
    rests: str
    checked: str


def _of(folder: str, *stems: str) -> str:
    return rf"{folder}/(?:{'|'.join(stems)})\.py"


PARTS = (
    Part(
        "statements: sides, assumptions, what symbols of proofs are on instances",
        r"theory/\w+/(?!\w*(?:_proofs|_bounds|claims|__init__)\.py)\w+\.py",
        "every verdict and every status: if a side is not what the paper says, all else is about another claim",
        "reading them beside the paper; mutants; instances on which the sides meet; second implementations, where there "
        "are any; theorems in Coq, whose statements were written apart",
    ),
    Part(
        "exact objects and vocabulary: functions, networks, intervals, verdicts",
        r"theory/(?!__init__|lemmas)\w+\.py",
        "every verdict",
        "brute force, finite differences and exact examples (tests/theory/); Coq's definitions, on drawn rational instances "
        "(tests/proofs_check/test_coq_agreement.py); some are broken in turn (tests/proofs_check/test_sabotage.py)",
    ),
    Part(
        "proofs: steps as data",
        r"theory/(?:lemmas|\w+/\w+_proofs)\.py",
        "nothing: each step is decided anew, or is cited (above)",
        "the replay",
    ),
    Part(
        "bounds that users import",
        r"theory/\w+/\w+_bounds\.py",
        "what users import; where sides call them, verdicts too",
        "held against the right side of the claim on 20 instances of each run",
    ),
    Part(
        "names and order of what can be imported",
        r"theory/(?:\w+/)?(?:__init__|claims)\.py|proofs_check/(?:trials/(?:\w+/)?)?__init__\.py",
        "nothing",
        "tests/conformance/",
    ),
    Part(
        "replay of steps",
        _of("proofs_check", "symbolic", "meaning", "polynomial", "points", "terms"),
        "proved, certified: a false step that is accepted",
        "a generator of false steps, dozens of kinds, and of right ones (tests/proofs_check/test_false_steps.py); planted "
        "steps in every row; sabotage",
    ),
    Part(
        "conclusion: that a proof is one of its claim",
        _of("proofs_check", "conclusion", "evaluation"),
        "proved, certified: a proof of something else",
        "proofs gutted, swapped and replaced (tests/proofs_check/test_conclusion.py); sabotage",
    ),
    Part(
        "search, mutants, exact confirmation, second implementations",
        _of(
            "proofs_check",
            *(
                "falsify",
                "coincidences",
                "draws",
                "simplify",
                "arena",
                "trained",
                "kept",
                "cases",
                "remembered",
                "rewritten",
            ),
            *("exact", "oracles", "values", "counterexamples", "trial", "registry"),
        )
        + r"|proofs_check/trials/(?!__init__)\w+\.py",
        "tested, refuted: what is never tried, or a counterexample that is none",
        "mutants, which it must refute; planted inequalities and intervals in every row; sabotage",
    ),
    Part(
        "instances, mutants and their excuses, claim by claim",
        r"proofs_check/trials/\w+/(?!__init__)\w+\.py",
        "tested: claims tried on too little",
        "mutants; instances inside the assumptions and outside (tests/conformance/)",
    ),
    Part(
        "reading of Coq and of its manifest",
        _of("proofs_check", "coq_sources", "coqc", "hypotheses", "machine_checked", "manifest"),
        "machine-checked: a theorem that is none, or another one",
        "broken and damaged Coq files and manifests (tests/proofs_check/test_machine_checked.py, "
        "tests/proofs_check/test_damage.py); a planted theorem in every run",
    ),
    Part(
        "rows, statuses, the record",
        _of(
            "proofs_check",
            *("ledger", "row", "expected", "pins", "strict_json", "crash", "planted", "workers", "__main__"),
        ),
        "every status: evidence summed up wrongly, or a change that is not told",
        "damage to records, stored instances and claims (tests/proofs_check/test_damage.py); sabotage",
    ),
    Part(
        "what shows the ledger",
        _of(
            "proofs_check",
            *("page", "figures", "drawing", "mathml", "notation", "readable", "not_claimed", "smoothness", "trusted"),
        ),
        "nothing but what is read",
        "tests/proofs_check/test_page.py, tests/proofs_check/test_not_claimed.py",
    ),
    Part(
        "theorems in Coq, of which definitions and statements need trust, and proofs none",
        r"proofs_check/coq/(?:\w+/)?\w+\.v",
        "machine-checked: a definition that says something else",
        "Coq; what the definitions say on drawn rational instances is proved to be what Python computes "
        "(tests/proofs_check/test_coq_agreement.py)",
    ),
)
"""The parts of this library; each file of `theory` and of `proofs_check` is in one of them."""

PACKAGES = (
    Package("sympy", "proved, certified: each side, and that an identity vanishes", "points at which it does not; z3"),
    Package(
        "mpmath",
        "proved, certified, where sympy knows the sign of a number by its digits",
        "false steps",
    ),
    Package(
        "z3-solver",
        "proved, certified: the steps that it decides; no certificate of its answers is checked",
        "false steps; an answer of unknown decides nothing",
    ),
    Package(
        "python-flint",
        "Arb: sides of proofs on instances, second implementations; FLINT: characteristic polynomials",
        "rational arithmetic, wherever both decide",
    ),
    Package(
        "numpy",
        "sides on floats; arrays of rationals, whose arithmetic is Python's",
        "rounding outwards is tried against rationals (tests/conformance/test_rounding.py); a wrong eigensolver widens "
        "intervals and no more (tests/theory/test_enclosure.py)",
    ),
    Package("hypothesis", "tested: what is drawn", "mutants"),
)
"""The packages that verdicts rest on, besides Python itself; Coq is not one of Python's."""


def sources() -> list[Path]:
    """Return the files of `theory` and `proofs_check` that are code, Python's or Coq's."""
    found = (path for folder in ("theory", "proofs_check") for path in (ROOT / folder).rglob("*"))
    return sorted(path for path in found if path.suffix in (".py", ".v"))


def misplaced() -> list[str]:
    """Return a sentence for every file that is in no part, or in two."""
    counts = {path: [part.name for part in PARTS if part.has(path)] for path in sources()}
    return [
        f"{_within(path)} is in {' and in '.join(names) if names else 'no part of what is trusted'}"
        for path, names in counts.items()
        if len(names) != 1
    ]


def _within(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines(paths: Iterable[Path]) -> int:
    """Return how many lines files have that are not blank."""
    return sum(bool(line.strip()) for path in paths for line in path.read_text("utf-8", "replace").splitlines())


def lines_outside_proofs(paths: Iterable[Path]) -> int:
    """Return how many lines Coq files have that are not blank and not within a proof."""
    proof = re.compile(r"^\s*Proof\b.*?\b(?:Qed|Defined)\.", re.DOTALL | re.MULTILINE)
    texts = (proof.sub("", path.read_text("utf-8")) for path in paths)
    return sum(bool(line.strip()) for text in texts for line in text.splitlines())


def roughly(count: float) -> str:
    """Return a number to two digits, as words have it."""
    if count < 100:
        return str(round(count))
    unit = 10 ** (floor(log10(count)) - 1)
    return f"{round(count / unit) * unit:,}"


def pinned(name: str, constraints: str) -> str:
    """Return the version of a package that a constraints file has; nothing if it has none."""
    found = re.search(rf"^{re.escape(name)}==(\S+)$", constraints, re.MULTILINE)
    return found[1] if found else ""


@cache
def size_of(package: str) -> str:
    """Return the size of a package as it is installed: lines of Python without its tests, and what is compiled."""
    try:
        within = files(package) or []
    except PackageNotFoundError:
        return "not installed"
    paths = [Path(str(file.locate())) for file in within]
    code = [path for path in paths if path.suffix == ".py" and "tests" not in path.parts and path.is_file()]
    compiled = sum(path.stat().st_size for path in paths if ".so" in path.suffixes or path.suffix in (".dll", ".dylib"))
    return f"{roughly(lines(code))} lines" + (f", {roughly(compiled / 1e6)} MB compiled" if compiled else "")


@cache
def size_of_coq() -> str:
    """Return the size of Coq's standard library as it is installed; nothing where it is not, or has no sources."""
    try:
        where = subprocess.run(
            ["coqc", "-where"], capture_output=True, text=True, check=True, timeout=60
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{count} lines" if (count := roughly(lines((Path(where) / "theories").rglob("*.v")))) != "0" else ""
