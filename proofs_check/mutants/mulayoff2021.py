"""Mutants of the claims of Mulayoff, Michaeli and Soudry 2021 on stability and on smooth minima, M1 to M6."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.mutants import mulayoff2021_observed, mulayoff2021_switching
from proofs_check.mutants.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    left,
    moved,
    negated,
    right,
    scaled,
    strict,
    stronger,
    turned,
    with_sides,
    without,
)
from theory.checks import dot, rationals
from theory.claim import Assumption, Claim, Instance
from theory.claims.mulayoff2021 import M4, M5, M6, M6A
from theory.claims.mulayoff2021_stability import (
    M1,
    M1A,
    M2,
    M2A,
    M3A,
    eigenvector_margin,
    gradient_descent_sides,
    quotient_margin,
    switching,
)
from theory.enclosure import Enclosure
from theory.linear_stability import mean_growth
from theory.piecewise_linear import PiecewiseLinear
from theory.stability_weight import weight_enclosure

STABLE_M1, EQ_15, EDGE_M2A = (claim.assumptions[0].name for claim in (M1, M2, M2A))
FLATTEST, SEMIDEFINITE = (assumption.name for assumption in M3A.assumptions)
SMOOTH, STABLE = (assumption.name for assumption in M6A.assumptions)
FREE_M2A = replace(M2A, assumptions=())


def asking(claim: Claim, name: str, kind: Kind, measure: Callable[[Instance], Any]) -> Mutant:
    """Return the claim with its first assumption deciding on another measure."""
    first, *rest = claim.assumptions
    return Mutant(name, kind, replace(claim, assumptions=(Assumption(first.name, measure, first.holds), *rest)))


def _shifted(value: Enclosure, by: Fraction) -> Enclosure:
    return Enclosure(Fraction(value.lower) + by, Fraction(value.upper) + by)


def _gamma_less(given: Instance, share: Fraction) -> Enclosure:
    """Return the margin of eq 15 with a share of gamma/eps given back."""
    found = switching(given)
    return _shifted(eigenvector_margin(given), share * Fraction(found.gamma.lower) / found.radius)


def _edge_less(given: Instance) -> Enclosure:
    return _shifted(eigenvector_margin(given), Fraction(1, 100) * 2 / Fraction(given["step_size"]))


def _largest_eigenvalue(given: Instance) -> Enclosure:
    values = rationals(given["eigenvalues"])
    return _shifted(eigenvector_margin(given), max(values) - min(values))


def _below_the_edge(given: Instance) -> Enclosure:
    """Whether eta lambda_max < 2."""
    product = mean_growth(rationals(given["hessians"]), Fraction(given["step_size"]))
    return Enclosure(Fraction(int(product.upper < 2)), Fraction(int(product.lower < 2)))


def _first_step_bound(given: Instance, change: Callable[[Fraction, Fraction, Fraction], Fraction]) -> Fraction:
    """Return eps (1 + eta (margin + change)), the change a function of lambda_lower, 2/eta and gamma/eps."""
    found, eta = switching(given), Fraction(given["step_size"])
    shift = change(min(found.quotients), found.edge, Fraction(found.gamma.midpoint) / found.radius)
    return found.radius * (1 + eta * (Fraction(quotient_margin(given).midpoint) + shift))


def _gradients_product(given: Instance, *, output: bool = True, count: int = 0) -> Fraction:
    """Return ||Phi^T v||^2 over n + count, with or without the gradients in the output weights."""
    weights, x = given["weights"].rational(), rationals(given["x"])
    features, k = weights.tangent_features(x), weights.width
    if not output:
        features[:, 2 * k : 3 * k] = Fraction(0)
    outputs = features @ rationals(given["direction"])
    return Fraction(outputs @ outputs) / (len(x) + count)


def _with_larger_side(given: Instance) -> Fraction:
    """Return 1 + 2 int |f''| times the larger of g- and g+."""
    f, x = PiecewiseLinear.from_weights(given["weights"].rational()), np.sort(rationals(given["x"]))
    one = [_one_sided(f.knots, x), _one_sided(-f.knots, -x[::-1])]
    inside = [x[0] <= knot <= x[-1] for knot in f.knots]
    weight = rationals([max(pair) if within else 0 for *pair, within in zip(*one, inside, strict=True)])
    return 1 + 2 * Fraction(dot(np.abs(f.jumps), weight))


def _one_sided(knots: Any, x: Any) -> list[Fraction]:
    """Return g- at the knots: g of the data and so many points far to the right that g- is the smaller, rescaled."""
    n = len(x)
    far = x[-1] + max(abs(v) for v in (*x, *knots, Fraction(1))) * 1000
    more = rationals([*x, *(far + i for i in range(20 * n))])
    lower, _ = weight_enclosure(knots, more)
    return [Fraction(v) * len(more) ** 2 / n**2 for v in lower]


def _limit(first: Fraction, second: Fraction) -> Callable[[Instance], Fraction]:
    """Return first/eta - second/2."""
    return lambda given: first / Fraction(given["step_size"]) - second / 2


def _bounds_of(claim: Claim) -> tuple[Mutant, ...]:
    return (stronger(claim), turned(claim), strict(claim))


def _theorem_1(claim: Claim) -> tuple[Mutant, ...]:
    """Return wrong versions of int |f''| g <= 1/eta - 1/2."""
    one = Fraction(1)
    return (
        *_bounds_of(claim),
        right(claim, "0.99/eta - 1/2", Kind.CONSTANT, _limit(LESS, one)),
        right(claim, "1/eta - 0.505", Kind.CONSTANT, _limit(one, MORE)),
        right(claim, "1/eta - 1", Kind.CONSTANT, _limit(one, Fraction(2))),
        without(claim, STABLE),
        moved(claim, STABLE, lambda product: product <= 2 * MORE, "eta lambda_max <= 2.02"),
    )


INACTIVE = (
    "with toggling units inactive, Phi Phi^T / n has at least this top eigenvalue too: its proof needs no Hessian"
)

MUTANTS: Mapping[str, tuple[Mutant, ...]] = {
    "M1": (
        *_bounds_of(M1),
        without(M1, STABLE_M1),
        moved(M1, STABLE_M1, lambda found: found[0].upper <= MORE, "mean-square growth at most 1.01"),
    ),
    "M1.a": (
        with_sides(M1A, "eta lambda_max <= 2.02", Kind.CONSTANT, lambda given: gradient_descent_sides(given, 2 * MORE)),
        with_sides(M1A, "eta lambda_max <= 1.98", Kind.CONSTANT, lambda given: gradient_descent_sides(given, 2 * LESS)),
        left(M1A, "eta lambda_max < 2", Kind.BOUNDARY, _below_the_edge),
        negated(M1A),
        without(M1A, M1A.assumptions[0].name),
    ),
    "M2": (
        stronger(M2),
        turned(M2),
        without(M2, EQ_15),
        asking(M2, "1.98/eta", Kind.CONSTANT, _edge_less),
        asking(M2, "0.99 delta", Kind.CONSTANT, lambda given: eigenvector_margin(given, LESS)),
        asking(M2, "no delta", Kind.DROPPED, lambda given: eigenvector_margin(given, Fraction(0))),
        asking(M2, "0.99 gamma/eps", Kind.CONSTANT, lambda given: _gamma_less(given, Fraction(1, 100))),
        asking(M2, "no gamma/eps", Kind.DROPPED, lambda given: _gamma_less(given, Fraction(1))),
        asking(M2, "max for min of the lambda_m", Kind.MIN_MAX, _largest_eigenvalue),
    ),
    "M2.a": (
        *_bounds_of(M2A),
        right(M2A, "no gamma", Kind.DROPPED, lambda given: _first_step_bound(given, lambda low, edge, gamma: gamma)),
        right(
            M2A,
            "0.99 gamma",
            Kind.CONSTANT,
            lambda given: _first_step_bound(given, lambda low, edge, gamma: gamma / 100),
        ),
        right(
            M2A, "1.98/eta", Kind.CONSTANT, lambda given: _first_step_bound(given, lambda low, edge, gamma: edge / 100)
        ),
        replace(
            right(
                FREE_M2A,
                "",
                Kind.ASSUMPTION,
                lambda given: _first_step_bound(given, lambda low, edge, gamma: Fraction(0)),
            ),
            name=f"without: {EDGE_M2A}",
            equivalent="the expected length is at least eps (eta q^T H_m q - 1) - eta gamma whatever the sign of mu",
        ),
        right(
            M2A,
            "max for min of q^T H_m q",
            Kind.MIN_MAX,
            lambda given: _first_step_bound(given, lambda low, edge, gamma: max(switching(given).quotients) - low),
        ),
    ),
    "M3.a": (
        *_bounds_of(M3A),
        without(M3A, FLATTEST),
        without(M3A, SEMIDEFINITE),
        moved(M3A, FLATTEST, lambda product: product <= 2 * MORE, "max_m lambda_max(H_m) <= 2.02/eta"),
    ),
    "M4": (
        scaled(M4, MORE),
        scaled(M4, LESS),
        right(M4, "n + 1 for n", Kind.OFF_BY_ONE, lambda given: _gradients_product(given, count=1)),
        right(M4, "without the output weights", Kind.DROPPED, lambda given: _gradients_product(given, output=False)),
    ),
    "M5": (
        *_bounds_of(M5),
        stronger(M5, offset=1),
        right(M5, "max of g- and g+", Kind.MIN_MAX, _with_larger_side),
        right(M5, "1.01 + 2 int |f''| g", Kind.CONSTANT, lambda given: _shifted(M5.sides(given)[1], Fraction(1, 100))),
        replace(without(M5, SMOOTH), equivalent=INACTIVE),
    ),
    "M6": (*_theorem_1(M6), replace(without(M6, M6.assumptions[0].name), equivalent=INACTIVE)),
    "M6.a": (*_theorem_1(M6A), replace(without(M6A, SMOOTH), equivalent=INACTIVE)),
    **mulayoff2021_switching.MUTANTS,
    **mulayoff2021_observed.MUTANTS,
}
"""The mutants of each claim, by id."""
