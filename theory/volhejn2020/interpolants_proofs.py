"""Proofs of the claims on the smoothest interpolants (V21 and V25)."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from theory.lemmas import COLUMN, COLUMNS, ROW, ROWS, cauchy_schwarz, nonnegatives, over_columns, over_rows, reals
from theory.proof import Proof, Rule, Step
from theory.volhejn2020.spline_proofs import slopes_in_an_interval

(_means, _lines) = reals("x y")
_n, _q = sp.symbols("n q", integer=True, nonnegative=True)


def _within(row: sp.Expr) -> sp.Sum:
    """Return the changes of f' in an interval between data points: of its q + 1 slopes there."""
    return sp.Sum(sp.Abs(_lines[row, COLUMN + 1] - _lines[row, COLUMN]), (COLUMN, 1, _q))


def _joint(row: sp.Expr) -> sp.Expr:
    """Return the change of f' at the data point behind an interval."""
    return sp.Abs(_lines[row + 1, 1] - _lines[row, _q + 1])


def _first_off(row: sp.Expr) -> sp.Expr:
    return sp.Abs(_means[row] - _lines[row, 1])


def _last_off(row: sp.Expr) -> sp.Expr:
    return sp.Abs(_lines[row, _q + 1] - _means[row])


def _chord(row: sp.Expr) -> sp.Expr:
    """Return the change of the spline's slope at the data point behind an interval."""
    return sp.Abs(_means[row + 1] - _means[row])


def v25a() -> Proof:
    """What is monotone between the data varies least, and only that."""
    rise, fall = nonnegatives("p q")
    up, down = sp.symbols("u v", nonnegative=True)
    both = 2 * sp.Min(rise[ROW], fall[ROW])
    missed = rise[ROW] + fall[ROW] - sp.Abs(rise[ROW] - fall[ROW])
    variation, least = over_rows(rise[ROW] + fall[ROW]), over_rows(sp.Abs(rise[ROW] - fall[ROW]))
    lost, turned = over_rows(missed), over_rows(both)
    because = (
        "in one interval f rises by p and falls by q: of p + q the spline, which goes straight, lacks twice the lesser"
    )
    one, twice = up + down - sp.Abs(up - down), 2 * sp.Min(up, down)
    new, new_twice = missed.subs(ROW, ROWS + 1), both.subs(ROW, ROWS + 1)
    attained, monotone = sp.Eq(variation, least), sp.Eq(turned, 0)
    return Proof(
        (
            Step(one, twice, Rule.POLYNOMIAL, because),
            Step(twice, one, Rule.POLYNOMIAL, because),
            Step(lost, turned, Rule.INDUCTION, "over all intervals", (new - new_twice,), term=0, variable=ROWS),
            Step(turned, lost, Rule.INDUCTION, "over all intervals", (new_twice - new,), term=1, variable=ROWS),
            Step(variation - least, lost, Rule.IDENTITY, "that is the variation of f less that of the spline"),
            Step(
                attained,
                monotone,
                Rule.IDENTITY,
                "f is monotone in an interval exactly if the lesser of its rise and its fall is 0: in all if the sum is 0",
                uses=(2, 3, 4),
                conditions=(sp.Eq(variation - least, turned),),
            ),
        ),
        "any function that varies finitely",
        lhs=attained,
        rhs=monotone,
    )


def v25() -> Proof:
    """What is monotone between the data varies least."""
    both_ways = v25a()
    return replace(both_ways, lhs=both_ways.rhs, rhs=both_ways.lhs)


def v21a() -> Proof:
    """Between any two data points f' varies by no less than the spline's, so it does over all pairs."""
    r, index = ROWS, sp.Symbol("g", integer=True)
    last, new = r + 1, r + 2

    def to_a_point(size: sp.Expr, first: sp.Expr, second: sp.Expr) -> sp.Expr:
        """Return sum i first_i over i = 1..size and sum i second_i over i = 1..size - 1."""
        return sp.Sum(ROW * first, (ROW, 1, size)) + sp.Sum(ROW * second, (ROW, 1, size - 1))

    reached = to_a_point(last, _within(ROW), _joint(ROW))
    spline = sp.Sum(ROW * _chord(ROW), (ROW, 1, r))
    known = tuple(sp.Ge(_within(row), _first_off(row) + _last_off(row)) for row in (new, sp.Integer(1)))
    more = (
        new * (_within(new) - _first_off(new) - _last_off(new)),
        _first_off(new),
        last * (_joint(last) + _first_off(new) + _last_off(last) - _chord(last)),
    )
    pairs = sp.Sum(to_a_point(index, _within(ROW), _joint(ROW)), (index, 1, r))
    spline_pairs = sp.Sum(sp.Sum(ROW * _chord(ROW), (ROW, 1, index - 1)), (index, 1, r))
    weighted = over_rows(ROW * (r - ROW) * _chord(ROW))
    lhs, rhs = 2 * pairs / last**2, 2 * weighted / last**2
    return Proof(
        (
            *slopes_in_an_interval(place=0),
            Step(
                reached,
                spline + last * _last_off(last),
                Rule.INDUCTION,
                "to one data point from all before it: interval i lies on the way from i of them, the point behind it too. In "
                "each interval f' changes by no less than its first and its last slope are off the spline's, and so between "
                "the slopes of the spline",
                more,
                uses=(2, 3),
                conditions=known,
                variable=r,
            ),
            Step(
                pairs,
                spline_pairs,
                Rule.INDUCTION,
                "over all data points: the pairs are those of the points before, and those of the last one",
                (reached - spline - last * _last_off(last), last * _last_off(last)),
                term=4,
                conditions=known,
                variable=r,
            ),
            Step(
                spline_pairs,
                weighted,
                Rule.INDUCTION,
                "of which j (r - j) go over the data point behind interval j, r = n - 1",
                variable=r,
            ),
            Step(
                lhs,
                rhs,
                Rule.POLYNOMIAL,
                "the mean over all n^2 ordered pairs",
                uses=(5, 6),
                conditions=(sp.Ge(pairs, spline_pairs), sp.Eq(spline_pairs, weighted)),
            ),
        ),
        "any continuous piecewise-linear interpolant",
        lhs=lhs,
        rhs=rhs,
    )


