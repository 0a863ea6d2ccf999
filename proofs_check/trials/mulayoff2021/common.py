"""What the trials of several chapters of mulayoff2021 share."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trials.common import ratios, small
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.two_layer import Weights

SHARES = [Fraction(1), Fraction(1), Fraction(999, 1000), Fraction(1001, 1000), Fraction(1, 2), Fraction(9)]


@st.composite
def balanced_exactly(draw: st.DrawFn) -> Instance:
    """Draw two points and a unit active on each, balanced, exactly: at their edge Theorem 1 is attained."""
    a = draw(st.sampled_from([Fraction(3, 4), Fraction(4, 3), Fraction(5, 12), Fraction(12, 5)]))
    root = Fraction(math.isqrt(a.numerator**2 + a.denominator**2), a.denominator)  # of 1 + a^2
    knot, w1 = (
        a * draw(ratios(0, Fraction(4, 5), 5)),
        draw(st.sampled_from([Fraction(1), Fraction(3), Fraction(1, 2)])),
    )
    w2 = w1 * (a - knot) / root
    weights = Weights(rationals([w1, -w1]), rationals([-w1 * knot] * 2), rationals([w2, w2]), draw(small))
    return Instance({"weights": weights, "x": rationals([-a, a])}, "drawn: balanced")


def shifted(value: Enclosure, by: Fraction) -> Enclosure:
    """Return the interval moved by a number."""
    return Enclosure(Fraction(value.lower) + by, Fraction(value.upper) + by)


def edge_less(first: Fraction, second: Fraction) -> Callable[[Instance], Fraction]:
    """Return first/eta - second/2 as a side: M6's bound for 1 and 1."""
    return lambda given: first / Fraction(given["step_size"]) - second / 2
