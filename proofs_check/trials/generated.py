"""Wrong versions of a claim that nobody made to be caught: without an assumption, or with its source changed in one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import FunctionType
from typing import Any

from proofs_check.trials.edits import Edit, edits
from proofs_check.trials.operators import Kind, Mutant, without
from proofs_check.trials.source import reached, with_another
from theory.claim import Claim


def of_assumptions(claim: Claim) -> Iterator[Mutant]:
    """Yield the claim without each of its assumptions, one at a time."""
    return (without(claim, assumption.name) for assumption in claim.assumptions)


@dataclass(frozen=True)
class Rewriting:
    """A claim with one thing changed in its source: in its sides, in an assumption, or in a function that these come to.

    Attributes:
        name: where and what is changed.
        kind: what sort of mistake it is.
        assumption: the place of the assumption that is changed; None if the sides are.
        make: makes the changed claim.
    """

    name: str
    kind: Kind
    assumption: int | None
    make: Callable[[], Claim]


def of_source(claim: Claim) -> list[Rewriting]:
    """Return all changes of a claim's source, in its order, each under a name of its own.

    Args:
        claim: the claim as it is registered: what remembers its values has no source.
    """
    counted: Counter[str] = Counter()
    found = []
    for one in _of_source(claim):
        counted[one.name] += 1
        again = f" ({counted[one.name]})" if counted[one.name] > 1 else ""
        found.append(replace(one, name=one.name + again))
    return found


def _of_source(claim: Claim) -> Iterator[Rewriting]:
    def with_sides(sides: Any) -> Claim:
        return replace(claim, sides=sides)

    yield from _of_function(claim, "sides", None, claim.sides, with_sides)
    for place, assumption in enumerate(claim.assumptions):

        def with_measure(measure: Any, place: int = place) -> Claim:
            return _with_assumption(claim, place, measure=measure)

        def with_holds(holds: Any, place: int = place) -> Claim:
            return _with_assumption(claim, place, holds=holds)

        name = f"assumption '{assumption.name}'"
        if assumption.holds is all:
            yield Rewriting(f"{name}: any for all", Kind.SOME, place, partial(with_holds, any))
        yield from _of_function(claim, name, place, assumption.holds, with_holds)
        yield from _of_function(claim, name, place, assumption.measure, with_measure)


def _with_assumption(claim: Claim, place: int, **changes: Any) -> Claim:
    changed = replace(claim.assumptions[place], **changes)
    return replace(claim, assumptions=(*claim.assumptions[:place], changed, *claim.assumptions[place + 1 :]))


def _of_function(
    claim: Claim, name: str, assumption: int | None, root: Any, put: Callable[[Any], Claim]
) -> Iterator[Rewriting]:
    """Yield the changes of a function of the claim and of all that it comes to."""
    if not isinstance(root, FunctionType):
        return
    for function in reached(root):
        where = "" if function is root else f" in {function.__name__}"
        for edit in edits(function, claim.symbols):

            def make(edit: Edit = edit) -> Claim:
                return put(with_another(root, edit.function, edit.code(), edit.names()))

            yield Rewriting(f"{name}: {edit.said}{where}", edit.kind, assumption, make)
