"""Proofs of the claims on what the measures take for smooth (V23 and V27)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, ROW, ROWS, nonnegatives, over_all, over_rows, reals, summed, triangle_inequality
from theory.proof import Proof, Rule, Step

_t = sp.Symbol("t", real=True)


def v23a() -> Proof:
    """A sum of sizes with shares above 0 is 0 where each of them is."""
    (shares,), (terms,) = nonnegatives("p"), reals("a")
    low, high = sp.symbols("l h", positive=True)
    size, new = sp.Abs(terms[ROW]), sp.Abs(terms[ROWS + 1])
    measure, sizes = over_rows(shares[ROW] * size), over_rows(size)
    none, all_zero = sp.Eq(measure, 0), sp.Eq(sizes, 0)
    return Proof(
        (
            Step(
                measure,
                low * sizes,
                Rule.INDUCTION,
                "each measure is a sum of p_i |a_i|, a_i being f' at a data point, the change of f along a piece between data "
                "points, the jump of f' at a knot between them, or w1 w2 of a unit; p_i its share, l at least",
                ((shares[ROWS + 1] - low) * new,),
                conditions=(sp.Ge(shares[ROWS + 1], low),),
                variable=ROWS,
            ),
            Step(
                high * sizes,
                measure,
                Rule.INDUCTION,
                "and h at most",
                ((high - shares[ROWS + 1]) * new,),
                conditions=(sp.Ge(high, shares[ROWS + 1]),),
                variable=ROWS,
            ),
            Step(
                none,
                all_zero,
                Rule.IDENTITY,
                "so one is 0 exactly where the other is: f' is 0 at all data, f does not change between them, has no knot "
                "between them, no unit has w1 w2 other than 0",
                uses=(0, 1),
                conditions=(sp.Ge(sizes, 0), sp.Ge(measure, low * sizes), sp.Ge(high * sizes, measure)),
            ),
        ),
        "one input; any data and number of units",
        lhs=none,
        rhs=all_zero,
    )


def v23b() -> Proof:
    """The slope at a place is a sum of w1 w2 over the units that are active there."""
    one, on = sp.symbols("c b", real=True)
    products, active = reals("c b")
    each = {one: products[INDEX], on: active[INDEX]}
    switch = (sp.Eq(on**2, on),)
    weights, sizes = over_all(sp.Abs(products[INDEX])), over_all(sp.Abs(products[INDEX] * active[INDEX]))
    slope = sp.Abs(over_all(products[INDEX] * active[INDEX]))
    triangle = triangle_inequality(reals("a")[0], "the triangle inequality for any number of terms", place=2)
    return Proof(
        (
            Step(
                sp.Abs(one),
                sp.Abs(one * on),
                Rule.POLYNOMIAL,
                "a unit is active, b = 1, and adds c = w1 w2 to the slope, or not, b = 0",
                conditions=switch,
            ),
            summed(sp.Abs(one), sp.Abs(one * on), each, "over all units", term=0, conditions=switch),
            *triangle,
            Step(
                weights,
                slope,
                Rule.POLYNOMIAL,
                "with a = b c: WP is no less than the sum of their sizes, and that no less than the size of their sum",
                uses=(1, 3),
                conditions=(sp.Ge(weights, sizes), sp.Ge(sizes, slope)),
            ),
        ),
        "any number of units, one input, any place",
        lhs=weights,
        rhs=slope,
    )


def v27() -> Proof:
    """The four values; which of them an instance speaks of is 1, the others are 0."""
    which = sp.symbols("a b c d", integer=True, nonnegative=True)
    line = sp.Integral(sp.Abs(sp.diff(_t, _t)), (_t, 0, 10))
    tooth = sp.Integral(0, (_t, 0, 5)) + sp.Integral(sp.Abs(sp.diff(2 * _t - 10, _t)), (_t, 5, 10))
    found = (line, tooth, line / 10, tooth / 10)
    lhs, rhs = (
        sum((one * value for one, value in zip(which, values, strict=True)), sp.Integer(0))
        for values in (found, (10, 10, 1, 1))
    )
    return Proof(
        (Step(lhs, rhs, Rule.IDENTITY, "TV is the integral of |f'| over [0, 10], GN the mean of |f'| over it"),),
        "the two functions and both measures, x uniform for GN",
        lhs=lhs,
        rhs=rhs,
    )


def v27a() -> Proof:
    """The mean of the squares is no less than the square of the mean."""
    (slopes,), (shares,) = reals("s"), nonnegatives("p")
    share, slope, new_share, new = shares[INDEX], slopes[INDEX], shares[COUNT + 1], slopes[COUNT + 1]
    whole, squares, rise = over_all(share), over_all(share * slope**2), over_all(share * slope)
    return Proof(
        (
            Step(
                squares * whole,
                rise**2,
                Rule.INDUCTION,
                "Cauchy-Schwarz, over the pieces of f with slopes s_i and shares p_i of the interval",
                (over_all(share * new_share * (slope - new) ** 2),),
                variable=COUNT,
                base=1,
            ),
            Step(
                squares,
                rise**2,
                Rule.POLYNOMIAL,
                "the shares add up to 1, and the rises along the pieces to f(b) - f(a)",
                uses=(0,),
                conditions=(sp.Ge(squares * whole, rise**2), sp.Eq(whole, 1)),
            ),
        ),
        "continuous piecewise-linear functions with any number of pieces",
        lhs=squares,
        rhs=rise**2,
    )


def v27b() -> Proof:
    """The tooth has slope 1/(1 - u) right of u, where two uniform points have a place t between them with 2 t (1 - t)."""
    u = sp.Symbol("u", nonnegative=True)
    lhs, rhs = sp.Integral(2 * _t * (1 - _t) / (1 - u), (_t, u, 1)), (1 - u) * (1 + 2 * u) / 3
    return Proof(
        (
            Step(
                lhs,
                rhs,
                Rule.IDENTITY,
                "a place t lies between two uniform points with probability 2 t (1 - t): PL0 is the integral of |g'| times "
                "that, as in B6.c",
                conditions=(sp.Lt(u, 1),),
            ),
        ),
        "any tooth, x uniform",
        lhs=lhs,
        rhs=rhs,
    )
