"""What the trials of several chapters of volhejn2020 share."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trials.common import exact_weights, small
from theory.claim import Instance


@st.composite
def on_interval(draw: st.DrawFn, *, inside: bool = False) -> Instance:
    """Draw an exact network, an interval (around all its knots, if `inside`) and a number of sampling points."""
    weights = draw(exact_weights())
    a, b = sorted(draw(st.lists(small, min_size=2, max_size=2, unique=True)))
    if inside:
        knots = [-c / w for w, c in zip(weights.w1, weights.b1, strict=True) if w != 0]
        a, b = min([a, *knots]) - draw(st.integers(0, 1)), max([b, *knots]) + draw(st.integers(0, 1))
    return Instance({"weights": weights, "interval": (a, b), "points": draw(st.integers(2, 9))}, "drawn")


def distinct_pairs(given: Instance, name: str) -> Fraction:
    """Return n/(n - 1): what a mean over pairs of different points has for one over all pairs."""
    return Fraction(len(given[name]), max(1, len(given[name]) - 1))
