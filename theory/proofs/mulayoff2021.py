"""Proofs of the claims of Mulayoff, Michaeli and Soudry 2021."""

from __future__ import annotations

import sympy as sp

from theory.proof import Proof, Rule, Step
from theory.proofs.lemmas import INDEX, bernoulli, cauchy_schwarz, over_all, reals, triangle_inequality

_eta, _eps, _s = sp.symbols("eta epsilon s", positive=True)
_h = sp.Symbol("lambda", nonnegative=True)
_a = sp.Symbol("a", real=True)


def mean_along(direction: str) -> tuple[Step, ...]:
    """Return E ||w|| >= |E q^T w| for a unit vector q and w with finitely many values: the first three steps of a proof.

    Args:
        direction: what q and w are.
    """
    q, w, values = reals("q w a")
    return (
        cauchy_schwarz(
            q, w, f"||w||^2 >= (q^T w)^2 for a unit vector q, by induction over the coordinates: {direction}"
        ),
        *triangle_inequality(
            values,
            "E |q^T w| >= |E q^T w|: a_i are the values of q^T w times their probabilities, over the draws of the batches",
            place=1,
        ),
    )


def _grows() -> Step:
    return Step(
        sp.Abs(1 - _eta * _h),
        1 + _s,
        Rule.POLYNOMIAL,
        "where lambda exceeds 2/eta, by s/eta say, a step makes the component along its eigenvector 1 + s times as long",
        conditions=(sp.Ge(_eta * _h, 2 + _s),),
    )


def _contracts(number: int) -> tuple[Step, ...]:
    """Return ||(I - eta H) v|| <= ||v|| for 0 <= H <= 2/eta; `number` is that of the first step, counted from 0."""
    component, eigenvalue = reals("a")[0], sp.IndexedBase("lambda", nonnegative=True)
    moved = component[INDEX] * (1 - _eta * eigenvalue[INDEX])
    return (
        Step(
            sp.Symbol("H"),
            sp.Symbol(r"Q \Lambda Q^T"),
            Rule.CITED,
            "the spectral theorem: a symmetric H has an orthonormal basis of eigenvectors; a are the components in it",
        ),
        Step(
            _a**2,
            (_a * (1 - _eta * _h)) ** 2,
            Rule.POLYNOMIAL,
            "no component gets longer where 0 <= eta lambda <= 2",
            conditions=(sp.Le(_eta * _h, 2),),
        ),
        Step(
            over_all(component[INDEX] ** 2),
            over_all(moved**2),
            Rule.SUM,
            "nor does the vector",
            term=number + 1,
            conditions=(sp.Le(_eta * eigenvalue[INDEX], 2),),
        ),
    )


def m1() -> Proof:
    """Linear stability needs lambda_max <= 2/eta."""
    return Proof(
        (
            *mean_along("q is the top eigenvector of H, w = w_t, started from eps q"),
            _grows(),
            bernoulli(
                _s,
                "batches are independent and uniform, so E w_t = (I - eta H)^t w_0, whose component along q is "
                "eps (1 + s)^t in size: it grows without bound",
            ),
        ),
        "necessity, any dimension and batch size",
    )


def m1a() -> Proof:
    """For gradient descent at a minimum lambda_max <= 2/eta is sufficient too."""
    return Proof(
        (
            *_contracts(0),
            _grows(),
            bernoulli(_s, "so beyond 2/eta a start along the top eigenvector gets longer, without bound"),
        ),
        "gradient descent, any dimension; eigenvalues of a minimum are >= 0",
    )


def _escapes(delta: sp.Expr, because: str) -> Step:
    """Return |eps - eta (G + eps r)| >= eps (1 + s): the component along q of the expected first step from eps q."""
    gamma, lower = sp.Symbol("gamma", nonnegative=True), sp.Symbol("lambda", real=True)
    quotient, gradient = sp.symbols("r G", real=True)
    return Step(
        sp.Abs(_eps - _eta * (gradient + _eps * quotient)),
        _eps * (1 + _s),
        Rule.POLYNOMIAL,
        because,
        conditions=(
            sp.Ge(lower, (2 + _s) / _eta + delta + gamma / _eps),
            sp.Le(sp.Abs(gradient), gamma),
            sp.Le(sp.Abs(quotient - lower), delta) if delta != 0 else sp.Ge(quotient, lower),
        ),
    )


def m2() -> Proof:
    """Where all modes are sharp along one direction, SGD leaves."""
    size, gamma = sp.symbols("a gamma", nonnegative=True)
    lower = sp.Symbol("lambda", nonnegative=True)
    return Proof(
        (
            *mean_along("w = v_1, the first step from v_0 = eps q, in the one mode m that v_0 lies in"),
            _escapes(
                sp.Symbol("delta", nonnegative=True),
                "r = q^T H_m q is within delta of lambda_m, and lambda is the smallest of them; G = q^T E g_m: the "
                "expected component along q after one step exceeds eps",
            ),
            Step(
                size * (_eta * lower - 1) - _eta * gamma,
                size * (1 + _s),
                Rule.POLYNOMIAL,
                "with delta = 0 this repeats for a = E |q^T v_t|, whatever modes the v_t are in: given v_t, "
                "|q^T E v_{t+1}| is at least (eta lambda - 1) |q^T v_t| - eta gamma",
                conditions=(sp.Ge(lower, (2 + _s) / _eta + gamma / _eps), sp.Ge(size, _eps)),
            ),
            bernoulli(_s, "so it is at least eps (1 + s)^t, and grows without bound"),
        ),
        "any number of modes; strong stability already fails in the first step",
    )


def m2a() -> Proof:
    """The same without delta."""
    return Proof(
        (
            *mean_along("w = v_1, the first step from v_0 = eps q, in the one mode m that v_0 lies in"),
            _escapes(
                sp.Integer(0),
                "r = q^T H_m q is at least lambda, the smallest of them; G = q^T E g_m: the expected component along q "
                "after one step exceeds eps",
            ),
        ),
        "any number of modes",
    )


def m3a() -> Proof:
    """Gradient descent in modes with 0 <= H_m <= 2/eta never gets further away."""
    return Proof(
        _contracts(0), "any dimension and number of modes: every step contracts, whichever mode it is taken in"
    )


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
