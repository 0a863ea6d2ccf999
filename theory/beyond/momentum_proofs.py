"""Proofs of the claims on descent with momentum (B11); what that of B11 cites is put together in `momentum_bounds`."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, both_ways, over_all, reals
from theory.proof import Proof, Rule, Step

SCHUR_COHN = "Schur and Cohn: all roots of the polynomial lie in the open unit disc"


def b11() -> Proof:
    """What standing still of E[z z^T] asks of X = E a a^T, as a form, is that of 2 C - eta D_b; t is b/(1 - b).

    n, h, s, W are tr X^2, tr X H X, tr X H^2 X, tr X H X H at any X. At the one that decides on the form V is tr X D_b(X)
    without noise and D is tr X Cov(X); u is the least quotient of S - I, where S - E[A S A^T] = I. With a_i = 1 + b - eta l_i
    in an eigenbasis of H, E a a_-^T has the entries (a_i - b a_j) x_ij/(1 - b^2) where all stands still.
    """
    eta = sp.Symbol("eta", positive=True)
    t, share = sp.symbols("t p", nonnegative=True)
    size, h, square, whole, without, noise, least = sp.symbols("n h s W V D u", real=True)
    b, rest = t / (1 + t), 1 / (1 + t)
    mixed, own = ((1 + b) ** 2 * size - 2 * (1 + b) * eta * h + eta**2 * last for last in (whole, square))
    lacking = (1 - b**2) * size - mixed + 2 * b * (own - b * mixed) / (1 - b**2)
    double = 2 * (square - whole)
    plain = whole / (1 + b) - b * double / (rest**2 * (1 + b))
    decays, definite = sp.Ge(least, 0), sp.Gt(2 * h - eta * (without + share * noise / rest), 0)
    stands = sp.Gt(eta * rest * (2 * h - eta * without) - eta**2 * share * noise, 0)
    return Proof(
        (
            Step(
                lacking,
                eta * rest * (2 * h - eta * plain),
                Rule.IDENTITY,
                "what X lacks for standing still before the noise, eta^2 p Cov(X), in traces: the sums of a_i a_j x_ij^2 and "
                "of a_i^2 x_ij^2",
            ),
            *both_ways(stands, definite, "over eta (1 - b), above 0"),
            Step(
                decays,
                stands,
                Rule.CITED,
                "Lyapunov: of a positive map S -> E[A S A^T] the spectral radius is below 1 iff S - E[A S A^T] = I has a "
                "solution S >= I; Krein and Rutman: the radius is an eigenvalue with an eigenvector S >= 0, so that, being "
                "continuous in eta, it reaches 1 where X first lacks nothing, and by Rayleigh and Ritz is not below it again",
                uses=(0,),
            ),
        ),
        "any symmetric H_i, dimension, n, B and momentum",
        lhs=decays,
        rhs=definite,
    )


def b11a() -> Proof:
    """The second moments (E x'^2, E x' x, E x^2) obey a 3 x 3 matrix M; A is the square of 1 + b - eta h, s is eta^2 v."""
    z, a = sp.symbols("z a", real=True)
    b, square, spread, v = (sp.Symbol(name, nonnegative=True) for name in ("b", "A", "s", "v"))
    h, eta = sp.Symbol("h", real=True), sp.Symbol("eta", positive=True)
    matrix = sp.Matrix([[a**2 + spread, -2 * a * b, b**2], [a, -b, 0], [1, 0, 0]])
    second, first = b - a**2 - spread, b * (a**2 - spread) - b**2
    at_one = (1 + b) * (1 - b**2 - spread) - square * (1 - b)
    at_minus_one = (1 + b) * square + (1 - b) * spread + (1 - b) * (1 - b**2)
    mixed = b * (1 + b**2) * spread + b**2 * (1 - b**2) - b * (1 - b**2) * square
    law = sp.Lt(eta * (h**2 / (1 + b) + v / (1 - b)), 2 * h)
    inside = sp.And(sp.Gt(at_one, 0), sp.Gt(at_minus_one, 0), sp.Lt(b**3, 1), sp.Lt(sp.Abs(mixed), 1 - b**6))
    below_one = sp.Lt(b, 1)
    means = (sp.Eq(square, (1 + b - eta * h) ** 2), sp.Eq(spread, eta**2 * v), below_one)
    return Proof(
        (
            Step(
                (z * sp.eye(3) - matrix).det(),
                z**3 + second * z**2 + first * z - b**3,
                Rule.IDENTITY,
                "the characteristic polynomial of M, a = 1 + b - eta h",
            ),
            Step(
                1 + second + first - b**3,
                at_one.subs(square, a**2),
                Rule.IDENTITY,
                "at 1",
            ),
            Step(1 - second + first + b**3, at_minus_one.subs(square, a**2), Rule.IDENTITY, "at -1, less its sign"),
            Step(
                -(b**3) * second - first,
                mixed.subs(square, a**2),
                Rule.IDENTITY,
                "a_0 a_2 - a_1 of the third condition, |a_0 a_2 - a_1| < 1 - a_0^2",
            ),
            *both_ways(law, sp.Gt(at_one, 0), "multiplied by eta (1 - b^2)", conditions=means),
            *both_ways(
                sp.Gt(at_one, 0),
                inside,
                f"{SCHUR_COHN}; for 0 <= b < 1 the first condition implies the others",
                conditions=(below_one,),
                uses=(0, 1, 2, 3),
            ),
        ),
        "any number of examples, batch size and momentum",
        lhs=inside,
        rhs=law,
    )


def b11b() -> Proof:
    """P is the right side; u and y are the entries of H X and of X H, whose sums of squares are tr X H^2 X; c is 1 - b."""
    first, second = reals("u y")
    b, rest, plain = sp.Symbol("b", nonnegative=True), sp.Symbol("c", positive=True), sp.Symbol("P", real=True)
    factor = b / (rest**2 * (1 + b))
    u, y = first[INDEX], second[INDEX]
    less = plain - factor * (over_all(u**2) - 2 * over_all(u * y) + over_all(y**2))
    step = Step(
        plain,
        less,
        Rule.NONNEGATIVE,
        "tr X [H, [H, X]] = tr X H^2 X - 2 tr X H X H + tr X^2 H^2 is the sum of the squares of H X - X H, X and H being "
        "symmetric",
        (factor * over_all((u - y) ** 2),),
    )
    return Proof((step,), "any symmetric H_i and X, any dimension", lhs=less, rhs=plain)


def _quadratic(trace: sp.Expr, determinant: sp.Expr, law: sp.Basic, conditions: tuple[sp.Basic, ...]) -> Proof:
    """Return that a 2 x 2 step goes to 0 where a law holds, from its trace and determinant."""
    inside = sp.And(sp.Lt(sp.Abs(trace), 1 + determinant), sp.Lt(determinant, 1))
    why = (
        f"{SCHUR_COHN} of z^2 - tau z + delta iff |tau| < 1 + delta < 2; tau and delta are those of the step of (w, v)"
    )
    return Proof(both_ways(inside, law, why, conditions=conditions), "all reals", lhs=inside, rhs=law)


def b11c() -> Proof:
    """The step of (w, v) has trace a + b - eta h and determinant a b; z is eta h."""
    a, b = sp.symbols("a b", nonnegative=True)
    z = sp.Symbol("z", real=True)
    law = sp.And(sp.Lt(-(1 - a) * (1 - b), z), sp.Lt(z, (1 + a) * (1 + b)))
    return _quadratic(a + b - z, a * b, law, (sp.Le(a, 1), sp.Lt(b, 1)))


def b11d() -> Proof:
    """The step of (w, v) has trace 1 + b - (1 + b) eta h and determinant b (1 - eta h); z is eta h."""
    b, z = sp.Symbol("b", nonnegative=True), sp.Symbol("z", real=True)
    law = sp.And(sp.Lt(0, z), sp.Lt(z * (1 + 2 * b), 2 * (1 + b)))
    return _quadratic(1 + b - (1 + b) * z, b * (1 - z), law, (sp.Lt(b, 1),))