def v21b() -> Proof:
    """What the labels miss an affine function by, seen from each data point, the gradient has to turn for."""
    jumps, along, labels, weights = reals("u v y c")
    affine, offsets, misses = reals("q b d")
    (turns, seen), most = nonnegatives("T e"), sp.IndexedBase("M", positive=True)
    jump, length = sp.symbols("s w", nonnegative=True)
    product = sp.Symbol("p", real=True)
    k, r, row = COLUMNS, ROWS, ROWS + 1

    def square(term: sp.Expr) -> sp.Sum:
        """Return the sum of a term in i and j over all pairs of r points."""
        return sp.Sum(term, (COLUMN, 1, r), (ROW, 1, r))

    def to_all(term: sp.Expr) -> sp.Sum:
        """Return the sum of a term in i and j over i = 1..r and all k points j."""
        return over_rows(over_columns(term))

    both = turns[ROW, COLUMN] - seen[ROW, COLUMN] - seen[COLUMN, ROW]
    more = both.subs({ROW: row, COLUMN: row}, simultaneous=True)
    to_new, from_new = (sp.Sum(both.subs(one, row), (other, 1, r)) for one, other in ((ROW, COLUMN), (COLUMN, ROW)))
    total, missed = over_columns(seen[row, COLUMN]), over_columns(misses[row, COLUMN])
    label, zero = over_columns(weights[COLUMN] * labels[COLUMN]), over_columns(weights[COLUMN])
    flat = over_columns(weights[COLUMN] * affine[row, COLUMN])
    n = sp.Symbol("n", integer=True, positive=True)
    least = over_rows(sp.Abs(label) / most[ROW])
    enough = (sp.Ge(most[row] * seen[row, k + 1], sp.Abs(misses[row, k + 1])),)
    known = (
        sp.Ge(most[row] * total, sp.Abs(missed)),
        sp.Eq(missed, label - flat - offsets[row] * zero),
        sp.Eq(zero, 0),
        sp.Eq(flat, 0),
    )
    pairs, all_seen = square(turns[ROW, COLUMN]), to_all(seen[ROW, COLUMN])
    lhs, rhs = pairs / n**2, 2 * least / n**2
    return Proof(
        (
            cauchy_schwarz(jumps, along, "for a jump u of the gradient on the segment along v"),
            Step(
                jump * length,
                sp.Abs(product),
                Rule.POLYNOMIAL,
                "so the derivative along it jumps by no more than |u| times |v|",
                uses=(0,),
                conditions=(sp.Ge(jump**2 * length**2, product**2),),
            ),
            *slopes_in_an_interval(place=2),
            Step(
                pairs,
                square(seen[ROW, COLUMN] + seen[COLUMN, ROW]),
                Rule.INDUCTION,
                "with T_ij what the gradient varies by from i to j, and e_ij what y_j is off the affine function that has the "
                "label and the gradient of i, over |x_j - x_i|: T_ij is no less than what is missed from both ends",
                (to_new, from_new, more),
                uses=(1, 4, 5),
                conditions=(sp.Ge(to_new, 0), sp.Ge(from_new, 0), sp.Ge(more, 0)),
                variable=r,
            ),
            Step(
                square(seen[ROW, COLUMN] + seen[COLUMN, ROW]),
                2 * square(seen[ROW, COLUMN]),
                Rule.INDUCTION,
                "each of them twice",
                variable=r,
            ),
            Step(
                most[row] * total,
                sp.Abs(missed),
                Rule.INDUCTION,
                "seen from point i, with d_ij c_j times what y_j is off, and M_i the largest |c_j| |x_j - x_i|",
                (most[row] * seen[row, k + 1] - sp.Abs(missed + misses[row, k + 1]) + sp.Abs(missed),),
                conditions=enough,
                variable=k,
            ),
            Step(
                over_columns(weights[COLUMN] * (labels[COLUMN] - affine[row, COLUMN] - offsets[row])),
                label - flat - offsets[row] * zero,
                Rule.IDENTITY,
                "with q_ij the gradient of i times x_j, and b_i = y_i - q_ii",
            ),
            Step(
                total,
                sp.Abs(label) / most[row],
                Rule.POLYNOMIAL,
                "an affine dependence takes no notice of affine functions: sum c_j = 0 and sum c_j q_ij = 0",
                uses=(8, 9),
                conditions=known,
            ),
            Step(
                all_seen,
                least,
                Rule.INDUCTION,
                "over all points i",
                (total - sp.Abs(label) / most[row],),
                term=10,
                conditions=known,
                variable=r,
            ),
            Step(
                lhs,
                rhs,
                Rule.POLYNOMIAL,
                "over all n^2 pairs",
                uses=(6, 7, 11),
                conditions=(sp.Ge(pairs, 2 * all_seen), sp.Ge(all_seen, least)),
            ),
        ),
        "two-layer networks with any number of inputs, units and data points",
        lhs=lhs,
        rhs=rhs,
    )


