"""How the claims of `theory.volhejn2020.spline` are put to the test."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, interpolants, small
from proofs_check.trials.operators import Kind, both_ways, bounds, left, on, right, without
from proofs_check.trials.volhejn2020.common import on_interval
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights
from theory.volhejn2020 import spline
from theory.volhejn2020.spline import V6, V6A, V7, V8, V8A, V9, V9A, V9B, V9C, V9D


@st.composite
def distinct_knots(draw: st.DrawFn) -> Instance:
    """Draw an exact network with distinct knots and an interval that has them inside, or the outer ones at its ends."""
    knots = sorted(draw(st.sets(small, min_size=draw(st.sampled_from([1, 2, 3])), max_size=5)))
    w1 = [draw(small.filter(bool)) for _ in knots]
    w2 = [draw(st.one_of(small, few.filter(bool))) for _ in knots]
    weights = Weights(
        rationals(w1), rationals([-w * c for w, c in zip(w1, knots, strict=True)]), rationals(w2), Fraction(0)
    )
    margin = draw(st.sampled_from([0, 1]))
    return Instance({"weights": weights, "interval": (knots[0] - margin, knots[-1] + max(margin, 1))}, "drawn")


@st.composite
def hyperplanes(draw: st.DrawFn) -> Instance:
    """Draw units in one or two dimensions and a point on the hyperplane of the first, others passing through at times.

    At times the point is off it, where nothing is claimed.
    """
    d, width = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    vector = st.lists(small, min_size=d, max_size=d)
    hidden = [draw(vector.filter(any)), *(draw(vector) for _ in range(width - 1))]
    point = draw(vector)
    biases = [-sum((w * p for w, p in zip(row, point, strict=True)), Fraction(0)) for row in hidden]
    biases[1:] = [bias + draw(st.sampled_from([0, 1, 1])) for bias in biases[1:]]
    biases[0] += draw(st.sampled_from([0, 0, 0, 0, 1]))
    return Instance(
        {
            "hidden": hidden,
            "biases": biases,
            "outputs": draw(st.lists(small, min_size=width, max_size=width)),
            "unit": 0,
            "point": point,
        },
        "drawn",
    )


@st.composite
def knots_in_the_middle(draw: st.DrawFn) -> Instance:
    """Draw one unit, or a pair at one knot, in the middle of an interval or beside it."""
    c, half, slope = draw(small), draw(small.filter(lambda v: v > 0)), draw(small.filter(bool))
    w1 = draw(st.sampled_from([[slope], [slope, slope], [slope, -slope]]))
    w2 = [draw(small.filter(bool)) for _ in w1]
    weights = Weights(rationals(w1), rationals([-w * c for w in w1]), rationals(w2), draw(small))
    off = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 3), Fraction(1)])) * half
    return Instance({"weights": weights, "interval": (c + off - half, c + off + half)}, "drawn")


@st.composite
def convex_interpolants(draw: st.DrawFn) -> Instance:
    """Draw a function whose knots are the inner data points: the spline itself, to which all others are compared."""
    x = sorted(draw(st.sets(small, min_size=3, max_size=5)))
    jumps = [draw(small.filter(bool)) for _ in x[1:-1]]
    f = PiecewiseLinear(rationals(x[1:-1]), rationals(jumps), draw(small), draw(small), x[0])
    return Instance({"f": f, "x": rationals(x), "order": draw(st.sampled_from([0, 1]))}, "drawn")


def _taxicab_size(given: Instance) -> Fraction:
    unit = given["unit"]
    return Fraction(given["outputs"][unit] * np.abs(given["hidden"][unit]).sum()) ** 2


def _without_output(given: Instance) -> Fraction:
    row = given["hidden"][given["unit"]]
    return Fraction(row @ row)


def _spline_without_last(given: Instance) -> Enclosure:
    x = rationals(sorted(given["x"]))
    kept = x[:-1] if len(x) > 2 else x
    f = PiecewiseLinear.interpolate(kept, given["f"](kept))
    return spline.variation_of(f, given["order"], x[0], x[-1])


def _other_order(given: Instance) -> Instance:
    return given.but(order=1 - given["order"])


def _largest_unit(given: Instance) -> Fraction:
    return max((Fraction(v) for v in spline.unit_sizes(given)), default=Fraction(0))


def _signed_sum(given: Instance) -> Fraction:
    weights = given["weights"].rational()
    return abs(Fraction((np.abs(weights.w1) * weights.w2).sum()))


def _without_w1(given: Instance) -> Fraction:
    return Fraction(np.abs(given["weights"].rational().w2).sum())


TRIALS = (
    Trial(V6, instances=hyperplanes()),
    Trial(
        V6A,
        instances=hyperplanes(),
        mutants=(
            *both_ways(V6A),
            without(V6A, "the point lies on the unit's hyperplane"),
            without(V6A, "no other unit toggles at the point"),
            right(V6A, "||w1||_1 for ||w1||", Kind.DROPPED, _taxicab_size),
            right(V6A, "without w2", Kind.DROPPED, _without_output),
        ),
    ),
    Trial(
        V7,
        instances=st.one_of(interpolants(), interpolants(), convex_interpolants()),
        mutants=(
            *bounds(V7),
            right(V7, "the spline without the last point", Kind.OFF_BY_ONE, _spline_without_last),
            right(V7, "the other order", Kind.DROPPED, lambda given: V7.sides(_other_order(given))[1]),
        ),
    ),
    Trial(
        V8,
        instances=st.sampled_from(spline.PRINTED_EXAMPLES),
        mutants=(
            *both_ways(V8),
            left(
                V8,
                "without the jumps",
                Kind.DROPPED,
                lambda given: spline.example_variation(given, given["order"], jumps=False),
            ),
            on(V8, "PL0 for PL1", Kind.DROPPED, _other_order),
        ),
    ),
    Trial(
        V8A,
        instances=st.sampled_from(spline.CONVERSE_EXAMPLES),
        mutants=(
            *both_ways(V8A),
            left(
                V8A,
                "without the jumps",
                Kind.DROPPED,
                lambda given: spline.example_variation(given, given["order"], jumps=False),
            ),
            on(V8A, "PL0 for PL1", Kind.DROPPED, _other_order),
        ),
    ),
    Trial(V9, instances=st.one_of(distinct_knots(), knots_in_the_middle())),
    Trial(
        V9A,
        instances=st.one_of(distinct_knots(), knots_in_the_middle(), knots_in_the_middle(), on_interval()),
        mutants=(
            *both_ways(V9A),
            without(V9A, "distinct knots (and no w1 = 0)"),
            without(V9A, "every knot in (a, b)"),
            right(V9A, "|sum| for the sum of sizes", Kind.DROPPED, _signed_sum),
            right(V9A, "without w1", Kind.DROPPED, _without_w1),
        ),
    ),
    Trial(
        V9B,
        instances=st.one_of(on_interval(inside=True), knots_in_the_middle()),
        mutants=(
            *bounds(V9B),
            right(V9B, "the largest unit for the sum", Kind.MIN_MAX, _largest_unit),
            right(V9B, "without w1", Kind.DROPPED, _without_w1),
        ),
    ),
    Trial(V9C, instances=st.one_of(distinct_knots(), on_interval(), knots_in_the_middle())),
    Trial(
        V9D,
        instances=st.one_of(distinct_knots(), on_interval(), knots_in_the_middle()),
        mutants=(
            *bounds(V9D),
            right(V9D, "the largest unit for the sum", Kind.MIN_MAX, lambda given: _largest_unit(given) / 2),
            right(V9D, "without w1", Kind.DROPPED, lambda given: _without_w1(given) / 2),
        ),
    ),
)
