"""Densities that are constant between edges, and what they make of the Dirichlet energy of a function of one input."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from theory.checks import Array, Reals, rationals, real_array
from theory.piecewise_linear import PiecewiseLinear


@dataclass(frozen=True, eq=False, init=False)
class StepDensity:
    """A density p >= 0 on the line, constant between edges and 0 beyond them; floats count as the rationals they are.

    It need not integrate to 1: the energy is linear in it. Any density lies between two of these, and so does its least
    energy.

    Attributes:
        edges: increasing, exact, [m + 1], m >= 1.
        heights: p between neighbouring edges, at least 0, exact, [m].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the edges are fewer than two or do not increase, or heights has another length or one below 0.

    Example:
        >>> from theory.step_density import StepDensity
        >>> p = StepDensity(edges=[0, 1, 2], heights=[1, 4])
        >>> float(p.resistance(0, 2)), float(p.resistance(1, 3))
        (1.25, inf)
    """

    edges: Array
    heights: Array

    def __init__(self, edges: Reals, heights: Reals) -> None:
        """Check the entries and make them exact.

        Raises:
            ValueError: if the edges are fewer than two or do not increase, or heights has another length or one below 0.
        """
        ends, sizes = (rationals(real_array(name, part)) for name, part in (("edges", edges), ("heights", heights)))
        if len(ends) < 2 or any(a >= b for a, b in pairwise(ends)):
            raise ValueError(f"edges must be at least two increasing numbers, got {[float(v) for v in ends]}")
        if len(sizes) != len(ends) - 1:
            raise ValueError(f"heights must hold one for each of the {len(ends) - 1} steps, got {len(sizes)}")
        for height in sizes:
            if height < 0:
                raise ValueError(f"heights must be at least 0, got {float(height)}")
        object.__setattr__(self, "edges", ends)
        object.__setattr__(self, "heights", sizes)

    def pieces(self, a: Any, b: Any, knots: Array | tuple[Any, ...] = ()) -> list[tuple[Fraction, Fraction, Fraction]]:
        """Return the parts of [a, b] between edges and knots as (start, end, height), from left to right, exactly.

        Args:
            a: the start of the interval.
            b: its end, above a.
            knots: where to cut as well, [k].
        """
        low, high = Fraction(a), Fraction(b)
        cuts = sorted({low, high, *(v for v in (*self.edges, *rationals(list(knots))) if low < v < high)})
        return [(start, end, self._between(start, end)) for start, end in pairwise(cuts)]

    def _between(self, start: Fraction, end: Fraction) -> Fraction:
        for height, (left, right) in zip(self.heights, pairwise(self.edges), strict=True):
            if left <= start and end <= right:
                return Fraction(height)
        return Fraction(0)

    def resistance(self, a: Any, b: Any) -> Fraction | float:
        """Return the integral of 1/p from a to b, exactly; inf if p is 0 on a part of it."""
        parts = self.pieces(a, b)
        if any(height == 0 for *_, height in parts):
            return float("inf")
        return sum(((end - start) / height for start, end, height in parts), Fraction(0))

    def energy(self, f: PiecewiseLinear, a: Any, b: Any) -> Fraction:
        """Return half the integral of f'^2 p from a to b, exactly; the GC of f over p is twice that over the whole line.

        Args:
            f: a function; floats count as the rationals they are.
            a: the start of the interval.
            b: its end, above a.
        """
        knots, slopes = rationals(f.knots), rationals(f.slopes)
        total = Fraction(0)
        for start, end, height in self.pieces(a, b, knots):
            slope = slopes[sum(knot <= start for knot in knots)]
            total += height * slope**2 * (end - start)
        return total / 2
