"""Proofs of the claims on geometric complexity against norms of the weights (B12, B13)."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.norms_proofs import AM_GM, frobenius
from theory.lemmas import (
    COLUMN,
    COLUMNS,
    COUNT,
    INDEX,
    ROW,
    ROWS,
    both_ways,
    cauchy_schwarz,
    nonnegatives,
    over_all,
    reals,
    summed,
)
from theory.proof import Proof, Rule, Step

_g = sp.Symbol("g", positive=True)
_other = sp.Symbol("j", integer=True)
_units = sp.Symbol("m", integer=True, nonnegative=True)
_TWO = "two layers of any width, any numbers of inputs and outputs, any data"


def _pairs(term: sp.Expr) -> sp.Sum:
    """Return the sum of a term in i and j over all pairs of units."""
    return sp.Sum(sp.Sum(term, (_other, 1, _units)), (INDEX, 1, _units))


def b12() -> Proof:
    """The square of a sum over units is the sum over their pairs, entry by entry."""
    part = sp.IndexedBase("b", real=True)
    entry, new = sp.Symbol("e", integer=True), ROWS + 1
    one_square = _g * sp.Sum(part[new, INDEX], (INDEX, 1, _units)) ** 2
    one_pairs = _pairs(_g * part[new, INDEX] * part[new, _other])
    squares = sp.Sum(_g * sp.Sum(part[entry, INDEX], (INDEX, 1, _units)) ** 2, (entry, 1, ROWS))
    pairs = _pairs(_g * sp.Sum(part[entry, INDEX] * part[entry, _other], (entry, 1, ROWS)))
    first, second, outer, inner = (sp.IndexedBase(name, real=True) for name in "pqvw")
    size = sp.Symbol("n", integer=True, nonnegative=True)
    factor = (
        sp.Sum(sp.Sum(outer[ROW] * inner[COLUMN], (COLUMN, 1, COLUMNS)), (ROW, 1, ROWS)),
        sp.Sum(outer[ROW], (ROW, 1, ROWS)) * sp.Sum(inner[COLUMN], (COLUMN, 1, COLUMNS)),
    )
    of_data = (
        sp.Sum(sp.Sum(first[entry] * second[ROW], (ROW, 1, ROWS)), (entry, 1, size)),
        sp.Sum(first[entry], (entry, 1, size)) * sp.Sum(second[ROW], (ROW, 1, ROWS)),
    )
    because = (
        "one entry of the Jacobian at one datum is the sum over the units of b_j = a_j(x) v_ij w_jc, a_j(x) being 1 where unit "
        "j is active, else 0"
    )
    summed_up = "over all outputs, inputs and data, g = 1/n: each pair gives q_jk <v_j, v_k> <w_j, w_k>"
    return Proof(
        (
            Step(
                *factor,
                Rule.INDUCTION,
                "of two units v are the products of their weights to each output, w of those from each input",
                variable=ROWS,
                base=0,
            ),
            Step(
                *of_data,
                Rule.INDUCTION,
                "and p of their activities on each datum, q being the products v w",
                variable=size,
                base=0,
                uses=(0,),
            ),
            Step(one_square, one_pairs, Rule.INDUCTION, because, variable=_units, base=0),
            Step(one_pairs, one_square, Rule.INDUCTION, f"{because}; and the other way", variable=_units, base=0),
            Step(
                squares,
                pairs,
                Rule.INDUCTION,
                summed_up,
                (one_square - one_pairs,),
                term=2,
                uses=(1,),
                variable=ROWS,
                base=0,
            ),
            Step(
                pairs,
                squares,
                Rule.INDUCTION,
                "and the other way",
                (one_pairs - one_square,),
                term=3,
                uses=(1,),
                variable=ROWS,
                base=0,
            ),
        ),
        _TWO,
        lhs=squares,
        rhs=pairs,
    )


def b12a() -> Proof:
    """The units' parts of the Jacobian, as functions on the data, are at most as long together as one by one."""
    one, another = sp.symbols("N M", nonnegative=True)
    inner = sp.Symbol("G", real=True)
    norms, again = nonnegatives("N M")
    products = sp.IndexedBase("G", real=True)
    known = sp.Ge(one**2 * another**2, inner**2)
    at = {one: norms[INDEX], another: again[_other], inner: products[INDEX, _other]}
    limits = ((_other, 1, COUNT), (INDEX, 1, COUNT))
    long, short = (sp.Sum(side.subs(at, simultaneous=True), *limits) for side in (one * another, inner))
    total, same = over_all(norms[INDEX]), sp.Sum(again[_other], (_other, 1, COUNT))
    return Proof(
        (
            cauchy_schwarz(
                reals("b")[0], reals("c")[0], "the inner product of two units' parts, over all entries and data"
            ),
            Step(
                one * another,
                inner,
                Rule.POLYNOMIAL,
                "is at most the product of their norms, of unit j the root of q_j times |v_j| |w_j|",
                conditions=(known,),
                uses=(0,),
            ),
            Step(
                long,
                short,
                Rule.SUM,
                "over all pairs",
                term=1,
                conditions=(known.subs(at, simultaneous=True),),
                uses=(0,),
            ),
            Step(
                long,
                total * same,
                Rule.INDUCTION,
                "a product of sums, one unit after another",
                variable=COUNT,
                base=1,
            ),
            Step(
                total,
                sp.sqrt(sp.Max(short, 0)),
                Rule.POLYNOMIAL,
                "and the sum over all pairs is the complexity, by B12",
                conditions=(sp.Ge(long, short), sp.Eq(long, total * same), sp.Eq(total, same)),
                uses=(2, 3),
            ),
        ),
        _TWO,
        lhs=sp.sqrt(sp.Max(short, 0)),
        rhs=total,
    )


