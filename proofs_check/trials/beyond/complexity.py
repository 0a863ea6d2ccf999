"""How the claims of `theory.beyond.complexity` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios
from proofs_check.trials.operators import Kind, both_ways, left, right
from theory.batches import mean_of, sample_variance, variance_of_means
from theory.beyond.complexity import B14, B14A
from theory.checks import rationals
from theory.claim import Instance


@st.composite
def batches(draw: st.DrawFn) -> Instance:
    """Draw squared norms, equal ones among them, and a batch size."""
    norms = draw(st.lists(ratios(0, 4, 2), min_size=2, max_size=6))
    return Instance({"squared_norms": rationals(norms), "batch_size": draw(st.integers(1, len(norms)))}, "drawn")


def _with_replacement(given: Instance) -> Fraction:
    """Return (n - 1)/n S^2 / B, the variance where a datum may be drawn twice."""
    numbers, n = given["squared_norms"], len(given["squared_norms"])
    return Fraction(sample_variance(numbers) * Fraction(n - 1, n) / given["batch_size"])


def _population(given: Instance) -> Fraction:
    n = len(given["squared_norms"])
    return variance_of_means(given["squared_norms"], given["batch_size"]) * Fraction(n - 1, n)


def _uncorrected(given: Instance) -> Fraction:
    return Fraction(sample_variance(given["squared_norms"]) / given["batch_size"])


def _root_of_batch(given: Instance) -> Fraction:
    return Fraction(variance_of_means(given["squared_norms"], given["batch_size"]) * given["batch_size"])


def _without_the_last(given: Instance) -> Fraction:
    return Fraction(mean_of(given["squared_norms"][:-1]))


TRIALS = (
    Trial(
        B14,
        instances=batches(),
        mutants=(
            *both_ways(B14),
            right(B14, "with replacement", Kind.NEIGHBOUR, _with_replacement),
            right(B14, "n for n - 1", Kind.OFF_BY_ONE, _population),
            right(B14, "no 1 - B/n", Kind.DROPPED, _uncorrected),
            right(B14, "no B", Kind.DROPPED, _root_of_batch),
        ),
    ),
    Trial(
        B14A,
        instances=batches(),
        mutants=(
            *both_ways(B14A),
            right(B14A, "without the last datum", Kind.RANGE, _without_the_last),
            left(
                B14A,
                "the first batch",
                Kind.RANGE,
                lambda given: mean_of(given["squared_norms"][: given["batch_size"]]),
            ),
        ),
    ),
)
