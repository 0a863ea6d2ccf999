"""The claims of Volhejn 2020 about weights, interpolants and their curvature: V6-V9."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import implemented
from theory.checks import Array, count, dot, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.path_lengths import weights_product
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import VOLHEJN2020, Source
from theory.symbols import HIDDEN_LAYER, RATIONAL_WEIGHTS, F, Symbol
from theory.two_layer import Weights
from theory.volhejn2020 import spline_proofs
from theory.volhejn2020.variation import INTERVAL, derivative_values, ends, in_rows


def _order(name: str, value: Any) -> int:
    if count(name, value, fewest=0) > 1:
        raise ValueError(f"{name} must be 0 or 1, got {value}")
    return int(value)


ORDER = Symbol("order", "o", "0 for TV(f), 1 for TV(f')", _order)
_t = sp.Symbol("t", real=True)


def gradient_jump(given: Instance) -> Array:
    """Return how the gradient changes from one side of unit i to the other at a point of its hyperplane, [d]."""
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

    jump: Array = gradient(point + step * w1[i]) - gradient(point - step * w1[i])
    return jump


def _jump_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The squared jump of the gradient across unit i at a point of its hyperplane, against (|w2| ||w1||)^2."""
    jump, w1, w2 = gradient_jump(given), rationals(given["hidden"])[given["unit"]], given["outputs"][given["unit"]]
    return Enclosure.exactly(Fraction(dot(jump, jump))), Enclosure.exactly(Fraction(w2) ** 2 * Fraction(dot(w1, w1)))


def _reads_hyperplane(given: Instance) -> dict[str, Any]:
    """Return who is active on either side of the unit's hyperplane, near the point; the other units, and the unit itself."""
    w1, b1, w2 = (rationals(given[name]) for name in ("hidden", "biases", "outputs"))
    i, point = given["unit"], rationals(given["point"])
    at, along = w1 @ point + b1, w1 @ w1[i]
    gaps = [abs(z / slope) for z, slope in zip(at, along, strict=True) if z != 0 and slope != 0]
    step = min([Fraction(1), *gaps]) / 2
    others = [j for j in range(len(w1)) if j != i]
    sides = [((at + sign * step * along > 0) * Fraction(1))[others] for sign in (1, -1)]
    own = [int(sign * along[i] > 0) for sign in (1, -1)]
    return {
        "w": w2[others],
        "H": w1[others],
        "A": sides[0],
        "B": sides[1],
        "w_i": w2[i],
        "h": w1[i],
        "A_i": own[0],
        "B_i": own[1],
        "r": len(others),
        "d": w1.shape[1],
    }


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
    *HIDDEN_LAYER,
    Symbol("unit", "i", "the unit whose ReLU is crossed, from 0", lambda name, value: count(name, value, fewest=0)),
    Symbol("point", "x", "a point on its hyperplane, [d]", exact_vector),
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
    quote="Each summand is the norm of the difference of the gradient on the two sides of the ReLU.",
    reading="Strained: 'the gradient' is read as that of the network; of the gradient of the one unit the words are right.",
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
    proof=spline_proofs.v6a,
    reads=_reads_hyperplane,
    finding=Finding.OURS,
    note="At points of the hyperplane where no other unit toggles: almost all of them, if no two hyperplanes coincide.",
    extremal=Instance({"hidden": [[3, 4]], "biases": [0], "outputs": [2], "unit": 0, "point": [0, 0]}, "named"),
)


def variation_of(f: PiecewiseLinear, order: int, a: Fraction, b: Fraction) -> Enclosure:
    """Return the variation of f on [a, b] (order 0), or of f' on (a, b) (order 1)."""
    return Enclosure.exactly(f.total_variation(a, b) if order == 0 else f.derivative_variation(a, b))


def _spline_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    f, x = given["f"], rationals(sorted(given["x"]))
    spline = PiecewiseLinear.interpolate(x, f(x))
    return variation_of(f, given["order"], x[0], x[-1]), variation_of(spline, given["order"], x[0], x[-1])


