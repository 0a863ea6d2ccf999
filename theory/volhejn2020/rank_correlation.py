"""The thesis on Kendall's rank correlation (V12)."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from theory.checks import Array, count, rationals, sequence
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, square_root
from theory.sources import VOLHEJN2020, Source
from theory.symbols import Symbol
from theory.volhejn2020 import rank_correlation_proofs as proofs
from theory.volhejn2020.rank_correlation_bounds import VARIED, PairCounts, pair_counts, tau_b_ceiling


def _ranked(name: str, value: Any) -> Array:
    return rationals(sequence(name, value))


MEASURED = Symbol("measured", "X", "the measured values, rationals, [n], n >= 2", _ranked)


RANKED_AGAINST = Symbol("groups", "Y", "what they are ranked against, training set sizes say, rationals, [m]", _ranked)


def inversions(values: Array) -> tuple[int, int, int]:
    """Return how many pairs of a sequence [n] fall, are tied, and there are."""
    pairs = list(combinations(values, 2))
    return sum(a > b for a, b in pairs), sum(a == b for a, b in pairs), len(pairs)


def tau_increasing(given: Instance) -> Enclosure:
    """Return tau_inc of eq 4.4."""
    pairs = list(combinations(given["measured"], 2))
    signs = sum((b > a) - (b < a) for a, b in pairs)
    return Enclosure.exactly(Fraction(int(signs), len(pairs)))


def _inversion_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    falls, _, pairs = inversions(given["measured"])
    return tau_increasing(given), Enclosure.exactly(1 - Fraction(2 * falls, pairs))


def _tie_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    falls, ties, pairs = inversions(given["measured"])
    return tau_increasing(given), Enclosure.exactly(1 - Fraction(2 * falls + ties, pairs))


def compared(given: Instance) -> PairCounts:
    """Return the counts of the pairs of X and Y."""
    return pair_counts(given["measured"], given["groups"])


def tau_b(given: Instance) -> Enclosure:
    """Return tau_b of two sequences that are not constant."""
    counts = compared(given)
    size = Fraction(counts.balance**2, (counts.pairs - counts.first_ties) * (counts.pairs - counts.second_ties))
    root = square_root(size)
    return root if counts.balance >= 0 else Enclosure(-root.upper, -root.lower)


def pair_signs(given: Instance) -> Array:
    """Return the signs of x_j - x_i and y_j - y_i over all pairs i < j, integers, [n (n - 1) / 2, 2]."""
    rows = zip(given["measured"], given["groups"], strict=True)
    return np.array([[(v > u) - (v < u) for u, v in zip(p, q, strict=True)] for p, q in combinations(list(rows), 2)])


def agree(given: Instance) -> bool:
    """Return whether no pair is ordered oppositely by X and Y."""
    return bool(np.all(pair_signs(given).prod(axis=1) >= 0))


def _rectified_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(agree(given)), Enclosure.exactly(tau_b(given) == Enclosure.exactly(Fraction(1)))


def _perfect_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    signs = pair_signs(given)
    same = bool(np.all(signs[:, 0] == signs[:, 1]))
    return Enclosure.exactly(tau_b(given) == Enclosure.exactly(Fraction(1))), Enclosure.exactly(same)


def _ceiling_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    counts = compared(given)
    return tau_b(given), square_root(Fraction(counts.pairs - counts.second_ties, counts.pairs))


def _reads_signs(given: Instance) -> dict[str, Any]:
    """Return the signs of x_j - x_i over all pairs i < j."""
    signs = [(b > a) - (b < a) for a, b in combinations(given["measured"].tolist(), 2)]
    return {"s": signs, "m": len(signs)}


def _reads_both_signs(given: Instance) -> dict[str, Any]:
    signs = pair_signs(given)
    return {"s": signs[:, 0].tolist(), "t": signs[:, 1].tolist(), "m": len(signs)}


def _varied() -> Assumption:
    def distinct(given: Instance) -> list[int]:
        return [len(set(given[name])) for name in ("measured", "groups")]

    return Assumption.that(VARIED, distinct)


def _equally_long() -> Assumption:
    def lengths(given: Instance) -> list[int]:
        return [len(given[name]) for name in ("measured", "groups")]

    return Assumption("the sequences are of equal length", lengths, lambda n: n[0] == n[1])


def _distinct_in_a_group() -> Assumption:
    return Assumption("no pair is tied in both", lambda given: compared(given).both_ties, lambda ties: bool(ties == 0))


def design(groups: int, repeats: int) -> Fraction:
    """Return the square of the highest tau_b for `repeats` distinct values in each of `groups` groups: 1 - n_y / n_p."""
    runs = groups * repeats
    return 1 - Fraction(groups * repeats * (repeats - 1), runs * (runs - 1))


def _printed_ceiling(given: Instance) -> tuple[Enclosure, Enclosure]:
    root = square_root(design(given["configurations"], given["repeats"]))
    rounded = [Fraction(math.floor(100 * end + Fraction(1, 2)), 100) for end in (root.lower, root.upper)]
    return Enclosure(*rounded), Enclosure.exactly(given["printed"])


def _reads_design(given: Instance) -> dict[str, Any] | None:
    """Return the nearest whole number of hundredths to the ceiling, over all pairs of the runs in Table 4.2."""
    if (given["configurations"], given["repeats"]) != (8, 3):
        return None
    pairs = list(combinations([size for size in range(8) for _ in range(3)], 2))
    square = Fraction(sum(a != b for a, b in pairs), len(pairs))
    hundredths = max(k for k in range(101) if k == 0 or (k - Fraction(1, 2)) ** 2 <= 100**2 * square)
    return {"h": hundredths}


DESIGN = Instance(
    {
        "measured": rationals(range(24)),
        "groups": rationals([2 ** (6 + run // 3) for run in range(24)]),
        "configurations": 8,
        "repeats": 3,
        "printed": Fraction(96, 100),
    },
    "named",
)
"""The runs of Table 4.2: three at each of the sizes 64, 128, .., 8192; the measure grows with every run."""


V12 = Claim(
    id="V12",
    source=Source(VOLHEJN2020, "eq 4.4 and around"),
    statement=r"\tau_{inc}(X) = 1 - 2\,\#\{i < j: x_i > x_j\} \big/ \tbinom n2",
    form=Form.IDENTITY,
    symbols=(MEASURED,),
    sides=_inversion_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="'A normalized number of inversions', which is 1 for an increasing X, falls with each inversion and is -1 for a "
    "decreasing one: so it is for distinct values, and -1 and 1 are reached by strictly monotone X only. A tie counts as "
    "half an inversion (V12.a): (0, 0) has none and tau_inc = 0. A sequence of one number has no pairs, and no tau.",
    quote="defined as a normalized number of inversions in the sequence",
    reading="'Normalized' is read as 1 - 2 #inversions / (n over 2), which is 1 and -1 where the thesis says so; for "
    "distinct values the words are right.",
    witness=DESIGN.but(measured=rationals([0, 0]), groups=rationals([0, 1])),
    no_extremal="refuted with ties; see V12.a",
)


V12A = Claim(
    id="V12.a",
    amends="V12",
    source=Source(VOLHEJN2020, "eq 4.4, repaired"),
    statement=r"\tau_{inc}(X) = 1 - \big(2\,\#\{i < j: x_i > x_j\} + \#\{i < j: x_i = x_j\}\big) \big/ \tbinom n2",
    form=Form.IDENTITY,
    symbols=(MEASURED,),
    sides=_tie_sides,
    proof=proofs.v12a,
    reads=_reads_signs,
    finding=Finding.OURS,
    note="Hence 1 iff X is strictly increasing, and -1 iff strictly decreasing.",
    extremal=Instance({"measured": rationals([0, 2, 1, 2])}, "named"),
)


V12B = Claim(
    id="V12.b",
    amends="V12",
    source=Source(VOLHEJN2020, "after eq 4.4"),
    statement=r"\tau_b \text{ rectifies the issue with ties: } (x_j - x_i)(y_j - y_i) \ge 0 \ \forall i, j "
    r"\;\Rightarrow\; \tau_b(X, Y) = 1",
    form=Form.IMPLICATION,
    symbols=(MEASURED, RANKED_AGAINST),
    assumptions=(_equally_long(), _varied()),
    sides=_rectified_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="tau_b reaches 1 if the same pairs are tied in X and Y, and only then (V12.c). X = (0, 1, 2) and Y = (0, 0, 1) "
    "increase together and have tau_b = 2/sqrt 6. Section 4.3.2 says as much of its own runs; see V12.d.",
    quote="it is impossible for tau(X, Y) to reach 1 when some values are tied in X or Y. The modified tau_b rectifies "
    "the issue",
    reading="Read as: with ties too 1 is reached wherever X and Y rise together; as 'some sequences with ties reach it' "
    "the words are right (V12.c).",
    witness=Instance({"measured": rationals([0, 1, 2]), "groups": rationals([0, 0, 1])}, "named"),
    no_extremal="refuted",
)


V12C = Claim(
    id="V12.c",
    amends="V12",
    source=Source(VOLHEJN2020, "after eq 4.4, repaired"),
    statement=r"\tau_b(X, Y) = 1 \iff \operatorname{sign}(x_j - x_i) = \operatorname{sign}(y_j - y_i) \ \forall i, j",
    form=Form.EQUIVALENCE,
    symbols=(MEASURED, RANKED_AGAINST),
    assumptions=(_equally_long(), _varied()),
    sides=_perfect_sides,
    proof=proofs.v12c,
    reads=_reads_both_signs,
    finding=Finding.OURS,
    note="Where a sequence is constant tau_b is 0/0.",
    no_extremal="an equivalence",
)


V12D = Claim(
    id="V12.d",
    amends="V12",
    source=Source(VOLHEJN2020, "section 4.3.2, before Table 4.2"),
    statement=r"\text{no pair tied in both } X \text{ and } Y:\quad \tau_b(X, Y) \le \sqrt{\tfrac{n_p - n_y}{n_p}}",
    form=Form.AT_MOST,
    symbols=(MEASURED, RANKED_AGAINST),
    assumptions=(_equally_long(), _varied(), _distinct_in_a_group()),
    sides=_ceiling_sides,
    bound=tau_b_ceiling,
    bound_on=lambda given: tau_b_ceiling(given["groups"]),
    proof=proofs.v12d,
    reads=_reads_both_signs,
    finding=Finding.AS_PRINTED,
    note="'To reach higher values, we would need two networks trained on the same dataset configuration to reach exactly the "
    "same smoothness': true, ties between configurations included. Attained by distinct X that increase with Y.",
    extremal=Instance({"measured": rationals(range(8)), "groups": rationals([0] * 7 + [1])}, "named"),
)


V12E = Claim(
    id="V12.e",
    amends="V12",
    source=Source(VOLHEJN2020, "Table 4.2"),
    statement=r"8 \text{ sizes, } 3 \text{ runs each:}\quad \sqrt{\tfrac{n_p - n_y}{n_p}} = 0.96 \text{ to two places}",
    form=Form.IDENTITY,
    symbols=(
        Symbol(
            "configurations", "s", "training set sizes, at least 2", lambda name, value: count(name, value, fewest=2)
        ),
        Symbol("repeats", "r", "runs at each", count),
        Symbol("printed", "v", "the printed value, to two places"),
    ),
    sides=_printed_ceiling,
    proof=proofs.v12e,
    reads=_reads_design,
    finding=Finding.AS_PRINTED,
    note="sqrt(21/23) = 0.9555: the 0.96 of both second-order measures is the ceiling of V12.d. For the 9 sizes and 10 runs "
    "of Table 4.1 it is sqrt(80/89) = 0.948.",
    extremal=DESIGN,
)

CLAIMS = (V12, V12A, V12B, V12C, V12D, V12E)
