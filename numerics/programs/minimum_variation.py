"""The least variation TV(f) = int |f'| between the outermost data points, as a linear program with an exact dual check.

TV(f) >= sum |d_i|, d_i the change of f from one data point to the next, and the linear spline through the values of f has
equality, slopes between those of f and bends no other way than f. So only the values at the data points matter, and
without constraints the least TV(f) is sum |y_{i+1} - y_i|. For any q_i in [-1, 1], any rho_i and any kappa_j >= 0, for
functions that must be convex, or <= 0, for concave ones,

    sum |d_i| >= sum q_i d_i = sum p_i f(x_i) + sum rho_i d_i + sum kappa_j (s_{j+1} - s_j),   s_i the slope on piece i,

with p that follows from the rest. The last sum is >= 0, the others are at least what tubes and slope bounds leave. A
certificate is q, rho and kappa, and its check a few sums of rationals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array, hstack, vstack

from numerics.programs.minimum_curvature import Bend, CurvatureProblem, curvature_problem, linear_optimum
from theory.checks import Array, Reals, floats, rationals, real_array
from theory.enclosure import rounded_down
from theory.piecewise_linear import PiecewiseLinear


@dataclass(frozen=True, eq=False)
class VariationCertificate:
    """A dual point of the pieces between data points and of the inner data points.

    Attributes:
        directions: q, [n - 1].
        slopes: rho, [n - 1].
        bends: kappa, [n - 2].
    """

    directions: Array
    slopes: Array
    bends: Array


@dataclass(frozen=True, eq=False)
class MinimumVariation:
    """A function of little variation, and a bound below which no function of the class has it.

    Attributes:
        value: the lower bound, rounded down, checked in rational arithmetic without the solver.
        primal: the variation of the function between the outermost data points.
        gap: primal - value, >= 0 up to the violation.
        function: a linear spline.
        violation: by how much it leaves a slope bound or bends the wrong way, at most; it is in all tubes.
        certificate: what the bound rests on.
        problem: what was solved, for `check_variation_certificate`.
    """

    value: float
    primal: float
    gap: float
    function: PiecewiseLinear
    violation: float
    certificate: VariationCertificate
    problem: CurvatureProblem


def minimum_variation(
    x: Reals,
    y: Reals,
    *,
    tube: float | Reals = 0.0,
    slopes: tuple[float, float] = (-math.inf, math.inf),
    bend: Bend | None = None,
) -> MinimumVariation:
    """Return the least TV(f) over functions with |f(x_i) - y_i| <= tube, and a function that has it.

    Args:
        x: distinct data points, [n], n >= 2.
        y: targets, [n].
        tube: how far f may be from the targets, >= 0, a number or [n].
        slopes: the least and the largest slope of f: (0, inf) for a rising function, (-L, L) for a Lipschitz constant.
        bend: "convex" or "concave" if f must be that.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (fewer than two points, equal ones), an argument is out of its range, or no
            function satisfies the constraints.
        RuntimeError: if the solver does not finish.

    Example:
        >>> from numerics.programs import minimum_variation
        >>> least = minimum_variation([0, 1, 2, 3], [0, 1, 0, 1], tube=0.1)
        >>> round(least.value, 4), round(least.primal, 4)
        (2.4, 2.4)
    """
    problem = curvature_problem(x, y, tube=tube, slopes=slopes, bend=bend)
    values, certificate = _solve(problem)
    value = check_variation_certificate(problem, certificate)
    values = np.clip(values, floats("lower", problem.lower), floats("upper", problem.upper))
    function = PiecewiseLinear.interpolate(floats("x", problem.x), values)
    primal = math.fsum(np.abs(np.diff(values)))
    inner, (lowest, highest) = np.asarray(function.slopes, dtype=np.float64), problem.slopes
    wrong = {None: 0.0, "convex": -1.0, "concave": 1.0}[problem.bend] * np.diff(inner)
    violation = max(float(np.max(part, initial=0.0)) for part in (lowest - inner, inner - highest, wrong))
    return MinimumVariation(value, primal, primal - value, function, violation, certificate, problem)


def check_variation_certificate(problem: CurvatureProblem, certificate: VariationCertificate) -> float:
    """Return the lower bound that a dual point gives, in rational arithmetic, rounded down.

    Any numbers make a valid bound: those out of their range are taken as the nearest ones in it.

    Raises:
        TypeError: if an entry of the certificate is no real number.
        ValueError: if an array of the certificate has a wrong length or holds nan or inf.

    Example:
        >>> from numerics.programs import check_variation_certificate, minimum_variation
        >>> least = minimum_variation([0, 1, 2, 3], [0, 1, 0, 1], tube=0.1)
        >>> round(check_variation_certificate(least.problem, least.certificate), 4)
        2.4
    """
    parts = [
        real_array(name, part)
        for name, part in (
            ("directions", certificate.directions),
            ("slopes", certificate.slopes),
            ("bends", certificate.bends),
        )
    ]
    n = len(problem.x)
    if [len(part) for part in parts] != [n - 1, n - 1, n - 2]:
        raise ValueError(
            f"a certificate must hold {n - 1} directions, {n - 1} slopes and {n - 2} bends, "
            f"got {', '.join(str(len(part)) for part in parts)}"
        )
    gaps = np.diff(problem.x)
    q = [min(max(Fraction(number), Fraction(-1)), Fraction(1)) for number in rationals(parts[0])]
    lowest, highest = problem.slopes
    # A positive rho asks for a least slope, a negative one for a largest.
    rho = [
        number if math.isfinite(lowest if number > 0 else highest) else Fraction(0) for number in rationals(parts[1])
    ]
    sign = {None: 0, "convex": 1, "concave": -1}[problem.bend]
    kappa = [Fraction(0), *(sign * max(sign * number, Fraction(0)) for number in rationals(parts[2])), Fraction(0)]
    bent = [(before - after) / gap for before, after, gap in zip(kappa, kappa[1:], gaps, strict=False)]
    rest = [number - slope - part for number, slope, part in zip(q, rho, bent, strict=True)]
    p = [before - after for before, after in zip([Fraction(0), *rest], [*rest, Fraction(0)], strict=True)]
    bound = sum(
        (
            weight * (low if weight > 0 else high)
            for weight, low, high in zip(p, problem.lower, problem.upper, strict=True)
        ),
        Fraction(0),
    )
    bound += sum(
        (
            number * Fraction(lowest if number > 0 else highest) * gap
            for number, gap in zip(rho, gaps, strict=True)
            if number
        ),
        Fraction(0),
    )
    return rounded_down(max(bound, Fraction(0)))


def _solve(problem: CurvatureProblem) -> tuple[Array, VariationCertificate]:
    """Return the values at the data points, [n], and the dual point that the solver ends with.

    Raises:
        ValueError: if no function satisfies the constraints.
        RuntimeError: if the solver does not finish.
    """
    n, (lowest, highest) = len(problem.x), problem.slopes
    span = problem.x[-1] - problem.x[0]
    middle = (np.max(problem.upper) + np.min(problem.lower)) / 2
    reach = np.max(problem.upper) - np.min(problem.lower) or Fraction(1)
    gaps = floats("gaps", np.diff(problem.x) / span)
    change = csr_array(diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n)))
    slope = csr_array(diags_array(1 / gaps)) @ change
    size, none = csr_array(eye_array(n - 1)), csr_array((n - 1, n - 1))
    rows, limits = [hstack([change, -size]), hstack([-change, -size])], [np.zeros(2 * (n - 1))]
    finite = [
        (sign, sign * bound * float(span / reach))
        for sign, bound in ((1, highest), (-1, lowest))
        if math.isfinite(bound)
    ]
    for sign, bound in finite:
        rows.append(hstack([sign * slope, none]))
        limits.append(np.full(n - 1, bound))
    bending = 0 if problem.bend is None or n < 3 else -1 if problem.bend == "convex" else 1
    if bending:
        rows.append(hstack([bending * (slope[1:] - slope[:-1]), none[1:]]))
        limits.append(np.zeros(n - 2))
    tubes = [
        (float((low - middle) / reach), float((high - middle) / reach))
        for low, high in zip(problem.lower, problem.upper, strict=True)
    ]
    result = linear_optimum(
        problem,
        np.concatenate([np.zeros(n), np.ones(n - 1)]),
        A_ub=vstack(rows),
        b_ub=np.concatenate(limits),
        bounds=[*tubes, *[(0.0, None)] * (n - 1)],
    )
    multipliers = np.split(result.ineqlin.marginals, np.cumsum([n - 1] * (2 + len(finite))))
    rho = np.zeros(n - 1)
    for (sign, _), part in zip(finite, multipliers[2:], strict=False):
        rho += sign * part / gaps
    kappa = bending * multipliers[-1] * float(span) if bending else np.zeros(n - 2)
    values = floats("f", rationals(result.x[:n]) * reach + middle)
    return values, VariationCertificate(multipliers[1] - multipliers[0], rho, kappa)
