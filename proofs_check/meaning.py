"""What a step may be written in: names that mean one thing, and expressions that are real numbers wherever it speaks.

The conventions: an empty sum is 0, a power of exponent 0 is 1, also of the base 0, a sequence has an entry at every integer,
and a function that is only named is smooth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.tensor.indexed import Indexed

from proofs_check.polynomial import nonnegative, nonzero

Conditions = tuple[sp.Basic, ...]
RANGES = (sp.Sum, sp.Product, sp.Integral)
ASSUMPTIONS = ("real", "integer", "positive", "negative", "nonnegative", "nonpositive", "nonzero", "zero")
"""What may be assumed of a symbol: what z3 is told of it as well."""


class MeaninglessError(ValueError):
    """An expression is not a real number for all values that its symbols may take, or a name stands for two things."""


def parts(expression: sp.Basic) -> Iterable[sp.Basic]:
    """Yield the expressions within one, itself first; of an entry of a sequence its indices, not the sequence."""
    yield expression
    inside = expression.indices if isinstance(expression, Indexed) else expression.args
    for part in inside:
        yield from parts(part)


def symbols(*expressions: sp.Basic) -> set[sp.Symbol]:
    """Return the symbols of some expressions, running indices among them, names of sequences not."""
    return {part for expression in expressions for part in parts(expression) if isinstance(part, sp.Symbol)}


def running(*expressions: sp.Basic) -> set[sp.Symbol]:
    """Return the symbols over which the sums, products and integrals of some expressions run."""
    ranges = (part for expression in expressions for part in parts(expression) if isinstance(part, RANGES))
    return {limit[0] for whole in ranges for limit in whole.limits}


def free(*expressions: sp.Basic) -> set[sp.Symbol]:
    """Return the symbols of some expressions that stand for a number of the reader's choice."""
    return symbols(*expressions) & set().union(*(expression.free_symbols for expression in expressions))


def one_thing_a_name(expressions: Iterable[sp.Basic], conditions: Iterable[sp.Basic]) -> None:
    """Return if each name in a step stands for one thing.

    Args:
        expressions: those of the step; a symbol that runs in one of them may be free in none.
        conditions: what else must agree with them in its names.

    Raises:
        MeaninglessError: naming the two.
    """
    expressions = tuple(expressions)
    known: dict[str, sp.Basic] = {}
    for whole in (*expressions, *conditions):
        for part in parts(whole):
            if isinstance(part, sp.Symbol):
                name, thing = part.name, part
            elif isinstance(part, Indexed):
                name, thing = str(part.base), part.base
            elif isinstance(part, AppliedUndef):
                name, thing = str(part.func), part.func
            else:
                continue
            other = known.setdefault(name, thing)
            if other != thing:
                raise MeaninglessError(f"{name} stands for {_kind(other)} and for {_kind(thing)}")
    for symbol in running(*expressions) & free(*expressions):
        raise MeaninglessError(f"{symbol} runs, and is a number of its own beside that")
    for whole in expressions:
        _runs_once(whole, frozenset())


def _kind(thing: sp.Basic) -> str:
    if isinstance(thing, sp.Symbol):
        assumed = [name for name in ASSUMPTIONS if thing.assumptions0.get(name)]
        return f"a number ({', '.join(assumed) or 'complex'})"
    if isinstance(thing, sp.IndexedBase):
        assumed = [name for name in ASSUMPTIONS if thing.assumptions0.get(name)]
        return f"a sequence ({', '.join(assumed) or 'complex'})"
    return "a function"


def _runs_once(expression: sp.Basic, outside: frozenset[sp.Symbol]) -> None:
    if isinstance(expression, RANGES):
        for index in expression.variables:
            if index in outside:
                raise MeaninglessError(f"{index} runs within a range over {index}")
            outside |= {index}
    for part in expression.args:
        _runs_once(part, outside)


def is_meaningful(expression: sp.Basic, conditions: Conditions = ()) -> None:
    """Return if an expression is a real number for all values of its symbols that satisfy the conditions.

    Raises:
        MeaninglessError: naming the part that may not be one, or a function of which nothing is known here.
    """
    if not isinstance(expression, sp.Expr):
        raise MeaninglessError(f"{expression} is no expression")
    _is_number(expression, conditions)


