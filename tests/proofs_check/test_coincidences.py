from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from proofs_check.coincidences import NO_INSTANCE, Sizes, coincident, edges, free, small_enough
from proofs_check.falsify import Search, coincide, falsify
from proofs_check.registry import TRIALS
from theory.checks import rationals
from theory.claim import Assumption, Claim, Instance, Ruling
from theory.registry import CLAIMS
from theory.two_layer import Weights
from theory.walker2023 import rademacher

TRIED, FIXED = 400, frozenset({"interval"})


def beside(id: str, instance: Instance, tries: int = TRIED) -> list[Instance]:
    generator, found = np.random.default_rng(0), []
    for _ in range(tries):
        try:
            found.append(coincident(instance, free(CLAIMS[id]), generator, FIXED))
        except NO_INSTANCE:
            continue
    return found


UNIT = Weights([Fraction(2), Fraction(1)], [Fraction(-1), Fraction(0)], [Fraction(1), Fraction(3)], Fraction(0))
ON_INTERVAL = Instance({"weights": UNIT, "interval": rationals([-3, 4])}, "drawn")


def knots(weights: Weights) -> list[Fraction]:
    return [-b / w for w, b in zip(weights.w1, weights.b1, strict=True) if w != 0]


def test_knots_come_to_lie_on_both_ends_and_on_each_other() -> None:
    found = beside("V9.a", ON_INTERVAL)
    lower, upper = (any(given["interval"][end] in knots(given["weights"]) for given in found) for end in (0, 1))
    assert lower
    assert upper
    assert any(len(set(knots(given["weights"]))) < len(knots(given["weights"])) for given in found)


def test_units_cancel_and_rest() -> None:
    networks = [given["weights"] for given in beside("V9.a", ON_INTERVAL)]
    pairs = [
        (w.w1[i] * w.w2[i] + w.w1[j] * w.w2[j] == 0 and w.b1[i] * w.w1[j] == w.b1[j] * w.w1[i] and w.w1[i] != 0)
        for w in networks
        for i in range(w.width)
        for j in range(i)
    ]
    assert any(pairs)
    assert any(np.any((w.w1 == 0) & (w.b1 == 0)) for w in networks)


def test_rows_are_repeated_dropped_and_made_unequal() -> None:
    system = Instance(
        {"hessians": rationals([[[1]], [[2]], [[5]]]), "step_size": Fraction(1), "batch_size": 2}, "drawn"
    )
    shown = {tuple(int(v) for v in given["hessians"].ravel()) for given in beside("B9.f", system)}
    assert {(1, 1, 5), (2, 1, 5), (1, 5)} <= shown


def test_what_was_printed_or_observed_stays_as_it_is() -> None:
    assert free(CLAIMS["V2"]) == []
    assert free(CLAIMS["M11"]) == []


def test_nothing_grows_beyond_what_was_drawn() -> None:
    sizes = Sizes.of([ON_INTERVAL])
    assert sizes.allow(ON_INTERVAL)
    more = Weights([*UNIT.w1, Fraction(1)], [*UNIT.b1, Fraction(1)], [*UNIT.w2, Fraction(1)], Fraction(0))
    assert not sizes.allow(ON_INTERVAL.but(weights=more))
    assert "interval" in sizes.fixed


def test_what_counts_far_is_left_alone() -> None:
    coin = rademacher.coin(sample_size=15000, halvings=700)
    assert small_enough(rademacher.coin(sample_size=3, halvings=1))
    assert not small_enough(coin)
    search = Search()
    search.look(CLAIMS["W3.a"], coin, "drawn")
    coincide(CLAIMS["W3.a"], search, steps=10)
    assert search.sources == {"drawn": 1}


def test_an_edge_is_found_exactly_and_both_its_sides_are_shown() -> None:
    claim = CLAIMS["M6.a"]
    assert claim.extremal is not None
    start = claim.extremal.but(step_size=Fraction(1, 7))
    found = list(edges(claim, start, ["step_size"], np.random.default_rng(0)))
    assert found[0]["step_size"] == Fraction(8, 5)
    assert {claim.evaluate(given).ruling for given in found} == {Ruling.HOLDS, Ruling.INAPPLICABLE}


def moved(id: str, index: int, name: str, changed: Assumption) -> Claim:
    claim = CLAIMS[id]
    kept = list(claim.assumptions)
    assert kept[index].name == name
    kept[index] = changed
    return replace(claim, assumptions=tuple(kept))


def half_open() -> Claim:
    def outside(given: Instance) -> list[Fraction]:
        a, b = given["interval"]
        return [c for c in knots(given["weights"].rational()) if not a < c <= b]

    name = "every knot in (a, b)"
    return moved("V9.a", 1, name, Assumption("every knot in (a, b]", outside, lambda found: not found))


def drawn(id: str, examples: int) -> Search:
    strategy, search = TRIALS[id].drawn, Search()
    assert strategy is not None
    return falsify(CLAIMS[id], strategy, examples=examples, shrink=False, search=search)


def test_a_half_open_interval_is_told_from_an_open_one() -> None:
    search = drawn("V9.a", 60)
    coincide(half_open(), search, steps=400)
    assert search.counterexample is not None


def test_a_search_among_coincidences_can_be_repeated() -> None:
    first, second = Search(), Search()
    for search in (first, second):
        search.look(CLAIMS["V9.a"], ON_INTERVAL, "drawn")
        coincide(CLAIMS["V9.a"], search, steps=50, seed=3)
    shown = [[sorted(map(str, knots(given["weights"]))) for _, given, _ in s.seen] for s in (first, second)]
    assert shown[0] == shown[1]
    assert first.sources["coincident"] == 50


@pytest.mark.parametrize("id", ["V9.a", "M3.a", "W9", "B6", "B2.c"])
def test_coincidences_of_a_claim_that_stands_are_both_inside_and_outside_its_assumptions(id: str) -> None:
    search = drawn(id, 40)
    coincide(CLAIMS[id], search, steps=150)
    rulings = {verdict.ruling for verdict, _, source in search.seen if source == "coincident"}
    assert {Ruling.HOLDS, Ruling.INAPPLICABLE} <= rulings
    assert Ruling.VIOLATED not in rulings
