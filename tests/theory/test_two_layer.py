import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proofs_check.trials.common import exact_weights, networks_on_data, small
from theory.checks import Array, rationals
from theory.claim import Instance
from theory.enclosure import EPS, top_eigenvalue
from theory.sharpness import gram, hessian, hessian_top, sharpness
from theory.two_layer import Weights

points = st.sets(small, min_size=1, max_size=4).map(lambda values: rationals(sorted(values)))


def moved(weights: Weights, direction: Array, by: Fraction) -> Weights:
    k, vector = weights.width, weights.vector + by * direction
    return Weights(vector[:k], vector[k : 2 * k], vector[2 * k : 3 * k], vector[3 * k])


def outputs_by_loops(weights: Weights, x: Array) -> list[Fraction]:
    units = list(zip(weights.w1, weights.b1, weights.w2, strict=True))
    return [sum((w2 * max(w1 * p + b1, Fraction(0)) for w1, b1, w2 in units), Fraction(weights.b2)) for p in x]


def safe_step(weights: Weights, x: Array) -> Fraction:
    """A step along any two axes at once that no unit toggles in: half of |z| / (|x| + 1) for the nearest."""
    gaps = [abs(z) / (2 * (abs(p) + 1)) for z_row, p in zip(weights.pre_activations(x), x, strict=True) for z in z_row]
    return Fraction(min([Fraction(1), *gaps])) / 2


@given(exact_weights(), points)
def test_outputs(weights: Weights, x: Array) -> None:
    assert weights(x).tolist() == outputs_by_loops(weights, x)


@given(exact_weights(most=3), points)
def test_tangent_features_are_central_differences(weights: Weights, x: Array) -> None:
    step = safe_step(weights, x)
    assume(step > 0)
    features = weights.tangent_features(x)
    # f is linear in each weight alone while no unit toggles, so central differences are exact.
    for axis in range(3 * weights.width + 1):
        direction = rationals(np.eye(3 * weights.width + 1, dtype=int)[axis])
        slopes = (moved(weights, direction, step)(x) - moved(weights, direction, -step)(x)) / (2 * step)
        assert features[:, axis].tolist() == slopes.tolist()


@given(exact_weights(most=3), points, st.data())
def test_the_hessian_is_the_second_difference_of_the_loss(weights: Weights, x: Array, data: st.DataObject) -> None:
    y = rationals([data.draw(small) for _ in x])
    step, size = safe_step(weights, x), 3 * weights.width + 1
    assume(step > 0)
    features, n = weights.tangent_features(x), Fraction(len(x))
    found = features.T @ features / n + weights.residual_hessian(x, weights(x) - y)
    identity = rationals(np.eye(size, dtype=int))

    def loss(i: int, a: int, j: int, b: int) -> Fraction:
        residuals = rationals(outputs_by_loops(moved(weights, a * identity[i] + b * identity[j], step / 4), x)) - y
        return Fraction(residuals @ residuals) / (2 * n)

    # In two weights at a time the loss is a polynomial of degree 2 in each, or of degree 4 in one direction if they
    # multiply; the mixed difference of step h is exact up to h^2, which Richardson's two steps remove.
    i, j = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))

    def mixed(h: int) -> Fraction:
        corners = loss(i, h, j, h) - loss(i, h, j, -h) - loss(i, -h, j, h) + loss(i, -h, j, -h)
        return corners / (4 * (h * step / 4) ** 2)

    assert found[i, j] == (4 * mixed(1) - mixed(2)) / 3
    np.testing.assert_array_equal(found, hessian(weights, x, y))
    np.testing.assert_array_equal(found, found.T)


@given(networks_on_data())
def test_the_sharpness_of_floats_encloses_that_of_the_rationals_they_are(instance: Instance) -> None:
    weights, x = instance["weights"], instance["x"]
    found, exact = sharpness(weights, x), top_eigenvalue(gram(weights.rational(), rationals(x)))
    assert found.lower <= exact.upper
    assert exact.lower <= found.upper


