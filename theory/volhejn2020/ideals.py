"""The claims of Volhejn 2020 about what its measures take for smooth: V23 and V27."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import implemented
from theory.checks import Array, count, dot, exact_sequence, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.path_lengths import function_path_length, gradient_path_length
from theory.sources import VOLHEJN2020, Source
from theory.symbols import RATIONAL_WEIGHTS, Symbol
from theory.two_layer import Weights
from theory.volhejn2020 import ideals_proofs as proofs
from theory.volhejn2020.estimators import mean
from theory.volhejn2020.spline import unit_sizes, wp
from theory.volhejn2020.variation import INTERVAL, breakpoints, ends, pieces, postulated_derivative

MEASURES = ("GN", "PL_0", "PL_1", "WP")
"""The four measures of chapter 3, in its order; an instance names one by its place."""


def _which(name: str, value: Any) -> int:
    if count(name, value, fewest=0) >= len(MEASURES):
        raise ValueError(f"{name} must be below {len(MEASURES)}, one of {', '.join(MEASURES)}, got {value}")
    return int(value)


WHICH = Symbol("which", "S", "the measure: 0 for GN, 1 for PL_0, 2 for PL_1, 3 for WP", _which)
ON_DATA = Symbol("x", "(x_j)", "the data, rationals, [n]; points may coincide", exact_sequence)


def slopes_at(given: Instance) -> Array:
    """Return f'(x_j), the derivative of the ReLU at 0 being 1 as postulated, exactly, [n]."""
    return postulated_derivative(given["weights"], rationals(given["x"]))


def measure_of(given: Instance) -> Fraction:
    """Return the measure that an instance names, of its network on its data, exactly.

    GN is the mean over the data, both path lengths are over all pairs of them, PL1 over open segments (B6.d).
    """
    f, x = implemented(given), given["x"]
    measures: tuple[Callable[[], Any], ...] = (
        lambda: mean(np.abs(slopes_at(given))),
        lambda: function_path_length(f, x),
        lambda: gradient_path_length(f, x),
        lambda: wp(given),
    )
    return Fraction(measures[given["which"]]())


def measure_terms(given: Instance) -> tuple[list[Fraction], list[Fraction]]:
    """Return p and a such that the measure is sum p_i |a_i|: shares above 0, and numbers that are linear in the outputs."""
    f, x, n = implemented(given), np.sort(rationals(given["x"])), len(given["x"])
    shares: list[Fraction] = []
    terms: list[Fraction] = []
    if given["which"] == 0:
        shares, terms = [Fraction(1, n)] * n, slopes_at(given).tolist()
    elif given["which"] == 1 and x[0] < x[-1]:
        points = rationals(sorted({*breakpoints(given["weights"], x[0], x[-1]), *x}))
        below = np.searchsorted(x, points[:-1], side="right").tolist()
        shares, terms = [Fraction(2 * k * (n - k), n**2) for k in below], np.diff(f(points)).tolist()
    elif given["which"] == 2:
        inside = [(knot, jump) for knot, jump in zip(f.knots, f.jumps, strict=True) if x[0] < knot < x[-1]]
        shares = [Fraction(2 * int((x < knot).sum()) * int((x > knot).sum()), n**2) for knot, _ in inside]
        terms = [jump for _, jump in inside]
    elif given["which"] == 3:
        weights = given["weights"].rational()
        terms = (weights.w1 * weights.w2).tolist()
        shares = [Fraction(1)] * len(terms)
    return shares, terms


def reads_terms(given: Instance) -> dict[str, Any]:
    """Return the measure as a sum of p_i |a_i|, i = 1..m, with one term of 0 if there is none; and the extremes of p."""
    shares, terms = measure_terms(given)
    shares, terms = shares or [Fraction(1)], terms or [Fraction(0)]
    return {"p": shares, "a": terms, "r": len(terms), "m": len(terms), "l": min(shares), "h": max(shares)}


