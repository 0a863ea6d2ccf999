"""Proofs of the claims of Walker 2023 on the coherence of gradients."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from theory.lemmas import COUNT, INDEX, cauchy_schwarz, over_all
from theory.proof import Proof, Rule, Step

_u, _t = sp.IndexedBase("r", real=True), sp.IndexedBase("s", real=True)
_size, _k, _m = (sp.Symbol(name, positive=True) for name in ("G", "k", "m"))
_mean, _alpha, _w, _a, _s = sp.symbols("mu alpha A a s", real=True)
_q, _weight = sp.Symbol("q", nonnegative=True), sp.Symbol("p", positive=True)
_unit = (_alpha >= 0, _alpha <= 1, _k >= 1)


def _variance_step() -> Step:
    return cauchy_schwarz(
        _u, _t, "with r_i = sqrt(p_i), s_i = sqrt(p_i) v_i: E[v.v] >= |E v|^2 = E[v.v'], coordinate by coordinate"
    )


def _both_ways(
    before: sp.Expr, after: sp.Expr, because: str, conditions: tuple[sp.Basic, ...], uses: tuple[int, ...] = ()
) -> Iterator[Step]:
    yield Step(before, after, Rule.POLYNOMIAL, because, conditions=conditions, uses=uses)
    yield Step(after, before, Rule.POLYNOMIAL, "and the other way", conditions=conditions, uses=uses)


def w8() -> Proof:
    """The mean square is at least the square of the mean."""
    return Proof(
        (
            _variance_step(),
            Step(
                sp.Integer(1),
                sp.Max(_mean**2 / _size, 1 - _mean**2 / _size),
                Rule.POLYNOMIAL,
                "0 <= |E v|^2 <= E[v.v] = G",
                conditions=(_size >= _mean**2,),
            ),
        ),
        "any finite distribution that is not concentrated at 0",
    )


def w8b() -> Proof:
    """The numerator is a square, 0 only where the mean is."""
    return Proof(
        (
            Step(
                -_q,
                sp.Abs(_mean),
                Rule.POLYNOMIAL,
                "alpha = (mu^2 + q) / G, q the squares of the other coordinates of the mean: 0 only if mu = 0",
                conditions=(sp.Eq((_mean**2 + _q) / _size, 0),),
            ),
            Step(
                -sp.Abs(_alpha),
                sp.Integer(0),
                Rule.POLYNOMIAL,
                "and 0 if mu = q = 0",
                conditions=(sp.Eq(_alpha, (_mean**2 + _q) / _size), sp.Eq(_mean, 0), sp.Eq(_q, 0)),
            ),
        ),
        "any finite distribution that is not concentrated at 0",
    )


def w8d() -> Proof:
    """One less coherence is the mean square distance from the mean."""
    return Proof(
        (
            Step(
                1 - _mean**2 / _size,
                (_size - 2 * _mean * _mean + _mean**2) / _size,
                Rule.IDENTITY,
                "1 - alpha = E|v - mu|^2 / G, by E v = mu, in each coordinate",
            ),
            Step(
                -_q,
                sp.Abs(_a),
                Rule.POLYNOMIAL,
                "a vector at distance a from the mean, of probability p > 0, and q for all others: if p a^2 + q = 0 then a = 0",
                conditions=(sp.Eq(_weight * _a**2 + _q, 0),),
            ),
            Step(
                -sp.Abs(_alpha - 1),
                sp.Integer(0),
                Rule.POLYNOMIAL,
                "and if all of positive probability are equal, each is mu and E|v - mu|^2 = q = 0: then alpha = 1",
                conditions=(sp.Eq(1 - _alpha, _q / _size), sp.Eq(_q, 0)),
            ),
        ),
        "any finite distribution that is not concentrated at 0",
    )


def w8e() -> Proof:
    """The factor cancels."""
    return Proof(
        tuple(
            _both_ways(
                _w / _a,
                _mean**2 / _size,
                "k^2 in numerator and denominator",
                (sp.Ne(_s, 0), sp.Eq(_a, _s**2 * _size), _a > 0, sp.Eq(_w, (_s * _mean) ** 2)),
            )
        ),
        "any finite distribution that is not concentrated at 0",
    )


def w9() -> Proof:
    """Lengths squared of orthogonal vectors add."""
    return Proof(
        (
            *_both_ways(
                _size + 2 * _s + _q,
                _size + _q,
                "|s + g|^2 = |s|^2 + |g|^2 for one more vector g that is orthogonal to the sum s of those before",
                (sp.Eq(_s, 0),),
            ),
            *_both_ways(
                _a / _w,
                1 / _m,
                "with G = sum |g_i|^2: alpha = (G / m^2) / (G / m)",
                (sp.Eq(_a, _size / _m**2), sp.Eq(_w, _size / _m), _w > 0),
            ),
        ),
        "any m and lengths, zeros among them as long as not all are 0",
    )


def w9a() -> Proof:
    """Of d directions, k times each."""
    return Proof(
        tuple(
            _both_ways(
                _m * _a / _w,
                _k,
                "with G = sum over the d directions: the mean is (1/d) sum g_j, E|g|^2 = G / d, and m = k d",
                (
                    sp.Eq(_m, _k * _weight),
                    sp.Eq(_a, _size / _weight**2),
                    sp.Eq(_w, _size / _weight),
                    _w > 0,
                ),
            )
        ),
        "any lengths of the directions",
    )


def w9c() -> Proof:
    """The ratio is k, and k - 1 other examples have a positive product with one's own."""
    return Proof(
        (
            *_both_ways(
                _m * _a / _w,
                1 + (_k - 1),
                "W9.a, and the k - 1 other copies are those with a positive inner product",
                (
                    sp.Eq(_m, _k * _weight),
                    sp.Eq(_a, _size / _weight**2),
                    sp.Eq(_w, _size / _weight),
                    _w > 0,
                ),
            ),
        ),
        "copies of orthogonal gradients; for other samples the ratio is a mean of products, not a count",
    )


