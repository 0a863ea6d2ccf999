"""How the claims of `theory.volhejn2020.variation` are put to the test."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import small
from proofs_check.trials.operators import Kind, both_ways, bounds, left, negated, right, without
from proofs_check.trials.volhejn2020.common import on_interval
from theory import enclosure
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.two_layer import Weights
from theory.volhejn2020 import variation
from theory.volhejn2020.variation import V1, V1A, V2, V3, V4, V4A, V4B, V5, V5A


@st.composite
def tents(draw: st.DrawFn) -> Instance:
    """Draw |x - c| on an interval about c, and the two ends to sample it at: eq 3.6 misses as much as it can at the middle."""
    c, half, slope = draw(small), draw(small.filter(lambda v: v > 0)), draw(small.filter(bool))
    weights = Weights([slope, -slope], [-slope * c, slope * c], [Fraction(1), Fraction(1)], draw(small))
    off = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 7)])) * half
    return Instance({"weights": weights, "interval": (c + off - half, c + off + half), "points": 2}, "drawn: tent")


@st.composite
def curves(draw: st.DrawFn, *, dimensions: tuple[int, int] = (1, 3)) -> Instance:
    """Draw a polygonal curve with rational vertices."""
    d = draw(st.integers(*dimensions))
    vertices = draw(st.lists(st.lists(small, min_size=d, max_size=d), min_size=2, max_size=6))
    return Instance({"curve": rationals(vertices)}, "drawn")


@st.composite
def lines(draw: st.DrawFn) -> Instance:
    """Draw a function without knots between the ends of its interval: f' is constant inside, and toggles at an end at times."""
    a = draw(small)
    b = a + draw(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3)]))
    knot = draw(st.sampled_from([a, b, a - 1, b + 1, (a + b) / 2]))
    w1, w2 = draw(small.filter(bool)), draw(small)
    return Instance(
        {
            "weights": Weights([w1], [-w1 * knot], [w2], draw(small)),
            "interval": (a, b),
            "points": draw(st.integers(2, 4)),
        },
        "drawn",
    )


@st.composite
def plateaus(draw: st.DrawFn) -> Instance:
    """Draw a function whose slope changes at one knot inside an interval and changes back at another, there or beside it."""
    a, gap = draw(small), draw(st.sampled_from([Fraction(1, 3), Fraction(1), Fraction(2)]))
    slope, back = draw(small.filter(bool)), draw(st.sampled_from([1, 1, 1, 2]))
    weights = Weights([1, 1], [-a, -a - gap], [slope, -slope * back], draw(small))
    margin = draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(0)]))
    end = draw(st.sampled_from([a + gap + 1, a + gap / 2]))
    return Instance({"weights": weights, "interval": (a - margin, end), "points": draw(st.integers(2, 4))}, "drawn")


@st.composite
def bowls(draw: st.DrawFn) -> Instance:
    """Draw a function that falls, is constant and rises alike, and the two ends to sample it at: f' changes in two steps."""
    a, flat = draw(small), draw(st.sampled_from([Fraction(1, 3), Fraction(1)]))
    slope, margin = draw(small.filter(bool)), draw(st.sampled_from([Fraction(1), Fraction(2)]))
    weights = Weights([-1, 1], [a, -a - flat], [slope, slope], draw(small))
    return Instance({"weights": weights, "interval": (a - margin, a + flat + margin), "points": 2}, "drawn")


def _edges(given: Instance) -> Any:
    return np.diff(given["curve"], axis=0)


def _longest_edge(given: Instance) -> Enclosure:
    lengths = [enclosure.length(edge) for edge in _edges(given)]
    return Enclosure(max(v.lower for v in lengths), max(v.upper for v in lengths))


def _taxicab(given: Instance) -> Fraction:
    return Fraction(np.abs(given["curve"][-1] - given["curve"][0]).sum())


def _signed_slopes(given: Instance) -> Fraction:
    slopes, lengths = variation.pieces(given)
    a, b = variation.ends(given)
    return Fraction((slopes * lengths).sum()) / (b - a)


def _without_last_piece(given: Instance) -> Fraction:
    slopes, lengths = variation.pieces(given)
    a, b = variation.ends(given)
    return Fraction((np.abs(slopes) * lengths)[:-1].sum()) / (b - a)


def _total_variation(given: Instance) -> Fraction:
    return variation.true_variation(given["weights"], *variation.ends(given))


