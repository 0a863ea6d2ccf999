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


def semidefinite(matrix: Matrix, *, of_symmetric: int = 0) -> bool:
    """Return whether a symmetric rational matrix is positive semidefinite, by Sylvester's criterion without elimination.

    The coefficients of its characteristic polynomial, up to sign, are the sums of its principal minors of each size; since
    its roots are real, none is negative iff no such sum is (Descartes). FLINT finds the polynomial.

    Args:
        matrix: the matrix, or with `of_symmetric`, the matrix of a form on matrices.
        of_symmetric: d, where it is a form on vec(X), X [d, d], of which only symmetric X are asked about.
    """
    if of_symmetric:
        d = range(of_symmetric)
        units = [{(a, b), (b, a)} for a in d for b in d if a <= b]
        places = [[of_symmetric * a + b for a, b in unit] for unit in units]
        matrix = [[sum((matrix[i][j] for i in k for j in m), Fraction(0)) for m in places] for k in places]
    n = len(matrix)
    entries = [flint.fmpq(entry.numerator, entry.denominator) for row in matrix for entry in row]
    polynomial = flint.fmpq_mat(n, n, entries).charpoly()
    return all((-1) ** (n - k) * polynomial[k] >= 0 for k in range(n + 1))


def _truth(value: bool) -> Ball:
    return flint.arb(int(value))


def _sum_of(*terms: tuple[Fraction | int, Matrix]) -> Matrix:
    """A linear combination of matrices."""
    size = range(len(terms[0][1]))
    return [[sum((Fraction(c) * m[r][k] for c, m in terms), Fraction(0)) for k in size] for r in size]


def _one(d: int) -> Matrix:
    return [[Fraction(int(r == c)) for c in range(d)] for r in range(d)]


def _times(a: Matrix, b: Matrix) -> Matrix:
    """The matrix of X -> A X B for symmetric A and B."""
    d = range(len(a))
    return [[a[r][p] * b[c][q] for p in d for q in d] for r in d for c in d]


def _share(given: Instance, n: int) -> Fraction:
    b = int(given["batch_size"])
    return Fraction(n - b, b * (n - 1)) if n > 1 else Fraction(0)


def _stays(given: Instance, times: Fraction = Fraction(1)) -> bool:
    """Whether X -> E[A X A], averaged over all batches, is at most 1: whether second moments stay bounded."""
    maps = _combined([_twice(a) for a in _steps(given.but(step_size=times * Fraction(given["step_size"])))])
    return semidefinite(_sum_of((1, _one(len(maps))), (-1, maps)))


def _featured(given: Instance) -> Instance:
    """The instance with H_i = phi_i phi_i^T for its features."""
    return given.but(hessians=[[[a * b for b in phi] for a in phi] for phi in map(_exact, given["features"])])


