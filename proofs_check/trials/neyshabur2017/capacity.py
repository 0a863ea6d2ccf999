"""How the claims of `theory.neyshabur2017.capacity` are put to the test."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import prod

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import data_points, exact_weights, ratios, whole
from proofs_check.trials.operators import Kind, both_ways, bounds, left, negated, right
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure
from theory.neyshabur2017.capacity import (
    ALTERNATING,
    MEASURES,
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
    divided,
    l2_path_measure,
    least_spectral_measure,
    margin_at,
    margins_of,
    measure_of,
    order_statistic,
    output_of,
    path_norm,
    spare_path,
)
from theory.path_norms import Layers, lifted_sums, path_sums, path_weights, rescaled, row_product, widths
from theory.two_layer import Weights


@st.composite
def signs(draw: st.DrawFn) -> Instance:
    """Draw a network and points, at times one whose sign changes in every piece, moved and turned round."""
    if draw(st.booleans()):
        return Instance({"weights": draw(exact_weights(most=4)), "x": draw(data_points(most=8))}, "drawn")
    known = ALTERNATING["weights"]
    scale, shift = draw(st.sampled_from([1, 2, -1])), draw(st.integers(-2, 2))
    size = draw(st.sampled_from([1, 1, 3, -1]))
    moved = Weights(scale * known.w1, known.b1 + shift * known.w1, size * known.w2, size * known.b2)
    return Instance({"weights": moved, "x": rationals(sorted((ALTERNATING["x"] - shift) / scale))}, "drawn")


@st.composite
def networks(draw: st.DrawFn, *, most_layers: int = 3, widest: int = 2, fewest_outputs: int = 1) -> Instance:
    """Draw a network without biases, units that nothing enters among its own, and all that is said of one beside it."""
    depth = draw(st.integers(1, most_layers))
    sizes = [draw(st.integers(1, widest)) for _ in range(depth)]
    sizes.append(draw(st.integers(fewest_outputs, max(2, fewest_outputs))))
    kind = draw(st.sampled_from(["any", "any", "ones", "dead"]))

    def matrix(rows: int, columns: int) -> Array:
        entry = st.just(1) if kind == "ones" else st.integers(-2, 2)
        found = rationals(draw(st.lists(entry, min_size=rows * columns, max_size=rows * columns)))
        return found.reshape(rows, columns)

    layers = [matrix(after, before) for before, after in pairwise(sizes)]
    if kind == "dead" and depth > 1:
        place = draw(st.integers(0, depth - 2))
        layers[place][-1] = 0 * layers[place][-1]
    factor = draw(st.sampled_from([_POSITIVE, _POSITIVE, _POSITIVE, _ANY]))
    vectors = tuple(rationals(draw(st.lists(factor, min_size=w, max_size=w))) for w in sizes[1:-1])
    return Instance(
        {
            "layers": tuple(layers),
            "factors": vectors,
            "layer_biases": tuple(rationals(draw(st.lists(whole, min_size=w, max_size=w))) for w in sizes[1:-1]),
            "p": draw(st.sampled_from([1, 1, 2, 3])),
            "lift": draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(1, 1000)])),
            "divisor": draw(st.sampled_from(["1", "2", "3", "1/2", "-1", "-2", "0"]).map(Fraction)),
            "point": rationals(draw(st.lists(whole, min_size=sizes[0], max_size=sizes[0]))),
            "output": draw(st.integers(0, sizes[-1] - 1)),
            "measure": draw(st.sampled_from(MEASURES)),
            "layer": draw(st.integers(0, depth - 1)),
            "factor": draw(st.sampled_from(["2", "3", "1/2", "1", "-1", "0"]).map(Fraction)),
        },
        "drawn",
    )


_POSITIVE = st.sampled_from(["1", "1", "2", "3", "1/2", "3/2"]).map(Fraction)
_ANY = st.sampled_from(["1", "2", "1/2", "-1", "-2", "0"]).map(Fraction)

several = networks(fewest_outputs=2)


@st.composite
def scored(draw: st.DrawFn) -> Instance:
    """Draw scores with ties, and labels, of as many data as decide what 5 per cent of them are."""
    count = draw(st.sampled_from([1, 2, 19, 20, 21, 39, 40, 41, 60]))
    classes = draw(st.integers(2, 3))
    few = draw(st.lists(st.lists(st.integers(0, 2), min_size=classes, max_size=classes), min_size=1, max_size=3))
    good = [[1] + [0] * (classes - 1)]
    wrong = draw(st.integers(0, min(3, count)))
    rows = (few * count)[:wrong] + good * (count - wrong)
    labels = [draw(st.integers(0, classes - 1)) for _ in range(wrong)] + [0] * (count - wrong)
    return Instance({"scores": rationals(rows), "labels": labels}, "drawn")


@st.composite
def levels(draw: st.DrawFn) -> Instance:
    """Draw margins, equal ones among them, a share and a level on, beside and between them."""
    margins = draw(st.lists(whole, min_size=1, max_size=7))
    level = draw(st.sampled_from(margins)) + draw(st.sampled_from(["0", "0", "1/2", "-1/2"]).map(Fraction))
    epsilon = draw(st.sampled_from(["1/20", "1/10", "1/5", "1/3", "1/2", "3/10", "2/3", "99/100"]).map(Fraction))
    return Instance({"margins": rationals(margins), "epsilon": epsilon, "level": level}, "drawn")


in_parts = st.builds(
    lambda margins, parts: Instance({"margins": rationals(margins), "parts": parts}, "drawn"),
    st.lists(whole, min_size=1, max_size=7),
    st.integers(2, 6),
)


@st.composite
def normed_units(draw: st.DrawFn) -> Instance:
    """Draw a unit and the batch norm behind it."""
    size, number = draw(st.integers(1, 3)), ratios(-3, 3, 2)
    given = {name: draw(number) for name in ("bias", "mean", "gain", "offset")}
    lists = {name: rationals(draw(st.lists(number, min_size=size, max_size=size))) for name in ("weights", "given")}
    return Instance({**given, **lists, "spread": draw(st.sampled_from(["1", "2", "1/2", "3"]).map(Fraction))}, "drawn")


def _to_each_output(given: Instance) -> list[Fraction]:
    p = given["p"]
    return [
        sum((abs(w) ** p for w in path_weights(given["layers"], k)), Fraction(0))
        for k in range(len(given["layers"][-1]))
    ]


def _all_paths(given: Instance) -> Fraction:
    return path_norm(given["layers"], given["p"])


def _least_output(given: Instance) -> Fraction:
    return Fraction(min(_to_each_output(given)))


def _lifted_least(given: Instance) -> Fraction:
    return Fraction(min(lifted_sums(given["layers"], given["p"], given["lift"])[-1]))


def _not_lifted(given: Instance) -> Fraction:
    return Fraction(max(path_sums(given["layers"], given["p"])[-1]))


def _factor_the_other_way(given: Instance) -> Fraction:
    """Return N3.d's right side with the factors of the units inverted."""
    return _spare(given.but(factors=tuple(1 / vector for vector in given["factors"])), given)


