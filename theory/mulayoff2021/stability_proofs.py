"""Proofs of the claims on linear stability and on systems that switch (M1 to M3)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import (
    COLUMN,
    COLUMNS,
    INDEX,
    ROW,
    TIME,
    bernoulli,
    cauchy_schwarz,
    nonnegatives,
    over_all,
    over_columns,
    over_rows,
    reals,
    triangle_inequality,
)
from theory.proof import Proof, Rule, Step

_eta, _eps, _s = sp.symbols("eta epsilon s", positive=True)

_h = sp.Symbol("lambda", nonnegative=True)

_a = sp.Symbol("a", real=True)

_top = sp.Symbol("mu", nonnegative=True)
"""The largest eigenvalue; lambda is any."""

_SPECTRAL = "the spectral theorem: a symmetric H has an orthonormal basis of eigenvectors"


def mean_along(direction: str, *, place: int = 0) -> tuple[Step, ...]:
    """Return E ||w|| >= |E q^T w| for a unit vector q and w with finitely many values: three steps.

    Args:
        direction: what q and w are.
        place: the number of the first of them, counted from 0.
    """
    q, w, values = reals("q w a")
    return (
        cauchy_schwarz(
            q, w, f"||w||^2 >= (q^T w)^2 for a unit vector q, by induction over the coordinates: {direction}"
        ),
        *triangle_inequality(
            values,
            "E |q^T w| >= |E q^T w|: a_i are the values of q^T w times their probabilities, over the draws of the batches",
            place=place + 1,
        ),
    )


def _stays(number: int) -> tuple[Step, Step]:
    """Return 1 >= (1 - eta lambda)^2t for 0 <= eta lambda <= 2; `number` is that of the first step, counted from 0."""
    within = (sp.Le(_eta * _h, 2),)
    return (
        Step(
            sp.S.One,
            (1 - _eta * _h) ** 2,
            Rule.POLYNOMIAL,
            "no component gets longer in a step where 0 <= eta lambda <= 2",
            conditions=within,
        ),
        Step(
            sp.S.One,
            (1 - _eta * _h) ** (2 * TIME),
            Rule.INDUCTION,
            "nor in t steps",
            (1 - (1 - _eta * _h) ** 2,),
            term=number,
            conditions=within,
            variable=TIME,
            factor=(1 - _eta * _h) ** 2,
        ),
    )


def moved_along(number: int, *, given: bool = False) -> tuple[Step, ...]:
    """Return q^T (w - eta H w) = (1 - eta mu) q^T w for H q = mu q: five steps; `number` is that of the first.

    H w = y is the mean over the batches of H_B w, as a batch does not depend on what came before it.

    Args:
        number: that of the first step, counted from 0.
        given: whether H q = mu q is what the claim assumes, and not the spectral theorem: then the steps are four.
    """
    q, w, y, entries = reals("q w y h")
    along = over_columns(q[COLUMN] * w[COLUMN])
    image = over_rows(q[ROW] * over_columns(entries[ROW, COLUMN] * w[COLUMN]))
    turned = over_columns(w[COLUMN] * over_rows(entries[ROW, COLUMN] * q[ROW]))
    new = COLUMNS + 1
    met = over_rows(entries[ROW, new] * q[ROW])
    spectral = Step(
        sp.Integer(0),
        over_columns((met.subs(new, COLUMN) - _top * q[COLUMN]) ** 2),
        Rule.CITED,
        f"{_SPECTRAL}; q is that of the largest eigenvalue mu",
    )
    known = (number + 1,) if given else (number + 1, number + 2)
    return (
        Step(
            over_columns(q[COLUMN] * (w[COLUMN] - _eta * y[COLUMN])),
            along - _eta * over_columns(q[COLUMN] * y[COLUMN]),
            Rule.IDENTITY,
            "batches are independent and uniform, so E w_{t+1} = w - eta y with w = E w_t and y = H w",
        ),
        Step(image, turned, Rule.INDUCTION, "q^T H w = w^T H q, as H is symmetric", variable=COLUMNS),
        *(() if given else (spectral,)),
        *(
            Step(
                turned if sign > 0 else _top * along,
                _top * along if sign > 0 else turned,
                Rule.INDUCTION,
                "and H q = mu q",
                (sign * w[new] * (met - _top * q[new]),),
                uses=known,
                conditions=(sp.Eq(met, _top * q[new]),),
                variable=COLUMNS,
            )
            for sign in (1, -1)
        ),
    )


def m1() -> Proof:
    """Linear stability needs lambda_max <= 2/eta."""
    length, along, more = sp.Symbol("e", nonnegative=True), nonnegatives("c")[0], sp.Symbol("delta", positive=True)
    at, step = along[TIME], sp.Abs(1 - _eta * _top)
    lhs, rhs = _eta * _top, sp.Integer(2)
    return Proof(
        (
            *mean_along("q is the top eigenvector of H, w = w_t, started from eps q"),
            *moved_along(3),
            Step(
                at,
                _eps * step**TIME,
                Rule.INDUCTION,
                "so the size c_t of the component of E w_t along q is eps |1 - eta mu|^t",
                (along[TIME + 1] - step * at,),
                uses=(3, 4, 6, 7),
                conditions=(sp.Eq(along[TIME + 1], step * at), sp.Eq(along[0], _eps)),
                variable=TIME,
                factor=step,
            ),
            bernoulli(_s, "1 - eta mu is -(1 + s) where mu exceeds 2/eta by s/eta"),
            Step(
                rhs,
                lhs,
                Rule.POLYNOMIAL,
                "e = E||w_t|| is at least c_t, for every t, and by linear stability at most eps (1 + delta) for some t = 1, "
                "2, ..: if mu exceeded 2/eta this would fail for delta below eta mu - 2",
                uses=(0, 2, 8, 9),
                conditions=(
                    sp.Ge(TIME, 1),
                    sp.Ge(length, _eps * step**TIME),
                    sp.Or(sp.Le(lhs, 2), sp.Ge(step**TIME, 1 + TIME * (lhs - 2))),
                    sp.Le(length, _eps * (1 + more)),
                    sp.Or(sp.Le(lhs, 2), sp.Lt(more, lhs - 2)),
                ),
            ),
        ),
        "necessity, any dimension and batch size",
        lhs=lhs,
        rhs=rhs,
    )


def m1a() -> Proof:
    """For gradient descent at a minimum lambda_max <= 2/eta is sufficient too."""
    component, eigenvalue = reals("a")[0], nonnegatives("lambda")[0]
    start, points = sp.Symbol("b", positive=True), reals("w")[0]
    power = (1 - _eta * _h) ** (2 * TIME)
    each = power.subs(_h, eigenvalue[INDEX])
    here, there = over_all(component[INDEX] ** 2), over_all(component[INDEX] ** 2 * each)
    grown = (1 - _eta * _top) ** (2 * TIME)
    flat = sp.Le(_eta * _top, 2)
    no_further = sp.Ge(over_all(points[1, INDEX] ** 2), over_all(points[TIME + 1, INDEX] ** 2))
    stable = sp.And(no_further, sp.Ge(start**2, start**2 * grown))
    return Proof(
        (
            *_stays(0),
            Step(
                _a**2,
                _a**2 * power,
                Rule.POLYNOMIAL,
                "so none is longer than at the start",
                uses=(1,),
                conditions=(sp.Le(power, 1),),
            ),
            Step(here, there, Rule.SUM, "nor is the vector", term=2, conditions=(sp.Le(each, 1),)),
            Step(
                sp.Ge(here, there),
                no_further,
                Rule.CITED,
                f"{_SPECTRAL}: a are the components of the start w_1 in it, and a (1 - eta lambda)^t those of w_{{t+1}} = "
                "(I - eta H)^t w_1",
                uses=(3,),
            ),
            bernoulli(_s, "1 + s is (1 - eta mu)^2, where eta mu exceeds 2"),
            Step(
                flat,
                stable,
                Rule.IDENTITY,
                "linearly stable: from no start is w_t in the end further away. Beyond 2/eta a start b along the eigenvector "
                "of mu, the largest eigenvalue, is, and by as much as after one step or more; else none is at any t",
                uses=(1, 4, 5),
                conditions=(
                    sp.Ge(TIME, 1),
                    sp.Or(sp.Gt(_eta * _top, 2), no_further),
                    sp.Or(sp.Gt(_eta * _top, 2), sp.Le(grown, 1)),
                    sp.Or(sp.Le(_eta * _top, 2), sp.Ge(grown, 1 + TIME * ((1 - _eta * _top) ** 2 - 1))),
                ),
            ),
        ),
        "gradient descent, any dimension; eigenvalues of a minimum are >= 0",
        lhs=flat,
        rhs=stable,
    )


def _first_step() -> tuple[tuple[Step, ...], dict[str, sp.Expr]]:
    """Return that the mean length of a first step's end is at least the size of its mean along q, and its parts.

    From eps q a step ends in v = eps q - eta (g + eps h), g one of k equally likely gradients, h = H_m q. The first six
    steps of a proof.
    """
    q, image, gradients, ends = reals("q h g v")
    (terms,) = reals("a")
    i, j, row = INDEX, COLUMN, COLUMNS + 1
    size = over_all(q[i] ** 2)

    def end(at: sp.Expr, place: sp.Expr) -> sp.Expr:
        return _eps * q[place] - _eta * (gradients[at, place] + _eps * image[place])

    def square(at: sp.Expr) -> sp.Expr:
        return over_all(end(at, i) ** 2)

    def along(at: sp.Expr) -> sp.Expr:
        return over_all(q[i] * end(at, i))

    def gradient(at: sp.Expr) -> sp.Expr:
        return over_all(q[i] * gradients[at, i])

    lengths, sizes, total = over_columns(sp.sqrt(square(j))), over_columns(sp.Abs(along(j))), over_columns(along(j))
    drawn, slope = over_columns(gradient(j)), over_all(q[i] * image[i])
    parts = {
        "lengths": lengths,
        "sizes": sizes,
        "total": total,
        "drawn": drawn,
        "drawn sizes": over_columns(sp.Abs(gradient(j))),
        "slope": slope,
        "unit": size,
        "sum": COLUMNS * _eps * size - _eta * drawn - COLUMNS * _eta * _eps * slope,
    }
    near = (sp.Eq(size, 1), sp.Ge(size * square(row), along(row) ** 2))
    steps = (
        cauchy_schwarz(q, ends, "||q||^2 ||v||^2 >= (q^T v)^2, by induction over the coordinates"),
        Step(
            sp.sqrt(square(row)),
            sp.Abs(along(row)),
            Rule.POLYNOMIAL,
            "||v|| >= |q^T v| for the unit vector q and v = eps q - eta (g + eps h), where a first step from eps q ends",
            uses=(0,),
            conditions=near,
        ),
        Step(
            lengths,
            sizes,
            Rule.INDUCTION,
            "over the k gradients of the mode m that eps q lies in; h = H_m q",
            (sp.sqrt(square(row)) - sp.Abs(along(row)),),
            term=1,
            conditions=near,
            variable=COLUMNS,
        ),
        *triangle_inequality(
            terms, "sizes add up to at least that of the sum: those of the q^T v, and of the q^T g", place=3
        ),
        Step(
            total,
            parts["sum"],
            Rule.INDUCTION,
            "which is k eps - eta (sum q^T g + k eps q^T H_m q)",
            variable=COLUMNS,
        ),
    )
    return steps, parts


def _what_adds_up(parts: dict[str, sp.Expr], gamma: sp.Expr) -> tuple[sp.Basic, ...]:
    """Return what the steps of `_first_step` show of the parts, and what gamma is."""
    return (
        sp.Ge(COLUMNS, 1),
        sp.Eq(parts["unit"], 1),
        sp.Ge(parts["lengths"], parts["sizes"]),
        sp.Ge(parts["sizes"], sp.Abs(parts["total"])),
        sp.Eq(parts["total"], parts["sum"]),
        sp.Ge(parts["drawn sizes"], sp.Abs(parts["drawn"])),
        sp.Le(parts["drawn sizes"], COLUMNS * gamma),
    )


def m2() -> Proof:
    """Where all modes are sharp along one direction, SGD leaves."""
    gamma, delta = sp.symbols("gamma delta", nonnegative=True)
    value, lower = sp.symbols("lambda_m lambda", real=True)
    q, image, off = reals("q h d")
    first, parts = _first_step()
    rest = image[INDEX] - value * q[INDEX]
    other = over_all(q[INDEX] * rest)
    lhs = parts["lengths"] / COLUMNS
    return Proof(
        (
            *first,
            cauchy_schwarz(q, off, "||q||^2 ||d||^2 >= (q^T d)^2, d = H_m q - lambda_m q"),
            Step(other, parts["slope"] - value * parts["unit"], Rule.IDENTITY, "q^T d = q^T H_m q - lambda_m"),
            Step(
                parts["slope"],
                value - delta,
                Rule.POLYNOMIAL,
                "so q^T H_m q is within delta of lambda_m",
                uses=(6, 7),
                conditions=(
                    sp.Eq(parts["unit"], 1),
                    sp.Ge(parts["unit"] * over_all(rest**2), other**2),
                    sp.Le(over_all(rest**2), delta**2),
                    sp.Eq(other, parts["slope"] - value * parts["unit"]),
                ),
            ),
            Step(
                lhs,
                _eps,
                Rule.POLYNOMIAL,
                "the size of the mean along q after one step exceeds eps, and the mean size is no less; gamma is at least "
                "E |q^T g| in every mode, and lambda at most every lambda_m",
                uses=(2, 4, 5, 8),
                conditions=(
                    *_what_adds_up(parts, gamma),
                    sp.Ge(parts["slope"], value - delta),
                    sp.Ge(value, lower),
                    sp.Gt(lower, 2 / _eta + delta + gamma / _eps),
                ),
            ),
        ),
        "any number of modes and dimension: strong stability fails in the first step",
        lhs=lhs,
        rhs=_eps,
    )


def m2a() -> Proof:
    """The same without delta."""
    gamma, lower = sp.Symbol("gamma", nonnegative=True), sp.Symbol("lambda", real=True)
    first, parts = _first_step()
    lhs, rhs = parts["lengths"] / COLUMNS, _eps * (1 + _eta * (lower - 2 / _eta - gamma / _eps))
    return Proof(
        (
            *first,
            Step(
                lhs,
                rhs,
                Rule.POLYNOMIAL,
                "lambda is the smallest q^T H_m q, and gamma at least E |q^T g| in every mode",
                uses=(2, 4, 5),
                conditions=(*_what_adds_up(parts, gamma), sp.Ge(parts["slope"], lower)),
            ),
        ),
        "any number of modes and dimension",
        lhs=lhs,
        rhs=rhs,
    )


def m3a() -> Proof:
    """Gradient descent in modes with 0 <= H_m <= 2/eta never gets further away."""
    points, component, eigenvalue = *reals("w a"), nonnegatives("lambda")[0]
    time = sp.Symbol("t", integer=True, positive=True)

    def square(at: sp.Expr) -> sp.Expr:
        return over_all(points[at, INDEX] ** 2)

    moved = component[INDEX] * (1 - _eta * eigenvalue[INDEX])
    here, there = over_all(component[INDEX] ** 2), over_all(moved**2)
    no_further = sp.Ge(square(time), square(time + 1))
    return Proof(
        (
            Step(
                _a**2,
                (_a * (1 - _eta * _h)) ** 2,
                Rule.POLYNOMIAL,
                "no component gets longer where 0 <= eta lambda <= 2",
                conditions=(sp.Le(_eta * _h, 2),),
            ),
            Step(
                here,
                there,
                Rule.SUM,
                "nor does the vector",
                term=0,
                conditions=(sp.Le(_eta * eigenvalue[INDEX], 2),),
            ),
            Step(
                sp.Ge(here, there),
                no_further,
                Rule.CITED,
                f"{_SPECTRAL}: a are the components of w_t in that of the H_m of its mode, and a (1 - eta lambda) those of "
                "w_{t+1} = w_t - eta H_m w_t",
                uses=(1,),
            ),
            Step(
                square(sp.Integer(1)),
                square(time),
                Rule.INDUCTION,
                "so no w_t is further away than the start, whichever modes the steps are taken in",
                (square(time) - square(time + 1),),
                uses=(2,),
                conditions=(no_further,),
                variable=time,
                base=1,
            ),
        ),
        "any dimension and number of modes: every step contracts, whichever mode it is taken in",
        lhs=square(time),
        rhs=square(sp.Integer(1)),
    )
