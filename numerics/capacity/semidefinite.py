"""Upper bounds of the l_2 Lipschitz constant of ReLU networks by a semidefinite program, with a certificate (LipSDP).

Let the hidden units of two inputs differ by h_1, .., h_{d-1}, the inputs by h_0, and what enters unit j of layer i by
z = (W_i h_{i-1})_j. A ReLU has slopes in [0, 1], so that h_j (z - h_j) >= 0, and for t_j >= 0, T_i = diag(t) of layer i,

    |W_d h_{d-1}|^2 <= |W_d h_{d-1}|^2 + 2 sum_i h_i^T T_i (W_i h_{i-1} - h_i) <= rho |h_0|^2

as soon as the matrix of the difference of the last two, S(rho, T), is positive semidefinite: sqrt(rho) is then a Lipschitz
constant (Fazlyab et al., NeurIPS 2019, with one multiplier a unit, T diagonal; Pauli et al. 2021 on why no more). A solver
finds the least rho; whether S is semidefinite is decided here, from the multipliers alone, rounding included.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
import torch

from numerics.capacity.folding import prepared
from numerics.capacity.relu_chain import relu_chain
from numerics.geometric_complexity.norms import weight_of
from theory.checks import Array, real_array
from theory.checks import count as integer
from theory.enclosure import EPS

ACCURACY = 1e-6
"""What the solver is asked for, and what S's eigenvalues are to spare for the test, the layers' norms being 1."""


@dataclass(frozen=True, eq=False)
class SemidefiniteLipschitz:
    """An upper bound of the l_2 Lipschitz constant of a ReLU network.

    Attributes:
        l_2: the bound, which the multipliers prove, rounding included.
        multipliers: t_j >= 0 for each hidden unit, [h_i] for each hidden layer, first to last.
    """

    l_2: float
    multipliers: tuple[Array, ...]


def semidefinite_lipschitz(model: Any, input_shape: Any, *, most_units: int = 256) -> SemidefiniteLipschitz:
    """Return an upper bound of the l_2 Lipschitz constant of a ReLU network by a semidefinite program.

    It is at most the product of the spectral norms, but for the solver's tolerance, and often much less; it need not be the
    constant. It does not change under node-wise rescaling. Batch norm is folded first.

    Args:
        model: linear layers with a ReLU between each two; biases play no part.
        input_shape: (d,).
        most_units: so many at most, hidden ones and inputs together, of the inputs no more than the first layer has units.
            Tens take a second, hundreds seconds to minutes.

    Raises:
        TypeError: if `model` is no module, or `input_shape` or `most_units` is of another type.
        ValueError: if a weight is not finite or used twice, the model has more units, or `most_units` is below 1.
        UnsupportedLayerError: if the model has another layer, or others in their place.
        RuntimeError: if the solver finds no multipliers with which the bound can be proved.

    Example:
        >>> import torch
        >>> from numerics.capacity import semidefinite_lipschitz, spectral_product
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> _ = model[2].weight.data.fill_(1.0)
        >>> round(semidefinite_lipschitz(model, (1,)).l_2, 4), round(spectral_product(model, (1,)).value, 4)
        (1.0, 2.0)
    """
    most = integer("most_units", most_units)
    weights = _weights(model, input_shape)
    units = min(weights[0].shape) + sum(len(weight) for weight in weights[:-1])
    if units > most:
        raise ValueError(
            f"model must have at most {most} units for a semidefinite program of their size, got {units}: raise most_units, "
            f"or take lipschitz_bounds"
        )
    norms = [float(np.linalg.norm(weight, 2)) for weight in weights]
    if min(norms) == 0:
        return SemidefiniteLipschitz(0.0, tuple(np.zeros(len(weight)) for weight in weights[:-1]))
    scaled = [weight / norm for weight, norm in zip(weights, norms, strict=True)]
    if len(weights) == 1:
        return SemidefiniteLipschitz(_certified(weights, ()), ())
    few = [np.asarray(np.linalg.qr(scaled[0].T, mode="r")).T, *scaled[1:]]  # the first layer on the span of its rows
    found = _solve(few)
    # back to the layers as they are: h_i is norms[0] .. norms[i - 1] times what it was, and the output all of them
    rests = np.cumprod(np.array(norms)[::-1])[::-1][1:]
    multipliers = tuple(t * rest**2 for t, rest in zip(found, rests, strict=True))
    return SemidefiniteLipschitz(_certified(weights, multipliers), multipliers)


def check_lipschitz_certificate(model: Any, input_shape: Any, multipliers: Any) -> float:
    """Return the upper bound of the l_2 Lipschitz constant of a ReLU network that multipliers prove, rounding included.

    No solver is asked: the matrix of the head of this module is found to be positive definite by Cholesky's factorisation in
    floats of what is left of it after more than rounding can take (Rump 2006, BIT 46, Thm 2.3).

    Args:
        model: linear layers with a ReLU between each two; of any size that a dense matrix bears.
        input_shape: (d,).
        multipliers: a number >= 0 for each hidden unit, [h_i] for each hidden layer, first to last.

    Raises:
        TypeError: if `model` is no module, or `input_shape` or a multiplier is of another type.
        ValueError: if a weight is not finite or used twice, there is not one multiplier for each hidden unit, one is negative
            or not finite, or they prove no bound.
        UnsupportedLayerError: if the model has another layer, or others in their place.

    Example:
        >>> import torch
        >>> from numerics.capacity import check_lipschitz_certificate
        >>> model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
        >>> _ = model[2].weight.data.fill_(1.0)
        >>> round(check_lipschitz_certificate(model, (1,), [[2.0, 2.0]]), 4)
        1.4142
    """
    weights = _weights(model, input_shape)
    given = list(multipliers)
    if len(given) != len(weights) - 1:
        raise ValueError(f"multipliers must be for {len(weights) - 1} hidden layers, got {len(given)}")
    checked = []
    for number, (values, weight) in enumerate(zip(given, weights, strict=False)):
        numbers = real_array(f"multipliers[{number}]", values).astype(float)
        if len(numbers) != len(weight):
            raise ValueError(f"multipliers[{number}] must hold {len(weight)} numbers, got {len(numbers)}")
        if not bool(np.all(numbers >= 0)):
            raise ValueError(f"multipliers[{number}] must be at least 0, got {float(numbers.min())}")
        checked.append(numbers)
    try:
        return _certified(weights, tuple(checked))
    except RuntimeError as error:
        raise ValueError(f"multipliers must prove a bound: {error}") from error


def _weights(model: Any, input_shape: Any) -> list[Array]:
    """Return the weights of linear layers with ReLUs between them."""
    layers = relu_chain(prepared(model, input_shape))
    return [weight_of(layer).to("cpu", torch.float64).numpy() for layer in layers]


def _solve(weights: list[Array]) -> list[Array]:
    """Return multipliers with the least rho, for layers of norm 1.

    Raises:
        RuntimeError: if the solver finds none.
    """
    rho = cp.Variable(nonneg=True)
    multipliers = [cp.Variable(len(weight), nonneg=True) for weight in weights[:-1]]
    sizes = [weights[0].shape[1], *(len(weight) for weight in weights[:-1])]
    rows: list[list[Any]] = [[np.zeros((a, b)) for b in sizes] for a in sizes]
    rows[0][0] = rho * np.eye(sizes[0])
    for place, (weight, t) in enumerate(zip(weights, multipliers, strict=False)):
        rows[place + 1][place] = -cp.multiply(t[:, None], weight)
        rows[place][place + 1] = rows[place + 1][place].T
        rows[place + 1][place + 1] = 2 * cp.diag(t)
    last = weights[-1]
    rows[-1][-1] = rows[-1][-1] - last.T @ last
    matrix = cp.bmat(rows)
    problem = cp.Problem(cp.Minimize(rho), [matrix - ACCURACY * np.eye(sum(sizes)) >> 0])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Solution may be inaccurate")  # it is put to the test afterwards
        problem.solve(solver=cp.SCS, eps_abs=ACCURACY, eps_rel=ACCURACY, max_iters=5_000)
    if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        raise RuntimeError(f"the semidefinite program ended as {problem.status}: take lipschitz_bounds")
    return [np.maximum(np.asarray(t.value, dtype=float), 0.0) for t in multipliers]


def _certified(weights: list[Array], multipliers: tuple[Array, ...]) -> float:
    """Return a bound that multipliers prove.

    Raises:
        RuntimeError: if they prove none.
    """
    if len(weights) == 1:
        return _up(float(np.linalg.norm(weights[0], 2)) * (1 + 16 * sum(weights[0].shape) * EPS))
    hidden, error = _hidden(weights, multipliers)
    inner = np.zeros((len(hidden), weights[0].shape[1]))
    inner[: len(weights[0])] = multipliers[0][:, None] * weights[0]
    try:
        solved = np.linalg.solve(hidden, inner)
        guess = float(np.linalg.eigvalsh(inner.T @ solved)[-1])
    except np.linalg.LinAlgError:
        raise RuntimeError("S is not positive definite on the hidden units") from None
    for slack in (1e-10, 1e-8, 1e-6, 1e-4, 1e-2):
        rho = max(guess, 0.0) * (1 + slack)
        if rho > 0 and _definite(hidden, error, inner, rho):
            return _up(math.sqrt(rho))
    raise RuntimeError("S is not positive definite, to rounding, for any rho near the one that they suggest")


def _hidden(weights: list[Array], multipliers: tuple[Array, ...]) -> tuple[Array, Array]:
    """Return S on the hidden units, and a bound of its rounding errors, entry by entry."""
    sizes = [len(weight) for weight in weights[:-1]]
    ends = np.cumsum([0, *sizes])
    matrix = np.zeros((ends[-1], ends[-1]))
    for place, t in enumerate(multipliers):
        own = slice(ends[place], ends[place + 1])
        matrix[own, own] = np.diag(2 * t)
    for place, (weight, t) in enumerate(zip(weights[1:-1], multipliers[1:], strict=True)):
        before, own = slice(ends[place], ends[place + 1]), slice(ends[place + 1], ends[place + 2])
        matrix[own, before] = -t[:, None] * weight
        matrix[before, own] = matrix[own, before].T
    error = EPS * np.abs(matrix)
    last, own = weights[-1], slice(ends[-2], ends[-1])
    matrix[own, own] -= last.T @ last
    error[own, own] += (len(last) + 2) * EPS * (np.abs(last).T @ np.abs(last)) + EPS * np.abs(matrix[own, own])
    return matrix, error


def _definite(hidden: Array, error: Array, inner: Array, rho: float) -> bool:
    """Return whether S is found to be positive definite: by Cholesky's factorisation less than rounding may have added."""
    d = inner.shape[1]
    n = d + len(hidden)
    matrix, errors = np.zeros((n, n)), np.zeros((n, n))
    matrix[:d, :d] = rho * np.eye(d)
    matrix[d:, d:], errors[d:, d:] = hidden, error
    matrix[d:, :d], matrix[:d, d:] = -inner, -inner.T
    errors[d:, :d], errors[:d, d:] = EPS * np.abs(inner), EPS * np.abs(inner.T)
    diagonal = np.diag(matrix)
    if not bool(np.all(diagonal > 0)):
        return False
    # A congruence that makes the diagonal about 1 changes no sign and makes the test as sharp as floats allow.
    scales = 2.0 ** -np.round(np.log2(diagonal) / 2)  # powers of 2: exact
    matrix, errors = scales[:, None] * matrix * scales, scales[:, None] * errors * scales
    margin = 2 * (n + 4) * EPS * float(np.trace(matrix)) + 2 * float(np.linalg.norm(errors))
    try:
        np.linalg.cholesky(matrix - margin * np.eye(n))
    except np.linalg.LinAlgError:
        return False
    return True


def _up(value: float) -> float:
    return math.nextafter(value, math.inf)
