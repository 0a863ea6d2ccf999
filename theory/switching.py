"""Two-layer networks with units that toggle on data points: the modes of the loss there, and bounds at stable minima.

A unit toggles on a data point if its pre-activation there is 0. Near such weights the loss is pieced together from
modes: in each, every toggling unit is either active or inactive at that point, the Hessian at interpolation is
H_m = Phi_m Phi_m^T / n, and a step of gradient descent from theta + v is v - eta H_m v, m the mode that theta + v lies in
(mulayoff2021, section 4.2). Eta is the step size on (1/2n) sum (f(x_j) - y_j)^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np

from theory.checks import Array, Reals, data_points, dot, floats, rationals, real_array
from theory.enclosure import Enclosure, square_root
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights, check_weights

MOST_MODES = 4096
"""How many modes are listed at most."""


def _exact(weights: Weights, x: Reals) -> tuple[Weights, Array]:
    return check_weights("weights", weights).rational(), rationals(data_points("x", x))


def toggling(weights: Weights, x: Reals) -> Array:
    """Return which units toggle on which of the data points x [n]: truth values [n, k], decided exactly.

    A unit with w1 = b1 = 0 toggles on all of them.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    exact, points = _exact(weights, x)
    return np.asarray(exact.pre_activations(points) == 0, dtype=bool)


def most_toggling(weights: Weights, x: Reals) -> int:
    """Return p_max, the largest number of units that toggle on one data point (mulayoff2021, Lemma 5).

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    return int(np.max(np.sum(toggling(weights, x), axis=1), initial=0))


def idle_units(weights: Weights) -> int:
    """Return the number of units with w1 = b1 = 0, which have no knot and toggle on every data point.

    Raises:
        TypeError: if `weights` are no Weights.
    """
    check_weights("weights", weights)
    return int(np.sum((weights.w1 == 0) & (weights.b1 == 0)))


def modes(weights: Weights, x: Reals) -> Iterator[Array]:
    """Yield the modes around the weights: which units are active at which of x [n], truth values [n, k].

    A unit with a knot on a data point is active there or not. One with w1 = b1 = 0 may become active on all points below
    or above any place between them, on all, or on none: 2 n ways, or 2 for n = 1.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice, or there are more than 4096 modes.
    """
    exact, points = _exact(weights, x)
    z = exact.pre_activations(points)
    choices = [_patterns(exact.w1[i], z[:, i], points) for i in range(exact.width)]
    count = int(np.prod([float(len(choice)) for choice in choices])) if choices else 1
    if count > MOST_MODES:
        raise ValueError(f"weights must have at most {MOST_MODES} modes around them, got {count}")
    for columns in product(*choices):
        yield np.stack(columns, axis=1) if columns else np.zeros((len(points), 0), dtype=bool)


def _patterns(w1: Fraction, z: Array, x: Array) -> list[Array]:
    """Return the ways in which one unit may be active at the points: truth values [n] each."""
    if w1 == 0 and np.all(z == 0):
        ranks = np.argsort(np.argsort(x))
        return [pattern for m in range(len(x)) for pattern in (ranks < m, ranks >= m)]
    active = np.asarray(z > 0, dtype=bool)
    return [active, active | np.asarray(z == 0, dtype=bool)] if np.any(z == 0) else [active]


def is_mode(weights: Weights, x: Reals, mode: Array) -> bool:
    """Return whether units may be active as `mode` [n, k] says, arbitrarily close to the weights.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice, or `mode` is not of shape [n, k].
    """
    exact, points = _exact(weights, x)
    z = exact.pre_activations(points)
    if np.shape(mode) != z.shape:
        raise ValueError(
            f"mode must say of {z.shape[1]} units at {z.shape[0]} points which are active, got {mode.shape}"
        )
    return all(
        any(np.array_equal(mode[:, i], pattern) for pattern in _patterns(exact.w1[i], z[:, i], points))
        for i in range(exact.width)
    )


def mode_features(weights: Weights, x: Array, mode: Array) -> Array:
    """Return Phi_m^T, [n, 3k + 1]: the gradients of f(x_j) in a mode, the units active as `mode` [n, k] says."""
    z = weights.pre_activations(x)
    slope = np.where(mode, weights.w2, 0 * weights.w2)
    one = np.array([[Fraction(1) if z.dtype == object else 1.0]] * len(x), dtype=z.dtype).reshape(len(x), 1)
    return np.concatenate([slope * x[:, None], slope, np.where(mode, z, 0 * z), one], axis=1)


def gradient_bound(weights: Weights, x: Reals) -> Fraction:
    """Return the smallest C with |d f(x_j) / d theta_i| <= C for all weights, points of x [n] and modes; at least 1.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    exact, points = _exact(weights, x)
    features = mode_features(exact, points, exact.pre_activations(points) >= 0)
    return Fraction(np.max(np.abs(features)))


