"""Mutants of the claims of Walker 2023 on complexity, the generalisation gap, robust means and the motivating example."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from proofs_check.mutants.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    Sides,
    moved,
    scaled,
    sides_of,
    stronger,
    turned,
    with_sides,
    without,
)
from proofs_check.mutants.operators import strict as strictly
from theory.checks import Array, rationals
from theory.claim import Claim, Instance
from theory.claims import walker2023_descent as descent
from theory.claims import walker2023_rademacher as rademacher
from theory.claims import walker2023_tangent as tangent
from theory.enclosure import Enclosure, square_root, top_eigenvalue


def _times(claim: Claim, factor: Callable[[Instance], Fraction]) -> Sides:
    """Return the sides of a claim, the right one times a factor >= 0 that depends on the instance."""
    sides = sides_of(claim)

    def changed(given: Instance) -> tuple[Enclosure, Enclosure]:
        lhs, rhs = sides(given)
        return lhs, Enclosure(Fraction(rhs.lower) * factor(given), Fraction(rhs.upper) * factor(given))

    return changed


def _root(value: Fraction) -> Fraction:
    return Fraction(square_root(value).upper)


def _complexities(claim: Claim, factor: int, *, empirical: bool) -> Sides:
    """Return the sides with so many times the complexity for twice."""
    sides = sides_of(claim)

    def changed(given: Instance) -> tuple[Enclosure, Enclosure]:
        worst = rademacher.excess(given, Fraction(factor), empirical=empirical)
        return Enclosure.exactly(worst), sides(given)[1]

    return changed


def _with_m(claim: Claim) -> Mutant:
    """Return the claim with the m out of the root."""
    return with_sides(
        claim, "m for sqrt(m)", Kind.DROPPED, _times(claim, lambda given: _root(Fraction(1, given["sample_size"])))
    )


def _spectral(matrix: Array) -> Enclosure:
    top = top_eigenvalue(matrix @ matrix.T)
    return square_root_of(top)


def square_root_of(value: Enclosure) -> Enclosure:
    """Return the root of an interval of non-negative rationals."""
    lower, upper = (square_root(max(Fraction(end), Fraction(0))) for end in (value.lower, value.upper))
    return Enclosure(lower.lower, upper.upper)


def _path(matrices: Callable[[Instance], Array], radii: Callable[[Instance], Array]) -> tuple[Mutant, ...]:
    """Return mutants of W6 or W7, whose symbols these read."""

    def bound(change: Callable[[Array], Array], norm: Callable[[Array], Enclosure], most: int | None) -> Sides:
        def sides(given: Instance) -> tuple[Enclosure, Enclosure]:
            features, stack, sizes = given["features"], matrices(given), radii(given)
            pairs = list(zip(stack, sizes, strict=True))[:most]
            parts = (
                tangent.times(norm(tangent.inverse(change(a)) @ features.T), Fraction(r) / len(features))
                for a, r in pairs
            )
            return tangent.path_complexity(features, stack, sizes), tangent.total(parts)

        return sides

    claim = tangent.W6 if matrices is _one_matrix else tangent.W7
    plain = bound(lambda a: a, tangent.frobenius, None)
    transposed = with_sides(claim, "the transpose of A", Kind.DROPPED, bound(lambda a: a.T, tangent.frobenius, None))
    spectral = with_sides(claim, "the spectral norm", Kind.MIN_MAX, bound(lambda a: a, _spectral, None))
    dropped = with_sides(claim, "one update fewer", Kind.OFF_BY_ONE, bound(lambda a: a, tangent.frobenius, -1))
    more = with_sides(
        with_sides(claim, "", Kind.OFF_BY_ONE, plain).claim,
        "m + 1 for m",
        Kind.OFF_BY_ONE,
        _times(claim, lambda given: Fraction(len(given["features"]), len(given["features"]) + 1)),
    )
    return transposed, spectral, more, *((dropped,) if claim is tangent.W7 else ())


def _one_matrix(given: Instance) -> Array:
    stack: Array = given["matrix"][None]
    return stack


def _one_radius(given: Instance) -> Array:
    return np.array([given["radius"]], dtype=object)


def _maps(given: Instance) -> tuple[Enclosure, Enclosure]:
    """W7.a with spectral norms."""
    lhs, _ = sides_of(tangent.W7A)(given)
    maps, updates = given["feature_maps"], given["updates"]
    norms = (tangent.frobenius(w[None]) for w in updates)
    pairs = ((n, _spectral(phi)) for n, phi in zip(norms, maps, strict=True))
    whole = tangent.total(Enclosure(n.lower * s.lower, n.upper * s.upper) for n, s in pairs)
    return lhs, tangent.times(whole, Fraction(1, maps.shape[1]))


def _fewer_maps(given: Instance) -> tuple[Enclosure, Enclosure]:
    fewer = given.but(updates=given["updates"][:-1], feature_maps=given["feature_maps"][:-1])
    return sides_of(tangent.W7A)(given)[0], sides_of(tangent.W7A)(fewer)[1]


def _gap_with(bound: Callable[[Instance], Enclosure]) -> Sides:
    return lambda given: (sides_of(descent.W10A)(given)[0], bound(given))


def _no_growth(given: Instance) -> Enclosure:
    return descent.expected_bound(given, Fraction(0))


def _fewer_steps(given: Instance) -> Enclosure:
    fewer = given.but(step_sizes=given["step_sizes"][:-1])
    return sides_of(descent.W10A)(fewer)[1] if len(fewer["step_sizes"]) else Enclosure.exactly(Fraction(0))


def _over_lipschitz(given: Instance) -> Fraction:
    lipschitz = descent.constants(given["loss_slopes"])[0]
    return 1 / lipschitz if lipschitz else Fraction(1)


def _right(claim: Claim, right: Callable[[Instance], Fraction]) -> Sides:
    return lambda given: (sides_of(claim)(given)[0], Enclosure.exactly(right(given)))


def _left(claim: Claim, left: Callable[[Instance], Enclosure]) -> Sides:
    return lambda given: (left(given), sides_of(claim)(given)[1])


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


def _both(claim: Claim) -> tuple[Mutant, Mutant]:
    return scaled(claim, MORE), scaled(claim, LESS)


W3, W3A, W3B, W3C = rademacher.CLAIMS
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
        with_sides(W3, "R for 2 R", Kind.CONSTANT, _complexities(W3, 1, empirical=False)),
        with_sides(W3, "no R", Kind.DROPPED, _complexities(W3, 0, empirical=False)),
        _with_m(W3),
        turned(W3),
        replace(stronger(W3), equivalent="true: the margin may be smaller by a factor sqrt(2) (W3.a)"),
    ),
    "W3.a": (
        stronger(W3A),
        with_sides(W3A, "R for 2 R", Kind.CONSTANT, _complexities(W3A, 1, empirical=False)),
        with_sides(W3A, "no R", Kind.DROPPED, _complexities(W3A, 0, empirical=False)),
        _with_m(W3A),
        turned(W3A),
    ),
    "W3.b": (
        _with_m(W3B),
        turned(W3B),
        replace(stronger(W3B), equivalent="true: the margin may be smaller by more than a factor 2 (W3.c)"),
    ),
    "W3.c": (
        with_sides(W3C, "no R", Kind.DROPPED, _complexities(W3C, 0, empirical=True)),
        _with_m(W3C),
        turned(W3C),
    ),
    "W6": (stronger(W6), turned(W6), strictly(W6), *_path(_one_matrix, _one_radius)),
    "W7": (
        stronger(W7),
        turned(W7),
        strictly(W7),
        *_path(lambda given: given["matrices"], lambda given: given["radii"]),
    ),
    "W7.a": (
        stronger(W7A),
        turned(W7A),
        strictly(W7A),
        with_sides(W7A, "the spectral norm", Kind.MIN_MAX, _maps),
        with_sides(W7A, "one update fewer", Kind.OFF_BY_ONE, _fewer_maps),
    ),
    "W10.a": (
        with_sides(W10A, "no growth of differences", Kind.DROPPED, _gap_with(_no_growth)),
        with_sides(W10A, "one step fewer", Kind.OFF_BY_ONE, _gap_with(_fewer_steps)),
        with_sides(W10A, "L for L^2", Kind.DROPPED, _times(W10A, _over_lipschitz)),
        with_sides(W10A, "m^2 for m", Kind.DROPPED, _times(W10A, lambda given: Fraction(1, given["sample_size"]))),
        with_sides(W10A, "sqrt(1 - alpha)", Kind.DROPPED, _times(W10A, lambda given: _root(Fraction(1, 2)))),
        turned(W10A),
        strictly(W10A),
    ),
    "W12": (*_both(W12), without(W12, "c = 0")),
    "W12.a": (
        *_both(W12A),
        without(W12A, "c = 50"),
        with_sides(W12A, "clipped from above only", Kind.DROPPED, _right(W12A, _clipped_above)),
        with_sides(W12A, "the lower of the middle two", Kind.OFF_BY_ONE, _right(W12A, _lower_middle)),
    ),
    "W12.b": (
        moved(W12B, FEW, lambda excess: excess <= Fraction(1, 100), "one per cent more outliers"),
        moved(W12B, FEW, lambda excess: excess <= 1, "one outlier more", Kind.OFF_BY_ONE),
        without(W12B, FEW),
        with_sides(W12B, "no clipping", Kind.DROPPED, _left(W12B, _plain)),
        turned(W12B),
        strictly(W12B),
    ),
    "W12.c": (
        moved(W12C, FEWER, lambda share: share <= 1, "at most k / 2", Kind.BOUNDARY),
        moved(W12C, FEWER, lambda share: share < 2, "some group has none", Kind.ASSUMPTION),
        with_sides(W12C, "the mean for the median", Kind.DROPPED, _left(W12C, _mean_of_means)),
        turned(W12C),
        strictly(W12C),
    ),
    "W13.a": (
        *_both(W13A),
        with_sides(W13A, "s^2 for m s^2", Kind.DROPPED, _right(W13A, _fewer_examples)),
    ),
    "W13.b": (
        *_both(W13B),
        with_sides(
            W13B,
            "t + 1 for t",
            Kind.OFF_BY_ONE,
            _right(W13B, lambda given: Fraction(sides_of(W13B)(given.but(steps=given["steps"] + 1))[1].lower)),
        ),
        with_sides(
            W13B,
            "s for m s",
            Kind.DROPPED,
            _times(W13B, lambda given: Fraction(1, given["examples"])),
        ),
    ),
}
