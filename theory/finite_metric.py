"""Finite metric spaces of rational distances: separated sets, coverings, and what Lipschitz functions on them shatter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np

from theory.checks import Array, exact_matrix


def metric(name: str, value: Any) -> Array:
    """Return the distances of a finite metric space, [n, n], of rationals: at least one point, and distinct ones.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is not square, or no metric, naming two or three points.
    """
    distances = exact_matrix(name, value)
    n = len(distances)
    if distances.shape != (n, n) or not n:
        raise ValueError(f"{name} must be [n, n] with n at least 1, got shape {distances.shape}")
    for i, j in product(range(n), repeat=2):
        if distances[i, j] != distances[j, i] or (distances[i, j] > 0) != (i != j):
            raise ValueError(
                f"{name} must be symmetric, 0 on the diagonal and above 0 elsewhere, got {float(distances[i, j])} at "
                f"{i}, {j} and {float(distances[j, i])} at {j}, {i}"
            )
    for k in range(n):
        around = distances[:, k, None] + distances[None, k, :]
        if np.any(distances > around):
            i, j = map(int, np.argwhere(distances > around)[0])
            raise ValueError(
                f"{name} must satisfy the triangle inequality, got a way from {i} by {k} to {j} that is shorter"
            )
    return distances


def largest_separated(distances: Array, apart: Fraction) -> list[int]:
    """Return points at least `apart` from one another, as many as there can be, in order.

    By branch and bound: of points that lie in k groups within which none are far enough apart, at most k can be taken. Some
    dozens of points can be done, in few dimensions some hundreds.

    Args:
        distances: of the points, [n, n].
        apart: the least distance that is wanted.
    """
    n = len(distances)
    allowed = [sum(1 << j for j in range(n) if j != i and distances[i, j] >= apart) for i in range(n)]
    best: list[int] = []

    def extend(taken: list[int], left: int) -> None:
        nonlocal best
        if len(taken) > len(best):
            best = taken
        for point, group in reversed(_grouped(left, allowed)):
            if len(taken) + group <= len(best):
                return
            extend([*taken, point], left & allowed[point])
            left ^= 1 << point

    extend([], (1 << n) - 1)
    return sorted(best)


def _grouped(left: int, allowed: Sequence[int]) -> list[tuple[int, int]]:
    """Return some points, each with the number of its group from 1 on, group by group: no two of one group are allowed."""
    found, group = [], 0
    while left:
        group += 1
        free = left
        while free:
            point = (free & -free).bit_length() - 1
            found.append((point, group))
            left ^= 1 << point
            free &= ~(1 << point) & ~allowed[point]
    return found


def feasible(count: int, constraints: Iterable[tuple[int, int, Fraction]]) -> bool:
    """Return whether there are numbers z_0, .., z_(count - 1) with z_a - z_b <= c for all (a, b, c), by Bellman and Ford."""
    below, rows = [Fraction(0)] * count, list(constraints)
    for _ in range(count + 1):
        changed = False
        for a, b, c in rows:
            if below[b] + c < below[a]:
                below[a], changed = below[b] + c, True
        if not changed:
            return True
    return False


def shattered(distances: Array, points: Sequence[int], constant: Fraction, margin: Fraction) -> bool:
    """Return whether functions of a Lipschitz constant on the whole space shatter some of its points at a margin.

    That is, whether there are levels r_i so that for every choice of signs some function f is at least r_i + margin where the
    sign is +, and at most r_i - margin where it is -. All functions and the levels are sought together, from this
    definition: as many unknowns as points times choices of signs.

    Args:
        distances: of the space, [n, n].
        points: those that are to be shattered, distinct.
        constant: the Lipschitz constant.
        margin: how far from the levels the functions must be.
    """
    n, m = len(distances), len(points)
    constraints = []
    for number, signs in enumerate(product((1, -1), repeat=m)):
        start = m + number * n
        constraints += [
            (start + i, start + j, constant * distances[i, j]) for i, j in product(range(n), repeat=2) if i != j
        ]
        for place, (point, sign) in enumerate(zip(points, signs, strict=True)):
            value = start + point
            constraints.append((place, value, -margin) if sign > 0 else (value, place, -margin))
    return feasible(m + n * 2**m, constraints)


def largest_shattered(distances: Array, constant: Fraction, margin: Fraction) -> list[int]:
    """Return points that functions of a Lipschitz constant shatter at a margin, as many as there can be, by the definition.

    How many is the fat-shattering dimension of these functions at the margin. All sets of points are tried: few are wanted.

    Args:
        distances: of the space, [n, n].
        constant: the Lipschitz constant.
        margin: as in `shattered`.
    """
    best: list[int] = []
    for size in range(1, len(distances) + 1):
        sets = combinations(range(len(distances)), size)
        found = next((points for points in sets if shattered(distances, points, constant, margin)), None)
        if found is None:  # nor is any larger set, which would have subsets that are
            break
        best = list(found)
    return best


def smallest_distance(distances: Array, points: Sequence[int]) -> Fraction | None:
    """Return the smallest distance between two of some points, None if there are not two."""
    return min((Fraction(distances[i, j]) for i, j in combinations(points, 2)), default=None)


def fewest_sets(distances: Array, diameter: Fraction) -> list[int]:
    """Return for each point the number of its set, in a partition into the fewest sets of at most a diameter.

    Args:
        distances: of the points, [n, n]; few, as all partitions may be tried.
        diameter: the largest distance within a set.
    """
    n = len(distances)
    near = [[bool(distances[i, j] <= diameter) for j in range(n)] for i in range(n)]
    best = list(range(n))

    def extend(sets: list[int]) -> None:
        nonlocal best
        used = max(sets, default=-1) + 1
        if used >= max(best) + 1:
            return
        if len(sets) == n:
            best = list(sets)
            return
        for number in range(used + 1):
            if all(near[len(sets)][k] for k, own in enumerate(sets) if own == number):
                extend([*sets, number])

    extend([])
    return best


def smallest_cover(distances: Array, radius: Fraction) -> list[int]:
    """Return points whose closed balls of a radius hold all points, as few as there can be.

    How many is the covering number of the space at this radius. All sets of centres are tried: few points are wanted.

    Args:
        distances: of the points, [n, n].
        radius: of the balls.
    """
    n = len(distances)
    for size in range(1, n):
        for centres in combinations(range(n), size):
            if all(min(distances[point, centre] for centre in centres) <= radius for point in range(n)):
                return list(centres)
    return list(range(n))
