import ast
from dataclasses import replace
from fractions import Fraction

import pytest

from proofs_check.falsify import Arena, Effort, Search
from proofs_check.ledger import mutants_of, tried
from proofs_check.registry import TRIALS
from proofs_check.row import CAUGHT, MISSED, VOID
from proofs_check.trials import source
from proofs_check.trials.generated import of_assumptions, of_source
from proofs_check.trials.operators import without
from theory.claim import Assumption, Claim, Form, Instance
from theory.enclosure import Enclosure
from theory.registry import CLAIMS
from theory.symbols import Symbol

WITH_ASSUMPTIONS = [id for id, claim in CLAIMS.items() if claim.assumptions and TRIALS[id].mutants]
EFFORT = Effort(drawn=20, coincident=40, varied=20, trained=0, shrink=0)


@pytest.mark.parametrize("id", WITH_ASSUMPTIONS)
def test_a_claim_is_tried_without_each_of_its_assumptions(id: str) -> None:
    names = [mutant.name for mutant in mutants_of(CLAIMS[id])]
    assert all(f"without: {assumption.name}" in names for assumption in CLAIMS[id].assumptions)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("id", [id for id, trial in TRIALS.items() if trial.spared])
def test_what_a_trial_spares_is_made_of_its_claim_and_said_why(id: str) -> None:
    trial = TRIALS[id]
    made = {mutant.name for mutant in of_assumptions(CLAIMS[id])} - {mutant.name for mutant in trial.mutants}
    made |= {one.name for one in of_source(CLAIMS[id])}
    assert set(trial.spared) <= made
    assert all(trial.spared.values())


def root_claim(least: int, numbers: list[int]) -> tuple[Claim, Search]:
    """The claim that 1/n <= 1/least for n >= least, which has no value at 0, passed on some numbers."""

    def sides(given: Instance) -> tuple[Enclosure, Enclosure]:
        return Enclosure.exactly(Fraction(1, given["n"])), Enclosure.exactly(Fraction(1, least))

    claim = replace(
        CLAIMS["B1.a"],
        form=Form.AT_MOST,
        symbols=(Symbol("n", "n", "a number"),),
        sides=sides,
        assumptions=(Assumption("n is large", lambda given: given["n"], lambda n: n >= least),),
    )
    search = Search()
    for number in numbers:
        search.look(claim, Instance({"n": number}, "drawn"), "drawn")
    return claim, search


@pytest.mark.parametrize(
    ("numbers", "outcome"), [([5, 2], CAUGHT), ([5, 0], VOID), ([5, 7], MISSED)], ids=["false", "void", "unseen"]
)
def test_what_has_no_value_where_an_assumption_fails_is_not_missed(numbers: list[int], outcome: str) -> None:
    claim, search = root_claim(5, numbers)
    (row,) = tried(claim, [without(claim, "n is large")], Arena(), search, replace(EFFORT, coincident=0), 0)
    assert row.outcome == outcome
    assert bool(row.because) == (outcome == VOID)


LIMIT = 2


def _below(number: float) -> bool:
    """Return whether it is small."""
    return number < LIMIT  # a comment


def test_what_a_function_computes_is_told_and_how_it_is_laid_out_is_not() -> None:
    texts = {
        "said otherwise": "def _below(number: int):\n    'Other words.'\n\n    return (number\n        < LIMIT)\n",
        "another comparison": "def _below(number):\n    return number <= LIMIT\n",
        "another number": "def _below(number):\n    return number < 3\n",
    }
    trees = {name: ast.parse(text).body[0] for name, text in texts.items()}
    same = source._tree_told(trees["said otherwise"])
    assert source.told(_below) == [same, ["LIMIT", "2"]]
    for name in ("another comparison", "another number"):
        assert source._tree_told(trees[name]) != same


def test_where_a_function_leads_is_told_with_it() -> None:
    measure = CLAIMS["M8"].assumptions[1].measure
    assert "curvatures_of_steps" in repr(source.told(measure))
    assert any("_outputs_along" in repr(part) for part in source.told(measure)[1:])
