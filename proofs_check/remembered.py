"""What was computed of an instance is not computed again: a claim and its wrong versions share sides and measures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from proofs_check.coincidences import NO_INSTANCE
from theory.claim import Assumption, Claim, Instance
from theory.enclosure import Enclosure

Value = TypeVar("Value")

_RECALLED: dict[Callable[[Instance], Any], Callable[[Instance], Any]] = {}


def remembered(function: Callable[[Instance], Value]) -> Callable[[Instance], Value]:
    """Return a function that computes the value of each instance once, as long as the instance is there.

    The same function has the same memory wherever it is asked for. Whatever it raises is raised again.
    """
    if function in _RECALLED:
        return _RECALLED[function]
    known: WeakKeyDictionary[Instance, Value] = WeakKeyDictionary()

    def recalled(given: Instance) -> Value:
        if given not in known:
            known[given] = function(given)
        return known[given]

    _RECALLED[function] = recalled
    _RECALLED[recalled] = recalled
    return recalled


def recalled_if_known(function: Callable[[Instance], Value]) -> Callable[[Instance], Value]:
    """Return the function with its memory, if it was given one, and as it is if it was not."""
    return _RECALLED.get(function, function)


def remembering(claim: Claim) -> Claim:
    """Return the claim with what it measures of an instance remembered, and its sides."""
    assumptions = tuple(replace(a, measure=remembered(a.measure)) for a in claim.assumptions)
    return replace(claim, assumptions=assumptions, sides=remembered(claim.sides))


OPEN = Enclosure(-math.inf, math.inf)
"""Any number: a side that has no value decides nothing."""


def forgiving(claim: Claim, none: tuple[type[Exception], ...] = NO_INSTANCE) -> Claim:
    """Return a wrong version of a claim, which need not have a value everywhere, so that it decides nothing without one.

    Args:
        claim: the wrong version.
        none: what it raises where it has no value.
    """
    sides = claim.sides

    def known(given: Instance) -> tuple[Enclosure, Enclosure]:
        try:
            return sides(given)
        except none:
            return OPEN, OPEN

    return replace(claim, sides=known, assumptions=tuple(_forgiving(a, none) for a in claim.assumptions))


def _forgiving(assumption: Assumption, none: tuple[type[Exception], ...]) -> Assumption:
    """Return the assumption so that it fails where what it measures has no value."""

    def measure(given: Instance) -> Any:
        try:
            value = assumption.measure(given)
            return (value,) if assumption.holds(value) else ()
        except none:
            return ()

    return replace(assumption, measure=measure, holds=bool)
