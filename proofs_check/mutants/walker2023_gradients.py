"""Mutants of the claims of Walker 2023 on stiffness, function updates and coherence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    both_ways,
    bounds,
    left,
    negated,
    right,
    strict,
    turned,
    with_sides,
    without,
)
from theory.claim import Assumption, Claim, Instance
from theory.claims import walker2023_coherence as coherence
from theory.claims import walker2023_stiffness as stiffness
from theory.claims import walker2023_tangent as tangent


def _change_with(first: Fraction, second: Fraction) -> Callable[[Instance], Fraction]:
    """Return W4.b's right side with factors on the two terms of the bound."""

    def side(given: Instance) -> Fraction:
        slope = given["rate"] * stiffness.product_of_gradients(given)
        return Fraction(-first * slope + second * stiffness.second_order(given))

    return side


def _not_negative(given: Instance) -> bool:
    return stiffness.product_of_gradients(given) >= 0


def _updates(of: Callable[[Fraction, Fraction], Fraction]) -> Callable[[Instance], Fraction]:
    """Return W5's right side with another function of lambda_j and u_j(x) u_j^T grad l."""

    def side(given: Instance) -> Fraction:
        parts = (of(value, pull) for value, pull in tangent.component_updates(given))
        return -Fraction(given["step_size"]) * sum(parts, Fraction(0))

    return side


def _different_pairs(given: Instance) -> Fraction:
    """W8 without the pairs of a vector with itself."""
    vectors, p = given["vectors"], given["probabilities"]
    value = coherence.alpha(vectors, p) - Fraction((p**2 * (vectors * vectors).sum(axis=1)).sum()) / coherence.size(
        vectors, p
    )
    return max(value, 1 - value)


def _first_coordinate(given: Instance) -> bool:
    return bool((given["probabilities"] @ given["vectors"])[0] == 0)


def _value(given: Instance) -> Fraction:
    return coherence.alpha(given["vectors"], given["probabilities"])


def _of_means(given: Instance) -> Fraction:
    return coherence.alpha(*coherence.means_of(given))


def _in_a_sample(value: Callable[[Instance], Fraction], shift: int = 0) -> Callable[[Instance], Fraction]:
    """Return W11.f's right side with another value for A, or for m another number of examples."""
    return lambda g: coherence.without_replacement(value(g), g["group"], len(g["vectors"]) + shift)


def _harmonic(given: Instance) -> Fraction:
    each = coherence.coherences_of_batches(given)
    return len(each) / sum((1 / a for a in each), Fraction(0))


def _arithmetic(given: Instance) -> Fraction:
    each = coherence.coherences_of_batches(given)
    return sum(each, Fraction(0)) / len(each)


def _one_partition(given: Instance) -> Fraction:
    return coherence.coherences_of_batches(given)[0]


def _only_zero(given: Instance) -> bool:
    return _value(given) == 0


def _some_zero(claim: Claim) -> Mutant:
    """Return W9.c for directions of which some are 0."""
    kept = tuple(a for a in claim.assumptions if a.name != "no direction is 0")
    weaker = Assumption("not all directions are 0", lambda given: bool(np.any(given["directions"] != 0)), bool)
    return Mutant("directions that are 0", Kind.ASSUMPTION, replace(claim, assumptions=(*kept, weaker)))