def b12b() -> Proof:
    """No share exceeds 1."""
    active, outer, inner = sp.symbols("q v w", nonnegative=True)
    shares, outers, inners = nonnegatives("q v w")
    each = {active: shares[INDEX], outer: outers[INDEX], inner: inners[INDEX]}
    whole, part, known = outer * inner, sp.sqrt(active) * outer * inner, (sp.Le(active, 1),)
    last = summed(whole, part, each, "over all units", term=0, conditions=known)
    return Proof(
        (Step(whole, part, Rule.POLYNOMIAL, "one unit", conditions=known), last), _TWO, lhs=last.after, rhs=last.before
    )


def b12c() -> Proof:
    """The arithmetic mean is at least the geometric one."""
    outer, inner = sp.symbols("v w", nonnegative=True)
    bias = sp.Symbol("b", real=True)
    (outers, inners), (biases,) = nonnegatives("v w"), reals("b")
    each = {outer: outers[INDEX], inner: inners[INDEX], bias: biases[INDEX]}
    half, product = (outer**2 + inner**2 + bias**2) / 2, outer * inner
    last = summed(half, product, each, "over all units", term=0)
    return Proof((Step(half, product, Rule.POLYNOMIAL, "one unit"), last), _TWO, lhs=last.after, rhs=last.before)


def b12d() -> Proof:
    """Two halves of a circle share what their middles leave of a half."""
    turn, overlap = sp.symbols("a q", nonnegative=True)
    half = sp.Rational(1, 2)
    arcs = sum(
        sp.Max(sp.Min(half, turn + around + half) - sp.Max(-half, turn + around - half), 0) for around in (-2, 0, 2)
    )
    shared = (sp.Le(turn, 1),)
    rotated = (
        "the Gaussian distribution is the same after every rotation, so the direction of x in the plane of w_j and w_k is "
        "uniform on the circle"
    )
    return Proof(
        (
            Step(overlap, arcs / 2, Rule.CITED, rotated),
            Step(arcs / 2, overlap, Rule.CITED, f"{rotated}; and the other way"),
            *both_ways(
                arcs / 2,
                (1 - turn) / 2,
                "the arcs where both units are active, in units of pi: from -1/2 to 1/2 and from a - 1/2 to a + 1/2, a whole "
                "circle being 2",
                conditions=shared,
            ),
        ),
        "any dimension of at least 2, any two weights other than 0",
        lhs=overlap,
        rhs=(1 - turn) / 2,
    )


def b13() -> Proof:
    """The norms of the layers bound the singular values of their masked product."""
    norms, powers = nonnegatives("F s")
    mean, biases = sp.symbols("G c", nonnegative=True)
    entry, mask = sp.symbols("u p", real=True)
    total = over_all(norms[INDEX])
    schatten = COUNT * sp.Sum(powers[ROW], (ROW, 1, ROWS))
    return Proof(
        (
            Step(
                entry**2,
                (mask * entry) ** 2,
                Rule.POLYNOMIAL,
                "a mask makes no entry of a layer larger, so no Frobenius norm",
                conditions=(sp.Or(sp.Eq(mask, 0), sp.Eq(mask, 1)),),
            ),
            Step(total + biases, total, Rule.POLYNOMIAL, "the weights without the biases, whose squared norm is c"),
            Step(total, COUNT * mean, Rule.CITED, f"{AM_GM}; G is the geometric one"),
            Step(
                COUNT * mean,
                schatten,
                Rule.CITED,
                "Hoelder's inequality for singular values (Horn 1950; Bhatia, Matrix Analysis, IV.2): of a product of l "
                "matrices, masked ones, the sum of the powers 2/l of the singular values is at most the product of the powers "
                "2/l of their Frobenius norms; s has the former, G is the latter without masks",
                uses=(0,),
            ),
        ),
        "networks of any depth and width, any point; by two textbook theorems",
        lhs=total + biases,
        rhs=schatten,
    )


def b13a() -> Proof:
    """The squared norm of a product is at most the product of the squared norms."""
    steps, left, product = frobenius()
    return Proof(
        steps,
        "networks of any depth and width whose layers follow one another, any data and biases",
        lhs=left,
        rhs=product,
    )
