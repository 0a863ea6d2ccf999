"""Claims beyond the five papers: B1 on interpolants and the critical step size, B7 on minima that do not interpolate."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import sympy as sp

from theory import beyond as bounds
from theory.checks import Array, data_set, dot, rationals
from theory.claim import Claim, Finding, Form, Instance
from theory.claims.mulayoff2021 import M5, WEIGHTS, X, Y, gram_rounding, needs_rationals, off_the_data
from theory.enclosure import EPS, Enclosure, square_root, top_eigenvalue
from theory.mulayoff2021 import curvature_enclosure
from theory.piecewise_linear import PiecewiseLinear
from theory.proof import Proof, Rule, Step
from theory.sources import HOUSE, LIANG2025, Source
from theory.stability_weight import Side, weight_enclosure
from theory.symbols import Symbol
from theory.two_layer import Weights

BESIDE: tuple[Side, Side] = ("left", "right")
F = Symbol("f", "f", "a piecewise-linear function, exact; the data are (x, f(x))")


def _weighted(sizes: Array, ends: tuple[Array, Array]) -> Enclosure:
    return Enclosure(Fraction(dot(sizes, ends[0])), Fraction(dot(sizes, ends[1])))


def _curvature(f: PiecewiseLinear, x: Array) -> Enclosure:
    return _weighted(np.abs(f.jumps), weight_enclosure(f.knots, x))


def _printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    f, x = given["f"], rationals(sorted(given["x"]))
    return _curvature(f, x), _curvature(PiecewiseLinear.interpolate(x, f(x)), x)


def lowest_weight_enclosure(x: Array, knots: Array) -> tuple[Array, Array]:
    """Return rationals around the lower of the limits of g from the left and the right at some of the data points x."""
    left, right = (weight_enclosure(knots, x, side=side) for side in BESIDE)
    lower, upper = (
        rationals([min(pair) for pair in zip(*ends, strict=True)]) for ends in zip(left, right, strict=True)
    )
    return lower, upper


def _repaired_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    f, x = given["f"], rationals(sorted(given["x"]))
    spline = PiecewiseLinear.interpolate(x, f(x))
    ends = lowest_weight_enclosure(x, spline.knots)
    return _curvature(f, x), _weighted(np.abs(spline.jumps), ends)


def bent_after(x: list[int], delta: Fraction) -> Instance:
    """Return three data points with y = (0, 0, 1) and f that bends not at the middle one but `delta` after it."""
    left, middle, right = (Fraction(v) for v in x)
    knot = middle + delta
    f = PiecewiseLinear([knot], [1 / (right - knot)], Fraction(0), Fraction(0), left)
    return Instance({"f": f, "x": rationals([left, middle, right])}, "named")


_c, _l, _r, _a, _b, _s = sp.symbols("c l r a b s", nonnegative=True)
_p, _q, _theta = sp.symbols("p q theta", nonnegative=True)

B1 = Claim(
    id="B1",
    source=Source(HOUSE, "B1, as first stated"),
    statement=r"f \text{ interpolates} \;\Rightarrow\; \int |f''| g \ge \int |f_L''| g = \sum_j |s_{j+1} - s_j|\, g(x_j)",
    form=Form.AT_LEAST,
    symbols=(F, X),
    sides=_printed_sides,
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
    symbols=(F, X),
    sides=_repaired_sides,
    bound=bounds.critical_step_size,
    proof=lambda: Proof(
        (
            Step(
                (_a + (_b - _a) * _theta) + _s,
                (1 - _theta) * _a + _theta * _b,
                Rule.NONNEGATIVE,
                "g is concave between neighbouring data points, with limits a >= g_*(x_j), b >= g_*(x_{j+1}): at a knot "
                "c = (1 - theta) x_j + theta x_{j+1} it exceeds the chord by some s >= 0",
                (_s,),
            ),
            Step(
                _c * (_p * (_a + _l) + _q * (_b + _r)),
                _c * (_p * _a + _q * _b),
                Rule.NONNEGATIVE,
                "a mass c there costs at least what its shares p = 1 - theta and q = theta cost at the two data points, "
                "where g_* is lower than the limits by l, r >= 0",
                (_c * _p * _l, _c * _q * _r),
            ),
            Step(
                sp.Symbol("masses"),
                sp.Symbol("changes"),
                Rule.CITED,
                "integration by parts against the hat function of "
                "x_j: the signed shares that arrive at x_j add up to the spline's change of slope there; by the "
                "triangle inequality their sizes add up to at least its size",
            ),
        ),
        "any finite number of knots and data points; masses outside the data cost nothing and arrive nowhere inside",
    ),
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


def _loss_sides(given: Instance, squared_factor: Callable[[Array], Enclosure]) -> tuple[Enclosure, Enclosure]:
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


def _quarter_of_second_moment(x: Array) -> Enclosure:
    mean, square = (Fraction(sum(x**power, Fraction(0))) / len(x) for power in (1, 2))
    top = top_eigenvalue(np.array([[square, mean], [mean, Fraction(1)]], dtype=object))
    return Enclosure(Fraction(top.lower) / 4, Fraction(top.upper) / 4)


def _at_zero_loss() -> Instance:
    tight = M5.extremal
    if tight is None:
        raise ValueError("M5 has an extremal instance")
    return tight.but(y=tight["weights"](tight["x"]))


_u, _v = sp.symbols("u v", real=True)
_rho, _big = sp.symbols("rho R", real=True)

B7 = Claim(
    id="B7",
    source=Source(LIANG2025, "Theorem 3.2"),
    statement=r"\sum_j |a_j| g(t_j) \le \tfrac12\lambda_{\max}(\nabla^2\mathcal L) - \tfrac12 + (R + 1)\sqrt{2\mathcal L}",
    form=Form.AT_MOST,
    symbols=(WEIGHTS, X, Y),
    assumptions=(off_the_data(),),
    sides=lambda given: _loss_sides(given, lambda x: Enclosure.exactly((max(abs(v) for v in x) + 1) ** 2)),
    bound=bounds.curvature_bound_with_loss,
    finding=Finding.LOOSE,
    note="Holds with at most half the loss term: B7.a. R = max |x_j|.",
    no_extremal="loose; see B7.a",
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
    sides=lambda given: _loss_sides(given, _quarter_of_second_moment),
    bound=bounds.sharp_loss_term,
    proof=lambda: Proof(
        (
            Step(
                (_s * sp.eye(3) - sp.Matrix([[0, 0, _a], [0, 0, _b], [_a, _b, 0]])).det(),
                _s * (_s**2 - _a**2 - _b**2),
                Rule.IDENTITY,
                "a unit's residual block has eigenvalues 0 and +- sqrt(Sx^2 + S1^2)",
            ),
            Step(
                (_u**2 + _rho**2) * (_v**2 + _big**2),
                (_u * _v + _rho * _big) ** 2,
                Rule.NONNEGATIVE,
                "Cauchy-Schwarz for two samples, and so on: for a unit vector e, (mean over the active points of r_j "
                "<e, (x_j, 1)>)^2 <= mean r_j^2 mean <e, (x_j, 1)>^2 <= 2 L M",
                ((_u * _big - _v * _rho) ** 2,),
            ),
            Step(
                sp.Symbol("lambda_max"),
                sp.Symbol("GN"),
                Rule.CITED,
                "Weyl: lambda_max(Hessian) >= lambda_max(Phi Phi^T/n) - sqrt(M) sqrt(2 L), since the norm of (Sx, S1) is "
                "its largest product with a unit vector e; then M5",
            ),
        ),
        "any width, where no unit toggles on a data point",
    ),
    finding=Finding.OURS,
    note="M = lambda_max(E[(X,1)(X,1)^T]) is at most 1 + R^2, so this is at most half of the printed loss term; M = 1 for "
    "standardised data.",
    extremal=_at_zero_loss(),
)

CLAIMS = (B1, B1A, B7, B7A)
