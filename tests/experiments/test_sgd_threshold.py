"""SGD against its thresholds: the simulation against independent oracles, and a wrong threshold, which it must find."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from scipy.stats import chi2, norm

from experiments.engine.records import opened, read_rows
from experiments.engine.study import computed, main
from experiments.sgd_threshold import STUDY
from experiments.sgd_threshold import report as sgd_threshold_report
from experiments.sgd_threshold import rows as sgd_rows
from experiments.sgd_threshold.config import Config
from experiments.sgd_threshold.minima import KNOT_MARGIN, Minimum, interpolating_minimum, on_the_span
from experiments.sgd_threshold.networks import losses, network_step, new_factors
from experiments.sgd_threshold.report import STABLE, UNDECIDED, UNSTABLE, chance_of, conclusion, count, judged
from experiments.sgd_threshold.rows import simulate, tasks
from experiments.sgd_threshold.simulation import Case, ensemble, growth, moved, second_moment_map, vanishing_exponent
from numerics.stability import Threshold, mean_square_threshold
from numerics.training import batches, train
from theory.checks import Array
from theory.claim import Ruling
from theory.symbols import Sampling
from theory.two_layer import Weights

SAMPLINGS: tuple[Sampling, ...] = ("without_replacement", "with_replacement", "reshuffling")
QUICK = Config(
    problems=("gaussian",),
    factors=(0.9, 0.95, 1.05, 1.1),
    paths=1000,
    horizons=(2, 20),
    exponent_steps=200,
    exponent_paths=4,
    networks=4,
    network_steps=100,
)


def case_of(seed: int, batch: int, sampling: Sampling, *, n: int = 5, r: int = 3) -> Case:
    rng = np.random.default_rng(seed)
    return Case(rng.standard_normal((n, r)), batch, sampling, rng)


def ways(n: int, batch: int, sampling: Sampling) -> list[list[tuple[int, ...]]]:
    """Return every draw, equally likely: the batches of a step, or of an epoch."""
    if sampling == "with_replacement":
        return [[way] for way in itertools.product(range(n), repeat=batch)]
    if sampling == "without_replacement":
        return [[way] for way in itertools.combinations(range(n), batch)]
    return [
        [order[first : first + batch] for first in range(0, n, batch)] for order in itertools.permutations(range(n))
    ]


def product_of(points: Array, way: list[tuple[int, ...]], step_size: float) -> Array:
    whole = np.eye(points.shape[1])
    for part in way:
        hessian = np.mean([np.outer(points[i], points[i]) for i in part], axis=0)
        whole = (np.eye(points.shape[1]) - step_size * hessian) @ whole
    return whole


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """A problem and a network of few batch sizes, with all kinds of rows."""
    config = replace(QUICK, problems=("gaussian", "parabola"), batch_sizes=(1, 4))
    return pd.DataFrame([{**row, "key": key} for key, task in tasks(config).items() for row in task()])


# What is simulated.


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_batches_are_drawn_as_each_sampling_says(batch: int) -> None:
    for sampling in SAMPLINGS:
        parts = case_of(0, batch, sampling).drawn(3000)
        if sampling == "reshuffling":
            assert [part.shape for part in parts] == [(3000, batch)] * (5 // batch) + [(3000, 1)] * (5 % batch)
            np.testing.assert_array_equal(np.sort(np.concatenate(parts, axis=1), axis=1), np.tile(range(5), (3000, 1)))
        else:
            assert [part.shape for part in parts] == [(3000, batch)]
        if sampling != "with_replacement":
            assert np.all(np.diff(np.sort(parts[0], axis=1), axis=1) > 0)
        for part in parts:
            share = np.bincount(part.ravel(), minlength=5) / part.size
            np.testing.assert_allclose(share, 0.2, atol=5 * math.sqrt(0.16 / part.size))


def test_epochs_run_backwards() -> None:
    forwards, backwards = (case_of(0, 2, "reshuffling").drawn(10, backwards=backwards) for backwards in (False, True))
    assert [part.shape[1] for part in backwards] == [1, 2, 2]
    for part, other in zip(forwards, backwards[::-1], strict=True):
        np.testing.assert_array_equal(part, other)


def test_a_step_is_the_gradient_step() -> None:
    case = case_of(1, 3, "with_replacement")
    batch, a = case.drawn(7), case.rng.standard_normal((7, 3, 2))
    after = moved(case.points, batch, 0.3, a)
    for index in range(7):
        whole = product_of(case.points, [tuple(batch[0][index])], 0.3)
        np.testing.assert_allclose(after[index], whole @ a[index], atol=1e-14)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_the_exact_map_is_the_average_over_every_draw(batch: int, sampling: Sampling) -> None:
    case = case_of(batch, batch, sampling)
    every = [product_of(case.points, way, 0.4) for way in ways(5, batch, sampling)]
    expected = np.mean([np.kron(whole, whole) for whole in every], axis=0)
    np.testing.assert_allclose(second_moment_map(case, 0.4), expected, atol=1e-12 * np.max(np.abs(expected)))


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("batch", [1, 2, 4])
def test_a_growth_and_a_plain_average_are_off_their_exact_values_by_chance_alone(
    batch: int, sampling: Sampling
) -> None:
    """The differences in standard errors are squared and summed: were they normal, chi-square."""
    config, off = replace(QUICK, steps=60, draws=100, paths=2000), []
    for seed in range(24):
        case = case_of(seed, batch, sampling)
        step_size = mean_square_threshold(case.points, batch, sampling=sampling).value * (0.8 if seed % 2 else 1.1)
        exact = second_moment_map(case, step_size)
        off.append([measure(case, step_size, exact, config)["off"] for measure in (growth, ensemble)])
    for total in np.sum(np.square(off), axis=0):
        assert 1e-6 < chi2.sf(total, 24) < 1 - 1e-6


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_growth_comes_near_the_spectral_radius(sampling: Sampling) -> None:
    case = case_of(3, 2, sampling)
    step_size = 1.2 * mean_square_threshold(case.points, 2, sampling=sampling).value
    exact = second_moment_map(case, step_size)
    top = float(np.max(np.abs(np.linalg.eigvals(exact))))
    found = growth(case, step_size, exact, QUICK)
    assert found["quotient"] == pytest.approx(top, rel=0.01)
    assert found["value"] == pytest.approx(top, abs=5 * found["error"] + 0.01 * top)
    assert found["call"] == UNSTABLE


def test_the_whole_data_set_as_a_batch_has_one_threshold_for_all() -> None:
    case = case_of(4, 5, "without_replacement")
    top = float(np.linalg.norm(case.points, 2)) ** 2 / 5
    found = vanishing_exponent(case, 2 / top, replace(QUICK, exponent_steps=600))
    assert abs(found["factor"] - 1) <= found["error"] < 0.02
    quiet = growth(case, 1.8 / top, second_moment_map(case, 1.8 / top), QUICK)
    assert quiet["off"] is None
    assert quiet["call"] == STABLE


def test_paths_on_the_line_begin_to_grow_where_the_mean_logarithm_says() -> None:
    """For features 1 and 2 the mean of log |1 - eta| and log |1 - 4 eta| is 0 first at (eta - 1)(4 eta - 1) = 1."""
    case = Case(np.array([[1.0], [2.0]]), 1, "with_replacement", np.random.default_rng(0))
    threshold = mean_square_threshold(case.points, 1, sampling="with_replacement").value
    assert threshold == pytest.approx(2 * 5 / 17)
    found = vanishing_exponent(case, threshold, replace(QUICK, exponent_steps=4000, exponent_paths=64))
    assert abs(found["step_size"] - 5 / 4) <= 3 * found["error"] * threshold


# Networks.


def test_a_step_on_networks_is_that_of_training() -> None:
    minimum = interpolating_minimum("parabola", 20, 0)
    rng = np.random.default_rng(5)
    vector = minimum.weights.vector + 0.1 * rng.standard_normal(61)
    run = train(
        Weights(vector[:20], vector[20:40], vector[40:60], vector[60]),
        minimum.x,
        minimum.y,
        step_size=0.05,
        batch_size=2,
        max_steps=30,
        stop_loss=0,
        seed=9,
        backend="numpy",
    )
    drawn = itertools.islice(batches(5, 2, seed=9), 30)
    weights = [vector[None, :20], vector[None, 20:40], vector[None, 40:60], vector[60:]]
    for part in drawn:
        weights = network_step(weights, minimum.x[part][None], minimum.y[part][None], np.array([0.05]))
    np.testing.assert_allclose(np.concatenate([part.ravel() for part in weights]), run.weights.vector, rtol=1e-11)
    assert losses(weights, minimum)[0] == pytest.approx(run.loss, rel=1e-10)


def test_a_network_interpolates_with_its_knots_off_the_data() -> None:
    minimum = interpolating_minimum("parabola", 20, 0)
    assert np.max(np.abs(minimum.weights(minimum.x) - minimum.y)) < 1e-13
    assert np.min(np.abs(minimum.weights.pre_activations(minimum.x))) >= KNOT_MARGIN


def test_a_small_distance_is_amplified_as_the_linearisation_says() -> None:
    minimum = interpolating_minimum("parabola", 20, 0)
    rng = np.random.default_rng(6)
    away = 1e-7 * rng.standard_normal((3, 61))
    start = minimum.weights.vector + away
    weights = [start[:, :20], start[:, 20:40], start[:, 40:60], start[:, 60]]
    batch = np.array([[0, 1], [2, 2], [4, 3]])
    after = network_step(weights, minimum.x[batch], minimum.y[batch], np.full(3, 0.4))
    found = np.concatenate([*after[:3], after[3][:, None]], axis=1) - minimum.weights.vector
    linear = moved(minimum.features, [batch], 0.4, away[:, :, None])[:, :, 0]
    np.testing.assert_allclose(found, linear, atol=1e-5 * np.max(np.abs(linear)))


def test_the_threshold_at_the_end_is_that_of_the_weights_there() -> None:
    minimum = interpolating_minimum("parabola", 20, 0)
    case = Case(on_the_span(minimum.features), 2, "with_replacement", np.random.default_rng(0))
    threshold = mean_square_threshold(minimum.features, 2, sampling="with_replacement").value
    assert new_factors(minimum.weights.vector[None], minimum.x, case, 0.7 * threshold) == [pytest.approx(0.7)]
    assert new_factors(minimum.weights.vector[None], minimum.x, replace(case, sampling="reshuffling"), 1.0) == []


# What is made of it.


def test_every_case_has_all_its_rows(rows: pd.DataFrame) -> None:
    counts = rows.groupby(["problem", "kind"]).size()
    assert counts["gaussian"].to_dict() == {"ensemble": 24, "exponent": 6, "growth": 24}
    assert counts["parabola"].to_dict() == {"ensemble": 24, "exponent": 6, "growth": 24, "network": 24}
    assert (rows["runs"].dropna() == 4).all()
    assert (rows.groupby("key")["seed"].nunique() == 1).all()
    assert rows["seed"].nunique() == 12


def test_no_call_is_wrong_and_both_kinds_are_made(rows: pd.DataFrame) -> None:
    calls = judged(rows)
    assert count(calls, Ruling.VIOLATED) == 0
    assert {STABLE, UNSTABLE} <= set(calls["call"])
    assert calls["violated_chance"].max() <= QUICK.level
    assert conclusion(rows).startswith(f"Of {len(calls)} calls: B3.l holds {count(calls, Ruling.HOLDS)}")
    assert "The 0 violated are no more than chance allows: " in conclusion(rows)


def test_rows_on_growth_alone_have_the_verdict_of_b3l(rows: pd.DataFrame) -> None:
    ruling = rows["B3.l ruling"]
    assert (ruling.notna() == (rows["kind"] == "growth")).all()
    calls = rows[rows["kind"] == "growth"]
    off = (calls["value"] - 1) / calls["error"]
    bar = float(norm.isf(QUICK.level))
    assert (calls["standard_errors"] == bar).all()
    right = (off < 0) == (calls["factor"] < 1)
    expected = np.where(off.abs() <= bar, "inconclusive", np.where(right, "holds", "violated"))
    np.testing.assert_array_equal(ruling[calls.index], expected)
    np.testing.assert_array_equal(calls["call"] == UNDECIDED, expected == "inconclusive")


@pytest.mark.parametrize(
    ("value", "factor", "ruling"),
    [
        (0.9, 0.8, "holds"),
        (1.1, 1.25, "holds"),
        (1.1, 0.8, "violated"),
        (0.9, 1.25, "violated"),
        (0.99, 0.8, "inconclusive"),
        (1.01, 0.8, "inconclusive"),
        (1.01, 1.25, "inconclusive"),
        (0.9, 1.0, "holds"),
    ],
)
def test_a_growth_is_ruled_on_by_its_error_and_its_side(value: float, factor: float, ruling: str) -> None:
    row = sgd_rows.held(
        {"value": value, "error": 0.01, "standard_errors": 3.0, "step_size": factor * 0.5, "threshold": 0.5}
    )
    assert row["B3.l ruling"] == ruling


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_threshold_off_by_a_tenth_is_found(
    factor: float, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*args: Any, **options: Any) -> Threshold:
        found = mean_square_threshold(*args, **options)
        return replace(found, value=factor * found.value)

    monkeypatch.setattr(sgd_rows, "mean_square_threshold", wrong)
    found = pd.DataFrame([row for batch in (1, 2, 6) for row in simulate("gaussian", sampling, batch, QUICK)])
    violated = count(judged(found), Ruling.VIOLATED)
    assert violated >= 3
    assert f"The {violated} violated are more than chance allows: " in conclusion(found)


def test_calls_are_made_at_the_level() -> None:
    """With a growth of exactly 1 both calls are wrong as often as the level says."""
    level, cases = 0.05, 600
    case = Case(np.array([[1.0], [2.0]]), 1, "with_replacement", np.random.default_rng(2))
    threshold = mean_square_threshold(case.points, 1, sampling="with_replacement").value
    exact = second_moment_map(case, threshold)
    assert exact.item() == pytest.approx(1, abs=1e-12)
    config = replace(QUICK, level=level, steps=40, draws=50)
    calls = [growth(case, threshold, exact, config) for _ in range(cases)]
    for call in (STABLE, UNSTABLE):
        share = np.mean([found["call"] == call for found in calls])
        assert abs(share - level) < 4 * math.sqrt(level * (1 - level) / cases)
    for found in calls:
        assert found["chance_stable"] == pytest.approx(level, abs=1e-6)
        assert found["chance_unstable"] == pytest.approx(level, abs=1e-6)


def test_the_chance_of_wrong_calls_is_the_binomial_one() -> None:
    assert chance_of(0, 10, 0.1) == 1
    assert chance_of(1, 10, 0.1) == pytest.approx(1 - 0.9**10)
    assert chance_of(2, 2, 0.1) == pytest.approx(0.01)


def test_violated_and_inconclusive_calls_are_counted(rows: pd.DataFrame) -> None:
    changed = rows.copy()
    calls = changed.index[changed["kind"] == "growth"]
    changed.loc[calls[:3], "B3.l ruling"] = str(Ruling.VIOLATED)
    changed.loc[calls[3:5], "B3.l ruling"] = str(Ruling.INCONCLUSIVE)
    assert count(changed, Ruling.VIOLATED) == 3
    assert count(changed, Ruling.INCONCLUSIVE) == count(rows.loc[calls[5:]], Ruling.INCONCLUSIVE) + 2
    assert conclusion(changed).startswith(f"Of {len(calls)} calls: B3.l holds ")
    assert "B3.l violated 3, B3.l inconclusive " in conclusion(changed)
    assert "The 3 violated are more than chance allows: " in conclusion(changed)


def test_the_table_shows_a_threshold_on_the_wrong_side(rows: pd.DataFrame) -> None:
    said = "The exact growth lies on the other side of 1 than the threshold says in {} of 48."
    assert said.format(0) in sgd_threshold_report.table(rows)
    changed = rows.assign(factor=rows["factor"].where(rows["kind"] != "growth", 2 - rows["factor"]))
    assert said.format(48) in sgd_threshold_report.table(changed)


def test_the_figure_shows_every_step_size(rows: pd.DataFrame) -> None:
    drawing = STUDY.figure(rows)
    panels = [axis for axis in drawing.axes if axis.get_title()]
    assert len(panels) == 7
    for panel in panels[:3]:
        marks = [line for line in panel.get_lines() if str(line.get_label()).startswith("called")]
        assert sum(len(np.atleast_1d(line.get_xdata())) for line in marks) == 8
    for panel in panels[3:6]:
        (cloud,) = [found for found in panel.collections if isinstance(found, PathCollection)]
        assert len(cloud.get_offsets()) == 8
    alone = STUDY.figure(rows[rows["problem"] == "gaussian"])
    assert len(alone.axes) == 3


def test_networks_are_held_against_b25_where_batches_are_drawn_without_replacement(rows: pd.DataFrame) -> None:
    networks = rows[rows["kind"] == "network"]
    own = networks["sampling"] == "without_replacement"
    assert rows["B25 ruling"][~rows.index.isin(networks.index[own])].isna().all()
    held = networks[own]
    stable = held["factor"] < 1
    assert (held["B25 ruling"] == np.where(stable, "holds", "inapplicable")).all()
    assert set(held["B25 failed"][~stable]) == {"stability (B3): 2 C - eta D >= 0"}
    assert (held["gc_limit"].notna() == stable).all()
    minimum = interpolating_minimum("parabola", QUICK.width, QUICK.seed)
    slopes = minimum.weights.tangent_features(minimum.x)[:, : QUICK.width] @ minimum.weights.w1
    x, w = minimum.x, minimum.weights
    # w1 . df/dw1 = x sum of the active w1 w2, so f' is that over x; at 0 by its neighbours' difference
    inside = x != 0
    derivative = np.empty_like(x)
    derivative[inside] = slopes[inside] / x[inside]
    derivative[~inside] = (w(x[~inside] + 1e-7) - w(x[~inside] - 1e-7)) / 2e-7
    np.testing.assert_allclose(held["gc"].astype(float), np.mean(derivative**2), rtol=1e-6)
    kept = held[stable]
    np.testing.assert_allclose(
        kept["B25 slack"].astype(float), kept["gc_limit"].astype(float) - kept["gc"].astype(float), rtol=1e-12
    )
    single = kept[kept["batch"] == 1]
    np.testing.assert_allclose(single["gc_limit"].astype(float), single["gc_limit_points"].astype(float), rtol=1e-12)
    said = conclusion(rows).splitlines()[-1]
    assert f"B25 holds {len(kept)}, inapplicable {len(held) - len(kept)} for want of stability (B3)" in said
    assert "parabola        4 " in sgd_threshold_report.table(rows)


def test_a_folder_with_some_rows_is_resumed(tmp_path: Path) -> None:
    words = ["--preset", "smoke", "--problems", "gaussian", "--samplings", "reshuffling", "--workers", "1"]
    config = replace(STUDY.presets["smoke"], problems=("gaussian",), samplings=("reshuffling",))
    jobs = tasks(config)
    first = next(iter(jobs))
    identity = json.loads(json.dumps(asdict(config), default=str))
    with opened(tmp_path / "out", STUDY.id, identity) as folder:
        folder.add(first, computed(jobs[first], {"study": STUDY.id, "preset": "mark"}))
    here = replace(STUDY, workers_are="threads")  # a process takes seconds to start, and computes the same
    assert main(here, [*words, "--out", str(tmp_path / "out")]) == 0
    kept = read_rows(tmp_path / "out")
    assert list(dict.fromkeys(kept["key"])) == list(jobs)
    assert (kept["preset"] == "mark").equals(kept["key"] == first)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"problems": ("gauss",)}, "--problems must name some of gaussian, "),
        ({"problems": ("sine", "sine")}, "--problems must name some of gaussian, "),
        ({"samplings": ()}, "--samplings must name some of without_replacement, "),
        ({"batch_sizes": (7,)}, "--batch-sizes must be from 1 to 6 for gaussian, or 0 alone, got 7"),
        ({"batch_sizes": ()}, "--batch-sizes must hold at least one number, got none"),
        (
            {"problems": ("sine",), "width": 1},
            "--width must let a network interpolate sine with its knots off the data: of 200 of 1 units none does",
        ),
        ({"batch_sizes": (0, 1)}, "--batch-sizes must be from 1 to 6 for gaussian, or 0 alone, got 0"),
        ({"factors": (0.9, 1.0)}, "--factors must be some numbers other than 1, got "),
        ({"factors": (-0.9,)}, "--factors must be finite and above 0, got -0.9"),
        ({"level": 0.5}, "--level must be above 0 and below 0.5, got 0.5"),
        ({"horizons": (10, 2)}, "--horizons must be at least 1 and in this order, got (10, 2)"),
        ({"draws": 1}, "--draws must be at least 2, got 1"),
        ({"networks": 0}, "--networks must be at least 1, got 0"),
        (
            {"problems": ("gaussian_many",), "samplings": ("reshuffling",)},
            "--samplings must not be reshuffling alone for more than 8 points",
        ),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(").replace(")", r"\)")):
        tasks(replace(QUICK, **changes))


def test_reshuffling_is_left_out_where_its_threshold_is_not_known() -> None:
    keys = tasks(replace(QUICK, problems=("gaussian", "gaussian_many")))
    assert len(keys) == 3 * 6 + 2 * 20
    assert not any(key.startswith("gaussian_many-reshuffling") for key in keys)


def test_a_loss_that_is_not_finite_is_infinite() -> None:
    minimum = interpolating_minimum("parabola", 20, 0)
    weights = [np.full((1, 1), np.inf), np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1)]
    with np.errstate(invalid="ignore"):
        assert losses(weights, Minimum(minimum.weights, minimum.x, minimum.y))[0] == np.inf
