"""What batches and label noise add to the squared gradient of the loss, on average (B15, B16)."""

from __future__ import annotations

import numpy as np

from theory.checks import Matrix, floats, nonnegative, real_array, vectors_array
from theory.linear_stability import noise_share


def expected_squared_gradient(gradients: Matrix, batch: int) -> float:
    """Return E_B |grad L_B|^2 over batches drawn without replacement, |grad L|^2 + (n - B)/(B (n - 1)) tr Cov (B15).

    Args:
        gradients: the gradients of the losses of the examples as rows, [n, d].
        batch: B from 1 to n.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the shape is another, an entry is not finite, or B is not between 1 and n.

    Example:
        >>> from theory.beyond import expected_squared_gradient
        >>> [round(expected_squared_gradient([[1.0], [-1.0], [3.0]], batch), 4) for batch in (1, 2, 3)]
        [3.6667, 1.6667, 1.0]
    """
    rows = floats("gradients", vectors_array("gradients", gradients))
    mean = rows.mean(axis=0)
    spread = float(np.sum((rows - mean) ** 2)) / len(rows)
    return float(mean @ mean) + float(noise_share(len(rows), batch)) * spread


def label_noise_pressure(output_gradients: object, variance: float) -> float:
    """Return what fresh label noise adds to E|grad L_B|^2 of L_B = (1/2B) sum |f - y|^2: (s^2/B)(1/B) sum ||grad f||_F^2 (B16).

    Args:
        output_gradients: the gradients of the k outputs in the weights at each example of the batch, [B, k, p].
        variance: s^2, of each label, at least 0; the noises are uncorrelated and have mean 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another, an axis is empty, or a number is not finite, or s^2 negative.

    Example:
        >>> from theory.beyond import label_noise_pressure
        >>> label_noise_pressure([[[3.0, 4.0]], [[1.0, 0.0]]], variance=2.0)
        13.0
    """
    slopes = floats("output_gradients", real_array("output_gradients", output_gradients, ndim=3))
    if 0 in slopes.shape:
        raise ValueError(f"output_gradients must have entries on all three axes, got shape {slopes.shape}")
    return float(nonnegative("variance", variance)) * float(np.sum(slopes**2)) / len(slopes) ** 2
