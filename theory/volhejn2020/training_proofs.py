"""Proofs of the claims on initialisation and on nested training sets (V10 and V11)."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from theory.lemmas import COLUMN, COLUMNS, ROW, nonnegative_terms, nonnegatives, reals
from theory.proof import Proof, Rule, Step

_fans = sp.Add(*sp.symbols("n_in n_out", positive=True))
_alpha = sp.Symbol("alpha", positive=True)
_u = sp.Symbol("u", real=True)

_size = sp.Symbol("s", integer=True, positive=True)
"""How many points D_i holds; D_j holds k more."""


def _variance(limit: sp.Expr) -> sp.Expr:
    """Return the variance of the uniform distribution on [-l, l]."""
    return sp.Integral(_u**2 / (2 * limit), (_u, -limit, limit))


def v10a() -> Proof:
    """The repaired limit has the variance that the text speaks of."""
    limit, wanted = sp.sqrt(6 * _alpha / _fans), _alpha / (_fans / 2)
    return Proof(
        (
            Step(_variance(limit), wanted, Rule.IDENTITY, "the variance of the uniform distribution on [-l, l]"),
            Step(
                sp.sqrt(3 * wanted),
                limit,
                Rule.IDENTITY,
                "which is l^2/3: so l is the root of three times the variance",
                uses=(0,),
            ),
        ),
        "every layer and scale",
        lhs=sp.sqrt(3 * wanted),
        rhs=limit,
    )


def v10b() -> Proof:
    """The printed limit has Glorot's variance at alpha = 2 only."""
    found, glorot = _variance(sp.sqrt(3 * _alpha / _fans)), 2 / _fans
    printed, twice = sp.Eq(found, glorot), sp.Eq(_alpha, 2)
    return Proof(
        (
            Step(found, _alpha / _fans, Rule.IDENTITY, "the variance that the printed limit gives"),
            Step(
                printed,
                twice,
                Rule.IDENTITY,
                "it is Glorot's 2/(n_in + n_out) at alpha = 2 and nowhere else",
                uses=(0,),
                conditions=(sp.Eq(found, _alpha / _fans),),
            ),
        ),
        "every layer and scale",
        lhs=printed,
        rhs=twice,
    )


def _fitting() -> tuple[Step, sp.Expr, sp.Expr]:
    """Return that errors on D_j are no less than on D_i, with the two sums of squares, of the candidate numbered J."""
    (errors,) = reals("e")
    chosen = sp.Symbol("J", integer=True, positive=True)
    few, all_of_them = (sp.Sum(errors[chosen, COLUMN] ** 2, (COLUMN, 1, size)) for size in (_size, _size + COLUMNS))
    step = Step(
        all_of_them,
        few,
        Rule.INDUCTION,
        "the squared errors of f_j on D_j add those on its k other points to those on D_i",
        (errors[chosen, _size + COLUMNS + 1] ** 2,),
        variable=COLUMNS,
    )
    return step, few, all_of_them


def _selected(fits: Callable[[sp.Expr], sp.Basic]) -> Proof:
    step, few, all_of_them = _fitting()
    (measure,) = reals("S")
    first, second = (measure[sp.Symbol(name, integer=True, positive=True)] for name in "IJ")
    return Proof(
        (
            step,
            Step(
                second,
                first,
                Rule.POLYNOMIAL,
                "f_i, numbered I, has the least S of all that fit D_i, and f_j, numbered J, fits D_i as it fits D_j",
                uses=(0,),
                conditions=(
                    fits(all_of_them),
                    sp.Ge(all_of_them, few),
                    sp.Ge(few, 0),
                    sp.Or(sp.Not(fits(few)), sp.Le(first, second)),
                ),
            ),
        ),
        "any family in which the minimum is attained, any measure that does not change with the data",
        lhs=first,
        rhs=second,
    )


def v11() -> Proof:
    """More data, interpolated, never make the smoothest candidate smoother."""
    return _selected(lambda loss: sp.Eq(loss, 0))


def v11b() -> Proof:
    """Nor with a threshold on the sum of the squared errors."""
    threshold = sp.Symbol("epsilon", positive=True)
    return _selected(lambda loss: sp.Lt(loss, threshold))


def v11d() -> Proof:
    """Nor with the sum of the variation over the pairs of the data."""
    step, few, all_of_them = _fitting()
    own, other, any_terms = nonnegatives("T U V")
    k, more = COLUMNS, _size + COLUMNS

    def pairs(table: sp.IndexedBase, size: sp.Expr) -> sp.Sum:
        return sp.Sum(table[ROW, COLUMN], (COLUMN, 1, size), (ROW, 1, size))

    column, row = sp.Sum(own[ROW, more + 1], (ROW, 1, more)), sp.Sum(own[more + 1, COLUMN], (COLUMN, 1, more))
    whole, part, least = pairs(own, more), pairs(own, _size), pairs(other, _size)
    return Proof(
        (
            step,
            nonnegative_terms(any_terms, "variation along any pairs adds up to no less than 0"),
            Step(
                whole,
                part,
                Rule.INDUCTION,
                "the pairs of D_j are those of D_i and others, along which f_j does not vary by less than 0",
                (column, row, own[more + 1, more + 1]),
                uses=(1,),
                conditions=(sp.Ge(column, 0), sp.Ge(row, 0)),
                variable=k,
            ),
            Step(
                whole,
                least,
                Rule.POLYNOMIAL,
                "f_j, which meets the points of D_i as it meets those of D_j, varies between them by no less than f_i, whose "
                "variation U is the least of all that meet them",
                uses=(0, 2),
                conditions=(
                    sp.Eq(all_of_them, 0),
                    sp.Ge(all_of_them, few),
                    sp.Ge(few, 0),
                    sp.Ge(whole, part),
                    sp.Or(sp.Gt(few, 0), sp.Ge(part, least)),
                ),
            ),
        ),
        "any family in which the minimum is attained",
        lhs=least,
        rhs=whole,
    )
