"""How the claims of `theory.beyond.flat_interpolants` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.trial import Trial
from proofs_check.trials.common import interpolants
from proofs_check.trials.operators import LESS, MORE, Kind, left, negated, right, turned
from theory.beyond.flat_interpolants import (
    B10,
    B10A,
    B10B,
    bends_like_the_spline,
    excess,
    linear_at_the_ends,
    printed,
    shaped,
    within,
)
from theory.beyond.flat_interpolants_bounds import changes_of_slope, flattest_range
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.piecewise_linear import PiecewiseLinear

HALF = Fraction(1, 2)


SHARES = (Fraction(0), Fraction(1, 3), HALF, HALF, Fraction(1), Fraction(1), Fraction(4, 3))
"""How far below or above its chord a function goes, for 1 the neighbouring lines' distance."""


PLACES = (Fraction(1, 4), Fraction(1, 3), HALF, Fraction(2, 3), Fraction(3, 4))


SLOPES = (-3, -1, 0, 0, 1, 4)


@st.composite
def near_the_flattest(draw: st.DrawFn) -> Instance:
    """Draw data with slopes that often change to one side, or not at all, and a function that leaves the spline here and there.

    In some intervals it bends inside or beside the triangle of the chord and the neighbouring lines, or by very little;
    it may bend beyond the data.
    """
    n = draw(st.sampled_from([2, 3, 4, 4, 4, 5, 5, 6]))
    slopes = draw(st.lists(st.sampled_from(SLOPES), min_size=n - 1, max_size=n - 1))
    if n > 2 and draw(st.booleans()):  # the slope does not change somewhere
        same = draw(st.integers(1, n - 2))
        slopes[same] = slopes[same - 1]
    order = draw(st.sampled_from(["convex", "concave", "any"]))
    if order != "any":
        slopes.sort(reverse=order == "concave")
    gaps = draw(st.lists(st.integers(1, 3), min_size=n - 1, max_size=n - 1))
    x, y = [Fraction(0)], [Fraction(0)]
    for gap, slope in zip(gaps, slopes, strict=True):
        x.append(x[-1] + gap)
        y.append(y[-1] + gap * slope)
    points = dict(zip(x, y, strict=True))
    tiny = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 1000), Fraction(-1, 1000), -HALF]))
    kept = draw(st.sampled_from([None, *range(n - 1), *range(1, n - 2)]))  # the one interval where f leaves the spline
    places = [
        [low + (high - low) * share for share in _some(draw, 0 if kept is None else 1)] if kept in (None, j) else []
        for j, (low, high) in enumerate(pairwise(x))
    ]
    for t in (t for bent in places for t in bent):
        (lower,), (upper,) = flattest_range(rationals(x), rationals(y), rationals([t]))
        (chord,) = PiecewiseLinear.interpolate(rationals(x), rationals(y))(rationals([t]))
        other = lower if lower != chord else upper
        points[t] = chord + draw(st.sampled_from(SHARES)) * (other - chord) + tiny
    beyond = draw(st.sampled_from([0, 0, 0, 0, 0, 0, -1, 1]))
    if beyond:
        points[x[0] - 1 if beyond < 0 else x[-1] + 1] = draw(st.sampled_from([Fraction(-1), Fraction(0), HALF]))
    where = sorted(points)
    f = PiecewiseLinear.interpolate(rationals(where), rationals([points[t] for t in where]))
    return Instance({"f": f, "x": rationals(x)}, "drawn")


def _some(draw: st.DrawFn, fewest: int = 0) -> list[Fraction]:
    return draw(st.lists(st.sampled_from(PLACES), min_size=fewest, max_size=3, unique=True))


@st.composite
def inside_the_triangles(draw: st.DrawFn) -> Instance:
    """Draw four or five points that never bend to one side, and a function in the triangles, or beside the straight pieces.

    It may bend to that side inside a triangle, or at a data point between two of them.
    """
    sense, steps = draw(st.sampled_from([1, -1])), draw(st.lists(st.sampled_from([0, 1, 1, 2]), min_size=2, max_size=3))
    slopes = [Fraction(draw(st.integers(-2, 0)))]
    for step in steps:
        slopes.append(slopes[-1] + step)
    x, y = [Fraction(j) for j in range(len(slopes) + 1)], [Fraction(0)]
    for slope in slopes:
        y.append(y[-1] + sense * slope)
    points = dict(zip(x, y, strict=True))
    spline = PiecewiseLinear.interpolate(rationals(x), rationals(y))
    for j in range(1, len(slopes) - 1):
        for t in (x[j] + share for share in draw(st.sampled_from([(), (HALF,), (HALF,), PLACES[1:3]]))):
            ends = flattest_range(rationals(x), rationals(y), rationals([t]))
            (chord,) = spline(rationals([t]))
            (other,) = ends[0] if sense > 0 else ends[1]
            if other == chord:  # no triangle, since the spline is straight on one side: bend beside it all the same
                other = chord - sense
            points[t] = chord + draw(st.sampled_from([Fraction(0), Fraction(1, 3), HALF, Fraction(1)])) * (
                other - chord
            )
    where = sorted(points)
    f = PiecewiseLinear.interpolate(rationals(where), rationals([points[t] for t in where]))
    return Instance({"f": f, "x": rationals(x)}, "drawn: inside the triangles")


