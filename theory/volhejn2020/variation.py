"""The claims of Volhejn 2020 about total variation and its use as a measure of smoothness: V1-V5."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from theory.checks import Array, count, dot, exact_matrix, exact_vector, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, length, square_root
from theory.sources import VOLHEJN2020, Source
from theory.symbols import RATIONAL_WEIGHTS, Symbol
from theory.two_layer import Weights
from theory.volhejn2020 import variation_proofs as proofs
from theory.volhejn2020.variation_bounds import sampling_error_bound


def check_curve(name: str, value: Any) -> Array:
    """Return the vertices of a polygonal curve, exactly, [m + 1, d].

    Raises:
        TypeError: if they hold no real numbers.
        ValueError: if there are fewer than two, no coordinates, or nan or inf.
    """
    vertices = exact_matrix(name, value)
    if len(vertices) < 2 or not vertices.shape[1]:
        raise ValueError(f"{name} must be at least two points, one a row, got shape {vertices.shape}")
    return vertices


CURVE = Symbol(
    "curve", r"f(t_0), \dots, f(t_m)", "the vertices of a polygonal curve, rationals, [m + 1, d], m >= 1", check_curve
)


def check_interval(name: str, value: Any) -> Array:
    """Return the two ends of an interval, exactly.

    Raises:
        TypeError: if they are no real numbers.
        ValueError: if they are not two finite numbers, the first below the second.
    """
    ends = exact_vector(name, value)
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise ValueError(f"{name} must be two numbers, the first below the second, got {value!r}")
    return ends


INTERVAL = Symbol("interval", "[a, b]", "two rationals, a < b", check_interval)
POINT_COUNT = Symbol(
    "points", "n", "number of equidistant points, at least 2", lambda name, value: count(name, value, fewest=2)
)


def variation(curve: Array) -> Enclosure:
    """Return the total variation of a polygonal curve with vertices [m + 1, d], the length of its edges (eq 1.13)."""
    total = Enclosure.exactly(Fraction(0))
    for edge in np.diff(curve, axis=0):
        total = total + length(edge)
    return total


def monotone(curve: Array) -> bool:
    """Return whether the first coordinate never falls, or never rises, along the vertices [m + 1, d]."""
    steps = np.diff(curve[:, 0])
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _least_variation(given: Instance) -> bool:
    return bool(variation(given["curve"]).lower == abs(given["curve"][-1, 0] - given["curve"][0, 0]))


def _scalar() -> Assumption:
    return Assumption("d = 1", lambda given: given["curve"].shape[1], lambda d: d == 1)


def breakpoints(weights: Weights, a: Fraction, b: Fraction) -> Array:
    """Return a, b and the knots of the units strictly between, increasing and distinct, exactly."""
    exact = weights.rational()
    knots = {-bias / w for w, bias in zip(exact.w1, exact.b1, strict=True) if w != 0}
    return rationals(sorted({a, b} | {c for c in knots if a < c < b}))


def postulated_derivative(weights: Weights, t: Array) -> Array:
    """Return f'(t) with the derivative of the ReLU at 0 postulated to be 1 (after eq 3.16), exactly, [m]."""
    exact = weights.rational()
    active = exact.pre_activations(t) >= 0
    slopes: Array = (active * (exact.w1 * exact.w2)).sum(axis=1)
    return slopes


def derivative_values(weights: Weights, a: Fraction, b: Fraction) -> tuple[Array, Array]:
    """Return the points a, b, all knots and all midpoints between them, in order, and f' there as postulated.

    f' is constant between them, so the variation of these values is the variation of f' on the closed interval.
    """
    points = breakpoints(weights, a, b)
    between = (points[1:] + points[:-1]) / 2
    everything = rationals(sorted([*points, *between]))
    return everything, postulated_derivative(weights, everything)


def ends(given: Instance) -> tuple[Fraction, Fraction]:
    """Return a and b, the ends of the interval of an instance."""
    a, b = (Fraction(v) for v in given["interval"])
    return a, b


