"""How the claims of `theory.dherin2022.complexity` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import ratios, relu_networks, small, whole
from proofs_check.trials.operators import Kind, both_ways, bounds, left, right, strict
from theory.assumptions import network_of
from theory.batches import mean_of, sample_variance, variance_of_means
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.dherin2022.complexity import (
    D1,
    D2,
    D3,
    D3A,
    D3B,
    D4,
    D11,
    D11A,
    D12,
    D12A,
    D13,
    D13A,
    D15,
    D15A,
    affine_complexity,
    beyond_the_data,
    by_derivatives,
    chosen,
    pieces_of,
)
from theory.enclosure import Enclosure, length
from theory.relu_network import ReLUNetwork, complexity, largest_singular_value, lipschitz_constant, square


def _numbers(draw: st.DrawFn, *shape: int) -> Array:
    size = int(np.prod(shape))
    return rationals(draw(st.lists(whole, min_size=size, max_size=size))).reshape(shape)


@st.composite
def affine_maps(draw: st.DrawFn) -> Instance:
    """Draw an affine map and data."""
    d, k, n = (draw(st.integers(1, 3)) for _ in range(3))
    return Instance(
        {"matrix": _numbers(draw, k, d), "offset": _numbers(draw, k), "inputs": _numbers(draw, n, d)}, "drawn"
    )


@st.composite
def marked_norms(draw: st.DrawFn) -> Instance:
    """Draw squared norms and a batch: at least half of the data at most times."""
    n = draw(st.integers(1, 5))
    norms = draw(st.lists(st.sampled_from([0, 0, 1, 1, 4]), min_size=n, max_size=n))
    marks = draw(st.lists(st.sampled_from([0, 1, 1]), min_size=n, max_size=n).filter(any))
    return Instance({"squared_norms": rationals(norms), "in_batch": np.array(marks)}, "drawn")


@st.composite
def drawn_batches(draw: st.DrawFn) -> Instance:
    """Draw squared norms, a batch size and a distance: often the distance of all batches."""
    n = draw(st.integers(2, 5))
    norms = draw(st.one_of(st.lists(st.integers(0, 4), min_size=n, max_size=n), st.sampled_from([[0, 2], [1, 4]])))
    batch = draw(st.integers(1, len(norms)))
    near = abs(mean_of(rationals(norms[:batch])) - mean_of(rationals(norms)))
    tolerance = draw(st.one_of(st.just(near), ratios(0, 3, 4))) or Fraction(1)
    return Instance({"squared_norms": rationals(norms), "batch_size": batch, "tolerance": tolerance}, "drawn")


@st.composite
def places_and_steepness(draw: st.DrawFn) -> Instance:
    """Draw data and a Lipschitz constant."""
    n, d = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return Instance({"inputs": _numbers(draw, n, d), "steepness": abs(draw(small))}, "drawn")


@st.composite
def segments(draw: st.DrawFn) -> Instance:
    """Draw a network and two points, at times the same."""
    given = draw(relu_networks(widest=2))
    d = given["inputs"].shape[1]
    ends = {"point": _numbers(draw, d), "other_point": _numbers(draw, d)}
    return Instance({"layers": given["layers"], "layer_biases": given["layer_biases"], **ends}, "drawn")


@st.composite
def estimates(draw: st.DrawFn) -> Instance:
    """Draw a distribution, models, and one of them for each sample: mostly the same for all."""
    m, size, models = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    weights = rationals(draw(st.lists(st.integers(0, 3), min_size=m, max_size=m).filter(any)))
    count = m**size
    one = draw(st.integers(0, models - 1))
    choices = draw(
        st.one_of(st.just([one] * count), st.lists(st.integers(0, models - 1), min_size=count, max_size=count))
    )
    return Instance(
        {
            "probabilities": weights / sum(weights),
            "models": abs(_numbers(draw, models, m)),
            "sample_size": size,
            "choices": np.array(choices),
        },
        "drawn",
    )


def _complexity_with(of: Callable[[Array], Fraction]) -> Callable[[Instance], Fraction]:
    """Return the mean over the data of another number of each Jacobian."""

    def side(given: Instance) -> Fraction:
        network = network_of(given)
        return Fraction(mean_of(rationals([of(network.jacobian(x)) for x in given["inputs"]])))

    return side


def _first_output(jacobian: Array) -> Fraction:
    return square(jacobian[0])


def _unmasked(given: Instance) -> Fraction:
    """Return the squared norm of the product of the weight matrices, without the activations."""
    whole = given["layers"][0]
    for matrix in given["layers"][1:]:
        whole = matrix @ whole
    return square(whole)


def _piece_by_piece(given: Instance) -> Fraction:
    """Return eq 2 with equal weights of the pieces."""
    pieces, _ = pieces_of(network_of(given), given["inputs"])
    return Fraction(mean_of(rationals([square(piece) for piece in pieces])))


def _one_more(given: Instance) -> Fraction:
    pieces, counts = pieces_of(network_of(given), given["inputs"])
    return sum((c * square(p) for p, c in zip(pieces, counts, strict=True)), Fraction(0)) / (sum(counts) + 1)


def _times_the_constant(factor: Callable[[ReLUNetwork], int], power: int = 2) -> Callable[[Instance], Enclosure]:
    """Return another factor times another power of f_L."""

    def side(given: Instance) -> Enclosure:
        constant, times = lipschitz_constant(network_of(given)), factor(network_of(given))
        return Enclosure(times * Fraction(constant.lower) ** power, times * Fraction(constant.upper) ** power)

    return side


def _on_the_data(given: Instance) -> Enclosure:
    """Return D4's right side with the Lipschitz constant on the data alone, squared and so exact."""
    network, inputs = network_of(given), given["inputs"]
    pairs = ((x, y) for x in inputs for y in inputs if np.any(x != y))
    slopes = [square(network(y) - network(x)) / square(y - x) for x, y in pairs]
    return Enclosure.exactly(min(network.inputs, network.outputs) * max(slopes, default=Fraction(0)))


