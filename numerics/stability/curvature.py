"""The Hessian and the Gauss-Newton matrix of a module's loss as operators: their largest eigenvalues, trace and spectrum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import nn

from numerics.networks import TwoLayerReLU
from numerics.stability.hessian import Method, sharpness_with_error
from numerics.stability.module_loss import ModuleLoss, check_loss, module_loss
from numerics.stability.report_spectra import eigenvalue_at, root_of, top_of_features
from numerics.stability.reshuffling import Estimate
from theory.checks import Array, count, positive
from theory.symbols import Loss, ModelLoss, of_one_output
from theory.two_layer import Weights

Curvature = Literal["hessian", "gauss_newton"]
"""Which matrix of second derivatives: of the loss, or J^T Lambda J / n with Lambda the loss's in the outputs."""

DENSE = 256
"""Matrices of up to so many parameters are written out, and their eigenvalues and trace are exact but for rounding."""


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """The largest eigenvalues of a symmetric matrix, in descending order, each within its error.

    Attributes:
        values: [k].
        errors: the norms of the residuals A u - value u: an eigenvalue lies within each, [k].
        vectors: unit vectors, one a column, [p, k].
    """

    values: Array
    errors: Array
    vectors: Array


@dataclass(frozen=True, eq=False)
class SpectralDensity:
    """How the eigenvalues of a matrix are distributed, by Gaussians around nodes.

    Attributes:
        nodes: where the eigenvalues are, as far as Lanczos iterations tell, [r, m].
        weights: the share of them that is near each node, [r, m]; 1 in all for each of the r start vectors.
        dimension: p.
    """

    nodes: Array
    weights: Array
    dimension: int

    def at(self, t: Array, width: float) -> tuple[Array, Array]:
        """Return the density at points t [m], smoothed by a Gaussian of standard deviation `width`, and its standard error.

        Raises:
            ValueError: if `width` is not above 0.
        """
        positive("width", width)
        points = np.asarray(t, dtype=np.float64)
        kernel = np.exp(-(((points[:, None, None] - self.nodes) / width) ** 2) / 2) / (width * math.sqrt(2 * math.pi))
        return _mean_and_error(np.sum(kernel * self.weights, axis=2).T)

    def moment(self, order: int) -> Estimate:
        """Return an estimate of trace A^order / p, exact for each start vector up to rounding if order < 2 m."""
        values, error = _mean_and_error(
            np.sum(self.weights * self.nodes ** count("order", order, fewest=0), axis=1)[:, None]
        )
        return Estimate(float(values[0]), float(error[0]))


def sharpness(
    model: nn.Module | Weights,
    x: object,
    y: object = None,
    *,
    loss: ModelLoss = "half_mean",
    method: Method = "auto",
    tolerance: float = 1e-10,
) -> float:
    """Return the top eigenvalue of the Gauss-Newton matrix of a module's loss: the Hessian's where it interpolates.

    Args:
        model: a two-layer ReLU network, see `sharpness_with_error`, or any module, see `report`.
        x: the inputs of the data, [n, ...], or [n] if they are numbers.
        y: the targets, or for "cross_entropy" labels; a two-layer ReLU network under a squared loss needs none, on which
            the matrix does not depend.
        loss: which loss it is, see `report`.
        method: how it is found for a two-layer ReLU network, see `sharpness_with_error`; for other modules "auto" alone.
        tolerance: the residual, relative to the eigenvalue, at which Lanczos stops; above 0.

    Raises:
        TypeError: see `sharpness_with_error` and `report`; or if y is needed and not given.
        ValueError: see there; or if `method` is not "auto" for a module that is no two-layer ReLU network.
        RuntimeError: if Lanczos does not reach `tolerance`.

    Example:
        >>> import numpy as np, torch
        >>> from numerics import sharpness
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> round(sharpness(weights, x), 4)
        1.4645
        >>> round(sharpness(weights, x, loss="mean"), 4)
        2.929
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> round(sharpness(model, [[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0], loss="mse_loss"), 4)
        2.618
    """
    if isinstance(model, TwoLayerReLU | Weights) and loss in (*get_args(Loss), "mse_loss"):
        return sharpness_with_error(model, x, loss=of_one_output(loss), method=method, tolerance=tolerance).value
    if not isinstance(model, nn.Module | Weights):
        raise TypeError(f"model must be a torch.nn.Module or Weights, got {model!r} of type {type(model).__name__}")
    check_loss(loss)
    if method != "auto":
        raise ValueError(f"method must be 'auto' for {type(model).__name__} and the loss {loss!r}, got {method!r}")
    if y is None:
        raise TypeError(f"y must be given for {type(model).__name__} and the loss {loss!r}")
    positive("tolerance", tolerance)
    problem = _problem(model, x, y, loss, None)
    with torch.inference_mode(False), torch.enable_grad():
        kernel = problem.gram()
        return top_of_features(problem, None if kernel is None else root_of(kernel), tolerance).eigenvalue.value


