"""The least PL0, PL1 and weights product of networks through data in any dimension: a proved bound, and a network beside it.

Where a linear function goes through the data, as through affinely independent points and so for images of 784 inputs and
fewer of them, no program is needed: it has PL1 = 0, and the PL0 of eq 4.8, as it is monotone on every segment. Of WP it is
not the least in general. Else a linear program weighs units (`ridge_units`), and for WP a descent goes on from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from numerics.networks import TwoLayerReLU
from numerics.programs.path_length_bounds import Measure, best_multipliers, check_measure, check_path_certificate, data
from numerics.programs.ridge_units import Fit, Units, along, cheapest, worthwhile
from numerics.programs.weight_descent import descended
from numerics.smoothness.exact import exact_function_path_length
from theory.checks import Array, Reals
from theory.checks import count as integer
from theory.enclosure import EPS
from theory.path_lengths import network_path_length, weights_product

LINEAR = 1e-9
"""Values are those of a linear function if they are within this share of their spread of it."""


@dataclass(frozen=True, eq=False)
class LeastPathLength:
    """A lower bound on a measure of all networks through data, and a network that comes close or attains it.

    Attributes:
        measure: "PL0", "PL1" or "WP".
        value: the bound, rounding included: on PL0 of every continuous function, on PL1 of every ReLU network of any depth
            (closed segments, the gradient at a kink as postulated after eq 3.7), on WP of every two-layer ReLU network.
        primal: the measure of the network, of PL1 by B6.a, rounded up.
        gap: primal - value.
        network: a two-layer ReLU network through the data.
        misfit: how far it is from a value at most.
        linear: whether a linear function goes through the data.
        certificate: what the bound rests on, for `check_path_certificate`, [n], or [0] for "PL0".
    """

    measure: Measure
    value: float
    primal: float
    gap: float
    network: TwoLayerReLU
    misfit: float
    linear: bool
    certificate: Array


def least_path_length(
    points: Reals, values: Reals, measure: Measure = "PL1", *, rounds: int = 3, seed: int = 0
) -> LeastPathLength:
    """Return how small a measure of smoothness can be among networks through data, between two bounds.

    PL0 and PL1 are means over all n^2 ordered pairs of the points (volhejn2020, eqs 3.5 and 3.7), WP is eq 3.8. The lower
    bound is proved by its certificate, whatever the search found; the upper one is that of a network. If `linear`, PL0 and
    PL1 are least, and the two meet.

    Args:
        points: distinct, [n, d], n >= 2; d = 1 too, where PL0's least is the spline's (V14.c).
        values: what the networks take there, [n].
        measure: what is to be small.
        rounds: how often units are added to those in use, at least 0.
        seed: of the directions in which units are looked for, at least 0.

    Raises:
        TypeError: if an entry is no real number, or `rounds` or `seed` no integer.
        ValueError: if the shapes do not fit, an entry is not finite, there are fewer than two points or two coincide, or an
            argument is out of its range.
        RuntimeError: if a linear program is not solved.

    Example:
        >>> from numerics.programs import least_path_length
        >>> points, values = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]
        >>> least = least_path_length(points, values, "PL1")
        >>> round(least.value, 4), round(least.primal, 4), least.linear
        (0.3536, 0.5303, False)
        >>> least = least_path_length(points[1:], values[1:], "PL1")
        >>> least.value, least.primal, least.linear
        (0.0, 0.0, True)
    """
    x, y = data(points, values)
    check_measure(measure)
    rounds, seed = integer("rounds", rounds, fewest=0), integer("seed", seed, fewest=0)
    middle = np.mean(x, axis=0)
    centred = x - middle
    # In coordinates of the span of the data, of which there are fewer.
    axes = np.linalg.svd(centred, full_matrices=False)[2] if x.shape[1] >= len(x) else np.eye(x.shape[1])
    fit, linear = _fit(centred @ axes.T, y, measure, rounds, seed)
    network = _network(Fit(Units(fit.units.w1 @ axes, fit.units.b1), fit.v, fit.slope @ axes, fit.offset, y), x, middle)
    with torch.no_grad():
        misfit = float(np.max(np.abs(network(torch.from_numpy(x)).numpy()[:, 0] - y)))
    certificate = best_multipliers(x, y, measure)
    value = check_path_certificate(x, y, measure, certificate)
    primal = _measured(network, x, measure)
    return LeastPathLength(measure, value, primal, primal - value, network, misfit, linear, certificate)


def _fit(x: Array, y: Array, measure: Measure, rounds: int, seed: int) -> tuple[Fit, bool]:
    """Return a network through the data, points [n, d] centred, and whether a linear function goes through them."""
    slope = np.linalg.lstsq(x, y - np.mean(y), rcond=None)[0]
    offset, nothing = float(np.mean(y)), Units(np.zeros((0, x.shape[1])), np.zeros(0))
    linear = float(np.max(np.abs(x @ slope + offset - y))) <= LINEAR * float(np.ptp(y))
    if linear and (measure != "WP" or not np.any(slope)):
        return Fit(nothing, np.zeros(0), slope, offset, y), True
    by_pairs, generator = measure == "PL1", np.random.default_rng(seed)
    if linear:
        size = float(np.linalg.norm(slope))
        bias = _always_on(x, slope / size)
        multipliers = np.linalg.lstsq(x.T, slope / size, rcond=None)[0]
        unit = Units(slope[None] / size, np.array([bias]))
        fit = Fit(
            unit, np.array([size]), np.zeros_like(slope), offset - size * bias, multipliers - np.mean(multipliers)
        )
    else:
        units = nothing
        for direction in (slope, *generator.standard_normal((2, x.shape[1]))):
            if np.any(direction):
                units = units.joined(along(x, direction / np.linalg.norm(direction)))
        fit = cheapest(x, y, units, by_pairs=by_pairs)
        for _ in range(rounds):
            units = units.joined(worthwhile(x, fit.multipliers, fit.units.w1, generator, by_pairs=by_pairs))
            fit = cheapest(x, y, units, by_pairs=by_pairs)
    return (descended(x, y, fit, rounds=rounds, seed=seed) if measure == "WP" else fit), linear


def _always_on(x: Array, direction: Array) -> float:
    """Return a bias with which a unit is active on all points, well away from its kink."""
    places = x @ direction
    return float(-places.min() + 0.5 * np.ptp(places)) + 1.0


def _network(fit: Fit, x: Array, middle: Array) -> TwoLayerReLU:
    """Return the network of a fit to points less their middle; a linear part is one more unit, active on all points."""
    w1, b1, v, offset = fit.units.w1, fit.units.b1, fit.v, fit.offset
    if np.any(fit.slope):
        bias = _always_on(x - middle, fit.slope)
        w1, b1, v = np.vstack([w1, fit.slope]), np.append(b1, bias), np.append(v, 1.0)
        offset -= bias
    network = TwoLayerReLU(len(v), x.shape[1])
    with torch.no_grad():
        if len(v):
            network.hidden.weight.copy_(torch.from_numpy(w1))
            network.hidden.bias.copy_(torch.from_numpy(b1 - w1 @ middle))
            network.output.weight.copy_(torch.from_numpy(v[None]))
        network.output.bias.fill_(offset)
    return network


def _measured(network: TwoLayerReLU, x: Array, measure: Measure) -> float:
    """Return the measure of a network, over all pairs of points [n, d], rounded up."""
    w1, b1 = network.hidden.weight.detach().numpy(), network.hidden.bias.detach().numpy()
    v = network.output.weight.detach().numpy()[0]
    if measure == "PL0":
        # Pairs by their later point: all at once they would be too many.
        sums = (
            exact_function_path_length(network, np.stack([np.broadcast_to(x[j], (j, x.shape[1])), x[:j]], axis=1)).value
            * j
            for j in range(1, len(x))
        )
        sizes = np.abs(v) @ (np.linalg.norm(w1, axis=1) * np.linalg.norm(x, axis=1).max() + np.abs(b1))
        return float(2 * math.fsum(sums) / len(x) ** 2 + 4 * (len(v) + x.shape[1] + 8) * EPS * sizes)
    found = weights_product(w1, v) if measure == "WP" else network_path_length(w1, b1, v, x)
    return math.nextafter(found * (1 + (x.shape[1] + 8) * EPS), math.inf) if found else 0.0
