"""The claims of Volhejn 2020 about which interpolants are smoothest, and how smooth they can be: V21 and V25."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import Array, dot, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.path_lengths import gradient_jumps, gradient_variation, mean_over_pairs
from theory.piecewise_linear import PiecewiseLinear
from theory.sources import VOLHEJN2020, Source
from theory.symbols import DATA_ROWS, HIDDEN_LAYER, POINTS, F, Symbol
from theory.volhejn2020 import interpolants_proofs as proofs
from theory.volhejn2020.interpolants_bounds import spline_gradient_path_length
from theory.volhejn2020.spline import variation_of
from theory.volhejn2020.variation import in_rows


def data(given: Instance) -> Array:
    """Return the data points, exactly, increasing, [n]."""
    return rationals(sorted(given["x"]))


def spline_slopes(given: Instance) -> Array:
    """Return the slopes of the linear spline through the data (x_j, f(x_j)), exactly, [n - 1]."""
    x = data(given)
    slopes: Array = np.diff(given["f"](x)) / np.diff(x)
    return slopes


def slopes_between(given: Instance) -> list[tuple[Array, Array]]:
    """Return the slopes of f along its pieces between neighbouring data points, and the lengths of these, in order."""
    f = given["f"]
    places = [rationals([a, *(c for c in f.knots if a < c < b), b]) for a, b in pairwise(data(given))]
    return [(np.diff(f(place)) / np.diff(place), np.diff(place)) for place in places]


def in_order(values: list[Any] | Array) -> bool:
    """Return whether numbers never fall, or never rise."""
    steps = np.diff(rationals(values))
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def monotone_between(given: Instance) -> bool:
    """Return whether f is weakly monotone between any two neighbouring data points."""
    return all(bool(np.all(slopes >= 0) or np.all(slopes <= 0)) for slopes, _ in slopes_between(given))


def least_variation(given: Instance) -> Fraction:
    """Return sum_j |y_{j+1} - y_j|, the variation of the linear spline, exactly."""
    return Fraction(np.abs(np.diff(given["f"](data(given)))).sum())


def _attains_least_variation(given: Instance) -> Enclosure:
    x = data(given)
    return Enclosure.exactly(variation_of(given["f"], 0, x[0], x[-1]).lower == least_variation(given))


def turns_least(given: Instance) -> bool:
    """Return whether f' does as V25.b says.

    Between data points it is monotone; past each it goes in order from the spline's slope before it to that behind it; in
    the first and in the last interval it is the spline's.
    """
    pieces, spline = [slopes for slopes, _ in slopes_between(given)], spline_slopes(given)
    past = [[spline[j], before[-1], behind[0], spline[j + 1]] for j, (before, behind) in enumerate(pairwise(pieces))]
    ends = pieces[0][0] == spline[0] and pieces[-1][-1] == spline[-1]
    return bool(ends and all(map(in_order, pieces)) and all(map(in_order, past)))


def _attains_least_turning(given: Instance) -> Enclosure:
    x = data(given)
    least = np.abs(np.diff(spline_slopes(given))).sum()
    return Enclosure.exactly(variation_of(given["f"], 1, x[0], x[-1]).lower == least)


def _reads_rises(given: Instance) -> dict[str, Any]:
    """Return by how much f rises and falls in all between neighbouring data points, [n - 1] each."""
    changes = [slopes * lengths for slopes, lengths in slopes_between(given)]
    return {
        "p": [np.maximum(change, 0 * change).sum() for change in changes],
        "q": [np.maximum(-change, 0 * change).sum() for change in changes],
        "r": len(changes),
    }


def _reads_intervals(given: Instance) -> dict[str, Any]:
    """Return the slopes of f between neighbouring data points, the last one repeated, and those of the spline, likewise."""
    pieces = slopes_between(given)
    most = max(len(slopes) for slopes, _ in pieces)
    rows = [[*slopes, *[slopes[-1]] * (most - len(slopes))] for slopes, _ in pieces]
    firsts = [lengths[0] / lengths.sum() for _, lengths in pieces]
    spline = spline_slopes(given).tolist()
    return {
        "x": [*spline, spline[-1]],
        "y": in_rows(rows),
        "n": len(pieces) - 1,
        "r": len(pieces),
        "q": most - 1,
        "alpha": min(firsts),
    }


def path_length(given: Instance) -> Fraction:
    """Return PL1 over all pairs of the data, f' looked at on open segments, by its definition, exactly."""
    return mean_over_pairs(data(given), given["f"].derivative_variation)


