"""SGD that goes through reshuffled data, against batches drawn anew (B9)."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np

from theory.assumptions import one_dimension
from theory.beyond import reshuffling_bounds, reshuffling_proofs
from theory.beyond.mean_square import (
    exact_hessians,
    growth,
    positive_hessians,
    stable,
    symmetric,
    top_of_step,
    truth,
)
from theory.beyond.mean_square_bounds import symmetric_units
from theory.checks import Array, rationals
from theory.claim import Assumption, Claim, Finding, Form, Instance
from theory.enclosure import Enclosure, positive_semidefinite, square_root
from theory.extremes import eigenvector, leading, nearly
from theory.sources import HOUSE, Source
from theory.symbols import FIRST, SECOND, SHARE, SYSTEM


def epoch_growth(given: Instance, *, times: Fraction = Fraction(1)) -> Enclosure:
    """Return the mean-square growth of an epoch of reshuffling, with the step size times a factor."""
    return reshuffling_bounds.epoch_growth(
        exact_hessians(given), times * Fraction(given["step_size"]), given["batch_size"]
    )


def epoch_stable(given: Instance, *, times: Fraction = Fraction(1)) -> Enclosure:
    """Return whether the growth of an epoch is at most 1."""
    return epoch_growth(given, times=times).at_most(1)


def _parallel(*squares_: Fraction | int) -> Array:
    return rationals([[[h]] for h in squares_])


B9 = Claim(
    id="B9",
    source=Source(HOUSE, "B9, as first stated"),
    statement=r"\text{reshuffling has a threshold: stable at } \eta \;\Rightarrow\; \text{stable at } s\eta,\quad 0 < s \le 1",
    form=Form.IMPLICATION,
    symbols=(*SYSTEM, SHARE),
    sides=lambda given: (epoch_stable(given), epoch_stable(given, times=given["share"])),
    finding=Finding.CONJECTURE,
    note="The stable step sizes need not be an interval. Features 1 and 1/10, B = 1: an epoch grows by (1 - eta)^2 "
    "(1 - eta/100)^2, which is 6561/100 at eta = 10 and 0 at eta = 100. What is meant by a threshold is the end of the first "
    "interval; B9.f bounds it from below.",
    reading="Nobody says it but this library, which first put it up so.",
    witness=Instance(
        {
            "hessians": _parallel(1, Fraction(1, 100)),
            "step_size": Fraction(100),
            "batch_size": 1,
            "share": Fraction(1, 10),
            "first": rationals([[1]]),
            "second": rationals([[1]]),
        },
        "named",
    ),
    no_extremal="refuted",
)


def _divides() -> Assumption:
    return Assumption("B divides n", lambda given: len(given["hessians"]) % given["batch_size"], lambda rest: rest == 0)


def product_with_epoch(given: Instance, first: str, second: str) -> Enclosure:
    """Return tr(Y M(X)) for two of the matrices by name.

    Raises:
        ValueError: if the sizes differ.
    """
    hessians, x, y = exact_hessians(given), given[first], given[second]
    if not x.shape == y.shape == hessians.shape[1:]:
        raise ValueError(f"first and second must have the shape of the Hessians, got {x.shape} and {y.shape}")
    after = reshuffling_bounds.epoch_step(x, hessians, Fraction(given["step_size"]), given["batch_size"])
    return Enclosure.exactly(Fraction(np.sum(after * y)))


def orders(given: Instance) -> list[tuple[Array, Array]]:
    """Return P = A_k .. A_1 of an order of the points and of the same backwards, for each such pair of orders."""
    hessians, eta, batch = exact_hessians(given), Fraction(given["step_size"]), int(given["batch_size"])
    n, identity = len(hessians), np.eye(hessians.shape[1], dtype=int)

    def product(order: tuple[int, ...]) -> Array:
        whole = rationals(identity)
        for first in range(0, n, batch):
            part = list(order[first : first + batch])
            whole = (identity - eta * hessians[part].sum(axis=0) / Fraction(len(part))) @ whole
        return whole

    return [(product(p), product(p[::-1])) for p in permutations(range(n)) if p <= p[::-1]]


def _reads_epoch(given: Instance) -> dict[str, Any]:
    """Return what B9.a's proof speaks of: tr(Y P X P^T) and tr(X P Y P^T) in each pair of orders."""
    x, y, pairs = given["first"], given["second"], orders(given)
    named = {"y": (0, y, x), "r": (1, y, x), "x": (0, x, y), "s": (1, x, y)}
    values = {
        name: [Fraction(np.sum(left * (p[k] @ right @ p[k].T))) for p in pairs]
        for name, (k, left, right) in named.items()
    }
    return {"m": len(pairs), "N": len(pairs), **values}


