"""Intervals that contain a number: how an exact or a rounded value is handed to a verdict.

Ends that are floats are rounded outwards, as IEEE 754 rounds towards an infinity: beyond the range of floats an upper end
is inf and a lower end the largest float, and likewise below. A bound that is one float is refused there (`rounded_down`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from theory.checks import Array, dot, over_one_denominator, rationals

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)
"""The smallest float of full precision: what underflow takes from a result is at most half of EPS times this."""

SMALLEST = float(np.finfo(np.float64).smallest_subnormal)
"""The smallest float above 0, EPS times TINY: what underflow takes from a product or quotient is at most half of it."""


LARGEST = float(np.finfo(np.float64).max)
"""The largest float."""


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
        """The middle of the interval: exact, but rounded to nearest where both ends are floats."""
        if self.lower == self.upper:
            return self.lower
        if _infinite(self.lower) or _infinite(self.upper):
            return -math.inf if self.upper < math.inf else math.inf if self.lower > -math.inf else 0.0
        middle = (Fraction(self.lower) + Fraction(self.upper)) / 2
        return float(middle) if isinstance(self.lower, float) and isinstance(self.upper, float) else middle

    def at_most(self, limit: float | Fraction) -> Enclosure:
        """Return whether the number is at most `limit`, as a truth value: 0, 1, or both where that is open."""
        return Enclosure(Fraction(int(self.upper <= limit)), Fraction(int(self.lower <= limit)))

    def __add__(self, other: Enclosure) -> Enclosure:
        """Return the sum; endpoints are exact for rationals and rounded outwards for floats."""
        return Enclosure(_sum(self.lower, other.lower, -math.inf), _sum(self.upper, other.upper, math.inf))

    def __neg__(self) -> Enclosure:
        """Return the number with the other sign."""
        return Enclosure(-self.upper, -self.lower)

    def times(self, factor: Fraction) -> Enclosure:
        """Return the number times a factor >= 0, exactly: floats count as the rationals they are; an infinite end stays."""
        return Enclosure(*(end if _infinite(end) else Fraction(end) * factor for end in (self.lower, self.upper)))

    def root(self) -> Enclosure:
        """Return the square root of a number known to be non-negative, whatever lower end it is given."""
        lower, upper = (max(end, Fraction(0)) for end in (self.lower, self.upper))
        return Enclosure(_root(lower).lower, _root(upper).upper)


def _infinite(end: float | Fraction) -> bool:
    return isinstance(end, float) and math.isinf(end)


def _root(value: float | Fraction) -> Enclosure:
    return Enclosure.exactly(value) if _infinite(value) else square_root(Fraction(value))


def _sum(a: float | Fraction, b: float | Fraction, towards: float) -> float | Fraction:
    """Return a + b: exactly if both are rationals, else as a float on the side of `towards`."""
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        return a + b
    infinite = [end for end in (a, b) if _infinite(end)]
    return float(sum(infinite)) if infinite else rounded(Fraction(a) + Fraction(b), towards)


def rounded(value: Fraction, towards: float) -> float:
    """Return the float nearest to a rational on the side of `towards`, -inf or inf; see above for what is beyond them all."""
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf if value > 0 else -math.inf
    beyond = nearest > value if towards < 0 else nearest < value
    return math.nextafter(nearest, towards) if beyond else nearest


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


def root_of(value: Fraction, degree: int, *, bits: int = 120) -> Enclosure:
    """Return rationals around the root of a rational that is not negative, 2^-bits apart relative to it, or exactly.

    Raises:
        ValueError: if the rational is negative, or the degree below 1.
    """
    if value < 0 or degree < 1:
        raise ValueError(f"value must be at least 0 and degree at least 1, got {value} and {degree}")
    ends = [_whole_root(part, degree) for part in (value.numerator, value.denominator)]
    if ends[0] ** degree == value.numerator and ends[1] ** degree == value.denominator:
        return Enclosure.exactly(Fraction(*ends))
    shift = degree * (bits + max(value.denominator.bit_length() - value.numerator.bit_length(), 0) // degree + 1)
    root = _whole_root((value.numerator << shift) // value.denominator, degree)
    scale = Fraction(1, 1 << (shift // degree))
    return Enclosure(root * scale, (root + 1) * scale)


def _whole_root(value: int, degree: int) -> int:
    """Return the largest integer whose power of a degree is at most an integer, by bisection."""
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle)
    return low


def logarithm(value: Fraction, *, bits: int = 64) -> Enclosure:
    """Return rationals around the natural logarithm of a rational >= 1, about 2^-bits times its size apart; exact for 1.

    k log 2 + log m with m in [1, 2), and log m = 2 artanh((m - 1)/(m + 1)) by its power series, whose rest is a geometric
    series at most.

    Raises:
        ValueError: if `value` is below 1.
    """
    if value < 1:
        raise ValueError(f"value must be at least 1, got {value}")
    k = (value.numerator // value.denominator).bit_length() - 1
    m = value / 2**k
    parts = [_artanh(Fraction(1, 3), bits).times(Fraction(2 * k)), _artanh((m - 1) / (m + 1), bits).times(Fraction(2))]
    return parts[0] + parts[1]


_SMALL = 2**12
"""What is at most e to the minus this is not told apart from 0: its numbers would have thousands of digits and more."""


def exponential(value: Fraction, *, bits: int = 96) -> Enclosure:
    """Return rationals around exp of a rational, about 2^-bits apart relative to it; exact for 0, from 0 on if tiny.

    exp(x) = exp(x / 2^s)^(2^s) with x / 2^s at most 1/2, and that by its power series, whose rest is at most its last term.
    All in integers, rounded down for the lower end and up for the upper one.
    """
    if value == 0:
        return Enclosure.exactly(Fraction(1))
    if value < -_SMALL:
        return Enclosure(Fraction(0), exponential(Fraction(-_SMALL), bits=bits).upper)
    if value < 0:
        positive = exponential(-value, bits=bits)
        return Enclosure(1 / Fraction(positive.upper), 1 / Fraction(positive.lower))
    halvings = max(0, (2 * value.numerator // value.denominator).bit_length())
    digits = bits + halvings + 16
    ends = []
    for up in (0, 1):
        small = _quotient(value.numerator << digits, value.denominator << halvings, up)
        total, n = 1 << digits, 1
        term = total
        while term > up:
            term = _quotient(term * small, n << digits, up)
            total, n = total + term, n + 1
        total, exponent = total + up, -digits
        for _ in range(halvings):
            total, exponent = total * total, 2 * exponent
            spare = total.bit_length() - digits - 2
            total, exponent = _quotient(total, 1 << spare, up), exponent + spare
        ends.append(total * Fraction(2) ** exponent)
    return Enclosure(*ends)


def _quotient(number: int, divisor: int, up: int) -> int:
    """Return the quotient of whole numbers, rounded down or up."""
    return -(-number // divisor) if up else number // divisor


def _artanh(t: Fraction, bits: int) -> Enclosure:
    """Return rationals around artanh(t) = t + t^3/3 + .. for t from 0 to 1/3, in units of 2^-(bits + 16)."""
    shift = bits + 16
    exact = (t.numerator << shift) // t.denominator
    ends = []
    for up in (0, 1):  # every quotient rounded down for the lower end, up for the upper one
        power = exact + (up if exact * t.denominator != t.numerator << shift else 0)
        square, total, n = (power * power >> shift) + up, 0, 1
        while power > up:
            total += power // n + up
            power, n = (power * square >> shift) + up, n + 2
        ends.append(Fraction(total + 2 * up, 1 << shift))  # what is left is at most 9/8 of a power of at most one unit
    return Enclosure(*ends) if t else Enclosure.exactly(Fraction(0))


def rounded_down(value: Fraction) -> float:
    """Return the largest float that is at most a rational.

    Raises:
        ValueError: if the rational is beyond the range of floats.
    """
    if abs(value) > LARGEST:
        sign, size = "-" if value < 0 else "", abs(value)
        exponent = size.numerator.bit_length() - size.denominator.bit_length()
        raise ValueError(f"a bound must be within the range of floats, got one of about {sign}2^{exponent}")
    return rounded(value, -math.inf)


def top_eigenvalue(matrix: Array) -> Enclosure:
    """Return an interval around the largest eigenvalue of a symmetric matrix [n, n], n >= 1.

    For rationals the lower end is the Rayleigh quotient of the rounded eigenvector, and the upper end is a number mu for
    which mu I - A is positive semidefinite, which is decided by exact elimination: both ends are rigorous, and equal where
    lambda_max is a simple fraction. For floats both ends are floats, and rigorous too: see `top_in_floats`.
    """
    integers, denominator = over_one_denominator(rationals(matrix))
    if matrix.dtype != object:
        return top_in_floats(integers, denominator)
    floats, exponent = _scaled(integers, denominator)
    values, vectors = np.linalg.eigh(floats)
    unit = Fraction(2) ** exponent
    guess = (unit * Fraction(float(values[-1]))).limit_denominator(2**20)

    def below(value: Fraction) -> Array:  # value I - A over one denominator
        diagonal = value.numerator * denominator * np.eye(len(matrix), dtype=object)
        difference: Array = diagonal - value.denominator * integers
        return difference

    if _eliminate(below(guess)) == (True, True):
        return Enclosure.exactly(guess)
    # The Rayleigh quotient of any vector is a lower bound; few digits keep the rationals short.
    vector = np.array([int(entry) for entry in np.round(vectors[:, -1] * 2.0**40)], dtype=object)
    lower = Fraction(int(dot(vector, integers @ vector)), denominator * int(dot(vector, vector)))
    upper, step = lower, unit * Fraction(len(matrix) * EPS * float(np.linalg.norm(floats)))
    while not positive_semidefinite(below(upper)):
        upper, step = lower + step, 4 * step
    return Enclosure(lower, upper)


def top_in_floats(integers: Array, denominator: int) -> Enclosure:
    """Return an interval of floats around the largest eigenvalue of a symmetric rational matrix, about n^2 eps ||A|| wide.

    Its entries are rounded once; both ends are rigorous, whatever LAPACK returns, by Weyl's inequality and Ostrowski's
    theorem (`near_top`). Takes a fraction of the time of `top_eigenvalue` on rationals.

    Args:
        integers: the entries times the denominator, [n, n], n >= 1 (`checks.over_one_denominator`).
        denominator: above 0.
    """
    matrix, exponent = _scaled(integers, denominator)
    value, error = near_top(matrix)
    unit = Fraction(2) ** exponent
    lower, upper = (unit * (Fraction(value) + sign * Fraction(error)) for sign in (-1, 1))
    return Enclosure(rounded(lower, -math.inf), rounded(upper, math.inf))


def _scaled(integers: Array, denominator: int) -> tuple[Array, int]:
    """Return a matrix over 2^e in floats, its largest entry between 1/4 and 1, and e: so that no square under- or overflows."""
    exponent = int(np.max(np.abs(integers))).bit_length() - denominator.bit_length() + 1
    up, down = max(-exponent, 0), max(exponent, 0)
    # Python's division of integers is correctly rounded.
    quotients = [(entry << up) / (denominator << down) for entry in integers.ravel()]
    return np.array(quotients).reshape(integers.shape), exponent


def near_top(matrix: Array) -> tuple[float, float]:
    """Return a number c and how far it may be from the largest eigenvalue of A, which is rounded to a matrix of floats F.

    With any V and diagonal D, such as LAPACK's of F, and c the largest entry of D,

        |lambda_max(A) - c| <= ||A - F|| + ||F - V D V^T|| + ||V^T V - I|| |c|,

    by Weyl's inequality and Ostrowski's theorem (Horn and Johnson, Matrix Analysis, Theorems 4.3.1 and 4.5.9). With
    u = eps/2, an entry is rounded by u times its size, and a product by |fl(B C) - B C| <= n u / (1 - n u) |B| |C|, whatever
    the order of summation (Higham, Accuracy and Stability of Numerical Algorithms, (3.13)); n SMALLEST for underflow.

    Args:
        matrix: F, symmetric, entries of size at most 1 and the largest at least 1/4 (or all 0), [n, n].
    """
    n, unit = len(matrix), EPS / 2
    if not matrix.any():
        return 0.0, 0.0
    taken = unit * float(np.linalg.norm(matrix)) + n * SMALLEST
    if n == 1:
        return float(matrix[0, 0]), 2 * taken
    values, vectors = np.linalg.eigh(matrix)
    lengths, top = np.sum(vectors**2, axis=0), float(np.max(values))
    left = float(np.linalg.norm(matrix - (vectors * values) @ vectors.T))
    skew = float(np.linalg.norm(vectors.T @ vectors - np.eye(n)))
    # Frobenius norms: of |V| |D| |V|^T at most sum |d_k| |v_k|^2, of |V|^T |V| at most sum |v_k|^2. Two more roundings
    # are those of V D and of the differences; a third leaves room for 1/(1 - n u), and 1/4 for what underflows.
    left += (n + 3) * unit * (float(np.abs(values) @ lengths) + 1 / 4)
    skew += (n + 3) * unit * (float(np.sum(lengths)) + 1 / 4)
    # The norms are sums of n^2 terms, and this sum has a few more.
    return top, (left + skew * abs(top) + taken) * (1 + (n * n + 16) * EPS)


def positive_semidefinite(matrix: Array) -> bool:
    """Return whether a symmetric matrix [n, n] of rationals is positive semidefinite, by exact elimination."""
    return _eliminate(matrix)[0]


def _eliminate(matrix: Array) -> tuple[bool, bool]:
    """Whether a symmetric rational matrix is positive semidefinite, and if so whether it is singular."""
    found = rank(matrix)
    return found is not None, found is not None and found < len(matrix)


def rank(matrix: Array) -> int | None:
    """Return the rank of a positive semidefinite matrix [n, n] of rationals, None for any other symmetric one.

    By elimination without fractions (Bareiss), in which every entry is a minor of the matrix over one denominator.
    """
    work, before, found = over_one_denominator(rationals(matrix))[0], 1, 0
    for i in range(len(work)):
        pivot = work[i, i]
        if pivot < 0 or (pivot == 0 and any(entry != 0 for entry in work[i, i + 1 :])):
            return None
        if pivot > 0:
            rest = slice(i + 1, None)
            work[rest, rest] = (pivot * work[rest, rest] - np.multiply.outer(work[rest, i], work[i, rest])) // before
            before, found = pivot, found + 1
    return found


def length(difference: Array) -> Enclosure:
    """Return the Euclidean norm of a vector of rationals, [d]."""
    return square_root(Fraction(dot(difference, difference)))
