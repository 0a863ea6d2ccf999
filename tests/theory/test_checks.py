import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory import checks
from theory.symbols import half_mean_step_size, loss_scale

HUGE = 10**400
INF, NAN = float("inf"), float("nan")


def name(value: object) -> str | None:
    """The name of a value in the id of a test: its hundreds of digits are none."""
    return {HUGE: "huge", -HUGE: "minus-huge"}.get(value) if isinstance(value, int) else None


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1.0, NAN, 2.0], ValueError, "x must hold finite numbers, got nan at index 1"),
        (np.array([INF, NAN]), ValueError, "x must hold finite numbers, got inf at index 0"),
        ([Fraction(1, 2), -INF], ValueError, "x must hold finite numbers, got -inf at index 1"),
        (1.0, ValueError, "x must have one axis, got shape ()"),
        ([[1.0, 2.0]], ValueError, "x must have one axis, got shape (1, 2)"),
        ("1, 2", TypeError, "x must hold real numbers, got '1, 2' of type str"),
        (["1", 2], TypeError, "x must hold real numbers, got '1' of type str"),
        ([1j], TypeError, "x must hold real numbers, got 1j of type complex"),
        (np.array([1j]), TypeError, "x must hold real numbers, got 1j of type complex"),
        ([True, 2], TypeError, "x must hold real numbers, got True of type bool"),
        (np.array([False]), TypeError, "x must hold real numbers, got False of type bool"),
        (None, TypeError, "x must hold real numbers, got None of type NoneType"),
        ([1, None], TypeError, "x must hold real numbers, got None of type NoneType"),
        ([[1], [1, 2]], TypeError, "x must hold real numbers, got [1] of type list"),
        (
            [np.zeros((2, 2)), np.zeros((2, 3))],
            TypeError,
            "x must be an array of real numbers, got rows of unequal length",
        ),
        ([1.0, HUGE], ValueError, "x must hold numbers in the range of floats, got one beyond it"),
    ],
)
def test_an_array_that_is_none_is_refused(value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        checks.real_array("x", value)


def test_a_wrong_number_of_axes_is_named() -> None:
    with pytest.raises(ValueError, match=r"^hessians must have 3 axes, got shape \(2,\)$"):
        checks.real_array("hessians", [1.0, 2.0], ndim=3)


@pytest.mark.parametrize(
    "value",
    [[1, 2], [1.0, 2], (1, 2.0), np.array([1, 2]), np.array([1, 2], np.float32), np.array([1, 2], np.uint8)],
)
def test_numbers_become_floats(value: Any) -> None:
    array = checks.real_array("x", value)
    assert array.dtype == np.float64
    assert array.tolist() == [1.0, 2.0]


def test_an_empty_list_is_an_empty_array() -> None:
    assert checks.real_array("x", []).shape == (0,)


@pytest.mark.parametrize(
    "other", [2, 0.1, np.float64(0.1), np.int64(2**62), HUGE, Fraction(HUGE), Fraction(1, HUGE)], ids=name
)
def test_one_rational_makes_all_exact(other: Any) -> None:
    array = checks.real_array("x", [Fraction(1, 3), other])
    assert array.dtype == object
    assert all(type(entry) is Fraction for entry in array)
    assert array.tolist() == [Fraction(1, 3), Fraction(other.item() if isinstance(other, np.generic) else other)]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4))
def test_machine_integers_do_not_overflow_as_rationals(values: list[int]) -> None:
    exact = checks.rationals(np.array(values, dtype=np.int64))
    assert (exact * 4).tolist() == [4 * v for v in values]


