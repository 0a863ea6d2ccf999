import itertools
import pickle
import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.checks import positive
from theory.claim import (
    Assumption,
    AssumptionError,
    Claim,
    Finding,
    Form,
    Instance,
    Ruling,
    Status,
    Verdict,
    compare,
)
from theory.enclosure import Enclosure
from theory.registry import CLAIMS
from theory.sources import HOUSE, MULAYOFF2021, Source
from theory.symbols import Symbol
from theory.two_layer import Weights

ZERO, ONE, TWO = (Enclosure.exactly(Fraction(v)) for v in range(3))
WIDE = Enclosure(Fraction(0), Fraction(2))
UNDECIDED = Enclosure(Fraction(0), Fraction(1))


def below_ten(given: Instance | Mapping[str, Any]) -> Any:
    return given["a"]


CLAIM = Claim(
    id="T1",
    source=Source(MULAYOFF2021, "nowhere"),
    statement="a^2 \\le b",
    form=Form.AT_MOST,
    symbols=(Symbol("a", "a", "a number below 10"), Symbol("b", "b", "a number")),
    assumptions=(
        Assumption("a is below 10", below_ten, lambda a: a < 10),
        Assumption("a is even", lambda given: given["a"] % 2, lambda rest: rest == 0),
    ),
    sides=lambda given: (Enclosure.exactly(given["a"] ** 2), Enclosure.exactly(given["b"])),
    finding=Finding.AS_PRINTED,
    note="for the tests",
    no_extremal="none is needed",
)


@pytest.mark.parametrize(
    ("form", "lhs", "rhs", "ruling", "slack"),
    [
        (Form.AT_MOST, ONE, TWO, Ruling.HOLDS, 1.0),
        (Form.AT_MOST, ONE, ONE, Ruling.HOLDS, 0.0),
        (Form.AT_MOST, TWO, ONE, Ruling.VIOLATED, -1.0),
        (Form.AT_MOST, WIDE, ONE, Ruling.INCONCLUSIVE, 0.0),
        (Form.AT_MOST, ONE, WIDE, Ruling.INCONCLUSIVE, 0.0),
        (Form.AT_MOST, WIDE, TWO, Ruling.HOLDS, 1.0),
        (Form.AT_LEAST, TWO, ONE, Ruling.HOLDS, 1.0),
        (Form.AT_LEAST, ONE, ONE, Ruling.HOLDS, 0.0),
        (Form.AT_LEAST, ONE, TWO, Ruling.VIOLATED, -1.0),
        (Form.AT_LEAST, WIDE, ONE, Ruling.INCONCLUSIVE, 0.0),
        (Form.IDENTITY, ONE, ONE, Ruling.HOLDS, 0.0),
        (Form.IDENTITY, ONE, WIDE, Ruling.HOLDS, 0.0),
        (Form.IDENTITY, TWO, ONE, Ruling.VIOLATED, -1.0),
        (Form.IDENTITY, ONE, TWO, Ruling.VIOLATED, -1.0),
        (Form.EQUIVALENCE, ONE, ONE, Ruling.HOLDS, 0.0),
        (Form.EQUIVALENCE, ZERO, ZERO, Ruling.HOLDS, 0.0),
        (Form.EQUIVALENCE, ZERO, ONE, Ruling.VIOLATED, -1.0),
        (Form.EQUIVALENCE, UNDECIDED, ONE, Ruling.INCONCLUSIVE, -0.5),
        (Form.EQUIVALENCE, ZERO, UNDECIDED, Ruling.INCONCLUSIVE, -0.5),
        (Form.IMPLICATION, ONE, ONE, Ruling.HOLDS, 0.0),
        (Form.IMPLICATION, ZERO, ONE, Ruling.HOLDS, 1.0),
        (Form.IMPLICATION, ZERO, ZERO, Ruling.HOLDS, 0.0),
        (Form.IMPLICATION, ONE, ZERO, Ruling.VIOLATED, -1.0),
        (Form.IMPLICATION, UNDECIDED, ZERO, Ruling.INCONCLUSIVE, -0.5),
        (Form.IMPLICATION, UNDECIDED, ONE, Ruling.HOLDS, 0.5),
    ],
)
def test_rulings(form: Form, lhs: Enclosure, rhs: Enclosure, ruling: Ruling, slack: float) -> None:
    assert compare("T", form, lhs, rhs) == Verdict("T", ruling, lhs, rhs, slack)