B9A = Claim(
    id="B9.a",
    amends="B9",
    source=Source(HOUSE, "B9, the map of an epoch"),
    statement=r"B \mid n:\quad \operatorname{tr}(Y M(X)) = \operatorname{tr}(X M(Y))",
    form=Form.IDENTITY,
    symbols=(*SYSTEM, FIRST, SECOND),
    assumptions=(_divides(),),
    sides=lambda given: (product_with_epoch(given, "first", "second"), product_with_epoch(given, "second", "first")),
    proof=reshuffling_proofs.b9a,
    reads=_reads_epoch,
    finding=Finding.OURS,
    note="M, the expected map of an epoch, is self-adjoint where B divides n; with a smaller last batch it need not be. So "
    "its powers stay bounded where its eigenvalues are at most 1, as the spectral theorem says, which is not evaluated here.",
    no_extremal="an identity",
)


B9B = Claim(
    id="B9.b",
    amends="B9",
    source=Source(HOUSE, "B9, against batches drawn anew, as first stated"),
    statement=r"B \mid n,\ H_i \succeq 0,\ \text{stable with batches drawn anew} \;\Rightarrow\; "
    r"\text{stable with reshuffling}",
    form=Form.IMPLICATION,
    symbols=SYSTEM,
    assumptions=(positive_hessians(), _divides()),
    sides=lambda given: (truth(stable(given)), epoch_stable(given)),
    finding=Finding.CONJECTURE,
    note="Features 1, 1, 0, 0, B = 2, stable up to eta = 3 with batches drawn anew: an epoch pairs the ones with probability "
    "1/3, and at eta = 29/10 it grows by 1.23; reshuffling is stable up to 2.722. Nor for B = 1: features (0, 3), (0, 3), "
    "(2, 2) are stable at 0.2294 and an epoch grows by 1.022. True for two points (B9.c), and in one dimension for B = 1 "
    "(B9.d).",
    reading="Nobody says it: put up here to ask whether reshuffling is the more stable.",
    witness=Instance({"hessians": _parallel(1, 1, 0, 0), "step_size": Fraction(29, 10), "batch_size": 2}, "named"),
    no_extremal="refuted",
)


def power(side: Enclosure, exponent: int) -> Enclosure:
    """Return the power of a number that is not negative."""
    return Enclosure(*(max(Fraction(end), Fraction(0)) ** exponent for end in (side.lower, side.upper)))


