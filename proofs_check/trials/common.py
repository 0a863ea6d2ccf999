"""What the trials of several papers share: instances to draw."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from theory.checks import Array, dot, rationals
from theory.claim import Instance
from theory.linear_stability import outer_products
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

whole = st.integers(-3, 3)
"""Integers near 0."""


@cache
def ratios(low: Fraction | int, high: Fraction | int, denominator: int) -> SearchStrategy[Fraction]:
    """Return a strategy for rationals from low to high with denominators up to one, whole ones most often.

    It has a list to choose from: `st.fractions` spends tens of times as long on each, more than claims take to evaluate.
    """
    every = [
        Fraction(p, q) for q in range(1, denominator + 1) for p in range(math.ceil(low * q), math.floor(high * q) + 1)
    ]
    return st.sampled_from(sorted(every, key=lambda v: (v.denominator, abs(v), v < 0)))


small = ratios(-4, 4, 6)
"""Rationals with small denominators, so that coincidences happen."""


@st.composite
def data_points(draw: st.DrawFn, *, fewest: int = 1, most: int = 8) -> Array:
    """Draw distinct data points, float64 [n], sorted: scattered, clustered, symmetric, nearly coincident; any scale."""
    n = draw(st.integers(fewest, most))
    kind = draw(st.sampled_from(["scattered", "lattice", "clustered", "symmetric", "nearly coincident"]))
    unit = st.floats(-1, 1, allow_subnormal=False)
    if kind == "lattice":
        points = [float(v) for v in draw(st.lists(st.integers(-6, 6), min_size=n, max_size=n, unique=True))]
    elif kind == "nearly coincident":
        start, gap = draw(unit), draw(st.sampled_from([1e-9, 1e-6, 1e-3]))
        points = [start + gap * i for i in range(n)]
    else:
        points = draw(st.lists(unit, min_size=n, max_size=n, unique=True))
        if kind == "clustered":
            points = [v / 100 + (3 if i % 2 else -2) for i, v in enumerate(points)]
        if kind == "symmetric":
            points = [v for p in points for v in (p, -p)][: 2 * (n // 2)] or [0.0]
    scale, shift = draw(st.sampled_from([1.0, 1.0, 1e-6, 1e6])), draw(st.sampled_from([0.0, 0.0, 1.0, -50.0]))
    array = np.unique(np.array(points) * scale + shift)
    return array if len(array) >= fewest else np.linspace(-1.0, 1.0, max(fewest, 1)) * scale + shift


@st.composite
def weights_near(draw: st.DrawFn, x: Array, *, most: int = 6) -> Weights:
    """Draw float weights for data x: knots between, beside, on and beyond the data, coincident knots, zeros, any scale."""
    width = draw(st.integers(0, most))
    low, high = float(x[0]), float(x[-1])
    span = high - low if high > low else 1.0
    w1, b1, w2 = np.zeros(width), np.zeros(width), np.zeros(width)
    knots: list[float] = []
    for i in range(width):
        kind = draw(st.sampled_from(["inside", "inside", "inside", "on the data", "outside", "again", "constant"]))
        share = draw(st.floats(0, 1, allow_subnormal=False))
        knot = low + share * span
        if kind == "on the data":
            knot = float(x[draw(st.integers(0, len(x) - 1))])
        if kind == "outside":
            knot = high + (0.1 + share) * span
        if kind == "again" and knots:
            knot = knots[-1]
        knots.append(knot)
        size = draw(st.sampled_from([1e-3, 0.1, 1.0, 1.0, 10.0, 1e3]))
        w1[i] = 0.0 if kind == "constant" else draw(st.sampled_from([-1, 1])) * draw(st.floats(0.1, 1)) * size
        b1[i] = draw(st.floats(-1, 1)) if kind == "constant" else -w1[i] * knot
        w2[i] = draw(st.one_of(st.just(0.0), st.floats(-1, 1, allow_subnormal=False))) / draw(
            st.sampled_from([1.0, size, 1e3])
        )
    return Weights(w1, b1, w2, draw(st.floats(-2, 2)))


@st.composite
def balanced(draw: st.DrawFn) -> Instance:
    """Draw two points and a unit active on each, nearly balanced: M5 is tight at balance, for any knots past the middle."""
    a = draw(st.floats(0.1, 3))
    knot = draw(st.floats(0, 0.9)) * a
    w1 = draw(st.floats(0.1, 3))
    off = draw(st.sampled_from([1.0, 1.0, 0.9, 1.2]))
    w2 = off * w1 * (a - knot) / np.hypot(1, a)
    weights = Weights([w1, -w1], [-w1 * knot, -w1 * knot], [w2, w2], 0.0)
    return Instance({"weights": weights, "x": np.array([-a, a])}, "drawn: balanced")


@st.composite
def networks_on_data(draw: st.DrawFn) -> Instance:
    """Draw data and float weights."""
    x = draw(data_points())
    return Instance({"weights": draw(weights_near(x)), "x": x}, "drawn")


on_data: SearchStrategy[Instance] = st.one_of(networks_on_data(), networks_on_data(), balanced())


@st.composite
def exact_weights(draw: st.DrawFn, *, most: int = 5) -> Weights:
    """Draw small rational weights, zeros and coincident knots included."""
    width = draw(st.integers(0, most))
    w1, b1, w2 = (rationals(draw(st.lists(small, min_size=width, max_size=width))) for _ in range(3))
    return Weights(w1, b1, w2, draw(small))


@st.composite
def interpolants(draw: st.DrawFn, *, fewest: int = 2) -> Instance:
    """Draw exact data points and a function, its knots on, near and between them; the data are its values there."""
    x = sorted(draw(st.sets(st.one_of(small, st.integers(-40, 40).map(Fraction)), min_size=fewest, max_size=5)))
    knots = []
    for _ in range(draw(st.integers(0, 5))):
        base = draw(st.sampled_from(x))
        knots.append(base + draw(st.sampled_from([Fraction(0), Fraction(1, 100), Fraction(-1, 100), Fraction(1, 3)])))
    jumps = [draw(small) for _ in knots]
    f = PiecewiseLinear(rationals(knots), rationals(jumps), draw(small), draw(small), x[0])
    return Instance({"f": f, "x": rationals(x), "order": draw(st.sampled_from([0, 1]))}, "drawn")


@st.composite
def linearised(draw: st.DrawFn, *, dimensions: tuple[int, int] = (1, 3)) -> Instance:
    """Draw per-sample Hessians (of rank one, full rank, or indefinite; exact), a batch size and a step size near 2/a."""
    d, n = draw(st.integers(*dimensions)), draw(st.integers(1, 4))
    entry = st.integers(-3, 3)
    kind = draw(st.sampled_from(["rank one", "regression", "full rank", "indefinite"]))
    if kind == "regression":
        hessians = outer_products(*((1, *(draw(entry) for _ in range(d - 1))) for _ in range(n)))
    elif kind == "rank one":
        hessians = outer_products(*(tuple(draw(entry) for _ in range(d)) for _ in range(n)))
    else:
        roots = [np.array([[draw(entry) for _ in range(d)] for _ in range(d)], dtype=object) for _ in range(n)]
        hessians = np.array([rationals(r @ r.T if kind == "full rank" else r + r.T) for r in roots], dtype=object)
    top = float(np.linalg.eigvalsh(hessians.astype(np.float64).mean(axis=0))[-1])
    share = draw(
        st.one_of(
            st.sampled_from([Fraction(1), Fraction(999, 1000), Fraction(1001, 1000)]),
            st.integers(1, 30).map(lambda i: Fraction(i, 20)),
        )
    )
    step_size = share * 2 / (Fraction(top).limit_denominator(100) if top > 0.1 else 1)
    return Instance({"hessians": hessians, "step_size": step_size, "batch_size": draw(st.integers(1, n))}, "drawn")


few = st.sampled_from([Fraction(v) for v in (-2, -1, 0, 1, 2)])
"""Small integers, so that ties, cancellations and points on hyperplanes are common."""


def reflection(direction: list[int]) -> Array:
    """Return the orthogonal matrix I - 2 u u^T/|u|^2, of rationals."""
    u = rationals(direction)
    turned: Array = rationals(np.eye(len(u), dtype=int)) - 2 * np.outer(u, u) / Fraction(dot(u, u))
    return turned


@st.composite
def relu_networks(
    draw: st.DrawFn, *, most_layers: int = 3, widest: int = 3, most_data: int = 3, most_inputs: int = 2
) -> Instance:
    """Draw a ReLU network of whole weights, data, and a batch of them: data on kinks and repeated, multiples of isometries."""
    depth = draw(st.integers(1, most_layers))
    widths = [
        draw(st.integers(1, most_inputs)),
        *(draw(st.integers(1, widest)) for _ in range(depth - 1)),
        draw(st.integers(1, 2)),
    ]
    if draw(st.integers(0, 3)) == 0:  # one unit a layer, or a turn of the plane times a number in each
        width = draw(st.integers(1, min(most_inputs, 2)))
        widths = [width] * (depth + 1)
        turns = [rationals(draw(st.sampled_from(_TURNS[width]))) for _ in range(depth)]
        layers = tuple(draw(st.sampled_from([1, 1, 2, -3])) * turn for turn in turns)
    else:
        layers = tuple(_matrix(draw, rows, columns) for rows, columns in zip(widths[1:], widths[:-1], strict=True))
    inputs = _matrix(draw, draw(st.integers(1, most_data)), widths[0])
    if draw(st.booleans()):
        inputs = inputs + Fraction(1, 3)  # off most kinks
    biases = tuple(_matrix(draw, 1, width)[0] for width in widths[1:-1])
    marks = draw(st.lists(st.integers(0, 1), min_size=len(inputs), max_size=len(inputs)).filter(any))
    return Instance({"layers": layers, "layer_biases": biases, "inputs": inputs, "in_batch": np.array(marks)}, "drawn")


_TURNS = {1: [[[1]], [[-1]]], 2: [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1], [1, 0]], [[1, 1], [-1, 1]]]}
"""Multiples of isometries of the line and of the plane."""


def _matrix(draw: st.DrawFn, rows: int, columns: int) -> Array:
    entries = draw(st.lists(st.integers(-2, 2), min_size=rows * columns, max_size=rows * columns))
    return rationals(entries).reshape(rows, columns)