def w11() -> Proof:
    """Count the pairs of draws."""
    return Proof(
        (
            Step(
                _k**2 * _alpha * _size,
                _k * _alpha * _size + _k * (_k - 1) * _alpha * _size,
                Rule.IDENTITY,
                "of the k^2 pairs of draws k are of one draw with itself and k (k - 1) of two independent ones",
            ),
            Step(
                _alpha * _size / ((_k * _size + _k * (_k - 1) * _alpha * _size) / _k**2),
                _k * _alpha / (1 + (_k - 1) * _alpha),
                Rule.POLYNOMIAL,
                "E[w.w'] = alpha G, G = E[v.v], over E[w.w] = (k G + k (k - 1) alpha G) / k^2",
                conditions=_unit,
            ),
            Step(
                _k * _alpha / (1 + (_k - 1) * _alpha),
                _alpha * _size / ((_k * _size + _k * (_k - 1) * _alpha * _size) / _k**2),
                Rule.POLYNOMIAL,
                "and the other way",
                conditions=_unit,
            ),
        ),
        "any finite distribution that is not concentrated at 0, any k",
    )


def w11b() -> Proof:
    """The difference has three factors."""
    return Proof(
        (
            Step(
                _k * _alpha / (1 + (_k - 1) * _alpha) - _alpha,
                (_k - 1) * _alpha * (1 - _alpha) / (1 + (_k - 1) * _alpha),
                Rule.POLYNOMIAL,
                "the difference is 0 where one of its factors is",
                conditions=_unit,
            ),
            Step(
                (_k - 1) * _alpha * (1 - _alpha) / (1 + (_k - 1) * _alpha),
                _k * _alpha / (1 + (_k - 1) * _alpha) - _alpha,
                Rule.POLYNOMIAL,
                "and the other way",
                conditions=_unit,
            ),
            Step(
                _k - 1,
                sp.Integer(1),
                Rule.POLYNOMIAL,
                "and k - 1 is not",
                conditions=(_k >= 2,),
            ),
        ),
        "any finite distribution that is not concentrated at 0, any k >= 2",
    )


