"""What the studies of capacity share: columns on sharpness by other ways, crossings by hand, and which networks count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from experiments.kit import classifiers, sharpness
from experiments.kit.capacity import LOGS, MEASURED, MEASURES
from experiments.kit.sharpness import CapacitySettings, at_level, differences, fitting, lost, sharpness_columns
from numerics.data import Images


def test_the_divergence_at_a_level_is_where_the_curve_first_crosses_it() -> None:
    # From 0.01 to 0.09 the level 0.05 is half way: the geometric mean of 10^4 and 10^2.
    assert at_level([0.0, 0.01, 0.09, 0.02, 0.2], [1e6, 1e4, 1e2, 10.0, 1.0]) == pytest.approx(1e3)
    assert at_level([0.05, 0.06], [8.0, 2.0]) == pytest.approx(8.0)


@pytest.mark.parametrize(
    "curve", [[0.0, 0.01, 0.04], [0.06, 0.5, 2.0], [0.3, 0.2, 0.01]], ids=["below", "above", "falls"]
)
def test_a_curve_that_does_not_cross_a_level_has_no_divergence_there(curve: list[float]) -> None:
    assert at_level(curve, [100.0, 10.0, 1.0]) is None


def folded_by_hand() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a linear classifier after batch norm with scales 2 and 3, images, and the labels that it gives them."""
    layer = nn.Linear(2, 2, dtype=torch.float64)
    norm = nn.BatchNorm1d(2, eps=0.0, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 0.5]]))
        layer.bias.copy_(torch.tensor([0.25, 0.0]))
        norm.weight.copy_(torch.tensor([2.0, 3.0]))
        norm.bias.copy_(torch.tensor([0.5, 0.0]))
    model = nn.Sequential(nn.Flatten(), layer, norm).eval()
    x = torch.rand(40, 1, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return model, x, model(x).argmax(1)


def test_sharpness_is_of_the_network_with_its_batch_norm_folded() -> None:
    model, x, y = folded_by_hand()
    config = CapacitySettings(box=0.01, ascent_steps=20, alphas=(0.01, 0.1), draws=144)
    row = sharpness_columns(model, x, y, config, 0)
    assert set(row) == set(sharpness.COLUMNS) == set(sharpness.DIVERGED)
    weights = torch.tensor([[2.0, -2.0], [-3.0, 1.5]], dtype=torch.float64)
    biases = torch.tensor([1.0, 0.0], dtype=torch.float64)
    folded = torch.cat([weights.flatten(), biases])
    by_hand = [float((folded / (a * (10 * folded.abs() + 1))).square().sum()) / 2 for a in (0.01, 0.1)]
    assert row["divergence"] == pytest.approx(by_hand, rel=1e-9)

    def loss(w: torch.Tensor, b: torch.Tensor) -> float:
        return float(nn.functional.cross_entropy(x.flatten(1) @ w.T + b, y))

    here, steps = loss(weights, biases), np.array(np.meshgrid(*[(-1, 1)] * 6)).reshape(6, -1).T
    boxes = 0.01 * (folded.abs() + 1)
    corners = [folded + torch.tensor(signs) * boxes for signs in steps]
    most = max(loss(corner[:4].reshape(2, 2), corner[4:]) for corner in corners)
    # The loss is convex, so that its maximum is at a corner; the ascent comes near to it from below.
    exact = (most - here) / (1 + here)
    assert 0.3 * exact < row["max_sharpness"] <= exact * (1 + 1e-9)
    generator = torch.Generator().manual_seed(1)
    for place, a in enumerate((0.01, 0.1)):
        noise = [
            a * (10 * folded.abs() + 1) * torch.randn(6, generator=generator, dtype=torch.float64) for _ in range(144)
        ]
        rises = [loss((folded + n)[:4].reshape(2, 2), (folded + n)[4:]) - here for n in noise]
        error = math.hypot(row["expected_sharpness_error"][place], float(np.std(rises)) / 12)
        assert abs(row["expected_sharpness"][place] - float(np.mean(rises))) < 5 * error


def made_rows(values: dict[str, list[Any]]) -> pd.DataFrame:
    """Return rows of networks that all fit, of measures 1, with these columns changed."""
    size = len(next(iter(values.values())))
    whole: dict[str, Any] = dict.fromkeys((*LOGS, "max_sharpness"), 0.0) | {
        "train_accuracy": 1.0, "violations": 0, "outcome": "interpolated", "capacity": MEASURED, "divergence_at_level": 1.0,
        "test_accuracy": 0.5, "stop_loss": 0.1,
    }  # fmt: skip
    return pd.DataFrame({name: [value] * size for name, value in whole.items()} | values)


def test_a_network_counts_if_it_fits_reaches_the_stop_and_has_a_margin() -> None:
    rows = made_rows(
        {
            "name": ["fits", "error", "budget", "margin", "diverged"],
            "violations": [0, 1, 0, 3, None],
            "outcome": ["interpolated", "interpolated", "budget spent", "interpolated", "diverged"],
            "capacity": [MEASURED, MEASURED, MEASURED, "no margin: 3 of 9 points", "diverged"],
        }
    )
    assert fitting(rows)["name"].tolist() == ["fits"]
    said = "1 of 5 networks are compared; 1 diverge, 1 have no margin above 0, 2 have training error, "
    assert lost(rows) == said + "1 do not reach the stopping loss"


def test_differences_are_those_of_pairs_in_units_of_the_largest_measure() -> None:
    rows = made_rows({"seed_index": [0, 0, 1], "random": [1, 0, 0], "max_sharpness": [3.0, 1.0, 9.0]})
    rows["divergence_at_level"] = [8.0, 2.0, 1.0]
    for place, name in enumerate(MEASURES):
        rows[f"log_{name}"] = [800 + place + math.log(4), 800 + place + math.log(2), 800 + place + math.log(8)]
    [found] = differences(rows, "random", (0, 1), ["seed_index"]).to_dict("records")
    assert (found["seed_index"], found["sharpness"]) == (0, 2.0)
    assert found["divergence"] == pytest.approx(math.log(4))
    for name in MEASURES:
        assert found[f"ratio_{name}"] == pytest.approx(math.log(2)), name
        assert found[f"gap_{name}"] == pytest.approx((4 - 2) / 8), name


def test_random_labels_start_at_a_place_and_are_the_same_in_a_larger_set() -> None:
    labels = torch.arange(3000) % 10
    drawn = classifiers.with_random_labels(labels, 1000, 10, seed=0)
    assert torch.equal(drawn[:1000], labels[:1000])
    assert torch.equal(classifiers.with_random_labels(labels[:1500], 1000, 10, seed=0), drawn[:1500])
    assert torch.equal(classifiers.with_random_labels(labels, 0, 10, seed=0)[1000:], drawn[1000:])
    # Each label as likely, the right one too: five standard errors of a binomial share of 2000.
    shares = torch.bincount(drawn[1000:], minlength=10) / 2000
    assert float((shares - 0.1).abs().max()) < 5 * math.sqrt(0.09 / 2000)
    assert abs(float((drawn == labels)[1000:].double().mean()) - 0.1) < 5 * math.sqrt(0.09 / 2000)


def test_a_task_is_trained_on_its_first_images_and_its_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (30, 32, 32, 3)).astype(np.uint8)
    labels = (np.arange(30) % 3).astype(np.uint8)
    monkeypatch.setattr(classifiers, "loaded", lambda data, data_dir: Images("made up", images, labels, images, labels))
    seen: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []

    def look(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        seen.append((model, x, y))
        return {"looked": True}

    config = CapacitySettings(
        data="cifar10", network="vgg", size=30, test_size=5, shrink=4, max_epochs=1, looks=1, gc_images=0, batch_size=10
    )
    task = classifiers.Task("one", 7, 0.1, 10, width=2, images=20, random_from=12, at_end=look)
    row = classifiers.trained(task, config)
    [(model, x, y)] = seen
    by_hand = images[:20].astype(np.float64).reshape(20, 8, 4, 8, 4, 3).mean(axis=(2, 4)) / 255
    np.testing.assert_allclose(x.numpy(), by_hand.transpose(0, 3, 1, 2), atol=1e-6)
    everything = torch.from_numpy(labels).long()
    assert torch.equal(y, classifiers.with_random_labels(everything, 12, 3, 7)[:20])
    assert (row["images"], row["looked"], row["gc"], row["best_gc"]) == (20, True, None, None)
    with torch.no_grad():
        right = (model(x).argmax(1) == y).double().mean()
    assert row["train_accuracy"] == pytest.approx(float(right))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "--width must be at least 1, got 0"),
        ({"ascent_steps": 0}, "--ascent-steps must be at least 1, got 0"),
        ({"draws": 1}, "--draws must be at least 2, got 1"),
        ({"box": 0.0}, "--box must be finite and above 0, got 0.0"),
        ({"alphas": (0.1, 0.1)}, "--alphas must hold at least two numbers in increasing order, got (0.1, 0.1)"),
        ({"alphas": (-0.1, 0.1)}, "--alphas must be finite and above 0, got -0.1"),
        ({"dropout": 1.0}, "--dropout must be from 0 to below 1, got 1.0"),
        ({"gc_images": -1}, "--gc-images must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(
    settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = np.zeros((4, 28, 28), np.uint8)
    none = Images("made up", few, few[:, 0, 0], few, few[:, 0, 0])
    monkeypatch.setattr(classifiers, "loaded", lambda data, data_dir: none)
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        sharpness.check(CapacitySettings(**({"size": None, "test_size": None} | settings)))
    assert str(raised.value) == message
