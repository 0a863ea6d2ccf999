"""The replay against steps that are wrong, or about nothing, by construction; and against steps that are right."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
import sympy as sp

from proofs_check.symbolic import StepError, replay_step
from tests.proofs_check.evaluation import Case, Values, fault
from tests.proofs_check.false_steps import (
    KINDS,
    SQUARE,
    P,
    X,
    Y,
    at_least,
    certified,
    example,
    i,
    identity,
    induction,
    j,
    k,
    m,
    n,
    p,
    q,
    rational,
    s,
    scaled,
    summed,
    summed_twice,
    t,
    x,
    y,
)
from theory.proof import Rule

EXAMPLES = 4
"""Examples of a kind in a run of the tests; `example(kind, number)` makes any number of them."""

RIGHT: dict[str, Callable[[sp.Rational, int], Case]] = {
    "a square written out": lambda c, _: Case(identity((x + c * y) ** 2, x**2 + 2 * c * x * y + c**2 * y**2)),
    "a quotient under a condition": lambda c, _: Case(identity(x / (x - c), 1 + c / (x - c), sp.Gt(x, c))),
    "a quotient under two conditions": lambda c, _: Case(identity(y / x - 1, (y - x) / x, sp.Ge(x, c), sp.Le(x, c))),
    "a logarithm of positive numbers": lambda c, _: Case(identity(sp.log(s * t), sp.log(s) + sp.log(t))),
    "roots of numbers that are not negative": lambda c, _: Case(
        identity((sp.sqrt(p) + c) ** 2, p + 2 * c * sp.sqrt(p) + c**2)
    ),
    "the squares of sine and cosine": lambda c, _: Case(identity(sp.sin(c * x) ** 2 + sp.cos(c * x) ** 2, 1)),
    "an exponential of a sum": lambda c, _: Case(identity(sp.exp((x + y) / 40), sp.exp(x / 40) * sp.exp(y / 40))),
    "a sum that is linear": lambda c, _: Case(
        identity(sp.Sum(c * X[i] + Y[i], (i, 1, m)), c * sp.Sum(X[i], (i, 1, m)) + sp.Sum(Y[i], (i, 1, m)))
    ),
    "a sum that may be empty": lambda c, _: Case(identity(sp.Sum(c * X[i], (i, 1, n)), c * sp.Sum(X[i], (i, 1, n)))),
    "a sum of fractions": lambda c, _: Case(identity(sp.Sum(c / (i * (i + 1)), (i, 1, m)), c * m / (m + 1))),
    "an integral of a polynomial": lambda c, _: Case(identity(sp.Integral(c * x**2, (x, 0, s)), c * s**3 / 3)),
    "an integral backwards": lambda c, _: Case(identity(sp.Integral(c * x, (x, c, y)), c * y**2 / 2 - c**3 / 2)),
    "a derivative of a polynomial": lambda c, _: Case(identity(sp.Derivative(c * x**2 + y, x), 2 * c * x)),
    "factorials": lambda c, _: Case(identity(c * sp.factorial(k), c * k * sp.factorial(k - 1))),
    "two squares": lambda c, _: Case(certified(x**2 + c**2 * y**2, (x - c * y) ** 2)),
    "a product of numbers that are not negative": lambda c, _: Case(certified(c * p * q + x, c * p * q)),
    "a sum of squares": lambda c, _: Case(
        certified(c * sp.Sum(X[i] ** 2, (i, 1, m)) + y, c * sp.Sum(X[i] ** 2, (i, 1, m)))
    ),
    "an inequality of reals": lambda c, _: Case(at_least(x**2 + c**2 * y**2, 2 * c * x * y)),
    "an inequality of roots": lambda c, _: Case(at_least(sp.sqrt(p) + sp.sqrt(q), sp.sqrt(p + q))),
    "an inequality under conditions": lambda c, _: Case(at_least(x * y, c * y, sp.Ge(x, c), sp.Gt(y, 0))),
    "an inequality about one integer": lambda _, b: Case(at_least(2 * k, b, sp.Ge(2 * k, b), sp.Le(k, b))),
    "an inequality about two places": lambda c, _: Case(at_least(X[2], X[1] + c, sp.Ge(X[2], X[1] + 2 * c))),
    "an inequality of every term": lambda _, __: Case(
        summed(X[i] ** 2 + Y[i] ** 2, 2 * X[i] * Y[i], (i, 1, m)), (SQUARE,)
    ),
    "a condition on every term": lambda c, _: Case(
        summed(X[i], c - X[i], (i, 1, m), sp.Ge(2 * X[i], c)), (at_least(x, c - x, sp.Ge(2 * x, c)),)
    ),
    "an assumption on every term": lambda c, _: Case(
        summed((1 + c) * P[i], P[i], (i, 1, m)), (certified((1 + c) * p, c * p),)
    ),
    "an index that is positive": lambda _, b: Case(summed(k * X[k] ** 2, 0, (k, b, b + n)), (at_least(k * x**2, 0),)),
    "an identity of every term": lambda c, _: Case(
        summed((X[i] + c) ** 2, X[i] ** 2 + 2 * c * X[i] + c**2, (i, 0, n)),
        (identity((x + c) ** 2, x**2 + 2 * c * x + c**2),),
    ),
    "the sum of the first integers": lambda _, __: Case(induction(sp.Sum(i, (i, 1, m)), m * (m + 1) / 2)),
    "an induction that starts later": lambda _, b: Case(induction(2 * m, m + b, sp.Integer(1), base=b)),
    "an induction under conditions": lambda c, _: Case(
        induction(
            c * sp.Sum(P[i], (i, 1, m)),
            X[m],
            c * P[m + 1] + X[m] - X[m + 1],
            conditions=(sp.Ge(c * P[m + 1] + X[m], X[m + 1]), sp.Ge(c * P[1], X[1])),
        )
    ),
    "a scale": lambda c, _: Case(scaled(c * t * (x**2 + y**2) + x, 2 * c * t * x * y + x, c * t), (SQUARE,)),
    "a scale under conditions": lambda c, _: Case(scaled(c * x, c * y, c, sp.Ge(x, y)), (at_least(x, y, sp.Ge(x, y)),)),
    "a condition that another implies": lambda c, _: Case(at_least(sp.Ge(x**2, c**2), sp.Ge(x, c))),
    "conditions that say the same": lambda c, _: Case(identity(sp.Le(c * t * x, c * t), sp.Le(x, 1))),
    "conditions on sums": lambda c, _: Case(
        at_least(
            sp.Ge(sp.Sum(X[i], (i, 1, m)), c),
            sp.Ge(sp.Sum(Y[i], (i, 1, m)), 2 * c),
            sp.Eq(2 * sp.Sum(X[i], (i, 1, m)), sp.Sum(Y[i], (i, 1, m))),
        )
    ),
    "an inequality of every entry": lambda _, __: Case(
        summed_twice(X[i, j] ** 2 + Y[i] ** 2, 2 * X[i, j] * Y[i]), (SQUARE,)
    ),
    "an induction by another": lambda _, b: Case(induction(m * (m + 1) / 2, m, m), (induction(m, 1, sp.Integer(1)),)),
}


def is_rejected(case: Case) -> bool:
    try:
        replay_step(case.step, case.earlier)
    except StepError:
        return True
    return False


@pytest.mark.parametrize("of", KINDS)
def test_a_wrong_step_is_rejected(of: str) -> None:
    for number in range(EXAMPLES):
        case = example(of, number)
        assert fault(case), f"example {number} of {of} is no example: nothing is wrong with it"
        assert is_rejected(case), f"{of} got through: {case.step.before} and {case.step.after}, example {number}"


@pytest.mark.parametrize("of", RIGHT)
def test_a_right_step_is_not_rejected(of: str) -> None:
    random = Random(of)
    for _ in range(EXAMPLES // 2):
        case = RIGHT[of](rational(random), random.randint(1, 9))
        assert not fault(Case(case.step, case.earlier, at={}))
        replay_step(case.step, case.earlier)


def test_there_are_wrong_and_right_steps_of_every_rule() -> None:
    rules = set(Rule) - {Rule.CITED}
    assert {example(of, 0).step.rule for of in KINDS} == rules
    assert {make(sp.Integer(1), 2).step.rule for make in RIGHT.values()} == rules


@pytest.mark.parametrize("of", ["a lost sign", "a sharpened inequality", "a base that does not hold"])
def test_a_right_step_is_no_example_of_a_wrong_one(of: str) -> None:
    case = example(of, 0)
    right = RIGHT["a square written out"](sp.Integer(2), 1)
    assert not fault(Case(right.step, at=case.at))


def test_what_is_drawn_is_as_assumed() -> None:
    drawn = Values({}, Random(1))
    assert all(drawn[e] >= 0 for e in (p, s, n, P[3]))
    assert all(drawn[e].denominator == 1 for e in (n, m, i))
