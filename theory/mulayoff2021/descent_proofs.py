"""Proofs of what Mulayoff, Michaeli and Soudry 2021 say of step sizes and of where descent can go: M17 and M19."""

from __future__ import annotations

import sympy as sp

from theory.lemmas import COLUMN, COUNT, INDEX, TIME, bernoulli, cauchy_schwarz, nonnegatives, over_all, reals, summed
from theory.mulayoff2021.stability_proofs import moved_along
from theory.proof import Proof, Rule, Step

_eta = sp.Symbol("eta", positive=True)


def m17() -> Proof:
    """A step of s eta is a mixture of a step of eta and none."""
    u, v = reals("u v")
    a, b, c = sp.symbols("a b c", nonnegative=True)
    share, q = sp.Symbol("s", positive=True), sp.Symbol("q", real=True)
    each = {symbol: sp.IndexedBase(symbol.name, nonnegative=True)[INDEX] for symbol in (a, b, c)}
    mixed, within = (1 - share) * a + share * b, sp.Le(share, 1)
    time = sp.Symbol("t", integer=True, positive=True)
    count = sp.Symbol("k", integer=True, positive=True)
    p, lengths = sp.IndexedBase("p", nonnegative=True), sp.IndexedBase("G", nonnegative=True)
    new = count + 1

    def over(term: sp.Expr, last: sp.Expr) -> sp.Expr:
        return sp.Sum(term, (COLUMN, 1, last))

    def convex(place: sp.Expr) -> sp.Basic:
        return sp.Le(
            lengths[time, place], (1 - share) * lengths[time + 1, place] + share * lengths[time + 1, place + 1]
        )

    squares = (over_all(u[INDEX] ** 2), over_all(v[INDEX] ** 2), over_all(u[INDEX] * v[INDEX]))
    square = over_all(((1 - share) * u[INDEX] + share * v[INDEX]) ** 2)
    spread = (1 - share) ** 2 * squares[0] + share**2 * squares[1] + 2 * share * (1 - share) * squares[2]
    triangle = (
        within,
        sp.Eq(c**2, (1 - share) ** 2 * a**2 + share**2 * b**2 + 2 * share * (1 - share) * q),
        sp.Ge(a**2 * b**2, q**2),
    )
    before, after = (
        over(p[time + 1, COLUMN] * lengths[time + 1, COLUMN], count),
        over(p[time, COLUMN] * lengths[time, COLUMN], count),
    )
    left = share * p[time, count] * lengths[time + 1, new]
    whole = over(p[time, COLUMN] * lengths[time, COLUMN], time)
    grown = (
        over(p[time + 1, COLUMN] * lengths[time + 1, COLUMN], time)
        + p[time + 1, time + 1] * lengths[time + 1, time + 1]
    )
    return Proof(
        (
            cauchy_schwarz(u, v, "for where the remaining steps end, with and without a step of eta first"),
            Step(square, spread, Rule.IDENTITY, "the square of their mixture"),
            Step(
                mixed,
                c,
                Rule.POLYNOMIAL,
                "the length of a mixture is at most the mixture of the lengths: steps are affine, so with (1 - s) w + s (a "
                "step of eta from w) at the start the end is the same mixture of two ends",
                conditions=triangle,
                uses=(0, 1),
            ),
            summed(
                mixed,
                c,
                each,
                "over all draws of the batches, which are independent of where w is",
                term=2,
                conditions=triangle,
            ),
            Step(
                before + left,
                after,
                Rule.INDUCTION,
                "G[t, j] is the mean distance after j - 1 steps of eta and then T + 1 - t of s eta; so it "
                "is at most (1 - s) G[t + 1, j] + s G[t + 1, j + 1]. p[t, j] are the chances of j - 1 successes among t - 1",
                (
                    p[time + 1, new] * lengths[time + 1, new]
                    + share * p[time, new] * lengths[time + 1, new + 1]
                    - share * p[time, count] * lengths[time + 1, new]
                    - p[time, new] * lengths[time, new],
                ),
                uses=(3,),
                conditions=(
                    within,
                    convex(new),
                    convex(sp.Integer(1)),
                    sp.Eq(p[time + 1, 1], (1 - share) * p[time, 1]),
                    sp.Eq(p[time + 1, new], (1 - share) * p[time, new] + share * p[time, count]),
                ),
                variable=count,
                base=1,
            ),
            Step(
                whole,
                lengths[1, 1],
                Rule.INDUCTION,
                "so the mean over the chances does not fall with t: T steps of s eta at t = 1, and steps of eta alone at T + 1",
                (grown - whole,),
                uses=(4,),
                conditions=(
                    sp.Eq(p[1, 1], 1),
                    sp.Eq(p[time + 1, time + 1], share * p[time, time]),
                    sp.Ge(before.subs(count, time) + left.subs(count, time), after.subs(count, time)),
                ),
                variable=time,
                base=1,
            ),
        ),
        "any dimension, batch size and number of steps; gradients at the minimum need not vanish",
        lhs=lengths[1, 1],
        rhs=whole,
    )


