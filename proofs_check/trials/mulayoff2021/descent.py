"""How the claims of `theory.mulayoff2021.descent` are put to the test."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, ratios, reflection, small
from proofs_check.trials.operators import Kind, bounds, right, with_sides, without
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.mulayoff2021.descent import (
    M17,
    M19,
    M19A,
    M19B,
    M19C,
    breaks,
    departure_sides,
    ends,
    mean_distance,
    slope_at,
)
from theory.piecewise_linear import PiecewiseLinear


@st.composite
def noisy_minima(draw: st.DrawFn) -> Instance:
    """Draw few Hessians in one or two weights, gradients at the minimum, two step sizes and a start."""
    d, n = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    if draw(st.booleans()):
        roots = [rationals(draw(st.lists(few, min_size=d * d, max_size=d * d))).reshape(d, d) for _ in range(n)]
        hessians = np.array([root @ root.T for root in roots], dtype=object)
    else:
        hessians = np.array([rationals(np.eye(d, dtype=int))] * n, dtype=object)
    gradients = rationals([[draw(few) if draw(st.booleans()) else 0 for _ in range(d)] for _ in range(n)])
    return Instance(
        {
            "hessians": hessians,
            "gradients": gradients * draw(st.sampled_from([0, 0, 1])),
            "step_size": draw(ratios(Fraction(1, 4), 3, 4)),
            "batch_size": draw(st.integers(1, n)),
            "share": draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 3), Fraction(9, 10)])),
            "start": rationals(draw(st.lists(few, min_size=d, max_size=d))),
            "moves": draw(st.integers(0, 3)),
        },
        "drawn",
    )


def _turned(draw: st.DrawFn, size: int) -> Array:
    """Return an orthogonal matrix of rationals."""
    direction = draw(st.lists(st.integers(-2, 2), min_size=size, max_size=size))
    return reflection(direction) if any(direction) else rationals(np.eye(size, dtype=int))


@st.composite
def quadratic_losses(draw: st.DrawFn) -> Instance:
    """Draw a quadratic loss with rational eigenvectors, a step size, and a start with few components."""
    d = draw(st.integers(1, 3))
    axes, values = _turned(draw, d), [draw(ratios(0, 4, 2)) for _ in range(d)]
    if draw(st.integers(0, 9)) == 0:
        values[0] = -values[0] - 1
    parts = rationals([draw(st.sampled_from([0, 0, 1, -2])) for _ in range(d)])
    return Instance(
        {
            "hessian": axes @ np.diag(rationals(values)) @ axes,
            "step_size": draw(st.sampled_from([Fraction(p, 6) for p in (2, 4, 6, 7, 12)])),
            "start": axes @ parts,
        },
        "drawn",
    )


@st.composite
def along_an_eigenvector(draw: st.DrawFn) -> Instance:
    """Draw a quadratic loss, its top eigenvector or now and then another direction, a start and a number of steps."""
    d = draw(st.integers(1, 3))
    axes, values = _turned(draw, d), [draw(ratios(1, 4, 2)) for _ in range(d)]
    top = max(range(d), key=values.__getitem__)
    eigenvector = axes[:, top] if draw(st.integers(0, 6)) else rationals(draw(st.lists(few, min_size=d, max_size=d)))
    start = axes @ rationals(draw(st.lists(few, min_size=d, max_size=d))) if draw(st.booleans()) else axes[:, top]
    share = draw(st.sampled_from([Fraction(p, 100) for p in (50, 90, 100, 101, 150, 150, 300)]))
    return Instance(
        {
            "hessian": axes @ np.diag(rationals(values)) @ axes,
            "step_size": share * 2 / values[top],
            "start": start,
            "eigenvector": eigenvector * draw(st.sampled_from([1, -2])),
            "moves": draw(st.integers(0, 4)),
        },
        "drawn",
    )


@st.composite
def curvatures(draw: st.DrawFn) -> PiecewiseLinear:
    """Draw the second derivative of a loss: constant, or with kinks."""
    kinks = draw(st.integers(0, 3))
    return PiecewiseLinear(
        rationals([draw(small) for _ in range(kinks)]),
        rationals([draw(few) for _ in range(kinks)]),
        draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 2), Fraction(-1)])),
        draw(ratios(0, 4, 2)),
    )


@st.composite
def strips(draw: st.DrawFn) -> PiecewiseLinear:
    """Draw a second derivative that is 1 from some place on, and 1 on average up to there: all beyond it lands on 0."""
    end = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2)]))
    top = draw(st.sampled_from([Fraction(3), Fraction(5, 2), Fraction(1)]))
    # linear from top to low and from low to 1, on halves of [0, end]: (top + low)/2 + (low + 1)/2 = 2
    low = (3 - top) / 2
    first, second = (low - top) * 2 / end, (1 - low) * 2 / end
    return PiecewiseLinear(
        rationals([0, end / 2, end]), rationals([first, second - first, -second]), Fraction(0), top, Fraction(0)
    )


@st.composite
def starts_of_one_step(draw: st.DrawFn) -> Instance:
    """Draw a loss in one weight, and an interval of starts, now and then where all of them land."""
    f = draw(st.one_of(curvatures(), strips()))
    low = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(-1)]))
    return Instance(
        {
            "second_derivative": f,
            "step_size": draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(1, 2)])),
            "starts": rationals([low, low + draw(st.sampled_from([0, 1, 3]))]),
        },
        "drawn",
    )


@st.composite
def steps_of_one_weight(draw: st.DrawFn) -> Instance:
    """Draw a loss in one weight, a step size and where a step begins."""
    return Instance(
        {
            "second_derivative": draw(st.one_of(curvatures(), strips())),
            "step_size": draw(ratios(Fraction(1, 2), 3, 2)),
            "one_start": draw(small),
        },
        "drawn",
    )


BEYOND = M19A.assumptions[0].name


def _at_the_larger_step(given: Instance) -> Enclosure:
    """Return E ||theta_t - theta*|| at the step size eta."""
    return mean_distance(ends(given, given["moves"]))


def _twice_the_component(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return the sides of M19.a with 2 q^T w for q^T w."""
    lhs, rhs = departure_sides(given)
    return lhs, rhs.times(Fraction(4))