NEAR: SearchStrategy[Instance] = st.one_of(near_the_flattest(), inside_the_triangles())


ANY: SearchStrategy[Instance] = st.one_of(near_the_flattest(), inside_the_triangles(), interpolants())


Shape = Callable[[Instance], Any]


def _at_most(factor: Fraction) -> Shape:
    """Return whether TV(f') is at most a multiple of TV(f_L')."""

    def truth(given: Instance) -> bool:
        own, least = excess(given)
        return bool(own <= factor * least)

    return truth


def _on_the_data_only(given: Instance) -> bool:
    """Whether TV(f') between the outermost data points is that of the spline."""
    f, x = given["f"], given["x"]
    return bool(f.derivative_variation(x[0], x[-1]) == excess(given)[1])


def _of_both(*conditions: Callable[[PiecewiseLinear, Array], bool]) -> Shape:
    return lambda given: all(condition(given["f"], given["x"]) for condition in conditions)


def _bends(sign: Callable[[Any], Any], *, reach: int = 1) -> Shape:
    """Return whether f is linear at the ends and bends around x_j as a function of the change of slope there says."""

    def truth(given: Instance) -> bool:
        f, x = given["f"], given["x"]
        changes = [sign(change) for change in changes_of_slope(x, f(x))]
        inner = range(1, len(x) - 1)
        return linear_at_the_ends(f, x) and all(
            shaped(within(f, x[j - 1], x[j + reach]), changes[j]) for j in inner if changes[j] is not None
        )

    return truth


def _linear_beyond_the_data(f: PiecewiseLinear, x: Array) -> bool:
    return shaped(within(f, None, x[0]), 0) and shaped(within(f, x[-1], None), 0)


def _one_end(f: PiecewiseLinear, x: Array) -> bool:
    return shaped(within(f, None, x[1]), 0)


def _is_the_spline(given: Instance) -> bool:
    f, x = given["f"], given["x"]
    return bool(f.same_function(PiecewiseLinear.interpolate(x, f(x))))


def _in_part_of_the_triangle(factor: Fraction) -> Shape:
    """Return whether f goes from the chord towards the neighbouring lines by at most a share of the way."""

    def truth(given: Instance) -> bool:
        f, x = given["f"], given["x"]
        chord = PiecewiseLinear.interpolate(x, f(x))
        lower, upper = flattest_range(x, f(x), f.knots)
        lowest = chord(f.knots) + factor * (lower - chord(f.knots))
        highest = chord(f.knots) + factor * (upper - chord(f.knots))
        inside = bool(np.all(lowest <= f(f.knots)) and np.all(f(f.knots) <= highest))
        return linear_at_the_ends(f, x) and inside

    return truth


def _linear_where_they_agree(given: Instance) -> bool:
    """Whether f is linear between data points whose changes of slope agree in sign, not where they differ."""
    f, x = given["f"], given["x"]
    signs = np.sign(changes_of_slope(x, f(x)))
    agree = [j for j in range(len(x) - 1) if signs[j] == signs[j + 1]]
    return all(shaped(within(f, *list(pairwise(x))[j]), 0) for j in agree)


TRIALS = (
    Trial(B10, instances=NEAR),
    Trial(
        B10A,
        instances=ANY,
        mutants=(
            left(B10A, "TV(f') at most 1.01 TV(f_L')", Kind.CONSTANT, _at_most(MORE)),
            left(B10A, "TV(f') at most 0.99 TV(f_L')", Kind.CONSTANT, _at_most(LESS)),
            left(B10A, "TV(f') between the data only", Kind.BOUNDARY, _on_the_data_only),
            negated(B10A),
            right(B10A, "convex for concave", Kind.REVERSED, _bends(lambda change: -change)),
            right(B10A, "only the spline", Kind.BOUNDARY, _is_the_spline),
            right(B10A, "free where the slope does not change", Kind.DROPPED, _bends(lambda change: change or None)),
            right(B10A, "convex around x_j up to x_j only", Kind.OFF_BY_ONE, _bends(lambda change: change, reach=0)),
            right(B10A, "free at the ends", Kind.DROPPED, _of_both(bends_like_the_spline)),
            right(B10A, "free at the right end", Kind.DROPPED, _of_both(_one_end, bends_like_the_spline)),
            right(B10A, "x_1 for x_2", Kind.OFF_BY_ONE, _of_both(_linear_beyond_the_data, bends_like_the_spline)),
            right(B10A, "free inside the triangle", Kind.DROPPED, printed),
        ),
    ),
    Trial(
        B10B,
        instances=ANY,
        mutants=(
            turned(B10B),
            negated(B10B),
            left(B10B, "TV(f') at most 1.01 TV(f_L')", Kind.CONSTANT, _at_most(MORE)),
            left(B10B, "TV(f') between the data only", Kind.BOUNDARY, _on_the_data_only),
            right(B10B, "0.99 of the triangle", Kind.CONSTANT, _in_part_of_the_triangle(LESS)),
            right(B10B, "linear where they agree", Kind.REVERSED, _linear_where_they_agree),
            right(B10B, "only the spline", Kind.BOUNDARY, _is_the_spline),
        ),
    ),
)