def m19a() -> Proof:
    """Gradient descent leaves along an eigenvector beyond 2/eta."""
    along = nonnegatives("c")[0]
    value, excess = sp.Symbol("mu", nonnegative=True), sp.Symbol("s", positive=True)
    start, size = sp.Symbol("a", nonnegative=True), sp.Symbol("N", positive=True)
    length = sp.Symbol("L", nonnegative=True)
    step = sp.Abs(1 - _eta * value)
    beyond = _eta * value - 2
    rhs = start**2 * (1 + TIME * beyond) ** 2 / size
    q, w = reals("q w")
    return Proof(
        (
            cauchy_schwarz(q, w, "||q||^2 ||w_t||^2 >= (q^T w_t)^2"),
            *moved_along(1, given=True),
            Step(
                along[TIME + 1],
                start * step**TIME,
                Rule.INDUCTION,
                "so the size c_{t+1} of q^T w_t, a at the start, is a |1 - eta mu|^t",
                (along[TIME + 2] - step * along[TIME + 1],),
                uses=(1, 3, 4),
                conditions=(sp.Eq(along[TIME + 2], step * along[TIME + 1]), sp.Eq(along[1], start)),
                variable=TIME,
                factor=step,
            ),
            bernoulli(excess, "|1 - eta mu| is 1 + s where eta mu is 2 + s"),
            Step(
                length,
                rhs,
                Rule.POLYNOMIAL,
                "which grows at least as 1 + t (eta mu - 2)",
                uses=(0, 5, 6),
                conditions=(
                    sp.Ge(size * length, along[TIME + 1] ** 2),
                    sp.Ge(along[TIME + 1], start * step**TIME),
                    sp.Ge(step**TIME, 1 + TIME * beyond),
                    sp.Ge(beyond, 0),
                ),
            ),
        ),
        "gradient descent on quadratic losses, any dimension",
        lhs=length,
        rhs=rhs,
    )


def m19c() -> Proof:
    """A step from where the curvature is large overshoots."""
    curvature, (lengths,) = sp.IndexedBase("c", real=True), nonnegatives("l")
    least, size, slope = sp.Symbol("h", real=True), sp.Symbol("x", nonnegative=True), sp.Symbol("y", real=True)
    new = COUNT + 1
    mean = (curvature[INDEX] + curvature[INDEX + 1]) / 2
    total, whole = over_all(mean * lengths[INDEX]), over_all(lengths[INDEX])
    at = mean.subs(INDEX, new)
    first, second = sp.symbols("p q", real=True)
    return Proof(
        (
            Step(
                (first + second) / 2,
                least,
                Rule.POLYNOMIAL,
                "between two places where L'' is linear, its mean is that of both, at least the smallest h of all",
                conditions=(sp.Ge(first, least), sp.Ge(second, least)),
            ),
            Step(
                total,
                least * whole,
                Rule.INDUCTION,
                "so the integral |L'(theta)| of L'' from 0 on is at least h |theta|, over the pieces between",
                (at * lengths[new] - least * lengths[new],),
                uses=(0,),
                conditions=(sp.Ge(at, least), sp.Ge(mean.subs(INDEX, 1), least)),
                variable=COUNT,
                base=1,
            ),
            Step(
                sp.Abs(size - _eta * slope),
                (_eta * least - 1) * size,
                Rule.POLYNOMIAL,
                "and the step takes eta times that from |theta|",
                conditions=(sp.Ge(slope, least * size),),
            ),
            Step(
                sp.Abs(whole - _eta * total),
                (_eta * least - 1) * whole,
                Rule.POLYNOMIAL,
                "with the sums for them",
                uses=(1, 2),
                conditions=(sp.Ge(total, least * whole),),
            ),
        ),
        "any loss in one weight with a continuous, piecewise linear second derivative, on either side of the minimum",
        lhs=sp.Abs(whole - _eta * total),
        rhs=(_eta * least - 1) * whole,
    )
