"""Second implementations of bounds in Arb balls, from the papers' definitions and without a formula of `theory`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, pairwise, permutations
from typing import Any

import flint
import numpy as np

from theory.claim import Instance

Ball = Any
"""A real number in Arb, known up to a radius (`flint.arb`)."""

Oracle = Callable[[Instance, int], tuple[Ball, Ball]]
"""An instance and a precision in bits to both sides of a claim; truth values are 0, 1, or a ball that holds both."""


def ball(value: Any) -> Ball:
    """Return a ball around a rational, or a float or an integer, which are rationals too, at the current precision."""
    exact = Fraction(value.item() if isinstance(value, np.generic) else value)
    return flint.arb(flint.fmpq(exact.numerator, exact.denominator))


def _exact(values: Any) -> list[Fraction]:
    return [Fraction(v.item() if isinstance(v, np.generic) else v) for v in values]


def _total(balls: Sequence[Ball]) -> Ball:
    total = flint.arb(0)
    for one in balls:
        total = total + one
    return total


def largest(balls: Sequence[Ball]) -> Ball:
    """Return a ball around the largest of the numbers in some balls, at least one."""
    most = balls[0]
    for one in balls[1:]:
        most = most.max(one)
    return most


def top_eigenvalue(matrix: Sequence[Sequence[Fraction]]) -> Ball:
    """Return a ball around the largest eigenvalue of a rational matrix whose eigenvalues are real.

    The roots of the characteristic polynomial, whose coefficients are exact, are isolated by Arb.
    """
    n = len(matrix)
    entries = [flint.fmpq(entry.numerator, entry.denominator) for row in matrix for entry in row]
    roots: Any = flint.fmpq_mat(n, n, entries).charpoly().numer().complex_roots()
    return largest([flint.acb(pair[0]).real for pair in roots])


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _one_sided(beyond: list[Fraction], gaps: list[Fraction], n: int) -> Ball:
    """P^2 E[distance] sqrt(1 + E[X]^2) for the data points on one side and their distances to the knot."""
    if not beyond:
        return flint.arb(0)
    share = Fraction(len(beyond), n)
    return ball(share**2 * _mean(gaps)) * ball(1 + _mean(beyond) ** 2).sqrt()


def weight(t: Fraction, x: list[Fraction], *, side: str = "at") -> Ball:
    """Return g(t) of mulayoff2021, eq 22: the value, or the limit from the left or from the right."""
    if t < min(x) or t > max(x):
        return flint.arb(0)
    below = [v for v in x if v < t or (v == t and side == "right")]
    above = [v for v in x if v > t or (v == t and side == "left")]
    left = _one_sided(below, [t - v for v in below], len(x))
    return left.min(_one_sided(above, [v - t for v in above], len(x)))


def _kinks(weights: Any) -> dict[Fraction, Fraction]:
    """The knots of a network's function and the jumps of its slope there, by going through the units."""
    w1, b1, w2 = (_exact(part) for part in (weights.w1, weights.b1, weights.w2))
    kinks: dict[Fraction, Fraction] = {}
    for a, b, c in zip(w1, b1, w2, strict=True):
        if a:
            kinks[-b / a] = kinks.get(-b / a, Fraction(0)) + abs(a) * c
    return kinks


def _curvature(kinks: Mapping[Fraction, Fraction], x: list[Fraction]) -> Ball:
    return _total([ball(abs(jump)) * weight(knot, x) for knot, jump in kinks.items()])


def _hessian(weights: Any, x: list[Fraction], y: list[Fraction] | None) -> list[list[Fraction]]:
    """The Hessian of (1/2n) sum (f - y)^2 in (w1, b1, w2, b2), entry by entry; with y = None at f = y."""
    w1, b1, w2 = (_exact(part) for part in (weights.w1, weights.b1, weights.w2))
    k, n, b2 = len(w1), len(x), Fraction(weights.b2)
    total = [[Fraction(0)] * (3 * k + 1) for _ in range(3 * k + 1)]
    for j, point in enumerate(x):
        gradient, value = [Fraction(0)] * (3 * k) + [Fraction(1)], b2
        active = [w1[i] * point + b1[i] > 0 for i in range(k)]
        for i in range(k):
            if active[i]:
                gradient[i], gradient[k + i] = w2[i] * point, w2[i]
                gradient[2 * k + i] = w1[i] * point + b1[i]
                value += w2[i] * gradient[2 * k + i]
        for r in range(3 * k + 1):
            for c in range(3 * k + 1):
                total[r][c] += gradient[r] * gradient[c] / n
        residual = Fraction(0) if y is None else (value - y[j]) / n
        for i in range(k):
            if active[i]:
                for row, entry in ((i, residual * point), (k + i, residual)):
                    total[row][2 * k + i] += entry
                    total[2 * k + i][row] += entry
    return total


