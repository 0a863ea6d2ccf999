"""Proofs of B24: each layer multiplies the mean by half of its width times its variance."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.initialisation_proofs import layer_by_layer, mirrored
from theory.lemmas import COUNT, INDEX, nonnegatives, over_all, reals
from theory.proof import Proof, Rule, Step


def _moments(words: str) -> tuple[Step, Step]:
    """Return that the squares of <w, u> over a support sum to s v |u|^2."""
    (u,) = reals("u")
    (b,) = nonnegatives("b")
    spread = sp.Symbol("v", nonnegative=True)
    squares = over_all(u[INDEX] ** 2)
    size = (
        sp.Symbol("s", positive=True)
        * spread
        * sp.Sum(b[INDEX], (INDEX, 1, sp.Symbol("q", integer=True, positive=True)))
    )
    return (
        Step(squares, size, Rule.CITED, words),
        Step(size, squares, Rule.CITED, f"{words}; and the other way"),
    )


def _law(columns: str, covers: str) -> Proof:
    means, factors = nonnegatives("E c")
    product = means[1] * sp.Product(factors[INDEX], (INDEX, 1, COUNT))
    steps = mirrored(f"over the s vectors w of a support and {columns}, u = <w, .>: half of the sum over the 2 s rows")
    moments = _moments(
        "Parseval, for sum w w^T = s v I over the support: sum <w, .>^2 = s v |.|^2, b the squares of the entries"
    )
    up, down = layer_by_layer(
        "a layer is independent of those below: its n rows multiply the mean by c = n v / 2, the last, without a ReLU, by n v",
        (2, 3, 4, 5),
    )
    return Proof((*steps, *moments, up, down), covers, lhs=means[COUNT + 1], rhs=product)


def b24() -> Proof:
    """Of a row and its opposite one is active, and the active one has half of the mean square."""
    return _law("the columns of J below", "any widths, depth and distribution with the assumptions, atoms or none")


def b24a() -> Proof:
    """The same for h in place of the columns of the Jacobian; a unit that is 0 adds nothing."""
    return _law("the input h of the layer", "any widths, depth and distribution with the assumptions, atoms or none")
