from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp

from proofs_check import ledger
from proofs_check.conclusion import Tie, UntiedError, both_ways, tie, way_of
from proofs_check.falsify import Effort
from proofs_check.registry import TRIALS
from theory.claim import Claim, Finding, Form, Instance, Status
from theory.enclosure import Enclosure
from theory.lemmas import COUNT, INDEX, mean_of_squares, over_all
from theory.proof import Proof, Rule, Step
from theory.registry import CLAIMS
from theory.sources import HOUSE, Source
from theory.symbols import Symbol

x, y, z = sp.symbols("x y z", real=True)
of = sp.IndexedBase("v", real=True)
LHS, RHS = over_all(of[INDEX]) ** 2, COUNT * over_all(of[INDEX] ** 2)
GUT = Step((x + 1) ** 2, x**2 + 2 * x + 1, Rule.IDENTITY, "expanded")
WHOLE = Proof((mean_of_squares(of[INDEX], "the mean of the squares"),), "any m", lhs=LHS, rhs=RHS)


def values_of(given: Instance) -> list[Fraction]:
    return [Fraction(v) for v in given["v"]]


def reads(given: Instance) -> dict[str, Any]:
    return {"m": len(given["v"]), "v": values_of(given)}


CLAIM = Claim(
    id="B1",
    source=Source(HOUSE, "here"),
    statement=r"(\sum_i v_i)^2 \le m \sum_i v_i^2",
    form=Form.AT_MOST,
    symbols=(Symbol("v", "v", "numbers, [m]"),),
    sides=lambda given: (
        Enclosure.exactly(sum(values_of(given)) ** 2),
        Enclosure.exactly(len(given["v"]) * sum(v * v for v in values_of(given))),
    ),
    reads=reads,
    finding=Finding.OURS,
    note="A claim to prove.",
)
INSTANCES = [Instance({"v": v}, "named") for v in ((1,), (2, 2), (1, -3), (0, 1, 5))]


def held(proof: Proof, claim: Claim = CLAIM) -> Tie:
    return tie(claim, proof, [(claim.evaluate(given), given) for given in INSTANCES])


def reading(**other: Any) -> Claim:
    def changed(given: Instance) -> Mapping[str, Any]:
        return {**reads(given), **other}

    return replace(CLAIM, reads=changed)


def with_steps(*steps: Step, **sides: sp.Basic) -> Proof:
    return replace(WHOLE, steps=steps, **sides)


def test_a_proof_of_the_claim_is_tied_to_it_on_every_instance() -> None:
    assert held(WHOLE) == Tie("", covered=4)


MIDDLE = Step(LHS, LHS - 1, Rule.NONNEGATIVE, "below", (sp.Integer(1),))
DOWN = WHOLE.steps[0]

