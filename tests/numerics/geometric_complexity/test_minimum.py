"""GC at a minimum and what bounds it, against the claims' own evaluation and against autograd."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.geometric_complexity import complexity_at_minimum, geometric_complexity, transfer_bound
from numerics.networks import TwoLayerReLU, initialise
from numerics.stability import sharpness
from theory.beyond import stable_complexity_limit
from theory.beyond.transfer import B25
from theory.checks import rationals
from theory.claim import Instance, Verdict
from theory.dherin2022.transfer import D10B
from theory.two_layer import Weights

number = st.builds(Fraction, st.integers(-6, 6), st.sampled_from([1, 2, 3]))
points = st.lists(number, min_size=1, max_size=3, unique=True)


@st.composite
def networks(draw: st.DrawFn) -> Weights:
    k = draw(st.integers(1, 2))
    w1, b1, w2 = (draw(st.lists(number, min_size=k, max_size=k)) for _ in range(3))
    return Weights(w1, b1, w2, draw(number) + Fraction(0))


def dense(weights: Weights, x: Any, **more: Any) -> Instance:
    layers = (weights.w1[:, None], weights.b1), (weights.w2[None, :], rationals([weights.b2]))
    inputs = rationals(np.array(x, dtype=object)[:, None])
    return Instance({"dense_layers": layers, "leak": Fraction(0), "inputs": inputs, **more}, "drawn")


def said(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.ruling, verdict.lhs, verdict.rhs, verdict.slack, verdict.failed


@settings(max_examples=60)
@given(
    weights=networks(),
    x=points,
    step_size=st.sampled_from([Fraction(1, 50), Fraction(1, 5), Fraction(1)]),
    data=st.data(),
)
def test_the_verdict_is_that_of_b25_itself(weights: Weights, x: list[Fraction], step_size: Fraction, data: Any) -> None:
    batch = data.draw(st.integers(1, len(x)))
    found = complexity_at_minimum(weights, x).stable_verdict(step_size, batch)
    assert said(found) == said(B25.evaluate(dense(weights, x, step_size=step_size, batch_size=batch)))


@given(weights=networks(), x=points)
def test_the_verdict_is_that_of_d10b_itself(weights: Weights, x: list[Fraction]) -> None:
    assert said(complexity_at_minimum(weights, x).gradient_verdict()) == said(D10B.evaluate(dense(weights, x)))


def test_stability_ends_at_two_over_the_sharpness_exactly() -> None:
    # one unit, one point: grad f = (w2 x, w2, z, 1) = (1, 1, 2, 1), of squared norm 7
    found = complexity_at_minimum(Weights([Fraction(1)], [Fraction(1)], [Fraction(1)], Fraction(0)), [1])
    assert found.gram[0, 0] == 7
    assert found.is_stable(Fraction(2, 7), 1)
    assert not found.is_stable(Fraction(2, 7) + Fraction(1, 10**9), 1)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_several_step_sizes_have_the_verdict_of_each(batch: int) -> None:
    x = [-1.5, -0.5, 0.5, 1.0]
    found = complexity_at_minimum(initialise(7, seed=3), x)
    steps = [3.0, 0.1, 0.9, 0.02, 0.5, 0.9]
    together = found.stable_verdicts(steps, batch)
    assert [said(verdict) for verdict in together] == [said(found.stable_verdict(step, batch)) for step in steps]
    assert {str(verdict.ruling) for verdict in together} == {"holds", "inapplicable"}


def test_a_trained_size_agrees_with_floats() -> None:
    x = np.linspace(-1.7, 1.6, 9)
    weights = initialise(100, seed=5)
    found = complexity_at_minimum(weights, x)
    network = TwoLayerReLU.from_weights(weights)
    rows = torch.from_numpy(x)[:, None]
    bound = transfer_bound(network, rows)
    assert float(found.complexity) == pytest.approx(geometric_complexity(network, rows).value, rel=1e-12)
    assert found.least_transfer is not None
    assert float(found.least_transfer) == pytest.approx(bound.squared_transfers.sum(axis=1).min(), rel=1e-9)
    assert float(found.mean_gradient) == pytest.approx(bound.parameter_gradients.mean(), rel=1e-12)
    features = weights.tangent_features(x)
    np.testing.assert_allclose(found.gram.astype(np.float64), features @ features.T, rtol=1e-12)
    for batch in (1, 3, 9):
        limit = found.limit(0.25, batch)
        assert limit is not None
        closed = stable_complexity_limit(0.25, 9, batch, found.parameters, float(found.least_transfer))
        assert float(limit) == pytest.approx(closed, rel=1e-12)
    edge = 2 / sharpness(weights, x)
    assert [found.is_stable(factor * edge, 9) for factor in (1 - 1e-9, 1 + 1e-9)] == [True, False]


def test_at_all_weights_the_trace_of_the_hessian_is_the_mean_squared_gradient() -> None:
    # f is affine in each single weight off the kinks: its second derivatives on the diagonal are 0, whatever the targets
    x = np.linspace(-1.3, 1.1, 5)
    weights, y = initialise(6, seed=2), np.sin(3 * x)
    features = weights.tangent_features(x)
    hessian = features.T @ features / len(x) + weights.residual_hessian(x, weights(x) - y)
    assert float(complexity_at_minimum(weights, x).mean_gradient) == pytest.approx(np.trace(hessian), rel=1e-12)


def test_where_no_unit_is_active_nothing_is_said() -> None:
    found = complexity_at_minimum(Weights([1.0], [0.0], [1.0], 0.0), [-1.0, 1.0])
    assert (float(found.complexity), found.least_transfer, found.limit(0.1, 1)) == (0.5, None, None)
    failed = "sigma_max(W_i) > 0 and sigma_max(h_i'(x)) > 0"
    assert [v.failed for v in (found.stable_verdict(0.1, 2), found.gradient_verdict())] == [failed, failed]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: complexity_at_minimum(initialise(2, seed=0), []),
            ValueError,
            "x must hold at least one point, got none",
        ),
        (
            lambda: complexity_at_minimum(initialise(2, seed=0), [0.0, float("nan")]),
            ValueError,
            "x must hold finite numbers, got nan at index 1",
        ),
        (
            lambda: complexity_at_minimum(initialise(2, seed=0), [0.0]).limit(0.0, 1),
            ValueError,
            "step_size must be finite and above 0, got 0.0",
        ),
        (
            lambda: complexity_at_minimum(initialise(2, seed=0), [0.0]).is_stable(0.1, 2),
            ValueError,
            "batch_size must be between 1 and the number of data points, 1, got 2",
        ),
    ],
)
def test_wrong_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert str(raised.value) == message
