"""Proofs of the claims on linear stability and on systems that switch (M1 to M3)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import INDEX, bernoulli, cauchy_schwarz, over_all, reals, triangle_inequality
from theory.proof import Proof, Rule, Step

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
