from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.evaluation import NoValueError, evaluated
from theory.enclosure import Enclosure

x, y = sp.symbols("x y", real=True)
i, j = sp.symbols("i j", integer=True)
m = sp.Symbol("m", integer=True, nonnegative=True)
v, w = sp.IndexedBase("v", real=True), sp.IndexedBase("w", real=True)
HALF = Fraction(1, 2)

EXACT = {
    "a polynomial": (x**2 - 3 * x / y, Fraction(-23, 4)),
    "a root of a square": (sp.sqrt(x**2 / 4), Fraction(1, 4)),
    "a sum": (sp.Sum(v[i] ** 2, (i, 1, m)), Fraction(14)),
    "no terms": (sp.Sum(v[i], (i, 1, m - 3)) + sp.Product(v[i], (i, 1, m - 3)), Fraction(1)),
    "a sum of sums": (sp.Sum(w[i, j] * v[i], (i, 1, j), (j, 1, 2)), Fraction(1 + 2 + 2 * 4)),
    "one entry of many": (v[m - 1] * sp.KroneckerDelta(m, 3), Fraction(2)),
    "the largest": (sp.Max(x, sp.Abs(y - 1), 0), Fraction(3, 4)),
    "a condition": (sp.And(sp.Gt(x, 0), sp.Or(sp.Eq(x, 1), sp.Not(sp.Ge(y, 1)))), Fraction(1)),
    "no condition": (sp.Ne(x, HALF), Fraction(0)),
}
VALUES = {"x": HALF, "y": 0.25, "m": 3, "v": [1, 2, 3], "w": [[1, 2], [3, 4]]}


@pytest.mark.parametrize("name", EXACT)
def test_what_is_rational_is_exact(name: str) -> None:
    expression, value = EXACT[name]
    assert evaluated(expression, VALUES) == Enclosure.exactly(value)


@given(st.fractions(0, 50, max_denominator=9), st.fractions(0, 50, max_denominator=9))
def test_roots_are_enclosed(first: Fraction, second: Fraction) -> None:
    both = evaluated(
        (sp.sqrt(sp.Abs(x)) + sp.sqrt(sp.Abs(y))) ** 2 - 2 * sp.sqrt(sp.Abs(x * y)), {"x": first, "y": second}
    )
    assert both.lower <= first + second <= both.upper
    assert both.upper - both.lower <= Fraction(1, 10**30)


def test_numbers_that_are_equal_by_their_digits_alone_may_be_or_not() -> None:
    roots = {"x": sp.sqrt(2) + sp.sqrt(3), "y": sp.sqrt(5 + 2 * sp.sqrt(6))}
    for relation in (sp.Eq(x, y), sp.Ge(x, y), sp.Gt(x, y)):
        assert evaluated(relation, roots) == Enclosure(Fraction(0), Fraction(1))
    assert evaluated(sp.Eq(x, y), {**roots, "y": sp.Integer(3)}) == Enclosure.exactly(Fraction(0))
    assert evaluated(sp.sqrt(x - y), roots).upper < Fraction(1, 10**30)


def test_a_function_that_arb_is_not_asked_for_is_left_to_sympy() -> None:
    value = evaluated(sp.cos(x), {"x": HALF})
    assert value.lower < Fraction(8775825618903728, 10**16) < value.upper + Fraction(1, 10**15)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        (1 / (x - y), "has no value"),
        (sp.sqrt(-1 - x**2), "the root of -1.25"),
        (v[0], "v has no entry 0"),
        (v[m + 1], "v has no entry 4"),
        (w[1], "w has no entry 1"),
        (sp.Sum(x, (i, 1, y)), "runs to no integer"),
        (sp.Symbol("z"), "z in z has no value"),
        (x + sp.Symbol("x"), "two symbols of"),
        (sp.Symbol("m", positive=True, even=True), "m is assumed to be"),
        (sp.I * x, "is no real number"),
    ],
    ids=str,
)
def test_what_has_no_value_says_why(expression: sp.Expr, why: str) -> None:
    with pytest.raises(NoValueError, match=why):
        evaluated(expression, {**VALUES, "y": HALF})
