from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import strategies as st

from proofs_check.falsify import Arena, Effort, Search, falsify, hunt, relative_slack, vary
from proofs_check.registry import TRIALS
from theory.claim import Claim, Finding, Form, Instance, Ruling, Verdict
from theory.enclosure import Enclosure
from theory.registry import CLAIMS
from theory.symbols import Symbol

REFUTED = [c.id for c in CLAIMS.values() if c.finding.refutable and not c.study]


@pytest.mark.parametrize("id", REFUTED)
def test_the_search_refutes_what_is_false_as_printed(id: str) -> None:
    claim = CLAIMS[id]
    search = falsify(claim, TRIALS[id].drawn, examples=400, shrink=False)
    assert search.counterexample is not None
    verdict, instance = search.counterexample
    assert search.rulings[Ruling.VIOLATED] == 1
    assert search.source == "drawn"
    assert claim.evaluate(instance) == verdict
    assert verdict.ruling is Ruling.VIOLATED


SQUARES = Claim(
    id="T1",
    source=CLAIMS["B1"].source,
    statement="n^2 \\le 1000",
    form=Form.AT_MOST,
    symbols=(Symbol("n", "n", "a number"),),
    sides=lambda given: (Enclosure.exactly(Fraction(given["n"] ** 2)), Enclosure.exactly(Fraction(1000))),
    finding=Finding.OURS,
    note="for the tests",
    no_extremal="none is needed",
)
integers = st.integers(0, 10**6).map(lambda n: Instance({"n": n}, "drawn"))
small = st.integers(0, 31).map(lambda n: Instance({"n": n}, "drawn"))
short = st.integers(1, 31).map(lambda n: Instance({"step_size": Fraction(n)}, "drawn"))
STEPS = replace(
    SQUARES,
    symbols=(Symbol("step_size", "n", "a number"),),
    sides=lambda given: (Enclosure.exactly(given["step_size"] ** 2), Enclosure.exactly(Fraction(1000))),
)


def test_counterexamples_are_shrunk_to_the_smallest() -> None:
    shrunk, rough = falsify(SQUARES, integers), falsify(SQUARES, integers, shrink=False)
    assert shrunk.counterexample is not None
    assert rough.counterexample is not None
    assert shrunk.counterexample[1]["n"] == 32
    assert rough.counterexample[1]["n"] > 32
    assert sum(shrunk.rulings.values()) == sum(rough.rulings.values())


def test_the_counterexample_to_m3_shrinks_to_a_readable_one() -> None:
    search = falsify(CLAIMS["M3"], TRIALS["M3"].drawn, examples=400)
    assert search.counterexample is not None
    given = search.counterexample[1].given
    numbers = [*given["start"], given["step_size"], *(v for h, _ in given["modes"] for v in h.ravel())]
    assert max(max(abs(Fraction(v).numerator), Fraction(v).denominator) for v in numbers) <= 4


def test_the_search_climbs_towards_small_slack() -> None:
    search = falsify(SQUARES, small, examples=60)
    assert search.counterexample is None
    assert search.tightest is not None
    assert search.tightest[1]["n"] == 31
    assert search.tightest[0].slack == 1000 - 31**2
    assert search.closest()[0][1]["n"] == 31


def test_inconclusive_verdicts_are_not_the_tightest() -> None:
    wide = replace(SQUARES, sides=lambda given: (Enclosure(Fraction(0), Fraction(2)), Enclosure.exactly(Fraction(1))))
    search = falsify(wide, integers, examples=10)
    assert search.rulings == Counter({Ruling.INCONCLUSIVE: 10})
    assert search.tightest is None
    assert search.counterexample is None
    assert search.decided == 0


def test_a_search_can_be_repeated() -> None:
    first, second = (falsify(SQUARES, integers, examples=50, seed=3, shrink=False) for _ in range(2))
    assert first.counterexample is not None
    assert second.counterexample is not None
    assert first.counterexample[1]["n"] == second.counterexample[1]["n"]
    assert first.rulings == second.rulings


@pytest.mark.parametrize("examples", [0, -1])
def test_a_search_of_nothing_is_refused(examples: int) -> None:
    with pytest.raises(ValueError, match=f"^examples must be at least 1, got {examples}$"):
        falsify(SQUARES, integers, examples=examples)


def test_variation_goes_downhill_until_the_claim_is_violated() -> None:
    search = Search()
    search.look(STEPS, Instance({"step_size": Fraction(3)}, "drawn"), "drawn")
    vary(STEPS, search, steps=2000, seed=1)
    assert search.counterexample is not None
    assert search.source == "varied"
    assert search.counterexample[1]["step_size"] ** 2 > 1000
    assert search.sources["varied"] < 2000


def test_variation_leaves_alone_what_is_no_free_number() -> None:
    search = Search()
    search.look(SQUARES, Instance({"n": 3}, "drawn"), "drawn")
    vary(SQUARES, search, steps=100)
    assert search.sources == Counter({"drawn": 1})


EFFORT = Effort(drawn=50, coincident=50, varied=50, trained=0, shrink=100)


@pytest.mark.parametrize(
    ("arena", "source"),
    [
        (Arena(named=(Instance({"n": 40}, "named"),), drawn=integers), "named"),
        (Arena(trained=(Instance({"n": 1}, "trained"), Instance({"n": 40}, "trained")), drawn=integers), "trained"),
        (Arena(named=(Instance({"n": 1}, "named"),), drawn=integers), "drawn"),
        (Arena(), ""),
        (Arena(drawn=st.just(Instance({"n": 0}, "drawn"))), ""),
    ],
)
def test_a_hunt_says_where_the_counterexample_came_from(arena: Arena, source: str) -> None:
    search = hunt(SQUARES, arena, EFFORT)
    assert search.source == source
    assert (search.counterexample is None) == (source == "")
    assert sum(search.sources.values()) == len(search.seen)


def test_a_hunt_goes_on_beside_what_it_drew() -> None:
    search = hunt(STEPS, Arena(drawn=short), EFFORT)
    assert search.source == "coincident"
    assert search.counterexample is not None


def test_instances_that_decide_nothing_come_last() -> None:
    sides = Enclosure.exactly(Fraction(1)), Enclosure.exactly(Fraction(4))
    assert relative_slack(Verdict("T1", Ruling.HOLDS, *sides, 3.0)) == 3 / 5
    assert relative_slack(Verdict("T1", Ruling.INAPPLICABLE)) == float("inf")
    assert relative_slack(Verdict("T1", Ruling.HOLDS, Enclosure.exactly(0.0), Enclosure.exactly(0.0), 0.0)) == 0
