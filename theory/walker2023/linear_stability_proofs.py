"""Proofs of the claims of Walker 2023 on linear stability."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, TIME, bernoulli, over_all, reals
from theory.proof import Proof, Rule, Step

_eta, _s = sp.symbols("eta s", positive=True)
_share, _spread, _rest = sp.symbols("p v c", nonnegative=True)
_h, _m2 = sp.symbols("h m2", real=True)
_factor = (1 - _eta * _h) ** 2 + _eta**2 * _share * (_m2 - _h**2)


def _of_batches() -> tuple[Step, Step]:
    """Return the second moment of a batch mean, drawn without replacement, and that of a step."""
    batch, fewer = sp.symbols("B k", integer=True, positive=True)
    n = fewer + 1
    total, squares = sp.symbols("S_1 S_2", real=True)
    pairs = batch * (batch - 1) / (n * (n - 1))
    share = (n - batch) / (batch * (n - 1))
    return (
        Step(
            (batch / n * squares + pairs * (total**2 - squares)) / batch**2,
            (total / n) ** 2 + share * (squares / n - (total / n) ** 2),
            Rule.IDENTITY,
            "the mean over B of n = k + 1 numbers with sums S_1 of them and S_2 of their squares: one lies in the batch "
            "with probability B/n, two with B (B - 1)/(n (n - 1)); its second moment is H^2 + p (mean H_i^2 - H^2)",
        ),
        Step(
            1 - 2 * _eta * _h + _eta**2 * (_h**2 + _share * (_m2 - _h**2)),
            _factor,
            Rule.IDENTITY,
            "so E[A^T A] for A = I - eta H_batch is the printed matrix, along any one direction",
        ),
    )


def w1() -> Proof:
    """Where the printed matrix is at most I, the expected squared distance does not grow."""
    top, growth = sp.Symbol(r"\lambda", real=True), sp.Symbol("rho", real=True)
    return Proof(
        (
            *_of_batches(),
            Step(
                top,
                growth,
                Rule.CITED,
                "Rayleigh and Ritz: E ||w'||^2 <= lambda_max ||w||^2, and so for every later step: in mean square a step "
                "grows by lambda_max at most",
                uses=(0, 1),
            ),
            Step(
                sp.Le(growth, 1),
                sp.Le(top, 1),
                Rule.POLYNOMIAL,
                "so E ||w_t||^2 <= ||w_0||^2: C = 1",
                uses=(2,),
                conditions=(sp.Ge(top, growth),),
            ),
        ),
        "sufficiency, any dimension",
        lhs=sp.Le(top, 1),
        rhs=sp.Le(growth, 1),
    )


def w1a() -> Proof:
    """In one dimension the condition is exact."""
    w, batches = sp.Symbol("w", real=True), sp.IndexedBase("x", real=True)
    growth = over_all((1 - _eta * batches[INDEX]) ** 2) / COUNT
    counted = (
        "inclusion in a simple random sample (Cochran): over all m batches the mean of (1 - eta x)^2, x the mean curvature of "
        "the batch, follows from the probabilities that one and two of the losses are in it"
    )
    stable, condition = sp.Le(growth, 1), sp.Le(_factor, 1)
    equal = (sp.Ge(growth, _factor), sp.Ge(_factor, growth))
    because = "E w_t^2 does not grow where its factor is at most 1"
    return Proof(
        (
            *_of_batches(),
            Step(
                _factor ** (TIME + 1) * w**2,
                _factor * (_factor**TIME * w**2),
                Rule.IDENTITY,
                "E w_t^2 is a geometric sequence, so it does not grow if its factor is at most 1",
            ),
            bernoulli(_s, "and for w_0 != 0 it grows without bound if the factor is 1 + s > 1"),
            Step(growth, _factor, Rule.CITED, counted, uses=(0, 1)),
            Step(_factor, growth, Rule.CITED, f"{counted}; and the other way", uses=(0, 1)),
            Step(stable, condition, Rule.POLYNOMIAL, because, uses=(2, 4, 5), conditions=equal),
            Step(condition, stable, Rule.POLYNOMIAL, "and only there", uses=(3, 4, 5), conditions=equal),
        ),
        "both directions, d = 1, any n and B; p = 0 for n = 1",
        lhs=condition,
        rhs=stable,
    )


def w2a() -> Proof:
    """Both parts of eq 2 follow from W1's condition."""
    a, s = sp.Symbol("a", real=True), sp.Symbol("s", nonnegative=True)
    top = sp.Symbol(r"\lambda", real=True)
    (along,) = reals("q")
    contraction, noise = (1 - _eta * a) ** 2, _eta**2 * _share * s**2
    return Proof(
        (
            Step(
                over_all((along[INDEX] - _eta * (a * along[INDEX])) ** 2),
                contraction * over_all(along[INDEX] ** 2),
                Rule.IDENTITY,
                "along the unit eigenvector q of H with eigenvalue a: ||(I - eta H) q||^2 = (1 - eta a)^2",
            ),
            Step(
                top,
                contraction + _eta**2 * _share * _spread,
                Rule.CITED,
                "Rayleigh and Ritz: the top eigenvalue of the matrix is at least q^T (..) q, v = q^T Sigma q >= 0",
                uses=(0,),
            ),
            Step(
                top,
                _rest + noise,
                Rule.CITED,
                "Rayleigh and Ritz, at the unit eigenvector of Sigma with eigenvalue s^2: c = ||(I - eta H) q||^2 >= 0",
            ),
            Step(
                sp.Integer(1),
                contraction,
                Rule.POLYNOMIAL,
                "by W1's condition, lambda <= 1",
                uses=(1,),
                conditions=(sp.Le(top, 1), sp.Ge(top, contraction + _eta**2 * _share * _spread)),
            ),
            Step(
                sp.Integer(1),
                noise,
                Rule.POLYNOMIAL,
                "and likewise",
                uses=(2,),
                conditions=(sp.Le(top, 1), sp.Ge(top, _rest + noise)),
            ),
            Step(
                sp.Integer(1),
                sp.Max(_eta * a / 2, 1 - _eta * a / 2, _eta * sp.sqrt(_share) * s),
                Rule.POLYNOMIAL,
                "|1 - eta a| <= 1 puts eta a between 0 and 2, and the root of eta^2 p s^2 is eta sqrt(p) s",
                uses=(3, 4),
                conditions=(sp.Le(contraction, 1), sp.Le(noise, 1)),
            ),
        ),
        "eq 2 is necessary for W1's condition, any dimension, n and B",
        lhs=sp.Max(_eta * a / 2, 1 - _eta * a / 2, _eta * sp.sqrt(_share) * s),
        rhs=sp.Integer(1),
    )
