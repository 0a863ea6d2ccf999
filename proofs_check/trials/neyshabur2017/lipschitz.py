"""How the claims of `theory.neyshabur2017.lipschitz` are put to the test."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios, relu_networks, whole
from proofs_check.trials.operators import Kind, both_ways, bounds, left, right
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, length
from theory.finite_metric import smallest_cover
from theory.neyshabur2017.lipschitz import N5, N5A, N5B, N5C, N13, N13A, N13B, N13C, largest, output_move, spacing
from theory.neyshabur2017.lipschitz_bounds import largest_row_norm, path_sums
from theory.relu_network import largest_singular_value


@st.composite
def moved_points(draw: st.DrawFn) -> Instance:
    """Draw a network, of few units with all inputs moved alike or not, a point and a move."""
    given = draw(relu_networks())
    d = given["inputs"].shape[1]
    point, move = (rationals(draw(st.lists(whole, min_size=d, max_size=d))) for _ in range(2))
    if draw(st.booleans()):  # all inputs by as much, to either side
        move = rationals([draw(st.sampled_from([-1, 1])) for _ in range(d)])
    return Instance(
        {"layers": given["layers"], "layer_biases": given["layer_biases"], "point": point, "move": move}, "drawn"
    )


def _times_the_move(factor: Callable[[tuple[Array, ...]], Fraction]) -> Callable[[Instance], Fraction]:
    """Return a factor of the layers times how far the inputs are moved, in the l_inf norm."""
    return lambda given: factor(given["layers"]) * largest(given["move"])


def _product(norm: Callable[[Array], Fraction]) -> Callable[[tuple[Array, ...]], Fraction]:
    return lambda layers: math.prod(map(norm, layers), start=Fraction(1))


def _column_norm(matrix: Array) -> Fraction:
    """Return the largest l_1 norm of what goes out of a unit."""
    return largest_row_norm(matrix.T)


def _mean_row_norm(matrix: Array) -> Fraction:
    return Fraction(abs(matrix).sum()) / len(matrix)


def _signed_row_norm(matrix: Array) -> Fraction:
    """Return the largest sum of a row, without absolute values of its entries."""
    return max(Fraction(abs(row.sum())) for row in matrix)


def _signed_paths(layers: tuple[Array, ...]) -> Fraction:
    """Return the sums over paths without absolute values, of the outputs together."""
    whole = layers[0]
    for matrix in layers[1:]:
        whole = matrix @ whole
    return Fraction(abs(whole.sum(axis=1)).sum())


def _spectral(
    layers: Callable[[tuple[Array, ...]], tuple[Array, ...]], power: int = 1
) -> Callable[[Instance], Enclosure]:
    """Return N5.b's right side with some of the layers, or another power of their norms."""

    def side(given: Instance) -> Enclosure:
        ends = length(given["move"])
        for matrix in layers(given["layers"]):
            norm = largest_singular_value(matrix)
            ends = Enclosure(
                Fraction(ends.lower) * Fraction(norm.lower) ** power,
                Fraction(ends.upper) * Fraction(norm.upper) ** power,
            )
        return ends

    return side


def _largest_spectral(given: Instance) -> Enclosure:
    """Return N5.b's right side with the largest of the norms for their product."""
    norms, apart = [largest_singular_value(matrix) for matrix in given["layers"]], length(given["move"])
    return Enclosure(
        max(Fraction(norm.lower) for norm in norms) * Fraction(apart.lower),
        max(Fraction(norm.upper) for norm in norms) * Fraction(apart.upper),
    )


def _total_move(given: Instance) -> Fraction:
    """Return the l_1 norm of how far the outputs are moved."""
    return Fraction(abs(output_move(given)).sum())


@st.composite
def units_of_length(draw: st.DrawFn) -> Instance:
    """Draw a constant, a margin, a diameter, other units and a dimension."""
    number = st.sampled_from([Fraction(1), Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3)])
    names = ("constant", "margin", "diameter", "units")
    return Instance({**{name: draw(number) for name in names}, "dimension": draw(st.integers(1, 3))}, "drawn")


@st.composite
def grids(draw: st.DrawFn) -> Instance:
    """Draw a grid of few points, and a margin at which 2 gamma / C is near a whole number or half of one."""
    dimension = draw(st.sampled_from([1, 2, 2, 3]))
    side = draw(st.integers(1, {1: 3, 2: 2, 3: 1}[dimension]))
    constant = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 3)]))
    apart = Fraction(draw(st.integers(1, 2 * side + 2)), 2) + draw(
        st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 9)])
    )
    return Instance(
        {"side": side, "dimension": dimension, "constant": constant, "margin": constant * apart / 2}, "drawn"
    )


@st.composite
def small_spaces(draw: st.DrawFn) -> Instance:
    """Draw a space of few points, its distances the shortest ways along drawn ones, and a margin near one of them."""
    n = draw(st.sampled_from([1, 2, 3, 4, 5]))
    distances = rationals([[0] * n for _ in range(n)])
    for i, j in combinations(range(n), 2):
        distances[i, j] = distances[j, i] = draw(ratios(1, 4, 2))
    for k in range(n):
        distances = np.minimum(distances, distances[:, k, None] + distances[None, k, :])
    constant = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 3)]))
    near = draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(99, 100), Fraction(101, 100), Fraction(2)]))
    margin = constant * near * draw(st.sampled_from([Fraction(1), *(entry for entry in distances.ravel() if entry)]))
    return Instance({"distances": distances, "constant": constant, "margin": margin}, "drawn")


