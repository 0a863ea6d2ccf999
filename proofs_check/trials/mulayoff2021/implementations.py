"""How the claims of `theory.mulayoff2021.implementations` are put to the test."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import exact_weights, ratios, small
from proofs_check.trials.mulayoff2021.common import balanced_exactly, edge_less
from proofs_check.trials.mulayoff2021.smooth import with_larger_side
from proofs_check.trials.mulayoff2021.switching import (
    idle,
    nearly_balanced_on_points,
    on_one_point,
    toggling,
    up_to_the_edge,
)
from proofs_check.trials.operators import Kind, Mutant, bounds, left, right, stronger, turned, without
from theory import switching
from theory.checks import Array, rationals
from theory.claim import Claim, Instance
from theory.enclosure import Enclosure
from theory.mulayoff2021.implementations import (
    M14,
    M14A,
    M16,
    M16A,
    M18,
    M18A,
    M18B,
    counted_curvature,
    excess_limit,
    mode_tops,
)
from theory.two_layer import Weights


def _few_modes() -> st.SearchStrategy[Instance]:
    return st.one_of(toggling(), balanced_exactly(), nearly_balanced_on_points(), idle()).map(
        lambda instance: Instance({name: instance[name] for name in ("weights", "x")}, instance.origin)
    )


def flattest_mode(given: Instance) -> Enclosure:
    """Return an interval around the smallest lambda_max(H_m) of all modes."""
    tops = mode_tops(given)
    return Enclosure(min(top.lower for top in tops), min(top.upper for top in tops))


def _of_the_modes(claim: Claim) -> tuple[Mutant, ...]:
    """Return wrong versions of lambda_up >= 1 + 2 int |f''| times a weight."""
    return (
        *bounds(claim),
        stronger(claim, offset=1),
        right(claim, "max of g- and g+", Kind.MIN_MAX, with_larger_side),
        left(claim, "the flattest mode", Kind.MIN_MAX, flattest_mode),
    )


@st.composite
def with_outer_knots(draw: st.DrawFn) -> Instance:
    """Draw an exact network on exact data, knots outside and now and then inside, and a direction among the samples."""
    x = rationals(sorted(draw(st.sets(small, min_size=1, max_size=4))))
    count = draw(st.integers(0, 3))
    knots = []
    for _ in range(count):
        beyond = draw(ratios(Fraction(1, 6), 3, 6))
        inside = draw(st.integers(0, 5)) == 0
        knots.append(draw(small) if inside else draw(st.sampled_from([x[0] - beyond, x[-1] + beyond])))
    u = draw(st.lists(st.integers(-2, 2), min_size=len(x), max_size=len(x)).filter(any))
    return Instance(
        {
            "weights": draw(exact_weights(most=2)),
            "x": x,
            "outer_knots": rationals(knots),
            "outer_jumps": rationals([draw(small) for _ in knots]),
            "sample_direction": rationals(u),
        },
        "drawn",
    )


@st.composite
def looking_back(draw: st.DrawFn) -> Instance:
    """Draw one datum and a balanced unit that is active on it, its knot below the datum or above."""
    at = draw(st.sampled_from([Fraction(3, 4), Fraction(4, 3), Fraction(12, 5)]))
    root = Fraction(math.isqrt(at.numerator**2 + at.denominator**2), at.denominator)
    w1, gap = draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3)])), draw(ratios(Fraction(1, 4), 4, 4))
    sign = draw(st.sampled_from([1, -1]))
    weights = Weights([sign * w1], [w1 * gap - sign * w1 * at], [w1 * gap / root], draw(small))
    return Instance({"weights": weights, "x": rationals([at])}, "drawn")


@st.composite
def two_implementations(draw: st.DrawFn, *, within: Fraction | None = None) -> Instance:
    """Draw a network with units that toggle, another with the same function, and a step size around its edge.

    Args:
        draw: what draws.
        within: how large inputs are made at most, most of the time; None for as they come.
    """
    instance: Instance = draw(
        st.one_of(toggling(), on_one_point(), idle(), balanced_exactly(), nearly_balanced_on_points())
    )
    weights, x = instance["weights"], instance["x"]
    if within is not None and draw(st.integers(0, 3)):
        factor = max(1, max(abs(v) for v in x)) / within
        x, weights = x / factor, Weights(weights.w1 * factor, weights.b1, weights.w2, weights.b2)
    scales = rationals([draw(st.sampled_from([1, 1, 2, 3, 10])) for _ in range(weights.width)])
    sizes = np.where(weights.w2 == 0, 0 * scales, 1 / scales) if draw(st.booleans()) else 1 / scales
    bounded = Weights(weights.w1 * sizes, weights.b1 * sizes, weights.w2 * scales, weights.b2)
    if draw(st.integers(0, 6)) == 0 and weights.width:
        bounded = Weights(bounded.w1, bounded.b1, bounded.w2 + 1, bounded.b2)
    direction: Array = draw(st.sampled_from([switching.mean_gradient, switching.resting_gradient]))(weights, x)
    return Instance(
        {
            "weights": weights,
            "bounded_weights": bounded,
            "x": x,
            "step_size": up_to_the_edge(draw, Instance({"weights": weights, "x": x}, ""), direction),
        },
        "drawn",
    )


@st.composite
def many_points(draw: st.DrawFn) -> Instance:
    """Draw many points within [-1, 1] and nearly no weights, at a large step size; now and then another bends far more."""
    n = draw(st.sampled_from([8, 128]))
    x = rationals([Fraction(2 * j + 1, n) - 1 for j in range(n)])
    zero, one = Fraction(0), Fraction(1)
    weights = Weights([one], [zero], [zero], zero)
    large = Fraction(draw(st.sampled_from([30, 300])))
    bent = Weights([large], [zero], [large], zero)
    none = Weights([zero], [zero], [zero], zero)
    return Instance(
        {
            "weights": weights,
            "bounded_weights": draw(st.sampled_from([weights, none, none, bent])),
            "x": x,
            "step_size": draw(st.sampled_from([one, Fraction(64)])),
        },
        "drawn",
    )


@st.composite
def numbers_of_delta(draw: st.DrawFn) -> Instance:
    """Draw the numbers that Delta is made of, of any sizes."""
    powers = st.sampled_from([Fraction(10) ** p for p in (-6, -3, -1, 0, 1, 3, 6)])
    return Instance(
        {
            "step_size": draw(powers) * draw(ratios(1, 4, 3)),
            "gradient_bound": draw(st.integers(1, 30).map(Fraction)),
            "spare_units": Fraction(draw(st.integers(1, 9))),
            "n": draw(powers.filter(lambda n: n >= 1)),
        },
        "drawn",
    )


OUTSIDE = M16.assumptions[0].name
FUNCTION, STABLE = (assumption.name for assumption in M18.assumptions)
NEAR = M18A.assumptions[1].name


def _from_two(given: Instance) -> Enclosure:
    """Return 2 + 2 int |f''| times the weight."""
    curvature = counted_curvature(given)
    return Enclosure(2 + 2 * curvature.lower, 2 + 2 * curvature.upper)


def _theorem_2(claim: Claim) -> tuple[Mutant, ...]:
    """Return wrong versions of Theorem 2 for two implementations."""
    return (
        turned(claim),
        right(claim, "1/eta - 1/2 - C", Kind.REVERSED, lambda given: edge_less(Fraction(1), Fraction(1))(given) - 1),
        without(claim, STABLE),
        without(claim, FUNCTION),
    )


OPEN = "open: it is M18, whose printed proof has a gap, and no counterexample was found"


TRIALS = (
    Trial(M14, instances=_few_modes(), mutants=_of_the_modes(M14)),
    Trial(
        M14A,
        instances=_few_modes(),
        mutants=(*_of_the_modes(M14A), right(M14A, "2 + 2 int |f''| g", Kind.CONSTANT, _from_two)),
    ),
    Trial(M16, instances=with_outer_knots(), mutants=(*bounds(M16)[::2], without(M16, OUTSIDE))),
    Trial(
        M16A,
        instances=st.one_of(looking_back(), toggling(), balanced_exactly()),
        mutants=(*bounds(M16A), stronger(M16A, offset=1)),
    ),
    Trial(M18, instances=st.one_of(two_implementations(), many_points()), mutants=_theorem_2(M18)),
    Trial(
        M18A,
        instances=st.one_of(two_implementations(within=Fraction(1)), two_implementations(), many_points()),
        mutants=_theorem_2(M18A),
        spared={f"without: {NEAR}": OPEN},
    ),
    Trial(
        M18B,
        instances=numbers_of_delta(),
        mutants=(
            stronger(M18B),
            turned(M18B),
            right(M18B, "without 3U", Kind.DROPPED, lambda given: excess_limit(given, Fraction(0))),
            right(M18B, "without the root", Kind.DROPPED, lambda given: excess_limit(given, second=Fraction(0))),
        ),
    ),
)
