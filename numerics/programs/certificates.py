"""Lower bounds on the sharpness of every network that computes f, from a dual matrix, without a solver (B2).

A unit of knot t and orientation s contributes v [s (x - t)]_+ to f, v = w2 |w1|. With a = w2^2 and b = w1^2, so that
a b = v^2, it contributes a (x_A x_A^T + 1_A 1_A^T) + b r r^T to Phi Phi^T: x_A and 1_A are x and 1 on the points that it
is active on and 0 elsewhere, r_j = [s (x_j - t)]_+. For Z >= 0 of trace 1, lambda_max >= <Z, Phi Phi^T>/n, in which that
unit has at least 2 |v| h_s(t),

    h_s(t) = sqrt(x_A^T Z x_A + 1_A^T Z 1_A) sqrt(r^T Z r) / n,

by the inequality of the means. The units at t sum to the jump of f' there, and those that face left to minus the slope
of f left of all knots. With a multiplier 2 nu for the latter, the least of the sum over all v is

    1^T Z 1 / n + 2 sum_i |jump_i| min(h_+(t_i), h_-(t_i) - sign(jump_i) nu) - 2 nu slope

if |nu| <= h_+(t) + h_-(t) wherever a knot may be. At Z = 1 1^T/n h_+ and h_- are g+ and g- of mulayoff2021, and nu = 0
gives its Lemma 4 (M5). Between data points h_+ + h_- is a sum of norms of affine functions of t, so convex: that is how
its infimum over all knots is bounded from below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theory.checks import Array, Reals, data_points, floats, rationals, real_array
from theory.enclosure import EPS, rounded_down
from theory.mulayoff2021.smooth_bounds import sharpness_lower_bound
from theory.piecewise_linear import PiecewiseLinear

TRACE_TOLERANCE = 1e-9
"""How far from 1 the trace of a dual matrix may lie; the bound is divided by the trace it has."""

SEARCH_PRECISION = 1e-10
"""The infimum over all knots is bounded from below to this relative precision, if rounding allows."""

ROOM = 1e-9
"""By this share a bound is lowered: where sums are taken in another order, its certificate must still pass."""

MOST_HALVINGS = 48
"""After so many halvings of a gap between data points the lower bound is taken as it stands."""

MOST_PARTS = 1000
"""With more parts of gaps than this, and one a gap, left to halve, it is taken as it stands too."""


@dataclass(frozen=True, eq=False)
class SharpnessCertificate:
    """A lower bound on the sharpness of all networks that compute f, and the dual point that it comes from.

    Attributes:
        value: the bound, rounded down; for the loss (1/2n) sum (f-y)^2.
        dual_matrix: Z, symmetric, positive semidefinite, of trace 1, [n, n]; rows in the order of x.
        constant: the part 1^T Z 1 / n of the bound that does not depend on f, rounded.
        tilt: nu, half the multiplier of the slope left of all knots.
        points: the data x as floats, [n].
        extra_knots: where units may have knots besides at f's own, [m]; None: anywhere but on a data point.
    """

    value: float
    dual_matrix: Array
    constant: float
    tilt: float
    points: Array
    extra_knots: Array | None

    def weight(self, t: Reals, *, bend: int = 1) -> Array:
        """Return the weight of |f''| that the dual matrix induces, as g is in M5: min(h_+(t), h_-(t) - bend nu).

        The bound on a function with slope `slope` left of all knots is, up to rounding,
        constant + 2 sum_i |jump_i| weight(knot_i, bend=sign(jump_i)) - 2 tilt slope. A weight may be negative where the
        tilt is not 0.

        Args:
            t: points, [m].
            bend: 1 for knots where the slope rises, -1 where it falls.

        Returns:
            the weights, float64 [m], rounded down.

        Raises:
            TypeError: if an entry of t is no real number.
            ValueError: if t holds nan or inf or has a wrong shape, or `bend` is neither 1 nor -1.
        """
        if bend not in (1, -1):
            raise ValueError(f"bend must be 1 or -1, got {bend!r}")
        right, left = (lower for lower, _ in knot_costs(self.dual_matrix, self.points, real_array("t", t)))
        weights: Array = np.minimum(right, left - bend * self.tilt)
        return weights


def certify(
    f: PiecewiseLinear, x: Reals, dual_matrix: object, *, extra_knots: Reals | None = None
) -> SharpnessCertificate:
    """Return the bound that a dual matrix gives, its tilt chosen best; O(m n^2 + n^3) for m knots, n points.

    M5's bound is taken where it is higher: its dual point 1 1^T/n, with its own rounding.

    Args:
        f: the function.
        x: distinct data points, [n], none on a knot of f; rationals are rounded to floats first.
        dual_matrix: Z, [n, n], symmetric, of trace 1, and far enough from singular for floats to tell that it is
            positive semidefinite: its least eigenvalue about n eps.
        extra_knots: where networks may have knots besides at f's own, [m]; None for any networks.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of another argument no real number.
        ValueError: if x is malformed or a knot lies on a data point; if the dual matrix is not symmetric, not of trace 1
            or not found to be positive semidefinite; if no network with knots at f's own and `extra_knots` computes f.

    Example:
        >>> import numpy as np
        >>> from numerics.programs import certify
        >>> from theory import PiecewiseLinear
        >>> f = PiecewiseLinear([-0.4, 0.4], [0.5, 0.5], slope=-0.5, value=0.1)
        >>> round(certify(f, [-1.5, -0.5, 0.5, 1.5], np.full((4, 4), 0.2) + 0.05 * np.eye(4)).value, 4)
        1.4243
    """
    points, extra = check_problem(f, x, extra_knots)
    Z, trace = _dual_matrix(dual_matrix, len(points))
    own = knot_costs(Z, points, f.knots)
    right, left = (lower for lower, _ in own)
    constant, _ = _forms(Z, np.ones((1, len(points))))
    jumps, slope = rationals(f.jumps), Fraction(f.slope)
    tilts = np.sign(floats("the jumps", f.jumps)) * (left - right)
    # The bound is concave in the tilt, with a kink at each of these; beyond the last kink it has its slope at infinity.
    reach = float(np.max(np.abs(tilts), initial=0.0)) if _is_balanced(jumps, slope) else math.inf
    if extra is None:
        limit = least_linear_cost(Z, points, enough=reach)[0]
    else:
        added = knot_costs(Z, points, extra)
        limit = float(np.min(added[0][0] + added[1][0], initial=math.inf)) * (1 - 4 * EPS)
    limit = min(limit, reach, float(np.min(right + left, initial=math.inf)) * (1 - 4 * EPS))
    candidates = np.unique(np.clip(np.concatenate([tilts, [0.0, -limit, limit]]), -limit, limit))
    signs, sizes = np.sign(floats("the jumps", f.jumps)), np.abs(floats("the jumps", f.jumps))
    rough = [float(sizes @ np.minimum(right, left - signs * nu) - nu * float(slope)) for nu in candidates]
    tilt = float(candidates[int(np.argmax(rough))])
    weights = [
        min(Fraction(r), Fraction(h) - (1 if jump > 0 else -1) * Fraction(tilt))
        for r, h, jump in zip(right, left, jumps, strict=True)
    ]
    curvature = sum((abs(jump) * weight for jump, weight in zip(jumps, weights, strict=True)), Fraction(0))
    bound = (Fraction(constant[0]) / len(points) + 2 * (curvature - Fraction(tilt) * slope)) / trace
    value = max(rounded_down(bound * (1 - Fraction(ROOM))), sharpness_lower_bound(f, points))
    return SharpnessCertificate(value, Z, float(constant[0]) / len(points), tilt, points, extra)


def check_certificate(f: PiecewiseLinear, x: Reals, certificate: SharpnessCertificate) -> float:
    """Return the bound recomputed from the dual matrix of a certificate and nothing else in it but the class.

    Args:
        f: the function.
        x: distinct data points, [n], none on a knot of f, in the order of the dual matrix.
        certificate: what is checked.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of x no real number.
        ValueError: if the dual matrix is not symmetric, of trace 1 and positive semidefinite, the problem is malformed
            (see `certify`), or the certificate claims more than the dual matrix gives.

    Example:
        >>> import numpy as np
        >>> from numerics.programs import certify, check_certificate
        >>> from theory import PiecewiseLinear
        >>> f, x = PiecewiseLinear([-0.4, 0.4], [0.5, 0.5], slope=-0.5, value=0.1), [-1.5, -0.5, 0.5, 1.5]
        >>> round(check_certificate(f, x, certify(f, x, np.full((4, 4), 0.2) + 0.05 * np.eye(4))), 4)
        1.4243
    """
    bound = certify(f, x, certificate.dual_matrix, extra_knots=certificate.extra_knots).value
    if not certificate.value * (1 - ROOM) <= bound:
        raise ValueError(f"the certificate claims {certificate.value}, but its dual matrix gives {bound}")
    return min(bound, certificate.value)


def check_problem(f: object, x: Reals, extra_knots: Reals | None) -> tuple[Array, Array | None]:
    """Return the data, [n], and the extra knots, [m], rounded to floats.

    Raises:
        TypeError: if f is no PiecewiseLinear, or an entry of another argument no real number.
        ValueError: if x is malformed, a knot lies on a data point, or f needs a linear part that no knot supplies.
    """
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"f must be a PiecewiseLinear, got {type(f).__name__}: see PiecewiseLinear.interpolate")
    points = data_points("x", floats("x", data_points("x", x)))
    extra = None if extra_knots is None else floats("extra_knots", real_array("extra_knots", extra_knots))
    on_data = {Fraction(point) for point in points}
    for name, knots in (("f", f.knots), ("extra_knots", np.zeros(0) if extra is None else extra)):
        for knot in knots:
            if Fraction(knot) in on_data:
                raise ValueError(
                    f"knots must not lie on data points, where the loss has a kink (M6), got one of {name} at {knot}"
                )
    if extra is not None and not len(extra) and not len(f.knots) and f.slope != 0:
        raise ValueError(f"extra_knots must hold a knot: f has none, but a slope, {f.slope}, that units must supply")
    return points, extra


def knot_costs(Z: Array, x: Array, knots: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return bounds (lower, upper) on h_+ at the knots and on h_-; [m] each.

    Args:
        Z: symmetric, positive semidefinite, [n, n].
        x: data points, floats, [n]; a unit is inactive on one that its knot lies on.
        knots: [m]; rationals are rounded after they are subtracted from x.
    """
    exact = knots.dtype == object
    offsets = np.subtract.outer(-rationals(knots), -rationals(x)) if exact else np.subtract.outer(-knots, -x)
    # The pattern is taken before a difference of rationals is rounded, perhaps to 0.
    right, left, offsets = offsets > 0, offsets < 0, floats("x - knots", offsets)
    return _unit_costs(Z, x, offsets, right), _unit_costs(Z, x, -offsets, left)


