"""Classifiers in training, and at a few moments how the gradients of their examples agree: one table of all measures.

Stiffness, coherence, sharpness against the step sizes that training bears, and GC are columns of the same networks at the same
moments (walker2023, sections 3 and 5).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.kit import classifiers
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.trends import Direction, Trend, sign_test
from numerics.alignment import (
    class_stiffness,
    coherence,
    coherence_from_batches,
    cosine_stiffness,
    function_update,
    gradient_gram,
    random_batches,
    sign_stiffness,
    stiffness_by_distance,
)
from numerics.geometric_complexity import geometric_complexity
from numerics.stability import report
from numerics.training.modules import train_module
from theory.checks import Array
from theory.volhejn2020 import kendall_tau_b

KINDS: tuple[Literal["sign", "cosine"], ...] = ("sign", "cosine")

SMALL_STEP = 1e-3
"""Of the step along one example's gradient whose effect on the others is looked at (W4); also a tenth of it."""

OTHERS = 20
"""So many examples are looked at for the effect of a step (W4, W5)."""


@dataclass(frozen=True)
class AlignmentSettings(ClassifierSettings):
    """What the studies of gradients' alignment can be told beside what all studies of classifiers can.

    Attributes:
        size: training images, the first ones.
        test_size: images that stand for validation, likewise.
        hidden: units of each hidden layer of an MLP.
        looks: how often a network is looked at, at the start and evenly in the logarithm of the epoch.
        batches_of: images in a batch of the estimate of coherence from batches; divides the number of training images.
        seeds: networks of each setting; those of one seed start alike.
        seed: of everything that is drawn.
    """

    data: classifiers.Data = "mnist"
    size: int = 200
    test_size: int = 200
    network: classifiers.Kind = "mlp"
    hidden: tuple[int, ...] = (64,)
    step_size: float = 0.1
    batch_size: int = 20
    max_epochs: int = 200
    stop_loss: float = 0.01
    looks: int = 6
    batches_of: int = 10
    gc_images: int = 100
    seeds: int = 7
    seed: int = 0


def check(config: AlignmentSettings) -> None:
    """Check the settings.

    Raises:
        ValueError: if one is out of its range, or the data cannot be had.
    """
    classifiers.check(config)
    at_least_one(config, "batches_of")
    above_zero(config, "stop_loss")
    if config.size < 2 * config.batches_of or config.size % config.batches_of:
        raise ValueError(
            f"--batches-of must divide the number of training images, {config.size}, at least twice, got {config.batches_of}"
        )


def through_training(config: AlignmentSettings, share: float, seed: int, *, thresholds: bool) -> list[Row]:
    """Train a network with a share of random labels, drawn once, and return a row for each moment that it is looked at.

    Args:
        config: the settings.
        share: of the training images, the last ones, that have random labels.
        seed: of labels, initialisation and batches.
        thresholds: whether the step sizes that training bears are computed, the most costly columns.
    """
    data, labels = classifiers.classes(config), classifiers.label_count(config)
    first_random = len(data.y_train) - round(share * len(data.y_train))
    y = classifiers.with_random_labels(data.y_train, first_random, labels, seed) if share else data.y_train
    task = classifiers.Task("", seed, config.step_size, config.batch_size, hidden=config.hidden, width=64)
    model = classifiers.network(task, config, data.x_train, labels)
    size = min(config.batch_size, len(y))
    per_epoch = math.ceil(len(y) / size)
    epochs = sorted({0, *(int(epoch) for epoch in np.geomspace(1, config.max_epochs, config.looks).round())})
    looks = Looks(data, y, config, thresholds)
    run = train_module(
        model, data.x_train, y, step_size=config.step_size, max_steps=config.max_epochs * per_epoch, batch_size=size,
        momentum=config.momentum, optimiser=config.optimiser, stop_loss=config.stop_loss, seed=seed,
        measure=looks.at, measure_at=[epoch * per_epoch for epoch in epochs],
    )  # fmt: skip
    model.eval()
    rows = list(run.records)
    if rows[-1]["step"] != run.steps:
        rows.append({"step": run.steps, **looks.at(model)})
    given: Row = {
        "random": share, "seed": seed, "images": len(y), "batch_size": size, "step_size": config.step_size,
        "hidden_layers": len(config.hidden), "parameters": sum(p.numel() for p in model.parameters()),
        "outcome": str(run.outcome),
    }  # fmt: skip
    return [
        {**given, "last": row is rows[-1], "epoch": row["step"] / per_epoch, **row}
        for row in rows
        if row.get("train_loss") is not None
    ]


