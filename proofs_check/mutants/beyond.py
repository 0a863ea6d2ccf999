"""Mutants of the claims beyond the papers: B1 and B7."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants.operators import LESS, Kind, Mutant, bounds, right, with_sides, without
from theory.checks import Array
from theory.claim import Instance
from theory.claims import beyond
from theory.enclosure import Enclosure
from theory.registry import CLAIMS
from theory.stability_weight import weight_enclosure

OFF = "no unit toggles on a data point"


def _weighed(name: str, kind: Kind, weigh: Callable[[Array, Array], beyond.Ends]) -> Mutant:
    """Return B1.a with the spline's changes of slope weighed otherwise, by a function of its knots and of x."""
    return with_sides(CLAIMS["B1.a"], name, kind, lambda given: beyond.weighed_sides(given, weigh))


def _higher_of(knots: Array, x: Array) -> beyond.Ends:
    negative = [(-upper, -lower) for lower, upper in beyond.beside(knots, x)]
    lower, upper = beyond.lower_of(negative[0], negative[1])
    return -upper, -lower


def _next_point(knots: Array, x: Array) -> beyond.Ends:
    following = x[np.minimum(np.searchsorted(x, knots) + 1, len(x) - 1)]
    return beyond.lowest_weight_enclosure(x, following)


def _with_loss(id: str, name: str, kind: Kind, factor: Callable[[Array], Enclosure]) -> Mutant:
    """Return B7 or B7.a with another factor of sqrt(2 L), by its square as a function of x."""
    return with_sides(CLAIMS[id], name, kind, lambda given: beyond.loss_sides(given, factor))


def _times(factor: Callable[[Array], Enclosure], share: Fraction) -> Callable[[Array], Enclosure]:
    return lambda x: Enclosure(*(share**2 * Fraction(end) for end in (factor(x).lower, factor(x).upper)))


def _nothing(_: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(0))


def _half_moved(given: Instance) -> Enclosure:
    """Return the right side of B7.a with its -1/2 moved by one per cent."""
    rhs, off = beyond.loss_sides(given, beyond.sharp_factor)[1], Fraction(1, 200)
    return Enclosure(rhs.lower - off, rhs.upper - off)


def _radius(x: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(max(abs(v) for v in x)) ** 2)


def _one(_: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(1))


def _quarter(_: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(1, 4))


def _mean_square(x: Array) -> Enclosure:
    return Enclosure.exactly(sum(x**2, Fraction(0)) / len(x) / 4)


def _toggling(id: str, why: str) -> Mutant:
    return replace(without(CLAIMS[id], OFF), equivalent=why)


LOOSE = "true: half of the printed loss term suffices (B7.a)"

TOGGLES = (
    "true: a unit that toggles on a data point counts as inactive there, for which the proof holds as well; but the loss "
    "then has no Hessian"
)


MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "B1.a": (
        *bounds(CLAIMS["B1.a"]),
        _weighed("the higher limit of g", Kind.MIN_MAX, _higher_of),
        _weighed("g(x_j) itself (B1)", Kind.DROPPED, weight_enclosure),
        _weighed("g(x_j-), from the left alone", Kind.DROPPED, lambda knots, x: beyond.beside(knots, x)[0]),
        _weighed("g(x_j+), from the right alone", Kind.DROPPED, lambda knots, x: beyond.beside(knots, x)[1]),
        _weighed("g_*(x_{j+1})", Kind.OFF_BY_ONE, _next_point),
    ),
    "B7": (
        *bounds(CLAIMS["B7"]),
        _with_loss("B7", "without the loss", Kind.DROPPED, _nothing),
        _with_loss("B7", "sqrt(2 L) without R", Kind.DROPPED, _one),
        _with_loss("B7", "R for R + 1", Kind.OFF_BY_ONE, _radius),
        replace(
            _with_loss("B7", "loss term x 0.99", Kind.CONSTANT, _times(beyond.printed_factor, LESS)), equivalent=LOOSE
        ),
        _toggling("B7", TOGGLES),
    ),
    "B7.a": (
        *bounds(CLAIMS["B7.a"]),
        right(CLAIMS["B7.a"], "1/2 off by 1 %", Kind.CONSTANT, _half_moved),
        _with_loss("B7.a", "without the loss", Kind.DROPPED, _nothing),
        _with_loss("B7.a", "half of the loss term", Kind.CONSTANT, _times(beyond.sharp_factor, Fraction(1, 2))),
        _with_loss("B7.a", "1 for M", Kind.DROPPED, _quarter),
        _with_loss("B7.a", "E[X^2] for M", Kind.MIN_MAX, _mean_square),
        _toggling("B7.a", TOGGLES),
    ),
}
