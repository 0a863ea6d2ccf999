"""Walker 2023 on linear stability of SGD: W1 and W2."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import sympy as sp

from theory.assumptions import growth, mean_square_stable, one_dimension
from theory.checks import rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, positive_semidefinite, top_eigenvalue
from theory.linear_stability import (
    mean_growth,
    mean_square_condition,
    moments,
    noise_share,
    outer_products,
    top_like,
)
from theory.sources import WALKER2023, Source
from theory.symbols import BATCH, HESSIANS, STEP_SIZE_ON_MEAN
from theory.walker2023 import linear_stability_proofs as proofs


def condition(given: Instance) -> Enclosure:
    """Return lambda_max((1 - eta H)^2 + eta^2 p Sigma); floats count as the rationals they are."""
    hessians = given["hessians"]
    return top_like(
        mean_square_condition(rationals(hessians), Fraction(given["step_size"]), given["batch_size"]), hessians
    )


def _sufficient_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return condition(given).at_most(1), growth(given).at_most(1)


def sharpness_and_spread(given: Instance) -> tuple[Enclosure, Enclosure]:
    """Return eta a / 2 and eta s sqrt(p), which eq 2 asks to be at most 1."""
    hessians, eta = given["hessians"], Fraction(given["step_size"])
    edge = mean_growth(hessians, eta)
    variance = top_like(moments(rationals(hessians))[1], hessians)
    spread = variance.times(eta**2 * noise_share(len(hessians), given["batch_size"])).root()
    return edge.times(Fraction(1, 2)), spread


def _reads_growth(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W1's proof are, each to its end of an interval: lambda_max from above, rho from below."""
    return {r"\lambda": Fraction(condition(given).upper), "rho": Fraction(growth(given).lower)}


