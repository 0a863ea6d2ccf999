"""Coq files as texts: what each requires and declares, and what in it would leave a proof open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LOGICAL = "ImplicitSmoothness"
"""The logical name of the folder: a file of it requires `paper/chapter.v` by `From ImplicitSmoothness Require Import
paper.chapter`."""

_OPEN = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjectures?|bypass_check"
    r"|(?:Unset|#\[local\] Unset)\s+(?:Guard|Positivity|Universe)\s+Checking)\b"
)
"""Words by which a proof is left open or Coq's checks are turned off. `Print Assumptions` decides; these are named sooner."""

_DECLARED = re.compile(r"\b(?:Theorem|Lemma|Corollary|Proposition|Property|Fact|Remark|Example)\s+([\w']+)")
_REQUIRE = re.compile(r"(?:\bFrom\s+([\w.]+)\s+)?\bRequire\s+(?:Import\s+|Export\s+)?([\w.'\s]+?)\.(?=\s|$)")
_PREFIX = r"(?:#\[[^\]]*\]\s*)*(?:(?:Local|Global|Program|Polymorphic)\s+)*"
_STATED = re.compile(_PREFIX + _DECLARED.pattern)
_DEFINED = re.compile(_PREFIX + r"(?:Definition|Fixpoint|CoFixpoint|Function|Instance|Let)\s+([\w']+)")
_BUILT = re.compile(_PREFIX + r"(?:Inductive|CoInductive|Variant|Record|Structure|Class)\s+([\w']+)")
_WITHIN = re.compile(r"(?:\||:=|[{;])\s*([\w']+)")
"""What a type brings beside its own name: constructors, fields of a record."""
_MUTUAL = re.compile(r"\bwith\s+([\w']+)")
_STANDING = re.compile(_PREFIX + r"(?:Notation|Infix|Coercion|Canonical|Variables?|Hypothes[ie]s|Context|Arguments)\b")
"""Sentences that change what others say without being named in them."""


@dataclass(frozen=True)
class Source:
    """A Coq file.

    Attributes:
        file: its path in the folder of all, with slashes: `paper/chapter.v`.
        content: what is in it.
        requires: names of the files of the folder that it requires, as Coq has them: `paper.chapter`.
        declares: names of its theorems and lemmas.
        open: what in it leaves a proof open, each with its line.
        unread: why it cannot be read, or nothing.
    """

    file: str
    content: bytes
    requires: tuple[str, ...]
    declares: tuple[str, ...]
    open: tuple[str, ...]
    unread: str = ""


def name_of(file: str) -> str:
    """Return the name by which Coq knows a file of the folder: `paper.chapter` for `paper/chapter.v`."""
    return file.removesuffix(".v").replace("/", ".")


def file_of(name: str) -> str:
    """Return the file that Coq knows by a name: `paper/chapter.v` for `paper.chapter`."""
    return f"{name.replace('.', '/')}.v"


def library_of(name: str) -> str:
    """Return the logical name of the folder that a file lies in: that of all, with the paper after it if it is in one."""
    return ".".join([LOGICAL, *name.split(".")[:-1]])


def read_sources(folder: Path) -> dict[str, Source]:
    """Return the Coq files of a folder and of those in it, by name: see `name_of`."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.v"))
    return {name_of(file): _source(folder, file) for file in files}


def _source(folder: Path, file: str) -> Source:
    if not (folder / file).is_file():
        return Source(file, b"", (), (), (), "it is no file")
    try:
        content = (folder / file).read_bytes()
        text = without_comments(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Source(file, content, (), (), (), f"byte {error.start} of it is not UTF-8")
    except OSError as error:
        return Source(file, b"", (), (), (), f"it cannot be read: {error.strerror}")
    found = [f"{match[1]} in line {text.count(chr(10), 0, match.start()) + 1}" for match in _OPEN.finditer(text)]
    return Source(file, content, tuple(_required(text)), tuple(_DECLARED.findall(text)), tuple(found))


def without_comments(text: str) -> str:
    """Return Coq's text with comments, which nest, and strings blanked out; lines stay where they are."""
    kept, depth, end = [], 0, 0
    for match in re.finditer(r'\(\*|\*\)|"(?:[^"]|"")*"', text):
        kept.append(text[end : match.start()] if depth == 0 else _blank(text[end : match.start()]))
        kept.append(_blank(match[0]))
        depth = depth + 1 if match[0] == "(*" else max(0, depth - 1) if match[0] == "*)" else depth
        end = match.end()
    return "".join([*kept, text[end:] if depth == 0 else _blank(text[end:])])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _required(text: str) -> list[str]:
    found = []
    for prefix, names in _REQUIRE.findall(text):
        for name in names.split():
            whole = f"{prefix}.{name}" if prefix else name
            if whole.startswith(f"{LOGICAL}."):
                found.append(whole.removeprefix(f"{LOGICAL}."))
    return list(dict.fromkeys(found))


def needed(names: list[str], sources: Mapping[str, Source]) -> list[str]:
    """Return the names with all that they require, directly or not; what is not there is left out."""
    found: list[str] = []
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name in sources and name not in found:
            found.append(name)
            ahead += sources[name].requires
    return sorted(found)


def text_under(name: str, theorem: str, sources: Mapping[str, Source]) -> tuple[str, ...]:
    """Return what a theorem says as its files have it: its own sentence, and those of the definitions that occur in it.

    Theorems that occur in none of these, and proofs, are not among them; notations of the files all are. Nothing where there
    is no such theorem.

    Args:
        name: the theorem's file, as Coq has it.
        theorem: its name.
        sources: all files.
    """
    last = theorem.rsplit(".", 1)[-1]
    if name not in sources or last not in sources[name].declares:
        return ()
    parts = [part for one in needed([name], sources) for part in _sentences(sources[one])]
    defined: dict[str, list[str]] = {}
    for sentence, names in parts:
        for each in names:
            defined.setdefault(each, []).append(sentence)
    standing = [sentence for sentence, names in parts if not names]
    own = (sentence for sentence in _split(sources[name]) if (match := _STATED.match(sentence)) and match[1] == last)
    ahead, found = [*own, *standing], list[str]()
    while ahead:
        sentence = ahead.pop()
        if sentence not in found:
            found.append(sentence)
            ahead += [one for word in set(re.findall(r"[\w']+", sentence)) for one in defined.get(word, ())]
    return tuple(sorted(found))


@cache
def _sentences(source: Source) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the definitions of a file, each with the names that it defines, and what changes others, with none."""
    found = []
    for text in _split(source):
        if match := _DEFINED.match(text):
            found.append((text, (match[1], *_MUTUAL.findall(text))))
        elif match := _BUILT.match(text):
            found.append((text, (match[1], *_MUTUAL.findall(text), *_WITHIN.findall(text))))
        elif _STANDING.match(text):
            found.append((text, ()))
    return tuple(found)


@cache
def _split(source: Source) -> tuple[str, ...]:
    """Return the sentences of a file, each in one line."""
    text = "" if source.unread else without_comments(source.content.decode("utf-8"))
    return tuple(" ".join(sentence.split()) for sentence in re.split(r"\.(?=\s|$)", text))
