"""All claims, in reading order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from theory.claim import Claim, Finding
from theory.claims import (
    beyond,
    dual_bounds,
    flat_interpolants,
    mean_square,
    mulayoff2021,
    mulayoff2021_observed,
    mulayoff2021_stability,
    mulayoff2021_switching,
    pair_variation,
    volhejn2020,
    volhejn2020_estimators,
    volhejn2020_spline,
    volhejn2020_training,
    walker2023,
    walker2023_coherence,
    walker2023_descent,
    walker2023_rademacher,
    walker2023_stiffness,
    walker2023_tangent,
)

_IN_ORDER: tuple[Claim, ...] = (
    *volhejn2020.CLAIMS,
    *volhejn2020_spline.CLAIMS,
    *volhejn2020_training.CLAIMS,
    *volhejn2020_estimators.CLAIMS,
    *mulayoff2021_stability.CLAIMS,
    *mulayoff2021.CLAIMS,
    *mulayoff2021_switching.CLAIMS,
    *mulayoff2021_observed.CLAIMS,
    *walker2023.CLAIMS,
    *walker2023_rademacher.CLAIMS,
    *walker2023_stiffness.CLAIMS,
    *walker2023_tangent.CLAIMS,
    *walker2023_coherence.CLAIMS,
    *walker2023_descent.CLAIMS,
    *beyond.CLAIMS,
    *mean_square.CLAIMS,
    *dual_bounds.CLAIMS,
    *pair_variation.CLAIMS,
    *flat_interpolants.CLAIMS,
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
    """Return the claims that do not stand as printed, with their findings and repairs, as a Markdown table."""
    lines = ["| claim | source | finding | instead |", "|---|---|---|---|"]
    for claim in CLAIMS.values():
        if claim.finding in (Finding.AS_PRINTED, Finding.OURS):
            continue
        root = claim.amends or claim.id
        repairs = [c.id for c in CLAIMS.values() if c.amends == root and c.finding is Finding.OURS]
        lines.append(f"| {claim.id} | {claim.source} | {claim.finding.value} | {', '.join(repairs)} |")
    return "\n".join(lines)
