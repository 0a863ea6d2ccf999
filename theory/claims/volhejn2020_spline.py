"""The claims of Volhejn 2020 about weights, interpolants and their curvature: V6-V9."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.claims.volhejn2020 import INTERVAL, WEIGHTS, derivative_values
from theory.enclosure import Enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.proof import Proof, Rule, Step
from theory.sources import VOLHEJN2020, Source
from theory.symbols import Symbol
from theory.two_layer import Weights

ORDER = Symbol("order", "o", "0 for TV(f), 1 for TV(f')")
_t = sp.Symbol("t", real=True)
_u, _v, _w = sp.symbols("u v w", real=True)


def _jump_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The squared jump of the gradient across unit i at a point of its hyperplane, against (|w2| ||w1||)^2."""
    w1, b1, w2 = (rationals(given[name]) for name in ("hidden", "biases", "outputs"))
    i, point = given["unit"], rationals(given["point"])
    step = Fraction(1)
    for row, bias in zip(w1, b1, strict=True):
        gap, slope = row @ point + bias, row @ w1[i]
        if gap != 0 and slope != 0:
            step = min(step, abs(gap / slope) / 2)

    def gradient(at: Array) -> Array:
        total: Array = ((w1 @ at + b1 > 0) * w2) @ w1
        return total

    jump = gradient(point + step * w1[i]) - gradient(point - step * w1[i])
    return Enclosure.exactly(Fraction(jump @ jump)), Enclosure.exactly(Fraction(w2[i] ** 2 * (w1[i] @ w1[i])))


def _on_hyperplane() -> Assumption:
    return Assumption(
        "the point lies on the unit's hyperplane",
        lambda given: (
            rationals(given["hidden"])[given["unit"]] @ rationals(given["point"])
            + Fraction(given["biases"][given["unit"]])
        ),
        lambda z: z == 0,
    )


def _alone() -> Assumption:
    def others(given: Instance) -> list[int]:
        z = rationals(given["hidden"]) @ rationals(given["point"]) + rationals(given["biases"])
        return [j for j in np.flatnonzero(z == 0).tolist() if j != given["unit"]]

    return Assumption("no other unit toggles at the point", others, lambda units: not units)


HIDDEN = (
    Symbol("hidden", "w^{(1)}", "input weights, rationals, [k, d]"),
    Symbol("biases", "b^{(1)}", "biases, [k]"),
    Symbol("outputs", "w^{(2)}", "output weights, [k]"),
    Symbol("unit", "i", "the unit whose ReLU is crossed"),
    Symbol("point", "x", "a point on its hyperplane, [d]"),
)

V6 = Claim(
    id="V6",
    source=Source(VOLHEJN2020, "eq 3.8 and after"),
    statement=r"|w^{(2)}_i|\,\|w^{(1)}_i\| \text{ is the norm of the difference of the gradient on the two sides of the ReLU}",
    form=Form.IDENTITY,
    symbols=HIDDEN,
    assumptions=(_on_hyperplane(),),
    sides=_jump_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="Units that share a hyperplane add up their jumps: in [x]_+ - [x]_+ there is no jump, and WP is 2. See V6.a.",
    witness=Instance({"hidden": [[1], [1]], "biases": [0, 0], "outputs": [1, -1], "unit": 0, "point": [0]}, "named"),
    no_extremal="an identity",
)

V6A = Claim(
    id="V6.a",
    amends="V6",
    source=Source(VOLHEJN2020, "eq 3.8, repaired"),
    statement=r"\text{where no other unit toggles:}\quad \|\nabla f(x+) - \nabla f(x-)\| = |w^{(2)}_i|\,\|w^{(1)}_i\|",
    form=Form.IDENTITY,
    symbols=HIDDEN,
    assumptions=(_on_hyperplane(), _alone()),
    sides=_jump_sides,
    proof=lambda: Proof(
        (
            Step(
                (_w * _u) ** 2 + (_w * _v) ** 2,
                _w**2 * (_u**2 + _v**2),
                Rule.IDENTITY,
                "the other units' gradients do not change; the unit's own is w2 w1 on one side and 0 on the other",
            ),
        ),
        "any dimension; coordinate by coordinate",
    ),
    finding=Finding.OURS,
    note="At points of the hyperplane where no other unit toggles: almost all of them, if no two hyperplanes coincide.",
    no_extremal="an identity",
)


def _spline_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    f, x = given["f"], rationals(sorted(given["x"]))
    spline = PiecewiseLinear.interpolate(x, f(x))
    values = [
        g.total_variation(x[0], x[-1]) if given["order"] == 0 else g.derivative_variation(x[0], x[-1])
        for g in (f, spline)
    ]
    return Enclosure.exactly(values[0]), Enclosure.exactly(values[1])


