"""The flattest two-layer ReLU network that computes a given function, as a semidefinite program (B2).

Networks f(x) = sum_i w2_i [w1_i x + b1_i]_+ + b2 are taken by knot and orientation. Of units that share both, one is
enough: with a = w2^2, b = w1^2 they contribute (sum a) K1 + (sum b) K2 to Phi Phi^T (see `certificates`), and by Cauchy's
inequality (sum a)(sum b) >= (sum v)^2, v = w2 |w1|. Units with w1 = 0 or w2 = 0 only add to the sharpness. So, over the
units left, with v_+ + v_- the jump of f' at each knot and the left-facing v summing to minus the slope left of all knots,

    minimise t  subject to  11^T + sum (a K1 + b K2) <= n t I,  a b >= v^2,

which is convex. The output bias fixes the value of f and adds 11^T. Which knots there may be is a choice. With
`extra_knots` it is f's own and those. Without, it is any: at knots that f does not have, pairs of units facing both ways
may supply a slope. Such knots are added where the dual of the program so far says that a slope is cheapest, until none
is cheaper. Whether a network computes f on the whole line or between the outermost data points makes no difference then:
what differs outside is made of units that are active on no data point.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal, get_args

import cvxpy as cp
import numpy as np

from numerics.networks import TwoLayerReLU
from numerics.programs.certificates import (
    SharpnessCertificate,
    certify,
    check_problem,
    least_linear_cost,
    psd_margin,
)
from numerics.programs.interior_point import Solution, solve
from numerics.programs.knot_units import NEGLIGIBLE, scales_of
from numerics.stability import sharpness_with_error
from theory.checks import Array, Reals, floats, positive
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

Status = Literal["optimal", "inaccurate"]
"""Whether the gap between network and bound is within the tolerance."""

Solver = Literal["structured", "clarabel"]
"""`numerics.programs.interior_point`, which uses what the program is made of, or Clarabel, through cvxpy, which does not."""

SOLVED = 0.03
"""The solver stops at this share of the tolerance for the gap: what it returns is still rounded to a network."""

MOST_ROUNDS = 12
"""So often, at most, are knots added that supply a slope at less cost."""

CLOSEST = 1e-8
"""Added knots keep this distance from data points, relative to their size and a tenth of the gap: rounding errors of the
sharpness grow as the distance falls, and the cost of not being at the data point falls with it."""

MOST_ADDED = 6
"""So many knots, at most, are added at once."""


@dataclass(frozen=True, eq=False)
class FlattestImplementation:
    """A network that computes f, and a bound below which no network of the class has its sharpness.

    The sharpness is lambda_max(Phi^T Phi / n), the Hessian of (1/2n) sum (f-y)^2 at interpolation.

    Attributes:
        value: the lower bound, rounded down, with its certificate checked without the solver.
        primal: the sharpness of the network with its error added: an upper bound on the minimum.
        gap: primal - value, >= 0 up to rounding.
        status: "optimal" if the gap is within the tolerance that was asked for; else "inaccurate": both ends hold still.
        network: computes f, up to rounding, in float64.
        certificate: what the bound rests on.
        rounds: the number of programs solved.
    """

    value: float
    primal: float
    gap: float
    status: Status
    network: TwoLayerReLU
    certificate: SharpnessCertificate
    rounds: int

    @property
    def dual_matrix(self) -> Array:
        """The dual matrix Z that gives the bound: symmetric, positive semidefinite, of trace 1, [n, n]."""
        return self.certificate.dual_matrix

    def weight(self, t: Reals, *, bend: int = 1) -> Array:
        """Return the weight of |f''| that the dual matrix induces, [m], at points t [m]; see `SharpnessCertificate.weight`."""
        return self.certificate.weight(t, bend=bend)


def flattest_implementation(
    f: PiecewiseLinear,
    x: Reals,
    *,
    extra_knots: Reals | None = None,
    tolerance: float = 1e-5,
    solver: Solver = "structured",
) -> FlattestImplementation:
    """Return the flattest two-layer ReLU network that computes f, and a certified bound on the minimum (B2).

    The minimum is over all networks of any width with no knot on a data point, or, given `extra_knots`, over those with
    knots at f's own and there. It may not be attained: a knot may have to approach a data point. O(rounds (n^3 + m n^2))
    for m knots: 0.1 s for 100 knots and n = 10, seconds for 300 and n = 100.

    Args:
        f: the function; no knot may lie on a data point, where no network that computes it has a Hessian (M6).
        x: distinct data points, [n]; rationals are rounded to floats first.
        extra_knots: where units may have knots besides at f's own, [m], none on a data point; None: anywhere.
        tolerance: the gap, relative to the sharpness, up to which the result counts as optimal; above 0.
        solver: what solves the programs. The bound does not rest on it.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of another argument no real number.
        ValueError: if x is malformed, a knot lies on a data point, the tolerance is not above 0, the solver is unknown, or
            f has a slope and no knot, and `extra_knots` is empty; if f or its network is beyond the range of floats.

    Example:
        >>> import numpy as np
        >>> from numerics.programs import flattest_implementation
        >>> from theory import PiecewiseLinear, Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> flattest = flattest_implementation(PiecewiseLinear.from_weights(weights), x)
        >>> round(flattest.value, 4), round(flattest.primal, 4), flattest.status
        (1.4631, 1.4631, 'optimal')
    """
    positive("tolerance", tolerance)
    if solver not in get_args(Solver):
        raise ValueError(f"solver must be one of {', '.join(map(repr, get_args(Solver)))}, got {solver!r}")
    points, extra = check_problem(f, x, extra_knots)
    n = len(points)
    flat = np.full((n, n), 1 / n)
    certificate = certify(f, points, flat, extra_knots=extra)
    added = _places(flat, points) if extra is None else extra
    units, slope = _Units.of(f, points, added), float(f.slope)
    best = _network(f, units, _unsolved(units, slope))
    primal = _sharpness(best, points)
    rounds = 0
    while rounds < MOST_ROUNDS and primal - certificate.value > tolerance * primal:
        solution = _solve(solver, points, units, slope, primal, SOLVED * tolerance)
        if solution is None:
            break
        rounds += 1
        network = _network(f, units, solution)
        sharpness = _sharpness(network, points)
        if sharpness < primal:
            best, primal = network, sharpness
        Z = _semidefinite(solution.dual)
        found = certify(f, points, Z, extra_knots=extra)
        if found.value > certificate.value:
            certificate = found
        # What a slope is worth if units are only where they may be so far; cheaper places improve the network.
        price = abs(certify(f, points, Z, extra_knots=added).tilt)
        cheaper = np.setdiff1d(_places(Z, points, price), units.knots)
        if extra is not None or not len(cheaper):
            break
        added = np.append(added, cheaper)
        units = _Units.of(f, points, added)
    gap = primal - certificate.value
    status: Status = "optimal" if np.isfinite(primal) and gap <= tolerance * primal else "inaccurate"
    return FlattestImplementation(
        certificate.value, primal, gap, status, TwoLayerReLU.from_weights(best), certificate, rounds
    )


@dataclass(frozen=True, eq=False)
class _Units:
    """One right-facing and one left-facing unit for each knot: the first half of each array, and the second.

    Attributes:
        knots: distinct, [m].
        jumps: the jump of f' there, 0 at knots that f does not have, [m].
        slopes: x and 1 on the points that a unit is active on, else 0, [2m, 2, n].
        outputs: [s (x_j - t)]_+, [2m, n].
    """

    knots: Array
    jumps: Array
    slopes: Array
    outputs: Array

    @classmethod
    def of(cls, f: PiecewiseLinear, points: Array, added: Array) -> _Units:
        own = floats("the knots", f.knots)
        new = np.setdiff1d(added, own)
        knots, jumps = np.append(own, new), np.append(floats("the jumps", f.jumps), 0 * new)
        offsets = points - knots[:, None]
        outputs = np.maximum(np.concatenate([offsets, -offsets]), 0.0)
        active = outputs > 0
        return cls(knots, jumps, np.stack([active * points, active], axis=1), outputs)

    @property
    def scales(self) -> tuple[Array, Array]:
        """The square roots of trace K1 / n and of trace K2 / n, [2m]; 0 for units that are active on no data point."""
        return scales_of(self.slopes, self.outputs)


def _solve(
    solver: Solver, points: Array, units: _Units, slope: float, scale: float, tolerance: float
) -> Solution | None:
    """Solve the program in units of `scale`, about its minimum; return None if the solver fails."""
    if solver == "clarabel":
        return _clarabel(units, slope, scale)
    return solve(points, units.knots, units.jumps, slope, scale=scale, tolerance=tolerance)


def _clarabel(units: _Units, slope: float, scale: float) -> Solution | None:
    """Solve the program by Clarabel as cvxpy states it."""
    m, n = len(units.knots), units.outputs.shape[1]
    alpha, beta = units.scales
    # A unit that is active on no data point costs nothing and has no cone. The others are scaled to trace n.
    live = np.flatnonzero(alpha * beta > 0)
    size = alpha[live] * beta[live]
    slopes, outputs = units.slopes[live] / alpha[live, None, None], units.outputs[live] / beta[live, None]
    grams = np.concatenate([np.einsum("kci,kcj->kij", slopes, slopes), np.einsum("ki,kj->kij", outputs, outputs)]) / n
    a, b, left, top = cp.Variable(len(live)), cp.Variable(len(live)), cp.Variable(m), cp.Variable()
    # The left-facing v of a knot is a multiple of what one of its units has where its cost is about `scale`.
    typical = scale / np.max((alpha * beta).reshape(2, m), axis=0, initial=0.0)
    jumps, facing = np.append(units.jumps, np.zeros(m)), np.vstack([-np.eye(m), np.eye(m)]) * typical
    v = (size * jumps[live]) / scale + (size[:, None] * facing[live] / scale) @ left
    most = np.max(typical, initial=0.0) or 1.0
    whole = cp.reshape(grams.reshape(len(grams), n * n).T @ cp.hstack([a, b]), (n, n), order="C")
    bounded = top * np.eye(n) - whole - np.full((n, n), 1 / (n * scale)) >> 0
    cones = cp.SOC(a + b, cp.vstack([2 * v, a - b]), axis=0)
    problem: Any = cp.Problem(cp.Minimize(top), [bounded, cones, typical / most @ left == -slope / most])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of inaccurate solutions: what they are worth is worked out from them
            problem.solve(solver=cp.CLARABEL)
    except cp.SolverError:
        return None
    parts = [a.value, b.value, left.value, bounded.dual_value]
    if any(part is None or not np.all(np.isfinite(part)) for part in parts):
        return None
    ratios = np.ones(2 * m)
    rises, falls = (np.maximum(part.value, 1e-12 * np.max(np.abs(part.value))) for part in (a, b))
    ratios[live] = np.sqrt(rises / falls) * beta[live] / alpha[live]
    return Solution(typical * left.value, ratios, bounded.dual_value)


def _unsolved(units: _Units, slope: float) -> Solution:
    """Return weights that compute f: balanced for the dual matrix of M5, the slope where it is cheapest for that."""
    alpha, beta = units.scales
    ratios = np.divide(beta, alpha, out=np.ones_like(beta), where=alpha * beta > 0)
    left, cost = np.zeros(len(units.knots)), np.sum((alpha * beta).reshape(2, -1), axis=0)
    if slope != 0:
        left[np.argmin(cost)] = -slope
    n = units.outputs.shape[1]
    return Solution(left, ratios, np.full((n, n), 1 / n))


def _network(f: PiecewiseLinear, units: _Units, solution: Solution) -> Weights:
    """Return the network of a solution, its left-facing units changed by what it takes to compute f exactly."""
    left = solution.left.copy()
    least = NEGLIGIBLE * float(np.sum(np.abs(left)) + np.sum(np.abs(units.jumps)))
    left[np.abs(left) <= least] = 0.0
    whole = (np.abs(left - units.jumps) <= least) & (units.jumps != 0)
    left[whole] = units.jumps[whole]
    short = -float(f.slope) - math.fsum(left)
    if short != 0:
        left[int(np.argmax(np.minimum(np.abs(left), np.abs(units.jumps - left))))] += short
    v = np.append(units.jumps - left, left)
    kept = v != 0
    signs, knots = np.repeat([1.0, -1.0], len(left))[kept], np.tile(units.knots, 2)[kept]
    v, ratios = v[kept], solution.ratios[kept]
    w1 = signs * np.sqrt(np.abs(v) / ratios)
    # relu(s (t - knot)) is 0 on the one side, so f(anchor) less the units there is the bias.
    outputs = v * np.maximum(signs * (float(f.anchor) - knots), 0.0)
    return Weights(w1, -w1 * knots, v / np.abs(w1), math.fsum([float(f.value), *-outputs]))


def _sharpness(network: Weights, points: Array) -> float:
    """Return an upper bound on the sharpness of a network."""
    found = sharpness_with_error(network, points)
    return found.value + found.error


def _semidefinite(dual: Array) -> Array:
    """Return the matrix made symmetric, positive semidefinite by a margin that floats can tell, and of trace 1."""
    values, vectors = np.linalg.eigh((dual + dual.T) / 2)
    values = np.maximum(values, 0.0)
    Z = (vectors * (values / np.sum(values))) @ vectors.T + 4 * psd_margin(len(dual)) * np.eye(len(dual))
    Z = (Z + Z.T) / 2
    return np.asarray(Z / np.trace(Z))


def _places(Z: Array, points: Array, price: float = math.inf) -> Array:
    """Return knots off the data at which a slope costs less than `price`, the cheapest few of one in each gap."""
    x = np.sort(points)
    span = float(x[-1] - x[0]) or max(1.0, abs(float(x[0])))
    edges = np.concatenate([[-math.inf], x, [math.inf]])
    gaps = np.concatenate([[span], np.diff(x), [span]])
    margins = np.minimum(CLOSEST * np.maximum(np.max(np.abs(x)), 10 * gaps), gaps / 4)
    _, places, values = least_linear_cost(Z, points)
    order = np.argsort(values)[:MOST_ADDED]
    order = order[values[order] < price]
    return np.clip(places, edges[:-1] + margins, edges[1:] - margins)[order]
