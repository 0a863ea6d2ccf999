"""Mutants of B6, the closed forms of path lengths over all pairs of the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from proofs_check.mutants.operators import Kind, Mutant, both_ways, bounds, right, without
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.claims import pair_variation as pairs
from theory.claims.volhejn2020 import length
from theory.enclosure import Enclosure
from theory.registry import CLAIMS


def _weighted(share: Callable[[Array], Array]) -> Callable[[Instance], Enclosure]:
    """Return the sum of |w2_i| ||w1_i|| times another function of q_i."""
    return lambda given: pairs.weighted_sizes(given, share(pairs.active_shares(given)))


def _strictly_active(given: Instance) -> Enclosure:
    w1, b1, _ = pairs.network(given)
    active = given["inputs"] @ w1.T + b1 > 0
    q = rationals([Fraction(int(column.sum()), len(column)) for column in active.T])
    return pairs.weighted_sizes(given, 2 * q * (1 - q))


def _without_w2(given: Instance) -> Enclosure:
    q = pairs.active_shares(given)
    return pairs.weighted_sizes(given.but(outputs=rationals([1] * len(q))), 2 * q * (1 - q))


def _largest_unit(given: Instance) -> Enclosure:
    """Return half of the largest |w2_i| ||w1_i||."""
    w1, _, w2 = pairs.network(given)
    sizes = [length(row * output / 2) for row, output in zip(w1, w2, strict=True)]
    return Enclosure(max(v.lower for v in sizes), max(v.upper for v in sizes))


def _cells(count: Callable[[int, int], int]) -> Callable[[Instance], Fraction]:
    """Return the right side of B6.c with another number of pairs for m points of n to the left."""

    def side(given: Instance) -> Fraction:
        n = len(given["x"])
        return sum((v * count(left, n) for v, left in pairs.cells(given)), Fraction(0)) / n**2

    return side


def _knots(count: Callable[[int, int, int], int]) -> Callable[[Instance], Fraction]:
    """Return the right side of B6.d with another number of pairs for b points below a knot, a above and n in all."""

    def side(given: Instance) -> Fraction:
        n = len(given["x"])
        return sum((v * count(below, above, n) for v, below, above in pairs.knot_counts(given)), Fraction(0)) / n**2

    return side


def _distinct(given: Instance) -> Fraction:
    n = len(given["x"])
    return Fraction(n, max(1, n - 1))


def _unit_by_unit(given: Instance) -> Fraction:
    """The sum over units in place of the jumps of f', which they may cancel in."""
    weights, x = given["weights"].rational(), given["x"]
    total = Fraction(0)
    for w1, b1, w2 in zip(weights.w1, weights.b1, weights.w2, strict=True):
        signs = np.sign((w1 * x + b1).astype(np.float64))
        total += abs(w1 * w2) * 2 * int((signs < 0).sum()) * int((signs > 0).sum())
    return total / len(x) ** 2


_B6, _B6A, _B6B, _B6C, _B6D = (CLAIMS[id] for id in ("B6", "B6.a", "B6.b", "B6.c", "B6.d"))
_MOST = "no two units switch at one point of a segment"

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "B6": (
        *both_ways(_B6),
        without(_B6, _MOST),
        right(_B6, "q (1 - q)", Kind.DROPPED, _weighted(lambda q: q * (1 - q))),
        right(_B6, "2 q", Kind.DROPPED, _weighted(lambda q: 2 * q)),
        right(_B6, "2 min(q, 1 - q)", Kind.MIN_MAX, _weighted(lambda q: 2 * np.minimum(q, 1 - q))),
        right(_B6, "the hyperplane left out of the active side", Kind.BOUNDARY, _strictly_active),
        right(_B6, "without w2", Kind.DROPPED, _without_w2),
    ),
    "B6.a": (
        *bounds(_B6A),
        right(_B6A, "q (1 - q)", Kind.DROPPED, _weighted(lambda q: q * (1 - q))),
        right(_B6A, "2 q^2", Kind.DROPPED, _weighted(lambda q: 2 * q * q)),
        right(_B6A, "without w2", Kind.DROPPED, _without_w2),
    ),
    "B6.b": (
        *bounds(_B6B),
        right(_B6B, "the largest unit for the sum", Kind.MIN_MAX, _largest_unit),
        right(
            _B6B,
            "without w2",
            Kind.DROPPED,
            lambda given: pairs.half_weights_product(given.but(outputs=rationals([1] * len(given["outputs"])))),
        ),
    ),
    "B6.c": (
        *both_ways(_B6C),
        right(_B6C, "F (1 - F)", Kind.DROPPED, _cells(lambda m, n: m * (n - m))),
        right(_B6C, "F one point too high", Kind.OFF_BY_ONE, _cells(lambda m, n: 2 * (m + 1) * (n - m))),
        right(
            _B6C,
            "1/(n (n - 1)) for 1/n^2",
            Kind.OFF_BY_ONE,
            lambda given: _distinct(given) * _cells(lambda m, n: 2 * m * (n - m))(given),
        ),
    ),
    "B6.d": (
        *both_ways(_B6D),
        right(_B6D, "P(X <= c) for P(X < c)", Kind.BOUNDARY, _knots(lambda b, a, n: 2 * (n - a) * a)),
        right(_B6D, "without the 2", Kind.DROPPED, _knots(lambda b, a, n: b * a)),
        right(_B6D, "one point more below", Kind.OFF_BY_ONE, _knots(lambda b, a, n: 2 * (b + 1) * a)),
        right(_B6D, "unit by unit for jump by jump", Kind.DROPPED, _unit_by_unit),
    ),
}
