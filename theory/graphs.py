"""Piecewise-linear functions through data, piece by piece: energy and arc length, of the function and of its chords."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from theory.checks import Array
from theory.enclosure import Enclosure, square_root
from theory.piecewise_linear import PiecewiseLinear


@dataclass(frozen=True)
class Gap:
    """The pieces of a function between two neighbouring data points: their widths and what it changes by on each, exact."""

    widths: tuple[Fraction, ...]
    changes: tuple[Fraction, ...]

    @property
    def width(self) -> Fraction:
        """The distance of the data points."""
        return sum(self.widths, Fraction(0))

    @property
    def change(self) -> Fraction:
        """What the function changes by from one to the other."""
        return sum(self.changes, Fraction(0))

    @property
    def slope(self) -> Fraction:
        """The slope of the chord."""
        return self.change / self.width

    def pieces(self) -> Iterable[tuple[Fraction, Fraction]]:
        """Return widths and changes in pairs."""
        return zip(self.widths, self.changes, strict=True)


def gaps(f: PiecewiseLinear, x: Array) -> list[Gap]:
    """Return what an exact function does between data points x, increasing, [n], cut at its knots, [n - 1]."""
    found = []
    for a, b in pairwise(x):
        cuts = [a, *(knot for knot in f.knots if a < knot < b), b]
        values = [Fraction(v) for v in f(cuts)]
        found.append(
            Gap(
                tuple(Fraction(v - u) for u, v in pairwise(cuts)),
                tuple(w - v for v, w in pairwise(values)),
            )
        )
    return found


def equally_cut(found: list[Gap]) -> list[Gap]:
    """Return the same with equally many pieces in each gap: first pieces are cut into equal parts, which changes nothing."""
    most = max(len(gap.widths) for gap in found)
    cut = []
    for gap in found:
        parts = most - len(gap.widths) + 1
        (h, *widths), (d, *changes) = gap.widths, gap.changes
        cut.append(Gap((*[h / parts] * parts, *widths), (*[d / parts] * parts, *changes)))
    return cut


def energy(found: list[Gap]) -> Fraction:
    """Return half the integral of f'^2, exactly."""
    return sum((d**2 / (2 * h) for gap in found for h, d in gap.pieces()), Fraction(0))


def chord_energy(found: list[Gap]) -> Fraction:
    """Return the same of the linear spline through the data, exactly."""
    return sum((gap.change**2 / (2 * gap.width) for gap in found), Fraction(0))


def excess_energy(found: list[Gap]) -> Fraction:
    """Return the same of the difference of the function and the spline, exactly."""
    return sum(
        ((d - gap.slope * h) ** 2 / (2 * h) for gap in found for h, d in gap.pieces()),
        Fraction(0),
    )


def arc_length(found: list[Gap]) -> Enclosure:
    """Return the integral of sqrt(1 + f'^2)."""
    return _total(square_root(h**2 + d**2) for gap in found for h, d in gap.pieces())


def chord_length(found: list[Gap]) -> Enclosure:
    """Return the same of the linear spline through the data."""
    return _total(square_root(gap.width**2 + gap.change**2) for gap in found)


def steepest(found: list[Gap]) -> Fraction:
    """Return the largest |f'|, exactly."""
    return max(abs(d / h) for gap in found for h, d in gap.pieces())


def straight(found: list[Gap]) -> bool:
    """Return whether the function is the linear spline through the data."""
    return all(d == gap.slope * h for gap in found for h, d in gap.pieces())


def rows(found: list[Gap]) -> dict[str, Any]:
    """Return widths and changes in rows of equal length, a row a gap, and how many there are, as proofs call them."""
    cut = equally_cut(found)
    return {
        "r": len(cut),
        "k": len(cut[0].widths),
        "h": [list(gap.widths) for gap in cut],
        "d": [list(gap.changes) for gap in cut],
        "s": [gap.slope for gap in cut],
    }


def _total(parts: Iterable[Enclosure]) -> Enclosure:
    return sum(parts, Enclosure.exactly(Fraction(0)))
