"""Claims beyond the five papers: B1 on interpolants and the critical step size, B7 on minima that do not interpolate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from theory import beyond as bounds
from theory.checks import Array, data_points, data_set, dot, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.claims.mulayoff2021 import M5, WEIGHTS, X, Y, gram_rounding, needs_rationals, off_the_data
from theory.enclosure import EPS, Enclosure, square_root, top_eigenvalue
from theory.mulayoff2021 import curvature_bound, curvature_enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.proofs import beyond as proofs
from theory.sources import HOUSE, LIANG2025, Source
from theory.stability_weight import Side, weight_enclosure
from theory.symbols import Symbol
from theory.two_layer import Weights

BESIDE: tuple[Side, Side] = ("left", "right")


def check_function(name: str, value: Any) -> PiecewiseLinear:
    """Return a piecewise-linear function, exactly: floats are taken as the rationals they are.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(value, PiecewiseLinear):
        kind = type(value).__name__
        raise TypeError(f"{name} must be a PiecewiseLinear, got {kind}: see its interpolate and from_weights")
    numbers = rationals([value.slope, value.value, value.anchor])
    return PiecewiseLinear(rationals(value.knots), rationals(value.jumps), *numbers)


def check_data(name: str, value: Any) -> Array:
    """Return the inputs of a data set, [n], n >= 2, distinct, increasing and exact.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than two points, two equal ones, nan or inf.
    """
    return rationals(sorted(data_points(name, value, fewest=2)))


F = Symbol("f", "f", "a continuous piecewise-linear function, exact; the data are (x, f(x))", check_function)
POINTS = Symbol("x", "(x_j)", "at least 2 distinct data points, [n]; X is uniform on them", check_data)


def _weighted(sizes: Array, ends: tuple[Array, Array]) -> Enclosure:
    return Enclosure(Fraction(dot(sizes, ends[0])), Fraction(dot(sizes, ends[1])))


def _curvature(f: PiecewiseLinear, x: Array) -> Enclosure:
    return _weighted(np.abs(f.jumps), weight_enclosure(f.knots, x))


def printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g of f and of the linear spline through its values."""
    f, x = given["f"], given["x"]
    return _curvature(f, x), _curvature(PiecewiseLinear.interpolate(x, f(x)), x)


Ends = tuple[Array, Array]
"""Rationals below and above some numbers, each [m]."""


def beside(knots: Array, x: Array) -> tuple[Ends, Ends]:
    """Return rationals around the limits of g from the left and from the right at some of the data points x."""
    left, right = (weight_enclosure(knots, x, side=side) for side in BESIDE)
    return left, right


def lower_of(first: Ends, second: Ends) -> Ends:
    """Return rationals around the lower of two numbers each."""
    lower, upper = (
        rationals([min(pair) for pair in zip(*ends, strict=True)]) for ends in zip(first, second, strict=True)
    )
    return lower, upper


def lowest_weight_enclosure(x: Array, knots: Array) -> Ends:
    """Return rationals around the lower of the limits of g from the left and the right at some of the data points x."""
    return lower_of(*beside(knots, x))


def weighed_sides(given: Instance, weigh: Callable[[Array, Array], Ends]) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and the spline's changes of slope weighed by a function of its knots and of x."""
    f, x = given["f"], given["x"]
    spline = PiecewiseLinear.interpolate(x, f(x))
    return _curvature(f, x), _weighted(np.abs(spline.jumps), weigh(spline.knots, x))


def _critical_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return weighed_sides(given, lambda knots, x: lowest_weight_enclosure(x, knots))


def _at_critical_step(given: Instance) -> float:
    """1/eta* - 1/2, which M6 allows at the critical step size eta*."""
    return 1 / bounds.critical_step_size(given["x"], given["f"](given["x"])) - 0.5


