"""Dherin et al. 2022 on arc length and Dirichlet energy: D5, D6, D14, D23 on the functions that have the least of either."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.dherin2022 import arc_length_proofs as proofs
from theory.enclosure import Enclosure, square_root
from theory.graphs import (
    Gap,
    arc_length,
    chord_energy,
    chord_length,
    energy,
    excess_energy,
    gaps,
    rows,
    steepest,
    straight,
)
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import DHERIN2022, Source
from theory.step_density import StepDensity
from theory.symbols import EDGES, EXACT_TARGETS, FITTED, HEIGHTS, INCREASING, POINTS, F, Symbol


def _ring_widths(name: str, value: Any) -> Array:
    """Return at least one number above 0, exact.

    Raises:
        ValueError: if there is none, or one is not above 0.
    """
    widths = exact_vector(name, value)
    if not len(widths) or any(width <= 0 for width in widths):
        raise ValueError(f"{name} must be at least one number above 0, got {[float(width) for width in widths]}")
    return widths


RINGS = Symbol("rings", r"(g_j)", "logarithms of the ratios of neighbouring radii, above 0, exact, [m]", _ring_widths)
LEVELS = Symbol("levels", "(u_j)", "values of u at the radii, exact, [m+1]", exact_vector)


def found(given: Instance) -> list[Gap]:
    """Return what f does between the data points."""
    return gaps(given["f"], given["x"])


def span(given: Instance) -> Fraction:
    """Return the distance of the outermost data points."""
    return Fraction(given["x"][-1] - given["x"][0])


def differences(given: Instance) -> tuple[Array, Array]:
    """Return the distances of neighbouring data points and the changes of the values z, [n - 1] each."""
    return np.diff(given["x"]), np.diff(given["z"])


def _signed(value: Enclosure, factor: Fraction) -> Enclosure:
    return value.times(factor) if factor >= 0 else -value.times(-factor)


def least_at_its_error(given: Instance, pulls: list[Enclosure]) -> Enclosure:
    """Return whether values z have the least sum of convex costs of their changes at their own training error.

    The gradient is G_i = q_{i-1} - q_i, q the derivatives of the costs. At an error above 0 the least is where
    G = c (y - z) with c >= 0 (Karush, Kuhn and Tucker; the interior is not empty); at error 0 there is one function only.

    Args:
        given: an instance with x, y and z.
        pulls: the q_i, [n - 1].
    """
    missing = given["y"] - given["z"]
    if not np.any(missing != 0):
        return Enclosure.exactly(True)
    none = Enclosure.exactly(Fraction(0))
    gradient = [before + (-after) for before, after in pairwise([none, *pulls, none])]
    n, open_ = len(missing), False
    for i in range(n):
        for j in range(i):
            cross = _signed(gradient[i], missing[j]) + _signed(gradient[j], -missing[i])
            if cross.lower > 0 or cross.upper < 0:
                return Enclosure.exactly(False)
            open_ = open_ or cross.lower < cross.upper
    along = sum((_signed(g, m) for g, m in zip(gradient, missing, strict=True)), none)
    if along.upper < 0:
        return Enclosure.exactly(False)
    return Enclosure(Fraction(0), Fraction(1)) if open_ or along.lower < 0 else Enclosure.exactly(True)


def sines(given: Instance) -> list[Enclosure]:
    """Return the sines of the directions of the pieces, [n - 1]."""
    pairs = [(Fraction(g), Fraction(d)) for g, d in zip(*differences(given), strict=True)]
    return [_signed(square_root(1 / (g * g + d * d)), d) for g, d in pairs]


def slopes(given: Instance) -> list[Enclosure]:
    """Return the slopes of the pieces, [n - 1]."""
    return [Enclosure.exactly(Fraction(d / g)) for g, d in zip(*differences(given), strict=True)]


def _equivalence_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return least_at_its_error(given, sines(given)), least_at_its_error(given, slopes(given))


def _pythagoras_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parts = found(given)
    return Enclosure.exactly(energy(parts)), Enclosure.exactly(chord_energy(parts) + excess_energy(parts))


def cubed_secant(parts: list[Gap]) -> Enclosure:
    """Return (1 + S^2)^(3/2), S the largest |f'|."""
    square = 1 + steepest(parts) ** 2
    return square_root(square).times(square)


def _shortest_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parts = found(given)
    cube, excess = cubed_secant(parts), excess_energy(parts)
    return arc_length(parts), chord_length(parts) + Enclosure(excess / cube.upper, excess / cube.lower)


