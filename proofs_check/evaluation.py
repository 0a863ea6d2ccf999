"""Expressions of proofs with numbers for their symbols: exact while all is rational, else in Arb balls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, reduce
from math import prod
from typing import Any

import flint
import numpy as np
import sympy as sp

from proofs_check.exact import enclosure
from proofs_check.oracles import Ball
from proofs_check.polynomial import RELATIONS, is_condition
from theory.enclosure import Enclosure, square_root

BITS = 256
"""The precision of what is no rational."""


class NoValueError(ValueError):
    """An expression has no value: what is wrong, in a sentence."""


@cache
def symbols_of(expression: sp.Basic) -> tuple[sp.Symbol, ...]:
    """Return the symbols that need a value: the plain ones, and the labels of the indexed ones."""
    bases = expression.atoms(sp.IndexedBase)
    labels = {base.label for base in bases}
    return (*(expression.free_symbols - labels - bases - expression.atoms(sp.Indexed)), *labels)


def evaluated(expression: sp.Basic, values: Mapping[str, Any]) -> Enclosure:
    """Return an expression with numbers for its symbols, exactly if all is rational; conditions as 0 or 1, or both.

    Args:
        expression: the expression; its sums and products have as many terms as the values say.
        values: by name, a number for each symbol, and for an indexed one its entries, the first at index 1, [m] or [m, m].
            A number is a rational, a float, which counts as the rational it is, or a sympy expression without symbols.

    Raises:
        NoValueError: if a symbol has no value, or one that is not what is assumed of it, an indexed one no such entry, or
            the expression none.
    """
    names = [symbol.name for symbol in symbols_of(expression)]
    for name in sorted(names):
        if names.count(name) > 1:
            raise NoValueError(f"two symbols of {expression} are called {name}")
        if name not in values:
            raise NoValueError(f"{name} in {expression} has no value")
    with flint.ctx.workprec(BITS):
        try:
            return _Values(values).side(expression)
        except NoValueError:
            raise
        except _FAILURES as error:
            why = f"{expression} has no value: {error}"
    raise NoValueError(why)


_FAILURES = (TypeError, ValueError, ArithmeticError, AttributeError)


def _ball(value: Fraction | Ball) -> Ball:
    return flint.arb(flint.fmpq(value.numerator, value.denominator)) if isinstance(value, Fraction) else value


def _ends(value: Fraction | Ball) -> Enclosure:
    """Return the ends of a number.

    Raises:
        NoValueError: if they are not finite.
    """
    if isinstance(value, Fraction):
        return Enclosure.exactly(value)
    if not value.is_finite():
        raise NoValueError("it is not finite")
    return enclosure(value)


def _joined(exact: Callable[[Any, Any], Any], values: list[Fraction | Ball]) -> Fraction | Ball:
    """Return an operation on rationals, or on balls if one of them is none."""
    if all(isinstance(value, Fraction) for value in values):
        return reduce(exact, values)
    return reduce(exact, map(_ball, values))


def _root(value: Fraction | Ball) -> Fraction | Ball:
    """Return the square root, exact of rational squares; what may be 0 or negative by its error counts from 0.

    Raises:
        NoValueError: if the number is negative.
    """
    ends = _ends(value)
    if ends.upper < 0:
        raise NoValueError(f"the root of {float(ends.midpoint):.6g}")
    if isinstance(value, Fraction):
        root = square_root(value, bits=BITS)
        return Fraction(root.lower) if root.lower == root.upper else _between(root)
    return _between(Enclosure(square_root(max(Fraction(0), Fraction(ends.lower)), bits=BITS).lower, _root_above(ends)))


def _root_above(ends: Enclosure) -> Fraction:
    return Fraction(square_root(Fraction(ends.upper), bits=BITS).upper)


def _between(ends: Enclosure) -> Ball:
    """Return a ball that contains an interval."""
    middle, radius = (
        (Fraction(ends.upper) + Fraction(ends.lower)) / 2,
        (Fraction(ends.upper) - Fraction(ends.lower)) / 2,
    )
    above = _ball(radius)
    return _ball(middle) + flint.arb(0, above.mid() + above.rad())


class _Values:
    """Numbers for symbols by name, and for the indices of the sums that are being added up."""

    def __init__(self, values: Mapping[str, Any], places: Mapping[sp.Symbol, int] | None = None) -> None:
        self._values = values
        self._places = dict(places or {})

    def side(self, expression: sp.Basic) -> Enclosure:
        """Return an expression, or the truth of a condition."""
        return self.truth(expression) if is_condition(expression) else _ends(self.number(expression))

    def truth(self, condition: sp.Basic) -> Enclosure:
        """Return whether a condition holds: 0, 1, or both where the digits do not tell.

        Raises:
            NoValueError: if it is none.
        """
        if condition in (sp.true, sp.false):
            return Enclosure.exactly(bool(condition))
        if isinstance(condition, sp.Not):
            inside = self.truth(condition.args[0])
            return Enclosure(1 - inside.upper, 1 - inside.lower)
        if isinstance(condition, (sp.And, sp.Or)):
            parts = [self.truth(part) for part in condition.args]
            pick = min if isinstance(condition, sp.And) else max
            return Enclosure(pick(part.lower for part in parts), pick(part.upper for part in parts))
        if not isinstance(condition, RELATIONS):
            raise NoValueError(f"{condition} is no condition on numbers")
        first, second = (_ends(self.number(side)) for side in (condition.lhs, condition.rhs))
        if isinstance(condition, (sp.Le, sp.Lt)):
            first, second = second, first
        if isinstance(condition, (sp.Eq, sp.Ne)):
            may = first.lower <= second.upper and second.lower <= first.upper
            must = first.lower == first.upper == second.lower == second.upper
            holds = (must, may) if isinstance(condition, sp.Eq) else (not may, not must)
        elif isinstance(condition, (sp.Ge, sp.Le)):
            holds = (first.lower >= second.upper, first.upper >= second.lower)
        else:
            holds = (first.lower > second.upper, first.upper > second.lower)
        return Enclosure(Fraction(int(holds[0])), Fraction(int(holds[1])))

    def number(self, e: sp.Basic) -> Fraction | Ball:
        """Return the value of an expression of numbers.

        Raises:
            NoValueError: if it has none.
        """
        if isinstance(e, sp.Rational):
            return Fraction(int(e.p), int(e.q))
        if isinstance(e, sp.Symbol):
            return Fraction(self._places[e]) if e in self._places else self._assumed(e, self._values[e.name])
        if isinstance(e, sp.Indexed):
            return self._entry(e)
        if isinstance(e, (sp.Sum, sp.Product)):
            return self._many(e)
        if isinstance(e, sp.KroneckerDelta):
            first, second = map(self.number, e.args)
            return Fraction(int(first == second))
        if isinstance(e, (sp.Add, sp.Mul)):
            return _joined((lambda a, b: a + b) if isinstance(e, sp.Add) else (lambda a, b: a * b), self._parts(e))
        if isinstance(e, sp.Pow):
            return self._power(*self._parts(e))
        if isinstance(e, sp.Abs):
            return abs(self._parts(e)[0])
        if isinstance(e, (sp.Max, sp.Min)):
            return self._extreme(e)
        if isinstance(e, (sp.log, sp.exp)):
            argument = _ball(self._parts(e)[0])
            return argument.log() if isinstance(e, sp.log) else argument.exp()
        return self._by_sympy(e)

    def _parts(self, e: sp.Basic) -> list[Fraction | Ball]:
        return [self.number(part) for part in e.args]

    def _extreme(self, e: sp.Basic) -> Fraction | Ball:
        parts = self._parts(e)
        pick: Callable[..., Any] = max if isinstance(e, sp.Max) else min
        if all(isinstance(part, Fraction) for part in parts):
            return Fraction(pick(parts))
        ends = [_ends(part) for part in parts]
        return _between(Enclosure(pick(end.lower for end in ends), pick(end.upper for end in ends)))

    def _power(self, base: Fraction | Ball, exponent: Fraction | Ball) -> Fraction | Ball:
        if not isinstance(exponent, Fraction):
            return _ball(base) ** exponent
        if exponent.denominator == 2:
            return self._power(_root(base), Fraction(exponent.numerator))
        if exponent.denominator == 1:
            whole = abs(exponent.numerator)
            # Arb's own power of a ball around 0 is no number.
            power = base**whole if isinstance(base, Fraction) else prod([base] * whole, start=_ball(Fraction(1)))
            return power if exponent >= 0 else _joined(lambda a, b: a / b, [Fraction(1), power])
        return _ball(base) ** _ball(exponent)

    def _entry(self, one: sp.Basic) -> Fraction | Ball:
        base, *indices = one.args
        entries = np.asarray(self._values[base.label.name], dtype=object)
        at = [self.number(index) for index in indices]
        places = tuple(int(place) - 1 for place in at)
        inside = len(places) == entries.ndim and all(
            place + 1 == given and 0 <= place < most
            for place, given, most in zip(places, at, entries.shape, strict=True)
        )
        if not inside:
            raise NoValueError(f"{base.label} has no entry {', '.join(map(str, at))}")
        return self._assumed(base, entries[places])

    def _many(self, e: sp.Basic) -> Fraction | Ball:
        """Return a sum or a product, term by term; of no terms it is 0 or 1.

        Raises:
            NoValueError: if it does not run to an integer.
        """
        (index, first, last), *others = reversed(e.limits)
        ends = [self.number(end) for end in (first, last)]
        if any(not isinstance(end, Fraction) or end.denominator != 1 for end in ends):
            raise NoValueError(f"{e} runs to no integer")
        inner = e.func(e.function, *reversed(others)) if others else e.function
        terms = [
            _Values(self._values, {**self._places, index: place}).number(inner)
            for place in range(int(ends[0]), int(ends[1]) + 1)
        ]
        start = Fraction(0) if isinstance(e, sp.Sum) else Fraction(1)
        return _joined((lambda a, b: a + b) if isinstance(e, sp.Sum) else (lambda a, b: a * b), [start, *terms])

    def _by_sympy(self, e: sp.Basic) -> Fraction | Ball:
        """Return what sympy makes of an expression that is none of the above, with half of its digits.

        Raises:
            NoValueError: if it makes no number of it.
        """
        entries = e.xreplace({entry: self._exact(entry) for entry in e.atoms(sp.Indexed)})
        known = {symbol: self._exact(symbol) for symbol in entries.free_symbols}
        near = sp.N(entries.subs(known).doit(), BITS // 3)
        if not near.is_Float and not near.is_Rational:
            raise NoValueError(f"{e} is no real number")
        rational = sp.Rational(near)
        value = Fraction(int(rational.p), int(rational.q))
        if near.is_Rational:
            return value
        return _between(Enclosure.exactly(value).widened((1 + abs(value)) / Fraction(10) ** (BITS // 6)))

    def _exact(self, symbol: sp.Expr) -> sp.Expr:
        value = self.number(symbol)
        if not isinstance(value, Fraction):
            raise NoValueError(f"{symbol} is {value}, which is no rational")
        return sp.Rational(value.numerator, value.denominator)

    def _assumed(self, symbol: sp.Basic, given: Any) -> Fraction | Ball:
        """Return a value of a symbol.

        Raises:
            NoValueError: if it is not what is assumed of the symbol.
        """
        value = given if isinstance(given, sp.Expr) else sp.Rational(*Fraction(given).as_integer_ratio())
        assumed = symbol.assumptions0
        wrong = [name for name, so in assumed.items() if getattr(value, f"is_{name}", None) is (not so)]
        if wrong:
            plainest = min(wrong, key=lambda name: (not assumed[name], name.startswith("extended"), name))
            raise NoValueError(f"{symbol} is assumed to be {plainest}, and is {value}")
        if value.free_symbols:
            raise NoValueError(f"{symbol} is {value}, which is no number")
        return self.number(value)
