"""Strong stability where units toggle on data points in general position: every mode has a step of its own (M8.d, M9.c).

Gradient descent from theta + v takes v to v - eta H_m v, H_m = Phi_m Phi_m^T / n in the mode m that theta + v lies in
(`theory.switching`). With u = Phi_m^T v the step lengthens v iff eta u^T K_m u > 2 u^T u, K_m = Phi_m^T Phi_m / n: only u
matters. A mode is told by the signs of x_j dw1_i + db1_i for the p pairs of a unit i that toggles on a point j. If these p
rows and the n rows of Phi_m^T are linearly independent, then every u belongs to a v in the mode, and strong stability is the
stability of all modes. It takes 3k + 1 >= n + p, and at most two data points in each linear piece: there the gradients in the
weights are affine in x, so those at three points are dependent.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from theory.checks import Array, dot
from theory.switching import mode_features
from theory.two_layer import Weights


def toggling_rows(weights: Weights, x: Array, mode: Array) -> tuple[Array, Array]:
    """Return the rows that take v to x_j dw1_i + db1_i for all units i that toggle on a point j, and their signs in a mode.

    Args:
        weights: theta in rationals, k units, none with w1 = b1 = 0.
        x: distinct data points, rationals [n].
        mode: which units are active at which points, [n, k].

    Returns:
        rows, rationals [p, 3k + 1], and signs, 1 where the unit is active in the mode and -1 elsewhere, [p].
    """
    pairs = np.argwhere(weights.pre_activations(x) == 0)
    rows = np.full((len(pairs), len(weights.vector)), Fraction(0), dtype=object)
    signs = np.full(len(pairs), Fraction(1), dtype=object)
    for row, (j, i) in enumerate(pairs):
        rows[row, i], rows[row, weights.width + i] = x[j], Fraction(1)
        signs[row] = Fraction(1 if mode[j, i] else -1)
    return rows, signs


def step_in_mode(weights: Weights, x: Array, mode: Array, outputs: Array) -> Array | None:
    """Return the shortest v with Phi_m^T v = u and x_j dw1_i + db1_i = +-1 as the mode says, or None if rows are dependent.

    Args:
        weights: theta in rationals, k units, none with w1 = b1 = 0.
        x: distinct data points, rationals [n].
        mode: which units are active at which points, [n, k].
        outputs: u, rationals [n].
    """
    rows, signs = toggling_rows(weights, x, mode)
    matrix = np.concatenate([mode_features(weights, x, mode), rows])
    coefficients = _solved(matrix @ matrix.T, np.concatenate([outputs, signs]))
    return None if coefficients is None else matrix.T @ coefficients


def _solved(matrix: Array, right: Array) -> Array | None:
    """Return the solution of a linear system of rationals, [m, m] and [m], or None if the matrix is singular."""
    work = np.concatenate([matrix, right[:, None]], axis=1)
    for i in range(len(work)):
        pivots = np.flatnonzero(work[i:, i] != 0)
        if not len(pivots):
            return None
        work[[i, i + pivots[0]]] = work[[i + pivots[0], i]]
        work[i] = work[i] / work[i, i]
        for other in range(len(work)):
            if other != i and work[other, i] != 0:
                work[other] = work[other] - work[other, i] * work[i]
    solution: Array = work[:, -1]
    return solution


def lengthening(weights: Weights, x: Array, direction: Array) -> Fraction:
    """Return ||H v||^2 / (v^T H v), H that of the mode which theta + v lies in: a step from v is longer iff eta > 2 over it.

    0 if H v = 0.

    Args:
        weights: theta in rationals, k units.
        x: distinct data points, rationals [n].
        direction: v, rationals [3k + 1].
    """
    k = weights.width
    z = weights.pre_activations(x)
    shifts = np.multiply.outer(x, direction[:k]) + direction[k : 2 * k]
    features = mode_features(weights, x, (z > 0) | ((z == 0) & (shifts > 0)))
    outputs = features @ direction
    size = Fraction(dot(outputs, outputs))
    moved = features.T @ outputs
    return Fraction(dot(moved, moved)) / (len(x) * size) if size else Fraction(0)
