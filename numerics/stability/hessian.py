"""The sharpness of two-layer ReLU networks under the squared loss: of the Gauss-Newton matrix and of the Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from numerics.networks import Network
from numerics.tangent import Layers, activation, gram, inputs, layers, tangent_map, targets
from theory.checks import Array, positive
from theory.symbols import Loss, loss_scale

Method = Literal["auto", "gram", "lanczos"]
"""How the top eigenvalue is found: from the n x n tangent kernel, by Lanczos iteration, or whichever is cheaper."""

GRAM_POINTS = 128
GRAM_PRODUCTS = 2**28
"""`auto` writes the kernel out up to so many points n, and up to so many products n^2 k."""

DENSE_PARAMETERS = 256
"""Hessians in up to so many parameters are written out."""

LANCZOS_RESTARTS = 1000
"""After so many restarts, of about 20 products each, Lanczos gives up."""


@dataclass(frozen=True, eq=False)
class Sharpness:
    """The top eigenvalue of the Gauss-Newton matrix, its error, and its eigenvector on both sides.

    Attributes:
        value: the eigenvalue lambda.
        error: an eigenvalue lies within this of `value`: the norm of the residual K u - lambda u, plus a bound on the
            rounding errors made in it. That it is the top one rests, for Lanczos, on a start that is not orthogonal to
            its eigenvector; a start drawn at random is not.
        sample_direction: the unit vector u that maximises ||Phi^T u||^2 / n, [n], in the order of the data.
        parameter_direction: the unit eigenvector Phi^T u / ||Phi^T u||, [(d + 2) k + 1], ordered w1, b1, w2, b2.
    """

    value: float
    error: float
    sample_direction: Array
    parameter_direction: Array


def sharpness_with_error(
    net: Network, x: object, *, loss: Loss = "half_mean", method: Method = "auto", tolerance: float = 1e-10
) -> Sharpness:
    """Return lambda_max(Phi^T Phi / n), Phi the gradients of f(x_j) in the weights, one a row (mulayoff2021, eq 28).

    Phi^T Phi / n is the Gauss-Newton matrix of (1/2n) sum_j (f(x_j) - y_j)^2. It is the Hessian where the network
    interpolates the data; elsewhere the Hessian has a further term, see `hessian_sharpness` and `residual_curvature`.
    Everything is computed in float64. One Lanczos step takes O(n + k) on the line, where no matrix is formed, and
    O(n k d) otherwise, a chunk of points at a time.

    Args:
        net: the network, of k units and d inputs.
        x: the inputs of the data, [n, d], or [n] if d = 1.
        loss: the normalisation of the loss; values for "mean" are twice those for "half_mean".
        method: "gram" takes the n x n kernel, O(n^2 k + n^3); "lanczos" forms no matrix; "auto" takes the cheaper.
        tolerance: the residual, relative to the eigenvalue, at which Lanczos stops; above 0.

    Raises:
        TypeError: if `net` is no two-layer network, or x has no real entries or another dtype than `net`.
        ValueError: if x is malformed or on another device than `net`, a weight is not finite, the matrix overflows,
            or `loss`, `method` or `tolerance` is out of range.
        RuntimeError: if Lanczos does not reach `tolerance`.

    Example:
        >>> import numpy as np
        >>> from numerics.stability import sharpness_with_error
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> found = sharpness_with_error(weights, x)
        >>> round(found.value, 4), found.error < 1e-12, found.sample_direction.shape, found.parameter_direction.shape
        (1.4645, True, (4,), (7,))
    """
    scale = loss_scale(loss)
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(map(repr, get_args(Method)))}, got {method!r}")
    positive("tolerance", tolerance)
    weights = layers(net)
    points = inputs(weights, x)
    n, k = len(points), len(weights.b1)
    active = activation(weights, points)
    rounding = _rounding(weights, points, active)
    jacobian = tangent_map(weights, points, active)
    if method == "auto":
        method = "gram" if n <= GRAM_POINTS and n * n * k <= GRAM_PRODUCTS else "lanczos"
    if method == "gram" or n == 1:
        _, u = _top_of_matrix(gram(weights, points) / n)
    else:
        kernel = LinearOperator((n, n), dtype=np.float64, matvec=lambda v: jacobian.matvec(jacobian.rmatvec(v)) / n)
        u = _lanczos(kernel, tolerance)
    gradient = jacobian.rmatvec(u)
    image = jacobian.matvec(gradient) / n
    value = float(u @ image)
    error = float(np.linalg.norm(image - value * u)) + rounding
    return Sharpness(scale * value, scale * error, u, gradient / np.linalg.norm(gradient))


def hessian_sharpness(
    net: Network, x: object, y: object, *, loss: Loss = "half_mean", tolerance: float = 1e-10
) -> float:
    """Return the top eigenvalue of the Hessian of the squared loss in the weights, with its residual term.

    The Hessian of (1/2n) sum_j r_j^2, r_j = f(x_j) - y_j, is the Gauss-Newton matrix of `sharpness` plus
    (1/n) sum_j r_j Hessian f(x_j). It is taken where the loss is smooth; a unit with pre-activation 0 is inactive.
    Small Hessians are written out; otherwise Lanczos iteration takes O(n + k) a step on the line, O(n k d) elsewhere.

    Args:
        net: the network, of k units and d inputs.
        x: the inputs of the data, [n, d], or [n] if d = 1.
        y: the targets, [n].
        loss: the normalisation of the loss; values for "mean" are twice those for "half_mean".
        tolerance: the residual, relative to the eigenvalue, at which Lanczos stops; above 0.

    Raises:
        TypeError: if `net` is no two-layer network, or x or y has no real entries or another dtype than `net`.
        ValueError: if x or y is malformed or on another device than `net`, a weight is not finite, the matrix
            overflows, or `loss` or `tolerance` is out of range.
        RuntimeError: if Lanczos does not reach `tolerance`.

    Example:
        >>> import numpy as np
        >>> from numerics import hessian_sharpness
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> [round(hessian_sharpness(weights, x, weights(x) + error), 4) for error in (0.0, 0.1)]
        [1.4645, 1.4417]
    """
    scale = loss_scale(loss)
    positive("tolerance", tolerance)
    weights = layers(net)
    points = inputs(weights, x)
    active = activation(weights, points)
    _rounding(weights, points, active)
    n = len(points)
    jacobian, moments = tangent_map(weights, points, active), _residual_moments(weights, points, active, y)
    k, d = weights.w1.shape

    def product(direction: Array) -> Array:
        v = direction.ravel()
        w1, b1, v2, _ = np.split(v, [k * d, k * d + k, k * d + 2 * k])
        across = moments * v2[:, None]
        back = np.sum(moments * np.column_stack([w1.reshape(k, d), b1]), axis=1)
        residual_term = np.concatenate([across[:, :d].ravel(), across[:, d], back, [0.0]])
        whole: Array = jacobian.rmatvec(jacobian.matvec(v)) / n + residual_term
        return whole

    p = weights.parameters
    hessian = LinearOperator((p, p), dtype=np.float64, matvec=product)
    if p <= DENSE_PARAMETERS:
        return scale * _top_of_matrix(np.column_stack([product(unit) for unit in np.eye(p)]))[0]
    u = _lanczos(hessian, tolerance)
    return scale * float(u @ product(u))


def residual_curvature(net: Network, x: object, y: object, *, loss: Loss = "half_mean") -> float:
    """Return the spectral norm of (1/n) sum_j r_j Hessian f(x_j), r_j = f(x_j) - y_j; >= 0.

    By Weyl's inequality `sharpness` and `hessian_sharpness` differ by at most this much. The matrix has one block a
    unit, which couples (w1_i, b1_i) with w2_i through (1/n) sum over the active j of r_j (x_j, 1); its norm is that of
    this vector.

    Args:
        net: the network, of k units and d inputs.
        x: the inputs of the data, [n, d], or [n] if d = 1.
        y: the targets, [n].
        loss: the normalisation of the loss; values for "mean" are twice those for "half_mean".

    Raises:
        TypeError: if `net` is no two-layer network, or x or y has no real entries or another dtype than `net`.
        ValueError: if x or y is malformed or on another device than `net`, a weight is not finite, the matrix
            overflows, or `loss` is unknown.

    Example:
        >>> import numpy as np
        >>> from numerics.stability import residual_curvature
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> round(residual_curvature(weights, x, weights(x) + 0.1), 4)
        0.0707
    """
    scale = loss_scale(loss)
    weights = layers(net)
    points = inputs(weights, x)
    active = activation(weights, points)
    _rounding(weights, points, active)
    moments = _residual_moments(weights, points, active, y)
    return scale * float(np.max(np.linalg.norm(moments, axis=1), initial=0.0))


def _residual_moments(weights: Layers, points: torch.Tensor, active: LinearOperator, y: object) -> Array:
    """Return (1/n) sum over the j that unit i is active on of r_j (x_j, 1), [k, d + 1].

    Raises:
        ValueError: if a sum overflows, or y is malformed.
    """
    n = len(points)
    desired = targets(weights, y, n)
    homogeneous = np.column_stack([points.cpu().numpy(), np.ones(n)])
    slopes = weights.w2.cpu().numpy()[:, None] * weights.affine
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = np.sum(active.matmat(slopes) * homogeneous, axis=1) + weights.b2
        moments: Array = active.rmatmat((outputs - desired)[:, None] * homogeneous) / n
    if not np.all(np.isfinite(moments)):
        raise ValueError("x, y and net must be small enough for the Hessian to be finite in float64, but it overflows")
    return moments


def _rounding(weights: Layers, points: torch.Tensor, active: LinearOperator) -> float:
    """Return a bound on ||fl(K u) - K u|| for unit u, K = Phi Phi^T / n, from sums of n and of k terms in any order.

    It is (n + k + 2 d + 16) eps times the trace of |Phi| |Phi|^T / n, where an activation counts with the sizes of the
    two terms that it is the sum of.

    Raises:
        ValueError: if the bound overflows, as the kernel then may.
    """
    (n, d), k = points.shape, len(weights.b1)
    with np.errstate(over="ignore", invalid="ignore"):
        units = np.column_stack([torch.sum(weights.w1**2, dim=1).cpu(), weights.b1.cpu() ** 2, weights.w2.cpu() ** 2])
        weight_input, bias, output = active.matmat(units).T
        square = torch.sum(points**2, dim=1).cpu().numpy()
        trace = 1 + np.mean(2 * weight_input * square + 2 * bias + output * (1 + square))
    if not np.isfinite(trace) or not np.isfinite(n * trace):
        raise ValueError(
            "x and net must be small enough for the tangent kernel to be finite in float64, but it overflows"
        )
    return float((n + k + 2 * d + 16) * np.finfo(np.float64).eps * trace)


def _top_of_matrix(matrix: Array) -> tuple[float, Array]:
    """Return the top eigenvalue of a symmetric matrix [m, m] and its unit eigenvector [m]."""
    last = len(matrix) - 1
    values, vectors = eigh(matrix, subset_by_index=[last, last])
    return float(values[0]), vectors[:, 0]


def _lanczos(operator: LinearOperator, tolerance: float) -> Array:
    """Return a unit eigenvector [m] of the top eigenvalue of a symmetric operator [m, m], m >= 2.

    Raises:
        RuntimeError: if it is not found to `tolerance`.
    """
    start: Any = np.random.default_rng(0).standard_normal(operator.shape[0])
    try:
        _, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance, maxiter=LANCZOS_RESTARTS)
    except ArpackNoConvergence as error:
        raise RuntimeError(f"Lanczos iteration did not reach tolerance {tolerance}, try a larger one") from error
    vector: Array = vectors[:, 0] / np.linalg.norm(vectors[:, 0])
    return vector
