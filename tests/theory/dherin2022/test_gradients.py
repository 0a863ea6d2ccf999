import math
from fractions import Fraction

import numpy as np
import pytest

from theory.checks import Array, rationals
from theory.claim import Ruling
from theory.dherin2022.gradients import D9, D9B, D19, D20, D20A, D20B, cross_entropy_gradients


def cross_entropy(logits: Array, label: int) -> float:
    """Return -log softmax, from its definition."""
    return math.log(sum(map(math.exp, logits))) - float(logits[label])


def test_the_gradient_of_the_cross_entropy_by_differences() -> None:
    # Logits log(odds) that move by 'slopes' with two weights.
    odds, slopes, labels = np.array([[1.0, 2.0, 4.0]]), np.array([[[1.0, 0.0], [2.0, -1.0], [0.0, 3.0]]]), [2]
    given = D9.checked(
        {
            "odds": rationals(odds),
            "class_targets": rationals([[0, 0, 1]]),
            "output_gradients": rationals(slopes),
            "step_size": Fraction(1),
        }
    )
    exact = cross_entropy_gradients(given)[0].astype(float)
    for weight in range(2):
        step = 1e-5 * slopes[0, :, weight]
        ends = [cross_entropy(np.log(odds[0]) + sign * step, labels[0]) for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(exact[weight], abs=1e-8)


def test_an_unhalved_squared_loss_has_four_times_the_regulariser() -> None:
    given = {
        "outputs": rationals([[1, 2], [0, 1]]),
        "values": rationals([[0, 0], [1, 1]]),
        "output_gradients": rationals([[[1, 2], [0, 1]], [[1, 1], [2, 0]]]),
        "step_size": Fraction(1, 3),
    }
    verdict = D9B.evaluate(given)
    assert verdict.ruling is Ruling.VIOLATED
    assert verdict.lhs is not None
    assert verdict.rhs is not None
    assert verdict.lhs.upper == 4 * Fraction(verdict.rhs.upper)


def test_labels_drawn_once_and_fitted_leave_no_gradient() -> None:
    assert D19.witness is not None
    assert D19.evaluate(D19.witness).ruling is Ruling.VIOLATED
    # The same network without having fitted them: the noise adds what it should.
    fresh = D19.witness.but(clean_residuals=rationals([[[1]], [[1]]]))
    verdict = D19.evaluate(fresh)
    assert verdict.ruling is Ruling.HOLDS
    assert verdict.slack == 0


@pytest.mark.parametrize(("step_size", "ruling"), [(2, Ruling.HOLDS), (3, Ruling.VIOLATED)])
def test_a_step_on_a_parabola(step_size: int, ruling: Ruling) -> None:
    given = {"curvatures": rationals([1]), "start": rationals([1]), "step_size": Fraction(step_size)}
    assert D20.evaluate(given).ruling is ruling


def test_negative_curvature_has_an_edge_as_well() -> None:
    given = {"curvatures": rationals([-3]), "start": rationals([1]), "step_size": Fraction(1)}
    assert D20A.evaluate(given).ruling is Ruling.INAPPLICABLE
    assert D20.evaluate(given).ruling is Ruling.VIOLATED


@pytest.mark.parametrize("ratio", [Fraction(-3), Fraction(-1, 10), Fraction(1, 10), Fraction(1), Fraction(5)])
def test_the_distances_from_the_flows_by_floats(ratio: Fraction) -> None:
    verdict = D20B.evaluate({"curvatures": rationals([ratio]), "start": rationals([1]), "step_size": Fraction(1)})
    z = float(ratio)
    assert verdict.lhs is not None
    assert verdict.rhs is not None
    assert float(verdict.lhs.midpoint) == pytest.approx((math.exp(-z - z**2 / 2) - (1 - z)) ** 2, rel=1e-9)
    assert float(verdict.rhs.midpoint) == pytest.approx((math.exp(-z) - (1 - z)) ** 2, rel=1e-9)
    assert verdict.ruling is Ruling.HOLDS
