"""Neyshabur et al. 2017 on norms and margins as measures of capacity: N1 to N4 and N10 to N12."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from theory.checks import Array, chance, count, exact_vector, exact_vectors, positive, rationals, sequence
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.neyshabur2017 import capacity_proofs as proofs
from theory.path_norms import (
    Layers,
    all_path_weights,
    dead_units,
    largest_row,
    lifted_sums,
    path_sums,
    path_weights,
    raised,
    rescaled,
    row_product,
    widths,
)
from theory.relu_network import ReLUNetwork, exact_biases, square, squared_spectral_norm
from theory.sources import NEYSHABUR2017, Source
from theory.symbols import BIASES, LAYERS, POINT, RATIONAL_WEIGHTS, Symbol, X
from theory.two_layer import Weights

MEASURES = ("l2", "l1-path", "l2-path", "spectral")
"""The four measures of section 2.2, as the paper names them."""


def _labels(name: str, value: Any) -> Array:
    """Return labels as whole numbers from 0 on.

    Raises:
        ValueError: if one is below 0 or no whole number.
    """
    labels = sequence(name, value, fewest=1)
    if any(label < 0 or label != int(label) for label in labels):
        raise ValueError(f"{name} must be whole numbers from 0 on, got {[float(label) for label in labels]}")
    return np.array([int(label) for label in labels])


def _scores(name: str, value: Any) -> Array:
    """Return scores of rationals, of at least two classes.

    Raises:
        ValueError: if there is one class only, whose margin would be over no other.
    """
    scores = exact_vectors(name, value)
    if scores.shape[1] < 2:
        raise ValueError(f"{name} must be of at least two classes, got {scores.shape[1]}")
    return scores


def _measure(name: str, value: Any) -> str:
    """Return the name of a measure.

    Raises:
        ValueError: if it is none.
    """
    if value not in MEASURES:
        raise ValueError(f"{name} must be one of {', '.join(MEASURES)}, got {value!r}")
    return str(value)


def _margins(name: str, value: Any) -> Array:
    return rationals(sequence(name, value, fewest=1))


EXPONENT = Symbol("p", "p", "exponent of the norm: a whole number here, any p >= 1 in the proofs", count)
FACTORS = Symbol("factors", r"(\alpha_j)", "factors of the hidden units, layer by layer, rationals", exact_biases)
OUTPUT = Symbol("output", "k", "number of an output, from 0", lambda n, v: count(n, v, fewest=0))
LIFT = Symbol("lift", "t", "a number above 0, as small as one likes", lambda n, v: Fraction(positive(n, v)))
DIVISOR = Symbol("divisor", "c", "what all weights are divided by, a rational", lambda n, v: exact_vector(n, [v])[0])
MARGINS = Symbol("margins", r"(\gamma_i)", "margins of the data, rationals, [m]", _margins)
EPSILON = Symbol("epsilon", r"\epsilon", "the share of data, in (0, 1)", lambda n, v: Fraction(chance(n, v)))
MARGIN_LEVEL = Symbol("level", r"\gamma", "any number, rational", lambda n, v: exact_vector(n, [v])[0])
PARTS = Symbol("parts", "q", "one over the share, at least 2", lambda n, v: count(n, v, fewest=2))
SCORES = Symbol("scores", "f(x_i)", "scores of at least two classes, rationals, [m, k]", _scores)
CLASS_LABELS = Symbol("labels", "y_i", "labels from 0 to k - 1, [m]", _labels)
MEASURE = Symbol("measure", r"\mathcal M", "one of the four: l2, l1-path, l2-path, spectral", _measure)
LAYER = Symbol("layer", "l", "number of a layer, from 0", lambda n, v: count(n, v, fewest=0))
ROW_FACTOR = Symbol("factor", "c", "a factor of its weights, rational", lambda n, v: exact_vector(n, [v])[0])


def positive_factors() -> Assumption:
    """Return the assumption that all factors of a rescaling are above 0."""
    return Assumption(
        "alpha > 0 for every hidden unit",
        lambda given: [float(f) for vector in given["factors"] for f in vector],
        lambda factors: all(factor > 0 for factor in factors),
    )


def factors_not_0() -> Assumption:
    """Return the assumption that no factor of a rescaling is 0: their signs do not matter to what is made of sizes."""
    return Assumption(
        "alpha is not 0 for any hidden unit",
        lambda given: [float(f) for vector in given["factors"] for f in vector],
        lambda factors: 0 not in factors,
    )


def _most(numbers: Iterable[Any]) -> Fraction:
    return Fraction(max(numbers))


def largest_path_norm(layers: Layers, p: int) -> Fraction:
    """Return the largest over the outputs of the sum of |weight|^p over the paths to it, path by path."""
    return _most(
        [
            sum((abs(weight) ** p for weight in path_weights(layers, output)), Fraction(0))
            for output in range(len(layers[-1]))
        ]
    )


def path_norm(layers: Layers, p: int) -> Fraction:
    """Return the sum of |weight|^p over all paths, path by path."""
    return sum((abs(weight) ** p for weight in all_path_weights(layers)), Fraction(0))


TINY = Fraction(1, 2**200)
"""How far above 0 the t of N3.b is taken, where its limit is meant."""


def least_row_product(layers: Layers, p: int) -> Enclosure:
    """Return the p-th power of the infimum over all rescalings of prod ||W_i||_{p, inf}: from below by N3.a, above by N3.b."""
    least = largest_path_norm(layers, p)
    return Enclosure(least, max(least, _most(lifted_sums(layers, p, TINY)[-1])))


def _printed_minimum_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return least_row_product(given["layers"], given["p"]), Enclosure.exactly(path_norm(given["layers"], given["p"]))


def _any_rescaling_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return (
        Enclosure.exactly(row_product(rescaled(given["layers"], given["factors"]), given["p"])),
        Enclosure.exactly(largest_path_norm(given["layers"], given["p"])),
    )


def _scales(given: Instance) -> list[Array]:
    """Return the p-th powers of the sizes of the factors of all units, inputs and outputs among them."""
    p = given["p"]
    inner = [rationals([abs(factor) ** p for factor in vector]) for vector in given["factors"]]
    ends = (given["layers"][0].shape[1], len(given["layers"][-1]))
    return [rationals([1] * ends[0]), *inner, rationals([1] * ends[1])]


def _reads_any_rescaling(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N3.a's proof are: the largest rows after the rescaling, and the largest c s of each layer."""
    p, scales = given["p"], _scales(given)
    powers = raised(given["layers"], p)
    rows = [
        _most((after[:, None] * matrix / before).sum(axis=1))
        for matrix, before, after in zip(powers, scales, scales[1:], strict=False)
    ]
    sums = path_sums(given["layers"], p)
    return {
        "m": len(rows),
        "R": rows,
        "U": [_most(scale * reached) for scale, reached in zip(scales, sums, strict=True)],
    }


