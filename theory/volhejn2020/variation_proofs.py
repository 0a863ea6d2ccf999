"""Proofs of the claims of Volhejn 2020."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    INDEX,
    ROW,
    ROWS,
    cauchy_schwarz,
    nonnegatives,
    over_all,
    over_columns,
    over_rows,
    reals,
    triangle_in_a_row,
    triangle_in_rows,
)
from theory.proof import Proof, Rule, Step

_u, _v = sp.symbols("u v", real=True)
_l = sp.Symbol("l", positive=True)


def v1() -> Proof:
    """No curve is shorter than the distance of its ends."""
    d, coordinate = sp.Symbol("d", integer=True, positive=True), sp.Symbol("c", integer=True)
    (edges,) = reals("e")

    def over_coordinates(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (coordinate, 1, d))

    so_far, edge = over_rows(edges[ROW, coordinate]), edges[ROWS + 1, coordinate]
    first, second = over_coordinates(so_far**2), over_coordinates(edge**2)
    product, both = over_coordinates(so_far * edge), over_coordinates((so_far + edge) ** 2)
    apart, joined = sp.sqrt(first) + sp.sqrt(second), sp.sqrt(both)
    variation = over_rows(sp.sqrt(over_coordinates(edges[ROW, coordinate] ** 2)))
    distance = sp.sqrt(first)
    known = (sp.Eq(both, first + 2 * product + second), sp.Ge(first * second, product**2))
    return Proof(
        (
            cauchy_schwarz(
                reals("u")[0], reals("v")[0], "Cauchy-Schwarz in any dimension, by induction over the coordinates"
            ),
            Step(both, first + 2 * product + second, Rule.IDENTITY, "the square of the length of a sum"),
            Step(
                apart,
                joined,
                Rule.POLYNOMIAL,
                "the triangle inequality, for the way through r edges and one more: u_c and v_c are their coordinates",
                uses=(0, 1),
                conditions=known,
            ),
            Step(
                variation,
                distance,
                Rule.INDUCTION,
                "by induction over the edges of a curve, or the cells of a partition; TV(f) is the supremum of such sums",
                (apart - joined,),
                term=2,
                conditions=known,
                variable=ROWS,
            ),
        ),
        "any curve in any dimension; the straight line attains it",
        lhs=variation,
        rhs=distance,
    )


def v1a() -> Proof:
    """A scalar function has the smallest variation for its ends exactly if it is weakly monotone."""
    rise, fall = nonnegatives("p q")
    rises, falls = over_all(rise[INDEX]), over_all(fall[INDEX])
    variation = over_all(rise[INDEX] + fall[INDEX])
    least = sp.Eq(variation, sp.Abs(rises - falls))
    monotone = sp.Or(sp.Eq(rises, 0), sp.Eq(falls, 0))
    return Proof(
        (
            Step(variation, rises + falls, Rule.IDENTITY, "the changes over the cells are rises p_i or falls q_i"),
            Step(
                least,
                monotone,
                Rule.IDENTITY,
                "P + Q = |P - Q| exactly if P or Q, the sum of the rises or of the falls, is 0, and with it each of them",
                uses=(0,),
                conditions=(sp.Eq(variation, rises + falls),),
            ),
        ),
        "any scalar function: if it is monotone no partition exceeds the total change, else one with a rise and a fall does",
        lhs=least,
        rhs=monotone,
    )


def v2() -> Proof:
    """The three values; which of them an instance speaks of is 1, the others are 0."""
    curve, size, step = sp.symbols("c a h", integer=True, nonnegative=True)
    diagonal = sp.Integral(sp.sqrt(1 + 1), (_u, -1, 0)) + sp.Integral(sp.sqrt(1 + 1), (_u, 0, 1))
    vee = sp.Integral(sp.Abs(-1), (_u, -2, 0)) + sp.Integral(1, (_u, 0, 2))
    found = curve * diagonal + size * vee + step * sp.Abs(1 - sp.Integer(0))
    printed = curve * 2 * sp.sqrt(2) + size * 4 + step
    return Proof(
        (
            Step(
                found,
                printed,
                Rule.IDENTITY,
                "(|t|, t) has speed sqrt(1 + 1), |x| falls by 2 and rises by 2, H has one jump, of 1",
            ),
        ),
        "the three functions",
        lhs=found,
        rhs=printed,
    )


def v3() -> Proof:
    """The mean of |f'| over an interval is the variation of f there, divided by the length."""
    start, end, at = reals("u v s")
    length = sp.IndexedBase("l", positive=True)
    s, whole = sp.Symbol("s", real=True), sp.Symbol("L", positive=True)
    t = sp.Symbol("t", real=True)

    def integral(u: sp.Expr, v: sp.Expr, s: sp.Expr, length: sp.Expr) -> sp.Expr:
        return sp.Integral(sp.Abs((v - u) / length), (t, s, s + length))

    integrals = over_all(integral(start[INDEX], end[INDEX], at[INDEX], length[INDEX]))
    variation = over_all(sp.Abs(end[INDEX] - start[INDEX]))
    return Proof(
        (
            Step(
                integral(_u, _v, s, _l),
                sp.Abs(_v - _u),
                Rule.IDENTITY,
                "one piece of length l, along which f goes from u to v: the integral of |f'| is its variation (V1.a)",
            ),
            Step(integrals, variation, Rule.SUM, "over all pieces", term=0),
            Step(integrals / whole, variation / whole, Rule.SCALED, "over L = b - a", term=1, factor=1 / whole),
        ),
        "continuous piecewise-linear functions with any number of pieces",
        lhs=integrals / whole,
        rhs=variation / whole,
    )


