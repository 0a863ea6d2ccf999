"""B6: path lengths over all pairs of the data, in closed form."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy as sp

from theory.assumptions import implemented
from theory.checks import Array, dot, exact_matrix, exact_sequence, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.lemmas import cauchy_schwarz, reals
from theory.path_lengths import (
    function_path_length,
    gradient_path_length,
    gradient_variation,
    mean_over_pairs,
    network_path_length,
    weights_product,
)
from theory.proof import Proof, Rule, Step
from theory.sources import HOUSE, Source
from theory.symbols import HIDDEN_LAYER, RATIONAL_WEIGHTS, Symbol
from theory.two_layer import Weights

NETWORK = (*HIDDEN_LAYER, Symbol("inputs", "(x_j)", "the data, rationals, [n, d]; points may coincide", exact_matrix))
ON_DATA = (RATIONAL_WEIGHTS, Symbol("x", "(x_j)", "the data, rationals, [n]; points may coincide", exact_sequence))


def network(given: Instance) -> tuple[Array, Array, Array]:
    """Return w1 [h, d], b1 [h] and w2 [h] of an instance, exactly."""
    w1, b1, w2 = (rationals(given[name]) for name in ("hidden", "biases", "outputs"))
    return w1, b1, w2


def _mean_gradient_variation(given: Instance) -> Enclosure:
    """PL1 by its definition: the mean over all ordered pairs of points; a segment and its reverse vary alike."""
    points, total = given["inputs"], Enclosure.exactly(Fraction(0))
    for j in range(len(points)):
        for k in range(j):
            total = total + gradient_variation(*network(given), points[j], points[k])
    return total.times(Fraction(2, len(points) ** 2))


def active_shares(given: Instance) -> Array:
    """Return q_i, the share of the data on the active side of unit i, its hyperplane included, exactly, [h]."""
    w1, b1, _ = network(given)
    active = given["inputs"] @ w1.T + b1 >= 0
    return rationals([Fraction(int(column.sum()), len(column)) for column in active.T])


def weighted_sizes(given: Instance, shares: Array) -> Enclosure:
    """Return sum_i |w2_i| ||w1_i|| s_i for non-negative rationals s_i, [h]."""
    w1, _, w2 = network(given)
    total = Enclosure.exactly(Fraction(0))
    for row, output, share in zip(w1, w2, shares, strict=True):
        total = total + square_root((output * share) ** 2 * Fraction(dot(row, row)))
    return total


def _separating(given: Instance) -> Enclosure:
    q = active_shares(given)
    return weighted_sizes(given, 2 * q * (1 - q))


def half_weights_product(given: Instance) -> Enclosure:
    """Return WP / 2."""
    return weighted_sizes(given, rationals([Fraction(1, 2)] * len(given["hidden"])))


def _shared_switches(given: Instance) -> list[tuple[int, int, Fraction]]:
    """Pairs of points between which two units with w2 != 0 switch at one place, and the place."""
    w1, b1, w2 = network(given)
    values = (given["inputs"] @ w1.T + b1)[:, w2 != 0]
    found = []
    for j in range(len(values)):
        for k in range(j):
            start, end = values[j], values[k]
            switches = [s / (s - e) for s, e in zip(start, end, strict=True) if (s >= 0) != (e >= 0)]
            found += [(j, k, t) for t in sorted(set(switches)) if switches.count(t) > 1]
    return found


def _one_at_a_time() -> Assumption:
    return Assumption("no two units switch at one point of a segment", _shared_switches, lambda found: not found)


def function_variation(given: Instance) -> Fraction:
    """Return PL0 by its definition, the mean over all ordered pairs of the data, exactly."""
    return mean_over_pairs(given["x"], implemented(given).total_variation)


def cells(given: Instance) -> list[tuple[Fraction, int]]:
    """Return the variation of f between neighbouring data points in order, and how many points lie left of there."""
    f, x = implemented(given), sorted(given["x"])
    return [(Fraction(f.total_variation(a, b)), j + 1) for j, (a, b) in enumerate(pairwise(x)) if a < b]


def knot_counts(given: Instance) -> list[tuple[Fraction, int, int]]:
    """Return for each knot the size of the jump of f', and how many data points lie below and above it."""
    f, x = implemented(given), given["x"]
    return [
        (Fraction(abs(jump)), sum(v < knot for v in x), sum(v > knot for v in x))
        for knot, jump in zip(f.knots, f.jumps, strict=True)
    ]


def _function_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    n = len(given["x"])
    total = sum((variation * 2 * left * (n - left) for variation, left in cells(given)), Fraction(0))
    return Enclosure.exactly(function_variation(given)), Enclosure.exactly(total / n**2)


def open_gradient_variation(given: Instance) -> Fraction:
    """Return PL1 over open segments by its definition, the mean over all ordered pairs of the data, exactly."""
    return mean_over_pairs(given["x"], implemented(given).derivative_variation)


