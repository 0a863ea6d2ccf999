"""Inequalities that several proofs rest on, as steps of their own: each is decided for any number of terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp

from theory.proof import Rule, Step

INDEX = sp.Symbol("i", integer=True)
COUNT = sp.Symbol("m", integer=True, positive=True)
TIME = sp.Symbol("t", integer=True, nonnegative=True)
ROW, COLUMN = sp.symbols("i j", integer=True)
ROWS, COLUMNS = sp.symbols("r k", integer=True, nonnegative=True)


def reals(names: str) -> tuple[sp.IndexedBase, ...]:
    """Return sequences of reals by their names, separated by blanks."""
    return tuple(sp.IndexedBase(name, real=True) for name in names.split())


def nonnegatives(names: str) -> tuple[sp.IndexedBase, ...]:
    """Return sequences of non-negative reals by their names, separated by blanks."""
    return tuple(sp.IndexedBase(name, nonnegative=True) for name in names.split())


def over_all(term: sp.Expr) -> sp.Sum:
    """Return the sum of a term in i over i = 1..m."""
    return sp.Sum(term, (INDEX, 1, COUNT))


def both_ways(
    before: sp.Basic,
    after: sp.Basic,
    because: str,
    conditions: tuple[sp.Basic, ...] = (),
    uses: tuple[int, ...] = (),
) -> tuple[Step, Step]:
    """Return that two expressions are equal, or two conditions mean the same, as two steps by z3.

    Args:
        before: the left side of the first step.
        after: its right side.
        because: the reason of the first step; the second says that it is the other way.
        conditions: of both steps.
        uses: the numbers of the steps that both use.
    """
    return (
        Step(before, after, Rule.POLYNOMIAL, because, conditions=conditions, uses=uses),
        Step(after, before, Rule.POLYNOMIAL, "and the other way", conditions=conditions, uses=uses),
    )


def summed(
    before: sp.Expr,
    after: sp.Expr,
    each: Mapping[sp.Symbol, sp.Expr],
    because: str,
    *,
    term: int,
    conditions: tuple[sp.Basic, ...] = (),
    uses: tuple[int, ...] = (),
) -> Step:
    """Return what an earlier step says of one term, of the sum over i = 1..m.

    Args:
        before: the left side of that step.
        after: its right side.
        each: the i-th entry of a sequence for each symbol of that step that varies.
        because: what the sums are.
        term: the number of that step in its proof, counted from 0.
        conditions: those of that step.
        uses: the numbers of the steps that show them.
    """
    first, second, *known = (part.subs(each, simultaneous=True) for part in (before, after, *conditions))
    return Step(over_all(first), over_all(second), Rule.SUM, because, term=term, conditions=tuple(known), uses=uses)


def triangle_inequality(of: sp.IndexedBase, because: str, *, place: int) -> tuple[Step, Step]:
    """Return sum |a_i| >= |sum a_i| for any number of reals: the case of two terms, and the induction over their number.

    Args:
        of: the terms, real.
        because: what the inequality does in the proof.
        place: the number of the first of the two steps in its proof, counted from 0.
    """
    total, sizes, new = over_all(of[INDEX]), over_all(sp.Abs(of[INDEX])), of[COUNT + 1]
    apart, joined = sp.Abs(total) + sp.Abs(new), sp.Abs(total + new)
    return (
        Step(apart, joined, Rule.POLYNOMIAL, "the triangle inequality for a sum and one more term"),
        Step(sizes, sp.Abs(total), Rule.INDUCTION, because, (apart - joined,), term=place, variable=COUNT, base=1),
    )


def over_rows(term: sp.Expr) -> sp.Sum:
    """Return the sum of a term in i over i = 1..r."""
    return sp.Sum(term, (ROW, 1, ROWS))


def over_columns(term: sp.Expr) -> sp.Sum:
    """Return the sum of a term in j over j = 1..k."""
    return sp.Sum(term, (COLUMN, 1, COLUMNS))


def nonnegative_terms(of: sp.IndexedBase, because: str) -> Step:
    """Return sum a_i >= 0 for any number r of non-negative terms.

    Args:
        of: the terms, non-negative.
        because: what the inequality does in the proof.
    """
    return Step(over_rows(of[ROW]), sp.Integer(0), Rule.INDUCTION, because, (of[ROWS + 1],), variable=ROWS)


def triangle_in_a_row(of: Callable[[sp.Expr, sp.Expr], sp.Expr], because: str, *, place: int) -> tuple[Step, Step]:
    """Return sum_j |a_ij| >= |sum_j a_ij| for the row i = r + 1, with any number k of terms.

    Args:
        of: a_ij, real, of its row and its column.
        because: what the inequality does in the proof.
        place: the number of the first of the two steps in its proof, counted from 0.
    """
    row = ROWS + 1
    total, new = over_columns(of(row, COLUMN)), of(row, COLUMNS + 1)
    apart, joined = sp.Abs(total) + sp.Abs(new), sp.Abs(total + new)
    return (
        Step(apart, joined, Rule.POLYNOMIAL, "the triangle inequality for a sum and one more term"),
        Step(
            over_columns(sp.Abs(of(row, COLUMN))),
            sp.Abs(total),
            Rule.INDUCTION,
            because,
            (apart - joined,),
            term=place,
            variable=COLUMNS,
        ),
    )


def triangle_in_rows(of: Callable[[sp.Expr, sp.Expr], sp.Expr], because: str, *, place: int) -> tuple[Step, Step, Step]:
    """Return sum_i sum_j |a_ij| >= sum_i |sum_j a_ij| for any numbers r of rows and k of terms in each.

    Args:
        of: a_ij, real, of its row and its column.
        because: what the inequality does in the proof.
        place: the number of the first of the three steps in its proof, counted from 0.
    """
    first, one = triangle_in_a_row(of, "in one row, by induction over its terms", place=place)
    sizes, totals = over_columns(sp.Abs(of(ROW, COLUMN))), sp.Abs(over_columns(of(ROW, COLUMN)))
    return (
        first,
        one,
        Step(
            over_rows(sizes),
            over_rows(totals),
            Rule.INDUCTION,
            because,
            (one.before - one.after,),
            term=place + 1,
            variable=ROWS,
        ),
    )


def cauchy_schwarz(first: sp.IndexedBase, second: sp.IndexedBase, because: str) -> Step:
    """Return sum u_i^2 sum v_i^2 >= (sum u_i v_i)^2 for any number of reals, by induction over their number.

    Args:
        first: the u_i, real.
        second: the v_i, real.
        because: what the inequality does in the proof.
    """
    u, v, new_u, new_v = first[INDEX], second[INDEX], first[COUNT + 1], second[COUNT + 1]
    return Step(
        over_all(u**2) * over_all(v**2),
        over_all(u * v) ** 2,
        Rule.INDUCTION,
        because,
        (over_all((u * new_v - v * new_u) ** 2),),
        variable=COUNT,
        base=1,
    )


def mean_of_squares(of: sp.Expr, because: str) -> Step:
    """Return m sum u_i^2 >= (sum u_i)^2 for any number of reals, by induction over their number.

    Args:
        of: u_i, an expression in `INDEX`, real.
        because: what the inequality does in the proof.
    """
    return Step(
        COUNT * over_all(of**2),
        over_all(of) ** 2,
        Rule.INDUCTION,
        because,
        (over_all((of - of.subs(INDEX, COUNT + 1)) ** 2),),
        variable=COUNT,
        base=1,
    )


def bernoulli(excess: sp.Symbol, because: str) -> Step:
    """Return (1 + s)^t >= 1 + t s for s >= 0 and every t = 0, 1, .., by induction over t.

    Args:
        excess: s, positive.
        because: what the inequality does in the proof.
    """
    return Step(
        (1 + excess) ** TIME,
        1 + TIME * excess,
        Rule.INDUCTION,
        because,
        (TIME * excess**2,),
        variable=TIME,
        base=0,
        factor=1 + excess,
    )