def w11c() -> Proof:
    """The difference is not negative."""
    return Proof(
        (
            Step(
                _k * _alpha / (1 + (_k - 1) * _alpha),
                _alpha,
                Rule.POLYNOMIAL,
                "for alpha in [0, 1] and k >= 1",
                conditions=_unit,
            ),
        ),
        "any finite distribution that is not concentrated at 0, any k",
    )


def w11d() -> Proof:
    """Solve for the coherence of one draw."""
    return Proof(
        (
            Step(
                sp.Integer(1),
                _w,
                Rule.POLYNOMIAL,
                "A = alpha(W) <= 1, so the denominator k - (k - 1) A is at least 1",
                conditions=(*_unit, sp.Eq(_w * (1 + (_k - 1) * _alpha), _k * _alpha)),
            ),
            *_both_ways(
                _w / (_k - (_k - 1) * _w),
                _alpha,
                "solve W11 for alpha",
                (*_unit, _w <= 1, _w >= 0, sp.Eq(_w * (1 + (_k - 1) * _alpha), _k * _alpha)),
            ),
        ),
        "any finite distribution that is not concentrated at 0, any k",
    )


def w11f() -> Proof:
    """Count the pairs of examples in a batch, and solve for the coherence of the sample."""
    vectors, inverses = sp.IndexedBase("v", real=True), sp.IndexedBase("h", positive=True)
    part, parts = sp.Symbol("p", integer=True), sp.Symbol("N", integer=True, positive=True)
    coordinate, width = sp.Symbol("c", integer=True), sp.Symbol("d", integer=True, positive=True)
    batch = sp.Symbol("k", integer=True, positive=True)

    def over_coordinates(term: sp.Expr) -> sp.Sum:
        return sp.Sum(term, (coordinate, 1, width))

    sums = over_coordinates(over_all(vectors[INDEX, coordinate]) ** 2)
    squares = over_coordinates(over_all(vectors[INDEX, coordinate] ** 2))
    inverse = sp.Sum(inverses[part], (part, 1, parts)) / parts
    pairs = batch * squares / COUNT + batch * (batch - 1) * (sums - squares) / (COUNT * (COUNT - 1))
    of_batches = COUNT**2 * pairs / (batch**2 * sums)
    alpha = sums / (COUNT * squares)
    harmonic = 1 / inverse
    formula = (COUNT - batch) * harmonic / (batch * (COUNT - 1) - (batch - 1) * COUNT * harmonic)
    several = (sp.Ge(COUNT, batch + 1), sp.Gt(sums, 0), sp.Gt(squares, 0))
    counted = (
        "inclusion in a simple random sample (Cochran): one example is in a batch of a random partition with probability k/m, "
        "two with k (k - 1) / (m (m - 1)), so the mean of |w|^2 over batches and partitions is the sum of g_i.g_j with these "
        "weights, over k^2; its numerator is |mean g_i|^2 for every partition, so over that it is the mean h of 1/alpha(W)"
    )
    return Proof(
        (
            Step(inverse, of_batches, Rule.CITED, counted),
            Step(of_batches, inverse, Rule.CITED, f"{counted}; and the other way"),
            *_both_ways(
                alpha,
                formula,
                "solved for alpha_m = |mean g_i|^2 / mean |g_i|^2, with A = 1/h",
                (*several, sp.Eq(inverse, of_batches)),
                uses=(0, 1),
            ),
        ),
        "any sample whose mean is not 0, any k < m that divides m, all partitions equally likely",
        lhs=alpha,
        rhs=formula,
    )