def curvature(
    model: nn.Module | Weights,
    x: object,
    y: object,
    loss: ModelLoss = "half_mean",
    *,
    matrix: Curvature = "hessian",
    parameters: Sequence[str] | None = None,
) -> LinearOperator:
    """Return the Hessian or the Gauss-Newton matrix of a module's loss as an operator on vectors, [p, p], in float64.

    Args:
        model: the module, see `report`; or the weights of a two-layer ReLU network on the line.
        x: the inputs, [n, ...].
        y: the targets, or for "cross_entropy" labels.
        loss: which loss it is, see `report`.
        matrix: which of the two.
        parameters: names of parameters or of modules, whose parameters these are, that it is restricted to; all that require
            a gradient if not given. Vectors hold them in the order of the module.

    Raises:
        TypeError: see `report`.
        ValueError: see `report`; or if `matrix` is unknown, or a name is that of no parameter that requires a gradient.

    Example:
        >>> import numpy as np, torch
        >>> from numerics.stability import curvature
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> matrix = curvature(model, [[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0])
        >>> matrix.matvec(np.array([1.0, 0.0])).round(12).tolist()
        [1.0, 0.5]
    """
    check_matrix(matrix)
    problem = _problem(model, x, y, loss, parameters)
    product = curvature_product(problem, matrix)
    return LinearOperator((problem.dimension,) * 2, dtype=np.float64, matvec=product, rmatvec=product)


def top_eigenvalues(
    model: nn.Module | Weights,
    x: object,
    y: object,
    k: int = 1,
    loss: ModelLoss = "half_mean",
    *,
    matrix: Curvature = "hessian",
    parameters: Sequence[str] | None = None,
    tolerance: float = 1e-8,
) -> Eigenpairs:
    """Return the k largest eigenvalues of the Hessian or the Gauss-Newton matrix of a module's loss, with eigenvectors.

    Args:
        model: see `curvature`, as x, y, loss, matrix and parameters.
        x: see there.
        y: see there.
        k: how many, from 1 to the number of parameters.
        loss: see there.
        matrix: see there.
        parameters: see there.
        tolerance: the residual, relative to the largest eigenvalue in size, at which Lanczos stops; above 0.

    Raises:
        TypeError: see `report`, or if k is no integer.
        ValueError: see `curvature`; or if k or `tolerance` is out of range.
        RuntimeError: if the iteration does not reach `tolerance`.

    Example:
        >>> import torch
        >>> from numerics.stability import top_eigenvalues
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> found = top_eigenvalues(model, [[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0], k=2)
        >>> found.values.round(4).tolist(), bool((found.errors < 1e-12).all()), found.vectors.shape
        ([1.309, 0.191], True, (2, 2))
    """
    check_matrix(matrix)
    wanted = count("k", k)
    positive("tolerance", tolerance)
    problem = _problem(model, x, y, loss, parameters)
    p = problem.dimension
    if wanted > p:
        raise ValueError(f"k must be at most the number of parameters, {p}, got {wanted}")
    product = curvature_product(problem, matrix)
    vectors = top_pairs(product, p, wanted, tolerance)
    found = [eigenvalue_at(product, vector) for vector in vectors.T]
    order = np.argsort([-entry.value for entry in found], kind="stable")
    values = np.array([found[place].value for place in order])
    return Eigenpairs(values, np.array([found[place].error for place in order]), vectors[:, order])