def _largest_change(given: Instance) -> Fraction:
    a, b = variation.ends(given)
    largest = max((abs(Fraction(v)) for v in variation.slope_changes(given)), default=Fraction(0))
    return Fraction(largest * (b - a) / (2 * (given["points"] - 1)))


def _one_point_more(given: Instance) -> Fraction:
    _, bound = V4A.sides(given)
    return Fraction(bound.lower) * Fraction(given["points"] - 1, given["points"])


def _around(given: Instance) -> Fraction:
    """The sum of eq 3.6 from i = 0, with the last point before the first."""
    a, b = variation.ends(given)
    f = given["weights"].rational()
    first, last = f(rationals([a, b]))
    return variation.sampled_variation(given["weights"], a, b, given["points"]) + abs(Fraction(last - first))


def _equal_at_the_ends(given: Instance) -> bool:
    _, values = variation.derivative_values(given["weights"], *variation.ends(given))
    return bool(values[0] == values[-1])


TRIALS = (
    Trial(
        V1,
        instances=curves(),
        mutants=(
            *bounds(V1),
            left(V1, "the longest edge for the sum", Kind.MIN_MAX, _longest_edge),
            left(V1, "the first edge left out", Kind.OFF_BY_ONE, lambda given: variation.variation(given["curve"][1:])),
            right(V1, "the sum of the coordinates for the norm", Kind.DROPPED, _taxicab),
        ),
        spared=dict.fromkeys(
            ("sides: given['curve'][-2] for given['curve'][-1]", "sides: given['curve'][1] for given['curve'][0]"),
            "true: a part of a curve is no longer than the curve",
        ),
        oracle=oracles.v1,
    ),
    Trial(
        V1A,
        instances=curves(dimensions=(1, 2)),
        mutants=(
            negated(V1A),
            without(V1A, "d = 1"),
            right(
                V1A,
                "strictly monotone",
                Kind.BOUNDARY,
                lambda given: bool(np.all(_edges(given)[:, 0] > 0) or np.all(_edges(given)[:, 0] < 0)),
            ),
            right(V1A, "non-decreasing only", Kind.DROPPED, lambda given: bool(np.all(_edges(given)[:, 0] >= 0))),
        ),
    ),
    Trial(
        V2,
        instances=st.sampled_from(variation.TEXTBOOK_CURVES),
        mutants=(
            *both_ways(V2),
            left(V2, "the longest edge for the sum", Kind.MIN_MAX, _longest_edge),
            left(V2, "the first edge left out", Kind.OFF_BY_ONE, lambda given: variation.variation(given["curve"][1:])),
        ),
    ),
    Trial(
        V3,
        instances=on_interval(),
        mutants=(
            *both_ways(V3),
            left(V3, "f' for |f'|", Kind.DROPPED, _signed_slopes),
            left(V3, "the last piece left out", Kind.OFF_BY_ONE, _without_last_piece),
            right(V3, "without 1/(b - a)", Kind.DROPPED, _total_variation),
        ),
    ),
    Trial(V4, instances=on_interval()),
    Trial(
        V4A,
        instances=st.one_of(on_interval(), tents(), plateaus(), bowls()),
        mutants=(
            *bounds(V4A),
            right(V4A, "n for n - 1", Kind.OFF_BY_ONE, _one_point_more),
            right(V4A, "the largest change of f' for its variation", Kind.MIN_MAX, _largest_change),
            right(
                V4A,
                "without TV(f')",
                Kind.DROPPED,
                lambda given: (given["interval"][1] - given["interval"][0]) / Fraction(2 * (given["points"] - 1)),
            ),
        ),
    ),
    Trial(
        V4B,
        instances=st.one_of(on_interval(), lines(), plateaus()),
        mutants=(*bounds(V4B), left(V4B, "the sum from i = 0", Kind.OFF_BY_ONE, _around)),
        spared=dict.fromkeys(
            (f"sides: {change} in sampled_variation" for change in ("0.9 x 1", "0.99 x 1", "n for n - 1")),
            "true: the points stay in the interval, and no points are too many or too far apart",
        ),
    ),
    Trial(V5, instances=st.one_of(on_interval(), lines(), plateaus())),
    Trial(
        V5A,
        instances=st.one_of(plateaus(), lines(), on_interval()),
        mutants=(
            negated(V5A),
            without(V5A, "no unit toggles at an end of the segment"),
            right(V5A, "equal at the two ends", Kind.DROPPED, _equal_at_the_ends),
        ),
    ),
)