def _outputs_along(weights: Weights, x: Array, direction: Array) -> tuple[Array, Array]:
    """Return Phi_0^T v, [n], with toggling units inactive, and what each adds where it is active, w2 times dz, [n, k]."""
    k = weights.width
    z = weights.pre_activations(x)
    shifts = np.multiply.outer(x, direction[:k]) + direction[k : 2 * k]
    inactive: Array = mode_features(weights, x, z > 0) @ direction
    return inactive, np.where(z == 0, shifts, 0 * shifts)


def _along(name: str, weights: Weights, direction: Reals) -> Array:
    """Return a direction in the weights as rationals.

    Raises:
        ValueError: if it has not 3k + 1 entries, or they are all 0.
    """
    vector = rationals(real_array(name, direction))
    if len(vector) != len(weights.vector):
        raise ValueError(f"{name} must have {len(weights.vector)} entries, one a weight, got {len(vector)}")
    if not np.any(vector != 0):
        raise ValueError(f"{name} must not be zero")
    return vector


def curvature_of_step(weights: Weights, x: Reals, direction: Reals) -> Fraction:
    """Return q^T H_m q, q = v/||v||, m the mode that theta + v lies in: above 2/eta a first step from there is longer.

    By Jensen and Cauchy-Schwarz, E ||v - eta H v|| >= |q^T (I - eta H_m) v| where the stochastic gradients vanish at the
    minimum, so strong stability needs q^T H_m q <= 2/eta for every direction.

    Args:
        weights: theta, k units.
        x: distinct data points, [n].
        direction: v, [3k + 1], not 0.

    Raises:
        TypeError: if `weights` are no Weights, or an entry is no real number.
        ValueError: if x or the direction is malformed.
    """
    return curvatures_of_steps(weights, x, direction)[0]


def curvatures_of_steps(weights: Weights, x: Reals, direction: Reals) -> tuple[Fraction, Fraction]:
    """Return `curvature_of_step` of v, and of -v, whose mode is the opposite one.

    Args:
        weights: theta, k units.
        x: distinct data points, [n].
        direction: v, [3k + 1], not 0.

    Raises:
        TypeError: if `weights` are no Weights, or an entry is no real number.
        ValueError: if x or the direction is malformed.
    """
    exact, points = _exact(weights, x)
    v = _along("direction", exact, direction)
    inactive, shifts = _outputs_along(exact, points, v)
    ahead, back = (inactive + np.where(active, shifts, 0 * shifts) @ exact.w2 for active in (shifts > 0, shifts < 0))
    size = len(points) * Fraction(dot(v, v))
    return Fraction(dot(ahead, ahead)) / size, Fraction(dot(back, back)) / size


