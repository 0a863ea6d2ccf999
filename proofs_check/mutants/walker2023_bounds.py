"""Mutants of the claims of Walker 2023 on complexity, the generalisation gap, robust means and the motivating example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants.operators import (
    Kind,
    Mutant,
    both_ways,
    bounds,
    left,
    moved,
    right,
    strict,
    stronger,
    turned,
    without,
)
from theory.checks import Array, rationals
from theory.claim import Claim, Instance
from theory.claims import walker2023_descent as descent
from theory.claims import walker2023_rademacher as rademacher
from theory.claims import walker2023_tangent as tangent
from theory.enclosure import Enclosure, square_root, top_eigenvalue


def _times(claim: Claim, name: str, kind: Kind, factor: Callable[[Instance], Fraction]) -> Mutant:
    """Return the claim with its right side times a factor >= 0 that depends on the instance."""
    sides = claim.sides
    return right(claim, name, kind, lambda given: sides(given)[1].times(factor(given)))


def _root(value: Fraction) -> Fraction:
    return Fraction(square_root(value).upper)


def _complexities(factor: int, *, empirical: bool) -> Callable[[Instance], Fraction]:
    """Return the left side with so many times the complexity for twice."""
    return lambda given: rademacher.excess(given, Fraction(factor), empirical=empirical)


def _with_m(claim: Claim) -> Mutant:
    """Return the claim with the m out of the root."""
    return _times(claim, "m for sqrt(m)", Kind.DROPPED, lambda given: _root(Fraction(1, given["sample_size"])))


def _spectral(matrix: Array) -> Enclosure:
    return top_eigenvalue(matrix @ matrix.T).root()


def _path(matrices: Callable[[Instance], Array], radii: Callable[[Instance], Array]) -> tuple[Mutant, ...]:
    """Return mutants of W6 or W7, whose symbols these read."""

    def bound(
        change: Callable[[Array], Array], norm: Callable[[Array], Enclosure], most: int | None = None
    ) -> Callable[[Instance], Enclosure]:
        def side(given: Instance) -> Enclosure:
            features = given["features"]
            pairs = list(zip(matrices(given), radii(given), strict=True))[:most]
            return tangent.total(
                norm(tangent.inverse(change(a)) @ features.T).times(Fraction(r) / len(features)) for a, r in pairs
            )

        return side

    claim = tangent.W6 if matrices is _one_matrix else tangent.W7
    transposed = right(claim, "the transpose of A", Kind.DROPPED, bound(lambda a: a.T, tangent.frobenius))
    spectral = right(claim, "the spectral norm", Kind.MIN_MAX, bound(lambda a: a, _spectral))
    dropped = right(claim, "one update fewer", Kind.OFF_BY_ONE, bound(lambda a: a, tangent.frobenius, -1))
    more = _times(
        claim,
        "m + 1 for m",
        Kind.OFF_BY_ONE,
        lambda given: Fraction(len(given["features"]), len(given["features"]) + 1),
    )
    return transposed, spectral, more, *((dropped,) if claim is tangent.W7 else ())


def _one_matrix(given: Instance) -> Array:
    stack: Array = given["matrix"][None]
    return stack


def _one_radius(given: Instance) -> Array:
    return np.array([given["radius"]], dtype=object)


def _maps(given: Instance) -> Enclosure:
    """W7.a with spectral norms."""
    maps, updates = given["feature_maps"], given["updates"]
    norms = (tangent.frobenius(w[None]) for w in updates)
    pairs = ((n, _spectral(phi)) for n, phi in zip(norms, maps, strict=True))
    whole = tangent.total(Enclosure(n.lower * s.lower, n.upper * s.upper) for n, s in pairs)
    return whole.times(Fraction(1, maps.shape[1]))


def _fewer_maps(given: Instance) -> Enclosure:
    fewer = given.but(updates=given["updates"][:-1], feature_maps=given["feature_maps"][:-1])
    return tangent.W7A.sides(fewer)[1]


def _no_growth(given: Instance) -> Enclosure:
    return descent.expected_bound(given, Fraction(0))


def _fewer_steps(given: Instance) -> Enclosure:
    fewer = given.but(step_sizes=given["step_sizes"][:-1])
    return descent.W10A.sides(fewer)[1] if len(fewer["step_sizes"]) else Enclosure.exactly(Fraction(0))


def _over_lipschitz(given: Instance) -> Fraction:
    lipschitz = descent.constants(given["loss_slopes"])[0]
    return 1 / lipschitz if lipschitz else Fraction(1)


def _clipped_above(given: Instance) -> Fraction:
    """Return the mean of values clipped to the upper percentile only, at c = 50 the median."""
    middle = descent.median(given["values"])
    return descent.plain_mean(rationals([min(value, middle) for value in given["values"]]))


def _lower_middle(given: Instance) -> Fraction:
    values = np.sort(given["values"])
    return Fraction(values[(len(values) - 1) // 2])


def _plain(given: Instance) -> Enclosure:
    return descent.beyond(descent.plain_mean(given["values"]), descent.inliers(given))


def _mean_of_means(given: Instance) -> Enclosure:
    return descent.beyond(descent.plain_mean(given["values"]), descent.untouched_means(given))


def _example(given: Instance) -> tuple[int, Fraction]:
    return given["examples"], given["strength"]


W3, W3A, W3B, W3C, _ = rademacher.CLAIMS
W6, W7, W7A, W10A = tangent.W6, tangent.W7, tangent.W7A, descent.W10A
W12, W12A, W12B, W12C = descent.W12, descent.W12A, descent.W12B, descent.W12C
W13A, W13B = descent.W13A, descent.W13B
FEW, FEWER = "at most c (m - 1) / 100 outliers", "fewer than k / 2 groups have outliers"


def _fewer_examples(given: Instance) -> Fraction:
    """W13.a with s^2 for m s^2."""
    m, s = _example(given)
    return (1 + s**2) / (m * (1 + s**2))


MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "W3": (
        left(W3, "R for 2 R", Kind.CONSTANT, _complexities(1, empirical=False)),
        left(W3, "no R", Kind.DROPPED, _complexities(0, empirical=False)),
        _with_m(W3),
        turned(W3),
        replace(stronger(W3), equivalent="true: the margin may be smaller by a factor sqrt(2) (W3.a)"),
    ),
    "W3.a": (
        stronger(W3A),
        left(W3A, "R for 2 R", Kind.CONSTANT, _complexities(1, empirical=False)),
        left(W3A, "no R", Kind.DROPPED, _complexities(0, empirical=False)),
        _with_m(W3A),
        turned(W3A),
    ),
    "W3.b": (
        _with_m(W3B),
        turned(W3B),
        replace(stronger(W3B), equivalent="true: the margin may be smaller by more than a factor 2 (W3.c)"),
    ),
    "W3.c": (
        left(W3C, "no R", Kind.DROPPED, _complexities(0, empirical=True)),
        _with_m(W3C),
        turned(W3C),
    ),
    "W6": (*bounds(W6), *_path(_one_matrix, _one_radius)),
    "W7": (
        *bounds(W7),
        *_path(lambda given: given["matrices"], lambda given: given["radii"]),
    ),
    "W7.a": (
        *bounds(W7A),
        right(W7A, "the spectral norm", Kind.MIN_MAX, _maps),
        right(W7A, "one update fewer", Kind.OFF_BY_ONE, _fewer_maps),
    ),
    "W10.a": (
        right(W10A, "no growth of differences", Kind.DROPPED, _no_growth),
        right(W10A, "one step fewer", Kind.OFF_BY_ONE, _fewer_steps),
        _times(W10A, "L for L^2", Kind.DROPPED, _over_lipschitz),
        _times(W10A, "m^2 for m", Kind.DROPPED, lambda given: Fraction(1, given["sample_size"])),
        _times(W10A, "sqrt(1 - alpha)", Kind.DROPPED, lambda given: _root(Fraction(1, 2))),
        turned(W10A),
        strict(W10A),
    ),
    "W12": (*both_ways(W12), without(W12, "c = 0")),
    "W12.a": (
        *both_ways(W12A),
        without(W12A, "c = 50"),
        right(W12A, "clipped from above only", Kind.DROPPED, _clipped_above),
        right(W12A, "the lower of the middle two", Kind.OFF_BY_ONE, _lower_middle),
    ),
    "W12.b": (
        moved(W12B, FEW, lambda excess: excess <= Fraction(1, 100), "one per cent more outliers"),
        moved(W12B, FEW, lambda excess: excess <= 1, "one outlier more", Kind.OFF_BY_ONE),
        without(W12B, FEW),
        left(W12B, "no clipping", Kind.DROPPED, _plain),
        turned(W12B),
        strict(W12B),
    ),
    "W12.c": (
        moved(W12C, FEWER, lambda share: share <= 1, "at most k / 2", Kind.BOUNDARY),
        moved(W12C, FEWER, lambda share: share < 2, "some group has none", Kind.ASSUMPTION),
        left(W12C, "the mean for the median", Kind.DROPPED, _mean_of_means),
        turned(W12C),
        strict(W12C),
    ),
    "W13.a": (
        *both_ways(W13A),
        right(W13A, "s^2 for m s^2", Kind.DROPPED, _fewer_examples),
    ),
    "W13.b": (
        *both_ways(W13B),
        right(
            W13B,
            "t + 1 for t",
            Kind.OFF_BY_ONE,
            lambda given: Fraction(W13B.sides(given.but(steps=given["steps"] + 1))[1].lower),
        ),
        _times(W13B, "s for m s", Kind.DROPPED, lambda given: Fraction(1, given["examples"])),
    ),
}
