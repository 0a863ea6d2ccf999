"""How the claims of `theory.beyond.pair_variation` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import exact_weights, few, small
from proofs_check.trials.operators import Kind, both_ways, bounds, right, without
from theory.beyond import pair_variation
from theory.beyond.pair_variation import B6, B6A, B6B, B6C, B6D
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, length
from theory.two_layer import Weights


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


def _weighted(share: Callable[[Array], Array]) -> Callable[[Instance], Enclosure]:
    """Return the sum of |w2_i| ||w1_i|| times another function of q_i."""
    return lambda given: pair_variation.weighted_sizes(given, share(pair_variation.active_shares(given)))


def _strictly_active(given: Instance) -> Enclosure:
    w1, b1, _ = pair_variation.network(given)
    active = given["inputs"] @ w1.T + b1 > 0
    q = rationals([Fraction(int(column.sum()), len(column)) for column in active.T])
    return pair_variation.weighted_sizes(given, 2 * q * (1 - q))


def _without_w2(given: Instance) -> Enclosure:
    q = pair_variation.active_shares(given)
    return pair_variation.weighted_sizes(given.but(outputs=rationals([1] * len(q))), 2 * q * (1 - q))


def _largest_unit(given: Instance) -> Enclosure:
    """Return half of the largest |w2_i| ||w1_i||."""
    w1, _, w2 = pair_variation.network(given)
    sizes = [length(row * output / 2) for row, output in zip(w1, w2, strict=True)]
    return Enclosure(max(v.lower for v in sizes), max(v.upper for v in sizes))


def _cells(count: Callable[[int, int], int]) -> Callable[[Instance], Fraction]:
    """Return the right side of B6.c with another number of pairs for m points of n to the left."""

    def side(given: Instance) -> Fraction:
        n = len(given["x"])
        return sum((v * count(left, n) for v, left in pair_variation.cells(given)), Fraction(0)) / n**2

    return side


def _knots(count: Callable[[int, int, int], int]) -> Callable[[Instance], Fraction]:
    """Return the right side of B6.d with another number of pairs for b points below a knot, a above and n in all."""

    def side(given: Instance) -> Fraction:
        n = len(given["x"])
        return (
            sum((v * count(below, above, n) for v, below, above in pair_variation.knot_counts(given)), Fraction(0))
            / n**2
        )

    return side


def _distinct(given: Instance) -> Fraction:
    n = len(given["x"])
    return Fraction(n, max(1, n - 1))


def _unit_by_unit(given: Instance) -> Fraction:
    """The sum over units in place of the jumps of f', which they may cancel in."""
    weights, x = given["weights"].rational(), given["x"]
    total = Fraction(0)
    for w1, b1, w2 in zip(weights.w1, weights.b1, weights.w2, strict=True):
        signs = np.sign((w1 * x + b1).astype(np.float64))
        total += abs(w1 * w2) * 2 * int((signs < 0).sum()) * int((signs > 0).sum())
    return total / len(x) ** 2


_MOST = "no two units switch at one point of a segment"


TRIALS = (
    Trial(
        B6,
        instances=networks_on_points(),
        mutants=(
            *both_ways(B6),
            without(B6, _MOST),
            right(B6, "q (1 - q)", Kind.DROPPED, _weighted(lambda q: q * (1 - q))),
            right(B6, "2 q", Kind.DROPPED, _weighted(lambda q: 2 * q)),
            right(B6, "2 min(q, 1 - q)", Kind.MIN_MAX, _weighted(lambda q: 2 * np.minimum(q, 1 - q))),
            right(B6, "the hyperplane left out of the active side", Kind.BOUNDARY, _strictly_active),
            right(B6, "without w2", Kind.DROPPED, _without_w2),
        ),
    ),
    Trial(
        B6A,
        instances=networks_on_points(),
        mutants=(
            *bounds(B6A),
            right(B6A, "q (1 - q)", Kind.DROPPED, _weighted(lambda q: q * (1 - q))),
            right(B6A, "2 q^2", Kind.DROPPED, _weighted(lambda q: 2 * q * q)),
            right(B6A, "without w2", Kind.DROPPED, _without_w2),
        ),
    ),
    Trial(
        B6B,
        instances=networks_on_points(),
        mutants=(
            *bounds(B6B),
            right(B6B, "the largest unit for the sum", Kind.MIN_MAX, _largest_unit),
            right(
                B6B,
                "without w2",
                Kind.DROPPED,
                lambda given: pair_variation.half_weights_product(
                    given.but(outputs=rationals([1] * len(given["outputs"])))
                ),
            ),
        ),
    ),
    Trial(
        B6C,
        instances=st.one_of(functions_on_points(), shared_knots()),
        mutants=(
            *both_ways(B6C),
            right(B6C, "F (1 - F)", Kind.DROPPED, _cells(lambda m, n: m * (n - m))),
            right(B6C, "F one point too high", Kind.OFF_BY_ONE, _cells(lambda m, n: 2 * (m + 1) * (n - m))),
            right(
                B6C,
                "1/(n (n - 1)) for 1/n^2",
                Kind.OFF_BY_ONE,
                lambda given: _distinct(given) * _cells(lambda m, n: 2 * m * (n - m))(given),
            ),
        ),
    ),
    Trial(
        B6D,
        instances=st.one_of(functions_on_points(), shared_knots()),
        mutants=(
            *both_ways(B6D),
            right(B6D, "P(X <= c) for P(X < c)", Kind.BOUNDARY, _knots(lambda b, a, n: 2 * (n - a) * a)),
            right(B6D, "without the 2", Kind.DROPPED, _knots(lambda b, a, n: b * a)),
            right(B6D, "one point more below", Kind.OFF_BY_ONE, _knots(lambda b, a, n: 2 * (b + 1) * a)),
            right(B6D, "unit by unit for jump by jump", Kind.DROPPED, _unit_by_unit),
        ),
    ),
)
