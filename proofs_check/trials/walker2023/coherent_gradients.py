"""How the claims of `theory.walker2023.coherent_gradients` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import reflection, small, whole
from proofs_check.trials.operators import (
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
from theory.claim import Assumption, Claim, Instance
from theory.walker2023 import coherent_gradients
from theory.walker2023.coherent_gradients import (
    W8,
    W8A,
    W8B,
    W8C,
    W8D,
    W8E,
    W9,
    W9A,
    W9B,
    W9C,
    W11,
    W11A,
    W11B,
    W11C,
    W11D,
    W11E,
    W11F,
)


@st.composite
def distributions(draw: st.DrawFn) -> Instance:
    """Draw a few vectors, equal or opposite or 0 at times, with weights of which some are 0, a factor and a number of draws."""
    m, d = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    row = st.lists(st.integers(-2, 2), min_size=d, max_size=d)
    rows = [draw(row)]
    for _ in range(m - 1):
        rows.append(draw(st.one_of(row, st.just(rows[0]), st.just([-v for v in rows[0]]))))
    weights = draw(st.lists(st.integers(0, 3), min_size=m, max_size=m).filter(any))
    return Instance(
        {
            "vectors": rationals(rows),
            "probabilities": rationals(weights) / sum(weights),
            "factor": draw(small),
            "draws": draw(st.integers(1, 3)),
        },
        "drawn",
    )


@st.composite
def samples(draw: st.DrawFn) -> Instance:
    """Draw gradients of a sample: along the axes, so that they are orthogonal, or any; in batches."""
    m, d = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    if draw(st.booleans()):
        rows = [[draw(whole) if i == j else 0 for j in range(max(m, d))] for i in range(m)]
    else:
        rows = [draw(st.lists(whole, min_size=d, max_size=d)) for _ in range(m)]
    return Instance({"vectors": rationals(rows), "group": draw(st.integers(1, m))}, "drawn")


@st.composite
def copied(draw: st.DrawFn) -> Instance:
    """Draw directions, mostly orthogonal ones, and how often a sample holds each."""
    d = draw(st.integers(1, 3))
    rows = np.diag(rationals(draw(st.lists(whole, min_size=d, max_size=d))))
    if draw(st.booleans()):
        rows = rows @ reflection(draw(st.lists(whole, min_size=d, max_size=d).filter(any)))
    elif draw(st.sampled_from([False, False, True])):
        rows = rationals(draw(st.lists(st.lists(whole, min_size=d, max_size=d), min_size=d, max_size=d)))
    return Instance({"directions": rows, "copies": draw(st.integers(1, 4))}, "drawn")


@st.composite
def in_batches(draw: st.DrawFn) -> Instance:
    """Draw gradients of a sample that parts into batches in several ways, or into one."""
    m, k = draw(st.sampled_from([(2, 1), (3, 1), (4, 2), (4, 2), (4, 2), (6, 2), (6, 3), (2, 2), (3, 2)]))
    row = st.lists(st.integers(-1, 2), min_size=2, max_size=2)
    return Instance({"vectors": rationals([draw(row) for _ in range(m)]), "group": k}, "drawn: in batches")


def _different_pairs(given: Instance) -> Fraction:
    """W8 without the pairs of a vector with itself."""
    vectors, p = given["vectors"], given["probabilities"]
    same = Fraction((p**2 * (vectors * vectors).sum(axis=1)).sum()) / coherent_gradients.size(vectors, p)
    value = coherent_gradients.alpha(vectors, p) - same
    return max(value, 1 - value)


def _first_coordinate(given: Instance) -> bool:
    return bool((given["probabilities"] @ given["vectors"])[0] == 0)


def _value(given: Instance) -> Fraction:
    return coherent_gradients.alpha(given["vectors"], given["probabilities"])


def _of_means(given: Instance) -> Fraction:
    return coherent_gradients.alpha(*coherent_gradients.means_of(given))


def _in_a_sample(value: Callable[[Instance], Fraction], shift: int = 0) -> Callable[[Instance], Fraction]:
    """Return W11.f's right side with another value for A, or for m another number of examples."""
    return lambda g: coherent_gradients.without_replacement(value(g), g["group"], len(g["vectors"]) + shift)


def _harmonic(given: Instance) -> Fraction:
    each = coherent_gradients.coherences_of_batches(given)
    return len(each) / sum((1 / a for a in each), Fraction(0))


def _arithmetic(given: Instance) -> Fraction:
    each = coherent_gradients.coherences_of_batches(given)
    return sum(each, Fraction(0)) / len(each)


