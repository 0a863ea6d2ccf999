"""Stored values as a reader wants to see them: short numbers, small matrices, long arrays cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

DIGITS = 6
"""Significant digits of a float."""

MOST_ENTRIES, SHOWN_ENTRIES = 10, 6
"""A list longer than the first is cut to the second, with its length."""

LONGEST_FRACTION, LONGEST_TEXT = 15, 240
"""Characters up to which a fraction is written out, and anything else is."""


def number(value: float | Fraction) -> str:
    """Return a number: fractions written out while they are short, floats to six digits."""
    if isinstance(value, Fraction):
        exact = str(value)
        return exact if len(exact) <= LONGEST_FRACTION else f"\u2248 {float(value):.{DIGITS}g}"
    return f"{value:.{DIGITS}g}"


def value(code: Any) -> str:
    """Return a stored value in one line; what has no such form as JSON, cut where it is long."""
    if isinstance(code, Mapping) and len(code) == 1:
        ((kind, content),) = code.items()
        if kind in _READABLE:
            try:
                return _READABLE[kind](content)
            except (TypeError, ValueError, KeyError, OverflowError, ZeroDivisionError, AttributeError):
                pass  # not what its kind says: shown as it is
    return cut(json.dumps(code, ensure_ascii=False, separators=(",", ":"), default=str))


def cut(text: str) -> str:
    """Return the text, or its beginning where it is long."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "\u2026"


def rows(code: Any) -> list[list[str]] | None:
    """Return the entries of a stored matrix, up to 6 by 6, row by row; None for anything else."""
    content = _content(code, "array")
    if not all(isinstance(row, list) for row in content) or not 0 < len(content) <= SHOWN_ENTRIES:
        return None
    widths = {len(row) for row in content}
    if len(widths) > 1 or not 0 < widths.pop() <= SHOWN_ENTRIES:
        return None
    if any(isinstance(entry, list) for row in content for entry in row):
        return None
    return [[value(entry) for entry in row] for row in content]


def matrices(code: Any) -> list[list[list[str]]] | None:
    """Return up to six small matrices of a stored [n, d, d] array or tuple of arrays, or a single one; else None."""
    single = rows(code)
    if single is not None:
        return [single]
    content = _content(code, "array") or _content(code, "tuple")
    if not 0 < len(content) <= SHOWN_ENTRIES:
        return None
    found = [rows(part if isinstance(part, Mapping) else {"array": part}) for part in content]
    return None if any(part is None for part in found) else [part for part in found if part is not None]


def units(code: Any) -> list[tuple[str, str, str]] | None:
    """Return (w1, b1, w2) of each unit of stored weights with up to ten units, else None."""
    if not isinstance(code, Mapping) or not isinstance(code.get("weights"), Mapping):
        return None
    columns = [_content(code["weights"].get(name), "array") for name in ("w1", "b1", "w2")]
    if len({len(column) for column in columns}) > 1 or not 0 < len(columns[0]) <= MOST_ENTRIES:
        return None
    return [(value(w1), value(b1), value(w2)) for w1, b1, w2 in zip(*columns, strict=True)]


def _content(code: Any, kind: str) -> list[Any]:
    """Return the list that a stored value of a kind holds, empty for any other value."""
    content = code.get(kind) if isinstance(code, Mapping) else None
    return content if isinstance(content, list) else []


def _listed(entries: Sequence[str], brackets: str = "()") -> str:
    if len(entries) > MOST_ENTRIES:
        entries = [*entries[: SHOWN_ENTRIES - 1], "\u2026", f"{entries[-1]}; {len(entries)} in all"]
    return f"{brackets[0]}{', '.join(entries)}{brackets[1]}"


def _array(content: Any) -> str:
    if not isinstance(content, list):
        return value(content)
    nested = any(isinstance(entry, list) for entry in content)
    return _listed(
        [_array(entry) if isinstance(entry, list) else value(entry) for entry in content], "[]" if nested else "()"
    )


def _weights(content: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value(content[name])}" for name in ("w1", "b1", "w2", "b2"))


def _function(content: Mapping[str, Any]) -> str:
    knots, jumps, slope, at, anchor = (value(content[name]) for name in ("knots", "jumps", "slope", "value", "anchor"))
    bends = "no knots" if knots == "()" else f"knots {knots}, jumps {jumps}"
    return f"{bends}, slope {slope} at the left, f({anchor}) = {at}"


_READABLE: Mapping[str, Callable[[Any], str]] = {
    "rational": lambda text: number(Fraction(text)),
    "float": lambda text: number(float.fromhex(text)),
    "int": lambda whole: str(int(whole)),
    "truth": lambda truth: "true" if truth else "false",
    "word": lambda text: cut(str(text)),
    "text": lambda text: cut(" ".join(str(text).split())),
    "array": _array,
    "tuple": lambda parts: _listed([value(part) for part in parts]),
    "weights": _weights,
    "function": _function,
}
