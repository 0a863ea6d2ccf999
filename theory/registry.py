"""All claims, in reading order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.claim import Claim
from theory.claims import (
    beyond,
    mulayoff2021,
    mulayoff2021_stability,
    volhejn2020,
    volhejn2020_spline,
    walker2023,
)

_IN_ORDER: tuple[Claim, ...] = (
    *volhejn2020.CLAIMS,
    *volhejn2020_spline.CLAIMS,
    *mulayoff2021_stability.CLAIMS,
    *mulayoff2021.CLAIMS,
    *walker2023.CLAIMS,
    *beyond.CLAIMS,
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
    """Return all claims with their findings as a Markdown table, in reading order."""
    lines = ["| claim | source | finding |", "|---|---|---|"]
    lines += [f"| {claim.id} | {claim.source} | {claim.finding.value} |" for claim in CLAIMS.values()]
    return "\n".join(lines)
