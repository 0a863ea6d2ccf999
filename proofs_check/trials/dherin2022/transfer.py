"""How the claims of `theory.dherin2022.transfer` are put to the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.dherin2022.common import networks, turning
from proofs_check.trials.operators import Kind, Mutant, bounds, right
from theory.claim import Claim, Instance
from theory.dense_network import (
    Derivatives,
    mean_gradient,
    parameter_gradients,
    quotient,
    squared_transfer,
    sum_of,
)
from theory.dherin2022.transfer import D10, D10A, D10B, D22, D22A, at_the_point, on_the_data, smaller_side
from theory.enclosure import Enclosure
from theory.relu_network import square, squared_spectral_norm


def _without_inner(given: Instance, at: Derivatives) -> Enclosure:
    """Return the sum of squared transfer functions without sigma_max(h_i')."""
    parts = []
    for (weights, biases), h in zip(given["dense_layers"], at.inputs, strict=True):
        norm = squared_spectral_norm(weights)
        size = int(bool(len(biases))) + square(h)
        parts.append(Enclosure(size / Fraction(norm.upper), size / Fraction(norm.lower)))
    return sum_of(parts)


def _one_point(change: Callable[[Instance, Derivatives], Enclosure]) -> Callable[[Instance], Enclosure]:
    """Return the right side of D10.a with other transfer functions."""

    def side(given: Instance) -> Enclosure:
        at = at_the_point(given)
        return quotient(square(parameter_gradients(given["dense_layers"], at)) * smaller_side(given), change(given, at))

    return side


def _two_for_one(given: Instance, at: Derivatives) -> Enclosure:
    """Return the sum with 2 + |h_i|^2 for 1 + |h_i|^2."""
    parts = squared_transfer(given["dense_layers"], at, biases=True)
    sizes = [1 + square(h) for h in at.inputs]
    return sum_of([part.times((size + 1) / size) for part, size in zip(parts, sizes, strict=True)])


def transfers(given: Instance) -> list[Enclosure]:
    """Return the sum of squared transfer functions at each data point."""
    return [sum_of(squared_transfer(given["dense_layers"], at)) for at in on_the_data(given)]


def _mean_of(sums: Sequence[Enclosure]) -> Enclosure:
    return sum_of(sums).times(Fraction(1, len(sums)))


def _largest_of(sums: Sequence[Enclosure]) -> Enclosure:
    return Enclosure(max(s.lower for s in sums), max(s.upper for s in sums))


def _on_data(pick: Callable[[Sequence[Enclosure]], Enclosure]) -> Callable[[Instance], Enclosure]:
    """Return the right side of D10.b with another choice for the least of the sums."""
    return lambda given: quotient(mean_gradient(given["dense_layers"], on_the_data(given)), pick(transfers(given)))


def _all_with_biases(given: Instance) -> Enclosure:
    """Return the right side of D10.b with 1 for c_i."""
    points = on_the_data(given)
    sums = [sum_of(squared_transfer(given["dense_layers"], at, biases=True)) for at in points]
    least = Enclosure(min(s.lower for s in sums), min(s.upper for s in sums))
    return quotient(mean_gradient(given["dense_layers"], points), least)


def _sharpness(given: Instance) -> Enclosure:
    """Return lambda_max(H) over the least sum of squared transfer functions."""
    points = on_the_data(given)
    features = np.concatenate([parameter_gradients(given["dense_layers"], at) for at in points])
    top = squared_spectral_norm(features).times(Fraction(1, len(points))) if np.any(features != 0) else None
    sums = transfers(given)
    low, high = min(s.lower for s in sums), min(s.upper for s in sums)
    if top is None:
        return Enclosure.exactly(Fraction(0))
    return Enclosure(Fraction(top.lower) / Fraction(high), Fraction(top.upper) / Fraction(low))


def _data_mutants(claim: Claim) -> tuple[Mutant, ...]:
    found: list[Any] = [
        *bounds(claim),
        right(claim, "the mean of the sums of T_i^2", Kind.MIN_MAX, _on_data(_mean_of)),
        right(claim, "the largest of the sums of T_i^2", Kind.MIN_MAX, _on_data(_largest_of)),
        right(claim, "1 for c_i", Kind.DROPPED, _all_with_biases),
    ]
    return tuple(found)


on_data = st.one_of(networks(), networks(), turning())

TRIALS = (
    Trial(D10, instances=networks(), oracle=oracles.d10),
    Trial(
        D10A,
        instances=networks(),
        mutants=(
            *bounds(D10A),
            right(D10A, "2 + |h_i|^2", Kind.OFF_BY_ONE, _one_point(_two_for_one)),
            right(D10A, "without sigma_max(h_i')", Kind.DROPPED, _one_point(_without_inner)),
        ),
        oracle=oracles.d10,
    ),
    Trial(D10B, instances=on_data, mutants=_data_mutants(D10B)),
    Trial(D22, instances=networks()),
    Trial(
        D22A,
        instances=on_data,
        mutants=(*_data_mutants(D22A), right(D22A, "lambda_max for tr H", Kind.MIN_MAX, _sharpness)),
    ),
)
