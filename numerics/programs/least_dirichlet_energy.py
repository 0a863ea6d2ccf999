"""The least Dirichlet energy E(f) = (1/2) int f'^2 p of functions of one input at a given training error (B23).

On a piece of width R, the integral of 1/p over it, E >= d^2 / (2R) for the change d of f (Cauchy and Schwarz), with equality
iff f' p is constant. So the values at the data points solve a quadratic program whose matrix is tridiagonal: with a
multiplier mu >= 0 they satisfy (L + mu) (y - z) = L y, and mu is where the training error is as asked for. The dual:
d^2 / (2R) >= q d - R q^2 / 2 for any q.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from numerics.programs.training_error import (
    DifferenceCertificate,
    ErrorProblem,
    checked_multipliers,
    error_problem,
    quadratic_optimum,
    reachable,
    spline,
    within_error,
)
from theory.checks import Array, Reals, rationals
from theory.enclosure import rounded, rounded_down
from theory.piecewise_linear import PiecewiseLinear
from theory.step_density import StepDensity


@dataclass(frozen=True, eq=False)
class LeastDirichletEnergy:
    """A function of little energy at a training error, and a bound below which no function of that error has it.

    Attributes:
        value: the lower bound, rounded down, checked in rational arithmetic without the solver.
        primal: the energy of the function, rounded up.
        gap: primal - value, >= 0.
        function: through values at the data points whose exact training error is at most the one asked for; linear between
            them (and the edges of a density), constant beyond.
        certificate: what the bound rests on.
        problem: what was solved, for `check_energy_certificate`.
    """

    value: float
    primal: float
    gap: float
    function: PiecewiseLinear
    certificate: DifferenceCertificate
    problem: ErrorProblem


def least_dirichlet_energy(
    x: Reals, y: Reals, training_error: float, *, density: StepDensity | None = None
) -> LeastDirichletEnergy:
    """Return the least (1/2) int f'^2 p over functions of a training error at most this, and a function that has it.

    The integral is over the whole line: the function is constant beyond the data, and so on any interval that holds them
    none has less. With p a density of inputs it is half of the least theoretical geometric complexity (dherin2022, eq 5);
    with p = 1 it is the Dirichlet energy (eq 4).

    Args:
        x: distinct data points, [n], n >= 2; rationals are rounded to floats first.
        y: targets, [n].
        training_error: the largest (1/n) sum (f(x_i) - y_i)^2, >= 0; with 0 the function interpolates.
        density: p; 1 everywhere if it is not given.

    Raises:
        TypeError: if an entry is no real number, or the density is no `StepDensity`.
        ValueError: if the data are malformed (fewer than two points, equal ones, different lengths, nan or inf), or the
            training error is negative or not finite.

    Example:
        >>> from numerics.programs import least_dirichlet_energy
        >>> least = least_dirichlet_energy([0, 1, 2], [0, 3, 0], training_error=1/2)
        >>> round(least.value, 4), round(least.primal, 4), round(float(least.function(1.0)), 4)
        (2.25, 2.25, 2.0)
    """
    if density is not None and not isinstance(density, StepDensity):
        raise TypeError(f"density must be a StepDensity, got {type(density).__name__}")
    problem = error_problem(x, y, training_error)
    if density is not None:
        ends = rationals(problem.x)
        widths = np.empty(len(ends) - 1, dtype=object)
        widths[:] = [density.resistance(a, b) for a, b in pairwise(ends)]
        problem = ErrorProblem(problem.x, problem.y, problem.training_error, widths)
    values, multipliers = quadratic_optimum(problem, np.array([float(width) for width in problem.widths]))
    values, certificate = within_error(problem, values), DifferenceCertificate(multipliers)
    value = check_energy_certificate(problem, certificate)
    function, primal = _function(problem, values, density)
    return LeastDirichletEnergy(value, primal, primal - value, function, certificate, problem)


def check_energy_certificate(problem: ErrorProblem, certificate: DifferenceCertificate) -> float:
    """Return the lower bound on the energy that a dual point gives, in rational arithmetic, rounded down.

    Any numbers make a valid bound; on pieces of infinite width they count as 0.

    Raises:
        TypeError: if a multiplier is no real number.
        ValueError: if there is not one for each piece, or one is nan or inf.

    Example:
        >>> from numerics.programs import check_energy_certificate, least_dirichlet_energy
        >>> least = least_dirichlet_energy([0, 1, 2], [0, 3, 0], training_error=1/2)
        >>> round(check_energy_certificate(least.problem, least.certificate), 4)
        2.25
    """
    q = [
        Fraction(0) if width == math.inf else number
        for number, width in zip(checked_multipliers(problem, certificate), problem.widths, strict=True)
    ]
    costs = (
        _upward(Fraction(width)) * number * number
        for number, width in zip(q, problem.widths, strict=True)
        if number != 0
    )
    return rounded_down(max(reachable(problem, q) - sum(costs, Fraction(0)) / 2, Fraction(0)))


def _upward(width: Fraction) -> Fraction:
    """Return a rational at or just above one, with a power of 2 below: sums of such stay short."""
    if width.denominator & (width.denominator - 1) == 0:
        return width
    shift = 120 + max(0, width.denominator.bit_length() - width.numerator.bit_length())
    return Fraction(-(-(width.numerator << shift) // width.denominator), 1 << shift)


def _function(problem: ErrorProblem, values: Array, density: StepDensity | None) -> tuple[PiecewiseLinear, float]:
    """Return the function through the values at the data points, and its energy, rounded up."""
    if density is None:
        return spline(problem.x, values), _energy(values, problem.widths)
    points, outputs = [problem.x[0]], [values[0]]
    for i, width in enumerate(problem.widths):
        parts, done = density.pieces(problem.x[i], problem.x[i + 1]), Fraction(0)
        free = sum((end - start for start, end, height in parts if height == 0), Fraction(0))
        for start, end, height in parts[:-1]:
            # Where the density is 0 a change costs nothing; else it goes with 1 / density.
            done += (end - start) / free * (height == 0) if free else (end - start) / height / width
            if points[-1] < float(end) < problem.x[i + 1]:
                points.append(float(end))
                outputs.append(values[i] + (values[i + 1] - values[i]) * float(done))
        points.append(problem.x[i + 1])
        outputs.append(values[i + 1])
    masses = [
        sum(((end - start) * height for start, end, height in density.pieces(a, b)), Fraction(0))
        for a, b in pairwise(points)
    ]
    runs = np.diff(rationals(points))
    with_p = [run**2 / mass if mass else math.inf for run, mass in zip(runs, masses, strict=True)]
    return spline(np.array(points), np.array(outputs)), _energy(outputs, with_p)


def _energy(outputs: Reals, widths: Sequence[Any] | Array) -> float:
    """Return the sum of half of rise^2 / width over the pieces between points, rounded up.

    Each term is rounded up to a float, so that the sum of many stays a short rational.
    """
    rises = np.diff(rationals(outputs))
    terms = (rise**2 / (2 * width) for rise, width in zip(rises, widths, strict=True) if width != math.inf)
    return rounded(sum((Fraction(rounded(Fraction(term), math.inf)) for term in terms), Fraction(0)), math.inf)
