"""How the claims of `theory.beyond.capacity` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.operators import Kind, both_ways, bounds, left, right
from theory.beyond.capacity import B22, B22A, B22B, B22C, rational_power, squared_product, total
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.path_norms import Layers


@st.composite
def units(draw: st.DrawFn) -> Instance:
    """Draw norms of units, half-dead units among them, and factors: at times those of balance."""
    m = draw(st.integers(1, 3))
    least = draw(st.sampled_from([0, 1]))
    norm = st.integers(least, 3)
    incoming, outgoing = (draw(st.lists(norm, min_size=m, max_size=m)) for _ in range(2))
    factor = draw(st.sampled_from([_POSITIVE, _POSITIVE, _ANY]))
    given = {
        "incoming": rationals(incoming if any(incoming) else [1] * m),
        "outgoing": rationals(outgoing if any(outgoing) else [1] * m),
        "unit_factors": rationals(draw(st.lists(factor, min_size=m, max_size=m))),
        "within": draw(st.integers(1, 3)),
        "across": draw(st.integers(1, 3)),
    }
    return Instance(given, "drawn")


_POSITIVE = st.sampled_from(["1", "1", "2", "1/2"]).map(Fraction)
_ANY = st.sampled_from(["1", "1/2", "-2", "0"]).map(Fraction)


@st.composite
def deep(draw: st.DrawFn) -> Instance:
    """Draw layers +-x_k y_j, which are balanced where x of a layer is y of the next, or others, and factors."""
    depth = draw(st.integers(1, 3))
    sizes = [draw(st.integers(1, 2)) for _ in range(depth + 1)]
    numbers = [rationals(draw(st.lists(st.integers(0, 2), min_size=w, max_size=w).filter(any))) for w in sizes]
    layers = []
    for i, (before, after) in enumerate(pairwise(sizes)):
        signs = draw(st.lists(st.sampled_from([1, 1, -1]), min_size=before * after, max_size=before * after))
        layers.append(np.outer(numbers[i + 1], numbers[i]) * rationals(signs).reshape(after, before))
    if draw(st.integers(0, 4)) == 0:
        row = draw(st.lists(st.integers(-1, 2), min_size=layers[-1].size, max_size=layers[-1].size).filter(any))
        layers[-1] = rationals(row).reshape(layers[-1].shape)
    factor = draw(st.sampled_from([_POSITIVE, _POSITIVE, _ANY]))
    factors = tuple(rationals(draw(st.lists(factor, min_size=w, max_size=w))) for w in sizes[1:-1])
    return Instance({"layers": tuple(layers), "hidden_factors": factors}, "drawn")


@st.composite
def one_unit(draw: st.DrawFn) -> Instance:
    """Draw layers of small whole numbers and a hidden unit, its like among them, balanced ones too."""
    depth = draw(st.integers(2, 3))
    sizes = [draw(st.integers(1, 3)) for _ in range(depth + 1)]
    layers = []
    for before, after in pairwise(sizes):
        row = st.lists(st.sampled_from([0, 1, 1, 2, -3]), min_size=before * after, max_size=before * after)
        layers.append(rationals(draw(row.filter(any))).reshape(after, before))
    place = draw(st.integers(0, depth - 2))
    return Instance(
        {"layers": tuple(layers), "place": place, "unit": draw(st.integers(0, sizes[place + 1] - 1))}, "drawn"
    )


def _without_the_gain(given: Instance) -> Fraction:
    return squared_product(given["layers"])


def _with_the_gain_of_two_layers(given: Instance) -> Enclosure:
    """Return B22.c's right side with the other layers left out of what is gained."""
    whole, (_, after) = squared_product(given["layers"]), B22C.sides(given)
    others = Fraction(1)
    for number, matrix in enumerate(given["layers"]):
        if number not in (given["place"], given["place"] + 1):
            others *= Fraction((matrix * matrix).sum())
    lower, upper = (whole - (whole - Fraction(end)) / others for end in (after.lower, after.upper))
    return Enclosure(lower, upper)


def _with_exponent(
    numerator: Callable[[int, int], int], denominator: Callable[[int, int], int]
) -> Callable[[Instance], Enclosure]:
    """Return the sum of the a_j b_j to another power."""

    def side(given: Instance) -> Enclosure:
        p, q = given["within"], given["across"]
        products = given["incoming"] * given["outgoing"]
        return total(
            [rational_power(Enclosure.exactly(Fraction(v)), numerator(p, q), denominator(p, q)) for v in products]
        )

    return side


def _not_divided(given: Instance) -> Fraction:
    """Return B22.b's left side with the outgoing weights left alone."""
    scales = [*given["hidden_factors"], rationals([1] * len(given["layers"][-1]))]
    moved: Layers = tuple(_rows(scale, matrix) for scale, matrix in zip(scales, given["layers"], strict=True))
    return squared_product(moved)


def _rows(scale: Array, matrix: Array) -> Array:
    scaled: Array = scale[:, None] * matrix
    return scaled


TRIALS = (
    Trial(
        B22,
        instances=units(),
        mutants=(
            *bounds(B22),
            right(B22, "p for r", Kind.NEIGHBOUR, _with_exponent(lambda p, q: p, lambda p, q: 1)),
            right(
                B22,
                "r of 1/p + 1/(q + 1)",
                Kind.OFF_BY_ONE,
                _with_exponent(lambda p, q: p * (q + 1), lambda p, q: p + q + 1),
            ),
        ),
    ),
    Trial(
        B22A,
        instances=units(),
        mutants=(
            *both_ways(B22A),
            right(B22A, "p for r", Kind.NEIGHBOUR, _with_exponent(lambda p, q: p, lambda p, q: 1)),
        ),
    ),
    Trial(
        B22B,
        instances=deep(),
        mutants=(
            *bounds(B22B),
            left(B22B, "outgoing weights not divided", Kind.DROPPED, _not_divided),
        ),
    ),
    Trial(
        B22C,
        instances=one_unit(),
        mutants=(
            *both_ways(B22C),
            right(B22C, "nothing gained", Kind.DROPPED, _without_the_gain),
            right(B22C, "the other layers left out", Kind.DROPPED, _with_the_gain_of_two_layers),
        ),
    ),
)
