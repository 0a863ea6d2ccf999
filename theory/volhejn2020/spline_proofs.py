"""Proofs of the claims on jumps of the gradient, on splines and on the weights product (V6 to V9)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    INDEX,
    ROW,
    ROWS,
    nonnegatives,
    over_all,
    over_columns,
    over_rows,
    reals,
    triangle_in_a_row,
    triangle_in_rows,
)
from theory.proof import Proof, Rule, Step

_t = sp.Symbol("t", real=True)


def v6a() -> Proof:
    """Where one unit toggles alone, the gradient jumps by w2 times its input weights."""
    outputs, ahead, behind, own = reals("w A B h")
    (hidden,) = reals("H")
    at, by, one, other, w = sp.symbols("z y a b w_i", real=True)
    up, down, square = sp.Symbol("A_i", real=True), sp.Symbol("B_i", real=True), sp.Symbol("s", positive=True)
    coordinate, d = sp.Symbol("c", integer=True), sp.Symbol("d", integer=True, nonnegative=True)

    def others(c: sp.Expr) -> sp.Sum:
        return over_rows(outputs[ROW] * hidden[ROW, c] * (ahead[ROW] - behind[ROW]))

    def over_coordinates(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (coordinate, 1, d))

    new = outputs[ROWS + 1] * hidden[ROWS + 1, coordinate] * (ahead[ROWS + 1] - behind[ROWS + 1])
    same = (sp.Eq(ahead[ROWS + 1], behind[ROWS + 1]),)
    jump = over_coordinates((others(coordinate) + w * own[coordinate] * (up - down)) ** 2)
    alone = w**2 * over_coordinates(own[coordinate] ** 2)
    last = (others(d + 1) + w * own[d + 1] * (up - down)) ** 2 - w**2 * own[d + 1] ** 2
    known = (sp.Eq(others(d + 1), 0), sp.Or(sp.Eq(up - down, 1), sp.Eq(own[d + 1], 0)))

    def nothing_else(before: sp.Expr, after: sp.Expr, certificate: sp.Expr) -> Step:
        return Step(
            before,
            after,
            Rule.INDUCTION,
            "so the other units add nothing to the change of the gradient, in any coordinate",
            (certificate,),
            uses=(0,),
            conditions=same,
            variable=ROWS,
        )

    def squared(before: sp.Expr, after: sp.Expr, certificate: sp.Expr) -> Step:
        return Step(
            before,
            after,
            Rule.INDUCTION,
            "coordinate by coordinate the gradient, the sum over units of w2 w1 where they are active, changes by w2 w1 of "
            "the one unit",
            (certificate,),
            uses=(1, 2, 3),
            conditions=known,
            variable=d,
        )

    return Proof(
        (
            Step(
                sp.Integer(0),
                (one - other) ** 2,
                Rule.POLYNOMIAL,
                "a unit whose pre-activation z at the point is not 0 is active on both sides, or on neither: a = b, 1 where it "
                "is active and 0 elsewhere, with so small a step to either side that it changes z by y, |y| < |z|",
                conditions=(
                    sp.Lt(sp.Abs(by), sp.Abs(at)),
                    sp.Or(sp.And(sp.Eq(one, 1), sp.Gt(at + by, 0)), sp.And(sp.Eq(one, 0), sp.Le(at + by, 0))),
                    sp.Or(sp.And(sp.Eq(other, 1), sp.Gt(at - by, 0)), sp.And(sp.Eq(other, 0), sp.Le(at - by, 0))),
                ),
            ),
            nothing_else(sp.Integer(0), others(coordinate), -new),
            nothing_else(others(coordinate), sp.Integer(0), new),
            Step(
                sp.Integer(0),
                (up - down - 1) ** 2,
                Rule.POLYNOMIAL,
                "the unit itself has z = 0, and on the two sides s and -s, s a positive multiple of ||w1||^2: it is active on "
                "one of them (a unit with w1 = 0 has no gradient)",
                conditions=(
                    sp.Or(sp.And(sp.Eq(up, 1), sp.Gt(square, 0)), sp.And(sp.Eq(up, 0), sp.Le(square, 0))),
                    sp.Or(sp.And(sp.Eq(down, 1), sp.Gt(-square, 0)), sp.And(sp.Eq(down, 0), sp.Le(-square, 0))),
                ),
            ),
            squared(jump, alone, last),
            squared(alone, jump, -last),
        ),
        "any dimension and number of units",
        lhs=jump,
        rhs=alone,
    )


def slopes_in_an_interval(place: int) -> tuple[Step, Step, Step, Step]:
    """Return that between two data points f' changes by no less than its first and its last slope are off their mean.

    Args:
        place: the number of the first of the four steps in its proof, counted from 0.
    """
    slopes, around = reals("u z")
    (shares,) = nonnegatives("a")
    point, most = sp.Symbol("w", integer=True, nonnegative=True), sp.Symbol("V", nonnegative=True)
    first, last = sp.Symbol("F", real=True), sp.Symbol("L", real=True)
    k = COLUMNS
    step = sp.Abs(around[COLUMN + 1] - around[COLUMN])
    forth = sp.Sum(step, (COLUMN, 1, point))
    on = sp.Sum(step, (COLUMN, 1, point + k))
    start, middle, end = around[1], around[point + 1], around[point + k + 1]
    weighted, whole = over_columns(shares[COLUMN] * slopes[COLUMN]), over_columns(shares[COLUMN])
    apart = over_columns(shares[COLUMN] * (sp.Abs(slopes[COLUMN] - first) + sp.Abs(last - slopes[COLUMN])))
    off = sp.Abs(weighted - first * whole) + sp.Abs(last * whole - weighted)
    new = shares[k + 1] * (sp.Abs(slopes[k + 1] - first) + sp.Abs(last - slopes[k + 1]))
    new_off = (
        sp.Abs(weighted + shares[k + 1] * slopes[k + 1] - first * (whole + shares[k + 1]))
        + sp.Abs(last * (whole + shares[k + 1]) - weighted - shares[k + 1] * slopes[k + 1])
        - off
    )
    return (
        Step(
            forth,
            sp.Abs(middle - start),
            Rule.INDUCTION,
            "TV(f'): along slopes z_1, z_2, .. the changes up to a place add up to the distance from z_1 at least",
            (sp.Abs(around[point + 2] - middle) + sp.Abs(middle - start) - sp.Abs(around[point + 2] - start),),
            variable=point,
        ),
        Step(
            on,
            sp.Abs(middle - start) + sp.Abs(end - middle),
            Rule.INDUCTION,
            "and all changes to the distances from there to the first and to the last slope",
            (sp.Abs(around[point + k + 2] - end) + sp.Abs(end - middle) - sp.Abs(around[point + k + 2] - middle),),
            uses=(place,),
            conditions=(sp.Ge(forth, sp.Abs(middle - start)),),
            variable=k,
        ),
        Step(
            most * whole,
            apart,
            Rule.INDUCTION,
            "averaged over the places, with the lengths a_j of the pieces of an interval as shares: F and L its first and "
            "last slope, V its changes",
            (shares[k + 1] * most - new,),
            uses=(place + 1,),
            conditions=(sp.Ge(most, sp.Abs(slopes[k + 1] - first) + sp.Abs(last - slopes[k + 1])),),
            variable=k,
        ),
        Step(
            apart,
            off,
            Rule.INDUCTION,
            "and by the triangle inequality the mean distances are no less than those of the mean",
            (new - new_off,),
            variable=k,
        ),
    )


def v7() -> Proof:
    """The linear spline varies least among interpolants, and so does its derivative."""
    changes, means, lines = reals("e x y")
    order = sp.Symbol("o", integer=True, nonnegative=True)
    r, q = sp.symbols("n q", integer=True, nonnegative=True)

    def within(row: sp.Expr) -> sp.Sum:
        return sp.Sum(sp.Abs(lines[row, COLUMN + 1] - lines[row, COLUMN]), (COLUMN, 1, q))

    def over_intervals(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (ROW, 1, r))

    def joint(row: sp.Expr) -> sp.Expr:
        return sp.Abs(lines[row + 1, 1] - lines[row, q + 1])

    def mean_off(row: sp.Expr) -> sp.Expr:
        return sp.Abs(means[row] - lines[row, 1]) + sp.Abs(lines[row, q + 1] - means[row])

    bent = over_intervals(within(ROW)) + within(r + 1) + over_intervals(joint(ROW))
    chords = over_intervals(sp.Abs(means[ROW + 1] - means[ROW]))
    left_over = sp.Abs(lines[r + 1, q + 1] - means[r + 1])
    rows = triangle_in_rows(
        lambda row, column: changes[row, column],
        "TV(f): over a data interval f changes by e_ij over its pieces, and the spline by their sum, as both meet the data",
        place=0,
    )
    total, straight = rows[-1].before, rows[-1].after
    lhs = (1 - order) * total + order * bent
    rhs = (1 - order) * straight + order * chords
    return Proof(
        (
            *rows,
            *slopes_in_an_interval(place=3),
            Step(
                bent,
                chords + left_over,
                Rule.INDUCTION,
                "so in each interval the changes of f' are no less than the distances from its first and its last slope to "
                "their mean m, which is the slope of the spline: between the means of neighbours lies no more than f' varies "
                "by",
                (
                    within(r + 2)
                    + joint(r + 1)
                    - sp.Abs(means[r + 2] - means[r + 1])
                    + left_over
                    - left_over.subs(r, r + 1),
                ),
                uses=(5, 6),
                conditions=(sp.Ge(within(r + 2), mean_off(r + 2)), sp.Ge(within(1), mean_off(1))),
                variable=r,
            ),
            Step(
                lhs,
                rhs,
                Rule.POLYNOMIAL,
                "TV(f) for o = 0, TV(f') for o = 1",
                uses=(2, 7),
                conditions=(sp.Le(order, 1), sp.Ge(total, straight), sp.Ge(bent, chords + left_over)),
            ),
        ),
        "any continuous piecewise-linear interpolant; no smoothing, no mean value theorem",
        lhs=lhs,
        rhs=rhs,
    )


def examples() -> Proof:
    """The values printed for two examples; which of them an instance speaks of is 1, the others are 0."""
    which = sp.symbols("a b c h p q", integer=True, nonnegative=True)
    parabola, half = (_t**2 - 1) / 2, sp.Rational(1, 2)
    slope = sp.diff(parabola, _t)
    turns = (
        sp.Abs(slope.subs(_t, -1) + 1)
        + sp.Integral(sp.Abs(sp.diff(slope, _t)), (_t, -1, 1))
        + sp.Abs(1 - slope.subs(_t, 1))
    )
    spline_turns = sp.Abs(0 - sp.Integer(-1)) + sp.Abs(1 - sp.Integer(0))

    def variation(middle: sp.Expr) -> sp.Expr:
        outside = sp.Integral(sp.Abs(sp.Integer(-1)), (_t, -2, -1)), sp.Integral(1, (_t, 1, 2))
        return outside[0] + sp.Integral(sp.Abs(sp.diff(middle, _t)), (_t, -1, 1)) + outside[1]

    rise = sp.diff(2 * _t - 1, _t)
    hinge = sp.Integral(0, (_t, 0, half)) + sp.Integral(rise, (_t, half, 1)), sp.Abs(rise - 0)
    found = (turns, spline_turns, variation(parabola), variation(0 * _t), *hinge)
    lhs, rhs = (
        sum((one * value for one, value in zip(which, values, strict=True)), sp.Integer(0))
        for values in (found, (2, 2, 3, 2, 1, 2))
    )
    return Proof(
        (
            Step(
                lhs,
                rhs,
                Rule.IDENTITY,
                "f' varies by the integral of |f''| and by its jumps, f by the integral of |f'|, piece by piece: of the "
                "parabola f' and that of its spline, f and the spline, of the hinge f and f'",
            ),
        ),
        "the printed values; the hinge's line goes from 0 to 1 without a turn",
        lhs=lhs,
        rhs=rhs,
    )


def v9a() -> Proof:
    """Jumps of f' at distinct knots inside the interval add up."""
    w1, w2 = sp.symbols("w1 w2", real=True)
    many = {w1: sp.IndexedBase("w1", real=True)[INDEX], w2: sp.IndexedBase("w2", real=True)[INDEX]}
    jump, size = sp.Abs(w2 * (w1 + sp.Abs(w1)) / 2) + sp.Abs(w2 * (sp.Abs(w1) - w1) / 2), sp.Abs(w1 * w2)
    because = (
        "a unit alone at its knot changes f' by w1 w2 on the way to it, or by -w1 w2 behind it, as w1 > 0 or w1 < 0"
    )
    over = "over all units: between the knots and at the ends f' does not change"
    jumps, sizes = over_all(jump.subs(many)), over_all(size.subs(many))
    return Proof(
        (
            Step(jump, size, Rule.POLYNOMIAL, because),
            Step(size, jump, Rule.POLYNOMIAL, because),
            Step(jumps, sizes, Rule.SUM, over, term=0),
            Step(sizes, jumps, Rule.SUM, over, term=1),
        ),
        "any number of units",
        lhs=jumps,
        rhs=sizes,
    )