def _balanced(sums: Sequence[Array]) -> tuple[Array, ...]:
    """Return one over each of these of the hidden units: the p-th powers of factors."""
    return tuple(1 / vector for vector in sums[1:-1])


def _row_product_of_powers(layers: Layers, p: int, sums: Sequence[Array]) -> Fraction:
    """Return the p-th power of the product of norms once each hidden unit has the factor T^(-1/p)."""
    return row_product(rescaled(raised(layers, p), _balanced(sums)))


def _near_the_infimum_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    layers, p = given["layers"], given["p"]
    lifted = lifted_sums(layers, p, given["lift"])
    return Enclosure.exactly(_row_product_of_powers(layers, p, lifted)), Enclosure.exactly(_most(lifted[-1]))


def _reads_rows(sums: Callable[[Instance], Sequence[Array]]) -> Callable[[Instance], dict[str, Any]]:
    """Return what the symbols of the proofs of N3.b and N3.c are: the largest rows from the output layer down."""

    def reads(given: Instance) -> dict[str, Any]:
        powers = raised(given["layers"], given["p"])
        of = [vector if 0 < place < len(powers) else vector**0 for place, vector in enumerate(sums(given))]
        rows = [
            _most(((matrix * below).sum(axis=1)) / above)
            for matrix, below, above in zip(powers, of, of[1:], strict=False)
        ]
        return {"m": len(rows), "R": rows[::-1]}

    return reads


def _attained_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    layers, p = given["layers"], given["p"]
    return (
        Enclosure.exactly(_row_product_of_powers(layers, p, path_sums(layers, p))),
        Enclosure.exactly(largest_path_norm(layers, p)),
    )


def _alive() -> Assumption:
    return Assumption(
        "every hidden unit is reached by a path of weight other than 0",
        lambda given: dead_units(given["layers"]),
        lambda dead: not dead,
    )


def spare_path(given: Instance) -> dict[str, Any]:
    """Return the path from a dead unit on which N3.d's right side, its value, is largest.

    All in p-th powers: weights the |w|^p along it, start what the unit's rows allow it, P/c, and sum the s of its output; rows
    the layers after the rescaling.

    Raises:
        ValueError: if no unit is dead.
    """
    layers, p, scales = given["layers"], given["p"], _scales(given)
    powers, sums = raised(layers, p), path_sums(layers, p)
    moved = [
        after[:, None] * matrix / before for matrix, before, after in zip(powers, scales, scales[1:], strict=False)
    ]
    best: dict[str, Any] = {}
    for layer, unit in dead_units(layers):
        allowed = prod((largest_row(matrix) for matrix in moved[: layer + 1]), start=Fraction(1))
        start = Fraction(allowed / scales[layer + 1][unit])
        ways: list[tuple[int, list[Fraction]]] = [(unit, [])]
        for matrix in powers[layer + 1 :]:
            ways = [(after, [*w, Fraction(matrix[after, at])]) for at, w in ways for after in range(len(matrix))]
        for output, weights in ways:
            reached = Fraction(sums[-1][output])
            value = reached + prod(weights, start=start)
            if not best or value > best["value"]:
                best = {"value": value, "weights": weights, "start": start, "sum": reached, "rows": moved}
    if not best:
        raise ValueError("layers must have a dead unit, got none")
    return best


def _unattained_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    product = row_product(rescaled(given["layers"], given["factors"]), given["p"])
    return Enclosure.exactly(product), Enclosure.exactly(spare_path(given)["value"])


