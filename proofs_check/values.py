"""The numbers in an instance: changed one by one, made exact, written as JSON and read back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.strict_json import MOST_DIGITS, shown
from theory.claim import Instance
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

Number = float | Fraction
Change = Callable[[Number], Number]


_RATIONAL = re.compile(r"-?([0-9]+)(?:/([0-9]+))?")

LONGEST_ORIGIN = 300
"""The characters that the origin of a stored instance may have."""

_INTEGERS = range(-(2**63), 2**63)
"""What a stored integer may be."""


class EncodingError(ValueError):
    """A stored instance that cannot be read, or a value that has no stored form."""


def changed(value: Any, change: Change) -> Any:
    """Return a value with every real number in it replaced, integers and truth values left as they are.

    Looked into are arrays, tuples, lists, `Weights` and `PiecewiseLinear`; whatever else there may be is returned as is.
    """
    if isinstance(value, (bool, np.bool_, int, np.integer)):
        return value
    if isinstance(value, (float, Fraction, np.floating)):
        return change(float(value) if isinstance(value, np.floating) else value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fO":
        return _array([changed(entry, change) for entry in value.ravel()], value.shape)
    if isinstance(value, (tuple, list)):
        return type(value)(changed(entry, change) for entry in value)
    if isinstance(value, Weights):
        w1, b1, w2, b2 = (changed(part, change) for part in (value.w1, value.b1, value.w2, value.b2))
        return Weights(w1, b1, w2, b2)
    if isinstance(value, PiecewiseLinear):
        parts = (value.knots, value.jumps, value.slope, value.value, value.anchor)
        return PiecewiseLinear(*(changed(part, change) for part in parts))
    return value


def _array(entries: list[Any], shape: tuple[int, ...]) -> Any:
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    if entries and all(isinstance(entry, float) for entry in entries):
        array = array.astype(np.float64)
    return array.reshape(shape)


def numbers(value: Any) -> list[Number]:
    """Return the real numbers in a value, in the order in which `changed` meets them."""
    found: list[Number] = []

    def note(number: Number) -> Number:
        found.append(number)
        return number

    changed(value, note)
    return found


def with_numbers(value: Any, replacements: Sequence[Number]) -> Any:
    """Return a value with its real numbers replaced, in the order of `numbers`."""
    waiting = iter(replacements)
    return changed(value, lambda _: next(waiting))


def exactly(instance: Instance) -> Instance:
    """Return the instance with every float in it replaced by the rational that it is."""
    return Instance(
        {name: changed(value, lambda number: Fraction(number)) for name, value in instance.given.items()},
        instance.origin,
    )


def encoded(value: Any) -> Any:
    """Return a value as JSON: rationals as "p/q", floats in hexadecimal, so that nothing is rounded.

    What has no stored form, an expression say, becomes {"text": ...}, which `decoded` refuses.
    """
    if isinstance(value, (bool, np.bool_)):
        return {"truth": bool(value)}
    if isinstance(value, (int, np.integer)):
        return {"int": int(value)}
    if isinstance(value, Fraction):
        return {"rational": str(value)}
    if isinstance(value, (float, np.floating)):
        return {"float": float(value).hex()}
    if isinstance(value, str):
        return {"word": value}
    if isinstance(value, np.ndarray):
        return {"array": _nested(value)} if value.dtype.kind in "fiuO" else {"text": str(value)}
    if isinstance(value, (tuple, list)):
        return {"tuple": [encoded(entry) for entry in value]}
    if isinstance(value, Weights):
        return {"weights": {name: encoded(getattr(value, name)) for name in ("w1", "b1", "w2", "b2")}}
    if isinstance(value, PiecewiseLinear):
        names = ("knots", "jumps", "slope", "value", "anchor")
        return {"function": {name: encoded(getattr(value, name)) for name in names}}
    return {"text": str(value)}


def _nested(array: Any) -> Any:
    if array.ndim == 0:
        return encoded(array[()])
    return [_nested(row) if isinstance(row, np.ndarray) else encoded(row) for row in array]


def decoded(code: Any) -> Any:
    """Return the value of a JSON form written by `encoded`.

    Rationals have at most `strict_json.MOST_DIGITS` digits above and below the line, integers 64 bits, and floats are
    finite: no number takes long to read.

    Raises:
        EncodingError: if it is none.
    """
    if not isinstance(code, Mapping) or len(code) != 1:
        raise EncodingError(f"a value must be an object with one key, got {shown(code)}")
    ((kind, content),) = code.items()
    if kind not in _READERS:
        raise EncodingError(f"unknown kind of value {shown(repr(kind))}, expected one of {', '.join(_READERS)}")
    try:
        return _READERS[kind](content)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        raise EncodingError(f"the {kind} {shown(content)} cannot be read: {shown(error, 300)}") from error


def _decoded_array(content: Any) -> Any:
    shape, entries = _shape(content)
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    kinds = {type(entry) for entry in entries}
    if kinds == {float}:
        return array.astype(np.float64).reshape(shape)
    return (array.astype(np.int64) if kinds == {int} else array).reshape(shape)


def _shape(content: Any) -> tuple[tuple[int, ...], list[Any]]:
    if not isinstance(content, list):
        return (), [decoded(content)]
    parts = [_shape(part) for part in content]
    shapes = {shape for shape, _ in parts}
    if len(shapes) > 1:
        raise EncodingError("its rows have unequal lengths")
    return (len(content), *(shapes.pop() if shapes else ())), [entry for _, row in parts for entry in row]


def _finite(text: Any) -> float:
    value = float.fromhex(_typed(str)(text))
    if not math.isfinite(value):
        raise EncodingError(f"it must be finite, got {value}")
    if value.hex() != text:
        raise EncodingError(f"it must be in hexadecimal as Python writes it, {value.hex()}")
    return value


def _rational(text: Any) -> Fraction:
    match = _RATIONAL.fullmatch(_typed(str)(text))
    if match is None:
        raise EncodingError('it must be "p/q" or "p", in decimal digits')
    if max(len(part or "") for part in match.groups()) > MOST_DIGITS:
        raise EncodingError(f"it must have at most {MOST_DIGITS} digits above and below the line")
    return Fraction(text)


def _integer(number: Any) -> int:
    value: int = _typed(int)(number)
    if value not in _INTEGERS:
        raise EncodingError("it must have 64 bits at most")
    return value


def _typed(kind: type) -> Callable[[Any], Any]:
    def read(content: Any) -> Any:
        if type(content) is not kind:
            raise EncodingError(f"expected {kind.__name__}, got {type(content).__name__}")
        return content

    return read


def _decoded_weights(content: Mapping[str, Any]) -> Weights:
    return Weights(**{name: decoded(part) for name, part in content.items()})


def _decoded_function(content: Mapping[str, Any]) -> PiecewiseLinear:
    return PiecewiseLinear(**{name: decoded(part) for name, part in content.items()})


_READERS: dict[str, Callable[[Any], Any]] = {
    "truth": _typed(bool),
    "int": _integer,
    "rational": _rational,
    "float": _finite,
    "word": _typed(str),
    "array": _decoded_array,
    "tuple": lambda parts: tuple(decoded(part) for part in _typed(list)(parts)),
    "weights": _decoded_weights,
    "function": _decoded_function,
}


def encoded_instance(instance: Instance) -> dict[str, Any]:
    """Return an instance as JSON: its origin, and the values of its symbols."""
    return {"origin": instance.origin, "given": {name: encoded(value) for name, value in instance.given.items()}}


def decoded_instance(code: Any) -> Instance:
    """Return the instance of a JSON form written by `encoded_instance`.

    Raises:
        EncodingError: if it is none, naming the symbol whose value cannot be read.
    """
    if not isinstance(code, Mapping) or not isinstance(code.get("given"), Mapping) or "origin" not in code:
        raise EncodingError("an instance must be an object with `origin` and `given`")
    more = [key for key in code if key not in ("origin", "given")]
    if more:
        raise EncodingError(f"an instance must be an object with `origin` and `given`, and not {shown(repr(more[0]))}")
    origin = code["origin"]
    if not isinstance(origin, str) or not origin or origin != shown(origin, LONGEST_ORIGIN):
        raise EncodingError(f"its origin must be one line of at most {LONGEST_ORIGIN} characters, got {shown(origin)}")
    given = {}
    for name, part in code["given"].items():
        try:
            given[name] = decoded(part)
        except EncodingError as error:
            raise EncodingError(f"{shown(name)}: {error}") from error
    return Instance(given, origin)
