"""Dherin et al. 2022 on what geometric complexity is: D1 to D4, D11 to D13, D15."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import network_of, off_the_kinks
from theory.batches import batch_means, mean_of, moments_of_batches, variance_of_means
from theory.checks import (
    Array,
    count,
    dot,
    exact_vector,
    exact_vectors,
    nonnegative,
    positive,
    rationals,
)
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dherin2022 import complexity_proofs as proofs
from theory.dherin2022.complexity_bounds import linear_complexity, lipschitz_complexity_bound
from theory.enclosure import Enclosure, length
from theory.relu_network import ReLUNetwork, complexity, lipschitz_constant, square
from theory.sources import DHERIN2022, RESTATED, Source
from theory.symbols import (
    BATCH_OF_NORMS,
    BIASES,
    LAYERS,
    NETWORK_INPUTS,
    NETWORK_ON_DATA,
    POINT,
    SAMPLE_NORMS,
    SQUARED_NORMS,
    Symbol,
    squared_norms,
)


def _marks(name: str, value: Any) -> Array:
    """Return zeros and ones, not all 0.

    Raises:
        ValueError: if an entry is another number, or all are 0.
    """
    marks = np.asarray(value)
    if marks.ndim != 1 or not set(marks.tolist()) <= {0, 1} or not marks.any():
        raise ValueError(f"{name} must be 0 or 1 for each of the data, and 1 for at least one, got {value}")
    return marks.astype(np.int64)


def _models(name: str, value: Any) -> Array:
    models = exact_vectors(name, value)
    for number in models.ravel():
        nonnegative(name, number)
    return models


def _choices(name: str, value: Any) -> Array:
    """Return which model is taken, by its place, for each sample.

    Raises:
        ValueError: if a place is no integer or below 0.
    """
    places = np.asarray(value)
    if places.ndim != 1 or places.dtype.kind not in "iu" or np.any(places < 0):
        raise ValueError(f"{name} must be places of models, at least 0, got {value}")
    return places.astype(np.int64)


def _probabilities(name: str, value: Any) -> Array:
    """Return probabilities of at least one outcome, rationals with sum 1.

    Raises:
        ValueError: if one is negative, or they do not sum to 1.
    """
    numbers = squared_norms(name, value)
    if sum(numbers) != 1:
        raise ValueError(f"{name} must sum to 1, got {sum(numbers)}")
    return numbers


AFFINE_WEIGHTS = Symbol("matrix", "A", "the weights of an affine map, [k, d]", exact_vectors)
AFFINE_BIASES = Symbol("offset", "b", "its biases, [k]", exact_vector)
IN_BATCH = Symbol("in_batch", "B", "which of the data are in the batch, 0 or 1, at least one of them, [n]", _marks)
DISTANCE = Symbol("tolerance", "t", "a distance, above 0", lambda n, v: Fraction(positive(n, v)))
STEEPNESS = Symbol(
    "steepness", "L", "a Lipschitz constant to reach, at least 0", lambda n, v: Fraction(nonnegative(n, v))
)
OTHER_POINT = Symbol("other_point", "x'", "another, [d]", exact_vector)
INPUT_PROBABILITIES = Symbol("probabilities", "p_X", "of each of the m possible inputs, [m]", _probabilities)
MODELS = Symbol("models", r"\|\nabla f_a(x)\|_F^2", "of each model at each input, at least 0, [a, m]", _models)
SAMPLE_LENGTH = Symbol("sample_size", "|D|", "how many inputs are drawn, at least 1", lambda n, v: count(n, v))
CHOICES = Symbol("choices", r"\theta(D)", "the model that is taken for each sample of |D| inputs, in order", _choices)


def axes(d: int) -> Array:
    """Return the unit vectors of R^d, one a row."""
    return rationals(np.eye(d, dtype=int))


def by_derivatives(network: ReLUNetwork, inputs: Array) -> Fraction:
    """Return the mean over the data of the squared lengths of the derivatives of f along all axes, eq 1 by its words."""
    slopes = (network.derivative(x, axis) for x in inputs for axis in axes(network.inputs))
    return sum((square(slope) for slope in slopes), Fraction(0)) / len(inputs)


def piece_at(network: ReLUNetwork, x: Array) -> Array:
    """Return the Jacobian of a linear piece that x lies in or on: the one that is entered along (1, e, e^2, ..), e small."""
    affine = np.concatenate([axes(network.inputs), x[:, None]], axis=1)
    for matrix, bias in zip(network.layers, network.biases, strict=False):
        affine = matrix @ affine
        affine[:, -1] = affine[:, -1] + bias
        affine = affine * np.array([[_is_positive(row)] for row in affine])
    return rationals((network.layers[-1] @ affine)[:, :-1])


def _is_positive(row: Array) -> bool:
    """Return the sign of the constant, which stands last, or if it is 0 of the first slope that is not."""
    leading = next((entry for entry in (row[-1], *row[:-1]) if entry != 0), 0)
    return bool(leading > 0)


def pieces_of(network: ReLUNetwork, inputs: Array, marks: Array | None = None) -> tuple[list[Array], list[int]]:
    """Return the distinct Jacobians of the pieces that the data lie in, and how many data lie in each.

    Args:
        network: the network.
        inputs: the data, [n, d].
        marks: 1 for data that count, 0 for others, [n]; all count if not given.
    """
    found: dict[tuple[Fraction, ...], tuple[Array, int]] = {}
    for x, one in zip(inputs, np.ones(len(inputs), dtype=int) if marks is None else marks, strict=True):
        piece = piece_at(network, x)
        key = tuple(piece.ravel())
        found[key] = (piece, found.get(key, (piece, 0))[1] + int(one))
    return [piece for piece, _ in found.values()], [number for _, number in found.values()]


def by_pieces(network: ReLUNetwork, inputs: Array, marks: Array | None = None) -> Fraction:
    """Return sum_i (n_i / |D|) ||A_i||_F^2, eq 2; of a batch if there are marks."""
    pieces, counts = pieces_of(network, inputs, marks)
    whole = sum((number * square(piece) for piece, number in zip(pieces, counts, strict=True)), Fraction(0))
    return whole / sum(counts)


def _definition_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network = network_of(given)
    sides = by_derivatives(network, given["inputs"]), complexity(network, given["inputs"])
    return Enclosure.exactly(sides[0]), Enclosure.exactly(sides[1])


def _reads_definition(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D1's proof are: f at each datum and a step from it along each axis, and the Jacobians."""
    network, inputs = network_of(given), given["inputs"]
    steps = [(x, axis, network.step_within(x, axis)) for x in inputs for axis in axes(network.inputs)]
    here = [network(x) for x, _, _ in steps]
    moved = [network(x + h * axis) for x, axis, h in steps]
    slopes = np.concatenate([network.jacobian(x).T.ravel() for x in inputs])
    return {
        "n": len(inputs),
        "g": Fraction(1, len(inputs)),
        "m": len(slopes),
        "f": np.concatenate(here),
        "F": np.concatenate(moved),
        "h": np.repeat([h for _, _, h in steps], network.outputs),
        "J": slopes,
    }