def _reads(given: Instance) -> dict[str, Any]:
    """Return the widths and changes of the pieces, the slope s of each chord, b = sqrt(1 + s^2) and c = sqrt(1 + S^2)."""
    parts = found(given)
    read = rows(parts)
    read["b"] = [sp.sqrt(sp.Rational(1 + gap.slope**2)) for gap in parts]
    read["c"] = sp.sqrt(sp.Rational(1 + steepest(parts) ** 2))
    return read


def _plus_energy(given: Instance) -> Fraction:
    return span(given) + energy(found(given))


def fourth_powers(given: Instance) -> Fraction:
    """Return an eighth of the integral of f'^4, exactly."""
    return sum((d**4 / (8 * h**3) for gap in found(given) for h, d in gap.pieces()), Fraction(0))


def _taylor_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    off = Enclosure.exactly(_plus_energy(given)) + (-arc_length(found(given)))
    return off, Enclosure.exactly(fourth_powers(given))


def data_complexity(given: Instance) -> Fraction:
    """Return the mean of f'^2 over the data points, none of them a knot, exactly (Definition 2.1)."""
    f, x = given["f"], given["x"]
    slopes_at = [Fraction(f.slopes[sum(knot < point for knot in f.knots)]) for point in x]
    return sum((slope**2 for slope in slopes_at), Fraction(0)) / len(x)


def _knots_on_data(given: Instance) -> list[Fraction]:
    return [Fraction(knot) for knot in given["f"].knots if knot in set(given["x"])]


def _least_data_complexity_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(data_complexity(given) == 0), Enclosure.exactly(straight(found(given)))


def _excess_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parts = found(given)
    bound = chord_length(parts) + Enclosure.exactly(energy(parts) - chord_energy(parts))
    return arc_length(parts), bound


def _inner_knots(given: Instance) -> list[Fraction]:
    return [Fraction(knot) for knot in given["f"].knots if given["x"][0] < knot < given["x"][-1]]


def _smooth_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(straight(found(given))), Enclosure.exactly(not _inner_knots(given))


def _capacity_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    widths, u = given["rings"], given["levels"]
    costs = sum((d * d / g for d, g in zip(np.diff(u), widths, strict=True)), Fraction(0))
    return Enclosure.exactly(costs), Enclosure.exactly((u[-1] - u[0]) ** 2 / sum(widths, Fraction(0)))


def _reads_capacity(given: Instance) -> dict[str, Any]:
    return {"m": len(given["rings"]), "g": given["rings"], "d": np.diff(given["levels"])}


def density(given: Instance) -> StepDensity:
    """Return p."""
    return StepDensity(given["edges"], given["heights"])


def gap_parts(given: Instance) -> list[list[tuple[Fraction, Fraction]]]:
    """Return the widths and heights of p between neighbouring data points."""
    p = density(given)
    return [[(b - a, height) for a, b, height in p.pieces(u, v)] for u, v in pairwise(given["x"])]


def spline_complexity(given: Instance) -> Fraction:
    """Return the integral of f_L'^2 p between the outermost data points, exactly."""
    total = Fraction(0)
    for (g, d), parts in zip(zip(*_steps(given), strict=True), gap_parts(given), strict=True):
        total += (d / g) ** 2 * sum((width * height for width, height in parts), Fraction(0))
    return total


def least_complexity(given: Instance) -> Fraction:
    """Return the least integral of f'^2 p over all interpolants, the sum of d^2 over the integral of 1/p, exactly."""
    total = Fraction(0)
    for d, parts in zip(_steps(given)[1], gap_parts(given), strict=True):
        total += Fraction(d) ** 2 / sum((width / height for width, height in parts), Fraction(0))
    return total


def _steps(given: Instance) -> tuple[Array, Array]:
    return np.diff(given["x"]), np.diff(given["y"])


def _described_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(spline_complexity(given)), Enclosure.exactly(least_complexity(given))


def _uneven(given: Instance) -> list[Fraction]:
    """Return the data points after which p changes before the next one."""
    pairs = zip(given["x"][:-1], gap_parts(given), strict=True)
    return [Fraction(x) for x, parts in pairs if len({height for _, height in parts}) > 1]


def _reads_described(given: Instance) -> dict[str, Any]:
    widths, changes = _steps(given)
    heights = [parts[0][1] for parts in gap_parts(given)]
    return {
        "m": len(widths),
        "g": widths,
        "d": changes,
        "p": heights,
        "R": [g / p for g, p in zip(widths, heights, strict=True)],
    }