def least_path_length(given: Instance) -> Fraction:
    """Return sum_j |s_{j+1} - s_j| 2 (j/n) (1 - (j+1)/n) over the slopes s_1 .. s_{n-1} of the spline, exactly."""
    n = len(given["x"])
    changes = np.abs(np.diff(spline_slopes(given))).tolist()
    return sum((change * 2 * j * (n - 1 - j) for j, change in enumerate(changes, 1)), Fraction(0)) / n**2


def _path_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(path_length(given)), Enclosure.exactly(least_path_length(given))


NETWORK_DATA = (
    *HIDDEN_LAYER,
    DATA_ROWS,
    Symbol("dependence", "(c_j)", "coefficients of an affine dependence of the data, rationals, [n]", exact_vector),
)


def _network(given: Instance) -> tuple[Array, Array, Array]:
    w1, b1, w2 = (rationals(given[name]) for name in ("hidden", "biases", "outputs"))
    return w1, b1, w2


def turning(given: Instance) -> list[list[Enclosure]]:
    """Return what the gradient varies by on the closed segment from each data point to each, f' at a kink as postulated."""
    x = given["inputs"]
    return [[gradient_variation(*_network(given), a, b) for b in x] for a in x]


def dependent_labels(given: Instance) -> Fraction:
    """Return |sum_j c_j f(x_j)|, exactly; an output bias would change nothing of it."""
    w1, b1, w2 = _network(given)
    z = given["inputs"] @ w1.T + b1
    return abs(Fraction(dot(given["dependence"], np.where(z > 0, z, 0 * z) @ w2)))


def farthest(given: Instance) -> list[Fraction]:
    """Return max_j c_j^2 |x_j - x_i|^2 for each data point i, exactly."""
    x, c = given["inputs"], given["dependence"]
    return [max(Fraction(one * one * dot(a - b, a - b)) for one, b in zip(c, x, strict=True)) for a in x]


def _turning_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    n, label = len(given["inputs"]), dependent_labels(given)
    turned = least = Enclosure.exactly(Fraction(0))
    for row in turning(given):
        for one in row:
            turned = turned + one
    for square in farthest(given):
        if square:
            least = least + square_root(label**2 / square)
    return turned.times(Fraction(1, n**2)), least.times(Fraction(2, n**2))


def _is_dependence() -> Assumption:
    def sums(given: Instance) -> list[Fraction]:
        c = given["dependence"]
        return [Fraction(c.sum()), *map(Fraction, c @ given["inputs"])]

    return Assumption("sum c_j = 0 and sum c_j x_j = 0", sums, lambda found: not any(found))


def _reads_turning(given: Instance) -> dict[str, Any]:
    """Return what the gradient turns by for each pair, and what the affine function of each data point's gradient misses."""
    w1, b1, w2 = _network(given)
    x, c = given["inputs"], given["dependence"]
    turned = [
        [sum((_root(Fraction(dot(one, one))) for one in gradient_jumps(w1, b1, w2, a, b)), sp.Integer(0)) for b in x]
        for a in x
    ]
    z = x @ w1.T + b1
    y, affine = np.where(z > 0, z, 0 * z) @ w2, (((z >= 0) * w2) @ w1) @ x.T
    offsets = y - np.diag(affine)
    off = y - affine - offsets[:, None]
    squares = [[Fraction(dot(a - b, a - b)) for b in x] for a in x]
    seen = [
        [
            sp.Rational(*abs(Fraction(one)).as_integer_ratio()) / _root(square) if square else sp.Integer(0)
            for one, square in zip(*rows, strict=True)
        ]
        for rows in zip(off, squares, strict=True)
    ]
    return {
        "T": turned,
        "e": seen,
        "d": c * off,
        "M": [_root(square) if square else sp.Integer(1) for square in farthest(given)],
        "y": y,
        "c": c,
        "q": affine,
        "b": offsets,
        "r": len(x),
        "k": len(x),
        "n": len(x),
    }


