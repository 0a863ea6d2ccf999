"""What the trials of several chapters of walker2023 share."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from proofs_check.trials.operators import (
    Kind,
    Mutant,
    right,
)
from theory.claim import Claim, Instance
from theory.enclosure import square_root


def times(claim: Claim, name: str, kind: Kind, factor: Callable[[Instance], Fraction]) -> Mutant:
    """Return the claim with its right side times a factor >= 0 that depends on the instance."""
    sides = claim.sides
    return right(claim, name, kind, lambda given: sides(given)[1].times(factor(given)))


def root_of(value: Fraction) -> Fraction:
    """Return a rational at or just above the square root."""
    return Fraction(square_root(value).upper)
