"""Proofs of the claims of Walker 2023 on stiffness."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, cauchy_schwarz, over_all, reals
from theory.proof import Proof, Rule, Step

_eps = sp.Symbol("epsilon", positive=True)
_rate = sp.Symbol("epsilon", nonnegative=True)
_r, _change = sp.symbols("r D", real=True)
_x, _g, _h, _v, _a, _b = reals("x g h v a b")


def w4a() -> Proof:
    """With a positive product the loss falls to first order, and a convex one falls only then."""
    product = over_all(_g[INDEX] * _h[INDEX])
    most = sp.Abs(product) / 2 * _eps - _eps * product
    falls, positive = sp.Lt(_change, 0), sp.Gt(product, 0)
    return Proof(
        (
            Step(
                _change,
                -_eps * product,
                Rule.CITED,
                "a convex function that is differentiable lies above its tangent: D = Delta l_2 >= -eps g_1.g_2",
            ),
            Step(
                most,
                _change,
                Rule.CITED,
                "the definition of the gradient: Delta l_2 = -eps g_1.g_2 + o(eps), and what is left over is eps |g_1.g_2| / 2 "
                "at most for all small eps, if g_1.g_2 is not 0",
            ),
            Step(
                positive,
                falls,
                Rule.POLYNOMIAL,
                "so the loss falls only where the product is positive",
                uses=(0,),
                conditions=(sp.Ge(_change, -_eps * product),),
            ),
            Step(
                falls,
                positive,
                Rule.POLYNOMIAL,
                "and where it is positive the loss falls, by eps g_1.g_2 / 2 at least",
                uses=(1,),
                conditions=(sp.Or(sp.Eq(product, 0), sp.Ge(most, _change)),),
            ),
        ),
        "any convex l_2 that is differentiable at w, any dimension; tried on squared losses",
        lhs=positive,
        rhs=falls,
    )


def _change_of_squared_loss(step: sp.Expr) -> sp.Expr:
    """Return ((w' - eps g).x - y)^2 / 2 less its value at w, r the residual there, with x.g = step."""
    return ((_r - _rate * step) ** 2 - _r**2) / 2


def w4b() -> Proof:
    """The loss along the step is a polynomial of the second degree."""
    step, product = over_all(_x[INDEX] * _g[INDEX]), over_all(_g[INDEX] * (_r * _x[INDEX]))
    curvature = over_all(_x[INDEX] ** 2) * over_all(_g[INDEX] ** 2)
    bound, reached = -_rate * product + _rate**2 / 2 * curvature, -_rate * product + _rate**2 / 2 * step**2
    return Proof(
        (
            cauchy_schwarz(_x, _g, "beta ||g_1||^2, beta = ||x_2||^2, is at least (x_2.g_1)^2"),
            Step(
                bound,
                reached,
                Rule.SCALED,
                "times eps^2 / 2, beside the term of first order, with g_2 = r x_2",
                term=0,
                factor=_rate**2 / 2,
            ),
            Step(
                reached,
                _change_of_squared_loss(step),
                Rule.IDENTITY,
                "which is the change of (w.x_2 - y_2)^2 / 2, r = w.x_2 - y_2, as w moves by -eps g_1",
            ),
        ),
        "squared losses of linear models, any dimension; for any loss with a beta-Lipschitz gradient it is the descent lemma",
        lhs=_change_of_squared_loss(step),
        rhs=bound,
    )


def w4d() -> Proof:
    """A gradient that is not 0 leads down."""
    square, along = over_all((_r * _x[INDEX]) ** 2), over_all(_x[INDEX] * (_r * _x[INDEX]))
    length = over_all(_x[INDEX] ** 2)
    change = ((_r - _eps * along) ** 2 - _r**2) / 2
    reached = -_eps * square * (1 - _eps * length / 2)
    return Proof(
        (
            Step(
                change,
                reached,
                Rule.IDENTITY,
                "the change of (w.x_1 - y_1)^2 / 2, r = w.x_1 - y_1, as w moves by -eps g_1, g_1 = r x_1",
            ),
            Step(
                sp.Lt(change, 0),
                sp.Gt(square, 0),
                Rule.POLYNOMIAL,
                "||g_1||^2 > 0: the loss falls once eps ||x_1||^2 <= 1",
                uses=(0,),
                conditions=(sp.Eq(change, reached), sp.Le(_eps * length, 1)),
            ),
        ),
        "squared losses of linear models, any dimension",
        lhs=sp.Gt(square, 0),
        rhs=sp.Lt(change, 0),
    )


def w4f() -> Proof:
    """The chord between two directions is a Euclidean distance."""
    middle, first, second = _v[INDEX], _a[INDEX], _b[INDEX]
    ends = middle + first, middle - second
    units = tuple(sp.Eq(over_all(of**2), 1) for of in (middle, *ends))

    def chord(one: sp.Expr, other: sp.Expr) -> sp.Expr:
        return sp.sqrt(2 * (1 - over_all(one * other)))

    def expanded(one: sp.Expr, other: sp.Expr) -> sp.Expr:
        return over_all(one**2) + over_all(other**2) - 2 * over_all(one * other)

    pairs = ((ends[0], middle), (middle, ends[1]), ends)
    apart = over_all(first**2), over_all(second**2), over_all((first + second) ** 2)
    joined = apart[0] + apart[1] + 2 * over_all(first * second)
    meets = tuple(sp.Eq(square, expanded(*pair)) for square, pair in zip(apart, pairs, strict=True))
    sides = chord(*pairs[0]) + chord(*pairs[1]), chord(*pairs[2])
    lengths = sp.sqrt(apart[0]) + sp.sqrt(apart[1]), sp.sqrt(apart[2])
    return Proof(
        (
            *(
                Step(
                    square,
                    expanded(*pair),
                    Rule.IDENTITY,
                    "||u - v||^2 = ||u||^2 + ||v||^2 - 2 u.v for two of the three",
                )
                for square, pair in zip(apart, pairs, strict=True)
            ),
            cauchy_schwarz(_a, _b, "Cauchy and Schwarz, a = u - v and b = v - w"),
            Step(apart[2], joined, Rule.IDENTITY, "||u - w||^2, u - w = a + b"),
            Step(
                sides[0],
                lengths[0],
                Rule.POLYNOMIAL,
                "the chords between unit vectors u, v, w are distances: u = v + a, w = v - b",
                uses=(0, 1),
                conditions=(*units, *meets[:2]),
            ),
            Step(
                lengths[0],
                lengths[1],
                Rule.POLYNOMIAL,
                "the triangle inequality",
                uses=(3, 4),
                conditions=(
                    sp.Ge(apart[0] * apart[1], over_all(first * second) ** 2),
                    sp.Eq(apart[2], joined),
                ),
            ),
            Step(
                lengths[1],
                sides[1],
                Rule.POLYNOMIAL,
                "and back to the chord",
                uses=(2,),
                conditions=(*units[1:], meets[2]),
            ),
        ),
        "any dimension, gradients that are not 0",
        lhs=sides[1],
        rhs=sides[0],
    )
