from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from proofs_check.falsify import Search, falsify
from proofs_check.strategies import INSTANCES
from proofs_check.strategies.common import balanced
from theory.checks import rationals
from theory.claim import Claim, Finding, Form, Instance, Ruling
from theory.claims.beyond import hessian_top
from theory.claims.mulayoff2021_stability import growth
from theory.enclosure import Enclosure
from theory.linear_stability import mean_growth, mean_square_condition
from theory.registry import CLAIMS

Sides = Callable[[Instance], tuple[Enclosure, Enclosure]]

REFUTABLE = ["V4", "V5", "V6", "V9", "M3", "W2.b", "B1"]
NOT_REFUTED = [id for id in INSTANCES if id not in REFUTABLE]


@pytest.mark.parametrize("id", REFUTABLE)
def test_the_search_refutes_what_is_false_as_printed(id: str) -> None:
    claim = CLAIMS[id]
    search = falsify(claim, INSTANCES[id], examples=400, shrink=False)
    assert search.counterexample is not None
    verdict, instance = search.counterexample
    assert claim.finding in (Finding.FALSE, Finding.NEEDS_ASSUMPTION, Finding.LOOSE)
    assert search.rulings[Ruling.VIOLATED] == 1
    assert claim.evaluate(instance) == verdict
    assert verdict.ruling is Ruling.VIOLATED


@pytest.mark.parametrize("id", NOT_REFUTED)
def test_the_search_refutes_nothing_else(id: str) -> None:
    search = falsify(CLAIMS[id], INSTANCES[id], examples=100)
    assert search.counterexample is None
    assert Ruling.VIOLATED not in search.rulings
    # Enough to decide on, a fifth of all instances (or as many as are listed), neither hidden by rounding nor excluded.
    assert search.decided >= min(20, sum(search.rulings.values()))


def sides_of(id: str) -> Sides:
    sides = CLAIMS[id].sides
    if sides is None:
        raise ValueError(f"{id} has no sides")
    return sides


def scaled(id: str, factor: Fraction, offset: int = 0) -> Claim:
    """The claim with offset + (right side - offset) times a factor."""
    sides = sides_of(id)

    def stronger(given: Instance) -> tuple[Enclosure, Enclosure]:
        lhs, rhs = sides(given)
        ends = sorted(offset + factor * (Fraction(end) - offset) for end in (rhs.lower, rhs.upper))
        return lhs, Enclosure(*ends)

    return replace(CLAIMS[id], sides=stronger)


def negated(id: str) -> Claim:
    """The equivalence with the opposite of its right side."""
    sides = sides_of(id)

    def opposite(given: Instance) -> tuple[Enclosure, Enclosure]:
        lhs, rhs = sides(given)
        return lhs, Enclosure(1 - rhs.upper, 1 - rhs.lower)

    return replace(CLAIMS[id], sides=opposite)


def relaxed(id: str, number: int, limit: Fraction) -> Claim:
    """The claim with one of its assumptions, `value <= ..`, moved to a limit."""

    def within(value: Enclosure | Fraction) -> bool:
        return (value.upper if isinstance(value, Enclosure) else value) <= limit

    assumptions = list(CLAIMS[id].assumptions)
    assumptions[number] = replace(assumptions[number], holds=within)
    return replace(CLAIMS[id], assumptions=tuple(assumptions))


def truth(value: Enclosure, limit: Fraction) -> Enclosure:
    return Enclosure(Fraction(int(value.upper <= limit)), Fraction(int(value.lower <= limit)))


def condition(given: Instance) -> Enclosure:
    """Walker's lambda_max(..) in one dimension."""
    value = mean_square_condition(given["hessians"], given["step_size"], given["batch_size"])[0, 0]
    return Enclosure.exactly(value)


def without_loss_term(given: Instance) -> tuple[Enclosure, Enclosure]:
    lhs, _ = sides_of("B7.a")(given)
    top = hessian_top(given["weights"], given["x"], given["y"])
    return lhs, Enclosure((Fraction(top.lower) - 1) / 2, (Fraction(top.upper) - 1) / 2)


def gradient_descent_below(given: Instance, limit: Fraction) -> tuple[Enclosure, Enclosure]:
    product = mean_growth(rationals(given["hessians"]), given["step_size"])
    return truth(product, limit), sides_of("M1.a")(given)[1]


MORE, LESS, ONE = Fraction(101, 100), Fraction(99, 100), Fraction(1)

