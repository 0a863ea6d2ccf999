"""The studies on random labels: which networks they train, and what their tables say of made-up rows."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import confusion_set, true_vs_random_labels
from experiments.engine.records import read_rows
from experiments.kit.capacity import LOGS, MEASURED, MEASURES
from experiments.kit.sharpness import fitting
from experiments.kit.trends import HOLDS, OPPOSITE, UNDECIDED
from numerics.data import DATA_VARIABLE

SIZES, SEEDS = (100, 200, 300, 400), range(3)


def fitted(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a network that fits, of measures 1, with these columns."""
    return {
        **dict.fromkeys(LOGS, 0.0), "train_accuracy": 1.0, "test_accuracy": 0.5, "outcome": "interpolated", "margin": 1.0,
        "violations": 0, "capacity": MEASURED, "max_sharpness": 1.0, "divergence_at_level": 10.0, "epochs": 5.0,
        "network": "vgg", "parameters": 9, "expected_sharpness": [0.01, 0.1], "divergence": [100.0, 1.0], "stop_loss": 0.01,
        **row,
    }  # fmt: skip


def as_the_paper_says() -> pd.DataFrame:
    """Return rows of networks with true and with random labels as the paper has them."""
    found = []
    for index in SEEDS:
        for size in SIZES:
            for random in (0, 1):
                row: dict[str, Any] = {"images": size, "seed_index": index, "random": random}
                row["labels"] = ("true", "random")[random]
                for name in MEASURES:
                    power = 0.04 if name in ("l2", "l2_path") else 0.01
                    row[f"log_{name}"] = 0.001 * size + random * power * size + 0.01 * index
                row["max_sharpness"] = 1.0 + random * (size - 250)
                row["divergence_at_level"] = math.exp(0.001 * size * (1 + 5 * random))
                found.append(fitted(row))
    return pd.DataFrame(found)


def verdicts(found: list[Any]) -> dict[str, str]:
    return {one.says: one.verdict for one in found}


def test_the_orderings_of_figures_1_and_2_are_found_where_they_are() -> None:
    found = true_vs_random_labels.trends(as_the_paper_says())
    halves = {one.says: (one.tau, one.too_few) for one in found if "half of sizes" in one.says}
    assert set(halves.values()) == {(-1.0, True), (1.0, True)}  # six pairs cannot decide at this level
    decided = {says: verdict for says, verdict in verdicts(found).items() if says not in halves}
    assert len(decided) == 12
    assert set(decided.values()) == {HOLDS}


def test_the_opposite_orderings_are_found_where_those_are() -> None:
    rows = as_the_paper_says()
    rows["random"] = 1 - rows["random"]
    rows["labels"] = rows["random"].map({0: "true", 1: "random"})
    found = [one for one in true_vs_random_labels.trends(rows) if not one.too_few]
    assert len(found) == 12
    assert {one.verdict for one in found} == {OPPOSITE}


def test_equal_measures_decide_nothing() -> None:
    rows = as_the_paper_says()
    for name in (*(f"log_{name}" for name in MEASURES), "max_sharpness", "divergence_at_level"):
        rows[name] = 1.0
    assert set(verdicts(true_vs_random_labels.trends(rows)).values()) == {UNDECIDED}


def test_the_growth_of_a_gap_is_on_the_scale_of_the_measures() -> None:
    # Random over true falls from 4 to 3, and random less true grows from 3 to 20.
    rows = as_the_paper_says()
    rows = rows[rows["images"].isin(SIZES[:2])]
    values = {(100, 0): 1, (100, 1): 4, (200, 0): 10, (200, 1): 30}
    for name in MEASURES:
        rows[f"log_{name}"] = [math.log(values[key]) for key in zip(rows["images"], rows["random"], strict=True)]
    found = {one.says: one.tau for one in true_vs_random_labels.trends(rows)}
    assert [found[f"{name}: random less true grows"] for name in MEASURES.values()] == [1.0] * 4


def test_a_second_stop_stands_beside_the_first_and_in_no_trend() -> None:
    rows = as_the_paper_says()
    other = rows[rows["images"] == 200].assign(stop_loss=0.1, log_l2=lambda r: r["random"] * math.log(5))
    both = pd.concat([rows, other], ignore_index=True)
    assert true_vs_random_labels.trends(both) == true_vs_random_labels.trends(rows)
    text = true_vs_random_labels.table(both).splitlines()
    place = next(i for i, line in enumerate(text) if line.startswith("What the stopping loss changes, 200 images"))
    [first, second] = [line.split() for line in text[place + 3 :]]
    assert (first[0], second[0]) == ("0.01", "0.1")
    assert (first[1], first[2], second[1], second[2]) == ("6/6", "3", "6/6", "3")
    assert [float(first[4]), float(second[4])] == pytest.approx([math.exp(8), 5], rel=1e-3)
    assert "What the stopping loss changes" not in true_vs_random_labels.table(rows)


def with_confusion() -> pd.DataFrame:
    """Return rows of networks with confusion sets as the paper has them."""
    found = []
    for index in SEEDS:
        for count in (0, *SIZES):
            row: dict[str, Any] = {"confusion": count, "seed_index": index, "true_images": 50, "margin_of_both": 0.5}
            row["test_accuracy"] = 0.9 - 0.001 * count - 0.001 * index
            row["max_sharpness"] = 1.0
            row["divergence_at_level"] = 10.0 + count
            found.append(fitted(row | {f"log_{name}": 0.01 * count for name in MEASURES}))
    return pd.DataFrame(found)


