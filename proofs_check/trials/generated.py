"""Wrong versions of a claim that nobody made to be caught: each of its assumptions dropped."""

from __future__ import annotations

from collections.abc import Iterator

from proofs_check.trials.operators import Mutant, without
from theory.claim import Claim


def of_assumptions(claim: Claim) -> Iterator[Mutant]:
    """Yield the claim without each of its assumptions, one at a time."""
    return (without(claim, assumption.name) for assumption in claim.assumptions)