UNTIED: dict[str, tuple[Proof, str]] = {
    "gutted": (Proof((GUT,), "all"), "it does not say what it comes to"),
    "gutted, with its own sides": (
        Proof((GUT,), "all", lhs=GUT.after, rhs=GUT.before),
        r"x in \(x \+ 1\)\*\*2 has no value|x in x\*\*2 \+ 2\*x \+ 1 has no value",
    ),
    "gutted, with the claim's sides": (with_steps(GUT), "no steps lead from "),
    "the same side twice": (with_steps(*WHOLE.steps, rhs=LHS), "both sides that it comes to are "),
    "a spare step": (with_steps(DOWN, GUT), "step 1 is not needed for what it comes to"),
    "uphill": (replace(WHOLE, lhs=RHS, rhs=LHS), "no steps lead from "),
    "past the left side": (with_steps(DOWN, MIDDLE, lhs=LHS - 1), "its left side is 0 where the claim's is 1"),
    "all cited": (with_steps(replace(DOWN, rule=Rule.CITED)), "the only step from one side to the other is cited"),
    "all cited, in two steps": (
        with_steps(Step(RHS, RHS - 1, Rule.CITED, "so"), Step(RHS - 1, LHS, Rule.CITED, "it follows")),
        "every step of it is cited",
    ),
    "cited, with a decided step for show": (
        with_steps(GUT, Step(RHS, LHS, Rule.CITED, "so it follows", uses=(0,))),
        "the only step from one side to the other is cited",
    ),
    "a step that is not there": (with_steps(replace(DOWN, uses=(3,))), "there is no step 3 to use"),
    "a step that uses itself": (with_steps(replace(DOWN, uses=(0,))), "step 0 is used to show what it needs itself"),
    "round in a circle": (
        with_steps(replace(DOWN, uses=(1,)), replace(GUT, uses=(0,))),
        "step 0 is used to show what it needs itself",
    ),
    "the claim assumed": (
        with_steps(Step(RHS, LHS, Rule.POLYNOMIAL, "as said", conditions=(sp.Le(LHS, RHS),))),
        "step 0 assumes .*, which is what is to be shown",
    ),
    "the claim assumed, doubled": (
        with_steps(Step(RHS, LHS, Rule.POLYNOMIAL, "as said", conditions=(sp.Ge(2 * RHS - 2 * LHS, 0),))),
        "step 0 assumes .*, which is what is to be shown",
    ),
    "the claim assumed on the way": (
        with_steps(
            Step(RHS, LHS + sp.Abs(LHS), Rule.POLYNOMIAL, "so", conditions=(sp.Eq(LHS, RHS),)),
            Step(LHS + sp.Abs(LHS), LHS, Rule.POLYNOMIAL, "and so"),
        ),
        "step 0 assumes .*, which is what is to be shown",
    ),
    "a condition that fails": (
        with_steps(replace(DOWN, rule=Rule.POLYNOMIAL, certificate=(), conditions=(sp.Eq(COUNT, 2),))),
        r"its step needs Eq\(m, 2\), which fails on a named instance",
    ),
    "a step that is false": (
        with_steps(
            Step(RHS, 2 * RHS, Rule.CITED, "a false theorem"),
            Step(2 * RHS, LHS, Rule.POLYNOMIAL, "and less"),
        ),
        "the step from .* is false, on a named instance",
    ),
    "a false theorem beside the way": (
        with_steps(Step(sp.Integer(0), COUNT, Rule.CITED, "a false theorem"), replace(DOWN, uses=(0,))),
        "the step from 0 to m is false, on a named instance",
    ),
}


@pytest.mark.parametrize("name", UNTIED)
def test_a_proof_of_something_else_is_named(name: str) -> None:
    proof, why = UNTIED[name]
    with pytest.raises(UntiedError, match=f"^({why})"):
        raise UntiedError(held(proof).why or "nothing")


READINGS: dict[str, tuple[dict[str, Any], str]] = {
    "another value": ({"m": 1}, "its left side is 4 where the claim's is 16, "),
    "a value against what is assumed": ({"m": Fraction(1, 2)}, "m is assumed to be integer, and is 1/2"),
    "a number that is not real": ({"v": [sp.I] * 3}, "v is assumed to be .*, and is I"),
    "too few entries": ({"m": 9}, "v has no entry "),
    "entries of another shape": ({"v": [[1, 2]]}, "v has no entry 1"),
    "no number": ({"v": [y] * 3}, "v is y, which is no number"),
    "words": ({"v": ["one"] * 3}, ".* has no value: "),
}


@pytest.mark.parametrize("name", READINGS)
def test_symbols_that_are_read_wrongly_are_named(name: str) -> None:
    values, why = READINGS[name]
    with pytest.raises(UntiedError, match=f"^({why})"):
        raise UntiedError(held(WHOLE, reading(**values)).why or "nothing")


def test_a_symbol_that_is_not_read_is_named() -> None:
    claim = replace(CLAIM, reads=lambda given: {"m": len(given["v"])})
    assert held(WHOLE, claim).why.startswith("v in ")


def test_a_claim_that_cannot_read_its_symbols_says_why() -> None:
    assert held(WHOLE, replace(CLAIM, reads=lambda given: {"m": given["n"]})).why.startswith(
        "its symbols cannot be read on"
    )


def test_a_claim_that_reads_nothing_has_no_proof() -> None:
    assert held(WHOLE, replace(CLAIM, reads=None)) == Tie(
        "the claim does not say what its symbols are on an instance", uncovered=4
    )


def test_sizes_that_a_proof_does_not_speak_of_are_counted() -> None:
    small = replace(CLAIM, reads=lambda given: reads(given) if len(given["v"]) == 2 else None)
    assert held(WHOLE, small) == Tie("", covered=2, uncovered=2)
    assert (
        held(WHOLE, replace(CLAIM, reads=lambda given: None)).why == "it speaks of no instance that the claim holds on"
    )


