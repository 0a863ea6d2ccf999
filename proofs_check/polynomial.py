"""Polynomial inequalities over all reals, decided by z3: what a step claims, and what makes its expressions meaningful."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp
import z3
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import BooleanFalse, BooleanTrue
from sympy.tensor.indexed import Indexed

EFFORT = 1_000_000
"""z3's own measure of work, after which an answer is given up; unlike seconds it is the same on every machine."""

LIMIT_MS = 600_000
"""Milliseconds after which z3 is taken to hang: a busy machine takes less for its effort."""

RELATIONS = (sp.Ge, sp.Gt, sp.Le, sp.Lt, sp.Eq, sp.Ne)


class UndecidedError(ValueError):
    """z3 cannot decide a question, or is asked one that is not about real polynomials."""


class Reals:
    """Sympy expressions as z3 terms over the reals, with what is known of their parts.

    Sums over a symbolic number of terms, indexed symbols, values of undefined functions and powers with symbolic
    exponents stand for any real of the sign that sympy knows them to have. A quotient or a root is known to be one only
    if its denominator does not vanish, or its argument is not negative: both are shown before it is used.

    Attributes:
        known: z3 formulas that hold of the terms.
    """

    def __init__(self) -> None:
        self.known: list[Any] = []
        self._terms: dict[sp.Expr, Any] = {}

    def assume(self, condition: sp.Basic) -> None:
        """Add a relation, or a combination of relations, to what is known.

        Raises:
            UndecidedError: if it is none, or one of its expressions has no meaning under what is known before it.
        """
        self.known.append(self.formula(condition))

    def formula(self, condition: sp.Basic) -> Any:
        """Return a relation, or a combination of relations by and, or and not, as a z3 formula.

        Raises:
            UndecidedError: if it is none of these.
        """
        if isinstance(condition, (BooleanTrue, BooleanFalse)):
            return z3.BoolVal(bool(condition))
        if isinstance(condition, RELATIONS):
            left, right = self.term(condition.lhs), self.term(condition.rhs)
            made: dict[type[Any], Any] = {sp.Ge: left >= right, sp.Gt: left > right, sp.Le: left <= right}
            made |= {sp.Lt: left < right, sp.Eq: left == right, sp.Ne: left != right}
            return made[type(condition)]
        if isinstance(condition, (sp.And, sp.Or)):
            joined = z3.And if isinstance(condition, sp.And) else z3.Or
            return joined(*(self.formula(part) for part in condition.args))
        if isinstance(condition, sp.Not):
            return z3.Not(self.formula(condition.args[0]))
        raise UndecidedError(f"{condition} is no relation between real numbers")

    def term(self, expression: sp.Expr) -> Any:
        """Return a real expression as a z3 term.

        Raises:
            UndecidedError: if it is not real, or has no meaning: a denominator that may vanish, the root of what may be
                negative.
        """
        if expression not in self._terms:
            self._terms[expression] = self._made(expression)
        return self._terms[expression]

    def _made(self, e: sp.Expr) -> Any:
        if isinstance(e, sp.Rational):
            return z3.RealVal(f"{e.p}/{e.q}")
        if isinstance(e, (sp.Add, sp.Mul)):
            parts = [self.term(part) for part in e.args]
            whole = parts[0]
            for part in parts[1:]:
                whole = whole + part if isinstance(e, sp.Add) else whole * part
            return whole
        if isinstance(e, sp.Abs):
            inside = self.term(e.args[0])
            return z3.If(inside >= 0, inside, -inside)
        if isinstance(e, (sp.Min, sp.Max)):
            parts = [self.term(part) for part in e.args]
            best = parts[0]
            for part in parts[1:]:
                best = z3.If(best <= part if isinstance(e, sp.Min) else best >= part, best, part)
            return best
        if isinstance(e, sp.Pow) and isinstance(e.exp, sp.Rational):
            return self._power(e.base, e.exp)
        return self._any(e)

    def _power(self, base: sp.Expr, exponent: sp.Rational) -> Any:
        below = self.term(base)
        if exponent.q == 2:
            self.require(below >= 0, f"the root of {base}, which may be negative")
            root = z3.FreshReal()
            self.known += [root >= 0, root * root == below]
            below = root
        elif exponent.q != 1:
            raise UndecidedError(f"{base**exponent} is neither an integer power nor a square root")
        value = z3.RealVal(1)
        for _ in range(abs(int(exponent.p))):
            value = value * below
        if exponent.p > 0:
            return value
        self.require(below != 0, f"a division by {base}, which may be 0")
        inverse = z3.FreshReal()
        self.known.append(inverse * value == 1)
        return inverse

    def _any(self, e: sp.Expr) -> Any:
        """Return a fresh term for what only its sign is known of.

        Raises:
            UndecidedError: if it is not known to be real, or no polynomial.
        """
        opaque = (sp.Symbol, Indexed, sp.Sum, sp.Product, sp.Integral, AppliedUndef, sp.Pow)
        if not isinstance(e, opaque) or not is_real(e):
            raise UndecidedError(f"{e} is not known to be real, or is no polynomial")
        term = z3.FreshReal()
        least = 1 if e.is_integer else 0
        if e.is_positive:
            self.known.append(term >= 1 if least else term > 0)
        elif e.is_nonnegative:
            self.known.append(term >= 0)
        if e.is_negative:
            self.known.append(term < 0)
        elif e.is_nonpositive:
            self.known.append(term <= 0)
        if e.is_nonzero:
            self.known.append(term != 0)
        return term

    def require(self, claimed: Any, otherwise: str) -> None:
        """Return if a z3 formula follows from what is known.

        Raises:
            UndecidedError: if it does not, or z3 cannot tell, saying `otherwise`.
        """
        answer = self.ask(z3.Not(claimed))
        if answer == z3.sat:
            raise UndecidedError(otherwise)
        if answer == z3.unknown:
            raise UndecidedError(f"{otherwise} for all that z3 can tell (unknown)")

    def ask(self, *formulas: Any) -> Any:
        """Return z3's answer to whether the formulas can hold together with what is known: sat, unsat or unknown."""
        solver = z3.Solver()
        solver.set("rlimit", EFFORT)
        solver.set("timeout", LIMIT_MS)
        solver.add(*self.known, *formulas)
        return solver.check()


