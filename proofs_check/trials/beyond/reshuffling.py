"""How the claims of `theory.beyond.reshuffling` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.beyond.common import TWO, bases, beside, curvatures, indefinite, near, systems, with_more
from proofs_check.trials.operators import (
    MORE,
    Kind,
    Mutant,
    both_ways,
    bounds,
    right,
    with_sides,
    without,
)
from theory.beyond import mean_square, reshuffling
from theory.beyond.reshuffling import B9, B9A, B9B, B9C, B9D, B9E, B9F
from theory.beyond.reshuffling_bounds import epoch_step
from theory.checks import rationals
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure
from theory.linear_stability import outer_products


@st.composite
def on_a_line(draw: st.DrawFn) -> Instance:
    """Draw curvatures of one dimension, equal or two apart at times, and a step size up to far beyond the threshold."""
    n = draw(st.integers(1, 4))
    sizes = draw(
        st.one_of(st.lists(st.integers(0, 5), min_size=n, max_size=n), st.integers(1, 4).map(lambda h: [h] * n))
    )
    far = draw(st.sampled_from([Fraction(1, 100), Fraction(1), Fraction(1)]))
    hessians = rationals([[[h * (far if i else 1)]] for i, h in enumerate(sizes)])
    batch = draw(st.one_of(st.just(1), st.integers(1, n)))
    step_size = near(draw, hessians, batch) if draw(st.booleans()) else Fraction(draw(st.integers(1, 100)))
    return with_more(draw, {"hessians": hessians, "step_size": step_size, "batch_size": batch}, n, 1)


@st.composite
def far_out(draw: st.DrawFn) -> Instance:
    """Draw a steep point and one or two flat ones on a line, and a step size near the one that the flat ones bear."""
    flat, times = draw(st.integers(2, 100)), draw(st.integers(1, 2))
    hessians = rationals([[[Fraction(1)]], *[[[Fraction(1, flat)]]] * times])
    step_size = flat * draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(99, 100), Fraction(11, 10)]))
    return with_more(draw, {"hessians": hessians, "step_size": step_size, "batch_size": 1}, 1 + times, 1)


@st.composite
def in_pairs(draw: st.DrawFn, batches: tuple[int, ...] = (1, 2)) -> Instance:
    """Draw three or four features in the plane, two or two pairs of them equal, and a step size near the threshold.

    Args:
        draw: what Hypothesis draws with.
        batches: the batch sizes.
    """
    pair, other = (draw(st.tuples(st.integers(-3, 3), st.integers(-3, 3))) for _ in range(2))
    if draw(st.booleans()):
        other = (0, other[1])
    features = [pair, pair, other, *([other] if draw(st.booleans()) else [])]
    hessians, batch = outer_products(*features), draw(st.sampled_from(batches))
    given = {"hessians": hessians, "step_size": near(draw, hessians, batch), "batch_size": batch}
    return with_more(draw, given, len(features), 2)


@st.composite
def two_points(draw: st.DrawFn) -> Instance:
    """Draw two Hessians, equal at times, and a step size near the threshold, where the growth of equal ones is 1, or 2/h."""
    first = draw(curvatures())[0]
    second = first if draw(st.booleans()) else draw(st.integers(0, 3)) * first + np.diag([Fraction(1)] * len(first))
    hessians = np.array([first, second], dtype=object)
    batch = draw(st.sampled_from([1, 1, 1, 2]))
    step_size = near(draw, hessians, batch) if draw(st.booleans()) else Fraction(draw(st.integers(1, 4)), 4)
    return with_more(draw, {"hessians": hessians, "step_size": step_size, "batch_size": batch}, 2, len(first))


@st.composite
def orthonormal(draw: st.DrawFn) -> Instance:
    """Draw an orthonormal basis, its features scaled at times, a batch size and any step size."""
    features = draw(bases()) * draw(st.sampled_from([1, 1, 1, 2]))
    n, step_size = len(features), Fraction(draw(st.integers(1, 40)), 8)
    given = {"hessians": outer_products(*features), "step_size": step_size, "batch_size": draw(st.integers(1, n))}
    return with_more(draw, given, n, features.shape[1])


@st.composite
def left_over(draw: st.DrawFn) -> Instance:
    """Draw a steep point among two or three flat ones, and batches that leave one point over."""
    batch, flat = draw(st.integers(2, 3)), draw(st.sampled_from([0, 0, 1]))
    hessians = rationals([[[draw(st.integers(1, 9))]], *[[[flat]]] * batch])
    given = {"hessians": hessians, "step_size": near(draw, hessians, batch), "batch_size": batch}
    return with_more(draw, given, batch + 1, 1)


@st.composite
def at_the_worst_batch(draw: st.DrawFn) -> Instance:
    """Draw a system and a step size at, or beside, the edge of the worst batch of an epoch."""
    instance = draw(st.one_of(systems(), on_a_line(), in_pairs(), left_over()))
    hessians, batch = instance["hessians"], instance["batch_size"]
    rest = len(hessians) % batch or batch
    # The trace of the largest sum, which is exact in one dimension and where one feature has it all.
    traces = sorted((Fraction(np.trace(h)) for h in hessians), reverse=True)
    most = max(sum(traces[:size], Fraction(0)) / size for size in draw(st.sampled_from([(batch, rest), (batch,)])))
    return instance.but(step_size=draw(beside) * (2 / most if most else 1))


EPOCHS: SearchStrategy[Instance] = st.one_of(systems(), on_a_line(), in_pairs(), in_pairs(), indefinite())


ON_A_LINE: SearchStrategy[Instance] = st.one_of(on_a_line(), on_a_line(), in_pairs(), systems())


def _last_left_out(given: Instance) -> Enclosure:
    """Return B9.a's right side without the last point."""
    hessians = mean_square.exact_hessians(given)[:-1]
    if len(hessians) < given["batch_size"]:
        return reshuffling.product_with_epoch(given, "second", "first")
    after = epoch_step(given["second"], hessians, Fraction(given["step_size"]), given["batch_size"])
    return Enclosure.exactly(Fraction(np.sum(after * given["first"])))


