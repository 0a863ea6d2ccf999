"""The spectra that a report on a model rests on: top eigenvalues by Lanczos, and the step sizes that SGD stays at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from numerics.networks import TwoLayerReLU
from numerics.stability.hessian import sharpness_with_error
from numerics.stability.mean_square import mean_square_threshold
from numerics.stability.module_loss import CHUNK, ModuleLoss
from numerics.stability.report_object import Eigenvalue, StepSizes
from theory.checks import Array
from theory.enclosure import EPS
from theory.linear_stability import noise_share
from theory.symbols import of_one_output

DENSE_PARAMETERS = 512
"""Hessians in up to so many parameters are written out."""

KRYLOV = 12
"""Lanczos restarts after so many products, and keeps so many vectors."""

THRESHOLD_POINTS = 1000
"""SGD's exact threshold is computed for up to so many examples."""

BLOCK_ENTRIES = 2**31
"""The Gram matrices of single examples are computed if their features are so many numbers, some gigabytes in passing."""


@dataclass(frozen=True, eq=False)
class Top:
    """The top eigenvalue of Phi^T Phi / n and its unit eigenvector, [p]."""

    eigenvalue: Eigenvalue
    direction: Array


def top_of_features(problem: ModuleLoss, root: Array | None, tolerance: float) -> Top:
    """Return the top eigenvalue of the Gauss-Newton matrix, from the `root_of` of the Gram matrix if that is given."""
    n, rows, p = len(problem.x), problem.outputs.numel(), problem.dimension
    if root is not None:
        direction = problem.transposed_product(root[:, -1])
    elif p < rows:
        direction = lanczos(p, lambda v: problem.transposed_product(problem.product(v)) / n, tolerance)
    else:
        u = lanczos(rows, lambda u: problem.product(problem.transposed_product(u)) / n, tolerance)
        direction = problem.transposed_product(u)
    length = float(np.linalg.norm(direction))
    if length == 0:
        return Top(Eigenvalue(0.0, 0.0), direction)
    direction = direction / length
    image = problem.product(direction)
    back = problem.transposed_product(image) / n
    value, twice = float(image @ image) / n, float(direction @ back)
    error = float(np.linalg.norm(back - value * direction)) + abs(value - twice) + 8 * EPS * value
    return Top(Eigenvalue(value, error), direction)


def two_layer_sharpness(problem: ModuleLoss, tolerance: float) -> Eigenvalue | None:
    """Return the sharpness of a two-layer ReLU network whose weights are all trained, with a bound on rounding."""
    net, loss = problem.model, problem.loss
    if type(net) is not TwoLayerReLU or loss == "cross_entropy" or len(problem.parameters) < 4:
        return None
    found = sharpness_with_error(net, problem.x, loss=of_one_output(loss), tolerance=tolerance)
    return Eigenvalue(found.value, found.error)


def ends_of_hessian(
    problem: ModuleLoss, start: Array, tolerance: float, *, bottom: bool
) -> tuple[Eigenvalue, Eigenvalue | None]:
    """Return the top eigenvalue of the Hessian and, if asked for, the lowest; `start` [p] is near the top eigenvector."""
    p, product = problem.dimension, problem.hessian_product
    if p <= DENSE_PARAMETERS and p * len(problem.x) <= DENSE_PARAMETERS * CHUNK:
        matrix = np.column_stack([product(unit) for unit in np.eye(p)])
        rounding = float(np.linalg.norm(matrix - matrix.T)) + p * EPS * float(np.linalg.norm(matrix))
        values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
        ends = [Eigenvalue(float(value), rounding) for value in (values[-1], values[0])]
        return ends[0], ends[1] if bottom else None
    spread = np.random.default_rng(1).standard_normal(p)
    top = eigenvalue_at(product, lanczos(p, product, tolerance, start + 0.1 * spread / np.linalg.norm(spread)))
    if not bottom:
        return top, None
    # Seen from the top, so that the residual is relative to the size of the Hessian: most other eigenvalues are near 0.
    shift = abs(top.value)
    lowest = lanczos(p, lambda v: shift * v - product(v), max(tolerance, 1e-4))
    return top, eigenvalue_at(product, lowest)


def eigenvalue_at(product: Any, direction: Array) -> Eigenvalue:
    """Return the Rayleigh quotient of a unit vector with its residual."""
    image = product(direction)
    value = float(direction @ image)
    return Eigenvalue(value, float(np.linalg.norm(image - value * direction)) + 8 * EPS * abs(value))


def lanczos(size: int, product: Any, tolerance: float, start: Array | None = None) -> Array:
    """Return a unit eigenvector of the top eigenvalue of a symmetric operator on vectors of `size`.

    Raises:
        RuntimeError: if it is not found to `tolerance`.
    """
    if size == 1:
        return np.ones(1)
    first = np.random.default_rng(0).standard_normal(size) if start is None else start
    if not np.any(product(first)):  # zero on what is drawn at random: zero
        return first / np.linalg.norm(first)
    operator = LinearOperator((size, size), dtype=np.float64, matvec=lambda v: product(v.ravel()))
    try:
        _, vectors = eigsh(operator, k=1, which="LA", v0=first, tol=tolerance, ncv=min(size, KRYLOV))
    except ArpackNoConvergence as error:
        raise RuntimeError(f"Lanczos iteration did not reach tolerance {tolerance}, try a larger one") from error
    vector: Array = vectors[:, 0] / np.linalg.norm(vectors[:, 0])
    return vector