def is_real(e: sp.Expr) -> bool:
    """Return whether sympy knows an expression to be a finite real number."""
    if isinstance(e, (sp.Sum, sp.Product, sp.Integral)):
        return is_real(e.function)
    return bool(e.is_real)


def decide(before: sp.Expr, after: sp.Expr, conditions: Sequence[sp.Basic] = ()) -> None:
    """Return if before >= after for all reals that satisfy the conditions and the assumptions on the symbols.

    Raises:
        UndecidedError: if there are reals for which it fails, z3 cannot tell, no reals satisfy the conditions (then
            nothing is said), or an expression has no meaning for some that do.
    """
    reals = Reals()
    for condition in conditions:
        reals.assume(condition)
    left, right = reals.term(before), reals.term(after)
    if conditions and reals.ask() != z3.sat:
        raise UndecidedError("the conditions contradict each other, or z3 cannot tell that they do not")
    reals.require(left >= right, f"{before} may be below {after}")


def decide_equivalence(before: sp.Basic, after: sp.Basic, conditions: Sequence[sp.Basic] = ()) -> None:
    """Return if one relation holds exactly where another one does, for all reals that satisfy the conditions.

    Raises:
        UndecidedError: if there are reals where only one of them holds, z3 cannot tell, one of them holds for no reals or
            for all (then nothing is said), or an expression has no meaning for some.
    """
    reals = Reals()
    for condition in conditions:
        reals.assume(condition)
    left, right = reals.formula(before), reals.formula(after)
    if reals.ask(left) != z3.sat or reals.ask(z3.Not(left)) != z3.sat:
        raise UndecidedError(f"{before} holds always or never, or z3 cannot tell that it does not")
    reals.require(left == right, f"only one of {before} and {after} may hold")


def nonnegative(e: sp.Expr, conditions: Iterable[sp.Basic] = ()) -> bool:
    """Return whether an expression is shown not to be negative, by sympy or by z3."""
    if e.is_nonnegative:
        return True
    try:
        decide(e, sp.Integer(0), tuple(conditions))
    except UndecidedError:
        return False
    return True


def nonzero(e: sp.Expr, conditions: Iterable[sp.Basic] = ()) -> bool:
    """Return whether an expression is shown not to vanish, by sympy or by z3."""
    if e.is_nonzero:
        return True
    reals = Reals()
    try:
        for condition in conditions:
            reals.assume(condition)
        reals.require(reals.term(e) != 0, f"{e} may be 0")
    except UndecidedError:
        return False
    return True
