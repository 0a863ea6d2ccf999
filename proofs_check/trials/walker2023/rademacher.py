"""How the claims of `theory.walker2023.rademacher` are put to the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.trial import Trial
from proofs_check.trials.operators import (
    Kind,
    Mutant,
    left,
    stronger,
    turned,
)
from proofs_check.trials.walker2023.common import root_of, times
from theory.checks import rationals
from theory.claim import Claim, Instance
from theory.walker2023 import rademacher
from theory.walker2023.rademacher import W3, W3A, W3B, W3C, W3D, coin


@st.composite
def classes(draw: st.DrawFn) -> Instance:
    """Draw a small class of functions on two or three outcomes, a sample size, and delta: tiny, at the edges, or near 1."""
    outcomes, functions = draw(st.integers(2, 3)), draw(st.integers(1, 4))
    value = st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 3)])
    table = [[draw(value) for _ in range(outcomes)] for _ in range(functions)]
    weights = draw(st.lists(st.integers(0, 5), min_size=outcomes, max_size=outcomes).filter(any))
    most = 5 if outcomes == 2 else 3
    return Instance(
        {
            "functions": rationals(table),
            "probabilities": rationals([Fraction(w, sum(weights)) for w in weights]),
            "sample_size": draw(st.integers(1, most)),
            "delta": draw(st.sampled_from([Fraction(v, 100) for v in (1, 10, 30, 50, 70, 90, 99)])),
        },
        "drawn",
    )


@st.composite
def everything(draw: st.DrawFn) -> Instance:
    """Draw the class of all 0/1 functions of two or three equally likely outcomes: the most a class can overfit."""
    outcomes, m = draw(st.sampled_from([(2, 1), (2, 2), (3, 1), (3, 2), (2, 4)]))
    table = [[i >> z & 1 for z in range(outcomes)] for i in range(2**outcomes)]
    return Instance(
        {
            "functions": rationals(table),
            "probabilities": rationals([Fraction(1, outcomes)] * outcomes),
            "sample_size": m,
            "delta": Fraction(draw(st.sampled_from([50, 90, 99])), 100),
        },
        "drawn: everything",
    )


@st.composite
def tosses(draw: st.DrawFn) -> Instance:
    """Draw many tosses of a fair coin, whose far tail is what McDiarmid's inequality says, or few."""
    m, halvings = draw(st.sampled_from([(1, 1), (10, 3), (100, 20), (400, 30), (15000, 700), (15000, 580)]))
    return Instance(coin(m, halvings).given, "drawn: tosses")


@st.composite
def rare_losses(draw: st.DrawFn) -> Instance:
    """Draw one classifier or two, right but for a rare loss of any size, and a sample that may well miss it."""
    loss = st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(8), Fraction(16), Fraction(40), Fraction(1000)])
    rare = draw(st.sampled_from([Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)]))
    table = [[draw(loss), 0] for _ in range(draw(st.integers(1, 2)))]
    return Instance(
        {
            "losses": rationals(table),
            "probabilities": rationals([rare, 1 - rare]),
            "sample_size": draw(st.integers(1, 4)),
            "delta": draw(st.sampled_from([Fraction(1, 10), Fraction(1, 2), Fraction(7, 10)])),
        },
        "drawn: rare losses",
    )


samples_of_classes: SearchStrategy[Instance] = st.one_of(classes(), classes(), everything(), tosses())


def _complexities(factor: int, *, empirical: bool) -> Callable[[Instance], Fraction]:
    """Return the left side with so many times the complexity for twice."""
    return lambda given: rademacher.excess(given, Fraction(factor), empirical=empirical)


def _with_m(claim: Claim) -> Mutant:
    """Return the claim with the m out of the root."""
    return times(claim, "m for sqrt(m)", Kind.DROPPED, lambda given: root_of(Fraction(1, given["sample_size"])))


TRIALS = (
    Trial(
        W3,
        instances=samples_of_classes,
        mutants=(
            left(W3, "R for 2 R", Kind.CONSTANT, _complexities(1, empirical=False)),
            left(W3, "no R", Kind.DROPPED, _complexities(0, empirical=False)),
            _with_m(W3),
            turned(W3),
            replace(stronger(W3), equivalent="true: the margin may be smaller by a factor sqrt(2) (W3.a)"),
        ),
    ),
    Trial(
        W3A,
        instances=samples_of_classes,
        mutants=(
            stronger(W3A),
            left(W3A, "R for 2 R", Kind.CONSTANT, _complexities(1, empirical=False)),
            left(W3A, "no R", Kind.DROPPED, _complexities(0, empirical=False)),
            _with_m(W3A),
            turned(W3A),
        ),
    ),
    Trial(
        W3B,
        instances=samples_of_classes,
        mutants=(
            _with_m(W3B),
            turned(W3B),
            replace(stronger(W3B), equivalent="true: the margin may be smaller by more than a factor 2 (W3.c)"),
        ),
    ),
    Trial(
        W3C,
        instances=samples_of_classes,
        mutants=(
            left(W3C, "no R", Kind.DROPPED, _complexities(0, empirical=True)),
            _with_m(W3C),
            turned(W3C),
        ),
    ),
    Trial(W3D, instances=rare_losses()),
)
