"""Proofs of the claims of Walker 2023 on tangent features and the complexity of linear models."""

from __future__ import annotations

from itertools import pairwise

import sympy as sp

from theory.lemmas import COUNT, INDEX, cauchy_schwarz, mean_of_squares, over_all, reals
from theory.proof import Proof, Rule, Step

_eta, _examples = sp.symbols("eta n", positive=True)
_a, _b, _c, _x, _lam = sp.symbols("a b c x lambda", real=True)
_length, _size = sp.symbols("q z", nonnegative=True)
_square, _radius = sp.symbols("y M", nonnegative=True)
_updates = sp.Symbol("T", integer=True, nonnegative=True)
_entry, _coordinate = sp.symbols("k j", integer=True)
_width = sp.Symbol("d", integer=True, positive=True)


def w5() -> Proof:
    """Expand the step in the eigenvectors; the roots of the eigenvalues meet."""
    along, pull, here, back, values, point = reals("t a b c lambda phi")
    (slopes,) = reals("g")
    features = sp.IndexedBase("F", real=True)
    roots_meet, plain = -_eta * _lam * _c * _a * _b, -_eta * _a * _b
    of_all = over_all(-_eta * values[INDEX] * back[INDEX] * pull[INDEX] * here[INDEX])
    expanded = over_all(-_eta * pull[INDEX] * here[INDEX])
    step = sp.Sum(
        features[_entry, _coordinate] * slopes[_entry], (_entry, 1, sp.Symbol("n", integer=True, positive=True))
    )
    direct = -_eta * sp.Sum(step * point[_coordinate], (_coordinate, 1, COUNT))
    kept, kept_of_all = (sp.Eq(_a, _lam * _c * _a),), (sp.Eq(pull[INDEX], values[INDEX] * back[INDEX] * pull[INDEX]),)
    parseval = (
        "Parseval, in the orthonormal basis v_j: <s, Phi(x)> = sum_j <s, v_j> <v_j, Phi(x)>, s = Phi^T grad_h l, "
        "a_j = <s, v_j>, b_j = <v_j, Phi(x)>"
    )
    return Proof(
        (
            cauchy_schwarz(
                along,
                slopes,
                "t_i = v_j.Phi(x_i), with sum_i t_i^2 = n lambda_j: a_j^2 = (sum_i t_i g_i)^2 <= n lambda_j |g|^2",
            ),
            Step(
                sp.Integer(0),
                sp.Abs(_a - _lam * _c * _a),
                Rule.POLYNOMIAL,
                "c_j = 1/lambda_j, or 0 where lambda_j = 0, in which case a_j = 0: nothing is lost (q = n |g|^2)",
                uses=(0,),
                conditions=(sp.Ge(_length * _lam, _a**2), sp.Or(sp.Eq(_lam * _c, 1), sp.Eq(_lam, 0))),
            ),
            Step(
                roots_meet,
                plain,
                Rule.POLYNOMIAL,
                "u_j(x) u_j^T grad_h l = c_j a_j b_j, the roots in the two u_j meeting",
                uses=(1,),
                conditions=kept,
            ),
            Step(plain, roots_meet, Rule.POLYNOMIAL, "and the other way", uses=(1,), conditions=kept),
            Step(of_all, expanded, Rule.SUM, "over all j", term=2, uses=(1,), conditions=kept_of_all),
            Step(expanded, of_all, Rule.SUM, "and the other way", term=3, uses=(1,), conditions=kept_of_all),
            Step(expanded, direct, Rule.CITED, parseval),
            Step(direct, expanded, Rule.CITED, f"{parseval}, and the other way"),
        ),
        "any sample, loss, dimension and point; terms with lambda_j = 0 left out",
        lhs=direct,
        rhs=of_all,
    )


_BIENAYME = (
    "Bienayme: signs are independent with mean 0 and square 1, so the mean of ||B sigma||^2 is the sum of the squares of the "
    "entries of B = A^-1 Phi^T"
)


def _of(update: sp.Expr) -> tuple[sp.Expr, ...]:
    """Return what the proof goes along for one update, from the bound to the mean of the roots.

    Over all m vectors of signs, y are the ||B sigma||^2; e are the entries of B.
    """
    squares = sp.IndexedBase("y", nonnegative=True)[update, INDEX]
    entries, radius = sp.IndexedBase("e", real=True), sp.IndexedBase("M", nonnegative=True)[update]
    return (
        radius / _examples * sp.sqrt(sp.Sum(entries[update, _entry] ** 2, (_entry, 1, _width))),
        radius / _examples * sp.sqrt(over_all(squares) / COUNT),
        radius / _examples * over_all(sp.sqrt(squares)) / COUNT,
    )