@given(networks_on_data(), st.data())
def test_the_top_of_the_hessian_of_floats_encloses_that_of_the_rationals(
    instance: Instance, data: st.DataObject
) -> None:
    weights, x = instance["weights"], instance["x"]
    assume(weights.width <= 2)
    y = np.array([data.draw(st.floats(-9, 9)) for _ in x])
    found = hessian_top(weights, x, y)
    exact = top_eigenvalue(hessian(weights.rational(), rationals(x), rationals(y)))
    assert found.lower <= exact.upper
    assert exact.lower <= found.upper


def test_far_and_close_data_do_not_break_the_sharpness() -> None:
    # Pre-activations of 1 from products of 1e12, which floats would round by 1e-4.
    x = 1e6 + 1e-6 * np.array([0.0, 1.0])
    weights = Weights([1e6], [-1e6 * (x[0] + 3e-7)], [1e-6], 0.0)
    found, exact = sharpness(weights, x), top_eigenvalue(gram(weights.rational(), rationals(x)))
    assert found.lower <= exact.upper
    assert exact.lower <= found.upper
    assert found.upper - found.lower < 1e-14


@pytest.mark.parametrize(
    ("weights", "x", "expected"),
    [
        (Weights([], [], [], 0.0), [0.0], np.inf),
        (Weights([1.0], [0.0], [1.0], 0.0), [], np.inf),
        (Weights([1.0], [-1.0], [1.0], 0.0), [0.0, 1.0], 0.0),
        (Weights([0.0], [0.0], [1.0], 0.0), [1.0], 0.0),
        (Weights([0.0], [2.0], [1.0], 0.0), [5.0], 1.0),
        (Weights([1.0], [-1.0], [1.0], 0.0), [3.0, -7.0], 0.5),
        pytest.param(Weights([1.0, 2.0], [-1.0, 1.0], [0.0, 0.0], 0.0), [0.0, -3.0], 5 / 7, id="two units"),
        (Weights([Fraction(1), Fraction(0)], [-1, 0], [1, 1], 0), [Fraction(3)], 0.0),
        (Weights([Fraction(1)], [Fraction(-1)], [1], 0), [Fraction(3)], 0.5),
    ],
)
def test_the_toggle_margin_by_hand(weights: Weights, x: list[Any], expected: float) -> None:
    margin = weights.toggle_margin(rationals(x) if weights.exact else np.array(x))
    assert margin == expected
    assert type(margin) is float


def test_a_knot_within_rounding_of_a_data_point_has_a_margin_of_rounding_size() -> None:
    weights = Weights([3.0], [-3.0 * 0.1], [1.0], 0.0)
    assert weights.toggle_margin(np.array([0.1])) <= EPS


def test_one_rational_makes_all_weights_exact() -> None:
    weights = Weights([1.5], [2], [0.25], Fraction(1, 3))
    assert weights.exact
    assert all(type(v) is Fraction for v in weights.vector)
    assert not Weights([1.5], [2], [0.25], 1).exact


@given(networks_on_data())
def test_rational_weights_are_the_same_numbers(instance: Instance) -> None:
    weights = instance["weights"]
    np.testing.assert_array_equal(weights.rational().vector.astype(np.float64), weights.vector)


def test_weights_do_not_follow_the_array_they_were_made_from() -> None:
    w1 = np.array([1.0, 2.0])
    weights = Weights(w1, [0.0, 0.0], [1.0, 1.0], 0.0)
    w1[0] = 7.0
    assert weights.w1.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            ([1.0], [1.0, 2.0], [1.0], 0.0),
            ValueError,
            "w1, b1 and w2 must have one entry for each hidden unit, got {'w1': 1, 'b1': 2, 'w2': 1}",
        ),
        (([np.nan], [1.0], [1.0], 0.0), ValueError, "w1 must hold finite numbers, got nan at index 0"),
        (([1.0], [1.0], [1.0], np.inf), ValueError, "b2 must hold finite numbers, got inf at index 0"),
        (([1.0], ["1"], [1.0], 0.0), TypeError, "b1 must hold real numbers, got '1' of type str"),
        (([1.0], [1.0], [[1.0]], 0.0), ValueError, "w2 must have one axis, got shape (1, 1)"),
        (([1.0], [1.0], [1.0], None), TypeError, "b2 must hold real numbers, got None of type NoneType"),
    ],
)
def test_malformed_weights_are_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        Weights(*arguments)
