"""Exact Lipschitz constants of two-layer networks (B20), and what functions of a Lipschitz constant shatter (B21)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy as sp

from theory.beyond import lipschitz_proofs as proofs
from theory.beyond.lipschitz_bounds import (
    averaged_norm,
    exact_lipschitz_constant,
    fat_shattering_dimension,
    two_layer_lipschitz_bound,
)
from theory.checks import Array, dot, exact_vector, exact_vectors, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, length
from theory.finite_metric import largest_separated, largest_shattered, smallest_distance
from theory.relu_network import ReLUNetwork, largest_singular_value, lipschitz_constant, square
from theory.sources import HOUSE, Source
from theory.symbols import LIPSCHITZ_ON_A_SPACE, POINT, Symbol

FIRST_LAYER = Symbol("first_layer", "W", "weights w_j of the hidden units, one a row, rationals, [m, d]", exact_vectors)
FIRST_BIASES = Symbol("first_biases", "b", "their biases, [m]", exact_vector)
LAST_LAYER = Symbol(
    "last_layer", "V", "weights v_j of the outputs, one hidden unit a column, rationals, [k, m]", exact_vectors
)
STEP = Symbol("step", "v", "from one point to another, rationals, [d]", exact_vector)
TWO_LAYERS_AND_A_STEP = (FIRST_LAYER, FIRST_BIASES, LAST_LAYER, POINT, STEP)


def _network(given: Instance) -> ReLUNetwork:
    return ReLUNetwork((given["first_layer"], given["last_layer"]), (given["first_biases"],))


def step_of_outputs(given: Instance) -> Array:
    """Return f(x + v) - f(x), [k]."""
    network = _network(given)
    moved: Array = network(given["point"] + given["step"]) - network(given["point"])
    return moved


def _times(factor: Enclosure, given: Instance) -> Enclosure:
    """Return a factor times |v|."""
    far = length(given["step"])
    return Enclosure(Fraction(factor.lower) * Fraction(far.lower), Fraction(factor.upper) * Fraction(far.upper))


def _exact_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return length(step_of_outputs(given)), _times(lipschitz_constant(_network(given)), given)


def _averaged_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return length(step_of_outputs(given)), _times(averaged_norm(given["first_layer"], given["last_layer"]), given)


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _reads_pieces(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B20's proof are: the shares of the way that lie in the pieces, and the slopes there."""
    w, x, step, moved = given["first_layer"], given["point"], given["step"], step_of_outputs(given)
    start, change = w @ x + given["first_biases"], w @ step
    kinks = {-z / c for z, c in zip(start, change, strict=True) if c and 0 < -z / c < 1}
    ends = sorted({Fraction(0), Fraction(1), *kinks})
    middles = [(a + b) / 2 for a, b in pairwise(ends)]
    network = _network(given)
    return {
        "m": len(middles),
        "s": [b - a for a, b in pairwise(ends)],
        "g": [dot(moved, network.jacobian(x + t * step) @ step) for t in middles],
        "L": Fraction(lipschitz_constant(network).upper),
        "V": _root(square(step)),
        "D": _root(square(moved)),
    }