def v25b() -> Proof:
    """What f' varies by more than the spline's comes of turning between the data, and of passing them out of order."""
    (slopes,) = reals("u")
    (shares,) = nonnegatives("a")
    share, most = sp.Symbol("alpha", positive=True), sp.Symbol("V", nonnegative=True)
    first, last = sp.symbols("F L", real=True)
    forth, on, _, triangle = slopes_in_an_interval(place=0)
    k, r = COLUMNS, _n

    def sizes(place: sp.Expr) -> sp.Expr:
        return sp.Abs(slopes[place] - first) + sp.Abs(last - slopes[place])

    whole = over_columns(shares[COLUMN])

    def turned(row: sp.Expr) -> sp.Expr:
        return _within(row) - sp.Abs(_lines[row, _q + 1] - _lines[row, 1])

    def passed(row: sp.Expr) -> sp.Expr:
        return _last_off(row) + _joint(row) + _first_off(row + 1) - _chord(row)

    def over_intervals(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (ROW, 1, r))

    one = sp.Integer(1)
    bent = over_intervals(_within(ROW)) + _within(r + 1) + over_intervals(_joint(ROW))
    chords = over_intervals(_chord(ROW))
    inner = over_intervals(turned(ROW)) + turned(r + 1) + over_intervals(passed(ROW)) + _first_off(one)
    excess = inner + _last_off(r + 1)
    known = tuple(sp.Ge(_within(row), _first_off(row) + _last_off(row) + share * turned(row)) for row in (r + 2, one))
    return Proof(
        (
            forth,
            on,
            Step(
                most * whole,
                over_columns(shares[COLUMN] * sizes(COLUMN)) + shares[1] * (most - sp.Abs(last - first)),
                Rule.INDUCTION,
                "averaged over the places, with the lengths a_j of the pieces of an interval as shares: F and L its first and "
                "last slope, V its changes; at the first of them the distances are those of F and L",
                (shares[k + 1] * (most - sizes(k + 1)),),
                uses=(1,),
                conditions=(sp.Ge(most, sizes(k + 1)), sp.Eq(slopes[1], first)),
                variable=k,
                base=1,
            ),
            triangle,
            Step(
                bent - chords,
                share * inner + _last_off(r + 1),
                Rule.INDUCTION,
                "so in each interval f' changes by what its first and its last slope are off their mean, the slope of the "
                "spline, and a share alpha, that of its first piece at least, of what it turns",
                (
                    _within(r + 2) - _first_off(r + 2) - _last_off(r + 2) - share * turned(r + 2),
                    (1 - share) * passed(r + 1),
                ),
                uses=(2, 3),
                conditions=(*known, sp.Le(share, 1)),
                variable=r,
            ),
            Step(
                excess,
                bent - chords,
                Rule.INDUCTION,
                "and by no more than all of it",
                (_first_off(r + 2) + _last_off(r + 2) - sp.Abs(_lines[r + 2, _q + 1] - _lines[r + 2, 1]),),
                variable=r,
            ),
            Step(
                sp.Eq(bent, chords),
                sp.Eq(excess, 0),
                Rule.IDENTITY,
                "one vanishes exactly where the other does: f' is monotone in each interval, passes the data in order, and "
                "begins and ends as the spline",
                uses=(4, 5),
                conditions=(
                    sp.Le(share, 1),
                    sp.Ge(bent - chords, share * inner + _last_off(r + 1)),
                    sp.Ge(excess, bent - chords),
                ),
            ),
        ),
        "any continuous piecewise-linear interpolant",
        lhs=sp.Eq(bent, chords),
        rhs=sp.Eq(excess, 0),
    )