COVERED = Assumption(
    "p is above 0 between the data",
    lambda given: density(given).resistance(given["x"][0], given["x"][-1]),
    lambda resistance: resistance < math.inf,
)

_HAT = PiecewiseLinear([Fraction(1)], [Fraction(-2)], Fraction(1), Fraction(0))
_STEP = PiecewiseLinear([Fraction(1), Fraction(2)], [Fraction(1), Fraction(-1)], Fraction(0), Fraction(0))
_DETOUR = Instance(
    {
        "f": PiecewiseLinear(
            [Fraction(4), Fraction(7)], [Fraction(7, 12), Fraction(-4, 3)], Fraction(3, 4), Fraction(0)
        ),
        "x": rationals([0, 4, 7]),
    },
    "named",
)
"""The function of D5's witness: its own chords."""

D5 = Claim(
    id="D5",
    source=Source(DHERIN2022, "section 2, before eq 4"),
    statement=r"f \text{ has the least } \int \sqrt{1 + f'^2} \text{ at its training error} \iff "
    r"f \text{ has the least } E(f) = \tfrac12 \int f'^2 \text{ at it}",
    form=Form.EQUIVALENCE,
    symbols=(INCREASING, EXACT_TARGETS, FITTED),
    sides=_equivalence_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="It holds at training error 0 (D5.a, D5.b) and for two points. At any other error the residuals of the "
    "shortest function go with the changes of sines, those of the least energy with the changes of slopes. On (0, -3), "
    "(4, 2), (7, 11) at error 26/3 the shortest has chords (4, 3) and (3, 4) and residuals (3, 1, -4); its slopes would "
    "ask for (9, 7, -16). How far Taylor's approximation goes: D5.c.",
    quote="using the Taylor approximation .., it follows that minimizing the arc length is equivalent to minimizing the "
    "classic Dirichlet energy",
    reading="At a given level of training error, as the sentence before has it; over all functions of one input, which "
    "may as well be linear between the data points.",
    witness=Instance(
        {
            "x": rationals([0, 4, 7]),
            "y": rationals([-3, 2, 11]),
            "z": rationals([0, 3, 7]),
            "f": _DETOUR["f"],  # the function with these values, for the repaired claims
        },
        "named",
    ),
    extremal=Instance({"x": rationals([0, 4]), "y": rationals([-1, 4]), "z": rationals([0, 3])}, "named"),
)

D5A = Claim(
    id="D5.a",
    amends="D5",
    source=Source(DHERIN2022, "eq 4, among interpolants"),
    statement=r"E(f) = E(f_L) + E(f - f_L),\quad f_L \text{ the linear spline through } (x_i, f(x_i))",
    form=Form.IDENTITY,
    symbols=(F, POINTS),
    sides=_pythagoras_sides,
    proof=proofs.pythagoras,
    reads=_reads,
    finding=Finding.OURS,
    note="Between the outermost data points. So f_L, and no other interpolant, has the least energy.",
    extremal=_DETOUR,
)

D5B = Claim(
    id="D5.b",
    amends="D5",
    source=Source(DHERIN2022, "arc length, among interpolants"),
    statement=r"\int \sqrt{1 + f'^2} \ge \int \sqrt{1 + f_L'^2} + \frac{E(f - f_L)}{(1 + S^2)^{3/2}},\quad S = \sup |f'|",
    form=Form.AT_LEAST,
    symbols=(F, POINTS),
    sides=_shortest_sides,
    proof=proofs.shortest,
    reads=_reads,
    finding=Finding.OURS,
    note="So f_L, and no other interpolant, is shortest: at training error 0 the two least functions are one.",
    extremal=_DETOUR,
)

D5C = Claim(
    id="D5.c",
    amends="D5",
    source=Source(DHERIN2022, "the Taylor approximation before eq 4"),
    statement=r"|\Omega| + E(f) - \int \sqrt{1 + f'^2} \le \tfrac18 \int f'^4",
    form=Form.AT_MOST,
    symbols=(F, POINTS),
    sides=_taylor_sides,
    proof=proofs.taylor,
    reads=_reads,
    finding=Finding.OURS,
    note="The constant 1/8 is that of the next term of the series.",
    extremal=Instance({"f": PiecewiseLinear([], [], Fraction(0), Fraction(1)), "x": rationals([0, 1])}, "named"),
)

