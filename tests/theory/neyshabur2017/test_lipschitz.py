import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from theory.claim import Ruling
from theory.neyshabur2017 import l1_inf_norm_product, l1_path_lipschitz_bound, output_path_lipschitz_bound
from theory.neyshabur2017.lipschitz import N5, N13, N13A, N13B, N13C
from theory.relu_network import ReLUNetwork, exact_layers

BOUNDS: list[Callable[[Any], float]] = [l1_inf_norm_product, l1_path_lipschitz_bound, output_path_lipschitz_bound]
SHAPES = [(1, 1), (2, 3, 1), (2, 2, 2), (1, 3, 2, 2), (2, 2, 2, 3)]


def drawn(seed: int, widths: tuple[int, ...]) -> list[list[list[int]]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-3, 4, (m, n)).tolist() for n, m in pairwise(widths)]


def paths(layers: list[list[list[int]]], output: int) -> int:
    """The sum over paths to an output, each written out."""
    widths = [len(layers[0][0]), *(len(matrix) for matrix in layers[:-1])]
    return sum(
        abs(math.prod(matrix[b][a] for matrix, a, b in zip(layers, path, (*path[1:], output), strict=True)))
        for path in product(*map(range, widths))
    )


@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_the_bounds_are_what_their_definitions_say(widths: tuple[int, ...]) -> None:
    for seed in range(10):
        layers = drawn(seed, widths)
        each = [paths(layers, output) for output in range(widths[-1])]
        assert l1_path_lipschitz_bound(layers) == sum(each)
        assert output_path_lipschitz_bound(layers) == max(each)
        rows = [max(sum(map(abs, row)) for row in matrix) for matrix in layers]
        assert l1_inf_norm_product(layers) == math.prod(rows)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_no_piece_has_a_larger_operator_norm(widths: tuple[int, ...], bound: Callable[[Any], float]) -> None:
    for seed in range(6):
        layers = drawn(seed, widths)
        rng = np.random.default_rng(seed)
        biases = tuple(np.array([Fraction(int(v)) for v in rng.integers(-2, 3, width)]) for width in widths[1:-1])
        network = ReLUNetwork(exact_layers("layers", layers), biases)
        assert max(max(abs(row).sum() for row in piece) for piece in network.pieces()) <= bound(layers)


def test_the_path_norm_over_all_outputs_may_be_above_the_product() -> None:
    identity = [[[1, 0], [0, 1]]]
    assert l1_inf_norm_product(identity) == output_path_lipschitz_bound(identity) == 1
    assert l1_path_lipschitz_bound(identity) == 2


def test_the_least_of_the_three_is_that_of_one_output() -> None:
    for seed, widths in product(range(10), SHAPES):
        layers = drawn(seed, widths)
        assert output_path_lipschitz_bound(layers) <= min(l1_inf_norm_product(layers), l1_path_lipschitz_bound(layers))


@pytest.mark.parametrize("bound", BOUNDS)
def test_bounds_round_up(bound: Callable[[Any], float]) -> None:
    third = Fraction(1, 3)
    assert Fraction(bound([[[third]]])) >= third
    assert bound([[[third]]]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "layers must be at least one weight matrix, got none"),
        ([[[1, 2]], [[1, 1]]], "layer 2 must have a column for each of the 1 outputs of the one before"),
        ([[[math.nan]]], "layers[0] must hold finite numbers, got nan"),
    ],
)
def test_bad_layers_are_refused(bound: Callable[[Any], float], layers: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        bound(layers)


def test_a_point_that_does_not_fit_is_refused() -> None:
    extremal = N5.extremal
    assert extremal is not None
    with pytest.raises(ValueError, match="point must have 2 coordinates, got 3"):
        N5.evaluate(extremal.but(point=[1, 2, 3], move=[1, 1, 1]))


@pytest.mark.parametrize(("dimension", "ruling"), [(1, Ruling.HOLDS), (2, Ruling.VIOLATED), (3, Ruling.VIOLATED)])
def test_the_printed_capacity_depends_on_the_unit_of_length(dimension: int, ruling: Ruling) -> None:
    assert N13.witness is not None
    assert N13.evaluate(N13.witness.but(dimension=dimension)).ruling is ruling


@pytest.mark.parametrize(
    ("side", "dimension", "margin", "size"),
    [
        (2, 2, 1, 4),
        (2, 2, Fraction(1, 2), 9),
        (2, 2, Fraction(3, 4), 4),
        (3, 1, 1, 2),
        (1, 3, Fraction(1, 2), 8),
        (2, 1, 9, 1),
    ],
)
def test_how_many_points_of_a_grid_are_shattered(side: int, dimension: int, margin: Fraction, size: int) -> None:
    verdict = N13A.evaluate({"side": side, "dimension": dimension, "constant": 1, "margin": margin})
    assert verdict.lhs is not None
    assert verdict.rhs is not None
    assert verdict.lhs.upper == verdict.rhs.upper == size


def test_both_covering_numbers_may_be_met_and_missed() -> None:
    # Of three points in a row, 1 apart: at gamma/C = 1 two sets, one ball of radius 1, and three of half of it.
    row = {"distances": [[0, 1, 2], [1, 0, 1], [2, 1, 0]], "constant": 1, "margin": 1}
    above, below = N13B.evaluate(row), N13C.evaluate(row)
    assert above.lhs is not None
    assert above.rhs is not None
    assert below.rhs is not None
    assert (above.lhs.upper, above.rhs.upper, below.rhs.upper) == (2, 3, 1)