def _one_partition(given: Instance) -> Fraction:
    return coherent_gradients.coherences_of_batches(given)[0]


def _only_zero(given: Instance) -> bool:
    return _value(given) == 0


def _some_zero(claim: Claim) -> Mutant:
    """Return W9.c for directions of which some are 0."""
    kept = tuple(a for a in claim.assumptions if a.name != "no direction is 0")
    weaker = Assumption("not all directions are 0", lambda given: bool(np.any(given["directions"] != 0)), bool)
    return Mutant("directions that are 0", Kind.ASSUMPTION, replace(claim, assumptions=(*kept, weaker)))


TRIALS = (
    Trial(
        W8,
        instances=distributions(),
        mutants=(
            *bounds(W8),
            left(W8, "pairs of different vectors", Kind.OFF_BY_ONE, _different_pairs),
        ),
        spared={"sides: size for pairwise in alpha": "true: 1 lies between 0 and 1"},
    ),
    Trial(W8A, instances=distributions()),
    Trial(
        W8B,
        instances=distributions(),
        mutants=(
            negated(W8B),
            right(W8B, "the first coordinate of the mean", Kind.DROPPED, _first_coordinate),
            without(W8B, "E[v.v] > 0"),
        ),
    ),
    Trial(W8C, instances=distributions()),
    Trial(
        W8D,
        instances=distributions(),
        mutants=(
            negated(W8D),
            with_sides(W8D, "of any probability, as printed", Kind.DROPPED, coherent_gradients.W8C.sides),
            without(W8D, "E[v.v] > 0"),
        ),
    ),
    Trial(
        W8E,
        instances=distributions(),
        mutants=(
            *both_ways(W8E),
            right(W8E, "|k| alpha", Kind.DROPPED, lambda g: abs(g["factor"]) * _value(g)),
        ),
    ),
    Trial(
        W9,
        instances=samples(),
        mutants=(
            *both_ways(W9),
            right(W9, "1 / (m + 1)", Kind.OFF_BY_ONE, lambda g: Fraction(1, len(g["vectors"]) + 1)),
            without(W9, "the gradients are pairwise orthogonal"),
        ),
    ),
    Trial(
        W9A,
        instances=copied(),
        mutants=(
            *both_ways(W9A),
            right(W9A, "k + 1", Kind.OFF_BY_ONE, lambda g: Fraction(g["copies"] + 1)),
            right(W9A, "m for k", Kind.DROPPED, lambda g: Fraction(g["copies"] * len(g["directions"]))),
            without(W9A, "the directions are pairwise orthogonal"),
        ),
    ),
    Trial(W9B, instances=copied()),
    Trial(
        W9C,
        instances=copied(),
        mutants=(
            *both_ways(W9C),
            with_sides(W9C, "without itself, as printed", Kind.OFF_BY_ONE, coherent_gradients.W9B.sides),
            without(W9C, "the directions are pairwise orthogonal"),
            _some_zero(W9C),
        ),
    ),
    Trial(
        W11,
        instances=distributions(),
        mutants=(
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
                lambda g: coherent_gradients.formula(_value(g), g["draws"] + 1),
            ),
        ),
    ),
    Trial(W11A, instances=distributions()),
    Trial(
        W11B,
        instances=distributions(),
        mutants=(
            negated(W11B),
            without(W11B, "k >= 2"),
            right(W11B, "only at 0", Kind.DROPPED, _only_zero),
        ),
    ),
    Trial(W11C, instances=distributions(), mutants=bounds(W11C)),
    Trial(
        W11D,
        instances=distributions(),
        mutants=(
            *both_ways(W11D),
            right(W11D, "alpha / k", Kind.DROPPED, lambda g: _of_means(g) / g["draws"]),
            right(
                W11D,
                "k + 1 for k",
                Kind.OFF_BY_ONE,
                lambda g: coherent_gradients.inverse_formula(_of_means(g), g["draws"] + 1),
            ),
        ),
    ),
    Trial(W11E, instances=samples()),
    Trial(
        W11F,
        instances=in_batches(),
        mutants=(
            *both_ways(W11F),
            right(
                W11F,
                "independent draws, as printed",
                Kind.DROPPED,
                lambda g: coherent_gradients.inverse_formula(_harmonic(g), g["group"]),
            ),
            right(W11F, "m + 1 for m", Kind.OFF_BY_ONE, _in_a_sample(_harmonic, 1)),
            right(W11F, "the mean of alpha, not of 1/alpha", Kind.MIN_MAX, _in_a_sample(_arithmetic)),
            right(W11F, "one partition", Kind.DROPPED, _in_a_sample(_one_partition)),
        ),
    ),
)