D5D = Claim(
    id="D5.d",
    amends="D5",
    source=Source(DHERIN2022, "the Taylor approximation before eq 4"),
    statement=r"\int \sqrt{1 + f'^2} \le |\Omega| + E(f)",
    form=Form.AT_MOST,
    symbols=(F, POINTS),
    sides=lambda given: (arc_length(found(given)), Enclosure.exactly(_plus_energy(given))),
    proof=proofs.above,
    reads=_reads,
    finding=Finding.OURS,
    note="What is approximated lies below, whatever the slopes; with equality iff f is constant.",
    extremal=Instance({"f": PiecewiseLinear([], [], Fraction(0), Fraction(1)), "x": rationals([0, 1])}, "named"),
)

D6 = Claim(
    id="D6",
    source=Source(DHERIN2022, "section 7"),
    statement=r"f \text{ interpolates with the least } \langle f, D \rangle_G \;\Rightarrow\; f \text{ is shortest among "
    r"interpolants}",
    form=Form.IMPLICATION,
    symbols=(F, POINTS),
    assumptions=(Assumption("f is differentiable at the data", _knots_on_data, lambda knots: not knots),),
    sides=_least_data_complexity_sides,
    finding=Finding.FALSE,
    note="Definition 2.1 looks at f' on the data only: an interpolating network that is flat at each of them has GC 0, "
    "the least, and is as long as one likes. f_L itself has no derivative at data points where it bends. With the "
    "theoretical GC of eq 5 for a uniform density it is D6.a; for other densities D23; with two inputs nothing is "
    "least, D14.b.",
    quote="the interpolating ReLU network with minimal GC is also the piecewise linear function with minimal volume or "
    "length",
    reading="One input, and GC as defined, on the data. The least is 0, which a network with enough units always "
    "attains; shortest is the linear spline (D5.b).",
    witness=Instance({"f": _STEP, "x": rationals([0, 3])}, "named"),
    extremal=Instance({"f": PiecewiseLinear([], [], Fraction(0), Fraction(1)), "x": rationals([0, 1])}, "named"),
)

D6A = Claim(
    id="D6.a",
    amends="D6",
    source=Source(DHERIN2022, "section 7, with eq 5 for a uniform density"),
    statement=r"\int \sqrt{1 + f'^2} - \int \sqrt{1 + f_L'^2} \le \tfrac{|\Omega|}2 \big(GC_u(f) - GC_u(f_L)\big),\quad "
    r"GC_u(f) = \tfrac1{|\Omega|} \int f'^2",
    form=Form.AT_MOST,
    symbols=(F, POINTS),
    sides=_excess_sides,
    proof=proofs.no_longer,
    reads=_reads,
    finding=Finding.OURS,
    note="One input, uniform on the interval of the data: what has the least GC is shortest. D5.b with D5.a is the "
    "other way, so both have one least interpolant, f_L. The sides are given with both arc lengths on their own sides.",
    extremal=_DETOUR,
)

D14 = Claim(
    id="D14",
    source=Source(DHERIN2022, "section 7, with section 2 after eq 5"),
    statement=r"f \text{ has the least } E(f) \text{ among functions through the data} \;\Rightarrow\; f \text{ is smooth}",
    form=Form.IMPLICATION,
    symbols=(F, POINTS),
    sides=_smooth_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="With values given on the boundary of a domain alone it is a textbook theorem (Weyl), cited and not evaluated; "
    "with one input D14.a. With data inside, f_L bends at them. With two inputs nothing is least (D14.b); more are not "
    "evaluated.",
    quote="Minimizers of the Dirichlet energy are harmonic and thus enjoy certain guarantees in regularity; i.e., any "
    "such solution is a smooth function",
    reading="With the data set in place of the boundary condition, as section 2 has it after eq 5, and section 7 for "
    "'smooth interpolation'; one input; smooth between the outermost data points.",
    witness=Instance(
        # The rings are for D14.b.
        {"f": _HAT, "x": rationals([0, 1, 2]), "rings": rationals([1]), "levels": rationals([1, 0])},
        "named",
    ),
    extremal=Instance({"f": _HAT, "x": rationals([0, 1])}, "named"),
)