ends = st.one_of(st.fractions(-9, 9), st.floats(-9, 9))
intervals = st.tuples(ends, ends).map(lambda pair: Enclosure(min(pair), max(pair)))


@given(intervals, intervals, st.fractions(0, 1), st.fractions(0, 1))
def test_inequalities_are_ruled_right_wherever_in_their_intervals_the_sides_lie(
    lhs: Enclosure, rhs: Enclosure, p: Fraction, q: Fraction
) -> None:
    a, b = (
        Fraction(side.lower) + share * (Fraction(side.upper) - Fraction(side.lower))
        for side, share in ((lhs, p), (rhs, q))
    )
    for form, true in ((Form.AT_MOST, a <= b), (Form.AT_LEAST, a >= b), (Form.IMPLICATION, a <= b)):
        ruling = compare("T", form, lhs, rhs).ruling
        assert ruling is not (Ruling.VIOLATED if true else Ruling.HOLDS)
    if a == b:
        assert compare("T", Form.IDENTITY, lhs, rhs).ruling is Ruling.HOLDS


@given(intervals, intervals)
def test_at_least_is_at_most_mirrored(lhs: Enclosure, rhs: Enclosure) -> None:
    there, back = compare("T", Form.AT_LEAST, lhs, rhs), compare("T", Form.AT_MOST, rhs, lhs)
    assert (there.ruling, there.slack) == (back.ruling, back.slack)
    assert (there.lhs, there.rhs) == (lhs, rhs)


def test_infinite_sides_are_ruled() -> None:
    infinite = Enclosure.exactly(float("inf"))
    assert compare("T", Form.AT_MOST, ONE, infinite) == Verdict("T", Ruling.HOLDS, ONE, infinite, float("inf"))
    assert compare("T", Form.AT_MOST, infinite, infinite).slack == 0.0


def test_a_claim_is_evaluated_inside_its_assumptions() -> None:
    assert CLAIM.evaluate({"a": 2, "b": 5}) == compare("T1", Form.AT_MOST, Enclosure.exactly(4), Enclosure.exactly(5))
    assert CLAIM.evaluate(Instance({"a": 2, "b": 3}, "drawn")).ruling is Ruling.VIOLATED
    assert CLAIM.failing({"a": 2, "b": 5}) is None
    CLAIM.require({"a": 2, "b": 5})


@pytest.mark.parametrize(
    ("a", "assumption", "value"), [(11, "a is below 10", 11), (12, "a is below 10", 12), (3, "a is even", 1)]
)
def test_outside_its_assumptions_a_claim_names_the_first_that_fails(a: int, assumption: str, value: int) -> None:
    assert CLAIM.evaluate({"a": a, "b": 0}) == Verdict("T1", Ruling.INAPPLICABLE, failed=assumption, value=value)
    message = f"T1 does not apply: it assumes {assumption}, got {value}"
    with pytest.raises(AssumptionError, match=f"^{re.escape(message)}$") as caught:
        CLAIM.require({"a": a, "b": 0})
    assert (caught.value.claim, caught.value.assumption, caught.value.value) == ("T1", assumption, value)


def test_a_symbol_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match=r"^T1 needs a value for b, got a$"):
        CLAIM.evaluate({"a": 2})
    with pytest.raises(ValueError, match=r"^T1 needs a value for a, b, got none$"):
        CLAIM.require({})


def test_symbols_check_and_convert_their_values() -> None:
    checked = replace(CLAIM, symbols=(Symbol("a", "a", "a number above 0", positive), CLAIM.symbols[1]))
    assert checked.evaluate({"a": 2, "b": 5}).ruling is Ruling.HOLDS
    with pytest.raises(ValueError, match=r"^a must be finite and above 0, got 0$"):
        checked.evaluate({"a": 0, "b": 5})
    doubled = replace(CLAIM, symbols=(Symbol("a", "a", "a", lambda name, value: 2 * value), CLAIM.symbols[1]))
    assert doubled.checked({"a": 2, "b": 5})["a"] == 4


