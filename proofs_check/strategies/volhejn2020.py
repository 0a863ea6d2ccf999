"""Instances for the claims of Volhejn 2020."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import interpolants, on_interval, small
from theory.checks import rationals
from theory.claim import Instance
from theory.claims import volhejn2020, volhejn2020_spline
from theory.two_layer import Weights


@st.composite
def tents(draw: st.DrawFn) -> Instance:
    """Draw |x - c| on an interval about c, and the two ends to sample it at: eq 3.6 misses as much as it can at the middle."""
    c, half, slope = draw(small), draw(small.filter(lambda v: v > 0)), draw(small.filter(bool))
    weights = Weights([slope, -slope], [-slope * c, slope * c], [Fraction(1), Fraction(1)], draw(small))
    off = draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 7)])) * half
    return Instance({"weights": weights, "interval": (c + off - half, c + off + half), "points": 2}, "drawn: tent")


@st.composite
def distinct_knots(draw: st.DrawFn) -> Instance:
    """Draw an exact network with distinct knots and an interval that has them inside, or the outer ones at its ends."""
    knots = sorted(draw(st.sets(small, min_size=1, max_size=5)))
    w1 = [draw(small.filter(bool)) for _ in knots]
    w2 = [draw(small) for _ in knots]
    weights = Weights(
        rationals(w1), rationals([-w * c for w, c in zip(w1, knots, strict=True)]), rationals(w2), Fraction(0)
    )
    margin = draw(st.sampled_from([0, 1]))
    return Instance({"weights": weights, "interval": (knots[0] - margin, knots[-1] + max(margin, 1))}, "drawn")


@st.composite
def curves(draw: st.DrawFn, *, dimensions: tuple[int, int] = (1, 3)) -> Instance:
    """Draw a polygonal curve with rational vertices."""
    d = draw(st.integers(*dimensions))
    vertices = draw(st.lists(st.lists(small, min_size=d, max_size=d), min_size=2, max_size=6))
    return Instance({"curve": rationals(vertices)}, "drawn")


@st.composite
def hyperplanes(draw: st.DrawFn) -> Instance:
    """Draw units in one or two dimensions and a point on the hyperplane of the first, others passing through at times."""
    d, width = draw(st.integers(1, 2)), draw(st.integers(1, 4))
    vector = st.lists(small, min_size=d, max_size=d)
    hidden = [draw(vector.filter(any)), *(draw(vector) for _ in range(width - 1))]
    point = draw(vector)
    biases = [-sum((w * p for w, p in zip(row, point, strict=True)), Fraction(0)) for row in hidden]
    biases[1:] = [bias + draw(st.sampled_from([0, 1, 1])) for bias in biases[1:]]
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


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "V1": curves(),
    "V1.a": curves(dimensions=(1, 1)),
    "V2": st.sampled_from(volhejn2020.TEXTBOOK_CURVES),
    "V3": on_interval(),
    "V4": on_interval(),
    "V4.a": st.one_of(on_interval(), tents()),
    "V5": on_interval(),
    "V5.a": on_interval(),
    "V6": hyperplanes(),
    "V6.a": hyperplanes(),
    "V7": interpolants(),
    "V8": st.sampled_from(volhejn2020_spline.PRINTED_EXAMPLES),
    "V8.a": st.sampled_from(volhejn2020_spline.CONVERSE_EXAMPLES),
    "V9": distinct_knots(),
    "V9.a": distinct_knots(),
    "V9.b": on_interval(inside=True),
}
