"""Variation of two-layer ReLU networks along segments: pre-activations are affine there, and only kinks matter."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from numerics.tangent import Layers
from theory.checks import Array

ENTRIES = 2**21
"""Inputs, Jacobians and pre-activations are held in pieces of at most so many numbers, unless one point needs more."""


def ends(weights: Layers, segments: torch.Tensor) -> tuple[Array, Array]:
    """Return the pre-activations at both ends of segments, [m, k] each, equal where the ends are.

    Raises:
        ValueError: if one is not finite.
    """
    ends = weights.pre_activations(segments.flatten(0, 1)).reshape(len(segments), 2, -1)
    start, end = ends.cpu().numpy().transpose(1, 0, 2)
    point = (segments[:, 0] == segments[:, 1]).all(dim=1).cpu().numpy()
    end = np.where(point[:, None], start, end)
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.all(np.isfinite(end - start)):
            raise ValueError("pairs and network must be small enough for pre-activations in float64, but they overflow")
    return start, end


def function_variations(weights: Layers, segments: torch.Tensor) -> Array:
    """Return the variation of f along segments [m, 2, d], [m]: |slope| times length over its linear pieces."""
    start, end = ends(weights, segments)
    w2, change = weights.w2.cpu().numpy(), end - start
    switching = (start > 0) != (end > 0)
    places = np.divide(start, -change, out=np.ones_like(start), where=switching)
    order = np.argsort(places, axis=1)
    places = np.take_along_axis(places, order, axis=1)
    first = np.sum(np.where(start > 0, w2 * change, 0.0), axis=1, keepdims=True)
    # A unit adds its slope where it becomes active and takes it away, with the other sign, where it ceases to be.
    turns = np.take_along_axis(np.where(switching, w2 * np.abs(change), 0.0), order, axis=1)
    slopes = np.cumsum(np.concatenate([first, turns], axis=1), axis=1)
    lengths = np.diff(places, axis=1, prepend=0.0, append=1.0)
    variations: Array = np.sum(np.abs(slopes) * lengths, axis=1)
    return variations


def gradient_variations(weights: Layers, segments: torch.Tensor, cells: int | None = None) -> Array:
    """Return the variation of the gradient along segments [m, 2, d], [m].

    Args:
        weights: the network, k units on d inputs.
        segments: both ends, [m, 2, d].
        cells: if given, the variation between the ends of so many equal parts of each segment: units that switch in the
            same part make one jump. If not, only those do that switch at one place, rounding errors aside.
    """
    m, (k, d) = len(segments), weights.w1.shape
    if k == 0:
        return np.zeros(m)
    start, end = ends(weights, segments)
    w1, w2 = weights.w1.cpu().numpy(), weights.w2.cpu().numpy()
    size = segments.abs().amax(dim=1) @ weights.w1.abs().T + weights.b1.abs()  # of the terms of a pre-activation
    change = end - start
    switching = ((start >= 0) != (end >= 0)) & (w2 != 0)
    places = np.divide(start, -change, out=np.full_like(start, 2.0), where=switching)
    rounding = (d + 3) * np.finfo(np.float64).eps * size.cpu().numpy()
    errors = np.divide(rounding, np.abs(change), out=np.zeros_like(start), where=switching)
    if cells is not None:
        # A unit is active where its pre-activation is 0: it switches on before such a place, and off after it.
        found = np.where(change > 0, np.ceil(places * cells) - 1, np.floor(places * cells))
        places, errors = np.where(switching, np.clip(found, 0, cells - 1), cells), np.zeros_like(errors)
    order = np.argsort(places, axis=1)
    places, errors, switching = (np.take_along_axis(part, order, axis=1) for part in (places, errors, switching))
    begins = np.ones((m, k), dtype=bool)  # a place that no unit before it in order shares
    begins[:, 1:] = ~switching[:, 1:] | (np.diff(places, axis=1) > errors[:, :-1] + errors[:, 1:])
    groups = np.cumsum(begins) - 1
    together = np.bincount(groups)[groups].reshape(m, k) > 1
    sizes = np.take(np.abs(w2) * np.linalg.norm(w1, axis=1), order)
    variations: Array = np.sum(np.where(switching & ~together, sizes, 0.0), axis=1)
    if np.any(together):
        units, heads = order[together], begins[together]
        signs = np.sign(np.take_along_axis(change, order, axis=1)[together])
        starts = np.append(np.flatnonzero(heads), len(units))
        jumps = csr_array((signs * w2[units], units, starts), shape=(len(starts) - 1, k))
        step = max(1, ENTRIES // d)
        norms = [np.linalg.norm(jumps[i : i + step] @ w1, axis=1) for i in range(0, jumps.shape[0], step)]
        rows = np.nonzero(together)[0][heads]
        variations += np.bincount(rows, weights=np.concatenate(norms), minlength=m)
    return variations


def sampled_function_variations(weights: Layers, segments: torch.Tensor, cells: int) -> Array:
    """Return the variation of f between the ends of so many equal parts of segments [m, 2, d], [m]."""
    start, end = (torch.from_numpy(part) for part in ends(weights, segments))
    w2, t = weights.w2.cpu(), torch.arange(cells + 1, dtype=torch.float64)[:, None] / cells
    together = max(1, ENTRIES // ((cells + 1) * len(w2) + 1))
    totals = torch.zeros(len(segments), dtype=torch.float64)
    for s, e, total in zip(start.split(together), end.split(together), totals.split(together), strict=True):
        f = torch.lerp(s[:, None], e[:, None], t).clamp_(min=0.0) @ w2
        total += f.diff(dim=1).abs().sum(dim=1)
    variations: Array = totals.numpy()
    return variations
