"""Hashes of what a claim rests on, by name, so that a change of it shows: the same in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from proofs_check.row import CHECKED, Row, TheoremRow
from theory.proof import Proof, Rule, Step


def pins(row: Row) -> dict[str, str]:
    """Return the hash of all that a claim's row rests on, each under the name by which a change of it is told.

    These are the form and the symbols; the assumptions, and how each is decided; the steps of the proof and of that of small
    sizes, one by one (all but the words that explain them, which count where they cite a theorem), what both cover and come
    to; the theorems in Coq that are credited to the claim, with what they are said to cover and to leave out, and the text of
    their statements and of the definitions under these; and of those that Coq accepted the statements as it prints them.
    """
    found: dict[str, Any] = {
        "its form": row.form,
        "its symbols": [(symbol.name, symbol.latex, symbol.meaning) for symbol in row.symbols],
        "its assumptions": row.assumptions,
    }
    decided = zip(row.assumptions, row.decisions, strict=True)
    found |= {f"how it is decided that {name}": decision for name, decision in decided}
    steps: dict[str, str] = {}
    for proof, name in ((row.proof, "its proof"), (row.small, "its proof of small sizes")):
        if proof is not None:
            found[f"what {name} covers"] = proof.covers
            found[f"what {name} comes to"] = proof.comes_to
            steps |= {f"step {number} of {name}": pin for number, pin in enumerate(proof.pins)}
    for theorem in row.theorems:
        found[credit_of(theorem)] = (theorem.covers, theorem.leaves_out, theorem.refutes)
        found[f"the text of {credit_of(theorem)} and of the definitions under it"] = theorem.text
        if theorem.outcome == CHECKED:
            found[statement_of(theorem)] = " ".join(theorem.statement.split())
    return {name: sha256_of(value) for name, value in found.items()} | steps


def credit_of(theorem: TheoremRow) -> str:
    """Return the name under which it is pinned that a theorem in Coq is credited to a claim."""
    return f"theorem {theorem.name} ({theorem.file})"


def statement_of(theorem: TheoremRow) -> str:
    """Return the name under which the statement of a theorem in Coq is pinned."""
    return f"the statement of {credit_of(theorem)}"


def step_pins(proof: Proof) -> tuple[str, ...]:
    """Return the hash of each step of a proof: of all that it says but why, and of why where it cites a theorem.

    Raises:
        TypeError: if there is something in a step that is no part of one.
    """
    return tuple(sha256_of(_said(step)) for step in proof.steps)


def sides_pin(proof: Proof) -> str:
    """Return the hash of the two sides that a proof comes to.

    Raises:
        TypeError: if there is something in a side that is no part of one.
    """
    return sha256_of((proof.lhs, proof.rhs))


def _said(step: Step) -> dict[str, Any]:
    said = {field.name: getattr(step, field.name) for field in fields(step)}
    # All conditions hold at once, and a certificate is a sum: neither has an order.
    said |= {name: sorted(map(canonical, said[name])) for name in ("conditions", "certificate")}
    return {name: value for name, value in said.items() if name != "because" or step.rule is Rule.CITED}


def sha256_of(value: Any) -> str:
    """Return the hash of a value: of expressions, numbers, words, and what is made of them.

    Raises:
        TypeError: if there is anything else in it.
    """
    return hashlib.sha256(canonical(value).encode("utf-8", "backslashreplace")).hexdigest()


def canonical(value: Any) -> str:
    """Return a value as a text that is the same in every process: no order of terms or of factors, no address is in it.

    Raises:
        TypeError: if there is something in it that has no such text.
    """
    if isinstance(value, sp.Basic):
        return _expression(value)
    if isinstance(value, Enum):
        return repr(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {canonical(part)}' for key, part in sorted(value.items()))}}}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(canonical, value))}]"
    if is_dataclass(value) and not isinstance(value, type):
        return canonical({field.name: getattr(value, field.name) for field in fields(value)})
    raise TypeError(f"no part of a proof is a {type(value).__name__}")


_UNORDERED = (sp.Add, sp.And, sp.Or, sp.Max, sp.Min, sp.FiniteSet)
"""What has no order among its arguments; so does a product, where all its factors commute."""


def _expression(value: sp.Basic) -> str:
    """Return an expression in prefix form.

    Symbols that sympy takes for equal may be declared differently, and its cache puts one for the other: all that is known
    of a symbol is written, not what was declared.
    """
    if isinstance(value, sp.Symbol):
        return f"{type(value).__name__}({value.name!r}, {_known(value.assumptions0)})"
    if not value.args:
        return str(sp.srepr(value))
    name = type(value).__name__
    if isinstance(value, AppliedUndef):
        name = f"{value.func.__name__!r} {_known(value.func._kwargs)}"
    parts = [canonical(part) for part in value.args]
    if isinstance(value, _UNORDERED) or (isinstance(value, sp.Mul) and value.is_commutative):
        parts.sort()
    return f"{name}({', '.join(parts)})"


def _known(assumptions: Mapping[str, bool]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(assumptions.items()))
