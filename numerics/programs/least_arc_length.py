"""The least arc length int sqrt(1 + f'^2) of functions of one input at a given training error (B23).

Over a piece of width g the graph is at least as long as its chord, sqrt(g^2 + d^2) for the change d of f. So the values at
the data points solve a second-order cone program. The dual: sqrt(g^2 + d^2) >= q d + g sqrt(1 - q^2) for q in [-1, 1], the
sine of a direction, with equality for the direction of the chord.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cvxpy as cp
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
from theory.enclosure import EPS, rounded, rounded_down, square_root
from theory.piecewise_linear import PiecewiseLinear

MOST_ROUNDS = 60
"""So many quadratic programs at most follow the cone program."""


@dataclass(frozen=True, eq=False)
class LeastArcLength:
    """A function of little arc length at a training error, and a bound below which no function of that error has it.

    Attributes:
        value: the lower bound, rounded down, checked in rational arithmetic without the solver.
        primal: the arc length of the function between the outermost data points, rounded up.
        gap: primal - value, >= 0.
        function: through values at the data points whose exact training error is at most the one asked for; linear between
            them, constant beyond.
        certificate: what the bound rests on.
        problem: what was solved, for `check_length_certificate`.
    """

    value: float
    primal: float
    gap: float
    function: PiecewiseLinear
    certificate: DifferenceCertificate
    problem: ErrorProblem


def least_arc_length(x: Reals, y: Reals, training_error: float) -> LeastArcLength:
    """Return the least arc length over functions of a training error at most this, and a function that has it.

    Between the outermost data points; on a longer interval the least is longer by what was added, as the function is
    constant beyond the data.

    Args:
        x: distinct data points, [n], n >= 2; rationals are rounded to floats first.
        y: targets, [n].
        training_error: the largest (1/n) sum (f(x_i) - y_i)^2, >= 0; with 0 the function interpolates.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (fewer than two points, equal ones, different lengths, nan or inf), or the
            training error is negative or not finite.
        RuntimeError: if the solver returns nothing at all.

    Example:
        >>> from numerics.programs import least_arc_length
        >>> least = least_arc_length([0, 4, 7], [-3, 2, 11], training_error=26/3)
        >>> round(least.value, 4), round(least.primal, 4), [round(float(v), 3) for v in least.function([0.0, 4.0, 7.0])]
        (10.0, 10.0, [0.0, 3.0, 7.0])
    """
    problem = error_problem(x, y, training_error)
    starts = [quadratic_optimum(problem, np.asarray(problem.widths, dtype=np.float64))]
    if 0 < problem.training_error < np.var(problem.y):
        starts.append(_solve(problem))
    best = _Best(problem)
    for values, multipliers in starts:
        best.consider(values, multipliers)
    # With chords as widths the quadratic program has the least arc length as its fixed point, and is solved to more digits.
    for _ in range(MOST_ROUNDS):
        before = best.gap
        if before <= 4 * EPS * best.primal:
            break
        rises = np.diff(best.values)
        best.consider(*quadratic_optimum(problem, np.hypot(np.asarray(problem.widths, dtype=np.float64), rises)))
        if best.gap > 0.9 * before:
            break
    function, certificate = spline(problem.x, best.values), DifferenceCertificate(best.multipliers)
    return LeastArcLength(best.value, best.primal, best.gap, function, certificate, problem)


class _Best:
    """The shortest function so far, and the best bound, of a problem."""

    def __init__(self, problem: ErrorProblem) -> None:
        self.problem, self.values, self.primal = problem, problem.y, math.inf
        self.multipliers: Array = np.zeros(len(problem.y) - 1)
        self.value = check_length_certificate(problem, DifferenceCertificate(self.multipliers))

    @property
    def gap(self) -> float:
        """How far the two are apart."""
        return self.primal - self.value

    def consider(self, values: Array, multipliers: Array) -> None:
        """Take values at the data points, [n], and multipliers, [n - 1], where they are better than what there is."""
        values = within_error(self.problem, values)
        primal = _length(self.problem, values)
        if primal < self.primal:
            self.values, self.primal = values, primal
        gaps, rises = np.asarray(self.problem.widths, dtype=np.float64), np.diff(values)
        for q in (multipliers, rises / np.hypot(gaps, rises)):
            if np.all(np.isfinite(q)):
                value = check_length_certificate(self.problem, DifferenceCertificate(q))
                if value > self.value:
                    self.value, self.multipliers = value, q


def _length(problem: ErrorProblem, values: Array) -> float:
    """Return the arc length of the function with these values at the data points, rounded up."""
    rises = np.diff(rationals(values))
    chords = (square_root(width**2 + rise**2).upper for width, rise in zip(problem.widths, rises, strict=True))
    # Each chord is rounded up to a float, so that the sum of many stays a short rational.
    return rounded(sum((Fraction(rounded(Fraction(chord), math.inf)) for chord in chords), Fraction(0)), math.inf)


def check_length_certificate(problem: ErrorProblem, certificate: DifferenceCertificate) -> float:
    """Return the lower bound on the arc length that a dual point gives, in rational arithmetic, rounded down.

    Any numbers make a valid bound: those out of [-1, 1] are taken as the nearest in it.

    Raises:
        TypeError: if a multiplier is no real number.
        ValueError: if there is not one for each piece, or one is nan or inf.

    Example:
        >>> from numerics.programs import check_length_certificate, least_arc_length
        >>> least = least_arc_length([0, 4, 7], [-3, 2, 11], training_error=26/3)
        >>> round(check_length_certificate(least.problem, least.certificate), 4)
        10.0
    """
    q = [min(max(number, Fraction(-1)), Fraction(1)) for number in checked_multipliers(problem, certificate)]
    runs = (
        Fraction(width) * Fraction(square_root(1 - number * number).lower)
        for number, width in zip(q, problem.widths, strict=True)
    )
    return rounded_down(reachable(problem, q) + sum(runs, Fraction(0)))


def _solve(problem: ErrorProblem) -> tuple[Array, Array]:
    """Return the values at the data points, [n], and a multiplier for each piece, [n - 1].

    Raises:
        RuntimeError: if the solver returns nothing at all.
    """
    y, n = problem.y, len(problem.y)
    gaps = np.asarray(problem.widths, dtype=np.float64)
    mean = math.fsum(y) / n
    unit = max(float(np.max(np.abs(y - mean))), float(np.max(gaps)))
    targets, widths = (y - mean) / unit, gaps / unit
    radius = math.sqrt(n * problem.training_error) / unit
    moved, lengths = cp.Variable(n), cp.Variable(n - 1)
    # f at a data point is its target plus radius times `moved`: small training errors keep their digits.
    changes = np.diff(targets) + radius * cp.diff(moved)
    cones = cp.SOC(lengths, cp.vstack([widths, changes]), axis=0)
    program: Any = cp.Problem(cp.Minimize(cp.sum(lengths)), [cones, cp.norm(moved) <= 1])
    precise = {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of inaccurate solutions: what they are worth is worked out from them
            program.solve(solver=cp.CLARABEL, **precise)
    except cp.SolverError as error:
        raise RuntimeError(f"the second-order cone program was not solved: {error}") from error
    if moved.value is None or not np.all(np.isfinite(moved.value)):
        raise RuntimeError(f"the second-order cone program was not solved: {program.status}")
    duals = cones.dual_value
    directions = np.atleast_2d(np.asarray(duals[1], dtype=np.float64).reshape(n - 1, 2, order="F"))[:, 1]
    return y + radius * unit * np.asarray(moved.value), -directions
