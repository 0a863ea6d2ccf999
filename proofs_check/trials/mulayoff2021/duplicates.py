"""How the claims of `theory.mulayoff2021.duplicates` are put to the test."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import exact_weights, few, small
from proofs_check.trials.operators import Kind, bounds, negated, right
from theory.checks import dot, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.mulayoff2021.duplicates import M20, M20A, M20B


@st.composite
def errors_of_samples(draw: st.DrawFn) -> Instance:
    """Draw errors, most of them 0, and which sample occurs twice, now and then none of them."""
    errors = draw(st.lists(st.sampled_from([0, 0, 0, 1, -2]), min_size=1, max_size=5))
    return Instance({"errors": rationals(errors), "copied": draw(st.integers(0, len(errors)))}, "drawn")


@st.composite
def copied_samples(draw: st.DrawFn) -> Instance:
    """Draw an exact network on exact data, and which sample occurs twice, now and then none of them."""
    x = rationals(sorted(draw(st.sets(small, min_size=1, max_size=4))))
    copied = draw(st.integers(0, len(x) - 1)) if draw(st.integers(0, 9)) else len(x)
    return Instance({"weights": draw(exact_weights(most=2)), "x": x, "copied": copied}, "drawn")


@st.composite
def along_a_direction(draw: st.DrawFn) -> Instance:
    """Draw copied samples and a direction in the weights."""
    instance = draw(copied_samples())
    size = 3 * instance["weights"].width + 1
    return instance.but(direction=rationals(draw(st.lists(few, min_size=size, max_size=size))))


A_SAMPLE = "i is the number of a sample"


def _others_fit(given: Instance) -> bool:
    return not np.any(np.delete(given["errors"], given["copied"]) != 0)


def _of_one_more(given: Instance) -> Fraction:
    """Return (1/2) (n/(n + 2)) v^T H v."""
    weights, x, v = given["weights"].rational(), rationals(given["x"]), given["direction"]
    outputs = weights.tangent_features(x) @ v
    return Fraction(dot(outputs, outputs)) / (2 * (len(x) + 2))


NO_SUCH_SAMPLE = "no number of a sample, nothing to evaluate"


TRIALS = (
    Trial(
        M20,
        instances=errors_of_samples(),
        mutants=(
            negated(M20),
            right(M20, "the others fit", Kind.DROPPED, lambda given: Enclosure.exactly(_others_fit(given))),
        ),
        spared={f"without: {A_SAMPLE}": NO_SUCH_SAMPLE},
    ),
    Trial(M20A, instances=copied_samples()),
    Trial(
        M20B,
        instances=along_a_direction(),
        mutants=(*bounds(M20B), right(M20B, "n + 2 for n + 1", Kind.OFF_BY_ONE, _of_one_more)),
        spared={f"without: {A_SAMPLE}": NO_SUCH_SAMPLE},
    ),
)
