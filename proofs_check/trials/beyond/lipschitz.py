"""How the claims of `theory.beyond.lipschitz` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.common import few, ratios, whole
from proofs_check.trials.operators import Kind, both_ways, bounds, right
from theory.beyond.lipschitz import B20, B20A, B21
from theory.beyond.lipschitz_bounds import spectral_product, two_layers, weight_path_norm
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import Enclosure, length
from theory.finite_metric import largest_separated
from theory.relu_network import largest_singular_value


def _rows(draw: st.DrawFn, rows: int, columns: int) -> Array:
    return rationals(draw(st.lists(few, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)


@st.composite
def two_layers_and_a_step(draw: st.DrawFn) -> Instance:
    """Draw a network of two layers, a point and a step: from kinks, along them and across several."""
    d, m, k = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    first, last = _rows(draw, m, d), _rows(draw, k, m)
    biases = rationals([draw(st.sampled_from([0, 0, 0, 1, -1])) for _ in range(m)])
    point, step = (rationals(draw(st.lists(whole, min_size=d, max_size=d))) for _ in range(2))
    if draw(st.booleans()):  # a step along the weights of a unit
        step = first[draw(st.integers(0, m - 1))]
    return Instance(
        {"first_layer": first, "first_biases": biases, "last_layer": last, "point": point, "step": step}, "drawn"
    )


@st.composite
def spaces(draw: st.DrawFn) -> Instance:
    """Draw a space of few points, its distances the shortest ways along drawn ones, and a margin near half of one of them."""
    n = draw(st.sampled_from([1, 2, 3, 3, 3, 4]))
    distances = rationals([[0] * n for _ in range(n)])
    for i in range(n):
        for j in range(i):
            distances[i, j] = distances[j, i] = draw(ratios(1, 4, 2).filter(bool))
    for k in range(n):
        for i in range(n):
            for j in range(n):
                distances[i, j] = min(distances[i, j], distances[i, k] + distances[k, j])
    constant = draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 3)]))
    near = draw(st.sampled_from([Fraction(1), Fraction(1), Fraction(99, 100), Fraction(101, 100), Fraction(1, 2)]))
    margin = (
        constant * near * draw(st.sampled_from([Fraction(1), *(entry for entry in distances.ravel() if entry)])) / 2
    )
    return Instance({"distances": distances, "constant": constant, "margin": margin}, "drawn")


def _by_length(factor: Enclosure, given: Instance) -> Enclosure:
    far = length(given["step"])
    return Enclosure(Fraction(factor.lower) * Fraction(far.lower), Fraction(factor.upper) * Fraction(far.upper))


def _smallest_piece(given: Instance) -> Enclosure:
    network = two_layers(given["first_layer"], given["first_biases"], given["last_layer"])
    norms = [largest_singular_value(piece) for piece in network.pieces()]
    return _by_length(Enclosure(min(n.lower for n in norms), min(n.upper for n in norms)), given)


def _linear(given: Instance) -> Enclosure:
    """Return ||V W|| |v|, as if there were no ReLU."""
    return _by_length(largest_singular_value(rationals(given["last_layer"] @ given["first_layer"])), given)


def _half(given: Instance, norms: tuple[Enclosure, ...]) -> Enclosure:
    least = Enclosure(min(n.lower for n in norms), min(n.upper for n in norms)).times(Fraction(1, 2))
    return _by_length(least, given)


def _half_the_least(given: Instance) -> Enclosure:
    """Return B20.a's right side without ||V W||."""
    w, v = given["first_layer"], given["last_layer"]
    return _half(given, (spectral_product(w, v), weight_path_norm(w, v)))


def _with_entries(given: Instance) -> Enclosure:
    """Return B20.a's right side with |v_j . w_j| for |v_j| |w_j|: the units that cancel are gone."""
    w, v = given["first_layer"], given["last_layer"]
    whole = largest_singular_value(rationals(v @ w)) + largest_singular_value(rationals(abs(v @ w)))
    return _by_length(whole.times(Fraction(1, 2)), given)


def _separated(given: Instance, factor: Fraction) -> Fraction:
    return Fraction(len(largest_separated(given["distances"], factor * given["margin"] / given["constant"])))


def _strictly(given: Instance) -> Fraction:
    """Return the size of the largest subset of points more than 2 gamma / C apart."""
    enough = 2 * given["margin"] / given["constant"]
    beyond = [Fraction(d) for d in given["distances"].ravel() if d > enough]
    return Fraction(len(largest_separated(given["distances"], min(beyond)))) if beyond else Fraction(1)


def _greedy(given: Instance) -> Fraction:
    """Return the size of the subset that takes each point that is far enough from those before it."""
    taken: list[int] = []
    for point in range(len(given["distances"])):
        if all(given["distances"][point, k] * given["constant"] >= 2 * given["margin"] for k in taken):
            taken.append(point)
    return Fraction(len(taken))


TRIALS = (
    Trial(
        B20,
        instances=two_layers_and_a_step(),
        mutants=(
            *bounds(B20),
            right(B20, "the smallest piece for the largest", Kind.MIN_MAX, _smallest_piece),
            right(B20, "no ReLU: ||V W||", Kind.NEIGHBOUR, _linear),
        ),
    ),
    Trial(
        B20A,
        instances=two_layers_and_a_step(),
        mutants=(
            *bounds(B20A),
            right(B20A, "without ||V W||", Kind.DROPPED, _half_the_least),
            right(B20A, "no ReLU: ||V W||", Kind.NEIGHBOUR, _linear),
            right(B20A, "the absolute values of V W", Kind.NEIGHBOUR, _with_entries),
        ),
    ),
    Trial(
        B21,
        instances=spaces(),
        mutants=(
            *both_ways(B21),
            right(B21, "gamma / C for 2 gamma / C", Kind.CONSTANT, lambda given: _separated(given, Fraction(1))),
            right(B21, "1 % further apart", Kind.CONSTANT, lambda given: _separated(given, Fraction(101, 50))),
            right(B21, "> for >= in the distance", Kind.BOUNDARY, _strictly),
            right(B21, "some maximal subset for the largest", Kind.EXTREME, _greedy),
        ),
    ),
)
