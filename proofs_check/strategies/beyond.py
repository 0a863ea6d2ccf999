"""Instances for the claims beyond the papers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import interpolants, on_data, small
from theory.checks import rationals
from theory.claim import Instance
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights


@st.composite
def beside_the_data(draw: st.DrawFn) -> Instance:
    """Draw three or four points about 0, where g rises at the second, and a function that bends there or just beside it."""
    first = draw(st.integers(2, 8))
    x = [Fraction(-first), Fraction(draw(st.integers(0, first)))]
    for _ in range(draw(st.integers(1, 2))):
        x.append(x[-1] + draw(st.integers(1, 8)))
    knot = x[1] + draw(st.sampled_from([Fraction(1, 100), Fraction(1, 100), Fraction(-1, 100)]))
    if draw(st.booleans()):
        x, knot = [-v for v in reversed(x)], -knot
    f = PiecewiseLinear([knot], [draw(small.filter(bool))], draw(small), draw(small), x[0])
    return Instance({"f": f, "x": rationals(x), "order": 1}, "drawn: a knot beside the data")


bent: SearchStrategy[Instance] = st.one_of(interpolants(), beside_the_data())


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


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "B1": bent,
    "B1.a": bent,
    "B7": at_a_loss,
    "B7.a": at_a_loss,
}