def affine(given: Instance, x: Array) -> Array:
    """Return A x + b."""
    values: Array = given["matrix"] @ x + given["offset"]
    return values


def affine_complexity(given: Instance) -> Fraction:
    """Return the geometric complexity of x -> A x + b on the data, from its values: it is as steep over any step."""
    moved = (
        affine(given, x + axis) - affine(given, x) for x in given["inputs"] for axis in axes(len(given["matrix"].T))
    )
    return sum((square(change) for change in moved), Fraction(0)) / len(given["inputs"])


def _linear_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(affine_complexity(given)), Enclosure.exactly(square(given["matrix"]))


def _reads_linear(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of D2 and D11.a are: all values at the data, a step along each axis on, and A."""
    steps = axes(len(given["matrix"].T))
    return {
        "n": len(given["inputs"]),
        "g": Fraction(1, len(given["inputs"])),
        "m": given["matrix"].size,
        "f": [np.concatenate([affine(given, x) for _ in steps]) for x in given["inputs"]],
        "F": [np.concatenate([affine(given, x + axis) for axis in steps]) for x in given["inputs"]],
        "A": given["matrix"].T.ravel(),
        "k": len(given["offset"]),
        "b": given["offset"],
    }


def _pieces_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network, inputs = network_of(given), given["inputs"]
    return Enclosure.exactly(complexity(network, inputs)), Enclosure.exactly(by_pieces(network, inputs))


def _reads_pieces(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D3.a's proof are: which datum lies in which piece, and both squared norms."""
    network, inputs = network_of(given), given["inputs"]
    pieces, _ = pieces_of(network, inputs)
    lies = [[int(np.all(piece_at(network, x) == piece)) for piece in pieces] for x in inputs]
    return {
        "n": len(inputs),
        "g": Fraction(1, len(inputs)),
        "r": len(pieces),
        "z": lies,
        "a": [square(piece) for piece in pieces],
        "s": [square(network.jacobian(x)) for x in inputs],
    }


def proportions(given: Instance) -> list[Fraction]:
    """Return the share of each piece in the batch less its share in the data."""
    network = network_of(given)
    counts = (pieces_of(network, given["inputs"], marks)[1] for marks in (given["in_batch"], None))
    inside, all_of_them = ([Fraction(c, sum(numbers)) for c in numbers] for numbers in counts)
    return [inner - outer for inner, outer in zip(inside, all_of_them, strict=True)]


def chosen(values: Array, marks: Array) -> Array:
    """Return the rows, or the numbers, of the batch."""
    kept: Array = values[marks == 1]
    return kept


def _batch_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network, inputs = network_of(given), given["inputs"]
    batch = complexity(network, chosen(inputs, given["in_batch"]))
    return Enclosure.exactly(batch), Enclosure.exactly(complexity(network, inputs))


def _reads_batch(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D3.b's proof are: the numbers of data in each piece, of the batch and of all."""
    network, inputs = network_of(given), given["inputs"]
    pieces, counts = pieces_of(network, inputs)
    _, inside = pieces_of(network, inputs, given["in_batch"])
    return {
        "m": len(pieces),
        "a": [square(piece) for piece in pieces],
        "p": [Fraction(c, sum(inside)) for c in inside],
        "q": [Fraction(c, sum(counts)) for c in counts],
    }


def _lipschitz_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network = network_of(given)
    constant = lipschitz_constant(network)
    least = min(network.outputs, network.inputs)
    return (
        Enclosure.exactly(complexity(network, given["inputs"])),
        Enclosure(least * Fraction(constant.lower) ** 2, least * Fraction(constant.upper) ** 2),
    )


def _reads_lipschitz(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D4's proof are: the squared columns and rows of the Jacobians, and f_L from above."""
    network, inputs = network_of(given), given["inputs"]
    jacobians = [network.jacobian(x) for x in inputs]
    return {
        "n": len(inputs),
        "g": Fraction(1, len(inputs)),
        "d": network.inputs,
        "k": network.outputs,
        "L": Fraction(lipschitz_constant(network).upper),
        "h": min(network.step_within(x, axis) for x in inputs for axis in axes(network.inputs)),
        "s": [[square(column) for column in jacobian.T] for jacobian in jacobians],
        "t": [[square(row) for row in jacobian] for jacobian in jacobians],
        "J": jacobians,
    }


def _norm_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(affine_complexity(given)), length(given["matrix"].ravel())


def _penalty_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parameters = np.concatenate([given["matrix"].ravel(), given["offset"]])
    return (
        Enclosure.exactly(square(parameters)),
        Enclosure.exactly(affine_complexity(given) + square(given["offset"])),
    )


def _proxy_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    batch = mean_of(chosen(given["squared_norms"], given["in_batch"]))
    return Enclosure.exactly(mean_of(given["squared_norms"])), Enclosure.exactly(2 * batch)


def _share_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    means, centre = batch_means(given["squared_norms"], given["batch_size"]), mean_of(given["squared_norms"])
    far = sum(abs(one - centre) >= given["tolerance"] for one in means)
    variance = variance_of_means(given["squared_norms"], given["batch_size"])
    return Enclosure.exactly(Fraction(far, len(means))), Enclosure.exactly(variance / given["tolerance"] ** 2)


def _reads_share(given: Instance) -> dict[str, Any]:
    read = moments_of_batches(given["squared_norms"], given["batch_size"])
    centre, tolerance = mean_of(given["squared_norms"]), given["tolerance"]
    far = [Fraction(int(abs(one - centre) >= tolerance)) for one in read["x"]]
    return {**read, "t": tolerance, "c": far}


def beyond_the_data(inputs: Array, steepness: Fraction) -> ReLUNetwork:
    """Return x -> L [x_1 - c]_+ with c = 1 + the largest first coordinate of the data."""
    direction = rationals([[1] + [0] * (inputs.shape[1] - 1)])
    edge = -1 - max(inputs[:, 0])
    return ReLUNetwork((direction, rationals([[steepness]])), (rationals([edge]),))


def _steep_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network = beyond_the_data(given["inputs"], given["steepness"])
    flat = complexity(network, given["inputs"])
    short = given["steepness"] - Fraction(lipschitz_constant(network).lower)
    return Enclosure.exactly(max(flat, short)), Enclosure.exactly(Fraction(0))


def _reads_steep(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D13's proof are: f beyond the data, at its kink and 1 on, and at the data a step apart."""
    network = beyond_the_data(given["inputs"], given["steepness"])
    (edge,) = -network.biases[0]
    first = axes(network.inputs)[0]
    steps = [(x, axis) for x in given["inputs"] for axis in axes(network.inputs)]
    return {
        "n": len(given["inputs"]),
        "g": Fraction(1, len(given["inputs"])),
        "r": len(steps),
        "L": given["steepness"],
        "Lambda": Fraction(lipschitz_constant(network).lower),
        "u": network(edge * first)[0],
        "v": network((edge + 1) * first)[0],
        "J": [network.derivative(x, axis)[0] for x, axis in steps],
    }


def _exact_lipschitz_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    constant, apart = lipschitz_constant(network), length(given["other_point"] - given["point"])
    return (
        length(network(given["other_point"]) - network(given["point"])),
        Enclosure(constant.lower * apart.lower, constant.upper * apart.upper),
    )


def crossings(network: ReLUNetwork, first: Array, second: Array) -> list[Fraction]:
    """Return 0, 1 and the shares of the way from one point to another where the network has kinks, in order."""
    along, ends = second - first, [Fraction(0)]
    while ends[-1] < 1:
        here = ends[-1]
        ends.append(here + _affine_for(network, first + here * along, along, 1 - here))
    return ends


def _affine_for(network: ReLUNetwork, x: Array, along: Array, most: Fraction) -> Fraction:
    """Return how far from x, in units of a direction and at most so far, the network is affine."""
    value, slope = x, along
    for matrix, bias in zip(network.layers, network.biases, strict=False):
        z, change = matrix @ value + bias, matrix @ slope
        most = min([most, *(-a / c for a, c in zip(z, change, strict=True) if c != 0 and -a / c > 0)])
        on = (z > 0) | ((z == 0) & (change > 0))
        value, slope = z * on, change * on
    return most


def _reads_segment(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D13.a's proof are: the parts of the segment on which f is affine, and its slopes there."""
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    first, along = given["point"], given["other_point"] - given["point"]
    change = network(given["other_point"]) - network(first)
    ends = crossings(network, first, given["other_point"])
    starts, parts = ends[:-1], [b - a for a, b in pairwise(ends)]
    slopes = [network.derivative(first + start * along, along) for start in starts]
    return {
        "m": len(parts),
        "l": parts,
        "c": [Fraction(dot(change, slope)) for slope in slopes],
        "e": [_root(square(slope)) for slope in slopes],
        "D": _root(square(change)),
        "M": Fraction(lipschitz_constant(network).upper),
        "u": _root(square(along)),
    }


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def samples(given: Instance) -> Iterator[tuple[tuple[int, ...], Fraction, int]]:
    """Yield every sample that may be drawn, with its probability and the model that is taken for it.

    Raises:
        ValueError: if there is not one choice for each sample, or no such model.
    """
    p, size, choices = given["probabilities"], given["sample_size"], given["choices"]
    if len(choices) != len(p) ** size or max(choices) >= len(given["models"]):
        raise ValueError(
            f"choices must be a model, 0 to {len(given['models']) - 1}, for each of {len(p) ** size} samples, got {choices}"
        )
    for sample, model in zip(product(range(len(p)), repeat=size), choices, strict=True):
        yield sample, prod((Fraction(p[x]) for x in sample), start=Fraction(1)), int(model)


def _estimator_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    p, models = given["probabilities"], given["models"]
    empirical = theoretical = Fraction(0)
    for sample, chance, model in samples(given):
        empirical += chance * mean_of(rationals([models[model][x] for x in sample]))
        theoretical += chance * Fraction(dot(p, models[model]))
    return Enclosure.exactly(empirical), Enclosure.exactly(theoretical)


def _reads_estimator(given: Instance) -> dict[str, Any]:
    """Return what the symbols of D15.a's proof are: all samples, and the distribution of each draw."""
    p, models, size = given["probabilities"], given["models"], given["sample_size"]
    drawn = list(samples(given))
    norms = models[drawn[0][2]]
    places = [[sum(q for s, q, _ in drawn if s[t] == x) for x in range(len(p))] for t in range(size)]
    return {
        "n": size,
        "g": Fraction(1, size),
        "r": len(p),
        "p": list(p),
        "s": list(norms),
        "w": places,
        "m": len(drawn),
        "q": [chance for _, chance, _ in drawn],
        "y": [mean_of(rationals([norms[x] for x in sample])) for sample, _, _ in drawn],
    }


def _layers(*matrices: Any) -> tuple[Array, ...]:
    return tuple(rationals(matrix) for matrix in matrices)


ABSOLUTE = Instance(
    {"layers": _layers([[1], [-1]], [[1, 1]]), "layer_biases": (rationals([0, 0]),), "inputs": rationals([[0]])},
    "named",
)
"""f(x) = |x| at its kink."""

TURN = Instance(
    {
        "layers": _layers([[1, 0], [0, 1]], [[0, -2], [2, 0]]),
        "layer_biases": (rationals([0, 0]),),
        "inputs": rationals([[1, 1], [2, 3]]),
    },
    "named",
)
"""Twice a turn of the plane on both data: both singular values of the Jacobian are the Lipschitz constant."""

AFFINE = Instance(
    {"matrix": rationals([[1, 2], [0, -1]]), "offset": rationals([1, 0]), "inputs": rationals([[0, 0], [3, 1]])},
    "named",
)


D1 = Claim(
    id="D1",
    source=Source(DHERIN2022, "Definition 2.1, eq 1"),
    again=RESTATED,
    statement=r"\langle f_\theta, D\rangle_G = \tfrac1{|D|} \sum_{x \in D} \|\nabla_x f_\theta(x)\|_F^2",
    form=Form.IDENTITY,
    symbols=NETWORK_ON_DATA,
    assumptions=(off_the_kinks(),),
    sides=_definition_sides,
    proof=proofs.d1,
    reads=_reads_definition,
    finding=Finding.AS_PRINTED,
    note="The left side is from values of f alone, by its derivatives along all axes; the right side from the weights, by "
    "backpropagation. 'Well-defined for any differentiable model' is right, and a ReLU network is none where a datum is on a "
    "kink. It is a number of the logits: one number added to all logits, whatever x -> c(x), leaves the softmax as it is and "
    "changes the complexity.",
    extremal=TURN,
)

D2 = Claim(
    id="D2",
    source=Source(DHERIN2022, "Section 2, linear models"),
    statement=r"f(x) = Ax + b:\quad \langle f, D\rangle_G = \|A\|_F^2",
    form=Form.IDENTITY,
    symbols=(AFFINE_WEIGHTS, AFFINE_BIASES, NETWORK_INPUTS),
    sides=_linear_sides,
    bound=linear_complexity,
    bound_on=lambda given: linear_complexity(given["matrix"]),
    proof=proofs.d2,
    reads=_reads_linear,
    finding=Finding.AS_PRINTED,
    note="The right side has no D in it, and is 0 exactly for A = 0, for constant functions.",
    extremal=AFFINE,
)

D3 = Claim(
    id="D3",
    source=Source(DHERIN2022, "Section 2, eq 2"),
    again=RESTATED,
    statement=r"\text{f affine on the } X_i, \text{ which partition } \mathbb R^d:\quad "
    r"\langle f_\theta, D\rangle_G = \sum_i \tfrac{n_i}{|D|} \|A_i\|_F^2",
    form=Form.IDENTITY,
    symbols=NETWORK_ON_DATA,
    sides=_pieces_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="For |x| = [x]_+ + [-x]_+ and D = {0} eq 2 gives 1 whichever piece 0 is counted to; |x| has no derivative there, so "
    "eq 1 has no value, and what backpropagation puts in its place is 0. The same happens to x = [x]_+ - [-x]_+, which has "
    "a derivative. It holds where no datum is on a kink (D3.a).",
    quote="For every point x in X_i, we have that ||grad_x f(x)||_F^2 = ||A_i||_F^2.",
    reading="The X_i partition the whole space, so a point on the boundary of two pieces is in one of them; where f has no "
    "Jacobian the left side is what backpropagation returns, with ReLU'(0) = 0.",
    witness=ABSOLUTE.but(in_batch=np.array([1])),
    no_extremal="refuted",
)

D3A = Claim(
    id="D3.a",
    amends="D3",
    source=Source(DHERIN2022, "Section 2, eq 2, repaired"),
    statement=r"\text{no datum on a kink}:\quad \langle f_\theta, D\rangle_G = \sum_i \tfrac{n_i}{|D|} \|A_i\|_F^2",
    form=Form.IDENTITY,
    symbols=NETWORK_ON_DATA,
    assumptions=(off_the_kinks(),),
    sides=_pieces_sides,
    proof=proofs.d3a,
    reads=_reads_pieces,
    finding=Finding.OURS,
    note="Any depth. Sufficient, not necessary: units that are given 0 may change nothing. Data from a density are on no kink "
    "with probability 1, unless a unit is given 0 on an open set.",
    extremal=TURN,
)

D3B = Claim(
    id="D3.b",
    amends="D3",
    source=Source(DHERIN2022, "Section 2, after eq 2"),
    statement=r"\tfrac{|B \cap X_i|}{|B|} = \tfrac{n_i}{|D|}\ \forall i:\quad "
    r"\langle f_\theta, B\rangle_G = \langle f_\theta, D\rangle_G",
    form=Form.IDENTITY,
    symbols=(*NETWORK_ON_DATA, IN_BATCH),
    assumptions=(
        off_the_kinks(),
        Assumption("the batch keeps the proportions of the pieces", proportions, lambda gaps: not any(gaps)),
    ),
    sides=_batch_sides,
    proof=proofs.d3b,
    reads=_reads_batch,
    finding=Finding.AS_PRINTED,
    note="The assumption asks for more than it seems: B n_i / |D| must be whole numbers, so where each datum has a piece of "
    "its own, as in networks of more pieces than data, only B = D keeps the proportions.",
    reading="The pieces are told apart by their A_i.",
    extremal=TURN.but(in_batch=np.array([0, 1])),
)

D4 = Claim(
    id="D4",
    source=Source(DHERIN2022, "Section 2, eq 3"),
    again=RESTATED,
    statement=r"\langle f, D\rangle_G \le \min(k, d)\, f_L^2",
    form=Form.AT_MOST,
    symbols=NETWORK_ON_DATA,
    assumptions=(off_the_kinks(),),
    sides=_lipschitz_sides,
    bound=lipschitz_complexity_bound,
    bound_on=lambda given: lipschitz_complexity_bound(
        float(lipschitz_constant(network_of(given)).upper), network_of(given).inputs, network_of(given).outputs
    ),
    proof=proofs.d4,
    reads=_reads_lipschitz,
    finding=Finding.AS_PRINTED,
    note="Equality iff at every datum min(k, d) singular values of the Jacobian are f_L, as for a multiple of an isometry. "
    "f_L is exact here, by trying all patterns of the units. Off the kinks: at one, backpropagation may return a Jacobian "
    "that no piece has, and the bound fails: [x + 1]_+ - [x]_+ + [-x]_+/2 has slopes -1/2, 1/2 and 0, and it returns 1 at 0.",
    reading="f_L is the constant on all of R^d, as the paper says before eq 3; the one on the data alone bounds no gradient.",
    extremal=TURN,
)

D11 = Claim(
    id="D11",
    source=Source(DHERIN2022, "Section 2, linear models"),
    again=RESTATED,
    statement=r"f(x) = Ax + b:\quad \langle f, D\rangle_G = \|A\|_2,\ \text{the L2 norm of the weight matrix}",
    form=Form.IDENTITY,
    symbols=(AFFINE_WEIGHTS, AFFINE_BIASES, NETWORK_INPUTS),
    sides=_norm_sides,
    finding=Finding.FALSE,
    note="It is the square of that norm: f(x) = 2 x has complexity 4 and norm 2. So a penalty on the squared norm of the "
    "weights is one on the complexity, with the same factor; a penalty on the norm itself is not, though over all factors the "
    "two may lead to the same minimisers. Section 4, which adds 'the Euclidean norm of the parameter vector' and says again "
    "that the complexity 'coincides with the Frobenius norm', counts the biases as well (D11.a).",
    quote="the GC in this setting coincides precisely with the L2 norm of the model weight matrix.",
    reading="Strained: as the norm and not its square, which is right two sentences earlier; who says L2 norm for the sum of "
    "squares, as L2 penalties are often written, has D2.",
    witness=Instance({"matrix": rationals([[2]]), "offset": rationals([0]), "inputs": rationals([[0]])}, "named"),
    no_extremal="refuted",
)

D11A = Claim(
    id="D11.a",
    amends="D11",
    source=Source(DHERIN2022, "Sections 2 and 4, linear models, repaired"),
    statement=r"f(x) = Ax + b,\ \theta = (A, b):\quad \|\theta\|_2^2 = \langle f, D\rangle_G + \|b\|_2^2",
    form=Form.IDENTITY,
    symbols=(AFFINE_WEIGHTS, AFFINE_BIASES, NETWORK_INPUTS),
    sides=_penalty_sides,
    proof=proofs.d11a,
    reads=_reads_linear,
    finding=Finding.OURS,
    note="An L2 penalty on the weights alone is the complexity; on all parameters it is more, and not equivalent: under "
    "(f(0) - 1)^2 the complexity leaves b = 1 free, and lambda |theta|^2 pulls it to 1/(1 + lambda).",
    extremal=AFFINE,
)

D12 = Claim(
    id="D12",
    source=Source(DHERIN2022, "Section 2, after eq 2"),
    statement=r"|B| \ge |D|/2 \;\Rightarrow\; \langle f, D\rangle_G \le 2\, \langle f, B\rangle_G",
    form=Form.AT_MOST,
    symbols=(SQUARED_NORMS, IN_BATCH),
    assumptions=(
        Assumption(
            "the batch has at least half of the data",
            lambda given: Fraction(int(given["in_batch"].sum()), len(given["in_batch"])),
            lambda share: 2 * share >= 1,
        ),
    ),
    sides=_proxy_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="If one datum has all the complexity, any batch without it has none, however large: [x]_+ on D = {-1, 1}, B = {-1}. "
    "What decides is the spread of the squared norms, by B14: the share of batches that are off by t or more is at most "
    "(1 - |B|/|D|) S^2 / (|B| t^2) (D12.a). Eq 2 gives no such figure, as a random batch need not keep its proportions.",
    quote="This makes the evaluation of the GC on large enough batches a very good proxy to the overall GC over the dataset",
    reading="Strained: 'large enough' as half of the data, and 'very good' as not below half of the value; the text gives no "
    "figures, and fails for any share below 1 and any factor alike.",
    witness=Instance(
        {
            "squared_norms": rationals([0, 1]),
            "in_batch": np.array([1, 0]),
            "batch_size": 1,
            "tolerance": Fraction(1, 2),
        },
        "named",
    ),
    no_extremal="refuted",
)

D12A = Claim(
    id="D12.a",
    amends="D12",
    source=Source(DHERIN2022, "Section 2, after eq 2, repaired"),
    statement=r"\Pr\big(|\langle f, B\rangle_G - \langle f, D\rangle_G| \ge t\big) \le "
    r"\Big(1 - \tfrac{|B|}{|D|}\Big) \tfrac{S^2}{|B|\, t^2}",
    form=Form.AT_MOST,
    symbols=(SAMPLE_NORMS, BATCH_OF_NORMS, DISTANCE),
    sides=_share_sides,
    proof=proofs.d12a,
    reads=_reads_share,
    finding=Finding.OURS,
    note="Over all batches of a size drawn without replacement; S^2 is the sample variance of the squared norms.",
    extremal=Instance({"squared_norms": rationals([0, 2]), "batch_size": 1, "tolerance": Fraction(1)}, "named"),
)

D13 = Claim(
    id="D13",
    source=Source(DHERIN2022, "Section 2, Lipschitz smoothness"),
    statement=r"\forall D, L\ \exists f:\quad \langle f, D\rangle_G = 0,\ f_L \ge L",
    form=Form.AT_MOST,
    symbols=(NETWORK_INPUTS, STEEPNESS),
    sides=_steep_sides,
    proof=proofs.d13,
    reads=_reads_steep,
    finding=Finding.AS_PRINTED,
    note="One unit beyond the data does it: L [x_1 - c]_+. So no bound the other way round follows from the complexity.",
    reading="The sides are the complexity, or how far f_L falls short of L, and 0. The second difference, that 'for neural "
    "networks only loose upper bounds are available', is about practice, and no side speaks of it: f_L is exact for few units "
    "(D13.a; Jordan and Dimakis 2020), and hard to compute in general (Virmaux and Scaman 2018).",
    extremal=Instance({"inputs": rationals([[0, 1], [2, 0]]), "steepness": Fraction(5)}, "named"),
)

D13A = Claim(
    id="D13.a",
    amends="D13",
    source=Source(DHERIN2022, "Section 2, Lipschitz smoothness"),
    statement=r"\|f(x') - f(x)\| \le \max_i \sigma_{\max}(A_i)\, \|x' - x\|",
    form=Form.AT_MOST,
    symbols=(LAYERS, BIASES, POINT, OTHER_POINT),
    sides=_exact_lipschitz_sides,
    proof=proofs.d13a,
    reads=_reads_segment,
    finding=Finding.OURS,
    note="Over the pieces A_i of a ReLU network with points inside. Two points of the steepest piece, along its first singular "
    "vector, attain it: so this is f_L, found exactly by trying all patterns, whose number doubles with each unit.",
    extremal=Instance(
        {
            "layers": _layers([[1], [1]], [[1, -2]]),
            "layer_biases": (rationals([0, -1]),),
            "point": rationals([0]),
            "other_point": rationals([1]),
        },
        "named",
    ),
)

D15 = Claim(
    id="D15",
    source=Source(DHERIN2022, "Section 2, eq 5"),
    statement=r"\mathbb E_D \langle f_\theta, D\rangle_G = \mathbb E_D\, \mathbb E_X \|\nabla_x f_\theta(X)\|_F^2",
    form=Form.IDENTITY,
    symbols=(INPUT_PROBABILITIES, MODELS, SAMPLE_LENGTH, CHOICES),
    sides=_estimator_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="Unbiased for parameters that do not depend on the data. For those that training made of them it is not: of two "
    "inputs, equally likely, and two models, each flat at one of them and not at the other, take the one that is flat at "
    "the datum: the complexity on the train set is always 0, and the theoretical one 1/2. A penalty on the complexity "
    "pulls that way.",
    quote="The geometric complexity in Definition 2.1 is an unbiased estimator of a very related quantity",
    reading="Of the trained network on its train set, as the paper evaluates it; theta is then a function of D. The data are "
    "independent draws from p_X.",
    witness=Instance(
        {
            "probabilities": rationals([Fraction(1, 2), Fraction(1, 2)]),
            "models": rationals([[0, 1], [1, 0]]),
            "sample_size": 1,
            "choices": np.array([0, 1]),
        },
        "named",
    ),
    no_extremal="refuted",
)

D15A = Claim(
    id="D15.a",
    amends="D15",
    source=Source(DHERIN2022, "Section 2, eq 5, repaired"),
    statement=r"\theta \text{ independent of } D:\quad "
    r"\mathbb E_D \langle f_\theta, D\rangle_G = \mathbb E_X \|\nabla_x f_\theta(X)\|_F^2",
    form=Form.IDENTITY,
    symbols=(INPUT_PROBABILITIES, MODELS, SAMPLE_LENGTH, CHOICES),
    assumptions=(
        Assumption(
            "the parameters do not depend on the sample",
            lambda given: sorted(set(given["choices"].tolist())),
            lambda models: len(models) == 1,
        ),
    ),
    sides=_estimator_sides,
    proof=proofs.d15a,
    reads=_reads_estimator,
    finding=Finding.OURS,
    note="For a trained network: on data that training has not seen.",
    extremal=Instance(
        {
            "probabilities": rationals([Fraction(1, 3), Fraction(2, 3)]),
            "models": rationals([[0, 1], [1, 0]]),
            "sample_size": 2,
            "choices": np.array([1, 1, 1, 1]),
        },
        "named",
    ),
)

CLAIMS = (D1, D2, D3, D3A, D3B, D4, D11, D11A, D12, D12A, D13, D13A, D15, D15A)