def _spare(inverted: Instance, given: Instance) -> Fraction:
    path = spare_path(given)
    other = spare_path(inverted)
    return Fraction(path["sum"] + prod(path["weights"], start=other["start"]))


def _not_divided(layers: Layers, factors: tuple[Array, ...]) -> Layers:
    """Return the layers with what enters each hidden unit multiplied, and what leaves it left alone."""
    scales = [*factors, rationals([1] * len(layers[-1]))]
    return tuple(scale[:, None] * matrix for scale, matrix in zip(scales, layers, strict=True))


def _whole_function(change: Callable[[Layers, tuple[Array, ...]], Layers]) -> Callable[[Instance], Fraction]:
    return lambda given: output_of(given, change(given["layers"], given["factors"]))


def _whole_paths(change: Callable[[Layers, tuple[Array, ...]], Layers]) -> Callable[[Instance], Fraction]:
    return lambda given: path_norm(change(given["layers"], given["factors"]), given["p"])


def _product_of_rows(given: Instance) -> Fraction:
    return row_product(rescaled(given["layers"], given["factors"]), given["p"])


def _folded(
    scale: Callable[[Instance], Fraction], shift: Callable[[Instance], Fraction]
) -> Callable[[Instance], Fraction]:
    """Return N4.b's right side with another factor of the weights, and another bias."""
    return lambda given: Fraction(scale(given) * (given["weights"] @ given["given"]) + shift(given))


def _scale(given: Instance) -> Fraction:
    return Fraction(given["gain"] / given["spread"])