def pieces(given: Instance) -> tuple[Array, Array]:
    """Return the slopes of f between neighbouring breakpoints of the interval, and their distances, exactly, [m] each."""
    weights, (a, b) = given["weights"].rational(), ends(given)
    points = breakpoints(weights, a, b)
    return postulated_derivative(weights, (points[1:] + points[:-1]) / 2), np.diff(points)


def _gradient_norm_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """The mean of |f'| over the pieces, against the variation of f over their ends."""
    slopes, lengths = pieces(given)
    a, b = ends(given)
    norm = Fraction(dot(np.abs(slopes), lengths)) / (b - a)
    return Enclosure.exactly(norm), Enclosure.exactly(true_variation(given["weights"], a, b) / (b - a))


def true_variation(weights: Weights, a: Fraction, b: Fraction) -> Fraction:
    """Return TV of f on [a, b] from its values at the ends and the knots between, exactly."""
    return Fraction(np.abs(np.diff(weights.rational()(breakpoints(weights, a, b)))).sum())


def sampled_variation(weights: Weights, a: Fraction, b: Fraction, n: int) -> Fraction:
    """Return the estimate of eq 3.6 from n equidistant points, both ends among them, exactly; n >= 2."""
    points = rationals([a + (b - a) * Fraction(i, n - 1) for i in range(n)])
    return Fraction(np.abs(np.diff(weights.rational()(points))).sum())


def _estimator_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    weights, (a, b) = given["weights"], ends(given)
    estimate = sampled_variation(weights, a, b, given["points"])
    return Enclosure.exactly(estimate), Enclosure.exactly(true_variation(weights, a, b))


def slope_changes(given: Instance) -> Array:
    """Return the changes of f' between neighbouring pieces inside the interval, exactly, [m - 1]."""
    changes: Array = np.diff(pieces(given)[0])
    return changes


def _sampling_error(given: Instance) -> Any:
    return sampling_error_bound(np.abs(slope_changes(given)).sum() + Fraction(0), *ends(given), given["points"])


def shortfall(given: Instance) -> Fraction:
    """Return TV(f) less its estimate, exactly."""
    estimate, true = (Fraction(side.lower) for side in _estimator_sides(given))
    return true - estimate


def _shortfall_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    (a, b), cells = ends(given), given["points"] - 1
    bound = Fraction(np.abs(slope_changes(given)).sum()) * (b - a) / (2 * cells)
    return Enclosure.exactly(shortfall(given)), Enclosure.exactly(bound)


def _constant_gradient_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    _, values = derivative_values(given["weights"], *ends(given))
    return Enclosure.exactly(bool(np.all(values == values[0]))), Enclosure.exactly(
        bool(np.all(values[1:-1] == values[1]))
    )


def _toggling_ends(given: Instance) -> list[Fraction]:
    both = rationals(ends(given))
    exact = given["weights"].rational()
    toggles = np.any((exact.pre_activations(both) == 0) & (exact.w1 != 0) & (exact.w2 != 0), axis=1)
    return [Fraction(end) for end, toggled in zip(both, toggles, strict=True) if toggled]


def _reads_curve(given: Instance) -> dict[str, Any]:
    """Return the edges of the curve, [r, d]."""
    edges = np.diff(given["curve"], axis=0)
    return {"e": edges, "r": len(edges), "d": edges.shape[1]}


def _reads_changes(given: Instance) -> dict[str, Any]:
    """Return by how much a scalar function rises or falls along each edge."""
    steps = np.diff(given["curve"][:, 0])
    return {"p": np.maximum(steps, 0 * steps), "q": np.maximum(-steps, 0 * steps), "m": len(steps)}


def _reads_textbook(given: Instance) -> dict[str, Any]:
    """Return which of the three functions the curve is."""
    curve, squared = given["curve"].tolist(), given["squared"]
    same = [curve == known["curve"].tolist() and squared == known["squared"] for known in TEXTBOOK_CURVES]
    return dict(zip("cah", map(int, same), strict=True))


