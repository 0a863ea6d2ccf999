"""How the claims of `theory.volhejn2020.training` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, small
from proofs_check.trials.operators import (
    MORE,
    Kind,
    Mutant,
    both_ways,
    bounds,
    left,
    negated,
    right,
    with_sides,
    without,
)
from theory.checks import rationals
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure, square_root
from theory.volhejn2020 import training
from theory.volhejn2020.training import V10, V10A, V10B, V11, V11A, V11B, V11C, V11D


@st.composite
def layers(draw: st.DrawFn) -> Instance:
    """Draw the sizes of a layer and a scale, 1 and 2 more often than others."""
    scale = draw(st.one_of(st.sampled_from([Fraction(1), Fraction(1), Fraction(2)]), small.filter(lambda v: v > 0)))
    return Instance({"fan_in": draw(st.integers(1, 9)), "fan_out": draw(st.integers(1, 9)), "scale": scale}, "drawn")


@st.composite
def families(draw: st.DrawFn) -> Instance:
    """Draw candidates by their values at a few points: right up to a place, or wrong at one place; and a threshold.

    The first meets all targets as a rule. One training set is a part of the other as a rule.
    """
    n, candidates = draw(st.integers(2, 4)), 3
    y = [draw(few) for _ in range(n)]
    values = [list(y)]
    for _ in range(candidates - 1):
        place, error = (
            draw(st.sampled_from([0, 0, *range(1, n)])),
            draw(st.sampled_from([Fraction(1, 2), Fraction(-1)])),
        )
        onwards = draw(st.booleans())
        values.append([v + (error if at == place or (onwards and at > place) else 0) for at, v in enumerate(y)])
    if draw(st.sampled_from([False, False, False, False, True])):
        values[0][-1] += 1
    i, j = sorted(draw(st.integers(1, n)) for _ in range(2))
    measure = [draw(st.sampled_from([2, 1, 0])), *(draw(st.integers(0, 2)) for _ in range(candidates - 1))]
    return Instance(
        {
            "values": rationals(values),
            "y": rationals(y),
            "measure": rationals(measure),
            "sizes": draw(st.sampled_from([(i, j), (i, i), (j, i)])),
            "threshold": draw(st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1)])),
        },
        "drawn",
    )


@st.composite
def overtaken(draw: st.DrawFn) -> Instance:
    """Draw two candidates, one that meets all targets and one that misses the first or those after a place, and two sizes."""
    n, first = draw(st.integers(2, 3)), draw(st.booleans())
    place, y = draw(st.integers(1, n - 1)), [draw(few) for _ in range(n)]
    missing = [v + int(at == 0 if first else at >= place) for at, v in enumerate(y)]
    return Instance(
        {
            "values": rationals([y, missing]),
            "y": rationals(y),
            "measure": rationals([2, draw(st.sampled_from([1, 0, 3]))]),
            "sizes": draw(st.sampled_from([(place, n), (place, place), (n, place)])),
            "threshold": Fraction(3, 4),
        },
        "drawn",
    )


@st.composite
def growing_data(draw: st.DrawFn) -> Instance:
    """Draw data in the order in which they are added, on a line or not, and two sizes."""
    x = draw(st.lists(small, min_size=1, max_size=6, unique=True))
    slope = draw(few)
    y = [slope * v for v in x] if draw(st.booleans()) else [draw(few) for _ in x]
    i, j = (draw(st.integers(1, len(x))) for _ in range(2))
    sizes = (i, j) if draw(st.sampled_from([False, False, False, True])) else (min(i, j), max(i, j))
    return Instance({"x": rationals(x), "y": rationals(y), "sizes": sizes}, "drawn")


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


TRIALS = (
    Trial(V10, instances=layers()),
    Trial(
        V10A,
        instances=layers(),
        mutants=(
            *both_ways(V10A),
            right(V10A, "3 for 6, as printed", Kind.DROPPED, lambda given: square_root(training.printed_square(given))),
            right(V10A, "without alpha", Kind.DROPPED, lambda given: square_root(training.glorot_square(given))),
            right(
                V10A,
                "n_in for the mean of the fans",
                Kind.DROPPED,
                lambda given: square_root(Fraction(3 * given["scale"] / given["fan_in"])),
            ),
        ),
    ),
    Trial(
        V10B,
        instances=layers(),
        mutants=(
            negated(V10B),
            right(V10B, "alpha = 1", Kind.CONSTANT, lambda given: bool(given["scale"] == 1)),
            right(V10B, "alpha = 2.02", Kind.CONSTANT, lambda given: bool(given["scale"] == 2 * MORE)),
            right(V10B, "alpha >= 2", Kind.BOUNDARY, lambda given: bool(given["scale"] >= 2)),
        ),
    ),
    Trial(V11, instances=st.one_of(families(), overtaken()), mutants=_selecting(V11, training.interpolates)),
    Trial(V11A, instances=st.one_of(families(), overtaken())),
    Trial(
        V11B,
        instances=st.one_of(families(), overtaken()),
        mutants=(
            *_selecting(V11B, training.total_loss_below),
            with_sides(V11B, "the mean loss for the sum", Kind.DROPPED, _mean_below),
        ),
    ),
    Trial(V11C, instances=growing_data()),
    Trial(
        V11D,
        instances=growing_data(),
        mutants=(
            *bounds(V11D),
            without(V11D, "D_i is a part of D_j"),
            with_sides(V11D, "the mean over pairs for the sum", Kind.DROPPED, _means),
        ),
    ),
)
