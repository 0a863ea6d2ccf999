"""Instances for the claims beyond the papers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.common import interpolants, on_data
from theory.claim import Instance


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


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {
    "B1": interpolants(),
    "B1.a": interpolants(),
    "B7": with_targets(),
    "B7.a": with_targets(),
}
