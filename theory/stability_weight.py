"""The weight g of mulayoff2021, eq 22: of an empirical distribution, in floats and exactly, and of three populations.

Everything rests on one sum. With m points below t, their sum S and A = sum_{x_j < t} (t - x_j),

    g-(t) = P(X<t)^2 E[t - X | X<t] sqrt(1 + E[X | X<t]^2) = A sqrt(m^2 + S^2) / n^2,

and g+ is g- of the mirrored data at the mirrored point. A is built from gaps between neighbours, all of one sign, so
nothing cancels, however far from zero and however close together the data lie; S is summed in twice the precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from theory.checks import Array, Reals, data_points, floats, rationals, real_array
from theory.enclosure import EPS, SMALLEST, square_root
from theory.summation import running_sums

Side = Literal["at", "left", "right"]
"""Where g is taken at a data point: the value itself, or the limit from the left or from the right."""


@dataclass(frozen=True)
class _Below:
    """What g- needs to know of the points below each t: their number m, their sum S, and A = sum of t - x_j."""

    m: Array
    total: Array
    gaps: Array


def _prefix_sums(x: Array) -> Array:
    """Return the sums of the first 0, 1, .., n entries, [n + 1]."""
    zero = np.array([Fraction(0)], dtype=object) if x.dtype == object else np.zeros(1)
    return np.concatenate([zero, running_sums(x)])


def _below(t: Array, x: Array, *, counted_at_t: bool) -> _Below:
    """Sum up the points of the sorted x below t (or at most t); outside the data, at their nearer end, where g is 0 too."""
    t = np.clip(t, x[0], x[-1])
    zero = np.zeros(1, dtype=x.dtype) if x.dtype != object else np.array([Fraction(0)], dtype=object)
    m = np.searchsorted(x, t, side="right" if counted_at_t else "left")
    ranks = np.arange(1, len(x)) if x.dtype != object else np.array([Fraction(i) for i in range(1, len(x))], object)
    gaps_at_points = np.concatenate([zero, zero, np.cumsum(ranks * np.diff(x))])
    nearest = x[np.maximum(m - 1, 0)]
    beyond = np.maximum(t - nearest, 0 * nearest)
    weight = m if x.dtype != object else np.array([Fraction(int(i)) for i in m], dtype=object)
    return _Below(
        weight,
        _prefix_sums(x)[m],
        gaps_at_points[m] + weight * beyond,
    )


def _one_sided(t: Array, x: Array, *, counted_at_t: bool) -> Array:
    below = _below(t, x, counted_at_t=counted_at_t)
    return below.gaps * np.hypot(below.m, below.total) / float(len(x)) ** 2


def _counted(side: Side) -> tuple[bool, bool]:
    """Return whether a point at t counts as below it, and as above it.

    Raises:
        ValueError: if `side` is unknown.
    """
    if side not in ("at", "left", "right"):
        raise ValueError(f"side must be 'at', 'left' or 'right', got {side!r}")
    return side == "right", side == "left"


def stability_weight(t: Reals, x: Reals, *, side: Side = "at") -> Array:
    """Return g(t), the weight of |f''| in the minima-stability bound (mulayoff2021, eq 22), in O((n + m) log n).

    g = min(g-, g+) between the smallest and the largest data point and 0 outside, with X uniform on the data and
    g-(t) = P(X<t)^2 E[t-X | X<t] sqrt(1 + E[X | X<t]^2), g+(t) the same with X>t and X-t. g is linear between
    neighbouring data points up to one kink, concave there, and jumps at them.

    Args:
        t: points, [m]; +-inf is allowed and gives 0.
        x: distinct data points, [n], in any order, n >= 1.
        side: at data points, the value ("at"), or the limit from the "left" or the "right".

    Returns:
        g(t), float64 [m]; relative error about n eps (1 + n eps sum |x_j|), eps the machine epsilon. Rationals are
        rounded to floats first.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x is empty, not finite, of a wrong shape or holds a point twice (as floats); if t holds nan; on a
            wrong side; if g(t) is beyond the range of floats.

    Example:
        >>> from theory.mulayoff2021 import stability_weight
        >>> stability_weight([0.0, 0.5, 3.0], x=[-1.5, -0.5, 0.5, 1.5]).round(4)
        array([0.3536, 0.1127, 0.    ])
    """
    at_below, at_above = _counted(side)
    points = np.sort(data_points("x", floats("x", data_points("x", x))))
    where = _places(t)
    with np.errstate(over="ignore", invalid="ignore"):
        g_minus = _one_sided(where, points, counted_at_t=at_below)
        g_plus = _one_sided(-where, -points[::-1], counted_at_t=at_above)
        g: Array = np.minimum(g_minus, g_plus)
    if not np.all(np.isfinite(g)):
        raise ValueError(f"g(t) must be within the range of floats, got {g[~np.isfinite(g)][0]}")
    return g


def _places(t: Reals) -> Array:
    """Return t as floats, +-inf replaced by the largest finite floats, where g is 0 as well.

    Raises:
        ValueError: if t is a single number.
    """
    raw = np.asarray(t)
    if raw.dtype.kind == "f" and raw.ndim == 1 and np.isinf(raw).any():
        raw = np.clip(raw, -np.finfo(np.float64).max, np.finfo(np.float64).max)
    if raw.ndim == 0:
        raise ValueError(f"t must have one axis, got a single number {t!r}: write [{t!r}]")
    return floats("t", real_array("t", raw if raw.dtype.kind == "f" else t))


def weight_enclosure(t: Array, x: Array, *, side: Side = "at") -> tuple[Array, Array]:
    """Return numbers below and above g(t): rationals if t or x is rational, else floats, which hold g of these floats.

    Beyond the range of floats they are 0 and inf.

    Args:
        t: points, [m].
        x: distinct data points, [n].
        side: as for `stability_weight`.

    Returns:
        lower and upper, each [m].
    """
    at_below, at_above = _counted(side)
    if object in (t.dtype, x.dtype):
        t, x = rationals(t), rationals(x)
    points = np.sort(x)
    mirrored = -points[::-1]
    halves = [_below(t, points, counted_at_t=at_below), _below(-t, mirrored, counted_at_t=at_above)]
    if points.dtype == object:
        roots = [[square_root(m * m + s * s) for m, s in zip(h.m, h.total, strict=True)] for h in halves]
        ends = []
        for end in ("lower", "upper"):
            sides = [
                [gap * getattr(r, end) / len(points) ** 2 for gap, r in zip(h.gaps, root, strict=True)]
                for h, root in zip(halves, roots, strict=True)
            ]
            ends.append(np.array([min(pair) for pair in zip(*sides, strict=True)], dtype=object))
        return ends[0], ends[1]
    first, second = (_float_ends(data, half) for data, half in zip((points, mirrored), halves, strict=True))
    lower, upper = (np.minimum(*pair) for pair in zip(first, second, strict=True))
    return lower, upper


def _float_ends(x: Array, half: _Below) -> tuple[Array, Array]:
    """Return floats below and above g- of the sorted data x; 0 and inf where a float overflows.

    In units of u = eps/2: A is a sum of at most n terms of one sign, each a rounded difference times a rank, so n + 3; the
    root is off by 4, and by what S is off by, u |S| + (n u)^2 sum |x_j| / (1 - n u)^2 (Ogita, Rump and Oishi, Accurate sum
    and dot product, Proposition 4.5), relative to at least max(1, |S|); product and quotient make 2, the ends themselves
    2. Sums and differences do not underflow, nor do products with ranks; the two other products and the quotient may.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        root = _hypotenuse(half.m, half.total)
        value = half.gaps * root / float(len(x)) ** 2
        size = np.concatenate([np.zeros(1), np.cumsum(np.abs(x))])[half.m]
        share = EPS * (len(x) + 8)
        error = share * (1 + share * size / np.maximum(root, 1))
        underflow = 2 * SMALLEST * (half.gaps > 0)
        lower, upper = np.maximum(value * (1 - error) - underflow, 0), value * (1 + error) + underflow
    finite = np.isfinite(upper) & (error < 1)
    return np.where(finite, lower, 0.0), np.where(finite, upper, np.inf)


