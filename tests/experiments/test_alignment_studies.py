"""The studies of gradients in training: their columns against what they stand for, and their trends on planted rows."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from experiments import coherence, real_vs_random_example, stiffness, tangent_complexity, winsorized
from experiments.engine.records import read_rows
from experiments.kit import alignment
from experiments.kit.trends import HOLDS, OPPOSITE, UNDECIDED, Trend
from numerics.alignment import class_stiffness
from numerics.data import DATA_VARIABLE
from theory.checks import Array


def verdicts(trends: list[Trend]) -> dict[str, str]:
    return {one.says: one.verdict for one in trends}


def gram_of(seed: int, m: int = 12) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    rows = generator.standard_normal((m, 4))
    return rows @ rows.T, np.arange(m) % 3


# Columns


@pytest.mark.parametrize("kind", ["sign", "cosine"])
def test_resolution_is_between_over_within(kind: str) -> None:
    gram, labels = gram_of(0)
    lengths = np.sqrt(np.diagonal(gram))
    values = np.sign(gram) if kind == "sign" else gram / np.outer(lengths, lengths)
    for where, same in (("between", False), ("within", True)):
        groups: dict[tuple[int, int], list[float]] = {}
        for i in range(len(labels)):
            for j in range(i + 1, len(labels)):
                pair = tuple(sorted((int(labels[i]), int(labels[j]))))
                if (pair[0] == pair[1]) == same:
                    groups.setdefault(pair, []).append(float(values[i, j]))
        means = [np.mean(group) for group in groups.values()]
        left = np.concatenate([np.array(group) - np.mean(group) for group in groups.values()])
        expected = np.var(means, ddof=1) / np.var(left, ddof=1)
        assert alignment.resolution(gram, labels, kind)[where] == pytest.approx(expected, rel=1e-12)


def test_equal_values_tell_nothing_apart() -> None:
    rows = np.vstack([np.eye(3)[k % 3] * (1 + k) for k in range(9)])
    found = alignment.resolution(rows @ rows.T, np.arange(9) % 3, "sign")
    assert found["within"] == 0


def test_stiffness_columns_are_those_of_the_blocks() -> None:
    gram, labels = gram_of(1)
    truly = np.array([0, 0, 1, 1, 2, 2])
    found = alignment.stiffness_columns(gram, labels, 6, truly)
    own = class_stiffness(gram[:6, :6], labels[:6], "cosine")
    assert found["cosine_within"] == own.within
    assert found["cosine_between"] == own.between
    lengths = np.sqrt(np.diagonal(gram))
    cosines = (gram / np.outer(lengths, lengths))[:6, :6]
    assert found["cosine_within_true"] == pytest.approx(np.mean([cosines[0, 1], cosines[2, 3], cosines[4, 5]]))
    signs = np.sign(gram[:6, 6:])
    assert found["sign_across"] == pytest.approx(signs.mean())
    assert len(found["sign_matrix"]) == 9


def test_easy_and_hard_halves_are_blocks() -> None:
    gram, _ = gram_of(2)
    easy = np.arange(12) < 6
    found = alignment.coherence_columns(gram, gram, easy)
    block = gram[:6, :6]
    assert found["alpha_easy"] == pytest.approx(block.sum() / 36 / (np.trace(block) / 6))
    nothing = alignment.coherence_columns(gram, gram, np.zeros(0, dtype=bool))
    assert nothing["alpha_easy"] is None


def test_a_small_step_changes_losses_as_stiffness_says() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).double()
    x, y = torch.randn(6, 3).double(), torch.arange(6) % 2
    gram = alignment.gradient_gram(model, x, y, "cross_entropy")
    before = [p.detach().clone() for p in model.parameters()]
    found = alignment.step_columns(model, x, y, gram)
    assert found["w4_error"] < 0.01
    assert found["w4_error"] / found["w4_error_at_tenth"] == pytest.approx(10, rel=0.2)
    assert found["w5_error"] / found["w5_error_at_half"] == pytest.approx(2, rel=0.2)
    assert all(torch.equal(p, at) for p, at in zip(model.parameters(), before, strict=True))


# Trends on planted rows


def through(column: str, *, slope: float, random: float = 0.0, seeds: int = 8) -> pd.DataFrame:
    """Return rows in which a column rises or falls with the epoch."""
    rows = [
        {"random": random, "hidden_layers": 1, "seed_index": seed, "epoch": float(epoch), column: slope * epoch + seed}
        for seed in range(seeds)
        for epoch in (0, 1, 3, 9)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("slope", "verdict"), [(1.0, HOLDS), (-1.0, OPPOSITE), (0.0, UNDECIDED)])
def test_a_trend_through_training_is_seen(slope: float, verdict: str) -> None:
    assert alignment.over_training(through("gap", slope=slope), "grows", "gap", "rises").verdict == verdict


def test_a_column_above_another_is_seen() -> None:
    rows = through("a", slope=0.0).assign(b=0.5)
    assert alignment.above(rows.assign(a=1.0), "above", "a", "b").verdict == HOLDS
    assert alignment.above(rows.assign(a=0.0), "above", "a", "b").verdict == OPPOSITE
    assert alignment.above(rows.assign(a=0.5), "above", "a", "b").verdict == UNDECIDED


@pytest.mark.parametrize("column", ["random", "hidden_layers"])
def test_runs_of_different_settings_are_not_pooled(column: str) -> None:
    rows = through("a", slope=1.0).assign(b=0.5)
    pooled = pd.concat([rows, rows.assign(**{column: 7})])
    said = f"^rows must have one value in {column}, got "
    with pytest.raises(ValueError, match=said):
        alignment.over_training(pooled, "grows", "a", "rises")
    with pytest.raises(ValueError, match=said):
        alignment.above(pooled, "above", "a", "b")


def test_a_constant_run_speaks_for_neither_direction() -> None:
    rows = through("gap", slope=1.0).assign(flat=1.0)
    found = alignment.over_training(rows, "grows", "gap", "rises", along="flat")
    assert (found.tau, found.seeds, found.verdict) == (0.0, 8, UNDECIDED)


def test_a_run_has_the_mean_of_its_moments_after_the_start() -> None:
    found = alignment.of_runs(through("a", slope=3.0, seeds=2), "a")
    assert found["a"].tolist() == [13.0, 14.0]


def noisy(fitted: float, accuracy: float) -> pd.DataFrame:
    """Return rows of winsorised descent in which two columns go with the level."""
    rows = [
        {
            "way": way, "level": level, "winsorised": way != winsorized.MEDIAN, "noise": noise, "seed_index": seed,
            "chosen": True, "fitted_noise": fitted * level / 100 + seed / 1000 if noise else None,
            "test_accuracy": accuracy * level / 100 + seed / 1000, "best_test": 0.5, "train_accuracy": -level / 100,
        }
        for seed in range(6)
        for noise in (0.0, 0.4)
        for way, level in (("0", 0.0), ("5", 5.0), ("10", 10.0), ("20", 20.0), ("40", 40.0), (winsorized.MEDIAN, 50.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_trends_of_winsorised_descent_are_seen_either_way() -> None:
    as_said = verdicts(winsorized.trends(noisy(-1.0, 1.0)))
    assert as_said["fewer wrong labels are fitted the higher the level"] == HOLDS
    assert as_said["wrong labels: test accuracy rises with the level"] == HOLDS
    assert as_said["training accuracy falls beyond level 10"] == HOLDS
    reversed_ = verdicts(winsorized.trends(noisy(1.0, -1.0)))
    assert reversed_["fewer wrong labels are fitted the higher the level"] == OPPOSITE
    assert reversed_["wrong labels: test accuracy rises with the level"] == OPPOSITE


def test_early_and_late_coherence_are_those_of_a_run() -> None:
    rows = pd.DataFrame(
        [
            {"random": 0.0, "seed_index": 0, "epoch": float(epoch), "alpha": alpha, "gap": gap}
            for epoch, alpha, gap in ((9, 0.3, 2.0), (0, 0.1, 0.0), (1, 0.2, 1.0))
        ]
    )
    found = coherence.early_and_late(rows).iloc[0]
    assert (found["early"], found["late"], found["gap"]) == (0.2, 0.3, 2.0)


# What a study refuses, and its smallest run


CONFIGS: list[tuple[Any, dict[str, Any], str]] = [
    (stiffness, {"batches_of": 7}, "--batches-of must divide the number of training images, 40, at least twice, got 7"),
    (stiffness, {"stop_loss": 0.0}, "--stop-loss must be finite and above 0, got 0.0"),
    (
        coherence,
        {"shares": (0.5,)},
        "--shares must hold at least two numbers from 0 to 1 in increasing order, got (0.5,)",
    ),
    (
        winsorized,
        {"levels": (0.0, 60.0)},
        "--levels must hold 0 and others in increasing order up to 50, got (0.0, 60.0)",
    ),
    (winsorized, {"step_sizes": ()}, "--step-sizes must hold numbers above 0, got ()"),
    (
        winsorized,
        {"groups": 3},
        "--batch-size must divide --size, and --groups, at least 2, divide --batch-size, got 10, 40 and 3",
    ),
    (
        tangent_complexity,
        {"widths": (8,)},
        "--widths must hold at least two numbers above 0 in increasing order, got (8,)",
    ),
    (tangent_complexity, {"optimiser": "adam"}, "--network must be mlp, and --optimiser sgd, got mlp and adam"),
]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("module", "settings", "message"), CONFIGS, ids=[next(iter(entry[1])) for entry in CONFIGS])
def test_settings_out_of_range_are_refused(module: Any, settings: dict[str, Any], message: str) -> None:
    config = replace(module.Config(), size=40, test_size=20, batch_size=10, **settings)
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        module.tasks(config)
    assert str(raised.value) == message


@pytest.mark.parametrize("step", ["0", "-1/2", "half", "1/0"])
def test_a_step_size_of_the_example_is_a_number_above_0(step: str) -> None:
    with pytest.raises(ValueError, match=r"^--step-size must be a number or a fraction above 0, got "):
        real_vs_random_example.tasks(real_vs_random_example.Config(step_size=step))
    with pytest.raises(ValueError, match=r"^--steps must be at least 1, got 0"):
        real_vs_random_example.tasks(real_vs_random_example.Config(steps=0))


def test_networks_of_a_seed_start_alike(smoke_of: Callable[[Any], Path]) -> None:
    if DATA_VARIABLE not in os.environ:
        pytest.skip(f"{DATA_VARIABLE} names no folder with MNIST")
    rows = read_rows(smoke_of(stiffness.STUDY))
    start = rows[rows["epoch"] == 0]
    assert set(start["labels"]) == {"true", "random"}
    assert start.groupby("hidden_layers")["test_loss"].nunique().tolist() == [1, 1]
    assert rows.groupby(["seed_index", "labels", "hidden_layers"])["last"].sum().eq(1).all()
