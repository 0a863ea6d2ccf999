"""How the claims of `theory.walker2023.early_coherence` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.operators import Kind, moved, turned, with_sides, without
from theory.checks import rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.walker2023.early_coherence import W15, W15A, both, weights


@st.composite
def traces(draw: st.DrawFn) -> Instance:
    """Draw coherences and step sizes of a few steps, equal or near to each other at times, and two of the steps."""
    steps = draw(st.integers(1, 4))
    share = st.builds(Fraction, st.integers(0, 8), st.just(8))
    size = st.sampled_from([Fraction(v, 100) for v in (1, 10, 49, 50, 51, 99, 100, 101, 200)])
    held = draw(st.one_of(st.none(), size))
    earlier, later = draw(st.integers(1, steps)), draw(st.integers(1, steps + 1))
    return Instance(
        {
            "coherences": rationals([draw(share) for _ in range(steps)]),
            "step_sizes": rationals([held or draw(size) for _ in range(steps)]),
            "smoothness": draw(
                st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 100), Fraction(1), Fraction(20)])
            ),
            "earlier": earlier,
            "later": later,
        },
        "drawn",
    )


@st.composite
def warm_ups(draw: st.DrawFn) -> Instance:
    """Draw two steps, the later one the larger, with the higher coherence at the earlier."""
    low, high = draw(st.integers(0, 3)), draw(st.integers(4, 8))
    return Instance(
        {
            "coherences": rationals([Fraction(high, 8), Fraction(low, 8)]),
            "step_sizes": rationals([Fraction(1, 10), draw(st.sampled_from([Fraction(1, 5), Fraction(1)]))]),
            "smoothness": draw(st.sampled_from([Fraction(0), Fraction(1, 100), Fraction(20)])),
            "earlier": 1,
            "later": 2,
        },
        "drawn",
    )


def _with(
    change: Callable[[list[Fraction], int, int], Fraction],
) -> Callable[[Instance], tuple[Enclosure, Enclosure]]:
    """Return the sides with something else for c_s - c_t."""

    def sides(given: Instance) -> tuple[Enclosure, Enclosure]:
        return both(given, change(weights(given), given["earlier"] - 1, given["later"] - 1))

    return sides


HIGHER, NO_WARM_UP = "coherence is higher at the earlier step", "the later step size is no larger"

TRIALS = (
    Trial(W15, instances=st.one_of(traces(), warm_ups())),
    Trial(
        W15A,
        instances=traces(),
        mutants=(
            turned(W15A),
            without(W15A, HIGHER),
            without(W15A, NO_WARM_UP),
            moved(W15A, NO_WARM_UP, lambda excess: excess >= Fraction(-1, 10), "the later step size a tenth larger"),
            with_sides(
                W15A, "0.9 of the earlier weight", Kind.CONSTANT, _with(lambda c, s, t: Fraction(9, 10) * c[s] - c[t])
            ),
            with_sides(W15A, "the weights exchanged", Kind.REVERSED, _with(lambda c, s, t: c[t] - c[s])),
        ),
    ),
)