def _hypotenuse(m: Array, total: Array) -> Array:
    """Return sqrt(m^2 + S^2) in floats to 4 units of eps/2, by operations that IEEE 754 rounds correctly; 0 for m = 0."""
    long, short = np.maximum(np.abs(total), m), np.minimum(np.abs(total), m)
    length: Array = long * np.sqrt(1 + (short / np.maximum(long, 1)) ** 2)
    return length


Distribution = Literal["uniform", "gaussian", "laplace"]


def _uniform(t: float) -> tuple[float, float]:
    half_width = math.sqrt(3)
    t = min(max(t, -half_width), half_width)
    return (t + half_width) / (2 * half_width), (t + half_width) ** 2 / (4 * half_width)


def _gaussian(t: float) -> tuple[float, float]:
    below = math.erfc(-t / math.sqrt(2)) / 2
    return below, max(t * below + math.exp(-t * t / 2) / math.sqrt(2 * math.pi), 0.0)


def _laplace(t: float) -> tuple[float, float]:
    scale = math.sqrt(0.5)
    tail = math.exp(-abs(t) / scale) / 2
    return (tail, scale * tail) if t < 0 else (1 - tail, t + scale * tail)


_POPULATIONS: dict[str, Callable[[float], tuple[float, float]]] = {
    "uniform": _uniform,
    "gaussian": _gaussian,
    "laplace": _laplace,
}


def population_weight(t: Reals, distribution: Distribution) -> Array:
    """Return g(t) of a population with mean 0 and variance 1 in closed form (mulayoff2021, Fig 2, blue curves).

    From F(t) = P(X<t) and A(t) = E[(t-X)_+], g-(t) = A sqrt(F^2 + (t F - A)^2), since E[X; X<t] = t F - A; all three
    populations are symmetric, so g+(t) = g-(-t).

    Args:
        t: points, [m].
        distribution: "uniform", "gaussian" or "laplace".

    Returns:
        g(t), float64 [m].

    Raises:
        TypeError: if an entry of t is no real number.
        ValueError: if t holds nan or inf or has a wrong shape, or the distribution is unknown.

    Example:
        >>> from theory.mulayoff2021 import population_weight
        >>> population_weight([0.0, 1.0, 2.0], "gaussian").round(4)
        array([0.2552, 0.0241, 0.0005])
    """
    if distribution not in _POPULATIONS:
        raise ValueError(f"distribution must be one of {', '.join(map(repr, _POPULATIONS))}, got {distribution!r}")
    population = _POPULATIONS[distribution]

    def g_minus(point: float) -> float:
        below, gap = population(point)
        return gap * math.hypot(below, point * below - gap)

    inside = math.sqrt(3) if distribution == "uniform" else math.inf
    return np.array(
        [min(g_minus(p), g_minus(-p)) if abs(p) <= inside else 0.0 for p in floats("t", real_array("t", t))]
    )