def trace(
    model: nn.Module | Weights,
    x: object,
    y: object,
    loss: ModelLoss = "half_mean",
    *,
    matrix: Curvature = "hessian",
    parameters: Sequence[str] | None = None,
    products: int = 300,
    seed: int = 0,
) -> Estimate:
    """Return the trace of the Hessian or the Gauss-Newton matrix of a module's loss, with its standard error.

    Exact, with error 0, where the matrix or the Gram matrix of the features is small enough to be written out. Otherwise by
    Hutch++ (Meyer et al. 2021): a third of the products finds a subspace in which most of the trace lies and takes it
    exactly, the others estimate what is left; the error is that of these.

    Args:
        model: see `curvature`, as x, y, loss, matrix and parameters.
        x: see there.
        y: see there.
        loss: see there.
        matrix: see there.
        parameters: see there.
        products: with the matrix, at least 6.
        seed: of the vectors that are drawn.

    Raises:
        TypeError: see `report`, or if `products` or `seed` is no integer.
        ValueError: see `curvature`; or if `products` or `seed` is out of range.

    Example:
        >>> import torch
        >>> from numerics.stability import trace
        >>> trace(torch.nn.Linear(2, 1, bias=False), [[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0]).value
        1.5
    """
    check_matrix(matrix)
    third = count("products", products, fewest=6) // 3
    generator = np.random.default_rng(count("seed", seed, fewest=0))
    problem = _problem(model, x, y, loss, parameters)
    p, product = problem.dimension, curvature_product(problem, matrix)
    if p <= max(DENSE, products):
        return Estimate(float(np.trace(_written_out(product, p))), 0.0)
    kernel = problem.gram() if matrix == "gauss_newton" else None
    if kernel is not None:
        return Estimate(float(np.trace(kernel)) / len(problem.x), 0.0)
    signs = generator.choice([-1.0, 1.0], size=(p, third))
    basis, _ = np.linalg.qr(np.column_stack([product(v) for v in signs.T]))
    inside = sum(float(u @ product(u)) for u in basis.T)
    rest = []
    for _ in range(third):
        v = generator.choice([-1.0, 1.0], size=p)
        v -= basis @ (basis.T @ v)
        rest.append(float(v @ product(v)))
    mean, error = _mean_and_error(np.array(rest)[:, None])
    return Estimate(inside + float(mean[0]), float(error[0]))


def spectral_density(
    model: nn.Module | Weights,
    x: object,
    y: object,
    loss: ModelLoss = "half_mean",
    *,
    matrix: Curvature = "hessian",
    parameters: Sequence[str] | None = None,
    steps: int = 40,
    starts: int = 8,
    seed: int = 0,
) -> SpectralDensity:
    """Return how the eigenvalues of the Hessian or the Gauss-Newton matrix are distributed, by stochastic Lanczos quadrature.

    Each start vector, drawn at random, is worth a Gauss quadrature of `steps` nodes, exact for polynomials of degree below
    2 `steps` (Ghorbani et al. 2019); what differs between start vectors is the standard error.

    Args:
        model: see `curvature`, as x, y, loss, matrix and parameters.
        x: see there.
        y: see there.
        loss: see there.
        matrix: see there.
        parameters: see there.
        steps: nodes of a start vector, at least 2; no more than there are parameters are taken.
        starts: start vectors, at least 2.
        seed: of the vectors that are drawn.

    Raises:
        TypeError: see `report`, or if a count is no integer.
        ValueError: see `curvature`; or if a count is out of range.

    Example:
        >>> import torch
        >>> from numerics.stability import spectral_density
        >>> model = torch.nn.Linear(2, 1, bias=False)
        >>> density = spectral_density(model, [[1.0, 0.0], [1.0, 1.0]], [0.0, 0.0])
        >>> density.nodes[0].round(4).tolist()
        [0.191, 1.309]
    """
    check_matrix(matrix)
    most, r = count("steps", steps, fewest=2), count("starts", starts, fewest=2)
    generator = np.random.default_rng(count("seed", seed, fewest=0))
    problem = _problem(model, x, y, loss, parameters)
    p, product = problem.dimension, curvature_product(problem, matrix)
    m = min(most, p)
    found = [_quadrature(product, generator.standard_normal(p), m) for _ in range(r)]
    return SpectralDensity(np.array([nodes for nodes, _ in found]), np.array([weights for _, weights in found]), p)


