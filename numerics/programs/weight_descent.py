"""Networks through data with a weights product as small as a local search finds, on the set of those that fit exactly.

At the minimum w1_i = v_i sum_j m_j x_j over the points j that unit i is active on, and v_i = sum_j m_j [w1_i x_j + b1_i]_+,
m the multipliers of the values: half the sum of squares of the weights is what is minimised, WP if units are balanced. A
step goes some way to the least squares solution of the linearised constraints, and Newton steps then take it back onto the
data. All systems are of size n. What is found is attained; nothing more is known of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numerics.programs.ridge_units import Fit, Units, worthwhile
from theory.checks import Array
from theory.enclosure import TINY

STEPS = 120
"""Steps at most between two times that units are added."""

ADDED = 40
"""So many units at most are added at a time."""

NEWTON = 12
"""Steps back onto the data at most."""

EXACT = 1e-11
"""A network fits if its errors are at most this share of the spread of the values."""

DROPPED = 1e-9
"""A unit is dropped if it has less than this share of the weight."""

START = 0.3
"""Units that are added have this share of the weight of those there are."""


@dataclass(frozen=True, eq=False)
class _Network:
    """w1 [k, d], b1 [k], v [k], offset."""

    w1: Array
    b1: Array
    v: Array
    offset: float

    @property
    def sizes(self) -> Array:
        return np.abs(self.v) * np.linalg.norm(self.w1, axis=1)  # type: ignore[no-any-return]

    def moved(self, step: tuple[Array, Array, Array, float], share: float) -> _Network:
        dw, db, dv, dc = step
        return _Network(self.w1 + share * dw, self.b1 + share * db, self.v + share * dv, self.offset + share * dc)

    def balanced(self) -> _Network:
        """Return the same function without units of no weight, |v| = |w1| in the others."""
        sizes = self.sizes
        kept = sizes > DROPPED * sizes.sum()
        factor = np.sqrt(np.abs(self.v[kept]) / np.linalg.norm(self.w1[kept], axis=1))
        return _Network(self.w1[kept] * factor[:, None], self.b1[kept] * factor, self.v[kept] / factor, self.offset)


def descended(points: Array, values: Array, start: Fit, *, rounds: int, seed: int) -> Fit:
    """Return a fit with a smaller weights product, or the one given.

    Args:
        points: [n, d], distinct.
        values: [n], not all equal.
        start: a fit without a slope.
        rounds: how often units are added.
        seed: of the directions in which they are looked for.
    """
    generator = np.random.default_rng(seed)
    best = _Network(start.units.w1, start.units.b1, start.v, start.offset).balanced()
    multipliers = start.multipliers
    for _ in range(rounds):
        added = worthwhile(points, multipliers, best.w1, generator, by_pairs=False)
        if not len(added.b1):
            break
        chosen = generator.permutation(len(added.b1))[:ADDED]
        size = np.sqrt(START * best.sizes.sum() / len(chosen))
        signs = np.sign(multipliers @ added.outputs(points)[:, chosen])
        wider = _Network(
            np.concatenate([best.w1, size * added.w1[chosen]]),
            np.concatenate([best.b1, size * added.b1[chosen]]),
            np.concatenate([best.v, size * signs]),
            best.offset,
        )
        found, there = _descent(points, values, wider)
        if found is None or found.sizes.sum() >= best.sizes.sum():
            break
        best, multipliers = found, there - np.mean(there)
    return Fit(Units(best.w1, best.b1), best.v, np.zeros(points.shape[1]), best.offset, multipliers)


def _descent(points: Array, values: Array, network: _Network) -> tuple[_Network | None, Array]:
    """Return the network that the steps end at, None if none fits the data, and its multipliers."""
    products, unit = points @ points.T, float(np.mean(np.sum(points**2, axis=1)))
    found, least, share = None, np.inf, 0.5
    multipliers = np.zeros(len(values))
    try:
        for _ in range(STEPS):
            step, there = _step(points, values, network, products, unit, least=True)
            tried = network.moved(step, share)
            for _ in range(NEWTON):
                errors = values - Units(tried.w1, tried.b1).outputs(points) @ tried.v - tried.offset
                if np.max(np.abs(errors)) <= EXACT * np.ptp(values):
                    break
                tried = tried.moved(_step(points, values, tried, products, unit, least=False)[0], 1.0)
            else:
                share /= 2
                if share < 1e-3:
                    break
                continue
            size = float(tried.sizes.sum())
            if size < least:
                network = found = tried.balanced()
                least, share, multipliers = size, min(1.0, 2 * share), there
            else:
                share /= 2
                if share < 1e-3:
                    break
    except np.linalg.LinAlgError:  # no unit is active where one must be: what was found before stands
        pass
    return found, multipliers


def _step(
    points: Array, values: Array, network: _Network, products: Array, unit: float, *, least: bool
) -> tuple[tuple[Array, Array, Array, float], Array]:
    """Return the step onto the linearised data, to the least weights or the shortest, and its multipliers.

    Biases count in units of the mean square of the points, and as moves: they have no price.
    """
    before = points @ network.w1.T + network.b1
    active = before > 0
    outputs, slopes = np.where(active, before, 0.0), active * network.v
    turning = slopes @ slopes.T
    matrix = turning * products + outputs @ outputs.T + unit * (turning + 1)
    missing = values - outputs @ network.v - network.offset
    if least:
        missing = missing + np.sum(slopes * (points @ network.w1.T), axis=1) + outputs @ network.v
    diagonal = np.einsum("ii->i", matrix)
    diagonal += 1e-14 * np.mean(diagonal) + TINY
    multipliers = np.linalg.solve(matrix, missing)
    dw, dv = (slopes * multipliers[:, None]).T @ points, outputs.T @ multipliers
    if least:
        dw, dv = dw - network.w1, dv - network.v
    return (dw, unit * (slopes.T @ multipliers), dv, float(unit * multipliers.sum())), multipliers
