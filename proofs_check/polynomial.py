"""Polynomial inequalities over all reals, decided by z3: what a step claims, and what makes its expressions meaningful."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import count
from typing import Any

import sympy as sp
import z3
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean, BooleanFalse, BooleanTrue
from sympy.tensor.indexed import Indexed

from proofs_check.terms import NotWrittenOutError, written_out

EFFORT = 1_000_000
"""z3's own measure of work, after which an answer is given up; unlike seconds it is the same on every machine."""

LIMIT_MS = 600_000
"""Milliseconds after which z3 is taken to hang: a busy machine takes less for its effort."""

SIZES = (1, 2, 3, 4)
"""How many terms the sums in conditions have where numbers are chosen that satisfy them."""

RELATIONS = (sp.Ge, sp.Gt, sp.Le, sp.Lt, sp.Eq, sp.Ne)


class UndecidedError(ValueError):
    """z3 cannot decide a question, or is asked one that is not about real polynomials."""


class Reals:
    """Sympy expressions as z3 terms over the reals, with what is known of their parts.

    Sums over a symbolic number of terms, indexed symbols, values of undefined functions and powers with symbolic
    exponents stand for any real of the sign that sympy knows them to have. A quotient or a root is known to be one only
    if its denominator does not vanish, or its argument is not negative: both are shown before it is used.

    Args:
        independent: whether the terms are to be numbers that may be chosen one by one, as a witness has to be: only
            symbols, entries of sequences and values of functions at different places then, integers where they are assumed
            to be.

    Attributes:
        known: z3 formulas that hold of the terms.
    """

    def __init__(self, *, independent: bool = False) -> None:
        self.known: list[Any] = []
        self._terms: dict[sp.Expr, Any] = {}
        self._independent = independent
        self._names = count()

    def _fresh(self) -> Any:
        """Return a z3 term of a name that no other has here; in another question it may stand for something else."""
        return z3.Real(f"r{next(self._names)}")

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
        if isinstance(e, sp.Pow):
            more, rest = e.exp.as_coeff_Add()
            if more.is_Integer and more > 0 and rest.is_integer and rest.is_nonnegative:
                return self.term(e.base**rest) * self._power(e.base, more)
        return self._any(e)

    def _power(self, base: sp.Expr, exponent: sp.Rational) -> Any:
        below = self.term(base)
        if exponent.q == 2:
            self.require(below >= 0, f"the root of {base}, which may be negative")
            root = self._fresh()
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
        inverse = self._fresh()
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
        term = self._fresh()
        if self._independent:
            self._choose(e, term)
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

    def _choose(self, e: sp.Expr, term: Any) -> None:
        """Restrict a term that is chosen on its own to the integers, or to a place of its own in a sequence.

        Raises:
            UndecidedError: if it cannot be chosen, as what it is depends on other terms.
        """
        if not isinstance(e, (sp.Symbol, Indexed, AppliedUndef)):
            raise UndecidedError(f"{e} cannot be chosen: what it is depends on what it is made of")
        if e.is_integer:
            self.known.append(z3.IsInt(term))
        if isinstance(e, sp.Symbol):
            return
        of, at = _place(e)
        for other in tuple(self._terms):
            if isinstance(other, (Indexed, AppliedUndef)) and _place(other)[0] == of:
                places = zip(at, _place(other)[1], strict=True)
                self.known.append(z3.Or(*(self.term(here) != self.term(there) for here, there in places)))

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

    def ones(self) -> Iterator[list[Any]]:
        """Yield formulas to try: 1 for the entries of all sequences and functions but one, for each of these; at last none.

        Numbers are found so in no time where z3 searches long for all at once.
        """
        entries = [(_place(e)[0], term) for e, term in self._terms.items() if isinstance(e, (Indexed, AppliedUndef))]
        several = dict.fromkeys(of for of, _ in entries)
        for free in several if len(several) > 1 else ():
            yield [term == 1 for of, term in entries if of != free]
        yield []

    def ask(self, *formulas: Any) -> Any:
        """Return z3's answer to whether the formulas can hold together with what is known: sat, unsat or unknown.

        Each question is asked in a context of its own: how long z3 takes depends on what it was asked before in the same one.
        """
        own = z3.Context()
        solver = z3.Solver(ctx=own)
        solver.set("rlimit", EFFORT)
        solver.set("timeout", LIMIT_MS)
        solver.add(*(formula.translate(own) for formula in (*self.known, *formulas)))
        return solver.check()


def _place(e: sp.Expr) -> tuple[Any, tuple[sp.Expr, ...]]:
    """Return of what sequence an expression is an entry, or of what function a value, and where."""
    return (e.base, e.indices) if isinstance(e, Indexed) else (e.func, e.args)


