"""All claims, in reading order."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from theory.beyond.claims import CLAIMS as BEYOND
from theory.claim import Claim, Finding
from theory.dherin2022.claims import CLAIMS as DHERIN2022
from theory.mulayoff2021.claims import CLAIMS as MULAYOFF2021
from theory.neyshabur2017.claims import CLAIMS as NEYSHABUR2017
from theory.volhejn2020.claims import CLAIMS as VOLHEJN2020
from theory.walker2023.claims import CLAIMS as WALKER2023

_IN_ORDER: tuple[Claim, ...] = (
    *VOLHEJN2020,
    *MULAYOFF2021,
    *DHERIN2022,
    *NEYSHABUR2017,
    *WALKER2023,
    *BEYOND,
)


Entry = TypeVar("Entry")


class ById(Mapping[str, Entry]):
    """What is known by the ids of claims, in reading order; an id that is not known is answered with the nearest ones."""

    def __init__(self, entries: Iterable[tuple[str, Entry]], what: str = "claim") -> None:
        """Keep the entries under their ids.

        Args:
            entries: ids and what they stand for.
            what: what an entry is called in errors.

        Raises:
            ValueError: if an id comes twice.
        """
        pairs = tuple(entries)
        ids = [id for id, _ in pairs]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(f"the id of a {what} must be unique, got {', '.join(twice)} twice")
        self._entries, self._what = dict(pairs), what

    def __getitem__(self, id: str) -> Entry:
        """Return the entry of an id.

        Raises:
            KeyError: if there is none, naming the nearest ids.
        """
        if id not in self._entries:
            raise KeyError(f"there is no {self._what} {id!r}; the nearest are {', '.join(self.nearest(str(id)))}")
        return self._entries[id]

    def __contains__(self, id: object) -> bool:
        return id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def nearest(self, id: str) -> list[str]:
        """Return the three ids that are spelt most like a given one."""
        folded = {known.lower(): known for known in self._entries}
        return [folded[name] for name in difflib.get_close_matches(id.lower(), folded, n=3, cutoff=0)]


CLAIMS: ById[Claim] = ById((claim.id, claim) for claim in _IN_ORDER)
"""Claim id to claim."""


def findings_table() -> str:
    """Return the claims that a paper prints and that do not stand so, with findings and repairs, as a Markdown table.

    Conjectures of ours that fell are not among them: see `fallen_conjectures`.

    Example:
        >>> from theory import findings_table
        >>> findings_table().splitlines()[2]
        '| V4 | volhejn2020, eqs 3.5-3.6 | loose | V4.a, V4.b |'
    """
    found = [claim for claim in CLAIMS.values() if claim.finding.on_print]
    lines = [f"| {one.id} | {one.source} | {one.finding.value} | {', '.join(_repairs(one))} |" for one in found]
    return "\n".join(["| claim | source | finding | instead |", "|---|---|---|---|", *lines])


def fallen_conjectures() -> str:
    """Return the conjectures of ours that fell, each with what holds instead, in a line.

    Example:
        >>> from theory import fallen_conjectures
        >>> fallen_conjectures().split("; ")[-1]
        'B10 (B10.a, B10.b)'
    """
    fallen = [claim for claim in CLAIMS.values() if claim.finding is Finding.CONJECTURE]
    return "; ".join(f"{claim.id} ({', '.join(_repairs(claim))})" for claim in fallen)


def _repairs(claim: Claim) -> list[str]:
    """Return what holds instead: claims of ours, or where there is none the printed one that the claim goes beyond."""
    root = claim.amends or claim.id
    ours = [
        other.id
        for other in CLAIMS.values()
        # What is observed of networks repairs no theorem.
        if other.amends == root and other.finding is Finding.OURS and bool(other.study) <= bool(claim.study)
    ]
    return ours or ([root] if CLAIMS[root].finding is Finding.AS_PRINTED else [])
