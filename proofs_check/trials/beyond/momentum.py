"""How the claims of `theory.beyond.momentum` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.beyond.common import beside, curvatures, indefinite
from proofs_check.trials.common import ratios, whole
from proofs_check.trials.operators import Kind, bounds, right
from theory.beyond import momentum
from theory.beyond.mean_square_bounds import largest_step
from theory.beyond.momentum import B11, B11A, B11B, B11C, B11D
from theory.beyond.momentum_bounds import momentum_forms
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.linear_stability import noise_share

FACTORS = st.sampled_from([Fraction(v, 10) for v in (0, 1, 3, 5, 5, 8, 9)])
"""Momentum, none among it."""


def _near(draw: st.DrawFn, hessians: Array, batch: int, b: Fraction) -> Fraction:
    """Draw a step size at, or somewhat beside, the threshold of B11, or that without the double commutator."""
    c, exact, plain = momentum_forms(hessians, noise_share(len(hessians), batch), b)
    limit, factor = largest_step(c, draw(st.sampled_from([exact, exact, plain]))), draw(beside)
    if limit.upper == float("inf"):
        return factor
    if limit.lower == limit.upper:
        return factor * Fraction(limit.lower)
    return factor * Fraction(limit.lower).limit_denominator(10_000)


@st.composite
def with_momentum(draw: st.DrawFn) -> Instance:
    """Draw Hessians in one or two dimensions, a batch size, momentum, and a step size near the threshold."""
    hessians = draw(st.one_of(curvatures(), curvatures(), curvatures(), _two_ways()).filter(lambda h: h.shape[1] < 3))
    batch, b = draw(st.integers(1, len(hessians))), draw(FACTORS)
    return Instance(
        {
            "hessians": hessians,
            "step_size": _near(draw, hessians, batch, b),
            "batch_size": batch,
            "momentum": b,
            "first": _symmetric(draw, hessians.shape[1]),
        },
        "drawn",
    )


@st.composite
def _two_ways(draw: st.DrawFn) -> Array:
    """Draw two or three features in the plane that are far from orthogonal, whose lengths differ."""
    count = draw(st.integers(2, 3))
    rows = [draw(st.sampled_from([(1, 0), (2, 1), (1, 3), (0, 2), (3, -1)])) for _ in range(count)]
    return rationals([np.outer(row, row) for row in rows])


def _symmetric(draw: st.DrawFn, d: int) -> Array:
    half = rationals(draw(st.lists(whole, min_size=d * d, max_size=d * d))).reshape(d, d)
    matrix: Array = half + half.T
    return matrix


@st.composite
def of_any_sign(draw: st.DrawFn) -> Instance:
    """Draw Hessians of any sign in at most two dimensions, as `with_momentum` does."""
    given = draw(indefinite().filter(lambda given: given["hessians"].shape[1] < 3)).given
    return Instance({**given, "momentum": draw(FACTORS)}, "drawn")


@st.composite
def on_line(draw: st.DrawFn) -> Instance:
    """Draw second derivatives, a batch size, momentum, and a step size at the threshold or beside it."""
    numbers = rationals(draw(st.lists(st.integers(-1, 4), min_size=1, max_size=4)))
    batch, b = draw(st.integers(1, len(numbers))), draw(FACTORS)
    given = {"curvatures": numbers, "batch_size": batch, "momentum": b, "step_size": Fraction(1)}
    h, v = momentum.mean_and_noise(Instance(given, "drawn"))
    limit = h**2 / (1 + b) + v / (1 - b)
    step = 2 * abs(h) / limit * draw(beside) if limit and h else draw(beside)
    return Instance({**given, "step_size": step}, "drawn")


@st.composite
def descent(draw: st.DrawFn) -> Instance:
    """Draw a curvature, momentum, weight decay, and a step size at a threshold or beside it."""
    h, b = draw(ratios(-3, 3, 2).filter(bool)), draw(FACTORS)
    a = draw(st.sampled_from([Fraction(v, 10) for v in (10, 10, 10, 9, 5, 0)]))
    limits = [(1 + a) * (1 + b) / abs(h), 2 * (1 + b) / ((1 + 2 * b) * abs(h)), (1 - a) * (1 - b) / abs(h)]
    limit = draw(st.sampled_from([limit for limit in limits if limit]))
    return Instance({"curvature": h, "momentum": b, "decay": a, "step_size": limit * draw(beside)}, "drawn")


def _law(change: Callable[[Array, Array, Array, Fraction], tuple[Array, Array]]) -> Callable[[Instance], bool]:
    """Return B11's right side with C and D_b changed, from C, D_b, D_b without its commutator, and b."""

    def side(given: Instance) -> bool:
        hessians, b = rationals(given["hessians"]), given["momentum"]
        c, d = change(*momentum_forms(hessians, momentum.share_of(given), b), b)
        return momentum.definite(2 * c - Fraction(given["step_size"]) * d)

    return side