def _reads_spare(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N3.d's proof are; E of the output is the whole product of rows less s there.

    E between the dead unit and the output is on no step that leads from one side to the other.
    """
    path = spare_path(given)
    whole = prod((largest_row(matrix) for matrix in path["rows"]), start=Fraction(1))
    count_of, end = len(path["weights"]), whole - path["sum"]
    return {
        "m": count_of,
        "a": path["weights"],
        "E": [path["start"], *[Fraction(0)] * (count_of - 1), end],
        "z": path["sum"],
    }


def _some_dead() -> Assumption:
    return Assumption("a hidden unit is dead", lambda given: dead_units(given["layers"]), lambda dead: bool(dead))


def output_of(given: Instance, layers: Layers, biases: tuple[Array, ...] | None = None) -> Fraction:
    """Return the output of an instance that a network gives at its point.

    Raises:
        ValueError: if the layers, the point and the number of the output do not fit together.
    """
    if layers[0].shape[1] != len(given["point"]):
        raise ValueError(f"point must have {layers[0].shape[1]} coordinates, got {len(given['point'])}")
    if given["output"] >= len(layers[-1]):
        raise ValueError(f"output must be below {len(layers[-1])}, got {given['output']}")
    zeros = tuple(rationals([0] * len(matrix)) for matrix in layers[:-1])
    return Fraction(ReLUNetwork(layers, zeros if biases is None else biases)(given["point"])[given["output"]])


def _function_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    moved = rescaled(given["layers"], given["factors"])
    return Enclosure.exactly(output_of(given, moved)), Enclosure.exactly(output_of(given, given["layers"]))


def _outputs(given: Instance) -> tuple[Fraction, Fraction]:
    return output_of(given, given["layers"]), output_of(given, rescaled(given["layers"], given["factors"]))


def _reads_homogeneous(
    sides: Callable[[Instance], tuple[Fraction, Fraction, Fraction]],
) -> Callable[[Instance], dict[str, Any]]:
    """Return what the symbols of the proof of N4, N11 and N11.a are: the outputs and the weights of the output's row."""

    def reads(given: Instance) -> dict[str, Any]:
        before, after, times = sides(given)
        row, hidden = given["layers"][-1][given["output"]], len(given["layers"]) - 1
        none = [Fraction(0)] * len(row)
        return {
            "m": len(row),
            "w": list(row),
            "x": none,
            "y": none,
            "t": hidden,
            "e": [Fraction(0)] * (hidden + 1),
            "f": before,
            "g": after,
            "q": times,
        }

    return reads


def _path_invariance_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    moved = rescaled(given["layers"], given["factors"])
    return Enclosure.exactly(path_norm(moved, given["p"])), Enclosure.exactly(path_norm(given["layers"], given["p"]))


def _reads_paths(given: Instance) -> dict[str, Any]:
    p = given["p"]
    of = [all_path_weights(layers) for layers in (rescaled(given["layers"], given["factors"]), given["layers"])]
    after, before = ([abs(weight) ** p for weight in weights] for weights in of)
    return {"m": len(before), "x": after, "u": before, "B": 1, "E": 1}


UNIT = (
    Symbol("weights", "w", "what enters a unit, rationals, [k]", exact_vector),
    Symbol("given", "h", "what the layer below gives, [k]", exact_vector),
    Symbol("bias", "b", "its bias", lambda n, v: exact_vector(n, [v])[0]),
    Symbol("mean", r"\mu", "the running mean of its batch norm", lambda n, v: exact_vector(n, [v])[0]),
    Symbol(
        "spread",
        "s",
        "root of its running variance and what is added to it, above 0",
        lambda n, v: Fraction(positive(n, v)),
    ),
    Symbol("gain", "g", "its gain, of any sign", lambda n, v: exact_vector(n, [v])[0]),
    Symbol("offset", r"\beta", "its offset", lambda n, v: exact_vector(n, [v])[0]),
)
"""A unit of a layer with a batch norm behind it, as it is evaluated after training."""


def _folding_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    gain, spread = given["gain"], given["spread"]
    z = given["weights"] @ given["given"] + given["bias"]
    normed = gain * (z - given["mean"]) / spread + given["offset"]
    folded = (gain / spread * given["weights"]) @ given["given"]
    folded += gain / spread * (given["bias"] - given["mean"]) + given["offset"]
    return Enclosure.exactly(Fraction(normed)), Enclosure.exactly(Fraction(folded))


def _reads_unit(given: Instance) -> dict[str, Any]:
    return {
        "m": len(given["weights"]),
        "w": list(given["weights"]),
        "h": list(given["given"]),
        "a": given["bias"],
        "k": given["mean"],
        "s": given["spread"],
        "g": given["gain"],
        "b": given["offset"],
    }


def divided(layers: Layers, divisor: Fraction) -> Layers:
    """Return the layers with all weights divided by one number."""
    return tuple(matrix / divisor for matrix in layers)


def _divided_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    layers, c = given["layers"], given["divisor"]
    after = output_of(given, divided(layers, c))
    return Enclosure.exactly(after), Enclosure.exactly(output_of(given, layers) / c ** len(layers))


def _divided_outputs(given: Instance) -> tuple[Fraction, Fraction, Fraction]:
    layers, c = given["layers"], given["divisor"]
    return output_of(given, layers), output_of(given, divided(layers, c)), 1 / Fraction(c) ** len(layers)


def divided_biases(biases: tuple[Array, ...], divisor: Fraction) -> tuple[Array, ...]:
    """Return the biases of hidden layer i divided by the i-th power of a number."""
    return tuple(bias / divisor**number for number, bias in enumerate(biases, 1))


def _biased_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    before, after, times = _biased_outputs(given)
    return Enclosure.exactly(after), Enclosure.exactly(before * times)


def _biased_outputs(given: Instance) -> tuple[Fraction, Fraction, Fraction]:
    layers, biases, c = given["layers"], given["layer_biases"], given["divisor"]
    after = output_of(given, divided(layers, c), divided_biases(biases, c))
    return output_of(given, layers, biases), after, 1 / Fraction(c) ** len(layers)


def _divisor_above_0() -> Assumption:
    return Assumption("c > 0", lambda given: given["divisor"], lambda c: c > 0)


def _doubled(given: Instance) -> list[Fraction]:
    """Return the sizes of the weights of all paths, each weight on them doubled."""
    return [Fraction(2 ** len(given["layers"]) * abs(weight)) for weight in all_path_weights(given["layers"])]


def l2_measure(layers: Layers) -> Fraction:
    """Return prod 4 ||W_i||_F^2."""
    return prod((4 * square(matrix) for matrix in layers), start=Fraction(1))


def l1_path_measure(layers: Layers) -> Fraction:
    """Return (sum over all paths of prod |2 W_i|)^2, path by path."""
    return sum((abs(2 ** len(layers) * weight) for weight in all_path_weights(layers)), Fraction(0)) ** 2


def l2_path_measure(layers: Layers) -> Fraction:
    """Return the sum over all paths of prod 4 h_i W_i^2, path by path."""
    factor = prod((4 * len(matrix) for matrix in layers), start=1)
    return sum((factor * weight**2 for weight in all_path_weights(layers)), Fraction(0))


def _product_of(norms: Sequence[tuple[int, Enclosure]]) -> Enclosure:
    """Return the product of numbers >= 0, each times a whole number."""
    lower, upper = (
        prod((factor * Fraction(getattr(norm, end)) for factor, norm in norms), start=Fraction(1))
        for end in ("lower", "upper")
    )
    return Enclosure(lower, upper)


def spectral_measure(layers: Layers) -> Enclosure:
    """Return prod h_i ||W_i||_2^2."""
    return _product_of([(len(matrix), squared_spectral_norm(matrix)) for matrix in layers])


def measure_of(name: str, layers: Layers) -> Enclosure:
    """Return one of the four measures, before it is divided by gamma^2."""
    if name == "spectral":
        return spectral_measure(layers)
    exact = {"l2": l2_measure, "l1-path": l1_path_measure, "l2-path": l2_path_measure}
    return Enclosure.exactly(exact[name](layers))


def margins_of(scores: Array, labels: Array) -> Array:
    """Return the margins of the data (eq 2), [m].

    Raises:
        ValueError: if there is not one label for each, below the number of classes.
    """
    if len(labels) != len(scores) or max(labels) >= scores.shape[1]:
        raise ValueError(
            f"labels must be one for each of {len(scores)} data, below {scores.shape[1]}, got {labels.tolist()}"
        )
    others = [max(score for j, score in enumerate(row) if j != y) for row, y in zip(scores, labels, strict=True)]
    return rationals([row[y] - other for row, y, other in zip(scores, labels, others, strict=True)])


def order_statistic(margins: Array, epsilon: Fraction) -> Fraction:
    """Return the ceil(eps m)-th smallest margin."""
    return Fraction(sorted(margins)[math.ceil(epsilon * len(margins)) - 1])


TWENTIETH = Fraction(1, 20)


def _error_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    margins = margins_of(given["scores"], given["labels"])
    wrong = sum(margin <= 0 for margin in margins)
    return (
        Enclosure.exactly(order_statistic(margins, TWENTIETH) > 0),
        Enclosure.exactly(bool(wrong < TWENTIETH * len(margins))),
    )


def _reads_margins(margins: Array, epsilon: Fraction, level: Fraction) -> dict[str, Any]:
    """Return what the symbols of the proofs of N1 and N12 are."""
    ordered = sorted(margins)
    counted = sum(margin <= level for margin in ordered)
    return {
        "n": len(ordered),
        "e": epsilon,
        "r": math.ceil(epsilon * len(ordered)),
        "c": counted,
        "g": level,
        "a": order_statistic(margins, epsilon),
        "y": ordered[counted - 1] if counted else min(level, ordered[0]) - 1,
        "z": ordered[counted] if counted < len(ordered) else max(level, ordered[-1]) + 1,
    }


def _between_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    margins, parts = given["margins"], given["parts"]
    return (
        Enclosure.exactly(interpolated(margins, Fraction(1, parts))),
        Enclosure.exactly(order_statistic(margins, Fraction(1, parts))),
    )


def interpolated(margins: Array, epsilon: Fraction) -> Fraction:
    """Return the percentile by linear interpolation, the default of NumPy and PyTorch: at (m - 1) epsilon, counted from 0."""
    ordered, position = sorted(margins), epsilon * (len(margins) - 1)
    place = math.floor(position)
    following = ordered[min(place + 1, len(ordered) - 1)]
    return Fraction(ordered[place] + (position - place) * (following - ordered[place]))


def _reads_between(given: Instance) -> dict[str, Any]:
    ordered, parts = sorted(given["margins"]), given["parts"]
    total = len(ordered)
    place, rest = divmod(total - 1, parts)
    return {
        "m": total,
        "q": parts,
        "r": -(-total // parts),
        "k": place + 1,
        "x": Fraction(rest, parts),
        "a": ordered[place],
        "b": ordered[min(place + 1, total - 1)],
        "g": order_statistic(given["margins"], Fraction(1, parts)),
    }


def _level_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    margins, epsilon, level = given["margins"], given["epsilon"], given["level"]
    return (
        Enclosure.exactly(order_statistic(margins, epsilon) <= level),
        Enclosure.exactly(bool(sum(margin <= level for margin in margins) >= epsilon * len(margins))),
    )


def _scaled_layer(given: Instance) -> Layers:
    """Return the layers with one of them multiplied.

    Raises:
        ValueError: if there is no such layer.
    """
    layers, number = given["layers"], given["layer"]
    if number >= len(layers):
        raise ValueError(f"layer must be below {len(layers)}, got {number}")
    return tuple(matrix * given["factor"] if i == number else matrix for i, matrix in enumerate(layers))


def margin_at(given: Instance, layers: Layers) -> Fraction:
    """Return the margin of a network at the point of an instance, the label that of its output.

    Raises:
        ValueError: if there are not two outputs, or the point or the output do not fit.
    """
    output_of(given, layers)
    zeros = tuple(rationals([0] * len(matrix)) for matrix in layers[:-1])
    scores = ReLUNetwork(layers, zeros)(given["point"])
    if len(scores) < 2:
        raise ValueError(f"layers must have at least two outputs, got {len(scores)}")
    return Fraction(margins_of(rationals(scores)[None], np.array([given["output"]]))[0])


def _over_margin(given: Instance, layers: Layers) -> Enclosure:
    measure = measure_of(given["measure"], layers)
    return measure.times(1 / margin_at(given, layers) ** 2)


def _scale_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return _over_margin(given, _scaled_layer(given)), _over_margin(given, given["layers"])


def _reads_scale(given: Instance) -> dict[str, Any]:
    before, after, c = given["layers"], _scaled_layer(given), given["factor"]
    sizes = [Fraction(measure_of(given["measure"], layers).lower) for layers in (before, after)]
    measure = max(sizes[0], sizes[1] / c**2)  # a number in both intervals, where they are no numbers
    return {
        "c": c,
        "M": measure,
        "x": measure * c**2,
        "g": margin_at(given, before),
        "y": margin_at(given, after),
    }


def _l1_l2_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    layers = given["layers"]
    return Enclosure.exactly(l1_path_measure(layers)), Enclosure.exactly(l2_path_measure(layers))


def _repaired_l1_l2_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    first, second = _l1_l2_sides(given)
    return first, second.times(Fraction(widths(given["layers"])[0]))


def _l2_spectral_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(l2_measure(given["layers"])), spectral_measure(given["layers"])


def least_spectral_measure(layers: Layers) -> Enclosure:
    """Return 4^d prod min(h_i, h_{i-1}) ||W_i||_2^2."""
    return _product_of([(4 * min(matrix.shape), squared_spectral_norm(matrix)) for matrix in layers])


def _repaired_l2_spectral_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(l2_measure(given["layers"])), least_spectral_measure(given["layers"])


def _reads_layers(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N10.c's proof are; the rows and columns are those of the first layer."""
    layers = given["layers"]
    norms = [Fraction(squared_spectral_norm(matrix).upper) for matrix in layers]
    first = layers[0]
    return {
        "m": len(layers),
        "F": [square(matrix) for matrix in layers],
        "G": [min(matrix.shape) * norm for matrix, norm in zip(layers, norms, strict=True)],
        "s": norms[0],
        "r": first.shape[0],
        "k": first.shape[1],
        "q": [square(row) for row in first],
        "z": [square(column) for column in first.T],
    }


def _changes(signs: Sequence[bool]) -> int:
    """Return how often one is not the next."""
    return sum(before != after for before, after in pairwise(signs))


def _sign_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    network, points = given["weights"], given["x"]
    above = list(network(np.sort(points)) > 0)
    return Enclosure.exactly(_changes(above)), Enclosure.exactly(len(network.w1) + 1)


def _reads_signs(given: Instance) -> dict[str, Any]:
    """Return what the symbols of N9's proof are: how often the sign changes in each piece, its ends among the points."""
    network, points = given["weights"], np.sort(given["x"])
    knots = sorted(-b / w if w else Fraction(0) for w, b in zip(network.w1, network.b1, strict=True))
    ends = [min(points[0], *knots) if knots else points[0], *knots, max(points[-1], *knots) if knots else points[-1]]
    pieces = [
        [low, *(x for x in points if low < x < high), high] if low < high else [low] for low, high in pairwise(ends)
    ]
    return {
        "m": len(pieces),
        "c": [_changes(list(network(rationals(piece)) > 0)) for piece in pieces],
        "L": _changes(list(network(points) > 0)),
    }


def _layers(*matrices: Any) -> Layers:
    return tuple(rationals(matrix) for matrix in matrices)


def _network(*matrices: Any, **more: Any) -> Instance:
    return Instance({"layers": _layers(*matrices), **more}, "named")


TWO_OUTPUTS = _network([[1]], [[1], [1]], p=1, factors=(rationals([1]),), lift=1)
"""One input, one unit, two outputs."""

ONE_DEAD = _network([[1], [0]], [[1, 1]], p=1, factors=(rationals([1, 1]),))
"""A second unit that nothing enters, and that leads to the output."""

IN_A_ROW = _network([[2]], [[3]], factors=(rationals([2]),), point=rationals([1]), output=0, p=1)
"""One unit a layer."""

N1 = Claim(
    id="N1",
    source=Source(NEYSHABUR2017, "section 2.2, eq 2; appendix A"),
    statement=r"\gamma = \mathrm{Prc}_5\{f(x_i)[y_i] - \max_{j \ne y_i} f(x_i)[j]\}:\quad "
    r"\gamma > 0 \iff \#\{i : f(x_i)[y_i] \le \max_{j \ne y_i} f(x_i)[j]\} < \tfrac{m}{20}",
    form=Form.EQUIVALENCE,
    symbols=(SCORES, CLASS_LABELS),
    sides=_error_sides,
    proof=proofs.n1,
    reads=lambda given: _reads_margins(margins_of(given["scores"], given["labels"]), TWENTIETH, Fraction(0)),
    finding=Finding.AS_PRINTED,
    note="When the measures may be used, which go with 1/gamma^2: below 0 they say the opposite, and at 0 nothing. Ties count "
    "as errors. At 20 data or fewer, gamma is the hard margin. Interpolated percentiles are no smaller: N1.a.",
    reading="The percentile as nearest rank: the lowest margin that at least 5 per cent of the margins do not exceed, as in "
    "N12. Printed is the definition; the equivalence is what it comes to.",
    extremal=Instance({"scores": rationals([[1, 0], [0, 0]]), "labels": [0, 1]}, "named"),
)

N1A = Claim(
    id="N1.a",
    amends="N1",
    source=Source(NEYSHABUR2017, "appendix A, interpolated percentiles"),
    statement=r"\mathrm{Prc}_{1/q}^{\mathrm{lin}}\{\gamma_i\} \ge \gamma_{(\lceil m/q \rceil)}",
    form=Form.AT_LEAST,
    symbols=(MARGINS, PARTS),
    sides=_between_sides,
    proof=proofs.n1a,
    reads=_reads_between,
    finding=Finding.OURS,
    note="The percentile between two order statistics, at (m - 1)/q counted from 0, is the default of NumPy and PyTorch: "
    "gamma of figure 1 by these is at least that of section 2.2 (N12), and equal iff q divides m - 1 or the next margin is "
    "the same. For shares that are not 1/q it may be the smaller one, as at eps = 0.3 of seven data.",
    extremal=Instance({"margins": rationals([1]), "parts": 20}, "named"),
)

N2 = Claim(
    id="N2",
    source=Source(NEYSHABUR2017, "section 2.2, the four measures"),
    statement=r"\mathcal M(w)/\gamma(w)^2 \text{ is the same after } W_l \to c\, W_l,\ c > 0:\quad "
    r"\mathcal M = \prod 4 \|W_i\|_F^2,\ \big(\sum \prod |2 W_i|\big)^2,\ \sum \prod 4 h_i W_i^2,\ \prod h_i \|W_i\|_2^2",
    form=Form.IDENTITY,
    symbols=(LAYERS, MEASURE, LAYER, ROW_FACTOR, POINT, OUTPUT),
    assumptions=(
        Assumption("c > 0", lambda given: given["factor"], lambda c: c > 0),
        Assumption(
            "gamma is not 0, before and after",
            lambda given: [margin_at(given, layers) for layers in (given["layers"], _scaled_layer(given))],
            lambda margins: 0 not in margins,
        ),
    ),
    sides=_scale_sides,
    proof=proofs.n2,
    reads=_reads_scale,
    finding=Finding.AS_PRINTED,
    note="What dividing by the margin is for, layer by layer. The sides are at one datum; any order statistic of the margins "
    "goes with c as each of them does. Under node-wise rescaling the two path measures stay as well (N4.a), and the other two "
    "need not: a factor that all units of a layer share leaves them, others change them in general. Networks without biases: "
    "where there are some, as after folding a batch norm, the margin does not go with c.",
    reading="'Explicitly take into account the scaling of the outputs' as: a factor of a layer's weights changes no measure.",
    extremal=_network([[1]], [[2], [1]], measure="l2", layer=0, factor=2, point=rationals([1]), output=0),
)

N3 = Claim(
    id="N3",
    source=Source(NEYSHABUR2017, "section 2.2"),
    statement=r"\min_\alpha \prod_i \|W_i^\alpha\|_{p, \infty}^p = \sum_{\text{paths}} \prod_i |w_i|^p",
    form=Form.IDENTITY,
    symbols=(LAYERS, EXPONENT),
    sides=_printed_minimum_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="It needs one output. Of several the least product is the largest l_p norm of the paths to one of them, not that of "
    "all paths (N3.a to N3.c); it is that of all with ||W_d||_p,p for the last factor, as for one output whose weights are "
    "the norms of the columns of W_d. Where a dead unit leads to the only output, whose path norm is not 0, the infimum is no "
    "minimum (N3.d).",
    quote="l_p path norms which is the minimum over all node-wise rescalings of prod ||W_i||_p,inf and is equal to l_p norm "
    "of a vector ..",
    reading="Of the network of the notation, with h_d outputs, on paths 'from an input node to an output node'; the minimum "
    "as an infimum, which is the weaker claim. Both sides to the power p.",
    witness=TWO_OUTPUTS,
    extremal=_network([[1]], p=1),
)

N3A = Claim(
    id="N3.a",
    amends="N3",
    source=Source(NEYSHABUR2017, "section 2.2, repaired"),
    statement=r"\prod_i \|W_i^\alpha\|_{p, \infty}^p \ge \max_k \sum_{\text{paths to } k} \prod_i |w_i|^p",
    form=Form.AT_LEAST,
    symbols=(LAYERS, EXPONENT, FACTORS),
    assumptions=(factors_not_0(),),
    sides=_any_rescaling_sides,
    proof=proofs.n3a,
    reads=_reads_any_rescaling,
    finding=Finding.OURS,
    note="After every rescaling, for any number of outputs. For one output the right side is the path norm.",
    extremal=TWO_OUTPUTS,
)

N3B = Claim(
    id="N3.b",
    amends="N3",
    source=Source(NEYSHABUR2017, "section 2.2, repaired: the infimum"),
    statement=r"\alpha_j = T_j^{-1/p},\ T_0 = 1,\ T_i = |W_i|^p T_{i-1} + t:\quad "
    r"\prod_i \|W_i^\alpha\|_{p, \infty}^p \le \max_k (|W_d|^p T_{d-1})_k",
    form=Form.AT_MOST,
    symbols=(LAYERS, EXPONENT, LIFT),
    sides=_near_the_infimum_sides,
    proof=proofs.n3b,
    reads=_reads_rows(lambda given: lifted_sums(given["layers"], given["p"], given["lift"])),
    finding=Finding.OURS,
    note="For every t > 0. As t goes to 0 the right side, a polynomial in t, goes to the right side of N3.a: so that is the "
    "infimum over all rescalings, whatever units are dead.",
    extremal=_network([[1]], p=1, lift=1),
)

N3C = Claim(
    id="N3.c",
    amends="N3",
    source=Source(NEYSHABUR2017, "section 2.2, repaired: the minimum"),
    statement=r"s_i = |W_i|^p \cdots |W_1|^p 1 > 0,\ \alpha_j = s_j^{-1/p}:\quad "
    r"\prod_i \|W_i^\alpha\|_{p, \infty}^p = \max_k \sum_{\text{paths to } k} \prod_i |w_i|^p",
    form=Form.IDENTITY,
    symbols=(LAYERS, EXPONENT),
    assumptions=(_alive(),),
    sides=_attained_sides,
    proof=proofs.n3c,
    reads=_reads_rows(lambda given: path_sums(given["layers"], given["p"])),
    finding=Finding.OURS,
    note="With N3.a: the least product, and where it is attained, if no unit is dead; every unit then has incoming weights of "
    "l_p norm 1.",
    extremal=TWO_OUTPUTS,
)

N3D = Claim(
    id="N3.d",
    amends="N3",
    source=Source(NEYSHABUR2017, "section 2.2, dead units"),
    statement=r"j \text{ dead, of layer } i,\ g \text{ a path from } j \text{ to } k:\quad "
    r"\prod_l \|W_l^\alpha\|_{p, \infty}^p \ge \sum_{\text{paths to } k} \prod_l |w_l|^p + "
    r"\frac{|g|^p}{|\alpha_j|^p} \prod_{l \le i} \|W_l^\alpha\|_{p, \infty}^p",
    form=Form.AT_LEAST,
    symbols=(LAYERS, EXPONENT, FACTORS),
    assumptions=(factors_not_0(), _some_dead()),
    sides=_unattained_sides,
    proof=proofs.n3d,
    reads=_reads_spare,
    finding=Finding.OURS,
    note="A unit is dead that no path of weight other than 0 reaches. If it leads to the only output, and the path norm is "
    "not 0, the last term is above 0 for every rescaling: the infimum (N3.b) is not attained. The right side is the largest "
    "over all such paths.",
    extremal=ONE_DEAD,
)

N4 = Claim(
    id="N4",
    source=Source(NEYSHABUR2017, "section 2.2, footnote 1"),
    statement=r"\alpha > 0:\quad f_{w^\alpha}(x)_k = f_w(x)_k",
    form=Form.IDENTITY,
    symbols=(LAYERS, FACTORS, POINT, OUTPUT),
    assumptions=(positive_factors(),),
    sides=_function_sides,
    proof=proofs.homogeneous,
    reads=_reads_homogeneous(lambda given: (*_outputs(given), Fraction(1))),
    finding=Finding.AS_PRINTED,
    note="Any number of units at once. A bias of a hidden unit is multiplied as its incoming weights are; the paper's "
    "networks have none.",
    extremal=IN_A_ROW,
)

N4A = Claim(
    id="N4.a",
    amends="N4",
    source=Source(NEYSHABUR2017, "section 2.2, the path norms"),
    statement=r"\sum_{\text{paths}} \prod_i |w_i^\alpha|^p = \sum_{\text{paths}} \prod_i |w_i|^p",
    form=Form.IDENTITY,
    symbols=(LAYERS, EXPONENT, FACTORS),
    assumptions=(factors_not_0(),),
    sides=_path_invariance_sides,
    proof=proofs.n4a,
    reads=_reads_paths,
    finding=Finding.AS_PRINTED,
    note="Path by path, whatever the sign of the factors.",
    extremal=IN_A_ROW,
)

N4B = Claim(
    id="N4.b",
    amends="N4",
    source=Source(NEYSHABUR2017, "appendix A, batch normalization"),
    statement=r"g\, \frac{\langle w, h\rangle + b - \mu}{s} + \beta = \Big\langle \frac{g}{s} w, h \Big\rangle "
    r"+ \Big(\frac{g}{s} (b - \mu) + \beta\Big)",
    form=Form.IDENTITY,
    symbols=UNIT,
    sides=_folding_sides,
    proof=proofs.n4b,
    reads=_reads_unit,
    finding=Finding.AS_PRINTED,
    note="Unit by unit, and so layer by layer: a batch norm behind a layer folds into it. A bias is left even where there was "
    "none, so the folded network is not of the paper's class, and the four measures do not see it: where all W_i are 0 they "
    "are 0, and the function is a constant, maybe not 0. A batch norm before a layer that pads with zeros folds into no such "
    "layer.",
    reading="'Exact same function' at evaluation, with running means and variances; in training a batch norm's output at x is "
    "no function of x alone.",
    extremal=Instance(
        {
            "weights": rationals([1]),
            "given": rationals([2]),
            "bias": 0,
            "mean": 1,
            "spread": 2,
            "gain": 4,
            "offset": 1,
        },
        "named",
    ),
)

ALTERNATING = Instance(
    {"weights": Weights([1, 1, -1], [0, -2, 4], [-3, 2, -2], Fraction(9)), "x": rationals([-1, 0, 2, 4, 6])}, "named"
)
"""Three units, and a sign that changes in each of the four pieces."""

N9 = Claim(
    id="N9",
    source=Source(NEYSHABUR2017, "section 2.1, eq 1: one input, one hidden layer"),
    statement=r"f(x) = \sum_{i \le m} v_i [w_i x + b_i]_+ + c,\ x_1 < \dots < x_N:\quad "
    r"\#\{j : [f(x_j) > 0] \ne [f(x_{j + 1}) > 0]\} \le m + 1",
    form=Form.AT_MOST,
    symbols=(RATIONAL_WEIGHTS, X),
    sides=_sign_sides,
    proof=proofs.n9,
    reads=_reads_signs,
    finding=Finding.OURS,
    note="Labels that alternate need a change between each two points, so at most m + 2 points are shattered, which is less "
    "than depth times parameters, 2 (3 m + 1). Three units have m + 1 changes. Printed is VC-dim = O~(d dim(w)): it hides a "
    "constant and powers of a logarithm, so no network violates it, and the paper cites it (Harvey, Liaw and Mehrabian "
    "2017, for piecewise linear activations). Here is what it comes to in the smallest case, with both sides; of other "
    "networks nothing is shown.",
    extremal=ALTERNATING,
)

N10 = Claim(
    id="N10",
    source=Source(NEYSHABUR2017, "section 2.2, footnote 2, path norms"),
    statement=r"\Big(\sum_{\text{paths}} \prod_i |2 w_i|\Big)^2 \le \sum_{\text{paths}} \prod_i 4 h_i w_i^2",
    form=Form.AT_MOST,
    symbols=(LAYERS,),
    sides=_l1_l2_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="By Cauchy and Schwarz the factor is the number of paths, h_0 h_1 .. h_d, and the printed one starts at h_1: it "
    "holds for one input, and with n = h_0 in front (N10.a). If the dropped term of the l2-path bound is n max |x|_inf^2, "
    "where that of the l1-path bound is max |x|_inf^2, nothing is lost; max |x|_2^2 may be smaller than it by the factor n.",
    quote="The bounds based on l2-path norm and spectral norm can be derived directly from the those based on l1-path norm "
    "and l2 norm respectively.",
    reading="Strained: as inequalities between the measures as they are printed, with the same dropped term for both, which "
    "depends 'on the norm of the input'; the footnote does not say of which norm.",
    witness=_network([[1, 1]] * 4),
    extremal=_network([[1], [1]]),
)

N10A = Claim(
    id="N10.a",
    amends="N10",
    source=Source(NEYSHABUR2017, "section 2.2, footnote 2, repaired"),
    statement=r"\Big(\sum_{\text{paths}} \prod_i |2 w_i|\Big)^2 \le n \sum_{\text{paths}} \prod_i 4 h_i w_i^2",
    form=Form.AT_MOST,
    symbols=(LAYERS,),
    sides=_repaired_l1_l2_sides,
    proof=proofs.n10a,
    reads=lambda given: {"m": prod(widths(given["layers"])), "u": _doubled(given)},
    finding=Finding.OURS,
    note="Equality iff all paths have weights of one size; n is the number of inputs.",
    extremal=_network([[1, 1]]),
)

N10B = Claim(
    id="N10.b",
    amends="N10",
    source=Source(NEYSHABUR2017, "section 2.2, footnote 2, spectral norm"),
    statement=r"\prod_i 4 \|W_i\|_F^2 \le \prod_i h_i \|W_i\|_2^2",
    form=Form.AT_MOST,
    symbols=(LAYERS,),
    sides=_l2_spectral_sides,
    finding=Finding.FALSE,
    note="||W_i||_F^2 <= h_i ||W_i||_2^2 leaves the factor 4^d of the l2 measure, which the spectral one is printed without "
    "(N10.c). The figures drop both factors.",
    quote="The bounds based on .. spectral norm can be derived directly from the those based on .. l2 norm ..",
    reading="Strained: as an inequality between the measures as they are printed, constants included; for one depth it is "
    "right up to a constant, but the same footnote counts the 4^d, and three of the four measures have it.",
    witness=_network([[1]]),
    no_extremal="refuted",
)

N10C = Claim(
    id="N10.c",
    amends="N10",
    source=Source(NEYSHABUR2017, "section 2.2, footnote 2, repaired"),
    statement=r"\prod_i 4 \|W_i\|_F^2 \le 4^d \prod_i \min(h_i, h_{i-1}) \|W_i\|_2^2",
    form=Form.AT_MOST,
    symbols=(LAYERS,),
    sides=_repaired_l2_spectral_sides,
    proof=proofs.n10c,
    reads=_reads_layers,
    finding=Finding.OURS,
    note="And that is at most 4^d prod h_i ||W_i||_2^2. Equality iff each W_i, or its transpose, is a multiple of an "
    "isometry, or one is 0.",
    extremal=_network([[1, 0], [0, 1]]),
)

N11 = Claim(
    id="N11",
    source=Source(NEYSHABUR2017, "section 2.2"),
    statement=r"c > 0:\quad f_{w/c}(x)_k = c^{-d} f_w(x)_k",
    form=Form.IDENTITY,
    symbols=(LAYERS, DIVISOR, POINT, OUTPUT),
    assumptions=(_divisor_above_0(),),
    sides=_divided_sides,
    proof=proofs.homogeneous,
    reads=_reads_homogeneous(_divided_outputs),
    finding=Finding.AS_PRINTED,
    note="So no prediction changes, and every norm of the weights is divided by c. With biases, as after folding a batch "
    "norm, it fails: dividing them by c as well changes predictions, see N11.a. That a cross-entropy loss which goes to 0 "
    "drives every norm to infinity is right for a fixed network and data: the scores must grow, and a limit on any norm of "
    "the weights is one on them.",
    reading="'The same number' above 0, and above 1 where it scales down.",
    extremal=_network([[2]], [[3]], divisor=2, point=rationals([1]), output=0),
)

N11A = Claim(
    id="N11.a",
    amends="N11",
    source=Source(NEYSHABUR2017, "section 2.2, networks with biases"),
    statement=r"W_i \to W_i/c,\ b_i \to b_i/c^i,\ c > 0:\quad f(x)_k \to c^{-d} f(x)_k",
    form=Form.IDENTITY,
    symbols=(LAYERS, BIASES, DIVISOR, POINT, OUTPUT),
    assumptions=(_divisor_above_0(),),
    sides=_biased_sides,
    proof=proofs.homogeneous,
    reads=_reads_homogeneous(_biased_outputs),
    finding=Finding.OURS,
    note="Biases of deeper layers shrink faster. A bias of the outputs would have the factor c^-d.",
    extremal=_network([[2]], [[3]], layer_biases=(rationals([1]),), divisor=2, point=rationals([1]), output=0),
)

N12 = Claim(
    id="N12",
    source=Source(NEYSHABUR2017, "section 2.2, the margin"),
    statement=r"\gamma_{(\lceil \epsilon m \rceil)} \le \gamma \iff \#\{i : \gamma_i \le \gamma\} \ge \epsilon m",
    form=Form.EQUIVALENCE,
    symbols=(MARGINS, EPSILON, MARGIN_LEVEL),
    sides=_level_sides,
    proof=proofs.n12,
    reads=lambda given: _reads_margins(given["margins"], given["epsilon"], given["level"]),
    finding=Finding.AS_PRINTED,
    note="So the lowest level is the ceil(eps m)-th smallest margin: the percentile by nearest rank. Read strictly, 'lower "
    "than' has no lowest level, and that margin is the infimum: fewer than ceil(eps m) data lie below it, none if eps m <= 1, "
    "where it is the hard margin. Read as 'exactly so many', there may be no such level at all, where margins are equal.",
    reading="'Lower than' as 'at most', with which there is a lowest value.",
    extremal=Instance({"margins": rationals([1, 2]), "epsilon": Fraction(1, 2), "level": 1}, "named"),
)

CLAIMS = (
    N1,
    N1A,
    N2,
    N3,
    N3A,
    N3B,
    N3C,
    N3D,
    N4,
    N4A,
    N4B,
    N9,
    N10,
    N10A,
    N10B,
    N10C,
    N11,
    N11A,
    N12,
)
