"""Kendall's tau_b with ties, and the largest value that it can take (V12)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from theory.checks import Reals, sequence
from theory.conditions import Condition

VARIED = Condition("neither sequence is constant", lambda numbers: min(numbers) > 1)
"""Of how many different numbers sequences hold."""


@dataclass(frozen=True)
class PairCounts:
    """The unordered pairs {i, j} of two sequences of equal length, counted.

    Attributes:
        pairs: n_p, all of them.
        first_ties: n_x, those with x_i = x_j.
        second_ties: n_y, those with y_i = y_j.
        both_ties: those with both.
        balance: pairs that the sequences order the same way, less those that they order oppositely.
    """

    pairs: int
    first_ties: int
    second_ties: int
    both_ties: int
    balance: int


def pair_counts(x: Reals, y: Reals) -> PairCounts:
    """Return the counts that Kendall's coefficients are made of (eq 4.3 and after eq 4.4); O(n^2).

    Args:
        x: a sequence, [n], n >= 2.
        y: another of the same length, [n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the lengths differ or are below 2, or an entry is not finite.

    Example:
        >>> from theory.volhejn2020 import pair_counts
        >>> pair_counts([1, 2, 3, 4], [64, 64, 256, 128])
        PairCounts(pairs=6, first_ties=0, second_ties=1, both_ties=0, balance=3)
    """
    first, second = sequence("x", x), sequence("y", y)
    if len(first) != len(second):
        raise ValueError(f"y must hold one number for each of the {len(first)} of x, got {len(second)}")
    above = np.triu_indices(len(first), 1)
    signs = []
    for values in (first, second):
        # Ranks keep the order and the ties, and their differences neither overflow nor underflow.
        ranks = np.unique(values, return_inverse=True)[1]
        signs.append(np.sign(np.subtract.outer(ranks, ranks)[above]))
    s, t = signs
    return PairCounts(len(s), int(np.sum(s == 0)), int(np.sum(t == 0)), int(np.sum((s == 0) & (t == 0))), int(s @ t))


def kendall_tau_b(x: Reals, y: Reals) -> float:
    """Return tau_b: the balance of pairs over sqrt((n_p - n_x) (n_p - n_y)) (after eq 4.4).

    Args:
        x: a sequence, [n], n >= 2, not all equal.
        y: another of the same length, [n], not all equal.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the lengths differ or are below 2, an entry is not finite, or a sequence is constant.

    Example:
        >>> from theory.volhejn2020 import kendall_tau_b
        >>> round(kendall_tau_b([1, 2, 3, 4], [64, 64, 256, 128]), 4)
        0.5477
    """
    counts = pair_counts(x, y)
    for name, ties in (("x", counts.first_ties), ("y", counts.second_ties)):
        if ties == counts.pairs:
            raise ValueError(f"{name} must hold two different numbers, got a constant sequence")
    return counts.balance / math.sqrt((counts.pairs - counts.first_ties) * (counts.pairs - counts.second_ties))


def tau_b_ceiling(y: Reals) -> float:
    """Return sqrt(1 - n_y / n_p): no x reaches a higher tau_b(x, y) unless a pair is tied in both (V12.d).

    For r runs at each of s sizes it is sqrt(r (s - 1) / (s r - 1)): 0.9555 for the 3 runs at 8 sizes of Table 4.2.

    Args:
        y: a sequence, [n], n >= 2, not all equal; the training set sizes, say.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if there are fewer than 2, or one is not finite.
        AssumptionError: if all are equal: no tau_b is defined.

    Example:
        >>> from theory.volhejn2020 import tau_b_ceiling
        >>> round(tau_b_ceiling([64, 64, 64, 128, 128, 128]), 4)
        0.7746
    """
    groups = sequence("y", y)
    VARIED.require("V12.d", [len(set(groups))])
    counts = pair_counts(groups, groups)
    return math.sqrt(1 - counts.second_ties / counts.pairs)
