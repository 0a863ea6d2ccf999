"""Points at which an expression is evaluated: one where it is not 0 refutes that it vanishes, long before sympy has tried."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.tensor.indexed import Indexed

from proofs_check.meaning import free, parts
from proofs_check.terms import NotWrittenOutError, written_out

POINTS = 8
"""How many points are tried; every other one is made of 0, 1 and -1, where conventions differ if they do."""

DIGITS = 30
"""Digits to which a value with roots in it is known."""


class NoValueError(ValueError):
    """An expression is not evaluated: it has a pole there, or holds what has no value at a point."""


def refutation(expression: sp.Expr, conditions: tuple[sp.Basic, ...] = ()) -> str:
    """Return the value of an expression that is not 0 at some point, and the point; nothing if there is none among those tried.

    Only points that satisfy the conditions are tried.
    """
    for number in range(POINTS):
        point = Point(number)
        try:
            if all(point.holds(condition) for condition in conditions):
                value = point.value(expression)
                if abs(value) > sp.Float(10) ** (6 - DIGITS):
                    shown = value if value.is_Rational else value.round(6)
                    return f"{shown} at {point}" if str(point) else str(shown)
        except (NoValueError, NotWrittenOutError):
            continue
    return ""


class Point:
    """A rational for every symbol and every entry of a sequence, drawn when first asked for, as is assumed of them."""

    def __init__(self, number: int) -> None:
        self._random = Random(f"point {number}")
        self._simple = bool(number % 2)
        self._drawn: dict[sp.Expr, sp.Rational] = {}

    def __str__(self) -> str:
        return ", ".join(sorted(f"{e} = {value}" for e, value in self._drawn.items()))

    def holds(self, condition: sp.Basic) -> bool:
        """Return whether a condition is known to hold here."""
        return bool(self._written_out(condition) == sp.true)

    def value(self, expression: sp.Expr) -> sp.Number:
        """Return the value of an expression, exact if it is rational.

        Raises:
            NoValueError: if it has none.
        """
        value = self._written_out(expression)
        if value.has(sp.Integral):
            value = value.doit()
        if not isinstance(value, sp.Rational):
            value = value.evalf(DIGITS)
        if not isinstance(value, (sp.Rational, sp.Float)):
            raise NoValueError(f"{expression} has no value at {self}")
        return value

    def _written_out(self, expression: sp.Basic) -> sp.Basic:
        """Return an expression with numbers for its symbols and entries, its derivatives taken and its sums written out.

        Raises:
            NoValueError: if a sum in it is too long, or a function only named.
        """
        if expression.has(AppliedUndef):
            raise NoValueError(f"{expression} holds functions that are not known")
        smooth = expression.replace(lambda e: isinstance(e, sp.Derivative), lambda e: e.doit())
        written = written_out(self._chosen(smooth, free(smooth)))
        entries = {part for part in parts(written) if isinstance(part, Indexed)}
        return self._chosen(written, entries)

    def _chosen(self, e: sp.Basic, unknown: set[sp.Expr]) -> sp.Basic:
        return e.xreplace({one: self._draw(one) for one in sorted(unknown, key=str)})

    def _draw(self, e: sp.Expr) -> sp.Rational:
        if e not in self._drawn:
            value = next((value for value in self._values(bool(e.is_integer)) if _fits(value, e)), None)
            if value is None:
                raise NoValueError(f"{e} fits none of the values that are tried")
            self._drawn[e] = value
        return self._drawn[e]

    def _values(self, integer: bool) -> Iterator[sp.Rational]:
        for _ in range(1000):
            if self._simple:
                yield sp.Integer(self._random.choice((0, 0, 1, 1, -1, 2, -2)))
            elif integer:
                yield sp.Integer(self._random.randint(-3, 5))
            else:
                yield sp.Rational(self._random.randint(-60, 60), self._random.randint(1, 12))


def _fits(value: sp.Rational, e: sp.Expr) -> bool:
    return all(getattr(value, f"is_{name}") is wanted for name, wanted in e.assumptions0.items() if wanted)
