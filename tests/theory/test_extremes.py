from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from theory.checks import dot, rationals
from theory.enclosure import positive_semidefinite, top_eigenvalue
from theory.extremes import eigenvector, leading, lowest, nearly

ENTRIES = st.lists(st.integers(-3, 3), min_size=9, max_size=9)


@given(ENTRIES)
def test_a_form_is_negative_where_it_is_lowest_if_anywhere(entries: list[int]) -> None:
    half = rationals(entries).reshape(3, 3)
    form = half + half.T
    vector = lowest(form)
    assert np.any(vector != 0)
    assert (vector @ form @ vector < 0) == (not positive_semidefinite(form))


@given(ENTRIES)
def test_the_leading_vector_has_the_top_eigenvalue(entries: list[int]) -> None:
    half = rationals(entries).reshape(3, 3)
    form = half + half.T
    top = top_eigenvalue(form)
    for vector in (leading(form, rationals(np.eye(3, dtype=int))), eigenvector(form)):
        quotient = Fraction(dot(vector, form @ vector)) / dot(vector, vector)
        assert top.lower - Fraction(1, 10**60) <= quotient <= top.upper


def test_a_number_that_is_rounded_up_is_no_less() -> None:
    third = Fraction(1, 3)
    assert nearly(third, 1) > nearly(third)
    assert abs(nearly(third, 1) - nearly(third)) < 1e-50