D14A = Claim(
    id="D14.a",
    amends="D14",
    source=Source(DHERIN2022, "section 7, one input"),
    statement=r"E(f) = \frac{(f(b) - f(a))^2}{2(b - a)} + E(f - \ell),\quad \ell \text{ the line through } (a, f(a)), (b, "
    r"f(b))",
    form=Form.IDENTITY,
    symbols=(F, POINTS),
    assumptions=(
        Assumption("the data are the two ends of the interval", lambda given: len(given["x"]), lambda n: n == 2),
    ),
    sides=_pythagoras_sides,
    proof=proofs.pythagoras,
    reads=_reads,
    finding=Finding.OURS,
    note="So with a boundary condition and no data inside the one least function is a line, which is smooth.",
    extremal=Instance({"f": _STEP, "x": rationals([0, 3])}, "named"),
)

D14B = Claim(
    id="D14.b",
    amends="D14",
    source=Source(DHERIN2022, "section 7, two inputs"),
    statement=r"\tfrac1\pi E(u) = \sum_j \frac{(u_{j+1} - u_j)^2}{g_j} \ge \frac{(u_{m+1} - u_1)^2}{\sum_j g_j},\quad "
    r"g_j = \log(\rho_{j+1} / \rho_j)",
    form=Form.AT_LEAST,
    symbols=(RINGS, LEVELS),
    sides=_capacity_sides,
    proof=proofs.capacity,
    reads=_reads_capacity,
    finding=Finding.OURS,
    note="u depends on the distance to a data point alone, in the plane: u_1 within the first radius, u_{m+1} beyond "
    "the last, and linear in the logarithm of the distance on each ring, where int |u'|^2 is 2 pi d^2 / g. Equality for "
    "one logarithm, whose E goes to 0 as the first radius does: functions through any finite data, one such beside "
    "each, have energies as near to 0 as one likes, and none has 0 unless the targets are equal. So with two inputs no "
    "interpolant has the least E.",
    extremal=Instance({"rings": rationals([1, 2]), "levels": rationals([3, 2, 0])}, "named"),
)

D23 = Claim(
    id="D23",
    source=Source(DHERIN2022, "section 7"),
    statement=r"\int f_L'^2\, p = \min_{f(x_i) = y_i} \int f'^2\, p = \sum_i \frac{(y_{i+1} - y_i)^2}{\int_{x_i}^{x_{i+1}} "
    r"1/p}",
    form=Form.IDENTITY,
    symbols=(INCREASING, EXACT_TARGETS, EDGES, HEIGHTS),
    assumptions=(COVERED,),
    sides=_described_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The least interpolant for a density p has f' p constant between data points (B23.b), and needs p to be "
    "described. For p = 1/2 and 3/2 on the halves of [0, 1] and data (0, 0), (1, 1) the line has 1, the least is 3/4. "
    "With GC on the data, as defined, there are many least functions, and the data describe none of them (D6).",
    quote="In 1D this minimal function can be described only with the information given by the data points",
    reading="'This minimal function' is the interpolant of least GC as eq 5 has it, for the density p of inputs, and "
    "what the data describe is the linear spline f_L.",
    witness=Instance(
        {
            "x": rationals([0, 1]),
            "y": rationals([0, 1]),
            "edges": rationals([0, Fraction(1, 2), 1]),
            "heights": rationals([Fraction(1, 2), Fraction(3, 2)]),
        },
        "named",
    ),
    extremal=Instance(
        {"x": rationals([0, 1]), "y": rationals([0, 1]), "edges": rationals([0, 1]), "heights": rationals([1])}, "named"
    ),
)

D23A = Claim(
    id="D23.a",
    amends="D23",
    source=Source(DHERIN2022, "section 7, with its assumption"),
    statement=r"p \text{ constant on each } (x_i, x_{i+1}):\quad \int f_L'^2\, p = "
    r"\sum_i \frac{(y_{i+1} - y_i)^2}{\int_{x_i}^{x_{i+1}} 1/p}",
    form=Form.IDENTITY,
    symbols=(INCREASING, EXACT_TARGETS, EDGES, HEIGHTS),
    assumptions=(
        COVERED,
        Assumption("p is constant between neighbouring data points", _uneven, lambda where: not where),
    ),
    sides=_described_sides,
    proof=proofs.described,
    reads=_reads_described,
    finding=Finding.OURS,
    note="That the right side is the least is B23.b.",
    extremal=Instance(
        {
            "x": rationals([0, 1, 3]),
            "y": rationals([0, 1, -1]),
            "edges": rationals([0, 1, 3]),
            "heights": rationals([1, Fraction(1, 3)]),
        },
        "named",
    ),
)

CLAIMS = (D5, D5A, D5B, D5C, D5D, D6, D6A, D14, D14A, D14B, D23, D23A)