def _without_momentum(given: Instance) -> bool:
    c, d, _ = momentum_forms(rationals(given["hessians"]), momentum.share_of(given), Fraction(0))
    return momentum.definite(2 * c - Fraction(given["step_size"]) * d)


def _line(first: Callable[[Fraction], Fraction], second: Callable[[Fraction], Fraction]) -> Callable[[Instance], bool]:
    """Return B11.a's right side with other factors of the two terms."""

    def side(given: Instance) -> bool:
        (h, v), b = momentum.mean_and_noise(given), given["momentum"]
        return bool(Fraction(given["step_size"]) * (first(b) * h**2 + second(b) * v) < 2 * h)

    return side


def _between(
    low: Callable[[Fraction, Fraction], Fraction], high: Callable[[Fraction, Fraction], Fraction]
) -> Callable[[Instance], bool]:
    """Return whether eta h is between two functions of a and b."""

    def side(given: Instance) -> bool:
        a, b = given.given.get("decay", Fraction(1)), given["momentum"]
        return bool(low(a, b) < Fraction(given["step_size"]) * given["curvature"] < high(a, b))

    return side


TRIALS = (
    Trial(
        B11,
        instances=st.one_of(with_momentum(), with_momentum(), with_momentum(), of_any_sign()),
        mutants=(
            right(B11, "no commutator", Kind.DROPPED, _law(lambda c, d, plain, b: (c, plain))),
            right(B11, "twice the commutator", Kind.CONSTANT, _law(lambda c, d, plain, b: (c, 2 * d - plain))),
            right(B11, "no momentum", Kind.DROPPED, _without_momentum),
            right(B11, "1.01 D_b", Kind.CONSTANT, _law(lambda c, d, plain, b: (c, d * Fraction(101, 100)))),
            right(B11, "0.99 D_b", Kind.CONSTANT, _law(lambda c, d, plain, b: (c, d * Fraction(99, 100)))),
            right(
                B11,
                "no noise",
                Kind.DROPPED,
                lambda given: momentum.form_is_definite(given, Fraction(0)),
            ),
        ),
    ),
    Trial(
        B11A,
        instances=on_line(),
        mutants=(
            right(B11A, "1 - b for 1 + b", Kind.NEIGHBOUR, _line(lambda b: 1 / (1 - b), lambda b: 1 / (1 - b))),
            right(B11A, "1 + b for 1 - b", Kind.NEIGHBOUR, _line(lambda b: 1 / (1 + b), lambda b: 1 / (1 + b))),
            right(B11A, "no momentum", Kind.DROPPED, _line(lambda b: Fraction(1), lambda b: Fraction(1))),
            right(
                B11A,
                "1.01 of the noise",
                Kind.CONSTANT,
                lambda given: momentum.on_line(given, noise=Fraction(101, 100)),
            ),
            right(
                B11A, "0.99 of the noise", Kind.CONSTANT, lambda given: momentum.on_line(given, noise=Fraction(99, 100))
            ),
        ),
    ),
    Trial(
        B11B,
        instances=st.one_of(with_momentum(), with_momentum(), of_any_sign()),
        mutants=bounds(B11B),
    ),
    Trial(
        B11C,
        instances=descent(),
        mutants=(
            right(
                B11C,
                "2 for 1 + a",
                Kind.NEIGHBOUR,
                _between(lambda a, b: -(1 - a) * (1 - b), lambda a, b: 2 * (1 + b)),
            ),
            right(
                B11C,
                "0 for the lower end",
                Kind.DROPPED,
                _between(lambda a, b: Fraction(0), lambda a, b: (1 + a) * (1 + b)),
            ),
            right(
                B11C,
                "1 - b for 1 + b",
                Kind.NEIGHBOUR,
                _between(lambda a, b: -(1 - a) * (1 - b), lambda a, b: (1 + a) * (1 - b)),
            ),
        ),
    ),
    Trial(
        B11D,
        instances=descent(),
        mutants=(
            right(
                B11D,
                "as without look-ahead",
                Kind.NEIGHBOUR,
                _between(lambda a, b: Fraction(0), lambda a, b: 2 * (1 + b)),
            ),
            right(
                B11D,
                "1 + b for 1 + 2 b",
                Kind.CONSTANT,
                _between(lambda a, b: Fraction(0), lambda a, b: Fraction(2)),
            ),
        ),
    ),
)