_n = sp.Symbol("n", integer=True, positive=True)

V7 = Claim(
    id="V7",
    source=Source(VOLHEJN2020, "eqs 3.10-3.13"),
    statement=r"f \text{ interpolates } D \;\Rightarrow\; TV(f) \ge TV(f_L),\quad TV(f') \ge TV(f_L')",
    form=Form.AT_LEAST,
    symbols=(
        Symbol("f", "f", "a continuous piecewise-linear function, exact; the data are (x, f(x))"),
        Symbol("x", "(x_j)", "at least 2 distinct rationals; the interval is [x_1, x_n]"),
        ORDER,
    ),
    sides=_spline_sides,
    proof=lambda: Proof(
        (
            Step(
                sp.Symbol("TV"),
                sp.Symbol("sum"),
                Rule.CITED,
                "TV(f): the data points are a partition, on which f and "
                "its spline agree, and the spline is monotone between them",
            ),
            Step(
                sp.Symbol("TV1"),
                sp.Symbol("E"),
                Rule.CITED,
                "TV(f'): for any choice of one point t_j in each data "
                "interval, sum |f'(t_{j+1}) - f'(t_j)| <= TV(f'); average over t_j uniform in interval j and use "
                "Jensen: |E f'(t_{j+1}) - E f'(t_j)| <= E |f'(t_{j+1}) - f'(t_j)|",
            ),
            Step(
                sp.Integral(sp.Derivative(sp.Function("f")(_t), _t), (_t, _u, _v)) / (_v - _u),
                (sp.Function("f")(_v) - sp.Function("f")(_u)) / (_v - _u),
                Rule.IDENTITY,
                "the mean of f' over an interval is the slope of the spline there",
            ),
        ),
        "any absolutely continuous interpolant; no smoothing, no mean value theorem",
    ),
    finding=Finding.PROOF_GAP,
    note="True. The printed sketch for TV(f') needs f' to take the spline's slope in each interval, which piecewise-linear "
    "f need not (see the witness), and smoothing f to get there loses the interpolation. Averaging f' over each interval "
    "needs neither.",
    witness=Instance(
        {
            "f": PiecewiseLinear([Fraction(1, 2)], [Fraction(2)], Fraction(0), Fraction(0), Fraction(0)),
            "x": rationals([0, 1]),
            "order": 1,
        },
        "named",
    ),
    extremal=Instance(
        {
            "f": PiecewiseLinear([Fraction(1)], [Fraction(2)], Fraction(-1), Fraction(0), Fraction(0)),
            "x": rationals([0, 1, 2]),
            "order": 1,
        },
        "named",
    ),
)


def piecewise_variation(pieces: list[tuple[Any, Any, Any]], order: int) -> Any:
    """Return TV of the `order`-th derivative of pieces (expression in t, from, to), jumps at the joints included."""
    total = sp.Integer(0)
    derivatives = [sp.diff(expression, _t, order) for expression, _, _ in pieces]
    for (_, start, end), d in zip(pieces, derivatives, strict=True):
        turning = (
            [s for s in sp.solve(sp.diff(d, _t), _t) if s.is_real and start < s < end] if sp.diff(d, _t, 1) != 0 else []
        )
        values = [d.subs(_t, s) for s in sorted([start, end, *turning])]
        total += sum(abs(b - a) for a, b in pairwise(values))
    for (_, _, end), left, right in zip(pieces, derivatives, derivatives[1:], strict=False):
        total += abs(right.subs(_t, end) - left.subs(_t, end))
    return total


def _example(name: str, pieces: list[tuple[Any, int, int]], order: int, printed: int) -> Instance:
    return Instance({"name": name, "pieces": pieces, "order": order, "printed": Fraction(printed)}, "named")


_parabola = [(-_t - 1, -2, -1), ((_t**2 - 1) / 2, -1, 1), (_t - 1, 1, 2)]
_spline = [(-_t - 1, -2, -1), (0 * _t, -1, 1), (_t - 1, 1, 2)]
_hinge = [(0 * _t, 0, sp.Rational(1, 2)), (2 * _t - 1, sp.Rational(1, 2), 1)]

PRINTED_EXAMPLES = (
    _example("PL1(f)", _parabola, 1, 2),
    _example("PL1(f_L)", _spline, 1, 2),
    _example("PL0(f)", _parabola, 0, 3),
    _example("PL0(f_L)", _spline, 0, 2),
)
CONVERSE_EXAMPLES = (
    _example("PL0 of the hinge, that of the line", _hinge, 0, 1),
    _example("PL1 of the hinge; the line has 0", _hinge, 1, 2),
)