@cache
def _is_number(expression: sp.Expr, conditions: Conditions) -> None:
    """Return as `is_meaningful` does, once: what a step comes to is what the next one begins with.

    Raises:
        MeaninglessError: as there.
    """
    if expression in (sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise MeaninglessError(f"{expression} is not finite")
    if isinstance(expression, (sp.Rational, sp.NumberSymbol)):
        return
    kind = AppliedUndef if isinstance(expression, AppliedUndef) else type(expression)
    if kind not in _CHECKS:
        raise MeaninglessError(f"{expression}, a {kind.__name__}, which the replay does not know")
    _CHECKS[kind](expression, conditions)


def is_about_numbers(condition: sp.Basic) -> None:
    """Return if the symbols, entries and sums of a condition are real numbers, of which no more is assumed than z3 is told.

    Raises:
        MeaninglessError: naming the first that is not.
    """
    if isinstance(condition, (sp.Symbol, Indexed, AppliedUndef, *RANGES)):
        is_meaningful(condition)
        return
    for part in condition.args:
        is_about_numbers(part)


def _anywhere(e: sp.Expr, conditions: Conditions) -> None:
    for argument in e.args:
        is_meaningful(argument, conditions)


def _number(e: sp.Expr, conditions: Conditions) -> None:
    if not e.is_real:
        raise MeaninglessError(f"{e}, which is not known to be real")
    of = e.base if isinstance(e, Indexed) else e
    assumed = {name: True for name in ASSUMPTIONS if e.assumptions0.get(name)}
    plain = sp.Symbol("x", **assumed).assumptions0
    more = [name if value else f"not {name}" for name, value in e.assumptions0.items() if plain.get(name) is not value]
    if more:
        plainest = min(more, key=lambda name: (name.startswith("not "), name))
        raise MeaninglessError(f"{of} is assumed to be {plainest}, which is not weighed here")


def _entry(e: Indexed, conditions: Conditions) -> None:
    _number(e, conditions)
    for index in e.indices:
        _is_integer(index, f"the index {index} of {e}", conditions)


def _value(e: AppliedUndef, conditions: Conditions) -> None:
    _number(e, conditions)
    if e.is_integer:
        raise MeaninglessError(f"{e} is assumed to be integer, and is no smooth function")
    _anywhere(e, conditions)


def _is_integer(e: sp.Expr, what: str, conditions: Conditions) -> None:
    is_meaningful(e, conditions)
    if not e.is_integer:
        raise MeaninglessError(f"{what}, which may be no integer")


def _delta(e: sp.KroneckerDelta, conditions: Conditions) -> None:
    for place in e.args[:2]:
        _is_integer(place, f"{place} in {e}", conditions)
    if len(e.args) > 2:
        raise MeaninglessError(f"{e} is a sum over a range of its own")


def _power(e: sp.Pow, conditions: Conditions) -> None:
    _anywhere(e, conditions)
    if not e.exp.is_integer and not nonnegative(e.base, conditions):
        raise MeaninglessError(f"the root of {e.base}, which may be negative")
    if not nonnegative(e.exp, conditions) and not nonzero(e.base, conditions):
        raise MeaninglessError(f"a division by {e.base}, which may be 0")


def _logarithm(e: sp.log, conditions: Conditions) -> None:
    _anywhere(e, conditions)
    if not (nonnegative(e.args[0], conditions) and nonzero(e.args[0], conditions)):
        raise MeaninglessError(f"the logarithm of {e.args[0]}, which may not be positive")


def _ratio_of_sines(e: sp.Expr, conditions: Conditions) -> None:
    _anywhere(e, conditions)
    below = (sp.cos if isinstance(e, (sp.tan, sp.sec)) else sp.sin)(e.args[0])
    if not nonzero(below, conditions):
        raise MeaninglessError(f"{e}, which has a pole where {below} is 0")


def _factorial(e: sp.Expr, conditions: Conditions) -> None:
    whole, *part = e.args
    for number in e.args:
        _is_integer(number, f"{number} in {e}", conditions)
    for number in (whole - part[0], part[0]) if part else (whole,):
        if not nonnegative(number, conditions):
            raise MeaninglessError(f"{e}, where {number} may be negative")


def _range(e: sp.Expr, conditions: Conditions) -> None:
    body, limits = e.function, list(e.limits)
    while limits:  # the last is the outermost, and those before it may depend on it
        limit = limits.pop()
        if len(limit) != 3:
            raise MeaninglessError(f"{e} does not say from where to where {limit[0]} runs")
        index, first, last = limit
        if type(index) not in (sp.Symbol, sp.Dummy):
            raise MeaninglessError(f"{e} runs over {index}, which is no symbol")
        whole = not isinstance(e, sp.Integral)
        for end in (first, last):
            is_meaningful(end, conditions)
            if whole and not end.is_integer:
                raise MeaninglessError(f"{e}, which ends at {end}, perhaps no integer")
        # What is assumed of the index must hold in its range, so the terms are looked at without it.
        bare = sp.Symbol(index.name, integer=True) if whole else sp.Symbol(index.name, real=True)
        body = body.xreplace({index: bare})
        limits = [other.xreplace({index: bare}) for other in limits]
        conditions = tuple(condition.xreplace({index: bare}) for condition in conditions)
        inside, within = _within(e, bare, first, last, conditions)
        _is_index(index, whole=whole, bare=bare, conditions=(*conditions, *within))
        conditions = (*conditions, *inside)
    is_meaningful(body, conditions)


def _within(
    e: sp.Expr, index: sp.Symbol, first: sp.Expr, last: sp.Expr, conditions: Conditions
) -> tuple[Conditions, Conditions]:
    """Return what is known of an index, and what is known of it except at the ends of an integral, which weigh nothing.

    Raises:
        MeaninglessError: if a sum, or a product, may end before it begins, or has no terms whatever its symbols are.
    """
    if isinstance(e, sp.Integral):
        forth = (sp.Le(first, index), sp.Le(index, last)), (sp.Lt(first, index), sp.Lt(index, last))
        back = (sp.Le(last, index), sp.Le(index, first)), (sp.Lt(last, index), sp.Lt(index, first))
        if nonnegative(last - first, conditions):
            return forth
        return (sp.Or(sp.And(*forth[0]), sp.And(*back[0])),), (sp.Or(sp.And(*forth[1]), sp.And(*back[1])),)
    if (last - first).is_negative and nonnegative(last - first + 1):
        raise MeaninglessError(f"{e} has no terms")
    # sympy takes a product over nothing for 0 where its factor is
    if not nonnegative(last - first + (1 if isinstance(e, sp.Sum) else 0), conditions):
        raise MeaninglessError(f"{e} may end before it begins")
    between = (sp.Le(first, index), sp.Le(index, last))
    return between, between


def _is_index(index: sp.Symbol, *, whole: bool, bare: sp.Symbol, conditions: Conditions) -> None:
    _number(index, conditions)
    if bool(index.is_integer) is not whole:
        raise MeaninglessError(f"{index} runs over {'integers' if whole else 'reals'}, which it is not assumed to be")
    wanted = {
        "positive": nonnegative(bare, conditions) and nonzero(bare, conditions) if index.is_positive else True,
        "negative": nonnegative(-bare, conditions) and nonzero(bare, conditions) if index.is_negative else True,
        "nonnegative": nonnegative(bare, conditions) if index.is_nonnegative else True,
        "nonpositive": nonnegative(-bare, conditions) if index.is_nonpositive else True,
        "nonzero": nonzero(bare, conditions) if index.is_nonzero else True,
    }
    for name, holds in wanted.items():
        if not holds:
            raise MeaninglessError(f"{index} is assumed to be {name}, and may run where it is not")


def _derivative(e: sp.Derivative, conditions: Conditions) -> None:
    is_meaningful(e.expr, conditions)
    for variable, count in e.variable_count:
        if not isinstance(variable, sp.Symbol) or variable.is_integer or not isinstance(count, sp.Integer):
            raise MeaninglessError(f"{e} is no derivative by a real number")
        _is_smooth(e.expr, variable, conditions)


def _is_smooth(e: sp.Expr, variable: sp.Symbol, conditions: Conditions) -> None:
    if variable not in e.free_symbols or e == variable:
        return
    rough = isinstance(e, sp.Pow) and (not e.exp.is_integer or e.exp.has(variable)) and not nonzero(e.base, conditions)
    if rough or not isinstance(
        e, (sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.sin, sp.cos, AppliedUndef, sp.Derivative)
    ):
        raise MeaninglessError(f"the derivative of {e}, which may have none")
    for argument in e.args:
        if isinstance(argument, sp.Expr):
            _is_smooth(argument, variable, conditions)


_CHECKS: dict[type[sp.Basic], Callable[..., None]] = {
    sp.Symbol: _number,
    sp.Dummy: _number,
    Indexed: _entry,
    AppliedUndef: _value,
    **dict.fromkeys((sp.Add, sp.Mul, sp.Abs, sp.Min, sp.Max, sp.exp, sp.sin, sp.cos), _anywhere),
    **dict.fromkeys((sp.tan, sp.sec, sp.cot, sp.csc), _ratio_of_sines),
    sp.KroneckerDelta: _delta,
    sp.Pow: _power,
    sp.log: _logarithm,
    **dict.fromkeys((sp.factorial, sp.binomial), _factorial),
    **dict.fromkeys(RANGES, _range),
    sp.Derivative: _derivative,
}
