"""Proofs on energy and arc length: in each gap between data points, h are the widths of the pieces and d the changes of f."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    ROWS,
    both_ways,
    over_all,
    over_columns,
    over_rows,
    reals,
    summed,
)
from theory.proof import Proof, Rule, Step

_h = sp.Symbol("h", positive=True)
_d, _s = sp.symbols("d s", real=True)
_b, _c = sp.symbols("b c", positive=True)
_widths = sp.IndexedBase("h", positive=True)
_roots = sp.IndexedBase("b", positive=True)
(_changes, _slopes) = reals("d s")

_LAST = ROWS + 1
_COVERS = "any data, any number of pieces in each gap"


def _entry(row: sp.Expr) -> dict[sp.Symbol, sp.Expr]:
    """Return what h, d, s and b are in the j-th piece of a gap."""
    return {_h: _widths[row, COLUMN], _d: _changes[row, COLUMN], _s: _slopes[row], _b: _roots[row]}


def _of(term: sp.Expr, row: sp.Expr = ROW) -> sp.Expr:
    return term.subs(_entry(row), simultaneous=True)


def _in_gap(term: sp.Expr, row: sp.Expr = _LAST) -> sp.Expr:
    """Return the sum of a term over the pieces of a gap."""
    return over_columns(_of(term, row))


def _over_all(term: sp.Expr) -> sp.Expr:
    """Return the sum of a term over the pieces of all gaps."""
    return sp.Sum(_of(term), (COLUMN, 1, COLUMNS), (ROW, 1, ROWS))


def _gap(row: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return the width of a gap and the change of f over it."""
    return _in_gap(_h, row), _in_gap(_d, row)


def _chord(row: sp.Expr = _LAST) -> sp.Basic:
    """Return that s is the slope of the chord of a gap."""
    width, change = _gap(row)
    return sp.Eq(_slopes[row] * width, change)


def _wide() -> sp.Basic:
    return sp.Gt(_gap(_LAST)[0], 0)


def _energy(row: sp.Expr) -> sp.Expr:
    """Return D^2 / (2 H) = s D / 2, the energy of the chord of a gap."""
    return _slopes[row] * _gap(row)[1] / 2


def _length(row: sp.Expr) -> sp.Expr:
    width, change = _gap(row)
    return sp.sqrt(width**2 + change**2)


_own, _beside = _d**2 / (2 * _h), (_d - _s * _h) ** 2 / (2 * _h)
_arc, _tangent = sp.sqrt(_h**2 + _d**2), (_h + _s * _d) / _b
_ROOT = (sp.Eq(_b**2, 1 + _s**2),)


def _over_gaps(
    before: sp.Expr, after: sp.Expr, each: Step, number: int, because: str = "over all gaps, one more at a time"
) -> Step:
    """Return a step on the gap r + 1, that one side is at least the other, summed over all gaps."""
    return Step(
        before,
        after,
        Rule.INDUCTION,
        because,
        (each.before - each.after,),
        term=number,
        variable=ROWS,
        base=0,
        conditions=each.conditions,
    )


def pythagoras() -> Proof:
    """D5.a: on each gap d^2/(2h) = (d - s h)^2/(2h) + s d - s^2 h/2, and s is the mean slope."""
    width, change = _gap(_LAST)
    slope = _slopes[_LAST]
    apart = _in_gap(_beside) + slope * change - slope**2 * width / 2
    split = Step(
        _in_gap(_own),
        apart,
        Rule.INDUCTION,
        "d^2/(2h) = (d - s h)^2/(2h) + s d - s^2 h/2 on each piece of a gap",
        variable=COLUMNS,
        base=0,
    )
    conditions = (sp.Eq(_in_gap(_own), apart), _chord())
    together = _in_gap(_beside) + _energy(_LAST)
    one, back = both_ways(_in_gap(_own), together, "with s the slope of the chord", conditions=conditions, uses=(0,))
    lhs, rhs = _over_all(_own), over_rows(_energy(ROW)) + _over_all(_beside)
    return Proof(
        (split, one, back, _over_gaps(lhs, rhs, one, 1), _over_gaps(rhs, lhs, back, 2)), _COVERS, lhs=lhs, rhs=rhs
    )


def _tangents(number: int) -> tuple[Step, Step, Step]:
    """Return that the tangents at the slope of the chord sum to the chord: for pieces, for a gap both ways.

    Args:
        number: the number of the first step in its proof.
    """
    width, change = _gap(_LAST)
    slope, root = _slopes[_LAST], _roots[_LAST]
    total = (width + slope * change) / root
    summed = Step(
        _in_gap(_tangent),
        total,
        Rule.INDUCTION,
        "over the pieces of a gap",
        variable=COLUMNS,
        base=0,
    )
    conditions = (
        sp.Eq(_in_gap(_tangent), total),
        _chord(),
        _wide(),
        sp.Eq(root**2, 1 + slope**2),
    )
    one, back = both_ways(
        _in_gap(_tangent),
        _length(_LAST),
        "with s the slope of the chord and b = sqrt(1 + s^2), (H + s D) / b is the length of the chord",
        conditions=conditions,
        uses=(number,),
    )
    return summed, one, back


