"""Mutants of the claims of Walker 2023: here those on linear stability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants import walker2023_bounds, walker2023_gradients
from proofs_check.mutants.operators import LESS, MORE, Kind, Mutant, Sides, moved, negated, stronger, turned, with_sides
from proofs_check.mutants.operators import without as without_assumption
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


def _implies(left: Sides | None, limit: Fraction) -> Sides:
    """Return whether the condition, or what stands in for it, is at most a limit, and whether the minimum is stable."""

    def sides(given: Instance) -> tuple[Enclosure, Enclosure]:
        value = condition(given) if left is None else left(given)[0]
        return value.at_most(limit), growth(given).at_most(1)

    return sides


def _alone(value: Enclosure) -> tuple[Enclosure, Enclosure]:
    return value, value


def _below(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Whether the condition holds, and whether the growth is below 1."""
    factor = growth(given)
    below = Enclosure(Fraction(int(factor.upper < 1)), Fraction(int(factor.lower < 1)))
    return condition(given).at_most(1), below


def _one_part(part: int, factor: Fraction) -> Sides:
    """Return eta a / 2, or eta s sqrt(p), times a factor, against 1."""

    def sides(given: Instance) -> tuple[Enclosure, Enclosure]:
        value = sharpness_and_spread(given)[part]
        return Enclosure(factor * Fraction(value.lower), factor * Fraction(value.upper)), Enclosure.exactly(ONE)

    return sides


FREE = replace(W1, assumptions=())

OWN: Mapping[str, tuple[Mutant, ...]] = {
    "W1": (
        with_sides(FREE, "condition at most 1.01", Kind.CONSTANT, _implies(None, MORE)),
        with_sides(FREE, "no noise term", Kind.DROPPED, _implies(lambda g: _alone(_without_noise(g)), ONE)),
        with_sides(FREE, "n for n - 1", Kind.OFF_BY_ONE, _implies(lambda g: _alone(_with_replacement(g)), ONE)),
        with_sides(FREE, "growth below 1", Kind.BOUNDARY, _below),
        replace(turned(FREE), name="the converse, in any dimension"),
        with_sides(W1, "unstable", Kind.REVERSED, negated(W1).claim.sides or _below),
    ),
    "W1.a": (
        with_sides(W1A, "condition at most 1.01", Kind.CONSTANT, _implies(None, MORE)),
        with_sides(W1A, "condition at most 0.99", Kind.CONSTANT, _implies(None, LESS)),
        with_sides(W1A, "no noise term", Kind.DROPPED, _implies(lambda g: _alone(_without_noise(g)), ONE)),
        with_sides(W1A, "n for n - 1", Kind.OFF_BY_ONE, _implies(lambda g: _alone(_with_replacement(g)), ONE)),
        with_sides(W1A, "growth below 1", Kind.BOUNDARY, _below),
        negated(W1A),
        without_assumption(W1A, "d = 1"),
    ),
    "W2.a": (
        stronger(W2A),
        with_sides(W2A, "a <= 1.98 / eta", Kind.CONSTANT, _one_part(0, MORE)),
        with_sides(W2A, "s <= 0.99 / (eta sqrt(p))", Kind.CONSTANT, _one_part(1, MORE)),
        turned(W2A),
        without_assumption(W2A, CONDITION),
        moved(W2A, CONDITION, lambda v: v.upper <= MORE, "condition at most 1.01"),
    ),
}

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    **OWN,
    **walker2023_gradients.MUTANTS,
    **walker2023_bounds.MUTANTS,
}
