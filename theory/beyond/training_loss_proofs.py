"""Proofs of the claims at a loss that is not zero (B7)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, cauchy_schwarz, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_top = sp.Symbol("lambda", real=True)
_moment, _loss = sp.symbols("M L", nonnegative=True)
_half = sp.Rational(1, 2)
_residual = sp.sqrt(_moment) * sp.sqrt(2 * _loss)
_limit = _top / 2 - _half + _residual / 2


def b7a() -> Proof:
    """Away from interpolation the bound grows by half of sqrt(M) sqrt(2 L)."""
    n, rho = sp.Symbol("n", integer=True, positive=True), sp.Symbol("rho", nonnegative=True)
    a, b, u, v, w, sign, size = sp.symbols("a b u v w sigma s", real=True)
    own, other = sp.symbols("H O", nonnegative=True)
    w1, w2, total, count, gaps = sp.symbols("w1 w2 S c A", real=True)
    residuals, points, grams, ones = reals("r e k f")
    many = {s: sp.IndexedBase(s.name, real=True)[INDEX] for s in (a, b, u, v, w, sign, size)}
    many |= {s: sp.IndexedBase(s.name, nonnegative=True)[INDEX] for s in (own, other)}
    part, block = u**2 + v**2 + w**2, 2 * w * (a * u + b * v)
    short = sp.Le(a**2 + b**2, rho**2)
    parts, blocks = over_all(part.subs(many)), over_all(block.subs(many))
    length = parts + n**2
    squares = sp.Sum(grams[INDEX] ** 2, (INDEX, 1, n))
    along = (squares / n + blocks) / (2 * length) - _half + _residual / 2
    bent = sign * size * sp.Min(own, other)
    given = (sp.Or(sp.Eq(sign, 1), sp.Eq(sign, -1)), sp.Ge(part, 2 * n**2 * sp.Abs(size) * own))
    return Proof(
        (
            cauchy_schwarz(
                residuals,
                points,
                "a unit's block of the residual part holds (a, b), the sum of r_j (x_j, 1) / n over its active points: its "
                "product with a unit vector e is that of the r_j and the <e, (x_j, 1)>, so its square is at most "
                "(1/n) sum r_j^2 (1/n) sum <e, (x_j, 1)>^2 <= 2 L M; e along (a, b) gives a^2 + b^2 <= rho^2, rho^2 = 2 L M",
            ),
            Step(
                rho * part,
                -block,
                Rule.POLYNOMIAL,
                "so along the part (u, v, w) of a vector that belongs to the unit (w1, b1, w2) it is at least "
                "-rho (u^2 + v^2 + w^2)",
                conditions=(short,),
                uses=(0,),
            ),
            summed(rho * part, -block, many, "over all units", term=1, conditions=(short,)),
            cauchy_schwarz(
                grams,
                ones,
                "with f_j = 1, k_j the entries of Phi^T q: n times their squares is at least their sum's square",
            ),
            Step(
                _limit,
                along,
                Rule.CITED,
                "Rayleigh and Ritz, for the Hessian Phi Phi^T/n + the residual part, at q = Phi 1, the sum of the gradients of "
                "f(x_j): |q|^2 is the sum of the k_j, and that of the parts of the units and n^2, for the output's bias",
            ),
            Step(
                along,
                length / (2 * n**2) - _half,
                Rule.POLYNOMIAL,
                "the Gauss-Newton part is at least |q|^2/n^2 there, and the residual part at least -rho",
                conditions=(sp.Ge(n * squares, length**2), sp.Ge(blocks, -_residual * parts)),
                uses=(2, 3),
            ),
            Step(
                length / (2 * n**2) - _half,
                over_all((part / (2 * n**2)).subs(many)),
                Rule.IDENTITY,
                "the output's bias makes up for 1/2",
            ),
            Step(
                sp.sqrt((w2 * total) ** 2 + (w2 * count) ** 2) * sp.Abs(w1 * gaps),
                sp.Abs(w2 * w1) * (sp.Abs(gaps) * sp.sqrt(total**2 + count**2)),
                Rule.IDENTITY,
                "a unit with c active points, S their sum and A that of their distances to its knot: u = w2 S, v = w2 c and "
                "|w| = |w1| A, and n^2 g_s(t) = A sqrt(S^2 + c^2) on its side of the knot",
            ),
            Step(
                part,
                2 * sp.sqrt(u**2 + v**2) * sp.Abs(w),
                Rule.NONNEGATIVE,
                "the two terms of a unit against their geometric mean: at least 2 n^2 |s| g_s(t), s = w2 |w1|; units with "
                "w1 = 0 have s = 0",
                ((sp.sqrt(u**2 + v**2) - sp.Abs(w)) ** 2,),
                uses=(7,),
            ),
            Step(
                part / (2 * n**2),
                bent,
                Rule.POLYNOMIAL,
                "g = min(g_s, g_-s), H and O, and sigma the sign of f's jump at the knot: the units there have s that add up "
                "to the jump, and with sigma to its size",
                conditions=given,
                uses=(8,),
            ),
            summed(part / (2 * n**2), bent, many, "over all units", term=9, conditions=given),
        ),
        "any width, where no unit toggles on a data point",
        lhs=over_all(bent.subs(many, simultaneous=True)),
        rhs=_limit,
    )


def b7() -> Proof:
    """The printed loss term is at least twice that of B7.a."""
    radius = sp.Symbol("R", nonnegative=True)
    sharp = b7a()
    printed = _top / 2 - _half + (radius + 1) * sp.sqrt(2 * _loss)
    return Proof(
        (
            *sharp.steps,
            Step(
                printed,
                _limit,
                Rule.POLYNOMIAL,
                "M, an eigenvalue of a matrix without negative ones, is at most its trace, 1 + E[X^2] <= 1 + R^2",
                conditions=(sp.Le(_moment, 1 + radius**2),),
            ),
        ),
        sharp.covers,
        lhs=sharp.lhs,
        rhs=printed,
    )
