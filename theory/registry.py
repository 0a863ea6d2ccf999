"""All claims, in reading order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.beyond.claims import CLAIMS as BEYOND
from theory.claim import Claim, Finding
from theory.mulayoff2021.claims import CLAIMS as MULAYOFF2021
from theory.volhejn2020.claims import CLAIMS as VOLHEJN2020
from theory.walker2023.claims import CLAIMS as WALKER2023

_IN_ORDER: tuple[Claim, ...] = (
    *VOLHEJN2020,
    *MULAYOFF2021,
    *WALKER2023,
    *BEYOND,
)


def _by_id(claims: tuple[Claim, ...]) -> Mapping[str, Claim]:
    ids = [claim.id for claim in claims]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    if twice:
        raise ValueError(f"claim ids must be unique, got {', '.join(twice)} twice")
    return MappingProxyType({claim.id: claim for claim in claims})


CLAIMS: Mapping[str, Claim] = _by_id(_IN_ORDER)
"""Claim id to claim."""


def findings_table() -> str:
    """Return the claims that do not stand as printed, with their findings and repairs, as a Markdown table.

    Example:
        >>> from theory import findings_table
        >>> findings_table().splitlines()[2]
        '| V4 | volhejn2020, eqs 3.5-3.6 | loose | V4.a, V4.b |'
    """
    lines = ["| claim | source | finding | instead |", "|---|---|---|---|"]
    for claim in CLAIMS.values():
        if claim.finding in (Finding.AS_PRINTED, Finding.OURS):
            continue
        root = claim.amends or claim.id
        repairs = [c.id for c in CLAIMS.values() if c.amends == root and c.finding is Finding.OURS]
        lines.append(f"| {claim.id} | {claim.source} | {claim.finding.value} | {', '.join(repairs)} |")
    return "\n".join(lines)