def _root(square: Fraction) -> sp.Expr:
    return sp.sqrt(sp.Rational(square.numerator, square.denominator))


_VEE = PiecewiseLinear([Fraction(1)], [Fraction(2)], Fraction(-1), Fraction(0), Fraction(0))
_RISING = Instance({"f": PiecewiseLinear([], [], Fraction(1), Fraction(0)), "x": rationals([0, 1])}, "named")
_BENT = Instance({"f": _VEE, "x": rationals([0, 1, 2])}, "named")

_KINKED = Instance(
    {
        "hidden": rationals([[1]]),
        "biases": rationals([0]),
        "outputs": rationals([1]),
        "inputs": rationals([[-1], [0], [1]]),
        "dependence": rationals([1, -2, 1]),
    },
    "named",
)

V21 = Claim(
    id="V21",
    source=Source(VOLHEJN2020, "section 4.4.3"),
    statement=r"\min\{PL_1(f): f(x_i) = y_i\ \forall i\} = 0",
    form=Form.IDENTITY,
    symbols=(F, POINTS),
    sides=lambda given: (Enclosure.exactly(least_path_length(given)), Enclosure.exactly(Fraction(0))),
    finding=Finding.LOOSE,
    note="On a line there is a bound as simple as eq 4.8, and attained: PL1 of the spline (V21.a); 0 is the least only if the "
    "data lie on a line. With more inputs there is V21.b, for every affine dependence of the data. 0 is the least wherever the "
    "labels are an affine function of the inputs, as on affinely independent points: there no bound is lost. That measures of "
    "one category 'match closely' (section 4.4.5) leans on it: what is left of PL0 is 0.90 of it, as of PL1 and WP, until PL0 "
    "alone is counted from its bound.",
    quote="In this case, however, there is no simple lower bound on the value, and so we use the trivial bound PL_1(f) >= 0",
    reading="Strained: the thesis takes 0 for want of a bound and does not say that it is attained; it is held here to the "
    "least value that 0 stands in for, one input, PL1 over the pairs of the training data.",
    witness=Instance({**_BENT.given, **_KINKED.given}, "named"),
    no_extremal="loose; see V21.a",
)

V21A = Claim(
    id="V21.a",
    amends="V21",
    source=Source(VOLHEJN2020, "section 4.4.3, in one dimension"),
    statement=r"x_1 < \dots < x_n,\ f(x_i) = y_i \ \forall i:\quad PL_1(f) \ge PL_1(f_L) = "
    r"\sum_{j=1}^{n-2} |s_{j+1} - s_j|\; 2 \tfrac jn \big(1 - \tfrac{j+1}n\big),\quad "
    r"s_j = \tfrac{y_{j+1} - y_j}{x_{j+1} - x_j}",
    form=Form.AT_LEAST,
    symbols=(F, POINTS),
    sides=_path_sides,
    bound=spline_gradient_path_length,
    bound_on=lambda given: float(spline_gradient_path_length(data(given), given["f"](data(given)))),
    proof=proofs.v21a,
    reads=_reads_intervals,
    finding=Finding.OURS,
    note="The least PL1 on a line, for f' on open segments; on closed ones, with any value at the knots, it is no less. WP is "
    "at least sum |s_{j+1} - s_j| (V7 with V9.b). Data measured elsewhere, on a test set, are not spoken of.",
    extremal=_BENT,
)

