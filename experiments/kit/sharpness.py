"""Columns on the sharpness of a trained classifier, and on what PAC-Bayes balances it with (neyshabur2017, section 2.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from torch import nn

from experiments.engine.records import Row
from experiments.engine.settings import above_zero, at_least_one
from experiments.kit import classifiers
from experiments.kit.capacity import LOGS, MEASURED, MEASURES
from experiments.kit.classifiers import ClassifierSettings
from experiments.kit.plotting import ORANGE, legend_below
from numerics.capacity import fold_batch_norm
from numerics.pac_bayes import bicriteria_curve
from numerics.perturbation import max_sharpness

LEVEL = 0.05
"""The expected sharpness at which divergences are compared: the paper's example of a fixed one."""

PRINTED_STOP = 1e-4
"""The cross-entropy at which the paper ends training."""

BATCH = 64
"""Images in a batch of the ascent and of a draw of noise."""

COLUMNS = (
    "max_sharpness",
    "alphas",
    "expected_sharpness",
    "expected_sharpness_error",
    "divergence",
    "divergence_at_level",
)
"""Columns of a network that has not diverged."""

DIVERGED: Row = dict.fromkeys(COLUMNS)
"""The columns of a network whose training diverged."""


@dataclass(frozen=True)
class CapacitySettings(ClassifierSettings):
    """What the studies of capacity can be told beside what all studies of classifiers can.

    Attributes:
        width: channels of the first stack of a VGG, or of the stem of a ResNet-18, 64 in the standard ones.
        hidden: units of each hidden layer of an MLP.
        dropout: the chance of a VGG's dropout; the paper does not print it. The loss that ends training is that of
            networks with dropout.
        box: alpha of the box |nu_i| <= alpha (|w_i| + 1) of max sharpness.
        ascent_steps: of the stochastic gradient ascent that looks for it, from the weights; 2000 in the paper, whose
            batches of 64, step size 0.01 and momentum 0.9 it has.
        alphas: of the standard deviations alpha (10 |w_i| + 1), in increasing order.
        draws: of the noise, for each alpha; 1000 in the paper.
    """

    width: int = 8
    hidden: tuple[int, ...] = (64, 64)
    dropout: float = 0.0
    box: float = 5e-4
    ascent_steps: int = 100
    alphas: tuple[float, ...] = (1e-3, 2e-3, 3e-3, 4e-3, 6e-3, 1e-2)
    draws: int = 50


@dataclass(frozen=True)
class RandomLabelSettings(CapacitySettings):
    """What the studies on random labels can be told.

    By default images are of half the width and height, a network has an eighth of the paper's channels, and training ends at
    a hundred times its loss, so that two cores bear it. Batch size, step size and momentum are the paper's.

    Attributes:
        stop_loss: mean batch loss of an epoch below which training ends; 1e-4 in the paper.
        second_stop: another one, for one setting, to see what it changes; 0 for none.
        gc_images: on how many training images geometric complexity is measured as well; 0 for none.
    """

    data: classifiers.Data = "cifar10"
    size: int | None = None
    test_size: int | None = 1000
    shrink: int = 2
    network: classifiers.Kind = "vgg"
    step_size: float = 0.01
    batch_size: int = 64
    momentum: float = 0.9
    max_epochs: int = 250
    stop_loss: float = 0.01
    looks: int = 1
    gc_images: int = 0
    second_stop: float = 0.003


def check(config: CapacitySettings) -> None:
    """Check the settings that the studies of capacity share.

    Raises:
        ValueError: if one is out of its range, or the data cannot be had.
    """
    at_least_one(config, "width", "ascent_steps")
    if config.draws < 2:
        raise ValueError(f"--draws must be at least 2, got {config.draws}")
    above_zero(config, "box", "alphas")
    if len(config.alphas) < 2 or sorted(set(config.alphas)) != list(config.alphas):
        raise ValueError(f"--alphas must hold at least two numbers in increasing order, got {config.alphas}")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"--dropout must be from 0 to below 1, got {config.dropout}")
    classifiers.check(config)


