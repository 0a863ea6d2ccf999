"""Proofs of the claims on labels (V14 and V26)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    ROWS,
    cauchy_schwarz,
    nonnegatives,
    over_all,
    over_columns,
    over_rows,
    reals,
    triangle_in_rows,
)
from theory.proof import Proof, Rule, Step

_n = sp.Symbol("n", integer=True, positive=True)


def _changes(row: sp.Expr, column: sp.Expr) -> sp.Expr:
    """Return the change of f over piece j of pair i, for the pairs of distinct points in one order."""
    (changes,) = reals("e")
    return changes[row, column]


def _outputs(because: str) -> tuple[Step, Step, Step]:
    """Return that f varies along the segments of all pairs by no less than its values at their ends differ, by `because`."""
    return triangle_in_rows(_changes, because, place=0)


def v14() -> Proof:
    """Along a segment f varies by at least the difference of the labels."""
    rows = _outputs(
        "pair by pair: f changes by e_ij over the pieces of a segment, in all by the difference of the labels"
    )
    lhs, rhs = 2 * rows[-1].before / _n**2, 2 * rows[-1].after / _n**2
    return Proof(
        (
            *rows,
            Step(lhs, rhs, Rule.SCALED, "over all n^2 ordered pairs, twice each and once 0", term=2, factor=2 / _n**2),
        ),
        "any function that varies finitely along the segments, by a sum over a partition; any dimension",
        lhs=lhs,
        rhs=rhs,
    )


def v14a() -> Proof:
    """Half of all ordered pairs have different labels, by 2."""
    labels, others = reals("y z")
    row = ROWS + 1
    one, total = others[row], over_columns(labels[COLUMN])
    apart, all_apart = (
        over_columns(sp.Abs(labels[COLUMN] - one)),
        over_rows(over_columns(sp.Abs(labels[COLUMN] - others[ROW]))),
    )
    said = COLUMNS - one * total
    new = sp.Abs(labels[COLUMNS + 1] - one) - 1 + one * labels[COLUMNS + 1]
    signs = (sp.Eq(labels[COLUMNS + 1] ** 2, 1), sp.Eq(one**2, 1))
    whole = ROWS * COLUMNS - over_rows(others[ROW]) * total
    last = apart - said

    def in_a_row(before: sp.Expr, after: sp.Expr, sign: int) -> Step:
        return Step(
            before,
            after,
            Rule.INDUCTION,
            "two labels of 1 and -1 differ by 1 - y z: z differs from all k labels by k - z sum y",
            (sign * new,),
            conditions=signs,
            variable=COLUMNS,
        )

    def in_all(before: sp.Expr, after: sp.Expr, sign: int, place: int) -> Step:
        return Step(
            before,
            after,
            Rule.INDUCTION,
            "over the z, which are the same labels once more",
            (sign * last,),
            uses=(place,),
            conditions=(sp.Ge(sign * last, 0),),
            variable=ROWS,
        )

    mean = all_apart / _n**2
    half = (sp.Eq(ROWS, _n), sp.Eq(COLUMNS, _n), sp.Eq(total, 0))
    return Proof(
        (
            in_a_row(apart, said, 1),
            in_a_row(said, apart, -1),
            in_all(all_apart, whole, 1, 0),
            in_all(whole, all_apart, -1, 1),
            Step(
                mean,
                sp.S.One,
                Rule.POLYNOMIAL,
                "half of each: they add up to 0",
                uses=(2,),
                conditions=(*half, sp.Ge(all_apart, whole)),
            ),
            Step(
                sp.S.One,
                mean,
                Rule.POLYNOMIAL,
                "half of each: they add up to 0",
                uses=(3,),
                conditions=(*half, sp.Le(all_apart, whole)),
            ),
        ),
        "any even n",
        lhs=mean,
        rhs=sp.S.One,
    )


def v14c() -> Proof:
    """On a line the variation along the segments adds up gap by gap, and is least where f is monotone in each."""
    so_far, labels, sequence = reals("F y e")
    gaps = sp.Symbol("g", integer=True, nonnegative=True)
    gap, label_gap = so_far[ROW + 1] - so_far[ROW], sp.Abs(labels[ROW + 1] - labels[ROW])

    def over_gaps(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (ROW, 1, gaps))

    pairs = over_gaps(gap + sp.Sum(so_far[ROW + 1] - so_far[COLUMN], (COLUMN, 1, ROW - 1)))
    crossed = over_gaps(ROW * gap)
    stretched = gaps * so_far[gaps + 1] - sp.Sum(so_far[COLUMN], (COLUMN, 1, gaps))
    times = ROW * (gaps + 1 - ROW)
    weighted = over_gaps(times * gap)
    new_gap, new_label_gap = gap.subs(ROW, gaps + 1), label_gap.subs(ROW, gaps + 1)
    crossed_labels, weighted_labels = over_gaps(ROW * label_gap), over_gaps(times * label_gap)
    known = (sp.Ge(new_gap, new_label_gap),)
    n = gaps + 1
    lhs, rhs = 2 * pairs / n**2, 2 * weighted_labels / n**2
    step = sp.Abs(sequence[ROWS + 2] - sequence[ROWS + 1])
    return Proof(
        (
            Step(
                stretched,
                crossed,
                Rule.INDUCTION,
                "with F_i what f varies by from x_1 to x_i, and so F_i - F_j from x_j to x_i: of the pairs that one more point "
                "makes i go over gap i",
                variable=gaps,
            ),
            Step(
                pairs,
                weighted,
                Rule.INDUCTION,
                "so of all pairs, with n = g + 1 points, i (n - i) go over gap i",
                (stretched - crossed,),
                term=0,
                variable=gaps,
            ),
            Step(
                over_rows(sp.Abs(sequence[ROW + 1] - sequence[ROW])),
                sp.Abs(sequence[ROWS + 1] - sequence[1]),
                Rule.INDUCTION,
                "along a gap f, which takes values e_1, e_2, .. there, varies by no less than the labels differ",
                (step + sp.Abs(sequence[ROWS + 1] - sequence[1]) - sp.Abs(sequence[ROWS + 2] - sequence[1]),),
                variable=ROWS,
            ),
            Step(
                crossed,
                crossed_labels,
                Rule.INDUCTION,
                "so of the pairs that one more point makes, over all gaps",
                (n * (new_gap - new_label_gap),),
                uses=(2,),
                conditions=known,
                variable=gaps,
            ),
            Step(
                weighted,
                weighted_labels,
                Rule.INDUCTION,
                "and of all pairs",
                (crossed - crossed_labels, n * (new_gap - new_label_gap)),
                term=3,
                conditions=known,
                variable=gaps,
            ),
            Step(
                lhs,
                rhs,
                Rule.POLYNOMIAL,
                "the mean over all n^2 ordered pairs",
                uses=(1, 4),
                conditions=(sp.Ge(pairs, weighted), sp.Ge(weighted, weighted_labels)),
            ),
        ),
        "any function that varies finitely on the line",
        lhs=lhs,
        rhs=rhs,
    )


def v14d() -> Proof:
    """Up to the residuals, as in V14."""
    labels, first, second, residuals = reals("d s t R")
    (sizes,) = nonnegatives("a")
    gaps, row = sp.Symbol("g", integer=True, nonnegative=True), ROWS + 1
    off, square = over_all(sp.Abs(residuals[INDEX])), over_all(residuals[INDEX] ** 2)

    def both(pair: sp.Expr) -> sp.Expr:
        return sp.Abs(first[pair]) + sp.Abs(second[pair])

    outputs = over_columns(_changes(row, COLUMN))
    all_labels, all_off = over_rows(sp.Abs(labels[ROW])), over_rows(both(ROW))
    differs = (sp.Eq(outputs, labels[row] + first[row] - second[row]),)
    counted = sp.Sum(
        sizes[ROW + 1] + sizes[ROW] + sp.Sum(sizes[ROW + 1] + sizes[COLUMN], (COLUMN, 1, ROW - 1)), (ROW, 1, gaps)
    )
    root = sp.sqrt(square / COUNT)
    rows = _outputs(
        "pair by pair: f changes by e_ij over the pieces of a segment, in all by the difference of the outputs"
    )
    variation, ends = rows[-1].before, rows[-1].after
    lhs, rhs = 2 * variation / COUNT**2, 2 * all_labels / COUNT**2 - 2 * (1 - 1 / COUNT) * root
    return Proof(
        (
            *rows,
            Step(
                ends,
                all_labels - all_off,
                Rule.INDUCTION,
                "the outputs of a pair differ by their labels, d, and by their residuals, s and t",
                (sp.Abs(outputs) - sp.Abs(labels[row]) + both(row),),
                conditions=differs,
                variable=ROWS,
            ),
            Step(
                counted,
                gaps * (sp.Sum(sizes[ROW], (ROW, 1, gaps)) + sizes[gaps + 1]),
                Rule.INDUCTION,
                "over all pairs of n = g + 1 points a size that belongs to each stands in n - 1 of them",
                variable=gaps,
            ),
            cauchy_schwarz(
                reals("u")[0],
                reals("v")[0],
                "with u_i the sizes of the residuals and v_i = 1: n times the sum of the squares",
            ),
            Step(
                COUNT * root,
                off,
                Rule.POLYNOMIAL,
                "so the sizes add up to at most n sqrt L, n L the sum of the squares",
                uses=(5,),
                conditions=(sp.Ge(square * COUNT, off**2),),
            ),
            Step(
                lhs,
                rhs,
                Rule.POLYNOMIAL,
                "over all n^2 ordered pairs, twice each and once 0",
                uses=(2, 3, 4, 6),
                conditions=(
                    sp.Ge(variation, ends),
                    sp.Ge(ends, all_labels - all_off),
                    sp.Eq(all_off, (COUNT - 1) * off),
                    sp.Ge(COUNT * root, off),
                    sp.Ge(COUNT, 1),
                ),
            ),
        ),
        "any function that varies finitely along the segments, any dimension, any labels",
        lhs=lhs,
        rhs=rhs,
    )


def v26a() -> Proof:
    """What is left of two classes is as much if the limit is below both, or they are as large."""
    first, second, limit = sp.symbols("a b l", integer=True, positive=True)
    left = sp.Eq(sp.Min(first, limit), sp.Min(second, limit))
    reaches = sp.Or(sp.Eq(first, second), sp.And(sp.Le(limit, first), sp.Le(limit, second)))
    return Proof(
        (Step(left, reaches, Rule.IDENTITY, "case by case"),),
        "any two classes and any limit",
        lhs=left,
        rhs=reaches,
    )
