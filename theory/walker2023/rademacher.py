"""Walker 2023 on Rademacher complexity: W3, on finite classes and distributions, where all of it can be computed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import sympy as sp

from theory.checks import (
    Array,
    chance,
    count,
    distribution,
    dot,
    exact_vectors,
    over_one_denominator,
    rationals,
    vectors_array,
)
from theory.claim import Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, logarithm
from theory.sources import WALKER2023, Source
from theory.symbols import Symbol
from theory.walker2023 import rademacher_proofs as proofs
from theory.walker2023.rademacher_bounds import empirical_rademacher_margin, rademacher_margin


def _functions(name: str, value: Any) -> Array:
    """Return the values of functions, one a row, [K, Z], from 0 to 1.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is wrong or a value is not from 0 to 1.
    """
    table = exact_vectors(name, value)
    if np.any((table < 0) | (table > 1)):
        raise ValueError(f"{name} must have values from 0 to 1, got {table[(table < 0) | (table > 1)][0]}")
    return table


def _probabilities(name: str, value: Any) -> Array:
    return rationals(distribution(name, rationals(value), len(value)))


def _losses(name: str, value: Any) -> Array:
    """Return the losses of classifiers, one a row, [K, Z], at least 0.

    Raises:
        TypeError: if an entry is no real number.
        ValueError: if the shape is wrong or a loss is negative.
    """
    table = rationals(vectors_array(name, value))
    if np.any(table < 0):
        raise ValueError(f"{name} must be at least 0, got {table[table < 0][0]}")
    return table


FUNCTIONS = Symbol("functions", r"\mathcal F", "a finite class: f(z), one function a row, [K, Z], 0 to 1", _functions)
LOSSES = Symbol(
    "losses", r"l(h_w(x), y)", "losses of finitely many classifiers, one a row, [K, Z], at least 0", _losses
)
PROBABILITIES = Symbol("probabilities", r"\mathcal D", "probabilities of the outcomes, rationals, [Z]", _probabilities)
SAMPLE_SIZE = Symbol("sample_size", "m", "number of independent examples, at least 1", count)
DELTA = Symbol(
    "delta", r"\delta", "probability that the bound may fail with, in (0, 1)", lambda n, v: Fraction(chance(n, v))
)
_SYMBOLS = (FUNCTIONS, PROBABILITIES, SAMPLE_SIZE, DELTA)


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def empirical_complexity(table: Array, counts: tuple[int, ...]) -> Fraction:
    """Return E_sigma max_f (1/m) sum_i sigma_i f(z_i), exactly, for a sample with so many examples of each outcome."""
    if len(table) == 1:
        return Fraction(0)
    (integers, denominator), total, m = over_one_denominator(table), 0, sum(counts)
    # The signs of equal examples only matter through their sum.
    for ups in product(*(range(c + 1) for c in counts)):
        ways = math.prod(math.comb(c, up) for c, up in zip(counts, ups, strict=True))
        sums = [2 * up - c for c, up in zip(counts, ups, strict=True)]
        total += ways * max(integers @ np.array(sums, dtype=object))
    return Fraction(total, denominator * (m << m))


def _deviation(table: Array, p: Array, counts: tuple[int, ...]) -> Fraction:
    """Return max_f (E f - mean f) on a sample."""
    share = np.array([Fraction(c, sum(counts)) for c in counts], dtype=object)
    return Fraction(max(table @ (p - share)))


def _chance_of(p: Array, counts: tuple[int, ...]) -> Fraction:
    ways, left = 1, sum(counts)
    for c in counts:
        ways, left = ways * math.comb(left, c), left - c
    return ways * math.prod((q**c for q, c in zip(p, counts, strict=True)), start=Fraction(1))


def excess(given: Instance, factor: Fraction, *, empirical: bool) -> Fraction:
    """Return the least t with P(max_f (E f - mean f) - factor R > t) <= delta, R the (empirical) complexity; exact.

    All samples are enumerated, by how often each outcome comes.
    """
    table, p, m, delta = given["functions"], given["probabilities"], given["sample_size"], given["delta"]
    if table.shape == (1, 2):
        return _coin(table[0], p, m, delta)
    samples = list(_compositions(m, len(p)))
    chances = [_chance_of(p, counts) for counts in samples]
    complexities = [empirical_complexity(table, counts) for counts in samples]
    mean = sum((q * r for q, r in zip(chances, complexities, strict=True)), Fraction(0))
    values = [
        _deviation(table, p, counts) - factor * (r if empirical else mean)
        for counts, r in zip(samples, complexities, strict=True)
    ]
    ordered = sorted(zip(values, chances, strict=True), reverse=True)
    seen, place = ordered[0][1], 0
    while seen <= delta:  # probabilities sum to 1 > delta
        place += 1
        seen += ordered[place][1]
    return ordered[place][0]


def _coin(values: Array, p: Array, m: int, delta: Fraction) -> Fraction:
    """Return the same for one function of two outcomes, whose complexity is 0: a tail of a binomial, for any m."""
    low, high = sorted((0, 1), key=lambda z: values[z])
    q = Fraction(p[high])
    up, down = q.numerator, q.denominator - q.numerator
    # The worst samples have fewest of the higher outcome; seen counts their chance in units of 1 / denominator^m.
    limit = delta.numerator * q.denominator**m
    if down == 0:
        return Fraction(0)
    term, seen, ups = down**m, 0, 0
    while True:
        seen += term
        if seen * delta.denominator > limit or ups == m:
            break
        term = term * (m - ups) * up // ((ups + 1) * down)
        ups += 1
    return Fraction(values[high] - values[low]) * (q - Fraction(ups, m))


def _reads(given: Instance, *, empirical: bool) -> dict[str, Any]:
    """Return what the symbols of the proofs are, over all samples.

    E is the mean of the largest deviation, R that of the empirical complexity, and q the least number that the deviation
    (less twice the complexity) exceeds with probability delta at most.
    """
    table, p, m, delta = given["functions"], given["probabilities"], given["sample_size"], given["delta"]
    logarithms = {"m": m, "ell": sp.log(sp.Rational(1 / delta)), "k": sp.log(2)}
    if table.shape == (1, 2):  # one function has complexity 0, and its deviation mean 0
        return {**logarithms, "q": _coin(table[0], p, m, delta), "E": Fraction(0), "R": Fraction(0)}
    samples = list(_compositions(m, len(p)))
    chances = [Fraction(_chance_of(p, counts)) for counts in samples]
    deviations = [_deviation(table, p, counts) for counts in samples]
    complexities = [empirical_complexity(table, counts) for counts in samples]
    values = [x - 2 * r if empirical else x for x, r in zip(deviations, complexities, strict=True)]
    above = {
        value: sum((c for v, c in zip(values, chances, strict=True) if v > value), Fraction(0)) for value in values
    }
    return {
        **logarithms,
        "q": min(value for value, chance_above in above.items() if chance_above <= delta),
        "E": Fraction(dot(np.array(chances), np.array(deviations))),
        "R": Fraction(dot(np.array(chances), np.array(complexities))),
    }


def log_inverse(delta: Fraction) -> Enclosure:
    """Return rationals around log(1/delta), delta from 0 to 1."""
    return logarithm(1 / delta)


def _margin(factor: int, numerator: Enclosure, denominator: int) -> Enclosure:
    """Return factor sqrt(numerator / denominator)."""
    return numerator.times(Fraction(1, denominator)).root().times(Fraction(factor))


def _sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    worst = Enclosure.exactly(excess(given, Fraction(2), empirical=False))
    return worst, _margin(1, log_inverse(given["delta"]), given["sample_size"])


def _sharp_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    worst = Enclosure.exactly(excess(given, Fraction(2), empirical=False))
    return worst, _margin(1, log_inverse(given["delta"]), 2 * given["sample_size"])


def _empirical_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    worst = Enclosure.exactly(excess(given, Fraction(2), empirical=True))
    return worst, _margin(3, log_inverse(given["delta"] / 2), given["sample_size"])


def _losses_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return _empirical_sides(given.but(functions=given["losses"]))


def _sharp_empirical_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    worst = Enclosure.exactly(excess(given, Fraction(2), empirical=True))
    return worst, _margin(2, log_inverse(given["delta"]), 2 * given["sample_size"])


def coin(sample_size: int, halvings: int) -> Instance:
    """Return the class of one function, the value of a fair coin, with delta = 2^-halvings."""
    half = Fraction(1, 2)
    return Instance(
        {
            "functions": rationals([[0, 1]]),
            "probabilities": rationals([half, half]),
            "sample_size": sample_size,
            "delta": Fraction(1, 2**halvings),
        },
        "named",
    )


_SOURCE = Source(WALKER2023, "Theorem 2.8, first bound")
_EMPIRICAL = Source(WALKER2023, "Theorem 2.8, second bound")
_NONE = "McDiarmid's bound is met only in the limit of many examples"

W3 = Claim(
    id="W3",
    source=_SOURCE,
    statement=r"\mathbb P\Big(\mathbb E f \le \tfrac1m\sum_i f(z_i) + 2\mathfrak R(\mathcal F) + "
    r"\sqrt{\log(1/\delta)/m}\Big) \ge 1 - \delta",
    form=Form.AT_MOST,
    symbols=_SYMBOLS,
    sides=_sides,
    bound=rademacher_margin,
    bound_on=lambda given: rademacher_margin(given["sample_size"], given["delta"], printed=True),
    proof=proofs.w3,
    reads=partial(_reads, empirical=False),
    finding=Finding.AS_PRINTED,
    note="Left: the least t that sup_f (E f - mean f) - 2 R exceeds with probability delta at most, over all samples. "
    "The margin is sqrt(2) times larger than McDiarmid's inequality gives: W3.a.",
    reading="Read for all f at once, which is what the proof gives and the use in 'for any w' needs.",
    no_extremal="the margin is sqrt(2) times as large as need be: W3.a",
)

W3A = Claim(
    id="W3.a",
    amends="W3",
    source=Source(WALKER2023, "Theorem 2.8, first bound, with the constant of its proof"),
    statement=r"\mathbb P\Big(\forall f:\ \mathbb E f \le \tfrac1m\sum_i f(z_i) + 2\mathfrak R(\mathcal F) + "
    r"\sqrt{\log(1/\delta)/(2m)}\Big) \ge 1 - \delta",
    form=Form.AT_MOST,
    symbols=_SYMBOLS,
    sides=_sharp_sides,
    bound=rademacher_margin,
    bound_on=lambda given: rademacher_margin(given["sample_size"], given["delta"]),
    proof=proofs.w3a,
    reads=partial(_reads, empirical=False),
    finding=Finding.OURS,
    note="The constant is right: one per cent less fails for 15000 tosses of a fair coin at delta = 2^-700.",
    no_extremal=_NONE,
)

W3B = Claim(
    id="W3.b",
    amends="W3",
    source=_EMPIRICAL,
    statement=r"\mathbb P\Big(\mathbb E f \le \tfrac1m\sum_i f(z_i) + 2\hat{\mathfrak R}(\mathcal F) + "
    r"3\sqrt{\log(2/\delta)/m}\Big) \ge 1 - \delta",
    form=Form.AT_MOST,
    symbols=_SYMBOLS,
    sides=_empirical_sides,
    bound=empirical_rademacher_margin,
    bound_on=lambda given: empirical_rademacher_margin(given["sample_size"], given["delta"], printed=True),
    proof=proofs.w3b,
    reads=partial(_reads, empirical=True),
    finding=Finding.AS_PRINTED,
    note="Holds with room to spare: 3 sqrt(log(2/delta)/m) exceeds 1, and says nothing, for m <= 6; W3.c has a margin "
    "that is smaller by more than a factor of 2. The third bound of the theorem is this one for losses, which need not "
    "be in [0, 1]: W3.d.",
    no_extremal="the margin is more than twice as large as need be: W3.c",
)

W3C = Claim(
    id="W3.c",
    amends="W3",
    source=_EMPIRICAL,
    statement=r"\mathbb P\Big(\forall f:\ \mathbb E f \le \tfrac1m\sum_i f(z_i) + 2\hat{\mathfrak R}(\mathcal F) + "
    r"2\sqrt{\log(1/\delta)/(2m)}\Big) \ge 1 - \delta",
    form=Form.AT_MOST,
    symbols=_SYMBOLS,
    sides=_sharp_empirical_sides,
    bound=empirical_rademacher_margin,
    bound_on=lambda given: empirical_rademacher_margin(given["sample_size"], given["delta"]),
    proof=proofs.w3c,
    reads=partial(_reads, empirical=True),
    finding=Finding.OURS,
    note="McDiarmid once, on the difference: the empirical complexity of functions into [0, 1] moves by 1/(2m) only when "
    "one example is changed. Whether the 2 can be smaller is not settled here.",
    no_extremal="it is not known whether the 2 is needed",
)

W3D = Claim(
    id="W3.d",
    amends="W3",
    source=Source(WALKER2023, "Theorem 2.8, third bound, for losses of any size"),
    statement=r"l \ge 0:\quad \mathbb P\Big(L(w) \le \hat L(w) + 2\hat{\mathfrak R}(\mathcal F) + "
    r"3\sqrt{\log(2/\delta)/m}\Big) \ge 1 - \delta",
    form=Form.AT_MOST,
    symbols=(LOSSES, PROBABILITIES, SAMPLE_SIZE, DELTA),
    sides=_losses_sides,
    finding=Finding.CONJECTURE,
    note="Section 2.1 lets losses be anything in [0, infinity); there the bound has no unit of the loss in it. One classifier, "
    "a loss of 16 with probability 1/4 and 0 otherwise, one example: with probability 3/4 > delta = 1/2 the training loss "
    "is 0 and L = 4 exceeds 3 sqrt(log 4) = 3.532. For losses in [0, 1] it is W3.b, and for losses in [0, M] its margin "
    "times M.",
    quote="For a parameter delta in (0, 1) if F is a subset of {f: Z -> [0, 1]} then",
    reading="The theorem opens with these words; that its third bound is for all losses of section 2.1, in [0, "
    "infinity), nobody says.",
    witness=Instance(
        {
            "losses": rationals([[16, 0]]),
            "probabilities": rationals([Fraction(1, 4), Fraction(3, 4)]),
            "sample_size": 1,
            "delta": Fraction(1, 2),
        },
        "named",
    ),
    no_extremal="refuted",
)

CLAIMS = (W3, W3A, W3B, W3C, W3D)
