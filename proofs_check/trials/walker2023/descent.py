"""How the claims of `theory.walker2023.descent` are put to the test."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.trial import Trial
from proofs_check.trials.common import small, whole
from proofs_check.trials.operators import (
    Kind,
    both_ways,
    left,
    moved,
    right,
    strict,
    turned,
    without,
)
from proofs_check.trials.walker2023.common import root_of, times
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.walker2023 import descent
from theory.walker2023.descent import W10, W10A, W12, W12A, W12B, W12C, W13, W13A, W13B


@st.composite
def losses_on_the_line(draw: st.DrawFn) -> Instance:
    """Draw two or three losses of one weight with few pieces, step sizes and samples."""
    n, k, t = draw(st.integers(2, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    m = draw(st.integers(1, 2))
    curves = []
    for _ in range(n):
        knots = sorted(draw(st.lists(st.integers(-6, 6), min_size=k, max_size=k, unique=True)))
        curves.append([knots, [Fraction(draw(whole), 2) for _ in range(k)]])
    sample = draw(st.lists(st.integers(0, n), min_size=m, max_size=m))
    step = st.sampled_from([Fraction(v) for v in (Fraction(1, 2), 1, 2, 10)])
    return Instance(
        {
            "loss_slopes": rationals(curves),
            "step_sizes": rationals([draw(step) for _ in range(t)]),
            "sample": tuple(sample),
            "sample_size": m,
        },
        "drawn",
    )


@st.composite
def walls(draw: st.DrawFn) -> Instance:
    """Draw losses that one step takes to the bottom of a well of their own, far up the walls of the others'."""
    n, lipschitz = draw(st.sampled_from([2, 3, 3])), Fraction(draw(st.sampled_from([1, 2, 4, 4])), 2)
    reach, apart = draw(st.sampled_from([100, 400, 1000])), Fraction(1, draw(st.sampled_from([20, 40])))
    m, tip = draw(st.integers(1, 2)), 1
    curves = []
    for z in range(n):
        share = 1 - z * apart
        # With two examples the weights end up between the wells too.
        bottom = reach * share * lipschitz
        curves.append([[0, 1, bottom - tip, bottom + tip], [-share * lipschitz, -lipschitz, -lipschitz, lipschitz]])
    return Instance(
        {
            "loss_slopes": rationals(curves),
            "step_sizes": rationals([reach]),
            "sample": (0,) * m,
            "sample_size": m,
        },
        "drawn: walls",
    )


@st.composite
def wells(draw: st.DrawFn) -> Instance:
    """Draw losses whose runs are close together after one step, and at the bottom of wells of their own after two."""
    reach, apart = draw(st.sampled_from([10, 20, 40, 100])), Fraction(1, draw(st.sampled_from([6, 10, 20])))
    instance = descent.wells(reach=reach, offset=apart, sample=(draw(st.integers(0, 2)),))
    return Instance(instance.given, "drawn: wells")


on_the_line: SearchStrategy[Instance] = st.one_of(losses_on_the_line(), walls(), walls(), wells())


