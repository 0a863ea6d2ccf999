"""Mutants of the claims on the interpolants whose derivative varies least."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from proofs_check.mutants.operators import LESS, MORE, Kind, Mutant, left, negated, right, turned
from theory.checks import Array
from theory.claim import Instance
from theory.claims.flat_interpolants import (
    B10A,
    B10B,
    bends_like_the_spline,
    excess,
    linear_at_the_ends,
    printed,
    shaped,
    within,
)
from theory.flat_interpolants import changes_of_slope, flattest_range
from theory.piecewise_linear import PiecewiseLinear

Shape = Callable[[Instance], Any]


def _at_most(factor: Fraction) -> Shape:
    """Return whether TV(f') is at most a multiple of TV(f_L')."""

    def truth(given: Instance) -> bool:
        own, least = excess(given)
        return bool(own <= factor * least)

    return truth


def _on_the_data_only(given: Instance) -> bool:
    """Whether TV(f') between the outermost data points is that of the spline."""
    f, x = given["f"], given["x"]
    return bool(f.derivative_variation(x[0], x[-1]) == excess(given)[1])


def _of_both(*conditions: Callable[[PiecewiseLinear, Array], bool]) -> Shape:
    return lambda given: all(condition(given["f"], given["x"]) for condition in conditions)


def _bends(sign: Callable[[Any], Any], *, reach: int = 1) -> Shape:
    """Return whether f is linear at the ends and bends around x_j as a function of the change of slope there says."""

    def truth(given: Instance) -> bool:
        f, x = given["f"], given["x"]
        changes = [sign(change) for change in changes_of_slope(x, f(x))]
        inner = range(1, len(x) - 1)
        return linear_at_the_ends(f, x) and all(
            shaped(within(f, x[j - 1], x[j + reach]), changes[j]) for j in inner if changes[j] is not None
        )

    return truth


def _linear_beyond_the_data(f: PiecewiseLinear, x: Array) -> bool:
    return shaped(within(f, None, x[0]), 0) and shaped(within(f, x[-1], None), 0)


def _one_end(f: PiecewiseLinear, x: Array) -> bool:
    return shaped(within(f, None, x[1]), 0)


def _is_the_spline(given: Instance) -> bool:
    f, x = given["f"], given["x"]
    return bool(f.same_function(PiecewiseLinear.interpolate(x, f(x))))


def _in_part_of_the_triangle(factor: Fraction) -> Shape:
    """Return whether f goes from the chord towards the neighbouring lines by at most a share of the way."""

    def truth(given: Instance) -> bool:
        f, x = given["f"], given["x"]
        chord = PiecewiseLinear.interpolate(x, f(x))
        lower, upper = flattest_range(x, f(x), f.knots)
        lowest = chord(f.knots) + factor * (lower - chord(f.knots))
        highest = chord(f.knots) + factor * (upper - chord(f.knots))
        inside = bool(np.all(lowest <= f(f.knots)) and np.all(f(f.knots) <= highest))
        return linear_at_the_ends(f, x) and inside

    return truth


def _linear_where_they_agree(given: Instance) -> bool:
    """Whether f is linear between data points whose changes of slope agree in sign, not where they differ."""
    f, x = given["f"], given["x"]
    signs = np.sign(changes_of_slope(x, f(x)))
    agree = [j for j in range(len(x) - 1) if signs[j] == signs[j + 1]]
    return all(shaped(within(f, *list(pairwise(x))[j]), 0) for j in agree)


MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "B10.a": (
        left(B10A, "TV(f') at most 1.01 TV(f_L')", Kind.CONSTANT, _at_most(MORE)),
        left(B10A, "TV(f') at most 0.99 TV(f_L')", Kind.CONSTANT, _at_most(LESS)),
        left(B10A, "TV(f') between the data only", Kind.BOUNDARY, _on_the_data_only),
        negated(B10A),
        right(B10A, "convex for concave", Kind.REVERSED, _bends(lambda change: -change)),
        right(B10A, "only the spline", Kind.BOUNDARY, _is_the_spline),
        right(B10A, "free where the slope does not change", Kind.DROPPED, _bends(lambda change: change or None)),
        right(B10A, "convex around x_j up to x_j only", Kind.OFF_BY_ONE, _bends(lambda change: change, reach=0)),
        right(B10A, "free at the ends", Kind.DROPPED, _of_both(bends_like_the_spline)),
        right(B10A, "free at the right end", Kind.DROPPED, _of_both(_one_end, bends_like_the_spline)),
        right(B10A, "x_1 for x_2", Kind.OFF_BY_ONE, _of_both(_linear_beyond_the_data, bends_like_the_spline)),
        right(B10A, "free inside the triangle", Kind.DROPPED, printed),
    ),
    "B10.b": (
        turned(B10B),
        negated(B10B),
        left(B10B, "TV(f') at most 1.01 TV(f_L')", Kind.CONSTANT, _at_most(MORE)),
        left(B10B, "TV(f') between the data only", Kind.BOUNDARY, _on_the_data_only),
        right(B10B, "0.99 of the triangle", Kind.CONSTANT, _in_part_of_the_triangle(LESS)),
        right(B10B, "linear where they agree", Kind.REVERSED, _linear_where_they_agree),
        right(B10B, "only the spline", Kind.BOUNDARY, _is_the_spline),
    ),
}
