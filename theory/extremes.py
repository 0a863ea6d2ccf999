"""Vectors that decide a condition on all vectors: where a quadratic form is lowest, or a quotient of two is greatest.

What holds for all vectors holds for these, and what fails for one fails for these: so a proof that speaks of any vector is
held against its claim (`theory.claim.Claim.reads`).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy as sp

from theory.checks import Array, dot, rationals

DIGITS = 70
"""With how many digits a number counts that is no rational."""

_FINE = Fraction(1, 2**280)


def nearly(value: Fraction, up: int = 0) -> sp.Expr:
    """Return a rational that stands for a number near it, as one that is known to `DIGITS` digits only.

    Args:
        value: the rational.
        up: by how many parts in 10^55 its size is larger; so that what is no less than another stays so when both are rounded.
    """
    moved = value * (1 + Fraction(up, 10**55))
    return sp.Float(sp.Rational(moved.numerator, moved.denominator), DIGITS)


def lowest(form: Array) -> Array:
    """Return a rational vector, not 0, at which a quadratic form is negative if it is anywhere, else the least of some basis.

    Args:
        form: a symmetric matrix of rationals, [m, m], m >= 1.
    """
    work, basis = rationals(form), rationals(np.eye(len(form), dtype=int))
    for i in range(len(work)):
        pivot = work[i, i]
        for j in range(i + 1, len(work)) if pivot == 0 else ():
            if work[i, j] != 0:
                both: Array = basis[j] - (work[j, j] + 1) / (2 * work[i, j]) * basis[i]
                return both
        if pivot < 0:
            break
        for j in range(i + 1, len(work)) if pivot > 0 else ():
            share = work[j, i] / pivot
            work[j], basis[j] = work[j] - share * work[i], basis[j] - share * basis[i]
            work[:, j] = work[:, j] - share * work[:, i]
    least: Array = basis[int(np.argmin([work[i, i] for i in range(len(work))]))]
    return least


def _solved(matrix: Array, right: Array) -> Array:
    """Return the solution of a system of rational equations, rounded to what is fine enough for more steps."""
    exact = sp.Matrix(matrix.tolist()).to_DM().to_field().lu_solve(sp.Matrix(right.tolist()).to_DM().to_field())
    found = rationals([Fraction(int(v.p), int(v.q)) for v in exact.to_Matrix()])
    size = max(abs(v) for v in found)
    return rationals([Fraction(round(v / size / _FINE)) * _FINE for v in found])


def leading(second: Array, first: Array, start: Array | None = None) -> Array:
    """Return a rational vector at which second/first is greatest, up to about `DIGITS` digits of the quotient.

    Args:
        second: a symmetric matrix of rationals, [m, m].
        first: another, positive semidefinite; where it vanishes so does `second`.
        start: the vector is the part of this one that belongs to the greatest quotient, if `first` is definite.
    """
    kept, work = [], rationals(first)
    for i in range(len(work)):
        if work[i, i] > 0:
            kept.append(i)
            work = work - np.multiply.outer(work[:, i], work[i]) / work[i, i]
    c, d = first[np.ix_(kept, kept)], second[np.ix_(kept, kept)]
    lower = np.linalg.inv(np.linalg.cholesky(c.astype(np.float64)))
    values, vectors = np.linalg.eigh(lower @ d.astype(np.float64) @ lower.T)
    near = vectors[:, values > values[-1] - 1e-9 * max(1.0, abs(float(values[-1])))]
    onto = near[:, -1] if start is None else near @ (near.T @ np.linalg.inv(lower).T @ start.astype(np.float64)[kept])
    vector = rationals(np.round(lower.T @ onto * 2.0**50) / 2.0**50)
    for _ in range(3):
        quotient = Fraction(dot(vector, d @ vector)) / dot(vector, c @ vector)
        shift = Fraction(round(quotient / _FINE)) * _FINE + Fraction(1, 2**130)
        vector = _solved(shift * c - d, c @ vector)
    whole = rationals(np.zeros(len(first), dtype=int))
    whole[kept] = vector
    return whole


def eigenvector(operator: Array) -> Array:
    """Return a rational vector near an eigenvector to the largest real eigenvalue, up to about `DIGITS` digits.

    Args:
        operator: a matrix of rationals, [m, m], whose spectral radius is an eigenvalue.
    """
    values, vectors = np.linalg.eig(operator.astype(np.float64))
    vector = rationals(np.real(vectors[:, int(np.argmax(values.real))]))
    for _ in range(4):
        quotient = Fraction(dot(vector, operator @ vector)) / dot(vector, vector)
        shift = Fraction(round(quotient / _FINE)) * _FINE + Fraction(1, 2**130)
        vector = _solved(shift * rationals(np.eye(len(operator), dtype=int)) - operator, vector)
    return vector
