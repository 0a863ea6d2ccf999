from dataclasses import replace
from fractions import Fraction

import pytest

from proofs_check.remembered import OPEN, forgiving, recalled_if_known, remembered, remembering
from theory.claim import Assumption, Instance, Ruling
from theory.enclosure import Enclosure
from theory.registry import CLAIMS

CLAIM = CLAIMS["V9.a"]


def test_what_is_remembered_is_computed_once_an_instance() -> None:
    asked: list[Instance] = []

    def size(given: Instance) -> int:
        asked.append(given)
        return len(given.given)

    first, second = Instance({"x": 1}, "drawn"), Instance({"x": 1}, "drawn")
    known = remembered(size)
    assert [known(given) for given in (first, first, second)] == [1, 1, 1]
    assert asked == [first, second]
    assert remembered(size) is known is remembered(known) is recalled_if_known(size)


def test_what_was_not_given_a_memory_stays_as_it_is() -> None:
    def alone(given: Instance) -> int:
        return 0

    assert recalled_if_known(alone) is alone


def test_a_claim_that_remembers_says_the_same() -> None:
    assert CLAIM.extremal is not None
    assert remembering(CLAIM).evaluate(CLAIM.extremal) == CLAIM.evaluate(CLAIM.extremal)


def fails(given: Instance) -> tuple[Enclosure, Enclosure]:
    return Enclosure.exactly(Fraction(1) / 0), OPEN


@pytest.mark.parametrize("id", ["V9.a", "V9.b", "W11.c", "B2.d", "B10.b"])
def test_a_wrong_version_without_a_value_is_not_violated(id: str) -> None:
    claim = replace(CLAIMS[id], sides=fails, assumptions=())
    assert claim.extremal is not None
    assert forgiving(claim).evaluate(claim.extremal).ruling is not Ruling.VIOLATED


def test_an_assumption_without_a_value_fails() -> None:
    broken = Assumption("it has a value", lambda given: given["nothing"], bool)
    shy = forgiving(replace(CLAIM, assumptions=(replace(broken, measure=lambda given: 1 // 0),)))
    assert CLAIM.extremal is not None
    assert shy.evaluate(CLAIM.extremal).failed == "it has a value"
