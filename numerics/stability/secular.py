"""The mean-square threshold of features, for batches drawn anew: an eigenproblem of n dimensions, and what proves its answer.

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

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from numerics.stability.spectrum import Spectrum, product, rounded_terms
from theory.checks import Array
from theory.enclosure import EPS

DENSE_POINTS = 64
"""Matrices G(t) of up to so many points are written out."""


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


def _secular(spectrum: Spectrum, share: Fraction, shift: float = 0.0) -> _Secular:
    """Return p n G for the eigenvalues h + shift, without those whose h is a rounding error."""
    kept = spectrum.values > len(spectrum.values) * EPS * spectrum.values[-1]
    values = spectrum.values[kept] + shift
    means = 2 * values[:, None] * (values / (values[:, None] + values))
    np.fill_diagonal(means, values)
    return _Secular(spectrum.vectors[:, kept], means, float(share))


def solve(spectrum: Spectrum, share: Fraction) -> tuple[float, Array]:
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


def ceiling(spectrum: Spectrum, share: Fraction, vector: Array) -> tuple[float, Array]:
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
        if below(loose, share, t, q):
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


def below(spectrum: Spectrum, share: Fraction, t: float, q: Array) -> bool:
    """Return whether q > 0 and p n G(t) q <= q for K + E <= Q diag(h + epsilon) Q^T, with all rounding: lam <= t."""
    if not np.all(np.isfinite(q)) or not np.all(q > 0):
        return False
    image, error = _image(spectrum, share, t, q)
    return bool(np.all(image + 16 * EPS * np.abs(image) + error <= q))


def _image(spectrum: Spectrum, share: Fraction, t: float, q: Array) -> tuple[Array, float]:
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
    solution = product(u.T, q[:, None] * u) / (rates[:, None] + rates)
    size = float(np.linalg.norm(solution))
    tilt, terms = omega * (2 + omega), rounded_terms(n)
    inner_error = EPS * (terms + 3) * float(np.sum(q)) * (1 + omega) ** 2 + tilt * float(np.linalg.norm(q))
    solution_error = inner_error / (2 * lowest) + 3 * EPS * size
    image = noise * np.sum(product(u, solution) * u, axis=1)
    # The last sum, of n terms, is over |U W| |U| in a row, whose norms multiply.
    error = 1.01 * noise * (solution_error + tilt * size + EPS * (terms + n + 4) * (1 + omega) ** 2 * size)
    return image, error


def floor(spectrum: Spectrum, share: Fraction, t: float, q: Array) -> float:
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
