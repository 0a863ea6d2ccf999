"""Geometric complexity against norms of the weights: B12 on two layers, B13 on any number."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import network_of
from theory.beyond import norms_proofs as proofs
from theory.beyond.norms_bounds import (
    frobenius_complexity_bound,
    gaussian_overlap,
    two_layer_complexity,
    unit_complexity_bound,
)
from theory.checks import Array, exact_vector, exact_vectors, rationals, share
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, root_of, square_root
from theory.relu_network import ReLUNetwork, complexity, norms_of_parts, square, squared_norms_of
from theory.sources import HOUSE, Source
from theory.symbols import BIASES, LAYERS, NETWORK_INPUTS, NETWORK_ON_DATA, POINT, Symbol

HIDDEN = Symbol("hidden_weights", "w_j", "of two layers, one hidden unit a row, rationals, [m, d]", exact_vectors)
HIDDEN_BIASES = Symbol("hidden_biases", "b_j", "of the hidden units, [m]", exact_vector)
OUTPUT_WEIGHTS = Symbol("output_weights", "v_j", "one hidden unit a column, rationals, [k, m]", exact_vectors)
TWO_LAYERS = (HIDDEN, HIDDEN_BIASES, OUTPUT_WEIGHTS, NETWORK_INPUTS)
TURN = Symbol(
    "turn", r"\alpha/\pi", "the angle between w_j and w_k over pi, from 0 to 1", lambda n, v: Fraction(share(n, v))
)


def _two_layers(given: Instance) -> ReLUNetwork:
    return ReLUNetwork((given["hidden_weights"], given["output_weights"]), (given["hidden_biases"],))


def active(given: Instance) -> Array:
    """Return which unit is active on which datum, 0 or 1, [n, m]; a unit at its kink is not."""
    z = given["inputs"] @ given["hidden_weights"].T + given["hidden_biases"]
    return rationals((z > 0).astype(int))


def overlaps(given: Instance) -> Array:
    """Return q_jk, the share of the data on which units j and k are both active, [m, m]."""
    on = active(given)
    shares: Array = on.T @ on / Fraction(len(on))
    return shares


def grams(given: Instance) -> Array:
    """Return <v_j, v_k> <w_j, w_k>, [m, m]."""
    inner, outer = given["hidden_weights"], given["output_weights"]
    products: Array = (outer.T @ outer) * (inner @ inner.T)
    return products


def _closed_form_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    closed = Fraction((grams(given) * overlaps(given)).sum())
    return Enclosure.exactly(complexity(_two_layers(given), given["inputs"])), Enclosure.exactly(closed)


def _reads_units(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B12's proof are: b_ej = a_j(x) v_ij w_jc for every datum x, output i and input c."""
    on, inner, outer = active(given), given["hidden_weights"], given["output_weights"]
    rows = [a * v * w for a in on for v in outer for w in inner.T]
    return {"g": Fraction(1, len(on)), "m": len(inner), "r": len(rows), "b": rows}


def unit_norms(given: Instance) -> list[Fraction]:
    """Return q_j |v_j|^2 |w_j|^2 for every unit."""
    return [Fraction(number) for number in np.diag(grams(given) * overlaps(given))]


def _total(numbers: list[Enclosure]) -> Enclosure:
    return sum(numbers, Enclosure.exactly(Fraction(0)))


def by_units(given: Instance) -> Enclosure:
    """Return sum_j sqrt(q_j) |v_j| |w_j|."""
    return _total([square_root(number) for number in unit_norms(given)])


def weight_path(given: Instance) -> Enclosure:
    """Return WP = sum_j |v_j| |w_j|."""
    return _total([square_root(Fraction(number)) for number in np.diag(grams(given))])


def half_norm(given: Instance) -> Fraction:
    """Return |theta|^2 / 2, biases among the parameters."""
    parts = (given[name] for name in ("hidden_weights", "hidden_biases", "output_weights"))
    return sum((square(part) for part in parts), Fraction(0)) / 2


