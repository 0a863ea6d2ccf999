"""An interior-point method for the flattest program, whose linear systems do not grow with the number of knots (B2).

In the notation of `flattest_implementation`, with a price p_i for the jump at each knot and one, nu, for the slope:

    primal   minimise t         subject to  X = t I - (11^T + sum_u a_u K1_u + b_u K2_u)/n >= 0,
                                            V_u = [[a_u, -v_u], [-v_u, b_u]] >= 0, the v of a knot summing to its jump,
                                            and the left-facing v to minus the slope left of all knots
    dual     maximise <11^T/n, Z> + 2 sum_i p_i jump_i - 2 nu slope
                                subject to  Z >= 0 of trace 1, Y_u = [[<K1_u, Z>/n, s_u], [s_u, <K2_u, Z>/n]] >= 0,
                                            s_u = p_i if unit u faces right, p_i + nu if it faces left

All cones are of semidefinite matrices, one n x n and many 2 x 2. Mehrotra's predictor-corrector method with the scaling of
Nesterov and Todd (1998, SIAM J. Optim. 8) moves towards X Z = mu I, Y_u V_u = mu I. Units that are active on the same data
points, all right or all left of a gap, see of Z only e^T Z e, e^T Z 1 and 1^T Z 1, with 1 and e, the distances from the
first of them, 0 elsewhere: for right-facing ones K1 and K2 are made of x = e + first 1 and x - t = e + (first - t) 1. So
what a step changes is known from these numbers alone, at most 6 n, however many knots there are, and they solve a system
of that size. A step costs O(n^3 + m) for m knots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from theory.checks import Array

MOST_STEPS = 60

PATIENCE = 2
"""So many steps without a tenth of progress, and the method ends: rounding errors rule."""

NEAREST = 1e-7
"""Knots closer to a data point than this share of the gap count as that far: a cone that is nearly flat makes rounding
errors large, and the minimum changes by about this share. What is returned is valued with the knots as they are."""

REFINEMENTS = 2
"""So often the solution of the linear equations is refined."""

SHARE = 0.95
"""Steps take this share of the way to the boundary of the cones."""


class Solution(NamedTuple):
    """What a solver returns: the left-facing v, [m], |w2 / w1| of each unit, [2m], and the dual matrix, [n, n].

    Units are one right-facing one for each knot, then one left-facing one for each.
    """

    left: Array
    ratios: Array
    dual: Array


def solve(
    points: Array, knots: Array, jumps: Array, slope: float, *, scale: float, tolerance: float
) -> Solution | None:
    """Return a nearly flattest network with these knots, and a nearly best dual matrix; None if it cannot begin.

    Args:
        points: distinct data points, [n].
        knots: distinct, none on a data point, [m], m >= 1.
        jumps: the jump of f' at each, perhaps 0, [m].
        slope: the slope of f left of all knots.
        scale: a number of the size of the minimum, above 0.
        tolerance: the gap, relative to the minimum, at which to stop.
    """
    problem = _Problem.of(points, knots, jumps / scale, slope / scale, 1 / scale)
    best, best_gap, since = None, np.inf, 0
    try:
        with np.errstate(all="ignore"):  # what overflows ends in a failed factorisation
            point = _start(problem)
            for _ in range(MOST_STEPS):
                gap = problem.gap(point)
                since = 0 if gap < 0.9 * best_gap else since + 1
                if gap < best_gap:
                    best, best_gap = point, gap
                if not gap > tolerance * point.top or since > PATIENCE:
                    break
                point = _step(problem, point)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        pass  # what was found before holds
    return None if best is None else problem.solution(best, len(knots), jumps / scale, scale)


class _Point(NamedTuple):
    """A point of both programs, or a direction there; matrices [n, n] and, one for each live unit, [c, 2, 2]."""

    Z: Array
    prices: Array  # at knots between data points, [m']
    tilt: float
    Y: Array
    top: float
    V: Array
    X: Array

    def plus(self, other: _Point) -> _Point:
        """Return the sum of two directions."""
        return _Point(
            self.Z + other.Z,
            self.prices + other.prices,
            self.tilt + other.tilt,
            self.Y + other.Y,
            self.top + other.top,
            self.V + other.V,
            self.X + other.X,
        )


@dataclass(frozen=True, eq=False)
class _Problem:
    """The program in units of its scale.

    Knots between the outermost data points have two live units, at first all that face right, then all that face left;
    then come the right-facing units of knots left of all data, and the left-facing ones of knots right of all data.

    Attributes:
        order: the places of the data points in increasing order, [n].
        inner: the places of the knots between the outermost data points, [m'].
        before: those of the knots left of all data.
        after: those of the knots right of all data.
        jumps: at the inner knots, [m'].
        slope: of f left of all data.
        constant: 1 over the scale: the factor of 11^T/n.
        vectors: the e, scaled to norm 1 or 0, of the k sets of active points, then the 1 of each, as columns, [n, 2k].
        pairs: the columns of each of the 3k numbers, two arrays [3k].
        numbers: which of them each live unit sees, [c, 3].
        coefficients: of <K1, Z>/n and <K2, Z>/n in these three, [c, 2, 3].
        tilts: the coefficient of nu in s, [c].
    """

    order: Array
    inner: Array
    before: Array
    after: Array
    jumps: Array
    slope: float
    constant: float
    vectors: Array
    pairs: tuple[Array, Array]
    numbers: Array
    coefficients: Array
    tilts: Array

    @classmethod
    def of(cls, points: Array, knots: Array, jumps: Array, slope: float, constant: float) -> _Problem:
        order = np.argsort(points)
        x, n = points[order], len(points)
        gap = np.searchsorted(x, knots)
        before, after = np.flatnonzero(gap == 0), np.flatnonzero(gap == n)
        inner = np.flatnonzero((gap > 0) & (gap < n))
        owner = np.concatenate([inner, inner, before, after])
        counts = [len(inner), len(inner), len(before), len(after)]
        faces_right = np.repeat([True, False, True, False], counts)
        sets, kind = np.unique(np.stack([faces_right, gap[owner]], axis=1), axis=0, return_inverse=True)
        right, gaps = sets[:, 0].astype(bool), sets[:, 1]
        active = (np.arange(n) >= gaps[:, None]) == right[:, None]
        first = x[np.where(right, gaps, gaps - 1)]
        signs = np.where(right, 1.0, -1.0)
        distances = np.where(active, signs[:, None] * (x - first[:, None]), 0.0)
        size = np.linalg.norm(distances, axis=1)
        units = np.divide(distances, size[:, None], out=np.zeros_like(distances), where=size[:, None] > 0)
        k = np.arange(len(sets))
        edge, spread, sign = first[kind], size[kind], signs[kind]
        span = float(x[-1] - x[0]) or max(1.0, abs(float(x[0])))
        widths = np.concatenate([[span], np.diff(x), [span]])
        away = np.maximum(np.abs(edge - knots[owner]), NEAREST * widths[gaps[kind]])
        slopes = np.stack([spread**2, 2 * sign * spread * edge, edge**2 + 1], axis=1)
        outputs = np.stack([spread**2, 2 * spread * away, away**2], axis=1)
        return cls(
            order=order,
            inner=inner,
            before=before,
            after=after,
            jumps=jumps[inner],
            slope=slope + float(np.sum(jumps[before])),
            constant=constant,
            vectors=np.concatenate([units, active], axis=0).T.copy(),
            pairs=(np.concatenate([k, k, len(k) + k]), np.concatenate([k, len(k) + k, len(k) + k])),
            numbers=kind.reshape(-1, 1) + len(k) * np.arange(3),
            coefficients=np.stack([slopes, outputs], axis=1) / n,
            tilts=np.repeat([0.0, 1.0, -1.0, 1.0], counts),
        )

    def value(self, point: _Point) -> float:
        """Return the dual objective."""
        flat = self.constant * float(np.mean(np.sum(point.Z, axis=0)))
        return flat + 2 * float(self.jumps @ point.prices) - 2 * point.tilt * self.slope

    def gap(self, point: _Point) -> float:
        """Return about how far the two programs are apart, with what it costs to restore the jumps that V has lost."""
        m, costs = len(self.inner), np.sqrt(point.Y[:, 0, 0] * point.Y[:, 1, 1])
        lost = np.abs(self.jumps + self.shared(point.V[:, 0, 1]))
        repair = 2 * float(lost @ np.minimum(costs[:m], costs[m : 2 * m]))
        return max(_product(point, point), abs(point.top - self.value(point))) + repair

    def seen(self, M: Array) -> Array:
        """Return the 3k numbers of a symmetric matrix [n, n]."""
        a, b = self.pairs
        return np.asarray(np.sum(self.vectors[:, a] * (M @ self.vectors)[:, b], axis=0))

    def spread(self, multipliers: Array) -> Array:
        """Return the matrix of the linear form with these coefficients, [3k], of the numbers: the adjoint of `seen`."""
        a, b = self.pairs
        half = (self.vectors[:, a] * multipliers) @ self.vectors[:, b].T
        return np.asarray((half + half.T) / 2)

    def gathered(self, values: Array) -> Array:
        """Return the sums over units of what each has for the numbers that it sees, [c, 3] to [3k]."""
        return np.asarray(np.bincount(self.numbers.ravel(), values.ravel(), len(self.pairs[0])), dtype=np.float64)

    def shared(self, values: Array) -> Array:
        """Return the sums over the two units of each inner knot, [c] to [m']."""
        m = len(self.inner)
        return np.asarray(values[:m] + values[m : 2 * m])

    def blocks(self, seen: Array, prices: Array, tilt: float) -> Array:
        """Return the Y of the units, [c, 2, 2]."""
        Y = np.empty((len(self.tilts), 2, 2))
        Y[:, 0, 0], Y[:, 1, 1] = np.einsum("cij,cj->ic", self.coefficients, seen[self.numbers])
        Y[:, 0, 1] = self.tilts * tilt
        Y[: 2 * len(prices), 0, 1] += np.tile(prices, 2)
        Y[:, 1, 0] = Y[:, 0, 1]
        return Y

    def taken(self, top: float, V: Array) -> Array:
        """Return t I - (sum a K1 + b K2)/n."""
        n = len(self.order)
        sums = V[:, 0, 0, None] * self.coefficients[:, 0] + V[:, 1, 1, None] * self.coefficients[:, 1]
        return np.asarray(top * np.eye(n) - self.spread(self.gathered(sums)))

    def solution(self, point: _Point, m: int, jumps: Array, scale: float) -> Solution:
        """Return what a point says of the network, of m knots with these jumps."""
        k, outer = len(self.inner), 2 * len(self.inner) + len(self.before)
        v, ratio = -point.V[:, 0, 1], np.sqrt(point.V[:, 0, 0] / point.V[:, 1, 1])
        left, ratios = np.zeros(m), np.ones(2 * m)
        left[self.inner], left[self.after] = v[k : 2 * k], v[outer:]
        # Left of all data the left-facing unit, active on no point, takes what the other one leaves.
        left[self.before] = jumps[self.before] - v[2 * k : outer]
        ratios[self.inner], ratios[self.before] = ratio[:k], ratio[2 * k : outer]
        ratios[m + self.inner], ratios[m + self.after] = ratio[k : 2 * k], ratio[outer:]
        Z = np.empty_like(point.Z)
        Z[np.ix_(self.order, self.order)] = point.Z
        return Solution(scale * left, ratios, Z)


def _product(first: _Point, second: _Point) -> float:
    """Return <X, Z> + sum <V, Y>, X and V of the first point, Z and Y of the second."""
    return float(np.sum(first.X * second.Z) + np.sum(first.V * second.Y))


def _start(problem: _Problem) -> _Point:
    """Return a point inside all cones that satisfies all equations: Z = I/n, and jumps halved between both units."""
    n, m, c = len(problem.order), len(problem.inner), len(problem.tilts)
    Z, prices = np.eye(n) / n, np.zeros(m)
    Y = problem.blocks(problem.seen(Z), prices, 0.0)
    first, second = Y[:, 0, 0], Y[:, 1, 1]
    cost = np.sqrt(first * second)
    v = np.zeros(c)
    v[: 2 * m] = np.tile(problem.jumps / 2, 2)
    short = -problem.slope - float(problem.tilts @ v)
    # The slope goes where it is cheapest: to both units of an inner knot, or to the one live unit of an outer one.
    cheapest = int(np.argmin(np.concatenate([problem.shared(cost), cost[2 * m :]])))
    v[m + cheapest] += short * problem.tilts[m + cheapest]
    if cheapest < m:
        v[cheapest] -= short
    size = 1.5 * np.abs(v) + 1 / (c * cost)
    V = np.empty_like(Y)
    V[:, 0, 0], V[:, 1, 1] = size * np.sqrt(second / first), size * np.sqrt(first / second)
    V[:, 0, 1] = V[:, 1, 0] = -v
    whole = problem.constant / n - problem.taken(0.0, V)
    top = 1.5 * float(np.linalg.eigvalsh(whole)[-1])
    return _Point(Z, prices, 0.0, Y, top, V, top * np.eye(n) - whole)


class _Scaling(NamedTuple):
    """G with G^-1 Z G^-T = G^T X G = diag(values), for one pair of matrices or many."""

    G: Array
    inverse: Array
    values: Array

    @classmethod
    def of(cls, Z: Array, X: Array) -> _Scaling:
        L, R = np.linalg.cholesky(Z), np.linalg.cholesky(X)
        _, values, V = np.linalg.svd(R.mT @ L)
        root = np.sqrt(values)[..., None, :]
        return cls(L @ V.mT / root, (V.mT * root).mT @ np.linalg.inv(L), values)

    def scaled(self, dual: Array, primal: Array) -> tuple[Array, Array]:
        """Return directions of Z and X as seen from the point that both are scaled to."""
        return self.inverse @ dual @ self.inverse.mT, self.G.mT @ primal @ self.G

    def reach(self, direction: Array) -> float:
        """Return the largest step <= 1 / SHARE in a scaled direction that leaves the matrices semidefinite."""
        root = np.sqrt(self.values)
        least = np.linalg.eigvalsh(direction / (root[..., :, None] * root[..., None, :]))
        return 1 / max(SHARE, -float(np.min(least, initial=0.0)))

    def towards(self, mu: float, product: Array) -> Array:
        """Return what the scaled directions must sum to for Z X = mu, where their product is about `product`."""
        size = self.values.shape[-1]
        wanted = mu * np.eye(size) - self.values[..., :, None] ** 2 * np.eye(size) - (product + product.mT) / 2
        return np.asarray(2 * wanted / (self.values[..., :, None] + self.values[..., None, :]))


def _step(problem: _Problem, point: _Point) -> _Point:
    """Return the next point: a predictor, and a corrector with what the predictor says of the path's curvature."""
    whole, units = _Scaling.of(point.Z, point.X), _Scaling.of(point.Y, point.V)
    system = _System.of(problem, point, whole, units)
    gap = _product(point, point)
    mu = gap / (len(problem.order) + 2 * len(problem.tilts))

    def reaches(direction: _Point) -> tuple[float, float]:
        (Z, X), (Y, V) = system.scaled(direction)
        return min(whole.reach(Z), units.reach(Y)), min(whole.reach(X), units.reach(V))

    predictor = system.direction(whole.towards(0.0, 0 * point.X), units.towards(0.0, 0 * point.V))
    dual, primal = (min(1.0, reach) for reach in reaches(predictor))
    reached = _moved(problem, point, predictor, dual, primal)
    # Mehrotra's rule: the further the predictor gets, the less centring; some always, against rounding errors.
    mu *= min(max(_product(reached, reached) / gap, 0.02), 1.0) ** 3
    (Z, X), (Y, V) = system.scaled(predictor)
    corrector = system.direction(whole.towards(mu, Z @ X), units.towards(mu, Y @ V))
    dual, primal = (SHARE * reach for reach in reaches(corrector))
    return _moved(problem, point, corrector, dual, primal)


def _moved(problem: _Problem, point: _Point, direction: _Point, dual: float, primal: float) -> _Point:
    """Return the point after a step in a direction, of one length for the dual and one for the primal variables."""
    Z, prices = point.Z + dual * direction.Z, point.prices + dual * direction.prices
    tilt, top = point.tilt + dual * direction.tilt, point.top + primal * direction.top
    V = point.V + primal * direction.V
    # Y and X are worked out anew, so that errors do not add up.
    Y = problem.blocks(problem.seen(Z), prices, tilt)
    X = problem.taken(top, V) - problem.constant / len(Z)
    return _Point(Z, prices, tilt, Y, top, V, X)


@dataclass(frozen=True, eq=False)
class _System:
    """The equations for a direction at a point, factorised.

    The directions satisfy W^-1 dZ W^-1 + dX = R and the like for each unit, in scaled form dz + dx = E; eliminating dX,
    dV, the prices and the tilt leaves the numbers y that are seen of dZ: y + M (N y + ...) = ..., with M what they are of
    W spread(.) W, and N how much the units resist, both semidefinite.

    Attributes:
        problem: the program.
        point: where its directions are wanted.
        whole: the scaling of Z and X.
        units: that of Y and V.
        basis: (seen numbers, tilt) to (<K1, Z>/n, <K2, Z>/n, s) of each unit, [c, 3, 4].
        coupling: how the price of an inner knot acts on the numbers of both its units, and on the tilt, [m', 7].
        stiffness: and on itself, [m'].
        tilting: how the tilt acts on the numbers, [3k].
        tilt_stiffness: and on itself.
        root: L with N = L L^T, [3k, 3k].
        factor: the Cholesky factor of I + L^T M L.
        image: M, [3k, 3k].
        trace: the numbers of W W, [3k].
        trace_reply: the y and N y that a multiplier 1 of the trace of dZ calls forth.
    """

    problem: _Problem
    point: _Point
    whole: _Scaling
    units: _Scaling
    basis: Array
    coupling: Array
    stiffness: Array
    tilting: Array
    tilt_stiffness: float
    root: Array
    factor: tuple[Array, bool]
    image: Array
    trace: Array
    trace_reply: tuple[Array, Array]

    @classmethod
    def of(cls, problem: _Problem, point: _Point, whole: _Scaling, units: _Scaling) -> _System:
        c, k = len(problem.tilts), len(problem.pairs[0])
        basis = np.zeros((c, 3, 4))
        basis[:, :2, :3], basis[:, 2, 3] = problem.coefficients, problem.tilts
        resistance = _resistance(units.inverse.mT @ units.inverse)
        mine = basis.mT @ resistance @ basis
        crossed = (basis.mT @ resistance[:, :, 2:])[:, :, 0]
        stiffness, places = problem.shared(resistance[:, 2, 2]), _places(problem)
        m = len(stiffness)
        coupling = np.concatenate([crossed[:m, :3], crossed[m : 2 * m, :3], problem.shared(crossed[:, 3:])], axis=1)
        away = coupling / np.sqrt(stiffness)[:, None]
        own: Array = (problem.numbers[:, :, None] * k + problem.numbers[:, None, :]).ravel()
        both = (places[:, :, None] * k + places[:, None, :]).ravel()
        taken = np.bincount(both, (away[:, :6, None] * away[:, None, :6]).ravel(), k * k)
        N: Array = (np.bincount(own, mine[:, :3, :3].ravel(), k * k) - taken).reshape(k, k)
        tilting = problem.gathered(mine[:, :3, 3]) - np.bincount(places.ravel(), (away[:, :6] * away[:, 6:]).ravel(), k)
        first, second = resistance[:m, 2, 2], resistance[m : 2 * m, 2, 2]
        tilt_stiffness = float(np.sum(first * (second / stiffness)) + np.sum(resistance[2 * m :, 2, 2]))
        values, vectors = np.linalg.eigh(N - np.outer(tilting, tilting) / tilt_stiffness)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        W = whole.G @ whole.G.mT
        products = problem.vectors.T @ W @ problem.vectors
        a, b = problem.pairs
        image = products[np.ix_(a, a)] * products[np.ix_(b, b)] + products[np.ix_(a, b)] * products[np.ix_(b, a)]
        image = (image + image.T) / 4
        factor = cho_factor(np.eye(k) + root.T @ image @ root, check_finite=False)
        trace = problem.seen(W @ W)
        reply = _reply(root, factor, image, -trace)
        return cls(
            problem,
            point,
            whole,
            units,
            basis,
            coupling,
            stiffness,
            tilting,
            tilt_stiffness,
            root,
            factor,
            image,
            trace,
            reply,
        )

    def scaled(self, direction: _Point) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Return the directions of Z and X, and of Y and V, as seen from the points that they are scaled to."""
        return self.whole.scaled(direction.Z, direction.X), self.units.scaled(direction.Y, direction.V)

    def direction(self, whole: Array, units: Array) -> _Point:
        """Return the direction whose scaled parts sum to `whole` and `units` and that restores all equations.

        The solution is refined by what it leaves of the equations.
        """
        problem, v = self.problem, self.point.V[:, 0, 1]
        jumps, slope = problem.jumps + problem.shared(v), -problem.slope + float(problem.tilts @ v)
        trace = 1 - float(np.trace(self.point.Z))
        found = self._solve(whole, units, jumps, slope, trace)
        for _ in range(REFINEMENTS):
            (Z, X), (Y, V) = self.scaled(found)
            v = found.V[:, 0, 1]
            rest = self._solve(
                whole - Z - X,
                units - Y - V,
                jumps + problem.shared(v),
                slope + float(problem.tilts @ v),
                trace - float(np.trace(found.Z)),
            )
            found = found.plus(rest)
        return found

    def _solve(self, whole: Array, units: Array, jumps: Array, slope: float, trace: float) -> _Point:
        problem, k, inverse = self.problem, len(self.root), self.units.inverse
        R = inverse.mT @ units @ inverse
        pull = np.stack([R[:, 0, 0], R[:, 1, 1], 2 * R[:, 0, 1]], axis=1)
        pulled = (pull[:, None, :] @ self.basis)[:, 0]
        places, ratio = _places(problem), (problem.shared(pull[:, 2]) + 2 * jumps) / self.stiffness
        spread = (self.coupling[:, :6] * ratio[:, None]).ravel()
        multipliers: Array = problem.gathered(pulled[:, :3]) - np.bincount(places.ravel(), spread, k)
        tilt_pull = float(np.sum(pulled[:, 3])) + 2 * slope - float(self.coupling[:, 6] @ ratio)
        multipliers = multipliers - self.tilting * (tilt_pull / self.tilt_stiffness)
        fixed = self.whole.G @ whole @ self.whole.G.mT
        seen, resisted = _reply(self.root, self.factor, self.image, problem.seen(fixed) + self.image @ multipliers)
        resisted = resisted - multipliers
        seen_by_trace, resisted_by_trace = self.trace_reply
        W = self.whole.G @ self.whole.G.mT
        missing = float(np.trace(fixed)) - float(self.trace @ resisted) - trace
        top = missing / (float(np.sum(W * W)) + float(self.trace @ resisted_by_trace))
        seen, resisted = seen + top * seen_by_trace, resisted + top * resisted_by_trace
        tilt = (tilt_pull - float(self.tilting @ seen)) / self.tilt_stiffness
        acted = np.sum(self.coupling[:, :6] * seen[places], axis=1) + self.coupling[:, 6] * tilt
        prices = ratio - acted / self.stiffness
        Z = fixed - W @ (top * W + problem.spread(resisted) @ W)
        Z = (Z + Z.T) / 2
        Y = problem.blocks(problem.seen(Z), prices, tilt)
        inner = inverse.mT @ inverse
        V = R - inner @ Y @ inner
        V = (V + V.mT) / 2
        return _Point(Z, prices, tilt, Y, top, V, problem.taken(top, V))


def _places(problem: _Problem) -> Array:
    """Return which numbers the two units of each inner knot see, [m', 6]."""
    m = len(problem.inner)
    return np.concatenate([problem.numbers[:m], problem.numbers[m : 2 * m]], axis=1)


def _resistance(inner: Array) -> Array:
    """Return the matrices of tr(Y P Y P) in the entries (Y_11, Y_22, Y_12), for many P, [c, 2, 2] to [c, 3, 3]."""
    a, b, d = inner[:, 0, 0], inner[:, 0, 1], inner[:, 1, 1]
    rows = [[a * a, b * b, 2 * a * b], [b * b, d * d, 2 * b * d], [2 * a * b, 2 * b * d, 2 * (a * d + b * b)]]
    return np.moveaxis(np.array(rows), 2, 0)


def _reply(root: Array, factor: tuple[Array, bool], image: Array, right: Array) -> tuple[Array, Array]:
    """Return y and N y with y + M N y = right."""
    resisted = root @ cho_solve(factor, root.T @ right, check_finite=False)
    return right - image @ resisted, resisted
