"""What the rows say of a run, against slow oracles."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.engine.records import Row
from experiments.kit import measures
from experiments.kit.datasets import DataSet, named
from experiments.kit.measures import (
    FLATTEST,
    FLATTEST_TOLERANCE,
    MEASURED,
    RULED,
    against_flattest,
    against_step_size,
    describe,
    function_of,
    scaled_initialisation,
    smoothed_curvature,
    units_within_a_step,
    verdicts,
)
from numerics.networks import initialise
from numerics.programs.flattest_implementation import FlattestImplementation
from numerics.training import Outcome, Run, train
from theory.curvature import weighted_curvature
from theory.two_layer import Weights

SINE = named("sine")


def trained(step_size: float, max_steps: int = 200_000) -> Run:
    return train(scaled_initialisation(40, 0.7, 1), SINE.x, SINE.y, step_size=step_size, max_steps=max_steps)


@pytest.fixture(scope="module")
def interpolating() -> tuple[Run, Row]:
    run = trained(0.1)
    assert run.outcome == Outcome.INTERPOLATED
    return run, describe(run, SINE, 0.1)


def test_the_row_describes_the_function(interpolating: tuple[Run, Row]) -> None:
    run, row = interpolating
    t = np.linspace(-4, 4, 1001)
    np.testing.assert_allclose(np.asarray(function_of(row)(t)), run.weights(t), rtol=0, atol=1e-12)


def test_the_row_of_an_interpolating_run_is_consistent(interpolating: tuple[Run, Row]) -> None:
    run, row = interpolating
    assert (row["loss"], row["steps"], row["outcome"], row["interpolates"]) == (
        run.loss,
        run.steps,
        "interpolated",
        True,
    )
    features = run.weights.tangent_features(SINE.x)
    dense = np.linalg.eigvalsh(features.T @ features / len(SINE.x))[-1]
    assert row["sharpness"] == pytest.approx(dense, rel=1e-10)
    # Weyl: they differ by at most the norm of the residual term, which is at most (R + 1) sqrt(2 L)
    assert abs(row["hessian_sharpness"] - row["sharpness"]) <= row["loss_term"]
    assert row["sharpness_lower_bound"] == pytest.approx(1 + 2 * row["curvature"], rel=1e-12)
    assert row["sharpness_lower_bound"] <= row["sharpness"]
    assert row["bound_used"] == pytest.approx(row["curvature_bound"] + row["loss_term"], rel=1e-12)
    assert row["stable_sharpness"] == 20.0
    assert (row["B7.b ruling"], row["B7.c ruling"]) == ("holds", "holds")
    assert row["B7.b slack"] == pytest.approx(row["bound_used"] - row["curvature"], rel=1e-12)
    assert row["B7.c slack"] == pytest.approx(row["hessian_bound"] - row["curvature"], rel=1e-12)
    assert row["curvature"] == weighted_curvature(function_of(row), SINE.x)
    assert 0 < row["curvature_error"] < 1e-12
    assert row["M11 ruling"] == ("holds" if abs(row["sharpness"] / row["stable_sharpness"] - 1) <= 0.05 else "violated")


def test_a_diverged_run_is_a_row_with_a_reason() -> None:
    row = describe(trained(3.0), SINE, 3.0)
    assert row["outcome"] == "diverged"
    assert not row["interpolates"]
    assert all(row[name] is None for name in MEASURED)
    assert all(row[f"{id} {part}"] is None for id in RULED for part in ("ruling", "slack", "failed"))
    assert row["curvature_bound"] == 1 / 3.0 - 0.5  # the right side of M6, which has no bound here


def test_a_run_that_does_not_interpolate_is_held_against_b7_only() -> None:
    row = describe(trained(0.1, max_steps=50), SINE, 0.1)
    assert row["outcome"] == "budget spent"
    assert (row["B7.b ruling"], row["B7.c ruling"]) == ("inapplicable", "holds")
    assert row["B7.b failed"] == "the run interpolates: L < tau"


def test_a_unit_on_a_data_point_is_seen() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    weights = Weights([1.0], [0.0], [1.0], 0.0)
    run = Run(weights, 0.0, 1, Outcome.INTERPOLATED, np.empty(0), 0.0)
    row = describe(run, DataSet("on", x, weights(x)), 0.1)
    assert row["B7.b ruling"] == row["B7.c ruling"] == "inapplicable"
    assert row["B7.b failed"] == row["B7.c failed"] == "no unit toggles on a data point"


def test_the_verdicts_can_fail(interpolating: tuple[Run, Row]) -> None:
    _, row = interpolating

    def ruling(id: str, **changes: Any) -> str:
        return str(verdicts({**row, "step_size": 0.1, **changes})[f"{id} ruling"])

    assert ruling("B7.b", curvature=row["bound_used"] * (1 + 1e-9)) == "violated"
    assert ruling("B7.b", curvature=row["bound_used"] * (1 - 1e-9)) == "holds"
    assert ruling("B7.b", curvature=row["bound_used"]) == "inconclusive"  # nearer than rounding errors tell
    assert ruling("B7.c", curvature=row["hessian_bound"] * (1 + 1e-9)) == "violated"
    assert ruling("B7.b", loss=2e-10) == "inapplicable"
    assert ruling("M11", sharpness=20.0) == "holds"
    assert ruling("M11", sharpness=25.0) == "violated"


@given(seed=st.integers(0, 2**32), step_size=st.floats(1e-4, 1.0), scale=st.floats(0.01, 3.0))
def test_a_step_toggles_no_unit_that_is_not_counted(seed: int, step_size: float, scale: float) -> None:
    generator = np.random.default_rng(seed)
    x = np.sort(generator.standard_normal(6))
    start = initialise(20, seed=seed)
    weights = Weights(scale * start.w1, scale * start.b1, scale * start.w2, start.b2)
    data = DataSet("drawn", x, weights(x) + 10.0 ** generator.uniform(-6, 0) * generator.standard_normal(6))
    after = train(weights, data.x, data.y, step_size=step_size, max_steps=1, stop_loss=0.0).weights
    toggled = np.any((weights.pre_activations(x) > 0) != (after.pre_activations(x) > 0), axis=0)
    assert int(np.sum(toggled)) <= units_within_a_step(weights, data, step_size)


def test_at_a_zero_loss_no_unit_is_within_a_step() -> None:
    weights = initialise(20, seed=0)
    assert units_within_a_step(weights, DataSet("own", SINE.x, weights(SINE.x)), 0.5) == 0


def test_complexity_is_the_mean_squared_slope(interpolating: tuple[Run, Row]) -> None:
    run, row = interpolating
    f, found = function_of(row), against_step_size(run, SINE, 0.1)
    slopes = f.slopes[np.searchsorted(f.knots, SINE.x)]  # some knots are within 1e-7 of a data point
    assert found["gc"] == pytest.approx(np.mean(slopes**2), rel=1e-10)
    assert (found["B25 ruling"], found["D10.b ruling"]) == ("holds", "holds")
    assert found["B25 slack"] == pytest.approx(found["gc_limit"] - found["gc"], rel=1e-12)
    assert found["D10.b slack"] == pytest.approx(found["gc_gradient_bound"] - found["gc"], rel=1e-12)


def test_b25_is_not_of_runs_off_its_minima(interpolating: tuple[Run, Row]) -> None:
    run, row = interpolating
    edge = 2 / row["sharpness"]
    rulings = {share: against_step_size(run, SINE, share * edge) for share in (1 - 1e-6, 1 + 1e-6)}
    assert [found["B25 ruling"] for found in rulings.values()] == ["holds", "inapplicable"]
    assert rulings[1 + 1e-6]["B25 failed"] == "stability (B3): 2 C - eta D >= 0"
    early = against_step_size(trained(0.1, max_steps=50), SINE, 0.1)
    assert (early["B25 ruling"], early["gc_limit"], early["gc_limit_points"]) == ("inapplicable", None, None)
    assert early["B25 failed"] == "f(x_j) = y_j, to the loss that counts as interpolating"
    assert early["D10.b ruling"] == "holds"  # at all weights
    gone = against_step_size(trained(3.0), SINE, 3.0)
    assert set(gone.values()) == {None}
    x = np.array([-1.0, 0.0, 1.0])
    weights = Weights([1.0, -1.0, 1.0], [0.0, 2.0, 2.0], [1.0, 1.0, 1.0], 0.0)
    on = against_step_size(
        Run(weights, 0.0, 1, Outcome.INTERPOLATED, np.empty(0), 0.0), DataSet("on", x, weights(x)), 0.1
    )
    assert (on["B25 ruling"], on["B25 failed"]) == ("inapplicable", "no unit toggles on a data point")


def test_smoothing_keeps_the_mass(interpolating: tuple[Run, Row]) -> None:
    _, row = interpolating
    knots, jumps = np.asarray(row["knots"]), np.abs(np.asarray(row["jumps"]))
    inside = {**row, "knots": knots[np.abs(knots) < 5], "jumps": jumps[np.abs(knots) < 5]}
    t = np.linspace(-8, 8, 8001)
    mass = np.sum(smoothed_curvature(inside, t, 0.1)) * (t[1] - t[0])
    assert mass == pytest.approx(np.sum(inside["jumps"]), rel=1e-9)


def test_a_run_lies_above_the_flattest_network_of_its_function(interpolating: tuple[Run, Row]) -> None:
    run, row = interpolating
    found = against_flattest(run, SINE)
    assert (found["flattest_status"], found["in_order"]) == ("optimal", True)
    assert row["sharpness_lower_bound"] * 1.1 < found["flattest_lower_bound"]
    assert found["flattest_sharpness"] * 1.1 < row["sharpness"]
    assert 0 <= found["flattest_gap"] <= FLATTEST_TOLERANCE * found["flattest_sharpness"]
    assert found["flattest_network_sharpness"] == pytest.approx(found["flattest_sharpness"], rel=1e-9)
    assert found["flattest_network_error"] <= 1e-12


def test_runs_without_a_flattest_network_say_why() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    on_data = Run(Weights([1.0], [0.0], [1.0], 0.0), 0.0, 1, Outcome.INTERPOLATED, np.empty(0), 0.0)
    for run, data, reason in (
        (on_data, DataSet("on", x, np.maximum(x, 0)), "a knot lies on a data point"),
        (trained(3.0), SINE, "the run diverged"),
    ):
        row = against_flattest(run, data)
        assert row["flattest_status"] == reason
        assert all(row[name] is None for name in FLATTEST)


def test_a_run_out_of_order_is_seen(interpolating: tuple[Run, Row], monkeypatch: pytest.MonkeyPatch) -> None:
    run, row = interpolating
    solve = measures.flattest_implementation

    def claims(**changes: float) -> bool:
        def wrong(*arguments: Any, **options: Any) -> FlattestImplementation:
            return dataclasses.replace(solve(*arguments, **options), **changes)

        with monkeypatch.context() as patched:
            patched.setattr(measures, "flattest_implementation", wrong)
            return bool(against_flattest(run, SINE)["in_order"])

    assert claims()
    assert not claims(primal=row["sharpness"] * 1.01)
    assert not claims(primal=row["sharpness_lower_bound"])