def _product(row: sp.Expr, column: sp.Expr) -> sp.Expr:
    """Return the jump of f' that unit j of knot i makes, |w1| w2."""
    w1, w2 = reals("w1 w2")
    return sp.Abs(w1[row, column]) * w2[row, column]


def _weights_product() -> tuple[sp.Expr, sp.Expr]:
    """Return WP of the units with a knot, grouped by knots, and of the others."""
    (w1, w2), (other1, other2) = reals("w1 w2"), reals("v1 v2")
    sizes = over_rows(over_columns(sp.Abs(w1[ROW, COLUMN] * w2[ROW, COLUMN])))
    return sizes, over_all(sp.Abs(other1[INDEX] * other2[INDEX]))


def v9b() -> Proof:
    """Whatever the knots, f' varies by at most WP."""
    sizes, others = _weights_product()
    rows = triangle_in_rows(
        _product,
        "units that meet at a knot: the size of the sum of their jumps is at most the sum of the sizes",
        place=0,
    )
    return Proof(
        (
            *rows,
            Step(
                sizes,
                rows[-1].before,
                Rule.IDENTITY,
                "a unit changes f' at its knot by |w1| w2, whichever side it is active on",
            ),
            Step(
                sizes + others,
                sizes,
                Rule.NONNEGATIVE,
                "units with a knot at an end or outside and units with w1 = 0 only add to WP",
                (others,),
            ),
        ),
        "any number of units, any knots",
        lhs=rows[-1].after,
        rhs=sizes + others,
    )


