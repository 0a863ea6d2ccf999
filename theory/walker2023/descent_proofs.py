"""Proofs of the claims of Walker 2023 on gradient descent: the generalisation gap, robust means, the motivating example."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, TIME, both_ways, nonnegatives, over_all, reals
from theory.proof import Proof, Rule, Step

_eta, _m = sp.Symbol("eta", positive=True), sp.Symbol("m", positive=True)
_beta, _delta, _size, _strength = (sp.Symbol(name, nonnegative=True) for name in ("beta", "delta", "G", "s"))
_a, _b, _c, _d, _e, _x, _low, _high = sp.symbols("a b c d e x l u", real=True)
_alpha, _l = sp.Symbol("alpha", real=True), sp.Symbol("L", nonnegative=True)
_pull, _first, _second, _fresh = sp.symbols("p y z h", nonnegative=True)


def w10a() -> Proof:
    """Change one example of the sample, and follow how far the two runs come apart."""
    (spreads, apart) = nonnegatives("r D")
    steps, growths, products = (sp.IndexedBase(name, positive=True) for name in ("eta", "g", "Q"))
    times, t = sp.Symbol("T", integer=True, nonnegative=True), sp.Symbol("t", integer=True)
    eta, growth, spread = steps[times + 1], growths[times + 1], spreads[times + 1]
    before, after = apart[times + 1], apart[times + 2]
    one_step = sp.Ge(growth * before + eta * _l * spread / _m, after)
    grows = sp.Eq(products[times + 2], growth * products[times + 1])
    summed = sp.Sum(_l * steps[t] * spreads[t] / (_m * products[t + 1]), (t, 1, times))
    reached = before / products[times + 1]
    new = _l * eta * spread / (_m * products[times + 2])
    conditions = (one_step, grows)
    start = (*conditions, sp.Eq(apart[1], 0))
    moved = (1 - 1 / _m) * (before + eta * _beta * before) + (before + eta * _pull) / _m
    return Proof(
        (
            Step(
                sp.Abs(_a - _b) + sp.Abs(_b - _c) + sp.Abs(_c - _d),
                sp.Abs(_a - _d),
                Rule.POLYNOMIAL,
                "the changed example pulls the two runs by g_i(w) - g_z(w'): go by the weights v of a third run, with z_i "
                "changed for another copy, which depend on neither",
            ),
            Step(
                2 * _beta * _delta + _fresh,
                _pull,
                Rule.POLYNOMIAL,
                "p = E|g_i(w) - g_z(w')| is at most 2 beta delta + h on average, h = E|g_i(v) - g_z(v)|, delta = E|w - w'|, "
                "as far as w is from v on average, and v from w'",
                uses=(0,),
                conditions=(_pull <= _first + _fresh + _second, _first <= _beta * _delta, _second <= _beta * _delta),
            ),
            Step(
                _l * sp.sqrt(2 * (1 - _alpha)),
                sp.sqrt(2 * (_size - _alpha * _size)),
                Rule.POLYNOMIAL,
                "E|g - g'|^2 = 2 (E g.g - E g.g') = 2 (G - alpha G), with G <= L^2, at v, which is distributed as w",
                conditions=(_size <= _l**2, _alpha <= 1),
            ),
            Step(
                _l * spread,
                _fresh,
                Rule.CITED,
                "Jensen: E|g - g'| <= sqrt(E|g - g'|^2) for independent g and g' at given v, and so on average over v, "
                "r = E sqrt(2 (1 - alpha))",
                uses=(2,),
            ),
            Step(
                growth * before + eta * _l * spread / _m,
                after,
                Rule.POLYNOMIAL,
                "one step, D the mean distance before it: m - 1 examples in common, one not",
                uses=(1, 3),
                conditions=(
                    after <= moved,
                    _pull <= 2 * _beta * before + _fresh,
                    _fresh <= _l * spread,
                    sp.Eq(growth, 1 + (1 + 1 / _m) * eta * _beta),
                    _m >= 1,
                ),
            ),
            Step(
                new + reached,
                after / products[times + 2],
                Rule.POLYNOMIAL,
                "in units of the product Q of the growths so far",
                uses=(4,),
                conditions=conditions,
            ),
            Step(
                summed,
                reached,
                Rule.INDUCTION,
                "both runs start at one point, D = 0",
                (new + reached - after / products[times + 2],),
                term=5,
                uses=(4,),
                conditions=start,
                variable=times,
                base=0,
            ),
            Step(
                _l * products[times + 1] * summed,
                _l * products[times + 1] * reached,
                Rule.POLYNOMIAL,
                "after T steps",
                uses=(6,),
                conditions=(sp.Ge(summed, reached),),
            ),
            Step(
                _l * products[times + 1] * reached,
                sp.Abs(_d),
                Rule.CITED,
                "stability (Bousquet and Elisseeff): with one example z_i changed for an independent z the gap is "
                "d = E[l_z(w_T) - l_z(w_T')], L E|w_T - w_T'| at most",
            ),
        ),
        "losses of one weight, any finite distribution; full-batch steps, and SGD whose batches are drawn afresh each step, "
        "the same in both runs. In more dimensions the first step is the triangle inequality of the norm",
        lhs=sp.Abs(_d),
        rhs=_l * products[times + 1] * summed,
    )


def _clipped(value: sp.Expr) -> sp.Expr:
    return sp.Min(sp.Max(value, _low), _high) / COUNT


def w12() -> Proof:
    """Clipping to the range of the values changes none of them."""
    (values,) = reals("x")
    inside, all_inside = (_low <= _x, _x <= _high), (_low <= values[INDEX], values[INDEX] <= _high)
    mean, clipped = over_all(values[INDEX] / COUNT), over_all(_clipped(values[INDEX]))
    return Proof(
        (
            *both_ways(
                _clipped(_x), _x / COUNT, "l and u are the extremes, and no value is clipped", conditions=inside
            ),
            Step(clipped, mean, Rule.SUM, "over all values", term=0, conditions=all_inside),
            Step(mean, clipped, Rule.SUM, "and the other way", term=1, conditions=all_inside),
        ),
        "any m",
        lhs=mean,
        rhs=clipped,
    )


def w12a() -> Proof:
    """Clipping between equal bounds makes all values equal."""
    (values,) = reals("x")
    share, lower, upper = sp.symbols("f y z", real=True)
    middle, between = (lower + upper) / 2, (1 - share) * _b + share * _c
    conditions = (
        sp.Eq(_low, between),
        sp.Eq(_high, between),
        sp.Or(
            sp.And(sp.Eq(share, 0), sp.Eq(lower, _b), sp.Eq(upper, _b)),
            sp.And(sp.Eq(share, sp.Rational(1, 2)), sp.Eq(lower, _b), sp.Eq(upper, _c)),
        ),
    )
    clipped, medians = over_all(_clipped(values[INDEX])), over_all(middle / COUNT)
    return Proof(
        (
            *both_ways(
                _clipped(_x),
                middle / COUNT,
                "both percentiles are at place (m - 1) / 2 of the sorted values, b its floor and c the next: of an odd number "
                "the middle one, of an even number half way between the middle two, y and z",
                conditions=conditions,
            ),
            Step(clipped, medians, Rule.SUM, "over all values", term=0, conditions=conditions),
            Step(medians, clipped, Rule.SUM, "and the other way", term=1, conditions=conditions),
            Step(medians, middle, Rule.IDENTITY, "a mean of equal numbers"),
        ),
        "any m, the median of an even number being the mean of the middle two",
        lhs=middle,
        rhs=clipped,
    )


def _pigeonholes(of: str, holds: str) -> tuple[Step, Step]:
    least, most = sp.symbols("x_q x_p", real=True)
    return (
        Step(
            least,
            _a,
            Rule.CITED,
            f"pigeonhole: of the q + 1 lowest {of} one {holds}, so the one at place q is at least a, the least of those",
        ),
        Step(_e, most, Rule.CITED, "pigeonhole, from above: e is the greatest of those"),
    )


def w12b() -> Proof:
    """Both percentiles lie in the range of the inliers, so everything that is clipped to them does."""
    place, q = sp.Symbol("h", nonnegative=True), sp.Symbol("q", integer=True, nonnegative=True)
    per_cent, share = sp.symbols("p s", nonnegative=True)
    least, most = sp.symbols("x_q x_p", real=True)
    (values,) = reals("x")
    clipped, lows, highs = over_all(_clipped(values[INDEX])), over_all(_a / COUNT), over_all(_e / COUNT)
    from_below, from_above = (_low >= _a, _high >= _low), (_high <= _e,)
    outside = sp.Max(clipped - _e, _a - clipped)
    return Proof(
        (
            Step(
                place,
                q,
                Rule.POLYNOMIAL,
                "the c-th percentile stands at place h = c (m - 1) / 100 >= q of the sorted values, counted from 0",
                conditions=(_m >= 1, sp.Eq(place, per_cent * (_m - 1) / 100), q <= per_cent * (_m - 1) / 100),
            ),
            *_pigeonholes("values", "is no outlier"),
            Step(
                (1 - share) * _b + share * _c,
                _a,
                Rule.POLYNOMIAL,
                "and so is l, between two neighbours at places >= q",
                uses=(0, 1),
                conditions=(share <= 1, _b >= least, _c >= _b, least >= _a),
            ),
            Step(
                _e,
                (1 - share) * _b + share * _c,
                Rule.POLYNOMIAL,
                "and u is at most e, likewise",
                uses=(0, 2),
                conditions=(share <= 1, most >= _c, _c >= _b, _e >= most),
            ),
            Step(
                _clipped(_x),
                _a / COUNT,
                Rule.POLYNOMIAL,
                "what is clipped to [l, u] is at least a",
                uses=(3,),
                conditions=from_below,
            ),
            Step(_e / COUNT, _clipped(_x), Rule.POLYNOMIAL, "and at most e", uses=(4,), conditions=from_above),
            Step(clipped, lows, Rule.SUM, "and so is the mean", term=5, conditions=from_below),
            Step(highs, clipped, Rule.SUM, "and so is the mean", term=6, conditions=from_above),
            Step(lows, _a, Rule.IDENTITY, "a mean of equal numbers"),
            Step(highs, _e, Rule.IDENTITY, "a mean of equal numbers"),
            Step(
                sp.Integer(0),
                outside,
                Rule.POLYNOMIAL,
                "so the mean is not outside [a, e]",
                uses=(7, 8, 9, 10),
                conditions=(
                    sp.Ge(clipped, lows),
                    sp.Ge(highs, clipped),
                    sp.Eq(lows, _a),
                    sp.Eq(highs, _e),
                ),
            ),
        ),
        "any m, c and outliers",
        lhs=outside,
        rhs=sp.Integer(0),
    )


def w12c() -> Proof:
    """The middle of the sorted means lies in the range of those without outliers."""
    k = sp.Symbol("k", integer=True, positive=True)
    place, q = (sp.Symbol(name, integer=True, nonnegative=True) for name in ("p", "q"))
    least, most = sp.symbols("x_q x_p", real=True)
    outside = sp.Max((_b + _c) / 2 - _e, _a - (_b + _c) / 2)
    return Proof(
        (
            Step(
                place + sp.Rational(1, 2),
                q,
                Rule.POLYNOMIAL,
                "2 q < k, so place q is at most that of the lower middle value, p, counted from 0, both being integers",
                conditions=(2 * q <= k - 1, sp.Or(sp.Eq(k, 2 * place + 1), sp.Eq(k, 2 * place + 2))),
            ),
            *_pigeonholes("means", "has no outlier"),
            Step(
                sp.Integer(0),
                outside,
                Rule.POLYNOMIAL,
                "so the middle two, b and c, and their mean are not outside [a, e]",
                uses=(0, 1, 2),
                conditions=(_b >= least, _c >= _b, most >= _c, least >= _a, _e >= most),
            ),
        ),
        "any groups",
        lhs=outside,
        rhs=sp.Integer(0),
    )


def w13a() -> Proof:
    """The gradients at 0 are -(e_i, s)."""
    entry = sp.Symbol("j", integer=True)
    own, shared = sp.KroneckerDelta(INDEX, entry), _strength**2
    totals, lengths = (
        over_all(sp.Sum(own, (entry, 1, COUNT)) ** 2),
        over_all(sp.Sum(own**2, (entry, 1, COUNT)) + shared),
    )
    coherence = (totals + (COUNT * _strength) ** 2) / COUNT**2 / (lengths / COUNT)
    value = (1 + COUNT * shared) / (COUNT * (1 + shared))
    return Proof(
        (
            Step(
                totals,
                COUNT,
                Rule.INDUCTION,
                "the sum of the gradients has m entries of absolute value 1, and one m s",
                variable=COUNT,
                base=1,
            ),
            Step(
                lengths,
                COUNT * (1 + shared),
                Rule.INDUCTION,
                "each gradient has one entry 1, and one s",
                variable=COUNT,
                base=1,
            ),
            *both_ways(
                coherence,
                value,
                "alpha = |mean g_i|^2 / mean |g_i|^2",
                uses=(0, 1),
                conditions=(sp.Eq(totals, COUNT), sp.Eq(lengths, COUNT * (1 + shared))),
            ),
        ),
        "any m and s, and labels 1 and -1, whose squares are 1",
        lhs=coherence,
        rhs=value,
    )


def w13b() -> Proof:
    """By symmetry the weights are (y_i a, .., b), and the residual shrinks by a factor each step."""
    residuals, shared = sp.IndexedBase("rho", real=True), sp.IndexedBase("b", real=True)
    curvature = 1 + _m * _strength**2
    limit, factor = _m * _strength / curvature, 1 - _eta * curvature / _m
    power = factor**TIME
    now, then = residuals[TIME + 1], residuals[TIME + 2]
    start = residuals[1]
    shrinks = sp.Eq(then, factor * now)
    moves = (sp.Eq(shared[TIME + 2], shared[TIME + 1] + _eta * _strength * now), shrinks)
    closed = limit * (1 - power)
    off, off_then = (
        sp.Abs(there - shared[1] - limit * (start - rho))
        for there, rho in ((shared[TIME + 1], now), (shared[TIME + 2], then))
    )
    begins = (sp.Le(sp.Abs(now - power * start), 0), sp.Le(off, 0), sp.Eq(start, 1), sp.Eq(shared[1], 0))
    residual = 1 - _a - _strength * _b
    return Proof(
        (
            Step(
                1 - (_a + _eta / _m * residual) - _strength * (_b + _eta * _strength * residual),
                factor * residual,
                Rule.IDENTITY,
                "y_i (y_i - w.x_i) = rho for each i, and a step adds eta rho / m to y_i times the entry of each example, and "
                "eta s rho to the shared one",
            ),
            Step(
                sp.Abs(factor) * sp.Abs(now - power * start),
                sp.Abs(then - factor * power * start),
                Rule.POLYNOMIAL,
                "so the residual is multiplied by the factor",
                uses=(0,),
                conditions=(shrinks,),
            ),
            Step(
                sp.Integer(0),
                sp.Abs(now - power * start),
                Rule.INDUCTION,
                "so it is the t-th power of the factor times what it is at first",
                (sp.Abs(factor) * sp.Abs(now - power * start) - sp.Abs(then - factor * power * start),),
                term=1,
                uses=(0,),
                conditions=(shrinks,),
                variable=TIME,
                base=0,
                factor=sp.Abs(factor),
            ),
            Step(
                limit * (1 - _a) + _eta * _strength * _a,
                limit * (1 - factor * _a),
                Rule.IDENTITY,
                "and if b = L (1 - rho) before the step, then after it",
            ),
            Step(
                off,
                off_then,
                Rule.POLYNOMIAL,
                "so the closed form at t gives the one at t + 1",
                uses=(0, 3),
                conditions=moves,
            ),
            Step(
                sp.Integer(0),
                off,
                Rule.INDUCTION,
                "and it is 0 at t = 0",
                (off - off_then,),
                term=4,
                uses=(0,),
                conditions=moves,
                variable=TIME,
                base=0,
            ),
            *both_ways(
                shared[TIME + 1],
                closed,
                "after t steps",
                uses=(2, 5),
                conditions=begins,
            ),
        ),
        "any m, s, step size and number of steps",
        lhs=shared[TIME + 1],
        rhs=closed,
    )