def constant(given: Instance) -> bool:
    """Return whether the function of the network is a constant."""
    f = implemented(given)
    return not len(f.knots) and f.slope == 0


def ideal(given: Instance) -> bool:
    """Return whether a network is as smooth as the measure that the instance names can tell, by what it looks at."""
    x = rationals(sorted(given["x"]))
    f = implemented(given)
    if given["which"] == 0:
        return not np.any(slopes_at(given))
    if given["which"] == 1:
        return x[0] == x[-1] or not np.any(pieces(given.but(interval=(x[0], x[-1])))[0])
    if given["which"] == 2:
        return not np.any((f.knots > x[0]) & (f.knots < x[-1]))
    return not np.any(unit_sizes(given))


def _vanishes(given: Instance) -> Enclosure:
    return Enclosure.exactly(measure_of(given) == 0)


def _steepest_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    slopes, _ = pieces(given)
    return Enclosure.exactly(wp(given)), Enclosure.exactly(Fraction(np.abs(slopes).max()))


def _reads_steepest(given: Instance) -> dict[str, Any]:
    """Return w1 w2 of all units, and which are active where f is steepest; one unit at least."""
    weights, points = given["weights"].rational(), breakpoints(given["weights"], *ends(given))
    steepest = int(np.abs(pieces(given)[0]).argmax())
    active = weights.pre_activations((points[1:] + points[:-1])[[steepest]] / 2)[0] > 0
    return {
        "c": [*(weights.w1 * weights.w2), Fraction(0)],
        "b": [*map(int, active), 0],
        "m": weights.width + 1,
    }


_CANCELLED = Weights([Fraction(1), Fraction(1)], [Fraction(0), Fraction(0)], [Fraction(1), Fraction(-1)], Fraction(0))

V23 = Claim(
    id="V23",
    source=Source(VOLHEJN2020, "chapter 3, second paragraph"),
    statement=r"S \in \{GN, PL_0, PL_1, WP\}:\quad f \text{ constant} \;\Rightarrow\; S(f) = 0",
    form=Form.IMPLICATION,
    symbols=(RATIONAL_WEIGHTS, ON_DATA, WHICH),
    sides=lambda given: (Enclosure.exactly(constant(given)), _vanishes(given)),
    finding=Finding.NEEDS_ASSUMPTION,
    note="So it is for PL0, for PL1 on open segments, and for GN unless a unit toggles on a data point, where f' is what "
    "the postulate makes of it. WP is a measure of the weights: [x]_+ - [x]_+ is the constant 0 and has WP = 2; the least WP "
    "of all weights that compute f is 0 for constants. Of linear functions 'perhaps' is in place: among the four only PL1 is 0 "
    "for them; WP, a second-order measure, is at least the slope (V23.b).",
    quote="this ideal smoothness should be reached by constant functions, or perhaps more generally by linear functions",
    reading="As a demand, which the thesis makes of its measures, on the four that it defines; WP of the weights as they are, "
    "as eq 3.8 has it. Of the functions that weights compute, with the least WP, the words are right.",
    witness=Instance({"weights": _CANCELLED, "x": rationals([0]), "which": 3, "interval": (0, 1)}, "named"),
    no_extremal="refuted",
)

V23A = Claim(
    id="V23.a",
    amends="V23",
    source=Source(VOLHEJN2020, "chapter 3, second paragraph, repaired"),
    statement=r"GN(f) = 0 \iff f'(x_j) = 0\ \forall j;\quad PL_0(f) = 0 \iff f \text{ is constant on } [x_{\min}, x_{\max}];"
    r"\quad PL_1(f) = 0 \iff f \text{ is linear there};\quad WP = 0 \iff w^{(1)}_i w^{(2)}_i = 0\ \forall i",
    form=Form.EQUIVALENCE,
    symbols=(RATIONAL_WEIGHTS, ON_DATA, WHICH),
    sides=lambda given: (_vanishes(given), Enclosure.exactly(ideal(given))),
    proof=proofs.v23a,
    reads=reads_terms,
    finding=Finding.OURS,
    note="One input, and the means over given data. What is ideal on them may be anything elsewhere: [x - 2]_+ on 0 and 1 has "
    "GN = PL0 = PL1 = 0, and GN is 0 for a step between two data points. With more inputs PL0 and PL1 see the segments "
    "between the data and nothing else.",
    no_extremal="an equivalence",
)

