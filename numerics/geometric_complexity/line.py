"""Functions on the line: Dirichlet energy, arc length and geometric complexity for a density, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from numerics.networks import TwoLayerReLU
from numerics.smoothness.points import on_line
from theory.checks import Array, real_array
from theory.enclosure import square_root
from theory.piecewise_linear import PiecewiseLinear, Real
from theory.two_layer import Weights

Line = PiecewiseLinear | Weights | nn.Module
"""A function of one number: as such, or a ReLU network with one input."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """A function on an interval that is linear between neighbouring knots.

    Attributes:
        knots: the ends of the interval and the knots inside, [m + 1], increasing; rationals if the function is exact.
        slopes: the derivative on each piece, [m, k].
    """

    knots: Array
    slopes: Array

    @property
    def exact(self) -> bool:
        """Whether it is given by rationals."""
        return self.slopes.dtype == object


def dirichlet_energy(f: Line, a: Real, b: Real) -> Real:
    """Return the Dirichlet energy of f on [a, b], (1/2) int ||f'||^2 (dherin2022, eq 4).

    The sum over pieces of length times squared slope: exact where f is given by rationals, in float64 otherwise.

    Args:
        f: a `PiecewiseLinear`; or `Weights`, a `TwoLayerReLU` or a `Sequential` of Linear and ReLU with one input and
            any number of outputs, whose knots are found in float64.
        a: where the interval begins.
        b: where it ends, above a.

    Raises:
        TypeError: if f is no such function, or a or b no real number.
        ValueError: if f has more than one input or a layer that is not known here, a weight is not finite, a and b are no
            interval, or the result is beyond the range of floats.

    Example:
        >>> from fractions import Fraction
        >>> from numerics.geometric_complexity import dirichlet_energy
        >>> from theory import PiecewiseLinear
        >>> tent = PiecewiseLinear.interpolate([Fraction(-1), 0, 1], [1, 0, 1])
        >>> dirichlet_energy(tent, -1, Fraction(1, 2))
        Fraction(3, 4)
    """
    pieces = pieces_of(f, *_finite_ends(a, b))
    squares = (pieces.slopes**2).sum(axis=1)
    terms = np.diff(pieces.knots) * squares
    return sum(terms, Fraction(0)) / 2 if pieces.exact else _finite("the Dirichlet energy", math.fsum(terms) / 2)


def arc_length(f: Line, a: Real, b: Real) -> float:
    """Return the arc length of the graph of f over [a, b], int sqrt(1 + ||f'||^2) (dherin2022, section 2).

    The sum over pieces of length times sqrt(1 + squared slope). If f is given by rationals the result is within one unit
    in the last place of the arc length; otherwise within 4 eps of that of the slopes and knots in float64.

    Args:
        f: as in `dirichlet_energy`.
        a: where the interval begins.
        b: where it ends, above a.

    Raises:
        TypeError: if f is no such function, or a or b no real number.
        ValueError: if f has more than one input or a layer that is not known here, a weight is not finite, a and b are no
            interval, or the result is beyond the range of floats.

    Example:
        >>> from numerics.geometric_complexity import arc_length
        >>> from theory import PiecewiseLinear
        >>> arc_length(PiecewiseLinear.interpolate([0, 3, 6], [0, 4, 0]), 0, 6)
        10.0
    """
    pieces = pieces_of(f, *_finite_ends(a, b))
    lengths = np.diff(pieces.knots)
    if pieces.exact:
        squares = (pieces.slopes**2).sum(axis=1)
        return float(sum((n * square_root(1 + s).upper for n, s in zip(lengths, squares, strict=True)), Fraction(0)))
    roots = [math.hypot(1.0, *slopes) for slopes in pieces.slopes]
    return _finite("the arc length", math.fsum(n * root for n, root in zip(lengths, roots, strict=True)))


def theoretical_geometric_complexity(
    f: Line, cumulative: Callable[[float], float], a: Real = -math.inf, b: Real = math.inf
) -> float:
    """Return the mean of ||f'(x)||^2 for x of a distribution without atoms at the knots (dherin2022, eq 5).

    The sum over pieces of squared slope times the probability of the piece.

    Args:
        f: as in `dirichlet_energy`.
        cumulative: the distribution function, such as `scipy.stats.norm.cdf`.
        a: where the support begins; finite where f is a network of more than two layers.
        b: where it ends, above a.

    Raises:
        TypeError: if f is no such function, or a or b no real number.
        ValueError: if `cumulative` is no distribution function that is 0 at a and 1 at b, f has more than one input or a
            layer that is not known here, a weight is not finite, or a and b are no interval.

    Example:
        >>> from numerics.geometric_complexity import theoretical_geometric_complexity
        >>> from theory import PiecewiseLinear
        >>> bent = PiecewiseLinear([0.0], [3.0], slope=-1.0, value=0.0)
        >>> theoretical_geometric_complexity(bent, lambda t: min(max((t + 1) / 2, 0.0), 1.0))
        2.5
    """
    pieces = pieces_of(f, a, b)
    shares = [float(cumulative(float(knot))) for knot in pieces.knots]
    if shares[0] > 1e-9 or shares[-1] < 1 - 1e-9 or shares != sorted(shares):
        raise ValueError(
            f"cumulative must grow from 0 at a = {a} to 1 at b = {b}, got {shares[0]} and {shares[-1]} at the ends"
        )
    squares = (pieces.slopes.astype(np.float64) ** 2).sum(axis=1)
    return _finite("the geometric complexity", math.fsum(squares * np.diff(shares)))


def pieces_of(f: Line, a: Real, b: Real) -> Pieces:
    """Return the linear pieces of f between a and b.

    Raises:
        TypeError: if f is no function on the line, or a or b no real number.
        ValueError: if f has more than one input or a layer that is not known here, a weight is not finite, or a and b
            are no interval.
    """
    for name, end in (("a", a), ("b", b)):
        if not (isinstance(end, float) and math.isinf(end)):
            real_array(name, [end])
    if not a < b:
        raise ValueError(f"a must be below b, got a = {a} and b = {b}")
    if not isinstance(f, nn.Sequential):
        if not isinstance(f, (PiecewiseLinear, Weights, TwoLayerReLU)):
            raise TypeError(
                "f must be a PiecewiseLinear, Weights, a TwoLayerReLU or a Sequential of Linear and ReLU, got "
                f"{type(f).__name__}"
            )
        return _of_function(on_line(f), a, b)
    if math.isinf(a) or math.isinf(b):
        raise ValueError(f"a and b must be finite for a Sequential, got a = {a} and b = {b}")
    return _of_layers(f, float(a), float(b))


def _finite_ends(a: Real, b: Real) -> tuple[Real, Real]:
    """Return the ends of an interval.

    Raises:
        TypeError: if one is no real number.
        ValueError: if one is not finite.
    """
    for name, end in (("a", a), ("b", b)):
        real_array(name, [end])
    return a, b


def _of_function(f: PiecewiseLinear, a: Real, b: Real) -> Pieces:
    ends = [end if isinstance(end, float) and math.isinf(end) else Fraction(end) for end in (a, b)]
    first, last = int(np.sum(f.knots <= a)), int(np.sum(f.knots < b))
    inside = f.knots[first:last]
    if f.exact:
        return Pieces(np.array([ends[0], *inside, ends[1]], dtype=object), f.slopes[first : last + 1, None])
    return Pieces(np.array([float(a), *inside, float(b)]), f.slopes[first : last + 1, None])


def _of_layers(model: nn.Sequential, a: float, b: float) -> Pieces:
    """Return the pieces of a network of Linear and ReLU layers on [a, b], found layer by layer.

    Raises:
        ValueError: if it has another layer, more than one input, or a weight that is not finite.
    """
    knots, values, slopes = np.array([a, b]), np.array([[a], [b]]), np.ones((1, 1))
    for name, layer in model.named_children():
        if isinstance(layer, nn.Linear):
            if layer.in_features != values.shape[1]:
                raise ValueError(f"f must have one input, got {layer.in_features} into Linear {name!r}")
            weight: Array = layer.weight.detach().to("cpu", torch.float64).numpy()
            bias = 0.0 if layer.bias is None else layer.bias.detach().to("cpu", torch.float64).numpy()
            if not (np.all(np.isfinite(weight)) and np.all(np.isfinite(bias))):
                raise ValueError(f"f must have finite weights, got nan or inf in Linear {name!r}")
            values, slopes = values @ weight.T + bias, slopes @ weight.T
        elif isinstance(layer, nn.ReLU):
            knots, values, slopes = _bent(knots, values, slopes)
        elif not isinstance(layer, (nn.Identity, nn.Flatten)):
            raise ValueError(f"f must have layers Linear and ReLU only, got {type(layer).__name__} {name!r}")
    return Pieces(knots, slopes)


def _bent(knots: Array, values: Array, slopes: Array) -> tuple[Array, Array, Array]:
    """Return knots, values and slopes after a ReLU: a knot is added where a unit changes its sign inside a piece."""
    left, right = values[:-1], values[1:]
    piece, unit = np.nonzero(left * right < 0)
    share = left[piece, unit] / (left[piece, unit] - right[piece, unit])
    places = knots[piece] + share * (knots[piece + 1] - knots[piece])
    order = np.lexsort((places, piece))
    piece, unit, share, places = piece[order], unit[order], share[order], places[order]
    at = values[piece] + share[:, None] * (values[piece + 1] - values[piece])
    at[np.arange(len(unit)), unit] = 0.0
    # A knot follows the left end of its piece and those before it there; its piece is split, the slopes stay.
    knots = np.insert(knots, piece + 1, places)
    values = np.insert(values, piece + 1, at, axis=0)
    slopes = np.insert(slopes, piece, slopes[piece], axis=0)
    middle = values[:-1] + values[1:]
    return knots, np.maximum(values, 0.0), np.where(middle > 0, slopes, 0.0)


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be within the range of floats, got {value}")
    return value
