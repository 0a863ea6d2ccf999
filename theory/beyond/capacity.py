"""The least product of norms over node-wise rescalings: B22, in closed form for two layers and by balance for any number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import sympy as sp

from theory.beyond import capacity_proofs as proofs
from theory.checks import Array, count, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, root_of
from theory.path_norms import Layers, rescaled
from theory.relu_network import exact_biases, exact_layers, square
from theory.sources import HOUSE, Source
from theory.symbols import Symbol


def _norms(name: str, value: Any) -> Array:
    """Return norms as rationals, not all 0.

    Raises:
        ValueError: if one is below 0, or all are 0.
    """
    norms = exact_vector(name, value)
    if np.any(norms < 0) or not np.any(norms > 0):
        raise ValueError(f"{name} must be at least 0 and not all 0, got {[float(norm) for norm in norms]}")
    return norms


def _nonzero_layers(name: str, value: Any) -> Layers:
    """Return weight matrices of rationals that follow one another.

    Raises:
        ValueError: if one is 0.
    """
    layers = exact_layers(name, value)
    for number, matrix in enumerate(layers):
        if not np.any(matrix != 0):
            raise ValueError(f"{name}[{number}] must not be 0 throughout")
    return layers


NONZERO_LAYERS = Symbol("layers", "(W_i)", "weight matrices, first to last, none of them 0, rationals", _nonzero_layers)
INCOMING = Symbol(
    "incoming", "a_j", "l_p norms of the incoming weights of the units, at least 0, not all 0, [m]", _norms
)
OUTGOING = Symbol("outgoing", "b_j", "sizes of their outgoing weights, at least 0, not all 0, [m]", _norms)
UNIT_FACTORS = Symbol("unit_factors", "c_j", "factors of the units, [m]", exact_vector)
WITHIN = Symbol("within", "p", "exponent within a unit: a whole number here, any p > 0 in the proofs", count)
ACROSS = Symbol("across", "q", "exponent across the units, likewise", count)
HIDDEN_LAYER_NUMBER = Symbol("place", "i", "number of a hidden layer, from 0", lambda n, v: count(n, v, fewest=0))
UNIT_NUMBER = Symbol("unit", "k", "number of one of its units, from 0", lambda n, v: count(n, v, fewest=0))
HIDDEN_FACTORS = Symbol("hidden_factors", "c", "factors of the hidden units, layer by layer, rationals", exact_biases)


def total(parts: Sequence[Enclosure]) -> Enclosure:
    """Return the sum of intervals."""
    return sum(parts, Enclosure.exactly(Fraction(0)))


def rational_power(value: Enclosure, numerator: int, denominator: int) -> Enclosure:
    """Return a number >= 0 to the power of a fraction above 0."""
    ends = [root_of(Fraction(end) ** numerator, denominator) for end in (value.lower, value.upper)]
    return Enclosure(ends[0].lower, ends[1].upper)


def product_of_norms(across: Enclosure, within: Enclosure, p: int, q: int) -> Enclosure:
    """Return (||W_1||_{p,q} ||W_2||_p)^r, 1/r = 1/p + 1/q, of the sums of (c a)^q and of (b/c)^p."""
    first, second = rational_power(across, p, p + q), rational_power(within, q, p + q)
    return Enclosure(Fraction(first.lower) * Fraction(second.lower), Fraction(first.upper) * Fraction(second.upper))


def least_product(given: Instance) -> Enclosure:
    """Return the sum of the (a_j b_j)^r."""
    p, q = given["within"], given["across"]
    products = given["incoming"] * given["outgoing"]
    return total([rational_power(Enclosure.exactly(Fraction(v)), p * q, p + q) for v in products])


def _sums(given: Instance) -> tuple[Fraction, Fraction]:
    """Return the sums of (c a)^q and of (b/c)^p."""
    p, q, c = given["within"], given["across"], abs(given["unit_factors"])
    return Fraction(((c * given["incoming"]) ** q).sum()), Fraction(((given["outgoing"] / c) ** p).sum())


def _any_factors_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    across, within = (Enclosure.exactly(value) for value in _sums(given))
    return product_of_norms(across, within, given["within"], given["across"]), least_product(given)


def _exact(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


def _reads_any_factors(given: Instance) -> dict[str, Any]:
    p, q, c = given["within"], given["across"], abs(given["unit_factors"])
    share, r = sp.Rational(p, p + q), sp.Rational(p * q, p + q)
    across, within = _sums(given)
    return {
        "m": len(c),
        "h": share,
        "X": across,
        "Y": within,
        "K": _exact(across) ** share * _exact(within) ** (1 - share),
        "u": list((c * given["incoming"]) ** q),
        "v": list((given["outgoing"] / c) ** p),
        "z": [_exact(Fraction(v)) ** r for v in given["incoming"] * given["outgoing"]],
    }


def _balanced_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return the product at the factors c_j with c_j^(p + q) = b_j^p/a_j^q, and the least."""
    p, q = given["within"], given["across"]
    across, within = [], []
    for a, b in zip(given["incoming"], given["outgoing"], strict=True):
        factor = Enclosure.exactly(Fraction(b**p / a**q))
        across.append(rational_power(factor, q, p + q).times(Fraction(a**q)))
        below = rational_power(factor, p, p + q)
        within.append(Enclosure(b**p / Fraction(below.upper), b**p / Fraction(below.lower)))
    return product_of_norms(total(across), total(within), p, q), least_product(given)


