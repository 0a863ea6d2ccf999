"""Neyshabur et al. 2017 on Lipschitz constants, and the capacity of Lipschitz functions: N5, N13."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, count, exact_vector, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.dherin2022 import norm_product
from theory.enclosure import Enclosure, length
from theory.finite_metric import fewest_sets, largest_separated, smallest_cover
from theory.neyshabur2017 import lipschitz_proofs as proofs
from theory.neyshabur2017.lipschitz_bounds import (
    l1_inf_norm_product,
    l1_path_lipschitz_bound,
    largest_row_norm,
    output_path_lipschitz_bound,
    path_sums,
)
from theory.relu_network import ReLUNetwork, largest_singular_value, square
from theory.sources import NEYSHABUR2017, Source
from theory.symbols import (
    BIASES,
    FUNCTION_MARGIN,
    LAYERS,
    LIPSCHITZ_CONSTANT,
    LIPSCHITZ_ON_A_SPACE,
    POINT,
    Symbol,
    exact_positive,
)

MOVE = Symbol("move", "v", "how far the point is moved, rationals, [d]", exact_vector)
MOVED_POINT = (LAYERS, BIASES, POINT, MOVE)


def network_at(given: Instance) -> ReLUNetwork:
    """Return the network of an instance.

    Raises:
        ValueError: if the layers, the biases and the point do not fit together.
    """
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    if network.inputs != len(given["point"]):
        raise ValueError(f"point must have {network.inputs} coordinates, got {len(given['point'])}")
    return network


def output_move(given: Instance) -> Array:
    """Return f(x + v) - f(x), [k]."""
    network = network_at(given)
    moved: Array = network(given["point"] + given["move"]) - network(given["point"])
    return moved


def unit_moves(given: Instance) -> list[tuple[Array, Array]]:
    """Return how much each layer's units are moved from x to x + v, before ReLU and behind it; last the outputs, twice."""
    network = network_at(given)
    ends = [
        [(z, np.where(z > 0, z, 0 * z)) for z in network.pre_activations(x)]
        for x in (given["point"], given["point"] + given["move"])
    ]
    hidden = [(there[0] - here[0], there[1] - here[1]) for here, there in zip(*ends, strict=True)]
    return [*hidden, (output_move(given), output_move(given))]


def largest(vector: Array) -> Fraction:
    """Return the l_inf norm."""
    return Fraction(max(abs(vector)))