def bent_after(x: list[int], delta: Fraction) -> Instance:
    """Return three data points with y = (0, 0, 1) and f that bends not at the middle one but `delta` after it."""
    left, middle, right = (Fraction(v) for v in x)
    knot = middle + delta
    f = PiecewiseLinear([knot], [1 / (right - knot)], Fraction(0), Fraction(0), left)
    return Instance({"f": f, "x": rationals([left, middle, right])}, "named")


B1 = Claim(
    id="B1",
    source=Source(HOUSE, "B1, as first stated"),
    statement=r"f \text{ interpolates} \;\Rightarrow\; \int |f''| g \ge \int |f_L''| g = \sum_j |s_{j+1} - s_j|\, g(x_j)",
    form=Form.AT_LEAST,
    symbols=(F, POINTS),
    sides=printed_sides,
    finding=Finding.FALSE,
    note="g does not always drop at data points: g-(t) = A sqrt(m^2 + S^2)/n^2 falls just right of a point x with (m + "
    "1)^2 + (S + x)^2 < m^2 + S^2, m and S the number and the sum of the points below. On x = (-3, 3, 6) it is "
    "cheaper to bend just after 3 than at 3. B1.a replaces g(x_j) by the lower of its two limits there.",
    witness=bent_after([-3, 3, 6], Fraction(1, 100)),
    no_extremal="refuted; see B1.a",
)

B1A = Claim(
    id="B1.a",
    amends="B1",
    source=Source(HOUSE, "B1, repaired"),
    statement=r"f \text{ interpolates} \;\Rightarrow\; \int |f''| g \ge \sum_j |s_{j+1} - s_j|\, g_*(x_j),\quad "
    r"g_*(x) = \min\{g(x-), g(x+)\}",
    form=Form.AT_LEAST,
    symbols=(F, POINTS),
    sides=_critical_sides,
    bound=bounds.critical_step_size,
    bound_on=_at_critical_step,
    proof=proofs.b1a,
    finding=Finding.OURS,
    note="The infimum over interpolants, approached by moving the spline's knots to the side where g is lower. g(x) "
    "itself is never below both limits: a knot on a data point costs no less than one beside it.",
    extremal=Instance(
        {
            "f": PiecewiseLinear([Fraction(0)], [Fraction(2)], Fraction(-1), Fraction(0), Fraction(0)),
            "x": rationals([Fraction(-3, 4), 0, Fraction(3, 4)]),
        },
        "named",
    ),
)


def hessian(weights: Weights, x: Array, y: Array) -> Array:
    """Return the Hessian of (1/2n) sum (f - y)^2 in the weights, [3k + 1, 3k + 1] (mulayoff2021, eq 27)."""
    features = weights.tangent_features(x)
    n = Fraction(len(x)) if features.dtype == object else float(len(x))
    matrix: Array = features.T @ features / n + weights.residual_hessian(x, weights(x) - y)
    return matrix


def hessian_top(weights: Weights, x: Array, y: Array) -> Enclosure:
    """Return an interval around lambda_max of the Hessian, the rounding of its entries included."""
    if y.dtype == object or needs_rationals(weights, x):
        return top_eigenvalue(hessian(weights.rational(), rationals(x), rationals(y)))
    top = top_eigenvalue(hessian(weights, x, y))
    outputs = (np.abs(np.multiply.outer(x, weights.w1)) + np.abs(weights.b1)) @ np.abs(weights.w2)
    residuals = outputs + abs(weights.b2) + np.abs(y)  # what they are sums of, before anything cancels
    share = EPS * (weights.width + len(x) + 8)
    error = gram_rounding(weights, x) + share * float(np.mean((np.abs(x) + 1) * residuals))
    return Enclosure(top.lower - error, top.upper + error)


