"""Proofs of B2: what a dual matrix says of the sharpness of networks."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, cauchy_schwarz, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_n = sp.Symbol("n", positive=True)
_constant = sp.Symbol("c", real=True)
_idle = sp.Symbol("o", nonnegative=True)
_w1, _w2 = sp.symbols("w1 w2", real=True)
_p, _r = sp.symbols("P R", nonnegative=True)
_size = _w2 * sp.Abs(_w1)
_cost = sp.sqrt(_p) * sp.sqrt(_r) / _n
_rest = (_constant + _idle) / _n


def _indexed(*symbols: sp.Symbol) -> dict[sp.Symbol, sp.Expr]:
    """Return what stands for symbols in a sum: the sequence of their name, of the sign that they have."""
    return {
        s: sp.IndexedBase(s.name, **({"nonnegative": True} if s.is_nonnegative else {"real": True}))[INDEX]
        for s in symbols
    }


def from_the_dual() -> tuple[Step, Step, Step]:
    """Return lambda >= (c + o)/n + the sum over all units of 2 |v| h_s(t): steps 0 to 2 of a proof.

    c is 1^T Z 1, o what the units with w1 = 0 add to tr(Z Phi^T Phi); of each other unit there are w1, w2, P and R.
    """
    unit, least = (_w2**2 * _p + _w1**2 * _r) / _n, 2 * sp.Abs(_size) * _cost
    many = _indexed(_w1, _w2, _p, _r)
    return (
        Step(
            sp.Symbol("lambda", real=True),
            _rest + over_all(unit.subs(many)),
            Rule.CITED,
            "the trace of a product of positive semidefinite matrices is not negative (Fejer): that of Z and lambda_max - G, "
            "tr Z = 1; G = Phi^T Phi / n is 1 1^T / n, from the output's bias, and what the units add: P = x_A^T Z x_A + "
            "1_A^T Z 1_A and R = r^T Z r; o >= 0 from those with w1 = 0",
        ),
        Step(
            unit,
            least,
            Rule.NONNEGATIVE,
            "the two terms of a unit against their geometric mean, which is 2 |v| h_s(t), v = w2 |w1|",
            ((sp.Abs(_w2) * sp.sqrt(_p) - sp.Abs(_w1) * sp.sqrt(_r)) ** 2 / _n,),
        ),
        Step(_rest + over_all(unit.subs(many)), _rest + over_all(least.subs(many)), Rule.SUM, "over all units", term=1),
    )


def b2() -> Proof:
    """The dual bound, with a tilt."""
    other = sp.Symbol("O", nonnegative=True)
    sign, faces_left, tilt = sp.symbols("sigma e nu", real=True)
    many = _indexed(_w1, _w2, _p, _r, other, sign, faces_left)
    right = sp.Min(_cost, other - sign * tilt)
    left = sp.Min(other, _cost - sign * tilt)
    gained = 2 * _size * (sign * ((1 - faces_left) * right + faces_left * left) + faces_left * tilt)
    given = (
        sp.Or(sp.Eq(sign, 1), sp.Eq(sign, -1)),
        sp.Or(sp.Eq(faces_left, 0), sp.Eq(faces_left, 1)),
        sp.Le(tilt, _cost + other),
        sp.Ge(tilt, -_cost - other),
    )
    first = from_the_dual()
    total = over_all(gained.subs(many, simultaneous=True))
    (sizes,) = reals("v")
    weight = sp.Symbol("h", real=True)
    return Proof(
        (
            *first,
            Step(
                over_all(sign * weight * sizes[INDEX]),
                sign * weight * over_all(sizes[INDEX]),
                Rule.IDENTITY,
                "units of one knot: their v add up to the jump Delta of f' there, whichever way they face, and with sigma its "
                "sign to |Delta|; where f has none, to 0. And left of all knots only units that face left are active, with "
                "slope -v: theirs add up to -f'(-infinity)",
            ),
            Step(
                2 * sp.Abs(_size) * _cost,
                gained,
                Rule.POLYNOMIAL,
                "a unit, e = 1 if it faces left and 0 if not, with h_s(t) = sqrt(P R)/n on its own side and O on the other; "
                "sigma is the sign of f's jump at its knot: it adds at least 2 v (sigma min(h_+, h_- - sigma nu) + e nu)",
                conditions=given,
            ),
            Step(
                first[2].after,
                _rest + total,
                Rule.SUM,
                "over all units; units of one knot and f's slope are as in step 3",
                term=4,
                conditions=tuple(c.subs(many, simultaneous=True) for c in given),
                uses=(3,),
            ),
            Step(
                _rest + total, _constant / _n + total, Rule.NONNEGATIVE, "without the units with w1 = 0", (_idle / _n,)
            ),
        ),
        "any number of units and data points, where no unit toggles on a data point",
        lhs=first[0].before,
        rhs=_constant / _n + total,
    )


def b2a() -> Proof:
    """Units of one knot and orientation may be made one."""
    rest, slope = sp.symbols("c k", real=True)
    square, distances = sp.Symbol("q", nonnegative=True), sp.Symbol("r", nonnegative=True)
    many = _indexed(_w1, _w2, square, distances, slope)
    own = _w2**2 * square + _w1**2 * distances
    merged = _w2**2 * square + (2 * slope * _size - slope**2 * _w2**2) * distances
    (w1, w2) = (many[_w1], many[_w2])
    sides = [(rest + over_all(term.subs(many, simultaneous=True))) / _n for term in (own, merged)]
    return Proof(
        (
            Step(
                own,
                merged,
                Rule.NONNEGATIVE,
                "a unit adds w2^2 q + w1^2 r along u, q = (x_A^T u)^2 + (1_A^T u)^2 and r the square of the distances along u; "
                "k is v/a for the units of its knot and orientation, 0 if a = 0",
                (distances * (sp.Abs(_w1) - slope * _w2) ** 2,),
            ),
            Step(
                over_all(2 * slope * w2 * sp.Abs(w1) - slope**2 * w2**2),
                2 * slope * over_all(w2 * sp.Abs(w1)) - slope**2 * over_all(w2**2),
                Rule.IDENTITY,
                "units of one knot and orientation: 2 k v - k^2 a, where a = sum w2^2 and v = sum w2 |w1|; at k = v/a this is "
                "b' = v^2/a, and if a = 0, so is v, and it is 0",
            ),
            summed(
                own,
                merged,
                many,
                "over all units: the right side is what one unit for each knot and orientation adds, with a' = a and b'",
                term=0,
                uses=(1,),
            ),
            Step(
                sides[0],
                sides[1],
                Rule.SCALED,
                "with what the output's bias and the units with w1 = 0 add, c",
                term=2,
                factor=1 / _n,
            ),
        ),
        "any number of units and data points, every direction",
        lhs=sides[1],
        rhs=sides[0],
    )


def b2c() -> Proof:
    """Near the leftmost data point a dual matrix weighs at most n Z_11 times as much as g."""
    x, z = sp.Symbol("x_1", real=True), sp.Symbol("Z_11", nonnegative=True)
    distance = sp.Symbol("d", positive=True)
    cost = sp.sqrt(z * x**2 + z) * sp.sqrt(z * distance**2) / _n
    weight = distance * sp.sqrt(1 + x**2) / _n**2
    right, other = sp.symbols("h g", nonnegative=True)
    return Proof(
        (
            Step(
                _n * z * sp.Min(weight, other),
                _n * z * weight,
                Rule.POLYNOMIAL,
                "g(t) is g_-(t), where g_-(t) <= g_+(t)",
                conditions=(sp.Le(weight, other),),
            ),
            Step(
                _n * z * weight,
                cost,
                Rule.IDENTITY,
                "between x_1 and x_2, and at x_2, x_1 is the only point on the left of t = x_1 + d: "
                "h_-(t) = n Z_11 g_-(t)",
            ),
            Step(cost, sp.Min(right, cost), Rule.POLYNOMIAL, "and the lower of h_+(t) and h_-(t) is at most that"),
        ),
        "any number of data points; from the other end by reflection",
        lhs=sp.Min(right, cost),
        rhs=_n * z * sp.Min(weight, other),
    )


def b2d() -> Proof:
    """Of a constant function no dual matrix says more than M5."""
    z, first, second = sp.symbols("z x y", real=True)
    (entries, row, column, ones, gaps) = reals("z x y e u")
    total, squares = over_all(entries[INDEX]), over_all(entries[INDEX] ** 2)
    apart = over_all((entries[INDEX] - 1 / _n) ** 2)
    expanded = squares - 2 * total / _n + COUNT / _n**2
    says, flat = sp.Ge(total / _n, 1), sp.Le(apart, 0)
    directions = ((1, 0), (0, 1), (1, 1), (1, -1), (second, -z), (-z, first))
    forms = tuple(sp.Ge(a**2 * first + 2 * a * b * z + b**2 * second, 0) for a, b in directions)
    entries_of = {z: entries[INDEX], first: row[INDEX], second: column[INDEX]}
    return Proof(
        (
            Step(
                first * second,
                z**2,
                Rule.POLYNOMIAL,
                "Z >= 0: of an entry z of it, and those on the diagonal in its row and column, x and y, the form "
                "a^2 x + 2 a b z + b^2 y is nowhere negative, and with (a, b) = (y, -z) and (-z, x) among others the minor is "
                "not",
                conditions=forms,
            ),
            Step(
                over_all(row[INDEX] * column[INDEX]),
                squares,
                Rule.SUM,
                "over all n^2 entries: tr Z^2 <= (tr Z)^2 = 1",
                term=0,
                conditions=tuple(form.xreplace(entries_of) for form in forms),
            ),
            Step(apart, expanded, Rule.IDENTITY, "how far Z is from 1 1^T/n, with m = n^2 entries"),
            Step(
                flat,
                says,
                Rule.POLYNOMIAL,
                "so it is at most 2 - 2 1^T Z 1/n",
                conditions=(sp.Eq(apart, expanded), sp.Le(squares, 1), sp.Eq(COUNT, _n**2)),
                uses=(1, 2),
            ),
            cauchy_schwarz(
                gaps,
                ones,
                "with e_i = 1, u_i the entries of Z - 1 1^T/n: m times their squares is at least their sum's square",
            ),
            Step(
                says,
                flat,
                Rule.POLYNOMIAL,
                "and where they are 0, their sum 1^T Z 1 - n is",
                conditions=(sp.Ge(COUNT * apart, (total - COUNT / _n) ** 2), sp.Eq(COUNT, _n**2)),
                uses=(4,),
            ),
        ),
        "any number of data points",
        lhs=says,
        rhs=flat,
    )


def b2e() -> Proof:
    """The dual bound for all networks through data."""
    gained = sp.Symbol("l", real=True)
    many = _indexed(_w1, _w2, _p, _r, gained)
    within = (sp.Le(gained, 2 * _cost), sp.Ge(gained, -2 * _cost))
    first = from_the_dual()
    values = over_all((_size * gained).subs(many))
    places = sp.Symbol("j", integer=True)
    (multipliers, outputs) = reals("p f")
    offset = sp.Symbol("b", real=True)
    every = (places, 1, COUNT)
    return Proof(
        (
            *first,
            Step(
                sp.Sum(multipliers[places] * (outputs[places] + offset), every),
                sp.Sum(multipliers[places] * outputs[places], every) + offset * sp.Sum(multipliers[places], every),
                Rule.IDENTITY,
                "f is the sum of its units and a constant: the p_j sum to 0, so that in sum_j p_j f(x_j) it drops out, and a "
                "unit adds v l, l = sum_j p_j [s (x_j - t)]_+",
            ),
            Step(
                2 * sp.Abs(_size) * _cost,
                _size * gained,
                Rule.POLYNOMIAL,
                "a unit adds at least 2 |v| h_s(t), and l is at most 2 h_s(t) in size",
                conditions=within,
            ),
            Step(
                first[2].after,
                _rest + values,
                Rule.SUM,
                "over all units",
                term=4,
                conditions=tuple(c.subs(many) for c in within),
                uses=(3,),
            ),
            Step(
                _rest + values,
                _constant / _n + values,
                Rule.NONNEGATIVE,
                "units with w1 = 0 are constant",
                (_idle / _n,),
            ),
        ),
        "any number of units and data points, where no unit toggles on a data point",
        lhs=first[0].before,
        rhs=_constant / _n + values,
    )
