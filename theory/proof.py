"""Proofs as data: steps that `proofs_check` replays one by one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sympy as sp


class Rule(StrEnum):
    """How a step is justified, and so how it is replayed.

    Whatever the rule, each name in a step stands for one thing, each side is a real number for all values that the symbols
    may take under the conditions, and some values meet these: a step about nothing is rejected. What a symbol may be assumed
    to be is real, an integer, and of one sign. A sum runs upwards from its lower limit to its upper one; an upper limit one
    below the lower leaves an empty sum, 0. A power of exponent 0 is 1; a sequence w[i] has an entry at every integer; a
    function that is only named is smooth.
    """

    IDENTITY = "identity"
    """before = after: their difference simplifies to zero."""
    NONNEGATIVE = "nonnegative"
    """before >= after: their difference equals the sum of the certificate's terms, each of which is non-negative by the
    assumptions on its symbols (squares of reals, products of non-negative symbols)."""
    POLYNOMIAL = "polynomial"
    """before >= after for all reals that satisfy the step's conditions and the assumptions on its symbols: z3 decides the
    negation. Abs, Min, Max, division and square roots of what the conditions make non-negative are allowed; an answer of
    `unknown` decides nothing."""
    SUM = "sum"
    """The same relation for sums over a symbolic number of terms, because an earlier step says it of each term: of w[i] what
    that step says of w, if what it assumes of w is known of w[i], and of any other symbol what it says of that symbol."""
    INDUCTION = "induction"
    """D(m) = before - after is non-negative for every integer m >= `base`: D(base) is, and D(m + 1) equals `factor` D(m)
    plus the certificate's terms, where the factor is non-negative and each term is, or equals before - after of the earlier
    step `term`. The conditions are assumed at every such m. Without a certificate D(base) = 0, and the step says that
    before = after."""
    CITED = "cited"
    """A textbook theorem, named in `because`; not replayed, and shown as what the proof rests on."""


@dataclass(frozen=True)
class Step:
    """One step: `before` relation `after`, where the relation is that of the rule.

    Attributes:
        before: the larger side, or the left side of an identity.
        after: the smaller side, or the right side.
        rule: how it is justified.
        because: the reason in words; for `Rule.CITED` the theorem.
        certificate: the non-negative terms that make up the difference, for `NONNEGATIVE` and `INDUCTION`.
        term: for `SUM` and `INDUCTION`, the number of the earlier step (counted from 0) that speaks of one term.
        conditions: what the symbols satisfy beyond their own assumptions, as sympy relations; for `SUM` and `INDUCTION`
            what holds of every term, the conditions of the step `term` among it: they may speak of w[i] but not of i itself,
            and sequences whose entries are all the same must be able to meet them.
        variable: the integer of an `INDUCTION`.
        base: where it starts.
        factor: what D(m) is multiplied by on the way to D(m + 1).
    """

    before: sp.Expr
    after: sp.Expr
    rule: Rule
    because: str
    certificate: tuple[sp.Expr, ...] = ()
    term: int | None = None
    conditions: tuple[sp.Basic, ...] = ()
    variable: sp.Symbol | None = None
    base: int = 0
    factor: sp.Expr = sp.S.One


@dataclass(frozen=True)
class Proof:
    """A proof in steps, with what it covers and what it leaves out."""

    steps: tuple[Step, ...]
    covers: str
