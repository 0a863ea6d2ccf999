"""Mutants of the claims on units that toggle in general position."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from proofs_check.mutants.operators import LESS, MORE, Kind, Mutant, bounds, moved, right, without
from theory.claim import Instance
from theory.claims.mulayoff2021_switching import M8D, M9C

A_MODE, NO_IDLE, GENERAL, STABLE = (assumption.name for assumption in M8D.assumptions)


def _resting(first: Fraction, second: Fraction) -> Mutant:
    """Return M9.c with first/eta - second/2."""

    def side(given: Instance) -> Fraction:
        return first / Fraction(given["step_size"]) - second / 2

    return right(M9C, f"{float(first)}/eta - {float(second / 2)}", Kind.CONSTANT, side)


LONGER = "a step may be longer: eta ||H v||^2 <= 2.02 v^T H v"

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "M8.d": (
        *bounds(M8D),
        without(M8D, STABLE),
        moved(M8D, STABLE, lambda v: v <= 2 * MORE, LONGER),
        without(M8D, GENERAL),
    ),
    "M9.c": (
        *bounds(M9C),
        _resting(LESS, Fraction(1)),
        _resting(Fraction(1), MORE),
        without(M9C, STABLE),
        moved(M9C, STABLE, lambda v: v <= 2 * MORE, LONGER),
        without(M9C, GENERAL),
    ),
}
