"""Group norms of a layer's weights (neyshabur2017, section 2.2)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from numerics.tensors import plain_tensor
from theory.checks import Array, real_array


def group_norm(weight: Any, p: float, q: float) -> float:
    """Return ||W||_{p,q}: the l_q norm over units of the l_p norm of each unit's incoming weights.

    l_{2,2} is the Frobenius norm; l_{1,inf} is the norm of the map from l_inf to l_inf. The larger p or q, the smaller it is.

    Args:
        weight: [units, inputs], or [units, ...] as of a convolution, whose kernel counts once, wherever it is applied.
        p: from 1 to inf.
        q: from 1 to inf.

    Returns:
        The norm, at least 0; with sums that neither overflow nor underflow unless the norm does.

    Raises:
        TypeError: if a weight is no real number, or p or q is none.
        ValueError: if there is no weight, one is not finite, there are fewer than two axes, or p or q is below 1.

    Example:
        >>> from numerics.capacity import group_norm
        >>> group_norm([[3.0, 4.0], [0.0, 1.0]], 2, float("inf")), group_norm([[3.0, 4.0], [0.0, 1.0]], 1, 1)
        (5.0, 8.0)
    """
    p, q = exponent("p", p), exponent("q", q)
    if isinstance(weight, torch.Tensor):
        weight = plain_tensor("weight", weight).to("cpu", torch.float64).numpy()
    axes = np.ndim(weight) if isinstance(weight, np.ndarray) else 2
    entries = real_array("weight", weight, ndim=max(axes, 2)).astype(np.float64)
    if entries.size == 0:
        raise ValueError(f"weight must have at least one unit and one input, got shape {entries.shape}")
    rows = np.abs(entries).reshape(len(entries), -1)
    return float(_norms(_norms(rows, p)[None], q)[0])


def exponent(name: str, value: object, *, finite: bool = False) -> float:
    """Return the p of an l_p norm.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is below 1, or inf where it must not be.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a real number, got {value!r} of type {type(value).__name__}")
    if not value >= 1 or (finite and math.isinf(value)):
        raise ValueError(f"{name} must be at least 1{' and finite' if finite else ''}, got {value}")
    return float(value)


def _norms(rows: Array, p: float) -> Array:
    """Return the l_p norm of each row of numbers >= 0, scaled by the largest of the row first."""
    largest: Array = rows.max(axis=1)
    if math.isinf(p):
        return largest
    unit = np.where(largest > 0, largest, 1.0)
    norms: Array = unit * ((rows / unit[:, None]) ** p).sum(axis=1) ** (1 / p)
    return norms
