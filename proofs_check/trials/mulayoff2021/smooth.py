"""How the claims of `theory.mulayoff2021.smooth` are put to the test."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import exact_weights, on_data, small
from proofs_check.trials.mulayoff2021.common import SHARES, balanced_exactly, edge_less, shifted
from proofs_check.trials.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    bounds,
    moved,
    right,
    scaled,
    stronger,
    without,
)
from theory import switching as switching_modes
from theory.checks import dot, rationals
from theory.claim import Claim, Instance
from theory.mulayoff2021.smooth import M4, M5, M6, M6A
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import weight_enclosure


@st.composite
def with_step_size(draw: st.DrawFn) -> Instance:
    """Draw a network on data and a step size around its edge of stability."""
    instance = draw(on_data)
    features = instance["weights"].tangent_features(instance["x"])
    sharpness = float(np.linalg.norm(features, 2)) ** 2 / len(instance["x"])
    return instance.but(step_size=draw(st.sampled_from([0.1, 0.9, 1 - 1e-9, 1.1])) * 2 / sharpness)


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
def balanced_at_the_edge(draw: st.DrawFn) -> Instance:
    """Draw two points and a unit active on each, balanced, and a step size at the edge, or up to two per cent from it."""
    instance = draw(balanced_exactly())
    mean = switching_modes.mean_gradient(instance["weights"], instance["x"])
    return instance.but(
        step_size=draw(st.sampled_from([*SHARES, Fraction(203, 202)]))
        * 2
        / switching_modes.curvature_of_step(instance["weights"], instance["x"], mean)
    )


SMOOTH, STABLE = (assumption.name for assumption in M6A.assumptions)


def _gradients_product(given: Instance, *, output: bool = True, count: int = 0) -> Fraction:
    """Return ||Phi^T v||^2 over n + count, with or without the gradients in the output weights."""
    weights, x = given["weights"].rational(), rationals(given["x"])
    features, k = weights.tangent_features(x), weights.width
    if not output:
        features[:, 2 * k : 3 * k] = Fraction(0)
    outputs = features @ rationals(given["direction"])
    return Fraction(outputs @ outputs) / (len(x) + count)


def with_larger_side(given: Instance) -> Fraction:
    """Return 1 + 2 int |f''| times the larger of g- and g+."""
    f, x = PiecewiseLinear.from_weights(given["weights"].rational()), np.sort(rationals(given["x"]))
    one = [_one_sided(f.knots, x), _one_sided(-f.knots, -x[::-1])]
    inside = [x[0] <= knot <= x[-1] for knot in f.knots]
    weight = rationals([max(pair) if within else 0 for *pair, within in zip(*one, inside, strict=True)])
    return 1 + 2 * Fraction(dot(np.abs(f.jumps), weight))


def _one_sided(knots: Any, x: Any) -> list[Fraction]:
    """Return g- at the knots: g of the data and so many points far to the right that g- is the smaller, rescaled."""
    n = len(x)
    far = x[-1] + max(abs(v) for v in (*x, *knots, Fraction(1))) * 1000
    more = rationals([*x, *(far + i for i in range(20 * n))])
    lower, _ = weight_enclosure(knots, more)
    return [Fraction(v) * len(more) ** 2 / n**2 for v in lower]


def _theorem_1(claim: Claim) -> tuple[Mutant, ...]:
    """Return wrong versions of int |f''| g <= 1/eta - 1/2."""
    one = Fraction(1)
    return (
        *bounds(claim),
        right(claim, "0.99/eta - 1/2", Kind.CONSTANT, edge_less(LESS, one)),
        right(claim, "1/eta - 0.505", Kind.CONSTANT, edge_less(one, MORE)),
        right(claim, "1/eta - 1", Kind.CONSTANT, edge_less(one, Fraction(2))),
        without(claim, STABLE),
        moved(claim, STABLE, lambda product: product <= 2 * MORE, "eta lambda_max <= 2.02"),
    )


INACTIVE = (
    "with toggling units inactive, Phi Phi^T / n has at least this top eigenvalue too: its proof needs no Hessian"
)


TRIALS = (
    Trial(
        M4,
        instances=along_a_direction(),
        mutants=(
            scaled(M4, MORE),
            scaled(M4, LESS),
            right(M4, "n + 1 for n", Kind.OFF_BY_ONE, lambda given: _gradients_product(given, count=1)),
            right(
                M4, "without the output weights", Kind.DROPPED, lambda given: _gradients_product(given, output=False)
            ),
        ),
    ),
    Trial(
        M5,
        instances=st.one_of(on_data, balanced_exactly()),
        mutants=(
            *bounds(M5),
            stronger(M5, offset=1),
            right(M5, "max of g- and g+", Kind.MIN_MAX, with_larger_side),
            right(
                M5, "1.01 + 2 int |f''| g", Kind.CONSTANT, lambda given: shifted(M5.sides(given)[1], Fraction(1, 100))
            ),
            replace(without(M5, SMOOTH), equivalent=INACTIVE),
        ),
        oracle=oracles.m5,
    ),
    Trial(
        M6,
        instances=st.one_of(with_step_size(), balanced_at_the_edge()),
        mutants=(*_theorem_1(M6), replace(without(M6, M6.assumptions[0].name), equivalent=INACTIVE)),
        oracle=oracles.m6,
    ),
    Trial(
        M6A,
        instances=st.one_of(with_step_size(), balanced_at_the_edge()),
        mutants=(*_theorem_1(M6A), replace(without(M6A, SMOOTH), equivalent=INACTIVE)),
        oracle=oracles.m6,
    ),
)