def _reads_pieces(given: Instance) -> dict[str, Any]:
    """Return the pieces of f between its breakpoints: where they start, how long they are, and f at both ends."""
    a, b = ends(given)
    points = breakpoints(given["weights"], a, b)
    values = given["weights"].rational()(points)
    lengths = np.diff(points)
    return {"s": points[:-1], "l": lengths, "u": values[:-1], "v": values[1:], "m": len(lengths), "L": b - a}


def in_rows(rows: Sequence[Sequence[Fraction]]) -> Array:
    """Return rows of rationals as a matrix with one column at least, filled up with 0."""
    wide = max([1, *(len(row) for row in rows)])
    return rationals([[*row, *[Fraction(0)] * (wide - len(row))] for row in rows]).reshape(len(rows), wide)


def cells(given: Instance) -> list[Array]:
    """Return the ends of the pieces of f in each cell between two sampled points, those of the cell among them."""
    (a, b), n = ends(given), given["points"]
    sampled = [a + (b - a) * Fraction(i, n - 1) for i in range(n)]
    return [breakpoints(given["weights"], start, end) for start, end in pairwise(sampled)]


def _reads_cells(given: Instance) -> dict[str, Any]:
    """Return by how much f changes along the pieces of each cell, [n - 1, k]."""
    f = given["weights"].rational()
    changes = in_rows([np.diff(f(points)).tolist() for points in cells(given)])
    return {"e": changes, "r": len(changes), "k": changes.shape[1]}


def _reads_turns(given: Instance) -> dict[str, Any]:
    """Return the slopes and lengths of the pieces of each cell, and how f' changes between its two extremes."""
    a, b = ends(given)
    slopes: list[list[Fraction]] = []
    lengths: list[list[Fraction]] = []
    turns: list[list[Fraction]] = []
    for points in cells(given):
        inside = postulated_derivative(given["weights"], (points[1:] + points[:-1]) / 2).tolist()
        first, last = sorted((inside.index(max(inside)), inside.index(min(inside))))
        turning = min(inside) < 0 < max(inside)
        slopes.append(inside)
        lengths.append(np.diff(points).tolist())
        turns.append(np.diff(inside[first : last + 1]).tolist() if turning else [])
    up, width = in_rows(slopes), max(len(row) for row in slopes)
    long = in_rows(lengths)
    jumps = in_rows([[*row, *[Fraction(0)] * (width - len(row))] for row in turns])
    total = Fraction(np.abs(slope_changes(given)).sum())
    return {
        "u": np.maximum(up, 0 * up),
        "v": np.maximum(-up, 0 * up),
        "g": np.where(up > 0, long, 0 * long),
        "h": np.where(up < 0, long, 0 * long),
        "p": np.maximum(up, 0 * up).max(axis=1),
        "q": np.maximum(-up, 0 * up).max(axis=1),
        "d": jumps,
        "R": total - Fraction(np.abs(jumps).sum()),
        "l": (b - a) / (given["points"] - 1),
        "a": a,
        "b": b,
        "n": given["points"],
        "r": len(up),
        "k": width,
    }


def _reads_gradient(given: Instance) -> dict[str, Any]:
    """Return f' on the pieces of the segment, and by how much it changes from an end to the piece beside it."""
    slopes, _ = pieces(given)
    at_ends = postulated_derivative(given["weights"], rationals(ends(given)))
    return {"g": slopes, "r": len(slopes) - 1, "D_1": slopes[0] - at_ends[0], "D_2": at_ends[1] - slopes[-1]}


V1 = Claim(
    id="V1",
    source=Source(VOLHEJN2020, "eqs 1.13-1.15"),
    statement=r"\min\{TV(f): f(a) = c_a,\ f(b) = c_b\} = \|c_a - c_b\|",
    form=Form.AT_LEAST,
    symbols=(CURVE,),
    sides=lambda given: (variation(given["curve"]), length(given["curve"][-1] - given["curve"][0])),
    proof=proofs.v1,
    reads=_reads_curve,
    finding=Finding.AS_PRINTED,
    note="Lower bound and attainment; the minimisers are V1.a.",
    extremal=Instance({"curve": rationals([[0, 0], [3, 4], [6, 8]])}, "named"),
)