class Looks:
    """What is measured of a network at each moment; easy examples are those of the lower half of losses at the second one."""

    def __init__(self, data: classifiers.Classes, y: torch.Tensor, config: AlignmentSettings, thresholds: bool) -> None:
        self.data, self.y, self.config, self.thresholds = data, y, config, thresholds
        self.count, self.easy = 0, np.zeros(0, dtype=bool)

    def at(self, model: nn.Module) -> Mapping[str, Any]:
        """Return the columns of a moment; none of a network that has diverged."""
        if not all(bool(torch.isfinite(p).all()) for p in model.parameters()):
            return {"train_loss": None}
        x, held, n = self.data.x_train, self.data.x_test, len(self.y)
        mine = copy.deepcopy(model).double().eval()
        train_loss, train_accuracy = classifiers.on(model, x, self.y)
        test_loss, test_accuracy = classifiers.on(model, held, self.data.y_test)
        found: Row = {
            "train_loss": train_loss, "train_accuracy": train_accuracy, "test_loss": test_loss,
            "test_accuracy": test_accuracy, "gap": test_loss - train_loss,
        }  # fmt: skip
        images, labels = torch.cat([x, held]).double(), torch.cat([self.y, self.data.y_test])
        gram = gradient_gram(mine, images, labels, "cross_entropy")
        if not np.all(np.diagonal(gram)[:n] > 0):
            return {"train_loss": None}
        found |= stiffness_columns(gram, labels.cpu().numpy(), n, self.data.y_train.cpu().numpy())
        found |= distance_columns(gram[:n, :n], x)
        with torch.no_grad():
            losses = functional.cross_entropy(mine(x.double()), self.y, reduction="none").cpu().numpy()
        if self.count == 1:
            self.easy = losses <= np.median(losses)
        self.count += 1
        found |= coherence_columns(gram[:n, :n], gram[n:, n:], self.easy)
        batches = random_batches(x.double(), self.y, self.config.batches_of, seed=self.count)
        estimate = coherence_from_batches(mine, batches, "cross_entropy")
        found |= {
            "batch_alpha": estimate.value,
            "batch_alpha_error": estimate.standard_error,
            "batch_alpha_printed": estimate.printed,
        }
        found |= step_columns(mine, x.double(), self.y, gram)
        if self.config.gc_images:
            found["gc"] = geometric_complexity(mine, x[: self.config.gc_images].double()).value
        if self.thresholds:
            found |= threshold_columns(mine, x.double(), self.y, self.config)
        return found


def stiffness_columns(gram: Array, labels: Array, n: int, truly: Array) -> Row:
    """Return means of both kinds of stiffness: of training, of validation images, across; within and between classes.

    Classes are those of the labels that are trained on; "true" are the images' own classes, which is another thing where labels
    are random. "resolves" says how well a kind tells classes apart: the variance of the means over pairs of classes, over that
    of single values about these means, between different classes and within one.

    Args:
        gram: inner products of the gradients, of training images and then of validation images, [n + k, n + k].
        labels: what is trained on, and those of the validation images, [n + k].
        n: how many are trained on.
        truly: the classes of the images that are trained on, [n].
    """
    found: Row = {}
    for kind, mean in zip(KINDS, (sign_stiffness, cosine_stiffness), strict=True):
        found[f"{kind}_train"] = mean(gram[:n, :n]).value
        found[f"{kind}_across"] = mean(gram, split=n).value
        found[f"{kind}_validation"] = mean(gram[n:, n:]).value
        classes = class_stiffness(gram[:n, :n], labels[:n], kind)
        found[f"{kind}_within"], found[f"{kind}_between"] = classes.within, classes.between
        across = class_stiffness(gram, labels, kind, split=n)
        found[f"{kind}_within_across"], found[f"{kind}_between_across"] = across.within, across.between
        true = class_stiffness(gram[:n, :n], truly, kind)
        found[f"{kind}_within_true"], found[f"{kind}_between_true"] = true.within, true.between
        found[f"{kind}_matrix"] = classes.matrix.filled(math.nan).ravel().tolist()
        found |= {
            f"{kind}_resolves_{where}": value for where, value in resolution(gram[:n, :n], labels[:n], kind).items()
        }
    return found


