"""Proofs of the claims on the interpolants whose derivative varies least: B10.

f has kinks of sizes c_i, and h_ij is the hat function of the interior data point x_j at kink i. The spline through the same
data changes its slope at x_j by the sum of the c_i h_ij, so that f' varies more than the spline's derivative by
the sum of |c_i| less that of the sizes of these: the excess.
"""

from __future__ import annotations

import sympy as sp

from theory.beyond.critical_step_proofs import change_of_slope, hat
from theory.lemmas import COUNT, INDEX, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_t = sp.Symbol("t", real=True)
_l, _m, _r = sp.symbols("l m r", positive=True)
_kinks, _hats, _signs = reals("c h s")
_place = sp.Symbol("j", integer=True)
_points = (_place, 1, sp.Symbol("N", integer=True, positive=True))
_arriving = over_all(_kinks[INDEX] * _hats[INDEX, _place])
_own, _spline = over_all(sp.Abs(_kinks[INDEX])), sp.Sum(sp.Abs(_arriving), _points)
_excess, _flattest = _own - _spline, sp.Le(_own, _spline)


def _lost() -> tuple[Step, ...]:
    """Return what the excess is made of: steps 0 to 4 of a proof."""
    size, first, second, left, right = sp.symbols("c q p h k", real=True)
    why = "a kink of f of size 1 at t changes the spline's slope at x_j = 0 by the hat function of x_j at t, with "
    signs = tuple(sp.And(sp.Le(sign, 1), sp.Ge(sign, -1)) for sign in (first, second))
    return (
        Step(change_of_slope(_t, _l, _r), hat(_t, _l, _r), Rule.POLYNOMIAL, why + "neighbours at -l and r: at least"),
        Step(hat(_t, _l, _r), change_of_slope(_t, _l, _r), Rule.POLYNOMIAL, why + "neighbours at -l and r: at most"),
        Step(
            sp.Integer(1),
            hat(_t, _l, _m) + hat(_t - _m, _m, _r),
            Rule.POLYNOMIAL,
            "the hats of neighbouring data points, 0 and m, add up to at most 1; no others reach between them",
        ),
        Step(
            sp.Abs(size),
            size * (first * left + second * right),
            Rule.POLYNOMIAL,
            "a kink c, h and k the hats of the interior data points beside it, q and p the signs of the spline's changes there",
            conditions=(*signs, sp.Ge(left, 0), sp.Ge(right, 0), sp.Le(left + right, 1)),
            uses=(0, 1, 2),
        ),
        Step(
            sp.Sum(_signs[_place] * _arriving, _points),
            over_all(_kinks[INDEX] * sp.Sum(_signs[_place] * _hats[INDEX, _place], _points)),
            Rule.INDUCTION,
            "s_j the sign of the spline's change at x_j: the changes' sizes add up to the sum of c_i (q h + p k), so that the "
            "excess is the sum of what is lost at each kink, |c| - c (q h + p k) >= 0",
            variable=COUNT,
            base=1,
            uses=(3,),
        ),
    )


def b10a() -> Proof:
    """The derivative varies least exactly if each kink has the sign of the spline's at both data points beside it."""
    size, first, second, left, right = sp.symbols("a q p g k", real=True)
    lost = sp.Abs(size) - size * (first * left + second * right)
    signs = tuple(sp.Or(sp.Eq(sign, 1), sp.Eq(sign, 0), sp.Eq(sign, -1)) for sign in (first, second))
    given = (*signs, sp.Ge(left, 0), sp.Ge(right, 0), sp.Le(left + right, 1))
    beside = (sp.Or(sp.Eq(h, 0), sp.Gt(sign * size, 0)) for h, sign in ((left, first), (right, second)))
    shape = sp.Or(sp.Eq(size, 0), sp.And(sp.Eq(left + right, 1), *beside))
    return Proof(
        (
            *_lost(),
            Step(
                shape,
                _flattest,
                Rule.POLYNOMIAL,
                "a kink loses no more than all of them: where nothing is lost its hats add up to 1, so that it lies in "
                "[x_2, x_{n-1}], and it bends as the spline does at each x_j between whose neighbours it lies: there f is "
                "convex or concave, and linear where the spline does not bend",
                conditions=(*given, sp.Ge(_excess, lost)),
                uses=(4,),
            ),
            Step(
                _flattest,
                shape,
                Rule.POLYNOMIAL,
                "and where the one of the m kinks that loses most is like that, nothing is lost",
                conditions=(*given, sp.Le(_excess, COUNT * lost)),
                uses=(4,),
            ),
        ),
        "any finite number of knots and data points",
        lhs=_flattest,
        rhs=shape,
    )


def b10b() -> Proof:
    """A minimiser lies below its chord and above the neighbouring lines, where both slope changes are positive."""
    share = sp.Symbol("theta", nonnegative=True)
    size, weight, part = sp.symbols("c w g", real=True)
    most = sp.Symbol("K", nonnegative=True)
    weights, parts = reals("w g")
    many = {size: _kinks[INDEX], weight: weights[INDEX], part: parts[INDEX]}
    within = (sp.Le(weight, most * (1 + part)), sp.Ge(weight, -most * (1 - part)))
    bend, start, end = (sp.Max(0, place - _t) for place in (share * _l, sp.Integer(0), _l))
    before, after = sp.Max(0, -_r - _t), sp.Max(0, _l + _m - _t)
    inside = (sp.Le(share, 1),)
    total = over_all(_kinks[INDEX] * weights[INDEX])
    printed = sp.Ge(total, 0)
    why = "max(0, x - t), what a kink of size 1 at t adds to f, at x = theta l between the data points 0 and l"
    return Proof(
        (
            *_lost(),
            Step(
                (1 - share) * start + share * end,
                bend,
                Rule.POLYNOMIAL,
                f"{why}: no more than its chord",
                conditions=inside,
            ),
            Step(
                bend,
                start + (start - before) / _r * share * _l,
                Rule.POLYNOMIAL,
                f"{why}: no less than the line through its values at -r and 0",
                conditions=inside,
            ),
            Step(
                bend,
                end - (after - end) / _m * (1 - share) * _l,
                Rule.POLYNOMIAL,
                f"{why}: no less than the line through its values at l and l + m",
                conditions=inside,
            ),
            Step(
                size * weight,
                -most * (sp.Abs(size) - size * part),
                Rule.POLYNOMIAL,
                "a kink c, w what it adds to how far f lies inside the triangle at a place, as in the last three steps, or -1 "
                "or 1 against its sign if none may be where it is; g = q h + p k. What it takes away is at most K times what "
                "is lost at it: where it takes away anything g is not its sign",
                conditions=within,
                uses=(5, 6, 7),
            ),
            summed(
                size * weight,
                -most * (sp.Abs(size) - size * part),
                many,
                "over all kinks",
                term=8,
                conditions=within,
            ),
            Step(
                printed,
                _flattest,
                Rule.POLYNOMIAL,
                "so f lies inside by at least -K times the excess, at the place where it is the least",
                conditions=(sp.Ge(total, -most * _excess),),
                uses=(4, 9),
            ),
        ),
        "any finite number of knots and data points; where both slope changes are negative, upside down",
        lhs=_flattest,
        rhs=printed,
    )
