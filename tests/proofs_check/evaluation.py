"""What a step says at a point, in fractions and floats: an evaluator of its own, that shares nothing with the replay."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.tensor.indexed import Indexed

from theory.proof import Rule, Step

CLOSE = 1e-7
"""Relative difference of two floats that are one number."""

RELATIONS: dict[type[sp.Basic], Callable[[Any, Any], bool]] = {
    sp.Eq: operator.eq,
    sp.Ne: operator.ne,
    sp.Ge: operator.ge,
    sp.Gt: operator.gt,
    sp.Le: operator.le,
    sp.Lt: operator.lt,
}


class UndefinedError(ArithmeticError):
    """An expression has no real value at a point."""


@dataclass(frozen=True)
class Case:
    """A step, and why no proof may hold it.

    Attributes:
        step: it.
        earlier: the steps before it.
        at: values of symbols, entries of sequences and functions, where it fails; none if nothing meets its conditions.
    """

    step: Step
    earlier: tuple[Step, ...] = ()
    at: Mapping[Any, Any] | None = field(default=None)


class Values(dict[Any, Any]):
    """Values, drawn for what has none yet as is assumed of it."""

    def __init__(self, given: Mapping[Any, Any], random: Random) -> None:
        super().__init__({e: _python(value) for e, value in given.items()})
        self._random = random

    def __missing__(self, e: Any) -> Any:
        if isinstance(e, type):  # a function
            self[e] = lambda *arguments: sum(arguments) ** 2 - 1
            return self[e]
        for _ in range(1000):
            whole = self._random.random() < (1 if e.is_integer else 0.3)
            number = sp.Rational(self._random.randint(-12, 40), 1 if whole else self._random.randint(1, 9))
            if meets_assumptions(e, number):
                self[e] = _python(number)
                return self[e]
        raise UndefinedError(f"nothing is drawn for {e}")


def meets_assumptions(e: sp.Expr, number: sp.Number) -> bool:
    """Return whether a number is what is assumed of a symbol or an entry."""
    return all(getattr(number, f"is_{name}") is value for name, value in e.assumptions0.items())


def _python(value: Any) -> Any:
    if isinstance(value, sp.Rational):
        return Fraction(int(value.p), int(value.q))
    return Fraction(value) if isinstance(value, int) else value


def real(value: Any) -> Any:
    """Return a value that is a real number.

    Raises:
        UndefinedError: if it is none.
    """
    if isinstance(value, complex):
        if abs(value.imag) > CLOSE:
            raise UndefinedError(f"{value} is not real")
        value = value.real
    if isinstance(value, float) and not math.isfinite(value):
        raise UndefinedError(f"{value} is no number")
    return value


def value(e: sp.Basic, at: Values) -> Any:
    """Return the value of an expression at a point.

    Raises:
        UndefinedError: if it has none.
    """
    if isinstance(e, sp.Symbol):
        return at[e]
    if isinstance(e, sp.Rational):
        return _python(e)
    if isinstance(e, (sp.Float, sp.NumberSymbol)):
        return Fraction(float(e)) if isinstance(e, sp.Float) else float(e)
    if isinstance(e, Indexed):
        return at[e.base[tuple(_integer(index, at) for index in e.indices)]]
    if isinstance(e, AppliedUndef):
        return at[e.func](*(value(argument, at) for argument in e.args))
    if isinstance(e, (sp.Sum, sp.Product)):
        return _in_all(e, at)
    if isinstance(e, sp.Integral):
        return _integral(e, at)
    if isinstance(e, sp.Derivative):
        return _derivative(e, at)
    if isinstance(e, sp.Piecewise):
        return _piecewise(e, at)
    if type(e) not in FUNCTIONS:
        raise NotImplementedError(f"{e}, a {type(e).__name__}")
    return FUNCTIONS[type(e)](*(value(argument, at) for argument in e.args))


def holds(condition: sp.Basic, at: Values) -> bool:
    """Return whether a condition holds at a point."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, (sp.And, sp.Or)):
        parts = [holds(part, at) for part in condition.args]
        return all(parts) if isinstance(condition, sp.And) else any(parts)
    return RELATIONS[type(condition)](real(value(condition.lhs, at)), real(value(condition.rhs, at)))


def _integer(e: sp.Expr, at: Values) -> sp.Integer:
    number = value(e, at)
    if number != int(number):
        raise UndefinedError(f"{number} is no place in a sequence")
    return sp.Integer(int(number))


def _in_all(e: sp.Expr, at: Values) -> Any:
    """Return a sum or a product; backwards it is what its missing terms would make up for, as sympy has it."""
    *inner, (index, first, last) = e.limits
    body = e.func(e.function, *inner) if inner else e.function
    begin, end, joined = (
        _integer(first, at),
        _integer(last, at),
        operator.add if isinstance(e, sp.Sum) else operator.mul,
    )
    backwards = end < begin - 1
    places = range(end + 1, begin) if backwards else range(begin, end + 1)
    terms = [value(body.subs(index, place), at) for place in places]
    whole = functools.reduce(joined, terms, Fraction(0 if isinstance(e, sp.Sum) else 1))
    if backwards:
        return -whole if isinstance(e, sp.Sum) else 1 / whole
    return whole


def _drawn(e: sp.Expr, at: Values, *, but: sp.Symbol) -> Values:
    """Return values for all symbols of an expression but one, so that they stay while that one moves."""
    for symbol in e.free_symbols - {but}:
        if isinstance(symbol, sp.Symbol):
            at[symbol]
    return at


