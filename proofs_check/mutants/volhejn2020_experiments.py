"""Mutants of the claims of Volhejn 2020 about its experiments: V10-V14."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

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
    on,
    right,
    with_sides,
    without,
)
from theory.claim import Claim, Instance
from theory.claims import volhejn2020_estimators as estimators
from theory.claims import volhejn2020_training as training
from theory.enclosure import Enclosure, square_root
from theory.registry import CLAIMS

Fits = Callable[[Instance, int], Any]


def _selecting(claim: Claim, fits: Fits) -> tuple[Mutant, ...]:
    """Return the mutants of a claim about the smoothest candidates that fit."""

    def roughest(given: Instance) -> tuple[Enclosure, Enclosure]:
        reversed_measure = given.but(measure=-given["measure"])
        first, second = (-training.smoothest(reversed_measure, fits(given, size)) for size in given["sizes"])
        return Enclosure.exactly(first), Enclosure.exactly(second)

    def one_more(given: Instance) -> Fraction:
        first, second = given["sizes"]
        fit = fits(given, min(first + 1, len(given["y"])))
        return training.smoothest(given, fit if np.any(fit) else fits(given, second))

    return (
        *bounds(claim),
        without(claim, "D_i is a part of D_j"),
        with_sides(claim, "the roughest for the smoothest", Kind.MIN_MAX, roughest),
        left(claim, "D_{i+1} for D_i", Kind.OFF_BY_ONE, one_more),
    )


def _mean_below(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The candidates below the threshold by their mean loss, where there are any."""
    chosen = []
    for size in given["sizes"]:
        below = training.mean_loss_below(given, size)
        fit = below if np.any(below) else training.total_loss_below(given, size)
        chosen.append(Enclosure.exactly(training.smoothest(given, fit)))
    first, second = chosen
    return first, second


def _means(given: Instance) -> tuple[Enclosure, Enclosure]:
    first, second = (Enclosure.exactly(training.least_path_length(given, size)) for size in given["sizes"])
    return first, second


def _tied(given: Instance, weight: int) -> Fraction:
    falls, ties, pairs = training.inversions(given["measured"])
    return 1 - Fraction(2 * falls + weight * ties, pairs)


def _inverted_twice(given: Instance) -> Fraction:
    falls, ties, pairs = training.inversions(given["measured"])
    return 1 - Fraction(falls + ties, pairs)


def _ceiling_by_x(given: Instance) -> Enclosure:
    counts = training.compared(given)
    return square_root(Fraction(counts.pairs - counts.first_ties, counts.pairs))


def _ceiling_squared(given: Instance) -> Fraction:
    counts = training.compared(given)
    return Fraction(counts.pairs - counts.second_ties, counts.pairs)


def _largest_norms(given: Instance) -> Fraction:
    return estimators.mean(max(batch) for batch in combinations(given["norms"], given["batch_size"]))


def _sums_of_norms(given: Instance) -> Fraction:
    return estimators.mean(sum(batch, Fraction(0)) for batch in combinations(given["norms"], given["batch_size"]))


def _distinct(given: Instance, name: str) -> Fraction:
    return Fraction(len(given[name]), max(1, len(given[name]) - 1))


def _one_gap_further(given: Instance) -> Fraction:
    n = len(given["y"])
    return sum((change * 2 * j * (n - j + 1) for change, j in estimators.gap_changes(given)), Fraction(0)) / n**2


def _largest_gap(given: Instance) -> Fraction:
    return Fraction(estimators.pair_gaps(given).max())


def _with_loss(factor: Callable[[int], Fraction]) -> Callable[[Instance], Enclosure]:
    """Return the right side of V14.d with another factor of sqrt L for n points."""

    def side(given: Instance) -> Enclosure:
        root, gap, size = (
            square_root(estimators.mean_loss(given)),
            estimators.label_gap(given),
            factor(len(given["y"])),
        )
        return Enclosure(gap - size * root.upper, gap - size * root.lower)

    return side


