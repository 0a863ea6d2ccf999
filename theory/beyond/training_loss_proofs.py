"""Proofs of the claims at a loss that is not zero (B7)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, cauchy_schwarz, over_all, reals
from theory.proof import Proof, Rule, Step


def b7a() -> Proof:
    """Away from interpolation the bound grows by half of sqrt(M) sqrt(2 L)."""
    moment, loss, residual = sp.symbols("M L rho", nonnegative=True)
    a, b, u, v, w = sp.symbols("a b u v w", real=True)
    curvature, top, gauss_newton, change = sp.symbols("I lambda_max lambda_GN e", real=True)
    residuals, points = reals("r e")
    many = {s: sp.IndexedBase(s.name, real=True)[INDEX] for s in (a, b, u, v, w)}
    size, block = residual * (u**2 + v**2 + w**2), -2 * w * (a * u + b * v)
    short = sp.Le(a**2 + b**2, residual**2)
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
                size,
                block,
                Rule.POLYNOMIAL,
                "so along the part (u, v, w) of a vector that belongs to the unit (w1, b1, w2) it is at least "
                "-rho (u^2 + v^2 + w^2)",
                conditions=(short,),
            ),
            Step(
                over_all(size.subs(many)),
                over_all(block.subs(many)),
                Rule.SUM,
                "over all units: at least -rho along a unit vector",
                term=1,
                conditions=(short.subs(many),),
            ),
            Step(
                sp.Symbol(r"\lambda_{\max}(A)"),
                sp.Symbol(r"q^{T} A q"),
                Rule.CITED,
                "Rayleigh and Ritz, for A the Hessian and q the top eigenvector of Phi Phi^T/n: q^T A q = lambda_GN + e, e "
                "the residual part along q",
            ),
            Step(
                top / 2 - sp.Rational(1, 2) + sp.sqrt(moment) * sp.sqrt(2 * loss) / 2,
                curvature,
                Rule.POLYNOMIAL,
                "lambda_GN = lambda_max(Phi Phi^T/n) is at least 1 + 2 I (M5), I = int |f''| g",
                conditions=(
                    sp.Ge(top, gauss_newton + change),
                    sp.Ge(change, -residual),
                    sp.Eq(residual**2, 2 * loss * moment),
                    sp.Ge(gauss_newton, 1 + 2 * curvature),
                ),
            ),
        ),
        "any width, where no unit toggles on a data point",
    )


def b7() -> Proof:
    """The printed loss term is at least twice that of B7.a."""
    radius, moment, loss = sp.symbols("R M L", nonnegative=True)
    sharp = b7a()
    return Proof(
        (
            *sharp.steps,
            Step(
                (radius + 1) * sp.sqrt(2 * loss),
                sp.sqrt(moment) * sp.sqrt(2 * loss),
                Rule.POLYNOMIAL,
                "M, an eigenvalue of a matrix without negative ones, is at most its trace, 1 + E[X^2] <= 1 + R^2",
                conditions=(sp.Le(moment, 1 + radius**2),),
            ),
        ),
        sharp.covers,
    )