def _reads_balanced(given: Instance) -> dict[str, Any]:
    p, q = given["within"], given["across"]
    return {
        "m": len(given["incoming"]),
        "g": sp.Rational(q, p),
        "r": sp.Rational(p * q, p + q),
        "a": list(given["incoming"]),
        "b": list(given["outgoing"]),
    }


def squared_product(layers: Layers) -> Fraction:
    """Return prod ||W_i||_F^2."""
    return prod((square(matrix) for matrix in layers), start=Fraction(1))


def imbalance(layers: Layers) -> list[Fraction]:
    """Return by how much the share of each hidden unit's incoming squares in their layer exceeds that of its outgoing ones."""
    found: list[Fraction] = []
    for below, above in pairwise(layers):
        into, out = (below * below).sum(axis=1) / square(below), (above * above).sum(axis=0) / square(above)
        found += [Fraction(value) for value in into - out]
    return found


def _deep_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    layers = given["layers"]
    return (
        Enclosure.exactly(squared_product(rescaled(layers, given["hidden_factors"]))),
        Enclosure.exactly(squared_product(layers)),
    )


def _reads_deep(given: Instance) -> dict[str, Any]:
    """Return what the symbols of B22.b's proof are."""
    layers, moved = given["layers"], rescaled(given["layers"], given["hidden_factors"])
    products = [sp.Integer(1)]
    for matrix, factors in zip(layers, given["hidden_factors"], strict=False):
        shares = (matrix * matrix).sum(axis=1) / square(matrix)
        powers = [_exact(Fraction(c**2)) ** _exact(Fraction(s)) for c, s in zip(factors, shares, strict=True)]
        products.append(sp.Mul(*powers))
    products.append(sp.Integer(1))
    return {
        "m": len(layers),
        "F": squared_product(layers),
        "y": [square(after) / square(before) for before, after in zip(layers, moved, strict=True)],
        "E": products,
        "G": [after / before for before, after in pairwise(products)],
    }


def _parts(given: Instance) -> dict[str, Fraction]:
    """Return the squares that enter a unit and leave it (x, z), the rest of their layers (y, w), and the other layers' (Q).

    Raises:
        ValueError: if there is no such hidden unit.
    """
    layers, place, unit = given["layers"], given["place"], given["unit"]
    if place >= len(layers) - 1 or unit >= len(layers[place]):
        raise ValueError(f"place and unit must be of a hidden unit, got {place} and {unit}")
    below, above = layers[place], layers[place + 1]
    into, out = square(below[unit]), square(above[:, unit])
    rest = [square(matrix) for number, matrix in enumerate(layers) if number not in (place, place + 1)]
    return {
        "x": into,
        "y": square(below) - into,
        "z": out,
        "w": square(above) - out,
        "Q": prod(rest, start=Fraction(1)),
    }


def _mixed(parts: dict[str, Fraction]) -> Enclosure:
    """Return the root of x y z w."""
    return root_of(parts["x"] * parts["y"] * parts["z"] * parts["w"], 2)


def _one_unit_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    parts = _parts(given)
    x, y, z, w, others = (parts[name] for name in "xyzwQ")
    factor = root_of(z * y / (x * w), 2)  # c^2
    ends = [Fraction(factor.lower), Fraction(factor.upper)]
    layers = Enclosure((y + x * ends[0]) * (w + z / ends[1]), (y + x * ends[1]) * (w + z / ends[0]))
    mixed = _mixed(parts)
    gain = Enclosure(x * w + z * y - 2 * Fraction(mixed.upper), x * w + z * y - 2 * Fraction(mixed.lower))
    whole = (x + y) * (z + w)
    return (
        layers.times(others),
        Enclosure(whole - Fraction(gain.upper), whole - Fraction(gain.lower)).times(others),
    )


def _reads_one_unit(given: Instance) -> dict[str, Any]:
    parts = _parts(given)
    return {"Q": parts["Q"], **{name: sp.sqrt(_exact(parts[name])) for name in "xyzw"}}


def _nonzero(name: str) -> Assumption:
    return Assumption(
        "no factor is 0",
        lambda given: [float(c) for vector in given[name] for c in np.ravel(vector)],
        lambda factors: 0 not in factors,
    )


def _weighted(incoming: Any, outgoing: Any, p: int, q: int, **more: Any) -> Instance:
    given = {"incoming": rationals(incoming), "outgoing": rationals(outgoing), "within": p, "across": q}
    return Instance({**given, **more}, "named")