def _by_the_largest(given: Instance) -> Fraction:
    """Return (eta M - 1) |theta|, M the largest L'' between 0 and theta."""
    curvature, weight = given["second_derivative"], given["one_start"]
    most = max(Fraction(curvature(place)) for place in breaks(curvature, Fraction(0), weight))
    return (Fraction(given["step_size"]) * most - 1) * Fraction(abs(weight))


def _by_the_slope_alone(given: Instance) -> Fraction:
    """Return eta |L'(theta)|, without what is left of theta."""
    return Fraction(given["step_size"]) * abs(slope_at(given["second_derivative"], given["one_start"]))


TRIALS = (
    Trial(
        M17,
        instances=noisy_minima(),
        mutants=(*bounds(M17), right(M17, "E at eta, t steps", Kind.DROPPED, _at_the_larger_step)),
    ),
    Trial(M19, instances=quadratic_losses()),
    Trial(
        M19A,
        instances=along_an_eigenvector(),
        mutants=(
            *bounds(M19A),
            with_sides(M19A, "twice the component", Kind.CONSTANT, _twice_the_component),
            without(M19A, BEYOND),
        ),
    ),
    Trial(M19B, instances=starts_of_one_step()),
    Trial(
        M19C,
        instances=steps_of_one_weight(),
        mutants=(
            *bounds(M19C),
            right(M19C, "the largest for the smallest", Kind.MIN_MAX, _by_the_largest),
            right(M19C, "without what is left of theta", Kind.DROPPED, _by_the_slope_alone),
        ),
    ),
)
