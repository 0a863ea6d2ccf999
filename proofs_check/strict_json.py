"""JSON files that somebody may have damaged: read within limits, or refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DEEPEST = 32
"""How deep objects and lists may be nested."""

MOST_DIGITS = 1000
"""The digits that a whole number may have, and a numerator and a denominator each: every float is a rational of less."""

LONGEST_SHOWN = 80
"""The characters of a value that a message shows."""


def read_json(file: Path, most_bytes: int) -> Any:
    """Return what is in a JSON file.

    Args:
        file: the file, UTF-8.
        most_bytes: the bytes that it may have.

    Raises:
        ValueError: if there is no such file, it is too large, or it is no JSON of numbers within `MOST_DIGITS`, nested at
            most `DEEPEST` deep, in which no key of an object stands twice. The error says why in words, without the file.
    """
    if not file.is_file():
        raise ValueError("it is no file" if file.exists() else "it is not there")
    try:
        with file.open("rb") as opened:
            content = opened.read(most_bytes + 1)
    except OSError as error:
        raise ValueError(str(error.strerror)) from error
    if len(content) > most_bytes:
        raise ValueError(f"it has more than {most_bytes} bytes")
    try:
        code = json.loads(
            content.decode("utf-8"), object_pairs_hook=_once, parse_int=_whole, parse_constant=_not_a_number
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} of it is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError(f"it is nested more than {DEEPEST} deep") from error
    _check_depth(code)
    return code


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shown(repr(key))} stands twice in one object")
        found[key] = value
    return found


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"it holds a whole number of more than {MOST_DIGITS} digits")
    return int(text)


def _not_a_number(text: str) -> Any:
    raise ValueError(f"it holds {text}, which is no number")


def _check_depth(code: Any) -> None:
    level, depth = [code], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        level = [part for one in level for part in _parts(one)]
        depth += 1


def _parts(code: Any) -> Iterable[Any]:
    return code.values() if isinstance(code, Mapping) else code if isinstance(code, list) else ()


def shown(value: Any, longest: int = LONGEST_SHOWN) -> str:
    """Return a value as a message shows it: in one line, cut short, nothing in it that a terminal cannot print."""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # a whole number too long for Python to write, or too deep a nesting
        return f"a {type(value).__name__} too large to show"
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in cut)