def _shift(given: Instance) -> Fraction:
    return Fraction(_scale(given) * (given["bias"] - given["mean"]) + given["offset"])


def _power(change: int) -> Callable[[Instance], Fraction]:
    """Return the right side of N11 with another power of c."""
    return lambda given: output_of(given, given["layers"]) / given["divisor"] ** (len(given["layers"]) + change)


def _biases_divided(power: Callable[[int], int]) -> Callable[[Instance], Fraction]:
    """Return the left side of N11.a with other powers of c for the biases."""

    def side(given: Instance) -> Fraction:
        c = given["divisor"]
        biases = tuple(bias / c ** power(i) for i, bias in enumerate(given["layer_biases"], 1))
        return output_of(given, divided(given["layers"], c), biases)

    return side


def _over(power: int) -> Callable[[Instance], Enclosure]:
    """Return N2's left side with another power of gamma."""

    def side(given: Instance) -> Enclosure:
        layers = tuple(
            matrix * given["factor"] if i == given["layer"] else matrix for i, matrix in enumerate(given["layers"])
        )
        return measure_of(given["measure"], layers).times(1 / abs(margin_at(given, layers)) ** power)

    return side


def _other_widths(first: int, last: int) -> Callable[[Instance], Fraction]:
    """Return N10.a's right side with other widths in the factor: h_first to h_(d - last)."""

    def side(given: Instance) -> Fraction:
        sizes = widths(given["layers"])
        whole = l2_path_measure(given["layers"]) / prod(sizes[1:])
        return whole * prod(sizes[first : len(sizes) - last])

    return side


def _without_fours(given: Instance) -> Enclosure:
    return least_spectral_measure(given["layers"]).times(Fraction(1, 4 ** len(given["layers"])))


def _as_if_of_rank_one(given: Instance) -> Enclosure:
    sizes = prod(min(matrix.shape) for matrix in given["layers"])
    return least_spectral_measure(given["layers"]).times(Fraction(1, sizes))


def _at_place(change: Callable[[Fraction], int], *, strict: bool = False) -> Callable[[Instance], bool]:
    """Return N12's left side with another place in the order."""

    def side(given: Instance) -> bool:
        ordered = sorted(given["margins"])
        place = min(max(change(given["epsilon"] * len(ordered)), 1), len(ordered))
        return bool(ordered[place - 1] < given["level"] if strict else ordered[place - 1] <= given["level"])

    return side


def _below_the_level(given: Instance) -> bool:
    margins = given["margins"]
    return bool(sum(margin < given["level"] for margin in margins) >= given["epsilon"] * len(margins))


def _errors(share: Fraction, *, ties: bool) -> Callable[[Instance], bool]:
    """Return N1's right side with another share, and ties counted as errors or not."""

    def side(given: Instance) -> bool:
        margins = margins_of(given["scores"], given["labels"])
        wrong = sum(margin < 0 or (ties and margin == 0) for margin in margins)
        return bool(wrong < share * len(margins))

    return side


def _next_statistic(given: Instance) -> Fraction:
    ordered = sorted(given["margins"])
    return Fraction(ordered[min(math.ceil(Fraction(len(ordered), given["parts"])), len(ordered) - 1)])


def _larger_share(given: Instance) -> Fraction:
    return order_statistic(given["margins"], Fraction(1, given["parts"] - 1))


