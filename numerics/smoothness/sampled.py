"""The measures of any torch module, sampled at points and along segments."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from numerics.networks import TwoLayerReLU
from numerics.segments import gradient_variations, sampled_function_variations
from numerics.smoothness.modules import checked_slope, measuring
from numerics.smoothness.points import Estimate, Points, along, along_segments, estimate_of, tensor_of
from theory.checks import count as integer


def gradient_norm(
    model: nn.Module, points: Points, *, squared: bool = False, relu_slope_at_zero: float = 1.0
) -> Estimate:
    """Return GN, the mean norm of the gradient of f in its input (volhejn2020, eq 3.1).

    For a vector-valued f it is the Frobenius norm of the Jacobian. The module is evaluated in evaluation mode, and left
    in the mode it was in; it must treat the rows of its input one by one.

    Args:
        model: maps [n, d] to [n], [n, 1] or [n, c]; points are moved to the dtype and device of its parameters.
        points: where to take the gradient, [n, d].
        squared: return the mean of the squared norm instead.
        relu_slope_at_zero: the derivative of the ReLU at 0, from 0 to 1. It holds for calls of torch's functions
            `relu` and the modules made of them, but for none in a scripted or compiled module, where it stays 0.

    Raises:
        TypeError: if an argument is of the wrong type, or `model` returns no tensor.
        ValueError: if `points` are empty, of a shape that `model` does not take or not finite, the outputs of `model`
            or their gradients are of a wrong shape, not finite or cut off from its inputs, or the slope is out of range.

    Example:
        >>> import torch
        >>> from numerics import glorot_network, gradient_norm
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> found = gradient_norm(network, points)
        >>> round(found.value, 3), round(found.standard_error, 3), found.samples
        (0.853, 0.07, 4)
    """
    data = tensor_of("points", points, "(n, d)").to("cpu", torch.float64)
    with measuring(model, "points", data, checked_slope(relu_slope_at_zero)) as (jacobians, rows):
        norms = torch.empty(len(data), dtype=torch.float64)
        for part, norm in zip(data.split(rows), norms.split(rows), strict=True):
            torch.linalg.vector_norm(jacobians(part), dim=1, out=norm)
    return estimate_of((norms**2 if squared else norms).numpy())


def function_path_length(model: nn.Module, pairs: Points, *, points_per_segment: int = 100) -> Estimate:
    """Return PL0 along pairs, the variation of f between equidistant points (volhejn2020, eqs 3.5 and 3.6).

    For a vector-valued f differences are taken in the Euclidean norm. Never above the variation of f, rounding errors
    aside. The module is evaluated as in `gradient_norm`, a bounded number of points at a time; a `TwoLayerReLU` only at
    the ends, in float64.

    Args:
        model: maps [n, d] to [n], [n, 1] or [n, c]; points are moved to the dtype and device of its parameters.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.
        points_per_segment: n of eq 3.6, at least 2, both ends among them.

    Raises:
        TypeError: if an argument is of the wrong type, or `model` returns no tensor.
        ValueError: if `pairs` are empty, of a shape that `model` does not take or not finite, the outputs of `model`
            are of a wrong shape or not finite, or `points_per_segment` is below 2.

    Example:
        >>> import torch
        >>> from numerics import function_path_length, glorot_network, sample_pairs
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> found = function_path_length(network, sample_pairs(points, 100, seed=0))
        >>> round(found.value, 3), found.samples
        (0.44, 100)
    """
    cells = integer("points_per_segment", points_per_segment, fewest=2) - 1
    if isinstance(model, TwoLayerReLU):
        return along_segments(model, pairs, partial(sampled_function_variations, cells=cells))
    return _path_length(model, pairs, cells, None)


def gradient_path_length(
    model: nn.Module, pairs: Points, *, points_per_segment: int = 100, relu_slope_at_zero: float = 1.0
) -> Estimate:
    """Return PL1 along pairs, the variation of the gradient between equidistant points (volhejn2020, eqs 3.6 and 3.7).

    For a vector-valued f differences of the Jacobian are taken in the Frobenius norm. The module is evaluated as in
    `gradient_norm`, a bounded number of points at a time; a `TwoLayerReLU` with slope 1 only at the ends, in float64.
    Never above the variation of the gradient, but well below it where many units switch between two neighbouring
    points: their jumps then partly cancel.

    Args:
        model: maps [n, d] to [n], [n, 1] or [n, c]; points are moved to the dtype and device of its parameters.
        pairs: the ends of the segments, [m, 2, d]; see `sample_pairs`.
        points_per_segment: n of eq 3.6, at least 2, both ends among them.
        relu_slope_at_zero: the derivative of the ReLU at 0, as in `gradient_norm`.

    Raises:
        TypeError: if an argument is of the wrong type, or `model` returns no tensor.
        ValueError: if `pairs` are empty, of a shape that `model` does not take or not finite, the outputs of `model`
            or their gradients are of a wrong shape, not finite or cut off from its inputs, or `points_per_segment` or
            the slope is out of range.

    Example:
        >>> import torch
        >>> from numerics import glorot_network, gradient_path_length, sample_pairs
        >>> network = glorot_network(20, in_features=2, seed=0)
        >>> points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        >>> found = gradient_path_length(network, sample_pairs(points, 100, seed=0))
        >>> round(found.value, 3), found.samples
        (0.356, 100)
    """
    cells, slope = integer("points_per_segment", points_per_segment, fewest=2) - 1, checked_slope(relu_slope_at_zero)
    if isinstance(model, TwoLayerReLU) and slope == 1:
        return along_segments(model, pairs, partial(gradient_variations, cells=cells))
    return _path_length(model, pairs, cells, slope)


def _path_length(model: nn.Module, pairs: object, steps: int, slope: float | None) -> Estimate:
    """Return the mean variation of f, or of its gradient if a slope is given, between equidistant points of segments."""
    segments = tensor_of("pairs", pairs, "(m, 2, d)").to("cpu", torch.float64)
    totals = torch.zeros(len(segments), dtype=torch.float64)  # small tensors kept one by one would fragment memory
    with measuring(model, "pairs", segments, slope) as (measured, rows):
        together = max(1, rows // (steps + 1))
        for block, total in zip(segments.split(together), totals.split(together), strict=True):
            for start in range(0, steps, rows):
                t = torch.arange(start, min(start + rows, steps) + 1, dtype=torch.float64) / steps
                points = along(block[:, 0], block[:, 1], t)
                values = measured(points.flatten(0, 1)).reshape(*points.shape[:2], -1)
                total += torch.linalg.vector_norm(values.diff(dim=1), dim=2).sum(dim=1)
    totals[(segments[:, 0] == segments[:, 1]).all(dim=1)] = 0  # where rounding may tell equal rows of a product apart
    return estimate_of(totals.numpy())