V21B = Claim(
    id="V21.b",
    amends="V21",
    source=Source(VOLHEJN2020, "section 4.4.3, in any dimension"),
    statement=r"\sum_j c_j = 0,\ \sum_j c_j x_j = 0:\quad PL_1(f) \ge \tfrac2{n^2} \sum_i "
    r"\frac{|\sum_j c_j f(x_j)|}{\max_j |c_j|\, \|x_j - x_i\|}",
    form=Form.AT_LEAST,
    symbols=NETWORK_DATA,
    assumptions=(_is_dependence(),),
    sides=_turning_sides,
    proof=proofs.v21b,
    reads=_reads_turning,
    finding=Finding.OURS,
    note="A bound by the labels, for any number of inputs: one for every affine dependence c of the data, such as what least "
    "squares leave of the labels. It is above 0 unless these are an affine function of the inputs, and then 0 is the least. "
    "Segments are closed, f' at a kink as postulated. A term of 0/0, for points that all coincide with x_i, counts as 0.",
    extremal=_KINKED,
)

V25 = Claim(
    id="V25",
    source=Source(VOLHEJN2020, "section 3.3, after eq 3.13"),
    statement=r"f \text{ interpolates and is monotone on each } [x_i, x_{i+1}] \;\Rightarrow\; TV(f) = TV(f_L)",
    form=Form.IMPLICATION,
    symbols=(F, POINTS),
    sides=lambda given: (Enclosure.exactly(monotone_between(given)), _attains_least_variation(given)),
    proof=proofs.v25,
    reads=_reads_rises,
    finding=Finding.AS_PRINTED,
    note="And no other function does (V25.a). What is said of PL1, that its minimisers 'must not overshoot', is V25.b.",
    reading="Monotone on each interval on its own, up on one and down on another.",
    extremal=_RISING,
)

V25A = Claim(
    id="V25.a",
    amends="V25",
    source=Source(VOLHEJN2020, "section 3.3, after eq 3.13"),
    statement=r"f \text{ interpolates}:\quad TV(f) = TV(f_L) \iff f \text{ is monotone on each } [x_i, x_{i+1}]",
    form=Form.EQUIVALENCE,
    symbols=(F, POINTS),
    sides=lambda given: (_attains_least_variation(given), Enclosure.exactly(monotone_between(given))),
    proof=proofs.v25a,
    reads=_reads_rises,
    finding=Finding.OURS,
    note="The generalised eq 1.16 of which the thesis speaks.",
    no_extremal="an equivalence",
)

V25B = Claim(
    id="V25.b",
    amends="V25",
    source=Source(VOLHEJN2020, "section 3.3, before eq 3.14"),
    statement=r"f \text{ interpolates}:\quad TV(f') = TV(f_L') \iff f' \text{ is monotone on each } (x_i, x_{i+1}),\ "
    r"s_i, f'(x_{i+1}-), f'(x_{i+1}+), s_{i+1} \text{ are in order},\ f' = s_1 \text{ on the first, } "
    r"s_{n-1} \text{ on the last}",
    form=Form.EQUIVALENCE,
    symbols=(F, POINTS),
    sides=lambda given: (_attains_least_turning(given), Enclosure.exactly(turns_least(given))),
    proof=proofs.v25b,
    reads=_reads_intervals,
    finding=Finding.OURS,
    note="What the thesis says informally, that the function 'must not overshoot the values of f'', is right: f' stays between "
    "the slopes of the spline in its interval and the two beside it. That, and being monotone in each interval, is not "
    "enough: on slopes 0, 1, 2 f' may not fall from 2 to 0 in the second. 'In order' is weakly up or weakly down.",
    no_extremal="an equivalence",
)

CLAIMS = (V21, V21A, V21B, V25, V25A, V25B)