def resolution(gram: Array, labels: Array, kind: str) -> dict[str, float]:
    """Return the variance of mean stiffness over pairs of classes over that about these means, "between" and "within".

    0 where all values are equal, which tells nothing apart.
    """
    lengths = np.sqrt(np.diagonal(gram))
    values = np.sign(gram) if kind == "sign" else gram / np.outer(lengths, lengths)
    first, second = np.triu_indices(len(labels), 1)
    pairs = pd.DataFrame({
        "low": np.minimum(labels[first], labels[second]), "high": np.maximum(labels[first], labels[second]),
        "value": values[first, second],
    })  # fmt: skip
    same = pairs["low"] == pairs["high"]
    found = {}
    for where, chosen in (("between", pairs[~same]), ("within", pairs[same])):
        groups = chosen.groupby(["low", "high"])["value"]
        inside = float((chosen["value"] - groups.transform("mean")).var())
        apart = float(groups.mean().var())
        found[where] = apart / inside if inside > 0 else 0.0 if apart == 0 else math.inf
    return found


def distance_columns(gram: Array, x: torch.Tensor) -> Row:
    """Return cosine stiffness by the distance of the inputs, Kendall's tau_b of the two, and the critical length."""
    found = stiffness_by_distance(gram, x.flatten(1).cpu().numpy(), "cosine")
    return {
        "distances": found.distances.tolist(), "distance_stiffness": found.stiffness.tolist(),
        "distance_tau": float(kendall_tau_b(found.distances, found.stiffness)) if len(set(found.stiffness)) > 1 else 0.0,
        "critical_length": found.critical_length if math.isfinite(found.critical_length) else None,
    }  # fmt: skip


def coherence_columns(train: Array, validation: Array, easy: Array) -> Row:
    """Return coherence, of training and validation images, of the easy and the hard half, and the gradient noise scale."""
    whole = coherence(train)
    found: Row = {
        "alpha": whole.value, "alpha_ratio": whole.ratio, "noise_scale": whole.noise_scale,
        "alpha_validation": coherence(validation).value, "alpha_easy": None, "alpha_hard": None,
    }  # fmt: skip
    for name, half in (("alpha_easy", easy), ("alpha_hard", ~easy)):
        if half.any():
            found[name] = coherence(train[np.ix_(half, half)]).value
    return found


def step_columns(model: nn.Module, x: torch.Tensor, y: torch.Tensor, gram: Array) -> Row:
    """Return what a small step down one example's loss does to others' (W4), and a step on all to the outputs (W5).

    "w4_error" is the largest |Delta l_j + eps g_0.g_j| over eps |g_0| |g_j|, at eps and at a tenth of it; "w4_signs" the share
    of examples whose loss changes with the sign that their stiffness says.
    """
    k = min(OTHERS, len(x))
    inner, lengths = gram[0, :k], np.sqrt(np.diagonal(gram)[:k])

    def losses() -> Array:
        with torch.no_grad():
            found: Array = functional.cross_entropy(model(x[:k]), y[:k], reduction="none").cpu().numpy()
        return found

    parameters = [p for p in model.parameters() if p.requires_grad]
    gradient = torch.autograd.grad(functional.cross_entropy(model(x[:1]), y[:1]), parameters)
    start, errors, signs = [p.detach().clone() for p in parameters], [], math.nan
    before = losses()
    for step in (SMALL_STEP, SMALL_STEP / 10):
        with torch.no_grad():
            for p, at, g in zip(parameters, start, gradient, strict=True):
                p.copy_(at - step * g)
        change = losses() - before
        errors.append(float(np.max(np.abs(change + step * inner) / (step * lengths[0] * lengths))))
        signs = float(np.mean(np.sign(change) == -np.sign(inner)))
    with torch.no_grad():
        for p, at in zip(parameters, start, strict=True):
            p.copy_(at)
    update = function_update(model, x[:k], y[:k], "cross_entropy", SMALL_STEP)
    return {
        "w4_error": errors[0], "w4_error_at_tenth": errors[1], "w4_signs": signs,
        "w5_decomposition_error": update.decomposition_error, "w5_error": update.linear_error,
        "w5_error_at_half": update.linear_error_at_half,
    }  # fmt: skip


