import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from theory.checks import Array, rationals
from theory.enclosure import EPS, Enclosure, positive_semidefinite, square_root, top_eigenvalue

NAN = float("nan")
positive_rationals = st.one_of(
    st.fractions(min_value=0),
    st.builds(
        lambda p, q, e: Fraction(p, q) * Fraction(2) ** e,
        st.integers(1, 99),
        st.integers(1, 99),
        st.integers(-900, 900),
    ),
)


@st.composite
def symmetric_integers(draw: st.DrawFn, *, most: int = 5, gram: bool = False) -> Array:
    n = draw(st.integers(1, most))
    rank = draw(st.integers(1, most)) if gram else n
    entries = np.array([[draw(st.integers(-4, 4)) for _ in range(rank)] for _ in range(n)])
    return rationals(entries @ entries.T if gram else entries + entries.T)


@given(positive_rationals)
def test_square_roots_are_enclosed_to_the_stated_width(value: Fraction) -> None:
    root = square_root(value)
    assert 0 <= root.lower**2 <= value <= root.upper**2
    assert root.upper - root.lower <= Fraction(root.lower) / 2**120


@given(positive_rationals)
def test_square_roots_of_squares_are_exact(value: Fraction) -> None:
    assert square_root(value**2) == Enclosure.exactly(value)


@given(st.fractions(min_value=Fraction(1, 100)), st.integers(1, 40))
def test_few_bits_still_enclose(value: Fraction, bits: int) -> None:
    root = square_root(value, bits=bits)
    assert root.lower**2 <= value <= root.upper**2
    assert root.upper - root.lower <= Fraction(root.lower) / 2**bits


def test_the_root_of_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^value must not be negative, got -1/2$"):
        square_root(Fraction(-1, 2))


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(1, 0), (NAN, 1.0), (0.0, NAN), (Fraction(1, 3), 1 / 3)],
    ids=["integers", "nan below", "nan above", "a third and its float"],
)
def test_ends_in_the_wrong_order_are_refused(lower: float, upper: float) -> None:
    message = f"lower must not exceed upper, got {lower} and {upper}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Enclosure(lower, upper)


def test_intervals_of_a_number() -> None:
    assert Enclosure.exactly(True) == Enclosure(Fraction(1), Fraction(1))
    false: Any = np.bool_(False)
    assert Enclosure.exactly(false) == Enclosure(Fraction(0), Fraction(0))
    assert Enclosure.around(1.0, 0.25) == Enclosure(0.75, 1.25)
    assert Enclosure(Fraction(0), Fraction(1)).midpoint == Fraction(1, 2)
    assert Enclosure(Fraction(0), Fraction(1)) + Enclosure.exactly(Fraction(1, 3)) == Enclosure(
        Fraction(1, 3), Fraction(4, 3)
    )


@example(1.0, 2.0**-60)
@example(5e-324, 5e-324)
@example(1.7e308, 1.7e308)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, allow_nan=False, allow_infinity=False))
def test_ends_of_floats_are_rounded_outwards(value: float, error: float) -> None:
    for found in (Enclosure.around(value, error), Enclosure.exactly(value) + Enclosure(-error, error)):
        assert found.lower <= Fraction(value) - Fraction(error)
        assert Fraction(value) + Fraction(error) <= found.upper
        assert found.upper <= math.nextafter(value + error, math.inf)
        assert math.nextafter(value - error, -math.inf) <= found.lower


@given(st.integers(-(2**50), 2**50), st.integers(0, 2**50))
def test_ends_that_are_floats_are_not_rounded(value: int, error: int) -> None:
    assert Enclosure.around(float(value), float(error)) == Enclosure(value - error, value + error)


@given(st.one_of(symmetric_integers(), symmetric_integers(gram=True)))
def test_positive_semidefinite_agrees_with_the_eigenvalues(matrix: Array) -> None:
    values = np.linalg.eigvalsh(matrix.astype(np.float64))
    error = len(matrix) ** 2 * 64 * EPS * max(float(np.abs(values).max()), 1.0)
    if abs(values[0]) > error:
        assert positive_semidefinite(matrix) == (values[0] > 0)
    else:  # integer entries: the product of the non-zero eigenvalues is an integer, so this one is 0
        assert positive_semidefinite(matrix)


