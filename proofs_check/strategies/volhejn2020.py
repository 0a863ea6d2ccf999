"""Instances for the claims of Volhejn 2020, and for the closed forms of its path lengths."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import exact_weights, interpolants, on_interval, small
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.claims import volhejn2020, volhejn2020_spline, volhejn2020_training
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

few = st.sampled_from([Fraction(v) for v in (-2, -1, 0, 1, 2)])
"""Small integers, so that ties, cancellations and points on hyperplanes are common."""


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
    knots = sorted(draw(st.sets(small, min_size=draw(st.sampled_from([1, 2, 3])), max_size=5)))
    w1 = [draw(small.filter(bool)) for _ in knots]
    w2 = [draw(st.one_of(small, few.filter(bool))) for _ in knots]
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


@st.composite
def convex_interpolants(draw: st.DrawFn) -> Instance:
    """Draw a function whose knots are the inner data points: the spline itself, to which all others are compared."""
    x = sorted(draw(st.sets(small, min_size=3, max_size=5)))
    jumps = [draw(small.filter(bool)) for _ in x[1:-1]]
    f = PiecewiseLinear(rationals(x[1:-1]), rationals(jumps), draw(small), draw(small), x[0])
    return Instance({"f": f, "x": rationals(x), "order": draw(st.sampled_from([0, 1]))}, "drawn")


@st.composite
def layers(draw: st.DrawFn) -> Instance:
    """Draw the sizes of a layer and a scale, 1 and 2 more often than others."""
    scale = draw(st.one_of(st.sampled_from([Fraction(1), Fraction(1), Fraction(2)]), small.filter(lambda v: v > 0)))
    return Instance({"fan_in": draw(st.integers(1, 9)), "fan_out": draw(st.integers(1, 9)), "scale": scale}, "drawn")


@st.composite
def families(draw: st.DrawFn) -> Instance:
    """Draw candidates by their values at a few points: right up to a place, or wrong at one place; and a threshold.

    The first meets all targets as a rule. One training set is a part of the other as a rule.
    """
    n, candidates = draw(st.integers(2, 4)), 3
    y = [draw(few) for _ in range(n)]
    values = [list(y)]
    for _ in range(candidates - 1):
        place, error = (
            draw(st.sampled_from([0, 0, *range(1, n)])),
            draw(st.sampled_from([Fraction(1, 2), Fraction(-1)])),
        )
        onwards = draw(st.booleans())
        values.append([v + (error if at == place or (onwards and at > place) else 0) for at, v in enumerate(y)])
    if draw(st.sampled_from([False, False, False, False, True])):
        values[0][-1] += 1
    i, j = sorted(draw(st.integers(1, n)) for _ in range(2))
    measure = [draw(st.sampled_from([2, 1, 0])), *(draw(st.integers(0, 2)) for _ in range(candidates - 1))]
    return Instance(
        {
            "values": rationals(values),
            "y": rationals(y),
            "measure": rationals(measure),
            "sizes": draw(st.sampled_from([(i, j), (i, i), (j, i)])),
            "threshold": draw(st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1)])),
        },
        "drawn",
    )


@st.composite
def overtaken(draw: st.DrawFn) -> Instance:
    """Draw two candidates, one that meets all targets and one that misses the first or those after a place, and two sizes."""
    n, first = draw(st.integers(2, 3)), draw(st.booleans())
    place, y = draw(st.integers(1, n - 1)), [draw(few) for _ in range(n)]
    missing = [v + int(at == 0 if first else at >= place) for at, v in enumerate(y)]
    return Instance(
        {
            "values": rationals([y, missing]),
            "y": rationals(y),
            "measure": rationals([2, draw(st.sampled_from([1, 0, 3]))]),
            "sizes": draw(st.sampled_from([(place, n), (place, place), (n, place)])),
            "threshold": Fraction(3, 4),
        },
        "drawn",
    )


@st.composite
def growing_data(draw: st.DrawFn) -> Instance:
    """Draw data in the order in which they are added, on a line or not, and two sizes."""
    x = draw(st.lists(small, min_size=1, max_size=6, unique=True))
    slope = draw(few)
    y = [slope * v for v in x] if draw(st.booleans()) else [draw(few) for _ in x]
    i, j = (draw(st.integers(1, len(x))) for _ in range(2))
    sizes = (i, j) if draw(st.sampled_from([False, False, False, True])) else (min(i, j), max(i, j))
    return Instance({"x": rationals(x), "y": rationals(y), "sizes": sizes}, "drawn")


@st.composite
def rankings(draw: st.DrawFn) -> Instance:
    """Draw two sequences with ties, often of a kind: one increasing with the other, or the same pairs tied in both."""
    n = draw(st.integers(2, 6))
    groups = [draw(st.integers(0, 3)) for _ in range(n)]
    kind = draw(st.sampled_from(["any", "distinct", "increasing", "increasing", "alike", "opposite"]))
    if kind == "any":
        measured = [draw(st.integers(0, 3)) for _ in range(n)]
    elif kind == "distinct":
        measured = draw(st.permutations(range(n)))
    elif kind == "increasing":
        measured = np.argsort(np.argsort(groups, kind="stable")).tolist()
    else:
        measured = [g if kind == "alike" else -g for g in groups]
    if draw(st.sampled_from([False] * 9 + [True])):
        groups = groups[:-1] if n > 2 else [*groups, 0]
    return Instance({"measured": rationals(measured), "groups": rationals(groups)}, "drawn")


@st.composite
def batches(draw: st.DrawFn) -> Instance:
    """Draw the variations between a few points, the norms of the gradient at them, and a batch size."""
    n = draw(st.integers(2, 4))
    entry = st.integers(0, 3).map(Fraction)
    table = np.full((n, n), Fraction(0), dtype=object)
    for i in range(n):
        for j in range(i):
            table[i, j] = table[j, i] = draw(entry)
    norms = rationals([draw(entry) for _ in range(n)])
    return Instance({"variations": table, "norms": norms, "batch_size": draw(st.integers(1, 5))}, "drawn")


@st.composite
def fitted(draw: st.DrawFn) -> Instance:
    """Draw data on a line and a network through them, exactly or up to residuals, bent between them at times."""
    x = rationals(sorted(draw(st.sets(few.map(lambda v: 2 * v), min_size=1, max_size=4))))
    y = [draw(few) for _ in x]
    if draw(st.booleans()):
        y = sorted(y, reverse=draw(st.booleans()))
    residuals = [draw(few) / 4 for _ in x] if draw(st.sampled_from([False, False, True])) else [Fraction(0)] * len(x)
    outputs = rationals([target + r for target, r in zip(y, residuals, strict=True)])
    if len(x) == 1:
        return Instance({"weights": Weights([], [], [], outputs[0]), "x": x, "y": rationals(y)}, "drawn")
    f = PiecewiseLinear.interpolate(x, outputs)
    # A tent between two neighbouring points, which vanishes at both: interpolation is kept.
    gap, height = draw(st.integers(0, len(x) - 2)), draw(st.sampled_from([0, 0, 1, -3]))
    middle, wide = (x[gap] + x[gap + 1]) / 2, x[gap + 1] - x[gap]
    slope = 2 * height / wide
    bent = PiecewiseLinear(
        rationals([*f.knots, x[gap], middle, x[gap + 1]]),
        rationals([*f.jumps, slope, -2 * slope, slope]),
        f.slope,
        f.value,
        f.anchor,
    )
    order = draw(st.permutations(range(len(x))))
    return Instance(
        {"weights": bent.to_weights(), "x": x[list(order)], "y": rationals([y[place] for place in order])}, "drawn"
    )


@st.composite
def shortened(draw: st.DrawFn) -> Instance:
    """Draw two points and a line that falls short of both labels by the same, or nearly: what a loss costs at most."""
    x, y = [draw(few), Fraction(3)], [draw(few), draw(few)]
    share, off = draw(st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 3)])), draw(st.sampled_from([0, 0, 1]))
    rise = y[1] - y[0]
    f = PiecewiseLinear.interpolate(rationals(x), rationals([y[0] + share * rise, y[1] - share * rise + off]))
    return Instance({"weights": f.to_weights(), "x": rationals(x), "y": rationals(y)}, "drawn")


@st.composite
def labelled(draw: st.DrawFn) -> Instance:
    """Draw data on a line with labels -1 and 1, half of each as a rule, the classes apart or mixed."""
    half = draw(st.integers(1, 3))
    labels = list(draw(st.permutations([-1] * half + [1] * half)))
    if draw(st.booleans()):
        labels = sorted(labels)
    if draw(st.sampled_from([False, False, False, True])):
        labels = [*labels, 1]
    x = draw(st.lists(small, min_size=len(labels), max_size=len(labels), unique=True).map(sorted))
    return Instance({"x": rationals(x), "y": rationals(labels)}, "drawn")


@st.composite
def networks_on_points(draw: st.DrawFn) -> Instance:
    """Draw units and points in one or two dimensions: hyperplanes shared, through points, and halving the data at times."""
    d, width, n = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 4))
    vector = st.lists(few, min_size=d, max_size=d)
    # Rows of rational length: where both sides are known exactly, equality is decided.
    exact = st.sampled_from([(3, 4), (-4, 3), (0, 2), (1, 0)]).map(lambda pair: [Fraction(v) for v in pair])
    row = vector if d == 1 else st.one_of(vector, exact)
    hidden = [draw(row) for _ in range(width)]
    biases = [draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(-1, 3), Fraction(1)])) for _ in range(width)]
    if width > 1 and draw(st.booleans()):
        factor = draw(st.sampled_from([1, 1, -1, 2]))
        hidden[-1], biases[-1] = [factor * w for w in hidden[0]], factor * biases[0]
    return Instance(
        {
            "hidden": rationals(hidden),
            "biases": rationals(biases),
            "outputs": rationals([draw(few) for _ in range(width)]),
            "inputs": rationals([draw(vector) for _ in range(n)]),
        },
        "drawn",
    )


@st.composite
def functions_on_points(draw: st.DrawFn) -> Instance:
    """Draw an exact network of one input and data, some of them equal, some at its knots."""
    weights = draw(exact_weights(most=4))
    knots = [Fraction(-b / w) for w, b in zip(weights.w1, weights.b1, strict=True) if w != 0]
    place = st.one_of(small, st.sampled_from(knots)) if knots else small
    x: Array = rationals(draw(st.lists(st.one_of(place, few), min_size=1, max_size=5)))
    return Instance({"weights": weights, "x": x}, "drawn")


@st.composite
def shared_knots(draw: st.DrawFn) -> Instance:
    """Draw two units with one knot, whose jumps add up or cancel, and data around it, one point on it at times."""
    c, w1 = draw(few), draw(few.filter(bool))
    factor, outputs = draw(st.sampled_from([1, -1, 2])), [draw(few.filter(bool)) for _ in range(2)]
    weights = Weights([w1, factor * w1], [-w1 * c, -factor * w1 * c], outputs, draw(few))
    beyond = draw(st.lists(st.integers(-2, 2).map(lambda v: c + v), max_size=3))
    return Instance({"weights": weights, "x": rationals([c - 1, *beyond, c + 1])}, "drawn")


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "V1": curves(),
    "V1.a": curves(dimensions=(1, 2)),
    "V2": st.sampled_from(volhejn2020.TEXTBOOK_CURVES),
    "V3": on_interval(),
    "V4": on_interval(),
    "V4.a": st.one_of(on_interval(), tents(), plateaus(), bowls()),
    "V4.b": st.one_of(on_interval(), lines(), plateaus()),
    "V5": st.one_of(on_interval(), lines(), plateaus()),
    "V5.a": st.one_of(plateaus(), lines(), on_interval()),
    "V6": hyperplanes(),
    "V6.a": hyperplanes(),
    "V7": st.one_of(interpolants(), interpolants(), convex_interpolants()),
    "V8": st.sampled_from(volhejn2020_spline.PRINTED_EXAMPLES),
    "V8.a": st.sampled_from(volhejn2020_spline.CONVERSE_EXAMPLES),
    "V9": st.one_of(distinct_knots(), knots_in_the_middle()),
    "V9.a": st.one_of(distinct_knots(), knots_in_the_middle(), knots_in_the_middle(), on_interval()),
    "V9.b": st.one_of(on_interval(inside=True), knots_in_the_middle()),
    "V9.c": st.one_of(distinct_knots(), on_interval(), knots_in_the_middle()),
    "V9.d": st.one_of(distinct_knots(), on_interval(), knots_in_the_middle()),
    "V10": layers(),
    "V10.a": layers(),
    "V10.b": layers(),
    "V11": st.one_of(families(), overtaken()),
    "V11.a": st.one_of(families(), overtaken()),
    "V11.b": st.one_of(families(), overtaken()),
    "V11.c": growing_data(),
    "V11.d": growing_data(),
    "V12": rankings(),
    "V12.a": rankings(),
    "V12.b": rankings(),
    "V12.c": rankings(),
    "V12.d": rankings(),
    "V12.e": st.just(volhejn2020_training.DESIGN),
    "V13": batches(),
    "V13.a": batches(),
    "V13.b": batches(),
    "V13.c": batches(),
    "V14": fitted(),
    "V14.a": labelled(),
    "V14.b": labelled(),
    "V14.c": fitted(),
    "V14.d": st.one_of(fitted(), shortened()),
    "B6": networks_on_points(),
    "B6.a": networks_on_points(),
    "B6.b": networks_on_points(),
    "B6.c": st.one_of(functions_on_points(), shared_knots()),
    "B6.d": st.one_of(functions_on_points(), shared_knots()),
}
