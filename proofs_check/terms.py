"""Sums and products as their terms."""

from __future__ import annotations

import sympy as sp

TERMS = 400
"""How many terms of a sum are written out at most."""


class NotWrittenOutError(ValueError):
    """A sum or product has too many terms, or a number of them that is not known."""


def written_out(e: sp.Basic) -> sp.Basic:
    """Return an expression with its sums and products as their terms, the outermost first.

    Raises:
        NotWrittenOutError: if one has too many, or a number of them that is not known.
    """
    if not e.has(sp.Sum, sp.Product):
        return e
    if not isinstance(e, (sp.Sum, sp.Product)):
        return e.func(*(written_out(part) for part in e.args))
    *others, (index, first, last) = e.limits
    if not (isinstance(first, sp.Integer) and isinstance(last, sp.Integer) and last - first < TERMS):
        raise NotWrittenOutError(f"{e} is not written out")
    body = e.func(e.function, *others) if others else e.function
    terms = [written_out(body.xreplace({index: sp.Integer(k)})) for k in range(int(first), int(last) + 1)]
    return (sp.Add if isinstance(e, sp.Sum) else sp.Mul)(*terms)
