"""How the claims of `theory.volhejn2020.rank_correlation` are put to the test."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.operators import (
    Kind,
    both_ways,
    bounds,
    negated,
    on,
    right,
    without,
)
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, square_root
from theory.volhejn2020 import rank_correlation
from theory.volhejn2020.rank_correlation import V12, V12A, V12B, V12C, V12D, V12E


@st.composite
def rankings(draw: st.DrawFn) -> Instance:
    """Draw two sequences with ties, often of a kind: one increasing with the other, or the same pairs tied in both."""
    n = draw(st.integers(2, 6))
    groups = [draw(st.integers(0, 3)) for _ in range(n)]
    kind = draw(st.sampled_from(["any", "distinct", "increasing", "increasing", "alike", "opposite"]))
    if kind == "any":
        measured = [draw(st.integers(0, 3)) for _ in range(n)]
    elif kind == "distinct":
        measured = draw(st.permutations(range(n)))
    elif kind == "increasing":
        measured = np.argsort(np.argsort(groups, kind="stable")).tolist()
    else:
        measured = [g if kind == "alike" else -g for g in groups]
    if draw(st.sampled_from([False] * 9 + [True])):
        groups = groups[:-1] if n > 2 else [*groups, 0]
    return Instance({"measured": rationals(measured), "groups": rationals(groups)}, "drawn")


def _tied(given: Instance, weight: int) -> Fraction:
    falls, ties, pairs = rank_correlation.inversions(given["measured"])
    return 1 - Fraction(2 * falls + weight * ties, pairs)


def _inverted_twice(given: Instance) -> Fraction:
    falls, ties, pairs = rank_correlation.inversions(given["measured"])
    return 1 - Fraction(falls + ties, pairs)


def _ceiling_by_x(given: Instance) -> Enclosure:
    counts = rank_correlation.compared(given)
    return square_root(Fraction(counts.pairs - counts.first_ties, counts.pairs))


def _ceiling_squared(given: Instance) -> Fraction:
    counts = rank_correlation.compared(given)
    return Fraction(counts.pairs - counts.second_ties, counts.pairs)


TRIALS = (
    Trial(V12, instances=rankings()),
    Trial(
        V12A,
        instances=rankings(),
        mutants=(
            *both_ways(V12A),
            right(V12A, "without the ties", Kind.DROPPED, lambda given: _tied(given, 0)),
            right(V12A, "ties as inversions", Kind.BOUNDARY, lambda given: _tied(given, 2)),
            right(V12A, "inversions once", Kind.DROPPED, _inverted_twice),
        ),
    ),
    Trial(V12B, instances=rankings()),
    Trial(
        V12C,
        instances=rankings(),
        mutants=(
            negated(V12C),
            right(V12C, "no pair ordered oppositely", Kind.BOUNDARY, rank_correlation.agree),
            right(
                V12C,
                "the same pairs tied",
                Kind.DROPPED,
                lambda given: bool(np.all((rank_correlation.pair_signs(given) == 0).sum(axis=1) != 1)),
            ),
        ),
    ),
    Trial(
        V12D,
        instances=rankings(),
        mutants=(
            *bounds(V12D),
            without(V12D, "no pair is tied in both"),
            replace(
                right(V12D, "n_x for n_y", Kind.DROPPED, _ceiling_by_x),
                equivalent="tau_b and the assumptions are symmetric in X and Y, so the bound holds with n_x too",
            ),
            right(V12D, "without the root", Kind.DROPPED, _ceiling_squared),
        ),
        spared={
            "without: the sequences are of equal length": "there are no pairs then, and no saying which are tied in both"
        },
    ),
    Trial(
        V12E,
        instances=st.just(rank_correlation.DESIGN),
        mutants=(
            *both_ways(V12E),
            on(V12E, "2 runs for 3", Kind.OFF_BY_ONE, lambda given: given.but(repeats=given["repeats"] - 1)),
            on(
                V12E,
                "7 sizes for 8",
                Kind.OFF_BY_ONE,
                lambda given: given.but(configurations=given["configurations"] - 1),
            ),
        ),
    ),
)
