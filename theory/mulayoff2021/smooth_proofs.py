"""Proofs of the claims of Mulayoff, Michaeli and Soudry 2021."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, cauchy_schwarz, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

_eta, _eps, _s = sp.symbols("eta epsilon s", positive=True)


def m4() -> Proof:
    """At interpolation the Hessian is the Gram matrix of the gradients."""
    unit, image = reals("v z")
    f, s, y = sp.Function("f", real=True), sp.Symbol("s", real=True), sp.Symbol("y", real=True)
    return Proof(
        (
            Step(
                sp.diff((f(s) - y) ** 2 / 2, s, 2).doit(),
                sp.diff(f(s), s) ** 2 + (f(s) - y) * sp.diff(f(s), s, 2),
                Rule.IDENTITY,
                "one sample, along any line in the weights; the second term vanishes at f = y, and the first is the squared "
                "product of the line's direction and the gradient",
            ),
            cauchy_schwarz(
                unit,
                image,
                "Phi Phi^T and Phi^T Phi have the same top eigenvalue: for a unit vector v take u = Phi^T v / ||Phi^T v|| "
                "and z = Phi u, then ||Phi u|| >= v^T z = ||Phi^T v||; and the other way round",
            ),
        ),
        "any width and number of samples, where no unit toggles on a data point",
    )


def m5() -> Proof:
    """The sharpness of every implementation is at least 1 + 2 int |f''| g."""
    w1, w2, e = sp.symbols("w1 w2 E", real=True)
    p, d, g = sp.symbols("P D g", nonnegative=True)
    many = {s: sp.IndexedBase(s.name, real=True)[INDEX] for s in (w1, w2, e)}
    many |= {s: sp.IndexedBase(s.name, nonnegative=True)[INDEX] for s in (p, d)}
    unit = (w2 * p) ** 2 + (w2 * p * e) ** 2 + (w1 * p * d) ** 2
    one_sided = p**2 * d * sp.sqrt(1 + e**2)
    lower = 2 * sp.Abs(w1 * w2) * one_sided
    total = 1 + over_all(unit.subs(many))
    (jumps,) = reals("u")
    return Proof(
        (
            Step(
                sp.Symbol("lambda_max", real=True),
                total,
                Rule.CITED,
                "Rayleigh and Ritz: the top eigenvalue of Phi^T Phi / n is at least the "
                "Rayleigh quotient of (1,..,1)/sqrt(n), the squared mean of the gradients; with P the share of the "
                "data on a unit's active side, E their mean and D their mean distance to its knot",
            ),
            Step(
                unit,
                lower,
                Rule.NONNEGATIVE,
                "one unit: the two terms against their geometric mean",
                ((sp.Abs(w2) * p * sp.sqrt(1 + e**2) - sp.Abs(w1) * p * d) ** 2,),
            ),
            Step(total, 1 + over_all(lower.subs(many)), Rule.SUM, "over all units", term=1),
            Step(
                lower,
                2 * sp.Abs(w1 * w2) * g,
                Rule.POLYNOMIAL,
                "P^2 D sqrt(1 + E^2) is g-(c) or g+(c), at least their minimum g(c)",
                conditions=(sp.Ge(one_sided, g),),
            ),
            *triangle_inequality(
                jumps,
                "knots that coincide: the sizes |w1 w2| of their units' jumps add up to at least that of the jump of f', "
                "with equality where no jumps of opposite sign meet",
                place=4,
            ),
        ),
        "any number of units and data points; a unit whose pre-activation vanishes at a data point counts as inactive",
    )


def m6a() -> Proof:
    """A linearly stable minimum bounds int |f''| g."""
    curvature, top = sp.symbols("I lambda_max", real=True)
    return Proof(
        (
            Step(
                1 / _eta - sp.Rational(1, 2),
                curvature,
                Rule.POLYNOMIAL,
                "linear stability bounds lambda_max by 2/eta (M1), and lambda_max bounds I = int |f''| g (M5)",
                conditions=(sp.Le(top, 2 / _eta), sp.Ge(top, 1 + 2 * curvature)),
            ),
        ),
        "SGD with batches drawn independently and uniformly; implementations at which no unit toggles on a data point",
    )
