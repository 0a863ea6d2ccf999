"""Proofs of what Mulayoff, Michaeli and Soudry 2021 claim of minima at which units toggle on data points: M7-M9, B4."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    INDEX,
    ROW,
    ROWS,
    cauchy_schwarz,
    over_all,
    over_columns,
    over_rows,
    reals,
    triangle_inequality,
)
from theory.mulayoff2021.smooth_proofs import unit_terms, units_bend, weighted_curvature
from theory.mulayoff2021.stability_proofs import mean_along
from theory.proof import Proof, Rule, Step

_eta = sp.Symbol("eta", positive=True)
_change, _length, _mass = sp.symbols("d T U", nonnegative=True)
_curvature = sp.Symbol("I", real=True)
_n = sp.Symbol("n", positive=True)
_printed_root = sp.sqrt(3 * _mass * (3 * _mass + 2 / _eta))
_ours = (sp.sqrt(2 / _eta) + sp.sqrt(_mass / 2)) ** 2
_COVERS = "gradient descent and SGD at interpolation; any number of units and data points"


def _one_step(direction: str) -> tuple[Step, ...]:
    """Return q^T H_m q <= 2/eta for a unit vector q, m the mode of theta + eps q: the first four steps of a proof."""
    quotient = sp.Symbol("r", real=True)
    return (
        *mean_along(
            f"q is {direction}, w = v_1, the first step from v_0 = eps q in its mode m, so E v_1 = v_0 - eta H_m v_0"
        ),
        Step(
            2 / _eta,
            quotient,
            Rule.POLYNOMIAL,
            "strong stability: |q^T E v_1| = eps |1 - eta r| is at most eps, r = q^T H_m q; likewise from -eps q",
            uses=(0, 2),
            conditions=(sp.Le(sp.Abs(1 - _eta * quotient), 1),),
        ),
    )


def _two_sides(number: int) -> tuple[Step, ...]:
    """Return that Phi^T q in the modes of q and of -q adds up to that in any two complementary modes.

    Args:
        number: of the first of the two steps, counted from 0.
    """
    w, z, base = sp.Symbol("w", real=True), sp.Symbol("z", real=True), sp.Symbol("c", real=True)
    many = {symbol: sp.IndexedBase(symbol.name, real=True)[INDEX] for symbol in (w, z)}
    parts = w * (z + sp.Abs(z)) / 2 + w * (z - sp.Abs(z)) / 2
    return (
        Step(
            parts,
            w * z,
            Rule.IDENTITY,
            "a toggling unit is active from q or from -q: w2 [z]_+ and -w2 [-z]_+ add up to w2 z, z = x_j dw1 + db1",
        ),
        Step(
            2 * base + over_all(parts.subs(many)),
            2 * base + over_all((w * z).subs(many)),
            Rule.SUM,
            "over the units that toggle on a sample, c what the others give: (Phi_{m(q)} + Phi_{m(-q)})^T q = "
            "(Phi_U + Phi_V)^T q for complementary modes U and V, 2 Phi_U^T q + (Phi_V - Phi_U)^T q",
            term=number,
        ),
    )


def _norms() -> tuple[Step, ...]:
    """Return the triangle inequality for Euclidean norms, by Cauchy-Schwarz."""
    first, second, third = sp.symbols("A B N", nonnegative=True)
    product = sp.Symbol("p", real=True)
    a, b = reals("a b")
    return (
        cauchy_schwarz(a, b, "for the vectors a = Phi_{m(q)}^T q and b = Phi_{m(-q)}^T q"),
        Step(
            first + second,
            third,
            Rule.POLYNOMIAL,
            "||a|| + ||b|| >= ||a + b||; likewise ||a + b|| + ||(Phi_V - Phi_U)^T q|| >= 2 ||Phi_U^T q||",
            conditions=(
                sp.Eq(third**2, first**2 + 2 * product + second**2),
                sp.Le(product**2, first**2 * second**2),
            ),
        ),
    )


def _balance(because: str) -> Step:
    """Return that a unit adds at least 2 |w1 w2| A R to ||n v||^2, v the mean gradient."""
    w1, w2 = sp.symbols("w1 w2", real=True)
    distance, size = sp.symbols("A R", nonnegative=True)
    return Step(
        (w2 * size) ** 2 + (w1 * distance) ** 2,
        2 * sp.Abs(w1 * w2) * distance * size,
        Rule.NONNEGATIVE,
        because,
        ((sp.Abs(w2) * size - sp.Abs(w1) * distance) ** 2,),
    )


def _at_coincident_knots(place: int) -> tuple[Step, ...]:
    (jumps,) = reals("u")
    return triangle_inequality(
        jumps,
        "knots that coincide: the sizes of their units' jumps add up to at least that of the jump of f'",
        place=place,
    )


def b4() -> Proof:
    """Two modes differ in two entries a toggling unit, on its one sample."""
    w, x, other, w1, b1 = sp.symbols("w x t w1 b1", real=True)
    bound, units = sp.symbols("C p", nonnegative=True)
    changed, part, size, most = sp.symbols("d z l D", nonnegative=True)
    outputs = reals("w")[0][INDEX]
    flags, parts, sizes = (sp.IndexedBase(name, nonnegative=True)[INDEX] for name in "dzl")
    many = {w: outputs, changed: flags, part: parts, size: sizes}
    within = (sp.Le(sp.Abs(w * x), bound), sp.Le(sp.Abs(w), bound))
    column = changed * ((w * x) ** 2 + w**2)
    longest = over_all(column.subs(many))
    return Proof(
        (
            Step(
                changed * 2 * bound**2,
                column,
                Rule.POLYNOMIAL,
                "a unit that toggles on x_j changes d f(x_j)/d w1 by w2 x_j and d f(x_j)/d b1 by w2; d f(x_j)/d w2 is 0 in "
                "both modes; d is 1 if it does change, and 0 if not",
                conditions=within,
            ),
            Step(
                over_all((changed * 2 * bound**2).subs(many)),
                longest,
                Rule.SUM,
                "over the units that change at x_j",
                term=0,
                conditions=tuple(c.subs(many) for c in within),
            ),
            Step(
                sp.Integer(0),
                w1**2,
                Rule.POLYNOMIAL,
                "a unit that toggles on two points has w1 = 0, and so b1 = 0: without such units no two columns change in "
                "the same entry",
                conditions=(sp.Eq(w1 * x + b1, 0), sp.Eq(w1 * other + b1, 0), sp.Ne(x, other)),
            ),
            Step(
                most * part,
                size * part,
                Rule.POLYNOMIAL,
                "so the columns of the change are orthogonal, and along a unit vector with squares z_j it has the square of "
                "the sum of the l_j z_j, l_j the squares of their lengths",
                conditions=(sp.Le(size, most),),
                uses=(2,),
            ),
            Step(
                over_all((most * part).subs(many)),
                over_all((size * part).subs(many)),
                Rule.SUM,
                "over all columns: ||Phi_m~ - Phi_m||^2 is the square of the longest",
                term=3,
                conditions=(sp.Le(sizes, most),),
            ),
            Step(
                2 * bound**2 * units,
                longest,
                Rule.POLYNOMIAL,
                "of which at most p_max units change, at x the longest column's point",
                conditions=(
                    sp.Ge(over_all((changed * 2 * bound**2).subs(many)), longest),
                    sp.Le(over_all((changed * 2 * bound**2).subs(many)), 2 * bound**2 * units),
                ),
                uses=(1, 4),
            ),
        ),
        "any number of units and data points, no unit with w1 = b1 = 0",
        lhs=longest,
        rhs=2 * bound**2 * units,
    )


def m7a() -> Proof:
    """A top eigenvector of one mode is nearly one of the others."""
    a, b, d, e = sp.symbols("a b d e", real=True)
    first, second, shared = sp.symbols("r s q", nonnegative=True)
    n = sp.Symbol("n", positive=True)
    return Proof(
        (
            Step(
                (a + d) * (b + e) - a * b,
                a * e + d * (b + e),
                Rule.IDENTITY,
                "entry by entry and sample by sample: Phi' Phi'^T - Phi Phi^T = Phi D^T + D Phi'^T with Phi' = Phi + D",
            ),
            Step(
                sp.Symbol(r"\|(\tilde H - H) q\|"),
                sp.Symbol(r"(\|\Phi\| \|D\| + \|D\| \|\tilde\Phi\|)/n"),
                Rule.CITED,
                "the spectral norm of a product is at most the product of the norms; ||Phi||^2 = n lambda_max(H)",
            ),
            Step(
                sp.sqrt(2 * shared / n) * (first + second),
                (sp.sqrt(n) * first * _change + _change * sp.sqrt(n) * second) / n,
                Rule.POLYNOMIAL,
                "r and s the roots of the two eigenvalues, q = C^2 p_max: ||D||^2 <= 2 q by B4",
                conditions=(sp.Le(_change**2, 2 * shared),),
            ),
        ),
        "any number of units and data points, no unit with w1 = b1 = 0",
    )


def _sharp() -> Step:
    return Step(
        _ours,
        _length**2,
        Rule.POLYNOMIAL,
        "||a|| and ||b|| are at most sqrt(2 n/eta), T sqrt(n) = ||Phi_U^T q||, and d sqrt(n) = ||Phi_V - Phi_U||, at most "
        "sqrt(2 n U) by B4, U = C^2 p_max/n",
        conditions=(sp.Ge(2 * sp.sqrt(2 / _eta), 2 * _length - _change), sp.Le(_change**2, 2 * _mass)),
    )


def m8a() -> Proof:
    """Strong stability bounds the sharpness of every mode."""
    return Proof(
        (*_one_step("any unit vector"), *_two_sides(4), *_norms(), _sharp()),
        f"{_COVERS}, no unit with w1 = b1 = 0",
    )


def m8() -> Proof:
    """The printed bound is weaker than M8.a."""
    return Proof(
        (
            *m8a().steps,
            Step(
                2 / _eta + 3 * _mass + _printed_root,
                _ours,
                Rule.POLYNOMIAL,
                "the printed bound is no smaller, U = C^2 p_max/n",
            ),
        ),
        f"{_COVERS}, no unit with w1 = b1 = 0",
    )


def m8c() -> Proof:
    """What eq 34 and Lemma 2 leave for lambda_up."""
    top, bound = sp.Symbol("lambda", nonnegative=True), 2 / _eta + 6 * _mass + 2 * _printed_root
    return Proof(
        (
            Step(
                bound,
                top,
                Rule.POLYNOMIAL,
                "the quadratic inequality solved, U = C^2 p/n",
                conditions=(sp.Le(top, 2 / _eta + 2 * sp.sqrt(3 * _mass * top)),),
            ),
        ),
        "all numbers",
        lhs=top,
        rhs=bound,
    )


def m9a() -> Proof:
    """Strong stability bounds int |f''| g, with a smaller excess than printed."""
    steps = (
        *_one_step("the mean gradient v over its length, toggling units counted as inactive"),
        *_two_sides(4),
        *_norms(),
        _balance(
            "n v holds (w2 S, w2 m, w1 A) for a unit active on m points with sum S at distances that add up to A, R^2 = m^2 "
            "+ S^2, and n for b2: ||v||^2 >= 1 + 2 sum |w1 w2| A R/n^2, each A R/n^2 at least g at the unit's knot",
        ),
        *_at_coincident_knots(9),
        Step(
            1 / _eta - sp.Rational(1, 2) + sp.sqrt(_mass / _eta) + _mass / 4,
            _curvature,
            Rule.POLYNOMIAL,
            "T = ||v|| is at most ||Phi_0^T q||/sqrt(n), d sqrt(n) = ||(Phi_1 - Phi_0)^T q|| for units with a knot on a data "
            "point (the others have z = 0), U = C^2 P/n: p_max <= P = 1 + k - L, as each knot elsewhere takes a unit",
            conditions=(
                sp.Ge(2 * sp.sqrt(2 / _eta), 2 * _length - _change),
                sp.Le(_change**2, 2 * _mass),
                sp.Ge(_length**2, 1 + 2 * _curvature),
            ),
        ),
    )
    return Proof(steps, _COVERS)


def m9() -> Proof:
    """The printed excess is larger than that of M9.a."""
    return Proof(
        (
            *m9a().steps,
            Step(
                sp.Rational(3, 2) * _mass + sp.sqrt(sp.Rational(3, 4) * _mass * (3 * _mass + 2 / _eta)),
                sp.sqrt(_mass / _eta) + _mass / 4,
                Rule.POLYNOMIAL,
                "the printed Delta is no smaller, U = C^2 P/n",
            ),
        ),
        _COVERS,
    )


def m9b() -> Proof:
    """Strong stability bounds int |f''| times the resting weight without any excess."""
    share = sp.Symbol("tau", real=True)
    m, s, x, w = (
        sp.Symbol("m", nonnegative=True),
        sp.Symbol("S", real=True),
        sp.Symbol("x", real=True),
        sp.Symbol("w", real=True),
    )
    slope = m + s * x + share * (1 + x**2)
    forth, back, more = sp.IndexedBase("a", real=True), sp.IndexedBase("b", real=True), sp.IndexedBase("z", real=True)
    size = sp.Symbol("N", positive=True)
    a, b = sp.symbols("a b", real=True)
    outputs = over_columns(forth[COLUMN] + back[COLUMN])
    squares = over_columns(forth[COLUMN] ** 2 + back[COLUMN] ** 2)
    rest, new = over_all(more[INDEX]), (forth[COLUMNS + 1], back[COLUMNS + 1])
    units, curvature, bound = unit_terms(), weighted_curvature(), 1 / _eta - sp.Rational(1, 2)
    del a, b
    return Proof(
        (
            *_one_step("v over its length, v the mean gradient with toggling units active to the share tau"),
            _two_sides(4)[0],
            Step(
                (1 - 2 * share) * w**2 * slope,
                sp.Integer(0),
                Rule.POLYNOMIAL,
                "a unit that toggles on x, active on m other points with sum S, adds w z = w^2 slope/n along v and -v "
                "together, w = w2, against 2 tau w z in the mean gradient: the rest, (1 - 2 tau) w z, is not negative",
                uses=(4,),
                conditions=(
                    sp.Or(
                        sp.And(sp.Eq(share, 0), sp.Ge(slope, 0)),
                        sp.And(sp.Eq(share, 1), sp.Le(slope, 0)),
                        sp.Eq(slope, 0),
                    ),
                ),
            ),
            Step(
                over_rows(more[ROW]),
                sp.Integer(0),
                Rule.INDUCTION,
                "nor is the sum of these rests over all toggling units",
                (more[ROWS + 1],),
                uses=(5,),
                conditions=(sp.Ge(more[ROWS + 1], 0),),
                variable=ROWS,
            ),
            cauchy_schwarz(
                reals("u")[0],
                reals("v")[0],
                "with u_j = a_j + b_j and v_j = 1, the outputs along v and along -v in their modes",
            ),
            Step(
                2 * squares,
                over_columns((forth[COLUMN] + back[COLUMN]) ** 2),
                Rule.INDUCTION,
                "and (a + b)^2 is at most 2 a^2 + 2 b^2",
                ((new[0] - new[1]) ** 2,),
                variable=COLUMNS,
            ),
            *units_bend(9),
            Step(
                bound,
                curvature,
                Rule.POLYNOMIAL,
                "either sum of squares is at most 2 n N/eta, N = ||v||^2, and the outputs add up to 2 n N and the rests: so N "
                "is at most 2/eta, and it is at least 1, for b2, with what the units hold",
                uses=(3, 6, 7, 8, 13),
                conditions=(
                    sp.Le(_eta * squares, 4 * _n * size),
                    sp.Ge(2 * squares, over_columns((forth[COLUMN] + back[COLUMN]) ** 2)),
                    sp.Ge(_n * over_columns((forth[COLUMN] + back[COLUMN]) ** 2), outputs**2),
                    sp.Eq(outputs, 2 * _n * size + rest),
                    sp.Ge(rest, 0),
                    sp.Ge(size, 1 + units / _n**2),
                    sp.Ge(units, 2 * _n**2 * curvature),
                ),
            ),
        ),
        _COVERS,
        lhs=curvature,
        rhs=bound,
    )


def _in_general_position() -> tuple[Step, ...]:
    """Return sum_p (sum_j phi_pj u_j)^2 / (n sum_j u_j^2) <= 2/eta: the first nine steps of a proof."""
    phi, step, outputs = reals("phi v u")
    u, v = outputs[COLUMN], step[ROW]
    gradient = over_columns(phi[ROW, COLUMN] * u)
    image = over_rows(gradient * v)
    along = over_columns(u * over_rows(phi[ROW, COLUMN] * v))
    moved = over_rows((v - _eta * gradient / _n) ** 2)
    size, length = over_rows(v**2), over_rows(gradient**2)
    square = over_columns(u**2)
    quotient = length / (_n * square)
    new, met = COLUMNS + 1, over_rows(phi[ROW, COLUMNS + 1] * v)
    at = u.subs(COLUMN, new)
    return (
        *mean_along("q lies along E w, w = v_1, the first step from v in its mode m, so E v_1 = v - eta H_m v"),
        Step(
            sp.Symbol(r"\operatorname{rank}"),
            sp.Symbol("n + p"),
            Rule.CITED,
            "a matrix of full row rank is onto: for every u there is a v with Phi_m^T v = u whose x_j dw1_i + db1_i have "
            "the signs of the mode, so that theta + eps v lies in it",
        ),
        Step(
            moved,
            size - 2 * _eta * image / _n + _eta**2 * length / _n**2,
            Rule.IDENTITY,
            "the length of the expected step, H_m v = Phi_m u/n",
        ),
        Step(
            image,
            along,
            Rule.INDUCTION,
            "v^T Phi_m u = u^T Phi_m^T v, sample by sample",
            variable=COLUMNS,
        ),
        Step(
            along,
            square,
            Rule.INDUCTION,
            "which is u^T u, as Phi_m^T v = u",
            (at * met - at**2,),
            uses=(3,),
            conditions=(sp.Eq(met, at),),
            variable=COLUMNS,
        ),
        Step(
            square,
            along,
            Rule.INDUCTION,
            "which is u^T u, as Phi_m^T v = u",
            (at**2 - at * met,),
            uses=(3,),
            conditions=(sp.Eq(met, at),),
            variable=COLUMNS,
        ),
        Step(
            2 / _eta,
            quotient,
            Rule.POLYNOMIAL,
            "strong stability: the expected step is no longer than v, as its length is at most the expected one",
            uses=(0, 2, 4, 5, 6, 7),
            conditions=(
                sp.Eq(moved, size - 2 * _eta * image / _n + _eta**2 * length / _n**2),
                sp.Le(moved, size),
                sp.Eq(image, along),
                sp.Ge(along, square),
                sp.Le(along, square),
                sp.Gt(square, 0),
            ),
        ),
    )


def m8d() -> Proof:
    """In general position strong stability is the stability of all modes."""
    steps = _in_general_position()
    return Proof(steps, _COVERS, lhs=steps[-1].after, rhs=steps[-1].before)


def m9c() -> Proof:
    """In general position Theorem 1's bound holds where units toggle."""
    first = _in_general_position()
    quotient, units, bound = first[-1].after, unit_terms(), 1 / _eta - sp.Rational(1, 2)
    curvature = weighted_curvature()
    return Proof(
        (
            *first,
            *units_bend(9),
            Step(
                bound,
                curvature,
                Rule.POLYNOMIAL,
                "the quotient of u = (1, .., 1) is ||v||^2, v the mean gradient: n for b2 and what the units hold, toggling "
                "ones counted as inactive, as g counts them",
                uses=(8, 13),
                conditions=(
                    sp.Gt(first[-1].conditions[-1].lhs, 0),
                    sp.Ge(2 / _eta, quotient),
                    sp.Ge(quotient, 1 + units / _n**2),
                    sp.Ge(units, 2 * _n**2 * curvature),
                ),
            ),
        ),
        _COVERS,
        lhs=curvature,
        rhs=bound,
    )