def _integral(e: sp.Integral, at: Values, cells: int = 60) -> Any:
    *inner, (variable, first, last) = e.limits
    body = e.func(e.function, *inner) if inner else e.function
    at = _drawn(body, at, but=variable)
    begin, end = real(value(first, at)), real(value(last, at))
    step = (end - begin) / cells
    places = [begin + step * number for number in range(cells + 1)]
    weights = [1, *([4, 2] * (cells // 2))[:-1], 1]
    inside = [value(body, Values({**at, variable: place}, at._random)) for place in places]
    return sum(weight * here for weight, here in zip(weights, inside, strict=True)) * step / 3


def _derivative(e: sp.Derivative, at: Values) -> Any:
    ((variable, _),) = e.variable_count
    here, small = _drawn(e.expr, at, but=variable)[variable], Fraction(1, 10**5)

    def slope(step: Fraction) -> Any:
        there = (value(e.expr, Values({**at, variable: here + side}, at._random)) for side in (0, step))
        start, end = (real(number) for number in there)
        return float((end - start) / step)

    slopes = [slope(step) for step in (small, -small, small / 100)]
    if max(slopes) - min(slopes) > 1e-2:
        raise UndefinedError(f"{e} does not exist")
    return sum(slopes[:2]) / 2


def _piecewise(e: sp.Piecewise, at: Values) -> Any:
    for branch, condition in e.args:
        if holds(condition, at):
            return value(branch, at)
    raise UndefinedError(f"{e} has no branch")


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        if base == 0 and exponent < 0:
            raise UndefinedError("a division by 0")
        return base ** int(exponent)
    base, exponent = real(base), real(exponent)
    if base < 0 or (base == 0 and exponent < 0):
        raise UndefinedError("the root of a negative number, or a division by 0")
    return float(base) ** float(exponent)


def _logarithm(of: Any) -> float:
    if real(of) <= 0:
        raise UndefinedError("the logarithm of what is not positive")
    return math.log(of)


def _ratio(above: Callable[[float], float], below: Callable[[float], float]) -> Callable[[Any], float]:
    def ratio(of: Any) -> float:
        if abs(below(of)) < CLOSE:
            raise UndefinedError("a pole of a trigonometric function")
        return above(of) / below(of)

    return ratio


def _gamma(of: Any) -> float:
    if of <= 0 and of == int(of):
        raise UndefinedError("a pole of gamma")
    return math.gamma(of)


def _factorial(of: Any) -> Fraction:
    if of < 0 or of != int(of):
        raise UndefinedError("a factorial of what is no natural number")
    return Fraction(math.factorial(int(of)))


FUNCTIONS: dict[type[sp.Basic], Callable[..., Any]] = {
    sp.Add: lambda *parts: functools.reduce(operator.add, parts),
    sp.Mul: lambda *parts: functools.reduce(operator.mul, parts),
    sp.Pow: _power,
    sp.Abs: abs,
    sp.Max: max,
    sp.Min: min,
    sp.sign: lambda of: Fraction((of > 0) - (of < 0)),
    sp.floor: lambda of: Fraction(math.floor(of)),
    sp.ceiling: lambda of: Fraction(math.ceil(of)),
    sp.exp: math.exp,
    sp.log: _logarithm,
    sp.sin: math.sin,
    sp.cos: math.cos,
    sp.tan: _ratio(math.sin, math.cos),
    sp.cot: _ratio(math.cos, math.sin),
    sp.sec: _ratio(lambda _: 1.0, math.cos),
    sp.csc: _ratio(lambda _: 1.0, math.sin),
    sp.gamma: _gamma,
    sp.factorial: _factorial,
    sp.binomial: lambda whole, part: Fraction(math.comb(int(whole), int(part)) if part >= 0 else 0),
}


def _equality(step: Step, earlier: tuple[Step, ...]) -> bool:
    if step.rule in (Rule.SUM, Rule.SCALED) and step.term is not None:
        return _equality(earlier[step.term], earlier)
    return step.rule is Rule.IDENTITY or (step.rule is Rule.INDUCTION and not step.certificate)


def _every(step: Step, at: Values) -> Iterator[sp.Basic]:
    """Yield the conditions of a step, for each of the terms, or of the first integers of an induction."""
    for condition in step.conditions:
        if step.rule is Rule.SUM:
            ((index, first, last),) = step.before.atoms(sp.Sum).pop().limits
            places = range(_integer(first, at), _integer(last, at) + 1)
        elif step.rule is Rule.INDUCTION:
            index, places = step.variable, range(step.base, step.base + 40)
        else:
            index, places = None, range(1)
        yield from (condition.xreplace({index: sp.Integer(place)}) if index else condition for place in places)


def fault(case: Case) -> str:
    """Return what is wrong with a step: false or undefined where it says to fail, or void; nothing if it is right."""
    step, random = case.step, Random(7)
    if case.at is None:
        tried = (Values({}, random) for _ in range(60))
        met = any(all(holds(condition, at) for condition in _every(step, at)) for at in tried)
        return "" if met else "void"
    at = Values(case.at, random)
    for e, number in case.at.items():
        if isinstance(number, (int, sp.Rational)):
            assert meets_assumptions(e, sp.Rational(number)), f"{e} is not {number}"
    try:
        if not all(holds(condition, at) for condition in step.conditions if step.rule is not Rule.SUM):
            return ""
        before, after = (
            Fraction(holds(side, at))
            if isinstance(side, sp.logic.boolalg.Boolean) and not isinstance(side, sp.Expr)
            else value(side, at)
            for side in (step.before, step.after)
        )
        if isinstance(before, sp.MatrixBase):
            return "" if before == after else "false"
        before, after = real(before), real(after)
    except UndefinedError:
        return "undefined"
    exact = isinstance(before, Fraction) and isinstance(after, Fraction)
    near = before == after if exact else math.isclose(before, after, rel_tol=CLOSE, abs_tol=CLOSE)
    right = near or (before > after and not _equality(step, case.earlier))
    return "" if right else "false"
