"""Proofs of the claims of Walker 2023 on the coherence of gradients.

Common to them: v_ic are the coordinates of the vectors, mu_c those of their mean, p_i the probabilities.
"""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, both_ways, mean_of_squares, over_all
from theory.proof import Proof, Rule, Step

_c, _width = sp.Symbol("c", integer=True), sp.Symbol("d", integer=True, nonnegative=True)
_p, _v, _mu = sp.IndexedBase("p", nonnegative=True), sp.IndexedBase("v", real=True), sp.IndexedBase("mu", real=True)
_weight, _total = _p[INDEX], over_all(_p[INDEX])
_k, _of_means = sp.symbols("k G_w", positive=True)
_FINITE = "any finite distribution that is not concentrated at 0"


def _over_coordinates(term: sp.Expr) -> sp.Sum:
    return sp.Sum(term, (_c, 1, _width))


def _square(of: sp.Expr = _v[INDEX, _c]) -> sp.Expr:
    """Return E[v.v]."""
    return _over_coordinates(_one_square(of))


def _one_square(of: sp.Expr) -> sp.Expr:
    return over_all(_weight * of**2)


def _mean_square(of: sp.Expr = _v[INDEX, _c]) -> sp.Expr:
    """Return E[v.v'] = |E v|^2."""
    return _over_coordinates(over_all(_weight * of) ** 2)


_G, _U = _square(), _mean_square()


def _induction(before: sp.Expr, after: sp.Expr, term: int, one: Step, because: str) -> Step:
    """Return a relation for sums over any number of coordinates, by that for one more."""
    return Step(
        before,
        after,
        Rule.INDUCTION,
        because,
        (one.before - one.after,),
        term=term,
        conditions=one.conditions,
        variable=_width,
        base=0,
    )


def _variance() -> tuple[Step, Step, Step]:
    """Return E[v.v] >= |E v|^2 >= 0, as the steps 0 to 2 of a proof."""
    new = _v[INDEX, _width + 1]
    last, weight = _v[COUNT + 1, _width + 1], _p[COUNT + 1]
    one = Step(
        _total * _one_square(new),
        over_all(_weight * new) ** 2,
        Rule.INDUCTION,
        "the mean of squares is at least the square of the mean, one coordinate",
        (over_all(_weight * weight * (new - last) ** 2),),
        variable=COUNT,
        base=1,
    )
    return (
        one,
        _induction(_total * _G, _U, 0, one, "E[v.v] >= |E v|^2 = E[v.v'], coordinate by coordinate"),
        Step(
            _U,
            sp.Integer(0),
            Rule.INDUCTION,
            "a sum of squares",
            (over_all(_weight * new) ** 2,),
            variable=_width,
            base=0,
        ),
    )


_sizes = (sp.Ge(_total * _G, _U), sp.Ge(_U, 0), sp.Eq(_total, 1), sp.Gt(_G, 0))
"""What the steps show, that probabilities sum to 1, and that not all vectors are 0."""


def w8() -> Proof:
    """The mean square is at least the square of the mean."""
    farthest = sp.Max(_U / _G, 1 - _U / _G)
    return Proof(
        (
            *_variance(),
            Step(sp.Integer(1), farthest, Rule.POLYNOMIAL, "0 <= |E v|^2 <= E[v.v]", uses=(1, 2), conditions=_sizes),
        ),
        _FINITE,
        lhs=farthest,
        rhs=sp.Integer(1),
    )