def _least(network: ReLUNetwork) -> int:
    return min(network.inputs, network.outputs)


def _first_datum(given: Instance) -> Fraction:
    """Return eq 1 on the first datum."""
    return by_derivatives(network_of(given), given["inputs"][:1])


def _batch_sum(given: Instance) -> Fraction:
    batch = chosen(given["inputs"], given["in_batch"])
    return complexity(network_of(given), batch) * len(batch)


def _outside(given: Instance) -> Fraction:
    """Return the complexity on what the batch leaves out, or on the first datum if that is nothing."""
    rest = given["inputs"][given["in_batch"] == 0]
    return complexity(network_of(given), rest if len(rest) else given["inputs"][:1])


def _row_of(given: Instance) -> Fraction:
    return square(given["matrix"][0])


def _share_with(variance: Callable[[Array, int], Fraction], power: int = 2) -> Callable[[Instance], Fraction]:
    """Return D12.a's right side with another variance, or another power of the distance."""
    return lambda given: variance(given["squared_norms"], given["batch_size"]) / given["tolerance"] ** power


def _population(norms: Array, batch: int) -> Fraction:
    """Return the variance of the means with n for n - 1."""
    n = len(norms)
    return (1 - Fraction(batch, n)) * sample_variance(norms) * Fraction(n - 1, n) / batch


def _smaller(norms: Array, batch: int) -> Fraction:
    """Return the variance of the means with B + 1 for B in its factor."""
    return Fraction(max(1 - Fraction(batch + 1, len(norms)), Fraction(0)) * sample_variance(norms) / batch)


def _at_the_data(given: Instance) -> Fraction:
    """Return D13's left side for a unit whose kink lies 1 before the last datum."""
    network = beyond_the_data(given["inputs"], given["steepness"])
    moved = ReLUNetwork(network.layers, (network.biases[0] + 2,))
    short = given["steepness"] - Fraction(lipschitz_constant(moved).lower)
    return Fraction(max(complexity(moved, given["inputs"]), short))


def _steeper(given: Instance) -> Fraction:
    constant = lipschitz_constant(beyond_the_data(given["inputs"], given["steepness"]))
    return Fraction(Fraction(101, 100) * given["steepness"] - constant.lower)


def _flattest(given: Instance) -> Enclosure:
    """Return D13.a's right side with the flattest piece for the steepest."""
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    norms = [largest_singular_value(piece) for piece in network.pieces()]
    apart = length(given["other_point"] - given["point"])
    return Enclosure(min(norm.lower for norm in norms) * apart.lower, min(norm.upper for norm in norms) * apart.upper)


def _at_the_first(given: Instance) -> Enclosure:
    """Return D13.a's right side with the Jacobian at the first point."""
    network = ReLUNetwork(given["layers"], given["layer_biases"])
    norm, apart = (
        largest_singular_value(network.jacobian(given["point"])),
        length(given["other_point"] - given["point"]),
    )
    return Enclosure(norm.lower * apart.lower, norm.upper * apart.upper)