def v4b() -> Proof:
    """The variation between sampled points never exceeds the variation."""
    (changes,) = reals("e")
    steps = triangle_in_rows(
        lambda row, column: changes[row, column],
        "cell by cell: between two sampled points f changes by e_ij over its pieces, and by their sum in all",
        place=0,
    )
    return Proof(
        steps,
        "continuous piecewise-linear functions with any number of knots, any n",
        lhs=steps[-1].after,
        rhs=steps[-1].before,
    )


def v4a() -> Proof:
    """Sampling at equidistant points misses at most (b - a) TV(f') / (2 (n - 1)) of the variation."""
    slopes, falls = nonnegatives("u v")
    rising, falling = nonnegatives("g h")
    (jumps,) = reals("d")
    most_up, most_down = nonnegatives("p q")
    rest = sp.Symbol("R", nonnegative=True)
    n, a, b = sp.Symbol("n", integer=True, positive=True), sp.Symbol("a", real=True), sp.Symbol("b", real=True)
    cell = ROWS + 1

    def rise(row: sp.Expr) -> sp.Sum:
        return over_columns(slopes[row, COLUMN] * rising[row, COLUMN])

    def fall(row: sp.Expr) -> sp.Sum:
        return over_columns(falls[row, COLUMN] * falling[row, COLUMN])

    def missed(row: sp.Expr) -> sp.Expr:
        return rise(row) + fall(row) - sp.Abs(rise(row) - fall(row))

    up, down = over_columns(rising[cell, COLUMN]), over_columns(falling[cell, COLUMN])
    turned, turns = over_columns(jumps[cell, COLUMN]), over_columns(sp.Abs(jumps[cell, COLUMN]))
    all_turns = over_rows(over_columns(sp.Abs(jumps[ROW, COLUMN])))
    known = (
        sp.Ge(turns, sp.Abs(turned)),
        sp.Le(rise(cell), most_up[cell] * up),
        sp.Le(fall(cell), most_down[cell] * down),
        sp.Le(up + down, _l),
        sp.Or(sp.Eq(rise(cell), 0), sp.Eq(fall(cell), 0), sp.Eq(sp.Abs(turned), most_up[cell] + most_down[cell])),
    )
    variation = over_rows(rise(ROW) + fall(ROW))
    estimate = over_rows(sp.Abs(rise(ROW) - fall(ROW)))
    lost = over_rows(missed(ROW))
    bound = (b - a) / (2 * (n - 1)) * (all_turns + rest)

    def at_most(most: sp.IndexedBase, slope: sp.IndexedBase, over: sp.IndexedBase, because: str) -> Step:
        new = most[cell] - slope[cell, COLUMNS + 1]
        return Step(
            most[cell] * over_columns(over[cell, COLUMN]),
            over_columns(slope[cell, COLUMN] * over[cell, COLUMN]),
            Rule.INDUCTION,
            because,
            (new * over[cell, COLUMNS + 1],),
            conditions=(sp.Ge(most[cell], slope[cell, COLUMNS + 1]),),
            variable=COLUMNS,
        )

    return Proof(
        (
            at_most(
                most_up,
                slopes,
                rising,
                "in a cell f rises along pieces of slopes u and lengths g, by at most the steepest slope p times their length",
            ),
            at_most(most_down, falls, falling, "and falls along pieces of slopes -v and lengths h, v at most q"),
            *triangle_in_a_row(
                lambda row, column: jumps[row, column],
                "between the two pieces of slopes p and -q f' changes by p + q in all, in steps d",
                place=2,
            ),
            Step(
                _l / 2 * turns,
                missed(cell),
                Rule.POLYNOMIAL,
                "a cell of length l: f varies by P + N in it, P <= p s and N <= q (l - s), and its sample by |P - N|; where f "
                "is monotone nothing is missed",
                uses=(0, 1, 3),
                conditions=known,
            ),
            Step(
                _l / 2 * all_turns,
                lost,
                Rule.INDUCTION,
                "over all cells",
                (_l / 2 * turns - missed(cell),),
                term=4,
                conditions=known,
                variable=ROWS,
            ),
            Step(
                bound,
                lost,
                Rule.POLYNOMIAL,
                "l = (b - a)/(n - 1), and TV(f') is what f' changes by in these steps and R >= 0 in the others",
                uses=(5,),
                conditions=(
                    sp.Ge(n, 2),
                    sp.Eq(_l * (n - 1), b - a),
                    sp.Ge(all_turns, 0),
                    sp.Ge(_l / 2 * all_turns, lost),
                ),
            ),
            Step(lost, variation - estimate, Rule.IDENTITY, "the variation less its estimate, cell by cell"),
        ),
        "continuous piecewise-linear functions with any number of knots, any n",
        lhs=variation - estimate,
        rhs=bound,
    )