def _against(factor: Fraction, given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return how far the outputs move, and a factor times how far the inputs do, in the l_inf norm."""
    return Enclosure.exactly(largest(output_move(given))), Enclosure.exactly(factor * largest(given["move"]))


def product_of_row_norms(layers: tuple[Array, ...]) -> Fraction:
    """Return prod ||W_i||_{1,inf}."""
    return math.prod(map(largest_row_norm, layers), start=Fraction(1))


def _reads_rows(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N5's proof are: the norms of the layers, and how far units are moved in each."""
    found = unit_moves(given)
    return {
        "m": len(found),
        "N": [largest_row_norm(matrix) for matrix in given["layers"]],
        "t": [largest(before) for before, _ in found],
        "e": [largest(given["move"]), *(largest(after) for _, after in found)],
    }


def _reads_paths(given: Instance, whole: Fraction) -> dict[str, Any]:
    """Return what the symbols of the proofs of N5.a and N5.c are, P being a given number.

    C has for the inputs and each layer the least c so that no unit moves by more than c times its sum over paths.
    """
    found, sums = unit_moves(given), path_sums(given["layers"])
    needed = [
        max([abs(move) / path for move, path in zip(after, paths, strict=True) if path], default=Fraction(0))
        for (_, after), paths in zip(found, sums, strict=True)
    ]
    outputs, most = sums[-1], int(np.argmax(abs(found[-1][1])))
    others = [*outputs[:most], *outputs[most + 1 :]]
    return {
        "m": len(found),
        "C": [largest(given["move"]), *needed],
        "P": whole,
        "q": outputs[most],
        "o": largest(found[-1][1]),
        "R": others,
        "r": len(others),
    }


def _euclidean_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    whole = Enclosure.exactly(Fraction(1))
    for factor in (*map(largest_singular_value, given["layers"]), length(given["move"])):
        whole = Enclosure(
            *(Fraction(a) * Fraction(b) for a, b in ((whole.lower, factor.lower), (whole.upper, factor.upper)))
        )
    return length(output_move(given)), whole


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _reads_lengths(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N5.b's proof are: how far apart two points are before and behind each ReLU."""
    found = unit_moves(given)
    return {
        "m": len(found),
        "sigma": [Fraction(largest_singular_value(matrix).upper) for matrix in given["layers"]],
        "t": [_root(square(before)) for before, _ in found],
        "e": [_root(square(given["move"])), *(_root(square(after)) for _, after in found)],
    }


def _moved(layers: list[Any], biases: list[Any], point: list[int], move: list[int]) -> Instance:
    return Instance(
        {
            "layers": tuple(map(rationals, layers)),
            "layer_biases": tuple(map(rationals, biases)),
            "point": rationals(point),
            "move": rationals(move),
        },
        "named",
    )


DIAMETER = Symbol("diameter", r"\mathrm{diam}(X)", "of the input space, above 0", exact_positive)
UNITS = Symbol("units", "u", "what a distance of 1 is in other units, above 0", exact_positive)
DIMENSION = Symbol("dimension", "n", "of the inputs, at least 1", count)
SIDE = Symbol("side", "p", "the side of a grid, at least 1", count)


def printed_capacity(constant: Fraction, margin: Fraction, diameter: Fraction, dimension: int) -> Fraction:
    """Return (C/gamma)^n diam(X)."""
    return Fraction((constant / margin) ** dimension * diameter)


def _units_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    constant, margin, diameter, n, u = (
        given[name] for name in ("constant", "margin", "diameter", "dimension", "units")
    )
    return (
        Enclosure.exactly(printed_capacity(constant, margin, diameter, n)),
        Enclosure.exactly(printed_capacity(constant / u, margin, u * diameter, n)),
    )


MOST_POINTS = 64
"""Of a grid that is searched."""


def grid_points(given: Instance) -> list[tuple[int, ...]]:
    """Return the points of {0, .., p}^n.

    Raises:
        ValueError: if there are more than are searched.
    """
    if (given["side"] + 1) ** min(given["dimension"], MOST_POINTS) > MOST_POINTS:
        raise ValueError(
            f"side and dimension must make a grid of at most {MOST_POINTS} points, got {given['side']} and "
            f"{given['dimension']}"
        )
    return list(product(range(given["side"] + 1), repeat=given["dimension"]))


def separated_in_grid(given: Instance) -> list[tuple[int, ...]]:
    """Return as many points of the grid as can be 2 gamma / C or more apart in the l_inf norm."""
    points = grid_points(given)
    distances = rationals([[max(abs(a - b) for a, b in zip(x, y, strict=True)) for y in points] for x in points])
    return [points[i] for i in largest_separated(distances, 2 * given["margin"] / given["constant"])]


def spacing(given: Instance) -> int:
    """Return the least whole number that is at least 2 gamma / C."""
    return math.ceil(Fraction(2 * given["margin"] / given["constant"]))


def _grid_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    along = given["side"] // spacing(given) + 1
    return (
        Enclosure.exactly(Fraction(len(separated_in_grid(given)))),
        Enclosure.exactly(Fraction(along ** given["dimension"])),
    )


def _reads_grid(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N13.a's proof are: c has how many of the separated points each cell holds."""
    step, separated = spacing(given), separated_in_grid(given)
    cells = list(product(range(given["side"] // step + 1), repeat=given["dimension"]))
    held = [tuple(x // step for x in point) for point in separated]
    return {
        "P": len(separated),
        "K": len(cells),
        "t": step,
        "a": 0,
        "b": 1,
        "c": [held.count(cell) for cell in cells],
    }


def fewest_quiet_sets(given: Instance) -> list[int]:
    """Return for each point its set, in a partition into the fewest on which no C-Lipschitz function moves by more than gamma.

    That is, of no larger diameter than gamma / C: of two points, C times the distance from the one moves by C times theirs.
    """
    return fewest_sets(given["distances"], given["margin"] / given["constant"])


def _cover(given: Instance, factor: Fraction) -> list[int]:
    return smallest_cover(given["distances"], factor * given["margin"] / given["constant"])


def _sizes(sets: list[int], cover: list[int]) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(Fraction(len(set(sets)))), Enclosure.exactly(Fraction(len(cover)))


def _reads_balls(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N13.b's proof are: x is the largest distance between points of one ball's share."""
    d, cover = given["distances"], _cover(given, Fraction(1, 2))
    nearest = [cover[int(np.argmin(d[i, cover]))] for i in range(len(d))]
    within = [d[i, j] for i, j in product(range(len(d)), repeat=2) if nearest[i] == nearest[j]]
    sets = len(set(fewest_quiet_sets(given)))
    return {"C": given["constant"], "g": given["margin"], "x": max(within), "K": sets, "N": len(cover)}


def _reads_sets(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N13.c's proof are: x is the largest distance of a point from the first one of its set."""
    d, sets = given["distances"], fewest_quiet_sets(given)
    far = max(Fraction(d[i, sets.index(own)]) for i, own in enumerate(sets))
    return {
        "C": given["constant"],
        "g": given["margin"],
        "x": far,
        "K": len(set(sets)),
        "N": len(_cover(given, Fraction(1))),
    }


OPPOSITE_SIGNS = _moved([[[1, -2], [0, 1]], [[2, 0]]], [[0, 0]], [0, 0], [1, -1])
"""One output, whose unit takes the inputs with the signs in which they are moved."""

_PLACE = "Section 2.3, Lipschitz constants of a network"

N5 = Claim(
    id="N5",
    source=Source(NEYSHABUR2017, _PLACE),
    statement=r"C_{\ell_\infty} \le \prod_{i=1}^d \|W_i\|_{1,\infty}:\quad "
    r"\|f_w(x + v) - f_w(x)\|_\infty \le \prod_{i=1}^d \|W_i\|_{1,\infty}\, \|v\|_\infty",
    form=Form.AT_MOST,
    symbols=MOVED_POINT,
    sides=lambda given: _against(product_of_row_norms(given["layers"]), given),
    bound=l1_inf_norm_product,
    bound_on=lambda given: l1_inf_norm_product(given["layers"]) * float(largest(given["move"])),
    proof=proofs.n5,
    reads=_reads_rows,
    finding=Finding.AS_PRINTED,
    note="With biases as well. ||W||_{1,inf}, the largest l_1 norm of what comes into a unit, is the operator norm of W in the "
    "l_inf norm. With the l_2 norm of the outputs it is false: the identity of the plane has ||W||_{1,inf} = 1, and its value "
    "at (1, 1) the length sqrt 2. A residual block, x + W x, or a convolution's kernel taken as a matrix, is no such layer.",
    reading="The section defines Lipschitz constants for functions into the reals; of several outputs the l_inf norm is taken, "
    "so that each of them has the constant.",
    extremal=OPPOSITE_SIGNS,
)

N5A = Claim(
    id="N5.a",
    amends="N5",
    source=Source(NEYSHABUR2017, _PLACE),
    statement=r"C_{\ell_\infty} \le \sum_{j \in \prod_{k=0}^d [h_k]} \Big|\prod_{i=1}^d W_i[j_i, j_{i-1}]\Big|",
    form=Form.AT_MOST,
    symbols=MOVED_POINT,
    sides=lambda given: _against(Fraction(path_sums(given["layers"])[-1].sum()), given),
    bound=l1_path_lipschitz_bound,
    bound_on=lambda given: l1_path_lipschitz_bound(given["layers"]) * float(largest(given["move"])),
    proof=proofs.n5a,
    reads=lambda given: _reads_paths(given, Fraction(path_sums(given["layers"])[-1].sum())),
    finding=Finding.AS_PRINTED,
    note="What '(hence l_1-path norm)' says. It follows for one output, where the path norm is the least product of the "
    "||W_i||_{1,inf} over node-wise rescalings, which leave the network as it is. Of several outputs that least product is the "
    "largest path norm of one of them, see N5.c; the path norm over all of them is a bound too, but may be above the product "
    "itself: of the identity of the plane these are 2 and 1.",
    reading="As N5; the path norm is over all paths to all outputs, as the section on norms defines it.",
    extremal=OPPOSITE_SIGNS,
)

N5B = Claim(
    id="N5.b",
    amends="N5",
    source=Source(NEYSHABUR2017, _PLACE),
    statement=r"C_{\ell_2} \le \prod_{i=1}^d \|W_i\|_2:\quad \|f_w(x + v) - f_w(x)\|_2 \le \prod_{i=1}^d \|W_i\|_2\, \|v\|_2",
    form=Form.AT_MOST,
    symbols=MOVED_POINT,
    sides=_euclidean_sides,
    bound=norm_product,
    bound_on=lambda given: norm_product(given["layers"]) * float(length(given["move"]).upper),
    proof=proofs.n5b,
    reads=_reads_lengths,
    finding=Finding.AS_PRINTED,
    note="D8 says the same of all activations that are 1-Lipschitz. With biases as well; any norm of the outputs that is at "
    "most the l_2 norm has the same constant.",
    reading="As N5, of several outputs the l_2 norm.",
    extremal=_moved([[[3, 4]], [[2]]], [[0]], [0, 0], [3, 4]),
)

N5C = Claim(
    id="N5.c",
    amends="N5",
    source=Source(NEYSHABUR2017, f"{_PLACE}, of several outputs"),
    statement=r"C_{\ell_\infty} \le \max_{j_d} \sum_{j_0, \ldots, j_{d-1}} \Big|\prod_{i=1}^d W_i[j_i, j_{i-1}]\Big|",
    form=Form.AT_MOST,
    symbols=MOVED_POINT,
    sides=lambda given: _against(Fraction(max(path_sums(given["layers"])[-1])), given),
    bound=output_path_lipschitz_bound,
    bound_on=lambda given: output_path_lipschitz_bound(given["layers"]) * float(largest(given["move"])),
    proof=proofs.n5c,
    reads=lambda given: _reads_paths(given, Fraction(max(path_sums(given["layers"])[-1]))),
    finding=Finding.OURS,
    note="At most N5's bound and at most N5.a's, of any number of outputs. It is met by a network whose weights are all at "
    "least 0, at a point where all its units are active.",
    extremal=_moved([[[1, 2], [0, 1]], [[1, 1], [1, 0]]], [[0, 0]], [1, 1], [1, 1]),
)

TWO_POINTS = rationals([[0, 1], [1, 0]])

N13 = Claim(
    id="N13",
    source=Source(NEYSHABUR2017, "Section 2.3, capacity of Lipschitz functions"),
    statement=r"\text{capacity} \propto \Big(\frac{C}{\gamma}\Big)^n \mathrm{diam}(X):\quad "
    r"\Big(\frac{C}{\gamma}\Big)^n \mathrm{diam}(X) = \Big(\frac{C/u}{\gamma}\Big)^n\, u\, \mathrm{diam}(X)",
    form=Form.IDENTITY,
    symbols=(LIPSCHITZ_CONSTANT, FUNCTION_MARGIN, DIAMETER, DIMENSION, UNITS),
    sides=_units_sides,
    finding=Finding.FALSE,
    note="Distances in centimetres for metres change neither the functions nor what they can fit, but the formula by "
    "u^(1 - n): in more than one dimension it is no capacity. The power n belongs to the diameter too, see N13.a. On one cube, "
    "its diameter taken for a constant as footnote 4 of the paper does, the power of C/gamma is right, and by N5 "
    "(prod ||W_i||_2/gamma)^n is then a bound.",
    quote="showed that the capacity is proportional to (C_M/gamma_margin)^n diam_M(X)",
    reading="As a formula in C, gamma and the diameter, with a constant that depends on n alone: whatever the capacity is, it "
    "is of the class of functions and the margin, which do not know the unit of length.",
    witness=Instance(
        {
            "constant": Fraction(1),
            "margin": Fraction(1),
            "diameter": Fraction(1),
            "dimension": 2,
            "units": Fraction(2),
            "side": 1,
            "distances": TWO_POINTS,
        },
        "named",
    ),
    no_extremal="refuted",
)

N13A = Claim(
    id="N13.a",
    amends="N13",
    source=Source(NEYSHABUR2017, "Section 2.3, capacity of Lipschitz functions, repaired"),
    statement=r"X = \{0, \ldots, p\}^n,\ \ell_\infty:\quad "
    r"\max\{|S| : S \subseteq X,\ \|x - y\|_\infty \ge 2\gamma/C \text{ for all } x \ne y \in S\} "
    r"= \Big(\Big\lfloor \frac{p}{\lceil 2\gamma/C \rceil}\Big\rfloor + 1\Big)^n",
    form=Form.IDENTITY,
    symbols=(SIDE, DIMENSION, LIPSCHITZ_CONSTANT, FUNCTION_MARGIN),
    sides=_grid_sides,
    proof=proofs.n13a,
    reads=_reads_grid,
    finding=Finding.OURS,
    note="By B21 the left side is the fat-shattering dimension of the C-Lipschitz functions at gamma. As diam(X) = p, it is of "
    "the order of (C diam(X)/(2 gamma))^n where 2 gamma/C is from 1 to p. In the cube [0, D]^n the same cells give "
    "(floor(C D/(2 gamma)) + 1)^n. The left side is searched for in grids of at most 64 points; the proof is for all.",
    extremal=Instance({"side": 2, "dimension": 2, "constant": Fraction(1), "margin": Fraction(1)}, "named"),
)

N13B = Claim(
    id="N13.b",
    amends="N13",
    source=Source(NEYSHABUR2017, "Section 2.3, K-robustness (3) of Lipschitz functions"),
    statement=r"K_\gamma = \min\{K : X = C_1 \cup \ldots \cup C_K,\ x, z \in C_i \Rightarrow |f(x) - f(z)| \le \gamma "
    r"\text{ for all } C\text{-Lipschitz } f\}:\quad K_\gamma \le N(X, \gamma/(2C))",
    form=Form.AT_MOST,
    symbols=LIPSCHITZ_ON_A_SPACE,
    sides=lambda given: _sizes(fewest_quiet_sets(given), _cover(given, Fraction(1, 2))),
    proof=proofs.n13b,
    reads=_reads_balls,
    finding=Finding.OURS,
    note="What 'K is proportional to the gamma/C-covering number' comes to, with N13.c: K lies between the covering numbers "
    "N(X, r), the fewest closed balls of radius r about points of X that hold X, at gamma/C and at half of it. The loss is "
    "taken to be f itself; the margin of several outputs moves by up to twice as much as the outputs do.",
    extremal=Instance({"distances": TWO_POINTS, "constant": Fraction(1), "margin": Fraction(1, 2)}, "named"),
)

N13C = Claim(
    id="N13.c",
    amends="N13",
    source=Source(NEYSHABUR2017, "Section 2.3, K-robustness (3) of Lipschitz functions"),
    statement=r"K_\gamma \ge N(X, \gamma/C)",
    form=Form.AT_LEAST,
    symbols=LIPSCHITZ_ON_A_SPACE,
    sides=lambda given: _sizes(fewest_quiet_sets(given), _cover(given, Fraction(1))),
    proof=proofs.n13c,
    reads=_reads_sets,
    finding=Finding.OURS,
    note="K as in N13.b: one partition for all functions of the class. A single function may do with fewer sets.",
    extremal=Instance({"distances": TWO_POINTS, "constant": Fraction(1), "margin": Fraction(1)}, "named"),
)

CLAIMS = (N5, N5A, N5B, N5C, N13, N13A, N13B, N13C)