def _uniform(given: Instance) -> Fraction:
    """Return the theoretical complexity with equal probabilities."""
    return Fraction(mean_of(given["models"][int(given["choices"][0])]))


def _without_the_last(given: Instance) -> Fraction:
    p, norms = given["probabilities"], given["models"][int(given["choices"][0])]
    return sum((q * s for q, s in zip(p[:-1], norms[:-1], strict=True)), Fraction(0))


ANY = relu_networks()
FEW_UNITS = relu_networks(widest=2, most_data=2)
KINKED = st.sampled_from([-1, 1, 2]).map(
    lambda scale: Instance(
        {
            "layers": (rationals([[1], [1], [-1]]), scale * rationals([[1, -1, Fraction(1, 2)]])),
            "layer_biases": (rationals([1, 0, 0]),),
            "inputs": rationals([[0]]),
        },
        "drawn: on a kink",
    )
)
"""At 0 backpropagation returns twice the Lipschitz constant."""

TRIALS = (
    Trial(
        D1,
        instances=ANY,
        mutants=(
            *both_ways(D1),
            right(D1, "the first output alone", Kind.DROPPED, _complexity_with(_first_output)),
            right(D1, "no activations", Kind.NEIGHBOUR, _unmasked),
            left(D1, "the first datum alone", Kind.RANGE, _first_datum),
        ),
    ),
    Trial(
        D2,
        instances=affine_maps(),
        mutants=(
            *both_ways(D2),
            right(D2, "the first row of A", Kind.DROPPED, _row_of),
            right(D2, "with b", Kind.NEIGHBOUR, lambda given: square(given["matrix"]) + square(given["offset"])),
        ),
    ),
    Trial(D3, instances=ANY),
    Trial(
        D3A,
        instances=ANY,
        mutants=(
            *both_ways(D3A),
            right(D3A, "equal weights of the pieces", Kind.DROPPED, _piece_by_piece),
            right(D3A, "|D| + 1 for |D|", Kind.OFF_BY_ONE, _one_more),
        ),
    ),
    Trial(
        D3B,
        instances=relu_networks(most_data=4),
        mutants=(
            *both_ways(D3B),
            left(D3B, "the sum over the batch", Kind.DROPPED, _batch_sum),
            right(D3B, "of the data outside the batch", Kind.NEIGHBOUR, _outside),
        ),
    ),
    Trial(
        D4,
        instances=st.one_of(FEW_UNITS, FEW_UNITS, FEW_UNITS, KINKED),
        mutants=(
            *bounds(D4),
            right(D4, "no min(k, d)", Kind.DROPPED, _times_the_constant(lambda network: 1)),
            right(D4, "f_L for its square", Kind.NEIGHBOUR, _times_the_constant(_least, 1)),
            right(D4, "f_L on the data alone", Kind.RANGE, _on_the_data),
        ),
    ),
    Trial(D11, instances=affine_maps()),
    Trial(
        D11A,
        instances=affine_maps(),
        mutants=(
            *both_ways(D11A),
            right(D11A, "without the biases", Kind.DROPPED, affine_complexity),
        ),
    ),
    Trial(D12, instances=marked_norms()),
    Trial(
        D12A,
        instances=drawn_batches(),
        mutants=(
            *bounds(D12A),
            right(D12A, "n for n - 1", Kind.OFF_BY_ONE, _share_with(_population)),
            right(D12A, "B + 1 for B", Kind.OFF_BY_ONE, _share_with(_smaller)),
            right(D12A, "t for t^2", Kind.NEIGHBOUR, _share_with(variance_of_means, 1)),
        ),
    ),
    Trial(
        D13,
        instances=places_and_steepness(),
        mutants=(
            strict(D13),
            left(D13, "a kink before the last datum", Kind.RANGE, _at_the_data),
            left(D13, "f_L >= 1.01 L", Kind.CONSTANT, _steeper),
        ),
    ),
    Trial(
        D13A,
        instances=segments(),
        mutants=(
            *bounds(D13A),
            right(D13A, "the flattest piece", Kind.MIN_MAX, _flattest),
            right(D13A, "the Jacobian at x", Kind.NEIGHBOUR, _at_the_first),
        ),
    ),
    Trial(D15, instances=estimates()),
    Trial(
        D15A,
        instances=estimates(),
        mutants=(
            *both_ways(D15A),
            right(D15A, "all inputs equally likely", Kind.DROPPED, _uniform),
            right(D15A, "without the last input", Kind.RANGE, _without_the_last),
        ),
    ),
)
