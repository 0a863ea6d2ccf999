"""Networks with units that toggle on data points, in general position or hardly not, and step sizes about an edge."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.strategies.mulayoff2021 import SHARES, balanced_exactly, idle, on_one_point, toggling, two_modes
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.general_position import lengthening, step_in_mode


def _about_the_edge(draw: st.DrawFn, instance: Instance, mode: Array, outputs: Array) -> Instance:
    """Return the instance with a step size about that at which a step of the mode stops being longer."""
    weights, x = instance["weights"].rational(), rationals(instance["x"])
    step = step_in_mode(weights, x, mode, outputs) if mode.shape == (len(x), weights.width) else None
    edge = lengthening(weights, x, step) if step is not None else Fraction(1)
    share: Fraction = draw(st.sampled_from([*SHARES, Fraction(203, 202)]))
    return instance.but(step_size=share * 2 / (edge or Fraction(1)))


@st.composite
def along_a_sample(draw: st.DrawFn) -> Instance:
    """Draw a network, one of its modes (now and then what is none), a direction among the samples, and a step size."""
    instance = draw(st.one_of(two_modes(), on_one_point_in_a_mode()))
    n = len(instance["x"])
    u = rationals(draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n).filter(any)))
    given = Instance(
        {"weights": instance["weights"], "x": instance["x"], "mode": instance["mode"], "sample_direction": u}, "drawn"
    )
    return _about_the_edge(draw, given, np.asarray(given["mode"], dtype=bool), u)


@st.composite
def on_one_point_in_a_mode(draw: st.DrawFn) -> Instance:
    """Draw units that toggle on the one point, and which of them are active."""
    instance = draw(on_one_point())
    weights = instance["weights"]
    toggles = weights.pre_activations(instance["x"])[0] == 0
    chosen = draw(st.lists(st.booleans(), min_size=weights.width, max_size=weights.width))
    active = [
        c if t else z > 0 for c, t, z in zip(chosen, toggles, weights.pre_activations(instance["x"])[0], strict=True)
    ]
    return instance.but(mode=np.array([active], dtype=np.int64))


@st.composite
def at_rest(draw: st.DrawFn) -> Instance:
    """Draw a network, few units on few points or idle ones, and a step size about the edge of its flat output."""
    instance = draw(st.one_of(toggling(), on_one_point(), balanced_exactly(), balanced_exactly(), idle()))
    given = Instance({name: instance[name] for name in ("weights", "x")}, instance.origin)
    weights, x = given["weights"].rational(), rationals(given["x"])
    mode = np.asarray(weights.pre_activations(x) > 0, dtype=bool)
    return _about_the_edge(draw, given, mode, rationals([1] * len(x)))


INSTANCES: Mapping[str, SearchStrategy[Instance]] = {"M8.d": along_a_sample(), "M9.c": at_rest()}