def _grid(along: int, power: int) -> Fraction:
    return Fraction(along**power)


def _covering(given: Instance, factor: Fraction) -> Fraction:
    """Return the covering number at a factor times gamma / C."""
    return Fraction(len(smallest_cover(given["distances"], factor * given["margin"] / given["constant"])))


def _by_one_function(given: Instance) -> Fraction:
    """Return how many sets one function needs, C times the distance from the first point, and not all functions."""
    values = sorted(given["constant"] * distance for distance in given["distances"][0])
    sets, start = 1, values[0]
    for value in values:
        if value - start > given["margin"]:
            sets, start = sets + 1, value
    return Fraction(sets)


TRIALS = (
    Trial(
        N5,
        instances=moved_points(),
        mutants=(
            *bounds(N5),
            right(N5, "the l_1 norm of what goes out", Kind.NEIGHBOUR, _times_the_move(_product(_column_norm))),
            right(N5, "the mean over units for the max", Kind.EXTREME, _times_the_move(_product(_mean_row_norm))),
            right(N5, "absolute value dropped", Kind.DROPPED, _times_the_move(_product(_signed_row_norm))),
            right(
                N5,
                "without the last layer",
                Kind.RANGE,
                _times_the_move(lambda layers: _product(largest_row_norm)(layers[:-1])),
            ),
            left(N5, "the l_2 norm of the outputs", Kind.NEIGHBOUR, lambda given: length(output_move(given))),
        ),
    ),
    Trial(
        N5A,
        instances=moved_points(),
        mutants=(
            *bounds(N5A),
            right(N5A, "absolute value dropped", Kind.DROPPED, _times_the_move(_signed_paths)),
            right(
                N5A,
                "the least output for the sum",
                Kind.MIN_MAX,
                _times_the_move(lambda layers: Fraction(min(path_sums(layers)[-1]))),
            ),
            right(
                N5A,
                "without the last layer",
                Kind.RANGE,
                _times_the_move(
                    lambda layers: Fraction(path_sums(layers[:-1])[-1].sum()) if layers[1:] else Fraction(1)
                ),
            ),
        ),
    ),
    Trial(
        N5B,
        instances=moved_points(),
        mutants=(
            *bounds(N5B),
            right(N5B, "without the last layer", Kind.RANGE, _spectral(lambda layers: layers[:-1])),
            right(N5B, "the largest norm for the product", Kind.EXTREME, _largest_spectral),
            right(
                N5B,
                "the largest entries for the norms",
                Kind.NEIGHBOUR,
                lambda given: length(given["move"]).times(
                    math.prod((Fraction(abs(matrix).max()) for matrix in given["layers"]), start=Fraction(1))
                ),
            ),
        ),
    ),
    Trial(
        N5C,
        instances=moved_points(),
        mutants=(
            *bounds(N5C),
            right(
                N5C,
                "the mean over outputs for the max",
                Kind.EXTREME,
                _times_the_move(lambda layers: Fraction(path_sums(layers)[-1].sum()) / len(path_sums(layers)[-1])),
            ),
            left(N5C, "the sum over outputs", Kind.EXTREME, _total_move),
        ),
    ),
    Trial(N13, instances=units_of_length()),
    Trial(
        N13A,
        instances=grids(),
        mutants=(
            *both_ways(N13A),
            right(
                N13A,
                "floor for ceil of 2 gamma / C",
                Kind.OFF_BY_ONE,
                lambda given: _grid(given["side"] // max(spacing(given) - 1, 1) + 1, given["dimension"]),
            ),
            right(
                N13A,
                "without + 1",
                Kind.OFF_BY_ONE,
                lambda given: _grid(given["side"] // spacing(given), given["dimension"]),
            ),
            right(
                N13A,
                "the power 1",
                Kind.DROPPED,
                lambda given: _grid(given["side"] // spacing(given) + 1, 1),
            ),
            right(
                N13A,
                "gamma / C for 2 gamma / C",
                Kind.CONSTANT,
                lambda given: _grid(
                    given["side"] // math.ceil(given["margin"] / given["constant"]) + 1, given["dimension"]
                ),
            ),
        ),
    ),
    Trial(
        N13B,
        instances=small_spaces(),
        mutants=(
            *bounds(N13B),
            right(N13B, "balls of radius gamma / C", Kind.CONSTANT, lambda given: _covering(given, Fraction(1))),
            right(N13B, "1 % larger balls", Kind.CONSTANT, lambda given: _covering(given, Fraction(101, 200))),
        ),
    ),
    Trial(
        N13C,
        instances=small_spaces(),
        mutants=(
            *bounds(N13C),
            right(N13C, "balls of half the radius", Kind.CONSTANT, lambda given: _covering(given, Fraction(1, 2))),
            right(N13C, "1 % smaller balls", Kind.CONSTANT, lambda given: _covering(given, Fraction(99, 100))),
            left(N13C, "for one function, not for all", Kind.SOME, _by_one_function),
        ),
    ),
)
