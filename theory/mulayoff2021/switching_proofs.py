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
    mean_of_squares,
    over_all,
    over_columns,
    over_rows,
    reals,
    summed,
)
from theory.mulayoff2021.smooth_proofs import unit_terms, units_bend, weighted_curvature
from theory.mulayoff2021.stability_proofs import mean_along
from theory.proof import Proof, Rule, Step

_eta = sp.Symbol("eta", positive=True)
_n = sp.Symbol("n", positive=True)
_COVERS = "gradient descent and SGD at interpolation; any number of units and data points"


def _one_step(direction: str, *, place: int = 0) -> tuple[Step, ...]:
    """Return q^T H_m q <= 2/eta for a unit vector q, m the mode of theta + eps q: four steps.

    Args:
        direction: what q is.
        place: the number of the first of them, counted from 0.
    """
    quotient = sp.Symbol("r", real=True)
    return (
        *mean_along(
            f"q is {direction}, w = v_1, the first step from v_0 = eps q in its mode m, so E v_1 = v_0 - eta H_m v_0",
            place=place,
        ),
        Step(
            2 / _eta,
            quotient,
            Rule.POLYNOMIAL,
            "strong stability: |q^T E v_1| = eps |1 - eta r| is at most eps, r = q^T H_m q; likewise from -eps q",
            uses=(place, place + 2),
            conditions=(sp.Le(sp.Abs(1 - _eta * quotient), 1),),
        ),
    )


def _two_sides() -> Step:
    """Return what a toggling unit gives from q and from -q together."""
    w, z = sp.symbols("w z", real=True)
    return Step(
        w * (z + sp.Abs(z)) / 2 + w * (z - sp.Abs(z)) / 2,
        w * z,
        Rule.IDENTITY,
        "a toggling unit is active from q or from -q: w2 [z]_+ and -w2 [-z]_+ add up to w2 z, z = x_j dw1 + db1",
    )


_m, _p = sp.symbols("m p", integer=True, nonnegative=True)
_bound = sp.Symbol("C", nonnegative=True)
_long = sp.Symbol("N", positive=True)
_along, _against, _other, _out, _x = reals("a b e o x")
"""Outputs at the m samples: Phi^T q in the modes of q and of -q, what two modes differ by, Phi^T q in a mode; and inputs."""
_w, _sign, _du, _dv = reals("w s u v")
"""Of the p units, at most, that toggle on a sample: w2, a sign or 0, dw1 and db1."""


def _over_samples(term: sp.Expr) -> sp.Expr:
    """Return the sum of a term in j over j = 1..m."""
    return sp.Sum(term, (COLUMN, 1, _m))


def _over_toggling(term: sp.Expr) -> sp.Expr:
    """Return the sum of a term in i over i = 1..p."""
    return sp.Sum(term, (ROW, 1, _p))


def _limits(sample: sp.Expr, unit: sp.Expr) -> tuple[sp.Basic, ...]:
    """Return that C bounds what f changes by with w1 and with b1, and that s is a sign or 0."""
    w = _w[sample, unit]
    return (
        sp.Le(sp.Abs(w * _x[sample]), _bound),
        sp.Le(sp.Abs(w), _bound),
        sp.Le(sp.Abs(_sign[sample, unit]), 1),
    )


_weights_moved = _over_samples(_over_toggling(_du[COLUMN, ROW] ** 2 + _dv[COLUMN, ROW] ** 2))
_squares = {
    name: _over_samples(of[COLUMN] ** 2) for name, of in zip("abeo", (_along, _against, _other, _out), strict=True)
}


def _one_sample() -> Step:
    """Return that a unit that toggles on two points has no knot."""
    x, other, w1, b1 = sp.symbols("x t w1 b1", real=True)
    return Step(
        sp.Integer(0),
        w1**2,
        Rule.POLYNOMIAL,
        "a unit that toggles on two points has w1 = 0, and so b1 = 0: without such units no two columns change in the same "
        "entry",
        conditions=(sp.Eq(w1 * x + b1, 0), sp.Eq(w1 * other + b1, 0), sp.Ne(x, other)),
    )