def threshold_columns(model: nn.Module, x: torch.Tensor, y: torch.Tensor, config: AlignmentSettings) -> Row:
    """Return sharpness against the step sizes that training bears: gradient descent's (M1), and SGD's (B3), in a bracket."""
    size = min(config.batch_size, len(x))
    found = report(model, x, y, config.step_size, size, "cross_entropy")
    return {
        "sharpness": found.sharpness.value, "hessian_top": found.hessian_top.value, "edge": found.edge.value,
        "stable_sharpness": 2 / config.step_size, "gd_step_size": found.gd_step_size,
        "sgd_step_size_lower": found.sgd_step_sizes.lower, "sgd_step_size_upper": found.sgd_step_sizes.upper,
    }  # fmt: skip


def one_setting(rows: pd.DataFrame) -> None:
    """Check that each seed has one run: runs of a seed start alike, and are not independent of each other.

    Raises:
        ValueError: if the rows are of several settings.
    """
    for column in ("random", "hidden_layers"):
        if rows[column].nunique() > 1:
            raise ValueError(f"rows must have one value in {column}, got {sorted(rows[column].unique())}")


def of_runs(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a row for each run: the mean of a column over the moments after the start."""
    begun = rows[rows["epoch"] > 0]
    return begun.groupby(["seed_index", "hidden_layers", "random"], as_index=False)[[value]].mean()


def over_training(
    rows: pd.DataFrame, says: str, value: str, direction: Direction, *, since: float = 0.0, along: str = "epoch"
) -> Trend:
    """Return what runs say of a value that is said to rise or to fall through training: a sign test over runs.

    A run in which one of the two columns is constant speaks for neither.

    Args:
        rows: one for each moment of runs with one setting.
        says: the trend in words.
        value: the column that is said to rise or to fall.
        direction: which.
        since: the first epoch that is looked at.
        along: the column with which it does.

    Raises:
        ValueError: if the rows are of several settings.
    """
    one_setting(rows)
    chosen = rows[(rows["epoch"] >= since) & np.isfinite(rows[value].astype(float))]
    taus = []
    for _, run in chosen.groupby("seed_index"):
        x, y = run[along].to_numpy(np.float64), run[value].to_numpy(np.float64)
        if len(run) > 1:
            taus.append(float(kendall_tau_b(x, y)) if len(set(x)) > 1 and len(set(y)) > 1 else 0.0)
    return sign_test(says, direction, taus, len(chosen))


def medians(rows: pd.DataFrame, shown: Mapping[str, str], by: str) -> str:
    """Return medians over seeds by a setting and epoch as text; the last row of each run under "end".

    Args:
        rows: one for each moment.
        shown: column to what the table calls it.
        by: the column of the setting, in the order in which it first comes.
    """
    marked = rows.assign(at=rows["epoch"].where(~rows["last"].astype(bool), math.inf))
    parts = []
    for setting in marked[by].unique():
        for at, group in marked[marked[by] == setting].groupby("at", sort=True):
            values = group[list(shown)].astype(float).median()
            name = "end" if at == math.inf else f"{at:g}"
            parts.append({by: setting, "epoch": name, **{told: values[column] for column, told in shown.items()}})
    return pd.DataFrame(parts).to_string(index=False, float_format="{:.3g}".format, na_rep="-")


def above(rows: pd.DataFrame, says: str, more: str, less: str) -> Trend:
    """Return what runs say of one column that is said to be above another: a sign test of each run's mean difference.

    Raises:
        ValueError: if the rows are of several settings.
    """
    one_setting(rows)
    both = rows[np.isfinite(rows[more].astype(float)) & np.isfinite(rows[less].astype(float))]
    difference = both[more].astype(float) - both[less].astype(float)
    means = difference.groupby(both["seed_index"]).mean()
    return sign_test(says, "rises", np.sign(means).tolist(), len(both))