B22 = Claim(
    id="B22",
    source=Source(HOUSE, "B22"),
    statement=r"\tfrac1r = \tfrac1p + \tfrac1q:\quad \big(\|W_1^c\|_{p,q}\, \|W_2^c\|_p\big)^r \ge \sum_j (a_j b_j)^r",
    form=Form.AT_LEAST,
    symbols=(INCOMING, OUTGOING, UNIT_FACTORS, WITHIN, ACROSS),
    assumptions=(_nonzero("unit_factors"),),
    sides=_any_factors_sides,
    proof=proofs.b22,
    reads=_reads_any_factors,
    finding=Finding.OURS,
    note="Two layers and one output, after any rescaling of the units: an infimum, and a minimum where no unit is half dead "
    "(B22.a). Frobenius norms, p = q = 2, have r = 1: the sum of the a_j b_j; as q grows r goes to p, the path norm (N3.a).",
    extremal=_weighted([2], [2], 2, 2, unit_factors=rationals([1])),
)

B22A = Claim(
    id="B22.a",
    amends="B22",
    source=Source(HOUSE, "B22"),
    statement=r"c_j^{p + q} = b_j^p / a_j^q:\quad \big(\|W_1^c\|_{p,q}\, \|W_2^c\|_p\big)^r = \sum_j (a_j b_j)^r",
    form=Form.IDENTITY,
    symbols=(INCOMING, OUTGOING, WITHIN, ACROSS),
    assumptions=(
        Assumption(
            "a_j > 0 and b_j > 0 for every unit",
            lambda given: [float(v) for name in ("incoming", "outgoing") for v in given[name]],
            lambda norms: all(norm > 0 for norm in norms),
        ),
    ),
    sides=_balanced_sides,
    proof=proofs.b22a,
    reads=_reads_balanced,
    finding=Finding.OURS,
    note="Where the least product of B22 is attained. A unit with both at 0 may be left out; where one of them is 0 the "
    "factor would be 0 or infinite.",
    extremal=_weighted([2], [2], 2, 2),
)

B22B = Claim(
    id="B22.b",
    amends="B22",
    source=Source(HOUSE, "B22"),
    statement=r"\frac{\|(W_i)_{k \cdot}\|^2}{\|W_i\|_F^2} = \frac{\|(W_{i+1})_{\cdot k}\|^2}{\|W_{i+1}\|_F^2} \ \forall i, k:"
    r"\quad \prod_i \|W_i^c\|_F^2 \ge \prod_i \|W_i\|_F^2",
    form=Form.AT_LEAST,
    symbols=(NONZERO_LAYERS, HIDDEN_FACTORS),
    assumptions=(
        Assumption(
            "every hidden unit is balanced, up to the scales of the layers",
            lambda given: [float(value) for value in imbalance(given["layers"])],
            lambda differences: not any(differences),
        ),
        _nonzero("hidden_factors"),
    ),
    sides=_deep_sides,
    proof=proofs.b22b,
    reads=_reads_deep,
    finding=Finding.OURS,
    note="Any depth and number of outputs: weights whose hidden units are balanced have the least product of Frobenius norms "
    "of all that a rescaling leads to. In the logarithms of the factors the problem is convex, a geometric program. Only "
    "balanced weights have it: B22.c.",
    extremal=Instance(
        {
            "layers": (rationals([[1], [2]]), rationals([[1, 2]])),
            "hidden_factors": (rationals([2, 2]),),
        },
        "named",
    ),
)

B22C = Claim(
    id="B22.c",
    amends="B22",
    source=Source(HOUSE, "B22"),
    statement=r"x, z \text{ the norms of what enters unit } k \text{ of layer } i \text{ and leaves it},\ "
    r"x^2 + y^2 = \|W_i\|_F^2,\ z^2 + w^2 = \|W_{i+1}\|_F^2,\ c_k^2 = \tfrac{z y}{x w}:\quad "
    r"\prod_l \|W_l^c\|_F^2 = \prod_l \|W_l\|_F^2 - (x w - y z)^2 \!\!\! \prod_{l \ne i, i+1} \!\!\! \|W_l\|_F^2",
    form=Form.IDENTITY,
    symbols=(NONZERO_LAYERS, HIDDEN_LAYER_NUMBER, UNIT_NUMBER),
    assumptions=(
        Assumption(
            "weights other than 0 enter the unit, leave it, enter another of its layer and leave another",
            lambda given: [_parts(given)[name] for name in "xyzw"],
            all,
        ),
    ),
    sides=_one_unit_sides,
    proof=proofs.b22c,
    reads=_reads_one_unit,
    finding=Finding.OURS,
    note="So only balanced weights have the least product (B22.b): x w = y z says that the shares of the unit in both layers "
    "are equal, and where they are not the factor of this unit alone lowers it. No other factor of this unit lowers it more. "
    "A unit that is alone in one of its layers and not in the other is never balanced, and the infimum is not attained.",
    extremal=Instance({"layers": (rationals([[2], [1]]), rationals([[1, 1]])), "place": 0, "unit": 0}, "named"),
)

CLAIMS = (B22, B22A, B22B, B22C)