def _reads_shares(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B20.a's proof are: of each unit the share b of what it is given that it passes on, and a."""
    w, v, step, moved = given["first_layer"], given["last_layer"], given["step"], step_of_outputs(given)
    start = w @ given["point"] + given["first_biases"]
    change, into = w @ step, moved @ v
    passed = [max(z + c, Fraction(0)) - max(z, Fraction(0)) for z, c in zip(start, change, strict=True)]
    return {
        "m": len(w),
        "a": list(into * change),
        "b": [p / c if c else Fraction(0) for p, c in zip(passed, change, strict=True)],
        "p": list(abs(into)),
        "q": list(abs(change)),
        "n": [_root(square(column)) for column in v.T],
        "w": [_root(square(row)) for row in w],
        "P": Fraction(largest_singular_value(rationals(v @ w)).upper),
        "N": Fraction(largest_singular_value(v).upper),
        "M": Fraction(largest_singular_value(w).upper),
        "V": _root(square(step)),
        "D": _root(square(moved)),
    }


def _fat_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    shattered = largest_shattered(given["distances"], given["constant"], given["margin"])
    separated = largest_separated(given["distances"], 2 * given["margin"] / given["constant"])
    return Enclosure.exactly(Fraction(len(shattered))), Enclosure.exactly(Fraction(len(separated)))


def _reads_subsets(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B21's proof are: the smallest distances in the two subsets, and McShane's extension.

    In a subset of one point that is 2 gamma / C. The extension is of +-gamma on the separated points, + on every other one;
    it is read at the first two points of the space, or at the first if there is no other.
    """
    d, constant, margin = given["distances"], given["constant"], given["margin"]
    enough = 2 * margin / constant
    shattered, separated = largest_shattered(d, constant, margin), largest_separated(d, enough)
    values = [margin if place % 2 else -margin for place in range(len(separated))]

    def extended(point: int) -> Fraction:
        return min(Fraction(value + constant * d[point, k]) for k, value in zip(separated, values, strict=True))

    last = min(1, len(d) - 1)
    return {
        "F": len(shattered),
        "P": len(separated),
        "C": constant,
        "g": margin,
        "d": smallest_distance(d, shattered) or enough,
        "e": smallest_distance(d, separated) or enough,
        "j": margin,
        "k": -margin,
        "x": d[0, last],
        "X": extended(0),
        "Y": extended(last),
    }


ONE_UNIT = Instance(
    {
        "first_layer": rationals([[3, 4]]),
        "first_biases": rationals([0]),
        "last_layer": rationals([[2]]),
        "point": rationals([0, 0]),
        "step": rationals([3, 4]),
    },
    "named",
)

B20 = Claim(
    id="B20",
    source=Source(HOUSE, "B20"),
    statement=r"f(x) = V [W x + b]_+,\ L = \max_{\text{cells}} \|V D W\|_2:\quad \|f(x + v) - f(x)\| \le L\, \|v\|",
    form=Form.AT_MOST,
    symbols=TWO_LAYERS_AND_A_STEP,
    sides=_exact_sides,
    bound=exact_lipschitz_constant,
    bound_on=lambda given: (
        exact_lipschitz_constant(given["first_layer"], given["first_biases"], given["last_layer"])
        * float(length(given["step"]).upper)
    ),
    proof=proofs.b20,
    reads=_reads_pieces,
    finding=Finding.OURS,
    note="The cells are the open sets of inputs on which the units have one pattern, D having 1 where a unit is active; "
    "patterns that no open set has do not count. No constant is smaller: within the cell of the largest norm, steps along "
    "its first singular vector meet it. Which patterns there are is decided exactly, by elimination, so this is for few units.",
    extremal=ONE_UNIT,
)

B20A = Claim(
    id="B20.a",
    amends="B20",
    source=Source(HOUSE, "B20"),
    statement=r"\|f(x + v) - f(x)\| \le "
    r"\tfrac12 \Big(\|V W\|_2 + \min\big(\|V\|_2 \|W\|_2,\ \textstyle\sum_j \|v_j\| \|w_j\|\big)\Big) \|v\|",
    form=Form.AT_MOST,
    symbols=TWO_LAYERS_AND_A_STEP,
    sides=_averaged_sides,
    bound=two_layer_lipschitz_bound,
    bound_on=lambda given: (
        two_layer_lipschitz_bound(given["first_layer"], given["last_layer"]) * float(length(given["step"]).upper)
    ),
    proof=proofs.b20a,
    reads=_reads_shares,
    finding=Finding.OURS,
    note="So B20's constant is at most this, and this at most the product of the norms and at most the sum over the units, "
    "since ||V W|| is. Either of the two may be the smaller. With the product alone it is known from averaged operators "
    "(Combettes and Pesquet 2020).",
    extremal=ONE_UNIT,
)

B21 = Claim(
    id="B21",
    source=Source(HOUSE, "B21"),
    statement=r"\mathrm{fat}_\gamma\{f : X \to \mathbb{R},\ |f(x) - f(y)| \le C\, d(x, y)\} = "
    r"\max\{|S| : S \subseteq X,\ d(x, y) \ge 2 \gamma / C \text{ for all } x \ne y \in S\}",
    form=Form.IDENTITY,
    symbols=LIPSCHITZ_ON_A_SPACE,
    sides=_fat_sides,
    bound=fat_shattering_dimension,
    bound_on=lambda given: fat_shattering_dimension(given["distances"], given["constant"], given["margin"]),
    proof=proofs.b21,
    reads=_reads_subsets,
    finding=Finding.OURS,
    note="S is shattered if for some levels r_s and every choice of signs some f of the class is at least r_s + gamma on S "
    "where the sign is +, and at most r_s - gamma where it is -. The left side is searched for from this definition, "
    "functions and levels together. The proof is the same on spaces of any size with a largest such S. Points that coincide "
    "count once.",
    extremal=Instance(
        {"distances": rationals([[0, 1, 2], [1, 0, 1], [2, 1, 0]]), "constant": Fraction(1), "margin": Fraction(1)},
        "named",
    ),
)

CLAIMS = (B20, B20A, B21)
