"""Mutants of B2 and of what belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants.operators import LESS, MORE, Kind, Mutant, bounds, left, moved, negated, right, without
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.claims import dual_bounds as claims
from theory.claims.dual_bounds import B2, B2A, B2C, B2D, B2E
from theory.dual_bounds import constant_part, dual_weight, unit_costs
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear

FEASIBLE = "|nu| <= h_+(t) + h_-(t) at the knots of all units"
SUM_ZERO = "sum p = 0"
WITHIN = "|sum_j p_j [s (x_j - t)]_+| <= 2 h_s(t) for all units"
OFF = "no unit toggles on a data point"

Weigh = Callable[[Array, Array, PiecewiseLinear, Fraction], list[Enclosure]]


def _bound(
    weigh: Weigh, *, slope: Fraction = Fraction(1), constant: Fraction = Fraction(1)
) -> Callable[[Instance], Enclosure]:
    """Return the right side of B2 with other weights at the knots, and multiples of its slope and constant terms."""

    def side(given: Instance) -> Enclosure:
        weights, x, Z = given["weights"].rational(), rationals(given["x"]), given["dual_matrix"]
        f = PiecewiseLinear.from_weights(weights)
        found = weigh(Z, x, f, given["tilt"])
        rest = constant * constant_part(Z) - 2 * slope * given["tilt"] * Fraction(f.slope)
        lower, upper = (
            sum((2 * abs(j) * Fraction(getattr(w, end)) for j, w in zip(f.jumps, found, strict=True)), rest)
            for end in ("lower", "upper")
        )
        return Enclosure(lower, upper)

    return side


def _own(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    return dual_weight(Z, x, f.knots, np.sign(f.jumps), tilt)


def _heavier(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    """The weights where nothing tilts, one per cent too heavy."""
    found = _own(Z, x, f, tilt)
    return found if tilt else [weight.times(MORE) for weight in found]


def _other_sign(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    return dual_weight(Z, x, f.knots, -np.sign(f.jumps), tilt)


def _no_sign(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    return dual_weight(Z, x, f.knots, np.sign(f.jumps) ** 2, tilt)


def _larger(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    costs = zip(*unit_costs(Z, x, f.knots), np.sign(f.jumps), strict=True)
    return [
        Enclosure(
            max(r.lower, Fraction(h.lower) - int(b) * tilt),
            max(r.upper, Fraction(h.upper) - int(b) * tilt),
        )
        for r, h, b in costs
    ]


def _right_alone(Z: Array, x: Array, f: PiecewiseLinear, tilt: Fraction) -> list[Enclosure]:
    del tilt
    return unit_costs(Z, x, f.knots)[0]


def _merged(part: Callable[[Array, Array], tuple[Fraction, Fraction]]) -> Callable[[Instance], Fraction]:
    """Return u^T G u / n after units of one knot and orientation became one with other a and b; units with w1 = 0 left out."""

    def side(given: Instance) -> Fraction:
        weights, x, u = given["weights"].rational(), rationals(given["x"]), given["sample_direction"]
        knots, sides, sizes = claims.unit_knots(weights)
        outer = weights.w2[weights.w1 != 0] ** 2
        total = Fraction(sum(u, Fraction(0))) ** 2
        for knot, facing in sorted(set(zip(knots, sides, strict=True))):
            same = (knots == knot) & (sides == facing)
            a, b = part(outer[same], sizes[same])
            distances = facing * (x - knot)
            active = distances > 0
            slopes = sum(u[active] * x[active], Fraction(0)) ** 2 + sum(u[active], Fraction(0)) ** 2
            total += a * slopes + b * sum(u[active] * distances[active], Fraction(0)) ** 2
        return total / len(x)

    return side


def _ratio(v: Fraction, a: Fraction) -> Fraction:
    return v**2 / a if a else Fraction(0)


def _sizes_first(outer: Array, sizes: Array) -> tuple[Fraction, Fraction]:
    """B from the sum of |v|^2 over the largest a alone."""
    a = max(outer)
    return sum(outer, Fraction(0)), _ratio(sum(abs(sizes), Fraction(0)), a)


def _a_bit_more(outer: Array, sizes: Array) -> tuple[Fraction, Fraction]:
    a = sum(outer, Fraction(0))
    return MORE * a, _ratio(sum(sizes, Fraction(0)), a)


def _b_bit_more(outer: Array, sizes: Array) -> tuple[Fraction, Fraction]:
    a = sum(outer, Fraction(0))
    return a, MORE * _ratio(sum(sizes, Fraction(0)), a)


def _end(factor: Callable[[Array], Fraction]) -> Callable[[Instance], Enclosure]:
    return lambda given: claims.g_at(given, factor(given["dual_matrix"]))


def _says(limit: Fraction) -> Callable[[Instance], bool]:
    return lambda given: constant_part(given["dual_matrix"]) >= limit


def _flat_diagonal(given: Instance) -> bool:
    Z = given["dual_matrix"]
    return bool(np.all(np.diag(Z) == Fraction(1, len(Z))))


def _rank_one(given: Instance) -> bool:
    Z = given["dual_matrix"]
    return bool(np.all(np.multiply.outer(Z[0], Z[0]) == Z[0, 0] * Z)) and Z[0, 0] > 0


def _more_of_the_values(given: Instance) -> Fraction:
    constant = constant_part(given["dual_matrix"])
    return constant + MORE * (claims.interpolant_side(given) - constant)


CONSTANT_DROPS = "true: tr(Z G) has 1^T Z 1 / n, and leaving a term that is not negative out weakens the bound"
TOGGLES = "true: a unit that toggles on a data point counts as inactive there, for which the proof holds as well"

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "B2": (
        *bounds(B2),
        right(B2, "weights x 1.01", Kind.CONSTANT, _bound(_heavier)),
        right(B2, "max for min", Kind.MIN_MAX, _bound(_larger)),
        right(B2, "h_+ alone", Kind.DROPPED, _bound(_right_alone)),
        right(B2, "h_- + sign nu", Kind.REVERSED, _bound(_other_sign)),
        right(B2, "the sign of the jump dropped", Kind.DROPPED, _bound(_no_sign)),
        right(B2, "without the slope", Kind.DROPPED, _bound(_own, slope=Fraction(0))),
        right(B2, "twice the slope term", Kind.CONSTANT, _bound(_own, slope=Fraction(2))),
        right(B2, "constant x 1.01", Kind.CONSTANT, _bound(_own, constant=MORE)),
        replace(
            right(B2, "without the constant", Kind.DROPPED, _bound(_own, constant=Fraction(0))),
            equivalent=CONSTANT_DROPS,
        ),
        moved(B2, FEASIBLE, lambda room: room is None or room >= -1, "|nu| <= h_+ + h_- + 1"),
        without(B2, FEASIBLE),
        replace(without(B2, OFF), equivalent=TOGGLES),
    ),
    "B2.a": (
        *bounds(B2A),
        left(B2A, "a' x 1.01", Kind.CONSTANT, _merged(_a_bit_more)),
        left(B2A, "b' x 1.01", Kind.CONSTANT, _merged(_b_bit_more)),
        left(B2A, "|v| summed, over the largest a", Kind.MIN_MAX, _merged(_sizes_first)),
    ),
    "B2.c": (
        *bounds(B2C),
        right(B2C, "Z_nn for Z_11", Kind.OFF_BY_ONE, _end(lambda Z: len(Z) * Z[-1, -1])),
        right(B2C, "n - 1 for n", Kind.OFF_BY_ONE, _end(lambda Z: (len(Z) - 1) * Z[0, 0])),
        right(B2C, "1 for n Z_11", Kind.DROPPED, _end(lambda _: Fraction(1))),
        without(B2C, "x_1 < t <= x_2 and g_-(t) <= g_+(t)"),
    ),
    "B2.d": (
        negated(B2D),
        left(B2D, "1^T Z 1 / n >= 0.99", Kind.CONSTANT, _says(LESS)),
        left(B2D, "1^T Z 1 / n >= 1.01", Kind.CONSTANT, _says(MORE)),
        right(B2D, "the diagonal is flat", Kind.DROPPED, _flat_diagonal),
        right(B2D, "Z is of rank one", Kind.DROPPED, _rank_one),
    ),
    "B2.e": (
        *bounds(B2E),
        right(B2E, "sum p f x 1.01", Kind.CONSTANT, _more_of_the_values),
        right(
            B2E,
            "1 for 1^T Z 1 / n",
            Kind.DROPPED,
            lambda given: 1 - constant_part(given["dual_matrix"]) + claims.interpolant_side(given),
        ),
        without(B2E, SUM_ZERO),
        without(B2E, WITHIN),
        replace(without(B2E, OFF), equivalent=TOGGLES),
    ),
}
