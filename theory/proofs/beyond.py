"""Proofs of the claims beyond the papers: B1 on interpolants and B7 on minima that do not interpolate."""

from __future__ import annotations

import sympy as sp

from theory.proof import Proof, Rule, Step
from theory.proofs.lemmas import INDEX, cauchy_schwarz, over_all, reals, triangle_inequality

_l, _r = sp.symbols("l r", positive=True)
_t = sp.Symbol("t", real=True)


def hat(t: sp.Expr, left: sp.Expr, right: sp.Expr) -> sp.Expr:
    """Return the hat function of 0 at t: 1 at 0, linear on either side, 0 from -left and from right on."""
    return sp.Max(0, sp.Min((t + left) / left, (right - t) / right))


def change_of_slope(t: sp.Expr, left: sp.Expr, right: sp.Expr) -> sp.Expr:
    """Return the change of slope at 0 of the spline through x -> max(x - t, 0) at -left, 0 and right."""
    values = [sp.Max(x - t, 0) for x in (-left, sp.Integer(0), right)]
    return (values[2] - values[1]) / right - (values[1] - values[0]) / left


def b1a() -> Proof:
    """No interpolant has less weighted curvature than the spline, weighed with the lower limits of g."""
    a, b, a2, b2, mass, low, high = sp.symbols("a b a_2 b_2 c g_j g_k", nonnegative=True)
    share = sp.Symbol("theta", nonnegative=True)
    g = sp.Symbol("g", nonnegative=True)
    inside = sp.Min(a + (b - a) * share, a2 + (b2 - a2) * share)
    (arriving,) = reals("a")
    why = (
        "a kink of f at t changes the spline's slope at x_j = 0 by its height times the hat function of x_j at t, with "
    )
    return Proof(
        (
            Step(
                inside,
                (1 - share) * sp.Min(a, a2) + share * sp.Min(b, b2),
                Rule.POLYNOMIAL,
                "between neighbouring data points g- and g+ are linear, so g, the smaller of them, lies above its chord "
                "at a knot (1 - theta) x_j + theta x_k",
                conditions=(sp.Le(share, 1),),
            ),
            Step(
                mass * g,
                mass * (1 - share) * low + mass * share * high,
                Rule.POLYNOMIAL,
                "a kink of size c costs at least what its shares 1 - theta and theta cost at the two data points, whose "
                "lower limits g_* are at most the limits a and b of g there",
                conditions=(
                    sp.Le(share, 1),
                    sp.Ge(g, (1 - share) * a + share * b),
                    sp.Ge(a, low),
                    sp.Ge(b, high),
                ),
            ),
            Step(
                change_of_slope(_t, _l, _r),
                hat(_t, _l, _r),
                Rule.POLYNOMIAL,
                why + "neighbours at -l and r: at least",
            ),
            Step(
                hat(_t, _l, _r), change_of_slope(_t, _l, _r), Rule.POLYNOMIAL, why + "neighbours at -l and r: at most"
            ),
            *triangle_inequality(
                arriving,
                "the kinks' shares a_i at x_j add up to the spline's change of slope there, so their sizes add up to at "
                "least its size; weighed with g_*(x_j) and summed over j, the kinks cost at least what the spline does",
                place=4,
            ),
            Step(
                sp.Min(a, b),
                sp.Min(sp.Min(a, b2), sp.Min(a2, b)),
                Rule.POLYNOMIAL,
                "a kink on a data point: g- is continuous from the left (a), g+ from the right (b), so g = min(a, b) is at "
                "least the lower of the limits min(a, b_2) and min(a_2, b) of g",
            ),
        ),
        "any finite number of knots and data points; kinks outside the data cost nothing and arrive nowhere inside",
    )


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
