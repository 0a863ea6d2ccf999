"""Proofs of the claims beyond the papers: B1 on interpolants and B7 on minima that do not interpolate."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, nonnegatives, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

_l, _r = sp.symbols("l r", positive=True)
_t = sp.Symbol("t", real=True)


def hat(t: sp.Expr, left: sp.Expr, right: sp.Expr) -> sp.Expr:
    """Return the hat function of 0 at t: 1 at 0, linear on either side, 0 from -left and from right on."""
    return sp.Max(0, sp.Min((t + left) / left, (right - t) / right))


def change_of_slope(t: sp.Expr, left: sp.Expr, right: sp.Expr) -> sp.Expr:
    """Return the change of slope at 0 of the spline through x -> max(x - t, 0) at -left, 0 and right."""
    values = [sp.Max(x - t, 0) for x in (-left, sp.Integer(0), right)]
    return (values[2] - values[1]) / right - (values[1] - values[0]) / left


def b1a() -> Proof:
    """No interpolant has less weighted curvature than the spline, weighed with the lower limits of g."""
    a, b, a2, b2, low, high = sp.symbols("a b a_2 b_2 g_j g_k", nonnegative=True)
    share = sp.Symbol("theta", nonnegative=True)
    g = sp.Symbol("g", nonnegative=True)
    inside = sp.Min(a + (b - a) * share, a2 + (b2 - a2) * share)
    (arriving,) = reals("a")
    why = (
        "a kink of f at t changes the spline's slope at x_j = 0 by its height times the hat function of x_j at t, with "
    )
    (kinks,) = reals("c")
    hats, weights, lowest = nonnegatives("h g G")
    number, place = sp.Symbol("N", integer=True, positive=True), sp.Symbol("j", integer=True)
    points = (place, 1, number)
    arriving_at = over_all(kinks[INDEX] * hats[INDEX, place])
    brought = over_all(sp.Abs(kinks[INDEX]) * hats[INDEX, place])
    shared = sp.Sum(lowest[place] * hats[INDEX, place], points)
    own, each = over_all(sp.Abs(kinks[INDEX]) * weights[INDEX]), over_all(sp.Abs(kinks[INDEX]) * shared)
    every = sp.Sum(lowest[place] * brought, points)
    spline = sp.Sum(lowest[place] * sp.Abs(arriving_at), points)
    return Proof(
        (
            Step(
                inside,
                (1 - share) * sp.Min(a, a2) + share * sp.Min(b, b2),
                Rule.POLYNOMIAL,
                "between neighbouring data points g- and g+ are linear, so g, the smaller of them, lies above its chord "
                "at a knot (1 - theta) x_j + theta x_k",
                conditions=(sp.Le(share, 1),),
            ),
            Step(
                g,
                (1 - share) * low + share * high,
                Rule.POLYNOMIAL,
                "so g is at least the shares 1 - theta and theta of its lower limits g_* at the two data points, which are at "
                "most the limits a and b of g there",
                conditions=(
                    sp.Le(share, 1),
                    sp.Ge(g, (1 - share) * a + share * b),
                    sp.Ge(a, low),
                    sp.Ge(b, high),
                ),
                uses=(0,),
            ),
            Step(
                sp.Min(a, b),
                sp.Min(sp.Min(a, b2), sp.Min(a2, b)),
                Rule.POLYNOMIAL,
                "a kink on a data point: g- is continuous from the left (a), g+ from the right (b), so g = min(a, b) is at "
                "least the lower of the limits min(a, b_2) and min(a_2, b) of g",
            ),
            Step(
                change_of_slope(_t, _l, _r),
                hat(_t, _l, _r),
                Rule.POLYNOMIAL,
                why + "neighbours at -l and r: at least",
            ),
            Step(
                hat(_t, _l, _r), change_of_slope(_t, _l, _r), Rule.POLYNOMIAL, why + "neighbours at -l and r: at most"
            ),
            *triangle_inequality(
                arriving,
                "the kinks' shares a_i at x_j add up to the spline's change of slope there, so their sizes add up to at "
                "least its size",
                place=5,
            ),
            Step(
                own,
                each,
                Rule.INDUCTION,
                "kink by kink: its hats are the shares 1 - theta and theta at the interior data points beside it, and 0 at all "
                "others, so its weight g is at least the sum over j of G_j h_ij, G_j = g_*(x_j)",
                (sp.Abs(kinks[COUNT + 1]) * (weights[COUNT + 1] - shared.subs(INDEX, COUNT + 1)),),
                variable=COUNT,
                base=1,
                conditions=tuple(sp.Ge(weights[i], shared.subs(INDEX, i)) for i in (sp.Integer(1), COUNT + 1)),
                uses=(1, 2, 4),
            ),
            Step(each, every, Rule.INDUCTION, "the same, data point by data point", variable=COUNT, base=1),
            Step(
                every,
                spline,
                Rule.INDUCTION,
                "and at each of them the sizes of what arrives add up to at least the spline's change of slope",
                (lowest[number + 1] * (brought - sp.Abs(arriving_at)).subs(place, number + 1),),
                variable=number,
                base=1,
                conditions=tuple(
                    sp.Ge(brought.subs(place, j), sp.Abs(arriving_at.subs(place, j)))
                    for j in (sp.Integer(1), number + 1)
                ),
                uses=(3, 6),
            ),
        ),
        "any finite number of knots and data points; kinks outside the data cost nothing and arrive nowhere inside",
        lhs=own,
        rhs=spline,
    )
