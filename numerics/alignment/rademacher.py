"""The empirical Rademacher complexity of linear classes: exact for small samples, by drawing signs for others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from theory.checks import Array, count, floats, nonnegative, vectors_array
from theory.walker2023 import rademacher_bound

Ball = Literal["l2", "l1"]
"""Which norm of the weights is at most the radius."""

EXACT_UP_TO = 20
"""All signs of so many examples are gone through, half a million: a sign and its opposite say the same."""

TOGETHER = 2**14
"""So many vectors of signs are multiplied at once."""


@dataclass(frozen=True)
class RademacherComplexity:
    """The complexity of a linear class on a sample, and W6's bound on it.

    Attributes:
        value: E sup_w (1/m) sum_i s_i <w, phi_i> over random signs s_i.
        standard_error: of it, 0 if all signs were gone through.
        bound: (M/m) ||Phi||_F (W6, for A the identity); None for the l1 ball, of which W6 does not speak.
        exact: whether all signs were gone through.
    """

    value: float
    standard_error: float
    bound: float | None
    exact: bool


def rademacher_complexity(
    features: Any, radius: float, ball: Ball = "l2", *, draws: int = 10_000, seed: int = 0
) -> RademacherComplexity:
    """Return the empirical Rademacher complexity of x -> <w, phi(x)> with ||w|| at most M (walker2023, Definition 2.6).

    The supremum over the ball is M/m times the dual norm of sum_i s_i phi_i. Up to 20 examples its mean over all signs is
    taken, else over signs that are drawn.

    Args:
        features: phi_i, one example a row, [m, d].
        radius: M, at least 0.
        ball: "l2", or "l1", whose dual norm is the largest entry in size.
        draws: of signs, for more than 20 examples; at least 2.
        seed: of these.

    Raises:
        TypeError: if an entry is no real number, or a count no integer.
        ValueError: if the shape is not [m, d], an entry is not finite, or an argument is out of its range.

    Example:
        >>> from numerics.alignment import rademacher_complexity
        >>> found = rademacher_complexity([[1.0, 0.0], [0.0, 1.0]], radius=1.0)
        >>> round(found.value, 4), round(found.bound, 4), found.exact
        (0.7071, 0.7071, True)
    """
    rows, M = floats("features", vectors_array("features", features)), float(nonnegative("radius", radius))
    if ball not in get_args(Ball):
        raise ValueError(f"ball must be one of {', '.join(map(repr, get_args(Ball)))}, got {ball!r}")
    r, generator = count("draws", draws, fewest=2), np.random.default_rng(count("seed", seed, fewest=0))
    m, exact = len(rows), len(rows) <= EXACT_UP_TO
    total = 2 ** (m - 1) if exact else r
    norms: list[Array] = []
    for start in range(0, total, TOGETHER):
        size = min(TOGETHER, total - start)
        if exact:
            places = np.arange(start, start + size)[:, None] >> np.arange(m)
            signs = 1.0 - 2.0 * (places & 1)
        else:
            signs = generator.choice([-1.0, 1.0], size=(size, m))
        sums = signs @ rows
        norms.append(np.linalg.norm(sums, axis=1) if ball == "l2" else np.max(np.abs(sums), axis=1))
    values = np.concatenate(norms) * (M / m)
    error = 0.0 if exact else float(np.std(values, ddof=1)) / math.sqrt(total)
    bound = rademacher_bound(rows, np.eye(rows.shape[1]), M) if ball == "l2" else None
    return RademacherComplexity(math.fsum(values) / total, error, bound, exact)
