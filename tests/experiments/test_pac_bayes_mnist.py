"""What the study of PAC-Bayes bounds computes on made-up digits, and what its table says of made-up rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import pac_bayes_mnist as study
from experiments.kit import classifiers
from numerics.data import Images

SMALL = study.Config(
    size=None, test_size=None, hidden=6, step_size=0.2, batch_size=20, max_epochs=3, sigmas=(0.5,), alphas=(0.1,),
    draws=10, batch=20, seeds=1,
)  # fmt: skip


@pytest.fixture
def made_up_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put images with a bright row that tells the label in the place of MNIST."""
    generator = np.random.default_rng(0)

    def drawn(count: int) -> tuple[Any, Any]:
        labels = generator.integers(0, 4, count).astype(np.uint8)
        images = generator.integers(0, 40, (count, 8, 8)).astype(np.uint8)
        images[np.arange(count), labels] = 255
        return images, labels

    images = Images("made up", *drawn(400), *drawn(100))
    monkeypatch.setattr(classifiers, "loaded", lambda data, data_dir: images)


@pytest.mark.usefixtures("made_up_digits")
def test_each_noise_on_each_network_is_a_row() -> None:
    rows = pd.DataFrame([row for task in study.tasks(SMALL).values() for row in task()])
    assert list(zip(rows["labels"], rows["noise"], strict=True)) == [
        (labels, noise) for labels in ("true", "random") for noise in ("sigma", "alpha")
    ]
    assert (rows["training_upper"] > rows["training_loss"] + rows["training_sharpness"]).all()
    assert (rows["kl_bound"] <= rows["eq_5"]).all()
    assert (rows["kl_bound"] <= rows["eq_6"]).all()
    assert (rows["expected_loss"][rows["labels"] == "random"] == 1 - 1 / 4).all()
    assert (rows["expected_loss_error"][rows["labels"] == "true"] > 0).all()
    assert rows["training_loss"][rows["labels"] == "true"].iloc[0] < 0.5 < rows["training_loss"].iloc[-1]


def made_up_rows(**changes: Any) -> pd.DataFrame:
    measured = dict.fromkeys(study.MEASURED, 0.5) | {
        "noise": "sigma",
        "kl_bound": 0.6,
        "printed": 3.0,
        "expected_loss": 0.2,
    }
    rows = [
        {"labels": labels, "seed_index": index, "delta": 0.05, **measured, "size": size, "kl_bound": 0.6 - size}
        for labels in study.LABELS
        for index in range(2)
        for size in (0.1, 0.2)
    ]
    return pd.DataFrame(rows).assign(**changes)


def test_the_least_bound_of_each_network_is_in_the_sentence() -> None:
    said = study.conclusion(made_up_rows())
    assert "with true labels the least valid bound is 0.400, where the expected loss is 0.200" in said
    assert "the least printed measure 3.000" in said
    assert "Of 8 pairs of a network and a noise the valid bound is below the expected loss in 0, the printed" in said
    assert said.endswith("looks at the training set, whatever its size.")


def test_a_bound_that_fails_is_counted_and_not_believed() -> None:
    said = study.conclusion(made_up_rows(expected_loss=0.45))
    assert "is below the expected loss in 4, the printed measure in 0." in said
    assert "believed" not in said


def test_networks_that_diverged_are_left_out() -> None:
    rows = made_up_rows()
    gone = rows.iloc[:1].assign(**dict.fromkeys(study.MEASURED))
    assert study.table(pd.concat([rows, gone])) == study.table(rows)


def test_the_table_has_every_noise() -> None:
    text = study.table(made_up_rows())
    assert text.count("sigma   0.1") == text.count("sigma   0.2") == 2
    assert "Means over 2 networks each." in text


def test_the_figure_has_a_panel_for_each_kind() -> None:
    assert len(study.figure(made_up_rows()).axes) == 2


@pytest.mark.usefixtures("made_up_digits")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sigmas": (0.0,)}, "--sigmas must hold numbers above 0, got (0.0,)"),
        ({"alphas": (math.inf,)}, "--alphas must hold numbers above 0, got (inf,)"),
        ({"sigmas": (), "alphas": ()}, "--sigmas and --alphas must hold at least one number between them, got none"),
        ({"delta": 1.5}, "--delta must be between 0 and 1, got 1.5"),
        ({"draws": 0}, "--draws must be at least 1, got 0"),
        ({"network": "resnet18"}, "--network must be mlp, got 'resnet18'"),
    ],
    ids=["sigma", "alpha", "none", "delta", "draws", "network"],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        study.tasks(study.Config(**settings))
    assert str(raised.value) == message
