"""Expressions as LaTeX, their terms in the order in which one writes them."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter


def _in_order(printer: Any, whole: sp.Add, order: str | None = None) -> list[sp.Expr]:
    """Return the terms of a sum in sympy's order, but one without a minus sign first: 1 - eta lambda."""
    terms: list[sp.Expr] = list(LatexPrinter._as_ordered_terms(printer, whole, order=order))
    first = next((place for place, term in enumerate(terms) if not term.could_extract_minus_sign()), 0)
    return [terms[first], *terms[:first], *terms[first + 1 :]]


# Made by hand, since to a type checker sympy's printers are of any type, which no class may inherit from.
_Printer: Any = type("_Printer", (LatexPrinter,), {"_as_ordered_terms": _in_order})


def latex(expression: sp.Basic) -> str:
    """Return an expression as LaTeX."""
    # To put terms in order sympy computes all numbers in them; named so, integrals come after other factors.
    ordered = sorted((one for one in expression.atoms(sp.Integral) if not one.free_symbols), key=str)
    names = {sp.Symbol(f"~{place}"): str(_Printer().doprint(one)) for place, one in enumerate(ordered)}
    kept = expression.xreplace(dict(zip(ordered, names, strict=True)))
    return str(_Printer({"symbol_names": names}).doprint(kept))