def shortest() -> Proof:
    """D5.b: sqrt(1 + t^2) has second derivative at least 1/c^3 where |t| is at most S, c = sqrt(1 + S^2)."""
    u, v, w = sp.symbols("u v w", real=True)
    kept = _beside / _c**3
    steep = (*_ROOT, sp.Ge(_c, _b), sp.Ge(_c * _h, _arc))
    root = Step(
        u,
        v + w**2 / (2 * u),
        Rule.POLYNOMIAL,
        "u - v >= (u^2 - v^2) / (2u), for u = b sqrt(h^2 + d^2) and v = h + s d, for which u^2 - v^2 = (d - s h)^2",
        conditions=(sp.Gt(u, 0), sp.Eq(u**2, v**2 + w**2)),
    )
    above = Step(
        _arc,
        _tangent + (_d - _s * _h) ** 2 / (2 * _arc * _b**2),
        Rule.POLYNOMIAL,
        "divided by b",
        conditions=(
            *_ROOT,
            sp.Ge(_b * _arc, _h + _s * _d + (_d - _s * _h) ** 2 / (2 * _b * _arc)),
        ),
        uses=(0,),
    )
    piece = Step(
        _arc,
        _tangent + kept,
        Rule.POLYNOMIAL,
        "and sqrt(h^2 + d^2) <= c h, b <= c",
        conditions=(*steep, sp.Ge(_arc, _tangent + (_d - _s * _h) ** 2 / (2 * _arc * _b**2))),
        uses=(1,),
    )
    entries = _entry(ROW)
    every = Step(
        _over_all(_arc),
        _over_all(_tangent + kept),
        Rule.SUM,
        "over all pieces",
        term=2,
        uses=(1,),
        conditions=tuple(condition.subs(entries, simultaneous=True) for condition in piece.conditions),
    )
    summed, one, _ = _tangents(4)
    joined = _joined(kept, _in_gap(_beside) / _c**3)
    gap = Step(
        joined.before,
        _length(_LAST) + _in_gap(_beside) / _c**3,
        Rule.POLYNOMIAL,
        "in one gap",
        conditions=(sp.Ge(_in_gap(_tangent), _length(_LAST)), sp.Eq(joined.before, joined.after)),
        uses=(5, 6),
    )
    lower = over_rows(_length(ROW)) + _over_all(_beside) / _c**3
    over = _over_gaps(every.after, lower, gap, 7)
    return Proof((root, above, piece, every, summed, one, joined, gap, over), _COVERS, lhs=every.before, rhs=lower)


def _joined(other: sp.Expr, summed: sp.Expr) -> Step:
    """Return that the sum of the tangents and of other terms in a gap is that of two sums."""
    return Step(
        _in_gap(_tangent + other),
        _in_gap(_tangent) + summed,
        Rule.INDUCTION,
        "two sums for one",
        variable=COLUMNS,
        base=0,
    )


def no_longer() -> Proof:
    """D6.a: the second derivative of sqrt(1 + t^2) is at most 1."""
    piece = Step(
        _tangent + _beside,
        _arc,
        Rule.POLYNOMIAL,
        "sqrt(1 + t^2) <= sqrt(1 + s^2) + s (t - s) / sqrt(1 + s^2) + (t - s)^2 / 2",
        conditions=_ROOT,
    )
    entries = _entry(ROW)
    every = Step(
        _over_all(_tangent + _beside),
        _over_all(_arc),
        Rule.SUM,
        "over all pieces",
        term=0,
        conditions=tuple(condition.subs(entries, simultaneous=True) for condition in _ROOT),
    )
    summed, _, back = _tangents(2)
    split, energies, *_ = pythagoras().steps
    joined = _joined(_beside, _in_gap(_beside))
    gap = Step(
        _length(_LAST) + _in_gap(_own) - _energy(_LAST),
        joined.before,
        Rule.POLYNOMIAL,
        "in one gap",
        conditions=(
            sp.Ge(_length(_LAST), _in_gap(_tangent)),
            sp.Ge(_in_gap(_own), energies.after),
            sp.Eq(joined.before, joined.after),
        ),
        uses=(3, 5, 6),
    )
    upper = over_rows(_length(ROW)) + _over_all(_own) - over_rows(_energy(ROW))
    steps = (piece, every, summed, back, split, replace(energies, uses=(4,)), joined, gap)
    return Proof((*steps, _over_gaps(upper, every.before, gap, 7)), _COVERS, lhs=every.after, rhs=upper)


