"""How the claims of `theory.beyond.arc_length` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import few, interpolants, small
from proofs_check.trials.dherin2022.arc_length import PYTHAGOREAN
from proofs_check.trials.operators import Kind, Mutant, both_ways, bounds, right
from theory.beyond import arc_length
from theory.beyond.arc_length import B23, B23A, B23B, B23C
from theory.checks import Array, rationals
from theory.claim import Claim, Instance
from theory.dherin2022.arc_length import sines
from theory.enclosure import Enclosure, square_root


def _balanced(values: list[Fraction]) -> Array:
    return rationals([a - b for a, b in pairwise([Fraction(0), *values, Fraction(0)])])


@st.composite
def near_the_bound(draw: st.DrawFn, *, length: bool) -> Instance:
    """Draw values, multipliers and targets that meet the bound, at a rational distance, or miss it by a little."""
    pieces = draw(st.lists(st.sampled_from(PYTHAGOREAN), min_size=1, max_size=3))
    x, z = (rationals(np.cumsum([0, *part])) for part in zip(*pieces, strict=True))
    given = Instance({"x": x, "z": z}, "drawn")
    q = [Fraction(sine.lower) for sine in sines(given)] if length else [Fraction(d, g) for g, d in pieces]
    y = z - draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(5)])) * -_balanced(q)
    if draw(st.sampled_from([False, False, True])):
        y = y + rationals([draw(few) for _ in x])
    if draw(st.sampled_from([False, False, True])):
        q = [v + draw(st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(-1, 2), Fraction(1)])) for v in q]
    error = Fraction(((z - y) ** 2).sum()) / len(x) + draw(st.sampled_from([Fraction(v, 3) for v in (0, 0, 0, 3, -1)]))
    if draw(st.sampled_from([False] * 9 + [True])):
        q = q[:-1] or [*q, Fraction(1)]
    return Instance(
        {"x": x, "y": y, "z": z, "multipliers": rationals(q), "training_error": max(error, Fraction(0))}, "drawn"
    )


@st.composite
def densities_and_functions(draw: st.DrawFn) -> Instance:
    """Draw a function, data and a density; at times the one with f' p constant, or a density that does not cover them."""
    given = draw(interpolants())
    x = given["x"]
    cuts = sorted({x[0], x[-1], *(v for v in draw(st.sets(small, max_size=3)) if x[0] < v < x[-1])})
    heights = [draw(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(3)])) for _ in cuts[1:]]
    kind = draw(st.sampled_from(["any", "any", "short", "zero", "narrow"]))
    if kind == "short":
        cuts[0] = cuts[0] + (cuts[1] - cuts[0]) / 2
    if kind == "zero":
        heights[-1] = Fraction(0)
    return Instance(
        {"f": given["f"], "x": x, "edges": rationals(cuts), "heights": rationals(heights)},
        "drawn",
    )


@st.composite
def solutions(draw: st.DrawFn) -> Instance:
    """Draw values that solve the tridiagonal system for targets made of them, and others that nearly do."""
    n = draw(st.integers(2, 4))
    x = rationals(np.cumsum([draw(st.integers(1, 3)) for _ in range(n)]))
    z, w = (rationals([draw(few) for _ in range(n)]) for _ in range(2))
    mu = draw(st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(3), Fraction(0)]))
    gradient = _balanced([Fraction(d / g) for g, d in zip(np.diff(x), np.diff(z), strict=True)])
    y = z + (gradient / mu if mu else gradient * 0)
    if draw(st.sampled_from([False] * 5 + [True])):
        y = y + rationals([draw(few) for _ in range(n)])
    return Instance({"x": x, "y": y, "z": z, "rival": w, "multiplier": mu}, "drawn")


def _with(claim: Claim, name: str, kind: Kind, more: Callable[[Instance], Enclosure]) -> Mutant:
    sides = claim.sides
    return right(claim, name, kind, lambda given: sides(given)[1] + more(given))


def _of_the_bounds(claim: Claim) -> tuple[Mutant, ...]:
    """Return bounds that forget the training error, or count it wrongly."""

    def one_point(given: Instance) -> Enclosure:
        size = sum((p * p for p in arc_length.pulls(given)), Fraction(0))
        return arc_length.lost(given) + (-square_root(size * given["training_error"]))

    def inner(given: Instance) -> Enclosure:
        size = sum((p * p for p in arc_length.pulls(given)[1:]), Fraction(0))
        return arc_length.lost(given) + (-square_root(size * len(given["x"]) * given["training_error"]))

    return (
        _with(claim, "without the training error", Kind.DROPPED, arc_length.lost),
        _with(claim, "without n", Kind.DROPPED, one_point),
        _with(claim, "without p_1", Kind.RANGE, inner),
    )


def _plain(given: Instance) -> Fraction:
    """The change over the width of a gap, as if p were 1."""
    pairs = zip(arc_length.rises(given), np.diff(given["x"]), strict=True)
    return sum((d * d / (2 * g) for d, g in pairs), Fraction(0))


def _one_for_all(given: Instance) -> Fraction:
    """The resistance of the first gap for that of all."""
    squares = sum((d * d for d in arc_length.rises(given)), Fraction(0))
    return squares / (2 * Fraction(arc_length.resistances(given)[0]))


def _without(*, mixed: bool) -> Callable[[Instance], Fraction]:
    """Return the right side of B23.c without what is apart, in energy or in squares."""

    def side(given: Instance) -> Fraction:
        x, y, z, w, mu = (given[name] for name in ("x", "y", "z", "rival", "multiplier"))
        widths = np.diff(x)

        def energy(values: Array) -> Fraction:
            pairs = zip(widths, np.diff(values), strict=True)
            return sum((d * d / (2 * g) for g, d in pairs), Fraction(0))

        off = energy(w - z) if mixed else mu * Fraction(((w - z) ** 2).sum()) / 2
        return Fraction(energy(z) + mu * Fraction(((z - y) ** 2).sum()) / 2 + off)

    return side


_NO_PIECE = {"without: there is one multiplier for each piece": "without it there is no sum over pieces"}

TRIALS = (
    Trial(B23, instances=near_the_bound(length=False), mutants=(*bounds(B23), *_of_the_bounds(B23)), spared=_NO_PIECE),
    Trial(
        B23A,
        instances=near_the_bound(length=True),
        oracle=oracles.b23a,
        mutants=(*bounds(B23A), *_of_the_bounds(B23A)),
        spared=_NO_PIECE,
    ),
    Trial(
        B23B,
        instances=densities_and_functions(),
        mutants=(
            *bounds(B23B),
            right(B23B, "p = 1", Kind.DROPPED, _plain),
            right(
                B23B,
                "the resistance of one gap for all",
                Kind.RANGE,
                _one_for_all,
            ),
        ),
        spared={"without: p is above 0 between the data": "true as well: gaps with p = 0 on a part count 0"},
    ),
    Trial(
        B23C,
        instances=solutions(),
        mutants=(
            *both_ways(B23C),
            right(B23C, "without |w - z|^2", Kind.DROPPED, _without(mixed=True)),
            right(B23C, "without E(w - z)", Kind.DROPPED, _without(mixed=False)),
        ),
    ),
)