def sharpness_columns(model: nn.Module, x: torch.Tensor, y: torch.Tensor, config: CapacitySettings, seed: int) -> Row:
    """Return `COLUMNS`: max sharpness, from below, and expected sharpness against divergence for each alpha.

    All are of the cross-entropy of the network with its batch norm folded, whose weights and biases are perturbed: the
    network that the norms are of. `divergence` is N20.a's, with the factor 1/2 that the paper's figures lack.

    Args:
        model: in evaluation mode.
        x: training images, [m, ...].
        y: their labels, [m].
        config: the settings.
        seed: of batches and noise.

    Raises:
        ValueError: if a loss is not finite, or batch norm cannot be folded.
    """
    # Not channels last: vmap has no rule for what pooling does to these.
    folded = fold_batch_norm(model, tuple(x.shape[1:])).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    greatest = max_sharpness(
        folded,
        x,
        y,
        alpha=config.box,
        steps=config.ascent_steps,
        restarts=1,
        batch=BATCH,
        ascent="gradient",
        seed=seed,
    )
    curve = bicriteria_curve(folded, x, y, config.alphas, draws=config.draws, batch=BATCH, seed=seed)
    sharpness, divergence = [point.sharpness for point in curve], [point.divergence for point in curve]
    return {
        "max_sharpness": greatest.value,
        "alphas": list(config.alphas),
        "expected_sharpness": sharpness,
        "expected_sharpness_error": [point.standard_error for point in curve],
        "divergence": divergence,
        "divergence_at_level": at_level(sharpness, divergence),
    }


def at_level(sharpness: Sequence[float], divergence: Sequence[float], level: float = LEVEL) -> float | None:
    """Return the divergence at an expected sharpness: where the curve first crosses it, linear in the logarithm between points.

    Args:
        sharpness: of each alpha, in increasing order of alpha.
        divergence: of each alpha, above 0.
        level: the expected sharpness.

    Returns:
        The divergence; None if no two neighbours have the level between them.
    """
    for i in range(len(sharpness) - 1):
        low, high = sharpness[i], sharpness[i + 1]
        if low <= level < high:
            share = (level - low) / (high - low)
            return math.exp((1 - share) * math.log(divergence[i]) + share * math.log(divergence[i + 1]))
    return None


def of_stop(rows: pd.DataFrame, second: bool = False) -> pd.DataFrame:
    """Return the networks of the stopping loss that most have, or those of the other."""
    first = rows["stop_loss"].mode().iloc[0]
    found: pd.DataFrame = rows[(rows["stop_loss"] != first) == second]
    return found