def _gradient_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    total = sum((size * 2 * below * above for size, below, above in knot_counts(given)), Fraction(0))
    return Enclosure.exactly(open_gradient_variation(given)), Enclosure.exactly(total / len(given["x"]) ** 2)


def _on_network(given: Instance) -> float:
    return network_path_length(*(given[symbol.name] for symbol in NETWORK))


_n, _k = sp.symbols("n k", integer=True, positive=True)
_i = sp.Symbol("i", integer=True)
_s, _m, _below, _above, _at = sp.symbols("s m b a e", nonnegative=True)
_is, _im, _ibelow, _iabove, _iat = (sp.IndexedBase(name, nonnegative=True) for name in "smbae")
_in = sp.IndexedBase("e", real=True)
_one, _number = sp.symbols("f E", real=True)
_separated, _shares = _s * 2 * _m * (_n - _m) / _n**2, _s * 2 * (_m / _n) * (1 - _m / _n)
_each = {_s: _is[_i], _m: _im[_i]}


def _over(term: sp.Expr, most: sp.Symbol = _k) -> sp.Expr:
    return sp.Sum(term, (_i, 1, most))


def _pairs_counted() -> tuple[Step, Step]:
    """Return how many ordered pairs have one of E points and one of the other n - E: steps 0 and 1 of a proof."""
    return (
        Step(
            _over(_one * (1 - _in[_i]) + (1 - _one) * _in[_i], _n),
            _one * (_n - _over(_in[_i], _n)) + (1 - _one) * _over(_in[_i], _n),
            Rule.IDENTITY,
            "the points that lie on the other side than a given one, e_i and f being 1 on the one side and 0 on the other",
        ),
        Step(
            _over(_in[_i] * (_n - _number) + (1 - _in[_i]) * _number, _n),
            _over(_in[_i], _n) * (_n - _number) + (_n - _over(_in[_i], _n)) * _number,
            Rule.IDENTITY,
            "over all points, E the sum of the e_i: 2 E (n - E) of the n^2 ordered pairs are separated",
            uses=(0,),
        ),
    )


def _counted(because: str) -> tuple[Step, ...]:
    """Return that a share 2 q (1 - q) of the pairs is separated, q = m/n, for one and for all: steps 0 to 3 of a proof."""
    return (
        *_pairs_counted(),
        Step(_separated, _shares, Rule.IDENTITY, because, uses=(1,)),
        Step(_over(_separated.subs(_each)), _over(_shares.subs(_each)), Rule.SUM, "over all", term=2),
    )


_UNITS = _counted(
    "a unit is active on a half-space, so it switches once on the segments with one end in it and on no other: with m points "
    "in it, 2 m (n - m) of the n^2 ordered pairs, each with the jump s = |w2| ||w1||, the norm of w2 w1; q = m/n"
)
_COUNT, _SIZES = _UNITS[3].before, _UNITS[3].after


def _moved(step: Step) -> Step:
    """Return a step as it reads after one more before it; the first of them uses that one."""
    term = None if step.term is None else step.term + 1
    return replace(step, term=term, uses=(*(number + 1 for number in step.uses), *(() if step.uses or term else (0,))))


def _jumps_joined() -> tuple[Step, Step]:
    """Return that jumps of units at one place of a segment join to no more than their sum: steps 4 and 5 of a proof."""
    first, second = reals("u v")
    return (
        cauchy_schwarz(first, second, "||u|| ||v|| >= u . v for two jumps, hence ||u|| + ||v|| >= ||u + v||"),
        Step(
            _COUNT,
            2
            * sp.Sum(sp.IndexedBase("t", nonnegative=True)[_i], (_i, 1, sp.Symbol("N", integer=True, positive=True)))
            / _n**2,
            Rule.CITED,
            "Minkowski: the norm of a sum is at most the sum of the norms; t_i are the jumps of the gradient at the places on "
            "the segments between two points, where some units switch on, or off",
            uses=(3, 4),
        ),
    )


def _padded(values: list[Any]) -> list[Any]:
    """Return the values, or one 0 if there are none."""
    return values or [Fraction(0)]


def _root(value: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(value.numerator, value.denominator))


def _reads_units(given: Instance) -> dict[str, Any]:
    """Return what the proofs speak of: of each unit |w2| ||w1||, and the number of points on its active side."""
    w1, b1, w2 = network(given)
    active = given["inputs"] @ w1.T + b1 >= 0
    sizes = [_root(Fraction(output**2 * dot(row, row))) for row, output in zip(w1, w2, strict=True)]
    counts = [int(column.sum()) for column in active.T]
    return {"k": max(len(w1), 1), "n": len(active), "s": _padded(sizes), "m": _padded(counts)}