V23B = Claim(
    id="V23.b",
    amends="V23",
    source=Source(VOLHEJN2020, "chapter 3, second paragraph, for eq 3.8"),
    statement=r"WP(f) \ge \max_{t \in [a,b]} |f'(t)|",
    form=Form.AT_LEAST,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    sides=_steepest_sides,
    proof=proofs.v23b,
    reads=_reads_steepest,
    finding=Finding.OURS,
    note="One input. So among the lines only constants have WP 0, as with a first-order measure; of a second-order one one "
    "would expect 0 for all of them, as TV(f') has it. A line takes one unit with its knot outside of the interval, and WP is "
    "its slope. f' is taken between the knots.",
    extremal=Instance(
        {"weights": Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0)), "interval": (0, 1)}, "named"
    ),
)

_t = sp.Symbol("t", real=True)
_line = [(_t, 0, 10)]
_tooth = [(0 * _t, 0, 5), (2 * _t - 10, 5, 10)]


def slope_mean(given: Instance) -> Fraction:
    """Return the mean of |f'|, or the integral if the instance asks for the variation, of pieces, exactly."""
    total = sum(
        (abs(sp.integrate(sp.diff(piece, _t), (_t, start, end))) for piece, start, end in given["pieces"]),
        sp.Integer(0),
    )
    length = given["pieces"][-1][2] - given["pieces"][0][1]
    return Fraction(int(total.p), int(total.q)) / (length if given["averaged"] else 1)


def _example(name: str, pieces: list[tuple[Any, int, int]], averaged: bool, printed: int) -> Instance:
    return Instance(
        {"name": name, "pieces": pieces, "averaged": int(averaged), "printed": Fraction(printed)},
        "named",
    )


TOOTH_EXAMPLES = (
    _example("TV(f)", _line, False, 10),
    _example("TV(g)", _tooth, False, 10),
    _example("GN(f)", _line, True, 1),
    _example("GN(g)", _tooth, True, 1),
)


def _reads_example(given: Instance) -> dict[str, Any]:
    """Return which of the examples an instance is about."""
    asked = (given["pieces"], given["averaged"])
    same = [asked == (known["pieces"], known["averaged"]) for known in TOOTH_EXAMPLES]
    return dict(zip("abcd", map(int, same), strict=True))


V27 = Claim(
    id="V27",
    source=Source(VOLHEJN2020, "end of section 3.1.2"),
    statement=r"f(x) = x,\ g(x) = \max(0, 2x - 10):\quad TV_{[0,10]}(f) = TV_{[0,10]}(g) = 10,\quad GN(f) = GN(g) = 1",
    form=Form.IDENTITY,
    symbols=(
        Symbol("pieces", "f", "the pieces, monotone each: expression in t, from, to"),
        Symbol("averaged", "S", "0 for TV, 1 for GN"),
        Symbol("printed", "v", "the value"),
        Symbol("name", "", "which example"),
    ),
    sides=lambda given: (Enclosure.exactly(slope_mean(given)), Enclosure.exactly(given["printed"])),
    proof=proofs.v27,
    reads=_reads_example,
    finding=Finding.AS_PRINTED,
    note="The norm itself is averaged in eq 3.1: its square, as in geometric complexity, tells f from g (V27.a). GN of g "
    "is 2 P(X > 5), and so that of f exactly if half of the distribution lies above 5. That of PL0 over uniform pairs "
    "agrees here because the tooth begins in the middle, and in no other place (V27.b).",
    reading="The problem is shared for x uniform on [0, 10], as section 3.3 has it; the values of GN are not printed.",
    extremal=TOOTH_EXAMPLES[0],
)


