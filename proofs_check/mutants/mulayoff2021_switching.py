"""Mutants of the claims on minima at which units toggle on data points, M7 to M9 and B4."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from proofs_check.mutants.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    moved,
    right,
    strict,
    stronger,
    turned,
    with_sides,
    without,
)
from theory import switching
from theory.claim import Claim, Instance
from theory.claims.mulayoff2021_switching import (
    B4,
    M7A,
    M8,
    M8A,
    M8C,
    M9,
    M9A,
    M9B,
    change_sides,
    deduction_sides,
    excess_sides,
    residual_sides,
    share,
    sharpness_sides,
)
from theory.enclosure import Enclosure
from theory.mulayoff2021 import curvature_enclosure

MODES, NO_IDLE = (assumption.name for assumption in B4.assumptions)
ALONG = M8A.assumptions[1].name
AT_MEAN, AT_REST = M9A.assumptions[0].name, M9B.assumptions[0].name
BOUNDED = M8C.assumptions[0].name


def _bounds_of(claim: Claim) -> tuple[Mutant, ...]:
    return (stronger(claim), turned(claim), strict(claim))


def _edge(given: Instance) -> Fraction:
    return 2 / Fraction(given["step_size"])


def _for_one_unit(given: Instance) -> Fraction:
    """Return 2 C^2, for one toggling unit only."""
    return 2 * switching.gradient_bound(given["weights"], given["x"]) ** 2


def _parts_apart(given: Instance) -> Fraction:
    """Return 2/eta + C^2 p_max/(2n): the square of the sum without the product."""
    return _edge(given) + share(given) / 2


def _added(given: Instance, times: Fraction) -> Enclosure:
    """Return 2/eta + times (3 U + sqrt(3 U (3 U + 2/eta))), U = C^2 p/n of the numbers given."""
    _, whole = deduction_sides(given, 1)
    edge = _edge(given)
    ends = (edge + times * (Fraction(end) - edge) for end in (whole.lower, whole.upper))
    return Enclosure(*ends)


def _without_delta(given: Instance) -> Fraction:
    return 1 / Fraction(given["step_size"]) - Fraction(1, 2)


def _mirrored(given: Instance) -> Enclosure:
    """Return 1/eta - 1/2 - Delta."""
    _, whole = excess_sides(given)
    twice = 2 * _without_delta(given)
    return Enclosure(twice - Fraction(whole.upper), twice - Fraction(whole.lower))


def _resting(first: Fraction, second: Fraction) -> Callable[[Instance], Fraction]:
    """Return first/eta - second/2."""
    return lambda given: first / Fraction(given["step_size"]) - second / 2


def _at_most_edge(claim: Claim, assumption: str) -> Mutant:
    return moved(claim, assumption, lambda product: product <= 2 * MORE, "a step may lengthen: eta q^T H q <= 2.02")


ONE, HALF = Fraction(1), Fraction(1, 2)
MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "B4": (
        *_bounds_of(B4),
        with_sides(B4, "one entry a unit: C^2 p_max", Kind.DROPPED, lambda given: change_sides(given, ONE)),
        right(B4, "one unit: 2 C^2", Kind.DROPPED, _for_one_unit),
        without(B4, NO_IDLE),
        without(B4, MODES),
    ),
    "M7.a": (
        stronger(M7A),
        turned(M7A),
        with_sides(M7A, "1 for sqrt(2)", Kind.DROPPED, lambda given: residual_sides(given, ONE)),
        without(M7A, NO_IDLE),
        without(M7A, MODES),
    ),
    "M8": (
        turned(M8),
        strict(M8),
        right(M8, "lambda_up <= 2/eta", Kind.DROPPED, _edge),
        right(M8, "2/eta + C^2 p_max/(2n)", Kind.DROPPED, _parts_apart),
        without(M8, ALONG),
        _at_most_edge(M8, ALONG),
    ),
    "M8.a": (
        *_bounds_of(M8A),
        with_sides(M8A, "0.49 for 1/2", Kind.CONSTANT, lambda given: sharpness_sides(given, HALF * LESS**2)),
        right(M8A, "lambda_up <= 2/eta", Kind.DROPPED, _edge),
        right(M8A, "2/eta + C^2 p_max/(2n)", Kind.DROPPED, _parts_apart),
        without(M8A, ALONG),
        _at_most_edge(M8A, ALONG),
    ),
    "M8.c": (
        *_bounds_of(M8C),
        right(M8C, "99 % of what is added to 2/eta", Kind.CONSTANT, lambda given: _added(given, 2 * LESS)),
        right(M8C, "half of what is added, as printed", Kind.DROPPED, lambda given: _added(given, ONE)),
        without(M8C, BOUNDED),
        moved(M8C, BOUNDED, lambda v: v.upper >= -1, "lambda <= 2/eta + delta + 1"),
    ),
    "M9": (
        turned(M9),
        right(M9, "no Delta", Kind.DROPPED, _without_delta),
        without(M9, AT_MEAN),
    ),
    "M9.a": (
        turned(M9A),
        right(M9A, "no Delta", Kind.DROPPED, _without_delta),
        right(M9A, "Delta negative", Kind.REVERSED, _mirrored),
        without(M9A, AT_MEAN),
    ),
    "M9.b": (
        *_bounds_of(M9B),
        right(M9B, "0.99/eta - 1/2", Kind.CONSTANT, _resting(LESS, ONE)),
        right(M9B, "1/eta - 0.505", Kind.CONSTANT, _resting(ONE, MORE)),
        with_sides(
            M9B,
            "g for the resting weight",
            Kind.DROPPED,
            lambda given: (
                curvature_enclosure(given["weights"], given["x"]),
                Enclosure.exactly(_without_delta(given)),
            ),
        ),
        without(M9B, AT_REST),
        _at_most_edge(M9B, AT_REST),
    ),
}
"""The mutants of each claim, by id."""