def _reads_intervals(given: Instance) -> dict[str, Any]:
    """Return the slopes of f and its changes along its pieces in each data interval, and the slopes of the spline."""
    f, x = given["f"], rationals(sorted(given["x"]))
    points = [rationals([a, *(c for c in f.knots if a < c < b), b]) for a, b in pairwise(x)]
    changes = [np.diff(f(place)) for place in points]
    slopes = [change / np.diff(place) for change, place in zip(changes, points, strict=True)]
    most = max(len(row) for row in slopes)
    return {
        "o": given["order"],
        "e": in_rows([row.tolist() for row in changes]),
        "r": len(x) - 1,
        "k": most,
        "x": np.diff(f(x)) / np.diff(x),
        "y": rationals([[*row, *[row[-1]] * (most - len(row))] for row in slopes]),
        "n": len(x) - 2,
        "q": most - 1,
    }


V7 = Claim(
    id="V7",
    source=Source(VOLHEJN2020, "eqs 3.10-3.13"),
    statement=r"f \text{ interpolates } D \;\Rightarrow\; TV(f) \ge TV(f_L),\quad TV(f') \ge TV(f_L')",
    form=Form.AT_LEAST,
    symbols=(
        F,
        Symbol("x", "(x_j)", "at least 2 distinct rationals, [n]; the interval is [x_1, x_n]"),
        ORDER,
    ),
    sides=_spline_sides,
    proof=spline_proofs.v7,
    reads=_reads_intervals,
    finding=Finding.PROOF_GAP,
    note="True. The printed sketch for TV(f') needs f' to take the spline's slope in each interval, which piecewise-linear "
    "f need not (see the witness), and smoothing f to get there loses the interpolation. Averaging f' over each interval "
    "needs neither.",
    quote="use the mean value theorem on each of the segments [..] for any function f in F, its derivative f' must "
    "obtain the value",
    reading="As a proof for the continuous piecewise-linear f in F; the thesis calls it a sketch, and smoothes f for it.",
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


def piecewise_variation(pieces: list[tuple[Any, Any, Any]], order: int, *, jumps: bool = True) -> Any:
    """Return TV of the `order`-th derivative of pieces (expression in t, from, to), with `jumps` at the joints or not."""
    total = sp.Integer(0)
    derivatives = [sp.diff(expression, _t, order) for expression, _, _ in pieces]
    for (_, start, end), d in zip(pieces, derivatives, strict=True):
        turning = (
            [s for s in sp.solve(sp.diff(d, _t), _t) if s.is_real and start < s < end] if sp.diff(d, _t, 1) != 0 else []
        )
        values = [d.subs(_t, s) for s in sorted([start, end, *turning])]
        total += sum(abs(b - a) for a, b in pairwise(values))
    for (_, _, end), left, right in zip(pieces, derivatives, derivatives[1:], strict=False):
        total += int(jumps) * abs(right.subs(_t, end) - left.subs(_t, end))
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


def pieces_of(f: PiecewiseLinear, a: Fraction, b: Fraction) -> list[tuple[Any, Fraction, Fraction]]:
    """Return a piecewise-linear function, exact, between a and b > a as the pieces of an example."""
    joints = [a, *(Fraction(knot) for knot in f.knots if a < knot < b), b]
    values = [Fraction(f(joint)) for joint in joints]
    return [
        (sp.Rational(v - u) / sp.Rational(end - start) * (_t - sp.Rational(start)) + sp.Rational(u), start, end)
        for (start, u), (end, v) in pairwise(zip(joints, values, strict=True))
    ]


def example_variation(given: Instance, order: int, *, jumps: bool = True) -> Enclosure:
    """Return TV of the `order`-th derivative of an example, exactly."""
    value = sp.nsimplify(piecewise_variation(given["pieces"], order, jumps=jumps))
    return Enclosure.exactly(Fraction(int(value.p), int(value.q)))


def _example_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return example_variation(given, given["order"]), Enclosure.exactly(given["printed"])


def _reads_examples(given: Instance) -> dict[str, Any]:
    """Return which of the printed values an instance is about."""
    asked = (given["pieces"], given["order"])
    same = [asked == (known["pieces"], known["order"]) for known in (*PRINTED_EXAMPLES, *CONVERSE_EXAMPLES)]
    return dict(zip("abchpq", map(int, same), strict=True))


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
    proof=spline_proofs.examples,
    reads=_reads_examples,
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
    proof=spline_proofs.examples,
    reads=_reads_examples,
    finding=Finding.OURS,
    note="Minimising TV(f) does not imply minimising TV(f'): two points and one unit suffice.",
    extremal=CONVERSE_EXAMPLES[0],
)


