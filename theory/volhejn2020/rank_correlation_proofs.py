"""Proofs of the claims on Kendall's rank correlation (V12), over the signs of all pairs of two sequences."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_s, _t = sp.symbols("s t", real=True)
_is, _it = (base[INDEX] for base in reals("s t"))
_ONE = {_s: _is, _t: _it}
_SIGNS = (sp.Eq(_s**3, _s), sp.Eq(_t**3, _t))
"""A sign is -1, 0 or 1."""


def _over_pairs(larger: sp.Expr, smaller: sp.Expr, because: str, place: int, *more: sp.Basic) -> tuple[Step, Step]:
    """Return that a sum over pairs is at least another, and that of one pair; `place` is the number of the first step."""
    conditions = (*_SIGNS, *more)
    return (
        Step(larger, smaller, Rule.POLYNOMIAL, because, conditions=conditions),
        summed(larger, smaller, _ONE, "over all pairs", term=place, conditions=conditions),
    )


def v12a() -> Proof:
    """A tie counts as half an inversion."""
    signs, falls, ties = over_all(_is), over_all((_is**2 - _is) / 2), over_all(1 - _is**2)
    lhs, rhs = signs / COUNT, 1 - (2 * falls + ties) / COUNT
    return Proof(
        (
            Step(
                lhs,
                rhs,
                Rule.IDENTITY,
                "s is the sign of a pair: (s^2 - s)/2 is 1 where it falls, 1 - s^2 where it is tied, and 0 elsewhere",
            ),
        ),
        "any sequence of at least two numbers, with m pairs",
        lhs=lhs,
        rhs=rhs,
    )


def v12c() -> Proof:
    """tau_b is 1 where the signs agree, and nowhere else."""
    balance, first, second = over_all(_is * _it), over_all(_is**2), over_all(_it**2)
    apart = over_all((_is - _it) ** 2)
    perfect, agree = sp.Eq(balance / sp.sqrt(first * second), 1), sp.Eq(apart, 0)
    return Proof(
        (
            *_over_pairs(_s**2, _s * _t, "of two signs s and t: s t is at most s^2", 0),
            *_over_pairs(_t**2, _s * _t, "and at most t^2", 2),
            Step(apart, first + second - 2 * balance, Rule.IDENTITY, "the pairs in which the signs differ"),
            Step(
                perfect,
                agree,
                Rule.IDENTITY,
                "the sum of s t, at most either sum of squares, is the root of their product only if it is both of them; "
                "neither is 0, as no sequence is constant",
                uses=(1, 3, 4),
                conditions=(
                    sp.Gt(first, 0),
                    sp.Gt(second, 0),
                    sp.Ge(first, balance),
                    sp.Ge(second, balance),
                    sp.Eq(apart, first + second - 2 * balance),
                ),
            ),
        ),
        "any two sequences that are not constant",
        lhs=perfect,
        rhs=agree,
    )


def v12d() -> Proof:
    """Ties in Y bound tau_b, where no pair is tied in both."""
    balance, first, second = over_all(_is * _it), over_all(_is**2), over_all(_it**2)
    both = over_all(_is**2 * _it**2)
    lhs, rhs = balance / sp.sqrt(first * second), sp.sqrt(second / COUNT)
    share = _s**2 + _t**2 - _s**2 * _t**2
    return Proof(
        (
            *_over_pairs(_s**2 * _t**2, _s * _t, "the pairs tied in neither, r in number: s t is at most 1 there", 0),
            *_over_pairs(_s**2, _s**2 * _t**2, "they are among those not tied in X", 2),
            *_over_pairs(_t**2, _s**2 * _t**2, "and among those not tied in Y", 4),
            Step(
                share,
                sp.S.One,
                Rule.POLYNOMIAL,
                "which are all pairs, r of them counted twice",
                conditions=(*_SIGNS, sp.Ge(_s**2 + _t**2, 1)),
            ),
            Step(
                over_all(share.subs(_ONE)),
                COUNT,
                Rule.INDUCTION,
                "over all pairs",
                (share.subs(_ONE).subs(INDEX, COUNT + 1) - 1,),
                uses=(6,),
                conditions=(
                    sp.Ge(share.subs(_ONE).subs(INDEX, COUNT + 1), 1),
                    sp.Ge(share.subs(_ONE).subs(INDEX, 1), 1),
                ),
                variable=COUNT,
                base=1,
            ),
            Step(over_all(share.subs(_ONE)), first + second - both, Rule.IDENTITY, "in sums"),
            Step(
                rhs,
                lhs,
                Rule.POLYNOMIAL,
                "(n_p - n_y)^2 (n_p - n_x) is at least n_p r^2, and the balance at most r",
                uses=(1, 3, 5, 7, 8),
                conditions=(
                    sp.Gt(first, 0),
                    sp.Gt(second, 0),
                    sp.Ge(both, balance),
                    sp.Ge(first, both),
                    sp.Ge(second, both),
                    sp.Ge(both, 0),
                    sp.Ge(first + second - both, COUNT),
                ),
            ),
        ),
        "any two sequences that are not constant, with m pairs",
        lhs=lhs,
        rhs=rhs,
    )


def v12e() -> Proof:
    """The ceiling of 8 sizes with 3 runs each is 0.96 to two places."""
    i = INDEX
    pairs, tied = sp.Sum(i, (i, 1, 23)), 8 * sp.Sum(i, (i, 1, 2))
    hundredths = sp.Symbol("h", integer=True)
    ceiling = 100 * sp.sqrt((pairs - tied) / pairs) + sp.Rational(1, 2)
    lhs, rhs = hundredths / sp.Integer(100), sp.Rational(96, 100)
    return Proof(
        (
            Step(pairs, sp.Integer(276), Rule.IDENTITY, "n_p: the pairs of 24 runs"),
            Step(tied, sp.Integer(24), Rule.IDENTITY, "n_y: those of the 3 runs at each of 8 sizes"),
            *(
                Step(
                    larger,
                    smaller,
                    Rule.POLYNOMIAL,
                    "h hundredths are the root to two places: h is the integer part of 100 times it and 1/2, which "
                    "lies between 96 and 97; no integer lies between two neighbours",
                    conditions=(
                        sp.Eq(pairs, 276),
                        sp.Eq(tied, 24),
                        sp.Le(hundredths, ceiling),
                        sp.Gt(hundredths + 1, ceiling),
                        sp.Or(sp.Le(hundredths, below), sp.Ge(hundredths, below + 1)),
                    ),
                    uses=(0, 1),
                )
                for larger, smaller, below in ((lhs, rhs, 95), (rhs, lhs, 96))
            ),
        ),
        "the printed design",
        lhs=lhs,
        rhs=rhs,
    )
