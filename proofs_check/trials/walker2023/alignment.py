"""How the claims of `theory.walker2023.alignment` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import small, whole
from proofs_check.trials.operators import (
    LESS,
    MORE,
    Kind,
    bounds,
    left,
    negated,
    right,
    strict,
    turned,
    with_sides,
    without,
)
from theory.checks import rationals
from theory.claim import Instance
from theory.walker2023 import alignment
from theory.walker2023.alignment import W4, W4A, W4B, W4C, W4D, W4E, W4F


@st.composite
def pairs(draw: st.DrawFn) -> Instance:
    """Draw two examples with residuals, equal or parallel at times, and the length of a step."""
    d = draw(st.integers(1, 3))
    row = st.lists(whole, min_size=d + 1, max_size=d + 1)
    first = draw(row)
    second = draw(st.one_of(row, st.just(first), st.just([-v for v in first])))
    return Instance({"pair": rationals([first, second]), "rate": abs(draw(small))}, "drawn")


@st.composite
def triples(draw: st.DrawFn) -> Instance:
    """Draw three gradients with whole coordinates, the second between the others at times, or one of them."""
    d = draw(st.integers(1, 3))
    row = st.lists(whole, min_size=d, max_size=d)
    first, last = draw(row), draw(row)
    between = [a + b for a, b in zip(first, last, strict=True)]
    middle = draw(st.one_of(row, st.just(between), st.just(first), st.just([2 * v for v in last])))
    exact = [[1, 0], [1, 0], [7, 24]]
    rows = draw(st.sampled_from([[first, middle, last], [first, middle, last], exact]))
    return Instance({"triple": rationals(rows)}, "drawn")


def _change_with(first: Fraction, second: Fraction) -> Callable[[Instance], Fraction]:
    """Return W4.b's right side with factors on the two terms of the bound."""

    def side(given: Instance) -> Fraction:
        slope = given["rate"] * alignment.product_of_gradients(given)
        return Fraction(-first * slope + second * alignment.second_order(given))

    return side


def _not_negative(given: Instance) -> bool:
    return alignment.product_of_gradients(given) >= 0


ONE, ZERO = Fraction(1), Fraction(0)


TRIALS = (
    Trial(W4, instances=pairs()),
    Trial(
        W4A,
        instances=pairs(),
        mutants=(
            negated(W4A),
            with_sides(W4A, "rises for falls, as printed", Kind.REVERSED, alignment.W4.sides),
            left(W4A, "g_1.g_2 >= 0", Kind.BOUNDARY, _not_negative),
        ),
    ),
    Trial(
        W4B,
        instances=pairs(),
        mutants=(
            right(W4B, "0.99 of the second-order term", Kind.CONSTANT, _change_with(ONE, LESS)),
            right(W4B, "1.01 of the first-order term", Kind.CONSTANT, _change_with(MORE, ONE)),
            right(W4B, "0.99 of the first-order term", Kind.CONSTANT, _change_with(LESS, ONE)),
            right(W4B, "no second-order term", Kind.DROPPED, _change_with(ONE, ZERO)),
            right(W4B, "the other sign of g_1.g_2", Kind.REVERSED, _change_with(-ONE, ONE)),
            turned(W4B),
            strict(W4B),
        ),
    ),
    Trial(W4C, instances=pairs()),
    Trial(W4D, instances=pairs(), mutants=(without(W4D, "g_1 is not 0"), negated(W4D))),
    Trial(W4E, instances=triples()),
    Trial(
        W4F,
        instances=triples(),
        mutants=(
            *bounds(W4F),
            with_sides(W4F, "no root, as printed", Kind.DROPPED, alignment.W4E.sides),
        ),
    ),
)