def _example_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    value = sp.nsimplify(piecewise_variation(given["pieces"], given["order"]))
    return Enclosure.exactly(Fraction(int(value.p), int(value.q))), Enclosure.exactly(given["printed"])


_EXAMPLE_SYMBOLS = (
    Symbol("pieces", "f", "the pieces: expression in t, from, to"),
    ORDER,
    Symbol("printed", "v", "the value"),
    Symbol("name", "", "which example"),
)

V8 = Claim(
    id="V8",
    source=Source(VOLHEJN2020, "eq 3.14, Fig 3.1"),
    statement=r"PL_1^{(1)}(f_L) = PL_1^{(1)}(f) = 2,\quad PL_0^{(1)}(f_L) = 2,\ PL_0^{(1)}(f) = 3",
    form=Form.IDENTITY,
    symbols=_EXAMPLE_SYMBOLS,
    sides=_example_sides,
    proof=lambda: Proof(
        (
            Step(
                sp.Integral(sp.Abs(sp.diff((_t**2 - 1) / 2, _t, 2)), (_t, -1, 1)),
                sp.Integer(2),
                Rule.IDENTITY,
                "TV(f') of the parabola; f' has no jumps at -1 and 1",
            ),
            Step(
                sp.Integral(1, (_t, -2, -1)) + sp.Integral(sp.Abs(_t), (_t, -1, 1)) + sp.Integral(1, (_t, 1, 2)),
                sp.Integer(3),
                Rule.IDENTITY,
                "TV(f): down 1, down and up 1/2, up 1",
            ),
        ),
        "the four printed values",
    ),
    finding=Finding.AS_PRINTED,
    note="The values are right. f is not piecewise linear, so it is outside the class that the section minimises over; "
    "|x| - 1 is inside it, with TV(f') = 2 as well and TV(f) = 4.",
    extremal=PRINTED_EXAMPLES[0],
)

V8A = Claim(
    id="V8.a",
    amends="V8",
    source=Source(VOLHEJN2020, "the exercise after eq 3.14"),
    statement=r"D = ((0,0),(1,1)),\ f = [2x-1]_+:\quad PL_0^{(1)}(f) = 1 = PL_0^{(1)}(f_L),\quad "
    r"PL_1^{(1)}(f) = 2 > 0 = PL_1^{(1)}(f_L)",
    form=Form.IDENTITY,
    symbols=_EXAMPLE_SYMBOLS,
    sides=_example_sides,
    proof=lambda: Proof(
        (
            Step(
                sp.Derivative(2 * _t - 1, _t), sp.Integer(2), Rule.IDENTITY, "f' jumps from 0 to 2; the line's does not"
            ),
            Step(sp.Integral(2, (_t, sp.Rational(1, 2), 1)), sp.Integer(1), Rule.IDENTITY, "f is monotone from 0 to 1"),
        ),
        "the converse that the thesis leaves to the reader",
    ),
    finding=Finding.OURS,
    note="Minimising TV(f) does not imply minimising TV(f'): two points and one unit suffice.",
    extremal=CONVERSE_EXAMPLES[0],
)


def _wp(given: Instance) -> Fraction:
    weights = given["weights"].rational()
    return Fraction(np.abs(weights.w1 * weights.w2).sum())


def _closed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    _, values = derivative_values(given["weights"], *(Fraction(v) for v in given["interval"]))
    return Enclosure.exactly(Fraction(np.abs(np.diff(values)).sum())), Enclosure.exactly(_wp(given))


def _open_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    f = PiecewiseLinear.from_weights(given["weights"].rational())
    variation = f.derivative_variation(*(Fraction(v) for v in given["interval"]))
    return Enclosure.exactly(Fraction(variation)), Enclosure.exactly(_wp(given))


def _knots(given: Instance) -> list[Fraction] | None:
    weights = given["weights"].rational()
    if np.any(weights.w1 == 0):
        return None
    return [Fraction(c) for c in -weights.b1 / weights.w1]


def _distinct_knots() -> Assumption:
    return Assumption("distinct knots (and no w1 = 0)", _knots, lambda c: c is not None and len(set(c)) == len(c))


def _inside(closed: bool) -> Assumption:
    def outside(given: Instance) -> list[Fraction]:
        a, b = (Fraction(v) for v in given["interval"])
        knots = _knots(given) or []
        return [c for c in knots if not (a <= c <= b if closed else a < c < b)]

    bracket = "[a, b]" if closed else "(a, b)"
    return Assumption(f"every knot in {bracket}", outside, lambda outsiders: not outsiders)