def sgd_step_sizes(
    problem: ModuleLoss,
    kernel: Array | None,
    root: Array | None,
    top: Top,
    batch: int,
    tolerance: float,
    momentum: float = 0.0,
) -> StepSizes:
    """Return for which step sizes SGD on the Gauss-Newton matrices is stable in mean square, as far as is known (B3, B11).

    Where the threshold is not computed: for X = v v^T, |v| = 1, tr X C(X) = v^T H v and tr X D_b(X) is what `_along` has, so no
    threshold exceeds 2 over it; and tr X D_b(X) <= tr X (a H^2 + s mean H_i^2) X for X >= 0, s = p/(1 - b), a = 1/(1 + b) - s
    or 0 where that is less, which is at most its top eigenvalue relative to H times tr X C(X).
    """
    n, c = problem.outputs.shape
    share = float(noise_share(n, batch))
    if top.eigenvalue.value == 0:
        return StepSizes(math.inf, math.inf, exact=True)
    if share == 0:
        edge = 2 * (1 + momentum)
        lower, upper = (
            edge / top.eigenvalue.upper,
            edge / top.eigenvalue.lower if top.eigenvalue.lower > 0 else math.inf,
        )
        return StepSizes(lower, upper, exact=True)
    if c == 1 and root is not None and n <= THRESHOLD_POINTS:
        threshold = mean_square_threshold(root, batch, momentum=momentum)
        return StepSizes(threshold.lower, threshold.upper, exact=True)
    directions = [top.direction]
    blocks = None
    if kernel is not None:
        blocks = np.array([kernel[j : j + c, j : j + c] for j in range(0, n * c, c)])
    elif n * c * problem.dimension <= BLOCK_ENTRIES:
        blocks = problem.blocks()
    noise = share / (1 - momentum)
    whole = max(1 / (1 + momentum) - noise, 0.0)
    if blocks is None:  # H_i <= n H; without momentum H_batch <= (n/B) H, so E[H_batch^2] <= (n/B) lambda_max(H) H
        most = (n / batch if momentum == 0 else whole + noise * n) * top.eigenvalue.upper
    else:
        most, u = _sufficient(problem, kernel, blocks, (whole, noise), tolerance)
        values, vectors = np.linalg.eigh(blocks)
        sharpest = int(np.argmax(values[:, -1]))
        single = np.zeros(n * c)
        single[sharpest * c : (sharpest + 1) * c] = vectors[sharpest, :, -1]
        directions += [problem.transposed_product(v) for v in (u, single)]
    least = max(_along(problem, direction, share, momentum) for direction in directions)
    margin = 16 * EPS * n * c
    upper = 2 / least * (1 + margin) if least > 0 else math.inf
    upper = min(
        upper, 2 * (1 + momentum) / top.eigenvalue.lower * (1 + margin) if top.eigenvalue.lower > 0 else math.inf
    )
    return StepSizes(2 / most * (1 - margin), upper, exact=False)


def root_of(kernel: Array) -> Array:
    """Return orthogonal columns, the longest last, that as features [n c, n c] have this Gram matrix."""
    values, vectors = eigh(kernel)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _sufficient(
    problem: ModuleLoss, kernel: Array | None, blocks: Array, weights: tuple[float, float], tolerance: float
) -> tuple[float, Array]:
    """Return a number at or above lambda_max(a Phi Phi^T/n + s diag_i(Phi_i Phi_i^T)), and its eigenvector [n c]."""
    whole_weight, own_weight = weights
    n, c = len(problem.x), problem.outputs.shape[1]

    def product(u: Array) -> Array:
        inner = kernel @ u if kernel is not None else problem.product(problem.transposed_product(u))
        own = np.einsum("jab,jb->ja", blocks, u.reshape(n, c)).reshape(-1)
        whole: Array = whole_weight / n * inner + own_weight * own
        return whole

    u = lanczos(n * c, product, tolerance)
    found = eigenvalue_at(product, u)
    return found.upper, u


def _along(problem: ModuleLoss, direction: Array, share: float, momentum: float) -> float:
    """Return tr X D_b(X)/tr X C(X) at X = v v^T for the unit vector v along a direction [p].

    That is h/(1 + b) + p (mean_i h_i^2/h - h)/(1 - b) - 2 b (|H v|^2/h - h)/((1 - b)^2 (1 + b)), h_i = v^T H_i v, h their mean.
    """
    unit = direction / np.linalg.norm(direction)
    flat = problem.product(unit)
    each = np.sum(flat.reshape(len(problem.x), -1) ** 2, axis=1)
    mean = float(np.mean(each))
    if mean <= 0:
        return 0.0
    rate = (1 - share) * mean + share * float(np.mean(each**2)) / mean
    if momentum:
        across = float(np.sum((problem.transposed_product(flat) / len(problem.x)) ** 2)) / mean - mean
        rate = (mean + (rate - mean) * (1 + momentum) / (1 - momentum)) / (1 + momentum)
        rate -= 2 * momentum * max(across, 0.0) / ((1 - momentum) ** 2 * (1 + momentum))
    return rate
