"""Proofs of B23: multipliers of the pieces, summed by parts, and Cauchy and Schwarz for the residuals."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.arc_length_proofs import chords_cost_least
from theory.lemmas import COUNT, INDEX, both_ways, cauchy_schwarz, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_g = sp.Symbol("g", positive=True)
_d, _q, _a, _b = sp.symbols("d q a b", real=True)
_allowed = sp.Symbol("T", nonnegative=True)
_mu = sp.Symbol("mu", nonnegative=True)
_c = sp.Symbol("c", nonnegative=True)
_cosines = sp.IndexedBase("c", nonnegative=True)
_widths = sp.IndexedBase("g", positive=True)
(_changes, _multipliers, _targets, _residuals, _padded) = reals("d q e r Q")
_FALL = _padded[INDEX] - _padded[INDEX + 1]


def _over_points(term: sp.Expr) -> sp.Sum:
    """Return the sum of a term over the m + 1 data points."""
    return sp.Sum(term, (INDEX, 1, COUNT + 1))


def _by_parts(of: sp.IndexedBase) -> Step:
    """Return sum Q_{i+1} (r_{i+1} - r_i) summed by parts; Q is q with a 0 before it and one behind."""
    pieces = over_all(_padded[INDEX + 1] * (of[INDEX + 1] - of[INDEX]))
    ends = _padded[COUNT + 2] * of[COUNT + 1] - _padded[1] * of[1]
    return Step(
        pieces,
        _over_points(_FALL * of[INDEX]) + ends,
        Rule.INDUCTION,
        "summed by parts, Q_1 = Q_{m+2} = 0 and Q_{i+1} = q_i",
        variable=COUNT,
        base=1,
    )


def _bound(own: sp.Expr, tangent: sp.Expr, because: str, conditions: tuple[sp.Basic, ...] = ()) -> Proof:
    """Return that the sum of costs of the changes is at least what their tangents and the residuals leave.

    Args:
        own: the cost of a piece, in g and d.
        tangent: the tangent less q d, in g and q.
        because: why the cost is at least q d and the tangent.
        conditions: of this.
    """
    each = {_g: _widths[INDEX], _d: _changes[INDEX], _q: _multipliers[INDEX], _c: _cosines[INDEX]}
    (p,) = reals("p")
    piece = Step(own, _q * _d + tangent, Rule.POLYNOMIAL, because, conditions=conditions)
    every = summed(own, _q * _d + tangent, each, "over all pieces", term=2, conditions=conditions)
    kept = over_all(
        (_q * sp.Symbol("e", real=True) + tangent).subs({**each, sp.Symbol("e", real=True): _targets[INDEX]})
    )
    parts = _by_parts(_residuals)
    moved = over_all(_multipliers[INDEX] * (_residuals[INDEX + 1] - _residuals[INDEX]))
    along, falls = _over_points(_FALL * _residuals[INDEX]), _over_points(_FALL**2)
    squares = _over_points(_residuals[INDEX] ** 2)
    last = Step(
        every.after,
        kept - sp.sqrt(falls * _allowed),
        Rule.POLYNOMIAL,
        "the changes d are those of the targets, e, and of the residuals r, sum r_i^2 <= T = n e: sum p_i r_i >= -|p| |r|",
        conditions=(
            sp.Eq(every.after, kept + moved),
            sp.Eq(moved, along),
            sp.Ge(falls * squares, along**2),
            sp.Le(squares, _allowed),
            sp.Ge(falls, 0),
            sp.Ge(squares, 0),
        ),
        uses=(0, 1),
    )
    schwarz = cauchy_schwarz(p, _residuals, "Cauchy and Schwarz, for p_i = Q_i - Q_{i+1} and the residuals")
    return Proof(
        (schwarz, parts, piece, every, last),
        "any data, multipliers and training error",
        lhs=every.before,
        rhs=last.after,
    )


def least_energy() -> Proof:
    """B23: d^2/(2g) >= q d - g q^2/2."""
    return _bound(_d**2 / (2 * _g), -_g * _q**2 / 2, "(d - g q)^2 >= 0")


def least_length() -> Proof:
    """B23.a: sqrt(g^2 + d^2) >= q d + g c, c = sqrt(1 - q^2)."""
    return _bound(
        sp.sqrt(_g**2 + _d**2),
        _g * _c,
        "Cauchy and Schwarz for (g, d) and (c, q), c = sqrt(1 - q^2)",
        (sp.Eq(_c**2 + _q**2, 1),),
    )


def with_a_density() -> Proof:
    """B23.b: the linear spline of f as a function of the integral of 1/p."""
    return chords_cost_least(
        "(d - s h)^2 >= 0, on a piece where p and f' are constant, h the integral of 1/p and d the change of f: half the "
        "integral of f'^2 p is d^2/(2h)",
        "any data, density with steps, and number of pieces",
    )


def optimal() -> Proof:
    """B23.c: expand around z; the mixed terms vanish."""
    a, b, q, u, v = reals("a b q u v")
    whole, apart = (_a + _b) ** 2 / (2 * _g), _a**2 / (2 * _g) + _b**2 / (2 * _g) + _q * _b
    each = {_a: a[INDEX], _b: b[INDEX], _q: q[INDEX], _g: _widths[INDEX]}
    slope = (sp.Eq(_q * _g, _a),)
    one, back = both_ways(
        whole, apart, "q = a / g, the slope of z on a piece; a and b the changes of z and w - z", slope
    )
    to = summed(whole, apart, each, "over all pieces", term=0, conditions=slope)
    fro = summed(apart, whole, each, "and the other way", term=1, conditions=slope)
    squares, mine, other = (over_all(term) for term in ((u[INDEX] + v[INDEX]) ** 2, u[INDEX] ** 2, v[INDEX] ** 2))
    mixed = over_all(u[INDEX] * v[INDEX])
    points = Step(
        squares,
        mine + other + 2 * mixed,
        Rule.INDUCTION,
        "u = z - y and v = w - z",
        variable=COUNT,
        base=1,
    )
    more = {COUNT: COUNT + 1}
    costs, own, theirs = (
        to.before,
        over_all(a[INDEX] ** 2 / (2 * _widths[INDEX])),
        over_all(b[INDEX] ** 2 / (2 * _widths[INDEX])),
    )
    crossed, along = over_all(q[INDEX] * b[INDEX]), _over_points(_FALL * v[INDEX])
    lhs = costs + _mu / 2 * squares.subs(more)
    rhs = own + _mu / 2 * mine.subs(more) + theirs + _mu / 2 * other.subs(more)
    known = (
        sp.Eq(costs, own + theirs + crossed),
        sp.Eq(squares.subs(more), mine.subs(more) + other.subs(more) + 2 * mixed.subs(more)),
        sp.Eq(crossed, along),
        sp.Eq(along, -_mu * mixed.subs(more)),
    )
    words = "summed by parts the mixed terms are sum (q_{i-1} - q_i) v_i = -mu sum u_i v_i, as z solves the system"
    forth, again = both_ways(lhs, rhs, words, known, (2, 3, 4, 5))
    return Proof(
        (one, back, to, fro, points, _by_parts(v), forth, again),
        "any data, values and multiplier",
        lhs=lhs,
        rhs=rhs,
    )