W4A, W4B, W4D, W4F, W5 = stiffness.W4A, stiffness.W4B, stiffness.W4D, stiffness.W4F, tangent.W5
W8, W8B, W8D, W8E = coherence.W8, coherence.W8B, coherence.W8D, coherence.W8E
W9, W9A, W9C = coherence.W9, coherence.W9A, coherence.W9C
W11, W11B, W11C, W11D, W11F = coherence.W11, coherence.W11B, coherence.W11C, coherence.W11D, coherence.W11F
ONE, ZERO = Fraction(1), Fraction(0)

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "W4.a": (
        negated(W4A),
        with_sides(W4A, "rises for falls, as printed", Kind.REVERSED, stiffness.W4.sides),
        left(W4A, "g_1.g_2 >= 0", Kind.BOUNDARY, _not_negative),
    ),
    "W4.b": (
        right(W4B, "0.99 of the second-order term", Kind.CONSTANT, _change_with(ONE, LESS)),
        right(W4B, "1.01 of the first-order term", Kind.CONSTANT, _change_with(MORE, ONE)),
        right(W4B, "0.99 of the first-order term", Kind.CONSTANT, _change_with(LESS, ONE)),
        right(W4B, "no second-order term", Kind.DROPPED, _change_with(ONE, ZERO)),
        right(W4B, "the other sign of g_1.g_2", Kind.REVERSED, _change_with(-ONE, ONE)),
        turned(W4B),
        strict(W4B),
    ),
    "W4.d": (without(W4D, "g_1 is not 0"), negated(W4D)),
    "W4.f": (
        *bounds(W4F),
        with_sides(W4F, "no root, as printed", Kind.DROPPED, stiffness.W4E.sides),
    ),
    "W5": (
        *both_ways(W5),
        right(W5, "no lambda_j", Kind.DROPPED, _updates(lambda value, pull: pull)),
        right(W5, "lambda_j^2", Kind.DROPPED, _updates(lambda value, pull: value**2 * pull)),
        right(W5, "+ eta", Kind.REVERSED, _updates(lambda value, pull: -value * pull)),
        without(W5, "the v_j are orthonormal"),
        without(W5, "they are eigenvectors, with these eigenvalues"),
    ),
    "W8": (
        *bounds(W8),
        left(W8, "pairs of different vectors", Kind.OFF_BY_ONE, _different_pairs),
    ),
    "W8.b": (
        negated(W8B),
        right(W8B, "the first coordinate of the mean", Kind.DROPPED, _first_coordinate),
        without(W8B, "E[v.v] > 0"),
    ),
    "W8.d": (
        negated(W8D),
        with_sides(W8D, "of any probability, as printed", Kind.DROPPED, coherence.W8C.sides),
        without(W8D, "E[v.v] > 0"),
    ),
    "W8.e": (
        *both_ways(W8E),
        right(W8E, "|k| alpha", Kind.DROPPED, lambda g: abs(g["factor"]) * _value(g)),
    ),
    "W9": (
        *both_ways(W9),
        right(W9, "1 / (m + 1)", Kind.OFF_BY_ONE, lambda g: Fraction(1, len(g["vectors"]) + 1)),
        without(W9, "the gradients are pairwise orthogonal"),
    ),
    "W9.a": (
        *both_ways(W9A),
        right(W9A, "k + 1", Kind.OFF_BY_ONE, lambda g: Fraction(g["copies"] + 1)),
        right(W9A, "m for k", Kind.DROPPED, lambda g: Fraction(g["copies"] * len(g["directions"]))),
        without(W9A, "the directions are pairwise orthogonal"),
    ),
    "W9.c": (
        *both_ways(W9C),
        with_sides(W9C, "without itself, as printed", Kind.OFF_BY_ONE, coherence.W9B.sides),
        without(W9C, "the directions are pairwise orthogonal"),
        _some_zero(W9C),
    ),
    "W11": (
        *both_ways(W11),
        right(W11, "k alpha", Kind.DROPPED, lambda g: g["draws"] * _value(g)),
        right(
            W11,
            "k alpha / (1 + k alpha)",
            Kind.OFF_BY_ONE,
            lambda g: g["draws"] * _value(g) / (1 + g["draws"] * _value(g)),
        ),
        right(
            W11,
            "k + 1 for k",
            Kind.OFF_BY_ONE,
            lambda g: coherence.formula(_value(g), g["draws"] + 1),
        ),
    ),
    "W11.b": (
        negated(W11B),
        without(W11B, "k >= 2"),
        right(W11B, "only at 0", Kind.DROPPED, _only_zero),
    ),
    "W11.c": bounds(W11C),
    "W11.d": (
        *both_ways(W11D),
        right(W11D, "alpha / k", Kind.DROPPED, lambda g: _of_means(g) / g["draws"]),
        right(
            W11D,
            "k + 1 for k",
            Kind.OFF_BY_ONE,
            lambda g: coherence.inverse_formula(_of_means(g), g["draws"] + 1),
        ),
    ),
    "W11.f": (
        *both_ways(W11F),
        right(
            W11F,
            "independent draws, as printed",
            Kind.DROPPED,
            lambda g: coherence.inverse_formula(_harmonic(g), g["group"]),
        ),
        right(W11F, "m + 1 for m", Kind.OFF_BY_ONE, _in_a_sample(_harmonic, 1)),
        right(W11F, "the mean of alpha, not of 1/alpha", Kind.MIN_MAX, _in_a_sample(_arithmetic)),
        right(W11F, "one partition", Kind.DROPPED, _in_a_sample(_one_partition)),
    ),
}
