import re
from dataclasses import replace

import pytest
import sympy as sp

from proofs_check.symbolic import Replay, StepError, proved, replay, replay_step
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS

a, b = sp.symbols("a b", real=True)
p, q = sp.symbols("p q", nonnegative=True)
i, j = sp.symbols("i j", integer=True)
k = sp.Symbol("k", integer=True, positive=True)
A, B = sp.IndexedBase("a"), sp.IndexedBase("b")

SQUARE = Step(a**2 + b**2, 2 * a * b, Rule.NONNEGATIVE, "a square", ((a - b) ** 2,))
BINOMIAL = Step((a + b) ** 2, a**2 + 2 * a * b + b**2, Rule.IDENTITY, "expanded")
CITED = Step(a, b, Rule.CITED, "a theorem")
OVER_ALL = Step(
    1 + sp.Sum(A[i] ** 2 + B[i] ** 2, (i, 1, k)), 1 + sp.Sum(2 * A[i] * B[i], (i, 1, k)), Rule.SUM, "over i", term=0
)

PROVED = [claim for claim in CLAIMS.values() if claim.proof is not None]
DECIDED = [
    (claim.id, number)
    for claim in PROVED
    if claim.proof is not None
    for number, step in enumerate(claim.proof().steps)
    if step.rule in (Rule.IDENTITY, Rule.NONNEGATIVE) and step.after != 0
]


@pytest.mark.parametrize("id", [claim.id for claim in PROVED])
def test_every_proof_replays(id: str) -> None:
    proof = CLAIMS[id].proof
    assert proof is not None
    done = replay(proof())
    assert done.decided >= 1
    assert done.decided + len(done.cited) == len(proof().steps)
    assert proved(CLAIMS[id])


@pytest.mark.parametrize(("id", "number"), DECIDED)
@pytest.mark.parametrize("factor", [sp.Rational(101, 100), sp.Rational(99, 100)])
def test_no_constant_of_a_proof_is_free(id: str, number: int, factor: sp.Rational) -> None:
    proof = CLAIMS[id].proof
    assert proof is not None
    steps = proof().steps
    with pytest.raises(StepError, match=r"^(identity|nonnegative): "):
        replay_step(replace(steps[number], after=factor * steps[number].after), steps[:number])


@pytest.mark.parametrize(
    ("id", "number", "dropped"),
    [
        (claim.id, number, dropped)
        for claim in PROVED
        if claim.proof is not None
        for number, step in enumerate(claim.proof().steps)
        for dropped in range(len(step.certificate))
    ],
)
def test_no_term_of_a_certificate_is_spare(id: str, number: int, dropped: int) -> None:
    proof = CLAIMS[id].proof
    assert proof is not None
    step = proof().steps[number]
    rest = (*step.certificate[:dropped], *step.certificate[dropped + 1 :])
    with pytest.raises(StepError, match=r"^nonnegative: the certificate leaves "):
        replay_step(replace(step, certificate=rest))


def test_a_claim_without_a_proof_is_not_proved() -> None:
    assert not proved(CLAIMS["V4"])


def test_a_proof_that_only_cites_is_not_proved() -> None:
    claim = replace(CLAIMS["V1"], proof=lambda: Proof((CITED,), "nothing"))
    assert replay(Proof((CITED, CITED), "nothing")) == Replay(0, ("a theorem", "a theorem"))
    assert not proved(claim)


@pytest.mark.parametrize("step", [SQUARE, BINOMIAL, CITED])
def test_sound_steps_replay(step: Step) -> None:
    replay_step(step)
    assert replay(Proof((step,), "one step")).decided == (step.rule is not Rule.CITED)


