"""The best dual matrix of a data set, for all networks with a given weighted curvature at once (B2, B2.c, B2.d).

A dual matrix Z whose weight is at least rho g everywhere says lambda_max >= 1^T Z 1 / n + 2 rho K of every network with
int |f''| g >= K; M5 is the case Z = 1 1^T / n, rho = 1. The best of these bounds is the least sharpness of any network with
int |f''| g = K: a semidefinite program with a unit for each knot, in which sum v_i g(t_i) = K and v >= 0, and whose dual is
the search for Z. So the bound cannot be bettered, and the network that attains it comes with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.networks import TwoLayerReLU
from numerics.programs.knot_units import (
    NEGLIGIBLE,
    KnotUnits,
    check_size,
    first_places,
    flattest,
    network_of,
    semidefinite,
)
from numerics.programs.worst_knots import (
    Gap,
    WeightCertificate,
    check_weight_certificate,
    crossing,
    gains_of_weight,
    gaps,
    largest_ratio,
    weight_ratio,
)
from numerics.stability.hessian import sharpness_with_error
from theory.beyond.dual_bounds import constant_part
from theory.checks import Array, Reals, data_points, floats, nonnegative, positive
from theory.mulayoff2021.smooth_bounds import curvature_bound
from theory.stability_weight import stability_weight
from theory.symbols import Loss, half_mean_step_size
from theory.two_layer import Weights

MOST_ROUNDS = 20
"""So often, at most, are knots added."""

STALLED = 3
"""After so many rounds that narrow the gap by less than a tenth the solver is taken to be at the end of its precision."""


@dataclass(frozen=True, eq=False)
class SharpestWeight:
    """A dual matrix that bounds the sharpness of all networks with a given weighted curvature, and one that shows it best.

    Attributes:
        value: 1^T Z 1 / n + 2 ratio K, a lower bound, rounded down, checked in rational arithmetic without the solver.
        primal: the sharpness of the network with its error added.
        gap: primal - value, >= 0.
        status: "optimal" if the gap is within the tolerance that was asked for; else "inaccurate": both ends hold still.
        network: has int |f''| g >= K, up to rounding.
        ratio: rho, so that the weight which Z induces is at least rho g everywhere, rounded down.
        constant: 1^T Z 1 / n, rounded.
        certificate: Z, up to its trace; in ascending order of x.
        points: the data, ascending, [n].
        curvature: K.
        rounds: the number of programs solved.
    """

    value: float
    primal: float
    gap: float
    status: str
    network: TwoLayerReLU
    ratio: float
    constant: float
    certificate: WeightCertificate
    points: Array
    curvature: float
    rounds: int

    def curvature_bound(self, step_size: float, *, loss: Loss = "half_mean") -> float:
        """Return the largest int |f''| g that Z allows a linearly stable minimum at a step size: M6's bound, sharpened.

        (2/eta - 1^T Z 1 / n) / (2 rho), or M6's 1/eta - 1/2 where that is less, for minima at which no unit toggles on a data
        point. It is best where it is the K that Z was found for: see `largest_curvature`.

        Args:
            step_size: eta > 0.
            loss: the loss that `step_size` belongs to.

        Raises:
            TypeError: if `step_size` is no real number.
            ValueError: if `step_size` is not finite and above 0, or `loss` is unknown.
            AssumptionError: if eta > 2: no minimum is stable.
        """
        printed = curvature_bound(step_size, loss=loss)
        room = 2 / half_mean_step_size(step_size, loss) * (1 + 4e-16) - self.constant * (1 - 4e-16)
        return min(printed, float(np.nextafter(room / (2 * self.ratio), np.inf))) if self.ratio > 0 else printed


def largest_curvature(x: Reals, *, step_size: float, loss: Loss = "half_mean", tolerance: float = 1e-6) -> float:
    """Return the largest int |f''| g of a linearly stable minimum at a step size: what M6 bounds by 1/eta - 1/2.

    A certified bound, and the best: a network that has this much, less `tolerance`, is stable under gradient descent. The
    least sharpness of networks with int |f''| g = K is convex in K, and each `SharpestWeight` is a tangent of it; where that
    sharpness is 2/eta is found by Newton's iteration from M6's bound.

    Args:
        x: distinct data points, [n], n >= 2.
        step_size: eta > 0.
        loss: the loss that `step_size` belongs to.
        tolerance: the relative change at which the iteration ends; above 0.

    Returns:
        the curvature, for minima at which no unit toggles on a data point.

    Raises:
        TypeError: if an entry or the step size is no real number.
        ValueError: if x is malformed, or `step_size`, `loss` or `tolerance` is out of range.
        AssumptionError: if eta > 2 on the half-mean loss: no minimum is stable.

    Example:
        >>> from numerics.programs import largest_curvature
        >>> round(largest_curvature([-1.5, -0.5, 0.5, 1.5], step_size=0.5), 4)
        1.3553
    """
    positive("tolerance", tolerance)
    bound = curvature_bound(step_size, loss=loss)
    for _ in range(MOST_ROUNDS):
        if bound <= 0:
            break
        better = sharpest_weight(x, curvature=bound).curvature_bound(step_size, loss=loss)
        done = better >= (1 - tolerance) * bound
        bound = min(bound, better)
        if done:
            break
    return bound


def sharpest_weight(x: Reals, *, curvature: float, tolerance: float = 1e-5) -> SharpestWeight:
    """Return the dual matrix that says most of all networks with int |f''| g >= K, and the network that shows it best.

    Args:
        x: distinct data points, [n], n >= 2; rationals are rounded to floats first.
        curvature: K >= 0. For K = 0 the best is M5's matrix 1 1^T / n (B2.d), for large K the one with the largest rho.
        tolerance: the gap, relative to the sharpness, up to which the result counts as optimal; above 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x is malformed (fewer than two points, equal ones, nan or inf), too large or its points too near for
            squares that are floats, K is negative or not finite, or the tolerance is not above 0.

    Example:
        >>> from numerics.programs import sharpest_weight
        >>> weight = sharpest_weight([-1.5, -0.5, 0.5, 1.5], curvature=1.0)
        >>> round(weight.value, 3), round(weight.curvature_bound(step_size=0.5), 3)
        (3.195, 1.356)
    """
    positive("tolerance", tolerance)
    K = float(nonnegative("curvature", curvature))
    points = np.sort(floats("x", data_points("x", x, fewest=2)))
    check_size("x", points)
    n = len(points)
    places = [place for place in first_places(points) if place[0].ends[0] is not None]
    places += [(gap, float(crossing(gap, points))) for gap, t in places if t == gap.ends[1] or len(gap.active) == 1]
    certificate = WeightCertificate(np.full((n, n), 1 / n))
    value = check_weight_certificate(points, K, certificate)
    network, primal = _balanced(points, K)
    rounds, idle, gap = 0, 0, np.inf
    while rounds < MOST_ROUNDS and idle < STALLED and K > 0 and value < (1 - tolerance) * primal:
        units = KnotUnits.at(places, points)
        g = stability_weight(units.knots, points)
        solution = flattest(units, g[None, :] / np.max(g), np.array([K / np.max(g)]), primal, positive=True)
        if solution is None:
            break
        rounds += 1
        v = np.where(solution.v <= NEGLIGIBLE * np.sum(np.abs(solution.v)), 0.0, solution.v)
        found = network_of(units, v * (K / float(g @ v)), solution.ratios, 0.0)
        sharpness = sharpness_with_error(found, points)
        if sharpness.value + sharpness.error < primal:
            network, primal = found, sharpness.value + sharpness.error
        dual = WeightCertificate(semidefinite(solution.dual))
        bound = check_weight_certificate(points, K, dual)
        if bound > value:
            value, certificate = bound, dual
        idle, gap = (idle + 1, gap) if primal - value > 0.9 * gap else (0, primal - value)
        said = float(solution.multipliers[0]) / (2 * float(np.max(g)))  # rho, as far as these knots tell
        added = _lightest(dual.dual_matrix, points, said * (1 - tolerance / 4))
        if not added:
            break
        places = [*places, *added]
    Z = certificate.dual_matrix
    status = "optimal" if np.isfinite(primal) and value >= (1 - tolerance) * primal else "inaccurate"
    return SharpestWeight(
        value,
        primal,
        primal - value,
        status,
        TwoLayerReLU.from_weights(network),
        weight_ratio(points, Z),
        float(constant_part(Z)) / float(np.trace(Z)),
        certificate,
        points,
        K,
        rounds,
    )


def _balanced(points: Array, curvature: float) -> tuple[Weights, float]:
    """Return a network of one balanced unit with int |f''| g = K, and its sharpness; for K = 0 of none."""
    middle = (points[:-1] + points[1:]) / 2
    g = stability_weight(middle, points)
    best = int(np.argmax(g))
    v, distances = curvature / float(g[best]), np.maximum(points - middle[best], 0.0)
    active = distances > 0
    ratio = float(np.linalg.norm(distances) / np.sqrt(np.sum(points[active] ** 2) + np.sum(active)))
    w1 = np.sqrt(v / ratio)
    network = Weights([w1], [-w1 * middle[best]], [v / w1 if v else 0.0], 0.0)
    found = sharpness_with_error(network, points)
    return network, found.value + found.error


def _lightest(Z: Array, points: Array, ratio: float) -> list[tuple[Gap, float]]:
    """Return the places at which the weight of Z is less than a multiple of g, the worst of each gap."""
    found = []
    for gap in gaps(Z, points):
        if gap.ends[0] is None:
            continue
        for gain, factor, low, high in gains_of_weight(gap, points, crossing(gap, points)):
            excess, place = largest_ratio(gap, gain, low, high)
            if factor * excess * ratio**2 > 1:
                found.append((gap, float(place)))
    return found
