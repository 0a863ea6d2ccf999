"""How the claims of `theory.mulayoff2021.stability` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from proofs_check import oracles
from proofs_check.trial import Trial
from proofs_check.trials.common import linearised, ratios, small
from proofs_check.trials.mulayoff2021.common import shifted
from proofs_check.trials.operators import (
    LESS,
    MORE,
    Kind,
    Mutant,
    bounds,
    left,
    moved,
    negated,
    right,
    stronger,
    turned,
    with_sides,
    without,
)
from theory.checks import rationals
from theory.claim import Assumption, Claim, Instance
from theory.enclosure import Enclosure
from theory.linear_stability import mean_growth
from theory.mulayoff2021.stability import (
    M1,
    M1A,
    M2,
    M2A,
    M3,
    M3A,
    eigenvector_margin,
    gradient_descent_sides,
    quotient_margin,
    switching,
    wedges,
)


@st.composite
def switching_systems(draw: st.DrawFn) -> Instance:
    """Draw mode Hessians that nearly share an eigenvector, gradients, a radius and a step size around what Lemma 2 asks.

    In one dimension, where the gradients of a mode have one sign, the lemma's condition is sharp.
    """
    d, modes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    number = ratios(-1, 1, 4)
    noise = draw(st.sampled_from([Fraction(0), Fraction(1, 100), Fraction(1, 3)]))
    hessians = np.empty((modes, d, d), dtype=object)
    for h in hessians:
        rough = rationals([[draw(number) for _ in range(d)] for _ in range(d)])
        h[:] = noise * (rough + rough.T)
        h[0, 0] += draw(ratios(1, 5, 4))
        h[1:, 1:] += np.diag(rationals([draw(ratios(0, 1, 4)) for _ in range(d - 1)]))
    drift = draw(st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1)]))
    gradients = rationals([[[drift * draw(number) for _ in range(d)] for _ in range(2)] for _ in range(modes)])
    if draw(st.booleans()):
        gradients[:] = -drift
    off = draw(st.sampled_from([Fraction(0), Fraction(1, 2)]))
    values = rationals([h[0, 0] + off for h in hessians])
    epsilon = draw(st.sampled_from([Fraction(1, 10), Fraction(1), Fraction(10)]))
    gamma = max(sum(np.abs(g[:, 0])) / 2 for g in gradients)
    edge = min(hessians[:, 0, 0]) - gamma / epsilon
    factor = draw(st.sampled_from([Fraction(n, 1000) for n in (500, 999, 1001, 1004, 1100, 3000)]))
    return Instance(
        {
            "mode_hessians": hessians,
            "gradients": gradients,
            "direction": rationals([1, *[0] * (d - 1)]) * draw(st.sampled_from([1, 1, -2])),
            "eigenvalues": values,
            "epsilon": epsilon,
            "step_size": factor * 2 / (edge if edge > 0 else 1),
        },
        "drawn",
    )


@st.composite
def switching_in_the_plane(draw: st.DrawFn) -> Instance:
    """Draw four wedges with Hessians of their own, a step size up to Lemma 3's limit or just beyond it, and a start."""
    small_positive = ratios(Fraction(1, 4), 2, 4)
    a = draw(small_positive)
    modes = wedges(a, draw(ratios(-1, 1, 4)) * a)
    largest = max(abs(v) for h, _ in modes for v in np.diag(h))
    start = rationals(draw(st.lists(small, min_size=2, max_size=2)))
    reach = draw(st.one_of(small_positive, st.just(Fraction(201, 100))))
    return Instance({"modes": modes, "step_size": reach / largest, "start": start}, "drawn")


@st.composite
def drifting_at_the_edge(draw: st.DrawFn) -> Instance:
    """Draw one mode on the line whose gradients point back, and a sharpness around 2/eta + gamma/eps, where eq 15 is tight."""
    positive = ratios(Fraction(1, 4), 4, 4)
    eta, epsilon, drift = draw(positive), draw(positive), draw(positive)
    share = draw(st.sampled_from([Fraction(p, 1000) for p in (980, 995, 1001, 1005)]))
    sharpness = 2 / eta + share * drift / epsilon
    return Instance(
        {
            "mode_hessians": rationals([[[sharpness]]]),
            "eigenvalues": rationals([sharpness]),
            "gradients": rationals([[[-drift], [-drift]]]),
            "direction": rationals([1]),
            "epsilon": epsilon,
            "step_size": eta,
        },
        "drawn",
    )


