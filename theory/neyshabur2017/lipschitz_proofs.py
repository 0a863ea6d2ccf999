"""Proofs of the claims of Neyshabur et al. 2017 on Lipschitz constants."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.norms_proofs import lengths
from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    nonnegative_terms,
    nonnegatives,
    over_columns,
    over_rows,
    reals,
)
from theory.proof import Proof, Rule, Step

_ANY = "ReLU networks of any depth and widths, any biases, any two points, one output or many"

_w, _h = reals("w h")
_before, _after = sp.symbols("u v", real=True)
_UNIT = Step(
    sp.Abs(_before - _after),
    sp.Abs(sp.Max(_before, 0) - sp.Max(_after, 0)),
    Rule.POLYNOMIAL,
    "ReLU moves no two values apart",
)


def _row(most: sp.Expr, of_entry: sp.Expr, because: str) -> tuple[Step, ...]:
    """Return sum_j most_j |w_j| >= |sum_j w_j h_j| where most_j >= |h_j|; 4 steps, of a row of any length.

    Args:
        most: a bound on |h|, one for all coordinates.
        of_entry: the same with entry j for what varies.
        because: what it is.
    """
    weight, moved = sp.symbols("w h", real=True)
    terms = _w[COLUMN] * _h[COLUMN]
    total, new = over_columns(terms), _w[COLUMNS + 1] * _h[COLUMNS + 1]
    apart, joined = sp.Abs(total) + sp.Abs(new), sp.Abs(total + new)
    return (
        Step(
            most * sp.Abs(weight),
            sp.Abs(weight * moved),
            Rule.POLYNOMIAL,
            because,
            conditions=(sp.Ge(most, sp.Abs(moved)),),
        ),
        Step(
            over_columns(of_entry * sp.Abs(_w[COLUMN])),
            over_columns(sp.Abs(terms)),
            Rule.SUM,
            "over all that comes into a unit",
            term=0,
            conditions=(sp.Ge(of_entry, sp.Abs(_h[COLUMN])),),
        ),
        Step(apart, joined, Rule.POLYNOMIAL, "the triangle inequality for a sum and one more term"),
        Step(
            over_columns(sp.Abs(terms)),
            sp.Abs(total),
            Rule.INDUCTION,
            "over the terms",
            (apart - joined,),
            term=2,
            variable=COLUMNS,
        ),
    )


def n5() -> Proof:
    """No layer moves a unit by more than the l_1 norm of its weights times the largest move before, and no ReLU by more."""
    largest = sp.Symbol("E", nonnegative=True)
    norms, passed, given = nonnegatives("N e t")
    last = COUNT + 1
    row = _row(largest, largest, "E being the largest move of what the layer is given")
    weighted, total = over_columns(largest * sp.Abs(_w[COLUMN])), over_columns(_w[COLUMN] * _h[COLUMN])
    weights, sizes = over_columns(sp.Abs(_w[COLUMN])), over_columns(sp.Abs(_w[COLUMN] * _h[COLUMN]))
    layer = (sp.Ge(norms[last] * passed[last], given[last]), sp.Ge(given[last], passed[last + 1]))
    one = Step(
        norms[last] * passed[last],
        passed[last + 1],
        Rule.POLYNOMIAL,
        "one layer more: t is the largest move before its ReLU, e the largest behind it",
        conditions=layer,
        uses=(5, 7),
    )
    return Proof(
        (
            *row,
            Step(weighted, largest * weights, Rule.INDUCTION, "E apart", variable=COLUMNS),
            Step(
                norms[1] * passed[1],
                given[1],
                Rule.POLYNOMIAL,
                "the unit that moves most is one of the layer's, so that the l_1 norm of its row is at most N; likewise for "
                "every other layer",
                conditions=(
                    sp.Eq(passed[1], largest),
                    sp.Ge(norms[1], weights),
                    sp.Eq(given[1], sp.Abs(total)),
                    sp.Eq(weighted, largest * weights),
                    sp.Ge(weighted, sizes),
                    sp.Ge(sizes, sp.Abs(total)),
                ),
                uses=(1, 3, 4),
            ),
            _UNIT,
            Step(
                given[1],
                passed[2],
                Rule.POLYNOMIAL,
                "and e is the move of some unit behind its ReLU",
                conditions=(
                    sp.Ge(given[1], _UNIT.before),
                    sp.Ge(_UNIT.before, _UNIT.after),
                    sp.Eq(passed[2], _UNIT.after),
                ),
                uses=(6,),
            ),
            one,
            Step(
                sp.Product(norms[INDEX], (INDEX, 1, COUNT)) * passed[1],
                passed[last],
                Rule.INDUCTION,
                "over the layers",
                (one.before - one.after,),
                term=8,
                conditions=(*layer, sp.Ge(norms[1] * passed[1], passed[2])),
                uses=(5, 7),
                variable=COUNT,
                base=1,
                factor=norms[last],
            ),
        ),
        _ANY,
        lhs=passed[last],
        rhs=sp.Product(norms[INDEX], (INDEX, 1, COUNT)) * passed[1],
    )


def _by_paths() -> tuple[Step, ...]:
    """Return c_1 >= c_(m+1): c_i is the least c so that no unit of layer i moves by more than c times its sum over paths."""
    factor, sums, path = sp.Symbol("c", nonnegative=True), nonnegatives("q")[0], sp.Symbol("q", nonnegative=True)
    factors, into, moves = nonnegatives("C Q D")
    weighted = over_columns(factor * sums[COLUMN] * sp.Abs(_w[COLUMN]))
    whole = over_columns(sums[COLUMN] * sp.Abs(_w[COLUMN]))
    sizes, total = over_columns(sp.Abs(_w[COLUMN] * _h[COLUMN])), over_columns(_w[COLUMN] * _h[COLUMN])
    last = COUNT + 1
    served = sp.Ge(factors[last] * into[last], moves[last])
    attained = sp.Or(
        sp.Eq(factors[last + 1], 0), sp.And(sp.Gt(into[last], 0), sp.Eq(moves[last], factors[last + 1] * into[last]))
    )
    one = Step(
        factors[last],
        factors[last + 1],
        Rule.POLYNOMIAL,
        "for the unit that needs the largest c, unless none moves",
        conditions=(served, attained),
        uses=(6,),
    )
    first = tuple(part.subs(last, 1) for part in (served, attained))
    return (
        *_row(factor * path, factor * sums[COLUMN], "q being the sum over the paths to a unit that the layer is given"),
        Step(weighted, factor * whole, Rule.INDUCTION, "c apart", variable=COLUMNS),
        _UNIT,
        Step(
            factors[1] * into[1],
            moves[1],
            Rule.POLYNOMIAL,
            "one unit, behind its ReLU: Q is the sum over the paths to it; likewise in every other layer",
            conditions=(
                sp.Eq(factors[1], factor),
                sp.Eq(into[1], whole),
                sp.Eq(moves[1], _UNIT.after),
                sp.Ge(_UNIT.before, _UNIT.after),
                sp.Eq(_UNIT.before, sp.Abs(total)),
                sp.Eq(weighted, factor * whole),
                sp.Ge(weighted, sizes),
                sp.Ge(sizes, sp.Abs(total)),
            ),
            uses=(1, 3, 4, 5),
        ),
        Step(
            factors[1],
            factors[2],
            Rule.POLYNOMIAL,
            "the first layer: for the unit that needs the largest c, unless none moves",
            conditions=first,
            uses=(6,),
        ),
        one,
        Step(
            factors[1],
            factors[last],
            Rule.INDUCTION,
            "over the layers",
            (one.before - one.after,),
            term=8,
            conditions=(served, attained, sp.Ge(factors[1], factors[2])),
            uses=(6, 7),
            variable=COUNT,
            base=1,
        ),
    )


def n5a() -> Proof:
    """The move of each unit over its sum over paths does not grow from layer to layer."""
    factors = nonnegatives("C")[0]
    whole, output, move = sp.symbols("P q o", nonnegative=True)
    others = nonnegatives("R")[0]
    end = Step(
        whole * factors[1],
        move,
        Rule.POLYNOMIAL,
        "of the output that moves most, q is the sum over the paths to it, and R those of the others",
        conditions=(
            sp.Ge(factors[COUNT + 1] * output, move),
            sp.Ge(factors[1], factors[COUNT + 1]),
            sp.Eq(whole, output + over_rows(others[ROW])),
            sp.Ge(over_rows(others[ROW]), 0),
        ),
        uses=(9, 10),
    )
    steps = (*_by_paths(), nonnegative_terms(others, "the sums over the paths to the other outputs"), end)
    return Proof(steps, _ANY, lhs=move, rhs=end.before)


def n5b() -> Proof:
    """No layer moves two points apart by more than its largest singular value, and ReLU by no more at all (D8)."""
    steps = lengths("ReLU moves no two values apart", sp.Integer(0))
    return Proof(steps, _ANY, lhs=steps[-1].after, rhs=steps[-1].before)


def n5c() -> Proof:
    """The move of each unit over its sum over paths does not grow from layer to layer; each output has its own."""
    factors = nonnegatives("C")[0]
    whole, output, move = sp.symbols("P q o", nonnegative=True)
    end = Step(
        whole * factors[1],
        move,
        Rule.POLYNOMIAL,
        "P is the largest of the sums q over the paths to one output",
        conditions=(
            sp.Ge(factors[COUNT + 1] * output, move),
            sp.Ge(factors[1], factors[COUNT + 1]),
            sp.Ge(whole, output),
        ),
        uses=(9,),
    )
    return Proof((*_by_paths(), end), _ANY, lhs=move, rhs=end.before)


def n13a() -> Proof:
    """Multiples of t are t apart, and in one cell of t values no two points are."""
    most, ways, step = sp.symbols("P K t", integer=True, positive=True)
    first, second, corner = sp.symbols("x y z", integer=True)
    one, another = sp.symbols("a b", integer=True)
    in_cell = nonnegatives("c")[0]
    count, held = sp.Symbol("c", nonnegative=True), in_cell[INDEX]
    cells, points = sp.Sum(1, (INDEX, 1, ways)), sp.Sum(held, (INDEX, 1, ways))
    apart, near = (step * sp.Abs(one - another), step), (step - 1, sp.Abs(first - second))
    return Proof(
        (
            Step(
                *apart,
                Rule.POLYNOMIAL,
                "two points of multiples of t differ in a coordinate, t a in the one and t b in the other",
                conditions=(sp.Ge(sp.Abs(one - another), 1),),
            ),
            Step(
                most,
                ways,
                Rule.POLYNOMIAL,
                "all of these points, floor(p/t) + 1 to the power n, are t apart or more: unless two were not, P >= K",
                conditions=(sp.Ge(*apart), sp.Or(sp.Lt(*apart), sp.Ge(most, ways))),
                uses=(0,),
            ),
            Step(
                *near,
                Rule.POLYNOMIAL,
                "two points of one cell, in each coordinate: z is the multiple of t from which the cell has t values",
                conditions=(
                    sp.Ge(first, corner),
                    sp.Le(first, corner + step - 1),
                    sp.Ge(second, corner),
                    sp.Le(second, corner + step - 1),
                ),
            ),
            Step(
                sp.Integer(1),
                count,
                Rule.POLYNOMIAL,
                "so that a cell has one of the points at most: two would be t apart in a coordinate",
                conditions=(sp.Ge(*near), sp.Or(sp.Gt(sp.Abs(first - second), step - 1), sp.Le(count, 1))),
                uses=(2,),
            ),
            Step(
                cells,
                points,
                Rule.SUM,
                "over all K cells",
                term=3,
                conditions=(sp.Ge(*near), sp.Or(sp.Gt(sp.Abs(first - second), step - 1), sp.Le(held, 1))),
                uses=(2,),
            ),
            Step(cells, ways, Rule.INDUCTION, "there are as many cells as multiples", variable=ways, base=1),
            Step(
                ways,
                most,
                Rule.POLYNOMIAL,
                "every point is in one cell",
                conditions=(sp.Eq(cells, ways), sp.Ge(cells, points), sp.Eq(points, most)),
                uses=(4, 5),
            ),
        ),
        "grids of any side and dimension, in the l_inf norm, any constant and margin",
        lhs=most,
        rhs=ways,
    )


def n13b() -> Proof:
    """Points of one ball are at most twice its radius apart, and f moves by at most C times that."""
    constant, margin, within = sp.symbols("C g x", nonnegative=True)
    to_first, to_second = sp.symbols("a b", nonnegative=True)
    sets, balls = sp.symbols("K N", integer=True, positive=True)
    moves = (margin, constant * within)
    return Proof(
        (
            Step(
                *moves,
                Rule.POLYNOMIAL,
                "two points of a ball of radius gamma/(2 C) about a centre",
                conditions=(
                    sp.Le(within, to_first + to_second),
                    sp.Le(2 * constant * to_first, margin),
                    sp.Le(2 * constant * to_second, margin),
                ),
            ),
            Step(
                balls,
                sets,
                Rule.POLYNOMIAL,
                "each point goes to a ball that holds it, and K is the fewest sets within which no f moves by more than gamma: "
                "unless some f did, at the largest distance x within a set, N >= K",
                conditions=(sp.Ge(*moves), sp.Or(sp.Lt(*moves), sp.Ge(balls, sets))),
                uses=(0,),
            ),
        ),
        "any space with a finite cover, constant and margin",
        lhs=sets,
        rhs=balls,
    )


def n13c() -> Proof:
    """The distance from a point of a set, times C, is C-Lipschitz: the ball about the point holds the set."""
    constant, margin, within = sp.symbols("C g x", nonnegative=True)
    first, second, between = sp.symbols("a b d", nonnegative=True)
    sets, balls = sp.symbols("K N", integer=True, positive=True)
    reach = (margin, constant * within)
    return Proof(
        (
            Step(
                constant * between,
                sp.Abs(constant * first - constant * second),
                Rule.POLYNOMIAL,
                "f = C d(c, .) is C-Lipschitz: a and b are the distances of two points from c, and d is theirs",
                conditions=(sp.Le(first, second + between), sp.Le(second, first + between)),
            ),
            Step(
                *reach,
                Rule.POLYNOMIAL,
                "so it moves by at most gamma within the set, from 0 at c",
                conditions=(
                    sp.Or(
                        sp.Lt(constant * between, sp.Abs(constant * first - constant * second)),
                        sp.Ge(margin, sp.Abs(constant * within)),
                    ),
                    sp.Ge(constant * between, sp.Abs(constant * first - constant * second)),
                ),
                uses=(0,),
            ),
            Step(
                sets,
                balls,
                Rule.POLYNOMIAL,
                "the balls of radius gamma/C about one point of each set hold all points, and N is the fewest: unless a point "
                "of a set, at the largest distance x from its c, lay outside, K >= N",
                conditions=(sp.Ge(*reach), sp.Or(sp.Lt(*reach), sp.Ge(sets, balls))),
                uses=(1,),
            ),
        ),
        "any space with a finite partition of this kind, constant and margin",
        lhs=sets,
        rhs=balls,
    )
