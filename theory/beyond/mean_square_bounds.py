"""Step sizes that SGD stays at near an interpolating minimum, in mean square: the exact one, and bounds on it (B3, B9).

Near such a minimum with per-sample Hessians H_i, mean H, and batches of B drawn anew each step, E[w w^T] obeys

    T(X) = X - 2 eta C(X) + eta^2 D(X),   C(X) = (H X + X H)/2,   D(X) = (1 - p) H X H + p mean_i H_i X H_i,

p = (n - B)/(B (n - 1)) (`theory.linear_stability`; mulayoff2024). T maps positive semidefinite matrices to such, so its
spectral radius is its top eigenvalue, at most 1 iff 2 C - eta D >= 0 as a quadratic form on symmetric matrices. With random
reshuffling an epoch takes a random order of the points in batches, the last one smaller if B does not divide n.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from theory.checks import Array, batch_size, floats, over, over_one_denominator, positive, rationals, real_array
from theory.conditions import Condition
from theory.enclosure import EPS, Enclosure, positive_semidefinite, rank
from theory.linear_stability import hessians_array, noise_share

SEMIDEFINITE = Condition("each H_i is positive semidefinite", bool)
NOT_FLAT = Condition("tr H > 0", lambda trace: trace > 0)
CURVED = Condition("v^T H v > 0", lambda value: value > 0)
NOISY = Condition("B < n", lambda rest: rest > 0)


def mean_of(matrices: Any) -> Array:
    """Return the mean of matrices, [d, d]."""
    total: Array = sum(matrices[1:], matrices[0])
    mean: Array = total / Fraction(len(matrices))
    return mean


def symmetric_units(d: int) -> list[Array]:
    """Return a basis of the symmetric matrices [d, d], d (d + 1)/2 of them with entries 0 and 1."""
    units = []
    for a, b in combinations_with_replacement(range(d), 2):
        unit = np.zeros((d, d), dtype=int)
        unit[a, b] = unit[b, a] = 1
        units.append(unit)
    return units


def moment_forms(hessians: Array, share: Fraction) -> tuple[Array, Array]:
    """Return the quadratic forms of C and D on symmetric matrices, both [d (d + 1)/2]^2, in the basis `symmetric_units`.

    Args:
        hessians: H_i, rationals [n, d, d].
        share: p.
    """
    integers, denominator = over_one_denominator(hessians)
    n, units = len(hessians), np.array(symmetric_units(hessians.shape[1]), dtype=object)
    along, each = integers.sum(axis=0) @ units, integers[:, None] @ units
    whole = _products(along, along)
    parts = sum((_products(one, one) for one in each[1:]), _products(each[0], each[0]))
    d = (share.denominator - share.numerator) * whole + share.numerator * n * parts
    return (
        over(_products(along, units), n * denominator),
        over(d, share.denominator * (n * denominator) ** 2),
    )


def _products(first: Array, second: Array) -> Array:
    """Return tr(A_k B_m) of two lists of square matrices, [p, d, d] and [q, d, d], as [p, q]."""
    traces: Array = first.reshape(len(first), -1) @ second.transpose(0, 2, 1).reshape(len(second), -1).T
    return traces


def gram_forms(gram: Array, share: Fraction) -> tuple[Array, Array]:
    """Return the forms of C and D at X = Phi^T Y Phi in Y, both [n (n + 1)/2]^2, for H_i = phi_i phi_i^T (B3.d).

    <X, C X> = tr(G Y G^2 Y)/n and <X, D X> = (1 - p) tr((G^2 Y)^2)/n^2 + (p/n) sum_i (G Y G)_ii^2.

    Args:
        gram: G = Phi Phi^T, rationals [n, n].
        share: p.
    """
    integers, denominator = over_one_denominator(gram)
    n, units = len(gram), np.array(symmetric_units(len(gram)), dtype=object)
    left = integers @ units
    right, diagonals = integers @ left, (left * integers).sum(axis=2)
    d = (share.denominator - share.numerator) * _products(right, right)
    d = d + share.numerator * n * (diagonals @ diagonals.T)
    return (
        over(_products(left, right), n * denominator**3),
        over(d, share.denominator * n**2 * denominator**4),
    )


def expansion_forms(hessians: Array, share: Fraction) -> tuple[Array, Array]:
    """Return H and (1 - p) H^2 + p mean H_i^2, [d, d]: no vector's mean square grows in a step iff eta times it <= 2 H.

    Args:
        hessians: H_i, rationals [n, d, d].
        share: p.
    """
    mean = mean_of(hessians)
    return mean, (1 - share) * mean @ mean + share * mean_of([h @ h for h in hessians])


def is_stable(hessians: Array, step_size: Fraction, batch: int) -> bool:
    """Return whether 2 C - eta D >= 0 on symmetric matrices, by exact elimination (B3).

    Args:
        hessians: H_i, symmetric, rationals [n, d, d].
        step_size: eta > 0.
        batch: B, drawn without replacement.
    """
    c, d = moment_forms(hessians, noise_share(len(hessians), batch))
    return positive_semidefinite(2 * c - step_size * d)


def largest_step(first: Array, second: Array) -> Enclosure:
    """Return an interval around the largest eta with 2 first - eta second >= 0, [m, m], rigorous at both ends; inf if any.

    Both are rational, `first` is positive semidefinite, and where it vanishes so does `second`. One number where that is a
    simple fraction. (At such a fraction the difference is semidefinite and of a lower rank than `first`.)

    Raises:
        RuntimeError: if it is not found in floats.
    """
    c, d = (matrix.astype(np.float64) for matrix in (first, second))
    sizes, basis = np.linalg.eigh(c)
    kept = sizes > 1e-10 * sizes[-1]
    if not np.any(d):
        return Enclosure(math.inf, math.inf)
    scaled = basis[:, kept] / np.sqrt(sizes[kept])
    guess = Fraction(2 / float(np.linalg.eigvalsh(scaled.T @ d @ scaled)[-1]))
    for simple in (guess.limit_denominator(2**10), guess.limit_denominator(2**20)):
        if simple > 0:
            left = rank(2 * first - simple * second)
            if left is not None and left < (rank(first) or 0):
                return Enclosure.exactly(simple)
    gap = Fraction(1, 2**44)
    while True:
        lower, upper = guess * (1 - gap), guess * (1 + gap)
        if positive_semidefinite(2 * first - lower * second) and not positive_semidefinite(2 * first - upper * second):
            return Enclosure(lower, upper)
        gap *= 16
        if gap > 1:
            raise RuntimeError(f"the largest step was not enclosed around {float(guess)}")


def semidefinite(name: str, hessians: object) -> Array:
    """Return Hessians as rationals, [n, d, d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if they are malformed, or one is not positive semidefinite.
    """
    exact = rationals(hessians_array(name, hessians))
    for index, hessian in enumerate(exact):
        if not positive_semidefinite(hessian):
            raise ValueError(f"{name} must be positive semidefinite, got one that is not at index {index}")
    return exact


def stability_threshold(hessians: object, batch: int) -> Enclosure:
    """Return a rational interval around the largest step size for which E ||w||^2 stays bounded (B3; mulayoff2024).

    eta* = 2/lambda_max(C^+ D). Floats are taken as the rationals they are. The cost grows as d^6, so d is small:
    `numerics.stability.mean_square_threshold` goes further in floats.

    Args:
        hessians: H_i, positive semidefinite, [n, d, d].
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed or one is not positive semidefinite, or B is not between 1 and n.

    Example:
        >>> from theory.beyond import stability_threshold
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(float(stability_threshold(hessians, batch).lower), 4) for batch in (1, 2)]
        [1.1315, 1.5279]
    """
    exact = semidefinite("hessians", hessians)
    return largest_step(*moment_forms(exact, noise_share(len(exact), batch)))


def in_floats(hessians: object) -> Array:
    """Return Hessians as float64, [n, d, d].

    Raises:
        ValueError: if they are malformed or beyond the range of floats.
    """
    return floats("hessians", hessians_array("hessians", hessians))


def _semidefinite_in_floats(claim: str, hessians: Array) -> None:
    """Check that Hessians [n, d, d] are positive semidefinite, for all that floats tell, and that not all of them are 0.

    Raises:
        AssumptionError: if one is not, or if all are.
    """
    values = np.linalg.eigvalsh(hessians)
    rounding = 4 * hessians.shape[1] * EPS * np.linalg.norm(hessians, axis=(1, 2))
    below = np.flatnonzero(values[:, 0] < -rounding)
    shown = f"{values[below[0], 0]:.6g} as an eigenvalue of H_i at index {below[0]}" if len(below) else None
    SEMIDEFINITE.require(claim, not len(below), shown)
    NOT_FLAT.require(claim, float(np.trace(np.mean(hessians, axis=0))))


def direction_bound(hessians: object, direction: object, batch: int) -> float:
    """Return the step size that SGD is unstable beyond by what it does along one direction v (B3.e), > 0.

    2 |v|^2 v^T H v / ((1 - p) (v^T H v)^2 + p mean (v^T H_i v)^2).

    Args:
        hessians: H_i, symmetric, [n, d, d].
        direction: v, [d].
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians or v are malformed, or B is not between 1 and n.
        AssumptionError: if v^T H v is not above 0.

    Example:
        >>> from theory.beyond import direction_bound
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(direction_bound(hessians, [2, 1], batch), 4) for batch in (1, 2)]
        [1.3402, 1.5385]
    """
    h, v = in_floats(hessians), floats("direction", real_array("direction", direction))
    if len(v) != h.shape[1]:
        raise ValueError(f"direction must have {h.shape[1]} entries, got {len(v)}")
    share, along = float(noise_share(len(h), batch)), np.einsum("a,iab,b->i", v, h, v)
    mean = float(np.mean(along))
    CURVED.require("B3.e", mean)
    return float(2 * (v @ v) * mean / ((1 - share) * mean**2 + share * np.mean(along**2)))


def trace_bound(hessians: object, batch: int) -> float:
    """Return the step size that SGD is unstable beyond by traces, 2 tr H / ((1 - p) tr H^2 + p mean tr H_i^2) (B3.f), > 0.

    Args:
        hessians: H_i, symmetric, [n, d, d].
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, or B is not between 1 and n.
        AssumptionError: if tr H is not above 0.

    Example:
        >>> from theory.beyond import trace_bound
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(trace_bound(hessians, batch), 4) for batch in (1, 2)]
        [1.2, 1.7143]
    """
    h = in_floats(hessians)
    share, mean = float(noise_share(len(h), batch)), np.mean(h, axis=0)
    trace = float(np.trace(mean))
    NOT_FLAT.require("B3.f", trace)
    return float(2 * trace / ((1 - share) * np.sum(mean**2) + share * np.sum(h**2) / len(h)))


def frobenius_limit(step_size: float, n: int, batch: int) -> float:
    """Return what ||H||_F does not exceed where SGD is stable and H_i = phi_i phi_i^T, > 0 (B3.g).

    1/(eta sqrt(p (1 - p))) for p <= 1/2, about sqrt(B)/eta; 2/eta for p >= 1/2.

    Args:
        step_size: eta > 0 on (1/2n) sum r_i^2.
        n: the number of points.
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if `step_size` is no real number, or `batch` no integer.
        ValueError: if step_size <= 0, or B is not between 1 and n.
        AssumptionError: if B = n, where nothing is said of ||H||_F.

    Example:
        >>> from theory.beyond import frobenius_limit
        >>> round(frobenius_limit(step_size=0.25, n=50, batch=10), 4)
        14.609
    """
    eta, share = float(positive("step_size", step_size)), float(noise_share(n, batch))
    NOISY.require("B3.g", n - batch)
    return 2 / eta if share >= 0.5 else 1 / (eta * math.sqrt(share * (1 - share)))


def trace_limit(step_size: float, n: int, batch: int, d: int) -> float:
    """Return what tr H does not exceed where SGD is stable and H_i = phi_i phi_i^T: 2/(eta (p + (1 - p)/d)), > 0 (B3.h).

    Args:
        step_size: eta > 0 on (1/2n) sum r_i^2.
        n: the number of points.
        batch: B from 1 to n, drawn without replacement.
        d: the number of parameters, or of dimensions that the features span, >= 1.

    Raises:
        TypeError: if `step_size` or `d` is no real number, or `batch` no integer.
        ValueError: if step_size <= 0, d <= 0, or B is not between 1 and n.

    Example:
        >>> from theory.beyond import trace_limit
        >>> round(trace_limit(step_size=0.25, n=50, batch=10, d=50), 4)
        80.0
    """
    eta, share = float(positive("step_size", step_size)), float(noise_share(n, batch))
    return 2 / (eta * (share + (1 - share) / float(positive("d", d))))


def norm_bound(hessians: object, batch: int) -> float:
    """Return a step size at which SGD is stable, 2/((1 - p) lambda_max(H) + p max_i lambda_max(H_i)) (B3.i), > 0.

    Args:
        hessians: H_i, positive semidefinite, not all 0, [n, d, d].
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, or B is not between 1 and n.
        AssumptionError: if one is not positive semidefinite, or all are 0.

    Example:
        >>> from theory.beyond import norm_bound
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(norm_bound(hessians, batch), 4) for batch in (1, 2)]
        [1.0, 1.5279]
    """
    h = in_floats(hessians)
    share = float(noise_share(len(h), batch))
    _semidefinite_in_floats("B3.i", h)
    top, most = np.linalg.eigvalsh(np.mean(h, axis=0))[-1], np.max(np.linalg.eigvalsh(h))
    return 2 / float((1 - share) * top + share * most)


def batch_share_bound(hessians: object, batch: int) -> float:
    """Return a step size at which SGD is stable, B/n times gradient descent's edge 2/lambda_max(H) (B3.k), > 0.

    Args:
        hessians: H_i, positive semidefinite, not all 0, [n, d, d].
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, or B is not between 1 and n.
        AssumptionError: if one is not positive semidefinite, or all are 0.

    Example:
        >>> from theory.beyond import batch_share_bound
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(batch_share_bound(hessians, batch), 4) for batch in (1, 2)]
        [0.7639, 1.5279]
    """
    h = in_floats(hessians)
    share = Fraction(batch_size(batch, len(h)), len(h))
    _semidefinite_in_floats("B3.k", h)
    return 2 * float(share) / float(np.linalg.eigvalsh(np.mean(h, axis=0))[-1])


def expansion_bound(hessians: object, batch: int) -> float:
    """Return the largest step size with walker2023's condition (W1), at which SGD is stable (B3.j), > 0.

    The largest eta with eta ((1 - p) H^2 + p mean H_i^2) <= 2 H, which is when E ||w||^2 grows from no start in a step.

    Args:
        hessians: H_i, positive semidefinite, not all 0, [n, d, d]; small, for this is worked out in rationals.
        batch: B from 1 to n, drawn without replacement.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, or B is not between 1 and n.
        AssumptionError: if one is not positive semidefinite, exactly, or all are 0.

    Example:
        >>> from theory.beyond import expansion_bound
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(expansion_bound(hessians, batch), 4) for batch in (1, 2)]
        [1.0, 1.5279]
    """
    exact = rationals(hessians_array("hessians", hessians))
    below = [index for index, hessian in enumerate(exact) if not positive_semidefinite(hessian)]
    SEMIDEFINITE.require("B3.j", not below, f"H_i at index {below[0]} that is not" if below else None)
    NOT_FLAT.require("B3.j", np.trace(mean_of(exact)))
    return float(largest_step(*expansion_forms(exact, noise_share(len(exact), batch))).lower)
