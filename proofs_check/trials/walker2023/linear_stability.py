"""How the claims of `theory.walker2023.linear_stability` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import linearised
from proofs_check.trials.operators import (
    LESS,
    MORE,
    Kind,
    left,
    moved,
    negated,
    right,
    stronger,
    turned,
    without,
)
from theory.assumptions import growth
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, top_eigenvalue
from theory.linear_stability import moments, noise_share, outer_products
from theory.walker2023.linear_stability import W1, W1A, W2, W2A, W2B, condition, sharpness_and_spread


@st.composite
def near_the_limit_on_spread(draw: st.DrawFn) -> Instance:
    """Draw three or four squared losses, linear in two small whole features, and a step size about eq 2's limit on s."""
    n, feature = draw(st.integers(3, 4)), st.tuples(st.integers(-2, 2), st.integers(-2, 2))
    hessians = outer_products(*(draw(feature) for _ in range(n)))
    batch = draw(st.sampled_from([1, 1, 1, 2]))
    given = Instance(
        {"hessians": hessians, "step_size": Fraction(1), "batch_size": batch}, "drawn: near the limit on s"
    )
    spread = float(sharpness_and_spread(given)[1].upper)
    share = Fraction(draw(st.sampled_from([900, 990, 1000, 1002, 1005, 1005, 1010, 1010, 1020, 1050, 1100])), 1000)
    return given.but(step_size=share / Fraction(spread).limit_denominator(1000) if spread > 0.1 else share)


@st.composite
def one_dimension_at_the_edge(draw: st.DrawFn) -> Instance:
    """Draw curvatures of one dimension and a step size at, or one per cent beside, 2 H / (H^2 + p Sigma)."""
    meeting = st.sampled_from([[0, 2], [0, 2], [1], [1, 1]])  # where eq 2 and W1's condition meet
    curvatures = draw(st.one_of(st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(any), meeting))
    n, batch = len(curvatures), draw(st.one_of(st.just(1), st.integers(1, len(curvatures))))
    mean = Fraction(sum(curvatures), n)
    share = Fraction(0) if n == 1 else Fraction(n - batch, batch * (n - 1))
    edge = 2 * mean / (mean**2 + share * (Fraction(sum(c * c for c in curvatures), n) - mean**2))
    factor = draw(
        st.sampled_from([Fraction(v, 1000) for v in (500, 991, 995, 999, 1000, 1000, 1001, 1004, 1009, 1050, 1200)])
    )
    hessians = rationals([[[c]] for c in curvatures])
    return Instance({"hessians": hessians, "step_size": factor * edge, "batch_size": batch}, "drawn: at the edge")


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


TRIALS = (
    Trial(
        W1,
        instances=st.one_of(linearised(), near_the_limit_on_spread(), one_dimension_at_the_edge()),
        mutants=(
            left(FREE, "condition at most 1.01", Kind.CONSTANT, _holds(condition, MORE)),
            left(FREE, "no noise term", Kind.DROPPED, _holds(_without_noise)),
            left(FREE, "n for n - 1", Kind.OFF_BY_ONE, _holds(_with_replacement)),
            right(FREE, "growth below 1", Kind.BOUNDARY, _below),
            replace(turned(FREE), name="the converse, in any dimension"),
            replace(negated(W1), name="unstable"),
        ),
        spared={f"without: {W1.assumptions[0].name}": "true: the left side of the implication says it once more"},
        oracle=oracles.w1,
    ),
    Trial(
        W1A,
        instances=st.one_of(
            linearised(dimensions=(1, 1)),
            near_the_limit_on_spread(),
            one_dimension_at_the_edge(),
            one_dimension_at_the_edge(),
        ),
        mutants=(
            left(W1A, "condition at most 1.01", Kind.CONSTANT, _holds(condition, MORE)),
            left(W1A, "condition at most 0.99", Kind.CONSTANT, _holds(condition, LESS)),
            left(W1A, "no noise term", Kind.DROPPED, _holds(_without_noise)),
            left(W1A, "n for n - 1", Kind.OFF_BY_ONE, _holds(_with_replacement)),
            right(W1A, "growth below 1", Kind.BOUNDARY, _below),
            negated(W1A),
            without(W1A, "d = 1"),
        ),
        oracle=oracles.w1,
    ),
    Trial(
        W2, instances=st.one_of(linearised(), near_the_limit_on_spread(), near_the_limit_on_spread()), oracle=oracles.w2
    ),
    Trial(
        W2A,
        instances=st.one_of(
            linearised(), near_the_limit_on_spread(), one_dimension_at_the_edge(), one_dimension_at_the_edge()
        ),
        mutants=(
            stronger(W2A),
            left(W2A, "a <= 1.98 / eta", Kind.CONSTANT, _one_part(0, MORE)),
            left(W2A, "a >= 0.02 / eta", Kind.CONSTANT, _above(MORE)),
            left(W2A, "s <= 0.99 / (eta sqrt(p))", Kind.CONSTANT, _one_part(1, MORE)),
            turned(W2A),
            without(W2A, CONDITION),
            moved(W2A, CONDITION, lambda v: v.upper <= MORE, "condition at most 1.01"),
        ),
        oracle=oracles.w2,
    ),
    Trial(W2B, instances=linearised()),
)