def test_two_symbols_of_one_name_have_no_value() -> None:
    twice = with_steps(
        DOWN,
        Step(LHS, LHS - sp.Symbol("m") ** 2 + COUNT**2, Rule.CITED, "another m"),
        lhs=LHS - sp.Symbol("m") ** 2 + COUNT**2,
    )
    assert held(twice).why.startswith("two symbols of ")


def test_conditions_lead_to_each_other_only_where_that_is_decided_or_cited() -> None:
    more, less = sp.Gt(x, 1), sp.Gt(x, 0)
    implied = Step(less, more, Rule.POLYNOMIAL, "0 < 1")
    assert way_of(Form.IMPLICATION, Proof((implied,), "all x", lhs=more, rhs=less)) == [0]
    with pytest.raises(UntiedError, match=r"^no steps lead from x > 1 to x > 0"):
        way_of(Form.IMPLICATION, Proof((implied,), "all x", lhs=less, rhs=more))
    with pytest.raises(UntiedError, match=r"^no steps lead from x > 1 to x > 0"):
        way_of(Form.EQUIVALENCE, Proof((implied,), "all x", lhs=more, rhs=less))


def test_a_cited_inequality_between_symbols_leads_down_only() -> None:
    # Sympy counts a symbol among the things that may be true or false.
    assert not both_ways(Step(x, y, Rule.CITED, "a theorem"), ())
    assert both_ways(Step(sp.Gt(x, 0), sp.Gt(y, 0), Rule.CITED, "a theorem"), ())


def test_a_false_cited_equivalence_is_named() -> None:
    claim = replace(
        CLAIM,
        form=Form.EQUIVALENCE,
        sides=lambda given: (Enclosure.exactly(True), Enclosure.exactly(True)),
    )
    m = sp.Symbol("m", real=True)
    first, second, last = sp.Gt(m, 0), sp.Gt(m, 2), sp.Lt(m, 9)
    steps = (
        GUT,
        Step(first, second, Rule.CITED, "a false theorem", uses=(0,)),
        Step(second, last, Rule.CITED, "another", uses=(0,)),
    )
    assert held(Proof(steps, "any m", lhs=first, rhs=last), claim).why.startswith(
        "the step from m > 0 to m > 2 is false"
    )


LITTLE = Effort(drawn=20, coincident=0, varied=0, trained=0, shrink=0)
TIED = ("W2.a", "W3.a", "W4.b", "W4.d", "W5", "W6", "W11.f", "W12.a", "W12.b", "W13.b")
SWAPPED = (("W12", "W12.a"), ("W3.a", "W3.c"), ("W5", "W7"), ("W2.a", "W13.b"), ("W4.b", "W4.d"))


def built(id: str) -> Proof:
    proof = CLAIMS[id].proof
    assert proof is not None
    return proof()


@pytest.fixture(autouse=True)
def no_mutants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes longest in a row and has no say here."""
    monkeypatch.setattr(ledger, "TRIALS", {id: replace(trial, mutants=()) for id, trial in TRIALS.items()})


def assert_named(id: str, proof: Proof) -> None:
    row = ledger.row_of(replace(CLAIMS[id], proof=lambda: proof), [], LITTLE)
    assert any(problem.startswith("its proof is not one of the claim: ") for problem in row.problems)
    assert row.status is Status.TESTED


@pytest.mark.parametrize("id", TIED)
def test_a_claim_whose_proof_is_gutted_falls_and_says_so(id: str) -> None:
    whole = built(id)
    assert_named(id, Proof((GUT,), whole.covers, lhs=GUT.after, rhs=GUT.before))
    for lhs, rhs in ((None, None), (whole.lhs, whole.rhs)):
        with pytest.raises(UntiedError):
            way_of(CLAIMS[id].form, Proof((GUT,), whole.covers, lhs=lhs, rhs=rhs))


@pytest.mark.parametrize("pair", SWAPPED, ids=" and ".join)
def test_claims_whose_proofs_are_swapped_fall_and_say_so(pair: tuple[str, str]) -> None:
    assert_named(pair[0], built(pair[1]))
    assert_named(pair[1], built(pair[0]))


def test_the_proof_of_a_claim_that_holds_more_is_one_of_the_narrower_claim() -> None:
    # W6 is W7 with one update.
    row = ledger.row_of(replace(CLAIMS["W6"], proof=lambda: built("W7")), [], LITTLE)
    assert row.problems == ()
    assert row.status is Status.PROVED
