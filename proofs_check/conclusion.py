"""Whether a proof proves its claim: steps that lead from one side to the other, and sides that are the claim's own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from proofs_check.evaluation import NoValueError, evaluated
from proofs_check.polynomial import is_condition
from theory.claim import Claim, Form, Instance, Verdict
from theory.enclosure import Enclosure
from theory.proof import Proof, Rule, Step


class UntiedError(ValueError):
    """A proof does not prove its claim, in a sentence."""


@dataclass(frozen=True)
class Tie:
    """What came of holding a proof against its claim.

    Attributes:
        why: the reason why the proof is not one of the claim; nothing if it is.
        covered: on how many instances it speaks of the claim, with the sides that the claim has.
        uncovered: how many more have a size that it does not speak of.
    """

    why: str
    covered: int = 0
    uncovered: int = 0


def tie(claim: Claim, proof: Proof, cases: Sequence[tuple[Verdict, Instance]]) -> Tie:
    """Return whether the steps of a proof lead to the claim, and whether its sides are the claim's on instances.

    Args:
        claim: the claim.
        proof: its proof, whose steps are replayed elsewhere.
        cases: instances that the claim holds on, each with its verdict.
    """
    covered = uncovered = 0
    try:
        way = way_of(claim.form, proof)
        for verdict, instance in cases:
            values = _read(claim, instance)
            if values is None:
                uncovered += 1
                continue
            _is_the_claim(proof, way, verdict, _Reading(values, f"on a {instance.origin} instance"))
            covered += 1
    except UntiedError as error:
        return Tie(str(error), covered, uncovered)
    if claim.reads is None:
        return Tie("the claim does not say what its symbols are on an instance", covered, uncovered)
    return Tie("" if covered else "it speaks of no instance that the claim holds on", covered, uncovered)


def _read(claim: Claim, instance: Instance) -> Mapping[str, Any] | None:
    """Return what the symbols of a claim's proof are on an instance, if it says so.

    Raises:
        UntiedError: if it cannot.
    """
    try:
        return None if claim.reads is None else claim.reads(instance)
    except (ValueError, TypeError, ArithmeticError, LookupError) as error:
        raise UntiedError(f"its symbols cannot be read on a {instance.origin} instance: {error}") from error


def way_of(form: Form, proof: Proof) -> list[int]:
    """Return the numbers of the steps between the two sides that a proof comes to.

    Raises:
        UntiedError: if it has no sides, the steps do not lead from one to the other as the form demands, one of them is not
            needed, or none is decided.
    """
    lhs, rhs, steps = proof.lhs, proof.rhs, proof.steps
    if lhs is None or rhs is None:
        raise UntiedError("it does not say what it comes to")
    if lhs == rhs:
        raise UntiedError(f"both sides that it comes to are {lhs}")
    way: set[int] = set()
    if form not in (Form.AT_MOST, Form.IMPLICATION):
        way.update(_path(steps, lhs, rhs))
    if form is not Form.AT_LEAST:
        way.update(_path(steps, rhs, lhs))
    serving = _serving(steps, way)
    spare = sorted(set(range(len(steps))) - serving)
    if spare:
        raise UntiedError(f"step {spare[0]} is not needed for what it comes to")
    if len(way) == 1 and steps[min(way)].rule is Rule.CITED:
        raise UntiedError("the only step from one side to the other is cited")
    if all(steps[number].rule is Rule.CITED for number in serving):
        raise UntiedError("every step of it is cited")
    for number in sorted(serving):
        _assumes_no_more(steps, number, (lhs, rhs))
    return sorted(way)


def _needs(step: Step) -> set[int]:
    return {*step.uses, *(() if step.term is None else (step.term,))}


def _serving(steps: tuple[Step, ...], way: set[int]) -> set[int]:
    """Return the numbers of the steps on the way and of all that serve them.

    Raises:
        UntiedError: if there is no step of a number, or one serves itself.
    """
    served: dict[int, set[int]] = {}
    waiting = list(way)
    while waiting:
        number = waiting.pop()
        if not 0 <= number < len(steps):
            raise UntiedError(f"there is no step {number} to use")
        if number not in served:
            served[number] = _needs(steps[number])
            waiting.extend(served[number])
    left = dict(served)
    while left:
        free = [number for number, needs in left.items() if not needs & left.keys()]
        if not free:
            raise UntiedError(f"step {min(left)} is used to show what it needs itself")
        for number in free:
            del left[number]
    return set(served)


def _differences(relation: sp.Basic) -> set[sp.Expr]:
    """Return what a relation says is not negative: one difference, or for an equation both."""
    if isinstance(relation, (sp.Ge, sp.Gt)):
        return {relation.lhs - relation.rhs}
    if isinstance(relation, (sp.Le, sp.Lt)):
        return {relation.rhs - relation.lhs}
    return {relation.lhs - relation.rhs, relation.rhs - relation.lhs} if isinstance(relation, sp.Eq) else set()


def _assumes_no_more(steps: tuple[Step, ...], number: int, sides: tuple[sp.Basic, sp.Basic]) -> None:
    """Return if no condition of a step says what the step, or the whole proof, is to show, unless a step that it uses does.

    Raises:
        UntiedError: naming the condition.
    """
    step = steps[number]
    goals = ((step.before, step.after), sides, sides[::-1])
    shown = [(steps[used].before, steps[used].after) for used in _needs(step)]
    for condition in (part for whole in step.conditions for part in sp.And.make_args(whole)):
        if any(_says(condition, *goal) for goal in goals) and not any(_says(condition, *pair) for pair in shown):
            raise UntiedError(f"step {number} assumes {condition}, which is what is to be shown")


def _says(condition: sp.Basic, before: sp.Basic, after: sp.Basic) -> bool:
    """Return whether a condition says that before >= after, up to a factor; of two conditions, whether it is the first."""
    if is_condition(before) or is_condition(after):
        return bool(condition == before)
    return any(_positive_multiple(part, before - after) for part in _differences(condition))


@cache
def _positive_multiple(first: sp.Expr, second: sp.Expr) -> bool:
    """Return whether one expression is the other times a number above 0."""
    if 0 in (first, second) or first.free_symbols != second.free_symbols:
        return False
    try:
        ratio = sp.cancel(first / second)
    except sp.PolynomialError:
        return False
    return bool(ratio.is_number and ratio.is_positive)


def both_ways(step: Step, earlier: tuple[Step, ...]) -> bool:
    """Return whether a step says that its two sides are equal, or of two conditions that each implies the other."""
    if step.rule in (Rule.SUM, Rule.SCALED) and step.term is not None and 0 <= step.term < len(earlier):
        return both_ways(earlier[step.term], earlier[: step.term])
    equal = step.rule is Rule.IDENTITY or (step.rule is Rule.INDUCTION and not step.certificate)
    return equal or (step.rule is Rule.CITED and is_condition(step.before))


def _edges(steps: tuple[Step, ...]) -> Iterator[tuple[int, sp.Basic, sp.Basic]]:
    """Yield the number of each step with where it leads from and to: down from the larger side, or either way."""
    for number, step in enumerate(steps):
        yield number, step.before, step.after
        if both_ways(step, steps[:number]):
            yield number, step.after, step.before


def _path(steps: tuple[Step, ...], start: sp.Basic, end: sp.Basic) -> list[int]:
    """Return the numbers of the steps that lead from one expression to another.

    Raises:
        UntiedError: if none do.
    """
    reached: dict[sp.Basic, list[int]] = {start: []}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here == end:
            return reached[here]
        for number, origin, target in _edges(steps):
            if origin == here and target not in reached:
                reached[target] = [*reached[here], number]
                waiting.append(target)
    raise UntiedError(f"no steps lead from {start} to {end}")


@dataclass(frozen=True)
class _Reading:
    """What the symbols of a proof are on an instance, by name, and which instance it is, in words."""

    values: Mapping[str, Any]
    where: str

    def speaks_of(self, step: Step) -> bool:
        """Return whether both sides of a step have a value there: no symbol, and no entry of one, is unknown."""
        try:
            return all(evaluated(side, self.values) for side in (step.before, step.after))
        except NoValueError:
            return False

    def of(self, expression: sp.Basic) -> Enclosure:
        """Return what an expression is there.

        Raises:
            UntiedError: if a symbol has no value, or one that is not what is assumed of it.
        """
        try:
            return evaluated(expression, self.values)
        except NoValueError as error:
            raise UntiedError(f"{error}, {self.where}") from None


def _is_the_claim(proof: Proof, way: Sequence[int], verdict: Verdict, reading: _Reading) -> None:
    """Return if the sides that a proof comes to are the claim's, and its steps on the way are true, and what it cites.

    Raises:
        UntiedError: if a side is not, a step is false, a condition of one fails, or a symbol has no right value.
    """
    for name, expression, side in (("left", proof.lhs, verdict.lhs), ("right", proof.rhs, verdict.rhs)):
        if expression is None or side is None:
            raise UntiedError(f"its {name} side is nothing, {reading.where}")
        found = reading.of(expression)
        if found.lower > side.upper or found.upper < side.lower:
            raise UntiedError(
                f"its {name} side is {float(found.midpoint):.8g} where the claim's is {float(side.midpoint):.8g}, "
                f"{reading.where}"
            )
    for number, step in enumerate(proof.steps):
        equal = both_ways(step, proof.steps[:number])
        if number in way:
            _is_true(step, reading, equal=equal)
            for condition in _conditions_on(step, reading):
                if not reading.of(condition).upper:
                    raise UntiedError(f"its step needs {condition}, which fails {reading.where}")
        elif step.rule is Rule.CITED and reading.speaks_of(step):
            _is_true(step, reading, equal=equal)


def _is_true(step: Step, reading: _Reading, *, equal: bool) -> None:
    """Return if a step is true on an instance, as far as the digits tell.

    Raises:
        UntiedError: if it is not, or a symbol has no right value.
    """
    before, after = reading.of(step.before), reading.of(step.after)
    if before.upper < after.lower or (equal and before.lower > after.upper):
        raise UntiedError(f"the step from {step.before} to {step.after} is false, {reading.where}")


def _conditions_on(step: Step, reading: _Reading) -> Iterator[sp.Basic]:
    """Yield the conditions of a step on an instance; those of a sum for every one of its terms.

    Those of an induction are about terms that the instance does not have.
    """
    if step.rule in (Rule.IDENTITY, Rule.NONNEGATIVE, Rule.POLYNOMIAL):
        yield from step.conditions
    if step.rule is Rule.SUM:
        (whole,) = (part for part in sp.Add.make_args(step.before) if isinstance(part, sp.Sum))
        places: list[dict[sp.Symbol, int]] = [{}]
        for index, first, last in reversed(whole.limits):
            places = [
                {**at, index: place} for at in places for place in _from_to(first.subs(at), last.subs(at), reading)
            ]
        yield from (condition.subs(at) for at in places for condition in step.conditions)


def _from_to(first: sp.Expr, last: sp.Expr, reading: _Reading) -> range:
    return range(int(reading.of(first).lower), int(reading.of(last).lower) + 1)
