"""Checks of what users hand in: one sentence that names the argument, what came and what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
"""Real numbers in an array: float64, or object when they are exact (`fractions.Fraction`)."""

Reals = Array | Sequence[float] | Sequence[Fraction]
"""What is accepted where an array of real numbers is asked for."""


def real_array(name: str, value: object, *, ndim: int = 1) -> Array:
    """Return `value` as a float64 array, or an object array of `Fraction` if its entries are exact, all finite.

    Integers alone become floats; one `Fraction` among numbers makes the whole array exact.

    Raises:
        TypeError: if an entry is no real number (text, complex, None, nested lists of unequal length).
        ValueError: if the array has not `ndim` axes or holds nan, inf or a masked entry.
    """
    value = unmasked(name, value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        array: Array = np.asarray(value, dtype=np.float64)
    else:
        try:
            array = np.asarray(value, dtype=object)
        except ValueError as error:
            raise TypeError(f"{name} must be an array of real numbers, got rows of unequal length") from error
        if array.size and all(type(entry) is Fraction for entry in array.flat):
            _check_axes(name, array, ndim)
            return array.copy()
        for entry in array.ravel():
            if isinstance(entry, (bool, np.bool_)) or not isinstance(
                entry, (int, float, Fraction, np.integer, np.floating)
            ):
                raise TypeError(f"{name} must hold real numbers, got {entry!r} of type {type(entry).__name__}")
        if not any(isinstance(entry, Fraction) for entry in array.ravel()):
            array = floats(name, array)
    _check_axes(name, array, ndim)
    finite = (
        np.array([_finite(entry) for entry in array.ravel()], dtype=bool)
        if array.dtype == object
        else np.isfinite(array)
    )
    if not np.all(finite):
        first = int(np.flatnonzero(~finite.ravel())[0])
        raise ValueError(f"{name} must hold finite numbers, got {array.ravel()[first]} at index {first}")
    if array.dtype == object:
        array = rationals(array)
    return array


def unmasked(name: str, value: Any) -> Any:
    """Return `value`, or the data of a masked array in which nothing is masked.

    Raises:
        ValueError: if an entry is masked.
    """
    if not isinstance(value, np.ma.MaskedArray):
        return value
    masked = np.flatnonzero(np.ma.getmaskarray(value))
    if len(masked):
        raise ValueError(f"{name} must have no masked entry, got one at index {masked[0]}: leave out what is masked")
    return value.data


def _check_axes(name: str, array: Array, ndim: int) -> None:
    """Do nothing if an array has as many axes as it must.

    Raises:
        ValueError: if not.
    """
    if array.ndim != ndim:
        axes = "one axis" if ndim == 1 else f"{ndim} axes"
        raise ValueError(f"{name} must have {axes}, got shape {array.shape}")


def floats(name: str, array: Array) -> Array:
    """Return numbers as float64, rationals rounded.

    Raises:
        ValueError: if one is beyond the range of floats.
    """
    try:
        return array.astype(np.float64)
    except OverflowError as error:
        raise ValueError(f"{name} must hold numbers in the range of floats, got one beyond it") from error


def _finite(value: Any) -> bool:
    return isinstance(value, (int, np.integer, Fraction)) or math.isfinite(value)


def rationals(values: Array | Sequence[Any]) -> Array:
    """Return numbers as exact rationals, an object array of `Fraction` of the same shape; every float is one."""
    array = np.asarray(values, dtype=object)
    # Fraction(np.int64) would keep machine integers, which overflow.
    plain = [v if type(v) is Fraction else Fraction(v.item() if isinstance(v, np.generic) else v) for v in array.flat]
    exact = np.empty(len(plain), dtype=object)
    exact[:] = plain
    return exact.reshape(array.shape)


def over_one_denominator(values: Array) -> tuple[Array, int]:
    """Return rationals as integers over one denominator, an object array of the same shape, and that denominator > 0.

    Products of matrices of integers take a tenth of the time of those of fractions, which are reduced at every step.
    """
    denominator = math.lcm(*(v.denominator for v in values.ravel()))
    integers = np.empty(values.size, dtype=object)
    integers[:] = [v.numerator * (denominator // v.denominator) for v in values.ravel()]
    return integers.reshape(values.shape), denominator


def over(integers: Array, denominator: int) -> Array:
    """Return integers over one denominator above 0 as rationals, an object array of the same shape."""
    exact = np.empty(integers.size, dtype=object)
    exact[:] = [Fraction(int(entry), denominator) for entry in integers.ravel()]
    return exact.reshape(integers.shape)


def exact_vector(name: str, value: object) -> Array:
    """Return rationals, [k].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it has not one axis or holds nan or inf.
    """
    return rationals(real_array(name, value))


def exact_matrix(name: str, value: object) -> Array:
    """Return rows of rationals, [k, d].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it has not two axes or holds nan or inf.
    """
    return rationals(real_array(name, value, ndim=2))


def dot(first: Array, second: Array) -> Any:
    """Return the inner product of two arrays [n]: a float, or exact for rationals."""
    return first @ second if len(first) else 0


def data_points(name: str, value: object, *, fewest: int = 1) -> Array:
    """Return the inputs of a data set: a real array [n] of distinct points, n >= `fewest`, in the order given.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than `fewest` points, nan or inf, a wrong shape, or two equal points.
    """
    points = real_array(name, value)
    if len(points) < fewest:
        plural = "point" if fewest == 1 else "points"
        raise ValueError(f"{name} must hold at least {fewest} data {plural}, got {len(points)}")
    order = np.argsort(points, kind="stable")
    equal = np.flatnonzero(points[order][1:] == points[order][:-1])
    if len(equal):
        first, second = sorted((int(order[equal[0]]), int(order[equal[0] + 1])))
        raise ValueError(
            f"{name} must hold distinct points, got {points[first]} at index {first} and again at {second}"
        )
    return points


def data_set(x: object, y: object, *, fewest: int = 2) -> tuple[Array, Array]:
    """Return a data set sorted by its inputs: x [n] distinct, y [n], n >= `fewest`.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if x or y is malformed (see `data_points`), or their lengths differ.
    """
    points, targets = data_points("x", x, fewest=fewest), real_array("y", y)
    if len(points) != len(targets):
        raise ValueError(f"y must hold one target for each of the {len(points)} points of x, got {len(targets)}")
    order = np.argsort(points, kind="stable")
    return points[order], targets[order]


def _check_number(name: str, value: object) -> None:
    """Raise unless `value` is a real number.

    Raises:
        TypeError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction, np.integer, np.floating)):
        raise TypeError(f"{name} must be a real number, got {value!r} of type {type(value).__name__}")


