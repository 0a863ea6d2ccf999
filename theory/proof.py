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
    """before = after: their difference simplifies to zero. Of two conditions: before if and only if after, each of them implies
    the other by z3, and they are true of some reals and false of others."""
    NONNEGATIVE = "nonnegative"
    """before >= after: their difference equals the sum of the certificate's terms, each of which is non-negative by the
    assumptions on its symbols (squares of reals, products of non-negative symbols)."""
    POLYNOMIAL = "polynomial"
    """before >= after for all reals that satisfy the step's conditions and the assumptions on its symbols: z3 decides the
    negation. Abs, Min, Max, division and square roots of what the conditions make non-negative are allowed; an answer of
    `unknown` decides nothing. Of two conditions, which may be joined by and, or and not: after implies before, and is
    true of some reals."""
    SUM = "sum"
    """The same relation for sums over a symbolic number of terms, because an earlier step says it of each term: of w[i] what
    that step says of w, if what it assumes of w is known of w[i], and of any other symbol what it says of that symbol."""
    INDUCTION = "induction"
    """D(m) = before - after is non-negative for every integer m >= `base`: D(base) is, and D(m + 1) equals `factor` D(m)
    plus the certificate's terms, where the factor is non-negative and each term is, or equals before - after of the earlier
    step `term`. The conditions are assumed at every such m. Without a certificate D(base) = 0, and the step says that
    before = after."""
    SCALED = "scaled"
    """The same relation as in the earlier step `term`, whose difference is multiplied by `factor`: before - after equals the
    factor times its before - after, and the factor is non-negative."""
    CITED = "cited"
    """A textbook theorem, named in `because`: before >= after, or, of two conditions, before if and only if after; not
    replayed, and shown as what the proof rests on. What it is applied to are the earlier steps that it `uses`."""


@dataclass(frozen=True)
class Step:
    """One step: `before` relation `after`, where the relation is that of the rule.

    Attributes:
        before: the larger side, or the left side of an identity.
        after: the smaller side, or the right side.
        rule: how it is justified.
        because: the reason in words; for `Rule.CITED` the theorem.
        certificate: the non-negative terms that make up the difference, for `NONNEGATIVE` and `INDUCTION`.
        term: for `SUM` and `INDUCTION`, the number of the earlier step (counted from 0) that speaks of one term; for
            `SCALED`, of the step that is scaled.
        uses: the numbers of the earlier steps that show its conditions, or that a cited theorem is applied to.
        sizes: the sizes for which it is decided, in words ("d = 2"), where these are not all that the statement speaks of.
        conditions: what the symbols satisfy beyond their own assumptions, as sympy relations; for `SUM` and `INDUCTION`
            what holds of every term, the conditions of the step `term` among it: they may speak of w[i] but not of i itself,
            and sequences whose entries are all the same must be able to meet them.
        variable: the integer of an `INDUCTION`.
        base: where it starts.
        factor: what D(m) is multiplied by on the way to D(m + 1), or the step `term` by `SCALED`.
    """

    before: sp.Expr
    after: sp.Expr
    rule: Rule
    because: str
    certificate: tuple[sp.Expr, ...] = ()
    term: int | None = None
    uses: tuple[int, ...] = ()
    sizes: str = ""
    conditions: tuple[sp.Basic, ...] = ()
    variable: sp.Symbol | None = None
    base: int = 0
    factor: sp.Expr = sp.S.One


@dataclass(frozen=True)
class Proof:
    """A proof in steps, tied to its claim by the two sides that it comes to.

    Steps lead from one side to the other: an identity either way, an inequality from its larger side to its smaller one, a
    cited equivalence of two conditions either way. Every step of the proof is on the way, or serves one that is.

    Attributes:
        steps: the steps.
        covers: what it covers and leaves out, in words.
        lhs: the claim's left side in the symbols of the proof: what some step has `before` or `after`; a condition where the
            claim's sides are truth values. The claim says what these symbols are on an instance, see `Claim.reads`.
        rhs: its right side.
    """

    steps: tuple[Step, ...]
    covers: str
    lhs: sp.Basic | None = None
    rhs: sp.Basic | None = None
