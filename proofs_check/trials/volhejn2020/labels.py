"""How the claims of `theory.volhejn2020.labels` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, small
from proofs_check.trials.operators import (
    LESS,
    Kind,
    both_ways,
    bounds,
    left,
    negated,
    right,
    without,
)
from proofs_check.trials.volhejn2020.common import distinct_pairs
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, square_root
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights
from theory.volhejn2020 import labels
from theory.volhejn2020.labels import V14, V14A, V14B, V14C, V14D, V26, V26A


@st.composite
def fitted(draw: st.DrawFn) -> Instance:
    """Draw data on a line and a network through them, exactly or up to residuals, bent between them at times."""
    x = rationals(sorted(draw(st.sets(few.map(lambda v: 2 * v), min_size=1, max_size=4))))
    y = [draw(few) for _ in x]
    if draw(st.booleans()):
        y = sorted(y, reverse=draw(st.booleans()))
    residuals = [draw(few) / 4 for _ in x] if draw(st.sampled_from([False, False, True])) else [Fraction(0)] * len(x)
    outputs = rationals([target + r for target, r in zip(y, residuals, strict=True)])
    if len(x) == 1:
        return Instance({"weights": Weights([], [], [], outputs[0]), "x": x, "y": rationals(y)}, "drawn")
    f = PiecewiseLinear.interpolate(x, outputs)
    # A tent between two neighbouring points, which vanishes at both: interpolation is kept.
    gap, height = draw(st.integers(0, len(x) - 2)), draw(st.sampled_from([0, 0, 1, -3]))
    middle, wide = (x[gap] + x[gap + 1]) / 2, x[gap + 1] - x[gap]
    slope = 2 * height / wide
    bent = PiecewiseLinear(
        rationals([*f.knots, x[gap], middle, x[gap + 1]]),
        rationals([*f.jumps, slope, -2 * slope, slope]),
        f.slope,
        f.value,
        f.anchor,
    )
    order = draw(st.permutations(range(len(x))))
    return Instance(
        {"weights": bent.to_weights(), "x": x[list(order)], "y": rationals([y[place] for place in order])}, "drawn"
    )


@st.composite
def shortened(draw: st.DrawFn) -> Instance:
    """Draw two points and a line that falls short of both labels by the same, or nearly: what a loss costs at most."""
    x, y = [draw(few), Fraction(3)], [draw(few), draw(few)]
    share, off = draw(st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 3)])), draw(st.sampled_from([0, 0, 1]))
    rise = y[1] - y[0]
    f = PiecewiseLinear.interpolate(rationals(x), rationals([y[0] + share * rise, y[1] - share * rise + off]))
    return Instance({"weights": f.to_weights(), "x": rationals(x), "y": rationals(y)}, "drawn")


@st.composite
def labelled(draw: st.DrawFn) -> Instance:
    """Draw data on a line with labels -1 and 1, half of each as a rule, the classes apart or mixed."""
    half = draw(st.integers(1, 3))
    labels = list(draw(st.permutations([-1] * half + [1] * half)))
    if draw(st.booleans()):
        labels = sorted(labels)
    if draw(st.sampled_from([False, False, False, True])):
        labels = [*labels, 1]
    x = draw(st.lists(small, min_size=len(labels), max_size=len(labels), unique=True).map(sorted))
    return Instance({"x": rationals(x), "y": rationals(labels)}, "drawn")


sizes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5)).map(
    lambda drawn: Instance(dict(zip(("first_count", "second_count", "limit"), drawn, strict=True)), "drawn")
)
"""How many there are of two classes, and how many are kept of each."""


def _one_gap_further(given: Instance) -> Fraction:
    n = len(given["y"])
    return sum((change * 2 * j * (n - j + 1) for change, j in labels.gap_changes(given)), Fraction(0)) / n**2


def _largest_gap(given: Instance) -> Fraction:
    return Fraction(labels.pair_gaps(given).max())


def _with_loss(factor: Callable[[int], Fraction]) -> Callable[[Instance], Enclosure]:
    """Return the right side of V14.d with another factor of sqrt L for n points."""

    def side(given: Instance) -> Enclosure:
        root, gap, size = (
            square_root(labels.mean_loss(given)),
            labels.label_gap(given),
            factor(len(given["y"])),
        )
        return Enclosure(gap - size * root.upper, gap - size * root.lower)

    return side


TRIALS = (
    Trial(
        V14,
        instances=fitted(),
        mutants=(
            *bounds(V14),
            without(V14, "zero loss"),
            right(
                V14,
                "1/(n (n - 1)) for 1/n^2",
                Kind.OFF_BY_ONE,
                lambda given: distinct_pairs(given, "y") * labels.label_gap(given),
            ),
            right(V14, "the largest difference for the mean", Kind.MIN_MAX, _largest_gap),
        ),
    ),
    Trial(
        V14A,
        instances=labelled(),
        mutants=(
            *both_ways(V14A),
            without(V14A, "half of the labels are -1, half 1"),
            left(
                V14A,
                "1/(n (n - 1)) for 1/n^2",
                Kind.OFF_BY_ONE,
                lambda given: distinct_pairs(given, "y") * labels.label_gap(given),
            ),
            left(V14A, "the largest difference for the mean", Kind.MIN_MAX, _largest_gap),
        ),
    ),
    Trial(V14B, instances=labelled()),
    Trial(
        V14C,
        instances=fitted(),
        mutants=(
            *bounds(V14C),
            without(V14C, "zero loss"),
            right(V14C, "n - j + 1 for n - j", Kind.OFF_BY_ONE, _one_gap_further),
        ),
    ),
    Trial(
        V14D,
        instances=st.one_of(fitted(), shortened()),
        mutants=(
            *bounds(V14D),
            right(V14D, "1.98 (1 - 1/n) sqrt L", Kind.CONSTANT, _with_loss(lambda n: 2 * LESS * Fraction(n - 1, n))),
            right(V14D, "(1 - 1/n) sqrt L", Kind.DROPPED, _with_loss(lambda n: Fraction(n - 1, n))),
            right(V14D, "without the loss", Kind.DROPPED, _with_loss(lambda n: Fraction(0))),
            right(V14D, "2 (1 - 2/n) sqrt L", Kind.OFF_BY_ONE, _with_loss(lambda n: Fraction(2 * (n - 2), n))),
        ),
    ),
    Trial(V26, instances=sizes),
    Trial(
        V26A,
        instances=sizes,
        mutants=(
            negated(V26A),
            right(
                V26A, "of equal classes only", Kind.DROPPED, lambda given: given["first_count"] == given["second_count"]
            ),
            right(
                V26A,
                "a limit below both",
                Kind.BOUNDARY,
                lambda given: given["limit"] < min(given["first_count"], given["second_count"]),
            ),
            right(
                V26A,
                "a limit up to the larger",
                Kind.MIN_MAX,
                lambda given: given["limit"] <= max(given["first_count"], given["second_count"]),
            ),
        ),
    ),
)
