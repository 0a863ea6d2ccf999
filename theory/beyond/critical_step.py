"""Claims beyond the five papers: B1 on interpolants and the critical step size, B7 on minima that do not interpolate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.beyond import critical_step_bounds
from theory.beyond import critical_step_proofs as proofs
from theory.checks import Array, dot, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import HOUSE, Source
from theory.stability_weight import Side, weight_enclosure
from theory.symbols import POINTS, F

BESIDE: tuple[Side, Side] = ("left", "right")


def _weighted(sizes: Array, ends: tuple[Array, Array]) -> Enclosure:
    return Enclosure(Fraction(dot(sizes, ends[0])), Fraction(dot(sizes, ends[1])))


def _curvature(f: PiecewiseLinear, x: Array) -> Enclosure:
    return _weighted(np.abs(f.jumps), weight_enclosure(f.knots, x))


def printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g of f and of the linear spline through its values."""
    f, x = given["f"], given["x"]
    return _curvature(f, x), _curvature(PiecewiseLinear.interpolate(x, f(x)), x)


Ends = tuple[Array, Array]
"""Rationals below and above some numbers, each [m]."""


def beside(knots: Array, x: Array) -> tuple[Ends, Ends]:
    """Return rationals around the limits of g from the left and from the right at some of the data points x."""
    left, right = (weight_enclosure(knots, x, side=side) for side in BESIDE)
    return left, right


def lower_of(first: Ends, second: Ends) -> Ends:
    """Return rationals around the lower of two numbers each."""
    lower, upper = (
        rationals([min(pair) for pair in zip(*ends, strict=True)]) for ends in zip(first, second, strict=True)
    )
    return lower, upper


def lowest_weight_enclosure(x: Array, knots: Array) -> Ends:
    """Return rationals around the lower of the limits of g from the left and the right at some of the data points x."""
    return lower_of(*beside(knots, x))


def weighed_sides(given: Instance, weigh: Callable[[Array, Array], Ends]) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and the spline's changes of slope weighed by a function of its knots and of x."""
    f, x = given["f"], given["x"]
    spline = PiecewiseLinear.interpolate(x, f(x))
    return _curvature(f, x), _weighted(np.abs(spline.jumps), weigh(spline.knots, x))


def _critical_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return weighed_sides(given, lambda knots, x: lowest_weight_enclosure(x, knots))


def _at_critical_step(given: Instance) -> float:
    """1/eta* - 1/2, which M6 allows at the critical step size eta*."""
    return 1 / critical_step_bounds.critical_step_size(given["x"], given["f"](given["x"])) - 0.5


def bent_after(x: list[int], delta: Fraction) -> Instance:
    """Return three data points with y = (0, 0, 1) and f that bends not at the middle one but `delta` after it."""
    left, middle, right = (Fraction(v) for v in x)
    knot = middle + delta
    f = PiecewiseLinear([knot], [1 / (right - knot)], Fraction(0), Fraction(0), left)
    return Instance({"f": f, "x": rationals([left, middle, right])}, "named")


B1 = Claim(
    id="B1",
    source=Source(HOUSE, "B1, as first stated"),
    statement=r"f \text{ interpolates} \;\Rightarrow\; \int |f''| g \ge \int |f_L''| g = \sum_j |s_{j+1} - s_j|\, g(x_j)",
    form=Form.AT_LEAST,
    symbols=(F, POINTS),
    sides=printed_sides,
    finding=Finding.CONJECTURE,
    note="g does not always drop at data points: g-(t) = A sqrt(m^2 + S^2)/n^2 falls just right of a point x with (m + "
    "1)^2 + (S + x)^2 < m^2 + S^2, m and S the number and the sum of the points below. On x = (-3, 3, 6) it is "
    "cheaper to bend just after 3 than at 3. B1.a replaces g(x_j) by the lower of its two limits there.",
    reading="Nobody says it but this library, which first put it up so.",
    witness=bent_after([-3, 3, 6], Fraction(1, 100)),
    no_extremal="refuted; see B1.a",
)


def kinks_and_hats(given: Instance) -> tuple[Array, Array, Array]:
    """Return the sizes of f's kinks [m], the hat functions of the interior points there [m, N], and the spline's signs [N].

    One kink of size 0, or one point without a hat, where there is none.
    """
    f, x = given["f"], rationals(given["x"])
    knots, sizes = (rationals(f.knots), rationals(f.jumps)) if len(f.knots) else (x[:1], rationals([0]))
    hats = [
        [
            max(Fraction(0), min((t - low) / (x_j - low), (high - t) / (high - x_j)))
            for low, x_j, high in zip(x, x[1:], x[2:], strict=False)
        ]
        or [Fraction(0)]
        for t in knots
    ]
    signs = [int(np.sign(change)) for change in sizes @ rationals(hats)]
    return sizes, rationals(hats), rationals(signs)


def _one_sided(t: Fraction, x: Array, side: int, *, counted_at_t: bool = False) -> sp.Expr:
    """Return g_-(t) for side -1 and g_+(t) for side 1, or its limit with a point at t counted."""
    beyond = side * (x - t)
    on = x[(beyond > 0) | (counted_at_t & (beyond == 0))]
    gaps, total = sum(abs(on - t), Fraction(0)), sum(on, Fraction(0))
    squared = gaps**2 * (total**2 + len(on) ** 2)
    return sp.sqrt(sp.Rational(squared.numerator, squared.denominator)) / len(x) ** 2


def _reads_weights(given: Instance) -> dict[str, Any]:
    """Return what B1.a's proof speaks of: the kinks and their hats, g at the kinks, and g_* at the interior data points."""
    f, x = given["f"], rationals(given["x"])
    sizes, hats, _ = kinks_and_hats(given)
    knots = rationals(f.knots) if len(f.knots) else x[:1]
    lower = [
        sp.Min(*(_one_sided(t, x, side, counted_at_t=side * way > 0) for way in (-1, 1) for side in (-1, 1)))
        for t in x[1:-1]
    ]
    return {
        "m": len(sizes),
        "N": hats.shape[1],
        "c": sizes,
        "h": hats,
        "g": [sp.Min(_one_sided(t, x, -1), _one_sided(t, x, 1)) for t in knots],
        "G": lower or [0],
    }


B1A = Claim(
    id="B1.a",
    amends="B1",
    source=Source(HOUSE, "B1, repaired"),
    statement=r"f \text{ interpolates} \;\Rightarrow\; \int |f''| g \ge \sum_j |s_{j+1} - s_j|\, g_*(x_j),\quad "
    r"g_*(x) = \min\{g(x-), g(x+)\}",
    form=Form.AT_LEAST,
    symbols=(F, POINTS),
    sides=_critical_sides,
    bound=critical_step_bounds.critical_step_size,
    bound_on=_at_critical_step,
    proof=proofs.b1a,
    reads=_reads_weights,
    finding=Finding.OURS,
    note="The infimum over interpolants, approached by moving the spline's knots to the side where g is lower. g(x) "
    "itself is never below both limits: a knot on a data point costs no less than one beside it.",
    extremal=Instance(
        {
            "f": PiecewiseLinear([Fraction(0)], [Fraction(2)], Fraction(-1), Fraction(0), Fraction(0)),
            "x": rationals([Fraction(-3, 4), 0, Fraction(3, 4)]),
        },
        "named",
    ),
)

CLAIMS = (B1, B1A)