_V10A, _V10B, _V11, _V11B, _V11D = CLAIMS["V10.a"], CLAIMS["V10.b"], CLAIMS["V11"], CLAIMS["V11.b"], CLAIMS["V11.d"]
_V12A, _V12C, _V12D, _V12E = CLAIMS["V12.a"], CLAIMS["V12.c"], CLAIMS["V12.d"], CLAIMS["V12.e"]
_V13A, _V13B, _V13C = CLAIMS["V13.a"], CLAIMS["V13.b"], CLAIMS["V13.c"]
_V14, _V14A, _V14C, _V14D = CLAIMS["V14"], CLAIMS["V14.a"], CLAIMS["V14.c"], CLAIMS["V14.d"]

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "V10.a": (
        *both_ways(_V10A),
        right(_V10A, "3 for 6, as printed", Kind.DROPPED, lambda given: square_root(training.printed_square(given))),
        right(_V10A, "without alpha", Kind.DROPPED, lambda given: square_root(training.glorot_square(given))),
        right(
            _V10A,
            "n_in for the mean of the fans",
            Kind.DROPPED,
            lambda given: square_root(Fraction(3 * given["scale"] / given["fan_in"])),
        ),
    ),
    "V10.b": (
        negated(_V10B),
        right(_V10B, "alpha = 1", Kind.CONSTANT, lambda given: bool(given["scale"] == 1)),
        right(_V10B, "alpha = 2.02", Kind.CONSTANT, lambda given: bool(given["scale"] == 2 * MORE)),
        right(_V10B, "alpha >= 2", Kind.BOUNDARY, lambda given: bool(given["scale"] >= 2)),
    ),
    "V11": _selecting(_V11, training.interpolates),
    "V11.b": (
        *_selecting(_V11B, training.total_loss_below),
        with_sides(_V11B, "the mean loss for the sum", Kind.DROPPED, _mean_below),
    ),
    "V11.d": (
        *bounds(_V11D),
        without(_V11D, "D_i is a part of D_j"),
        with_sides(_V11D, "the mean over pairs for the sum", Kind.DROPPED, _means),
    ),
    "V12.a": (
        *both_ways(_V12A),
        right(_V12A, "without the ties", Kind.DROPPED, lambda given: _tied(given, 0)),
        right(_V12A, "ties as inversions", Kind.BOUNDARY, lambda given: _tied(given, 2)),
        right(_V12A, "inversions once", Kind.DROPPED, _inverted_twice),
    ),
    "V12.c": (
        negated(_V12C),
        right(_V12C, "no pair ordered oppositely", Kind.BOUNDARY, training.agree),
        right(
            _V12C,
            "the same pairs tied",
            Kind.DROPPED,
            lambda given: bool(np.all((training.pair_signs(given) == 0).sum(axis=1) != 1)),
        ),
    ),
    "V12.d": (
        *bounds(_V12D),
        without(_V12D, "no pair is tied in both"),
        replace(
            right(_V12D, "n_x for n_y", Kind.DROPPED, _ceiling_by_x),
            equivalent="tau_b and the assumptions are symmetric in X and Y, so the bound holds with n_x too",
        ),
        right(_V12D, "without the root", Kind.DROPPED, _ceiling_squared),
    ),
    "V12.e": (
        *both_ways(_V12E),
        on(_V12E, "2 runs for 3", Kind.OFF_BY_ONE, lambda given: given.but(repeats=given["repeats"] - 1)),
        on(
            _V12E,
            "7 sizes for 8",
            Kind.OFF_BY_ONE,
            lambda given: given.but(configurations=given["configurations"] - 1),
        ),
    ),
    "V13.a": (
        *both_ways(_V13A),
        left(_V13A, "the largest of the batch for its mean", Kind.MIN_MAX, _largest_norms),
        left(_V13A, "without 1/k", Kind.DROPPED, _sums_of_norms),
    ),
    "V13.b": (
        *both_ways(_V13B),
        without(_V13B, "k is even"),
        right(_V13B, "without n/(n - 1)", Kind.DROPPED, estimators.over_all_pairs),
        left(_V13B, "4/k for 2/k, as printed", Kind.DROPPED, lambda given: 2 * estimators.expected_estimate(given)),
    ),
    "V13.c": (
        *both_ways(_V13C),
        without(_V13C, "k is even"),
        right(
            _V13C,
            "with n/(n - 1)",
            Kind.DROPPED,
            lambda given: _distinct(given, "variations") * estimators.over_all_pairs(given),
        ),
    ),
    "V14": (
        *bounds(_V14),
        without(_V14, "zero loss"),
        right(
            _V14,
            "1/(n (n - 1)) for 1/n^2",
            Kind.OFF_BY_ONE,
            lambda given: _distinct(given, "y") * estimators.label_gap(given),
        ),
        right(_V14, "the largest difference for the mean", Kind.MIN_MAX, _largest_gap),
    ),
    "V14.a": (
        *both_ways(_V14A),
        without(_V14A, "half of the labels are -1, half 1"),
        left(
            _V14A,
            "1/(n (n - 1)) for 1/n^2",
            Kind.OFF_BY_ONE,
            lambda given: _distinct(given, "y") * estimators.label_gap(given),
        ),
        left(_V14A, "the largest difference for the mean", Kind.MIN_MAX, _largest_gap),
    ),
    "V14.c": (
        *bounds(_V14C),
        without(_V14C, "zero loss"),
        right(_V14C, "n - j + 1 for n - j", Kind.OFF_BY_ONE, _one_gap_further),
    ),
    "V14.d": (
        *bounds(_V14D),
        right(_V14D, "1.98 (1 - 1/n) sqrt L", Kind.CONSTANT, _with_loss(lambda n: 2 * LESS * Fraction(n - 1, n))),
        right(_V14D, "(1 - 1/n) sqrt L", Kind.DROPPED, _with_loss(lambda n: Fraction(n - 1, n))),
        right(_V14D, "without the loss", Kind.DROPPED, _with_loss(lambda n: Fraction(0))),
        right(_V14D, "2 (1 - 2/n) sqrt L", Kind.OFF_BY_ONE, _with_loss(lambda n: Fraction(2 * (n - 2), n))),
    ),
}