def _steps(claim: Claim, more: int, name: str) -> Mutant:
    return with_sides(claim, name, Kind.OFF_BY_ONE, lambda given: reshuffling.against_fresh(given, more))


def _worst(limit: Fraction, *, leftover: bool = True) -> Callable[[Instance], bool]:
    return lambda given: reshuffling.worst_batch(given, limit, leftover=leftover)


def _assuming(claim: Claim, name: str, kind: Kind, measure: Callable[[Instance], bool]) -> Mutant:
    """Return a claim of one assumption with another one in its place."""
    changed = replace(claim.assumptions[0], measure=measure)
    return Mutant(name, kind, replace(claim, assumptions=(changed, *claim.assumptions[1:])))


TRIALS = (
    Trial(B9, instances=st.one_of(far_out(), on_a_line())),
    Trial(
        B9A,
        instances=EPOCHS,
        mutants=(
            *both_ways(B9A),
            without(B9A, "B divides n"),
            right(B9A, "without the last point", Kind.OFF_BY_ONE, _last_left_out),
        ),
    ),
    Trial(B9B, instances=st.one_of(in_pairs(), in_pairs(), systems())),
    Trial(
        B9C,
        instances=st.one_of(two_points(), two_points(), ON_A_LINE),
        mutants=(
            *bounds(B9C),
            _steps(B9C, 1, "a step more"),
            _steps(B9C, -1, "a step fewer"),
            without(B9C, "n = 2"),
        ),
        oracle=oracles.b9,
    ),
    Trial(
        B9D,
        instances=st.one_of(ON_A_LINE, in_pairs((1,)), in_pairs((1,))),  # in the plane it fails on a few of these only
        mutants=(
            *bounds(B9D),
            _steps(B9D, 1, "a step more"),
            _steps(B9D, -1, "a step fewer"),
            without(B9D, "d = 1"),
            without(B9D, "B = 1"),
        ),
        oracle=oracles.b9,
    ),
    Trial(
        B9E,
        instances=st.one_of(orthonormal(), orthonormal(), systems()),
        mutants=(
            *both_ways(B9E),
            right(B9E, "q + 1 for q", Kind.OFF_BY_ONE, lambda given: reshuffling.orthonormal_growth(given, whole=1)),
            without(B9E, "orthonormal features, n = d"),
        ),
    ),
    Trial(
        B9F,
        instances=at_the_worst_batch(),
        mutants=(
            *bounds(B9F),
            _assuming(B9F, "eta H_batch <= 2.02", Kind.CONSTANT, _worst(2 * MORE)),
            _assuming(B9F, "the last batch left out", Kind.DROPPED, _worst(TWO, leftover=False)),
            without(B9F, "no batch expands: 0 <= eta H_batch <= 2"),
        ),
    ),
)