def largest_curvature(weights: Weights, x: Reals, direction: Reals) -> Fraction:
    """Return max_m q^T H_m q, q = v/||v||, over all modes; the largest over all q is lambda_up (mulayoff2021, eq 16).

    Args:
        weights: theta, k units, none with w1 = b1 = 0: then every point chooses its active units for itself.
        x: distinct data points, [n].
        direction: v, [3k + 1], not 0.

    Raises:
        TypeError: if `weights` are no Weights, or an entry is no real number.
        ValueError: if x or the direction is malformed, or a unit has w1 = b1 = 0.
    """
    exact, points = _exact(weights, x)
    if idle_units(exact):
        raise ValueError(f"weights must have no unit with w1 = b1 = 0, got {idle_units(exact)} of them")
    v = _along("direction", exact, direction)
    inactive, shifts = _outputs_along(exact, points, v)
    added = shifts * exact.w2
    most, least = (inactive + np.where(sign * added > 0, added, 0 * added).sum(axis=1) for sign in (1, -1))
    outputs = np.where(np.abs(most) >= np.abs(least), most, least)
    return Fraction(dot(outputs, outputs)) / (len(points) * Fraction(dot(v, v)))


def mean_gradient(weights: Weights, x: Reals) -> Array:
    """Return the mean of the gradients of f(x_j), [3k + 1], toggling units counted as inactive, exactly; never 0.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    exact, points = _exact(weights, x)
    return _mean_of(mode_features(exact, points, exact.pre_activations(points) > 0))


def _mean_of(features: Array) -> Array:
    mean: Array = features.sum(axis=0) / Fraction(len(features))
    return mean


def resting_gradient(weights: Weights, x: Reals) -> Array:
    """Return the mean gradient, [3k + 1], with each toggling unit active to the share at which it comes to rest.

    With share tau of its sample x_j, the component of a unit along (x_j, 1) is w2 (m + S x_j + tau (1 + x_j^2)) / n, m and
    S the number and the sum of the points where it is active besides. The share is where this vanishes, or the nearer end
    of [0, 1]: it makes (m + tau)^2 + (S + tau x_j)^2 smallest. A unit with w1 = b1 = 0 gets the share 0.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    exact, points = _exact(weights, x)
    z = exact.pre_activations(points)
    shares = rationals((z > 0).astype(int))
    for j, i in np.argwhere((z == 0) & (exact.w1 != 0)):
        active = points[z[:, i] > 0]
        shares[j, i] = _share(active, points[j])
    slopes = shares * exact.w2
    above = np.where(z > 0, z, 0 * z)
    one = np.full((len(points), 1), Fraction(1), dtype=object)
    return _mean_of(np.concatenate([slopes * points[:, None], slopes, above, one], axis=1))


def share_at_rest(weights: Weights, x: Array, point: int, unit: int) -> Fraction:
    """Return the share to which a unit that toggles on a point is active at rest, see `resting_gradient`.

    Args:
        weights: theta in rationals, k units.
        x: distinct data points, rationals [n].
        point: the number of the point, from 0.
        unit: that of the unit, likewise.
    """
    if weights.w1[unit] == 0:
        return Fraction(0)
    return _share(x[weights.pre_activations(x)[:, unit] > 0], x[point])


def _share(active: Array, at: Fraction) -> Fraction:
    """Return the tau in [0, 1] at which (m + tau)^2 + (S + tau at)^2 is smallest, m points `active` with sum S."""
    tau = -Fraction(len(active) + at * sum(active, Fraction(0))) / (1 + at * at)
    return min(max(tau, Fraction(0)), Fraction(1))


def resting_weight_enclosure(t: Array, x: Array) -> tuple[Array, Array]:
    """Return rationals below and above the resting weight at points t [m] (see `resting_weight`), x [n] distinct."""
    data, n = rationals(x), len(x)
    on_data = set(data)
    lower, upper = [], []
    for place in rationals(t):
        ends = []
        for beyond in (data[data < place], data[data > place]):
            tau = _share(beyond, place) if place in on_data else Fraction(0)
            distance = sum(np.abs(beyond - place), Fraction(0))
            size = (len(beyond) + tau) ** 2 + (sum(beyond, Fraction(0)) + tau * place) ** 2
            root = square_root(distance**2 * size)
            ends.append((Fraction(root.lower) / n**2, Fraction(root.upper) / n**2))
        lower.append(min(end[0] for end in ends))
        upper.append(min(end[1] for end in ends))
    return rationals(lower), rationals(upper)