MUTANTS: dict[str, tuple[Claim, SearchStrategy[Instance]]] = {
    **{
        f"{id}: right side x 1.01": (scaled(id, MORE), INSTANCES[id])
        for id in ("V1", "V2", "V3", "V6.a", "V7", "V8", "V8.a", "V9.a", "M2", "M2.a", "M4", "B1.a")
    },
    **{
        f"{id}: right side x 0.99": (scaled(id, LESS), INSTANCES[id])
        for id in ("V4.a", "V9.b", "M1", "M3.a", "M6.a", "W2.a")
    },
    **{f"{id}: negated": (negated(id), INSTANCES[id]) for id in ("V1.a", "V5.a", "M1.a", "W1.a")},
    "M5: 1 + 2.02 int |f''| g": (scaled("M5", MORE, offset=1), balanced()),
    "M5: 1 + 2.02 int |f''| g, in the claim's own instances": (scaled("M5", MORE, offset=1), INSTANCES["M5"]),
    "M6: 0.99 (1/eta - 1/2)": (scaled("M6", LESS), INSTANCES["M6"]),
    "M1.a: eta lambda <= 1.98": (
        replace(CLAIMS["M1.a"], sides=lambda given: gradient_descent_below(given, Fraction(198, 100))),
        INSTANCES["M1.a"],
    ),
    "M1.a: eta lambda <= 2.02": (
        replace(CLAIMS["M1.a"], sides=lambda given: gradient_descent_below(given, Fraction(202, 100))),
        INSTANCES["M1.a"],
    ),
    "M3.a: max lambda <= 2.02/eta": (relaxed("M3.a", 0, 2 * MORE), INSTANCES["M3.a"]),
    "W1: lambda_max(..) <= 1.01": (
        replace(
            relaxed("W1", 0, MORE),
            sides=lambda given: (Enclosure.exactly(ONE), truth(growth(given), ONE)),
        ),
        INSTANCES["W1"],
    ),
    "W1.a: factor <= 1.01": (
        replace(CLAIMS["W1.a"], sides=lambda given: (truth(condition(given), MORE), truth(growth(given), ONE))),
        INSTANCES["W1.a"],
    ),
    "W2.a: lambda_max(..) <= 1.01": (relaxed("W2.a", 0, MORE), INSTANCES["W2.a"]),
    "B7.a: without its loss term": (replace(CLAIMS["B7.a"], sides=without_loss_term), INSTANCES["B7.a"]),
    "B7: without its loss term": (
        replace(CLAIMS["B7"], sides=without_loss_term),
        INSTANCES["B7"],
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_search_refutes_what_is_one_per_cent_too_strong(name: str) -> None:
    claim, instances = MUTANTS[name]
    search = falsify(claim, instances, examples=200, shrink=False)
    assert search.counterexample is not None, f"{name} survives {search.rulings}"


def test_every_claim_that_can_be_true_has_a_mutant() -> None:
    mutated = {name.split(":")[0] for name in MUTANTS}
    assert mutated | set(REFUTABLE) | {"W2"} == set(INSTANCES)


SQUARES = Claim(
    id="T1",
    source=CLAIMS["B1"].source,
    statement="n^2 \\le 1000",
    form=Form.AT_MOST,
    symbols=(),
    sides=lambda given: (Enclosure.exactly(Fraction(given["n"] ** 2)), Enclosure.exactly(Fraction(1000))),
    finding=Finding.OURS,
    note="for the tests",
    no_extremal="none is needed",
)
integers = st.integers(0, 10**6).map(lambda n: Instance({"n": n}, "drawn"))


def test_counterexamples_are_shrunk_to_the_smallest() -> None:
    small, rough = falsify(SQUARES, integers), falsify(SQUARES, integers, shrink=False)
    assert small.counterexample is not None
    assert rough.counterexample is not None
    assert small.counterexample[1]["n"] == 32
    assert rough.counterexample[1]["n"] > 32


def test_the_counterexample_to_m3_shrinks_to_a_readable_one() -> None:
    search = falsify(CLAIMS["M3"], INSTANCES["M3"], examples=400)
    assert search.counterexample is not None
    given = search.counterexample[1].given
    numbers = [*given["start"], given["step_size"], *(v for h, _ in given["modes"] for v in np.ravel(h))]
    assert max(max(abs(Fraction(v).numerator), Fraction(v).denominator) for v in numbers) <= 4


def test_the_search_climbs_towards_small_slack() -> None:
    search = falsify(SQUARES, st.integers(0, 31).map(lambda n: Instance({"n": n}, "drawn")), examples=60)
    assert search.counterexample is None
    assert search.tightest is not None
    assert search.tightest[1]["n"] == 31
    assert search.tightest[0].slack == 1000 - 31**2


def test_inconclusive_verdicts_are_not_the_tightest() -> None:
    wide = replace(SQUARES, sides=lambda given: (Enclosure(Fraction(0), Fraction(2)), Enclosure.exactly(ONE)))
    search = falsify(wide, integers, examples=10)
    assert search == Search({Ruling.INCONCLUSIVE: search.rulings[Ruling.INCONCLUSIVE]}, None, None)
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
