"""How the claims of `theory.neyshabur2017.perturbation` are put to the test."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from itertools import product as every

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.operators import Kind, both_ways, bounds, negated, right, stronger, turned
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, square_root
from theory.layer_noise import second_moments, variances
from theory.neyshabur2017.perturbation import (
    N8,
    N8A,
    N15,
    N15A,
    N15B,
    N16,
    N16A,
    N16B,
    N17,
    N17A,
    N18,
    N18A,
    N18B,
    N19,
    N19A,
    N19B,
    N21,
    N21A,
    condition_constant,
    depth_power,
    gammas,
    largest_share,
    linear_bound,
    mean_effect,
    shifted_levels,
    simplified,
    squared_bound,
)
from theory.neyshabur2017.perturbation_bounds import activations, pre_activations, product, squared_interaction
from theory.relu_network import square, squared_spectral_norm

entries = st.sampled_from([0, 1, 1, -1, 2, -2, 3])


def _matrix(draw: st.DrawFn, rows: int, columns: int) -> Array:
    drawn = draw(st.lists(entries, min_size=rows * columns, max_size=rows * columns))
    return rationals(drawn).reshape(rows, columns)


def noises_of(draw: st.DrawFn, rows: int, columns: int, *, centred: bool = False) -> Array:
    """Draw noises for a matrix: all signs, one entry at a time, sometimes what is not uncorrelated, or has a mean."""
    size, scale = rows * columns, draw(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(2)]))
    kind = draw(
        st.sampled_from(
            ["signs", "one by one", "one by one", "shared", "shifted"] if size < 4 else ["one by one"] * 4 + ["shared"]
        )
    )
    if kind == "signs":
        found = [list(signs) for signs in every((1, -1), repeat=size)]
    elif kind == "one by one":
        found = [[sign * int(place == at) for place in range(size)] for at in range(size) for sign in (1, -1)]
    elif kind == "shared":
        found = [[1] * size, [-1] * size]
    else:
        found = [[1] * size] + [[0] * size] * int(centred)
    noises: Array = rationals(found).reshape(-1, rows, columns) * scale
    return noises


@st.composite
def products(draw: st.DrawFn) -> Instance:
    """Draw two matrices and noises between them."""
    p, q, r, c = (draw(st.integers(1, 2)) for _ in range(4))
    return Instance({"A": _matrix(draw, p, q), "B": _matrix(draw, r, c), "noises": noises_of(draw, q, r)}, "drawn")


@st.composite
def perturbed(draw: st.DrawFn) -> Instance:
    """Draw a small ReLU network without biases, a point and standard deviations; often one unit a layer, or equal entries."""
    depth = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["any", "narrow", "aligned"]))
    widths = [1 if kind == "narrow" else draw(st.integers(1, 3)) for _ in range(depth + 1)]
    if kind == "aligned":
        layers = tuple(rationals(np.ones((n, m), dtype=int)) for m, n in pairwise(widths))
        point = rationals([1] * widths[0])
    else:
        layers = tuple(_matrix(draw, n, m) for m, n in pairwise(widths))
        point = _matrix(draw, 1, widths[0])[0]
    sigma = draw(st.lists(st.sampled_from(["0", "1/10", "1", "1", "3"]).map(Fraction), min_size=depth, max_size=depth))
    return Instance({"layers": layers, "point": point, "sigma": rationals(sigma)}, "drawn")


def _shifted(given: Instance) -> list[Fraction]:
    """Return the gamma_i^2 with h_i for h_{i-1}."""
    rows = [matrix.shape for matrix in given["layers"]]
    return [g * Fraction(n, m) for g, (n, m) in zip(gammas(given), rows, strict=True)]


def _once(given: Instance) -> list[Fraction]:
    """Return the gamma_i^2 with mu for mu^2."""
    mu2 = squared_interaction(given["layers"], given["point"])
    return [g * mu2 for g in gammas(given)]


def _narrow(given: Instance) -> list[Fraction]:
    """Return the gamma_i^2 without h_i."""
    return [g / len(matrix) for g, matrix in zip(gammas(given), given["layers"], strict=True)]


def _twice(side: Enclosure) -> Enclosure:
    return product([side, side])


def _norms(given: Instance) -> Fraction:
    return square(given["A"]) * square(given["B"])


few_deltas = st.sampled_from(["1/100", "1/10", "1/2", "1"]).map(Fraction)
few_constants = st.sampled_from(["1/10", "1", "2"]).map(Fraction)


@st.composite
def thresholds(draw: st.DrawFn) -> Instance:
    """Draw a network, a point, and a threshold: the size of what a unit is given, or another."""
    given = draw(perturbed())
    sizes = [abs(value) for z in pre_activations(given["layers"], given["point"]) for value in z if value != 0]
    threshold = draw(st.sampled_from([*sizes, Fraction(1, 2), Fraction(1), Fraction(5)]))
    return given.but(threshold=threshold)


@st.composite
def shifts(draw: st.DrawFn) -> Instance:
    """Draw a network with hidden layers, a point, what is added to the weights, and a level."""
    given = draw(perturbed().filter(lambda given: len(given["layers"]) > 1))
    scale = draw(st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3)]))
    noise = tuple(scale * _matrix(draw, *matrix.shape) for matrix in given["layers"])
    return given.but(noise=noise, level=draw(st.integers(1, len(noise) - 1)))


@st.composite
def steep(draw: st.DrawFn) -> Instance:
    """Draw the numbers that N16 and N16.b speak of."""
    values = {
        "steepness": Fraction(draw(st.sampled_from([1, 2, 20, 100]))),
        "deviation": Fraction(draw(st.sampled_from(["1/100", "1/6", "1", "80"]))),
        "weight": Fraction(draw(st.sampled_from([1, 2, 20, 100]))),
    }
    return Instance({**values, "delta": draw(few_deltas), "constant": draw(few_constants)}, "drawn")


@st.composite
def sharp(draw: st.DrawFn) -> Instance:
    """Draw a network of two layers, one hidden unit of which may have a large row that x does not see."""
    given = draw(perturbed().filter(lambda given: len(given["layers"]) == 2))
    far = draw(st.sampled_from([0, 0, 1000]))
    if far and given["layers"][0].shape == (2, 2):
        layers = (rationals([[1, 0], [-1, far]]), given["layers"][1] * 100)
        given = given.but(layers=layers, point=rationals([1, 0]))
    return given.but(delta=draw(few_deltas), constant=draw(few_constants))


@st.composite
def quiet(draw: st.DrawFn) -> Instance:
    """Draw the numbers that N18.b speaks of."""
    values = {
        "steepness": Fraction(draw(st.sampled_from([1, 20, 200_000]))),
        "deviation": Fraction(draw(st.sampled_from(["1/100000", "1/100", "1/10"]))),
    }
    return Instance({**values, "delta": draw(few_deltas), "constant": draw(few_constants)}, "drawn")


@st.composite
def noisy(draw: st.DrawFn) -> Instance:
    """Draw a small network with few layers and noises, data and targets."""
    depth = draw(st.integers(1, 2))
    widths = [draw(st.integers(1, 2)) for _ in range(depth + 1)]
    layers = tuple(_matrix(draw, n, m) for m, n in pairwise(widths))
    noises = tuple(noises_of(draw, *matrix.shape, centred=True) for matrix in layers)
    n = draw(st.integers(1, 2))
    inputs, targets = _matrix(draw, n, widths[0]), _matrix(draw, n, widths[-1])
    return Instance(
        {
            "layers": layers,
            "layer_noises": noises,
            "inputs": inputs,
            "targets": targets,
            "point": inputs[0],
            "lipschitz": draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3)])),
        },
        "drawn",
    )


@st.composite
def depths(draw: st.DrawFn) -> Instance:
    """Draw what the simplified bound is made of."""
    return Instance(
        {
            "depth": draw(st.integers(1, 10)),
            "width": draw(st.sampled_from([1, 2, 1000])),
            "mu": draw(st.sampled_from([Fraction(1), Fraction(1, 4)])),
            "scale": draw(st.sampled_from([Fraction(1), Fraction(1, 100), Fraction(10)])),
            "samples": draw(st.sampled_from([1, 100, 60000])),
            "delta": draw(few_deltas),
            "times": draw(st.integers(1, 4)),
            "sharpness": draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 10)])),
        },
        "drawn",
    )


@st.composite
def perceptrons(draw: st.DrawFn) -> Instance:
    """Draw a number of hidden layers, and whether there are biases."""
    return Instance({"hidden_layers": draw(st.integers(1, 14)), "biases": draw(st.integers(0, 1))}, "drawn")


def _changed_effect(given: Instance, kind: str) -> Enclosure:
    """Return N18.a's right side with another recursion for a_i^2."""
    total = Enclosure.exactly(Fraction(0))
    for x in given["inputs"]:
        total = total + effect(given, x, kind).root()
    return total.times(given["lipschitz"] / len(given["inputs"]))


