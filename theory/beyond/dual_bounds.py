"""What every dual matrix says of the sharpness of two-layer ReLU networks, exactly (B2); mulayoff2021, Lemma 4, is one case.

A unit of knot t and orientation s = +-1 contributes v [s (x - t)]_+ to f, v = w2 |w1|. With A the points that it is active
on, x_A and 1_A the data and ones there and 0 elsewhere, and r_j = [s (x_j - t)]_+, it adds

    w2^2 (x_A x_A^T + 1_A 1_A^T) + w1^2 r r^T        to Phi^T Phi.

For Z >= 0 of trace 1 the top eigenvalue of Phi^T Phi / n is at least <Z, Phi^T Phi> / n, in which such a unit has at least
2 |v| h_s(t), by the inequality of the means:

    h_s(t) = sqrt(x_A^T Z x_A + 1_A^T Z 1_A) sqrt(r^T Z r) / n.

At Z = 1 1^T/n, h_+ and h_- are g+ and g- of mulayoff2021.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from theory.checks import Array, Reals, data_points, dot, rationals, real_array
from theory.conditions import Condition
from theory.enclosure import Enclosure, positive_semidefinite, rounded_down, square_root
from theory.piecewise_linear import PiecewiseLinear

FEASIBLE_TILT = Condition("|nu| <= h_+(t) + h_-(t) at the knots of all units", lambda room: room is None or room >= 0)
"""Of the least room h_+ + h_- - |nu|, None without knots."""

Costs = list[Enclosure]
"""Rationals around h_s at some knots."""


def check_dual_matrix(name: str, value: Any) -> Array:
    """Return Z, symmetric, positive semidefinite and of trace 1, as exact rationals, [n, n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is not such a matrix; floats count as the rationals they are.
    """
    matrix = rationals(real_array(name, value, ndim=2))
    if matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ValueError(f"{name} must be square, [n, n] with n >= 1, got shape {matrix.shape}")
    if np.any(matrix != matrix.T):
        raise ValueError(f"{name} must be symmetric, but it is not")
    trace = sum(np.diag(matrix), Fraction(0))
    if trace != 1:
        raise ValueError(f"{name} must have trace 1, got {trace}")
    if not positive_semidefinite(matrix):
        raise ValueError(f"{name} must be positive semidefinite, but it has a negative eigenvalue")
    return matrix


def unit_costs(dual_matrix: Array, x: Array, knots: Array) -> tuple[Costs, Costs]:
    """Return h_+ and h_- at some knots, [m] each; a unit is inactive on a data point that its knot lies on.

    Args:
        dual_matrix: Z, rationals [n, n].
        x: distinct data points, rationals [n], in the order of Z.
        knots: rationals, [m].
    """
    right = [_unit_cost(dual_matrix, x, x - t) for t in knots]
    left = [_unit_cost(dual_matrix, x, t - x) for t in knots]
    return right, left


def _unit_cost(Z: Array, x: Array, distances: Array) -> Enclosure:
    active = np.flatnonzero(distances > 0)
    if not len(active):
        return Enclosure.exactly(Fraction(0))
    part, inputs, outputs = Z[np.ix_(active, active)], x[active], distances[active]
    slopes = Fraction(dot(inputs, part @ inputs)) + sum(part.ravel(), Fraction(0))
    return square_root(slopes * Fraction(dot(outputs, part @ outputs)) / len(x) ** 2)


def constant_part(dual_matrix: Array) -> Fraction:
    """Return 1^T Z 1 / n, what a dual matrix [n, n] says of constant functions."""
    return sum(dual_matrix.ravel(), Fraction(0)) / len(dual_matrix)


def dual_weight(dual_matrix: Array, x: Array, knots: Array, bends: Array, tilt: Fraction) -> Costs:
    """Return min(h_+(t), h_-(t) - b nu) at some knots, the weight of a jump of f' with sign b, [m].

    Args:
        dual_matrix: Z, rationals [n, n].
        x: distinct data points, rationals [n].
        knots: rationals, [m].
        bends: signs of the jumps, [m].
        tilt: nu, half the multiplier of the slope left of all knots.
    """
    weights = []
    for right, left, bend in zip(*unit_costs(dual_matrix, x, knots), bends, strict=True):
        moved = (left.lower - int(bend) * tilt, left.upper - int(bend) * tilt)
        weights.append(Enclosure(min(right.lower, moved[0]), min(right.upper, moved[1])))
    return weights


def dual_bound(f: PiecewiseLinear, x: Array, dual_matrix: Array, tilt: Fraction) -> Enclosure:
    """Return 1^T Z 1 / n + 2 sum_i |jump_i| weight(knot_i) - 2 nu slope, for f and x in rationals; see `dual_weight`."""
    weights = dual_weight(dual_matrix, x, f.knots, np.sign(f.jumps), tilt)
    rest = constant_part(dual_matrix) - 2 * tilt * Fraction(f.slope)
    ends = []
    for end in ("lower", "upper"):
        curvature = sum(
            (abs(jump) * Fraction(getattr(w, end)) for jump, w in zip(f.jumps, weights, strict=True)), Fraction(0)
        )
        ends.append(rest + 2 * curvature)
    return Enclosure(ends[0], ends[1])


def dual_sharpness_bound(
    f: PiecewiseLinear, x: Reals, dual_matrix: object, *, tilt: float | Fraction = Fraction(0)
) -> float:
    """Return a lower bound on the sharpness of the networks that compute f, from any dual matrix (B2).

    1^T Z 1 / n + 2 sum_i |jump_i| min(h_+(t_i), h_-(t_i) - sign(jump_i) nu) - 2 nu slope, in exact arithmetic, rounded
    down. With a tilt nu it speaks of networks all of whose units have knots t with |nu| <= h_+(t) + h_-(t), none on a
    data point; with nu = 0, of all networks at which no unit toggles on a data point. `numerics.programs` finds the best
    Z and nu, and works the bound out in floats.

    Args:
        f: the function.
        x: distinct data points, [n].
        dual_matrix: Z, symmetric, positive semidefinite and of trace 1, exactly, [n, n]; in the order of x.
        tilt: nu.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of another argument no real number.
        ValueError: if x or the dual matrix is malformed.
        AssumptionError: if |nu| exceeds h_+ + h_- at a knot of f, at which every network has a unit.

    Example:
        >>> import numpy as np
        >>> from theory import PiecewiseLinear
        >>> from theory.beyond import dual_sharpness_bound
        >>> x = [-1.5, -0.5, 0.5, 1.5]
        >>> f = PiecewiseLinear([-0.4, 0.4], [0.5, 0.5], slope=-0.5, value=0.1)
        >>> round(dual_sharpness_bound(f, x, np.full((4, 4), 0.25)), 4)
        1.4243
    """
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}: see PiecewiseLinear.interpolate")
    points, Z = rationals(data_points("x", x)), check_dual_matrix("dual_matrix", dual_matrix)
    if len(Z) != len(points):
        raise ValueError(f"dual_matrix must have a row for each of the {len(points)} data points, got {len(Z)}")
    exact = PiecewiseLinear(rationals(f.knots), rationals(f.jumps), *rationals([f.slope, f.value, f.anchor]))
    nu = Fraction(tilt)
    for knot, right, left in zip(exact.knots, *unit_costs(Z, points, exact.knots), strict=True):
        most = Fraction(right.upper) + Fraction(left.upper)
        FEASIBLE_TILT.require("B2", most - abs(nu), f"nu = {tilt} where h_+ + h_- is {float(most)}, at {float(knot)}")
    return rounded_down(Fraction(dual_bound(exact, points, Z, nu).lower))
