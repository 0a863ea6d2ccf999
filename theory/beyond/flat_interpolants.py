"""B10: the interpolants whose derivative varies least."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from theory.beyond import flat_interpolants_bounds as bounds
from theory.beyond import flat_interpolants_proofs as proofs
from theory.beyond.critical_step import kinks_and_hats
from theory.checks import Array, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import HOUSE, Source
from theory.symbols import POINTS, F


def excess(given: Instance) -> tuple[Any, Any]:
    """Return TV(f') over the line, and that of the linear spline through the same data."""
    f, x = given["f"], given["x"]
    return f.derivative_variation(), PiecewiseLinear.interpolate(x, f(x)).derivative_variation()


def is_flattest(given: Instance) -> bool:
    """Return whether f' varies as little as the derivative of the spline."""
    own, least = excess(given)
    return bool(own == least)


def within(f: PiecewiseLinear, low: Fraction | None, high: Fraction | None) -> Array:
    """Return the slopes of f on the open interval from low to high; None for an infinite end."""
    first = 0 if low is None else int(np.searchsorted(f.knots, rationals([low]), side="right")[0])
    last = len(f.knots) if high is None else int(np.searchsorted(f.knots, rationals([high]), side="left")[0])
    return f.slopes[first : last + 1]


def shaped(slopes: Array, sign: Any) -> bool:
    """Return whether slopes from left to right belong to a convex (sign > 0), concave (< 0) or linear (0) function."""
    steps = np.diff(slopes)
    return bool((sign > 0 or not np.any(steps > 0)) and (sign < 0 or not np.any(steps < 0)))


def linear_at_the_ends(f: PiecewiseLinear, x: Array) -> bool:
    """Return whether f is linear left of the second data point, and right of the last but one."""
    return shaped(within(f, None, x[1]), 0) and shaped(within(f, x[-2], None), 0)


def bends_like_the_spline(f: PiecewiseLinear, x: Array) -> bool:
    """Return whether f bends between each interior data point's neighbours as the spline bends there."""
    changes = bounds.changes_of_slope(x, f(x))
    return all(shaped(within(f, x[j - 1], x[j + 1]), changes[j]) for j in range(1, len(x) - 1))


def linear_or_in_the_triangle(f: PiecewiseLinear, x: Array) -> bool:
    """Return whether f is linear where neighbouring changes of slope differ in sign, and in the triangle where they agree."""
    y = f(x)
    changes = bounds.changes_of_slope(x, y)
    for j, (low, high) in enumerate(pairwise(x)):
        if np.sign(changes[j]) != np.sign(changes[j + 1]) or changes[j] == 0:
            if not shaped(within(f, low, high), 0):
                return False
            continue
        # Both the triangle and f are linear between these, so f lies inside it if it does there.
        slopes = np.diff(y) / np.diff(x)
        apex = low + (high - low) * (slopes[j + 1] - slopes[j]) / (slopes[j + 1] - slopes[j - 1])
        places = rationals([*(knot for knot in f.knots if low < knot < high), apex])
        lower, upper = bounds.flattest_range(x, y, places)
        if np.any(f(places) < lower) or np.any(f(places) > upper):
            return False
    return True


def printed(given: Instance) -> bool:
    """Return whether f is as printed; at the first and the last data point the slope changes by 0, outside f is linear."""
    f, x = given["f"], given["x"]
    return linear_at_the_ends(f, x) and linear_or_in_the_triangle(f, x)


def _printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(is_flattest(given)), Enclosure.exactly(printed(given))


def _repaired_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    f, x = given["f"], given["x"]
    shape = linear_at_the_ends(f, x) and bends_like_the_spline(f, x)
    return Enclosure.exactly(is_flattest(given)), Enclosure.exactly(shape)


def through(points: Sequence[tuple[Any, Any]], x: list[int]) -> Instance:
    """Return the linear spline through some points, and which of their inputs are the data."""
    where, values = (rationals(part) for part in zip(*points, strict=True))
    return Instance({"f": PiecewiseLinear.interpolate(where, values), "x": rationals(x)}, "named")


def _reads_kinks(given: Instance) -> dict[str, Any]:
    """Return what B10.a's proof speaks of: the kinks and their hats, and of the kink that loses most those beside it."""
    sizes, hats, signs = kinks_and_hats(given)
    lost = [abs(c) - c * part for c, part in zip(sizes, hats @ signs, strict=True)]
    worst = int(np.argmax(rationals(lost)))
    beside = [*np.flatnonzero(hats[worst] > 0), None, None][:2]
    left, right = ((Fraction(0), Fraction(0)) if j is None else (hats[worst][j], signs[j]) for j in beside)
    return {
        "m": len(sizes),
        "N": hats.shape[1],
        "h": hats,
        "c": sizes,
        "a": sizes[worst],
        "g": left[0],
        "q": left[1],
        "k": right[0],
        "p": right[1],
    }


def _kernels(given: Instance) -> list[Array]:
    """Return of each thing that B10.b asks how much of it each kink of size 1 adds, [m] each: it asks for no less than 0."""
    f, x = given["f"], rationals(given["x"])
    y, sizes = f(x), kinks_and_hats(given)[0]
    knots = rationals(f.knots) if len(f.knots) else x[:1]
    changes = bounds.changes_of_slope(x, y)
    slopes = np.diff(y) / np.diff(x)
    found, inside = [], []
    for j, (low, high) in enumerate(pairwise(x)):
        if np.sign(changes[j]) == np.sign(changes[j + 1]) != 0:
            apex = low + (high - low) * (slopes[j + 1] - slopes[j]) / (slopes[j + 1] - slopes[j - 1])
            inside.append((low, high))
            for t in (*(knot for knot in knots if low < knot < high), apex):
                at, start, end, before, after = (
                    rationals([max(place - knot, Fraction(0)) for knot in knots])
                    for place in (t, low, high, x[j - 1], x[j + 2])
                )
                share = (t - low) / (high - low)
                chord = (1 - share) * start + share * end - at
                left = at - start - (start - before) / (low - x[j - 1]) * (t - low)
                right = at - end + (after - end) / (x[j + 2] - high) * (high - t)
                found += [int(np.sign(changes[j])) * kernel for kernel in (chord, left, right)]
    free = [any(low < t < high for low, high in inside) or t in x[1:-1] for t in knots]
    for i, (size, allowed) in enumerate(zip(sizes, free, strict=True)):
        if not allowed and size:
            found.append(rationals([-int(np.sign(size)) if k == i else 0 for k in range(len(sizes))]))
    return found or [rationals([0] * len(sizes))]


def _reads_triangle(given: Instance) -> dict[str, Any]:
    """Return what B10.b's proof speaks of: the kinks and their hats, and what each adds where f is least as asked."""
    sizes, hats, signs = kinks_and_hats(given)
    kernel = min(_kernels(given), key=lambda weights: sum(weights * sizes, Fraction(0)))
    parts = hats @ signs
    most = [abs(w) / (1 + part if w > 0 else 1 - part) for w, part in zip(kernel, parts, strict=True) if w]
    return {
        "m": len(sizes),
        "N": hats.shape[1],
        "h": hats,
        "c": sizes,
        "w": kernel,
        "K": max(most, default=Fraction(0)),
    }


HALF = Fraction(1, 2)
FLATTEST = r"TV(f') = TV(f_L')"
SOURCE = "B10, after Hanin 2021 and Aziznejad, Debarre and Unser 2021"

B10 = Claim(
    id="B10",
    source=Source(HOUSE, f"{SOURCE}, as first stated"),
    statement=FLATTEST
    + r" \iff f \text{ is linear on } [x_j, x_{j+1}] \text{ where the slope changes at } x_j, x_{j+1} "
    r"\text{ differ in sign, and free inside the triangle of its chord and the neighbouring lines where they agree}",
    form=Form.EQUIVALENCE,
    symbols=(F, POINTS),
    sides=_printed_sides,
    finding=Finding.CONJECTURE,
    note="Not free: f must not bend to the other side inside the triangle (the witness does, TV 8 for 4), and two "
    "triangles in a row meet at a data point, where f must not bend back either. Of the ends nothing is said; with slope "
    "changes of 0 there, as read here, f is linear on them. B10.a has the description, B10.b the half that is right.",
    reading="Nobody says it but this library, which first put it up so; the papers that it is named after say other "
    "things.",
    witness=through(
        [(0, 2), (1, 0), (Fraction(3, 2), -HALF), (2, 0), (Fraction(5, 2), -HALF), (3, 0), (4, 2)], [0, 1, 3, 4]
    ),
    no_extremal="refuted; see B10.a",
)

APEX = through([(0, 2), (1, 0), (2, -2), (3, 0), (4, 2)], [0, 1, 3, 4])

B10A = Claim(
    id="B10.a",
    amends="B10",
    source=Source(HOUSE, f"{SOURCE}, repaired"),
    statement=FLATTEST
    + r" \iff f \text{ is linear on } (-\infty, x_2) \text{ and } (x_{n-1}, \infty), \text{ and on each } "
    r"(x_{j-1}, x_{j+1}) \text{ convex if } s_j \ge s_{j-1} \text{ and concave if } s_j \le s_{j-1}",
    form=Form.EQUIVALENCE,
    symbols=(F, POINTS),
    sides=_repaired_sides,
    bound=bounds.varies_least,
    bound_on=lambda given: float(bounds.varies_least(given["f"], given["x"])),
    proof=proofs.b10a,
    reads=_reads_kinks,
    finding=Finding.OURS,
    note="s_j is the slope of the data between x_j and x_{j+1}; where it does not change, f is both convex and concave, "
    "that is, linear. TV(f') is over the whole line. The set is convex: so is each of its conditions. For n = 2 and 3 it "
    "holds the spline alone.",
    extremal=APEX,
)


B10B = Claim(
    id="B10.b",
    amends="B10",
    source=Source(HOUSE, f"{SOURCE}, the half that is right"),
    statement=FLATTEST + r" \;\Rightarrow\; f \text{ is linear on } [x_j, x_{j+1}] \text{ where the slope changes at } "
    r"x_j, x_{j+1} \text{ differ in sign, and inside the triangle of its chord and the neighbouring lines where they agree}",
    form=Form.IMPLICATION,
    symbols=(F, POINTS),
    sides=_printed_sides,
    proof=proofs.b10b,
    reads=_reads_triangle,
    finding=Finding.OURS,
    note="With slope changes of 0 at the first and the last data point. The apex is reached: no smaller set would do.",
    extremal=APEX,
)

CLAIMS = (B10, B10A, B10B)
