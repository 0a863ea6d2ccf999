"""Proofs of the claims on the interpolants whose derivative varies least: B10."""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from theory.beyond.critical_step_proofs import change_of_slope, hat
from theory.lemmas import INDEX, nonnegatives, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

_s, _t = sp.symbols("s t", real=True)
_l, _m, _r = sp.symbols("l m r", positive=True)


def b10a() -> Proof:
    """The derivative varies least exactly if each kink has the sign of the spline's at both data points beside it."""
    (arriving,) = reals("a")
    (shares,) = nonnegatives("h")
    size, lost, first, second = sp.symbols("c d h_j h_k", nonnegative=True)
    p, q, sizes = sp.symbols("p q R", nonnegative=True)
    rest = sp.Symbol("r", real=True)
    why = "a kink of f of size 1 at t changes the spline's slope at x_j = 0 by the hat function of x_j at t, with "
    return Proof(
        (
            Step(
                change_of_slope(_t, _l, _r), hat(_t, _l, _r), Rule.POLYNOMIAL, why + "neighbours at -l and r: at least"
            ),
            Step(
                hat(_t, _l, _r), change_of_slope(_t, _l, _r), Rule.POLYNOMIAL, why + "neighbours at -l and r: at most"
            ),
            Step(
                hat(_t, _l, _m) + hat(_t - _m, _m, _r),
                sp.Integer(1),
                Rule.POLYNOMIAL,
                "between two interior data points, 0 and m, their hats add up to 1",
                conditions=(sp.Ge(_t, 0), sp.Le(_t, _m)),
            ),
            Step(
                size,
                size * (first + second) + size * lost,
                Rule.POLYNOMIAL,
                "so a kink of size c costs what it brings to the one or two interior data points beside it, and c d more if "
                "their hats add up to 1 - d: d > 0 outside [x_2, x_{n-1}], where the hat of an end is missing",
                conditions=(sp.Eq(first + second, 1 - lost),),
            ),
            *triangle_inequality(
                arriving,
                "what the kinks bring to x_j, the a_i, add up to the spline's change of slope there; summed over j, "
                "TV(f') >= TV(f_L')",
                place=4,
            ),
            Step(
                over_all(sp.Abs(_s) * shares[INDEX]),
                sp.Abs(_s * over_all(shares[INDEX])),
                Rule.IDENTITY,
                "if all kinks that bring something to x_j have one sign s, the sizes add up to the change: nothing is lost at "
                "x_j, and this sign is that of the spline there",
            ),
            Step(
                sizes + p + q,
                sp.Abs(rest + p - q) + 2 * sp.Min(p, q),
                Rule.POLYNOMIAL,
                "if two of them have opposite signs, p > 0 and -q < 0, at least 2 min(p, q) > 0 is lost; r is the sum of the "
                "others and R that of their sizes. Where the spline does not bend the kinks cancel: two such or none",
                conditions=(sp.Ge(sizes, sp.Abs(rest)), sp.Gt(p, 0), sp.Gt(q, 0)),
            ),
        ),
        "any finite number of knots and data points: equality needs kinks in [x_2, x_{n-1}] only, and at each interior x_j "
        "one sign of all kinks between its neighbours, which is convexity, concavity or, where they must cancel, linearity",
    )


def b10b() -> Proof:
    """A minimiser lies below its chord and above the neighbouring lines, where both slope changes are positive."""
    value, left, right, share = sp.symbols("v s_- s_+ theta", real=True)
    start, end, low, high = sp.symbols("u w p q", real=True)
    chord = (1 - share) * start + share * end
    inside = (sp.Ge(share, 0), sp.Le(share, 1))
    steps = b10a()
    return Proof(
        (
            *steps.steps,
            Step(
                chord,
                value,
                Rule.POLYNOMIAL,
                "f is convex on [x_j, x_{j+1}]: with slopes p before and q >= p after t = x_j + theta l, it lies below "
                "its chord",
                conditions=(
                    *inside,
                    sp.Eq(value, start + low * share * _l),
                    sp.Eq(end, value + high * (1 - share) * _l),
                    sp.Ge(high, low),
                ),
            ),
            Step(
                value,
                sp.Max(start + left * share * _l, end - right * (1 - share) * _l),
                Rule.POLYNOMIAL,
                "and, convex on (x_{j-1}, x_{j+1}) and (x_j, x_{j+2}) too, it is on average at least as steep before t as "
                "in the interval before, and no steeper after t than in the interval after: it lies above the lines there",
                conditions=(
                    *inside,
                    sp.Eq(value, start + low * share * _l),
                    sp.Eq(end, value + high * (1 - share) * _l),
                    sp.Ge(low, left),
                    sp.Le(high, right),
                ),
            ),
        ),
        f"{steps.covers}; where both slope changes are negative, upside down; where they differ, f is convex and concave",
    )


def b10a_small() -> Proof:
    """The same for four points and two pieces to a data interval, over all reals at once."""
    slopes = sp.symbols("u_1 v_1 u_2 v_2 u_3 v_3", real=True)
    shares = sp.symbols("a b c", positive=True)
    pairs = list(zip(slopes[::2], slopes[1::2], strict=True))
    means = [share * u + (1 - share) * v for share, (u, v) in zip(shares, pairs, strict=True)]
    kinks = [after - before for before, after in pairwise(slopes)]
    changes = (means[1] - means[0], means[2] - means[1])
    inside = tuple(sp.Lt(share, 1) for share in shares)
    least = sum((sp.Abs(change) for change in changes), sp.Integer(0))
    minimal = (*inside, sp.Le(sum((sp.Abs(kink) for kink in kinks), sp.Integer(0)), least))
    around = ((kinks[1], 0), (kinks[2], 0), (kinks[2], 1), (kinks[3], 1))
    s = sp.symbols("s_1 s_2 s_3", real=True)
    (u, v), steps = pairs[1], (s[1] - s[0], s[2] - s[1])
    along = ((u - s[0], steps[0]), (v - u, steps[0]), (v - u, steps[1]), (s[2] - v, steps[1]))
    bends = (sp.And(sp.Ge(kink * step, 0), sp.Or(sp.Ne(step, 0), sp.Eq(kink, 0))) for kink, step in along)
    ends = tuple(
        Step(sp.Integer(0), sp.Abs(kink), Rule.POLYNOMIAL, f"f is linear on the {name} interval", conditions=minimal)
        for kink, name in ((kinks[0], "first"), (kinks[4], "last"))
    )
    turns = tuple(
        Step(kink * changes[j], sp.Integer(0), Rule.POLYNOMIAL, f"no kink turns against x_{j + 2}", conditions=minimal)
        for kink, j in around
    )
    flat = tuple(
        Step(
            sp.Integer(0),
            sp.Abs(kink),
            Rule.POLYNOMIAL,
            f"and there is none where the spline does not bend at x_{j + 2}",
            conditions=(*minimal, sp.Eq(changes[j], 0)),
        )
        for kink, j in around
    )
    enough = Step(
        sum((sp.Abs(step) for step in steps), sp.Integer(0)),
        sum((sp.Abs(kink) for kink in (u - s[0], v - u, s[2] - v)), sp.Integer(0)),
        Rule.POLYNOMIAL,
        "and where f is linear on the outer intervals and bends like that, it varies no more than the spline",
        conditions=(inside[1], sp.Eq(s[1], means[1]), *bends),
    )
    return Proof((*ends, *turns, *flat, enough), "four data points, at most one knot of f strictly between neighbours")
