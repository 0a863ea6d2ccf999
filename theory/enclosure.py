"""Intervals that contain a number: how an exact or a rounded value is handed to a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theory.checks import Array, dot, rationals

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)
"""The smallest float of full precision: what underflow takes from a result is at most half of EPS times this."""


@dataclass(frozen=True)
class Enclosure:
    """An interval that contains a number; its ends are floats or rationals, and are equal where it is known exactly."""

    lower: float | Fraction
    upper: float | Fraction

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise ValueError(f"lower must not exceed upper, got {self.lower} and {self.upper}")

    @classmethod
    def exactly(cls, value: float | Fraction | bool) -> Enclosure:
        """Return the interval of one number; truth values are 0 and 1."""
        number = Fraction(int(value)) if isinstance(value, (bool, np.bool_)) else value
        return cls(number, number)

    @classmethod
    def around(cls, value: float, error: float) -> Enclosure:
        """Return the interval of all numbers within `error` >= 0 of `value`; its ends are rounded outwards."""
        return cls.exactly(value).widened(error)

    def widened(self, error: float | Fraction) -> Enclosure:
        """Return the interval with both ends moved out by `error` >= 0; those of floats are rounded outwards."""
        return Enclosure(_sum(self.lower, -error, -math.inf), _sum(self.upper, error, math.inf))

    @property
    def midpoint(self) -> float | Fraction:
        """The middle of the interval."""
        return self.lower if self.lower == self.upper else (self.lower + self.upper) / 2

    def at_most(self, limit: float | Fraction) -> Enclosure:
        """Return whether the number is at most `limit`, as a truth value: 0, 1, or both where that is open."""
        return Enclosure(Fraction(int(self.upper <= limit)), Fraction(int(self.lower <= limit)))

    def __add__(self, other: Enclosure) -> Enclosure:
        """Return the sum; endpoints are exact for rationals and rounded outwards for floats."""
        return Enclosure(_sum(self.lower, other.lower, -math.inf), _sum(self.upper, other.upper, math.inf))

    def times(self, factor: Fraction) -> Enclosure:
        """Return the number times a factor >= 0, exactly: floats count as the rationals they are."""
        return Enclosure(Fraction(self.lower) * factor, Fraction(self.upper) * factor)

    def root(self) -> Enclosure:
        """Return the square root of a number known to be non-negative, whatever lower end it is given."""
        lower, upper = (square_root(max(Fraction(end), Fraction(0))) for end in (self.lower, self.upper))
        return Enclosure(lower.lower, upper.upper)


def _sum(a: float | Fraction, b: float | Fraction, towards: float) -> float | Fraction:
    """Return a + b: exactly if that is a rational or a float, else the float next to it on the side of `towards`."""
    total = a + b
    if isinstance(total, (int, Fraction)) or not (math.isfinite(a) and math.isfinite(b)):
        return total
    exact = Fraction(a) + Fraction(b)
    beyond = exact < total if towards < 0 else exact > total
    return math.nextafter(total, towards) if beyond else float(total)


def square_root(value: Fraction, *, bits: int = 120) -> Enclosure:
    """Return rationals around the square root of a non-negative rational, 2^-bits apart relative to it; exact for squares.

    Raises:
        ValueError: if `value` is negative.
    """
    if value < 0:
        raise ValueError(f"value must not be negative, got {value}")
    numerator, denominator = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if numerator**2 == value.numerator and denominator**2 == value.denominator:
        return Enclosure.exactly(Fraction(numerator, denominator))
    shift = 2 * max(0, bits + 1 - (value.numerator.bit_length() - value.denominator.bit_length()) // 2)
    root = math.isqrt((value.numerator << shift) // value.denominator)
    scale = Fraction(1, 1 << (shift // 2))
    return Enclosure(root * scale, (root + 1) * scale)


def rounded_down(value: Fraction) -> float:
    """Return the largest float that is at most a rational, or one next to it."""
    nearest = float(value)
    return nearest if Fraction(nearest) <= value else float(np.nextafter(nearest, -np.inf))


def top_eigenvalue(matrix: Array) -> Enclosure:
    """Return an interval around the largest eigenvalue of a symmetric matrix [n, n], n >= 1.

    For floats, LAPACK's value within n eps ||A||_F (its backward error), and what may underflow. For rationals the lower
    end is the Rayleigh quotient of the rounded eigenvector, and the upper end is a number mu for which mu I - A is
    positive semidefinite, which is decided by exact elimination: both ends are rigorous, and equal where lambda_max is a
    simple fraction.
    """
    floats = matrix.astype(np.float64)
    values, vectors = np.linalg.eigh(floats)
    size = float(np.max(np.abs(floats)))
    error = len(matrix) * EPS * (size * float(np.linalg.norm(floats / size)) if size else 0.0)  # no square underflows
    if matrix.dtype != object:
        return Enclosure.around(float(values[-1]), error + len(matrix) * TINY if size else 0.0)
    guess = Fraction(float(values[-1])).limit_denominator(2**20)
    if _eliminate(np.diag([guess] * len(matrix)) - matrix) == (True, True):
        return Enclosure.exactly(guess)
    # The Rayleigh quotient of any vector is a lower bound; few digits keep the rationals short.
    vector = rationals(np.round(vectors[:, -1] * 2.0**40))
    lower = Fraction(dot(vector, matrix @ vector)) / dot(vector, vector)
    upper, step = lower, Fraction(error) if error else Fraction(1, 2**60)
    while not positive_semidefinite(np.diag([upper] * len(matrix)) - matrix):
        upper, step = lower + step, 4 * step
    return Enclosure(lower, upper)


def positive_semidefinite(matrix: Array) -> bool:
    """Return whether a symmetric matrix [n, n] of rationals is positive semidefinite, by exact elimination."""
    return _eliminate(matrix)[0]


def _eliminate(matrix: Array) -> tuple[bool, bool]:
    """Whether a symmetric rational matrix is positive semidefinite, and if so whether it is singular."""
    work, singular = np.array(matrix, dtype=object), False
    for i in range(len(work)):
        pivot = work[i, i]
        if pivot < 0 or (pivot == 0 and any(entry != 0 for entry in work[i, i + 1 :])):
            return False, False
        if pivot > 0:
            work[i + 1 :, i + 1 :] = work[i + 1 :, i + 1 :] - np.outer(work[i + 1 :, i], work[i, i + 1 :]) / pivot
        singular = singular or pivot == 0
    return True, singular


def length(difference: Array) -> Enclosure:
    """Return the Euclidean norm of a vector of rationals, [d]."""
    return square_root(Fraction(dot(difference, difference)))
