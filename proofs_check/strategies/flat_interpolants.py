"""Functions through data whose derivative varies least, or hardly more: exact, with coincidences."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import interpolants
from theory.checks import rationals
from theory.claim import Instance
from theory.flat_interpolants import flattest_range
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

INSTANCES: Mapping[str, SearchStrategy[Instance]] = {"B10": NEAR, "B10.a": ANY, "B10.b": ANY}