def loss_sides(given: Instance, squared_factor: Callable[[Array], Enclosure]) -> tuple[Enclosure, Enclosure]:
    """Return int |f''| g, and lambda_max/2 - 1/2 + sqrt(factor^2 2 L), L the loss and the factor a function of x."""
    weights, x, y = given["weights"], given["x"], given["y"]
    data_set(x, y, fewest=1)
    residuals = weights.rational()(rationals(x)) - rationals(y)
    factor, twice_loss = squared_factor(rationals(x)), Fraction(dot(residuals, residuals)) / len(x)
    ends = [square_root(Fraction(end) * twice_loss) for end in (factor.lower, factor.upper)]
    term = Enclosure(ends[0].lower, ends[1].upper)
    top = hessian_top(weights, x, y)
    half = Fraction(1, 2)
    limit = Enclosure(half * Fraction(top.lower) - half + term.lower, half * Fraction(top.upper) - half + term.upper)
    return curvature_enclosure(weights, x), limit


def printed_factor(x: Array) -> Enclosure:
    """Return (R + 1)^2, R = max |x_j|, for rational x [n]."""
    return Enclosure.exactly((max(abs(v) for v in x) + 1) ** 2)


def sharp_factor(x: Array) -> Enclosure:
    """Return M/4, M the top eigenvalue of the second moments of (X, 1), for rational x [n]."""
    mean, square = (Fraction(sum(x**power, Fraction(0))) / len(x) for power in (1, 2))
    top = top_eigenvalue(np.array([[square, mean], [mean, Fraction(1)]], dtype=object))
    return Enclosure(Fraction(top.lower) / 4, Fraction(top.upper) / 4)


def _at_this_loss(given: Instance, term: Callable[[Array, float], float]) -> float:
    """lambda_max/2 - 1/2 and a term in x and the loss, in floats; with lambda_max = 2/eta it is M6's bound and the term."""
    weights, x, y = given["weights"], given["x"], given["y"]
    residuals = weights(x) - y
    step_size = 2 / float(hessian_top(weights, x, y).midpoint)
    return curvature_bound(step_size) + term(x, float(dot(residuals, residuals)) / (2 * len(x)))


def _at_zero_loss() -> Instance:
    tight = M5.extremal
    if tight is None:
        raise ValueError("M5 has an extremal instance")
    return tight.but(y=tight["weights"](tight["x"]))


B7 = Claim(
    id="B7",
    source=Source(LIANG2025, "Theorem 3.2"),
    statement=r"\sum_j |a_j| g(t_j) \le \tfrac12\lambda_{\max}(\nabla^2\mathcal L) - \tfrac12 + (R + 1)\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, Y),
    assumptions=(off_the_data(),),
    sides=lambda given: loss_sides(given, printed_factor),
    bound=bounds.loss_term,
    bound_on=lambda given: _at_this_loss(given, bounds.loss_term),
    proof=proofs.b7,
    finding=Finding.LOOSE,
    note="Holds with at most half the loss term: B7.a. R = max |x_j|, and the a_j are the jumps of f' at its knots t_j. "
    "Attained only at loss 0, where it is M5.",
    extremal=_at_zero_loss(),
)

B7A = Claim(
    id="B7.a",
    amends="B7",
    source=Source(LIANG2025, "Theorem 3.2, sharpened"),
    statement=r"\sum_j |a_j| g(t_j) \le \tfrac12\lambda_{\max}(\nabla^2\mathcal L) - \tfrac12 "
    r"+ \tfrac12\sqrt{\lambda_{\max}(\mathbb E[(X,1)(X,1)^T])}\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, Y),
    assumptions=(off_the_data(),),
    sides=lambda given: loss_sides(given, sharp_factor),
    bound=bounds.sharp_loss_term,
    bound_on=lambda given: _at_this_loss(given, bounds.sharp_loss_term),
    proof=proofs.b7a,
    finding=Finding.OURS,
    note="M = lambda_max(E[(X,1)(X,1)^T]) is at most 1 + R^2, so this is at most half of the printed loss term; M = 1 for "
    "standardised data. Half of it would not do; whether all of it is needed is open (most seen: 0.66 of it, for n = 2).",
    extremal=_at_zero_loss(),
)

CLAIMS = (B1, B1A, B7, B7A)
