"""Proofs of the claims of Volhejn 2020."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, cauchy_schwarz, nonnegatives, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

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
