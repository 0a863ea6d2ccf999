"""Proofs of the claims of Walker 2023 on tangent features and the complexity of linear models."""

from __future__ import annotations

import sympy as sp

from theory.proof import Proof, Rule, Step

_eta, _lam, _root = sp.symbols("eta lambda r", positive=True)
_a, _b, _c, _s, _n1, _n2 = sp.symbols("a b c s n1 n2", real=True)
_q, _m = sp.Symbol("q", nonnegative=True), sp.Symbol("m", positive=True)


def _complexity_steps() -> tuple[Step, ...]:
    return (
        Step(
            sp.Symbol("norm_z_norm_v"),
            sp.Symbol("z_v"),
            Rule.CITED,
            "Cauchy and Schwarz, with z = A^T w: <w, Phi^T sigma> = <z, A^-1 Phi^T sigma> <= M ||A^-1 Phi^T sigma||, attained",
        ),
        Step(
            ((_s + _b) ** 2 + (_s - _b) ** 2) / 2,
            _s**2 + _b**2,
            Rule.IDENTITY,
            "either sign of one more example adds, on average, the square of its column: E ||B sigma||^2 = ||B||_F^2",
        ),
        Step(
            ((_a**2 + _b**2) / 2) ** sp.Rational(1, 2),
            (sp.Abs(_a) + sp.Abs(_b)) / 2,
            Rule.POLYNOMIAL,
            "E ||B sigma|| <= sqrt(E ||B sigma||^2): two values; Jensen for more",
        ),
        Step(sp.Symbol("sqrt_E"), sp.Symbol("E_sqrt"), Rule.CITED, "Jensen, for any number of values"),
    )


def w5() -> Proof:
    """Expand the step in the eigenvectors; the roots of the eigenvalues meet."""
    return Proof(
        (
            Step(
                sp.Symbol("sum_u_vj_vj_v"),
                sp.Symbol("u_v"),
                Rule.CITED,
                "Parseval: <dw, Phi(x)> = sum_j <dw, v_j> <v_j, Phi(x)> in an orthonormal basis",
            ),
            Step(
                -_eta * _lam * (_a / _root) * (_b / _root),
                -_eta * _a * _b,
                Rule.POLYNOMIAL,
                "one j with lambda_j = r^2 > 0: a = v_j.Phi^T grad_h l, b = v_j.Phi(x); the roots meet",
                conditions=(sp.Eq(_root**2, _lam),),
            ),
            Step(
                -_eta * _a * _b,
                -_eta * _lam * (_a / _root) * (_b / _root),
                Rule.POLYNOMIAL,
                "and the other way",
                conditions=(sp.Eq(_root**2, _lam),),
            ),
            Step(
                -_q,
                sp.Abs(_a),
                Rule.POLYNOMIAL,
                "lambda_j = mean (v_j.Phi(x_i))^2 = 0 leaves v_j.Phi(x_i) = a = 0 for every i: nothing is lost",
                conditions=(sp.Eq((_a**2 + _q) / _m, 0),),
            ),
        ),
        "any sample, loss and point; terms with lambda_j = 0 left out",
    )


def w6() -> Proof:
    """The supremum is a dual norm, and its mean is at most the root of its mean square."""
    return Proof(_complexity_steps(), "any sample, invertible matrix and radius")


def w7() -> Proof:
    """The updates are free of each other, so their suprema add."""
    return Proof(
        (
            *_complexity_steps(),
            Step(
                _n1 + _n2,
                _a + _b,
                Rule.POLYNOMIAL,
                "the updates are free of each other: sup of a sum <= sum of the sups, one update more",
                conditions=(_a <= _n1, _b <= _n2),
            ),
        ),
        "any number of updates; matrices and radii fixed beforehand",
    )


def w7a() -> Proof:
    """W7 with identity matrices, each update on a feature map of its own."""
    return Proof(
        (
            *w7().steps,
            Step(
                _n1 * _n2,
                _a * _b,
                Rule.POLYNOMIAL,
                "the remark's w -> A^T w, Phi -> A^-1 Phi leaves <w, Phi> as it is, in one dimension",
                conditions=(sp.Ne(_c, 0), sp.Eq(_n1, _a * _c), sp.Eq(_n2, _b / _c)),
            ),
        ),
        "any number of fixed feature maps, of any kind: the steps of W7 with A_t = I, each on its Phi_t",
    )