def _reads_batches(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W1.a's proof are: the moments of the curvatures, and the mean of every batch."""
    curvatures = [Fraction(h) for h in given["hessians"].ravel()]
    n, batch = len(curvatures), given["batch_size"]
    means = [sum(chosen) / batch for chosen in combinations(curvatures, batch)]
    return {
        "eta": Fraction(given["step_size"]),
        "p": noise_share(n, batch),
        "h": sum(curvatures) / n,
        "m2": sum(h * h for h in curvatures) / n,
        "m": len(means),
        "x": means,
    }


def _largest(*values: Enclosure) -> Enclosure:
    return Enclosure(max(value.lower for value in values), max(value.upper for value in values))


def distance_from_the_middle(sharpness: Enclosure) -> Enclosure:
    """Return the larger of eta a / 2 and 1 - eta a / 2, which is at most 1 where 0 <= a <= 2 / eta."""
    return _largest(sharpness, Enclosure.exactly(Fraction(1)) + -sharpness)


def _necessary_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    sharpness, spread = sharpness_and_spread(given)
    return _largest(distance_from_the_middle(sharpness), spread), Enclosure.exactly(Fraction(1))


def _enough_sides(given: Instance) -> tuple[Enclosure, Enclosure]:
    return _largest(*sharpness_and_spread(given)).at_most(1), growth(given).at_most(1)


def _condition_holds() -> Assumption:
    return Assumption("W1's condition: lambda_max(..) <= 1", condition, lambda v: v.upper <= 1)


def _positive_hessians() -> Assumption:
    return Assumption(
        "each H_i is positive semidefinite",
        lambda given: all(positive_semidefinite(h) for h in rationals(given["hessians"])),
        bool,
    )


THREE_POINTS = Instance(
    {"hessians": outer_products((1, 0), (1, -1), (1, 1)), "step_size": Fraction(11, 10), "batch_size": 1}, "named"
)
"""Linear regression with an intercept on x = 0, -1, 1: stable at eta = 11/10, beyond eq 2's limit on s."""

W1 = Claim(
    id="W1",
    source=Source(WALKER2023, "Theorem 2.4"),
    statement=r"\lambda_{\max}\big((1-\eta H)^2 + \tfrac{\eta^2(n-B)}{B(n-1)}\Sigma\big) \le 1 \;\Rightarrow\; "
    r"\text{linearly stable}",
    form=Form.IMPLICATION,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(_condition_holds(),),
    sides=_sufficient_sides,
    proof=proofs.w1,
    reads=_reads_growth,
    finding=Finding.AS_PRINTED,
    note="Sufficient, as printed; for d >= 2 not necessary: linear regression on x = -1, 0, 1 at eta = 11/10, B = 1 "
    "is stable and fails it (W2's witness).",
    reading="For n = 1 the printed factor is 0/0, and is read as 0.",
    no_extremal="an implication; W1.a is exact in one dimension",
)

W1A = Claim(
    id="W1.a",
    amends="W1",
    source=Source(WALKER2023, "Theorem 2.4, last sentence"),
    statement=r"d = 1,\ n \ge 2:\quad (1-\eta h)^2 + \tfrac{\eta^2(n-B)}{B(n-1)}\sigma^2 \le 1 \iff \text{linearly stable}",
    form=Form.EQUIVALENCE,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(one_dimension(),),
    sides=_sufficient_sides,
    proof=proofs.w1a,
    reads=_reads_batches,
    finding=Finding.AS_PRINTED,
    note="Necessary and sufficient in one dimension, equality included.",
    no_extremal="an equivalence",
)

W2 = Claim(
    id="W2",
    source=Source(WALKER2023, "Remark 2.5, eq 2"),
    statement=r"\text{linearly stable} \;\Rightarrow\; 0 \le a \le \tfrac2\eta,\ "
    r"0 \le s \le \tfrac1\eta\sqrt{\tfrac{B(n-1)}{n-B}};\quad \text{and SGD can converge to minima satisfying this}",
    form=Form.AT_MOST,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(mean_square_stable(),),
    sides=_necessary_sides,
    finding=Finding.FALSE,
    note="Read as necessary for stability, as the remark uses it: eq 2 follows from W1's condition (W2.a), which is itself "
    "only sufficient. For stability it is not necessary when d >= 2: linear regression on x = -1, 0, 1 at "
    "eta = 11/10, B = 1 has mean-square growth 0.99837 and eta s = 1.037. "
    "With n = 2 it is necessary, so three points in two dimensions are the fewest. Nor is it sufficient, as the remark's "
    "list uses it (W2.b).",
    quote="A simpler necessary condition is 0 <= a <= 2/eta, and 0 <= s <= (1/eta) sqrt(B(n-1)/(n-B)).",
    reading="As necessary for linear stability, since it is to 'filter out minima'; as necessary for the condition of "
    "Theorem 2.4 it is right (W2.a).",
    witness=THREE_POINTS,
    no_extremal="refuted",
)


def _reads_eq_2(given: Instance) -> dict[str, Any]:
    """Return what the symbols of W2.a's proof are: a and s^2 to more digits than matter."""
    mean, variance = moments(given["hessians"])
    return {
        "eta": Fraction(given["step_size"]),
        "p": noise_share(len(given["hessians"]), given["batch_size"]),
        "a": Fraction(top_eigenvalue(mean).midpoint),
        "s": sp.sqrt(sp.Rational(max(Fraction(top_eigenvalue(variance).midpoint), Fraction(0)))),
    }


W2A = Claim(
    id="W2.a",
    amends="W2",
    source=Source(WALKER2023, "Remark 2.5, repaired"),
    statement=r"\lambda_{\max}\big((1-\eta H)^2 + \eta^2 p\,\Sigma\big) \le 1 \;\Rightarrow\; "
    r"0 \le a \le \tfrac2\eta,\ 0 \le s \le \tfrac1{\eta\sqrt p}",
    form=Form.AT_MOST,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(_condition_holds(),),
    sides=_necessary_sides,
    proof=proofs.w2a,
    reads=_reads_eq_2,
    finding=Finding.OURS,
    note="Necessary for W1's sufficient condition, hence for stability where d = 1. The Hessians need not be positive; "
    "0 <= s needs no condition.",
    extremal=Instance({"hessians": outer_products((1,), (1,)), "step_size": Fraction(2), "batch_size": 1}, "named"),
)

W2B = Claim(
    id="W2.b",
    amends="W2",
    source=Source(WALKER2023, "Remark 2.5, the list after eq 2"),
    statement=r"a \le \tfrac2\eta,\ s \le \tfrac1{\eta\sqrt p} \;\Rightarrow\; \text{linearly stable}",
    form=Form.IMPLICATION,
    symbols=(HESSIANS, STEP_SIZE_ON_MEAN, BATCH),
    assumptions=(
        _positive_hessians(),
        Assumption("eq 2", lambda given: _largest(*sharpness_and_spread(given)), lambda v: v.upper <= 1),
    ),
    sides=_enough_sides,
    finding=Finding.FALSE,
    note="'SGD can converge to minima satisfying (2)', read as 'to every such minimum': h = 3/5, 27/10, 27/10 with "
    "eta = B = 1 satisfies it, its second "
    "moment grows by 1.98 a step, and since E log|1 - h| > 0 almost every path diverges. Two samples suffice against "
    "mean-square stability alone: h = 1, 3. Nor does GD converge at a = 2 / eta, where it keeps its distance.",
    quote="SGD can converge to minima satisfying (2).",
    reading="Strained: read as 'to every minimum satisfying (2)'; as 'to some of them' it is right, and as 'to no "
    "others' it is W2.",
    witness=Instance(
        {
            "hessians": np.array([[[Fraction(h, 10)]] for h in (6, 27, 27)], dtype=object),
            "step_size": Fraction(1),
            "batch_size": 1,
        },
        "named",
    ),
    no_extremal="refuted",
)

CLAIMS = (W1, W1A, W2, W2A, W2B)
