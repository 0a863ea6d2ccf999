"""Instances for the claims of Mulayoff, Michaeli and Soudry 2021."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import exact_weights, linearised, on_data, small, with_step_size
from theory.checks import rationals
from theory.claim import Instance
from theory.claims.mulayoff2021_stability import wedges


@st.composite
def along_a_direction(draw: st.DrawFn) -> Instance:
    """Draw an exact network on exact data and a direction in its weights."""
    x = rationals(sorted(draw(st.sets(small, min_size=1, max_size=4))))
    weights = draw(exact_weights(most=3))
    size = 3 * weights.width + 1
    return Instance(
        {"weights": weights, "x": x, "direction": rationals(draw(st.lists(small, min_size=size, max_size=size)))},
        "drawn",
    )


@st.composite
def switching(draw: st.DrawFn) -> Instance:
    """Draw mode Hessians that nearly share an eigenvector, gradients, a radius and a step size around the edge 2/lambda."""
    d, modes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    number = st.floats(-1, 1, allow_subnormal=False)
    noise = draw(st.sampled_from([0.0, 0.01, 0.3]))
    hessians = np.zeros((modes, d, d))
    for h in hessians:
        rough = np.array([[draw(number) for _ in range(d)] for _ in range(d)])
        h[:] = noise * (rough + rough.T)
        h[0, 0] += draw(st.floats(1, 5))
        h[1:, 1:] += np.diag([draw(st.floats(0, 1)) for _ in range(d - 1)])
    drift = draw(st.sampled_from([0.0, 0.1, 1.0]))
    gradients = drift * np.array([[[draw(number) for _ in range(d)] for _ in range(2)] for _ in range(modes)])
    return Instance(
        {
            "mode_hessians": hessians,
            "gradients": gradients,
            "direction": np.eye(d)[0],
            "epsilon": draw(st.sampled_from([0.1, 1.0, 10.0])),
            "step_size": draw(st.sampled_from([0.5, 0.999, 1.001, 1.1, 3.0])) * 2 / float(hessians[:, 0, 0].min()),
        },
        "drawn",
    )


@st.composite
def switching_in_the_plane(draw: st.DrawFn) -> Instance:
    """Draw four wedges with Hessians of their own, a step size up to Lemma 3's limit or just beyond it, and a start."""
    small_positive = st.fractions(min_value=Fraction(1, 4), max_value=2, max_denominator=4)
    a = draw(small_positive)
    modes = wedges(a, draw(st.fractions(min_value=-1, max_value=1, max_denominator=4)) * a)
    largest = max(abs(v) for h, _ in modes for v in np.diag(h))
    start = rationals(draw(st.lists(small, min_size=2, max_size=2)))
    reach = draw(st.one_of(small_positive, st.just(Fraction(201, 100))))
    return Instance({"modes": modes, "step_size": reach / largest, "start": start}, "drawn")


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "M1": linearised(),
    "M1.a": linearised(),
    "M2": switching(),
    "M2.a": switching(),
    "M3": switching_in_the_plane(),
    "M3.a": switching_in_the_plane(),
    "M4": along_a_direction(),
    "M5": on_data,
    "M6": with_step_size(),
    "M6.a": with_step_size(),
}