def w8b() -> Proof:
    """The numerator is a square, 0 only where the mean is."""
    mean = _mu[INDEX]
    square, absolute = over_all(mean**2), over_all(sp.Abs(mean))
    size = sp.Symbol("G", positive=True)
    zero, none = sp.Eq(square / size, 0), sp.Eq(absolute, 0)
    return Proof(
        (
            mean_of_squares(sp.Abs(mean), "over the m coordinates mu_i of the mean"),
            Step(
                absolute**2,
                square,
                Rule.INDUCTION,
                "and the other way, one coordinate after another",
                (2 * sp.Abs(_mu[COUNT + 1]) * absolute,),
                variable=COUNT,
                base=1,
            ),
            Step(
                none,
                zero,
                Rule.POLYNOMIAL,
                "alpha = |mu|^2 / G, G = E[v.v] > 0, is 0 only if every coordinate of the mean is",
                uses=(0,),
                conditions=(sp.Ge(COUNT * square, absolute**2),),
            ),
            Step(
                zero,
                none,
                Rule.POLYNOMIAL,
                "and if every one is",
                uses=(1,),
                conditions=(sp.Ge(absolute**2, square),),
            ),
        ),
        _FINITE,
        lhs=zero,
        rhs=none,
    )


def w8d() -> Proof:
    """One less coherence is the mean square distance from the mean."""
    new, mean = _v[INDEX, _width + 1], _mu[_width + 1]
    distance = _over_coordinates(over_all(_weight * (_v[INDEX, _c] - _mu[_c]) ** 2))
    one, gap = over_all(_weight * (new - mean) ** 2), _over_coordinates(_one_square(_v[INDEX, _c]) - _mu[_c] ** 2)
    expanded = _one_square(new) - 2 * mean * over_all(_weight * new) + mean**2 * _total
    square = _over_coordinates(_mu[_c] ** 2)
    known = (sp.Eq(one, expanded), sp.Eq(over_all(_weight * new), mean), sp.Eq(_total, 1))
    steps = (
        Step(one, expanded, Rule.IDENTITY, "E(v - mu)^2 of one coordinate, expanded"),
        *both_ways(one, _one_square(new) - mean**2, "which is E v^2 - mu^2, as mu = E v", known, uses=(0,)),
    )
    return Proof(
        (
            *steps,
            _induction(distance, gap, 1, steps[1], "over all coordinates"),
            _induction(gap, distance, 2, steps[2], "and the other way"),
            Step(gap, _G - square, Rule.IDENTITY, "E[v.v] - |mu|^2"),
            *both_ways(
                sp.Eq(square / _G, 1),
                sp.Eq(distance, 0),
                "so alpha = |mu|^2 / G is 1 where the mean square distance from the mean is 0: all vectors of positive "
                "probability are at it",
                (sp.Gt(_G, 0), sp.Ge(distance, gap), sp.Ge(gap, distance), sp.Eq(gap, _G - square)),
                uses=(3, 4, 5),
            ),
        ),
        _FINITE,
        lhs=sp.Eq(square / _G, 1),
        rhs=sp.Eq(distance, 0),
    )


def w8e() -> Proof:
    """The factor cancels."""
    factor = sp.Symbol("k", real=True)
    scaled = factor * _v[INDEX, _c]
    square, mean_square = _square(scaled), _mean_square(scaled)
    return Proof(
        (
            Step(square, factor**2 * _G, Rule.IDENTITY, "E[kv.kv]"),
            Step(mean_square, factor**2 * _U, Rule.IDENTITY, "E[kv.kv']"),
            *both_ways(
                mean_square / square,
                _U / _G,
                "k^2 in numerator and denominator",
                (
                    sp.Ne(factor, 0),
                    sp.Gt(_G, 0),
                    sp.Eq(square, factor**2 * _G),
                    sp.Eq(mean_square, factor**2 * _U),
                ),
                uses=(0, 1),
            ),
        ),
        _FINITE,
        lhs=mean_square / square,
        rhs=_U / _G,
    )


_directions, _drawn = sp.Symbol("n", integer=True, nonnegative=True), sp.Symbol("j", integer=True)
_lengths, _sums = sp.IndexedBase("s", nonnegative=True), sp.IndexedBase("t", nonnegative=True)
_all_lengths = sp.Sum(_lengths[_drawn], (_drawn, 1, _directions))
_of_sum = _sums[_directions + 1]


