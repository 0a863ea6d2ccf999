"""The study of conditions C1 to C3: its measures against those of the library, its table on rows that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import sharpness_conditions
from experiments.kit import classifiers
from experiments.sharpness_conditions import DELTAS, Config
from numerics.data import Images
from numerics.models import mlp
from numerics.perturbation import Undefined, conditions

SMALL = Config(
    size=40, test_size=None, batch_size=8, hidden_layers=2, width=20, stops=(1.0, 0.4), max_epochs=60, points=3, draws=5,
    seeds=2,
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def two_labels() -> Iterator[None]:
    """Put images that can be told apart, and are nowhere 0, in the place of MNIST."""
    generator = np.random.default_rng(0)
    prototypes = generator.uniform(1, 255, (2, 6, 6))

    def drawn(count: int) -> tuple[Any, Any]:
        labels = (np.arange(count) % 2).astype(np.uint8)
        return np.clip(prototypes[labels] + generator.normal(0, 20, (count, 6, 6)), 0, 255).astype(np.uint8), labels

    images = Images("made up", *drawn(40), *drawn(20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifiers, "loaded", lambda data, data_dir: images)
        yield


def all_rows(config: Config) -> pd.DataFrame:
    tasks = sharpness_conditions.tasks(config)
    return pd.DataFrame([{"key": key, **row} for key, task in tasks.items() for row in task()])


@pytest.fixture(scope="module")
def rows(two_labels: None) -> pd.DataFrame:
    return all_rows(SMALL)


def test_each_network_is_measured_at_its_start_and_at_each_stop(rows: pd.DataFrame) -> None:
    assert rows["state"].tolist() == ["initial", "loss 1", "loss 0.4"] * 2
    assert rows["outcome"].tolist() == ["not trained", "interpolated", "interpolated"] * 2
    assert (rows.groupby("seed_index")["epochs"].diff().dropna() > 0).all()
    assert (rows.groupby("seed_index")["train_loss"].diff().dropna() < 0).all()
    assert rows["parameters"].unique().tolist() == [36 * 20 + 20 * 20 + 20 * 2]


def test_a_row_has_the_conditions_of_its_network(rows: pd.DataFrame) -> None:
    row = rows.iloc[0]
    model = mlp([36, 20, 20, 2], seed=row["seed"], scheme="he", bias=False)
    found = conditions(model, classifiers.classes(SMALL).x_train[:3])
    assert not isinstance(found.mu, Undefined)
    assert (row["mu"], row["c3"], row["least_c2"]) == (found.mu, found.c3, found.least_c2)
    assert row["ratios"] == pytest.approx(found.ratios.ravel(), rel=1e-4)
    assert row["largest_shares"] == pytest.approx(found.small_share(DELTAS), rel=1e-4)
    shares = [np.mean([np.mean(level <= delta) for level in found.sizes]) for delta in DELTAS]
    assert row["mean_shares"] == pytest.approx(shares, rel=1e-4)
    with_c2 = sharpness_conditions.finite(rows)
    assert with_c2["c2_0.1"].iloc[0] == pytest.approx(float(found.c2(0.1)), rel=1e-4)


def test_what_is_proved_of_noise_holds_in_rows(rows: pd.DataFrame) -> None:
    assert (rows["root_mean_square"] <= rows["lemma_1"]).all()
    assert (rows["change"] - 5 * rows["change_error"] <= rows["unconditional"]).all()


def test_printed_limits_are_counted_state_by_state(rows: pd.DataFrame) -> None:
    made = rows.assign(mu=[0.25, 0.24, 0.26, 1.0, 0.2, 0.3], c3=[3.0, 3.1, 1.0, 2.0, 2.0, 4.0], least_c2=[5.0, 6.0] * 3)
    text = sharpness_conditions.table(made)
    assert "mu >= 1/4:  2 of 2 (initial), 0 of 2 (loss 1), 2 of 2 (loss 0.4)" in text
    assert "C_3 <= 3:   2 of 2 (initial), 1 of 2 (loss 1), 1 of 2 (loss 0.4)" in text
    assert "C_2 <= 5:   1 of 2 (initial), 1 of 2 (loss 1), 1 of 2 (loss 0.4)" in text
    assert "for every delta from norm 1.2 on" in text
    said = sharpness_conditions.conclusion(made)
    assert said.startswith("mu >= 1/4 in 4 of 6 rows, C_3 <= 3 in 4 of 6, C_2 <= 5 for every delta in 3 of 6")


def test_a_triple_for_which_c1_fails_is_in_the_table_and_has_no_place_in_the_figure(rows: pd.DataFrame) -> None:
    made = rows.assign(ratios=[[0.0, *row[1:]] for row in rows["ratios"]], mu=0.0)
    assert "; least 0\n" in sharpness_conditions.table(made)
    sharpness_conditions.figure(made)


def test_c2_at_another_norm_is_that_of_inputs_scaled_to_it(rows: pd.DataFrame) -> None:
    model = mlp([36, 20, 20, 2], seed=rows["seed"].iloc[0], scheme="he", bias=False)
    scaled = conditions(model, classifiers.classes(SMALL).x_train[:3], input_norm=sharpness_conditions.OTHER_NORM)
    found = sharpness_conditions.at_other_norm(rows)["c2_0.1"].iloc[0]
    assert found == pytest.approx(float(scaled.c2(0.1)), rel=1e-4)


def test_training_is_held_against_the_start(rows: pd.DataFrame) -> None:
    made = rows.assign(mu=[0.8, 0.4, 0.2, 0.4, 0.1, 0.05], c3=[1.0, 2.0, 3.0] * 2)
    found = {one.says: one.tau for one in sharpness_conditions.trends(made)}
    assert found["mu falls through training"] == pytest.approx(-1)
    assert found["C_3 rises through training"] == pytest.approx(1)
    assert sharpness_conditions.spans(made)["mu"].tolist() == ["0.375 (0.25 to 0.5)", "0.188 (0.125 to 0.25)"]


def test_a_network_that_does_not_reach_a_stop_is_a_row_that_says_so() -> None:
    rows = all_rows(replace(SMALL, stops=(0.6, 1e-9), max_epochs=12, seeds=1))
    assert rows["outcome"].tolist() == ["not trained", "interpolated", "budget spent"]
    assert rows["epochs"].iloc[-1] == 12
    assert len(sharpness_conditions.reached(rows)) == 2
    assert "0 of 1 networks reach the last stop" in sharpness_conditions.conclusion(rows)
    assert "0/1" in sharpness_conditions.table(rows)


def test_a_network_that_diverges_is_a_row_without_numbers() -> None:
    rows = all_rows(replace(SMALL, step_size=1e30, seeds=1))
    assert rows["outcome"].tolist() == ["not trained", "diverged", "not begun"]
    assert rows["mu"].notna().tolist() == [True, False, False]
    sharpness_conditions.table(rows)
    sharpness_conditions.figure(rows)
    assert sharpness_conditions.conclusion(rows).endswith("2 of 3 rows have no numbers.")


def test_a_network_goes_on_from_its_checkpoints(tmp_path: Path) -> None:
    config = replace(SMALL, seeds=1, checkpoints=tmp_path)
    first, again = all_rows(config), all_rows(config)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["000-1.checkpoint", "000-2.checkpoint"]
    pd.testing.assert_frame_equal(first, again)
    pd.testing.assert_frame_equal(first, all_rows(replace(config, checkpoints=None)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stops": (0.1, 0.2)}, "--stops must hold at least one loss, falling, got (0.1, 0.2)"),
        ({"stops": ()}, "--stops must hold at least one loss, falling, got ()"),
        ({"stops": (0.0,)}, "--stops must be finite and above 0, got 0.0"),
        ({"stop_loss": 0.1}, "--stop-loss must be 0, as --stops end training, got 0.1"),
        ({"points": 41}, "--points must be at most the number of training images, 40, got 41"),
        ({"network": "resnet18"}, "--network must be one of mlp, got 'resnet18'"),
        ({"scheme": "xavier"}, "--scheme must be one of lecun, lecun_uncorrected, glorot, he, got 'xavier'"),
        ({"draws": 1}, "--draws must be at least 2, got 1"),
        ({"hidden_layers": 0}, "--hidden-layers must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        sharpness_conditions.tasks(replace(SMALL, **settings))
    assert str(raised.value) == message