def toggles_nothing(place: int) -> tuple[Step, ...]:
    """Return sum_i w_i (A_i - B_i) = 0, A and B whether unit i is active at one place and at another, as two inequalities.

    Args:
        place: the number of the first of the three steps in its proof, counted from 0.
    """
    weights, here, there = reals("w A B")
    at, by, one, other = sp.symbols("z y a b", real=True)
    term = weights[ROW] * (here[ROW] - there[ROW])
    new = term.subs(ROW, ROWS + 1)
    same = (sp.Eq(here[ROWS + 1], there[ROWS + 1]),)
    because = "so units that are active at both places, or at neither, change nothing of a sum over them"
    return (
        Step(
            sp.Integer(0),
            (one - other) ** 2,
            Rule.POLYNOMIAL,
            "a unit whose pre-activations z and y at two places have one sign is active at both, or at neither: a = b, a and b "
            "being 1 where it is active and 0 elsewhere",
            conditions=(
                sp.Gt(at * by, 0),
                sp.Or(sp.And(sp.Eq(one, 1), sp.Ge(at, 0)), sp.And(sp.Eq(one, 0), sp.Lt(at, 0))),
                sp.Or(sp.And(sp.Eq(other, 1), sp.Ge(by, 0)), sp.And(sp.Eq(other, 0), sp.Lt(by, 0))),
            ),
        ),
        Step(
            sp.Integer(0),
            over_rows(term),
            Rule.INDUCTION,
            because,
            (-new,),
            uses=(place,),
            conditions=same,
            variable=ROWS,
        ),
        Step(
            over_rows(term),
            sp.Integer(0),
            Rule.INDUCTION,
            because,
            (new,),
            uses=(place,),
            conditions=same,
            variable=ROWS,
        ),
    )


def v5a() -> Proof:
    """A gradient without variation is constant."""
    (values,) = reals("g")
    first, last = sp.symbols("D_1 D_2", real=True)
    value = values[ROW + 1]
    changes = over_rows(sp.Abs(value - values[ROW]))
    off = over_rows(sp.Abs(value - values[1]))
    new, next_off = sp.Abs(values[ROWS + 2] - values[ROWS + 1]), sp.Abs(values[ROWS + 2] - values[1])
    before = sp.Abs(values[ROWS + 1] - values[1])
    still = sp.Eq(sp.Abs(first) + changes + sp.Abs(last), 0)
    inside, constant = sp.Eq(changes, 0), sp.Eq(off, 0)
    return Proof(
        (
            *toggles_nothing(0),
            Step(
                still,
                inside,
                Rule.IDENTITY,
                "from an end to the piece next to it the gradient changes by D, the sum of w_i (A_i - B_i), w = w1 w2 <> 0 and "
                "A, B telling who is active at the end and in the piece: no unit toggles in between, so D_1 = D_2 = 0",
                uses=(1, 2),
                conditions=(sp.Eq(first, 0), sp.Eq(last, 0)),
            ),
            Step(
                changes,
                sp.Abs(values[ROWS + 1] - values[1]),
                Rule.INDUCTION,
                "from the first piece, of gradient g_1, to any other it changes by no more than its variation so far",
                (new + before - next_off,),
                variable=ROWS,
            ),
            Step(
                (ROWS + 1) * changes,
                off,
                Rule.INDUCTION,
                "so all the distances from g_1 add up to no more than r + 1 times the variation",
                ((ROWS + 1) * new, changes + new - next_off),
                uses=(4,),
                conditions=(sp.Ge(changes + new, next_off),),
                variable=ROWS,
            ),
            Step(
                2 * off,
                changes + before,
                Rule.INDUCTION,
                "and the variation to no more than twice their sum, as |g_{i+1} - g_i| is at most the two distances",
                (next_off + before - new,),
                variable=ROWS,
            ),
            Step(
                inside,
                constant,
                Rule.IDENTITY,
                "one vanishes exactly where the other does",
                uses=(5, 6),
                conditions=(
                    sp.Ge(ROWS, 0),
                    sp.Ge(changes, 0),
                    sp.Ge(off, 0),
                    sp.Ge((ROWS + 1) * changes, off),
                    sp.Ge(2 * off, changes + before),
                ),
            ),
        ),
        "two-layer networks with one input, any number of units and pieces",
        lhs=still,
        rhs=constant,
    )
