"""How the claims of `theory.beyond.training_loss` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import on_data
from proofs_check.trials.operators import LESS, Kind, Mutant, bounds, right, with_sides, without
from theory.assumptions import off_the_data
from theory.beyond import training_loss
from theory.beyond.training_loss import B7, B7A
from theory.checks import Array
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure
from theory.two_layer import Weights


@st.composite
def with_targets(draw: st.DrawFn) -> Instance:
    """Draw a network on data and targets that it meets, or misses by any amount, here and there or on one side."""
    instance = draw(on_data)
    x = instance["x"]
    noise = draw(
        st.one_of(
            st.lists(st.floats(-1, 1), min_size=len(x), max_size=len(x)),
            st.sampled_from([-1.0, 1.0]).map(lambda shift: [shift] * len(x)),
        )
    )
    scale = draw(st.sampled_from([0.0, 1e-6, 1e-2, 1.0, 100.0]))
    return instance.but(y=instance["weights"](x) + scale * np.array(noise))


@st.composite
def misfits(draw: st.DrawFn) -> Instance:
    """Draw two points, a steep balanced unit active on each, and targets that both outputs exceed: the loss counts most."""
    a = draw(st.sampled_from([0.1, 1.0, 3.0, 10.0]))
    knot, w1 = draw(st.sampled_from([0.0, 0.0, 0.0, 0.5])) * a, draw(st.sampled_from([1.0, 10.0, 30.0])) / a
    w2 = w1 * (a - knot) / np.hypot(1, a)
    weights, x = Weights([w1, -w1], [-w1 * knot, -w1 * knot], [w2, w2], 0.0), np.array([-a, a])
    excess = draw(st.sampled_from([0.1, 1.0, 1.0])) * np.array([1.0, draw(st.sampled_from([1.0, 1.0, 0.5]))])
    return Instance({"weights": weights, "x": x, "y": weights(x) + excess}, "drawn: misfit")


at_a_loss: SearchStrategy[Instance] = st.one_of(with_targets(), misfits())


def _with_loss(claim: Claim, name: str, kind: Kind, factor: Callable[[Array], Enclosure]) -> Mutant:
    """Return B7 or B7.a with another factor of sqrt(2 L), by its square as a function of x."""
    return with_sides(claim, name, kind, lambda given: training_loss.loss_sides(given, factor))


def _times(factor: Callable[[Array], Enclosure], share: Fraction) -> Callable[[Array], Enclosure]:
    return lambda x: Enclosure(*(share**2 * Fraction(end) for end in (factor(x).lower, factor(x).upper)))


def _nothing(_: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(0))


def _half_moved(given: Instance) -> Enclosure:
    """Return the right side of B7.a with its -1/2 moved by one per cent."""
    rhs, off = training_loss.loss_sides(given, training_loss.sharp_factor)[1], Fraction(1, 200)
    return Enclosure(rhs.lower - off, rhs.upper - off)


def _radius(x: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(max(abs(v) for v in x)) ** 2)


def _one(_: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(1))


def _quarter(_: Array) -> Enclosure:
    return Enclosure.exactly(Fraction(1, 4))


def _mean_square(x: Array) -> Enclosure:
    return Enclosure.exactly(sum(x**2, Fraction(0)) / len(x) / 4)


def _toggling(claim: Claim, why: str) -> Mutant:
    return replace(without(claim, off_the_data().name), equivalent=why)


LOOSE = "true: half of the printed loss term suffices (B7.a)"


TOGGLES = (
    "true: a unit that toggles on a data point counts as inactive there, for which the proof holds as well; but the loss "
    "then has no Hessian"
)


TRIALS = (
    Trial(
        B7,
        instances=at_a_loss,
        mutants=(
            *bounds(B7),
            _with_loss(B7, "without the loss", Kind.DROPPED, _nothing),
            _with_loss(B7, "sqrt(2 L) without R", Kind.DROPPED, _one),
            _with_loss(B7, "R for R + 1", Kind.OFF_BY_ONE, _radius),
            replace(
                _with_loss(B7, "loss term x 0.99", Kind.CONSTANT, _times(training_loss.printed_factor, LESS)),
                equivalent=LOOSE,
            ),
            _toggling(B7, TOGGLES),
        ),
        oracle=oracles.b7,
    ),
    Trial(
        B7A,
        instances=at_a_loss,
        mutants=(
            *bounds(B7A),
            right(B7A, "1/2 off by 1 %", Kind.CONSTANT, _half_moved),
            _with_loss(B7A, "without the loss", Kind.DROPPED, _nothing),
            _with_loss(B7A, "half of the loss term", Kind.CONSTANT, _times(training_loss.sharp_factor, Fraction(1, 2))),
            _with_loss(B7A, "1 for M", Kind.DROPPED, _quarter),
            _with_loss(B7A, "E[X^2] for M", Kind.MIN_MAX, _mean_square),
            _toggling(B7A, TOGGLES),
        ),
        oracle=oracles.b7a,
    ),
)
