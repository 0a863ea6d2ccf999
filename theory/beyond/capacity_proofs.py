"""Proofs of the claims on the least product of norms over node-wise rescalings, for any number of units."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, nonnegatives, over_all
from theory.proof import Proof, Rule, Step

_share = sp.Symbol("h", positive=True)
"""p/(p + q), above 0 and below 1."""


def b22() -> Proof:
    """Hoelder's inequality, from that of the weighted means of each unit's parts of both norms.

    u_i and v_i are (c a)^q and (b/c)^p of the units, X and Y their sums, z_i = u^h v^(1 - h) = (a b)^r; K = X^h Y^(1 - h).
    """
    first, second, both = nonnegatives("u v z")
    whole, other, product = sp.symbols("X Y K", positive=True)
    last = COUNT + 1

    def mean(at: sp.Expr) -> sp.Expr:
        return _share * first[at] / whole + (1 - _share) * second[at] / other

    means, parts = over_all(mean(INDEX)), over_all(both[INDEX] / product)
    split = _share * over_all(first[INDEX]) / whole + (1 - _share) * over_all(second[INDEX]) / other
    total = over_all(both[INDEX])
    steps = (
        Step(
            mean(sp.Integer(1)),
            both[1] / product,
            Rule.CITED,
            "the inequality of the weighted arithmetic and geometric means, of u/X and v/Y of a unit, here the first",
        ),
        Step(
            means,
            parts,
            Rule.INDUCTION,
            "over the units",
            (mean(last) - both[last] / product,),
            variable=COUNT,
            base=1,
            conditions=(
                sp.Ge(mean(last), both[last] / product),
                sp.Ge(mean(sp.Integer(1)), both[1] / product),
            ),
            uses=(0,),
        ),
        Step(means, split, Rule.IDENTITY, "X and Y are the same for all"),
        Step(parts, total / product, Rule.IDENTITY, "and so are their powers"),
        Step(
            product,
            total,
            Rule.POLYNOMIAL,
            "the shares sum to 1",
            conditions=(
                sp.Ge(means, parts),
                sp.Eq(means, split),
                sp.Eq(parts, total / product),
                sp.Eq(over_all(first[INDEX]), whole),
                sp.Eq(over_all(second[INDEX]), other),
            ),
            uses=(1, 2, 3),
        ),
    )
    return Proof(steps, "any number of units and inputs, any p and q > 0", lhs=product, rhs=total)


def b22a() -> Proof:
    """With c = b^(1/(1 + g)) a^(-g/(1 + g)), g = q/p, both parts of a unit are (a b)^r."""
    inner, outer = (sp.IndexedBase(name, positive=True) for name in ("a", "b"))
    ratio, r = sp.symbols("g r", positive=True)
    i = INDEX
    factor = outer[i] ** (1 / (1 + ratio)) * inner[i] ** (-ratio / (1 + ratio))
    first = over_all((factor * inner[i]) ** (r * (1 + ratio)))
    second = over_all((outer[i] / factor) ** (r * (1 + ratio) / ratio))
    total = over_all((inner[i] * outer[i]) ** r)
    product = first ** (1 / (1 + ratio)) * second ** (ratio / (1 + ratio))
    step = Step(product, total, Rule.IDENTITY, "unit by unit")
    return Proof((step,), "any number of units, none half dead, any p and q > 0", lhs=product, rhs=total)


def b22b() -> Proof:
    """Of each layer the weighted geometric mean of what a rescaling does to its squares, and these cancel at balance.

    y_i is by how much the squared norm of layer i changes, G_i the geometric mean of by how much its squared weights do, with
    their shares of the norm for weights; E_i is the product over the units that layer i is given of c^(2 share), the share of a
    unit being that of its incoming weights in their layer, and by balance that of its outgoing ones in theirs; F is the
    product of the squared norms before.
    """
    changes, means, products = (sp.IndexedBase(name, positive=True) for name in ("y", "G", "E"))
    norms = sp.Symbol("F", positive=True)
    last = COUNT + 1
    run = (INDEX, 1, COUNT)
    change, mean = sp.Product(changes[INDEX], run), sp.Product(means[INDEX], run)
    ratios = sp.Product(products[INDEX + 1] / products[INDEX], run)
    steps = (
        Step(
            changes[1],
            means[1],
            Rule.CITED,
            "the inequality of the weighted arithmetic and geometric means, of the first layer and likewise of every other",
        ),
        Step(
            change,
            mean,
            Rule.INDUCTION,
            "over the layers",
            (mean * (changes[last] - means[last]),),
            variable=COUNT,
            base=1,
            factor=changes[last],
            conditions=(sp.Ge(changes[last], means[last]), sp.Ge(changes[1], means[1])),
            uses=(0,),
        ),
        Step(
            ratios * products[1],
            products[last],
            Rule.INDUCTION,
            "G_i = E_(i+1)/E_i: what a layer's units gain, those that it is given lose",
            variable=COUNT,
            base=1,
            factor=products[COUNT + 2] / products[last],
        ),
        Step(
            change * norms,
            norms,
            Rule.POLYNOMIAL,
            "inputs and outputs have no factors",
            conditions=(
                sp.Ge(change, mean),
                sp.Eq(mean, ratios),
                sp.Eq(ratios * products[1], products[last]),
                sp.Eq(products[1], 1),
                sp.Eq(products[last], 1),
            ),
            uses=(1, 2),
        ),
    )
    return Proof(steps, "networks of any depth and widths, any rescaling", lhs=change * norms, rhs=norms)


def b22c() -> Proof:
    """The best factor of one unit, x and z the norms of what enters and leaves it, y and w those of the rest of both layers."""
    x, y, z, w = sp.symbols("x y z w", positive=True)
    others = sp.Symbol("Q", nonnegative=True)
    factor = z * y / (x * w)
    before = others * (y**2 + factor * x**2) * (w**2 + z**2 / factor)
    after = others * ((x**2 + y**2) * (z**2 + w**2) - (x * w - y * z) ** 2)
    step = Step(before, after, Rule.IDENTITY, "both are Q (x z + y w)^2, the second by Lagrange's identity")
    return Proof((step,), "any depth and widths", lhs=before, rhs=after)
