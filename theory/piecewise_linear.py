"""Continuous piecewise-linear functions on the line: what a one-input ReLU network computes, and its curvature f''."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import overload

import numpy as np

from theory.checks import Array, Reals, data_set, rationals, real_array
from theory.summation import running_sums
from theory.two_layer import Weights

Real = float | Fraction
"""A real number: a float, or exact."""

MOST_KNOTS_SEARCHED = 24
"""Up to this many knots the subset of left-facing units is searched in full: 2^12 sums on either side."""


@dataclass(frozen=True, eq=False, init=False)
class PiecewiseLinear:
    """A continuous piecewise-linear f on the line; f'' is the sum of its jumps as point masses at its knots.

    Attributes:
        knots: the points where the slope changes, [m], increasing.
        jumps: f'(knot+) - f'(knot-), [m], none 0.
        slope: f' left of all knots.
        value: f(anchor).
        anchor: the point where f is known; pick it where f is used, values elsewhere are summed up from there.

    Knots may be given in any order; coincident ones merge, their jumps add, and a jump of 0 is dropped. Entries are
    floats, or all exact if any of them is a `fractions.Fraction`; every method then works in the function's own
    arithmetic, and points of the other kind are converted to it. Arrays are read-only.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if knots and jumps differ in length, or an entry is not finite.
    """

    knots: Array
    jumps: Array
    slope: Real
    value: Real
    anchor: Real = 0

    def __init__(self, knots: Reals, jumps: Reals, slope: Real, value: Real, anchor: Real = 0) -> None:
        """Check the entries, put the knots in order and merge coincident ones.

        Raises:
            ValueError: if knots and jumps differ in length, or an entry is not finite.
        """
        where, sizes = real_array("knots", knots), real_array("jumps", jumps)
        if len(where) != len(sizes):
            raise ValueError(f"jumps must hold one jump for each of the {len(where)} knots, got {len(sizes)}")
        numbers = [real_array(name, [v]) for name, v in (("slope", slope), ("value", value), ("anchor", anchor))]
        exact = any(array.dtype == object for array in (where, sizes, *numbers))
        where, sizes = _merged(_converted(where, exact) + 0, _converted(sizes, exact))
        scalars = [Fraction(n[0]) if exact else float(n[0]) for n in numbers]
        entries = (_sealed(where), _sealed(sizes), *scalars)
        for name, entry in zip(("knots", "jumps", "slope", "value", "anchor"), entries, strict=True):
            object.__setattr__(self, name, entry)

    @classmethod
    def interpolate(cls, x: Reals, y: Reals) -> PiecewiseLinear:
        """Return the linear spline through data x [n], y [n], n >= 2, its end pieces extended (volhejn2020, eq 3.11).

        Its knots are the interior points where the slope changes; for floats, where the rounded slopes differ. It is
        anchored at the smallest x. In floats it passes within 6 eps max|y| of the data, exact ones it meets.

        Raises:
            TypeError: if an entry is no real number.
            ValueError: if x holds fewer than two points or equal ones, y has another length, an entry is not finite,
                or a slope or its change is beyond the range of floats.
        """
        points, targets = data_set(x, y)
        exact = points.dtype == object or targets.dtype == object
        points, targets = _converted(points, exact), _converted(targets, exact)
        with np.errstate(over="ignore", invalid="ignore"):
            gaps = _in_range("the gaps of x", np.diff(points))
            slopes = _in_range("the slopes of the spline", np.diff(targets) / gaps)
            changes = _in_range("the jumps of the spline", np.diff(slopes))
        bends = changes != 0
        spline = cls(points[1:-1][bends], changes[bends], slopes[0], targets[0], points[0])
        # Summing up rounded jumps would lose a gentle slope next to a steep one: keep what the data say.
        kept = slopes[np.append([True], bends)]
        vars(spline).update(slopes=_sealed(kept), knot_values=_sealed(targets[1:-1][bends]))
        return spline

    @classmethod
    def from_weights(cls, weights: Weights) -> PiecewiseLinear:
        """Return the function of a two-layer network: knots -b1/w1 with jumps |w1| w2 (volhejn2020, eqs 3.16-3.18).

        A unit with w1 < 0 is active left of its knot; one with w1 = 0 or w2 = 0 has none. A float knot beyond the
        range of floats belongs to a unit that is linear or dead on all floats, and is taken as such. The anchor is the
        median of the knots weighted by |jump|: it makes the sum of |w2_i (w1_i anchor + b1_i)| smallest, and with it
        the rounding error of f(anchor).

        Raises:
            ValueError: if a jump |w1| w2, the leftmost slope or f(anchor) is beyond the range of floats.
        """
        bent = (weights.w1 != 0) & (weights.w2 != 0)
        w1, b1, w2 = weights.w1[bent], weights.b1[bent], weights.w2[bent]
        with np.errstate(over="ignore", invalid="ignore"):
            knots, slopes = -b1 / w1, _in_range("the products w1 w2", w1 * w2)
            near = np.abs(knots) != np.inf
            jumps = np.sign(w1[near]) * slopes[near]
            order = np.argsort(knots[near])
            mass = np.cumsum(np.abs(jumps[order]))
            anchor = knots[near][order[np.searchsorted(mass, mass[-1] / 2)]] if len(mass) else 0
            z = weights.w1 * anchor + weights.b1
            outputs = _in_range("the outputs of the units", weights.w2[z > 0] * z[z > 0])
        left = np.where(near, w1 < 0, b1 > 0)
        value = _total("f(anchor)", np.append(outputs, np.array([weights.b2], dtype=outputs.dtype)))
        return cls(knots[near], jumps, _total("the leftmost slope", slopes[left]), value, anchor)

    def to_weights(self) -> Weights:
        """Return a network with the fewest hidden units that computes f, all of them with w1 = 1 or -1.

        Every knot needs a unit, facing right (active right of it) or left, and f' left of all knots is minus the sum
        of the jumps of left-facing units. So m units do if some subset of the jumps sums to -slope; else one knot takes
        two units, facing both ways. A line that is not constant takes two units, a constant none.

        The subset is searched exactly up to 24 knots. With more, only no jump, all jumps and single jumps are tried, so
        there may be one unit too many. In floats a subset counts if its exact sum is -slope to half an ulp, or if it
        is all jumps and the last slope is 0.

        Raises:
            ValueError: if a jump, a unit's output or the bias of the output is beyond the range of floats.
        """
        knots, jumps = self.knots, self.jumps
        left = self._left_facing()
        with np.errstate(over="ignore", invalid="ignore"):
            if left is None:
                if not len(knots):
                    knots, jumps = self._array(self.anchor), self._array(0)
                split = int(np.argmin(np.abs(knots - self.anchor)))
                left = np.append(np.zeros(len(knots), dtype=bool), True)
                knots, jumps = np.append(knots, knots[split]), np.append(jumps, -self._array(self.slope))
                jumps[split] += self.slope
            w1 = _converted(np.where(left, -1.0, 1.0), self.exact)
            z = w1 * (self.anchor - knots)
            outputs = _in_range("the outputs of the units", np.append(jumps[z > 0] * z[z > 0], jumps * 0))
        return Weights(
            w1, 0 - w1 * knots, jumps, _total("the bias of the output", np.append(-outputs, self._array(self.value)))
        )

    def _left_facing(self) -> Array | None:
        """Return a mask [m] of jumps that sum to -slope, or None if there is none (or too many knots to know)."""
        count = len(self.jumps)
        if self.slope == 0:
            return np.zeros(count, dtype=bool)
        if count and self.slopes[-1] == 0:
            return np.ones(count, dtype=bool)
        single = np.flatnonzero(self.jumps == -self.slope)
        if len(single):
            return np.isin(np.arange(count), single[:1])
        if count > MOST_KNOTS_SEARCHED:
            return None
        tolerance = Fraction(0) if self.exact else Fraction(math.ulp(self.slope)) / 2
        return _subset([Fraction(jump) for jump in self.jumps], -Fraction(self.slope), tolerance)

    @property
    def exact(self) -> bool:
        """Whether the function is given by rationals rather than floats."""
        return isinstance(self.value, Fraction)

    @cached_property
    def slopes(self) -> Array:
        """The slopes of the pieces from left to right, [m + 1].

        Raises:
            ValueError: if one is beyond the range of floats.
        """
        return _sealed(_running_sums("the slopes", np.append(self._array(self.slope), self.jumps)))

    @cached_property
    def knot_values(self) -> Array:
        """The values f(knot), [m], summed up piece by piece from the anchor.

        Raises:
            ValueError: if one is beyond the range of floats.
        """
        k = self._knots_before_anchor
        anchor, value = self._array(self.anchor), self._array(self.value)
        with np.errstate(over="ignore", invalid="ignore"):
            rightward = self.slopes[k:-1] * np.diff(np.append(anchor, self.knots[k:]))
            leftward = self.slopes[k:0:-1] * np.diff(np.append(anchor, self.knots[:k][::-1]))
        left, right = (_running_sums("the knot values", np.append(value, step))[1:] for step in (leftward, rightward))
        return _sealed(np.append(left[::-1], right))

    @overload
    def __call__(self, t: Real) -> Real: ...

    @overload
    def __call__(self, t: Reals) -> Array: ...

    def __call__(self, t: Real | Reals) -> Array | Real:
        """Return f(t): [n] for points t [n], a number for a number; O((m + n) log m).

        Raises:
            TypeError: if an entry is no real number.
            ValueError: if t is not finite or has more than one axis, or f(t) is beyond the range of floats.
        """
        scalar = isinstance(t, (int, float, Fraction, np.number))
        points = _converted(real_array("t", [t] if scalar else t), self.exact)
        k = self._knots_before_anchor
        origins = np.insert(self.knots, k, self._array(self.anchor))
        values = np.insert(self.knot_values, k, self._array(self.value))
        slopes = np.insert(self.slopes, k, self.slopes[k : k + 1])
        piece = np.searchsorted(origins, points, side="right")
        origin = np.where(piece > k, piece - 1, piece)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = _in_range("f(t)", values[origin] + slopes[piece] * (points - origins[origin]))
        if not scalar:
            return outputs
        output: Real = outputs[0] if self.exact else float(outputs[0])
        return output

    def total_variation(self, a: Real, b: Real) -> Real:
        """Return the total variation of f on [a, b], a < b: the sum of |slope| times length (volhejn2020, eq 1.10).

        Raises:
            TypeError: if a or b is no real number.
            ValueError: if they are not finite, a is not below b, or the result is beyond the range of floats.
        """
        ends = [_converted(real_array(name, [end]), self.exact) for name, end in (("a", a), ("b", b))]
        _check_interval(ends[0][0], ends[1][0])
        first, last = (int(np.searchsorted(self.knots, end)[0]) for end in ends)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.diff(np.concatenate([ends[0], self.knots[first:last], ends[1]]))
            return _total("the total variation", np.abs(self.slopes[first : last + 1]) * lengths)

    def derivative_variation(self, a: Real = -math.inf, b: Real = math.inf) -> Real:
        """Return the total variation of f' on the open interval (a, b), a < b: the sum of |jump| over knots inside.

        A knot at an end does not count. On the closed interval it depends on the value postulated for f' there:
        volhejn2020 takes H(0) = 1 (section 3.4), which counts a knot at b if its unit faces right and one at a if it
        faces left, so that two networks computing the same f would differ.

        Raises:
            TypeError: if a or b is no real number.
            ValueError: if one is nan, a is not below b, or the result is beyond the range of floats.
        """
        for name, end in (("a", a), ("b", b)):
            if not (isinstance(end, (float, np.floating)) and math.isinf(end)):
                real_array(name, [end])
        _check_interval(a, b)
        return _total("the variation of f'", np.abs(self.jumps[(self.knots > a) & (self.knots < b)]))

    def weighted_curvature(self, weight: Callable[[Array], Reals]) -> Real:
        """Return the integral of |f''| times a weight: the sum of |jump| weight(knot) (mulayoff2021, Theorem 1).

        `weight` takes the knots [m], exact if f is, and returns finite numbers >= 0, [m]. It is not called if m = 0.

        Raises:
            TypeError: if weight returns something other than real numbers.
            ValueError: if it returns another shape, nan, inf or a negative number, or the result is beyond the range
                of floats.
        """
        if not len(self.knots):
            return _total("the weighted curvature", self.jumps)
        weights = real_array("weight(knots)", weight(self.knots))
        if len(weights) != len(self.knots):
            raise ValueError(
                f"weight must return one number for each of the {len(self.knots)} knots, got {len(weights)}"
            )
        negative = np.flatnonzero(weights < 0)
        if len(negative):
            first = int(negative[0])
            raise ValueError(f"weight must be at least 0, got {weights[first]} at the knot {self.knots[first]}")
        with np.errstate(over="ignore", invalid="ignore"):
            return _total("the weighted curvature", np.abs(self.jumps) * _converted(weights, self.exact))

    def same_function(self, other: PiecewiseLinear) -> bool:
        """Return whether `other` is the same function; floats count as the rationals they are, wherever anchored."""
        mine, theirs = (
            PiecewiseLinear(f.knots, f.jumps, Fraction(f.slope), Fraction(f.value), Fraction(f.anchor))
            for f in (self, other)
        )
        return (
            np.array_equal(mine.knots, theirs.knots)
            and np.array_equal(mine.jumps, theirs.jumps)
            and mine.slope == theirs.slope
            and theirs(mine.anchor) == mine.value
        )

    @property
    def _knots_before_anchor(self) -> int:
        """The number of knots below the anchor."""
        return int(np.searchsorted(self.knots, self._array(self.anchor))[0])

    def _array(self, number: Real) -> Array:
        """Return the number as an array [1] in the function's arithmetic."""
        return _converted(np.array([number], dtype=object), self.exact)


