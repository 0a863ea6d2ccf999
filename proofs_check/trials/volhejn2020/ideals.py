"""How the claims of `theory.volhejn2020.ideals` are put to the test."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import exact_weights, few, ratios, small
from proofs_check.trials.operators import Kind, both_ways, bounds, left, negated, right
from proofs_check.trials.volhejn2020.common import on_interval
from theory.assumptions import implemented
from theory.checks import dot, rationals
from theory.claim import Instance
from theory.two_layer import Weights
from theory.volhejn2020 import ideals, variation
from theory.volhejn2020.ideals import MEASURES, V23, V23A, V23B, V27, V27A, V27B
from theory.volhejn2020.spline import unit_sizes


@st.composite
def measured(draw: st.DrawFn) -> Instance:
    """Draw a network, its data, and a measure: one that is flat or straight on them, or computes nothing, at times."""
    c, w1 = draw(few), draw(few.filter(bool))
    outputs = [draw(few) for _ in range(2)]
    around = Weights([w1, -w1], [-w1 * c, w1 * c], outputs, draw(small))
    cancelled = Weights([w1, w1], [-w1 * c, -w1 * c], [outputs[0], -outputs[0]], draw(small))
    weights = draw(st.one_of(exact_weights(most=3), st.sampled_from([around, cancelled, cancelled])))
    beside = draw(st.sampled_from([-1, 1]))
    places = st.one_of(few, st.sampled_from([c, c + beside, c + 2 * beside, c + 3 * beside]))
    x = rationals(draw(st.lists(places, min_size=1, max_size=4)))
    return Instance({"weights": weights, "x": x, "which": draw(st.integers(0, len(MEASURES) - 1))}, "drawn")


@st.composite
def straight(draw: st.DrawFn) -> Instance:
    """Draw a function that has no knot in its interval, or one; V27.a is tight where it has none."""
    a, knot = draw(small), draw(st.sampled_from([Fraction(-1), Fraction(1, 2), Fraction(2)]))
    weights = Weights([Fraction(1)], [-a - knot], [draw(small)], draw(small))
    return Instance({"weights": weights, "interval": (a, a + 1)}, "drawn")


teeth = ratios(0, Fraction(11, 12), 12).map(lambda start: Instance({"start": start}, "drawn"))
"""Where a tooth begins, 0 among them, and 1/2."""


def _straight(given: Instance) -> bool:
    """Whether f has no knot at all, for every measure."""
    return not len(implemented(given).knots)


def _largest_unit(given: Instance) -> Fraction:
    return max((Fraction(v) for v in unit_sizes(given)), default=Fraction(0))


def _mean_slope(given: Instance) -> Fraction:
    """The mean of |f'| without its square, squared at the end."""
    slopes, lengths = variation.pieces(given)
    a, b = variation.ends(given)
    return Fraction(dot(np.abs(slopes), lengths)) / (b - a)


def _steepest_square(given: Instance) -> Fraction:
    return Fraction(np.abs(variation.pieces(given)[0]).max()) ** 2


TRIALS = (
    Trial(V23, instances=measured()),
    Trial(
        V23A,
        instances=measured(),
        mutants=(
            negated(V23A),
            right(V23A, "f constant, for all four", Kind.DROPPED, ideals.constant),
            right(V23A, "f linear on the line, for all four", Kind.DROPPED, _straight),
        ),
    ),
    Trial(
        V23B,
        instances=st.one_of(on_interval(), straight()),
        mutants=(
            *bounds(V23B),
            left(V23B, "the largest unit for the sum", Kind.MIN_MAX, _largest_unit),
            left(
                V23B, "without w1", Kind.DROPPED, lambda given: Fraction(np.abs(given["weights"].rational().w2).sum())
            ),
        ),
    ),
    Trial(
        V27,
        instances=st.sampled_from(ideals.TOOTH_EXAMPLES),
        mutants=(
            *both_ways(V27),
            left(V27, "TV for GN", Kind.DROPPED, lambda given: ideals.slope_mean(given.but(averaged=0))),
        ),
    ),
    Trial(
        V27A,
        instances=st.one_of(on_interval(), straight()),
        mutants=(
            *bounds(V27A),
            right(V27A, "the steepest slope for the mean", Kind.MIN_MAX, _steepest_square),
            left(V27A, "|f'| for its square", Kind.DROPPED, _mean_slope),
        ),
    ),
    Trial(
        V27B,
        instances=teeth,
        mutants=(
            *both_ways(V27B),
            right(V27B, "1/3 for every tooth", Kind.DROPPED, lambda given: Fraction(1, 3)),
            right(
                V27B, "1 + u for 1 + 2 u", Kind.CONSTANT, lambda given: (1 - given["start"]) * (1 + given["start"]) / 3
            ),
        ),
    ),
)
