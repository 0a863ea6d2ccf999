"""How the claims of `theory.beyond.transfer` are put to the test."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from proofs_check.trial import Trial
from proofs_check.trials.dherin2022.common import arrays, drawn_layers, leaks, networks
from proofs_check.trials.operators import Kind, bounds, right
from theory.beyond.transfer import (
    B5,
    B25,
    at_the_point,
    outputs_of,
    parameters,
    share_of,
    stable_sides,
    trace_limit,
)
from theory.checks import rationals
from theory.claim import Instance
from theory.dense_network import parameter_gradients, quotient, squared_transfer, sum_of
from theory.enclosure import Enclosure
from theory.relu_network import square

HALF = Fraction(1, 2)


@st.composite
def at_minima(draw: st.DrawFn) -> Instance:
    """Draw small networks on data that they interpolate, and step sizes at and beside the edges of tight frames."""
    kind = draw(st.sampled_from(["one weight", "frame", "frame", "two outputs", "deep", "any"]))
    leak, eta = draw(leaks), draw(st.sampled_from([Fraction(v, 4) for v in (1, 2, 4, 8, 16)]))
    if kind == "one weight":
        layers, inputs = drawn_layers(draw, [1, 1], biases="none"), arrays(draw, 1, 1)
    elif kind == "frame":
        layers, inputs = drawn_layers(draw, [2, 1], biases="none"), rationals([[1, 0], [0, 1]])
    elif kind == "two outputs":
        layers = (((rationals([[1, 0], [0, 1]]) * draw(st.integers(1, 2))), rationals([])),)
        inputs = rationals([[1, 0], [0, 1]])
    elif kind == "deep":
        layers, inputs = drawn_layers(draw, [1, 1, 1], biases="some"), arrays(draw, draw(st.integers(1, 3)), 1)
    else:
        layers, inputs = drawn_layers(draw, [2, 1], biases="all"), arrays(draw, draw(st.integers(1, 3)), 2)
    share = draw(st.sampled_from([Fraction(v, 100) for v in (99, 100, 100, 100, 101)]))
    return Instance(
        {
            "dense_layers": layers,
            "leak": leak,
            "inputs": inputs,
            "step_size": eta * share,
            "batch_size": draw(st.integers(1, len(inputs))),
        },
        "drawn",
    )


def _with_biases(given: Instance) -> Enclosure:
    """Return the right side of B5 with 1 for c_i."""
    at = at_the_point(given)
    whole = sum_of(squared_transfer(given["dense_layers"], at, biases=True))
    return quotient(square(parameter_gradients(given["dense_layers"], at)), whole)


def _over_smaller_side(given: Instance) -> Enclosure:
    """Return the right side of B5 with the printed factor the wrong way."""
    at = at_the_point(given)
    gradient = square(parameter_gradients(given["dense_layers"], at))
    smaller = min(len(given["x"]), len(given["dense_layers"][-1][0]))
    return quotient(gradient / smaller, sum_of(squared_transfer(given["dense_layers"], at)))


def _one_output(given: Instance) -> Enclosure:
    return stable_sides(given, trace_limit(given, share_of(given), 1))[1]


def _half_the_parameters(given: Instance) -> Enclosure:
    share = share_of(given)
    kept = share / outputs_of(given) + 2 * (1 - share) / parameters(given["dense_layers"])
    return stable_sides(given, 2 / (Fraction(given["step_size"]) * kept))[1]


def _one_for_two(given: Instance) -> Enclosure:
    return stable_sides(given, HALF * trace_limit(given, share_of(given), outputs_of(given)))[1]


TRIALS = (
    Trial(
        B5,
        instances=networks(),
        mutants=(
            *bounds(B5),
            right(B5, "1 for c_i", Kind.DROPPED, _with_biases),
            right(B5, "over min(d, k)", Kind.NEIGHBOUR, _over_smaller_side),
        ),
    ),
    Trial(
        B25,
        instances=at_minima(),
        mutants=(
            *bounds(B25),
            right(B25, "1 for k", Kind.DROPPED, _one_output),
            right(B25, "P/2 for P", Kind.CONSTANT, _half_the_parameters),
            right(B25, "1 for 2", Kind.CONSTANT, _one_for_two),
        ),
    ),
)
