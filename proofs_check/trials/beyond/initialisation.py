"""How the claims of `theory.beyond.initialisation` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from proofs_check.trial import Trial
from proofs_check.trials.dherin2022.initialisation import random_layers
from proofs_check.trials.operators import Kind, Mutant, both_ways, right
from theory.beyond import initialisation
from theory.beyond.initialisation import B24, B24A
from theory.claim import Claim, Instance


def _times(claim: Claim, name: str, factor: Callable[[Instance], Fraction]) -> Mutant:
    sides = claim.sides
    return right(claim, name, Kind.OFF_BY_ONE, lambda given: sides(given)[1].times(factor(given)))


def _mutants(claim: Claim) -> tuple[Mutant, ...]:
    """Return versions of the law with one half too few or too many, and another width in its place."""
    return (
        *both_ways(claim),
        _times(claim, "the last layer halved too", lambda given: Fraction(1, 2)),
        _times(claim, "no halves", lambda given: Fraction(2 ** (len(given["rows"]) - 1))),
        _times(claim, "without the outputs", lambda given: Fraction(1, given["rows"][-1])),
        _times(claim, "without the inputs", lambda given: Fraction(1, len(given["x"]))),
        _times(claim, "one hidden unit fewer", lambda given: Fraction(given["rows"][0] - 1, given["rows"][0])),
    )


def _dead_apart(given: Instance) -> Fraction:
    """Return the law times the share of networks that are not dead at x, as if it were about these alone."""
    dead = Fraction(1)
    for n in given["rows"][:-1]:
        dead *= 1 - Fraction(1, 2**n)
    return initialisation.law(given) * dead


TRIALS = (
    Trial(
        B24,
        instances=random_layers(),
        mutants=(*_mutants(B24), right(B24, "less the dead networks", Kind.NEIGHBOUR, _dead_apart)),
        spared={"without: the layers fit each other and the input": "without it there is no network"},
    ),
    Trial(
        B24A,
        instances=random_layers(),
        mutants=(
            *_mutants(B24A),
            right(B24A, "|x|^2 / d for |x|^2", Kind.DROPPED, lambda given: initialisation.law(given) / len(given["x"])),
        ),
        spared={"without: the layers fit each other and the input": "without it there is no network"},
    ),
)
