"""Proofs of the claims of Walker 2023 on Rademacher complexity."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, over_all
from theory.proof import Proof, Rule, Step

_log, _log2 = sp.symbols("ell k", positive=True)
_f, _g, _a, _high, _low, _old, _new, _mean, _other = sp.symbols("f g a A_f A_g r s u v", real=True)
_worst, _worst_of_other, _quantile, _expected, _complexity = sp.symbols("x y q E R", real=True)
_unit = (_f >= 0, _f <= 1, _g >= 0, _g <= 1)
_ONE, _HALF = 1 / COUNT, 1 / (2 * COUNT)
_COVERS = "any class of functions into [0, 1]; suprema of countable classes are measurable"


def _symmetrisation() -> Step:
    return Step(
        2 * _complexity,
        _expected,
        Rule.CITED,
        "symmetrisation: E = E sup_f (E f - mean f) <= 2 R(F), with a second sample and random signs",
    )


def _one_example() -> tuple[Step, Step]:
    """Return how far one example for another moves the supremum, as the steps 1 and 2 of a proof."""
    return (
        Step(
            _ONE,
            sp.Abs(_f - _g) / COUNT,
            Rule.POLYNOMIAL,
            "one example for another moves mean f by 1/m at most",
            conditions=_unit,
        ),
        Step(
            _worst_of_other + _ONE,
            _worst,
            Rule.POLYNOMIAL,
            "and so x = sup_f (E f - mean f): where some f attains a = x on the one sample, or all but, it is at least "
            "a - 1/m on the other",
            uses=(1,),
            conditions=(
                sp.Eq(_worst, _a - _mean),
                _worst_of_other >= _a - _other,
                sp.Ge(_ONE, sp.Abs(_mean - _other)),
            ),
        ),
    )


def _margin(factor: int) -> sp.Expr:
    return factor * sp.sqrt(_log / (2 * COUNT))


def _mcdiarmid(factor: int, above: sp.Expr, of: str, uses: tuple[int, ...]) -> tuple[Step, Step]:
    """Return that a quantile is a margin above the mean at most, for differences c_i = factor / m."""
    by_differences = sp.sqrt(_log * over_all((factor / COUNT) ** 2) / 2)
    return (
        Step(_margin(factor), by_differences, Rule.IDENTITY, f"the sum over the examples of c_i^2, c_i = {factor}/m"),
        Step(
            by_differences,
            above,
            Rule.CITED,
            "McDiarmid: a function of m independent examples, changed by c_i at most by the i-th, exceeds its mean by t with "
            f"probability exp(-2 t^2 / sum c_i^2) at most: q is the least number that {of} exceeds with probability delta at "
            "most",
            uses=uses,
        ),
    )


def _no_more(before: sp.Expr, after: sp.Expr) -> Step:
    return Step(
        before,
        after,
        Rule.POLYNOMIAL,
        "by symmetrisation",
        uses=(0,),
        conditions=(sp.Ge(2 * _complexity, _expected),),
    )


def w3a() -> Proof:
    """Symmetrisation, and McDiarmid's inequality."""
    above = _quantile - _expected
    return Proof(
        (
            _symmetrisation(),
            *_one_example(),
            *_mcdiarmid(1, above, "x", (2,)),
            _no_more(above, _quantile - 2 * _complexity),
        ),
        _COVERS,
        lhs=_quantile - 2 * _complexity,
        rhs=_margin(1),
    )


def w3() -> Proof:
    """The margin of the proof, and the printed one, which is larger."""
    sharp, printed = w3a(), sp.sqrt(_log / COUNT)
    return Proof(
        (
            *sharp.steps,
            Step(printed, _margin(1), Rule.POLYNOMIAL, "the printed margin is the larger"),
        ),
        _COVERS,
        lhs=sharp.lhs,
        rhs=printed,
    )


def w3c() -> Proof:
    """McDiarmid's inequality once, for the difference."""
    above = _quantile - (_expected - 2 * _complexity)
    both_signs = (_high + _low) / (2 * COUNT)
    return Proof(
        (
            _symmetrisation(),
            *_one_example(),
            Step(
                _a / COUNT + _HALF,
                both_signs,
                Rule.POLYNOMIAL,
                "over both signs of its sigma_i an example adds 1 at most to sup (A + f) + sup (A - f), a = sup A: each is "
                "attained, or all but",
                conditions=(_high <= _a + _f, _low <= _a - _g, *_unit),
            ),
            Step(
                both_signs,
                _a / COUNT,
                Rule.POLYNOMIAL,
                "and 0 at least, one f with A = a serving both signs",
                conditions=(_high >= _a + _f, _low >= _a - _f),
            ),
            Step(
                _HALF,
                sp.Abs(_old - _new),
                Rule.POLYNOMIAL,
                "so one example for another moves the empirical complexity by 1/(2m) at most",
                uses=(3, 4),
                conditions=tuple(
                    relation for of in (_old, _new) for relation in (of >= _a / COUNT, of <= _a / COUNT + _HALF)
                ),
            ),
            Step(
                2 / COUNT,
                sp.Abs((_worst - 2 * _old) - (_worst_of_other - 2 * _new)),
                Rule.POLYNOMIAL,
                "and x - 2 R^ by 2/m at most",
                uses=(2, 5),
                conditions=(
                    _worst_of_other + _ONE >= _worst,
                    _worst + _ONE >= _worst_of_other,
                    sp.Ge(_HALF, sp.Abs(_old - _new)),
                ),
            ),
            *_mcdiarmid(2, above, "x - 2 R^", (6,)),
            _no_more(above, _quantile),
        ),
        "any class of functions into [0, 1]",
        lhs=_quantile,
        rhs=_margin(2),
    )


def w3b() -> Proof:
    """The sharper margin, and the printed one, which is larger."""
    sharp, printed = w3c(), 3 * sp.sqrt((_log + _log2) / COUNT)
    return Proof(
        (
            *sharp.steps,
            Step(printed, _margin(2), Rule.POLYNOMIAL, "the printed margin is the larger, k = log 2"),
        ),
        "any class of functions into [0, 1]",
        lhs=sharp.lhs,
        rhs=printed,
    )