TRIALS = (
    Trial(
        N1,
        instances=scored(),
        mutants=(
            negated(N1),
            right(N1, "ties are no errors", Kind.BOUNDARY, _errors(Fraction(1, 20), ties=False)),
            right(N1, "10 per cent for 5", Kind.CONSTANT, _errors(Fraction(1, 10), ties=True)),
        ),
    ),
    Trial(
        N1A,
        instances=in_parts,
        mutants=(
            *bounds(N1A),
            right(N1A, "the next order statistic", Kind.OFF_BY_ONE, _next_statistic),
            right(N1A, "q - 1 for q", Kind.OFF_BY_ONE, _larger_share),
        ),
    ),
    Trial(
        N2,
        instances=several,
        mutants=(
            *both_ways(N2),
            left(N2, "not over gamma", Kind.DROPPED, _over(0)),
            left(N2, "gamma for its square", Kind.NEIGHBOUR, _over(1)),
        ),
    ),
    Trial(N3, instances=networks()),
    Trial(
        N3A,
        instances=networks(),
        mutants=(
            *bounds(N3A),
            right(N3A, "the sum over the outputs for the largest", Kind.EXTREME, _all_paths),
        ),
    ),
    Trial(
        N3B,
        instances=networks(),
        mutants=(
            *bounds(N3B),
            right(N3B, "t = 0 on the right", Kind.DROPPED, _not_lifted),
            right(N3B, "the smallest over the outputs", Kind.MIN_MAX, _lifted_least),
        ),
    ),
    Trial(
        N3C,
        instances=networks(),
        mutants=(
            *both_ways(N3C),
            right(N3C, "the sum over the outputs for the largest", Kind.EXTREME, _all_paths),
            right(N3C, "the smallest over the outputs", Kind.MIN_MAX, _least_output),
        ),
    ),
    Trial(
        N3D,
        instances=networks(widest=3),
        mutants=(
            *bounds(N3D),
            right(N3D, "the factors the other way", Kind.NEIGHBOUR, _factor_the_other_way),
        ),
    ),
    Trial(
        N4,
        instances=networks(),
        mutants=(
            *both_ways(N4),
            left(N4, "outgoing weights not divided", Kind.DROPPED, _whole_function(_not_divided)),
        ),
    ),
    Trial(
        N4A,
        instances=networks(),
        mutants=(
            *both_ways(N4A),
            left(N4A, "outgoing weights not divided", Kind.DROPPED, _whole_paths(_not_divided)),
            left(N4A, "the product of norms for the path norm", Kind.NEIGHBOUR, _product_of_rows),
        ),
    ),
    Trial(
        N4B,
        instances=normed_units(),
        mutants=(
            *both_ways(N4B),
            right(N4B, "the size of the gain", Kind.NEIGHBOUR, _folded(lambda given: abs(_scale(given)), _shift)),
            right(
                N4B,
                "no offset",
                Kind.DROPPED,
                _folded(_scale, lambda given: _scale(given) * (given["bias"] - given["mean"])),
            ),
            right(
                N4B,
                "the mean not scaled",
                Kind.DROPPED,
                _folded(_scale, lambda given: _scale(given) * given["bias"] - given["mean"] + given["offset"]),
            ),
        ),
    ),
    Trial(
        N9,
        instances=signs(),
        mutants=(
            *bounds(N9),
            right(N9, "m for m + 1", Kind.OFF_BY_ONE, lambda given: Fraction(len(given["weights"].w1))),
        ),
    ),
    Trial(N10, instances=networks()),
    Trial(
        N10A,
        instances=networks(),
        mutants=(
            *bounds(N10A),
            right(N10A, "without the number of inputs", Kind.RANGE, _other_widths(1, 0)),
            right(N10A, "without the number of outputs", Kind.RANGE, _other_widths(0, 1)),
        ),
    ),
    Trial(N10B, instances=networks()),
    Trial(
        N10C,
        instances=networks(),
        mutants=(
            *bounds(N10C),
            right(N10C, "without 4^d", Kind.DROPPED, _without_fours),
            right(N10C, "1 for min(h_i, h_(i-1))", Kind.DROPPED, _as_if_of_rank_one),
        ),
    ),
    Trial(
        N11,
        instances=networks(),
        mutants=(
            *both_ways(N11),
            right(N11, "d - 1 for d", Kind.OFF_BY_ONE, _power(-1)),
            right(N11, "d + 1 for d", Kind.OFF_BY_ONE, _power(1)),
        ),
    ),
    Trial(
        N11A,
        instances=networks(),
        mutants=(
            *both_ways(N11A),
            left(N11A, "all biases divided by c", Kind.NEIGHBOUR, _biases_divided(lambda i: 1)),
            left(N11A, "biases not divided", Kind.DROPPED, _biases_divided(lambda i: 0)),
        ),
    ),
    Trial(
        N12,
        instances=levels(),
        mutants=(
            negated(N12),
            right(N12, "lower than for at most", Kind.BOUNDARY, _below_the_level),
            left(N12, "floor for ceil", Kind.OFF_BY_ONE, _at_place(math.floor)),
            left(N12, "the next place", Kind.OFF_BY_ONE, _at_place(lambda share: math.ceil(share) + 1)),
            left(N12, "< for <= on the left", Kind.BOUNDARY, _at_place(math.ceil, strict=True)),
        ),
    ),
)
