"""Proofs of the claims of Volhejn 2020."""

from __future__ import annotations

import sympy as sp

from theory.proof import Proof, Rule, Step
from theory.proofs.lemmas import COUNT, INDEX, cauchy_schwarz, nonnegatives, over_all, reals, triangle_inequality

_u, _v, _w = sp.symbols("u v w", real=True)
_p, _q = sp.symbols("p q", nonnegative=True)
_l = sp.Symbol("l", positive=True)


def v1() -> Proof:
    """No curve is shorter than the distance of its ends, and a straight one is as short."""
    u, v = reals("u v")
    edge, distance = nonnegatives("l r")
    first, second = sp.symbols("P Q", nonnegative=True)
    product = sp.Symbol("R", real=True)
    squared = first + 2 * product + second
    grown = distance[COUNT] + edge[COUNT + 1]
    return Proof(
        (
            cauchy_schwarz(u, v, "Cauchy-Schwarz in any dimension, by induction over the coordinates"),
            Step(
                sp.sqrt(first) + sp.sqrt(second),
                sp.sqrt(squared),
                Rule.POLYNOMIAL,
                "the triangle inequality ||u|| + ||v|| >= ||u + v||, with P, Q and R the sums of u_i^2, v_i^2 and u_i v_i",
                conditions=(sp.Ge(first * second, product**2), sp.Ge(squared, 0)),
            ),
            Step(
                over_all(edge[INDEX]),
                distance[COUNT],
                Rule.INDUCTION,
                "a partition with m cells: l_i = ||f(t_i) - f(t_{i-1})|| add up to at least r_m = ||f(t_m) - f(a)||, by "
                "the triangle inequality from one cell to the next; TV(f) is the supremum of such sums",
                (grown - distance[COUNT + 1],),
                conditions=(sp.Ge(grown, distance[COUNT + 1]), sp.Ge(edge[1], distance[1])),
                variable=COUNT,
                base=1,
            ),
            Step(
                over_all(sp.Abs(_w) * edge[INDEX]),
                sp.Abs(_w) * over_all(edge[INDEX]),
                Rule.IDENTITY,
                "the straight line attains it: |w| times the cells of any partition of its parameter adds up to |w|",
            ),
        ),
        "any curve in any dimension",
    )


def v1a() -> Proof:
    """A scalar function has the smallest variation for its ends exactly if it is weakly monotone."""
    (steps,) = nonnegatives("p")
    (others,) = reals("a")
    rest, sizes = sp.Symbol("r", real=True), sp.Symbol("R", nonnegative=True)
    return Proof(
        (
            Step(
                over_all(sp.Abs(_w) * steps[INDEX]),
                sp.Abs(_w * over_all(steps[INDEX])),
                Rule.IDENTITY,
                "if f is monotone its changes over the cells of a partition are w p_i with one sign w and p_i >= 0: their "
                "sizes add up to |f(b) - f(a)|",
            ),
            *triangle_inequality(
                others, "the changes over any other cells: R = sum |a_i| >= |r|, r their sum", place=1
            ),
            Step(
                sizes + _p + _q,
                sp.Abs(rest + _p - _q) + 2 * sp.Min(_p, _q),
                Rule.POLYNOMIAL,
                "else f rises by p > 0 over one cell and falls by q > 0 over another: the partition exceeds "
                "|f(b) - f(a)| by at least 2 min(p, q) > 0",
                conditions=(sp.Ge(sizes, sp.Abs(rest)), sp.Gt(_p, 0), sp.Gt(_q, 0)),
            ),
        ),
        "any scalar function: if it is monotone every partition telescopes, else one exceeds the total change",
    )


def v3() -> Proof:
    """The mean of |f'| over an interval is the variation of f there, divided by the length."""
    slope, start = reals("w u")
    (length,) = nonnegatives("p")
    change = sp.Abs(_w * (_u + _p) - _w * _u)
    changes = sp.Abs(slope[INDEX] * (start[INDEX] + length[INDEX]) - slope[INDEX] * start[INDEX])
    return Proof(
        (
            Step(
                sp.Integral(sp.Abs(_w), (_v, _u, _u + _p)),
                change,
                Rule.IDENTITY,
                "one piece of slope w and length p: the integral of |f'| is |f(end) - f(start)|, its variation (V1.a)",
            ),
            Step(_p * sp.Abs(_w), change, Rule.IDENTITY, "the same, with the integral of a constant in closed form"),
            Step(
                over_all(length[INDEX] * sp.Abs(slope[INDEX])),
                over_all(changes),
                Rule.SUM,
                "over all pieces, and both divided by b - a",
                term=1,
            ),
        ),
        "continuous piecewise-linear functions with any number of pieces",
    )


def v4a() -> Proof:
    """Sampling at equidistant points misses at most (b - a) TV(f') / (2 (n - 1)) of the variation."""
    rise, fall, up, s, total = sp.symbols("P N s_+ s V", nonnegative=True)
    cells = {symbol: sp.IndexedBase(symbol.name, nonnegative=True)[INDEX] for symbol in (rise, fall, s, _p, _q)}
    bound, missed = _l * (_p + _q) / 2, rise + fall - sp.Abs(rise - fall)
    conditions = (sp.Le(rise, _p * s), sp.Le(fall, _q * (_l - s)), sp.Le(s, _l))
    n, a, b = sp.Symbol("n", integer=True, positive=True), sp.Symbol("a", real=True), sp.Symbol("b", real=True)
    return Proof(
        (
            Step(
                bound,
                missed,
                Rule.POLYNOMIAL,
                "a cell of length l: f rises by P <= p s in all, over a length s with f' at most p, and falls by "
                "N <= q (l - s), with f' at least -q; its variation is P + N, its sample |P - N|",
                conditions=conditions,
            ),
            Step(
                over_all(bound.subs(cells)),
                over_all(missed.subs(cells)),
                Rule.SUM,
                "over all cells",
                term=0,
                conditions=tuple(condition.subs(cells) for condition in conditions),
            ),
            Step(
                (b - a) / (2 * (n - 1)) * total,
                _l / 2 * up,
                Rule.POLYNOMIAL,
                "p + q is what f' varies by between two points of a cell, so the sum s_+ of p + q over the cells is at "
                "most V = TV(f'); and l = (b - a)/(n - 1)",
                conditions=(sp.Ge(n, 2), sp.Eq(_l * (n - 1), b - a), sp.Le(up, total)),
            ),
        ),
        "any absolutely continuous function whose derivative has bounded variation; p and q are those of the cells on "
        "which f is not monotone, for the others miss nothing",
    )


def v5a() -> Proof:
    """A gradient without variation is constant."""
    total = sp.Symbol("T", nonnegative=True)
    before, between, after = sp.symbols("p d q", nonnegative=True)
    return Proof(
        (
            Step(
                sp.Integer(0),
                between,
                Rule.POLYNOMIAL,
                "the partition (a, s, t, b) through two points: the gradient's changes add up to at most T = TV = 0, so "
                "its distance d at s and t is 0; at the ends the gradient equals its values nearby",
                conditions=(sp.Ge(total, before + between + after), sp.Eq(total, 0)),
            ),
        ),
        "any function whose gradient is continuous at the ends of the segment; the converse is that every sum is one of 0s",
    )


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