def test_an_assumption_error_survives_the_way_between_processes() -> None:
    error = AssumptionError("T1", "a is even", Fraction(1, 2))
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert (again.claim, again.assumption, again.value) == ("T1", "a is even", Fraction(1, 2))


def test_statuses_are_ordered() -> None:
    order = [
        Status.REFUTED,
        Status.CONJECTURED,
        Status.TESTED,
        Status.CERTIFIED,
        Status.PROVED,
        Status.MACHINE_CHECKED,
    ]
    backwards = order[::-1]
    assert sorted(backwards) == order
    assert set(order) == set(Status)
    assert all(a < b and b > a and a <= b and a != b for a, b in itertools.combinations(order, 2))
    assert max(Status.TESTED, Status.PROVED) is Status.PROVED


def test_a_status_is_not_compared_with_anything_else() -> None:
    proved: Any = Status.PROVED
    with pytest.raises(TypeError, match=r"^'<' not supported between instances of 'Status' and 'str'$"):
        sorted([proved, "tested"], key=lambda v: v, reverse=True)


def test_an_instance_names_the_values_it_has() -> None:
    instance = Instance({"a": 1, "b": 2}, "drawn")
    assert instance["a"] == 1
    with pytest.raises(KeyError, match=r"the instance has no value for 'c', only for a, b"):
        instance["c"]


def test_an_instance_does_not_follow_the_mapping_it_was_made_from() -> None:
    values = {"a": 1}
    instance = Instance(values, "drawn")
    values["a"] = 2
    changed = instance.but(a=3, b=4)
    assert (instance["a"], changed["a"], changed["b"], changed.origin) == (1, 3, 4, "drawn")
    given: Any = instance.given
    with pytest.raises(TypeError, match="does not support item assignment"):
        given["a"] = 5


def test_a_source_shows_paper_and_place() -> None:
    assert str(Source(HOUSE, "B1")) == "house, B1"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"x": [0.0, 1.0], "step_size": 1.0}, ValueError, "M6.a needs a value for weights, got x, step_size"),
        ({}, ValueError, "M6.a needs a value for weights, x, step_size, got none"),
        ({"step_size": -1.0}, ValueError, "step_size must be finite and above 0, got -1.0"),
        ({"x": [0.0, 0.0]}, ValueError, "x must hold distinct points, got 0.0 at index 0 and again at 1"),
        ({"x": [0.0, np.nan]}, ValueError, "x must hold finite numbers, got nan at index 1"),
        ({"weights": 3}, TypeError, "weights must be Weights (of a TwoLayerReLU: its weights()), got int"),
    ],
)
def test_a_claim_refuses_values_that_cannot_be_meant(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    whole = {"weights": Weights([1.0], [0.0], [1.0], 0.0), "x": [-1.0, 1.0], "step_size": 0.1}
    values = {**whole, **changes} if len(changes) == 1 else changes
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        CLAIMS["M6.a"].evaluate(values)


def test_a_claim_refuses_what_is_no_instance() -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match=r"^instance must be an Instance or a mapping of symbols to values, got None$"):
        CLAIMS["M5"].evaluate(nothing)


def test_a_claim_takes_lists() -> None:
    weights = Weights([1.0], [0.0], [1.0], 0.0)
    assert CLAIMS["M5"].evaluate({"weights": weights, "x": [-1, 1]}).ruling is Ruling.HOLDS


def test_an_instance_is_a_mapping() -> None:
    instance = Instance({"x": np.array([1.0, 2.0]), "n": 2}, "named")
    assert list(instance) == list(instance.keys()) == ["x", "n"]
    assert (len(instance), "x" in instance, "y" in instance, 0 in instance) == (2, True, False, False)
    assert instance.get("y", 7) == 7
    assert dict(instance)["n"] == 2
    assert instance != Instance(dict(instance), "named")  # values need not compare
    assert instance in {instance: 1}
    with pytest.raises(KeyError, match="only for x, n"):
        instance["y"]
