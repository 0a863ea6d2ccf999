"""How the claims of `theory.volhejn2020.interpolants` are put to the test."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, interpolants, small
from proofs_check.trials.operators import Kind, bounds, left, negated, right, without
from proofs_check.trials.volhejn2020.common import distinct_pairs
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.volhejn2020 import interpolants as chapter
from theory.volhejn2020.interpolants import V21, V21A, V21B, V25, V25A, V25B


def _through(places: list[Fraction], values: list[Fraction], x: Array) -> Instance:
    f = PiecewiseLinear.interpolate(rationals(places), rationals(values))
    return Instance({"f": f, "x": x}, "drawn")


@st.composite
def bent_between(draw: st.DrawFn) -> Instance:
    """Draw data, and a function that bends once between neighbours at times, up, down or on the straight line."""
    x = sorted(draw(st.sets(small, min_size=2, max_size=4)))
    y = [draw(small) for _ in x]
    places, values = [x[0]], [y[0]]
    for j in range(len(x) - 1):
        share, off = (
            draw(st.sampled_from([0, 0, 1])),
            draw(st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1)])),
        )
        if share:
            at = draw(st.sampled_from([Fraction(1, 3), Fraction(1, 2)]))
            places.append(x[j] + at * (x[j + 1] - x[j]))
            values.append(y[j] + off * (y[j + 1] - y[j]))
        places.append(x[j + 1])
        values.append(y[j + 1])
    return _through(places, values, rationals(x))


@st.composite
def turning_once(draw: st.DrawFn) -> Instance:
    """Draw f on three intervals of length 2, which turns half-way in the middle one as much as it may, or too much.

    The slopes of the spline are three; in the middle f has one slope and then another, with the spline's as their mean.
    """
    slopes = draw(st.lists(st.integers(-2, 2).map(Fraction), min_size=3, max_size=3))
    off = draw(
        st.sampled_from([slopes[1] - slopes[0], slopes[2] - slopes[1], Fraction(1, 2), Fraction(-1), Fraction(3)])
    )
    pieces = [slopes[0], slopes[0], slopes[1] - off, slopes[1] + off, slopes[2], slopes[2]]
    if draw(st.sampled_from([False, False, False, True])):
        pieces[0] -= 1
        pieces[1] += 1
    values = np.concatenate([rationals([0]), np.cumsum(rationals(pieces))])
    return _through([Fraction(v) for v in range(7)], values.tolist(), rationals([0, 2, 4, 6]))


@st.composite
def dependent(draw: st.DrawFn) -> Instance:
    """Draw units, and data with an affine dependence: three on a line, or a parallelogram; broken at times."""
    d, width = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    vector = st.lists(few, min_size=d, max_size=d).map(rationals)
    start, first, second = draw(vector), draw(vector), draw(vector)
    if draw(st.booleans()):
        share = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2)]))
        points, dependence = [start, start + first, start + (1 + share) * first], [share, -1 - share, Fraction(1)]
    else:
        points = [start, start + first, start + second, start + first + second]
        dependence = [Fraction(v) for v in (1, -1, -1, 1)]
    if draw(st.sampled_from([False, False, False, True])):
        dependence[0] += 1
    return Instance(
        {
            "hidden": rationals([draw(vector) for _ in range(width)]),
            "biases": rationals([draw(few) / 2 for _ in range(width)]),
            "outputs": rationals([draw(few) for _ in range(width)]),
            "inputs": rationals(points),
            "dependence": rationals(dependence),
        },
        "drawn",
    )


_ANY = st.one_of(interpolants(), bent_between(), turning_once())


def _hull_only(given: Instance) -> bool:
    """Whether f' stays between the slopes of the spline in an interval and beside it, and that is all."""
    spline = chapter.spline_slopes(given)
    return all(
        min(spline[max(0, j - 1) : j + 2]) <= slope <= max(spline[max(0, j - 1) : j + 2])
        for j, (slopes, _) in enumerate(chapter.slopes_between(given))
        for slope in slopes
    )


def _monotone_pieces(given: Instance) -> bool:
    return all(chapter.in_order(slopes) for slopes, _ in chapter.slopes_between(given))


def _monotone_throughout(given: Instance) -> bool:
    return chapter.in_order(np.concatenate([slopes for slopes, _ in chapter.slopes_between(given)]))


def _monotone_function(given: Instance) -> bool:
    steps = np.concatenate([slopes for slopes, _ in chapter.slopes_between(given)])
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _monotone_first(given: Instance) -> bool:
    slopes, _ = chapter.slopes_between(given)[0]
    return bool(np.all(slopes >= 0) or np.all(slopes <= 0))


def _one_point_further(given: Instance) -> Fraction:
    n = len(given["x"])
    changes = np.abs(np.diff(chapter.spline_slopes(given))).tolist()
    return sum((change * 2 * j * (n - j) for j, change in enumerate(changes, 1)), Fraction(0)) / n**2


def _times(given: Instance, factor: int) -> Enclosure:
    return V21B.sides(given)[1].times(Fraction(factor))


def _spline_is(given: Instance) -> bool:
    return all(len(slopes) == 1 for slopes, _ in chapter.slopes_between(given))


TRIALS = (
    Trial(V21, instances=_ANY),
    Trial(
        V21A,
        instances=st.one_of(_ANY, turning_once()),
        mutants=(
            *bounds(V21A),
            right(V21A, "n - j for n - j - 1", Kind.OFF_BY_ONE, _one_point_further),
            right(
                V21A,
                "1/(n (n - 1)) for 1/n^2",
                Kind.OFF_BY_ONE,
                lambda given: distinct_pairs(given, "x") * chapter.least_path_length(given),
            ),
        ),
    ),
    Trial(
        V21B,
        instances=dependent(),
        mutants=(
            *bounds(V21B),
            without(V21B, "sum c_j = 0 and sum c_j x_j = 0"),
            right(V21B, "1/n for 1/n^2", Kind.DROPPED, lambda given: _times(given, len(given["inputs"]))),
        ),
    ),
    Trial(
        V25,
        instances=_ANY,
        mutants=(
            negated(V25),
            left(V25, "monotone on the first interval only", Kind.OFF_BY_ONE, _monotone_first),
        ),
    ),
    Trial(
        V25A,
        instances=_ANY,
        mutants=(
            negated(V25A),
            right(V25A, "monotone throughout", Kind.DROPPED, _monotone_function),
            right(V25A, "the spline alone", Kind.BOUNDARY, _spline_is),
        ),
    ),
    Trial(
        V25B,
        instances=_ANY,
        mutants=(
            negated(V25B),
            right(V25B, "f' does not overshoot, nothing else", Kind.DROPPED, _hull_only),
            right(V25B, "f' monotone in each interval, nothing else", Kind.DROPPED, _monotone_pieces),
            right(V25B, "f' monotone throughout", Kind.MIN_MAX, _monotone_throughout),
            right(V25B, "the spline alone", Kind.BOUNDARY, _spline_is),
        ),
    ),
)