def _change(place: int) -> tuple[Step, ...]:
    """Return 2 C^2 p times the squares of (dw1, db1) >= the squares of e_j = sum_i s w2 (x_j dw1 + db1): five steps.

    Args:
        place: the number of the first of them, counted from 0.
    """
    sample, new = _m + 1, _p + 1

    def part(unit: sp.Expr) -> sp.Expr:
        return _sign[sample, unit] * _w[sample, unit] * (_x[sample] * _du[sample, unit] + _dv[sample, unit])

    def moved(unit: sp.Expr) -> sp.Expr:
        return 2 * _bound**2 * (_du[sample, unit] ** 2 + _dv[sample, unit] ** 2)

    squares, change = _over_toggling(part(ROW) ** 2), _over_toggling(part(ROW))
    weights = 2 * _bound**2 * _over_toggling(_du[sample, ROW] ** 2 + _dv[sample, ROW] ** 2)
    return (
        Step(
            moved(new),
            part(new) ** 2,
            Rule.POLYNOMIAL,
            "w2 x_j and w2, by which f(x_j) changes with w1 and b1, are at most C; s is a sign, or 0 where a unit changes not",
            conditions=_limits(sample, new),
        ),
        Step(
            weights,
            squares,
            Rule.INDUCTION,
            "over the units that toggle on x_j",
            (moved(new) - part(new) ** 2,),
            term=place,
            conditions=_limits(sample, new),
            variable=_p,
        ),
        mean_of_squares(
            reals("y")[0][INDEX], "p times the sum of squares is at least the square of the sum; for p = 0 both are 0"
        ),
        _one_sample(),
        Step(
            2 * _bound**2 * _p * _weights_moved,
            _squares["e"],
            Rule.INDUCTION,
            "over the samples: e_j is the difference of the outputs in two modes, which is that of the units that toggle on "
            "x_j, p_max at most, and each has its knot on one sample",
            (weights * _p - _other[sample] ** 2,),
            uses=(place + 1, place + 2, place + 3),
            conditions=(
                sp.Ge(weights, squares),
                sp.Ge(_p * squares, change**2),
                sp.Eq(_other[sample], change),
            ),
            variable=_m,
        ),
    )


def _products() -> tuple[Step, Step]:
    """Return f g >= sum u_i v_i for sums of squares that are at most f^2 and g^2."""
    first, second, large, small = sp.symbols("f g A B", nonnegative=True)
    product = sp.Symbol("q", real=True)
    u, v = reals("u v")
    return (
        cauchy_schwarz(u, v, "for two vectors of outputs, or of gradients"),
        Step(
            first * second,
            product,
            Rule.POLYNOMIAL,
            "so their product is at most that of two numbers that bound their lengths",
            uses=(0,),
            conditions=(
                sp.Ge(large * small, product**2),
                sp.Le(large, first**2),
                sp.Le(small, second**2),
            ),
        ),
    )


def _edge(share: sp.Expr) -> sp.Expr:
    """Return (sqrt(2/eta) + sqrt(U/2))^2."""
    return (sp.sqrt(2 / _eta) + sp.sqrt(share / 2)) ** 2