def _unit_costs(Z: Array, x: Array, distances: Array, active: Array) -> tuple[Array, Array]:
    """Return bounds on h of m units, from their distances s (x_j - t) [m, n] and the points they are active on [m, n]."""
    forms = [_forms(Z, np.where(active, rows, 0.0)) for rows in (x[None, :], np.ones((1, len(x))), distances)]
    ends = []
    for end, away in ((0, 1 - 8 * EPS), (1, 1 + 8 * EPS)):
        slopes, output = forms[0][end] + forms[1][end], forms[2][end]
        ends.append(np.sqrt(slopes) * np.sqrt(output) / len(x) * away)
    return ends[0], ends[1]


def _forms(Z: Array, rows: Array) -> tuple[Array, Array]:
    """Return bounds on u^T Z u >= 0 for the rows u of a matrix [m, n], each known to a relative error of eps."""
    values = np.sum((rows @ Z) * rows, axis=1)
    sizes = np.sum((np.abs(rows) @ np.abs(Z)) * np.abs(rows), axis=1)
    errors = 2 * (len(Z) + 4) * EPS * sizes + len(Z) ** 2 * np.finfo(np.float64).tiny
    return np.maximum(values - errors, 0.0), np.maximum(values, 0.0) + errors


def least_linear_cost(Z: Array, x: Array, *, enough: float = math.inf) -> tuple[float, Array, Array]:
    """Return a lower bound on inf h_+(t) + h_-(t) over all knots t, and where it is small.

    It is what a slope of 1 costs at least: two units at t, facing both ways, with v = 1 and -1. Each gap between
    neighbouring data points is halved until the secants of the convex function on both sides show how low it can be.

    Args:
        Z: symmetric, positive semidefinite, [n, n].
        x: distinct data points, [n].
        enough: a bound above which none is wanted.

    Returns:
        The bound, at most `enough`; the place of the smallest value found in each of the n + 1 gaps, [n + 1], at data
        points the limit from inside the gap; and these values, [n + 1].
    """
    ascending = np.argsort(x)
    points, Z = x[ascending], Z[np.ix_(ascending, ascending)]
    n = len(points)
    outer = [_least_beyond(Z, points), _least_beyond(Z[::-1, ::-1], -points[::-1])]
    places, values = np.full(n + 1, np.nan), np.full(n + 1, np.inf)
    places[0], values[0], places[n], values[n] = outer[0][1], outer[0][2], -outer[1][1], outer[1][2]
    lowest = min(outer[0][0], outer[1][0], enough)
    ranks = np.arange(n)

    def costs(gap: Array, t: Array) -> tuple[Array, Array]:
        distances, right = points[None, :] - t[:, None], ranks[None, :] >= gap[:, None]
        facing_right, facing_left = (
            _unit_costs(Z, points, sign * distances, mask) for sign, mask in ((1, right), (-1, ~right))
        )
        return (facing_right[0] + facing_left[0]) * (1 - EPS), (facing_right[1] + facing_left[1]) * (1 + EPS)

    gap, low, high = np.arange(1, n), points[:-1], points[1:]
    for halving in range(MOST_HALVINGS + 1):
        if not len(gap):
            break
        width = high - low
        before, after = low - width, high + width
        (low_cost, low_upper), (high_cost, high_upper) = costs(gap, low), costs(gap, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            # A convex function lies above the line through two of its points outside the stretch between them.
            falls = np.maximum(costs(gap, before)[1] - low_cost, 0.0) * (width / (low - before)) * (1 + 4 * EPS)
            rises = np.maximum(costs(gap, after)[1] - high_cost, 0.0) * (width / (after - high)) * (1 + 4 * EPS)
        below = np.fmax(np.nan_to_num(low_cost - falls, nan=0.0), np.nan_to_num(high_cost - rises, nan=0.0))
        below = np.maximum(below * (1 - 4 * EPS), 0.0)
        for place, upper in ((low, low_upper), (high, high_upper)):
            order = np.lexsort((upper, gap))
            first = order[np.append(True, np.diff(gap[order]) > 0)]
            first = first[upper[first] < values[gap[first]]]
            places[gap[first]], values[gap[first]] = place[first], upper[first]
        wanted = min(enough, float(np.min(values)) * (1 - SEARCH_PRECISION))
        middle = low + width / 2
        # Where rounding errors are what keeps the bound low, halving does not raise it.
        noise = np.maximum(low_upper - low_cost, high_upper - high_cost)
        futile = np.minimum(low_cost, high_cost) - below <= 8 * noise
        done = (below >= wanted) | futile | (middle <= low) | (middle >= high)
        done |= (halving == MOST_HALVINGS) or len(gap) > MOST_PARTS + n
        lowest = min(lowest, float(np.min(below[done], initial=math.inf)))
        gap, low, high, middle = gap[~done], low[~done], high[~done], middle[~done]
        gap, low, high = np.tile(gap, 2), np.append(low, middle), np.append(middle, high)
    return lowest, places, values


def _least_beyond(Z: Array, points: Array) -> tuple[float, float, float]:
    """Return a lower bound on h_+ left of all data, sorted [n], and where it is smallest there, with its value.

    r^T Z r with r = x - t is a quadratic in t: smallest at the first point, or where its derivative vanishes.
    """
    n, first = len(points), points[0]
    distances, ones = points - first, np.ones(n)
    (square,), (square_upper,) = _forms(Z, distances[None, :])
    (mass,), (mass_upper,) = _forms(Z, ones[None, :])
    mixed = float(ones @ Z @ distances)
    error = 2 * (n + 4) * EPS * float(ones @ np.abs(Z) @ distances) + n * n * np.finfo(np.float64).tiny
    (slopes,), (slopes_upper,) = _forms(Z, points[None, :])
    slopes, slopes_upper = slopes + mass, slopes_upper + mass_upper
    fall = max(error - mixed, 0.0)  # upper bound on how fast r^T Z r falls to the left, halved
    least = square if fall == 0 else max(square - fall**2 / mass * (1 + 8 * EPS), 0.0) if mass > 0 else 0.0
    lower = math.sqrt(slopes) * math.sqrt(least) / n * (1 - 8 * EPS)
    shift = -mixed / mass if mixed < 0 and mass > 0 else 0.0
    value = math.sqrt(slopes_upper * max(square_upper + 2 * shift * mixed + shift**2 * mass_upper, 0.0)) / n
    return lower, first - shift, value


def _dual_matrix(value: object, n: int) -> tuple[Array, Fraction]:
    """Return the dual matrix, symmetric and verified to be positive semidefinite, and its trace.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is of a wrong shape, not symmetric, not of trace 1 or not found to be positive semidefinite.
    """
    Z = floats("dual_matrix", real_array("dual_matrix", value, ndim=2))
    if Z.shape != (n, n):
        raise ValueError(f"dual_matrix must have shape {(n, n)}, got {Z.shape}")
    if not np.array_equal(Z, Z.T):
        raise ValueError("dual_matrix must be symmetric")
    trace = sum((Fraction(entry) for entry in np.diag(Z)), Fraction(0))
    if abs(trace - 1) > TRACE_TOLERANCE:
        raise ValueError(f"dual_matrix must have trace 1, got {float(trace)}")
    # Rump (2006, BIT 46, Thm 2.3): if Cholesky's factorisation of Z - c I runs through in floats, Z has no negative
    # eigenvalue, for c at least about (n + 1) eps/2 trace. This c is twice that, for the rounding of the difference.
    if not np.all(Z[0, 0] == Z):  # 1 1^T/n is singular, but needs no test
        try:
            np.linalg.cholesky(Z - psd_margin(n) * np.eye(n))
        except np.linalg.LinAlgError as error:
            least = float(np.linalg.eigvalsh(Z)[0])
            raise ValueError(
                f"dual_matrix must be positive semidefinite with a margin of {psd_margin(n):.1g}, its least eigenvalue "
                f"is about {least:.3g}"
            ) from error
    Z.setflags(write=False)
    return Z, trace


def psd_margin(n: int) -> float:
    """Return the least eigenvalue by which a matrix [n, n] of trace 1 passes the test for being semidefinite."""
    return 2 * (n + 4) * EPS


def _is_balanced(jumps: Array, slope: Fraction) -> bool:
    """Return whether the bound has its maximum at a finite tilt: units at f's knots alone can supply its slope.

    At a tilt of +inf the left-facing units of knots with positive jumps are the cheap ones, at -inf those of the
    negative jumps; the bound then changes by -2 (slope + the sum of these jumps).
    """
    up = sum((jump for jump in jumps if jump > 0), Fraction(0))
    down = sum((jump for jump in jumps if jump < 0), Fraction(0))
    return bool(slope + up >= 0 and slope + down <= 0)