def nonnegative(name: str, value: Any) -> Any:
    """Return `value` if it is a finite number, at least 0.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not finite or below 0.
    """
    _check_number(name, value)
    if not (_finite(value) and value >= 0):
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return value


def positive(name: str, value: Any) -> Any:
    """Return `value` if it is a finite number above 0.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not finite or not above 0.
    """
    _check_number(name, value)
    if not (_finite(value) and value > 0):
        raise ValueError(f"{name} must be finite and above 0, got {value}")
    return value


def batch_size(value: int, n: int) -> int:
    """Return `value` if it is a batch size between 1 and the number n of data points.

    Raises:
        TypeError: if it or n is no integer.
        ValueError: if it is below 1 or above n.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"batch_size must be an integer, got {value!r} of type {type(value).__name__}")
    count("n", n)
    if not 1 <= value <= n:
        raise ValueError(f"batch_size must be between 1 and the number of data points, {n}, got {value}")
    return int(value)


def count(name: str, value: Any, *, fewest: int = 1) -> int:
    """Return `value` if it is an integer, at least `fewest`.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is below `fewest`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, got {value!r} of type {type(value).__name__}")
    if value < fewest:
        raise ValueError(f"{name} must be at least {fewest}, got {value}")
    return int(value)


def sequence(name: str, value: object, *, fewest: int = 2) -> Array:
    """Return a sequence of at least `fewest` real numbers, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer, nan or inf, or a wrong shape.
    """
    numbers = real_array(name, value)
    if len(numbers) < fewest:
        plural = "number" if fewest == 1 else "numbers"
        raise ValueError(f"{name} must hold at least {fewest} {plural}, got {len(numbers)}")
    return numbers


def exact_sequence(name: str, value: object) -> Array:
    """Return a sequence of at least one real number as rationals, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there is none, nan or inf, or a wrong shape.
    """
    return rationals(sequence(name, value, fewest=1))


Matrix = Array | Sequence[Reals]
"""Real numbers in rows."""


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