@given(symmetric_integers(gram=True))
def test_gram_matrices_are_semidefinite_and_no_less_so(matrix: Array) -> None:
    assert positive_semidefinite(matrix)
    tiny = Fraction(1, 10**40)
    if np.linalg.matrix_rank(matrix.astype(np.float64)) < len(matrix):
        assert not positive_semidefinite(matrix - tiny * rationals(np.eye(len(matrix), dtype=int)))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0]], True),
        ([[-1]], False),
        ([[0, 1], [1, 0]], False),
        ([[0, 0], [0, 1]], True),
        ([[0, 0], [0, -1]], False),
        ([[1, 1], [1, 1]], True),
        ([[1, 2], [2, 3]], False),
        ([[1, 1, 0], [1, 1, 1], [0, 1, 1]], False),
        ([[1, 1, 1], [1, 1, 1], [1, 1, 1]], True),
        ([[0, 0, 0], [0, 1, 1], [0, 1, 1]], True),
    ],
)
def test_singular_and_zero_pivots(rows: list[list[int]], expected: bool) -> None:
    assert positive_semidefinite(rationals(rows)) is expected


@given(st.one_of(symmetric_integers(), symmetric_integers(gram=True)), st.fractions(-3, 3, max_denominator=50))
def test_exact_top_eigenvalues_are_enclosed(matrix: Array, factor: Fraction) -> None:
    scaled = factor * matrix
    top, identity = top_eigenvalue(scaled), rationals(np.eye(len(matrix), dtype=int))
    floats = float(np.linalg.eigvalsh(scaled.astype(np.float64))[-1])
    assert isinstance(top.lower, Fraction)
    assert isinstance(top.upper, Fraction)
    assert positive_semidefinite(top.upper * identity - scaled)
    assert not positive_semidefinite((top.lower - Fraction(1, 10**30)) * identity - scaled)
    size = float(np.linalg.norm(scaled.astype(np.float64)))
    assert abs(float(top.lower) - floats) <= 16 * len(matrix) * EPS * size
    assert top.upper - top.lower <= 8 * len(matrix) * EPS * size


@given(
    st.lists(st.fractions(-9, 9, max_denominator=1000), min_size=2, max_size=2), st.integers(1, 9), st.integers(1, 9)
)
def test_simple_fractions_come_out_exactly(values: list[Fraction], a: int, b: int) -> None:
    rotation = rationals([[a, -b], [b, a]])  # orthogonal up to a factor
    matrix = rotation @ np.diag(rationals(values)) @ rotation.T / Fraction(a * a + b * b)
    assert top_eigenvalue(matrix) == Enclosure.exactly(max(values))


def test_an_irrational_top_eigenvalue() -> None:
    top = top_eigenvalue(rationals([[0, 1], [1, 1]]))
    golden = square_root(Fraction(5))
    assert top.lower <= (1 + golden.lower) / 2
    assert (1 + golden.upper) / 2 <= top.upper
    assert top.upper - top.lower < Fraction(1, 10**14)


@given(symmetric_integers())
def test_the_interval_of_floats_contains_the_exact_one(matrix: Array) -> None:
    exact, floats = top_eigenvalue(matrix), top_eigenvalue(matrix.astype(np.float64))
    assert floats.lower <= exact.upper
    assert exact.lower <= floats.upper
    assert floats.upper - floats.lower <= 4 * len(matrix) * EPS * float(np.linalg.norm(matrix.astype(np.float64)))


@given(symmetric_integers(), st.integers(200, 1074))
def test_the_interval_of_floats_whose_squares_underflow_contains_the_exact_one(matrix: Array, halvings: int) -> None:
    exact, floats = top_eigenvalue(matrix), top_eigenvalue(np.ldexp(matrix.astype(np.float64), -halvings))
    assert Fraction(floats.lower) * 2**halvings <= exact.upper
    assert exact.lower <= Fraction(floats.upper) * 2**halvings
