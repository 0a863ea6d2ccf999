"""SGD that goes through reshuffled data: the second moment over an epoch (B9)."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np

from theory.beyond.mean_square_bounds import in_floats, largest_step, symmetric_units
from theory.checks import Array, batch_size, over, over_one_denominator, positive, rationals
from theory.enclosure import Enclosure, positive_semidefinite, rank
from theory.linear_stability import hessians_array


def batches_of_an_epoch(n: int, batch: int) -> list[tuple[int, ...]]:
    """Return the sets of points that may make up a batch of an epoch, of B points or the n mod B that are left over."""
    sizes = {min(batch, n), n % batch} - {0}
    return [part for size in sorted(sizes) for part in combinations(range(n), size)]


def batch_bound(hessians: object, batch: int) -> float:
    """Return the step size up to which no batch of an epoch expands, 2/max lambda_max(H_batch), > 0 or inf (B9.f).

    Args:
        hessians: H_i, positive semidefinite, [n, d, d]; n is small, for all batches are gone through.
        batch: B from 1 to n; the last batch of an epoch is smaller if B does not divide n.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, or B is not between 1 and n.

    Example:
        >>> from theory.beyond import batch_bound
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]], [[0, 0], [0, 1]]]
        >>> [round(batch_bound(hessians, batch), 4) for batch in (1, 2, 3)]
        [1.0, 1.0, 2.0]
    """
    h = in_floats(hessians)
    parts = batches_of_an_epoch(len(h), batch_size(batch, len(h)))
    most = max(float(np.linalg.eigvalsh(np.mean(h[list(part)], axis=0))[-1]) for part in parts)
    return 2 / most if most > 0 else math.inf


def orthonormal_reshuffling_threshold(n: int, batch: int) -> float:
    """Return the step size up to which reshuffling is stable on n orthonormal features, > 0 (B9.e).

    2 (q + 1)/(q/B + 1/s) for n = q B + s, 1 <= s <= B: 2 B, as with batches drawn anew, where B divides n, and less where
    it does not, 4 B/(B + 1) for n = B + 1.

    Args:
        n: the number of points, and of dimensions.
        batch: B from 1 to n; the last batch of an epoch is smaller if B does not divide n.

    Raises:
        TypeError: if `batch` is no integer.
        ValueError: if B is not between 1 and n.

    Example:
        >>> from theory.beyond import orthonormal_reshuffling_threshold
        >>> [round(orthonormal_reshuffling_threshold(8, batch), 4) for batch in (4, 7, 8)]
        [8.0, 3.5, 16.0]
    """
    b = batch_size(batch, n)
    q, s = divmod(n - 1, b)
    return 2 * (q + 1) / (q / b + 1 / (s + 1))


def epoch_step(matrix: Array, hessians: Array, step_size: Fraction, batch: int) -> Array:
    """Return the second moment after an epoch of reshuffling that starts at X = `matrix`, exactly (B9).

    Averaged over the sets of points that the batches up to a place make up: given the set, the last batch is a uniformly
    random part of it.

    Args:
        matrix: X, rationals [d, d].
        hessians: H_i, symmetric, rationals [n, d, d]; n is small.
        step_size: eta.
        batch: B from 1 to n; the last batch is smaller if B does not divide n.
    """
    n, identity = len(hessians), np.eye(hessians.shape[1], dtype=object)
    (x, below), (h, denominator) = over_one_denominator(rationals(matrix)), over_one_denominator(hessians)
    # In integers, each step is I - eta mean H_i times its number of points and the denominators of eta and of the H_i.
    unit = denominator * step_size.denominator
    steps = {
        part: len(part) * unit * identity - step_size.numerator * h[list(part)].sum(axis=0)
        for part in batches_of_an_epoch(n, batch)
    }
    after: dict[tuple[int, ...], Array] = {(): x}
    for done in [*range(batch, n, batch), n]:
        size = min(batch, n - (done - 1) // batch * batch) if done == n else batch
        for seen in combinations(range(n), done):
            ways = [(part, tuple(i for i in seen if i not in part)) for part in combinations(seen, size)]
            after[seen] = sum(steps[part] @ after[before] @ steps[part] for part, before in ways)
        below *= math.comb(done, size) * (size * unit) ** 2
    return over(after[tuple(range(n))], below)


def epoch_growth(hessians: object, step_size: float | Fraction, batch: int) -> Enclosure:
    """Return an interval around the factor by which E ||w||^2 grows over an epoch of reshuffling, rigorous at both ends.

    The spectral radius of the expected map M of an epoch. Where M is self-adjoint, as for B that divides n, it is its top
    eigenvalue. Else, for t P - M(P) >= 0, t is at least the radius if P is positive definite, and at most the radius if P
    is not semidefinite, for above the radius P = sum_k M^k (t P - M(P)) / t^(k+1).

    Args:
        hessians: H_i, symmetric, [n, d, d]; small; floats are taken as the rationals they are.
        step_size: eta > 0.
        batch: B from 1 to n; the last batch of an epoch is smaller if B does not divide n.

    Raises:
        TypeError: if an entry is no real number, or `batch` no integer.
        ValueError: if the Hessians are malformed, step_size <= 0, or B is not between 1 and n.

    Example:
        >>> from theory.beyond import epoch_growth
        >>> hessians = [[[1, 0], [0, 0]], [[1, 1], [1, 1]]]
        >>> [round(float(epoch_growth(hessians, step_size, batch=1).upper), 4) for step_size in (0.6, 0.9)]
        [0.5159, 0.423]
    """
    exact = rationals(hessians_array("hessians", hessians))
    eta, b, units = (
        Fraction(positive("step_size", step_size)),
        batch_size(batch, len(exact)),
        symmetric_units(len(exact[0])),
    )
    after = [epoch_step(rationals(unit), exact, eta, b) for unit in units]
    form = np.array([[Fraction(np.sum(unit * moved)) for moved in after] for unit in units], dtype=object)
    if len(units) == 1:
        return Enclosure.exactly(Fraction(form[0, 0]))
    sizes = np.diag([Fraction(int(np.sum(unit))) for unit in units])
    if np.all(form == form.T):
        step = largest_step(sizes, form)
        return Enclosure(2 / step.upper, 2 / step.lower) if step.upper < math.inf else Enclosure.exactly(Fraction(0))
    # In the basis of the units the entries on and above the diagonal are the coordinates.
    places = np.triu_indices(exact.shape[1])
    operator = np.array([moved[places] for moved in after], dtype=object).T
    radius = float(np.max(np.abs(np.linalg.eigvals(operator.astype(np.float64)))))
    return Enclosure(*(_radius_end(operator, units, radius, sign) for sign in (-1, 1)))


def _radius_end(operator: Array, units: list[Array], radius: float, sign: int) -> Fraction:
    """Return a bound on the spectral radius of a map near a number, from above for sign 1, from below for -1.

    Args:
        operator: the map in the basis `units` of the symmetric matrices.
        units: see `symmetric_units`.
        radius: the number.
        sign: 1 or -1.
    """
    basis, d = np.array(units), len(units[0])
    coordinates = np.eye(d)[np.triu_indices(d)]
    gap = 2.0**-40
    while gap < 1:
        t = Fraction(radius * (1 + sign * gap))
        found = np.linalg.solve(float(t) * np.eye(len(operator)) - operator.astype(np.float64), coordinates)
        p = rationals(np.round(found / np.max(np.abs(found)) * 2.0**50))
        whole, left = (np.tensordot(entries, basis, axes=1) for entries in (p, t * p - operator @ p))
        definite = rank(whole) == d if sign > 0 else not positive_semidefinite(whole)
        if definite and positive_semidefinite(left):
            return t
        gap *= 8
    return Fraction(0) if sign < 0 else Fraction(np.sum(np.abs(operator)))
