"""How the claims of `theory.dherin2022.norms` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import relu_networks, whole
from proofs_check.trials.operators import Kind, bounds, moved, right
from theory.assumptions import network_of
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.dherin2022.norms import (
    D8,
    D17,
    D17A,
    D18,
    D18A,
    least_width,
    multiplied,
    product_of_norms,
)
from theory.enclosure import Enclosure, length
from theory.relu_network import largest_singular_value, squared_norms_of


@st.composite
def pairs_of_points(draw: st.DrawFn) -> Instance:
    """Draw a network, a slope of its activation, 1-Lipschitz or not, and two points."""
    given = draw(relu_networks())
    d = given["inputs"].shape[1]
    points = [rationals(draw(st.lists(whole, min_size=d, max_size=d))) for _ in range(2)]
    slope = draw(st.sampled_from(["0", "0", "1", "-1", "1/10", "-101/100", "3/2", "-2"]).map(Fraction))
    return Instance(
        {
            "layers": given["layers"],
            "layer_biases": given["layer_biases"],
            "slope": slope,
            "point": points[0],
            "other_point": points[1],
        },
        "drawn",
    )


def _apart(given: Instance) -> Enclosure:
    return length(given["other_point"] - given["point"])


def _with_layers(chosen: Callable[[tuple[Array, ...]], tuple[Array, ...]]) -> Callable[[Instance], Enclosure]:
    """Return D8's right side with some of the layers."""
    return lambda given: multiplied(product_of_norms(chosen(given["layers"])), _apart(given))


def _sum_of_norms(given: Instance) -> Enclosure:
    """Return D8's right side with the largest norm for the product."""
    norms = [largest_singular_value(matrix) for matrix in given["layers"]]
    most = Enclosure(max(norm.lower for norm in norms), max(norm.upper for norm in norms))
    return multiplied(most, _apart(given))


def _penalty(power: Callable[[int], int], factor: Callable[[int], Fraction]) -> Callable[[Instance], Fraction]:
    """Return D17.a's right side with another power, and another factor of the sum."""

    def side(given: Instance) -> Fraction:
        norms = squared_norms_of(given["layers"])
        return Fraction((factor(len(norms)) * sum(norms, Fraction(0))) ** power(len(norms)))

    return side


def _smallest_norms(given: Instance) -> Fraction:
    """Return D17.a's right side with the smallest layer for the mean."""
    norms = squared_norms_of(given["layers"])
    return Fraction(min(norms) ** len(norms))


def _without_the_last(given: Instance) -> Fraction:
    return Fraction(prod(squared_norms_of(given["layers"][:-1]), start=Fraction(1)))


def _spectral(power: int, *, ranks: bool) -> Callable[[Instance], Enclosure]:
    """Return D18's right side with another power of the norms, and min(k, d) or not."""

    def side(given: Instance) -> Enclosure:
        norm = product_of_norms(given["layers"])
        whole = multiplied(norm, norm) if power == 2 else norm
        return whole.times(Fraction(least_width(network_of(given)) if ranks else 1))

    return side


def _spectral_mean(power: Callable[[int], int], *, ranks: bool = True) -> Callable[[Instance], Enclosure]:
    """Return D18.a's right side with another power of the mean, and min(k, d) or not."""

    def side(given: Instance) -> Enclosure:
        total, depth = Enclosure.exactly(Fraction(0)), len(given["layers"])
        for matrix in given["layers"]:
            norm = largest_singular_value(matrix)
            total = total + multiplied(norm, norm).times(Fraction(1, depth))
        whole = Enclosure(Fraction(total.lower) ** power(depth), Fraction(total.upper) ** power(depth))
        return whole.times(Fraction(least_width(network_of(given)) if ranks else 1))

    return side


TRIALS = (
    Trial(
        D8,
        instances=pairs_of_points(),
        mutants=(
            *bounds(D8),
            right(D8, "without the last layer", Kind.RANGE, _with_layers(lambda layers: layers[:-1])),
            right(D8, "the largest norm for the product", Kind.EXTREME, _sum_of_norms),
            moved(D8, D8.assumptions[0].name, lambda slope: abs(slope) <= Fraction(101, 100), "|a| <= 1.01"),
        ),
    ),
    Trial(D17, instances=relu_networks()),
    Trial(
        D17A,
        instances=relu_networks(),
        mutants=(
            *bounds(D17A),
            right(
                D17A,
                "l - 1 for l in the power",
                Kind.OFF_BY_ONE,
                _penalty(lambda depth: depth - 1, lambda depth: Fraction(1, depth)),
            ),
            right(
                D17A,
                "l + 1 for l in the mean",
                Kind.OFF_BY_ONE,
                _penalty(lambda depth: depth, lambda depth: Fraction(1, depth + 1)),
            ),
            right(D17A, "the smallest layer for the mean", Kind.MIN_MAX, _smallest_norms),
            right(D17A, "without the last layer", Kind.RANGE, _without_the_last),
        ),
    ),
    Trial(
        D18,
        instances=relu_networks(),
        mutants=(
            *bounds(D18),
            right(D18, "no min(k, d)", Kind.DROPPED, _spectral(2, ranks=False)),
            right(D18, "the product for its square", Kind.NEIGHBOUR, _spectral(1, ranks=True)),
        ),
    ),
    Trial(
        D18A,
        instances=relu_networks(),
        mutants=(
            *bounds(D18A),
            right(D18A, "no min(k, d)", Kind.DROPPED, _spectral_mean(lambda depth: depth, ranks=False)),
            right(D18A, "l - 1 for l in the power", Kind.OFF_BY_ONE, _spectral_mean(lambda depth: depth - 1)),
        ),
    ),
)