@st.composite
def coordinates(draw: st.DrawFn) -> Instance:
    """Draw one coordinate of the gradients, some of them outliers, and a level: 0, 50, or just enough for the outliers."""
    m = draw(st.integers(1, 7))
    outliers = sorted(draw(st.sets(st.integers(0, m - 1), max_size=draw(st.sampled_from([1, m // 2, m])))))
    far = st.sampled_from([Fraction(-1000), Fraction(1000)])
    values = [draw(far) if i in outliers else draw(whole) for i in range(m)]
    enough = Fraction(100 * len(outliers), m - 1) if m > 1 else Fraction(0)
    plain = [Fraction(0), Fraction(1, 2), Fraction(50), Fraction(99, 2)]
    level = draw(st.sampled_from([*plain, enough, enough, enough * Fraction(995, 1000)]))
    return Instance(
        {
            "values": rationals(values),
            "level": min(level, Fraction(50)),
            "outliers": tuple(outliers),
            "groups": draw(st.integers(1, m + 1)),
        },
        "drawn",
    )


@st.composite
def barely(draw: st.DrawFn) -> Instance:
    """Draw a coordinate with one outlier or two, and the level that is just enough for them, or half a per cent less."""
    m = draw(st.integers(3, 6))
    outliers = tuple(range(draw(st.integers(1, (m - 1) // 2))))
    far = draw(st.sampled_from([Fraction(-1000), Fraction(1000)]))
    values = [far if i in outliers else Fraction(draw(st.integers(0, 1))) for i in range(m)]
    level = Fraction(100 * len(outliers), m - 1) * draw(st.sampled_from([Fraction(1), Fraction(995, 1000)]))
    return Instance(
        {"values": rationals(values), "level": level, "outliers": outliers, "groups": draw(st.integers(1, m))},
        "drawn: barely",
    )


def _entry(number: int) -> Instance:
    given = {"design": descent.RANDOM, "labels": descent.REAL_LABELS, "entry": number}
    return Instance(given, "drawn")


@st.composite
def motivating(draw: st.DrawFn) -> Instance:
    """Draw data sets like those of the motivating example: of any size, the shared entry of any strength."""
    return Instance(
        {
            "examples": draw(st.integers(1, 5)),
            "strength": draw(st.one_of(st.sampled_from([Fraction(0), Fraction(1)]), small.map(abs))),
            "step_size": draw(st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(4, 5), Fraction(1)])),
            "steps": draw(st.integers(0, 4)),
        },
        "drawn",
    )


def _no_growth(given: Instance) -> Enclosure:
    return descent.expected_bound(given, Fraction(0))


def _fewer_steps(given: Instance) -> Enclosure:
    fewer = given.but(step_sizes=given["step_sizes"][:-1])
    return descent.W10A.sides(fewer)[1] if len(fewer["step_sizes"]) else Enclosure.exactly(Fraction(0))


def _over_lipschitz(given: Instance) -> Fraction:
    lipschitz = descent.constants(given["loss_slopes"])[0]
    return 1 / lipschitz if lipschitz else Fraction(1)


def _clipped_above(given: Instance) -> Fraction:
    """Return the mean of values clipped to the upper percentile only, at c = 50 the median."""
    middle = descent.median(given["values"])
    return descent.plain_mean(rationals([min(value, middle) for value in given["values"]]))


def _lower_middle(given: Instance) -> Fraction:
    values = np.sort(given["values"])
    return Fraction(values[(len(values) - 1) // 2])


def _plain(given: Instance) -> Enclosure:
    return descent.beyond(descent.plain_mean(given["values"]), descent.inliers(given))


def _mean_of_means(given: Instance) -> Enclosure:
    return descent.beyond(descent.plain_mean(given["values"]), descent.untouched_means(given))


def _example(given: Instance) -> tuple[int, Fraction]:
    return given["examples"], given["strength"]


FEW, FEWER = "at most c (m - 1) / 100 outliers", "fewer than k / 2 groups have outliers"


def _fewer_examples(given: Instance) -> Fraction:
    """W13.a with s^2 for m s^2."""
    m, s = _example(given)
    return (1 + s**2) / (m * (1 + s**2))


TRIALS = (
    Trial(W13, instances=st.integers(0, 5).map(_entry)),
    Trial(
        W13A,
        instances=motivating(),
        mutants=(
            *both_ways(W13A),
            right(W13A, "s^2 for m s^2", Kind.DROPPED, _fewer_examples),
        ),
    ),
    Trial(
        W13B,
        instances=motivating(),
        mutants=(
            *both_ways(W13B),
            right(
                W13B,
                "t + 1 for t",
                Kind.OFF_BY_ONE,
                lambda given: Fraction(W13B.sides(given.but(steps=given["steps"] + 1))[1].lower),
            ),
            times(W13B, "s for m s", Kind.DROPPED, lambda given: Fraction(1, given["examples"])),
        ),
    ),
    Trial(W10, instances=on_the_line),
    Trial(
        W10A,
        instances=on_the_line,
        mutants=(
            right(W10A, "no growth of differences", Kind.DROPPED, _no_growth),
            right(W10A, "one step fewer", Kind.OFF_BY_ONE, _fewer_steps),
            times(W10A, "L for L^2", Kind.DROPPED, _over_lipschitz),
            times(W10A, "m^2 for m", Kind.DROPPED, lambda given: Fraction(1, given["sample_size"])),
            times(W10A, "sqrt(1 - alpha)", Kind.DROPPED, lambda given: root_of(Fraction(1, 2))),
            turned(W10A),
            strict(W10A),
        ),
    ),
    Trial(
        W12,
        instances=st.one_of(coordinates(), coordinates(), barely()),
        mutants=(*both_ways(W12), without(W12, "c = 0")),
    ),
    Trial(
        W12A,
        instances=st.one_of(coordinates(), coordinates(), barely()),
        mutants=(
            *both_ways(W12A),
            without(W12A, "c = 50"),
            right(W12A, "clipped from above only", Kind.DROPPED, _clipped_above),
            right(W12A, "the lower of the middle two", Kind.OFF_BY_ONE, _lower_middle),
        ),
    ),
    Trial(
        W12B,
        instances=st.one_of(coordinates(), coordinates(), barely()),
        mutants=(
            moved(W12B, FEW, lambda excess: excess <= Fraction(1, 100), "one per cent more outliers"),
            moved(W12B, FEW, lambda excess: excess <= 1, "one outlier more", Kind.OFF_BY_ONE),
            without(W12B, FEW),
            left(W12B, "no clipping", Kind.DROPPED, _plain),
            turned(W12B),
            strict(W12B),
        ),
        spared={"without: some example is no outlier": "true: m outliers are more than c (m - 1) / 100"},
    ),
    Trial(
        W12C,
        instances=st.one_of(coordinates(), coordinates(), barely()),
        mutants=(
            moved(W12C, FEWER, lambda share: share <= 1, "at most k / 2", Kind.BOUNDARY),
            moved(W12C, FEWER, lambda share: share < 2, "some group has none", Kind.ASSUMPTION),
            left(W12C, "the mean for the median", Kind.DROPPED, _mean_of_means),
            turned(W12C),
            strict(W12C),
        ),
        spared={"without: k is at most m": "some groups are empty then, and have no mean"},
    ),
)
