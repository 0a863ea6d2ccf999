"""Walker 2023: measures of generalisation made of gradients: coherence, stiffness, tangent features, robust means.

Vectors are per-example gradients, one a row, [m, d]. Functions take floats or rationals, and are exact where they say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal, get_args

import numpy as np

from theory.checks import Array, Reals, dot, floats, nonnegative, positive, rationals, real_array
from theory.volhejn2020 import count

__all__ = [
    "batch_coherence",
    "coherence",
    "coherence_gap_bound",
    "empirical_rademacher_margin",
    "example_coherence",
    "median_of_means",
    "orthogonal_limit",
    "path_rademacher_bound",
    "rademacher_bound",
    "rademacher_margin",
    "shared_weight",
    "stiffness",
    "tangent_complexity",
    "winsorised_mean",
]

Matrix = Array | Sequence[Reals]
"""Real numbers in rows."""

Stiffness = Literal["sign", "cosine"]
"""What is averaged over pairs of gradients: the sign of their inner product, or the cosine of their angle."""


def vectors_array(name: str, value: object) -> Array:
    """Return at least one vector of at least one coordinate, one a row, [m, d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another or an entry is not finite.
    """
    array = real_array(name, value, ndim=2)
    if 0 in array.shape:
        raise ValueError(f"{name} must be at least one vector, one a row, got shape {array.shape}")
    return array


def exact_vectors(name: str, value: object) -> Array:
    """Return the same as rationals.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is another or an entry is not finite.
    """
    return rationals(vectors_array(name, value))


def distribution(name: str, value: object, n: int) -> Array:
    """Return probabilities of n outcomes, [n]: non-negative, with sum 1 (exactly for rationals, to 1e-9 for floats).

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are not n, one is negative or not finite, or they do not sum to 1.
    """
    array = real_array(name, value)
    if len(array) != n:
        raise ValueError(f"{name} must hold one probability for each of {n} outcomes, got {len(array)}")
    if np.any(array < 0):
        raise ValueError(f"{name} must be at least 0, got {array[array < 0][0]}")
    total = sum(array)
    if total != 1 if array.dtype == object else abs(total - 1) > 1e-9:
        raise ValueError(f"{name} must sum to 1, got {total}")
    return array


def chance(name: str, value: Any) -> Any:
    """Return `value` if it is a number strictly between 0 and 1.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not between 0 and 1.
    """
    if not 0 < positive(name, value) < 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value}")
    return value


def share(name: str, value: Any) -> Any:
    """Return `value` if it is a number from 0 to 1.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is below 0 or above 1.
    """
    if nonnegative(name, value) > 1:
        raise ValueError(f"{name} must be at most 1, got {value}")
    return value


def rademacher_margin(sample_size: int, delta: Any, *, printed: bool = False) -> float:
    """Return sqrt(log(1/delta) / (2m)): with probability 1 - delta, E f <= mean f + 2 R(F) + it for all f (W3.a).

    Args:
        sample_size: m, at least 1.
        delta: in (0, 1).
        printed: return sqrt(log(1/delta) / m), as Theorem 2.8 has it, which is sqrt(2) times larger than need be (W3).

    Raises:
        TypeError: if a value is no real number, or m no integer.
        ValueError: if m is below 1, or delta not in (0, 1).
    """
    m = count("sample_size", sample_size)
    return math.sqrt(_log_inverse(chance("delta", delta)) / (m if printed else 2 * m))


def empirical_rademacher_margin(sample_size: int, delta: Any, *, printed: bool = False) -> float:
    """Return 2 sqrt(log(1/delta) / (2m)), the margin beside twice the empirical Rademacher complexity (W3.c).

    Args:
        sample_size: m, at least 1.
        delta: in (0, 1).
        printed: return 3 sqrt(log(2/delta) / m), as Theorem 2.8 has it (W3.b).

    Raises:
        TypeError: if a value is no real number, or m no integer.
        ValueError: if m is below 1, or delta not in (0, 1).
    """
    m = count("sample_size", sample_size)
    logarithm = _log_inverse(chance("delta", delta))
    return 3 * math.sqrt((math.log(2) + logarithm) / m) if printed else 2 * math.sqrt(logarithm / (2 * m))


def _log_inverse(delta: Any) -> float:
    """Return log(1/delta); the integers of a rational may be beyond the range of floats."""
    exact = Fraction(delta)
    return math.log(exact.denominator) - math.log(exact.numerator)


def rademacher_bound(features: Matrix, matrix: Matrix, radius: Any) -> float:
    """Return (M_A / n) ||A^-1 Phi^T||_F, a bound on the empirical Rademacher complexity of linear models (W6).

    Of x -> <w, Phi(x)> with sqrt(w^T A A^T w) <= M_A, on a sample of n.

    Args:
        features: Phi, one example a row, [n, d].
        matrix: A, invertible, [d, d].
        radius: M_A, at least 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, A is singular, or an entry is not finite or negative where it must not be.
    """
    return path_rademacher_bound(features, [matrix], [radius])


def path_rademacher_bound(features: Matrix, matrices: Any, radii: Any) -> float:
    """Return sum_t (m_t / m) ||A_t^-1 Phi^T||_F, the same for w = sum_t dw_t with each dw_t bounded on its own (W7).

    Args:
        features: Phi, one example a row, [m, d].
        matrices: A_t, invertible, [T, d, d].
        radii: m_t, at least 0, [T].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit, an A_t is singular, or an entry is not finite or negative.
    """
    rows = floats("features", vectors_array("features", features))
    stack, sizes = floats("matrices", real_array("matrices", matrices, ndim=3)), real_array("radii", radii)
    if stack.shape != (len(sizes), rows.shape[1], rows.shape[1]):
        raise ValueError(f"matrices must be one [d, d] for each radius, d = {rows.shape[1]}, got shape {stack.shape}")
    if np.any(sizes < 0):
        raise ValueError(f"radii must be at least 0, got {min(sizes)}")
    try:
        norms = [float(np.linalg.norm(np.linalg.solve(a, rows.T))) for a in stack]
    except np.linalg.LinAlgError as error:
        raise ValueError("matrices must be invertible, got a singular one") from error
    return math.fsum(float(size) * norm for size, norm in zip(sizes, norms, strict=True)) / len(rows)


def tangent_complexity(updates: Matrix, features: Any) -> float:
    """Return C = sum_t ||dw_t|| ||Phi_t||_F; C / m bounds the Rademacher complexity for fixed feature maps (W7.a).

    Args:
        updates: dw_t, one step of training a row, [T, d].
        features: Phi_t, the tangent features of the sample at each step, [T, m, d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shapes do not fit or an entry is not finite.
    """
    steps, maps = vectors_array("updates", updates), real_array("features", features, ndim=3)
    if (len(maps), maps.shape[2]) != steps.shape or not maps.shape[1]:
        raise ValueError(f"features must be one [m, d] for each of the updates {steps.shape}, got shape {maps.shape}")
    sizes = np.linalg.norm(floats("updates", steps), axis=1) * np.linalg.norm(floats("features", maps), axis=(1, 2))
    return math.fsum(sizes)


def coherence(vectors: Matrix, probabilities: Reals | None = None) -> Any:
    """Return alpha = E[g.g'] / E[g.g] for independent g, g' (W8): 0 if the mean is 0, 1 if all are equal; O(m d).

    Exact for rationals.

    Args:
        vectors: g, one a row, [m, d].
        probabilities: of the rows, [m]; all equal if not given.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a shape is wrong, the probabilities are none, or all vectors are 0, where alpha is 0/0.
    """
    rows = vectors_array("vectors", vectors)
    if probabilities is None:
        p = np.full(len(rows), Fraction(1, len(rows)) if rows.dtype == object else 1 / len(rows))
    else:
        p = distribution("probabilities", probabilities, len(rows))
    mean, size = p @ rows, p @ (rows * rows).sum(axis=1)
    if size == 0:
        raise ValueError("vectors must not all be 0, where the coherence is 0/0")
    return dot(mean, mean) / size


def orthogonal_limit(sample_size: int) -> Fraction:
    """Return 1/m, the coherence of m pairwise orthogonal gradients, whatever their lengths (W9).

    Raises:
        TypeError: if `sample_size` is no integer.
        ValueError: if it is below 1.
    """
    return Fraction(1, count("sample_size", sample_size))


def batch_coherence(alpha: Any, batch: int) -> Any:
    """Return k alpha / (1 + (k - 1) alpha), the coherence of means of k independent gradients (W11); exact for rationals.

    Args:
        alpha: the coherence of the gradients, 0 to 1.
        batch: k, at least 1.

    Raises:
        TypeError: if a value is no real number, or k no integer.
        ValueError: if alpha is not in [0, 1], or k is below 1.
    """
    k = count("batch", batch)
    return k * share("alpha", alpha) / (1 + (k - 1) * alpha)


def example_coherence(alpha: Any, batch: int) -> Any:
    """Return alpha / (k - (k - 1) alpha), the coherence of gradients whose means of k have coherence alpha (W11.d).

    Exact for rationals. It holds for means of independent draws; for the batches that partition one sample it is an
    approximation (W11.e).

    Args:
        alpha: the coherence of the means, 0 to 1.
        batch: k, at least 1.

    Raises:
        TypeError: if a value is no real number, or k no integer.
        ValueError: if alpha is not in [0, 1], or k is below 1.
    """
    k = count("batch", batch)
    return share("alpha", alpha) / (k - (k - 1) * alpha)


def stiffness(vectors: Matrix, kind: Stiffness = "cosine") -> float:
    """Return the mean over pairs of different examples of sign(g.g'), or of the cosine (Definitions 3.1 and 3.2).

    Args:
        vectors: g, one a row, [m, d], m >= 2.
        kind: "sign", or "cosine", which has no value where a gradient is 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than two vectors, `kind` is unknown, or a cosine has no value.
    """
    rows = vectors_array("vectors", vectors)
    if kind not in get_args(Stiffness):
        raise ValueError(f"kind must be one of {', '.join(map(repr, get_args(Stiffness)))}, got {kind!r}")
    if len(rows) < 2:
        raise ValueError(f"vectors must be at least two, to have a pair of different ones, got {len(rows)}")
    above = np.triu_indices(len(rows), 1)
    if kind == "sign":
        return float(np.mean(np.sign(floats("the inner products", rows @ rows.T)[above])))
    plain = floats("vectors", rows)
    lengths = np.linalg.norm(plain, axis=1)
    if np.any(lengths == 0):
        raise ValueError(f"vectors must not be 0 for a cosine, got 0 at index {int(np.flatnonzero(lengths == 0)[0])}")
    return float(np.mean((plain @ plain.T / np.outer(lengths, lengths))[above]))


def coherence_gap_bound(
    coherences: Matrix, step_sizes: Reals, lipschitz: Any, smoothness: Any, sample_size: int
) -> float:
    """Return a bound on the expected generalisation gap of T steps on m examples (W10.a, Theorem 5.4 repaired).

    (L^2 / m) sum_t prod_{k > t} (1 + (1 + 1/m) eta_k beta) eta_t E sqrt(2 (1 - alpha(w_{t-1}))), the mean over runs on
    samples of their own. The theorem has no expectation, and 1 + eta_k beta.

    Args:
        coherences: alpha of the distribution at the weights before each step, one run a row, [runs, T], in [0, 1]; 1
            where all gradients are 0.
        step_sizes: eta_t, above 0, [T].
        lipschitz: L, of every loss, at least 0.
        smoothness: beta, the Lipschitz constant of every gradient, at least 0.
        sample_size: m, at least 1.

    Raises:
        TypeError: if a value is no real number, or m no integer.
        ValueError: if shapes do not fit, or a value is out of its range.
    """
    runs, steps = floats("coherences", vectors_array("coherences", coherences)), real_array("step_sizes", step_sizes)
    if runs.shape[1] != len(steps):
        raise ValueError(f"coherences must have one column for each of {len(steps)} steps, got shape {runs.shape}")
    if np.any((runs < 0) | (runs > 1)):
        raise ValueError(f"coherences must be from 0 to 1, got {runs[(runs < 0) | (runs > 1)][0]}")
    m, beta = count("sample_size", sample_size), float(nonnegative("smoothness", smoothness))
    spread = np.sqrt(2 * (1 - runs)).mean(axis=0)
    total = 0.0
    for eta, at in zip(steps, spread, strict=True):
        eta = float(positive("step_sizes", eta))
        total = total * (1 + (1 + 1 / m) * eta * beta) + eta * float(at)
    return float(nonnegative("lipschitz", lipschitz)) ** 2 / m * total


def level_of(name: str, value: Any) -> Any:
    """Return a level of winsorization if it is a number of per cent, from 0 to 50.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is below 0 or above 50.
    """
    if nonnegative(name, value) > 50:
        raise ValueError(f"{name} must be a level of winsorization from 0 to 50, got {value}")
    return value


def winsorised_mean(vectors: Matrix, level: Any) -> Array:
    """Return the mean of gradients clipped, coordinate by coordinate, to the c-th and (100 - c)-th percentile (W12).

    c = 0 is the mean, c = 50 the median. Percentiles are interpolated linearly between the sorted values; the paper
    does not say how. Exact if vectors and c are rationals.

    Args:
        vectors: one gradient a row, [m, d].
        level: c, from 0 to 50.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if a shape is wrong, an entry is not finite, or c is not from 0 to 50.
    """
    rows, c = vectors_array("vectors", vectors), level_of("level", level)
    c = Fraction(c) if rows.dtype == object else float(c)
    ordered = np.sort(rows, axis=0)
    clipped = np.minimum(np.maximum(rows, _percentile(ordered, c)), _percentile(ordered, 100 - c))
    return _mean(clipped)


def _percentile(ordered: Array, c: Any) -> Array:
    """Return the c-th percentile of each column of sorted rows, [d]."""
    place = c * (len(ordered) - 1) / 100
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    value: Array = ordered[below] + (ordered[above] - ordered[below]) * (place - below)
    return value


def _mean(rows: Array) -> Array:
    total: Array = rows.sum(axis=0)
    return total / (Fraction(len(rows)) if rows.dtype == object else float(len(rows)))


def median_of_means(vectors: Matrix, groups: int) -> Array:
    """Return the median, coordinate by coordinate, of the means of k consecutive groups of gradients (section 5.5.1).

    Sizes of groups differ by one at most; for even k the median is the mean of the middle two. Exact for rationals.

    Args:
        vectors: one gradient a row, [m, d].
        groups: k, 1 to m; 1 is the mean, m the median.

    Raises:
        TypeError: if an entry is no real number, or k no integer.
        ValueError: if a shape is wrong, an entry is not finite, or k is not from 1 to m.
    """
    rows, k = vectors_array("vectors", vectors), count("groups", groups)
    if k > len(rows):
        raise ValueError(f"groups must be at most the number of vectors, {len(rows)}, got {k}")
    means = np.sort(np.array([_mean(group) for group in np.array_split(rows, k)], dtype=rows.dtype), axis=0)
    middle: Array = (means[(k - 1) // 2] + means[k // 2]) / 2
    return middle


def shared_weight(sample_size: int, strength: Any, step_size: Any, steps: int) -> Any:
    """Return the weight of a feature that m examples share, after t steps of gradient descent from 0 (W13.b).

    Each example has an entry of its own, y_i, and the shared one, s y_i; the loss is (1/2m) sum (w.x_i - y_i)^2. The
    weight is m s / (1 + m s^2) (1 - (1 - eta (1 + m s^2) / m)^t). Exact for rationals.

    Args:
        sample_size: m, at least 1.
        strength: s, at least 0; 1 is the "real" and 0 the "random" data of section 5.1.
        step_size: eta, above 0.
        steps: t, at least 0.

    Raises:
        TypeError: if a value is no real number, or m or t no integer.
        ValueError: if a value is out of its range.
    """
    m, t = count("sample_size", sample_size), count("steps", steps, fewest=0)
    s, eta = nonnegative("strength", strength), positive("step_size", step_size)
    curvature = 1 + m * s * s
    return m * s / curvature * (1 - (1 - eta * curvature / m) ** t)
