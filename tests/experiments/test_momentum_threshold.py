import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import momentum_threshold as study
from experiments.momentum_threshold import (
    Config,
    conclusion,
    figure,
    growth,
    judged,
    moved,
    second_moment_map,
    simulate,
    table,
    tasks,
)
from experiments.sgd_threshold.minima import interpolating_minimum
from numerics.stability import mean_square_threshold
from theory.checks import Array
from theory.claim import Ruling

QUICK = Config(
    problems=("gaussian",), momenta=(0.0, 0.5), batch_sizes=(1, 3), factors=(0.8, 1.25), steps=120, draws=128, networks=4,
    network_steps=60,
)  # fmt: skip


def points(n: int = 4, r: int = 2) -> Array:
    return np.random.default_rng(0).standard_normal((n, r))


def matrix(rows: Array, batch: tuple[int, ...], b: float, step_size: float) -> Array:
    """Return A of a batch, written out."""
    r = rows.shape[1]
    mean = sum(np.outer(rows[i], rows[i]) for i in batch) / len(batch)
    return np.block([[(1 + b) * np.eye(r) - step_size * mean, -b * np.eye(r)], [np.eye(r), np.zeros((r, r))]])


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.DataFrame([row for job in tasks(QUICK).values() for row in job()])


def test_a_step_is_that_of_its_batch_and_its_adjoint_the_transpose() -> None:
    given, z = points(), np.random.default_rng(1).standard_normal((2, 4, 3))
    batch = np.array([[0, 2], [1, 3]])
    for adjoint in (False, True):
        found = moved(given, batch, 0.7, 0.3, z, adjoint=adjoint)
        for place, part in enumerate(batch):
            a = matrix(given, tuple(part), 0.7, 0.3)
            np.testing.assert_allclose(found[place], (a.T if adjoint else a) @ z[place], rtol=1e-12)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_the_exact_map_is_the_average_over_every_batch(batch: int) -> None:
    given = points()
    parts = [matrix(given, part, 0.6, 0.4) for part in itertools.combinations(range(4), batch)]
    wanted = sum(np.kron(a, a) for a in parts) / len(parts)
    np.testing.assert_allclose(second_moment_map(given, batch, 0.6, 0.4), wanted, atol=1e-12)


@pytest.mark.parametrize("b", [0.0, 0.5, 0.9])
def test_a_growth_is_off_its_exact_value_by_chance_alone(b: float) -> None:
    given = points(5, 3)
    threshold = mean_square_threshold(given, 2, momentum=b).value
    config = Config(steps=300, draws=128)
    seen = growth(given, 2, b, threshold, np.random.default_rng(2), config)
    assert abs(seen["off"]) < 4
    assert abs(seen["exact_growth"] - 1) < 1e-9
    assert abs(seen["quotient"] - seen["exact_growth"]) < 5e-3


def test_no_call_is_wrong_and_both_kinds_are_made(rows: pd.DataFrame) -> None:
    assert set(rows["B11.e ruling"]) == {str(Ruling.HOLDS)}
    assert set(rows["value"] > 1) == {True, False}
    assert len(rows) == 8
    assert conclusion(rows).startswith("Of 8 calls: B11.e holds 8; false alarms 0 of 4 (expected ")


@pytest.mark.parametrize("times", [0.7, 1.4])
def test_a_threshold_that_is_another_is_found(monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    class Wrong:
        def __init__(self, value: float) -> None:
            self.value = value

    monkeypatch.setattr(
        study,
        "mean_square_threshold",
        lambda *given, **named: Wrong(times * mean_square_threshold(*given, **named).value),
    )
    found = pd.DataFrame(simulate("gaussian", 0.5, 2, QUICK))
    assert (found["B11.e ruling"] == str(Ruling.VIOLATED)).any()


def test_violated_calls_are_counted_and_said(rows: pd.DataFrame) -> None:
    changed = rows.copy()
    changed.loc[judged(rows).query("factor < 1").index[:3], "B11.e ruling"] = str(Ruling.VIOLATED)
    assert "false alarms 3 of 4" in conclusion(changed)
    assert "The 3 violated are more than chance makes." in conclusion(changed)
    assert "false alarms 3 of 4" in table(changed)


def test_networks_leave_where_single_paths_grow_and_stay_below() -> None:
    minimum = interpolating_minimum("parabola", 20, 0)
    n = len(minimum.x)
    threshold = mean_square_threshold(minimum.features, n, momentum=0.9).value
    config = Config(factors=(0.5, 1.5), networks=4, network_steps=400)
    left = study.network_runs(minimum, n, 0.9, threshold, np.random.default_rng(0), config)
    assert [part["left"] for part in left] == [0, 4]


def test_the_figure_shows_every_growth(rows: pd.DataFrame) -> None:
    axes = figure(rows).axes
    assert sum(len(line.get_xdata()) for line in axes[1].lines[:2]) == len(rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"momenta": (1.0,)}, "--momenta must be some numbers from 0 to below 1, each once"),
        ({"momenta": ()}, "--momenta must be"),
        ({"problems": ("cubic",)}, "--problems must name some of gaussian, .*, each once, got"),
        ({"batch_sizes": (7,)}, "--batch-sizes must be from 1 to 6 for gaussian, or 0 alone, got 7"),
        ({"batch_sizes": ()}, "--batch-sizes must hold at least one number"),
        ({"factors": (0.5, 1.0)}, "--factors must be some numbers other than 1"),
        ({"level": 0.5}, "--level must be above 0 and below 0.5"),
        ({"steps": 3}, "--steps must be at least 4"),
        ({"draws": 1}, "--draws must be at least 2"),
    ],
    ids=["momentum 1", "none", "problem", "batch", "no batch", "factor 1", "level", "steps", "draws"],
)  # fmt: skip
def test_settings_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tasks(Config(**({"problems": ("gaussian",)} | changes)))
