"""How the claims of `theory.dherin2022.initialisation` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import prod

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import whole
from proofs_check.trials.operators import Kind, both_ways, right, scaled
from theory.checks import Array, dot, rationals
from theory.claim import Instance
from theory.dherin2022 import dead_probability, initialisation
from theory.dherin2022.initialisation import D7, D16, D16A, D16B
from theory.random_networks import forward, generic

SHAPES = ((1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 1), (2, 1, 2), (1, 1, 1, 1), (2, 1, 1, 1), (1, 2, 2, 1), (1, 1, 2, 1))
"""Inputs, rows of hidden layers and of the last: few enough networks for all of them to be gone through."""


@st.composite
def networks(draw: st.DrawFn) -> Instance:
    """Draw small matrices, one to three hidden layers, an input (0 at times) and a direction; a wrong size at times."""
    sizes = [draw(st.integers(1, 3)) for _ in range(draw(st.integers(3, 5)))]

    def matrix(rows: int, columns: int) -> Array:
        entries = draw(st.lists(whole, min_size=rows * columns, max_size=rows * columns))
        return rationals(entries).reshape(rows, columns)

    layers = [matrix(n, m) for m, n in pairwise(sizes)]
    longer = draw(st.sampled_from([0, 0, 0, 1]))
    return Instance(
        {
            "layers": layers,
            "x": matrix(1, sizes[0])[0],
            "direction": matrix(1, sizes[-1] + longer)[0],
        },
        "drawn",
    )


def _linear(change: Callable[[Array], Array]) -> Callable[[Instance], Fraction]:
    """Return D7's right side with other diagonals, made of the pre-activations of each hidden layer."""

    def side(given: Instance) -> Fraction:
        h, straight = given["x"], given["x"]
        for layer in given["layers"][:-1]:
            z = layer @ h
            straight = (layer @ straight) * change(z)
            h = z * (z > 0).astype(int)
        return Fraction(dot(given["direction"], given["layers"][-1] @ straight))

    return side


def _at(point: Callable[[Array], Array]) -> Callable[[Instance], Fraction]:
    """Return D7's right side with the Jacobian at another point."""

    def side(given: Instance) -> Fraction:
        _, jacobian = forward(given["layers"], point(given["x"]))
        return Fraction(dot(given["direction"], jacobian @ given["x"]))

    return side


@st.composite
def schemes(draw: st.DrawFn) -> Instance:
    """Draw an initialiser, widths and a depth."""
    sizes = st.integers(1, 5)
    return Instance(
        {
            "scheme": draw(st.sampled_from(["lecun", "glorot", "he"])),
            "inputs": draw(sizes),
            "width": draw(sizes),
            "outputs": draw(sizes),
            "hidden_layers": draw(st.integers(1, 4)),
        },
        "drawn",
    )


@st.composite
def random_layers(draw: st.DrawFn) -> Instance:
    """Draw supports: orthogonal vectors of one length, in a general position or along the axes; unequal ones at times."""
    d, *rows = draw(st.sampled_from(SHAPES))
    supports = []
    for width in (d, *rows[:-1]):
        kind = draw(st.sampled_from(["generic", "generic", "generic", "axes", "unequal"]))
        axes = rationals(np.eye(width, dtype=int))
        support = generic(width) if kind != "axes" else axes
        if kind == "unequal":
            support = support * rationals(range(1, width + 1))[:, None]
        supports.append(support * draw(st.sampled_from([1, 2, Fraction(1, 2)])))
    x = draw(st.lists(st.integers(-3, 3), min_size=d, max_size=d).filter(any))
    if draw(st.sampled_from([False] * 7 + [True])):
        rows = rows[:-1]
    return Instance({"supports": supports, "rows": rows, "x": rationals(x)}, "drawn")


TRIALS = (
    Trial(
        D7,
        instances=networks(),
        mutants=(
            *both_ways(D7),
            right(D7, "P = I", Kind.DROPPED, _linear(lambda z: np.ones(len(z), dtype=int))),
            right(D7, "P of the inactive units", Kind.REVERSED, _linear(lambda z: (z <= 0).astype(int))),
            right(D7, "P from signs", Kind.NEIGHBOUR, _linear(np.sign)),
            right(D7, "the product of matrices at -x", Kind.NEIGHBOUR, _at(lambda x: -x)),
        ),
        spared={
            "without: x and c are of the sizes of the first and the last layer": "without it there is no product",
        },
    ),
    Trial(D16, instances=schemes()),
    Trial(
        D16A,
        instances=schemes(),
        mutants=(
            *both_ways(D16A),
            right(
                D16A,
                "one layer more",
                Kind.OFF_BY_ONE,
                lambda given: (
                    initialisation.expected(given.but(hidden_layers=1))
                    * initialisation.layer_factor(given) ** given["hidden_layers"]
                ),
            ),
            right(
                D16A,
                "n v for n v / 2",
                Kind.DROPPED,
                lambda given: (
                    initialisation.expected(given.but(hidden_layers=1))
                    * (2 * initialisation.layer_factor(given)) ** (given["hidden_layers"] - 1)
                ),
            ),
        ),
    ),
    Trial(
        D16B,
        instances=random_layers(),
        mutants=(
            scaled(D16B, Fraction(101, 100)),
            scaled(D16B, Fraction(99, 100)),
            right(
                D16B,
                "the last layer too",
                Kind.OFF_BY_ONE,
                lambda given: dead_probability(given["rows"]),
            ),
            right(
                D16B,
                "the product of all being dead",
                Kind.SOME,
                lambda given: prod((Fraction(1, 2**n) for n in given["rows"][:-1]), start=Fraction(1)),
            ),
            right(
                D16B,
                "one unit fewer",
                Kind.OFF_BY_ONE,
                lambda given: 1 - prod((1 - Fraction(2, 2**n) for n in given["rows"][:-1]), start=Fraction(1)),
            ),
        ),
        spared={"without: the layers fit each other and the input": "without it there is no network"},
    ),
)
