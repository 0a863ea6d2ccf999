"""Mutants with another side, of claims named by their ids: `operators` for those who have an id at hand."""

from __future__ import annotations

from proofs_check.mutants import operators
from proofs_check.mutants.operators import Mutant, left, on, right
from theory.registry import CLAIMS

__all__ = ["both_ways", "bounds", "left", "on", "right"]


def both_ways(id: str) -> tuple[Mutant, Mutant]:
    """Return an identity with its right side one per cent too large, and too small."""
    return operators.both_ways(CLAIMS[id])


def bounds(id: str) -> tuple[Mutant, Mutant, Mutant]:
    """Return an inequality one per cent too strong, the other way round, and without equality."""
    return operators.bounds(CLAIMS[id])