def m5(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """M5: the sharpness, and 1 + 2 int |f''| g."""
    with flint.ctx.workprec(bits):
        x = _exact(given["x"])
        return top_eigenvalue(_hessian(given["weights"], x, None)), 1 + 2 * _curvature(_kinks(given["weights"]), x)


def m6(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """M6 and M6.a: int |f''| g, and 1/eta - 1/2."""
    with flint.ctx.workprec(bits):
        limit = ball(1 / Fraction(given["step_size"]) - Fraction(1, 2))
        return _curvature(_kinks(given["weights"]), _exact(given["x"])), limit


def _loss(given: Instance, bits: int, factor: Callable[[list[Fraction]], Ball]) -> tuple[Ball, Ball]:
    with flint.ctx.workprec(bits):
        weights, x, y = given["weights"], _exact(given["x"]), _exact(given["y"])
        outputs = _exact(weights.rational()(np.array(x, dtype=object)))
        twice_loss = _mean([(f - target) ** 2 for f, target in zip(outputs, y, strict=True)])
        top = top_eigenvalue(_hessian(weights, x, y))
        return _curvature(_kinks(weights), x), top / 2 - flint.arb("0.5") + factor(x) * ball(twice_loss).sqrt()


def _spread(x: list[Fraction]) -> Ball:
    """Half of the root of the top eigenvalue of E[(X, 1)(X, 1)^T]."""
    mean = _mean(x)
    return top_eigenvalue([[_mean([v * v for v in x]), mean], [mean, Fraction(1)]]).sqrt() / 2


def b1a(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B1.a: int |f''| g, and the spline's changes of slope weighed by the lower limit of g."""
    with flint.ctx.workprec(bits):
        f, x = given["f"], sorted(_exact(given["x"]))
        kinks = dict(zip(_exact(f.knots), _exact(f.jumps), strict=True))

        def values(t: Fraction) -> Fraction:
            zero = Fraction(0)
            bends = [c * (max(t - k, zero) - max(Fraction(f.anchor) - k, zero)) for k, c in kinks.items()]
            return Fraction(f.value) + Fraction(f.slope) * (t - Fraction(f.anchor)) + sum(bends, Fraction(0))

        slopes = [(values(b) - values(a)) / (b - a) for a, b in pairwise(x)]
        weights = [weight(t, x, side="left").min(weight(t, x, side="right")) for t in x[1:-1]]
        changes = [ball(abs(b - a)) for a, b in pairwise(slopes)]
        return _curvature(kinks, x), _total([c * w for c, w in zip(changes, weights, strict=True)])


def v1(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """V1: the length of a polygon, and the distance of its ends."""
    with flint.ctx.workprec(bits):
        points = [_exact(point) for point in given["curve"]]

        def distance(a: list[Fraction], b: list[Fraction]) -> Ball:
            return ball(sum(((q - p) ** 2 for p, q in zip(a, b, strict=True)), Fraction(0))).sqrt()

        return _total([distance(a, b) for a, b in pairwise(points)]), distance(points[0], points[-1])


Matrix = list[list[Fraction]]


def _matrices(given: Instance) -> list[Matrix]:
    return [[_exact(row) for row in hessian] for hessian in given["hessians"]]


def _combined(matrices: Sequence[Matrix]) -> Matrix:
    """The mean of some matrices."""
    d = len(matrices[0])
    return [[_mean([m[r][c] for m in matrices]) for c in range(d)] for r in range(d)]


def _steps(given: Instance) -> list[Matrix]:
    """I - eta H_batch for every batch that may be drawn."""
    matrices, eta = _matrices(given), Fraction(given["step_size"])
    batches = [_combined(batch) for batch in combinations(matrices, int(given["batch_size"]))]
    return [[[int(r == c) - eta * entry for c, entry in enumerate(row)] for r, row in enumerate(h)] for h in batches]


def _product(a: Matrix, b: Matrix) -> Matrix:
    inner = range(len(b))
    return [[sum((row[i] * b[i][c] for i in inner), Fraction(0)) for c in range(len(b[0]))] for row in a]


def _twice(a: Matrix) -> Matrix:
    """The matrix of X -> A X A^T."""
    d = range(len(a))
    return [[a[r][p] * a[c][q] for p in d for q in d] for r in d for c in d]


def _second_moments(given: Instance) -> Ball:
    """The largest eigenvalue of X -> E[A X A], over all batches: the factor by which second moments grow."""
    return top_eigenvalue(_combined([_twice(a) for a in _steps(given)]))


def _epoch(given: Instance) -> Ball:
    """The largest eigenvalue of X -> E[P X P^T], P the product of the steps of an epoch, over all orders of the points.

    The largest real part of an eigenvalue: the map keeps a cone, so that its spectral radius is one.
    """
    matrices, eta, size = _matrices(given), Fraction(given["step_size"]), int(given["batch_size"])
    d, maps = range(len(matrices[0])), []
    for order in permutations(range(len(matrices))):
        product = [[Fraction(int(r == c)) for c in d] for r in d]
        for start in range(0, len(order), size):
            mean = _combined([matrices[i] for i in order[start : start + size]])
            product = _product([[int(r == c) - eta * mean[r][c] for c in d] for r in d], product)
        maps.append(_twice(product))
    return top_eigenvalue(_combined(maps))


def _at_most_one(value: Ball) -> Ball:
    if value <= 1:
        return flint.arb(1)
    return flint.arb(0) if value > 1 else flint.arb(0).union(flint.arb(1))


def w1(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """W1 and W1.a: whether eq 1's condition is at most 1, and whether the growth of the second moments is."""
    with flint.ctx.workprec(bits):
        condition = top_eigenvalue(_combined([_product(a, a) for a in _steps(given)]))
        return _at_most_one(condition), _at_most_one(_second_moments(given))


def m1(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """M1: eta lambda_max of the mean Hessian, and 2."""
    with flint.ctx.workprec(bits):
        return ball(given["step_size"]) * top_eigenvalue(_combined(_matrices(given))), flint.arb(2)


def w2(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """W2 and W2.a: the largest part of eq 2, in units of what it is held against, and 1."""
    with flint.ctx.workprec(bits):
        matrices, eta, b = _matrices(given), Fraction(given["step_size"]), int(given["batch_size"])
        mean, n = _combined(matrices), len(matrices)
        square, of_squares = _product(mean, mean), _combined([_product(h, h) for h in matrices])
        sigma = [[p - q for p, q in zip(*rows, strict=True)] for rows in zip(of_squares, square, strict=True)]
        share = Fraction(n - b, b * (n - 1)) if n > 1 else Fraction(0)
        spread = (ball(eta**2 * share) * top_eigenvalue(sigma).max(flint.arb(0))).sqrt()
        half = ball(eta) * top_eigenvalue(mean) / 2
        return largest([half, 1 - half, spread]), flint.arb(1)


def b3b(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.b: the growth with the larger batch, and with the smaller."""
    with flint.ctx.workprec(bits):
        return _second_moments(given.but(batch_size=given["other_batch_size"])), _second_moments(given)


def b9(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B9.c and B9.d: the growth over an epoch, and that of batches drawn anew."""
    with flint.ctx.workprec(bits):
        power = -(-len(given["hessians"]) // int(given["batch_size"]))
        return _epoch(given), _second_moments(given) ** power


def b7(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B7: the printed factor on the loss term is R + 1, R = max |x_j|."""
    return _loss(given, bits, lambda x: ball(max(abs(v) for v in x) + 1))


def b7a(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B7.a: half the root of the top eigenvalue of the second moments of (X, 1)."""
    return _loss(given, bits, _spread)
