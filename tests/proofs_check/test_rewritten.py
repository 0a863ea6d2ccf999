"""Changes of a claim's source: what is changed, what is left alone, and what comes of each."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from types import FunctionType
from typing import Any

import pytest

from proofs_check.falsify import Effort, Search
from proofs_check.registry import TRIALS
from proofs_check.rewritten import sample, tried_rewritings
from proofs_check.row import CAUGHT, EQUAL, SPARED, SURVIVES, VOID, WEAKER
from proofs_check.trials.edits import edits
from proofs_check.trials.generated import of_source
from proofs_check.trials.source import tree_of
from theory.claim import Assumption, Claim, Form, Instance
from theory.enclosure import Enclosure
from theory.registry import CLAIMS
from theory.symbols import Symbol
from theory.two_layer import Weights

ALL = Effort(drawn=0, coincident=0, varied=0, trained=0, shrink=0, rewritten=10_000, shown=100)
STANDING = [id for id, trial in TRIALS.items() if trial.mutants]
ONE_A_CHAPTER = list({CLAIMS[id].sides.__module__: id for id in STANDING}.values())


def said(function: Callable[..., Any], *symbols: Symbol) -> list[str]:
    assert isinstance(function, FunctionType)
    return [edit.said for edit in edits(function, symbols)]


def positive(w: Fraction) -> bool:
    return w > 0


def few(count: int) -> bool:
    return count == 3


def largest(values: list[Fraction]) -> Fraction:
    return max(v for v in values)


def total(values: Any) -> Any:
    return sum(values, Fraction(0)) + values.max()


def every(values: list[bool]) -> bool:
    return all(values)


def pairs(values: list[int]) -> list[tuple[int, int]]:
    return list(combinations(values, 2))


def indexed(n: int) -> list[int]:
    return list(range(n))


def sliced(values: Any) -> Any:
    return values[1:]


def scaled(n: Fraction) -> Fraction:
    return 2 * n / (n - 1)


def squared(n: Fraction) -> Fraction:
    return n**2


def outer_weights(weights: Weights) -> Any:
    return weights.w2


def both(a: bool, b: bool) -> bool:
    return a and b


@pytest.mark.parametrize(
    ("function", "changes"),
    [
        (positive, [">= for > in 'w > 0'", "-0.1 for 0 in 'w > 0'", "0.01 for 0 in 'w > 0'", "1 for 0 in 'w > 0'"]),
        (few, ["<= for == in 'count == 3'", ">= for == in 'count == 3'", "2 for 3 in 'count == 3'"]),
        (largest, ["min for max in 'max((v for v in values))'", "mean for max in 'max((v for v in values))'"]),
        (largest, ["without the first of values", "without the last of values"]),
        (total, ["max for sum in 'sum(values, Fraction(0))'", "mean for sum in 'sum(values, Fraction(0))'"]),
        (total, ["min for max in 'values.max()'", "sum for max in 'values.max()'"]),
        (every, ["any for all in 'all(values)'"]),
        (pairs, ["neighbours only in 'combinations(values, 2)'"]),
        (indexed, ["range(1, n) for range(n)", "range(0, n - 1) for range(n)", "range(0, n + 1) for range(n)"]),
        (sliced, ["values[2:] for values[1:]", "values[:] for values[1:]"]),
        (scaled, ["0.9 x 2", "0.99 x 2", "1.01 x 2", "1.1 x 2", "n for n - 1"]),
        (squared, ["n ** 1 for n ** 2", "n ** 3 for n ** 2"]),
        (outer_weights, ["w1 for weights.w2", "b1 for weights.w2"]),
        (both, ["without 'a'", "without 'b'"]),
    ],
    ids=lambda value: getattr(value, "__name__", "changes"),
)
def test_a_function_is_changed_in_each_place_that_says_something(
    function: Callable[..., Any], changes: list[str]
) -> None:
    assert set(changes) <= set(said(function))


def test_a_symbol_stands_for_another_that_is_checked_alike() -> None:
    def check(name: str, value: Any) -> Any:
        return value

    symbols = (Symbol("n", "n", "a count", check), Symbol("m", "m", "another", check), Symbol("x", "x", "a point"))
    assert said(one_symbol, *symbols) == ["m for n"]


def one_symbol(given: Instance) -> Any:
    return given["n"]


def widened(a: Fraction) -> Enclosure:
    error = Fraction(1, 2**40) * max(a, Fraction(3))
    return Enclosure(a - error, a + error)


def widened_twice(a: Enclosure) -> Enclosure:
    step = Fraction(3, 2**40)
    reach = 5 * step
    return a.widened(reach)


def rounded_off(a: Fraction) -> Any:
    return round(a * 1024) + a.limit_denominator(7)


def refusing(a: Fraction) -> Fraction:
    if a < 5:
        raise ValueError(f"{a} is below {2 * 3}")
    return a


def halving(a: Fraction) -> Fraction:
    while a > 1:
        a = a / 2
    return a


def one_end(a: Fraction) -> Enclosure:
    return Enclosure(a, a + max(a, Fraction(2)))


@pytest.mark.parametrize("function", [widened, widened_twice, rounded_off, refusing, halving, one_end])
def test_widths_rounding_errors_single_ends_and_loops_are_left_alone(function: Callable[..., Any]) -> None:
    assert said(function) == []


def between(a: Enclosure, b: Enclosure) -> Enclosure:
    return Enclosure(max(a.lower, b.lower), max(a.upper, b.upper))


def test_both_ends_of_an_interval_are_changed_alike() -> None:
    changed = [ast.unparse(edit.tree()) for edit in edits(between, ()) if edit.said.startswith("min for max")]
    assert len(changed) == 1
    assert "Enclosure(min(a.lower, b.lower), min(a.upper, b.upper))" in changed[0]


@pytest.mark.parametrize("id", STANDING)
def test_the_changes_of_a_claim_have_names_of_their_own_and_are_the_same_each_time(id: str) -> None:
    names = [one.name for one in of_source(CLAIMS[id])]
    assert len(set(names)) == len(names)
    assert names == [one.name for one in of_source(replace(CLAIMS[id]))]


@pytest.mark.parametrize("id", ONE_A_CHAPTER)
def test_a_change_differs_from_the_source_and_compiles(id: str) -> None:
    claim = CLAIMS[id]
    assert isinstance(claim.sides, FunctionType)
    for edit in edits(claim.sides, claim.symbols):
        was = tree_of(edit.function)
        assert was is not None
        assert ast.dump(edit.tree()) != ast.dump(was), edit.said
        assert edit.code().co_freevars == edit.function.__code__.co_freevars


def test_a_helper_is_changed_for_the_changed_claim_alone() -> None:
    claim = CLAIMS["V3"]
    two_pieces = Instance({"weights": Weights([1, -1], [0, 0], [1, 1], 0), "interval": (-1, 1)}, "named")
    given = claim.checked(two_pieces)
    before = claim.sides(given)
    names = {one.name: one for one in of_source(claim) if one.name.endswith(" in true_variation")}
    one = next(one for name, one in names.items() if name.startswith("sides: max for sum"))
    assert [side.upper for side in one.make().sides(given)] == [before[0].upper, before[1].upper / 2]
    assert claim.sides(given) == before


def toy(numbers: list[int]) -> tuple[Claim, Search]:
    """The claim that n <= 2 n - 1 for n >= 1, passed on some numbers; it is tight at 1."""
    claim = replace(
        CLAIMS["B1.a"],
        form=Form.AT_MOST,
        symbols=(Symbol("n", "n", "a number"),),
        sides=lambda given: (Enclosure.exactly(Fraction(given["n"])), Enclosure.exactly(Fraction(2 * given["n"] - 1))),
        assumptions=(Assumption("n is at least 1", lambda given: given["n"], lambda n: n >= 1),),
    )
    search = Search()
    for number in numbers:
        search.look(claim, Instance({"n": number}, "drawn"), "drawn")
    return claim, search


@pytest.mark.parametrize(
    ("numbers", "name", "outcome"),
    [
        ([1, 5], "sides: 0.9 x 2", CAUGHT),
        ([5], "sides: 0.9 x 2", SURVIVES),
        ([1, 5], "sides: 1.1 x 2", WEAKER),
        ([1, 5, 0], "assumption 'n is at least 1': 0 for 1 in 'n >= 1'", CAUGHT),
        ([1, 5], "assumption 'n is at least 1': 0 for 1 in 'n >= 1'", EQUAL),
        ([1, 5], "assumption 'n is at least 1': > for >= in 'n >= 1'", WEAKER),
        ([], "sides: 0.9 x 2", VOID),
    ],
    ids=["wrong", "too few instances", "looser", "weakened", "the boundary unseen", "narrower", "nothing seen"],
)
def test_what_comes_of_a_change(numbers: list[int], name: str, outcome: str) -> None:
    claim, search = toy(numbers)
    rows, left = tried_rewritings(claim, search, ALL, 0, {})
    (row,) = [row for row in rows if row.name == name]
    assert row.outcome == outcome
    assert left == 0


def test_a_strategy_that_is_too_weak_leaves_survivors() -> None:
    survivors = {}
    for numbers in ([1, 5], [5]):
        claim, search = toy(numbers)
        rows, _ = tried_rewritings(claim, search, ALL, 0, {})
        survivors[len(numbers)] = [row.name for row in rows if row.outcome == SURVIVES]
    assert "sides: 0.99 x 2" in survivors[1]
    assert survivors[2] == []


def test_what_is_spared_is_not_tried() -> None:
    claim, search = toy([1])
    rows, _ = tried_rewritings(claim, search, ALL, 0, {"sides: 0.9 x 2": "a reason"})
    assert [(row.outcome, row.because) for row in rows if row.name == "sides: 0.9 x 2"] == [(SPARED, "a reason")]


def test_an_assumption_that_need_not_be_is_spared_whatever_stands_in_its_place() -> None:
    claim, search = toy([1])
    rows, _ = tried_rewritings(claim, search, ALL, 0, {"without: n is at least 1": "a reason"})
    assert {row.outcome for row in rows if row.name.startswith("assumption")} == {SPARED}
    assert SPARED not in {row.outcome for row in rows if row.name.startswith("sides")}


def test_a_budget_takes_the_same_changes_each_time_and_counts_the_others() -> None:
    claim, search = toy([1, 5])
    every = of_source(claim)
    rows, left = tried_rewritings(claim, search, replace(ALL, rewritten=4), 0, {})
    assert [row.name for row in rows] == [one.name for one in sample(claim.id, every, 4)]
    assert len(rows) == 4
    assert left == len(every) - 4


def test_the_search_goes_on_beside_what_was_seen_where_the_budget_says_so() -> None:
    claim, search = toy([2, 3, 4])
    rows, _ = tried_rewritings(claim, search, replace(ALL, beside=60), 0, {})
    (row,) = [row for row in rows if row.name == "sides: 0.9 x 2"]
    assert (row.outcome, row.by) == (CAUGHT, "coincident")