def v9d() -> Proof:
    """The mean variation of f' between two uniform points is at most half of WP."""
    share = sp.IndexedBase("u", nonnegative=True)
    v, w = sp.symbols("v w", real=True)
    sizes, others = _weights_product()
    row = ROWS + 1
    jump, total = over_columns(sp.Abs(_product(row, COLUMN))), sp.Abs(over_columns(_product(row, COLUMN)))
    meeting = sp.Abs(over_columns(_product(ROW, COLUMN)))

    def between(u: sp.Expr) -> sp.Expr:
        return 2 * u * (1 - u)

    mean = over_rows(sp.Integral(2, (v, 0, share[ROW]), (w, share[ROW], 1)) * meeting)
    closed = over_rows(between(share[ROW]) * meeting)
    half = over_rows(over_columns(sp.Abs(_product(ROW, COLUMN)))) / 2
    return Proof(
        (
            *triangle_in_a_row(_product, "the units that meet at a knot", place=0),
            Step(
                jump / 2,
                between(share[row]) * total,
                Rule.POLYNOMIAL,
                "2 u (1 - u) is at most 1/2",
                uses=(1,),
                conditions=(sp.Ge(jump, total),),
            ),
            Step(
                half,
                closed,
                Rule.INDUCTION,
                "over all knots",
                (jump / 2 - between(share[row]) * total,),
                term=2,
                conditions=(sp.Ge(jump, total),),
                variable=ROWS,
            ),
            Step(
                mean,
                closed,
                Rule.IDENTITY,
                "a knot at share u of [a, b] lies between two uniform points with probability 2 u (1 - u), whichever is the "
                "first",
            ),
            Step(
                sizes / 2,
                half,
                Rule.IDENTITY,
                "a unit changes f' at its knot by |w1| w2, whichever side it is active on",
            ),
            Step(
                (sizes + others) / 2,
                sizes / 2,
                Rule.NONNEGATIVE,
                "units with a knot at an end or outside and units with w1 = 0 only add to WP",
                (others / 2,),
            ),
        ),
        "any number of units, any knots, the uniform distribution",
        lhs=mean,
        rhs=(sizes + others) / 2,
    )
