"""Mutants with another side: short names for what most claims get."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proofs_check.mutants.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    scaled,
    sides_of,
    strict,
    stronger,
    turned,
    with_sides,
)
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure
from theory.registry import CLAIMS

Side = Callable[[Instance], Any]


def _enclosed(value: Any) -> Enclosure:
    return value if isinstance(value, Enclosure) else Enclosure.exactly(value)


def right(claim: Claim, name: str, kind: Kind, side: Side) -> Mutant:
    """Return the claim with another right side: an enclosure, a rational or a truth value."""
    sides = sides_of(claim)
    return with_sides(claim, name, kind, lambda given: (sides(given)[0], _enclosed(side(given))))


def left(claim: Claim, name: str, kind: Kind, side: Side) -> Mutant:
    """Return the claim with another left side."""
    sides = sides_of(claim)
    return with_sides(claim, name, kind, lambda given: (_enclosed(side(given)), sides(given)[1]))


def both_ways(id: str) -> tuple[Mutant, Mutant]:
    """Return an identity with its right side one per cent too large, and too small."""
    return scaled(CLAIMS[id], MORE), scaled(CLAIMS[id], LESS)


def bounds(id: str) -> tuple[Mutant, Mutant, Mutant]:
    """Return an inequality one per cent too strong, the other way round, and without equality."""
    return stronger(CLAIMS[id]), turned(CLAIMS[id]), strict(CLAIMS[id])


def on(claim: Claim, name: str, kind: Kind, change: Callable[[Instance], Instance]) -> Mutant:
    """Return the claim with its sides taken on a changed instance, while its assumptions speak of the given one."""
    sides = sides_of(claim)
    return with_sides(claim, name, kind, lambda given: sides(change(given)))
