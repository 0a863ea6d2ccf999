"""Proofs of the claims on the least regularised loss (V18)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COLUMN, INDEX, ROW, nonnegatives, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_strength = sp.Symbol("lambda", positive=True)
_size = sp.Symbol("N", integer=True, positive=True)
_mine, _other = sp.symbols("I J", integer=True, positive=True)
(_errors, _measure) = reals("e S")


def _loss(candidate: sp.Symbol) -> sp.Expr:
    return sp.Sum(_errors[candidate, COLUMN] ** 2, (COLUMN, 1, _size)) / _size


def _regularized(candidate: sp.Symbol) -> sp.Expr:
    return _loss(candidate) + _strength * _measure[candidate]


def v18a() -> Proof:
    """What minimises the sum has the least S at its loss."""
    mine, other = _measure[_mine], _measure[_other]
    return Proof(
        (
            Step(
                other,
                mine,
                Rule.POLYNOMIAL,
                "I has the least L + lambda S of all, and J fits no worse: so S of J is no less",
                conditions=(sp.Le(_regularized(_mine), _regularized(_other)), sp.Le(_loss(_other), _loss(_mine))),
            ),
        ),
        "any family in which the minimum is attained, any measure",
        lhs=mine,
        rhs=other,
    )


def v18b() -> Proof:
    """What interpolates has no loss, and no smaller sum."""
    saved = _strength * (_measure[_other] - _measure[_mine])
    return Proof(
        (
            Step(
                saved,
                _loss(_mine),
                Rule.POLYNOMIAL,
                "I has the least L + lambda S, and J, with the least S of what interpolates, has no loss",
                conditions=(sp.Le(_regularized(_mine), _regularized(_other)), sp.Eq(_loss(_other), 0)),
            ),
        ),
        "any family in which the minimum is attained, any measure",
        lhs=_loss(_mine),
        rhs=saved,
    )


def v18c() -> Proof:
    """Shrinking what interpolates costs the square of what it saves."""
    (targets, terms), (shares,) = reals("y a"), nonnegatives("p")
    shrunk, share = sp.Symbol("t", nonnegative=True), sp.Symbol("p", nonnegative=True)
    term = sp.Symbol("a", real=True)
    left = 1 - shrunk
    size, shorter = share * sp.Abs(term), share * sp.Abs(left * term)
    each = {share: shares[INDEX], term: terms[INDEX]}
    measure, measure_shrunk = over_all(size.subs(each)), over_all(shorter.subs(each))
    square, loss = (
        sp.Sum(one, (ROW, 1, _size)) / _size for one in (targets[ROW] ** 2, (left * targets[ROW] - targets[ROW]) ** 2)
    )
    lhs, rhs = loss + _strength * measure_shrunk, _strength * measure * (1 - shrunk / 2)
    within = (sp.Le(shrunk, 1),)
    return Proof(
        (
            Step(
                left * size,
                shorter,
                Rule.POLYNOMIAL,
                "a measure is a sum of p_i |a_i|, with a_i linear in the outputs",
                conditions=within,
            ),
            summed(left * size, shorter, each, "so S((1 - t) f) is at most (1 - t) S(f)", term=0, conditions=within),
            Step(loss, shrunk**2 * square, Rule.IDENTITY, "and (1 - t) f misses each target by t times it"),
            Step(
                rhs,
                lhs,
                Rule.POLYNOMIAL,
                "t^2 Q is at most half of t lambda S: t = lambda S/(2 Q), or t = 1 where that is more",
                uses=(1, 2),
                conditions=(
                    *within,
                    sp.Ge(left * measure, measure_shrunk),
                    sp.Eq(loss, shrunk**2 * square),
                    sp.Ge(measure, 0),
                    sp.Or(
                        sp.Eq(2 * shrunk * square, _strength * measure),
                        sp.And(sp.Eq(shrunk, 1), sp.Ge(_strength * measure, 2 * square)),
                    ),
                ),
            ),
        ),
        "one input; GN and both path lengths over the data",
        lhs=lhs,
        rhs=rhs,
    )