def effect(given: Instance, x: Array, kind: str) -> Enclosure:
    """Return a_d^2 by a wrong recursion: "alone" drops a_(i-1) beside f, "narrow" h_i, "kept" ||W_i||, "before" has h_(i-1)."""
    found = Enclosure.exactly(Fraction(0))
    hidden = activations(given["layers"], x)
    for matrix, variance, h in zip(given["layers"], variances(given["layer_noises"]), hidden, strict=False):
        reach = square_root(square(h))
        if kind != "alone":
            reach = reach + found.root()
        width = {"narrow": 1, "before": matrix.shape[1]}.get(kind, len(matrix))
        norm = Enclosure.exactly(Fraction(1)) if kind == "kept" else squared_spectral_norm(matrix)
        found = product([norm, found]) + product([reach, reach]).times(Fraction(variance * width))
    return found


def _own(given: Instance) -> Fraction:
    """Return N16.a's right side as Lemma 2 has it, with the unit's own noise alone."""
    before, _, own, _ = shifted_levels(given)
    return Fraction(condition_constant(given) * len(before) * max(own))


def _one_unit(given: Instance) -> Fraction:
    """Return N16.a's right side without h_k."""
    _, _, own, other = shifted_levels(given)
    return Fraction(condition_constant(given) * max(own + other))