@pytest.mark.parametrize("value", [Fraction(HUGE), HUGE, -HUGE], ids=name)
def test_rationals_beyond_floats_are_not_rounded_to_floats(value: Any) -> None:
    message = "y must hold numbers in the range of floats, got one beyond it"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checks.floats("y", np.array([value], dtype=object))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: checks.data_points("x", []), "x must hold at least 1 data point, got 0"),
        (lambda: checks.data_points("x", [1.0], fewest=2), "x must hold at least 2 data points, got 1"),
        (
            lambda: checks.data_points("x", [3.0, 1.0, 2.0, 1.0]),
            "x must hold distinct points, got 1.0 at index 1 and again at 3",
        ),
        (
            lambda: checks.data_points("x", [0.0, -0.0]),
            "x must hold distinct points, got 0.0 at index 0 and again at 1",
        ),
        (
            lambda: checks.data_points("x", [Fraction(1, 2), 0.5]),
            "x must hold distinct points, got 1/2 at index 0 and again at 1",
        ),
        (lambda: checks.data_set([1.0], [1.0]), "x must hold at least 2 data points, got 1"),
        (
            lambda: checks.data_set([1.0, 2.0], [1.0]),
            "y must hold one target for each of the 2 points of x, got 1",
        ),
        (lambda: checks.data_set([1.0, 2.0], [1.0, NAN]), "y must hold finite numbers, got nan at index 1"),
    ],
)
def test_malformed_data_are_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=2, unique_by=lambda pair: pair[0]))
def test_a_data_set_is_sorted_and_keeps_its_pairs(pairs: list[tuple[float, float]]) -> None:
    x, y = checks.data_set([a for a, _ in pairs], [b for _, b in pairs])
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == sorted(pairs, key=lambda pair: pair[0])


def test_the_product_of_nothing_is_zero() -> None:
    assert checks.dot(np.array([], dtype=object), np.array([], dtype=object)) == 0
    assert checks.dot(checks.rationals([1, 2]), checks.rationals([3, Fraction(1, 2)])) == 4


@pytest.mark.parametrize(
    "value", [1, 0.5, 5e-324, Fraction(1, HUGE), Fraction(HUGE), HUGE, np.float32(1), np.int64(3)], ids=name
)
def test_positive_numbers_pass(value: Any) -> None:
    assert checks.positive("step_size", value) is value
    assert checks.nonnegative("step_size", value) is value


@pytest.mark.parametrize("value", [0, 0.0, -1.0, Fraction(-1, HUGE), -HUGE, NAN, INF, np.float64(-2)], ids=name)
def test_a_step_size_that_is_not_positive_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'step_size must be finite and above 0, got {value}')}$"):
        checks.positive("step_size", value)


@pytest.mark.parametrize("value", [-1e-300, Fraction(-1, HUGE), -HUGE, NAN, INF, -INF], ids=name)
def test_a_negative_loss_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(f'training_loss must be finite and at least 0, got {value}')}$"):
        checks.nonnegative("training_loss", value)


def test_a_loss_may_be_zero() -> None:
    assert checks.nonnegative("training_loss", 0.0) == 0.0


@pytest.mark.parametrize(
    ("value", "type_name"), [("a", "str"), (None, "NoneType"), (True, "bool"), (1j, "complex"), ([1.0], "list")]
)
@pytest.mark.parametrize("check", [checks.positive, checks.nonnegative])
def test_what_is_no_number_is_refused(check: Callable[[str, Any], Any], value: object, type_name: str) -> None:
    message = f"step_size must be a real number, got {value!r} of type {type_name}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        check("step_size", value)


@pytest.mark.parametrize("value", [0, -1, 6])
def test_a_batch_size_out_of_range_is_refused(value: int) -> None:
    message = f"batch_size must be between 1 and the number of data points, 5, got {value}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        checks.batch_size(value, 5)


@pytest.mark.parametrize(
    ("value", "type_name"), [(1.0, "float"), (True, "bool"), ("1", "str"), (Fraction(1), "Fraction")]
)
def test_a_batch_size_that_is_no_integer_is_refused(value: Any, type_name: str) -> None:
    message = f"batch_size must be an integer, got {value!r} of type {type_name}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        checks.batch_size(value, 5)


@pytest.mark.parametrize("value", [1, 5, np.int64(3)])
def test_a_batch_size_in_range_passes(value: int) -> None:
    assert checks.batch_size(value, 5) == value
    assert type(checks.batch_size(value, 5)) is int


@pytest.mark.parametrize("loss", ["sum", None, 1])
def test_an_unknown_loss_is_refused(loss: Any) -> None:
    with pytest.raises(ValueError, match=f"^loss must be one of 'half_mean', 'mean', got {loss!r}$"):
        loss_scale(loss)


def test_mean_losses_step_twice_as_far() -> None:
    assert half_mean_step_size(0.25, "half_mean") == 0.25
    assert half_mean_step_size(0.25, "mean") == 0.5


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Fraction(1, HUGE), "step_size must be finite and above 0, got 0.0"),
        (Fraction(HUGE), "step_size must hold numbers in the range of floats, got one beyond it"),
    ],
)
def test_a_step_size_outside_the_floats_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        half_mean_step_size(value, "mean")
