"""Proofs of the claims of Dherin et al. 2022 on initialisation."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, both_ways, nonnegatives, reals, summed
from theory.proof import Proof, Rule, Step

_a, _z, _p = sp.symbols("a z p", real=True)
_first, _second, _along = sp.symbols("e f u", real=True)


def d7() -> Proof:
    """A ReLU multiplies each unit by 0 or by 1."""
    a, z, p = reals("a z p")
    bent, straight = _a * sp.Max(_z, 0), _a * _p * _z
    switch = sp.Or(sp.And(sp.Eq(_p, 1), sp.Ge(_z, 0)), sp.And(sp.Eq(_p, 0), sp.Le(_z, 0)))
    each = {_a: a[INDEX], _z: z[INDEX], _p: p[INDEX]}
    words = "max(z, 0) = p z with p = 1 for z > 0 and p = 0 else, times a weight"
    one, back = both_ways(bent, straight, words, conditions=(switch,))
    over = "over the units of the last hidden layer, a = c^T W_l; in the layers below the same, with a row of W_i for a"
    to = summed(bent, straight, each, over, term=0, conditions=(switch,))
    fro = summed(straight, bent, each, "and the other way", term=1, conditions=(switch,))
    return Proof((one, back, to, fro), "any widths; the depth by induction, in words", lhs=to.before, rhs=to.after)


def mirrored(words: str) -> tuple[Step, ...]:
    """Return that of a row and its opposite one is active, for one and in sums: steps 0 to 3 of a proof.

    Args:
        words: what is summed.
    """
    e, f, u = reals("e f u")
    both, alone = _first * _along**2 + _second * _along**2, _along**2
    each = {_first: e[INDEX], _second: f[INDEX], _along: u[INDEX]}
    one_active = (sp.Eq(_first + _second, 1),)
    one, back = both_ways(
        both, alone, "a row w and -w are equally likely, and of the two one is active: e + f = 1", conditions=one_active
    )
    return (
        one,
        back,
        summed(both, alone, each, words, term=0, conditions=one_active),
        summed(alone, both, each, "and the other way", term=1, conditions=one_active),
    )


def layer_by_layer(words: str, uses: tuple[int, ...]) -> tuple[Step, Step]:
    """Return E_{m+1} = E_1 c_1 .. c_m, where each layer multiplies E by its c, as two inductions.

    Args:
        words: why a layer does.
        uses: the steps that show it of one layer.
    """
    means, factors = nonnegatives("E c")
    product = means[1] * sp.Product(factors[INDEX], (INDEX, 1, COUNT))
    here, factor = means[COUNT + 1], factors[COUNT + 1]
    first, next_one = means[2] - factors[1] * means[1], means[COUNT + 2] - factor * here

    def induction(before: sp.Expr, after: sp.Expr, sign: int, because: str) -> Step:
        return Step(
            before,
            after,
            Rule.INDUCTION,
            because,
            (sign * next_one,),
            variable=COUNT,
            base=1,
            factor=factor,
            conditions=(sp.Ge(sign * next_one, 0), sp.Ge(sign * first, 0)),
            uses=uses,
        )

    return induction(here, product, 1, words), induction(product, here, -1, "and the other way")


def d16a() -> Proof:
    """The factors of B24 are all the same."""
    one, factor = sp.symbols("E q", nonnegative=True)
    (factors,) = nonnegatives("c")
    product = one * sp.Product(factors[INDEX], (INDEX, 1, COUNT))
    here = one * factor**COUNT
    more, first = product * factors[COUNT + 1] - factor * product, one * factors[1] - one * factor

    def induction(before: sp.Expr, after: sp.Expr, sign: int, because: str) -> Step:
        return Step(
            before,
            after,
            Rule.INDUCTION,
            because,
            (sign * more,),
            variable=COUNT,
            base=1,
            factor=factor,
            conditions=(sp.Ge(sign * more, 0), sp.Ge(sign * first, 0)),
        )

    words = "B24: each hidden layer multiplies E GC by c = n v / 2, q for all but what the first and last differ by, E"
    steps = induction(product, here, 1, words), induction(here, product, -1, "and the other way")
    return Proof(steps, "any widths and depth, from B24", lhs=product, rhs=here)


def d16b() -> Proof:
    """A layer dies if all its units do, each with probability 1/2."""
    means, factors = nonnegatives("E c")
    choices = sp.Symbol("s", nonnegative=True)
    one, back = both_ways(
        choices * ((1 - _first) + (1 - _second)),
        choices,
        "of a row and its opposite, equally likely, one is inactive, e + f = 1: one row more leaves the number s of choices of "
        "signs without an active unit as it was, so it is 1 of the 2^n",
        conditions=(sp.Eq(_first + _second, 1),),
    )
    up, down = layer_by_layer(
        "a layer of n units, alive below, stays so with probability c = 1 - 2^-n, and one above a dead one is dead",
        (0, 1),
    )
    product = means[1] * sp.Product(factors[INDEX], (INDEX, 1, COUNT))
    alive = means[COUNT + 1]
    return Proof(
        (
            one,
            back,
            up,
            down,
            Step(
                1 - alive, 1 - product, Rule.POLYNOMIAL, "the rest of 1", uses=(3,), conditions=(sp.Ge(product, alive),)
            ),
            Step(
                1 - product,
                1 - alive,
                Rule.POLYNOMIAL,
                "and the other way",
                uses=(2,),
                conditions=(sp.Ge(alive, product),),
            ),
        ),
        "any widths and depth",
        lhs=1 - alive,
        rhs=1 - product,
    )
