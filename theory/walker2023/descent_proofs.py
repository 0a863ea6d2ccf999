"""Proofs of the claims of Walker 2023 on gradient descent: the generalisation gap, robust means, the motivating example."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import TIME
from theory.proof import Proof, Rule, Step

_eta, _m, _size = (sp.Symbol(name, positive=True) for name in ("eta", "m", "G"))
_beta, _delta, _s, _total = (sp.Symbol(name, nonnegative=True) for name in ("beta", "delta", "s", "S"))
_a, _b, _c, _d, _x, _low, _high = sp.symbols("a b c d x l u", real=True)
_alpha, _l = sp.Symbol("alpha", real=True), sp.Symbol("L", positive=True)


def w10a() -> Proof:
    """Change one example of the sample, and follow how far the two runs come apart."""
    growth = 1 + (1 + 1 / _m) * _eta * _beta
    return Proof(
        (
            Step(
                sp.Symbol(r"L\, E\|w_T - w_T'\|"),
                sp.Symbol("gap"),
                Rule.CITED,
                "one example z_i changed for an independent z: the gap is E[l_z(w_T) - l_z(w_T')], L E||w_T - w_T'|| at most",
            ),
            Step(
                sp.Abs(_a - _b) + sp.Abs(_b - _c) + sp.Abs(_c - _d),
                sp.Abs(_a - _d),
                Rule.POLYNOMIAL,
                "the changed example pulls the two runs by g_i(w) - g_z(w'): go by the weights v of a third run, with z_i "
                "changed for another copy, which depend on neither: 2 beta delta + ||g_i(v) - g_z(v)|| on average",
            ),
            Step(
                2 * _l**2 * (1 - _alpha),
                2 * (_size - _alpha * _size),
                Rule.POLYNOMIAL,
                "E||g - g'||^2 = 2 (E g.g - E g.g') = 2 (G - alpha G), with G <= L^2, at v, which is distributed as w",
                conditions=(_size <= _l**2, _alpha <= 1),
            ),
            Step(sp.Symbol("sqrt_E"), sp.Symbol("E_norm"), Rule.CITED, "Jensen: E||g - g'|| <= sqrt(E||g - g'||^2)"),
            Step(
                growth * _delta + _eta * _s / _m,
                (1 - 1 / _m) * (_delta + _eta * _beta * _delta) + (_delta + _eta * (2 * _beta * _delta + _s)) / _m,
                Rule.IDENTITY,
                "delta the mean distance before the step, s = L E sqrt(2 (1 - alpha)): m - 1 examples in common, one not",
            ),
            Step(
                growth * _total + _eta * _s / _m,
                growth * _delta + _eta * _s / _m,
                Rule.POLYNOMIAL,
                "so if delta <= S after t steps, then after t + 1 it is at most the sum with one more factor and term",
                conditions=(_delta <= _total,),
            ),
        ),
        "any dimension and finite distribution; full-batch steps, and SGD whose batches are drawn afresh each "
        "step, the same in both runs",
    )


def w12() -> Proof:
    """Clipping to the range of the values changes none of them."""
    clipped, inside = sp.Min(sp.Max(_x, _low), _high), (_low <= _x, _x <= _high)
    return Proof(
        (
            Step(clipped, _x, Rule.POLYNOMIAL, "l and u are the extremes, and no value is clipped", conditions=inside),
            Step(_x, clipped, Rule.POLYNOMIAL, "and the other way", conditions=inside),
        ),
        "any m",
    )


def w12a() -> Proof:
    """Clipping between equal bounds makes all values equal."""
    clipped = sp.Min(sp.Max(_x, _low), _high)
    equal = (sp.Eq(_low, _c), sp.Eq(_high, _c))
    return Proof(
        (
            Step(
                clipped,
                _c,
                Rule.POLYNOMIAL,
                "both percentiles are at place (m - 1) / 2 of the sorted values: the median",
                conditions=equal,
            ),
            Step(_c, clipped, Rule.POLYNOMIAL, "and the other way", conditions=equal),
        ),
        "any m, the median of an even number being the mean of the middle two",
    )


def w12b() -> Proof:
    """Both percentiles lie in the range of the inliers, so everything that is clipped to them does."""
    place, q = sp.Symbol("h", nonnegative=True), sp.Symbol("q", integer=True, nonnegative=True)
    per_cent = sp.Symbol("p", nonnegative=True)
    return Proof(
        (
            Step(
                place,
                q,
                Rule.POLYNOMIAL,
                "the c-th percentile stands at place h = c (m - 1) / 100 >= q of the sorted values, counted from 0",
                conditions=(_m >= 1, sp.Eq(place, per_cent * (_m - 1) / 100), q <= per_cent * (_m - 1) / 100),
            ),
            Step(
                sp.Symbol("x_q"),
                sp.Symbol("min_inlier"),
                Rule.CITED,
                "pigeonhole: of the q + 1 lowest values one is no outlier, so the one at place q is at least the least inlier",
            ),
            Step(
                (1 - _s) * _b + _s * _c,
                _a,
                Rule.POLYNOMIAL,
                "and so is a value between two neighbours at places >= q",
                conditions=(_s <= 1, _b >= _a, _c >= _b),
            ),
            Step(
                sp.Min(sp.Max(_x, _low), _high),
                _a,
                Rule.POLYNOMIAL,
                "what is clipped to [l, u] is at least a = the least inlier; likewise from above, by the sign",
                conditions=(_low >= _a, _high >= _low),
            ),
        ),
        "any m, c and outliers; a mean of numbers in a range lies in it",
    )


def w12c() -> Proof:
    """The middle of the sorted means lies in the range of those without outliers."""
    k, q = sp.Symbol("k", integer=True, positive=True), sp.Symbol("q", integer=True, nonnegative=True)
    return Proof(
        (
            Step(
                k / 2 - sp.Rational(1, 2),
                q,
                Rule.POLYNOMIAL,
                "2 q < k, so q is at most (k - 1) / 2, and being an integer at most the place of the lower middle value",
                conditions=(2 * q <= k - 1,),
            ),
            Step(
                sp.Symbol("mean_q"),
                sp.Symbol("min_mean"),
                Rule.CITED,
                "pigeonhole: of the q + 1 lowest means one has no outlier",
            ),
            Step(
                (_b + _c) / 2,
                _a,
                Rule.POLYNOMIAL,
                "so the middle two, b and c, and their mean are at least the least untouched mean a; likewise from above",
                conditions=(_b >= _a, _c >= _a),
            ),
        ),
        "any groups",
    )


def w13a() -> Proof:
    """The gradients at 0 are -(e_i, s)."""
    value = (1 + _m * _s**2) / (_m * (1 + _s**2))
    mean = (_m * (1 / _m) ** 2 + _s**2) / (1 + _s**2)
    return Proof(
        (
            Step(
                mean,
                value,
                Rule.IDENTITY,
                "the mean has m entries 1/m and one s; each gradient has length^2 1 + s^2",
            ),
        ),
        "any m, s and labels",
    )


def w13b() -> Proof:
    """By symmetry the weights are (y_i^2 a, .., b) with b = m s a, and the residual shrinks by a factor each step."""
    b = sp.Symbol("b", real=True)
    strength = sp.Symbol("s", positive=True)
    curvature = 1 + _m * strength**2
    limit, factor = _m * strength / curvature, 1 - _eta * curvature / _m
    return Proof(
        (
            Step(
                b - _eta * strength * (b / (_m * strength) + strength * b - 1),
                limit - factor * (limit - b),
                Rule.IDENTITY,
                "one step of the shared weight, with a = b / (m s) on every entry of its own",
            ),
            Step(
                b / (_m * strength) - _eta / _m * (b / (_m * strength) + strength * b - 1),
                (b - _eta * strength * (b / (_m * strength) + strength * b - 1)) / (_m * strength),
                Rule.IDENTITY,
                "and b = m s a stays true; for s = 0 the shared weight stays 0",
            ),
            Step(
                limit - factor * (limit - limit * (1 - factor**TIME)),
                limit * (1 - factor ** (TIME + 1)),
                Rule.IDENTITY,
                "so the closed form at t gives the one at t + 1, and 0 at t = 0",
            ),
        ),
        "any m, s, step size and number of steps",
    )