V1A = Claim(
    id="V1.a",
    amends="V1",
    source=Source(VOLHEJN2020, "eq 1.16"),
    statement=r"d = 1:\quad f \in \arg\min TV \iff f \text{ weakly monotone}",
    form=Form.EQUIVALENCE,
    symbols=(CURVE,),
    assumptions=(_scalar(),),
    sides=lambda given: (
        Enclosure.exactly(_least_variation(given)),
        Enclosure.exactly(monotone(given["curve"])),
    ),
    proof=proofs.v1a,
    reads=_reads_changes,
    finding=Finding.AS_PRINTED,
    note="The second half of V1, for the f with the given end values.",
    no_extremal="an equivalence",
)


def _named_curve(points: list[list[int]], squared: int) -> Instance:
    return Instance({"curve": rationals(points), "squared": Fraction(squared)}, "named")


TEXTBOOK_CURVES = (
    _named_curve([[1, -1], [0, 0], [1, 1]], 8),
    _named_curve([[2], [0], [2]], 16),
    _named_curve([[0], [1]], 1),
)
"""(|t|, t) on [-1, 1]; |x| on [-2, 2]; the values of the Heaviside function, whose jump counts like an edge."""

V2 = Claim(
    id="V2",
    source=Source(VOLHEJN2020, "section 1.6, examples"),
    statement=r"TV((|t|, t)) = 2\sqrt2 \text{ on } [-1,1],\quad TV(|x|) = 4 \text{ on } [-2,2],\quad TV(H) = 1",
    form=Form.IDENTITY,
    symbols=(CURVE, Symbol("squared", "TV^2", "the square of the printed value")),
    sides=lambda given: (variation(given["curve"]), square_root(Fraction(given["squared"]))),
    proof=proofs.v2,
    reads=_reads_textbook,
    finding=Finding.AS_PRINTED,
    note="All three values are right.",
    extremal=TEXTBOOK_CURVES[0],
)

V3 = Claim(
    id="V3",
    source=Source(VOLHEJN2020, "eq 3.1 and after eq 3.9"),
    statement=r"GN(f) = \mathbb E_x |f'(x)| = \tfrac{1}{b-a} TV_{[a,b]}(f),\quad x \sim U[a,b]",
    form=Form.IDENTITY,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    sides=_gradient_norm_sides,
    proof=proofs.v3,
    reads=_reads_pieces,
    finding=Finding.AS_PRINTED,
    note="'Differentiable almost everywhere' would not do: the Heaviside function of V2 has GN 0 and TV 1.",
    reading="Read for continuous piecewise-linear (and absolutely continuous) f, which the thesis speaks of there.",
    extremal=Instance(
        {"weights": Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0)), "interval": (-1, 1)}, "named"
    ),
)

V4 = Claim(
    id="V4",
    source=Source(VOLHEJN2020, "eqs 3.5-3.6"),
    statement=r"\widehat{TV}_{[a,b]}(f, n) \approx TV_{[a,b]}(f)",
    form=Form.IDENTITY,
    symbols=(RATIONAL_WEIGHTS, INTERVAL, POINT_COUNT),
    sides=_estimator_sides,
    finding=Finding.LOOSE,
    note="Printed as an approximation, without a bound, and encoded as the equality that it stands in for: the estimate is "
    "never too high, and may be 0 for a function that is not constant, where f turns between two of the points. V4.a "
    "says by how much it may fall short. Besides, PL0 is estimated from 1000 pairs, which are a sample; B6.c, for one input, "
    "needs neither.",
    quote="We also approximate TV_[a,b] by selecting a fixed equidistant partition of the segment [a, b]",
    reading="Strained: the thesis calls it an approximation and gives no bound; it is held here to the equality that it "
    "stands in for.",
    witness=Instance(
        {
            "weights": Weights([1, -1], [Fraction(0), Fraction(0)], [1, 1], Fraction(0)),
            "interval": (-1, 1),
            "points": 2,
        },
        "named",
    ),
    no_extremal="see V4.a",
)

