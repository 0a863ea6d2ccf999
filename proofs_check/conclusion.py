"""Whether a proof proves its claim: steps that lead from one side to the other, and sides that are the claim's own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from theory.claim import Claim, Form, Instance, Verdict
from theory.enclosure import Enclosure
from theory.proof import Proof, Rule, Step

DIGITS = 60
"""With how many digits an expression is evaluated that is no rational."""

ERROR = Fraction(1, 10**40)
"""What is left of them, relative to 1 + |value|."""


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
        way = [proof.steps[number] for number in way_of(claim.form, proof)]
        for verdict, instance in cases:
            values = None if claim.reads is None else claim.reads(instance)
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
    if form is not Form.AT_MOST:
        way.update(_path(steps, lhs, rhs))
    if form not in (Form.AT_LEAST, Form.IMPLICATION):
        way.update(_path(steps, rhs, lhs))
    serving, waiting = set(way), list(way)
    while waiting:
        step = steps[waiting.pop()]
        for number in {*step.uses, *(() if step.term is None else (step.term,))} - serving:
            if not 0 <= number < len(steps):
                raise UntiedError(f"there is no step {number} to use")
            serving.add(number)
            waiting.append(number)
    spare = sorted(set(range(len(steps))) - serving)
    if spare:
        raise UntiedError(f"step {spare[0]} is not needed for what it comes to")
    if all(steps[number].rule is Rule.CITED for number in serving):
        raise UntiedError("every step of it is cited")
    return sorted(way)


def both_ways(step: Step, earlier: tuple[Step, ...]) -> bool:
    """Return whether a step says that its two sides are equal, or of two conditions that each implies the other."""
    if step.rule in (Rule.SUM, Rule.SCALED) and step.term is not None and 0 <= step.term < len(earlier):
        return both_ways(earlier[step.term], earlier[: step.term])
    equal = step.rule is Rule.IDENTITY or (step.rule is Rule.INDUCTION and not step.certificate)
    return equal or (step.rule in (Rule.CITED, Rule.POLYNOMIAL) and isinstance(step.before, Boolean))


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

    def of(self, expression: sp.Basic) -> Enclosure:
        """Return what an expression is there.

        Raises:
            UntiedError: if a symbol has no value, or one that is not what is assumed of it.
        """
        try:
            return evaluated(expression, self.values)
        except UntiedError as error:
            raise UntiedError(f"{error}, {self.where}") from None


def _is_the_claim(proof: Proof, way: Sequence[Step], verdict: Verdict, reading: _Reading) -> None:
    """Return if the sides that a proof comes to are the claim's, and its steps on the way are true.

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
    for step in way:
        before, after = reading.of(step.before), reading.of(step.after)
        equal = step.rule is Rule.IDENTITY or isinstance(step.before, Boolean)
        if before.upper < after.lower or (equal and before.lower > after.upper):
            raise UntiedError(f"the step from {step.before} to {step.after} is false, {reading.where}")
        for condition in step.conditions if step.rule is Rule.POLYNOMIAL else ():
            if not reading.of(condition).upper:
                raise UntiedError(f"its step needs {condition}, which fails {reading.where}")


def _number(value: Any) -> sp.Expr:
    """Return a number as sympy's, exactly: floats count as the rationals they are."""
    if isinstance(value, sp.Expr):
        return value
    exact = Fraction(value)
    return sp.Rational(exact.numerator, exact.denominator)


def _assumed(symbol: sp.Basic, value: sp.Expr) -> sp.Expr:
    """Return a value of a symbol.

    Raises:
        UntiedError: if it is not what is assumed of the symbol.
    """
    wrong = [
        name for name, assumed in symbol.assumptions0.items() if getattr(value, f"is_{name}", None) is (not assumed)
    ]
    if wrong:
        plainest = min(wrong, key=lambda name: (not symbol.assumptions0[name], name.startswith("extended"), name))
        raise UntiedError(f"{symbol} is assumed to be {plainest}, and is {value}")
    return value


def _written_out(expression: sp.Basic) -> sp.Basic:
    """Return an expression with its sums and products as their terms; sympy's own `doit` first looks for closed forms."""
    if not expression.has(sp.Sum, sp.Product):
        return expression
    if not isinstance(expression, (sp.Sum, sp.Product)):
        return expression.func(*(_written_out(part) for part in expression.args))
    *inner, (index, first, last) = expression.limits
    if not (isinstance(first, sp.Integer) and isinstance(last, sp.Integer) and last >= first - 1):
        return expression.doit()
    body = expression.func(expression.function, *inner) if inner else expression.function
    terms = [_written_out(body.subs(index, place)) for place in range(int(first), int(last) + 1)]
    return (sp.Add if isinstance(expression, sp.Sum) else sp.Mul)(*terms)


def evaluated(expression: sp.Basic, values: Mapping[str, Any]) -> Enclosure:
    """Return an expression with numbers for its symbols: a rational exactly, else to `DIGITS` digits, conditions as 0 or 1.

    Args:
        expression: the expression; its sums and products have as many terms as the values say.
        values: by name, a number for each symbol, and for an indexed one its entries, the first at index 1, [m] or [m, m].

    Raises:
        UntiedError: if a symbol has no value, one that is not what is assumed of it, or an indexed one no such entry.
    """
    bases = expression.atoms(sp.IndexedBase)
    indexed = {base.label: base for base in bases}
    plain = expression.free_symbols - set(indexed) - bases - expression.atoms(sp.Indexed)
    names = [symbol.name for symbol in (*plain, *indexed)]
    for name in sorted(names):
        if names.count(name) > 1:
            raise UntiedError(f"two symbols of {expression} are called {name}")
        if name not in values:
            raise UntiedError(f"{name} in {expression} has no value")
    entries = {base: np.asarray(values[label.name], dtype=object) for label, base in indexed.items()}

    def entry(one: sp.Basic) -> sp.Expr:
        base, *indices = one.args
        place = tuple(int(index) - 1 for index in indices)
        if len(place) != entries[base].ndim or any(
            not 0 <= at < most for at, most in zip(place, entries[base].shape, strict=True)
        ):
            raise UntiedError(f"{base.label} has no entry {one}")
        return _assumed(base, _number(entries[base][place]))

    whole = _written_out(expression.subs({symbol: _assumed(symbol, _number(values[symbol.name])) for symbol in plain}))
    whole = whole.replace(lambda part: isinstance(part, sp.Indexed), entry).doit()
    if whole in (sp.true, sp.false):
        return Enclosure.exactly(bool(whole))
    if isinstance(whole, sp.Rational):
        return Enclosure.exactly(Fraction(int(whole.p), int(whole.q)))
    near = sp.Rational(sp.N(whole, DIGITS))
    value = Fraction(int(near.p), int(near.q))
    return Enclosure.exactly(value).widened(ERROR * (1 + abs(value)))
