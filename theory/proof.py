"""Proofs as data: steps that `proofs_check` replays one by one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sympy as sp


class Rule(StrEnum):
    """How a step is justified, and so how it is replayed."""

    IDENTITY = "identity"
    """before = after: their difference simplifies to zero."""
    NONNEGATIVE = "nonnegative"
    """before >= after: their difference equals the sum of the certificate's terms, each of which is non-negative by the
    assumptions on its symbols (squares of reals, products of non-negative symbols)."""
    SUM = "sum"
    """The same relation for sums over a symbolic number of terms, because an earlier step says it of each term."""
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
        certificate: the non-negative terms that make up the difference, for `NONNEGATIVE`.
        term: for `SUM`, the number of the earlier step (counted from 0) that speaks of one term.
    """

    before: sp.Expr
    after: sp.Expr
    rule: Rule
    because: str
    certificate: tuple[sp.Expr, ...] = ()
    term: int | None = None


@dataclass(frozen=True)
class Proof:
    """A proof in steps, with what it covers and what it leaves out."""

    steps: tuple[Step, ...]
    covers: str
