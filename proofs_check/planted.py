"""Planted faults: what every row rests on is tried on cases whose answer is known, and must find what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import sympy as sp

from proofs_check import exact, symbolic
from theory.claim import Form, Instance, Ruling
from theory.enclosure import Enclosure, square_root
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS

_x, _m = sp.Symbol("x", real=True), sp.Symbol("m", integer=True, positive=True)

FALSE_STEPS = (
    Step(_x + 1, _x, Rule.IDENTITY, "off by one"),
    Step(_x, sp.Integer(0), Rule.NONNEGATIVE, "a number of either sign", certificate=(_x,)),
    Step(_x**2, _x, Rule.POLYNOMIAL, "false between 0 and 1"),
    Step(_m**2, _m, Rule.INDUCTION, "true of 1 and of no more", variable=_m, base=1),
)
"""Steps that do not follow, one for each rule that stands alone."""

TRUE_STEPS = (
    Step((_x + 1) ** 2, _x**2 + 2 * _x + 1, Rule.IDENTITY, "a square"),
    Step(_x**2 + 1, 2 * _x, Rule.POLYNOMIAL, "(x - 1)^2 >= 0"),
)
"""Steps that follow."""

ROOTED = (2, 3, 5, 7, 11, 13, 17, 19)
"""Numbers whose square roots lie anywhere between the ends of their intervals: of one the middle may hold it."""


def faults(*, replayed: bool) -> list[str]:
    """Return a sentence for every planted fault that is not found, and for every planted truth that is.

    Args:
        replayed: whether a proof was replayed, so that what decides its steps is tried too.
    """
    return [*(_of_steps() if replayed else ()), *_of_confirmation(), *_of_enclosures()]


def _of_steps() -> Iterator[str]:
    for step, follows in [(step, False) for step in FALSE_STEPS] + [(step, True) for step in TRUE_STEPS]:
        if _follows(step) is not follows:
            said = "is rejected, though it follows" if follows else "is accepted, though it does not follow"
            yield f"a planted step by the rule {step.rule.value} {said}: {step.before} against {step.after}"


def _follows(step: Step) -> bool:
    try:
        symbolic.replay(Proof((step,), "planted"))
    except symbolic.StepError:
        return False
    return True


def _of_confirmation() -> Iterator[str]:
    sides = {Ruling.HOLDS: (0.1, 0.2), Ruling.VIOLATED: (0.2, 0.1)}
    for ruling, (low, high) in sides.items():
        ends = Enclosure.exactly(Fraction(low)), Enclosure.exactly(Fraction(high))
        claim = replace(CLAIMS["V1"], form=Form.AT_MOST, symbols=(), assumptions=(), sides=_constant(*ends))
        found = exact.confirm(claim, Instance({}, "planted")).ruling
        if found is not ruling:
            yield f"exact arithmetic confirms '{found.value}' of {low} <= {high}, where the claim '{ruling.value}'"


def _constant(low: Enclosure, high: Enclosure) -> Callable[[Instance], tuple[Enclosure, Enclosure]]:
    return lambda given: (low, high)


def _of_enclosures() -> Iterator[str]:
    # Sums of these floats are no floats, nor are thirds of them.
    low, high = Enclosure(0.1, 0.7), Enclosure(0.2, 0.8)
    cases = [
        ("sum", low + high, Fraction(0.1) + Fraction(0.2), Fraction(0.7) + Fraction(0.8)),
        ("neighbourhood", low.widened(0.2), Fraction(0.1) - Fraction(0.2), Fraction(0.7) + Fraction(0.2)),
        ("third", low.times(Fraction(1, 3)), Fraction(0.1) / 3, Fraction(0.7) / 3),
        ("negative", -low, -Fraction(0.7), -Fraction(0.1)),
    ]
    for name, found, least, most in cases:
        if not found.lower <= least <= most <= found.upper:
            yield f"the {name} of intervals leaves out an end: {found}"
    for number in ROOTED:
        root = square_root(Fraction(number))
        if not Fraction(root.lower) ** 2 <= number <= Fraction(root.upper) ** 2:
            yield f"the interval around the square root of {number} leaves it out"
