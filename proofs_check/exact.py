"""Confirmation of what a search found: in rational arithmetic, and in Arb balls where there is a second implementation."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from proofs_check.crash import part
from proofs_check.oracles import Ball
from proofs_check.registry import TRIALS
from proofs_check.values import exactly
from theory.claim import Claim, Instance, Ruling, Verdict, compare
from theory.enclosure import Enclosure
from theory.registry import CLAIMS

PRECISIONS = (128, 512, 2048)
"""Bits that Arb works with, one after the other until they decide."""

RATIONAL = "rational arithmetic"


class DisagreementError(RuntimeError):
    """A claim and its second implementation come to opposite rulings: one of them is wrong."""


@dataclass(frozen=True)
class Confirmation:
    """What came of evaluating a claim again, exactly.

    Attributes:
        method: "rational arithmetic", "Arb at N bits", or both; empty where neither decides.
        ruling: what they come to.
    """

    method: str
    ruling: Ruling


def enclosure(ball: Ball) -> Enclosure:
    """Return the ends of an Arb ball, which are rationals."""
    middle, radius = (_rational(part) for part in (ball.mid(), ball.rad()))
    return Enclosure(middle - radius, middle + radius)


def _rational(exact: Ball) -> Fraction:
    mantissa, exponent = exact.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def by_oracle(claim: Claim, instance: Instance) -> Confirmation:
    """Return what the second implementation of a claim comes to, at the first precision that decides.

    Identities are decided by no precision: overlapping balls of the last one count as equal.
    """
    oracle = TRIALS[claim.id].oracle if claim.id in TRIALS else None
    if oracle is None or claim.sides is not CLAIMS[claim.id].sides:
        return Confirmation("", Ruling.INCONCLUSIVE)
    ruling, bits = Ruling.INCONCLUSIVE, 0
    for bits in PRECISIONS:
        with part("its oracle"):
            sides = oracle(instance, bits)
        ruling = compare(claim.id, claim.form, *(enclosure(side) for side in sides)).ruling
        if ruling is not Ruling.INCONCLUSIVE:
            return Confirmation(f"Arb at {bits} bits", ruling)
    return Confirmation("", ruling)


def _is_rational(verdict: Verdict) -> bool:
    sides = [side for side in (verdict.lhs, verdict.rhs) if side is not None]
    return all(isinstance(end, (int, Fraction)) for side in sides for end in (side.lower, side.upper))


def confirm(claim: Claim, instance: Instance) -> Confirmation:
    """Return what a claim comes to on an instance, its floats taken as the rationals they are.

    A ruling counts if both sides are known in rationals; if there is a second implementation, it must not say the
    opposite. Sides that stay floats, with no second implementation, confirm nothing.

    Raises:
        DisagreementError: if the two implementations come to opposite rulings.
    """
    exact = exactly(instance)
    verdict = claim.evaluate(exact)
    if verdict.ruling is Ruling.INAPPLICABLE:
        return Confirmation(RATIONAL, verdict.ruling)
    rational = verdict.ruling if _is_rational(verdict) else Ruling.INCONCLUSIVE
    arb = by_oracle(claim, exact)
    decided = [ruling for ruling in (rational, arb.ruling) if ruling is not Ruling.INCONCLUSIVE]
    if len(set(decided)) > 1:
        raise DisagreementError(
            f"{claim.id}: {RATIONAL} says that it {rational.value}, {arb.method} that it {arb.ruling.value}"
        )
    if not decided:
        return Confirmation("", Ruling.INCONCLUSIVE)
    methods = ([RATIONAL] if rational is not Ruling.INCONCLUSIVE else []) + ([arb.method] if arb.method else [])
    return Confirmation(" and ".join(methods), decided[0])
