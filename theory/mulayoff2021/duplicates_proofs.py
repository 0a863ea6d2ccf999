"""Proofs of what Mulayoff, Michaeli and Soudry 2021 say of training samples that occur twice: M20."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import ROW, ROWS, over_rows, reals
from theory.proof import Proof, Rule, Step

_others = over_rows(reals("o")[0][ROW] ** 2)
_copied = sp.Symbol("e", real=True)
_once, _twice = _others + _copied**2, _others + 2 * _copied**2


def _not_negative(what: str) -> Step:
    return Step(
        _others,
        sp.Integer(0),
        Rule.INDUCTION,
        f"{what} at the n - 1 samples that are not copied, the squares of which add up to no less than 0",
        (reals("o")[0][ROWS + 1] ** 2,),
        variable=ROWS,
    )


def m20() -> Proof:
    """A copy of a sample does not change which functions fit."""
    with_it, without_it = sp.Eq(_twice / (2 * (ROWS + 2)), 0), sp.Eq(_once / (2 * (ROWS + 1)), 0)
    return Proof(
        (
            _not_negative("o are the errors"),
            Step(
                with_it,
                without_it,
                Rule.IDENTITY,
                "so where one sum is 0, the square of the copied sample's error is, and the other sum is",
                uses=(0,),
                conditions=(sp.Ge(_others, 0),),
            ),
        ),
        "any function and any number of samples",
        lhs=with_it,
        rhs=without_it,
    )


def m20b() -> Proof:
    """A copy of a sample changes the Hessian by a factor of 2 n/(n + 1) at most."""
    part = _once / (ROWS + 2)
    lhs, rhs = sp.Abs(_twice / (ROWS + 2) - sp.Rational(3, 2) * part), part / 2
    return Proof(
        (
            _not_negative("o is what f changes by, along v,"),
            Step(
                rhs,
                lhs,
                Rule.POLYNOMIAL,
                "n v^T H v is their sum with the square at the copied sample; with the copy n + 1 stands for n and this square "
                "counts twice",
                uses=(0,),
                conditions=(sp.Ge(_others, 0),),
            ),
        ),
        "at interpolation, any network and any number of samples",
        lhs=lhs,
        rhs=rhs,
    )