V4A = Claim(
    id="V4.a",
    amends="V4",
    source=Source(VOLHEJN2020, "eqs 3.5-3.6, repaired"),
    statement=r"TV_{[a,b]}(f) - \widehat{TV}_{[a,b]}(f, n) \le \tfrac{b-a}{2(n-1)} TV_{(a,b)}(f')",
    form=Form.AT_MOST,
    symbols=V4.symbols,
    sides=_shortfall_sides,
    bound=sampling_error_bound,
    bound_on=lambda given: float(_sampling_error(given)),
    proof=proofs.v4a,
    reads=_reads_turns,
    finding=Finding.OURS,
    note="The largest possible error, attained by |x| on [-1, 1] with n = 2. For n = 100 it is (b - a) TV(f') / 198, for "
    "the 10 points of eq 4.7 (b - a) TV(f') / 18.",
    extremal=V4.witness,
)

V4B = Claim(
    id="V4.b",
    amends="V4",
    source=Source(VOLHEJN2020, "eqs 3.5-3.6, repaired"),
    statement=r"\widehat{TV}_{[a,b]}(f, n) \le TV_{[a,b]}(f)",
    form=Form.AT_MOST,
    symbols=V4.symbols,
    sides=_estimator_sides,
    proof=proofs.v4b,
    reads=_reads_cells,
    finding=Finding.OURS,
    note="The estimate errs on one side only: measured path lengths are lower bounds, up to the sampling of pairs.",
    extremal=Instance(
        {
            "weights": Weights([Fraction(1)], [Fraction(0)], [Fraction(1)], Fraction(0)),
            "interval": (-1, 1),
            "points": 2,
        },
        "named",
    ),
)

V5 = Claim(
    id="V5",
    source=Source(VOLHEJN2020, "eq 3.7 and after"),
    statement=r"TV_{[x_1,x_2]}(\nabla f) = 0 \iff \nabla f \text{ is constant on the segment } (x_1, x_2)",
    form=Form.EQUIVALENCE,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    sides=_constant_gradient_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="This rests on the value that f' is given where it does not exist: for differentiable f in one dimension the claim "
    "is true. As printed the segment (x1, x2) is open, while the variation is taken over the closed one. With the derivative "
    "of the ReLU at 0 postulated to be 1, f = [-x]_+ has f' = 0 on the open segment (0, 1) and f'(0) = -1: its "
    "variation is 1. On closed segments, or with no unit toggling at an end, it holds (V5.a). 'The minimizer is a "
    "linear interpolation' is one direction only: in two dimensions [x+y]_+ - [x-y]_+ is 0 on the line y = 0 while "
    "its gradient jumps by (0, 2) at x = 0.",
    quote="we have TV_[x_1, x_2](grad f) = 0 iff grad f is constant on the segment (x_1, x_2)",
    reading="Strained: '(x_1, x_2)' is read as the open segment, and f' at a kink as postulated; of the closed segment "
    "the words are right (V5.a).",
    witness=Instance(
        {"weights": Weights([Fraction(-1)], [Fraction(0)], [Fraction(1)], Fraction(0)), "interval": (0, 1)}, "named"
    ),
    no_extremal="an equivalence",
)

V5A = Claim(
    id="V5.a",
    amends="V5",
    source=Source(VOLHEJN2020, "eq 3.7, repaired"),
    statement=r"\text{no unit toggles at } x_1, x_2:\quad TV_{[x_1,x_2]}(\nabla f) = 0 \iff \nabla f "
    r"\text{ is constant on } (x_1, x_2)",
    form=Form.EQUIVALENCE,
    symbols=(RATIONAL_WEIGHTS, INTERVAL),
    assumptions=(Assumption("no unit toggles at an end of the segment", _toggling_ends, lambda ends: not ends),),
    sides=_constant_gradient_sides,
    proof=proofs.v5a,
    reads=_reads_gradient,
    finding=Finding.OURS,
    note="The gradient is then continuous at both ends, and open and closed segment agree.",
    no_extremal="an equivalence",
)

CLAIMS = (V1, V1A, V2, V3, V4, V4A, V4B, V5, V5A)
