"""The claims of Volhejn 2020 about estimates from a batch, and about how small PL0 can be: V13 and V14."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations, permutations, product
from typing import Any

import numpy as np

from theory.checks import Array, count, exact_matrix, exact_sequence, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.sources import VOLHEJN2020, Source
from theory.symbols import Symbol
from theory.volhejn2020 import estimators_proofs as proofs


def _table(name: str, value: Any) -> Array:
    """Return the variation along the segments between all pairs of points, exactly, [n, n].

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if it is not square, symmetric and 0 on the diagonal, or has a negative entry, nan or inf.
    """
    table = exact_matrix(name, value)
    if not len(table) or table.shape[0] != table.shape[1]:
        raise ValueError(f"{name} must have a row and a column for every point, got shape {table.shape}")
    if np.any(table != table.T) or np.any(table < 0) or np.any(np.diag(table) != 0):
        raise ValueError(f"{name} must be symmetric, at least 0, and 0 on the diagonal, got {value!r}")
    return table


VARIATIONS = Symbol("variations", "TV_{[x_i,x_j]}(f)", "along all segments, rationals, [n, n], symmetric", _table)
NORMS = Symbol("norms", r"\|\nabla f(x_i)\|", "at all points, rationals, [n]", exact_sequence)
BATCH_OF_POINTS = Symbol("batch_size", "k", "points in a batch", count)


def mean(values: Iterable[Any]) -> Fraction:
    """Return the mean of rationals, exactly."""
    everything = list(values)
    return Fraction(sum(everything, Fraction(0))) / len(everything)


def over_all_pairs(given: Instance) -> Fraction:
    """Return PL0 of eq 3.5, the mean over all n^2 ordered pairs."""
    return mean(given["variations"].ravel())


def orders(given: Instance, size: int) -> list[tuple[int, ...]]:
    """Return all batches of a size drawn without replacement, in order, each as likely as any other."""
    return list(permutations(range(len(given["variations"])), size))


def printed_estimate(table: Array, batch: tuple[int, ...], k: int) -> Fraction:
    """Return eq 4.7 as printed, which takes x_1 .. x_2k."""
    return Fraction(2, k) * sum((table[batch[i], batch[i + k]] for i in range(k)), Fraction(0))


def pairwise_estimate(table: Array, batch: tuple[int, ...]) -> Fraction:
    """Return eq 4.7 repaired: 2/k times the sum over k/2 pairs of a batch of k, x_i with x_{i + k/2}."""
    k, half = len(batch), len(batch) // 2
    return Fraction(2, k) * sum((table[batch[i], batch[i + half]] for i in range(half)), Fraction(0))


def _printed_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    table, k = given["variations"], given["batch_size"]
    expected = mean(printed_estimate(table, batch, k) for batch in orders(given, 2 * k))
    return Enclosure.exactly(expected), Enclosure.exactly(over_all_pairs(given))


def _norm_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    batches = combinations(given["norms"], given["batch_size"])
    return Enclosure.exactly(mean(mean(batch) for batch in batches)), Enclosure.exactly(mean(given["norms"]))


def expected_estimate(given: Instance) -> Fraction:
    """Return the expectation of eq 4.7 repaired over batches drawn without replacement, exactly."""
    return mean(pairwise_estimate(given["variations"], batch) for batch in orders(given, given["batch_size"]))


def expected_independent(given: Instance) -> Fraction:
    """Return the expectation of eq 4.7 repaired over batches of independent draws, exactly."""
    batches = product(range(len(given["variations"])), repeat=given["batch_size"])
    return mean(pairwise_estimate(given["variations"], batch) for batch in batches)


def _distinct_pairs_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    n = len(given["variations"])
    return Enclosure.exactly(expected_estimate(given)), Enclosure.exactly(Fraction(n, n - 1) * over_all_pairs(given))


def _independent_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(expected_independent(given)), Enclosure.exactly(over_all_pairs(given))


def _batch_fits(name: str, symbol: str, factor: int = 1) -> Assumption:
    def sizes(given: Instance) -> tuple[int, int]:
        return factor * given["batch_size"], len(given[symbol])

    return Assumption(name, sizes, lambda size: size[0] <= size[1])


def _even() -> Assumption:
    return Assumption("k is even", lambda given: given["batch_size"], lambda k: k % 2 == 0)


def _reads_batches(given: Instance) -> dict[str, Any]:
    """Return in how many batches each point is."""
    n, size = len(given["norms"]), given["batch_size"]
    batches = list(combinations(range(n), size))
    held = [[sum(point in batch for batch in batches) for point in range(n)]]
    return {"C": held, "t": given["norms"], "r": 1, "k": n, "n": n, "b": size, "N": len(batches), "c": held[0][0]}


def _reads_pairs(given: Instance, batches: list[tuple[int, ...]], pairs: Sequence[tuple[int, ...]]) -> dict[str, Any]:
    """Return how often each of some pairs stands at the places i and i + k/2 of a batch, and what varies between them."""
    table, half = given["variations"], given["batch_size"] // 2
    found: list[Counter[tuple[int, ...]]] = [
        Counter((batch[i], batch[i + half]) for batch in batches) for i in range(half)
    ]
    counts = [[times[pair] for pair in pairs] for times in found]
    return {
        "C": counts,
        "t": [table[pair] for pair in pairs],
        "r": half,
        "k": len(pairs),
        "n": len(table),
        "b": given["batch_size"],
        "N": len(batches),
        "c": counts[0][0],
    }


def _reads_distinct_pairs(given: Instance) -> dict[str, Any]:
    points = range(len(given["variations"]))
    return _reads_pairs(given, orders(given, given["batch_size"]), list(permutations(points, 2)))


def _reads_all_pairs(given: Instance) -> dict[str, Any]:
    points = range(len(given["variations"]))
    return _reads_pairs(given, list(product(points, repeat=given["batch_size"])), list(product(points, repeat=2)))


V13 = Claim(
    id="V13",
    source=Source(VOLHEJN2020, "eq 4.7"),
    statement=r"\widehat{PL}_0 = \tfrac2k \sum_{i=1}^k TV_{[x_i,x_{i+k}]}(f) \text{ estimates } PL_0(f):\quad "
    r"\mathbb E\, \widehat{PL}_0 = PL_0(f)",
    form=Form.IDENTITY,
    symbols=(VARIATIONS, BATCH_OF_POINTS),
    assumptions=(_batch_fits("n >= 2k: x_{i+k} exists", "variations", factor=2),),
    sides=_printed_sides,
    finding=Finding.FALSE,
    note="The text splits a batch of k into k/2 pairs; the formula sums over k pairs and so needs 2k points, and is then "
    "twice a mean. With n = 2 and k = 1 it gives 2 TV for every batch, while PL0 = TV/2. The mean over the k/2 pairs "
    "(x_i, x_{i+k/2}) is meant (V13.b). Variation is taken without error here; the 10 points of eq 4.7 fall short (V4.a).",
    quote="Formally, this gives us the approximation PL_0 := 2/k sum_{i=1}^k TV_[x_i, x_{i+k}](f, 10)",
    reading="The formula as it is printed; the words before it, a batch of k split into k/2 pairs, say what is meant "
    "(V13.b).",
    witness=Instance({"variations": rationals([[0, 1], [1, 0]]), "norms": rationals([0, 1]), "batch_size": 1}, "named"),
    no_extremal="refuted",
)

V13A = Claim(
    id="V13.a",
    amends="V13",
    source=Source(VOLHEJN2020, "eq 4.6"),
    statement=r"\mathbb E\, \tfrac1k \sum_{i=1}^k \|\nabla f(x_i)\| = GN(f) \text{ over the training set}",
    form=Form.IDENTITY,
    symbols=(NORMS, BATCH_OF_POINTS),
    assumptions=(_batch_fits("k <= n", "norms"),),
    sides=_norm_sides,
    proof=proofs.v13a,
    reads=_reads_batches,
    finding=Finding.AS_PRINTED,
    note="Unbiased for the mean over the training set; also for batches of independent draws.",
    extremal=Instance({"norms": rationals([0, 1]), "batch_size": 1}, "named"),
)

V13B = Claim(
    id="V13.b",
    amends="V13",
    source=Source(VOLHEJN2020, "eq 4.7, repaired"),
    statement=r"\text{batch of } k \text{ of } n \text{ points}:\quad "
    r"\mathbb E\, \tfrac2k \sum_{i=1}^{k/2} TV_{[x_i,x_{i+k/2}]}(f) = \tfrac n{n-1} PL_0(f)",
    form=Form.IDENTITY,
    symbols=(VARIATIONS, BATCH_OF_POINTS),
    assumptions=(_even(), _batch_fits("k <= n", "variations")),
    sides=_distinct_pairs_sides,
    proof=proofs.v13b,
    reads=_reads_distinct_pairs,
    finding=Finding.OURS,
    note="A batch never pairs a point with itself, while eq 3.5 does: the estimate is high by n/(n - 1).",
    extremal=Instance({"variations": rationals([[0, 1], [1, 0]]), "batch_size": 2}, "named"),
)

V13C = Claim(
    id="V13.c",
    amends="V13",
    source=Source(VOLHEJN2020, "eq 4.7, repaired"),
    statement=r"k \text{ independent draws}:\quad \mathbb E\, \tfrac2k \sum_{i=1}^{k/2} TV_{[x_i,x_{i+k/2}]}(f) = PL_0(f)",
    form=Form.IDENTITY,
    symbols=(VARIATIONS, BATCH_OF_POINTS),
    assumptions=(_even(),),
    sides=_independent_sides,
    proof=proofs.v13c,
    reads=_reads_all_pairs,
    finding=Finding.OURS,
    note="With replacement nothing is left of the factor n/(n - 1) of V13.b.",
    extremal=Instance({"variations": rationals([[0, 1], [1, 0]]), "batch_size": 2}, "named"),
)

CLAIMS = (V13, V13A, V13B, V13C)
