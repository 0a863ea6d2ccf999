"""Proofs of the claims of Walker 2023 on Rademacher complexity."""

from __future__ import annotations

import sympy as sp

from theory.proof import Proof, Rule, Step

_m, _log, _t = sp.Symbol("m", positive=True), sp.Symbol("ell", positive=True), sp.Symbol("t", positive=True)
_f, _g, _f1, _g1, _a = sp.symbols("f g A_f A_g a", real=True)
_log2 = sp.Symbol("k", positive=True)


def _symmetrisation() -> Step:
    return Step(
        sp.Symbol("2R"),
        sp.Symbol("E_sup"),
        Rule.CITED,
        "symmetrisation: E sup_f (E f - mean f) <= 2 R(F), with a second sample and random signs",
    )


def _bounded_differences() -> tuple[Step, Step]:
    unit = (_f >= 0, _f <= 1, _g >= 0, _g <= 1)
    return (
        Step(
            1 / _m,
            sp.Abs(_f - _g) / _m,
            Rule.POLYNOMIAL,
            "one example for another moves mean f, and so sup_f (E f - mean f), by 1/m at most",
            conditions=unit,
        ),
        Step(
            sp.Symbol("exp(-2 t^2 / sum c_i^2)"),
            sp.Symbol("P"),
            Rule.CITED,
            "McDiarmid: a function of m independent examples, changed by c_i at most by the i-th, exceeds its mean by "
            "t with probability exp(-2 t^2 / sum c_i^2) at most",
        ),
    )


def _margin_step(step: sp.Expr, margin: sp.Expr) -> Step:
    return Step(
        2 * _t**2 / (_m * step**2),
        _log,
        Rule.POLYNOMIAL,
        f"at this t, with c_i = {step}, the exponent is log(1/delta) at least",
        conditions=(sp.Eq(_t, margin),),
    )


def w3a() -> Proof:
    """Symmetrisation, and McDiarmid's inequality."""
    return Proof(
        (
            _symmetrisation(),
            *_bounded_differences(),
            _margin_step(1 / _m, sp.sqrt(_log / (2 * _m))),
        ),
        "any class of functions into [0, 1]; suprema of countable classes are measurable",
    )


def w3() -> Proof:
    """The margin of the proof, and the printed one, which is larger."""
    return Proof(
        (
            *w3a().steps,
            Step(
                _log / _m,
                _log / (2 * _m),
                Rule.NONNEGATIVE,
                "the printed margin is the larger, squares compared",
                (_log / (2 * _m),),
            ),
        ),
        "any class of functions into [0, 1]; suprema of countable classes are measurable",
    )


def w3c() -> Proof:
    """McDiarmid's inequality once, for the difference."""
    return Proof(
        (
            _symmetrisation(),
            *_bounded_differences(),
            Step(
                2 * _a + 1,
                (_f1 + _f) + (_g1 - _g),
                Rule.POLYNOMIAL,
                "over both signs of its sigma_i an example adds 1 at most to sup (A + f) + sup (A - f)",
                conditions=(_f1 <= _a, _g1 <= _a, _f >= 0, _f <= 1, _g >= 0, _g <= 1),
            ),
            Step(
                _f1 + _g1,
                2 * _a,
                Rule.POLYNOMIAL,
                "and 0 at least, one f serving both signs: it adds 0 to 1/(2m) to the empirical complexity, and one example "
                "for another moves that by 1/(2m) at most",
                conditions=(_f1 >= _a + _f, _g1 >= _a - _f),
            ),
            Step(
                2 / _m,
                sp.Abs(_f1 - 2 * _g1),
                Rule.POLYNOMIAL,
                "so sup_f (E f - mean f) - 2 R^ moves by 2/m at most",
                conditions=(sp.Abs(_f1) <= 1 / _m, sp.Abs(_g1) <= 1 / (2 * _m)),
            ),
            _margin_step(2 / _m, 2 * sp.sqrt(_log / (2 * _m))),
        ),
        "any class of functions into [0, 1]",
    )


def w3b() -> Proof:
    """The sharper margin, and the printed one, which is larger."""
    return Proof(
        (
            *w3c().steps,
            Step(
                9 * (_log + _log2) / _m,
                4 * _log / (2 * _m),
                Rule.NONNEGATIVE,
                "the printed margin is the larger, squares compared, k = log 2",
                (7 * _log / _m, 9 * _log2 / _m),
            ),
        ),
        "any class of functions into [0, 1]",
    )
