"""Proofs of the claims of Neyshabur et al. 2017 on PAC-Bayes (N7, N20)."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COUNT, INDEX, over_all, reals, summed
from theory.proof import Proof, Rule, Step

_GAUSS = "the logarithm is a polynomial of degree 2 in theta, whose mean is that over w - s and w + s: one weight"


def n7() -> Proof:
    """Below K = 1 the last two terms of (5) are at most 2 sqrt K, above it that exceeds 1; and K is at most 4 A/m."""
    loss, trained = sp.symbols("p q", nonnegative=True)
    term, samples = sp.Symbol("A", nonnegative=True), sp.Symbol("m", integer=True, positive=True)
    k = 2 * term / (samples - 1)
    enough = sp.Ge(samples, 2)
    bound, between = trained + 4 * sp.sqrt(term / samples), trained + 2 * sp.sqrt(k)
    within = sp.Le(loss, trained + sp.sqrt(trained * k) + k)
    return Proof(
        (
            Step(
                bound, between, Rule.POLYNOMIAL, "A = KL + ln(2m/delta): K = 2A/(m - 1) <= 4A/m", conditions=(enough,)
            ),
            Step(
                between,
                loss,
                Rule.POLYNOMIAL,
                "for K <= 1 by (5), as sqrt(q K) + K <= 2 sqrt K; for K >= 1 as the loss is at most 1",
                conditions=(enough, sp.Le(trained, 1), sp.Le(loss, 1), within),
            ),
        ),
        "any expected losses in [0, 1], any divergence and m >= 2; that (7) is (6) needs no proof",
        lhs=loss,
        rhs=bound,
    )


def _one_weight(weight: sp.Expr, deviation: sp.Expr, prior: sp.Expr) -> sp.Expr:
    """Return the mean over theta = w - s and w + s of theta^2/(2 p^2) - (theta - w)^2/(2 s^2)."""
    at = [
        (weight + sign * deviation) ** 2 / (2 * prior**2) - (sign * deviation) ** 2 / (2 * deviation**2)
        for sign in (-1, 1)
    ]
    return sum(at) / 2


def n7a() -> Proof:
    """One weight after another."""
    weight, deviation = sp.Symbol("w", real=True), sp.Symbol("s", positive=True)
    each = {weight: reals("w")[0][INDEX], deviation: sp.IndexedBase("s", positive=True)[INDEX]}
    before, after = _one_weight(weight, deviation, deviation), weight**2 / (2 * deviation**2)
    total = summed(before, after, each, "over all weights, whose densities multiply", term=0)
    return Proof(
        (Step(before, after, Rule.IDENTITY, _GAUSS), total),
        "any number of weights and any standard deviations",
        lhs=total.before,
        rhs=total.after,
    )


def n7c() -> Proof:
    """The same with another variance in the second Gaussian, l_i = ln(p/sigma_i)."""
    weight, log = sp.symbols("w l", real=True)
    deviation, prior = sp.symbols("s p", positive=True)
    weights, logs = reals("w l")
    each = {weight: weights[INDEX], log: logs[INDEX], deviation: sp.IndexedBase("s", positive=True)[INDEX]}
    before = _one_weight(weight, deviation, prior) + log
    after = (weight**2 + deviation**2) / (2 * prior**2) - sp.Rational(1, 2) + log
    total = summed(before, after, each, "over all weights, whose densities multiply", term=0)
    return Proof(
        (Step(before, after, Rule.IDENTITY, _GAUSS), total),
        "any number of weights and any standard deviations",
        lhs=total.before,
        rhs=total.after,
    )


def _of_the_figure() -> tuple[tuple[Step, ...], sp.Expr, sp.Expr]:
    """Return N20.a's steps, with both sides."""
    weight, size = sp.Symbol("w", real=True), sp.Symbol("a", positive=True)
    relative = 10 * sp.Abs(weight) + 1
    each = {weight: reals("w")[0][INDEX]}
    before = _one_weight(weight, size * relative, size * relative)
    after = (weight / relative) ** 2 / (2 * size**2)
    total = summed(before, after, each, "over all weights", term=0)
    return (Step(before, after, Rule.IDENTITY, _GAUSS), total), total.before, total.after


def n20a() -> Proof:
    """N7.a with the standard deviations of the figure."""
    steps, left, right = _of_the_figure()
    return Proof(steps, "any weights and any alpha", lhs=left, rhs=right)


def n20b() -> Proof:
    """|w| is at most a tenth of 10 |w| + 1."""
    steps, left, _ = _of_the_figure()
    weight, size = sp.Symbol("w", real=True), sp.Symbol("a", positive=True)
    most, term = 1 / (200 * size**2), (weight / (10 * sp.Abs(weight) + 1)) ** 2 / (2 * size**2)
    each = {weight: reals("w")[0][INDEX]}
    bound = COUNT / (200 * size**2)
    return Proof(
        (
            *steps,
            Step(most, term, Rule.POLYNOMIAL, "10 |w| <= 10 |w| + 1"),
            summed(most, term, each, "over all weights", term=2),
            Step(over_all(most), bound, Rule.INDUCTION, "the same for each", variable=COUNT, base=1),
        ),
        "any weights and any alpha",
        lhs=left,
        rhs=bound,
    )