def fitting(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the networks that have reached their stopping loss without error on the images that the margin is taken on.

    They have a margin above 0. Evaluated by stored statistics, batch norm may leave errors that training did not see.
    """
    found = rows[(rows["outcome"] == "interpolated") & (rows["capacity"] == MEASURED) & (rows["violations"] == 0)]
    names = [*LOGS, "max_sharpness", "divergence_at_level", "train_accuracy", "test_accuracy"]
    return found.astype(dict.fromkeys(names, float))


def differences(fits: pd.DataFrame, column: str, values: tuple[Any, Any], by: Sequence[str]) -> pd.DataFrame:
    """Return a row for each group in which both values of a column occur: the second less the first.

    Columns: of each measure `gap_`, the difference in units of the largest value of the measure in all rows, and `ratio_`, that
    of logarithms; `sharpness`, the difference of max sharpness; `divergence`, that of logarithms at the level.

    Args:
        fits: networks, one for each group and value.
        column: what is varied.
        values: the two.
        by: the columns that name a group.
    """
    largest = {name: fits[f"log_{name}"].max() for name in MEASURES}
    found = []
    for group in (part for _, part in fits.groupby(list(by))):
        if not set(values) <= set(group[column]):
            continue
        low, high = (group[group[column] == value].iloc[0] for value in values)
        row: Row = {name: low[name] for name in by}
        for name, most in largest.items():
            logs = float(low[f"log_{name}"]), float(high[f"log_{name}"])
            row[f"ratio_{name}"] = logs[1] - logs[0]
            row[f"gap_{name}"] = math.exp(logs[1] - most) - math.exp(logs[0] - most)
        row["sharpness"] = high["max_sharpness"] - low["max_sharpness"]
        row["divergence"] = math.log(high["divergence_at_level"]) - math.log(low["divergence_at_level"])
        found.append(row)
    names = [f"{kind}_{name}" for name in MEASURES for kind in ("ratio", "gap")]
    return pd.DataFrame(found, columns=[*by, *names, "sharpness", "divergence"])


def at_both_stops(rows: pd.DataFrame, column: str, values: tuple[Any, Any], by: Sequence[str]) -> str:
    """Return by each stopping loss how networks of two values of a column differ, of the groups that were trained to both.

    Args:
        rows: all networks, those of the second stop among them.
        column: what is varied.
        values: the two.
        by: the columns that name a group.
    """
    others = of_stop(rows, second=True)
    keys = pd.MultiIndex.from_frame(others[[*by, column]])
    first = of_stop(rows)
    first = first[pd.MultiIndex.from_frame(first[[*by, column]]).isin(keys)]
    found = []
    for group in (first, others):
        fits = fitting(group)
        pairs = differences(fits, column, values, by)
        found.append(
            {
                "stop": f"{group['stop_loss'].iloc[0]:g}",
                "fit": f"{len(fits)}/{len(group)}",
                "pairs": len(pairs),
                "margin": fits["margin"].astype(float).median(),
                **{shown: math.exp(pairs[f"ratio_{name}"].median()) for name, shown in MEASURES.items()},
                "sharpness": pairs["sharpness"].median(),
                "divergence": math.exp(pairs["divergence"].median()),
            }
        )
    return pd.DataFrame(found).to_string(index=False, float_format="{:.4g}".format, na_rep="-")


def stopped(rows: pd.DataFrame) -> str:
    """Return in a sentence to which loss networks of one stopping loss are trained, and whether the paper's is lower."""
    stop = float(rows["stop_loss"].iloc[0])
    more = f", and not on to the paper's {PRINTED_STOP:g}" if stop > PRINTED_STOP else ""
    return f"Trained to a loss of {stop:g}{more}."


def lost(rows: pd.DataFrame) -> str:
    """Return in a sentence why networks are not compared."""
    reasons = {
        "diverge": rows["capacity"] == "diverged",
        "have no margin above 0": rows["capacity"].str.startswith("no margin"),
        "have training error": rows["violations"] > 0,
        "do not reach the stopping loss": rows["outcome"] == "budget spent",
    }
    counts = [f"{int(which.sum())} {why}" for why, which in reasons.items() if which.any()]
    return f"{len(fitting(rows))} of {len(rows)} networks are compared" + (f"; {', '.join(counts)}" if counts else "")


def draw_curves(axis: Axes, fits: pd.DataFrame, column: str, title: str) -> None:
    """Draw expected sharpness against divergence, medians over seeds, a curve for each value of a column."""
    values = sorted(fits[column].unique())
    for place, value in enumerate(values):
        chosen = fits[fits[column] == value]
        middle = (np.median(np.stack(chosen[name].to_list()), axis=0) for name in ("divergence", "expected_sharpness"))
        shade = 0.25 + 0.7 * place / max(1, len(values) - 1)
        axis.plot(*middle, "o-", color=(0.0, 0.45 * shade, 0.7 * shade, shade), markersize=3, label=f"{value}")
    axis.axhline(LEVEL, color=ORANGE, linestyle=":", linewidth=1)
    axis.set(xscale="log", yscale="log", title=f"PAC-Bayes, {title}", xlabel="divergence", ylabel="expected sharpness")
    legend_below(axis, 4)