def is_real(e: sp.Expr) -> bool:
    """Return whether sympy knows an expression to be a finite real number."""
    if isinstance(e, (sp.Sum, sp.Product, sp.Integral)):
        return is_real(e.function)
    return bool(e.is_real)


def satisfiable(conditions: Iterable[sp.Basic]) -> None:
    """Return if the symbols can be chosen, as is assumed of them, such that the conditions hold.

    Raises:
        UndecidedError: if they cannot, z3 cannot tell, or a condition is no relation between real numbers.
    """
    conditions = tuple(conditions)
    if conditions and not any(_chosen(conditions, size) for size in SIZES):
        raise UndecidedError("the conditions contradict each other, or z3 cannot tell that they do not")


@cache
def _chosen(conditions: tuple[sp.Basic, ...], size: int) -> bool:
    """Return whether z3 chooses numbers that satisfy the conditions, where their sums run to a size, term by term.

    Raises:
        UndecidedError: if a condition is no relation between real numbers, or its sums have no such number of terms.
    """
    limits = [
        limit for condition in conditions for many in condition.atoms(sp.Sum, sp.Product) for limit in many.limits
    ]
    ends = {symbol for _, *at in limits for end in at for symbol in end.free_symbols if not symbol.is_nonpositive}
    ends -= {limit[0] for limit in limits}
    powers = {power for condition in conditions for power in condition.atoms(sp.Pow) if not power.exp.is_Rational}
    ends |= {symbol for power in powers for symbol in power.exp.free_symbols if symbol.is_integer}
    chosen = Reals(independent=True)
    for condition in conditions:
        try:
            chosen.assume(written_out(_integrated(condition.xreplace(dict.fromkeys(ends, sp.Integer(size))))))
        except NotWrittenOutError as error:
            raise UndecidedError(f"{error}, so nothing shows that the conditions can hold") from error
    return any(chosen.ask(*ones) == z3.sat for ones in chosen.ones())


def _integrated(e: sp.Basic) -> sp.Basic:
    return e.replace(lambda part: isinstance(part, sp.Integral), lambda part: part.doit())


def is_condition(e: sp.Basic) -> bool:
    """Return whether an expression is true or false; sympy counts symbols of numbers among those that may be."""
    return isinstance(e, Boolean) and not isinstance(e, sp.Expr)


def ends_of(side: sp.Basic) -> tuple[sp.Expr, ...]:
    """Return the numbers that a condition compares; of a number itself.

    Raises:
        UndecidedError: if it is a condition of another kind.
    """
    if not is_condition(side):
        return (side,)
    if isinstance(side, (BooleanTrue, BooleanFalse)):
        return ()
    if isinstance(side, RELATIONS):
        return (side.lhs, side.rhs)
    if isinstance(side, (sp.And, sp.Or, sp.Not)):
        return tuple(end for part in side.args for end in ends_of(part))
    raise UndecidedError(f"{side} is no relation between real numbers")


def decide(before: sp.Basic, after: sp.Basic, conditions: Sequence[sp.Basic] = ()) -> None:
    """Return if before >= after for all reals that satisfy the conditions and the assumptions on the symbols.

    Of two conditions: if before holds wherever after does, and after holds somewhere.

    Raises:
        UndecidedError: if there are reals for which it fails, z3 cannot tell, no reals satisfy the conditions (then
            nothing is said), or an expression has no meaning for some that do.
    """
    satisfiable(conditions)
    reals = Reals()
    for condition in conditions:
        reals.assume(condition)
    if is_condition(before) and is_condition(after):
        satisfiable((*conditions, after))
        reals.require(
            z3.Implies(reals.formula(after), reals.formula(before)), f"{after} may hold where {before} does not"
        )
        return
    reals.require(reals.term(before) >= reals.term(after), f"{before} may be below {after}")


def decide_equivalence(before: sp.Basic, after: sp.Basic, conditions: Sequence[sp.Basic] = ()) -> None:
    """Return if one condition holds exactly where another one does, for all reals that satisfy the conditions.

    Raises:
        UndecidedError: if there are reals where only one of them holds, z3 cannot tell, they hold for no reals or for all
            (then nothing is said), or an expression has no meaning for some.
    """
    satisfiable((*conditions, sp.Not(before)))
    decide(before, after, conditions)
    decide(after, before, conditions)


def nonnegative(e: sp.Expr, conditions: Iterable[sp.Basic] = ()) -> bool:
    """Return whether an expression is shown not to be negative, by sympy or by z3; so is any if the conditions clash."""
    if e.is_nonnegative:
        return True
    reals = Reals()
    try:
        for condition in conditions:
            reals.assume(condition)
        reals.require(reals.term(e) >= 0, f"{e} may be negative")
    except UndecidedError:
        return False
    return True


def nonzero(e: sp.Expr, conditions: Iterable[sp.Basic] = ()) -> bool:
    """Return whether an expression is shown not to vanish, by sympy or by z3; so is any if the conditions clash."""
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