STABLE_M1, EQ_15, EDGE_M2A = (claim.assumptions[0].name for claim in (M1, M2, M2A))


FLATTEST, SEMIDEFINITE = (assumption.name for assumption in M3A.assumptions)


FREE_M2A = replace(M2A, assumptions=())


def asking(claim: Claim, name: str, kind: Kind, measure: Callable[[Instance], Any]) -> Mutant:
    """Return the claim with its first assumption deciding on another measure."""
    first, *rest = claim.assumptions
    return Mutant(name, kind, replace(claim, assumptions=(Assumption(first.name, measure, first.holds), *rest)))


def _gamma_less(given: Instance, share: Fraction) -> Enclosure:
    """Return the margin of eq 15 with a share of gamma/eps given back."""
    found = switching(given)
    return shifted(eigenvector_margin(given), share * Fraction(found.gamma.lower) / found.radius)


def _edge_less(given: Instance) -> Enclosure:
    return shifted(eigenvector_margin(given), Fraction(1, 100) * 2 / Fraction(given["step_size"]))


def _largest_eigenvalue(given: Instance) -> Enclosure:
    values = rationals(given["eigenvalues"])
    return shifted(eigenvector_margin(given), max(values) - min(values))


def _below_the_edge(given: Instance) -> Enclosure:
    """Whether eta lambda_max < 2."""
    product = mean_growth(rationals(given["hessians"]), Fraction(given["step_size"]))
    return Enclosure(Fraction(int(product.upper < 2)), Fraction(int(product.lower < 2)))


def _first_step_bound(given: Instance, change: Callable[[Fraction, Fraction, Fraction], Fraction]) -> Fraction:
    """Return eps (1 + eta (margin + change)), the change a function of lambda_lower, 2/eta and gamma/eps."""
    found, eta = switching(given), Fraction(given["step_size"])
    shift = change(min(found.quotients), found.edge, Fraction(found.gamma.midpoint) / found.radius)
    return found.radius * (1 + eta * (Fraction(quotient_margin(given).midpoint) + shift))


TRIALS = (
    Trial(
        M1,
        instances=linearised(),
        mutants=(
            *bounds(M1),
            without(M1, STABLE_M1),
            moved(M1, STABLE_M1, lambda found: found[0].upper <= MORE, "mean-square growth at most 1.01"),
        ),
        oracle=oracles.m1,
    ),
    Trial(
        M1A,
        instances=linearised(),
        mutants=(
            with_sides(
                M1A, "eta lambda_max <= 2.02", Kind.CONSTANT, lambda given: gradient_descent_sides(given, 2 * MORE)
            ),
            with_sides(
                M1A, "eta lambda_max <= 1.98", Kind.CONSTANT, lambda given: gradient_descent_sides(given, 2 * LESS)
            ),
            left(M1A, "eta lambda_max < 2", Kind.BOUNDARY, _below_the_edge),
            negated(M1A),
            without(M1A, M1A.assumptions[0].name),
        ),
    ),
    Trial(
        M2,
        instances=st.one_of(switching_systems(), switching_systems(), drifting_at_the_edge()),
        mutants=(
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
    ),
    Trial(
        M2A,
        instances=switching_systems(),
        mutants=(
            *bounds(M2A),
            right(
                M2A, "no gamma", Kind.DROPPED, lambda given: _first_step_bound(given, lambda low, edge, gamma: gamma)
            ),
            right(
                M2A,
                "0.99 gamma",
                Kind.CONSTANT,
                lambda given: _first_step_bound(given, lambda low, edge, gamma: gamma / 100),
            ),
            right(
                M2A,
                "1.98/eta",
                Kind.CONSTANT,
                lambda given: _first_step_bound(given, lambda low, edge, gamma: edge / 100),
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
    ),
    Trial(M3, instances=switching_in_the_plane()),
    Trial(
        M3A,
        instances=switching_in_the_plane(),
        mutants=(
            *bounds(M3A),
            without(M3A, FLATTEST),
            without(M3A, SEMIDEFINITE),
            moved(M3A, FLATTEST, lambda product: product <= 2 * MORE, "max_m lambda_max(H_m) <= 2.02/eta"),
        ),
    ),
)
