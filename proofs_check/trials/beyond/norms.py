"""How the claims of `theory.beyond.norms` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios, relu_networks, whole
from proofs_check.trials.operators import Kind, both_ways, bounds, left, right
from theory.beyond.norms import (
    B12,
    B12A,
    B12B,
    B12C,
    B12D,
    B13,
    B13A,
    grams,
    half_norm,
    jacobian_at,
    overlaps,
    schatten,
    unit_norms,
)
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, square_root
from theory.relu_network import square


@st.composite
def two_layers(draw: st.DrawFn) -> Instance:
    """Draw a two-layer network and data: at times balanced units that point the same way, and data where all are active."""

    def array(*shape: int) -> Array:
        size = int(np.prod(shape))
        return rationals(draw(st.lists(whole, min_size=size, max_size=size))).reshape(shape)

    m, d, k, n = (draw(st.integers(1, most)) for most in (3, 2, 2, 3))
    given = {
        "hidden_weights": array(m, d),
        "hidden_biases": array(m),
        "output_weights": array(k, m),
        "inputs": array(n, d),
    }
    if draw(st.booleans()):
        scales = rationals(draw(st.lists(st.integers(1, 2), min_size=m, max_size=m)))
        given |= {
            "hidden_weights": rationals([[1] + [0] * (d - 1)]) * scales[:, None],
            "output_weights": rationals([[1]] + [[0]] * (k - 1)) * scales,
            "hidden_biases": 0 * scales,
            "inputs": abs(given["inputs"]) + draw(st.sampled_from([0, 1, 1])),
        }
    return Instance(given, "drawn")


@st.composite
def networks_at_a_point(draw: st.DrawFn) -> Instance:
    """Draw a network and a point; at times balanced layers without biases, all units active."""
    given = draw(relu_networks())
    layers, biases, point = given["layers"], given["layer_biases"], given["inputs"][0]
    if draw(st.booleans()):
        scale, count = draw(st.sampled_from([1, 2])), draw(st.integers(1, 3))
        layers = (rationals([[scale, 0], [0, 1]]),) * count
        biases = (rationals([0, 0]),) * (count - 1)
        point = rationals([1, 1])
    return Instance({"layers": layers, "layer_biases": biases, "point": point}, "drawn")


def _diagonal(given: Instance) -> Fraction:
    return sum(unit_norms(given), Fraction(0))


def _always_active(given: Instance) -> Fraction:
    return Fraction(grams(given).sum())


def _independent(given: Instance) -> Fraction:
    """Return B12's right side with q_j q_k for q_jk."""
    alone = np.diag(overlaps(given))
    return Fraction((grams(given) * np.outer(alone, alone)).sum())


def _shares_for_roots(given: Instance) -> Enclosure:
    """Return B12.a's right side with q_j for its root."""
    whole_norms = [square_root(Fraction(number)) for number in np.diag(grams(given))]
    terms = (norm.times(Fraction(q)) for norm, q in zip(whole_norms, np.diag(overlaps(given)), strict=True))
    return sum(terms, Enclosure.exactly(Fraction(0)))


def _root_of_squares(given: Instance) -> Enclosure:
    return square_root(_diagonal(given))


def _without_outputs(given: Instance) -> Fraction:
    return half_norm(given) - square(given["output_weights"]) / 2


def _quarter(given: Instance) -> Fraction:
    return half_norm(given) / 2


def _largest_unit(given: Instance) -> Enclosure:
    """Return the largest |v_j| |w_j|."""
    return square_root(Fraction(max(np.diag(grams(given)))))


def _power(depth: Callable[[int], int], factor: Callable[[int], int]) -> Callable[[Instance], Enclosure]:
    """Return B13's right side with another number of layers in its exponent, and in front."""

    def side(given: Instance) -> Enclosure:
        count = len(given["layers"])
        return schatten(jacobian_at(given), depth(count)).times(Fraction(factor(count)))

    return side


def _without_the_last(given: Instance) -> Fraction:
    whole_product = Fraction(1)
    for matrix in given["layers"][:-1]:
        whole_product *= square(matrix)
    return whole_product


def _not_squared(given: Instance) -> Enclosure:
    """Return the product of the norms."""
    return square_root(Fraction(B13A.sides(given)[1].upper))


TRIALS = (
    Trial(
        B12,
        instances=two_layers(),
        mutants=(
            *both_ways(B12),
            right(B12, "each unit with itself", Kind.DROPPED, _diagonal),
            right(B12, "all units active", Kind.DROPPED, _always_active),
            right(B12, "q_j q_k for q_jk", Kind.NEIGHBOUR, _independent),
        ),
    ),
    Trial(
        B12A,
        instances=two_layers(),
        mutants=(
            *bounds(B12A),
            right(B12A, "q_j for its root", Kind.NEIGHBOUR, _shares_for_roots),
            right(B12A, "the root of the sum of squares", Kind.NEIGHBOUR, _root_of_squares),
        ),
    ),
    Trial(
        B12B,
        instances=two_layers(),
        mutants=(*bounds(B12B), right(B12B, "the largest unit", Kind.EXTREME, _largest_unit)),
    ),
    Trial(
        B12C,
        instances=two_layers(),
        mutants=(
            *bounds(B12C),
            right(B12C, "without the output weights", Kind.DROPPED, _without_outputs),
            right(B12C, "a quarter for a half", Kind.NEIGHBOUR, _quarter),
        ),
    ),
    Trial(
        B12D,
        instances=ratios(0, 1, 12).map(lambda turn: Instance({"turn": turn}, "drawn")),
        mutants=(
            *both_ways(B12D),
            right(B12D, "pi - 2 angle", Kind.NEIGHBOUR, lambda given: (1 - 2 * given["turn"]) / 2),
            left(B12D, "half for all angles", Kind.DROPPED, lambda given: Fraction(1, 2)),
        ),
    ),
    Trial(
        B13,
        instances=networks_at_a_point(),
        mutants=(
            *bounds(B13),
            right(B13, "l + 1 for l in front", Kind.OFF_BY_ONE, _power(lambda depth: depth, lambda depth: depth + 1)),
            right(B13, "sigma^2 for its root", Kind.NEIGHBOUR, _power(lambda depth: 1, lambda depth: depth)),
            right(
                B13, "l + 1 for l in the power", Kind.OFF_BY_ONE, _power(lambda depth: depth + 1, lambda depth: depth)
            ),
        ),
    ),
    Trial(
        B13A,
        instances=relu_networks(),
        mutants=(
            *bounds(B13A),
            right(B13A, "without the last layer", Kind.RANGE, _without_the_last),
            right(B13A, "the norms for their squares", Kind.NEIGHBOUR, _not_squared),
        ),
    ),
)
