"""Proofs of what a random batch says of geometric complexity."""

from __future__ import annotations

import sympy as sp

from theory.dherin2022.complexity_proofs import of_batches
from theory.lemmas import COUNT, INDEX, both_ways, over_all, reals
from theory.proof import Proof, Rule, Step


def b14() -> Proof:
    """A batch holds one datum with probability B/n, and two with B (B - 1)/(n (n - 1))."""
    steps = of_batches()
    return Proof(steps, "any two or more numbers and batch size", lhs=steps[1].after, rhs=steps[0].before)


def b14a() -> Proof:
    """A batch holds each datum with the same probability."""
    batch, fewer = sp.symbols("B k", integer=True, positive=True)
    (sums,) = reals("y")
    share = sp.Symbol("S_1", real=True) / (fewer + 1)
    average, held = over_all(sums[INDEX]) / COUNT, batch * share
    counted = (
        "inclusion in a simple random sample (Cochran): of n = k + 1 numbers with sum S_1 each lies in the batch with "
        "probability B/n, so the mean over all m batches of the sums y of their numbers is S_1 B/n"
    )
    lhs, equal = over_all(sums[INDEX] / batch) / COUNT, (sp.Ge(average, held), sp.Ge(held, average))
    return Proof(
        (
            Step(lhs, average / batch, Rule.IDENTITY, "a batch mean is its sum over B"),
            Step(average, held, Rule.CITED, counted),
            Step(held, average, Rule.CITED, f"{counted}; and the other way"),
            *both_ways(average / batch, share, "B of B", conditions=equal, uses=(1, 2)),
        ),
        "any two or more numbers and batch size",
        lhs=lhs,
        rhs=share,
    )
