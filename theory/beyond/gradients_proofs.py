"""Proofs of the claims on the mean of |grad L_B|^2 over batches (B15) and over label noise (B16)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import reals
from theory.proof import Proof, Rule, Step

_draw, _example, _other, _coordinate, _label = sp.symbols("t x y c a", integer=True)
_draws = sp.Symbol("m", integer=True, positive=True)
_count = sp.Symbol("n", integer=True, positive=True)
_weights = sp.Symbol("p", integer=True, positive=True)
_share = sp.Symbol("q", nonnegative=True)
_batch = sp.Symbol("B", positive=True)


def _everywhere(term: sp.Expr) -> sp.Sum:
    return sp.Sum(term, (_coordinate, 1, _weights))


def _over_batches() -> sp.Expr:
    """Return the mean over the m batches of |grad L_B|^2, u the mean gradient of each."""
    (means,) = reals("u")
    return sp.Sum(_everywhere(means[_draw, _coordinate] ** 2), (_draw, 1, _draws)) / _draws


def _inclusion() -> Step:
    """Return the second moment of the mean of a batch of numbers with sums S_1 and squares S_2, by the inclusion of pairs."""
    batch, fewer = sp.symbols("B k", integer=True, positive=True)
    n = fewer + 1
    total, squares = sp.symbols("S_1 S_2", real=True)
    pairs = batch * (batch - 1) / (n * (n - 1))
    share = (n - batch) / (batch * (n - 1))
    return Step(
        (batch / n * squares + pairs * (total**2 - squares)) / batch**2,
        (total / n) ** 2 + share * (squares / n - (total / n) ** 2),
        Rule.IDENTITY,
        "each coordinate, of n = k + 1 gradients with sum S_1 and squares S_2: one is in the batch with probability B/n, two "
        "are with B (B - 1)/(n (n - 1)); its second moment is (S_1/n)^2 + p (S_2/n - (S_1/n)^2)",
    )


_COCHRAN = (
    "inclusion in a simple random sample (Cochran): the mean over all batches follows from the probabilities that one and two "
    "of the examples are in it; q is p = (n - B)/(B (n - 1)), and 0 for n = 1"
)


def b15() -> Proof:
    """Each coordinate of the mean of a batch has a known second moment."""
    (gradients,) = reals("g")
    total = sp.Sum(gradients[_other, _coordinate], (_other, 1, _count))
    squares = sp.Sum(gradients[_example, _coordinate] ** 2, (_example, 1, _count))
    moments = _everywhere((total / _count) ** 2) + _share * _everywhere(squares / _count - (total / _count) ** 2)
    squared = _everywhere((total / _count) ** 2)
    whole = squared + _share * (_everywhere(squares) / _count - squared)
    variance = "tr Cov = (1/n) sum |g|^2 - |mean g|^2 (Koenig and Huygens)"
    lhs = _over_batches()
    return Proof(
        (
            _inclusion(),
            Step(lhs, moments, Rule.CITED, _COCHRAN, uses=(0,)),
            Step(moments, lhs, Rule.CITED, f"{_COCHRAN}; and the other way", uses=(0,)),
            Step(moments, whole, Rule.IDENTITY, variance),
        ),
        "any gradients, number of examples and weights; batches drawn without replacement",
        lhs=lhs,
        rhs=whole,
    )


def b15a() -> Proof:
    """One example is in the batch with probability B/n, two with B (B - 1)/(n (n - 1))."""
    (gradients,) = reals("g")
    total = sp.Sum(gradients[_other, _coordinate], (_other, 1, _count))
    squares = _everywhere(sp.Sum(gradients[_example, _coordinate] ** 2, (_example, 1, _count)))
    fewer = sp.Symbol("k", integer=True, positive=True)
    one, two = _batch / _count, _batch * (_batch - 1) / (_count * fewer)
    counted = (one * squares + two * (_everywhere(total**2) - squares)) / _batch**2
    whole = squares / _count / _batch + (1 - 1 / _batch) * ((_everywhere(total**2) - squares) / (_count * fewer))
    lhs = _over_batches()
    because = (
        "inclusion in a simple random sample (Cochran): one example is in the batch with probability B/n, two are with "
        "B (B - 1)/(n k), k = n - 1"
    )
    return Proof(
        (
            Step(lhs, counted, Rule.CITED, because),
            Step(counted, lhs, Rule.CITED, f"{because}; and the other way"),
            Step(counted, whole, Rule.IDENTITY, "the squares go as 1/B, the pairs as 1 - 1/B"),
        ),
        "any gradients, n >= 2 examples and weights; batches drawn without replacement",
        lhs=lhs,
        rhs=whole,
    )


def b16() -> Proof:
    """Multiply out; the noise has mean 0, and its entries are uncorrelated."""
    gradients, noise, slopes = reals("G w v")
    labels = sp.Symbol("r", integer=True, positive=True)
    variance = sp.Symbol("s", nonnegative=True)
    plain = _everywhere(gradients[_coordinate] ** 2)
    drawn = noise[_draw, _coordinate]

    def mean(term: sp.Expr) -> sp.Expr:
        return sp.Sum(_everywhere(term), (_draw, 1, _draws)) / _draws

    lhs = mean((gradients[_coordinate] + drawn) ** 2)
    crossed = mean(2 * gradients[_coordinate] * drawn)
    apart = mean(gradients[_coordinate] ** 2) + crossed + mean(drawn**2)
    squares = _everywhere(sp.Sum(slopes[_label, _coordinate] ** 2, (_label, 1, labels)))
    rhs = plain + variance / _batch * (squares / _batch)
    because = (
        "Bienayme: w = -(1/B) sum_a xi_a v_a has mean 0, and the mean of its square is the sum of the squares of the v_a/B "
        "times "
        "s, for noises xi_a of mean 0 and variance s that are uncorrelated"
    )
    return Proof(
        (
            Step(lhs, apart, Rule.IDENTITY, "each coordinate of the gradient G + w, over all m draws"),
            Step(apart, rhs, Rule.CITED, because),
            Step(rhs, apart, Rule.CITED, f"{because}; and the other way"),
        ),
        "any residuals, batch, outputs and weights, and any noise with these two moments",
        lhs=lhs,
        rhs=rhs,
    )
