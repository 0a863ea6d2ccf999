"""Proofs of the claims on jumps of the gradient, on splines and on the weights product (V6 to V9)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, nonnegatives, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

_u, _v, _w = sp.symbols("u v w", real=True)

_p, _q = sp.symbols("p q", nonnegative=True)

_l = sp.Symbol("l", positive=True)


def v6a() -> Proof:
    """Where one unit toggles alone, the gradient jumps by w2 times its input weights."""
    hidden, rest = reals("w1 G")
    return Proof(
        (
            Step(
                over_all(((rest[INDEX] + _w * hidden[INDEX]) - rest[INDEX]) ** 2),
                _w**2 * over_all(hidden[INDEX] ** 2),
                Rule.IDENTITY,
                "coordinate by coordinate: the gradient G of the other units does not change, the unit's own is w2 w1 on "
                "one side and 0 on the other",
            ),
        ),
        "any dimension",
    )


def v7() -> Proof:
    """The linear spline varies least among interpolants, and so does its derivative."""
    rise, fall = nonnegatives("p q")
    slopes, changes = reals("u d")
    (shares,) = nonnegatives("a")
    f = sp.Function("f", real=True)
    t = sp.Symbol("t", real=True)
    return Proof(
        (
            Step(
                _p + _q,
                sp.Abs(_p - _q),
                Rule.POLYNOMIAL,
                "TV(f): over a data interval f rises by p and falls by q in all; the spline, monotone there, varies by "
                "the difference, which is that of the data",
            ),
            Step(
                over_all(rise[INDEX] + fall[INDEX]),
                over_all(sp.Abs(rise[INDEX] - fall[INDEX])),
                Rule.SUM,
                "over all data intervals",
                term=0,
            ),
            *triangle_inequality(
                changes,
                "TV(f'): take one point in each data interval; the slopes of f there make a partition. Averaging one of "
                "them over its interval, with shares a_i of the pieces of slope u_i, against a neighbour's slope v: "
                "with d_i = a_i (v - u_i), the mean of |v - u_i| is at least |v - mean of u_i|",
                place=2,
            ),
            Step(
                over_all(shares[INDEX] * (_v - slopes[INDEX])),
                _v * over_all(shares[INDEX]) - over_all(shares[INDEX] * slopes[INDEX]),
                Rule.IDENTITY,
                "the shares add up to 1, so the sum of the d_i is v - mean of u_i; one interval after the other",
            ),
            Step(
                sp.Integral(sp.Derivative(f(t), t), (t, _u, _u + _l)) / _l,
                (f(_u + _l) - f(_u)) / _l,
                Rule.IDENTITY,
                "the mean of f' over a data interval is the slope of the spline there",
            ),
        ),
        "any continuous piecewise-linear interpolant, and with integrals for the means any absolutely continuous one; no "
        "smoothing, no mean value theorem",
    )


def v9a() -> Proof:
    """Jumps of f' at distinct knots inside the interval add up."""
    w1, w2 = sp.symbols("w1 w2", real=True)
    many1, many2, jumps = reals("w1 w2 u")
    return Proof(
        (
            Step(
                sp.Abs(sp.Abs(w1) * w2),
                sp.Abs(w1 * w2),
                Rule.IDENTITY,
                "a unit changes f' at its knot by |w1| w2, whichever side it is active on",
            ),
            Step(
                over_all(sp.Abs(sp.Abs(many1[INDEX]) * many2[INDEX])),
                over_all(sp.Abs(many1[INDEX] * many2[INDEX])),
                Rule.SUM,
                "over all units: the partition with one point between neighbouring knots, and one before and after them, "
                "adds up to WP",
                term=0,
            ),
            *triangle_inequality(
                jumps,
                "no partition adds up to more: a cell that the knots of several units lie in counts the size of the sum "
                "of their jumps",
                place=2,
            ),
        ),
        "any number of units",
    )


def v9b() -> Proof:
    """Whatever the knots, f' varies by at most WP."""
    (jumps,) = reals("u")
    inside, outside = sp.symbols("s r", nonnegative=True)
    return Proof(
        (
            *triangle_inequality(jumps, "units that meet at a knot: |sum of their jumps| is at most the sum", place=0),
            Step(
                inside + outside,
                inside,
                Rule.NONNEGATIVE,
                "knots at the ends or outside and units with w1 = 0 only add r >= 0 to WP",
                (outside,),
            ),
        ),
        "any number of units, any knots",
    )
