import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.trials.common import exact_weights, interpolants, networks_on_data
from proofs_check.values import (
    EncodingError,
    decoded,
    decoded_instance,
    encoded,
    encoded_instance,
    exactly,
    numbers,
    with_numbers,
)
from theory.checks import rationals
from theory.claim import Instance
from theory.piecewise_linear import PiecewiseLinear
from theory.two_layer import Weights

VALUES = st.one_of(
    st.booleans(),
    st.integers(-10, 10),
    st.fractions(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.floats(-1, 1), max_size=3).map(np.array),
    st.lists(st.fractions(), min_size=1, max_size=3).map(rationals),
    exact_weights(),
    interpolants().map(lambda instance: instance["f"]),
    networks_on_data().map(lambda instance: instance["weights"]),
    st.tuples(st.fractions(), st.floats(-1, 1)),
)


def same(first: Any, second: Any) -> bool:
    return json.dumps(encoded(first)) == json.dumps(encoded(second)) and type(first) is type(second)


@given(VALUES)
def test_what_is_encoded_is_read_back_without_loss(value: Any) -> None:
    again = decoded(json.loads(json.dumps(encoded(value))))
    assert same(again, value)
    if isinstance(value, np.ndarray):
        assert again.dtype == (value.dtype if value.size else object)
        np.testing.assert_array_equal(again, value)


@given(VALUES)
def test_numbers_put_back_change_nothing(value: Any) -> None:
    assert same(with_numbers(value, numbers(value)), value)


def test_numbers_are_found_wherever_they_stand() -> None:
    value = (np.array([1.5, 2.5]), [Fraction(1, 3)], 7, True, "word")
    assert numbers(value) == [1.5, 2.5, Fraction(1, 3)]
    changed = with_numbers(value, [0.0, 1.0, Fraction(2)])
    np.testing.assert_array_equal(changed[0], [0.0, 1.0])
    assert changed[1:] == ([Fraction(2)], 7, True, "word")


def test_exactly_keeps_every_value_and_has_no_float_left() -> None:
    instance = Instance({"weights": Weights([0.1], [0.2], [0.3], 0.4), "x": np.array([0.5, 0.7]), "n": 3}, "drawn")
    exact = exactly(instance)
    assert exact["weights"].exact
    assert exact["weights"].w1[0] == Fraction(0.1)
    assert exact["x"].tolist() == [Fraction(0.5), Fraction(0.7)]
    assert exact["n"] == 3
    assert exact.origin == "drawn"


def test_instances_keep_their_origin() -> None:
    f = PiecewiseLinear([Fraction(1, 2)], [Fraction(2)], Fraction(0), Fraction(0), Fraction(0))
    again = decoded_instance(json.loads(json.dumps(encoded_instance(Instance({"f": f}, "named")))))
    assert again.origin == "named"
    assert again["f"].same_function(f)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (3, "a value must be an object with one key, got 3"),
        ({"pickle": "gASV"}, "unknown kind of value 'pickle', expected one of truth, int, rational"),
        ({"text": "x**2"}, "unknown kind of value 'text'"),
        ({"rational": "1/0"}, "the rational 1/0 cannot be read"),
        ({"float": "nan"}, "the float nan cannot be read: it must be finite, got nan"),
        ({"int": "3"}, "the int 3 cannot be read: expected int, got str"),
        ({"array": [[{"int": 1}], []]}, "cannot be read: its rows have unequal lengths"),
        ({"weights": {"w1": {"array": []}}}, "the weights"),
    ],
)
def test_what_was_not_encoded_is_refused(code: Any, message: str) -> None:
    with pytest.raises(EncodingError) as caught:
        decoded(code)
    assert message in str(caught.value)


def test_the_symbol_that_cannot_be_read_is_named() -> None:
    with pytest.raises(EncodingError, match=r"^x: unknown kind"):
        decoded_instance({"origin": "named", "given": {"x": {"odd": 1}}})
    with pytest.raises(EncodingError, match=r"^an instance must be an object with `origin` and `given`$"):
        decoded_instance([])