def _reads_jumps(given: Instance) -> dict[str, Any]:
    """Return these, and the jumps of the gradient between any two points."""
    points, (w1, b1, w2) = given["inputs"], network(given)
    found = []
    for j in range(len(points)):
        for k in range(j):
            start, end = w1 @ points[j] + b1, w1 @ points[k] + b1
            # At the place itself both are on: those that turn on there, and those that turn off behind it.
            switched = [
                (s / (s - e), bool(e >= 0), i)
                for i, (s, e) in enumerate(zip(start, end, strict=True))
                if (s >= 0) != (e >= 0)
            ]
            for one in sorted({(place, on) for place, on, _ in switched}):
                jump = sum((w2[i] * w1[i] for place, on, i in switched if (place, on) == one), 0 * w1[0])
                found.append(_root(Fraction(dot(jump, jump))))
    return {**_reads_units(given), "N": max(len(found), 1), "t": _padded(found)}


def _reads_cells(given: Instance) -> dict[str, Any]:
    """Return what B6.c's proof speaks of: the variation of f between neighbouring points, and how many lie left of there."""
    found = cells(given)
    return {
        "k": max(len(found), 1),
        "n": len(given["x"]),
        "s": _padded([variation for variation, _ in found]),
        "m": _padded([left for _, left in found]),
    }


def _reads_knots(given: Instance) -> dict[str, Any]:
    """Return what B6.d's proof speaks of: the jumps of f', and how many points lie below, above and on a knot."""
    found, n = knot_counts(given), len(given["x"])
    return {
        "k": max(len(found), 1),
        "n": n,
        "s": _padded([size for size, _, _ in found]),
        "b": _padded([below for _, below, _ in found]),
        "a": _padded([above for _, _, above in found]),
        "e": _padded([n - below - above for _, below, above in found]),
    }


B6 = Claim(
    id="B6",
    source=Source(HOUSE, "closed form of volhejn2020, eq 3.7"),
    statement=r"PL_1(f) = \tfrac1{n^2}\sum_{j,k} TV_{[x_j,x_k]}(\nabla f) = "
    r"\sum_i |w^{(2)}_i|\,\|w^{(1)}_i\|\; 2 q_i (1 - q_i),\quad q_i = \tfrac1n \#\{j: w^{(1)}_i \cdot x_j + b_i \ge 0\}",
    form=Form.IDENTITY,
    symbols=NETWORK,
    assumptions=(_one_at_a_time(),),
    sides=lambda given: (_mean_gradient_variation(given), _separating(given)),
    bound=network_path_length,
    bound_on=_on_network,
    proof=lambda: Proof(
        (
            Step(
                sp.Symbol("TV"),
                sp.Symbol("jumps"),
                Rule.CITED,
                "a step function with jumps at distinct points varies by the sum of their sizes",
            ),
            *(_moved(step) for step in _UNITS),
        ),
        "any number of units and points, any dimension",
        lhs=_COUNT,
        rhs=_SIZES,
    ),
    reads=_reads_units,
    finding=Finding.OURS,
    note="Without the assumption jumps cancel: [x]_+ - [x]_+ on x = -1, 1 has PL1 = 0, the right side is 1. A data point "
    "on a unit's hyperplane counts as on its active side, as the derivative of the ReLU at 0 is postulated to be 1; with 0 "
    "in its place q_i is the share strictly inside. For [x]_+ on x = 0, 1 PL1 is 0, and would be 1/2.",
    extremal=Instance(
        {"hidden": [[3, 4], [0, 1]], "biases": [-1, -5], "outputs": [2, 1], "inputs": [[0, 0], [1, 1], [3, 2]]}, "named"
    ),
)

B6A = Claim(
    id="B6.a",
    amends="B6",
    source=Source(HOUSE, "volhejn2020, eq 3.7, without assumptions"),
    statement=r"PL_1(f) \le \sum_i |w^{(2)}_i|\,\|w^{(1)}_i\|\; 2 q_i (1 - q_i)",
    form=Form.AT_MOST,
    symbols=NETWORK,
    sides=lambda given: (_mean_gradient_variation(given), _separating(given)),
    bound=network_path_length,
    bound_on=_on_network,
    proof=lambda: Proof(
        (*_UNITS, *_jumps_joined()),
        "any number of units and points, any dimension",
        lhs=_jumps_joined()[1].after,
        rhs=_SIZES,
    ),
    reads=_reads_jumps,
    finding=Finding.OURS,
    note="What B6 becomes where units switch together.",
    extremal=B6.extremal,
)