def _units_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return square_root(complexity(_two_layers(given), given["inputs"])), by_units(given)


def _reads_pairs(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B12.a's proof are: the norms of the units' parts, and their inner products."""
    norms = [_root(number) for number in unit_norms(given)]
    return {"m": len(norms), "N": norms, "M": norms, "G": grams(given) * overlaps(given)}


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _path_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return by_units(given), weight_path(given)


def _reads_path(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of B12.b and B12.c are: the norms of each unit's weights, and its share."""
    inner, outer = given["hidden_weights"], given["output_weights"]
    return {
        "m": len(inner),
        "q": list(np.diag(overlaps(given))),
        "v": [_root(square(column)) for column in outer.T],
        "w": [_root(square(row)) for row in inner],
        "b": list(given["hidden_biases"]),
    }


def _half_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return weight_path(given), Enclosure.exactly(half_norm(given))


def shared_half(turn: Fraction) -> Fraction:
    """Return the share of a circle that lies in two of its halves, whose middles are a turn apart, in units of pi."""
    half = Fraction(1, 2)
    arcs = [(turn + around - half, turn + around + half) for around in (-2, 0, 2)]
    return sum((max(min(half, end) - max(-half, start), Fraction(0)) for start, end in arcs), Fraction(0)) / 2


def _gaussian_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    turn = given["turn"]
    return Enclosure.exactly(shared_half(turn)), Enclosure.exactly((1 - turn) / 2)


def _smaller_gram(jacobian: Array) -> Array:
    gram: Array = jacobian @ jacobian.T if jacobian.shape[0] <= jacobian.shape[1] else jacobian.T @ jacobian
    return gram


def squared_singular_values(jacobian: Array) -> list[Enclosure]:
    """Return the squared singular values of a matrix of rationals with at most two rows or two columns.

    Raises:
        ValueError: if it has more of both.
    """
    gram = _smaller_gram(jacobian)
    if len(gram) > 2:
        raise ValueError(f"layers must have at most two inputs or two outputs in all, got {len(gram)} of both")
    trace = Fraction(gram.trace())
    if len(gram) == 1:
        return [Enclosure.exactly(trace)]
    determinant = Fraction(gram[0, 0] * gram[1, 1] - gram[0, 1] * gram[1, 0])
    gap = square_root(trace**2 - 4 * determinant)
    return [
        Enclosure((trace + gap.lower) / 2, (trace + gap.upper) / 2),
        Enclosure(max((trace - gap.upper) / 2, Fraction(0)), max((trace - gap.lower) / 2, Fraction(0))),
    ]


def parameters_square(given: Instance) -> Fraction:
    """Return |theta|^2, biases among the parameters."""
    biases = sum((square(bias) for bias in given["layer_biases"]), Fraction(0))
    return sum(squared_norms_of(given["layers"]), biases)


def jacobian_at(given: Instance) -> Array:
    """Return the Jacobian at the point of an instance.

    Raises:
        ValueError: if the layers, the biases and the point do not fit together.
    """
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    if network.inputs != len(given["point"]):
        raise ValueError(f"point must have {network.inputs} coordinates, got {len(given['point'])}")
    return network.jacobian(given["point"])


def schatten(jacobian: Array, depth: int) -> Enclosure:
    """Return sum_i sigma_i^(2/l), the Schatten quasi-norm of exponent 2/l to the power 2/l."""
    values = squared_singular_values(jacobian)
    ends = [(root_of(Fraction(v.lower), depth).lower, root_of(Fraction(v.upper), depth).upper) for v in values]
    return _total([Enclosure(*pair) for pair in ends])


def _schatten_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    depth = len(given["layers"])
    return (
        Enclosure.exactly(parameters_square(given)),
        schatten(jacobian_at(given), depth).times(Fraction(depth)),
    )


def _reads_schatten(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B13's proof are: the squared norms of the layers, and the singular values of the Jacobian.

    G is the geometric mean of the former, and s has the powers 2/l of the latter.
    """
    norms, depth = squared_norms_of(given["layers"]), len(given["layers"])
    gram = _smaller_gram(jacobian_at(given))
    trace, determinant = (
        sp.Rational(str(Fraction(number)))
        for number in (gram.trace(), gram[0, 0] * gram[-1, -1] - gram[0, -1] * gram[-1, 0])
    )
    gap = sp.sqrt(trace**2 - 4 * determinant)
    values = [trace] if len(gram) == 1 else [(trace + gap) / 2, (trace - gap) / 2]
    geometric = sp.Integer(1)
    for norm in norms:
        geometric *= sp.Rational(str(norm))
    return {
        "m": depth,
        "F": norms,
        "c": sum((square(bias) for bias in given["layer_biases"]), Fraction(0)),
        "G": geometric ** sp.Rational(1, depth),
        "r": len(values),
        "s": [value ** sp.Rational(1, depth) for value in values],
    }


def _frobenius_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    bound = Fraction(1)
    for norm in squared_norms_of(given["layers"]):
        bound *= norm
    return Enclosure.exactly(complexity(network_of(given), given["inputs"])), Enclosure.exactly(bound)


def _two(hidden: Any, biases: Any, outputs: Any, inputs: Any) -> Instance:
    names = ("hidden_weights", "hidden_biases", "output_weights", "inputs")
    return Instance(dict(zip(names, map(rationals, (hidden, biases, outputs, inputs)), strict=True)), "named")


ALIGNED = _two([[1], [2]], [0, 0], [[1, 2]], [[1], [2]])
"""Two balanced units that are active on all data, and point the same way."""

B12 = Claim(
    id="B12",
    source=Source(HOUSE, "B12"),
    statement=r"f(x) = \sum_j v_j [\langle w_j, x\rangle + b_j]_+:\quad "
    r"\langle f, D\rangle_G = \sum_{j,k} \langle v_j, v_k\rangle \langle w_j, w_k\rangle\, q_{jk}",
    form=Form.IDENTITY,
    symbols=TWO_LAYERS,
    sides=_closed_form_sides,
    bound=two_layer_complexity,
    bound_on=lambda given: two_layer_complexity(
        given["hidden_weights"], given["hidden_biases"], given["output_weights"], given["inputs"]
    ),
    proof=proofs.b12,
    reads=_reads_units,
    finding=Finding.OURS,
    note="q_jk is the share of the data on which units j and k are both active. On a kink it is of the Jacobian that "
    "backpropagation returns.",
    extremal=ALIGNED,
)

B12A = Claim(
    id="B12.a",
    amends="B12",
    source=Source(HOUSE, "B12"),
    statement=r"\sqrt{\langle f, D\rangle_G} \le \sum_j \sqrt{q_j}\, \|v_j\|\, \|w_j\|",
    form=Form.AT_MOST,
    symbols=TWO_LAYERS,
    sides=_units_sides,
    bound=unit_complexity_bound,
    bound_on=lambda given: unit_complexity_bound(
        given["hidden_weights"], given["hidden_biases"], given["output_weights"], given["inputs"]
    ),
    proof=proofs.b12a,
    reads=_reads_pairs,
    finding=Finding.OURS,
    note="q_j is the share of the data on which unit j is active. Equality iff the units' parts of the Jacobian, as functions "
    "of the datum, are multiples >= 0 of one another.",
    extremal=ALIGNED,
)

B12B = Claim(
    id="B12.b",
    amends="B12",
    source=Source(HOUSE, "B12"),
    statement=r"\sum_j \sqrt{q_j}\, \|v_j\|\, \|w_j\| \le \mathrm{WP} = \sum_j \|v_j\|\, \|w_j\|",
    form=Form.AT_MOST,
    symbols=TWO_LAYERS,
    sides=_path_sides,
    proof=proofs.b12b,
    reads=_reads_path,
    finding=Finding.OURS,
    note="Equality iff every unit with v_j and w_j other than 0 is active on all data.",
    extremal=ALIGNED,
)

B12C = Claim(
    id="B12.c",
    amends="B12",
    source=Source(HOUSE, "B12"),
    statement=r"\mathrm{WP} \le \tfrac12 \|\theta\|^2",
    form=Form.AT_MOST,
    symbols=TWO_LAYERS,
    sides=_half_sides,
    proof=proofs.b12c,
    reads=_reads_path,
    finding=Finding.OURS,
    note="Equality iff all units are balanced, |v_j| = |w_j|, and no bias is other than 0.",
    extremal=ALIGNED,
)

B12D = Claim(
    id="B12.d",
    amends="B12",
    source=Source(HOUSE, "B12"),
    statement=r"x \sim N(0, I),\ b_j = b_k = 0:\quad q_{jk} = \tfrac{\pi - \alpha_{jk}}{2\pi}",
    form=Form.IDENTITY,
    symbols=(TURN,),
    sides=_gaussian_sides,
    bound=gaussian_overlap,
    bound_on=lambda given: gaussian_overlap(given["turn"]),
    proof=proofs.b12d,
    reads=lambda given: {"a": given["turn"], "q": shared_half(given["turn"])},
    finding=Finding.OURS,
    note="In the plane of w_j and w_k the direction of x is uniform, and each unit is active on half of the circle. The same "
    "for every distribution that rotations do not change and that has no mass at 0. The sides are for angles that are "
    "rational multiples of pi.",
    extremal=Instance({"turn": Fraction(1, 3)}, "named"),
)

B13 = Claim(
    id="B13",
    source=Source(HOUSE, "B13"),
    statement=r"\|\theta\|^2 \ge l\, \|\nabla_x f(x)\|_{S_{2/l}}^{2/l} = l \sum_i \sigma_i(\nabla_x f(x))^{2/l}",
    form=Form.AT_LEAST,
    symbols=(LAYERS, BIASES, POINT),
    sides=_schatten_sides,
    proof=proofs.b13,
    reads=_reads_schatten,
    finding=Finding.OURS,
    note="At every x: for two layers, twice the nuclear norm. Of biases only their squares are in it. The sides are evaluated "
    "for at most two inputs or two outputs, where singular values have a closed form; the proof is for all.",
    extremal=Instance(
        {
            "layers": (rationals([[2, 0], [0, 1]]), rationals([[0, 1], [2, 0]])),
            "layer_biases": (rationals([0, 0]),),
            "point": rationals([1, 1]),
        },
        "named",
    ),
)

B13A = Claim(
    id="B13.a",
    amends="B13",
    source=Source(HOUSE, "B13"),
    statement=r"\langle f, D\rangle_G \le \prod_i \|W_i\|_F^2",
    form=Form.AT_MOST,
    symbols=NETWORK_ON_DATA,
    sides=_frobenius_sides,
    bound=frobenius_complexity_bound,
    bound_on=lambda given: frobenius_complexity_bound(given["layers"]),
    proof=proofs.b13a,
    reads=lambda given: norms_of_parts(network_of(given), given["inputs"]),
    finding=Finding.OURS,
    note="At kinks as well, with the Jacobians of backpropagation. Of this and D18's bound either may be smaller: this one has "
    "no min(k, d), and Frobenius norms for spectral ones.",
    extremal=Instance(
        {
            "layers": (rationals([[3, 4]]), rationals([[2]])),
            "layer_biases": (rationals([0]),),
            "inputs": rationals([[1, 0]]),
        },
        "named",
    ),
)

CLAIMS = (B12, B12A, B12B, B12C, B12D, B13, B13A)
