"""What a theorem in Coq assumes, read from its text, and held against what the manifest says of each assumption.

Without Coq: the words of the file are split, not understood. What a definition hides is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from proofs_check.coq_sources import without_comments
from proofs_check.manifest import DEFINED, NOT_NEEDED, Theorem
from theory.claim import Claim

_VALUES = frozenset(
    [
        "R",
        "nat",
        "bool",
        "list",
        "Prop",
        "Type",
        "network",
        "neuron",
        "parameter",
        "batch",
        "unit",
        "vector",
        "A",
        "B",
        "M",
    ]
)
"""Types of numbers, lists, functions and networks: a variable of these is no hypothesis."""

_DECLARATION = r"\b(?:Theorem|Lemma|Corollary|Proposition|Property|Fact|Remark|Example)\s+"
_OF_A_SECTION = re.compile(
    r"\b(?P<opens>Section|Module)\s+(?:Type\s+)?(?P<name>[\w']+)|\bEnd\s+(?P<ends>[\w']+)"
    r"|\b(?:Variables?|Context|Hypothes[ie]s|Parameters?|Axioms?)\b(?P<declared>.*?)\.(?=\s|$)",
    re.DOTALL,
)


def hypotheses(text: str, name: str) -> list[str]:
    """Return what a theorem assumes, in the words of the Coq file, in order, spaces evened.

    These are the premises before its conclusion, and the variables, its own and those of the sections that it is in, whose
    type is none of numbers, lists, functions and networks. What a `let` abbreviates stays abbreviated.

    Args:
        text: what is in the Coq file.
        name: the theorem's name.

    Raises:
        ValueError: if the file declares no such theorem.
    """
    clean = without_comments(text)
    match = re.search(rf"{_DECLARATION}{re.escape(name.rsplit('.', 1)[-1])}(?![\w'])(.*?)\.(?=\s|$)", clean, re.DOTALL)
    if match is None:
        raise ValueError(f"there is no theorem {name}")
    binders, _, body = _cut(match[1], r":(?!=)")
    return [*_of_sections(clean[: match.start()]), *_conditions(binders), *_premises(body)]


def _of_sections(before: str) -> list[str]:
    """Return the conditions among what the sections that are open after a text declare."""
    opened: list[tuple[str, list[str]]] = [("", [])]
    for match in _OF_A_SECTION.finditer(before):
        if match["opens"]:
            opened.append((match["name"], []))
        elif match["ends"]:
            while len(opened) > 1 and opened.pop()[0] != match["ends"]:
                pass
        else:
            declared = match["declared"].strip()
            opened[-1][1].extend(_conditions(declared if declared[:1] in "({[" else f"({declared})"))
    return [condition for _, conditions in opened for condition in conditions]


def _premises(body: str) -> list[str]:
    """Return the premises of a statement, from the left: those of `forall x, A -> B -> C` are A and B."""
    found: list[str] = []
    body = body.strip()
    while True:
        word = re.match(r"(forall|let)\b", body)
        if body.startswith("(") and _end(body) == len(body):
            body = body[1:-1].strip()
        elif word is None:
            before, arrow, after = _cut(body, r"(?<!<)->|\b(?:forall|exists|fun|let)\b")
            if arrow != "->":
                return found
            found.append(_even(before))
            body = after.strip()
        elif word[1] == "let":
            body = _cut(body[3:], r"\bin\b")[2].strip()
        else:
            binders, _, rest = _cut(body[len("forall") :], ",")
            bare = not re.search(r"[({\[]", binders) and ":" in binders
            found += _conditions(f"({binders})" if bare else binders)
            body = rest.strip()


def _conditions(binders: str) -> list[str]:
    """Return the binders, in brackets, whose type is not one of values; names without a type are left to Coq."""
    found = []
    while (match := re.search(r"[({\[]", binders)) is not None:
        rest = binders[match.start() :]
        inside, binders = rest[1 : _end(rest) - 1], rest[_end(rest) :]
        kind = _cut(inside, ":")[2]
        if not set(re.findall(r"[^\W\d][\w']*", kind)) <= _VALUES or not re.fullmatch(r"[\w'\s()*@>-]*", kind):
            found.append(_even(inside))
    return found


def _end(text: str) -> int:
    """Return where the bracket that a text begins with is closed, one past it."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character in "({[") - (character in ")}]")
        if depth == 0:
            return place + 1
    return len(text)


def _cut(text: str, pattern: str) -> tuple[str, str, str]:
    """Return what stands before the first match of a pattern outside all brackets, the match, and what is after it."""
    for match in re.finditer(pattern, text):
        before = text[: match.start()]
        if sum(before.count(b) for b in "({[") == sum(before.count(b) for b in ")}]"):
            return before, match[0], text[match.end() :]
    return text, "", ""


def _even(text: str) -> str:
    return " ".join(text.split())


def unmapped(claim: Claim, theorem: Theorem, found: Sequence[str]) -> list[str]:
    """Return a sentence for every assumption and hypothesis that the manifest does not account for.

    Args:
        claim: the claim that the theorem is of.
        theorem: its entry in the manifest.
        found: what the theorem assumes, see `hypotheses`.
    """
    said, named = [], [assumption.name for assumption in claim.assumptions]
    assumes, typed, further = dict(theorem.assumes), dict(theorem.typing), dict(theorem.further)
    said += [
        f"{name!r}, which {claim.id} assumes, is not among what it assumes" for name in named if name not in assumes
    ]
    said += [f"{name!r} is no assumption of {claim.id}" for name in assumes if name not in named]
    met = [text for texts in assumes.values() for text in texts if text not in (DEFINED, NOT_NEEDED)]
    listed = [*met, *typed, *further]
    said += [f"it assumes {text!r}, which the manifest does not list" for text in found if text not in listed]
    said += [f"it does not assume {text!r}, which the manifest lists" for text in listed if text not in found]
    said += [f"{text!r} is listed twice" for text in typed if text in (*met, *further)]
    symbols = {symbol.name for symbol in claim.symbols}
    for text, why in theorem.typing:
        if why not in symbols and not why.startswith("by definition: "):
            said.append(f"{text!r} must be what a symbol of {claim.id} is, or hold 'by definition: ..', got {why!r}")
    return said