def _squares(given: Instance) -> tuple[Enclosure, Enclosure]:
    slopes, lengths = pieces(given)
    a, b = ends(given)
    first, last = given["weights"].rational()(rationals([a, b]))
    return (
        Enclosure.exactly(Fraction(dot(slopes * slopes, lengths)) / (b - a)),
        Enclosure.exactly((Fraction(last - first) / (b - a)) ** 2),
    )


def _reads_slopes(given: Instance) -> dict[str, Any]:
    """Return the slopes of f between its breakpoints, and the shares of the interval that these pieces take."""
    slopes, lengths = pieces(given)
    a, b = ends(given)
    return {"s": slopes, "p": lengths / (b - a), "m": len(slopes)}


V27A = Claim(
    id="V27.a",
    amends="V27",
    source=Source(VOLHEJN2020, "end of section 3.1.2, with the square of the gradient"),
    statement=r"\tfrac1{b-a}\int_a^b f'^2 \ge \Big(\tfrac{f(b) - f(a)}{b-a}\Big)^2",
    form=Form.AT_LEAST,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    sides=_squares,
    proof=proofs.v27a,
    reads=_reads_slopes,
    finding=Finding.OURS,
    note="With equality iff f is linear on [a, b]: a first-order measure can prefer the line to the tooth, for which the left "
    "side is 1 and 2. What takes all monotone functions for equally smooth is the norm without its square.",
    extremal=Instance({"weights": Weights([Fraction(1)], [0], [Fraction(1)], 0), "interval": (0, 1)}, "named"),
)


def _tooth_start(name: str, value: Any) -> Fraction:
    """Return where the tooth begins, exactly.

    Raises:
        TypeError: if it is no real number.
        ValueError: if it is not at least 0 and below 1.
    """
    (start,) = exact_sequence(name, [value])
    if not 0 <= start < 1:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value!r}")
    return Fraction(start)


def tooth_path_length(start: Fraction) -> Fraction:
    """Return PL0 for uniform ends on [0, 1] of the function that is 0 up to a place and rises to 1 from there, exactly."""
    u = sp.Rational(start.numerator, start.denominator)
    value = sp.integrate(2 * _t * (1 - _t) / (1 - u), (_t, u, 1))
    return Fraction(int(value.p), int(value.q))


V27B = Claim(
    id="V27.b",
    amends="V27",
    source=Source(VOLHEJN2020, "end of section 3.1.2, for eq 3.4"),
    statement=r"g_u(x) = \tfrac{\max(0, x - u)}{1 - u}:\quad PL_0(g_u) = \mathbb E_{s,t \sim U[0,1]} |g_u(s) - g_u(t)| = "
    r"\tfrac13 (1 - u)(1 + 2u)",
    form=Form.IDENTITY,
    symbols=(Symbol("start", "u", "where the tooth begins, a rational from 0 to below 1", _tooth_start),),
    sides=lambda given: (
        Enclosure.exactly(tooth_path_length(given["start"])),
        Enclosure.exactly((1 - given["start"]) * (1 + 2 * given["start"]) / 3),
    ),
    proof=proofs.v27b,
    reads=lambda given: {"u": given["start"]},
    finding=Finding.OURS,
    note="1/3 for the line (u = 0) and the tooth of the thesis (u = 1/2), more between, less beyond: PL0 itself, a mean over "
    "pairs, does tell monotone functions with the same ends apart, and takes late teeth for smoother than the line. TV on the "
    "whole interval does not.",
    extremal=Instance({"start": Fraction(1, 2)}, "named"),
)

CLAIMS = (V23, V23A, V23B, V27, V27A, V27B)