def against_fresh(given: Instance, more: int = 0) -> tuple[Enclosure, Enclosure]:
    """Return the growth of an epoch, and of as many steps with batches drawn anew, or a number more."""
    steps = -(-len(given["hessians"]) // given["batch_size"])
    return epoch_growth(given), power(growth(given), steps + more)


def _points(wanted: int) -> Assumption:
    return Assumption(f"n = {wanted}", lambda given: len(given["hessians"]), lambda n: n == wanted)


def _single() -> Assumption:
    return Assumption("B = 1", lambda given: given["batch_size"], lambda batch: batch == 1)


def _top_of_epoch(given: Instance) -> Array:
    """Return an eigenvector to the growth of an epoch, up to many digits."""
    hessians, eta, batch = exact_hessians(given), Fraction(given["step_size"]), int(given["batch_size"])
    units = symmetric_units(hessians.shape[1])
    moved = [reshuffling_bounds.epoch_step(rationals(unit), hessians, eta, batch) for unit in units]
    places = np.triu_indices(hessians.shape[1])
    return symmetric(eigenvector(rationals([after[places] for after in moved]).T))


def _reads_two_points(given: Instance) -> dict[str, Any]:
    """Return what B9.c's proof speaks of: S_1(X) and S_2(X), X where an epoch grows most, and where a step does."""
    hessians, eta = exact_hessians(given), Fraction(given["step_size"])
    identity = np.eye(hessians.shape[1], dtype=int)
    if given["batch_size"] == 2:
        a = identity - eta * hessians.sum(axis=0) / Fraction(2)
        w = leading(a @ a, rationals(identity))
        x = np.multiply.outer(w, w)
        tops = [(x, a @ x, a @ x)] * 2
    else:
        steps = [identity - eta * h for h in hessians]
        found = (_top_of_epoch(given), top_of_step(given, eta, 1))
        tops = [(x, *(a @ x @ a for a in steps)) for x in found]
    values: dict[str, Any] = {"m": identity.size}
    for names, (x, first, second) in zip(("uv", "UV"), tops, strict=True):
        size = Fraction(square_root(Fraction(np.sum(x * x)), bits=300).lower)
        values |= {
            name: [nearly(Fraction(v) / size) for v in part.ravel()]
            for name, part in zip(names, (first, second), strict=True)
        }
    return values


B9C = Claim(
    id="B9.c",
    amends="B9",
    source=Source(HOUSE, "B9, two points"),
    statement=r"n = 2:\quad \rho(M) \le \rho(T)^{2/B}",
    form=Form.AT_MOST,
    symbols=SYSTEM,
    assumptions=(_points(2),),
    sides=against_fresh,
    proof=reshuffling_proofs.b9c,
    reads=_reads_two_points,
    finding=Finding.OURS,
    note="So reshuffling two points is stable wherever batches drawn anew are, in any dimension, for any symmetric H_i.",
    extremal=Instance({"hessians": _parallel(2, 2), "step_size": Fraction(1), "batch_size": 1}, "named"),
)


def _reads_factors(given: Instance) -> dict[str, Any]:
    """Return what B9.d's proof speaks of: (1 - eta h_i)^2."""
    hessians, eta = exact_hessians(given), Fraction(given["step_size"])
    return {"m": len(hessians), "a": [(1 - eta * Fraction(h[0, 0])) ** 2 for h in hessians]}


B9D = Claim(
    id="B9.d",
    amends="B9",
    source=Source(HOUSE, "B9, one dimension"),
    statement=r"d = B = 1:\quad \rho(M) = \prod_i (1 - \eta h_i)^2 \le \rho(T)^n",
    form=Form.AT_MOST,
    symbols=SYSTEM,
    assumptions=(one_dimension(), _single()),
    sides=against_fresh,
    proof=reshuffling_proofs.b9d,
    reads=_reads_factors,
    finding=Finding.OURS,
    note="The geometric mean for the arithmetic mean. In two dimensions or with B = 2 it is false (B9.b).",
    extremal=Instance({"hessians": _parallel(2, 2, 2), "step_size": Fraction(1), "batch_size": 1}, "named"),
)


def _orthonormal(given: Instance) -> bool:
    """Return whether H_i = phi_i phi_i^T for an orthonormal basis phi_1, .., phi_d."""
    h = exact_hessians(given)
    projections = all(np.all(a @ b == (a if i == j else 0 * a)) for i, a in enumerate(h) for j, b in enumerate(h))
    return bool(h.shape[0] == h.shape[1] and projections and all(np.trace(a) == 1 for a in h))


def orthonormal_growth(given: Instance, *, whole: int = 0) -> Fraction:
    """Return 1 - 2 eta (q + 1)/n + eta^2 (q/B + 1/s)/n, n = q B + s, 1 <= s <= B; with `whole` full batches more."""
    n, eta, batch = len(given["hessians"]), Fraction(given["step_size"]), int(given["batch_size"])
    q, s = divmod(n - 1, batch)
    q, s = q + whole, s + 1
    return 1 - 2 * eta * (q + 1) / n + eta**2 * (Fraction(q, batch) + Fraction(1, s)) / n


def _reads_places(given: Instance) -> dict[str, Any]:
    """Return what B9.e's proof speaks of: q, B and s, and the mean of u v over two places in an order."""
    n, eta, batch = len(given["hessians"]), Fraction(given["step_size"]), int(given["batch_size"])
    q, s = divmod(n - 1, batch)
    factors = [1 - eta / min(batch, n - place // batch * batch) for place in range(n)]
    pairs = [u * v for u, v in permutations(factors, 2)]
    return {"eta": eta, "q": q, "B": batch, "s": s + 1, "r": sum(pairs, Fraction(0)) / max(len(pairs), 1)}


B9E = Claim(
    id="B9.e",
    amends="B9",
    source=Source(HOUSE, "B9, a smaller last batch"),
    statement=r"(\phi_i) \text{ an orthonormal basis},\ n = qB + s,\ 1 \le s \le B:\quad \rho(M) = 1 - \tfrac{2\eta(q+1)}{n} + "
    r"\tfrac{\eta^2}{n}\big(\tfrac qB + \tfrac1s\big)",
    form=Form.IDENTITY,
    symbols=SYSTEM,
    assumptions=(Assumption("orthonormal features, n = d", _orthonormal, bool),),
    sides=lambda given: (epoch_growth(given), Enclosure.exactly(orthonormal_growth(given))),
    proof=reshuffling_proofs.b9e,
    reads=_reads_places,
    finding=Finding.OURS,
    note="So it is at most 1 up to eta = 2 (q + 1)/(q/B + 1/s). With batches drawn anew the threshold is 2 B, and here too "
    "where B divides n. With n = B + 1 it is 4 B/(B + 1): 3 for 6 at B = 3, and as small a part of 2 B as one likes. The "
    "leftover batch is averaged over its own size.",
    no_extremal="an identity",
)


def worst_batch(given: Instance, limit: Fraction = Fraction(2), *, leftover: bool = True) -> bool:
    """Return whether 0 <= eta H_batch <= limit for every batch of an epoch, those of the last place included or not."""
    hessians, eta = exact_hessians(given), Fraction(given["step_size"])
    whole = limit * np.eye(hessians.shape[1], dtype=int)
    parts = reshuffling_bounds.batches_of_an_epoch(len(hessians), given["batch_size"])
    means = [
        hessians[list(part)].sum(axis=0) / Fraction(len(part))
        for part in parts
        if leftover or len(part) == given["batch_size"]
    ]
    return all(positive_semidefinite(m) and positive_semidefinite(whole - eta * m) for m in means)


def _reads_orders(given: Instance) -> dict[str, Any]:
    """Return what B9.f's proof speaks of: |X|^2, and tr(X P X P^T) in each order, X where an epoch grows most."""
    x = _top_of_epoch(given)
    moved = [Fraction(np.sum(x * (p @ x @ p.T))) for pair in orders(given) for p in pair]
    return {"m": len(moved), "N": len(moved), "S": nearly(Fraction(np.sum(x * x)), 1), "y": moved}


B9F = Claim(
    id="B9.f",
    amends="B9",
    source=Source(HOUSE, "B9, a bound from below"),
    statement=r"0 \preceq \eta H_{\text{batch}} \preceq 2I \text{ for every batch of an epoch} \;\Rightarrow\; \rho(M) \le 1",
    form=Form.AT_MOST,
    symbols=SYSTEM,
    assumptions=(Assumption("no batch expands: 0 <= eta H_batch <= 2", worst_batch, bool),),
    sides=lambda given: (epoch_growth(given), Enclosure.exactly(Fraction(1))),
    proof=reshuffling_proofs.b9f,
    reads=_reads_orders,
    finding=Finding.OURS,
    note="Stable in every order, not only on average, at all step sizes up to 2/max lambda_max(H_batch); the smaller last "
    "batch counts with its own size.",
    extremal=Instance({"hessians": _parallel(2, 2, 2), "step_size": Fraction(1), "batch_size": 2}, "named"),
)

CLAIMS = (B9, B9A, B9B, B9C, B9D, B9E, B9F)