def _pythagoras() -> tuple[Step, ...]:
    """Return that lengths squared of orthogonal vectors add, as the steps 0 to 2 of a proof.

    t_j is that of the sum of the first j - 1 vectors, s_j that of the j-th.
    """
    before, new = sp.IndexedBase("x", real=True)[INDEX], sp.IndexedBase("g", real=True)[INDEX]
    product = over_all(before * new)
    off = sp.Abs(_of_sum - _all_lengths)
    longer = sp.Abs(_sums[_directions + 2] - _all_lengths - _lengths[_directions + 1])
    adds = (sp.Eq(_sums[_directions + 2], _of_sum + 2 * product + _lengths[_directions + 1]), sp.Eq(product, 0))
    return (
        Step(
            over_all((before + new) ** 2),
            over_all(before**2) + 2 * product + over_all(new**2),
            Rule.IDENTITY,
            "|x + g|^2 = |x|^2 + 2 x.g + |g|^2 for the sum x so far and one more vector g; x.g = 0, g being orthogonal to each",
        ),
        Step(off, longer, Rule.POLYNOMIAL, "so |x + g|^2 = |x|^2 + |g|^2", uses=(0,), conditions=adds),
        Step(
            sp.Integer(0),
            off,
            Rule.INDUCTION,
            "one vector after another, from the sum of none",
            (off - longer,),
            term=1,
            conditions=(*adds, sp.Eq(_sums[1], 0)),
            variable=_directions,
            base=0,
        ),
    )


_lengths_add = (sp.Le(sp.Abs(_of_sum - _all_lengths), 0), sp.Gt(_all_lengths, 0), sp.Ge(_directions, 1))


def w9() -> Proof:
    """Lengths squared of orthogonal vectors add."""
    coherence = _of_sum / _directions**2 / (_all_lengths / _directions)
    return Proof(
        (
            *_pythagoras(),
            *both_ways(coherence, 1 / _directions, "alpha = |mean g_j|^2 / mean |g_j|^2", _lengths_add, uses=(2,)),
        ),
        "any number and lengths, zeros among them as long as not all are 0",
        lhs=coherence,
        rhs=1 / _directions,
    )


def _copies() -> sp.Expr:
    """Return alpha_m / (1/m) of k copies of each direction, m = k n."""
    examples = _k * _directions
    return examples * ((_k**2 * _of_sum / examples**2) / (_k * _all_lengths / examples))


def w9a() -> Proof:
    """Of d directions, k times each."""
    return Proof(
        (
            *_pythagoras(),
            *both_ways(
                _copies(),
                _k,
                "the mean of m = k n gradients is k / m times the sum of the directions, the mean square k / m times that of "
                "their squares",
                _lengths_add,
                uses=(2,),
            ),
        ),
        "any lengths of the directions",
        lhs=_copies(),
        rhs=_k,
    )


def w9c() -> Proof:
    """The ratio is k, and k - 1 other examples have a positive product with one's own."""
    helps = sp.IndexedBase("h", nonnegative=True)
    one = sp.Symbol("h", nonnegative=True)
    helped, others = over_all(helps[INDEX] / COUNT), over_all((_k - 1) / COUNT)
    same, same_for_all = (sp.Eq(one, _k - 1),), (sp.Eq(helps[INDEX], _k - 1),)
    return Proof(
        (
            *_pythagoras(),
            *both_ways(
                one / COUNT,
                (_k - 1) / COUNT,
                "g.g > 0 for the k - 1 other copies of one's own direction, and 0 for all others",
                same,
            ),
            Step(helped, others, Rule.SUM, "over all m examples", term=3, conditions=same_for_all),
            Step(others, helped, Rule.SUM, "and the other way", term=4, conditions=same_for_all),
            Step(others, _k - 1, Rule.IDENTITY, "a mean of equal numbers"),
            *both_ways(
                1 + helped,
                _copies(),
                "and the ratio is k, as in W9.a",
                (*_lengths_add, sp.Ge(helped, others), sp.Ge(others, helped), sp.Eq(others, _k - 1)),
                uses=(2, 5, 6, 7),
            ),
        ),
        "copies of orthogonal gradients; for other samples the ratio is a mean of products, not a count",
        lhs=1 + helped,
        rhs=_copies(),
    )