def _in_any_mode(direction: str, most: sp.Expr, *more: sp.Basic) -> tuple[Step, ...]:
    """Return (sqrt(2/eta) + sqrt(U/2))^2 >= ||Phi_m^T q||^2/(n ||q||^2), U = C^2 P/n: the first fifteen steps of a proof.

    Args:
        direction: what q is.
        most: P, at least the number p of units that toggle on one sample.
        more: what says so, if P is not p.
    """
    sample = _m + 1
    c, z = sp.Symbol("c", real=True), reals("z")[0][ROW]
    w, sign = _w[sample, ROW], _sign[sample, ROW]
    a, b, e, o = (of[COLUMN] for of in (_along, _against, _other, _out))
    at = [of.subs(COLUMN, sample) for of in (a, b, e, o)]
    cross = [_over_samples(first * second) for first, second in ((a, b), (a, e), (b, e))]
    total = _squares["a"] + _squares["b"] + _squares["e"] + 2 * sum(cross, sp.Integer(0))
    together, size = _over_samples((a + b + e) ** 2), _n * _long
    root = 2 * sp.sqrt(2 / _eta) * sp.sqrt(_bound**2 * most / _n / 2) * size
    return (
        *_products(),
        *_change(2),
        *_one_step(direction, place=7),
        Step(
            c
            + _over_toggling(w * (z + sp.Abs(z)) / 2)
            + c
            + _over_toggling(w * (z - sp.Abs(z)) / 2)
            + _over_toggling(sign * w * z),
            2 * (c + _over_toggling((1 + sign) / 2 * w * z)),
            Rule.IDENTITY,
            "c is what the units give that do not toggle, and a toggling one, of z = x_j dw1 + db1, is active from q if z > 0 "
            "and from -q if z < 0; in the mode at hand it is if s = 1 and not if s = -1",
        ),
        Step(
            together,
            4 * _squares["o"],
            Rule.INDUCTION,
            "so a + b + e = 2 o, over the samples",
            (sum(at[:3], sp.Integer(0)) ** 2 - 4 * at[3] ** 2,),
            uses=(11,),
            conditions=(sp.Eq(at[0] + at[1] + at[2], 2 * at[3]),),
            variable=_m,
        ),
        Step(together, total, Rule.IDENTITY, "the square of the sum of three"),
        Step(
            _edge(_bound**2 * most / _n),
            _squares["o"] / size,
            Rule.POLYNOMIAL,
            "the lengths of a and b are at most sqrt(2 n/eta) ||q||, and that of e at most C sqrt(2 p) ||q||, N = ||q||^2",
            uses=(1, 6, 10, 12, 13),
            conditions=(
                *more,
                sp.Le(_eta * _squares["a"], 2 * size),
                sp.Le(_eta * _squares["b"], 2 * size),
                sp.Le(_weights_moved, _long),
                sp.Ge(2 * _bound**2 * _p * _weights_moved, _squares["e"]),
                sp.Ge(2 * size / _eta, cross[0]),
                sp.Ge(root, cross[1]),
                sp.Ge(root, cross[2]),
                sp.Eq(together, total),
                sp.Ge(together, 4 * _squares["o"]),
            ),
        ),
    )


