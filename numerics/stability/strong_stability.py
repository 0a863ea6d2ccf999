"""Strong stability of gradient descent at a minimum where units toggle on data points, decided by enumeration.

From theta + v, v in mode m, gradient descent steps to v - eta H_m v (`theory.switching`). No trajectory ever gets further
away iff no step does, that is, iff eta ||H_m v||^2 <= 2 v^T H_m v for every v of every mode. With u = Phi_m v that is
eta u^T K_m u <= 2 u^T u, K_m = Phi_m Phi_m^T / n, for the u in the image C_m of the polyhedral cone of the mode. Where C_m is
everything, as in general position (M8.d), the largest step size is 2 / max_m lambda_max(H_m); in general

    eta* = min_m min {2 u^T u / u^T K_m u : u in C_m},

attained at a critical point on the span of a face: an eigenvector of K_m there. Modes, faces and eigenvectors are listed,
and linear programs say which eigenvectors belong to the cone.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.linalg import eigh, null_space
from scipy.optimize import linprog

from theory.checks import Array, Reals, data_points, rationals
from theory.enclosure import top_eigenvalue
from theory.general_position import lengthening, toggling_rows
from theory.switching import idle_units, mode_features, modes
from theory.two_layer import Weights, check_weights

MOST_TOGGLING = 6
"""Up to so many pairs of a unit and a point that it toggles on are enumerated."""

INSIDE = 1e-8
"""A direction on a face of its mode's cone is moved inside by this share of its length."""

SAME = 1e-9
"""Eigenvalues nearer than this, relative to the largest, are taken together."""


@dataclass(frozen=True, eq=False)
class StrongStability:
    """The largest step size at which no trajectory of linearised gradient descent ever gets further away.

    Attributes:
        value: the step size on (1/2n) sum (f - y)^2, as enumerated in floats.
        lower: 2 / max_m lambda_max(H_m), rounded down: the minimum is strongly stable up to it (M3.a).
        upper: beyond it the step from `direction` is longer, in rational arithmetic; rounded up.
        direction: a v in a mode, whose step gets longer first, [3k + 1].
        mode: that mode: which units are active at which points, [n, k].
    """

    value: float
    lower: float
    upper: float
    direction: Array
    mode: Array


def strong_stability_threshold(weights: Weights, x: Reals) -> StrongStability:
    """Return the largest step size of gradient descent at which a minimum with toggling units is strongly stable.

    Of (1/2n) sum (f - y)^2 at zero loss, linearised in every mode (mulayoff2021, section 4.2). Where no unit toggles on a
    data point it is 2 / lambda_max. Costs grow as 4^p with the number p of pairs of a unit and a point that it toggles on.

    Args:
        weights: theta, k units, none with w1 = b1 = 0; floats count as the rationals they are.
        x: distinct data points, [n].

    Raises:
        TypeError: if `weights` are no Weights, or an entry of x is no real number.
        ValueError: if x is malformed, a unit has w1 = b1 = 0, or more than `MOST_TOGGLING` pairs toggle.
        RuntimeError: if a linear program is not solved.

    Example:
        >>> import numpy as np
        >>> from numerics import strong_stability_threshold
        >>> from theory import Weights
        >>> weights = Weights(w1=[1, -1], b1=[-0.4, -0.4], w2=[0.5, 0.5], b2=0.1)
        >>> x = np.array([-1.5, -0.5, 0.5, 1.5])
        >>> round(strong_stability_threshold(weights, x).value, 4)
        1.3656
    """
    exact, points = check_weights("weights", weights).rational(), rationals(data_points("x", x))
    if idle_units(exact):
        raise ValueError(f"weights must have no unit with w1 = b1 = 0, got {idle_units(exact)} of them")
    pairs = int(np.sum(exact.pre_activations(points) == 0))
    if pairs > MOST_TOGGLING:
        raise ValueError(f"weights must toggle on data points in at most {MOST_TOGGLING} ways, got {pairs}")
    best, sharpest = (0.0, np.zeros(0), np.zeros((0, 0), dtype=bool)), Fraction(0)
    for mode in modes(exact, points):
        features = mode_features(exact, points, mode)
        top = top_eigenvalue(features @ features.T / Fraction(len(points)))
        sharpest = max(sharpest, Fraction(top.upper))
        if float(top.upper) <= best[0] * (1 - SAME):
            continue
        rows, signs = toggling_rows(exact, points, mode)
        quotient, direction = _largest(features.astype(np.float64), (rows * signs[:, None]).astype(np.float64))
        if quotient > best[0]:
            best = (quotient, direction, mode)
    quotient, direction, mode = best
    longer = lengthening(exact, points, rationals(direction))
    lower, upper = 2 / sharpest, 2 / longer
    return StrongStability(
        min(max(2 / quotient, float(lower)), float(upper)),
        float(np.nextafter(float(lower), 0)),
        float(np.nextafter(float(upper), np.inf)),
        direction,
        mode,
    )