def test_a_sound_sum_replays() -> None:
    assert replay(Proof((SQUARE, OVER_ALL), "any k")) == Replay(2, ())


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (replace(BINOMIAL, after=a**2 + 2 * a * b + 2 * b**2), "identity: .* differ by "),
        (replace(BINOMIAL, after=a**2 - 2 * a * b + b**2), "identity: .* differ by "),
        (Step(sp.sqrt(a**2), a, Rule.IDENTITY, "the sign is lost"), "identity: .* differ by "),
        (Step(sp.Symbol("u"), sp.Symbol("v"), Rule.IDENTITY, "unrelated"), "identity: .* differ by "),
        (replace(SQUARE, after=2.02 * a * b), "nonnegative: the certificate leaves "),
        (replace(SQUARE, certificate=()), "nonnegative: the certificate leaves "),
        (replace(SQUARE, certificate=((a + b) ** 2,)), "nonnegative: the certificate leaves "),
        (
            Step(a + b, b, Rule.NONNEGATIVE, "the sign of a is unknown", (a,)),
            "nonnegative: nothing shows that a is not negative",
        ),
        (
            Step(b - a**2, b, Rule.NONNEGATIVE, "a negative certificate", (-(a**2),)),
            r"nonnegative: nothing shows that -a\*\*2 is not negative",
        ),
        (
            Step(2 * p, p + q, Rule.NONNEGATIVE, "the sum of these is not of one sign", (p - q,)),
            "nonnegative: nothing shows that p - q is not negative",
        ),
        (
            Step(a, a, Rule.NONNEGATIVE, "an equality needs no certificate, but then it is an identity"),
            "nonnegative: both sides are a, which decides nothing",
        ),
    ],
)
def test_broken_steps_are_caught(step: Step, message: str) -> None:
    with pytest.raises(StepError, match=f"^{message}"):
        replay_step(step)


def sums(before: sp.Expr, after: sp.Expr, term: int | None = 0) -> Step:
    return Step(before, after, Rule.SUM, "over i", term=term)


LEFT, RIGHT = A[i] ** 2 + B[i] ** 2, 2 * A[i] * B[i]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (replace(OVER_ALL, term=None), "sum: the step must name an earlier one that speaks of one term"),
        (replace(OVER_ALL, term=2), "sum: the step must name an earlier one that speaks of one term"),
        (replace(OVER_ALL, term=-1), "sum: the step must name an earlier one that speaks of one term"),
        (replace(OVER_ALL, term=1), "sum: step 1 is cited, which shows nothing of the terms"),
        (
            sums(sp.Sum(LEFT, (i, 1, k)), sp.Sum(RIGHT, (i, 2, k))),
            "sum: the two sums run over different terms, or differ in what stands beside them",
        ),
        (
            sums(1 + sp.Sum(LEFT, (i, 1, k)), 2 + sp.Sum(RIGHT, (i, 1, k))),
            "sum: the two sums run over different terms, or differ in what stands beside them",
        ),
        (
            sums(sp.Sum(LEFT, (i, 1, k)), sp.Sum(2 * RIGHT, (i, 1, k))),
            "sum: the term 4*a[i]*b[i] is not that of step 0, 2*a*b",
        ),
        (
            sums(sp.Sum(A[i] ** 2 - B[i] ** 2, (i, 1, k)), sp.Sum(RIGHT, (i, 1, k))),
            "sum: the term a[i]**2 - b[i]**2 is not that of step 0, a**2 + b**2",
        ),
        (
            sums(sp.Sum(LEFT, (i, 1, k)), sp.Sum(2 * A[i] * B[k - i], (i, 1, k))),
            "sum: b[-i + k] does not belong to term i",
        ),
        (sums(a, sp.Sum(RIGHT, (i, 1, k))), "a step by the rule sum needs one sum on either side, got a"),
        (
            sums(2 * sp.Sum(LEFT, (i, 1, k)), 2 * sp.Sum(RIGHT, (i, 1, k))),
            "a step by the rule sum needs one sum on either side, got 2*Sum(a[i]**2 + b[i]**2, (i, 1, k))",
        ),
        (
            sums(sp.Sum(LEFT, (i, 1, k)) + sp.Sum(LEFT, (j, 1, k)), sp.Sum(RIGHT, (i, 1, k))),
            "a step by the rule sum needs one sum on either side, got ",
        ),
    ],
)
def test_broken_sums_are_caught(step: Step, message: str) -> None:
    with pytest.raises(StepError, match=f"^{re.escape(message)}"):
        replay_step(step, (SQUARE, CITED))


def test_a_sum_over_a_broken_step_is_broken() -> None:
    with pytest.raises(StepError, match=r"^nonnegative: the certificate leaves "):
        replay_step(OVER_ALL, (replace(SQUARE, certificate=(b**2,)),))


def test_the_broken_step_of_a_proof_is_numbered() -> None:
    broken = replace(BINOMIAL, after=a**2)
    with pytest.raises(StepError, match=r"^step 1: identity: "):
        replay(Proof((SQUARE, broken), "nothing"))