def _before(given: Instance) -> Fraction:
    """Return N16.a's right side with h_(k-1) for h_k."""
    return _one_unit(given) * int(given["layers"][given["level"] - 1].shape[1])


def _least(given: Instance) -> Fraction:
    """Return N16.a's right side with the least change for the largest."""
    before, _, own, other = shifted_levels(given)
    return Fraction(condition_constant(given) * len(before) * min(own + other))


def _deeper(given: Instance, power: int) -> Enclosure:
    return product([depth_power(given, power), simplified(given, given["depth"])])


def _one_level(given: Instance) -> Fraction:
    """Return N8.a's right side with the count for the share."""
    return Fraction(condition_constant(given) * given["threshold"] / largest_share(given)[1])


NO_SIGNAL = {
    "without: f_w(x) is not 0": "without meaning: where a D_i W_i or mu is 0 a gamma_i is not defined, and for x = 0 and one "
    "layer both sides are 0"
}

TRIALS = (
    Trial(N8, instances=thresholds()),
    Trial(
        N8A,
        instances=thresholds(),
        mutants=(
            *bounds(N8A),
            right(N8A, "over h_k once more", Kind.DROPPED, _one_level),
            right(N8A, "without the threshold", Kind.DROPPED, condition_constant),
        ),
    ),
    Trial(N15, instances=perturbed()),
    Trial(
        N15A,
        instances=perturbed(),
        mutants=(
            *bounds(N15A),
            right(
                N15A,
                "||W_i|| for ||D_i W_i||",
                Kind.NEIGHBOUR,
                lambda g: _twice(linear_bound(g, gammas(g, whole=True))),
            ),
            right(N15A, "mu above 1", Kind.BOUNDARY, lambda g: _twice(linear_bound(g, gammas(g, capped=False)))),
            right(N15A, "a < c in C1", Kind.RANGE, lambda g: _twice(linear_bound(g, gammas(g, single=False)))),
            right(N15A, "h_i for h_{i-1}", Kind.OFF_BY_ONE, lambda g: _twice(linear_bound(g, _shifted(g)))),
        ),
        spared=NO_SIGNAL,
    ),
    Trial(
        N15B,
        instances=perturbed(),
        mutants=(
            *bounds(N15B),
            right(N15B, "||W_i|| for ||D_i W_i||", Kind.NEIGHBOUR, lambda g: squared_bound(g, gammas(g, whole=True))),
            right(N15B, "mu above 1", Kind.BOUNDARY, lambda g: squared_bound(g, gammas(g, capped=False))),
            right(N15B, "a < c in C1", Kind.RANGE, lambda g: squared_bound(g, gammas(g, single=False))),
            right(N15B, "h_i for h_{i-1}", Kind.OFF_BY_ONE, lambda g: squared_bound(g, _shifted(g))),
            right(N15B, "without h_i", Kind.DROPPED, lambda g: squared_bound(g, _narrow(g))),
            right(
                N15B, "the largest layer for the product", Kind.EXTREME, lambda g: squared_bound(g, [max(gammas(g))])
            ),
        ),
        spared=NO_SIGNAL,
    ),
    Trial(N16, instances=steep()),
    Trial(
        N16A,
        instances=shifts(),
        mutants=(
            *bounds(N16A),
            right(N16A, "as Lemma 2, with the unit's own noise alone", Kind.DROPPED, _own),
            right(N16A, "without h_k", Kind.DROPPED, _one_unit),
            right(N16A, "h_{k-1} for h_k", Kind.OFF_BY_ONE, _before),
            right(N16A, "min for max", Kind.MIN_MAX, _least),
        ),
    ),
    Trial(N16B, instances=steep()),
    Trial(
        N17,
        instances=products(),
        mutants=(
            *bounds(N17),
            right(
                N17,
                "the variance for sigma",
                Kind.NEIGHBOUR,
                lambda g: square_root(_norms(g)).times(second_moments(g["noises"])[1]),
            ),
            right(N17, "without sigma", Kind.DROPPED, lambda g: square_root(_norms(g))),
        ),
    ),
    Trial(
        N17A,
        instances=products(),
        mutants=(
            *both_ways(N17A),
            right(
                N17A,
                "sigma for sigma^2",
                Kind.NEIGHBOUR,
                lambda g: square_root(second_moments(g["noises"])[1]).times(_norms(g)),
            ),
            right(N17A, "without ||B||", Kind.DROPPED, lambda g: second_moments(g["noises"])[1] * square(g["A"])),
        ),
    ),
    Trial(N18, instances=sharp()),
    Trial(
        N18A,
        instances=noisy(),
        mutants=(
            *bounds(N18A),
            right(N18A, "without C_L", Kind.DROPPED, mean_effect),
            right(N18A, "without a_{i-1} beside f", Kind.DROPPED, lambda g: _changed_effect(g, "alone")),
            right(N18A, "without h_i", Kind.DROPPED, lambda g: _changed_effect(g, "narrow")),
            right(N18A, "h_{i-1} for h_i", Kind.OFF_BY_ONE, lambda g: _changed_effect(g, "before")),
            right(N18A, "without ||W_i||", Kind.DROPPED, lambda g: _changed_effect(g, "kept")),
        ),
    ),
    Trial(N18B, instances=quiet()),
    Trial(N19, instances=depths()),
    Trial(
        N19A,
        instances=depths(),
        mutants=(
            stronger(N19A),
            turned(N19A),
            right(N19A, "k for k^(3/2)", Kind.NEIGHBOUR, lambda g: _deeper(g, 2)),
            right(N19A, "k^(1/2) for k^(3/2)", Kind.NEIGHBOUR, lambda g: _deeper(g, 1)),
        ),
    ),
    Trial(N19B, instances=depths()),
    Trial(N21, instances=perceptrons()),
    Trial(
        N21A,
        instances=perceptrons(),
        mutants=(
            negated(N21A),
            right(N21A, "10 for 11", Kind.OFF_BY_ONE, lambda g: g["hidden_layers"] >= 10),
            right(N21A, "12 for 11", Kind.OFF_BY_ONE, lambda g: g["hidden_layers"] >= 12),
        ),
    ),
)
