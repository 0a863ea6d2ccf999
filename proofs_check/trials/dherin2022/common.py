"""What the trials of several chapters share: dense networks and gradients to draw."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import prod

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.trials.common import few, whole
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.dense_network import Layers

leaks = st.sampled_from([Fraction(0), Fraction(0), Fraction(1), Fraction(1, 2), Fraction(-1)])
"""ReLU most often, linear networks, a leak, and |z|."""


def arrays(draw: st.DrawFn, *shape: int, entry: SearchStrategy[int | Fraction] = whole) -> Array:
    """Draw an array of rationals of a shape."""
    size = prod(shape)
    return rationals(draw(st.lists(entry, min_size=size, max_size=size))).reshape(shape)


def drawn_layers(draw: st.DrawFn, widths: list[int], *, biases: str) -> Layers:
    """Draw layers between widths, with biases in "all", "none" or "some" of them."""
    layers = []
    for n, m in pairwise(widths):
        weights = arrays(draw, m, n, entry=few)
        has = biases == "all" or (biases == "some" and draw(st.booleans()))
        layers.append((weights, arrays(draw, m if has else 0, entry=few)))
    return tuple(layers)


@st.composite
def networks(draw: st.DrawFn, *, widest: int = 3, deepest: int = 3, points: int = 3) -> Instance:
    """Draw a dense network, one to compare it with, a point and data.

    Often every layer attains its bound: one unit a layer, or one layer of rows that are orthogonal. At times the layers are
    one, used again, and at times there are no biases and a point is 0.
    """
    depth, count = draw(st.integers(1, deepest)), draw(st.integers(1, points))
    kind = draw(st.sampled_from(["any", "any", "one unit a layer", "orthogonal", "tied", "tied units"]))
    biases = draw(st.sampled_from(["all", "all", "none", "some"]))
    units = kind in ("one unit a layer", "tied units")
    widths = [1 if units else draw(st.integers(1, widest)) for _ in range(depth + 1)]
    if kind in ("tied", "tied units"):
        widths = [widths[0]] * len(widths)
    layers = drawn_layers(draw, widths, biases=biases)
    if kind in ("tied", "tied units"):
        layers = (layers[0],) * depth
    if kind == "orthogonal":
        layers = orthogonal(draw, biases=biases != "none")
        widths = [layers[0][0].shape[1], len(layers[0][0])]
    inputs = arrays(draw, count, widths[0])
    if biases == "none" and draw(st.booleans()):
        inputs[0] = Fraction(0)
    return Instance(
        {
            "dense_layers": layers,
            "other_layers": drawn_layers(draw, widths, biases=biases),
            "leak": draw(leaks),
            "x": inputs[0],
            "tied": kind in ("tied", "tied units"),
            "inputs": inputs,
            "targets": arrays(draw, count, widths[-1]),
        },
        "drawn",
    )


@st.composite
def turning(draw: st.DrawFn) -> Instance:
    """Draw two points and a network of one unit a layer that turns between them: steep at one, with T_i small there."""
    weights = st.sampled_from([Fraction(1), Fraction(2), Fraction(-1)])
    layers = tuple((arrays(draw, 1, 1, entry=weights), arrays(draw, 1, entry=few)) for _ in range(2))
    point = Fraction(draw(st.integers(1, 3)))
    return Instance(
        {
            "dense_layers": layers,
            "leak": draw(st.sampled_from([Fraction(1, 2), Fraction(1, 4)])),
            "inputs": rationals([[point], [-point]]),
            "targets": arrays(draw, 2, 1),
        },
        "drawn: turning",
    )


def orthogonal(draw: st.DrawFn, *, biases: bool) -> Layers:
    """Draw one layer whose rows are orthogonal and of one length."""
    a, b = draw(whole), draw(st.integers(1, 3))
    rows = draw(st.sampled_from([[[b]], [[a, b]], [[a, b], [b, -a]], [[b, 0, 0]]]))
    return ((rationals(rows), arrays(draw, len(rows) if biases else 0)),)


@st.composite
def gradients(draw: st.DrawFn) -> Instance:
    """Draw gradients of up to four examples, batch and step sizes on both sides of one another."""
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    steps = st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(2), Fraction(3)])
    return Instance(
        {
            "gradients": arrays(draw, n, d),
            "batch_size": draw(st.integers(1, n)),
            "other_batch_size": draw(st.integers(1, n)),
            "step_size": draw(steps),
            "other_step_size": draw(steps),
            "times": draw(st.integers(1, 3)),
        },
        "drawn",
    )


def signs(count: int) -> Array:
    """Return all vectors of signs as rows, [2^count, count]."""
    bits: Array = np.arange(2**count)[:, None] >> np.arange(count) & 1
    return rationals(1 - 2 * bits)


@st.composite
def noisy_labels(draw: st.DrawFn) -> Instance:
    """Draw label noise of up to four labels, with mean 0 and one variance or not, residuals and gradients of the outputs."""
    n, k = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (3, 1), (2, 2)]))
    p = draw(st.integers(1, 2))
    scale = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(0)]))
    noise = scale * signs(n * k)
    wrong = draw(st.sampled_from(["", "", "", "shifted", "stretched", "equal"]))
    if wrong == "shifted":
        noise = noise + 1
    elif wrong == "stretched":
        noise[:, 0] = 2 * noise[:, 0]
    elif wrong == "equal":
        noise = np.repeat(noise[:, :1], n * k, axis=1)
    noise = noise.reshape(-1, n, k)
    residuals = arrays(draw, n, k)
    fitted = draw(st.sampled_from([0, 0, 1, -1]))
    return Instance(
        {
            "noise": noise,
            "residuals": residuals,
            "clean_residuals": residuals + fitted * noise,
            "output_gradients": arrays(draw, n, k, p),
        },
        "drawn",
    )