def _unit(w1: int, b1: int) -> Weights:
    return Weights([Fraction(w1)], [Fraction(b1)], [Fraction(1)], Fraction(0))


V9 = Claim(
    id="V9",
    source=Source(VOLHEJN2020, "eqs 3.16-3.18"),
    statement=r"c_i \text{ unique and in } [a,b]:\quad PL_1^{(1)}(f) = TV(f') = \sum_i |w^{(2)}_i w^{(1)}_i| = WP(f)",
    form=Form.IDENTITY,
    symbols=(WEIGHTS, INTERVAL),
    assumptions=(_distinct_knots(), _inside(closed=True)),
    sides=_closed_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="A knot at an end of the interval need not count: [x]_+ on [0, 1] has f' = 1 throughout and WP = 1. In the open "
    "interval it holds (V9.a). Eq 3.18 drops the superscript and says it of PL1 itself, an average over segments between "
    "pairs of points, which is at most WP/2. 'Almost every theta' is true of distinct knots, not of knots inside [a, b].",
    witness=Instance({"weights": _unit(1, 0), "interval": (0, 1)}, "named"),
    no_extremal="an identity",
)

_w1, _w2 = sp.symbols("w1 w2", real=True)
_up, _un, _vp, _vn = sp.symbols("u_+ u_- v_+ v_-", nonnegative=True)
_i, _k = sp.Symbol("i", integer=True), sp.Symbol("k", integer=True, positive=True)
_b1, _b2 = sp.IndexedBase("w1", real=True), sp.IndexedBase("w2", real=True)

V9A = Claim(
    id="V9.a",
    amends="V9",
    source=Source(VOLHEJN2020, "eqs 3.16-3.18, repaired"),
    statement=r"c_i \text{ distinct and in } (a,b):\quad TV(f') = WP(f)",
    form=Form.IDENTITY,
    symbols=(WEIGHTS, INTERVAL),
    assumptions=(_distinct_knots(), _inside(closed=False)),
    sides=_closed_sides,
    proof=lambda: Proof(
        (
            Step(
                sp.Abs(sp.Abs(_w1) * _w2),
                sp.Abs(_w1 * _w2),
                Rule.IDENTITY,
                "a unit changes f' at its knot by |w1| w2, whichever side it is active on",
            ),
            Step(
                sp.Sum(sp.Abs(sp.Abs(_b1[_i]) * _b2[_i]), (_i, 1, _k)),
                sp.Sum(sp.Abs(_b1[_i] * _b2[_i]), (_i, 1, _k)),
                Rule.SUM,
                "over all units",
                term=0,
            ),
            Step(
                sp.Symbol("TV1"),
                sp.Symbol("sum"),
                Rule.CITED,
                "a step function with jumps at distinct points varies by "
                "the sum of their sizes: one partition point between neighbouring jumps attains it, and the triangle "
                "inequality bounds every other partition",
            ),
        ),
        "any number of units",
    ),
    finding=Finding.OURS,
    note="The postulated value of f' at a knot lies between its neighbours there, so it does not matter inside.",
    extremal=Instance({"weights": _unit(1, 0), "interval": (-1, 1)}, "named"),
)

V9B = Claim(
    id="V9.b",
    amends="V9",
    source=Source(VOLHEJN2020, "eqs 3.16-3.18, without assumptions"),
    statement=r"TV_{(a,b)}(f') \le WP(f)",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, INTERVAL),
    sides=_open_sides,
    proof=lambda: Proof(
        (
            Step(
                (_up + _un + _vp + _vn) ** 2,
                (_up - _un + _vp - _vn) ** 2,
                Rule.NONNEGATIVE,
                "two jumps u, v that meet at a knot, as differences of their positive and negative parts: "
                "(|u| + |v|)^2 >= (u + v)^2; and so on unit by unit",
                (4 * (_up + _vp) * (_un + _vn),),
            ),
            Step(sp.Symbol("WP"), sp.Symbol("TV"), Rule.CITED, "knots outside and units with w1 = 0 only add to WP"),
        ),
        "any number of units, any knots",
    ),
    finding=Finding.OURS,
    note="With equality iff every unit with w1 w2 != 0 has its knot inside and no jumps of opposite sign meet.",
    extremal=Instance({"weights": _unit(-1, 0), "interval": (-1, 1)}, "named"),
)

CLAIMS = (V6, V6A, V7, V8, V8A, V9, V9A, V9B)
