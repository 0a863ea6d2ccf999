"""Tendencies: what an experiment shows in most of its independent cases, as a claim about the median of an effect.

The test is to be fixed before the rows are read; what was not is said on the page of what these claims come to. An effect is
measured once in each independent case, and the median of its distribution is enclosed by two of the values in order (the
inverted sign test, without any assumption on the distribution). What is claimed of the median holds, or is violated, where the
whole interval says so, and is undecided otherwise: a verdict's three rulings. A claim is put to several tests, on other
measures or other data; by chance some end of all their intervals is on the wrong side of its median at most `LEVEL` of the
time for lower ends, and for upper ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

from theory.checks import Array, count, exact_sequence, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.symbols import Symbol

MEASURED = "what runs end in is measured, not derived"
"""Why such a claim has no extremal instance."""

LEVEL = Fraction(1, 40)
"""How often chance puts an end on the wrong side of the median, at most, in all tests of a claim together."""


TAU = (-1, 1)
"""Between which bounds Kendall's tau_b lies."""


def _cases(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} must be a whole number from 0 on, got {value!r}")
    return value


def effects_of(name: str, latex: str, meaning: str, *, within: tuple[int | None, int | None] = (None, None)) -> Symbol:
    """Return the symbol of the effects that a claim is about, one an independent case.

    Args:
        name: its name in code.
        latex: its name in LaTeX.
        meaning: what is measured in one case.
        within: the least and the largest value that an effect can have; None where there is none.
    """
    least, most = within
    said = (
        f" from {least} to {most}"
        if None not in within
        else f" at least {least}"
        if least is not None
        else f" at most {most}"
        if most is not None
        else ""
    )

    def checked(called: str, value: Any) -> Array:
        found = exact_sequence(called, value) if len(value) else rationals([])
        for effect in found:
            if (least is not None and effect < least) or (most is not None and effect > most):
                raise ValueError(f"{called} must be{said}, got {effect}")
        return found

    return Symbol(name, latex, f"{meaning}; one for each independent case, rationals{said}, [m], m >= 0", checked)


UNDEFINED = Symbol(
    "undefined", "u", "independent cases in which the effect is not defined, a measure being constant", _cases
)


TESTS = Symbol("tests", "T", "how many tests the claim is put to", count)


@cache
def rank(cases: int, tests: int = 1) -> int:
    """Return the largest k such that the k-th smallest of so many values exceeds the median by chance rarely enough.

    P(Bin(n, 1/2) < k) <= LEVEL / tests. 0 if there is none: of too few cases even those that all agree decide nothing.
    """
    allowed, below, k = LEVEL * 2**cases / tests, 0, 0
    while below + math.comb(cases, k) <= allowed:
        below += math.comb(cases, k)
        k += 1
    return k


def fewest(tests: int = 1) -> int:
    """Return the fewest independent cases that can decide anything."""
    return next(cases for cases in itertools.count(1) if rank(cases, tests))


def median_interval(given: Instance, effects: Symbol) -> Enclosure:
    """Return the interval of the median effect; an end is infinite where too few cases, or undefined effects, leave it open."""
    values, undefined = sorted(given[effects.name]), given["undefined"]
    k = rank(len(values) + undefined, given["tests"])
    if k == 0:
        return Enclosure(-math.inf, math.inf)
    return Enclosure(*(([-math.inf] * undefined + values)[k - 1], (values + [math.inf] * undefined)[-k]))


def against(effects: Symbol, limit: Fraction) -> Callable[[Instance], tuple[Enclosure, Enclosure]]:
    """Return the sides of a claim that the median effect is at most, or at least, a limit.

    An end of the interval that is the limit itself decides nothing: it counts as open.
    """

    def sides(given: Instance) -> tuple[Enclosure, Enclosure]:
        interval = median_interval(given, effects)
        lower = -math.inf if interval.lower == limit else interval.lower
        upper = math.inf if interval.upper == limit else interval.upper
        return Enclosure(lower, upper), Enclosure.exactly(limit)

    return sides