def _largest(features: Array, rows: Array) -> tuple[float, Array]:
    """Return the largest u^T K u / u^T u over u = F v with A v >= 0, and such a v with A v > 0 where that can be.

    Args:
        features: F, [n, d].
        rows: A, [p, d].
    """
    n, p = len(features), len(rows)
    inward = np.linalg.pinv(rows) @ np.ones(p)  # a unit toggles on one point alone, so the rows are independent
    best, found = 0.0, np.zeros(features.shape[1])
    for size in range(p + 1):
        for face in itertools.combinations(range(p), size):
            span = null_space(rows[list(face)]) if face else np.eye(features.shape[1])
            # u = F v for v on the face: an orthonormal basis of these u, and K on it.
            left, sizes, _ = np.linalg.svd(features @ span, full_matrices=False)
            basis = left[:, sizes > 1e-10 * max(1.0, float(sizes[0]) if len(sizes) else 0.0)]
            if not basis.shape[1]:
                continue
            values, vectors = eigh(basis.T @ (features @ (features.T @ basis)) / n)
            for value, group in _groups(values):
                if value <= best * (1 + SAME):
                    break
                v = _in_cone(features, rows, face, basis @ vectors[:, group])
                if v is not None:
                    best, found = value, v / np.linalg.norm(v) + INSIDE * inward
                    break
    return best, found


def _groups(values: Array) -> list[tuple[float, list[int]]]:
    """Return the eigenvalues from the largest down, equal ones together, with their places."""
    groups: list[tuple[float, list[int]]] = []
    for place in range(len(values) - 1, -1, -1):
        if groups and groups[-1][0] - values[place] <= SAME * max(values[-1], 0.0):
            groups[-1][1].append(place)
        else:
            groups.append((float(values[place]), [place]))
    return groups


def _in_cone(features: Array, rows: Array, face: tuple[int, ...], vectors: Array) -> Array | None:
    """Return a v on the face with F v in the span of some vectors, not 0, and A v >= 0, as far inside as can be; or None.

    Raises:
        RuntimeError: if a linear program is not solved.
    """
    d, r, p = features.shape[1], vectors.shape[1], len(rows)
    for fixed, sign in itertools.product(range(r), (1.0, -1.0)):
        # Unknowns: v, the coefficients c of u with c_fixed = +-1, and by how much A v exceeds 0 off the face.
        equal = np.block(
            [
                [features, -vectors, np.zeros((len(features), 1))],
                [np.zeros((1, d)), np.eye(r)[[fixed]], np.zeros((1, 1))],
                [rows[list(face)], np.zeros((len(face), r + 1))],
            ]
        )
        right = np.concatenate([np.zeros(len(features)), [sign], np.zeros(len(face))])
        rest = [i for i in range(p) if i not in face]
        result: Any = linprog(
            np.append(np.zeros(d + r), -1.0),
            A_ub=np.column_stack([-rows[rest], np.zeros((len(rest), r)), np.ones(len(rest))]) if rest else None,
            b_ub=np.zeros(len(rest)) if rest else None,
            A_eq=equal,
            b_eq=right,
            bounds=[(None, None)] * d + [(-1.0, 1.0)] * r + [(0.0, 1.0)],
        )
        if result.status == 0:
            return np.asarray(result.x[:d])
        if result.status not in (2, 4):  # infeasible
            raise RuntimeError(f"a linear program was not solved: {result.message}")
    return None