def taylor() -> Proof:
    """D5.c: sqrt(1 + t^2) >= 1 + t^2/2 - t^4/8."""
    more, less = _d**4 / (8 * _h**3), _h + _own - _arc
    return _by_pieces(more, less, "sqrt(1 + t^2) >= 1 + t^2/2 - t^4/8, whatever t")


def above() -> Proof:
    """D5.d: sqrt(1 + t^2) <= 1 + t^2/2."""
    return _by_pieces(_h + _own, _arc, "1 + t^2 <= (1 + t^2/2)^2")


def _by_pieces(more: sp.Expr, less: sp.Expr, because: str) -> Proof:
    steps = (
        Step(more, less, Rule.POLYNOMIAL, because),
        Step(_over_all(more), _over_all(less), Rule.SUM, "over all pieces", term=0),
    )
    return Proof(steps, _COVERS, lhs=steps[1].after, rhs=steps[1].before)


_g = sp.Symbol("g", positive=True)
_gaps = sp.IndexedBase("g", positive=True)
(_rises, _heights) = sp.IndexedBase("d", real=True), sp.IndexedBase("p", positive=True)


def capacity() -> Proof:
    """D14.b: Cauchy and Schwarz, by induction over the rings."""
    rise, width = _rises[INDEX], _gaps[INDEX]
    new_rise, new_width = _rises[COUNT + 1], _gaps[COUNT + 1]
    costs, widths, rises = over_all(rise**2 / width), over_all(width), over_all(rise)
    product = Step(
        costs * widths,
        rises**2,
        Rule.INDUCTION,
        "Cauchy and Schwarz for d_j / sqrt(g_j) and sqrt(g_j), g the logarithms: on a ring E(u) / pi is d^2 / g",
        (over_all((rise / width - new_rise / new_width) ** 2 * width * new_width),),
        variable=COUNT,
        base=1,
    )
    divided = Step(
        costs,
        rises**2 / widths,
        Rule.POLYNOMIAL,
        "divided by the sum of the g_j, the logarithm of the ratio of the outer radii",
        conditions=(sp.Ge(costs * widths, rises**2), sp.Gt(widths, 0)),
        uses=(0,),
    )
    return Proof((product, divided), "any radii and levels", lhs=costs, rhs=divided.after)


def described() -> Proof:
    """D23.a: with p constant on a gap of width g its resistance R is g / p."""
    rise, height = sp.Symbol("d", real=True), sp.Symbol("p", positive=True)
    resistance = sp.Symbol("R", positive=True)
    resistances = sp.IndexedBase("R", positive=True)
    line, least = rise**2 * height / _g, rise**2 / resistance
    each = {rise: _rises[INDEX], height: _heights[INDEX], _g: _gaps[INDEX], resistance: resistances[INDEX]}
    known = (sp.Eq(resistance * height, _g),)
    one, back = both_ways(line, least, "int f_L'^2 p = (d / g)^2 p g, and R = int 1/p = g / p", conditions=known)
    to = summed(line, least, each, "over all gaps", term=0, conditions=known)
    fro = summed(least, line, each, "and the other way", term=1, conditions=known)
    return Proof((one, back, to, fro), "any data", lhs=to.before, rhs=to.after)


def chords_cost_least(because: str, covers: str) -> Proof:
    """Sum d^2/(2h) >= sum D^2/(2H) over gaps with pieces of widths h and changes d, H and D their sums.

    Args:
        because: what widths and changes are.
        covers: what the proof covers.
    """
    width, change = _gap(_LAST)
    slope = _slopes[_LAST]
    tangent = _s * _d - _s**2 * _h / 2
    piece = Step(_own, tangent, Rule.POLYNOMIAL, because)
    every = Step(_over_all(_own), _over_all(tangent), Rule.SUM, "over all pieces", term=0)
    total = slope * change - slope**2 * width / 2
    summed_up = Step(_in_gap(tangent), total, Rule.INDUCTION, "over the pieces of a gap", variable=COLUMNS, base=0)
    gap = Step(
        _in_gap(tangent),
        _energy(_LAST),
        Rule.POLYNOMIAL,
        "with s = D / H",
        conditions=(sp.Eq(_in_gap(tangent), total), _chord()),
        uses=(2,),
    )
    lower = over_rows(_energy(ROW))
    return Proof(
        (piece, every, summed_up, gap, _over_gaps(every.after, lower, gap, 3)), covers, lhs=every.before, rhs=lower
    )
