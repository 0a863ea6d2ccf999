"""How the claims of `theory.volhejn2020.regularization` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few
from proofs_check.trials.operators import Kind, bounds, left, right, without
from proofs_check.trials.volhejn2020.ideals import measured
from theory.checks import rationals
from theory.claim import Instance
from theory.volhejn2020 import regularization as chapter
from theory.volhejn2020.ideals import measure_of
from theory.volhejn2020.regularization import V18, V18A, V18B, V18C

STRENGTHS = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(4)])


@st.composite
def candidates(draw: st.DrawFn) -> Instance:
    """Draw candidates for one or two targets, the first of which meets them as a rule; a strength, and two of them.

    The chosen one is among the best; by another loss at times, or by none.
    """
    n, m = draw(st.integers(1, 2)), draw(st.integers(2, 4))
    y = [draw(few) for _ in range(n)]
    errors = [[draw(st.sampled_from([0, 0, 1, -1, 2, -3])) for _ in range(n)] for _ in range(m)]
    if draw(st.sampled_from([True, True, True, True, False])):
        errors[0] = [0] * n
    measure = [Fraction(draw(st.integers(0, 4)), 2) for _ in range(m)]
    given = Instance(
        {
            "values": rationals([[target + e for target, e in zip(y, row, strict=True)] for row in errors]),
            "y": rationals(y),
            "measure": rationals(measure),
            "strength": draw(STRENGTHS),
            "other": draw(st.integers(0, m - 1)),
        },
        "drawn",
    )
    off = given["values"] - given["y"]
    wrong = draw(st.sampled_from([off.sum(axis=1), (off**3).sum(axis=1), (off**2).max(axis=1), 0 * measure[0]]))
    right = chapter.losses(given)
    total = (draw(st.sampled_from([right, right, wrong])) + given["strength"] * given["measure"]).tolist()
    return given.but(chosen=draw(st.sampled_from([place for place, value in enumerate(total) if value == min(total)])))


@st.composite
def penalised(draw: st.DrawFn) -> Instance:
    """Draw a network on its data, a measure and a strength."""
    return draw(measured()).but(strength=draw(STRENGTHS))


def _without_strength(given: Instance) -> Fraction:
    return chapter.least_interpolating(given) - chapter.of_chosen(given, given["measure"])


def _least_of_all(given: Instance) -> Fraction:
    saved = Fraction(min(given["measure"])) - chapter.of_chosen(given, given["measure"])
    return Fraction(given["strength"]) * saved


def _twice_shrunk(given: Instance) -> Fraction:
    t = chapter.shrinkage(given)
    return Fraction(given["strength"]) * measure_of(given) * (1 - t)


def _loss_alone(given: Instance) -> Fraction:
    """The right side with L in place of L + lambda S: half of t lambda S."""
    return Fraction(given["strength"]) * measure_of(given) * chapter.shrinkage(given) / 2


TRIALS = (
    Trial(V18, instances=candidates()),
    Trial(
        V18A,
        instances=candidates(),
        mutants=(
            *bounds(V18A),
            without(V18A, "f_lambda has the least L + lambda S"),
            without(V18A, "f fits no worse than f_lambda"),
            right(V18A, "the least S of all", Kind.MIN_MAX, lambda given: Fraction(min(given["measure"]))),
        ),
    ),
    Trial(
        V18B,
        instances=candidates(),
        mutants=(
            *bounds(V18B),
            without(V18B, "f_lambda has the least L + lambda S"),
            right(V18B, "without lambda", Kind.DROPPED, _without_strength),
            right(V18B, "the least S of all for S*", Kind.MIN_MAX, _least_of_all),
        ),
    ),
    Trial(
        V18C,
        instances=penalised(),
        mutants=(
            *bounds(V18C),
            right(V18C, "1 - t for 1 - t/2", Kind.CONSTANT, _twice_shrunk),
            right(V18C, "the loss for the regularised loss", Kind.DROPPED, _loss_alone),
            left(
                V18C,
                "shrunk by half of t",
                Kind.CONSTANT,
                lambda given: chapter.shrunk_loss(given, chapter.shrinkage(given) / 2),
            ),
        ),
    ),
)
