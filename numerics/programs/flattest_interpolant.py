"""The flattest two-layer ReLU network through data, and the largest step size at which any such network is stable (B2.e).

Over all widths, knots and orientations, minimise lambda_max(Phi^T Phi / n) subject to f(x_j) = y_j: a semidefinite program
with a unit for each knot (`knot_units`). Its dual is a matrix Z and multipliers p with |sum_j p_j [s (x_j - t)]_+| <=
2 h_s(t) for all t. Knots are added where this fails most, in closed form (`worst_knots`), until it does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.networks import TwoLayerReLU
from numerics.programs.knot_units import (
    NEGLIGIBLE,
    KnotUnits,
    Solution,
    check_size,
    first_places,
    flattest,
    network_of,
    semidefinite,
)
from numerics.programs.worst_knots import (
    Gap,
    InterpolantCertificate,
    check_interpolant_certificate,
    gain_of_multipliers,
    gaps,
    largest_ratio,
)
from numerics.stability.hessian import sharpness_with_error
from theory.beyond import smallest_curvature
from theory.checks import Array, Reals, data_set, floats, positive
from theory.symbols import Loss, loss_scale
from theory.two_layer import Weights

MOST_ROUNDS = 20
"""So often, at most, are knots added."""

STALLED = 3
"""After so many rounds that narrow the gap by less than a tenth the solver is taken to be at the end of its precision."""


@dataclass(frozen=True, eq=False)
class FlattestInterpolant:
    """A network through the data, and a bound below which no network through them has its sharpness.

    The sharpness is lambda_max(Phi^T Phi / n), the Hessian of (1/2n) sum (f - y)^2 at interpolation.

    Attributes:
        value: the lower bound, rounded down, checked in rational arithmetic without the solver.
        primal: the sharpness of the network with its error added.
        gap: primal - value, >= 0 up to the violation.
        status: "optimal" if the gap is within the tolerance that was asked for, and the violation within as much of what the
            targets span; else "inaccurate": the lower bound holds still.
        network: has no knot on a data point.
        violation: by how much the network misses a target, at most, but for the rounding of a constant that all targets share.
        certificate: what the bound rests on.
        rounds: the number of programs solved.
    """

    value: float
    primal: float
    gap: float
    status: str
    network: TwoLayerReLU
    violation: float
    certificate: InterpolantCertificate
    rounds: int

    def largest_step_size(self, *, loss: Loss = "half_mean") -> float:
        """Return 2 / value, rounded up: beyond it no network through the data is a linearly stable minimum (M1).

        Of networks at which no unit toggles on a data point, for gradient descent and so for SGD. The network here is
        stable under gradient descent up to 2 / primal.
        """
        return float(np.nextafter(2 / self.value * (1 + 4e-16), np.inf)) / loss_scale(loss)


def flattest_interpolant(x: Reals, y: Reals, *, tolerance: float = 1e-5) -> FlattestInterpolant:
    """Return the flattest two-layer ReLU network through data, and a certified bound on the minimum.

    The minimum is over all widths and knots off the data. It may not be attained: a knot may have to approach a data point.

    Args:
        x: distinct data points, [n], n >= 2; rationals are rounded to floats first.
        y: targets, [n].
        tolerance: the gap, relative to the sharpness, up to which the result counts as optimal; above 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the data are malformed (fewer than two points, equal ones, different lengths, nan or inf), x is too
            large or its points too near for squares that are floats, or the tolerance is not above 0.
        RuntimeError: if the solver returns nothing at all.

    Example:
        >>> from numerics.programs import flattest_interpolant
        >>> flattest = flattest_interpolant(x=[-1.5, -0.5, 0.5, 1.5], y=[1, 0, 0, 1])
        >>> round(flattest.value, 3), round(flattest.primal, 3), round(flattest.largest_step_size(), 3)
        (1.624, 1.624, 1.232)
    """
    positive("tolerance", tolerance)
    points, given = data_set(*(floats(name, part) for name, part in zip(("x", "y"), data_set(x, y), strict=True)))
    check_size("x", points)
    shift = _exact_shift(given)
    targets = given - shift
    n = len(points)
    scale = 1 + 2 * smallest_curvature(points, targets)
    places = first_places(points)
    value, primal, best, rounds = 1.0, np.inf, None, 0
    certificate = InterpolantCertificate(np.full((n, n), 1 / n), np.zeros(n))
    idle, gap = 0, np.inf
    while rounds < MOST_ROUNDS and idle < STALLED and value < (1 - tolerance) * primal:
        units = KnotUnits.at(places, points)
        solution = flattest(units, units.outputs.T, targets, scale, free=np.ones(n))
        if solution is None:
            break
        rounds += 1
        network = _through(units, solution, targets)
        found = sharpness_with_error(network, points)
        if found.value + found.error < primal:
            best, primal = network, found.value + found.error
        scale = primal
        dual = InterpolantCertificate(semidefinite(solution.dual), solution.multipliers - np.mean(solution.multipliers))
        bound = check_interpolant_certificate(points, targets, dual)
        if bound > value:
            value, certificate = bound, dual
        idle, gap = (idle + 1, gap) if primal - value > 0.9 * gap else (0, primal - value)
        added = _gaining(dual, points, tolerance)
        if not added:
            break
        places = [*places, *added]
    if best is None:
        raise RuntimeError("the semidefinite program was not solved: the solver returned nothing")
    violation = float(np.max(np.abs(best(points) - targets)))
    half = float(np.max(targets)) / 2 - float(np.min(targets)) / 2
    fits = np.isfinite(primal) and violation / 2 <= tolerance * half
    status = "optimal" if fits and primal - value <= tolerance * primal else "inaccurate"
    best = Weights(best.w1, best.b1, best.w2, best.b2 + shift)
    return FlattestInterpolant(
        value, primal, primal - value, status, TwoLayerReLU.from_weights(best), violation, certificate, rounds
    )


def _exact_shift(targets: Array) -> float:
    """Return a target that can be taken from all of them without rounding, as b2 takes it up; 0 if none is found."""
    middle = float(np.sort(targets)[len(targets) // 2])
    exact = all(
        Fraction(t) - Fraction(middle) == Fraction(t - middle) for t in targets.tolist() if np.isfinite(t - middle)
    )
    return middle if exact and np.all(np.isfinite(targets - middle)) else 0.0


def _gaining(dual: InterpolantCertificate, points: Array, tolerance: float) -> list[tuple[Gap, float]]:
    """Return the places at which a unit gains more than it costs, the worst of each gap."""
    found = []
    for gap in gaps(dual.dual_matrix, points):
        ratio, place = largest_ratio(gap, gain_of_multipliers(gap, dual.multipliers), *gap.ends)
        if ratio > 4 * (1 + tolerance / 4):
            found.append((gap, float(place)))
    return found


def _through(units: KnotUnits, solution: Solution, targets: Array) -> Weights:
    """Return the network of a solution, its v changed least so that it passes through the data."""
    v = np.where(np.abs(solution.v) <= NEGLIGIBLE * np.sum(np.abs(solution.v)), 0.0, solution.v)
    kept = np.flatnonzero(v)
    columns = np.column_stack([units.outputs[kept].T * np.sqrt(np.abs(v[kept])), np.ones(len(targets))])
    bias = float(np.mean(targets - units.outputs.T @ v))
    for _ in range(2):  # once, and once more for rounding errors
        missing = targets - units.outputs.T @ v - bias
        change = np.linalg.lstsq(columns, missing, rcond=None)[0]
        v[kept] += np.sqrt(np.abs(v[kept])) * change[:-1]
        bias += float(change[-1])
    return network_of(units, v, solution.ratios, bias)
