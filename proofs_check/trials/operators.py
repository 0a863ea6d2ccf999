"""Wrong claims made from right ones: what the search for counterexamples must be able to refute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

from proofs_check.remembered import remembered
from theory.claim import Assumption, Claim, Form, Instance
from theory.enclosure import Enclosure

Sides = Callable[[Instance], tuple[Enclosure, Enclosure]]
Side = Callable[[Instance], Enclosure | Fraction | bool]

MORE, LESS = Fraction(101, 100), Fraction(99, 100)
"""One per cent too much, and too little."""


class Kind(StrEnum):
    """What a mutant gets wrong."""

    CONSTANT = "constant off by 1 %"
    REVERSED = "reversed"
    DROPPED = "term or factor dropped"
    MIN_MAX = "min for max"
    BOUNDARY = "strict for weak"
    OFF_BY_ONE = "off by one"
    ASSUMPTION = "assumption dropped or moved"
    EDGE = "comparison: strict for weak"
    SPLIT = "comparison: moved or dropped"
    MOVED = "constant moved"
    EXTREME = "max, min, sum, mean"
    RANGE = "range shortened or shifted"
    SOME = "some for all"
    NEIGHBOUR = "another quantity"


@dataclass(frozen=True)
class Mutant:
    """A wrong version of a claim.

    Attributes:
        name: what was changed, in a few words or a formula.
        kind: what sort of mistake it is.
        claim: the changed claim, under the id of the claim it was made from.
        equivalent: the reason why it is not false after all; such a mutant is searched for nothing and counted apart.
    """

    name: str
    kind: Kind
    claim: Claim
    equivalent: str = ""


def scaled(claim: Claim, factor: Fraction, *, offset: int = 0) -> Mutant:
    """Return the claim with offset + (right side - offset) times a factor."""
    sides = remembered(claim.sides)

    def changed(given: Instance) -> tuple[Enclosure, Enclosure]:
        lhs, rhs = sides(given)
        ends = sorted(offset + factor * (Fraction(end) - offset) for end in (rhs.lower, rhs.upper))
        return lhs, Enclosure(*ends)

    beside = f" beside {offset}" if offset else ""
    return Mutant(f"right side{beside} x {float(factor)}", Kind.CONSTANT, replace(claim, sides=changed))


def stronger(claim: Claim, *, offset: int = 0) -> Mutant:
    """Return the claim with its right side one per cent too strong, the wrong way for its form.

    Raises:
        ValueError: if the claim compares truth values.
    """
    if claim.form in (Form.EQUIVALENCE, Form.IMPLICATION):
        raise ValueError(f"{claim.id} compares truth values, which have no constant")
    return scaled(claim, LESS if claim.form is Form.AT_MOST else MORE, offset=offset)


def turned(claim: Claim) -> Mutant:
    """Return the inequality the other way round; for an implication the converse.

    Raises:
        ValueError: if the claim is none of these.
    """
    opposite = {Form.AT_MOST: Form.AT_LEAST, Form.AT_LEAST: Form.AT_MOST}
    if claim.form is Form.IMPLICATION:
        sides = remembered(claim.sides)

        def swapped(given: Instance) -> tuple[Enclosure, Enclosure]:
            lhs, rhs = sides(given)
            return rhs, lhs

        return Mutant("the converse", Kind.REVERSED, replace(claim, sides=swapped))
    if claim.form not in opposite:
        raise ValueError(f"{claim.id} is {claim.form.value}, which has no other way round")
    form = opposite[claim.form]
    return Mutant(f"{form.value} for {claim.form.value}", Kind.REVERSED, replace(claim, form=form))


def negated(claim: Claim) -> Mutant:
    """Return the equivalence or implication with the opposite of its right side."""
    sides = remembered(claim.sides)

    def opposite(given: Instance) -> tuple[Enclosure, Enclosure]:
        lhs, rhs = sides(given)
        return lhs, Enclosure(1 - rhs.upper, 1 - rhs.lower)

    return Mutant("right side negated", Kind.REVERSED, replace(claim, sides=opposite))


def strict(claim: Claim) -> Mutant:
    """Return the inequality without equality: lhs < rhs for <=, lhs > rhs for >=.

    Raises:
        ValueError: if the claim is no inequality.
    """
    if claim.form not in (Form.AT_MOST, Form.AT_LEAST):
        raise ValueError(f"{claim.id} is {claim.form.value}, not an inequality")
    sides = remembered(claim.sides)

    def truth(given: Instance) -> tuple[Enclosure, Enclosure]:
        lhs, rhs = sides(given)
        small, large = (lhs, rhs) if claim.form is Form.AT_MOST else (rhs, lhs)
        below = Enclosure(Fraction(int(small.upper < large.lower)), Fraction(int(small.lower < large.upper)))
        return Enclosure.exactly(True), below

    name = "< for <=" if claim.form is Form.AT_MOST else "> for >="
    return Mutant(name, Kind.BOUNDARY, replace(claim, form=Form.IMPLICATION, sides=truth))


def with_sides(claim: Claim, name: str, kind: Kind, sides: Sides) -> Mutant:
    """Return the claim with other sides."""
    return Mutant(name, kind, replace(claim, sides=sides))


def right(claim: Claim, name: str, kind: Kind, side: Side) -> Mutant:
    """Return the claim with another right side: an enclosure, a rational or a truth value."""
    sides = remembered(claim.sides)
    return with_sides(claim, name, kind, lambda given: (sides(given)[0], _enclosed(side(given))))


def left(claim: Claim, name: str, kind: Kind, side: Side) -> Mutant:
    """Return the claim with another left side."""
    sides = remembered(claim.sides)
    return with_sides(claim, name, kind, lambda given: (_enclosed(side(given)), sides(given)[1]))


def on(claim: Claim, name: str, kind: Kind, change: Callable[[Instance], Instance]) -> Mutant:
    """Return the claim with its sides taken on a changed instance, while its assumptions speak of the given one."""
    sides = remembered(claim.sides)
    return with_sides(claim, name, kind, lambda given: sides(change(given)))


def both_ways(claim: Claim) -> tuple[Mutant, Mutant]:
    """Return an identity with its right side one per cent too large, and too small."""
    return scaled(claim, MORE), scaled(claim, LESS)


def bounds(claim: Claim) -> tuple[Mutant, Mutant, Mutant]:
    """Return an inequality one per cent too strong, the other way round, and without equality."""
    return stronger(claim), turned(claim), strict(claim)


def _enclosed(value: Enclosure | Fraction | bool) -> Enclosure:
    return value if isinstance(value, Enclosure) else Enclosure.exactly(value)


def limits(claim: Claim, *others: Fraction | int, turned_at: tuple[Fraction | int, ...] = ()) -> tuple[Mutant, ...]:
    """Return an inequality against a limit the other way round, and with other limits.

    Args:
        claim: the inequality.
        others: other limits.
        turned_at: the limits of those that are turned; its own if none is given.
    """

    def against(limit: Fraction | int) -> Side:
        return lambda _: Enclosure.exactly(Fraction(limit))

    other_way = turned(claim)
    said, said_turned = claim.form.value, other_way.claim.form.value
    return (
        *([] if turned_at else [other_way]),
        *(
            right(other_way.claim, f"{said_turned} {limit}", kind, against(limit))
            for limit, kind in zip(turned_at, (Kind.REVERSED, *[Kind.MOVED] * len(turned_at)), strict=False)
        ),
        *(right(claim, f"{said} {limit}", Kind.CONSTANT, against(limit)) for limit in others),
    )


def moved(claim: Claim, assumption: str, holds: Callable[[Any], bool], name: str, kind: Kind = Kind.CONSTANT) -> Mutant:
    """Return the claim with one of its assumptions, found by name, deciding otherwise on the same measure."""
    index = _index(claim, assumption)
    changed = replace(claim.assumptions[index], holds=holds)
    return Mutant(name, kind, replace(claim, assumptions=_put(claim.assumptions, index, (changed,))))


def without(claim: Claim, assumption: str) -> Mutant:
    """Return the claim without one of its assumptions, found by name."""
    index = _index(claim, assumption)
    kept = _put(claim.assumptions, index, ())
    return Mutant(f"without: {assumption}", Kind.ASSUMPTION, replace(claim, assumptions=kept))


def _put(assumptions: tuple[Assumption, ...], index: int, put: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
    return (*assumptions[:index], *put, *assumptions[index + 1 :])


def _index(claim: Claim, assumption: str) -> int:
    names = [candidate.name for candidate in claim.assumptions]
    if assumption not in names:
        raise ValueError(f"{claim.id} has no assumption {assumption!r}, only {', '.join(map(repr, names)) or 'none'}")
    return names.index(assumption)