def resting_weight(t: Reals, x: Reals) -> Array:
    """Return the weight of |f''| that holds at strongly stable minima without any excess, at points t [m], float64 [m].

    It is the stability weight g (mulayoff2021, eq 22) off the data. At a data point t the factor sqrt(m^2 + S^2) of either
    side, m and S the number and the sum of the points beyond t, becomes the distance of the origin from the segment
    between (m, S) and (m + 1, S + t). It is g there too if t times the mean of the points beyond is at least -1, and so
    everywhere if no two data points have a product below -1. In O(n m), exactly, then rounded.

    Args:
        t: points, [m].
        x: distinct data points, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    lower, upper = resting_weight_enclosure(real_array("t", t), data_points("x", x))
    return floats("the weights", (lower + upper) / 2)


def resting_curvature(weights: Weights, x: Reals) -> Enclosure:
    """Return rationals around int |f''| times the resting weight, for the function that the weights implement.

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    exact, points = _exact(weights, x)
    f = PiecewiseLinear.from_weights(exact)
    lower, upper = resting_weight_enclosure(f.knots, points)
    return Enclosure(Fraction(dot(np.abs(f.jumps), lower)), Fraction(dot(np.abs(f.jumps), upper)))


def parameter_gradient_bound(weights: Weights, x: Reals) -> Fraction:
    """Return C = max{1, rho (1 + M)}, rho the largest |weight| and M the largest |x_j| (mulayoff2021, Theorem 2).

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice.
    """
    exact, points = _exact(weights, x)
    return max(Fraction(1), Fraction(np.max(np.abs(exact.vector))) * (1 + Fraction(np.max(np.abs(points)))))


def spare_units(weights: Weights) -> int:
    """Return 1 + k - L, k the units and L the knots of the function: at least as many units toggle on no data point.

    Raises:
        TypeError: if `weights` are no Weights.
    """
    check_weights("weights", weights)
    return 1 + weights.width - len(PiecewiseLinear.from_weights(weights.rational()).knots)


def units_by_knots(weights: Weights, x: Array, *, resting: bool = False) -> dict[Fraction, list[dict[str, Fraction]]]:
    """Return what each unit with w1 <> 0 holds of n times the mean gradient, by its knot.

    Its weights w1 and w2, the number M and the sum S of the data points where it is active, and the sum A of their
    distances from the knot; one that toggles on a point counts as inactive there, or to its share if `resting`.

    Args:
        weights: theta in rationals, k units.
        x: distinct data points, rationals [n].
        resting: see `resting_gradient`.
    """
    found: dict[Fraction, list[dict[str, Fraction]]] = {}
    for w1, bias, w2 in zip(weights.w1, weights.b1, weights.w2, strict=True):
        if w1 != 0:
            knot = Fraction(-bias / w1)
            found.setdefault(knot, []).append({"w1": w1, "w2": w2, **side_of(knot, x, above=w1 > 0, resting=resting)})
    return found


def side_of(knot: Fraction, x: Array, *, above: bool, resting: bool = False) -> dict[str, Fraction]:
    """Return M, S and A of the data points x [n] above a knot or below it, as in `units_by_knots`."""
    beyond = x[x > knot] if above else x[x < knot]
    tau = _share(beyond, knot) if resting and knot in set(x) else Fraction(0)
    total, distance = (Fraction(sum(part, Fraction(0))) for part in (beyond, np.abs(beyond - knot)))
    return {"M": len(beyond) + tau, "S": total + tau * knot, "A": distance}