def b3(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3: whether 2 C - eta D >= 0 on symmetric matrices, and whether -1 <= T <= 1, T averaged over all batches."""
    matrices, eta = _matrices(given), Fraction(given["step_size"])
    mean, share, d = _combined(matrices), _share(given, len(matrices)), len(matrices[0])
    c = _combined([_times(mean, _one(d)), _times(_one(d), mean)])
    parts = _combined([_twice(h) for h in matrices])
    condition = _sum_of((2, c), (-eta * (1 - share), _twice(mean)), (-eta * share, parts))
    maps = _combined([_twice(a) for a in _steps(given)])
    bounded = all(semidefinite(_sum_of((1, _one(d * d)), (sign, maps))) for sign in (-1, 1))
    return _truth(semidefinite(condition, of_symmetric=d)), _truth(bounded)


def b3a(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.a: whether second moments stay bounded at eta, and at a share of it."""
    return _truth(_stays(given)), _truth(_stays(given, Fraction(given["share"])))


def b3c(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.c: whether eta H <= 2, and whether second moments stay bounded with batches of all points."""
    matrices, eta = _matrices(given), Fraction(given["step_size"])
    edge = semidefinite(_sum_of((2, _one(len(matrices[0]))), (-eta, _combined(matrices))))
    return _truth(edge), _truth(_stays(given.but(batch_size=len(matrices))))


def b3d(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.d: whether the form in Y of the Gram matrix is semidefinite, and whether second moments stay bounded."""
    rows, eta = [_exact(phi) for phi in given["features"]], Fraction(given["step_size"])
    n, share = len(rows), _share(given, len(rows))
    g = [[sum((a * b for a, b in zip(p, q, strict=True)), Fraction(0)) for q in rows] for p in rows]
    square = _product(g, g)
    diagonal = _combined([_twice([[a * b for b in row] for a in row]) for row in g])  # sum_i (G Y G)_ii^2 over n
    first = _combined([_times(g, square), _times(square, g)])
    form = _sum_of((2, first), (-eta * (1 - share) / n, _twice(square)), (-eta * share * n, diagonal))
    return _truth(semidefinite(form, of_symmetric=n)), _truth(_stays(_featured(given)))


def _batches(given: Instance) -> list[Matrix]:
    return [_combined(batch) for batch in combinations(_matrices(given), int(given["batch_size"]))]


def _trace_of_product(a: Matrix, b: Matrix) -> Fraction:
    return sum(
        (x * y for row, column in zip(a, zip(*b, strict=True), strict=True) for x, y in zip(row, column, strict=True)),
        Fraction(0),
    )


def b3e(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.e: eta, and 2 |v|^2 v^T H v over the mean square of v^T H_batch v, over all batches."""
    v = _exact(given["direction"])
    outer = [[a * b for b in v] for a in v]
    along = [_trace_of_product(outer, h) for h in _batches(given)]
    length = sum((a * a for a in v), Fraction(0))
    with flint.ctx.workprec(bits):
        return ball(given["step_size"]), ball(2 * length * _mean(along) / _mean([a * a for a in along]))


def b3f(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.f: eta, and 2 tr H over the mean of tr H_batch^2, over all batches."""
    batches = _batches(given)
    trace = _mean([sum((h[i][i] for i in range(len(h))), Fraction(0)) for h in batches])
    with flint.ctx.workprec(bits):
        return ball(given["step_size"]), ball(2 * trace / _mean([_trace_of_product(h, h) for h in batches]))


def _last(holds: Callable[[Fraction], bool], bits: int) -> Ball:
    """A ball around the largest number above 0 up to which something holds, by halving."""
    low, high = Fraction(1), Fraction(1)
    while not holds(low):
        low, high = low / 2, low
    while holds(high):
        low, high = high, 2 * high
    for _ in range(min(bits, 48)):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return ball(low).union(ball(high))


def _threshold(given: Instance, bits: int) -> Ball:
    """The largest step size at which second moments stay bounded."""
    return _last(lambda eta: _stays(given.but(step_size=eta)), bits)


def b3i(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.i: the threshold, and 2/((1 - p) lambda_max(H) + p max lambda_max(H_i))."""
    with flint.ctx.workprec(bits):
        matrices = _matrices(given)
        share, most = _share(given, len(matrices)), largest([top_eigenvalue(h) for h in matrices])
        return _threshold(given, bits), 2 / (ball(1 - share) * top_eigenvalue(_combined(matrices)) + ball(share) * most)


def b3j(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.j: the threshold, and the last step size at which E[A^2] <= 1, over all batches."""

    def condition(eta: Fraction) -> bool:
        squares = _combined([_product(a, a) for a in _steps(given.but(step_size=eta))])
        return semidefinite(_sum_of((1, _one(len(squares))), (-1, squares)))

    with flint.ctx.workprec(bits):
        return _threshold(given, bits), _last(condition, bits)


def b3k(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B3.k: the threshold, and B/n of 2/lambda_max(H)."""
    with flint.ctx.workprec(bits):
        matrices = _matrices(given)
        part = Fraction(2 * int(given["batch_size"]), len(matrices))
        return _threshold(given, bits), ball(part) / top_eigenvalue(_combined(matrices))


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


def _along(layers: Any, leak: Fraction, x: list[Fraction], moved: Any, dx: list[Fraction]) -> list[list[Fraction]]:
    """Go through a dense network with numbers and their derivatives along one direction; return those of h_1, .., h_l and f.

    `moved(layer, row, column)` is the derivative of a weight, or of a bias at column None.
    """
    value, slope, found = x, dx, [dx]
    for index, (weights, biases) in enumerate(layers):
        new_value, new_slope = [], []
        for row in range(len(weights)):
            z, dz = Fraction(0), Fraction(0)
            for column in range(len(value)):
                w = Fraction(weights[row][column])
                z += w * value[column]
                dz += w * slope[column] + moved(index, row, column) * value[column]
            if len(biases):
                z, dz = z + Fraction(biases[row]), dz + moved(index, row, None)
            factor = Fraction(1) if z > 0 or index == len(layers) - 1 else leak
            new_value.append(factor * z)
            new_slope.append(factor * dz)
        value, slope = new_value, new_slope
        found.append(slope)
    return found


def _still(*_: Any) -> Fraction:
    return Fraction(0)


def d10(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """D10 and D10.a: ||grad_x f||_F^2, and the printed bound, every derivative along one direction at a time."""
    with flint.ctx.workprec(bits):
        layers, leak, x = given["dense_layers"], Fraction(given["leak"]), _exact(given["x"])
        columns = [
            _along(layers, leak, x, _still, [Fraction(int(i == j)) for j in range(len(x))]) for i in range(len(x))
        ]
        k = len(columns[0][-1])
        jacobian = sum((v * v for column in columns for v in column[-1]), Fraction(0))
        parameters = {
            (0 if given["tied"] else i, r, c)
            for i, (weights, biases) in enumerate(layers)
            for r in range(len(weights))
            for c in (*range(len(weights[0])), *((None,) if len(biases) else ()))
        }
        gradient = Fraction(0)
        for parameter in parameters:

            def moved(i: int, r: int, c: int | None, parameter: Any = parameter) -> Fraction:
                return Fraction(int(((0 if given["tied"] else i), r, c) == parameter))

            gradient += sum((v * v for v in _along(layers, leak, x, moved, [Fraction(0)] * len(x))[-1]), Fraction(0))
        value, total = x, flint.arb(0)
        for index, (weights, biases) in enumerate(layers):
            before = [[column[index][a] for column in columns] for a in range(len(value))]
            size = 1 + sum((v * v for v in value), Fraction(0))
            total = total + ball(size) / (_top_square(weights) * _top_square(before))
            z = [sum((Fraction(w) * v for w, v in zip(row, value, strict=True)), Fraction(0)) for row in weights]
            z = [a + (Fraction(biases[r]) if len(biases) else 0) for r, a in enumerate(z)]
            value = [a if a > 0 else leak * a for a in z]
        return ball(jacobian), ball(gradient * min(len(x), k)) / total


def _top_square(matrix: Any) -> Ball:
    """sigma_max^2, from A^T A."""
    columns = list(zip(*([Fraction(v) for v in row] for row in matrix), strict=True))
    return top_eigenvalue(
        [[sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0)) for v in columns] for u in columns]
    )


def _value(f: Any, t: Fraction) -> Fraction:
    """f(t) from its anchor, its leftmost slope and its jumps."""
    anchor, slope = Fraction(f.anchor), Fraction(f.slope)
    total = Fraction(f.value) + slope * (t - anchor)
    for knot, jump in zip(_exact(f.knots), _exact(f.jumps), strict=True):
        total += jump * (max(t - knot, Fraction(0)) - max(anchor - knot, Fraction(0)))
    return total


def _slopes_between(f: Any, x: list[Fraction]) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Widths between neighbouring knots and data points, the slope of f there, and that of the line through the data."""
    found = []
    for a, b in pairwise(x):
        line = (_value(f, b) - _value(f, a)) / (b - a)
        cuts = sorted({a, b, *(knot for knot in _exact(f.knots) if a < knot < b)})
        found += [(v - u, (_value(f, v) - _value(f, u)) / (v - u), line) for u, v in pairwise(cuts)]
    return found


def _arc(pieces: list[tuple[Fraction, Fraction]]) -> Ball:
    return _total([ball(width) * ball(1 + slope**2).sqrt() for width, slope in pieces])


def d5b(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """D5.b: the arc length, and that of the spline with what the difference costs at least."""
    with flint.ctx.workprec(bits):
        found = _slopes_between(given["f"], _exact(given["x"]))
        cost = sum((width * (t - s) ** 2 / 2 for width, t, s in found), Fraction(0))
        steep = ball(1 + max(abs(t) for _, t, _ in found) ** 2)
        lines = _arc([(width, s) for width, _, s in found])
        return _arc([(width, t) for width, t, _ in found]), lines + ball(cost) / (steep * steep.sqrt())


def d5c(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """D5.c: what the Taylor approximation is off by, and an eighth of the integral of f'^4."""
    with flint.ctx.workprec(bits):
        found = _slopes_between(given["f"], _exact(given["x"]))
        taylor = sum((width * (1 + t**2 / 2) for width, t, _ in found), Fraction(0))
        fourth = sum((width * t**4 / 8 for width, t, _ in found), Fraction(0))
        return ball(taylor) - _arc([(width, t) for width, t, _ in found]), ball(fourth)


def d5d(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """D5.d: the arc length, and its Taylor approximation."""
    with flint.ctx.workprec(bits):
        found = _slopes_between(given["f"], _exact(given["x"]))
        taylor = sum((width * (1 + t**2 / 2) for width, t, _ in found), Fraction(0))
        return _arc([(width, t) for width, t, _ in found]), ball(taylor)


def d6a(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """D6.a: the arc length, and that of the spline with what its energy lacks."""
    with flint.ctx.workprec(bits):
        found = _slopes_between(given["f"], _exact(given["x"]))
        more = sum((width * (t**2 - s**2) / 2 for width, t, s in found), Fraction(0))
        return _arc([(width, t) for width, t, _ in found]), _arc([(width, s) for width, _, s in found]) + ball(more)


def b23a(given: Instance, bits: int) -> tuple[Ball, Ball]:
    """B23.a: the arc length of the polygon, and the bound."""
    with flint.ctx.workprec(bits):
        x, y, z, q = (_exact(given[name]) for name in ("x", "y", "z", "multipliers"))
        widths = [b - a for a, b in pairwise(x)]
        chords = _arc([(g, (b - a) / g) for g, (a, b) in zip(widths, pairwise(z), strict=True)])
        kept = [ball(g) * ball(1 - v * v).sqrt() for g, v in zip(widths, q, strict=True)]
        rises = sum((v * (b - a) for v, (a, b) in zip(q, pairwise(y), strict=True)), Fraction(0))
        falls = sum(((a - b) ** 2 for a, b in pairwise([Fraction(0), *q, Fraction(0)])), Fraction(0))
        error = ball(falls * len(x) * Fraction(given["training_error"])).sqrt()
        return chords, ball(rises) + _total(kept) - error
