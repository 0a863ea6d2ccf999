"""How the claims of `theory.volhejn2020.estimators` are put to the test."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.operators import (
    Kind,
    both_ways,
    left,
    right,
    without,
)
from proofs_check.trials.volhejn2020.common import distinct_pairs
from theory.checks import rationals
from theory.claim import Instance
from theory.volhejn2020 import estimators
from theory.volhejn2020.estimators import V13, V13A, V13B, V13C


@st.composite
def batches(draw: st.DrawFn) -> Instance:
    """Draw the variations between a few points, the norms of the gradient at them, and a batch size."""
    n = draw(st.integers(2, 4))
    entry = st.integers(0, 3).map(Fraction)
    table = np.full((n, n), Fraction(0), dtype=object)
    for i in range(n):
        for j in range(i):
            table[i, j] = table[j, i] = draw(entry)
    norms = rationals([draw(entry) for _ in range(n)])
    return Instance({"variations": table, "norms": norms, "batch_size": draw(st.integers(1, 5))}, "drawn")


def _largest_norms(given: Instance) -> Fraction:
    return estimators.mean(max(batch) for batch in combinations(given["norms"], given["batch_size"]))


def _sums_of_norms(given: Instance) -> Fraction:
    return estimators.mean(sum(batch, Fraction(0)) for batch in combinations(given["norms"], given["batch_size"]))


TRIALS = (
    Trial(V13, instances=batches()),
    Trial(
        V13A,
        instances=batches(),
        mutants=(
            *both_ways(V13A),
            left(V13A, "the largest of the batch for its mean", Kind.MIN_MAX, _largest_norms),
            left(V13A, "without 1/k", Kind.DROPPED, _sums_of_norms),
        ),
    ),
    Trial(
        V13B,
        instances=batches(),
        mutants=(
            *both_ways(V13B),
            without(V13B, "k is even"),
            right(V13B, "without n/(n - 1)", Kind.DROPPED, estimators.over_all_pairs),
            left(V13B, "4/k for 2/k, as printed", Kind.DROPPED, lambda given: 2 * estimators.expected_estimate(given)),
        ),
    ),
    Trial(
        V13C,
        instances=batches(),
        mutants=(
            *both_ways(V13C),
            without(V13C, "k is even"),
            right(
                V13C,
                "with n/(n - 1)",
                Kind.DROPPED,
                lambda given: distinct_pairs(given, "variations") * estimators.over_all_pairs(given),
            ),
        ),
    ),
)
