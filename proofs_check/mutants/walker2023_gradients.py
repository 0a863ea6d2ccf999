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
    Sides,
    negated,
    scaled,
    sides_of,
    stronger,
    turned,
    with_sides,
    without,
)
from proofs_check.mutants.operators import strict as strictly
from theory.claim import Assumption, Claim, Instance
from theory.claims import walker2023_coherence as coherence
from theory.claims import walker2023_stiffness as stiffness
from theory.claims import walker2023_tangent as tangent
from theory.enclosure import Enclosure


def _left_and(claim: Claim, right: Callable[[Instance], Fraction]) -> Sides:
    """Return the left side of a claim beside another right side."""
    sides = sides_of(claim)
    return lambda given: (sides(given)[0], Enclosure.exactly(right(given)))


def _both(claim: Claim) -> tuple[Mutant, Mutant]:
    return scaled(claim, MORE), scaled(claim, LESS)


def _change_with(first: Fraction, second: Fraction) -> Sides:
    """Return W4.b's sides with factors on the two terms of the bound."""
    sides = sides_of(stiffness.W4B)

    def changed(given: Instance) -> tuple[Enclosure, Enclosure]:
        slope = given["rate"] * stiffness.product_of_gradients(given)
        return sides(given)[0], Enclosure.exactly(-first * slope + second * stiffness.second_order(given))

    return changed


def _not_negative(given: Instance) -> tuple[Enclosure, Enclosure]:
    falls = sides_of(stiffness.W4A)(given)[1]
    return Enclosure.exactly(stiffness.product_of_gradients(given) >= 0), falls


def _updates(of: Callable[[Fraction, Fraction], Fraction]) -> Sides:
    """Return W5's sides with another function of lambda_j and u_j(x) u_j^T grad l."""

    def right(given: Instance) -> Fraction:
        parts = (of(value, pull) for value, pull in tangent.component_updates(given))
        return -Fraction(given["step_size"]) * sum(parts, Fraction(0))

    return _left_and(tangent.W5, right)


def _different_pairs(given: Instance) -> tuple[Enclosure, Enclosure]:
    """W8 without the pairs of a vector with itself."""
    vectors, p = given["vectors"], given["probabilities"]
    value = coherence.alpha(vectors, p) - Fraction((p**2 * (vectors * vectors).sum(axis=1)).sum()) / coherence.size(
        vectors, p
    )
    return Enclosure.exactly(max(value, 1 - value)), Enclosure.exactly(Fraction(1))


def _first_coordinate(given: Instance) -> Fraction:
    return Fraction(int((given["probabilities"] @ given["vectors"])[0] == 0))


def _value(given: Instance) -> Fraction:
    return coherence.alpha(given["vectors"], given["probabilities"])


def _of_means(given: Instance) -> Fraction:
    return coherence.alpha(*coherence.means_of(given))


def _only_zero(given: Instance) -> Fraction:
    return Fraction(int(_value(given) == 0))


def _some_zero(claim: Claim) -> Mutant:
    """Return W9.c for directions of which some are 0."""
    kept = tuple(a for a in claim.assumptions if a.name != "no direction is 0")
    weaker = Assumption("not all directions are 0", lambda given: bool(np.any(given["directions"] != 0)), bool)
    return Mutant("directions that are 0", Kind.ASSUMPTION, replace(claim, assumptions=(*kept, weaker)))