B6B = Claim(
    id="B6.b",
    amends="B6",
    source=Source(HOUSE, "volhejn2020, eqs 3.7 and 3.8"),
    statement=r"PL_1(f) \le \tfrac12 WP(f)",
    form=Form.AT_MOST,
    symbols=NETWORK,
    sides=lambda given: (_mean_gradient_variation(given), half_weights_product(given)),
    bound=weights_product,
    bound_on=lambda given: weights_product(given["hidden"], given["outputs"]) / 2,
    proof=lambda: Proof(
        (
            *_UNITS,
            *_jumps_joined(),
            Step(
                _s / 2,
                _shares,
                Rule.NONNEGATIVE,
                "a unit separates at most half of the n^2 pairs",
                (2 * _s * (_m / _n - sp.Rational(1, 2)) ** 2,),
            ),
            Step(_over(_is[_i] / 2), _SIZES, Rule.SUM, "over all units", term=6),
        ),
        "any number of units and points, any dimension",
        lhs=_jumps_joined()[1].after,
        rhs=_over(_is[_i] / 2),
    ),
    reads=_reads_jumps,
    finding=Finding.OURS,
    note="With equality iff every unit with w2 w1 != 0 halves the data, and the jumps of units that "
    "switch together on a segment point the same way; never for odd n, unless WP = 0. So the 'PL1 = WP' of "
    "volhejn2020, eq 3.18, is about TV(f'), another quantity (V9.c).",
    extremal=Instance({"hidden": [[3, 4]], "biases": [-1], "outputs": [1], "inputs": [[0, 0], [1, 1]]}, "named"),
)

_STEP = Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0))

_GAPS = _counted(
    "between two neighbouring data points, m of them to the left, F = m/n: the segments over the gap are the 2 m (n - m) "
    "ordered pairs with an end on either side, and each takes the integral s of |f'| there; variation adds up along a segment"
)

B6C = Claim(
    id="B6.c",
    amends="B6",
    source=Source(HOUSE, "closed form of volhejn2020, eq 3.5, one input"),
    statement=r"d = 1:\quad PL_0(f) = \tfrac1{n^2}\sum_{j,k} TV_{[x_j,x_k]}(f) = \int |f'|\, 2F(1-F),\quad "
    r"F(t) = \tfrac1n \#\{j: x_j \le t\}",
    form=Form.IDENTITY,
    symbols=ON_DATA,
    sides=_function_sides,
    bound=function_path_length,
    bound_on=lambda given: float(function_path_length(implemented(given), given["x"])),
    proof=lambda: Proof(_GAPS, "any absolutely continuous function; any data", lhs=_GAPS[3].before, rhs=_GAPS[3].after),
    reads=_reads_cells,
    finding=Finding.OURS,
    note="O((n + m) log (n + m)) for n points and m knots, where eq 3.5 takes n^2 segments.",
    extremal=Instance({"weights": _STEP, "x": rationals([-1, 2, 3])}, "named"),
)

_strictly = _s * ((_above + _below + _at) ** 2 - (_above + _at) ** 2 - (_below + _at) ** 2 + _at**2) / _n**2
_products = _s * 2 * (_below / _n) * (_above / _n)
_knots = {_s: _is[_i], _below: _ibelow[_i], _above: _iabove[_i], _at: _iat[_i]}

B6D = Claim(
    id="B6.d",
    amends="B6",
    source=Source(HOUSE, "closed form of volhejn2020, eq 3.7, one input"),
    statement=r"d = 1:\quad PL_1(f) = \tfrac1{n^2}\sum_{j,k} TV_{(x_j,x_k)}(f') = "
    r"\sum_i |\Delta f'(c_i)|\; 2\, \Pr(X < c_i)\Pr(X > c_i)",
    form=Form.IDENTITY,
    symbols=ON_DATA,
    sides=_gradient_sides,
    bound=gradient_path_length,
    bound_on=lambda given: float(gradient_path_length(implemented(given), given["x"])),
    proof=lambda: Proof(
        (
            Step(
                _strictly,
                _products,
                Rule.IDENTITY,
                "with b points below a knot, a above and e on it, the ordered pairs that have it strictly between them are "
                "all but those with no end below and those with no end above; f' jumps by s there",
            ),
            Step(
                _over(_strictly.subs(_knots)),
                _over(_products.subs(_knots)),
                Rule.SUM,
                "over all knots of f, whose jumps are those of all units there together: no assumption is left",
                term=0,
            ),
        ),
        "any number of knots, any data",
        lhs=_over(_strictly.subs(_knots)),
        rhs=_over(_products.subs(_knots)),
    ),
    reads=_reads_knots,
    finding=Finding.OURS,
    note="2F(1 - F) at the knots if none is a data point. A knot on a data point is inside fewer segments; on closed ones it "
    "would count by the value postulated for f' there, which differs between networks that compute the same f.",
    extremal=Instance({"weights": _STEP, "x": rationals([-1, 2, 3])}, "named"),
)

CLAIMS = (B6, B6A, B6B, B6C, B6D)