def b4() -> Proof:
    """Two modes differ in two entries a toggling unit, on its one sample."""
    w, x = sp.symbols("w x", real=True)
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
            summed(
                changed * 2 * bound**2,
                column,
                many,
                "over the units that change at x_j",
                term=0,
                conditions=within,
            ),
            _one_sample(),
            Step(
                most * part,
                size * part,
                Rule.POLYNOMIAL,
                "so the columns of the change are orthogonal, and along a unit vector with squares z_j it has the square of "
                "the sum of the l_j z_j, l_j the squares of their lengths",
                conditions=(sp.Le(size, most),),
                uses=(2,),
            ),
            summed(
                most * part,
                size * part,
                many,
                "over all columns: ||Phi_m~ - Phi_m||^2 is the square of the longest",
                term=3,
                conditions=(sp.Le(size, most),),
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
    parameters = sp.Symbol("d", integer=True, positive=True)
    (first, second), one, sample = reals("f g"), (_m + 1, _p + 1), _m + 1
    top, other = sp.symbols("lambda mu", nonnegative=True)

    def over_parameters(term: sp.Expr) -> sp.Expr:
        return sp.Sum(term, (ROW, 1, parameters))

    def column(at: sp.Expr, unit: sp.Expr) -> sp.Expr:
        return _sign[at, unit] ** 2 * (_w[at, unit] ** 2 * _x[at] ** 2 + _w[at, unit] ** 2)

    f, g = first[ROW], second[ROW]
    squares = [over_parameters(part) for part in (f**2, g**2, f * g)]
    whole = over_parameters((f + g) ** 2)
    spread = _over_samples(_out[COLUMN] ** 2 * _over_toggling(column(COLUMN, ROW)))
    columns, most = _over_toggling(column(sample, ROW)), 2 * _bound**2 * _p
    share = 2 * _bound**2 * _p * _n * _long
    lhs = sp.sqrt(whole / _long) / _n
    rhs = sp.sqrt(2) * _bound * (sp.sqrt(top) + sp.sqrt(other)) * sp.sqrt(_p / _n)
    return Proof(
        (
            *_products(),
            *_change(2),
            Step(
                (a + d) * (b + e) - a * b,
                (a + d) * e + d * b,
                Rule.IDENTITY,
                "entry by entry and sample by sample: Phi' Phi'^T - Phi Phi^T = Phi' D^T + D Phi^T with Phi' = Phi + D; so "
                "n (H' q - H q) is f + g, f = Phi' e and g = D o for e = D^T q and o = Phi^T q",
            ),
            Step(
                2 * _bound**2,
                column(*one),
                Rule.POLYNOMIAL,
                "the column of a unit in D has the entries w2 x_j and w2, if it changes on x_j",
                conditions=_limits(*one),
            ),
            Step(
                most,
                columns,
                Rule.INDUCTION,
                "over the units that toggle on x_j",
                (2 * _bound**2 - column(*one),),
                term=8,
                conditions=_limits(*one),
                variable=_p,
            ),
            Step(
                most * _squares["o"],
                spread,
                Rule.INDUCTION,
                "over the samples; each unit has its knot on one of them, so this is ||g||^2",
                (most * _out[sample] ** 2 - _out[sample] ** 2 * columns,),
                uses=(5, 9),
                conditions=(sp.Ge(most, columns),),
                variable=_m,
            ),
            Step(
                _n * other * _squares["e"],
                squares[0],
                Rule.CITED,
                "Rayleigh and Ritz: ||Phi' e||^2 is at most the top eigenvalue mu of H' times n ||e||^2",
            ),
            Step(
                _n * top * _long,
                _squares["o"],
                Rule.CITED,
                "Rayleigh and Ritz: ||Phi^T q||^2 is at most n lambda ||q||^2, N = ||q||^2",
            ),
            Step(
                whole, squares[0] + squares[1] + 2 * squares[2], Rule.IDENTITY, "the square of f + g, over the weights"
            ),
            Step(
                rhs,
                lhs,
                Rule.POLYNOMIAL,
                "so ||f||^2 is at most 2 C^2 p n mu N, and ||g||^2 at most 2 C^2 p n lambda N",
                uses=(1, 6, 7, 10, 11, 12, 13),
                conditions=(
                    sp.Le(_weights_moved, _long),
                    sp.Ge(2 * _bound**2 * _p * _weights_moved, _squares["e"]),
                    sp.Ge(_n * other * _squares["e"], squares[0]),
                    sp.Ge(_n * top * _long, _squares["o"]),
                    sp.Ge(most * _squares["o"], spread),
                    sp.Eq(squares[1], spread),
                    sp.Ge(share * sp.sqrt(top) * sp.sqrt(other), squares[2]),
                    sp.Eq(whole, squares[0] + squares[1] + 2 * squares[2]),
                ),
            ),
        ),
        "any number of units and data points, no unit with w1 = b1 = 0",
        lhs=lhs,
        rhs=rhs,
    )


def m8a() -> Proof:
    """Strong stability bounds the sharpness of every mode."""
    steps = _in_any_mode("any direction", _p)
    return Proof(steps, f"{_COVERS}, no unit with w1 = b1 = 0", lhs=steps[-1].after, rhs=steps[-1].before)


def m8() -> Proof:
    """The printed bound is weaker than M8.a."""
    ours, share = m8a(), _bound**2 * _p / _n
    printed = 2 / _eta + 3 * share + sp.sqrt(3 * share * (3 * share + 2 / _eta))
    return Proof(
        (
            *ours.steps,
            Step(printed, _edge(share), Rule.POLYNOMIAL, "the printed bound is no smaller"),
        ),
        ours.covers,
        lhs=ours.lhs,
        rhs=printed,
    )


def m8c() -> Proof:
    """What eq 34 and Lemma 2 leave for lambda_up."""
    top, mass = sp.symbols("lambda U", nonnegative=True)
    bound = 2 / _eta + 6 * mass + 2 * sp.sqrt(3 * mass * (3 * mass + 2 / _eta))
    return Proof(
        (
            Step(
                bound,
                top,
                Rule.POLYNOMIAL,
                "the quadratic inequality solved, U = C^2 p/n",
                conditions=(sp.Le(top, 2 / _eta + 2 * sp.sqrt(3 * mass * top)),),
            ),
        ),
        "all numbers",
        lhs=top,
        rhs=bound,
    )


def m9a() -> Proof:
    """Strong stability bounds int |f''| g, with a smaller excess than printed."""
    most = sp.Symbol("P", nonnegative=True)
    first = _in_any_mode(
        "the mean gradient v, toggling units counted as inactive, for those with a knot; along v the others stay at 0",
        most,
        sp.Le(_p, most),
    )
    edge, quotient, share = first[-1].before, first[-1].after, _bound**2 * most / _n
    total, units, curvature = _over_samples(_out[COLUMN]), unit_terms(), weighted_curvature()
    rhs = 1 / _eta - sp.Rational(1, 2) + sp.sqrt(share / _eta) + share / 4
    return Proof(
        (
            *first,
            mean_of_squares(
                reals("y")[0][INDEX], "n times the sum of squares of the outputs o = Phi_0^T v, of sum n ||v||^2"
            ),
            Step(
                quotient,
                _long,
                Rule.POLYNOMIAL,
                "so N = ||v||^2 is at most the curvature along v",
                uses=(15,),
                conditions=(sp.Ge(_n * _squares["o"], total**2), sp.Eq(total, _n * _long)),
            ),
            *units_bend(17),
            Step(edge, 2 * rhs + 1, Rule.IDENTITY, "the square of the sum of the two roots"),
            Step(
                rhs,
                curvature,
                Rule.POLYNOMIAL,
                "and N holds 1 for b2, with what the units hold; p <= P = 1 + k - L: of k units each of the L knots takes one "
                "at least, so those with their knot on one sample are at most k less L - 1",
                uses=(14, 16, 21, 22),
                conditions=(
                    sp.Ge(edge, quotient),
                    sp.Ge(quotient, _long),
                    sp.Eq(edge, 2 * rhs + 1),
                    sp.Ge(_long, 1 + units / _n**2),
                    sp.Ge(units, 2 * _n**2 * curvature),
                ),
            ),
        ),
        _COVERS,
        lhs=curvature,
        rhs=rhs,
    )


def m9() -> Proof:
    """The printed excess is larger than that of M9.a."""
    ours = m9a()
    share = _bound**2 * sp.Symbol("P", nonnegative=True) / _n
    printed = 1 / _eta - sp.Rational(1, 2) + 3 * share / 2 + sp.sqrt(3 * share * (3 * share + 2 / _eta) / 4)
    assert ours.rhs is not None
    return Proof(
        (
            *ours.steps,
            Step(printed, ours.rhs, Rule.POLYNOMIAL, "the printed Delta is no smaller"),
        ),
        _COVERS,
        lhs=ours.lhs,
        rhs=printed,
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
            _two_sides(),
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
