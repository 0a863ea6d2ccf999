"""The manifest of the Coq theorems: which theorem belongs to which claim, what of it it covers and what it leaves out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs_check.coq_sources import name_of
from proofs_check.strict_json import shown
from theory.registry import CLAIMS

FOLDER = Path(__file__).parent / "coq"
"""Where the Coq files and their manifest are."""

NOT_NEEDED, DEFINED = "not needed", "in the definitions"
"""Where an assumption of a claim is no hypothesis of its theorem: the theorem does without it, or its words cannot break it."""

MANIFEST = "manifest.toml"
"""The manifest's name in that folder: tables `[[theorem]]` with the attributes of `Theorem`."""


@dataclass(frozen=True)
class Theorem:
    """A theorem in Coq, tied to a claim.

    Attributes:
        claim: the claim's id.
        file: the Coq file, by its path in the manifest's folder: `paper/chapter.v`.
        name: the theorem's name in it.
        covers: what of the claim it proves, in a sentence.
        leaves_out: what of the claim neither it nor the claim's other theorems here prove. Where all of a claim's theorems
            leave out nothing, they together prove all that it states.
        refutes: whether it proves the contrary: a formal counterexample.
        assumes: for each of the claim's assumptions, by name, the theorem's hypotheses that it is, in Coq's words; or
            "not needed" or "in the definitions".
        typing: other hypotheses, each with the symbol of the claim whose values all satisfy it, or "by definition: ..".
        further: hypotheses that the claim does not show, or not as strong, each with what it means.
    """

    claim: str
    file: str
    name: str
    covers: str
    leaves_out: str
    refutes: bool = False
    assumes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    typing: tuple[tuple[str, str], ...] = ()
    further: tuple[tuple[str, str], ...] = ()

    @property
    def module(self) -> str:
        """The name by which Coq knows the file."""
        return name_of(self.file)

    def __str__(self) -> str:
        """Return the theorem as messages call it."""
        return f"{self.name} ({self.file})"


_REQUIRED = ("claim", "file", "name", "covers", "leaves_out")
_MAY_BE_EMPTY = ("leaves_out",)
_TABLES = ("assumes", "typing", "further")
_FILE = re.compile(r"(?:[A-Za-z_]\w*/)*[A-Za-z_]\w*\.v")
"""The path of a file whose name and folders Coq can name."""
_NAME = re.compile(r"[A-Za-z_][\w']*(?:\.[A-Za-z_][\w']*)*")
"""A name in Coq, and nothing that Coq would read as more than a name."""


def read_manifest(folder: Path = FOLDER) -> tuple[list[Theorem], list[str]]:
    """Return the theorems of a folder's manifest, in its order, and a sentence for everything that is wrong with it.

    An entry with which something is wrong is named and left out. A folder with neither a manifest nor Coq files has no
    theorems.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return [], [f"there is no {path}, which names the theorems"] if any(folder.rglob("*.v")) else []
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return [], [f"{MANIFEST} cannot be read: {shown(error, 300)}"]
    entries = tables.pop("theorem", [])
    problems = [f"{MANIFEST}: its tables must be [[theorem]], got {shown(repr(name))}" for name in tables]
    if not isinstance(entries, list):
        return [], [*problems, f"{MANIFEST}: its tables must be [[theorem]], got [theorem]"]
    if not entries:
        problems.append(f"{MANIFEST} names no theorem")
    theorems: list[Theorem] = []
    for number, entry in enumerate(entries, 1):
        wrong = _wrong(entry) or _clashes(_theorem(entry), theorems)
        if wrong:
            problems.append(f"{MANIFEST}, theorem {number}: {wrong}")
        else:
            theorems.append(_theorem(entry))
    return theorems, problems


def _theorem(entry: Mapping[str, Any]) -> Theorem:
    tables: dict[str, tuple[Any, ...]] = {key: tuple(entry.get(key, {}).items()) for key in _TABLES}
    tables["assumes"] = tuple((name, (t,) if isinstance(t, str) else tuple(t)) for name, t in tables["assumes"])
    return Theorem(**{**entry, **tables})


def _wrong(entry: Any) -> str:
    """Return what is wrong with the table of a theorem; nothing if it is one."""
    if not isinstance(entry, Mapping):
        return f"must be a table, got {shown(repr(entry))}"
    known = (*_REQUIRED, "refutes", *_TABLES)
    unknown = sorted(set(entry) - set(known))
    if unknown:
        return f"there is no {shown(repr(unknown[0]))}, only {', '.join(known)}"
    for key in _REQUIRED:
        if not isinstance(entry.get(key), str):
            return f"{key} must be a text, got {shown(repr(entry.get(key)))}"
        if not entry[key].strip() and key not in _MAY_BE_EMPTY:
            return f"{key} must not be empty"
    if not isinstance(entry.get("refutes", False), bool):
        return f"refutes must be true or false, got {shown(repr(entry['refutes']))}"
    for key in _TABLES:
        table = entry.get(key, {})
        if not isinstance(table, Mapping):
            return f"{key} must be a table, got {shown(repr(table))}"
        for name, value in table.items():
            texts = value if isinstance(value, list) and value and key == "assumes" else [value]
            if not all(isinstance(text, str) and text.strip() for text in texts):
                return f"{key}: what is said of {shown(repr(name))} must be a text, got {shown(repr(value))}"
    if not _NAME.fullmatch(entry["name"]):
        return f"name must be a name in Coq, got {shown(repr(entry['name']))}"
    if not _FILE.fullmatch(entry["file"]):
        return f"file must be a .v file in the manifest's folder, such as paper/chapter.v, got {shown(repr(entry['file']))}"
    if entry["claim"] not in CLAIMS:
        return (
            f"there is no claim {shown(repr(entry['claim']))}, which {entry['name']} ({entry['file']}) is said to prove"
        )
    return ""


def _clashes(theorem: Theorem, earlier: list[Theorem]) -> str:
    same = any((t.claim, t.file, t.name) == (theorem.claim, theorem.file, theorem.name) for t in earlier)
    return f"{theorem} stands twice for {theorem.claim}" if same else ""
