"""Proofs of the claims of Walker 2023 on linear stability."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import TIME, bernoulli
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
    return Proof(
        (
            *_of_batches(),
            Step(
                sp.Symbol(r"\lambda_{\max} \|w\|^2"),
                sp.Symbol(r"E\|w'\|^2"),
                Rule.CITED,
                "Rayleigh and Ritz: E ||w'||^2 <= lambda_max ||w||^2 <= ||w||^2, and so for every later step: C = 1",
            ),
        ),
        "sufficiency, any dimension",
    )


def w1a() -> Proof:
    """In one dimension the condition is exact."""
    w = sp.Symbol("w", real=True)
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
        ),
        "both directions, d = 1, any n >= 2 and B",
    )


def w2a() -> Proof:
    """Both parts of eq 2 follow from W1's condition."""
    a, s = sp.Symbol("a", real=True), sp.Symbol("s", nonnegative=True)
    along_top = (sp.Le((1 - _eta * a) ** 2 + _eta**2 * _share * _spread, 1),)
    return Proof(
        (
            Step(
                sp.Integer(2),
                _eta * a,
                Rule.POLYNOMIAL,
                "along the top eigenvector of H: p v = p q^T Sigma q is not negative",
                conditions=along_top,
            ),
            Step(_eta * a, sp.Integer(0), Rule.POLYNOMIAL, "and so a is not negative either", conditions=along_top),
            Step(
                sp.Integer(1),
                _eta * sp.sqrt(_share) * s,
                Rule.POLYNOMIAL,
                "along the top eigenvector of Sigma, with eigenvalue s^2: c = ||(I - eta H) q||^2 is not negative",
                conditions=(sp.Le(_rest + _eta**2 * _share * s**2, 1),),
            ),
        ),
        "eq 2 is necessary for W1's condition, any dimension",
    )
