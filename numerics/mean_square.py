"""The step size beyond which SGD leaves an interpolating minimum of the squared loss, in mean square, with a certificate.

Near such a minimum SGD is a <- (I - eta mean_{i in batch} phi_i phi_i^T) a, phi_i the gradient of f(x_i), and its second
moments X = E[a a^T] obey T(X) = X - 2 eta C(X) + eta^2 D(X) (mulayoff2024, "Exact mean square linear stability analysis for
SGD", COLT; `theory.linear_stability`), where

    H = Phi^T Phi / n,   C(X) = (H X + X H) / 2,   D(X) = (1 - p) H X H + (p / n) sum_i phi_i (phi_i^T X phi_i) phi_i^T,

p = (n - B) / (B (n - 1)) for batches without replacement: of the B^2 pairs in a batch B are equal, the others uniform among
unequal ones. With replacement the others are independent, so p = 1/B. On the span of the features C is positive definite;
T, C, D are self-adjoint for tr(X Y) and T maps positive matrices to such, so its spectral radius is its top eigenvalue, at
most 1 iff eta^2 D <= 2 eta C as quadratic forms. Hence E ||a||^2 stays bounded iff eta <= 2 / lam, lam = lambda_max(C^+ D).

In terms of K = Phi Phi^T / n = U diag(h) U^T, [n, n], and Z = Phi X Phi^T / n this is

    lam = max ((1 - p) tr Z^2 + p n sum_i Z_ii^2) / tr(Z K^+ Z)   over symmetric Z on the range of K,                 (1)

which grows with K in the Loewner order. With Z = U W U^T and m_ab the harmonic mean of h_a and h_b, the top Z has
W_ab = p n (U^T diag(q) U)_ab m_ab / (lam - (1 - p) m_ab) with q = diag(Z), so q is an eigenvector of an n x n matrix; p > 0:

    lam <= t  iff  rho(p n G(t)) <= 1,   G(t) q = diag(U [(U^T diag(q) U) . m / (t - (1 - p) m)] U^T),   t > (1 - p) h_max.  (2)

q^T G(t) q is a sum of squares that falls with t; and G(t) has no negative entries, as the bracket is the solution Y of the
Lyapunov equation L Y + Y L = U^T diag(q) U with L = t diag(1/h)/2 - (1 - p)/2 > 0, positive where q >= 0. So by Collatz and
Wielandt a vector q > 0 with p n G(t) q <= q proves lam <= t, and any Z in (1) bounds lam from below. (With Y for q, the
positive matrix Z = p n U Y U^T, X = Phi^+ n Z Phi^+T, has X - T(X) >= 0 at eta = 2/t.) A product with G(t) is two products
of n x n matrices; nothing larger is formed. For p = 0, lam = h_max.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, get_args

import numpy as np
import torch
from scipy.linalg import eigh
from scipy.optimize import brentq
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from theory.checks import Array, floats, real_array
from theory.checks import batch_size as checked_batch
from theory.enclosure import EPS
from theory.linear_stability import noise_share
from theory.symbols import Loss, half_mean_step_size, loss_scale

Sampling = Literal["without_replacement", "with_replacement", "reshuffling"]
"""How batches are drawn: anew each step, without or with replacement, or from a new random order each epoch."""

CHUNK = 512
"""The Gram matrix is summed over so many features at a time, which keeps both memory and rounding small."""

BLOCK = 32
"""Other products of matrices are summed over so many indices at a time where their rounding matters."""

DENSE_POINTS = 64
"""Matrices G(t) of up to so many points are written out."""

EXACT_POINTS = 8
"""The expected map of an epoch is worked out, over all sets of points, up to so many points."""

SCAN_RATIO = 1 + 1 / 64
"""Step sizes at which the growth over an epoch is looked at have this ratio."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """What proves the two ends of a threshold; see `verify`.

    For batches drawn anew, vectors q [n]: `stable` > 0 satisfies p n G(t) q <= q at t = 2/lower, and `unstable` gives the Z
    in (1) that bounds lam from below by 2/upper; for p = 0 the eigenvalues of K are enough.

    For reshuffling, matrices U P U^T [n, n], P in the coordinates of the range of K: with M the expected map of an epoch
    P - M(P) is positive definite in both, at `lower` and at `upper`. A positive definite P then proves that the spectral
    radius is below 1; one that is not semidefinite, that it is not, for below 1 P = sum_k M^k(P - M(P)) would be.
    """

    stable: Array
    unstable: Array


@dataclass(frozen=True, eq=False)
class Threshold:
    """The largest step size up to which E ||a||^2 stays bounded, as float64 features give it exactly, between two bounds.

    Attributes:
        value: the threshold, > 0; inf where all features vanish.
        lower: a certified lower bound. For reshuffling: SGD is stable here.
        upper: a certified upper bound. For reshuffling: SGD is not stable here.
        method: "secular" solved (2); "sharpness" is 2/h_max, for p = 0; "zero" for features that all vanish; "scan" is the
            first of the scanned step sizes with growth over an epoch, refined by bisection.
        certificate: what `verify` proves the bounds from.
    """

    value: float
    lower: float
    upper: float
    method: Literal["secular", "sharpness", "zero", "scan"]
    certificate: Certificate


@dataclass(frozen=True)
class Estimate:
    """An average of independent draws and its standard error."""

    value: float
    standard_error: float


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """K = Q diag(h) Q^T + E up to a power of 4: ||E|| <= epsilon, Q orthogonal, ||Q - vectors|| <= omega; h >= 0."""

    vectors: Array
    values: Array
    epsilon: float
    omega: float
    exponent: int  # K of the features is this K times 4^exponent

    @property
    def loosened(self) -> _Spectrum:
        """The same with room for the rounding of another machine."""
        return replace(self, epsilon=2 * self.epsilon, omega=2 * self.omega)

    @property
    def rank(self) -> int:
        """How many eigenvalues are more than rounding errors."""
        return int(np.sum(self.values > 32 * len(self.values) * EPS * self.values[-1]))


def mean_square_threshold(
    features: object, batch_size: int, *, sampling: Sampling = "without_replacement", loss: Loss = "half_mean"
) -> Threshold:
    """Return the largest step size for which E ||a||^2 stays bounded near an interpolating minimum (B3; B9).

    For batches drawn anew, SGD is stable up to the threshold, inclusive, and not beyond (mulayoff2024, with H_i = phi_i
    phi_i^T); it costs O(n^2 d) for the Gram matrix and some dozens of products of n x n matrices. For reshuffling, each
    epoch runs through a new uniformly random order in batches of B, the last one smaller if B does not divide n, each
    batch averaged over its own size. There stability need not be monotone in the step size: two features 1 and 1/10 on
    the line, B = 1, are stable up to 2.02, then not, and again at 100. `value` is where the first stable interval ends, as
    found by a scan with ratio 65/64 from 2/max_batch lambda_max(H_batch), up to which no batch expands; an unstable interval
    narrower than the scan's steps goes unseen. That SGD is stable at `lower` and not at `upper` is certified.

    Args:
        features: the gradients phi_i of f(x_i) in the weights as rows, [n, d]; numbers, an array or a tensor, in float64.
        batch_size: B, from 1 to n.
        sampling: how batches are drawn.
        loss: the loss that step sizes belong to, (1/2n) sum r_i^2 or (1/n) sum r_i^2, for which they are half as large.

    Raises:
        TypeError: if an entry of `features` is no real number, or `batch_size` no integer.
        ValueError: if `features` is not [n, d] with n, d >= 1, holds nan or inf, or is so large or small that the threshold
            is no float; if `batch_size` is not between 1 and n; if `sampling` or `loss` is unknown; or for
            reshuffling of more than `EXACT_POINTS` points.
        RuntimeError: if an iteration does not converge, or for reshuffling if the features are too nearly dependent for a
            certificate.
    """
    scale = loss_scale(loss)
    spectrum, share = _problem(features, batch_size, sampling)
    if spectrum.values[-1] == 0:
        return Threshold(math.inf, math.inf, math.inf, "zero", Certificate(np.empty(0), np.empty(0)))
    if share is None:
        value, lower, upper, certificate = _scan(spectrum, batch_size)
        method: Literal["secular", "sharpness", "scan"] = "scan"
    else:
        lam, vector = _solve(spectrum, share)
        above, stable = _ceiling(spectrum, share, vector)
        below = _floor(spectrum.loosened, share, lam, vector) * (1 - 8 * EPS)
        if not 0 < below <= above:
            raise RuntimeError(f"no bounds were found: {below} and {above} around {lam}")
        lower, upper = 2 / above * (1 - 2 * EPS), 2 / below * (1 + 2 * EPS)
        value, method = min(max(2 / lam, lower), upper), "secular" if share else "sharpness"
        certificate = Certificate(stable, vector)
    value, lower, upper = (_scaled(end / scale, -spectrum.exponent) for end in (value, lower, upper))
    return Threshold(value, lower, upper, method, certificate)


def verify(
    threshold: Threshold,
    features: object,
    batch_size: int,
    *,
    sampling: Sampling = "without_replacement",
    loss: Loss = "half_mean",
) -> bool:
    """Return whether the certificate proves lower <= threshold <= upper for these features, without solving for it.

    The eigendecomposition of K is done again, and its residual enters the bounds: lam is bounded from above for
    K + epsilon I, and from below for every matrix within epsilon of K. Rounding is allowed for by a priori bounds on sums in
    any order with twice the unit roundoff, so `True` is a proof for the float64 features as given. For reshuffling it is
    one for features whose Gram matrix differs from the given one by rounding (the range of K is that of its eigenvalues
    above 32 n eps h_max), and says that SGD is stable at `lower` and not at `upper`.

    Args:
        threshold: what `mean_square_threshold` returned.
        features: as there, [n, d].
        batch_size: as there.
        sampling: as there.
        loss: as there.

    Raises:
        TypeError: as there.
        ValueError: as there, but for the range of the threshold.
    """
    scale = loss_scale(loss)
    spectrum, share = _problem(features, batch_size, sampling)
    certificate, n = threshold.certificate, len(spectrum.values)
    if spectrum.values[-1] == 0:
        return threshold.lower == threshold.value == threshold.upper == math.inf
    if not 0 < threshold.lower <= threshold.value <= threshold.upper < math.inf:
        return False
    try:
        lower, upper = (_scaled(end * scale, spectrum.exponent) for end in (threshold.lower, threshold.upper))
    except ValueError:
        return False
    shape = (n,) if share is not None else (n, n)
    if any(part.shape != shape or not np.all(np.isfinite(part)) for part in (certificate.stable, certificate.unstable)):
        return False
    if share is None:
        return (_proves(spectrum, batch_size, lower, certificate.stable) == "stable") and (
            _proves(spectrum, batch_size, upper, certificate.unstable) == "unstable"
        )
    ceiling, floor = 2 / lower * (1 - EPS), 2 / upper * (1 + EPS)
    return _below(spectrum, share, ceiling, certificate.stable) and bool(
        _floor(spectrum, share, floor, certificate.unstable) >= floor
    )


def _scaled(value: float, exponent: int) -> float:
    """Return value 4^exponent, exactly.

    Raises:
        ValueError: if that is no normal float.
    """
    try:
        scaled = math.ldexp(value, 2 * exponent)
    except OverflowError:
        scaled = math.inf
    if not np.finfo(np.float64).tiny <= scaled < math.inf:
        raise ValueError("features must be of a size for which the threshold is a float, got ones beyond it")
    return scaled


def _problem(features: object, batch: int, sampling: Sampling) -> tuple[_Spectrum, Fraction | None]:
    """Return the spectrum of the Gram matrix, and p for batches drawn anew.

    Raises:
        ValueError: if an argument is out of range.
    """
    if sampling not in get_args(Sampling):
        raise ValueError(f"sampling must be one of {', '.join(map(repr, get_args(Sampling)))}, got {sampling!r}")
    rows = _rows(features)
    n, b = len(rows), checked_batch(batch, len(rows))
    if sampling == "reshuffling" and n > EXACT_POINTS:
        raise ValueError(
            f"sampling must not be 'reshuffling' for more than {EXACT_POINTS} points, where its threshold is not available "
            f"exactly, got {n} points; reshuffling_growth estimates the growth at one step size"
        )
    matrix, error, exponent = _gram(rows)
    shares = {"without_replacement": noise_share(n, b), "with_replacement": Fraction(1, b), "reshuffling": None}
    return _spectrum(matrix, error, exponent), shares[sampling]


def _rows(features: object) -> Array | torch.Tensor:
    """Return features as an array or tensor of real numbers, [n, d], n, d >= 1, whose entries may yet be nan or inf.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is not [n, d] with n, d >= 1.
    """
    if isinstance(features, torch.Tensor):
        if features.dtype.is_complex or features.dtype == torch.bool:
            raise TypeError(f"features must hold real numbers, got a tensor of {features.dtype}")
        rows: Array | torch.Tensor = features.detach()
    elif isinstance(features, np.ndarray) and features.dtype.kind in "fiu":
        rows = features
    else:
        rows = floats("features", real_array("features", features, ndim=2))
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"features must have shape [n, d] with n, d >= 1, got {tuple(rows.shape)}")
    return rows


def _chunks(rows: Array | torch.Tensor) -> Iterator[Array]:
    """Yield the columns of [n, d] in float64, `CHUNK` at a time."""
    for start in range(0, rows.shape[1], CHUNK):
        part = rows[:, start : start + CHUNK]
        yield part.cpu().to(torch.float64).numpy() if isinstance(part, torch.Tensor) else part.astype(np.float64)


def _gram(rows: Array | torch.Tensor) -> tuple[Array, float, int]:
    """Return Phi Phi^T / n over a power of 4, the Frobenius norm of its error, and that power.

    Raises:
        ValueError: if an entry is nan or inf.
    """
    n, largest = len(rows), 0.0
    for index, part in enumerate(_chunks(rows)):
        if not np.all(np.isfinite(part)):
            row, column = np.argwhere(~np.isfinite(part))[0]
            place = (int(row), index * CHUNK + int(column))
            raise ValueError(f"features must hold finite numbers, got {part[row, column]} at index {place}")
        largest = max(largest, float(np.max(np.abs(part))))
    exponent = math.frexp(largest)[1] if largest else 0
    matrix = np.zeros((n, n))
    for part in _chunks(rows):
        scaled = np.ldexp(part, -exponent)
        matrix += scaled @ scaled.T
    matrix /= n
    terms = min(CHUNK, rows.shape[1]) + math.ceil(rows.shape[1] / CHUNK) + 4
    return (matrix + matrix.T) / 2, 1.01 * EPS * terms * float(np.trace(matrix)), exponent


def _spectrum(matrix: Array, error: float, exponent: int) -> _Spectrum:
    """Return an eigendecomposition of a symmetric matrix [n, n] within `error` of K >= 0, with bounds on its errors.

    U is within ||U^T U - I|| of its orthogonal polar factor Q, since |s - 1| <= |s^2 - 1| for s >= 0.
    """
    n = len(matrix)
    values, vectors = eigh(matrix)
    values = np.maximum(values, 0.0)
    omega = _departure(vectors)
    residual = float(np.linalg.norm(matrix - _product(vectors * values, vectors.T)))
    residual += EPS * (_terms(n) + 4) * float(np.sum(values))
    epsilon = 1.01 * (residual + error + 2 * omega * (1 + omega) * float(values[-1]))
    return _Spectrum(vectors, values, epsilon, omega, exponent)


def _departure(vectors: Array) -> float:
    """Return a bound on ||U^T U - I|| for U [n, n] with entries in [-1, 1].

    The leading 20 bits of U are multiplied exactly: the sums are multiples of 2^-40 below 2.
    """
    n = len(vectors)
    high = np.round(vectors * 2.0**20) / 2.0**20
    low = vectors - high
    small = high.T @ low
    gram = (high.T @ high - np.eye(n)) + (small + small.T + low.T @ low)
    low_norm = float(np.linalg.norm(low))
    rounding = EPS * (n + 4) * low_norm * (2 * math.sqrt(n) + low_norm) * 1.01 + 4 * EPS * float(np.linalg.norm(gram))
    return 1.01 * (float(np.linalg.norm(gram)) + rounding)


def _terms(n: int) -> int:
    """Return how often a term of a sum over n indices is rounded in `_product`, at most."""
    return min(n, BLOCK) + math.ceil(n / BLOCK) + 1


def _product(first: Array, second: Array) -> Array:
    """Return the product of matrices [k, n] and [n, m], summed in blocks."""
    total = np.zeros((len(first), second.shape[1]))
    for start in range(0, len(second), BLOCK):
        total += first[:, start : start + BLOCK] @ second[start : start + BLOCK]
    return total


@dataclass(frozen=True, eq=False)
class _Secular:
    """The matrix p n G(t) in coordinates of the r eigenvectors that matter; see (2)."""

    vectors: Array  # [n, r]
    means: Array  # the harmonic means m_ab, [r, r]
    share: float  # p

    def quadratic(self, q: Array) -> Array:
        """Return U^T diag(q) U, [r, r]."""
        inner: Array = self.vectors.T @ (q[:, None] * self.vectors)
        return inner

    def kernel(self, t: float) -> Array:
        """Return m / (t - (1 - p) m), [r, r]."""
        kernel: Array = self.means / (t - (1 - self.share) * self.means)
        return kernel

    def diagonal(self, inner: Array) -> Array:
        """Return the diagonal of U W U^T, [n]."""
        diagonal: Array = np.sum((self.vectors @ inner) * self.vectors, axis=1)
        return diagonal

    def product(self, kernel: Array, q: Array) -> Array:
        """Return p n G(t) q, [n]."""
        return self.share * len(self.vectors) * self.diagonal(self.quadratic(q) * kernel)

    def top(self, t: float, start: Array, tolerance: float) -> Array:
        """Return a unit top eigenvector of G(t), [n].

        Raises:
            RuntimeError: if it is not found.
        """
        n, kernel = len(self.vectors), self.kernel(t)
        if n <= DENSE_POINTS:
            matrix = np.column_stack([self.product(kernel, unit) for unit in np.eye(n)])
            vector: Array = eigh((matrix + matrix.T) / 2)[1][:, -1]
            return vector
        operator = LinearOperator((n, n), dtype=np.float64, matvec=lambda q: self.product(kernel, q.ravel()))
        try:
            _, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance, ncv=12)
        except ArpackNoConvergence as error:
            raise RuntimeError(f"Lanczos iteration did not reach tolerance {tolerance}") from error
        vector = vectors[:, 0]
        return vector

    def least(self) -> float:
        """Return the quotient (1) of the projection on the top eigenvector of K, a lower bound on lam above the pole."""
        spread = float(np.sum(self.vectors[:, -1] ** 4))
        return float(self.means[-1, -1]) * (1 - self.share + self.share * len(self.vectors) * spread)

    def rayleigh(self, t: float, q: Array) -> tuple[float, float]:
        """Return the quotient (1) of the Z that q gives at t, and -d/dt of p n q^T G(t) q / q^T q."""
        inner = self.quadratic(q)
        kernel = self.kernel(t)
        image = inner * kernel
        size = (1 - self.share) * float(np.sum(image**2))
        size += self.share * len(q) * float(np.sum(self.diagonal(image) ** 2))
        # image^2 / m, without a division by m
        cost = float(np.sum(inner**2 * kernel / (t - (1 - self.share) * self.means)))
        return size / cost, self.share * len(q) * cost / float(q @ q)


def _secular(spectrum: _Spectrum, share: Fraction, shift: float = 0.0) -> _Secular:
    """Return p n G for the eigenvalues h + shift, without those whose h is a rounding error."""
    kept = spectrum.values > len(spectrum.values) * EPS * spectrum.values[-1]
    values = spectrum.values[kept] + shift
    means = 2 * values[:, None] * (values / (values[:, None] + values))
    np.fill_diagonal(means, values)
    return _Secular(spectrum.vectors[:, kept], means, float(share))


def _solve(spectrum: _Spectrum, share: Fraction) -> tuple[float, Array]:
    """Return lam and the vector q of its Z, [n].

    rho(p n G(t)) - 1 is a convex, falling function of t, and the quotient (1) is never above lam: t rises to it.

    Raises:
        RuntimeError: if it does not converge.
    """
    vector = spectrum.vectors[:, -1] ** 2
    if share == 0:
        return float(spectrum.values[-1]), vector
    equation = _secular(spectrum, share)
    t = equation.least()
    enough = 1e-13 if len(vector) <= DENSE_POINTS else 1e-9  # about its square is left
    tight = 1e-8
    for tolerance in (1e-2, 1e-5, *[tight] * 50):
        vector = equation.top(t, vector, tolerance)
        previous, t = t, max(t, equation.rayleigh(t, vector)[0])
        if tolerance == tight and t <= previous * (1 + enough):
            return t, vector if np.sum(vector) > 0 else -vector
    raise RuntimeError(f"the secular equation was not solved, t = {t}")


def _ceiling(spectrum: _Spectrum, share: Fraction, vector: Array) -> tuple[float, Array]:
    """Return t >= lam and the vector that proves it, [n]: q = 1 + p n G(t) q, which is positive iff t > lam.

    Raises:
        RuntimeError: if none is found.
    """
    loose, n = spectrum.loosened, len(vector)
    if share == 0:
        return (float(spectrum.values[-1]) + loose.epsilon) * (1 + 32 * EPS), np.ones(n)
    equation = _secular(spectrum, share, loose.epsilon)
    lam, slope = equation.least(), 0.0
    for _ in range(50):
        previous = lam
        lam, slope = equation.rayleigh(previous, vector)
        if lam <= previous * (1 + 1e-14):
            break
    gap = 16 * EPS * (n + 8)
    while gap < 1e6:
        t = lam + gap / slope
        q = _resolvent(equation, t, vector * (np.sum(vector) / gap))
        if _below(loose, share, t, q):
            return t, q
        # The error is nearly proportional to q, which is to 1/gap, and has to come below q - p n G(t) q = 1.
        error = _image(loose, share, t, q)[1]
        gap *= max(2.0, min(2 * error, 1e6)) if error < math.inf else 16.0
    raise RuntimeError("no upper bound was found")


def _resolvent(equation: _Secular, t: float, start: Array) -> Array:
    """Return q with q - p n G(t) q near 1 in every entry, by conjugate gradients from `start`, if t > lam."""
    q, kernel = start, equation.kernel(t)
    residual = np.ones(len(q)) - (q - equation.product(kernel, q))
    direction, size = residual, float(residual @ residual)
    for _ in range(100):
        if float(np.max(np.abs(residual))) <= 0.25:
            break
        image = direction - equation.product(kernel, direction)
        curvature = float(direction @ image)
        if curvature <= 0:
            break
        q = q + size / curvature * direction
        residual = residual - size / curvature * image
        previous, size = size, float(residual @ residual)
        direction = residual + size / previous * direction
    return q


def _below(spectrum: _Spectrum, share: Fraction, t: float, q: Array) -> bool:
    """Return whether q > 0 and p n G(t) q <= q for K + E <= Q diag(h + epsilon) Q^T, with all rounding: lam <= t."""
    if not np.all(np.isfinite(q)) or not np.all(q > 0):
        return False
    image, error = _image(spectrum, share, t, q)
    return bool(np.all(image + 16 * EPS * np.abs(image) + error <= q))


def _image(spectrum: _Spectrum, share: Fraction, t: float, q: Array) -> tuple[Array, float]:
    """Return p n G(t) q, [n], for q >= 0 and K = Q diag(h + epsilon) Q^T, and a bound on its error (inf at the pole).

    The kernel is 1/(l_a + l_b), l = t/(2 h) - (1 - p)/2, with l rounded down. What enters besides rounding is Q - U, in
    U^T diag(q) U and in the diagonal of U W U^T. Norms are Frobenius norms, and a row of U has norm at most 1 + omega.
    """
    n, u, omega = len(q), spectrum.vectors, spectrum.omega
    noise = float(share) * n * (1 + 4 * EPS)
    ratio = t / (2 * (spectrum.values + spectrum.epsilon) * (1 + 2 * EPS))
    rates = ratio - float(1 - share) / 2 - 4 * EPS * (ratio + 1)
    lowest = float(np.min(rates))
    if not lowest > 0 or not omega < 0.01:
        return q, math.inf
    solution = _product(u.T, q[:, None] * u) / (rates[:, None] + rates)
    size = float(np.linalg.norm(solution))
    tilt, terms = omega * (2 + omega), _terms(n)
    inner_error = EPS * (terms + 3) * float(np.sum(q)) * (1 + omega) ** 2 + tilt * float(np.linalg.norm(q))
    solution_error = inner_error / (2 * lowest) + 3 * EPS * size
    image = noise * np.sum(_product(u, solution) * u, axis=1)
    # The last sum, of n terms, is over |U W| |U| in a row, whose norms multiply.
    error = 1.01 * noise * (solution_error + tilt * size + EPS * (terms + n + 4) * (1 + omega) ** 2 * size)
    return image, error


def _floor(spectrum: _Spectrum, share: Fraction, t: float, q: Array) -> float:
    """Return a lower bound on lam for every K within epsilon of Q diag(h) Q^T, with all rounding.

    For any symmetric Y, Z = K Y K lies on the range of K, and (1) is N(Z)^2 / tr(K Y K Y K) with the norm
    N(Z)^2 = (1 - p) |Z|^2 + p n |diag Z|^2 <= (1 - p + p n) |Z|^2. Y is what q gives at t, in the basis Q, and the
    terms in K - Q diag(h) Q^T are bounded by Frobenius norms.
    """
    n, u, h = len(q), spectrum.vectors, spectrum.values
    epsilon, omega, p = spectrum.epsilon, spectrum.omega, float(share)
    if share == 0:
        return (float(h[-1]) - epsilon) * (1 - 4 * EPS)
    inner = u.T @ (q[:, None] * u)
    product = h[:, None] * h
    total = h[:, None] + h
    denominator = t * total / 2 - (1 - p) * product + t * epsilon
    if not np.all(denominator > 0):
        return 0.0
    y = (inner + inner.T) / 2 / denominator
    y = (y + y.T) / 2
    z, scaled = product * y, y * h
    y_norm, scaled_norm, z_norm = (float(np.linalg.norm(part)) for part in (y, scaled, z))
    diagonal = float(np.linalg.norm(np.einsum("ia,ia->i", u @ z, u)))
    size = math.sqrt((1 - p) * z_norm**2 + p * n * diagonal**2)
    error = math.sqrt(p * n) * z_norm * (omega * (2 + omega) + math.sqrt(n) * EPS * (2 * n + 4) * (1 + omega) ** 2)
    error += math.sqrt(1 - p + p * n) * epsilon * (2 * scaled_norm + epsilon * y_norm)
    error += EPS * (n * n + 16) * size
    cost = float(np.sum(y**2 * product * total)) / 2 * (1 + EPS * (n * n + 16))
    cross = float(np.linalg.norm(scaled @ scaled)) + EPS * n * scaled_norm**2
    slack = epsilon * (2 * math.sqrt(n) * cross + scaled_norm**2)
    slack += epsilon**2 * (2 * y_norm * scaled_norm + float(np.sum(y**2 * h))) + epsilon**3 * y_norm**2
    root = size - 1.01 * error
    return root**2 / (cost + 1.01 * slack) * (1 - 16 * EPS) if root > 0 and cost > 0 else 0.0


def reshuffling_growth(
    features: object,
    batch_size: int,
    step_size: float,
    *,
    epochs: int = 20,
    repeats: int = 200,
    seed: int = 0,
    loss: Loss = "half_mean",
) -> Estimate:
    """Return an estimate of the factor by which E[a a^T] grows over an epoch of SGD by random reshuffling (B9).

    A positive matrix X on the range of K is carried through `epochs` epochs, each the average over `repeats` fresh orders
    of the points; then tr(X A X A^T) / tr(X^2) is averaged over as many more, A the product of an epoch. Given X, its
    expectation is at most the spectral radius where B divides n, for then the expected map of an epoch is self-adjoint,
    and the more epochs the nearer. Where a few orders make most of the mean, the error is larger than it seems.

    Args:
        features: the gradients phi_i as rows, [n, d]; any n.
        batch_size: B, from 1 to n; the last batch of an epoch is smaller if B does not divide n.
        step_size: eta > 0 on `loss`.
        epochs: how many epochs X is carried through, >= 0.
        repeats: how many orders are drawn for each, >= 2.
        seed: of the orders.
        loss: the loss that `step_size` belongs to.

    Raises:
        TypeError: if an entry of `features` or the step size is no real number, or a count no integer.
        ValueError: if `features`, `batch_size`, `step_size` or `loss` is out of range, all features vanish, `epochs` < 0,
            `repeats` < 2, or the growth overflows.
    """
    eta = half_mean_step_size(step_size, loss)
    for name, count, fewest in (("epochs", epochs, 0), ("repeats", repeats, 2)):
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
            raise TypeError(f"{name} must be an integer, got {count!r} of type {type(count).__name__}")
        if count < fewest:
            raise ValueError(f"{name} must be at least {fewest}, got {count}")
    spectrum, _ = _problem(features, batch_size, "without_replacement")
    if spectrum.values[-1] == 0:
        raise ValueError("features must not all vanish, for then there is nothing to grow")
    points = _coordinates(spectrum)
    eta = math.ldexp(eta, 2 * spectrum.exponent)
    rng = np.random.default_rng(seed)
    n, r = points.shape
    moment = np.eye(r) / math.sqrt(r)
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(epochs + 1):
            orders = rng.permuted(np.tile(np.arange(n), (repeats, 1)), axis=1)
            carried = np.tile(moment, (repeats, 1, 1))
            for start in range(0, n, batch_size):
                batch = points[orders[:, start : start + batch_size]]
                rate = eta / batch.shape[1]
                carried = carried - rate * batch.transpose(0, 2, 1) @ (batch @ carried)
                carried = carried - rate * (carried @ batch.transpose(0, 2, 1)) @ batch
            if not np.all(np.isfinite(carried)):
                raise ValueError(f"step_size must be small enough for the growth to be a float, got {step_size}")
            if epoch < epochs:
                mean = np.mean(carried, axis=0)
                moment = (mean + mean.T) / 2 / max(float(np.linalg.norm(mean)), np.finfo(np.float64).tiny)
    draws = np.einsum("kab,ab->k", carried, moment) / float(np.sum(moment**2))
    return Estimate(float(np.mean(draws)), float(np.std(draws, ddof=1)) / math.sqrt(repeats))


def _coordinates(spectrum: _Spectrum) -> Array:
    """Return the features in an orthonormal basis of their span, [n, r]: U diag(n h)^(1/2), up to a power of 2."""
    n, kept = len(spectrum.values), len(spectrum.values) - spectrum.rank
    points: Array = spectrum.vectors[:, kept:] * np.sqrt(n * spectrum.values[kept:])
    return points


Batch = tuple[int, ...]


def _orders(n: int, batch: int) -> Iterator[tuple[Batch, list[tuple[Batch, Batch]]]]:
    """Yield the sets of points that an epoch may have seen after a batch, with the last batch and what came before it."""
    stages = [batch * stage for stage in range(1, n // batch + 1)]
    for size in stages if n % batch == 0 else [*stages, n]:
        last = min(batch, size - (size - 1) // batch * batch)
        for seen in itertools.combinations(range(n), size):
            parts = itertools.combinations(seen, last)
            yield seen, [(part, tuple(i for i in seen if i not in part)) for part in parts]


def _epoch(points: Array, batch: int, step_size: float) -> tuple[Array, Array]:
    """Return the expected map of an epoch on symmetric matrices, [s, s], and the basis of these, [r^2, s].

    Given the set that the first batches made up, the last of them is a uniformly random part of it.
    """
    r = points.shape[1]
    pairs = list(itertools.combinations_with_replacement(range(r), 2))
    basis = np.zeros((r * r, len(pairs)))
    for index, (a, b) in enumerate(pairs):
        basis[[a * r + b, b * r + a], index] = 1.0 if a == b else math.sqrt(0.5)
    steps: dict[Batch, Array] = {}
    maps: dict[Batch, Array] = {(): np.eye(len(pairs))}
    for seen, ways in _orders(len(points), batch):
        total = np.zeros((len(pairs), len(pairs)))
        for part, before in ways:
            if part not in steps:
                step = _step(points, part, step_size)
                steps[part] = basis.T @ (np.kron(step, step) @ basis)
            total += steps[part] @ maps[before]
        maps[seen] = total / len(ways)
    return maps[tuple(range(len(points)))], basis


def _step(points: Array, part: Batch, step_size: float) -> Array:
    """Return I - eta mean_{i in part} phi_i phi_i^T, [r, r]."""
    rows = points[list(part)]
    step: Array = np.eye(points.shape[1]) - step_size / len(part) * (rows.T @ rows)
    return step


def _radius(points: Array, batch: int, step_size: float) -> float:
    """Return the spectral radius of the expected map of an epoch."""
    return float(np.max(np.abs(np.linalg.eigvals(_epoch(points, batch, step_size)[0]))))


def _scan(spectrum: _Spectrum, batch: int) -> tuple[float, float, float, Certificate]:
    """Return the first step size at which the growth over an epoch exceeds 1, bounds on it, and their certificate.

    Raises:
        RuntimeError: if none is found, or no certificate.
    """
    points = _coordinates(spectrum)
    n = len(points)
    parts = [part for _, ways in _orders(n, batch) for part, _ in ways]
    sharpest = max(float(np.linalg.norm(points[list(part)], 2)) ** 2 / len(part) for part in parts)
    lower = 2 / sharpest / SCAN_RATIO
    for _ in range(10_000):
        upper = lower * SCAN_RATIO
        if _radius(points, batch, upper) > 1:
            break
        lower = upper
    else:
        raise RuntimeError(f"the growth over an epoch is at most 1 at all step sizes up to {lower} times the scale")
    if _radius(points, batch, lower) < 1:
        value = float(brentq(lambda eta: _radius(points, batch, eta) - 1, lower, upper, xtol=EPS * lower, rtol=4 * EPS))
    else:
        value = lower
    ends, proofs = [], []
    for sign, wanted in ((-1, "stable"), (1, "unstable")):
        gap = 64 * EPS
        while gap < 1e-2:
            end = value * (1 + sign * gap)
            matrix = _lyapunov(spectrum, batch, end)
            if np.all(np.isfinite(matrix)) and _proves(spectrum, batch, end, matrix, margin=2.0) == wanted:
                break
            gap *= 4
        else:
            raise RuntimeError(
                f"no certificate was found that SGD is {wanted} near {value} times the scale: the features are too nearly "
                "dependent, or the growth over an epoch stays close to 1"
            )
        ends.append(end)
        proofs.append(matrix)
    return value, ends[0], ends[1], Certificate(proofs[0], proofs[1])


def _lyapunov(spectrum: _Spectrum, batch: int, step_size: float) -> Array:
    """Return U P U^T, [n, n], for the P with P - M(P) = I, scaled to norm 1; nan if there is none."""
    points = _coordinates(spectrum)
    epoch, basis = _epoch(points, batch, step_size)
    r, kept = points.shape[1], len(points) - spectrum.rank
    try:
        solution = basis @ np.linalg.solve(np.eye(len(epoch)) - epoch, basis.T @ np.eye(r).ravel())
    except np.linalg.LinAlgError:
        solution = np.full(r * r, math.nan)
    vectors = spectrum.vectors[:, kept:]
    matrix: Array = vectors @ (solution.reshape(r, r) / np.linalg.norm(solution)) @ vectors.T
    return (matrix + matrix.T) / 2


def _proves(spectrum: _Spectrum, batch: int, step_size: float, matrix: Array, *, margin: float = 1.0) -> str:
    """Return what U P U^T proves of the expected map M of an epoch: "stable", "unstable" or "nothing".

    M(P) is averaged over sets of points, one matrix for each, with a running bound on rounding.
    """
    points = _coordinates(spectrum)
    r, kept = points.shape[1], len(points) - spectrum.rank
    vectors = spectrum.vectors[:, kept:]
    start = vectors.T @ matrix @ vectors
    start = (start + start.T) / 2
    moments: dict[Batch, tuple[Array, float]] = {(): (start, 0.0)}
    for seen, ways in _orders(len(points), batch):
        total, error = np.zeros((r, r)), 0.0
        for part, before in ways:
            moment, was = moments[before]
            step, rows = _step(points, part, step_size), points[list(part)]
            size, reach = float(np.linalg.norm(moment)), float(np.linalg.norm(step, 2)) * (1 + 1e-12)
            slip = EPS * (len(part) + 4) * (1 + step_size / len(part) * float(np.sum(rows**2)))
            total += step @ moment @ step
            error += (reach + slip) ** 2 * was + 2 * (reach + slip) * slip * size
            error += EPS * (2 * r + len(ways) + 6) * reach**2 * size
        moments[seen] = (total / len(ways), 1.01 * error / len(ways))
    image, error = moments[tuple(range(len(points)))]
    image = (image + image.T) / 2
    difference = start - image
    error += EPS * (r + 4) * (float(np.linalg.norm(start)) + float(np.linalg.norm(image)))
    if not float(np.linalg.eigvalsh(difference)[0]) > margin * error:
        return "nothing"
    least, rounding = float(np.linalg.eigvalsh(start)[0]), margin * EPS * (r + 4) * float(np.linalg.norm(start))
    return "stable" if least > rounding else "unstable" if least < -rounding else "nothing"
