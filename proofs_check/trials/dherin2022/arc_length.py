"""How the claims of `theory.dherin2022.arc_length` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import few, interpolants, small
from proofs_check.trials.operators import Kind, both_ways, bounds, right, without
from theory import graphs
from theory.checks import rationals
from theory.claim import Instance
from theory.dherin2022 import arc_length
from theory.dherin2022.arc_length import D5, D5A, D5B, D5C, D5D, D6, D6A, D14, D14A, D14B, D23, D23A
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear

PYTHAGOREAN = ((4, 3), (3, 4), (4, -3), (3, -4), (12, 5), (1, 0))
"""Widths and changes of pieces whose lengths are integers."""


@st.composite
def values_at_an_error(draw: st.DrawFn) -> Instance:
    """Draw pieces of integer length, and targets such that their values are the shortest, of least energy, or neither."""
    pieces = draw(st.lists(st.sampled_from(PYTHAGOREAN), min_size=1, max_size=3))
    x, z = np.cumsum([0, *(g for g, _ in pieces)]), np.cumsum([0, *(d for _, d in pieces)])
    given = Instance({"x": rationals(x), "z": rationals(z)}, "drawn")
    kind = draw(st.sampled_from(["shortest", "least energy", "interpolation", "any"]))
    off = rationals([draw(few) for _ in x])
    if kind in ("shortest", "least energy"):
        pulls = arc_length.sines(given) if kind == "shortest" else arc_length.slopes(given)
        q = [Fraction(pull.lower) for pull in pulls]
        off = rationals(np.diff([-Fraction(0), *(-v for v in q), Fraction(0)])) * draw(st.sampled_from([1, 5, -1]))
    if kind == "interpolation":
        off = off * 0
    return given.but(y=given["z"] + off)


@st.composite
def through_two_points(draw: st.DrawFn) -> Instance:
    """Draw a function on an interval, with a point inside counted as data at times."""
    given = draw(interpolants())
    return given.but(x=given["x"][[0, -1]]) if draw(st.sampled_from([True, True, False])) else given


@st.composite
def flat_at_the_data(draw: st.DrawFn) -> Instance:
    """Draw data and a function through them that is flat at each and climbs between, in the middle third of each gap."""
    x = sorted(draw(st.sets(small, min_size=2, max_size=4)))
    y = [draw(few) for _ in x]
    knots, jumps = [], []
    for (a, b), rise in zip(pairwise(x), np.diff(rationals(y)), strict=True):
        third = (b - a) / 3
        knots += [a + third, b - third]
        jumps += [rise / third, -rise / third]
    f = PiecewiseLinear(rationals(knots), rationals(jumps), Fraction(0), Fraction(y[0]), x[0])
    return Instance({"f": f, "x": rationals(x)}, "drawn")


@st.composite
def gentle_and_steep(draw: st.DrawFn) -> Instance:
    """Draw data and a function through them: pieces of integer length, short or long; a line with a slight bend; any one."""
    kind = draw(st.sampled_from(["any", "bent", "integer", "integer"]))
    if kind == "any":
        return draw(interpolants())
    if kind == "bent":
        slope, bend, at = draw(few), Fraction(draw(st.integers(1, 3)), 300), draw(st.integers(1, 3))
        f = PiecewiseLinear(rationals([at]), rationals([bend]), slope, Fraction(0))
        return Instance({"f": f, "x": rationals([0, 4])}, "drawn")
    pieces = draw(st.lists(st.sampled_from(PYTHAGOREAN), min_size=1, max_size=4))
    scale = draw(st.sampled_from([1, 1, 30]))  # of two powers of a length one is the larger, on either side of 1
    x, z = ((scale * np.cumsum([0, *part])).tolist() for part in zip(*pieces, strict=True))
    f = PiecewiseLinear.interpolate([Fraction(v) for v in x], [Fraction(v) for v in z])
    kept = sorted({0, len(x) - 1, draw(st.integers(0, len(x) - 1))})
    return Instance({"f": f, "x": rationals([x[i] for i in kept])}, "drawn")


@st.composite
def ring_levels(draw: st.DrawFn) -> Instance:
    """Draw rings and levels, at times linear in the logarithm of the distance."""
    widths = draw(st.lists(small.map(abs).filter(bool), min_size=1, max_size=4))
    levels = [draw(few) for _ in range(len(widths) + 1)]
    if draw(st.booleans()):
        levels = list(np.cumsum([levels[0], *(draw(st.just(Fraction(2))) * g for g in widths)]))
    return Instance({"rings": rationals(widths), "levels": rationals(levels)}, "drawn")


@st.composite
def densities(draw: st.DrawFn) -> Instance:
    """Draw data and densities whose steps are the gaps, or cut them; heights of 0 and steps short of the data at times."""
    x = sorted(Fraction(v) for v in draw(st.sets(st.integers(-4, 4), min_size=2, max_size=4)))
    edges = set(x)
    if draw(st.booleans()):
        edges |= {Fraction(v, 2) for v in draw(st.sets(st.integers(-8, 8), max_size=3))}
    if draw(st.sampled_from([False] * 5 + [True])):
        edges -= {x[0]}
    cuts = sorted(edges) if len(edges) > 1 else [x[0], x[-1] + 1]
    height = st.sampled_from([Fraction(v) for v in (1, 2, 3)] + [Fraction(1, 2), Fraction(1)])
    heights = [draw(height) for _ in cuts[1:]]
    if draw(st.sampled_from([False] * 7 + [True])):
        heights[0] = Fraction(0)
    return Instance(
        {
            "x": rationals(x),
            "y": rationals([draw(few) for _ in x]),
            "edges": rationals(cuts),
            "heights": rationals(heights),
        },
        "drawn",
    )


def _gaps(part: Callable[[list[graphs.Gap]], Fraction]) -> Callable[[Instance], Fraction]:
    return lambda given: part(arc_length.found(given))


def _chords(excess: Callable[[list[graphs.Gap]], Fraction]) -> Callable[[Instance], Enclosure]:
    """Return the length of the chords and another excess."""

    def side(given: Instance) -> Enclosure:
        parts = arc_length.found(given)
        return graphs.chord_length(parts) + Enclosure.exactly(excess(parts))

    return side


def _squared_secant(parts: list[graphs.Gap]) -> Fraction:
    return graphs.excess_energy(parts) / (1 + graphs.steepest(parts) ** 2)


def _without_slopes(parts: list[graphs.Gap]) -> Fraction:
    return graphs.energy(parts) / (1 + graphs.steepest(parts) ** 2) ** 2


def _one_chord(parts: list[graphs.Gap]) -> Fraction:
    change, width = (sum((getattr(gap, name) for gap in parts), Fraction(0)) for name in ("change", "width"))
    return change**2 / (2 * width) + graphs.excess_energy(parts)


def _over_the_span(given: Instance) -> Fraction:
    return arc_length.span(given) + graphs.excess_energy(arc_length.found(given))


_ONE_LINE = "the data are the two ends of the interval"

TRIALS = (
    Trial(D5, instances=values_at_an_error()),
    Trial(
        D5A,
        instances=interpolants(),
        mutants=(
            *both_ways(D5A),
            right(D5A, "without the difference", Kind.DROPPED, _gaps(graphs.chord_energy)),
            right(
                D5A,
                "one chord over all data",
                Kind.NEIGHBOUR,
                _gaps(_one_chord),
            ),
        ),
    ),
    Trial(
        D5B,
        instances=gentle_and_steep(),
        oracle=oracles.d5b,
        mutants=(
            *bounds(D5B),
            right(D5B, "1 + S^2 for its power 3/2", Kind.MOVED, _chords(_squared_secant)),
            right(D5B, "without (1 + S^2)^(3/2)", Kind.DROPPED, _chords(graphs.excess_energy)),
            right(D5B, "E(f) for E(f - f_L)", Kind.NEIGHBOUR, _chords(_without_slopes)),
        ),
    ),
    Trial(
        D5C,
        instances=gentle_and_steep(),
        oracle=oracles.d5c,
        mutants=(
            *bounds(D5C),
            right(D5C, "1/9 for 1/8", Kind.MOVED, lambda given: arc_length.fourth_powers(given) * Fraction(8, 9)),
            right(D5C, "0", Kind.DROPPED, lambda given: Fraction(0)),
        ),
    ),
    Trial(
        D5D,
        instances=gentle_and_steep(),
        oracle=oracles.d5d,
        mutants=(
            *bounds(D5D),
            right(
                D5D,
                "without |Omega|",
                Kind.DROPPED,
                _gaps(graphs.energy),
            ),
            right(
                D5D,
                "half of E",
                Kind.CONSTANT,
                lambda given: arc_length.span(given) + graphs.energy(arc_length.found(given)) / 2,
            ),
        ),
    ),
    Trial(
        D6,
        instances=st.one_of(interpolants(), flat_at_the_data()),
        spared={"without: f is differentiable at the data": "false with it already; without it GC has no meaning"},
    ),
    Trial(
        D6A,
        instances=gentle_and_steep(),
        oracle=oracles.d6a,
        mutants=(
            *bounds(D6A),
            right(
                D6A,
                "half of it",
                Kind.CONSTANT,
                _chords(lambda parts: graphs.excess_energy(parts) / 2),
            ),
            right(D6A, "the chords alone", Kind.DROPPED, _chords(lambda parts: Fraction(0))),
            right(D6A, "|Omega| for the chords", Kind.NEIGHBOUR, _over_the_span),
        ),
    ),
    Trial(D14, instances=interpolants()),
    Trial(
        D14A,
        instances=through_two_points(),
        mutants=(
            *both_ways(D14A),
            right(D14A, "without the difference", Kind.DROPPED, _gaps(graphs.chord_energy)),
            right(D14A, "without the line", Kind.DROPPED, _gaps(graphs.excess_energy)),
        ),
        spared={
            f"without: {_ONE_LINE}": "true for any data, D5.a; the assumption is what a boundary condition alone means"
        },
    ),
    Trial(
        D14B,
        instances=ring_levels(),
        mutants=(
            *bounds(D14B),
            right(
                D14B,
                "the sum of squares",
                Kind.NEIGHBOUR,
                lambda given: Fraction((np.diff(given["levels"]) ** 2).sum() / min(given["rings"])),
            ),
            right(
                D14B,
                "the last ring alone",
                Kind.RANGE,
                lambda given: Fraction((given["levels"][-1] - given["levels"][0]) ** 2 / given["rings"][-1]),
            ),
        ),
    ),
    Trial(D23, instances=densities()),
    Trial(
        D23A,
        instances=densities(),
        mutants=(
            *both_ways(D23A),
            without(D23A, "p is constant between neighbouring data points"),
            right(
                D23A,
                "p = 1",
                Kind.DROPPED,
                lambda given: arc_length.least_complexity(given.but(heights=given["heights"] * 0 + 1)),
            ),
            right(
                D23A,
                "1/p for p",
                Kind.REVERSED,
                lambda given: arc_length.least_complexity(given.but(heights=1 / given["heights"])),
            ),
        ),
    ),
)