def unit_sizes(given: Instance) -> Array:
    """Return |w2_i w1_i|, exactly, [k]."""
    weights = given["weights"].rational()
    sizes: Array = np.abs(weights.w1 * weights.w2)
    return sizes


def wp(given: Instance) -> Fraction:
    """Return WP of a network with one input, exactly."""
    return Fraction(unit_sizes(given).sum())


def _closed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    _, values = derivative_values(given["weights"], *ends(given))
    return Enclosure.exactly(Fraction(np.abs(np.diff(values)).sum())), Enclosure.exactly(wp(given))


def _open_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return variation_of(implemented(given), 1, *ends(given)), Enclosure.exactly(wp(given))


def _uniform_path_length(given: Instance) -> Fraction:
    """PL1 for two ends drawn uniformly on [a, b]: each knot at share u of it lies between them with 2 u (1 - u)."""
    f, (a, b) = implemented(given), ends(given)
    shares = [(Fraction(c) - a) / (b - a) for c in f.knots]
    weights = [2 * u * (1 - u) if 0 < u < 1 else Fraction(0) for u in shares]
    return Fraction(dot(np.abs(f.jumps), rationals(weights)))


def _gradient_path_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(_uniform_path_length(given)), Enclosure.exactly(wp(given))


def _half_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(_uniform_path_length(given)), Enclosure.exactly(wp(given) / 2)


def _weights_product(given: Instance) -> float:
    return weights_product(given["weights"].w1[:, None], given["weights"].w2)


def _knots(given: Instance) -> list[Fraction] | None:
    weights = given["weights"].rational()
    if np.any(weights.w1 == 0):
        return None
    return [Fraction(c) for c in -weights.b1 / weights.w1]


def _distinct_knots() -> Assumption:
    return Assumption("distinct knots (and no w1 = 0)", _knots, lambda c: c is not None and len(set(c)) == len(c))


def _inside(closed: bool) -> Assumption:
    def outside(given: Instance) -> list[Fraction]:
        a, b = ends(given)
        knots = _knots(given) or []
        return [c for c in knots if not (a <= c <= b if closed else a < c < b)]

    bracket = "[a, b]" if closed else "(a, b)"
    return Assumption(f"every knot in {bracket}", outside, lambda outsiders: not outsiders)


def _unit(w1: int, b1: int) -> Weights:
    return Weights([Fraction(w1)], [Fraction(b1)], [Fraction(1)], Fraction(0))


def _reads_units(given: Instance) -> dict[str, Any]:
    """Return the weights of all units; one of weights 0 where there is none."""
    weights = given["weights"].rational()
    width = max(1, weights.width)
    return {"w1": [*weights.w1, Fraction(0)][:width], "w2": [*weights.w2, Fraction(0)][:width], "m": width}


def _reads_knots(given: Instance) -> dict[str, Any]:
    """Return the weights of the units by the knots inside the interval, the shares of these, and the other units."""
    weights, (a, b) = given["weights"].rational(), ends(given)
    inside: dict[Fraction, list[int]] = {}
    outside = []
    for i in range(weights.width):
        knot = -weights.b1[i] / weights.w1[i] if weights.w1[i] != 0 else None
        if knot is not None and a < knot < b:
            inside.setdefault(Fraction(knot), []).append(i)
        else:
            outside.append(i)
    w1, w2 = ([[Fraction(v) for v in part[units]] for units in inside.values()] for part in (weights.w1, weights.w2))
    return {
        "w1": in_rows(w1),
        "w2": in_rows(w2),
        "u": [(knot - a) / (b - a) for knot in inside],
        "r": len(inside),
        "k": max([1, *map(len, w1)]),
        "v1": [*weights.w1[outside], Fraction(0)],
        "v2": [*weights.w2[outside], Fraction(0)],
        "m": len(outside) + 1,
    }


