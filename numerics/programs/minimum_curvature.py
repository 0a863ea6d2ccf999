"""The least integral of |f''| times a weight over functions through data, as a linear program with an exact dual check.

f is linear between breakpoints: the data points and, optionally, a grid; f'' = sum_k J_k delta(t_k). The dual has a
multiplier rho_k for the slope of each piece and a function P(t) = sum_i p_i (x_i - t)_+ + (the rho right of t), 0 at the
outermost data points and outside. For every f

    sum_k P(t_k) J_k = sum_i p_i f(x_i) + sum_k rho_k f'_k,

so if |P| <= w, where f may bend to both sides, sum |J_k| w(t_k) is at least the least of the right side that tubes and
slope bounds leave. Between data points P is linear but for the rho. Hence a certificate is the values of P at data points
and the rho; p follows from them, and the check is a few sums of rationals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack, vstack

from theory.checks import Array, Reals, data_set, floats, rationals, real_array
from theory.enclosure import rounded_down
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import weight_enclosure

NamedWeight = Literal["unit", "stability"]
"""w = 1, or the weight g of minima stability, at data points the lower of its limits (`theory.beyond.lowest_weight`)."""

Weight = NamedWeight | Callable[[Array], Reals]
"""A named weight, or a function of points [m] that returns finite numbers >= 0, [m]."""

Bend = Literal["convex", "concave"]

PRECISION = 1e-10
"""The feasibility tolerance of the linear program, in units of the ranges of x and y; the least that HiGHS takes."""


@dataclass(frozen=True, eq=False)
class CurvatureProblem:
    """Data, what a function may do to them, and what its curvature costs.

    Attributes:
        x: data points, increasing, [n].
        lower: least values there, [n].
        upper: largest values there, [n].
        breakpoints: where f may bend: x and a grid between its ends, increasing, [m]. All these are exact rationals.
        weights: lower bounds on w at the breakpoints, rationals, [m].
        slopes: the least and the largest slope, perhaps infinite.
        bend: "convex", "concave" or None for both.
        everywhere: whether bounds from the breakpoints hold for knots anywhere: w is at least linear between them.
    """

    x: Array
    lower: Array
    upper: Array
    breakpoints: Array
    weights: Array
    slopes: tuple[float, float]
    bend: Bend | None
    everywhere: bool


@dataclass(frozen=True, eq=False)
class CurvatureCertificate:
    """A dual point: values of P at the data points, [n], and the multipliers of the slopes of the pieces, [m - 1]."""

    bends: Array
    slopes: Array


@dataclass(frozen=True, eq=False)
class MinimumCurvature:
    """A function of little curvature, and a bound below which no function of the class has it.

    Attributes:
        value: the lower bound, rounded down, checked in rational arithmetic without the solver.
        primal: sum |jump| w(knot) of the function.
        gap: primal - value, >= 0 up to the violation.
        function: linear outside the data. For the weight "stability" its knots on data points count with the lower limit
            of g, which functions with knots moved to that side approach.
        violation: by how much the function leaves a tube or a slope bound, at most.
        everywhere: whether the bound holds for functions with knots anywhere, not only at the breakpoints.
        certificate: what the bound rests on.
        problem: what was solved, for `check_curvature_certificate`.
    """

    value: float
    primal: float
    gap: float
    function: PiecewiseLinear
    violation: float
    everywhere: bool
    certificate: CurvatureCertificate
    problem: CurvatureProblem


def minimum_curvature(
    x: Reals,
    y: Reals,
    *,
    weight: Weight = "unit",
    knots: Reals = (),
    tube: float | Reals = 0.0,
    slopes: tuple[float, float] = (-math.inf, math.inf),
    bend: Bend | None = None,
) -> MinimumCurvature:
    """Return the least int |f''| w over functions with |f(x_i) - y_i| <= tube, and a function that has it.

    With w = 1 and no tube this is V7: the variation of the slope of the linear spline. With g it is the infimum of B1.a,
    `theory.beyond.smallest_curvature`. For named weights the minimum over knots at data points is the infimum over all
    functions: g is concave between data points.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].
        weight: w: "unit", "stability", or a function that is asked at the breakpoints; its floats count as exact.
        knots: where f may bend besides at data points, [k]; those not between the outermost data points are of no use.
        tube: how far f may be from the targets, >= 0, a number or [n].
        slopes: the least and the largest slope of f: (0, inf) for a rising function, (-L, L) for a Lipschitz constant.
        bend: "convex" or "concave" if f must be that.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (fewer than two points, equal ones), an argument is out of its range, or no
            function satisfies the constraints.
        RuntimeError: if the solver does not finish.

    Example:
        >>> from numerics.programs import minimum_curvature
        >>> least = minimum_curvature([0, 1, 2, 3], [0, 1, 0, 1], tube=0.1)
        >>> round(least.value, 4), round(least.primal, 4)
        (3.2, 3.2)
    """
    problem = curvature_problem(x, y, weight=weight, knots=knots, tube=tube, slopes=slopes, bend=bend)
    values, certificate = _solve(problem)
    value = check_curvature_certificate(problem, certificate)
    function, violation = _function(problem, values)
    at = dict(zip(floats("t", problem.breakpoints), floats("w", problem.weights), strict=True))
    primal = math.fsum(abs(jump) * at[knot] for knot, jump in zip(function.knots, function.jumps, strict=True))
    return MinimumCurvature(
        value, primal, primal - value, function, violation, problem.everywhere, certificate, problem
    )


def curvature_problem(
    x: Reals,
    y: Reals,
    *,
    weight: Weight = "unit",
    knots: Reals = (),
    tube: float | Reals = 0.0,
    slopes: tuple[float, float] = (-math.inf, math.inf),
    bend: Bend | None = None,
) -> CurvatureProblem:
    """Return the checked problem; arguments and errors as for `minimum_curvature`.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if an argument is malformed, or tubes and slope bounds contradict each other.
    """
    points, targets = (rationals(part) for part in data_set(x, y))
    scalar = isinstance(tube, (int, float, Fraction, np.number))
    widths = real_array("tube", [tube] * len(points) if scalar else tube)
    if len(widths) != len(points) or np.any(widths < 0):
        raise ValueError(f"tube must be a number >= 0 or one for each of the {len(points)} points, got {tube!r}")
    if not scalar:
        widths = widths[np.argsort(real_array("x", x), kind="stable")]
    lowest, highest = (float(bound) for bound in slopes)
    if not lowest <= highest or lowest == math.inf or highest == -math.inf:
        raise ValueError(f"slopes must be the least and the largest slope, in this order, got {slopes}")
    if bend is not None and bend not in get_args(Bend):
        raise ValueError(f"bend must be 'convex', 'concave' or None, got {bend!r}")
    inside = [knot for knot in rationals(real_array("knots", knots)) if points[0] < knot < points[-1]]
    breakpoints = rationals(sorted({*points, *inside}))
    lower, upper = targets - rationals(widths), targets + rationals(widths)
    _check_slopes(points, lower, upper, lowest, highest)
    weights = rationals(_weights(weight, breakpoints, points))
    return CurvatureProblem(
        points, lower, upper, breakpoints, weights, (lowest, highest), bend, isinstance(weight, str)
    )


def check_curvature_certificate(problem: CurvatureProblem, certificate: CurvatureCertificate) -> float:
    """Return the lower bound that a dual point gives, in rational arithmetic, rounded down.

    Any numbers make a valid bound: multipliers of a wrong sign are taken as 0 and too large values of P scaled down.

    Raises:
        TypeError: if an entry of the certificate is no real number.
        ValueError: if an array of the certificate has a wrong length or holds nan or inf.

    Example:
        >>> from numerics.programs import check_curvature_certificate, minimum_curvature
        >>> least = minimum_curvature([0, 1, 2, 3], [0, 1, 0, 1], tube=0.1)
        >>> round(check_curvature_certificate(least.problem, least.certificate), 4)
        3.2
    """
    bends, rho = real_array("bends", certificate.bends), real_array("slopes", certificate.slopes)
    n, m = len(problem.x), len(problem.breakpoints)
    if len(bends) != n or len(rho) != m - 1:
        raise ValueError(f"a certificate must hold {n} bends and {m - 1} slopes, got {len(bends)} and {len(rho)}")
    lowest, highest = problem.slopes
    usable = np.where(rho > 0, math.isfinite(lowest), math.isfinite(highest))
    rho = rationals([*np.where(usable, rho, 0 * rho), 0])
    right = np.cumsum(rho[::-1])[::-1]  # the sum of the rho right of each breakpoint
    at_data = np.searchsorted(problem.breakpoints, problem.x)
    P = rationals(bends)
    least, most = _limits(problem)
    for i, k in enumerate(at_data):
        # f does not bend at the outermost data points, nor beyond: nothing may be gained there.
        P[i] = min(max(P[i], least[k]), most[k]) if 0 < i < n - 1 else Fraction(0)
    Q = P - right[at_data]
    pieces = np.diff(Q) / np.diff(problem.x)
    p = np.diff(np.concatenate([[Fraction(0)], pieces, [Fraction(0)]]))
    piece = np.clip(np.searchsorted(problem.x, problem.breakpoints, side="right") - 1, 0, n - 2)
    whole = Q[piece] + pieces[piece] * (problem.breakpoints - problem.x[piece]) + right
    scale = Fraction(1)
    for value, low, high in zip(whole[1:-1], least[1:-1], most[1:-1], strict=True):
        limit = high if value > 0 else low
        if abs(value) > abs(limit):
            scale = min(scale, limit / value)
    outputs = np.where(p > 0, problem.lower, problem.upper)
    total = sum(p * outputs, Fraction(0))
    total += sum((r * Fraction(lowest if r > 0 else highest) for r in rho if r != 0), Fraction(0))
    return rounded_down(max(scale * total, Fraction(0)))


def _limits(problem: CurvatureProblem) -> tuple[list[Fraction | float], list[Fraction | float]]:
    """Return the least and the largest values of P at the breakpoints: w, or none where f must not bend that way."""
    most = [math.inf if problem.bend == "concave" else w for w in problem.weights]
    least = [-math.inf if problem.bend == "convex" else -w for w in problem.weights]
    return least, most


def _weights(weight: Weight, breakpoints: Array, x: Array) -> Array:
    """Return lower bounds on w at the breakpoints, [m].

    Raises:
        TypeError: if the weight is neither a name nor a function, or returns something other than real numbers.
        ValueError: if the name is unknown, or the function returns another shape, nan, inf or negative numbers.
    """
    if weight == "unit":
        return np.ones(len(breakpoints))
    if weight == "stability":
        left, right = (weight_enclosure(breakpoints, x, side=side)[0] for side in ("left", "right"))
        return np.array([min(pair) for pair in zip(left, right, strict=True)], dtype=object)
    if isinstance(weight, str):
        raise ValueError(
            f"weight must be a function or one of {', '.join(map(repr, get_args(NamedWeight)))}, got {weight!r}"
        )
    if not callable(weight):
        raise TypeError(f"weight must be a function or a name, got {type(weight).__name__}")
    values = real_array("weight(t)", weight(floats("t", breakpoints)))
    if len(values) != len(breakpoints) or np.any(values < 0):
        raise ValueError(f"weight must return one number >= 0 for each of the {len(breakpoints)} points, got {values}")
    return values


def _check_slopes(x: Array, lower: Array, upper: Array, lowest: float, highest: float) -> None:
    """Raise unless some function with slopes between the bounds passes through all tubes.

    Raises:
        ValueError: if none does, naming the first data point that cannot be reached.
    """
    low, high = lower[0], upper[0]
    for i in range(1, len(x)):
        gap = x[i] - x[i - 1]
        low = max(lower[i], low + Fraction(lowest) * gap) if math.isfinite(lowest) else lower[i]
        high = min(upper[i], high + Fraction(highest) * gap) if math.isfinite(highest) else upper[i]
        if low > high:
            raise ValueError(
                f"no function with slopes in [{lowest}, {highest}] passes through the tubes up to x = {float(x[i])}"
            )


def _solve(problem: CurvatureProblem) -> tuple[Array, CurvatureCertificate]:
    """Return the values of f at the breakpoints, [m], and the dual point that the solver ends with.

    Raises:
        ValueError: if no function satisfies the constraints.
        RuntimeError: if the solver does not finish.
    """
    m, (lowest, highest) = len(problem.breakpoints), problem.slopes
    span, start = problem.x[-1] - problem.x[0], problem.x[0]
    middle = (np.max(problem.upper) + np.min(problem.lower)) / 2
    reach = np.max(problem.upper) - np.min(problem.lower) or Fraction(1)
    heaviest = np.max(problem.weights) or Fraction(1)
    t = floats("x", (problem.breakpoints - start) / span)
    w = floats("weights", problem.weights / heaviest)[1:-1]
    slope = _slopes(t)
    change = slope[1:] - slope[:-1]
    rows = hstack([change, -csr_array(np.eye(m - 2)), csr_array(np.eye(m - 2))]) if m > 2 else None
    pad = csr_array((m - 1, 2 * (m - 2)))
    limits = [(1, highest), (-1, -lowest)]
    finite = [(sign, bound * float(span / reach)) for sign, bound in limits if math.isfinite(bound)]
    bounds: list[tuple[float | None, float | None]] = [(None, None)] * m
    for k, low, high in zip(np.searchsorted(problem.breakpoints, problem.x), problem.lower, problem.upper, strict=True):
        bounds[k] = (float((low - middle) / reach), float((high - middle) / reach))
    for forbidden in ("concave", "convex"):
        bounds += [(0.0, 0.0 if problem.bend == forbidden else None)] * (m - 2)
    result = linear_optimum(
        problem,
        np.concatenate([np.zeros(m), w, w]),
        A_ub=vstack([hstack([sign * slope, pad]) for sign, _ in finite]) if finite else None,
        b_ub=np.concatenate([np.full(m - 1, bound) for _, bound in finite]) if finite else None,
        A_eq=rows,
        b_eq=np.zeros(m - 2) if m > 2 else None,
        bounds=bounds,
    )
    at_data = np.searchsorted(problem.breakpoints, problem.x)
    bends = np.zeros(m)
    if m > 2:
        bends[1:-1] = -result.eqlin.marginals
    rho = np.zeros(m - 1)
    for part, (sign, _) in enumerate(finite):
        rho += sign * result.ineqlin.marginals[part * (m - 1) : (part + 1) * (m - 1)]
    scale = float(heaviest)
    values = floats("f", rationals(result.x[:m]) * reach + middle)
    return values, CurvatureCertificate(scale * bends[at_data], scale * rho)


def linear_optimum(problem: CurvatureProblem, costs: Array, **constraints: Any) -> Any:
    """Return what scipy's `linprog` finds for costs and constraints that state a problem.

    Raises:
        ValueError: if no function satisfies the constraints.
        RuntimeError: if the solver does not finish.
    """
    precise = {"primal_feasibility_tolerance": PRECISION, "dual_feasibility_tolerance": PRECISION}
    result: Any = linprog(costs, **constraints, method="highs", options=precise)
    if result.status == 2:
        bend = f"{problem.bend} " if problem.bend else ""
        raise ValueError(f"no {bend}function with slopes in {list(problem.slopes)} passes through all tubes")
    if result.status != 0:
        raise RuntimeError(f"the linear program was not solved: {result.message}")
    return result


def _slopes(t: Array) -> Any:
    """Return the matrix that takes values at the points t, [m], to the slopes between them, [m - 1]; sparse."""
    m, share = len(t), 1 / np.diff(t)
    rows = np.arange(m - 1)
    entries, places = np.concatenate([-share, share]), (np.tile(rows, 2), np.concatenate([rows, rows + 1]))
    return csr_array(coo_array((entries, places), shape=(m - 1, m)))


def _function(problem: CurvatureProblem, values: Array) -> tuple[PiecewiseLinear, float]:
    """Return the function with the values at the breakpoints, [m], and by how much it leaves its bounds.

    What a solver leaves in place of no jump would add up on a fine grid: such breakpoints are left out.
    """
    t, x = floats("x", problem.breakpoints), floats("x", problem.x)
    lower, upper = floats("lower", problem.lower), floats("upper", problem.upper)
    at_data = np.searchsorted(problem.breakpoints, problem.x)
    values = values.copy()
    values[at_data] = np.clip(values[at_data], lower, upper)
    changes = np.diff(np.diff(values) / np.diff(t))
    bent = np.ones(len(t), dtype=bool)
    gaps = np.minimum(np.diff(t)[1:], np.diff(t)[:-1])
    noise = 10 * PRECISION * (np.max(upper) - np.min(lower)) / gaps
    bent[1:-1] = np.abs(changes) > np.maximum(noise, 1e-8 * np.max(np.abs(changes), initial=0.0))
    bent[at_data] |= problem.lower == problem.upper
    f = PiecewiseLinear.interpolate(t[bent], values[bent])
    outputs, (lowest, highest) = f(x), problem.slopes
    excess = [lower - outputs, outputs - upper, lowest - f.slopes, f.slopes - highest]
    return f, float(max(0.0, *(float(np.max(part)) for part in excess)))
