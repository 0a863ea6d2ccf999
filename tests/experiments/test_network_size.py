"""The study of network size: its rows on made-up digits, and what it says of rows that are as the paper states, or not."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import network_size
from experiments.kit.capacity import LOGS, MEASURED
from experiments.kit.trends import HOLDS, OPPOSITE
from numerics.data import Images

SMALL = network_size.Config(
    size=48, widths=(8, 40), batch_size=8, step_size=0.05, max_epochs=60, stop_loss=0.3, second_stop=0.1, second_widths=(40,),
    ascent_steps=2, alphas=(1e-3, 1e-1), draws=4, seeds=2,
)  # fmt: skip


def all_rows(config: network_size.Config) -> pd.DataFrame:
    tasks = network_size.tasks(config)
    return pd.DataFrame([{"key": key, **row} for key, task in tasks.items() for row in task()])


@pytest.fixture(scope="module")
def rows(made_up_digits: Images) -> pd.DataFrame:
    return all_rows(SMALL)


def as_stated(row: pd.Series, widths: tuple[int, ...] = (8, 32, 64, 128, 256, 512, 1024, 2048)) -> pd.DataFrame:
    """Return made-up rows of three seeds in which everything is as the paper states."""
    made = []
    for seed in range(3):
        for width in widths:
            x = math.log2(width / 128) + 0.01 * seed
            falls_then_rises, late = abs(x), max(-x, x - 4)
            logs = {
                "log_l2": falls_then_rises,
                "log_l1_path": falls_then_rises,
                "log_l2_path": -x,
                "log_spectral": late,
                "log_l2_path_factors": falls_then_rises,
                "log_spectral_factors": falls_then_rises,
            }
            curve = {"divergence_at_level": math.exp(20 + falls_then_rises)}
            measured = {"stop": "first", "capacity": MEASURED, "margin": 1.0, "test_accuracy": 0.9 + 0.001 * x}
            made.append({**row, "width": width, "seed_index": seed, **measured, **logs, **curve})
    return pd.DataFrame(made)


def test_a_network_of_each_width_and_stop_is_a_row(rows: pd.DataFrame) -> None:
    assert rows.groupby(["stop", "width"]).size().to_dict() == {("first", 8): 2, ("first", 40): 2, ("second", 40): 2}
    assert rows.groupby("seed_index")["seed"].nunique().eq(1).all()
    assert (rows["last_loss"] < rows["stop_loss"]).all()
    assert set(rows["capacity"]) == {MEASURED}
    assert rows[[*LOGS, "max_sharpness"]].notna().all(axis=None)
    assert (rows["max_sharpness"] >= 0).all()
    assert [len(found) for found in rows["divergence"]] == [2] * 6


def test_what_a_second_stop_changes_is_said_of_the_widths_with_both(rows: pd.DataFrame) -> None:
    both = network_size.stops(rows)
    assert both["width"].tolist() == [40, 40]
    assert both["stop_loss"].tolist() == [0.3, 0.1]
    losses = rows.astype({"train_loss": float}).groupby(["width", "stop"])["train_loss"].median()
    assert both["train_loss"].tolist() == [losses[40, "first"], losses[40, "second"]]
    assert "What the second stop changes" in network_size.table(rows)
    assert "What the second stop changes" not in network_size.table(rows[rows["stop"] == "first"])


def test_rows_that_are_as_the_paper_states_hold(rows: pd.DataFrame) -> None:
    found = network_size.trends(as_stated(rows.iloc[0]))
    assert {one.says: one.verdict for one in found} == dict.fromkeys((one.says for one in found), HOLDS)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("log_l2", ["l2 falls from 32 to 128", "l2 rises from 128 on"]),
        ("log_l1_path", ["l1-path falls from 32 to 128", "l1-path rises from 128 on"]),
        ("log_l2_path", ["l2-path falls from 32 to 128", "l2-path falls from 128 on"]),
        ("log_l2_path_factors", ["l2-path with its factors rises from 128 on"]),
        ("log_spectral_factors", ["spectral with its factors rises from 128 on"]),
        ("test_accuracy", ["test error falls from 32 units on"]),
    ],
)
def test_the_opposite_of_what_is_stated_is_found(rows: pd.DataFrame, column: str, says: list[str]) -> None:
    made = as_stated(rows.iloc[0])
    found = network_size.trends(made.assign(**{column: -made[column]}))
    assert [one.says for one in found if one.verdict == OPPOSITE] == says


def test_the_second_stop_is_no_part_of_the_trends(rows: pd.DataFrame) -> None:
    made = as_stated(rows.iloc[0])
    second = made.assign(stop="second", log_l2=-made["log_l2"])
    assert network_size.trends(pd.concat([made, second])) == network_size.trends(made)


def test_widths_without_a_margin_are_said_and_drawn_nowhere(made_up_digits: Images) -> None:
    config = replace(SMALL, step_size=1e-9, max_epochs=1, second_stop=0.0, seeds=1)
    found = all_rows(config)
    assert found["capacity"].str.startswith("no margin: ").all()
    assert found[list(LOGS)].isna().all(axis=None)
    said = network_size.table(found)
    assert "1 of 8 units have no measure; the first: no margin: " in said
    assert "2 of 2 networks spend their epochs before their stop" in said
    assert all(math.isnan(one.tau) for one in network_size.trends(found) if "l2" in one.says)
    lines = [line for axis in network_size.figure(found).axes[1:3] for line in axis.lines if line.get_marker() == "o"]
    assert lines
    assert all(np.isnan(np.asarray(line.get_ydata(), float)).all() for line in lines)


def test_networks_that_diverge_are_rows_without_measures(made_up_digits: Images) -> None:
    found = all_rows(replace(SMALL, step_size=1e30, seeds=1))
    assert set(found["outcome"]) == set(found["capacity"]) == {"diverged"}
    assert found[[*LOGS, "max_sharpness", "divergence"]].isna().all(axis=None)
    assert network_size.conclusion(found).endswith("3 of 3 networks diverge.")
    assert "have no measure; the first: diverged." in network_size.table(found)
    network_size.figure(found)


@pytest.mark.usefixtures("made_up_digits")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"widths": (8, 8)}, "--widths must hold at least two numbers above 0, each once, got (8, 8)"),
        ({"network": "resnet18"}, "--network must be mlp: the networks have one hidden layer, got 'resnet18'"),
        ({"optimiser": "adam", "momentum": 0.0}, "--optimiser must be sgd, got 'adam'"),
        ({"epsilon": 1.0}, "--epsilon must be above 0 and below 1, got 1.0"),
        ({"draws": 1}, "--draws must be at least 2, got 1"),
        ({"second_widths": (16,)}, "--second-widths must be some of --widths, (8, 40), got (16,)"),
        ({"second_stop": -1.0}, "--second-stop must be finite and above 0, got -1.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        network_size.tasks(replace(SMALL, **settings))
    assert str(raised.value) == message