W4A, W4B, W4D, W4F, W5 = stiffness.W4A, stiffness.W4B, stiffness.W4D, stiffness.W4F, tangent.W5
W8, W8B, W8D, W8E = coherence.W8, coherence.W8B, coherence.W8D, coherence.W8E
W9, W9A, W9C = coherence.W9, coherence.W9A, coherence.W9C
W11, W11B, W11C, W11D = coherence.W11, coherence.W11B, coherence.W11C, coherence.W11D
ONE, ZERO = Fraction(1), Fraction(0)

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "W4.a": (
        negated(W4A),
        with_sides(W4A, "rises for falls, as printed", Kind.REVERSED, sides_of(stiffness.W4)),
        with_sides(W4A, "g_1.g_2 >= 0", Kind.BOUNDARY, _not_negative),
    ),
    "W4.b": (
        with_sides(W4B, "0.99 of the second-order term", Kind.CONSTANT, _change_with(ONE, LESS)),
        with_sides(W4B, "1.01 of the first-order term", Kind.CONSTANT, _change_with(MORE, ONE)),
        with_sides(W4B, "0.99 of the first-order term", Kind.CONSTANT, _change_with(LESS, ONE)),
        with_sides(W4B, "no second-order term", Kind.DROPPED, _change_with(ONE, ZERO)),
        with_sides(W4B, "the other sign of g_1.g_2", Kind.REVERSED, _change_with(-ONE, ONE)),
        turned(W4B),
        strictly(W4B),
    ),
    "W4.d": (without(W4D, "g_1 is not 0"), negated(W4D)),
    "W4.f": (
        stronger(W4F),
        with_sides(W4F, "no root, as printed", Kind.DROPPED, sides_of(stiffness.W4E)),
        turned(W4F),
        strictly(W4F),
    ),
    "W5": (
        *_both(W5),
        with_sides(W5, "no lambda_j", Kind.DROPPED, _updates(lambda value, pull: pull)),
        with_sides(W5, "lambda_j^2", Kind.DROPPED, _updates(lambda value, pull: value**2 * pull)),
        with_sides(W5, "+ eta", Kind.REVERSED, _updates(lambda value, pull: -value * pull)),
        without(W5, "the v_j are orthonormal"),
        without(W5, "they are eigenvectors, with these eigenvalues"),
    ),
    "W8": (
        stronger(W8),
        with_sides(W8, "pairs of different vectors", Kind.OFF_BY_ONE, _different_pairs),
        turned(W8),
        strictly(W8),
    ),
    "W8.b": (
        negated(W8B),
        with_sides(W8B, "the first coordinate of the mean", Kind.DROPPED, _left_and(W8B, _first_coordinate)),
        without(W8B, "E[v.v] > 0"),
    ),
    "W8.d": (
        negated(W8D),
        with_sides(W8D, "of any probability, as printed", Kind.DROPPED, sides_of(coherence.W8C)),
        without(W8D, "E[v.v] > 0"),
    ),
    "W8.e": (
        *_both(W8E),
        with_sides(W8E, "|k| alpha", Kind.DROPPED, _left_and(W8E, lambda g: abs(g["factor"]) * _value(g))),
    ),
    "W9": (
        *_both(W9),
        with_sides(W9, "1 / (m + 1)", Kind.OFF_BY_ONE, _left_and(W9, lambda g: Fraction(1, len(g["vectors"]) + 1))),
        without(W9, "the gradients are pairwise orthogonal"),
    ),
    "W9.a": (
        *_both(W9A),
        with_sides(W9A, "k + 1", Kind.OFF_BY_ONE, _left_and(W9A, lambda g: Fraction(g["copies"] + 1))),
        with_sides(
            W9A, "m for k", Kind.DROPPED, _left_and(W9A, lambda g: Fraction(g["copies"] * len(g["directions"])))
        ),
        without(W9A, "the directions are pairwise orthogonal"),
    ),
    "W9.c": (
        *_both(W9C),
        with_sides(W9C, "without itself, as printed", Kind.OFF_BY_ONE, sides_of(coherence.W9B)),
        without(W9C, "the directions are pairwise orthogonal"),
        _some_zero(W9C),
    ),
    "W11": (
        *_both(W11),
        with_sides(W11, "k alpha", Kind.DROPPED, _left_and(W11, lambda g: g["draws"] * _value(g))),
        with_sides(
            W11,
            "k alpha / (1 + k alpha)",
            Kind.OFF_BY_ONE,
            _left_and(W11, lambda g: g["draws"] * _value(g) / (1 + g["draws"] * _value(g))),
        ),
        with_sides(
            W11,
            "k + 1 for k",
            Kind.OFF_BY_ONE,
            _left_and(W11, lambda g: coherence.formula(_value(g), g["draws"] + 1)),
        ),
    ),
    "W11.b": (
        negated(W11B),
        without(W11B, "k >= 2"),
        with_sides(W11B, "only at 0", Kind.DROPPED, _left_and(W11B, _only_zero)),
    ),
    "W11.c": (stronger(W11C), turned(W11C), strictly(W11C)),
    "W11.d": (
        *_both(W11D),
        with_sides(W11D, "alpha / k", Kind.DROPPED, _left_and(W11D, lambda g: _of_means(g) / g["draws"])),
        with_sides(
            W11D,
            "k + 1 for k",
            Kind.OFF_BY_ONE,
            _left_and(W11D, lambda g: coherence.inverse_formula(_of_means(g), g["draws"] + 1)),
        ),
    ),
}