def test_the_orderings_of_figure_3_are_found_where_they_are() -> None:
    rows = with_confusion()
    assert set(verdicts(confusion_set.trends(rows)).values()) == {HOLDS}
    assert "that it grows: not decided (tau_b +0.00" in confusion_set.of_sharpness(rows)
    grown = rows.assign(max_sharpness=rows["confusion"] + 1.0)
    assert "that it grows: holds (tau_b +1.00" in confusion_set.of_sharpness(grown)
    turned = rows.assign(confusion=400 - rows["confusion"])
    found = verdicts(confusion_set.trends(turned))
    assert found.pop("divergence at 0.05 rises with the test error") == HOLDS
    assert set(found.values()) == {OPPOSITE}


def test_measures_over_the_margin_of_both_sets_are_rescaled() -> None:
    rows = with_confusion().assign(margin=3.0, margin_of_both=0.5)
    rows.loc[0, "margin_of_both"] = -0.1
    found = confusion_set.over_both(fitting(rows))
    for name in MEASURES:
        assert math.isnan(found[f"both_{name}"].iloc[0])
        expected = rows[f"log_{name}"][1:] + 2 * math.log(6)
        assert found[f"both_{name}"].tolist()[1:] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("module", [true_vs_random_labels, confusion_set])
def test_where_no_network_fits_the_table_says_so(module: Any) -> None:
    rows = as_the_paper_says() if module is true_vs_random_labels else with_confusion()
    none = rows.assign(violations=2)
    assert set(verdicts(module.trends(none)).values()) == {UNDECIDED}
    assert f"0 of {len(none)} networks are compared; {len(none)} have training error" in module.conclusion(none)
    module.table(none)
    module.figure(none)


@pytest.mark.parametrize("module", [true_vs_random_labels, confusion_set])
def test_a_figure_of_rows_with_two_stops_is_that_of_the_first(module: Any) -> None:
    rows = as_the_paper_says() if module is true_vs_random_labels else with_confusion()
    both = pd.concat([rows, rows.iloc[:2].assign(stop_loss=0.1, max_sharpness=1e9)], ignore_index=True)
    ours, theirs = (
        [line.get_xydata() for axis in module.figure(found).axes for line in axis.lines] for found in (both, rows)
    )
    assert len(ours) == len(theirs) > 10
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("module", [true_vs_random_labels, confusion_set])
def test_networks_of_a_seed_start_alike_in_the_smoke_preset(module: Any, smoke_of: Callable[[Any], Path]) -> None:
    if DATA_VARIABLE not in os.environ:
        pytest.skip(f"{DATA_VARIABLE} names no folder with MNIST")
    rows = read_rows(smoke_of(module.STUDY))
    assert rows.groupby("seed_index")["seed"].nunique().eq(1).all()
    assert (rows["capacity"] == MEASURED).any()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(
    ("module", "settings", "message"),
    [
        (
            true_vs_random_labels,
            {"sizes": (8,)},
            "--sizes must hold at least two numbers in increasing order, got (8,)",
        ),
        (
            true_vs_random_labels,
            {"sizes": (8, 51)},
            "--sizes must be between 2 and the number of images, 50, got (8, 51)",
        ),
        (
            true_vs_random_labels,
            {"second_size": 9},
            "--second-stop must be another number than --stop-loss, and --second-size one of --sizes, got 0.003 and 9",
        ),
        (true_vs_random_labels, {"stop_loss": 0.0}, "--stop-loss must be finite and above 0, got 0.0"),
        (
            confusion_set,
            {"confusion": (0,)},
            "--confusion must hold at least two numbers from 0 on in increasing order, got (0,)",
        ),
        (
            confusion_set,
            {"confusion": (0, 43)},
            "--true-images must be at least 2, and with the largest of --confusion at most the number of images, 50, got 8 "
            "and 43",
        ),
        (
            confusion_set,
            {"second_confusion": 5},
            "--second-stop must be another number than --stop-loss, and 0 and --second-confusion two of --confusion, got "
            "0.003 and 5",
        ),
    ],
)
def test_settings_out_of_range_are_refused(module: Any, settings: dict[str, Any], message: str) -> None:
    small = {"sizes": (8, 16), "second_size": 8}
    if module is confusion_set:
        small = {"true_images": 8, "confusion": (0, 8), "second_confusion": 8}
    config = replace(module.Config(), test_size=None, **(small | settings))
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        module.tasks(config)
    assert str(raised.value) == message


@pytest.mark.usefixtures("few")
def test_a_study_without_a_second_stop_has_fewer_tasks() -> None:
    config = true_vs_random_labels.Config(test_size=None, sizes=(8, 16), second_size=8, seeds=3)
    assert len(true_vs_random_labels.tasks(config)) == 3 * 2 * (2 + 1)
    assert len(true_vs_random_labels.tasks(replace(config, second_stop=0.0))) == 3 * 2 * 2
    other = confusion_set.Config(test_size=None, true_images=8, confusion=(0, 8, 16), second_confusion=8, seeds=2)
    assert len(confusion_set.tasks(other)) == 2 * (3 + 2)