def check_matrix(matrix: object) -> None:
    """Do nothing if this is the name of a matrix.

    Raises:
        ValueError: if not.
    """
    if matrix not in get_args(Curvature):
        raise ValueError(f"matrix must be one of {', '.join(map(repr, get_args(Curvature)))}, got {matrix!r}")


def _problem(
    model: nn.Module | Weights, x: object, y: object, loss: ModelLoss, parameters: Sequence[str] | None
) -> ModuleLoss:
    module = TwoLayerReLU.from_weights(model) if isinstance(model, Weights) else model
    with torch.inference_mode(False), torch.enable_grad(), torch.random.fork_rng(devices=[]):
        return module_loss(module, x, y, loss, only=parameters)


def curvature_product(problem: ModuleLoss, matrix: Curvature) -> Callable[[Array], Array]:
    """Return what multiplies a vector [p] by the Hessian or the Gauss-Newton matrix."""

    def product(direction: Array) -> Array:
        v = np.asarray(direction, dtype=np.float64).ravel()
        with torch.inference_mode(False), torch.enable_grad():
            if matrix == "hessian":
                return problem.hessian_product(v)
            return problem.transposed_product(problem.product(v)) / len(problem.x)

    return product


def top_pairs(product: Callable[[Array], Array], p: int, wanted: int, tolerance: float) -> Array:
    """Return unit eigenvectors of the largest eigenvalues of a symmetric matrix, the largest first, [p, wanted].

    Raises:
        RuntimeError: if Lanczos does not reach the tolerance.
    """
    if p <= DENSE or wanted >= p - 1:
        _, vectors = np.linalg.eigh(_written_out(product, p))
        return vectors[:, ::-1][:, :wanted]
    operator = LinearOperator((p, p), dtype=np.float64, matvec=product)
    start = np.random.default_rng(0).standard_normal(p)
    try:
        _, vectors = eigsh(operator, k=wanted, which="LA", v0=start, tol=tolerance, ncv=min(p, max(2 * wanted + 8, 20)))
    except ArpackNoConvergence as error:
        raise RuntimeError(f"Lanczos iteration did not reach tolerance {tolerance}, try a larger one") from error
    turned: Array = vectors[:, ::-1] / np.linalg.norm(vectors[:, ::-1], axis=0)
    return turned


def _written_out(product: Callable[[Array], Array], p: int) -> Array:
    matrix = np.column_stack([product(unit) for unit in np.eye(p)])
    symmetric: Array = (matrix + matrix.T) / 2
    return symmetric


def _quadrature(product: Callable[[Array], Array], start: Array, steps: int) -> tuple[Array, Array]:
    """Return nodes and weights, [m] each, of the Gauss quadrature of a matrix's spectrum as a start vector sees it.

    Every vector is made orthogonal to all before it, twice: without that, eigenvalues appear more than once.
    """
    basis = [start / np.linalg.norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(steps):
        image = product(basis[-1])
        diagonal.append(float(basis[-1] @ image))
        size = float(np.linalg.norm(image))
        for _ in range(2):
            for vector in basis:
                image = image - (vector @ image) * vector
        length = float(np.linalg.norm(image))
        if length <= 1e-12 * size or len(diagonal) == steps:
            break
        beside.append(length)
        basis.append(image / length)
    nodes, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[: len(diagonal) - 1]))
    weights = vectors[0] ** 2
    missing = steps - len(nodes)  # the start vector lies in a smaller invariant subspace
    return np.append(nodes, np.full(missing, nodes[-1])), np.append(weights, np.zeros(missing))


def _mean_and_error(values: Array) -> tuple[Array, Array]:
    """Return means over r rows [r, m], and their standard errors."""
    return np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / math.sqrt(len(values))