def _one_update(update: sp.Expr) -> tuple[Step, ...]:
    """Return the steps for one update: 2 is for one vector of signs, 5 and 6 go along what `_of` returns."""
    squares = over_all(sp.IndexedBase("y", nonnegative=True)[update, INDEX])
    roots = over_all(sp.sqrt(sp.IndexedBase("y", nonnegative=True)[update, INDEX]))
    entries = sp.Sum(sp.IndexedBase("e", real=True)[update, _entry] ** 2, (_entry, 1, _width))
    bound, root_mean, mean_root = _of(update)
    z, b = reals("z b")
    return (
        cauchy_schwarz(z, b, "Cauchy and Schwarz: <w, Phi^T sigma> = <z, b>, z = A^T w, b = A^-1 Phi^T sigma"),
        Step(
            _radius**2 * _square,
            _x**2,
            Rule.POLYNOMIAL,
            "so where ||w||_A = |z| is at most M, <w, Phi^T sigma>^2 is at most M^2 |b|^2, and so is that of the supremum",
            uses=(0,),
            conditions=(sp.Ge(_size * _square, _x**2), sp.Le(_size, _radius**2)),
        ),
        Step(
            _radius * sp.sqrt(_square) / (_examples * COUNT),
            _x / (_examples * COUNT),
            Rule.POLYNOMIAL,
            "the supremum is at most M |b|",
            uses=(1,),
            conditions=(sp.Ge(_radius**2 * _square, _x**2),),
        ),
        Step(entries, squares / COUNT, Rule.CITED, _BIENAYME),
        mean_of_squares(
            sp.sqrt(sp.IndexedBase("y", nonnegative=True)[update, INDEX]),
            "Jensen: the mean of the |b| is at most the root of the mean of their squares",
        ),
        Step(
            bound,
            root_mean,
            Rule.POLYNOMIAL,
            "the mean square over all signs",
            uses=(3,),
            conditions=(sp.Ge(entries, squares / COUNT),),
        ),
        Step(
            root_mean,
            mean_root,
            Rule.POLYNOMIAL,
            "its root is at least the mean",
            uses=(4,),
            conditions=(sp.Ge(COUNT * squares, roots**2),),
        ),
    )


def _over_signs(update: sp.Expr, *limits: tuple[sp.Symbol, sp.Expr, sp.Expr]) -> Step:
    """Return step 2 for every vector of signs, and for every update that the limits go over; x are the suprema."""
    squares, suprema = sp.IndexedBase("y", nonnegative=True), sp.IndexedBase("x", real=True)
    radius = sp.IndexedBase("M", nonnegative=True)[update]
    square, supremum = squares[update, INDEX], suprema[update, INDEX]
    return Step(
        sp.Sum(radius * sp.sqrt(square) / (_examples * COUNT), (INDEX, 1, COUNT), *limits),
        sp.Sum(supremum / (_examples * COUNT), (INDEX, 1, COUNT), *limits),
        Rule.SUM,
        "the mean over all signs of the suprema",
        term=2,
        uses=(1,),
        conditions=(sp.Ge(radius**2 * square, supremum**2),),
    )


def w6() -> Proof:
    """The supremum is a dual norm, and its mean is at most the root of its mean square."""
    bound, _, mean_root = _of(sp.Integer(1))
    every = _over_signs(sp.Integer(1))
    written = Step(mean_root, every.before, Rule.IDENTITY, "the mean over all signs")
    steps = (*_one_update(sp.Integer(1)), written, every)
    return Proof(steps, "any sample, invertible matrix and radius", lhs=every.after, rhs=bound)


def _paths(covers: str) -> Proof:
    """Return the proof for the sums over any number of updates."""
    last, update = _updates + 1, sp.Symbol("t", integer=True)
    steps = _one_update(last)
    along = [sp.Sum(part, (update, 1, _updates)) for part in _of(update)]
    every = _over_signs(update, (update, 1, _updates))
    links = tuple(
        Step(
            more,
            less,
            Rule.INDUCTION,
            "the updates are free of each other, so the supremum of the sum is the sum of the suprema: one update more",
            (steps[number].before - steps[number].after,),
            term=number,
            conditions=steps[number].conditions,
            variable=_updates,
            base=0,
        )
        for (more, less), number in zip(pairwise(along), (5, 6), strict=True)
    )
    written = Step(along[-1], every.before, Rule.INDUCTION, "in one sum", variable=_updates, base=0)
    return Proof((*steps, *links, written, every), covers, lhs=every.after, rhs=along[0])


def w7() -> Proof:
    """The updates are free of each other, so their suprema add."""
    return _paths("any number of updates; matrices and radii fixed beforehand")


def w7a() -> Proof:
    """W7 with identity matrices, each update on a feature map of its own."""
    return _paths("any number of fixed feature maps, of any kind: the steps of W7 with A_t = I, each on its Phi_t")