V9 = Claim(
    id="V9",
    source=Source(VOLHEJN2020, "eqs 3.16-3.18"),
    statement=r"c_i \text{ unique and in } [a,b]:\quad PL_1^{(1)}(f) = TV(f') = \sum_i |w^{(2)}_i w^{(1)}_i| = WP(f)",
    form=Form.IDENTITY,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    assumptions=(_distinct_knots(), _inside(closed=True)),
    sides=_closed_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="A knot at an end of the interval need not count: [x]_+ on [0, 1] has f' = 1 throughout and WP = 1. In the open "
    "interval it holds (V9.a); eq 3.18 is V9.c. That almost every theta has distinct knots "
    "is proved there for b_j != 0, almost sure under the Gaussian it names, while the thesis starts from biases 0, with "
    "every knot at 0.",
    quote="if we assume that every knot position c_i lies within the input interval [a, b], we have: PL_1^(1)(f) = TV(f')",
    reading="'Within [a, b]' is read with the ends, as printed; within the open interval the formula holds (V9.a).",
    witness=Instance({"weights": _unit(1, 0), "interval": (0, 1)}, "named"),
    no_extremal="an identity",
)

V9A = Claim(
    id="V9.a",
    amends="V9",
    source=Source(VOLHEJN2020, "eqs 3.16-3.18, repaired"),
    statement=r"c_i \text{ distinct and in } (a,b):\quad TV(f') = WP(f)",
    form=Form.IDENTITY,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    assumptions=(_distinct_knots(), _inside(closed=False)),
    sides=_closed_sides,
    proof=spline_proofs.v9a,
    reads=_reads_units,
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
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    sides=_open_sides,
    bound=weights_product,
    bound_on=_weights_product,
    proof=spline_proofs.v9b,
    reads=_reads_knots,
    finding=Finding.OURS,
    note="With equality iff every unit with w1 w2 != 0 has its knot inside and no jumps of opposite sign meet; f' "
    "is left undefined at knots, where the postulated value may vary further: [x]_+ - [-x]_+ on [-1, 1] has f' = 1, 2, 1.",
    extremal=Instance({"weights": _unit(-1, 0), "interval": (-1, 1)}, "named"),
)

V9C = Claim(
    id="V9.c",
    amends="V9",
    source=Source(VOLHEJN2020, "eq 3.18"),
    statement=r"c_i \text{ unique and in } (a,b):\quad PL_1(f) = \mathbb E_{s,t \sim U[a,b]} TV_{[s,t]}(f') = WP(f)",
    form=Form.IDENTITY,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    assumptions=(_distinct_knots(), _inside(closed=False)),
    sides=_gradient_path_sides,
    finding=Finding.FALSE,
    note="Eq 3.18 drops the superscript of eq 3.17 and says of PL1, the mean over pairs of points (eq 3.7), what holds of "
    "TV(f') alone. For [x]_+ on [-1, 1] PL1 is 1/2 and WP is 1: half of the pairs lie on one side of the knot. It never "
    "holds unless both are 0, since PL1 <= WP/2 (V9.d; over the pairs of the data B6). Section 4.3.1 takes WP of polynomials "
    "from it: what is meant there is TV(f').",
    quote="highlights the relationship between the gradient path length PL_1 and the weights product WP: PL_1(f_theta) "
    "= WP(f_theta)",
    reading="PL_1 is read as eq 3.7 defines it; if the superscript of eq 3.17 was only lost in print, the words repeat "
    "that equation.",
    witness=Instance({"weights": _unit(1, 0), "interval": (-1, 1)}, "named"),
    no_extremal="refuted",
)

V9D = Claim(
    id="V9.d",
    amends="V9",
    source=Source(VOLHEJN2020, "eq 3.18, repaired"),
    statement=r"PL_1(f) = \mathbb E_{s,t \sim U[a,b]} TV_{[s,t]}(f') \le \tfrac12 WP(f)",
    form=Form.AT_MOST,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    sides=_half_sides,
    proof=spline_proofs.v9d,
    reads=_reads_knots,
    finding=Finding.OURS,
    note="With equality iff every unit with w1 w2 != 0 has its knot in the middle and no jumps of opposite sign "
    "meet; f' is left undefined at knots (V9.b).",
    extremal=Instance({"weights": _unit(1, 0), "interval": (-1, 1)}, "named"),
)

CLAIMS = (V6, V6A, V7, V8, V8A, V9, V9A, V9B, V9C, V9D)
