"""LaTeX as MathML that needs no script: formulas in pieces between which a line may break."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree

from latex2mathml import converter, exceptions
from markupsafe import Markup, escape

_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\s+|.", re.DOTALL)
_GAPS = {r"\quad": "\u2003", r"\qquad": "\u2003\u2003", r"\;": "\u2005", r"\ ": " ", "\\\n": " "}
_OPENING = {"(", "[", "{", r"\{", r"\left", r"\begin", r"\langle", r"\lfloor", r"\lceil"}
_CLOSING = {")", "]", "}", r"\}", r"\right", r"\end", r"\rangle", r"\rfloor", r"\rceil"}
_BARS = {"|", r"\|"}
_RELATIONS = {
    *("=", "<", ">", r"\le", r"\leq", r"\ge", r"\geq", r"\ne", r"\neq", r"\approx", r"\in", r"\sim", r"\to"),
    *(r"\Rightarrow", r"\iff", r"\implies", r"\Leftrightarrow", r"\preceq", r"\succeq"),
}
_SIGNS = {"+", "-"}
_SCRIPTS = {"_", "^"}

_UNKNOWN_TO_THE_CONVERTER = {
    r"\iff": r"\Leftrightarrow ",
    r"\implies": r"\Rightarrow ",
    r"\arg": r"\operatorname{arg}",
    r"\limits": "",
}
"""Macros that it does not know, sets as identifiers, or that say what MathML does by itself."""

_BRACKETS = {
    r"\langle": "⟨",
    r"\rangle": "⟩",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lceil": "⌈",
    r"\rceil": "⌉",
    r"\|": "‖",
}
_SIZED = re.compile(r"(\\[bB]igg?[lmr]?\s*)(\\[lr](?:angle|floor|ceil)(?![a-zA-Z])|\\\|)")
"""Brackets that it knows, but not behind \\Big."""

_STYLES = {"double-struck": "DOUBLE-STRUCK CAPITAL", "script": "SCRIPT CAPITAL", "bold": "MATHEMATICAL BOLD CAPITAL"}
_PRIMES = ("", "\u2032", "\u2033", "\u2034")
_NO_OPERATORS = "∇∂∞∅∀∃¬"

_ITS_OWN = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)]
_FAILURES: tuple[type[Exception], ...] = (
    *_ITS_OWN,
    *(ElementTree.ParseError, IndexError, KeyError, ValueError, StopIteration),
)


class FormulaError(ValueError):
    """A formula that the converter cannot set."""


@dataclass(frozen=True)
class _Piece:
    """A part of a formula: plain text, or LaTeX that is kept on one line."""

    content: str
    text: bool = False


def formula(latex: str) -> Markup:
    r"""Return a formula as HTML: MathML in pieces, the text between them as text, so that long ones wrap.

    Lines may break before relations and signs, and after commas and spaces, outside all brackets; `\text{..}` with a
    space in it becomes text of the page.

    Raises:
        FormulaError: if the converter cannot set it, naming the piece.
    """
    parts = []
    for number, piece in enumerate(_pieces(latex)):
        if piece.text:
            parts.append(escape(piece.content))
        elif piece.content.strip():
            parts.append(Markup("<wbr>" if number else "") + _math(piece.content, first=number == 0))
    return Markup("").join(parts)


def _pieces(latex: str) -> list[_Piece]:
    """Split a formula where a line may break; a formula whose brackets do not match is kept whole."""
    tokens = _TOKEN.findall(latex)
    pieces, current, depth, bars, before = [], "", 0, dict.fromkeys(_BARS, False), ""
    position = 0

    def flush() -> None:
        nonlocal current
        if current.strip():
            pieces.append(_Piece(current))
        current = ""

    while position < len(tokens):
        token = tokens[position]
        position += 1
        outside = depth == 0 and not any(bars.values()) and before not in _SCRIPTS
        if outside and token in _GAPS:
            flush()
            pieces.append(_Piece(_GAPS[token], text=True))
        elif outside and token == r"\text":
            end = _group_end(tokens, position)
            words = "".join(tokens[position + 1 : end - 1])
            if " " in words:
                flush()
                pieces.append(_Piece(words, text=True))
            else:
                current += rf"\text{{{words}}}"
            position = end
        else:
            if outside and (token in _RELATIONS or (token in _SIGNS and _is_operand(before))):
                flush()
            current += token
            depth += (token in _OPENING) - (token in _CLOSING)
            if token in bars:
                bars[token] = not bars[token]
            if outside and token == ",":
                flush()
        if not token.isspace():
            before = token
    flush()
    return pieces if depth == 0 and not any(bars.values()) else [_Piece(latex)]


def _is_operand(token: str) -> bool:
    return bool(token) and token not in _RELATIONS | _OPENING | _SIGNS | set(_GAPS) | {",", ":", r"\cdot", r"\pm"}


def _group_end(tokens: list[str], start: int) -> int:
    r"""Return the position after the group {..} that starts at a token.

    Raises:
        FormulaError: if there is none.
    """
    depth = 0
    for position in range(start, len(tokens)):
        depth += (tokens[position] == "{") - (tokens[position] == "}")
        if depth == 0:
            if position == start:
                break
            return position + 1
    raise FormulaError(f"\\text needs its words in braces, got {''.join(tokens[start:])!r}")


@cache  # the same pieces stand in many formulas, and the converter is slow
def _math(latex: str, *, first: bool) -> Markup:
    """Return one piece as MathML of today's browsers, which know no mathvariant and set unknown operators wide.

    Raises:
        FormulaError: if the converter cannot set it.
    """
    tokens = _TOKEN.findall(latex)
    if tokens.count("{") != tokens.count("}"):
        raise FormulaError(f"the braces of {latex!r} do not match")
    try:
        root = ElementTree.fromstring(re.sub(r' (xmlns|display)="[^"]*"', "", converter.convert(_known(latex))))
    except _FAILURES as error:
        raise FormulaError(f"{latex!r} cannot be set: {type(error).__name__} {error}") from error
    for parent in root.iter():
        for place, child in enumerate(parent):
            _mend(child, parent, place)
    operators = [element for element in root.iter("mo") if element.text]
    leading = next(root.iterfind(".//mrow/*"), None)
    if not first and operators and leading is operators[0] and leading.text not in ("|", "‖", "(", "["):
        leading.set("form", "infix")
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _known(latex: str) -> str:
    latex = re.sub(r"\\[a-zA-Z]+", lambda macro: _UNKNOWN_TO_THE_CONVERTER.get(macro[0], macro[0]), latex)
    latex = _SIZED.sub(lambda found: found[1] + _BRACKETS[found[2]], latex)
    latex = re.sub(r"\\[bB]igg?[lmr]?\s*(?=\\[{}])", "", latex)  # braces it sets in one size
    # The converter sets the primes of f_L'' one by one, and to the right of the index.
    latex = re.sub(r"(_(?:\w|\{\w+\}))('+)", lambda found: f"^{{{_PRIMES[min(len(found[2]), 3)]}}}{found[1]}", latex)
    # {w_{1}}_{i} is w with two indices; a word below a letter is a word, not a product.
    latex = re.sub(r"\{(\w|\\[a-z]+)_\{(\w+)\}\}_\{(\w+)\}", r"\1_{\2,\3}", latex)
    return re.sub(r"_\{([A-Za-z]{3,})\}", r"_{\\text{\1}}", latex)


def _mend(element: ElementTree.Element, parent: ElementTree.Element, place: int) -> None:
    """Mend one element in place.

    Raises:
        FormulaError: if it is what the converter makes of a macro it does not know.
    """
    text = element.text or ""
    if element.tag == "mi" and (text.startswith("\\") or text in ("{", "}", "&")):
        raise FormulaError(f"the converter does not know {text!r}")
    if element.tag == "mfrac" and len(element) != 2:
        raise FormulaError("a fraction needs a numerator and a denominator")
    variant = element.attrib.pop("mathvariant", None)
    if variant in _STYLES and len(text) == 1 and text.isascii() and text.isupper():
        element.text = _styled(text, _STYLES[variant])
    elif variant == "normal":
        element.set("mathvariant", "normal")  # the one that browsers know
    if text in _PRIMES[1:]:
        element.tag = "mo"
    if element.tag == "mi" and len(text) == 1 and unicodedata.category(text) == "Sm" and text not in _NO_OPERATORS:
        element.tag = "mo"
    if element.tag == "mo":
        if text in ("|", "‖", *_PRIMES[1:]):
            element.set("lspace", "0")
            element.set("rspace", "0")
        elif len(text) > 1 and text[0].isalpha():
            _name(element, parent, place)


def _name(element: ElementTree.Element, parent: ElementTree.Element, place: int) -> None:
    """Set a name such as max upright, with the thin space after it that TeX has where no bracket follows."""
    if len(parent) == 1:
        element.tag = "mi"
        return
    following = parent[place + 1] if place + 1 < len(parent) else None
    bracket = following is not None and following.text in ("(", "[")
    element.set("lspace", "0")
    element.set("rspace", "0" if bracket or following is None else "0.17em")


def _styled(letter: str, style: str) -> str:
    for name in (f"{style} {letter}", f"MATHEMATICAL {style} {letter}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return letter
