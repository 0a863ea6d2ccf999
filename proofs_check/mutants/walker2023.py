"""Mutants of the claims of Walker 2023: here those on linear stability."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants import walker2023_bounds, walker2023_gradients
from proofs_check.mutants.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    left,
    moved,
    negated,
    right,
    stronger,
    turned,
    without,
)
from theory.claim import Instance
from theory.claims.mulayoff2021_stability import growth
from theory.claims.walker2023 import W1, W1A, W2A, condition, sharpness_and_spread
from theory.enclosure import Enclosure, top_eigenvalue
from theory.linear_stability import moments, noise_share

ONE = Fraction(1)
CONDITION = W2A.assumptions[0].name


def _matrix_with(given: Instance, share: Fraction) -> Enclosure:
    """Return the condition with another share of the noise."""
    mean, sigma = moments(given["hessians"])
    eta = Fraction(given["step_size"])
    contraction = np.eye(len(mean), dtype=int) - eta * mean
    return top_eigenvalue(contraction @ contraction + eta**2 * share * sigma)


def _without_noise(given: Instance) -> Enclosure:
    return _matrix_with(given, Fraction(0))


def _with_replacement(given: Instance) -> Enclosure:
    """Return the condition with n for n - 1."""
    n, batch = len(given["hessians"]), given["batch_size"]
    return _matrix_with(given, noise_share(n, batch) * Fraction(n - 1, n))


def _holds(value: Callable[[Instance], Enclosure], limit: Fraction = ONE) -> Callable[[Instance], Enclosure]:
    """Return whether the condition, or what stands in for it, is at most a limit."""
    return lambda given: value(given).at_most(limit)


def _below(given: Instance) -> Enclosure:
    """Return whether the growth is below 1."""
    factor = growth(given)
    return Enclosure(Fraction(int(factor.upper < 1)), Fraction(int(factor.lower < 1)))


def _one_part(part: int, factor: Fraction) -> Callable[[Instance], Enclosure]:
    """Return eta a / 2, or eta s sqrt(p), times a factor."""
    return lambda given: sharpness_and_spread(given)[part].times(factor)


def _above(factor: Fraction) -> Callable[[Instance], Enclosure]:
    """Return 1 - eta a / 2 times a factor."""

    def side(given: Instance) -> Enclosure:
        value = sharpness_and_spread(given)[0]
        return Enclosure(factor * (1 - Fraction(value.upper)), factor * (1 - Fraction(value.lower)))

    return side


FREE = replace(W1, assumptions=())

OWN: Mapping[str, tuple[Mutant, ...]] = {
    "W1": (
        left(FREE, "condition at most 1.01", Kind.CONSTANT, _holds(condition, MORE)),
        left(FREE, "no noise term", Kind.DROPPED, _holds(_without_noise)),
        left(FREE, "n for n - 1", Kind.OFF_BY_ONE, _holds(_with_replacement)),
        right(FREE, "growth below 1", Kind.BOUNDARY, _below),
        replace(turned(FREE), name="the converse, in any dimension"),
        replace(negated(W1), name="unstable"),
    ),
    "W1.a": (
        left(W1A, "condition at most 1.01", Kind.CONSTANT, _holds(condition, MORE)),
        left(W1A, "condition at most 0.99", Kind.CONSTANT, _holds(condition, LESS)),
        left(W1A, "no noise term", Kind.DROPPED, _holds(_without_noise)),
        left(W1A, "n for n - 1", Kind.OFF_BY_ONE, _holds(_with_replacement)),
        right(W1A, "growth below 1", Kind.BOUNDARY, _below),
        negated(W1A),
        without(W1A, "d = 1"),
    ),
    "W2.a": (
        stronger(W2A),
        left(W2A, "a <= 1.98 / eta", Kind.CONSTANT, _one_part(0, MORE)),
        left(W2A, "a >= 0.02 / eta", Kind.CONSTANT, _above(MORE)),
        left(W2A, "s <= 0.99 / (eta sqrt(p))", Kind.CONSTANT, _one_part(1, MORE)),
        turned(W2A),
        without(W2A, CONDITION),
        moved(W2A, CONDITION, lambda v: v.upper <= MORE, "condition at most 1.01"),
    ),
}

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    **OWN,
    **walker2023_gradients.MUTANTS,
    **walker2023_bounds.MUTANTS,
}
