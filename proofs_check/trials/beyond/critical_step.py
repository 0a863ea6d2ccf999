"""How the claims of `theory.beyond.critical_step` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import interpolants, small
from proofs_check.trials.operators import Kind, Mutant, bounds, with_sides
from theory.beyond import critical_step
from theory.beyond.critical_step import B1, B1A
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import weight_enclosure


@st.composite
def beside_the_data(draw: st.DrawFn) -> Instance:
    """Draw three or four points about 0, where g rises at the second, and a function that bends there or just beside it."""
    first = draw(st.integers(2, 8))
    x = [Fraction(-first), Fraction(draw(st.integers(0, first)))]
    for _ in range(draw(st.integers(1, 2))):
        x.append(x[-1] + draw(st.integers(1, 8)))
    knot = x[1] + draw(st.sampled_from([Fraction(1, 100), Fraction(1, 100), Fraction(-1, 100)]))
    if draw(st.booleans()):
        x, knot = [-v for v in reversed(x)], -knot
    f = PiecewiseLinear([knot], [draw(small.filter(bool))], draw(small), draw(small), x[0])
    return Instance({"f": f, "x": rationals(x), "order": 1}, "drawn: a knot beside the data")


bent: SearchStrategy[Instance] = st.one_of(interpolants(), beside_the_data())


def _weighed(name: str, kind: Kind, weigh: Callable[[Array, Array], critical_step.Ends]) -> Mutant:
    """Return B1.a with the spline's changes of slope weighed otherwise, by a function of its knots and of x."""
    return with_sides(B1A, name, kind, lambda given: critical_step.weighed_sides(given, weigh))


def _higher_of(knots: Array, x: Array) -> critical_step.Ends:
    negative = [(-upper, -lower) for lower, upper in critical_step.beside(knots, x)]
    lower, upper = critical_step.lower_of(negative[0], negative[1])
    return -upper, -lower


def _next_point(knots: Array, x: Array) -> critical_step.Ends:
    following = x[np.minimum(np.searchsorted(x, knots) + 1, len(x) - 1)]
    return critical_step.lowest_weight_enclosure(x, following)


TRIALS = (
    Trial(B1, instances=bent),
    Trial(
        B1A,
        instances=bent,
        mutants=(
            *bounds(B1A),
            _weighed("the higher limit of g", Kind.MIN_MAX, _higher_of),
            _weighed("g(x_j) itself (B1)", Kind.DROPPED, weight_enclosure),
            _weighed("g(x_j-), from the left alone", Kind.DROPPED, lambda knots, x: critical_step.beside(knots, x)[0]),
            _weighed("g(x_j+), from the right alone", Kind.DROPPED, lambda knots, x: critical_step.beside(knots, x)[1]),
            _weighed("g_*(x_{j+1})", Kind.OFF_BY_ONE, _next_point),
        ),
        oracle=oracles.b1a,
    ),
)
