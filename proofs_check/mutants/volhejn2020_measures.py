"""Mutants of the claims of Volhejn 2020 about its measures: V1-V9."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.mutants.operators import Kind, Mutant, both_ways, bounds, left, negated, on, right, without
from theory.checks import rationals
from theory.claim import Instance
from theory.claims import volhejn2020 as variation
from theory.claims import volhejn2020_spline as spline
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.registry import CLAIMS


def _edges(given: Instance) -> Any:
    return np.diff(given["curve"], axis=0)


def _longest_edge(given: Instance) -> Enclosure:
    lengths = [variation.length(edge) for edge in _edges(given)]
    return Enclosure(max(v.lower for v in lengths), max(v.upper for v in lengths))


def _taxicab(given: Instance) -> Fraction:
    return Fraction(np.abs(given["curve"][-1] - given["curve"][0]).sum())


def _signed_slopes(given: Instance) -> Fraction:
    slopes, lengths = variation.pieces(given)
    a, b = variation.ends(given)
    return Fraction((slopes * lengths).sum()) / (b - a)


def _without_last_piece(given: Instance) -> Fraction:
    slopes, lengths = variation.pieces(given)
    a, b = variation.ends(given)
    return Fraction((np.abs(slopes) * lengths)[:-1].sum()) / (b - a)


def _total_variation(given: Instance) -> Fraction:
    return variation.true_variation(given["weights"], *variation.ends(given))


def _largest_change(given: Instance) -> Fraction:
    a, b = variation.ends(given)
    largest = max((abs(Fraction(v)) for v in variation.slope_changes(given)), default=Fraction(0))
    return Fraction(largest * (b - a) / (2 * (given["points"] - 1)))


def _one_point_more(given: Instance) -> Fraction:
    _, bound = CLAIMS["V4.a"].sides(given)
    return Fraction(bound.lower) * Fraction(given["points"] - 1, given["points"])


def _around(given: Instance) -> Fraction:
    """The sum of eq 3.6 from i = 0, with the last point before the first."""
    a, b = variation.ends(given)
    f = given["weights"].rational()
    first, last = f(rationals([a, b]))
    return variation.sampled_variation(given["weights"], a, b, given["points"]) + abs(Fraction(last - first))


def _equal_at_the_ends(given: Instance) -> bool:
    _, values = variation.derivative_values(given["weights"], *variation.ends(given))
    return bool(values[0] == values[-1])


def _taxicab_size(given: Instance) -> Fraction:
    unit = given["unit"]
    return Fraction(given["outputs"][unit] * np.abs(given["hidden"][unit]).sum()) ** 2


def _without_output(given: Instance) -> Fraction:
    row = given["hidden"][given["unit"]]
    return Fraction(row @ row)


def _spline_without_last(given: Instance) -> Enclosure:
    x = rationals(sorted(given["x"]))
    kept = x[:-1] if len(x) > 2 else x
    f = PiecewiseLinear.interpolate(kept, given["f"](kept))
    return spline.variation_of(f, given["order"], x[0], x[-1])


def _other_order(given: Instance) -> Instance:
    return given.but(order=1 - given["order"])


def _largest_unit(given: Instance) -> Fraction:
    return max((Fraction(v) for v in spline.unit_sizes(given)), default=Fraction(0))


def _signed_sum(given: Instance) -> Fraction:
    weights = given["weights"].rational()
    return abs(Fraction((np.abs(weights.w1) * weights.w2).sum()))


def _without_w1(given: Instance) -> Fraction:
    return Fraction(np.abs(given["weights"].rational().w2).sum())


_V1, _V1A, _V2, _V3 = CLAIMS["V1"], CLAIMS["V1.a"], CLAIMS["V2"], CLAIMS["V3"]
_V4A, _V4B, _V5A = CLAIMS["V4.a"], CLAIMS["V4.b"], CLAIMS["V5.a"]
_V6A, _V7, _V8, _V8A = CLAIMS["V6.a"], CLAIMS["V7"], CLAIMS["V8"], CLAIMS["V8.a"]
_V9A, _V9B, _V9D = CLAIMS["V9.a"], CLAIMS["V9.b"], CLAIMS["V9.d"]

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "V1": (
        *bounds(_V1),
        left(_V1, "the longest edge for the sum", Kind.MIN_MAX, _longest_edge),
        left(_V1, "the first edge left out", Kind.OFF_BY_ONE, lambda given: variation.variation(given["curve"][1:])),
        right(_V1, "the sum of the coordinates for the norm", Kind.DROPPED, _taxicab),
    ),
    "V1.a": (
        negated(_V1A),
        without(_V1A, "d = 1"),
        right(
            _V1A,
            "strictly monotone",
            Kind.BOUNDARY,
            lambda given: bool(np.all(_edges(given)[:, 0] > 0) or np.all(_edges(given)[:, 0] < 0)),
        ),
        right(_V1A, "non-decreasing only", Kind.DROPPED, lambda given: bool(np.all(_edges(given)[:, 0] >= 0))),
    ),
    "V2": (
        *both_ways(_V2),
        left(_V2, "the longest edge for the sum", Kind.MIN_MAX, _longest_edge),
        left(_V2, "the first edge left out", Kind.OFF_BY_ONE, lambda given: variation.variation(given["curve"][1:])),
    ),
    "V3": (
        *both_ways(_V3),
        left(_V3, "f' for |f'|", Kind.DROPPED, _signed_slopes),
        left(_V3, "the last piece left out", Kind.OFF_BY_ONE, _without_last_piece),
        right(_V3, "without 1/(b - a)", Kind.DROPPED, _total_variation),
    ),
    "V4.a": (
        *bounds(_V4A),
        right(_V4A, "n for n - 1", Kind.OFF_BY_ONE, _one_point_more),
        right(_V4A, "the largest change of f' for its variation", Kind.MIN_MAX, _largest_change),
        right(
            _V4A,
            "without TV(f')",
            Kind.DROPPED,
            lambda given: (given["interval"][1] - given["interval"][0]) / Fraction(2 * (given["points"] - 1)),
        ),
    ),
    "V4.b": (*bounds(_V4B), left(_V4B, "the sum from i = 0", Kind.OFF_BY_ONE, _around)),
    "V5.a": (
        negated(_V5A),
        without(_V5A, "no unit toggles at an end of the segment"),
        right(_V5A, "equal at the two ends", Kind.DROPPED, _equal_at_the_ends),
    ),
    "V6.a": (
        *both_ways(_V6A),
        without(_V6A, "the point lies on the unit's hyperplane"),
        without(_V6A, "no other unit toggles at the point"),
        right(_V6A, "||w1||_1 for ||w1||", Kind.DROPPED, _taxicab_size),
        right(_V6A, "without w2", Kind.DROPPED, _without_output),
    ),
    "V7": (
        *bounds(_V7),
        right(_V7, "the spline without the last point", Kind.OFF_BY_ONE, _spline_without_last),
        right(_V7, "the other order", Kind.DROPPED, lambda given: _V7.sides(_other_order(given))[1]),
    ),
    "V8": (
        *both_ways(_V8),
        left(
            _V8,
            "without the jumps",
            Kind.DROPPED,
            lambda given: spline.example_variation(given, given["order"], jumps=False),
        ),
        on(_V8, "PL0 for PL1", Kind.DROPPED, _other_order),
    ),
    "V8.a": (
        *both_ways(_V8A),
        left(
            _V8A,
            "without the jumps",
            Kind.DROPPED,
            lambda given: spline.example_variation(given, given["order"], jumps=False),
        ),
        on(_V8A, "PL0 for PL1", Kind.DROPPED, _other_order),
    ),
    "V9.a": (
        *both_ways(_V9A),
        without(_V9A, "distinct knots (and no w1 = 0)"),
        without(_V9A, "every knot in (a, b)"),
        right(_V9A, "|sum| for the sum of sizes", Kind.DROPPED, _signed_sum),
        right(_V9A, "without w1", Kind.DROPPED, _without_w1),
    ),
    "V9.b": (
        *bounds(_V9B),
        right(_V9B, "the largest unit for the sum", Kind.MIN_MAX, _largest_unit),
        right(_V9B, "without w1", Kind.DROPPED, _without_w1),
    ),
    "V9.d": (
        *bounds(_V9D),
        right(_V9D, "the largest unit for the sum", Kind.MIN_MAX, lambda given: _largest_unit(given) / 2),
        right(_V9D, "without w1", Kind.DROPPED, lambda given: _without_w1(given) / 2),
    ),
}