_pairs = (_k * _G + _k * (_k - 1) * _U) / _k**2
_alpha, _of_batches = _U / _G, _U / _of_means
_formula = _k * _alpha / (1 + (_k - 1) * _alpha)
_drawn_means = (*_sizes, sp.Ge(_k, 1), sp.Eq(_of_means, _pairs))
"""What `_draws` shows of G_w = E[w.w]."""

_INDEPENDENT = (
    "independent draws (the product rule for expectations): E[v_i.v_j] = E[v].E[v] = U for i other than j, so of the k^2 pairs "
    "k give G and k (k - 1) give U: E[w.w] = (k G + k (k - 1) U) / k^2"
)


def _draws() -> tuple[Step, ...]:
    """Return the variance, and E[w.w] of the mean of k draws, as the steps 0 to 4 of a proof."""
    return (
        *_variance(),
        Step(_of_means, _pairs, Rule.CITED, _INDEPENDENT),
        Step(_pairs, _of_means, Rule.CITED, f"{_INDEPENDENT}; and the other way"),
    )


def w11() -> Proof:
    """Count the pairs of draws."""
    return Proof(
        (
            *_draws(),
            *both_ways(
                _of_batches, _formula, "E[w.w'] = |E w|^2 = |E v|^2 = U, over E[w.w]", _drawn_means, uses=(1, 2, 3, 4)
            ),
        ),
        f"{_FINITE}, any k",
        lhs=_of_batches,
        rhs=_formula,
    )


def w11b() -> Proof:
    """The difference has three factors."""
    meet, ends = sp.Eq(_of_batches, _alpha), sp.Or(sp.Eq(_alpha, 0), sp.Eq(_alpha, 1))
    return Proof(
        (
            *_draws(),
            *both_ways(
                meet,
                ends,
                "alpha(W) - alpha is (k - 1) alpha (1 - alpha) / (1 + (k - 1) alpha): 0 where one of its factors is, and k - 1 "
                "is not",
                (*_drawn_means, sp.Ge(_k, 2)),
                uses=(1, 2, 3, 4),
            ),
        ),
        f"{_FINITE}, any k >= 2",
        lhs=meet,
        rhs=ends,
    )


def w11c() -> Proof:
    """The difference is not negative."""
    return Proof(
        (
            *_draws(),
            Step(
                _of_batches,
                _alpha,
                Rule.POLYNOMIAL,
                "U <= G, so E[w.w] <= G",
                uses=(1, 2, 3, 4),
                conditions=_drawn_means,
            ),
        ),
        f"{_FINITE}, any k",
        lhs=_of_batches,
        rhs=_alpha,
    )


def w11d() -> Proof:
    """Solve for the coherence of one draw."""
    inverse = _of_batches / (_k - (_k - 1) * _of_batches)
    return Proof(
        (
            *_draws(),
            *both_ways(_alpha, inverse, "solve W11 for alpha; A = U / G_w <= 1", _drawn_means, uses=(1, 2, 3, 4)),
        ),
        f"{_FINITE}, any k",
        lhs=_alpha,
        rhs=inverse,
    )


def w11f() -> Proof:
    """Count the pairs of examples in a batch, and solve for the coherence of the sample."""
    inverses = sp.IndexedBase("h", positive=True)
    part, parts = sp.Symbol("p", integer=True), sp.Symbol("N", integer=True, positive=True)
    batch = sp.Symbol("k", integer=True, positive=True)

    sums = _over_coordinates(over_all(_v[INDEX, _c]) ** 2)
    squares = _over_coordinates(over_all(_v[INDEX, _c] ** 2))
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
            *both_ways(
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
