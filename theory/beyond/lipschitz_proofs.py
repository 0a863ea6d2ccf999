"""Proofs of our claims on Lipschitz constants of two layers (B20), and on what Lipschitz functions shatter (B21)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, cauchy_schwarz, nonnegatives, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_constant, _far, _moved = sp.symbols("L V D", nonnegative=True)
_ANY = "any numbers of inputs, units and outputs, any biases, any two points"


def b20() -> Proof:
    """A segment passes through finitely many pieces, and each of them moves f by at most its share of it."""
    most = _constant * _far * _moved
    part, slope = sp.Symbol("s", nonnegative=True), sp.Symbol("g", real=True)
    parts, slopes = nonnegatives("s")[0], reals("g")[0]
    bounded, whole = over_all(parts[INDEX] * most), over_all(parts[INDEX] * slopes[INDEX])
    each = {part: parts[INDEX], slope: slopes[INDEX]}
    conditions = (sp.Ge(most, slope),)
    return Proof(
        (
            Step(
                most,
                slopes[1],
                Rule.CITED,
                "Cauchy and Schwarz, and Rayleigh and Ritz: g = <f(x + v) - f(x), J v>, J being the Jacobian of the first "
                "piece on the way from x to x + v, or of one beside it; likewise of every other",
            ),
            Step(part * most, part * slope, Rule.POLYNOMIAL, "its share of the way", conditions=conditions),
            summed(
                part * most,
                part * slope,
                each,
                "over all pieces",
                term=1,
                conditions=conditions,
                uses=(0,),
            ),
            Step(bounded, most * over_all(parts[INDEX]), Rule.INDUCTION, "the bound apart", variable=COUNT, base=1),
            Step(
                _constant * _far,
                _moved,
                Rule.POLYNOMIAL,
                "the shares add up to 1, and f moves by the sum of what it moves on them; divided by D, or D = 0",
                conditions=(
                    sp.Eq(over_all(parts[INDEX]), 1),
                    sp.Eq(_moved**2, whole),
                    sp.Ge(bounded, whole),
                    sp.Eq(bounded, most * over_all(parts[INDEX])),
                ),
                uses=(2, 3),
            ),
        ),
        _ANY,
        lhs=_moved,
        rhs=_constant * _far,
    )


def b20a() -> Proof:
    """Each unit passes on a share of what it is given, from 0 to 1: the average of all and of all with some signs."""
    number, share = sp.Symbol("a", real=True), sp.Symbol("b", nonnegative=True)
    numbers, shares = reals("a")[0], nonnegatives("b")[0]
    before, after = (number + sp.Abs(number)) / 2, share * number
    between = (sp.Le(share, 1),)
    numbers_of = {number: numbers[INDEX], share: shares[INDEX]}
    halves = over_all((numbers[INDEX] + sp.Abs(numbers[INDEX])) / 2)
    total, sizes = over_all(numbers[INDEX]), over_all(sp.Abs(numbers[INDEX]))
    passed = over_all(shares[INDEX] * numbers[INDEX])

    product, outer, inner = sp.symbols("P N M", nonnegative=True)
    out, into = nonnegatives("p q")
    squares = over_all(out[INDEX] ** 2), over_all(into[INDEX] ** 2)
    joined = over_all(out[INDEX] * into[INDEX])

    one_out, one_in, norm_out, norm_in = sp.symbols("p q n w", nonnegative=True)
    norms_out, norms_in = nonnegatives("n w")
    apiece = norm_out * _moved * norm_in * _far
    bounded = (sp.Ge(norm_out * _moved, one_out), sp.Ge(norm_in * _far, one_in))
    units = {one_out: out[INDEX], one_in: into[INDEX], norm_out: norms_out[INDEX], norm_in: norms_in[INDEX]}
    path = over_all(norms_out[INDEX] * norms_in[INDEX])
    by_units = over_all(norms_out[INDEX] * _moved * norms_in[INDEX] * _far)
    u, v = reals("u v")
    factor = (product + sp.Min(outer * inner, path)) / 2
    return Proof(
        (
            Step(before, after, Rule.POLYNOMIAL, "a share b of a", conditions=between),
            summed(before, after, numbers_of, "over the units", term=0, conditions=between),
            Step(halves, (total + sizes) / 2, Rule.INDUCTION, "the two sums apart", variable=COUNT, base=1),
            Step(
                product * _far * _moved,
                total,
                Rule.CITED,
                "Cauchy and Schwarz, and Rayleigh and Ritz: the sum is <f(x + v) - f(x), V W v>",
            ),
            cauchy_schwarz(out, into, "p_j = |<f(x + v) - f(x), v_j>|, q_j = |<w_j, v>|"),
            Step(outer**2 * _moved**2, squares[0], Rule.CITED, "Rayleigh and Ritz, of the transpose of V"),
            Step(inner**2 * _far**2, squares[1], Rule.CITED, "Rayleigh and Ritz, of W"),
            Step(
                outer * inner * _far * _moved,
                joined,
                Rule.POLYNOMIAL,
                "by the product of the norms",
                conditions=(
                    sp.Ge(squares[0] * squares[1], joined**2),
                    sp.Ge(outer**2 * _moved**2, squares[0]),
                    sp.Ge(inner**2 * _far**2, squares[1]),
                    sp.Ge(squares[0], 0),
                    sp.Ge(squares[1], 0),
                ),
                uses=(4, 5, 6),
            ),
            cauchy_schwarz(
                u, v, "one unit: p_j^2 <= n_j^2 D^2 with n_j = |v_j|, and q_j^2 <= w_j^2 V^2 with w_j its length"
            ),
            Step(apiece, one_out * one_in, Rule.POLYNOMIAL, "one unit", conditions=bounded, uses=(8,)),
            summed(apiece, one_out * one_in, units, "over the units", term=9, conditions=bounded, uses=(8,)),
            Step(by_units, _moved * _far * path, Rule.INDUCTION, "D V apart", variable=COUNT, base=1),
            Step(
                factor * _far * _moved,
                _moved**2,
                Rule.POLYNOMIAL,
                "f moves by b_j a_j over the units, and |a_j| = p_j q_j",
                conditions=(
                    sp.Eq(_moved**2, passed),
                    sp.Ge(halves, passed),
                    sp.Eq(halves, (total + sizes) / 2),
                    sp.Ge(product * _far * _moved, total),
                    sp.Eq(sizes, joined),
                    sp.Ge(outer * inner * _far * _moved, joined),
                    sp.Ge(by_units, joined),
                    sp.Eq(by_units, _moved * _far * path),
                ),
                uses=(1, 2, 3, 7, 10, 11),
            ),
            Step(
                factor * _far,
                _moved,
                Rule.POLYNOMIAL,
                "divided by D, or D = 0",
                conditions=(sp.Ge(factor * _far * _moved, _moved**2),),
                uses=(12,),
            ),
        ),
        _ANY,
        lhs=_moved,
        rhs=factor * _far,
    )


def b21() -> Proof:
    """Two functions show that shattered points are far apart; McShane's extension of +-gamma, that such are shattered."""
    shattered, separated = sp.symbols("F P", integer=True, nonnegative=True)
    constant, margin, apart, closest = sp.symbols("C g d e", positive=True)
    first, second, level, other = sp.symbols("f h r s", real=True)
    first_there, second_there = sp.symbols("f_1 h_1", real=True)
    here, there, value, distance = sp.symbols("X Y z x", real=True)
    to_here, to_there = sp.symbols("a b", nonnegative=True)
    one, another = sp.symbols("j k", real=True)

    def is_signed(number: sp.Expr) -> sp.Basic:
        return sp.Or(sp.Eq(number, margin), sp.Eq(number, -margin))

    extends, agrees = (constant * distance + there, here), (constant * closest + another, one)
    return Proof(
        (
            Step(
                constant * apart,
                2 * margin,
                Rule.POLYNOMIAL,
                "the two closest of shattered points: f is above the level of the first and below that of the second, and h "
                "the other way",
                conditions=(
                    sp.Ge(first, level + margin),
                    sp.Le(first_there, other - margin),
                    sp.Le(second, level - margin),
                    sp.Ge(second_there, other + margin),
                    sp.Ge(constant * apart, first - first_there),
                    sp.Ge(constant * apart, second_there - second),
                ),
            ),
            Step(
                separated,
                shattered,
                Rule.POLYNOMIAL,
                "the most shattered points are 2 gamma/C apart, and P is the most that are: unless d < 2 gamma/C, P >= F",
                conditions=(
                    sp.Ge(constant * apart, 2 * margin),
                    sp.Or(sp.Lt(constant * apart, 2 * margin), sp.Ge(separated, shattered)),
                ),
                uses=(0,),
            ),
            Step(
                *extends,
                Rule.POLYNOMIAL,
                "McShane: the least of f(x_k) + C d(., x_k) over the points is C-Lipschitz; z + C b is the least at the second",
                conditions=(
                    sp.Eq(there, value + constant * to_there),
                    sp.Le(here, value + constant * to_here),
                    sp.Le(to_here, distance + to_there),
                ),
            ),
            Step(
                *agrees,
                Rule.POLYNOMIAL,
                "and takes the values +-gamma that are given, j at a point and k at any other, e being the smallest distance",
                conditions=(sp.Ge(constant * closest, 2 * margin), is_signed(one), is_signed(another)),
            ),
            Step(
                shattered,
                separated,
                Rule.POLYNOMIAL,
                "with the levels 0 the most separated points are shattered, and F is the most that are: unless this function "
                "is not Lipschitz or not as given, F >= P",
                conditions=(
                    sp.Ge(*extends),
                    sp.Ge(*agrees),
                    sp.Or(sp.Lt(*extends), sp.Lt(*agrees), sp.Ge(shattered, separated)),
                ),
                uses=(2, 3),
            ),
        ),
        "any finite space, constant and margin; by McShane's extension, all spaces whose largest separated subset is finite",
        lhs=shattered,
        rhs=separated,
    )
