"""Walker 2023 on the coherence of gradients: W8, W9 and W11, on finite distributions of vectors."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, combinations_with_replacement
from math import factorial, prod
from typing import Any

import numpy as np

from theory.checks import Array, count, dot, exact_vectors, rationals, real_array
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure
from theory.sources import WALKER2023, Source
from theory.symbols import Symbol
from theory.walker2023 import coherent_gradients_proofs as proofs
from theory.walker2023.coherent_gradients_bounds import (
    NOT_ALL_ZERO,
    batch_coherence,
    coherence,
    example_coherence,
    orthogonal_limit,
)
from theory.walker2023.rademacher import PROBABILITIES

VECTORS = Symbol("vectors", r"\mathcal V", "vectors, one a row, rationals, [m, d]", exact_vectors)
MULTIPLE = Symbol("factor", "k", "what all vectors are multiplied by", lambda n, v: Fraction(real_array(n, [v])[0]))
DRAWS = Symbol("draws", "k", "number of independent draws in a mean, at least 1", count)
GROUP = Symbol("group", "k", "number of consecutive examples in a batch, a divisor of m", count)
DIRECTIONS = Symbol("directions", "g_1, .., g_d", "gradients, one a row, rationals, [d, d]", exact_vectors)
COPIES = Symbol("copies", "k", "how often the sample holds each, at least 1", count)

_ONE = Enclosure.exactly(Fraction(1))


def pairwise(vectors: Array, p: Array) -> Fraction:
    """Return E[v.v'] over independent pairs, exactly, summed pair by pair."""
    return Fraction(dot(p, (vectors @ vectors.T) @ p))


def size(vectors: Array, p: Array) -> Fraction:
    """Return E[v.v], exactly."""
    return Fraction(dot(p, (vectors * vectors).sum(axis=1)))


def alpha(vectors: Array, p: Array) -> Fraction:
    """Return the coherence as it is defined, exactly, of vectors that are not all 0."""
    return pairwise(vectors, p) / size(vectors, p)


def uniform(m: int) -> Array:
    """Return m equal probabilities."""
    return rationals([Fraction(1, m)] * m)


def _of(given: Instance) -> tuple[Array, Array]:
    return given["vectors"], given["probabilities"]


def _equals(given: Instance, value: int) -> Enclosure:
    """Return whether the coherence has a value; where it is 0/0 it has none."""
    return Enclosure.exactly(size(*_of(given)) > 0 and alpha(*_of(given)) == value)


def _reads_vectors(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of W8 are: the vectors, their probabilities and the mean."""
    vectors, p = _of(given)
    return {"m": len(p), "d": vectors.shape[1], "v": vectors, "p": p, "mu": p @ vectors}


def _reads_mean(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W8.b's proof are: the m coordinates of the mean, and E[v.v]."""
    vectors, p = _of(given)
    return {"m": vectors.shape[1], "mu": p @ vectors, "G": size(vectors, p)}


def _reads_multiple(given: Instance) -> dict[str, Any]:
    return {**_reads_vectors(given), "k": given["factor"]}


def _partial_sums(vectors: Array) -> dict[str, Any]:
    """Return the squares of the lengths of vectors, and those of the sums of the first of them, beginning with none."""
    sums = [vectors[:j].sum(axis=0) for j in range(len(vectors) + 1)]
    lengths = {"s": [Fraction(dot(v, v)) for v in vectors], "t": [Fraction((x * x).sum()) for x in sums]}
    return {"n": len(vectors), **lengths}


def _reads_sample(given: Instance) -> dict[str, Any]:
    return _partial_sums(given["vectors"])


def _reads_copies(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of W9.a and W9.c are: the directions, and how many others each helps."""
    sample = copies_of(given)
    products = sample @ sample.T
    helps = [int((row > 0).sum()) - int(row[i] > 0) for i, row in enumerate(products)]
    return {**_partial_sums(given["directions"]), "k": given["copies"], "m": len(sample), "h": helps}


def _reads_draws(given: Instance) -> dict[str, Any]:
    """Return what the symbols of the proofs of W11 are: the vectors, and E[w.w] over all means of k draws."""
    return {**_reads_vectors(given), "k": given["draws"], "G_w": size(*means_of(given))}


def _range_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    value = alpha(*_of(given))
    return Enclosure.exactly(max(value, 1 - value)), _ONE


def _mean_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    vectors, p = _of(given)
    return _equals(given, 0), Enclosure.exactly(not np.any(p @ vectors != 0))


def _all_equal_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return _equals(given, 1), Enclosure.exactly(not np.any(given["vectors"] != given["vectors"][0]))


def _surely_equal_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    vectors, p = _of(given)
    possible = vectors[p > 0]
    return _equals(given, 1), Enclosure.exactly(not np.any(possible != possible[0]))


def _scale_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    vectors, p = _of(given)
    return Enclosure.exactly(alpha(given["factor"] * vectors, p)), Enclosure.exactly(alpha(vectors, p))


def _sample_alpha(vectors: Array) -> Fraction:
    return alpha(vectors, uniform(len(vectors)))


def _orthogonal_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    vectors = given["vectors"]
    return Enclosure.exactly(_sample_alpha(vectors)), Enclosure.exactly(Fraction(1, len(vectors)))


def copies_of(given: Instance) -> Array:
    """Return the sample that holds each direction so often, [k d, d]."""
    return np.repeat(given["directions"], given["copies"], axis=0)


def ratio(sample: Array) -> Fraction:
    """Return alpha_m over the orthogonal limit 1/m, exactly."""
    return len(sample) * _sample_alpha(sample)


def helped(sample: Array) -> Fraction:
    """Return the mean number of other examples whose gradient has a positive inner product with an example's own."""
    positive = (sample @ sample.T > 0).astype(int)
    np.fill_diagonal(positive, 0)
    return Fraction(int(positive.sum()), len(sample))


def _copies_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(ratio(copies_of(given))), Enclosure.exactly(Fraction(given["copies"]))


def _others_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    sample = copies_of(given)
    return Enclosure.exactly(helped(sample)), Enclosure.exactly(ratio(sample))


def _with_itself_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    sample = copies_of(given)
    return Enclosure.exactly(1 + helped(sample)), Enclosure.exactly(ratio(sample))


def means_of(given: Instance) -> tuple[Array, Array]:
    """Return all means of k independent draws and their probabilities, exactly, by how often each vector is drawn."""
    (vectors, p), k = _of(given), given["draws"]
    means, chances = [], []
    for chosen in combinations_with_replacement(range(len(vectors)), k):
        times = [chosen.count(i) for i in range(len(vectors))]
        means.append(sum(vectors[i] for i in chosen) / Fraction(k))
        ways = Fraction(factorial(k), prod(factorial(t) for t in times))
        chances.append(ways * prod((q**t for q, t in zip(p, times, strict=True)), start=Fraction(1)))
    return np.array(means, dtype=object), rationals(chances)


def formula(value: Fraction, k: int) -> Fraction:
    """Return k alpha / (1 + (k - 1) alpha)."""
    return k * value / (1 + (k - 1) * value)


def _batch_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(alpha(*means_of(given))), Enclosure.exactly(formula(alpha(*_of(given)), given["draws"]))


def _meet_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    value = alpha(*_of(given))
    return Enclosure.exactly(alpha(*means_of(given)) == value), Enclosure.exactly(value in (0, 1))


def _grows_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(alpha(*means_of(given))), Enclosure.exactly(alpha(*_of(given)))


def inverse_formula(value: Fraction, k: int) -> Fraction:
    """Return alpha / (k - (k - 1) alpha)."""
    return value / (k - (k - 1) * value)


def _inverse_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    of_means = alpha(*means_of(given))
    return Enclosure.exactly(alpha(*_of(given))), Enclosure.exactly(inverse_formula(of_means, given["draws"]))


def batches(given: Instance) -> Array:
    """Return the means of consecutive groups of k examples, [m / k, d], exactly."""
    vectors, k = given["vectors"], given["group"]
    return np.array([part.sum(axis=0) / Fraction(k) for part in np.split(vectors, len(vectors) // k)], dtype=object)


def _estimate_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    means = batches(given)
    estimate = len(given["vectors"]) * inverse_formula(_sample_alpha(means), given["group"])
    return Enclosure.exactly(estimate), Enclosure.exactly(ratio(given["vectors"]))


def partitions(examples: tuple[int, ...], k: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield all ways to part examples into batches of k, a divisor of their number, each way once."""
    if not examples:
        yield ()
        return
    first, rest = examples[0], examples[1:]
    for others in combinations(rest, k - 1):
        left = tuple(i for i in rest if i not in others)
        for batches_of_rest in partitions(left, k):
            yield ((first, *others), *batches_of_rest)


def coherences_of_batches(given: Instance) -> list[Fraction]:
    """Return alpha of the batch means for every partition of the sample, exactly."""
    vectors, k = given["vectors"], given["group"]
    ways = partitions(tuple(range(len(vectors))), k)
    return [
        _sample_alpha(rationals([vectors[list(part)].sum(axis=0) / Fraction(k) for part in parts])) for parts in ways
    ]


def _reads_partitions(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W11.f's proof are: the gradients, and 1/alpha(W) of every partition."""
    vectors, inverses = given["vectors"], [1 / value for value in coherences_of_batches(given)]
    sizes = {"m": len(vectors), "d": vectors.shape[1], "N": len(inverses)}
    return {**sizes, "v": vectors, "h": inverses, "k": given["group"]}


def without_replacement(value: Fraction, k: int, m: int) -> Fraction:
    """Return A (m - k) / (k (m - 1) - (k - 1) m A)."""
    return value * (m - k) / (k * (m - 1) - (k - 1) * m * value)


def _all_partitions_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    vectors, each = given["vectors"], coherences_of_batches(given)
    mean = len(each) / sum((1 / a for a in each), Fraction(0))
    return Enclosure.exactly(_sample_alpha(vectors)), Enclosure.exactly(
        without_replacement(mean, given["group"], len(vectors))
    )


def _not_all_zero() -> Assumption:
    return Assumption.that(NOT_ALL_ZERO, lambda given: size(*_of(given)))


def _sample_not_zero() -> Assumption:
    return Assumption("not all gradients are 0", lambda given: bool(np.any(given["vectors"] != 0)), bool)


def _apart(vectors: Array) -> bool:
    products = vectors @ vectors.T
    return not np.any(products[~np.eye(len(vectors), dtype=bool)] != 0)


def _orthogonal() -> Assumption:
    return Assumption("the gradients are pairwise orthogonal", lambda given: _apart(given["vectors"]), bool)


def _orthogonal_directions() -> Assumption:
    return Assumption("the directions are pairwise orthogonal", lambda given: _apart(given["directions"]), bool)


def _no_zero_direction() -> Assumption:
    return Assumption("no direction is 0", lambda given: all(np.any(g != 0) for g in given["directions"]), bool)


def _some_direction() -> Assumption:
    return Assumption("not all directions are 0", lambda given: bool(np.any(given["directions"] != 0)), bool)


def _several() -> Assumption:
    return Assumption("k >= 2", lambda given: given["draws"], lambda k: k >= 2)


def _divides() -> Assumption:
    def usable(given: Instance) -> bool:
        fits = len(given["vectors"]) % given["group"] == 0
        return fits and bool(np.any(batches(given) != 0))

    return Assumption("k divides m, and not all batches have mean 0", usable, bool)


def _divides_properly() -> Assumption:
    def usable(given: Instance) -> bool:
        m, k = len(given["vectors"]), given["group"]
        return bool(m % k == 0 and k < m)

    return Assumption("k divides m and is below it", usable, bool)


def _mean_not_zero() -> Assumption:
    return Assumption("the mean is not 0", lambda given: bool(np.any(given["vectors"].sum(axis=0) != 0)), bool)


def distribution_of(*rows: tuple[int, ...], weights: tuple[int, ...] | None = None, **more: Any) -> Instance:
    """Return an instance of vectors with weights, all 1 if not given."""
    p = weights or (1,) * len(rows)
    return Instance({"vectors": rationals(rows), "probabilities": rationals(p) / sum(p), **more}, "named")


W8 = Claim(
    id="W8",
    source=Source(WALKER2023, "Theorem 5.1"),
    statement=r"0 \le \alpha(\mathcal V) = \frac{\mathbb E[v \cdot v']}{\mathbb E[v \cdot v]} \le 1",
    form=Form.AT_MOST,
    symbols=(VECTORS, PROBABILITIES),
    assumptions=(_not_all_zero(),),
    sides=_range_sides,
    proof=proofs.w8,
    reads=_reads_vectors,
    finding=Finding.AS_PRINTED,
    note="If all vectors are 0, alpha is 0/0; nothing is claimed then.",
    reading="Read as: neither alpha nor 1 - alpha exceeds 1.",
    extremal=distribution_of((1,), (-1,)),
)

W8A = Claim(
    id="W8.a",
    amends="W8",
    source=Source(WALKER2023, "Theorem 5.1, 1."),
    statement=r"\alpha(\mathcal V) = 0 \iff \mathbb E_{v \sim \mathcal V}(v) = 0",
    form=Form.EQUIVALENCE,
    symbols=(VECTORS, PROBABILITIES),
    sides=_mean_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="If all vectors are 0 their mean is 0, but alpha is 0/0; 1. would make it 0 and 2. would make it 1.",
    quote="alpha(V) = 0 if and only if E_{v ~ V}(v) = 0",
    reading="Of every distribution on vectors, all of which may be 0, since nothing excludes it; where E[v.v] > 0 the "
    "words are right (W8.b).",
    witness=distribution_of((0,)),
    no_extremal="refuted",
)

W8B = Claim(
    id="W8.b",
    amends="W8",
    source=Source(WALKER2023, "Theorem 5.1, 1., repaired"),
    statement=r"\mathbb E[v \cdot v] > 0:\quad \alpha(\mathcal V) = 0 \iff \mathbb E_{v \sim \mathcal V}(v) = 0",
    form=Form.EQUIVALENCE,
    symbols=(VECTORS, PROBABILITIES),
    assumptions=(_not_all_zero(),),
    sides=_mean_sides,
    proof=proofs.w8b,
    reads=_reads_mean,
    finding=Finding.OURS,
    note="With the assumption without which alpha has no value.",
    no_extremal="an equivalence",
)

W8C = Claim(
    id="W8.c",
    amends="W8",
    source=Source(WALKER2023, "Theorem 5.1, 2."),
    statement=r"\alpha(\mathcal V) = 1 \iff \text{all vectors are equal}",
    form=Form.EQUIVALENCE,
    symbols=(VECTORS, PROBABILITIES),
    sides=_all_equal_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="The theorem is about a distribution on a collection of vectors: one of probability 0 may differ from the rest, "
    "as for 1 and 2 with probabilities 1 and 0. And if all vectors are 0, alpha is 0/0.",
    quote="alpha(V) = 1 if and only if all vectors are equal.",
    reading="'All vectors' are read as those of the collection, also those of probability 0; of the others, not all 0, "
    "the words are right (W8.d).",
    witness=distribution_of((1,), (2,), weights=(1, 0)),
    no_extremal="refuted",
)

W8D = Claim(
    id="W8.d",
    amends="W8",
    source=Source(WALKER2023, "Theorem 5.1, 2., repaired"),
    statement=r"\mathbb E[v \cdot v] > 0:\quad \alpha(\mathcal V) = 1 \iff "
    r"\text{all vectors of positive probability are equal}",
    form=Form.EQUIVALENCE,
    symbols=(VECTORS, PROBABILITIES),
    assumptions=(_not_all_zero(),),
    sides=_surely_equal_sides,
    proof=proofs.w8d,
    reads=_reads_vectors,
    finding=Finding.OURS,
    note="Equal almost surely, and not 0.",
    no_extremal="an equivalence",
)

W8E = Claim(
    id="W8.e",
    amends="W8",
    source=Source(WALKER2023, "Theorem 5.1, last sentence"),
    statement=r"k \ne 0:\quad \alpha(k\mathcal V) = \alpha(\mathcal V)",
    form=Form.IDENTITY,
    symbols=(VECTORS, PROBABILITIES, MULTIPLE),
    assumptions=(
        Assumption("k is not 0", lambda given: given["factor"], bool),
        _not_all_zero(),
    ),
    sides=_scale_sides,
    bound=coherence,
    bound_on=lambda given: float(coherence(*_of(given))),
    proof=proofs.w8e,
    reads=_reads_multiple,
    finding=Finding.AS_PRINTED,
    note="Negative k included. A factor that differs from vector to vector, as from loss to loss, does change alpha.",
    extremal=distribution_of((1,), (2,), factor=Fraction(-3)),
)

W9 = Claim(
    id="W9",
    source=Source(WALKER2023, "Example 5.3"),
    statement=r"g_i \text{ pairwise orthogonal}:\quad \alpha_m = \tfrac1m",
    form=Form.IDENTITY,
    symbols=(VECTORS,),
    assumptions=(_orthogonal(), _sample_not_zero()),
    sides=_orthogonal_sides,
    bound=orthogonal_limit,
    bound_on=lambda given: float(orthogonal_limit(len(given["vectors"]))),
    proof=proofs.w9,
    reads=_reads_sample,
    finding=Finding.AS_PRINTED,
    note="Case 3 of the list, alpha = 0, is more than 'no example helps': over pairs of different examples the inner "
    "products then sum to -sum |g_i|^2 < 0, they hurt.",
    reading="Gradients of any lengths, as printed; those that are 0 count among the m.",
    extremal=Instance({"vectors": rationals([(1, 0), (0, 2)])}, "named"),
)

W9A = Claim(
    id="W9.a",
    amends="W9",
    source=Source(WALKER2023, "Example 5.3, case 4 (with 1 and 2)"),
    statement=r"k \text{ copies of } d \text{ orthogonal gradients in } \mathbb R^d:\quad "
    r"\alpha_m = \tfrac1d,\ \alpha_m / \alpha_m^\perp = k",
    form=Form.IDENTITY,
    symbols=(DIRECTIONS, COPIES),
    assumptions=(_orthogonal_directions(), _some_direction()),
    sides=_copies_sides,
    proof=proofs.w9a,
    reads=_reads_copies,
    finding=Finding.AS_PRINTED,
    note="k = 1 is case 1, d = 1 is case 2; neither k >> 1 nor d << m is needed, and directions may be 0, but for one.",
    extremal=Instance({"directions": rationals([(1, 0), (0, 2)]), "copies": 3}, "named"),
)

W9B = Claim(
    id="W9.b",
    amends="W9",
    source=Source(WALKER2023, "Example 5.3, case 4, last sentence"),
    statement=r"\text{each example helps } \alpha_m / \alpha_m^\perp = k \text{ other examples}",
    form=Form.IDENTITY,
    symbols=(DIRECTIONS, COPIES),
    assumptions=(_orthogonal_directions(), _no_zero_direction()),
    sides=_others_sides,
    finding=Finding.FALSE,
    note="It helps k - 1 others: the ratio counts the example itself, as case 1 shows, where it is 1 and no example helps "
    "another. Off by one for every k, a relative error of 1/k; the witness has k = 50 copies in d = 2 dimensions. Likewise "
    "in case 2: m counts all, m - 1 others.",
    quote="Hence, each example helps k other examples in the sample as expected.",
    reading="'Other' is read as printed; if the example itself counts, the words are right (W9.c).",
    witness=Instance({"directions": rationals([(1, 0), (0, 1)]), "copies": 50}, "named"),
    no_extremal="refuted",
)

W9C = Claim(
    id="W9.c",
    amends="W9",
    source=Source(WALKER2023, "Example 5.3, repaired"),
    statement=r"\text{each example helps } \alpha_m / \alpha_m^\perp = k \text{ examples, itself among them}",
    form=Form.IDENTITY,
    symbols=(DIRECTIONS, COPIES),
    assumptions=(_orthogonal_directions(), _no_zero_direction()),
    sides=_with_itself_sides,
    proof=proofs.w9c,
    reads=_reads_copies,
    finding=Finding.OURS,
    note="The ratio is sum_ij g_i.g_j / sum_i |g_i|^2, the diagonal included.",
    extremal=Instance({"directions": rationals([(1, 0), (0, 2)]), "copies": 3}, "named"),
)

W11 = Claim(
    id="W11",
    source=Source(WALKER2023, "Theorem 5.6"),
    statement=r"w = \tfrac1k \sum_{i=1}^k v_i:\quad "
    r"\alpha(\mathcal W) = \frac{k\alpha(\mathcal V)}{1 + (k-1)\alpha(\mathcal V)}",
    form=Form.IDENTITY,
    symbols=(VECTORS, PROBABILITIES, DRAWS),
    assumptions=(_not_all_zero(),),
    sides=_batch_sides,
    bound=batch_coherence,
    bound_on=lambda given: float(batch_coherence(coherence(*_of(given)), given["draws"])),
    proof=proofs.w11,
    reads=_reads_draws,
    finding=Finding.AS_PRINTED,
    note="Left: over all outcomes of k draws. alpha(W) = alpha(k W) is W8.e.",
    extremal=distribution_of((0,), (1,), draws=2),
)

W11A = Claim(
    id="W11.a",
    amends="W11",
    source=Source(WALKER2023, "Theorem 5.6, 'with equality'"),
    statement=r"\alpha(\mathcal W) = \alpha(\mathcal V) \iff \alpha(\mathcal V) \in \{0, 1\}",
    form=Form.EQUIVALENCE,
    symbols=(VECTORS, PROBABILITIES, DRAWS),
    assumptions=(_not_all_zero(),),
    sides=_meet_sides,
    finding=Finding.NEEDS_ASSUMPTION,
    note="For k = 1 it is always an equality: 0 and 1 with equal probabilities have alpha = 1/2 on both sides.",
    quote="with equality if and only if alpha(V) = 0 or alpha(V) = 1.",
    reading="For every k, also k = 1, where nothing is averaged; for k >= 2 the words are right (W11.b).",
    witness=distribution_of((0,), (1,), draws=1),
    no_extremal="refuted",
)

W11B = Claim(
    id="W11.b",
    amends="W11",
    source=Source(WALKER2023, "Theorem 5.6, 'with equality', repaired"),
    statement=r"k \ge 2:\quad \alpha(\mathcal W) = \alpha(\mathcal V) \iff \alpha(\mathcal V) \in \{0, 1\}",
    form=Form.EQUIVALENCE,
    symbols=(VECTORS, PROBABILITIES, DRAWS),
    assumptions=(_not_all_zero(), _several()),
    sides=_meet_sides,
    proof=proofs.w11b,
    reads=_reads_draws,
    finding=Finding.OURS,
    note="With k >= 2.",
    no_extremal="an equivalence",
)

W11C = Claim(
    id="W11.c",
    amends="W11",
    source=Source(WALKER2023, "Theorem 5.6, the inequality"),
    statement=r"\alpha(\mathcal W) \ge \alpha(\mathcal V)",
    form=Form.AT_LEAST,
    symbols=(VECTORS, PROBABILITIES, DRAWS),
    assumptions=(_not_all_zero(),),
    sides=_grows_sides,
    proof=proofs.w11c,
    reads=_reads_draws,
    finding=Finding.AS_PRINTED,
    note="By at most the factor k.",
    extremal=distribution_of((1,), (1,), draws=2),
)

W11D = Claim(
    id="W11.d",
    amends="W11",
    source=Source(WALKER2023, "section 5.4, step 3"),
    statement=r"\alpha(\mathcal V) = \frac{\alpha(\mathcal W)}{k - (k-1)\alpha(\mathcal W)}",
    form=Form.IDENTITY,
    symbols=(VECTORS, PROBABILITIES, DRAWS),
    assumptions=(_not_all_zero(),),
    sides=_inverse_sides,
    bound=example_coherence,
    bound_on=lambda given: float(example_coherence(alpha(*means_of(given)), given["draws"])),
    proof=proofs.w11d,
    reads=_reads_draws,
    finding=Finding.AS_PRINTED,
    note="For the batches of one sample: W11.e.",
    reading="Read for the coherence of the distribution of independent means.",
    extremal=distribution_of((0,), (1,), draws=2),
)

W11E = Claim(
    id="W11.e",
    amends="W11",
    source=Source(WALKER2023, "section 5.4, steps 1 to 4"),
    statement=r"\alpha_m / \alpha_m^\perp = m\, \frac{\alpha(\mathcal W)}{k - (k-1)\alpha(\mathcal W)}\ "
    r"\text{from the } m/k \text{ batches of the sample}",
    form=Form.IDENTITY,
    symbols=(VECTORS, GROUP),
    assumptions=(_divides(),),
    sides=_estimate_sides,
    finding=Finding.LOOSE,
    note="An approximation, and called one: the batches of one sample are no independent draws of its means. For k = m there "
    "is one batch, whose coherence is 1, and the estimate is m whatever the gradients: two orthogonal ones have 1. W11.f is "
    "exact, on average.",
    quote="We now propose a method to approximate alpha_m / alpha_m^perp from batched data.",
    reading="Strained: the report calls it an approximation and gives no bound; it is held here to the equality that its "
    "four steps stand in for.",
    witness=Instance({"vectors": rationals([(1, 0), (0, 1)]), "group": 2}, "named"),
    no_extremal="an approximation; at k = 1 it is exact",
)

W11F = Claim(
    id="W11.f",
    amends="W11",
    source=Source(WALKER2023, "section 5.4, steps 1 to 4, repaired"),
    statement=r"\sum_i g_i \ne 0,\ k < m:\quad \alpha_m = \frac{(m - k) A}{k(m-1) - (k-1) m A},\ "
    r"\tfrac1A = \mathbb E\big[\tfrac1{\alpha(\mathcal W)}\big] \text{ over random partitions into batches of } k",
    form=Form.IDENTITY,
    symbols=(VECTORS, GROUP),
    assumptions=(_divides_properly(), _mean_not_zero()),
    sides=_all_partitions_sides,
    proof=proofs.w11f,
    reads=_reads_partitions,
    finding=Finding.OURS,
    note="Right: over all partitions of the sample. A is the harmonic mean of the coherences that steps 1 and 2 give for "
    "them. As m grows at fixed k the formula becomes that of step 3.",
    extremal=Instance({"vectors": rationals([(1, 0), (0, 1), (1, 1), (2, 0)]), "group": 2}, "named"),
)

CLAIMS = (W8, W8A, W8B, W8C, W8D, W8E, W9, W9A, W9B, W9C, W11, W11A, W11B, W11C, W11D, W11E, W11F)