def _converted(array: Array, exact: bool) -> Array:
    """Return the array as one of rationals if `exact`, of floats otherwise."""
    return rationals(array) if exact else array.astype(np.float64, copy=False)


def _sealed(array: Array) -> Array:
    """Return the array, read-only from now on."""
    array.setflags(write=False)
    return array


def _in_range(name: str, array: Array) -> Array:
    """Return the array if all entries are finite, else say that they overflowed.

    Raises:
        ValueError: if they overflowed.
    """
    if array.dtype != object and not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be within the range of floats, got {array[~np.isfinite(array)][0]}")
    return array


def _total(name: str, terms: Array) -> Real:
    """Return the sum of the terms: exact for rationals, correctly rounded for floats.

    Raises:
        ValueError: if it is beyond the range of floats.
    """
    if terms.dtype == object:
        return sum(terms, Fraction(0))
    try:
        return math.fsum(_in_range(name, terms))
    except OverflowError as error:
        raise ValueError(f"{name} must be within the range of floats, got a sum beyond it") from error


def _running_sums(name: str, terms: Array) -> Array:
    """Return the partial sums of the terms, [n], if all are within the range of floats."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _in_range(name, running_sums(terms))


def _merged(knots: Array, jumps: Array) -> tuple[Array, Array]:
    """Return the knots in order, coincident ones once with the sum of their jumps, without those of jump 0."""
    order = np.argsort(knots, kind="stable")
    knots, jumps = knots[order], jumps[order]
    starts = np.flatnonzero(np.append(True, knots[1:] != knots[:-1])) if len(knots) else np.array([], dtype=int)
    if len(starts) < len(knots):
        groups = np.split(jumps, starts[1:])
        jumps = np.array([_total("the jumps of coincident knots", group) for group in groups], dtype=jumps.dtype)
    present = jumps != 0
    return knots[starts][present], jumps[present]


def _check_interval(a: Real, b: Real) -> None:
    """Raise unless a < b.

    Raises:
        ValueError: unless a < b.
    """
    if a >= b:
        raise ValueError(f"a must be below b, got a = {a} and b = {b}")


def _subset(terms: list[Fraction], target: Fraction, tolerance: Fraction) -> Array | None:
    """Return a mask of terms whose sum is within `tolerance` of `target`, or None; by meeting in the middle."""
    scale = math.lcm(*(number.denominator for number in (*terms, target)))
    integers = [int(term * scale) for term in terms]
    aim, slack = int(target * scale), math.floor(tolerance * scale)
    half = len(terms) // 2
    first, second = _subset_sums(integers[:half]), _subset_sums(integers[half:])
    order = sorted(range(len(second)), key=second.__getitem__)
    ordered = [second[bits] for bits in order]
    for bits, partial in enumerate(first):
        place = bisect_left(ordered, aim - slack - partial)
        if place < len(ordered) and ordered[place] <= aim + slack - partial:
            chosen = bits | order[place] << half
            return np.array([bool(chosen >> index & 1) for index in range(len(terms))])
    return None


def _subset_sums(integers: list[int]) -> list[int]:
    """Return the sums of all subsets; bit i of an index says whether integer i is in the subset."""
    sums = [0]
    for integer in integers:
        sums += [partial + integer for partial in sums]
    return sums
