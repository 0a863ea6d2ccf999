"""Proofs of the claims on the transfer functions beyond dherin2022: B5 without min(d, k), B25 at stable minima."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.transfer_proofs import (
    COMPLEXITIES,
    LEAST,
    ON_THE_DATA,
    SHOWN,
    at_a_point,
    at_this_point,
    complexity_at,
    gradient_at,
    mean_on_the_data,
    on_the_data,
    trace_is_mean_square,
    transfer_at,
)
from theory.lemmas import cauchy_schwarz, reals
from theory.proof import Proof, Rule, Step


def b5() -> Proof:
    """The inequality of each layer, added up."""
    complexity, gradient, transfer = complexity_at(), gradient_at(), transfer_at()
    return Proof(
        (
            *at_a_point(),
            Step(
                gradient / transfer,
                complexity,
                Rule.POLYNOMIAL,
                "over sum_i w_i/(p_i q_i)",
                conditions=(*at_this_point(), transfer > 0),
                uses=SHOWN,
            ),
        ),
        "dense layers with weights of their own, of any number and sizes, with biases or without",
        lhs=complexity,
        rhs=gradient / transfer,
    )


def b25() -> Proof:
    """Stability at X = I bounds the trace of the Hessian, and that the geometric complexity."""
    eta, count, outputs, dimension = (sp.Symbol(name, positive=True) for name in ("eta", "n", "k", "d"))
    share = sp.Symbol("s", nonnegative=True)
    trace, square, fourth = (sp.Symbol(name, nonnegative=True) for name in ("t", "F", "M"))
    traces, ones, curvatures = reals("a v h")
    limit = 2 / (eta * (share / outputs + (1 - share) / dimension))
    stable = sp.Ge(2 * trace - eta * ((1 - share) * square + share * fourth), 0)
    known = (stable, sp.Ge(outputs * fourth, trace**2), sp.Ge(dimension * square, trace**2), sp.Le(share, 1))
    first = ON_THE_DATA + 2
    return Proof(
        (
            *on_the_data(),
            mean_on_the_data(count),
            trace_is_mean_square(trace, count),
            cauchy_schwarz(
                traces,
                ones,
                "with a the eigenvalues of H_j, k at most of them not 0, v = 1: k tr H_j^2 is at least (tr H_j)^2; and again "
                "over the data, so that k mean tr H_j^2 is at least (tr H)^2",
            ),
            cauchy_schwarz(curvatures, ones, "with h the eigenvalues of H, v = 1: d tr H^2 is at least (tr H)^2"),
            Step(
                limit,
                trace,
                Rule.POLYNOMIAL,
                "2 C >= eta D at X = I, F = tr H^2, M = mean tr H_j^2, s the share p of the noise",
                conditions=known,
                uses=(first + 1, first + 2),
            ),
            Step(
                limit / LEAST,
                trace / LEAST,
                Rule.SCALED,
                "over l",
                term=first + 3,
                factor=1 / LEAST,
                conditions=known,
            ),
        ),
        "dense layers with weights of their own, of any number and sizes; any data, outputs and batch size",
        lhs=COMPLEXITIES / count,
        rhs=limit / LEAST,
    )
